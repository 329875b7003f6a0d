"""What the losses of a GAN alone give cause to suspect."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

import numpy as np

logger = logging.getLogger("medaug")

WINDOW = 100
"""Iterations that losses are looked at together."""
FEWEST = 10
"""Values of a figure in a window; a generator that is stepped more rarely isn't judged."""
LASTING = 2
"""Windows that a level must last, and that a sign must be gone to be over: in the first hundred
iterations the discriminator leads in healthy runs, too."""
SURE = 0.05
"""Loss_D, median: nearly no mistakes, by any of the three adversarial losses. Healthy runs: 0.33
and more after the first window."""
LOST = 7.0
"""Loss_G, median: one made image in a thousand passes, exp(-7), or seven times the hinge's margin.
Healthy runs: up to 4.3 after the first window; diverging ones: 60 to 1,600."""
WIDER = 4.0
"""Range of a loss by the median of those before. Healthy runs: up to 1.9; a diverging one: 9."""
EARLIER = 5
"""Windows that make a median to compare with."""
GUIDE = "docs/how-to/read-a-training.md"

HEADINGS = {
    "d_loss": "Loss_D",
    "g_loss": "Loss_G",
    "d_real": "D(x)",
    "d_fake_before": "D(G(z))",
    "score_real": "score(x)",
    "score_fake_before": "score(G(z))",
}
"""Output key to its heading, in the terms of the GAN literature."""
LOSSES = ("d_loss", "g_loss")
PAIRS = (("d_real", "d_fake_before"), ("score_real", "score_fake_before"))

Values = dict[str, list[float]]
Finding = tuple[bool, str]
"""Whether a window has a sign, and its figures."""


@dataclass
class LossWatch:
    """Look at losses, window by window; all that the next word depends on, in plain values.

    Attributes:
        window: figures of the window under way.
        ranges: of the losses, in the windows before.
        counts: windows in a row that had a sign, or, below 0, had not.
        ringing: signs that have been warned of and aren't over.
    """

    window: Values = field(default_factory=dict)
    ranges: Values = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    ringing: list[str] = field(default_factory=list)

    def add(self, output: Mapping[str, float], iteration: int) -> None:
        """Take an iteration's figures; those that are missing or aren't numbers are passed over."""
        for name in HEADINGS:
            if isfinite(output.get(name, float("nan"))):
                self.window.setdefault(name, []).append(output[name])
        if iteration % WINDOW == 0:
            self._look(iteration)

    def _look(self, iteration: int) -> None:
        whole = {name: part for name, part in self.window.items() if len(part) >= FEWEST}
        for name, sign in SIGNS.items():
            found = sign.find(whole, self.ranges)
            if found is not None:
                self._count(name, *found, iteration)
        for loss in whole.keys() & LOSSES:
            self.ranges.setdefault(loss, []).append(spread(whole[loss]))
        self.window = {}

    def _count(self, name: str, there: bool, figures: str, iteration: int) -> None:
        sign, before = SIGNS[name], self.counts.get(name, 0)
        count = self.counts[name] = max(before, 0) + 1 if there else min(before, 0) - 1
        if name not in self.ringing and count >= sign.lasting:
            self.ringing.append(name)
            logger.warning(
                "losses up to iteration %d suggest that %s: %s; losses alone are unreliable: look "
                "at the samples and, if they are bad, %s (%s)",
                *(iteration, sign.meaning, figures, sign.remedy, GUIDE),
            )
        elif name in self.ringing and count <= -LASTING:
            self.ringing.remove(name)
            logger.warning(
                "losses up to iteration %d no longer suggest that %s: %s",
                *(iteration, sign.meaning, figures),
            )


def spread(values: list[float]) -> float:
    """From the 5th to the 95th percentile: of a single spike runs recover."""
    low, high = np.percentile(values, [5, 95])
    return float(high - low)


def _won(window: Values, _: Values) -> Finding | None:
    # One of the two is enough: label smoothing keeps Loss_D above 0, the hinge Loss_G low.
    if not window.keys() >= set(LOSSES):
        return None
    made, passed = (float(np.median(window[loss])) for loss in LOSSES)
    return made < SURE or passed > LOST, _listed(LOSSES, (made, passed), "medians")


def _blind(window: Values, _: Values) -> Finding | None:
    for names in PAIRS:
        if window.keys() >= set(names):
            real, made = (float(np.mean(window[name])) for name in names)
            return made >= real, _listed(names, (real, made), "means")
    return None


def _unstable(window: Values, ranges: Values) -> Finding | None:
    ratios = {}
    for loss in LOSSES:
        before = ranges.get(loss, [])
        usual = float(np.median(before)) if len(before) >= EARLIER else 0.0
        if usual > 0 and loss in window:
            ratios[loss] = spread(window[loss]) / usual
    if not ratios:
        return None
    there = max(ratios.values()) > WIDER
    return there, _listed(ratios, ratios.values(), "ranges by the median of those before")


def _listed(names: Iterable[str], values: Iterable[float], what: str) -> str:
    pairs = zip(names, values, strict=True)
    return f"{', '.join(f'{HEADINGS[name]} {value:.3g}' for name, value in pairs)} ({what})"


class Sign(NamedTuple):
    """What a window of losses can show.

    Attributes:
        find: takes a window and the ranges before it; None where it can't be told.
        lasting: windows in a row that it takes.
        meaning: what it usually stands for.
        remedy: what to do.
    """

    find: Callable[[Values, Values], Finding | None]
    lasting: int
    meaning: str
    remedy: str


SIGNS: dict[str, Sign] = {
    "won": Sign(
        _won,
        LASTING,
        "the discriminator has won and the generator learns little (divergence)",
        "lower the discriminator's learning rate, or put augmentation and R1 back",
    ),
    "blind": Sign(
        _blind,
        LASTING,
        "the discriminator finds made images as real as real ones (often mode collapse)",
        "strengthen the discriminator, or add minibatch_std, augmentation or R1",
    ),
    "unstable": Sign(
        _unstable,
        1,
        "the training is unstable, its losses swinging more widely than before",
        "lower both learning rates, or add R1",
    ),
}
