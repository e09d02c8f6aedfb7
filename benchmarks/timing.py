"""Time candidates in turns, so that other work on the machine slows all of them equally."""

import itertools
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from paper_utils.data.dataset import ChirpSet, split_seed
from paper_utils.models.vit import has_mixed_precision
from paper_utils.pipeline.profiles import get_profile
from paper_utils.training.evaluation import in_batches, loader

__all__ = ["Candidate", "first_images", "interleave", "machine", "matrix_rate", "operations", "peak_mib"]


@dataclass(frozen=True)
class Candidate:
    """A function to time, with the number of images it processes and the threads it runs on."""

    name: str
    work: Callable[[], object]
    images: int
    threads: int
    warm_up: Callable[[], object] | None = None  # run in the untimed first round; `work` if left out


def interleave(candidates: list[Candidate], *, rounds: int) -> dict[str, float]:
    """Return images per second by name: medians over `rounds`, each candidate once per round, after one untimed round."""
    seconds: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    before = torch.get_num_threads()
    try:
        for number, candidate in tqdm(list(itertools.product(range(rounds + 1), candidates)), unit=" candidates"):
            torch.set_num_threads(candidate.threads)
            begun = time.perf_counter()
            (candidate.work if number or candidate.warm_up is None else candidate.warm_up)()
            if number:
                seconds[candidate.name].append(time.perf_counter() - begun)
    finally:
        torch.set_num_threads(before)
    return {c.name: c.images / float(np.median(seconds[c.name])) for c in candidates}


def first_images(split: str, count: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return the first images of a split of the laptop profile, (count, 3, 224, 224) uint8, and labels (count, 3)."""
    data = ChirpSet(split_seed(get_profile("laptop").seed, split), range(count))
    images, labels = next(iter(loader(data, batches=in_batches(len(data), count), workers=0)))
    return images, labels.numpy()


def matrix_rate(dtype: torch.dtype, *, threads: int, rounds: int = 5, size: int = 2048) -> float:
    """Return the machine's best rate of square matrix products, in floating-point operations per second."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    times = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - begun)
    torch.set_num_threads(before)
    return 2 * size**3 / min(times)


def operations(work: Callable[[], object]) -> int:
    """Return the floating-point operations of the matrix products in `work`.

    Fused attention on a CPU is not counted: let `work` use the eager kernel.
    """
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def peak_mib() -> float:
    """Return the peak memory of this process in MiB."""
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def machine() -> dict[str, object]:
    """Return the processor, its architecture, the number of threads and whether it has bfloat16 units."""
    return {
        "processor": torch.backends.cpu.get_cpu_capability(),
        "architecture": platform.machine(),
        "cores": torch.get_num_threads(),
        "bfloat16_units": has_mixed_precision(torch.device("cpu")),
    }
