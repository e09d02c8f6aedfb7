"""Errors, where they are lowest, and their intervals: against sums by hand and answers made up."""

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.orientation import angles, fits, intervals
from paper_utils.orientation.conditions import condition, of_set

COUNT = 400


def answering(errors_of, name="I", *, starts=2, seed=0):
    """Return fits whose answers are off by what a function says of the angle."""
    one, rng = condition(name), np.random.default_rng(seed)
    lines = of_set(one.set, "test", COUNT)
    off = errors_of(lines.angle) * rng.choice((-1, 1), (starts, COUNT))
    labels = fits.ENCODINGS[one.encoding].labels(lines.angle)
    return fits.Fitted(one, labels + off, np.full((starts, 4), 0.5), np.zeros((starts, 4, 4)))


def test_errors_are_taken_three_ways():
    one = condition("I")
    label = of_set("I", "test", 1).angle[0]
    fitted = fits.Fitted(
        one, np.array([[label + 200.0], [label - 350], [label + 180]]), np.zeros((3, 4)), np.zeros((3, 1, 4))
    )
    assert fitted.errors("plain")[:, 0] == pytest.approx([200, 350, 180])
    assert fitted.errors("circular")[:, 0] == pytest.approx([160, 10, 180])
    assert fitted.errors("axial")[:, 0] == pytest.approx([20, 10, 0])


def test_an_error_that_an_encoding_does_not_have_is_named():
    fitted = answering(lambda angle: angle * 0, "I-axial")
    assert fitted.errors("axial").max() < 1e-9
    with pytest.raises(CompanionError, match="no 'plain' error of condition I-axial; choose axial"):
        fitted.errors("plain")
    with pytest.raises(CompanionError, match="no 'square' error of condition I; choose plain or circular or axial"):
        answering(lambda angle: angle * 0).errors("square")


def test_r_of_what_does_not_vary_is_refused():
    with pytest.raises(CompanionError, match="'length' cannot be asked of set I"):
        answering(lambda angle: angle * 0).r_of("length")
    assert answering(lambda angle: angle * 0).r_of("points").tolist() == [0.5, 0.5]


@pytest.mark.parametrize("lowest", [0, 90, 210, 330])
def test_the_minimum_is_found_where_it_is(lowest):
    away = lambda angle: 5 + np.abs((angle - lowest + 180) % 360 - 180)  # noqa: E731
    fitted = answering(away)
    value, low, high = angles.minimum_from(fitted, lowest)
    assert (value, low, high) == (0, 0, 0)
    expected = min(abs(lowest - 180), 360 - abs(lowest - 180))
    assert angles.minimum_from(fitted, 180)[0] == expected
    curve = angles.ErrorCurve.of(fitted, "plain")
    assert curve.centres[np.argmin(curve.error)] == lowest
    assert (curve.low <= curve.error).all()
    assert (curve.error <= curve.high).all()
    assert curve.by_start.shape == (2, 12)


def test_cardinal_lines_that_are_read_better_are_told_from_others():
    better = answering(lambda angle: 5 + 10 * np.abs(np.sin(2 * np.radians(angle))), "I-axial")
    found = angles.cardinal_and_oblique(better)
    assert found["cardinal"][0] < found["oblique"][0]
    assert found["difference"][0] == pytest.approx(found["oblique"][0] - found["cardinal"][0])
    assert found["difference"][1] > 0
    level = angles.cardinal_and_oblique(answering(lambda angle: 0 * angle + 5, "I-axial"))["difference"]
    assert level[1] - 1e-9 <= 0 <= level[2] + 1e-9


def test_the_error_near_an_angle_is_that_of_its_images():
    fitted = answering(lambda angle: np.where(np.abs((angle + 180) % 360 - 180) <= 15, 2.0, 7.0))
    found = angles.error_near(fitted, 0)
    assert [found[name][0] for name in ("near", "elsewhere", "difference")] == pytest.approx([2, 7, 5])


def test_the_interval_of_a_mean_is_as_wide_as_theory_has_it():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (1, 500))
    value, low, high = intervals.with_interval(values, lambda mean, which: float(mean.mean()))
    assert value == pytest.approx(values.mean())
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / np.sqrt(500), rel=0.1)
    apart = values + rng.normal(0, 1, (8, 1))  # starts that differ make it wider
    _, low, high = intervals.with_interval(apart, lambda mean, which: float(mean.mean()))
    assert (high - low) / 2 == pytest.approx(1.96 * apart.mean(1).std() / np.sqrt(8), rel=0.15)
