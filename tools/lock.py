"""Write requirements.lock, the hashes of what `make setup` installs: `python -m tools.lock`.

uv resolves requirements.txt and constraints.txt for each system and Python at once, which pip cannot: `make lock`.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, write_text

__all__ = ["LOCK", "packages"]

LOCK = ROOT / "requirements.lock"
OLDEST = "3.11"  # Python, as in pyproject.toml
# torch and its CUDA libraries: which wheel it is, for a CPU or a GPU, is the machine's choice, and each has another hash
TORCH = re.compile(r"^(torch|triton)$|^(nvidia|cuda)-")
HEADER = """\
# Every package that `make setup` installs, by the hashes of its files: `make lock` makes it from requirements.txt and
# constraints.txt. Torch is not listed, nor are its CUDA libraries: which of its wheels it is depends on the machine.
"""


def packages(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, version and what else stands there (marker and hashes) of each package in the text of a lock."""
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", "")):
        if found := re.match(r"([a-z0-9-]+)==(\S+)(.*)", entry, re.DOTALL):
            yield found[1], found[2], found[3]


def resolved(*leave_out: str) -> str:
    """Return what uv makes of the requirements, without some packages.

    Raises:
        CompanionError: there is no uv, or the pins cannot be had together on every system.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", "requirements.txt", "-c", "constraints.txt", "--quiet"]
    command += ["--universal", "--python-version", OLDEST, "--generate-hashes", "--no-header", "--no-annotate"]
    command += [part for name in leave_out for part in ("--no-emit-package", name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        said = next(iter(done.stderr.splitlines()), "it says nothing")
        raise CompanionError(f"uv cannot resolve requirements.txt and constraints.txt: {said}")
    return done.stdout


def main() -> None:
    """Write the lock."""
    argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__.split(":")[0] + ".").parse_args()
    with reported():
        text = resolved(*(name for name, _, _ in packages(resolved()) if TORCH.match(name)))
        write_text(LOCK, HEADER + text)
        print(f"{LOCK.name}: {sum(1 for _ in packages(text))} packages")


if __name__ == "__main__":
    main()
