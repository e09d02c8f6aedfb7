"""What a run is held against."""

import json

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import write_arrays
from paper_utils.pipeline import compared
from paper_utils.pipeline.results import Reference
from paper_utils.pipeline.run import Run


@pytest.mark.parametrize("content", ["{}", "[]", json.dumps({"origin.backbone": "photographs"})])
def test_shipped_numbers_of_nothing_or_another_backbone_are_named(content, tmp_path, monkeypatch):
    (tmp_path / "results.json").write_text(content)
    monkeypatch.setitem(compared.REFERENCES, "embedded", Reference(tmp_path, repeats=("study/",)))
    with pytest.raises(CompanionError, match=r"results\.json does not hold the numbers of the embedded backbone; "):
        compared.shipped_metrics("embedded")


def test_fits_on_random_weights_stand_beside_those_of_any_backbone(tmp_path, monkeypatch):
    repeats = {"embedded": ("lines/frozen", "lines/random", "lines/lora"), "photographs": ("lines/frozen",)}
    for backbone, names in repeats.items():
        monkeypatch.setitem(compared.REFERENCES, backbone, Reference(tmp_path / backbone, repeats=names))
        for number, name in enumerate(names):
            write_arrays(tmp_path / backbone / f"{name}.npz", {backbone: np.array(number)})
    found = Run("laptop", "reference").line_fits("photographs")
    assert {name: list(arrays) for name, arrays in found.items()} == {"frozen": ["photographs"], "random": ["embedded"]}
    assert list(Run("laptop", "reference").line_fits()) == ["frozen", "random", "lora"]
    (tmp_path / "photographs" / "lines" / "frozen.npz").unlink()
    with pytest.raises(CompanionError, match=r"photographs.*frozen\.npz is missing; "):
        Run("laptop", "reference").line_fits("photographs")
