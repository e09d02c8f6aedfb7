import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.errors import CompanionError
from paper_utils.orientation import conditions

ANGLES = st.lists(st.floats(0, 359.99), min_size=1, max_size=20).map(np.array)


@given(ANGLES, st.sampled_from(list(conditions.ENCODINGS.values())))
def test_decoding_gives_the_label_back(angles, encoding):
    found = encoding.decode(encoding.encode(angles))
    apart = np.abs(found - encoding.labels(angles))
    assert np.minimum(apart, encoding.period - apart).max() < 1e-9  # 0 and the period are one


@given(ANGLES)
def test_encodings_are_what_they_are_said_to_be(angles):
    known = conditions.ENCODINGS
    assert known["published"].encode(angles)[:, 0] == pytest.approx(angles / 180 - 1)
    assert known["turned_90"].labels(angles) == pytest.approx((angles + 270) % 360, abs=1e-9)
    other_end = (angles + 180) % 360
    assert known["axial"].encode(angles) == pytest.approx(known["axial"].encode(other_end), abs=1e-9)


def test_names_say_what_differs():
    assert {"I", "I-axial", "I-dot", "IV-axial-equal", "IV-default"} <= set(conditions.CONDITIONS)
    assert conditions.condition("IV-axial-equal").images == ("IV", "equal")
    with pytest.raises(CompanionError, match="no condition is called 'V'; choose one of I, II"):
        conditions.condition("V")


def test_splits_have_other_lines():
    first = [conditions.of_set("I", split, 50).angle for split in ("train", "choice", "test")]
    assert len(np.unique(first)) == 150


def test_targets_are_scaled_as_published():
    one = conditions.CONDITIONS["IV"]
    lines = conditions.of_set("IV", "test", 40)
    found = conditions.targets_of(lines, one)
    assert list(found) == ["angle", "points", "noise", "length", "width", "colour"]
    assert found["points"][:, :2] * 224 == pytest.approx(lines.start, abs=1e-4)
    assert found["width"][:, 0] * 10 == pytest.approx(lines.width, abs=1e-5)
    red = lines.colour == "red"
    assert (found["colour"][red] == [1, 0, 0]).all()
    darker = conditions.targets_of(lines, conditions.CONDITIONS["IV-axial-equal"])["colour"]
    assert (darker[red] > 0).tolist() == [[True, False, False]] * int(red.sum())
    assert darker[red].max() < 0.7


@pytest.mark.parametrize(("name", "target"), [("I", "length"), ("II", "width"), ("III", "colour"), ("I", "taste")])
def test_what_a_set_does_not_vary_in_is_named(name, target):
    with pytest.raises(
        CompanionError, match=f"'{target}' cannot be asked of set {name}, .* choose one of angle, points"
    ):
        conditions.check_target(name, target)


@pytest.mark.parametrize(("name", "target"), [("II", "length"), ("III", "width"), ("IV", "colour"), ("I", "angle")])
def test_what_a_set_varies_in_may_be_asked(name, target):
    conditions.check_target(name, target)
