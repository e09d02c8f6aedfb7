"""Errors that a user can solve are one line, whatever is in the names that they quote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.errors import CompanionError, reported


@given(name=st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" ")))
def test_what_can_be_printed_stays_as_it_is(name):
    assert str(CompanionError(f"{name} is no folder")) == f"{name} is no folder"


@given(name=st.text(st.characters()))
def test_a_message_is_one_line_that_can_be_printed(name):
    said = str(CompanionError(f"{name} is no folder"))
    assert len(said.splitlines()) == 1
    assert said.isprintable()
    assert said.endswith(" is no folder")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (CompanionError("a\nb is missing"), r"error: a\\nb is missing"),
        (OSError(28, "No space left on device", "/a\nb"), r"error: /a\\nb: No space left on device; check rights"),
    ],
)
def test_a_program_ends_with_that_line(error, said):
    with pytest.raises(SystemExit, match=said), reported():
        raise error
