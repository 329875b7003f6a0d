"""Six questions about a generator of sequences."""

from collections.abc import Sequence
from math import isfinite

from ._ejection import NAME, NONE_ASKED
from ._features import distance_name
from ._figures import ALL, Estimate, Figure, find
from ._motion import BEAT, ENERGY, HARMONICS, STEP
from ._verdicts import Answer, Distance, Verdict, answer, infidelity, inter, intra, memorisation

MOTION = (0.7, 1.4)
"""Motion energies by those of real sequences: what HR-GAN-DTCR is to reach on the phantom."""
CORRELATION = 0.8
"""Of the ejection fraction read back with the one asked for: what is to be reached on the phantom
by HR-GAN-DTCR."""


def cine_verdicts(
    figures: Sequence[Figure], classes: Sequence[str], *, extractors: Sequence[str], judge: str
) -> tuple[Verdict, ...]:
    """Answer the questions from the figures of an evaluation; arguments as for images."""
    # alone: KID between sets drawn with the same modalities on both sides says too little
    distances = [
        Distance(name, f"{what} by {name}", f"{ratio}_ratio")
        for name in extractors
        for what, ratio in (("frames", distance_name(name)), ("clips", f"clip_fd_{name}"))
    ]
    return (
        _motion(figures, classes),
        intra(figures, classes, "sequences of a modality"),
        inter(figures, judge, "modalities"),
        infidelity(figures, distances, "sequences"),
        _copies(figures),
        _condition(figures),
    )


def _motion(figures: Sequence[Figure], classes: Sequence[str]) -> Verdict:
    """Any modality surely outside is bad; all together surely inside is good.

    Both as a whole, since hearts may flicker, and within few harmonics, since a still heart with
    noise changes as much as one that beats.
    """
    bad, inside, reasons = False, [], []
    for name, told in ((ENERGY, ""), (BEAT, f" within {HARMONICS} harmonics")):
        for scope in (ALL, *classes):
            found = find(figures, f"{name}_ratio", scope)
            if found is None:
                continue
            low, high = found.synthetic.ends
            bad |= high < MOTION[0] or low > MOTION[1]
            if scope == ALL:
                inside.append(MOTION[0] <= low and high <= MOTION[1])
            ratio = _ratio(found.synthetic)
            reasons.append(f"{scope or 'all'}: motion energy{told} {ratio} of real")
    step = find(figures, f"{STEP}_ratio")
    if step is not None:
        reasons.append(f"distance of consecutive frames by VGG16 {_ratio(step.synthetic)} of real")
    return Verdict(
        "motion",
        "Do the hearts stand still, or flicker?",
        answer(bad=bad, good=bool(inside) and all(inside)),
        tuple(reasons) or ("fewer than two sequences of each modality on a side",),
    )


def _copies(figures: Sequence[Figure]) -> Verdict:
    """Memorisation; one sequence that is a training sequence pixel by pixel is enough."""
    found = memorisation(figures, "sequences")
    nearest = find(figures, "psnr_to_nearest")
    if nearest is None or nearest.real is None:
        return found
    ours, theirs = nearest.synthetic.value, nearest.real.value
    if isfinite(ours) or not isfinite(theirs):
        told = f"PSNR to the nearest training sequence {ours:.1f} dB, of held-out ones {theirs:.1f}"
        return found._replace(reasons=(*found.reasons, told))
    told = "at least one is a training sequence, pixel by pixel"
    return found._replace(answer=Answer.YES, reasons=(told, *found.reasons))


def _condition(figures: Sequence[Figure]) -> Verdict:
    question = "Do the hearts disregard the ejection fraction that was asked for?"
    found = find(figures, f"{NAME}_correlation")
    if found is None:
        asked = find(figures, f"{NAME}_found") is not None
        why = "too few could be read" if asked else NONE_ASKED
        return Verdict("condition", question, Answer.UNKNOWN, (why,))
    low, high = found.synthetic.ends
    worse = found.real is not None and found.difference().high < 0
    reasons = [f"read back with a correlation of {_ratio(found.synthetic)}"]
    off = find(figures, f"{NAME}_difference")
    if off is not None:
        reasons.append(f"read less asked is {off.synthetic.value:+.2f} on average")
    if found.real is not None:
        reasons.append(f"of held-out ones, what is known with {_ratio(found.real)}")
    return Verdict(
        "condition",
        question,
        # where real hearts can't be read either, a low one is no fault
        answer(bad=high < CORRELATION and worse, good=low > CORRELATION),
        tuple(reasons),
    )


def _ratio(given: Estimate) -> str:
    low, high = given.ends
    return f"{given.value:.2f} ({low:.2f} to {high:.2f})"
