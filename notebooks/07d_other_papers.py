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
# # 7d · Do the author's other papers hold?
#
# **In short.** Of four further papers, abstracts or released constants could be held against what stands here. No
# claim of three of them is reproduced in its first row: what they find comes of the data, of the encoding, or holds
# for random weights and trivial readers as well. Of the fourth two claims are: a language model favours the
# right answer more for definitions than for associations, and its layers differ in what patching them restores.
#
# Only the abstracts were at hand, code and constants are public. The rules were fixed before anything was measured, and
# are those of [notebook 7](07_claims_ledger.ipynb).

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, claims

run = Run(profile, source, notebook="07d_other_papers", backbone=backbone, pixels=pixels)

# %% [markdown]
# ## 2503.22713: chirps
#
# [arXiv 2503.22713](https://arxiv.org/abs/2503.22713) is on the same model ([notebook 2](02_finetune_vit.ipynb)).

# %%
claims.Ledger.of(run.metrics_on("2503.22713"), against=claims.claims("2503.22713"))

# %% [markdown]
# ## 2212.09641: attention and stability
#
# [arXiv 2212.09641](https://arxiv.org/abs/2212.09641) scores the nodes of signed networks by attention ([notebook
# 9](09_attention_and_stability.ipynb)). It needs no backbone: the published network, and 1,000 random ones, are
# measured in seconds.

# %%
claims.Ledger.of(run.metrics_on("2212.09641"), against=claims.claims("2212.09641"))

# %% [markdown]
# ## 2504.09393: orientation and colour
#
# [arXiv 2504.09393](https://arxiv.org/abs/2504.09393) reads the angle of lines by a ViT ([notebook
# 8](08_orientation_and_colour.ipynb), [8b](08b_what_a_vit_makes_of_them.ipynb),
# [8c](08c_colour_and_transitions.ipynb)). Its code and constants are public, its backbone was not at hand: the heads
# were fitted to the embedded one.

# %%
claims.Ledger.of(run.metrics_on("2504.09393"), against=claims.claims("2504.09393"))

# %% [markdown]
# ## 2504.02976: CLAP
#
# [arXiv 2504.02976](https://arxiv.org/abs/2504.02976) patches a language model ([notebooks 10](10_clap.ipynb),
# [10b](10b_definitions_and_associations.ipynb)). What ships was measured on another one, SmolLM2; random weights are
# measured here, in seconds.

# %%
claims.Ledger.of(run.metrics_on("2504.02976"), against=claims.claims("2504.02976"))

# %% [markdown]
# > **What to believe.** A finding that a perfect reader, random weights or the adjacency of a network give as well says
# > nothing of the model. Where another model had to stand in, a verdict is on that one.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
