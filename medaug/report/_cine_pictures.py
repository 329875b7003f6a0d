"""Film strips and M-modes as pictures inside the page."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..evaluation import Evaluation, LabelledSequences, Neighbour
from ..metrics import m_mode
from ._html import Markup, tag
from ._numbers import number
from ._pictures import data_uri, levels_of

OF_A_MODALITY, NEAREST = 3, 4
FRAMES, SIDE, GAP = 8, 96, 2
"""Of a strip: how many, and pixels of each and between them."""
CYCLES = 3
"""Of an M-mode."""
SHARE = 4
"""A strip is so many times as wide as the M-mode beside it."""
STYLE = f"""
.cines {{ display: grid; gap: 1.1rem; margin-top: .4rem; }}
.cine {{ background: var(--card); border: 1px solid var(--edge); border-radius: .6rem;
  padding: .7rem .9rem; break-inside: avoid; }}
.cine figcaption {{ font-size: .9rem; margin: 0 0 .4rem; }}
.row {{ display: grid; grid-template-columns: 5rem minmax(0, {SHARE}fr) minmax(0, 1fr);
  gap: .6rem; align-items: center; margin-top: .35rem; }}
.row > span {{ color: var(--soft); font-size: .85rem; }}
.row img {{ display: block; width: 100%; height: auto; background: #000; }}
@media (max-width: 40rem) {{
  .row {{ grid-template-columns: minmax(0, {SHARE}fr) minmax(0, 1fr); gap: .3rem; }}
  .row > span {{ grid-column: 1 / -1; }}
}}
"""


def film_strips(
    evaluation: Evaluation, train: LabelledSequences, synthetic: LabelledSequences
) -> Markup:
    """Some generated sequences of each modality, each above its nearest training sequence."""
    random = np.random.default_rng(evaluation.seed)
    partners = {one.synthetic: one for one in evaluation.neighbours}
    sections = []
    for label, modality in enumerate(evaluation.classes):
        own = random.permutation(np.flatnonzero(synthetic.labels.numpy() == label))
        chosen = sorted(own[:OF_A_MODALITY].tolist())
        if chosen:
            pairs = (_pair(modality, partners[k], train, synthetic) for k in chosen)
            content = tag("div", pairs, class_="cines")
            sections.append(tag("section", tag("h3", modality), content, class_="class"))
    return tag("div", sections)


def nearest_strips(
    evaluation: Evaluation, train: LabelledSequences, synthetic: LabelledSequences
) -> Markup:
    """The generated sequences that come nearest to training sequences."""
    nearest = sorted(evaluation.neighbours, key=lambda one: one.ratio)[:NEAREST]
    names = [evaluation.classes[int(synthetic.labels[one.synthetic])] for one in nearest]
    pairs = (
        _pair(name, one, train, synthetic, "nearest, ")
        for name, one in zip(names, nearest, strict=True)
    )
    return tag("div", pairs, class_="cines")


def _pair(
    modality: str,
    one: Neighbour,
    train: LabelledSequences,
    synthetic: LabelledSequences,
    before: str = "",
) -> Markup:
    """A generated sequence above a training sequence; `before` tells alternative texts apart."""
    asked = float(synthetic.ejection_fraction[one.synthetic])
    told = "" if np.isnan(asked) else f", asked for an ejection fraction of {asked:.2f}"
    known = float(train.ejection_fraction[one.train])
    rest = "" if np.isnan(known) else f" (ejection fraction {known:.2f})"
    name = f"{before}{modality}, generated number {one.synthetic + 1}"
    moved = train.sequences[one.train].roll(-one.shift, 1)
    return tag(
        "figure",
        tag(
            "figcaption",
            tag("b", f"Number {one.synthetic + 1}"),
            f" ({modality}{told}). Distance to the training sequence below{rest}: ",
            tag("b", number(one.ratio)),
        ),
        _row("generated", synthetic.sequences[one.synthetic], name),
        _row("training", moved, f"training sequence nearest to {name}"),
        class_="cine",
    )


def _row(words: str, sequence: Tensor, name: str) -> Markup:
    return tag("div", tag("span", words), *_pictures(sequence, name), class_="row")


def _pictures(sequence: Tensor, name: str) -> Iterator[Markup]:
    strip = film_strip(sequence)
    height, width = strip.shape[1] * SHARE, strip.shape[2]
    beside = F.interpolate(
        m_mode_picture(sequence)[None], (height, width), mode="bilinear", align_corners=False
    )[0]
    for made, words in ((strip, "Film strip"), (beside, "M-mode")):
        rows, columns = made.shape[1:]
        source = data_uri(levels_of(made))
        yield tag("img", src=source, alt=f"{words}: {name}", width=columns, height=rows)


def film_strip(sequence: Tensor) -> Tensor:
    """(1, T, H, W) as (1, height, width): frames evenly spaced in time, side by side."""
    length = sequence.shape[1]
    count = min(FRAMES, length)
    frames = sequence[0, [k * length // count for k in range(count)], None].float()
    scale = SIDE / max(frames.shape[2:])
    if scale < 1:
        height, width = (max(1, round(side * scale)) for side in frames.shape[2:])
        frames = F.adaptive_avg_pool2d(frames, (height, width))
    spaced = F.pad(frames, (0, GAP), value=1.0)[:, 0]
    return torch.cat(list(spaced), dim=1)[None, :, :-GAP]


def m_mode_picture(sequence: Tensor) -> Tensor:
    """(1, T, H, W) as (1, L, T · cycles): the row through the middle, from below to above."""
    height, width = sequence.shape[2:]
    middle = (height - 1) / 2
    found = m_mode(sequence.clamp(0, 1), ((middle, 0.0), (middle, width - 1.0)),
                   num_points=min(width, SIDE))  # fmt: skip
    return found.T.flip(0).repeat(1, CYCLES)[None].float()
