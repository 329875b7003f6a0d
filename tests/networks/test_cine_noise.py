"""Noise of the cine generator: as random as it should be, and the same whenever it is made."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.networks._cine_noise import frame_keys, hashed, noise

from .cine_toy import generator, latents

CYCLE = (torch.arange(20) / 20).expand(8, -1)


def keys(num: int = 8) -> torch.Tensor:
    return frame_keys(latents(num), CYCLE[:num])


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=20))
@settings(derandomize=True)
def test_hash_is_lowbias32(numbers):
    """By Python's integers, which know no sign and no end; what was given stays as it was."""

    def by_hand(x: int) -> int:
        x %= 2**32
        x = (x ^ (x >> 16)) * 0x7FEB352D % 2**32
        x = (x ^ (x >> 15)) * 0x846CA68B % 2**32
        return x ^ (x >> 16)

    given_keys = torch.tensor(numbers, dtype=torch.int32)
    found = hashed(given_keys)
    assert given_keys.tolist() == numbers
    assert [x % 2**32 for x in found.tolist()] == [by_hand(x) for x in numbers]


def test_noise_is_white():
    """Of mean 0 and deviation 1; pixels, frames and sizes know nothing of each other."""
    frames = noise(keys().flatten(), 0, 64, 64)[:, 0].double()
    assert abs(frames.mean()) < 0.005
    assert abs(frames.std() - 1) < 0.005
    assert abs((frames**4).mean() - 2.7) < 0.03  # of the sum of four even numbers
    for shift in ((0, 1), (1, 0), (1, 1), (0, 32), (32, 0), (1, -1)):
        assert abs((frames * frames.roll(shift, (1, 2))).mean()) < 0.005
    assert abs((frames[1:] * frames[:-1]).mean()) < 0.005
    larger = noise(keys().flatten(), 0, 128, 128)[:, 0].double()
    assert abs((frames * larger[:, :64, :64]).mean()) < 0.005
    assert abs((frames.flatten(1) * larger.flatten(1)[:, : 64 * 64]).mean()) < 0.005


def test_every_frame_has_a_key_of_its_own():
    """Of a cycle and of sequences; whole cycles later it is the same, in any company."""
    found = keys()
    assert found.unique().numel() == found.numel()
    for cycles in (1, -3):
        assert torch.equal(frame_keys(latents(8), CYCLE + cycles), found)
    alone = frame_keys(latents(8)[3:4], CYCLE[:1, 7:8])
    assert alone.item() == found[3, 7].item()


@given(top=st.integers(0, 60), height=st.integers(1, 64))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_rows_are_those_of_the_whole(top, height):
    """Whatever piece is made."""
    height = min(height, 64 - top)
    whole = noise(keys()[0], 0, 64, 64)
    assert torch.equal(noise(keys()[0], top, height, 64), whole[:, :, top : top + height])


def test_noise_is_as_strong_as_learned():
    """Without any, frames near in time are alike; with it, their grain changes by chance."""
    near = torch.tensor([[0.5, 0.501, 0.502]])
    differences = []
    for strength in (0.0, 0.3):
        with torch.no_grad():
            frames = generator(noise=strength)(latents(1), phase=near)[0, 0].double()
        differences.append([frames[1] - frames[0], frames[2] - frames[1]])
    assert all(step.std() < 1e-3 for step in differences[0])
    one, other = differences[1]
    assert one.std() > 0.02
    correlation = torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1]
    assert abs(correlation + 0.5) < 0.05  # they share the middle frame, with different signs
