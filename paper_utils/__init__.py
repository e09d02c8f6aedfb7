"""Companion of "Mechanistic Interpretability of Fine-Tuned Vision Transformers on Distorted Images" (2503.18762)."""

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pipeline import Run

__all__ = ["Run"]
__version__ = "0.2.0"

# two messages of libraries to their own developers; in a notebook they would end up beside the figures
warnings.filterwarnings("ignore", message="IProgress not found")
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)


def __getattr__(name: str) -> object:
    """Import `Run`, and torch with it, when it is first asked for: `paper_utils.data` needs neither."""
    if name == "Run":
        from .pipeline import Run

        return Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
