"""AIIN, adaptive input-image normalisation, as a function, as MONAI transforms and as a layer.

`aiin` takes NumPy arrays, tensors and MetaTensors; `fit_look_ups` and `apply_look_ups` are its two
halves. `AIIN` and `RandAIIN` are transforms over arrays, `AIINd` and `RandAIINd` those over
dictionaries, for a MONAI ``Compose`` and for JSON configurations. `AIINLayer` is a module that
scripts and exports.
"""

from ._aiin import LookUps, aiin, apply_look_ups, fit_look_ups
from ._layer import AIINLayer
from ._random import RandAIIN, RandAIIND, RandAIINd, RandAIINDict
from ._transforms import AIIN, AIIND, AIINd, AIINDict

__all__ = [
    "AIIN",
    "AIIND",
    "AIINDict",
    "AIINLayer",
    "AIINd",
    "LookUps",
    "RandAIIN",
    "RandAIIND",
    "RandAIINDict",
    "RandAIINd",
    "aiin",
    "apply_look_ups",
    "fit_look_ups",
]
