"""Run MONAI's bundle commands within a test, and put back what they change."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from monai.utils import set_determinism

from medaug.errors import UserError

TRUSTED = pytest.mark.filterwarnings("ignore:parsing config_file")
"""MONAI warns whenever it reads a configuration."""


@contextmanager
def as_it_was() -> Iterator[None]:
    """Keep logging, import path, excepthook and random state for those who come after."""
    loggers = [logging.getLogger(name) for name in (None, "medaug", "ignite")]
    states = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    path, hook, random = sys.path[:], sys.excepthook, torch.get_rng_state()
    try:
        yield
    finally:
        for logger, (handlers, level, propagate) in zip(loggers, states, strict=True):
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)
        sys.path[:], sys.excepthook = path, hook
        set_determinism(None)
        torch.set_rng_state(random)


def mistake(error: BaseException | None) -> UserError:
    """The UserError at the root of what MONAI raises; a test fails where there is none."""
    found: Any = None
    while error is not None:
        found = error if isinstance(error, UserError) else found
        error = error.__cause__ or error.__context__
    assert found is not None
    return found
