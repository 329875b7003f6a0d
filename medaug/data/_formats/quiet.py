"""pydicom without its warnings and logs, which quote a damaged file: names and dates of a patient.

What is wrong with a file is said by our own errors, which name elements and never quote a text of
the patient's.
"""

import functools
import logging
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pydicom import config

P = ParamSpec("P")
R = TypeVar("R")


class _Quiet(threading.local, logging.Filter):
    """Holds back pydicom's log records of threads that decode."""

    active = False

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002  # logging's signature
        return not self.active


class _Unvalidated:
    """Switches pydicom's validation of values, and so its warnings, off while anybody decodes.

    The setting is the process's, so threads are counted: the last one out puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before = config.IGNORE

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = config.settings.reading_validation_mode
                config.settings.reading_validation_mode = config.IGNORE
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                config.settings.reading_validation_mode = self._before


_QUIET = _Quiet()
_UNVALIDATED = _Unvalidated()
# records reach a filter only from the very logger that it's on
for _name in ("pydicom", "pydicom.pixels.decoders.base"):
    logging.getLogger(_name).addFilter(_QUIET)


def quietly(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that reads DICOM."""

    @functools.wraps(function)
    def silent(*args: P.args, **kwargs: P.kwargs) -> R:
        before, _QUIET.active = _QUIET.active, True
        try:
            with _UNVALIDATED:
                return function(*args, **kwargs)
        finally:
            _QUIET.active = before

    return silent
