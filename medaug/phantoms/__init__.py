"""Procedural chest X-rays and beating hearts, drawn patient by patient, with the truth beside.

`chest_xrays` makes a whole data set of DICOM files once and returns its folder;
`simulate_chest_xray` makes one image, by Beer–Lambert's law, with the truth about lungs and
lesion. `cardiac_cines` does so with cines of the heart's short axis, as DICOM and NIfTI;
`simulate_cine` makes one, with its masks and its ejection fraction.
"""

from ._anatomy import Anatomy, draw_anatomy
from ._collection import PHANTOM_VERSION, chest_xrays
from ._heart import HEART_SEGMENTS, Heart, cavity_volume, draw_heart
from ._heart_cine import CINE_MODALITIES, CinePhantom, simulate_cine
from ._heart_collection import CINE_PHANTOM_VERSION, cardiac_cines
from ._xray import ChestXRayPhantom, simulate_chest_xray

__all__ = [
    "CINE_MODALITIES",
    "CINE_PHANTOM_VERSION",
    "HEART_SEGMENTS",
    "PHANTOM_VERSION",
    "Anatomy",
    "ChestXRayPhantom",
    "CinePhantom",
    "Heart",
    "cardiac_cines",
    "cavity_volume",
    "chest_xrays",
    "draw_anatomy",
    "draw_heart",
    "simulate_chest_xray",
    "simulate_cine",
]
