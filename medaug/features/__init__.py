"""Images in, vectors out: networks whose features the figures of `medaug.metrics` are made of.

`train_classifier` trains a small `DomainClassifier` on the real images of the domain itself, where
no weights of others are at hand; its features and classes judge generated images.
"""

from ._domain import DomainClassifier
from ._train import train_classifier

__all__ = ["DomainClassifier", "train_classifier"]
