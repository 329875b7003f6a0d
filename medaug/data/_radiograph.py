"""The reader that MONAI's `LoadImaged` is given for radiographs."""

from typing import Any

import numpy as np
import torch
from monai.utils.enums import MetaKeys

from ..errors import ConfigError, UnreadableImageError
from ._formats.decode import decode_file
from ._formats.pixels import Decoded, FloatImage, Options, source_id
from ._path_reader import PathReader, Paths
from .limits import DEFAULT_LIMITS, Limits


class RadiographReader(PathReader):
    """Reads one radiograph: DICOM, NIfTI, NRRD, MHA, PNG, JPEG or TIFF, told by content.

    ``LoadImaged(keys, reader="medaug.data.RadiographReader", ensure_channel_first=True)`` gives
    (1, H, W) float32 in [0, 1], upright, bone bright; so does ``get_data(read(path))``.
    No other reader is ever tried: MONAI's LoadImage swallows what `read` raises and goes on to
    the next reader, so `read` only keeps the path, and all that can fail happens in `get_data`.

    The metadata are plain Python values, with nothing of the patient: ``bits``, ``value_range``
    (the modality units that 0 and 1 stand for), ``spacing`` (mm between rows, columns) and
    ``spacing_source`` (the field of the file that gives it, such as PixelSpacing,
    ImagerPixelSpacing or pixdim, or none), ``photometric``, ``source_id`` (SHA-256 of the pixels),
    and ``affine``: spacing on the diagonal, no flip.
    LoadImage adds ``filename_or_obj`` after any reader.

    Args:
        voi: "window": the VOI LUT or else the window stored in a DICOM file, the first of each;
            "none": the full range of Bits Stored after the modality transformation, which is
            also what a file without either gets.
        grey: turn colour and palette images into grey by luminance; else they are refused.
        limits: the largest image accepted; default `medaug.data.limits.DEFAULT_LIMITS`.
        mask: put ``mask`` into the metadata: a bool tensor (1, H, W), False in padding and
            behind a display shutter (which are black in the image), True elsewhere.

    Raises:
        ConfigError: an option is unknown or has a wrong value.
    """

    def __init__(
        self,
        *,
        voi: str = "window",
        grey: bool = False,
        limits: Limits | None = None,
        mask: bool = False,
        **unknown: object,
    ) -> None:
        # a TypeError would make LoadImage warn and go on without any option
        if unknown:
            raise ConfigError(
                "RadiographReader's options must be voi, grey, limits or mask, "
                f"got {sorted(unknown)}"
            )
        if voi not in ("window", "none"):
            raise ConfigError(f"voi must be 'window' or 'none', got {voi!r}")
        self.options = Options(voi=voi, grey=bool(grey), limits=limits or DEFAULT_LIMITS)
        self.mask = bool(mask)

    def get_data(self, img: Paths) -> tuple[FloatImage, dict[str, Any]]:
        """Decode the file that `read` was given.

        Returns:
            (1, H, W) float32 in [0, 1], and the metadata described above.

        Raises:
            UnreadableImageError: the file can't be turned into correct pixels; the message names
                it and the element or byte, and the cause is chained.
        """
        path = self.only_path(img, "file")
        try:
            image = decode_file(path, self.options)
        except UnreadableImageError as error:
            raise UnreadableImageError(f"{path}: {error}") from (error.__cause__ or error)
        meta = _metadata(image)
        if self.mask:
            valid = np.ones(image.pixels.shape, bool) if image.valid is None else image.valid
            meta["mask"] = torch.from_numpy(valid[None])
        return image.pixels[None], meta


def _metadata(image: Decoded) -> dict[str, Any]:
    affine = np.diag([*image.spacing, 1.0, 1.0])
    return {
        str(MetaKeys.AFFINE.value): torch.from_numpy(affine),
        str(MetaKeys.SPATIAL_SHAPE.value): list(image.pixels.shape),
        str(MetaKeys.ORIGINAL_CHANNEL_DIM.value): 0,
        "bits": image.bits,
        "value_range": image.value_range,
        "spacing": image.spacing,
        "spacing_source": image.spacing_source,
        "photometric": image.photometric,
        "source_id": source_id(image.pixels),
    }
