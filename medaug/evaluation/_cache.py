"""Features of real images, kept from one evaluation to the next."""

import hashlib
import json
import logging
from pathlib import Path

import platformdirs
import torch

from .._files import save_tensors, write_atomically
from ..errors import UserError
from ..features import Extractor, Features
from ._images import LabelledImages

logger = logging.getLogger("medaug")


def default_cache() -> Path:
    """Where features are kept by default, in the user's own cache folder."""
    return Path(platformdirs.user_cache_dir("medaug"), "features")


def cached_features(extractor: Extractor, images: LabelledImages, folder: Path | None) -> Features:
    """The extractor's features, from the folder where the same images went the same way before.

    A file holds vectors and probabilities, and goes by a hash of pixels and protocol; it names no
    patient and no file. A damaged one is made anew.

    Args:
        extractor: see `medaug.features`.
        images: real ones.
        folder: None keeps nothing.
    """
    if folder is None:
        return extractor(images.images)
    protocol = json.dumps({"name": extractor.name, **extractor.protocol}, sort_keys=True)
    key = hashlib.sha256(f"{images.fingerprint()} {protocol}".encode()).hexdigest()
    path = folder / f"{extractor.name}_{key[:32]}.pt"
    found = _load(path, len(images.images))
    if found is None:
        found = extractor(images.images)
        content = found._asdict()
        try:
            write_atomically(path, lambda temporary: save_tensors(content, temporary))
        except UserError as error:
            logger.warning("features are not kept: %s", error)
    return found


def _load(path: Path, count: int) -> Features | None:
    if not path.exists():
        return None
    try:
        found = Features(**torch.load(path, weights_only=True))
    except Exception as error:  # torch raises many kinds on a damaged file
        logger.warning("%s is damaged, and made anew: %s", path.name, error)
        return None
    return found if len(found.vectors) == count else None
