"""Are images and numbers the same with other threads, and with other instructions of the processor?

Each variation is a process of its own with other environment variables. It draws golden images, whose pixels are
compared to the bit, and computes the probes of the stages, whose numbers are compared with each stage's tolerance.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from paper_utils.data.dataset import sample, split_seed
from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from paper_utils.pipeline.stages import STAGES

__all__ = ["PROBED", "VARIATIONS", "compared", "sameness"]

PROBED = ("images", "maps", "fine_tuning", "evaluation", "attribution", "ablation", "replacements", "patching")
NO_VECTORS = "X86_V3 X86_V4"  # numpy 2.4's names of what is used beyond the baseline
VARIATIONS: dict[str, dict[str, str]] = {
    "as usual": {},
    "as usual again": {},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "three threads": {"OMP_NUM_THREADS": "3"},
    "torch without vector instructions": {"ATEN_CPU_CAPABILITY": "default"},
    "torch with AVX2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "numpy without AVX2": {"NPY_DISABLE_CPU_FEATURES": NO_VECTORS},
}
IMAGES = 32
PROGRAM = """
import json, sys
from benchmarks.sameness import measured
json.dump(measured(sys.argv[1:]), sys.stdout)
"""


def measured(stages: list[str]) -> dict:
    """Return the hash of some images of the test split, and the numbers of the stages' probes."""
    seed, pixels = split_seed(42, "test"), hashlib.sha256()
    for index in range(IMAGES):
        pixels.update(np.ascontiguousarray(sample(seed, index)[1].pixels).tobytes())
    return {"pixels": pixels.hexdigest(), "probes": {name: STAGES[name].probe() for name in stages}}


def compared(first: Mapping, other: Mapping, tolerances: Mapping[str, float]) -> dict:
    """Return whether the images are the same, how many numbers, and the largest difference over its tolerance.

    Args:
        first: of `measured`.
        other: of another variation.
        tolerances: of each stage, relative, to one where the number is smaller.
    """
    largest, same, count = 0.0, 0, 0
    for stage, numbers in first["probes"].items():
        for name, value in numbers.items():
            now = other["probes"][stage][name]
            largest = max(largest, abs(now - value) / (tolerances[stage] * max(1.0, abs(value))))
            same, count = same + (f"{now:.4g}" == f"{value:.4g}"), count + 1
    return {
        "images_same": first["pixels"] == other["pixels"],
        "numbers": count,
        "numbers_same_to_four_digits": same,
        "largest_difference_of_tolerance": largest,
    }


def sameness(
    stages: tuple[str, ...] = PROBED,
    variations: Mapping[str, Mapping[str, str]] = VARIATIONS,
    pythons: Sequence[str] = (),
) -> dict:
    """Return for each variation but the first what `compared` says of it and the first.

    Args:
        stages: whose probes are computed.
        variations: environment variables by name; the first is the usual process.
        pythons: other interpreters, each with the packages that this one has, which are variations, too.

    Raises:
        CompanionError: a variation fails.
    """
    found = {name: _run(name, changes, stages) for name, changes in variations.items()}
    found |= {_version_of(python): _run(python, {}, stages, python=python) for python in pythons}
    first, *others = found
    tolerances = {name: STAGES[name].tolerance for name in stages}
    return {name: compared(found[first], found[name], tolerances) for name in others}


def _version_of(python: str) -> str:
    """Return what an interpreter is called in a table.

    Raises:
        CompanionError: it does not start.
    """
    try:
        return subprocess.run([python, "--version"], capture_output=True, encoding="utf-8", check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise CompanionError(f"{python} is no Python that starts: {error}") from error


def _run(name: str, changes: Mapping[str, str], stages: tuple[str, ...], *, python: str = sys.executable) -> dict:
    done = subprocess.run(
        [python, "-c", PROGRAM, *stages],
        cwd=ROOT,
        env=os.environ | {"TQDM_DISABLE": "1"} | dict(changes),
        capture_output=True,
        encoding="utf-8",
    )
    if done.returncode:
        raise CompanionError(f"{name}: {(done.stderr.splitlines() or ['it was killed'])[-1]}")
    return json.loads(done.stdout)
