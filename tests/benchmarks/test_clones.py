import sys

import numpy as np
import pytest

from benchmarks import clones, copies
from paper_utils.errors import CompanionError
from paper_utils.files import write_arrays, write_json

COUNTS = {"files": 2, ".npz": 1, ".json": 1, "differ": 0}


@pytest.fixture
def pair(tmp_path):
    for name in ("first", "second"):
        write_arrays(
            tmp_path / name / "build" / "laptop" / "results" / "ablation.npz",
            {"loss": np.array([1.0, -4.0, np.nan]), "count": np.array(3), "seconds": np.array(float(name == "first"))},
        )
        write_json(tmp_path / name / "figures" / "laptop" / "results.json", {"r": 0.5, "who": "L1H1", "x.seconds": 1})
        write_json(tmp_path / name / "figures" / "reference" / "results.json", {"r": len(name)})  # what ships
    return tmp_path / "first", tmp_path / "second"


def test_clones_that_made_the_same_do_not_differ(pair):
    assert clones.compared(*pair) == ([], COUNTS)


def test_what_differs_is_measured(pair):
    write_arrays(
        pair[1] / "build" / "laptop" / "results" / "ablation.npz",
        {"loss": np.array([1.0, -4.1, np.nan]), "count": np.array(3), "seconds": np.array(9.0)},
    )
    write_json(pair[1] / "figures" / "laptop" / "results.json", {"r": 0.6, "who": "L1H2", "x.seconds": 2})
    apart, found = clones.compared(*pair)
    assert apart == ["build/laptop/results/ablation.npz", "figures/laptop/results.json"]
    differ = {"differ": 2, ".json differ": 1, ".npz differ": 1}
    assert found == COUNTS | differ | {"% apart at most in .json": 20, "% apart at most in .npz": 100 * 0.1 / 4}


def test_a_file_of_one_clone_alone_differs(pair):
    (pair[1] / "figures" / "laptop" / "results.json").unlink()
    assert clones.compared(*pair)[1] == COUNTS | {"differ": 1, ".json differ": 1}


def test_a_clone_without_results_is_named(pair, tmp_path):
    with pytest.raises(CompanionError, match="empty is no clone in which `make figures` has run"):
        clones.compared(pair[0], tmp_path / "empty")


RUN = """
import os, pathlib, socket
assert [name for _, name in socket.if_nameindex()] == ["lo"] or not {alone}
path = pathlib.Path("build/smoke/a.safetensors")
path.parent.mkdir(parents=True)
path.write_bytes({content})
"""


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Return a function that lets a program write what it is told be what is run."""
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    monkeypatch.setattr(copies, "PARTS", ("tools",))

    def let(content):
        (tmp_path / "tools").mkdir()
        text = RUN.format(content=content, alone=bool(clones.without_network()))
        (tmp_path / "tools" / "figures.py").write_text(text)

    return let


def test_two_runs_of_this_tree_without_a_network_come_to_the_same(runs):
    runs("b'the same'")
    without = f"with{'out' if clones.without_network() else ''} a network"
    assert clones.made_twice() == {"files": 1, "differ": 0, "network": without}


def test_two_runs_that_differ_are_counted_and_an_error(runs, capsys, monkeypatch):
    runs("os.urandom(8)")
    monkeypatch.setattr(sys, "argv", ["clones"])
    with pytest.raises(SystemExit, match="^error: two runs with one thread each differ"):
        clones.main()
    said = capsys.readouterr().out
    assert said.startswith("differs: build/smoke/a.safetensors\ntwo runs of 1 files, ")
    assert said.endswith(" a network: 1 differ\n")


def test_a_run_that_fails_is_named(runs):
    runs("no_name")
    with pytest.raises(CompanionError, match="in a copy of this tree: NameError: name 'no_name' is not defined"):
        clones.made_twice()
