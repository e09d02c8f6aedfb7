import numpy as np
import pytest
from scipy import stats

from paper_utils.claims import mean_over_seeds, over_seeds
from paper_utils.claims.rules import RULES
from paper_utils.claims.seeds import MEASURED

Z = stats.norm.ppf(0.975)


def coverage(between, of_images, *, shared=True, seeds=3, times=2000):
    """How often the interval holds the true mean, 0, where seeds and images are normal with these deviations."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, between, (times, seeds))
    values += rng.normal(0, of_images, (times, 1 if shared else seeds))
    ends = [mean_over_seeds(row, below=Z * of_images, above=Z * of_images) for row in values]
    return np.mean([low <= 0 <= high for _, low, high in ends])


@pytest.mark.parametrize("of_images", [0, 0.2, 4, 100])
@pytest.mark.parametrize("seeds", [3, 5])
def test_the_interval_holds_the_mean_over_seeds_as_often_as_it_says(of_images, seeds):
    assert 0.93 < coverage(1, of_images, seeds=seeds) < 0.97


@pytest.mark.parametrize("of_images", [0.5, 1])
def test_where_seeds_and_images_count_alike_it_is_a_little_too_wide_and_never_too_narrow(of_images):
    assert 0.95 < coverage(1, of_images) < 0.985
    assert coverage(1, of_images, shared=False) > 0.95


def test_the_ends_are_those_of_the_t_test_or_of_the_images_where_only_one_part_varies():
    values = [21.9, 28.1, 14.7]
    mean, low, high = mean_over_seeds(values, below=0, above=0)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (mean, low, high) == pytest.approx((np.mean(values), expected.low, expected.high))
    assert mean_over_seeds([2, 2, 2], below=0.5, above=1) == pytest.approx((2, 1.5, 3))


def test_seeds_and_images_make_the_interval_of_a_run():
    run = {"x_percent": 2.0, "x_low_percent": 1.0, "x_high_percent": 4.0, "y": 5, "other": 1}
    others = [{"x_percent": 3.0, "x_low_percent": 2.5, "x_high_percent": 4.0, "y": 7}, {"x_percent": 4.0, "y": 9}]
    found = over_seeds(run, others, ["x_percent", "y"])
    # the intervals over images reach 1 and 0.5 down, 2 and 1 up, where there is one
    expected = mean_over_seeds([2, 3, 4], below=0.75, above=1.5)
    assert [found[key] for key in ("x_percent", "x_low_percent", "x_high_percent")] == pytest.approx(expected)
    assert (found["y"], found["other"]) == (7, 1)
    assert "y_low" not in found  # no interval over images, and none over seeds
    assert run["x_percent"] == 2
    assert over_seeds(run, others, ["other"]) is None


def test_every_rule_that_reads_a_value_with_an_interval_is_known():
    assert set(MEASURED) <= set(RULES)
    assert set(RULES) - set(MEASURED) == {"beyond_shuffled", "none_of", "chirp_layers", "head_is", "untestable"}
