"""The released scores of nodes beside what removing a node does, on the published network and on random ones."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..statistics import mean_intervals, mean_where_known, rank_correlation_interval, rank_correlations
from .scores import attention_scores, motif_scores, walk_scores
from .stability import growth_rate, growth_without_each, participation
from .systems import SignedNetwork, published_network, random_networks

__all__ = ["LearnedAttention", "NodeScores", "RandomNetworks", "Stability"]

DRAWS = 1000  # of attention weights, and of random networks
SCORES = ("attention", "motif", "walk", "participation")
DECIMALS = 9  # of scores and growth rates that count: the last of a double's depend on the processor
FEWEST = 4  # nodes with a score, from which a network is counted


def _scores(weights: np.ndarray, features: np.ndarray) -> dict[str, np.ndarray]:
    """Return each of SCORES, (nodes,); attention with all its weights zero."""
    zeros = np.zeros((features.shape[1],) * 2)
    found = attention_scores(weights, features, zeros), motif_scores(weights), walk_scores(weights)
    return dict(zip(SCORES, map(_rounded, (*found, participation(weights))), strict=True))


@dataclass(frozen=True)
class NodeScores:
    """The scores of the nodes of one network, (nodes,) each, and how much slower it grows without each node."""

    scores: dict[str, np.ndarray]
    eigenvalues: np.ndarray  # (nodes,) complex
    growth: float
    without: np.ndarray  # (nodes,) growth rates

    @classmethod
    def of(cls, network: SignedNetwork) -> "NodeScores":
        """Score the nodes of a network."""
        weights = network.weights
        values = np.linalg.eigvals(weights)
        growth = float(growth_rate(weights))
        return cls(_scores(weights, network.features), values, growth, growth_without_each(weights))

    @property
    def destabilises(self) -> np.ndarray:
        """How much the growth rate falls without each node, (nodes,)."""
        return _rounded(self.growth - self.without)

    def correlations(self) -> dict[str, tuple[float, float, float]]:
        """Return each score's rank correlation with `destabilises`, and its 95 % interval over nodes."""
        return {name: rank_correlation_interval(score, self.destabilises) for name, score in self.scores.items()}

    def table(self) -> pd.DataFrame:
        """Return a row for each node: its scores, and the growth rate without it."""
        columns = {name: [f"{value:.3g}" for value in score] for name, score in self.scores.items()}
        columns["growth rate without it"] = [f"{value:.3f}" for value in _rounded(self.without)]
        return pd.DataFrame(columns, pd.RangeIndex(len(self.without), name="Node"))


@dataclass(frozen=True)
class LearnedAttention:
    """What the learned weights of the attention do to its scores: nothing learned, and many random weights."""

    of_zeros: np.ndarray  # (nodes,) with all weights zero
    of_draws: np.ndarray  # (draws, nodes)

    @classmethod
    def of(cls, network: SignedNetwork, *, draws: int = DRAWS, seed: int = 0) -> "LearnedAttention":
        """Score the nodes with weights drawn as the released code begins with: uniform, to one over root of features."""
        size = network.features.shape[1]
        drawn = np.random.default_rng(seed).uniform(-1, 1, (draws, size, size)) / np.sqrt(size)
        score: Callable[[np.ndarray], np.ndarray] = partial(attention_scores, network.weights, network.features)
        return cls(score(np.zeros((size, size))), np.stack([score(projection) for projection in drawn]))

    @property
    def moved(self) -> float:
        """The largest difference that weights make to a node's score, over the range between nodes."""
        return float(np.abs(self.of_draws - self.of_zeros).max() / np.ptp(self.of_zeros))

    @property
    def same_order(self) -> float:
        """The share of draws that order the nodes as no weights do."""
        order = np.argsort(_rounded(self.of_zeros), kind="stable")
        return float(np.mean([(np.diff(_rounded(draw)[order]) >= 0).all() for draw in self.of_draws]))


@dataclass(frozen=True)
class RandomNetworks:
    """Each score's rank correlation over nodes with what removing a node does, on random networks, (networks,) each."""

    correlations: dict[str, np.ndarray]  # NaN where too few nodes have a score
    nodes: int

    @classmethod
    def measure(cls, *, count: int = DRAWS, seed: int = 0) -> "RandomNetworks":
        """Draw networks, with features of nodes drawn too, and compare the scores of their nodes."""
        weights = random_networks(count, seed=seed)
        features = np.random.default_rng(seed + 1).normal(size=(count, weights.shape[-1], 3))
        destabilises = _rounded(growth_rate(weights)[:, None] - growth_without_each(weights))
        found = [_scores(*pair) for pair in zip(weights, features, strict=True)]
        return cls(
            {
                name: np.array([_correlation(one[name], fall) for one, fall in zip(found, destabilises, strict=True)])
                for name in SCORES
            },
            weights.shape[-1],
        )

    def means(self) -> dict[str, tuple[float, float, float]]:
        """Return each score's mean correlation over networks, and its 95 % interval (bootstrap over networks)."""
        stacked = np.stack([self.correlations[name] for name in SCORES], axis=1)
        low, high = mean_intervals(stacked)
        ends = zip(mean_where_known(stacked).tolist(), low.tolist(), high.tolist(), strict=True)
        return dict(zip(SCORES, ends, strict=True))

    def table(self) -> pd.DataFrame:
        """Return a row for each score: its mean correlation, and on how many networks it is defined."""
        rows = {
            name: {
                "Mean rank correlation (95 % interval)": f"{value:.2f} ({low:.2f} to {high:.2f})",
                "Networks": int(np.isfinite(self.correlations[name]).sum()),
            }
            for name, (value, low, high) in self.means().items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Score")


def _correlation(score: np.ndarray, fall: np.ndarray) -> float:
    """Return the rank correlation over the nodes that have a score; 0 where all have the same, NaN where few have one."""
    known = np.isfinite(score)
    if known.sum() < FEWEST:
        return float("nan")
    constant = np.ptp(score[known]) == 0 or np.ptp(fall[known]) == 0
    return 0.0 if constant else rank_correlations([score[known], fall[known]])[0]


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return values to DECIMALS, so that what is equal ties on every processor, and zero has no sign."""
    return np.round(values, DECIMALS) + 0.0


@dataclass(frozen=True)
class Stability:
    """All that is measured of 2212.09641; seconds."""

    published: NodeScores
    learned: LearnedAttention
    random: RandomNetworks

    @classmethod
    def measure(cls, *, draws: int = DRAWS) -> "Stability":
        """Measure the published network, and as many random weights and networks as asked for."""
        network = published_network()
        return cls(
            NodeScores.of(network), LearnedAttention.of(network, draws=draws), RandomNetworks.measure(count=draws)
        )

    def metrics(self) -> dict[str, float]:
        """Return flat keys, as the claims name them."""
        scores, between = self.published.scores, rank_correlation_interval
        with_ends = {f"published.{name}": ends for name, ends in self.published.correlations().items()}
        with_ends |= {f"random.{name}": ends for name, ends in self.random.means().items()}
        with_ends["attention_and_motif"] = between(scores["attention"], scores["motif"])
        found = {
            f"{name}.rank_correlation{end}": value
            for name, ends in with_ends.items()
            for end, value in zip(("", "_low", "_high"), ends, strict=True)
        }
        drawn = self.learned.of_draws[0]
        found["published.attention_of_drawn_weights.rank_correlation"] = between(drawn, self.published.destabilises)[0]
        found["attention_of_drawn_weights_and_motif.rank_correlation"] = between(drawn, scores["motif"])[0]
        found["learned.moved"] = self.learned.moved
        found["learned.same_order"] = self.learned.same_order
        found["growth_rate"] = self.published.growth
        return {f"stability.{name}": float(value) for name, value in found.items()}
