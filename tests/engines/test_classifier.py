"""The classifier's engine: a bare loop's numbers, nothing lost, the best network kept."""

import json
import logging
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedEvaluator
from monai.transforms import Compose, RandGaussianNoised
from torch import nn
from torch.utils.data import DataLoader

from medaug.engines import (
    AutocastInferer,
    BestNetwork,
    ClassicAugment,
    ClassifierTrainer,
    WarmupCosine,
)
from medaug.errors import CheckpointError, ConfigError, TrainingDivergedError
from medaug.handlers import ClassificationMetrics
from medaug.networks import image_classifier

from .test_killed import assert_same_run
from .toy_classifier import ITERATIONS, Net, loader, overlapping, trainer, trainer_in


def weights(made: ClassifierTrainer) -> torch.Tensor:
    networks = (made.network, made.best_network)
    return torch.cat([v.flatten() for n in networks for v in n.state_dict().values()])


def vit() -> nn.Module:
    """A vision transformer of timm's, the same each time."""
    torch.manual_seed(3)
    options = {"patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2}
    return image_classifier("vit_tiny_patch16_224", num_classes=2, image_size=32, **options)


Outputs = list[tuple[float, float, float]]


def bare_loop(data: Any, epochs: int) -> tuple[nn.Module, Outputs]:
    """Plain PyTorch: the network, and loss, accuracy and learning rate of each step."""
    network, found = vit(), []
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = WarmupCosine(optimizer, epochs * len(data), warmup=0.2)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for epoch in range(1, epochs + 1):
        data.sampler.set_epoch(epoch)
        for batch in data:
            optimizer.zero_grad()
            logits = network(batch["image"])
            loss = criterion(logits, batch["label"])
            loss.backward()
            right = (logits.argmax(1) == batch["label"]).float().mean()
            found.append((loss.item(), right.item(), optimizer.param_groups[0]["lr"]))
            optimizer.step()
            schedule.step()
    return network.eval(), found


def test_losses_and_accuracy_are_those_of_a_bare_loop() -> None:
    """The same model of timm's, seed and order: 24 steps within 1e-4, test images within one."""
    epochs, found, train = 4, [], overlapping(48, seed=0)
    made = trainer(network=vit(), data=loader(data=train), epochs=epochs, clip_norm=None, lr=2e-3)
    made.add_event_handler(
        Events.ITERATION_COMPLETED, lambda e: found.append(tuple(e.state.output.values()))
    )
    made.run()
    network, expected = bare_loop(loader(data=train), epochs)
    assert len(found) == len(expected) == 24
    for output, (loss, right, rate) in zip(found, expected, strict=True):
        assert output == (pytest.approx(loss, abs=1e-4), pytest.approx(right), rate)
    test = overlapping(64, seed=1)
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(test, batch_size=10),
        network=made.network,
        val_handlers=[ClassificationMetrics(("a", "b"))],
        decollate=False,
    )
    evaluator.run()
    with torch.no_grad():
        predicted = network(torch.stack([item["image"] for item in test])).argmax(1)
    right = sum(int(predicted[k]) == item["label"] for k, item in enumerate(test))
    assert abs(evaluator.state.metrics["accuracy"] * 64 - right) <= 1
    assert 40 <= right < 64  # it has learned what there is to learn


def send(number: int) -> None:
    os.kill(os.getpid(), number)


def judged(values: dict[int, float], **options: Any) -> list[Any]:
    """A handler that makes up a metric for some epochs, and `BestNetwork` by it."""

    class Judge:
        def attach(self, engine: Any) -> None:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.judge)

        def judge(self, engine: Any) -> None:
            if engine.state.epoch in values:
                engine.state.metrics["gap"] = values[engine.state.epoch]

    return [Judge(), BestNetwork("gap", **options)]


GAPS = {1: 0.5, 2: 0.2, 3: 0.4}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClassifierTrainer, Path]:
    """A run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    made = trainer_in(folder, handlers=judged(GAPS))
    made.run()
    return made, folder


@pytest.mark.parametrize("stop", [1, 6, 8])
def test_a_stopped_run_goes_on_bit_for_bit(
    stop: int,
    whole: tuple[ClassifierTrainer, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By SIGTERM within an epoch and at its end: weights, checkpoints and tables are the same."""
    first = trainer_in(tmp_path, handlers=judged(GAPS))
    first.add_event_handler(Events.ITERATION_COMPLETED(once=stop), partial(send, signal.SIGTERM))
    with caplog.at_level(logging.WARNING, "medaug"):
        first.run()
    assert f"stopped by SIGTERM after iteration {stop} of {ITERATIONS}" in caplog.text
    torch.rand(7)  # whatever else happened in between
    second = trainer_in(tmp_path, handlers=judged(GAPS), saver={"resume": True})
    second.run()
    assert torch.equal(weights(second), weights(whole[0]))
    for path in (tmp_path / "models").glob("resume_*.pt"):
        if not (whole[1] / "models" / path.name).exists():
            path.unlink()  # of where it was stopped
    for path in (whole[1] / "models").glob("resume_*.pt"):
        (tmp_path / "models" / path.name).touch()
    assert (tmp_path / "models" / "model.pt").stat().st_size > 0
    assert_same_run(whole[1], tmp_path)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_give_the_same_weights() -> None:
    """Bit for bit, with transforms of MONAI's that draw."""
    noise = Compose([RandGaussianNoised("image", prob=0.7, std=0.2)])
    runs = [
        trainer(data=loader(transform=noise, num_workers=workers), epochs=2) for workers in (0, 2)
    ]
    for made in runs:
        made.run()
    assert torch.equal(weights(runs[0]), weights(runs[1]))


def test_the_best_network_is_saved(whole: tuple[ClassifierTrainer, Path], tmp_path: Path) -> None:
    """model.pt is that of epoch 2, and model.json says so."""
    models = whole[1] / "models"
    told = json.loads((models / "model.json").read_text())
    assert told == {"epoch": 2, "validation": {"gap": 0.2}}
    half = trainer_in(tmp_path, handlers=judged({}))
    half.add_event_handler(Events.ITERATION_COMPLETED(once=6), partial(send, signal.SIGTERM))
    half.run()
    last = torch.load(tmp_path / "models" / "model.pt", weights_only=True)  # that of epoch 2
    best = torch.load(models / "model.pt", weights_only=True)
    assert all(torch.equal(value, last[name]) for name, value in best.items())
    assert json.loads((tmp_path / "models" / "model.json").read_text()) == {"epoch": 2}
    fresh = Net()
    fresh.load_state_dict(best)


def test_a_training_that_gets_no_better_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """After so many epochs; to go on with it ends at once, but not with more patience."""
    gaps = {1: 0.5, 2: 0.4, 3: float("nan"), 4: 0.45, 5: 0.41, 6: 0.3}

    def run(patience: int, **saver: Any) -> ClassifierTrainer:
        made = trainer_in(tmp_path, handlers=judged(gaps, patience=patience), epochs=7, saver=saver)
        with caplog.at_level(logging.INFO, "medaug"):
            made.run()
        return made

    assert run(3).state.epoch == 5
    assert "ended after epoch 5: none was better by gap than epoch 2, for 3 epochs" in caplog.text
    again = run(3, resume=True)
    assert (again.state.epoch, again.best_epoch) == (5, 2)
    more = run(4, resume=True)
    assert (more.state.epoch, more.best_epoch) == (7, 6)


def test_divergence_leaves_the_saved_network_alone(tmp_path: Path) -> None:
    """NaN is never written over a good one; the images are named."""
    made = trainer_in(tmp_path)

    @made.on(Events.EPOCH_STARTED(once=2))
    def break_it() -> None:
        next(made.network.parameters()).data.fill_(float("nan"))

    with pytest.raises(TrainingDivergedError, match=r"finite.* in iteration 4;.*000"):
        made.run()
    state = torch.load(tmp_path / "models" / "model.pt", weights_only=True)
    assert all(value.isfinite().all() for value in state.values())


def test_another_run_isnt_gone_on_with(
    whole: tuple[ClassifierTrainer, Path], tmp_path: Path
) -> None:
    """Another learning rate, batch size or network: each by its name."""
    named = {"resume": str(whole[1] / "models" / "resume_000000006.pt")}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"lr": 1e-4}, "lr was 0.003 there, got 0.0001"),
        ({"data": loader(batch_size=4)}, "iterations of an epoch was 3 there, got 6"),
        ({"network": nn.Sequential(nn.Flatten(), nn.Linear(1024, 2))}, "configured: "),
    ]
    for changes, message in cases:
        with pytest.raises(CheckpointError, match=message):
            trainer_in(tmp_path, saver=named, **changes).run()


def test_warm_up_and_cosine() -> None:
    """Ten steps: two up, the rest down to zero; the formula at each."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=3.0)
    schedule = WarmupCosine(optimizer, 10, warmup=0.2)
    rates = []
    for _ in range(12):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert rates[:3] == pytest.approx([1.0, 2.0, 3.0])
    assert rates[6] == pytest.approx(1.5)
    assert rates[10:] == [0.0, 0.0]
    assert rates[2:11] == sorted(rates[2:11], reverse=True)
    for total, warmup in ((0, 0.1), (5, 1.0), (5, -0.1)):
        with pytest.raises(ConfigError, match="total of at least 1 and warmup in"):
            WarmupCosine(optimizer, total, warmup=warmup)


def test_images_are_augmented_by_seed_and_step() -> None:
    """The network sees others in each step, and after a resume those that it would have seen."""
    seen: list[torch.Tensor] = []

    def prepared(epochs: int) -> ClassifierTrainer:
        made = trainer(network=Net(), epochs=epochs, augment=ClassicAugment())
        made.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
        return made

    prepared(2).run()
    whole, seen = seen, []
    first, rest = prepared(1), prepared(2)
    first.run()
    rest.restore(first.checkpoint())
    rest.run()
    assert all(map(torch.equal, whole, seen))
    assert len({float(images.sum()) for images in whole}) == len(whole) == len(seen) > 4


@pytest.mark.parametrize(
    ("dtype", "used"),
    [(torch.bfloat16, torch.bfloat16), (torch.float16, None), (None, None)],
)
def test_half_precision_where_it_needs_no_scale(
    dtype: Any, used: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bfloat16 inside, float32 outside; fused attention, slow so on processors, is left alone."""
    monkeypatch.setattr("medaug.engines._classifier.autocast_dtype", lambda _: dtype)
    inside: list[tuple[torch.dtype, bool]] = []
    layer = nn.Linear(2, 2)

    def network(image: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = layer(image)
        inside.append((out.dtype, torch.backends.cuda.flash_sdp_enabled()))
        return out

    inferer = AutocastInferer("cpu")
    assert inferer.dtype is used
    assert inferer(torch.rand(3, 2), network).dtype is torch.float32
    assert inside == [(used or torch.float32, used is None)]
    assert torch.backends.cuda.flash_sdp_enabled()
    assert AutocastInferer("cpu", amp=False).dtype is None


def test_patience_is_checked() -> None:
    """Zero epochs would end a training at once."""
    with pytest.raises(ConfigError, match="patience must be at least 1 epoch, got 0"):
        BestNetwork("gap", patience=0)
