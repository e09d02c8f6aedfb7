"""What a ViT makes of line images (arXiv 2504.09393), as stages: heads on a frozen one, on a random one, and real LoRA.

Each fit and each set of features is kept until the stage is finished, so that an interrupted one continues there.
"""

import copy
import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from ..attention.maps import attention_maps
from ..files import read_arrays, write_arrays
from ..lines.variants import variant_images
from ..models.adapted import adapt
from ..models.pixels import Normalisation, fold_normalisation
from ..models.vit import new_embedded_vit
from ..orientation.conditions import CONDITIONS, ENCODINGS, Condition, condition, of_set, targets_of
from ..orientation.features import features_of, tensor_of
from ..orientation.fitting import Split, fit_head
from ..orientation.similarity import CONTROLS, map_similarity
from ..orientation.tuning import outputs_of, tune
from . import probes
from .work import Arrays, Work

__all__ = ["LINE_STAGES", "RANDOM", "RANDOM_STAGE", "TUNED", "frozen", "lora", "maker", "probe", "random"]

RANDOM_STAGE = "lines/random"  # whose weights are those of no backbone
LINE_STAGES = ("lines/frozen", RANDOM_STAGE, "lines/lora")
RANDOM = ("I", "I-axial", "IV", "IV-axial")  # what is fitted on a random backbone
TUNED = ("I", "IV")  # what LoRA is trained on
MAPPED = 32  # images whose attention maps are compared
GRAIN = 64  # angles are kept in such parts of a degree
SPLITS = {"train": "line_images", "choice": "line_choice_images", "test": "line_test_images"}  # and what sizes them


def frozen(work: Work) -> Arrays:
    """Fit the released heads on the run's backbone, which stays as it is, in every condition."""
    return _fits(work, "lines/frozen", lambda: _vit(work), tuple(CONDITIONS))


def random(work: Work) -> Arrays:
    """Fit the released heads on a ViT of the embedded backbone's sizes with random weights."""
    return _fits(work, RANDOM_STAGE, lambda: new_embedded_vit(seed=0), RANDOM)


def lora(work: Work) -> Arrays:
    """Train LoRA and heads on sets I and IV, from the heads that were fitted; compare the attention maps that come of it."""
    return _lora(work, work.arrays("lines/frozen"))


def maker(compute: Callable[[Work], Arrays]) -> Callable[[Work, Path], None]:
    """Return what writes the result of one of the three."""

    def make(work: Work, path: Path) -> None:
        write_arrays(path, compute(work))
        work.finished(f"lines/{compute.__name__}")

    return make


def probe() -> probes.Numbers:
    """Guard all three: fits and LoRA on golden inputs."""
    work = probes.golden(224)
    fitted = frozen(work)
    return probes.of_arrays(fitted | {f"lora {name}": values for name, values in _lora(work, fitted).items()})


def _vit(work: Work) -> Any:
    """Return the run's backbone, which takes 0 to 1: as it was trained, else normalised as the released code does."""
    vit = copy.deepcopy(work.backbone())
    if work.profile.pixels == "published" and work.profile.backbone != "embedded":
        fold_normalisation(vit, Normalisation(tuple(IMAGENET_DEFAULT_MEAN), tuple(IMAGENET_DEFAULT_STD)))
    return vit


def _fits(work: Work, stage: str, vit: Callable[[], Any], names: Sequence[str]) -> Arrays:
    known: dict[tuple[str, str], dict[str, np.ndarray]] = {}  # features by set and variant
    found: Arrays = {}
    for one in map(condition, names):
        if one.images not in known:
            known[one.images] = {split: _features(work, stage, vit, one, split) for split in SPLITS}
        fit = partial(_fitted, work, stage, one, known[one.images])
        starts = [
            _kept(work, stage, f"{one.name} {start}", partial(fit, start)) for start in range(work.profile.line_starts)
        ]
        found |= _together(one.name, starts)
    return found


def _features(work: Work, stage: str, vit: Callable[[], Any], one: Condition, split: str) -> np.ndarray:
    profile = work.profile
    lines = of_set(one.set, split, getattr(profile, SPLITS[split]))

    def compute() -> Arrays:
        wanted = profile.mixed_precision
        return {"features": features_of(vit(), lines, variant=one.variant, mixed_precision=wanted)}

    return _kept(work, stage, f"features {one.set} {one.variant} {split}", compute)["features"]


def _fitted(work: Work, stage: str, one: Condition, features: dict[str, np.ndarray], start: int) -> Arrays:
    """Return what one start of a condition comes to, see `_judged`, with "losses"."""
    lines = {split: of_set(one.set, split, len(found)) for split, found in features.items()}
    splits = {split: Split(features[split], targets_of(lines[split], one)) for split in SPLITS}
    encoding = ENCODINGS[one.encoding]
    fit = fit_head(
        splits["train"],
        splits["choice"],
        seed=start,
        epochs=work.profile.line_epochs,
        angle_values=encoding.values,
        initial=one.initial,
    )
    with torch.inference_mode():
        outputs = {name: output.numpy() for name, output in fit.head(torch.from_numpy(features["test"])).items()}
    found = _judged(one, outputs, splits["test"].targets) | {"losses": fit.losses.astype(np.float32)}
    if one.name in TUNED and stage == "lines/frozen" and start == 0:  # LoRA goes on there, in each of its own starts
        found |= {f"head.{name}": weight.numpy().astype(np.float16) for name, weight in fit.head.state_dict().items()}
    return found


def _lora(work: Work, fitted: Arrays) -> Arrays:
    profile = work.profile
    found: Arrays = {}
    maps: dict[str, list[np.ndarray]] = {}
    for name in TUNED:
        tuned = partial(_tuned, work, fitted, name)
        starts = [
            _kept(work, "lines/lora", f"{name} {start}", partial(tuned, start))
            for start in range(profile.line_tuned_starts)
        ]
        maps[name] = [start.pop("maps") for start in starts]
        found |= _together(name, starts)
    before = _maps(work, _vit(work))
    for start, control in itertools.product(range(profile.line_tuned_starts), CONTROLS):
        pairs = {"I and IV": (maps["I"][start], maps["IV"][start])}
        if not control:
            pairs |= {f"before and {name}": (before, maps[name][start]) for name in TUNED}
        for pair, both in pairs.items():
            key = ".".join(part for part in ("similarity", pair, control, str(start)) if part)
            found[key] = map_similarity(*both, control=control).astype(np.float32)
    return found


def _tuned(work: Work, fitted: Arrays, name: str, start: int) -> Arrays:
    one, profile = condition(name), work.profile
    weights = {
        key.removeprefix(f"{name}.head."): torch.from_numpy(values[0].astype(np.float32))
        for key, values in fitted.items()
        if key.startswith(f"{name}.head.")
    }
    model, curve = tune(_vit(work), one, profile, images=profile.line_tuned_images, seed=start, head=weights)
    model.vit = model.vit.merge_and_unload()
    lines = of_set(name, "test", profile.line_test_images)
    outputs = outputs_of(model, lines, variant=one.variant, mixed_precision=profile.mixed_precision)
    found = _judged(one, outputs, targets_of(lines, one))
    return found | {"losses": curve.astype(np.float32), "maps": _maps(work, model.vit)}


def _judged(one: Condition, outputs: dict[str, np.ndarray], targets: Any) -> Arrays:
    """Return the labels of the angle that outputs mean, (images,) degrees, and r of each target, NaN where it is constant."""
    angle = np.round(GRAIN * ENCODINGS[one.encoding].decode(outputs["angle"])) / GRAIN
    r = [_mean_r(outputs[name], targets[name]) for name in targets]
    return {"angle": angle.astype(np.float32), "r": np.array(r, np.float32)}


def _mean_r(outputs: np.ndarray, targets: np.ndarray) -> float:
    """Return Pearson's r, the mean over the values of a target."""
    pairs = [pair for pair in zip(outputs.T, targets.T, strict=True) if min(np.ptp(pair[0]), np.ptp(pair[1])) > 0]
    return float(np.mean([np.corrcoef(*pair)[0, 1] for pair in pairs])) if len(pairs) == targets.shape[1] else np.nan


def _together(name: str, starts: Sequence[Arrays]) -> Arrays:
    """Return the arrays of several starts as one, (starts, ...), curves of losses filled up with NaN."""
    longest = max(len(start["losses"]) for start in starts)
    filled = [
        np.pad(start["losses"], ((0, longest - len(start["losses"])), (0, 0)), constant_values=np.nan)
        for start in starts
    ]
    parts = {"angle": [start["angle"] for start in starts], "r": [start["r"] for start in starts], "losses": filled}
    heads = [key for key in starts[0] if key.startswith("head.")]
    parts |= {key: [start[key] for start in starts if key in start] for key in heads}
    return {f"{name}.{part}": np.stack(values) for part, values in parts.items()}


def _kept(work: Work, stage: str, part: str, compute: Callable[[], Arrays]) -> Arrays:
    """Return what an interrupted computation has left of a part, else compute and keep it."""
    path = work.unfinished(stage, part)
    if path is not None and path.is_file():
        return read_arrays(path)
    found = compute()
    if path is not None:
        write_arrays(path, found)
    return found


def _maps(work: Work, vit: Any) -> np.ndarray:
    """Return the attention maps of the CLS query for images of set IV, (images, layers, heads, rows, columns)."""
    count = min(MAPPED, work.profile.line_test_images)
    images = tensor_of(variant_images(of_set("IV", "test", count), range(count)))
    return attention_maps(adapt(vit, head=torch.nn.Identity()), images).cls.astype(np.float32)
