import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from paper_utils import files as artifacts
from paper_utils.errors import CompanionError
from paper_utils.pipeline import profiles
from paper_utils.pipeline import run as runs
from tools import execute, summary


def test_unknown_names_are_refused():
    with pytest.raises(CompanionError, match="unknown profile 'desktop'; choose one of smoke, laptop, paper"):
        profiles.get_profile("desktop")
    with pytest.raises(CompanionError, match="unknown source 'stale'"):
        runs.Run("laptop", "stale", notebook="n")
    with pytest.raises(CompanionError, match="only the laptop profile"):
        runs.Run("smoke", "reference", notebook="n")


def test_a_result_is_computed_once_and_again_when_settings_change(tmp_path, monkeypatch):
    calls = []

    def compute(path):
        calls.append(path)
        np.savez(path, a=1)

    run = runs.Run("smoke", "fresh", notebook="n", root=tmp_path)
    assert run.kept("x.npz", ("chirps",), compute) == run.kept("x.npz", ("chirps",), compute)
    assert len(calls) == 1
    run.kept("x.npz", ("chirps", "figures"), compute)
    assert len(calls) == 2
    monkeypatch.setattr(runs, "images_key", lambda: "other images")
    run.kept("x.npz", ("chirps", "figures"), compute)
    assert len(calls) == 3


def test_results_of_a_model_follow_its_file(tmp_path):
    calls = []

    def compute(path):
        calls.append(path.name)
        path.write_bytes(b"x")

    run = runs.Run("smoke", "fresh", notebook="n", root=tmp_path)
    run.kept("evaluation.npz", ("chirps",), compute)
    (tmp_path / "build" / "smoke" / "results" / runs.MODEL).write_bytes(b"a model")
    for _ in range(2):
        run.kept("evaluation.npz", ("chirps",), compute)
    assert calls == ["evaluation.npz"] * 2  # again for the other model, and then not again


def test_a_checkpoint_of_other_code_is_not_taken_up(tmp_path, monkeypatch):
    run = runs.Run("smoke", "fresh", notebook="n", root=tmp_path)
    run.build.mkdir(parents=True)
    outdated = run.build / "fine_tuning-0123.pt"
    outdated.write_bytes(b"old")
    seen = []

    def stop(profile, checkpoint):
        seen.append(checkpoint)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs.training, "fine_tune", stop)
    with pytest.raises(KeyboardInterrupt):
        run.fine_tuned()
    assert seen != [outdated]
    assert not outdated.exists()


def test_another_backbones_results_have_their_own_folder(tmp_path):
    run = runs.Run("smoke", "fresh", notebook="n", backbone=str(tmp_path / "vit"), root=tmp_path)
    assert run.build == tmp_path / "build" / "smoke+vit"


def test_a_backbone_without_the_papers_heads_is_refused_before_training(tiny_backbone, tmp_path):
    run = runs.Run("smoke", "fresh", notebook="n", backbone=tiny_backbone, root=tmp_path)
    with pytest.raises(CompanionError, match="has 2 layers of 3 heads"):
        run.fine_tuned()


def test_a_missing_shipped_result_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "REFERENCE", tmp_path)
    with pytest.raises(CompanionError, match=r"evaluation\.npz is missing; `git checkout data/reference`"):
        runs.Run(notebook="n").evaluation(None)


def test_code_hash_ignores_comments_only(tmp_path):
    path = tmp_path / "m.py"
    hashes = []
    for text in ("x = 1\n", "x = 1  # one\n\n", "x = 2\n"):
        path.write_text(text)
        hashes.append(artifacts.code_hash(path))
    assert hashes[0] == hashes[1] != hashes[2]


def write_half(path):
    with artifacts.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    artifacts.write_json(path, {"a": 1})
    with pytest.raises(KeyboardInterrupt):
        write_half(path)
    assert artifacts.read_json(path) == {"a": 1}
    assert os.listdir(tmp_path) == ["result.json"]


def test_no_write_permission_is_said_before_the_run(tmp_path):
    (tmp_path / "figures").write_text("a file where the folder should be")
    with pytest.raises(CompanionError, match="cannot write in .*figures/smoke"):
        execute.check_before_running(profiles.get_profile("smoke"), tmp_path)


def test_errors_reach_the_shell_as_one_line(tmp_path):
    command = [sys.executable, "-m", "paper_utils.execute", "notebooks/01_generate_chirps.py", "--profile", "desktop"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=artifacts.ROOT)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: unknown profile 'desktop'")


def test_a_reader_that_closes_early_ends_a_program_without_a_word():
    command = f"{sys.executable} -m paper_utils.summary status --profile smoke | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=artifacts.ROOT)
    assert done.stderr == ""


def test_a_failing_notebook_leaves_nothing_half_done(tmp_path):
    notebook = tmp_path / "09_fails.py"
    notebook.write_text(
        '# %% tags=["parameters"]\nprofile = source = backbone = None\n\n'
        '# %%\nfrom paper_utils.errors import CompanionError\nraise CompanionError("no chirps left; sow some")\n'
    )
    with pytest.raises(CompanionError, match=r"^09_fails\.py: no chirps left; sow some$"):
        execute.execute(notebook, profiles.get_profile("smoke"), root=tmp_path)
    build = tmp_path / "build" / "smoke"
    assert sorted(os.listdir(build)) == ["09_fails.log", "results"]
    assert os.listdir(build / "results") == ["09_fails.run.json"]  # what it took, for the run that goes on from it


def test_results_need_every_notebook(tmp_path):
    with pytest.raises(CompanionError, match=r"01_generate_chirps\.json is missing; run `make figures PROFILE=smoke`"):
        summary.gather(profiles.get_profile("smoke"), tmp_path)


def test_headline_numbers_are_compared_with_the_reference():
    reference = dict.fromkeys(summary.TOLERANCE, 0.95)
    assert summary.compare(reference, reference) == []
    off = reference | {"accuracy.start_time.pearson_r": 0.80}
    assert summary.compare(off, reference) == [
        "accuracy.start_time.pearson_r is 0.800, the reference run's is 0.950 (tolerance 0.03)"
    ]


def test_status_says_what_changed(tmp_path):
    profile = profiles.get_profile("smoke")
    assert summary.figure_status(profile, 4, tmp_path)[0] == "missing"
    stem = tmp_path / "figures" / "smoke" / "figure_4"
    inputs = runs.Run("smoke", "fresh", notebook=summary.FIGURES[4]).inputs()
    artifacts.write_json(stem.with_suffix(".json"), {"commit": "c", "seed": 1, "made": "today", "inputs": inputs})
    for suffix in (".png", ".pdf"):
        stem.with_suffix(suffix).write_bytes(b"")
    assert summary.figure_status(profile, 4, tmp_path)[0] == "fresh"
    inputs["paper_utils/ablation.py"] = "another"
    artifacts.write_json(stem.with_suffix(".json"), {"commit": "c", "seed": 1, "made": "today", "inputs": inputs})
    assert summary.figure_status(profile, 4, tmp_path) == ("stale", "changed since: paper_utils/ablation.py")


def test_a_model_does_not_depend_on_what_comes_after_it():
    keys = []
    for change in ({}, {"ablation_images": 7, "workers": 3}, {"batch": 7}):
        run = runs.Run("smoke", "fresh", notebook="n")
        run.profile = dataclasses.replace(run.profile, **change)
        keys.append(run.key(runs.LEARNING))
    assert keys[0] == keys[1] != keys[2]


def test_what_was_found_ready_counts_as_time_taken(tmp_path, monkeypatch):
    clock = iter([0.0, 100.0])
    monkeypatch.setattr(runs.time, "monotonic", lambda: next(clock))

    def take_up(notebook):
        run = runs.Run("smoke", "fresh", notebook=notebook, root=tmp_path)
        for _ in range(2):  # asked for twice, it counts once
            run.kept("x.npz", ("chirps",), lambda path: path.write_bytes(b"x"))
        run.record({"a": 1.0})
        return run.seconds_taken_up

    assert [take_up("one"), take_up("one"), take_up("two")] == [0.0, 100.0, 0.0]
    folder = tmp_path / "build" / "smoke" / "results"
    artifacts.write_json(folder / "one.run.json", {"seconds": 110.0, "peak_memory_mib": 900.0})
    take_up("one")
    execute._record(folder, "one", 12.0, 300.0)
    assert artifacts.read_json(folder / "one.run.json") == {"seconds": 112.0, "peak_memory_mib": 900.0}
    execute._record(folder, "two", 5.0, 300.0)
    assert artifacts.read_json(folder / "two.run.json") == {"seconds": 5.0, "peak_memory_mib": 300.0}
    execute._record(folder, "two", 2.0, 200.0, whole=False)
    assert artifacts.read_json(folder / "two.run.json")["peak_memory_mib"] == 300.0
    execute._record(folder, "two", 5.0, 250.0)
    assert artifacts.read_json(folder / "two.run.json")["peak_memory_mib"] == 250.0


def test_the_study_is_ones_own_once_it_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "REFERENCE", tmp_path / "reference")
    run = runs.Run("smoke", "fresh", notebook="n", root=tmp_path)
    with pytest.raises(CompanionError, match="no study in"):
        run.study()
    for place, name in enumerate(("a", "b")):
        artifacts.write_json(
            tmp_path / "reference" / "study" / f"{name}.json", {"place": -place, "title": f"shipped {name}"}
        )
    artifacts.write_json(run.build / "study" / "a.json", {"place": 0, "title": "own a"})
    assert [way["title"] for way in run.study()] == ["shipped b", "shipped a"]
    artifacts.write_json(run.build / "study" / "b.json", {"place": 1, "title": "own b"})
    assert [way["title"] for way in run.study()] == ["own a", "own b"]


def test_other_starts_count_for_their_own_profile_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "REFERENCE", tmp_path / "reference")
    for place, (name, profile) in enumerate((("lora_2", "laptop"), ("lora_3", "paper"))):
        content = {"place": place, "settings": {"name": profile, "backbone": "embedded"}, "metrics": {"x": place}}
        artifacts.write_json(tmp_path / "reference" / "study" / f"{name}.json", content)
    artifacts.write_json(tmp_path / "reference" / "study" / "head_only.json", content | {"place": 2, "metrics": None})
    assert runs.Run(notebook="n").starts() == [{"x": 0}]
    fresh = runs.Run("laptop", "fresh", notebook="n", root=tmp_path)
    artifacts.write_json(tmp_path / "build" / "laptop" / "study" / "lora_2.json", content)
    assert len(fresh.study()) == 3  # its own is not complete: the shipped one
    own = content | {"settings": {"name": "laptop", "backbone": "embedded"}, "metrics": {"x": 7}}
    artifacts.write_json(tmp_path / "build" / "laptop" / "study" / "lora_2.json", own)
    assert fresh.starts() == [{"x": 7}]
