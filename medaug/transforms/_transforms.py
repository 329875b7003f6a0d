"""AIIN as MONAI transforms."""

import operator
from collections.abc import Hashable, Mapping
from typing import Any, SupportsIndex

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Transform
from monai.utils import TransformBackends

from ..errors import UserError
from ._aiin import Image, aiin
from ._checks import check_bits, check_threshold, check_value_range, check_windows


class AIIN(Transform):
    """Normalise an image by `aiin`, and record the parameters in a MetaTensor's metadata.

    Args:
        windows: number of windows along (H, W).
        contrast_threshold: in multiples of an even histogram's height.
        bits: the image has the levels 0 to 2^bits - 1; must be given for floats.
        value_range: the float values of the lowest and the highest level; None is (0, 1).

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
    ) -> None:
        self.windows = check_windows(windows)
        self.contrast_threshold = check_threshold(contrast_threshold)
        self.bits = check_bits(bits)
        self.value_range = check_value_range(value_range)

    def __call__(
        self, img: Image, mask: np.ndarray[Any, Any] | torch.Tensor | None = None
    ) -> Image:
        """Return the image normalised; see `aiin` for the types and for `mask`.

        A MetaTensor's ``meta["aiin"]`` then holds windows, contrast_threshold and bits.
        """
        result = aiin(
            img,
            self.windows,
            self.contrast_threshold,
            bits=self.bits,
            value_range=self.value_range,
            mask=mask,
        )
        if isinstance(result, MetaTensor):
            result.meta["aiin"] = {
                "windows": list(self.windows),
                "contrast_threshold": self.contrast_threshold,
                "bits": self.bits or 8 * result.element_size(),
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
        mask_key: Hashable | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.transform = AIIN(windows, contrast_threshold, bits=bits, value_range=value_range)
        self.mask_key = mask_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of the dictionary with the images normalised."""
        result = dict(data)
        mask = self._mask(result)
        for key in self.key_iterator(result):
            try:
                result[key] = self._for(result[key])(result[key], mask)
            except (UserError, TypeError) as error:
                raise type(error)(f"{error} (key {key!r})") from error
        return result

    def _mask(self, data: Mapping[Hashable, Any]) -> np.ndarray[Any, Any] | torch.Tensor | None:
        if self.mask_key is None:
            return None
        if self.mask_key not in data:
            raise UserError(f"mask_key must be a key of the data, got {self.mask_key!r}")
        mask: np.ndarray[Any, Any] | torch.Tensor = data[self.mask_key]
        return mask

    def _for(self, image: object) -> AIIN:
        """Return the transform with the bits that the image's metadata says, if any."""
        if self.transform.bits is not None or not isinstance(image, MetaTensor):
            return self.transform
        if image.meta.get("bits") is None:
            return self.transform
        bits = _one_integer(image.meta["bits"])
        if not image.is_floating_point() and bits > 8 * image.element_size():
            return self.transform
        return AIIN(
            self.transform.windows,
            self.transform.contrast_threshold,
            bits=bits,
            value_range=self.transform.value_range,
        )


def _one_integer(bits: SupportsIndex) -> int:
    try:
        return operator.index(bits)
    except TypeError:
        raise UserError(f"meta['bits'] must be one integer from 1 to 16, got {bits!r}") from None


AIIND = AIINDict = AIINd
