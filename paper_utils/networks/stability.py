"""What makes a linear system grow: its eigenvalues, which nodes take part, and what becomes of it without each."""

import numpy as np

__all__ = ["growth_rate", "growth_without_each", "participation"]


def growth_rate(weights: np.ndarray) -> np.ndarray:
    """Return the largest real part of the eigenvalues of (..., nodes, nodes): the system grows where it is above zero."""
    return np.linalg.eigvals(weights).real.max(-1)


def growth_without_each(weights: np.ndarray) -> np.ndarray:
    """Return the growth rate with each node removed in turn, (..., nodes)."""
    nodes = weights.shape[-1]
    kept = [np.delete(np.arange(nodes), node) for node in range(nodes)]
    return np.stack([growth_rate(weights[..., rows[:, None], rows]) for rows in kept], axis=-1)


def participation(weights: np.ndarray) -> np.ndarray:
    """Return each node's share in the mode that grows fastest, (nodes,); the shares sum to one.

    A node's share is the product of the mode's left and right eigenvectors there: how much the mode moves the node,
    times how much the node moves the mode (Perez-Arriaga et al. 1982). A pair of complex modes counts by one. NaN where
    the mode has no such vectors of its own, as for a matrix that cannot be diagonalised.
    """
    values, right = np.linalg.eig(weights)
    mode = int(values.real.argmax())
    turned, left = np.linalg.eig(weights.T)
    same = int(np.abs(turned - values[mode]).argmin())
    share = np.abs(left[:, same] * right[:, mode])
    return share / share.sum() if share.sum() > 0 else np.full(len(share), np.nan)
