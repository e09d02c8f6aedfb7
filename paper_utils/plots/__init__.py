"""Figures: data in, a matplotlib Figure out; nothing here computes a result or loads a model."""
