"""From a checked DICOM header to stored values, by one named decoder for each transfer syntax.

pydicom takes whichever plug-in is installed, so that the same file may give other pixels on
another machine; here each syntax has one decoder, and the error names its package.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from ...errors import UnreadableImageError
from ..limits import Limits
from .codestream import check_rle, check_tile_parts, jpeg2000_header, jpeg_header
from .elements import tag
from .jpeg import by_libjpeg, by_pillow, check_jpeg


@dataclass(frozen=True)
class _Codec:
    """pydicom's name of a plug-in, and the package that it needs."""

    plugin: str
    package: str


_PILLOW = _Codec("pillow", "pillow")
_LIBJPEG = _Codec("pylibjpeg", "pylibjpeg-libjpeg (GPL-3.0; pip install 'medaug[gpl]')")
_OPENJPEG = _Codec("pylibjpeg", "pylibjpeg-openjpeg (with pylibjpeg)")
_JPEGLS = _Codec("pyjpegls", "pyjpegls")
_CODECS = {
    RLELossless: _Codec("pydicom", "pydicom"),
    JPEGBaseline8Bit: _PILLOW,
    JPEGExtended12Bit: _LIBJPEG,
    JPEGLossless: _LIBJPEG,
    JPEGLosslessSV1: _LIBJPEG,
    JPEGLSLossless: _JPEGLS,
    JPEGLSNearLossless: _JPEGLS,
    JPEG2000Lossless: _OPENJPEG,
    JPEG2000: _OPENJPEG,
    HTJ2KLossless: _OPENJPEG,
    HTJ2KLosslessRPCL: _OPENJPEG,
    HTJ2K: _OPENJPEG,
}
_ENDS = re.compile(rb"\xff\xd9[\x00\xff]*\Z")
_JPEG = {_PILLOW: by_pillow, _LIBJPEG: by_libjpeg}
_MAX_PIXELS_PER_BYTE = 10_000
_JPEG2000 = {syntax for syntax, codec in _CODECS.items() if codec is _OPENJPEG}


def stored_values(header: Dataset, limits: Limits, *, frames: int = 1) -> NDArray[np.generic]:
    """Decode all frames.

    Args:
        header: a data set with pixel data, whose image pixel elements have been checked.
        limits: how many bytes compressed data may unpack to.
        frames: how many there must be; what Number of Frames says.

    Returns:
        (frames, Rows, Columns) integers, with a last axis of 3 for colour.

    Raises:
        UnreadableImageError: the length of the data isn't what the header asks for, a compressed
            frame is of another size or depth, or its decoder isn't installed.
    """
    syntax = _transfer_syntax(header)
    plugin = ""
    if syntax.is_encapsulated:
        codec = _decoder(syntax, header)
        plugin = codec.plugin
        _check_frames(header, syntax, codec, frames, limits)
    else:
        _check_length(header)
    # the data-set form: the path form of pixel_array() doesn't check the length (pydicom 3.0)
    stored = np.asarray(pixel_array(header, decoding_plugin=plugin, allow_excess_frames=False))
    stored = stored if frames > 1 else stored[None]
    if stored.shape[:3] != (frames, header.Rows, header.Columns):
        raise UnreadableImageError(
            f"the decoded image must be {frames} x {header.Rows} x {header.Columns}, "
            f"got {stored.shape}"
        )
    return stored


def _transfer_syntax(header: Dataset) -> UID:
    if "PixelData" not in header or not isinstance(header.PixelData, bytes):
        other = [key for key in ("FloatPixelData", "DoubleFloatPixelData") if key in header]
        raise UnreadableImageError(
            f"{tag('PixelData')} must be present, got "
            + (tag(other[0]) if other else "none; is the file cut short?")
        )
    syntax = header.file_meta.get("TransferSyntaxUID")
    if syntax is None:
        raise UnreadableImageError("Transfer Syntax UID (0002,0010) must be given, got nothing")
    if UID(syntax).is_private or not UID(syntax).is_transfer_syntax:
        raise UnreadableImageError(
            "Transfer Syntax UID (0002,0010) must be one of the standard, got another"
        )
    return UID(syntax)


def _check_length(header: Dataset) -> None:
    """The length of native pixel data must be what the header asks for, to the byte."""
    expected = int(get_expected_length(header))
    if len(header.PixelData) not in (expected, expected + expected % 2):
        raise UnreadableImageError(
            f"{tag('PixelData')} must have {expected:,} bytes for {header.Rows} x "
            f"{header.Columns} pixels, got {len(header.PixelData):,}"
        )


def _decoder(syntax: UID, header: Dataset) -> _Codec:
    codec = _CODECS.get(syntax)
    if codec is None:
        raise UnreadableImageError(
            f"no decoder is known for the transfer syntax {syntax} ({syntax.name})"
        )
    if syntax == JPEGExtended12Bit and header.BitsStored == 8:
        codec = _PILLOW
    if codec.plugin not in get_decoder(syntax).available_plugins:
        raise UnreadableImageError(
            f"the transfer syntax {syntax} ({syntax.name}) needs the package {codec.package}, "
            "which isn't installed"
        )
    return codec


def _check_frames(header: Dataset, syntax: UID, codec: _Codec, frames: int, limits: Limits) -> None:
    """Take the compressed frames apart, check each, and put them back in one certain way."""
    found: list[bytes] = []
    candidates = generate_frames(
        header.PixelData, number_of_frames=frames, extended_offsets=_offsets(header)
    )
    for frame in islice(candidates, frames + 1):
        _check_frame(frame, header, syntax, codec, limits)
        found.append(frame)
        if sum(map(len, found)) > len(header.PixelData):
            raise UnreadableImageError(f"{tag('ExtendedOffsetTable')} must not name bytes twice")
    if len(found) != frames:
        raise UnreadableImageError(
            f"{tag('PixelData')} must hold {frames} compressed frames, got "
            + (f"{len(found)}" if len(found) < frames else "more")
        )
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in header:
            delattr(header, keyword)
    # pydicom looks for frames by three rules; what is decoded must be what was checked
    header.PixelData = encapsulate(found, has_bot=False)


def _offsets(header: Dataset) -> Any:
    tables = header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths")
    return tables if all(tables) else None


def _check_frame(frame: bytes, header: Dataset, syntax: UID, codec: _Codec, limits: Limits) -> None:
    if syntax == RLELossless:
        check_rle(frame, header.Rows * header.Columns, limits.max_bytes)
        return
    if syntax not in _JPEG2000 and not _ENDS.search(frame, max(len(frame) - 64, 0)):
        # CharLS takes seconds to give up
        raise UnreadableImageError("a JPEG frame must end with the marker FFD9, got its beginning")
    given = (jpeg2000_header if syntax in _JPEG2000 else jpeg_header)(frame)
    size, expected = (given.rows, given.columns), (header.Rows, header.Columns)
    if size != expected:
        raise UnreadableImageError(
            f"the compressed frame must be {expected[0]} x {expected[1]} as {tag('Rows')} and "
            f"{tag('Columns')} say, got {size[0]} x {size[1]}"
        )
    # of a few bytes a decoder makes any size without a word; the barest images have far more
    if header.Rows * header.Columns > _MAX_PIXELS_PER_BYTE * len(frame):
        raise UnreadableImageError(
            f"the compressed frame must have a byte for each {_MAX_PIXELS_PER_BYTE:,} pixels, got "
            f"{len(frame):,} bytes for {header.Rows} x {header.Columns}"
        )
    if given.samples != header.SamplesPerPixel:
        raise UnreadableImageError(
            f"the compressed frame must have {header.SamplesPerPixel} components as "
            f"{tag('SamplesPerPixel')} says, got {given.samples}"
        )
    if given.bits > header.BitsAllocated:
        raise UnreadableImageError(
            f"the compressed frame must have at most {header.BitsAllocated} bits as "
            f"{tag('BitsAllocated')} says, got {given.bits}"
        )
    if syntax in _JPEG2000:
        check_tile_parts(frame)
    elif codec in _JPEG:
        check_jpeg(frame, _JPEG[codec])
