"""Check that each notebook's .py and .ipynb are in step and its metadata are clean: `python -m tools.check_pairs`."""

import argparse
import sys
from pathlib import Path

import jupytext
import nbformat

from paper_utils.files import ROOT

__all__ = ["KERNEL", "problems"]

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def problems(script: Path) -> list[str]:
    """Return a line for each way in which a py:percent notebook and its .ipynb differ or carry what a run left."""
    twin = script.with_suffix(".ipynb")
    if not twin.is_file():
        return [f"{twin.name} is missing: jupytext --to ipynb {script}"]
    notebook = nbformat.read(twin, as_version=4)
    cells = [[(cell.cell_type, cell.source) for cell in one.cells] for one in (jupytext.read(script), notebook)]
    found = []
    if len(cells[0]) != len(cells[1]):
        found.append(f"{script.name} has {len(cells[0])} cells, {twin.name} {len(cells[1])}")
    elif cells[0] != cells[1]:
        number = next(number for number, pair in enumerate(zip(*cells, strict=True), 1) if pair[0] != pair[1])
        found.append(f"{script.name} and {twin.name} differ in cell {number}")
    if found:
        found[0] += f"; if the .py is right: jupytext --update --to ipynb {script}, and run it"
    if notebook.metadata.get("kernelspec") != KERNEL:
        found.append(f"{twin.name} names the kernel {dict(notebook.metadata.get('kernelspec', {}))}, not {KERNEL}")
    for key in sorted(notebook.metadata.keys() - {"kernelspec", "language_info", "jupytext"}):
        found.append(f"{twin.name} has metadata {key!r}")
    for number, cell in enumerate(notebook.cells, 1):
        for key in sorted(cell.metadata.keys() - {"tags"}):
            found.append(f"{twin.name} has metadata {key!r} in cell {number}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tools.check_pairs", description=(__doc__ or "").split(":")[0] + "."
    )
    parser.parse_args()
    found = [line for script in sorted((ROOT / "notebooks").glob("*.py")) for line in problems(script)]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
