"""Unpacking of zlib and gzip streams, never beyond a limit and never in one leap."""

import zlib
from collections.abc import Iterator

from ...errors import UnreadableImageError
from ..limits import Limits

_STEP = 2**20
RAW, GZIP = -zlib.MAX_WBITS, zlib.MAX_WBITS + 16


def inflate(data: bytes, limits: Limits, *, wbits: int, what: str) -> bytes:
    """Unpack a stream, and all members of gzip.

    Args:
        data: the stream; zeros may follow.
        limits: of them, `max_bytes` holds.
        wbits: `RAW` or `GZIP`.
        what: names what unpacks, in the errors.

    Raises:
        UnreadableImageError: it is cut short, or unpacks beyond the limit.
    """
    unpacked = bytearray()
    for part in _parts(data, wbits, what):
        limits.check_bytes(len(unpacked) + len(part), what)
        unpacked += part
    return bytes(unpacked)


def check_unpacked(data: bytes, limits: Limits, *, wbits: int, what: str) -> None:
    """Raise what `inflate` would, and keep nothing."""
    count = 0
    for part in _parts(data, wbits, what):
        count += len(part)
        limits.check_bytes(count, what)


def _parts(data: bytes, wbits: int, what: str) -> Iterator[bytes]:
    while data.strip(b"\0"):
        stream = zlib.decompressobj(wbits)
        while not stream.eof:
            part = stream.decompress(data, _STEP)
            data = stream.unconsumed_tail
            if not part and not data and not stream.eof:
                raise UnreadableImageError(f"{what} must be complete, got a stream cut short")
            yield part
        # only gzip has members; after deflated data, DICOM may be padded
        data = stream.unused_data if wbits == GZIP else b""
