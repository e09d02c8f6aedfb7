"""Write a data set as a folder in the published layout, which Hugging Face datasets read as an imagefolder."""

import csv
import multiprocessing
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import connection
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from ..errors import CompanionError
from ..files import atomic_path, load_template, other_than_file, read_json, write_json, write_text
from .chirps import DURATION, MAX_FREQUENCY, draw_chirp
from .dataset import images_key, sample
from .layout import COLUMNS, LABELS, METADATA, ORIGIN, image_numbers, image_path, misnamed_images
from .pngs import png_parts
from .render import PUBLISHED_SIZE

__all__ = ["write_folder"]

CARD = "README.md"
# below how many images, by the hub's names
SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 10**6: "100K<n<1M", 10**18: "n>1M"}
TEMPLATE = Path(__file__).with_name("templates") / "data_card.md.j2"
IMAGES_PER_TASK = 16  # that a worker process draws before it reports
TASKS_AHEAD = 4  # that wait for each worker: whoever stops the writing waits for no more than these
IMAGE_BYTES = 200_000  # of a file, about
COMPRESSION = 1  # of PNG files: a third of the time of level 6, for files a fifth larger


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
        CompanionError: the count, the seed or the workers cannot be, or the folder holds images that are not of this set, or cannot
            be written.
    """
    if count < 1 or seed < 0:
        raise CompanionError(f"cannot write {count} images of seed {seed}; ask for one or more, of a seed from 0 on")
    if workers < 1:
        raise CompanionError(f"cannot write with {workers} workers; ask for one or more")
    origin = {"seed": seed, "images": images_key()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise CompanionError(f"cannot make the folder {folder}: {reason}; give another") from error
    existing, misnamed = image_numbers(folder), misnamed_images(folder)
    if misnamed:
        raise CompanionError(f"{folder} holds {misnamed[0]}, which is of no set written here; give an empty folder")
    if existing or any((folder / name).exists() for name in (LABELS, METADATA, CARD)):
        _check_origin(folder, origin)
    if existing and max(existing) > count:
        raise CompanionError(f"{folder} holds {len(existing):,} images, more than {count:,}; ask for as many or more")
    needed, free = (count - len(existing)) * IMAGE_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise CompanionError(
            f"{count - len(existing):,} images need {needed / 1e9:,.1f} GB in {folder}, and {free / 1e9:,.1f} are free; "
            "ask for fewer, or give a folder on another disk"
        )
    write_json(folder / ORIGIN, origin)
    there = tqdm(sorted(existing), desc="reading those there", unit=" images", disable=None, leave=False)
    whole = {number for number in there if _is_whole(image_path(folder, number))}
    missing = [number for number in range(1, count + 1) if number not in whole]
    parts = [missing[start : start + IMAGES_PER_TASK] for start in range(0, len(missing), IMAGES_PER_TASK)]
    with tqdm(total=count, initial=count - len(missing), unit=" images", disable=None) as bar:
        if workers > 1:
            ahead = workers * TASKS_AHEAD
            with ProcessPoolExecutor(workers, initializer=_end_with_parent) as pool:
                for start in range(0, len(parts), ahead):
                    for done in pool.map(partial(_write_images, folder, seed), parts[start : start + ahead]):
                        bar.update(done)
        else:
            for part in parts:
                bar.update(_write_images(folder, seed, part))
    rows = [[getattr(draw_chirp(seed, index)[0], field) for field in COLUMNS.values()] for index in range(count)]
    named = [[image_path(folder, number).name, *row] for number, row in enumerate(rows, 1)]
    _write_table(folder / METADATA, ["file_name", *COLUMNS.values()], named)
    write_text(folder / CARD, _card(count, seed))
    _write_table(folder / LABELS, list(COLUMNS), rows)


def _check_origin(folder: Path, origin: dict[str, object]) -> None:
    """Raise CompanionError unless a folder that is not empty says that it holds the set that is asked for."""
    path = folder / ORIGIN
    if not path.exists():
        raise CompanionError(f"{folder} is not empty, and no {ORIGIN} says which set it holds; give an empty folder")
    if read_json(path, remedy="give an empty folder: it alone says which set this one holds") != origin:
        raise CompanionError(
            f"{folder} holds another set than seed {origin['seed']} of this version; give an empty folder, or the seed "
            "and version of that set"
        )


def _card(count: int, seed: int) -> str:
    """Return the data card, with metadata as the Hugging Face hub reads them."""
    rows, columns = PUBLISHED_SIZE
    text = load_template(TEMPLATE).render(
        count=count,
        seed=seed,
        key=images_key(),
        size=next(name for most, name in SIZES.items() if count < most),
        rows=rows,
        columns=columns,
        duration=DURATION,
        frequency=MAX_FREQUENCY,
    )
    return f"{text}\n"


def _is_whole(path: Path) -> bool:
    """Whether a PNG file is whole by its checksums; one that is not is drawn again."""
    if other_than_file(path):
        return False  # and a pipe is not waited for
    try:
        png_parts(path.read_bytes())
    except ValueError:
        return False
    return True


def _write_table(path: Path, header: list[str], rows: list[list]) -> None:
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _end_with_parent() -> None:
    """Let a worker end when the process that began it is gone, however that ended: it would write on beside the next."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _write_images(folder: Path, seed: int, numbers: Sequence[int]) -> int:
    """Write some images of a set, and return how many."""
    for number in numbers:
        _, image = sample(seed, number - 1, size=PUBLISHED_SIZE, with_regions=False)
        with atomic_path(image_path(folder, number)) as path:
            Image.fromarray(image.pixels).save(path, compress_level=COMPRESSION)
    return len(numbers)
