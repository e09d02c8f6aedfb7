"""Read the chirps of folders of pictures: `python -m paper_utils.reading FOLDER` says how well the shipped model does.

A folder has the published layout, so it may be the published set, or one that `paper_utils.folders write` made with a
seed that nobody has seen. Every picture is read, or the first that cannot be is named. A few pictures that are misread
decide on r, so that sets of some thousand differ in it: of several folders all pictures are judged together too.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .artifacts import write_table
from .chirps import TARGETS
from .errors import CompanionError, reported
from .figures import UNITS
from .folders import FolderSet, picture_path
from .model import load_regressor, merged
from .runs import MODEL, REFERENCE
from .training import Evaluation, accuracy, evaluate, together
from .vit import on_best_device

__all__ = ["accuracy_lines", "read_folders"]

FEWEST = 4  # pictures, below which r has no interval


def read_folders(folders: Sequence[Path], model: Path, *, backbone: str | None = None) -> dict[Path, Evaluation]:
    """Return what a fine-tuned model says of each picture of folders in the published layout, and the labels.

    Args:
        folders: each with pictures and labels.csv; all are looked over before the first is read.
        model: as `save_regressor` wrote it.
        backbone: another one than the model names, as in `load_backbone`.

    Raises:
        CompanionError: a picture, label or the model is missing, damaged or does not fit, or pictures are too few.
    """
    sets = {folder: FolderSet(folder) for folder in folders}
    for folder, pictures in sets.items():
        if len(pictures) < FEWEST:
            raise CompanionError(f"{folder} has {len(pictures)} pictures; r and its interval need {FEWEST} and more")
    regressor = merged(load_regressor(model, backbone=backbone))
    with on_best_device(regressor):
        # in this process: an error that names a picture would come out of a worker as a traceback
        return {
            folder: evaluate(regressor, pictures, workers=0, title=str(folder)) for folder, pictures in sets.items()
        }


def accuracy_lines(evaluation: Evaluation) -> list[str]:
    """Return a line for each target: Pearson r with its 95 % interval, mean absolute error and bias."""
    return [
        f"{target.replace('_', ' '):16} r = {score['pearson_r']:.4f} "
        f"({score['pearson_r_low']:.4f} to {score['pearson_r_high']:.4f}), mean absolute error "
        f"{score['mean_absolute_error']:.2f} {UNITS[target]}, bias {score['bias']:+.2f} {UNITS[target]}"
        for target, score in accuracy(evaluation).items()
    ]


def _rows(folder: Path, evaluation: Evaluation) -> list[dict]:
    return [
        {"picture": str(picture_path(folder, number))}
        | {f"{target}_read": f"{value:.3f}" for target, value in zip(TARGETS, read, strict=True)}
        | {f"{target}_true": f"{value:.3f}" for target, value in zip(TARGETS, true, strict=True)}
        for number, (read, true) in enumerate(zip(evaluation.predictions, evaluation.labels, strict=True), 1)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.reading", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="pictures and labels.csv, as `paper_utils.folders write` leaves them",
    )
    parser.add_argument("--model", type=Path, default=REFERENCE / MODEL, help="LoRA and head (default: the shipped)")
    parser.add_argument("--backbone", help="folder or Hugging Face name (default: the one that the model names)")
    parser.add_argument("--table", type=Path, help="also write what was read of each picture, as CSV")
    options = parser.parse_args()
    with reported():
        read = read_folders(options.folders, options.model, backbone=options.backbone)
        if options.table:
            write_table(options.table, [row for pair in read.items() for row in _rows(*pair)])
        sets = {str(folder): evaluation for folder, evaluation in read.items()}
        if len(sets) > 1:
            sets[f"all {len(sets)} folders"] = together(list(read.values()))
        for name, evaluation in sets.items():
            print(f"{name}: {len(evaluation.labels):,} pictures")
            print("\n".join(accuracy_lines(evaluation)))


if __name__ == "__main__":
    main()
