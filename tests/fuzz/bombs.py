"""Small files that unpack to something large, files with nothing in them, and the largest allowed.

What is expected of each: refused, within the limits on memory and time. Only `largest` may also
be delivered.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from ..data.dicom_files import dataset
from .file_lies import png_of
from .seeds import mha, nrrd, picture, saved, seeds, smooth

Case = tuple[str, str, bytes]
"""The format, the file's name, the file."""

_BLOCK = 2**22


def zeros(count: int, wbits: int) -> bytes:
    """A stream of `count` zeros without holding them (a multiple of 4 MiB)."""
    packer = zlib.compressobj(9, wbits=-15)
    packer.compress(bytes(_BLOCK))
    packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(_BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    # blocks after a full flush don't refer to what came before: one may be repeated
    body = again * (count // _BLOCK) + b"\3\0"
    if wbits < 0:
        return body
    check = _adler_of_zeros(count)
    return b"\x78\xda" + body + struct.pack(">I", check)


def _adler_of_zeros(count: int) -> int:
    return (count % 65521) << 16 | 1


def _gzip(head: bytes, count: int) -> bytes:
    """A header, and then zeros, as gzip members."""
    member = gzip.compress(bytes(_BLOCK), mtime=0)
    return gzip.compress(head, mtime=0) + member * (count // _BLOCK)


def _nifti_head(shape: tuple[int, ...], dtype: str) -> bytes:
    image = nib.Nifti1Image(np.zeros((2, 2), dtype), np.diag([-1.0, -1, 1, 1]))
    raw = bytearray(image.to_bytes()[:352])
    dims = [len(shape), *shape] + [1] * (7 - len(shape))
    struct.pack_into("<8h", raw, 40, *dims)
    return bytes(raw)


def bombs() -> Iterator[Case]:
    """Ten kilobytes to some megabytes, for 2 to 16 GiB."""
    many = 2**34
    head = saved(dataset(picture(8), bits=8), DeflatedExplicitVRLittleEndian)
    start = 144 + struct.unpack_from("<I", head, 140)[0]
    yield "DICOM", "bomb_deflated.dcm", head[:start] + zeros(many, -15)
    claimed = head[:start] + _deflated_tail(head[start:]) + zeros(many, -15)
    yield "DICOM", "bomb_deflated_pixels.dcm", claimed
    yield "NIfTI", "bomb.nii.gz", _gzip(_nifti_head((30000, 30000), "<i2"), many)
    yield "NIfTI", "bomb_tail.nii.gz", _gzip(_nifti_head((8, 8), "<i2"), many)
    yield "NIfTI", "bomb_4d.nii.gz", _gzip(_nifti_head((1000, 1000, 20, 1000), "<i2"), many)
    for side in (60000, 8):
        body = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        packed = zeros(2**32, 15)
        chunks = [(b"IHDR", body), (b"IDAT", packed), (b"IEND", b"")]
        yield "PNG", f"bomb_{side}.png", png_of(chunks)
    small = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = (b"IDAT", zlib.compress(bytes(72)))
    for kind, text in ((b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0\0\0")):
        chunks = [(b"IHDR", small), (kind, text + zeros(2**31, 15)), pixels, (b"IEND", b"")]
        yield "PNG", f"bomb_{kind.decode()}.png", png_of(chunks)
    sizes = (("wide", "100000 100000"), ("long", "8 8"))
    for name, size in sizes:
        text = f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: {size}\nencoding: gzip\n\n".encode()
        yield "NRRD", f"bomb_{name}.nrrd", text + _gzip(b"", many)
        text = mha(smooth(), compressed=True)
        text = text[: text.index(b"LOCAL\n") + 6].replace(b"36 40", size.encode())
        packed = zeros(2**32, 15)
        text = text.replace(
            b"CompressedDataSize = ", b"CompressedDataSize = %d\nX = " % len(packed)
        )
        yield "MHA", f"bomb_{name}.mha", text + packed


def _deflated_tail(packed: bytes) -> bytes:
    """The data set up to its pixel data, which are said to be 3 GiB; the stream left open."""
    raw = zlib.decompress(packed, -15)
    at = raw.index(b"\xe0\x7f\x10\x00")
    raw = raw[: at + 8] + struct.pack("<I", 3 * 2**30)
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)


def huge_claims() -> Iterator[Case]:
    """Headers and code streams that claim more than any machine has, with little behind them."""
    yield from _claims_of_elements()
    yield from _claims_of_streams()
    yield from _claims_of_pictures()
    tail = b"\0" * 100
    for size in ("8192 8192", "60000 60000", "4294967295 4294967295"):
        text = f"NRRD0004\ntype: uint8\ndimension: 2\nsizes: {size}\nencoding: raw\n\n".encode()
        yield "NRRD", f"claim_{size[:5].strip()}.nrrd", text + tail
        text = mha(smooth())[: -smooth().size].replace(b"36 40", size.encode())
        yield "MHA", f"claim_{size[:5].strip()}.mha", text + tail
    for shape in ((8192, 8192), (32767, 32767), (32767,) * 7):
        yield "NIfTI", f"claim_{len(shape)}_{shape[0]}.nii", _nifti_head(shape, "<i2") + tail


def _claims_of_elements() -> Iterator[Case]:
    """Rows, Columns and Number of Frames beside the code stream of a small image."""
    for name, syntax in (("rle", RLELossless), ("j2k", JPEG2000Lossless), ("jls", JPEGLSLossless)):
        ds = dataset(picture(12))
        ds.compress(syntax, generate_instance_uid=False)
        for rows, columns, frames in ((65535, 65535, 1), (8192, 8192, 1), (40, 36, 10**9)):
            ds.Rows, ds.Columns, ds.NumberOfFrames = rows, columns, frames
            yield "DICOM", f"claim_{name}_{rows}_{frames}.dcm", saved(ds)


def _claims_of_streams() -> Iterator[Case]:
    """The size in the code stream, by itself, and with Rows and Columns."""
    whole = {seed.name: seed.data for seed in seeds()}
    for name, marker, form, fields in (
        ("j2k.dcm", b"\xff\x51", ">I", (6, 10, 22, 26)),  # SIZ: Xsiz, Ysiz, XTsiz, YTsiz
        ("jls.dcm", b"\xff\xf7", ">H", (5, 7)),  # SOF55: lines, samples in a line
        ("jpeg.dcm", b"\xff\xc0", ">H", (5, 7)),
    ):
        for side in (8192, 20000, 65500):
            raw, at = bytearray(whole[name]), whole[name].index(marker)
            for field in fields:
                struct.pack_into(form, raw, at + field, side)
            yield "DICOM", f"claim_stream_{side}_{name}", bytes(raw)
            if side == 8192:  # the limit allows it
                for tag in (b"\x28\0\x10\0US\2\0", b"\x28\0\x11\0US\2\0"):
                    struct.pack_into("<H", raw, raw.index(tag) + 8, side)
                yield "DICOM", f"claim_both_{side}_{name}", bytes(raw)


def _claims_of_pictures() -> Iterator[Case]:
    """The frame header of JPEG, and the width and height of TIFF."""
    for seed in seeds():
        for side in (8192, 20000, 65500) if seed.kind == "JPEG" else ():
            at = seed.data.index(b"\xff\xc0") + 5
            sized = seed.data[:at] + struct.pack(">HH", side, side) + seed.data[at + 4 :]
            yield "JPEG", f"claim_{side}.jpg", sized
        for side in (8192, 60000, 2**32 - 1) if seed.kind == "TIFF" else ():
            yield "TIFF", f"claim_{side}_{seed.name}", _tiff_sized(seed.data, side)


def _tiff_sized(data: bytes, side: int) -> bytes:
    raw, at = bytearray(data), struct.unpack_from("<I", data, 4)[0]
    for k in range(struct.unpack_from("<H", data, at)[0]):
        where = at + 2 + 12 * k
        if struct.unpack_from("<H", raw, where)[0] in (256, 257):
            struct.pack_into("<HII", raw, where + 2, 4, 1, side)
    return bytes(raw)


def empties() -> Iterator[Case]:
    """No file content, nothing but magic numbers, images of no size, directories of no entry."""
    for seed in seeds():
        yield seed.kind, f"empty_{seed.name}", b""
        yield seed.kind, f"magic_{seed.name}", seed.data[:4]
    for rows, columns in ((0, 36), (40, 0), (0, 0)):
        ds = dataset(picture(12))
        ds.Rows, ds.Columns, ds.PixelData = rows, columns, b""
        yield "DICOM", f"zero_{rows}_{columns}.dcm", saved(ds)
        yield "NIfTI", f"zero_{rows}_{columns}.nii", _nifti_head((columns, rows), "<i2")
        head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
        chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
        yield "PNG", f"zero_{rows}_{columns}.png", png_of(chunks)
        text = b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: %d %d\nencoding: raw\n\n"
        yield "NRRD", f"zero_{rows}_{columns}.nrrd", text % (columns, rows)
        text = mha(smooth())[: -smooth().size]
        yield (
            "MHA",
            f"zero_{rows}_{columns}.mha",
            text.replace(b"36 40", b"%d %d" % (columns, rows)),
        )
    yield "TIFF", "zero.tif", b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    yield "TIFF", "loop.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    yield "JPEG", "zero.jpg", b"\xff\xd8\xff\xd9"
    for values in ([np.nan], [np.inf, -np.inf], [0.5]):
        pixels = np.zeros((40, 36), "<f4")
        pixels.flat[: len(values)] = values
        name = f"float_{values[0]}"
        nifti = nib.Nifti1Image(pixels.T, np.diag([-1.0, -1, 1, 1])).to_bytes()
        yield "NIfTI", f"{name}.nii", nifti
        yield "NRRD", f"{name}.nrrd", nrrd(pixels, kind="float")
        yield "MHA", f"{name}.mha", mha(pixels)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "TIFF")
        yield "TIFF", f"{name}.tif", stream.getvalue()
        ds = dataset(picture(12))
        del ds.PixelData
        ds.FloatPixelData, ds.BitsAllocated = pixels.tobytes(), 32
        yield "DICOM", f"{name}.dcm", saved(ds)


def largest(side: int = 8192) -> Iterator[Case]:
    """As many pixels as the default limit allows, of every kind: memory may not exceed 1 GiB."""
    small, wide = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint16)
    small[::7], wide[::7] = 255, 65535
    yield "DICOM", "large_16.dcm", saved(dataset(wide, bits=16))
    yield (
        "DICOM",
        "large_deflated.dcm",
        saved(dataset(wide, bits=16), DeflatedExplicitVRLittleEndian),
    )
    for name, syntax in (("rle", RLELossless), ("j2k", JPEG2000Lossless), ("jls", JPEGLSLossless)):
        ds = dataset(wide[: side // 4], bits=16)  # the encoders are slow
        ds.compress(syntax, generate_instance_uid=False)
        yield "DICOM", f"large_{name}.dcm", saved(ds)
    jpeg = _pillow(small, "JPEG")
    ds = dataset(small, bits=8)
    ds.file_meta.TransferSyntaxUID, ds.PixelData = JPEGBaseline8Bit, encapsulate([jpeg])
    ds["PixelData"].VR = "OB"
    yield "DICOM", "large_jpeg.dcm", saved(ds)
    yield "JPEG", "large.jpg", jpeg
    yield "PNG", "large_8.png", _pillow(small, "PNG", compress_level=1)
    yield "PNG", "large_16.png", _pillow(wide, "PNG", compress_level=1)
    yield "PNG", "large_rgb.png", _pillow(np.stack([small] * 3, -1), "PNG", compress_level=1)
    yield "TIFF", "large_16.tif", _pillow(wide, "TIFF", compression="tiff_lzw")
    for kind in ("u1", "i2", "u2", "f4", "f8"):
        raw = (small // 255).astype(kind)
        data = _nifti_head((side, side), f"<{kind}") + raw.tobytes()
        yield "NIfTI", f"large_{kind}.nii.gz", gzip.compress(data, 1, mtime=0)
    yield "NRRD", "large_16.nrrd", nrrd(wide, encoding="gzip")
    yield "MHA", "large_16.mha", mha(wide, compressed=True)


def _pillow(stored: Any, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, form, **options)
    return stream.getvalue()


__all__ = ["bombs", "empties", "huge_claims", "largest"]
