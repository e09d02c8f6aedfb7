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
# # 3 · What the heads attend to
#
# **In short.** Of the two heads that the paper singles out, layer 6 head 4 does something else in this model, whose
# backbone is another one, and layer 12 head 12 is polysemantic in both. By the rule of notebook 6, over 48 test images,
# layer 6 head 4 is polysemantic: it gives the top left outer corner 1.9 times its mean attention, and axis text nearly
# as much. Layer 12 head 12 gives the chirp 6.3 times and the title 3.4 times its mean attention.
#
# A head's attention matrix holds, for each query patch, the attention on every other patch. The paper drops the CLS
# token, averages over the query patches, scales the result to 0..1 and lays it over the image. What do these maps show
# for layer 6 head 4 and layer 12 head 12?

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, attention, plots

run = Run(profile, source, notebook="03_attention_maps", backbone=backbone, pixels=pixels)

# %% [markdown]
# ## Figure 1: the method
#
# Left, how a map is extracted from one image; right, how a head is ablated (notebook 4).

# %%
run.show(plots.flowchart(), "figure_1")

# %% [markdown]
# <!-- figure_1 -->
# | the paper says | published | here, embedded | here, photographs |
# | --- | --- | --- | --- |
# | the method, as a flowchart | - | drawn anew; nothing is claimed of it | drawn anew; nothing is claimed of it |
# <!-- /figure_1 -->

# %% [markdown]
# ## Maps of all heads
#
# The maps are computed here, for every head of every layer, on the first test images. Min-max scaling draws each of
# them from black to white, a nearly uniform one too. The table therefore gives the attention of a head's most attended
# patch over its mean attention, averaged over the images and the heads of a layer; 1 is uniform attention. It also
# lists heads that give all attention to CLS on every image: their maps are flat.

# %%
mapped = run.mapped()
contrast = attention.contrast(mapped)
contrast.table()

# %% [markdown]
# The contrast is 3 to 7 in layers 1 to 5 and 18 to 54 from layer 6 on. Every head attends to patches: none gives all its attention to
# CLS. An overlay of layer 1 shows differences that are small in the raw attention.
#
# ## Figure 6: layer 6 head 4
#
# In the paper this head responds to the chirp alone. The table says what both heads respond to here: the feature that
# takes most of a monosemantic head's bright patches, or the features with the highest attention over the mean.

# %%
heads = attention.classify_heads(mapped)
heads.describe("L6H4", "L12H12")

# %%
run.show(plots.overlays(**mapped.of_head("L6H4", or_last=True)), "figure_6")

# %% [markdown]
# <!-- figure_6 -->
# | the paper says | published | here, embedded | here, photographs |
# | --- | --- | --- | --- |
# | L6H4 attends to the chirp | monosemantic: the chirp | - | - |
#
# A dash: cannot be tested here, since heads of different backbones have nothing in common but their number.
# <!-- /figure_6 -->

# %% [markdown]
# Five test images under the head's min-max normalised map. The bright patches are scattered, mostly
# away from the chirp.
#
# ## Figure 7: layer 12 head 12
#
# In the paper this head is polysemantic: its maps cover several unrelated regions.

# %%
run.show(plots.overlays(**mapped.of_head("L12H12", or_last=True)), "figure_7")

# %% [markdown]
# <!-- figure_7 -->
# | the paper says | published | here, embedded | here, photographs |
# | --- | --- | --- | --- |
# | L12H12 attends to several unrelated regions | polysemantic | - | - |
#
# A dash: cannot be tested here, since heads of different backbones have nothing in common but their number.
# <!-- /figure_7 -->

# %% [markdown]
# The same five images. The bright patches are on the chirp in some images and on the title or elsewhere in others.
# Notebook 6 shows the heads of this model that respond to the chirp alone.

# %% [markdown]
# > **What to believe.** Maps are drawn as in the paper, from the fine-tuned model itself. What a head of this number
# > attends to says nothing about the paper's: judge by the rule of notebook 6, not by one picture.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
