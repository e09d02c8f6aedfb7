"""The scores of nodes that the code released with arXiv 2212.09641 computes, as it computes them.

All take A[i, j] as the edge from node i to node j.
"""

from collections.abc import Iterator

import numpy as np

__all__ = ["LENGTHS", "attention_scores", "motif_scores", "walk_scores"]

LENGTHS = (3, 4, 5, 6)  # of the cycles that are counted, in nodes
OUTWARD = 10.0  # weight of a second step to a node that has no edge back to the first: 1 / q with the released q = 0.1


def attention_scores(weights: np.ndarray, features: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """Return the attention score of each node, (nodes,).

    Attention of a node on another is the exponential of a scaled dot product times the *signed* weight between them,
    divided by the sum of its row. A node's score is the sum of its attention times the weights that lead to it, over the
    sum of those weights. Sums of signed weights may come close to zero, so that scores have no bounds.

    Args:
        weights: (nodes, nodes); the diagonal is not used.
        features: (nodes, features).
        projection: (features, features), what is learned of the one attention head that the released code uses.

    Returns:
        NaN for a node whose row or column sums to zero, for which the released code ends with an error.
    """
    edges = np.array(weights, float)
    np.fill_diagonal(edges, 0)
    attention = np.exp(features @ projection.T @ features.T / np.sqrt(len(features))) * edges
    rows, columns = attention.sum(1, keepdims=True), edges.sum(0)
    attention = np.divide(attention, rows, out=np.full_like(attention, np.nan), where=rows != 0)
    over = (attention.T * edges).sum(0)
    return np.divide(over, columns, out=np.full_like(columns, np.nan), where=columns != 0)


def motif_scores(weights: np.ndarray) -> np.ndarray:
    """Return the score of imbalanced cycles through each node, (nodes,).

    For each of LENGTHS the products of weights along the cycles of negative sign are added up and divided by the squared
    degree; the score is the cube root of the absolute product of the four. A node that lacks such a cycle of one length
    has none.
    """
    degrees = _degrees(weights)
    sums = np.zeros((len(LENGTHS), len(weights)))
    for node in range(len(weights)):
        for length, product in _cycles(weights, node):
            if product < 0:
                sums[LENGTHS.index(length), node] += product
    shares = np.divide(sums, degrees**2, out=np.zeros_like(sums), where=degrees > 0)
    return np.abs(shares.prod(0)) ** (1 / 3)


def walk_scores(weights: np.ndarray) -> np.ndarray:
    """Return the score of walks of two steps from each node to two others, (nodes,).

    The two weights of a walk are added up, the second one times OUTWARD where no edge leads back to the first node, and
    divided by the squared sum of all weights; a node's sum is divided by its squared degree.
    """
    edges, nodes = weights != 0, len(weights)
    other = ~np.eye(nodes, dtype=bool)
    # walks from i over j to k
    walks = (edges & other)[:, :, None] & (edges & other)[None] & other[:, None]
    second = weights * 1.0
    steps = second[None] * np.where(edges.T[:, None], 1.0, OUTWARD)
    sums = np.where(walks, weights[:, :, None] + steps, 0).sum((1, 2)) / weights.sum() ** 2
    degrees = _degrees(weights)
    return np.divide(sums, degrees**2, out=np.zeros(nodes), where=degrees > 0)


def _degrees(weights: np.ndarray) -> np.ndarray:
    """Return how many edges begin or end at each node; a loop counts twice."""
    return (weights != 0).sum(0) + (weights != 0).sum(1)


def _cycles(weights: np.ndarray, start: int) -> Iterator[tuple[int, float]]:
    """Yield length and product of the weights of every cycle from a node through others, each at most once visited."""
    waiting: list[tuple[tuple[int, ...], float]] = [((start,), 1.0)]
    while waiting:
        path, product = waiting.pop()
        here = path[-1]
        if len(path) in LENGTHS and weights[here, start]:
            yield len(path), product * weights[here, start]
        if len(path) < LENGTHS[-1]:
            waiting += [
                ((*path, int(node)), product * weights[here, node])
                for node in np.flatnonzero(weights[here])
                if node not in path
            ]
