"""Small evaluations, and a reader of pages."""

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import torch

from medaug.evaluation import (
    Answer,
    Estimate,
    Evaluation,
    Figure,
    LabelledImages,
    Neighbour,
    Projection,
    Verdict,
)

VOID = {"br", "img", "meta", "wbr"}
FIGURES = (
    Figure("fd_domain", "", Estimate(12.0, 10.0, 15.0), Estimate(6.0, 5.5, 6.5), "lower", 8),
    Figure("fd_domain_ratio", "", Estimate(0.5, 0.4, 0.6), Estimate(1.0), "higher", 8),
    Figure("kid_domain", "", Estimate(-2.1e-7, -1e-6, 1e-6), Estimate(0.0), "lower", 8),
    Figure("precision_k5_domain", "", Estimate(0.75, 0.6, 0.9), None, "higher", 8),
    Figure("vendi_domain", "", Estimate(3.0), Estimate(4.0), "higher", 8),
    Figure("mifid_domain", "", Estimate(float("inf")), Estimate(31.0), "lower", 8),
    Figure("msssim_w7_s0.95_4scales", "cat", Estimate(0.6, 0.5, 0.7), Estimate(0.4), "real", 4),
    Figure("vendi_thumbnail8", "dog", Estimate(float("nan")), Estimate(3.0), "real", 4),
    Figure("agreement_domain_32px", "cat", Estimate(0.9, 0.7, 1.0), Estimate(0.8), "higher", 4),
    Figure("authenticity_domain", "", Estimate(0.5, 0.3, 0.7), Estimate(0.5), "real", 8),
    Figure("made_up", "", Estimate(1234567.0), None, "lower", 8),
)
QUESTIONS = ("intra_class_collapse", "inter_class_collapse", "infidelity", "memorisation")


def images(count: int = 8, *, channels: int = 1, side: int = 12, seed: int = 0) -> LabelledImages:
    """Noise of two classes in turn."""
    random = torch.Generator().manual_seed(seed)
    return LabelledImages(
        torch.rand(count, channels, side, side, generator=random), torch.arange(count) % 2
    )


def sets(**options: int) -> dict[str, LabelledImages]:
    """Three sets of eight."""
    return {
        name: images(seed=seed, **options)
        for seed, name in enumerate(("train", "held_out", "synthetic"))
    }


def verdicts(*answers: Answer) -> tuple[Verdict, ...]:
    """Four verdicts with these answers."""
    return tuple(
        Verdict(name, f"Question {name}?", answer, (f"reason of {name}",))
        for name, answer in zip(QUESTIONS, answers, strict=True)
    )


def evaluation(**changes: Any) -> Evaluation:
    """Eight images a set, of cats and dogs."""
    points = tuple((float(k), float(k * k % 5)) for k in range(8))
    made = Evaluation(
        classes=("cat", "dog"),
        figures=FIGURES,
        verdicts=verdicts(Answer.YES, Answer.NO, Answer.UNKNOWN, Answer.NO),
        neighbours=tuple(Neighbour(k, 7 - k, k / 4) for k in range(5)),
        projection=Projection("domain", (0.5, 0.25), points, points, points),
        hyperscore=None,
        protocol={"domain": {"weights": "0123abc", "resize": "none"}},
        left_out={"vgg16": "no weights"},
        counts={"train": 8, "held_out": 8, "synthetic": 8},
        seed=7,
    )
    return replace(made, **changes)


class Page(HTMLParser):
    """A page's elements, text and faults.

    Attributes:
        faults: elements that are closed wrongly, or never.
        elements: (name, attributes) in order.
        words: text outside of the style sheet, with single blanks.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{name}> is never closed" for name in self._open]
        self.words = " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Match it with the innermost one that is open."""
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        """Keep what a reader sees."""
        if self._open and self._open[-1] != "style":
            self._texts.append(data)

    def all(self, name: str) -> list[dict[str, str]]:
        """Attributes of each element of a name."""
        return [attributes for element, attributes in self.elements if element == name]
