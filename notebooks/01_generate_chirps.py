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
# # 1 · Chirps on distorted images
#
# **In short.** Each image holds one *chirp*, a line that rises or falls in frequency, and much that says nothing about
# it: a frame, ticks, axis labels, a title, a colour bar. The chirp covers 0.3 % of the pixels (mean of 15 test images);
# four of the 196 patches hold any of it. In 17 % of 5,000 images the drawn line stops more than 2 Hz short of the end
# frequency that the label gives.
#
# The paper fine-tunes a Vision Transformer on such images of spectrograms. What does an image look like, and which
# part of it covers which pixels?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, data, plots

run = Run(profile, source, notebook="01_generate_chirps", backbone=backbone, pixels=pixels)

# %% [markdown]
# ## What is drawn
#
# Six parameters define a chirp. The model is to predict three of them: start time, start frequency and end frequency.
# A seed and an index fix all six and the noise, so a data set is drawn when it is needed and takes no disk space. The
# fourth test image is the example below.

# %%
example = data.ChirpExample.draw(run.profile.seed)
example.table()

# %% [markdown]
# ## Figure 2: fifteen samples
#
# The parameters have the distributions of the published generator: durations of 1 to 15 s, sweeps of at most 30 Hz up
# or down, linear and exponential chirps equally often, noise with a standard deviation of 0.09 to 0.3 of the line's
# height. The title of each panel gives the kind, the duration and the noise level.

# %%
samples = data.draw_samples(run.profile.seed)
run.show(plots.spectrogram_samples(samples.images, samples.captions), "figure_2")

# %% [markdown]
# <!-- figure_2 -->
# | the paper says | published | here, embedded | here, photographs |
# | --- | --- | --- | --- |
# | fifteen images | - | drawn anew; nothing is claimed of it | drawn anew; nothing is claimed of it |
# <!-- /figure_2 -->

# %% [markdown]
# ## The region of every pixel
#
# The images are drawn here, so the region of every pixel is known. Notebook 6 uses these regions to measure which part
# of an image a head attends to, for instance the title or the upper edge of the plot. The model sees images of
# 224 x 224 pixels; the figure shows the example at that size, on the right with one colour for each region.

# %%
plots.region_map(example.pixels, example.regions, data.REGIONS)

# %% [markdown]
# The chirp covers very little of an image. The table gives the share of the pixels that four regions cover, and how
# many of the 14 x 14 patches hold any pixel of each, both as means of fifteen test images.

# %%
data.RegionShares.measure(run.profile.seed).table()

# %% [markdown]
# ## The same chirp in other images
#
# A head may attend to the title because of what is written there (content-driven) or because it always attends to the
# upper part of the image (position-driven). Counterfactual images separate the two: one thing is changed, and
# everything else stays the same, the noise included. Notebook 6c measures the heads and the predictions on them.

# %%
variants = example.variants()
run.show(plots.variant_panel(variants.images, variants.captions), "variants")

# %% [markdown]
# ## Labels that an image does not show
#
# Some images carry labels that are hard or impossible to read off, for three reasons. The published generator clips
# end frequencies to 0 and 100 Hz. It lets an exponential chirp that ends in the lowest bin fall there after its first
# step. And it ends the line one bin short of the end frequency, which is half of the sweep for the shortest chirps. The
# table gives how often each occurs among the first 5,000 chirps of the test split.

# %%
data.KnownEdges.measure(run.profile.seed).table()

# %% [markdown]
# Notebook 2 measures how large the model's errors are on these images.

# %% [markdown]
# > **What to believe.** These are the published images, drawn anew from seeds: same distribution, same layout, text
# > of a newer Matplotlib. What is in each image, and where, is known to the pixel, which is what later notebooks rest
# > on.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
