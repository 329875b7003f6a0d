"""AIIN as a layer, so that an exported network carries its own normalisation."""

import torch
from torch import Tensor, nn

from ..errors import UserError
from ._checks import check_bits, check_threshold, check_value_range, check_windows
from ._torch import normalise


class AIINLayer(nn.Module):
    """Normalise each plane of a batch as `aiin` does, with the same numbers, on any device.

    It has no parameters and lets no gradient through. ``torch.jit.script`` takes it for any size,
    ``torch.export.export`` for the size and dtype that it is given (the number of images may be
    dynamic); run as they are, both give the same numbers. A compiler that fuses multiplication and
    addition (Inductor or TorchScript's fuser for CUDA) may make a pixel one level different.

    Where `aiin` refuses values, a graph can't: values outside the levels or `value_range` count as
    the nearest end, so do infinities, and NaN counts as the lowest level.

    Args:
        windows: number of windows along (H, W), each 1 to 1024.
        contrast_threshold: in multiples of an even histogram's height, above 0.
        bits: images have the levels 0 to 2^bits - 1, 1 to 16.
        value_range: the values of a float image that the lowest and the highest level stand for;
            integer images are levels themselves.

    Shape:
        (..., H, W), integers or floats, to the same shape and dtype.

    Raises:
        UserError: a parameter is out of its range; said when the layer is made. In `forward`, an
            image has no pixels or fewer than two axes, or its dtype doesn't hold `bits`.
        TypeError: an image is complex or bool.
    """

    def __init__(
        self,
        windows: tuple[int, int] = (4, 4),
        contrast_threshold: float = 10.0,
        *,
        bits: int,
        value_range: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        super().__init__()
        self.windows = check_windows(windows)
        self.contrast_threshold = check_threshold(contrast_threshold)
        self.value_range = check_value_range(value_range) or (0.0, 1.0)
        known = check_bits(bits)
        if known is None:
            raise UserError("bits must be an integer from 1 to 16, got None")
        self.bits = known

    def forward(self, image: Tensor) -> Tensor:
        """Return the image normalised."""
        _check(image, self.bits)
        return normalise(image, self.windows, self.contrast_threshold, self.bits, self.value_range)

    def extra_repr(self) -> str:
        """Name the parameters."""
        return (
            f"windows={self.windows}, contrast_threshold={self.contrast_threshold}, "
            f"bits={self.bits}, value_range={self.value_range}"
        )


def _check(image: Tensor, bits: int) -> None:
    if image.dim() < 2:
        raise UserError(f"image must have at least two axes (..., H, W), got shape {image.shape}")
    if image.numel() == 0:
        raise UserError(f"image must hold at least one pixel, got shape {image.shape}")
    if image.is_complex() or image.dtype == torch.bool:
        raise TypeError(f"image must be of an integer or float dtype, got {image.dtype}")
    most = 16
    if image.dtype == torch.uint8:
        most = 8
    elif image.dtype == torch.int8:
        most = 7
    elif image.dtype == torch.int16:
        most = 15
    if bits > most:
        raise UserError(f"bits must be 1 to {most} for an image of {image.dtype}, got {bits}")
