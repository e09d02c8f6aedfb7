"""Signed networks of arXiv 2212.09641: scores of nodes as the released code computes them, and what makes a system grow."""

from .comparison import LearnedAttention, NodeScores, RandomNetworks, Stability
from .scores import attention_scores, motif_scores, walk_scores
from .stability import growth_rate, growth_without_each, participation
from .systems import SignedNetwork, published_network, random_networks

__all__ = [
    "LearnedAttention",
    "NodeScores",
    "RandomNetworks",
    "SignedNetwork",
    "Stability",
    "attention_scores",
    "growth_rate",
    "growth_without_each",
    "motif_scores",
    "participation",
    "published_network",
    "random_networks",
    "walk_scores",
]
