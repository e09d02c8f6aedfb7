import shutil
import subprocess
import sys

import pytest

from paper_utils.files import ROOT
from paper_utils.pipeline import sources

PLOT = '''"""Plots."""

from ..heads import name


def _scale(values):
    """Scale."""
    return values * 2  # twice


def draw(values, title="%s"):
    """Draw values."""
    # as a line
    return _scale(values), name(values), title
'''
HEADS = 'def name(value):\n    return f"L{value}"\n'


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes a small package and returns the hash of its plot and its closure."""
    versions = iter(range(100))

    def hashes(plot=PLOT, heads=HEADS, plot_file="draw"):
        root = tmp_path / str(next(versions))
        for name, text in {
            "__init__.py": "",
            "plots/__init__.py": f"from .{plot_file} import draw\n",
            f"plots/{plot_file}.py": plot,
            "heads.py": heads,
            "unrelated.py": "x = 1\n",
        }.items():
            path = root / "paper_utils" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        closure = {path.name for path in sources.closure(f"paper_utils.plots.{plot_file}", root=root)}
        return sources.definition_hash("paper_utils.plots", "draw", root=root), closure

    return hashes


@pytest.mark.parametrize(
    "changes",
    [
        {"plot": PLOT.replace("Draw values.", "Draw a line.\n\n    Long.")},
        {"plot": PLOT.replace("# as a line", "# as another line").replace("# twice", "#")},
        {"plot": PLOT.replace("_scale", "_doubled")},
        {"plot": PLOT.replace("\n\n\ndef draw", "\n\n\n\n\n\ndef draw")},
        {"plot_file": "lines"},
    ],
    ids=["docstring", "comment", "private function renamed", "blank lines", "module moved"],
)
def test_what_changes_nothing_changes_no_hash(tree, changes):
    assert tree(**changes)[0] == tree()[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"plot": PLOT.replace("values * 2", "values * 3")},
        {"plot": PLOT.replace('title="%s"', 'title="%d"')},
        {"heads": HEADS.replace("L{", "H{")},
    ],
    ids=["private function", "default", "function of another module"],
)
def test_what_changes_a_figure_changes_its_hash(tree, changes):
    assert tree(**changes)[0] != tree()[0]


def test_a_closure_holds_what_is_imported_and_no_more(tree):
    assert tree()[1] == {"draw.py", "heads.py"}


def test_the_sweep_depends_on_the_engine_and_not_on_plots():
    names = {path.name for path in sources.closure("paper_utils.pipeline.computations")}
    assert {"engine.py", "ablation.py", "chirps.py", "regressor.py"} <= names
    assert not {"style.py", "rules.py", "explorer.py"} & names


@pytest.mark.parametrize("name", ['"claims.json"', 'f"{paper}s.json"[0:0] or "claims.json"', 'f"cl{paper}s.json"'])
def test_a_notebook_depends_on_data_files_that_its_functions_name(tmp_path, name):
    package, data = tmp_path / "paper_utils", tmp_path / "data"
    package.mkdir()
    data.mkdir()
    (package / "__init__.py").write_text("")
    (package / "claims.py").write_text(f'def claims(paper="aim"):\n    return {name}\n')
    script = tmp_path / "07.py"
    script.write_text("from paper_utils import claims\n\nclaims.claims()\n")
    hashes = set()
    for content in ("[]", "[1]"):
        (data / "claims.json").write_text(content)
        sources._definition.cache_clear()
        hashes.add(sources.script_hash(script, root=tmp_path))
    assert len(hashes) == 2


PROGRAM = """
from pathlib import Path
import paper_utils.interventions.engine
from paper_utils.pipeline.sources import closure_hash, definition_hash

path = Path(paper_utils.interventions.engine.__file__)
path.write_text(path.read_text().replace("return 0", "return 1") + "\\nEDITED = 1\\n")
print(path.parents[2], closure_hash("paper_utils.interventions.engine"))
"""


def test_what_is_edited_after_its_import_is_not_what_runs(tmp_path):
    shutil.copytree(ROOT / "paper_utils", tmp_path / "paper_utils", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "paper_utils" / ".#heads.py").symlink_to("an.editor@a.machine")  # as Emacs marks a file in work
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(tmp_path), sources.closure_hash("paper_utils.interventions.engine")]
