"""The table of stages: everything costly that a run computes, what it depends on, and the probe that guards it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..files import ROOT, write_arrays
from ..models.backbone import NAMED
from ..models.pixels import PREPROCESSOR_FILES
from ..training.recipe import Recipe
from . import computations, line_fits, probes, seeds, study, tuning
from .profiles import Profile
from .work import Arrays, Work

__all__ = ["STAGES", "Stage", "data_files", "depends_on", "settings_of", "where"]

TRAINING = tuple(field.name for field in fields(Recipe) if field.name not in ("workers", "backbone"))
HELD_OUT = ("seed", "binning", "resizing")
RATES = ("learning_rate", "lora_plus", "batch")
LINES = ("line_images", "line_choice_images", "line_test_images", "line_starts", "line_epochs", "pixels")
TUNED_LINES = ("line_test_images", "line_tuned_images", "line_tuned_starts", *RATES, "pixels")
MANY = ("ablation_pool", "linearised_images", "mean_images")  # which images a model is linearised on


@dataclass(frozen=True)
class Stage:
    """One result of a run.

    Its identity is name, version, the settings it declares, the content of its inputs and the numbers of its probe.
    """

    name: str
    probe: Callable[[], probes.Numbers]
    module: str  # whose code, with all that it imports, decides whether the probe must run again
    # writes the result; images and maps have none: they are made on the fly, in seconds
    make: Callable[[Work, Path], None] | None = None
    file: str = ""
    beside: tuple[str, ...] = ()  # other files of the result
    settings: tuple[str, ...] = ()  # fields of the profile
    inputs: tuple[str, ...] = ()
    reads_backbone: bool = False
    version: int = 1  # raised by hand for a change that the probe cannot see
    tolerance: float = 1e-3  # of each number of the probe, relative to it, or to one where it is smaller
    constants: Mapping[str, object] = field(default_factory=dict)  # further settings, of the stage alone

    @property
    def repeats(self) -> bool:
        """Whether it trains again, or is of such a training: these are computed by `make study` alone."""
        return "/" in self.name


def _arrays(name: str, compute: Callable[[Work], Arrays], *, settings: tuple[str, ...] = (), **options: Any) -> Stage:
    """Return a stage whose result is one file of arrays, and whose probe is its own computation on golden inputs."""

    def make(work: Work, path: Path) -> None:
        write_arrays(path, compute(work))
        work.finished(name)

    usual: dict[str, Any] = {
        "probe": probes.on_golden(compute),
        "module": f"{__package__}.computations",
        "file": f"{name}.npz",
    }
    return Stage(name=name, make=make, settings=(*HELD_OUT, *settings), **usual | options)


def _probe_seeds() -> probes.Numbers:
    """Guard the sweep, the linearised one and the removal of heads."""
    computed = (computations.ablation, computations.attribution, computations.removals)
    parts = {compute.__name__: probes.on_golden(compute)() for compute in computed}
    return {f"{part}: {name}": value for part, numbers in parts.items() for name, value in numbers.items()}


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        # a third of a grey level in the mean: some pixels may be off by one
        Stage("images", probes.probe_images, "paper_utils.data.dataset", tolerance=2e-3),
        Stage("maps", probes.probe_maps, "paper_utils.attention.mapped"),
        Stage(
            "fine_tuning",
            probes.probe_fine_tuning,
            "paper_utils.training.fine_tuning",
            tuning.make,
            "model.safetensors",
            beside=("history.json",),
            settings=TRAINING,
            inputs=("images",),
            reads_backbone=True,
            tolerance=5e-3,
        ),
        _arrays(
            "evaluation",
            computations.evaluation,
            probe=probes.on_golden(computations.evaluation, side=224),
            settings=("test_images",),
            inputs=("images", "fine_tuning"),
        ),
        _arrays(
            "pool",
            computations.pool,
            probe=probes.on_golden(computations.pool, side=224),
            settings=("test_images", "ablation_pool"),
            inputs=("images", "fine_tuning", "evaluation"),
        ),
        _arrays("attribution", computations.attribution, settings=MANY, inputs=("images", "fine_tuning", "pool")),
        _arrays(
            "ablation",
            computations.ablation,
            settings=(*MANY, "ablation_images"),
            inputs=("images", "fine_tuning", "pool"),
        ),
        _arrays(
            "replacements",
            computations.replacements,
            settings=(*MANY, "ablation_images"),
            inputs=("images", "fine_tuning", "pool"),
        ),
        _arrays(
            "removals",
            computations.removals,
            settings=(*MANY, "ablation_images"),
            inputs=("images", "fine_tuning", "pool", "attribution"),
        ),
        _arrays(
            "protocols",
            computations.protocols,
            settings=("common_images",),
            inputs=("images", "fine_tuning"),
            reads_backbone=True,
        ),
        _arrays(
            "variant_predictions",
            computations.variant_predictions,
            settings=("common_images",),
            inputs=("images", "fine_tuning"),
        ),
        _arrays("patching", computations.patching, settings=("common_images",), inputs=("images", "fine_tuning")),
        *(
            Stage(
                f"study/{name}",
                probes.probe_fine_tuning,
                f"{__package__}.study",
                study.maker(name),
                f"study/{name}.json",
                beside=(f"study/{name}.safetensors",) if variant.is_seed else (),
                settings=(*TRAINING, "test_images"),
                constants=asdict(variant),
                inputs=("images",),
                reads_backbone=True,
                tolerance=5e-3,
            )
            for name, variant in study.VARIANTS.items()
        ),
        *(
            Stage(
                f"seeds/{name}",
                _probe_seeds,
                f"{__package__}.seeds",
                seeds.maker(name),
                f"seeds/{name}.json",
                settings=(*HELD_OUT, *MANY, "ablation_images", "test_images", "map_images"),
                inputs=("images", "maps", "pool", f"study/{name}"),
            )
            for name in seeds.SEEDS
        ),
        *(
            Stage(
                f"lines/{compute.__name__}",
                line_fits.probe,
                f"{__package__}.line_fits",
                line_fits.maker(compute),
                f"lines/{compute.__name__}.npz",
                settings=settings,
                inputs=inputs,
                reads_backbone=compute is not line_fits.random,
                tolerance=5e-3,
            )
            for compute, settings, inputs in (
                (line_fits.frozen, LINES, ()),
                (line_fits.random, LINES, ()),
                (line_fits.lora, TUNED_LINES, ("lines/frozen",)),
            )
        ),
    )
}


def settings_of(stage: Stage, profile: Profile) -> dict[str, object]:
    """Return the values of the settings that a stage declares, as JSON would give them back."""
    values = {name: getattr(profile, name) for name in stage.settings} | dict(stage.constants)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def data_files(stage: Stage, profile: Profile) -> list[Path]:
    """Return the files that a stage reads beside other stages' results."""
    if not stage.reads_backbone:
        return []
    name = profile.backbone
    folder = NAMED[name].folder if name in NAMED else Path(name)
    if not folder.is_dir():
        return []  # a name on the hub: it is among the settings of no stage, but names the run's folder
    names = ("config.json", *(PREPROCESSOR_FILES if profile.pixels == "backbone" else ()))
    kinds = (".safetensors", ".bin", ".index.json")  # the last says which file holds a tensor
    return sorted(path for path in folder.iterdir() if path.name.endswith(kinds) or path.name in names)


def depends_on(name: str) -> list[str]:
    """Return a stage's inputs, theirs and so on, each after what it depends on."""
    found: list[str] = []
    for before in STAGES[name].inputs:
        found += [one for one in (*depends_on(before), before) if one not in found]
    return found


def where(path: Path) -> str:
    """Return how a data file is named in a stamp: from the checkout on, or its name alone."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
