"""The parts of the tests, and the files that each reads: what `tools.run_tests` runs and skips."""

import hashlib
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from paper_utils.files import ROOT
from paper_utils.pipeline.figures import SHIP_TO
from tools.imports import TOPS, closure, fixture_imports

__all__ = ["Part", "parts", "signature"]

PROJECT = ("test_project.py", "test_imports.py")  # of tests/: they read the README, pairs and settings
WHOLE = ("staleness",)  # folders of tests/ that copy the whole tree and take minutes
DRAWN = "build/drawn"  # the figures of the paper, as the notebooks draw them
# what decides how every tool and test runs
SETTINGS = ("pyproject.toml", "requirements.txt", "constraints.txt", "requirements.lock", "conftest.py")


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
        environment: variables that its commands get.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    reads: tuple[Path, ...]
    seconds: float
    quick: bool = True
    slow: bool = False
    scratch: tuple[str, ...] = ()
    members: tuple["Part", ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


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
        slow = any("mark.slow" in path.read_text(encoding="utf-8") for path in files)
        command = ("pytest", *arguments)
        if name in WHOLE:
            found.append(Part(f"tests of {name}", (command,), _sorted(read), 120, quick=False))
        else:
            found.append(Part(f"unit tests of {name}", (command,), _sorted(read), 20, slow=slow))
    top = _matching(
        root,
        "*.md",
        "docs/*",
        "*.yml",
        "*.cff",
        "codemeta.json",
        "Makefile",
        ".pre-commit-config.yaml",
        ".github/**/*",
        ".ci/*",
    )
    shown = _matching(root, "figures/reference*/*")
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
            (("benchmarks.clones", "--profile", "smoke"),),
            _sorted(packages | scripts | data | pinned),
            300,
            quick=False,
        ),
        Part(
            "notebooks",
            (("pytest", "--nbval", "notebooks"), ("tools.check_figures", DRAWN)),
            _sorted(packages | notebooks | data | settings | shown | _matching(root, "tests/*.cfg")),
            120,
            quick=False,
            scratch=(f"{DRAWN}/*",),
            environment=((SHIP_TO, str(root / DRAWN)),),
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
    """Return files of the root that test files name as `ROOT / "name"`, and all of a folder of pages that they name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    pages = [f"{folder}/*" for folder in ("notebooks", "docs") if f'ROOT / "{folder}' in text]
    return _matching(root, *pages) | {path for path in _matching(root, "*") if f'ROOT / "{path.name}"' in text}


@cache
def _digest(path: Path, size: int, changed: int) -> str:
    """Return a hash of a file's bytes, computed once a process while its size and time stay."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def signature(part: Part, root: Path = ROOT) -> str:
    """Return a hash of what a part does and reads: it changes when the part must run again."""
    digest = hashlib.sha256(f"{platform.python_version()} {part.commands} {part.environment}".encode())
    for path in part.reads:
        try:
            facts = path.stat()
            content = _digest(path, facts.st_size, facts.st_mtime_ns)
        except FileNotFoundError:  # an editor or git replaces it at this moment
            content = "missing"
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()[:16]
