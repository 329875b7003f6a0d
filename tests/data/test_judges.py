"""Two programs by other people show the same picture: DCMTK's dcm2pnm, and highdicom.

Every single-frame MONOCHROME file among pydicom's own test files, `pydicom-data` and the shared
data is either compared (the test's id names it) or listed in `REFUSED` with the reason.
"""

import functools
import importlib.util
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import UID, JPEG2000TransferSyntaxes, JPEGLSTransferSyntaxes

from medaug.data import RadiographReader
from medaug.errors import UnreadableImageError

from ..shared import SHARED
from .dicom_files import lut, write
from .images import levels

TOLERANCE = 1e-3  # of the range

# A judge that is wrong by the standard, and where that can be seen. In each case pydicom's own
# functions give our numbers, and so does dcm2pnm.
HIGHDICOM_IS_WRONG = {
    # highdicom 0.28.2 folds slope and intercept into the window and then takes PS3.3
    # C.11.2.1.2.1's "- 0.5" and "- 1" in stored values, where they belong to modality values:
    # 0.0014 off at a slope of 3.77
    ("MR2_J2KI.dcm", "window"),
    ("MR2_J2KR.dcm", "window"),
    ("MR2_UNCI.dcm", "window"),
    ("MR2_UNCR.dcm", "window"),
    # it doesn't extend the sign of 12-bit stored values, and looks -1 up as 4095 (C.11.1.1)
    ("mlut_18.dcm", "window"),
    ("mlut_18.dcm", "none"),
}

# What isn't compared, and what our error says; none of it is a radiograph.
REFUSED = {
    "badVR.dcm": r"Number of Frames \(0028,0008\) must be 1, got 1A",
    "liver_1frame.dcm": r"Bits Allocated \(0028,0100\) must be 8 or 16, got 1",
    "liver_expb_1frame.dcm": r"Bits Allocated \(0028,0100\) must be 8 or 16, got 1",
    "rtdose_1frame.dcm": r"Bits Allocated \(0028,0100\) must be 8 or 16, got 32",
    "rtdose_expb_1frame.dcm": r"Bits Allocated \(0028,0100\) must be 8 or 16, got 32",
    "rtdose_rle_1frame.dcm": r"Bits Allocated \(0028,0100\) must be 8 or 16, got 32",
    # 128 bytes too many may as well be rows that the header doesn't own up to
    "MR_small_padded.dcm": r"Pixel Data \(7FE0,0010\) must have 8,192 bytes .* got 8,320",
    "MR_truncated.dcm": r"Pixel Data \(7FE0,0010\) must have 8,192 bytes .* got 8,130",
    # its scan header is against ITU-T T.81; no decoder of pydicom's takes it
    "JPEG-lossy.dcm": r"libjpeg error code",
    # its codestream was overwritten on purpose; no decoder takes it
    "JPEG2000-embedded-sequence-delimiter.dcm": r"the compressed frame must be 1024 x 256",
}


def folders():
    """Where DICOM files of other people are."""
    yield Path(pydicom.__file__).parent / "data" / "test_files"
    spec = importlib.util.find_spec("data_store")  # the package pydicom-data
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "data"
    yield SHARED / "data" / "dicom"


def header_of(path):
    """The header of a single-frame MONOCHROME image, else None."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        frames = header.get("NumberOfFrames") or 1
        single = str(frames)[:1] == "1" and not str(frames)[1:].isdigit()
    except Exception:
        return None
    grey = str(header.get("PhotometricInterpretation")).startswith("MONOCHROME")
    return header if grey and single and "Rows" in header else None


def found():
    """Every such file, with its transfer syntax and polarity."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paths = [path for folder in folders() for path in sorted(folder.rglob("*"))]
        for path in paths:
            header = header_of(path) if path.is_file() else None
            if header is not None:
                syntax = UID(header.file_meta.TransferSyntaxUID)
                yield path, syntax, header.PhotometricInterpretation


FOUND = list(found())
NAMED = {path.name: path for path, _, _ in FOUND}
COMPARED = [row for row in FOUND if row[0].name not in REFUSED]
# no DCMTK of Debian decodes JPEG 2000
FOR_DCMTK = [row for row in COMPARED if row[1] not in JPEG2000TransferSyntaxes]
FOR_HIGHDICOM = [row for row in COMPARED if row[1].is_little_endian]


def cases(rows):
    """A parameter for each file and each VOI option, its id naming polarity and file."""
    return [
        pytest.param(path, voi, id=f"{photometric[-1]}-{voi}-{path.parent.name}-{path.name}")
        for path, _, photometric in rows
        for voi in ("window", "none")
    ]


@functools.lru_cache(maxsize=1)
def ours(path, voi):
    """(H, W) pixels, where they are valid, and how many bits they have."""
    image, meta = RadiographReader(voi=voi, mask=True).get_data(path)
    return image[0], meta["mask"][0].numpy(), meta["bits"]


def difference(path, voi, judged):
    """The largest difference of valid pixels; padding is black with us, and tissue to a judge."""
    image, valid, _ = ours(path, voi)
    assert judged.shape == image.shape
    assert not image[~valid].any()
    return float(np.abs(judged - image)[valid].max())


def has_voi(header):
    """Whether the file has a VOI LUT or a window."""
    return bool(header.get("VOILUTSequence")) or header.get("WindowCenter") not in (None, "")


def dcmtk_program(syntax):
    """The program of DCMTK that decodes a transfer syntax; newer versions have one for all."""
    if shutil.which("dcm2img"):
        return "dcm2img"
    if syntax in JPEGLSTransferSyntaxes:
        return "dcml2pnm"
    return "dcmj2pnm" if syntax.startswith("1.2.840.10008.1.2.4") else "dcm2pnm"


def shown_by_dcmtk(path, header, voi, bits, folder):
    """What DCMTK shows, in [0, 1], without overlays."""
    options = []
    if voi == "window" and has_voi(header):
        options = ["+Wl" if header.get("VOILUTSequence") else "+Wi", "1"]
    # without a window, DCMTK maps 8 bits to 16 as x / 256: 0.4 % short of white
    options.append("--write-png" if not options and bits == 8 else "--write-16-bit-png")
    program = dcmtk_program(header.file_meta.TransferSyntaxUID)
    command = [program, "--quiet", "-O", *options, str(path), str(folder / "shown.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    levels = np.asarray(Image.open(folder / "shown.png"))
    return levels / np.iinfo(levels.dtype).max


needs_dcmtk = pytest.mark.skipif(
    not (shutil.which("dcm2pnm") or shutil.which("dcm2img")),
    reason="DCMTK is not installed (apt-get install dcmtk)",
)


@needs_dcmtk
@pytest.mark.parametrize(("path", "voi"), cases(FOR_DCMTK))
@pytest.mark.filterwarnings("ignore")
def test_dcmtk_shows_the_same(path, voi, tmp_path):
    """dcm2pnm, with its first window or LUT, or with none."""
    needs_decoder(path)
    header = pydicom.dcmread(path, stop_before_pixels=True)
    judged = shown_by_dcmtk(path, header, voi, ours(path, voi)[2], tmp_path)
    assert difference(path, voi, judged) <= TOLERANCE


def shown_by_highdicom(path, voi):
    """What highdicom shows, in [0, 1]."""
    highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed")
    header = pydicom.dcmread(path)
    windowed = voi == "window" and has_voi(header)
    frame = highdicom.imread(path).get_frame(
        1, apply_modality_transform=None, apply_voi_transform=windowed
    )
    if windowed:
        return np.asarray(frame, dtype=np.float64)
    low, high = nominal_range(header)
    return (np.asarray(frame, dtype=np.float64) - low) / (high - low)


def nominal_range(header):
    """The modality values of the smallest and largest stored value that there can be."""
    if header.get("ModalityLUTSequence"):
        return 0, 2 ** header.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    first = -(2 ** (header.BitsStored - 1)) if header.PixelRepresentation else 0
    slope, intercept = header.get("RescaleSlope", 1), header.get("RescaleIntercept", 0)
    ends = [
        float(slope) * end + float(intercept) for end in (first, first + 2**header.BitsStored - 1)
    ]
    return min(ends), max(ends)


def shown_by_pydicom(path, voi):
    """The modality and VOI functions of pydicom, scaled by their fixed range; MONOCHROME2 only."""
    header = pydicom.dcmread(path)
    values = apply_modality_lut(header.pixel_array, header)
    low, high = nominal_range(header)
    if voi == "window":
        values = apply_voi_lut(values, header)
    return (values - low) / (high - low)


@pytest.mark.parametrize(("path", "voi"), cases(FOR_HIGHDICOM))
@pytest.mark.filterwarnings("ignore")
def test_highdicom_shows_the_same(path, voi):
    """Or where it is known to be wrong, pydicom does."""
    needs_decoder(path)
    off = difference(path, voi, shown_by_highdicom(path, voi))
    if (path.name, voi) in HIGHDICOM_IS_WRONG and off > TOLERANCE:
        off = difference(path, voi, shown_by_pydicom(path, voi))
    assert off <= TOLERANCE


WINDOW = {"WindowCenter": 1800, "WindowWidth": 2500}
LUT = lut(np.arange(4096) ** 2 // 256, first=0, bits=16)
WRITTEN = {
    "plain": {},
    "monochrome1": {"photometric": "MONOCHROME1"},
    "monochrome1-inverse": {"photometric": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    "monochrome1-identity": {"photometric": "MONOCHROME1", "PresentationLUTShape": "IDENTITY"},
    "monochrome2-inverse": {"PresentationLUTShape": "INVERSE"},
    "window": WINDOW,
    "window-monochrome1": {"photometric": "MONOCHROME1", **WINDOW},
    "sigmoid": {"VOILUTFunction": "SIGMOID", **WINDOW},
    "sigmoid-monochrome1": {
        "photometric": "MONOCHROME1",
        "VOILUTFunction": "SIGMOID",
        **WINDOW,
    },
    "exact": {"VOILUTFunction": "LINEAR_EXACT", **WINDOW},
    "rescaled": {"RescaleSlope": 2, "RescaleIntercept": -100, **WINDOW},
    "falling": {"RescaleSlope": -1, "RescaleIntercept": 4095, **WINDOW},
    "voi-lut": {"VOILUTSequence": LUT},
    "voi-lut-monochrome1": {"photometric": "MONOCHROME1", "VOILUTSequence": LUT},
    "modality-lut": {"ModalityLUTSequence": LUT, "WindowCenter": 30000, "WindowWidth": 40000},
    "padding": {"PixelPaddingValue": 0, **WINDOW},
}


@pytest.fixture(params=WRITTEN.values(), ids=WRITTEN.keys())
def written(request, tmp_path):
    """A file of ours in one of the ways that the files of others leave out."""
    return write(tmp_path / "a.dcm", levels(64, 48, bits=12), **request.param)


@needs_dcmtk
@pytest.mark.parametrize("voi", ["window", "none"])
def test_dcmtk_agrees_on_what_other_files_leave_out(written, voi, tmp_path):
    """Inversion by two elements, LUT sequences, functions, falling slopes, in both polarities."""
    judged = shown_by_dcmtk(written, pydicom.dcmread(written), voi, 12, tmp_path)
    assert difference(written, voi, judged) <= TOLERANCE


@pytest.mark.parametrize("voi", ["window", "none"])
@pytest.mark.filterwarnings("ignore")
def test_highdicom_agrees_on_what_other_files_leave_out(written, voi):
    """The same by the other judge."""
    assert difference(written, voi, shown_by_highdicom(written, voi)) <= TOLERANCE


def needs_decoder(path):
    """JPEG lossless and 12-bit JPEG need a GPL package, which is an extra."""
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    if syntax[:22] in (
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.57",
        "1.2.840.10008.1.2.4.70",
    ):
        pytest.importorskip("libjpeg", reason="pylibjpeg-libjpeg is not installed")


@pytest.mark.parametrize("name", [name for name in REFUSED if name in NAMED])
@pytest.mark.filterwarnings("ignore")
def test_what_is_left_out_is_refused(name):
    """Each file that isn't compared is one that we refuse, with this reason."""
    needs_decoder(NAMED[name])
    with pytest.raises(UnreadableImageError, match=REFUSED[name]):
        RadiographReader().get_data(NAMED[name])


def test_as_many_are_compared_as_were_found_when_this_was_written():
    """Files of both polarities, and none drops out unseen."""
    polarity = [photometric for _, _, photometric in COMPARED]
    if importlib.util.find_spec("data_store") is None or not (SHARED / "data" / "dicom").is_dir():
        pytest.skip("pydicom-data (pip) or the shared data (MEDAUG_SHARED) are not here")
    assert len(COMPARED) >= 72
    assert len(FOR_DCMTK) >= 59
    assert len(FOR_HIGHDICOM) >= 70
    assert polarity.count("MONOCHROME1") >= 13
    assert polarity.count("MONOCHROME2") >= 59
