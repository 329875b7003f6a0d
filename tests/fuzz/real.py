"""Real files: pydicom's, pydicom-data's, nibabel's, and what lies in shared/data."""

import gzip
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames

from ..shared import SHARED
from .judge import explained, turns
from .seeds import Stored

Check = Callable[[Any], bool]


def sources() -> dict[str, Path]:
    """Where they are; those that aren't installed or there are left out."""
    found = {
        "pydicom": Path(pydicom.__file__).parent / "data",
        "nibabel": Path(nib.__file__).parent / "tests" / "data",
        "shared/data": SHARED / "data",
    }
    try:
        import data_store  # the package pydicom-data
    except ImportError:
        pass
    else:
        found["pydicom-data"] = Path(data_store.__file__).parent / "data"
    return {name: folder for name, folder in found.items() if folder.is_dir()}


def files(folder: Path) -> list[Path]:
    """Everything but Python's own."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".pyi")
    )


def folders(folder: Path) -> list[Path]:
    """Every folder with files in it."""
    return sorted({path.parent for path in files(folder)})


def wrong(pixels: Any, path: Path) -> str:
    """Judge what was made of a real file, by the libraries' own plain decoding; empty if right."""
    if not np.isfinite(pixels).all() or pixels.min() < 0 or pixels.max() > 1:
        return "pixels must be in [0, 1]"
    if path.is_dir():
        right = [one for file in files(path) if file.parent == path for one in _right(file)]
        frames = pixels.reshape(-1, 1, *pixels.shape[-2:])
        found = all(any(one(frame) for one in right) for frame in frames)
    else:
        found = any(one(pixels) for one in _right(path))
    return "" if found else "pixels aren't a function of the stored values"


def _right(path: Path) -> list[Check]:
    """What may be right for a file: any of these says so."""
    data = path.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    if data[128:132] == b"DICM":
        return _dicom(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return [_is_made_of(np.asarray(Image.open(io.BytesIO(data))))]
    two = 540 in (data[0] + 256 * data[1], data[3] + 256 * data[2])
    image: Any = (nib.Nifti2Image if two else nib.Nifti1Image).from_bytes(data)
    array = np.asarray(image.dataobj.get_unscaled())
    array = array.reshape(*array.shape[:2], *(array.shape[2:] or (1,)), 1)[..., 0]
    array = array[..., None] if array.ndim == 3 else array
    slices = [array[:, :, k].transpose(2, 1, 0) for k in range(array.shape[2])]
    return [_is_made_of(one) for frames in slices for one in turns(frames)]


def _dicom(data: bytes) -> list[Check]:
    ds = pydicom.dcmread(io.BytesIO(data))
    array = np.asarray(ds.pixel_array)
    if ds.SamplesPerPixel == 3:
        return [partial(_is_luminance, colours=array, top=2**ds.BitsStored - 1)]
    rising = ds.PhotometricInterpretation != "PALETTE COLOR"
    whole = array.reshape(-1, *array.shape[-2:])
    # of an enhanced multi-frame image one slice is chosen: every stride may be it
    strides = [n for n in range(1, len(whole)) if len(whole) % n == 0 and len(whole) > 1]
    cines = [whole[k::n] for n in strides for k in range(n)]
    blocks = [whole[k : k + n] for n in strides for k in range(0, len(whole), n)]
    return [_is_made_of(one, rising=rising) for one in (whole, *cines, *blocks)]


def _is_made_of(stored: Stored, *, rising: bool = True) -> Check:
    return lambda pixels: explained(pixels, stored, rising=rising)


def _is_luminance(pixels: Any, colours: Stored, top: int) -> bool:
    """ITU-R BT.601's, two levels apart where decoders of JPEG differ."""
    luminance = colours @ np.array([0.299, 0.587, 0.114]) / top
    return pixels[0].shape == luminance.shape and bool(
        np.allclose(pixels[0], luminance, rtol=0, atol=2 / 255)
    )


def cut_streams() -> Iterator[tuple[str, bytes, list[bytes]]]:
    """Compressed grey images, and each with less and less of its code stream, all else in order."""
    for source, folder in sources().items():
        for path in files(folder) if source in ("pydicom", "pydicom-data") else ():
            data = path.read_bytes()
            if path.suffix != ".dcm" or len(data) > 1_000_000:
                continue
            ds = pydicom.dcmread(io.BytesIO(data), force=True)
            syntax = ds.file_meta.get("TransferSyntaxUID") if hasattr(ds, "file_meta") else None
            one = ds.get("SamplesPerPixel") == 1 and ds.get("NumberOfFrames") in (None, 1)
            if one and syntax and syntax.is_encapsulated and "PixelData" in ds:
                yield path.name, data, list(_shortened(ds))


def _shortened(ds: Any) -> Iterator[bytes]:
    (whole,) = generate_frames(ds.PixelData, number_of_frames=1)
    if whole.startswith(b"\xff"):  # JPEG of any kind: what follows the end is padding
        whole = whole[: whole.rindex(b"\xff\xd9")]
        least, ends = 1, (b"", b"\xff\xd9")
    else:  # a byte less of RLE is made up for by the zero that makes the length even
        least, ends = 2, (b"",)
    for missing in (least, 8, 100, len(whole) // 10, len(whole) // 2, len(whole) - 300):
        for end in ends:
            ds.PixelData = encapsulate([whole[: max(2, len(whole) - missing)] + end])
            stream = io.BytesIO()
            ds.save_as(stream)
            yield stream.getvalue()


def small_dicom() -> Iterator[tuple[str, bytes]]:
    """Small images of pydicom's, to damage in transfer syntaxes that we can't write."""
    for path in files(Path(pydicom.__file__).parent / "data" / "test_files"):
        if path.suffix == ".dcm" and path.stat().st_size < 150_000:
            yield path.name, path.read_bytes()
