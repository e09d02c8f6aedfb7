"""Linear systems dx/dt = A x whose states are the nodes of a signed network: the published one, and random ones."""

from dataclasses import dataclass

import numpy as np

from ..files import ROOT, read_json

__all__ = ["SignedNetwork", "published_network", "random_networks"]

CONSTANTS = ROOT / "data" / "attention_and_stability.json"


@dataclass(frozen=True)
class SignedNetwork:
    """A signed, weighted, directed network and the features of its nodes, which count from 0 as in the released code."""

    weights: np.ndarray  # (nodes, nodes): A of dx/dt = A x; the released scores take A[i, j] as the edge from i to j
    features: np.ndarray  # (nodes, features)


def published_network() -> SignedNetwork:
    """Return the system of eight states of the code released with arXiv 2212.09641, from its constants."""
    constants = read_json(CONSTANTS)
    values = dict(constants["coefficients"])
    values |= {f"-{name}": -value for name, value in values.items()}
    rows = [[values.get(entry, entry) for entry in row] for row in constants["rows"]]
    return SignedNetwork(np.array(rows, float), np.array(constants["features"], float))


def random_networks(count: int, *, nodes: int = 8, density: float = 0.4, seed: int = 0) -> np.ndarray:
    """Return the weights of random signed networks, (count, nodes, nodes).

    Each edge between two nodes is there with probability `density`, about that of the published network, and has a
    standard normal weight. Each node damps itself with weight -1.

    Args:
        count: of networks.
        nodes: of each.
        density: share of the edges that are there.
        seed: of all.
    """
    rng = np.random.default_rng(seed)
    shape = count, nodes, nodes
    weights = np.where(rng.random(shape) < density, rng.normal(size=shape), 0)
    weights[:, range(nodes), range(nodes)] = -1
    return weights
