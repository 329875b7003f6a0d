"""Ejection fractions: read back from the picture, beside those asked for."""

from collections.abc import Sequence
from math import isnan

import numpy as np
from numpy.typing import NDArray

from ..metrics import ejection_fraction
from ._evaluation import Reading
from ._features import NORMAL, TINY, share
from ._figures import ALL, Estimate, Figure
from ._sequences import LabelledSequences

READABLE = {"mri": False, "ct": False, "ultrasound": True}
"""Modalities in which the cavity is told from its wall, and whether its blood is the dark part; an
X-ray shows the heart's shadow, which fades towards its border."""
LEAST = 4
"""Pairs without which a correlation has no interval."""
NONE_ASKED = "no ejection fraction was asked for in mri, ct or ultrasound, where it can be read"
NAME = "ejection_fraction"


def read_all(source: str, part: LabelledSequences, classes: Sequence[str]) -> list[Reading]:
    """What was asked for, or is known, of each readable sequence, and what is read from it.

    Args:
        source: "synthetic" or "real".
        part: the sequences.
        classes: modalities.
    """
    found = []
    for label, name in enumerate(classes):
        chosen = (part.labels == label) & ~part.ejection_fraction.isnan()
        if name.lower() not in READABLE or not chosen.any():
            continue
        some = part.only(chosen.nonzero().flatten())
        pictures = 1 - some.sequences if READABLE[name.lower()] else some.sequences
        values = ejection_fraction(pictures.clamp(0, 1)).tolist()
        pairs = zip(some.ejection_fraction.double().tolist(), values, strict=True)
        found += [Reading(source, name, asked, read) for asked, read in pairs]
    return found


def ejection_figures(made: Sequence[Reading], real: Sequence[Reading]) -> list[Figure]:
    """How often it can be read, how it correlates with what was asked for, and the mean difference.

    Over all modalities and by each, beside what is read from real sequences and known of them.
    """
    names = list(dict.fromkeys(one.scope for one in made))
    scopes = [ALL, *names] if len(names) > 1 else [ALL]
    figures = []
    for scope in scopes:
        sides = [[one for one in part if scope in (ALL, one.scope)] for part in (made, real)]
        n = min(map(len, sides)) or len(sides[0])
        for what, figure, better in (
            ("found", _found, "real"),
            ("correlation", _correlation, "higher"),
            ("difference", _difference, "real"),
        ):
            ours, theirs = map(figure, sides)
            if ours is not None:
                figures.append(Figure(f"{NAME}_{what}", scope, ours, theirs, better, n))
    return figures


def _found(readings: Sequence[Reading]) -> Estimate | None:
    if not readings:
        return None
    return share(float(np.mean([not isnan(one.read) for one in readings])), len(readings))


def _pairs(readings: Sequence[Reading]) -> NDArray[np.float64]:
    """(2, n): asked and read, of those that could be read."""
    told = [(one.asked, one.read) for one in readings if not isnan(one.read)]
    return np.array(told, dtype=np.float64).reshape(-1, 2).T


def _correlation(readings: Sequence[Reading]) -> Estimate | None:
    """Pearson's; interval by Fisher's z, whose deviation is 1 / √(n − 3) (Metron 1, 1921).

    0 where all read the same, whatever was asked for.
    """
    pairs = _pairs(readings)
    if pairs.shape[1] < LEAST or pairs[0].std() < TINY:
        return None
    value = float(np.corrcoef(*pairs).item(1)) if pairs[1].std() > TINY else 0.0
    z = np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12))
    reach = NORMAL / np.sqrt(pairs.shape[1] - 3)
    return Estimate(value, float(np.tanh(z - reach)), float(np.tanh(z + reach)))


def _difference(readings: Sequence[Reading]) -> Estimate | None:
    """Mean of read less asked."""
    asked, read = _pairs(readings)
    if len(asked) < LEAST:
        return None
    value = float((read - asked).mean())
    reach = float(NORMAL * (read - asked).std(ddof=1) / np.sqrt(len(asked)))
    return Estimate(value, value - reach, value + reach)
