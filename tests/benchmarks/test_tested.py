import pytest

from benchmarks.tested import run_tests
from paper_utils.errors import CompanionError

TESTS = """
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

@pytest.mark.parametrize("count", [3, 4])
def test_counts(record_property, count):
    record_property("files tried", count)

@settings(max_examples=17)
@given(value=st.floats(0, 1))
def test_examples(value):
    assert value <= 1

def test_skipped():
    pytest.skip("no Chromium")

@pytest.mark.xfail(strict=True)
def test_failing():
    pass
"""


def test_tests_and_what_they_counted_are_read(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text(TESTS)
    found = run_tests((str(path), "-p", "no:cacheprovider"), {})
    seconds = found.pop("seconds")
    assert 0 <= seconds < 60
    assert found == {"passed": 3, "failed": 1, "skipped": 1, "files tried": 7, "examples of hypothesis": 17}


def test_a_variable_reaches_the_tests(tmp_path):
    path = tmp_path / "test_it.py"
    path.write_text("import os\ndef test_it(record_property): record_property('edits', os.environ['RANDOM_EDITS'])")
    assert run_tests((str(path),), {"RANDOM_EDITS": "8"})["edits"] == 8


def test_no_test_at_all_is_an_error(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    with pytest.raises(CompanionError, match="found no test"):
        run_tests((str(tmp_path / "test_it.py"), "-k", "another"), {})
