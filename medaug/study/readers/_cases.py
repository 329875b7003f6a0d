"""The study as two files: the page for the readers, and the key, which they don't get."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..._files import write_atomically
from ...errors import ConfigError, DataError
from .._keys import read_json, write_json
from ._answers import SOURCES
from ._clips import CINES, KINDS, Clip, clip, common_size, draw
from ._page import page

PAGE, KEY = "reader_study.html", "key.json"
FORM = 1
USUAL_MS = 40.0
"""From frame to frame where no file says: 25 a second."""
SHOWN = 12
"""Hexadecimal digits of a study's name."""


class Written(NamedTuple):
    """What `write_page` has made.

    Attributes:
        page: for the readers.
        key: which case is what; not for the readers.
        study: the study's name, which page, key and answers share.
        image_size: side of all sequences, in pixels.
        notes: what may tell real and synthetic ones apart without looking at the picture.
    """

    page: Path
    key: Path
    study: str
    image_size: int
    notes: tuple[str, ...]


def write_page(
    real: Path,
    synthetic: Path,
    output: Path,
    *,
    number: int = 20,
    kind: str = CINES,
    image_size: int | None = None,
    seed: int = 0,
) -> Written:
    """Write ``reader_study.html``, which shows sequences, and ``key.json``, which knows them.

    Half are real. All are squares of one size, never enlarged, and of one range of grey (the 0.5th
    and the 99.5th percentile of each become black and white). They play at their own rate; where a
    file doesn't say it, at the median of those that do, else 25 frames a second. Their order comes
    from a hash of seed and pixels, so that nobody can work it out who only has the page, and the
    page would be the same, byte for byte, were real and synthetic swapped. It holds pixels and no
    file names; it needs no network and asks for none.

    Args:
        real: folder of multi-frame DICOM, folders of DICOM, or NIfTI; of any image for stills.
        synthetic: folder of generated ones, prepared as the real ones are.
        output: folder, made if it isn't there.
        number: of sequences, real and synthetic together; even.
        kind: one of `KINDS`.
        image_size: side in pixels; default the smallest side of all, at most 256.
        seed: of draw and order; all readers see the same order.

    Raises:
        ConfigError: `number`, `kind` or `image_size` is out of range.
        DataError: a folder isn't there or holds too few; two sequences are the same; another study
            is in `output`.
        UnreadableImageError: files can't be read.
        UserError: it can't be written.
    """
    if kind not in KINDS:
        raise ConfigError(f"--kind must be {' or '.join(KINDS)}, got {kind}")
    if number < 4 or number % 2:
        raise ConfigError(f"--number must be even and at least 4, got {number}")
    folders = (("--real", real), ("--synthetic", synthetic))
    paths = [
        path
        for name, folder in folders
        for path in draw(folder, number // 2, kind, name=name, seed=seed)
    ]
    size = common_size(paths, kind, image_size)
    clips = [clip(path, kind, size) for path in paths]
    order, study = _ordered(clips, paths, seed)
    notes = _notes(clips)
    head = {"form": FORM, "study": study, "kind": kind, "image_size": size, "seed": seed}
    key = head | {"notes": notes, "cases": _rows(clips, order)}
    _check_unused(output, key)
    text = page([clips[index] for index in order], _steps(clips, order), study, kind)
    write_json(output / KEY, key)
    write_atomically(output / PAGE, lambda part: part.write_text(text, encoding="utf-8"))
    return Written(output / PAGE, output / KEY, study, size, tuple(notes))


def _rows(clips: Sequence[Clip], order: Sequence[int]) -> list[dict[str, object]]:
    """What each case is; the first half of `clips` are real."""
    return [
        {
            "case": place,
            "source": SOURCES[index >= len(clips) // 2],
            "source_id": clips[index].source_id,
        }
        for place, index in enumerate(order, start=1)
    ]


def _ordered(clips: Sequence[Clip], paths: Sequence[Path], seed: int) -> tuple[list[int], str]:
    """Places of the sequences in the order of their hashes, and the study's name."""
    digests = [one.digest(seed) for one in clips]
    seen: dict[str, Path] = {}
    for digest, path in zip(digests, paths, strict=True):
        if digest in seen:
            raise DataError(f"sequences must differ, got the same pixels in {seen[digest]}, {path}")
        seen[digest] = path
    order = sorted(range(len(clips)), key=digests.__getitem__)
    name = hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()[:SHOWN]
    return order, name


def _steps(clips: Sequence[Clip], order: Sequence[int]) -> list[float]:
    """Milliseconds from frame to frame, of all."""
    known = [one.milliseconds for one in clips if one.milliseconds is not None]
    usual = float(np.median(known)) if known else USUAL_MS
    return [clips[index].milliseconds or usual for index in order]


def _notes(clips: Sequence[Clip]) -> list[str]:
    """Whether all sequences of one source are longer or slower than all of the other."""
    half = len(clips) // 2
    notes = []
    for what, unit, values in (
        ("length", "frames", [float(len(one.frames)) for one in clips]),
        ("pace", "ms a frame", [one.milliseconds for one in clips]),
    ):
        given = [value for value in values if value is not None]
        if len(given) < len(clips):
            continue
        real, made = given[:half], given[half:]
        if max(real) < min(made) or max(made) < min(real):
            notes.append(
                f"their {what} tells real and synthetic sequences apart: {_range(real)} and "
                f"{_range(made)} {unit}"
            )
    return notes


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _check_unused(output: Path, key: dict[str, object]) -> None:
    """Answers to another study couldn't be read any more without its key."""
    path = output / KEY
    if not path.exists():
        return
    found = read_json(path)
    if not isinstance(found, dict) or any(found.get(k) != key[k] for k in ("study", "cases")):
        raise DataError(
            f"--output must be a folder without another study's {KEY}, got {output}; without its "
            "key, that study's answers could not be read"
        )
