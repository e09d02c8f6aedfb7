"""Fill the model card of the backbone: `python -m backbone.card` draws its images and fills its tables from training.json.

With `--adopt FOLDER` the backbone that `make backbone` left there replaces the embedded one first.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from backbone.curriculum import CURRICULUM
from backbone.strokes import StrokeRange, draw_stroke_image
from paper_utils.errors import CompanionError, reported
from paper_utils.files import atomic_path, read_json, write_text
from paper_utils.models.backbone import NAMED
from paper_utils.plots.learning import pretraining_losses, stroke_samples
from tools.markdown import between_marks, markdown_table

__all__ = ["adopt", "curriculum", "draw", "filled", "phases"]

FOLDER = NAMED["embedded"].folder

FILES = ("config.json", "model.safetensors", "training.json")


def adopt(folder: Path) -> None:
    """Replace the embedded backbone by another one.

    Raises:
        CompanionError: a file is missing.
    """
    for name in FILES:
        if not (folder / name).is_file():
            raise CompanionError(f"{folder / name} is missing; `make backbone` leaves it there")
    for name in FILES:
        with atomic_path(FOLDER / name) as path:
            shutil.copyfile(folder / name, path)


def curriculum(training: dict) -> dict[str, dict]:
    """Return the records of training.json by curriculum stage, in the order of training."""
    records = []
    record: dict | None = training
    while record:
        records.append(record)
        record = record.get("before")
    return dict(zip(CURRICULUM, reversed(records), strict=False))


def title_of(stage: str) -> str:
    """Return the name of a curriculum stage as text shows it."""
    return stage.replace("_", " ")


def phases(record: dict) -> dict[str, np.ndarray]:
    """Return a curriculum stage's log by phase, (rows, 3): images seen, loss on ends, loss on cells.

    The loss on ends is nan where they were not supervised.
    """
    recipe, log = record["recipe"], np.array(record["log"])
    parts = log[:, 0] <= recipe["small_images"]
    if recipe["strokes_per_part"] > 1:
        log[parts, 1] = np.nan
    found = {"parts": log[parts], "whole images": log[~parts]}
    return {name: rows for name, rows in found.items() if len(rows)}


def draw(training: dict, folder: Path) -> None:
    """Draw samples of each curriculum stage's images, and its losses, into `folder`."""
    curves, seen = {}, 0
    for name, record in curriculum(training).items():
        recipe = record["recipe"]
        for phase, log in phases(record).items():
            curves[f"{title_of(name)}, {phase}"] = log + [seen, 0, 0]
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
    """Return the card with the table of its curriculum filled from training.json."""
    columns = ["stage", "trained on", "images", "batch", "loss on cells, first and last", "on ends, first and last"]
    rows = []
    for name, record in curriculum(training).items():
        recipe = record["recipe"]
        sizes = {
            "parts": (recipe["small_images"], recipe["batch"]),
            "whole images": (recipe["large_images"], recipe["large_batch"]),
        }
        for phase, log in phases(record).items():
            (_, *first), (_, *last) = log[0], log[-1]
            ends = f"{first[0]:.3f}, {last[0]:.3f}" if np.isfinite(first[0]) else "not supervised"
            images, batch = sizes[phase]
            cells = f"{first[1]:.4f}, {last[1]:.4f}"
            rows.append([title_of(name), phase, f"{images:,}", str(batch), cells, ends])
    minutes = sum(record["seconds"] for record in curriculum(training).values()) / 60
    marked = {"curriculum": markdown_table(columns, rows), "minutes": f"It took {minutes:.0f} minutes."}
    return between_marks(text, marked, name="data/backbone/README.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m backbone.card", description=__doc__)
    parser.add_argument("--adopt", type=Path, metavar="FOLDER", help="a folder that `make backbone` left")
    options = parser.parse_args()
    with reported():
        if options.adopt:
            adopt(options.adopt)
        training = read_json(FOLDER / "training.json")
        draw(training, FOLDER)
        card = FOLDER / "README.md"
        text = filled(card.read_text(encoding="utf-8"), training)
        write_text(card, text)


if __name__ == "__main__":
    main()
