import html.parser
import subprocess

import pytest

from paper_utils.errors import CompanionError
from paper_utils.files import ROOT
from tools import docs


class Links(html.parser.HTMLParser):
    """What a page links, and what it would fetch by itself."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        self.fetched += [attributes["src"]] if "src" in attributes else []
        self.fetched += [attributes["href"]] if tag == "link" and "href" in attributes else []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "docs"
    assert docs.build_site(folder) == folder / "index.html"
    return folder


@pytest.mark.slow
def test_every_page_is_there_fetches_nothing_and_links_what_is_there(site):
    for path in docs.PAGES:
        page = site / docs.page_of(path)
        found = Links(page.read_text())
        assert all(address.startswith("data:") for address in found.fetched), path
        near = [link.partition("#")[0] for link in found.links if link and not link.startswith(("#", "http", "mailto"))]
        assert [link for link in near if not (page.parent / link).exists()] == [], path
    assert "notebooks/04_head_ablation.html" in Links((site / "index.html").read_text()).links
    assert "api/paper_utils.html" in Links((site / "index.html").read_text()).links


@pytest.mark.slow
def test_the_reference_has_every_room_and_what_it_takes(site):
    rooms = {path.parent.name for path in (ROOT / "paper_utils").glob("*/__init__.py")}
    assert rooms <= {path.stem for path in (site / "api" / "paper_utils").glob("*.html")}
    assert "query_maps" in (site / "api" / "paper_utils" / "attention.html").read_text()


def test_links_to_pages_are_turned_and_others_are_kept_and_named():
    path, pages = ROOT / "docs" / "ledger.md", [ROOT / "README.md", ROOT / "notebooks" / "07_claims_ledger.ipynb"]
    links = ["../README.md#cite", "../notebooks/07_claims_ledger.ipynb", "../CITATION.cff", "https://x.y/z.md", "#here"]
    page = " ".join(f'<a href="{link}">' for link in links)
    turned, others = docs.linked(page, path, pages)
    assert Links(turned).links == ["../index.html#cite", "../notebooks/07_claims_ledger.html", *links[2:]]
    assert others == {ROOT / "CITATION.cff"}


def test_a_reference_that_cannot_be_made_is_one_line(monkeypatch, tmp_path):
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nNo module named pdoc")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(CompanionError, match="pdoc failed: No module named pdoc; `make setup`"):
        docs.build_site(tmp_path / "docs")
