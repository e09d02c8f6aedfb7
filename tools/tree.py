"""Fill CONTRIBUTING.md with the tree of sub-packages and their lines of code: `python -m tools.tree`."""

import argparse
import ast
from pathlib import Path

from paper_utils.errors import reported
from paper_utils.files import ROOT, write_text
from tools.imports import TOPS
from tools.markdown import between_marks

__all__ = ["CONTRIBUTING", "filled", "tree"]

CONTRIBUTING = ROOT / "CONTRIBUTING.md"


def tree(root: Path = ROOT) -> str:
    """Return a line for each package with its modules, hundreds of lines of Python and what its docstring says."""
    packages = [root / top for top in TOPS if (root / top).is_dir()]
    rows = []
    for package in packages:
        rows.append(_row(package, root))
        rows += [_row(inner.parent, root) for inner in sorted(package.glob("*/__init__.py"))]
    tests = sorted((root / "tests").rglob("*.py"))
    rows.append(("tests/", len(tests), _lines(tests), "A folder for each package and sub-package"))
    width = max(len(row[0]) for row in rows)
    lines = [f"{name:{width}} {modules:3} modules {lines:5} lines  {says}" for name, modules, lines, says in rows]
    return "\n".join(["```", *lines, "```"])


def _row(package: Path, root: Path) -> tuple[str, int, int, str]:
    depth = len(package.relative_to(root).parts) - 1
    modules = sorted(package.glob("*.py"))
    doc = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    sentence = doc.split("\n\n")[0].replace("\n", " ").rstrip(".")
    return f"{'  ' * depth}{package.name}/", len(modules), _lines(modules), sentence


def _lines(paths: list[Path]) -> int:
    """Return how many lines files have, to the nearest hundred: exact counts would change with every commit."""
    return round(sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths), -2)


def filled(text: str, root: Path = ROOT) -> str:
    """Return CONTRIBUTING.md with the tree between its marks replaced.

    Raises:
        CompanionError: the text lacks the marks.
    """
    return between_marks(text, {"tree": tree(root)}, name="CONTRIBUTING.md")


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.tree", description=__doc__.split(":")[0] + ".").parse_args()
    with reported():
        text = filled(CONTRIBUTING.read_text(encoding="utf-8"))
        write_text(CONTRIBUTING, text)


if __name__ == "__main__":
    main()
