"""Statistics and tables over trainings, on toy figures."""

import json
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from medaug.evaluation import Estimate
from medaug.features import Extractor

from .arms import Kept, Run
from .tables import agreement, effects, kendall, load, ranks, read, report, shown, welch

PLAIN, AIIN = (0.30, 0.28, 0.35), (0.39, 0.37, 0.44)


def toy(arm: str, seed: int, ratio: float, space: str | None = None) -> dict[str, object]:
    """An entry as `arms` writes it, of two extractors that rank in opposite orders."""

    def figure(name: str, scope: str, value: float, real: float) -> dict[str, object]:
        sides = {
            side: Estimate(one, one - 0.03, one + 0.04)._asdict()
            for side, one in (("synthetic", value), ("real", real))
        }
        return {"name": name, "scope": scope, "better": "real", "n": 20} | sides

    figures = [
        figure("fd_a_ratio", "", ratio, 1.0),
        figure("fd_b_ratio", "", 1 - ratio, 1.0),
        figure("msssim_w7", "covid", 0.5 - ratio, 0.4),
        figure("is_domain_32px", "", 2.0 + ratio, 2.0),
    ]
    return {
        "run": f"{arm}_{seed}",
        "kind": "ACGAN",
        "arm": arm,
        "space": space or arm,
        "figures": figures,
        "verdicts": [{"name": "infidelity", "answer": "can't tell at this n"}],
    }


def both_arms() -> list[dict[str, object]]:
    """Three seeds of each."""
    arms = (("plain", PLAIN), ("aiin", AIIN))
    return [toy(arm, seed, ratio) for arm, part in arms for seed, ratio in enumerate(part)]


def test_welch_is_scipys() -> None:
    """Interval and mean are those of the unequal-variances t test."""
    theirs = stats.ttest_ind(AIIN, [*PLAIN, 0.9], equal_var=False).confidence_interval(0.95)
    ours = welch([*PLAIN, 0.9], AIIN)
    assert ours == pytest.approx((0.4 - 1.83 / 4, theirs.low, theirs.high), rel=1e-9)


def test_welch_of_one_training_has_no_interval() -> None:
    """One value has no spread; equal values have none either, and that is known."""
    assert welch([1.0], [3.0, 4.0]) == Estimate(2.5)
    assert welch([1.0, 1.0], [3.0, 3.0]) == Estimate(2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("other", "tau"), [((1, 2, 3), 1), ((3, 2, 1), -1), ((1, 3, 2), 1 / 3), ((1, 1, 1), 0)]
)
def test_kendall_counts_pairs(other: tuple[float, ...], tau: float) -> None:
    """Three pairs: all, none, two, and ties that count for nothing."""
    assert kendall((10, 20, 30), other) == pytest.approx(tau)


def test_ranks_begin_at_the_greatest() -> None:
    """Equal values share a rank."""
    assert ranks([0.2, 0.5, 0.5, 0.1]) == [3, 1, 1, 4]


def test_effect_is_with_minus_without() -> None:
    """Means, how many seeds, and the interval of the difference."""
    found = effects([read(one) for one in both_arms()])
    line = next(line for line in found.splitlines() if line.startswith("| FD ratio, a"))
    interval = shown(welch(PLAIN, AIIN), "+")
    assert line == f"| FD ratio, a | 0.310 (n = 3) | 0.400 (n = 3) | {interval} |"
    assert "| MS-SSIM excess, covid | -0.210 (n = 3) | -0.300 (n = 3) | -0.090" in found
    assert "| inception score − real | 0.310 (n = 3) | 0.400 (n = 3) | +0.090" in found


def test_report_compares_like_with_like(tmp_path: Path) -> None:
    """A later entry replaces an earlier one; what is no trained arm is shown, not compared."""
    other = [toy("aiin", seed, 0.1, "plain") for seed in range(3)]
    ceiling = toy("real, aiin", 0, 0.2, "plain")
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    files[0].write_text(json.dumps([toy("plain", 0, 0.9), *other]), encoding="utf-8")
    files[1].write_text(json.dumps([*both_arms(), ceiling]), encoding="utf-8")
    own, same = "\n".join(report(load(files))).split("each arm in")[1:]
    assert "| aiin_2 | 1 | 6 |" in own
    assert "| aiin_2 | 4 | 1 |" in same
    assert "a and b -1.00" in own
    assert "real, aiin" not in own + same
    assert "0.900" not in own


def test_ranks_leave_out_what_an_extractor_did_not_see() -> None:
    """Its place is empty, and Kendall's tau counts the trainings that both saw."""
    entries = [read(one) for one in both_arms()]
    entries[5] = entries[5]._replace(figures=entries[5].figures[:1])
    found = agreement(entries)
    assert "| aiin_2 | 1 | – |" in found
    assert "a and b -1.00 (n = 5)" in found


class Counting(nn.Module):
    """Means of images; counts calls."""

    calls = 0

    def forward(self, images: Tensor) -> Tensor:
        """(N, 1)."""
        Counting.calls += 1
        return images.mean((1, 2, 3))[:, None]


def test_features_are_made_once(tmp_path: Path) -> None:
    """The second time they come from the folder; other images are other features."""
    images = torch.rand(12, 1, 16, 16)
    made = [Kept(Extractor(Counting(), name="toy", protocol={}), tmp_path) for _ in range(2)]
    vectors = [one(images).vectors for one in made]
    assert torch.equal(vectors[0], images.mean((1, 2, 3))[:, None])
    assert torch.equal(*vectors)
    assert Counting.calls == 1
    assert not torch.equal(made[0](1 - images).vectors, vectors[0])


def test_split_is_the_trainings(tmp_path: Path) -> None:
    """The data set's own seed, or the training's where it was left to that."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "model.json").write_text('{"use_aiin": true}', encoding="utf-8")
    for given, split in ((0, 0), ("@seed", 7)):
        record = {"seed": 7, "configuration": {"data": {"seed": given}}}
        (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
        assert (Run(tmp_path).arm, Run(tmp_path).split_seed) == ("aiin", split)
