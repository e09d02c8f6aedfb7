"""Data sets as folders, in the published layout: `python -m paper_utils.data.folders --help`.

A folder holds spectrogram_1.png, spectrogram_2.png, ... of 640 x 480 pixels and labels.csv, whose row k (counted from
1, without the header) belongs to spectrogram_k.png. The published set of 100,000 images is read as it is; a set
written here is read by the published code, and by Hugging Face datasets as an imagefolder. An incomplete folder is
refused: no image is ever replaced or left out.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..cores import available_cores
from ..errors import CompanionError, reported
from .chirps import labels
from .labels import check_metadata, read_labels
from .layout import LABELS, image_numbers, image_path, misnamed_images
from .pngs import read_image
from .resizing import Resizing
from .writing import write_folder

__all__ = ["FolderSet"]


def _and_more(numbers: Sequence[object]) -> str:
    return f", and {len(numbers) - 1:,} more" if len(numbers) > 1 else ""


class FolderSet:
    """A data set like `ChirpSet`, read from a folder in the published layout.

    Items are images (3, 224, 224) uint8 and labels (3,) float32 (seconds, hertz, hertz), numpy arrays.

    Args:
        folder: images and labels.csv.
        indices: of some of its images, from 0; all if left out.
        resizing: Pillow's filter, as in `draw_image`.

    Raises:
        CompanionError: an image or a label row is missing, superfluous, unreadable or out of range, or metadata.csv says
            something else.
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
        if outside := misnamed_images(self.folder):
            raise CompanionError(
                f"{self.folder / outside[0]} is outside the numbering{_and_more(outside)}: row 1 of {LABELS} is of "
                f"{image_path(self.folder, 1).name}, row 2 of {image_path(self.folder, 2).name} and so on; rename the images"
            )
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
        check_metadata(self.folder, self.chirps)
        self.indices = range(len(self.chirps)) if indices is None else indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        index = int(self.indices[position])
        pixels = read_image(image_path(self.folder, index + 1), resizing=self.resizing).transpose(2, 0, 1)
        return np.ascontiguousarray(pixels), labels(self.chirps[index])


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
    write.add_argument("--workers", type=int, default=available_cores(), help="processes")
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
