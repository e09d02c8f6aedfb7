"""Hold drawn figures against those that ship, pixel by pixel: `python -m tools.check_figures FOLDER`.

The notebooks draw them into FOLDER where PAPER_UTILS_SHIP_TO names it; the notebooks' part of `make test` does both.
Processors differ in the last digit of an attention weight, which moves the colour of a patch by a step or two. Another
digit in a cell, colour map or place of a label changes more than a few pixels by far more.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from paper_utils.errors import CompanionError, reported
from paper_utils.files import ROOT
from paper_utils.pipeline.figures import SHIPPED_FIGURES

__all__ = ["check", "difference"]

SHIPPED = ROOT / "figures" / "reference"
STEP = 16  # of 255, from which a pixel is another one
MOST = 10  # such pixels


def difference(drawn: Path, shipped: Path) -> str:
    """Return in what a figure differs from the one that ships, in words; nothing if it is the same within tolerance."""
    if not drawn.is_file():
        return f"{drawn.name} was not drawn"
    if not shipped.is_file():
        return f"{shipped} does not ship"
    with Image.open(drawn) as first, Image.open(shipped) as second:
        if first.size != second.size:
            return "{} has {} x {} pixels, not {} x {}".format(drawn.name, *first.size, *second.size)
        ours, theirs = (np.asarray(image.convert("RGB")).astype(int) for image in (first, second))
    other = int((np.abs(ours - theirs).max(-1) > STEP).sum())
    return f"{drawn.name} differs in {other:,} pixels" if other > MOST else ""


def check(folder: Path, shipped: Path = SHIPPED, names: Sequence[str] = SHIPPED_FIGURES) -> None:
    """Compare all figures that ship.

    Raises:
        CompanionError: some are missing or differ, each of which is named.
    """
    found = [difference(folder / f"{name}.png", shipped / f"{name}.png") for name in names]
    if wrong := [line for line in found if line]:
        raise CompanionError(f"{'; '.join(wrong)}; look at {folder}, and if that is right run `make notebooks`")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.check_figures", description=__doc__.split(":")[0] + ".")
    parser.add_argument("folder", type=Path, help="of the drawn figures")
    options = parser.parse_args()
    with reported():
        check(options.folder)
        print(f"{len(SHIPPED_FIGURES)} figures are drawn as they ship")


if __name__ == "__main__":
    main()
