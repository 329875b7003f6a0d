"""What the configurations in ``bundles/`` and ``transforms/`` call.

Importing this under ``python -m monai.bundle`` makes a `UserError` end the program with one line
instead of MONAI's chain of tracebacks.
"""

from ._cine_evaluation_writer import CineEvaluationWriter
from ._cine_export import CineExport
from ._cine_inference import CineInferer, CineRequest, as_trained
from ._cine_writer import CineWriter
from ._classifier import (
    announce_classifier,
    as_pretrained,
    load_classifier,
    require_test_images,
    tell_figures,
    tell_origin,
    warn_of_other_data,
)
from ._classifier_export import ClassifierExport
from ._errors import install_under_monai_bundle
from ._evaluation_writer import EvaluationWriter
from ._export import export_model
from ._image_writer import ImageWriter, describe_model
from ._inference import (
    labels_of,
    load_generator,
    require_same_classes,
    trained_settings,
)
from ._overrides import as_bool, check_overrides
from ._pipeline import write_images
from ._probability_writer import ProbabilityWriter
from ._run import announce, as_resume, start_run
from ._training_set import training_set_hash, write_training_set
from ._workflow import find_root

__all__ = [
    "CineEvaluationWriter",
    "CineExport",
    "CineInferer",
    "CineRequest",
    "CineWriter",
    "ClassifierExport",
    "EvaluationWriter",
    "ImageWriter",
    "ProbabilityWriter",
    "announce",
    "announce_classifier",
    "as_bool",
    "as_pretrained",
    "as_resume",
    "as_trained",
    "check_overrides",
    "describe_model",
    "export_model",
    "find_root",
    "labels_of",
    "load_classifier",
    "load_generator",
    "require_same_classes",
    "require_test_images",
    "start_run",
    "tell_figures",
    "tell_origin",
    "trained_settings",
    "training_set_hash",
    "warn_of_other_data",
    "write_images",
    "write_training_set",
]

install_under_monai_bundle()
