"""Compressed DICOM: right pixels, and codestreams that lie."""

import base64
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from medaug.data import RadiographReader
from medaug.data._formats import dicom_pixels
from medaug.data._formats.codestream import FrameHeader, check_rle, jpeg2000_header, jpeg_header
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from .dicom_files import dataset
from .images import levels


def read(path, **options):
    """(H, W) pixels."""
    return RadiographReader(**options).get_data(path)[0][0]


def compressed(path, stored, syntax, *, bits=12):
    """A file in a lossless syntax."""
    ds = dataset(stored, bits=bits)
    ds.compress(syntax)
    ds.save_as(path, enforce_file_format=True)
    return path


def with_frames(path, frames, syntax, *, rows=40, columns=36, bits=8, extended=False, **elements):
    """A file of `rows` x `columns` around compressed frames."""
    ds = dataset(np.zeros((rows, columns), np.uint16 if bits > 8 else np.uint8), bits=bits)
    ds.file_meta.TransferSyntaxUID = syntax
    if extended:
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(
            frames
        )
    else:
        ds.PixelData = encapsulate(frames)
    ds["PixelData"].VR = "OB"
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    ds.save_as(path, enforce_file_format=True)
    return path


def first_frame(path):
    """The bytes of a file's only compressed frame."""
    return next(pydicom.encaps.generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))


def jpeg(picture):
    """A baseline JPEG."""
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_lossless_syntaxes_give_every_value(tmp_path, syntax, bits):
    """What went in comes out."""
    stored = levels(40, 36, bits=bits)
    path = compressed(tmp_path / "a.dcm", stored, syntax, bits=bits)
    np.testing.assert_array_equal(read(path), (stored / (2**bits - 1)).astype(np.float32))


@pytest.mark.parametrize("extended", [False, True])
def test_baseline_jpeg_is_pillows(tmp_path, extended):
    """Whichever other plug-ins are installed; found by either offset table."""
    picture = np.add.outer(np.arange(40), np.arange(36)).astype(np.uint8) * 3
    data = jpeg(picture)
    path = with_frames(tmp_path / "a.dcm", [data], JPEGBaseline8Bit, extended=extended)
    expected = np.asarray(Image.open(BytesIO(data)))
    np.testing.assert_array_equal(read(path), (expected / 255).astype(np.float32))


# imagecodecs 2026.3.6, by OpenJPH: htj2k_encode(picture, reversible=True) of the picture below
HTJ2K_FRAME = base64.b85decode(
    "|4;u>04YEK0000a0000e00000000000000a0000e0000000000009pH0sl|{2mk^A000XAQUDA90ssL31q1{@0sm"
    "Y86Cj9?kdTm&kdTm&kdTmwh=~7W02crOPjF>!N>E53R%LP^FfKASE;BCwkN^q*00000-"
    "T(prlfVEg03QIK_C4{v=K{kt0KfnfKmZc}_x=FObO34k00J}szyK4#026@!e*+`JbpUBf03>%+0Kfnh5C8>m|9`V"
    "1r^0psP@zJF3ib3D{xN~RxB$Qa7OVgPYJdn45D+3DL_mmu@bBQiU$58Ui+TX0Boc{4B9Tb{Fai;XKzsHf0qng1zy"
    "K}i00q&2G)>bqP17_@(=<)fG)>d{{|b6~dU|?#dU|kze*j1XK@bE%5ClOG1VIqw|9gNV*g^-"
    "tVF(`mgdltN5P|Hq0sq+"
)


def test_htj2k_is_read(tmp_path):
    """A frame that another program encoded."""
    picture = np.add.outer(np.arange(40) * 37, np.arange(36) * 59) % 4096
    path = with_frames(tmp_path / "a.dcm", [HTJ2K_FRAME], HTJ2KLossless, bits=12)
    np.testing.assert_array_equal(read(path), (picture / 4095).astype(np.float32))


@pytest.mark.parametrize("syntax", sorted(dicom_pixels._CODECS))
def test_every_decoder_is_one_that_pydicom_knows(syntax):
    """A misspelt plug-in would be reported as missing for ever."""
    decoder = get_decoder(syntax)
    plugin = dicom_pixels._CODECS[syntax].plugin
    assert plugin in (*decoder.available_plugins, *decoder._unavailable)


@pytest.mark.parametrize(
    ("syntax", "package"),
    [
        (JPEGBaseline8Bit, "pillow"),
        (JPEGExtended12Bit, r"pylibjpeg-libjpeg \(GPL-3.0; pip install 'medaug\[gpl\]'\)"),
        (JPEGLosslessSV1, r"pylibjpeg-libjpeg \(GPL-3.0; pip install 'medaug\[gpl\]'\)"),
        (JPEGLSLossless, "pyjpegls"),
        (JPEG2000, r"pylibjpeg-openjpeg \(with pylibjpeg\)"),
        (HTJ2KLossless, r"pylibjpeg-openjpeg \(with pylibjpeg\)"),
    ],
)
def test_missing_decoder_names_its_package(tmp_path, monkeypatch, syntax, package):
    """And no other plug-in is tried."""

    class Bare:
        available_plugins = ("gdcm",)

    monkeypatch.setattr(dicom_pixels, "get_decoder", lambda _: Bare)
    monkeypatch.setattr(dicom_pixels, "pixel_array", None)
    path = with_frames(tmp_path / "a.dcm", [b"\0" * 40], syntax, bits=12)
    with pytest.raises(UnreadableImageError, match=rf"needs the package {package}, which isn't"):
        read(path)


def test_syntax_without_a_decoder_is_refused(tmp_path):
    """A film isn't a radiograph."""
    path = with_frames(tmp_path / "a.dcm", [b"\0" * 40], UID("1.2.840.10008.1.2.4.100"))
    with pytest.raises(UnreadableImageError, match=r"no decoder is known .*4\.100 \(MPEG2"):
        read(path)


def test_headers_are_read_from_the_first_bytes(tmp_path):
    """Size, components and depth of all three kinds."""
    stored = levels(40, 36, bits=12)
    for syntax, header in ((JPEGLSLossless, jpeg_header), (JPEG2000Lossless, jpeg2000_header)):
        frame = first_frame(compressed(tmp_path / "a.dcm", stored, syntax))
        assert header(frame) == FrameHeader(40, 36, 1, 12)
    assert jpeg_header(jpeg(levels(9, 7))) == FrameHeader(9, 7, 1, 8)
    buffer = BytesIO()
    Image.fromarray(levels(9, 7)).save(buffer, "JPEG2000")  # a JP2 file around the codestream
    assert jpeg2000_header(buffer.getvalue()) == FrameHeader(9, 7, 1, 8)


def patched(frame, kind, **fields):
    """The frame with other numbers in its header."""
    data = bytearray(frame)
    if kind == "jpeg2000":
        places = {
            "rows": (12, ">I"),
            "columns": (8, ">I"),
            "samples": (40, ">H"),
            "bits": (42, "B"),
        }
        start = 0
    else:
        start = next(k for k in range(len(data)) if data[k] == 0xFF and data[k + 1] in (0xC0, 0xF7))
        places = {"bits": (4, "B"), "rows": (5, ">H"), "columns": (7, ">H"), "samples": (9, "B")}
    for name, value in fields.items():
        offset, form = places[name]
        struct.pack_into(form, data, start + offset, value)
    return bytes(data)


@pytest.mark.parametrize("kind", ["jpeg", "jpegls", "jpeg2000"])
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"rows": 60000}, r"must be 40 x 36 as Rows \(0028,0010\) and .*, got 60000 x 36"),
        ({"columns": 37}, r"got 40 x 37"),
        ({"rows": 0}, r"got 0 x 36"),
        ({"samples": 3}, r"must have 1 components as Samples per Pixel|JPEG 2000"),
        (
            {"bits": 31},
            r"must have at most 16 bits as Bits Allocated \(0028,0100\) says, got 3[12]",
        ),
    ],
)
def test_codestream_that_claims_something_else_is_refused_undecoded(
    tmp_path, monkeypatch, kind, fields, text
):
    """Before the decoder takes memory by the codestream's own header."""
    monkeypatch.setattr(dicom_pixels, "pixel_array", None)
    if kind == "jpeg":
        syntax, frame, bits = JPEGBaseline8Bit, jpeg(levels(40, 36)), 16
    else:
        syntax, bits = (JPEGLSLossless if kind == "jpegls" else JPEG2000Lossless), 12
        frame = first_frame(compressed(tmp_path / "a.dcm", levels(40, 36, bits=12), syntax))
    lie = patched(frame, kind, **fields)
    path = with_frames(tmp_path / "b.dcm", [lie], syntax, bits=bits)
    with pytest.raises(UnreadableImageError, match=text):
        read(path)


def test_codestream_of_one_pixel_is_not_repeated_over_the_image(tmp_path):
    """Here pydicom 3.0.2 gives an image full of that pixel."""
    frame = jpeg(np.full((1, 1), 77, np.uint8))
    path = with_frames(tmp_path / "b.dcm", [frame], JPEGBaseline8Bit)
    assert (pydicom.dcmread(path).pixel_array == 77).all()
    with pytest.raises(UnreadableImageError, match=r"must be 40 x 36 .* got 1 x 1"):
        read(path)


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"", "must begin as JPEG"),
        (b"\xff\xd8", "frame header must come by byte 2, got none"),
        (b"\xff\xd8\xff\xe0\0\4ab\xff\xda\0\4ab\xff\xc0\0\x0b", "must come by byte 8"),
        (b"\xff\xd8\xff\xff\xff\xff\xc0\0\x0b\x08", "got none"),
        (b"\xff\xd8\xff\xc4\xff\xff", "got none"),
        (b"\xff\xd8\0\0\0\0\0\0", "got none"),
    ],
)
def test_broken_jpeg_headers_are_refused(frame, text):
    """Cut, without a frame header before the scan, or no markers at all."""
    with pytest.raises(UnreadableImageError, match=text):
        jpeg_header(frame)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\x4f\xff\x51" + b"\0" * 30,
        b"\0\0\0\x0cjP  \r\n\x87\n",
        b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\0jp2c",
        b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\1abcd",
        b"\xff\x4f\xff\x51" + b"\0" * 60,
    ],
)
def test_broken_jpeg2000_headers_are_refused(frame):
    """Cut, without a codestream, without components."""
    with pytest.raises(UnreadableImageError, match="JPEG 2000"):
        jpeg2000_header(frame)


def test_subsampled_component_is_refused(tmp_path):
    """A component of half the size would be spread or repeated."""
    frame = bytearray(
        first_frame(compressed(tmp_path / "a.dcm", levels(40, 36, bits=12), JPEG2000Lossless))
    )
    frame[43] = 2
    with pytest.raises(UnreadableImageError, match="must not be subsampled"):
        jpeg2000_header(bytes(frame))


def test_rle_bomb_is_refused_undecoded(tmp_path, monkeypatch):
    """Runs of 128 that go on beyond the image."""
    monkeypatch.setattr(dicom_pixels, "pixel_array", None)
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 50_000
    path = with_frames(tmp_path / "a.dcm", [frame], RLELossless)
    with pytest.raises(UnreadableImageError, match="RLE segment must unpack to 1,440 bytes"):
        read(path, limits=Limits(max_bytes=200_000))


def test_rle_of_the_right_length_passes_the_bomb_check():
    """Literal runs, repeated ones, and the byte 128, which does nothing."""
    segment = b"\x02abc" + b"\x80" + b"\xfbz" + b"\x00q"  # 3 + 0 + 6 + 1
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + segment
    check_rle(frame, 10, 1)
    with pytest.raises(UnreadableImageError, match="must unpack to 10 bytes"):
        check_rle(frame + b"\x81\0" * 9, 10, 1)
    with pytest.raises(UnreadableImageError, match="1 to 15 segments, got 16"):
        check_rle(struct.pack("<16I", 16, *[64] * 15) + segment, 10, 1)


@pytest.mark.parametrize("extended", [False, True])
def test_second_frame_is_refused(tmp_path, extended):
    """The header says one."""
    frames = [jpeg(levels(40, 36))] * 2
    path = with_frames(tmp_path / "a.dcm", frames, JPEGBaseline8Bit, extended=extended)
    with pytest.raises(UnreadableImageError, match="must hold 1 compressed frames, got more"):
        read(path)


def test_offsets_that_name_bytes_twice_are_refused(tmp_path):
    """A table of frames that overlap unpacks to any amount."""
    frames = [jpeg(levels(40, 36))] * 3
    path = with_frames(tmp_path / "a.dcm", frames, JPEGBaseline8Bit, extended=True)
    header = pydicom.dcmread(path)
    length = len(header.PixelData)
    header.ExtendedOffsetTable = struct.pack("<3Q", 0, 0, 0)
    header.ExtendedOffsetTableLengths = struct.pack("<3Q", length, length, length)
    with pytest.raises(UnreadableImageError, match=r"\(7FE0,0001\) must not name bytes twice"):
        dicom_pixels.stored_values(header, Limits(), frames=3)


def test_several_frames_come_in_order():
    """For the cine reader: (frames, Rows, Columns), compressed or not."""
    stored = np.stack([levels(40, 36, seed=k) for k in range(3)])
    ds = dataset(stored[0], bits=8, NumberOfFrames=3)
    ds.PixelData = stored.tobytes()
    np.testing.assert_array_equal(dicom_pixels.stored_values(ds, Limits(), frames=3), stored)
    ds.compress(RLELossless)
    np.testing.assert_array_equal(dicom_pixels.stored_values(ds, Limits(), frames=3), stored)


def recoded(path, cut):
    """The file with `cut` bytes less at the end of its frame, before the marker that ends it."""
    ds = pydicom.dcmread(path)
    frame = first_frame(path)
    ds.PixelData = encapsulate([frame[: frame.rindex(b"\xff\xd9") - cut] + b"\xff\xd9"])
    ds.save_as(path)
    return path


@pytest.mark.parametrize("cut", [1, 2, 20, 200])
@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_codestream_with_a_piece_missing_is_refused(tmp_path, syntax, cut):
    """However small the piece; a decoder would make pixels of what is left."""
    path = compressed(tmp_path / "a.dcm", levels(40, 36, bits=12), syntax)
    with pytest.raises(UnreadableImageError):
        read(recoded(path, cut))


@pytest.mark.parametrize("cut", [10, 100])
def test_baseline_frame_with_a_piece_missing_is_refused(tmp_path, cut):
    """Pillow fills it with grey."""
    path = with_frames(tmp_path / "a.dcm", [jpeg(levels(40, 36, bits=8))], JPEGBaseline8Bit)
    assert read(path).shape == (40, 36)
    with pytest.raises(UnreadableImageError, match="scan that ends early"):
        read(recoded(path, cut))


@pytest.mark.parametrize("name", ["JPEG-LL.dcm", "JPGExtended.dcm"])
@pytest.mark.parametrize("cut", [20, 1000])
def test_lossless_and_12_bit_jpeg_with_a_piece_missing_are_refused(tmp_path, name, cut):
    """Pylibjpeg's library invents pixels without a word."""
    pytest.importorskip("libjpeg", reason="pylibjpeg-libjpeg isn't installed (extra gpl)")
    path = tmp_path / name
    path.write_bytes(Path(get_testdata_file(name)).read_bytes())
    assert read(path).ndim == 2
    with pytest.raises(UnreadableImageError, match="scan that ends early"):
        read(recoded(path, cut))


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGBaseline8Bit])
def test_jpeg_frame_without_its_end_is_refused_at_once(tmp_path, syntax):
    """CharLS takes seconds to find out."""
    stored = levels(40, 36, bits=8)
    if syntax == JPEGBaseline8Bit:
        path = with_frames(tmp_path / "a.dcm", [jpeg(stored)], syntax)
    else:
        path = compressed(tmp_path / "a.dcm", stored, syntax, bits=8)
    ds = pydicom.dcmread(path)
    ds.PixelData = encapsulate([first_frame(path).rstrip(b"\0")[:-2]])
    ds.save_as(path)
    with pytest.raises(UnreadableImageError, match="must end with the marker FFD9"):
        read(path)


def test_few_bytes_for_many_pixels_are_refused(tmp_path):
    """Openjpeg makes 2048 x 2048 of the codestream of a flat image of that size: 200 bytes."""
    path = compressed(
        tmp_path / "a.dcm", np.full((2048, 2048), 7, np.uint8), JPEG2000Lossless, bits=8
    )
    if len(first_frame(path)) * 10_000 >= 2048**2:
        pytest.skip("this encoder writes more bytes for a flat image")
    with pytest.raises(UnreadableImageError, match="must have a byte for each 10,000 pixels"):
        read(path)


def test_damaged_file_shows_nothing_of_the_patient(tmp_path, caplog, recwarn):
    """A length that swallows the elements after it: the UID's value then holds name and ID."""
    ds = dataset(levels(40, 36, bits=12), bits=12)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    data = bytearray((tmp_path / "a.dcm").read_bytes())
    at = data.index(b"\x02\x00\x10\x00UI")
    data[at + 6 : at + 8] = (3000).to_bytes(2, "little")
    (tmp_path / "a.dcm").write_bytes(data)
    with pytest.raises(UnreadableImageError) as raised:
        read(tmp_path / "a.dcm")
    said = " ".join(
        [str(raised.value), caplog.text, *(str(warning.message) for warning in recwarn)]
    )
    assert "PLANTED" not in said
