"""Benchmark of training: the parts of a step, and the variants that were tried to speed it up."""

import copy
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from benchmarks.timing import Candidate, first_images, interleave, matrix_rate, operations
from paper_utils.data.chirps import label_scale
from paper_utils.data.dataset import ChirpSet, sample, split_seed
from paper_utils.models.dropout import set_dropout
from paper_utils.models.parallel import parallel_map
from paper_utils.models.regressor import build_regressor
from paper_utils.models.vit import attention_kernel, has_mixed_precision, training_kernel
from paper_utils.pipeline.profiles import get_profile
from paper_utils.training.evaluation import in_batches, loader

__all__ = ["Trainer", "show", "training_benchmark", "training_candidates"]

PROFILE = get_profile("laptop")
MOST = 64  # images in one forward and backward pass


class Trainer:
    """A model as the laptop profile trains it, and steps of its training, in the variants that were tried."""

    def __init__(self, *, backbone: str = PROFILE.backbone):
        self.model: Any = build_regressor(backbone, label_scale(0, 1000), seed=0).train()
        self.images, labels = first_images("train", MOST)
        self.labels = self.model.standardise(torch.from_numpy(labels))

    def of(self, model: Callable) -> "Trainer":
        """Return a trainer of another model on the same images."""
        other = copy.copy(self)
        other.model = model
        return other

    def forward(self, count: int, *, kernel: str, bfloat16: bool) -> torch.Tensor:
        """Return the loss of the first `count` images."""
        with attention_kernel(self.model.vit, kernel):
            return self._loss(slice(count), bfloat16)

    def _loss(self, some: slice, bfloat16: bool) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16, cache_enabled=False):
            found = self.model(self.images[some])
        return torch.nn.functional.mse_loss(found.float(), self.labels[some])

    def predict(self, count: int, *, kernel: str, bfloat16: bool) -> None:
        """Predict without gradients."""
        self.model.eval()
        with torch.inference_mode():
            self.forward(count, kernel=kernel, bfloat16=bfloat16)
        self.model.train()

    def step(self, count: int, *, kernel: str, bfloat16: bool) -> None:
        """Predict and take gradients."""
        self.forward(count, kernel=kernel, bfloat16=bfloat16).backward()
        self.model.zero_grad()

    def batch(self, *, kernel: str, bfloat16: bool) -> None:
        """Predict and take gradients of a batch, its micro-batches in parallel, as training does."""
        starts = range(0, PROFILE.batch, PROFILE.micro_batch)
        learning = [parameter for parameter in self.model.parameters() if parameter.requires_grad]

        def part(start: int) -> tuple[torch.Tensor, ...]:
            return torch.autograd.grad(self._loss(slice(start, start + PROFILE.micro_batch), bfloat16), learning)

        with (
            attention_kernel(self.model.vit, kernel),
            parallel_map(len(starts), torch.device("cpu")) as map_of,
        ):
            list(map_of(part, starts))

    def operations(self, piece: Callable[..., object]) -> float:
        """Return the floating-point operations per image of the matrix products of `predict`, `forward` or `step`."""
        return operations(lambda: piece(2, kernel="eager", bfloat16=False)) / 2


def training_candidates(trainer: Trainer, *, threads: int, bfloat16: bool, compiled: bool) -> dict[str, Candidate]:
    """Return the parts of training as it is done, and the variants that were tried, by flat key."""
    kernel, micro = training_kernel(torch.device("cpu")), PROFILE.micro_batch
    seed = split_seed(PROFILE.seed, "train")
    usual: dict[str, Any] = {"kernel": kernel, "bfloat16": bfloat16}
    candidates: dict[str, tuple[Callable[[], object], int, int]] = {
        "draw": (lambda: [sample(seed, index, with_regions=False) for index in range(32)], 32, 1),
        "predict": (lambda: trainer.predict(32, **usual), 32, threads),
        "forward": (lambda: trainer.forward(micro, **usual), micro, threads),
        "forward_and_backward": (lambda: trainer.step(micro, **usual), micro, threads),
        "parallel_map": (lambda: trainer.batch(**usual), PROFILE.batch, threads),
    }
    other = {f"kernel_{name}": usual | {"kernel": name} for name in ("sdpa", "eager", "matmul")}
    other["float32"] = {"kernel": "sdpa", "bfloat16": False}
    for name, options in other.items():
        candidates[f"tried.{name}"] = (partial(trainer.step, micro, **options), micro, threads)
    for count in (8, 16, 32, MOST):
        candidates[f"tried.batch_{count}"] = (partial(trainer.step, count, **usual), count, threads)
    for count in sorted({1, 2, torch.get_num_threads()} - {threads}):
        candidates[f"tried.threads_{count}"] = (lambda: trainer.step(micro, **usual), micro, count)
    slower = trainer.of(copy.deepcopy(trainer.model))
    set_dropout(slower.model, torch.nn.Dropout)
    candidates["tried.torch_dropout"] = (lambda: slower.step(micro, **usual), micro, threads)
    if compiled:
        faster = trainer.of(torch.compile(trainer.model))
        candidates["tried.compiled"] = (lambda: faster.step(micro, **usual), micro, threads)
    return {name: Candidate(name, *rest) for name, rest in candidates.items()}


def training_loop(trainer: Trainer, *, threads: int, bfloat16: bool, batches: int = 12) -> dict[str, float]:
    """Return images per second of training while other processes render, and the share of the time spent waiting."""
    torch.set_num_threads(threads)
    data = ChirpSet(split_seed(PROFILE.seed, "train"), range((batches + 4) * PROFILE.batch))
    kernel = training_kernel(torch.device("cpu"))
    waited, begun = 0.0, 0.0
    batches_drawn = iter(loader(data, batches=in_batches(len(data), PROFILE.batch), workers=PROFILE.workers))
    for number in range(batches + 4):
        if number == 4:  # the first batches empty a queue that filled while the workers started
            waited, begun = 0.0, time.perf_counter()
        requested = time.perf_counter()
        next(batches_drawn)
        waited += time.perf_counter() - requested
        trainer.batch(kernel=kernel, bfloat16=bfloat16)
    took = time.perf_counter() - begun
    return {"images_per_second": batches * PROFILE.batch / took, "waiting_share": waited / took}


def training_benchmark(*, threads: int, rounds: int, compiled: bool) -> dict[str, float]:
    """Measure the parts of training and return them under flat keys."""
    bfloat16 = has_mixed_precision(torch.device("cpu"))
    trainer = Trainer()
    candidates = training_candidates(trainer, threads=threads, bfloat16=bfloat16, compiled=compiled)
    rate = interleave(list(candidates.values()), rounds=rounds)
    # the time of a step without its forward pass
    rate["backward"] = 1 / (1 / rate["forward_and_backward"] - 1 / rate["forward"])
    result = {f"{name}.images_per_second": value for name, value in rate.items()}
    peak = matrix_rate(torch.bfloat16 if bfloat16 else torch.float32, threads=threads)
    result["matrix_rate.gigaflops"] = peak / 1e9
    pieces: dict[str, Callable] = {
        "predict": trainer.predict,
        "forward": trainer.forward,
        "forward_and_backward": trainer.step,
    }
    pieces["parallel_map"] = trainer.step
    for name, piece in pieces.items():
        per_image = trainer.operations(piece)
        result[f"{name}.megaflops_per_image"] = per_image / 1e6
        result[f"{name}.share"] = per_image * rate[name] / peak
    loop = training_loop(trainer, threads=threads, bfloat16=bfloat16)
    result |= {f"loop.{name}": value for name, value in loop.items()}
    result |= {"threads": threads, "bfloat16": bfloat16, "rounds": rounds}
    return {f"training.{name}": value for name, value in result.items()}


def show(results: dict) -> None:
    """Print the training numbers as a table."""
    pieces = {"draw": "render an image, one core", "predict": "predict, no gradients", "forward": "forward, training",
              "backward": "backward", "forward_and_backward": "forward and backward of a micro-batch",
              "parallel_map": "of a batch, micro-batches in parallel"}  # fmt: skip
    threads, precision = results["training.threads"], "bfloat16" if results["training.bfloat16"] else "float32"
    print(f"{'part':38} {'images/s':>10} {'share of matrix rate':>22}   ({threads} threads, {precision})")
    for name, title in pieces.items():
        share = results.get(f"training.{name}.share")
        print(f"{title:38} {results[f'training.{name}.images_per_second']:10.1f} {f'{share:.1%}' if share else '':>22}")
    print(f"{'matrix products of 2048':38} {results['training.matrix_rate.gigaflops']:10.0f} gigaflops")
    loop, waiting = (results[f"training.loop.{key}"] for key in ("images_per_second", "waiting_share"))
    print(f"{'training while a worker renders':38} {loop:10.1f} {waiting:22.1%} of the time waiting for images")
    usual = results["training.forward_and_backward.images_per_second"]
    print("\ntried: forward and backward, against a micro-batch as it is trained")
    for key, value in results.items():
        if key.startswith("training.tried."):
            name = key.removeprefix("training.tried.").removesuffix(".images_per_second")
            print(f"  {name.replace('_', ' '):36} {value:10.1f} {value / usual:10.2f} x")
