"""Small, unbalanced medical image sets: normalise, synthesise, and measure whether it helped.

The packages are loaded when first used, so that ``import medaug`` costs next to nothing:

- `medaug.transforms`: AIIN, the paper's adaptive input-image normalisation
- `medaug.networks`, `medaug.losses`, `medaug.engines`: GANs and the engine that trains them
- `medaug.data`, `medaug.phantoms`: readers, patient splits, procedural images
- `medaug.features`, `medaug.metrics`: networks that give vectors; figures over vectors and images
- `medaug.evaluation`, `medaug.report`: figures with intervals and floors, verdicts, and their page
- `medaug.handlers`: what watches a training
- `medaug.study`: do synthetic images help a classifier?
- `medaug.bundle`: what the configurations in ``bundles/`` call
"""

from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

__all__ = [
    "bundle",
    "data",
    "engines",
    "errors",
    "evaluation",
    "features",
    "handlers",
    "losses",
    "metrics",
    "networks",
    "phantoms",
    "report",
    "study",
    "transforms",
]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'medaug' has no attribute {name!r}; it has {__all__}")
    return import_module(f".{name}", __name__)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
