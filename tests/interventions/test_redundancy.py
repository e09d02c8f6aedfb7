import numpy as np
import pytest
from scipy import stats

from paper_utils.interventions.ablation import Ablation
from paper_utils.interventions.pruning import orders
from paper_utils.interventions.redundancy import Redundancy, redundancy_table

EARLY = "early heads, least important first"


def ratio(change, intact, axis=-1):
    return 100 * change.mean(axis) / intact.mean(axis)


def test_heads_do_together_what_they_do_and_what_their_effects_add_up_to():
    """Oracle: sums by hand, and scipy's paired bootstrap."""
    rng = np.random.default_rng(2)
    intact = rng.exponential(size=60)
    order = orders(rng.normal(size=(12, 12)))[EARLY]
    joint = intact * (1 + 0.05 * order.counts[:, None] * rng.random((len(order.counts), 60)))
    arrays = {"intact": intact, EARLY: joint, f"counts of {EARLY}": order.counts, f"heads of {EARLY}": order.heads}
    baseline = np.repeat(np.sqrt(intact)[:, None], 3, axis=1)
    ablated = baseline * np.sqrt(1 + 0.01 * rng.random((12, 12, 60, 1)))
    found = Redundancy.of(arrays, Ablation(baseline, ablated, np.zeros((60, 3)), np.ones(3), np.ones(60)))
    single = ((ablated**2).mean(-1).reshape(144, 60)[order.heads[:35]] - intact).sum(0)
    together = joint[list(order.counts).index(35)] - intact
    for name, change in (("together", together), ("added_up", single), ("difference", together - single)):
        data = change, intact
        oracle = stats.bootstrap(data, ratio, paired=True, vectorized=True, method="percentile", rng=0)
        assert found.value[name] == pytest.approx(ratio(*data))
        assert (found.low[name], found.high[name]) == pytest.approx(tuple(oracle.confidence_interval), rel=0.05)
    metrics = found.metrics()
    assert metrics["ablation.removal.redundancy.heads"] == 35
    assert metrics["ablation.removal.redundancy.difference_low_percent"] == found.low["difference"]
    assert list(found.table()["Images"]) == [60] * 3
    assert found.table().index[0] == "35 early heads zeroed together"


@pytest.fixture
def removed():
    """Removals of every order where each head adds its number over a thousand, squared if others are gone too."""
    rng = np.random.default_rng(5)
    intact, worth = rng.exponential(size=40) + 0.1, np.arange(144) / 1000
    arrays = {"intact": intact}
    for name, order in orders(worth.reshape(12, 12), seed=3).items():
        sums = np.array([worth[order.heads[:count]].sum() for count in order.counts])
        arrays[name] = intact * (1 + sums[:, None] ** 2)
        arrays |= {f"counts of {name}": order.counts, f"heads of {name}": order.heads}
    baseline = np.repeat(np.sqrt(intact)[:, None], 3, axis=1)
    ablated = baseline * np.sqrt(1 + worth)[:, None, None]
    single = Ablation(baseline, ablated.reshape(12, 12, 40, 3), np.zeros((40, 3)), np.ones(3), np.ones(40))
    return arrays, single, worth


def test_sets_at_random_are_those_without_the_most_important_head(removed):
    """Oracle: sums over sets chosen here, of which the first is made to hold head 143."""
    arrays, single, worth = removed
    rng = np.random.default_rng(8)
    sums = []
    for number in (1, 2, 3):
        heads = rng.permutation(143)
        place = 0 if number == 1 else 100
        order = np.insert(heads, place, 143)
        name = f"random {number}"
        arrays[f"heads of {name}"] = order
        totals = np.array([worth[order[:count]].sum() for count in arrays[f"counts of {name}"]])
        arrays[name] = arrays["intact"] * (1 + totals[:, None] ** 2)
        sums += [worth[order[:36]].sum()] if number > 1 else []
    found = Redundancy.at_random(arrays, single)
    together, added_up = 100 * np.mean(np.square(sums)), 100 * np.mean(sums)
    assert found.value == pytest.approx(
        {"together": together, "added_up": added_up, "difference": together - added_up}, rel=1e-5
    )
    metrics = found.metrics()
    assert metrics["ablation.removal.redundancy.at_random.together_percent"] == found.value["together"]
    assert metrics["ablation.removal.redundancy.at_random.sets"] == 2
    assert found.table().index[0] == "36 heads at random (2 sets) zeroed together"
    assert list(redundancy_table(arrays, single).index)[3:] == list(found.table().index)


def test_sets_are_taken_as_they_are_where_each_has_the_most_important_head(removed):
    arrays, single, worth = removed
    for number in (1, 2, 3):
        heads = arrays[f"heads of random {number}"]
        arrays[f"heads of random {number}"] = np.concatenate([[143], heads[heads != 143]])
    sums = [worth[arrays[f"heads of random {number}"][:36]].sum() for number in (1, 2, 3)]
    found = Redundancy.at_random(arrays, single)
    assert found.value["added_up"] == pytest.approx(100 * np.mean(sums), rel=1e-5)
    assert found.which == "36 heads at random (3 sets, with the most important)"
