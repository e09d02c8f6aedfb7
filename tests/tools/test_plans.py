import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import read_json, write_json
from paper_utils.pipeline.cache import State
from paper_utils.pipeline.made_by import made_by
from paper_utils.pipeline.results import Reference
from paper_utils.pipeline.run import METRICS, Run
from tools import plans

NOTEBOOK = "01_generate_chirps"
FILES = ("figure_2.png", "figure_2.pdf", "chirps.csv")


def record(run, **changes):
    made = {
        "stages": ["images"],
        "figures": ["figure_2"],
        "contents": plans.contents_of(run, ["images"]),
    } | made_by(NOTEBOOK)
    (run.build / "notebooks").mkdir(parents=True, exist_ok=True)
    (run.build / f"{NOTEBOOK}.ipynb").write_text("{}")
    run.figures.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (run.figures / name).write_text(name)
    made["files"] = plans.files_of(run, NOTEBOOK, FILES)
    write_json(run.build / "notebooks" / f"{NOTEBOOK}.json", made | changes)


def test_a_notebook_is_executed_when_what_it_was_made_from_has_changed(tmp_path):
    run = Run("smoke", "seeds", root=tmp_path)
    assert plans.plan(run, NOTEBOOK).why == "never executed"
    record(run)
    assert plans.plan(run, NOTEBOOK).why == ""
    record(run, contents={"images": "others"})
    assert plans.plan(run, NOTEBOOK).why == "result images has another content"
    record(run, script="another")
    assert "its text, or the code of its tables and plots" in plans.plan(run, NOTEBOOK).why
    record(run, stages=["ablation"])
    assert plans.plan(run, NOTEBOOK).why.startswith("result ablation is missing")
    record(run, drawn_with={"matplotlib": "3.10"})
    assert plans.plan(run, NOTEBOOK).why.startswith("drawn with matplotlib 3.10, now ")
    whole = read_json(run.build / "notebooks" / f"{NOTEBOOK}.json")
    for shape in ([], {}, {"figures": []}, whole | {"files": []}, whole | {"stages": ["of other code"]}):
        write_json(run.build / "notebooks" / f"{NOTEBOOK}.json", shape)
        assert plans.plan(run, NOTEBOOK).why == "never executed"
        assert plans.figure_state(run, "figure_2") == ("stale", f"{NOTEBOOK} was not executed to its end")


def test_a_file_that_no_notebook_wrote_so_is_named(tmp_path):
    run = Run("smoke", "seeds", root=tmp_path)
    record(run)
    path = run.figures / "chirps.csv"
    plans.check_written(path, run, again="make figures")
    path.write_text("of another run")
    with pytest.raises(CompanionError, match=f"{path} is not what a notebook of this run has written there; run"):
        plans.check_written(path, run, again="make figures")


@pytest.mark.parametrize("name", ["figure_2.png", "figure_2.pdf", "chirps.csv", f"{NOTEBOOK}.ipynb"])
def test_a_file_that_a_notebook_wrote_is_looked_at(tmp_path, name):
    run = Run("smoke", "seeds", root=tmp_path)
    record(run)
    path = next(tmp_path.rglob(name))
    path.write_text("of another run")
    assert plans.plan(run, NOTEBOOK).why == f"{name} is not as it was written"
    if path.stem == "figure_2":
        assert plans.figure_state(run, "figure_2") == ("stale", f"{name} is not as it was written")
    path.unlink()
    assert plans.plan(run, NOTEBOOK).why == f"{name} is missing"


def test_the_ledger_follows_the_results_that_it_stands_beside(tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in ("embedded", "photographs")}
    for folder in folders.values():
        write_json(folder / "results.json", {})
    monkeypatch.setattr(plans, "REFERENCES", {name: Reference(folder, repeats=()) for name, folder in folders.items()})

    def content(**options):
        return plans.contents_of(Run("laptop", "seeds", root=tmp_path, **options), [METRICS])

    before = content(), content(backbone="photographs")
    write_json(folders["photographs"] / "results.json", {"other": 1})
    assert content() != before[0]
    assert content(backbone="photographs") == before[1]


def test_what_ships_in_place_of_a_repeat_is_followed_and_whether_ones_own_is_fresh(tmp_path, monkeypatch):
    stage, contents = "study/lora_2", {"own": "", "embedded": "a", "photographs": ""}
    run = Run("laptop", "seeds", root=tmp_path)

    class Shipped:
        def __init__(self, name):
            self.name = name

        def content(self, stage):
            return contents[self.name]

    monkeypatch.setattr(plans, "shipped", Shipped)
    found = [plans.contents_of(run, [stage])]
    contents["embedded"] = "b"
    found.append(plans.contents_of(run, [stage]))
    monkeypatch.setattr(run.results, "state", lambda name: State("fresh"))
    found.append(plans.contents_of(run, [stage]))
    assert len({one[stage] for one in found}) == 3
    assert plans.contents_of(run, [stage]) == found[-1]


def test_a_missing_figure_is_said_to_be_missing(tmp_path):
    assert plans.figure_state(Run("smoke", "seeds", root=tmp_path), "figure_4") == ("missing", "no figure_4.png")
