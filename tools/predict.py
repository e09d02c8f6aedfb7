"""Predict folders of spectrogram images: `python -m tools.predict FOLDER` prints how accurate the shipped model is.

A folder has the published layout, so it may be the published set, or one that `python -m paper_utils.data.folders
write` made with a new seed. All images of a folder are predicted; the first that is damaged stops the command and is
named. r depends on the few images with the largest errors and so differs between sets of some thousand images: of
several folders, all images are also evaluated together.

With `--checkpoint best_vit_regression.pth` the author's model is evaluated, or any in that layout. Such a file holds no
label scale, so that of the published distribution is taken: bias and mean absolute error include its deviation from
the author's, of 0.04 s and 0.1 Hz or so.
"""

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paper_utils.data.chirps import TARGETS, UNITS
from paper_utils.data.folders import FolderSet
from paper_utils.data.layout import LABELS, METADATA, image_path
from paper_utils.data.resizing import FILTERS, Resizing
from paper_utils.errors import CompanionError, reported
from paper_utils.files import check_writable, write_table
from paper_utils.models.pixels import Pixels, as_pixels
from paper_utils.models.published import load_published
from paper_utils.models.regressor import ChirpRegressor, load_regressor, merged
from paper_utils.models.vit import EMBEDDED_SIZES, on_best_device
from paper_utils.pipeline.results import REFERENCE, check_shipped_files, shipped
from paper_utils.pipeline.stages import STAGES
from paper_utils.training.evaluation import Evaluation, accuracy, concatenate, evaluate

__all__ = ["SHIPPED_MODEL", "accuracy_lines", "check_if_shipped", "predict_folders"]

SHIPPED_MODEL = REFERENCE / STAGES["fine_tuning"].file
FEWEST = 4  # images; with fewer the interval of r is undefined


def predict_folders(
    folders: Sequence[Path],
    model: Path,
    *,
    backbone: str | None = None,
    resizing: Resizing = "bicubic",
    published: bool = False,
    heads: int | None = None,
    pixels: Pixels | None = None,
) -> dict[Path, Evaluation]:
    """Return a fine-tuned model's predictions and the labels of all images in folders of the published layout.

    Args:
        folders: each with images and labels.csv; all are checked before the first is predicted.
        model: as `save_regressor` wrote it, or a checkpoint in the published layout.
        backbone: another one than the model names, as in `load_backbone`; a checkpoint holds its own.
        resizing: Pillow's filter, as in `FolderSet`.
        published: whether `model` is a checkpoint, whose report of keys is printed.
        heads: of a layer of a checkpoint, as in `load_published`.
        pixels: of a checkpoint, as in `load_published`; a model of ours names its own, and must not name others.

    Raises:
        CompanionError: an image, label or the model is missing, damaged or does not fit, a folder is given twice, or
            images are too few.
    """
    places = [os.path.realpath(folder) for folder in folders]
    for number, place in enumerate(places):
        if (first := places.index(place)) != number:
            raise CompanionError(f"{folders[number]} is the same folder as {folders[first]}; give each once")
    check_if_shipped(model)
    sets = {folder: FolderSet(folder, resizing=resizing) for folder in folders}
    for folder, images in sets.items():
        if len(images) < FEWEST:
            raise CompanionError(f"{folder} has {len(images)} images; r and its interval need at least {FEWEST}")
    regressor = merged(
        _from_checkpoint(model, heads, pixels or "published")
        if published
        else load_regressor(model, backbone=backbone, pixels=pixels)
    )
    with on_best_device(regressor):
        # in this process: an error that names an image would come out of a worker as a traceback
        return {folder: evaluate(regressor, images, workers=0, title=str(folder)) for folder, images in sets.items()}


def _from_checkpoint(path: Path, heads: int | None, pixels: Pixels) -> ChirpRegressor:
    regressor, report = load_published(path, heads=heads, pixels=pixels)
    side, wanted = regressor.vit.config.image_size, EMBEDDED_SIZES["image_size"]
    if side != wanted:
        raise CompanionError(f"{path} is a model of images of {side} pixels; give one of {wanted}")
    print(report.line())
    if report.assumed_heads:
        print(
            f"warning: {path} does not say how many heads a layer has; if they are not {report.assumed_heads}, what "
            "follows is wrong: give --heads",
            file=sys.stderr,
        )
    return regressor


def check_if_shipped(model: Path) -> None:
    """Raise CompanionError for the model that ships, if it or its backbone is not what was shipped; not for another."""
    if os.path.realpath(model) == os.path.realpath(SHIPPED_MODEL):
        check_shipped_files(shipped())


def accuracy_lines(evaluation: Evaluation) -> list[str]:
    """Return a line for each target: Pearson r with its 95 % interval, mean absolute error and bias."""
    return [
        f"{target.replace('_', ' '):16} {_r_and_interval(score)}, mean absolute error "
        f"{score['mean_absolute_error']:.2f} {UNITS[target]}, bias {score['bias']:+.2f} {UNITS[target]}"
        for target, score in accuracy(evaluation).items()
    ]


def _r_and_interval(score: dict[str, float]) -> str:
    if not math.isfinite(score["pearson_r"]):
        return "r undefined (all predictions, or all labels, are the same)"
    return f"r = {score['pearson_r']:.4f} ({score['pearson_r_low']:.4f} to {score['pearson_r_high']:.4f})"


def _rows(folder: Path, evaluation: Evaluation) -> list[dict]:
    return [
        {"image": str(image_path(folder, number))}
        | {f"{target}_predicted": f"{value:.3f}" for target, value in zip(TARGETS, predicted, strict=True)}
        | {f"{target}_true": f"{value:.3f}" for target, value in zip(TARGETS, true, strict=True)}
        for number, (predicted, true) in enumerate(zip(evaluation.predictions, evaluation.labels, strict=True), 1)
    ]


def _check_table(table: Path, folders: Sequence[Path], model: Path) -> None:
    """Raise CompanionError, before an image is read, for a table that cannot be written or would replace what is read."""
    check_writable(table)
    target = Path(os.path.realpath(table))
    for folder in folders:
        image = target.suffix.lower() == ".png" and target.is_relative_to(os.path.realpath(folder))
        read = (folder / LABELS, folder / METADATA, *folder.glob("*.png"))  # of which some may be links
        if image or str(target) in map(os.path.realpath, read):
            raise CompanionError(f"{table} is read, and would be replaced; give another name")
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            raise CompanionError(
                f"the name of the folder {folder} is not UTF-8, as a table must be; rename it, or leave out --table"
            ) from None
    if target == Path(os.path.realpath(model)):
        raise CompanionError(f"{table} is the model that is read, and would be replaced; give another name")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.predict", description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="images and labels.csv, as `python -m paper_utils.data.folders write` leaves them",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="LoRA and head (default: the shipped)")
    which.add_argument(
        "--checkpoint", type=Path, help="a whole state dict in the published layout, as best_vit_regression.pth"
    )
    parser.add_argument(
        "--heads", type=int, help="of a checkpoint's layers (default: as it says, or one for every 64 dimensions)"
    )
    parser.add_argument("--backbone", help="folder or Hugging Face name (default: the one that the model names)")
    parser.add_argument(
        "--pixels",
        help="of a checkpoint: published (0 to 1, default), or backbone, normalised as the preprocessor_config.json "
        "beside it says; a model names its own",
    )
    parser.add_argument(
        "--resizing",
        choices=FILTERS,
        default="bicubic",
        help="Pillow's filter (default: bicubic, its own and the published one)",
    )
    parser.add_argument("--table", type=Path, help="also write the predictions and labels of each image, as CSV")
    options = parser.parse_args()
    with reported():
        if options.table:
            _check_table(options.table, options.folders, options.checkpoint or options.model)
        if options.checkpoint and options.backbone:
            raise CompanionError(f"the checkpoint {options.checkpoint} holds its own backbone; leave out --backbone")
        if options.heads is not None and not options.checkpoint:
            raise CompanionError("--heads is for --checkpoint alone; a backbone says how many it has")
        evaluations = predict_folders(
            options.folders,
            options.checkpoint or options.model,
            backbone=options.backbone,
            resizing=options.resizing,
            published=options.checkpoint is not None,
            heads=options.heads,
            pixels=as_pixels(options.pixels) if options.pixels else None,
        )
        sets = {str(folder): evaluation for folder, evaluation in evaluations.items()}
        if len(sets) > 1:
            sets[f"all {len(sets)} folders"] = concatenate(list(evaluations.values()))
        for name, evaluation in sets.items():
            print(f"{name}: {len(evaluation.labels):,} images")
            print("\n".join(accuracy_lines(evaluation)), flush=True)
        if options.table:
            table = pd.DataFrame([row for pair in evaluations.items() for row in _rows(*pair)])
            write_table(options.table, table)


if __name__ == "__main__":
    main()
