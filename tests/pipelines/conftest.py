"""One phantom for all, and a process left as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..bundle.process import as_it_was
from .golden import phantom


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    with as_it_was():
        yield


@pytest.fixture(scope="session")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantom that ``golden.json`` is about."""
    return phantom(tmp_path_factory.mktemp("phantoms"))
