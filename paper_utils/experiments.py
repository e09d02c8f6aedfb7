"""The ablation experiments of a run: each is computed once and kept until its code, its settings or its model change.

Pictures are those on which the intact model errs, more often than others and weighted down for it. All pictures are of
the test set; removal takes ones that had no part in the order it follows.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from .ablation import Ablation, ablate_every_head, squared_errors
from .artifacts import read_arrays, write_arrays
from .engine import KINDS
from .model import ChirpRegressor, load_backbone
from .protocol import PROTOCOLS, loss_sweep, with_untuned_vit
from .pruning import orders, removal
from .runs import Run
from .screening import linearised
from .statistics import percent_increase, weighted_choice
from .training import held_out

__all__ = ["ablation", "chosen_pictures", "increase", "protocols", "removals", "replacements", "screening"]

# one experiment costs as much as many sweeps, so that it takes a part of the sweep's pictures
REPLACED, EMULATED, REMOVED = 16, 21, 8


def chosen_pictures(run: Run, model: ChirpRegressor) -> tuple[np.ndarray, np.ndarray]:
    """Return indices into the test set and weights of the pictures that heads are ablated on, (pictures,) each."""
    evaluation = run.evaluation(model)
    standardised = (evaluation.predictions - evaluation.labels) / model.label_std.numpy()
    importance = np.sqrt((standardised**2).mean(-1))
    return weighted_choice(importance, run.profile.ablation_pictures, seed=run.profile.seed)


def ablation(run: Run, model: ChirpRegressor) -> Ablation:
    """Return the predictions with each head ablated in turn, as described."""

    def compute(path: Path) -> None:
        partial = run.build / "ablation_partial.npz"
        write_arrays(path, asdict(ablate_every_head(model, **_pictures(run, model), partial=partial)))
        partial.unlink()

    return Ablation(**read_arrays(run.kept("ablation.npz", ("engine", "ablation", "statistics"), compute)))


def replacements(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return the increase of the loss in percent, (layers, heads), by what heads put out instead."""

    def compute(path: Path) -> None:
        few = _pictures(run, model, part=REPLACED)
        write_arrays(path, {kind: increase(ablate_every_head(model, **few, kind=kind)) for kind in KINDS})

    return read_arrays(run.kept("replacements.npz", ("engine", "ablation", "statistics"), compute))


def screening(run: Run, model: ChirpRegressor) -> Ablation:
    """Return the linearised model's predictions, on the pictures of `ablation`."""

    def compute(path: Path) -> None:
        write_arrays(path, asdict(linearised(model, **_pictures(run, model))))

    return Ablation(**read_arrays(run.kept("screening.npz", ("engine", "screening", "statistics"), compute)))


def removals(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return the loss (counts,) by the order in which heads are removed, and "counts" themselves."""
    heads = len(model.layers) * model.vit.config.num_attention_heads

    def compute(path: Path) -> None:
        chosen, _ = chosen_pictures(run, model)
        others = np.setdiff1d(np.arange(run.profile.test_pictures), chosen)[: _count(run, REMOVED)]
        pixels, labels = _drawn(run, others)
        counts = np.unique(np.linspace(0, heads, 13).round().astype(int))
        result = {"counts": counts}
        for name, order in orders(increase(ablation(run, model)), seed=run.profile.seed).items():
            errors = (removal(model, pixels, order, counts) - labels) / model.label_std.numpy()
            result[name] = (errors**2).mean((1, 2))
        write_arrays(path, result)

    rooms = ("engine", "ablation", "statistics", "pruning")
    return read_arrays(run.kept("removals.npz", rooms, compute))


def protocols(run: Run, model: ChirpRegressor) -> dict[str, tuple[float, np.ndarray]]:
    """Return the intact loss, and the increase in percent (layers, heads), of every protocol in `PROTOCOLS`."""

    def compute(path: Path) -> None:
        pixels, labels = _drawn(run, np.arange(_count(run, EMULATED)))
        labels, batch = torch.from_numpy(labels), -(-len(labels) // 4)
        untuned = with_untuned_vit(model, load_backbone(run.profile.backbone))
        result = {}
        for name, protocol in PROTOCOLS.items():
            intact, losses = loss_sweep(
                model if protocol.fine_tuned else untuned, pixels, labels, protocol, batch=batch
            )
            result[name] = np.append(losses.ravel(), intact)
        write_arrays(path, result)

    arrays = read_arrays(run.kept("protocols.npz", ("protocol",), compute))
    shape = len(model.layers), model.vit.config.num_attention_heads
    return {name: (values[-1], 100 * (values[:-1] / values[-1] - 1).reshape(shape)) for name, values in arrays.items()}


def increase(result: Ablation) -> np.ndarray:
    """Return the increase of the loss in percent, (layers, heads)."""
    return percent_increase(squared_errors(result.ablated, result), squared_errors(result.baseline, result))


def _count(run: Run, part: int) -> int:
    return max(2, run.profile.ablation_pictures // part)


def _pictures(run: Run, model: ChirpRegressor, *, part: int = 1) -> dict[str, object]:
    indices, weights = chosen_pictures(run, model)
    some = slice(None, None, part if len(indices) >= 2 * part else 1)  # spread over the test set, as all are
    pixels, labels = _drawn(run, indices[some])
    return {"pictures": pixels, "labels": labels, "weights": weights[some]}


def _drawn(run: Run, indices: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    pixels, labels = zip(*held_out(run.profile, indices), strict=True)
    return torch.stack(pixels), torch.stack(labels).numpy()
