import numpy as np
import pytest
from scipy import stats

from paper_utils.claims.ledger import Ledger
from paper_utils.claims.published import claims
from paper_utils.training.bias import Bias, selected_and_untouched
from paper_utils.training.evaluation import Evaluation


def evaluation(shift, count=4000, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.uniform(0, 60, (count, 3))
    return Evaluation(labels + rng.normal(shift, 1, (count, 3)), labels, 1.0)


def test_bias_is_the_mean_error_with_the_interval_of_a_mean():
    found = Bias.of(read := evaluation([0.5, 0, -0.2]))
    errors = read.predictions - read.labels
    assert found.bias == pytest.approx(errors.mean(0))
    half = stats.t.ppf(0.975, len(errors) - 1) * stats.sem(errors)
    assert found.low == pytest.approx(errors.mean(0) - half, abs=0.005)
    assert found.high == pytest.approx(errors.mean(0) + half, abs=0.005)


def test_shares_have_no_sign_and_hold_zero_where_the_bias_may_be_none():
    metrics = Bias.of(evaluation([0.5, 0, -0.2])).metrics()
    error = np.sqrt(2 / np.pi)  # of a standard normal; a little more for the shifted one
    assert metrics["bias.end_frequency.of_error_percent"] == pytest.approx(100 * 0.2 / error, rel=0.2)
    assert metrics["bias.start_frequency.of_error_low_percent"] == 0
    for target in ("start_time", "end_frequency"):
        low, value, high = (metrics[f"bias.{target}.of_error{end}_percent"] for end in ("_low", "", "_high"))
        assert 0 < low < value < high
    assert metrics["bias.images"] == 4000


def test_little_bias_is_not_informative_and_much_is_not_reproduced():
    def verdicts(shift):
        return [
            entry.verdict
            for entry in Ledger.of(Bias.of(evaluation(shift)).metrics(), against=claims("2503.22713")).entries
        ]

    assert verdicts([0, 0.02, 0.5]) == ["not informative", "not informative", "not reproduced"]


def test_selected_and_untouched_images_stand_in_rows_with_their_numbers():
    table = selected_and_untouched(evaluation(0, count=50), evaluation(0, count=80, seed=1))
    assert table["Images"].tolist() == [50, 80]
    assert table.shape == (2, 4)
