"""The label tables of a folder, read strictly: a row that could be meant otherwise is refused, by its number."""

import csv
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import CompanionError
from ..files import other_than_file
from .chirps import BINS, DURATION, Chirp, check_chirp
from .layout import COLUMNS, LABELS, METADATA, ORIGIN, image_path

__all__ = ["check_metadata", "read_labels"]

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)  # Python's has more: 1_000, ٣
FILE_NAME = "file_name"


def read_labels(folder: Path) -> list[Chirp]:
    """Return the chirps of a folder's label table; their noise level is not in the table and NaN.

    Raises:
        CompanionError: folder or table is missing or not finished, the table lacks a column or has it twice, a row has a value missing, too many or out
            of range, or two rows are the same.
    """
    path = folder / LABELS
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise CompanionError(f"the folder {folder} {what}; give one of images with {LABELS}, in the published layout")
    if not path.exists() and (folder / ORIGIN).exists():
        raise CompanionError(
            f"the set in {folder} is not finished: there is no {LABELS} yet; write it again, with the same count and seed"
        )
    header, rows = _table(path, needs=COLUMNS)
    columns = {field: header.index(column) for column, field in COLUMNS.items()}
    chirps = [_chirp(row, columns, path, number) for number, row in enumerate(rows, 1)]
    first: dict[tuple, int] = {}
    for number, chirp in enumerate(chirps, 1):
        labels = tuple(getattr(chirp, field) for field in columns)
        if first.setdefault(labels, number) != number:
            raise CompanionError(
                f"{path}, rows {first[labels]} and {number} below the header are the same, and no two chirps are; one stands in the place "
                "of another: restore that one"
            )
    return chirps


def check_metadata(folder: Path, chirps: Sequence[Chirp]) -> None:
    """Raise CompanionError if metadata.csv, where `write_folder` has left it beside the labels, says something else."""
    path = folder / METADATA
    if not path.is_file():
        return
    header, rows = _table(path)
    if not {FILE_NAME, *COLUMNS.values()} <= set(header):
        return  # of another making
    columns = {field: header.index(field) for field in COLUMNS.values()}
    if len(rows) != len(chirps):
        raise CompanionError(
            f"{path} has {len(rows):,} rows and {LABELS} {len(chirps):,}; restore the one that is wrong"
        )
    for number, (row, chirp) in enumerate(zip(rows, chirps, strict=True), 1):
        other = _chirp(row, columns, path, number)
        wrong = [field for field in columns if getattr(other, field) != getattr(chirp, field)]
        if row[header.index(FILE_NAME)] != image_path(folder, number).name or wrong:
            what = wrong[0] if wrong else FILE_NAME
            raise CompanionError(
                f"{_row(path, number)}: {what} is not what {LABELS} says of {image_path(folder, number).name}; restore the "
                "one that is wrong"
            )


def _table(path: Path, *, needs: Iterable[str] = ()) -> tuple[list[str], list[list[str]]]:
    """Return a table's header and its rows, each as long as that."""
    if other := other_than_file(path):
        raise CompanionError(f"cannot read the labels {path}: it is {other}, not a file; put the table in its place")
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        remedies: dict[type, str] = {PermissionError: "change its permissions", UnicodeDecodeError: "save it as UTF-8"}
        remedy = remedies.get(type(error), "give a folder in the published layout")
        raise CompanionError(f"cannot read the labels {path}: {reason}; {remedy}") from error
    header = [name.strip() for name in header]
    if not header and needs:
        raise CompanionError(f"the table {path} is empty; give a folder in the published layout")
    if absent := [name for name in needs if name not in header]:
        raise CompanionError(f"{path} lacks the column {absent[0]}; it needs {', '.join(needs)}, separated by commas")
    if twice := [name for name in header if header.count(name) > 1]:
        raise CompanionError(f"{path} has the column {twice[0]!r} twice; remove one")
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            how = "more" if len(row) > len(header) else "fewer"
            raise CompanionError(
                f"{_row(path, number)}: {how} values ({len(row)}) than columns ({len(header)}); mend the row (decimals "
                "have points, not commas)"
            )
    return header, rows


def _row(path: Path, number: int) -> str:
    return f"{path}, row {number} below the header"


def _chirp(row: Sequence[str], columns: dict[str, int], path: Path, number: int) -> Chirp:
    where = f"{_row(path, number)} (of {image_path(path.parent, number).name})"
    values: dict[str, Any] = {}
    names = {field: column for column, field in COLUMNS.items()} if path.name == LABELS else {}
    for field, place in columns.items():
        text = row[place].strip()
        if field != "kind" and not NUMBER.fullmatch(text):
            raise CompanionError(f"{where}: {names.get(field, field)} is {text!r}, not a number; mend the row")
        values[field] = text if field == "kind" else float(text)
    try:
        check_chirp(Chirp(**values, noise_level=0.0), called=names)
    except CompanionError as error:
        raise CompanionError(f"{where}: {error}") from None
    if values["duration"] < DURATION / BINS:
        raise CompanionError(
            f"{where}: {names.get('duration', 'duration')} is {values['duration']:g} s, in which no line is drawn; give {DURATION / BINS:g} s "
            "or more"
        )
    return Chirp(**values, noise_level=math.nan)
