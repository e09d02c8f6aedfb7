"""A page of HTML within a notebook: in JupyterLab the page itself, in a frame of its own."""

from pathlib import Path

import anywidget
import traitlets

__all__ = ["PageWidget"]


class PageWidget(anywidget.AnyWidget):
    """Shows a page as it opens from disk; it is kept in a notebook's file only where widgets' states are."""

    _esm = Path(__file__).with_name("templates") / "page.js"
    page = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
