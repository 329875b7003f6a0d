"""One phantom for all, and a process left as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..bundle.process import as_it_was
from . import beating
from .golden import phantom
from .pipelines import CINES


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    with as_it_was():
        yield


@pytest.fixture(scope="session")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The radiograph that ``golden.json`` is about."""
    return phantom(tmp_path_factory.mktemp("phantoms"))


@pytest.fixture(scope="session")
def cine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cine that ``golden.json`` is about."""
    return beating.write(tmp_path_factory.mktemp("cines"))


@pytest.fixture(scope="session")
def sample(dicom: Path, cine: Path) -> Callable[[Path], Path]:
    """The file that a pipeline's ``golden.json`` is about."""
    return lambda folder: cine if folder.name in CINES else dicom
