"""Steps of the optimizer and the learning rate they are taken at.

Published is ReduceLROnPlateau (factor 0.1), which tries a rate for epochs before it falls. A short training has no time
for that: its rate rises and falls in two lines, and no batch may pull farther than a gradient of norm one.
"""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from .profiles import Profile

__all__ = ["Schedule"]

RISE = 0.06  # share of a short training over which the rate rises
LARGEST_GRADIENT = 1.0


class Schedule:
    """The profile's way to step: by plateaus where it has patience for them, else in two lines."""

    def __init__(self, optimizer: torch.optim.Optimizer, profile: Profile):
        self.optimizer = optimizer
        self.short = profile.patience is None
        if self.short:
            batches = profile.epochs * math.ceil(profile.pictures_per_epoch / profile.batch)
            lines = {"pct_start": RISE, "anneal_strategy": "linear", "cycle_momentum": False}
            self.rates = OneCycleLR(optimizer, profile.learning_rate, total_steps=batches, **lines)
        else:
            self.rates = ReduceLROnPlateau(optimizer, factor=0.1, patience=profile.patience[0])

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.optimizer.param_groups[0]["lr"]

    def step(self) -> None:
        """Take a step along the gradients of a batch, and forget them."""
        if self.short:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.short:
            self.rates.step()

    def after_epoch(self, validation_loss: float) -> None:
        """Lower a rate that goes by plateaus where the loss stalls."""
        if not self.short:
            self.rates.step(validation_loss)

    def state_dict(self) -> dict:
        """Return all that a resumed training needs."""
        return {"optimizer": self.optimizer.state_dict(), "rates": self.rates.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.rates.load_state_dict(state["rates"])
