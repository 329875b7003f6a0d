"""Procedural chest X-rays: a thorax drawn patient by patient, imaged by Beer–Lambert's law.

`chest_xrays` makes a whole data set of DICOM files once and returns its folder;
`simulate_chest_xray` makes one image, with the truth about lungs and lesion.
"""

from ._anatomy import Anatomy, draw_anatomy
from ._collection import PHANTOM_VERSION, chest_xrays
from ._xray import ChestXRayPhantom, simulate_chest_xray

__all__ = [
    "PHANTOM_VERSION",
    "Anatomy",
    "ChestXRayPhantom",
    "chest_xrays",
    "draw_anatomy",
    "simulate_chest_xray",
]
