import pytest

from benchmarks import copies, interruptions
from paper_utils.errors import CompanionError

RUN = """
import pathlib, sys, time
build = pathlib.Path("build/smoke")
build.mkdir(parents=True, exist_ok=True)
for step in range(20):  # goes on where the last one was killed
    path = build / f"{step}.safetensors"
    if not path.exists():
        time.sleep(0.05)
        path.write_bytes(bytes([step]))
"""


def made_up(tmp_path, monkeypatch, run):
    """Let a program of one's own be what is run, in copies of a tree that holds it alone."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "figures.py").write_text(run)
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    monkeypatch.setattr(copies, "PARTS", ("tools",))
    monkeypatch.setattr(interruptions, "EARLIEST", 0.2)


def test_a_run_that_goes_on_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    made_up(tmp_path, monkeypatch, RUN)
    found = interruptions.interruptions(kills=2, longest=0.6, options=())
    assert found["kills"] == found["of the executor"] <= 2
    assert (found["orphans"], found["files that differ"], found["left over"]) == (0, 0, 0)


def test_what_a_killed_run_leaves_is_counted(tmp_path, monkeypatch):
    left = "\nimport os\n(build / f'.{os.getpid()}.tmp').touch()\n"
    made_up(tmp_path, monkeypatch, RUN.replace("for step", f"{left}for step", 1))
    assert interruptions.interruptions(kills=1, longest=0.4, options=())["left over"] >= 1


def test_a_run_that_fails_by_itself_is_no_measurement(tmp_path, monkeypatch):
    made_up(tmp_path, monkeypatch, "import sys; sys.exit('no backbone')")
    with pytest.raises(CompanionError, match="nobody disturbs fails: no backbone"):
        interruptions.interruptions(kills=1, options=())
