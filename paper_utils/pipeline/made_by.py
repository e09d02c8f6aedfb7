"""What a notebook and its figures are made by: their code and the libraries that draw them, as this process found them."""

from functools import cache
from importlib.metadata import version

from ..files import ROOT
from .figures import FIGURES
from .sources import definition_hash, script_hash

__all__ = ["drawn_with", "made_by"]


@cache
def made_by(notebook: str) -> dict[str, object]:
    """Return hashes of a notebook's script and of each of its figures' functions, and the versions of what draws."""
    own = {name: figure.plot for name, figure in FIGURES.items() if figure.notebook == notebook}
    return {
        "script": script_hash(ROOT / "notebooks" / f"{notebook}.py"),
        "plots": {name: definition_hash("paper_utils.plots", plot) for name, plot in own.items()},
        "drawn_with": drawn_with(),
    }


def drawn_with() -> dict[str, str]:
    """Return the versions of the libraries that draw figures."""
    return {name: version(name) for name in ("matplotlib", "seaborn")}
