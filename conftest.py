"""Kernels that nbval starts inherit this, whatever the shell that called pytest has set."""

import os

# a progress bar would never print the same twice
os.environ["TQDM_DISABLE"] = "1"
# a page of megabytes would be kept with each output (paper_utils/pipeline/pages.py)
os.environ["PAPER_UTILS_HEADLESS"] = "1"
# a kernelspec "python3" found there may be another Python's: kernels are this environment's
os.environ.pop("JUPYTER_PATH", None)
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
