"""Make .venv from pinned requirements: `python3 tools/set_up.py`, which needs the standard library alone.

.venv/ready holds what it was made from and where. Other requirements make it anew, and so does a tree that was copied or
moved with it, whose programs and package would be those of the old place. Of two at once the second waits.
"""

import argparse
import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

__all__ = ["PINNED", "is_ready", "set_up"]

PINNED = ("requirements.txt", "constraints.txt", "requirements.lock")
OLDEST = (3, 11)


def is_ready(root: Path) -> bool:
    """Return whether the environment of a tree was made here, to its end, from the requirements of now."""
    ready = root / ".venv" / "ready"
    return ready.is_file() and ready.read_bytes() == _made_from(root).encode()


def set_up(root: Path) -> None:
    """Make a tree's environment unless it is ready; wait for another process that makes it.

    Raises:
        subprocess.CalledProcessError: a package cannot be had; pip has said why.
    """
    lock = root / "build" / "setup.lock"
    lock.parent.mkdir(exist_ok=True)
    with open(lock, "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another process sets up .venv; waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        if not is_ready(root):
            print("setting up .venv (once, some minutes)", flush=True)
            _make(root)


def _make(root: Path) -> None:
    venv = root / ".venv"
    if venv.is_symlink():  # what it points to is not ours to clear
        venv.unlink()
    python = str(venv / "bin" / "python")
    install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    locked = [*install, "--require-hashes", "--no-deps", "-r", "requirements.lock"]
    # what the lock leaves is torch, for a CPU or with the CUDA libraries that it pins
    rest = [*install, "-r", "requirements.txt", "-c", "constraints.txt"]
    own = [*install, "--no-deps", "--no-build-isolation", "-e", "."]
    steps = {
        "an empty environment": [sys.executable, "-m", "venv", "--clear", str(venv)],
        "packages, by their hashes": locked,
        "torch": rest,
        "this package": own,
    }
    for name, command in steps.items():
        print(f"  {name}", flush=True)
        subprocess.run(command, cwd=root, check=True)
    (venv / "ready").write_text(_made_from(root), encoding="utf-8")


def _made_from(root: Path) -> str:
    hashes = (hashlib.sha256((root / name).read_bytes()).hexdigest() for name in PINNED)
    return "\n".join([str(root), *hashes, ""])


def main() -> None:
    if sys.version_info < OLDEST:
        sys.exit(
            f"error: Python {'.'.join(map(str, OLDEST))} or newer is needed, {sys.executable} is {sys.version.split()[0]}; "
            "install it or say make PYTHON=/path/to/python3.11"
        )
    argparse.ArgumentParser(prog="python -m tools.set_up", description=__doc__.split("\n\n")[0]).parse_args()
    root = Path(__file__).resolve().parents[1]
    try:
        if not is_ready(root):
            set_up(root)
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: .venv is not ready, {' '.join(map(str, error.cmd[:4]))} failed; see above and run it again")
    except (OSError, ValueError) as error:
        sys.exit(f"error: .venv cannot be set up: {error}; mend this and run the same command again")
    except KeyboardInterrupt:
        sys.exit("stopped; run the same command again to begin anew")


if __name__ == "__main__":
    main()
