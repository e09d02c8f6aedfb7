"""Kill a run again and again, and hold what it comes to against an uninterrupted one.

A process of the run (make's command, the executor, a notebook's kernel, a loader) is killed without warning at a random
moment, as a machine that loses power or memory does; then the same command is given again. In the end results and
figures must be those of a run that nobody disturbed, and nothing may be left over.
"""

import random
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from tqdm import tqdm

from benchmarks.copies import copy_tree, differences, last_line, start
from paper_utils.errors import CompanionError

__all__ = ["interruptions"]

OWN_TIME = 60.0  # seconds that processes of a killed run get to notice it
NOTICED = 20.0  # and to notice that one of them has gone
EARLIEST = 3.0  # seconds after the command at which a process is killed


def interruptions(
    *, kills: int = 30, longest: float = 25, options: tuple[str, ...] = ("--profile", "smoke"), seed: int = 0
) -> dict:
    """Return how often a run was killed, what differs from an undisturbed one, and what was left over.

    Args:
        kills: at random moments, `EARLIEST` to `longest` seconds after the command is given.
        longest: of these moments.
        options: of `python -m tools.figures`.
        seed: of the moments and the victims.

    Raises:
        CompanionError: the undisturbed run, or the last one, fails.
    """
    with tempfile.TemporaryDirectory(prefix="interruptions-") as folder:
        calm, disturbed = (copy_tree(Path(folder) / name) for name in ("calm", "disturbed"))
        try:
            _finish(calm, options)
            victims, orphans = _disturb(disturbed, options, kills=kills, longest=longest, seed=seed)
            _finish(disturbed, options)
            return {
                "kills": sum(victims.values()),
                **{f"of the {name}": count for name, count in sorted(victims.items())},
                "orphans": orphans,
                "files that differ": len(differences(calm, disturbed)),
                "left over": len(_left_over(disturbed)),
            }
        finally:  # nothing goes on in a folder that is removed
            _end(_processes_of(Path(folder)))


def _disturb(
    folder: Path, options: tuple[str, ...], *, kills: int, longest: float, seed: int
) -> tuple[Counter[str], int]:
    """Start a run and kill one of its processes, again and again; return what was killed, and the orphans."""
    moments, orphans, victims = random.Random(seed), 0, Counter[str]()
    for _ in tqdm(range(kills), unit=" kills", leave=False):
        victim = _kill_one(folder, options, moments.uniform(EARLIEST, longest), moments)
        if victim is None:
            break  # it came to its end first
        victims[victim] += 1
        orphans += _left_running(folder)
    return victims, orphans


def _finish(folder: Path, options: tuple[str, ...]) -> None:
    if start(folder, options).wait():
        raise CompanionError(f"a run that nobody disturbs fails: {last_line(folder)}")


def _kill_one(folder: Path, options: tuple[str, ...], after: float, moments: random.Random) -> str | None:
    """Start a run and kill its first process or one below it; return what it was, None where the run ended before."""
    process = start(folder, options)
    try:
        if process.wait(timeout=after) == 0:
            return None
        raise CompanionError(f"a run that goes on after kills fails: {last_line(folder)}")
    except subprocess.TimeoutExpired:
        pass
    first = psutil.Process(process.pid)
    victim = moments.choice([first, *first.children(recursive=True)])
    try:
        name = "executor" if victim == first else "kernel" if "ipykernel" in " ".join(victim.cmdline()) else "loader"
        victim.kill()
    except psutil.NoSuchProcess:  # one that lives for moments, such as git's; the run that began it dies in its place
        name = "executor"
        first.kill()
    try:
        process.wait(timeout=NOTICED)
    except subprocess.TimeoutExpired:  # it goes on without a loader that had done its work, and is killed itself
        first.kill()
        process.wait()
    return name


def _left_running(folder: Path) -> int:
    """Return how many processes of a run in a folder live on after their time; end them."""
    until = time.monotonic() + OWN_TIME
    while (left := _processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.5)
    _end(left)
    return len(left)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _processes_of(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(folder):
                found.append(process)
        except (psutil.Error, OSError):  # it has ended, or is somebody else's
            continue
    return found


def _left_over(folder: Path) -> list[Path]:
    """Return temporary files and folders of a run that has ended."""
    hidden = [path for part in ("build", "figures") for path in (folder / part).rglob(".*")]
    return [*(folder / "tmp").iterdir(), *hidden]
