"""A generated image as DICOM: Secondary Capture Image Storage, 8 bits; and what marks any such.

Secondary Capture since it claims no acquisition: its Conversion Type has a term for what this is,
SYN, Synthetic Image, and viewers everywhere know it, which can't be said of the multi-frame kind.
References are to sections of DICOM PS3.3.
"""

import hashlib
import uuid

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from ._provenance import Provenance

Levels = NDArray[np.uint8]

_NAMESPACE = uuid.UUID("9b1c5d5e-6a0e-4d43-8f0b-3a1d6f1f7c11")  # drawn once, for medaug's UIDs

# PS3.16, CID 7005. Processing Equipment is what most readers know; Synthesizing Equipment is what
# the standard names for Synthetic Data (C.12.1).
_PURPOSES = (("109102", "Processing Equipment"), ("109100", "Synthesizing Equipment"))


def dicom_dataset(levels: Levels, provenance: Provenance) -> FileDataset:
    """Return a generated image as a data set, ready for ``save_as(enforce_file_format=True)``.

    The same arguments give the same data set. UIDs are UUIDs (2.25.…): those of study and series
    follow from weights, seed and medaug's version, that of the image from its pixels and the whole
    provenance besides, so that no two images ever share one. There is no date or time.

    Args:
        levels: (H, W) grey, or (H, W, 3) RGB, upright.
        provenance: what is told of it.
    """
    content = f"{levels.shape} {hashlib.sha256(levels.tobytes()).hexdigest()}"
    dataset = marked_dataset(SecondaryCaptureImageStorage, provenance, content)
    dataset.PatientOrientation = ["L", "F"]
    _add_image(dataset, levels)
    return dataset


def marked_dataset(sop_class: UID, provenance: Provenance, content: str) -> FileDataset:
    """Return a data set that says whose image it is, nobody's, and where it comes from.

    Args:
        sop_class: a Secondary Capture.
        provenance: what is told of it.
        content: that tells its pixels from all others, and is mixed into its UID.
    """
    run = f"{provenance.sha256} {provenance.seed} {provenance.software}"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = _uid(f"image {provenance} {run} {content}")
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    _add_nobody(dataset, run)
    _add_series(dataset, provenance, run)
    _add_origin(dataset, provenance)
    return dataset


def _uid(name: str) -> UID:
    """A UID by UUID (PS3.5, B.2), the same for the same name."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")


def _add_nobody(dataset: Dataset, run: str) -> None:
    """Add the patient and study modules, of somebody who can't be mistaken for a patient."""
    dataset.PatientName = "SYNTHETIC^NOT A PATIENT"
    dataset.PatientID = f"SYNTHETIC-{hashlib.sha256(run.encode()).hexdigest()[:16]}"
    dataset.IssuerOfPatientID = "medaug synthetic images"
    dataset.PatientBirthDate = dataset.PatientSex = ""
    dataset.PatientComments = "Not a person: all images under this ID are computer-generated."
    dataset.StudyInstanceUID = _uid(f"study {run}")
    dataset.StudyID = "SYNTHETIC"
    dataset.StudyDescription = "SYNTHETIC images, not of a patient"
    dataset.StudyDate = dataset.StudyTime = ""
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""


def _add_series(dataset: Dataset, provenance: Provenance, run: str) -> None:
    """Add the series and equipment modules."""
    dataset.SeriesInstanceUID = _uid(f"series {run}")
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = _text(f"SYNTHETIC: {provenance.model}")
    dataset.Modality = "OT"  # nothing was acquired
    dataset.ConversionType = "SYN"  # C.8.6.1: Synthetic Image
    dataset.Laterality = ""  # no body part is claimed; dciodvfy wants the element
    dataset.Manufacturer = "medaug"
    dataset.ManufacturerModelName = _text(f"{provenance.model} {provenance.version}")
    dataset.SoftwareVersions = provenance.software


def _add_origin(dataset: Dataset, provenance: Provenance) -> None:
    """Add everything that says how the image came about."""
    dataset.SyntheticData = "YES"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    description = _text(provenance.description, 1024)
    dataset.DerivationDescription = description
    # Of no code in CID 7203 can it be said that it makes an image from none; the context group may
    # be extended, and this code names the kind of algorithm.
    dataset.DerivationCodeSequence = Sequence([_code("123110", "Artificial Intelligence")])
    dataset.ContributingEquipmentSequence = Sequence()
    for code in _PURPOSES:
        item = Dataset()
        item.PurposeOfReferenceCodeSequence = Sequence([_code(*code)])
        item.Manufacturer = dataset.Manufacturer
        item.ManufacturerModelName = dataset.ManufacturerModelName
        item.SoftwareVersions = dataset.SoftwareVersions
        item.ContributionDescription = description
        dataset.ContributingEquipmentSequence.append(item)
    dataset.InstanceNumber = provenance.index + 1
    dataset.ImageComments = _text(f"SYNTHETIC, class asked for: {provenance.class_name}", 1024)


def _add_image(dataset: Dataset, levels: Levels) -> None:
    """Add the image, pixel and VOI modules."""
    rows, columns = levels.shape[:2]
    add_grey(dataset, rows, columns)
    if levels.ndim == 3:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "RGB"
        dataset.PlanarConfiguration = 0
        for keyword in ("PresentationLUTShape", "WindowCenter", "WindowWidth"):
            delattr(dataset, keyword)
    data = levels.tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB"


def add_grey(dataset: Dataset, rows: int, columns: int) -> None:
    """Add what describes grey pixels of 8 bits."""
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PresentationLUTShape = "IDENTITY"
    # C.11.2.1.2.1: x / 255, the whole range
    dataset.WindowCenter, dataset.WindowWidth = 128, 256


def _code(value: str, meaning: str) -> Dataset:
    """An item of a code sequence, of DICOM's own terms."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _text(text: str, length: int = 64) -> str:
    """What one value of LO, ST or LT can hold: no controls, no backslash, not too long.

    The standard counts characters; pydicom and dciodvfy count bytes, of which there are more.
    """
    printable = "".join(c if c.isprintable() and c != "\\" else "_" for c in text)
    return printable.encode()[:length].decode(errors="ignore").strip()
