"""HR-GAN-DTCR's networks grow, fade in, and train as a whole."""

import copy

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from medaug.errors import ConfigError
from medaug.networks import CineGenerator, ClipDiscriminator, FrameDiscriminator, fade_in

from .cine_toy import (
    DISCRIMINATORS,
    JUDGES,
    KNOWN,
    MODALITY,
    PHASE,
    SMALL,
    doubled,
    generator,
    images,
    judge,
    latents,
)


def test_fading_in_is_exact_at_both_ends():
    """At 0 the image of the network before, each pixel four times; at 1 the new head's alone."""
    made = generator()
    made.grow()
    assert (made.resolution, made.alpha) == (128, 0.0)
    with torch.no_grad():
        before = generator()(latents(), MODALITY, KNOWN)
        assert torch.equal(made(latents(), MODALITY, KNOWN), doubled(before))
        made.alpha = 1.0
        after = made(latents(), MODALITY, KNOWN)
        made.alpha = 0.25
        between = made(latents(), MODALITY, KNOWN)
        assert torch.allclose(between, 0.75 * doubled(before) + 0.25 * after, atol=1e-6)
        made.alpha = 1.0
        nn.init.normal_(made.stages["64"].head.weight)
        assert torch.equal(made(latents(), MODALITY, KNOWN), after)
    assert (after - doubled(before)).abs().max() > 0.01


@pytest.mark.parametrize("name", ["generator", *DISCRIMINATORS])
def test_growth_gives_the_optimiser_its_parameters(name):
    """Those that weren't there; nothing else changes, and the small state fits the grown one."""
    made = generator() if name == "generator" else judge(name, 64)
    before = copy.deepcopy(made.state_dict())
    known = set(made.parameters())
    new = made.grow()
    after = made.state_dict()
    assert set(made.parameters()) == known | set(new)
    assert not known & set(new)
    assert all(torch.equal(after[key], value) for key, value in before.items())
    missing, unexpected = made.load_state_dict(before, strict=False)
    assert not unexpected
    assert len(missing) == len(new)
    assert all("128" in key or key.startswith("crops.") for key in missing)
    assert not any(module.training for module in made.modules())


def test_a_grown_network_is_the_one_made_at_that_size():
    """The same names in the same order, so that checkpoints fit, the frozen stay frozen."""
    made = generator().requires_grad_(False)
    made.grow()
    made.grow()
    assert list(made.state_dict()) == list(generator(256).state_dict())
    assert not any(parameter.requires_grad for parameter in made.parameters())
    for name in DISCRIMINATORS:
        grown = judge(name, 64)
        grown.grow()
        assert list(grown.state_dict()) == list(judge(name, 128).state_dict())


@JUDGES
def test_discriminators_fade_in_too(name):
    """At 0 the scores of the network before for the halved frames; at 1 the old way is cut."""
    made = judge(name, 64)
    halved = F.avg_pool2d(images().flatten(0, 2), 2).view(2, 1, 4, 64, 64)
    told = (MODALITY, KNOWN, PHASE)
    with torch.no_grad():
        expected = made(halved, *told)[0]
        made.grow()
        scores, _ = made(images(), *told)
        assert torch.allclose(scores[0], expected[0], atol=1e-5)
        if name == "frames":
            side = int(expected[1].shape[1] ** 0.5)
            assert torch.allclose(
                scores[1], doubled(expected[1].view(-1, side, side)).flatten(1), atol=1e-5
            )
        elif name == "crops":
            assert torch.allclose(scores[1], expected[1], atol=1e-5)
            assert not scores[2].any()
        made.alpha = 1.0
        scores, _ = made(images(), *told)
        assert not torch.allclose(scores[-1], expected[-1].mean(), atol=1e-4)
        if name != "crops":
            nn.init.normal_(made.whole.stages["64"].first.weight)
            assert torch.equal(made(images(), *told)[0][0], scores[0])


def test_crops_fade_between_resolutions():
    """From 128² to 256² the crops' scores go from those of the halved frames to the native ones."""
    made = judge("crops", 128)
    frames = images(256, 1, 2)
    halved = F.avg_pool2d(frames.flatten(0, 2), 2).view(1, 1, 2, 128, 128)
    told = (MODALITY[:1], KNOWN[:1], PHASE[:1, :2])
    with torch.no_grad():
        expected = made(halved, *told)[0]
        assert made.grow() == []
        for score, before in zip(made(frames, *told)[0], expected, strict=True):
            assert torch.allclose(score, before, atol=1e-5)


@given(alpha=st.floats(0, 1))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_real_images_fade_in_as_made_ones(alpha):
    """A blend with their means of 2 × 2 pixels, which keeps those means."""
    frames = images(8, 2, 3)
    found = fade_in(frames, alpha)
    means = frames.view(2, 1, 3, 4, 2, 4, 2).mean((-3, -1))
    expected = alpha * frames + (1 - alpha) * doubled(means)
    assert torch.allclose(found, expected, atol=1e-6)
    assert found.shape == frames.shape


@pytest.mark.parametrize("network", ["generator", *DISCRIMINATORS])
def test_gradients_reach_every_parameter(network):
    """While the newest stage fades in; nothing is built that isn't used."""
    if network == "generator":
        made = generator(128, 0.5).train()
        made(latents(), MODALITY, KNOWN, PHASE[:, :2]).square().sum().backward()
    else:
        made = judge(network, 128, 0.5).train()
        given = images().requires_grad_(), MODALITY, KNOWN, PHASE
        scores, _ = made(*given)
        total = sum(score.square().sum() for score in scores)
        (gradient,) = torch.autograd.grad(total, given[0], create_graph=True)
        (total + gradient.square().sum()).backward()  # as R1 does
    idle = [
        key
        for key, parameter in made.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert not idle


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resolution": 96}, r"resolution must be one of \(64, 128, 256\), got 96"),
        ({"resolution": 512}, r"resolution must be one of \(64, 128, 256\), got 512"),
        ({"channels": ()}, r"channels must be 1 to 7 numbers, one for each of \(64, .*, got 0"),
        ({"channels": (4,) * 8}, "channels must be 1 to 7 numbers, .* got 8"),
        ({"channels": (4, 0)}, "channels at 128² must be at least 1, got 0"),
        ({"image_channels": 0}, "image_channels must be at least 1, got 0"),
        ({"modalities": ()}, r"modalities must be different names, at least one, got \(\)"),
        ({"modalities": ("ct", "ct")}, "modalities must be different names"),
        ({"conditions": {"age": (5, 5)}}, r"the range of age must be its lowest .* got \[5, 5\]"),
        ({"conditions": {"age": (5,)}}, r"the range of age must be its lowest .* got \[5\]"),
        ({"harmonics": 0}, "harmonics must be at least 1, got 0"),
    ],
)
def test_refuses_options_out_of_range(options, message):
    """The error names the option, what is allowed, and what was given."""
    for kind in (CineGenerator, FrameDiscriminator, ClipDiscriminator):
        with pytest.raises(ConfigError, match=message):
            kind(**SMALL | options)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (CineGenerator, {"num_frames": 0}, "num_frames must be at least 1, got 0"),
        (CineGenerator, {"latent_dim": 0}, "latent_dim must be at least 1, got 0"),
        (FrameDiscriminator, {"whole_size": 100}, "whole_size must be one of .* got 100"),
        (FrameDiscriminator, {"crop_size": 30}, "crop_size must be a multiple of 8 .* got 30"),
        (FrameDiscriminator, {"num_crops": 0}, "num_crops must be at least 1, got 0"),
        (ClipDiscriminator, {"window": 1}, "window must be at least 2 frames, got 1"),
    ],
)
def test_refuses_own_options_out_of_range(kind, options, message):
    """Those that only one of them has."""
    with pytest.raises(ConfigError, match=message):
        kind(**SMALL | options)


def test_refuses_to_grow_beyond_its_channels():
    """Growth ends where the channels do."""
    made = generator(256)
    with pytest.raises(ConfigError, match=r"resolution must be one of .*256\), got 512"):
        made.grow()
    assert made.resolution == 256
