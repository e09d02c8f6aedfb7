"""Against facts computed apart from this code, plain loops and analytic systems."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from paper_utils import networks
from paper_utils.networks.scores import LENGTHS
from paper_utils.networks.systems import random_networks

PUBLISHED = networks.published_network()
ZEROS = np.zeros((3, 3))
seeds = st.integers(0, 2**20)


def drawn(seed, nodes=6):
    return random_networks(1, nodes=nodes, density=0.5, seed=seed)[0]


def test_the_published_network_is_the_one_whose_facts_are_known():
    weights = PUBLISHED.weights
    assert np.linalg.matrix_rank(weights) == 5
    assert np.array_equal(weights[:3], weights[4:7])
    values = sorted(np.linalg.eigvals(weights), key=lambda value: (value.real, value.imag))
    assert np.real(values[:3]) == pytest.approx([-517.7, -238.2, -0.511], rel=1e-3)
    assert values[-1] == pytest.approx(0.147 + 0.398j, abs=1e-3)
    without = [0.144, 0.098, 0.169, 0.144, 0.000, 0.116, 0.109, 0.137]
    assert networks.growth_without_each(weights) == pytest.approx(without, abs=1e-3)
    shares = networks.participation(weights)
    assert shares[[4, 5, 6, 1, 2]] == pytest.approx([0.32, 0.19, 0.17, 0.17, 0.13], abs=5e-3)
    assert shares.sum() == pytest.approx(1)


def test_its_scores_are_those_of_the_released_code():
    weights, features = PUBLISHED.weights, PUBLISHED.features
    attention = networks.attention_scores(weights, features, ZEROS)
    assert attention == pytest.approx([0, 0, 0.519, 0.099, 0, 0, 0.914, -0.494], abs=5e-4)
    assert networks.motif_scores(weights) == pytest.approx([0, 0, 0.720, 0, 0, 0, 0.720, 0.291], abs=5e-4)


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_attention_is_what_loops_give(seed):
    weights, rng = drawn(seed), np.random.default_rng(seed)
    features, projection = rng.normal(size=(6, 3)), rng.normal(size=(3, 3))
    edges = weights - np.diag(np.diag(weights))
    attention = np.empty((6, 6))
    for i, j in itertools.product(range(6), repeat=2):
        attention[i, j] = np.exp((projection @ features[i]) @ features[j] / np.sqrt(6)) * edges[i, j]
    rows, columns = attention.sum(1), edges.sum(0)
    found = networks.attention_scores(weights, features, projection)
    for j in range(6):
        if rows[j] == 0 or columns[j] == 0:
            assert np.isnan(found[j])
        else:
            assert found[j] == pytest.approx(
                sum(attention[j, i] / rows[j] * edges[i, j] for i in range(6)) / columns[j]
            )


@settings(deadline=None, max_examples=15)
@given(seeds)
def test_cycles_and_walks_are_what_loops_give(seed):
    weights = drawn(seed)
    degrees = [(weights[node] != 0).sum() + (weights[:, node] != 0).sum() for node in range(6)]
    cycles, walks = [], []
    for start in range(6):
        others = [node for node in range(6) if node != start]
        sums = []
        for length in LENGTHS:
            products = []
            for path in itertools.permutations(others, length - 1):
                closed = [start, *path, start]
                products.append(np.prod([weights[pair] for pair in itertools.pairwise(closed)]))
            sums.append(sum(product for product in products if product < 0) / degrees[start] ** 2)
        cycles.append(abs(np.prod(sums)) ** (1 / 3))
        total = 0
        for first, second in itertools.permutations(others, 2):
            if weights[start, first] and weights[first, second]:
                total += weights[start, first] + (1 if weights[second, start] else 10) * weights[first, second]
        walks.append(total / weights.sum() ** 2 / degrees[start] ** 2)
    assert networks.motif_scores(weights) == pytest.approx(cycles)
    assert networks.walk_scores(weights) == pytest.approx(walks)


def test_growth_of_a_system_whose_modes_are_known():
    # two pairs of nodes that know nothing of each other: one grows at 1 with a rotation, the other decays
    weights = np.zeros((4, 4))
    weights[:2, :2], weights[2:, 2:] = [[1, 2], [-2, 1]], [[-3, 1], [0, -4]]
    assert networks.growth_rate(weights) == pytest.approx(1)
    assert networks.participation(weights) == pytest.approx([0.5, 0.5, 0, 0])
    assert networks.growth_without_each(weights) == pytest.approx([1, 1, 1, 1])
    weights[2, 2] = 5
    assert networks.growth_without_each(weights) == pytest.approx([5, 5, 1, 5])


def test_a_mode_without_vectors_of_its_own_has_no_participation():
    assert np.isnan(networks.participation(np.array([[0.0, 1.0], [0.0, 0.0]]))).all()


def test_random_networks_are_signed_damped_and_as_dense_as_asked():
    weights = random_networks(500, density=0.4, seed=1)
    off = ~np.eye(8, dtype=bool)
    assert (weights[:, ~off] == -1).all()
    assert (weights[:, off] != 0).mean() == pytest.approx(0.4, abs=0.01)
    assert (weights[:, off] > 0).mean() == pytest.approx(0.2, abs=0.01)
    assert np.array_equal(weights[:3], random_networks(500, density=0.4, seed=1)[:3])


def test_measured_numbers_are_the_claims_and_a_score_that_is_the_truth_correlates_perfectly():
    found = networks.Stability.measure(draws=20)
    metrics = found.metrics()
    assert metrics["stability.growth_rate"] == pytest.approx(0.147, abs=5e-4)
    assert metrics["stability.learned.same_order"] == 1
    assert 0 < metrics["stability.learned.moved"] < 0.05
    truth = networks.NodeScores(
        {"truth": found.published.destabilises},
        found.published.eigenvalues,
        found.published.growth,
        found.published.without,
    )
    assert truth.correlations()["truth"][0] == pytest.approx(1)
    assert found.random.table()["Networks"].max() <= 20
    assert found.published.table().shape == (8, 5)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_nodes_in_another_order_change_no_correlation(seed):
    """Sums in another order end in other last digits, as on another processor: what ties must go on to tie."""
    rng = np.random.default_rng(seed)
    weights, features, order = random_networks(1, seed=seed)[0], rng.normal(size=(8, 3)), rng.permutation(8)
    before = networks.NodeScores.of(networks.SignedNetwork(weights, features))
    after = networks.NodeScores.of(networks.SignedNetwork(weights[np.ix_(order, order)], features[order]))
    pairs = {"removal": (before.destabilises, after.destabilises)}
    pairs |= {name: (before.scores[name], after.scores[name]) for name in before.scores}
    for first, second in pairs.values():
        assert np.allclose(first[order], second, rtol=1e-6, equal_nan=True)
        assert np.array_equal(rankdata(first[order]), rankdata(second), equal_nan=True)
