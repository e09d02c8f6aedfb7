"""The optimizer, its steps, and the learning rate they are taken at.

Published is ReduceLROnPlateau (factor 0.1), which tries a rate for epochs before it falls. A short training has no time
for that: its rate rises and falls in two lines, and no batch may pull farther than a gradient of norm one.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from .recipe import Recipe

__all__ = ["Schedule", "optimizer_of"]

RISE = 0.06  # share of a short training over which the rate rises
LARGEST_GRADIENT = 1.0


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW over what learns of a model, as published; LoRA's B may learn faster than all else.

    B starts at zero and A at random, so one rate for both is too small for one or too large for the other
    (LoRA+, Hayou et al. 2024, arXiv 2402.12354). The optimizer that peft has for it would hurry the head's biases too,
    and leave out weight decay.
    """
    learning = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    slow = [parameter for name, parameter in learning if "lora_B" not in name]
    fast = [parameter for name, parameter in learning if "lora_B" in name]
    groups: list[dict[str, Any]] = [{"params": slow}, {"params": fast, "lr": recipe.learning_rate * recipe.lora_plus}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=recipe.learning_rate)


class Schedule:
    """The recipe's way to step: by plateaus where it has patience for them, else in two lines."""

    def __init__(self, optimizer: torch.optim.Optimizer, recipe: Recipe):
        self.optimizer = optimizer
        self.short = recipe.patience is None
        self.rates: OneCycleLR | ReduceLROnPlateau
        if recipe.patience is None:
            batches = recipe.epochs * math.ceil(recipe.images_per_epoch / recipe.batch)
            highest = [group["lr"] for group in optimizer.param_groups]
            self.rates = OneCycleLR(
                optimizer,
                highest,
                total_steps=batches,
                pct_start=RISE,
                anneal_strategy="linear",
                cycle_momentum=False,
            )
        else:
            self.rates = ReduceLROnPlateau(optimizer, factor=0.1, patience=recipe.patience[0])

    @property
    def rate(self) -> float:
        """The learning rate of the next step, of LoRA's B apart."""
        return self.optimizer.param_groups[0]["lr"]

    def step(self) -> None:
        """Take a step along the gradients of a batch, and forget them."""
        if self.short:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if isinstance(self.rates, OneCycleLR):
            self.rates.step()

    def after_epoch(self, validation_loss: float) -> None:
        """Lower a rate that goes by plateaus where the loss stalls."""
        if isinstance(self.rates, ReduceLROnPlateau):
            self.rates.step(validation_loss)

    def state_dict(self) -> dict:
        """Return all that a resumed training needs."""
        return {"optimizer": self.optimizer.state_dict(), "rates": self.rates.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.rates.load_state_dict(state["rates"])
