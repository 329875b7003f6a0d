"""Motion, distances of frames, clips and the M-mode line, against plain loops in float64."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torchvision.models.vgg import cfgs, make_layers

from medaug.errors import UserError
from medaug.features import VGG16Maps
from medaug.losses import TemporalConsistencyLoss
from medaug.metrics import (
    clip_vectors,
    frame_distance,
    frechet,
    m_mode,
    motion_curve,
    motion_energy,
)

SHAPES = st.tuples(
    st.integers(1, 3), st.just(1), st.integers(2, 6), st.integers(1, 7), st.integers(1, 7)
)
FEW = settings(max_examples=20, deadline=None, derandomize=True)


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random numbers in [0, 1]."""
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def waves(num: int, length: int, side: int = 16) -> torch.Tensor:
    """A wave that runs around once a cycle, each sequence at another height."""
    phase = torch.arange(length) / length
    column = torch.arange(side) / side
    wave = 0.5 + 0.4 * torch.sin(2 * math.pi * (phase[:, None] + column))
    levels = torch.linspace(0.5, 1, num).view(-1, 1, 1, 1, 1)
    return levels * wave[None, None, :, None].expand(num, 1, length, side, side)


@FEW
@given(SHAPES, st.booleans())
def test_motion_is_a_plain_loop(shape, cyclic):
    """Squared differences over NumPy's variance, pair by pair."""
    sequences = drawn(*shape)
    frames = sequences.numpy().astype(np.float64)[:, 0]
    length = shape[2]
    pairs = [(t, (t + 1) % length) for t in range(length if cyclic else length - 1)]
    expected = [[np.mean((f[a] - f[b]) ** 2) / np.var(f) for a, b in pairs] for f in frames]
    curve = motion_curve(sequences, cyclic=cyclic)
    assert curve.dtype == torch.float64
    np.testing.assert_allclose(curve, expected, rtol=1e-10)
    energy = motion_energy(sequences.numpy(), cyclic=cyclic)
    np.testing.assert_allclose(energy, np.mean(expected, axis=1), rtol=1e-10)


@FEW
@given(SHAPES, st.integers(0, 5), st.floats(0.2, 1), st.floats(0, 1))
def test_motion_energy_is_invariant(shape, shift, contrast, lift):
    """To contrast and brightness, to time's direction, and to the frame that comes first."""
    sequences = drawn(*shape).double()
    expected = motion_energy(sequences)
    changed = contrast * sequences + lift * (1 - contrast)
    for other in (changed, sequences.flip(2), sequences.roll(shift, 2), sequences.flip(3, 4)):
        np.testing.assert_allclose(motion_energy(other), expected, rtol=1e-9)
    assert ((expected >= 0) & (expected <= 4 + 1e-12)).all()


def test_motion_has_known_values():
    """Still: 0, blank as well. Flicker between two levels: 4. White noise: 2."""
    assert motion_energy(drawn(2, 1, 1, 8, 8).expand(2, 1, 5, 8, 8)).tolist() == [0, 0]
    assert motion_energy(torch.full((1, 1, 3, 4, 4), 0.3)).tolist() == [0]
    flicker = torch.tensor([0.2, 0.6, 0.2, 0.6]).view(1, 1, 4, 1, 1).expand(1, 1, 4, 3, 3)
    assert motion_energy(flicker).item() == pytest.approx(4)
    assert motion_energy(drawn(1, 1, 30, 40, 40)).item() == pytest.approx(2, abs=0.02)


def test_faster_motion_has_more_energy():
    """The same wave over fewer frames; more frames, less from each to the next."""
    energies = [motion_energy(waves(1, length)).item() for length in (4, 8, 16, 32)]
    assert energies == sorted(energies, reverse=True)
    # of a sine, mean((sin(x + d) − sin x)²) over the variance ½ is 2 − 2 cos d
    np.testing.assert_allclose(
        energies, [2 - 2 * math.cos(2 * math.pi / n) for n in (4, 8, 16, 32)], rtol=1e-5
    )


@FEW
@given(SHAPES, st.integers(1, 6))
def test_motion_within_harmonics_is_that_of_filtered_frames(shape, harmonics):
    """By a filter over time, pair by pair; all harmonics together have all of the energy."""
    sequences = drawn(*shape)
    length = shape[2]
    kept = np.fft.fft(sequences.numpy().astype(np.float64)[:, 0], axis=1)
    orders = np.minimum(np.arange(length), length - np.arange(length))
    kept[:, orders > harmonics] = 0
    slow = np.fft.ifft(kept, axis=1).real
    changes = np.mean((np.roll(slow, -1, axis=1) - slow) ** 2, axis=(1, 2, 3))
    spread = np.var(sequences.numpy().astype(np.float64), axis=(1, 2, 3, 4))
    found = motion_energy(sequences, harmonics=harmonics)
    np.testing.assert_allclose(found, changes / spread, rtol=1e-9, atol=1e-15)
    every = motion_energy(sequences, harmonics=length)
    np.testing.assert_allclose(every, motion_energy(sequences), rtol=1e-9)


def test_noise_is_no_beat():
    """It moves a still heart as a whole, and little within four harmonics; a beat stays."""
    beating = waves(2, 20).double() * 0.8 + 0.1
    still = beating[:, :, :1].expand_as(beating)
    noise = 0.08 * (drawn(*beating.shape) - 0.5)
    part = motion_energy(still + noise, harmonics=4) / motion_energy(still + noise)
    assert (part < 0.15).all()
    whole = motion_energy(beating + noise, harmonics=4) / motion_energy(beating)
    assert ((whole > 0.9) & (whole < 1.1)).all()


@pytest.mark.parametrize(("harmonics", "cyclic"), [(0, True), (4, False)])
def test_harmonics_are_of_cycles(harmonics, cyclic):
    """At least one."""
    with pytest.raises(UserError, match=rf"at least 1, of whole cycles, got {harmonics}"):
        motion_energy(drawn(1, 1, 4, 2, 2), harmonics=harmonics, cyclic=cyclic)


@FEW
@given(st.integers(1, 3), st.integers(2, 5), st.integers(1, 6), st.booleans())
def test_frame_distance_is_a_plain_loop(num, length, width, cyclic):
    """Of features as they are, and of those that a function makes."""
    sequences = drawn(num, 1, length, 4, width)
    pairs = [(t, (t + 1) % length) for t in range(length if cyclic else length - 1)]

    def maps(images):
        assert images.shape == (length, 1, 4, width)
        return torch.cat([images.square(), 3 * images], dim=1)

    features = torch.stack([maps(one.transpose(0, 1)) for one in sequences])
    array = features.double().numpy()
    expected = [np.mean([np.mean((f[a] - f[b]) ** 2) for a, b in pairs]) for f in array]
    np.testing.assert_allclose(frame_distance(features, cyclic=cyclic), expected, rtol=1e-10)
    found = frame_distance(sequences, maps, cyclic=cyclic)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(
        frame_distance(sequences.flip(2), maps, cyclic=cyclic), expected, rtol=1e-10
    )


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """The first layers of VGG16, freshly drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = make_layers(cfgs["D"][:4])
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({f"features.{key}": value for key, value in layers.state_dict().items()}, path)
    return path


def test_frame_distance_is_what_the_loss_measures(weights):
    """DTCR of whole frames: the mean over its pairs."""
    loss = TemporalConsistencyLoss(weights=weights, layer="relu2_1", patch_size=64)
    sequences = drawn(2, 1, 4, 24, 20)
    found = frame_distance(sequences, VGG16Maps("relu2_1", weights), cyclic=False)
    np.testing.assert_allclose(found, loss.distances(sequences).mean(1), rtol=1e-5)
    np.testing.assert_allclose(
        loss(sequences).item(), loss.weight * 3 * found.mean().item(), rtol=1e-5
    )


@FEW
@given(st.integers(1, 4), st.integers(2, 5), st.integers(1, 6), st.integers(0, 4))
def test_clip_vectors_are_a_plain_loop(num, length, width, shift):
    """Narrow ones: the mean, and the mean absolute step; both ways in time, from any frame on."""
    vectors = drawn(num, length, width).double() - 0.5
    array = vectors.numpy()
    expected = [
        np.r_[
            np.mean(one, axis=0),
            np.mean([np.abs(one[(t + 1) % length] - one[t]) for t in range(length)], axis=0),
        ]
        for one in array
    ]
    for other in (vectors, vectors.flip(1), vectors.roll(shift, 1)):
        np.testing.assert_allclose(clip_vectors(other), expected, atol=1e-14)
    weighed = clip_vectors(vectors, motion_weight=3)
    np.testing.assert_allclose(weighed[:, :width], clip_vectors(vectors)[:, :width])
    np.testing.assert_allclose(weighed[:, width:], 3 * clip_vectors(vectors)[:, width:])


def test_wide_clip_vectors_are_projected():
    """The same directions each time, for both halves; lengths are kept on average."""
    vectors = torch.randn(300, 2, 200, generator=torch.Generator().manual_seed(1))
    whole, short = clip_vectors(vectors, size=400), clip_vectors(vectors, size=32)
    assert whole.shape == (300, 400)
    assert short.shape == (300, 32)
    assert torch.equal(short, clip_vectors(vectors.numpy(), size=32))
    assert not torch.allclose(short, clip_vectors(vectors, size=32, seed=1))
    # one linear map makes each half of the short ones from that of the long ones
    ways = torch.linalg.lstsq(whole[:, :200], short[:, :16]).solution
    torch.testing.assert_close(whole[:, 200:] @ ways, short[:, 16:])
    torch.testing.assert_close(ways.mT @ ways, 12.5 * torch.eye(16).double())
    ratio = short[:, :16].square().sum() / whole[:, :200].square().sum()
    assert ratio.item() == pytest.approx(1, abs=0.1)


def test_clip_distance_sees_motion_that_means_do_not():
    """The frames' means are the same; only the step from one to the next is another."""
    random = torch.Generator().manual_seed(2)
    middles = torch.randn(80, 1, 4, generator=random)
    swing = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(1, 4, 1)
    real, slow = middles + 0.5 * swing, middles + 0.25 * swing
    assert frechet(clip_vectors(real), clip_vectors(real)) == pytest.approx(0, abs=1e-9)
    assert frechet(clip_vectors(real), clip_vectors(slow)) == pytest.approx(4 * 0.5**2)


@FEW
@given(
    st.tuples(st.floats(0, 8), st.floats(0, 5)),
    st.tuples(st.floats(0, 8), st.floats(0, 5)),
    st.integers(2, 12),
)
def test_m_mode_is_scipys(start, end, points):
    """Its linear spline at the same places."""
    sequence = drawn(1, 3, 9, 6).double()
    places = np.linspace(start, end, points).T
    expected = [ndimage.map_coordinates(frame, places, order=1) for frame in sequence[0].numpy()]
    found = m_mode(sequence, (start, end), num_points=points)
    assert found.shape == (3, points)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert torch.equal(m_mode(sequence[0].numpy(), (start, end), num_points=points), found)
    np.testing.assert_allclose(m_mode(sequence, (end, start), num_points=points), found.flip(1))


def test_m_mode_along_a_row_is_the_row():
    """One point a pixel, unless told otherwise."""
    sequence = drawn(1, 4, 9, 6)
    found = m_mode(sequence, ((8, 0), (8, 5)))
    np.testing.assert_allclose(found, sequence[0, :, 8].double(), atol=1e-12)
    assert m_mode(sequence, ((0, 0), (8, 5))).shape == (4, 11)


GOOD = drawn(2, 1, 3, 8, 8)


@pytest.mark.parametrize(
    "figure", [motion_energy, motion_curve, lambda x: frame_distance(x, lambda images: images)]
)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (GOOD[0], r"must be floats of \(N, 1, T, H, W\), got torch.float32 of \(1, 3, 8, 8\)"),
        (GOOD.expand(2, 3, 3, 8, 8), r"of \(N, 1, T, H, W\), got torch.float32 of \(2, 3, 3, 8"),
        (GOOD.mul(255).byte(), "must be floats of .* got torch.uint8"),
        (GOOD[:0], r"got torch.float32 of \(0, 1, 3, 8, 8\)"),
        (GOOD[:, :, :1], "must have at least 2 frames, got 1"),
        (GOOD * 3, "must lie in 0 to 1, got values from .* to 2.9"),
        (GOOD * math.nan, "must lie in 0 to 1, got values from nan to nan"),
    ],
)
def test_refuses_sequences(figure, given, message):
    """With what was given."""
    with pytest.raises(UserError, match=message):
        figure(given)


def test_refuses_features_and_options():
    """With what was given."""
    with pytest.raises(UserError, match=r"frames must be floats of \(N, T, ...\), got .*\(2, 3\)"):
        frame_distance(drawn(2, 3))
    with pytest.raises(UserError, match="features must hold finite values, got NaN or infinity"):
        frame_distance(GOOD, lambda images: images / 0)
    with pytest.raises(UserError, match="frame_vectors must have at least 2 frames, got 1"):
        clip_vectors(drawn(2, 1, 3))
    with pytest.raises(UserError, match=r"frame_vectors must be of \(N, T, d\), got \(2, 2, 3, 8"):
        clip_vectors(drawn(2, 2, 3, 8))
    for wrong in ({"size": 3}, {"size": 0}, {"motion_weight": -1}, {"motion_weight": math.nan}):
        with pytest.raises(UserError, match="size must be even and at least 2, motion_weight"):
            clip_vectors(drawn(2, 3, 4), **wrong)


def test_m_mode_refuses():
    """A line that leaves the image, too few points, several sequences."""
    outside = ((0, 0), (8, 0)), ((0, -0.5), (3, 3)), ((0, math.nan), (3, 3)), ((0, 0, 0), (3, 3, 3))
    for line in outside:
        with pytest.raises(
            UserError, match=r"line must be two points \(row, column\) up to \(7, 7\), got"
        ):
            m_mode(GOOD[0], line)
    with pytest.raises(UserError, match="num_points must be at least 2, got 1"):
        m_mode(GOOD[0], ((0, 0), (3, 3)), num_points=1)
    with pytest.raises(UserError, match=r"sequence must be of \(1, T, H, W\), got \(2, 1, 3, 8"):
        m_mode(GOOD, ((0, 0), (3, 3)))
    with pytest.raises(UserError, match="sequence must lie in 0 to 1"):
        m_mode(GOOD[0] + 1, ((0, 0), (3, 3)))
