import re

import nbformat
import pytest
from IPython.core.formatters import DisplayFormatter
from nbformat import v4

from paper_utils.claims import Claim, Ledger
from paper_utils.errors import CompanionError
from tools import report

NEAR = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}


def cell_of(content):
    """A code cell whose result is what IPython shows of `content`."""
    data, metadata = DisplayFormatter().format(content)
    cell = v4.new_code_cell("secret_code()", execution_count=1)
    cell.outputs = [v4.new_output("execute_result", data, metadata=metadata, execution_count=1)]
    return cell


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A small executed notebook with what notebook 7 has: prose, a ledger, a table, a figure."""
    protocols = ("described", "released")
    claim = Claim(
        "n",
        "a <claim>",
        "a quote",
        "abstract",
        "0.11 %",
        "near",
        NEAR,
        "f",
        "04b_other_ablations",
        "By layer",
        protocols,
    )
    ledger = Ledger.of({"x": 0.1, "released.x": 5.0}, [{"x": 0.1}], against=[claim])
    figure = cell_of(None)
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    figure.outputs = [v4.new_output("display_data", {"image/png": pixel, "text/plain": "<Figure>"})]
    cells = [v4.new_markdown_cell("# 7 · Does the paper hold?"), cell_of(ledger.summary()), cell_of(ledger), figure]
    path = tmp_path_factory.mktemp("run") / "07_claims_ledger.ipynb"
    nbformat.write(v4.new_notebook(cells=cells), path)
    return path


@pytest.fixture(scope="module")
def page(executed):
    return report.report_page([executed, executed], notebooks="../../notebooks")


def test_it_shows_ledger_and_figures_without_code_and_the_links_lead_to_the_notebooks(page):
    assert "<title>Does the paper hold?</title>" in page
    assert '<h1 id="7' in page
    assert "secret_code" not in page
    assert page.count('<h1 id="7') == 2  # of both notebooks that it was given
    assert page.count("<details open>") == 2
    assert "<b>a &lt;claim&gt;</b>" in page
    assert '<span class="verdict no">not reproduced</span>' in page
    assert "2 of 2" in page
    assert '<a href="../../notebooks/04b_other_ablations.ipynb#By-layer">' in page
    assert "data:image/png;base64," in page


def test_nothing_is_fetched(page):
    assert not re.findall(r"<script[^>]*src=|<link[^>]*href=|@import|<img[^>]*src=\"(?!data:)", page)
    assert not re.findall(r"url\(\s*['\"]?https?:", page)


@pytest.mark.parametrize("width", [400, 1200])
def test_it_fits_a_phone_and_a_desk(page, tmp_path, shown, width):
    path = tmp_path / "report.html"
    measure = "<script>document.body.dataset.over = document.documentElement.scrollWidth - innerWidth</script></body>"
    # headless windows have a least width, so that the page is measured in a frame of its own
    path.write_text(page.replace("</body>", measure))
    frame = tmp_path / "frame.html"
    frame.write_text(
        f'<iframe id="f" src="report.html" style="width:{width}px;height:800px;border:0"></iframe><script>'
        "onload = () => document.body.dataset.over = document.getElementById('f').contentDocument.body.dataset.over</script>"
    )
    over = re.search(r'data-over="(-?\d+)"', shown(frame))
    assert int(over[1]) <= 0  # nothing sticks out to the right; a scroll bar takes some of the width


def test_a_missing_or_damaged_notebook_is_named(tmp_path):
    path = tmp_path / "07_claims_ledger.ipynb"
    with pytest.raises(CompanionError, match=r"07_claims_ledger\.ipynb is missing; run `make figures` first"):
        report.report_page([path], notebooks="")
    with pytest.raises(CompanionError, match=r"is missing; run `make figures PROFILE=smoke` first"):
        report.report_page([path], notebooks="", again="make figures PROFILE=smoke")
    path.write_text("{")
    with pytest.raises(CompanionError, match=r"07_claims_ledger\.ipynb is damaged"):
        report.report_page([path], notebooks="")


def test_it_prints_to_pdf_where_a_browser_is_and_says_where_none_is(page, tmp_path, monkeypatch):
    path, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    path.write_text(page)
    if report.print_page(path, pdf):
        assert pdf.read_bytes().startswith(b"%PDF")
    monkeypatch.setattr(report, "BROWSERS", ())
    assert not report.print_page(path, tmp_path / "other.pdf")
    monkeypatch.setattr(report, "BROWSERS", ("false",))
    with pytest.raises(CompanionError, match=r"false could not print"):
        report.print_page(path, tmp_path / "other.pdf")
    monkeypatch.setattr(report, "BROWSERS", ("true",))
    with pytest.raises(CompanionError, match=r"true printed nothing of"):
        report.print_page(path, tmp_path / "other.pdf")
    assert not (tmp_path / "other.pdf").exists()
