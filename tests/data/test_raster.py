"""PNG, JPEG and TIFF: exact, complete, and grey unless asked."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from medaug.data import RadiographReader
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from .images import levels, save


def read(path, **options):
    """(H, W) pixels and metadata."""
    image, meta = RadiographReader(**options).get_data(str(path))
    return image[0], meta


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a_without_suffix"])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_is_exact(tmp_path, name, bits):
    """Every level of 8 and 16 bits comes back as itself over the top level."""
    stored = levels(bits=bits)
    save(tmp_path / "a.png", stored)
    save(tmp_path / "a.tif", stored)
    (tmp_path / "a_without_suffix").write_bytes((tmp_path / "a.png").read_bytes())
    image, meta = read(tmp_path / name)
    top = 2**bits - 1
    np.testing.assert_array_equal(image, (stored / top).astype(np.float32))
    assert (meta["bits"], meta["value_range"]) == (bits, (0.0, float(top)))
    assert meta["spacing_source"] == "none"


def test_jpeg_is_what_pillow_decodes(tmp_path):
    """Upright, 8 bits."""
    smooth = np.add.outer(np.arange(40), np.arange(30)).astype(np.uint8) * 3
    path = save(tmp_path / "a.jpg", smooth)
    image, meta = read(path)
    np.testing.assert_array_equal(image * 255, np.asarray(Image.open(path)).astype(np.float32))
    assert meta["bits"] == 8


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_grey_saved_as_colour_is_grey(tmp_path, mode):
    """Equal channels and full opacity are grey, whatever the mode."""
    stored = levels()
    path = tmp_path / "a.png"
    Image.fromarray(stored).convert(mode).save(path)
    np.testing.assert_array_equal(read(path)[0], (stored / 255).astype(np.float32))


def test_colour_is_refused_or_made_grey_when_asked(tmp_path):
    """True colour needs grey=True, and is then Pillow's luminance to within a level."""
    rgb = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    path = save(tmp_path / "a.png", rgb)
    with pytest.raises(UnreadableImageError, match="must be grey, got colour; grey=True"):
        read(path)
    judged = np.asarray(Image.fromarray(rgb).convert("L")).astype(float)
    np.testing.assert_allclose(read(path, grey=True)[0] * 255, judged, atol=1.01)


def test_transparent_pixels_are_refused(tmp_path):
    """One pixel that isn't opaque is enough."""
    rgba = np.dstack([levels()] * 3 + [np.full((24, 20), 255, np.uint8)])
    rgba[3, 3, 3] = 254
    path = save(tmp_path / "a.png", rgba)
    with pytest.raises(UnreadableImageError, match="must be opaque"):
        read(path, grey=True)


def test_white_is_zero_tiff_is_inverted_once_at_both_depths(tmp_path):
    """TIFF's photometric 0 is DICOM's MONOCHROME1."""
    for bits in (8, 16):
        stored = levels(bits=bits)
        path = tmp_path / f"{bits}.tif"
        image = Image.fromarray(stored)
        image.save(path)
        data = path.read_bytes()
        entry = struct.pack("<HHI", 262, 3, 1)  # PhotometricInterpretation, one SHORT
        assert data.count(entry) == 1
        where = data.index(entry) + len(entry)
        path.write_bytes(data[:where] + struct.pack("<HH", 0, 0) + data[where + 4 :])
        top = 2**bits - 1
        np.testing.assert_array_equal(read(path)[0], ((top - stored) / top).astype(np.float32))


def test_exif_orientation_is_applied(tmp_path):
    """A JPEG or PNG that says it was turned is turned back."""
    stored = levels()
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[0x0112] = 6  # the top row of the scene is the stored right-hand column
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(
        read(tmp_path / "a.png")[0], (np.rot90(stored, -1) / 255).astype(np.float32)
    )


@pytest.mark.parametrize("cut", [1, 4, 12, 13, 30, 200])
def test_cut_png_is_refused(tmp_path, cut):
    """Every missing byte is noticed, also those after the last row."""
    path = save(tmp_path / "a.png", levels())
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(UnreadableImageError, match=r"a\.png: the PNG"):
        read(path)


def test_changed_byte_in_png_is_refused(tmp_path):
    """Chunks carry a CRC, and it is checked."""
    path = save(tmp_path / "a.png", levels())
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 40] ^= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableImageError, match=r"chunk at byte \d+ has a wrong CRC"):
        read(path)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_cut_jpeg_and_tiff_are_refused(tmp_path, suffix, part):
    """No grey lower half."""
    path = save(tmp_path / f"a.{suffix}", levels(200, 160))
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(UnreadableImageError, match=rf"a\.{suffix}: "):
        read(path)


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((4, 4), np.float32), "got floats"),
        (np.zeros((4, 4), np.int32), "got signed or 32-bit integers"),
        (np.zeros((4, 4), bool), "got 1 bit"),
    ],
)
def test_unusable_depth_is_refused(tmp_path, image, text):
    """Floats, 32 bits and 1 bit have no place in a grey radiograph."""
    path = save(tmp_path / "a.tif", image)
    with pytest.raises(UnreadableImageError, match=text):
        read(path)


def chunk(kind, body):
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, bits, colour_type, raw=b""):
    """A PNG made by hand."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_sixteen_bit_colour_png_is_refused(tmp_path):
    """Pillow would reduce it to 8 bits without a word."""
    (tmp_path / "a.png").write_bytes(png(1, 1, 16, 2, b"\0" + b"\x12\x34" * 3))
    with pytest.raises(UnreadableImageError, match="PNG of 16 bits must be plain grey"):
        read(tmp_path / "a.png", grey=True)


def test_claimed_size_is_refused_before_decoding(tmp_path):
    """A header of 9000 x 9000 in a file of 67 bytes."""
    (tmp_path / "a.png").write_bytes(png(9000, 9000, 8, 0))
    with pytest.raises(UnreadableImageError, match="1 to 67,108,864 pixels, got 9,000 rows"):
        read(tmp_path / "a.png")


def test_several_images_in_one_file_are_refused(tmp_path):
    """A TIFF of two pages isn't one radiograph."""
    pages = [Image.fromarray(levels(seed=k)) for k in range(2)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(UnreadableImageError, match="must hold one image"):
        read(tmp_path / "a.tif")


def test_limits_are_settable(tmp_path):
    """Smaller limits refuse what the default takes."""
    path = save(tmp_path / "a.png", levels())
    with pytest.raises(UnreadableImageError, match="1 to 479 pixels, got 24 rows x 20 columns"):
        read(path, limits=Limits(max_pixels=479))
    with pytest.raises(UnreadableImageError, match="the file must have at most 100 bytes"):
        read(path, limits=Limits(max_bytes=100))
    with pytest.raises(ValueError, match="max_pixels must be at least 1, got 0"):
        Limits(max_pixels=0)
