"""A thread pool for kernels that let go of the GIL, one in each process."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import torch

ALONE = 2**18  # pixels below which handing work to threads costs more than it saves
PIECES = 2  # for each thread, so that one that is interrupted doesn't keep the others waiting


def split(work: Callable[[int, int], object], count: int, pixels: int) -> None:
    """Cover 0 to `count` by calls ``work(first, last)``, in as many threads as PyTorch has.

    That is one in a DataLoader's worker, and what ``torch.set_num_threads`` says elsewhere.
    """
    threads = torch.get_num_threads() if pixels >= ALONE else 1
    pieces = min(count, PIECES * threads)
    if threads == 1 or pieces < 2:
        work(0, count)
        return
    ends = [count * k // pieces for k in range(pieces + 1)]
    # the process is part of the key: a forked child has none of its parent's threads
    for _ in _pool(os.getpid(), threads).map(work, ends[:-1], ends[1:]):
        pass


@lru_cache(maxsize=1)
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="medaug")
