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
# # 5 · Where predictions go without a head
#
# **In short.** Without L1H1 the predicted start times move by 5.9 s on average (95 % interval 4.5 to 7.8 s, 2,048
# images), so that not all early heads "closely resemble the baseline", as the paper says. Without any other head of
# layers 1 to 3 they move by 0.36 s at most (the interval ends at 0.41), less than a bin of the spectrogram. 21 of the
# 36 early heads move them by less than 0.13 s even at the upper end of the interval, and so do 47 of the 108 later
# ones. Leaving out L1H1, early heads move predictions less than later ones.
#
# A loss says how wrong a model is, not in which direction. The paper therefore also shows the distribution of predicted
# start times with each head ablated, over the intact model's in grey, and concludes that layers 1 to 3 "closely
# resemble the baseline". Do they here? Distributions and shifts are estimated for all held-out images, as in notebook 4:
# 2,048 of them, weighted, 128 of these ablated exactly and all to first order (control variates).

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, interventions, plots

run = Run(profile, source, notebook="05_prediction_shift", backbone=backbone, pixels=pixels)
ablation = run.ablation()
shift = interventions.PredictionShift.of(ablation)
shift.groups()

# %% [markdown]
# ## Figure 3: predicted start times
#
# The paper shows a panel of histograms for each layer. Twelve of them cannot be told from each other, so that this
# figure shows what differs, a row for each head: how far the quantiles of the predicted start times move without it.
# White is the intact model; the mean of a row, up or down, is the Wasserstein distance below. Look for L1H1 in the first
# row, without which early starts are predicted later and late ones earlier. Single cells of colour are chance: the start
# times around them rest on few exact images.

# %%
run.show(plots.prediction_distributions(shift.start_times.quantiles(), shift.start_times.moved()), "figure_3")

# %% [markdown]
# <!-- figure_3 -->
# | the paper says | published | here, embedded | here, photographs |
# | --- | --- | --- | --- |
# | start times predicted without a head of layers 1 to 3 are distributed as before: mean shift of an image without the head that shifts most, which bounds the Wasserstein distance of every head | alike | **not reproduced**: mean of 3 seeds: 52.2 % of the labels' SD (32.5 to 73.7), 2,048 images | **not reproduced**: 4.85 % of the labels' SD (3.62 to 6.78), 1,024 images |
# <!-- /figure_3 -->

# %% [markdown]
# ## How far apart are they?
#
# Two numbers for each head compare the distributions, as the figure does: the Wasserstein distance (how far the
# predictions must be moved, in seconds) and the Kolmogorov-Smirnov statistic (the largest difference of the
# cumulative distributions, 0 to 1). The third, the mean shift of the single images' predictions, is not visible in
# distributions: predictions can change places and leave the distribution as it was.

# %%
run.show(plots.shift_maps(shift.maps()), "shifts")

# %% [markdown]
# ## Which heads leave predictions as they are?
#
# That two histograms look alike does not show that a head does nothing: with few images all look alike. The mean shift
# of the single images bounds the Wasserstein distance, since moving each prediction to where it goes is one way to
# turn one distribution into the other. A head counts as equivalent if the upper end of its shift's 95 % interval is
# below one hundredth of the standard deviation of start times, 0.13 s. More images make the interval narrower and leave
# the limit where it is.

# %%
held = shift.equivalence
run.show(plots.shift_bounds(held.mean, held.low, held.high, margin=held.margin), "shift_bounds")

# %% [markdown]
# The table gives means over the twelve heads of a layer. Its last row compares two halves of the intact predictions,
# the median of 200 random splits: so much distributions of 1,024 other images differ by chance.

# %%
shift.table()

# %%
shift.furthest()

# %% [markdown]
# After L1H1, heads of layers 8, 11 and 12 move the predictions furthest, by 0.5 to 0.7 s an image.
#
# ## Target by target
#
# Start times are one target of three, over which the loss is the mean, and a head may serve one of them alone. The figure
# shows the increase of each target's own loss without each head.

# %%
effects = interventions.AblationEffects.of(ablation)
targets = effects.by_target
run.show(plots.effects_by_target(targets.increase, targets.names), "effects_by_target")

# %%
targets.table()

# %% [markdown]
# Heads that matter for one target mostly matter for the others too, more so between the two frequencies. Spearman's
# rank correlation over the 144 heads, each measured on the 2,048 images:

# %%
targets.rank_correlations()

# %% [markdown]
# The root mean squared error of each target, intact and without the head that matters most:

# %%
effects.errors()

# %% [markdown]
# > **What to believe.** Fewer than half of the heads, 68 of 144, can go one at a time without moving the start times by
# > more than 0.13 s on average (2,048 images); on the backbone of photographs none of 72 can (1,024). Distributions hide
# > that, since moves up and down cancel: look at the shift image by image.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
