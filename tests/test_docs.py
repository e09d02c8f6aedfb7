"""The pages of docs/: every block of Python is executed, in the order of the page."""

import ast
import re
import warnings

import pytest

import paper_utils
from paper_utils.files import ROOT

PAGES = sorted((ROOT / "docs").glob("*.md"))
EXPORTED = {
    "ablate_heads": "paper_utils.interventions.own_metric",
    "adapt": "paper_utils.models.adapted",
    "attention_maps": "paper_utils.attention.maps",
    "attention_matrices": "paper_utils.attention.matrices",
    "attribute_heads": "paper_utils.interventions.own_metric",
    "cross_entropy": "paper_utils.interventions.own_metric",
    "logit_difference": "paper_utils.interventions.own_metric",
    "run_with_hooks": "paper_utils.interventions.hooks",
    "score_masks": "paper_utils.attention.masks",
    "sweep_heads": "paper_utils.interventions.own_metric",
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """Return (line of the page before the first, code) of each block of Python."""
    return [(text[: match.start(2)].count("\n"), match[2]) for match in FENCE.finditer(text) if match[1] == "python"]


def execute(text, name):
    """Run the blocks of a page in one namespace; a traceback shows the lines of the page."""
    namespace = {"__name__": "page"}
    for line, code in blocks(text):
        exec(compile("\n" * line + code, name, "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
class TestPage:
    @pytest.mark.slow
    def test_its_blocks_run(self, page, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("socket.socket.connect", None)  # offline
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            execute(page.read_text(), str(page))

    def test_every_block_is_python_or_of_a_shell(self, page):
        text = page.read_text()
        fences = [match[1] for match in FENCE.finditer(text)]
        assert set(fences) <= {"python", "sh"}
        assert len(re.findall(r"^ *```", text, re.MULTILINE)) == 2 * len(fences)

    def test_the_readme_links_it(self, page):
        assert f"(docs/{page.name})" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda path: path.stem)
def test_what_a_page_links_in_the_repository_is_there(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_page_shows_every_name_that_is_exported():
    code = "\n".join(code for _, code in blocks((ROOT / "docs" / "your_own_model.md").read_text()))
    imported = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    shown = {alias.name for node in imported if node.module == "paper_utils" for alias in node.names}
    assert shown == set(EXPORTED)


def test_exported_names_are_where_they_are_said_to_be():
    assert {name: getattr(paper_utils, name).__module__ for name in EXPORTED} == EXPORTED
    assert {*EXPORTED, "Run"} == set(paper_utils.__all__)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        _ = paper_utils.walk


def test_blocks_share_names_and_show_their_lines():
    page = "A page.\n\n```python\na = 1\n```\n\nNext.\n\n```python\nb = a\nassert b == 2\n```\n"
    assert [line for line, _ in blocks(page)] == [3, 9]
    with pytest.raises(AssertionError) as error:
        execute(page, "a page")
    assert error.traceback[-1].lineno + 1 == 11
