"""Figures as people read them."""

import math

from ..evaluation import Estimate
from ._html import Markup, join, tag

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Three significant digits, without an E: ``1,230``, ``0.0456``, ``2.1 × 10⁻⁷``."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size != 0 and not 1e-3 <= size < 1e7:
        mantissa, exponent = f"{value:.1e}".split("e")
        text = f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    elif size >= 1000:
        text = f"{float(f'{value:.3g}'):,.0f}"
    else:
        text = f"{value:.3g}"
    return text.replace("-", "−", 1) if value < 0 else text


def estimate(given: Estimate | None) -> Markup:
    """A value, and its interval in small print."""
    if given is None:
        return tag("span", "none", class_="soft")
    value = tag("span", number(given.value), class_="value")
    if given.low is None or given.high is None:
        return value
    interval = f"({number(given.low)} to {number(given.high)})"
    return join(value, " ", tag("span", interval, class_="interval"))


def plural(count: int, what: str) -> str:
    """``1 class``, ``2 classes``, ``1,123 images``."""
    ending = "" if count == 1 else "es" if what.endswith("s") else "s"
    return f"{count:,} {what}{ending}"
