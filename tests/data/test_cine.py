"""The cine reader: shape, slices, levels, metadata, NIfTI, no other reader; LoadCine."""

import io
import itertools
import pickle

import nibabel as nib
import numpy as np
import pydicom
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import LoadImage, LoadImaged

from medaug.data import CineReader, LoadCine, LoadCined
from medaug.data.limits import Limits
from medaug.errors import ConfigError, UnreadableImageError

from ..shared import SHARED, needs_shared
from .cine_files import (
    COLUMN,
    NORMAL,
    ORIGIN,
    ROW,
    SLICE_MM,
    SPACING,
    affine,
    expected,
    multiframe,
    nifti,
    save,
    series,
    stack,
)  # fmt: skip
from .dicom_files import PLANTED_ID, PLANTED_NAME

PIG = SHARED / "data" / "cine_sax"
ALL = CineReader(slices="all")


@pytest.fixture
def cine():
    """Three slices, five phases, 12 × 10 pixels of 12 bits."""
    return stack()


@pytest.fixture
def file(cine, tmp_path):
    """The same as NIfTI, laid out as DICOM would be."""
    return nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine())


# ---- slices, shape, metadata


def test_shape_range_and_metadata(file, cine):
    """(C, T, H, W) float32 in [0, 1], with plain metadata."""
    pixels, meta = ALL.get_data(ALL.read(file))
    assert pixels.dtype == np.float32
    np.testing.assert_array_equal(pixels, expected(cine))
    along = float(ORIGIN @ NORMAL)
    assert meta.pop("slice_positions") == pytest.approx([along, along + 8, along + 16], abs=1e-4)
    assert meta.pop("spacing") == pytest.approx(SPACING)
    torch.testing.assert_close(
        meta.pop("affine"),
        torch.diag(torch.tensor([1.0, *SPACING, 1.0], dtype=torch.float64)),
    )
    assert len(meta.pop("source_id")) == 64
    assert meta == {
        "spatial_shape": [5, 12, 10],
        "original_channel_dim": 0,
        "bits": 12,
        "value_range": (0.0, 4095.0),
        "spacing_source": "pixdim",
        "photometric": "MONOCHROME2",
        "frame_times": [0.0, 40.0, 80.0, 120.0, 160.0],
        "frame_times_source": "pixdim",
        "frame_order": "stored",
    }


@pytest.mark.parametrize(
    ("slices", "numbers"), [("middle", [1]), (0, [0]), (2, [2]), ("all", [0, 1, 2])]
)
def test_choice_of_slices_does_not_change_their_values(tmp_path, slices, numbers):
    """The levels are those of the whole file, though one slice holds the brightest pixel."""
    cine = stack(bits=8)
    cine[2, 3, 4, 5] = 1000
    path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine())
    pixels, meta = CineReader(slices=slices).get_data(path)
    assert meta["bits"] == 10
    np.testing.assert_array_equal(pixels, expected(cine[numbers], 10))
    assert len(meta["slice_positions"]) == len(numbers)


def test_middle_of_an_even_number_is_the_upper_one(tmp_path):
    """Number n // 2, as documented."""
    cine = stack(slices=4)
    path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine())
    np.testing.assert_array_equal(CineReader().get_data(path)[0], expected(cine[[2]]))


def test_slice_that_is_not_there(file):
    """Says how many there are."""
    with pytest.raises(UnreadableImageError, match=r"a\.nii: slices must be below 3, .* got 3$"):
        CineReader(slices=3).get_data(file)


@pytest.mark.parametrize("options", [{"slices": -1}, {"slices": "first"}, {"slices": True},
                                     {"slices": 1.0}, {"slice": 1}])  # fmt: skip
@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader")
def test_wrong_option_is_refused_under_load_image_too(options):
    """MONAI turns a TypeError into a warning and goes on without options; ours isn't one."""
    with pytest.raises(ConfigError, match="slices"):
        LoadImage(reader="medaug.data.CineReader", **options)


@pytest.mark.parametrize(
    ("low", "high", "bits", "first"),
    [(0, 3, 8, 0), (0, 255, 8, 0), (0, 256, 9, 0), (5, 4095, 12, 0), (0, 32767, 15, 0),
     (-1, 5, 8, -128), (-129, 0, 9, -256), (-1024, 3071, 13, -4096), (-32768, 32767, 16, -32768)],
)  # fmt: skip
def test_bits_are_the_fewest_that_hold_all_values(tmp_path, low, high, bits, first):
    """From 0 on, or with a sign; never fewer than 8."""
    array = np.full((4, 3, 2, 2), low, dtype=np.int16)
    array[1, 2, 1, 1] = high
    pixels, meta = ALL.get_data(nifti(tmp_path / "a.nii", array, affine()))
    assert meta["bits"] == bits
    assert meta["value_range"] == (first, first + 2**bits - 1)
    assert pixels[1, 1, 2, 1] == np.float32((high - first) / (2**bits - 1))


def test_scale_factors_of_nifti(tmp_path, cine):
    """In the range of values; a negative slope turns the levels round, so that high is bright."""
    for slope in (0.5, -2.0):
        image = nib.Nifti1Image(cine.transpose(3, 2, 0, 1), affine())
        image.header.set_slope_inter(slope, 10)
        image.to_filename(tmp_path / "a.nii")
        pixels, meta = ALL.get_data(tmp_path / "a.nii")
        low, high = meta["value_range"]
        assert (low, high) == tuple(sorted((10.0, slope * 4095 + 10)))
        np.testing.assert_allclose(pixels * (high - low) + low, cine * slope + 10, atol=1e-3)


# ---- NIfTI


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_nifti_is_upright_however_it_is_stored(tmp_path, cine, swap, signs):
    """Axes swapped and turned round, with an affine that says so: the same cine, slice by slice."""
    array = cine.transpose(3, 2, 0, 1)[:: signs[0], :: signs[1], :: signs[2]]
    ends = [(size - 1) * (sign < 0) for size, sign in zip(array.shape, signs, strict=False)]
    directions = [ROW, COLUMN, NORMAL]
    steps = [SPACING[1], SPACING[0], SLICE_MM]
    origin = ORIGIN + sum(e * s * d for e, s, d in zip(ends, steps, directions, strict=True))
    across, down, along = (sign * d for sign, d in zip(signs, directions, strict=True))
    spacing = SPACING
    if swap:
        array, across, down = array.swapaxes(0, 1), down, across
        spacing = SPACING[::-1]
    matrix = affine(across=across, down=down, along=along, origin=origin, spacing=spacing)
    pixels, meta = ALL.get_data(nifti(tmp_path / "a.nii", np.ascontiguousarray(array), matrix))
    np.testing.assert_array_equal(pixels, expected(cine))
    assert meta["spacing"] == pytest.approx(SPACING)
    along = float(ORIGIN @ NORMAL)
    assert meta["slice_positions"] == pytest.approx([along, along + 8, along + 16], abs=1e-3)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ([1, 0, 0], [0, 1, 0]),  # axial
        ([1, 0, 0], [0, 0, -1]),  # coronal
        ([0, 1, 0], [0, 0, -1]),  # sagittal
        ([0.98, -0.1, -0.17], [0, 0.86, -0.51]),  # short axis of ../shared/data/cine_sax, about
        ([0.7, 0.7, -0.14], [0.25, -0.43, -0.87]),  # short axis, usual in people
        ([0.73, -0.66, 0.2], [0.1, -0.18, -0.98]),  # two chambers
    ],
)
@pytest.mark.parametrize("signs", [(1, -1), (-1, 1)])
def test_nifti_of_usual_planes_is_as_a_scanner_shows_it(tmp_path, cine, row, column, signs):
    """Rows and columns as DICOM has them, from a file that a converter has turned round."""
    row = np.array(row) / np.linalg.norm(row)
    column = np.array(column) - row * (row @ column)
    column /= np.linalg.norm(column)
    array = cine.transpose(3, 2, 0, 1)[:: signs[0], :: signs[1]]
    last = [(size - 1) * (sign < 0) for size, sign in zip(array.shape, signs, strict=False)]
    origin = ORIGIN + row * SPACING[1] * last[0] + column * SPACING[0] * last[1]
    across, down, along = signs[0] * row, signs[1] * column, np.cross(row, column)
    matrix = affine(across=across, down=down, along=along, origin=origin)
    path = nifti(tmp_path / "a.nii", np.ascontiguousarray(array), matrix)
    np.testing.assert_array_equal(ALL.get_data(path)[0], expected(cine))


def test_nifti_without_orientation_is_as_stored(tmp_path, cine):
    """First axis column, second row, third slice."""
    pixels, meta = ALL.get_data(nifti(tmp_path / "a.nii.gz", cine.transpose(3, 2, 0, 1)))
    np.testing.assert_array_equal(pixels, expected(cine))
    assert meta["slice_positions"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("units", "step", "times"),
    [(("mm", "sec"), 0.04, 40), (("mm", "usec"), 4e4, 40), (("mm", "unknown"), 40, None),
     (("mm", "hz"), 40, None), (("mm", "msec"), 0, None)],
)  # fmt: skip
def test_frame_times_of_nifti(tmp_path, cine, units, step, times):
    """In ms; unknown without a unit or a step."""
    path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine(), step=step, units=units)
    meta = ALL.get_data(path)[1]
    expected_times = [times * t for t in range(5)] if times else []
    assert meta["frame_times"] == pytest.approx(expected_times)
    assert meta["frame_times_source"] == ("pixdim" if times else "none")


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_length_units_of_nifti(tmp_path, cine, unit):
    """Spacing and positions are in mm."""
    factor = {"meter": 1000, "micron": 0.001}[unit]
    path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine(), units=(unit, "msec"))
    meta = ALL.get_data(path)[1]
    assert meta["spacing"] == pytest.approx([factor * s for s in SPACING])
    assert np.diff(meta["slice_positions"]) == pytest.approx(factor * SLICE_MM, rel=1e-4)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((6, 5, 4), np.uint8), r"\(x, y, slice, time\), got \(6, 5, 4\); .*third axis"),
        (np.zeros((6, 5), np.uint8), r"four dimensions .* got \(6, 5\)$"),
        (np.zeros((6, 5, 4, 2, 3), np.uint8), r"four dimensions .* got \(6, 5, 4, 2, 3\)"),
        (np.zeros((6, 5, 4, 1, 3), np.uint8), r"four dimensions"),
        (np.full((6, 5, 4, 2), 0.5, np.float32), "whole numbers, since grey levels are counted"),
        (np.full((6, 5, 4, 2), np.nan, np.float32), "whole numbers, since grey levels"),
        (np.full((6, 5, 4, 2), 65536, np.int32), "fit into 16 bits, got 65536"),
        (np.full((6, 5, 4, 2), 1j, np.complex64), "whole numbers, got complex64"),
        (np.zeros((6, 5, 4, 2), [(c, "u1") for c in "RGB"]), "must be whole numbers, got"),
    ],
)
def test_nifti_that_is_no_grey_cine(tmp_path, array, message):
    """Says what was expected and what is there."""
    with pytest.raises(UnreadableImageError, match=message) as raised:
        ALL.get_data(nifti(tmp_path / "a.nii", array, affine()))
    assert str(raised.value).startswith(f"{tmp_path / 'a.nii'}: ")


def test_nifti_with_one_phase(tmp_path):
    """A stack that doesn't move isn't a cine; the trailing axis of one can't be written."""
    path = nifti(tmp_path / "a.nii", np.zeros((6, 5, 4, 2), np.uint8), affine())
    raw = bytearray(path.read_bytes())
    raw[48:50] = b"\1\0"  # dim[4]
    path.write_bytes(raw[: -6 * 5 * 4])
    with pytest.raises(UnreadableImageError, match=r"at least 2 phases .* \(6, 5, 4, 1\)"):
        ALL.get_data(path)


@pytest.mark.parametrize("end", [-1, -200, 400])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_cut_short(tmp_path, cine, end, suffix):
    """Never pixels that aren't in the file."""
    path = nifti(tmp_path / f"a{suffix}", cine.transpose(3, 2, 0, 1), affine())
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(UnreadableImageError, match=r"a\.nii"):
        ALL.get_data(path)


@pytest.mark.parametrize("columns", [9, 11])
def test_nifti_longer_or_shorter_than_its_header_says(tmp_path, cine, columns):
    """More bytes than the header asks for would be a picture with its rows shifted."""
    path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine())
    raw = bytearray(path.read_bytes())
    raw[42:44] = columns.to_bytes(2, "little")  # dim[1] is 10
    path.write_bytes(raw)
    with pytest.raises(UnreadableImageError, match=rf"bytes for \({columns}, 12, 3, 5\) pixels"):
        ALL.get_data(path)


def test_affine_that_is_no_use(tmp_path, cine):
    """Infinite, or flat."""
    for bad in (np.nan, 0.0):
        path = nifti(tmp_path / "a.nii", cine.transpose(3, 2, 0, 1), affine())
        raw = bytearray(path.read_bytes())
        raw[280:296] = np.full(4, bad, "<f4").tobytes()  # srow_x
        raw[296:312] = np.full(4, bad, "<f4").tobytes()
        raw[252:254] = b"\0\0"  # no qform
        path.write_bytes(raw)
        with pytest.raises(UnreadableImageError, match="affine must be finite"):
            ALL.get_data(path)


# ---- limits, errors, and what is kept


def test_limits_before_anything_is_allocated(tmp_path, file):
    """Pixels of a frame, bytes of all stored frames, bytes of what comes out."""
    for limits, message in (
        (Limits(max_pixels=100), "1 to 100 pixels, got 12 rows x 10 columns"),
        (Limits(max_bytes=3000), "the file must have at most 3,000 bytes"),
        (Limits(max_bytes=5000), "the cine as float32 must have at most 5,000 bytes, got 7,200"),
    ):
        with pytest.raises(UnreadableImageError, match=message):
            CineReader(slices="all", limits=limits).get_data(file)
    assert CineReader(limits=Limits(max_bytes=5000)).get_data(file)[0].shape == (1, 5, 12, 10)
    path = nifti(tmp_path / "b.nii.gz", np.zeros((100, 100, 10, 10), np.uint8), affine())
    assert path.stat().st_size < 5000
    with pytest.raises(UnreadableImageError, match="the unpacked file must have at most 50,000"):
        CineReader(limits=Limits(max_bytes=50_000)).get_data(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "got an empty file"), (b"words", "got a file that begins with 77 6f 72 64 73"),
     (b"\x89PNG\r\n\x1a\n" + bytes(400), "got raster")],
)  # fmt: skip
def test_what_is_no_cine(tmp_path, content, message):
    """Says what is one."""
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    expected_start = "a cine must be multi-frame DICOM, a folder of DICOM, or NIfTI, "
    with pytest.raises(UnreadableImageError, match=expected_start + message):
        ALL.get_data(path)


def test_missing_file_several_files_and_folders(tmp_path):
    """What isn't one file or folder of DICOM says so; `read` never fails."""
    with pytest.raises(UnreadableImageError, match=r"gone: must be .* nothing is"):
        ALL.get_data(ALL.read(tmp_path / "gone"))
    with pytest.raises(UnreadableImageError, match="one file or folder, got 2"):
        ALL.get_data(ALL.read(["a", "b"]))
    with pytest.raises(UnreadableImageError, match=r"must hold DICOM files itself, got none$"):
        ALL.get_data(tmp_path)
    (tmp_path / "below").mkdir()
    with pytest.raises(UnreadableImageError, match="got none, but folders: give one of them"):
        ALL.get_data(tmp_path)


def test_cause_is_chained(file):
    """Who needs the library's own words finds them."""
    raw = bytearray(file.read_bytes())
    raw[70:72] = b"\7\7"  # datatype
    file.write_bytes(raw)
    with pytest.raises(UnreadableImageError, match=r"a\.nii: ") as raised:
        ALL.get_data(file)
    assert isinstance(raised.value.__cause__, Exception)
    assert not isinstance(raised.value.__cause__, UnreadableImageError)


@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader")
def test_load_image_tries_no_other_reader(tmp_path, monkeypatch):
    """MONAI's own readers would read a 3-D NIfTI."""
    path = nifti(tmp_path / "a.nii", np.zeros((6, 5, 4), np.uint8), affine())
    loader = LoadImage(reader="medaug.data.CineReader")
    tried = []
    for other in loader.readers[:-1]:
        monkeypatch.setattr(other, "read", tried.append)
    with pytest.raises(UnreadableImageError, match="four dimensions"):
        loader(path)
    assert tried == []


@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader")
def test_load_imaged_takes_a_folder(tmp_path, cine):
    """As a bundle's config would load it."""
    folder = series(tmp_path / "in", cine)
    loader = LoadImaged(
        "image", reader="medaug.data.CineReader", slices="all", ensure_channel_first=True
    )
    image = loader({"image": str(folder)})["image"]
    np.testing.assert_array_equal(image.as_tensor().numpy(), expected(cine))


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_nothing_of_the_patient(tmp_path, cine, kind):
    """No name, ID, UID or path in the metadata; the path only if asked."""
    if kind == "folder":
        path = series(tmp_path / "Doe_John", cine, StudyDate="20110203")
    else:
        path = save(multiframe(cine[0], StudyDate="20110203"), tmp_path / "Doe_John.dcm")
    text = repr(LoadCine()(path).meta)
    for secret in (PLANTED_NAME, "PLANTED", PLANTED_ID, "Doe", "20110203", "1.2.3.4"):
        assert secret not in text
    assert "Doe_John" in LoadCine(file_name=True)(path).meta["filename_or_obj"]


def test_load_cine_gives_a_meta_tensor(file, cine):
    """Float32 with plain metadata that load with weights_only, and that pickle and collate."""
    image = LoadCine(slices="all")(file)
    assert isinstance(image, MetaTensor)
    np.testing.assert_array_equal(image.as_tensor().numpy(), expected(cine))
    buffer = io.BytesIO()
    torch.save(image, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=True)
    assert again.meta["frame_times"] == image.meta["frame_times"]
    loader = pickle.loads(pickle.dumps(LoadCined("image")))
    items = [{"image": str(file)}, {"image": str(file)}]
    batch = next(iter(DataLoader(Dataset(items, loader), batch_size=2)))
    assert batch["image"].shape == (2, 1, 5, 12, 10)


def test_load_cined_keeps_the_rest(file):
    """Other keys stay, the input isn't changed, missing keys are an error unless allowed."""
    item = {"image": str(file), "label": 3}
    loaded = LoadCined("image", slices=0)(item)
    assert loaded["label"] == 3
    assert loaded["image"].shape == (1, 5, 12, 10)
    assert item["image"] == str(file)
    with pytest.raises(KeyError):
        LoadCined("cine")(item)
    assert LoadCined("cine", allow_missing_keys=True)(item) == item
    with pytest.raises(ConfigError, match="slices must be"):
        LoadCined("image", slices="none")


# ---- real data


@needs_shared
def test_real_nifti_and_dicom_of_one_slice_are_equal():
    """Slice 10 from both, in the file's own integers; and equal to pydicom's and nibabel's."""
    first, one = CineReader(slices=10).get_data(PIG / "pig_gip17_sax_4d.nii.gz")
    second, other = CineReader().get_data(PIG / "dicom_slice10")
    assert (one["bits"], other["bits"]) == (9, 8)
    stored = [
        np.rint(pixels * meta["value_range"][1]) for pixels, meta in ((first, one), (second, other))
    ]
    assert first.shape == second.shape == (1, 20, 256, 256)
    np.testing.assert_array_equal(*stored)
    files = sorted((PIG / "dicom_slice10").iterdir())
    np.testing.assert_array_equal(
        stored[1][0], [pydicom.dcmread(file).pixel_array for file in files]
    )
    volume = np.asarray(nib.load(PIG / "pig_gip17_sax_4d.nii.gz").dataobj)[:, :, 10]
    np.testing.assert_array_equal(stored[0][0], volume.transpose(2, 1, 0))
    assert one["spacing"] == pytest.approx(other["spacing"], rel=1e-6)
    assert one["slice_positions"] == pytest.approx(other["slice_positions"], abs=1e-3)
    assert one["frame_times"] == pytest.approx(other["frame_times"], abs=1)
    assert other["frame_times"][:3] == [0, 31, 63]
    assert other["frame_order"] == other["frame_times_source"] == "TriggerTime"


@needs_shared
def test_real_stack_goes_from_the_apex_to_the_atria():
    """Slice 0 is the apical end, as the data's README says; 5 mm apart."""
    pixels, meta = ALL.get_data(PIG / "pig_gip17_sax_4d.nii.gz")
    volume = np.asarray(nib.load(PIG / "pig_gip17_sax_4d.nii.gz").dataobj)
    assert pixels.shape == (20, 20, 256, 256)
    np.testing.assert_array_equal(np.rint(pixels * 511), volume.transpose(2, 3, 1, 0))
    assert np.diff(meta["slice_positions"]) == pytest.approx(5, abs=1e-3)
