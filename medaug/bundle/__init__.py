"""What the configurations in ``bundles/`` and ``transforms/`` call.

Importing this under ``python -m monai.bundle`` makes a `UserError` end the program with one line
instead of MONAI's chain of tracebacks.
"""

from ._errors import install_under_monai_bundle
from ._inference import (
    ImageWriter,
    labels_of,
    load_generator,
    require_same_classes,
    trained_settings,
)
from ._overrides import as_bool, check_overrides
from ._pipeline import write_images
from ._run import announce, start_run
from ._workflow import find_root

__all__ = [
    "ImageWriter",
    "announce",
    "as_bool",
    "check_overrides",
    "find_root",
    "labels_of",
    "load_generator",
    "require_same_classes",
    "start_run",
    "trained_settings",
    "write_images",
]

install_under_monai_bundle()
