"""Companion of "Mechanistic Interpretability of Fine-Tuned Vision Transformers on Distorted Images" (2503.18762)."""

__version__ = "0.1.0"
