"""Adaptive input-image normalisation (AIIN) of arrays, tensors and MetaTensors."""

import math
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from ..errors import UserError
from . import _clahe, _torch
from ._checks import Settings, check_offset, check_settings
from ._kernels import Grey
from ._layout import Layout, layout, patch
from ._levels import Levels, choose_levels

Mask = np.ndarray[Any, Any] | torch.Tensor
Image = TypeVar("Image", bound=np.ndarray[Any, Any] | torch.Tensor)


@dataclass(frozen=True)
class LookUps:
    """What `fit_look_ups` found in an image: a look-up table for each window.

    Attributes:
        tables: (planes, windows_h, windows_w, 2^bits) uint8 or uint16; pooled frames count as one.
        shape: of the image, (..., H, W), with 1 for the axis that was pooled.
        levels: the grey levels of the image.
    """

    tables: Grey
    shape: tuple[int, ...]
    levels: Levels


def aiin(
    image: Image,
    windows: tuple[int, int] = (4, 4),
    contrast_threshold: float = 10.0,
    *,
    bits: int | None = None,
    value_range: tuple[float, float] | None = None,
    mask: Mask | None = None,
    pool_frames: bool = False,
    frame_axis: int = -3,
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
        pool_frames: make one set of look-ups from all frames together, so that a sequence doesn't
            flicker.
        frame_axis: the axis of the frames; the one before H and W, as in (C, T, H, W).

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
    settings = check_settings(
        windows, contrast_threshold, bits, value_range, pool_frames, frame_axis
    )
    return normalise(image, settings, mask)


def normalise(image: Image, settings: Settings, mask: Mask | None) -> Image:
    """Do as `aiin` does, with parameters that were checked."""
    if isinstance(image, torch.Tensor) and not _compiled_for(image):
        return cast(Image, _on_device(image, settings, mask))
    pixels, levels = _pixels(image, settings)
    groups = _clahe.group_planes(pixels.shape[:-2], _pooled(pixels.shape, settings))
    valid = None if mask is None else _valid_pixels(mask, pixels.shape)
    grey, span = levels.bin(pixels, valid)
    planes = None if valid is None else _planes(valid)
    equal = _clahe.equalise(
        _planes(grey), groups, planes, settings.windows, settings.threshold, levels.bits, span
    )
    return _result(equal, levels, pixels, valid, image)


def _compiled_for(image: torch.Tensor) -> bool:
    """Tell whether the compiled kernels can work in the tensor's memory."""
    return image.device.type == "cpu"


def _on_device(image: torch.Tensor, settings: Settings, mask: Mask | None) -> torch.Tensor:
    """Do as `normalise` in torch, where the image is."""
    plain, shape = image.detach().as_subclass(torch.Tensor), tuple(image.shape)
    levels = choose_levels(
        _as_array(plain.new_empty(0), "image").dtype, settings.bits, settings.value_range
    )
    _check_shape(shape)
    axis = _pooled(shape, settings)
    frames = 1 if axis is None else shape[axis]
    _clahe.check_size(shape[-2:], frames, settings.windows, settings.threshold, levels.bits)
    valid = None
    if mask is not None:
        valid = torch.tensor(_valid_pixels(mask, shape), device=plain.device)
    _torch.check_values(plain, levels.bits, levels.value_range, valid)
    result = _torch.normalise(
        plain,
        settings.windows,
        settings.threshold,
        levels.bits,
        levels.value_range,
        valid,
        settings.pool_frames,
        settings.frame_axis,
    )
    return _with_metadata(result, image)


def fit_look_ups(
    image: np.ndarray[Any, Any] | torch.Tensor,
    windows: tuple[int, int] = (4, 4),
    contrast_threshold: float = 10.0,
    *,
    bits: int | None = None,
    value_range: tuple[float, float] | None = None,
    mask: Mask | None = None,
    pool_frames: bool = False,
    frame_axis: int = -3,
) -> LookUps:
    """Make the look-ups of an image, to be applied to its patches or to other frames of it.

    ``apply_look_ups(image, fit_look_ups(image, ...))`` is ``aiin(image, ...)``, whose arguments and
    errors these are. Patches that were normalised by themselves don't fit together. Tensors on
    other devices are worked on in the main memory.
    """
    settings = check_settings(
        windows, contrast_threshold, bits, value_range, pool_frames, frame_axis
    )
    pixels, levels = _pixels(image, settings)
    pooled = _pooled(pixels.shape, settings)
    groups = _clahe.group_planes(pixels.shape[:-2], pooled)
    valid = None if mask is None else _valid_pixels(mask, pixels.shape)
    grey, _ = levels.bin(pixels, valid)
    planes = None if valid is None else _planes(valid)
    tables = _clahe.fit(
        _planes(grey), groups, planes, settings.windows, settings.threshold, levels.bits,
        (0, levels.highest),
    )  # fmt: skip
    shape = [1 if axis == pooled else size for axis, size in enumerate(pixels.shape)]
    return LookUps(tables, tuple(shape), levels)


def apply_look_ups(
    image: Image,
    look_ups: LookUps,
    *,
    offset: tuple[int, int] = (0, 0),
    mask: Mask | None = None,
) -> Image:
    """Normalise an image, or a patch of it, by look-ups that were made from the whole.

    Args:
        image: (..., h, w) with the leading axes that the look-ups were made from (along pooled
            frames any number), and of the same levels.
        look_ups: from `fit_look_ups`.
        offset: row and column of the patch's first pixel in the whole image.
        mask: as in `aiin`; here only says which pixels come back unchanged.

    Returns:
        As `aiin` does.

    Raises:
        TypeError: as `aiin` does.
        UserError: the patch doesn't lie in the whole image, its axes are others, or a valid pixel
            is out of range.
    """
    pixels = _as_array(image, "image")
    _check_shape(pixels.shape)
    levels = look_ups.levels
    if (pixels.dtype.kind == "f") != (levels.value_range is not None):
        raise UserError(
            f"image must be of the kind that the look-ups were made from, "
            f"{'floats' if levels.value_range else 'integers'}, got {pixels.dtype}"
        )
    groups = _look_up_groups(pixels.shape, look_ups.shape)
    over = _layout(pixels.shape, look_ups, offset)
    valid = None if mask is None else _valid_pixels(mask, pixels.shape)
    grey, span = levels.bin(pixels, valid)
    planes = _planes(grey)
    equal = np.empty_like(planes)
    _clahe.apply(planes, groups, look_ups.tables, over, equal, span)
    return _result(equal, levels, pixels, valid, image)


def _pixels(image: object, settings: Settings) -> tuple[NDArray[Any], Levels]:
    pixels = _as_array(image, "image")
    levels = choose_levels(pixels.dtype, settings.bits, settings.value_range)
    _check_shape(pixels.shape)
    return pixels, levels


def _planes(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return (P, H, W), contiguous and not read-only, so that one compiled variant will do."""
    planes = np.ascontiguousarray(pixels).reshape(-1, *pixels.shape[-2:])
    return planes if planes.flags.writeable else planes.copy()


def _pooled(shape: tuple[int, ...], settings: Settings) -> int | None:
    """Return the leading axis to pool, counted from the front."""
    if not settings.pool_frames:
        return None
    axis = settings.frame_axis
    if not -len(shape) <= axis < len(shape) or axis % len(shape) >= len(shape) - 2:
        raise UserError(
            f"frame_axis must be an axis before H and W for pool_frames, got {axis} for an image "
            f"of shape {shape}"
        )
    return axis % len(shape)


def _result(
    equal: Grey,
    levels: Levels,
    pixels: NDArray[Any],
    valid: NDArray[np.bool_] | None,
    image: Image,
) -> Image:
    values = levels.values(equal, pixels.dtype).reshape(pixels.shape)
    if valid is not None:
        np.copyto(values, pixels, where=~valid)
    return _like(values, image)


def _as_array(image: object, name: str) -> NDArray[Any]:
    if isinstance(image, torch.Tensor):
        tensor = image.as_subclass(torch.Tensor)
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True)
    if isinstance(image, np.ndarray):
        return np.asarray(image)
    raise TypeError(f"{name} must be a NumPy array or a torch tensor, got {type(image).__name__}")


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise UserError(f"image must have at least two axes (..., H, W), got shape {shape}")
    if 0 in shape:
        raise UserError(f"image must hold at least one pixel, got shape {shape}")


def _look_up_groups(shape: tuple[int, ...], fitted: tuple[int, ...]) -> _clahe.Groups:
    lead = shape[:-2]
    same = len(shape) == len(fitted)
    if not same or any(n not in (1, m) for m, n in zip(lead, fitted[:-2], strict=True)):
        raise UserError(
            f"image must have the axes that the look-ups were made from, {fitted[:-2]} before H "
            f"and W, got shape {shape}"
        )
    owners = np.arange(math.prod(fitted[:-2]), dtype=np.int64).reshape(fitted[:-2])
    spread = np.broadcast_to(owners, lead).ravel()
    members = np.arange(spread.size, dtype=np.uint64)
    return _clahe.Groups(members, spread, members[:0], 0)


def _layout(shape: tuple[int, ...], look_ups: LookUps, offset: tuple[int, int]) -> Layout:
    whole, (top, left) = look_ups.shape[-2:], check_offset(offset)
    if not (0 <= top <= whole[0] - shape[-2] and 0 <= left <= whole[1] - shape[-1]):
        raise UserError(
            f"offset and image must lie in the whole image of {whole}, got a patch of "
            f"{shape[-2:]} at {offset}"
        )
    windows = look_ups.tables.shape[1], look_ups.tables.shape[2]
    return patch(layout(whole[0], whole[1], windows), top, left, *shape[-2:])


def _valid_pixels(mask: object, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    given = _as_array(mask, "mask")
    try:
        if given.shape[-2:] != shape[-2:]:
            raise ValueError
        spread = given if given.shape == shape else np.broadcast_to(given, shape)
    except ValueError:
        raise UserError(
            f"mask must have the shape {shape[-2:]} or one that broadcasts to the image's {shape}, "
            f"got {given.shape}"
        ) from None
    if given.dtype != np.bool_ and not np.isin(given, (0, 1)).all():
        raise UserError(f"mask must hold only True and False, or 1 and 0, got {given.dtype} values")
    return spread.astype(np.bool_, copy=False)


def _like(result: NDArray[Any], image: Image) -> Image:
    """Return the result as the type of the image and with its metadata."""
    if not isinstance(image, torch.Tensor):
        return cast(Image, result.astype(image.dtype, copy=False))
    return cast(
        Image, _with_metadata(torch.from_numpy(result).to(image.device, image.dtype), image)
    )


def _with_metadata(result: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    if not isinstance(image, MetaTensor):
        return result
    meta: Any = result.as_subclass(MetaTensor)
    copied: torch.Tensor = meta.copy_meta_from(image)
    return copied
