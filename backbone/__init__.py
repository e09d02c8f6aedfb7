"""Pre-training of the embedded backbone; no notebook needs it."""
