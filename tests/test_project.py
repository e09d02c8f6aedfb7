"""What holds the repository together: twin files that must agree, notebooks fit to be compared, numbers in the README."""

import re
import subprocess

import jupytext
import nbformat
import pytest

from paper_utils import files as artifacts
from tools import readme, summary

ROOT = artifacts.ROOT
SCRIPTS = sorted((ROOT / "notebooks").glob("0*.py"))
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib", "seaborn-base": "seaborn"}


def test_environment_lists_the_pinned_requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    entries = re.findall(r"^  - ([a-z0-9-]+)=(\S+)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    conda = {CONDA_NAMES.get(name, name): number for name, number in entries}
    assert conda.pop("python") == "3.11"
    assert conda == pinned


def test_there_are_seven_notebooks():
    assert [path.name[:2] for path in SCRIPTS] == ["01", "02", "03", "04", "05", "06", "07"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_and_script_say_the_same(script):
    def said(notebook):
        return [(cell.cell_type, cell.source) for cell in notebook.cells]

    assert said(jupytext.read(script)) == said(nbformat.read(script.with_suffix(".ipynb"), as_version=4))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_cell_was_run_in_order_and_can_be_compared(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    for cell in code:
        assert not cell.source.rstrip().endswith(";")  # nbval cannot run it
        assert not any(output.output_type == "error" for output in cell.outputs)
        assert not any(output.get("name") == "stderr" for output in cell.outputs)


def test_readme_shows_the_shipped_results():
    text = (ROOT / "README.md").read_text()
    assert text == readme.filled(text, artifacts.read_json(readme.SHIPPED), readme.shipped_starts())


def test_readme_tables_change_with_the_numbers():
    text, results = (ROOT / "README.md").read_text(), artifacts.read_json(readme.SHIPPED)
    assert readme.filled(text, results | {"accuracy.start_time.pearson_r": 0.1234}, readme.shipped_starts()) != text


def test_laptop_model_reads_the_chirp():
    results = artifacts.read_json(readme.SHIPPED)
    assert all(results[f"accuracy.{target}.pearson_r"] >= 0.978 for target in readme.TARGETS)


def test_every_figure_of_the_paper_is_committed():
    for number in summary.FIGURES:
        for suffix in ("png", "pdf", "json"):
            assert (ROOT / "figures" / "laptop" / f"figure_{number}.{suffix}").is_file()


def test_help_names_every_target():
    text = (ROOT / "Makefile").read_text()
    said = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT).stdout
    for target in ("figures", "test", "lab", "status", "clean", "backbone", "bench", "study", "reference"):
        assert re.search(rf"^{target}:", text, re.MULTILINE)
        assert f"make {target}" in said
