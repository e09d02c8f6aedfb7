"""Make figures: execute the notebooks that are not up to date, then gather the run: `python -m tools.figures --help`.

A notebook is executed again if its text, the code of its tables and plots, or the content of a result that it reads has
changed, or if one of its figures is missing. Results are computed by the notebook that asks for them first.
"""

import argparse
import shlex
import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, read_json, write_json
from paper_utils.pipeline.compared import RESULTS_FILE
from paper_utils.pipeline.figures import FIGURES, PAPER_FIGURES
from paper_utils.pipeline.made_by import made_by
from paper_utils.pipeline.profiles import PROFILES
from paper_utils.pipeline.provenance import here
from paper_utils.pipeline.results import check_shipped_model
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.leftovers import in_turn
from tools.plans import contents_of, files_of, plan, took

__all__ = ["add_run_options", "as_make", "run_of"]

COMPUTED_FROM = ("checkpoint", "seeds")  # a run's figures; notebooks start from the reference, too


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which run is meant."""
    parser.add_argument("--profile", default="laptop", help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--backbone", help="a local folder or a Hugging Face name, instead of the profile's")
    parser.add_argument(
        "--from",
        dest="source",
        default="checkpoint",
        metavar="|".join(COMPUTED_FROM),
        help="the shipped fine-tuned model (default), or seeds, fine-tuning included",
    )
    parser.add_argument("--checkpoint", help="another fine-tuned model, in the layout of best_vit_regression.pth")
    parser.add_argument(
        "--pixels",
        default="published",
        help="published (0 to 1, default), or backbone: normalised as its preprocessor_config.json says",
    )


def run_of(options: argparse.Namespace, *, notebook: str = "script", root: Path = ROOT) -> Run:
    """Return the run that `add_run_options` describes, whose results are in folders of `root`.

    Raises:
        CompanionError: no profile or source has that name, or options exclude each other.
    """
    if options.source not in COMPUTED_FROM:
        raise CompanionError(
            f"cannot start from {options.source!r}; choose {' or '.join(COMPUTED_FROM)}, as in FROM=seeds"
        )
    if options.checkpoint and options.source == "seeds":
        raise CompanionError(f"the checkpoint {options.checkpoint} is fine-tuned already; leave out FROM=seeds")
    source = str(Path(options.checkpoint).absolute()) if options.checkpoint else options.source
    return Run(options.profile, source, notebook=notebook, backbone=options.backbone, pixels=options.pixels, root=root)


def as_make(target: str, options: argparse.Namespace) -> str:
    """Return how `make` is told to make a target of the run that options describe, quoted for a shell."""
    values = {
        "PROFILE": options.profile,
        "BACKBONE": options.backbone,
        "FROM": options.source,
        "CHECKPOINT": options.checkpoint,
        "PIXELS": options.pixels,
    }
    usual = ("laptop", None, "checkpoint", None, "published")
    given = [f"{name}={value}" for (name, value), own in zip(values.items(), usual, strict=True) if value != own]
    return shlex.join(["make", target, *given])


def execute_notebook(run: Run, notebook: str) -> None:
    """Execute a notebook and record what it was made from."""
    from tools.execute import execute

    begun = time.monotonic()
    print(f"{notebook}: running (profile {run.profile.name}, from {run.source})", flush=True)
    read = run.build / "notebooks" / f"{notebook}.read.json"
    read.unlink(missing_ok=True)
    code = made_by(notebook)
    execute(ROOT / "notebooks" / f"{notebook}.py", run)
    nothing: dict[str, Any] = {"stages": [], "figures": [], "files": []} | code
    made = read_json(read) if read.is_file() else nothing  # by the kernel: its code is what was executed
    declared = {stage for name in made["figures"] for stage in FIGURES[name].stages}  # images are read without asking
    made["stages"] = sorted(declared.union(made["stages"]))
    profile = run.profile
    fresh = Run(profile.name, run.source, backbone=profile.backbone, pixels=profile.pixels)  # states of now
    after = {"contents": contents_of(fresh, made["stages"]), "files": files_of(run, notebook, made["files"])}
    write_json(run.build / "notebooks" / f"{notebook}.json", made | after)
    print(f"{notebook}: done in {time.monotonic() - begun:.0f} s", flush=True)


def gather(run: Run) -> dict:
    """Write provenance.json beside the figures; return the metrics that the ledger's notebook left there."""
    stages = {name: run.results.stamp(name) for name in STAGES if STAGES[name].file}
    provenance = {
        "profile": run.profile.as_dict(),
        "source": run.source,
        "stages": {name: stamp.computed for name, stamp in stages.items() if stamp is not None},
        "notebooks": took(run),
        "gathered": here(),
    }
    write_json(run.figures / "provenance.json", provenance)
    return read_json(run.figures / RESULTS_FILE)


def _check_name(figure: str) -> None:
    """Raise CompanionError where no figure is called so."""
    if figure in FIGURES:
        return
    ours = [name for name in FIGURES if not name.removeprefix("figure_").isdecimal()]
    meant = "".join(f"did you mean {name}? " for name in get_close_matches(figure, ours, n=1))
    raise CompanionError(
        f"no figure is called {figure!r}; {meant}those of the paper are figure_1 to figure_{len(PAPER_FIGURES)}, and "
        "`make status` lists all"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.figures", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--only", help="one figure, such as figure_4, and the notebook that makes it")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        from tools.compare import print_comparison
        from tools.execute import check_before_running

        run = run_of(options)
        if options.only:
            _check_name(options.only)
        check_before_running(run)
        if run.source == "checkpoint" and run.results.checkpoint:
            check_shipped_model(run.results.checkpoint)
        wanted = [FIGURES[options.only].notebook] if options.only else list(run.notebooks)
        if unknown := set(wanted) - set(run.notebooks):
            raise CompanionError(
                f"{options.only} is in {unknown.pop()}, which shows a training; the checkpoint {run.source} says nothing "
                "of its own"
            )
        with in_turn(run):
            for notebook in wanted:
                if plan(run_of(options), notebook).why:
                    execute_notebook(run, notebook)
                elif options.only:
                    print(f"{options.only} is up to date, in {run.figures}")
            if not options.only:
                print_comparison(run_of(options), gather(run_of(options)))


if __name__ == "__main__":
    main()
