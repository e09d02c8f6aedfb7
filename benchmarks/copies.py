"""Copies of the tree in which figures are made, and whether two of them come to the same."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import numpy as np

from paper_utils.files import ROOT, read_arrays, read_json
from paper_utils.pipeline.figures import same_pixels
from paper_utils.pipeline.run import RESULTS_FILE

__all__ = ["ONE_THREAD", "TIMES", "copy_tree", "differences", "last_line", "made", "start"]

PARTS = ("paper_utils", "tools", "notebooks", "data")  # what a run reads
MADE = (".npz", ".png", ".pdf", ".safetensors", ".ipynb")
TIMES = ("seconds", "per_second", "when")  # in the names of numbers that are no result
# several threads may add up in another order each time, so that not every bit would be the same
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def copy_tree(folder: Path) -> Path:
    """Copy what a run reads into a folder, with one for temporary files beside it; return the folder."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tmp").mkdir()
    return folder


def start(
    copy: Path, options: tuple[str, ...], *, environment: Mapping[str, str] = ONE_THREAD, before: tuple[str, ...] = ()
) -> subprocess.Popen:
    """Start `python -m tools.figures` in a copy of the tree; what it prints goes to the copy's log.

    Args:
        copy: of `copy_tree`.
        options: of `python -m tools.figures`.
        environment: variables beside those of this process.
        before: a command that runs it, such as `unshare --net`.
    """
    own = {"TMPDIR": str(copy / "tmp"), "TQDM_DISABLE": "1", "PYTHONPATH": str(copy)} | dict(environment)
    with open(copy / "log", "a", encoding="utf-8") as log:
        command = [*before, sys.executable, "-m", "tools.figures", *options]
        return subprocess.Popen(command, cwd=copy, env=os.environ | own, stdout=log, stderr=log)


def last_line(copy: Path) -> str:
    """Return the last line that runs in a copy have printed."""
    return " ".join((copy / "log").read_text(encoding="utf-8").splitlines()[-1:])


def made(copy: Path) -> set[str]:
    """Return the names of the results, figures and notebooks that were made in a copy of the tree."""
    return {
        path.relative_to(copy).as_posix()
        for part in ("build", "figures")
        for path in (copy / part).rglob("*")
        if (path.suffix in MADE or path.name == RESULTS_FILE)
        and not path.relative_to(copy).as_posix().startswith("figures/reference")
    }


def differences(first: Path, second: Path) -> list[str]:
    """Return the names of what differs between two copies of the tree, or is in one of them alone.

    Arrays and the outputs of notebooks are compared as they are, PNG files by their pixels, others by their bytes;
    measured seconds are no difference.
    """
    return [name for name in sorted(made(first) | made(second)) if not _same(first / name, second / name)]


def _same(first: Path, second: Path) -> bool:
    if not (first.is_file() and second.is_file()):
        return False
    if first.suffix == ".png":
        return same_pixels(first, second)
    if first.suffix == ".npz":
        one, other = (read_arrays(path) for path in (first, second))
        return one.keys() == other.keys() and all(
            np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
            for name in one
            if not name.endswith(TIMES)
        )
    if first.suffix == ".ipynb":
        return _outputs(first) == _outputs(second)
    if first.name == RESULTS_FILE:
        one, other = (
            {name: value for name, value in read_json(path).items() if not name.endswith(TIMES)}
            for path in (first, second)
        )
        return one == other
    return first.read_bytes() == second.read_bytes()


def _outputs(path: Path) -> list:
    """Return the outputs of an executed notebook's cells, cell by cell."""
    return [cell.outputs for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
