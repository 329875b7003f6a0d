"""Whether the first image of a TIFF is whole: its directory, its strips or tiles, their lengths.

Pillow reads whatever follows a strip that is too short, leaves out what is too much, and warns of
a damaged directory entry by entry. References are to TIFF 6.0.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..._compiled import compiled
from ...errors import UnreadableImageError
from ..limits import Limits

_WIDTH, _LENGTH, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIPS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_LENGTH, _TILES, _TILE_BYTES = 322, 323, 324, 325
# section 2: bytes of a value of each type; 16 to 18 are BigTIFF's
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
               16: 8, 17: 8, 18: 8}  # fmt: skip
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MAX_ENTRIES = 4096


@dataclass(frozen=True)
class _Part:
    """A strip or tile: where it lies, and how many bytes it unpacks to."""

    start: int
    size: int
    unpacked: int


def check_tiff(data: bytes, limits: Limits) -> None:
    """Refuse a TIFF that is cut short or damaged, or whose directory lies.

    Raises:
        UnreadableImageError: naming the entry, or the strip or tile by its first byte.
    """
    entries = _directory(data)
    width, height = _one(entries, _WIDTH), _one(entries, _LENGTH)
    samples, bits = _one(entries, _SAMPLES, 1), max(entries.get(_BITS, [1]))
    limits.check_shape(height, width, (bits * samples + 7) // 8)
    compression = _one(entries, _COMPRESSION, 1)
    if compression not in _LENGTHS:
        raise UnreadableImageError(
            "a TIFF must be uncompressed, LZW, deflate or PackBits, got compression "
            f"{compression} (tag {_COMPRESSION})"
        )
    if samples > 1 and _one(entries, _PLANAR, 1) != 1:
        raise UnreadableImageError(f"TIFF samples must lie together (tag {_PLANAR}), got planes")
    for part in _parts(entries, width, height, bits * samples):
        if not 0 < part.start <= part.start + part.size <= len(data):
            raise UnreadableImageError(
                f"the TIFF's strips must lie in the file, got one at byte {part.start} of "
                f"{part.size} bytes in {len(data)}"
            )
        packed = data[part.start : part.start + part.size]
        found = _LENGTHS[compression](packed, part.unpacked)
        if found != part.unpacked:
            raise UnreadableImageError(
                f"the TIFF's strip at byte {part.start} must hold {part.unpacked:,} bytes, got "
                + (f"{found:,}" if found < part.unpacked else "more")
            )


def _directory(data: bytes) -> dict[int, list[int]]:
    """Return the integers of the first directory; every entry lies in the file (section 2)."""
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    offset, entry, inline = ("Q", "HHQ", 8) if big else ("I", "HHI", 4)
    try:
        (start,) = struct.unpack_from(f"{order}{offset}", data, 8 if big else 4)
        (count,) = struct.unpack_from(f"{order}{'Q' if big else 'H'}", data, start)
        start += 8 if big else 2
        if count > _MAX_ENTRIES:
            raise UnreadableImageError(f"a TIFF must have at most 4,096 entries, got {count}")
        entries: dict[int, list[int]] = {}
        for _ in range(count):
            tag, kind, number = struct.unpack_from(order + entry, data, start)
            where, size = start + struct.calcsize(order + entry), _TYPE_BYTES.get(kind, 0) * number
            if size > inline:
                (where,) = struct.unpack_from(f"{order}{offset}", data, where)
            if not size or where + size > len(data):
                raise UnreadableImageError(
                    f"the TIFF's entry {tag} must lie in the file, got {number} values of type "
                    f"{kind} at byte {where}"
                )
            if kind in _INTEGERS:
                form = f"{order}{number}{_INTEGERS[kind]}"
                entries[tag] = list(struct.unpack_from(form, data, where))
            start += struct.calcsize(order + entry) + inline
    except struct.error as error:
        raise UnreadableImageError("the TIFF's directory must lie in the file") from error
    return entries


def _one(entries: dict[int, list[int]], tag: int, default: int = 0) -> int:
    values = entries.get(tag, [default])
    return values[0] if values else default


def _parts(entries: dict[int, list[int]], width: int, height: int, bits: int) -> list[_Part]:
    """Return the strips (section 3) or tiles (section 15)."""
    if _TILES in entries:
        wide, high = _one(entries, _TILE_WIDTH), _one(entries, _TILE_LENGTH)
        starts, sizes = entries[_TILES], entries.get(_TILE_BYTES, [])
        count = -(-width // wide) * -(-height // high) if wide and high else 0
        unpacked = [(wide * bits + 7) // 8 * high] * count
    else:
        high = min(_one(entries, _ROWS_PER_STRIP, height), height)
        starts, sizes = entries.get(_STRIPS, []), entries.get(_STRIP_BYTES, [])
        count = -(-height // high) if high else 0
        row = (width * bits + 7) // 8
        unpacked = [row * min(high, height - k * high) for k in range(count)]
    if not count or not len(starts) == len(sizes) == count:
        raise UnreadableImageError(
            f"the TIFF must have {count} strips or tiles, got {len(starts)} places and "
            f"{len(sizes)} lengths"
        )
    return [_Part(*part) for part in zip(starts, sizes, unpacked, strict=True)]


def _plain(packed: bytes, expected: int) -> int:  # noqa: ARG001  # as the others
    return len(packed)


def _deflate(packed: bytes, expected: int) -> int:
    return len(zlib.decompressobj().decompress(packed, expected + 1))


def _packbits(packed: bytes, expected: int) -> int:
    """Section 9."""
    position, total = 0, 0
    while position < len(packed) and total <= expected:
        head = packed[position]
        if head < 128:
            total += min(head + 1, len(packed) - position - 1)
            position += head + 2
        else:
            total += 257 - head if head > 128 and position + 1 < len(packed) else 0
            position += 2 if head > 128 else 1
    return total


def _lzw(packed: bytes, expected: int) -> int:
    return int(_lzw_length(np.frombuffer(bytearray(packed), np.uint8), expected))


@compiled
def _lzw_length(packed: NDArray[np.uint8], expected: int) -> int:
    """Count what LZW unpacks to (section 13), until just above `expected`; -1 if it's damaged."""
    lengths = np.ones(4097, np.int64)
    width, free, last, total, buffer, held = 9, 258, 0, 0, 0, 0
    for byte in packed:
        buffer, held = (buffer << 8 | byte) & 0xFFFFFF, held + 8
        if held < width:
            continue
        held -= width
        code = (buffer >> held) & ((1 << width) - 1)
        if code == 257 or total > expected:
            break
        if code == 256:
            width, free, last = 9, 258, 0
            continue
        if code > free or (code == free and not last):
            return -1
        now = lengths[code] if code < free else last + 1
        if last and free < 4096:
            lengths[free] = last + 1
            free += 1
        # the code is wider one entry before it has to be
        width = 9 if free < 511 else 10 if free < 1023 else 11 if free < 2047 else 12
        total, last = total + now, now
    return total


_LENGTHS: dict[int, Callable[[bytes, int], int]] = {
    1: _plain,
    5: _lzw,
    8: _deflate,
    32773: _packbits,
    32946: _deflate,
}
