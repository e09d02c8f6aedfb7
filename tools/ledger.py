"""The verdicts of the shipped runs and of all other runs made here, a column each: `python -m tools.ledger --help`.

A run on another backbone says whether a claim holds for Vision Transformers or for one of them. Runs of the smoke
profile mean nothing and are left out, and so are runs that results ship of, which `make compare` is for.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from paper_utils.claims import Backbones, Ledger
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, way_out
from paper_utils.pipeline.compared import RESULTS_FILE, read_metrics, shipped_runs
from paper_utils.pipeline.profiles import get_profile
from paper_utils.pipeline.results import REFERENCES

__all__ = ["runs_here", "side_by_side"]


def runs_here(figures: Path) -> dict[str, Path]:
    """Return the results.json of every run that nothing ships of, by the name of its folder."""
    found = {path.parent.name: path for path in sorted(figures.glob(f"*/{RESULTS_FILE}"))}
    shipped = {get_profile("laptop", backbone=name).folder for name in REFERENCES}
    left_out = shipped | {f"{name}+seeds" for name in shipped}
    return {
        name: path
        for name, path in found.items()
        if not name.startswith(("reference", "smoke")) and name not in left_out
    }


def side_by_side(results: Mapping[str, Path]) -> Backbones:
    """Return the shipped runs, that on the embedded backbone first, and others by their results.json.

    Raises:
        CompanionError: the results of a run, whose file is named, are damaged or lack a number that a claim rests on.
    """
    shipped = Backbones.of(shipped_runs())  # which have every number: what another lacks is no fault of the claims
    numbers = {name: read_metrics(path) for name, path in results.items()}
    ledgers = {name: _ledger(path, numbers[name]) for name, path in results.items()}
    return Backbones({**shipped.ledgers, **ledgers}, {**shipped.numbers, **numbers})


def _ledger(path: Path, metrics: Mapping[str, float | str]) -> Ledger:
    try:
        return Ledger.of(metrics)
    except (CompanionError, ValueError) as error:
        what = str(error).partition(";")[0] if isinstance(error, CompanionError) else "a text describes no head"
        raise CompanionError(f"{path}: {what}; {way_out(path)}") from error


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.ledger", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write every row with its numbers there, as CSV")
    options = parser.parse_args()
    with reported():
        found = side_by_side(runs_here(ROOT / "figures"))
        print("\n\n".join((found.summary().to_string(), found.findings().to_string(), str(found))))
        if options.table:
            with atomic_path(options.table) as path:
                found.table().to_csv(path)


if __name__ == "__main__":
    main()
