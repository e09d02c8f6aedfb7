"""The backbone's card: `python -m paper_utils.card` draws its pictures and fills its tables from training.json.

With `--adopt FOLDER` the backbone that `make backbone` left there becomes the embedded one first.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from .artifacts import atomic_path, read_json
from .errors import CompanionError, reported
from .learning_figures import pretraining_losses, stroke_samples
from .profiles import EMBEDDED
from .readme import between_marks
from .sittings import SITTINGS
from .strokes import StrokeRange, draw_stroke_picture

__all__ = ["adopt", "draw", "filled", "sittings"]

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


def sittings(training: dict) -> dict[str, dict]:
    """Return the records of training.json by sitting, the first one first."""
    records = []
    while training:
        records.append(training)
        training = training.get("before")
    return dict(zip(SITTINGS, reversed(records), strict=False))


def phases(record: dict) -> dict[str, np.ndarray]:
    """Return a sitting's log by what it learned from: rows of pictures seen, loss on ends, loss on cells.

    Ends that were not asked for are nan.
    """
    recipe, log = record["recipe"], np.array(record["log"])
    parts = log[:, 0] <= recipe["small_pictures"]
    if recipe["crowd"] > 1:
        log[parts, 1] = np.nan
    found = {"parts": log[parts], "whole pictures": log[~parts]}
    return {name: rows for name, rows in found.items() if len(rows)}


def draw(training: dict, folder: Path) -> None:
    """Draw samples of what each sitting saw, and its losses, into `folder`."""
    curves, seen = {}, 0
    for name, record in sittings(training).items():
        recipe = record["recipe"]
        for phase, log in phases(record).items():
            curves[f"{name}, {phase}"] = log + [seen, 0, 0]
        seen += record["log"][-1][0]
        last = recipe["first_picture"] + recipe["small_pictures"] + recipe["large_pictures"]
        strokes = StrokeRange(**recipe["strokes"])
        pictures = [draw_stroke_picture(recipe["seed"], last - 1 - i, size=224, strokes=strokes) for i in range(12)]
        figure = stroke_samples(np.stack([p.pixels for p in pictures]), np.stack([p.ends for p in pictures]))
        with atomic_path(folder / f"samples_{name}.png") as path:
            figure.savefig(path, dpi=110)
    with atomic_path(folder / "losses.png") as path:
        pretraining_losses(curves).savefig(path, dpi=110)


def filled(text: str, training: dict) -> str:
    """Return the card with its table of sittings filled from training.json."""
    rows = [
        "| sitting | of | pictures | batch | loss on cells, first and last | on ends, first and last |",
        "| --- " * 6 + "|",
    ]
    for name, record in sittings(training).items():
        recipe = record["recipe"]
        sizes = {
            "parts": (recipe["small_pictures"], recipe["batch"]),
            "whole pictures": (recipe["large_pictures"], recipe["large_batch"]),
        }
        for phase, log in phases(record).items():
            (_, *first), (_, *last) = log[0], log[-1]
            ends = f"{first[0]:.3f}, {last[0]:.3f}" if np.isfinite(first[0]) else "not asked for"
            pictures, batch = sizes[phase]
            rows.append(f"| {name} | {phase} | {pictures:,} | {batch} | {first[1]:.4f}, {last[1]:.4f} | {ends} |")
    minutes = sum(record["seconds"] for record in sittings(training).values()) / 60
    marked = {"sittings": "\n".join(rows), "minutes": f"It took {minutes:.0f} minutes."}
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
