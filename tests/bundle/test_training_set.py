"""The record of what a generator was trained on."""

import hashlib
import json
from pathlib import Path

import pytest

from medaug.bundle import training_set_hash, write_training_set
from medaug.errors import UserError

IDS = [hashlib.sha256(bytes([n])).hexdigest() for n in range(5)]


def items(ids: list[str]) -> list[dict[str, object]]:
    """As a collection has them, with what must not be written."""
    return [{"image": f"/home/me/Doe_{n}.dcm", "label": n % 2, "source_id": x}
            for n, x in enumerate(ids)]  # fmt: skip


def write(folder: Path, ids: list[str]) -> Path:
    """Write a run's record; returns its path."""
    path = folder / "models" / "training_set.json"
    write_training_set(items(ids), path)
    return path


def test_it_holds_the_pixel_hashes_sorted_and_nothing_else(tmp_path: Path) -> None:
    """No path, no name, no label; each image once."""
    path = write(tmp_path, [*IDS, IDS[2]])
    record = json.loads(path.read_text())
    assert set(record) == {"about", "fingerprint", "source_ids"}
    assert record["source_ids"] == sorted(IDS)
    assert record["fingerprint"] == hashlib.sha256("\n".join(sorted(IDS)).encode()).hexdigest()
    assert "Doe" not in path.read_text()
    assert "home" not in path.read_text()


def test_the_order_of_the_images_does_not_matter(tmp_path: Path) -> None:
    """The same images give the same file, and the same hash of it."""
    one, other = write(tmp_path / "a", IDS), write(tmp_path / "b", IDS[::-1])
    assert one.read_bytes() == other.read_bytes()
    expected = hashlib.sha256(one.read_bytes()).hexdigest()
    assert training_set_hash(tmp_path / "a") == training_set_hash(str(tmp_path / "b")) == expected


def test_another_image_gives_another_hash(tmp_path: Path) -> None:
    """One left out is enough."""
    write(tmp_path / "a", IDS), write(tmp_path / "b", IDS[1:])
    assert training_set_hash(tmp_path / "a") != training_set_hash(tmp_path / "b")


def test_a_run_without_a_record_has_no_hash(tmp_path: Path) -> None:
    """Of an earlier version, say."""
    assert training_set_hash(tmp_path) is None


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """In one line, with the file."""
    (tmp_path / "models" / "training_set.json").mkdir(parents=True)
    with pytest.raises(UserError, match=r"training_set\.json could not be written"):
        write(tmp_path, IDS)
