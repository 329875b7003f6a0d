"""Cines from DICOM: folders of single frames, classic multi-frame files, enhanced ones."""

import warnings

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from medaug.data import CineReader
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from ..shared import SHARED, needs_shared
from .cine_files import (
    COLUMN,
    NORMAL,
    ORIGIN,
    ROW,
    SPACING,
    enhanced,
    expected,
    item,
    multiframe,
    save,
    series,
    stack,
)  # fmt: skip
from .dicom_files import dataset, lut

ALL = CineReader(slices="all")
PIG = SHARED / "data" / "cine_sax" / "dicom_slice10"


@pytest.fixture
def cine():
    """Three slices, five phases, 12 × 10 pixels of 12 bits."""
    return stack()


def refused(path, message, reader=ALL):
    """The error's text without the path."""
    with pytest.raises(UnreadableImageError, match=message) as raised:
        reader.get_data(path)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")


# ---- folders of single frames


def test_folder_is_sorted_by_position_and_trigger_time(tmp_path, cine):
    """Whatever the files are called, and though Instance Number says another order."""
    pixels, meta = ALL.get_data(series(tmp_path / "in", cine))
    np.testing.assert_array_equal(pixels, expected(cine))
    along = float(ORIGIN @ NORMAL)
    assert meta["slice_positions"] == pytest.approx([along, along + 8, along + 16])
    assert meta["frame_times"] == [0, 40, 80, 120, 160]
    assert meta["frame_times_source"] == meta["frame_order"] == "TriggerTime"
    assert meta["spacing"] == SPACING
    assert meta["spacing_source"] == "PixelSpacing"
    assert (meta["bits"], meta["value_range"]) == (12, (0, 4095))


@pytest.mark.parametrize(
    ("gone", "order"),
    [(["TriggerTime"], "TemporalPositionIdentifier"),
     (["TriggerTime", "TemporalPositionIdentifier"], "InstanceNumber")],
)  # fmt: skip
def test_order_without_trigger_times(tmp_path, cine, gone, order):
    """By what there is, which is recorded; the times are then unknown."""

    def change(values):
        number, phase = values["at"]
        values["InstanceNumber"] = 100 * (2 - number) + phase
        for keyword in gone:
            del values[keyword]

    pixels, meta = ALL.get_data(series(tmp_path / "in", cine, change=change))
    np.testing.assert_array_equal(pixels, expected(cine))
    assert meta["frame_order"] == order
    assert (meta["frame_times"], meta["frame_times_source"]) == ([], "none")


@pytest.mark.parametrize("kind", ["constant", "one missing"])
def test_trigger_times_that_tell_nothing_are_passed_over(tmp_path, cine, kind):
    """Some scanners write 0 everywhere."""

    def change(values):
        if kind == "constant":
            values["TriggerTime"] = 0
        elif values["at"] == (1, 1):
            del values["TriggerTime"]

    pixels, meta = ALL.get_data(series(tmp_path / "in", cine, change=change))
    np.testing.assert_array_equal(pixels, expected(cine))
    assert meta["frame_order"] == "TemporalPositionIdentifier"


def test_times_are_the_mean_of_the_chosen_slices(tmp_path, cine):
    """From each slice's own first phase."""

    def change(values):
        number, phase = values["at"]
        values["TriggerTime"] = 5 * number + (40 + 2 * number) * phase

    folder = series(tmp_path / "in", cine, change=change)
    assert ALL.get_data(folder)[1]["frame_times"] == [0, 42, 84, 126, 168]
    assert CineReader(slices=2).get_data(folder)[1]["frame_times"] == [0, 44, 88, 132, 176]


def test_one_slice_without_any_position(tmp_path, cine):
    """As in ultrasound: the order is all there is."""

    def change(values):
        del values["ImagePositionPatient"], values["ImageOrientationPatient"]

    pixels, meta = ALL.get_data(series(tmp_path / "in", cine[:1], change=change))
    np.testing.assert_array_equal(pixels, expected(cine[:1]))
    assert meta["slice_positions"] == []


def test_other_files_in_the_folder_are_left_out(tmp_path, cine):
    """Notes, hidden files, a DICOMDIR, and folders."""
    folder = series(tmp_path / "in", cine)
    (folder / "notes.txt").write_text("words")
    (folder / ".hidden.dcm").write_text("words")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    (folder / "more").mkdir()
    np.testing.assert_array_equal(ALL.get_data(folder)[0], expected(cine))


def missing_phase(values):
    return values["at"] != (1, 3)


def missing_everywhere(values):
    _, phase = values["at"]
    return phase != 3


def missing_last(values):
    _, phase = values["at"]
    values["CardiacNumberOfImages"] = 5
    return phase != 4


def twice_by_time(values):
    if values["at"] == (1, 3):
        values["TriggerTime"] = 12.5 + 40 * 2


def another_series(values):
    if values["at"] == (2, 4):
        values["SeriesInstanceUID"] = "1.2.3.5"


def not_parallel(values):
    number, _ = values["at"]
    if number == 1:
        turned = np.cos(0.01) * ROW + np.sin(0.01) * COLUMN
        values["ImageOrientationPatient"] = [
            *turned.tolist(), *np.cross(NORMAL, turned).tolist()
        ]  # fmt: skip


def shifted(values):
    if values["at"] == (1, 3):
        values["ImagePositionPatient"] = [
            float(x) for x in ORIGIN + 8 * NORMAL + 2 * ROW
        ]  # fmt: skip


def without_position(values):
    if values["at"] == (1, 3):
        del values["ImagePositionPatient"]


def other_size(values):
    if values["at"] == (1, 3):
        values["pixels"] = np.zeros((8, 10), np.uint16)


def other_bits(values):
    if values["at"] == (1, 3):
        values["bits"] = 10
        values["pixels"] = np.zeros((12, 10), np.uint16)


def other_polarity(values):
    if values["at"] == (1, 3):
        values["photometric"] = "MONOCHROME1"


def other_slope(values):
    number, _ = values["at"]
    values |= {"RescaleSlope": 1 + (number == 2), "RescaleIntercept": 0}


def other_spacing(values):
    number, _ = values["at"]
    if number == 2:
        values["PixelSpacing"] = [1.5, 1.5]


def no_order(values):
    for keyword in ("TriggerTime", "TemporalPositionIdentifier", "InstanceNumber"):
        del values[keyword]


def skew(values):
    values["ImageOrientationPatient"] = [1, 0, 0, 0.6, 0.8, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (missing_phase, r"missing: .* must have 5 .* 1 of 3 have fewer: 4 at [\d.-]+ mm$"),
        (missing_everywhere, r"missing: Trigger Time \(0018,1060\) at .* steps of 40, got 92.5 and "
                             r"then 172.5$"),
        (missing_last, r"must be 5 as Cardiac Number of Images \(0018,1090\) says, got 4$"),
        (twice_by_time, r"differ in Trigger Time .* \d+\.dcm and \d+\.dcm at .* both have 92.5"),
        (another_series, r"must hold one series, got 2 of 14, 1 files by Series Instance UID"),
        (not_parallel, r"all slices must be parallel, but those of \d+\.dcm and \d+\.dcm are not"),
        (shifted, r"must lie at one place, but those of .* lie 2\.0 mm apart"),
        (without_position, r"must have Image Position .* and Image Orientation .* got 14 of 15"),
        (other_size, r"the same Rows \(0028,0010\), got 12 in \d+\.dcm and 8 in \d+\.dcm|got 8 in"),
        (other_bits, r"the same Bits Stored \(0028,0101\), got 1[02] in"),
        (other_polarity, r"the same Photometric Interpretation \(0028,0004\), got MONOCHROME"),
        (other_slope, r"the same Rescale Slope \(0028,1053\), got"),
        (other_spacing, r"the same Pixel Spacing \(0028,0030\), got \[1\.5"),
        (no_order, r"an element that tells their order in time .* got none"),
        (skew, r"two unit vectors at a right angle, got \[1\.0, 0\.0, 0\.0, 0\.6, 0\.8, 0\.0\]"),
    ],
)  # fmt: skip
def test_folder_that_is_no_cine(tmp_path, cine, change, message):
    """Each fault by itself, with the element and the files that it is in."""
    refused(series(tmp_path / "in", cine, change=change), message)


def test_temporal_positions_with_a_hole(tmp_path, cine):
    """They count, so a step of two is a phase that isn't there."""

    def change(values):
        _, phase = values["at"]
        del values["TriggerTime"]
        return phase != 2

    refused(
        series(tmp_path / "in", cine, change=change),
        r"missing: Temporal Position Identifier \(0020,0100\) at .* got 2 and then 4$",
    )


def test_single_phase_of_each_slice(tmp_path, cine):
    """A stack that doesn't move isn't a cine."""
    folder = series(tmp_path / "in", cine, change=lambda values: values["at"][1] == 0)
    refused(folder, "at least 2 phases of each slice, got 1")


def test_the_same_file_twice(tmp_path, cine):
    """A copy under another name is found."""
    folder = series(tmp_path / "in", cine)
    (folder / "copy.dcm").write_bytes((folder / "003.dcm").read_bytes())
    refused(folder, r"must differ in Trigger Time .*(copy\.dcm and 003|003\.dcm and copy)\.dcm")


def test_multi_frame_file_in_the_folder(tmp_path, cine):
    """Says how to read it."""
    folder = series(tmp_path / "in", cine)
    save(multiframe(cine[0]), folder / "zz.dcm")
    refused(folder, r"one frame each, got 5 in zz\.dcm; a multi-frame file is read by giving")


@pytest.mark.parametrize("kind", ["cut", "no DICOM", "no pixels"])
def test_bad_file_in_the_folder_is_named(tmp_path, cine, kind):
    """And nothing is made of the others."""
    folder = series(tmp_path / "in", cine)
    file = folder / "004.dcm"
    if kind == "cut":
        file.write_bytes(file.read_bytes()[:-30])
    elif kind == "no DICOM":
        file.write_bytes(b"words")
    else:
        ds = pydicom.dcmread(file)
        del ds.PixelData
        ds.save_as(file)
    refused(folder, r"in: 004\.dcm: ")


def test_mixed_transfer_syntaxes(tmp_path, cine):
    """Lossy and lossless frames in one series don't belong together."""
    folder = series(tmp_path / "in", cine)
    ds = pydicom.dcmread(folder / "004.dcm")
    ds.compress(RLELossless)
    ds.save_as(folder / "004.dcm")
    refused(folder, r"the same Transfer Syntax UID \(0002,0010\), got 1\.2\.840")


def test_folder_limits(tmp_path, cine):
    """Files together, then frames together, before any is decoded."""
    folder = series(tmp_path / "in", cine)
    total = sum(file.stat().st_size for file in folder.iterdir())
    small = CineReader(limits=Limits(max_bytes=total - 1))
    refused(folder, f"the folder's files must have at most {total - 1:,} bytes", small)
    tall = np.zeros((1, 2, 400, 400), np.uint16)
    folder = series(tmp_path / "tall", tall)
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.compress(RLELossless)
        ds.save_as(file)
    reader = CineReader(limits=Limits(max_bytes=400_000))
    refused(folder, "the 2 decoded frames must have at most 400,000 bytes, got 640,000", reader)
    reader = CineReader(limits=Limits(max_pixels=100))
    refused(folder, "1 to 100 pixels, got 400 rows x 400 columns", reader)


def test_deflated_files_count_by_what_they_unpack_to(tmp_path):
    """Each within the limit, together beyond it."""
    folder = series(tmp_path / "in", np.zeros((1, 3, 100, 100), np.uint16))
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        ds.save_as(file)
        assert file.stat().st_size < 2000
    reader = CineReader(limits=Limits(max_bytes=50_000))
    refused(folder, "the folder's pixel data must have at most 50,000 bytes, got 60,000", reader)
    assert CineReader(limits=Limits(max_bytes=200_000)).get_data(folder)[0].shape[1] == 3


# ---- levels


def test_rescale_is_in_the_range_of_values(tmp_path, cine):
    """A negative slope: the highest value is bright."""
    for slope, ends in ((2, (-10, 8180)), (-1, (-4105, -10))):
        folder = series(tmp_path / str(slope), cine, RescaleSlope=slope, RescaleIntercept=-10)
        pixels, meta = ALL.get_data(folder)
        low, high = meta["value_range"]
        assert (low, high) == ends
        np.testing.assert_allclose(
            pixels * (high - low) + low, cine.astype(float) * slope - 10, atol=2e-3
        )


def test_slope_without_intercept_is_not_applied(tmp_path, cine):
    """The standard wants both; so does the radiograph reader."""
    assert ALL.get_data(series(tmp_path / "in", cine, RescaleSlope=2))[1]["value_range"] == (
        0,
        4095,
    )


@pytest.mark.parametrize(
    "elements",
    [{"photometric": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"},
     {"photometric": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}],
)  # fmt: skip
def test_monochrome1_is_inverted_once(tmp_path, cine, elements):
    """However often the file says so."""
    pixels, meta = ALL.get_data(series(tmp_path / "in", cine, **elements))
    np.testing.assert_allclose(pixels, 1 - expected(cine), atol=1e-7)
    assert meta["value_range"] == (4095, 0)


def test_padding_is_black_and_counts_for_no_bits(tmp_path, cine):
    """-2000 around signed 12-bit values, both polarities."""
    signed = (cine // 16).astype(np.int16)
    signed[:, :, :2] = -2000
    for photometric in ("MONOCHROME2", "MONOCHROME1"):
        folder = series(
            tmp_path / photometric,
            signed,
            bits=16,
            PixelPaddingValue=-2000,
            photometric=photometric,
        )
        pixels, meta = ALL.get_data(folder)
        assert meta["bits"] == 8
        assert not pixels[:, :, :2].any()
        plain = (cine[:, :, 2:] // 16 / 255).astype(np.float32)
        wanted = plain if photometric == "MONOCHROME2" else 1 - plain
        np.testing.assert_allclose(pixels[:, :, 2:], wanted, atol=1e-7)


def test_nothing_but_padding(tmp_path, cine):
    """Black."""
    pixels, meta = ALL.get_data(series(tmp_path / "in", cine * 0, PixelPaddingValue=0))
    assert not pixels.any()
    assert meta["bits"] == 8


def test_windows_are_not_applied(tmp_path, cine):
    """They may differ from frame to frame."""

    def change(values):
        _, phase = values["at"]
        values |= {"WindowCenter": 100 + phase, "WindowWidth": 50}

    np.testing.assert_array_equal(
        ALL.get_data(series(tmp_path / "in", cine, change=change))[0], expected(cine)
    )


def test_modality_lut_and_colour_are_refused(tmp_path, cine):
    """With the element's name."""
    table = lut(range(4096), first=0, bits=12)
    folder = series(tmp_path / "a", cine, ModalityLUTSequence=table)
    refused(folder, r"000\.dcm: Modality LUT Sequence \(0028,3000\) must be absent in a cine")
    (tmp_path / "b").mkdir()
    colour = np.zeros((12, 10, 3), np.uint8)
    dataset(colour, bits=8, photometric="RGB").save_as(
        tmp_path / "b" / "a.dcm", enforce_file_format=True
    )
    refused(
        tmp_path / "b", r"must be MONOCHROME1 or MONOCHROME2, got RGB; colour cines aren't read"
    )


# ---- classic multi-frame


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_multi_frame_file(tmp_path, bits):
    """One slice in the file's order."""
    cine = stack(slices=1, rows=11, columns=9, bits=bits)
    pixels, meta = ALL.get_data(save(multiframe(cine[0], bits=bits), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(pixels, expected(cine, bits))
    assert meta["bits"] == bits
    assert (meta["frame_order"], meta["frame_times_source"]) == ("stored", "FrameTime")
    assert meta["frame_times"] == [0, 40, 80, 120, 160]
    assert meta["slice_positions"] == []
    assert (meta["spacing"], meta["spacing_source"]) == ((1, 1), "none")


def test_frame_time_vector_and_position(tmp_path, cine):
    """Steps, the first of which is before the first frame; Image Position gives the slice."""
    ds = multiframe(
        cine[0], FrameTime=None, FrameTimeVector=[0, 30, 31, 32, 33],
        FrameIncrementPointer=0x00181065, ImagePositionPatient=ORIGIN.tolist(),
        ImageOrientationPatient=[*ROW.tolist(), *COLUMN.tolist()],
    )  # fmt: skip
    meta = ALL.get_data(save(ds, tmp_path / "a.dcm"))[1]
    assert meta["frame_times"] == [0, 30, 61, 93, 126]
    assert meta["frame_times_source"] == "FrameTimeVector"
    assert meta["slice_positions"] == pytest.approx([float(ORIGIN @ NORMAL)])


@pytest.mark.parametrize(
    "elements",
    [
        {"FrameTime": 0},
        {"FrameTime": -40},
        {"FrameTime": None, "FrameTimeVector": [0, 30, 0, 1, 1]},
    ],
)
def test_frame_times_that_do_not_go_on(tmp_path, cine, elements):
    """Unknown rather than wrong; the frames are in the file's order all the same."""
    pointer = 0x00181063 if elements["FrameTime"] is not None else 0x00181065
    ds = multiframe(cine[0], **elements, FrameIncrementPointer=pointer)
    pixels, meta = ALL.get_data(save(ds, tmp_path / "a.dcm"))
    np.testing.assert_array_equal(pixels, expected(cine[:1]))
    assert (meta["frame_times"], meta["frame_times_source"]) == ([], "none")


def test_pointer_is_enough_and_so_is_a_time(tmp_path, cine):
    """Old ultrasound leaves out one or the other."""
    for elements, source in (
        ({"FrameTime": None}, "none"),
        ({"FrameIncrementPointer": None}, "FrameTime"),
    ):
        meta = ALL.get_data(save(multiframe(cine[0], **elements), tmp_path / "a.dcm"))[1]
        assert meta["frame_times_source"] == source


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"FrameTime": None, "FrameIncrementPointer": None},
         r"Frame Increment Pointer \(0028,0009\) must be .* got nothing: the frames"),
        # nuclear medicine: frames by angle, by R-R interval and time slot
        ({"FrameIncrementPointer": [0x00540060, 0x00540070]}, r"got \(0054,0060\), \(0054,0070\):"),
        ({"FrameIncrementPointer": 0x00540080}, r"got \(0054,0080\): the frames may be anything"),
        (
            {"FrameIncrementPointer": [0x00181063, 0x00540080]},
            r"got \(0018,1063\), \(0054,0080\): the frames may be anything",
        ),
        ({"FrameTime": None, "FrameTimeVector": [0, 30], "FrameIncrementPointer": 0x00181065},
         r"Frame Time Vector \(0018,1065\) must be 5 numbers, got 2"),
        ({"NumberOfFrames": 4}, r"must have 960 bytes for 12 x 10 pixels, got 1,200"),
        ({"NumberOfFrames": 6}, r"must have 1,440 bytes for 12 x 10 pixels, got 1,200"),
        ({"Rows": 60, "NumberOfFrames": 1}, r"at least 2, got 1; a cine of .* their folder"),
        ({"NumberOfFrames": None, "Rows": 60}, r"Number of Frames .* at least 2, got 1"),
        ({"NumberOfFrames": 0}, r"Number of Frames \(0028,0008\) must be an integer from 1 to"),
        ({"Rows": 65535, "Columns": 65535}, "the image must have 1 to 67,108,864 pixels"),
        ({"BitsAllocated": 32, "BitsStored": 32, "HighBit": 31}, "must be 8 or 16, got 32"),
        ({"BitsStored": 11, "HighBit": 10, "PixelRepresentation": 0}, None),
    ],
)  # fmt: skip
def test_multi_frame_that_is_no_cine(tmp_path, cine, elements, message):
    """Frames that may be slices or angles, and headers that lie."""
    path = save(multiframe(cine[0], **elements), tmp_path / "a.dcm")
    if message is None:  # pydicom clears the bits above Bits Stored
        np.testing.assert_array_equal(ALL.get_data(path)[0], expected(cine[:1] & 2047, 11))
    else:
        refused(path, message)


def test_too_many_frames_for_the_limit(tmp_path):
    """All frames together, said by the header before they are decoded."""
    ds = multiframe(np.zeros((50, 64, 64), np.uint16))
    ds.compress(RLELossless)
    path = save(ds, tmp_path / "a.dcm")
    assert path.stat().st_size < 100_000
    reader = CineReader(limits=Limits(max_bytes=100_000))
    refused(path, r"the 50 decoded frames must have at most 100,000 bytes, got 409,600", reader)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_frames(tmp_path, syntax):
    """Every lossless syntax gives the same levels; one frame fewer or more is an error."""
    cine = stack(slices=1, rows=64, columns=48)
    ds = multiframe(cine[0])
    ds.compress(syntax)
    np.testing.assert_array_equal(ALL.get_data(save(ds, tmp_path / "a.dcm"))[0], expected(cine))
    for count in (4, 6):
        ds.NumberOfFrames = count
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refused(save(ds, tmp_path / "b.dcm"), "b.dcm: ")


def test_compressed_folder(tmp_path):
    """Each file by the same decoder as a radiograph."""
    cine = stack(slices=2, phases=3, rows=64, columns=48)
    folder = series(tmp_path / "in", cine)
    for file in folder.iterdir():
        ds = pydicom.dcmread(file)
        ds.compress(JPEG2000Lossless)
        ds.save_as(file)
    np.testing.assert_array_equal(ALL.get_data(folder)[0], expected(cine))


def test_file_cut_anywhere(tmp_path, cine):
    """Our error, every time."""
    whole = save(multiframe(cine[0]), tmp_path / "whole.dcm").read_bytes()
    path = tmp_path / "a.dcm"
    for end in [*range(0, 400, 40), *range(400, len(whole) - 1, 211), len(whole) - 2]:
        path.write_bytes(whole[:end])
        with pytest.raises(UnreadableImageError, match=r"a\.dcm: "):
            ALL.get_data(path)


# ---- enhanced


@pytest.mark.parametrize(
    ("times", "first"),
    [("NominalCardiacTriggerDelayTime", 40), ("TemporalPositionTimeOffset", 40),
     ("TemporalPositionIndex", None)],
)  # fmt: skip
def test_enhanced_file_is_sorted_by_its_groups(tmp_path, cine, times, first):
    """Stored in a shuffled order."""
    pixels, meta = ALL.get_data(save(enhanced(cine, times=times), tmp_path / "a.dcm"))
    np.testing.assert_array_equal(pixels, expected(cine))
    assert meta["frame_order"] == times
    assert meta["frame_times"] == pytest.approx([first * t for t in range(5)] if first else [])
    assert meta["frame_times_source"] == (times if first else "none")
    assert meta["spacing"] == SPACING
    along = float(ORIGIN @ NORMAL)
    assert meta["slice_positions"] == pytest.approx([along, along + 8, along + 16])


def test_enhanced_ultrasound_volume(tmp_path, cine):
    """Its planes have a position in the volume instead of in the patient."""
    ds = enhanced(cine, times="TemporalPositionTimeOffset")
    shared = ds.SharedFunctionalGroupsSequence[0]
    cosines = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    shared.PlaneOrientationVolumeSequence = item(ImageOrientationVolume=list(cosines))
    del shared.PlaneOrientationSequence
    for groups in ds.PerFrameFunctionalGroupsSequence:
        place = groups.PlanePositionSequence[0].ImagePositionPatient
        groups.PlanePositionVolumeSequence = item(ImagePositionVolume=list(place))
        del groups.PlanePositionSequence
    np.testing.assert_array_equal(ALL.get_data(save(ds, tmp_path / "a.dcm"))[0], expected(cine))


def test_rescale_of_an_enhanced_file(tmp_path, cine):
    """From the group; refused where it differs from frame to frame."""
    ds = enhanced(cine)
    for groups in ds.PerFrameFunctionalGroupsSequence:
        groups.PixelValueTransformationSequence = item(RescaleSlope=0.5, RescaleIntercept=1)
    assert ALL.get_data(save(ds, tmp_path / "a.dcm"))[1]["value_range"] == (1, 2048.5)
    groups.PixelValueTransformationSequence = item(RescaleSlope=0.25, RescaleIntercept=1)
    refused(
        save(ds, tmp_path / "a.dcm"),
        r"same Rescale Slope \(0028,1053\), got 0\.5 in frame 1 and 0\.25 in frame 15",
    )


def test_enhanced_file_with_groups_missing(tmp_path, cine):
    """One item for each frame; time and position must be told."""
    ds = enhanced(cine)
    ds.PerFrameFunctionalGroupsSequence = list(ds.PerFrameFunctionalGroupsSequence)[:-1]
    refused(save(ds, tmp_path / "a.dcm"), r"one item for each of 15 frames, got 14")
    ds = enhanced(cine, times="")
    refused(save(ds, tmp_path / "a.dcm"), "must have an element that tells their order in time")
    ds = enhanced(cine)
    del ds.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence
    refused(save(ds, tmp_path / "a.dcm"), r"must have Image Position .* got 14 of 15")
    ds = enhanced(cine[:, :1])
    refused(save(ds, tmp_path / "a.dcm"), "at least 2 phases of each slice, got 1")


@needs_shared
@pytest.mark.filterwarnings("ignore:The string .* is unlikely")
def test_file_that_highdicom_made_of_the_folder(tmp_path):
    """Another library's enhanced file of a real series: the same cine."""
    legacy = pytest.importorskip("highdicom.legacy")
    frames = [pydicom.dcmread(file) for file in sorted(PIG.iterdir())]
    for ds in frames:
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20110101", "120000", "1"
        ds.PatientSex, ds.PatientBirthDate = "O", "20000101"
    made = legacy.LegacyConvertedEnhancedMRImage(frames, generate_uid(), 1, generate_uid(), 1)
    made.save_as(tmp_path / "a.dcm")
    (pixels, meta), (other, given) = (CineReader().get_data(p) for p in (tmp_path / "a.dcm", PIG))
    np.testing.assert_array_equal(pixels, other)
    assert repr(meta) == repr(given)
