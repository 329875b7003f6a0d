"""Where published weights are looked for, and that they are what they should be."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import torch

from ..errors import CheckpointError, ConfigError

logger = logging.getLogger("medaug")

FOLDER = "MEDAUG_WEIGHTS"
"""The environment variable that names the folder of weights."""
_TIMEOUT = 20.0  # seconds without an answer; a network that drops everything isn't waited for


class Published(NamedTuple):
    """A file that somebody published, and where it can be downloaded, if anywhere."""

    file: str
    sha256: str
    url: Callable[[], str] | None = None


class Found(NamedTuple):
    """A file of weights; `published` is None where its content isn't a published one."""

    path: Path
    sha256: str
    published: Published | None


def _torchvision_vgg16() -> str:
    from torchvision.models import VGG16_Weights

    return str(VGG16_Weights.IMAGENET1K_V1.url)


_INCEPTION = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
VGG16_CAFFE = Published(
    "vgg16_features_imagenet_caffe_fp16.safetensors",
    "e6f6ffb0e17784e57f65c4962e1e3d1024bc6ba711d2f03da4361edb424d1dcf",
)
_PUBLISHED: dict[str, tuple[Published, ...]] = {
    "inception2015": (
        Published(
            "weights-inception-2015-12-05-6726825d.pth",
            _INCEPTION,
            lambda: (
                "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth"
            ),
        ),
        # the same file under pytorch-fid's name
        Published("pt_inception-2015-12-05-6726825d.pth", _INCEPTION),
    ),
    "vgg16": (
        Published(
            "vgg16-397923af.pth",
            "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            _torchvision_vgg16,
        ),
        VGG16_CAFFE,
    ),
}


def find(name: str, path: str | Path | None = None) -> Path:
    """The file of a network's published weights, downloaded if it is nowhere else.

    Looked for in this order: `path`; the folder that the environment variable ``MEDAUG_WEIGHTS``
    names; torch's hub cache (``torch.hub.get_dir()``, its folder ``checkpoints``); then it is
    downloaded into that cache. A file with a published name must have the published SHA-256,
    wherever it lies; a file of another name, given by its path, is taken as it is.

    Args:
        name: ``inception2015`` or ``vgg16``. The latter are torchvision's weights or, where only
            those are there, Caffe's as float16.
        path: of the file itself; then nothing else is looked at.

    Raises:
        ConfigError: no weights are known by this name.
        CheckpointError: there is no such file and it can't be downloaded, saying which files were
            looked for and where; or its checksum is wrong.
    """
    return locate(name, path).path


def locate(name: str, path: str | Path | None = None) -> Found:
    """As `find`, with the checksum and what the file is known as."""
    if name not in _PUBLISHED:
        known = ", ".join(sorted(_PUBLISHED))
        raise ConfigError(f"weights must be of one of {known}, got {name!r}")
    published = _PUBLISHED[name]
    if path is not None:
        given = Path(path).expanduser()
        if not given.is_file():
            raise CheckpointError(f"weights of {name} must be a file, got no such file: {given}")
        return checked(given, published)
    folders = _folders()
    for folder in folders:
        for one in published:
            if (folder / one.file).is_file():
                return checked(folder / one.file, published)
    return _downloaded(name, published, folders)


def _folders() -> list[Path]:
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    given = os.environ.get(FOLDER)
    if not given:
        return [cache]
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise ConfigError(f"{FOLDER} must name a folder, got {given}")
    return [folder, cache]


def checked(path: Path, published: tuple[Published, ...]) -> Found:
    """What a file is by its content: a published one may have any name, no other may have its."""
    digest = sha256_of(path)
    for one in published:
        if digest == one.sha256:
            return Found(path, digest, one)
    for one in published:
        if path.name == one.file:
            raise _wrong_checksum(str(path), one, digest)
    return Found(path, digest, None)


def _wrong_checksum(what: str, one: Published, digest: str) -> CheckpointError:
    return CheckpointError(
        f"{what} must have the SHA-256 {one.sha256}, got {digest}: it is damaged or another file"
    )


def sha256_of(path: Path) -> str:
    """A file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _downloaded(name: str, published: tuple[Published, ...], folders: list[Path]) -> Found:
    reason = "there is no place to download it from"
    for one in published:
        if one.url is None:
            continue
        try:
            return Found(_download(one, one.url(), folders[-1]), one.sha256, one)
        except (OSError, HTTPException) as error:
            reason = f"{one.url()} could not be downloaded: {error}"
    files = " or ".join(one.file for one in published)
    places = " and ".join(map(str, folders))
    unset = "" if os.environ.get(FOLDER) else f" ({FOLDER} is not set)"
    raise CheckpointError(
        f"weights of {name} must be a file {files}, got none in {places}{unset}, and {reason}. "
        f"Put one of them there, or into a folder that {FOLDER} names, or give its path"
    )


def _download(one: Published, url: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / one.file
    temporary = path.with_name(f".{one.file}.{os.getpid()}.tmp")
    logger.info("downloading %s", url)
    try:
        with urlopen(url, timeout=_TIMEOUT) as source, temporary.open("wb") as target:
            shutil.copyfileobj(source, target)
        digest = sha256_of(temporary)
        if digest != one.sha256:
            raise _wrong_checksum(f"what {url} gives", one, digest)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
