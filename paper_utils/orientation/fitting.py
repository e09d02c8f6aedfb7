"""Fitting the released heads to features of a frozen ViT, by the released recipe."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from .heads import LineHead, losses, weighted

__all__ = ["PARTS", "Fit", "Split", "fit_head"]

RATE, DECAY = 1e-4, 1e-5  # of AdamW
FACTOR, PATIENCE, STOP = 0.5, 3, 5  # of the rate, epochs without a better loss before it falls, and before the end
BATCH = 32
PARTS = 4  # of an epoch, each of which keeps its mean training losses


@dataclass(frozen=True)
class Split:
    """Features (images, width) and what is to be predicted of them, (images, values) by target."""

    features: np.ndarray
    targets: Mapping[str, np.ndarray]

    def tensors(self) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return both as tensors."""
        return torch.from_numpy(self.features), {name: torch.from_numpy(one) for name, one in self.targets.items()}


@dataclass(frozen=True)
class Fit:
    """Heads that were fitted once, and how the losses went."""

    head: LineHead  # of the epoch with the best loss on the images that choose
    losses: np.ndarray  # (parts of epochs, targets): means of the training losses, without weights


def fit_head(train: Split, choice: Split, *, seed: int, epochs: int, angle_values: int, initial: str) -> Fit:
    """Fit the heads by the released recipe: AdamW, the rate halved on a plateau, an early stop.

    The released code lets the images that it judges on choose rate and epoch; here these are others.

    Args:
        train: images that are trained on.
        choice: images that choose rate and epoch.
        seed: of initial weights, dropout and the order of images.
        epochs: at most.
        angle_values: how many numbers stand for the angle.
        initial: of `heads.INITIAL`.
    """
    torch.manual_seed(seed)
    (features, targets), (seen, expected) = train.tensors(), choice.tensors()
    head = LineHead(features.shape[1], list(targets), angle_values=angle_values, initial=initial)
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    rates = ReduceLROnPlateau(optimizer, factor=FACTOR, patience=PATIENCE)
    best, stalled, kept, curve = float("inf"), 0, head.state_dict(), []
    for _ in range(epochs):
        curve.append(_epoch(head, optimizer, features, targets))
        head.eval()
        with torch.no_grad():
            loss = float(weighted(losses(head(seen), expected)))
        rates.step(loss)
        if loss < best:
            best, stalled, kept = loss, 0, {name: value.clone() for name, value in head.state_dict().items()}
        else:
            stalled += 1
        if stalled == STOP:
            break
    head.load_state_dict(kept)
    return Fit(head.eval(), np.concatenate(curve))


def _epoch(
    head: LineHead, optimizer: torch.optim.Optimizer, features: torch.Tensor, targets: Mapping[str, torch.Tensor]
) -> np.ndarray:
    """Take the steps of an epoch; return the mean losses of its parts, (PARTS, targets)."""
    head.train()
    found = []
    for part in torch.randperm(len(features)).split(BATCH):
        parts = losses(head(features[part]), {name: target[part] for name, target in targets.items()})
        optimizer.zero_grad()
        weighted(parts).backward()
        optimizer.step()
        found.append([float(parts[name].detach()) for name in targets])
    return np.stack([part.mean(0) for part in np.array_split(np.array(found), min(PARTS, len(found)))])
