import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.errors import CompanionError
from paper_utils.interventions.estimation import FewOfMany, choose_few, controlled_changes, correlations
from paper_utils.statistics import effect_bounds, percent_increase, weighted_choice

FEW = FewOfMany(np.arange(0, 60, 3), np.ones(20))


def population(rng, count):
    """Squared errors of the intact model, and linearised and exact changes by three heads, of images like the real ones.

    One image in seventy fails and carries half of the loss. The first head is nearly linear, the second less so, and of
    the third the linearised model knows nothing.
    """
    size = np.where(
        rng.random(count) < 0.015, np.sqrt(30) * np.exp(rng.normal(0, 0.25, count)), np.exp(rng.normal(-1, 0.5, count))
    )
    error = size * rng.choice((-1, 1), count)
    linear, noise = (rng.standard_normal((3, count)) * (0.03 + 0.05 * size) for _ in range(2))
    exact = np.stack([1.02 * linear[0] + 0.05 * noise[0], 0.9 * linear[1] + 0.4 * noise[1], 5 * np.abs(noise[2])])
    return error**2, 2 * error * linear + linear**2, 2 * error * exact + exact**2


@pytest.mark.slow
def test_estimates_are_unbiased_and_intervals_cover_the_truth():
    rng = np.random.default_rng(0)
    intact, linearised, exact = population(rng, 300_000)
    truth = 100 * exact.mean(-1) / intact.mean()
    estimates, covered, widths, plain_widths = [], [], [], []
    for seed in range(200):
        pool = rng.choice(len(intact), 12_000, replace=False)
        chosen, weights = weighted_choice(intact[pool], 2048, seed=seed)
        many = pool[chosen]
        few = choose_few(weights * intact[many], 128, seed=seed)
        some = many[few.positions]
        changes = controlled_changes(weights[few.positions] * exact[:, some], weights * linearised[:, many], few)
        whole = weights * intact[many]
        low, high = effect_bounds(whole + changes, whole, seed=seed)
        estimates.append(percent_increase(whole + changes, whole))
        covered.append((low <= truth) & (truth <= high))
        widths.append(high - low)
        # as many exact images as the same time allows without linearised ones
        chosen, weights = weighted_choice(intact[pool], 320, seed=seed)
        few_errors, few_changes = weights * intact[pool[chosen]], weights * exact[:, pool[chosen]]
        low, high = effect_bounds(few_errors + few_changes, few_errors, seed=seed)
        plain_widths.append(high - low)
    found = np.array(estimates)
    assert (np.abs(found.mean(0) - truth) < 3 * found.std(0) / len(found) ** 0.5).all()
    assert (np.mean(covered, axis=0) > 0.91).all()  # 0.95 less two and a half standard errors
    ratio = np.median(np.array(widths) / plain_widths, axis=0)
    assert ratio[0] < 0.85
    assert ratio[2] < 1.8  # nothing is gained, and the few are fewer


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(-10, 10))
def test_what_is_linear_in_the_linearised_change_is_known_for_all_images(seed, slope, level):
    linearised = np.random.default_rng(seed).standard_normal((2, 60))
    whole = level + slope * linearised
    assert controlled_changes(whole[:, FEW.positions], linearised, FEW) == pytest.approx(whole, abs=1e-9)


@given(st.integers(0, 10_000))
def test_the_mean_is_that_of_least_squares(seed):
    rng = np.random.default_rng(seed)
    linearised, exact = rng.standard_normal(60), rng.standard_normal(20)
    few = FewOfMany(FEW.positions, rng.uniform(0.5, 2, 20))
    slope, level = np.polyfit(linearised[few.positions], exact, 1, w=np.sqrt(few.weights))
    expected = level + slope * linearised.mean()
    assert controlled_changes(exact, linearised, few).mean() == pytest.approx(expected, abs=1e-9)


def test_a_head_that_linearises_to_nothing_keeps_the_plain_mean_of_the_few():
    exact = np.random.default_rng(0).standard_normal(20)
    changes = controlled_changes(exact, np.zeros(60), FEW)
    assert changes.mean() == pytest.approx(exact.mean())
    spread = changes.std() / len(changes) ** 0.5  # as wide as that of twenty images, but for the leverage
    assert spread == pytest.approx(exact.std() / 20**0.5, rel=0.1)


def test_where_all_are_exact_nothing_is_estimated():
    rng = np.random.default_rng(0)
    exact, linearised = rng.standard_normal((2, 40))
    all_of_them = FewOfMany(np.arange(40), np.ones(40))
    assert controlled_changes(exact, linearised, all_of_them).mean() == pytest.approx(exact.mean())


def test_correlations_are_numpys_where_weights_are_equal():
    rng = np.random.default_rng(0)
    exact, linearised = rng.standard_normal((3, 20)), rng.standard_normal((3, 60))
    expected = [np.corrcoef(*pair)[0, 1] for pair in zip(exact, linearised[:, FEW.positions], strict=True)]
    assert correlations(exact, linearised, FEW) == pytest.approx(expected)
    assert correlations(exact, np.zeros((3, 60)), FEW) == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(("count", "message"), [(19, "do not belong"), (7, "too few")])
def test_exact_images_must_be_those_chosen_and_enough(count, message):
    few = FewOfMany(np.arange(min(count, 7) if count < 8 else 20), np.ones(min(count, 7) if count < 8 else 20))
    with pytest.raises(CompanionError, match=message):
        controlled_changes(np.zeros(count), np.zeros(60), few)
