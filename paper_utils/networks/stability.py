"""What makes a linear system grow: its eigenvalues, which nodes take part, and what becomes of it without each."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse.csgraph import connected_components

__all__ = ["growth_rate", "growth_without_each", "participation"]

ALIKE = 1e-6  # what differs by less is the same but for rounding


def growth_rate(weights: np.ndarray) -> np.ndarray:
    """Return the largest real part of the eigenvalues of (..., nodes, nodes): the system grows where it is above zero.

    The eigenvalues are those of the strongly connected parts, taken one by one: nodes that feed others without being fed
    back make a whole matrix defective, and its eigenvalues right to few digits only.
    """
    flat = weights.reshape(-1, *weights.shape[-2:])
    rates = [max(_fastest(one[part]) for part in _parts(one)) for one in flat]
    return np.array(rates).reshape(weights.shape[:-2])


def growth_without_each(weights: np.ndarray) -> np.ndarray:
    """Return the growth rate with each node removed in turn, (..., nodes)."""
    nodes = weights.shape[-1]
    kept = [np.delete(np.arange(nodes), node) for node in range(nodes)]
    return np.stack([growth_rate(weights[..., rows[:, None], rows]) for rows in kept], axis=-1)


def participation(weights: np.ndarray) -> np.ndarray:
    """Return each node's share in the mode that grows fastest, (nodes,); the shares sum to one.

    A node's share is the product of the mode's left and right eigenvectors there: how much the mode moves the node,
    times how much the node moves the mode (Perez-Arriaga et al. 1982); zero outside the strongly connected part that the
    mode belongs to. A pair of complex modes counts by one. NaN where the mode has no such vectors of its own: two parts
    grow alike, or the part's matrix cannot be diagonalised.
    """
    parts = list(_parts(weights))
    rates = np.array([_fastest(weights[part]) for part in parts])
    shares = np.full(len(weights), np.nan)
    if np.isclose(rates, rates.max(), rtol=0, atol=ALIKE).sum() > 1:
        return shares
    part = parts[int(rates.argmax())]
    values, right = np.linalg.eig(weights[part])
    mode = int(values.real.argmax())
    turned, left = np.linalg.eig(weights[part].T)
    same = int(np.abs(turned - values[mode]).argmin())
    share = np.abs(left[:, same] * right[:, mode])
    if share.sum() > ALIKE:
        shares[:] = 0
        shares[part[0].ravel()] = share / share.sum()
    return shares


def _parts(weights: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield what indexes the weights within each strongly connected part."""
    count, part = connected_components(weights != 0, connection="strong")
    for index in range(count):
        nodes = np.flatnonzero(part == index)
        yield np.ix_(nodes, nodes)


def _fastest(weights: np.ndarray) -> float:
    return float(np.linalg.eigvals(weights).real.max())
