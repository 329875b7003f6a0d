"""What our readers share: paths in, and everything else in `get_data`."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from monai.data.image_reader import ImageReader

from ..errors import UnreadableImageError

Paths = str | PathLike[str] | Sequence[str | PathLike[str]]


class PathReader(ImageReader):
    """Keeps a path: MONAI's LoadImage swallows what `read` raises and tries another reader."""

    def verify_suffix(self, filename: Paths) -> bool:  # noqa: ARG002  # MONAI's signature
        """Every path is taken: a DICOM file often has no suffix."""
        return True

    def read(self, data: Paths, **kwargs: object) -> tuple[str, ...]:  # noqa: ARG002  # the same
        """Keep the path; `get_data` reads it."""
        paths = [data] if isinstance(data, str | PathLike) else list(data)
        return tuple(str(path) for path in paths)

    def only_path(self, img: Paths, what: str) -> Path:
        """Return the one path that `read` was given."""
        paths = self.read(img)
        if len(paths) != 1:
            raise UnreadableImageError(
                f"{type(self).__name__} must be given one {what}, got {len(paths)}"
            )
        return Path(paths[0])
