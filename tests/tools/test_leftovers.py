import os
import subprocess
import sys
import tempfile

from paper_utils.files import ROOT, atomic_path
from tools.leftovers import only_one, private_folder, sweep

KILLED = """
import os, sys
from pathlib import Path
from paper_utils.files import atomic_path
from tools.leftovers import private_folder
with private_folder() as folder, atomic_path(Path(sys.argv[1]) / "results" / "some.result.npz") as path:
    print(folder, path, flush=True)
    (folder / "notebook").touch()
    os.mkdir(path.parent / f".taken.{os.getpid()}-12345678")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_swept_and_what_a_running_one_writes_stays(tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp")}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    folder, path = done.stdout.split()
    assert os.path.isdir(folder)
    assert os.path.isfile(path)
    others = [
        tmp_path / "results" / name for name in (".gitignore", ".some.npz", ".some.12-x.npz", "some.1-12345678.npz")
    ]
    for other in others:
        other.touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    with atomic_path(tmp_path / "results" / "own.npz") as own, private_folder() as mine:
        sweep(tmp_path)
        assert own.exists()
        assert mine.exists()
        assert not os.path.exists(folder)
        assert not os.path.exists(path)
    assert sorted((tmp_path / "results").iterdir()) == sorted([*others, tmp_path / "results" / "own.npz"])


def test_a_second_process_says_that_it_waits_for_the_first(tmp_path):
    program = "import sys; from tools.leftovers import only_one\nwith only_one(__import__('pathlib').Path(sys.argv[1]), who='a run'): print('in')"
    command = [sys.executable, "-c", program, str(tmp_path / "lock")]
    with only_one(tmp_path / "lock", who="a run"):
        second = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert second.stderr.readline() == "a run is at work; waiting until it has ended\n"
        assert second.poll() is None
    assert second.communicate(timeout=60) == ("in\n", "")
