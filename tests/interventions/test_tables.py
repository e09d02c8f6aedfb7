import numpy as np
import pytest

from paper_utils.interventions.tables import interval, rounded


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (21.9028, "21.9"),
        (0.0072114, "0.00721"),
        (1024.3, "1020"),
        (300.0, "300"),
        (-0.5, "-0.500"),
        (9.999, "10.0"),
        (0.0, "0"),
        (-0.0, "0"),
        (np.nan, "-"),
        (np.float32(0.1), "0.100"),
    ],
)
def test_three_digits_and_no_exponent(value, shown):
    assert rounded(value) == shown


def test_an_interval_is_written_out():
    assert interval(-0.0959, 0.6117) == "-0.0959 to 0.612"
