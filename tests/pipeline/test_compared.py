"""What a run is held against."""

import json

import pytest

from paper_utils.errors import CompanionError
from paper_utils.pipeline import compared
from paper_utils.pipeline.results import Reference


@pytest.mark.parametrize("content", ["{}", "[]", json.dumps({"origin.backbone": "photographs"})])
def test_shipped_numbers_of_nothing_or_another_backbone_are_named(content, tmp_path, monkeypatch):
    (tmp_path / "results.json").write_text(content)
    monkeypatch.setitem(compared.REFERENCES, "embedded", Reference(tmp_path, repeats=("study/",)))
    with pytest.raises(CompanionError, match=r"results\.json does not hold the numbers of the embedded backbone; "):
        compared.shipped_metrics("embedded")
