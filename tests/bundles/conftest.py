"""MONAI's bundle commands change the process that they run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..bundle.process import as_it_was
from .acgan import train
from .radiographs import CLASSES, collection


@pytest.fixture(autouse=True)
def _as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)  # the configurations look for runs/ where the command is given
    with as_it_was():
        yield


@pytest.fixture(scope="package")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen images of three classes."""
    return collection(tmp_path_factory.mktemp("collection") / "data")


@pytest.fixture(scope="package")
def enough(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many images as an evaluation needs."""
    folder = tmp_path_factory.mktemp("enough") / "data"
    return collection(folder, dict.fromkeys(CLASSES, 40))


@pytest.fixture(scope="package")
def judged(enough: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of a training on them; not to be written to."""
    with as_it_was():
        yield train(enough, tmp_path_factory.mktemp("judged") / "run")


@pytest.fixture(scope="package")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of a training of one epoch; not to be written to."""
    with as_it_was():
        yield train(data, tmp_path_factory.mktemp("runs") / "run")
