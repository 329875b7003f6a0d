"""Files that are whole or not there."""

from pathlib import Path

import pytest
import torch

from medaug._files import load_tensors, remove_temporary, save_tensors, write_atomically
from medaug.errors import CheckpointError, UserError


def text(path: Path) -> None:
    """What is written here."""
    path.write_text("whole")


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """The error names the file; no temporary file is left."""
    target = tmp_path / "model.pt"
    target.write_text("good")

    def half(path: Path) -> None:
        path.write_text("ha")
        raise OSError("No space left on device")

    with pytest.raises(UserError, match=r"model\.pt could not be written.*is kept: No space left"):
        write_atomically(target, half)
    assert target.read_text() == "good"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt()])
def test_no_half_file_is_left_by_another_error(error: BaseException, tmp_path: Path) -> None:
    """It comes through as it is."""

    def half(path: Path) -> None:
        path.write_text("ha")
        raise error

    with pytest.raises(type(error)):
        write_atomically(tmp_path / "x.txt", half)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_replaced(sync: bool, tmp_path: Path) -> None:
    """With nothing beside it."""
    (tmp_path / "x.txt").write_text("old")
    write_atomically(tmp_path / "x.txt", text, sync=sync)
    assert (tmp_path / "x.txt").read_text() == "whole"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_is_made(tmp_path: Path) -> None:
    """With those above it; one that is there is as good."""
    for _ in range(2):
        write_atomically(tmp_path / "a" / "b" / "c.txt", text)
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b", "c.txt"]


@pytest.mark.parametrize("place", ["file/x.txt", "file/folder/x.txt"])
def test_a_file_in_a_folders_place_is_told(place: str, tmp_path: Path) -> None:
    """In one line, as whatever else keeps a file from being written."""
    (tmp_path / "file").write_text("good")
    with pytest.raises(UserError, match=r"x\.txt could not be written.*: Not a directory$") as told:
        write_atomically(tmp_path / place, text)
    assert "\n" not in str(told.value)
    assert (tmp_path / "file").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_in_the_files_place_is_told(tmp_path: Path) -> None:
    """And nothing is left beside it."""
    (tmp_path / "x.txt").mkdir()
    with pytest.raises(UserError, match=r"x\.txt could not be written.*: Is a directory$"):
        write_atomically(tmp_path / "x.txt", text)
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    """Its temporary file alone."""
    paths = [tmp_path / name for name in (".model.pt.123.tmp", "model.pt", ".mine.tmp")]
    for path in paths:
        text(path)
    remove_temporary(tmp_path)
    assert [path.exists() for path in paths] == [False, True, True]


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    """torch.load itself doesn't look at the archive's checksums."""
    path = tmp_path / "state.pt"
    save_tensors({"weight": torch.arange(1000.0)}, path)
    assert torch.equal(load_tensors(path)["weight"], torch.arange(1000.0))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"state\.pt must be a state dict .* \(BadZipFile\)"):
        load_tensors(path)
