"""Which files of the repository a Python file imports, read from its syntax: nothing is executed.

`run_tests` asks which tests a change concerns, the import rules which sub-package imports which.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from paper_utils.files import ROOT
from paper_utils.pipeline.sources import absolute

__all__ = ["TOPS", "Import", "closure", "files_of_module", "fixture_imports", "imports"]

TOPS = ("paper_utils", "tools", "backbone", "benchmarks")
DOTTED = re.compile(rf"\b(?:{'|'.join(TOPS)})(?:\.\w+)+")


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        module: absolute, with dots.
        name: what is imported from it; None for `import module`.
        bound: the name it gets.
        line: where it stands.
        typing: whether it serves annotations alone, under `if TYPE_CHECKING:`.
        lazy: whether a module's `__getattr__` does it, when the name is first asked for.
    """

    module: str
    name: str | None
    bound: str
    line: int
    typing: bool = False
    lazy: bool = False


def imports(tree: ast.AST, path: Path, root: Path = ROOT) -> list[Import]:
    """Return what a module's syntax imports, anywhere in it, from the repository's own packages."""
    return [entry for entry in _imports(tree, path, root) if entry.module.split(".")[0] in (*TOPS, "tests")]


def _imports(node: ast.AST, path: Path, root: Path) -> Iterator[Import]:
    if isinstance(node, ast.ImportFrom):
        module = absolute(node, path, root)
        for alias in node.names:
            yield Import(module, alias.name, alias.asname or alias.name, node.lineno)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, None, alias.asname or alias.name.split(".")[0], node.lineno)
    elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        for statement in node.body:
            yield from (replace(entry, typing=True) for entry in _imports(statement, path, root))
        for statement in node.orelse:
            yield from _imports(statement, path, root)
    else:
        lazy = isinstance(node, ast.FunctionDef) and node.name == "__getattr__"
        for child in ast.iter_child_nodes(node):
            yield from (replace(entry, lazy=True) if lazy else entry for entry in _imports(child, path, root))


def files_of_module(module: str, name: str | None = None, root: Path = ROOT) -> set[Path]:
    """Return the files that importing `module` (and `name` from it) executes, without what those import."""
    parts = module.split(".")
    package = root.joinpath(*parts)
    found = {root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)}
    found.add(package.with_suffix(".py"))
    inner = {package / f"{name}.py", package / f"{name}" / "__init__.py"}
    if any(path.is_file() for path in inner):
        found |= inner
    elif name and (package / "__init__.py").is_file():
        initial = package / "__init__.py"
        late = [entry for entry in imports(_parsed(initial), initial, root) if entry.lazy and entry.bound == name]
        for entry in late:
            found |= files_of_module(entry.module, entry.name, root)
    return {path for path in found if path.is_file()}


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def closure(paths: Iterable[Path], root: Path = ROOT) -> set[Path]:
    """Return files and all that they import, directly or not, with the templates and styles beside the modules.

    In tests, a module that is named in a string counts as imported: a subprocess runs it or a patch replaces in it.
    """
    found: set[Path] = set()
    waiting = [path for path in paths if path.is_file()]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        tree = _parsed(path)
        for entry in imports(tree, path, root):
            if not (entry.typing or entry.lazy):
                waiting += files_of_module(entry.module, entry.name, root)
        if root / "tests" in path.parents:
            for module in _modules_in_strings(tree):
                waiting += files_of_module(module, root=root)
    folders = {path.parent for path in found if path.parent != root and root / "tests" not in path.parents}
    beside = {file for folder in folders for file in folder.iterdir() if file.suffix in (".html", ".mplstyle")}
    templates = {file for folder in folders for file in folder.glob("templates/*") if file.is_file()}
    return found | beside | templates


def _modules_in_strings(tree: ast.AST) -> set[str]:
    strings = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {module for string in strings for module in DOTTED.findall(string)}


def fixture_imports(conftest: Path, tests: Iterable[Path], root: Path = ROOT) -> set[Path]:
    """Return the files that a conftest imports for those of its fixtures that the tests name, directly or not.

    One conftest serves every folder; without this, every test would count as a reader of every module.
    """
    tree = _parsed(conftest)
    made: dict[str, set[str]] = {}  # what each name made in the conftest uses
    for node in tree.body:
        names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
        names |= {child.arg for child in ast.walk(node) if isinstance(child, ast.arg)}
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made[node.name] = names
        elif isinstance(node, ast.Assign):
            made |= {target.id: names for target in node.targets if isinstance(target, ast.Name)}
    used, waiting = set(), _names(tests)
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting |= made.get(name, set())
    inner = {name: node for node in tree.body if isinstance(node, ast.FunctionDef) and (name := node.name) in used}
    entries = [entry for entry in imports(tree, conftest, root) if entry.bound in used]
    entries += [entry for node in inner.values() for entry in imports(node, conftest, root)]
    return {path for entry in entries for path in files_of_module(entry.module, entry.name, root)}


def _names(tests: Iterable[Path]) -> set[str]:
    """Return arguments and strings of test files: what may name a fixture."""
    found = set()
    for path in tests:
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found
