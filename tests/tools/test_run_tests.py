"""What runs, what is skipped and why; which files a part reads."""

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from paper_utils.files import ROOT
from tools import parts as parts_of_tests
from tools.imports import closure, fixture_imports
from tools.parts import Part, parts, signature
from tools.run_tests import run_parts


@pytest.fixture
def repository(tmp_path):
    """A repository of a few files: `write(path, text)` adds one and returns its path."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    write("paper_utils/__init__.py", "def __getattr__(name):\n    from .pipeline.run import Run\n    return Run\n")
    write("paper_utils/data/__init__.py", "")
    write("paper_utils/data/chirps.py", "import numpy\n")
    write("paper_utils/models/__init__.py", "")
    write("paper_utils/models/vit.py", "from ..data import chirps\n")
    write("paper_utils/pipeline/__init__.py", "")
    write("paper_utils/pipeline/run.py", "from ..plots.images import grid\n")
    write("paper_utils/plots/__init__.py", "")
    write(
        "paper_utils/plots/images.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..models import vit\n",
    )
    write("paper_utils/plots/page.html", "<p>")
    write("tests/conftest.py", CONFTEST)
    write("tests/data/test_chirps.py", "from paper_utils.data.chirps import kind\ndef test_kind(scale): assert scale\n")
    write("tests/models/test_vit.py", "from paper_utils.models.vit import load\ndef test_vit(): pass\n")
    write("tests/plots/test_images.py", 'HELP = "python -m paper_utils.plots.images --help"\n')
    write("tests/pipeline/test_run.py", "from paper_utils import Run\ndef test_run(tiny): pass\n")
    write("tests/staleness/test_staleness.py", "def test_staleness(): pass\n")
    write("paper_utils/plots/templates/page.j2", "<p>")
    write("tests/test_project.py", "def test_project(): pass\n")
    write("notebooks/01_a.py", "")
    write("notebooks/01_a.ipynb", "{}")
    write("data/claims.json", "{}")
    write("README.md", "# heads\n")
    write("pyproject.toml", "")
    return write


CONFTEST = """
import pytest
from paper_utils.data import chirps
from paper_utils.models.vit import load

@pytest.fixture
def scale():
    return chirps.SCALE

@pytest.fixture
def model():
    return load()

@pytest.fixture
def tiny(model):
    return model
"""


STALE = "tests of staleness"


def read_by(root, name):
    return {str(path.relative_to(root)) for part in parts(root) if part.name == name for path in part.reads}


def rerun_after(root, change):
    """Return the names of the parts that must run again after a change."""
    before = {part.name: signature(part, root) for part in parts(root)}
    change()
    parts_of_tests._digest.cache_clear()
    parts_of_tests.closure.__globals__["_parsed"].cache_clear()
    return {part.name for part in parts(root) if signature(part, root) != before[part.name]}


def test_unit_tests_read_what_they_import(repository, tmp_path):
    read = read_by(tmp_path, "unit tests of models")
    assert {"paper_utils/models/vit.py", "paper_utils/data/chirps.py", "tests/conftest.py", "data/claims.json"} <= read
    assert not {"paper_utils/pipeline/run.py", "tests/data/test_chirps.py", "README.md"} & read


def test_a_readme_edit_concerns_the_project_alone(repository, tmp_path):
    assert rerun_after(tmp_path, lambda: repository("README.md", "# Heads\n")) == {"project tests"}


def test_a_low_module_concerns_all_above_it(repository, tmp_path):
    changed = rerun_after(tmp_path, lambda: repository("paper_utils/data/chirps.py", "import scipy\n"))
    assert {"unit tests of data", "unit tests of models", "notebooks", "smoke run", "types", "lint"} <= changed
    assert "unit tests of plots" not in changed


def test_a_high_module_concerns_no_test_below(repository, tmp_path):
    changed = rerun_after(tmp_path, lambda: repository("paper_utils/pipeline/run.py", "Run = 1\n"))
    assert "unit tests of pipeline" in changed
    assert not {"unit tests of data", "unit tests of models"} & changed


def test_a_new_test_file_makes_its_part_run(repository, tmp_path):
    changed = rerun_after(tmp_path, lambda: repository("tests/data/test_new.py", "def test(): pass\n"))
    assert changed == {"unit tests of data", "project tests", "lint"}


def test_helpers_beside_tests_are_read_with_what_they_import(repository, tmp_path):
    repository("tests/data/conftest.py", "from paper_utils.models import vit\n")
    assert {"tests/data/conftest.py", "paper_utils/models/vit.py"} <= read_by(tmp_path, "unit tests of data")


def test_a_template_beside_a_module_is_read(repository, tmp_path):
    assert "unit tests of plots" in rerun_after(tmp_path, lambda: repository("paper_utils/plots/page.html", "<b>"))


def test_templates_of_a_sub_package_are_read(repository, tmp_path):
    changed = rerun_after(tmp_path, lambda: repository("paper_utils/plots/templates/page.j2", "<b>"))
    assert "unit tests of plots" in changed
    assert "unit tests of data" not in changed


def test_staleness_is_tested_again_after_every_edit_of_code_or_data_and_never_quickly(repository, tmp_path):
    for name in ("paper_utils/pipeline/run.py", "tools/status.py", "notebooks/01_a.py", "data/claims.json"):
        assert STALE in rerun_after(tmp_path, partial(repository, name, "7\n"))
    assert STALE not in rerun_after(tmp_path, lambda: repository("README.md", "# H\n"))
    assert [part.quick for part in parts(tmp_path) if part.name == STALE] == [False]


def test_annotations_are_not_read(repository, tmp_path):
    assert "paper_utils/models/vit.py" not in read_by(tmp_path, "unit tests of plots")


def test_modules_named_in_strings_of_tests_are_read(repository, tmp_path):
    assert "paper_utils/plots/images.py" in read_by(tmp_path, "unit tests of plots")


def test_a_name_that_a_package_imports_late_is_read(repository, tmp_path):
    late = tmp_path / "paper_utils/pipeline/run.py"
    assert late in closure([tmp_path / "tests/pipeline/test_run.py"], tmp_path)
    assert late not in closure([tmp_path / "tests/data/test_chirps.py"], tmp_path)


def test_a_fixture_counts_for_those_who_name_it(repository, tmp_path):
    def by(folder):
        tests = (tmp_path / "tests" / folder).glob("*.py")
        return fixture_imports(tmp_path / "tests/conftest.py", tests, tmp_path)

    vit = tmp_path / "paper_utils/models/vit.py"
    assert vit in by("pipeline")
    assert vit not in by("data")


def test_every_test_of_this_repository_belongs_to_one_part():
    arguments = [path for part in parts() for command in part.commands for path in command if path.endswith(".py")]
    assert sorted(arguments) == sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unit tests of claims", "notebooks"])
def test_pytest_takes_the_arguments_of_parts_with_the_settings_of_this_repository(name):
    (tool, *arguments), *_ = next(part.commands for part in parts() if part.name == name)
    command = [sys.executable, "-m", tool, *arguments, "--collect-only", "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def part(name, root, code="", *, seconds=1.0, **options):
    """Return a part that reads a file of its name, leaves a word in the log and runs some code."""
    read = root / f"{name}.txt"
    read.touch()
    (root / f"step_{name}.py").write_text(f"open('log', 'a').write('{name} ')\n{code}\n")
    return Part(name, ((f"step_{name}",),), (read,), seconds, **options)


def test_a_part_gives_its_commands_its_variables(tmp_path):
    code = "import os\nopen('log', 'a').write(os.environ.get('COLOUR', 'none') + ' ')"
    run_parts([part("a", tmp_path, code, environment=(("COLOUR", "red"),)), part("b", tmp_path, code)], root=tmp_path)
    assert (tmp_path / "log").read_text().split() == ["a", "red", "b", "none"]


@pytest.fixture
def tested(tmp_path, monkeypatch):
    """Return a function that makes a part of a test file."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # loading them takes longer than the tests
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")

    def make(code, *, name="it", **options):
        path = tmp_path / f"test_{name}.py"
        path.write_text(code)
        return Part("tests" if name == "it" else name, (("pytest", path.name),), (path,), 1.0, **options)

    return make


def log(root):
    path = root / "log"
    text = path.read_text() if path.is_file() else ""
    path.unlink(missing_ok=True)
    return text.split()


def test_a_part_is_skipped_until_what_it_reads_changes(tmp_path, capsys):
    chosen = [part("tests", tmp_path)]
    assert run_parts(chosen, root=tmp_path) == (None, 1, 0)
    assert run_parts(chosen, root=tmp_path) == (None, 0, 0)
    assert "tests: skipped, nothing they read has changed since they passed" in capsys.readouterr().out
    (tmp_path / "tests.txt").write_text("other")
    assert run_parts(chosen, root=tmp_path) == (None, 1, 0)
    assert log(tmp_path) == ["tests", "tests"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unit tests of data", "nothing they read has changed since they passed"),
        ("lint", "nothing it reads has changed since it passed"),
    ],
)
def test_why_a_part_is_skipped_is_a_sentence(tmp_path, capsys, name, why):
    chosen = [replace(part("step", tmp_path), name=name)]
    run_parts(chosen, root=tmp_path)
    run_parts(chosen, root=tmp_path)
    assert f"{name}: skipped, {why}\n" in capsys.readouterr().out


def test_all_runs_what_nothing_changed(tmp_path):
    chosen = [part("tests", tmp_path)]
    run_parts(chosen, root=tmp_path)
    assert run_parts(chosen, root=tmp_path, everything=True) == (None, 1, 0)


def test_changed_parts_run_first_and_quick_ones_before_slow_ones(tmp_path):
    chosen = [part("one", tmp_path, seconds=1), part("ten", tmp_path, seconds=10), part("five", tmp_path, seconds=5)]
    run_parts(chosen[:1], root=tmp_path)
    log(tmp_path)
    run_parts(chosen, root=tmp_path, everything=True)
    assert log(tmp_path) == ["five", "ten", "one"]


def test_the_first_part_that_fails_is_the_last_that_runs(tmp_path, capsys):
    chosen = [part("one", tmp_path, "assert False", seconds=1), part("two", tmp_path, seconds=2)]
    failing, passed, failed = run_parts(chosen, root=tmp_path)
    assert (failing.name, passed, failed) == ("one", 0, 1)
    assert "one: FAILED" in capsys.readouterr().out
    assert log(tmp_path) == ["one"]


def test_what_failed_runs_again(tmp_path):
    chosen = [part("one", tmp_path, "assert open('one.txt').read() != 'x'")]
    run_parts(chosen, root=tmp_path)
    (tmp_path / "one.txt").write_text("x")
    assert run_parts(chosen, root=tmp_path)[0] is chosen[0]
    (tmp_path / "one.txt").write_text("")
    assert run_parts(chosen, root=tmp_path) == (None, 1, 0)


def test_tests_are_counted(tested, tmp_path):
    bad = "import pytest\n@pytest.fixture\ndef broken(): assert 0\ndef test_a(): pass\ndef test_b(): pass\n"
    bad += "def test_c(): assert 0\ndef test_d(broken): pass\ndef test_e(): pytest.skip()\n"
    failing, passed, failed = run_parts([tested(bad)], root=tmp_path)
    assert (failing.name, passed, failed) == ("tests", 2, 2)


def test_a_quick_pass_is_none_where_slow_tests_were_left_out(tested, tmp_path):
    code = "import pytest\ndef test_a(): pass\n@pytest.mark.slow\ndef test_b(): pass\n"
    chosen = [tested(code, slow=True)]
    assert run_parts(chosen, root=tmp_path, quick=True) == (None, 1, 0)
    assert run_parts(chosen, root=tmp_path, quick=True) == (None, 0, 0)
    assert run_parts(chosen, root=tmp_path) == (None, 2, 0)
    assert run_parts(chosen, root=tmp_path, quick=True) == (None, 0, 0)


def test_unit_tests_share_a_quick_run_and_pass_each_for_itself(tested, tmp_path, capsys):
    chosen = [tested("def test_a(): pass\n", name="data"), tested("def test_b(): pass\n", name="models")]
    chosen.append(part("lint", tmp_path, seconds=0.1))
    assert run_parts(chosen, root=tmp_path, quick=True) == (None, 3, 0)
    assert "unit tests of data, models: passed" in capsys.readouterr().out
    (tmp_path / "test_data.py").write_text("def test_a(): assert 0\n")
    failing, passed, failed = run_parts(chosen, root=tmp_path, quick=True)
    assert (failing.name, passed, failed) == ("data", 0, 1)
    assert run_parts(chosen[1:], root=tmp_path) == (None, 0, 0)


def test_what_fails_in_a_shared_run_is_no_pass(tested, tmp_path):
    chosen = [tested("def test_a(): pass\n", name="data"), tested("def test_b(): assert 0\n", name="models")]
    failing, passed, failed = run_parts(chosen, root=tmp_path, quick=True)
    assert (failing.name, passed, failed) == ("unit tests of data, models", 1, 1)
    assert run_parts(chosen, root=tmp_path, quick=True)[1:] == (1, 1)


def test_a_crash_of_pytest_is_a_failure(tested, tmp_path):
    failing, passed, failed = run_parts([tested("import os\ndef test_a(): os._exit(3)\n")], root=tmp_path)
    assert (failing.name, passed, failed) == ("tests", 0, 1)


def test_help_says_what_the_options_do():
    command = [sys.executable, "-m", "tools.run_tests", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "--quick" in said
    assert "--all" in said
