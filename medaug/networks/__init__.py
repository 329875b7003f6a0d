"""Network architectures, one a file. Images are (N, C, H, W) in [0, 1] outside, ±1 inside."""

from ._acgan import ACGANDiscriminator, ACGANGenerator
from ._conditional import ConditionalDiscriminator, ConditionalGenerator
from ._dcgan import DCGANDiscriminator, DCGANGenerator
from ._layers import MinibatchStd, init_he_weights, init_weights

__all__ = [
    "ACGANDiscriminator",
    "ACGANGenerator",
    "ConditionalDiscriminator",
    "ConditionalGenerator",
    "DCGANDiscriminator",
    "DCGANGenerator",
    "MinibatchStd",
    "init_he_weights",
    "init_weights",
]
