"""What `simulate_chest_xray` draws: the picture, its truth, its reproducibility."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.phantoms import draw_anatomy, simulate_chest_xray
from medaug.phantoms._raster import blur, resize, splat

LABELS = ("covid", "normal", "pneumonia")


def images_of(label, count, size=(96, 96)):
    """Some phantoms of one class."""
    return [
        simulate_chest_xray(label, np.random.default_rng([3, i]), size=size) for i in range(count)
    ]


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(LABELS), st.integers(0, 2**32), st.integers(32, 150), st.integers(32, 150))
def test_image_is_float32_in_unit_range_for_any_size(label, seed, rows, columns):
    """Shape, dtype and range hold for any label, seed and size; something is to be seen."""
    p = simulate_chest_xray(label, np.random.default_rng(seed), size=(rows, columns))
    assert p.image.shape == p.lung_mask.shape == p.lesion_mask.shape == (rows, columns)
    assert p.image.dtype == np.float32
    assert p.lung_mask.dtype == p.lesion_mask.dtype == bool
    assert np.isfinite(p.film).all()
    assert 0 <= p.image.min() < 0.1
    assert 0.75 < p.image.max() <= 1
    assert p.image.std() > 0.1


@pytest.mark.parametrize("label", LABELS)
def test_same_seed_gives_the_same_bits(label):
    """Two runs with one seed agree bit for bit; another seed gives another image."""
    a, b, c = (
        simulate_chest_xray(label, np.random.default_rng(s), size=(80, 72)) for s in (1, 1, 2)
    )
    assert a.film.tobytes() == b.film.tobytes()
    assert a.lesion_mask.tobytes() == b.lesion_mask.tobytes()
    assert a.film.tobytes() != c.film.tobytes()


@pytest.mark.parametrize("label", LABELS)
def test_both_lungs_are_dark_between_brighter_surroundings(label):
    """Each lung is a tenth of the image or nearly so, and darker than mediastinum and abdomen."""
    for p in images_of(label, 10):
        columns = np.nonzero(p.lung_mask)[1]
        assert 0.06 < (columns < 48).sum() / p.image.size < 0.35
        assert 0.06 < (columns >= 48).sum() / p.image.size < 0.35
        middle = np.median(p.image[48:80, 44:52])
        abdomen = np.median(p.image[-4:, 24:72])
        healthy = np.median(p.image[p.lung_mask & ~p.lesion_mask])
        assert healthy < min(middle, abdomen) - 0.15


def test_heart_lies_on_the_right_side_of_the_image():
    """In the mean image the heart brightens the right side and narrows the lung there."""
    mean = np.mean([p.image for p in images_of("normal", 16)], axis=0)
    rows = slice(54, 70)
    left, right = mean[rows, 24:42].mean(), mean[rows, 54:72].mean()
    assert right > left + 0.1
    lungs = np.mean([p.lung_mask for p in images_of("normal", 16)], axis=0)
    assert lungs[:, :48].sum() > 1.1 * lungs[:, 48:].sum()


def test_patient_stands_upright_with_the_right_dome_higher():
    """Bright abdomen at the bottom, dark air at the top; the dome at the image's left is higher."""
    lungs = [p.lung_mask for p in images_of("normal", 16)]
    mean = np.mean([p.image for p in images_of("normal", 16)], axis=0)
    assert mean[-3:, 30:66].mean() > 0.8
    assert mean[:3, [0, 1, -2, -1]].mean() < 0.3
    low = [
        [np.nonzero(m[:, c].any(axis=1))[0].max() for c in (slice(20, 36), slice(60, 76))]
        for m in lungs
    ]
    right, left = np.mean(low, axis=0)
    assert right < left


def test_normal_has_no_lesion():
    """A normal image's lesion mask is empty."""
    assert not any(p.lesion_mask.any() for p in images_of("normal", 5))


@pytest.mark.parametrize("label", ["covid", "pneumonia"])
def test_lesion_lies_in_the_lung_and_is_brighter_than_without(label):
    """The same patient and view without the disease is darker where the lesion is, only there."""
    for i in range(8):
        anatomy = draw_anatomy(np.random.default_rng([5, i]))
        sick, well = (
            simulate_chest_xray(x, np.random.default_rng([6, i]), size=(128, 128), anatomy=anatomy)
            for x in (label, "normal")
        )
        assert sick.lesion_mask.any()
        assert not (sick.lesion_mask & ~sick.lung_mask).any()
        assert (sick.lung_mask == well.lung_mask).all()
        difference = sick.image - well.image
        inside = difference[sick.lesion_mask].mean()
        far = blur(sick.lesion_mask.astype(np.float32), 8.0) < 1e-3
        outside = difference[sick.lung_mask & far]
        assert inside > 0.02
        assert outside.size == 0 or inside > outside.mean() + 0.02


def test_covid_is_bilateral_and_fainter_than_pneumonia():
    """COVID-19 is on both sides and at the edge; pneumonia is on one side, and denser."""
    sides, contrast = {}, {}
    for label in ("covid", "pneumonia"):
        seen = images_of(label, 16)
        sides[label] = [
            sum(half.any() for half in np.split(p.lesion_mask, 2, axis=1)) for p in seen
        ]
        contrast[label] = np.mean(
            [
                np.median(p.image[p.lesion_mask]) - np.median(p.image[p.lung_mask & ~p.lesion_mask])
                for p in seen
            ]
        )
    assert set(sides["covid"]) == {2}
    assert set(sides["pneumonia"]) == {1}
    assert contrast["pneumonia"] > contrast["covid"] + 0.05


def test_label_leaves_everything_but_the_lesion_alone():
    """The view is drawn before the disease: no border or exposure tells the label."""
    rngs = [np.random.default_rng(9) for _ in LABELS]
    spacing = {
        simulate_chest_xray(x, r, size=(64, 64)).pixel_spacing
        for x, r in zip(LABELS, rngs, strict=True)
    }
    assert len(spacing) == 1


def test_one_patient_looks_alike_in_two_views():
    """Lungs of one anatomy overlap more than those of different patients do."""

    def lungs(anatomy_seed, view_seed):
        anatomy = draw_anatomy(np.random.default_rng(anatomy_seed))
        rng = np.random.default_rng([1, view_seed])
        p = simulate_chest_xray("normal", rng, size=(64, 64), anatomy=anatomy)
        return p.lung_mask.sum() * p.pixel_spacing**2

    within = np.std([[lungs(a, v) for v in range(4)] for a in range(6)], axis=1).mean()
    between = np.std([lungs(a, 0) for a in range(24)])
    assert within < between


def test_unknown_label_is_refused():
    """The error names the labels that there are."""
    with pytest.raises(
        UserError, match=r"label must be one of covid, normal, pneumonia, got 'flu'"
    ):
        simulate_chest_xray("flu", np.random.default_rng(0))


def test_tiny_size_is_refused():
    """The error names the smallest size."""
    with pytest.raises(UserError, match=r"size must be at least 32 x 32 pixels, got 16 x 40"):
        simulate_chest_xray("normal", np.random.default_rng(0), size=(16, 40))


def test_discs_add_up_to_the_chords_of_a_cylinder():
    """Along a straight path, splats give 2·sqrt(r² − d²) within a hundredth of the radius."""
    canvas = np.zeros((61, 200), np.float32)
    places = np.arange(-60, 260, 0.25)
    count = np.ones(places.size)
    splat(canvas, places, 30 * count, 20 * count, 0.25 * count)
    d = np.arange(61) - 30.0
    chord = 2 * np.sqrt(np.maximum(400 - d**2, 0))
    inner = np.abs(d) < 18
    assert np.allclose(canvas[inner, 100], chord[inner], atol=0.4)
    assert canvas[:8].max() == 0


@pytest.mark.parametrize("sigma", [0.3, 1.0, 6.0])
def test_blur_is_a_gaussian_that_keeps_the_sum(sigma):
    """A point becomes a bump with the wanted variance and the same sum; a plain stays plain."""
    image = np.zeros((101, 101), np.float32)
    image[50, 50] = 1
    out = blur(image, sigma).astype(float)
    offsets = np.arange(101) - 50
    assert out.sum() == pytest.approx(1, rel=1e-4)
    assert (out.sum(axis=0) * offsets**2).sum() == pytest.approx(sigma**2, rel=1e-3)
    assert (out.sum(axis=1) * offsets**2).sum() == pytest.approx(sigma**2, rel=1e-3)
    assert np.allclose(blur(np.full((20, 30), 3, np.float32), sigma), 3)


def test_resize_keeps_a_plane():
    """A linear ramp stays the same ramp at any size."""
    ramp = np.add.outer(np.linspace(0, 1, 7), np.linspace(0, 2, 5)).astype(np.float32)
    wanted = np.add.outer(np.linspace(0, 1, 40), np.linspace(0, 2, 33))
    assert np.allclose(resize(ramp, (40, 33)), wanted, atol=1e-5)
