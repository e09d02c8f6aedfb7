"""Make figures in two fresh copies of this tree and compare what they come to: `python -m benchmarks.clones`.

They run beside each other, with one thread each and, where the system lets a process have none, without a network.
`python -m benchmarks.reliability --clones FIRST SECOND` compares two clones in which somebody ran `make figures`.
"""

import argparse
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.copies import TIMES, copy_tree, differences, last_line, made, start
from paper_utils.errors import CompanionError, reported
from paper_utils.files import read_arrays, read_json
from paper_utils.pipeline.run import RESULTS_FILE

__all__ = ["compared", "made_twice", "without_network"]

# runs a command without a network, on Linux, but for the machine's own address, which kernels may need
ALONE = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up 2> /dev/null; exec "$@"', "--")


def compared(first: Path, second: Path) -> tuple[list[str], dict[str, float]]:
    """Return the names of the files that differ, and counts of files and differences of each kind, by what they count.

    The largest difference is in percent: of arrays, of their largest value; of results.json, of each number.

    Raises:
        CompanionError: a clone holds no result.
    """
    for clone in (first, second):
        if not made(clone):
            raise CompanionError(f"{clone} is no clone in which `make figures` has run; give one")
    names, apart = made(first) | made(second), differences(first, second)
    of_kind = Counter(Path(name).suffix for name in sorted(names))
    counts: dict[str, float] = {"files": len(names), **of_kind, "differ": len(apart)}
    for kind in sorted({Path(name).suffix for name in apart}):
        others = [name for name in apart if name.endswith(kind)]
        counts[f"{kind} differ"] = len(others)
        both = [name for name in others if (first / name).is_file() and (second / name).is_file()]
        if kind in MEASURES and both:
            largest = max(MEASURES[kind](first / name, second / name) for name in both)
            counts[f"% apart at most in {kind}"] = float(f"{largest:.2g}")
    return apart, counts


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


def without_network() -> tuple[str, ...]:
    """Return what is put before a command to run it without a network; nothing where this system does not let it."""
    try:
        possible = subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        possible = False
    return ALONE if possible else ()


def made_twice(*options: str) -> dict[str, int | str]:
    """Make figures in two fresh copies of the tree, beside each other; return how many files there are and differ.

    Args:
        options: of `python -m tools.figures`.

    Raises:
        CompanionError: one of them fails.
    """
    before = without_network()
    with tempfile.TemporaryDirectory(prefix="twice-") as folder:
        copies = [copy_tree(Path(folder) / name) for name in ("first", "second")]
        running = [start(copy, options, before=before) for copy in copies]
        try:
            for copy, process in zip(copies, tqdm(running, unit=" runs", leave=False), strict=True):
                if process.wait():
                    raise CompanionError(f"figures cannot be made in a copy of this tree: {last_line(copy)}")
        finally:  # nothing goes on in a folder that is removed
            for process in running:
                process.terminate()
                process.wait()
        apart = differences(*copies)
        for name in apart:
            print(f"differs: {name}")
        return {
            "files": len(made(copies[0])),
            "differ": len(apart),
            "network": f"{'without' if before else 'with'} a network",
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clones", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--profile", default="smoke", help="of the runs (default: smoke)")
    options = parser.parse_args()
    with reported():
        found = made_twice("--profile", options.profile)
        print(f"two runs of {found['files']} files, {found['network']}: {found['differ']} differ")
        if found["differ"]:
            raise CompanionError("two runs with one thread each differ; see above in what")


if __name__ == "__main__":
    main()
