"""The one exception a user is meant to read: what is wrong, with which file or value, and the way out."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CompanionError", "reported"]


class CompanionError(RuntimeError):
    """A problem the user can mend; its text is one line and names the thing and the way out."""


@contextmanager
def reported() -> Iterator[None]:
    """End the program with one line, not a traceback, if the block raises a CompanionError or is interrupted.

    A reader of its output that closes early (`make status | head -1`) ends it without a word.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what python still flushes at its end
        sys.exit(1)
    except CompanionError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; run the same command again to go on from here")
