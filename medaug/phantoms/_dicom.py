"""A phantom as a DICOM object: Digital X-Ray Image Storage - For Presentation, 12 bits."""

from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from ._xray import ChestXRayPhantom

_MAXIMUM = 4095  # 12 bits


@dataclass(frozen=True, slots=True)
class Coding:
    """How a film is written: the stored value of its black, its window, and which end is bright.

    Attributes:
        black: Stored value that is shown as black (MONOCHROME2).
        width: The window's width in stored values, even.
        inverted: MONOCHROME1: low values are shown bright.
    """

    black: int
    width: int
    inverted: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells images apart.

    Attributes:
        key: What all UIDs are made from: the same key, the same UIDs.
        patient: The patient's ID.
        visit: Number of the image among the patient's, from 1.
    """

    key: str
    patient: str
    visit: int

    def uid(self, *parts: str) -> UID:
        """Return the UID of a part of the data set, the same in every run."""
        return generate_uid(entropy_srcs=[self.key, self.patient, *parts])


def stored_values(phantom: ChestXRayPhantom, coding: Coding) -> np.ndarray:
    """Return the uint16 (H, W) values to be stored, in [0, 4095]."""
    values = np.rint(coding.black + phantom.film * np.float32(coding.width - 1))
    values = np.clip(values, 0, _MAXIMUM).astype("<u2")
    return np.asarray(_MAXIMUM - values if coding.inverted else values, "<u2")


def _code(value: str, meaning: str) -> Dataset:
    """Return one item of a code sequence, SNOMED CT."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item


def _add_subject(dataset: Dataset, identity: Identity) -> None:
    """Add the patient, study, series and equipment modules."""
    dataset.PatientName = "SYNTHETIC^PHANTOM"
    dataset.PatientID = identity.patient
    dataset.PatientBirthDate = ""
    dataset.PatientSex = ""
    dataset.StudyInstanceUID = identity.uid(str(identity.visit), "study")
    dataset.StudyDate = dataset.StudyTime = ""
    dataset.StudyID = str(identity.visit)
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.Modality = "DX"
    dataset.SeriesInstanceUID = identity.uid(str(identity.visit), "series")
    dataset.SeriesNumber = 1
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.Manufacturer = "medaug"
    dataset.ManufacturerModelName = "procedural chest phantom"
    dataset.SyntheticData = "YES"


def _add_image(dataset: Dataset, phantom: ChestXRayPhantom, coding: Coding) -> None:
    """Add the image, pixel, window and presentation modules."""
    dataset.InstanceNumber = 1
    # For presentation: derived from the detector's signal by logarithm and enhancement.
    dataset.ImageType = ["DERIVED", "PRIMARY", ""]
    dataset.DerivationDescription = "simulated from thickness maps of a procedural phantom"
    dataset.Rows, dataset.Columns = phantom.image.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if coding.inverted else "MONOCHROME2"
    dataset.PresentationLUTShape = "INVERSE" if coding.inverted else "IDENTITY"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if coding.inverted else -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    # PS3.3 C.11.2.1.2.1: black up to c − 0.5 − (w − 1)/2, white above c − 0.5 + (w − 1)/2.
    centre = coding.black + coding.width // 2
    dataset.WindowCenter = _MAXIMUM + 1 - centre if coding.inverted else centre
    dataset.WindowWidth = coding.width
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "NO"
    dataset.PixelData = stored_values(phantom, coding).tobytes()
    dataset["PixelData"].VR = "OW"


def _add_position(dataset: Dataset, phantom: ChestXRayPhantom) -> None:
    """Add the anatomy, positioning and detector modules."""
    spacing = f"{phantom.pixel_spacing:.4f}"
    dataset.ImagerPixelSpacing = [spacing, spacing]
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageLaterality = "U"
    dataset.DetectorType = ""
    dataset.AnatomicRegionSequence = Sequence([_code("51185008", "Chest")])
    view = _code("399348003", "postero-anterior")
    view.ViewModifierCodeSequence = Sequence([])
    dataset.ViewCodeSequence = Sequence([view])
    dataset.PositionerType = ""
    dataset.AcquisitionContextSequence = Sequence([])


def dicom_dataset(phantom: ChestXRayPhantom, *, coding: Coding, identity: Identity) -> FileDataset:
    """Return `phantom` as a DX image, ready for ``save_as(path, enforce_file_format=True)``."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = identity.uid(str(identity.visit), "image")
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _add_subject(dataset, identity)
    _add_image(dataset, phantom, coding)
    _add_position(dataset, phantom)
    return dataset
