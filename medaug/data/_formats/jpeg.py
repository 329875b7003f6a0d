"""Whether a JPEG holds all its pixels.

libjpeg fills what is missing with grey and only warns, and Pillow drops the warning; pylibjpeg's
library invents pixels without one. So the scans are lengthened by some bytes: a decoder that has
all it needs passes over them, and one that doesn't makes them into pixels.
"""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import UnreadableImageError

# the header of a scan; then entropy-coded data up to a marker: not a stuffed byte (00), nor a fill
# byte (ITU-T T.81, B.1.1.2, B.1.1.5)
_SCAN = re.compile(rb"\xff\xda(..)", re.DOTALL)
_MARKER = re.compile(rb"\xff+([^\x00\xff])", re.DOTALL)
_RESTARTS = {bytes([code]) for code in range(0xD0, 0xD8)}
_FILLER = b"\x55" * 64


def by_pillow(data: bytes) -> NDArray[Any]:
    """Decode a JPEG of 8 bits."""
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)


def by_libjpeg(data: bytes) -> NDArray[Any]:
    """Decode a lossless JPEG, or one of 12 bits, by the optional package pylibjpeg-libjpeg."""
    import libjpeg  # type: ignore[import-not-found,unused-ignore]  # an extra: its licence is GPL

    decode: Any = vars(libjpeg)["decode"]  # its own types don't export it
    decoded: NDArray[Any] = decode(data)
    return decoded


def check_jpeg(data: bytes, decode: Callable[[bytes], NDArray[Any]] = by_pillow) -> None:
    """Refuse a JPEG whose scans end before the last pixel; the header's size was checked before.

    Args:
        data: from its first marker on.
        decode: what will decode it.

    Raises:
        UnreadableImageError: pixels are missing.
    """
    if not np.array_equal(decode(data), decode(_lengthened(data))):
        raise UnreadableImageError("the JPEG must hold all its pixels, got a scan that ends early")


def _lengthened(data: bytes) -> bytes:
    """Put bytes before every marker that ends entropy-coded data, restarts included."""
    parts, position = [], 0
    while scan := _SCAN.search(data, position):
        end = scan.start() + 2 + int.from_bytes(scan[1])
        while marker := _MARKER.search(data, end):
            parts += [data[position : marker.start()], _FILLER]
            position, end = marker.start(), marker.end()
            if marker[1] not in _RESTARTS:
                break
        else:
            break
    return b"".join([*parts, data[position:]])
