"""When a result is computed, kept, computed again, refused."""

from dataclasses import replace

import numpy as np
import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.pipeline import cache, results, stages
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.stages import Stage


@pytest.fixture
def table(monkeypatch):
    """Two stages, the second of which reads the first, and numbers of probes that a test may change."""
    made, numbers = [], {"on_the_fly": {"a": 1.0}, "first": {"b": 100.0}, "second": {"c": 0.0}}

    def maker(name):
        def make(work, path):
            made.append(name)
            np.savez(path, values=len(made) * (name == "second") + work)

        return make

    entries = (
        Stage("on_the_fly", dict, "paper_utils.heads"),
        Stage(
            "first", dict, "paper_utils.heads", maker("first"), "first.npz", inputs=("on_the_fly",), settings=("seed",)
        ),
        Stage(
            "second", dict, "paper_utils.heads", maker("second"), "second.npz", inputs=("first",), settings=("batch",)
        ),
    )
    stages_by_name = {entry.name: entry for entry in entries}
    for module in (cache, results, stages):
        monkeypatch.setattr(module, "STAGES", stages_by_name)
    for module in (cache, results):
        monkeypatch.setattr(module, "probe_numbers", lambda name: numbers[name])
    return made, numbers, stages_by_name


@pytest.fixture
def fresh(tmp_path):
    """Return a function that opens the results of one folder anew, as another process would."""

    def opened(**settings):
        return results.Results(replace(get_profile("smoke"), **settings), tmp_path / "results")

    return opened


def test_a_result_is_computed_once_and_again_for_other_settings(table, fresh):
    made, _, _ = table
    for _ in range(2):
        fresh().ensure("second", 1)
    assert made == ["first", "second"]
    fresh(batch=99).ensure("second", 1)
    assert made == ["first", "second", "second"]
    assert fresh(workers=7, batch=99).state("second").state == "fresh"  # not a setting of any stage


def test_a_result_follows_the_content_of_its_input_not_its_age(table, fresh):
    made, _, _ = table
    fresh().ensure("second", 1)
    fresh(seed=7).ensure("first", 1)  # computed again, the same content
    assert fresh(seed=7).state("second").state == "fresh"
    fresh(seed=8).ensure("first", 2)
    assert fresh(seed=8).state("second") == cache.State("stale", "input first has another content")


def test_a_probe_within_its_tolerance_keeps_a_result_and_beyond_it_names_the_number(table, fresh):
    _, numbers, _ = table
    fresh().ensure("second", 1)
    numbers["first"] = {"b": 100.05}
    assert fresh().state("first").state == "fresh"
    numbers["first"] = {"b": 101.0}
    assert fresh().state("first") == cache.State("stale", "probe: b expected 100, found 101")
    assert fresh().state("second") == cache.State("stale", "needs first, which is stale")


def test_what_is_made_on_the_fly_guards_what_was_made_of_it(table, fresh):
    _, numbers, _ = table
    fresh().ensure("first", 1)
    numbers["on_the_fly"] = {"a": 2.0}
    assert fresh().state("first") == cache.State("stale", "probe of on_the_fly: a expected 1, found 2")


def test_a_probe_that_gains_or_loses_a_number_differs(table):
    _, _, entries = table
    assert cache.differences(entries["first"], {"b": 1.0}, {"c": 1.0}) == ["b is gone", "c is new"]
    assert cache.differences(entries["first"], {"b": 1.0}, {"b": float("nan")}) == ["b expected 1, found nan"]


def test_a_raised_version_makes_stale(table, fresh, monkeypatch):
    _, _, entries = table
    fresh().ensure("first", 1)
    monkeypatch.setitem(entries, "first", replace(entries["first"], version=2))
    assert fresh().state("first") == cache.State("stale", "version 1, now 2")


def test_files_changed_by_hand_are_seen(table, fresh):
    own = fresh()
    path = own.ensure("first", 1)
    path.write_bytes(b"tampered")
    assert fresh().state("first") == cache.State("stale", "its files were changed after they were computed")
    path.unlink()
    assert fresh().state("first").state == "missing"


def test_a_stamp_of_an_older_form_is_computed_again(table, fresh):
    fresh().ensure("first", 1)
    write_json(fresh()._stamp_path("first"), {"fingerprint": "0123"})
    assert fresh().state("first").state == "missing"


@pytest.mark.parametrize(
    "changes",
    [
        {"settings": None},
        {"version": "1"},
        {"inputs": []},
        {"data": {"a": 1}},
        {"probe": {"b": "100"}},
        {"content": None},
        {"computed": {}},
        {"computed": {"when": "today", "seconds": "long", "peak_memory_mib": 1}},
        {"computed": None},
    ],
)
def test_a_damaged_stamp_is_computed_again(changes, table, fresh):
    made, _, _ = table
    path = fresh()._stamp_path("first")
    fresh().ensure("first", 1)
    write_json(path, read_json(path) | changes)
    assert fresh().state("first").state == "missing"
    fresh().ensure("first", 1)
    assert made == ["first", "first"]
    for content in ("[]", "null", "3"):
        path.write_text(content)
        assert fresh().state("first").state == "missing"


@pytest.mark.parametrize("content", [[], {"a": "1"}, None])
def test_damaged_numbers_of_what_is_made_on_the_fly_are_made_again(content, table, fresh):
    fresh().ensure("first", 1)
    (path,) = (fresh().folder / "probes").iterdir()
    write_json(path, content)
    assert fresh().state("first") == cache.State("stale", "probe of on_the_fly: what it gave then is damaged")
    fresh().ensure("first", 1)
    assert fresh().state("first").state == "fresh"


def test_a_stamp_says_where_the_result_was_computed(table, fresh):
    fresh().ensure("first", 1)
    computed = read_json(fresh()._stamp_path("first"))["computed"]
    assert {"commit", "versions", "machine", "seconds", "peak_memory_mib", "when"} == computed.keys()
    assert computed["peak_memory_mib"] > 0


def test_a_shipped_model_of_other_code_is_refused_with_the_way_out(table, fresh, monkeypatch):
    _, numbers, entries = table
    monkeypatch.setitem(entries, "fine_tuning", replace(entries["first"], name="fine_tuning", file="model.npz"))
    numbers["fine_tuning"] = {"rate": 1.0}
    shipped = fresh()
    with pytest.raises(
        CompanionError, match=r"used: \S+/model\.npz is missing; .*`make figures FROM=seeds` trains another"
    ):
        results.check_shipped_model(shipped)
    shipped.ensure("fine_tuning", 1)
    results.check_shipped_model(fresh())
    model = shipped.path("fine_tuning").read_bytes()
    shipped.path("fine_tuning").write_bytes(model + b"x")
    with pytest.raises(
        CompanionError, match=r"not what its stamp names: \S+/model\.npz has changed; remove it and run"
    ):
        results.check_shipped_model(fresh())
    shipped.path("fine_tuning").write_bytes(model)
    stamps = shipped.folder / results.SHIPPED_STAMPS
    write_json(stamps, {"fine_tuning": {"version": "one"}})
    with pytest.raises(
        CompanionError, match=rf"the shipped model cannot be used: {stamps} is damaged; remove it and run"
    ):
        results.check_shipped_model(fresh())
    stamps.unlink()
    numbers["fine_tuning"] = {"rate": 2.0}
    with pytest.raises(CompanionError, match=r"not belong to this code: probe: rate expected 1, found 2; .*FROM=seeds"):
        results.check_shipped_model(fresh())


class TestASettingThatCameLater:
    """One that the stamp of a result lacks, since the result is older than the setting."""

    @pytest.fixture
    def older(self, table, fresh, monkeypatch):
        """Compute results before their stage declared `pixels`."""
        _, _, entries = table
        fresh().ensure("first", 1)
        monkeypatch.setitem(entries, "first", replace(entries["first"], settings=("seed", "pixels")))
        assert read_json(fresh()._stamp_path("first"))["settings"] == {"seed": 42}

    def test_counts_as_its_default(self, older, fresh):
        assert fresh().state("first").state == "fresh"
        why = "setting pixels was 'published', is 'backbone'"
        assert fresh(pixels="backbone").state("first") == cache.State("stale", why)

    def test_without_a_default_makes_stale(self, older, table, fresh, monkeypatch):
        _, _, entries = table
        monkeypatch.setitem(entries, "first", replace(entries["first"], settings=("seed", "epochs")))
        assert fresh().state("first") == cache.State("stale", "setting epochs was None, is 2")

    def test_leaves_the_names_of_unfinished_computations_at_its_default(self, table, monkeypatch):
        _, _, entries = table
        smoke = get_profile("smoke")
        before = cache.unfinished_name("first", smoke)
        monkeypatch.setitem(entries, "first", replace(entries["first"], settings=("seed", "pixels")))
        assert cache.unfinished_name("first", smoke) == before
        assert cache.unfinished_name("first", replace(smoke, pixels="backbone")) != before


def test_every_setting_that_came_later_has_a_default():
    assert set(cache.ADDED) <= get_profile("smoke").defaults().keys()
