"""One grey image from a PNG, JPEG or TIFF file held in memory, by Pillow."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ...errors import UnreadableImageError
from .codestream import jpeg_header
from .jpeg import check_jpeg
from .pixels import Decoded, Options, scale_levels, to_grey
from .png import check_png
from .tiff import check_tiff

_EXIF_ORIENTATION = 0x0112
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLES = 258, 262, 277
_WHITE_IS_ZERO = 0
_PNG_GREY = 0


@dataclass(frozen=True)
class _Depth:
    """Bits of a sample in the file, and whether 0 is white in what Pillow gives."""

    bits: int
    white_is_zero: bool = False


def decode_raster(data: bytes, options: Options) -> Decoded:
    """Decode one PNG, JPEG or TIFF image of 8 bits, or of 12 or 16 where it is grey.

    Raises:
        UnreadableImageError: the file is damaged, cut short, in colour (unless grey=True),
            partly transparent, animated, or deeper than can be read exactly.
    """
    _check(data, options)
    with Image.open(BytesIO(data), formats=("PNG", "JPEG", "TIFF")) as image:
        options.limits.check_shape(image.height, image.width, 4)
        if getattr(image, "n_frames", 1) != 1:
            raise UnreadableImageError("the file must hold one image, got several")
        depth = _depth(image, data)
        upright: Image.Image = image
        if image.getexif().get(_EXIF_ORIENTATION, 1) != 1:
            upright = ImageOps.exif_transpose(image)
        stored = _levels(upright, options)
    top = 2**depth.bits - 1
    if depth.white_is_zero:
        stored = top - stored
    if stored.max() > top:
        raise UnreadableImageError(f"samples must be below {top + 1}, got {stored.max()}")
    value_range = (float(top), 0.0) if depth.white_is_zero else (0.0, float(top))
    return Decoded(
        pixels=scale_levels(stored, 0, top),
        bits=depth.bits,
        value_range=value_range,
        photometric="MONOCHROME1" if depth.white_is_zero else "MONOCHROME2",
    )


def _check(data: bytes, options: Options) -> None:
    """Refuse what Pillow would read although it's damaged, with no pixel decoded yet."""
    if data.startswith(b"\x89PNG"):
        check_png(data, options.limits)
    elif data.startswith((b"II", b"MM")):
        check_tiff(data, options.limits)
    else:
        header = jpeg_header(data)
        options.limits.check_shape(header.rows, header.columns, header.samples)
        check_jpeg(data)


def _depth(image: Image.Image, data: bytes) -> _Depth:
    """What Pillow's mode leaves out; refuses what Pillow would reduce to 8 bits unasked."""
    if image.format == "PNG":
        bits, colour_type = data[24], data[25]
        if bits == 16 and colour_type != _PNG_GREY:
            raise UnreadableImageError("a PNG of 16 bits must be plain grey, got colour or alpha")
    elif image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]  # Image.open() returned a TiffImageFile
        bits = max(tags.get(_TIFF_BITS, (1,)))
        if bits > 8 and tags.get(_TIFF_SAMPLES, 1) != 1:
            raise UnreadableImageError(f"a TIFF of {bits} bits must be grey, got colour or alpha")
        white = tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO
        if image.mode.startswith("I;16"):
            # Pillow inverts white-is-zero at 8 bits, not at 16
            return _Depth(bits, white_is_zero=white)
    return _Depth(16 if image.mode.startswith("I;16") else 8)


def _levels(image: Image.Image, options: Options) -> NDArray[np.generic]:
    """(H, W) unsigned integers; transparency must be absent or unused."""
    if image.mode.startswith("I;16"):
        stored = np.asarray(image).astype(np.uint16)
        if "transparency" in image.info and (stored == image.info["transparency"]).any():
            raise UnreadableImageError("the image must be opaque, got transparent pixels")
        return stored
    if image.mode == "L" and "transparency" not in image.info:
        return np.asarray(image)
    if image.mode in ("L", "LA", "P", "PA", "RGB", "RGBA"):
        if image.mode != "RGB" or "transparency" in image.info:
            image = image.convert("RGBA")
            if image.getchannel("A").getextrema() != (255, 255):
                raise UnreadableImageError("the image must be opaque, got transparent pixels")
        channels = [np.asarray(image.getchannel(name)) for name in "RGB"]
        return to_grey(channels, allowed=options.grey, what="colour")
    if image.mode in ("CMYK", "YCbCr", "LAB") and options.grey:
        return np.asarray(image.convert("RGB").convert("L"))
    raise UnreadableImageError(
        "pixels must be grey of 8, 12 or 16 bits, unsigned, got "
        + {"1": "1 bit", "F": "floats", "I": "signed or 32-bit integers"}.get(
            image.mode, image.mode
        )
    )
