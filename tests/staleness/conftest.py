"""A copy of the tree with a run of which everything is fresh."""

import shutil
import subprocess
import sys

import pytest

from paper_utils.files import ROOT

PARTS = ("paper_utils", "tools", "notebooks", "data")
RUN = """
import shutil
from paper_utils import Run
from tools.plans import contents_of, files_of
from paper_utils.pipeline.run import METRICS
from paper_utils.files import ROOT, read_json, write_json
from paper_utils.pipeline.figures import FIGURES, NOTEBOOKS
from paper_utils.pipeline.made_by import made_by
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.stages import STAGES

run = Run("laptop", "checkpoint")
for name, stamp in read_json(REFERENCE / "stamps.json").items():
    for file in (STAGES[name].file, *STAGES[name].beside):
        (run.results.folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(REFERENCE / file, run.results.folder / file)
    write_json(run.results._stamp_path(name), stamp)
shutil.copytree(REFERENCE / "probes", run.results.folder / "probes")
for notebook in NOTEBOOKS:
    own = {name: source for name, source in FIGURES.items() if source.notebook == notebook}
    stages = sorted({stage for source in own.values() for stage in source.stages})
    if notebook in ("07_claims_ledger", "07b_another_backbone"):
        stages = sorted([*STAGES, METRICS])
    (run.build / f"{notebook}.ipynb").write_text("{}")
    run.figures.mkdir(parents=True, exist_ok=True)
    (run.figures / "results.json").write_text("{}")
    for name in own:
        (run.figures / f"{name}.png").write_bytes(b"")
    made = {"figures": sorted(own), "stages": stages, "contents": contents_of(run, stages)}
    made |= {"files": files_of(run, notebook, [f"{name}.png" for name in own])} | made_by(notebook)
    write_json(run.build / "notebooks" / f"{notebook}.json", made)
"""


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    """A copy of the tree with a run of which everything is fresh."""
    folder = tmp_path_factory.mktemp("original")
    for part in PARTS:
        ignored = shutil.ignore_patterns("__pycache__", "*.png", "*.ipynb")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for command in (["-c", RUN], ["-m", "tools.status"], ["-m", "tools.status", "--shipped"]):
        subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def tree(original, tmp_path):
    """A copy of that copy, to be edited."""
    shutil.copytree(original, tmp_path / "tree")
    return tmp_path / "tree"
