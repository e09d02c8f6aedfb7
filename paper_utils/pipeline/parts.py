"""Long computations in parts of the images, kept on disk as they are finished: an interrupted one goes on from there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..errors import CompanionError
from ..files import read_arrays, write_arrays
from .work import Arrays

__all__ = ["in_parts"]


def in_parts(
    compute: Callable[[slice], Arrays], count: int, *, size: int, title: str, partial: Path | None = None
) -> Arrays:
    """Return what `compute` returns for slices of `size` images, concatenated along the first axis.

    Args:
        compute: returns arrays by name, (images of the slice, ...) each.
        count: images in all.
        size: of a part.
        title: of the progress bar.
        partial: file of the finished parts; removed by whoever stores the whole.

    Raises:
        CompanionError: the file of the finished parts is damaged.
    """
    done = _read(partial)
    finished = len(next(iter(done.values()))) if done else 0
    with tqdm(total=count, initial=finished, unit=" images", desc=title) as bar:
        for start in range(finished, count, size):
            more = compute(slice(start, min(start + size, count)))
            done = {name: np.concatenate([done[name], values]) if done else values for name, values in more.items()}
            if partial is not None:
                write_arrays(partial, done)
            bar.update(min(size, count - start))
    return done


def _read(partial: Path | None) -> Arrays:
    if partial is None or not partial.exists():
        return {}
    found = read_arrays(partial)
    if not found or len({len(values) for values in found.values()}) != 1:
        raise CompanionError(f"the unfinished computation {partial} is damaged; remove it and run again")
    return found
