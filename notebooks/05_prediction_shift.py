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
# A loss says how wrong a model is, not in which direction. The paper therefore also shows the distribution of
# predicted start times with each head ablated, over the intact model's in grey, and reads off it that layers 1 to 3
# "closely resemble the baseline". Do they here? Images are those of notebook 4, with their weights.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils.attention.maps import head_name
from paper_utils.claims import metrics as findings
from paper_utils.pipeline import experiments
from paper_utils.pipeline.run import Run
from paper_utils.plots import ablation as ablation_figures
from paper_utils.plots import images as figures

run = Run(profile, source, notebook="05_prediction_shift", backbone=backbone)
model, _ = run.fine_tuned()
result = experiments.ablation(run, model)
baseline, ablated, weights = result.baseline[:, 0], result.ablated[..., 0], result.weights

# %% [markdown]
# ## Figure 3: predicted start times

# %%
figure_3 = figures.prediction_histograms(baseline, ablated, weights)
run.save(figure_3, "figure_3")
figure_3

# %% [markdown]
# ## How far apart are they?
#
# Three numbers for each head: the Wasserstein distance between the two distributions (how far the mass must be moved,
# in seconds) and the Kolmogorov-Smirnov statistic (their largest difference, 0 to 1), which is what the histograms
# show, and the mean shift of the single images' predictions, which the histograms hide: predictions can swap places
# and leave the histogram as it was. As a yardstick for "closely resemble": two halves of the intact predictions, the
# median of 200 random splits.

# %%
shifts = findings.head_shifts(baseline, ablated, weights)
distance, largest, shift = shifts.values()
titles = ("Wasserstein distance (s)", "Kolmogorov-Smirnov", "mean shift of a image (s)")
shift_figure = ablation_figures.shift_maps(dict(zip(titles, shifts.values(), strict=True)))
run.save(shift_figure, "shifts")
shift_figure

# %%
print("layer   distance (s)   KS   mean shift (s)")
for layer in range(len(distance)):
    print(f"{layer + 1:5} {distance[layer].mean():14.2f} {largest[layer].mean():6.2f} {shift[layer].mean():14.2f}")
yardstick = findings.two_halves(baseline, weights)
print(f"two halves of the intact predictions: distance {yardstick[0]:.2f} s, KS {yardstick[1]:.2f}")

# %% [markdown]
# The head that moves predictions furthest:

# %%
layer, head = np.unravel_index(shift.argmax(), shift.shape)
print(f"{head_name(layer, head)}: {shift[layer, head]:.2f} s a image, distance {distance[layer, head]:.2f} s")
ratio = shift[3:].mean() / shift[:3].mean()
print(f"layers 4 to 12 shift predictions {ratio:.1f} times as far as layers 1 to 3")

# %% [markdown]
# In the reference run one histogram stands out: without L1H1, whose output is a constant (notebook 4), few chirps are
# said to start early or late. It alone is further from the baseline than two halves of that are from each other; all
# others are nearer: at this many images a histogram cannot show what they do. The shift of single images can, and
# there some heads of layers 8, 11 and 12 move predictions furthest after L1H1.

# %%
run.record(findings.shift_metrics(baseline, ablated, weights))

# %% [markdown]
# Made with:

# %%
print(run.origin())
