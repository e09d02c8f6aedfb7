"""Fine-tuning with AdamW and mean squared error on standardised labels, resumable to the step, on several processes.

As in the paper, training stops early on the validation loss if the recipe has a patience; a recipe without one follows
a short schedule to its end (`schedule`).
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..data.chirps import label_scale
from ..data.dataset import ChirpSet, split_seed
from ..errors import CompanionError
from ..models.dropout import masks_from
from ..models.loading import check_takes_images
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor, build_regressor
from ..models.vit import attention_kernel, autocast, best_device, loss_scaler, training_kernel
from .checkpoints import Progress, TrainingState
from .evaluation import accuracy, evaluate, loader
from .history import Epoch
from .recipe import Recipe
from .sampling import importance_sample, title_numbers
from .schedule import Schedule, optimizer_of
from .steps import Gradients, Piece, shares_of, sum_gradients

__all__ = ["fine_tune"]

SECONDS_PER_SAVE = 300.0  # within an epoch: what an interruption costs at most


def fine_tune(recipe: Recipe, checkpoint: Path, *, trained: str = "lora") -> tuple[ChirpRegressor, list[Epoch]]:
    """Fine-tune the recipe's backbone; resume from `checkpoint` if an interrupted run left one.

    The checkpoint is written after every epoch, and every few minutes within a long one; it stays until the caller has
    stored the result. Several processes share each batch out and come to the same model (`steps`).

    Args:
        recipe: sizes and settings.
        checkpoint: path that the state is written to.
        trained: "lora", "head" or "all", as in `build_regressor`.

    Returns:
        The model on the CPU, in evaluation mode, LoRA not merged; and one entry for each epoch.

    Raises:
        CompanionError: the backbone takes images of another size, the loss is not finite, or the checkpoint is damaged
            or belongs to another recipe, or another process was lost.
    """
    device = best_device()
    scale = label_scale(_training_seed(recipe), max(1000, recipe.images_per_epoch), binning=recipe.binning)
    seed = recipe.seed + recipe.repeat
    model = build_regressor(recipe.backbone, scale, seed=seed, trained=trained, pixels=recipe.pixels).to(device)
    check_takes_images(recipe.backbone, model.vit)
    scaler = loss_scaler(device, wanted=recipe.mixed_precision)
    schedule = Schedule(optimizer_of(model, recipe), recipe, scaler=scaler)
    state = TrainingState(recipe, model, schedule)
    state.resume(checkpoint)
    validation = ChirpSet(
        split_seed(recipe.seed, "validation"),
        range(recipe.validation_images),
        binning=recipe.binning,
        resizing=recipe.resizing,
    )
    with tqdm(total=recipe.epochs, initial=len(state.history), unit=" epochs", desc="fine-tuning") as bar:
        while len(state.history) < recipe.epochs and not state.stalled:
            epoch = _one_epoch(state, recipe, validation, checkpoint)
            schedule.after_epoch(epoch.validation_loss)
            state.add(epoch)
            state.save(checkpoint)
            bar.update()
            bar.set_postfix(loss=f"{epoch.validation_loss:.4f}", r=f"{min(epoch.pearson_r.values()):.3f}")
    model.load_state_dict(state.chosen)
    return model.cpu().eval(), state.history


def _one_epoch(state: TrainingState, recipe: Recipe, validation: ChirpSet, checkpoint: Path) -> Epoch:
    """Train the next epoch, or what is left of an interrupted one, and validate."""
    model, number = state.model, len(state.history)
    begun = state.progress or Progress([], state.schedule.rate, 0.0)
    saved = time.monotonic()
    start = saved - begun.seconds

    def after_step(losses: list[float]) -> None:
        nonlocal saved
        if time.monotonic() - saved >= SECONDS_PER_SAVE:
            state.progress = Progress(list(losses), begun.rate, time.monotonic() - start)
            state.save(checkpoint)
            saved = time.monotonic()

    images, weights = _epoch_images(recipe, number)
    done = list(begun.losses)
    losses = _train_epoch(model, state.schedule, images, weights, recipe, seed=number, done=done, after_step=after_step)
    checked = evaluate(
        model, validation, workers=recipe.workers, title="validation", mixed_precision=recipe.mixed_precision
    )
    error = (checked.predictions - checked.labels) / model.label_std.cpu().numpy()
    return Epoch(
        images_seen=(number + 1) * recipe.images_per_epoch,
        train_loss=float(np.mean(losses)),
        validation_loss=float((error**2).mean()),
        pearson_r={target: values["pearson_r"] for target, values in accuracy(checked).items()},
        learning_rate=begun.rate,
        seconds=time.monotonic() - start,
        batch_losses=[round(value, 5) for value in losses],
    )


def _training_seed(recipe: Recipe) -> int:
    """Return the seed of the training images, another one for each training seed (`repeat`)."""
    return split_seed(recipe.seed, "train", repeat=recipe.repeat)


def _epoch_images(recipe: Recipe, epoch: int) -> tuple[ChirpSet, np.ndarray]:
    """Return the images of an epoch and the weights (images,) of their losses, whose mean is one."""
    count, seed = recipe.images_per_epoch, _training_seed(recipe)
    if recipe.fresh_images:
        indices, weights = importance_sample(seed, epoch, count, binning=recipe.binning)
    else:
        indices, weights = np.random.default_rng([seed, epoch]).permutation(count), np.ones(count)
    numbers = title_numbers(seed, indices)
    images = ChirpSet(seed, indices, binning=recipe.binning, numbers=numbers, resizing=recipe.resizing)
    return images, weights


def _train_epoch(
    model: ChirpRegressor,
    schedule: Schedule,
    data: ChirpSet,
    weights: np.ndarray,
    recipe: Recipe,
    *,
    seed: int,
    done: Sequence[float] = (),
    after_step: Callable[[list[float]], None] = lambda losses: None,
) -> list[float]:
    """Train one epoch, and return the loss of each batch.

    Args:
        model: on the device that it is trained on.
        schedule: of its trained parameters.
        data: the images of the epoch.
        weights: (images,) of their losses.
        recipe: sizes.
        seed: of the dropout masks.
        done: losses of the batches that an interrupted epoch has been trained on already.
        after_step: called with the losses so far.
    """
    device = next(model.parameters()).device
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    losses = list(done)
    # dropout masks depend on epoch, batch and part alone, so that a resumed run draws the same ones in any order
    torch.manual_seed(seed)
    model.train()

    def gradients(
        piece: Piece, images: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
    ) -> tuple[float, Gradients]:
        masks = masks_from(seed, len(losses), piece.part, rows=piece.rows, of=len(piece.whole))
        with autocast(device, wanted=recipe.mixed_precision), masks:
            predictions = model(images.to(device))
        squares = nn.functional.mse_loss(predictions.float(), model.standardise(labels.to(device)), reduction="none")
        loss = (squares * weights[:, None].to(device)).sum()
        return loss.item(), torch.autograd.grad(schedule.scaler.scale(loss), trainable, allow_unused=True)

    shares = shares_of(len(data), recipe)
    positions = [
        [recipe.batch * batch + i for piece in pieces for i in piece.images] for batch, pieces in enumerate(shares)
    ]
    left = range(len(losses), len(shares))
    drawn = iter(loader(data, batches=[positions[batch] for batch in left if shares[batch]], workers=recipe.workers))
    kernel = attention_kernel(model.vit, training_kernel(device))
    with kernel, parallel_map(max(map(len, shares)), device) as map_of:
        for batch in tqdm(left, leave=False):
            pieces, results = shares[batch], []
            if pieces:
                images, labels = next(drawn)
                in_batch = min(recipe.batch, len(data) - recipe.batch * batch)
                scaled = torch.from_numpy(weights[positions[batch]]).float() / (in_batch * labels.shape[1])
                # the gradients of the pieces add up to the batch's, with memory for the pieces in progress alone
                sizes = [len(piece.images) for piece in pieces]
                results = list(map_of(gradients, pieces, *(one.split(sizes) for one in (images, labels, scaled))))
            total = sum_gradients(trainable, results, device=device)
            if not math.isfinite(total):
                raise CompanionError(f"the training loss is {total}; lower the learning rate of the recipe")
            schedule.step()
            losses.append(total)
            after_step(losses)
    return losses
