"""Benchmark of ablating all heads: the engine against one head after the other, other libraries and the machine's rate."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks.peers import installed, peer_sweep
from benchmarks.timing import Candidate, first_images, interleave, matrix_rate, operations, peak_mib
from paper_utils.data.chirps import label_scale
from paper_utils.interventions.ablation import plain_sweep
from paper_utils.interventions.attribution import linearised
from paper_utils.interventions.engine import Engine
from paper_utils.models.linears import OneDnnLinear, faster_linears
from paper_utils.models.regressor import ChirpRegressor, build_regressor, merged
from paper_utils.models.vit import attention_kernel
from paper_utils.pipeline.profiles import get_profile

__all__ = ["ablation_benchmark", "show"]

PROFILE = get_profile("laptop")
KERNELS = {"engine_torch": nn.Linear, "engine_onednn": OneDnnLinear}
TITLES = {
    "plain": "weights set to zero, one head after the other",
    "engine_torch": "engine, torch's own linears",
    "engine_sequential": "the same, one batch after the other",
    "engine_onednn": "engine, oneDNN's linears",
    "attribution": "attribution: outputs linearised",
    "attribution_bfloat16": "attribution in bfloat16",
    "intact": "one intact pass",
    "hooks": "torch's forward hooks",
    "nnsight": "nnsight",
    "pyvene": "pyvene",
    "transformer_lens": "TransformerLens",
}


def ablation_benchmark(*, threads: int, rounds: int, images: int = 64, for_peers: int = 16) -> dict[str, float | str]:
    """Measure sweeps of all heads over the same images, in float32, and return flat keys.

    Weights do not matter for time, so the model is the backbone with a fresh LoRA and head. Other libraries take the
    first `for_peers` of the images; their time is scaled to all.
    """
    model = merged(build_regressor(PROFILE.backbone, label_scale(0, 1000), seed=0))
    pixels, labels = first_images("test", images)
    torch.set_num_threads(threads)
    engines = {name: Engine(model, linears=kind) for name, kind in KERNELS.items()}
    chosen = next(name for name, kind in KERNELS.items() if kind is faster_linears())
    result: dict[str, float | str] = {"kernel": chosen, **_memory(engines[chosen], pixels)}
    rate = interleave(_candidates(model, engines, pixels, labels, threads, for_peers), rounds=rounds)
    result |= {f"{name}.images_per_second": value for name, value in rate.items()}
    result["speedup_algorithm"] = rate["engine_sequential"] / rate["plain"]
    result |= {f"speedup_{name}": rate[chosen] / rate[name] for name in ("plain", *installed())}
    result["speedup_of_attribution"] = rate["attribution"] / rate[chosen]
    result["passes"] = rate["intact"] / rate[chosen]
    peak = matrix_rate(torch.float32, threads=threads)
    with attention_kernel(model.vit, "eager"), torch.inference_mode():
        per_pass = operations(lambda: model.predict(pixels[:2])) / 2
    result["share_of_matrix_rate"] = rate["intact"] * per_pass / peak
    result |= {"threads": threads, "rounds": rounds, "images": images, "images_for_peers": for_peers}
    result["largest_difference"] = _largest_difference(model, engines, pixels[:4])
    return {f"sweep.{name}": value for name, value in result.items()}


def _candidates(
    model: ChirpRegressor,
    engines: dict[str, Engine],
    pixels: torch.Tensor,
    labels: np.ndarray,
    threads: int,
    for_peers: int,
) -> list[Candidate]:
    usual = engines["engine_torch"]
    works: dict[str, Callable[[torch.Tensor], object]] = {
        "plain": lambda some: plain_sweep(model, some, labels),
        **{name: engine.sweep for name, engine in engines.items()},
        "engine_sequential": lambda some: [usual.sweep(batch) for batch in some.split(usual.batch)],
        "attribution": lambda some: linearised(model, some, labels),
        "attribution_bfloat16": lambda some: linearised(model, some, labels, mixed_precision=True),
        "intact": lambda some: usual.predict(some),
        **{name: partial(peer_sweep, name, model) for name in installed()},
    }
    candidates = []
    for name, work in works.items():
        some = pixels[:for_peers] if name in installed() else pixels
        # one image warms a library up as well as all of them
        timed, warm = (partial(work, part) for part in (some, some[:1]))
        candidates.append(Candidate(name, timed, len(some), threads, warm))
    return candidates


def _memory(engine: Engine, pixels: torch.Tensor) -> dict[str, float]:
    """Return the process's peak memory after a sweep of a quarter of the images, and what a sweep of all adds to it."""

    def peak_after(some: torch.Tensor) -> float:
        engine.sweep(some)
        return peak_mib()

    quarter = peak_after(pixels[: len(pixels) // 4])
    return {"peak_memory_mib": quarter, "memory_of_four_times_the_images_mib": peak_after(pixels) - quarter}


def _largest_difference(model: ChirpRegressor, engines: dict[str, Engine], pixels: torch.Tensor) -> float:
    """Return the largest difference of any prediction from the plain sweep's, in standardised units."""
    expected = plain_sweep(model, pixels, np.zeros((len(pixels), 3))).ablated
    differences = [np.abs(engine.sweep(pixels)[1] - expected) / model.label_std.numpy() for engine in engines.values()]
    return float(np.max(differences))


def show(results: dict) -> None:
    """Print the sweep's numbers as a table."""
    own = {key.removeprefix("sweep."): value for key, value in results.items() if key.startswith("sweep.")}
    print(f"sweep over 144 heads, {own['images']} images, float32, {own['threads']} threads")
    for name, title in TITLES.items():
        if rate := own.get(f"{name}.images_per_second"):
            seconds, ratio = own["images"] / rate, own[f"{own['kernel']}.images_per_second"] / rate
            print(f"  {title:46} {seconds:8.1f} s, {ratio:6.2f} times the engine's time")
    print(f"  the engine is {own['speedup_plain']:.2f} times as fast as one head after the other,", end=" ")
    print(
        f"{own['speedup_algorithm']:.2f} by the algorithm alone; it takes as long as {own['passes']:.0f} intact passes"
    )
    print(f"  an intact pass reaches {own['share_of_matrix_rate']:.0%} of the matrix rate;", end=" ")
    print(f"predictions differ by {own['largest_difference']:.1e} at most (standardised)")
    print(f"  peak memory {own['peak_memory_mib']:.0f} MiB, libraries and model included;", end=" ")
    print(f"four times as many images add {own['memory_of_four_times_the_images_mib']:.0f} MiB")
