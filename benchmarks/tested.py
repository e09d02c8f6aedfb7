"""Run the tests that show a promise, and read from pytest's report how many there were and what they counted."""

import base64
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from tools.run_tests import junit_counts

__all__ = ["read_report", "run_tests"]

EXAMPLES = "examples of hypothesis"
STATISTICS = "hypothesis-statistics-"  # begins the names of hypothesis's own properties


def run_tests(arguments: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, float]:
    """Run pytest on its arguments and return what `read_report` returns.

    Raises:
        CompanionError: pytest ends before it has run a test.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            *arguments,
            f"--junitxml={report}",
            "-o",
            "junit_family=xunit1",
        ]
        subprocess.run(command, cwd=ROOT, env=os.environ | dict(environment), check=False)
        if not report.is_file():
            raise CompanionError(f"pytest {' '.join(arguments)} wrote no report; see what it says above")
        found = read_report(report)
    if not found["passed"] + found["failed"]:
        raise CompanionError(f"pytest {' '.join(arguments)} found no test")
    return found


def read_report(report: Path) -> dict[str, float]:
    """Return from a report in JUnit's format how many tests passed, failed and were skipped, and what they counted.

    What tests recorded with `record_property` is summed by its name; so are the examples that hypothesis tried.
    """
    root = ElementTree.parse(report).getroot()
    found: dict[str, float] = {
        **junit_counts(report),
        "seconds": round(sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))),
    }
    for one in root.iter("property"):
        name, value = str(one.get("name")), str(one.get("value"))
        if name.startswith(STATISTICS):
            said = base64.b64decode(value).decode()
            name, value = EXAMPLES, str(sum(map(int, re.findall(r"(\d+) passing", said))))
        found[name] = round(found.get(name, 0) + float(value), 1)
    return found
