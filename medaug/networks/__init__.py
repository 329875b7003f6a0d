"""Network architectures, one a file. Images are (N, C, H, W) in [0, 1] outside, ±1 inside."""

from ._acgan import ACGANDiscriminator, ACGANGenerator
from ._cine import CineGenerator
from ._cine_discriminators import ClipDiscriminator, FrameDiscriminator
from ._classifier import ImageClassifier, RawClassifier, image_classifier
from ._conditional import ConditionalDiscriminator, ConditionalGenerator
from ._dcgan import DCGANDiscriminator, DCGANGenerator
from ._growing import LADDER, GrowingNetwork, fade_in
from ._layers import MinibatchStd, init_he_weights, init_weights

__all__ = [
    "LADDER",
    "ACGANDiscriminator",
    "ACGANGenerator",
    "CineGenerator",
    "ClipDiscriminator",
    "ConditionalDiscriminator",
    "ConditionalGenerator",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "FrameDiscriminator",
    "GrowingNetwork",
    "ImageClassifier",
    "MinibatchStd",
    "RawClassifier",
    "fade_in",
    "image_classifier",
    "init_he_weights",
    "init_weights",
]
