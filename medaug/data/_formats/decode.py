"""From a path to decoded pixels: read once, recognise by content, decode from memory."""

import os
import re
from collections.abc import Callable
from pathlib import Path

from ...errors import UnreadableImageError
from .dicom import decode_dicom
from .inflate import GZIP, inflate
from .nifti import decode_nifti
from .nrrd_mha import decode_mha, decode_nrrd
from .pixels import Decoded, Options
from .raster import decode_raster

# bytes from the start of a file that are enough to tell its format
SNIFF_BYTES = 352

_RASTER_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_NIFTI_MAGIC = {b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"}
# MetaImage has no magic number; these are the lines that its writers begin with
_META_IMAGE = re.compile(rb"(ObjectType|NDims) *=")

_DECODERS: dict[str, Callable[[bytes, Options], Decoded]] = {
    "DICOM": decode_dicom,
    "NIfTI": decode_nifti,
    "NRRD": decode_nrrd,
    "MetaImage": decode_mha,
    "raster": decode_raster,
}


def sniff(head: bytes) -> str | None:
    """Tell the format of a file by its first `SNIFF_BYTES` bytes; None if it is none of ours."""
    if head[128:132] == b"DICM":
        return "DICOM"
    if head.startswith(_RASTER_MAGIC):
        return "raster"
    if head.startswith(b"NRRD000"):
        return "NRRD"
    if _META_IMAGE.match(head):
        return "MetaImage"
    # sizeof_hdr is 348 (NIfTI-1) or 540 (NIfTI-2), in either byte order
    return "NIfTI" if head[:4] in _NIFTI_MAGIC else None


def decode_file(path: Path, options: Options) -> Decoded:
    """Decode one image file.

    Raises:
        UnreadableImageError: whatever went wrong; the text gives the reason without the file's
            name, so that lists of several files can be made of it.
    """
    try:
        data = unzip(read_file(path, options), options)
        kind = sniff(data[:SNIFF_BYTES])
        if kind is None:
            raise UnreadableImageError(
                "must be DICOM, NIfTI, NRRD, MetaImage, PNG, JPEG or TIFF, got "
                + (f"a file that begins with {data[:8].hex(' ')}" if data else "an empty file")
            )
        return _DECODERS[kind](data, options)
    except UnreadableImageError:
        raise
    # a damaged file makes the libraries raise almost anything, StopIteration included
    except Exception as error:
        raise UnreadableImageError(one_line(error)) from error


def read_file(path: Path, options: Options) -> bytes:
    """A file's bytes, never more than the limit."""
    try:
        # opening a pipe or a device may wait for ever, and its size says nothing
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or pipe"
            raise UnreadableImageError(f"must be an image file, got {what}")
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            options.limits.check_bytes(size, "the file")
            data = stream.read(size + 1)
    except FileNotFoundError as error:
        raise UnreadableImageError("must be an image file, got a path where nothing is") from error
    except OSError as error:
        raise UnreadableImageError(f"can't be opened: {error.strerror}") from error
    if len(data) > size:
        raise UnreadableImageError(f"must not grow while it's read, got more than {size:,} bytes")
    return data


def unzip(data: bytes, options: Options) -> bytes:
    """Unpack gzip (.nii.gz), never more than the limit."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    return inflate(data, options.limits, wbits=GZIP, what="the unpacked file")


def one_line(error: Exception) -> str:
    """What a library says, up to the first quotation mark: it quotes the file's own bytes."""
    text = " ".join(re.split(r"\bb?['\"]", str(error))[0].split()).rstrip(" :")
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
