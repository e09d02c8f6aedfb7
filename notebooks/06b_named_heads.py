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
# # 6b · The heads that the paper names, and all others
#
# **In short.** Of the 15 heads that the paper names only L12H12 does here what it says, being polysemantic: another
# backbone has no reason to give a head of the same number the same function. Attention on the chirp grows with depth,
# and neither constant maps nor long tokens explain it (48 images).
#
# What does each head respond to, the named ones and all 144?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, attention, claims, plots

run = Run(profile, source, notebook="06b_named_heads", backbone=backbone, pixels=pixels)
mapped = run.mapped()
scores = attention.score_regions(mapped)
heads = attention.classify_heads(mapped)

# %% [markdown]
# ## The heads that the paper names
#
# Another backbone has no reason to give the same head the same function. The table has what the paper says of each
# head it names, beside what the head of that name responds to here.

# %%
heads.compare_named(claims.heads())

# %%
run.show(plots.overlays(**heads.named_overlays(claims.heads())), "named_heads")

# %% [markdown]
# The maps of these heads on the first test image, each under what the paper says of it and what it responds to here.
# Only L12H12 matches it: both are polysemantic. L4H2 and L4H3, for the lower and the upper half of the colour bar in
# the paper, attend to neither half here.

# %% [markdown]
# ## All 144 heads
#
# Each panel is a head's mean map over the 48 images; the colour of its frame says what the head responds to.

# %%
run.show(plots.atlas(heads.mean_maps, heads.kinds, heads.features), "atlas")

# %% [markdown]
# The next two figures show the attention of every head on every region over the head's mean attention: first averaged
# over query patches, then of the CLS query, whose output in the last layer is what the prediction is computed from.
# Purple is less than the mean, orange more.

# %%
run.show(plots.region_matrix(scores.enrichment, attention.FEATURES, title="averaged over queries"), "region_matrix")

# %%
run.show(
    plots.region_matrix(scores.enrichment_from_cls, attention.FEATURES, title="of the CLS query"), "region_matrix_cls"
)

# %% [markdown]
# Two artefacts could look like selectivity. Heads whose maps of two images correlate above 0.9 attend to the same
# patches whatever the image shows. And in large models a few patches get very long vectors that attract attention
# (registers, Darcet et al. 2024): the last column, the norm of the longest patch token over the median, would then be
# ten or more.

# %%
attention.summarise_layers(mapped, scores).table()

# %% [markdown]
# Neither explains the chirp heads: constant maps are found in layers 2, 4 and 10 (9 heads), and no layer has long
# tokens.

# %% [markdown]
# > **What to believe.** Numbers of heads do not carry over between backbones. On this model late layers attend to the
# > chirp; most heads of layers 1 to 3 attend to nothing in particular.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
