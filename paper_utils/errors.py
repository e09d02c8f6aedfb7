"""The one exception a user is meant to read: what is wrong, with which file or value, and the way out."""

__all__ = ["CompanionError"]


class CompanionError(RuntimeError):
    """A problem the user can mend; its text is one line and names the thing and the way out."""
