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
# # 5 · Where predictions go without a head
#
# **In short.** Without a head of layers 1 to 3 the predicted start times resemble those of the intact model, as the
# paper says, with one exception: without L1H1 they move by 4.0 s on average (352 images). Its distribution alone is
# further from the intact one than two halves of the intact predictions are from each other. The other layers resemble
# the intact model as closely.
#
# A loss says how wrong a model is, not in which direction. The paper therefore also shows the distribution of
# predicted start times with each head ablated, over the intact model's in grey, and concludes that layers 1 to 3
# "closely resemble the baseline". Do they here? Images and weights are those of notebook 4.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own

# %%
# %matplotlib inline
from paper_utils import Run, interventions, plots

run = Run(profile, source, notebook="05_prediction_shift", backbone=backbone)
shift = interventions.PredictionShift.of(run.ablation())
shift.groups()

# %% [markdown]
# ## Figure 3: predicted start times
#
# One panel for each layer: the start times that are predicted without each of its heads, over the intact model's in
# grey. Look for L1H1 in the first panel, without which few chirps are predicted to start early or late.

# %%
run.show(plots.prediction_histograms(shift.baseline, shift.ablated, shift.weights), "figure_3")

# %% [markdown]
# ## How far apart are they?
#
# Two numbers for each head compare the distributions, as the histograms do: the Wasserstein distance (how far the
# predictions must be moved, in seconds) and the Kolmogorov-Smirnov statistic (the largest difference of the
# cumulative distributions, 0 to 1). The third, the mean shift of the single images' predictions, is not visible in
# histograms: predictions can change places and leave the histogram as it was.

# %%
run.show(plots.shift_maps(shift.maps()), "shifts")

# %% [markdown]
# The table gives means over the twelve heads of a layer. The last row is a measure for "closely resemble": two halves
# of the intact predictions, the median of 200 random splits.

# %%
shift.table()

# %% [markdown]
# The means of all layers lie far below the distance of two halves. At this number of images a histogram cannot show
# what the heads other than L1H1 do. The shift of the single images can:

# %%
shift.furthest()

# %% [markdown]
# After L1H1, heads of layers 8, 11 and 12 move the predictions furthest, by 0.5 to 0.7 s an image.
#
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
