"""Readers, data lists and loaders: from files to float32 images in [0, 1], split by patient.

`RadiographReader` reads one radiograph, `ImageCollection` finds, checks and splits a user's
images, `images_in` lists those of a folder without classes, `CachedDataset` and
`ClassBalancedSampler` feed a training that gives the same numbers however many workers it has,
and `LatentDataset` feeds a generator.
"""

from . import limits
from ._collection import ImageCollection
from ._dataset import CachedDataset
from ._folder import images_in
from ._latent import LatentDataset
from ._radiograph import RadiographReader
from ._sampler import ClassBalancedSampler

__all__ = [
    "CachedDataset",
    "ClassBalancedSampler",
    "ImageCollection",
    "LatentDataset",
    "RadiographReader",
    "images_in",
    "limits",
]
