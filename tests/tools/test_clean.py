import subprocess
import sys

import pytest

from tools import clean
from tools.leftovers import only_one


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A tree of two runs, what ships and an environment."""
    for name in ("build/laptop/a.npz", "figures/laptop/b.png", "figures/smoke+vit/c.png", "figures/reference/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "figures" / "paper").symlink_to(tmp_path / "elsewhere")
    monkeypatch.setattr(clean, "__file__", str(tmp_path / "tools" / "clean.py"))
    monkeypatch.setattr(sys, "argv", ["clean"])
    return tmp_path


def test_what_runs_made_goes_and_the_rest_stays(tree):
    clean.main()
    left = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*"))
    assert left == [".venv", "elsewhere", "figures", "figures/reference", "figures/reference/d.png"]
    clean.main()  # of nothing


def test_nothing_is_removed_while_a_run_is_at_work(tree):
    before = sorted(tree.rglob("*"))
    with only_one(tree / "build" / "laptop" / "lock", who="a run"):
        with pytest.raises(
            SystemExit, match=r"^error: a process is at work in \S+/build/laptop; wait for it, or end it"
        ):
            clean.main()
        assert set(before) <= set(tree.rglob("*"))
    clean.main()
    assert not (tree / "build").exists()


def test_the_standard_library_is_enough(tree):
    command = [sys.executable, "-I", "-S", clean.__spec__.origin, "--help"]
    assert "Remove what runs have made" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
