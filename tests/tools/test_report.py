import re

import numpy as np
import pytest
from PIL import Image

from paper_utils.claims import rules as claims
from paper_utils.errors import CompanionError
from tools import report


@pytest.fixture
def page(tmp_path):
    Image.fromarray(np.full((50, 90, 3), 200, np.uint8)).save(tmp_path / "figure_4.png")
    rule = {"key": "x", "published": 0.11, "tolerance": 0.05, "unit": "%"}
    ledger = [
        claims.Claim(
            name,
            "a <claim>",
            "quote & all",
            "abstract",
            "0.11 %",
            "near",
            rule,
            "figure_4",
            "04_head_ablation",
            "By layer",
            protocols,
        )
        for name, protocols in (("one", ("described", "released")), ("two", ("described",)))
    ]
    results = {"x": 0.1, "released.x": 5.0, "origin.commit": "abc", "origin.versions": {"torch": "2"}}
    found = claims.judge_all(ledger, results, [{"x": 0.1}])
    other = claims.judge_all(ledger, {"x": 9.0, "released.x": 9.0}, [])
    return report.report_page(ledger, found, tmp_path, results, {"paper": other})


def test_every_verdict_has_its_row_with_links_and_the_page_stands_alone(page):
    assert page.count("<tr id=") == 3
    assert '<tr id="one-released">' in page
    assert 'class="yes">reproduced' in page
    assert 'class="no">not reproduced' in page
    assert "2 reproduced" in page
    assert "2 of 2 starts" in page
    assert "a &lt;claim&gt;" in page
    assert '<a href="#figure_4">figure</a>, <a href="../../notebooks/04_head_ablation.ipynb#By-layer">' in page
    assert page.count('id="figure_4"') == 1
    assert "data:image/png;base64," in page
    assert "http" not in page
    assert "profile paper" in page
    assert "torch 2" in page
    assert "{{" not in page


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


def test_a_missing_figure_is_named(tmp_path):
    claim = claims.Claim("n", "s", "q", "p", "v", "untestable", {"why": "w"}, "figure_9", "nb", "h")
    with pytest.raises(CompanionError, match=r"figure_9\.png is missing; run `make figures` first"):
        report.report_page([claim], claims.judge_all([claim], {}, []), tmp_path, {}, {})


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
