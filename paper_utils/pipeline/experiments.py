"""The ablation experiments of a run: each is computed once and kept until its code, its settings or its model change.

Which held-out images each takes is said in `selection`; removal takes ones beyond the pool, which had no part in the
order it follows.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from transformers import ViTModel

from ..attention.maps import AttentionMaps, attention_maps
from ..attention.scores import feature_coverage
from ..data.chirps import Chirp
from ..data.counterfactuals import VARIANTS
from ..data.dataset import sample, split_seed
from ..files import read_arrays, write_arrays
from ..interventions.ablation import Ablation, ablate_every_head, squared_errors
from ..interventions.attribution import linearised
from ..interventions.engine import KINDS, Engine
from ..interventions.protocols import PROTOCOLS, RELEASED, intact_losses, loss_sweep, with_untuned_vit
from ..interventions.pruning import orders, removal
from ..models.regressor import ChirpRegressor, load_backbone
from ..statistics import percent_increase
from .run import Run
from .selection import choose, count, drawn, spread

__all__ = [
    "MappedImages",
    "ablation",
    "controls",
    "increase",
    "mapped_images",
    "patching",
    "protocols",
    "released_losses",
    "removals",
    "replacements",
    "screening",
    "variant_predictions",
]

SWEEPING = ("engine", "ablation", "statistics", "selection")  # rooms that a sweep over heads depends on
# one experiment costs as much as many sweeps, so that it takes a part of the sweep's images
REPLACED, EMULATED, REMOVED, VARIED, PATCHED_IMAGES = 22, 44, 11, 5, 44
PATCHED = {  # clean and distorted variant
    "the chirp": ("published", "no_chirp"),
    "without the rest": ("bare", "published"),
}


@dataclass(frozen=True)
class MappedImages:
    """Test images with their regions and the raw attention maps of every head."""

    chirps: list[Chirp]
    pixels: np.ndarray  # (images, 224, 224, 3) uint8
    regions: np.ndarray  # (images, 224, 224) uint8
    maps: AttentionMaps  # (images, layers, heads, 14, 14) float32 each

    def coverage(self) -> np.ndarray:
        """Return the share of each patch that each feature covers, (images, features, 14, 14)."""
        return np.stack([feature_coverage(regions) for regions in self.regions])


def mapped_images(run: Run, model: ChirpRegressor, *, variant: str = "published") -> MappedImages:
    """Return test images, or a variant of them, with regions and attention maps; always computed, in seconds."""
    seed, binning = split_seed(run.profile.seed, "test"), run.profile.binning
    both = [sample(seed, index, binning=binning, variant=variant) for index in range(run.profile.map_images)]
    chirps, images = zip(*both, strict=True)
    pixels = np.stack([image.pixels for image in images])
    maps = attention_maps(model, torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous())
    return MappedImages(list(chirps), pixels, np.stack([image.regions for image in images]), maps)


def ablation(run: Run, model: ChirpRegressor) -> Ablation:
    """Return the predictions with each head ablated in turn, as described."""

    def compute(path: Path) -> None:
        partial = run.build / "ablation_partial.npz"
        write_arrays(path, asdict(ablate_every_head(model, **choose(run, model), partial=partial)))
        partial.unlink()

    return Ablation(**read_arrays(run.kept("ablation.npz", SWEEPING, compute)))


def replacements(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return the increase of the loss in percent, (layers, heads), by what heads put out instead."""

    def compute(path: Path) -> None:
        few = choose(run, model, part=REPLACED)
        result = {kind: increase(ablate_every_head(model, **few, kind=kind)) for kind in KINDS if kind != "described"}
        whole, some = ablation(run, model), spread(run.profile.ablation_images, REPLACED)
        described = Ablation(
            whole.baseline[some], whole.ablated[:, :, some], whole.labels[some], whole.label_std, whole.weights[some]
        )
        write_arrays(path, {"described": increase(described)} | result)

    return read_arrays(run.kept("replacements.npz", SWEEPING, compute))


def screening(run: Run, model: ChirpRegressor) -> Ablation:
    """Return the linearised model's predictions, on the images of `ablation`."""

    def compute(path: Path) -> None:
        write_arrays(path, asdict(linearised(model, **choose(run, model))))

    return Ablation(**read_arrays(run.kept("screening.npz", (*SWEEPING, "screening"), compute)))


def removals(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return the loss (counts,) by the order in which heads are removed, and "counts" themselves."""
    heads = len(model.layers) * model.vit.config.num_attention_heads

    def compute(path: Path) -> None:
        others = run.profile.ablation_pool + np.arange(count(run, REMOVED))
        pixels, labels = drawn(run, others)
        counts = np.unique(np.linspace(0, heads, 13).round().astype(int))
        result = {"counts": counts}
        for name, order in orders(increase(ablation(run, model)), seed=run.profile.seed).items():
            errors = (removal(model, pixels, order, counts) - labels) / model.label_std.numpy()
            result[name] = (errors**2).mean((1, 2))
        write_arrays(path, result)

    rooms = (*SWEEPING, "pruning")
    return read_arrays(run.kept("removals.npz", rooms, compute))


def protocols(run: Run, model: ChirpRegressor) -> dict[str, tuple[float, np.ndarray]]:
    """Return the intact loss, and the increase in percent (layers, heads), of every protocol in `PROTOCOLS`."""

    def compute(path: Path) -> None:
        pixels, labels = drawn(run, np.arange(count(run, EMULATED)))
        labels, batch = torch.from_numpy(labels), -(-len(labels) // 4)
        untuned = with_untuned_vit(model, load_backbone(run.profile.backbone))
        result = {}
        for name, protocol in PROTOCOLS.items():
            intact, losses = loss_sweep(
                model if protocol.fine_tuned else untuned, pixels, labels, protocol, batch=batch
            )
            result[name] = np.append(losses.ravel(), intact)
        write_arrays(path, result)

    arrays = read_arrays(run.kept("protocols.npz", ("protocol", "selection"), compute))
    shape = len(model.layers), model.vit.config.num_attention_heads
    return {name: (values[-1], 100 * (values[:-1] / values[-1] - 1).reshape(shape)) for name, values in arrays.items()}


def controls(run: Run, model: ChirpRegressor) -> dict[str, ChirpRegressor]:
    """Return the model before fine-tuning, and with random weights: what is found in them, training did not put there."""
    torch.manual_seed(run.profile.seed)
    random = ViTModel(model.vit.config, add_pooling_layer=False)
    return {
        "before fine-tuning": with_untuned_vit(model, load_backbone(run.profile.backbone)),
        "random weights": with_untuned_vit(model, random),
    }


def variant_predictions(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return predictions (images, 3) of the same held-out images in every counterfactual variant, and "labels"."""

    def compute(path: Path) -> None:
        engine, indices = Engine(model), np.arange(count(run, VARIED))
        sets = {name: drawn(run, indices, variant=name) for name in VARIANTS}
        predictions = {name: engine.predict(pixels) for name, (pixels, _) in sets.items()}
        write_arrays(path, {"labels": sets["published"][1]} | predictions)

    return read_arrays(run.kept("variant_predictions.npz", ("engine", "counterfactuals", "selection"), compute))


def patching(run: Run, model: ChirpRegressor) -> dict[str, np.ndarray]:
    """Return predictions with what heads put out for a clean image patched into a distorted one.

    For each of `PATCHED`, by its name with a prefix: "clean" and "distorted" (images, 3), "heads" (layers, heads,
    images, 3) and "layers" (layers, images, 3), of which all heads are patched together.
    """
    heads = range(model.vit.config.num_attention_heads)

    def compute(path: Path) -> None:
        engine, indices = Engine(model), np.arange(count(run, PATCHED_IMAGES))
        result = {}
        for name, (clean, distorted) in PATCHED.items():
            source, pixels = (drawn(run, indices, variant=variant)[0] for variant in (clean, distorted))
            result[f"{name} clean"] = engine.predict(source)
            result[f"{name} distorted"], result[f"{name} heads"] = engine.sweep(pixels, kind="resample", source=source)
            layers = [[(layer, head) for head in heads] for layer in range(len(engine.layers))]
            patched = [engine.predict(pixels, layer, kind="resample", source=source) for layer in layers]
            result[f"{name} layers"] = np.stack(patched)
        write_arrays(path, result)

    return read_arrays(run.kept("patching.npz", ("engine", "counterfactuals", "selection"), compute))


def released_losses(run: Run, model: ChirpRegressor) -> np.ndarray:
    """Return the loss (images,) of the intact model under the released protocol, on test images as they come."""

    def compute(path: Path) -> None:
        pixels, labels = drawn(run, np.arange(run.profile.ablation_images))
        untuned = with_untuned_vit(model, load_backbone(run.profile.backbone))
        write_arrays(path, {"losses": intact_losses(untuned, pixels, torch.from_numpy(labels), RELEASED)})

    return read_arrays(run.kept("released_losses.npz", ("protocol", "selection"), compute))["losses"]


def increase(result: Ablation) -> np.ndarray:
    """Return the increase of the loss in percent, (layers, heads)."""
    return percent_increase(squared_errors(result.ablated, result), squared_errors(result.baseline, result))
