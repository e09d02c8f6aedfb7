from paper_utils.files import read_json, write_json
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
