"""How the embedded backbone is made; no notebook needs it."""
