"""Growth: what it sets when, and that a training which grows can stop anywhere and go on."""

import io
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from ignite.engine import Events
from torch import nn

from medaug.engines import (
    GanTrainer,
    Growth,
    ModelSaver,
    Stage,
    start_distributed,
    stop_distributed,
)
from medaug.engines._schedule import LinearDecay
from medaug.errors import CheckpointError, ConfigError

from ..launch import python, ranks
from .cine_toy import EPOCH, STAGES, cine_trainer, growth, weights
from .toy import toy_trainer

ITERATIONS = 8
COUNT = st.integers(1, 40)


@pytest.fixture(scope="module")
def whole() -> tuple[GanTrainer, list[dict[str, Any]]]:
    """A training that nothing interrupts, and its checkpoints after each iteration."""
    trainer, kept = cine_trainer(), []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: kept.append(through_a_file(trainer.checkpoint()))
    )
    trainer.run()
    return trainer, kept


def through_a_file(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """As it comes back from the disk: tensors and plain values alone."""
    file = io.BytesIO()
    torch.save(checkpoint, file)
    file.seek(0)
    return dict(torch.load(file, weights_only=True))


@examples(deadline=None, derandomize=True, max_examples=60)
@given(
    shape=st.lists(st.tuples(COUNT, COUNT, st.integers(1, 7)), min_size=1, max_size=4),
    epoch_length=st.integers(1, 5),
)
def test_resolution_and_alpha_follow_from_the_images_seen(
    shape: list[tuple[int, int, int]], epoch_length: int
) -> None:
    """Counted image by image: stages end with the epoch in which they have seen theirs."""
    stages = [
        Stage(64 * 2**number, images, fade_images=fade if number else 0, batch_size=batch)
        for number, (images, fade, batch) in enumerate(shape)
    ]
    made = Growth(stages, epoch_length=epoch_length)
    iteration = 0
    for stage in stages:
        seen = 0
        while seen < stage.images or iteration % epoch_length:
            iteration += 1
            assert made.stage((iteration - 1) // epoch_length + 1) == stage
            expected = min(1.0, seen / stage.fade_images) if stage.fade_images else 1.0
            assert made.alpha(iteration) == pytest.approx(expected, abs=1e-12)
            seen += stage.batch_size
    assert made.iterations == iteration
    assert made.stage(made.max_epochs + 3) == stages[-1]
    assert made.alpha(iteration + 10**6) == 1


def test_training_goes_through_the_stages() -> None:
    """Resolution, α, rates and batch of each iteration, by hand."""
    trainer, seen = cine_trainer(), []

    def note() -> None:
        networks = (trainer.generator, trainer.discriminator, trainer.ema_generator)
        assert len({(n.resolution, n.alpha) for n in networks}) == 1
        rates = [
            {group["lr"] for group in player.optimizer.param_groups}
            for player in trainer.players.values()
        ]
        batch = len(trainer.state.batch["image"])
        seen.append((trainer.generator.resolution, trainer.generator.alpha, batch, *rates))

    trainer.add_event_handler(Events.ITERATION_COMPLETED, note)
    trainer.run()
    early, late = (3, {2e-4}, {2e-4}), (2, {1e-4}, {3e-4})
    assert seen == [
        *[(64, 1.0, *early)] * 4,
        *[(128, alpha, *late) for alpha in (0.0, 1 / 3, 2 / 3, 1.0)],
    ]


def test_optimisers_keep_what_they_know_and_take_in_the_new(
    whole: tuple[GanTrainer, list[dict[str, Any]]],
) -> None:
    """At the doubling, the moments of old weights are those that there were."""
    before = whole[1][EPOCH * 2 - 1]
    trainer = cine_trainer()
    trainer.restore(before)
    assert trainer.growth is not None
    trainer.growth.prepare(trainer, EPOCH * 2 + 1)
    for name, player in trainer.players.items():
        old = before["players"][name]["optimizer"]["state"]
        now = player.optimizer.state_dict()["state"]
        assert old.keys() == now.keys()
        assert all(torch.equal(old[key]["exp_avg"], now[key]["exp_avg"]) for key in old)
        held = {id(p) for group in player.optimizer.param_groups for p in group["params"]}
        assert held == {id(p) for p in player.network.parameters()}
        assert len(player.optimizer.param_groups) == 2


def test_new_weights_of_the_average_are_the_generators(
    whole: tuple[GanTrainer, list[dict[str, Any]]],
) -> None:
    """The old ones stay the average's own."""
    trainer = cine_trainer()
    trainer.restore(whole[1][EPOCH * 2 - 1])
    assert trainer.growth is not None
    trainer.growth.prepare(trainer, EPOCH * 2 + 1)
    generator, average = trainer.generator.state_dict(), trainer.ema_generator.state_dict()
    new = [name for name in generator if name.startswith("stages.128.")]
    assert new
    assert all(torch.equal(generator[name], average[name]) for name in new)
    assert not torch.equal(generator["seed.weight"], average["seed.weight"])
    assert not any(parameter.requires_grad for parameter in trainer.ema_generator.parameters())


def test_growth_draws_nothing_from_the_global_generator() -> None:
    """What else is drawn doesn't depend on growth, nor the new weights on what else was drawn."""
    found = []
    for words in (1, 7):
        trainer = cine_trainer()
        torch.manual_seed(words)
        state = torch.get_rng_state()
        assert trainer.growth is not None
        trainer.growth.prepare(trainer, ITERATIONS)
        assert torch.equal(state, torch.get_rng_state())
        found.append(weights(trainer))
    assert torch.equal(*found)


@pytest.mark.parametrize("stop", range(1, ITERATIONS))
def test_stopped_anywhere_and_taken_up_it_is_the_same_run(
    stop: int, whole: tuple[GanTrainer, list[dict[str, Any]]]
) -> None:
    """In each stage, at its edges, and while it fades in: the same weights, bit for bit."""
    torch.rand(stop)
    trainer = cine_trainer()
    trainer.restore(whole[1][stop - 1])
    trainer.run()
    assert torch.equal(weights(trainer), weights(whole[0]))
    assert trainer.state.output == whole[0].state.output


def test_a_run_may_grow_further_but_not_otherwise(
    whole: tuple[GanTrainer, list[dict[str, Any]]],
) -> None:
    """The stage under way may be longer and have others after it; what is behind is as it was."""
    first, second = STAGES
    longer = Growth(
        [first, second | {"images": 30}, second | {"images": 4, "fade_images": 0, "g_lr": 1e-5}],
        epoch_length=EPOCH,
    )
    cine_trainer(longer).restore(whole[1][5])
    for changed in ([first | {"images": 20}, second], [first, second | {"fade_images": 3}]):
        other = Growth(changed, epoch_length=EPOCH)
        with pytest.raises(ValueError, match=r"^stages were .* there, got"):
            cine_trainer(other).restore(whole[1][5])


def test_a_checkpoint_without_growth_is_refused_in_one_line(tmp_path: Path) -> None:
    """And the other way round."""
    plain = toy_trainer(
        max_epochs=1, train_handlers=[ModelSaver(tmp_path, interval=1, settings={})]
    )
    plain.run()
    (path,) = tmp_path.glob("resume_*.pt")
    trainer = cine_trainer(train_handlers=[
        ModelSaver(tmp_path, interval=1, settings={}, resume=str(path))
    ])  # fmt: skip
    with pytest.raises(CheckpointError, match=r"got|must be") as caught:
        trainer.run()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("stages", "epoch_length", "message"),
    [
        ([], 1, r"at least one stage and an epoch_length of at least 1, got 0 and 1"),
        ([{"resolution": 64}], 1, r"stage 0 must have resolution, images and"),
        ([{"resolution": 64, "images": 1, "fade": 2}], 1, r"got resolution, images, fade"),
        ([Stage(64, 0)], 1, r"images of stage 0 must be at least 1, got 0"),
        ([Stage(64, 1, batch_size=0)], 1, r"batch_size of stage 0 must be at least 1, got 0"),
        ([Stage(64, 1, g_lr=0)], 1, r"g_lr and d_lr of stage 0 must be above 0, got 0 and"),
        ([Stage(64, 1, num_frames=0)], 1, r"num_frames of stage 0 must be at least 1, got 0"),
        ([Stage(64, 1, fade_images=1)], 1, r"stage 0 has nothing to fade in"),
        ([Stage(64, 1), Stage(256, 1)], 1, r"of stage 1 must be 64 or twice that, got 256"),
        ([Stage(64, 1), Stage(64, 1, 1)], 1, r"stage 1 has the resolution .*, got 1"),
    ],
)
def test_impossible_stages_are_refused(stages: Any, epoch_length: int, message: str) -> None:
    """In one line that says which."""
    with pytest.raises(ConfigError, match=message) as caught:
        Growth(stages, epoch_length=epoch_length)
    assert "\n" not in str(caught.value)


def test_networks_that_cannot_follow_are_refused() -> None:
    """At the beginning: those that don't grow, those that are too large, two that set rates."""
    with pytest.raises(ConfigError, match="generator must be a network that grows, got ACGANGen"):
        toy_trainer(growth=growth(), epoch_length=EPOCH)
    trainer = cine_trainer()
    trainer.generator.grow()
    with pytest.raises(ConfigError, match="at most 64 × 64 pixels at this stage, got 128"):
        growth().prepare(trainer, 1)
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), 0.1)
    with pytest.raises(ConfigError, match="schedulers must be none where growth sets"):
        cine_trainer(schedulers=[LinearDecay(optimizer, 2)])
    with pytest.raises(ConfigError, match="epoch_length must be that of growth, 2, got 3"):
        cine_trainer(epoch_length=3)


def test_autocast_is_on_from_the_stage_that_wants_it() -> None:
    """float32 below, bfloat16 above."""
    first, second = STAGES
    trainer = cine_trainer(Growth([first | {"amp": False}, second], epoch_length=EPOCH), amp=True)
    assert trainer.autocast_dtype is None
    assert trainer.growth is not None
    trainer.growth.prepare(trainer, EPOCH * 2 + 1)
    assert trainer.autocast_dtype is torch.bfloat16


def note_weights(folder: Path) -> None:
    """A rank's training through both stages."""
    start_distributed()
    try:
        rank = torch.distributed.get_rank()
        torch.manual_seed(rank)
        trainer = cine_trainer(growth(world=1))
        trainer.run()
        found = {"weights": weights(trainer), "resolution": trainer.generator.resolution}
        torch.save(found, folder / f"rank{rank}.pt")
    finally:
        stop_distributed()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_ranks_grow_in_lockstep(tmp_path: Path) -> None:
    """Two processes over gloo have the same weights, bit for bit, after a doubling."""
    done = python("-m", "tests.engines.test_growth", tmp_path)
    assert done.returncode == 0, done.stderr
    one, two = (torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in range(2))
    assert one["resolution"] == two["resolution"] == 128
    assert torch.equal(one["weights"], two["weights"])


if __name__ == "__main__":
    sys.exit(max(ranks(2, partial(note_weights, Path(sys.argv[1])))))
