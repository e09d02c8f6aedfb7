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
# # 9 · Attention and stability
#
# **In short.** The code released with another paper of the author ([arXiv
# 2212.09641](https://arxiv.org/abs/2212.09641)) scores the nodes of a signed network by attention, and takes a high
# score as a sign of instability. On its own network of eight nodes node 4 carries the instability, and its score is
# zero; without the node of the second highest score, 2, the network grows faster; that of the highest, 6, does carry
# some of it. What is learned of the attention moves a score by 3 % of the range between nodes at most, and never their
# order: the score is that of the network's weights. On 1,000 random networks it says nothing about what removing a node
# does (mean rank correlation 0.01, -0.01 to 0.04), where the classical participation in the fastest growing mode does
# better (0.46, 0.44 to 0.49; 997 networks on which it is defined).
#
# The abstract says that nodes which get more attention cause more instability, and that attention belongs to imbalanced
# structures. The body of the paper was not at hand. Its code and constants are public, so that all it computes can be done
# again, in seconds. Which of the code's variants made which figure is not known.

# %% tags=["parameters"]
profile = "laptop"
source = "reference"  # the shipped results; "checkpoint" and "seeds" compute them here
backbone = None  # the profile's own
pixels = "published"  # 0 to 1; "backbone": normalised as its preprocessor_config.json says

# %%
# %matplotlib inline
from paper_utils import Run, claims, networks, plots

run = Run(profile, source, notebook="09_attention_and_stability", backbone=backbone, pixels=pixels)
network = networks.published_network()
stability = networks.Stability.measure()
nodes = stability.published

# %% [markdown]
# ## The published network
#
# Eight states of a linear system, two chains of four whose last states feed back. Rows 4 to 6 of its matrix repeat rows 0
# to 2. Nodes count from 0, as in the code; an arrow leads from row to column, as its scores take it. The colour of a node
# is how much the growth rate falls when it is removed: that of node 4 is all of it, and without node 2 the system grows
# faster.

# %%
run.show(plots.signed_network(network.weights, nodes.destabilises), "signed_network")

# %% [markdown]
# A pair of modes grows, at a rate of 0.147; three decay, and three do not change at all, since the matrix repeats rows.

# %%
run.show(plots.eigenvalues(nodes.eigenvalues), "eigenvalues")

# %% [markdown]
# ## Do the scores find what makes it grow?
#
# Three scores of the released code: attention; imbalanced cycles ("motif"), by the product of weights along cycles of
# three to six nodes whose product is negative; walks of two steps. Beside them the participation of each node in the mode
# that grows (left times right eigenvector, Pérez-Arriaga et al. 1982), which the code does not have, and what removing the
# node does.

# %%
run.show(plots.network_scores(nodes.scores, nodes.destabilises), "network_scores")

# %%
nodes.table()

# %% [markdown]
# Attention and cycles single out nodes 2 and 6; the instability hangs on node 4, and then on nodes 1, 6 and 5. Eight nodes
# are few: the interval of a rank correlation over them reaches from -0.9 to 0.5.
#
# ## What is learned of it?
#
# The attention multiplies the exponential of a scaled dot product by the signed weights and divides by the sum of a row.
# In the released code labels are drawn anew in every epoch, so that nothing can be learned. Here the weights are drawn
# 1,000 times as training begins with them, and set to zero once.

# %%
learned = stability.learned
run.show(plots.attention_draws(learned.of_zeros, learned.of_draws), "attention_draws")

# %% [markdown]
# The order of the nodes is the same in every draw.
#
# ## On other networks
#
# One network can favour any score. On 1,000 random ones of eight nodes, with four edges in ten there, normal weights and
# damped nodes, each score is held against what removing each node does.

# %%
run.show(plots.correlations_by_score(stability.random.correlations, stability.random.means()), "random_networks")

# %%
stability.random.table()

# %% [markdown]
# ## Verdicts
#
# By the rules of notebook 7. A claim that attention with any other weights passes too would not be informative.

# %%
claims.Ledger.of(stability.metrics(), against=claims.claims("2212.09641"))

# %% [markdown]
# > **What to believe.** The released attention score is a function of the network's signed weights; nothing is learned
# > of it, and it does not find the nodes that make this network, or a random one, unstable. Eigenvectors do better,
# > though far from perfectly: participation rates node 2, too.

# %% [markdown]
# Made with:

# %% tags=["nbval-ignore-output"]
run.origin()
