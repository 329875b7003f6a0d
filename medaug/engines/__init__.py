"""The engine that trains GANs, and what it is made of."""

from ._acgan import ACGANObjective
from ._augment import Augmentation, DiffAugment
from ._distributed import local_device, on_first_rank, start_distributed, stop_distributed
from ._events import GanEvents, epochs
from ._gan import GanTrainer
from ._latents import prepare_latents
from ._objective import ConditionalObjective, DCGANObjective, Losses, Objective
from ._saver import BestModelSaver, ModelSaver, newest_first
from ._schedule import LinearDecay

__all__ = [
    "ACGANObjective",
    "Augmentation",
    "BestModelSaver",
    "ConditionalObjective",
    "DCGANObjective",
    "DiffAugment",
    "GanEvents",
    "GanTrainer",
    "LinearDecay",
    "Losses",
    "ModelSaver",
    "Objective",
    "epochs",
    "local_device",
    "newest_first",
    "on_first_rank",
    "prepare_latents",
    "start_distributed",
    "stop_distributed",
]
