"""Kernels that start on any machine: this Python's, private to a run, and where HOME or TMPDIR are unusual."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from paper_utils.files import ROOT
from paper_utils.pipeline.pages import HEADLESS

__all__ = ["ThisPythonsKernel", "kernel_chatter_to", "kernel_environment", "kernel_settings"]

LONGEST_SOCKET_PATH = 100  # Linux takes 107 bytes and macOS 103
LOADERS_SOCKET = Path("pymp-12345678", "listener-12345678")  # as multiprocessing names it
# what Jupyter, IPython and matplotlib write below HOME
HOME_FOLDERS = ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR", "MPLCONFIGDIR")


class ThisPythonsKernel(AsyncKernelManager):
    """Starts kernels with the Python that runs this program, whatever kernelspecs JUPYTER_PATH or HOME hold."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The only kernelspec there is."""
        return KernelSpec(argv=make_ipkernel_cmd(), display_name="Python 3", language="python", name="python3")


def kernel_settings(folder: str) -> Config:
    """Return settings by which a kernel and its client meet in `folder`, so that parallel runs never share a port.

    They talk through sockets in that folder, or through ports of 127.0.0.1 where a socket's path would be too long.
    """
    settings = {"connection_file": f"{folder}/kernel.json", "transport": "ipc", "ip": f"{folder}/kernel"}
    if len(os.fsencode(f"{settings['ip']}-99")) > LONGEST_SOCKET_PATH:
        settings |= {"transport": "tcp", "ip": "127.0.0.1"}
    return Config({"KernelManager": settings})


@contextmanager
def kernel_environment(folder: Path, *, progress: bool) -> Iterator[None]:
    """Set what kernels inherit within a block: UTF-8, folders of their own, and neither progress bars nor pages."""
    more = {HEADLESS: "1", "PYTHONUTF8": "1"} | ({} if progress else {"TQDM_DISABLE": "1"})
    # glibc gives each thread a heap of its own, whose freed memory no other uses: a notebook of many stages grows by it
    more.setdefault("MALLOC_ARENA_MAX", os.environ.get("MALLOC_ARENA_MAX", "2"))
    # nor any settings or startup files of the user, which may change what a notebook shows or which package it finds
    more["IPYTHONDIR"] = str(folder / "ipythondir")
    # what a loader that is killed leaves goes with the folder, unless its sockets would have too long a path there
    if len(os.fsencode(folder / LOADERS_SOCKET)) <= LONGEST_SOCKET_PATH:
        more["TMPDIR"] = str(folder)
    # this checkout's package, wherever another may be installed
    more["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        with tempfile.TemporaryFile(dir=os.path.expanduser("~")):
            pass
    except OSError:
        more |= {name: str(folder / name.lower()) for name in HOME_FOLDERS if name not in os.environ}
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def kernel_chatter_to(path: Path) -> Iterator[TextIO]:
    """Send this process's stderr, which kernels inherit, to a file within a block; yield the real one."""
    real = os.dup(2)
    try:
        with open(path, "w", encoding="utf-8") as file, os.fdopen(os.dup(real), "w", encoding="utf-8") as terminal:
            os.dup2(file.fileno(), 2)
            yield terminal
    finally:
        os.dup2(real, 2)
        os.close(real)
