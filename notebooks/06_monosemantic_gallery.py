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
# # 6 · A gallery of monosemantic heads
#
# The paper calls a head monosemantic when its map covers one thing only. Here the regions of each picture are known,
# so the same judgement can be made by rule, for all 144 heads, over many pictures.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils import figures, semantics
from paper_utils.attention import head_name
from paper_utils.runs import Run

run = Run(profile, source, notebook="06_monosemantic_gallery", backbone=backbone)
model, _ = run.fine_tuned()
mapped = run.mapped_pictures(model)

# %% [markdown]
# ## The rule
#
# A head *responds* to a feature if it gives the feature's patches at least 1.5 times its average attention. It is
# *monosemantic* for the one feature that takes at least 60 % of its bright patches (normalised map above one half),
# *polysemantic* if it responds to two or more features without that, and *unselective* otherwise. "Bright" is what
# an eye sees in an overlay, "responds" is measured on the raw attention, which an overlay hides.

# %%
patches = np.stack([semantics.feature_patches(regions) for regions in mapped.regions])
scores = semantics.score_heads(mapped.maps, patches)
kinds, features = semantics.classify(scores)
for kind in ("monosemantic", "polysemantic", "unselective"):
    print(f"{kind:13} {int((kinds == kind).sum()):4} heads")

# %%
print("layer  monosemantic heads")
for layer in range(len(kinds)):
    named = [f"H{head + 1} {features[layer, head]}" for head in np.flatnonzero(kinds[layer] == "monosemantic")]
    print(f"{layer + 1:5}  {', '.join(named) or '-'}")

# %% [markdown]
# ## Figure 5: heads that see the chirp
#
# The paper finds them in layers 4 and 6 to 11. Below are this model's monosemantic chirp heads by the rule above,
# the strongest first; where there is none, the heads that come closest, and the caption says so.

# %%
chirp = list(semantics.FEATURES).index("chirp")
is_chirp = (kinds == "monosemantic") & (features == "chirp")
chosen = semantics.strongest(scores.bright_share[chirp], is_chirp, count=10)
figure_5 = figures.gallery(
    mapped.pixels,
    mapped.maps,
    chosen,
    [
        f"{head_name(layer, head)}, chirp {100 * scores.bright_share[chirp, layer, head]:.0f} %"
        + ("" if is_chirp[layer, head] else " (below the rule)")
        for layer, head in chosen
    ],
)
run.save(figure_5, "figure_5")
figure_5

# %%
layers = sorted({int(layer) + 1 for layer in np.nonzero(is_chirp)[0]})
print(f"{int(is_chirp.sum())} monosemantic chirp heads, in layers {layers}")

# %% [markdown]
# ## Figure 8: early heads that see something else
#
# Layers 1 to 4, by the rule, for features that say nothing about the chirp.

# %%
early = (kinds == "monosemantic") & (features != "chirp") & (np.arange(len(kinds)) < 4)[:, None]
distractor = np.where(scores.enrichment >= semantics.Rule().enrichment, scores.bright_share, 0)
distractor[chirp] = 0
best = distractor.argmax(0)
chosen = semantics.strongest(np.where((np.arange(len(kinds)) < 4)[:, None], distractor.max(0), -1), early, count=15)
names = list(semantics.FEATURES)
figure_8 = figures.gallery(
    mapped.pixels,
    mapped.maps,
    chosen,
    [
        f"{head_name(layer, head)}, {names[best[layer, head]]} {100 * distractor.max(0)[layer, head]:.0f} %"
        + ("" if early[layer, head] else " (below)")
        for layer, head in chosen
    ],
)
run.save(figure_8, "figure_8")
figure_8

# %% [markdown]
# ## The heads that the paper names
#
# Another backbone has no reason to give the same head the same job. Side by side, what the paper says of each named
# head and what it does here.

# %%
print("head    the paper                              here")
for named in run.published_heads():
    place = named["layer"] - 1, named["head"] - 1
    kind = kinds[place] + (f" for the {features[place]}" if features[place] else "")
    print(f"{head_name(*place):7} {named['said_to_see']:38} {kind}")

# %%
figure_named = figures.overlays(
    np.repeat(mapped.pixels[:1], len(run.published_heads()), axis=0),
    np.stack([mapped.maps[0, named["layer"] - 1, named["head"] - 1] for named in run.published_heads()]),
    [f"L{named['layer']}H{named['head']}: {named['said_to_see']}" for named in run.published_heads()],
    columns=4,
)
run.save(figure_named, "named_heads")
figure_named

# %% [markdown]
# In the reference run the chirp heads lie in the deeper half of the network, as in the paper, and reach into layer 12,
# where the paper finds none. The early heads that see one thing see the colour bar or an edge. One named head, L1H5,
# sees the colour bar as its namesake does; with six early colour-bar heads among 48 that is no surprise. The others
# do something else: that is a matter of the backbone, not of the method.

# %%
results = {
    f"semantics.{kind}_heads": int((kinds == kind).sum()) for kind in ("monosemantic", "polysemantic", "unselective")
}
results |= {"semantics.chirp_heads": int(is_chirp.sum()), "semantics.early_distractor_heads": int(early.sum())}
run.record(results)

# %% [markdown]
# Made with:

# %%
print(run.origin())
