"""Writes small DICOM radiographs for the tests, with a patient's name that must show up nowhere."""

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

PLANTED_NAME = "PLANTED^PATIENT"
PLANTED_ID = "PLANTED-ID-7"


def dataset(stored, *, bits=12, photometric="MONOCHROME2", patient_id=PLANTED_ID, **elements):
    """A complete data set of one frame; `elements` are set last and None removes one."""
    stored = np.asarray(stored)
    signed = stored.dtype.kind == "i"
    allocated = 8 if bits <= 8 else 16
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.SOPClassUID = DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID
    ds.PatientName, ds.PatientID = PLANTED_NAME, patient_id
    ds.Rows, ds.Columns = stored.shape[:2]
    ds.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    if stored.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.PhotometricInterpretation = photometric
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, bits, bits - 1
    ds.PixelRepresentation = int(signed)
    mask = (1 << allocated) - 1
    raw = (stored.astype(np.int64) & mask).astype("<u1" if allocated == 8 else "<u2").tobytes()
    ds.add_new("PixelData", "OW" if allocated == 16 else "OB", raw + b"\0" * (len(raw) % 2))
    for keyword, value in elements.items():
        if value is None:
            del ds[keyword]
        else:
            setattr(ds, keyword, value)
    return ds


def write(path: Path, stored, **options) -> Path:
    """Write `dataset(...)` as a DICOM file."""
    dataset(stored, **options).save_as(path, enforce_file_format=True)
    return path


def lut(entries, *, first, bits, packed=False):
    """A LUT sequence of one table; `packed` writes one byte for each entry."""
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    dtype = "<u1" if packed else "<u2"
    item.add_new("LUTData", "OW", np.asarray(entries).astype(dtype).tobytes())
    return [item]
