"""All cines of a folder."""

import numpy as np
import pytest

from medaug.data import CineReader, cines_in
from medaug.errors import ConfigError, DataError, UnreadableImageError

from .cine_files import affine, multiframe, nifti, save, series, stack


@pytest.fixture
def folder(tmp_path):
    """A multi-frame file and a NIfTI file, a series in a folder of its own, and other files."""
    cine = stack()
    root = tmp_path / "in"
    series(root / "b" / "sax", cine)
    save(multiframe(cine[0]), root / "b" / "us")
    save(multiframe(cine[1]), root / "c.dcm")
    nifti(root / "a.nii.gz", cine.transpose(3, 2, 0, 1), affine())
    (root / "notes.txt").write_text("words")
    series(root / ".hidden", cine)
    return root


def test_files_and_folders_at_any_depth(folder):
    """In the order of names, folder by folder; hidden and other files are left out."""
    paths = [str(folder / name) for name in ("a.nii.gz", "c.dcm", "b/us", "b/sax")]
    items = cines_in(folder)
    assert items == [{"image": path, "file": path} for path in paths]
    for item in items:
        assert CineReader().get_data(item["image"])[0].shape == (1, 5, 12, 10)


def test_folder_that_is_a_series_itself(tmp_path):
    """One cine."""
    folder = series(tmp_path / "in", stack())
    assert cines_in(folder) == [{"image": str(folder), "file": str(folder)}]


def test_unreadable_cines_are_named_at_once(folder):
    """With what is wrong; the folder itself too."""
    whole = (folder / "c.dcm").read_bytes()
    (folder / "c.dcm").write_bytes(whole[:-20])
    nifti(folder / "d.nii", np.zeros((4, 4, 4), np.uint8))
    (folder / "b" / "sax" / "000.dcm").unlink()
    with pytest.raises(UnreadableImageError) as raised:
        cines_in(folder)
    text = str(raised.value)
    assert text.startswith(f"{folder}: every cine must be readable, but 3 of 5 are not: c.dcm (")
    assert "; d.nii (a cine must have four dimensions" in text
    assert "; b/sax (phases are missing" in text
    assert "\n" not in text
    series(folder / "e", stack(), change=lambda values: values["at"][1] == 0)
    (folder / "f.dcm").write_bytes(b"no")
    with pytest.raises(
        UnreadableImageError, match=r"5 of 7 .* the folder itself \(a folder's files must"
    ):
        cines_in(folder)


def test_slices_are_checked_for_each(folder):
    """The multi-frame files have one."""
    with pytest.raises(UnreadableImageError, match=r"2 of 4 .* c\.dcm \(slices must be below 1"):
        cines_in(folder, slices=1)
    with pytest.raises(ConfigError, match="slices must be"):
        cines_in(folder, slices="some")


@pytest.mark.parametrize("given", ["", "gone"])
def test_folder_that_is_not_there_or_has_no_cine(tmp_path, monkeypatch, given):
    """Names what was given."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"--input must be a folder of cines, got '{given}'"):
        cines_in(given, name="--input")
    with pytest.raises(DataError, match=r"folder must hold cines .multi-frame DICOM, .* got none"):
        cines_in(tmp_path)
