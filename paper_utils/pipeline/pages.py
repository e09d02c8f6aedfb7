"""How a notebook shows a page of HTML: itself where someone looks, else where it is to be found."""

import os

__all__ = ["HEADLESS", "shown_page"]

HEADLESS = "PAPER_UTILS_HEADLESS"  # environment variable of kernels that nobody looks at: a page is megabytes


def shown_page(page: str, name: str, *, folder: str) -> object:
    """Return what a cell shows of a page: a widget, or a line about it where the notebook is executed headlessly.

    Args:
        page: its HTML.
        name: of its file, without the ending.
        folder: where a run that computes writes it, as a reader is told.
    """
    # IPython and anywidget load for half a second, which other processes that import a run would pay
    if os.environ.get(HEADLESS):
        from IPython.display import Markdown

        return Markdown(
            f"*In JupyterLab this cell shows the page; `make figures` writes it to `{folder}/{name}.html`.*"
        )
    from ..plots.page import PageWidget

    return PageWidget(page=page, title=name)
