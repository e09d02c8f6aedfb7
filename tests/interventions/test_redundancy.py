import numpy as np
import pytest
from scipy import stats

from paper_utils.interventions.ablation import Ablation
from paper_utils.interventions.pruning import orders
from paper_utils.interventions.redundancy import Redundancy

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
