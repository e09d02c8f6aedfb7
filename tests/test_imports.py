"""Which sub-package may import which, and what notebooks may hold.

These rules are read from the syntax by `tools.imports`, which the selection of tests needs anyway; import-linter would
be one more dependency and knows neither the notebooks nor imports that serve annotations alone.
"""

import ast
import subprocess
import sys

import jupytext
import pytest

from paper_utils.files import ROOT
from tools.imports import files_of_module, imports

BESIDE = {"bootstrap", "cores", "errors", "files", "heads", "statistics", "wheels"}
LOWER = {
    "data": set(),
    "lines": set(),
    "networks": set(),
    "models": {"data"},
    "training": {"data", "models"},
    "orientation": {"lines", "models", "training"},
    "interventions": {"data", "models", "training"},
    "attention": {"data", "models", "training"},
    "language": {"models", "interventions"},
    "plots": {"attention", "data"},
    "claims": {"data", "models", "training", "interventions", "attention"},
    "pipeline": {
        *("data", "models", "training", "interventions", "attention", "claims", "plots"),
        *("networks", "lines", "orientation", "language"),
    },
}
# a figure's function may say of which type its data are, in annotations that are never executed
ANNOTATED = {"plots": {"training", "interventions", "claims", "lines", "orientation", "language"}}
SCRIPTS = sorted((ROOT / "notebooks").glob("*.py"))
MODULES = sorted((ROOT / "paper_utils").rglob("*.py"))


def parsed(path):
    return ast.parse(path.read_text())


def named(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def forbidden(path, tree, root=ROOT):
    """Return a line for each import in a module of paper_utils that points the wrong way."""
    _, here, *_ = path.relative_to(root).with_suffix("").parts
    if here == "__init__":
        allowed = {"pipeline", *LOWER, *BESIDE}
    else:
        allowed = BESIDE | ({here} | LOWER[here] if here in LOWER else set())
    found = []
    for entry in imports(tree, path, root):
        top, *inner = [*entry.module.split("."), *([entry.name] if entry.name else [])]
        there = inner[0] if inner else "__init__"
        permitted = allowed | (ANNOTATED.get(here, set()) if entry.typing else set())
        if top != "paper_utils" or there not in permitted:
            found.append(f"{path.relative_to(root)}:{entry.line} imports {'.'.join([top, *inner])}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_imports_point_one_way(path):
    assert forbidden(path, parsed(path)) == []


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("data/chirps.py", "from ..models.vit import load_vit"),
        ("data/chirps.py", "def late():\n    from .. import training"),
        ("plots/images.py", "import paper_utils.pipeline.run"),
        ("plots/images.py", "from ..training import evaluation"),
        ("attention/maps.py", "from ..interventions.engine import Engine"),
        ("statistics.py", "from .data.chirps import TARGETS"),
        ("files.py", "from . import Run"),
        ("pipeline/run.py", "from tools import readme"),
        ("claims/rules.py", "from benchmarks.timing import measure"),
    ],
)
def test_an_import_the_wrong_way_is_found(place, line):
    assert len(forbidden(ROOT / "paper_utils" / place, ast.parse(line))) == 1


def test_imports_for_annotations_may_name_types_that_plots_draw():
    line = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..training.evaluation import Evaluation"
    assert forbidden(ROOT / "paper_utils/plots/learning.py", ast.parse(line)) == []


def test_sub_packages_are_those_the_rules_name():
    folders = {path.parent.name for path in (ROOT / "paper_utils").glob("*/__init__.py")}
    modules = {path.stem for path in (ROOT / "paper_utils").glob("*.py")} - {"__init__"}
    assert (folders, modules) == (set(LOWER), BESIDE)


def test_modules_import_each_other_in_no_circle():
    reads = {}
    for path in MODULES:
        entries = [entry for entry in imports(parsed(path), path) if not entry.typing]
        files = {file for entry in entries for file in files_of_module(entry.module, entry.name)}
        reads[path] = {file for file in files if file != path and file.name != "__init__.py"}
    while free := {path for path, files in reads.items() if not files & reads.keys()}:
        reads = {path: files for path, files in reads.items() if path not in free}
    assert sorted(map(named, reads)) == []


def loaded_by(statement, *libraries):
    """Return which libraries a statement loads in an interpreter of its own."""
    code = f"import sys; {statement}; print(*(set({libraries!r}) & set(sys.modules)))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_data_loads_without_torch():
    modules = [named(path) for path in (ROOT / "paper_utils/data").glob("*.py") if path.name != "__init__.py"]
    assert loaded_by(f"import paper_utils.data, {', '.join(modules)}", "torch", "transformers", "peft").split() == []


def test_what_is_loaded_is_seen():
    assert loaded_by("import numpy", "numpy", "torch").split() == ["numpy"]


def code_of(script):
    """Return the syntax of a notebook's code cells, its magics left out."""
    cells = [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]
    lines = [line for source in cells for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))]
    return ast.parse("\n".join(lines))


def calls_of(tree, name):
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == name]


def lines_of(tree, *kinds):
    return [node.lineno for node in ast.walk(tree) if isinstance(node, kinds)]


# the index has nothing to run
@pytest.mark.parametrize("script", [path for path in SCRIPTS if path.stem != "00_index"], ids=lambda path: path.stem)
class TestNotebook:
    def test_imports_at_most_five_names(self, script):
        names = [entry for entry in imports(code_of(script), script) if entry.module.split(".")[0] == "paper_utils"]
        assert 1 <= len(names) <= 5

    def test_imports_nothing_else_of_the_repository(self, script):
        assert {entry.module.split(".")[0] for entry in imports(code_of(script), script)} == {"paper_utils"}

    def test_defines_no_function(self, script):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert lines_of(code_of(script), *kinds) == []

    def test_formats_no_string(self, script):
        assert lines_of(code_of(script), ast.JoinedStr) == []

    def test_prints_nothing(self, script):
        assert calls_of(code_of(script), "print") == []

    def test_has_no_loop(self, script):
        assert lines_of(code_of(script), ast.For, ast.While) == []
