"""Where a result was computed: commit, versions, machine, seconds and peak memory."""

import itertools
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
import torch

from ..files import ROOT

__all__ = ["RESULTS_OF", "Watch", "commit", "environment", "here", "machine"]

SELDOM = 10  # samples of resident memory, of which one at least looks at shared pages
RESULTS_OF = ("paper_utils", ":(glob)notebooks/*.py", "data/backbone")  # parts of the tree that results are made by
LIBRARIES = ("torch", "transformers", "peft", "numpy", "scipy", "matplotlib", "pillow")


def environment() -> dict[str, str]:
    """Return the versions of Python and of the libraries that results come from."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def machine() -> dict[str, object]:
    """Return what the computing machine is, as far as speed and rounding depend on it."""
    return {
        "processor": platform.machine(),
        "system": platform.system(),
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def commit(root: Path = ROOT, *, parts: Sequence[str] = RESULTS_OF) -> str:
    """Return the commit, with "-dirty" if parts of the tree differ from it, or "unknown" outside a git checkout."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout

    try:
        if Path(git("rev-parse", "--show-toplevel").strip()) != root:  # an archive within another checkout
            return "unknown"
        changed = git("status", "--porcelain", "--", *parts)
        return git("rev-parse", "--short=12", "HEAD").strip() + ("-dirty" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def here() -> dict[str, object]:
    """Return where something is computed: commit, versions, machine and time."""
    return {
        "commit": commit(),
        "versions": environment(),
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


class Watch:
    """Seconds and peak memory (MiB) of this process and its descendants within a block; shared pages count once."""

    def __init__(self, *, every: float = 0.5):
        self.peak, self.seconds = 0.0, 0.0
        self._every, self._stop = every, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Watch":
        self._begun = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._begun
        self._stop.set()
        self._thread.join()

    def record(self) -> dict[str, object]:
        """Return where and how what the block did was computed."""
        return here() | {"seconds": round(self.seconds, 1), "peak_memory_mib": round(self.peak)}

    def _watch(self) -> None:
        me, most = psutil.Process(os.getpid()), 0.0
        for turn in itertools.count():
            processes = [me, *me.children(recursive=True)]
            resident = _total(processes, _resident)
            # a look at every page takes a process's memory from it for 10 ms: taken where a peak is likely
            if resident > most or turn % SELDOM == 0:
                self.peak = max(self.peak, _total(processes, _shared_out) / 2**20)
            most = max(most, resident)
            if self._stop.wait(self._every):
                return


def _total(processes: list[psutil.Process], measure: Callable[[psutil.Process], int]) -> int:
    total = 0
    for process in processes:
        with suppress(psutil.Error):  # it ended meanwhile
            total += measure(process)
    return total


def _resident(process: psutil.Process) -> int:
    return process.memory_info().rss


def _shared_out(process: psutil.Process) -> int:
    """Return the bytes of a process, of a page that others share its part alone, where the system says so."""
    return getattr(process.memory_full_info(), "pss", 0) or _resident(process)
