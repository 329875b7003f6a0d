"""Functions compiled by numba, with what was compiled kept on disk."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call; it lets go of the GIL while it runs."""
    try:
        made: Callable[P, R] = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no folder to write its cache to, as in a locked container
        made = njit(nogil=True, error_model="numpy")(function)
    return made
