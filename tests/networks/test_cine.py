"""HR-GAN-DTCR's generator: periodic motion, what it is told, chunks, bands, exports."""

import re
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from medaug.errors import ConfigError
from medaug.networks import CineGenerator
from medaug.networks._cine_stages import UpBlock

from .cine_toy import CONDITIONS, KNOWN, MODALITY, PHASE, generator, latents


@given(
    num=st.integers(1, 3),
    length=st.integers(1, 3),
    resolution=st.sampled_from([64, 128]),
    channels=st.sampled_from([1, 3]),
    conditions=st.sampled_from([None, {"a": None}, CONDITIONS]),
    alpha=st.floats(0, 1),
)
@settings(max_examples=8, deadline=None, derandomize=True)
def test_images_have_the_asked_for_shape_and_range(
    num, length, resolution, channels, conditions, alpha
):
    """Float32 in [0, 1], as many frames as there are phases, or as the network's own number."""
    made = generator(resolution, alpha, image_channels=channels, conditions=conditions)
    with torch.no_grad():
        sequences = made(latents(num), phase=torch.rand(num, length))
        assert made(latents(num)).shape == (num, channels, 3, resolution, resolution)
    assert sequences.shape == (num, channels, length, resolution, resolution)
    assert sequences.dtype == torch.float32
    assert sequences.min() >= 0
    assert sequences.max() <= 1


def test_motion_is_periodic():
    """A whole cycle later, or three earlier, the frames are the same; the last leads into 0."""
    made = generator(noise=0.0)
    with torch.no_grad():
        now = made(latents(), MODALITY, KNOWN, PHASE)
        for cycles in (1, -3):
            assert torch.allclose(made(latents(), MODALITY, KNOWN, PHASE + cycles), now, atol=1e-4)
        first, last, half = made(latents(1), phase=torch.tensor([[0.0, 0.9999, 0.5]])).unbind(2)
    assert (last - first).abs().max() < 0.01 * (half - first).abs().max()


def test_number_of_frames_is_free():
    """Eight frames of a cycle are the four of a coarser one and those between."""
    made = generator()
    with torch.no_grad():
        four, eight = (made(latents(), phase=torch.arange(n).repeat(2, 1) / n) for n in (4, 8))
    assert torch.allclose(eight[:, :, ::2], four, atol=1e-5)
    assert all((a - b).abs().max() > 1e-3 for a, b in pairwise(eight.unbind(2)))


def test_anatomy_and_motion_come_from_the_latent_vector():
    """Other vectors, other sequences; and other paths: the change of frames differs too."""
    with torch.no_grad():
        one, other = generator()(latents())
    assert (one - other).abs().mean() > 0.01
    assert ((one[:, 1] - one[:, 0]) - (other[:, 1] - other[:, 0])).abs().mean() > 1e-3


@pytest.mark.parametrize("resolution", [64, 128])
def test_chunks_and_bands_equal_the_whole(resolution):
    """Without gradients, frames are made one by one and in bands of rows, and are the same."""
    made = generator(resolution, 0.4)
    whole = made(latents(), MODALITY, KNOWN, PHASE).detach()
    seen: list[int] = []
    frames = made.frames
    made.frames = lambda style, *given: seen.append(len(style)) or frames(style, *given)
    made.at_once = 3 * resolution**2
    for stage in made.stages.values():
        stage.band = 4 * 10 * resolution // 2  # ten rows: the last band is narrower
    with torch.no_grad():
        chunked = made(latents(), MODALITY, KNOWN, PHASE)
        streamed = list(made.stream(latents(), MODALITY, KNOWN, num_frames=5, chunk=2))
        expected = made(latents(), MODALITY, KNOWN, (torch.arange(5) / 5).expand(2, 5))
    assert seen[:3] == [3, 3, 2]
    assert torch.allclose(chunked, whole, atol=1e-5)
    assert [part.shape[2] for part in streamed] == [2, 2, 1]
    assert torch.allclose(torch.cat(streamed, 2), expected, atol=1e-5)


def test_one_large_frame_equals_one_of_two():
    """Scales that go into the weights give what scales of the maps give, once trained, too."""
    made = generator(128)
    for block in (block for stage in made.stages.values() for block in stage.blocks):
        nn.init.normal_(block.shuffled.weight)  # at first, the four pixels of one are alike
    with torch.no_grad():
        both = made(latents(), MODALITY, KNOWN, PHASE[:, :1])
        one = made(latents()[:1], MODALITY[:1], KNOWN[:1], PHASE[:1, :1])
    assert torch.allclose(one, both[:1], atol=1e-5)


def test_gate_blends_both_branches():
    """By hand in float64: PixelShuffle of what the gate leaves, transposed of what it lets by."""
    torch.manual_seed(3)
    block = UpBlock(3, 2, 4).double()
    nn.init.normal_(block.gate.weight)
    x, style = torch.randn(2, 3, 5, 6).double(), torch.randn(2, 4).double()
    found = block.upsample(x, style)
    gate = 1 / (1 + torch.exp(-(block.gate.weight.view(1, 3, 1, 1) * x).sum(1, keepdim=True)))
    scale = 1 + style @ block.up_scale.weight.T
    for index in range(2):
        told = scale[index]
        first = block.shuffled.weight[:, :, 0, 0] * told
        first = 2 * first / first.norm(dim=1, keepdim=True)
        left = torch.einsum("oi,ihw->ohw", first, ((1 - gate) * x)[index])
        second = block.transposed.weight * told[:, None, None, None]
        second = 2 * second / (second.square().sum((0, 2, 3), keepdim=True) * 0.64).sqrt()
        expected = torch.zeros(2, 12, 14).double()
        for row in range(5):
            for column in range(6):
                patch = torch.einsum("i,iokl->okl", (gate * x)[index, :, row, column], second)
                expected[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += patch
        expected = expected[:, 1:-1, 1:-1]
        for channel in range(2):
            for offset in range(4):
                expected[channel, offset // 2 :: 2, offset % 2 :: 2] += left[4 * channel + offset]
        expected += (block.up_shift.weight @ style[index])[:, None, None]
        assert torch.allclose(found[index], F.leaky_relu(expected, 0.2), atol=1e-6)


def test_upsampling_begins_smooth():
    """Of a map without structure a fresh block makes one: no checkerboard, but for the border."""
    torch.manual_seed(0)
    block = UpBlock(6, 5, 4)
    made = block.upsample(torch.randn(2, 6, 1, 1).expand(2, 6, 8, 8), torch.randn(2, 4))
    inner = made[:, :, 1:-1, 1:-1]
    assert inner.std() > 0.1
    assert torch.allclose(inner, inner[:, :, :1, :1].expand_as(inner), atol=1e-5)


def test_signals_keep_their_size():
    """From 4² to 256², fresh maps are neither vanishing nor exploding, without a norm."""
    torch.manual_seed(0)
    made = CineGenerator(resolution=256, channels=(16, 16, 16))
    sizes: list[float] = []
    for module in made.modules():
        if isinstance(module, UpBlock):
            module.register_forward_hook(
                lambda _, __, out: sizes.append(out.square().mean().sqrt().item())
            )
    made(torch.randn(8, 128), phase=torch.rand(8, 1))
    assert len(sizes) == 6
    assert all(0.4 < size < 2.5 for size in sizes)


@pytest.mark.parametrize("point", ["input", "64", "128"])
def test_each_point_alone_tells_modality_and_conditions(point):
    """Through one point both change the sequence; with all cut, neither does."""
    made = generator(128)
    other, more = MODALITY.flip(0), torch.tensor([[20.0, 0.3], [70.0, 1.0]])
    with torch.no_grad():
        made.inject_at(point)
        base = made(latents(), MODALITY, KNOWN)
        assert (made(latents(), other, KNOWN) - base).abs().max() > 1e-3
        assert (made(latents(), MODALITY, more) - base).abs().max() > 1e-3
        made.inject_at()
        base = made(latents(), MODALITY, KNOWN)
        assert torch.equal(made(latents(), other, more), base)
        made.inject_at("input", "64", "128")
        assert not torch.equal(made(latents(), MODALITY, KNOWN), base)


def test_what_is_told_begins_weak():
    """In a fresh generator the latent vector decides."""
    torch.manual_seed(0)
    made = CineGenerator(channels=(8,), latent_dim=16, conditions=CONDITIONS).eval()
    latent = torch.randn(24, 16)
    index = torch.arange(24) % 4
    with torch.no_grad():
        base, told, other = (
            made(z, m, phase=torch.zeros(24, 1))
            for z, m in ((latent, index), (latent, index.roll(1)), (latent.roll(4, 0), index))
        )
    assert (told - base).std() < 0.3 * (other - base).std()


def test_conditions_may_be_missing():
    """One by one or all of them; a missing one is not the middle of its range."""
    made = generator()
    missing = torch.full((2, 2), torch.nan)
    middle = torch.tensor([[45.0, torch.nan]] * 2)
    with torch.no_grad():
        nothing = made(latents(), MODALITY, missing)
        assert torch.equal(nothing, made(latents(), MODALITY))
        assert nothing.isfinite().all()
        assert (made(latents(), MODALITY, middle) - nothing).abs().max() > 1e-3


def test_modalities_take_turns_unless_told():
    """What MONAI's verifier calls with latents alone; and names become what is told."""
    made = generator()
    with torch.no_grad():
        assert torch.equal(made(latents()), made(latents(), torch.tensor([0, 1])))
    index, values = made.tell("xray", {"age": 0.5}, num=2)
    assert index.tolist() == [3, 3]
    assert values.isnan().tolist() == [[True, False]] * 2
    assert values[:, 1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_images_of_a_lower_resolution_are_averages(alpha):
    """Over areas, whether at once, a few at a time, or scripted."""
    given = (latents(), MODALITY, KNOWN, PHASE)
    made = generator(128, alpha)
    with torch.no_grad():
        whole = made(*given)
        made.reduce_to(64)
        images = made(*given)
        made.at_once = 1
        assert torch.allclose(made(*given), images, atol=1e-5)
        assert torch.allclose(torch.jit.script(made)(*given), images, atol=1e-5)
    assert (made.resolution, made.image_size, images.shape[-1]) == (128, 64, 64)
    wanted = whole.unflatten(-1, (64, 2)).mean(-1).unflatten(-2, (64, 2)).mean(-2)
    assert torch.allclose(images, wanted, atol=1e-5)
    for size in (256, 96, 32):
        with pytest.raises(ConfigError, match=rf"one of \(64, 128\), got {size}"):
            made.reduce_to(size)


def test_checkpointed_stages_have_the_same_gradients():
    """What is computed twice is the same twice."""
    found = []
    for first in (64, 4096):
        made = generator(128, 0.5, checkpoint_from=first).train()
        made(latents(), MODALITY, KNOWN).square().mean().backward()
        found.append([parameter.grad for parameter in made.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("resolution", [64, 128])
def test_scripted_generator_equals_eager(resolution):
    """Made whole, and in chunks and bands; it grows no more, but refuses what is out of range."""
    made = generator(resolution, 0.3)
    made.at_once = 3 * resolution**2
    for stage in made.stages.values():
        stage.band = 40 * resolution // 2
    scripted = torch.jit.script(made)
    given = latents(), MODALITY, KNOWN, PHASE
    assert torch.allclose(scripted(*given), made(*given), atol=1e-6)
    with torch.no_grad():
        assert torch.allclose(scripted(*given), made(*given), atol=1e-6)
        assert torch.allclose(scripted(latents()), made(latents()), atol=1e-6)
    with pytest.raises(torch.jit.Error, match=r"ejection_fraction must be 10. to 80., got 90"):
        scripted(latents(), MODALITY, torch.tensor([[90.0, 0.0]] * 2))


def test_exported_generator_equals_eager_at_other_numbers():
    """Sequences and frames are free dimensions of the exported program."""
    made = generator(128, 0.3)
    num, length = (torch.export.Dim(name, min=2, max=64) for name in ("num", "length"))
    shapes = ({0: num}, {0: num}, {0: num}, {0: num, 1: length})
    given = latents(), MODALITY, KNOWN, PHASE
    exported = torch.export.export(made, given, dynamic_shapes=shapes).module()
    assert torch.allclose(exported(*given), made(*given), atol=1e-6)
    more = latents(3), torch.tensor([1, 2, 0]), KNOWN[[0, 1, 1]], torch.rand(3, 7)
    assert torch.allclose(exported(*more), made(*more), atol=1e-6)


def test_autocast_keeps_images_near():
    """In bfloat16 images stay float32, and within a few levels."""
    made = generator(128, 0.3)
    for phases in (PHASE, PHASE[:1, :1]):
        given = latents(len(phases)), MODALITY[: len(phases)], KNOWN[: len(phases)], phases
        expected = made(*given)
        with torch.autocast("cpu", torch.bfloat16):
            found = made(*given)
        assert found.dtype == torch.float32
        assert (found - expected).abs().max() < 0.1
        assert (found - expected).abs().mean() < 0.01


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((torch.tensor([0, 4]),), "modality must be 0 to 3, got 4"),
        ((torch.tensor([-1, 0]),), "modality must be 0 to 3, got -1"),
        ((torch.tensor([0]),), r"modality must be \(2,\), got \[1\]"),
        ((MODALITY, KNOWN[:, :1]), r"conditions must be \(2, 2\), got \[2, 1\]"),
        (
            (MODALITY, torch.tensor([[50.0, 9.0], [81.0, 0.0]])),
            "ejection_fraction must be 10.0 to 80.0, got 81.0",
        ),
        ((MODALITY, KNOWN, torch.zeros(2, 0)), r"phase must be \(2, frames\), at least one frame"),
        ((MODALITY, KNOWN, PHASE[0]), r"phase must be \(2, frames\).*got \[4\]"),
    ],
)
def test_generator_refuses_what_it_does_not_know(given, message):
    """Unknown modality, condition out of range, no frames: a line each."""
    with pytest.raises(ConfigError, match=message):
        generator()(latents(), *given)


@pytest.mark.parametrize("shape", [(2, 7), (8,), (2, 8, 1)])
def test_latent_vectors_have_their_length(shape):
    """Not an error about matrices."""
    message = rf"latent must be \(N, 8\), got {re.escape(str(list(shape)))}"
    with pytest.raises(ConfigError, match=message):
        generator()(torch.zeros(shape))


def test_names_that_are_unknown_are_refused():
    """By name, too; and zero frames of a stream, and a point that isn't there."""
    made = generator()
    with pytest.raises(ConfigError, match=r"modality must be one of \('mri', .*got 'pet'"):
        made.tell("pet")
    with pytest.raises(ConfigError, match=r"conditions must be of .*got 'weight'"):
        made.tell("ct", {"weight": 80.0})
    with pytest.raises(ConfigError, match=r"ejection_fraction must be 10.0 to 80.0, got 5.0"):
        made.tell("ct", {"ejection_fraction": 5.0})
    with pytest.raises(ConfigError, match="num_frames must be at least 1, got 0"):
        next(made.stream(latents(), num_frames=0))
    with pytest.raises(ConfigError, match=r"points must be of \('input', '64'\), got '128'"):
        made.inject_at("128")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resolution", "point"), [(64, "input"), (64, "64"), (128, "128"), (64, None)]
)
def test_one_point_alone_is_enough_to_learn_the_modality(resolution, point):
    """By a mean squared error, to grey levels; with all cut it stays at chance."""
    torch.manual_seed(0)
    made = CineGenerator(resolution=resolution, channels=(8, 6), latent_dim=16)
    made.inject_at(*([point] if point else []))
    optimiser = torch.optim.Adam(made.parameters(), lr=1e-3, betas=(0.0, 0.99))
    levels = torch.tensor([0.2, 0.4, 0.6, 0.8])
    for _ in range(200):
        modality = torch.randint(4, (8,))
        found = made(torch.randn(8, 16), modality, None, torch.rand(8, 1))
        loss = (found - levels[modality].view(-1, 1, 1, 1, 1)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    modality = torch.arange(4).repeat(10)
    with torch.no_grad():
        images = made(torch.randn(40, 16), modality, None, torch.rand(40, 1))
    named = (images.mean((1, 2, 3, 4))[:, None] - levels).abs().argmin(1)
    share = (named == modality).float().mean().item()
    assert share >= 0.9 if point else share <= 0.5
