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
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..errors import CompanionError, reported
from ..files import atomic_path, read_json, write_json
from .chirps import Chirp, check_chirp, draw_chirp, labels
from .dataset import images_key, sample
from .render import MODEL_SIZE, PUBLISHED_SIZE
from .resizing import FILTERS, Resizing

__all__ = ["COLUMNS", "FolderSet", "read_labels", "write_folder"]

COLUMNS = {
    "Chirp_Start_Time": "start_time",
    "Chirp_Start_Freq": "start_frequency",
    "Chirp_End_Freq": "end_frequency",
    "Chirp_Duration": "duration",
    "Chirp_Type": "kind",
}
LABELS = "labels.csv"
METADATA = "metadata.csv"  # the same labels as Hugging Face's imagefolder wants them
ORIGIN = "origin.json"
IMAGE = re.compile(r"spectrogram_([1-9]\d*)\.png")
IMAGES_PER_TASK = 16  # that a worker process draws before it reports
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
COMPRESSION = 1  # of PNG files: a third of the time of level 6, for files a fifth larger


def image_path(folder: Path, number: int) -> Path:
    """Return the path of image `number`, counted from 1."""
    return folder / f"spectrogram_{number}.png"


def image_numbers(folder: Path) -> set[int]:
    """Return the numbers of the images that a folder holds."""
    return {int(match[1]) for name in os.listdir(folder) if (match := IMAGE.fullmatch(name))}


def write_folder(folder: Path, count: int, *, seed: int, workers: int = 1) -> None:
    """Write the first `count` images of the set `seed`; continue where an earlier call stopped.

    Each image is written atomically and the labels come last, so that an unfinished folder is never read as a
    complete one. More images of the same set may be added to a finished folder.

    Args:
        folder: created if missing.
        count: images in all.
        seed: of the set.
        workers: processes that draw.

    Raises:
        CompanionError: the count or the seed cannot be, or the folder holds images that are not of this set, or cannot
            be written.
    """
    if count < 1 or seed < 0:
        raise CompanionError(f"cannot write {count} images of seed {seed}; ask for one or more, of a seed from 0 on")
    origin = {"seed": seed, "images": images_key()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CompanionError(f"cannot make the folder {folder}: {error.strerror}; give another") from error
    existing = image_numbers(folder)
    is_foreign = not (folder / ORIGIN).exists() or read_json(folder / ORIGIN) != origin
    if (existing or (folder / LABELS).exists()) and is_foreign:
        raise CompanionError(
            f"{folder} holds another set than seed {seed} of this version; give an empty folder, or the seed and version of that set"
        )
    if existing and max(existing) > count:
        raise CompanionError(f"{folder} holds {len(existing):,} images, more than {count:,}; ask for as many or more")
    write_json(folder / ORIGIN, origin)
    missing = [n for n in range(1, count + 1) if n not in existing or not _is_whole(image_path(folder, n))]
    parts = [missing[start : start + IMAGES_PER_TASK] for start in range(0, len(missing), IMAGES_PER_TASK)]
    with tqdm(total=count, initial=count - len(missing), unit=" images", disable=None) as bar:
        if workers > 1:
            with ProcessPoolExecutor(workers) as pool:
                for done in pool.map(partial(_write_images, folder, seed), parts):
                    bar.update(done)
        else:
            for part in parts:
                bar.update(_write_images(folder, seed, part))
    rows = [[getattr(draw_chirp(seed, index)[0], field) for field in COLUMNS.values()] for index in range(count)]
    named = [[image_path(folder, number).name, *row] for number, row in enumerate(rows, 1)]
    _write_table(folder / METADATA, ["file_name", *COLUMNS.values()], named)
    _write_table(folder / LABELS, list(COLUMNS), rows)


def _is_whole(path: Path) -> bool:
    """Whether a PNG file has its end; one that was cut off is drawn again."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - len(PNG_END)))
        return file.read() == PNG_END


def _write_table(path: Path, header: list[str], rows: list[list]) -> None:
    with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_images(folder: Path, seed: int, numbers: Sequence[int]) -> int:
    """Write some images of a set, and return how many."""
    for number in numbers:
        _, image = sample(seed, number - 1, size=PUBLISHED_SIZE, with_regions=False)
        with atomic_path(image_path(folder, number)) as path:
            Image.fromarray(image.pixels).save(path, compress_level=COMPRESSION)
    return len(numbers)


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
