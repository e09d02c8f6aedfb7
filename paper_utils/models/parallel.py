"""Process parts of a batch in parallel threads, instead of all threads sharing every operation.

A ViT's operations on a few images take a millisecond or less. If all threads share an operation, each waits for the
slowest at the end of it; with a part of the batch for each thread they wait once, at the end of the batch. `make bench`
measures the gain.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["parallel_map"]


@contextlib.contextmanager
def parallel_map(parts: int, device: torch.device) -> Iterator[Callable[..., Iterable]]:
    """Yield a `map` that processes up to `parts` items in parallel within a block.

    Torch's threads are divided among the workers. Results come in order and do not depend on the number of workers. On
    a GPU, and with one thread or one part, it is Python's own map. Torch's modes (inference, autocast) belong to a
    thread, so the mapped function must enter them itself.

    Args:
        parts: how many items there are to process in parallel.
        device: that the items are processed on.
    """
    threads = torch.get_num_threads()
    workers = min(parts, threads) if device.type == "cpu" else 1
    if workers < 2:
        yield map
        return
    share = threads // workers
    torch.set_num_threads(share)
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(share,)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)
