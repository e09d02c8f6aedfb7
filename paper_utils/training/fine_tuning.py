"""Fine-tuning with AdamW and mean squared error on standardised labels, resumable after each epoch.

As in the paper, training stops early on the validation loss if the recipe has a patience; a recipe without one follows
a short schedule to its end (`schedule`).
"""

import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from ..data.chirps import label_scale
from ..data.dataset import ChirpSet, split_seed
from ..data.render import MODEL_SIZE
from ..errors import CompanionError
from ..models.dropout import masks_from
from ..models.families import family_of
from ..models.parallel import parallel_map
from ..models.regressor import ChirpRegressor, build_regressor
from ..models.vit import attention_kernel, autocast, best_device, training_kernel
from .checkpoints import TrainingState
from .evaluation import accuracy, evaluate, loader
from .history import Epoch
from .recipe import Recipe
from .sampling import importance_sample, title_numbers
from .schedule import Schedule, optimizer_of

__all__ = ["fine_tune"]


def fine_tune(recipe: Recipe, checkpoint: Path, *, trained: str = "lora") -> tuple[ChirpRegressor, list[Epoch]]:
    """Fine-tune the recipe's backbone; resume from `checkpoint` if an interrupted run left one.

    The checkpoint is written after every epoch and stays until the caller has stored the result.

    Args:
        recipe: sizes and settings.
        checkpoint: path that the state is written to.
        trained: "lora", "head" or "all", as in `build_regressor`.

    Returns:
        The model on the CPU, in evaluation mode, LoRA not merged; and one entry for each epoch.

    Raises:
        CompanionError: the backbone takes images of another size, the loss is not finite, or the checkpoint is damaged
            or belongs to another recipe.
    """
    device = best_device()
    scale = label_scale(_training_seed(recipe), max(1000, recipe.images_per_epoch), binning=recipe.binning)
    seed = recipe.seed + recipe.repeat
    model = build_regressor(recipe.backbone, scale, seed=seed, trained=trained, pixels=recipe.pixels).to(device)
    config = model.vit.config
    if not family_of(model.vit).takes(config, MODEL_SIZE[0]):
        raise CompanionError(
            f"the backbone {recipe.backbone!r} takes images of {config.image_size} pixels in patches of "
            f"{config.patch_size}, not those of {MODEL_SIZE[0]} that are drawn; give a backbone for these"
        )
    schedule = Schedule(optimizer_of(model, recipe), recipe)
    state = TrainingState(recipe, model, schedule)
    state.resume(checkpoint)
    validation = ChirpSet(
        split_seed(recipe.seed, "validation"),
        range(recipe.validation_images),
        binning=recipe.binning,
        resizing=recipe.resizing,
    )
    with tqdm(
        total=recipe.epochs,
        initial=len(state.history),
        unit=" epochs",
        desc="fine-tuning",
    ) as bar:
        while len(state.history) < recipe.epochs and not state.stalled:
            start = time.monotonic()
            number = len(state.history)
            rate = schedule.rate
            losses = _train_epoch(model, schedule, *_epoch_images(recipe, number), recipe, seed=number)
            checked = evaluate(
                model,
                validation,
                workers=recipe.workers,
                title="validation",
                mixed_precision=recipe.mixed_precision,
            )
            error = (checked.predictions - checked.labels) / scale.std
            loss = float((error**2).mean())
            rates = {target: values["pearson_r"] for target, values in accuracy(checked).items()}
            epoch = Epoch(
                images_seen=(number + 1) * recipe.images_per_epoch,
                train_loss=float(np.mean(losses)),
                validation_loss=loss,
                pearson_r=rates,
                learning_rate=rate,
                seconds=time.monotonic() - start,
                batch_losses=[round(value, 5) for value in losses],
            )
            schedule.after_epoch(loss)
            state.add(epoch)
            state.save(checkpoint)
            bar.update()
            bar.set_postfix(loss=f"{loss:.4f}", r=f"{min(rates.values()):.3f}")
    model.load_state_dict(state.chosen)
    return model.cpu().eval(), state.history


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
    model: ChirpRegressor, schedule: Schedule, data: ChirpSet, weights: np.ndarray, recipe: Recipe, *, seed: int
) -> list[float]:
    """Train one epoch, and return the loss of each batch."""
    device = next(model.parameters()).device
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # dropout masks depend on epoch, batch and part alone, so that a resumed run draws the same ones in any order
    torch.manual_seed(seed)
    model.train()

    def gradients(
        part: int, images: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor
    ) -> tuple[float, tuple[torch.Tensor | None, ...]]:
        with autocast(device, wanted=recipe.mixed_precision), masks_from(seed, len(losses), part):
            predictions = model(images.to(device))
        squares = nn.functional.mse_loss(predictions.float(), model.standardise(labels.to(device)), reduction="none")
        loss = (squares * weights[:, None].to(device)).sum()
        return loss.item(), torch.autograd.grad(loss, trainable, allow_unused=True)

    losses: list[float] = []
    batches = tqdm(loader(data, batch=recipe.batch, workers=recipe.workers), leave=False)
    parts_per_batch = math.ceil(recipe.batch / recipe.micro_batch)
    kernel = attention_kernel(model.vit, training_kernel(device))
    with kernel, parallel_map(parts_per_batch, device) as map_of:
        for batch, batch_weights in zip(batches, torch.from_numpy(weights).float().split(recipe.batch), strict=True):
            # the gradients of the parts add up to the batch's, with memory for the parts in progress alone
            parts = [tensor.split(recipe.micro_batch) for tensor in (*batch, batch_weights / batch[1].numel())]
            results = list(map_of(gradients, range(len(parts[0])), *parts))
            total = sum(loss for loss, _ in results)
            if not math.isfinite(total):
                raise CompanionError(f"the training loss is {total}; lower the learning rate of the recipe")
            for parameter, *summands in zip(trainable, *(part for _, part in results), strict=True):
                if summands[0] is not None:  # a parameter that no prediction depends on has none
                    parameter.grad = sum(summands)
            schedule.step()
            losses.append(total)
    return losses
