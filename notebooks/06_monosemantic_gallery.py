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
# The paper calls a head monosemantic when its map covers one thing only, judged by eye. Here the regions of each
# image are known, so the same judgement can be made by rule, for all 144 heads, over many images. And because the
# images can be drawn again without a title or with the colour bar elsewhere, it can be asked what an overlay never
# tells: does the head see the thing, or the place where the thing always is? And does the model need it?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "fresh" computes everything from seeds
backbone = None  # the profile's own

# %%
# %matplotlib inline
import numpy as np

from paper_utils import statistics
from paper_utils.attention import controls as nulls
from paper_utils.attention import scores as region_scores
from paper_utils.attention import semantics
from paper_utils.attention.maps import head_name
from paper_utils.claims import metrics as findings
from paper_utils.claims import published
from paper_utils.data.chirps import TARGETS
from paper_utils.data.counterfactuals import VARIANTS
from paper_utils.interventions import ablation, patching
from paper_utils.pipeline import experiments
from paper_utils.pipeline.run import Run
from paper_utils.plots import attention as attention_figures
from paper_utils.plots import explorer
from paper_utils.plots import images as figures

run = Run(profile, source, notebook="06_monosemantic_gallery", backbone=backbone)
model, _ = run.fine_tuned()
mapped = experiments.mapped_images(run, model)
maps, names = mapped.maps.patches, list(region_scores.FEATURES)
chirp = names.index("chirp")

# %% [markdown]
# ## How much a map has to do with a region
#
# Six scores, each from raw attention (an overlay's min-max scaling hides how little there may be) and image by
# image. Half of the patches hold more than one region, so no map scores perfectly: beside each head's score stands
# the highest that any map could reach, and what shuffled maps get.

# %%
coverage = mapped.coverage()
scored = region_scores.score_with_intervals(maps, coverage)
scores = scored.means
best, chance = region_scores.best_reachable(coverage), region_scores.by_chance(maps, coverage)
for name, says in region_scores.SCORES.items():
    print(f"{name}: {says}")
print()
print("the chirp          best head                        reachable   by chance")
for name in region_scores.SCORES:
    place = np.unravel_index(np.nanargmax(scores[name][chirp]), scores[name][chirp].shape)
    value, low, high = (ends[name][chirp][place] for ends in (scores, scored.low, scored.high))
    line = f"{head_name(*place):7} {value:5.2f} ({low:.2f} to {high:.2f})"
    print(f"{name:18} {line:30} {best[name][chirp]:9.2f} {chance[name][chirp]:11.2f}")

# %% [markdown]
# ## The rule
#
# A head *responds* to a feature if it gives the feature's patches at least 1.5 times its average attention. It is
# *monosemantic* for the one feature that takes at least 60 % of its bright patches (normalised map above one half),
# *polysemantic* if it responds to two or more features without that, and *unselective* otherwise. "Bright" is what
# an eye sees in an overlay, "responds" is measured on the raw attention, which an overlay hides.

# %%
kinds, features = semantics.classify(scores)
is_chirp = (kinds == "monosemantic") & (features == "chirp")
print("layer  monosemantic heads")
for layer in range(len(kinds)):
    found = [f"H{head + 1} {features[layer, head]}" for head in np.flatnonzero(kinds[layer] == "monosemantic")]
    print(f"{layer + 1:5}  {', '.join(found) or '-'}")

# %% [markdown]
# How much hangs on the thresholds, and how many heads does the rule name where no fine-tuning put them: in the backbone
# before it, and in a model with random weights?

# %%
rules = [semantics.Rule(a, b) for a, b in ((1.5, 0.6), (1.2, 0.6), (2, 0.6), (1.5, 0.5), (1.5, 0.7), (1.5, 0.8))]
print("rule (enrichment, bright share)  " + "  ".join(semantics.KINDS))
for rule, counts in zip(rules, semantics.sensitivity(scores, rules), strict=True):
    line = "".join(f"{counts[kind]:14}" for kind in semantics.KINDS)
    print(f"{rule.enrichment:4} {rule.bright_share:5}                   {line}")
for name, other in experiments.controls(run, model).items():
    other_scores = region_scores.mean_scores(experiments.mapped_images(run, other).maps.patches, coverage)
    other_kinds, other_features = semantics.classify(other_scores)
    line = "".join(f"{int((other_kinds == kind).sum()):14}" for kind in semantics.KINDS)
    print(f"{name:29}{line}   for the chirp: {int((other_features == 'chirp').sum())}")

# %% [markdown]
# ## Figure 5: heads that see the chirp
#
# The paper finds them in layers 4 and 6 to 11. Below are this model's monosemantic chirp heads by the rule above,
# the strongest first, with the share of their bright patches that the chirp takes; where there is none, the heads that
# come closest, and the caption says so.

# %%
chosen = semantics.strongest(scores["bright_share"][chirp], is_chirp, count=10)
captions = [
    f"{head_name(*place)}, chirp {100 * scores['bright_share'][chirp, *place]:.0f} %"
    + ("" if is_chirp[place] else " (below the rule)")
    for place in chosen
]
figure_5 = figures.gallery(mapped.pixels, maps, chosen, captions)
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
in_early_layers = np.broadcast_to((np.arange(len(kinds)) < 4)[:, None], kinds.shape)
early = (kinds == "monosemantic") & (features != "chirp") & in_early_layers
chosen = semantics.strongest(scores["bright_share"].max(0) * in_early_layers, early, count=15)
captions = [f"{head_name(*place)}\n{semantics.describe(scores, kinds, features, place)}" for place in chosen]
figure_8 = figures.gallery(mapped.pixels, maps, chosen, captions)
run.save(figure_8, "figure_8")
figure_8

# %% [markdown]
# ## The heads that the paper names
#
# Another backbone has no reason to give the same head the same job. Side by side, what the paper says of each named
# head and what it is here.

# %%
print("head    the paper                              here")
named_heads = published.heads()
for named in named_heads:
    place = named["layer"] - 1, named["head"] - 1
    print(f"{head_name(*place):7} {named['said_to_see']:38} {semantics.describe(scores, kinds, features, place)}")

# %%
figure_named = figures.overlays(
    np.repeat(mapped.pixels[:1], len(named_heads), axis=0),
    np.stack([maps[0, named["layer"] - 1, named["head"] - 1] for named in named_heads]),
    [f"L{named['layer']}H{named['head']}: {named['said_to_see']}" for named in named_heads],
    columns=4,
)
run.save(figure_named, "named_heads")
figure_named

# %% [markdown]
# ## All 144 heads
#
# Each cell is a head's mean map over the images, its frame what the head is.

# %%
atlas = attention_figures.atlas(maps.mean(0), kinds, features)
run.save(atlas, "atlas")
atlas

# %%
depth = attention_figures.kinds_by_layer(kinds, is_chirp)
run.save(depth, "kinds_by_layer")
depth

# %% [markdown]
# The same from the regions' side, and from the CLS token's: what it attends to in the last layers is what reaches the
# prediction. Purple is less than the head's average, orange more.

# %%
from_cls = region_scores.score_with_intervals(mapped.maps.cls, coverage)
cls_enrichment = from_cls.means["enrichment"]
matrix = attention_figures.region_matrix(scores["enrichment"], names)
run.save(matrix, "region_matrix")
matrix

# %%
cls_matrix = attention_figures.region_matrix(cls_enrichment, names)
run.save(cls_matrix, "region_matrix_cls")
cls_matrix

# %%
print("layer   chirp, all queries   chirp, from CLS   alike in all images   longest token")
constancy = semantics.constancy(maps)
norms = mapped.maps.norms
longest = (norms.max((-2, -1)) / np.median(norms, axis=(-2, -1))).mean(0)
for layer in range(len(kinds)):
    own, cls = scores["enrichment"][chirp, layer].mean(), cls_enrichment[chirp, layer].mean()
    alike = f"{int((constancy[layer] > 0.9).sum())} of {kinds.shape[1]} heads"
    print(f"{layer + 1:5} {own:16.1f}x {cls:16.1f}x {alike:>22} {longest[layer]:14.1f}x")

# %% [markdown]
# Two artefacts to know of. Heads whose maps of two images correlate above 0.9 look at the same patches whatever is
# shown: a habit, or a sink for attention that has nowhere to go. And in large models a few patches of no interest grow
# very long vectors that attract attention (registers, Darcet et al. 2024): the last column is the longest patch token's
# length over the median, which would be ten and more.
#
# ## The thing or its place?
#
# Each head that responds to a feature is confronted with images in which that feature is elsewhere or gone: the title
# removed, the colour bar on the left, all moved up a patch; for the chirp, with another image. The excess of
# attention that stays where the feature was is a habit of place; what leaves was for the thing itself.

# %%
variants = {name: experiments.mapped_images(run, model, variant=name) for name in nulls.VARIANTS_NEEDED}
variants["published"] = mapped
driven = nulls.compare_with_controls(
    {name: drawn.maps.patches for name, drawn in variants.items()},
    {name: drawn.coverage() for name, drawn in variants.items()},
)
print("feature                    confronted with            content  place  mixed   heads that respond")
for (feature, null), found in driven.items():
    counts = [int((found.drive == drive).sum()) for drive in nulls.DRIVES[:3]]
    says = VARIANTS[null].says if null in VARIANTS else null
    print(f"{feature:26} {says:26} {counts[0]:7} {counts[1]:6} {counts[2]:6} {sum(counts):8}")

# %% [markdown]
# The monosemantic heads, each confronted about the one thing that the rule says it sees:

# %%
monosemantic = list(zip(*np.nonzero(kinds == "monosemantic"), strict=True))
first_null = {place: driven[features[place], nulls.CONTROLS[features[place]][0]] for place in monosemantic}
stays, low, high = (
    np.array([getattr(first_null[place], part)[place] for place in monosemantic])
    for part in ("stays", "stays_low", "stays_high")
)
drives = [str(first_null[place].drive[place]) for place in monosemantic]
labels = [f"{head_name(*place)} {features[place]}" for place in monosemantic]
driven_figure = attention_figures.driven_heads(stays, low, high, labels, drives)
run.save(driven_figure, "driven_heads")
driven_figure

# %% [markdown]
# ## Do the heads that look at the chirp matter?
#
# A head's attention on the chirp against the loss that its ablation brings (notebook 4).

# %%
ablated = experiments.ablation(run, model)
increase = experiments.increase(ablated)
rank, rank_low, rank_high = statistics.rank_correlation_interval(scores["enrichment"][chirp], increase)
relation = f"rank correlation {rank:.2f} ({rank_low:.2f} to {rank_high:.2f})"
score_figure = attention_figures.score_and_effect(scores["enrichment"][chirp], increase, is_chirp, relation)
run.save(score_figure, "score_and_effect")
score_figure

# %%
cls_rank, cls_low, cls_high = statistics.rank_correlation_interval(cls_enrichment[chirp], increase)
print(f"from the CLS query: rank correlation {cls_rank:.2f} ({cls_low:.2f} to {cls_high:.2f})")
print("within layers: ", end="")
for layer in range(len(kinds)):
    inside = statistics.rank_correlation_interval(scores["enrichment"][chirp, layer], increase[layer])
    print(
        f"{layer + 1}: {inside[0]:.1f} ({inside[1]:.1f} to {inside[2]:.1f})",
        end=", " if layer + 1 < len(kinds) else "\n",
    )
upper = np.quantile(increase, 0.9)
idle = is_chirp & (np.abs(increase) < np.median(np.abs(increase)))
silent = (increase >= upper) & (scores["enrichment"][chirp] < 1)
print(
    "chirp heads with an effect below the median:",
    ", ".join(head_name(*place) for place in np.argwhere(idle)) or "none",
)
print(
    "heads among the most important tenth that avoid the chirp:",
    ", ".join(head_name(*place) for place in np.argwhere(silent)) or "none",
)

# %% [markdown]
# ## Does the model use the rest of the image?
#
# The same images, with one thing changed: how far do predictions move? The intact model's own error is the yardstick.

# %%
predictions = experiments.variant_predictions(run, model)
labels_of_varied, reference = predictions.pop("labels"), predictions["published"]
others = [name for name in VARIANTS if name != "published"]
moves = np.abs(np.stack([predictions[name] for name in others]) - reference)
moves_low, moves_high = statistics.mean_intervals(moves.swapaxes(0, 1))
units = [f"{target.replace('_', ' ')} ({unit})" for target, unit in zip(TARGETS, ("s", "Hz", "Hz"), strict=True)]
shift_figure = attention_figures.shifts(
    moves.mean(1), moves_low, moves_high, [VARIANTS[name].says for name in others], units
)
run.save(shift_figure, "variant_shifts")
shift_figure

# %%
error = np.abs(reference - labels_of_varied).mean(0)
print(f"the model's own mean error: {error[0]:.2f} s, {error[1]:.2f} Hz, {error[2]:.2f} Hz")

# %% [markdown]
# ## Where does it come in?
#
# Activation patching: what a head puts out for the clean image replaces what it puts out for the distorted one. How
# much of the way back to the clean prediction is that? Once with the chirp itself taken away (which heads carry it?),
# once with everything but the spectrogram added (through which heads do distractors act?). Beside it, all heads of a
# layer.

# %%
patched = experiments.patching(run, model)
unit = model.label_std.numpy()
by_head, by_layer = {}, {}
for name in experiments.PATCHED:
    ends = patched[f"{name} clean"], patched[f"{name} distorted"], unit
    by_head[name], head_low, head_high = patching.recovery(patched[f"{name} heads"], *ends)
    by_layer[name], layer_low, layer_high = patching.recovery(patched[f"{name} layers"], *ends)
    first, top = np.unravel_index(by_head[name].argmax(), increase.shape), int(by_layer[name].argmax())
    best = f"{by_head[name][first]:.0f} % ({head_low[first]:.0f} to {head_high[first]:.0f})"
    print(f"{name}: most by {head_name(*first)}, {best};", end=" ")
    print(f"by layer {top + 1}, {by_layer[name][top]:.0f} % ({layer_low[top]:.0f} to {layer_high[top]:.0f})")
recovered = attention_figures.recovered(by_head, by_layer)
run.save(recovered, "recovered")
recovered

# %% [markdown]
# ## Look for yourself
#
# All of this, head by head, in one page that opens from disk: `figures/laptop/explorer.html`. Beside it,
# `head_scores.csv` holds every score of every head and region, in both views, with its interval.

# %%
errors, intact = (ablation.squared_errors(part, ablated) for part in (ablated.ablated, ablated.baseline))
effects = statistics.head_effects(errors, intact)
views = {"patches": scored, "cls": from_cls}
known = explorer.Heads(kinds, features, views, effects, driven)
shown = slice(6)
page = explorer.explorer_page(
    mapped.pixels[shown],
    [
        f"{one.kind}, {one.start_time:.0f} s, {one.start_frequency:.0f} to {one.end_frequency:.0f} Hz"
        for one in mapped.chirps[shown]
    ],
    mapped.maps.of(shown),
    known,
    origin=run.origin(),
    says={name: variant.says for name, variant in VARIANTS.items()},
)
run.save_page(page, "explorer")
run.save_table(region_scores.score_table(views), "head_scores")
print(f"{len(known.kinds.ravel())} heads, {len(page) / 2**20:.1f} MiB")

# %% [markdown]
# In the reference run 37 heads are monosemantic for the chirp, in layers 6 to 12: in the deeper half, as in the paper,
# and in layer 12, where it finds none. Before fine-tuning there are 36: the backbone was trained to find strokes, and
# brings them along; random weights give none. All monosemantic heads but one (L3H3) see the thing and not its place;
# habits of place are found among heads that respond to corners and, in part, to the title. Attention to the chirp tells
# little of which heads matter: some chirp heads do little or nothing, and some of the most important avoid it (L4H2, L6H6).
# Title, labels and numbers hardly move the predictions (less than the model's own error); moving the plot does, by seconds:
# the model reads where the chirp lies in the image, not what the axis says. One head, L8H4, brings back a quarter of
# what the chirp contributes, and its ablation costs more than that of any other but L1H1. By the rule it is a head for the
# left edge: where a map is bright, and what reaches the prediction, are two things.

# %%
results = findings.attention_metrics(scores, kinds, features)
results |= {f"semantics.monosemantic_by_{drive}": drives.count(drive) for drive in nulls.DRIVES[:3]}
results |= {
    "semantics.chirp_and_effect.rank_correlation": rank,
    "semantics.chirp_and_effect.rank_correlation_low": rank_low,
    "semantics.chirp_and_effect.rank_correlation_high": rank_high,
}
for name, move in zip(others, moves.mean(1), strict=True):
    results[f"causal.{name}.mean_shift_of_start_time_seconds"] = float(move[0])
run.record(results)

# %% [markdown]
# Made with:

# %%
print(run.origin())
