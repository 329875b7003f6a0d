"""Well-formed small files of every format and transfer syntax, with their right pixels.

The expected pixels are worked out here from the stored values, without the readers' code. A few
levels only, so that each stored value occurs often: `judge` finds a pixel that isn't the file's
own by that. Where no encoder is at hand (JPEG extended, HTJ2K) there is no seed.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from ..data.dicom_files import dataset, lut

Stored = NDArray[Any]
ROWS, COLUMNS, FRAMES = 40, 36, 4
PLANTED = ("PLANTED", "1.2.826.0.1.777777", "19010203")
"""Parts of all that names the patient in a seed; UIDs and the birth date included."""


@dataclass(frozen=True)
class Seed:
    """A file, and what it must give.

    Attributes:
        name: of the file, with its suffix.
        kind: the format as the table has it.
        data: the whole file.
        stored: (H, W) or, for a cine, (T, H, W) stored integers.
        pixels: the same shape, float32 in [0, 1].
        stream: entropy-coded bytes within `data`, empty where a pixel's bytes can be told apart.
        marked: the same kind of file, larger, all of whose pixels are a mark; one for each process.
    """

    name: str
    kind: str
    data: bytes
    stored: Stored
    pixels: NDArray[np.float32]
    stream: bytes = b""

    @property
    def cine(self) -> bool:
        return self.stored.ndim == 3


def picture(bits: int, *, signed: bool = False, frames: int = 0, seed: int = 0) -> Stored:
    """Blocks of 16 levels in no order, with 0 and the top among them."""
    rng = np.random.default_rng([seed, bits])
    top, shape = 2**bits - 1, ((frames,) if frames else ()) + (ROWS, COLUMNS)
    levels = np.linspace(0, top, 16).round().astype(np.int64) - (2 ** (bits - 1) if signed else 0)
    dtype = {False: np.uint8 if bits <= 8 else np.uint16, True: np.int8 if bits <= 8 else np.int16}
    return levels[rng.integers(0, 16, shape)].astype(dtype[signed])


def smooth() -> Stored:
    """For JPEG, which likes no noise."""
    return (np.add.outer(np.arange(ROWS), np.arange(COLUMNS)) * 3).astype(np.uint8)


def unit(stored: Stored, low: float, high: float) -> NDArray[np.float32]:
    """[low, high] to [0, 1], what is beyond clipped."""
    scaled = (stored.astype(np.float64) - low) / (high - low)
    return np.clip(scaled, 0, 1).astype(np.float32)


def planted(ds: Dataset) -> Dataset:
    """Fill in everything that names a patient."""
    ds.InstitutionName, ds.PatientBirthDate = "PLANTED HOSPITAL", "19010203"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{PLANTED[1]}.1", f"{PLANTED[1]}.2"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{PLANTED[1]}.3"
    ds.ReferringPhysicianName, ds.StudyDescription = "PLANTED^DOCTOR", "PLANTED STUDY"
    return ds


def saved(ds: Dataset, syntax: str | None = None) -> bytes:
    """A DICOM file; `syntax` is a native one to write it in."""
    stream = io.BytesIO()
    if syntax is not None:
        ds.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian and ds.BitsAllocated == 16:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    planted(ds).save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _coded(ds: Dataset, syntax: str) -> tuple[bytes, bytes]:
    """A DICOM file with the pixel data compressed by pydicom's plug-ins, and those data."""
    ds.compress(syntax, generate_instance_uid=False)
    return saved(ds), bytes(ds.PixelData)


def native_dicom() -> Iterator[Seed]:
    """Uncompressed and deflated, each a different path through the grey chain."""
    wide, bytes_ = picture(12), picture(8)
    plain = unit(wide, 0, 4095)
    yield Seed("explicit.dcm", "DICOM", saved(dataset(wide)), wide, plain)
    data = saved(dataset(bytes_, bits=8), ImplicitVRLittleEndian)
    yield Seed("implicit.dcm", "DICOM", data, bytes_, unit(bytes_, 0, 255))
    yield Seed("big.dcm", "DICOM", saved(dataset(wide), ExplicitVRBigEndian), wide, plain)
    data = saved(dataset(wide), DeflatedExplicitVRLittleEndian)
    yield Seed("deflated.dcm", "DICOM", data, wide, plain)
    signed = picture(16, signed=True)
    rescaled = {"RescaleSlope": "2", "RescaleIntercept": "-100", "RescaleType": "HU"}
    window = {"WindowCenter": "1000", "WindowWidth": "60001"}
    data = saved(dataset(signed, bits=16, photometric="MONOCHROME1", **rescaled, **window))
    # PS3.3 C.11.2.1.2.1: from c - 0.5 - (w - 1)/2 to c - 0.5 + (w - 1)/2
    pixels = 1 - unit(signed * 2.0 - 100, 999.5 - 30000, 999.5 + 30000)
    yield Seed("signed.dcm", "DICOM", data, signed, pixels.astype(np.float32))
    data = saved(dataset(wide, PixelPaddingValue=int(wide.max())))
    yield Seed("padded.dcm", "DICOM", data, wide, np.where(wide == wide.max(), 0, plain))
    table = lut(np.arange(4096) // 16, first=0, bits=8, packed=True)
    data = saved(dataset(wide, VOILUTSequence=table))
    yield Seed("voi_lut.dcm", "DICOM", data, wide, unit(wide // 16, 0, 255))


def coded_dicom() -> Iterator[Seed]:
    """RLE, JPEG-LS, JPEG 2000 and JPEG baseline, as far as encoders are installed."""
    wide = picture(12)
    for name, syntax in (("rle", RLELossless), ("jls", JPEGLSLossless), ("j2k", JPEG2000Lossless)):
        ds = dataset(wide)
        try:
            data, stream = _coded(ds, syntax)
        except RuntimeError:  # no plug-in for the encoding
            continue
        stream = b"" if name == "rle" else stream
        yield Seed(f"{name}.dcm", "DICOM", data, wide, unit(wide, 0, 4095), stream)
    ds, jpeg = dataset(smooth(), bits=8), _pillow(smooth(), "JPEG", quality=95)
    data, decoded = (
        _encapsulated(ds, JPEGBaseline8Bit, jpeg),
        np.asarray(Image.open(io.BytesIO(jpeg))),
    )
    yield Seed("jpeg.dcm", "DICOM", data, decoded, unit(decoded, 0, 255), jpeg)
    if get_decoder(JPEGLosslessSV1).is_available:
        stream, full = jpeg_lossless(wide), picture(16)
        data = _encapsulated(dataset(wide), JPEGLosslessSV1, stream)
        yield Seed("sv1.dcm", "DICOM", data, wide, unit(wide, 0, 4095), stream)
        stream = jpeg_lossless(full)
        data = _encapsulated(dataset(full, bits=16), JPEGLosslessSV1, stream)
        yield Seed("sv1_16.dcm", "DICOM", data, full, unit(full, 0, 65535), stream)


def jpeg_lossless(stored: Stored) -> bytes:
    """JPEG process 14, selection value 1, 16 bits (ISO 10918-1, annex H), which no package writes.

    All codes have five bits, so that they are the category itself.
    """
    rows, columns = stored.shape
    values = stored.astype(np.int64)
    guess = np.empty_like(values)
    guess[:, 1:], guess[1:, 0], guess[0, 0] = values[:, :-1], values[:-1, 0], 2**15
    steps = (values - guess + 2**15) % 2**16 - 2**15
    bits = []
    for step in steps.ravel().tolist():
        size = abs(step).bit_length()
        more = step if step > 0 else step + 2**size - 1
        bits.append(f"{size:05b}" + (f"{more:0{size}b}" if 0 < size < 16 else ""))
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = struct.pack(">HBHHBBBB", 11, 16, rows, columns, 1, 1, 0x11, 0)
    table = struct.pack(">HB", 36, 0) + bytes([0, 0, 0, 0, 17] + [0] * 11 + [*range(17)])
    head = b"\xff\xd8\xff\xc3" + frame + b"\xff\xc4" + table + b"\xff\xda"
    return head + bytes([0, 8, 1, 1, 0, 1, 0, 0]) + scan + b"\xff\xd9"


def _encapsulated(ds: Dataset, syntax: str, frame: bytes) -> bytes:
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([frame])
    ds["PixelData"].VR = "OB"
    return saved(ds)


def cine_dicom() -> Iterator[Seed]:
    """Several frames, native and compressed."""
    stored = picture(12, frames=FRAMES)
    for name, syntax in (
        ("cine", None),
        ("cine_deflated", DeflatedExplicitVRLittleEndian),
        ("cine_big", ExplicitVRBigEndian),
        ("cine_rle", RLELossless),
        ("cine_j2k", JPEG2000Lossless),
    ):
        ds = dataset(stored[0], NumberOfFrames=FRAMES, FrameTime="30")
        ds.PixelData = stored.astype("<u2").tobytes()
        ds.FrameIncrementPointer = 0x00181063
        if name in ("cine_rle", "cine_j2k"):
            try:
                data, stream = _coded(ds, str(syntax))
            except RuntimeError:
                continue
            stream = b"" if name == "cine_rle" else stream
        else:
            data, stream = saved(ds, syntax), b""
        yield Seed(f"{name}.dcm", "DICOM", data, stored, unit(stored, 0, 4095), stream)


def nifti() -> Iterator[Seed]:
    """Both versions and byte orders, integers and whole floats, with and without gzip; one cine."""
    affine = np.diag([-1.0, -1, 1, 1])  # as it lies in LPS: no flip
    small, wide = picture(8), picture(12)
    for name, stored, dtype in (
        ("u8.nii", small, np.uint8),
        ("u8.nii.gz", small, np.uint8),
        ("i16.nii", wide, np.int16),
        ("big.nii", wide, ">i2"),
        ("float.nii", wide, np.float32),
        ("two.nii", wide, np.uint16),
    ):
        kind = nib.Nifti2Image if name == "two.nii" else nib.Nifti1Image
        header = kind.header_class(endianness=">" if name == "big.nii" else "<")
        image = kind(stored.T.astype(dtype), affine, header)
        top = 255 if stored is small else 4095
        yield Seed(name, "NIfTI", _gz(image.to_bytes(), name), stored, unit(stored, 0, top))
    cine = picture(12, frames=FRAMES)
    image = nib.Nifti1Image(cine.transpose(2, 1, 0)[:, :, None].astype(np.int16), affine)
    image.header.set_xyzt_units("mm", "msec")
    for name in ("cine.nii", "cine.nii.gz"):
        yield Seed(name, "NIfTI", _gz(image.to_bytes(), name), cine, unit(cine, 0, 4095))


def _gz(data: bytes, name: str) -> bytes:
    return gzip.compress(data, mtime=0) if name.endswith(".gz") else data


def _pillow(stored: Stored, form: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(stored).save(stream, form, **options)
    return stream.getvalue()


def raster() -> Iterator[Seed]:
    """PNG, TIFF and JPEG."""
    small, wide = picture(8), picture(16)
    for stored in (small, wide):
        bits = stored.dtype.itemsize * 8
        pixels = unit(stored, 0, 2**bits - 1)
        yield Seed(f"{bits}.png", "PNG", _pillow(stored, "PNG"), stored, pixels)
        yield Seed(f"{bits}.tif", "TIFF", _pillow(stored, "TIFF"), stored, pixels)
        for coding in ("tiff_lzw", "tiff_adobe_deflate"):
            data = _pillow(stored, "TIFF", compression=coding)
            yield Seed(f"{bits}{coding[4:8]}.tif", "TIFF", data, stored, pixels)
    data = _pillow(smooth(), "JPEG", quality=95)
    decoded = np.asarray(Image.open(io.BytesIO(data)))
    yield Seed("8.jpg", "JPEG", data, decoded, unit(decoded, 0, 255), data)


def nrrd(stored: Stored, *, encoding: str = "raw", kind: str = "uint16", endian: str = "") -> bytes:
    """A NRRD file, written by hand (teem.sourceforge.net/nrrd/format.html)."""
    header = f"NRRD0004\ntype: {kind}\ndimension: 2\nsizes: {stored.shape[1]} {stored.shape[0]}\n"
    header += f"endian: {endian or 'little'}\n" if stored.dtype.itemsize > 1 else ""
    raw = stored.astype(stored.dtype.newbyteorder(">" if endian == "big" else "<")).tobytes()
    raw = gzip.compress(raw, mtime=0) if encoding == "gzip" else raw
    return f"{header}encoding: {encoding}\n\n".encode() + raw


def mha(stored: Stored, *, compressed: bool = False, big: bool = False) -> bytes:
    """A MetaImage file, written by hand (itk.org/Wiki/ITK/MetaIO/Documentation)."""
    names = {"u1": "MET_UCHAR", "u2": "MET_USHORT", "i2": "MET_SHORT", "f4": "MET_FLOAT"}
    raw = stored.astype(stored.dtype.newbyteorder(">" if big else "<")).tobytes()
    raw = zlib.compress(raw) if compressed else raw
    lines = {
        "ObjectType": "Image",
        "NDims": 2,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": big,
        "CompressedData": compressed,
        **({"CompressedDataSize": len(raw)} if compressed else {}),
        "DimSize": f"{stored.shape[1]} {stored.shape[0]}",
        "ElementType": names[stored.dtype.str[1:]],
        "ElementDataFile": "LOCAL",
    }
    return "".join(f"{key} = {value}\n" for key, value in lines.items()).encode() + raw


def nrrd_and_mha() -> Iterator[Seed]:
    """NRRD and MHA."""
    small, wide, signed = picture(8), picture(12), picture(12, signed=True)
    plain, inner = unit(wide, 0, 4095), unit(signed, -2048, 2047)
    yield Seed("u8.nrrd", "NRRD", nrrd(small, kind="uint8"), small, unit(small, 0, 255))
    yield Seed("u16.nrrd", "NRRD", nrrd(wide), wide, plain)
    yield Seed("big.nrrd", "NRRD", nrrd(signed, kind="int16", endian="big"), signed, inner)
    yield Seed("gzip.nrrd", "NRRD", nrrd(wide, encoding="gzip"), wide, plain)
    yield Seed("u8.mha", "MHA", mha(small), small, unit(small, 0, 255))
    yield Seed("i16.mha", "MHA", mha(signed), signed, inner)
    yield Seed("big.mha", "MHA", mha(wide, big=True), wide, plain)
    yield Seed("zlib.mha", "MHA", mha(wide, compressed=True), wide, plain)


def seeds() -> list[Seed]:
    """All of them."""
    sources = (native_dicom, coded_dicom, cine_dicom, nifti, raster, nrrd_and_mha)
    return [seed for source in sources for seed in source()]


def marked(kind: str, value: int) -> bytes:
    """A larger file of the same format, whose pixels all have the (8-bit) value of a mark."""
    small = np.full((256, 256), value, np.uint8)
    wide = np.full((256, 256), value * 257, np.uint16)
    made = {
        "DICOM": lambda: saved(dataset(wide, bits=16)),
        "NIfTI": lambda: nib.Nifti1Image(wide, np.diag([-1.0, -1, 1, 1])).to_bytes(),
        "NRRD": lambda: nrrd(wide),
        "MHA": lambda: mha(wide),
        "PNG": lambda: _pillow(small, "PNG"),
        "TIFF": lambda: _pillow(wide, "TIFF"),
        "JPEG": lambda: _pillow(small, "JPEG", quality=100),
    }
    return made[kind]()
