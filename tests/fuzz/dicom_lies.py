"""DICOM files whose header, lengths or transfer syntax lie."""

import io
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames

Rng = np.random.Generator

_NUMBERS = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel")
_SIZES = (0, 1, 2, 3, 7, 8, 12, 15, 16, 17, 32, 64, 255, 256, 8192, 32768, 65535)
_OTHERS: dict[str, tuple[Any, ...]] = {
    "PixelRepresentation": (0, 1, 2, 65535),
    "NumberOfFrames": ("0", "1", "2", "-1", "10", "100000", "2147483647", ""),
    "PhotometricInterpretation": ("", "RGB", "PALETTE COLOR", "MONOCHROME1", "YBR_FULL", "X"),
    "PlanarConfiguration": (0, 1, 7),
    "WindowWidth": ("0", "-1", "1", "1e308", "0.5"),
    "WindowCenter": ("0", "-1e308", "1e308", "100"),
    "RescaleSlope": ("0", "-1", "1e-308", "1e308", "3"),
    "RescaleIntercept": ("0", "-1e308", "7"),
    "PixelPaddingValue": (0, 1, 65535),
    "VOILUTFunction": ("LINEAR", "SIGMOID", "LINEAR_EXACT", "X"),
    "PixelSpacing": (["0", "0"], ["1e308", "-1"], ["0.2", "0.3"]),
}


def _resaved(data: bytes, change: Callable[[Any], None]) -> bytes:
    ds = dcmread(io.BytesIO(data))
    change(ds)
    stream = io.BytesIO()
    ds.save_as(stream)
    return stream.getvalue()


def dicom_lie(data: bytes, rng: Rng) -> bytes:
    """Another value of an element that decoding relies on."""
    ds = dcmread(io.BytesIO(data))
    if rng.integers(3):
        keyword = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
        value, near = ds.get(keyword) or 1, int(rng.integers(6))
        nearby = (value - 1, value + 1, 2 * value, 4 * value, value // 2)
        new = nearby[near] if near < 5 else _SIZES[int(rng.integers(len(_SIZES)))]
        new = max(0, min(new, 65535))
    else:
        keyword = list(_OTHERS)[int(rng.integers(len(_OTHERS)))]
        new = _OTHERS[keyword][int(rng.integers(len(_OTHERS[keyword])))]
    return _resaved(data, lambda ds: setattr(ds, keyword, new))


def dicom_without(data: bytes, rng: Rng) -> bytes:
    """One element gone."""

    def change(ds: Any) -> None:
        keys = [key for key in ds if key.tag.group == 0x28 or key.keyword == "PixelData"]
        del ds[keys[int(rng.integers(len(keys)))].tag]

    return _resaved(data, change)


def dicom_short(data: bytes, rng: Rng) -> bytes:
    """Pixel Data shorter or longer than the header asks for, the element in order otherwise."""

    def change(ds: Any) -> None:
        whole, at = ds.PixelData, int(rng.integers(6))
        if ds.file_meta.TransferSyntaxUID.is_encapsulated:
            frames = list(generate_frames(whole, number_of_frames=int(ds.get("NumberOfFrames", 1))))
            size = len(frames[-1])
            frames[-1] = frames[-1][: (size // 4, size // 2, size - 2, size - 8, 2, 20)[at]]
            frames[-1] += b"\xff\xd9" if rng.integers(2) and frames[-1][:1] == b"\xff" else b""
            ds.PixelData = encapsulate(frames)
        else:
            size = len(whole)
            end = (size // 4, size // 2, size - 2, size + 2, 2, 0)[at]
            ds.PixelData = (whole + b"\7\7")[: end // 2 * 2]

    return _resaved(data, change)


def dicom_swap(data: bytes, rng: Rng) -> bytes:
    """Rows for Columns, or half of one and twice the other: as many pixels, another image."""
    factor = int(rng.integers(1, 4))

    def change(ds: Any) -> None:
        if factor == 1:
            ds.Rows, ds.Columns = ds.Columns, ds.Rows
        else:
            ds.Rows, ds.Columns = ds.Rows * factor, ds.Columns // factor

    return _resaved(data, change)


def dicom_length(data: bytes, rng: Rng) -> bytes:
    """An element's length field, explicit little endian: too short, too long, undefined, odd."""
    heads = list(
        re.finditer(rb"[\x08\x10\x18\x20\x28\xe0]\x00..(OW|OB|US|CS|LO|PN|UI|SQ|DS|IS)", data)
    )
    at = data.find(b"\xe0\x7f\x10\x00")
    if at >= 0 and rng.integers(2):
        long, where = True, at + 8
    else:
        head = heads[int(rng.integers(len(heads)))]
        long = head.group(1) in (b"OW", b"OB", b"SQ")
        where = head.end() + (2 if long else 0)
    form = "<I" if long else "<H"
    old = struct.unpack_from(form, data, where)[0]
    top = 2 ** (8 * struct.calcsize(form)) - 1
    values = (0, old - 1, old + 1, old - 2, old + 2, 2 * old, top, top - 1, int(rng.integers(top)))
    new = struct.pack(form, values[int(rng.integers(len(values)))] & top)
    return data[:where] + new + data[where + len(new) :]


def dicom_meta(data: bytes, rng: Rng) -> bytes:
    """The length of an element of the file's meta information, which may swallow the patient."""
    end = 144 + int(struct.unpack_from("<I", data, 140)[0])
    heads = [match.end() for match in re.finditer(rb"\x02\x00..(UI|SH|AE)", data[:end])]
    at = heads[int(rng.integers(len(heads)))]
    values = (0, 2, 64, 65, 300, 1000, end, len(data) - end, 65535)
    new = struct.pack("<H", values[int(rng.integers(len(values)))] & 65535)
    return data[:at] + new + data[at + 2 :]


def dicom_at_border(data: bytes, rng: Rng) -> bytes:
    """Cut between two elements."""
    borders = [match.start() for match in re.finditer(rb"[\x08\x10\x18\x20\x28\xe0]\x00", data)]
    return data[: borders[int(rng.integers(len(borders)))]]


def dicom_syntax(data: bytes, rng: Rng) -> bytes:
    """Another transfer syntax than the one that the pixels are in."""
    known = ("1.2", "1.2.1", "1.2.2", "1.2.5", "1.2.4.50", "1.2.4.70", "1.2.4.80", "1.2.4.90")
    known += ("1.2.4.201", "1.2.1.99", "1.2.4.100", "9.9")
    new = "1.2.840.10008." + known[int(rng.integers(len(known)))]
    old = dcmread(io.BytesIO(data), stop_before_pixels=True).file_meta.TransferSyntaxUID
    padded = [text.encode() + b"\0" * (len(text) % 2) for text in (old, new)]
    heads = [b"\x02\0\x10\0UI" + struct.pack("<H", len(text)) + text for text in padded]
    grown = struct.unpack_from("<I", data, 140)[0] + len(padded[1]) - len(padded[0])
    data = data.replace(heads[0], heads[1], 1)
    return data[:140] + struct.pack("<I", grown) + data[144:]


def dicom_stream(data: bytes, rng: Rng) -> bytes:
    """The size in the code stream itself: JPEG's and JPEG-LS's frame header, JPEG 2000's SIZ."""
    for marker, form in ((b"\xff\x51", ">I"), (b"\xff\xf7", ">H"), (b"\xff\xc0", ">H")):
        if (at := data.find(marker)) >= 0:
            top = 2 ** (8 * struct.calcsize(form)) - 1
            values = (0, 1, 8, 35, 37, 72, 1000, 20000, 65535, top)
            fields = (6, 10, 14, 18, 22, 26) if form == ">I" else (5, 7)
            new = struct.pack(form, min(top, values[int(rng.integers(len(values)))]))
            at += fields[int(rng.integers(len(fields)))]
            return data[:at] + new + data[at + len(new) :]
    return dicom_lie(data, rng)


DAMAGES = [
    dicom_lie,
    dicom_without,
    dicom_short,
    dicom_swap,
    dicom_length,
    dicom_meta,
    dicom_at_border,
    dicom_syntax,
    dicom_stream,
]
