"""Backbones in folders of this repository: where their weights are, and the check of their checksums."""

from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json

__all__ = ["EMBEDDED", "NAMED", "PHOTOGRAPHS", "photographs_folder", "verified_backbone"]

EMBEDDED = ROOT / "data" / "backbone"
PHOTOGRAPHS = ROOT / "build" / "photographs"
NAMED = {"embedded": EMBEDDED, "photographs": PHOTOGRAPHS}  # folders of the backbones that go by a name


def verified_backbone() -> Path:
    """Return the path of the embedded backbone's weights after checking their SHA-256.

    Raises:
        CompanionError: a file is missing or damaged.
    """
    remedy = "restore it with `git checkout data/backbone`, or make it again with `make backbone`"
    return _verified(EMBEDDED / "training.json", name="the embedded backbone", remedy=remedy)


def photographs_folder() -> Path:
    """Return the folder of the backbone that was trained on photographs after checking its weights' SHA-256.

    Raises:
        CompanionError: it was not made, or a file is missing or damaged.
    """
    remedy = "make it with `make backbone-photographs`"
    return _verified(PHOTOGRAPHS / "conversion.json", name="the backbone of photographs", remedy=remedy).parent


def _verified(record: Path, *, name: str, remedy: str) -> Path:
    """Return the path of the weights beside a record that has the SHA-256 of them."""
    weights = record.with_name("model.safetensors")
    for path in (weights, record):
        if not path.is_file():
            raise CompanionError(f"{name} lacks {path}; {remedy}")
    if checksum(weights) != read_json(record)["sha256"]:
        raise CompanionError(f"{weights} is damaged (its SHA-256 is not the one in {record.name}); {remedy}")
    return weights
