"""Pre-training of the embedded backbone, and conversion of one trained on photographs; no notebook needs it."""
