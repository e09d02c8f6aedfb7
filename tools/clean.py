"""Remove what runs have made, unless one is at work: `python3 tools/clean.py`, which needs the standard library alone."""

import argparse
import fcntl
import shutil
import sys
from pathlib import Path

__all__ = ["at_work", "clean"]

MADE = ("build", "figures/smoke*", "figures/laptop*", "figures/paper*")


def at_work(root: Path) -> list[Path]:
    """Return the folders of a tree in which a process holds its lock."""
    return [path.parent for path in root.glob("build/**/*lock") if path.is_file() and _is_held(path)]


def _is_held(lock: Path) -> bool:
    with open(lock, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def clean(root: Path) -> None:
    """Remove what runs have made in a tree; an environment and what ships stay.

    Raises:
        OSError: something cannot be removed.
    """
    for path in [path for pattern in MADE for path in root.glob(pattern)]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.clean", description=__doc__.split(":")[0] + ".").parse_args()
    root = Path(__file__).resolve().parent.parent
    try:
        if busy := at_work(root):
            sys.exit(
                f"error: a process is at work in {busy[0]}; wait for it, or end it, and run the same command again"
            )
        clean(root)
    except OSError as error:
        sys.exit(f"error: cannot remove {error.filename}: {error.strerror}; change its permissions")


if __name__ == "__main__":
    main()
