import numpy as np
import pytest
from nbformat import v4, write
from PIL import Image

from benchmarks import copies
from paper_utils.files import write_arrays, write_json


def notebook(path, shown):
    output = v4.new_output("stream", text=shown)
    write(v4.new_notebook(cells=[v4.new_code_cell("run", outputs=[output])]), path)  # each with cell ids of its own


@pytest.fixture
def pair(tmp_path):
    """Two copies of a tree with the same results, figures and notebooks, which took different times."""
    for number, name in enumerate(("first", "second")):
        results = tmp_path / name / "build" / "smoke"
        write_arrays(results / "a.npz", {"effects": np.array([1.0, np.nan]), "seconds": np.array(number)})
        write_json(tmp_path / name / "figures" / "smoke" / "results.json", {"r": 0.5, "images_per_second": number})
        write_json(tmp_path / name / "figures" / "reference" / "results.json", {"r": number})  # what ships
        Image.new("RGB", (4, 4), "white").save(tmp_path / name / "figures" / "smoke" / "f.png")
        notebook(results / "04.ipynb", "Done.")
    return tmp_path / "first", tmp_path / "second"


def test_times_are_no_difference(pair):
    assert copies.differences(*pair) == []
    assert copies.made(pair[0]) == {
        *("build/smoke/a.npz", "build/smoke/04.ipynb", "figures/smoke/f.png", "figures/smoke/results.json")
    }


def test_another_number_picture_output_or_a_missing_file_is_one(pair):
    first, second = pair
    write_arrays(second / "build" / "smoke" / "a.npz", {"effects": np.array([1.0, 0.0]), "seconds": np.array(0)})
    write_json(second / "figures" / "smoke" / "results.json", {"r": 0.6, "images_per_second": 1})
    notebook(second / "build" / "smoke" / "04.ipynb", "Done?")
    (first / "figures" / "smoke" / "f.png").unlink()
    assert copies.differences(*pair) == sorted(copies.made(second))


def test_a_run_in_a_copy_reads_the_copy_and_says_what_it_says(tmp_path, monkeypatch):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "figures.py").write_text(
        "import os, sys; print(*sys.argv[1:], os.environ['OMP_NUM_THREADS'])"
    )
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    monkeypatch.setattr(copies, "PARTS", ("tools",))
    copy = copies.copy_tree(tmp_path / "copy")
    (copy / "tools" / "here.py").touch()
    assert copies.start(copy, ("--profile", "smoke")).wait() == 0
    assert copies.last_line(copy) == "--profile smoke 1"
