import numpy as np
import pytest

from benchmarks import clones
from paper_utils.errors import CompanionError
from paper_utils.files import write_arrays, write_json


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
    assert clones.compared(*pair) == ([], {".json": {"files": 1, "differ": 0}, ".npz": {"files": 1, "differ": 0}})


def test_what_differs_is_measured(pair):
    write_arrays(
        pair[1] / "build" / "laptop" / "results" / "ablation.npz",
        {"loss": np.array([1.0, -4.1, np.nan]), "count": np.array(3), "seconds": np.array(9.0)},
    )
    write_json(pair[1] / "figures" / "laptop" / "results.json", {"r": 0.6, "who": "L1H2", "x.seconds": 2})
    apart, found = clones.compared(*pair)
    assert apart == ["build/laptop/results/ablation.npz", "figures/laptop/results.json"]
    assert found[".npz"] == {"files": 1, "differ": 1, "largest_percent": pytest.approx(100 * 0.1 / 4)}
    assert found[".json"] == {"files": 1, "differ": 1, "largest_percent": pytest.approx(20)}


def test_a_file_of_one_clone_alone_differs(pair):
    (pair[1] / "figures" / "laptop" / "results.json").unlink()
    assert clones.compared(*pair)[1][".json"] == {"files": 1, "differ": 1}


def test_a_clone_without_results_is_named(pair, tmp_path):
    with pytest.raises(CompanionError, match="empty is no clone in which `make figures` has run"):
        clones.compared(pair[0], tmp_path / "empty")
