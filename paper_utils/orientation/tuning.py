"""Real LoRA, which the text describes and the released code leaves out: adapters in every layer, and the released heads."""

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from peft import get_peft_model
from tqdm import tqdm

from ..lines.images import Lines, draw_lines
from ..lines.variants import variant_images
from ..models.dropout import QuickDropout, set_dropout
from ..models.regressor import LORA
from ..models.vit import attention_kernel, autocast, on_best_device, training_kernel
from ..training.recipe import Recipe
from ..training.schedule import Schedule, optimizer_of
from .conditions import ENCODINGS, SEEDS, Condition, targets_of
from .features import BATCH, tensor_of
from .heads import LineHead, LineModel, losses, weighted

__all__ = ["outputs_of", "tune"]

POINTS = 40  # of the curve of losses


def tune(
    vit: Any, one: Condition, recipe: Recipe, *, images: int, seed: int, head: Mapping[str, torch.Tensor]
) -> tuple[LineModel, np.ndarray]:
    """Train LoRA and the released heads together on images each of which is seen once.

    Heads begin as they were fitted to the frozen model, and rate, batch and schedule are those of a short training
    (`training.schedule`): from the published initial weights and at the published rate few images would change nothing.

    Args:
        vit: the model before, which stays as it is.
        one: which images and encoding.
        recipe: whose rates, batch and precision are taken.
        images: that are trained on.
        seed: of LoRA's initial weights, dropout and images.
        head: weights of the heads by name.

    Returns:
        The model, and the mean training loss of each target in POINTS parts of the training, (points, targets).
    """
    lines = draw_lines(one.set, images, seed=SEEDS["tuned"] + seed)
    targets = {name: torch.from_numpy(values) for name, values in targets_of(lines, one).items()}
    torch.manual_seed(seed)
    wrapped = get_peft_model(copy.deepcopy(vit), copy.deepcopy(LORA))
    set_dropout(wrapped, QuickDropout)
    heads = LineHead(vit.config.hidden_size, list(targets), angle_values=ENCODINGS[one.encoding].values)
    heads.load_state_dict(dict(head))
    model = LineModel(wrapped, heads)
    short = replace(recipe, epochs=1, images_per_epoch=images, patience=None)
    schedule = Schedule(optimizer_of(model, short), short)
    found = []
    with on_best_device(model) as device, attention_kernel(wrapped, training_kernel(device)):
        model.train()
        starts = range(0, images, short.batch)
        for start in tqdm(starts, desc=f"LoRA on set {one.name}", leave=False):
            part = range(start, min(start + short.batch, images))
            pixels = tensor_of(variant_images(lines, part, variant=one.variant)).to(device)
            with autocast(device, wanted=recipe.mixed_precision):
                outputs = model(pixels)
            expected = {name: target[part.start : part.stop].to(device) for name, target in targets.items()}
            parts = losses({name: output.float() for name, output in outputs.items()}, expected)
            weighted(parts).backward()
            schedule.step()
            found.append([float(loss.detach()) for loss in parts.values()])
    curve = np.array_split(np.array(found), min(POINTS, math.ceil(images / short.batch)))
    return model.eval(), np.stack([part.mean(0) for part in curve])


def outputs_of(model: LineModel, lines: Lines, *, variant: str, mixed_precision: bool = True) -> dict[str, np.ndarray]:
    """Return a model's outputs (lines, values) for the images of lines, by target."""
    parts = [range(start, min(start + BATCH, len(lines))) for start in range(0, len(lines), BATCH)]
    found = []
    with torch.inference_mode(), on_best_device(model) as device:
        for part in parts:
            images = tensor_of(variant_images(lines, part, variant=variant)).to(device)
            with autocast(device, wanted=mixed_precision):
                found.append({name: output.float().cpu().numpy() for name, output in model(images).items()})
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}
