"""Execute one notebook headlessly and keep it under build/: `python -m paper_utils.execute --help`.

Papermill runs the notebook made from its py:percent twin. Nothing is left half-written: the executed notebook takes
its name only when it ended well. Wall time and the memory of the whole process tree are recorded.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import jupytext
import papermill
import psutil
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, read_json, write_json
from paper_utils.models.backbone import verified_backbone
from paper_utils.pipeline.profiles import PROFILES, Profile, get_profile

__all__ = ["MemoryWatch", "check_before_running", "execute", "private_kernel"]


class MemoryWatch:
    """Peak memory of this process and its descendants within a block, in MiB; shared pages count once (PSS)."""

    def __init__(self, *, every: float = 1.0):
        self.peak, self._every, self._stop = 0.0, every, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._stop.wait(self._every):
            used = 0
            for process in [me, *me.children(recursive=True)]:
                try:
                    used += getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss
                except psutil.Error:  # it ended meanwhile
                    continue
            self.peak = max(self.peak, used / 2**20)


def check_before_running(profile: Profile, root: Path = ROOT) -> None:
    """Raise CompanionError for what would make a run fail at its end: no write permission, a damaged backbone."""
    for folder in (root / "figures" / profile.folder, root / "build" / profile.folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise CompanionError(f"cannot write in {folder}: {error.strerror}; mend its rights or the disk") from error
    if profile.backbone == "embedded":
        verified_backbone()


def private_kernel(folder: str) -> Config:
    """Return settings by which a kernel talks through sockets in `folder`: no port is open, and runs never meet."""
    return Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


@contextmanager
def _kernel_chatter_to(path: Path) -> Iterator[TextIO]:
    """Send this process's stderr, which kernels inherit, to a file within a block; yield the real one."""
    real = os.dup(2)
    try:
        with open(path, "w") as file, os.fdopen(os.dup(real), "w") as terminal:
            os.dup2(file.fileno(), 2)
            yield terminal
    finally:
        os.dup2(real, 2)
        os.close(real)


def execute(notebook: Path, profile: Profile, *, root: Path = ROOT) -> Path:
    """Execute a py:percent notebook as a fresh run; return the path of the executed notebook.

    Raises:
        CompanionError: the notebook failed; the message is the notebook's own where it raised one.
    """
    build = root / "build" / profile.folder
    target = build / f"{notebook.stem}.ipynb"
    parameters = {"profile": profile.name, "source": "fresh", "backbone": profile.backbone}
    watched = sys.stderr.isatty()
    if not watched:
        os.environ["TQDM_DISABLE"] = "1"
    begun, whole = time.monotonic(), False
    with (
        tempfile.TemporaryDirectory() as folder,
        atomic_path(target) as output,
        MemoryWatch() as memory,
        _kernel_chatter_to(Path(folder) / "stderr") as terminal,
    ):
        plain = Path(folder) / target.name
        jupytext.write(jupytext.read(notebook), plain)
        try:
            papermill.execute_notebook(
                plain,
                output,
                parameters=parameters,
                kernel_name="python3",
                language="python",
                cwd=notebook.parent,
                config=private_kernel(folder),
                progress_bar=False,
                stderr_file=terminal if watched else None,
            )
            whole = True
        except PapermillExecutionError as error:
            log = build / f"{notebook.stem}.log"
            with atomic_path(log) as path:
                path.write_text("\n".join(error.traceback))
            reason = error.evalue if error.ename == "CompanionError" else f"{error.ename}: {error.evalue}; see {log}"
            raise CompanionError(f"{notebook.name}: {reason}") from error
        finally:
            _record(build / "results", notebook.stem, time.monotonic() - begun, memory.peak, whole=whole)
    return target


def _record(folder: Path, notebook: str, seconds: float, memory: float, *, whole: bool = True) -> None:
    """Keep what the notebook takes from nothing: with what it found ready, the time and memory that once took.

    A run that failed or was stopped (not `whole`) is kept too: it may have trained what the next one finds ready.
    """
    results, run = folder / f"{notebook}.json", folder / f"{notebook}.run.json"
    taken_up = read_json(results).get(f"run.{notebook}.seconds_taken_up", 0.0) if results.is_file() else 0.0
    if (taken_up or not whole) and run.is_file():
        memory = max(memory, read_json(run)["peak_memory_mib"])
    write_json(run, {"seconds": seconds + taken_up, "peak_memory_mib": memory})


def _leave_at_once() -> None:
    """End this process and its kernel now: asyncio's farewell would bury the one line under tracebacks."""
    for child in psutil.Process().children(recursive=True):
        child.terminate()
    print("stopped; run the same command again to go on from here", file=sys.stderr, flush=True)
    os._exit(130)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m paper_utils.execute", description=__doc__.split("\n\n")[0])
    parser.add_argument("notebook", type=Path, help="a notebook's .py")
    parser.add_argument("--profile", default="laptop", help=f"one of {', '.join(PROFILES)}")
    parser.add_argument("--backbone", help="a local folder or a Hugging Face name, instead of the profile's")
    options = parser.parse_args()
    with reported():
        profile = get_profile(options.profile, backbone=options.backbone)
        check_before_running(profile)
        begun = time.monotonic()
        print(f"{options.notebook.stem}: running (profile {profile.name})", flush=True)
        try:
            execute(options.notebook, profile)
        except KeyboardInterrupt:
            _leave_at_once()
        print(f"{options.notebook.stem}: done in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
