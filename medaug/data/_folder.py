"""All images of a folder, without classes."""

from pathlib import Path

from ..errors import DataError
from ._formats.pixels import Options
from ._scan import scan
from ._sources import Row, image_files, is_dicom


def images_in(
    folder: str | Path, *, only_dicom: bool = False, name: str = "folder"
) -> list[dict[str, str]]:
    """List and check the images anywhere below a folder.

    Args:
        folder: hidden files and folders in it are left out.
        only_dicom: leave out images that aren't DICOM too.
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
    files = [file for file in image_files(root) if not only_dicom or is_dicom(file)]
    rows = [Row(file, file.relative_to(root).as_posix(), "") for file in files]
    if not rows:
        formats = "DICOM" if only_dicom else "DICOM, NIfTI, NRRD, MHA, PNG, JPEG, TIFF"
        raise DataError(f"{name} must hold images ({formats}), got none in {root}")
    scan(rows, Options(), origin=str(root), progress=True)
    return [{"image": str(row.file), "file": str(row.file)} for row in rows]
