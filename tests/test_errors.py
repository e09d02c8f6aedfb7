"""Errors that a user can solve are one line, whatever is in the names that they quote."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT


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


def run(program, **environment):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SOURCE_DATE_EPOCH", "abc", "error: SOURCE_DATE_EPOCH is 'abc', no time in seconds since 1970; unset it or "),
        ("SOURCE_DATE_EPOCH", "9" * 30, f"error: SOURCE_DATE_EPOCH is '{'9' * 30}', no time in seconds"),
        (
            "PYTHONOPTIMIZE",
            "2",
            "error: docstrings are needed, by transformers, too; unset PYTHONOPTIMIZE or set it to 1",
        ),
    ],
)
def test_what_would_stop_a_library_is_one_line(name, value, said):
    done = run("import paper_utils", **{name: value})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(("backend", "kept"), [("nonsense", None), ("agg", "agg"), ("", "")])
def test_a_backend_that_matplotlib_does_not_know_is_forgotten_and_another_stays(backend, kept):
    program = "import os, paper_utils, matplotlib; print(repr(os.environ.get('MPLBACKEND')), matplotlib.get_backend())"
    done = run(program, MPLBACKEND=backend, DISPLAY="")
    assert done.stdout.split()[:1] == [repr(kept)], done.stderr


def test_a_program_whose_stdout_is_closed_ends_well():
    program = "import os; os.close(1); os.execv('{}', ['python', '-c', '{}'])"
    inner = "from paper_utils.errors import reported\\nwith reported(): print(1)"
    done = run(program.format(sys.executable, inner))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
