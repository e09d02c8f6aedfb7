"""The backbone's card: `python -m paper_utils.card` draws its images and fills its tables from training.json.

With `--adopt FOLDER` the backbone that `make backbone` left there becomes the embedded one first.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from backbone.curriculum import CURRICULUM
from backbone.strokes import StrokeRange, draw_stroke_image
from paper_utils.errors import CompanionError, reported
from paper_utils.files import atomic_path, read_json
from paper_utils.models.backbone import EMBEDDED
from paper_utils.plots.learning import pretraining_losses, stroke_samples
from tools.readme import between_marks

__all__ = ["adopt", "draw", "filled", "curriculum"]

FILES = ("config.json", "model.safetensors", "training.json")


def adopt(folder: Path) -> None:
    """Make a pre-trained backbone the embedded one.

    Raises:
        CompanionError: a file is missing.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise CompanionError(f"{folder / name} is missing; `make backbone` leaves it there")
    for name in FILES:
        with atomic_path(EMBEDDED / name) as path:
            shutil.copyfile(folder / name, path)


def curriculum(training: dict) -> dict[str, dict]:
    """Return the records of training.json by curriculum stage, the first one first."""
    records = []
    while training:
        records.append(training)
        training = training.get("before")
    return dict(zip(CURRICULUM, reversed(records), strict=False))


def phases(record: dict) -> dict[str, np.ndarray]:
    """Return a curriculum stage's log by what it learned from: rows of images seen, loss on ends, loss on cells.

    Ends that were not asked for are nan.
    """
    recipe, log = record["recipe"], np.array(record["log"])
    parts = log[:, 0] <= recipe["small_images"]
    if recipe["crowd"] > 1:
        log[parts, 1] = np.nan
    found = {"parts": log[parts], "whole images": log[~parts]}
    return {name: rows for name, rows in found.items() if len(rows)}


def draw(training: dict, folder: Path) -> None:
    """Draw samples of what each curriculum stage saw, and its losses, into `folder`."""
    curves, seen = {}, 0
    for name, record in curriculum(training).items():
        recipe = record["recipe"]
        for phase, log in phases(record).items():
            curves[f"{name}, {phase}"] = log + [seen, 0, 0]
        seen += record["log"][-1][0]
        last = recipe["first_image"] + recipe["small_images"] + recipe["large_images"]
        strokes = StrokeRange(**recipe["strokes"])
        images = [draw_stroke_image(recipe["seed"], last - 1 - i, size=224, strokes=strokes) for i in range(12)]
        figure = stroke_samples(np.stack([p.pixels for p in images]), np.stack([p.ends for p in images]))
        with atomic_path(folder / f"samples_{name}.png") as path:
            figure.savefig(path, dpi=110)
    with atomic_path(folder / "losses.png") as path:
        pretraining_losses(curves).savefig(path, dpi=110)


def filled(text: str, training: dict) -> str:
    """Return the card with its table of curriculum filled from training.json."""
    rows = [
        "| curriculum stage | of | images | batch | loss on cells, first and last | on ends, first and last |",
        "| --- " * 6 + "|",
    ]
    for name, record in curriculum(training).items():
        recipe = record["recipe"]
        sizes = {
            "parts": (recipe["small_images"], recipe["batch"]),
            "whole images": (recipe["large_images"], recipe["large_batch"]),
        }
        for phase, log in phases(record).items():
            (_, *first), (_, *last) = log[0], log[-1]
            ends = f"{first[0]:.3f}, {last[0]:.3f}" if np.isfinite(first[0]) else "not asked for"
            images, batch = sizes[phase]
            rows.append(f"| {name} | {phase} | {images:,} | {batch} | {first[1]:.4f}, {last[1]:.4f} | {ends} |")
    minutes = sum(record["seconds"] for record in curriculum(training).values()) / 60
    marked = {"curriculum": "\n".join(rows), "minutes": f"It took {minutes:.0f} minutes."}
    return between_marks(text, marked, name="data/backbone/README.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.card", description=__doc__)
    parser.add_argument("--adopt", type=Path, metavar="FOLDER", help="where `make backbone` left one")
    options = parser.parse_args()
    with reported():
        if options.adopt:
            adopt(options.adopt)
        training = read_json(EMBEDDED / "training.json")
        draw(training, EMBEDDED)
        card = EMBEDDED / "README.md"
        text = filled(card.read_text(), training)
        with atomic_path(card) as path:
            path.write_text(text)


if __name__ == "__main__":
    main()
