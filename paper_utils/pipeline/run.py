"""The facade of the notebooks: a run's results by name, computed once or read from what ships, and its figures."""

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ..claims.backbones import Backbones
from ..errors import CompanionError
from ..files import ROOT, write_json, write_table, write_text
from ..models.pixels import PIXELS
from .compared import RESULTS_FILE, shipped_metrics, shipped_runs
from .figures import NOTEBOOKS, SHIP_TO, SHIPPED_FIGURES, TRAINING_NOTEBOOKS, check_figure, save_figure
from .given import GivenModel
from .metrics import gathered
from .named import NamedResults
from .pages import shown_page
from .papers import metrics_on
from .profiles import get_profile
from .provenance import environment
from .results import REFERENCES, Results, reference_of, shipped

__all__ = ["METRICS", "SOURCES", "Run"]

METRICS = "metrics"  # what a notebook has read, beside stages
OTHER_RUN = (
    "The text of this notebook describes the laptop profile on the embedded backbone. Figures and tables are of this run: "
    "the {profile} profile on {backbone}."
)

SOURCES = {
    "reference": "the results that ship with the repository",
    "checkpoint": "computed here from the fine-tuned model that ships",
    "seeds": "computed here from seeds, fine-tuning included",
}


class Run(NamedResults):
    """One run of one profile.

    Args:
        profile: name of the profile.
        source: one of SOURCES, or the path of a checkpoint in the published layout, which is taken as the fine-tuned
            model. A profile or backbone without a shipped model is always computed from seeds.
        notebook: who asks; its figures and what it read are kept under this name.
        backbone: another backbone than the profile's; a checkpoint holds its own.
        pixels: one of PIXELS; other ones than the published are always computed from seeds, or of a checkpoint.
        root: folder of build/ and figures/.

    Raises:
        CompanionError: unknown profile, source or pixels, nothing ships for that profile, or a backbone beside a
            checkpoint.
    """

    def __init__(
        self,
        profile: str = "laptop",
        source: str = "reference",
        *,
        notebook: str = "script",
        backbone: str | None = None,
        pixels: str = "published",
        root: Path = ROOT,
    ):
        pd.set_option("display.max_colwidth", None)  # tables of notebooks show whole cells
        if "IPython" in sys.modules and sys.modules["IPython"].get_ipython():
            from matplotlib_inline.backend_inline import set_matplotlib_formats

            set_matplotlib_formats("retina")  # and figures with twice as many pixels
        build = Path(root) / "build"
        self.given = GivenModel(profile, Path(source), build, pixels=pixels) if _is_path(source) else None
        self.profile = self.given.profile if self.given else get_profile(profile, backbone=backbone, pixels=pixels)
        self.notebook = notebook
        if self.given is None and source not in SOURCES:
            raise CompanionError(f"unknown source {source!r}; choose one of {', '.join(SOURCES)}, or give a checkpoint")
        if self.given and backbone not in (None, self.profile.backbone):
            raise CompanionError(f"the checkpoint {source} holds its own backbone; leave out {backbone}")
        self.ships = self.given is None and reference_of(self.profile) is not None
        if source == "reference" and not self.ships:
            raise CompanionError(
                "only the laptop profile ships results, on published pixels and the backbones "
                f"{' and '.join(REFERENCES)}; set source = 'seeds' to compute them"
            )
        self.source = source if self.ships else "seeds"
        self.folder = f"{self.profile.folder}+seeds" if self.ships and source == "seeds" else self.profile.folder
        if self.given:
            self.source, self.folder = str(self.given.source), self.given.name
        self.build, self.figures = build / self.folder, Path(root) / "figures" / self.folder
        if self.source == "reference":
            self.results = shipped(self.profile.backbone)
        else:
            model = shipped(self.profile.backbone) if self.source == "checkpoint" else self.given
            self.results = Results(self.profile, self.build / "results", checkpoint=model)
        self.computes = self.source != "reference"
        if notebook in NOTEBOOKS and self.profile != get_profile("laptop"):
            print(OTHER_RUN.format(profile=self.profile.name, backbone=Path(self.profile.backbone).name))
        self.read: set[str] = set()  # stages
        self.shown: set[str] = set()  # figures
        self.written: set[str] = set()  # files of them, of tables and pages

    @property
    def notebooks(self) -> tuple[str, ...]:
        """Those that this run has results for: of a given checkpoint's training nothing is known."""
        return tuple(name for name in NOTEBOOKS if not (self.given and name in TRAINING_NOTEBOOKS))

    @cache
    def metrics(self) -> dict[str, float | str]:
        """Return the numbers of all notebooks as flat keys; where this run computes, also as results.json."""
        if not self.computes:
            return shipped_metrics(self.profile.backbone)
        self.has_read(METRICS)
        found = gathered(self)
        write_json(self.figures / RESULTS_FILE, found)
        self._has_written(RESULTS_FILE)
        return found

    def backbones(self) -> Backbones:
        """Return this run beside those that ship, by the backbone's name, or the folder's of a run that does not ship."""
        own = self.profile.backbone if self.ships else self.folder
        others = {name: run for name, run in shipped_runs().items() if name != own}
        return Backbones.of({own: (self.metrics(), self.other_seeds())} | others)

    def metrics_on(self, paper: str) -> Mapping[str, float | str]:
        """Return the numbers that another paper of the author is judged by, as flat keys; by its arXiv number."""
        return metrics_on(paper, self)

    def show(self, figure: Figure, name: str) -> Figure:
        """Save a figure as PNG and PDF where this run computes; return it, to be shown.

        Raises:
            CompanionError: the figure is not said to be this notebook's in `pipeline.figures`.
        """
        check_figure(name, self.notebook)
        if self.computes:
            save_figure(figure, self.figures / name)
            self.shown.add(name)
            self._has_written(f"{name}.png", f"{name}.pdf")
        elif SHIP_TO in os.environ and name in SHIPPED_FIGURES:
            save_figure(figure, Path(os.environ[SHIP_TO]) / name, pdf=False)
        return figure

    def show_page(self, page: str, name: str) -> object:
        """Save a page of HTML beside the figures where this run computes; return it to be shown, or where it is."""
        if self.computes:
            write_text(self.figures / f"{name}.html", page)
            self._has_written(f"{name}.html")
        return shown_page(page, name, folder=f"figures/{self.folder}")

    def save_table(self, table: pd.DataFrame, name: str) -> None:
        """Save a table as CSV beside the figures where this run computes."""
        if self.computes:
            write_table(self.figures / f"{name}.csv", table)
            self._has_written(f"{name}.csv")

    def _has_written(self, *files: str) -> None:
        self.written.update(files)
        self.has_read()

    def origin(self) -> pd.DataFrame:
        """Return profile, seed, source, backbone, pixels and versions, for the foot of a notebook."""
        backbone = Path(self.profile.backbone).name
        source = self.given.source.name if self.given else self.source
        rows = {"profile": self.profile.name, "source": source, "seed": self.profile.seed, "backbone": backbone}
        rows["pixels"] = PIXELS[self.profile.pixels]
        rows["versions"] = ", ".join(f"{name} {version}" for name, version in environment().items())
        return pd.DataFrame({"made with": rows})


def _is_path(source: str) -> bool:
    """Return whether a source is meant as a checkpoint's path: it is a file, or looks like one."""
    return source not in SOURCES and (Path(source).expanduser().exists() or bool(Path(source).suffix) or "/" in source)
