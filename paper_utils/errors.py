"""The exception for problems that a user can solve, its report in one line, and a look at the environment."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

__all__ = ["CompanionError", "check_environment", "reported"]


class CompanionError(RuntimeError):
    """A problem that the user can solve; its one line names the file or value at fault, and the remedy.

    Whatever is in a name, such as a line break, the message stays one line that a terminal can show.
    """

    def __init__(self, message: str):
        super().__init__(_one_line(message))


def _one_line(text: str) -> str:
    """Return text with what cannot be printed written as Python does it."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


@contextmanager
def reported() -> Iterator[None]:
    """End the program with one line instead of a traceback if the block raises a CompanionError or OSError or is interrupted.

    SIGTERM interrupts as Ctrl-C does.

    If stdout is closed (`>&-`), what is written to it is lost; if the reader of its output closes the pipe (`make status | head -1`), the program ends silently.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, to the end of the program
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a letter of ours shows ? in its place
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at exit
        sys.exit(1)
    except CompanionError as error:
        sys.exit(f"error: {error}")
    except OSError as error:  # of the machine: a full disk, a folder in a file's place, rights
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        sys.exit(f"error: {_one_line(what)}; check rights and free space there, and run the same command again")
    except KeyboardInterrupt:
        sys.exit("stopped; run the same command again to continue")


def check_environment() -> None:
    """End the program with one line for settings under which a library fails to be imported, and leave out a needless one.

    Figures need no backend of matplotlib; one that it does not know is forgotten, and a kernel's own stays.
    """
    if sys.flags.optimize > 1:
        sys.exit(
            "error: docstrings are needed, by transformers, too; unset PYTHONOPTIMIZE or set it to 1, leave out -OO"
        )
    value = os.environ.get("SOURCE_DATE_EPOCH", "0")
    try:
        datetime.fromtimestamp(int(value), UTC)  # as matplotlib dates a PDF
    except (ValueError, OverflowError, OSError):
        sys.exit(f"error: SOURCE_DATE_EPOCH is {value!r}, no time in seconds since 1970; unset it or give one")
    backend = os.environ.get("MPLBACKEND")
    if backend and "matplotlib" not in sys.modules:
        del os.environ["MPLBACKEND"]
        import matplotlib as mpl

        with suppress(ValueError):
            mpl.rcParams["backend"] = backend
            os.environ["MPLBACKEND"] = backend


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
