import numpy as np
import pytest
from scipy import stats

from paper_utils.bootstrap import resample_counts
from paper_utils.interventions import PredictionShift, head_shifts, shift_metrics, two_halves
from paper_utils.interventions.shifts import largest_of_halves, resampled_gaps

from . import reference


def test_shifts_of_a_moved_head():
    baseline = np.linspace(0, 45, 60)
    ablated = np.tile(baseline, (12, 12, 1))
    ablated[5, 5] += 3
    shifts = head_shifts(baseline, ablated, np.ones(60))
    assert shifts["mean_seconds"][5, 5] == pytest.approx(3)
    assert shifts["wasserstein_seconds"][5, 5] == pytest.approx(3)
    assert np.count_nonzero(shifts["kolmogorov_smirnov"]) == 1
    found = shift_metrics(baseline, ablated, np.ones(60))
    assert found["shift.layers_1_to_3.mean_seconds"] == 0
    assert found["shift.layers_1_to_3.largest_kolmogorov_smirnov"] == 0
    assert found["shift.layers_4_to_12.mean_seconds"] == pytest.approx(3 / 108)
    assert found["shift.layers_4_to_12.wasserstein_seconds"] == pytest.approx(3 / 108)
    assert 0 < found["shift.two_halves.wasserstein_seconds"] < 5


def test_halves_of_the_same_predictions_are_as_far_apart_as_chance_puts_them():
    _, gap = two_halves(np.linspace(0, 45, 400), np.ones(400))
    assert gap == pytest.approx(stats.kstwobign.median() * np.sqrt(2 / 200), rel=0.1)


def test_the_largest_of_many_halvings_exceeds_the_median_and_one_alone_has_the_mean():
    baseline, weights = np.linspace(0, 45, 400), np.ones(400)
    _, median = two_halves(baseline, weights)
    one, many = (largest_of_halves(baseline, weights, count) for count in (1, 36))
    assert one == pytest.approx(stats.kstwobign.mean() * np.sqrt(2 / 200), rel=0.1)
    # of the largest of 36 the distribution function is the 36th power
    grid = np.linspace(0, 4, 4001)
    expected = np.trapezoid(1 - stats.kstwobign.cdf(grid) ** 36, grid) * np.sqrt(2 / 200)
    assert many == pytest.approx(expected, rel=0.1)
    assert median < one < many


def test_resampled_distances_are_those_of_repeated_images():
    rng = np.random.default_rng(0)
    baseline = rng.uniform(0, 45, 30).round()  # with ties
    ablated = baseline + rng.normal(0, 3, (2, 3, 30)).round()
    sample = resampled_gaps(baseline, ablated, np.ones(30), seed=4, resamples=20)
    for number, counts in enumerate(resample_counts(30, seed=4, resamples=20)):
        drawn = np.repeat(np.arange(30), counts)
        for layer, head in np.ndindex(2, 3):
            expected = stats.ks_2samp(baseline[drawn], ablated[layer, head, drawn]).statistic
            assert sample[number, layer, head] == pytest.approx(expected)


def test_the_shift_is_the_shipped_one():
    shift = PredictionShift.of(reference.ablation())
    metrics = shift.metrics()
    assert "shift.late_minus_early.mean_without_largest_high_kolmogorov_smirnov" in metrics
    assert reference.differing(metrics) == []
    table = shift.table()
    assert table.shape == (13, 4)
    assert table.iloc[-1].to_list() == ["1.9", "0.11", "-", 352]
    assert shift.groups().iloc[0].to_list() == ["0.175", "0.0243", "0.208", 352]
    assert shift.furthest(2).index[0] == "L1H1"
    assert list(shift.maps()) == [*table.columns[:-1]]
