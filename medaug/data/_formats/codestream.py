"""What a compressed frame says of itself, read from its first bytes and not decoded.

A decoder takes memory by the codestream's own header, not by DICOM's Rows and Columns, so both
are compared first. (pydicom 3.0.2 also repeats a codestream of one pixel over the whole image.)
"""

import struct
from dataclasses import dataclass

from ...errors import UnreadableImageError

# ITU-T T.81, table B.1; T.87, C.1.1: markers that start a frame header; C4, C8, CC don't
_FRAME_HEADERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_SCAN, _END, _HIERARCHICAL = 0xDA, 0xD9, 0xDE
_SOT, _EOC = b"\xff\x90", b"\xff\xd9"
_JP2_SIGNATURE = b"\0\0\0\x0cjP  "


@dataclass(frozen=True)
class FrameHeader:
    """A frame's size and depth: `bits` are those of its deepest component."""

    rows: int
    columns: int
    samples: int
    bits: int


def jpeg_header(frame: bytes) -> FrameHeader:
    """The frame header of JPEG or JPEG-LS (ITU-T T.81, B.2.2; T.87, C.2.2)."""
    if frame[:2] != b"\xff\xd8":
        raise UnreadableImageError(f"the frame must begin as JPEG, got {frame[:2].hex(' ')}")
    position = 2
    while position + 4 <= len(frame):
        if frame[position] != 0xFF:
            break
        marker = frame[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker in (_SCAN, _END, _HIERARCHICAL):
            break
        if marker in _FRAME_HEADERS and position + 10 <= len(frame):
            bits, rows, columns, samples = struct.unpack_from(">BHHB", frame, position + 4)
            return FrameHeader(rows, columns, samples, bits)
        position += 2 + int.from_bytes(frame[position + 2 : position + 4])
    raise UnreadableImageError(f"the JPEG frame header must come by byte {position}, got none")


def jpeg2000_header(frame: bytes) -> FrameHeader:
    """The SIZ segment of JPEG 2000 or HTJ2K (ITU-T T.800, A.5.1), bare or in a JP2 file."""
    start = _codestream_start(frame)
    # SOC, then SIZ: marker, length, capabilities, and eight numbers of four bytes
    if frame[start : start + 4] != b"\xff\x4f\xff\x51" or len(frame) < start + 42:
        got = frame[start : start + 4].hex(" ") or "its end"
        raise UnreadableImageError(f"the frame must begin as JPEG 2000, got {got}")
    x1, y1, x0, y0, *_tiles, samples = struct.unpack_from(">8IH", frame, start + 8)
    components = frame[start + 42 : start + 42 + 3 * samples]
    if not samples or len(components) < 3 * samples:
        raise UnreadableImageError("the JPEG 2000 header must describe each component")
    if components[1::3].strip(b"\1") or components[2::3].strip(b"\1"):
        raise UnreadableImageError("JPEG 2000 components must not be subsampled")
    bits = max(1 + (depth & 0x7F) for depth in components[::3])
    return FrameHeader(y1 - y0, x1 - x0, samples, bits)


def check_tile_parts(frame: bytes) -> None:
    """Refuse JPEG 2000 whose tile-parts don't reach from its header to its end (T.800, A.4).

    A decoder makes pixels of a tile-part that is a little too short.
    """
    position = _codestream_start(frame) + 2
    while frame[position : position + 2] != _SOT and position + 4 <= len(frame):
        position += 2 + int.from_bytes(frame[position + 2 : position + 4])
    while frame[position : position + 2] == _SOT and position + 12 <= len(frame):
        length = int.from_bytes(frame[position + 6 : position + 10])
        # 0: this one, the last, ends with the codestream
        end = position + length if length else frame.rfind(_EOC)
        if end <= position:
            break
        position = end
    if frame[position : position + 2] != _EOC:
        raise UnreadableImageError(
            f"the JPEG 2000 tile-parts must reach up to the marker FFD9, got none at byte "
            f"{position:,} of {len(frame):,}"
        )


def _codestream_start(frame: bytes) -> int:
    """0, or where the contents of the first jp2c box begin (T.800, I.4)."""
    if not frame.startswith(_JP2_SIGNATURE):
        return 0
    position = 0
    while position + 8 <= len(frame):
        length, kind = struct.unpack_from(">I4s", frame, position)
        if kind == b"jp2c":
            return position + (16 if length == 1 else 8)
        if length < 8:
            break
        position += length
    return len(frame)


def check_rle(frame: bytes, segment_bytes: int, max_bytes: int) -> None:
    """Refuse RLE segments (PS3.5, G.3) that would unpack to more than one plane of the image.

    Args:
        frame: one compressed frame.
        segment_bytes: what each segment must unpack to; a few bytes of padding are allowed.
        max_bytes: the frame isn't walked through if it can't possibly unpack to more.
    """
    # two bytes give at most 128
    if len(frame) * 64 <= max_bytes:
        return
    if len(frame) < 64:
        raise UnreadableImageError("an RLE frame must have a header of 64 bytes")
    count, *offsets = struct.unpack_from("<16I", frame)
    if not 1 <= count <= 15:
        raise UnreadableImageError(f"an RLE frame must have 1 to 15 segments, got {count}")
    for start, end in zip(offsets[:count], [*offsets[1:count], len(frame)], strict=True):
        if _unpacked(frame[start:end], segment_bytes) > segment_bytes + 256:
            raise UnreadableImageError(
                f"an RLE segment must unpack to {segment_bytes:,} bytes, got more"
            )


def _unpacked(segment: bytes, stop: int) -> int:
    """How many bytes a segment unpacks to, counted until a little above `stop`."""
    position, total = 0, 0
    while position < len(segment) and total <= stop + 256:
        head = segment[position]
        if head < 128:
            total += head + 1
            position += head + 2
        else:
            total += 257 - head if head > 128 else 0
            position += 2 if head > 128 else 1
    return total
