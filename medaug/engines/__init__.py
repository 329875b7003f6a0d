"""The engine that trains GANs, and what it is made of."""

from ._augment import DiffAugment
from ._events import epochs
from ._gan import GanEvents, GanTrainer
from ._latents import prepare_latents
from ._objective import ACGANObjective, Losses, Objective
from ._saver import ModelSaver, write_atomically

__all__ = [
    "ACGANObjective",
    "DiffAugment",
    "GanEvents",
    "GanTrainer",
    "Losses",
    "ModelSaver",
    "Objective",
    "epochs",
    "prepare_latents",
    "write_atomically",
]
