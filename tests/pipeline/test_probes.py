"""The probes as golden tests: this code still does what the shipped results were computed by."""

from dataclasses import replace

import pytest

from paper_utils.pipeline import cache, probes
from paper_utils.pipeline.results import shipped, shipped_stages
from paper_utils.pipeline.stages import STAGES


@pytest.mark.parametrize("name", shipped_stages("embedded"))
def test_the_shipped_results_belong_to_this_code(name):
    assert shipped().state(name) == cache.State("fresh")


@pytest.mark.parametrize("name", shipped_stages("photographs"))
def test_those_on_the_backbone_of_photographs_belong_to_this_code_too(name, monkeypatch):
    results = shipped("photographs")
    stamp = results.stamp
    # the backbone itself is fetched by `make backbone-photographs`, and need not be here
    monkeypatch.setattr(cache, "data_files", lambda *_: [])
    monkeypatch.setattr(results, "stamp", lambda stage: replace(stamp(stage), data={}))
    assert results.state(name) == cache.State("fresh")


def test_numbers_of_arrays_tell_a_moved_value_from_none():
    import numpy as np

    values = np.arange(12.0).reshape(3, 4)
    swapped = values[:, ::-1]
    assert probes.of_arrays({"x": values})["x mean"] == probes.of_arrays({"x": swapped})["x mean"]
    assert probes.of_arrays({"x": values})["x projection"] != probes.of_arrays({"x": swapped})["x projection"]


@pytest.mark.parametrize("name", ["ablation", "patching", "removals", "protocols"])
def test_a_probe_repeats_its_numbers(name):
    stage = STAGES[name]
    assert cache.differences(stage, stage.probe(), stage.probe()) == []


def test_a_probe_is_run_once_for_the_same_code(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "MEMORY", tmp_path / "probes.json")
    calls = []
    monkeypatch.setitem(
        STAGES,
        "maps",
        cache.STAGES["maps"].__class__("maps", lambda: calls.append(1) or {"a": 1.0}, "paper_utils.heads"),
    )
    for _ in range(2):
        cache.probe_numbers.cache_clear()
        assert cache.probe_numbers("maps") == {"a": 1.0}
    assert len(calls) == 1
    monkeypatch.setattr(cache, "_environment_hash", lambda: "another Python")
    cache.probe_numbers.cache_clear()
    cache.probe_numbers("maps")
    assert len(calls) == 2
    for damaged in ("[]", "{", "", "null", '{"maps": 3}', (tmp_path / "probes.json").read_text().replace("1.0", '"1"')):
        (tmp_path / "probes.json").write_text(damaged)
        cache.probe_numbers.cache_clear()
        assert cache.probe_numbers("maps") == {"a": 1.0}
    assert len(calls) == 8
    cache.probe_numbers.cache_clear()
