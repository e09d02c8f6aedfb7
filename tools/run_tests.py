"""Run the tests in parts and skip what nothing changed since it passed: `python -m tools.run_tests --help`.

Each part (lint, types, the tests of a folder, the project's files, a smoke run twice, the notebooks) lists the files it reads.
Their hash is kept when the part passes. Parts run one after the other, changed ones first, quick ones first, up
to the first that fails. The last line counts tests like pytest's; lint, types and the smoke run count one each.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from paper_utils.errors import reported
from paper_utils.files import ROOT, read_json, write_json
from tools.parts import Part, parts, signature

__all__ = ["Outcome", "junit_counts", "run_parts"]

STATE = "build/tests.json"


@dataclass(frozen=True)
class Outcome:
    """Counts of tests of one part; the part passed if `ok`."""

    ok: bool
    passed: int = 0
    failed: int = 0


def run_parts(
    chosen: Sequence[Part], *, root: Path = ROOT, everything: bool = False, quick: bool = False
) -> tuple[Part | None, int, int]:
    """Run parts up to the first that fails.

    Args:
        chosen: the parts, in any order.
        root: where commands run and the state is kept.
        everything: run parts that nothing changed, too.
        quick: leave out the tests marked slow, and run unit tests in one process, since each loads the libraries for
            seconds; what passes without its slow tests does not count as passed.

    Returns:
        The part that failed or None, and how many tests passed and failed.
    """
    kept = read_json(root / STATE) if (root / STATE).is_file() else {}
    now = {part.name: signature(part, root) for part in chosen}

    def unchanged(part: Part) -> bool:
        return now[part.name] in (kept.get(part.name, {}).get("passed"), quick and kept.get(part.name, {}).get("quick"))

    def order(part: Part) -> tuple[bool, float]:
        return unchanged(part), kept.get(part.name, {}).get("seconds", part.seconds)

    passed = failed = 0
    ordered = sorted(chosen, key=order)
    for part in ordered:
        if unchanged(part) and not everything:
            many = "tests" in part.name or part.name.endswith("s")
            they = "they read has changed since they" if many else "it reads has changed since it"
            print(f"{part.name}: skipped, nothing {they} passed", flush=True)
    waiting = [part for part in ordered if everything or not unchanged(part)]
    for part in _together(waiting) if quick else waiting:
        print(f"{part.name}: running", flush=True)
        begun = time.monotonic()
        outcome = _run(part, root, quick=quick)
        seconds = round(time.monotonic() - begun, 1)
        passed, failed = passed + outcome.passed, failed + outcome.failed
        for member in part.members or (part,):
            record = kept.setdefault(member.name, {})
            if outcome.ok:
                whole = not (quick and member.slow)
                record |= {"quick": now[member.name]} | ({"passed": now[member.name]} if whole else {})
                record |= {} if part.members else {"seconds": seconds}
            else:
                record.pop("passed", None), record.pop("quick", None)
        write_json(root / STATE, kept)
        print(f"{part.name}: {'passed' if outcome.ok else 'FAILED'} in {seconds:.0f} s", flush=True)
        if not outcome.ok:
            return part, passed, failed
    return None, passed, failed


def _together(waiting: Sequence[Part]) -> list[Part]:
    """Return parts with those that only run pytest made one, in the place of the first."""
    tests = [part for part in waiting if len(part.commands) == 1 and part.commands[0][0] == "pytest"]
    if len(tests) < 2:
        return list(waiting)
    command = ("pytest", *(argument for part in tests for argument in part.commands[0][1:]))
    name = f"unit tests of {', '.join(part.name.removeprefix('unit tests of ') for part in tests)}"
    slow = any(part.slow for part in tests)
    one = Part(name, (command,), (), 0, slow=slow, members=tuple(tests))
    return [one if part is tests[0] else part for part in waiting if part not in tests[1:]]


def _run(part: Part, root: Path, *, quick: bool) -> Outcome:
    """Run a part's commands up to the first that fails; what they print stays visible."""
    for path in [path for pattern in part.scratch for path in root.glob(pattern)]:
        path.unlink() if path.is_file() else shutil.rmtree(path)
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), environment.get("PYTHONPATH")]))
    environment |= dict(part.environment)
    total = Outcome(ok=True)
    for tool, *arguments in part.commands:
        report = None
        command = [sys.executable, "-m", tool, *arguments]
        if tool == "pytest":
            report = root / "build" / "tests.xml"
            report.unlink(missing_ok=True)
            command += ["-q", f"--junitxml={report}", *(["-m", "not slow"] if quick and part.slow else [])]
        code = subprocess.run(command, cwd=root, env=environment).returncode
        if report is None:
            passed, failed = int(code == 0), int(code != 0)
        else:
            counts = junit_counts(report) if report.is_file() else {"passed": 0, "failed": 0}
            passed, failed = counts["passed"], counts["failed"]
            # 5: no test was left; that is right where all of a folder's are slow
            code = 0 if code == 5 and quick and part.slow else code
            failed = max(failed, int(code != 0))
        total = Outcome(total.ok and code == 0, total.passed + passed, total.failed + failed)
        if code:
            break
    return total


def junit_counts(report: Path) -> dict[str, int]:
    """Return from pytest's report in JUnit's format how many tests passed, failed and were skipped; errors are failures."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total = {key: sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")}
    failed, skipped = total["failures"] + total["errors"], total["skipped"]
    return {"passed": total["tests"] - failed - skipped, "failed": failed, "skipped": skipped}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.run_tests", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="lint, types and unit tests, without those marked slow")
    parser.add_argument("--all", action="store_true", help="run parts that nothing changed since they passed, too")
    options = parser.parse_args()
    with reported():
        chosen = [part for part in parts() if part.quick or not options.quick]
        failing, passed, failed = run_parts(chosen, everything=options.all, quick=options.quick)
    if failing:
        print(f"stopped at the first part that fails: {failing.name}")
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failing else 0)


if __name__ == "__main__":
    main()
