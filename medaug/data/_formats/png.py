"""Whether a PNG is whole: every chunk, its check sum, and as many pixels as the header says.

Pillow fills what is missing and leaves out what is too much, without a word.
"""

import struct
import zlib
from collections.abc import Iterator

from ...errors import UnreadableImageError
from ..limits import Limits

# PNG, 3rd ed., 11.2.1: samples for each colour type
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# 8.1: first row, first column, and their steps, of the seven passes of Adam7
_ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
          (1, 0, 2, 1)]  # fmt: skip


def check_png(data: bytes, limits: Limits) -> None:
    """Refuse a PNG that is cut short or damaged, or whose header lies.

    Raises:
        UnreadableImageError: naming the chunk or the number of bytes.
    """
    chunks = list(_chunks(data))
    header = chunks[0][1]
    if chunks[0][0] != b"IHDR" or len(header) != 13:
        raise UnreadableImageError("a PNG must begin with an IHDR chunk of 13 bytes")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in _SAMPLES or depth not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise UnreadableImageError(
            f"the PNG's IHDR must give a depth, colour type and interlacing of the standard, got "
            f"{depth}, {colour}, {interlaced}"
        )
    bits = depth * _SAMPLES[colour]
    limits.check_shape(height, width, (bits + 7) // 8)
    expected = _filtered_size(width, height, bits, bool(interlaced))
    stream = zlib.decompressobj()
    pixels = stream.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"), expected)
    # one more byte, or the end of the stream
    if len(pixels) != expected or stream.decompress(stream.unconsumed_tail, 1) or not stream.eof:
        got = "more" if len(pixels) == expected else f"{len(pixels):,}"
        raise UnreadableImageError(
            f"the PNG's IDAT must hold {expected:,} bytes for {height} x {width} pixels of {bits} "
            f"bits, got {got}"
        )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Walk the chunks: each complete, with the right CRC, and IEND last (5.3)."""
    position, kind = 8, b""
    while kind != b"IEND":
        if position + 12 > len(data):
            raise UnreadableImageError(f"the PNG ends at byte {len(data)}, before its IEND chunk")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise UnreadableImageError(
                f"the PNG's chunk at byte {position} must end at byte {end}, "
                f"got a file of {len(data)} bytes"
            )
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if zlib.crc32(data[position + 4 : end - 4]) != crc:
            raise UnreadableImageError(f"the PNG's chunk at byte {position} has a wrong CRC")
        yield kind, data[position + 8 : end - 4]
        position = end


def _filtered_size(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Bytes before compression: each row of each pass has one byte for its filter (9.1)."""
    total = 0
    for row, column, down, across in _ADAM7 if interlaced else [(0, 0, 1, 1)]:
        rows, columns = -(-(height - row) // down), -(-(width - column) // across)
        if rows > 0 and columns > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
