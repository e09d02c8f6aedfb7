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
# **In short.** By a rule applied to known regions over 48 test images, 53 of the 144 heads are monosemantic, 39 of them
# for the chirp, in layers 6 to 12; 24 of the 53, and 21 of the 39, respond to nothing else. Before fine-tuning, the chirp
# heads are 36; with shuffled weights, none. All 39 are content-driven: their attention leaves when the chirp is
# elsewhere, and when it is gone. Attention on the chirp says little about
# the effect of ablating a head: the rank correlation over 144 heads is 0.19 (95 % interval 0.02 to 0.36). Moving the
# plot by a patch moves the predicted start time by 5.8 s (5.6 to 6.0, 128 images); removing the title moves it by
# 0.35 s (0.20 to 0.57), less than the model's mean error of 1.3 s.
#
# The paper calls a head monosemantic when its map covers one thing only, judged by eye. Here the regions of each image
# are known, so that the judgement can follow a rule. Images can also be drawn again without a title, or with the colour
# bar elsewhere. That answers two more questions: does the attention of a head follow an element or stay at a position,
# and do the predictions depend on that element?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, attention, claims, interventions, plots

run = Run(profile, source, notebook="06_monosemantic_gallery", backbone=backbone, pixels=pixels)

# %% [markdown]
# ## Scores of a map on a region
#
# Six scores compare a head's raw attention with a region, image by image, and are averaged over the images that hold
# the region. Half of the patches hold more than one region, so that no map has a perfect score. The table gives the
# best head on the chirp, with its 95 % interval (bootstrap over images), the best score that any map could have, and
# the score of maps whose patches are shuffled.

# %%
mapped = run.mapped()
scores = attention.score_regions(mapped)
scores.table("chirp")

# %% [markdown]
# On all scores but soft IoU (0.25 of 0.38) the best head reaches four fifths or more of the best possible score.
# Shuffled maps score as chance would.
#
# ## The rule
#
# A head *responds* to a feature if its attention on the feature's patches is at least 1.5 times its mean attention
# (enrichment). It is *monosemantic* for a feature that takes at least 60 % of its bright patches (normalised map above
# one half), *polysemantic* if it responds to two or more features without that, and *unselective* otherwise. Bright
# patches are what an eye sees in an overlay; enrichment is measured on the raw attention. A head's feature is chosen by
# every other image and scored on the rest.
#
# By this rule a monosemantic head may respond to a second feature too. It is *strictly* monosemantic if it responds to
# none, where only patches count that hold nothing of its own feature.

# %%
heads = attention.classify_heads(mapped)
heads.table()

# %% [markdown]
# Monosemantic heads of layers 2 to 5 respond to the title, an edge, a corner or the colour bar; from layer 6 on most respond to
# the chirp.
#
# How much depends on the two thresholds, and how many heads does the rule name in models that this fine-tuning did not
# make? Each weight matrix of the model is shuffled, or those of queries and keys alone, in three draws; a map that is
# shuffled is as uneven as before, but of no place.

# %%
heads.thresholds(run.mapped_controls())

# %% [markdown]
# The number of chirp heads stays between 33 and 41 under these thresholds. Before fine-tuning it is 36: the backbone was
# pre-trained on strokes whose ends it had to name. Fine-tuning is therefore not the origin of these heads. With shuffled
# weights the rule still names 6 to 22 heads, none of them for the chirp; with shuffled maps it names none. So a count of
# heads for edges, corners and the like means less than one of chirp heads. About half of the chirp heads respond to
# nothing else.
#
# ## Figure 5: heads that respond to the chirp
#
# The paper finds them in layers 4 and 6 to 11. The figure shows this model's strongest, each over one of five test
# images, with the share of its bright patches that the chirp takes.

# %%
run.show(plots.gallery(**heads.chirp_gallery()), "figure_5")

# %% [markdown]
# The 39 chirp heads lie in layers 6 to 12: in the deeper half, as in the paper, and also in layer 12, where the paper
# finds none.
#
# ## Figure 8: early heads that respond to something else
#
# Layers 1 to 4, by the same rule, for features that carry no information about the chirp.

# %%
run.show(plots.gallery(**heads.early_gallery()), "figure_8")

# %% [markdown]
# Four heads of layers 2 and 4, for the bottom edge, the colour bar and an outer corner, three of them strictly. The paper
# shows more of them, and some in layer 1.
#
# ## The heads that the paper names
#
# Another backbone has no reason to give the same head the same function. The table has what the paper says of each
# head it names, beside what the head of that name responds to here.

# %%
heads.compare_named(claims.heads())

# %%
run.show(plots.overlays(**heads.named_overlays(claims.heads())), "named_heads")

# %% [markdown]
# The maps of these heads on the first test image, each under the paper's description. Only L12H12 matches it: both are
# polysemantic. L4H2 and L4H3, for the lower and the upper half of the colour bar in the paper, attend to neither half here.
#
# ## All 144 heads
#
# Each panel is a head's mean map over the 48 images; the colour of its frame says what the head responds to.

# %%
run.show(plots.atlas(heads.mean_maps, heads.kinds, heads.features), "atlas")

# %%
run.show(plots.kinds_by_layer(heads.kinds, heads.is_chirp), "kinds_by_layer")

# %% [markdown]
# The next two figures show the attention of every head on every region over the head's mean attention: first averaged
# over query patches, then of the CLS query, whose output in the last layer is what the prediction is computed from.
# Purple is less than the mean, orange more.

# %%
run.show(plots.region_matrix(scores.enrichment, attention.FEATURES), "region_matrix")

# %%
run.show(plots.region_matrix(scores.enrichment_from_cls, attention.FEATURES), "region_matrix_cls")

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
#
# ## Content or position?
#
# The title is at the same position in every image. A head that attends to it may follow the title, or attend to the
# position. Each head is compared with images in which the feature is elsewhere or removed; for the chirp, with another
# image. A head is content-driven if less than half of its excess attention stays at the former position, and
# position-driven if more than half stays, each with its whole 95 % interval (bootstrap over images); otherwise it is
# mixed. A move alone shows only that no fixed position is attended to, so that a feature is also removed where it can
# be: the plot has edges and corners without a frame too. The table counts the heads that respond to each feature.

# %%
drives = attention.content_or_position(run.mapped, heads)
drives.table()

# %% [markdown]
# Most heads that respond to a feature are content-driven. Exceptions are the top right inner corner (19 of 22 heads are
# position-driven) and the title, when it is removed (12 of 19).
#
# The figure shows the monosemantic heads, each for its own feature and the control that leaves most of its attention in
# place, with 95 % intervals. Zero: all attention left; one: all stayed. A head is mixed where its controls disagree; of
# edges and corners it can only be said that attention leaves their place.

# %%
run.show(plots.driven_heads(**drives.of_monosemantic()), "driven_heads")

# %% [markdown]
# All 39 chirp heads are content-driven by both controls, and so are five of the others, for the colour bar and its text.
# Eight heads for edges and a corner leave their place when the plot moves. L5H5 is mixed: it follows the title when that
# moves, and four fifths of its attention stay when the title is removed.
#
# ## Does the ablation of chirp heads matter?
#
# The figure sets each head's attention on the chirp against the increase of the loss when it is ablated (notebook 4).

# %%
effects = interventions.AblationEffects.of(run.ablation())
relation = attention.relate_to_effect(scores, heads, effects)
run.show(
    plots.score_and_effect(relation.score, relation.increase, relation.is_chirp, relation.title), "score_and_effect"
)

# %%
relation.table()

# %% [markdown]
# Over all heads the correlation is weak. Within layers, of 12 heads each, its interval excludes zero in layer 12 alone
# (0.8, 0.4 to 1.0). The next table lists the exceptions by name.

# %%
relation.exceptions()

# %% [markdown]
# Thirteen of the 39 chirp heads have an effect below the median of all heads, and three of the most important heads
# attend to the chirp less than to the mean patch.
#
# ## Do predictions depend on the rest of the image?
#
# The same images are drawn with one thing changed. The figure and the table give the mean absolute shift of the
# predictions with 95 % intervals (bootstrap over 128 images), beside the model's own mean absolute error.

# %%
shifts = attention.variant_shifts(run.variant_predictions())
run.show(plots.shifts(shifts.shift, shifts.low, shifts.high, shifts.labels, shifts.targets), "variant_shifts")

# %%
shifts.table()

# %% [markdown]
# Title, axis labels, fonts and the colour bar's presence shift predictions by less than the model's own error. Moving
# the plot shifts them by several seconds or hertz: predictions depend on the position of the chirp in the image, not on
# the axes. Another colour map shifts the start time by 2.0 s (1.6 to 2.4).
#
# ## Through which heads?
#
# Activation patching: the output of a head on a clean image replaces its output on a distorted one. The recovered share
# of the way back to the clean prediction is measured on the same 128 images. Two pairs are compared. The image into one
# without chirp: which heads carry the chirp? The spectrogram alone into the image: through which heads do the other
# elements act? The bars patch all heads of a layer together.

# %%
recovery = interventions.patching_recovery(run.patching(), run.ablation().exact.label_std)
run.show(plots.recovered(recovery.heads, recovery.layers), "recovered")

# %%
recovery.table()

# %% [markdown]
# Of what the chirp contributes, L8H4 alone recovers 11 % (8 to 14), more than any other head, and layer 12 62 % (59 to
# 64). Its ablation increases the loss by 11 %, more than that of any other head but L1H1. By the rule it is monosemantic for the left edge: its map does not show what it
# carries to the prediction.
#
# ## All heads in one page
#
# `explorer.html`, beside the figures, holds the maps, scores and effects of every head and opens from disk.
# `head_scores.csv` holds every score of every head and region in both views, with its interval.

# %%
known = plots.Heads(heads.kinds, heads.features, scores.views(), effects, drives.comparisons)
page = plots.explorer_page(mapped, known, origin=run.origin(), labels=attention.control_labels())
run.save_page(page, "explorer")
run.save_table(scores.head_table(), "head_scores")

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
