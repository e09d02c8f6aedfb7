"""The published layout of a folder of images: what its files are called and what they hold."""

import os
import re
from pathlib import Path

__all__ = ["COLUMNS", "LABELS", "METADATA", "ORIGIN", "image_numbers", "image_path", "misnamed_images"]

COLUMNS = {
    "Chirp_Start_Time": "start_time",
    "Chirp_Start_Freq": "start_frequency",
    "Chirp_End_Freq": "end_frequency",
    "Chirp_Duration": "duration",
    "Chirp_Type": "kind",
}
LABELS = "labels.csv"
ORIGIN = "origin.json"  # which set was written here, or begun
METADATA = "metadata.csv"  # the same labels as Hugging Face's imagefolder wants them
IMAGE = re.compile(r"spectrogram_([1-9][0-9]*)\.png")  # \d would take other scripts' digits, too
MEANT = re.compile(r"spectrogram.*\.(png|jpe?g|tiff?|bmp|gif|webp)", re.IGNORECASE)


def image_path(folder: Path, number: int) -> Path:
    """Return the path of image `number`, counted from 1."""
    return folder / f"spectrogram_{number}.png"


def image_numbers(folder: Path) -> set[int]:
    """Return the numbers of the images that a folder holds."""
    return {int(match[1]) for name in os.listdir(folder) if (match := IMAGE.fullmatch(name))}


def misnamed_images(folder: Path) -> list[str]:
    """Return the names that a folder's images have outside the numbering from 1, such as spectrogram_0.png."""
    return sorted(name for name in os.listdir(folder) if MEANT.fullmatch(name) and not IMAGE.fullmatch(name))
