"""What is read and written by Hugging Face's libraries: whether their hub answers, and without a word of theirs."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from huggingface_hub import constants, get_session, is_offline_mode
from transformers.utils import logging

__all__ = ["only_cached", "quietly"]


@contextmanager
def quietly() -> Iterator[None]:
    """Let transformers show no progress bar, an output of its own in a notebook, and no warning within a block."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def only_cached(name: str) -> bool:
    """Return whether files of a name on the hub can be had from its cache alone; a local folder needs neither.

    The hub's own functions try for half a minute before they read what is cached.

    Args:
        name: of a model on the hub, or a folder.
    """
    return not Path(name).is_dir() and not _answers()


@cache
def _answers() -> bool:
    if is_offline_mode():
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=10)
    except Exception:  # of whichever library it speaks HTTP with
        return False
    return True
