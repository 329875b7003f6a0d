"""Images in, vectors out: networks whose features the figures of `medaug.metrics` are made of.

An `Extractor` is a frozen network with the name that its figures go by. `find_extractor` gives one
by its name: ``inception2015`` (the network of FID), ``vgg16``, ``efficientnet_lite0``, or any
TorchScript file; `find_weights` says where published weights are looked for. `domain` learns the
classes of the domain's own real images (`train_classifier`, a small `DomainClassifier`), where no
weights of others are at hand.
"""

from ._domain import DomainClassifier
from ._domain_extractor import domain
from ._extractor import Extractor, Features
from ._find import find_extractor
from ._imagenet import efficientnet_lite0, vgg16
from ._inception import inception2015
from ._torchscript import torchscript
from ._train import train_classifier
from ._vgg import VGG16_LAYERS, VGG16Maps
from ._weights import find as find_weights

__all__ = [
    "VGG16_LAYERS",
    "DomainClassifier",
    "Extractor",
    "Features",
    "VGG16Maps",
    "domain",
    "efficientnet_lite0",
    "find_extractor",
    "find_weights",
    "inception2015",
    "torchscript",
    "train_classifier",
    "vgg16",
]
