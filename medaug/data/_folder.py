"""All images of a folder, without classes."""

from pathlib import Path

from ..errors import DataError
from ._pixels import Options
from ._scan import scan
from ._sources import Row, image_files


def images_in(folder: str | Path, *, name: str = "folder") -> list[dict[str, str]]:
    """List and check the images anywhere below a folder.

    Args:
        folder: hidden files and folders in it are left out.
        name: what messages call `folder`, such as the option of a command line.

    Returns:
        MONAI items with ``image`` and ``file``, both the file's path, in the order of their names;
        a pipeline turns the first into pixels.

    Raises:
        DataError: no such folder, or no image in it.
        UnreadableImageError: some can't be read; all of them are named at once.
    """
    root = Path(folder)
    if not folder or not root.is_dir():
        raise DataError(f"{name} must be a folder of images, got {str(folder)!r}")
    rows = [Row(file, file.relative_to(root).as_posix(), "") for file in image_files(root)]
    if not rows:
        raise DataError(
            f"{name} must hold images (DICOM, NIfTI, PNG, JPEG, TIFF), got none in {root}"
        )
    scan(rows, Options(), origin=str(root), progress=True)
    return [{"image": str(row.file), "file": str(row.file)} for row in rows]
