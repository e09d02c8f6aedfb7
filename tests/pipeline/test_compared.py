"""What a run is held against."""

import json

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import write_arrays, write_json
from paper_utils.pipeline import compared
from paper_utils.pipeline.results import Reference
from paper_utils.pipeline.run import Run


@pytest.mark.parametrize("content", ["{}", "[]", json.dumps({"origin.backbone": "photographs"})])
def test_shipped_numbers_of_nothing_or_another_backbone_are_named(content, tmp_path, monkeypatch):
    (tmp_path / "results.json").write_text(content)
    monkeypatch.setitem(compared.REFERENCES, "embedded", Reference(tmp_path, repeats=("study/",)))
    with pytest.raises(CompanionError, match=r"results\.json does not hold the numbers of the embedded backbone; "):
        compared.shipped_metrics("embedded")


@pytest.mark.parametrize("content", ["{}", "[]", "3"])
def test_what_holds_no_numbers_of_a_run_is_named(content, tmp_path):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(CompanionError, match=f"{path} does not hold the numbers of a run; remove it and run again"):
        compared.read_metrics(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"accuracy.images": "many"}, "has 'many' as 'accuracy.images', which is no number; remove it"),
        ({"heads.L1H1": 3.0}, "has 3.0 as 'heads.L1H1', which is no text; remove it"),
        ({"origin.backbone": None}, "has None as 'origin.backbone', which is no text; remove it"),
    ],
)
def test_a_text_in_a_numbers_place_is_named(changes, said, tmp_path):
    path = tmp_path / "results.json"
    write_json(path, compared.shipped_metrics("embedded"))
    assert compared.read_metrics(path) == compared.shipped_metrics("embedded")
    write_json(path, compared.shipped_metrics("embedded") | changes)
    with pytest.raises(CompanionError, match=f"{path} {said}"):
        compared.read_metrics(path)


def test_a_text_in_shipped_numbers_is_named(tmp_path, monkeypatch):
    write_json(tmp_path / "results.json", compared.shipped_metrics("embedded") | {"accuracy.images": "many"})
    monkeypatch.setitem(compared.REFERENCES, "embedded", Reference(tmp_path, repeats=()))
    with pytest.raises(CompanionError, match=r"results\.json has 'many' as 'accuracy\.images', which is no number"):
        compared.shipped_metrics("embedded")


def test_a_damaged_study_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(compared.REFERENCES, "embedded", Reference(tmp_path, repeats=("study/",)))
    path = tmp_path / "study" / "lora_2.json"
    for content, said in (([], "holds a list, no dict"), ({"title": "LoRA"}, "lacks 'index'")):
        write_json(path, content)
        with pytest.raises(CompanionError, match=rf"lora_2\.json {said}; "):
            Run("laptop", "reference").study()


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
