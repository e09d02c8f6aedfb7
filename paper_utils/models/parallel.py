"""Let a processor's cores work side by side, each on images of its own, instead of all sharing every operation.

A ViT's operations on a few images take a millisecond or less. Shared between cores, each waits for the slowest at the
end of every one, and what else the machine does makes one of them slow; side by side they wait once, at the end.
`make bench` measures what that saves.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["parallel_map"]


@contextlib.contextmanager
def parallel_map(parts: int, device: torch.device) -> Iterator[Callable[..., Iterable]]:
    """Yield a `map` that works on up to `parts` at once within a block, each on its share of the cores.

    Results come in order, and a result does not depend on how many are worked on at once. On a GPU, and where there is
    one core or one part, it is Python's own map. torch's modes (inference, autocast) are a thread's own: what is mapped
    enters them itself.

    Args:
        parts: that there are to work on together.
        device: where the work is done.
    """
    cores = torch.get_num_threads()
    workers = min(parts, cores) if device.type == "cpu" else 1
    if workers < 2:
        yield map
        return
    share = cores // workers
    torch.set_num_threads(share)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(cores)
