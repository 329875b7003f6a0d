"""The reader of cines: one slice, or a stack of them, over time."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.utils.enums import MetaKeys

from ...errors import ConfigError, UnreadableImageError
from .._formats.decode import SNIFF_BYTES, one_line, read_file, sniff, unzip
from .._formats.pixels import FloatImage, Options, source_id
from .._path_reader import PathReader, Paths
from .._sources import is_dicom
from ..limits import DEFAULT_LIMITS, Limits
from .dicom import decode_cine_dicom, decode_cine_folder, frame_count
from .nifti import decode_cine_nifti
from .pixels import Levels, StoredCine, fit_levels, scale


class CineReader(PathReader):
    """Reads a cine from multi-frame DICOM, a folder of single-frame DICOM, or 4-D NIfTI.

    ``get_data(path)`` gives (C, T, H, W) float32 in [0, 1]: slices, phases, rows, columns. One
    slice is one channel; with ``slices="all"`` there is one for each slice, in anatomical order
    along the normal (row × column of Image Orientation (Patient)). As with `RadiographReader`,
    no other reader is ever tried, and all that can fail happens in `get_data`.

    - DICOM, multi-frame: classic (US, XA; Frame Increment Pointer must name Frame Time or Frame
      Time Vector), or enhanced (functional groups say slice and time).
    - A folder of DICOM: its files, hidden ones and those that aren't DICOM left out, must be one
      series with the same number of phases for each slice, no fewer than the files say, and
      without a hole. They are in order of Trigger Time, else Temporal Position Identifier, else
      Instance Number.
    - NIfTI: (x, y, slice, time). Three axes are refused, since the third is the slice.

    Rows and columns of DICOM are as acquired; NIfTI is laid out by its affine as a scanner would
    show it (`medaug.data._cine.nifti`), so that both are the same for usual planes.

    0 and 1 are the ends of `bits`, the smallest number from 8 to 16 that holds the stored values
    of all slices and phases, whichever are chosen. Rescale is in ``value_range``; windows stored
    in the file are not applied; MONOCHROME1 is inverted once; padding is 0; colour is refused.

    The metadata are plain Python values, with nothing of the patient: those of `RadiographReader`
    (``affine``: phases, mm, mm on the diagonal), and ``frame_times`` (ms from the first phase,
    mean of the chosen slices; empty if unknown), ``frame_times_source`` (an element's keyword,
    pixdim or none), ``frame_order`` (the keyword that phases are in order of, or "stored") and
    ``slice_positions`` (mm along the normal, of the chosen slices; empty if unknown).

    Args:
        slices: a slice's number from 0 along the normal, "middle" (number n // 2 of n) or "all".
        limits: the largest cine accepted; default `medaug.data.limits.DEFAULT_LIMITS`. The bytes
            of a folder's files count together, and those of all decoded frames do.

    Raises:
        ConfigError: an option is unknown or has a wrong value.
    """

    def __init__(
        self, *, slices: int | str = "middle", limits: Limits | None = None, **unknown: object
    ) -> None:
        # a TypeError would make LoadImage warn and go on without any option
        if unknown:
            raise ConfigError(f"CineReader's options must be slices or limits, got {[*unknown]}")
        number = isinstance(slices, int) and not isinstance(slices, bool) and slices >= 0
        if not number and slices not in ("middle", "all"):
            raise ConfigError(
                f"slices must be a slice's number from 0, 'middle' or 'all', got {slices!r}"
            )
        self.slices = slices
        self.limits = limits or DEFAULT_LIMITS

    def get_data(self, img: Paths) -> tuple[FloatImage, dict[str, Any]]:
        """Decode the file or folder that `read` was given.

        Returns:
            (C, T, H, W) float32 in [0, 1], and the metadata described above.

        Raises:
            UnreadableImageError: it can't be turned into a correct cine; the message names the
                path and the element or byte, and the cause is chained.
        """
        path = self.only_path(img, "file or folder")
        try:
            return self._decode(path)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"{path}: {error}") from (error.__cause__ or error)
        # a damaged file makes the libraries raise almost anything, StopIteration included
        except Exception as error:
            raise UnreadableImageError(f"{path}: {one_line(error)}") from error

    def _decode(self, path: Path) -> tuple[FloatImage, dict[str, Any]]:
        cine = decode_cine(path, self.limits)
        chosen = self._choose(len(cine.frames))
        rows, columns = cine.frames[0][0].shape
        size = len(chosen) * len(cine.frames[0]) * rows * columns * 4  # bytes of a float32
        self.limits.check_bytes(size, "the cine as float32")
        levels = fit_levels(cine)
        pixels = scale(cine, levels, chosen)
        return pixels, _metadata(cine, levels, chosen, pixels)

    def _choose(self, count: int) -> list[int]:
        if self.slices == "all":
            return list(range(count))
        number = count // 2 if self.slices == "middle" else int(self.slices)
        if number >= count:
            raise UnreadableImageError(
                f"slices must be below {count}, the number of slices, got {number}"
            )
        return [number]


def decode_cine(path: Path, limits: Limits) -> StoredCine:
    """Decode a file or a folder, told apart by content."""
    if path.is_dir():
        return decode_cine_folder(_folder(path, limits), limits)
    data = _content(path, limits)
    kind = sniff(data[:SNIFF_BYTES])
    if kind == "DICOM":
        return decode_cine_dicom(data, limits)
    if kind == "NIfTI":
        return decode_cine_nifti(data, limits)
    raise UnreadableImageError(
        "a cine must be multi-frame DICOM, a folder of DICOM, or NIfTI, got "
        + (kind or (f"a file that begins with {data[:8].hex(' ')}" if data else "an empty file"))
    )


def _content(file: Path, limits: Limits) -> bytes:
    options = Options(limits=limits)
    return unzip(read_file(file, options), options)


def _folder(folder: Path, limits: Limits) -> list[tuple[str, bytes]]:
    """Name and content of a folder's DICOM files."""
    files = dicom_files(folder)
    if not files:
        inside = any(entry.is_dir() for entry in folder.iterdir())
        raise UnreadableImageError(
            "the folder must hold DICOM files itself, got none"
            + (", but folders: give one of them" if inside else "")
        )
    limits.check_bytes(sum(file.stat().st_size for file in files), "the folder's files")
    return [(file.name, _content(file, limits)) for file in files]


def dicom_files(folder: Path) -> list[Path]:
    """A folder's DICOM files by content or suffix, in order of their names."""
    return [
        file
        for file in sorted(folder.iterdir())
        if file.is_file() and not file.name.startswith(".") and is_dicom(file)
    ]


def is_multiframe(file: Path) -> bool:
    """Whether a file is DICOM of several frames; False too where it can't be read."""
    try:
        return frame_count(_content(file, DEFAULT_LIMITS), DEFAULT_LIMITS) > 1
    # a damaged file makes pydicom raise almost anything; reading it will say what is wrong
    except Exception:
        return False


def _metadata(
    cine: StoredCine, levels: Levels, chosen: list[int], pixels: FloatImage
) -> dict[str, Any]:
    times = np.mean([cine.times[k] for k in chosen], axis=0).tolist() if cine.times else []
    return {
        str(MetaKeys.AFFINE.value): torch.from_numpy(np.diag([1.0, *cine.spacing, 1.0])),
        str(MetaKeys.SPATIAL_SHAPE.value): list(pixels.shape[1:]),
        str(MetaKeys.ORIGINAL_CHANNEL_DIM.value): 0,
        "bits": levels.bits,
        "value_range": levels.value_range,
        "spacing": cine.spacing,
        "spacing_source": cine.spacing_source,
        "photometric": cine.photometric,
        "source_id": source_id(pixels),
        "frame_times": times,
        "frame_times_source": cine.times_source,
        "frame_order": cine.order,
        "slice_positions": [cine.positions[k] for k in chosen] if cine.positions else [],
    }
