"""The executed ledger (notebooks 7 to 7d) as one self-contained page, and as PDF: `python -m tools.report --help`.

The page is these notebooks as the run executed them, without their code. Nothing in it is fetched: style and figures are inlined.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jinja2
import nbformat
from nbconvert import HTMLExporter

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT, atomic_path, write_text
from paper_utils.pipeline.figures import NOTEBOOKS
from tools.figures import add_run_options, as_make, run_of

__all__ = ["installed_browser", "page_exporter", "print_page", "read_notebook", "report_page"]

CHAPTERS = tuple(name for name in NOTEBOOKS if name.startswith("07"))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# JupyterLab's page without the scripts it would fetch, and with outputs that fit a narrow screen
TEMPLATE = """{% extends "lab/index.html.j2" %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_css %}
<style>
body.jp-Notebook { max-width: 76rem; margin: 0 auto; overflow: visible; }
.jp-OutputArea-output { overflow-x: auto; max-width: 100%; min-width: 0; }
.jp-OutputArea-output img { max-width: 100%; height: auto; }
</style>
{% endblock %}
"""


def report_page(executed: Sequence[Path], *, notebooks: str, again: str = "make figures") -> str:
    """Return executed notebooks as one page of HTML, their code left out, their figures inlined, all rows unfolded.

    Args:
        executed: each .ipynb with its outputs.
        notebooks: address, seen from the page, of the folder that the notebook's links to other notebooks start from.
        again: what executes them, for the error.

    Raises:
        CompanionError: a notebook is not there, or cannot be read.
    """
    notebook = nbformat.v4.new_notebook(
        cells=[cell for path in executed for cell in read_notebook(path, again=again).cells]
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"  # notebooks of one origin have some in common
    page, _ = page_exporter(code=False).from_notebook_node(notebook, {"metadata": {"name": "Does the paper hold?"}})
    page = page.replace("<details>", "<details open>")
    return re.sub(r'(?<=href=")(?=\d\d[a-z]?_\w+\.ipynb)', f"{notebooks}/", page)


def page_exporter(*, code: bool = True) -> HTMLExporter:
    """Return what makes a page of a notebook: JupyterLab's look, figures inlined, nothing fetched."""
    return HTMLExporter(
        template_name="lab",
        template_file="report.html.j2",
        extra_loaders=[jinja2.DictLoader({"report.html.j2": TEMPLATE})],
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        embed_images=True,
    )


def read_notebook(executed: Path, *, again: str = "make figures") -> nbformat.NotebookNode:
    """Return a notebook with its outputs.

    Raises:
        CompanionError: it is not there, or cannot be read.
    """
    try:
        return nbformat.read(executed, as_version=4)
    except FileNotFoundError as error:
        raise CompanionError(f"{executed} is missing; run `{again}` first") from error
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise CompanionError(f"{executed} is damaged; remove it and run `{again}` again") from error


def installed_browser() -> str | None:
    """Return the path of an installed Chromium, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def print_page(page: Path, target: Path) -> bool:
    """Print a page of ours to PDF with an installed Chromium; return whether there is one.

    Raises:
        CompanionError: the browser fails.
    """
    browser = installed_browser()
    if browser is None:
        return False
    with tempfile.TemporaryDirectory() as profile, atomic_path(target) as temporary:
        options = f"--headless --no-sandbox --disable-gpu --no-pdf-header-footer --user-data-dir={profile}"
        command = [browser, *options.split(), f"--print-to-pdf={temporary}", page.resolve().as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=120, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise CompanionError(f"{browser} could not print {page}: {error}") from error
        if not temporary.is_file() or not temporary.read_bytes().startswith(b"%PDF"):
            raise CompanionError(f"{browser} printed nothing of {page}; is there space on the disk?")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.report", description=__doc__.split(":")[0] + ".")
    add_run_options(parser)
    options = parser.parse_args()
    with reported():
        run = run_of(options)
        page, pdf = run.figures / "report.html", run.figures / "report.pdf"
        notebooks = Path(os.path.relpath(ROOT / "notebooks", run.figures)).as_posix()
        executed = [run.build / f"{name}.ipynb" for name in CHAPTERS]
        content = report_page(executed, notebooks=notebooks, again=as_make("figures", options))
        write_text(page, content)
        print(page)
        if print_page(page, pdf):
            print(pdf)
        else:
            print("no PDF: Chromium is not installed; any browser prints the page")


if __name__ == "__main__":
    main()
