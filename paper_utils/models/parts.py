"""Long computations in parts of the images, shared out among processes and kept on disk as they are finished.

Each part has a file of its own. A computation that was interrupted, and a process that was lost, goes on from the parts
that are there, however many processes there are then.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..files import read_arrays, write_arrays
from . import processes

__all__ = ["in_parts"]

Arrays = dict[str, np.ndarray]
GUARD = "guard of "  # before the names of arrays that tell whose parts they are


def in_parts(
    compute: Callable[[slice], Arrays],
    count: int,
    *,
    size: int,
    title: str,
    partial: Path | None = None,
    guard: Mapping[str, np.ndarray] | None = None,
) -> Arrays:
    """Return what `compute` returns for slices of `size` images, concatenated along the first axis.

    Each process computes a share of the parts, and all return the whole.

    Args:
        compute: returns arrays by name, (images of the slice, ...) each.
        count: images in all.
        size: of a part.
        title: of the progress bar.
        partial: names the files of the finished parts, which begin with its stem; whoever stores the whole removes them.
            Without it nothing is kept, and each process computes everything.
        guard: numbers or words by which a part of the same computation is known, such as predictions of the model; parts
            that another one left are computed again.

    Raises:
        CompanionError: the file of a finished part is damaged, or another process was lost.
    """
    parts = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    if partial is None:
        return _concatenated([compute(part) for part in tqdm(parts, unit=" parts", desc=title)])
    kept = {GUARD + name: np.asarray(value) for name, value in (guard or {}).items()}
    own = processes.share(parts)
    missing = [part for part in own if not _is_finished(_file(partial, part), kept)]
    finished = _images(own) - _images(missing)
    with tqdm(total=_images(own), initial=finished, unit=" images", desc=title) as bar, processes.alone():
        for part in missing:
            write_arrays(_file(partial, part), compute(part) | kept)
            bar.update(part.stop - part.start)
    processes.wait()
    found = [read_arrays(_file(partial, part)) for part in parts]
    processes.wait()  # until all have read: the main process may remove the files next
    return _concatenated([{name: part[name] for name in part if not name.startswith(GUARD)} for part in found])


def _images(parts: list[slice]) -> int:
    return sum(part.stop - part.start for part in parts)


def _file(partial: Path, part: slice) -> Path:
    return partial.with_name(f"{partial.stem}-{part.start}-{part.stop}.npz")


def _is_finished(path: Path, guard: Arrays) -> bool:
    """Return whether the file of a part is there and of the same computation."""
    if not path.exists():
        return False
    found = read_arrays(path)
    return all(name in found and _agree(found[name], value) for name, value in guard.items())


def _agree(found: np.ndarray, expected: np.ndarray) -> bool:
    if expected.dtype.kind not in "fiu":
        return np.array_equal(found, expected)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-3)


def _concatenated(parts: list[Arrays]) -> Arrays:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
