"""AIIN with parameters drawn for each image, as an augmentation."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform

from ..errors import UserError
from ._aiin import Image, Mask
from ._checks import check_threshold, check_windows
from ._transforms import AIIN, AIINd


class _Draws(RandomizableTransform):
    """Draws whether to normalise, and by which windows and which threshold."""

    def __init__(
        self, windows_range: tuple[int, int], threshold_range: tuple[float, float], prob: float
    ) -> None:
        super().__init__(_checked_prob(prob))
        self.windows_range = _checked_windows(windows_range)
        self.threshold_range = _checked_thresholds(threshold_range)
        self.windows = self.windows_range[0]
        self.contrast_threshold = self.threshold_range[0]

    def randomize(self, data: Any = None) -> None:
        """Draw anew."""
        super().randomize(data)
        if not self._do_transform:
            return
        fewest, most = self.windows_range
        self.windows = int(self.R.randint(fewest, most + 1))
        low, high = self.threshold_range
        drawn = math.exp(self.R.uniform(math.log(low), math.log(high)))
        self.contrast_threshold = min(max(drawn, low), high)


class RandAIIN(_Draws):
    """Normalise an image by `AIIN` with a random number of windows and contrast threshold.

    Args:
        windows_range: fewest and most windows along both H and W; each number is equally likely.
        threshold_range: lowest and highest contrast threshold, drawn evenly on a log scale.
        prob: how likely an image is normalised, 0 to 1; else it comes back as it is.
        bits: as in `AIIN`.
        value_range: as in `AIIN`.
        pool_frames: as in `AIIN`.
        frame_axis: as in `AIIN`.

    Raises:
        UserError: a parameter is out of its range; said when the transform is made.
    """

    backend = AIIN.backend

    def __init__(
        self,
        windows_range: tuple[int, int] = (2, 8),
        threshold_range: tuple[float, float] = (2.0, 20.0),
        prob: float = 0.1,
        *,
        bits: int | None = None,
        value_range: tuple[float, float] | None = None,
        pool_frames: bool = False,
        frame_axis: int = -3,
    ) -> None:
        super().__init__(windows_range, threshold_range, prob)
        self.options: dict[str, Any] = {
            "bits": bits,
            "value_range": value_range,
            "pool_frames": pool_frames,
            "frame_axis": frame_axis,
        }
        AIIN(**self.options)

    def __call__(self, img: Image, mask: Mask | None = None, randomize: bool = True) -> Image:
        """Return the image, normalised or not; ``meta["aiin"]`` says by what, as `AIIN` does.

        Args:
            img: see `aiin`.
            mask: see `aiin`.
            randomize: False takes what was drawn last.
        """
        if randomize:
            self.randomize()
        if not self._do_transform:
            return img
        grid = self.windows, self.windows
        return AIIN(grid, self.contrast_threshold, **self.options)(img, mask)


class RandAIINd(_Draws, MapTransform):
    """Dictionary version of `RandAIIN`: all images of a dictionary share what is drawn.

    Where `bits` is None, it is taken from a MetaTensor's metadata, as in `AIINd`.

    Args:
        keys: the images' keys.
        windows_range: fewest and most windows along both H and W; each number is equally likely.
        threshold_range: lowest and highest contrast threshold, drawn evenly on a log scale.
        prob: how likely the images are normalised, 0 to 1; else they come back as they are.
        bits: as in `AIINd`.
        value_range: as in `AIINd`.
        pool_frames: as in `AIINd`.
        frame_axis: as in `AIINd`.
        mask_key: as in `AIINd`.
        allow_missing_keys: as in `AIINd`.

    Raises:
        UserError: as in `AIINd`.
    """

    backend = AIINd.backend

    def __init__(
        self,
        keys: KeysCollection,
        windows_range: tuple[int, int] = (2, 8),
        threshold_range: tuple[float, float] = (2.0, 20.0),
        prob: float = 0.1,
        *,
        bits: int | None = None,
        value_range: tuple[float, float] | None = None,
        pool_frames: bool = False,
        frame_axis: int = -3,
        mask_key: Hashable | None = None,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        _Draws.__init__(self, windows_range, threshold_range, prob)
        self.options: dict[str, Any] = {
            "bits": bits,
            "value_range": value_range,
            "pool_frames": pool_frames,
            "frame_axis": frame_axis,
            "mask_key": mask_key,
            "allow_missing_keys": allow_missing_keys,
        }
        AIINd(self.keys, **self.options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of the dictionary, with the images normalised or not."""
        self.randomize()
        if not self._do_transform:
            list(self.key_iterator(dict(data)))  # raises where a key is missing
            return dict(data)
        grid = self.windows, self.windows
        return AIINd(self.keys, grid, self.contrast_threshold, **self.options)(data)


def _checked_prob(prob: object) -> float:
    if isinstance(prob, bool) or not isinstance(prob, int | float) or not 0 <= prob <= 1:
        raise UserError(f"prob must be a number from 0 to 1, got {prob!r}")
    return float(prob)


def _checked_windows(windows_range: tuple[int, int]) -> tuple[int, int]:
    try:
        fewest, most = check_windows(windows_range)
    except UserError:
        fewest, most = 1, 0
    if fewest > most:
        raise UserError(
            "windows_range must be two integers from 1 to 1024, the fewest first, got "
            f"{windows_range!r}"
        )
    return fewest, most


def _checked_thresholds(threshold_range: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = (check_threshold(threshold) for threshold in threshold_range)
    except (UserError, TypeError, ValueError):
        low, high = 1.0, 0.0
    if low > high:
        raise UserError(
            "threshold_range must be two finite numbers above 0, the lower first, got "
            f"{threshold_range!r}"
        )
    return low, high


RandAIIND = RandAIINDict = RandAIINd
