"""MONAI's bundle commands change the process that they run in."""

from collections.abc import Iterator

import pytest

from .process import as_it_was


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    with as_it_was():
        yield
