"""How large an image file may be before it is refused, checked before memory is taken.

A header can claim any size, and so can a compressed frame within the file; both are read first.
The defaults hold every radiograph that a detector gives today (mammography: about 24 million
pixels) with room to spare; another `Limits` goes to `RadiographReader(limits=...)`.
"""

from dataclasses import dataclass

from ..errors import ConfigError, UnreadableImageError

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest image that a reader accepts.

    Attributes:
        max_pixels: rows times columns; default 2**26 = 67,108,864 (8192 x 8192). Above
            178 million Pillow's own limit holds for PNG, JPEG and TIFF.
        max_bytes: of the file, of what it unpacks to, and of the decoded pixels; default 256 MiB.
    """

    max_pixels: int = 2**26
    max_bytes: int = 256 * 2**20

    def __post_init__(self) -> None:
        for name in ("max_pixels", "max_bytes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")

    def check_bytes(self, count: int, what: str) -> None:
        """Refuse `count` bytes of `what` when they are above `max_bytes`."""
        if count > self.max_bytes:
            raise UnreadableImageError(
                f"{what} must have at most {self.max_bytes:,} bytes, got {count:,}"
            )

    def check_shape(self, rows: int, columns: int, bytes_per_pixel: int = 1) -> None:
        """Refuse an image of no or too many pixels, or too many bytes."""
        if rows < 1 or columns < 1 or rows * columns > self.max_pixels:
            raise UnreadableImageError(
                f"the image must have 1 to {self.max_pixels:,} pixels, "
                f"got {rows:,} rows x {columns:,} columns"
            )
        self.check_bytes(rows * columns * bytes_per_pixel, "the decoded image")


DEFAULT_LIMITS = Limits()
