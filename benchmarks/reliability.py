"""Show what docs/reliability.md promises, point by point: `python -m benchmarks.reliability --help`.

Each point has its tests; two have a measurement besides. What is found goes into data/reliability.json, point by point,
so that one can be measured again alone, and from there into the page.
"""

import argparse
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.clones import compared, made_twice
from benchmarks.interruptions import interruptions
from benchmarks.promises import PROMISES, Promise
from benchmarks.sameness import VARIATIONS, sameness
from benchmarks.tested import run_tests
from benchmarks.timing import machine
from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, read_json, write_json, write_text
from paper_utils.pipeline.provenance import RESULTS_OF, commit, environment
from tools.markdown import between_marks, markdown_table

__all__ = ["PAGE", "TARGET", "filled"]

TARGET, PAGE = ROOT / "data" / "reliability.json", ROOT / "docs" / "reliability.md"
COUNTED = ("interruptions", "twice", "clones")  # measurements of counts, each a sentence of the page
COUNTS = ("passed", "failed", "skipped", "seconds")  # of a point's tests; what is beside them was counted by them
FAULTS = ("failed", "orphans", "files that differ", "differ")  # counts that are to be none
MEASURING = (*RESULTS_OF, "tests", "tools", "benchmarks", "Makefile")  # what a measurement here is made by
MEASURED: dict[int, dict[str, Callable[[], Mapping[str, Any]]]] = {
    12: {"interruptions": interruptions},
    14: {"twice": lambda: made_twice("--profile", "smoke"), "sameness": sameness},
}


def show(number: int, promise: Promise) -> list[str]:
    """Run a point's tests, and what measures it besides; keep what each finds, and return what is not as promised."""
    tests = _measured(lambda: run_tests(promise.tests, promise.environment)) | {"tests": list(promise.tests)}
    found = {str(number): tests}
    _keep(found)
    for name, measure in MEASURED.get(number, {}).items():
        found[name] = _measured(measure)
        _keep({name: found[name]})
    return [
        f"{value} {what} in {name}"
        for name, one in found.items()
        for what, value in one["found"].items()
        if what in FAULTS and value
    ]


def _measured(measure: Callable[[], Mapping[str, Any]], *, root: Path = ROOT) -> dict[str, Any]:
    """Return what a measurement of a tree finds, with its date, and the commit and machine that it began with."""
    origin = {
        "when": datetime.now(UTC).date().isoformat(),
        "commit": commit(root.resolve(), parts=MEASURING),
        "versions": environment(),
    }
    return {"origin": origin | machine(), "found": dict(measure())}


def _keep(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what was found into the results and the page."""
    results = read_json(TARGET) | dict(found)
    write_json(TARGET, results)
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), results))


def filled(page: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of the docs with what was found, of what data/reliability.json holds.

    Raises:
        CompanionError: the page lacks a table's marks.
    """
    points = {number: results.get(str(number)) for number in PROMISES}
    rows = [_row(number, promise, points[number]) for number, promise in PROMISES.items()]
    parts = {"points": markdown_table(["", "promised", "tests", "last measured", "when"], rows)}
    parts |= {name: _counted(results.get(name)) for name in COUNTED}
    parts["sameness"] = _sameness([results[name] for name in ("sameness", "pythons") if name in results])
    return between_marks(page, parts, name=PAGE.name)


def _row(number: int, promise: Promise, measured: Mapping[str, Any] | None) -> list[str]:
    tests = f"`{shlex.join(promise.tests)}`"
    if measured is None or measured.get("tests", list(promise.tests)) != list(promise.tests):  # or of other tests
        return [str(number), promise.what, tests, "not yet", "-"]
    found = measured["found"]
    said = [f"{found['passed']} passed", f"**{found['failed']} failed**" if found["failed"] else "0 failed"]
    said += [f"{found['skipped']} skipped"] if found["skipped"] else []
    counted = [f"{value:,g} {name}" for name, value in found.items() if name not in COUNTS]
    return [
        str(number),
        promise.what,
        tests,
        f"{', '.join(said)}{''.join(f'; {one}' for one in counted)}",
        _when(measured),
    ]


def _counted(measured: Mapping[str, Any] | None) -> str:
    """Return a sentence of counts by name, and when and where they were measured."""
    if measured is None:
        return "Not measured yet."
    counts = measured["found"].items()
    said = ", ".join(value if isinstance(value, str) else f"{value:,g} {name}" for name, value in counts)
    return f"{said} ({_when(measured)}; {_where(measured)})."


def _when(measured: Mapping[str, Any]) -> str:
    commit, dash, dirty = measured["origin"]["commit"].partition("-")
    return f"{measured['origin']['when']}, {commit[:7]}{dash}{dirty}"


def _where(measured: Mapping[str, Any]) -> str:
    origin = measured["origin"]
    return f"{origin['cores']} cores with {origin['processor']}, Python {origin['versions']['python']}"


def _sameness(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each variation of threads, instructions and Python: whether images and numbers are the same."""
    rows = [
        [
            variation,
            "the same" if each["images_same"] else "**other pixels**",
            f"{each['numbers_same_to_four_digits']} of {each['numbers']}",
            f"{100 * each['largest_difference_of_tolerance']:.2g} %",
            _when(measured),
        ]
        for measured in parts
        for variation, each in measured["found"].items()
    ]
    columns = ["against a usual process", "32 images", "numbers alike to four digits"]
    return markdown_table([*columns, "largest difference, of its tolerance", "when"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__.split("\n\n")[0])
    parser.add_argument("points", nargs="*", type=int, metavar="POINT", help="of docs/reliability.md; all if left out")
    parser.add_argument(
        "--pythons", nargs="+", metavar="PYTHON", help="compare this one with other interpreters, alone"
    )
    parser.add_argument(
        "--clones", nargs=2, type=Path, help="compare two clones in which `make figures` has run, alone"
    )
    options = parser.parse_args()
    with reported():
        if unknown := set(options.points) - set(PROMISES):
            raise CompanionError(f"there is no point {min(unknown)}; choose among 1 to {max(PROMISES)}")
        if options.clones:
            apart, counts = compared(*options.clones)
            print(*(f"differs: {name}" for name in apart), sep="\n")
            _keep({"clones": _measured(lambda: counts, root=options.clones[0])})
        if options.pythons:
            usual = dict(list(VARIATIONS.items())[:1])
            _keep({"pythons": _measured(lambda: sameness(variations=usual, pythons=options.pythons))})
        faults: list[str] = []
        for number in () if options.clones or options.pythons else options.points or PROMISES:
            faults += show(number, PROMISES[number])
        print(f"{PAGE} has what was found")
        if faults:
            raise CompanionError(f"not as promised: {', '.join(faults)}; see above")


if __name__ == "__main__":
    main()
