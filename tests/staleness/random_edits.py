"""Random edits of a copied tree that mean the same: comments, docstrings, private names, the order of definitions."""

import ast
import random
import re
from collections import Counter
from pathlib import Path

EDITED = ("paper_utils", "tools")  # what notebooks say is shown as it stands


def mean_the_same(tree: Path, moments: random.Random, *, count: int) -> list[str]:
    """Make some random edits, each in a module of its own, and return what was done."""
    modules = sorted(path for top in EDITED for path in (tree / top).rglob("*.py") if path.stat().st_size)
    done: list[str] = []
    for path in moments.sample(modules, len(modules)):
        if len(done) == count:
            break
        how = moments.choice(EDITS)
        text = path.read_text(encoding="utf-8")
        edited = how(tree, path, text, moments)
        if edited is not None and edited != text:
            ast.parse(edited)
            path.write_text(edited, encoding="utf-8")
            done.append(f"{path.relative_to(tree)}: {how.__name__.lstrip('_')}")
    return done


def _comment(tree: Path, path: Path, text: str, moments: random.Random) -> str | None:
    node = moments.choice(ast.parse(text).body)
    lines = text.splitlines(keepends=True)
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return "".join([*lines[: first - 1], f"# {moments.random()}\n", *lines[first - 1 :]])


def _docstring(tree: Path, path: Path, text: str, moments: random.Random) -> str | None:
    kinds = (ast.FunctionDef, ast.ClassDef)
    whole = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds) and ast.get_docstring(node)]
    if not whole:
        return None
    docstring = moments.choice(whole).body[0]
    lines = text.splitlines(keepends=True)
    new = f'{" " * docstring.col_offset}"""Another text, {moments.random()}."""\n'
    return "".join([*lines[: docstring.lineno - 1], new, *lines[docstring.end_lineno :]])


def _private_name(tree: Path, path: Path, text: str, moments: random.Random) -> str | None:
    names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    others = "".join(other.read_text(encoding="utf-8") for other in tree.rglob("*.py") if other != path)
    own = [name for name in names if name.startswith("_") and not re.search(rf"\b{name}\b", others)]
    if not own:
        return None
    name = moments.choice(own)
    return re.sub(rf"\b{name}\b", f"{name}_{moments.randrange(100)}", text)


def _order(tree: Path, path: Path, text: str, moments: random.Random) -> str | None:
    """Swap two functions that follow each other, neither of which the module uses while it is loaded."""
    body = ast.parse(text).body
    loaded = Counter(
        inner.id
        for node in body
        for part in ([*node.decorator_list, node.args] if isinstance(node, ast.FunctionDef) else [node])
        for inner in ast.walk(part)
        if isinstance(inner, ast.Name)
    )
    pairs = [
        pair
        for pair in zip(body, body[1:], strict=False)
        if all(isinstance(node, ast.FunctionDef) and not node.decorator_list for node in pair)
        and not any(loaded[node.name] for node in pair)
    ]
    if not pairs:
        return None
    first, second = moments.choice(pairs)
    lines = text.splitlines(keepends=True)
    start, middle, end = first.lineno - 1, second.lineno - 1, second.end_lineno
    between = lines[first.end_lineno : middle]
    return "".join([*lines[:start], *lines[middle:end], *between, *lines[start : first.end_lineno], *lines[end:]])


EDITS = (_comment, _docstring, _private_name, _order)
