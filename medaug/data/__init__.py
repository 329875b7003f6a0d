"""Readers, data lists and loaders: from files to float32 images in [0, 1], split by patient.

`RadiographReader` reads one radiograph, `CineReader` slices over time; `LoadRadiograph`,
`LoadCine` and their dictionary versions do so as transforms without MONAI's `LoadImage`.
`cines_in` lists the cines of a folder, `CineCollection` finds, checks and splits a user's, and
`CinePyramid` with `StageBatchSampler` feeds a training that grows. `ImageCollection` finds, checks
and splits a user's images, `PictureCollection` offers digits, MNIST and CelebA in the same form,
which `LoadPictured` turns into tensors, `images_in` lists those of a folder without classes,
`CachedDataset` and `ClassBalancedSampler` feed a training that gives the same numbers however many
workers it has, and `LatentDataset` feeds a generator, whose images `write_synthetic` and whose
sequences `write_synthetic_cine` write, marked as synthetic.
"""

from . import limits
from ._cine.reader import CineReader
from ._cine_collection import CineCollection
from ._cine_load import LoadCine, LoadCined
from ._cine_pyramid import CinePyramid
from ._cines import cines_in
from ._collection import ImageCollection
from ._dataset import CachedDataset
from ._folder import images_in
from ._labelled import labelled_images
from ._latent import LatentDataset
from ._load import LoadRadiograph, LoadRadiographd
from ._pictures.collection import PictureCollection
from ._pictures.load import LoadPictured
from ._provenance import Provenance
from ._radiograph import RadiographReader
from ._sampler import ClassBalancedSampler
from ._stages import StageBatchSampler
from ._synthetic import SYNTHETIC_SUFFIXES, write_synthetic
from ._synthetic_cine import CINE_FORMATS, write_synthetic_cine

__all__ = [
    "CINE_FORMATS",
    "SYNTHETIC_SUFFIXES",
    "CachedDataset",
    "CineCollection",
    "CinePyramid",
    "CineReader",
    "ClassBalancedSampler",
    "ImageCollection",
    "LatentDataset",
    "LoadCine",
    "LoadCined",
    "LoadPictured",
    "LoadRadiograph",
    "LoadRadiographd",
    "PictureCollection",
    "Provenance",
    "RadiographReader",
    "StageBatchSampler",
    "cines_in",
    "images_in",
    "labelled_images",
    "limits",
    "write_synthetic",
    "write_synthetic_cine",
]
