"""Whether the Hugging Face hub answers: its own functions try for half a minute before they read what is cached."""

from functools import cache
from pathlib import Path

from huggingface_hub import constants, get_session, is_offline_mode

__all__ = ["only_cached"]


def only_cached(name: str) -> bool:
    """Return whether files of a name on the hub can be had from its cache alone; a local folder needs neither.

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
