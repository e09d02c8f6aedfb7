"""Ship a laptop run: copy its results to data/reference, and run the notebooks on them: `python -m tools.ship --help`.

What ships is always computed from seeds (`make figures study FROM=seeds`). The notebooks keep the outputs of running on
shipped results, which nbval then checks. Metrics are taken from shipped results, so that a new one needs no new run.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from jupytext.cli import jupytext

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json, write_json
from paper_utils.pipeline.figures import NOTEBOOKS, SHIP_TO
from paper_utils.pipeline.metrics import collect
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.execute import run_notebook

__all__ = ["FIGURES", "gather", "ship", "show"]

FIGURES = ROOT / "figures" / "reference"
ORIGIN = "origin."


def ship(run: Run, target: Path = REFERENCE) -> None:
    """Copy a run's results with their stamps, its metrics and provenance.

    Raises:
        CompanionError: a result is missing or stale, or its model was not trained here.
    """
    if run.source != "seeds":
        raise CompanionError("a run that ships is computed from seeds; run `make figures study FROM=seeds` first")
    results = run.results
    stages = [name for name, stage in STAGES.items() if stage.file]
    for name in stages:
        if (found := results.state(name)).state != "fresh":
            raise CompanionError(
                f"the result {name} is {found.state} ({found.why}); run `make figures study FROM=seeds` first"
            )
    copies = {run.figures / name: target / name for name in ("results.json", "provenance.json")}
    for name in stages:
        for file in (STAGES[name].file, *STAGES[name].beside):
            copies[results.folder / file] = target / file
    for path in (results.folder / "probes").glob("*.json"):
        copies[path] = target / "probes" / path.name
    for source, copy in copies.items():
        if not source.is_file():
            raise CompanionError(f"{source} is missing; run `make figures study FROM=seeds` first")
        with atomic_path(copy) as path:
            shutil.copyfile(source, path)
    stamps = {name: stamp.as_dict() for name in stages if (stamp := results.stamp(name)) is not None}
    write_json(target / "stamps.json", stamps)


def gather(target: Path = REFERENCE) -> None:
    """Take the metrics of the shipped results again, into results.json; where they came from stays as it is there."""
    path = target / "results.json"
    found = {key: value for key, value in collect(Run("laptop", "reference")).items() if not key.startswith(ORIGIN)}
    write_json(path, found | {key: value for key, value in read_json(path).items() if key.startswith(ORIGIN)})


def show(names: Sequence[str] = NOTEBOOKS) -> None:
    """Execute notebooks on the shipped results; keep their outputs and the figures that ship.

    Raises:
        CompanionError: a notebook fails, or there is none of that name.
    """
    os.environ[SHIP_TO] = str(FIGURES)  # kernels inherit it
    for name in names:
        script = ROOT / "notebooks" / f"{name}.py"
        notebook = script.with_suffix(".ipynb")
        # --update keeps the identity of unchanged cells, so that a diff shows what changed
        jupytext([*(["--update"] if notebook.exists() else []), "--to", "ipynb", "--quiet", str(script)])
        run_notebook(notebook, notebook)
        print(f"{notebook.name}: outputs of the shipped run", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.ship", description=__doc__.split(":")[0] + ".")
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="ship nothing, only take the metrics of what ships already again (a minute and a half)",
    )
    parser.add_argument(
        "--notebooks",
        nargs="*",
        metavar="NAME",
        help="ship nothing, only run these notebooks (default: all) on what ships already",
    )
    options = parser.parse_args()
    with reported():
        if options.metrics:
            gather()
        elif options.notebooks is None:
            ship(Run("laptop", "seeds"))
        if options.notebooks is not None or not options.metrics:
            show(options.notebooks or NOTEBOOKS)


if __name__ == "__main__":
    main()
