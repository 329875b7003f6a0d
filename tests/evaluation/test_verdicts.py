"""Yes, no, or that the images can't tell."""

import pytest

from medaug.evaluation import Answer, Estimate, Figure
from medaug.evaluation._verdicts import _ratio, verdicts

CLASSES = ("a",)


def answer(name: str, *figures: Figure) -> Answer:
    """To one question, from those figures."""
    found = verdicts(figures, CLASSES, extractors=["x"], judge="j")
    return next(verdict.answer for verdict in found if verdict.name == name)


def similarity(gap: float, error: float, n: int = 50) -> Figure:
    """MS-SSIM of a class, beside a real one known exactly."""
    return Figure("msssim_w7", "a", Estimate(0.4 + gap, 0.4 + gap - error, 0.4 + gap + error),
                  Estimate(0.4), "real", n)  # fmt: skip


def variety(share: float, error: float, n: int = 50) -> Figure:
    """Vendi score of a class, beside a real one of 10."""
    ends = (10 * one for one in (share, share - error, share + error))
    return Figure("vendi_thumbnail8", "a", Estimate(*ends), Estimate(10.0), "real", n)


@pytest.mark.parametrize(
    ("alike", "kinds", "expected"),
    [
        (similarity(0.2, 0.05), variety(0.5, 0.1), Answer.YES),
        (similarity(0.2, 0.05), variety(0.9, 0.1), Answer.NO),  # as blur does
        (similarity(0.0, 0.05), variety(0.5, 0.1), Answer.NO),
        (similarity(0.1, 0.2), variety(0.6, 0.3), Answer.UNKNOWN),
        (similarity(0.2, 0.05, n=5), variety(0.5, 0.1, n=5), Answer.UNKNOWN),
    ],
)
def test_a_collapse_is_alike_and_of_fewer_kinds(
    alike: Figure, kinds: Figure, expected: Answer
) -> None:
    """Either alone is none."""
    assert answer("intra_class_collapse", alike, kinds) is expected


@pytest.mark.parametrize(
    ("score", "right", "expected"),
    [
        ((1.5, 1.4, 1.6), (0.4, 0.3, 0.5), Answer.YES),
        ((1.5, 1.4, 1.6), (0.8, 0.7, 0.9), Answer.NO),
        ((2.0, 1.5, 2.5), (0.7, 0.5, 0.9), Answer.UNKNOWN),
    ],
)
def test_leaving_out_classes_lowers_score_and_agreement(
    score: tuple[float, ...], right: tuple[float, ...], expected: Answer
) -> None:
    """Both at once."""
    figures = (
        Figure("is_j", "", Estimate(*score), Estimate(2.0), "higher", 50),
        Figure("agreement_j", "", Estimate(*right), Estimate(0.8), "higher", 50),
    )
    assert answer("inter_class_collapse", *figures) is expected


@pytest.mark.parametrize(
    ("ratio", "kid", "expected"),
    [
        ((0.5, 0.4, 0.6), (0.1, 0.05, 0.15), Answer.YES),
        ((0.95, 0.8, 1.1), (0.1, 0.05, 0.15), Answer.NO),
        ((0.8, 0.7, 0.88), (0.1, -0.1, 0.3), Answer.UNKNOWN),
    ],
)
def test_infidelity_is_beyond_the_floor(
    ratio: tuple[float, ...], kid: tuple[float, ...], expected: Answer
) -> None:
    """By Fréchet distance and KID both."""
    figures = (
        Figure("fd_x_ratio", "", Estimate(*ratio), Estimate(1.0), "higher", 50),
        Figure("kid_x", "", Estimate(*kid), Estimate(0.0), "lower", 50),
    )
    assert answer("infidelity", *figures) is expected


def test_what_only_a_classifier_saw_is_said_to_be_so() -> None:
    """It found an ACGAN's images as good as real ones that EfficientNet-Lite0 told apart."""
    figures = [
        Figure("fd_domain_ratio", "", Estimate(0.95, 0.8, 1.1), Estimate(1.0), "higher", 50),
        Figure("kid_domain", "", Estimate(0.1, 0.05, 0.15), Estimate(0.0), "lower", 50),
    ]
    found = verdicts(figures, CLASSES, extractors=["domain"], judge="j")[2]
    assert found.answer is Answer.NO
    assert "judge by efficientnet_lite0, too" in found.reasons[-1]


@pytest.mark.parametrize(
    ("share", "expected"),
    [((0.2, 0.1, 0.3), Answer.YES), ((0.65, 0.55, 0.75), Answer.NO),
     ((0.5, 0.3, 0.7), Answer.UNKNOWN)],
)  # fmt: skip
def test_copies_are_nearer_than_held_out_images(share: tuple[float, ...], expected: Answer) -> None:
    """Beside what held-out images give, never in absolute terms."""
    figure = Figure("authenticity_thumbnail8", "", Estimate(*share), Estimate(0.7), "real", 50)
    assert answer("memorisation", figure) is expected


def test_without_figures_nothing_is_said() -> None:
    """Neither yes nor no."""
    found = verdicts([], CLASSES, extractors=["x"], judge="j")
    assert {verdict.answer for verdict in found} == {Answer.UNKNOWN}


def test_the_interval_of_a_difference() -> None:
    """Newcombe 1998, table II: 56 of 70 less 48 of 80 by Wilson's intervals, 0.0524 to 0.3339."""
    ours = Estimate(56 / 70, 0.6917, 0.8769)
    theirs = Estimate(48 / 80, 0.4905, 0.7000)
    gap = Figure("share", "", ours, theirs, "higher", 70).difference()
    assert (gap.low, gap.high) == pytest.approx((0.0524, 0.3339), abs=2e-4)


def test_the_interval_of_a_ratio() -> None:
    """Exact where the real figure is known exactly."""
    figure = Figure("score", "", Estimate(5.0, 4.0, 6.0), Estimate(10.0), "higher", 50)
    assert _ratio(figure) == pytest.approx((0.5, 0.4, 0.6))
