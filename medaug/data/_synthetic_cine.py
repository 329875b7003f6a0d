"""Generated sequences as files that say that they are generated, written a frame at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from PIL import Image
from PIL.GifImagePlugin import getdata, getheader

from .._files import write_atomically
from ..errors import DataError
from ._provenance import Provenance
from ._synthetic import nifti_description, to_levels, write_png
from ._synthetic_cine_dicom import write_cine_dicom
from ._synthetic_dicom import Levels

CINE_FORMATS = {"dicom": ".dcm", "nifti": ".nii", "gif": ".gif", "png": ""}
"""The formats that `write_synthetic_cine` knows, and their suffixes; PNG is a folder of frames."""

_Header: Any = nib.Nifti1Header  # nibabel has no types
_NIFTI_OFFSET = 352  # bytes: the header, and four that say that nothing extends it
_CENTISECOND = 10  # ms


def write_synthetic_cine(
    frames: Iterable[torch.Tensor],
    path: str | Path,
    provenance: Provenance,
    *,
    format: str,
    frame_time: float,
) -> list[Path]:
    """Write one generated sequence, marked as synthetic; memory doesn't grow with its frames.

    All formats hold the same 8-bit levels, and `CineReader` gives the same pixels and times from
    DICOM and NIfTI. The same arguments give the same bytes.

    - ``dicom``: one file, Multi-frame Grayscale Byte Secondary Capture, Synthetic Data (0008,001C)
      YES, with Frame Time.
    - ``nifti``: uint8 (x, y, 1, time) with slope 1/255, uncompressed, so that it can be mapped;
      times in ms; without orientation (qform and sform codes 0), for nothing is known of it.
    - ``gif``: loops; each frame ends at the hundredth of a second nearest to its time.
    - ``png``: a folder of ``frame_000.png`` and so on. Frames of a longer sequence that was there
      before are removed.

    Args:
        frames: (1, 1, t, H, W) float in [0, 1] each, or without the first axis; values outside are
            clipped. Each is asked for when the one before has been written.
        path: the file's or folder's, put in place once it is whole (of PNG each frame is); the
            folder above is made.
        provenance: what the files tell of it.
        format: of `CINE_FORMATS`.
        frame_time: ms from one frame to the next.

    Returns:
        The files, in the order of time.

    Raises:
        DataError: there are no frames, they differ in size, aren't grey or aren't finite; the
            format is unknown; the time isn't positive.
        UserError: a file can't be written.
    """
    if format not in CINE_FORMATS:
        raise DataError(f"format must be one of {[*CINE_FORMATS]}, got {format!r}")
    if not 0 < frame_time < np.inf:
        raise DataError(f"frame_time must be positive, in ms, got {frame_time}")
    levels, path = _frames_of(frames), Path(path)
    if format == "png":
        return _write_pngs(levels, path, provenance)
    write = {"dicom": write_cine_dicom, "nifti": _write_nifti, "gif": _write_gif}[format]
    write_atomically(path, lambda part: write(levels, part, provenance, frame_time))
    return [path]


def _frames_of(chunks: Iterable[torch.Tensor]) -> Iterator[Levels]:
    """One frame after another, (H, W) each, all of one size."""
    shape: tuple[int, ...] | None = None
    for chunk in chunks:
        if chunk.ndim not in (4, 5) or chunk.shape[:-3].numel() != 1:
            raise DataError(
                f"frames must be (1, 1, t, H, W), one grey sequence, got {tuple(chunk.shape)}"
            )
        for frame in chunk.flatten(0, -3):
            if shape is not None and frame.shape != shape:
                raise DataError(
                    f"frames must be of one size, got {tuple(frame.shape)} after {shape}"
                )
            shape = tuple(frame.shape)
            yield to_levels(frame.unsqueeze(0))
    if shape is None:
        raise DataError("frames must be at least one, got none")


def _write_nifti(
    frames: Iterator[Levels], path: Path, provenance: Provenance, frame_time: float
) -> None:
    count, frame = 0, np.empty((0, 0), np.uint8)
    with path.open("wb") as file:
        file.write(bytes(_NIFTI_OFFSET))
        for count, frame in enumerate(frames, 1):  # noqa: B007  # both are used below
            # x runs fastest, as columns do within rows
            file.write(frame.data)
        file.seek(0)
        file.write(
            _nifti_header((frame.shape[1], frame.shape[0], 1, count), frame_time, provenance)
        )


def _nifti_header(
    shape: tuple[int, int, int, int], frame_time: float, provenance: Provenance
) -> bytes:
    header: Any = _Header()
    header.set_data_dtype(np.uint8)
    header.set_data_shape(shape)
    header.set_data_offset(_NIFTI_OFFSET)
    header.set_slope_inter(1 / 255, 0)
    header.set_xyzt_units(t="msec")
    header.set_zooms((1.0, 1.0, 1.0, frame_time))
    header["cal_max"] = 1.0
    header["descrip"] = nifti_description(provenance)
    block: bytes = header.binaryblock
    return block


def _write_gif(
    frames: Iterator[Levels], path: Path, provenance: Provenance, frame_time: float
) -> None:
    # Image.save would hold all frames until the last.
    shown = 0
    with path.open("wb") as file:
        for number, frame in enumerate(frames, 1):
            picture = Image.fromarray(frame)
            if number == 1:
                header, _ = getheader(picture, info={"loop": 0, "comment": provenance.description})
                file.writelines(header)
            until = round(number * frame_time / _CENTISECOND)
            encoded = getdata(picture, duration=(until - shown) * _CENTISECOND)
            file.writelines(encoded)
            encoded.clear()  # Pillow's list refers to itself, and would stay for a while
            shown = until
        file.write(b";")


def _write_pngs(frames: Iterator[Levels], folder: Path, provenance: Provenance) -> list[Path]:
    written: list[Path] = []
    for number, frame in enumerate(frames):
        path = folder / f"frame_{number:03d}.png"
        _write_png_atomically(frame, path, provenance)
        written.append(path)
    for path in {*folder.glob("frame_*.png")} - {*written}:
        path.unlink()
    return written


def _write_png_atomically(frame: Levels, path: Path, provenance: Provenance) -> None:
    # The manifest, which says that all are there, is synced.
    write_atomically(path, lambda part: write_png(frame, part, provenance), sync=False)
