"""Several processes that work together: which of them this one is, what is its share, and what they tell each other.

`accelerate launch` starts them (`tools.results`). A process is alone until it calls `join`, and the functions here then
do nothing. Each process runs the same program, so all must reach what they do together in the same order.
"""

import atexit
import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

from ..errors import CompanionError

__all__ = [
    "ProcessLost",
    "add",
    "alone",
    "collect",
    "cpu_wanted",
    "from_main",
    "gather",
    "is_main",
    "join",
    "number",
    "share",
    "total",
    "wait",
]

Value = TypeVar("Value")
PATIENCE = timedelta(days=30)  # that a process waits for another; the launcher ends it when the other is lost
LAST_WORDS = 30  # seconds a process waits on a loss: the launcher ends it before, and names the process that was lost
_NOTHING: Any = object()
_state: PartialState | None = None


class ProcessLost(CompanionError):
    """Another process has ended while this one was to work with it."""


def cpu_wanted() -> bool:
    """Return whether GPUs are to be left alone: there is none, or the environment has ACCELERATE_USE_CPU=true."""
    return not torch.cuda.is_available() or os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true")


def join() -> None:
    """Join the other processes that the launcher has started; without a launcher this one stays alone.

    Raises:
        CompanionError: there are fewer GPUs than processes, or the others cannot be reached.
    """
    global _state
    if _stated("WORLD_SIZE") < 2 or "LOCAL_RANK" not in os.environ:
        return
    here = _stated("LOCAL_WORLD_SIZE")
    if not cpu_wanted() and here > torch.cuda.device_count():
        raise CompanionError(
            f"{here} processes need {here} GPUs, there are {torch.cuda.device_count()}; start fewer, or set "
            "ACCELERATE_USE_CPU=true"
        )
    try:
        _state = PartialState(cpu=cpu_wanted(), timeout=PATIENCE)
    except RuntimeError as error:
        raise CompanionError(f"cannot join the other processes: {error}; start them again") from error
    # else one process in eight aborts as it ends, its work done: torch's threads outlive what they talk to
    atexit.register(_state.destroy_process_group)


def _stated(name: str) -> int:
    """Return a number of processes that the launcher has put into the environment, 1 if it has not."""
    value = os.environ.get(name, "1")
    if not value.isdecimal():
        raise CompanionError(f"{name} is {value!r}, no number of processes; unset it, or start by `make results`")
    return int(value)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Work as if there were no other process within a block, on what the others do not do too."""
    global _state
    joined, _state = _state, None
    try:
        yield
    finally:
        _state = joined


def total() -> int:
    """Return how many processes work together."""
    return _state.num_processes if _state else 1


def number() -> int:
    """Return which of them this one is, from 0."""
    return _state.process_index if _state else 0


def is_main() -> bool:
    """Return whether this is the process that writes results."""
    return number() == 0


def share(items: Sequence[Value]) -> list[Value]:
    """Return the items that are this process's to do."""
    return list(items[number() :: total()])


def wait() -> None:
    """Wait until all processes are here.

    Raises:
        ProcessLost: one of them was.
    """
    if _state:
        with _named_loss():
            _state.wait_for_everyone()


def from_main(compute: Callable[[], Value]) -> Value:
    """Return what `compute` returns in the main process, to all; the others do not call it.

    Raises:
        ProcessLost: one of the processes was.
    """
    if not _state:
        return compute()
    values = [compute() if is_main() else None]
    with _named_loss():
        return broadcast_object_list(values)[0]


def gather(value: Value) -> list[Value]:
    """Return what each process gives, in their order, to all.

    Raises:
        ProcessLost: one of the processes was.
    """
    if not _state:
        return [value]
    with _named_loss():
        return gather_object([value])


def collect(own: Sequence[Value]) -> list[Value]:
    """Return what became of all items, in their order, given what became of this process's share of them.

    Raises:
        ProcessLost: one of the processes was.
    """
    found = gather(list(own))
    rounds = itertools.zip_longest(*found, fillvalue=_NOTHING)
    return [value for values in rounds for value in values if value is not _NOTHING]


def add(values: torch.Tensor) -> None:
    """Replace a tensor, of the same shape in each process, by the sum over the processes.

    Raises:
        ProcessLost: one of the processes was.
    """
    if _state:
        with _named_loss():
            torch.distributed.all_reduce(values)


@contextlib.contextmanager
def _named_loss() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.distributed's errors are of this kind
        time.sleep(LAST_WORDS)
        raise ProcessLost("another process was lost; its own message is above, or it was killed") from error
