import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.orientation import phases
from paper_utils.orientation.conditions import condition
from paper_utils.orientation.fits import Fitted


def steps(*parts):
    """Return a curve that stays at each level for so many points."""
    return np.concatenate([np.full(count, level) for level, count in parts])


@pytest.mark.parametrize(
    ("curve", "count"),
    [
        (np.exp(-np.linspace(0, 3, 80)), 0),  # falls evenly in its logarithm
        (np.full(80, 0.3), 0),
        (steps((1, 30), (0.1, 30)), 1),
        (steps((1, 30), (0.3, 30), (0.05, 30)), 2),
        (steps((1, 20), (0.5, 20), (0.25, 20), (0.125, 20)), 3),
        (steps((1, 30), (0.9, 30)), 0),  # too little
        (1 / np.arange(1, 161), 1),  # drops, and then ever more slowly
        (np.array([1.0]), 0),
    ],
)
def test_curves_have_as_many_transitions_as_drops(curve, count):
    assert len(phases.transitions(curve)) == count


@given(st.floats(1e-3, 1e3), st.integers(0, 10))
def test_the_unit_of_a_loss_and_the_end_of_a_fit_change_nothing(unit, missing):
    curve = steps((1, 30), (0.3, 30), (0.05, 30)) * (1 + 0.02 * np.random.default_rng(0).normal(size=90))
    filled = np.append(unit * curve, np.full(missing, np.nan))
    found = [(one.first, one.last) for one in phases.transitions(curve)]
    assert [(one.first, one.last) for one in phases.transitions(filled)] == found
    assert len(found) == 2
    assert abs(found[0][1] - 30) < 3


def test_half_the_way_is_where_the_logarithm_is_half_way():
    assert phases.half_way(np.exp(-np.arange(41) / 10)) == pytest.approx(5.25, abs=0.25)  # point 20, in quarters
    assert np.isnan(phases.half_way(np.full(30, 2.0)))


def test_the_total_is_weighted_as_the_loss_is():
    losses = np.ones((1, 6, 6))
    fitted = Fitted(condition("IV"), np.zeros((1, 3)), np.zeros((1, 6)), losses)
    assert phases.total_loss(fitted) == pytest.approx(np.full((1, 6), 2 + 2 + 4 * 0.5))
    curves = phases.loss_curves(fitted)
    assert list(curves) == ["angle", "points", "noise", "length", "width", "colour"]
    assert curves["angle"].epochs[3] == 1
