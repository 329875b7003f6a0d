"""The domain's own classifier as an extractor, trained once for the same images."""

import hashlib
import logging
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .._files import save_tensors, write_atomically
from ..errors import UserError
from ._checks import check_images
from ._domain import SMALLEST_SIDE, DomainClassifier
from ._extractor import Extractor
from ._train import check_labels, train_classifier

logger = logging.getLogger("medaug")

_RECIPE = "1"  # raise it when the same images give another kind of classifier
# 889 chest X-rays at 64 x 64: right on 0.75, 0.79, 0.76 of 234 held-out ones by 120, 250, 400 steps
_EPOCHS, _STEPS, _BATCH_SIZE = 3, 250, 128


def domain(
    images: Tensor,
    labels: Tensor,
    *,
    num_classes: int,
    epochs: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    cache_dir: str | Path | None = None,
) -> Extractor:
    """A `DomainClassifier` of real training images: vectors of 128, and its classes' probabilities.

    It needs no weights of others, so it works offline; figures are comparable only within one and
    the same classifier, whose weights' SHA-256 stands in the protocol. Images are not resized.

    Args:
        images: real training images as for `train_classifier`, of no patient that is reported on.
        labels: (N,) integers from 0 on.
        num_classes: number of classes.
        epochs: passes over the images; by default 3, or what makes 250 steps of a smaller set.
        seed: of the training.
        device: where to train and compute.
        cache_dir: a folder that keeps the classifier under a hash of its images, labels and
            arguments, so that the same ones are learned once; None keeps nothing. The file holds
            weights, no images. A damaged one is made anew.

    Raises:
        ConfigError: an option is out of range.
        UserError: the images or labels have another form.
    """
    check_images(images, 1, 3, side=SMALLEST_SIDE)
    check_labels(images, labels, num_classes)
    images, labels = images.detach().as_subclass(Tensor), labels.as_subclass(Tensor)
    if epochs is None:
        epochs = max(_EPOCHS, math.ceil(_STEPS / max(1, len(images) // _BATCH_SIZE)))
    key = _key(images, labels, num_classes, epochs, seed)
    path = None if cache_dir is None else Path(cache_dir) / f"domain_{key[:32]}.pt"
    model = None if path is None else _cached(path, key)
    if model is None:
        logger.info("training a classifier on %d real images", len(images))
        model = train_classifier(
            images, labels, num_classes=num_classes, epochs=epochs, seed=seed, device=device
        )
        if path is not None:
            _keep(model, key, path)
    protocol = {"weights": _digest(model.state_dict()), "resize": "none", "folded": "no"}
    return Extractor(
        _Judge(model),
        name="domain",
        protocol=protocol,
        device=device,
        channels=(model.channels,),
        smallest_side=SMALLEST_SIDE,
    )


class _Judge(nn.Module):
    """A classifier that gives its features as well."""

    def __init__(self, model: DomainClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.model.features(images)
        return features, self.model.head(features)


def _key(images: Tensor, labels: Tensor, num_classes: int, epochs: int, seed: int) -> str:
    content = hashlib.sha256()
    content.update(repr((_RECIPE, tuple(images.shape), num_classes, epochs, seed)).encode())
    for values, dtype in ((images, torch.float32), (labels, torch.int64)):
        content.update(values.cpu().to(dtype).contiguous().numpy().data)
    return content.hexdigest()


def _digest(state: dict[str, Any]) -> str:
    content = hashlib.sha256()
    for name, value in sorted(state.items()):
        content.update(repr((name, tuple(value.shape))).encode())
        content.update(value.cpu().contiguous().numpy().tobytes())
    return content.hexdigest()


def _cached(path: Path, key: str) -> DomainClassifier | None:
    """The classifier in a file, None where there is none or a damaged one."""
    try:
        kept = torch.load(path, map_location="cpu", weights_only=True)
        if kept["key"] != key or kept["sha256"] != _digest(kept["state"]):
            raise ValueError("other content than was written")
        with torch.device("meta"):  # draws no random numbers
            model = DomainClassifier(num_classes=kept["num_classes"], channels=kept["channels"])
        model.load_state_dict(kept["state"], assign=True)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # whatever torch's unpickler, zip reader or file system raises
        logger.warning(
            "%s is damaged (%s): the classifier is trained anew", path.name, type(error).__name__
        )
        return None
    return model.eval()


def _keep(model: DomainClassifier, key: str, path: Path) -> None:
    """Write the file; without it only the next call is slower."""
    state = {name: value.cpu() for name, value in model.state_dict().items()}
    content = {
        "key": key,
        "sha256": _digest(state),
        "num_classes": model.num_classes,
        "channels": model.channels,
        "state": state,
    }
    try:
        write_atomically(path, lambda temporary: save_tensors(content, temporary))
    except UserError as error:
        logger.warning("the classifier could not be kept: %s", error)
