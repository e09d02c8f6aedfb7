"""Ship a laptop run: copy its results to data/, and run the notebooks on them: `python -m tools.ship --help`.

What ships is always computed from seeds (`make ship`). The notebooks keep the outputs of running on
the shipped results of the embedded backbone, which nbval then checks; of another backbone figures alone are kept.
Metrics are taken from shipped results, so that a new one needs no new run.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from jupytext.cli import jupytext

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json, write_json
from paper_utils.pipeline.compared import RESULTS_FILE
from paper_utils.pipeline.figures import NOTEBOOKS, SHIP_TO, same_pixels
from paper_utils.pipeline.line_fits import LINE_STAGES
from paper_utils.pipeline.metrics import collect
from paper_utils.pipeline.provenance import Watch
from paper_utils.pipeline.results import REFERENCES, shipped_stages
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.execute import run_notebook

__all__ = ["FIGURES", "gather", "ship", "show"]

FIGURES = {name: ROOT / "figures" / reference.folder.name for name, reference in REFERENCES.items()}
ORIGIN = "origin."


def ship(run: Run, target: Path, *, only: Sequence[str] = ()) -> None:
    """Copy a run's results with their stamps, its metrics and provenance; of `only` some stages, those alone.

    Raises:
        CompanionError: a result is missing or stale, or its model was not trained here.
    """
    remedy = f"`make {'study-lines' if only else 'ship'}{run.profile.make_option}` computes it"
    if run.source != "seeds" and not only:
        raise CompanionError(f"a run that ships is computed from seeds; {remedy}")
    results, stages = run.results, only or shipped_stages(run.profile.backbone)
    for name in stages:
        if (found := results.state(name)).state != "fresh":
            raise CompanionError(f"the result {name} is {found.state} ({found.why}); {remedy}")
    whole = () if only else (RESULTS_FILE, "provenance.json")
    copies = {run.figures / name: target / name for name in whole}
    for name in stages:
        for file in (STAGES[name].file, *STAGES[name].beside):
            copies[results.folder / file] = target / file
    for path in (results.folder / "probes").glob("*.json"):
        copies[path] = target / "probes" / path.name
    for source, copy in copies.items():
        if not source.is_file():
            raise CompanionError(f"{source} is missing; {remedy}")
        with atomic_path(copy) as path:
            shutil.copyfile(source, path)
    stamps = {name: stamp.as_dict() for name in stages if (stamp := results.stamp(name)) is not None}
    others = read_json(target / "stamps.json") if only else {}
    write_json(target / "stamps.json", others | stamps)


def gather(backbone: str = "embedded", *, target: Path | None = None) -> None:
    """Take the metrics of shipped results again, into results.json; where they came from stays as it is there."""
    path = (target or REFERENCES[backbone].folder) / RESULTS_FILE
    run = Run("laptop", "reference", backbone=backbone)
    found = {key: value for key, value in collect(run).items() if not key.startswith(ORIGIN)}
    write_json(path, {key: value for key, value in read_json(path).items() if key.startswith(ORIGIN)} | found)


def show(names: Sequence[str] = NOTEBOOKS, *, backbone: str = "embedded") -> None:
    """Execute notebooks on shipped results; keep figures that ship, and outputs for the embedded backbone.

    What all of them take is kept beside what the results took, for the README.

    Raises:
        CompanionError: a notebook fails, or there is none of that name.
    """
    figures = FIGURES[backbone]
    os.environ[SHIP_TO] = str(figures)  # kernels inherit it
    took = {}
    for name in names:
        script = ROOT / "notebooks" / f"{name}.py"
        with Watch() as watch:
            if backbone == "embedded":
                notebook = script.with_suffix(".ipynb")
                # --update keeps the identity of unchanged cells, so that a diff shows what changed
                jupytext([*(["--update"] if notebook.exists() else []), "--to", "ipynb", "--quiet", str(script)])
                run_notebook(notebook, notebook)
            else:
                run_notebook(script, ROOT / "build" / figures.name / f"{name}.ipynb", parameters={"backbone": backbone})
        took[name] = {"seconds": round(watch.seconds, 1), "peak_memory_mib": round(watch.peak)}
        print(f"{name}: run on what ships of the {backbone} backbone in {watch.seconds:.0f} s", flush=True)
    if tuple(names) == NOTEBOOKS:
        record = REFERENCES[backbone].folder / "provenance.json"
        write_json(record, read_json(record) | {"notebooks": took})
    for path in figures.glob("*.png"):
        if backbone != "embedded" and same_pixels(path, FIGURES["embedded"] / path.name):
            path.unlink()  # it shows no model


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
    parser.add_argument("--lines", action="store_true", help="ship the fits to line images of `make study-lines` alone")
    parser.add_argument("--backbone", choices=tuple(REFERENCES), default="embedded", help="of which run")
    options = parser.parse_args()
    with reported():
        if options.lines:
            stages = [name for name in LINE_STAGES if name in shipped_stages(options.backbone)]
            run = Run("laptop", "checkpoint", backbone=options.backbone)  # these need no fine-tuned model
            ship(run, REFERENCES[options.backbone].folder, only=stages)
            return
        if options.metrics:
            gather(options.backbone)
        elif options.notebooks is None:
            ship(Run("laptop", "seeds", backbone=options.backbone), REFERENCES[options.backbone].folder)
        if options.notebooks is not None or not options.metrics:
            show(options.notebooks or NOTEBOOKS, backbone=options.backbone)


if __name__ == "__main__":
    main()
