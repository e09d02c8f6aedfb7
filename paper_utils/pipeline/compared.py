"""A run beside others: repeats and controls of its fine-tuning, its other training seeds, and other backbones."""

import re
from pathlib import Path

from ..errors import CompanionError
from ..files import read_arrays, read_json, way_out
from . import seeds, study
from .computing import Computing
from .line_fits import LINE_STAGES, RANDOM_STAGE
from .results import REFERENCES, shipped, shipped_stages
from .work import Arrays

__all__ = [
    "RESULTS_FILE",
    "Compared",
    "check_metrics",
    "read_metrics",
    "shipped_metrics",
    "shipped_runs",
    "shipped_seeds",
]

RESULTS_FILE = "results.json"
TEXTS = re.compile(r"origin\..*|heads\.L\d+H\d+|.*\.name")  # keys of results that are no numbers
SEED_STAGES = tuple(f"seeds/{name}" for name in seeds.SEEDS)


class Compared(Computing):
    """A run, and what it is held against."""

    ships: bool  # results of the same profile do

    def study(self) -> list[dict]:
        """Return the repeats and controls: this run's where all are fresh, else those that ship for its backbone.

        Shipped ones whose code has changed since say so in their titles. Where none ship there are none, unless
        `make study` made them.
        """
        names = [f"study/{name}" for name in study.VARIANTS]
        self.has_read(*names)
        whole = self.computes and all(self.results.state(name).state == "fresh" for name in names)
        backbone = self.profile.backbone
        if not whole and not (backbone in REFERENCES and names[0] in shipped_stages(backbone)):
            return []
        results = self.results if whole else shipped(backbone)
        found = []
        for name in names:
            if not results.path(name).is_file():
                raise CompanionError(f"{results.path(name)} is missing; {way_out(results.path(name))}")
            content = read_json(results.path(name), kind=dict)
            if lacking := {"index", "title"} - content.keys():
                raise CompanionError(f"{results.path(name)} lacks {min(lacking)!r}; {way_out(results.path(name))}")
            if self.computes and results.state(name).state != "fresh":
                content["title"] += " (by other code)"
            found.append(content)
        return sorted(found, key=lambda content: content["index"])

    def line_fits(self, backbone: str = "") -> dict[str, Arrays]:
        """Return what was fitted to line images (arXiv 2504.09393), by the stage's name without "lines/".

        This run's where all are fresh, else those that ship for its backbone, else those of the embedded one, which is
        said. Random weights are the same beside every backbone. LoRA is there where it ships.

        Args:
            backbone: another one, of REFERENCES, whose shipped fits are returned.

        Raises:
            CompanionError: a file that ships is missing or damaged.
        """
        self.has_read(*LINE_STAGES)
        own = not backbone and self.computes and all(self.results.state(name).state == "fresh" for name in LINE_STAGES)
        backbone = backbone or self.profile.backbone
        if not own and not (backbone in REFERENCES and LINE_STAGES[0] in shipped_stages(backbone)):
            print(
                f"Fits to line images are the embedded backbone's; `make study-lines{self.profile.make_option}` makes some."
            )
            backbone = "embedded"
        found = {}
        for name in LINE_STAGES:
            ships = next((one for one in (backbone, "embedded") if name in shipped_stages(one)), None)
            if not own and (ships is None or (ships != backbone and name != RANDOM_STAGE)):
                continue
            path = (self.results if own else shipped(str(ships))).path(name)
            if not path.is_file():
                raise CompanionError(f"{path} is missing; {way_out(path)}")
            found[name.partition("/")[2]] = read_arrays(path)
        return found

    def other_seeds(self) -> list[dict]:
        """Return the metrics of the profile's other training seeds, as flat keys; none where there are none fresh."""
        self.has_read(*SEED_STAGES)
        if not self.computes:
            return shipped_seeds(self.profile.backbone)
        sources = [self.results, *([shipped(self.profile.backbone)] if self.ships else [])]
        found = []
        for stage in SEED_STAGES:
            fresh = next((one for one in sources if one.state(stage).state == "fresh"), None)
            if fresh:
                found.append(read_metrics(fresh.path(stage)))
        return found


def read_metrics(path: Path) -> dict[str, float | str]:
    """Return the numbers of a run as flat keys.

    Raises:
        CompanionError: the file is missing, is not JSON, or as in `check_metrics`.
    """
    content = read_json(path)
    check_metrics(path, content)
    return content


def check_metrics(path: Path, content: object) -> None:
    """Raise CompanionError if what a file holds, which is named, is not a number or text by each key, as belongs there."""
    if not isinstance(content, dict) or not content:
        raise CompanionError(f"{path} does not hold the numbers of a run; {way_out(path)}")
    for key, value in content.items():
        kind, what = (str, "text") if TEXTS.fullmatch(key) else (int | float, "number")
        if not isinstance(value, kind):
            raise CompanionError(f"{path} has {value!r} as {key!r}, which is no {what}; {way_out(path)}")


def shipped_metrics(backbone: str) -> dict[str, float | str]:
    """Return the numbers of the run that ships on a backbone, as flat keys.

    Raises:
        CompanionError: the file is missing, damaged, or of another backbone.
    """
    path = REFERENCES[backbone].folder / RESULTS_FILE
    content = read_json(path)
    if not isinstance(content, dict) or content.get("origin.backbone") != backbone:
        raise CompanionError(f"{path} does not hold the numbers of the {backbone} backbone; {way_out(path)}")
    check_metrics(path, content)
    return content


def shipped_seeds(backbone: str) -> list[dict]:
    """Return the numbers of the other training seeds that ship on a backbone, as flat keys; none where none do."""
    paths = [shipped(backbone).path(stage) for stage in SEED_STAGES]
    return [read_metrics(path) for path in paths if path.is_file()]


def shipped_runs() -> dict[str, tuple[dict[str, float | str], list[dict]]]:
    """Return by backbone the numbers of the run that ships, and those of its other training seeds."""
    return {name: (shipped_metrics(name), shipped_seeds(name)) for name in REFERENCES}
