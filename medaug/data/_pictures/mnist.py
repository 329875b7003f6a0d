"""MNIST by torchvision, from a folder that is never written to."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from torchvision.datasets import MNIST

from ...errors import DataError, UnreadableImageError
from .._formats.decode import one_line, read_file, unzip
from .._formats.pixels import Options
from .._seeding import mixed
from .found import Found, pixel_ids

_FILES = tuple(
    f"{part}-{content}-ubyte"
    for part in ("train", "t10k")
    for content in ("images-idx3", "labels-idx1")
)
_PLACES = (".", "raw", "MNIST/raw")
_VALIDATION = 5_000 / 60_000
_SIDE = 28


class _PlainMNIST(MNIST):  # type: ignore[misc]  # torchvision has no types
    """Finds the four files directly in its root."""

    @property
    def raw_folder(self) -> str:
        return str(self.root)


def read_mnist(folder: Path, seed: int) -> Found:
    """The training set in two by the seed, 55,000 to learn from and 5,000; the test set as it is.

    Args:
        folder: holds the four idx files, plain or gzip, itself or in ``raw`` or ``MNIST/raw``.
        seed: draws the split.

    Raises:
        DataError: a file is missing or damaged.
    """
    (train, train_labels), (test, test_labels) = _both_sets(folder)
    pictures = np.concatenate([train, test])
    ids = pixel_ids(pictures)
    return Found(
        images=list(pictures),
        names=[""] * len(ids),
        labels=[*train_labels, *test_labels],
        ids=ids,
        splits=[*_training_or_validation(ids[: len(train)], seed), *["test"] * len(test)],
        classes=tuple("0123456789"),
        origin=f"MNIST, {folder}",
    )


def _training_or_validation(ids: list[str], seed: int) -> list[str]:
    order = np.random.default_rng(mixed(seed)).permutation(np.argsort(ids))
    chosen = set(order[: round(_VALIDATION * len(ids))].tolist())
    return ["validation" if k in chosen else "training" for k in range(len(ids))]


_Set = tuple[NDArray[np.uint8], list[int]]


def _both_sets(folder: Path) -> tuple[_Set, _Set]:
    files = _files_in(folder)
    # torchvision reads plain files only, and the user's folder may be read-only
    with TemporaryDirectory(prefix="medaug-mnist-") as unpacked:
        for name, file in zip(_FILES, files, strict=True):
            try:
                content = unzip(read_file(file, Options()), Options())
            # what zlib says of a damaged stream has many types
            except Exception as error:
                raise DataError(f"{file}: must be one of MNIST's files, {_why(error)}") from error
            Path(unpacked, name).write_bytes(content)
        return _checked(folder, unpacked, train=True), _checked(folder, unpacked, train=False)


def _files_in(folder: Path) -> list[Path]:
    """The four files, plain or .gz, from the first place that has any of them."""
    for place in (folder / place for place in _PLACES):
        named = {name: [place / name, place / f"{name}.gz"] for name in _FILES}
        there = {name: [file for file in both if file.is_file()] for name, both in named.items()}
        missing = [name for name, both in there.items() if not both]
        if not missing:
            return [both[0] for both in there.values()]
        if len(missing) < len(_FILES):
            raise DataError(
                f"{place}: must hold MNIST's four files, plain or .gz, got no {', '.join(missing)}"
            )
    got = "no such folder" if not folder.is_dir() else "none of them there or in raw or MNIST/raw"
    raise DataError(f"{folder}: must hold MNIST's four files ({_FILES[0]}, …), got {got}")


def _checked(folder: Path, unpacked: str, *, train: bool) -> _Set:
    what = "training" if train else "test"
    try:
        loaded = _PlainMNIST(unpacked, train=train)
        images: NDArray[np.uint8] = loaded.data.numpy()
        labels: list[int] = loaded.targets.tolist()
    # torchvision asserts, indexes and looks up in what the file says
    except Exception as error:
        raise DataError(f"{folder}: MNIST's {what} files must be whole, {_why(error)}") from error
    if images.shape[1:] != (_SIDE, _SIDE) or len(images) != len(labels) or not labels:
        raise DataError(
            f"{folder}: MNIST's {what} files must hold as many labels as pictures of "
            f"{_SIDE} x {_SIDE}, got {len(labels):,} labels and pictures of {images.shape}"
        )
    if not 0 <= min(labels) <= max(labels) <= 9:
        raise DataError(
            f"{folder}: MNIST's {what} labels must be 0 to 9, got {min(labels)} to {max(labels)}"
        )
    return images, labels


def _why(error: Exception) -> str:
    reason = str(error) if isinstance(error, UnreadableImageError) else one_line(error)
    return f"got a fault: {reason}"
