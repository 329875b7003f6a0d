"""DICOM radiographs: the order of grey-scale transformations, and headers that lie."""

import logging
import math

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless

from medaug.data import RadiographReader
from medaug.data._formats import dicom as dicom_module
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from .dicom_files import PLANTED_ID, PLANTED_NAME, dataset, lut, write
from .images import levels


def read(path, **options):
    """(H, W) pixels and metadata."""
    image, meta = RadiographReader(**options).get_data(str(path))
    return image[0], meta


def windowed(x, c, w, function):
    """One value by the pseudo-code of PS3.3 C.11.2.1.2.1 and C.11.2.1.3, to [0, 1]."""
    if function == "SIGMOID":
        return (1 + math.tanh(2 * (x - c) / w)) / 2  # the same function, without overflow
    if function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0.0
        return 1.0 if x > c + w / 2 else (x - c) / w + 0.5
    if x <= c - 0.5 - (w - 1) / 2:
        return 0.0
    return 1.0 if x > c - 0.5 + (w - 1) / 2 else (x - (c - 0.5)) / (w - 1) + 0.5


def test_without_window_shows_full_range_of_bits_stored(tmp_path):
    """0 and 2**BitsStored - 1 are black and white whatever the image holds."""
    stored = np.array([[0, 1], [2048, 4095]], dtype=np.uint16)
    image, meta = read(write(tmp_path / "a", stored))
    np.testing.assert_array_equal(image, (stored / 4095).astype(np.float32))
    assert (meta["bits"], meta["value_range"]) == (12, (0.0, 4095.0))


def test_signed_values_are_read_with_their_sign(tmp_path):
    """A signed 12-bit image runs from -2048 to 2047."""
    stored = np.array([[-2048, 0], [2047, -1]], dtype=np.int16)
    image, meta = read(write(tmp_path / "a", stored))
    np.testing.assert_array_equal(image, ((stored + 2048.0) / 4095).astype(np.float32))
    assert meta["value_range"] == (-2048.0, 2047.0)


def test_bits_above_bits_stored_are_dropped(tmp_path):
    """Old overlays in the unused high bits don't touch the image."""
    stored = np.array([[0xF001, 0x1FFF]], dtype=np.uint16)
    image, _ = read(write(tmp_path / "a", stored))
    np.testing.assert_array_equal(image, np.float32([[1 / 4095, 1.0]]))


@settings(deadline=None, max_examples=60)
@given(
    centre=st.floats(-200, 5000, width=32),
    width=st.floats(1, 6000, width=32),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]),
    slope=st.sampled_from([1.0, 0.5, -2.0]),
    intercept=st.sampled_from([0.0, -1024.0]),
    photometric=st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
)
def test_windows_follow_the_standard(
    tmp_path_factory, centre, width, function, slope, intercept, photometric
):
    """All three functions, after rescale and before the one inversion, as the standard's code."""
    stored = np.array([[0, 1, 7, 100, 1023, 2000, 2047, 2048, 3000, 4095]], dtype=np.uint16)
    centre, width = round(centre, 3), round(width, 3)
    path = write(
        tmp_path_factory.mktemp("window") / "a.dcm",
        stored,
        photometric=photometric,
        WindowCenter=[f"{centre:g}", "1"],
        WindowWidth=[f"{width:g}", "2"],
        VOILUTFunction=function,
        RescaleSlope=slope,
        RescaleIntercept=intercept,
    )
    modality = slope * stored[0] + intercept
    c, w = float(f"{centre:g}"), float(f"{width:g}")
    expected = np.array([windowed(x, c, w, function) for x in modality])
    image, _ = read(path)
    np.testing.assert_allclose(
        image[0], 1 - expected if photometric == "MONOCHROME1" else expected, atol=1e-6
    )


def test_window_agrees_with_pydicom(tmp_path):
    """The independent judge: pydicom's own modality and VOI functions, scaled to [0, 1]."""
    stored = levels(16, 16, bits=12)
    path = write(
        tmp_path / "a",
        stored,
        WindowCenter=1800,
        WindowWidth=2500,
        RescaleSlope=2,
        RescaleIntercept=-100,
    )
    ds = pydicom.dcmread(path)
    judged = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
    low, high = -100, 2 * 4095 - 100
    image, meta = read(path)
    np.testing.assert_allclose(image, (judged - low) / (high - low), atol=1e-6)
    assert meta["value_range"] == (1800 - 0.5 - 2499 / 2, 1800 - 0.5 + 2499 / 2)


def test_voi_none_ignores_window(tmp_path):
    """The full range is shown where the window isn't wanted."""
    path = write(
        tmp_path / "a", np.array([[0, 4095]], dtype=np.uint16), WindowCenter=10, WindowWidth=5
    )
    image, _ = read(path, voi="none")
    np.testing.assert_array_equal(image, [[0, 1]])
    assert read(path)[0][0, 1] == 1.0


@pytest.mark.parametrize("packed", [False, True])
def test_eight_bit_voi_lut_is_indexed_beyond_255(tmp_path, packed):
    """A table of 4096 entries of 8 bits isn't indexed modulo 256, as pydicom 3.0.2 does."""
    stored = np.array([[0, 100, 300, 4095]], dtype=np.uint16)
    table = np.arange(4096) // 16
    path = write(tmp_path / "a", stored, VOILUTSequence=lut(table, first=0, bits=8, packed=packed))
    image, meta = read(path)
    np.testing.assert_array_equal(image, (np.float64([[0, 6, 18, 255]]) / 255).astype(np.float32))
    assert meta["bits"] == 8


def test_voi_lut_comes_before_window(tmp_path):
    """With both present the table wins, and values outside it take its ends."""
    stored = np.array([[0, 100, 101, 102, 4095]], dtype=np.uint16)
    path = write(
        tmp_path / "a",
        stored,
        VOILUTSequence=lut([10, 20, 255], first=100, bits=8),
        WindowCenter=10,
        WindowWidth=5,
    )
    image, meta = read(path)
    np.testing.assert_allclose(image * 255, [[10, 10, 20, 255, 255]], rtol=1e-6)
    assert meta["value_range"] == (100.0, 102.0)


@pytest.mark.parametrize(("vr", "first"), [("SS", -2), ("US", 65534)])
def test_voi_lut_with_negative_first_value(tmp_path, vr, first):
    """The first mapped value of a signed image may be negative, also when written unsigned."""
    stored = np.array([[-3, -2, -1, 0]], dtype=np.int16)
    sequence = lut([0, 100, 255], first=0, bits=8)
    sequence[0].add_new("LUTDescriptor", vr, [3, first, 8])
    image, _ = read(write(tmp_path / "a", stored, VOILUTSequence=sequence))
    np.testing.assert_allclose(image * 255, [[0, 0, 100, 255]], rtol=1e-6)


def test_modality_lut_wins_over_rescale(tmp_path):
    """A Modality LUT Sequence replaces slope and intercept, and gives the range."""
    stored = np.array([[0, 1, 2, 3]], dtype=np.uint16)
    path = write(
        tmp_path / "a",
        stored,
        ModalityLUTSequence=lut([0, 500, 1000, 1023], first=0, bits=10),
        RescaleSlope=7,
        RescaleIntercept=7,
    )
    image, meta = read(path)
    np.testing.assert_allclose(image * 1023, [[0, 500, 1000, 1023]], rtol=1e-6)
    assert (meta["bits"], meta["value_range"]) == (10, (0.0, 1023.0))


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
    ],
)
def test_inverts_once_at_most(tmp_path, photometric, shape, inverted):
    """DX says MONOCHROME1 and INVERSE for the same thing; where they differ, the shape decides."""
    stored = np.array([[0, 4095]], dtype=np.uint16)
    elements = {} if shape is None else {"PresentationLUTShape": shape}
    image, meta = read(write(tmp_path / "a", stored, photometric=photometric, **elements))
    np.testing.assert_array_equal(image, [[1, 0]] if inverted else [[0, 1]])
    assert meta["value_range"] == ((4095.0, 0.0) if inverted else (0.0, 4095.0))


def test_inversion_follows_the_window(tmp_path):
    """A window off the centre: inverting stored values first would give another picture."""
    stored = np.array([[0, 500, 1000, 4095]], dtype=np.uint16)
    path = write(
        tmp_path / "a", stored, photometric="MONOCHROME1", WindowCenter=500.5, WindowWidth=1001
    )
    np.testing.assert_allclose(read(path)[0], [[1, 0.5, 0, 0]], atol=1e-6)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_in_both_polarities(tmp_path, photometric):
    """Padding 0 to 5 shows black, and only that."""
    stored = np.array([[0, 5, 6, 4095]], dtype=np.uint16)
    image, _ = read(
        write(
            tmp_path / "a",
            stored,
            photometric=photometric,
            PixelPaddingValue=0,
            PixelPaddingRangeLimit=5,
        )
    )
    np.testing.assert_array_equal(image[0, :2], 0)
    assert image[0, 2] == np.float32((4089 if photometric == "MONOCHROME1" else 6) / 4095)


@pytest.mark.parametrize(
    ("elements", "spacing", "source"),
    [
        ({}, (1.0, 1.0), "none"),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, (0.2, 0.1), "ImagerPixelSpacing"),
        (
            {"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.18, 0.09]},
            (0.18, 0.09),
            "PixelSpacing",
        ),
        ({"PixelSpacing": [0, 0]}, (1.0, 1.0), "none"),
    ],
)
def test_spacing_says_where_it_is_from(tmp_path, elements, spacing, source):
    """PixelSpacing, else ImagerPixelSpacing, else none."""
    _, meta = read(write(tmp_path / "a", levels(bits=12), **elements))
    assert (meta["spacing"], meta["spacing_source"]) == (spacing, source)


def test_colour_is_refused_or_made_grey_when_asked(tmp_path):
    """RGB needs grey=True, and is then its luminance."""
    stored = np.zeros((4, 4, 3), dtype=np.uint8)
    stored[..., 1] = 200
    path = write(tmp_path / "a", stored, bits=8, photometric="RGB")
    with pytest.raises(UnreadableImageError, match=r"\(0028,0004\) must be MONOCHROME1 or .* RGB"):
        read(path)
    np.testing.assert_allclose(read(path, grey=True)[0], round(0.587 * 200) / 255, rtol=1e-6)


def test_palette_is_made_grey_when_asked(tmp_path):
    """A palette image gives the luminance of its colours, not its indices."""
    elements = {}
    for colour, top in (("Red", 0), ("Green", 65535), ("Blue", 0)):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [2, 0, 16]
        elements[f"{colour}PaletteColorLookupTableData"] = np.array([0, top], "<u2").tobytes()
    stored = np.array([[0, 1], [1, 0]], dtype=np.uint8)
    path = write(tmp_path / "a", stored, bits=8, photometric="PALETTE COLOR", **elements)
    with pytest.raises(UnreadableImageError, match="PALETTE COLOR; grey=True"):
        read(path)
    np.testing.assert_allclose(read(path, grey=True)[0], stored * 0.587, atol=1e-4)


def test_segmented_palette_is_refused(tmp_path):
    """Its segments may repeat each other without end."""
    elements = {}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [2, 0, 16]
        elements[f"Segmented{colour}PaletteColorLookupTableData"] = b"\0\0\2\0\0\0\xff\xff"
    stored = np.array([[0, 1], [1, 0]], dtype=np.uint8)
    path = write(tmp_path / "a", stored, bits=8, photometric="PALETTE COLOR", **elements)
    with pytest.raises(UnreadableImageError, match=r"\(0028,1201\) must be given in full"):
        read(path, grey=True)


@pytest.mark.parametrize(
    "syntax", [RLELossless, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_transfer_syntaxes_give_the_same_pixels(tmp_path, syntax):
    """RLE, deflated and big endian hold what explicit little endian holds."""
    stored = levels(bits=12)
    ds = dataset(stored)
    if syntax == RLELossless:
        ds.compress(RLELossless)
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = stored.astype(">u2").tobytes()
    ds.save_as(tmp_path / "a", enforce_file_format=True)
    image, meta = read(tmp_path / "a")
    plain, plain_meta = read(write(tmp_path / "b", stored))
    np.testing.assert_array_equal(image, plain)
    assert meta["source_id"] == plain_meta["source_id"]


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ({"Rows": None}, r"Rows \(0028,0010\) must be an integer from 1 to 65535, got nothing"),
        ({"Rows": 0}, r"Rows \(0028,0010\) .* got 0"),
        ({"Rows": 65535, "Columns": 65535}, r"the image must have 1 to 67,108,864 pixels"),
        ({"Rows": 25}, r"Pixel Data \(7FE0,0010\) must have 1,000 bytes .* got 960"),
        ({"Rows": 23}, r"Pixel Data \(7FE0,0010\) must have 920 bytes .* got 960"),
        ({"NumberOfFrames": 3}, r"Number of Frames \(0028,0008\) must be 1, got 3"),
        ({"SamplesPerPixel": 3}, r"Samples per Pixel \(0028,0002\) must be .* got 3"),
        ({"BitsAllocated": 32}, r"Bits Allocated \(0028,0100\) must be 8 or 16, got 32"),
        ({"BitsStored": 17}, r"Bits Stored \(0028,0101\) must be .* got 17"),
        ({"HighBit": 15}, r"High Bit \(0028,0102\) must be 11, got 15"),
        ({"PixelRepresentation": None}, r"Pixel Representation \(0028,0103\) .* got nothing"),
        ({"PixelData": None}, r"Pixel Data \(7FE0,0010\) must be present"),
        ({"WindowCenter": 5}, r"Window Width \(0028,1051\) must be a finite number, got nothing"),
        ({"WindowCenter": 5, "WindowWidth": 0}, r"\(0028,1051\) must be at least 1, got 0"),
        (
            {"WindowCenter": 5, "WindowWidth": 0, "VOILUTFunction": "SIGMOID"},
            r"\(0028,1051\) must be above 0, got 0",
        ),
        (
            {"WindowCenter": 5, "WindowWidth": 9, "VOILUTFunction": "CUBIC"},
            r"VOI LUT Function \(0028,1056\) must be LINEAR.* got CUBIC",
        ),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, r"Rescale Slope \(0028,1053\) must not be 0"),
        (
            {"VOILUTSequence": lut(range(10), first=0, bits=40)},
            r"LUT Descriptor \(0028,3002\) must give 8 to 16 bits in VOI LUT Sequence",
        ),
    ],
)
def test_lying_header_is_refused_with_its_tag(tmp_path, elements, text):
    """One line that names the file, the element and what stands in it."""
    path = write(tmp_path / "lie.dcm", levels(bits=12), **elements)
    with pytest.raises(UnreadableImageError, match=text) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_short_pixel_data_never_shows_other_memory(tmp_path):
    """A short pixel element is an error, also right after a marked patient was read."""
    marked = np.full((64, 64), 777, dtype=np.uint16)
    read(write(tmp_path / "marked.dcm", marked))
    path = write(tmp_path / "short.dcm", marked[:16] * 0 + 111, Rows=64)
    with pytest.raises(UnreadableImageError, match="must have 8,192 bytes"):
        read(path)


def test_short_look_up_table_is_refused(tmp_path):
    """The table must have as many entries as its descriptor says."""
    sequence = lut(range(10), first=0, bits=8)
    sequence[0].LUTDescriptor = [4096, 0, 8]
    path = write(tmp_path / "a", levels(bits=12), VOILUTSequence=sequence)
    with pytest.raises(
        UnreadableImageError, match=r"LUT Data \(0028,3006\) must have 4096 entries"
    ):
        read(path)


@pytest.mark.parametrize("cut", [1, 2, 100, 900])
def test_cut_native_file_is_refused(tmp_path, cut):
    """A file that ends early is told by its pixel data."""
    path = write(tmp_path / "a.dcm", levels(bits=12))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(UnreadableImageError, match=r"\(7FE0,0010\) must (have|be present)"):
        read(path)


def compressed(tmp_path, **elements):
    """An RLE file whose header was changed after compression."""
    ds = dataset(levels(bits=12))
    ds.compress(RLELossless)
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    ds.save_as(tmp_path / "rle.dcm", enforce_file_format=True)
    return tmp_path / "rle.dcm"


def test_encapsulated_data_without_a_frame_is_refused(tmp_path):
    """Here pydicom ends with a bare StopIteration; we end with an error that names the file."""
    path = compressed(tmp_path)
    ds = pydicom.dcmread(path)
    ds.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path)
    with pytest.raises(UnreadableImageError, match=r"rle\.dcm: ") as raised:
        read(path)
    assert raised.value.__cause__ is not None


def test_encapsulated_frame_of_another_size_is_refused(tmp_path):
    """The compressed frame must have as many pixels as the header says."""
    with pytest.raises(UnreadableImageError, match=r"rle\.dcm: "):
        read(compressed(tmp_path, Rows=48))


def test_cut_encapsulated_file_is_refused(tmp_path):
    """Cut inside the compressed frame."""
    path = compressed(tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with (
        pytest.warns(UserWarning, match="End of file|no available"),
        pytest.raises(UnreadableImageError, match=r"rle\.dcm: "),
    ):
        read(path)


def test_broken_stream_logs_no_traceback(tmp_path, caplog):
    """Here pydicom logs each plug-in's traceback; the error alone has to do."""
    path = compressed(tmp_path)
    data = path.read_bytes()
    start = data.rindex(b"\xfe\xff\x00\xe0") + 8
    path.write_bytes(data[:start] + b"\xff" * 64 + data[start + 64 :])
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreadableImageError, match=r"rle\.dcm: "):
        read(path)
    assert "Traceback" not in caplog.text


def test_object_without_pixels_is_refused(tmp_path):
    """A report or a plan is DICOM, but no image."""
    ds = dataset(levels(bits=12))
    del ds.PixelData, ds.PhotometricInterpretation
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    with pytest.raises(UnreadableImageError, match="a DICOM object without pixels"):
        read(tmp_path / "a.dcm")


def test_deflated_bomb_is_refused_unpacked_no_further_than_the_limit(tmp_path):
    """A small deflated file that unpacks to more than the limit is refused."""
    ds = dataset(np.zeros((1024, 1024), dtype=np.uint16))
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    assert (tmp_path / "a.dcm").stat().st_size < 10_000
    with pytest.raises(
        UnreadableImageError, match="the inflated data set must have at most 65,536"
    ):
        read(tmp_path / "a.dcm", limits=Limits(max_bytes=65_536))


def test_nothing_of_the_patient_is_in_the_metadata(tmp_path, caplog):
    """Neither name nor ID reaches metadata or logs."""
    path = write(tmp_path / "a.dcm", levels(bits=12), PresentationIntentType="FOR PROCESSING")
    dicom_module._warn_for_processing.cache_clear()
    with caplog.at_level(logging.DEBUG):
        _, meta = read(path)
    assert "FOR PROCESSING" in caplog.text
    for secret in (PLANTED_NAME, PLANTED_ID, "PLANTED"):
        assert secret not in repr(meta)
        assert secret not in caplog.text
