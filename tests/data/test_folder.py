"""Images of a folder without classes."""

import pytest

from medaug.data import images_in
from medaug.errors import DataError, UnreadableImageError

from .images import levels, save


def test_images_at_any_depth_in_order_of_names(tmp_path):
    """Hidden and other files are left out."""
    files = [save(tmp_path / name, levels()) for name in ("a.png", "b/c.tif", "b/d/e.jpg")]
    save(tmp_path / ".hidden" / "f.png", levels())
    (tmp_path / "notes.txt").write_text("words")
    assert images_in(tmp_path) == [{"image": str(file), "file": str(file)} for file in files]


@pytest.mark.parametrize("given", ["", "gone"])
def test_folder_that_is_not_there(tmp_path, monkeypatch, given):
    """Names what was given."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"must be a folder of images, got '{given}'"):
        images_in(given)


def test_folder_without_images_and_unreadable_images(tmp_path):
    """One says what was expected, the other what is wrong."""
    with pytest.raises(DataError, match="must hold images"):
        images_in(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no")
    with pytest.raises(UnreadableImageError, match=r"1 of 1 are not: a\.png \(must be DICOM"):
        images_in(tmp_path)
