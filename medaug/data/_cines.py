"""All cines of a folder."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import DataError, UnreadableImageError
from ._cine.reader import CineReader, dicom_files, is_multiframe
from ._formats.pixels import FloatImage
from ._scan import read_all
from ._sources import format_of


def cines_in(
    folder: str | Path, *, slices: int | str = "middle", name: str = "folder"
) -> list[dict[str, str]]:
    """List and check the cines anywhere below a folder.

    A cine is a multi-frame DICOM file, a NIfTI file, or a folder of single-frame DICOM files
    (`folder` itself may be one).

    Args:
        folder: hidden files and folders in it are left out.
        slices: what will be read of each; see `CineReader`.
        name: what messages call `folder`, such as the option of a command line.

    Returns:
        MONAI items with ``image`` and ``file``, both the path of the file or folder, in the order
        of their names; a pipeline turns the first into pixels.

    Raises:
        DataError: no such folder, or no cine in it.
        UnreadableImageError: some can't be read; all of them are named at once.
        ConfigError: `slices` has a wrong value.
    """
    reader, root = CineReader(slices=slices), Path(folder)
    if not folder or not root.is_dir():
        raise DataError(f"{name} must be a folder of cines, got {str(folder)!r}")
    paths = list(cine_paths(root))
    if not paths:
        raise DataError(
            f"{name} must hold cines (multi-frame DICOM, folders of DICOM, NIfTI), "
            f"got none in {root}"
        )

    def check(path: Path) -> None:
        decoded(reader, path)

    names = [
        path.relative_to(root).as_posix() if path != root else "the folder itself" for path in paths
    ]
    read_all(paths, check, names, origin=str(root), progress=True, what="cine")
    return [{"image": str(path), "file": str(path)} for path in paths]


def decoded(reader: CineReader, path: Path) -> tuple[FloatImage, dict[str, Any]]:
    """As `CineReader.get_data`, with errors that don't name the file, which the caller does."""
    try:
        return reader.get_data(path)
    except UnreadableImageError as error:
        raise UnreadableImageError(str(error).removeprefix(f"{path}: ")) from error


def cine_paths(root: Path) -> Iterator[Path]:
    """The files and folders below a folder that may be cines, in the order of their names."""
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        here = Path(parent)
        dicom = dicom_files(here)
        several = [file for file in dicom if is_multiframe(file)]
        if len(several) < len(dicom):
            yield here
        visible = (here / file for file in sorted(files) if not file.startswith("."))
        yield from sorted([*several, *filter(_is_nifti, visible)])


def _is_nifti(file: Path) -> bool:
    return file.name.lower().endswith((".nii", ".nii.gz")) or format_of(file) == "NIfTI"
