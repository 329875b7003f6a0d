"""NIfTI, PNG, TIFF, JPEG, NRRD and MHA files whose headers lie, everything else in order."""

import gzip
import re
import struct
import zlib

import numpy as np

from .seeds import COLUMNS, ROWS, mha

Rng = np.random.Generator

# NIfTI

# nifti1.h and nifti2.h: offset and type of the fields that reading relies on
_NIFTI_1 = {
    **{f"dim{k}": (40 + 2 * k, "h") for k in range(8)},
    **{f"pixdim{k}": (76 + 4 * k, "f") for k in range(4)},
    **{f"srow{k}": (280 + 4 * k, "f") for k in range(12)},
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "units": (123, "b"),
    "qform": (252, "h"),
    "sform": (254, "h"),
    "quatern": (256, "f"),
    "magic": (344, "i"),
}
_NIFTI_2 = {
    **{f"dim{k}": (16 + 8 * k, "q") for k in range(8)},
    **{f"pixdim{k}": (104 + 8 * k, "d") for k in range(4)},
    "datatype": (12, "h"),
    "bitpix": (14, "h"),
    "vox_offset": (168, "q"),
    "scl_slope": (176, "d"),
    "scl_inter": (184, "d"),
    "qform": (344, "i"),
    "sform": (348, "i"),
}
_WHOLE = (0, 1, -1, 2, 4, 8, 16, 64, 256, 512, 768, 1280, 8192, 30000, 32767, -32768)
_REAL = (0.0, 1.0, -1.0, 2.0, 0.5, 351.0, 352.5, 1e6, 1e30, -1e30, np.nan, np.inf, -np.inf)


def nifti_lie(data: bytes, rng: Rng) -> bytes:
    """A field of the header."""
    packed = data.startswith(b"\x1f\x8b")
    raw = bytearray(gzip.decompress(data) if packed else data)
    little = raw[0] in (0x5C, 0x1C) and raw[1] in (1, 2)
    fields = _NIFTI_2 if 0x1C in raw[:4] else _NIFTI_1
    names = list(fields)
    where, kind = fields[names[int(rng.integers(len(names)))]]
    form = ("<" if little else ">") + kind
    old = struct.unpack_from(form, raw, where)[0]
    if kind in "fd":
        new = _REAL[int(rng.integers(len(_REAL)))]
    else:
        values = (*_WHOLE, old - 1, old + 1, 2 * old, old // 2)
        new = values[int(rng.integers(len(values)))]
        new = max(-128, min(new, 127)) if kind == "b" else new
    struct.pack_into(form, raw, where, new)
    return gzip.compress(bytes(raw), mtime=0) if packed else bytes(raw)


def nifti_float(data: bytes, rng: Rng) -> bytes:
    """NaN, infinities and fractions in float data (16-bit data become half as many floats)."""
    raw = bytearray(gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data)
    if raw[0] != 0x5C:
        return nifti_lie(data, rng)
    if struct.unpack_from("<h", raw, 70)[0] == 4:  # int16 to float32: rows of half the length
        columns = struct.unpack_from("<h", raw, 42)[0]
        struct.pack_into("<h", raw, 42, columns // 2)
        struct.pack_into("<hh", raw, 70, 16, 32)
        raw[352:] = np.zeros((len(raw) - 352) // 4, "<f4").tobytes()
    value = (np.nan, np.inf, -np.inf, 0.5, 1e30, -1e-40)[int(rng.integers(6))]
    where = 352 + 4 * int(rng.integers((len(raw) - 352) // 4))
    struct.pack_into("<f", raw, where, value)
    return bytes(raw)


# PNG


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, where = [], 8
    while where < len(data):
        size, kind = struct.unpack_from(">I4s", data, where)
        found.append((kind, data[where + 8 : where + 8 + size]))
        where += 12 + size
    return found


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, every CRC right."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        parts += [struct.pack(">I", len(body)), kind, body]
        parts += [struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(parts)


def png_lie(data: bytes, rng: Rng) -> bytes:
    """A field of IHDR, the CRC right."""
    chunks = _chunks(data)
    head = bytearray(chunks[0][1])
    field = int(rng.integers(7))
    if field < 2:
        sizes = (0, 1, 35, 37, 39, 41, 72, 80, 10000, 65536, 2**31 - 1, 2**32 - 1)
        struct.pack_into(">I", head, 4 * field, sizes[int(rng.integers(len(sizes)))])
    else:  # depth, colour, compression, filter, interlace
        values = ((1, 2, 4, 8, 16, 32), (0, 2, 3, 4, 6), (1,), (1,), (1, 2))[field - 2]
        head[6 + field] = values[int(rng.integers(len(values)))]
    return png_of([(b"IHDR", bytes(head)), *chunks[1:]])


def png_pixels(data: bytes, rng: Rng) -> bytes:
    """Fewer, more or other bytes than the header asks for, in IDAT chunks that are in order."""
    chunks = _chunks(data)
    raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    size = (len(raw) - 1, len(raw) // 2, len(raw) // 4, 1, 0, 2 * len(raw))[int(rng.integers(6))]
    raw = (raw + raw)[:size]
    if raw and rng.integers(3) == 0:
        raw = bytes([int(rng.integers(256))]) + raw[1:]  # the first row's filter
    return png_of([chunks[0], (b"IDAT", zlib.compress(raw)), (b"IEND", b"")])


def png_chunk(data: bytes, rng: Rng) -> bytes:
    """A chunk left out, twice, moved, cut, or one that wasn't there, each CRC right."""
    chunks = _chunks(data)
    which, what = int(rng.integers(len(chunks))), int(rng.integers(5))
    if what == 0:
        del chunks[which]
    elif what == 1:
        chunks.insert(which, chunks[which])
    elif what == 2:
        chunks.insert(int(rng.integers(len(chunks))), chunks.pop(which))
    elif what == 3:
        kind, body = chunks[which]
        chunks[which] = (kind, body[: int(rng.integers(len(body) + 1))])
    else:
        new = ((b"tRNS", b"\0\0"), (b"gAMA", b"\0\0\0\1"), (b"acTL", b"\0\0\0\2\0\0\0\0"))
        new += ((b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"), (b"zTXt", b"a\0\0x"))
        chunks.insert(1, new[int(rng.integers(len(new)))])
    return png_of(chunks)


# TIFF


def tiff_lie(data: bytes, rng: Rng) -> bytes:
    """One entry of the directory: its type, count or value."""
    at = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, at)[0]
    where = at + 2 + 12 * int(rng.integers(entries))
    field = int(rng.integers(6))
    if field == 0:
        where, form, values = where + 2, "<H", (0, 1, 2, 3, 4, 5, 12, 16, 99)
    elif field == 1:
        where, form, values = where + 4, "<I", (0, 1, 2, 3, 1000, 2**31, 2**32 - 1)
    else:
        old = struct.unpack_from("<I", data, where + 8)[0]
        values = (0, 1, 2, 3, 5, 7, 8, 12, 16, 32, 34, 80, 32773, 32946, 65535, 2**31, 2**32 - 1)
        where, form, values = where + 8, "<I", (*values, old - 1, old + 1, 2 * old, old // 2)
    new = struct.pack(form, values[int(rng.integers(len(values)))] & (2**32 - 1))
    return data[:where] + new + data[where + len(new) :]


# JPEG


def jpeg_lie(data: bytes, rng: Rng) -> bytes:
    """Size, depth and samples of the frame, or the length of a segment."""
    at = next(match.start() for match in re.finditer(b"\xff[\xc0-\xc2]", data))
    if rng.integers(3):
        where, form, values = (
            (at + 4, "B", (0, 2, 12, 16)),
            (at + 5, ">H", (0, 1, 8, 39, 41, 80, 20000, 65500, 65535)),
            (at + 7, ">H", (0, 1, 8, 35, 37, 72, 20000, 65500, 65535)),
            (at + 9, "B", (0, 2, 3, 4, 255)),
        )[int(rng.integers(4))]
    else:
        segments = [match.start() for match in re.finditer(b"\xff[\xc0-\xdb\xe0-\xef]", data)]
        where = segments[int(rng.integers(len(segments)))] + 2
        form, values = ">H", (0, 1, 2, 3, 100, 65535)
    new = struct.pack(form, values[int(rng.integers(len(values)))])
    return data[:where] + new + data[where + len(new) :]


# NRRD and MHA: a header of text

_SIZES = (
    *("0 0", "36 0", "40 36", "36 80", "36 39", "36 41", "36 20", "36", "-36 -40", "36 40 1"),
    *("1 36 40", "100000 100000", "4294967332 40", "2147483647 2147483647", "99999999999999 1"),
)
_ELSEWHERE = ("marked.raw", "../marked.raw", "/etc/hostname", "LIST\nmarked.raw", "%d.raw 1 2 1")
_NRRD = {
    "type": ("uint8", "int8", "int16", "uint16", "float", "double", "int64", "block", "x"),
    "dimension": ("0", "1", "2", "3", "4", "16", "17", "-1", "x"),
    "sizes": _SIZES,
    "encoding": ("raw", "gzip", "ascii", "bzip2", "hex", "x"),
    "endian": ("big", "little", "x"),
    "data file": _ELSEWHERE,
    "byte skip": ("-1", "1", "-2", "1000000", "x"),
    "line skip": ("1", "-1", "100"),
    "space": ("left-posterior-superior", "right-anterior-superior", "x"),
    "space directions": ("(1,0) (0,1)", "(nan,0) (0,1)", "(1,0,0) (0,0,-1)", "none", "(0,0) (0,0)"),
    "spacings": ("nan nan", "0 0", "-1 1", "1e308 2"),
    "kinds": ("domain domain", "vector domain", "RGB-color domain"),
}
_TYPES = ("UCHAR", "CHAR", "SHORT", "USHORT", "FLOAT", "DOUBLE", "UCHAR_ARRAY", "LONG_LONG")
_MHA = {
    "NDims": ("0", "1", "2", "3", "4", "11", "-1", "x", "100000"),
    "DimSize": _SIZES,
    "ElementType": (*(f"MET_{name}" for name in _TYPES), "MET_STRING", "x"),
    "CompressedData": ("True", "False", "x"),
    "CompressedDataSize": ("0", "1", "-1", "100000000000"),
    "BinaryData": ("False", "True"),
    "BinaryDataByteOrderMSB": ("True", "False"),
    "ElementByteOrderMSB": ("True", "False"),
    "ElementNumberOfChannels": ("0", "1", "3", "-1", "4294967295"),
    "HeaderSize": ("-1", "0", "1", "100000"),
    "ElementSpacing": ("0 0", "nan nan", "-1 1", "1e308 1"),
    "ElementDataFile": (*_ELSEWHERE, "LOCAL", ""),
    "TransformMatrix": ("0 0 0 0", "nan 0 0 1", "-1 0 0 -1", "0 1 1 0", "1 0"),
}


def _text_lie(data: bytes, rng: Rng, lies: dict[str, tuple[str, ...]], sign: str) -> bytes:
    name = list(lies)[int(rng.integers(len(lies)))]
    line = f"{name}{sign}{lies[name][int(rng.integers(len(lies[name])))]}\n".encode()
    old = re.compile(f"^{name} ?{sign.strip()} ?.*\n".encode(), re.MULTILINE)
    if old.search(data):
        return old.sub(line.replace(b"\\", b"\\\\"), data, count=1)
    at = data.index(b"\n") + 1
    return data[:at] + line + data[at:]


def nrrd_lie(data: bytes, rng: Rng) -> bytes:
    """A field of the header; another one where it wasn't there."""
    return _text_lie(data, rng, _NRRD, ": ")


def mha_lie(data: bytes, rng: Rng) -> bytes:
    """The same."""
    return _text_lie(data, rng, _MHA, " = ")


def text_float(data: bytes, rng: Rng) -> bytes:
    """Float pixels, with NaN, infinity or a fraction among them."""
    pixels = np.zeros(ROWS * COLUMNS, "<f4")
    pixels[int(rng.integers(pixels.size))] = (np.nan, np.inf, -np.inf, 0.5)[int(rng.integers(4))]
    if data.startswith(b"NRRD"):
        head = f"NRRD0004\ntype: float\ndimension: 2\nsizes: {COLUMNS} {ROWS}\nendian: little\n"
        return f"{head}encoding: raw\n\n".encode() + pixels.tobytes()
    return mha(pixels.reshape(ROWS, COLUMNS))
