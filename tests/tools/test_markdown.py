import pytest

from paper_utils.errors import CompanionError
from tools import markdown


def test_a_table_has_a_line_for_the_columns_and_each_row():
    table = markdown.markdown_table(["a", "b"], [["1", "2"], ["", "3"]])
    assert table == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| | 3 |"


def test_lost_marks_are_named():
    with pytest.raises(CompanionError, match="README.md lacks the marks <!-- a --> and <!-- /a -->"):
        markdown.between_marks("no marks", {"a": "x"})


def test_marks_with_nothing_between_them_are_filled_and_filled_again():
    once = markdown.between_marks("<!-- a -->\n<!-- /a -->", {"a": "x"})
    assert once == "<!-- a -->\nx\n<!-- /a -->"
    assert markdown.between_marks(once, {"a": "y"}) == "<!-- a -->\ny\n<!-- /a -->"
