import numpy as np
import pytest
from scipy import stats

from paper_utils.errors import CompanionError
from paper_utils.interventions.equivalence import equivalence, resampled_shifts, shifts_without_each


def test_intervals_are_those_of_scipy_as_far_as_resamples_allow():
    shifts = np.abs(np.random.default_rng(0).normal(0, 1, (1, 2, 200)))
    held = equivalence(shifts, margin=1)
    assert held.mean == pytest.approx(shifts.mean(-1))
    for head in range(2):
        ends = stats.bootstrap((shifts[0, head],), np.mean, method="BCa", rng=np.random.default_rng(1))
        assert held.low[0, head] == pytest.approx(ends.confidence_interval.low, abs=0.01)
        assert held.high[0, head] == pytest.approx(ends.confidence_interval.high, abs=0.01)


def test_more_images_move_neither_estimate_nor_margin_and_make_the_bound_tighter():
    rng = np.random.default_rng(2)
    few, many = (equivalence(rng.exponential(0.1, (1, 1, count)), margin=0.13) for count in (30, 3000))
    assert few.margin == many.margin
    assert many.mean[0, 0] == pytest.approx(0.1, rel=0.05)
    assert many.high[0, 0] - many.mean[0, 0] < (few.high[0, 0] - few.mean[0, 0]) / 4
    assert many.equivalent[0, 0]
    assert (few.images, many.images) == (30, 3000)


@pytest.mark.parametrize("skewed", [False, True])
def test_a_head_at_the_margin_is_seldom_called_equivalent(skewed):
    # 400 heads that shift exactly by the margin: at most one in forty, and some more where shifts are skewed
    rng = np.random.default_rng(3)
    shifts = rng.exponential(1, (20, 20, 300)) if skewed else rng.uniform(0, 2, (20, 20, 300))
    share = equivalence(shifts, margin=1).equivalent.mean()
    assert share < (0.07 if skewed else 0.05)


def test_the_largest_upper_bound_holds_for_all_heads_of_a_group_at_once():
    rng = np.random.default_rng(4)
    held = [equivalence(rng.uniform(0, 2, (2, 6, 100)), margin=1).largest(slice(0, 2)) for _ in range(200)]
    assert np.mean([high >= 1 for _, _, high in held]) > 0.975
    shifts = np.zeros((3, 2, 20))
    shifts[1, 1] = 4.0
    held = equivalence(shifts, margin=1)
    assert held.largest(slice(0, 3)) == (4, 4, 4)
    assert held.largest(slice(2, 3)) == (0, 0, 0)
    assert held.equivalent.sum() == 5


def test_values_of_single_images_may_be_negative():
    shifts = np.random.default_rng(5).normal(0.05, 0.2, (1, 1, 400))
    held = equivalence(shifts, margin=0.1)
    assert held.low[0, 0] < shifts.mean() < held.high[0, 0] < 0.1


def test_resamples_and_leaving_out_give_means_of_the_images_that_are_left():
    shifts = np.random.default_rng(6).exponential(1, (2, 3, 10))
    left_out = shifts_without_each(shifts)
    for image in range(10):
        assert left_out[image] == pytest.approx(np.delete(shifts, image, -1).mean(-1))
    sample = resampled_shifts(shifts)
    assert sample.shape == (2000, 2, 3)
    assert sample.mean(0) == pytest.approx(shifts.mean(-1), rel=0.05)


def test_too_few_images_or_no_margin_are_refused():
    with pytest.raises(CompanionError, match="no equivalence by 7 images"):
        equivalence(np.zeros((1, 1, 7)), margin=1)
    with pytest.raises(CompanionError, match="and 0 s"):
        equivalence(np.zeros((1, 1, 9)), margin=0)
