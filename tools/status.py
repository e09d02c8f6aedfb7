"""Say how results and figures of a run stand, why, and what time and memory they took: `python -m tools.status --help`."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT
from paper_utils.models.backbone import NAMED
from paper_utils.pipeline.figures import FIGURES, NOTEBOOKS
from paper_utils.pipeline.results import REFERENCES, Results, shipped, shipped_stages
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.stages import STAGES
from tools.figures import add_run_options, run_of
from tools.plans import figure_state, plan, took

__all__ = ["costs", "lines", "shipped_lines"]


WIDTH = max(
    map(
        len,
        [f"result {one}" for one in STAGES]
        + [f"figure {one}" for one in FIGURES]
        + [f"notebook {one}" for one in NOTEBOOKS],
    )
)

Line = tuple[str, str, str]  # name, state and reason


def shipped_lines(backbone: str = "embedded") -> Iterator[Line]:
    """Yield name, state and reason of every result that ships for a backbone."""
    return _stage_lines(shipped(backbone), shipped_stages(backbone))


def lines(run: Run) -> Iterator[Line]:
    """Yield name, state and reason of every result, figure and notebook of a run.

    Of the studies those that were computed for it: figures show the shipped ones where there are none.
    """
    there = [name for name, stage in STAGES.items() if not stage.repeats or run.results.path(name).is_file()]
    yield from _stage_lines(run.results, [name for name in there if STAGES[name].file])
    for name, source in FIGURES.items():
        if source.notebook in run.notebooks:
            yield f"figure {name}", *figure_state(run, name)
    for notebook in run.notebooks:
        why = plan(run, notebook).why
        yield f"notebook {notebook}", "to run" if why else "fresh", why


def _stage_lines(results: Results, stages: Sequence[str]) -> Iterator[Line]:
    for name in stages:
        found = results.state(name)
        yield f"result {name}", found.state, found.why


def costs(results: Results, names: Sequence[str], notebooks: Mapping[str, Mapping]) -> dict[str, str]:
    """Return what results and notebooks took, by their names in the table: seconds, and the peak of memory.

    Args:
        results: of a run.
        names: of its stages.
        notebooks: what each took, "seconds" and "peak_memory_mib", less the results that it computed.
    """
    took: dict[str, Mapping] = {
        f"result {name}": stamp.computed for name in names if (stamp := results.stamp(name)) is not None
    }
    took |= {f"notebook {name}": record for name, record in notebooks.items()}
    return {name: _cost(record) for name, record in took.items()}


def _cost(record: Mapping) -> str:
    """Return seconds and memory in a line's width; "" of a damaged record, by which nothing else is lost."""
    try:
        return f"{record['seconds']:6.0f} s {record['peak_memory_mib']:6.0f} MiB"
    except (KeyError, TypeError, ValueError):
        return ""


def _print_shipped(backbone: str) -> bool:
    """Print how what ships for a backbone stands; return whether all of it is fresh."""
    if backbone not in REFERENCES:
        raise CompanionError(f"nothing ships for the backbone {backbone}; choose {' or '.join(REFERENCES)}")
    print(f"shipped results, in {REFERENCES[backbone].folder.relative_to(ROOT)}", flush=True)
    return _print(shipped_lines(backbone), costs(shipped(backbone), shipped_stages(backbone), {}))


def _print(found: Iterable[Line], took: Mapping[str, str]) -> bool:
    """Print each line once it is known, since a result's probe takes seconds; return whether all are fresh."""
    fresh = True
    for name, state, why in found:
        print(f"{name:{WIDTH}}  {state:8}{took.get(name, ''):21}{why}".rstrip(), flush=True)
        fresh = fresh and state == "fresh"
    return fresh


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.status", description=__doc__.split(":")[0] + ".")
    parser.add_argument(
        "--shipped", action="store_true", help="the results that ship alone; fails unless all fit this code"
    )
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        run = run_of(options)
        if run.profile.backbone in NAMED:
            NAMED[run.profile.backbone].checked()  # results are of it
        if options.shipped:
            sys.exit(not _print_shipped(run.profile.backbone))
        if run.ships:
            _print_shipped(run.profile.backbone)
        print(f"profile {run.profile.name}, from {run.source}, in {run.figures.name}", flush=True)
        _print(lines(run), costs(run.results, [name for name, stage in STAGES.items() if stage.file], took(run)))


if __name__ == "__main__":
    main()
