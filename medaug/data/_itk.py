"""One grey image from a NRRD or MetaImage (.mha) file held in memory, by ITK.

ITK 5.4.7 gives pixels of other images where the compressed data of a MetaImage end early or its
header lacks CompressedDataSize. So ITK gets neither the header nor the compressed data of the
file: it reads a copy, unpacked and checked to the byte, under a header of checked numbers only.
"""

import bz2
import threading
import warnings
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ._orientation import upright
from ._pixels import Decoded, Options, grey_integers
from ._volume import Volume, mha_volume, nrrd_volume

_LOCK = threading.Lock()

# ITK's Python wrapping has no signed 8-bit images
_WIDER = {"int8": "int16"}
_NAMES = {
    "uint8": "MET_UCHAR",
    "int16": "MET_SHORT",
    "uint16": "MET_USHORT",
    "int32": "MET_INT",
    "uint32": "MET_UINT",
    "float32": "MET_FLOAT",
    "float64": "MET_DOUBLE",
}
_NRRD_FLOATS = {"float32": "float", "float64": "double"}


def decode_nrrd(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional NRRD image, its data attached; see `decode_nifti`.

    Raises:
        UnreadableImageError: the header isn't understood or lies, the data are in another file,
            or they are not one grey image of whole numbers.
    """
    volume = nrrd_volume(data)
    pixels = _unpacked(data, volume, options)
    name = pixels.dtype.name
    lines = [
        "NRRD0005",
        f"type: {_NRRD_FLOATS.get(name, name)}",
        f"dimension: {len(volume.shape)}",
        f"sizes: {' '.join(map(str, volume.shape))}",
        "encoding: raw",
        "endian: little",
        *volume.geometry,
        "\n",
    ]
    return _decoded(lines, pixels, volume, ".nrrd")


def decode_mha(data: bytes, options: Options) -> Decoded:
    """Decode a single two-dimensional MetaImage, its data LOCAL; see `decode_nrrd`."""
    volume = mha_volume(data)
    pixels = _unpacked(data, volume, options)
    lines = [
        "ObjectType = Image",
        f"NDims = {len(volume.shape)}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        *volume.geometry,
        f"DimSize = {' '.join(map(str, volume.shape))}",
        f"ElementType = {_NAMES[pixels.dtype.name]}",
        "ElementDataFile = LOCAL\n",
    ]
    return _decoded(lines, pixels, volume, ".mha")


def _unpacked(data: bytes, volume: Volume, options: Options) -> NDArray[np.generic]:
    """The samples, little-endian, after the header's size was held against limits and data."""
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
    name = volume.dtype.name
    little = np.dtype(_WIDER.get(name, name)).newbyteorder("<")
    return np.frombuffer(unpacked, dtype=volume.dtype).astype(little, copy=False)


def _decoded(lines: list[str], pixels: NDArray[np.generic], volume: Volume, suffix: str) -> Decoded:
    image, affine = _read("\n".join(lines).encode("ascii"), pixels, suffix)
    if image.shape != volume.shape[::-1] or not np.array_equal(image.reshape(-1), pixels):
        raise UnreadableImageError("ITK must give the file's own pixels, got others")
    grey = grey_integers(image.reshape(volume.shape[1::-1]).T, volume.dtype)
    zooms = np.linalg.norm(affine[:3, :2], axis=0)
    upright_pixels, spacing = upright(grey.pixels, (float(zooms[0]), float(zooms[1])), affine)
    return Decoded(
        pixels=upright_pixels,
        bits=grey.bits,
        value_range=grey.value_range,
        spacing=spacing,
        spacing_source=_spacing_source(volume),
    )


def _spacing_source(volume: Volume) -> str:
    fields = ("space directions", "spacings", "ElementSpacing")
    return next((f for f in fields for line in volume.geometry if line.startswith(f)), "none")


def _read(
    header: bytes, pixels: NDArray[np.generic], suffix: str
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """The image as ITK has it, slowest axis first, and its affine in NIfTI's world (RAS)."""
    # ITK reads only what has a path: the folder is the user's own (mode 0700) and is removed
    with _LOCK, warnings.catch_warnings(), TemporaryDirectory(prefix="medaug-") as folder:
        # a DeprecationWarning that was made an error crashes the process while SWIG loads
        warnings.simplefilter("ignore")
        itk = _itk()
        path = Path(folder) / f"image{suffix}"
        with path.open("wb") as file:
            file.write(header)
            file.write(pixels.data)
        try:
            image = itk.imread(str(path))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].replace(str(path), "it")
            raise UnreadableImageError(f"ITK can't read it: {reason[:200]}") from error
        array = np.asarray(itk.array_from_image(image))
        matrix = np.asarray(itk.array_from_matrix(image.GetDirection()), dtype=np.float64)
        scaled = matrix * np.asarray(list(image.GetSpacing()))
    count = min(len(scaled), 3)
    affine = np.eye(4)
    affine[:count, :count] = scaled[:count, :count]
    # ITK's world is LPS
    return array, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _itk() -> Any:
    try:
        # here, since it takes seconds to load, and everything else works without it
        import itk  # type: ignore[import-untyped]  # no stubs
    except ImportError as error:
        raise UnreadableImageError(
            "NRRD and MetaImage files need the package itk-io, which isn't installed"
        ) from error
    return itk
