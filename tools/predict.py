"""Read the chirps of folders of images: `python -m paper_utils.reading FOLDER` says how well the shipped model does.

A folder has the published layout, so it may be the published set, or one that `paper_utils.folders write` made with a
seed that nobody has seen. Every image is read, or the first that cannot be is named. A few images that are misread
decide on r, so that sets of some thousand differ in it: of several folders all images are judged together too.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from paper_utils.data.chirps import TARGETS
from paper_utils.data.folders import FolderSet, image_path
from paper_utils.errors import CompanionError, reported
from paper_utils.files import write_table
from paper_utils.models.regressor import load_regressor, merged
from paper_utils.models.vit import on_best_device
from paper_utils.pipeline.run import MODEL, REFERENCE
from paper_utils.plots.style import UNITS
from paper_utils.training.evaluation import Evaluation, accuracy, concatenate, evaluate

__all__ = ["accuracy_lines", "read_folders"]

FEWEST = 4  # images, below which r has no interval


def read_folders(folders: Sequence[Path], model: Path, *, backbone: str | None = None) -> dict[Path, Evaluation]:
    """Return what a fine-tuned model says of each image of folders in the published layout, and the labels.

    Args:
        folders: each with images and labels.csv; all are looked over before the first is read.
        model: as `save_regressor` wrote it.
        backbone: another one than the model names, as in `load_backbone`.

    Raises:
        CompanionError: a image, label or the model is missing, damaged or does not fit, or images are too few.
    """
    sets = {folder: FolderSet(folder) for folder in folders}
    for folder, images in sets.items():
        if len(images) < FEWEST:
            raise CompanionError(f"{folder} has {len(images)} images; r and its interval need {FEWEST} and more")
    regressor = merged(load_regressor(model, backbone=backbone))
    with on_best_device(regressor):
        # in this process: an error that names a image would come out of a worker as a traceback
        return {folder: evaluate(regressor, images, workers=0, title=str(folder)) for folder, images in sets.items()}


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
        {"image": str(image_path(folder, number))}
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
        help="images and labels.csv, as `paper_utils.folders write` leaves them",
    )
    parser.add_argument("--model", type=Path, default=REFERENCE / MODEL, help="LoRA and head (default: the shipped)")
    parser.add_argument("--backbone", help="folder or Hugging Face name (default: the one that the model names)")
    parser.add_argument("--table", type=Path, help="also write what was read of each image, as CSV")
    options = parser.parse_args()
    with reported():
        read = read_folders(options.folders, options.model, backbone=options.backbone)
        if options.table:
            write_table(options.table, [row for pair in read.items() for row in _rows(*pair)])
        sets = {str(folder): evaluation for folder, evaluation in read.items()}
        if len(sets) > 1:
            sets[f"all {len(sets)} folders"] = concatenate(list(read.values()))
        for name, evaluation in sets.items():
            print(f"{name}: {len(evaluation.labels):,} images")
            print("\n".join(accuracy_lines(evaluation)))


if __name__ == "__main__":
    main()
