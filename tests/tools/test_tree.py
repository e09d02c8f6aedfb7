import pytest

from paper_utils.errors import CompanionError
from tools.tree import filled, tree


@pytest.fixture
def repository(tmp_path):
    for name, lines in {
        "paper_utils/__init__.py": 1,
        "paper_utils/data/__init__.py": 1,
        "paper_utils/data/a.py": 260,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""What {path.parent.name} is for.\n\nMore."""\n' + "x = 1\n" * (lines - 1))
    return tmp_path


def test_sub_packages_are_indented_and_say_what_they_are_for(repository):
    rows = tree(repository).splitlines()[1:-1]
    assert [row.split()[0] for row in rows] == ["paper_utils/", "data/", "tests/"]
    assert rows[1].startswith("  data/")
    assert rows[1].endswith("What data is for")


def test_lines_are_told_to_the_nearest_hundred(repository):
    assert "2 modules   300 lines" in tree(repository)


def test_the_tree_stands_between_its_marks(repository):
    text = filled("before\n<!-- tree -->stale<!-- /tree -->\nafter\n", repository)
    assert "stale" not in text
    assert tree(repository) in text
    assert text == filled(text, repository)


def test_a_text_without_marks_is_refused(repository):
    with pytest.raises(CompanionError, match="CONTRIBUTING.md lacks the marks"):
        filled("nothing", repository)
