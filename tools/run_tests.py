"""Run the tests in parts and skip what nothing changed since it passed: `python -m tools.run_tests --help`.

Each part (lint, types, the tests of a folder, the project's files, a smoke run, the notebooks) lists the files it reads. Their hash is kept when the part passes. Parts run one after the other, changed ones first, quick ones first, up
to the first that fails. The last line counts tests like pytest's; lint, types and the smoke run count one each.
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from paper_utils.errors import reported
from paper_utils.files import ROOT, read_json, write_json
from tools.imports import TOPS, closure, fixture_imports

__all__ = ["Outcome", "Part", "parts", "run_parts", "signature"]

STATE = "build/tests.json"
PROJECT = ("test_project.py", "test_imports.py")  # of tests/: they read the README, pairs and settings
WHOLE = ("staleness",)  # folders of tests/ that copy the whole tree and take minutes
# what decides how every tool and test runs
SETTINGS = ("pyproject.toml", "requirements.txt", "constraints.txt", "conftest.py")


@dataclass(frozen=True)
class Part:
    """One part of the tests.

    Attributes:
        name: as it is shown and kept.
        commands: run one after the other in the repository's root; a first word "pytest" gets its report counted.
        reads: files whose content decides the outcome.
        seconds: what it takes until it has been timed.
        quick: whether `--quick` runs it.
        slow: whether some of its tests are marked slow.
        scratch: patterns of files and folders that are removed first.
        members: the parts of which this is one run.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    reads: tuple[Path, ...]
    seconds: float
    quick: bool = True
    slow: bool = False
    scratch: tuple[str, ...] = ()
    members: tuple["Part", ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Counts of tests of one part; the part passed if `ok`."""

    ok: bool
    passed: int = 0
    failed: int = 0


def _matching(root: Path, *patterns: str) -> set[Path]:
    found = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
    return {path for path in found if "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts}


def parts(root: Path = ROOT) -> list[Part]:
    """Return all parts of the tests of the repository at `root`."""
    settings = _matching(root, *SETTINGS)
    packages = _matching(root, *(f"{top}/**/*" for top in TOPS))
    data = _matching(root, "data/**/*")
    scripts, notebooks = _matching(root, "notebooks/*.py"), _matching(root, "notebooks/*.ipynb")
    tests = _matching(root, "tests/**/*.py")
    pinned = _matching(root, "pyproject.toml", "requirements.txt")
    code = {path for path in packages if path.suffix == ".py"}
    lint = (("ruff", "check", "-q", "."), ("ruff", "format", "-q", "--check", "."))
    found = [
        Part("lint", lint, _sorted(code | tests | scripts | settings), 1),
        Part("types", (("mypy",),), _sorted(code | pinned), 30),
    ]
    conftest = root / "tests" / "conftest.py"
    for name, files in _unit_tests(root).items():
        # a folder's own conftest and helpers, too
        helpers = {path for path in tests if path.parent in {test.parent for test in files} - {root / "tests"}}
        read = closure([*files, *helpers], root) | settings | data
        if conftest.is_file():
            read |= {conftest} | closure(fixture_imports(conftest, [*files, *helpers], root), root)
        read |= _files_in_strings(files, root)
        if name in WHOLE:
            read |= packages | scripts
        arguments = [str(path.relative_to(root)) for path in files]
        slow = any("mark.slow" in path.read_text() for path in files)
        command = ("pytest", *arguments)
        if name in WHOLE:
            found.append(Part(f"tests of {name}", (command,), _sorted(read), 120, quick=False))
        else:
            found.append(Part(f"unit tests of {name}", (command,), _sorted(read), 20, slow=slow))
    top = _matching(root, "*.md", "*.yml", "*.cff", "Makefile", ".pre-commit-config.yaml", ".github/**/*", ".ci/*")
    shown = _matching(root, "figures/reference/*")
    project = [f"tests/{name}" for name in PROJECT if (root / "tests" / name).is_file()]
    found += [
        Part(
            "project tests",
            (("pytest", *project),),
            _sorted(top | settings | packages | tests | scripts | notebooks | data | shown),
            15,
            quick=False,
        ),
        Part(
            "smoke run",
            (("make", "--no-print-directory", "figures", "PROFILE=smoke"),),
            _sorted(packages | scripts | data | pinned | _matching(root, "Makefile")),
            120,
            quick=False,
            scratch=("build/smoke", "figures/smoke", "build/figures-*.done"),
        ),
        Part(
            "notebooks",
            (("pytest", "--nbval", "notebooks"),),
            _sorted(packages | notebooks | data | settings | _matching(root, "tests/*.cfg")),
            120,
            quick=False,
        ),
    ]
    return found


def _sorted(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(paths))


def _unit_tests(root: Path) -> dict[str, list[Path]]:
    """Return test files by what they test: a folder of tests/, or the modules beside the sub-packages."""
    found: dict[str, list[Path]] = {}
    for path in sorted(_matching(root, "tests/**/test_*.py")):
        folder = path.relative_to(root / "tests").parts[0]
        if folder == path.name and folder in PROJECT:
            continue
        found.setdefault("shared modules" if folder == path.name else folder, []).append(path)
    return found


def _files_in_strings(files: Iterable[Path], root: Path) -> set[Path]:
    """Return files of the root that test files name as `ROOT / "name"`, and the notebooks if they name their folder."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    notebooks = _matching(root, "notebooks/*") if 'ROOT / "notebooks' in text else set()
    return notebooks | {path for path in _matching(root, "*") if f'ROOT / "{path.name}"' in text}


@cache
def _digest(path: Path, size: int, changed: int) -> str:
    """Return a hash of a file's bytes, computed once a process while its size and time stay."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def signature(part: Part, root: Path = ROOT) -> str:
    """Return a hash of what a part does and reads: it changes when the part must run again."""
    digest = hashlib.sha256(f"{platform.python_version()} {part.commands}".encode())
    for path in part.reads:
        try:
            facts = path.stat()
            content = _digest(path, facts.st_size, facts.st_mtime_ns)
        except FileNotFoundError:  # an editor or git replaces it at this moment
            content = "missing"
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()[:16]


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
    total = Outcome(ok=True)
    for tool, *arguments in part.commands:
        report = None
        command = [tool, *arguments] if tool == "make" else [sys.executable, "-m", tool, *arguments]
        if tool == "pytest":
            report = root / "build" / "tests.xml"
            report.unlink(missing_ok=True)
            command += ["-q", f"--junitxml={report}", *(["-m", "not slow"] if quick and part.slow else [])]
        code = subprocess.run(command, cwd=root, env=environment).returncode
        if report is None:
            passed, failed = int(code == 0), int(code != 0)
        else:
            passed, failed = _counts(report)
            # 5: no test was left; that is right where all of a folder's are slow
            code = 0 if code == 5 and quick and part.slow else code
            failed = max(failed, int(code != 0))
        total = Outcome(total.ok and code == 0, total.passed + passed, total.failed + failed)
        if code:
            break
    return total


def _counts(report: Path) -> tuple[int, int]:
    """Return how many tests passed and failed, from pytest's report in JUnit's format; (0, 0) if it wrote none."""
    if not report.is_file():
        return 0, 0
    suites = ElementTree.parse(report).getroot().iter("testsuite")
    counts = [{key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")} for suite in suites]
    failed = sum(count["failures"] + count["errors"] for count in counts)
    return sum(count["tests"] - count["skipped"] for count in counts) - failed, failed


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
