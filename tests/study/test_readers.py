"""The reader study without a browser: what the page holds, and what is read back."""

import csv
import itertools
import json
import math
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from medaug.errors import ConfigError, DataError, UserError
from medaug.metrics import quality_from_rating, read_ratings
from medaug.study.readers import (
    Answers,
    Key,
    judge,
    krippendorff_alpha,
    read_answers,
    read_key,
    write_page,
)
from medaug.study.readers.__main__ import main
from medaug.study.readers._clips import CINES, IMAGES, clip, sheet
from medaug.study.readers._found import share

MS, SIZE, FRAMES = 50, 20, 5
SECRET = "SMITH_JOHN"
"""In every file's name: it must not be in the page."""


def cines(folder: Path, count: int, *, seed: int, frames: int = FRAMES, ms: float = MS) -> Path:
    """NIfTI cines of one slice, 24 × 20 pixels."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        values = random.integers(0, 256, (24, SIZE, 1, frames)).astype("<i2")
        image = nib.Nifti1Image(values, np.diag([1.0, 1.0, 5.0, 1.0]))
        image.header.set_xyzt_units("mm", "msec")
        image.header.set_zooms((1.0, 1.0, 5.0, ms))
        image.to_filename(folder / f"{SECRET}_{number}.nii.gz")
    return folder


def stills(folder: Path, count: int, *, seed: int, side: int = 32) -> Path:
    """PNG images, not square."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        values = random.integers(0, 256, (side, side + 8), dtype=np.uint8)
        Image.fromarray(values).save(folder / f"{SECRET}_{number}.png")
    return folder


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Three real and three synthetic cines."""
    return cines(tmp_path / "real", 3, seed=1), cines(tmp_path / "made", 3, seed=2)


# ---- the page


def test_the_page_would_be_the_same_with_real_and_synthetic_swapped(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Byte for byte: so nothing in it tells which is which. Only the key differs."""
    real, made = folders
    one = write_page(real, made, tmp_path / "one", number=6)
    other = write_page(made, real, tmp_path / "other", number=6)
    assert one.page.read_bytes() == other.page.read_bytes()
    keys = read_key(one.key), read_key(other.key)
    assert (keys[0].real != keys[1].real).all()


def test_the_page_holds_pixels_and_no_names(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """No file, no folder, no hash of the key's, no address but data."""
    made = write_page(*folders, tmp_path / "study", number=6)
    text = made.page.read_text(encoding="utf-8")
    key = json.loads(made.key.read_text(encoding="utf-8"))
    hidden = [SECRET, str(tmp_path), ".nii", *(case["source_id"] for case in key["cases"])]
    assert [word for word in hidden if word in text] == []
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src &#x27;none&#x27;" in text
    assert text.count("data:image/png;base64,") == 6
    assert SECRET not in made.key.read_text(encoding="utf-8")


def test_half_are_real_in_an_order_of_the_seed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """The same arguments give the same files; other seeds give other orders."""
    found = [
        write_page(*folders, tmp_path / str(run), number=6, seed=seed)
        for run, seed in enumerate([0, 0, 1, 2, 3])
    ]
    contents = [(one.page.read_bytes(), one.key.read_bytes()) for one in found]
    assert contents[0] == contents[1]
    keys = [read_key(one.key) for one in found]
    assert len({key.sources for key in keys[1:]}) > 1
    assert len({key.study for key in keys[1:]}) == 4
    assert all(Counter(key.sources) == {"real": 3, "synthetic": 3} for key in keys)


def test_a_part_is_drawn_by_the_seed(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Of three, two; not always the same."""
    drawn = set()
    for seed in range(5):
        made = write_page(*folders, tmp_path / str(seed), number=4, seed=seed)
        cases = json.loads(made.key.read_text())["cases"]
        assert len({case["source_id"] for case in cases}) == 4
        drawn.add(frozenset(case["source_id"] for case in cases))
    assert len(drawn) > 1


def test_a_clip_is_the_middle_square_with_stretched_levels(tmp_path: Path) -> None:
    """The 0.5th percentile is black and the 99.5th white, over all frames together."""
    path = next(stills(tmp_path / "a", 1, seed=0).iterdir())
    image = np.asarray(Image.open(path)).astype(float)[:, 4:36] / 255
    low, high = np.percentile(image, (0.5, 99.5))
    expected = np.clip((image - low) / (high - low), 0, 1) * 255
    found = clip(path, IMAGES, 32)
    np.testing.assert_allclose(found.frames[0], expected, atol=0.51)
    assert found.milliseconds is None
    cine = clip(next(cines(tmp_path / "b", 1, seed=0, ms=31.5).iterdir()), CINES, SIZE)
    assert cine.frames.shape == (FRAMES, SIZE, SIZE)
    assert cine.milliseconds == pytest.approx(31.5)
    assert (cine.frames.min(), cine.frames.max()) == (0, 255)


def test_black_sequences_stay_black(tmp_path: Path) -> None:
    """There is nothing to be stretched."""
    Image.new("L", (32, 32)).save(tmp_path / "a.png")
    assert clip(tmp_path / "a.png", IMAGES, 32).frames.max() == 0


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (5, 3), (9, 3), (10, 4)])
def test_a_sheet_holds_the_frames_row_by_row(count: int, columns: int) -> None:
    """Each where the page looks for it."""
    frames = np.random.default_rng(0).integers(0, 256, (count, 3, 3), dtype=np.uint8)
    picture, found = sheet(frames)
    assert found == columns
    for index, frame in enumerate(frames):
        y, x = 3 * (index // columns), 3 * (index % columns)
        np.testing.assert_array_equal(picture[y : y + 3, x : x + 3], frame)


def test_large_and_small_are_shown_at_the_size_of_the_smallest(tmp_path: Path) -> None:
    """Nothing is enlarged, so sharpness doesn't tell; a smaller size may be asked for."""
    sets = (
        stills(tmp_path / "real", 2, seed=1, side=64),
        stills(tmp_path / "made", 2, seed=2, side=32),
    )
    assert write_page(*sets, tmp_path / "a", number=4, kind=IMAGES).image_size == 32
    smaller = write_page(*sets, tmp_path / "b", number=4, kind=IMAGES, image_size=16)
    assert smaller.image_size == 16
    assert '"size": 16,' in smaller.page.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=r"--image-size must be from 16 to 32, .*, got 33"):
        write_page(*sets, tmp_path / "c", number=4, kind=IMAGES, image_size=33)


def test_what_tells_without_looking_is_said(tmp_path: Path) -> None:
    """Sequences of other lengths and paces; where they overlap, nothing is said."""
    real = cines(tmp_path / "real", 2, seed=1)
    short = cines(tmp_path / "short", 2, seed=2, frames=3, ms=40.0)
    alike = cines(tmp_path / "alike", 2, seed=3)
    assert write_page(real, short, tmp_path / "a", number=4).notes == (
        "their length tells real and synthetic sequences apart: 5 and 3 frames",
        "their pace tells real and synthetic sequences apart: 50 and 40 ms a frame",
    )
    assert write_page(real, alike, tmp_path / "b", number=4).notes == ()


def test_a_pace_that_is_not_known_is_that_of_the_others(tmp_path: Path) -> None:
    """The median of those that are; 25 a second where none is."""
    unknown = cines(tmp_path / "unknown", 2, seed=1, ms=0.0)
    known = cines(tmp_path / "known", 2, seed=2)
    mixed = write_page(unknown, known, tmp_path / "a", number=4)
    assert mixed.page.read_text(encoding="utf-8").count('"ms": 50,') == 4
    assert mixed.notes == ()
    other = cines(tmp_path / "other", 2, seed=3, ms=0.0)
    none = write_page(unknown, other, tmp_path / "b", number=4)
    assert none.page.read_text(encoding="utf-8").count('"ms": 40,') == 4


def test_another_studys_key_is_kept(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Its answers could not be read without it; the same study may be written again."""
    real, made = folders
    output = tmp_path / "study"
    key = write_page(real, made, output, number=6).key.read_bytes()
    write_page(real, made, output, number=6)
    for other in ({"number": 4}, {"number": 6, "seed": 1}):
        with pytest.raises(DataError, match=r"--output must be a folder without another study's"):
            write_page(real, made, output, **other)
    with pytest.raises(DataError, match="without another study's"):
        write_page(made, real, output, number=6)  # the same page, but not the same key
    assert (output / "key.json").read_bytes() == key


def test_what_cannot_be_a_study_is_refused(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """In one line that names the option."""
    real, made = folders
    output = tmp_path / "study"
    with pytest.raises(DataError, match=r"--real must hold at least 4 cines, .*, got 3"):
        write_page(real, made, output, number=8)
    with pytest.raises(DataError, match=r"--synthetic \(--kind cines\) must be a folder of cines"):
        write_page(real, tmp_path / "none", output, number=4)
    with pytest.raises(DataError, match=r"--real \(--kind cines\) must hold cines"):
        write_page(stills(tmp_path / "png", 2, seed=0), made, output, number=4)
    with pytest.raises(DataError, match=r"sequences must differ, got the same pixels in .*, "):
        write_page(real, real, output, number=6)
    for number in (0, 2, 5, -4):
        with pytest.raises(ConfigError, match=f"even and at least 4, got {number}"):
            write_page(real, made, output, number=number)
    with pytest.raises(ConfigError, match="--kind must be cines or images, got films"):
        write_page(real, made, output, kind="films")
    assert not output.exists()


# ---- the answers

KEY = Key("0123456789ab", ("real", "synthetic", "synthetic", "real"))
HEAD = "study,case,reader,realism,consistency,guess,seconds\n"


def rows(reader: str = "R1", realism: str = "4215") -> str:
    """A reader's four lines, all guesses right."""
    return "".join(
        f"{KEY.study},{case},{reader},{rating},3,{source},{case}.5\n"
        for case, (rating, source) in enumerate(zip(realism, KEY.sources, strict=True), start=1)
    )


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_files_of_several_readers_are_read(tmp_path: Path) -> None:
    """In order of the codes; a spreadsheet's semicolons, another order and a mark are fine."""
    files = [
        written(tmp_path / "b.csv", HEAD + rows("R2", "1111")),
        written(tmp_path / "a.csv", "\ufeff" + (HEAD + rows("R1")).replace(",", ";")),
    ]
    found = read_answers(KEY, files)
    assert found.readers == ("R1", "R2")
    assert found.realism.tolist() == [[4, 2, 1, 5], [1, 1, 1, 1]]
    assert found.consistency.tolist() == [[3] * 4] * 2
    assert (found.called_real == KEY.real).all()
    assert found.seconds.tolist() == [[1.5, 2.5, 3.5, 4.5]] * 2
    lines = rows("R1").splitlines(keepends=True)
    shuffled = written(tmp_path / "c.csv", HEAD + "".join(lines[::-1]) + rows("R2", "1111"))
    assert read_answers(KEY, [shuffled]).realism.tolist() == found.realism.tolist()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + rows().replace("0123", "9999"), "another study's in a.csv, line 2$"),
        (HEAD + rows().replace(",4,3", ",6,3"), "realism must be .* 1 to 5, got 6 in a.csv, line"),
        (HEAD + rows().replace(",4,3", ",0,3"), "realism must be .* got 0 in a.csv, line 2$"),
        (HEAD + rows().replace(",4,3", ",4.5,3"), "realism must be a whole number .* else in"),
        (HEAD + rows().replace(",3,real", ",,real"), "consistency must be .* something else in"),
        (HEAD + rows().replace("1,R1", "7,R1"), "case must be .* from 1 to 4, got 7 in a.csv"),
        (HEAD + rows().replace("2,R1", "1,R1"), "case 1 by R1 again in a.csv, line 3$"),
        (HEAD + rows() + rows(), "answered once by a reader, got case 1 by R1 again in"),
        (HEAD + rows()[: rows().index("\n") + 1], "got none by R1 of cases 2, 3, 4$"),
        (HEAD + rows()[rows().index("\n") + 1 :], "got none by R1 of case 1$"),
        (HEAD + rows(""), "reader must be a code .*, got nothing in a.csv, line 2$"),
        (HEAD + rows("Ann Smith"), "reader must be a code .*, got something else in a.csv"),
        (HEAD + rows().replace("real", "maybe"), "guess must be real or synthetic"),
        (HEAD + rows().replace("1.5", "-1"), "seconds must be a number from 0"),
        (HEAD + rows().replace("1.5", "1,5"), "columns must be 7 as in the first line, in a.csv"),
        (HEAD.replace("guess", "gues") + rows(), "columns of a.csv must be study, case, reader"),
        (HEAD, "a.csv must hold answers, got none"),
        ("", "columns of a.csv must be"),
        (HEAD + '"', "answers must be a CSV file in UTF-8, got a.csv"),
    ],
)
def test_answers_that_cannot_be_are_refused(text: str, message: str, tmp_path: Path) -> None:
    """With file and line; nothing of the text is shown that may be a name."""
    with pytest.raises(DataError, match=message) as caught:
        read_answers(KEY, [written(tmp_path / "a.csv", text)])
    assert "\n" not in str(caught.value)
    assert "Smith" not in str(caught.value)


def test_a_reader_in_two_files_is_refused(tmp_path: Path) -> None:
    """As when a file is given twice."""
    path = written(tmp_path / "a.csv", HEAD + rows())
    with pytest.raises(DataError, match=r"case 1 by R1 again in a.csv, line 2"):
        read_answers(KEY, [path, path])
    with pytest.raises(DataError, match="answers must be a file that can be read, got"):
        read_answers(KEY, [tmp_path / "none.csv"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"form": 1, "study": "a", "cases": [{"case": 1, "source": "real"}]}',
        '{"form": 2, "study": "a", "cases": [{"case": 1, "source": "real"},'
        ' {"case": 2, "source": "synthetic"}]}',
        '{"form": 1, "study": "a", "cases": [{"case": 1, "source": "real"},'
        ' {"case": 2, "source": "synthetic"}]}',
    ],
)
def test_a_key_of_another_form_is_refused(text: str, tmp_path: Path) -> None:
    """And one that isn't there, and one with a single case of each source."""
    with pytest.raises(DataError, match="--key must "):
        read_key(written(tmp_path / "key.json", text))
    with pytest.raises(DataError, match=r"--key must be a key\.json"):
        read_key(tmp_path / "none.json")


# ---- agreement

NAN = math.nan
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
"""Four observers and twelve units: Krippendorff 2011, section C."""


def test_alpha_is_that_of_krippendorffs_own_example() -> None:
    """As printed there: 0.743 nominal, 0.815 ordinal."""
    assert krippendorff_alpha(KRIPPENDORFF, level="nominal") == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF, level="ordinal") == pytest.approx(0.815, abs=5e-4)


def plain_alpha(ratings: NDArray[np.float64], level: str) -> float:
    """By the definition: mean squared distance within cases over that of all pairs of ratings."""
    cases = [column[~np.isnan(column)].tolist() for column in ratings.T]
    cases = [case for case in cases if len(case) > 1]
    pooled = [value for case in cases for value in case]
    count = Counter(pooled)

    def distance(a: float, b: float) -> float:
        if level == "nominal":
            return float(a != b)
        low, high = min(a, b), max(a, b)
        between = sum(count[value] for value in count if low <= value <= high)
        return float((between - (count[low] + count[high]) / 2) ** 2)

    expected = sum(distance(a, b) for a, b in itertools.permutations(pooled, 2))
    if expected == 0:
        return NAN
    observed = sum(
        distance(a, b) / (len(case) - 1)
        for case in cases
        for a, b in itertools.permutations(case, 2)
    )
    return 1 - (observed / len(pooled)) / (expected / (len(pooled) * (len(pooled) - 1)))


def test_the_plain_formula_gives_krippendorffs_example_too() -> None:
    """So that it is a reference."""
    assert plain_alpha(KRIPPENDORFF, "ordinal") == pytest.approx(0.815, abs=5e-4)


RATINGS = st.integers(1, 5).flatmap(
    lambda raters: st.lists(
        st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, 5.0, NAN]), min_size=raters, max_size=raters),
        min_size=1,
        max_size=8,
    ).map(lambda columns: np.array(columns).T)
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(RATINGS, st.sampled_from(["ordinal", "nominal"]))
def test_alpha_is_its_definition(ratings: NDArray[np.float64], level: str) -> None:
    """For any number of raters and cases, with gaps; undefined where the definition is."""
    assert krippendorff_alpha(ratings, level=level) == pytest.approx(
        plain_alpha(ratings, level), abs=1e-12, nan_ok=True
    )


def test_alpha_knows_agreement_from_chance() -> None:
    """1 for the same ratings, near 0 for drawn ones, below 0 for opposite ones."""
    same = np.tile([1.0, 5.0, 3.0, 2.0], (3, 1))
    assert krippendorff_alpha(same) == 1
    drawn = np.random.default_rng(0).integers(1, 6, (5, 2_000)).astype(float)
    assert abs(krippendorff_alpha(drawn)) < 0.03
    assert krippendorff_alpha(np.array([[1.0, 5, 1, 5], [5, 1, 5, 1]])) < -0.5
    assert math.isnan(krippendorff_alpha(np.full((3, 4), 2.0)))
    assert math.isnan(krippendorff_alpha(same[:1]))


def test_alpha_refuses_other_shapes_and_levels() -> None:
    """One line, naming what was given."""
    with pytest.raises(UserError, match=r"must be \(raters, cases\), got \(3,\)"):
        krippendorff_alpha(np.ones(3))
    with pytest.raises(UserError, match="ordinal or nominal, got interval"):
        krippendorff_alpha(np.ones((2, 2)), level="interval")


# ---- what is found


def simulated(
    seed: int, cases: int = 20, readers: int = 5, gap: float = 0.0
) -> tuple[Key, Answers]:
    """Readers and cases that differ, half of them real; rounded, and cut off at 1 and 5."""
    random = np.random.default_rng(seed)
    real = np.arange(cases) % 2 == 0
    latent = (
        3
        + gap * (real - 0.5)
        + random.normal(0, 0.5, (readers, 1))
        + random.normal(0, 0.5, cases)
        + random.normal(0, 0.7, (readers, cases))
    )
    ratings = np.clip(np.rint(latent), 1, 5)
    key = Key("a", tuple("real" if one else "synthetic" for one in real))
    codes = tuple(f"R{number}" for number in range(readers))
    return key, Answers(codes, ratings, ratings, latent > 3, np.ones_like(latent))


def test_means_are_means() -> None:
    """And differences theirs; consistency isn't realism."""
    key, answers = simulated(0, gap=1.0)
    answers = answers._replace(consistency=6 - answers.realism)
    found = judge(key, answers)
    realism, consistency = found.ratings["realism"], found.ratings["consistency"]
    assert realism.real.value == pytest.approx(answers.realism[:, key.real].mean())
    assert realism.synthetic.value == pytest.approx(answers.realism[:, ~key.real].mean())
    assert realism.difference.value == pytest.approx(realism.real.value - realism.synthetic.value)
    assert consistency.real.value == pytest.approx(6 - realism.real.value)
    assert realism.alpha.value == krippendorff_alpha(answers.realism)
    assert found.told.all.value == pytest.approx((answers.called_real == key.real).mean())
    both = (found.told.real.value + found.told.synthetic.value) / 2
    assert found.told.all.value == pytest.approx(both)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Over readers and cases drawn anew, not much less than in 95 of 100; no wider than needed."""
    truth = float(np.mean([simulated(k, 400, 100)[1].realism.mean() for k in range(3)]))
    found = [judge(*simulated(seed)) for seed in range(100, 220)]
    real = [one.ratings["realism"].real.ends for one in found]
    gaps = [one.ratings["realism"].difference.ends for one in found]
    shares = [one.told.all.ends for one in found]
    for ends, value in ((real, truth), (gaps, 0.0), (shares, 0.5)):
        inside = sum(low <= value <= high for low, high in ends)
        assert inside >= stats.binom.ppf(0.01, len(ends), 0.95)
    assert np.mean([high - low for low, high in gaps]) < 1.5
    assert np.mean([high - low for low, high in shares]) < 0.4


def test_a_gap_is_seen() -> None:
    """In means and in guesses, nearly always where it is large."""
    found = [judge(*simulated(seed, gap=2.0)) for seed in range(20)]
    assert sum(one.ratings["realism"].difference.ends[0] > 0 for one in found) >= 19
    assert sum(one.told.all.ends[0] > 0.5 for one in found) >= 19


@pytest.mark.parametrize("right", [0, 3, 10, 19, 20])
def test_one_readers_share_has_the_exact_interval(right: int) -> None:
    """Clopper's and Pearson's, as SciPy has it; also where all are right."""
    found = share((np.arange(20) < right)[None].astype(float))
    expected = stats.binomtest(right, 20).proportion_ci(method="exact")
    assert found.ends == pytest.approx((expected.low, expected.high))


def test_readers_who_copy_each_other_count_once() -> None:
    """Five times the same answers leave about the interval of one reader."""
    row = (np.arange(20) < 15).astype(float)
    one, five = share(row[None]), share(np.tile(row, (5, 1)))
    assert five.ends == pytest.approx(one.ends, abs=0.02)


def test_one_reader_is_enough_and_has_no_agreement() -> None:
    """Alpha is undefined, all else is there."""
    key, answers = simulated(0, readers=1)
    found = judge(key, answers)
    assert math.isnan(found.ratings["realism"].alpha.value)
    assert found.ratings["realism"].real.low is not None


def test_ratings_of_one_value_have_no_width() -> None:
    """And no agreement beyond chance that could be told."""
    key, answers = simulated(0)
    found = judge(key, answers._replace(realism=np.full_like(answers.realism, 5.0)))
    assert found.ratings["realism"].real == (5, 5, 5)
    assert math.isnan(found.ratings["realism"].alpha.value)
    with pytest.raises(UserError, match="answers must be of 2 cases, got 20"):
        judge(Key("a", ("real", "synthetic")), answers)


# ---- the command


def answered(key: Key, folder: Path, readers: int) -> list[Path]:
    """Files as readers save them who see most of what there is to see."""
    random = np.random.default_rng(0)
    files = []
    for number in range(readers):
        path = folder / f"R{number}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(HEAD.strip().split(","))
            for case, source in enumerate(key.sources, start=1):
                said = source if random.random() < 0.9 else "real"
                rating = random.integers(3, 6) if said == "real" else random.integers(1, 4)
                writer.writerow([key.study, case, f"R{number}", rating, 4, said, 9.5])
        files.append(path)
    return files


def test_the_command_makes_a_page_and_reads_its_answers(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Page, key, then words, JSON and ratings that HyperScore takes."""
    output = tmp_path / "study"
    sets = [f"--real={folders[0]}", f"--synthetic={folders[1]}"]
    assert main(["page", *sets, f"--output={output}", "--number=6"]) == 0
    assert f"for you alone: {output / 'key.json'}" in capsys.readouterr().out
    key = read_key(output / "key.json")
    files = answered(key, tmp_path, 3)
    assert main(["read", f"--key={output / 'key.json'}", *map(str, files)]) == 0
    said = capsys.readouterr().out
    assert "3 readers, 3 real and 3 synthetic cases" in said
    assert "told apart: " in said
    result = json.loads((output / "readers.json").read_text(encoding="utf-8"))
    ratings = read_ratings(output / "ratings.csv")
    assert (ratings.real_count, ratings.synthetic_count) == (9, 9)
    assert result["ratings"]["realism"]["real"]["value"] == pytest.approx(ratings.real)
    assert 0 < quality_from_rating(ratings.synthetic, ratings.real) <= 1
    assert set(result["told_apart"]["by_reader"]) == {"R0", "R1", "R2"}
    assert result["ratings"]["consistency"]["alpha"]["value"] is None  # all said 4


def test_a_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a code other than 0; none at all asks for help."""
    assert main(["read", f"--key={tmp_path / 'none.json'}", "a.csv"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "page | read" in capsys.readouterr().err
