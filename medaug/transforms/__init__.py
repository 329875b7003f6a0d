"""AIIN, adaptive input-image normalisation, as a function and as MONAI transforms.

`aiin` takes NumPy arrays, tensors and MetaTensors. `AIIN` is the transform over arrays and `AIINd`
the one over dictionaries; they fit into a MONAI ``Compose`` and into JSON configurations.
"""

from ._aiin import LookUps, aiin, apply_look_ups, fit_look_ups
from ._transforms import AIIN, AIIND, AIINd, AIINDict

__all__ = [
    "AIIN",
    "AIIND",
    "AIINDict",
    "AIINd",
    "LookUps",
    "aiin",
    "apply_look_ups",
    "fit_look_ups",
]
