"""Transforms that load by our readers, without MONAI's `LoadImage`.

`LoadImage` falls back to other readers without a word, adds the file's name to the metadata and
prints a notice for each instance; these transforms call one reader and nothing else.
"""

from collections.abc import Hashable, Mapping, Sequence
from os import PathLike
from typing import Any, Protocol

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform, Transform
from monai.utils.enums import MetaKeys, SpaceKeys, TransformBackends
from monai.utils.misc import ImageMetaKey, ensure_tuple
from numpy.typing import NDArray

from ..errors import ConfigError
from ._radiograph import RadiographReader
from .limits import Limits

FileName = str | PathLike[str]

_AFFINE, _SPACE = str(MetaKeys.AFFINE.value), str(MetaKeys.SPACE.value)
_MASK = "mask"
# what describes grey levels has no meaning for a mask
_LEVEL_KEYS = ("bits", "value_range", "photometric")


class _Reader(Protocol):
    def get_data(self, img: FileName) -> tuple[NDArray[np.float32], dict[str, Any]]: ...


def to_meta_tensor(array: NDArray[Any] | torch.Tensor, meta: Mapping[str, Any]) -> MetaTensor:
    """Join channel-first pixels and a reader's metadata.

    Args:
        array: (C, ...) pixels; a NumPy array's memory is shared.
        meta: plain values; ``affine`` must be among them. It is copied, and never changed.
    """
    pixels = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
    # Both keys would else be added as enumeration members, which Python before 3.11.4 pickles in a
    # way that torch.load(weights_only=True) refuses.
    plain = {_SPACE: SpaceKeys.RAS.value, **meta, _AFFINE: meta[_AFFINE].clone()}
    return MetaTensor(pixels, meta=plain)


class FileLoader(Transform):
    """A file by one reader, as a MetaTensor; the base of the array transforms.

    Args:
        reader: `get_data` gives (C, ...) float32 and metadata, with ``mask`` if it was asked.
        file_name: keep the path in the metadata, as ``filename_or_obj``.
    """

    backend = [TransformBackends.NUMPY, TransformBackends.TORCH]  # noqa: RUF012  # MONAI's own type

    def __init__(self, reader: _Reader, *, file_name: bool = False) -> None:
        self.reader = reader
        self.file_name = bool(file_name)

    def __call__(self, filename: FileName) -> MetaTensor | tuple[MetaTensor, MetaTensor]:
        """Load one file; an (image, mask) pair where the reader gives a mask."""
        pixels, meta = self.reader.get_data(filename)
        mask = meta.pop(_MASK, None)
        if self.file_name:
            meta[ImageMetaKey.FILENAME_OR_OBJ] = str(filename)
        image = to_meta_tensor(pixels, meta)
        if mask is None:
            return image
        return image, to_meta_tensor(
            mask, {key: value for key, value in meta.items() if key not in _LEVEL_KEYS}
        )


class LoadRadiograph(FileLoader):
    """Path to radiograph: MetaTensor (1, H, W) float32 in [0, 1], upright, bone bright.

    The metadata are those of `RadiographReader`: nothing of the patient, and no file name unless
    asked. With `mask`, a pair (image, valid): `valid` is a bool MetaTensor (1, H, W), True where
    the pixel belongs to the image, False in padding and behind a display shutter.

    Args:
        mask: give the pair.
        voi: "window" or "none"; see `RadiographReader`.
        grey: turn colour and palette images into grey by luminance; else they are refused.
        limits: the largest image accepted; default `medaug.data.limits.DEFAULT_LIMITS`.
        file_name: keep the path in the metadata, as ``filename_or_obj``.

    Raises:
        UnreadableImageError: when called, on a file that can't be turned into correct pixels.
    """

    def __init__(
        self,
        *,
        mask: bool = False,
        voi: str = "window",
        grey: bool = False,
        limits: Limits | None = None,
        file_name: bool = False,
    ) -> None:
        reader = RadiographReader(voi=voi, grey=grey, limits=limits, mask=mask)
        super().__init__(reader, file_name=file_name)


class FileLoaderd(MapTransform):
    """Paths in a dictionary to MetaTensors, in a copy of it; the base of dictionary transforms.

    Args:
        keys: where the paths are, and where the images go.
        loader: loads an (image, mask) pair where there are `mask_keys`, else an image.
        mask_keys: where the masks go, one for each of `keys`; None for no masks.
        allow_missing_keys: leave out keys that the dictionary doesn't have.
    """

    backend = FileLoader.backend

    def __init__(
        self,
        keys: KeysCollection,
        loader: FileLoader,
        *,
        mask_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.loader = loader
        self.mask_keys: Sequence[Hashable | None] = [None] * len(self.keys)
        if mask_keys is not None:
            self.mask_keys = ensure_tuple(mask_keys)
        if len(self.mask_keys) != len(self.keys):
            raise ConfigError(
                f"mask_keys must have one key for each of keys, {len(self.keys)}, "
                f"got {len(self.mask_keys)}"
            )

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load every key's file."""
        result = dict(data)
        for key, mask_key in self.key_iterator(result, self.mask_keys):
            loaded = self.loader(result[key])
            if mask_key is None:
                result[key] = loaded
            else:
                result[key], result[mask_key] = loaded
        return result


class LoadRadiographd(FileLoaderd):
    """Paths in a dictionary to radiographs: `LoadRadiograph` for each of `keys`.

    Args:
        keys: where the paths are, and where the images go.
        mask_keys: where the masks of valid pixels go, one for each of `keys`; None for no masks.
        voi: "window" or "none"; see `RadiographReader`.
        grey: turn colour and palette images into grey by luminance; else they are refused.
        limits: the largest image accepted; default `medaug.data.limits.DEFAULT_LIMITS`.
        file_name: keep the path in the metadata, as ``filename_or_obj``.
        allow_missing_keys: leave out keys that the dictionary doesn't have.

    Raises:
        ConfigError: `mask_keys` and `keys` differ in number.
        KeyError: when called, on a dictionary without one of `keys`.
        UnreadableImageError: when called, on a file that can't be turned into correct pixels.
    """

    def __init__(
        self,
        keys: KeysCollection,
        mask_keys: KeysCollection | None = None,
        *,
        voi: str = "window",
        grey: bool = False,
        limits: Limits | None = None,
        file_name: bool = False,
        allow_missing_keys: bool = False,
    ) -> None:
        loader = LoadRadiograph(
            mask=mask_keys is not None, voi=voi, grey=grey, limits=limits, file_name=file_name
        )
        super().__init__(keys, loader, mask_keys=mask_keys, allow_missing_keys=allow_missing_keys)
