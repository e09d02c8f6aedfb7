"""Set a run's headline numbers beside the shipped and the published ones: `python -m tools.compare --help`."""

import argparse

import pandas as pd

from paper_utils.errors import CompanionError, reported
from paper_utils.files import read_json, way_out
from paper_utils.models.pixels import PIXELS
from paper_utils.pipeline.compared import RESULTS_FILE, check_metrics, shipped_metrics
from paper_utils.pipeline.results import REFERENCES
from paper_utils.pipeline.run import Run
from tools.figures import add_run_options, as_make, run_of
from tools.plans import check_written

__all__ = ["HEADLINES", "YOURS", "comparison", "print_comparison"]

# key of results.json: what it is, its published value, and how far a run on another machine may lie from the shipped
HEADLINES: dict[str, tuple[str, float | None, float]] = {
    "accuracy.start_time.pearson_r": ("Pearson r, start time", 0.9841, 0.03),
    "accuracy.start_frequency.pearson_r": ("Pearson r, start frequency", None, 0.03),
    "accuracy.end_frequency.pearson_r": ("Pearson r, end frequency", None, 0.03),
    "ablation.layers_1_to_3.mean_percent": ("mean increase of the loss, layers 1 to 3 (%)", 0.11, 10.0),
    "ablation.layers_1_to_3.mean_without_largest_percent": ("the same without the head of largest effect", 0.11, 1.0),
    "ablation.layers_4_to_12.mean_percent": ("mean increase of the loss, layers 4 to 12 (%)", None, 1.0),
    "ablation.layer_6.mean_percent": ("mean increase of the loss, layer 6 (%)", 0.34, 1.0),
    "released.ablation.layers_1_to_3.mean_percent": ("the same by the released protocol, layers 1 to 3 (%)", 0.11, 1.0),
    "released.ablation.rank_autocorrelation": ("rank autocorrelation of Figure 4 within rows, released", 0.69, 0.3),
    "semantics.chirp_heads": ("monosemantic chirp heads", None, 8.0),
}

IMAGES = ("accuracy.images", "accuracy.unselected.images", "ablation.images")  # that they rest on
YOURS = "yours with shipped"  # of the two, not of either with the paper
# other tolerances on another backbone, whose effects are of another size: about the half-widths of their intervals
OTHERWISE = {
    "photographs": {
        "ablation.layers_1_to_3.mean_percent": 3.5,
        "ablation.layers_1_to_3.mean_without_largest_percent": 3.5,
        "ablation.layers_4_to_12.mean_percent": 7.0,
        "ablation.layer_6.mean_percent": 3.0,
        "released.ablation.layers_1_to_3.mean_percent": 0.02,
        "semantics.chirp_heads": 4.0,
    }
}


def comparison(own: dict, shipped: dict) -> pd.DataFrame:
    """Return published, shipped and own headline numbers, and whether the last two agree by the stated tolerance.

    Args:
        own: metrics of a run.
        shipped: those of the shipped run on the same backbone.

    Raises:
        CompanionError: a run lacks a number.
    """
    rows, otherwise = [], OTHERWISE.get(shipped["origin.backbone"], {})
    for key, (what, published, usual) in HEADLINES.items():
        tolerance = otherwise.get(key, usual)
        for name, numbers in (("this run", own), ("the shipped run", shipped)):
            if key not in numbers:
                raise CompanionError(f"{name} lacks {key!r}; run `make figures` again")
        agrees = abs(own[key] - shipped[key]) <= tolerance
        rows.append(
            {
                "number": what,
                "published": "-" if published is None else f"{published:g}",
                "shipped": f"{shipped[key]:.4g}",
                "yours": f"{own[key]:.4g}",
                "tolerance": f"{tolerance:g}",
                YOURS: "agrees" if agrees else "DIFFERS",
            }
        )
    return pd.DataFrame(rows)


def print_comparison(run: Run, metrics: dict) -> None:
    """Print what a run shows, and its headline numbers beside the shipped and published ones."""
    print(f"\nprofile {run.profile.name}, from {run.source}: it shows {run.profile.proves}")
    print(f"pixels {PIXELS[run.profile.pixels]}")
    if not run.ships:
        print(
            "its numbers are not comparable with those of a shipped run, which is the laptop profile on published "
            f"pixels and the backbone {' or '.join(REFERENCES)}"
        )
        return
    path = run.figures / RESULTS_FILE
    check_metrics(path, metrics)
    if lacking := [key for key in (*IMAGES, *HEADLINES) if key not in metrics]:
        raise CompanionError(f"{path} lacks {lacking[0]!r}; {way_out(path)}")
    print(
        f"on {metrics['accuracy.images']:,} test images (r; README has it on the "
        f"{metrics['accuracy.unselected.images']:,} others) and {metrics['ablation.images']:,} ablation images"
    )
    print(comparison(metrics, shipped_metrics(run.profile.backbone)).to_string(index=False))
    print(f"{YOURS}: by the tolerance; what is published is judged in docs/ledger.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.compare", description=__doc__.split(":")[0] + ".")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        run = run_of(options)
        path = run.figures / RESULTS_FILE
        if not path.is_file():
            raise CompanionError(f"{path} is missing; run `{as_make('figures', options)}` first")
        check_written(path, run, again=as_make("figures", options))
        print_comparison(run, read_json(path))


if __name__ == "__main__":
    main()
