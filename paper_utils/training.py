"""Fine-tune and evaluate: the paper's recipe, resumable, with the numbers it reports.

AdamW and mean squared error on standardised labels, early stopping on the validation loss where the profile has
patience for it, mixed precision where the machine has it.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from .checkpoints import TrainingState
from .chirps import TARGETS, label_scale
from .cores import side_by_side
from .dataset import ChirpSet, loader, split_seed
from .dropout import masks_from
from .errors import CompanionError
from .faintness import hard_oftener, title_numbers
from .history import Epoch
from .model import ChirpRegressor, build_regressor
from .profiles import Profile
from .schedule import Schedule, optimizer_of
from .statistics import correlation_interval
from .vit import attention_kernel, autocast, best_device, on_best_device, only_cls, training_kernel

__all__ = [
    "Evaluation",
    "accuracy",
    "evaluate",
    "evaluate_held_out",
    "fine_tune",
    "held_out",
    "together",
]


@dataclass(frozen=True)
class Evaluation:
    """Predictions and labels, (pictures, 3) in seconds, hertz, hertz, and the time they took."""

    predictions: np.ndarray
    labels: np.ndarray
    seconds: float


def together(evaluations: Sequence[Evaluation]) -> Evaluation:
    """Return several sets' predictions, labels and seconds as those of one."""
    return Evaluation(
        np.concatenate([each.predictions for each in evaluations]),
        np.concatenate([each.labels for each in evaluations]),
        sum(each.seconds for each in evaluations),
    )


def held_out(profile: Profile, indices: Sequence[int], *, variant: str = "published") -> ChirpSet:
    """Return test pictures, which no training or validation ever sees, or a counterfactual variant of them."""
    return ChirpSet(split_seed(profile.seed, "test"), indices, edges=profile.edges, variant=variant)


def accuracy(evaluation: Evaluation, *, chosen: np.ndarray | slice = slice(None)) -> dict[str, dict[str, float]]:
    """Return by target: Pearson r with its 95 % interval, mean absolute error, bias, both in the target's unit.

    `chosen` narrows it to some pictures, by mask or index. Where all predictions are one, r is not a number. A few
    pictures that are misread decide on r, so its interval is of pictures drawn again, and not that of normal errors.
    """
    result = {}
    for column, target in enumerate(TARGETS):
        predicted, true = evaluation.predictions[chosen, column], evaluation.labels[chosen, column]
        error = predicted - true
        r, low, high = correlation_interval(predicted, true)
        result[target] = {
            "pearson_r": r,
            "pearson_r_low": low,
            "pearson_r_high": high,
            "mean_absolute_error": float(np.abs(error).mean()),
            "bias": float(error.mean()),
        }
    return result


def evaluate(
    model: ChirpRegressor, data: ChirpSet, *, batch: int = 32, workers: int = 1, title: str = ""
) -> Evaluation:
    """Predict a set in mixed precision; the seconds count the model alone, not the drawing."""
    device = next(model.parameters()).device
    shares = torch.get_num_threads() if device.type == "cpu" else 1
    model.eval()

    def predict(pictures: torch.Tensor) -> np.ndarray:
        with torch.inference_mode(), autocast(device):
            return model.predict(pictures.to(device)).cpu().numpy()

    predictions, truths, seconds = [], [], 0.0
    with only_cls(model.vit), side_by_side(shares, device) as map_of:
        for pictures, labels in tqdm(loader(data, batch=batch, workers=workers), desc=title, leave=False):
            begun = time.perf_counter()
            predictions += map_of(predict, pictures.chunk(shares))
            seconds += time.perf_counter() - begun
            truths.append(labels.numpy())
    return Evaluation(np.concatenate(predictions), np.concatenate(truths), seconds)


def evaluate_held_out(model: ChirpRegressor, profile: Profile, indices: Sequence[int] | None = None) -> Evaluation:
    """Predict the profile's test pictures, or other held-out ones by index, on a GPU where there is one."""
    data = held_out(profile, range(profile.test_pictures) if indices is None else indices)
    with on_best_device(model):
        return evaluate(model, data, workers=profile.workers, title="held-out pictures")


def fine_tune(profile: Profile, checkpoint: Path, *, trained: str = "lora") -> tuple[ChirpRegressor, list[Epoch]]:
    """Fine-tune the profile's backbone; resume from `checkpoint` where an interrupted run left one.

    The checkpoint is written after every epoch and stays until the caller has stored the result.

    Args:
        profile: sizes and settings.
        checkpoint: of an interrupted run, there or not.
        trained: what beside the head, as in `build_regressor`.

    Raises:
        CompanionError: the loss is no longer a number, or the checkpoint belongs to another profile.
    """
    device = best_device()
    scale = label_scale(_training_seed(profile), max(1000, profile.pictures_per_epoch), edges=profile.edges)
    model = build_regressor(profile.backbone, scale, seed=profile.seed + profile.repeat, trained=trained).to(device)
    schedule = Schedule(optimizer_of(model, profile), profile)
    state = TrainingState(profile, model, schedule)
    state.resume(checkpoint)
    validation = ChirpSet(
        split_seed(profile.seed, "validation"), range(profile.validation_pictures), edges=profile.edges
    )
    with tqdm(
        total=profile.epochs,
        initial=len(state.history),
        unit=" epochs",
        desc="fine-tuning",
    ) as bar:
        while len(state.history) < profile.epochs and not state.stalled:
            begun = time.monotonic()
            number = len(state.history)
            rate = schedule.rate
            losses = _train_epoch(model, schedule, *_epoch_pictures(profile, number), profile, seed=number)
            checked = evaluate(model, validation, workers=profile.workers, title="validation")
            error = (checked.predictions - checked.labels) / scale.std
            loss = float((error**2).mean())
            rates = {target: values["pearson_r"] for target, values in accuracy(checked).items()}
            epoch = Epoch(
                pictures_seen=(number + 1) * profile.pictures_per_epoch,
                train_loss=float(np.mean(losses)),
                validation_loss=loss,
                pearson_r=rates,
                learning_rate=rate,
                seconds=time.monotonic() - begun,
                batch_losses=[round(value, 5) for value in losses],
            )
            schedule.after_epoch(loss)
            state.add(epoch)
            state.save(checkpoint)
            bar.update()
            bar.set_postfix(loss=f"{loss:.4f}", r=f"{min(rates.values()):.3f}")
    model.load_state_dict(state.chosen)
    return model.cpu().eval(), state.history


def _training_seed(profile: Profile) -> int:
    return split_seed(profile.seed, "train", repeat=profile.repeat)


def _epoch_pictures(profile: Profile, epoch: int) -> tuple[ChirpSet, np.ndarray]:
    """Return the pictures of an epoch and the weights of their losses, one on average."""
    count, seed = profile.pictures_per_epoch, _training_seed(profile)
    if profile.fresh_pictures:
        indices, weights = hard_oftener(seed, epoch, count, edges=profile.edges)
    else:
        indices, weights = np.random.default_rng([seed, epoch]).permutation(count), np.ones(count)
    return ChirpSet(seed, indices, edges=profile.edges, numbers=title_numbers(seed, indices)), weights


def _train_epoch(
    model: ChirpRegressor, schedule: Schedule, data: ChirpSet, weights: np.ndarray, profile: Profile, *, seed: int
) -> list[float]:
    device = next(model.parameters()).device
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # dropout: a resumed run draws what the uninterrupted one would have drawn, in whatever order parts are worked on
    torch.manual_seed(seed)
    model.train()

    def gradients(
        number: int, pictures: torch.Tensor, labels: torch.Tensor, share: torch.Tensor
    ) -> tuple[float, tuple[torch.Tensor | None, ...]]:
        with autocast(device), masks_from(seed, len(losses), number):
            found = model(pictures.to(device))
        squares = nn.functional.mse_loss(found.float(), model.standardise(labels.to(device)), reduction="none")
        loss = (squares * share[:, None].to(device)).sum()
        return loss.item(), torch.autograd.grad(loss, learning, allow_unused=True)

    losses: list[float] = []
    batches = tqdm(loader(data, batch=profile.batch, workers=profile.workers), leave=False)
    at_once = math.ceil(profile.batch / profile.micro_batch)
    kernel = attention_kernel(model.vit, training_kernel(device))
    with kernel, only_cls(model.vit), side_by_side(at_once, device) as map_of:
        for batch, weighed in zip(batches, torch.from_numpy(weights).float().split(profile.batch), strict=True):
            # gradients add up over parts of a batch, so that memory is that of parts and the step is the batch's
            parts = [tensor.split(profile.micro_batch) for tensor in (*batch, weighed / batch[1].numel())]
            found = list(map_of(gradients, range(len(parts[0])), *parts))
            total = sum(loss for loss, _ in found)
            if not math.isfinite(total):
                raise CompanionError(f"the training loss is {total}; lower the learning rate of the profile")
            for parameter, *shares in zip(learning, *(share for _, share in found), strict=True):
                if shares[0] is not None:  # else nothing read it
                    parameter.grad = sum(shares)
            schedule.step()
            losses.append(total)
    return losses
