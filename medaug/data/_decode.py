"""From a path to decoded pixels: read once, recognise by content, decode from memory."""

import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from ..errors import UnreadableImageError
from ._dicom import decode_dicom
from ._nifti import decode_nifti
from ._pixels import Decoded, Options
from ._raster import decode_raster

# bytes from the start of a file that are enough to tell its format
SNIFF_BYTES = 352

_RASTER_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NIFTI_MAGIC = {b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"}

_DECODERS: dict[str, Callable[[bytes, Options], Decoded]] = {
    "DICOM": decode_dicom,
    "NIfTI": decode_nifti,
    "raster": decode_raster,
}


def sniff(head: bytes) -> str | None:
    """Tell the format of a file by its first `SNIFF_BYTES` bytes; None if it is none of ours."""
    if head[128:132] == b"DICM":
        return "DICOM"
    if head.startswith(_RASTER_MAGIC):
        return "raster"
    # sizeof_hdr is 348 (NIfTI-1) or 540 (NIfTI-2), in either byte order
    return "NIfTI" if head[:4] in _NIFTI_MAGIC else None


def decode_file(path: Path, options: Options) -> Decoded:
    """Decode one image file.

    Raises:
        UnreadableImageError: whatever went wrong; the text gives the reason without the file's
            name, so that lists of several files can be made of it.
    """
    try:
        data = _unzip(_read(path, options), options)
        kind = sniff(data[:SNIFF_BYTES])
        if kind is None:
            raise UnreadableImageError(
                "must be DICOM, NIfTI, PNG, JPEG or TIFF, got "
                + (f"a file that begins with {data[:8].hex(' ')}" if data else "an empty file")
            )
        return _DECODERS[kind](data, options)
    except UnreadableImageError:
        raise
    # a damaged file makes the libraries raise almost anything, StopIteration included
    except Exception as error:
        raise UnreadableImageError(_one_line(error)) from error


def _read(path: Path, options: Options) -> bytes:
    try:
        if path.is_dir():
            raise UnreadableImageError("must be an image file, got a folder")
        options.limits.check_bytes(path.stat().st_size, "the file")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableImageError("must be an image file, got a path where nothing is") from error
    except OSError as error:
        raise UnreadableImageError(f"can't be opened: {error.strerror}") from error


def _unzip(data: bytes, options: Options) -> bytes:
    """Unpack gzip (.nii.gz), never more than the limit."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as stream:
            unpacked = stream.read(options.limits.max_bytes + 1)
    except EOFError as error:
        raise UnreadableImageError("the gzip stream must be complete, got its beginning") from error
    options.limits.check_bytes(len(unpacked), "the unpacked file")
    return unpacked


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
