"""A generated sequence as DICOM: Multi-frame Grayscale Byte Secondary Capture Image Storage.

Multi-frame Secondary Capture for the same reason as the single images' Secondary Capture: it claims
no acquisition. References are to sections of DICOM PS3.3.
"""

import hashlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryFile

from pydicom.dataset import FileDataset
from pydicom.tag import Tag
from pydicom.uid import MultiFrameGrayscaleByteSecondaryCaptureImageStorage

from ._provenance import Provenance
from ._synthetic_dicom import Levels, add_grey, marked_dataset


def write_cine_dicom(
    frames: Iterator[Levels], path: Path, provenance: Provenance, frame_time: float
) -> None:
    """Write frames (H, W) as they come, `frame_time` ms apart, to a file that isn't there yet.

    They go to a nameless file first: UIDs, which stand before the pixels, follow from them.
    """
    shape, hashed = (0, 0), hashlib.sha256()
    with TemporaryFile(dir=path.parent) as pixels:
        count = 0
        for frame in frames:
            shape = frame.shape
            pixels.write(frame.data)
            hashed.update(frame.data)
            count += 1
        pixels.write(bytes(pixels.tell() % 2))
        pixels.seek(0)
        size = (count, shape[0], shape[1])
        dataset = _cine_dataset(size, hashed.hexdigest(), provenance, frame_time)
        _attach(dataset, pixels)
        dataset.save_as(path, enforce_file_format=True)


def _attach(dataset: FileDataset, pixels: BufferedIOBase) -> None:
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OB"


def _cine_dataset(
    size: tuple[int, int, int], pixels: str, provenance: Provenance, frame_time: float
) -> FileDataset:
    """All but the pixels, whose hash is given, of `size` (frames, rows, columns)."""
    time = _decimal(frame_time)
    dataset = marked_dataset(
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage, provenance, f"{size} {time} {pixels}"
    )
    dataset.PatientOrientation = ""  # unknown, as it is of what the generator has learned from
    count, rows, columns = size
    add_grey(dataset, rows, columns)
    # C.8.6.3: multi-frame Secondary Capture says what stored values mean: nothing, unspecified
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.NumberOfFrames = count
    if count > 1:  # C.8.6.3: only then
        dataset.FrameIncrementPointer = Tag("FrameTime")
    dataset.FrameTime = time
    # whole numbers of frames a second, and so only near
    rate = max(1, round(1000 / frame_time))
    dataset.CineRate = dataset.RecommendedDisplayFrameRate = rate
    dataset.EffectiveDuration = _decimal(count * frame_time / 1000)
    dataset.PreferredPlaybackSequencing = 0  # C.7.6.5: looping
    return dataset


def _decimal(value: float) -> str:
    """As DS, of at most 16 characters."""
    return f"{value:.10g}"
