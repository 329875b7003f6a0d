"""Pictures as tensors of one size."""

from collections.abc import Hashable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms.transform import MapTransform
from PIL import Image, ImageOps
from torch import Tensor

from ...errors import ConfigError, UnreadableImageError
from .._formats.decode import one_line, read_file
from .._formats.pixels import Options

_MODES = {1: "L", 3: "RGB"}
# others have more than 8 bits, which Pillow would cut off
_FILE_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")


class LoadPictured(MapTransform):
    """Paths or uint8 arrays in a dictionary to tensors of one size, in a copy of it.

    A picture is cut to the square in its middle and resized by an antialiased triangle filter
    (Pillow's bilinear), in 8 bits. The result is a plain (channels, image_size, image_size) float32
    tensor in [0, 1].

    Args:
        keys: where the pictures are, (H, W) or (H, W, 3) uint8 or paths of JPEG or PNG files, and
            where the tensors go.
        image_size: side of the result in pixels.
        channels: 1 for grey (of colour, the luminance), 3 for red, green, blue.
        allow_missing_keys: leave out keys that the dictionary doesn't have.

    Raises:
        ConfigError: image_size is below 1, or channels is neither 1 nor 3.
        UnreadableImageError: when called, on a file or an array that is no such picture.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        image_size: int,
        channels: int = 1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if image_size < 1:
            raise ConfigError(f"image_size must be at least 1, got {image_size}")
        if channels not in _MODES:
            raise ConfigError(f"channels must be 1 or 3, got {channels}")
        self.image_size = int(image_size)
        self.channels = int(channels)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load every key's picture."""
        result = dict(data)
        for key in self.key_iterator(result):
            result[key] = self._tensor(result[key])
        return result

    def _tensor(self, source: Any) -> Tensor:
        picture = _from_array(source) if isinstance(source, np.ndarray) else _from_file(source)
        side = (self.image_size, self.image_size)
        mode = _MODES[self.channels]
        square = ImageOps.fit(
            picture if picture.mode == mode else picture.convert(mode),
            side,
            method=Image.Resampling.BILINEAR,
        )
        levels = np.array(square, dtype=np.float32).reshape(*side, self.channels)
        levels /= 255
        return torch.from_numpy(levels).permute(2, 0, 1).contiguous()


def _from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    shape = array.shape[:2] if array.ndim == 3 and array.shape[2] == 3 else array.shape
    if array.dtype != np.uint8 or len(shape) != 2 or 0 in shape:
        raise UnreadableImageError(
            "a picture must be uint8 of (H, W) or (H, W, 3), "
            f"got {array.dtype} of {tuple(array.shape)}"
        )
    return Image.fromarray(array)


def _from_file(source: Any) -> Image.Image:
    path = Path(source)
    options = Options()
    try:
        data = read_file(path, options)
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            options.limits.check_shape(image.height, image.width, 4)
            if image.mode not in _FILE_MODES:
                raise UnreadableImageError(f"the picture must have 8 bits, got mode {image.mode}")
            return ImageOps.exif_transpose(image).convert("RGB")
    except UnreadableImageError as error:
        raise UnreadableImageError(f"{path}: {error}") from error
    # Pillow's decoders raise almost anything on a damaged file
    except Exception as error:
        raise UnreadableImageError(
            f"{path}: must be a whole JPEG or PNG, got {one_line(error)}"
        ) from error
