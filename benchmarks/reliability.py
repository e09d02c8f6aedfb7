"""Measure what docs/reliability.md promises: `python -m benchmarks.reliability --help`.

Results go into data/reliability.json, part by part, so that one can be measured again alone.
"""

import argparse
from pathlib import Path

from benchmarks.interruptions import interruptions
from benchmarks.sameness import sameness
from benchmarks.timing import machine
from paper_utils.errors import reported
from paper_utils.files import ROOT, read_json, write_json
from paper_utils.pipeline.provenance import commit, environment

__all__ = ["TARGET"]

TARGET = ROOT / "data" / "reliability.json"
PARTS = ("sameness", "interruptions")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", choices=PARTS, help="all if left out")
    parser.add_argument("--kills", type=int, default=30, help="of the smoke run (default: 30)")
    parser.add_argument("--figure", help="kill a run of this figure alone, such as figure_4, instead of all")
    parser.add_argument("--output", type=Path, default=TARGET, help="a JSON file, whose other parts stay")
    options = parser.parse_args()
    with reported():
        for part in [options.only] if options.only else PARTS:
            found = sameness() if part == "sameness" else _interruptions(options.kills, options.figure)
            print(f"{part}: {found}", flush=True)
            origin = {"commit": commit(), "versions": environment()} | machine()
            before = read_json(options.output) if options.output.exists() else {}
            write_json(options.output, before | {part: {"found": found, "origin": origin}})


def _interruptions(kills: int, figure: str | None) -> dict:
    run = ("--profile", "smoke", *(("--only", figure) if figure else ()))
    return {"run": " ".join(run)} | interruptions(kills=kills, options=run)


if __name__ == "__main__":
    main()
