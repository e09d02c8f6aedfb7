"""The verdicts of the shipped run and of all other runs made here, a column each: `python -m tools.ledger --help`.

A run on another backbone says whether a claim holds for Vision Transformers or for one of them. Runs of the smoke
profile mean nothing and are left out, and so are runs on the shipped backbone, which `make compare` is for.
"""

import argparse
from pathlib import Path

from paper_utils.claims import Backbones, Ledger
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json
from paper_utils.pipeline.profiles import PROFILES
from paper_utils.pipeline.results import REFERENCE
from paper_utils.pipeline.run import Run

__all__ = ["SHIPPED", "runs_here", "side_by_side"]

SHIPPED = "shipped"
LEFT_OUT = ("reference", "smoke")


def runs_here(figures: Path) -> dict[str, Path]:
    """Return the results.json of every run on a backbone of its own, by the name of its folder."""
    found = {path.parent.name: path for path in sorted(figures.glob("*/results.json"))}
    ours = {PROFILES["laptop"].folder, f"{PROFILES['laptop'].folder}+seeds"}
    return {name: path for name, path in found.items() if name.partition("+")[0] not in LEFT_OUT and name not in ours}


def side_by_side(results: dict[str, Path]) -> Backbones:
    """Return the ledger of the shipped run, judged over its training seeds, and those of other runs.

    Raises:
        CompanionError: the results of a run lack a number that a claim rests on.
    """
    ledgers = {SHIPPED: Ledger.of(read_json(REFERENCE / "results.json"), Run(notebook="ledger").other_seeds())}
    for name, path in results.items():
        try:
            ledgers[name] = Ledger.of(read_json(path))
        except CompanionError as error:
            raise CompanionError(f"{path}: {error}") from error
    return Backbones(ledgers)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.ledger", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write every row with its numbers there, as CSV")
    options = parser.parse_args()
    with reported():
        results = runs_here(ROOT / "figures")
        if not results:
            raise CompanionError(
                "there is no run on another backbone here; make one with `make figures BACKBONE=...`, see the README"
            )
        found = side_by_side(results)
        print(found.summary().to_string())
        rows = found.metrics()
        print(
            f"\n{rows['backbones.same']} of {rows['backbones.rows']} rows that each can test have one verdict in all."
        )
        if options.table:
            with atomic_path(options.table) as path:
                found.table().to_csv(path, index=False)


if __name__ == "__main__":
    main()
