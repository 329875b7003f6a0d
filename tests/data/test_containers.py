"""PNG, JPEG and TIFF: all pixels that the header promises are there, and no more."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from medaug.data import RadiographReader
from medaug.errors import UnreadableImageError


def read(data, tmp_path, **options):
    """What the reader gives for a file of these bytes."""
    path = tmp_path / "image"
    path.write_bytes(data)
    reader = RadiographReader(**options)
    return reader.get_data(reader.read(path))[0][0]


def saved(pixels, form, **options):
    """The file that Pillow writes."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, form, **options)
    return stream.getvalue()


def image(height, width, dtype, content):
    """Noise, flat, or a repeated pattern (long matches and new codes for LZW)."""
    rng = np.random.default_rng(height * width)
    top = np.iinfo(dtype).max
    shapes = {
        "noise": rng.integers(0, top, (height, width), endpoint=True),
        "flat": np.full((height, width), 7),
        "pattern": np.tile(rng.integers(0, top, 13), height * width // 13 + 1)[: height * width],
    }
    return shapes[content].reshape(height, width).astype(dtype)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("content", ["noise", "flat", "pattern"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (33, 47), (300, 211)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiffs_are_whole(tmp_path, compression, content, height, width, dtype):
    """Every compression, in one strip and in several, comes out exactly."""
    pixels = image(height, width, dtype, content)
    got = read(saved(pixels, "TIFF", compression=compression), tmp_path)
    np.testing.assert_array_equal(got, (pixels / np.iinfo(dtype).max).astype(np.float32))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize(
    ("tag", "value"), [(257, 40), (257, 20), (256, 46), (256, 48), (258, 16), (278, 7)]
)
def test_tiffs_whose_directory_lies_are_refused(tmp_path, compression, tag, value):
    """Too few bytes, too many, or another number of strips."""
    data = bytearray(saved(image(33, 47, np.uint8, "pattern"), "TIFF", compression=compression))
    at = struct.unpack_from("<I", data, 4)[0]
    for k in range(struct.unpack_from("<H", data, at)[0]):
        entry = at + 2 + 12 * k
        if struct.unpack_from("<H", data, entry)[0] == tag:
            data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, value)
    with pytest.raises(UnreadableImageError, match="the TIFF"):
        read(bytes(data), tmp_path)


def test_other_compressions_of_tiff_are_named(tmp_path):
    """JPEG inside TIFF can't be checked."""
    with pytest.raises(UnreadableImageError, match=r"LZW, deflate or PackBits, got compression 7"):
        read(saved(image(16, 16, np.uint8, "flat"), "TIFF", compression="jpeg"), tmp_path)


def png(width, height, raw, *, depth=8, interlaced=0):
    """A grey PNG of these filtered rows."""
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2), (8, 8), (21, 13)])
def test_interlaced_png_is_read(tmp_path, height, width):
    """Adam7, with passes that are empty in small images."""
    pixels = image(height, width, np.uint8, "noise")
    places = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
              (1, 0, 2, 1)]  # fmt: skip
    passes = [pixels[y::down, x::across] for y, x, down, across in places]
    raw = b"".join(b"\0" + row.tobytes() for one in passes if one.size for row in one)
    got = read(png(width, height, raw, interlaced=1), tmp_path)
    np.testing.assert_array_equal(got, (pixels / 255).astype(np.float32))
    with pytest.raises(UnreadableImageError, match="IDAT must hold"):
        read(png(width, height, raw + b"\0", interlaced=1), tmp_path)


@pytest.mark.parametrize("rows", [7, 9])
def test_png_of_other_length_is_refused(tmp_path, rows):
    """A row too few, a row too many; with the right number it's read."""
    row = b"\0" + bytes(range(10))
    assert read(png(10, 8, row * 8), tmp_path).shape == (8, 10)
    with pytest.raises(UnreadableImageError, match=r"must hold 88 bytes for 8 x 10 pixels"):
        read(png(10, 8, row * rows), tmp_path)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_jpeg_whose_scan_ends_early_is_refused(tmp_path, options):
    """Libjpeg would fill the rest with grey; a whole one is read as Pillow reads it."""
    smooth = np.add.outer(np.arange(64), np.arange(80)).astype(np.uint8)
    data = saved(smooth, "JPEG", quality=90, **options)
    np.testing.assert_array_equal(
        read(data, tmp_path), (np.asarray(Image.open(BytesIO(data))) / 255).astype(np.float32)
    )
    for cut in (3, 20, 60):
        with pytest.raises(UnreadableImageError, match="JPEG"):
            read(data[: -2 - cut] + b"\xff\xd9", tmp_path)


def test_jpeg_with_a_stray_restart_marker_is_refused(tmp_path):
    """Libjpeg stops there, and fills the rest with grey."""
    smooth = np.add.outer(np.arange(64), np.arange(80)).astype(np.uint8)
    data = saved(smooth, "JPEG", quality=95)
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    with pytest.raises(UnreadableImageError, match="scan that ends early"):
        read(data[:middle] + b"\xff\xd2" + data[middle + 2 :], tmp_path)
