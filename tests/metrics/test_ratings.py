"""Readers' ratings from a CSV file, as people write them."""

import pytest

from medaug.errors import UserError
from medaug.metrics import Ratings, read_ratings

GOOD = "image,reader,source,rating\na,1,real,5\nb,1,synthetic,2\na,2,real,4\nb,2,synthetic,3.5\n"


@pytest.fixture
def written(tmp_path):
    """A function that writes a text and returns its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "ratings.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


EXPECTED = Ratings(synthetic=2.75, real=4.5, synthetic_count=2, real_count=2)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace(",", ";"),
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        GOOD + "\n\n",
        GOOD.replace("source", " Source").replace("real", "Real "),
        GOOD.replace("a,1", '"a, left",1'),
        "rating,source\n5,real\n2,synthetic\n4,real\n3.5,synthetic\n",
    ],
)
def test_means_of_each_source(written, text):
    """Columns in any order, commas or semicolons, any line ends, spreadsheets' byte order mark."""
    assert read_ratings(written(text)) == EXPECTED
    assert read_ratings(str(written(text))) == EXPECTED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("2\n", "6\n"), "number from 1 to 5, got 6 in ratings.csv, line 3$"),
        (GOOD.replace("3.5", "0"), "number from 1 to 5, got 0 in ratings.csv, line 5$"),
        (GOOD.replace("3.5", "nan"), "number from 1 to 5, got nan in ratings.csv, line 5$"),
        (GOOD.replace("3.5", "Mrs X"), "got something else in ratings.csv, line 5$"),
        (GOOD.replace("3.5", ""), "got something else in ratings.csv, line 5$"),
        (GOOD.replace("b,1,syn", "b,1,Mrs X syn"), "source must be real or synthetic, got some"),
        (
            GOOD.replace("b,1", "b"),
            "columns must be 4 as in the first line, in ratings.csv, line 3",
        ),
        (GOOD.replace("b,1", "b,1,1"), "columns must be 4 as in the first line, .* line 3"),
        (GOOD.replace("rating", "marks"), "columns of ratings.csv must be source and rating, "),
        (GOOD.replace("reader", "doctor"), "got image, doctor, source, rating$"),
        (GOOD.replace("reader", "image"), "got image, image, source, rating$"),
        (GOOD.replace("synthetic", "real"), "at least one rating of source synthetic, got 0"),
        (GOOD.replace("synthetic", "real").replace("real", "synthetic"), "source real, got 0"),
        ("", "columns of ratings.csv must be source and rating"),
        (GOOD + '"a,1', "ratings must be a CSV file in UTF-8, got ratings.csv"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(written, text, message):
    """One line, and nothing of what stands in the cells but numbers."""
    with pytest.raises(UserError, match=message) as raised:
        read_ratings(written(text))
    assert "\n" not in str(raised.value)
    assert "Mrs X" not in str(raised.value)


def test_files_that_cannot_be_read(written, tmp_path):
    """Not there, a folder, or not text."""
    with pytest.raises(UserError, match=r"ratings must be a file that can be read, got none\.csv"):
        read_ratings(tmp_path / "none.csv")
    with pytest.raises(UserError, match="ratings must be a file that can be read"):
        read_ratings(tmp_path)
    with pytest.raises(UserError, match=r"ratings must be a CSV file in UTF-8, got ratings\.csv"):
        read_ratings(written(GOOD.replace("a,1", "ä,1"), "latin-1"))
