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
# # 8b · Orientation and colour: what a ViT makes of them
#
# **In short.** TODO

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, claims, lines, orientation, plots

run = Run(profile, source, notebook="08b_what_a_vit_makes_of_them", backbone=backbone, pixels=pixels)
measured = orientation.Orientation.of(run.line_fits())

# %% [markdown]
# ## Two models
#
# ARCH

# %%
run.show(plots.line_architecture(), "line_architecture")

# %% [markdown]
# SIZES

# %%
measured.frozen.accuracy()

# %% [markdown]
# ## Error by angle
#
# TODO

# %%
run.show(plots.error_by_angle(measured.by_set()), "vit_error_by_angle")

# %% [markdown]
# ## Other encodings
#
# TODO

# %%
run.show(plots.error_curves(measured.by_encoding()), "vit_error_by_encoding")

# %%
measured.errors()

# %% [markdown]
# ## Colours
#
# TODO

# %%
run.show(plots.error_by_colour(measured.colours(), lines.contrasts(), lines.COLOURS), "vit_error_by_colour")

# %% [markdown]
# TODO

# %%
published = measured.colours()["as published, plain"]
run.show(plots.colour_tree(published, published.heights_by_chance()), "vit_colour_tree")

# %% [markdown]
# ## Phase transitions
#
# TODO

# %%
run.show(plots.loss_curves(measured.losses()), "vit_losses")

# %%
measured.transitions()

# %% [markdown]
# ## The same heads for all tasks?
#
# TODO

# %%
run.show(plots.head_similarity(measured.similarities()), "vit_head_similarity")

# %%
measured.heads()

# %% [markdown]
# ## Verdicts
#
# TODO

# %%
claims.Ledger.of(measured.metrics(), against=claims.claims("2504.09393"))

# %% [markdown]
# > **What to believe.** TODO

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
