"""What a process leaves where others look: temporary files that a killed one did not remove, and the lock of one at work."""

import errno
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paper_utils.pipeline.run import Run

__all__ = ["in_turn", "only_one", "private_folder", "sweep"]

PRIVATE = "paper-utils-"  # names of temporary folders begin with it, and go on with the process's number
LEFT = re.compile(r"\..+\.(\d+)-\w{8}(?:\.\w+)?")  # names that `paper_utils.files.atomic_path` gives


def sweep(folder: Path) -> None:
    """Remove what `atomic_path` in processes that have ended left in a folder and those below."""
    for path in list(folder.rglob(".*")):
        found = LEFT.fullmatch(path.name)
        if found and not _is_running(int(found[1])):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    except OverflowError:  # no process has such a number
        return False
    return True


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a temporary folder; one that a killed process has left is removed by the next."""
    for path in Path(tempfile.gettempdir()).glob(f"{PRIVATE}*"):
        number = path.name.removeprefix(PRIVATE).partition("-")[0]
        if number.isdecimal() and not _is_running(int(number)):
            shutil.rmtree(path, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{PRIVATE}{os.getpid()}-") as folder:
        yield Path(folder)


@contextmanager
def only_one(path: Path, *, who: str) -> Iterator[None]:
    """Let one process at a time into a block; another says that it waits, and for what.

    Args:
        path: of a file that the processes share; a lock on it ends with its process, however that ends.
        who: is in the block, as the waiting one says.
    """
    import fcntl  # Windows has none, and reads the rest

    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{who} is at work; waiting until it has ended", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def in_turn(run: "Run") -> AbstractContextManager[None]:
    """Let one process at a time compute a run's results or make its figures, as `only_one` does."""
    return only_one(run.build / "lock", who=f"another process on the run {run.folder}")
