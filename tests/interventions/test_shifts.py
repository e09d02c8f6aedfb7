import numpy as np
import pytest
from scipy import stats

from paper_utils.interventions import Ablation, PredictionShift, head_shifts, two_halves
from paper_utils.interventions.shifts import MARGIN, image_shifts

from . import reference


def ablation_of(baseline, ablated, weights=None):
    """An ablation whose start times are given, with labels that have a standard deviation of 10 s."""
    three = np.stack([baseline] * 3, -1)
    weights = np.ones(len(baseline)) if weights is None else weights
    return Ablation(three, np.stack([ablated] * 3, -1), three, np.full(3, 10.0), weights)


def test_shifts_of_a_moved_head():
    baseline = np.linspace(0, 45, 60)
    ablated = np.tile(baseline, (12, 12, 1))
    ablated[5, 5] += 3
    shifts = head_shifts(baseline, ablated, np.ones(60))
    assert shifts["mean_seconds"][5, 5] == pytest.approx(3)
    assert shifts["wasserstein_seconds"][5, 5] == pytest.approx(3)
    assert np.count_nonzero(shifts["kolmogorov_smirnov"]) == 1
    found = PredictionShift.of(ablation_of(baseline, ablated)).metrics()
    assert found["shift.layers_1_to_3.mean_seconds"] == 0
    assert found["shift.layers_1_to_3.largest_kolmogorov_smirnov"] == 0
    assert found["shift.layers_4_to_12.mean_seconds"] == pytest.approx(3 / 108)
    assert found["shift.layers_4_to_12.wasserstein_seconds"] == pytest.approx(3 / 108)
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


def test_halves_of_the_same_predictions_are_as_far_apart_as_chance_puts_them():
    _, gap = two_halves(np.linspace(0, 45, 400), np.ones(400))
    assert gap == pytest.approx(stats.kstwobign.median() * np.sqrt(2 / 200), rel=0.1)


def test_shifts_carry_their_weights_and_bound_the_distance_of_the_distributions():
    rng = np.random.default_rng(1)
    baseline, weights = rng.uniform(0, 45, 80), rng.uniform(0.3, 3, 80)
    ablated = baseline + rng.normal(0, 2, (4, 3, 80))
    shifts = image_shifts(ablation_of(baseline, ablated, weights))
    for layer, head in np.ndindex(4, 3):
        mean = np.average(np.abs(ablated[layer, head] - baseline), weights=weights)
        assert shifts[layer, head].mean() == pytest.approx(mean)
        assert stats.wasserstein_distance(baseline, ablated[layer, head], weights, weights) <= mean + 1e-9


def test_shifts_on_more_images_take_the_place_of_those_of_the_ablation():
    baseline = np.linspace(0, 45, 60)
    shift = PredictionShift.of(
        ablation_of(baseline, np.tile(baseline, (12, 12, 1))), shifts=np.full((12, 12, 500), 0.2)
    )
    found = shift.metrics()
    assert found["shift.layers_1_to_3.mean_seconds"] == pytest.approx(0.2)
    assert found["shift.layers_1_to_3.mean_percent"] == pytest.approx(2)
    assert found["shift.layers_1_to_3.kolmogorov_smirnov"] == 0
    assert (found["shift.equivalent_heads"], found["shift.equivalence.images"]) == (0, 500)
    assert shift.table().iloc[0].to_list()[-4:] == ["0.20", "0 of 12", 60, 500]


def test_the_distributions_are_the_shipped_ones():
    ablation = reference.ablation()
    shift = PredictionShift.of(Ablation(**reference.arrays("plain_ablation")), shifts=ablation.shifts())
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
