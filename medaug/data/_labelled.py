"""One call for all kinds of labelled images."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError
from ._collection import ImageCollection
from ._pictures.collection import PictureCollection
from ._radiograph import RadiographReader
from ._splits import SplitCollection

FOLDER = "folder"


def labelled_images(
    dataset: str, root: str | Path = "", *, attributes: Sequence[str] = (), seed: int = 0
) -> SplitCollection:
    """A user's own images, turned to grey, where `dataset` is "folder"; else a public picture set.

    Args:
        dataset: "folder", or what `PictureCollection` knows: "digits", "mnist", "celeba".
        root: what `ImageCollection` or `PictureCollection` reads.
        attributes: for "celeba".
        seed: draws the split.

    Raises:
        ConfigError, DataError, UnreadableImageError: as those two.
    """
    if dataset != FOLDER:
        return PictureCollection(dataset, root, attributes=attributes, seed=seed)
    if not str(root):
        raise DataError("dataset folder must be given its folder by --dataset_dir, got none")
    return ImageCollection(root, seed=seed, reader=RadiographReader(grey=True))
