import argparse
import os
import re
import shutil
import subprocess
import sys

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT, read_json, write_json
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.sources import script_hash
from tools import figures, ship


@pytest.mark.slow
@pytest.mark.parametrize(
    "tool",
    [
        path.stem
        for path in (ROOT / "tools").glob("*.py")
        if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
    ],
)
def test_every_command_says_what_it_does(tool):
    done = subprocess.run([sys.executable, "-m", f"tools.{tool}", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: python -m tools.{tool}" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["figures", "--profile", "desktop"], "error: unknown profile 'desktop'"),
        (
            ["figures", "--only", "figure_9"],
            "error: no figure is called 'figure_9'; those of the paper are figure_1 to",
        ),
        (
            ["figures", "--only", "atlass"],
            "error: no figure is called 'atlass'; did you mean atlas? those of the paper",
        ),
        (
            ["status", "--profile", "smok"],
            "error: unknown profile 'smok'; choose one of smoke, laptop, paper, as in PROFILE=",
        ),
        (["study", "--only", "lora_9"], "error: unknown variant 'lora_9'"),
        (["study", "--lines", "--only", "lora"], "error: unknown stage 'lora'; choose from lines/frozen"),
        (
            ["status", "--from", "seed"],
            "error: cannot start from 'seed'; choose checkpoint or seeds, as in FROM=seeds",
        ),
        (["status", "--backbone", "photograph"], "error: there is no folder photograph; did you mean photographs?"),
    ],
)
def test_errors_reach_the_shell_as_one_line(arguments, message):
    tool, *options = arguments
    done = subprocess.run([sys.executable, "-m", f"tools.{tool}", *options], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(message)
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_reader_that_closes_early_ends_a_program_without_a_word():
    command = f"'{sys.executable}' -m tools.status --profile smoke | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""


def test_what_ships_was_computed_from_seeds(tmp_path):
    with pytest.raises(CompanionError, match="a run that ships is computed from seeds"):
        ship.ship(Run("laptop", "checkpoint", root=tmp_path), tmp_path)
    with pytest.raises(CompanionError, match=r"the result fine_tuning is missing .*; `make ship` computes it"):
        ship.ship(Run("laptop", "seeds", root=tmp_path), tmp_path)
    photographs = Run("laptop", "checkpoint", backbone="photographs", root=tmp_path)
    with pytest.raises(CompanionError, match="`make study-lines BACKBONE=photographs` computes it"):
        ship.ship(photographs, tmp_path, only=["lines/frozen"])


def test_a_way_out_names_the_run_that_was_asked_for():
    parser = argparse.ArgumentParser()
    figures.add_run_options(parser)
    assert figures.as_make("figures", parser.parse_args([])) == "make figures"
    options = parser.parse_args(["--backbone", "/a folder/vit", "--from", "seeds", "--profile", "smoke"])
    assert figures.as_make("figures", options) == "make figures PROFILE=smoke 'BACKBONE=/a folder/vit' FROM=seeds"


def test_pixels_reach_the_run(tiny_backbone):
    parser = argparse.ArgumentParser()
    figures.add_run_options(parser)
    options = ["--profile", "smoke", "--backbone", tiny_backbone]
    assert figures.run_of(parser.parse_args(options)).profile.pixels == "published"
    assert figures.run_of(parser.parse_args([*options, "--pixels", "backbone"])).profile.pixels == "backbone"
    with pytest.raises(CompanionError, match="unknown pixels 'grey'; choose published or backbone"):
        figures.run_of(parser.parse_args([*options, "--pixels", "grey"]))


def test_make_passes_pixels_on_only_where_they_are_given():
    def said(*options):
        command = ["make", "-n", "compare", *options]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert "--pixels" not in said()
    assert "--pixels 'backbone'" in said("PIXELS=backbone")


NAMES = ["my vit", "it's", 'a "b"', "$HOME", "`id`", "a;b", "*"]


@pytest.mark.parametrize("name", NAMES)
def test_make_passes_on_what_was_given_to_the_letter(name, tmp_path):
    program = tmp_path / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "offline $HF_HUB_OFFLINE"\n')
    program.chmod(0o755)
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    folder = tmp_path / name
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    given = [f"BACKBONE={folder}", f"CHECKPOINT={name}", f"PROCESSES={name}"]
    command = ["make", "-s", "-o", ".venv/ready", "results", *given]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    words = done.stdout.splitlines()
    assert words[words.index("--backbone") + 1] == str(folder)
    assert words[words.index("--checkpoint") + 1] == words[words.index("--processes") + 1] == name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["help", "BACKBNE=data/backbone"], "there is no option BACKBNE; choose among PROFILE BACKBONE "),
        (["help", "profile=smoke"], "there is no option profile; choose among PROFILE BACKBONE "),
        (["stauts"], "error: there is no target or file stauts; `make help` lists the targets"),
    ],
)
def test_make_refuses_what_it_does_not_know(words, message):
    done = subprocess.run(["make", "-s", *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert message in done.stdout + done.stderr


def test_make_help_passes_with_every_option_that_it_knows():
    known = re.search(r"^KNOWN := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert subprocess.run(["make", "-s", "help", *(f"{name}=1" for name in known)], cwd=ROOT).returncode == 0


def test_make_can_be_told_to_make_everything():
    done = subprocess.run(["make", "-B", "-n", "help"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "offline"),
    [
        ([], "1"),
        (["BACKBONE=embedded"], "1"),
        (["BACKBONE=photographs"], "1"),
        (["BACKBONE=data/backbone"], "1"),
        (["BACKBONE=/no/such/folder"], "1"),
        (["PROFILE=paper", "BACKBONE=data/backbone"], "1"),
        (["PROFILE=paper", "CHECKPOINT=best.pth"], "1"),
        (["BACKBONE=google/vit-base-patch16-224"], "0"),
        (["PROFILE=paper"], "0"),
        (["PROFILE=paper", "HF_HUB_OFFLINE=1"], "1"),
    ],
)
def test_the_hub_is_asked_for_a_backbone_by_its_name_alone(options, offline):
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = ["make", "-pn", "help", *options]
    said = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True).stdout
    hub = re.search(r"^HUB := (.*)$", said, re.MULTILINE)[1]
    found = re.search(r"^HF_HUB_OFFLINE \??= (\d)$", said, re.MULTILINE)
    assert (found[1] if found else "0" if hub else "1") == offline


def test_the_code_is_kept_that_the_kernel_found(tmp_path, monkeypatch):
    """What is edited during a run may not be what was executed: the record must not say so."""
    run = Run("smoke", "seeds", root=tmp_path)
    read = run.build / "notebooks" / "01_generate_chirps.read.json"
    monkeypatch.setattr(figures, "made_by", lambda notebook: {"script": "as the executor found it"})
    monkeypatch.setattr(figures, "files_of", lambda *_: {})
    kernel = {"stages": [], "figures": [], "files": [], "script": "as the kernel found it"}
    for said, execute in (("kernel", lambda *_: write_json(read, kernel)), ("executor", lambda *_: None)):
        monkeypatch.setattr("tools.execute.execute", execute)
        figures.execute_notebook(run, "01_generate_chirps")
        assert read_json(run.build / "notebooks" / "01_generate_chirps.json")["script"] == f"as the {said} found it"


def test_a_notebook_says_what_it_is_made_by(tmp_path):
    run = Run("smoke", "seeds", notebook="01_generate_chirps", root=tmp_path)
    run.has_read("images")
    kept = read_json(run.build / "notebooks" / "01_generate_chirps.read.json")
    assert kept["script"] == script_hash(ROOT / "notebooks" / "01_generate_chirps.py")
    assert kept["plots"].keys() == {"figure_2"} | kept["plots"].keys()
