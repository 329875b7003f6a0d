"""A study's result as files: a page, a table, and all of it for other programs."""

import csv
import io
from pathlib import Path
from typing import Any

from .._files import write_atomically
from ._config import plain_study
from ._keys import versions, write_json
from ._page import page
from ._result import ArmResult, Pair, StudyResult
from ._words import conclusion


def write_study(result: StudyResult, folder: Path) -> Path:
    """Write ``study.html``, ``study.csv`` and ``study.json``; returns the page.

    They name no file and no patient, and hold no image.

    Raises:
        UserError: they can't be written.
    """
    path = folder / "study.html"
    text = page(result)
    table = _csv(result)
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))
    write_atomically(folder / "study.csv", lambda part: part.write_text(table, encoding="utf-8"))
    write_json(folder / "study.json", _plain(result))
    return path


def _csv(result: StudyResult) -> str:
    text = io.StringIO(newline="")
    rows = [_row(result, one) for one in result.arms]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(result: StudyResult, one: ArmResult) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": one.arm.name, "seeds": len(one.seeds)}
    for where, figures in (("", one.figures), ("external_", one.external)):
        for name, found in figures.items():
            row[f"{where}{name}"] = round(found.difference, 5)
            row |= {f"{where}{name}_low": round(found.low, 5)}
            row |= {f"{where}{name}_high": round(found.high, 5)}
    row |= {name: value for name, value in one.quality.items()}
    pair = next((p for p in result.pairs if p.arm == one.arm.name and not p.control), None)
    if pair is not None and pair.difference is not None:
        found = pair.difference
        row |= {"against": pair.against, "difference": round(found.difference, 5)}
        row |= {"difference_low": round(found.low, 5), "difference_high": round(found.high, 5)}
        row |= {"p_value": found.p_value, "p_value_holm": pair.corrected}
        row |= {"verdict": str(pair.verdict)}
    why = one.note or "; ".join(dict.fromkeys(one.failed.values()))
    return row | ({"failed": why} if why else {})


def _plain(result: StudyResult) -> dict[str, Any]:
    return {
        "study": plain_study(result.study),
        "conclusion": conclusion(result),
        "classes": list(result.classes),
        "counts": {split: list(counts) for split, counts in result.counts.items()},
        "test_patients": result.patients,
        "arms": [
            {
                "name": one.arm.name,
                "seeds": list(one.seeds),
                "figures": {name: found._asdict() for name, found in one.figures.items()},
                "external": {name: found._asdict() for name, found in one.external.items()},
                "training_images": list(one.counts),
                "quality": dict(one.quality),
                "failed": {str(seed): why for seed, why in one.failed.items()},
                "note": one.note,
            }
            for one in result.arms
        ],
        "comparisons": [_plain_pair(one) for one in result.pairs],
        "shortcuts": [one._asdict() for one in result.shortcuts],
        "weights": result.weights and result.weights._asdict(),
        "weights_note": result.weights_note,
        "versions": versions(),
        "seconds": result.seconds,
    }


def _plain_pair(pair: Pair) -> dict[str, Any]:
    plain = pair._asdict()
    for name in ("difference", "external"):
        plain[name] = plain[name] and plain[name]._asdict()
    return plain | {"verdict": str(pair.verdict), "mcnemar": list(pair.mcnemar)}
