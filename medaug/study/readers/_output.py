"""A reader study's result: in words, as JSON, and as ratings for HyperScore."""

import csv
import io
from math import isnan
from pathlib import Path
from typing import Any

from ..._files import write_atomically
from ...evaluation import Estimate
from ...metrics import Ratings, read_ratings
from ...metrics._ratings import COLUMNS
from .._keys import write_json
from ._answers import Answers, Key
from ._found import Found, Rated

RESULT, RATINGS = "readers.json", "ratings.csv"


def write_found(key: Key, answers: Answers, found: Found, folder: Path) -> Ratings:
    """Write ``readers.json``, and ``ratings.csv`` with the ratings of realism.

    Returns:
        What `medaug.metrics.read_ratings` finds in the second, as HyperScore takes it.

    Raises:
        UserError: they can't be written.
    """
    write_json(folder / RESULT, _plain(key, found))
    text = _table(key, answers)
    write_atomically(folder / RATINGS, lambda part: part.write_text(text, encoding="utf-8"))
    return read_ratings(folder / RATINGS)


def words(found: Found) -> str:
    """The result in a few lines."""
    count = len(found.readers)
    lines = [
        f"{count} reader{'s' if count != 1 else ''}, {found.real} real and {found.synthetic} "
        f"synthetic cases, {found.seconds:.0f} s for a case (median)",
        *(_rated_words(name, rated) for name, rated in found.ratings.items()),
        "",
        f"told apart: {_percent(found.told.all)}, where guessing has 50 %: {_verdict(found)}",
        f"  real taken for real: {_percent(found.told.real)}",
        f"  synthetic taken for synthetic: {_percent(found.told.synthetic)}",
        f"  agreement of the guesses: {_alpha(found.told.alpha)}",
        *(f"  {reader}: {_percent(one)}" for reader, one in found.told.by_reader.items()),
        "",
        "In brackets: 95 % intervals.",
    ]
    if count == 1:
        lines.append("One reader: the intervals are about other cases, not about other readers.")
    return "\n".join(lines)


def _rated_words(name: str, rated: Rated) -> str:
    parts = "; ".join(
        f"{what} {_ends(one, '.2f')}"
        for what, one in (
            ("real", rated.real),
            ("synthetic", rated.synthetic),
            ("difference", rated.difference),
        )
    )
    return f"{name}, 1 to 5: {parts}; agreement {_alpha(rated.alpha)}"


def _verdict(found: Found) -> str:
    low, high = found.told.all.ends
    if low > 0.5:
        return "more often than by guessing"
    if high < 0.5:
        return "less often than by guessing: they were taken for each other"
    return "not shown to differ from guessing"


def _alpha(one: Estimate) -> str:
    return "alpha undefined" if isnan(one.value) else f"alpha {_ends(one, '.2f')}"


def _ends(one: Estimate, form: str) -> str:
    if one.low is None or one.high is None:
        return f"{one.value:{form}}"
    return f"{one.value:{form}} ({one.low:{form}} to {one.high:{form}})"


def _percent(one: Estimate) -> str:
    low, high = one.ends
    return f"{100 * one.value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _plain(key: Key, found: Found) -> dict[str, Any]:
    told = found.told
    return {
        "study": key.study,
        "readers": list(found.readers),
        "cases": {"real": found.real, "synthetic": found.synthetic},
        "ratings": {
            name: {part: _numbers(one) for part, one in rated._asdict().items()}
            for name, rated in found.ratings.items()
        },
        "told_apart": {
            "all": _numbers(told.all),
            "real": _numbers(told.real),
            "synthetic": _numbers(told.synthetic),
            "alpha": _numbers(told.alpha),
            "by_reader": {reader: _numbers(one) for reader, one in told.by_reader.items()},
        },
        "seconds": found.seconds,
    }


def _numbers(one: Estimate) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {
        name: None if value is None or isnan(value) else value
        for name, value in one._asdict().items()
    }


def _table(key: Key, answers: Answers) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for reader, ratings in zip(answers.readers, answers.realism, strict=True):
        for case, (source, rating) in enumerate(zip(key.sources, ratings, strict=True), start=1):
            writer.writerow(
                {"image": case, "reader": reader, "source": source, "rating": f"{rating:g}"}
            )
    return text.getvalue()
