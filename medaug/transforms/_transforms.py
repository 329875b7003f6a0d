"""AIIN as MONAI transforms."""

import operator
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any, SupportsIndex

from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from ..errors import UserError
from ._aiin import Image, Mask, normalise
from ._checks import Settings, check_bits, check_settings


class AIIN(Transform):
    """Normalise an image by `aiin`, and record the parameters in a MetaTensor's metadata.

    Args:
        windows: number of windows along (H, W).
        contrast_threshold: in multiples of an even histogram's height.
        bits: the image has the levels 0 to 2^bits - 1; must be given for floats.
        value_range: the float values of the lowest and the highest level; None is (0, 1).
        pool_frames: make one set of look-ups from all frames of a sequence.
        frame_axis: the axis of the frames; the one before H and W, as in (C, T, H, W).

    Raises:
        UserError: a parameter is out of its range; said when the transform is made.
    """

    backend = [TransformBackends.NUMPY, TransformBackends.TORCH]  # noqa: RUF012  # MONAI's form

    def __init__(
        self,
        windows: tuple[int, int] = (4, 4),
        contrast_threshold: float = 10.0,
        *,
        bits: int | None = None,
        value_range: tuple[float, float] | None = None,
        pool_frames: bool = False,
        frame_axis: int = -3,
    ) -> None:
        self.settings = check_settings(
            windows, contrast_threshold, bits, value_range, pool_frames, frame_axis
        )

    def __call__(self, img: Image, mask: Mask | None = None) -> Image:
        """Return the image normalised; see `aiin` for the types and for `mask`.

        A MetaTensor's ``meta["aiin"]`` then holds windows, contrast_threshold, bits and
        pool_frames.
        """
        return normalise_and_record(img, self.settings, mask)


def normalise_and_record(image: Image, settings: Settings, mask: Mask | None) -> Image:
    """Do what `AIIN` does."""
    result = normalise(image, settings, mask)
    if isinstance(result, MetaTensor):
        result.meta["aiin"] = {
            "windows": list(settings.windows),
            "contrast_threshold": settings.threshold,
            "bits": settings.bits or 8 * result.element_size(),
            "pool_frames": settings.pool_frames,
        }
    return result


class AIINd(MapTransform):
    """Dictionary version of `AIIN`.

    Where `bits` is None, it is taken from a MetaTensor's ``meta["bits"]``, which medaug's readers
    write beside their floats in [0, 1]. (Their ``meta["value_range"]`` holds modality units and
    isn't used here.) An integer image whose dtype is too small for that takes the dtype's bits.

    Args:
        keys: the images' keys.
        windows: number of windows along (H, W).
        contrast_threshold: in multiples of an even histogram's height.
        bits: the images have the levels 0 to 2^bits - 1.
        value_range: the float values of the lowest and the highest level; None is (0, 1).
        pool_frames: make one set of look-ups from all frames of a sequence.
        frame_axis: the axis of the frames; the one before H and W, as in (C, T, H, W).
        mask_key: key of the mask for all images, True where a pixel is valid.
        allow_missing_keys: pass over images that are missing; a missing mask is always an error.

    Raises:
        UserError: a parameter is out of its range, or an image can't be used; the latter names
            its key.
    """

    backend = AIIN.backend

    def __init__(
        self,
        keys: KeysCollection,
        windows: tuple[int, int] = (4, 4),
        contrast_threshold: float = 10.0,
        *,
        bits: int | None = None,
        value_range: tuple[float, float] | None = None,
        pool_frames: bool = False,
        frame_axis: int = -3,
        mask_key: Hashable | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.settings = check_settings(
            windows, contrast_threshold, bits, value_range, pool_frames, frame_axis
        )
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of the dictionary with the images normalised."""
        result = dict(data)
        mask = self._mask(result)
        for key in self.key_iterator(result):
            try:
                result[key] = normalise_and_record(
                    result[key], with_bits_of(result[key], self.settings), mask
                )
            except (UserError, TypeError) as error:
                raise type(error)(f"{error} (key {key!r})") from error
        return result

    def _mask(self, data: Mapping[Hashable, Any]) -> Mask | None:
        if self.mask_key is None:
            return None
        if self.mask_key not in data:
            raise UserError(f"mask_key must be a key of the data, got {self.mask_key!r}")
        mask: Mask = data[self.mask_key]
        return mask


def with_bits_of(image: object, settings: Settings) -> Settings:
    """Return the settings with the bits that the image's metadata says, if they are left open."""
    if settings.bits is not None or not isinstance(image, MetaTensor):
        return settings
    if image.meta.get("bits") is None:
        return settings
    bits = _one_integer(image.meta["bits"])
    if not image.is_floating_point() and bits > 8 * image.element_size():
        return settings
    return replace(settings, bits=check_bits(bits))


def _one_integer(bits: SupportsIndex) -> int:
    try:
        return operator.index(bits)
    except TypeError:
        raise UserError(f"meta['bits'] must be one integer from 1 to 16, got {bits!r}") from None


AIIND = AIINDict = AIINd
