"""Say how results and figures of a run stand, and why: `python -m tools.status --help`."""

import argparse
import sys

from paper_utils.errors import reported
from paper_utils.pipeline.figures import FIGURES
from paper_utils.pipeline.results import Results, shipped
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.figures import add_run_options, figure_state, plan, run_of

__all__ = ["lines", "shipped_lines"]


def shipped_lines() -> list[tuple[str, str, str]]:
    """Return name, state and reason of every shipped result."""
    results = shipped(Run("laptop", "reference").profile)
    return _stage_lines(results)


def lines(run: Run) -> list[tuple[str, str, str]]:
    """Return name, state and reason of every result, figure and notebook of a run."""
    found = _stage_lines(run.results)
    found += [
        (f"figure {name}", *figure_state(run, name)) for name in FIGURES if FIGURES[name].notebook in run.notebooks
    ]
    plans = [plan(run, notebook) for notebook in run.notebooks]
    return found + [(f"notebook {one.notebook}", "to run" if one.why else "fresh", one.why) for one in plans]


def _stage_lines(results: Results) -> list[tuple[str, str, str]]:
    states = {name: results.state(name) for name, stage in STAGES.items() if stage.file}
    return [(f"result {name}", found.state, found.why) for name, found in states.items()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.status", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--shipped", action="store_true", help="the results that ship, held against this code")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        if options.shipped:
            print("shipped results, in data/reference")
            found = shipped_lines()
        else:
            run = run_of(options)
            print(f"profile {run.profile.name}, from {run.source}, in {run.figures.name}")
            found = lines(run)
        width = max(len(name) for name, _, _ in found)
        for name, state, why in found:
            print(f"{name:{width}}  {state:8}{why}".rstrip())
        if options.shipped and any(state != "fresh" for _, state, _ in found):
            sys.exit(1)


if __name__ == "__main__":
    main()
