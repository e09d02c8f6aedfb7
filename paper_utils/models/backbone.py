"""Backbones in folders of this repository that go by a name: where they are, and the check of their checksums."""

from dataclasses import dataclass
from pathlib import Path

from ..errors import CompanionError
from ..files import ROOT, checksum, read_json

__all__ = ["NAMED", "NamedBackbone", "checksums"]


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
        weights, config, record = (self.folder / name for name in ("model.safetensors", "config.json", self.record))
        for path in (weights, config, record):
            if not path.is_file():
                raise CompanionError(f"{self.what} lacks {path}; {self.remedy}")
        recorded = read_json(record, kind=dict)
        for (key, found), path in zip(checksums(self.folder).items(), (weights, config), strict=True):
            if found != recorded.get(key):
                raise CompanionError(f"{path} is damaged (its SHA-256 is not the one in {self.record}); {self.remedy}")
        return self.folder


def checksums(folder: Path) -> dict[str, str]:
    """Return what a record says of a folder that `save_pretrained` wrote: the SHA-256 of weights and of config.json."""
    return {
        "sha256": checksum(folder / "model.safetensors"),
        "config_sha256": checksum(folder / "config.json"),
    }


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
