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
# # 10 · CLAP: what does patching a whole layer show?
#
# **In short.** Another paper of the author ([arXiv 2504.02976](https://arxiv.org/abs/2504.02976)) patches a GPT-2 that was
# fine-tuned on abstracts about epilepsy, and calls definitional knowledge local and associative knowledge distributed. The
# 100 % of the output layer is what its script gives for any question and any weights, random ones included (20 random
# questions, 6 pairs of each kind in a real model). A large share of the first feed-forward layer comes of patching all tokens
# at once: the MLP of layer 1 of SmolLM2-135M recovers about everything then, of definitions and associations alike, and
# nothing at the one token that predicts the answer (6 pairs of each kind).
#
# The abstract says: patching the output layer recovers 100 %, so definitional knowledge is local; patching the first
# feed-forward layer recovers 56 %, so associative knowledge is distributed; convolutional layers recover 13.6 %; layers
# differ (p < 0.01). The body of the paper, the fine-tuned GPT-2 and its texts were not at hand, so that **neither 56 % nor
# 13.6 % can be tested here**. The released script was read; what it does is shown here, and a protocol that can tell local
# from distributed in [notebook 10b](10b_definitions_and_associations.ipynb).

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, language, plots

run = Run(profile, source, notebook="10_clap", backbone=backbone, pixels=pixels)
clap = language.Clap.load()
example = clap.pairs["definitional"][0]

# %% [markdown]
# ## The protocol
#
# Two prompts of the same number of tokens differ in their subject. What one layer's attention, MLP or residual stream puts
# out at **one** token of the corrupted prompt is replaced by what it does for the clean one. The outcome is the logit of
# the first token of the clean answer that the corrupted answer does not share, less that of the latter's token, where it is
# predicted. Recovered is the part of the way from the corrupted to the clean prompt's difference. Samples are pairs.

# %%
run.show(plots.patching_protocol(example["clean"], example["corrupted"], example["tokens"]), "patching_protocol")

# %% [markdown]
# Blue marks what the patch can reach. One engine serves language models and Vision Transformers: it asks a model for its
# residual stream, half a layer at a time.
#
# ## What does the released script measure?
#
# It hooks every `nn.Linear`. In GPT-2 the 48 matrices of the blocks are of another class, `Conv1D`, which is a linear map
# too; there is no convolution. What is left is the output layer, whose logits are replaced outright.

# %%
clap.random.kinds

# %%
clap.released_table()

# %% [markdown]
# The first two rows are of text, the third of random tokens through random weights: 100 % says nothing of knowledge. Were
# the other 48 hooked, their results would share four printed names. On random weights the whole residual stream after any
# block recovers 100 %, too, since all tokens are patched at once.
#
# The script's metric is read after the whole answer, and compares words that stand in neither answer. In its own sample the
# two texts are the same up to the answers' first differing token, so that where this is predicted there is nothing to
# recover. Three ways to patch the MLP of each layer of SmolLM2, on the same pairs, with 95 % bands over pairs:

# %%
run.show(plots.released_and_corrected(clap.by_metric()), "released_and_corrected")

# %% [markdown]
# Patched at all tokens at once, the MLP of layer 1 recovers about everything, of definitional and of associative pairs alike
# and by either metric (94 to 106 % in the mean; 6 pairs of each kind, before fine-tuning). So a large share of the first
# feed-forward layer is no sign that knowledge is spread. At the one token that predicts the answer it recovers nothing:
# the two prompts have the same word there.

# %% [markdown]
# > **What to believe.** That the output layer recovers 100 % says nothing of what a model knows, nor does what is recovered
# > by patching all tokens of a layer at once.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
