"""Companion of "Mechanistic Interpretability of Fine-Tuned Vision Transformers on Distorted Images" (2503.18762)."""

import warnings

__version__ = "0.1.0"

# two messages of libraries to their own developers; in a notebook they would end up beside the figures
warnings.filterwarnings("ignore", message="IProgress not found")
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
