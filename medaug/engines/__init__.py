"""The engines that train GANs and classifiers, and what they are made of."""

from ._acgan import ACGANObjective
from ._augment import Augmentation, ClassicAugment, DiffAugment
from ._balance import ClassBalance
from ._best import BestNetwork
from ._cine_objective import CineObjective, Judged
from ._classifier import AutocastInferer, ClassifierTrainer
from ._distributed import local_device, on_first_rank, start_distributed, stop_distributed
from ._events import GanEvents, epochs
from ._gan import GanTrainer
from ._growth import Growth, Stage
from ._latents import prepare_latents
from ._objective import ConditionalObjective, DCGANObjective, Losses, Objective
from ._saver import BestModelSaver, ModelSaver, newest_first
from ._schedule import LinearDecay, WarmupCosine

__all__ = [
    "ACGANObjective",
    "Augmentation",
    "AutocastInferer",
    "BestModelSaver",
    "BestNetwork",
    "CineObjective",
    "ClassBalance",
    "ClassicAugment",
    "ClassifierTrainer",
    "ConditionalObjective",
    "DCGANObjective",
    "DiffAugment",
    "GanEvents",
    "GanTrainer",
    "Growth",
    "Judged",
    "LinearDecay",
    "Losses",
    "ModelSaver",
    "Objective",
    "Stage",
    "WarmupCosine",
    "epochs",
    "local_device",
    "newest_first",
    "on_first_rank",
    "prepare_latents",
    "start_distributed",
    "stop_distributed",
]
