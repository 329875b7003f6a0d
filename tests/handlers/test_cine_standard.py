"""Film strips of a training of sequences."""

from pathlib import Path

import numpy as np
import torch
from ignite.engine import Events
from PIL import Image

from medaug.handlers import FilmStrips, GrowthFigures
from medaug.networks import CineGenerator

from .fakes import engine

FRAMES, ROWS = 5, 2


def small() -> CineGenerator:
    torch.manual_seed(0)
    options = {"latent_dim": 8, "style_dim": 8, "harmonics": 1}
    return CineGenerator(channels=(4, 4), modalities=("mri", "ct"), **options).eval()


def test_a_row_is_a_cycle_of_a_modality(tmp_path: Path) -> None:
    """Each frame where it belongs, to a grey level; the same latents at each resolution."""
    generator = small()
    made, run = engine([{}] * 2, generator=generator)
    made.latent_dim = 8
    strips = FilmStrips(
        tmp_path, num_modalities=2, interval=2, rows=ROWS, num_frames=FRAMES, seed=4
    )
    strips.attach(made)
    run()
    (path,) = tmp_path.iterdir()
    assert path.name == "epoch_0002.png"
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (2 * ROWS * 65 - 1, FRAMES * 65 - 1)
    latents = torch.randn(2 * ROWS, 8, generator=torch.Generator().manual_seed(4))
    phase = (torch.arange(FRAMES) / FRAMES).expand(2 * ROWS, -1)
    with torch.no_grad():
        expected = generator(latents, torch.tensor([0, 0, 1, 1]), None, phase)
    for row in range(2 * ROWS):
        for column in range(FRAMES):
            picture = sheet[row * 65 :, column * 65 :][:64, :64].astype(float)
            wanted = expected[row, 0, column].numpy() * 255
            assert np.abs(picture - wanted).max() <= 0.51


def test_growth_is_among_the_figures() -> None:
    """Of each epoch: the resolution, and how far it has faded in."""
    generator = small()
    made, run = engine([{}] * 2, generator=generator)
    seen = []
    GrowthFigures().attach(made)
    made.add_event_handler(Events.EPOCH_COMPLETED, lambda: seen.append(dict(made.state.metrics)))
    made.add_event_handler(Events.EPOCH_COMPLETED(once=1), generator.grow)
    run()
    assert seen == [{"resolution": 64, "alpha": 1.0}, {"resolution": 128, "alpha": 0.0}]
