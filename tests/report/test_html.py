"""Elements and figures as text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.evaluation import Estimate
from medaug.report._html import Markup, breakable, join, tag
from medaug.report._numbers import estimate, number, plural

from .fakes import Page


@settings(deadline=None, derandomize=True)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=40))
def test_any_text_stays_text(text: str) -> None:
    """As content and as an attribute, nothing of it becomes an element."""
    page = Page(tag("p", text, title=text))
    assert page.faults == []
    assert page.elements == [("p", {"title": text})]
    assert page.words == " ".join(text.split())


def test_children_may_be_nested_or_missing() -> None:
    """Iterables are unrolled, None is left out, markup isn't escaped again."""
    made = tag("ul", (tag("li", word) for word in "ab"), None, [Markup("<br>"), "&"], class_="x")
    assert made == '<ul class="x"><li>a</li><li>b</li><br>&amp;</ul>'
    assert join("<", tag("img", alt="")) == '&lt;<img alt="">'


def test_long_names_can_break() -> None:
    """After each underscore, and they are escaped."""
    assert breakable("a_b<c") == "a_<wbr>b&lt;c"


def test_numbers_are_short_and_without_an_e() -> None:
    """Three digits; powers of ten in words that people read."""
    given_values = [0, 1, 0.12345, -0.5, 1234.5, 987654, 12.345, float("inf"), float("nan")]
    assert [number(value) for value in given_values] == [
        *("0", "1", "0.123", "−0.5", "1,230", "988,000", "12.3", "∞", "undefined")
    ]
    assert number(-2.13e-7) == "−2.1 × 10⁻⁷"
    assert number(3.5e12) == "3.5 × 10¹²"


def test_an_estimate_shows_its_interval() -> None:
    """Where it has one."""
    assert Page(estimate(Estimate(1.5, 1.0, 2.0))).words == "1.5 (1 to 2)"
    assert Page(estimate(Estimate(1.5))).words == "1.5"
    assert Page(estimate(None)).words == "none"


def test_plurals() -> None:
    """Of what the page counts."""
    made = [plural(1, "class"), plural(2, "class"), plural(1200, "figure")]
    assert made == ["1 class", "2 classes", "1,200 figures"]
