"""One grey image from a NRRD or MetaImage (.mha) file held in memory.

Not by ITK, which 5.4.7 gives pixels of other images where the compressed data of a MetaImage end
early or its header lacks CompressedDataSize, and crashes the process under ``-W error``: header
and data are checked to the byte here, after which there is nothing left for it to read.
"""

import bz2
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from .orientation import upright
from .pixels import Decoded, Options, grey_integers
from .volume import Volume, mha_volume, nrrd_volume


def decode_nrrd(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional NRRD image, its data attached; see `decode_nifti`.

    Raises:
        UnreadableImageError: the header isn't understood or lies, the data are in another file,
            or they are not one grey image of whole numbers.
    """
    return _decoded(data, nrrd_volume(data), options)


def decode_mha(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional MetaImage, its data LOCAL; see `decode_nrrd`."""
    return _decoded(data, mha_volume(data), options)


def _decoded(data: bytes, volume: Volume, options: Options) -> Decoded:
    samples = _samples(data, volume, options)
    grey = grey_integers(samples.reshape(volume.shape[1::-1]).T, volume.dtype)
    affine = _affine(volume.directions)
    zooms = np.linalg.norm(affine[:3, :2], axis=0)
    pixels, spacing = upright(grey.pixels, (float(zooms[0]), float(zooms[1])), affine)
    return Decoded(
        pixels=pixels,
        bits=grey.bits,
        value_range=grey.value_range,
        spacing=spacing,
        spacing_source=volume.spacing_source,
    )


def _samples(data: bytes, volume: Volume, options: Options) -> NDArray[np.generic]:
    """Unpack the samples, after the header's size was held against limits and data."""
    shape = volume.shape
    if any(extent != 1 for extent in shape[2:]):
        raise UnreadableImageError(f"the image must have two dimensions, got {shape}")
    options.limits.check_shape(shape[1], shape[0], volume.dtype.itemsize)
    expected = shape[0] * shape[1] * volume.dtype.itemsize
    packed = memoryview(data)[volume.start :]
    unpacked: bytes | memoryview = packed
    if volume.encoding != "raw":
        # 47: zlib or gzip, whichever it is
        stream: Any = zlib.decompressobj(47) if volume.encoding == "gzip" else bz2.BZ2Decompressor()
        unpacked = stream.decompress(packed, expected + 1)
        if not stream.eof or stream.unused_data:
            raise UnreadableImageError(
                f"the {volume.encoding} stream must end with the file and unpack to "
                f"{expected:,} bytes"
            )
    if len(unpacked) != expected:
        raise UnreadableImageError(
            f"the data must have {expected:,} bytes for {shape[1]} x {shape[0]} pixels, "
            f"got {len(unpacked):,}"
        )
    return np.frombuffer(unpacked, dtype=volume.dtype)


def _affine(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """From array indices to NIfTI's world (RAS); an axis that isn't there goes its own way."""
    count = min(len(directions), 3)
    affine = np.eye(4)
    affine[:count, :count] = directions[:count, :count].T
    lps_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    return np.asarray(lps_to_ras @ affine)
