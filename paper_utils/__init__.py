"""Companion of "Mechanistic Interpretability of Fine-Tuned Vision Transformers on Distorted Images" (2503.18762)."""

import warnings
from typing import TYPE_CHECKING

from .errors import check_environment

if TYPE_CHECKING:
    from .attention.maps import attention_maps
    from .attention.masks import score_masks
    from .attention.matrices import attention_matrices
    from .interventions.hooks import run_with_hooks
    from .interventions.own_metric import ablate_heads, attribute_heads, cross_entropy, logit_difference, sweep_heads
    from .models.adapted import adapt
    from .pipeline import Run

# Run is of the paper's own model; the others take any model, see docs/your_own_model.md
__all__ = [
    "Run",
    "ablate_heads",
    "adapt",
    "attention_maps",
    "attention_matrices",
    "attribute_heads",
    "cross_entropy",
    "logit_difference",
    "run_with_hooks",
    "score_masks",
    "sweep_heads",
]
__version__ = "0.1.0"

check_environment()  # before any library is imported that it would stop

# two messages of libraries to their own developers; in a notebook they would end up beside the figures
warnings.filterwarnings("ignore", message="IProgress not found")
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)


def __getattr__(name: str) -> object:
    """Import a name, and torch with it, when it is first asked for: `paper_utils.data` needs none of them."""
    if name == "Run":
        from .pipeline import Run

        return Run
    if name in __all__:
        from .attention.maps import attention_maps
        from .attention.masks import score_masks
        from .attention.matrices import attention_matrices
        from .interventions.hooks import run_with_hooks
        from .interventions.own_metric import (
            ablate_heads,
            attribute_heads,
            cross_entropy,
            logit_difference,
            sweep_heads,
        )
        from .models.adapted import adapt

        maps = attention_maps, attention_matrices, score_masks
        effects = ablate_heads, attribute_heads, cross_entropy, logit_difference, run_with_hooks, sweep_heads
        return {one.__name__: one for one in (adapt, *maps, *effects)}[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
