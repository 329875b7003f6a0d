"""HTML from nested calls: elements are closed, and text is escaped, by construction."""

from collections.abc import Iterable
from html import escape

_VOID = frozenset({"br", "img", "meta", "wbr"})


class Markup(str):
    """HTML that is escaped already; any other string is text."""

    __slots__ = ()


Child = str | None | Iterable["str | None"]
Attribute = str | float | None


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        name: of the element.
        children: text, `Markup`, or any iterable of these; None is left out.
        attributes: ``class_`` is written class, ``aria_label`` aria-label; None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Children one after the other, text escaped."""
    return Markup("".join(_flat(children)))


def breakable(name: str) -> Markup:
    """A long name that may be broken after its underscores, slashes and points."""
    text = escape(name)
    for mark in "_/.":
        text = text.replace(mark, f"{mark}<wbr>")
    return Markup(text)


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Markup):
            yield child
        elif isinstance(child, str):
            yield escape(child)
        elif child is not None:
            yield from _flat(child)


def _plain(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
