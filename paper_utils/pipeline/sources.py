"""Hashes of code: of all modules that a module imports, and of a function with all that it refers to.

Neither says that a result is stale. The first decides whether a stage's probe runs again, the second whether a notebook
is executed again. Both read source text, so that they are the same under every version of Python: the text as it was when
this process imported it, since what is edited during a run is not what runs.
"""

import ast
import hashlib
import io
import tokenize
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..files import ROOT

__all__ = ["absolute", "closure", "closure_hash", "definition_hash", "script_hash"]

PACKAGE = "paper_utils"
# results pass this boundary as files, whose content is hashed; metrics are gathered of them anew
BOUNDARY, GATHERED = f"{PACKAGE}.pipeline", f"{PACKAGE}.pipeline.metrics"


@dataclass(frozen=True)
class _Module:
    name: str
    path: Path
    lines: list[str]
    definitions: dict[str, ast.stmt]  # top-level functions, classes and constants by name
    imports: dict[str, tuple[str, str]]  # local name: module and name there ("" for the module itself)


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


for _path in (ROOT / PACKAGE).rglob("*.py"):
    with suppress(
        OSError
    ):  # an editor's mark of a file in work leads nowhere, and what it replaces is gone for a moment
        _content(_path)


def absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    """Return the module, with dots, that an import in a file below `root` takes names from."""
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def closure(module: str, *, root: Path = ROOT) -> set[Path]:
    """Return the files of all modules of the package that a module imports, directly or not, its own included.

    What a sub-package's `__init__` exports is followed to where it is defined.
    """
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        one = _module(waiting.pop(), root)
        if one is None or one.path in found:
            continue
        found.add(one.path)
        for source, name in one.imports.values():
            waiting.append(_defining(source, name, root)[0])
    return found


def closure_hash(module: str, *, root: Path = ROOT) -> str:
    """Return a hash of the text of all files in `closure`, whatever they are called."""
    contents = sorted(hashlib.sha256(_content(path)).hexdigest() for path in closure(module, root=root))
    return hashlib.sha256("".join(contents).encode()).hexdigest()[:16]


def definition_hash(module: str, name: str, *, root: Path = ROOT) -> str:
    """Return a hash of a definition and of all definitions of the package that it refers to.

    Docstrings, comments, blank lines, the names of private functions and of modules make no difference; the content of
    files in data/ that it names does.
    """
    return _definition(module, name, root, ())


def script_hash(path: Path, *, root: Path = ROOT) -> str:
    """Return a hash of a notebook's py:percent script and of all definitions of the package that it refers to.

    Results pass as files: what computes them (`pipeline`) is left out.
    """
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    one = _Module(path.stem, path, text.splitlines(keepends=True), {}, _imports(tree, path, root))
    parts = [text, *(_referred(one, tree, root, ()))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@cache
def _definition(module: str, name: str, root: Path, stack: tuple[tuple[str, str], ...]) -> str:
    module, name = _defining(module, name, root)
    if module.startswith(BOUNDARY) and module != GATHERED:
        return "a result"
    if (module, name) in stack:
        return "recursion"
    one = _module(module, root)
    if one is None or name not in one.definitions:
        return f"{module}.{name}"
    node, stack = one.definitions[name], (*stack, (module, name))
    parts = [_normal_text(one, node, root, stack), *_referred(one, node, root, stack)]
    for pattern in _data_names(node):
        named = sorted(path for path in (root / "data").glob(pattern) if path.is_file())
        parts += [hashlib.sha256(data.read_bytes()).hexdigest() for data in named] or [""]
    for beside in sorted(one.path.parent.rglob("*.*")):  # style sheets and templates
        if beside.suffix in (".mplstyle", ".j2", ".css", ".js") and beside.is_file():
            parts.append(hashlib.sha256(beside.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _data_names(node: ast.AST) -> list[str]:
    """Return the names of data files in a definition; of one that an f-string puts together, a pattern of all it may be."""
    within: set[int] = set()
    found = []
    for inner in ast.walk(node):  # an f-string comes before its parts
        if isinstance(inner, ast.JoinedStr):
            within |= {id(part) for part in inner.values}
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in inner.values))
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and id(inner) not in within:
            found.append(inner.value)
    return [name for name in found if name.endswith((".json", ".csv")) and name[0].isalnum()]


def _referred(one: _Module, tree: ast.AST, root: Path, stack: tuple) -> list[str]:
    """Return the sorted hashes of the package's definitions that a piece of a module refers to."""
    found = set()
    for node in ast.walk(tree):
        if (target := _target(one, node)) is not None:
            found.add(_definition(*target, root, stack))
    return sorted(found)


def _target(one: _Module, node: ast.AST) -> tuple[str, str] | None:
    """Return module and name of the package's definition that a node stands for, if it stands for one."""
    if isinstance(node, ast.Name):
        if node.id in one.definitions:
            return one.name, node.id
        source, name = one.imports.get(node.id, ("", ""))
        return (source, name) if name else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        source, name = one.imports.get(node.value.id, ("", ""))
        return (source, node.attr) if source and not name else None
    return None


def _normal_text(one: _Module, node: ast.stmt, root: Path, stack: tuple) -> str:
    """Return a definition's text without docstrings, comments, blank lines and names of private functions."""
    texts = [text for inner in ast.walk(node) if (text := _docstring(inner)) is not None]
    spans = [(*_span(text), "") for text in texts]
    in_strings = {id(inner) for text in ast.walk(node) if isinstance(text, ast.JoinedStr) for inner in ast.walk(text)}
    for inner in ast.walk(node):
        target = _target(one, inner)
        private = isinstance(inner, ast.Name) and inner.id.startswith("_")
        if target is not None and private and id(inner) not in in_strings:
            spans.append((*_span(inner), _definition(*target, root, stack)))
    first, last = node.lineno, node.end_lineno or node.lineno
    rows = [line.encode() for line in one.lines[first - 1 : last]]
    for (row, column), (last_row, last_column), new in sorted(spans, reverse=True):
        row, last_row = row - first, last_row - first
        tail = rows[last_row][last_column:]
        rows[row : last_row + 1] = [rows[row][:column] + new.encode() + tail]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        rows[0] = rows[0].replace(node.name.encode(), b"_", 1)
    return _without_comments(b"".join(rows).decode())


def _without_comments(text: str) -> str:
    lines = text.splitlines()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, IndentationError):  # part of an expression: its comments stay
        pass
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _docstring(node: ast.AST) -> ast.Expr | None:
    body = getattr(node, "body", None)
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) or not body:
        return None
    first = body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return first if is_text else None


def _span(node: ast.AST) -> tuple[tuple[int, int], tuple[int, int]]:
    # ast.AST alone has no position; every node that comes here is an expression or a statement
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


@cache
def _module(name: str, root: Path) -> _Module | None:
    stem = root.joinpath(*name.split("."))
    package = stem / "__init__.py"
    path = package if package.is_file() else stem.with_suffix(".py")
    if not name.startswith(PACKAGE) or not path.is_file():
        return None
    text = _content(path).decode()
    tree = ast.parse(text)
    definitions: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                definitions |= {inner.id: node for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    return _Module(name, path, text.splitlines(keepends=True), definitions, _imports(tree, path, root))


def _imports(tree: ast.AST, path: Path, root: Path) -> dict[str, tuple[str, str]]:
    """Return by local name the module of the package that it comes from, and its name there."""
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        source = absolute(node, path, root)
        if not source.startswith(PACKAGE):
            continue
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            is_module = (
                root.joinpath(*inner.split(".")).is_dir()
                or root.joinpath(*inner.split(".")).with_suffix(".py").is_file()
            )
            found[alias.asname or alias.name] = (inner, "") if is_module else (source, alias.name)
    return found


def _defining(module: str, name: str, root: Path) -> tuple[str, str]:
    """Follow re-exports to the module that defines a name."""
    one = _module(module, root)
    while one is not None and name and name not in one.definitions and name in one.imports:
        module, name = one.imports[name]
        one = _module(module, root)
    return module, name
