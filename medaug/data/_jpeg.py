"""Whether a JPEG holds all its pixels.

libjpeg fills what is missing with grey and only warns, and Pillow drops the warning. So the scans
are lengthened by some bytes: a decoder that has all it needs passes over them, and one that
doesn't makes them into pixels.
"""

import re
from io import BytesIO

import numpy as np
from PIL import Image

from ..errors import UnreadableImageError

# the header of a scan; then entropy-coded data up to a marker that is neither a stuffed byte (00),
# nor a restart (D0 to D7), nor a fill byte (ITU-T T.81, B.1.1.2, B.1.1.5)
_SCAN = re.compile(rb"\xff\xda(..)", re.DOTALL)
_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]", re.DOTALL)
_FILLER = b"\x55" * 64


def check_jpeg(data: bytes) -> None:
    """Refuse a JPEG whose scans end before the last pixel; the header's size was checked before.

    Raises:
        UnreadableImageError: pixels are missing.
    """
    if not np.array_equal(_decoded(data), _decoded(_lengthened(data))):
        raise UnreadableImageError("the JPEG must hold all its pixels, got a scan that ends early")


def _lengthened(data: bytes) -> bytes:
    parts, position = [], 0
    while scan := _SCAN.search(data, position):
        marker = _MARKER.search(data, scan.start() + 2 + int.from_bytes(scan[1]))
        if marker is None:
            break
        parts += [data[position : marker.start()], _FILLER]
        position = marker.start()
    return b"".join([*parts, data[position:]])


def _decoded(data: bytes) -> np.ndarray:
    with Image.open(BytesIO(data), formats=("JPEG",)) as image:
        return np.asarray(image)
