"""Docs, notebooks and the reference of the package as a site in build/docs: `python -m tools.docs`.

The site mirrors the repository, so that links between pages hold: README, docs and the notebooks with the outputs that
ship, each as HTML that fetches nothing, and `api/`, which pdoc makes of the docstrings. The report and the explorer of
the laptop run are added where it was run.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, write_text
from paper_utils.pipeline.run import Run
from tools.report import page_exporter, read_notebook

__all__ = ["PAGES", "SITE", "build_site", "linked", "page_of"]

SITE = ROOT / "build" / "docs"
PACKAGE = ROOT / "paper_utils"
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
)
REFERENCE = "api/paper_utils.html"
RUN_PAGES = {"report.html": "the report", "explorer.html": "the explorer"}  # of a run, into the site's root
LINK = re.compile(r"""(?<=href=["'])(?![a-z]+:|#)([^"'#]+)""")


def page_of(path: Path) -> Path:
    """Return where the page of a file stands in the site, seen from its root."""
    inner = path.relative_to(ROOT)
    return Path("index.html") if inner == Path("README.md") else inner.with_suffix(".html")


def linked(page: str, path: Path, pages: Iterable[Path], *, at: Path | None = None) -> tuple[str, set[Path]]:
    """Return the HTML of a file with its links to other files turned to their pages, and which other files it links.

    Args:
        page: the HTML.
        path: of the file that it was made of.
        pages: all files that have one.
        at: where the page stands in the site, if not where `page_of` says.
    """
    known, others = set(pages), set()

    def turn(link: re.Match[str]) -> str:
        target = (path.parent / link[1]).resolve()
        if target in known:
            up = "../" * (len((at or page_of(path)).parts) - 1)
            return f"{up}{page_of(target).as_posix()}"
        if target.is_file() and target.is_relative_to(ROOT):
            others.add(target)
        return link[1]

    return LINK.sub(turn, page), others


def build_site(site: Path = SITE) -> Path:
    """Write the site and return its first page.

    Raises:
        CompanionError: pdoc is not installed or fails, or a notebook is missing or damaged.
    """
    shutil.rmtree(site, ignore_errors=True)
    # the rooms by name: what `__all__` leaves out pdoc does not look for
    modules = ["paper_utils", *sorted(f"paper_utils.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py"))]
    command = [sys.executable, "-m", "pdoc", *modules, "--docformat", "google", "-o", str(site / "api")]
    made = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT)
    if made.returncode:
        last = (made.stderr.strip().splitlines() or ["no message"])[-1]
        raise CompanionError(f"pdoc failed: {last}; `make setup` installs what it needs")
    run = Run("laptop", "checkpoint", notebook="docs")
    extra = {REFERENCE: "the reference of the package"} | {
        name: title for name, title in RUN_PAGES.items() if (run.figures / name).is_file()
    }
    for path in PAGES:
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            if path.name == "README.md":
                text += (
                    "\n\nThis site also has " + ", ".join(f"[{title}]({link})" for link, title in extra.items()) + "."
                )
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
        else:
            notebook = read_notebook(path)
        resources = {"metadata": {"name": path.stem, "path": str(path.parent)}}
        page, _ = page_exporter().from_notebook_node(notebook, resources)
        page, others = linked(page, path, PAGES)
        write_text(site / page_of(path), page)
        for other in others:
            copy = site / other.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(other, copy)
    for name in RUN_PAGES:
        if (run.figures / name).is_file():
            # the report's links lead from figures/laptop to notebooks
            page, _ = linked((run.figures / name).read_text(encoding="utf-8"), run.figures / name, PAGES, at=Path(name))
            write_text(site / name, page)
    return site / "index.html"


def main() -> None:
    argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__.split(":")[0] + ".").parse_args()
    with reported():
        print(build_site())


if __name__ == "__main__":
    main()
