"""The embedded backbone: the folder of its weights, and the check of their checksum."""

from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json

__all__ = ["EMBEDDED", "verified_backbone"]

EMBEDDED = ROOT / "data" / "backbone"


def verified_backbone() -> Path:
    """Return the path of the embedded backbone's weights after checking their SHA-256.

    Raises:
        CompanionError: a file is missing or damaged.
    """
    weights, card = EMBEDDED / "model.safetensors", EMBEDDED / "training.json"
    remedy = "restore it with `git checkout data/backbone`, or make it again with `make backbone`"
    for path in (weights, card):
        if not path.is_file():
            raise CompanionError(f"the embedded backbone lacks {path}; {remedy}")
    if checksum(weights) != read_json(card)["sha256"]:
        raise CompanionError(f"{weights} is damaged (its SHA-256 is not the one in {card.name}); {remedy}")
    return weights
