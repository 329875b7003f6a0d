"""HR-GAN-DTCR's discriminators: what they see, and what they are told."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import ConfigError
from medaug.networks import FrameDiscriminator

from .cine_toy import DISCRIMINATORS, JUDGES, KNOWN, MODALITY, PHASE, flat, images, judge


@JUDGES
def test_discriminators_hear_what_they_are_told(name):
    """Modality, conditions and phases change every score; fresh, nothing does."""
    made = judge(name)
    told = [MODALITY, KNOWN, PHASE]
    with torch.no_grad():
        base = made(images(), *told)[0]
        for place, value in enumerate((MODALITY.flip(0), KNOWN.flip(0), PHASE.flip(0))):
            given = [*told[:place], value, *told[place + 1 :]]
            for score, before in zip(made(images(), *given)[0], base, strict=True):
                assert (score - before).abs().max() > 1e-3
        assert all(score.isfinite().all() for score in made(images(), MODALITY)[0])
        kind, options = DISCRIMINATORS[name]
        fresh = kind(resolution=128, **options).eval()
        for one, two in zip(
            fresh(images(), *told)[0], fresh(images(), MODALITY.flip(0))[0], strict=True
        ):
            assert torch.equal(one, two)


@given(num=st.integers(1, 2), windows=st.integers(1, 2), resolution=st.sampled_from([64, 128]))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_each_frame_and_window_is_scored(num, windows, resolution):
    """At several scales; the features are those of every layer, of as many items."""
    length = 2 * windows
    given = images(resolution, num, length), MODALITY[:num], None, PHASE[:num, :length]
    for name in DISCRIMINATORS:
        scores, features = judge(name, resolution)(*given)
        items = num * windows if name == "clips" else num * length
        shapes = [(items, 1)]
        if name != "clips":
            side = (64 if name == "crops" else resolution) // 16
            shapes += [(items, side**2)]
            shapes += [(items, 2 * 4**2)] if name == "crops" and resolution > 64 else []
        assert [tuple(score.shape) for score in scores] == shapes
        assert {len(feature) for feature in features} <= {items, 2 * items}
        assert len(features) >= 5


def test_frames_are_told_by_noise_soon():
    """After 30 steps noise of 2 % of the range is seen in 9 of 10 pairs of smooth images."""
    torch.manual_seed(0)
    network = FrameDiscriminator(channels=(32,), modalities=("mri",), patch_channels=4)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, betas=(0.5, 0.99))
    modality = torch.zeros(16, dtype=torch.int64)
    for _ in range(31):
        coarse = torch.rand(32, 1, 8, 8)
        smooth = F.interpolate(coarse, size=(64, 64), mode="bicubic").clamp(0, 1).unsqueeze(2)
        noisy = smooth[:16] + 0.02 * torch.randn(16, 1, 1, 64, 64)
        seen, missed = (network(batch, modality)[0][0] for batch in (noisy, smooth[16:]))
        optimizer.zero_grad()
        (F.softplus(-seen) + F.softplus(missed)).mean().backward()
        optimizer.step()
    assert (seen > missed.T).float().mean() > 0.9


def test_crops_are_native_pixels():
    """The middle in evaluation; anywhere within, by torch's generator, in training."""
    made = judge("crops")
    frames = images().flatten(0, 2)[:, None]
    middle = frames[:, :, 48:80, 48:80].repeat_interleave(2, 0)
    assert torch.equal(made.cut(frames), middle)
    made.train()
    torch.manual_seed(4)
    crops = made.cut(frames)
    torch.manual_seed(4)
    assert torch.equal(made.cut(frames), crops)
    assert not torch.equal(crops, middle)
    assert torch.isin(crops[0], frames[0]).all()


@JUDGES
def test_scripted_and_exported_discriminators_equal_eager(name):
    """Scores and features."""
    made = judge(name, 128, 0.3)
    given = images(), MODALITY, KNOWN, PHASE
    with torch.no_grad():
        expected = flat(made(*given))
        for other in (torch.jit.script(made), torch.export.export(made, given).module()):
            for one, two in zip(flat(other(*given)), expected, strict=True):
                assert torch.allclose(one, two, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("frames", (images(64), MODALITY), r"images must be \(N, 1, T, 128, 128\), got \[2, 1, 4"),
        ("clips", (images()[0], MODALITY), r"images must be .* got \[1, 4, 128, 128\]"),
        ("clips", (images(length=3), MODALITY), "frames must be a multiple of 2, .* got 3"),
        ("clips", (images(length=1), MODALITY), "frames must be a multiple of 2, .* got 1"),
        ("frames", (images(), MODALITY[:1]), r"modality must be \(2,\), got \[1\]"),
        ("frames", (images(), torch.tensor([0, 9])), "modality must be 0 to 3, got 9"),
        ("frames", (images(), MODALITY, None, PHASE[:, :2]), r"phase must be \(2, 4\), got \[2, 2"),
    ],
)
def test_discriminators_refuse_other_input(name, given, message):
    """Another size, single frames, conditions of other sequences."""
    with pytest.raises(ConfigError, match=message):
        judge(name)(*given)
