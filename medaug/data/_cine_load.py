"""Transforms that load cines by our reader, without MONAI's `LoadImage`."""

from monai.config import KeysCollection

from ._cine.reader import CineReader
from ._load import FileLoader, FileLoaderd
from .limits import Limits


class LoadCine(FileLoader):
    """Path of a file or folder to cine: MetaTensor (C, T, H, W) float32 in [0, 1], upright.

    The metadata are those of `CineReader`: nothing of the patient, and no file name unless asked.

    Args:
        slices: a slice's number from 0 along the normal, "middle" or "all"; one channel each.
        limits: the largest cine accepted; default `medaug.data.limits.DEFAULT_LIMITS`.
        file_name: keep the path in the metadata, as ``filename_or_obj``.

    Raises:
        ConfigError: `slices` has a wrong value.
        UnreadableImageError: when called, on what can't be turned into a correct cine.
    """

    def __init__(
        self,
        *,
        slices: int | str = "middle",
        limits: Limits | None = None,
        file_name: bool = False,
    ) -> None:
        super().__init__(CineReader(slices=slices, limits=limits), file_name=file_name)


class LoadCined(FileLoaderd):
    """Paths in a dictionary to cines: `LoadCine` for each of `keys`.

    Args:
        keys: where the paths are, and where the cines go.
        slices: a slice's number from 0 along the normal, "middle" or "all"; one channel each.
        limits: the largest cine accepted; default `medaug.data.limits.DEFAULT_LIMITS`.
        file_name: keep the path in the metadata, as ``filename_or_obj``.
        allow_missing_keys: leave out keys that the dictionary doesn't have.

    Raises:
        ConfigError: `slices` has a wrong value.
        KeyError: when called, on a dictionary without one of `keys`.
        UnreadableImageError: when called, on what can't be turned into a correct cine.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        slices: int | str = "middle",
        limits: Limits | None = None,
        file_name: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        loader = LoadCine(slices=slices, limits=limits, file_name=file_name)
        super().__init__(keys, loader, allow_missing_keys=allow_missing_keys)
