"""The notebooks' one door to results: what a run computes, kept under build/, or what the repository ships.

A fresh run computes everything from seeds and keeps each result with a fingerprint of the code and settings it
came from; a result is used again only while its fingerprint holds. A reference run reads data/reference, which was
made by a fresh run of the laptop profile, so that a notebook opened by hand shows numbers at once.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..data.chirps import Chirp, LabelScale, draw_chirp
from ..data.dataset import images_key, split_seed
from ..errors import CompanionError
from ..files import (
    ROOT,
    atomic_path,
    checksum,
    code_hash,
    fingerprint,
    provenance,
    read_arrays,
    read_json,
    write_arrays,
    write_json,
    write_table,
)
from ..models.backbone import verified_backbone
from ..models.regressor import ChirpRegressor, build_regressor, load_backbone, load_regressor, merged, save_regressor
from ..plots.style import save_figure
from ..training import fine_tuning as training
from ..training.evaluation import Evaluation, evaluate_held_out
from ..training.history import Epoch
from .profiles import get_profile

__all__ = ["Run"]

PACKAGE = Path(__file__).resolve().parent
DATA = ROOT / "data"
REFERENCE = DATA / "reference"
DRAWING = ("chirps", "resizing", "stage", "regions", "rendering", "counterfactuals", "dataset")
LEARNING = ("vit", "dropout", "model", "faintness", "schedule", "cores", "checkpoints", "training")
ABLATING = ("engine", "linears", "ablation", "screening", "pruning", "protocol", "statistics")
JUDGING = ("selection", "experiments", "metrics", "claims", "published")
FIGURES = ("figures", "learning_figures", "ablation_figures", "attention_figures")
SEEING = ("attention", "region_scores", "semantics", "nulls", "patching", "explorer")
SHOWING = (*DRAWING, *LEARNING, "history", *ABLATING, *JUDGING, *SEEING, *FIGURES, "ceiling", "runs")
MODEL = "model.safetensors"


class Run:
    """One run of one profile.

    Args:
        profile: name of the profile.
        source: "reference" for the shipped results, "fresh" to compute (or take up) this checkout's own.
        notebook: who asks; names the results file.
        backbone: another backbone than the profile's.
        root: the checkout.

    Raises:
        CompanionError: unknown profile or source, or no shipped results for that profile.
    """

    def __init__(
        self,
        profile: str = "laptop",
        source: str = "reference",
        *,
        notebook: str,
        backbone: str | None = None,
        root: Path = ROOT,
    ):
        self.profile = get_profile(profile, backbone=backbone)
        if source not in ("reference", "fresh"):
            raise CompanionError(f"unknown source {source!r}; it is 'reference' or 'fresh'")
        self.fresh = source == "fresh"
        if not self.fresh and (profile != "laptop" or backbone):
            raise CompanionError("only the laptop profile on its own backbone ships results; set source = 'fresh'")
        self.notebook = notebook
        self.seconds_taken_up = 0.0  # that this notebook once spent on results it now found ready
        self.asked_for: set[str] = set()  # results, so that none is counted twice
        self.build = Path(root) / "build" / self.profile.folder
        self.figures = Path(root) / "figures" / self.profile.folder

    def fine_tuned(self) -> tuple[ChirpRegressor, list[Epoch]]:
        """Return the fine-tuned model, LoRA merged, and the history of its training."""

        def compute(path: Path) -> None:
            # named by its key, so that training never goes on from a checkpoint of other code
            checkpoint = self.build / f"fine_tuning-{self.key(LEARNING)[:12]}.pt"
            for outdated in set(self.build.glob("fine_tuning-*.pt")) - {checkpoint}:
                outdated.unlink()
            model, history = training.fine_tune(self.profile, checkpoint)
            write_json(path.with_name("history.json"), [dataclasses.asdict(epoch) for epoch in history])
            save_regressor(model, path, backbone=self.profile.backbone)
            checkpoint.unlink()

        self._check_grid_of_heads()
        path = self.kept(MODEL, LEARNING, compute)
        history = [Epoch(**epoch) for epoch in read_json(path.with_name("history.json"))]
        return merged(load_regressor(path)), history

    def evaluation(self, model: ChirpRegressor) -> Evaluation:
        """Return predictions and labels of the test images, and the seconds the model took."""

        def compute(path: Path) -> None:
            write_arrays(
                path, dataclasses.asdict(evaluate_held_out(model, self.profile, range(self.profile.test_images)))
            )

        arrays = read_arrays(self.kept("evaluation.npz", LEARNING, compute))
        return Evaluation(**arrays | {"seconds": float(arrays["seconds"])})

    def study(self) -> list[dict]:
        """Return the repeats and controls that `make study` left, or the shipped ones where it has not been run.

        They take longer than all else together; each says in "origin" what it comes from.

        Raises:
            CompanionError: there are none.
        """
        shipped = sorted((REFERENCE / "study").glob("*.json"))
        if not shipped:
            raise CompanionError(f"no study in {REFERENCE}; `git checkout data/reference` restores it")
        own = [self.build / "study" / path.name for path in shipped]
        complete = self.fresh and all(path.is_file() for path in own)
        return sorted(
            (read_json(path) for path in (own if complete else shipped)), key=lambda content: content["place"]
        )

    def starts(self) -> list[dict]:
        """Return the findings of this profile's other starts in the study, as flat keys; none where there are none."""
        here = self.profile.name, self.profile.backbone
        found = []
        for shipped in sorted((REFERENCE / "study").glob("*.json")):
            own = self.build / "study" / shipped.name
            content = read_json(own if self.fresh and own.is_file() else shipped)
            if content.get("metrics") and (content["settings"]["name"], content["settings"]["backbone"]) == here:
                found.append(content["metrics"])
        return found

    def results(self) -> dict[str, float]:
        """Return the flat keys of all notebooks: of this run's, or the shipped ones.

        Raises:
            CompanionError: the shipped ones are missing.
        """
        if not self.fresh:
            return read_json(REFERENCE / "results.json")
        merged_results: dict[str, float] = {"origin.backbone": self.profile.backbone}
        own = (self.build / "results").glob("0?_*.json")
        for path in sorted(path for path in own if not path.name.endswith(".run.json")):  # time and memory
            merged_results |= read_json(path)
        return merged_results

    def test_chirps(self) -> list[Chirp]:
        """Return the chirps of the test images, in their order."""
        seed = split_seed(self.profile.seed, "test")
        return [draw_chirp(seed, index, binning=self.profile.binning)[0] for index in range(self.profile.test_images)]

    def trained_parameters(self) -> int:
        """Return how many numbers the fine-tuning may change: LoRA and head."""
        model = build_regressor(self.profile.backbone, LabelScale(np.zeros(3), np.ones(3)), seed=0)
        return sum(p.numel() for p in model.parameters() if p.requires_grad)

    def origin(self) -> str:
        """Return a line with profile, seed and versions, for the foot of a notebook."""
        origin = provenance(self.profile.as_dict())
        versions = ", ".join(map(" ".join, origin["versions"].items()))
        return f"profile {origin['profile']}, seed {origin['seed']}, backbone {origin['backbone']}\n{versions}"

    def save(self, figure, name: str) -> None:
        """Save a figure as PNG and PDF with its provenance; only a fresh run writes."""
        if self.fresh:
            origin = provenance(self.profile.as_dict()) | {"notebook": self.notebook}
            save_figure(figure, self.figures / name, origin | {"inputs": self.inputs()})

    def save_page(self, page: str, name: str) -> None:
        """Save a page of HTML beside the figures; only a fresh run writes."""
        if self.fresh:
            with atomic_path(self.figures / f"{name}.html") as path:
                path.write_text(page, encoding="utf-8")

    def save_table(self, rows: list[dict], name: str) -> None:
        """Save a table of CSV beside the figures, a column for each key of the rows; only a fresh run writes."""
        if self.fresh:
            write_table(self.figures / f"{name}.csv", rows)

    def record(self, results: dict[str, float]) -> None:
        """Keep headline numbers for results.json; only a fresh run writes."""
        if self.fresh:
            taken_up = {f"run.{self.notebook}.seconds_taken_up": self.seconds_taken_up}
            write_json(self.build / "results" / f"{self.notebook}.json", results | taken_up)

    def inputs(self) -> dict[str, str]:
        """Return hashes of all a figure depends on, by the name a person knows them by."""
        notebook = ROOT / "notebooks" / f"{self.notebook}.py"
        files = [PACKAGE / f"{room}.py" for room in SHOWING] + [notebook]
        hashes = {str(path.relative_to(ROOT)): code_hash(path) for path in files}
        return hashes | {"the profile": fingerprint([], self.profile.as_dict()), "the backbone": self._backbone_key()}

    def _check_grid_of_heads(self) -> None:
        config = load_backbone(self.profile.backbone).config
        layers, heads = config.num_hidden_layers, config.num_attention_heads
        if min(layers, heads) < 12:
            raise CompanionError(
                f"the backbone {self.profile.backbone!r} has {layers} layers of {heads} heads, and the figures name heads "
                "up to layer 12 head 12; give one with 12 of each or more"
            )

    def _backbone_key(self) -> str:
        if self.profile.backbone != "embedded":
            return self.profile.backbone
        return checksum(verified_backbone())

    def key(self, rooms: tuple[str, ...], *, of_model: bool = False) -> str:
        """Return the fingerprint of code, images, settings, and the backbone or the model a result comes from."""
        model = self.build / "results" / MODEL
        if of_model and model.is_file():
            settings = [self.profile.as_dict(), checksum(model)]
        else:
            settings = [self.profile.training_settings(), self._backbone_key()]
        return fingerprint([PACKAGE / f"{room}.py" for room in rooms], [*settings, images_key()])

    def kept(self, name: str, rooms: tuple[str, ...], compute: Callable[[Path], None]) -> Path:
        """Return the path of a result that is there and up to date, computing it if it is not.

        Args:
            name: of the file.
            rooms: modules whose code it depends on, beside the model.
            compute: writes the file.

        Raises:
            CompanionError: a shipped result is missing.
        """
        if not self.fresh:
            path = REFERENCE / name
            if not path.is_file():
                raise CompanionError(f"the shipped result {path} is missing; `git checkout data/reference` restores it")
            return path
        path = self.build / "results" / name
        sidecar = path.with_name(f"{name}.origin.json")
        key = self.key(rooms, of_model=name != MODEL)
        if not (path.is_file() and sidecar.is_file() and (made := read_json(sidecar)).get("fingerprint") == key):
            path.parent.mkdir(parents=True, exist_ok=True)
            begun = time.monotonic()
            compute(path)
            made = {"fingerprint": key, "notebook": self.notebook, "seconds": time.monotonic() - begun}
            write_json(sidecar, provenance(self.profile.as_dict()) | made)
        elif made["notebook"] == self.notebook and name not in self.asked_for:
            self.seconds_taken_up += made["seconds"]
        self.asked_for.add(name)
        return path
