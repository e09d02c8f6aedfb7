import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from paper_utils.interventions.distributions import LEVELS, STEP, StartTimes, two_halves
from paper_utils.statistics import largest_gap

from .made_up import estimated


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_where_every_image_is_exact_distances_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    baseline, weights = rng.uniform(0, 45, 80), rng.uniform(0.3, 3, 80)
    ablated = baseline + rng.normal(0, 2, (2, 2, 80))
    found = StartTimes.of(estimated(baseline, ablated, weights=weights))
    for head in np.ndindex(2, 2):
        distance = stats.wasserstein_distance(baseline, ablated[head], weights, weights)
        assert found.wasserstein()[head] == pytest.approx(distance, abs=STEP)
        gap = largest_gap(baseline, ablated[head], (weights, weights))
        # what lies within a step of a prediction is not told apart
        assert found.kolmogorov_smirnov()[head] == pytest.approx(gap, abs=3 * weights.max() / weights.sum())


def test_quantiles_move_as_every_image_does():
    baseline = np.linspace(0, 45, 400)
    by = np.array([[0.0, 1.5], [-3.0, 0.4]])
    found = StartTimes.of(estimated(baseline, baseline + by[..., None]))
    assert found.quantiles() == pytest.approx(45 * LEVELS, abs=2 * STEP)
    assert found.moved() == pytest.approx(np.broadcast_to(by[..., None], (2, 2, len(LEVELS))), abs=2 * STEP)
    assert found.wasserstein() == pytest.approx(np.abs(by), abs=1e-9 + STEP / 2)


def test_few_exact_images_give_nearly_what_all_would():
    """Oracle: the exact ablation of all images. The first head is nearly linear, of the second nothing is linear."""
    rng = np.random.default_rng(3)
    baseline = rng.uniform(0, 45, 2000)
    ablated = np.stack([baseline + rng.normal(1, 0.2, 2000), 45 - baseline])[None]
    linearised = np.stack([ablated[0, 0] + rng.normal(0, 0.1, 2000), baseline + rng.normal(0, 5, 2000)])[None]
    truth = StartTimes.of(estimated(baseline, ablated))
    few = np.sort(rng.choice(2000, 128, replace=False))
    found = StartTimes.of(estimated(baseline, ablated, linearised=linearised, few=few))
    plain = StartTimes.of(estimated(baseline[few], ablated[..., few]))
    error, plain_error = (np.abs(one.moved() - truth.moved()).mean(-1)[0] for one in (found, plain))
    assert error[0] < 0.15
    assert error[0] < plain_error[0]
    assert error[1] < 3  # 128 images of a spread of 13 s
    assert (np.diff(found.ablated) >= 0).all()


def test_halves_of_the_same_predictions_are_as_far_apart_as_chance_puts_them():
    _, gap = two_halves(np.linspace(0, 45, 400), np.ones(400))
    assert gap == pytest.approx(stats.kstwobign.median() * np.sqrt(2 / 200), rel=0.1)
