import os

import pytest

from benchmarks.sameness import VARIATIONS, compared, sameness
from paper_utils.errors import CompanionError

FIRST = {"pixels": "ab", "probes": {"maps": {"mean": 2.0, "deviation": 0.5}}}


def test_differences_are_held_against_the_tolerance():
    assert compared(FIRST, FIRST, {"maps": 1e-3}) == {
        "images_same": True,
        "numbers": 2,
        "numbers_same_to_four_digits": 2,
        "largest_difference_of_tolerance": 0,
    }
    other = {"pixels": "ac", "probes": {"maps": {"mean": 2.0 + 4e-3, "deviation": 0.5 + 1e-4}}}
    found = compared(FIRST, other, {"maps": 1e-3})
    assert not found["images_same"]
    assert found["numbers_same_to_four_digits"] == 0
    assert found["largest_difference_of_tolerance"] == pytest.approx(2)  # of the mean; of the deviation it is a tenth


@pytest.mark.slow
def test_images_and_numbers_do_not_depend_on_threads():
    variations = {name: VARIATIONS[name] for name in ("as usual", "one thread", "three threads")}
    for name, found in sameness(("images", "maps"), variations).items():
        assert found["images_same"], name
        assert found["largest_difference_of_tolerance"] < 0.01, name


def test_a_variation_that_fails_is_named():
    with pytest.raises(CompanionError, match="no memory: .*KeyError: 'none'"):
        sameness(("none",), {"no memory": dict(os.environ)})
