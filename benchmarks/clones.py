"""Compare what `make figures` made in two clones: `python -m benchmarks.clones FIRST SECOND`.

Arrays and the numbers of results.json are compared as they are, figures by their pixels; measured seconds are left out.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.interruptions import TIMES, differences, made
from paper_utils.errors import CompanionError, reported
from paper_utils.files import read_arrays, read_json
from paper_utils.pipeline.run import RESULTS_FILE

__all__ = ["compared"]


def compared(first: Path, second: Path) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Return the names of the files that differ, and for each kind how many there are, differ, and by how much at most.

    "largest_percent" is of the arrays' largest value, and of each number in results.json; of pixels none is given.

    Raises:
        CompanionError: a clone holds no result.
    """
    for clone in (first, second):
        if not made(clone):
            raise CompanionError(f"{clone} is no clone in which `make figures` has run; give one")
    names, apart = made(first) | made(second), differences(first, second)
    found: dict[str, dict[str, float]] = {}
    for kind in sorted({Path(name).suffix for name in names}):
        own, others = ([name for name in some if name.endswith(kind)] for some in (names, apart))
        found[kind] = {"files": len(own), "differ": len(others)}
        both = [name for name in others if (first / name).is_file() and (second / name).is_file()]
        if kind in MEASURES and both:
            found[kind]["largest_percent"] = max(MEASURES[kind](first / name, second / name) for name in both)
    return apart, found


def _arrays_apart(first: Path, second: Path) -> float:
    one, other = read_arrays(first), read_arrays(second)
    shared = [name for name in one if name in other and not name.endswith(TIMES) and one[name].dtype.kind == "f"]
    alike = [name for name in shared if one[name].shape == other[name].shape]
    return max((_percent(one[name], other[name]) for name in alike), default=0.0)


def _numbers_apart(first: Path, second: Path) -> float:
    one, other = read_json(first), read_json(second)
    shared = [name for name, value in one.items() if isinstance(value, int | float) and not name.endswith(TIMES)]
    return max((_percent(np.array(one[name]), np.array(other[name])) for name in shared if name in other), default=0.0)


def _percent(one: np.ndarray, other: np.ndarray) -> float:
    largest = np.nanmax(np.abs(one), initial=0.0)
    return 100 * float(np.nanmax(np.abs(one - other), initial=0.0) / largest) if largest else 0.0


MEASURES = {".npz": _arrays_apart, Path(RESULTS_FILE).suffix: _numbers_apart}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clones", description=__doc__.split(":")[0] + ".")
    parser.add_argument("first", type=Path, help="a clone in which `make figures` has run")
    parser.add_argument("second", type=Path, help="another one")
    options = parser.parse_args()
    with reported():
        apart, kinds = compared(options.first, options.second)
        for name in apart:
            print(f"differs: {name}")
        for kind, counts in kinds.items():
            print(f"{kind}: {', '.join(f'{value:.3g} {name}' for name, value in counts.items())}")


if __name__ == "__main__":
    main()
