"""Commands of the project: execute notebooks, status, compare, ship a reference run, fill the README, report."""

import os
import sys

if not sys.stderr.isatty():  # progress bars only where someone looks; tqdm reads this where it is first imported
    os.environ.setdefault("TQDM_DISABLE", "1")
