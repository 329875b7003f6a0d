"""How this process treats memory that it has freed."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt(3)."""


def keep_freed_memory() -> None:
    """Let freed memory be used again instead of going back to the system each time.

    A step of a training frees and takes the same hundreds of megabytes; each time they come back
    from the system, every page of them is cleared first: on two cores, up to a fifth of the step
    (see docs/benchmarks.md). The process holds on to the most that it has ever used. Elsewhere than
    with glibc this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**30)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
