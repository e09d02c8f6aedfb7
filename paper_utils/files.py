"""Names and places of results: atomic writes, checksums, provenance."""

import ast
import csv
import hashlib
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from .errors import CompanionError

__all__ = [
    "ROOT",
    "atomic_path",
    "checksum",
    "code_hash",
    "fingerprint",
    "provenance",
    "read_arrays",
    "read_json",
    "write_arrays",
    "write_json",
    "write_table",
]

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block ends well, remove it if not.

    Raises:
        CompanionError: the folder or the disk refuses the write.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise CompanionError(
            f"cannot write {path}: {error.strerror or error}; free the disk or mend the rights"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, content: object) -> None:
    """Write `content` as indented JSON, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


def read_json(path: str | os.PathLike) -> dict:
    """Read a JSON file.

    Raises:
        CompanionError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise CompanionError(f"cannot read {path}: {error}; remove it and run again") from error


def write_table(path: str | os.PathLike, rows: list[dict]) -> None:
    """Write rows as CSV with a column for each key of the first, atomically."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_arrays(path: str | os.PathLike, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name as a compressed npz file, atomically."""
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote.

    Raises:
        CompanionError: the file is damaged.
    """
    try:
        with np.load(path) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise CompanionError(f"the result {path} is damaged: {error}; remove it and run again") from error


def checksum(path: str | os.PathLike) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(modules: Iterable[Path], settings: object) -> str:
    """Return a hash of what a result depends on: the code of `modules` (comments and layout aside) and settings."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for module in sorted(modules):
        digest.update(code_hash(module).encode())
    return digest.hexdigest()[:16]


def code_hash(path: Path) -> str:
    """Return a hash of a Python file that changes with its code, not with its comments or line breaks."""
    return hashlib.sha256(ast.dump(ast.parse(path.read_text())).encode()).hexdigest()[:16]


def provenance(profile: dict) -> dict:
    """Return where a result comes from: profile with its seed, commit, versions, time."""
    names = ("torch", "transformers", "peft", "numpy", "scipy", "matplotlib")
    return {
        "profile": profile["name"],
        "seed": profile["seed"],
        "backbone": profile["backbone"],
        "commit": _commit(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in names},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _commit() -> str:
    """Return the commit, with "-dirty" if the code differs from it, or "unknown" outside a git checkout."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--", "paper_utils", ":(glob)notebooks/*.py", "data/backbone")
        return git("rev-parse", "--short=12", "HEAD").strip() + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
