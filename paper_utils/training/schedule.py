"""The optimizer and its learning rate.

The published code uses ReduceLROnPlateau (factor 0.1), which needs several epochs at each rate. A short training rises
linearly to its highest rate and falls linearly to zero, and clips gradients to norm one.
"""

import math
from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau

from .recipe import Recipe

__all__ = ["Schedule", "optimizer_of"]

RISE = 0.06  # share of the steps of a short training over which the rate rises
LARGEST_GRADIENT = 1.0  # norm that a short training clips gradients to


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW, as in the published code, with a higher learning rate for LoRA's B (LoRA+).

    B starts at zero and A at random, so one rate for both is too small for B or too large for A (Hayou et al. 2024,
    arXiv 2402.12354). The LoRA+ optimizer of peft would raise the rate of the head's biases too, and drop weight decay.
    """
    trainable = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    slow = [parameter for name, parameter in trainable if "lora_B" not in name]
    fast = [parameter for name, parameter in trainable if "lora_B" in name]
    groups: list[dict[str, Any]] = [{"params": slow}, {"params": fast, "lr": recipe.learning_rate * recipe.lora_plus}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=recipe.learning_rate)


class Schedule:
    """Optimizer steps and learning rate: plateaus if the recipe has a patience, else a rise and a fall (`short`).

    Args:
        optimizer: whose steps are taken.
        recipe: says which rates.
        scaler: that the losses were scaled by (`models.vit.loss_scaler`); one that does nothing if left out.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, recipe: Recipe, *, scaler: torch.amp.GradScaler | None = None):
        self.optimizer = optimizer
        self.scaler = scaler or torch.amp.GradScaler("cpu", enabled=False)
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
        """The learning rate of the next step, for all weights but LoRA's B."""
        return self.optimizer.param_groups[0]["lr"]

    def step(self) -> None:
        """Step along the gradients of a batch, then reset them."""
        self.scaler.unscale_(self.optimizer)
        if self.short:
            parameters = [parameter for group in self.optimizer.param_groups for parameter in group["params"]]
            nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        self.scaler.step(self.optimizer)  # leaves a step out where float16 overflowed
        self.scaler.update()
        self.optimizer.zero_grad()
        if isinstance(self.rates, OneCycleLR):
            self.rates.step()

    def after_epoch(self, validation_loss: float) -> None:
        """Lower the rate if it follows plateaus and the validation loss has stalled."""
        if isinstance(self.rates, ReduceLROnPlateau):
            self.rates.step(validation_loss)

    def state_dict(self) -> dict:
        """Return the state of optimizer and learning rate, for a checkpoint."""
        content = {"optimizer": self.optimizer.state_dict(), "rates": self.rates.state_dict()}
        return content | {"scaler": self.scaler.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        """Continue from what `state_dict` returned."""
        self.optimizer.load_state_dict(state["optimizer"])
        self.rates.load_state_dict(state["rates"])
        if self.scaler.is_enabled() and state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
