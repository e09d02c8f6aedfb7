"""Backbones in folders of this repository that go by a name: where they are, and the check of their checksums."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json

__all__ = ["NAMED", "NamedBackbone"]


@dataclass(frozen=True)
class NamedBackbone:
    """A backbone that goes by a name.

    Attributes:
        what: it is, in an error.
        folder: as `save_pretrained` writes it.
        record: file of the folder that has the SHA-256 of the weights.
        remedy: how it is had.
    """

    what: str
    folder: Path
    record: str
    remedy: str

    def checked(self) -> Path:
        """Return the folder after checking the weights' SHA-256.

        Raises:
            CompanionError: a file is missing or damaged.
        """
        weights, record = self.folder / "model.safetensors", self.folder / self.record
        for path in (weights, record):
            if not path.is_file():
                raise CompanionError(f"{self.what} lacks {path}; {self.remedy}")
        if checksum(weights) != read_json(record, kind=dict).get("sha256"):
            raise CompanionError(f"{weights} is damaged (its SHA-256 is not the one in {self.record}); {self.remedy}")
        return self.folder


NAMED = {
    "embedded": NamedBackbone(
        "the embedded backbone",
        ROOT / "data" / "backbone",
        "training.json",
        "restore it with `git checkout data/backbone`, or make it again with `make backbone`",
    ),
    "photographs": NamedBackbone(
        "the backbone of photographs",
        ROOT / "build" / "photographs",
        "conversion.json",
        "make it with `make backbone-photographs`",
    ),
}
