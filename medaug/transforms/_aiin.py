"""Adaptive input-image normalisation (AIIN) of arrays, tensors and MetaTensors."""

from typing import Any, TypeVar, cast

import numpy as np
import torch
from monai.utils import convert_to_dst_type
from numpy.typing import NDArray

from ..errors import UserError
from . import _clahe
from ._checks import check_bits, check_threshold, check_value_range, check_windows
from ._levels import choose_levels

Image = TypeVar("Image", bound=np.ndarray[Any, Any] | torch.Tensor)


def aiin(
    image: Image,
    windows: tuple[int, int] = (4, 4),
    contrast_threshold: float = 10.0,
    *,
    bits: int | None = None,
    value_range: tuple[float, float] | None = None,
    mask: np.ndarray[Any, Any] | torch.Tensor | None = None,
    pool_frames: bool = False,
) -> Image:
    """Equalise the histogram of each window of an image, with its contrast limited.

    The image is cut into windows; each one's histogram is clipped, what was cut off is shared out
    among all levels, and the cumulative histogram becomes a look-up. A pixel's result is
    interpolated between the look-ups of the four windows around it. On uint8 and uint16 images
    it's the same, bit for bit, as OpenCV's ``createCLAHE(contrast_threshold, (windows_w,
    windows_h))`` on x86-64.

    Args:
        image: (..., H, W), row 0 at the top; each (H, W) plane before the last two axes is
            normalised by itself. uint8, uint16, another integer type with `bits`, or floats.
        windows: number of windows along (H, W), each 1 to 1024.
        contrast_threshold: the highest that a bin of a histogram may be, in multiples of the
            height it would have if all levels were equally frequent; 2^bits or more is no limit.
        bits: the image has the levels 0 to 2^bits - 1; None takes all those of uint8 or uint16.
            Must be given for floats.
        value_range: the values of a float image that the lowest and the highest level stand for;
            None is (0, 1).
        mask: True (or 1) where a pixel is valid; (H, W), or with leading axes that broadcast to
            the image's. Other pixels are counted in no histogram and come back unchanged, whatever
            they hold. Limit and scale of a window follow from its number of valid pixels (with
            those of its padding). A window without any takes the look-up of the nearest window
            that has some, or the mean of those that are equally near.
        pool_frames: make one set of look-ups from all planes together, so that a sequence doesn't
            flicker. The image must have at least three axes.

    Returns:
        A new image of the same type, dtype, shape and device, and with the same metadata; no
        gradient flows through it. Floats lie on the 2^bits levels over `value_range`.

    Raises:
        TypeError: `image` or `mask` isn't an array or tensor, or is complex or bool.
        UserError: another argument is out of its range, or a valid pixel is NaN, infinite, or
            outside `bits` or `value_range`.

    References:
        Saad, Rehmani and O'Reilly, "Addressing the intra-class mode collapse problem using
        adaptive input image normalization in GAN-based X-ray images", EMBC 2022. Their code
        calls OpenCV's CLAHE: Zuiderveld, "Contrast limited adaptive histogram equalization",
        Graphics Gems IV, 1994.
    """
    grid, threshold = check_windows(windows), check_threshold(contrast_threshold)
    pixels = _as_array(image, "image")
    levels = choose_levels(pixels.dtype, check_bits(bits), check_value_range(value_range))
    _check_shape(pixels.shape, pool_frames)
    valid = None if mask is None else _valid_pixels(mask, pixels.shape)
    grey = levels.bin(pixels, valid).reshape(-1, *pixels.shape[-2:])
    planes = None if valid is None else valid.reshape(grey.shape)

    equal = np.empty_like(grey)
    step = len(grey) if pool_frames else 1
    for group in (slice(start, start + step) for start in range(0, len(grey), step)):
        counted = None if planes is None else planes[group]
        tables = _clahe.fit(grey[group], counted, grid, threshold, levels.bits)
        equal[group] = [_clahe.apply(plane, tables) for plane in grey[group]]

    result = levels.values(equal, pixels.dtype).reshape(pixels.shape)
    return _like(result if valid is None else np.where(valid, result, pixels), image)


def _as_array(image: object, name: str) -> NDArray[Any]:
    if isinstance(image, torch.Tensor):
        tensor = image.as_subclass(torch.Tensor)
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True)
    if isinstance(image, np.ndarray):
        return np.asarray(image)
    raise TypeError(f"{name} must be a NumPy array or a torch tensor, got {type(image).__name__}")


def _check_shape(shape: tuple[int, ...], pool_frames: bool) -> None:
    if len(shape) < 2:
        raise UserError(f"image must have at least two axes (..., H, W), got shape {shape}")
    if pool_frames and len(shape) < 3:
        raise UserError(
            f"image must have at least three axes (frames, H, W) for pool_frames, got shape {shape}"
        )
    if 0 in shape:
        raise UserError(f"image must hold at least one pixel, got shape {shape}")


def _valid_pixels(mask: object, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    given = _as_array(mask, "mask")
    try:
        if given.shape[-2:] != shape[-2:]:
            raise ValueError
        spread = np.broadcast_to(given, shape)
    except ValueError:
        raise UserError(
            f"mask must have the shape {shape[-2:]} or one that broadcasts to the image's {shape}, "
            f"got {given.shape}"
        ) from None
    if given.dtype != np.bool_ and not np.isin(given, (0, 1)).all():
        raise UserError(f"mask must hold only True and False, or 1 and 0, got {given.dtype} values")
    return spread.astype(np.bool_)


def _like(result: NDArray[Any], image: Image) -> Image:
    """Return the result as the type of the image, on its device and with its metadata."""
    if not isinstance(image, torch.Tensor):
        return cast(Image, result.astype(image.dtype, copy=False))
    return cast(Image, convert_to_dst_type(result, image)[0])
