"""Pre-train the embedded backbone on procedural images: `python -m backbone.pretraining --help`.

The CLS token is supervised with the positions of the stroke's two ends; a linear probe on the patch tokens with the share
of each cell of a patch that the stroke covers (without it the loss on the ends does not fall).
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from backbone.curriculum import CURRICULUM, Recipe
from backbone.patterns import set_patterns
from backbone.strokes import CELLS, draw_stroke_image
from paper_utils.errors import reported
from paper_utils.files import atomic_path, read_json, write_json
from paper_utils.models.backbone import checksums
from paper_utils.models.loading import load_vit
from paper_utils.models.vit import autocast, new_embedded_vit, training_kernel
from tools.leftovers import only_one

__all__ = ["StrokeLocaliser", "StrokeSet", "learning_rate", "pretrain"]

PART = 7  # patches along the side of a small image, half of a large one's
TYPICAL = 200  # images on which the spread of each pattern is measured


class StrokeSet(Dataset):
    """Images of the endless set: small ones (parts) first, then large ones."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        """Return pixels, ends, cells (patches, 64), the ends' cells, and for a part its position: first row and column."""
        recipe = self.recipe
        number, is_part = recipe.first_image + index, index < recipe.small_images
        size, count = (112, recipe.strokes_per_part) if is_part else (224, 1)
        strokes = recipe.strokes.closer(2) if is_part else recipe.strokes
        image = draw_stroke_image(recipe.seed, number, size=size, strokes=strokes, count=count)
        pixels, ends = torch.from_numpy(image.pixels).permute(2, 0, 1).contiguous(), torch.from_numpy(image.ends)
        cells = torch.from_numpy(image.cells).flatten(0, 1).flatten(1)
        end_cells = torch.from_numpy(image.end_cells())
        if not is_part:
            return pixels, ends, cells, end_cells
        position = torch.from_numpy(np.random.default_rng([recipe.seed, number, 1]).integers(0, PART + 1, 2))
        return pixels, (position.flip(0).repeat(2) / PART + ends) / 2, cells, end_cells, position


class StrokeLocaliser(nn.Module):
    """The ViT, new or from `start`, with three linear heads that are used in pre-training only."""

    def __init__(self, *, seed: int, start: Path | None = None):
        super().__init__()
        self.vit: Any = load_vit(str(start)) if start else new_embedded_vit(seed=seed)
        width = self.vit.config.hidden_size
        self.ends = nn.Linear(width, 4)
        self.cells = nn.Linear(width, CELLS**2)
        self.end_cells = nn.Linear(width, 2 * CELLS**2)
        nn.init.constant_(self.cells.bias, -6.0)  # a cell in four hundred holds part of the stroke

    def forward(self, images: torch.Tensor, places: torch.Tensor | None = None) -> tuple[torch.Tensor, ...]:
        """Return the ends (batch, 4) in units of their spread, and logits of cells and of the ends' cells.

        Their shapes are (batch, patches, 64) and (batch, 2, 64 patches). Parts have `places`, their first row and column
        of patches in the whole image, (batch, 2).
        """
        positions = {} if places is None else {"embeddings.position_embeddings": self._positions(places)}
        arguments = {"pixel_values": images, "interpolate_pos_encoding": True}
        tokens = functional_call(self.vit, positions, (), arguments).last_hidden_state
        end_cells = self.end_cells(tokens[:, 1:]).unflatten(2, (2, -1)).transpose(1, 2).flatten(2)
        return self.ends(tokens[:, 0]), self.cells(tokens[:, 1:]), end_cells

    def _positions(self, places: torch.Tensor) -> torch.Tensor:
        """Return the position embeddings of CLS and of the 7 x 7 patches from each place on, (batch, 50, width)."""
        cls, patches = self.vit.embeddings.position_embeddings[0].split([1, 4 * PART**2])
        rows, columns = (places[:, axis, None] + torch.arange(PART) for axis in (0, 1))
        chosen = patches[rows[:, :, None] * 2 * PART + columns[:, None]].flatten(1, 2)
        return torch.cat([cls.expand(len(places), 1, -1), chosen], dim=1)


def learning_rate(recipe: Recipe, seen: int) -> float:
    """Return the learning rate after `seen` images, relative to its peak: linear rise, plateau, linear fall to zero."""
    rise = seen / recipe.warm_up
    fall = (recipe.images - seen) / recipe.cool_down
    return max(0.0, min(1.0, rise, fall))


def optimizers_of(localiser: StrokeLocaliser, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Return AdamW, and Muon (Jordan 2024; Liu et al. 2025, arXiv 2502.16982) for the matrices of the layers.

    Each group of parameters holds its peak learning rate.
    """
    trained = {name: each for name, each in localiser.named_parameters() if each.requires_grad}
    matrices = {name: each for name, each in trained.items() if each.ndim == 2 and ".layers." in name}
    others = [each for name, each in trained.items() if name not in matrices]
    decay = recipe.weight_decay
    adam = {"params": others, "peak": recipe.peak_rate}
    muon = {"params": list(matrices.values()), "peak": recipe.matrix_rate}
    return [
        torch.optim.AdamW([adam], weight_decay=decay, betas=(0.9, 0.98)),
        torch.optim.Muon([muon], weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
    ]


def pretrain(
    recipe: Recipe,
    folder: Path,
    *,
    start: Path | None = None,
    workers: int,
    threads: int,
    minutes_between_saves: float = 3,
) -> None:
    """Train to the recipe's end, from new weights or those in `start`, resuming from `folder`/checkpoint.pt.

    Writes `folder`/model.safetensors (half precision), config.json and training.json, which contains that of `start`.
    """
    torch.set_num_threads(threads)
    localiser = StrokeLocaliser(seed=recipe.seed, start=start)
    localiser.vit.set_attn_implementation(training_kernel(torch.device("cpu")))
    checkpoint = folder / "checkpoint.pt"
    if start is None and not checkpoint.exists():
        set_patterns(localiser.vit, _typical_images(recipe))
    localiser.vit.embeddings.patch_embeddings.requires_grad_(False)
    optimizers = optimizers_of(localiser, recipe)
    seen, seconds, log = 0, 0.0, []
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        localiser.load_state_dict(state["localiser"])
        for optimizer, saved_state in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved_state)
        seen, seconds, log = state["seen"], state["seconds"], state["log"]
    started = last_save = time.monotonic()
    recent: list[tuple[float, float]] = []

    def save() -> None:
        state: dict[str, object] = {"localiser": localiser.state_dict()}
        state |= {"optimizers": [each.state_dict() for each in optimizers]}
        state |= {"seen": seen, "seconds": seconds + time.monotonic() - started, "log": log}
        with atomic_path(checkpoint) as temporary:
            torch.save(state, temporary)

    with tqdm(total=recipe.images, initial=seen, unit=" images") as bar:
        for images, *targets in _batches(recipe, seen, workers):
            for group in (group for optimizer in optimizers for group in optimizer.param_groups):
                group["lr"] = group["peak"] * learning_rate(recipe, seen)
            recent.append(_step(localiser, optimizers, recipe, images, *targets))
            seen += len(images)
            bar.update(len(images))
            if len(recent) == 100:
                means = [sum(column) / len(recent) for column in zip(*recent, strict=True)]
                log.append([seen, *means])
                elapsed = seconds + time.monotonic() - started
                print(f"{seen} {elapsed:.0f}s ends {means[0]:.4f} cells {means[1]:.4f}", flush=True)
                recent = []
            if time.monotonic() - last_save > 60 * minutes_between_saves:
                save()
                last_save = time.monotonic()
    save()
    localiser.vit.half().save_pretrained(folder)
    total = seconds + time.monotonic() - started
    content = {**checksums(folder), "recipe": asdict(recipe), "seconds": total, "log": log}
    content["made_with"] = {"torch": torch.__version__, "threads": threads, "drawing_processes": workers}
    content["before"] = read_json(start / "training.json") if start else None
    write_json(folder / "training.json", content)
    checkpoint.unlink()


def _typical_images(recipe: Recipe) -> torch.Tensor:
    numbers = range(recipe.first_image, recipe.first_image + TYPICAL)
    images = [draw_stroke_image(recipe.seed, number, size=224, strokes=recipe.strokes).pixels for number in numbers]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2) / 255


def _batches(recipe: Recipe, seen: int, workers: int) -> Iterator[list[torch.Tensor]]:
    small = range(seen, recipe.small_images)
    large = range(max(seen, recipe.small_images), recipe.images)
    loaders = [
        DataLoader(StrokeSet(recipe), batch_size=batch, sampler=part, num_workers=workers)
        for part, batch in ((small, recipe.batch), (large, recipe.large_batch))
        if len(part)
    ]
    return itertools.chain.from_iterable(loaders)


def _step(
    localiser: StrokeLocaliser,
    optimizers: Sequence[torch.optim.Optimizer],
    recipe: Recipe,
    images: torch.Tensor,
    ends: torch.Tensor,
    cells: torch.Tensor,
    end_cells: torch.Tensor,
    places: torch.Tensor | None = None,
) -> tuple[float, float]:
    with autocast(torch.device("cpu")):
        found, logits, end_logits = localiser(images.float() / 255, places)
    # uniform coordinates have a standard deviation of 0.29: in these units, predicting the mean has a loss of about 0.5
    ends_loss = functional.smooth_l1_loss(found.float(), (ends - 0.5) / 0.29, beta=0.2)
    cell_loss = functional.binary_cross_entropy_with_logits(logits.float(), cells)
    # the stroke covers few cells: the loss is divided by its area
    loss = 0.05 / cells.mean() * cell_loss
    if recipe.strokes_per_part == 1 or places is None:
        end_cell_loss = functional.cross_entropy(end_logits.float().flatten(0, 1), end_cells.flatten())
        loss = loss + ends_loss + recipe.end_cells * end_cell_loss
    loss.backward()
    nn.utils.clip_grad_norm_(localiser.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return ends_loss.item(), cell_loss.item()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m backbone.pretraining", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--folder", type=Path, default=Path("build/backbone"), help="with a folder for each curriculum stage"
    )
    parser.add_argument("--workers", type=int, default=1, help="rendering processes")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of the training step")
    options = parser.parse_args()
    start = None
    who = "another process that trains a backbone"
    with reported(), only_one(options.folder / "lock", who=who):
        for name, recipe in CURRICULUM.items():
            folder = options.folder / name
            if not (folder / "training.json").exists():
                pretrain(recipe, folder, start=start, workers=options.workers, threads=options.threads)
            start = folder
    print(f"the backbone is in {start}")


if __name__ == "__main__":
    main()
