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
# # 4b · Other ways to take a head away
#
# **In short.** What L1H1 puts out is a constant: replaced by its mean over other images, instead of its value bias, it
# has no effect that 128 images can show (0.11 %, -0.10 to 0.42), and layers 1 to 3 then matter less than the others
# with no head left out (0.07 % against 0.75 %, 2,048 images). A linearised model ranks heads nearly as the exact sweep
# does. 30 of the 36 early heads can be removed at once (the loss is 1.06 times as large, 0.98 to 1.20, 128 images); all
# 36 only if each puts out its mean.
#
# Notebook 4 ablates one head at a time, as the paper describes it. What changes if "ablated" means something else, if
# effects are estimated, or if several heads go at once?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, interventions, plots

run = Run(profile, source, notebook="04b_other_ablations", backbone=backbone, pixels=pixels)

# %% [markdown]
# ## What else could "ablated" mean?
#
# With its weights at zero and its biases kept, a head puts out its value bias for every image. Others set its output
# to zero, to its mean over images, or to its output for another image. The same images with each, against the
# described one; the mean is taken over 128 further images that are not scored:

# %%
replacements = interventions.ReplacementEffects.of(run.replacements(), run.ablation().intact)
run.show(plots.effect_scatter(replacements.zero_qkv, replacements.by_title(), exact_name="value bias"), "replacements")

# %%
replacements.table()

# %% [markdown]
# Value bias and zero have nearly the same effects except in layer 1. With its mean over other images in place of its
# output, L1H1 has no effect that these images can show (0.11 %, -0.10 to 0.42): it contributes a constant, and the
# described ablation measures the distance of that constant from its value bias, not what the head extracts from an
# image. By the mean the paper's order holds with no head left out: 0.07 % (-0.02 to 0.16) in layers 1 to 3 against 0.75
# % (0.56 to 0.94) in layers 4 to 12, and 2 of the 36 early heads have a significant effect.
#
# ## Could it be had for less?
#
# An exact sweep costs as much as seventy forward passes. Attribution patching linearises the model: one forward and
# three backward passes estimate the effects of all heads. With linearised outputs, the loss is computed exactly from
# them. The two usual estimates linearise the loss itself: with its sign (gradient times output), and as the mean of
# absolute values (Michel et al. 2019). Estimates can choose which heads to ablate. They cannot show that a head has
# no effect.

# %%
ablation = run.ablation()
estimates = interventions.AttributionEstimates.of(ablation.linearised_few())
exact = ablation.exact_increase()
run.show(plots.effect_scatter(exact, estimates.by_title(), exact_name="exact"), "screening")

# %%
estimates.table(exact)

# %% [markdown]
# On the same 128 images, linearised outputs rank the heads nearly as the exact sweep does. The linearised loss does
# not.
#
# ## Could heads be removed?
#
# The paper suggests that the number of early heads could be reduced to save computation. Here heads are removed
# together, without further training: the least important of layers 1 to 3, whole blocks of layers, and all heads by
# importance, by layer or at random. A removed head puts out its value bias, or its mean over other images. The order
# follows first-order effects on images that are not scored; the loss is that of the 128 exact images, weighted.

# %%
removals = interventions.Removals.of(run.removals())
run.show(plots.removal_curves(removals), "removal")

# %%
removals.table()

# %% [markdown]
# If early heads stand in for each other, they matter little one by one and more together. The table compares both for
# all early heads but the most important one, and for heads drawn at random from all layers, without the most important
# one of all.

# %%
interventions.redundancy_table(run.removals(), run.ablation().exact)

# %% [markdown]
# Together the early heads raise the loss by 29.6 % (12.4 to 49.5), and their single effects add up to 10.6 % (-7.1 to
# 28.3). But as many heads at random do more together, too, L1H1 not among them: 52.5 % (28.7 to 83.0) against 29.1 %
# (14.3 to 45.9). That damage does more than add up is therefore no sign that early heads in particular stand in for
# each other.
#
# 30 of the 36 early heads can be removed at once: the loss is 1.06 times as large (0.98 to 1.20, 128 images). With the
# other five gone too, all but L1H1, it is 1.30 times as large (1.14 to 1.52). With all 36 gone it is 2.7 times as large
# (2.2 to 3.6), where they put out their value bias, and 1.03 times (0.98 to 1.12) where they put out their mean.
# Without L1H1 alone it was nine times as large. So the effect of L1H1 says that its value bias, where its constant was,
# leads the later layers astray, and not how much it reads off the image. Layers 4 to 6 can be replaced by their means
# as well, layers 10 to 12 cannot.

# %% [markdown]
# The stored predictions of notebook 4 belong to the stored model: the head that matters most is ablated again, on eight
# of the images.

# %%
interventions.StoredAblationCheck.of(run.model(), ablation.exact, pool=run.arrays("pool"), draw=run.images).table()

# %% [markdown]
# > **What to believe.** An effect of zeroed weights measures the distance of a head's output from its value bias, not
# > what it reads off the image; mean replacement comes nearer to that. That heads do more together than their effects
# > add up to holds of heads at random, too, and says nothing about early ones.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
