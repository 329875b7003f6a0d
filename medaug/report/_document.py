"""A page of sections in one HTML file that needs no network."""

from collections.abc import Iterable

from .._versions import versions_of
from ._html import Child, Markup, tag
from ._style import STYLE

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
Section = tuple[str, str, Markup | None]
"""Anchor, heading and content; None for what isn't there."""


def document(title: str, top: Child, sections: Iterable[Section], *, style: str = "") -> str:
    """The HTML of a page: heading, what comes first, contents, sections.

    Args:
        title: heading.
        top: what stands below it.
        sections: those without content are left out.
        style: rules of its own.
    """
    there = [one for one in sections if one[2] is not None]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="robots", content="noindex"),
        tag("title", title),
        tag("style", Markup(STYLE + style)),
    )
    contents = (tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in there)
    body = tag(
        "body",
        tag(
            "header",
            tag("h1", title),
            top,
            tag("nav", tag("ul", contents), aria_label="Contents"),
        ),
        tag("main", (_section(*one) for one in there)),
        tag("footer", tag("p", f"Written by medaug {versions_of(['medaug'])['medaug']}.")),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _section(anchor: str, name: str, content: Markup | None) -> Markup:
    heading = tag("h2", name, id=f"{anchor}-h")
    return tag("section", heading, content, id=anchor, aria_labelledby=f"{anchor}-h")
