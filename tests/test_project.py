"""What holds the repository together: files that must agree, executed notebooks, numbers in the README."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import jupytext.cli
import nbformat
import numpy as np
import pytest
from huggingface_hub import ModelCard

import paper_utils
from paper_utils.claims import Ledger, claims
from paper_utils.data.chirps import TARGETS
from paper_utils.files import ROOT, read_json
from paper_utils.models.regressor import load_regressor
from paper_utils.pipeline.figures import FIGURES, NOTEBOOKS, PAPER_FIGURES, SHIPPED_FIGURES
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run
from paper_utils.training.evaluation import evaluate_held_out
from tools import lock, readme, tables, tree
from tools.check_pairs import problems
from tools.ship import FIGURES as FIGURE_FOLDERS

SCRIPTS = sorted((ROOT / "notebooks").glob("*.py"))
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib", "seaborn-base": "seaborn"}
# mean absolute errors of the shipped model on the first 32 test images are 1.2 s, 2.2 Hz and 2.7 Hz
BOUNDS = (1.5, 2.7, 3.2)


@pytest.mark.parametrize("newer", [".py", ".ipynb"])
def test_syncing_the_notebooks_leaves_no_diff(tmp_path, newer, record_property):
    record_property("notebooks synced", len(SCRIPTS))
    for path in (ROOT / "notebooks").glob("*.*"):
        shutil.copyfile(path, tmp_path / path.name)
        os.utime(tmp_path / path.name, (0, 2e9 if path.suffix == newer else 1e9))
    # in this process: a new one for each notebook would load jupytext again
    jupytext.cli.jupytext(["--quiet", "--sync", *map(str, sorted(tmp_path.glob(f"*{newer}")))])
    pairs = {path: ROOT / "notebooks" / path.name for path in tmp_path.iterdir()}
    assert [path.name for path, own in pairs.items() if path.read_bytes() != own.read_bytes()] == []


def test_environment_lists_the_pinned_requirements():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    entries = re.findall(r"^  - ([a-z0-9-]+)=(\S+)$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    conda = {CONDA_NAMES.get(name, name): number for name, number in entries}
    assert conda.pop("python") == "3.11"
    assert conda == pinned


def test_the_lock_has_the_pinned_version_and_the_hashes_of_every_package(record_property):
    files = ("requirements.txt", "constraints.txt")
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    pinned = {re.sub(r"[._]", "-", name).lower(): number for name, number in (line.split("==") for line in lines)}
    locked = {name: (number, rest) for name, number, rest in lock.packages(lock.LOCK.read_text())}
    record_property("packages by hash", len(locked))
    assert pinned.pop("torch")
    assert pinned == {name: locked[name][0] for name in pinned}
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", rest) for _, rest in locked.values())
    assert not [name for name in locked if lock.TORCH.match(name)]
    # what is locked and not pinned is for other systems and Pythons
    assert all(";" in locked[name][1] for name in locked.keys() - pinned.keys())


SOLVER = next(filter(None, map(shutil.which, ("micromamba", "mamba", "conda"))), None)


@pytest.mark.slow
@pytest.mark.skipif(
    SOLVER is None, reason="no micromamba, mamba or conda: whether conda-forge has these is not checked"
)
def test_environment_solves_from_conda_forge():
    done = subprocess.run(
        [SOLVER, "env", "create", "--dry-run", "--name", "solved", "--file", "environment.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_notebook_is_known_to_the_pipeline():
    assert [path.stem for path in SCRIPTS] == sorted(["00_index", *NOTEBOOKS])  # the index has nothing to run


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_and_script_agree(script):
    assert problems(script) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
class TestExecutedNotebook:
    @pytest.fixture
    def code(self, name):
        """The code cells of a notebook that were not empty."""
        notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
        return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]

    def test_every_cell_was_executed_in_order(self, code):
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))

    def test_no_cell_failed_or_warned(self, code):
        outputs = [output for cell in code for output in cell.outputs]
        assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []

    def test_nothing_is_fetched_where_it_is_shown(self, code):
        outputs = [output.get("data", {}) for cell in code for output in cell.outputs]
        shown = [str(text) for data in outputs for kind, text in data.items() if not kind.startswith("image/")]
        assert [text for text in shown if re.search(r"<script|<iframe|<link|@import|src=.?https?:", text)] == []

    def test_an_image_is_shown_where_it_has_figures(self, name, code):
        shown = any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
        assert shown == any(source.notebook == name for source in FIGURES.values())

    def test_every_cell_can_be_compared(self, code):
        # nbval cannot run a cell whose last statement is silenced
        assert [cell.source for cell in code if cell.source.rstrip().endswith(";")] == []

    def test_the_figures_that_are_said_to_be_its_own_are_saved(self, name, code):
        source = "\n".join(cell.source for cell in code)
        assert [
            figure for figure, made in FIGURES.items() if made.notebook == name and f'"{figure}"' not in source
        ] == []


@pytest.mark.parametrize("options", [[], ["-o", "addopts="]], ids=["configured", "kernel named by the notebook"])
def test_nbval_runs_this_python_whatever_jupyter_path_holds(tmp_path, options):
    kernel = {"argv": ["/no/such/python", "-f", "{connection_file}"], "display_name": "another", "language": "python"}
    place = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(kernel))
    cell = nbformat.v4.new_code_cell("import sys\nprint(sys.prefix)", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{sys.prefix}\n")]
    kernelspec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernelspec), tmp_path / "prefix.ipynb")
    # the notebook lies outside the repository, whose conftest must be named therefore
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    done = subprocess.run(
        [*command, *options, "--nbval", str(tmp_path / "prefix.ipynb")],
        cwd=ROOT,
        env=os.environ | {"JUPYTER_PATH": str(tmp_path / "jupyter"), "JUPYTER_PREFER_ENV_PATH": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_readme_and_docs_show_the_shipped_results():
    run = Run(notebook="readme")
    papers = {paper: Ledger.of(run.metrics_on(paper), against=claims(paper)) for paper in tables.OTHER_PAPERS}
    content = readme.parts(read_json(readme.PROVENANCE), run.backbones(), papers)
    for page in readme.PAGES:
        text = page.read_text()
        assert text == readme.filled(page, text, content), f"{page.name}: run python -m tools.readme"


def test_cards_and_captions_show_the_shipped_results():
    for path, text in readme.whole_pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run python -m tools.readme"


@pytest.mark.parametrize("folder", FIGURE_FOLDERS.values(), ids=FIGURE_FOLDERS)
def test_every_figure_that_ships_has_a_caption_with_its_images_and_another_text(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"!\[([^\]]{20,})\]\((\w+)\.png\)\n\n\*\*Figure", text))
    assert sorted(found.values()) == sorted(path.stem for path in folder.glob("*.png"))
    for part in re.split(r"^(?=!\[)", text, flags=re.MULTILINE)[1:]:
        assert re.search(r"\d images|\d test images|ifteen test images|ive test images|Nothing is claimed", part), part


def test_the_model_card_shows_the_shipped_results_and_the_hub_reads_it():
    metrics = read_json(readme.SHIPPED)
    found = ModelCard.load(readme.CARD).data.eval_results
    wanted = [metrics[f"accuracy.unselected.{target}.pearson_r"] for target in TARGETS]
    assert [one.metric_value for one in found] == pytest.approx(wanted, abs=5e-5)


def test_the_backbones_card_has_metadata():
    data = ModelCard.load(ROOT / "data" / "backbone" / "README.md").data
    assert (data.license, data.library_name) == ("mit", "transformers")


def test_readme_is_short():
    # comments, and what stands for a figure, are not read
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<!--.*?-->", "", readme.README.read_text())
    words = re.sub(r"\]\([^)]*\)", "]", text).split()
    assert len([word for word in words if re.search(r"\w", word)]) <= 1200


def test_the_version_is_one():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {version} (" in (ROOT / "CHANGELOG.md").read_text()
    assert read_json(ROOT / "codemeta.json")["version"] == version
    assert paper_utils.__version__ == version


def test_the_manifest_names_the_figures_of_the_paper_and_files_that_are_there():
    manifest = re.findall(r"^  - file: (\S+)$", (ROOT / "codecheck.yml").read_text(), re.MULTILINE)
    assert [name for name in manifest if not (ROOT / name).is_file()] == []
    assert set(manifest) >= {f"figures/reference/figure_{number}.png" for number in PAPER_FIGURES}


def test_the_repository_has_an_address():
    if readme.address().endswith(readme.NO_ADDRESS):
        pytest.skip("pyproject.toml has no address of the repository yet; badges wait for it")
    assert readme.address() in readme.README.read_text()


def test_contributing_shows_every_package_and_about_its_lines():
    text = tree.CONTRIBUTING.read_text()
    shown, now = (
        [re.split(r" +(\d+) modules +(\d+) lines  ", line) for line in page.splitlines() if " modules " in line]
        for page in (text, tree.filled(text))
    )
    assert [(row[0], row[-1]) for row in shown] == [(row[0], row[-1]) for row in now]
    for before, after in zip(shown, now, strict=True):
        assert int(before[2]) == pytest.approx(int(after[2]), rel=0.2, abs=200), before


def test_the_shipped_model_predicts_test_images():
    model = load_regressor(REFERENCE / "model.safetensors")
    profile = get_profile("laptop")
    found = evaluate_held_out(model, profile, range(32))
    errors = np.abs(found.predictions - found.labels).mean(axis=0)
    assert (errors < BOUNDS).all(), errors


def test_every_shipped_figure_is_there():
    shipped = {path.stem for path in (ROOT / "figures" / "reference").glob("*.png")}
    assert shipped == set(SHIPPED_FIGURES)


def test_help_names_every_target():
    targets = set(re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(), re.MULTILINE)) - {"always"}
    said = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert {"figures", "ship", "study", "test-quick"} <= targets
    assert [target for target in sorted(targets) if not re.search(rf"^  make {target} ", said, re.MULTILINE)] == []


def test_every_target_that_is_no_file_is_phony():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):(?!=)", text, re.MULTILINE))
    assert targets <= set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
