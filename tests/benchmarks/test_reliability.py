import re
import subprocess
import sys

import pytest

from benchmarks import reliability
from benchmarks.promises import PROMISES
from benchmarks.reliability import PAGE, TARGET, filled
from paper_utils.files import ROOT, read_json


def test_the_page_shows_what_was_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page, read_json(TARGET))


@pytest.mark.parametrize("number", PROMISES)
def test_every_promise_has_tests_that_are_there(number):
    paths = [argument for argument in PROMISES[number].tests if argument.startswith("tests/")]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_a_point_is_measured_and_kept_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(reliability, "TARGET", tmp_path / "reliability.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "reliability.md")
    before = read_json(TARGET)
    (tmp_path / "reliability.json").write_bytes(TARGET.read_bytes())
    (tmp_path / "reliability.md").write_bytes(PAGE.read_bytes())
    monkeypatch.setattr(reliability, "run_tests", lambda *_: {"passed": 0, "failed": 7, "skipped": 0, "flips": 12_000})
    monkeypatch.setattr(sys, "argv", ["reliability", "8"])
    with pytest.raises(SystemExit):
        reliability.main()
    after = read_json(tmp_path / "reliability.json")
    assert {name for name in after if after[name] != before.get(name)} == {"8"}
    row = re.search(r"^\| 8 \|.*$", (tmp_path / "reliability.md").read_text(), re.MULTILINE)[0]
    assert "0 passed, **7 failed**; 12,000 flips" in row


def test_a_point_that_there_is_not_is_named():
    command = [sys.executable, "-m", "benchmarks.reliability", "18"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "error: there is no point 18; choose among 1 to 17\n"
