import pytest

from paper_utils import Run
from paper_utils.errors import CompanionError


@pytest.mark.parametrize("content", ["{}", "[1]", '["epoch"]', '[{"images_seen": 1}]', "["])
def test_a_damaged_history_is_named(content, tmp_path, monkeypatch):
    run = Run("smoke", "seeds", root=tmp_path)
    monkeypatch.setattr(run, "_path", lambda stage: tmp_path / "model.safetensors")
    (tmp_path / "history.json").write_text(content)
    with pytest.raises(CompanionError, match=f"{tmp_path}/history.json.*; remove it and run again"):
        run.history()
