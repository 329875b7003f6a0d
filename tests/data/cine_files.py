"""Writes small cines for the tests: DICOM series, multi-frame DICOM, enhanced DICOM, NIfTI."""

from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from .dicom_files import dataset

# a short-axis plane: rows go left and back, columns down; oblique to all three axes
ROW = np.array([0.8, 0.6, 0.0])
COLUMN = np.array([0.36, -0.48, -0.8])
NORMAL = np.cross(ROW, COLUMN)
ORIGIN = np.array([-30.0, 12.0, 44.0])
SPACING = (1.5, 1.25)
SLICE_MM = 8.0


def stack(slices=3, phases=5, rows=12, columns=10, *, bits=12, seed=0):
    """Random levels, (slices, phases, rows, columns), with 0 and the top level."""
    rng = np.random.default_rng([seed, slices, phases, rows, columns, bits])
    cine = rng.integers(0, 2**bits, (slices, phases, rows, columns), dtype=np.uint16)
    cine[0, 0, 0, :2] = 0, 2**bits - 1
    return cine


def expected(cine, bits=12):
    """The levels of `cine` in [0, 1]."""
    return (cine / (2**bits - 1)).astype(np.float32)


def frame_elements(number, phase, *, phases, slices):
    """Position and time of one single-frame file, as its elements."""
    return {
        "SOPClassUID": MRImageStorage,
        "SeriesInstanceUID": "1.2.3.4",
        "ImagePositionPatient": [float(x) for x in ORIGIN + number * SLICE_MM * NORMAL],
        "ImageOrientationPatient": [*ROW.tolist(), *COLUMN.tolist()],
        "PixelSpacing": list(SPACING),
        "TriggerTime": 12.5 + 40 * phase,
        "TemporalPositionIdentifier": phase + 1,
        "InstanceNumber": 1 + phase + phases * (slices - 1 - number),
    }


def series(folder: Path, cine, *, bits=12, change=None, **elements) -> Path:
    """A folder of single-frame files, whose names are in another order than slices and phases.

    `change` changes the elements of one file, of which ``at`` is (slice, phase), or returns False
    for no file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    slices, phases = cine.shape[:2]
    names = np.random.default_rng(1).permutation(slices * phases)
    for number in range(slices):
        for phase in range(phases):
            values = frame_elements(number, phase, phases=phases, slices=slices) | elements
            values["at"] = number, phase
            options = {"bits": bits}
            if change is not None and change(values) is False:
                continue
            del values["at"]
            options |= {key: values.pop(key) for key in ("bits", "photometric") if key in values}
            pixels = values.pop("pixels", cine[number, phase])
            ds = dataset(pixels, **options, **values)
            ds.save_as(folder / f"{names[number * phases + phase]:03d}.dcm",
                       enforce_file_format=True)  # fmt: skip
    return folder


def multiframe(cine, *, bits=12, **elements) -> Dataset:
    """A classic multi-frame data set of one slice, (phases, rows, columns), 40 ms apart."""
    ds = dataset(cine[0], bits=bits)
    ds.NumberOfFrames = len(cine)
    size = cine[0].size * ds.BitsAllocated // 8  # an odd frame is padded by itself
    ds.PixelData = b"".join(dataset(frame, bits=bits).PixelData[:size] for frame in cine)
    if len(ds.PixelData) % 2:
        ds.PixelData += b"\0"
    values = {"FrameTime": 40, "FrameIncrementPointer": 0x00181063} | elements
    for keyword, value in values.items():
        if value is None:
            if keyword in ds:
                del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def save(ds: Dataset, path: Path) -> Path:
    """Write a data set as a DICOM file."""
    ds.save_as(path, enforce_file_format=True)
    return path


def item(**elements) -> list[Dataset]:
    """A sequence of one item."""
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return [ds]


def enhanced(cine, *, bits=12, times="NominalCardiacTriggerDelayTime") -> Dataset:
    """An enhanced MR data set of a stack, its frames in a shuffled order.

    `times` is the element of a functional group that tells the time.
    """
    slices, phases = cine.shape[:2]
    places = [(number, phase) for number in range(slices) for phase in range(phases)]
    order = np.random.default_rng(2).permutation(len(places))
    ds = multiframe(
        np.stack([cine[places[k]] for k in order]), bits=bits, FrameTime=None,
        FrameIncrementPointer=None, SOPClassUID=EnhancedMRImageStorage,
    )  # fmt: skip
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SharedFunctionalGroupsSequence = item(
        PlaneOrientationSequence=item(ImageOrientationPatient=[*ROW.tolist(), *COLUMN.tolist()]),
        PixelMeasuresSequence=item(PixelSpacing=list(SPACING)),
    )
    ds.PerFrameFunctionalGroupsSequence = [
        _groups(*places[k], times) for k in order
    ]  # fmt: skip
    return ds


def _groups(number, phase, times) -> Dataset:
    place = [float(x) for x in ORIGIN + number * SLICE_MM * NORMAL]
    groups = item(PlanePositionSequence=item(ImagePositionPatient=place))[0]
    if times == "NominalCardiacTriggerDelayTime":
        groups.CardiacSynchronizationSequence = item(**{times: 7.0 + 40 * phase})
    elif times == "TemporalPositionTimeOffset":
        groups.TemporalPositionSequence = item(**{times: 0.04 * phase})
    elif times == "TemporalPositionIndex":
        groups.FrameContentSequence = item(**{times: phase + 1})
    return groups


def affine(*, across=ROW, down=COLUMN, along=NORMAL, origin=ORIGIN, spacing=SPACING):
    """NIfTI's affine (RAS) of an array (column, row, slice) with these directions (LPS)."""
    columns = [across * spacing[1], down * spacing[0], along * SLICE_MM, origin]
    lps = np.vstack([np.array(columns).T, [0, 0, 0, 1]])
    return np.diag([-1.0, -1, 1, 1]) @ lps


def nifti(path: Path, array, matrix=None, *, step=40.0, units=("mm", "msec")) -> Path:
    """Write a NIfTI file; without a matrix it has no orientation."""
    image = nib.Nifti1Image(array, matrix)
    if matrix is None:
        image.header.set_qform(None, code=0)
        image.header.set_sform(None, code=0)
    if array.ndim == 4:
        image.header.set_zooms((*image.header.get_zooms()[:3], step))
    image.header.set_xyzt_units(*units)
    image.to_filename(path)
    return path
