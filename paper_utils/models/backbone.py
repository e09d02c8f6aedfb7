"""Backbones in folders of this repository that go by a name: where they are, and the check of their checksums."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json

__all__ = ["NAMED", "NamedBackbone", "checksums"]

RECORDED = {"sha256": "model.safetensors", "config_sha256": "config.json"}  # files by the key of a record


@dataclass(frozen=True)
class NamedBackbone:
    """A backbone that goes by a name.

    Attributes:
        what: it is, in an error.
        folder: as `save_pretrained` writes it.
        record: file of the folder that has the SHA-256 of weights and config.json.
        remedy: how it is had.
    """

    what: str
    folder: Path
    record: str
    remedy: str

    def checked(self) -> Path:
        """Return the folder after checking the SHA-256 of weights and config.json.

        Raises:
            CompanionError: a file is missing or damaged.
        """
        for path in (self.folder / name for name in (*RECORDED.values(), self.record)):
            if not path.is_file():
                raise CompanionError(f"{self.what} lacks {path}; {self.remedy}")
        recorded = read_json(self.folder / self.record, kind=dict)
        for key, found in checksums(self.folder).items():
            if found != recorded.get(key):
                path = self.folder / RECORDED[key]
                raise CompanionError(f"{path} is damaged (its SHA-256 is not the one in {self.record}); {self.remedy}")
        return self.folder


def checksums(folder: Path) -> dict[str, str]:
    """Return what a record says of a folder that `save_pretrained` wrote: the SHA-256 of weights and of config.json."""
    return {key: checksum(folder / name) for key, name in RECORDED.items()}


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
