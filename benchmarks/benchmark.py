"""Time rendering, training and ablation against other implementations: `python -m benchmarks.benchmark --help`.

Every number is a median over rounds in which the candidates take turns. Rates are in images per second; "share" is the
share of the machine's measured matrix rate that a piece of work reaches.
"""

import argparse
from pathlib import Path

from benchmarks import ablation as benchmark_ablation
from benchmarks import estimates as benchmark_estimates
from benchmarks import rendering as benchmark_rendering
from benchmarks import training as benchmark_training
from benchmarks.timing import machine
from paper_utils.errors import reported
from paper_utils.files import ROOT, read_json, write_json
from paper_utils.pipeline.provenance import commit, environment

__all__ = ["TARGET"]

TARGET = ROOT / "data" / "benchmark.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.benchmark", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", choices=["rendering", "training", "sweep"], help="all if left out")
    parser.add_argument("--threads", type=int, default=2, help="of the training step")
    parser.add_argument("--rounds", type=int, default=7, help="each candidate is timed once per round")
    parser.add_argument("--compile", action="store_true", help="try torch.compile too (needs a C++ compiler, minutes)")
    parser.add_argument("--output", type=Path, default=TARGET, help="a JSON file, whose other keys stay")
    options = parser.parse_args()
    results: dict[str, float | str] = {}
    with reported():
        if options.only in (None, "sweep"):  # first, since it reports the process's peak memory
            results |= benchmark_ablation.ablation_benchmark(
                threads=options.threads, rounds=max(1, options.rounds // 3)
            )
            benchmark_ablation.show(results)
            results |= benchmark_estimates.estimates_benchmark(results)
            benchmark_estimates.show(results)
        if options.only in (None, "rendering"):
            results |= benchmark_rendering.rendering_benchmark(rounds=options.rounds)
            benchmark_rendering.show(results)
        if options.only in (None, "training"):
            results |= benchmark_training.training_benchmark(
                threads=options.threads, rounds=options.rounds, compiled=options.compile
            )
            benchmark_training.show(results)
        before = read_json(options.output) if options.output.exists() else {}
        measured = {key.partition(".")[0] for key in results}
        kept = {key: value for key, value in before.items() if key.partition(".")[0] not in measured | {"origin"}}
        origin = {"profile": "laptop", "commit": commit(), "versions": environment()} | machine()
        write_json(options.output, kept | results | {f"origin.{key}": value for key, value in origin.items()})


if __name__ == "__main__":
    main()
