"""Generated images as files that say that they are generated."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import DataError
from ._provenance import Provenance
from ._synthetic_dicom import Levels, dicom_dataset

SYNTHETIC_SUFFIXES = {"png": ".png", "nifti": ".nii", "dicom": ".dcm"}
"""The formats that `write_synthetic` knows, and their files' suffixes."""

_Nifti: Any = nib.Nifti1Image  # nibabel's own types leave out its header

# NIfTI's world is RAS: rows run towards the feet (-z), columns towards the patient's left (-x).
_UPRIGHT = np.array([[0, -1, 0, 0], [0, 0, 1, 0], [-1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64)
_RGB_VECTOR = 2003  # nifti1.h: NIFTI_INTENT_RGB_VECTOR, three values along the fifth axis


def write_synthetic(image: torch.Tensor, path: str | Path, provenance: Provenance) -> None:
    """Write one generated image, marked as synthetic, in the format of the path's suffix.

    All three formats hold the same 8-bit levels, and `RadiographReader` gives the same pixels from
    each. The same arguments give the same bytes.

    - ``.png``: grey or RGB; where it comes from stands in the text chunks.
    - ``.nii``: uint8 with slope 1/255, stored (H, W) with an affine that says so, so that MONAI's
      ``LoadImage`` gives (H, W) in [0, 1] too; colour as (H, W, 1, 1, 3), NIfTI's RGB vector.
    - ``.dcm``: Secondary Capture, Synthetic Data (0008,001C) YES; all images of one model and seed
      are one series of one made-up patient.

    Args:
        image: (1 or 3, H, W) float in [0, 1], upright; values outside are clipped.
        path: in a folder that is there; a file of that name is replaced.
        provenance: what the file tells of it.

    Raises:
        DataError: the image has another shape or isn't finite, or the suffix is unknown.
    """
    write = {".png": write_png, ".nii": _write_nifti, ".dcm": _write_dicom}
    path = Path(path)
    if path.suffix not in write:
        raise DataError(f"a synthetic image's suffix must be one of {[*write]}, got {path.suffix}")
    write[path.suffix](to_levels(image), path, provenance)


def to_levels(image: torch.Tensor) -> Levels:
    """(H, W) or, in colour, (H, W, 3): 0 … 255, rounded.

    Raises:
        DataError: the image has another shape or isn't finite.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3) or not bool(image.isfinite().all()):
        raise DataError(
            f"a synthetic image must be (1 or 3, H, W) of finite numbers, got {tuple(image.shape)}"
            f"{'' if bool(image.isfinite().all()) else ' with NaN or infinity'}"
        )
    scaled = (image.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)
    levels: Levels = scaled.permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(levels[:, :, 0] if image.shape[0] == 1 else levels)


def write_png(levels: Levels, path: Path, provenance: Provenance) -> None:
    """Write levels as PNG, whatever the path's suffix."""
    text = PngInfo()
    text.add_text("Software", provenance.software)
    text.add_itxt("Description", provenance.description)
    Image.fromarray(levels).save(path, format="PNG", pnginfo=text)


def _write_nifti(levels: Levels, path: Path, provenance: Provenance) -> None:
    colour = levels.ndim == 3
    stored = levels[:, :, np.newaxis, np.newaxis] if colour else levels
    image = _Nifti(stored, _UPRIGHT, dtype=np.uint8)
    image.header.set_slope_inter(1 / 255, 0)
    image.header["descrip"] = nifti_description(provenance)
    if colour:
        image.header.set_intent(_RGB_VECTOR, allow_unknown=True)
    path.write_bytes(image.to_bytes())


def nifti_description(provenance: Provenance) -> bytes:
    """What NIfTI's 80 bytes of description can hold."""
    text = (
        f"SYNTHETIC, {provenance.software}, weights {provenance.sha256[:16]}, "
        f"seed {provenance.seed}, index {provenance.index}"
    )
    return text.encode()[:79]


def _write_dicom(levels: Levels, path: Path, provenance: Provenance) -> None:
    dicom_dataset(levels, provenance).save_as(path, enforce_file_format=True)
