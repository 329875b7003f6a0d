"""A cine phantom as a file: multi-frame DICOM, or NIfTI; 12 bits, the frames one after another.

As DICOM it is a Multi-frame Grayscale Word Secondary Capture, which any modality may be: the
classic classes of magnetic resonance and computed tomography hold one frame.
"""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
)

from ._dicom import Identity
from ._heart_cine import CinePhantom

_Nifti: Any = nib.Nifti1Image  # nibabel's own types leave out its header

SUFFIXES = (".dcm", ".nii.gz")
MODALITY_CODES = {"ct": "CT", "mri": "MR", "ultrasound": "US", "xray": "XA"}
_MAXIMUM = 4095  # 12 bits
_SLICE_MM = 8.0
# A usual short axis: the image's right goes to the patient's left and back, down to the feet,
# the front and the left (LPS).
_RIGHT = np.array([0.8, 0.6, 0.0])
_DOWN = np.array([0.36, -0.48, -0.8])
_ORIENTATION = ["LP", "FAL"]


def write_cine(phantom: CinePhantom, path: Path, identity: Identity) -> None:
    """Write a cine as DICOM or NIfTI, by the suffix of `path`: `SUFFIXES`."""
    if path.name.endswith(".dcm"):
        dataset = cine_dataset(phantom, identity)
        dataset.save_as(path, enforce_file_format=True)
    else:
        cine_nifti(phantom).to_filename(path)


def _stored_values(phantom: CinePhantom) -> NDArray[np.uint16]:
    """Return the values to be stored, (T, H, W) in [0, 4095]."""
    return np.asarray(np.rint(phantom.frames * np.float32(_MAXIMUM)), "<u2")


def cine_nifti(phantom: CinePhantom) -> Any:
    """Return a NIfTI image (x, y, slice, time): mm and ms, and its place in the body."""
    values = _stored_values(phantom).transpose(2, 1, 0)[:, :, None].astype("<i2")
    spacing, size = phantom.pixel_spacing, phantom.frames.shape[1]
    axes = np.array([_RIGHT * spacing, _DOWN * spacing, np.cross(_RIGHT, _DOWN) * _SLICE_MM]).T
    corner = -(axes[:, 0] + axes[:, 1]) * (size - 1) / 2
    affine = np.vstack([np.column_stack([axes, corner]), [0, 0, 0, 1]])
    image = _Nifti(values, np.diag([-1.0, -1, 1, 1]) @ affine)  # LPS to RAS
    image.header.set_xyzt_units("mm", "msec")
    image.header.set_zooms((spacing, spacing, _SLICE_MM, float(phantom.frame_times[1])))
    image.header["descrip"] = f"SYNTHETIC {MODALITY_CODES[phantom.modality]}, medaug heart phantom"
    image.header["cal_max"] = _MAXIMUM
    return image


def cine_dataset(phantom: CinePhantom, identity: Identity) -> FileDataset:
    """Return a cine as DICOM, ready for ``save_as(path, enforce_file_format=True)``."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = identity.uid(str(identity.visit), "image")
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _add_subject(dataset, phantom, identity)
    _add_frames(dataset, phantom)
    return dataset


def _add_subject(dataset: Dataset, phantom: CinePhantom, identity: Identity) -> None:
    """Add the patient, study, series and equipment modules."""
    dataset.PatientName = "SYNTHETIC^PHANTOM"
    dataset.PatientID = identity.patient
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.StudyInstanceUID = identity.uid(str(identity.visit), "study")
    dataset.StudyDate = dataset.StudyTime = ""
    dataset.StudyID = str(identity.visit)
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.Modality = MODALITY_CODES[phantom.modality]
    dataset.ConversionType = "SYN"  # PS3.3 C.8.6.1: Synthetic Image
    dataset.SeriesInstanceUID = identity.uid(str(identity.visit), "series")
    dataset.SeriesNumber = 1
    dataset.Laterality = ""
    dataset.Manufacturer = "medaug"
    dataset.ManufacturerModelName = "procedural heart phantom"
    dataset.SyntheticData = "YES"


def _add_frames(dataset: Dataset, phantom: CinePhantom) -> None:
    """Add the image, pixel, cine and window modules."""
    values = _stored_values(phantom)
    dataset.InstanceNumber = 1
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.DerivationDescription = "simulated: a procedural heart in its short axis"
    dataset.PatientOrientation = _ORIENTATION
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = values.shape
    dataset.FrameTime = f"{phantom.frame_times[1]:.3f}"
    dataset.FrameIncrementPointer = Tag("FrameTime")
    spacing = f"{phantom.pixel_spacing:.6f}"
    dataset.PixelSpacing = [spacing, spacing]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    # PS3.3 C.11.2.1.2.1: x / 4095, the whole range
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
