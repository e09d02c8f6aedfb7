import numpy as np
import pytest
from PIL import Image

from benchmarks import interruptions
from paper_utils.errors import CompanionError
from paper_utils.files import write_arrays, write_json


@pytest.fixture
def copies(tmp_path):
    """Two copies of a tree with the same results and figures, which took different times."""
    for number, name in enumerate(("calm", "disturbed")):
        results = tmp_path / name / "build" / "smoke"
        write_arrays(results / "a.npz", {"effects": np.array([1.0, np.nan]), "seconds": np.array(number)})
        write_json(tmp_path / name / "figures" / "smoke" / "results.json", {"r": 0.5, "images_per_second": number})
        Image.new("RGB", (4, 4), "white").save(tmp_path / name / "figures" / "smoke" / "f.png")
    return tmp_path / "calm", tmp_path / "disturbed"


def test_times_are_no_difference(copies):
    assert interruptions.differences(*copies) == []


def test_another_number_picture_or_a_missing_file_is_one(copies):
    calm, disturbed = copies
    write_arrays(disturbed / "build" / "smoke" / "a.npz", {"effects": np.array([1.0, 0.0]), "seconds": np.array(0)})
    write_json(disturbed / "figures" / "smoke" / "results.json", {"r": 0.6, "images_per_second": 1})
    (calm / "figures" / "smoke" / "f.png").unlink()
    found = interruptions.differences(calm, disturbed)
    assert found == ["build/smoke/a.npz", "figures/smoke/f.png", "figures/smoke/results.json"]


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
    monkeypatch.setattr(interruptions, "ROOT", tmp_path)
    monkeypatch.setattr(interruptions, "PARTS", ("tools",))
    monkeypatch.setattr(interruptions, "EARLIEST", 0.2)


def test_a_run_that_goes_on_ends_as_an_undisturbed_one(tmp_path, monkeypatch):
    made_up(tmp_path, monkeypatch, RUN)
    found = interruptions.interruptions(kills=2, longest=0.6, options=())
    assert found["kills"] == found["killed.executor"] <= 2
    assert (found["orphans"], found["differences"], found["left_over"]) == (0, 0, 0)


def test_what_a_killed_run_leaves_is_counted(tmp_path, monkeypatch):
    left = "\nimport os\n(build / f'.{os.getpid()}.tmp').touch()\n"
    made_up(tmp_path, monkeypatch, RUN.replace("for step", f"{left}for step", 1))
    assert interruptions.interruptions(kills=1, longest=0.4, options=())["left_over"] >= 1


def test_a_run_that_fails_by_itself_is_no_measurement(tmp_path, monkeypatch):
    made_up(tmp_path, monkeypatch, "import sys; sys.exit('no backbone')")
    with pytest.raises(CompanionError, match="nobody disturbs fails: no backbone"):
        interruptions.interruptions(kills=1, options=())
