"""Benchmark of the sweep over all heads: the engine against the plain way, and how near it comes to the machine's rate."""

import resource

import numpy as np
import torch

from .ablation import plain_sweep
from .benchmarking import Candidate, interleave, matrix_rate, operations
from .chirps import label_scale
from .dataset import ChirpSet, split_seed
from .engine import Engine
from .model import build_regressor, merged
from .profiles import get_profile
from .vit import attention_kernel

__all__ = ["ablation_benchmark", "show"]

PROFILE = get_profile("laptop")


def ablation_benchmark(*, threads: int, rounds: int, pictures: int = 64) -> dict[str, float]:
    """Measure sweeps of all heads over the same pictures, in float32, and return flat keys.

    Weights do not matter for time, so the model is the backbone with a fresh LoRA and head.
    """
    model = merged(build_regressor(PROFILE.backbone, label_scale(0, 1000), seed=0))
    data = ChirpSet(split_seed(PROFILE.seed, "test"), range(pictures))
    pixels, labels = (torch.stack(column) for column in zip(*data, strict=True))
    engine = Engine(model)
    candidates = [
        Candidate("plain", lambda: plain_sweep(model, pixels, labels.numpy()), pictures, threads),
        Candidate("engine", lambda: engine.sweep(pixels), pictures, threads),
        Candidate("intact", lambda: engine.predict(pixels), pictures, threads),
    ]
    rate = interleave(candidates, rounds=rounds)
    result = {f"{name}.pictures_per_second": value for name, value in rate.items()}
    result["speedup_plain"] = rate["engine"] / rate["plain"]
    result["passes"] = rate["intact"] / rate["engine"]
    peak = matrix_rate(torch.float32, threads=threads)
    with attention_kernel(model.vit, "eager"), torch.inference_mode():
        per_pass = operations(lambda: model.predict(pixels[:2])) / 2
    result["share_of_matrix_rate"] = rate["intact"] * per_pass / peak
    result["peak_memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result |= {"threads": threads, "rounds": rounds, "pictures": pictures}
    small = pixels[:4]
    difference = np.abs(engine.sweep(small)[1] - plain_sweep(model, small, labels[:4].numpy()).ablated)
    result["largest_difference"] = float((difference / model.label_std.numpy()).max())
    return {f"sweep.{name}": value for name, value in result.items()}


def show(results: dict[str, float]) -> None:
    """Print the sweep's numbers as a table."""
    print(f"sweep over 144 heads, {results['sweep.pictures']} pictures, float32, {results['sweep.threads']} threads")
    for name, title in (
        ("plain", "weights set to zero, one by one"),
        ("engine", "engine"),
        ("intact", "one intact pass"),
    ):
        seconds = results["sweep.pictures"] / results[f"sweep.{name}.pictures_per_second"]
        print(f"  {title:34} {seconds:8.1f} s")
    print(
        f"  {results['sweep.speedup_plain']:.2f} times as fast as the plain sweep, as much as {results['sweep.passes']:.0f} passes"
    )
    print(f"  an intact pass reaches {results['sweep.share_of_matrix_rate']:.0%} of the matrix rate;", end=" ")
    print(f"predictions differ by {results['sweep.largest_difference']:.1e} at most (standardised)")
