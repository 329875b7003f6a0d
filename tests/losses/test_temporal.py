"""DTCR against a plain loop over patches in float64, with torchvision's layers."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from medaug.errors import CheckpointError, ConfigError, UserError
from medaug.features import _weights
from medaug.losses import LinearWeight, TemporalConsistencyLoss, ValidatedWeight, weight_schedule

from ..shared import SHARED

CAFFE = SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors"
ENDS = {"relu1_1": 2, "relu1_2": 4, "relu2_1": 7, "relu3_3": 16}
"""How many of torchvision's layers it takes."""


def plain_layers() -> nn.Sequential:
    """VGG16 up to relu3_3, freshly drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = make_layers(cfgs["D"][:9])
        for part in layers:
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.normal_(part.bias, 0, 0.1)
            elif isinstance(part, nn.ReLU):
                part.inplace = False
    return layers.eval().requires_grad_(False)


LAYERS = plain_layers()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of them."""
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save({f"features.{key}": value for key, value in LAYERS.state_dict().items()}, path)
    return path


def sequences(num: int = 2, channels: int = 1, length: int = 4, size=(24, 20)) -> Tensor:
    """Random frames."""
    random = torch.Generator().manual_seed(num + length)
    return torch.rand(num, channels, length, *size, generator=random)


def by_hand(loss: TemporalConsistencyLoss, frames: Tensor, layer: str, step: int = 0) -> Tensor:
    """(N, T − 1) in float64: patch by patch, pair by pair."""
    layers = LAYERS[: ENDS[layer]].double()
    mean, deviation = torch.tensor(
        [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64
    ).view(2, 3, 1, 1)
    num, _, length, height, width = frames.shape
    corners = loss.corners(num, height, width, step=step)
    found = torch.zeros(num, length - 1).double()
    for place, (row, column) in enumerate(corners):
        sequence = place // loss.num_patches
        patch = frames[sequence].double()[:, :, row : row + loss.patch_size]
        patch = patch[:, :, :, column : column + loss.patch_size]
        assert patch.shape[2] == min(height, loss.patch_size)
        for pair in range(length - 1):
            first, second = (
                layers(((patch[:, t].expand(3, -1, -1) - mean) / deviation)[None])
                for t in (pair, pair + 1)
            )
            distance = (first - second).square().mean()
            found[sequence, pair] += distance / loss.num_patches
    LAYERS.float()
    return found


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(96, 80), (40, 100), (64, 64)])
def test_is_the_published_sum(weights, channels, size):
    """relu3_3 of 64 × 64 patches, or of frames that are smaller: λ Σ mean of squares."""
    loss = TemporalConsistencyLoss(weights=weights, num_patches=2, weight=0.3)
    frames = sequences(2, channels, 3, size)
    expected = by_hand(loss, frames, "relu3_3", step=7)
    assert torch.allclose(loss.distances(frames, step=7).double(), expected, rtol=1e-4)
    value = loss(frames, step=7)
    assert value.item() == pytest.approx(0.3 * expected.sum(1).mean().item(), rel=1e-4)
    assert value.dtype == torch.float32


@given(
    num=st.integers(1, 3),
    length=st.integers(2, 4),
    size=st.tuples(st.integers(4, 20), st.integers(4, 20)),
    layer=st.sampled_from(["relu1_1", "relu1_2", "relu2_1"]),
    patches=st.integers(1, 2),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_is_the_same_at_any_layer_and_size(weights, num, length, size, layer, patches):
    """In float64, to its digits; backwards in time, the same the other way round."""
    loss = TemporalConsistencyLoss(weights=weights, layer=layer, patch_size=8, num_patches=patches)
    frames = sequences(num, 1, length, size).double()
    found = loss.distances(frames)
    assert torch.allclose(found, by_hand(loss, frames, layer), rtol=1e-9)
    assert torch.allclose(loss.distances(frames.flip(2)), found.flip(1), rtol=1e-9)
    assert loss(frames.flip(2)).item() == pytest.approx(loss(frames).item())


def test_a_heart_that_stands_still_has_no_loss(weights):
    """Exactly 0, and a gradient of 0 rather than NaN."""
    loss = TemporalConsistencyLoss(weights=weights, layer="relu2_1")
    frames = sequences(2, 1, 1).repeat(1, 1, 4, 1, 1).requires_grad_()
    value = loss(frames)
    value.backward()
    assert value.item() == 0
    assert not frames.grad.any()


def test_real_motion_is_the_target_where_asked(weights):
    """0 at the real level, λ · level for a heart that stands still; more motion costs as much."""
    options = {"weights": weights, "layer": "relu1_2", "weight": 0.5}
    loss = TemporalConsistencyLoss(target="real", **options)
    plain = TemporalConsistencyLoss(**options)
    real, still = sequences(3), sequences(2, length=1).repeat(1, 1, 4, 1, 1)
    level = plain.level(real).item()
    assert plain(real).item() == pytest.approx(0.5 * level)
    assert loss(real, real).item() == 0
    assert loss(still, real).item() == pytest.approx(0.5 * level)
    assert loss(real.flip(2), real).item() == pytest.approx(0, abs=1e-5)
    fake = (3 * sequences(2) - 1).clamp(0, 1)
    expected = 0.5 * (plain.level(fake).item() - level)
    assert expected > 0
    assert loss(fake, real).item() == pytest.approx(expected, rel=1e-5)


def test_gradient_is_that_of_finite_differences(weights):
    """In float64, of both targets."""
    frames = sequences(1, 1, 3, (6, 6)).double().requires_grad_()
    real = sequences(2, 1, 3, (6, 6)).double() * 0.2
    for target in ("zero", "real"):
        loss = TemporalConsistencyLoss(weights=weights, layer="relu2_1", target=target)
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(x, real), (frames,))


def test_gradient_reaches_the_patch_alone(weights):
    """In every frame, where the patch is; the network and real sequences get none."""
    loss = TemporalConsistencyLoss(
        weights=weights, layer="relu1_1", patch_size=8, target="real", seed=3
    )
    frames, real = sequences().requires_grad_(), sequences(3).requires_grad_()
    loss(frames, real, step=2).backward()
    for sequence, (row, column) in enumerate(loss.corners(2, 24, 20, step=2)):
        inside = frames.grad[sequence, :, :, row : row + 8, column : column + 8]
        assert (inside != 0).flatten(2).any(2).all()
        assert frames.grad[sequence].abs().sum() == pytest.approx(inside.abs().sum().item())
    assert real.grad is None


def test_patches_come_from_their_own_seed(weights):
    """By seed and step; within the frame; torch's generator is left alone."""
    loss = TemporalConsistencyLoss(weights=weights, layer="relu1_1", patch_size=16, num_patches=50)
    before = torch.get_rng_state()
    corners = torch.tensor(loss.corners(2, 40, 20, step=5))
    loss(sequences(2, size=(40, 20)), step=5)
    assert torch.equal(before, torch.get_rng_state())
    assert corners.tolist() == loss.corners(2, 40, 20, step=5)
    assert corners.min(0).values.tolist() == [0, 0]
    assert corners.max(0).values.tolist() == [24, 4]
    others = [
        TemporalConsistencyLoss(
            weights=weights, layer="relu1_1", patch_size=16, num_patches=50, seed=seed
        ).corners(2, 40, 20, step=step)
        for seed, step in itertools.product((0, 1), (5, 6))
    ]
    assert all(a != b for a, b in itertools.combinations(others, 2))
    assert loss.corners(1, 9, 16) == [[0, 0]] * 50


def test_autocast_changes_nothing(weights):
    """Frames differ by less than bfloat16 can tell."""
    loss = TemporalConsistencyLoss(weights=weights)
    frames = sequences()
    frames = frames[:, :, :1] + 0.01 * frames
    expected = loss(frames)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss(frames), expected)


def test_features_may_be_scaled(weights):
    """The distance goes by the square."""
    scaled = TemporalConsistencyLoss(weights=weights, layer="relu1_2", feature_scale=10)
    plain = TemporalConsistencyLoss(weights=weights, layer="relu1_2")
    assert 100 * scaled(sequences()).item() == pytest.approx(plain(sequences()).item(), rel=1e-5)


@pytest.mark.skipif(not CAFFE.is_file(), reason=f"{CAFFE.name} is not here")
def test_published_weights_are_found(monkeypatch):
    """By MEDAUG_WEIGHTS, without a random number; they see motion, the deepest layer too."""
    pytest.importorskip("safetensors.torch")
    monkeypatch.setenv("MEDAUG_WEIGHTS", str(CAFFE.parent))
    before = torch.get_rng_state()
    loss = TemporalConsistencyLoss(layer="relu5_3")
    assert torch.equal(before, torch.get_rng_state())
    assert loss(sequences(1, length=2, size=(32, 32))).item() > 0


# bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "relu3_4"}, r"layer must be one of \('relu1_1', .*, got 'relu3_4'"),
        ({"target": "none"}, r"target must be one of \('zero', 'real'\), got 'none'"),
        ({"patch_size": 3}, "patch_size must be at least 4, .* got 3, 1, 0.1 and 1.0"),
        ({"num_patches": 0}, "num_patches at least 1, .* got 64, 0"),
        ({"weight": -1.0}, "weight at least 0, .* got 64, 1, -1.0"),
        ({"feature_scale": 0.0}, "feature_scale above 0, got .* and 0.0"),
    ],
)
def test_refuses_options_out_of_range(weights, options, message):
    """The error names the option, what is allowed, and what was given."""
    with pytest.raises(ConfigError, match=message):
        TemporalConsistencyLoss(weights=weights, **options)


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (sequences(length=1), "frames must be at least 2, got 1"),
        (sequences()[0], r"sequences must be floats of \(N, C, T, H, W\).* got .* of \(1, 4, 24"),
        (sequences(channels=2), r"C of 1 or 3, got torch.float32 of \(2, 2, 4, 24, 20\)"),
        ((255 * sequences()).byte(), r"must be floats .* got torch.uint8"),
        (sequences(size=(3, 9)), r"sides must be at least 4 pixels, got \(3, 9\)"),
    ],
)
def test_refuses_other_sequences(weights, frames, message):
    """Single frames, flat images, levels."""
    with pytest.raises(UserError, match=message):
        TemporalConsistencyLoss(weights=weights)(frames)


def test_refuses_real_sequences_of_other_lengths(weights):
    """And their absence."""
    loss = TemporalConsistencyLoss(weights=weights, target="real")
    with pytest.raises(ConfigError, match=r"real must be real sequences .* got None"):
        loss(sequences())
    message = r"frames and the size of the made ones, \(4, 24, 20\), got \(3, 24, 20\)"
    with pytest.raises(UserError, match=message):
        loss(sequences(), sequences(length=3))


def test_weights_that_are_not_there(tmp_path, monkeypatch):
    """Offline, damaged, or of another network: one line that says what to do."""

    def offline(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setenv("MEDAUG_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(_weights, "urlopen", offline)
    with pytest.raises(CheckpointError, match=r"weights of vgg16 must be a file .* got none in"):
        TemporalConsistencyLoss()
    other = tmp_path / "vgg11.pth"
    torch.save({"0.weight": torch.zeros(64, 3, 3, 3), "0.bias": torch.zeros(64)}, other)
    with pytest.raises(CheckpointError, match=r"vgg11.pth must hold 2.weight of .*, got none"):
        TemporalConsistencyLoss(weights=other)
    other.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged or holds something else"):
        TemporalConsistencyLoss(weights=other)


# schedules of λ


def test_linear_weight_grows_from_start_to_end():
    """0.1 at first, 0.5 after all steps, and from then on."""
    weight = LinearWeight(steps=200)
    assert [weight(step) for step in (0, 50, 200, 999)] == pytest.approx([0.1, 0.2, 0.5, 0.5])
    assert LinearWeight(steps=4, start=1.0, end=0.0)(1) == pytest.approx(0.75)


def test_validated_weight_follows_the_ratio():
    """Up where made sequences flicker, down where they stand still, within its bounds."""
    weight = ValidatedWeight()
    seen = []
    for ratio in (3.0, 1.2, 1.05, 0.95, 0.5, 0.0, 0.1):
        weight.update(ratio)
        seen.append(weight(0))
    assert seen == pytest.approx([0.15, 0.2, 0.2, 0.2, 0.15, 0.1, 0.1])
    for _ in range(20):
        weight.update(2.0)
    assert weight(0) == weight.value == 0.5


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (LinearWeight, {"steps": 0}, "steps must be at least 1, .* got 0, 0.1 and 0.5"),
        (LinearWeight, {"steps": 9, "end": -0.1}, "start and end at least 0, got 9, 0.1 and -0.1"),
        (ValidatedWeight, {"start": 0.6}, "below end, .* got 0.6, 0.5, 0.05 and 0.1"),
        (ValidatedWeight, {"increment": 0}, "increment above 0"),
        (ValidatedWeight, {"tolerance": -1}, "tolerance at least 0"),
    ],
)
def test_schedules_refuse_options_out_of_range(kind, options, message):
    """With what was given."""
    with pytest.raises(ConfigError, match=message):
        kind(**options)


@pytest.mark.parametrize("ratio", [-0.1, float("nan"), float("inf")])
def test_validated_weight_refuses_what_is_no_ratio(ratio):
    """A division by a level of zero."""
    with pytest.raises(ConfigError, match=f"ratio must be a number of at least 0, got {ratio}"):
        ValidatedWeight().update(ratio)


def test_a_word_chooses_the_schedule():
    """Linear over the steps, or between the two as validation says."""
    linear = weight_schedule("linear", steps=10, start=0.2, end=0.4)
    assert isinstance(linear, LinearWeight)
    assert [linear(step) for step in (0, 10)] == pytest.approx([0.2, 0.4])
    moved = weight_schedule("validated", steps=10, start=0.2, end=0.4)
    assert isinstance(moved, ValidatedWeight)
    assert (moved.start, moved.end) == (0.2, 0.4)
    with pytest.raises(ConfigError, match=r"--dtcr_schedule must be one of \('linear', 'validated"):
        weight_schedule("cubic", steps=10)
    with pytest.raises(ConfigError, match="must have sequences to validate by, got none"):
        weight_schedule("validated", steps=10, sequences=0)
    with pytest.raises(ConfigError, match=r"must have --dtcr_target zero, .*, got .real."):
        weight_schedule("validated", steps=10, target="real")
