"""Timing candidates against each other, in turns, so that a busy machine slows all alike."""

import itertools
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from paper_utils.models.vit import has_mixed_precision

__all__ = ["Candidate", "interleave", "machine", "matrix_rate", "operations"]


@dataclass(frozen=True)
class Candidate:
    """A piece of work of `images` images, and what must hold while it runs."""

    name: str
    work: Callable[[], object]
    images: int
    threads: int
    warm_up: Callable[[], object] | None = None  # in the round that does not count; `work` if left out


def interleave(candidates: list[Candidate], *, rounds: int) -> dict[str, float]:
    """Return images a second by name: medians over rounds, each candidate once a round, after one to warm up."""
    seconds = {candidate.name: [] for candidate in candidates}
    before = torch.get_num_threads()
    try:
        for number, candidate in tqdm(list(itertools.product(range(rounds + 1), candidates)), unit=" pieces"):
            torch.set_num_threads(candidate.threads)
            begun = time.perf_counter()
            (candidate.work if number or candidate.warm_up is None else candidate.warm_up)()
            if number:
                seconds[candidate.name].append(time.perf_counter() - begun)
    finally:
        torch.set_num_threads(before)
    return {c.name: c.images / float(np.median(seconds[c.name])) for c in candidates}


def matrix_rate(dtype: torch.dtype, *, threads: int, rounds: int = 5, size: int = 2048) -> float:
    """Return the machine's best rate of square matrix products, in floating-point operations a second."""
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


def machine() -> dict[str, object]:
    """Return what the numbers were measured on."""
    return {
        "processor": torch.backends.cpu.get_cpu_capability(),
        "architecture": platform.machine(),
        "cores": torch.get_num_threads(),
        "bfloat16_units": has_mixed_precision(torch.device("cpu")),
    }
