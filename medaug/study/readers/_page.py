"""The readers' page: one HTML file with pixels, questions and the script that asks them."""

import base64
import hashlib
import json
from collections.abc import Sequence

from ...report._html import Child, Markup, join, tag
from ...report._pictures import data_uri
from ...report._style import STYLE
from ._answers import COLUMNS, CONSISTENCY, GUESS, HIGHEST, LOWEST, REALISM, SOURCES
from ._clips import CINES, Clip, sheet
from ._script import SCRIPT
from ._style import READERS_STYLE

TITLE = "Real or synthetic?"
KEYS = (
    ("1 – 5", "rate; the next question follows"),
    ("R  S", "real, synthetic"),
    ("↑ ↓", "the question before, the one after"),
    ("Enter", "next case, once all three are answered"),
    ("Backspace", "the case before"),
)
PLAYING = (("Space", "pause, play"), ("← →", "one frame back, one on"))
HOLDS = "This page holds images of patients. Handle it as you handle those."


def page(clips: Sequence[Clip], steps: Sequence[float], study: str, kind: str) -> str:
    """The page's HTML.

    Args:
        clips: in the order of the cases.
        steps: milliseconds from frame to frame, of each.
        study: its name.
        kind: one of `KINDS`.
    """
    content = {
        "study": study,
        "size": clips[0].frames.shape[1],
        "columns": list(COLUMNS),
        "cases": [_case(one, step) for one, step in zip(clips, steps, strict=True)],
    }
    body = tag(
        "body",
        tag("main", _start(len(clips), kind), _view(kind), _end(len(clips))),
        tag("p", class_="toast", id="said", role="status", hidden=""),
        tag("script", Markup(json.dumps(content)), type="application/json", id="content"),
        tag("script", Markup(SCRIPT)),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(), body, lang='en')}\n"


def _case(one: Clip, step: float) -> dict[str, object]:
    picture, columns = sheet(one.frames)
    return {
        "frames": len(one.frames),
        "ms": max(1, round(step)),
        "columns": columns,
        "picture": data_uri(picture),
    }


def _head() -> Markup:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name_="robots", content="noindex"),
        tag("title", TITLE),
        tag("style", Markup(STYLE + READERS_STYLE)),
    )


def _start(count: int, kind: str) -> Markup:
    what = "sequences" if kind == CINES else "images"
    return tag(
        "section",
        tag("h1", TITLE),
        tag(
            "p",
            f"You will see {count} {what}, one at a time: some real, some made by a computer, "
            "mixed by chance. Say of each how real it looks, how well it fits together, and which "
            "of the two you take it for. There is no time limit, and you can go back.",
            class_="summary",
        ),
        tag("p", HOLDS, class_="notice"),
        tag(
            "form",
            tag("label", "Your reader code", for_="code"),
            tag("p", "As you were given it, such as R1. Not your name.", class_="soft", id="hint"),
            tag(
                "div",
                Markup(
                    '<input id="code" required maxlength="20" autocomplete="off" '
                    'autocapitalize="characters" spellcheck="false" '
                    'pattern="[A-Za-z0-9][A-Za-z0-9_\\-]*" aria-describedby="hint" '
                    'title="letters, digits, - and _">'
                ),
                tag("button", "Begin", type="submit", class_="main"),
                class_="line",
            ),
            id="form",
            class_="card",
        ),
        tag("h2", "Keys"),
        _keys(kind),
        tag(
            "p",
            "Answers stay in this browser, by reader code, until you save them as a file; closing "
            "the page loses nothing. Nothing is sent anywhere: give the file to whoever gave you "
            "this page.",
            class_="lead",
        ),
        id="start",
    )


def _keys(kind: str) -> Markup:
    shown = (*KEYS, *(PLAYING if kind == CINES else ()))
    pairs = (
        tag("div", tag("dt", (tag("kbd", key) for key in keys.split("  "))), tag("dd", meaning))
        for keys, meaning in shown
    )
    return tag("dl", pairs, class_="keys")


def _view(kind: str) -> Markup:
    fits = (
        ("Do shape and motion fit together?", "not at all", "throughout")
        if kind == CINES
        else ("Does the anatomy fit together?", "not at all", "throughout")
    )
    return tag(
        "section",
        tag(
            "header",
            tag("p", tag("strong", id="place"), " ", tag("span", id="who", class_="soft")),
            tag("div", tag("i"), class_="bar", id="bar", role="progressbar", aria_label="answered"),
        ),
        tag("div", _player(kind), _questions(*fits), class_="desk"),
        id="case",
        hidden="",
    )


def _player(kind: str) -> Markup:
    controls = tag(
        "div",
        _button("back-frame", "‹", "←", aria_label="one frame back"),
        _button("play", "Pause", "Space"),
        _button("next-frame", "›", "→", aria_label="one frame on"),
        tag("span", id="frame", class_="soft"),
        class_="line",
    )
    return tag(
        "figure",
        tag("canvas", id="picture", role="img", aria_label="the case to judge"),
        controls if kind == CINES else None,
    )


def _questions(fits: str, low: str, high: str) -> Markup:
    guess = (_answer(GUESS, source, source.capitalize(), source[0].upper()) for source in SOURCES)
    return tag(
        "div",
        _scale(REALISM, "How real does it look?", "surely synthetic", "surely real"),
        _scale(CONSISTENCY, fits, low, high),
        _question(GUESS, "Which do you take it for?", tag("div", guess, class_="two")),
        tag(
            "div",
            _button("back", "Back"),
            _button("next", "Next case", "Enter", class_="main"),
            class_="line steps",
        ),
        tag(
            "div",
            _button("save", "Save CSV so far", class_="plain"),
            _button("other", "Another reader", class_="plain"),
            class_="line",
        ),
        class_="asked",
    )


def _scale(name: str, text: str, low: str, high: str) -> Markup:
    ends = {LOWEST: f", {low}", HIGHEST: f", {high}"}
    answers = (
        _answer(name, str(value), str(value), aria_label=f"{value}{ends.get(value, '')}")
        for value in range(LOWEST, HIGHEST + 1)
    )
    words = tag("div", tag("span", low), tag("span", high), class_="ends", aria_hidden="true")
    return _question(name, text, join(tag("div", answers, class_="five"), words))


def _question(name: str, text: str, answers: Markup) -> Markup:
    return tag("fieldset", tag("legend", text), answers, data_question=name, class_="card")


def _answer(name: str, value: str, *words: str, **attributes: str) -> Markup:
    text, key = (*words, None)[:2]
    return tag(
        "button",
        text,
        tag("kbd", key) if key else None,
        type="button",
        aria_pressed="false",
        data_name=name,
        data_value=value,
        **attributes,
    )


def _button(name: str, text: Child, key: str | None = None, **attributes: str) -> Markup:
    return tag(
        "button", text, tag("kbd", key) if key else None, type="button", id=name, **attributes
    )


def _end(count: int) -> Markup:
    return tag(
        "section",
        tag("h1", "All done"),
        tag("p", f"All {count} cases are answered. Thank you.", class_="summary"),
        tag(
            "p",
            "Save your answers and give the file to whoever gave you this page. It holds your "
            "reader code, the cases' numbers, your answers and how long each took.",
        ),
        tag(
            "div",
            _button("save-all", "Save CSV", class_="main"),
            _button("again", "Back to the last case"),
            _button("another", "Another reader", class_="plain"),
            class_="line",
        ),
        id="end",
        hidden="",
    )
