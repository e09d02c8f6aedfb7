"""Data sets as folders, in the published layout: `python -m paper_utils.data.folders --help`.

A folder holds spectrogram_1.png, spectrogram_2.png, ... of 640 x 480 pixels and labels.csv, whose row k (counted from
1, without the header) belongs to spectrogram_k.png. The published set of 100,000 images is read as it is; a set
written here is read by the published code, and by Hugging Face datasets as an imagefolder. An incomplete folder is
refused: no image is ever replaced or left out.
"""

import argparse
import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..errors import CompanionError, reported
from .chirps import Chirp, check_chirp, labels
from .layout import COLUMNS, LABELS, image_numbers, image_path
from .render import MODEL_SIZE, PUBLISHED_SIZE
from .resizing import FILTERS, Resizing
from .writing import write_folder

__all__ = ["FolderSet", "read_labels"]


def read_labels(folder: Path) -> list[Chirp]:
    """Return the chirps of a folder's label table; their noise level is not in the table and NaN.

    Raises:
        CompanionError: the table is missing, lacks a column, or a row has a value missing or out of range.
    """
    path = folder / LABELS
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            absent = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if absent:
                raise CompanionError(f"{path} lacks the column {absent[0]}; it needs {', '.join(COLUMNS)}")
            rows = list(reader)
            if long := [number for number, row in enumerate(rows, 1) if None in row]:
                raise CompanionError(f"{path}, row {long[0]}: more values than columns; mend the row")
            return [_chirp(row, path, number) for number, row in enumerate(rows, 1)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CompanionError(
            f"cannot read the labels {path}: {error}; give a folder in the published layout"
        ) from error


def _chirp(row: dict[str, str], path: Path, number: int) -> Chirp:
    where = f"{path}, row {number} (of {image_path(path.parent, number).name})"
    values: dict[str, Any] = {}
    for column, field in COLUMNS.items():
        text = (row[column] or "").strip()
        try:
            values[field] = text if field == "kind" else float(text)
        except ValueError:
            raise CompanionError(f"{where}: {column} is {text!r}, not a number; mend the row") from None
    chirp = Chirp(**values, noise_level=0.0)
    try:
        check_chirp(chirp)
    except CompanionError as error:
        raise CompanionError(f"{where}: {error}") from None
    return Chirp(**values, noise_level=math.nan)


def _and_more(numbers: Sequence[int]) -> str:
    return f", and {len(numbers) - 1:,} more" if len(numbers) > 1 else ""


class FolderSet:
    """A data set like `ChirpSet`, read from a folder in the published layout.

    Items are images (3, 224, 224) uint8 and labels (3,) float32 (seconds, hertz, hertz), numpy arrays.

    Args:
        folder: images and labels.csv.
        indices: of some of its images, from 0; all if left out.
        resizing: Pillow's filter, as in `draw_image`.

    Raises:
        CompanionError: an image or a label row is missing, superfluous, unreadable or out of range.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        indices: Sequence[int] | np.ndarray | None = None,
        *,
        resizing: Resizing = "bicubic",
    ):
        self.folder, self.resizing = Path(folder), resizing
        self.chirps = read_labels(self.folder)
        existing, expected = image_numbers(self.folder), set(range(1, len(self.chirps) + 1))
        if missing := sorted(expected - existing):
            rows = f"{LABELS} has {len(expected):,} rows"
            raise CompanionError(
                f"{image_path(self.folder, missing[0])} is missing{_and_more(missing)}; {rows}: "
                "restore the images or remove their rows"
            )
        if extra := sorted(existing - expected):
            raise CompanionError(
                f"{self.folder / LABELS} has {len(expected):,} rows and none for "
                f"{image_path(self.folder, extra[0]).name}{_and_more(extra)}; add the rows or remove the images"
            )
        self.indices = range(len(self.chirps)) if indices is None else indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        index = int(self.indices[position])
        pixels = read_image(image_path(self.folder, index + 1), resizing=self.resizing).transpose(2, 0, 1)
        return np.ascontiguousarray(pixels), labels(self.chirps[index])


def read_image(path: Path, *, size: tuple[int, int] = MODEL_SIZE, resizing: Resizing = "bicubic") -> np.ndarray:
    """Return an image file's pixels, resized to `size` (rows, columns), (rows, columns, 3) uint8.

    Raises:
        CompanionError: the file is missing, damaged, or not of 640 x 480 pixels.
    """
    try:
        with Image.open(path) as opened:
            if opened.size[::-1] != PUBLISHED_SIZE:
                size_found = "{} x {}".format(*opened.size)
                raise CompanionError(
                    f"{path} has {size_found} pixels, not {PUBLISHED_SIZE[1]} x {PUBLISHED_SIZE[0]}; replace it by the original"
                )
            return np.asarray(opened.convert("RGB").resize(size[::-1], FILTERS[resizing]))
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for missing and damaged files
        raise CompanionError(f"cannot read the image {path}: {error}; replace it by the original") from error


def main() -> None:
    """Write or check a folder from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m paper_utils.data.folders", description="Data sets as folders, in the published layout."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("write", help="write a set, or continue an unfinished one")
    write.add_argument("folder", type=Path)
    write.add_argument("count", type=int, help="images, of 200 KB each")
    write.add_argument("--seed", type=int, default=42, help="of the set (default: 42)")
    write.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    check = commands.add_parser("check", help="read every label and every image, and report the first error")
    check.add_argument("folder", type=Path)
    options = parser.parse_args()
    with reported():
        if options.command == "write":
            write_folder(options.folder, options.count, seed=options.seed, workers=options.workers)
            print(f"{options.folder}: {options.count:,} images and {LABELS}")
        else:
            images = FolderSet(options.folder)
            for position in tqdm(range(len(images)), unit=" images", disable=None):
                images[position]
            print(f"{options.folder}: {len(images):,} images and as many labels, all readable and in range")


if __name__ == "__main__":
    main()
