"""What networks are trained to minimise: adversarial losses, penalties, feature matching, DTCR."""

from ._adversarial import AdversarialLoss, HingeLoss, NonSaturatingLoss, RelativisticLoss
from ._feature_matching import feature_matching
from ._penalties import Penalty, R1Penalty, R2Penalty
from ._temporal import LinearWeight, TemporalConsistencyLoss, ValidatedWeight, weight_schedule

__all__ = [
    "AdversarialLoss",
    "HingeLoss",
    "LinearWeight",
    "NonSaturatingLoss",
    "Penalty",
    "R1Penalty",
    "R2Penalty",
    "RelativisticLoss",
    "TemporalConsistencyLoss",
    "ValidatedWeight",
    "feature_matching",
    "weight_schedule",
]
