"""Make the repeats and controls of the fine-tuning: `python -m tools.study --help`."""

import argparse

from paper_utils.errors import CompanionError, reported
from paper_utils.files import read_json
from paper_utils.pipeline.line_fits import LINE_STAGES
from paper_utils.pipeline.run import Run
from paper_utils.pipeline.seeds import SEEDS
from paper_utils.pipeline.study import VARIANTS
from tools.figures import add_run_options, run_of
from tools.leftovers import in_turn


def _compute(run: Run, options: argparse.Namespace) -> None:
    if options.lines:
        for name in options.only or LINE_STAGES:
            print(f"{name}: {run.results.ensure(name, run)}", flush=True)
        return
    for name in options.only or VARIANTS:
        content = read_json(run.results.ensure(f"study/{name}", run))
        rates = ", ".join(f"{target} {score['pearson_r']:.3f}" for target, score in content["accuracy"].items())
        seen = content["history"][-1]["images_seen"]
        print(f"{content['title']}: r of {rates} after {seen:,} images", flush=True)
        if name in SEEDS:
            run.results.ensure(f"seeds/{name}", run)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.study", description=__doc__.split(":")[0] + ".")
    parser.add_argument("--lines", action="store_true", help="fits to line images (notebook 08b) instead")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        help=f"some of {', '.join(VARIANTS)}; with --lines of {', '.join(LINE_STAGES)}",
    )
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        from tools.execute import check_before_running

        run = run_of(options)
        kind, known = ("stage", LINE_STAGES) if options.lines else ("variant", tuple(VARIANTS))
        if unknown := set(options.only or ()) - set(known):
            raise CompanionError(f"unknown {kind} {min(unknown)!r}; choose from {', '.join(known)}")
        check_before_running(run)
        with in_turn(run):
            _compute(run, options)


if __name__ == "__main__":
    main()
