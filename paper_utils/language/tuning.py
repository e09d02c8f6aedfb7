"""LoRA on the definitions that speak of seizures, epilepsy or EEG, each as its definitional prompt goes on."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional

from .ontology import Ontology
from .pairs import TEMPLATES, in_sentence

__all__ = ["EPOCHS", "fine_tuned", "texts"]

EPOCHS, BATCH, RATE, RANK = 1, 8, 1e-3, 8
LONGEST_TEXT = 20  # tokens: the term, and how its definition begins
IGNORED = -100  # as a label


def texts(ontology: Ontology) -> list[str]:
    """Return a sentence for each topical term: its definitional prompt and its definition."""
    return [
        f"{TEMPLATES['definitional'].format(subject=name)} {in_sentence(ontology.definitions[name])}"
        for name in sorted(ontology.topical)
    ]


def fine_tuned(
    model: Any, ids: Sequence[Sequence[int]], *, checkpoint: Path | None = None, epochs: int = EPOCHS, seed: int = 0
) -> tuple[Any, list[float]]:
    """Return the model with LoRA fine-tuned on texts and merged into its weights, and each epoch's mean loss per token.

    Padding does not count in the loss.

    Args:
        model: of transformers; it is changed.
        ids: of the tokens of each text, of which the first LONGEST_TEXT are used.
        checkpoint: where the state after an epoch is kept; training goes on from it.
        epochs: passes over the texts.
        seed: of LoRA's weights and of the order of texts.
    """
    torch.manual_seed(seed)
    settings = LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    tuned = get_peft_model(model, settings)
    trained = {name: value for name, value in tuned.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=RATE, weight_decay=0)
    losses: list[float] = []
    if checkpoint and checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        tuned.load_state_dict(state["weights"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        losses = state["losses"]
    steps = epochs * math.ceil(len(ids) / BATCH)
    step = len(losses) * math.ceil(len(ids) / BATCH)
    tuned.train()
    for epoch in range(len(losses), epochs):
        total, counted = 0.0, 0
        for batch in _batches(ids, seed + epoch):
            for group in optimizer.param_groups:
                group["lr"] = RATE * (1 - step / steps)
            inputs, labels = _padded(batch)
            logits = tuned(input_ids=inputs, attention_mask=(labels != IGNORED).long()).logits
            loss = functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tokens = int((labels[:, 1:] != IGNORED).sum())
            total, counted, step = total + loss.item() * tokens, counted + tokens, step + 1
        losses.append(total / counted)
        if checkpoint:
            state = {"weights": {name: value.detach() for name, value in trained.items()}, "losses": losses}
            torch.save(state | {"optimizer": optimizer.state_dict()}, checkpoint)
    return tuned.merge_and_unload().eval().requires_grad_(False), losses


def _batches(ids: Sequence[Sequence[int]], seed: int) -> list[list[Sequence[int]]]:
    """Return batches of texts of like lengths, in an order drawn by the seed."""
    rng = np.random.default_rng(seed)
    by_length = sorted(rng.permutation(len(ids)), key=lambda index: len(ids[index][:LONGEST_TEXT]))
    batches = [by_length[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    return [[ids[index][:LONGEST_TEXT] for index in batches[at]] for at in rng.permutation(len(batches))]


def _padded(batch: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and labels (texts, tokens) of a batch, padded behind; padding is IGNORED as a label."""
    longest = max(map(len, batch))
    labels = torch.tensor([[*one, *[IGNORED] * (longest - len(one))] for one in batch])
    return labels.clamp(min=0), labels
