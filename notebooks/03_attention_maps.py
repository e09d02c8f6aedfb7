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
# # 3 · What the heads attend to
#
# A head's attention matrix says which patches each patch looks at. The paper drops the CLS token, averages over the
# looking patches, scales the rest to 0..1 and lays it over the image. What does that show for the two heads that
# the paper singles out, layer 6 head 4 and layer 12 head 12?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils.attention import semantics
from paper_utils.attention.maps import head_name, sees_no_patch
from paper_utils.attention.scores import mean_scores
from paper_utils.pipeline import experiments
from paper_utils.pipeline.run import Run
from paper_utils.plots import images as figures

run = Run(profile, source, notebook="03_attention_maps", backbone=backbone)

# %% [markdown]
# ## Figure 1: the method

# %%
figure_1 = figures.flowchart()
run.save(figure_1, "figure_1")
figure_1

# %% [markdown]
# ## Maps of all 144 heads

# %%
model, _ = run.fine_tuned()
mapped = experiments.mapped_images(run, model)
maps = mapped.maps.patches
images, layers, heads, rows, columns = maps.shape
print(f"{images} images, {layers} layers, {heads} heads, maps of {rows} x {columns} patches")
alone = [head_name(*place) for place in np.argwhere(sees_no_patch(maps))]
print(f"heads that keep all their attention for CLS, so that their maps are flat: {', '.join(alone) or 'none'}")

# %% [markdown]
# Min-max scaling makes every map run from black to white, a nearly uniform one too. So it is worth knowing how much
# more than its average a head gives its favourite patch: 1 would be no preference at all.

# %%
contrast = (maps.max((-2, -1)) / maps.mean((-2, -1))).mean(0)
for layer in range(layers):
    print(f"layer {layer + 1:2}: the favourite patch gets {contrast[layer].mean():.1f} times the average")

# %%
scores = mean_scores(maps, mapped.coverage())
kinds, features = semantics.classify(scores)
for name, place in (("L6H4", (5, 3)), ("L12H12", (11, 11))):
    print(f"{name}: {semantics.describe(scores, kinds, features, place)}")

# %% [markdown]
# ## Figure 6: layer 6 head 4
#
# In the paper this head sees the chirp and nothing else. Heads of another backbone need not do what their namesakes
# do: what this one is by the rule of notebook 6, from its scores over all images, stands above.

# %%
figure_6 = figures.overlays(mapped.pixels[:5], maps[:5, 5, 3], [f"L6H4, image {number}" for number in range(1, 6)])
run.save(figure_6, "figure_6")
figure_6

# %% [markdown]
# ## Figure 7: layer 12 head 12
#
# In the paper this head is polysemantic: it spreads over several unrelated regions.

# %%
figure_7 = figures.overlays(
    mapped.pixels[:5], maps[:5, 11, 11], [f"L12H12, image {number}" for number in range(1, 6)]
)
run.save(figure_7, "figure_7")
figure_7

# %%
run.record(
    {"attention.contrast_first_layer": float(contrast[0].mean()), "attention.contrast": float(np.mean(contrast))}
)

# %% [markdown]
# Made with:

# %%
print(run.origin())
