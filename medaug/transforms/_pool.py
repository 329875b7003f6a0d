"""Threads for kernels that let go of the GIL: the caller's, and a pool in each process."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache
from itertools import pairwise

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
    left = iter(list(pairwise(ends)))  # shared: whoever is free takes the next piece

    def take() -> None:
        for first, last in left:
            work(first, last)

    # the process is part of the key: a forked child has none of its parent's threads
    pool = _pool(os.getpid(), threads - 1)
    others = [pool.submit(take) for _ in range(threads - 1)]
    try:
        take()
    finally:
        wait(others)
    for other in others:
        other.result()


@lru_cache(maxsize=1)
def _pool(_process: int, threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="medaug")
