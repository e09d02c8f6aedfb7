import shutil
import subprocess
import sys
import time

import pytest

from paper_utils.files import ROOT
from tools import set_up


@pytest.fixture
def tree(tmp_path):
    """A tree with requirements and the program alone."""
    (tmp_path / "one" / "tools").mkdir(parents=True)
    for name in (*set_up.PINNED, "tools/set_up.py"):
        shutil.copyfile(ROOT / name, tmp_path / "one" / name)
    return tmp_path / "one"


def pretend(tree):
    (tree / ".venv").mkdir()
    (tree / ".venv" / "ready").write_text(set_up._made_from(tree))


def test_an_environment_is_ready_in_its_place_with_its_requirements(tree):
    assert not set_up.is_ready(tree)
    pretend(tree)
    assert set_up.is_ready(tree)
    moved = tree.rename(tree.with_name("moved"))
    assert not set_up.is_ready(moved)
    assert set_up.is_ready(moved.rename(tree))
    with open(tree / "requirements.txt", "a", encoding="utf-8") as file:
        file.write("wheel==0\n")
    assert not set_up.is_ready(tree)


def test_a_failed_step_is_named_and_leaves_nothing_ready(tree, monkeypatch, capsys):
    def run(command, **_):
        if "pip" in command:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(set_up.subprocess, "run", run)
    monkeypatch.setattr(set_up, "__file__", str(tree / "tools" / "set_up.py"))
    monkeypatch.setattr(sys, "argv", ["set_up"])
    with pytest.raises(SystemExit, match="error: .venv is not ready, .* -m pip install failed"):
        set_up.main()
    assert capsys.readouterr().out.splitlines()[-1] == "  packages, by their hashes"
    assert not set_up.is_ready(tree)


SLOW = """
import pathlib, sys, time
from tools import set_up
def make(root):
    time.sleep(2)
    (root / ".venv").mkdir()
    (root / ".venv" / "ready").write_text(set_up._made_from(root))
set_up._make = make
set_up.set_up(pathlib.Path(sys.argv[1]))
"""


def test_of_two_at_once_the_second_waits_and_makes_nothing(tree):
    command = [sys.executable, "-c", SLOW, str(tree)]
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    while not (tree / "build" / "setup.lock").exists():
        time.sleep(0.01)
    time.sleep(0.2)
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert second.stdout == "another process sets up .venv; waiting for it\n"
    assert first.communicate()[0] == "setting up .venv (once, some minutes)\n"
    assert first.returncode == 0


def test_a_link_is_replaced_and_what_it_points_to_kept(tree, monkeypatch):
    (tree / "others").mkdir()
    (tree / "others" / "file").touch()
    (tree / ".venv").symlink_to(tree / "others")
    monkeypatch.setattr(set_up.subprocess, "run", lambda *_, **__: (tree / ".venv").mkdir(exist_ok=True))
    set_up.set_up(tree)
    assert not (tree / ".venv").is_symlink()
    assert (tree / "others" / "file").exists()
