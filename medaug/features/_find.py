"""Extractors by name, as a configuration or a command line gives them."""

from collections.abc import Callable

import torch

from ..errors import ConfigError
from ._extractor import Extractor
from ._imagenet import efficientnet_lite0, vgg16
from ._inception import inception2015
from ._torchscript import torchscript

_WITH_PATH: dict[str, Callable[..., Extractor]] = {"inception2015": inception2015, "vgg16": vgg16}


def find_extractor(spec: str, *, device: torch.device | str = "cpu") -> Extractor:
    """The extractor that a name stands for.

    Args:
        spec: ``inception2015``, ``vgg16`` or ``efficientnet_lite0``; the first two with a file of
            weights as ``vgg16:PATH``; or ``torchscript:PATH``. The extractor's own name may say
            more (``vgg16_caffe``). `domain` needs images, and is called itself.
        device: where to compute.

    Raises:
        ConfigError: the name is unknown.
        UserError: weights or a package are missing, as the extractor's own function says.
    """
    name, _, path = spec.partition(":")
    if name == "efficientnet_lite0" and not path:
        return efficientnet_lite0(device=device)
    if name == "torchscript" and path:
        return torchscript(path, device=device)
    if name in _WITH_PATH:
        return _WITH_PATH[name](path or None, device=device)
    raise ConfigError(
        "extractor must be inception2015, vgg16, efficientnet_lite0, torchscript:PATH, or one of "
        f"the first two with :PATH of its weights, got {spec!r}"
    )
