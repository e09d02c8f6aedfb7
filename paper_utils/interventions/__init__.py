"""Changing what heads put out: ablation, attribution patching, pruning, activation patching, protocols."""
