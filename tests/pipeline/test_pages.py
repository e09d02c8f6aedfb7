import subprocess
import sys

from IPython.display import Markdown

from paper_utils.files import ROOT
from paper_utils.pipeline.pages import HEADLESS, shown_page
from paper_utils.plots.page import PageWidget

PAGE = "<!doctype html><p>one"


def test_a_page_is_a_widget_where_someone_looks_and_a_line_where_nobody_does(monkeypatch):
    monkeypatch.setenv(HEADLESS, "1")
    line = shown_page(PAGE, "explorer", folder="figures/smoke")
    assert isinstance(line, Markdown)
    assert "figures/smoke/explorer.html" in line.data
    assert PAGE not in line.data
    monkeypatch.delenv(HEADLESS)
    widget = shown_page(PAGE, "explorer", folder="figures/smoke")
    assert isinstance(widget, PageWidget)
    assert widget.get_state()["page"] == PAGE
    assert "render(" in widget.get_state()["_esm"]


def test_the_widget_is_loaded_only_where_it_is_shown():
    code = "import sys, paper_utils; paper_utils.Run; assert not {'anywidget', 'IPython'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
