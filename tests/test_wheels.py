"""A wheel is fetched by its hash alone, and refused with another."""

import dataclasses
import subprocess
import zipfile
from pathlib import Path

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import checksum
from paper_utils.wheels import Wheel

KNOWN = Wheel("some-package==1.0", "some_package-1.0-py3-none-any.whl", "0" * 64, "1 MB")


@pytest.fixture
def wheel(tmp_path):
    """A wheel of one file, and its description."""
    path = tmp_path / KNOWN.file
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inside/words.txt", "some words")
    return path, dataclasses.replace(KNOWN, sha256=checksum(path))


def test_pip_fetches_one_wheel_by_its_hash_and_nothing_else(tmp_path, monkeypatch):
    seen = {}

    def run(command, **options):
        seen["command"], seen["requirements"] = (
            command,
            Path(command[command.index("-r") + 1]).read_text(encoding="utf-8"),
        )
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert KNOWN.fetch(tmp_path) == tmp_path / KNOWN.file
    assert {"--no-deps", "--require-hashes"} <= set(seen["command"])
    assert seen["requirements"] == f"some-package==1.0 --hash=sha256:{'0' * 64}\n"


def test_a_wheel_that_is_there_is_not_fetched_again(wheel, monkeypatch):
    path, known = wheel
    monkeypatch.setattr(subprocess, "run", None)
    assert known.fetch(path.parent) == path


def test_what_pip_says_is_reported_in_one_line(tmp_path, monkeypatch):
    said = "WARNING: retrying\nERROR: No matching distribution found for some-package==1.0\nhint: see above\n"
    monkeypatch.setattr(subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 1, "", said))
    message = r"^cannot fetch some-package==1\.0: No matching distribution .*; go online, or put the wheel some_package"
    with pytest.raises(CompanionError, match=message):
        KNOWN.fetch(tmp_path)


def test_another_wheel_is_refused(wheel, tmp_path):
    path, known = wheel
    with pytest.raises(CompanionError, match=r"there is no wheel .*other\.whl; give the path of some_package-1\.0"):
        known.read(tmp_path / "other.whl", "inside/words.txt")
    with pytest.raises(CompanionError, match=r"is not some-package==1\.0 \(its SHA-256 is not 0000"):
        KNOWN.read(path, "inside/words.txt")


def test_a_file_is_read_and_unpacked(wheel, tmp_path):
    path, known = wheel
    assert known.read(path, "inside/words.txt") == b"some words"
    target = known.unpack(path, "inside/words.txt", tmp_path / "new" / "words.txt")
    assert target.read_text() == "some words"
    target.write_text("OTHER WORD")  # of the same size: taken as it is
    assert known.unpack(path, "inside/words.txt", target).read_text() == "OTHER WORD"
    target.write_text("half")
    assert known.unpack(path, "inside/words.txt", target).read_text() == "some words"
