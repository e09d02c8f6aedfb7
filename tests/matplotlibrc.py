"""Settings that a user's matplotlibrc may hold, and what a program prints under them."""

import os
import subprocess
import sys

from paper_utils.files import ROOT

__all__ = ["USER_SETTINGS", "printed_under"]

# the first four changed 0.3 to 2.2 % of the pixels of an image
USER_SETTINGS = {
    "axes.unicode_minus": "False",
    "text.usetex": "True",
    "text.hinting": "none",
    "font.size": "16",
    "text.antialiased": "False",
    "font.family": "serif",
    "axes.formatter.limits": "-1, 1",
    "axes.formatter.useoffset": "False",
    "figure.facecolor": "black",
    "image.interpolation": "nearest",
    "image.cmap": "gray",
    "lines.antialiased": "False",
    "path.snap": "False",
    "path.sketch": "1, 100, 2",
    "xtick.minor.visible": "True",
    "figure.autolayout": "True",
}


def printed_under(settings, program, folder):
    """Return what a program prints, started with a matplotlibrc of these settings in a folder."""
    folder.mkdir()
    (folder / "matplotlibrc").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    environment = os.environ | {"MPLCONFIGDIR": str(folder), "MATPLOTLIBRC": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
