"""Where weights are found, and which files are refused."""

import hashlib
import pickle
from pathlib import Path

import pytest
import torch

from medaug.errors import CheckpointError, ConfigError, UserError
from medaug.features import _weights, find_weights
from medaug.features._states import load_state
from medaug.features._weights import Published, locate

GOOD, OTHER, WRONG = b"the weights", b"the others", b"damaged"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A server, a folder of weights and torch's cache, all empty; two published files."""
    for name in ("server", "own", "home/hub/checkpoints"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MEDAUG_WEIGHTS", str(tmp_path / "own"))
    good, other = (hashlib.sha256(content).hexdigest() for content in (GOOD, OTHER))
    url = (tmp_path / "server" / "good.pth").as_uri()
    published = (Published("good.pth", good, lambda: url), Published("other.pth", other))
    monkeypatch.setattr(_weights, "_PUBLISHED", {"vgg16": published})
    return tmp_path


def put(places: Path, name: str, content: bytes) -> Path:
    path = places / name
    path.write_bytes(content)
    return path


CACHE = "home/hub/checkpoints"


def test_the_order_is_path_then_folder_then_cache_then_download(places):
    """Each is taken only where those before it have nothing; what was downloaded is kept."""
    put(places, "server/good.pth", GOOD)
    assert find_weights("vgg16") == places / CACHE / "good.pth"
    assert (places / CACHE / "good.pth").read_bytes() == GOOD
    (places / "server/good.pth").unlink()
    assert find_weights("vgg16") == places / CACHE / "good.pth"
    other = put(places, "own/other.pth", OTHER)
    assert find_weights("vgg16") == other
    good = put(places, "own/good.pth", GOOD)
    assert find_weights("vgg16") == good
    mine = put(places, "mine.pth", b"mine")
    assert find_weights("vgg16", mine) == mine


def test_a_file_is_known_by_its_content(places):
    """A published one under any name; one's own is nobody's."""
    renamed = put(places, "renamed.pth", OTHER)
    assert locate("vgg16", renamed).published.file == "other.pth"
    mine = locate("vgg16", str(put(places, "mine.pth", b"mine")))
    assert mine.published is None
    assert mine.sha256 == hashlib.sha256(b"mine").hexdigest()


@pytest.mark.parametrize("place", ["own/good.pth", f"{CACHE}/good.pth", "good.pth"])
def test_a_published_name_with_another_content_is_refused(places, place):
    """Wherever it lies, with both checksums and the file."""
    path = put(places, place, WRONG)
    given = path if place == "good.pth" else None
    good, wrong = (hashlib.sha256(content).hexdigest() for content in (GOOD, WRONG))
    message = f"{path} must have the SHA-256 {good}, got {wrong}: it is damaged"
    with pytest.raises(CheckpointError, match=message):
        find_weights("vgg16", given)


def test_a_download_with_another_content_is_not_kept(places):
    """As from a portal that answers everything with its log-in page."""
    put(places, "server/good.pth", WRONG)
    with pytest.raises(CheckpointError, match=r"what file:.*good.pth gives must have the SHA-256"):
        find_weights("vgg16")
    assert list((places / CACHE).iterdir()) == []


def test_offline_one_message_says_what_is_looked_for_and_where(places, monkeypatch):
    """The files, the folders, why the download failed, and what to do; on one line."""
    with pytest.raises(CheckpointError) as raised:
        find_weights("vgg16")
    message = str(raised.value)
    assert message.startswith("weights of vgg16 must be a file good.pth or other.pth, got none in ")
    for part in (places / "own", places / CACHE, "good.pth could not be downloaded", "its path"):
        assert str(part) in message
    assert "\n" not in message
    assert "is not set" not in message
    monkeypatch.delenv("MEDAUG_WEIGHTS")
    with pytest.raises(CheckpointError, match=r"checkpoints .MEDAUG_WEIGHTS is not set., and"):
        find_weights("vgg16")


def test_a_cache_that_cannot_be_written_is_the_same_message(places, monkeypatch):
    """As on a machine whose home is read-only."""
    put(places, "server/good.pth", GOOD)
    put(places, "file", b"")
    monkeypatch.setenv("TORCH_HOME", str(places / "file"))
    with pytest.raises(CheckpointError, match=r"must be a file good.pth .*could not be downloaded"):
        find_weights("vgg16")


@pytest.mark.usefixtures("places")
def test_weights_that_nobody_offers(monkeypatch):
    """Said as such."""
    published = (Published("good.pth", "0"),)
    monkeypatch.setattr(_weights, "_PUBLISHED", {"vgg16": published})
    with pytest.raises(CheckpointError, match="there is no place to download it from"):
        find_weights("vgg16")


def test_names_and_paths_that_are_not_there(places, monkeypatch):
    """A path is never replaced by what lies elsewhere."""
    put(places, "own/good.pth", GOOD)
    with pytest.raises(ConfigError, match="weights must be of one of vgg16, got 'vgg19'"):
        find_weights("vgg19")
    with pytest.raises(CheckpointError, match=r"of vgg16 must be a file, got no such file: .*none"):
        find_weights("vgg16", places / "none.pth")
    monkeypatch.setenv("MEDAUG_WEIGHTS", str(places / "nowhere"))
    with pytest.raises(ConfigError, match=r"MEDAUG_WEIGHTS must name a folder, got .*nowhere"):
        find_weights("vgg16")


def test_published_checksums_begin_as_the_names_say():
    """Who published them put the first digits into the names."""
    for published in _weights._PUBLISHED["inception2015"]:
        assert f"-{published.sha256[:8]}.pth" in published.file
    first = _weights._PUBLISHED["vgg16"][0]
    assert first.url().endswith(first.file)
    assert f"-{first.sha256[:8]}.pth" in first.file


class Malicious:
    """Unpickling it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_files_are_refused(tmp_path, suffix):
    """A text, nothing, half of a file."""
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    path = tmp_path / f"weights{suffix}"
    for content in (b"<html>log in</html>", b"", b"PK\x03\x04" + bytes(100)):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=f"weights{suffix} must be a state dict"):
            load_state(path)


def test_pickled_code_is_not_run(tmp_path):
    """A file from somewhere stays a file."""
    path, trace = tmp_path / "weights.pth", tmp_path / "trace"
    path.write_bytes(pickle.dumps({"weight": Malicious(trace)}))
    with pytest.raises(CheckpointError, match="damaged or holds something else"):
        load_state(path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(2)], ids=str)
def test_files_of_something_else_are_refused(tmp_path, content):
    """A list, a checkpoint, a tensor."""
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="must be a state dict, tensors by name"):
        load_state(path)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    """With the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)
    with pytest.raises(UserError, match=r"needs the package safetensors, .*'medaug\[features\]'"):
        load_state(tmp_path / "weights.safetensors")
