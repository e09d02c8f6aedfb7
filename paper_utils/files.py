"""Reading and writing files: atomic writes, checksums, errors that name the file, templates."""

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from .errors import CompanionError

__all__ = [
    "ROOT",
    "atomic_path",
    "check_writable",
    "checksum",
    "load_template",
    "other_than_file",
    "read_arrays",
    "read_json",
    "way_out",
    "write_arrays",
    "write_json",
    "write_table",
    "write_text",
]

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
ROOT = Path(__file__).resolve().parent.parent


def way_out(path: str | os.PathLike) -> str:
    """Return how a file that cannot be read is had again: what ships is restored, what a run made is made again."""
    path = Path(path).absolute()
    if not path.is_relative_to(ROOT / "data"):
        return "remove it and run again"
    return f"restore it as it came: `git checkout {path.relative_to(ROOT)}`, or from the archive that you unpacked"


def other_than_file(path: str | os.PathLike) -> str | None:
    """Return what is in a file's place, such as "a pipe", which would be read for ever; None for a file or nothing."""
    try:
        return KINDS.get(stat.S_IFMT(os.stat(path).st_mode))
    except (OSError, ValueError):  # whoever opens it says why it cannot
        return None


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block succeeds, remove it if not.

    A link stays, and what it leads to is written. What a killed process leaves of the temporary file is removed by
    `tools.leftovers`, which knows it by the number of the process.

    Raises:
        CompanionError: the folder or the disk refuses the write, or a device, a pipe or a folder is in the file's place.
    """
    path = Path(path)
    temporary = None
    _check_replaceable(path)
    try:
        target = _followed(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        start = f".{path.stem}.{os.getpid()}-"
        descriptor, name = tempfile.mkstemp(prefix=start, suffix=path.suffix, dir=target.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise CompanionError(
            f"cannot write {path}: {error.strerror or error}; check free disk space and permissions"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _followed(path: Path) -> Path:
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _check_replaceable(path: Path) -> None:
    """Raise CompanionError where a file would take the place of a device, which all programs share, or of its like."""
    if other := other_than_file(path):
        raise CompanionError(f"cannot write {path}: it is {other}; give the name of a file")


def check_writable(path: str | os.PathLike) -> None:
    """Raise CompanionError, before anything costly, where `atomic_path` could not write a file later."""
    target = _followed(Path(path))
    folder = target.parent
    if not folder.is_dir():
        raise CompanionError(f"there is no folder {folder} for {target.name}; make it first")
    _check_replaceable(target)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CompanionError(
            f"cannot write in {folder}: {error.strerror}; change permissions, free the disk, or move what is in its way"
        ) from error


def _check_readable(path: str | os.PathLike, remedy: str) -> None:
    """Raise CompanionError for what is no file, as a pipe, of which a reader would wait for ever."""
    if other := other_than_file(path):
        raise CompanionError(f"cannot read {path}: it is {other}, no file; {remedy}")


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write text as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike, content: object) -> None:
    """Write `content` as indented JSON, atomically."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def read_json(path: str | os.PathLike, *, kind: type = object, remedy: str | None = None) -> Any:
    """Read a JSON file.

    Args:
        path: of the file.
        kind: that its content must be of, such as dict; any if left out.
        remedy: the way out that an error names; that of `way_out` if left out.

    Raises:
        CompanionError: the file is missing, is none or not JSON, or holds something else.
    """
    remedy = remedy or way_out(path)
    _check_readable(path, remedy)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CompanionError(f"cannot read {path}: {error}; {remedy}") from error
    if not isinstance(content, kind):
        raise CompanionError(f"{path} holds a {type(content).__name__}, no {kind.__name__}; {remedy}")
    return content


def write_table(path: str | os.PathLike, table: pd.DataFrame) -> None:
    """Write a table as CSV without its index, atomically."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name as a compressed npz file, atomically."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:  # to a path numpy would append .npz
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote.

    Raises:
        CompanionError: the file is damaged, or is none.
    """
    _check_readable(path, way_out(path))
    try:
        with np.load(path) as file:
            return dict(file)
    except Exception as error:  # numpy and zipfile raise many kinds of errors for a damaged file
        raise CompanionError(f"the result {path} is damaged: {error}; {way_out(path)}") from error


def load_template(path: Path, *, filters: Mapping[str, Callable] | None = None) -> jinja2.Template:
    """Return a Jinja template, in which an unknown name is an error; one of HTML (.html.j2) escapes what is put in.

    JSON in it keeps its order and holds no NaN, which a browser refuses.

    Args:
        path: of the template.
        filters: further ones, by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        autoescape=path.name.endswith(".html.j2"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "allow_nan": False}
    environment.filters |= dict(filters or {})
    return environment.get_template(path.name)


def checksum(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
