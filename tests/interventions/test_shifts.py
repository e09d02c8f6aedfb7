import numpy as np
import pytest

from paper_utils.interventions import PredictionShift
from paper_utils.interventions.shifts import MARGIN

from . import reference
from .made_up import estimated


def test_shifts_of_a_moved_head():
    baseline = np.linspace(0, 45, 60)
    ablated = np.tile(baseline, (12, 12, 1))
    ablated[5, 5] += 3
    shift = PredictionShift.of(estimated(baseline, ablated))
    assert shift.by_head["mean_seconds"][5, 5] == pytest.approx(3)
    assert shift.by_head["wasserstein_seconds"][5, 5] == pytest.approx(3, abs=0.1)
    assert (shift.by_head["kolmogorov_smirnov"] > 1e-9).sum() == 1
    found = shift.metrics()
    assert found["shift.layers_1_to_3.mean_seconds"] == 0
    assert found["shift.layers_1_to_3.largest_kolmogorov_smirnov"] == pytest.approx(0, abs=1e-9)
    assert found["shift.layers_4_to_12.mean_seconds"] == pytest.approx(3 / 108)
    assert 0 < found["shift.two_halves.wasserstein_seconds"] < 5
    assert found["shift.equivalent_heads"] == 143
    assert found["shift.layers_1_to_3.equivalent_heads"] == 36
    assert found["shift.layers_4_to_12.equivalent_heads"] == 107
    assert found["shift.layers_1_to_3.largest_upper_bound_seconds"] == 0
    # the same for every image, so that there is nothing to resample; labels have a standard deviation of 10 s
    assert found["shift.layers_4_to_12.largest_upper_bound_seconds"] == pytest.approx(3)
    ends = [found[f"shift.layers_4_to_12.furthest{end}_percent"] for end in ("_low", "", "_high")]
    assert ends == pytest.approx([30, 30, 30])
    assert found["shift.equivalence.images"] == 60
    assert found["shift.equivalence.margin_seconds"] == pytest.approx(10 * MARGIN)
    assert shift.table().iloc[5].to_list()[-3:] == ["11 of 12", 60, 60]


def test_mean_shifts_carry_weights_and_bound_the_distance_of_the_distributions():
    rng = np.random.default_rng(1)
    baseline, weights = rng.uniform(0, 45, 80), rng.uniform(0.3, 3, 80)
    ablated = baseline + rng.normal(0, 2, (4, 3, 80))
    shift = PredictionShift.of(estimated(baseline, ablated, weights=weights))
    mean = np.average(np.abs(ablated - baseline), axis=-1, weights=weights)
    assert shift.by_head["mean_seconds"] == pytest.approx(mean)
    assert (shift.by_head["wasserstein_seconds"] <= mean + 0.1).all()


def test_the_distributions_are_the_shipped_ones():
    shift = PredictionShift.of(reference.ablation())
    metrics = shift.metrics()
    described = {key: value for key, value in metrics.items() if key.endswith(("wasserstein_seconds", "smirnov"))}
    assert len(described) == 10
    assert reference.differing({key: value for key, value in described.items() if key in reference.RESULTS}) == []
    assert shift.table().shape == (13, 7)
    assert shift.groups().shape == (2, 7)
    assert shift.furthest(2).index[0] == "L1H1"
    assert list(shift.maps()) == [*shift.table().columns[:3]]
    # an interval of a mean shift lies around it, and the margin decides by its upper end
    for group in ("layers_1_to_3", "layers_4_to_12"):
        low, value, high = (metrics[f"shift.{group}.furthest{end}_percent"] for end in ("_low", "", "_high"))
        assert low < value < high
