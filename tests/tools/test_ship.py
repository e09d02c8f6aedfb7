import numpy as np

from paper_utils import Run
from paper_utils.files import read_json, write_arrays, write_json
from paper_utils.pipeline.cache import Stamp, State
from paper_utils.pipeline.line_fits import LINE_STAGES
from tools import ship


def test_metrics_are_taken_again_and_the_origin_stays(tmp_path, monkeypatch):
    asked = []

    def collect(run):
        asked.append(run.source)
        return {"origin.backbone": "other", "origin.source": "reference", "new": 1.0, "old": 2.0}

    monkeypatch.setattr(ship, "collect", collect)
    write_json(tmp_path / "results.json", {"old": 1.0, "gone": 3.0, "origin.backbone": "embedded"})
    ship.gather(target=tmp_path)
    assert read_json(tmp_path / "results.json") == {"new": 1.0, "old": 2.0, "origin.backbone": "embedded"}
    assert asked == ["reference"]


def test_fits_to_line_images_ship_alone_and_other_stamps_stay(tmp_path, monkeypatch):
    run = Run("laptop", "seeds", root=tmp_path / "run")
    stamp = Stamp(1, {}, {}, {}, {}, "content", {"when": "today", "seconds": 1.0, "peak_memory_mib": 2})
    for name in LINE_STAGES:
        write_arrays(run.results.path(name), {"a": np.zeros(3)})
    monkeypatch.setattr(run.results, "state", lambda name: State("fresh"))
    monkeypatch.setattr(run.results, "stamp", lambda name: stamp)
    write_json(tmp_path / "stamps.json", {"ablation": {"content": "old"}, LINE_STAGES[0]: {"content": "old"}})
    ship.ship(run, tmp_path, only=LINE_STAGES)
    stamps = read_json(tmp_path / "stamps.json")
    assert {name: one["content"] for name, one in stamps.items()} == {
        "ablation": "old",
        **dict.fromkeys(LINE_STAGES, "content"),
    }
    assert sorted(path.name for path in (tmp_path / "lines").iterdir()) == ["frozen.npz", "lora.npz", "random.npz"]
    assert not (tmp_path / "results.json").exists()
