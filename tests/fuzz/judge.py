"""Says whether delivered pixels are the file's own, without the readers' code.

A damaged file may still be a lawful one: with other pixels, another window, another polarity. So
the delivered pixels needn't be the seed's, but they must be *a function of the values stored in
this very file*: `stored_values` decodes those by itself where the format stores them openly, and
`explained` finds out whether one table turns them into what was delivered: each stored value into
one level, rising all the way or falling all the way, nothing (0, padding) apart. A pixel
of another file, of memory never written to, or at another place, breaks that, since every stored
value occurs often in the seeds.
"""

import gzip
import io
import itertools
import math
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread

from .seeds import Seed, Stored

Pixels = NDArray[np.float32]


def verdict(pixels: Pixels, data: bytes, seed: Seed) -> str:
    """Judge what a reader made of `data`, a damaged copy of `seed`; empty where it is right."""
    if pixels.dtype != np.float32 or pixels.ndim not in (3, 4) or not pixels.size:
        return f"pixels must be float32 (C, H, W), got {pixels.dtype} {pixels.shape}"
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
        return "pixels must be in [0, 1]"
    if same(pixels, seed):
        return ""
    found = stored_values(data, seed.kind)
    if not found and seed.stream:
        stream = codestream(data, seed)
        if stream == codestream(seed.data, seed) or _short(stream, seed):
            found = _with_sign(seed.stored, data, seed.kind)
        elif stream:
            return ""  # another code stream has no right pixels; two processes agreed on these
    if any(explained(pixels, stored) for stored in found):
        return ""
    return f"pixels aren't a function of the stored values, {[one.shape for one in found]}"


def codestream(data: bytes, seed: Seed) -> bytes:
    """The entropy-coded bytes of one file; empty where there are none."""
    if seed.kind != "DICOM":
        return data
    try:
        return b"".join(_fragments(dcmread(io.BytesIO(data)).PixelData))
    except Exception:  # whatever the damage
        return b""


def _with_sign(stored: Stored, data: bytes, kind: str) -> list[Stored]:
    """As they are, or as signed numbers if the header now says so, which decoders follow."""
    header = dcmread(io.BytesIO(data), stop_before_pixels=True) if kind == "DICOM" else {}
    if header.get("PixelRepresentation") != 1:
        return [stored]
    bits, wide = int(header.BitsStored), stored.astype(np.int64)
    return [stored, np.where(wide >= 2 ** (bits - 1), wide - 2**bits, wide)]


def _short(stream: bytes, seed: Seed) -> bool:
    """Whether a code stream is the seed's without its end, or a JPEG with too few blocks."""
    whole = codestream(seed.data, seed)
    if (
        stream[:2] == b"\xff\xd8"
        and stream[:4] != b"\xff\xd8\xff\xf7"
        and not jpeg_complete(stream)
    ):
        return True
    return whole.startswith(stream.rstrip(b"\0"))


def same(pixels: Pixels, seed: Seed) -> bool:
    """The seed's right pixels; one grey level apart where JPEG decoders differ."""
    flat, expected = pixels.reshape(-1, *pixels.shape[-2:]), seed.pixels
    expected = expected.reshape(-1, *expected.shape[-2:])
    lossy = seed.stream[:2] == b"\xff\xd8"
    return flat.shape == expected.shape and bool(
        np.allclose(flat, expected, rtol=0, atol=1.01 / 255 if lossy else 2e-7)
    )


def explained(pixels: Pixels, stored: Stored, *, rising: bool = True) -> bool:
    """Whether one table of levels turns `stored` (H, W) or (T, H, W) into `pixels` (C, …, H, W).

    Args:
        pixels: what was delivered.
        stored: what the file holds.
        rising: the table must rise or fall all the way; False for colours.
    """
    pixels = pixels.reshape(-1, *pixels.shape[-2:])
    stored = stored.reshape(-1, *stored.shape[-2:])
    if stored.shape != pixels.shape:
        return False
    _, groups = np.unique(stored, return_inverse=True)
    flat, count = pixels.ravel(), int(groups.max()) + 1
    groups = groups.ravel()
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, groups, flat)
    np.maximum.at(high, groups, flat)
    steps = np.diff(low[low > 0])
    monotone = (steps >= 0).all() or (steps <= 0).all() or not rising
    return bool((low == high).all() and monotone)


def stored_values(data: bytes, kind: str) -> list[Stored]:
    """Every array that a file may mean, (H, W) or (T, H, W); none where it can't be told."""
    try:
        return _DECODERS[kind](data)
    except Exception:  # whatever the damage: this judge can't tell
        return []


def _dicom(data: bytes) -> list[Stored]:
    ds = dcmread(io.BytesIO(data))
    allocated, bits = int(ds.BitsAllocated), int(ds.BitsStored)
    frames = int(ds.get("NumberOfFrames") or 1)
    syntax, shape = ds.file_meta.TransferSyntaxUID, (frames, int(ds.Rows), int(ds.Columns))
    if syntax == "1.2.840.10008.1.2.5":
        parts = _fragments(ds.PixelData)
        raw = b"".join(_rle(part, shape[1] * shape[2], allocated // 8) for part in parts)
        order = "<"
    elif syntax.is_encapsulated:
        return []
    else:
        raw, order = ds.PixelData, "<" if ds.original_encoding[1] else ">"
    size = allocated // 8 * int(np.prod(shape))
    if len(raw) not in (size, size + size % 2):
        return []
    values = np.frombuffer(raw[:size], f"{order}u{allocated // 8}").astype(np.int64)
    values = values.reshape(shape) & (2**bits - 1)
    return [values, np.where(values >= 2 ** (bits - 1), values - 2**bits, values)]


def _fragments(data: bytes) -> list[bytes]:
    """The items of encapsulated pixel data (PS3.5, A.4), without the offset table."""
    items, where = [], 0
    while where + 8 <= len(data):
        tag, size = struct.unpack_from("<II", data, where)
        if tag != 0xE000FFFE:
            break
        items.append(data[where + 8 : where + 8 + size])
        where += 8 + size
    return items[1:]


def _rle(data: bytes, size: int, planes: int) -> bytes:
    """One frame of PS3.5, annex G: byte planes from the most significant, each PackBits."""
    count, *offsets = struct.unpack_from("<16I", data)
    assert count == planes
    found = []
    for start, stop in itertools.pairwise([*offsets[:count], len(data)]):
        out, part, at = bytearray(), data[start:stop], 0
        while at < len(part) and len(out) < size:
            head = part[at]
            if head < 128:
                out += part[at + 1 : at + 2 + head]
                at += 2 + head
            elif head > 128:
                out += part[at + 1 : at + 2] * (257 - head)
                at += 2
            else:
                at += 1
        assert len(out) >= size
        found.append(np.frombuffer(bytes(out[:size]), np.uint8))
    return np.stack(found[::-1], axis=-1).tobytes()


def _nifti(data: bytes) -> list[Stored]:
    raw = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    two = 0x1C in (raw[0], raw[3])
    order = "<" if raw[0] in (0x5C, 0x1C) else ">"
    dims = struct.unpack_from(f"{order}8{'q' if two else 'h'}", raw, 16 if two else 40)
    (code,) = struct.unpack_from(f"{order}h", raw, 12 if two else 70)
    (start,) = struct.unpack_from(f"{order}{'q' if two else 'f'}", raw, 168 if two else 108)
    dtype = np.dtype(nib.nifti1.data_type_codes.dtype[code]).newbyteorder(order)
    shape = [max(1, size) for size in dims[1 : dims[0] + 1]] + [1, 1, 1]
    count = int(np.prod(shape))
    flat = np.frombuffer(raw[int(start) or (544 if two else 352) :], dtype)
    assert len(flat) == count
    grid = flat.reshape(shape[::-1]).reshape(-1, shape[1], shape[0])
    return [turned for frames in _slices(grid, shape) for turned in turns(frames)]


def _slices(grid: Stored, shape: list[int]) -> list[Stored]:
    """All frames; of a cine of several slices also the frames of each."""
    depth = shape[2]
    return [grid, *(grid[k::depth] for k in range(depth if depth > 1 else 0))]


def turns(frames: Stored) -> list[Stored]:
    """The eight ways to put an image upright."""
    flips = [frames[:, ::down, ::right] for down in (1, -1) for right in (1, -1)]
    return flips + [one.swapaxes(1, 2) for one in flips]


def _png(data: bytes) -> list[Stored]:
    """Grey without interlace, as many bytes as the header asks for (PNG, 3rd edition, 9)."""
    width, height, depth, colour, _, _, laced = struct.unpack_from(">IIBBBBB", data, 16)
    if colour != 0 or depth not in (1, 2, 4, 8, 16) or laced:
        return []
    where, body = 8, b""
    while where < len(data):
        size, name = struct.unpack_from(">I4s", data, where)
        body += data[where + 8 : where + 8 + size] if name == b"IDAT" else b""
        where += 12 + size
    raw, line = zlib.decompress(body), -(-width * depth // 8)
    assert len(raw) == height * (1 + line)
    rows, above = [], bytes(line)
    for start in range(0, len(raw), 1 + line):
        above = _unfilter(raw[start], raw[start + 1 : start + 1 + line], above, depth // 8 or 1)
        rows.append(above)
    if depth >= 8:
        flat = np.frombuffer(b"".join(rows), f">u{depth // 8}").astype(np.int64)
        picture = flat.reshape(1, height, width)
        return turns(picture) if b"eXIf" in data else [picture]  # it may say how to turn it
    bits = np.unpackbits(np.frombuffer(b"".join(rows), np.uint8).reshape(height, line), axis=1)
    bits = bits[:, : width * depth].reshape(height, width, depth)
    return [bits @ (1 << np.arange(depth)[::-1])]


def _unfilter(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    out = bytearray(line)
    for k in range(len(out)):
        a, b = (out[k - step] if k >= step else 0), above[k]
        c = above[k - step] if k >= step else 0
        guess = (0, a, b, (a + b) // 2, min((a, b, c), key=lambda x: abs(a + b - c - x)))[kind]
        out[k] = (out[k] + guess) & 255
    return bytes(out)


def _tiff(data: bytes) -> list[Stored]:
    """Little-endian grey in strips: plain, LZW or deflate (TIFF 6.0, 3, 4 and 13)."""
    at = struct.unpack_from("<I", data, 4)[0]
    tags: dict[int, Any] = {}
    for k in range(struct.unpack_from("<H", data, at)[0]):
        tag, kind, count = struct.unpack_from("<HHI", data, at + 2 + 12 * k)
        form = f"<{count}{ {3: 'H', 4: 'I'}.get(kind, 'x') }"
        where = at + 10 + 12 * k
        if struct.calcsize(form) > 4:
            where = struct.unpack_from("<I", data, where)[0]
        tags[tag] = struct.unpack_from(form, data, where)
    unpack = {1: bytes, 5: _lzw, 8: _inflate}[tags.get(259, (1,))[0]]
    width, height, bits = tags[256][0], tags[257][0], tags[258][0]
    high = tags.get(278, (height,))[0]
    pairs = list(zip(tags[273], tags[279], strict=True))
    assert len(pairs) == -(-height // high)
    strips = [unpack(data[start : start + size]) for start, size in pairs]
    line = width * bits // 8
    rows = [min(high, height - k * high) for k in range(len(strips))]
    assert [len(strip) for strip in strips] == [line * count for count in rows]
    flat = np.frombuffer(b"".join(strips), f"<u{bits // 8}")
    return [flat.reshape(height, width).astype(np.int64)]


def _inflate(data: bytes) -> bytes:
    """Without the check sum at the end, which libtiff never gets to."""
    return zlib.decompressobj(-15).decompress(data[2:])


def _lzw(data: bytes) -> bytes:
    bits, at, width, out = int.from_bytes(data, "big"), len(data) * 8, 9, bytearray()
    table: list[bytes] = []
    last = b""
    while at >= width:
        at -= width
        code = bits >> at & (1 << width) - 1
        if code == 257:
            return bytes(out)
        if code == 256:
            table, last, width = [bytes([k]) for k in range(256)] + [b"", b""], b"", 9
            continue
        assert code <= len(table)
        entry = table[code] if code < len(table) else last + last[:1]
        if last:
            table.append(last + entry[:1])
        out, last = out + entry, entry
        width = 9 + sum(len(table) >= limit for limit in (511, 1023, 2047))
    return bytes(out)


def jpeg_complete(data: bytes) -> bool:
    """Whether a baseline or lossless scan of one component has a code for every block or pixel.

    True also where this can't be told: a code or a table that makes no sense, an end within the
    last block, where what is missing may be beyond the image or too small to be seen.
    ISO 10918-1, F.2 and H.2.
    """
    try:
        return _all_blocks(data)
    except (IndexError, KeyError, struct.error):
        return True


def _all_blocks(data: bytes) -> bool:
    at, tables, blocks, last = 2, {}, 0, 63
    while data[at + 1] != 0xDA:
        marker, size = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : at + 2 + size]
        if marker == 0xC0:
            rows, columns = struct.unpack_from(">HH", body, 1)
            blocks = -(-rows // 8) * -(-columns // 8)
        if marker == 0xC3:  # lossless: a code a pixel
            blocks, last = math.prod(struct.unpack_from(">HH", body, 1)), 0
        while marker == 0xC4 and body:
            tables[body[0]], body = _huffman(body)
        at += 2 + size
    at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    end = re.compile(rb"\xff[^\0]").search(data, at)
    scan = data[at : end.start() if end else len(data)].replace(b"\xff\0", b"\xff")
    bits = iter("".join(f"{byte:08b}" for byte in scan))
    left = blocks
    try:
        while left:
            _skip(bits, _code(bits, tables[0x00]) % 16)  # 16 has no further bits
            k = 1
            while k <= last:
                run, size = divmod(_code(bits, tables[0x10]), 16)
                if size == 0 and run != 15:
                    break
                _skip(bits, size)
                k += run + 1
            left -= 1
    except StopIteration:
        return left == 1
    return blocks > 0


def _huffman(body: bytes) -> tuple[dict[str, int], bytes]:
    """Codes of one table (annex C), and what follows it."""
    codes, code, at = {}, 0, 17
    for length in range(1, 17):
        for _ in range(body[length]):
            codes[f"{code:0{length}b}"] = body[at]
            code, at = code + 1, at + 1
        code *= 2
    return codes, body[at:]


def _code(bits: Iterator[str], codes: dict[str, int]) -> int:
    text = ""
    while text not in codes:
        text += next(bits)
        if len(text) > 16:
            raise KeyError(text)
    return codes[text]


def _skip(bits: Iterator[str], count: int) -> None:
    for _ in range(count):
        next(bits)


def _text(data: bytes) -> list[Stored]:
    """NRRD or MHA in one file, raw or packed."""
    nrrd = data.startswith(b"NRRD")
    end = (
        re.search(rb"\n\r?\n", data)
        if nrrd
        else re.search(rb"ElementDataFile *= *(?i:LOCAL)\r?\n", data)
    )
    assert end is not None
    head = data[: end.end()].decode("latin-1")
    fields = dict(re.findall(r"^([\w ]+?) *[:=] *(.*?)\r?$", head, re.M))
    raw = data[end.end() :]
    packed = fields.get("encoding") in ("gzip", "gz") or fields.get("CompressedData") == "True"
    raw = zlib.decompress(raw, wbits=47) if packed else raw
    big = fields.get("endian") == "big" or "True" in (
        fields.get("BinaryDataByteOrderMSB"),
        fields.get("ElementByteOrderMSB"),
    )
    dtype = _TYPES[fields["type" if nrrd else "ElementType"]]
    sizes = [int(size) for size in fields["sizes" if nrrd else "DimSize"].split()]
    count = int(np.prod(sizes))
    flat = np.frombuffer(raw, np.dtype(dtype).newbyteorder(">" if big else "<"))
    assert len(flat) == count
    return turns(flat.reshape(sizes[::-1]).reshape(-1, sizes[1], sizes[0]))


_TYPES = {
    **dict.fromkeys(("uint8", "MET_UCHAR"), "u1"),
    **dict.fromkeys(("int8", "MET_CHAR"), "i1"),
    **dict.fromkeys(("uint16", "MET_USHORT"), "u2"),
    **dict.fromkeys(("int16", "MET_SHORT"), "i2"),
    **dict.fromkeys(("float", "MET_FLOAT"), "f4"),
    **dict.fromkeys(("double", "MET_DOUBLE"), "f8"),
    **dict.fromkeys(("int64", "MET_LONG_LONG"), "i8"),
}


def _nothing(_: bytes) -> list[Stored]:
    return []


_DECODERS = {
    "DICOM": _dicom,
    "NIfTI": _nifti,
    "PNG": _png,
    "TIFF": _tiff,
    "JPEG": _nothing,
    "NRRD": _text,
    "MHA": _text,
}
