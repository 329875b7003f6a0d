"""Generators of hearts of which it is known what is wrong with them, judged beside real ones."""

import json
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from medaug.errors import CheckpointError, UserError
from medaug.evaluation import (
    Answer,
    CineEvaluator,
    Estimate,
    Evaluation,
    Figure,
    LabelledSequences,
    Neighbour,
    Reading,
    find,
)
from medaug.evaluation._cine_figures import network_figures
from medaug.evaluation._cine_verdicts import cine_verdicts
from medaug.evaluation._features import Vectors, draw_all
from medaug.evaluation._motion import Motion
from medaug.evaluation._strata import Measured, ratio_figures
from medaug.metrics import Ratings, motion_energy, nearest_sequence

from ..references.frechet import frechet_distance
from .cines import CLASSES, hearts, vgg16

EACH = 40
"""Of a modality, in each set."""


@pytest.fixture(scope="module")
def sets() -> dict[str, LabelledSequences]:
    """Three groups of patients."""
    return {name: hearts(EACH, seed) for seed, name in enumerate(("train", "held_out", "fresh"))}


@pytest.fixture(scope="module")
def evaluator(
    sets: dict[str, LabelledSequences], tmp_path_factory: pytest.TempPathFactory
) -> CineEvaluator:
    """Beside which all are judged, with a network of random weights for the steps."""
    folder = tmp_path_factory.mktemp("networks")
    return CineEvaluator(
        sets["train"], sets["held_out"], CLASSES, vgg_weights=vgg16(folder), cache=folder
    )


@pytest.fixture(scope="module")
def same(evaluator: CineEvaluator) -> Evaluation:
    """The held-out real ones, given out as generated."""
    return evaluator(evaluator.held_out)


def answers(found: Evaluation) -> dict[str, Answer]:
    """By question."""
    return {verdict.name: verdict.answer for verdict in found.verdicts}


def unasked(part: LabelledSequences) -> LabelledSequences:
    """Without ejection fractions, reading which takes time."""
    return part._replace(ejection_fraction=torch.full_like(part.ejection_fraction, torch.nan))


def value(found: Evaluation, name: str, scope: str = "") -> float:
    """Of what was generated."""
    figure = find(found.figures, name, scope)
    assert figure is not None, found.text()
    return figure.synthetic.value


def test_real_hearts_ring_no_bell(same: Evaluation) -> None:
    """Six times no."""
    assert set(answers(same).values()) == {Answer.NO}, same.text()
    assert value(same, "motion_energy_ratio") == pytest.approx(1, abs=0.3)


def test_fresh_hearts_ring_no_bell(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """Of other patients than the held-out ones."""
    found = evaluator(sets["fresh"])
    assert Answer.YES not in answers(found).values(), found.text()


def test_copies_are_found(evaluator: CineEvaluator, sets: dict[str, LabelledSequences]) -> None:
    """Begun at another frame, too; whatever their distance says."""
    train = unasked(sets["train"])
    found = evaluator(train._replace(sequences=train.sequences.roll(3, 2)))
    assert answers(found)["memorisation"] is Answer.YES, found.text()
    assert found.neighbours[7] == Neighbour(7, 7, pytest.approx(0, abs=1e-6), 8 - 3)
    assert value(found, "psnr_to_nearest") > 100
    assert found.hyperscore is not None
    assert found.hyperscore.parts["psnr"] == 1


def test_noisy_copies_are_found(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """As far as they are from the originals pixel by pixel."""
    random = torch.Generator().manual_seed(0)
    train = unasked(sets["train"])
    noise = 0.05 * torch.randn(train.sequences.shape, generator=random)
    found = evaluator(train._replace(sequences=(train.sequences + noise).clamp(0, 1)))
    assert answers(found)["memorisation"] is Answer.YES, found.text()


def still(sequences: Tensor) -> Tensor:
    """The first frame for ever."""
    return sequences[:, :, :1].expand_as(sequences)


def shuffled(sequences: Tensor) -> Tensor:
    """Frames in an order of chance."""
    random = np.random.default_rng(0)
    return torch.stack([one[:, random.permutation(one.shape[1])] for one in sequences])


def slowed(sequences: Tensor) -> Tensor:
    """Half of the way from the mean heart."""
    mean = sequences.mean(2, keepdim=True)
    return mean + 0.5 * (sequences - mean)


def test_hearts_that_stand_still_are_found(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """By their motion, as a set of clips, and by their ejection fraction."""
    fresh = sets["fresh"]
    found = evaluator(fresh._replace(sequences=still(fresh.sequences)))
    for name in ("motion", "infidelity", "condition"):
        assert answers(found)[name] is Answer.YES, found.text()
    assert value(found, "motion_energy_ratio") == 0
    assert value(found, "frame_distance_vgg16_relu3_3_ratio") == 0


@pytest.mark.parametrize(("fault", "least", "most"), [(slowed, 0.2, 0.3), (shuffled, 1.5, 2.5)])
def test_hearts_that_hardly_move_or_flicker_are_found(
    fault, least: float, most: float, evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """Half the stroke has a quarter of the energy."""
    fresh = sets["fresh"]
    figures = evaluator.motion.figures(fresh._replace(sequences=fault(fresh.sequences)))
    verdict = cine_verdicts(figures, CLASSES, extractors=[], judge="j")[0]
    assert verdict.answer is Answer.YES, verdict
    whole = find(figures, "motion_energy_ratio")
    assert whole is not None
    assert least < whole.synthetic.value < most


def test_still_hearts_with_noise_are_found(tmp_path: Path) -> None:
    """Though they change as much from frame to frame as hearts that beat."""
    real = hearts(10, 3, frames=20)
    held = still(real.sequences)
    change = (real.sequences - real.sequences.roll(1, 2)).square().mean((1, 2, 3, 4), keepdim=True)
    random = torch.Generator().manual_seed(0)
    noisy = held + (change / 2).sqrt() * torch.randn(held.shape, generator=random)
    motion = Motion(real, real, CLASSES, weights=vgg16(tmp_path), device="cpu", seed=0)
    figures = motion.figures(real._replace(sequences=noisy.clamp(0, 1)))
    whole, beat = (find(figures, f"motion_energy{name}_ratio") for name in ("", "_4_harmonics"))
    assert whole is not None
    assert beat is not None
    assert 0.7 < whole.synthetic.value < 1.4
    assert beat.synthetic.value < 0.4
    assert cine_verdicts(figures, CLASSES, extractors=[], judge="j")[0].answer is Answer.YES


def test_one_heart_again_and_again_is_a_collapse(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """In the modality in which it is made."""
    fresh = unasked(sets["fresh"])
    sequences = torch.where(
        (fresh.labels == 0)[:, None, None, None, None], fresh.sequences[:1], fresh.sequences
    )
    found = evaluator(fresh._replace(sequences=sequences))
    assert answers(found)["intra_class_collapse"] is Answer.YES, found.text()
    (alike,) = (f for f in found.figures if f.name.startswith("msssim") and f.scope == "mri")
    assert alike.synthetic.value == pytest.approx(1, abs=1e-4)
    assert alike.real is not None
    assert alike.real.value < 0.9


def test_another_modality_than_asked_for_is_found(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """All MRI, half of them asked for as CT."""
    fresh = unasked(sets["fresh"])
    mri = fresh.sequences[fresh.labels == 0].repeat_interleave(2, 0)
    found = evaluator(fresh._replace(sequences=mri))
    assert answers(found)["inter_class_collapse"] is Answer.YES, found.text()


def test_an_ejection_fraction_that_is_not_heeded_is_found(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """Hearts as they come, whatever was asked for."""
    fresh = sets["fresh"]
    found = evaluator(fresh._replace(ejection_fraction=fresh.ejection_fraction.flip(0)))
    assert answers(found)["condition"] is Answer.YES, found.text()


def test_blur_is_told_from_real(
    evaluator: CineEvaluator, sets: dict[str, LabelledSequences]
) -> None:
    """And is no copy, though PSNR to the nearest rises."""
    fresh = unasked(sets["fresh"])
    frames = fresh.sequences.flatten(0, 2).unsqueeze(1)
    blurred = F.avg_pool2d(F.pad(frames, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    found = evaluator(fresh._replace(sequences=blurred.view_as(fresh.sequences)))
    assert answers(found)["infidelity"] is Answer.YES, found.text()
    assert answers(found)["memorisation"] is not Answer.YES, found.text()


def test_figures_are_plain_formulas(evaluator: CineEvaluator, same: Evaluation) -> None:
    """In float64, of the very sequences."""
    train, held_out = evaluator.train, evaluator.held_out

    def mean(values: Tensor, part: LabelledSequences, label: int) -> float:
        return float(values[part.labels == label].double().mean())

    beat = partial(motion_energy, harmonics=4)
    for name, figure in (("motion_energy", motion_energy), ("motion_energy_4_harmonics", beat)):
        ours, theirs = (figure(part.sequences) for part in (held_out, train))
        for label, scope in enumerate(CLASSES):
            expected = mean(ours, held_out, label) / mean(theirs, train, label)
            assert value(same, f"{name}_ratio", scope) == pytest.approx(expected)
        both = [sum(mean(v, p, k) for k in (0, 1)) for v, p in ((ours, held_out), (theirs, train))]
        assert value(same, f"{name}_ratio") == pytest.approx(both[0] / both[1])
    found = nearest_sequence(held_out.sequences, train.sequences)
    for name in ("psnr", "ssim"):
        values = getattr(found, name)
        expected = np.mean([mean(values, held_out, k) for k in (0, 1)])
        assert value(same, f"{name}_to_nearest") == pytest.approx(expected)
    told = np.array(
        [(r.asked, r.read) for r in same.readings if r.source == "synthetic" and r.read == r.read]
    )
    assert len(told) > EACH
    r = np.corrcoef(told.T)[0, 1]
    figure = find(same.figures, "ejection_fraction_correlation")
    assert figure is not None
    ends = np.tanh(np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(len(told) - 3))
    assert figure.synthetic == pytest.approx((r, *ends), abs=1e-4)
    assert value(same, "ejection_fraction_difference") == pytest.approx(
        np.diff(told.T, axis=0).mean()
    )


def test_distances_are_of_all_frames_and_of_clips() -> None:
    """Frames in a heap; means joined with mean absolute steps, these four times."""
    random = np.random.default_rng(0)
    vectors = Vectors(*(torch.from_numpy(random.normal(size=(20, 6, 3))) for _ in range(3)))
    labels = torch.zeros(20, dtype=torch.int64)
    draws = draw_all(labels, labels, labels, 1, seed=0)
    found = {one.name: one for one in network_figures("x", vectors, draws, seed=0)}
    heaps = [part.reshape(-1, 3).numpy() for part in (vectors.held_out, vectors.synthetic)]
    assert found["fd_x"].synthetic.value == pytest.approx(frechet_distance(*heaps))

    def clips(part: Tensor) -> np.ndarray:
        array = part.numpy()
        steps = np.abs(np.roll(array, -1, axis=1) - array).mean(axis=1)
        return np.concatenate([array.mean(axis=1), 4 * steps], axis=1)

    pair = clips(vectors.held_out), clips(vectors.synthetic)
    assert found["clip_fd_x"].synthetic.value == pytest.approx(frechet_distance(*pair))
    assert {one.n for one in found.values()} == {20}


def test_intervals_are_over_sequences_not_frames() -> None:
    """Eight equal frames say no more than one: the interval stays as wide as of one."""
    random = np.random.default_rng(1)
    one = Vectors(*(torch.from_numpy(random.normal(shift, 1, (30, 1, 2))) for shift in (0, 0, 1)))
    many = Vectors(*(part.expand(-1, 8, -1) for part in one))
    labels = torch.zeros(30, dtype=torch.int64)
    draws = draw_all(labels, labels, labels, 1, seed=0)
    widths = []
    for vectors in (Vectors(*(part.repeat(1, 2, 1) for part in one)), many):
        figure = next(f for f in network_figures("x", vectors, draws, 0) if f.name == "fd_x")
        widths.append(np.ptp(figure.synthetic.ends))
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_each_modality_counts_the_same_in_a_ratio() -> None:
    """However many there are; means of 2 and 4 by means of 1 and 1."""
    made = Measured(np.array([2.0] * 9 + [4.0] * 2), np.array([0] * 9 + [1] * 2))
    real = Measured(np.ones(8), np.arange(8) % 2)
    found = ratio_figures("x", made, real, real, classes=CLASSES, seed=0)
    assert [(f.scope, f.synthetic.value, f.n) for f in found] == [
        ("", 3, 6),
        ("mri", 2, 4),
        ("ct", 4, 2),
    ]
    assert all(f.real == Estimate(1, 1, 1) for f in found)


def test_one_exact_copy_is_enough() -> None:
    """Among a hundred fresh ones; not where held-out ones are copies, too."""
    for real, expected in ((20.0, Answer.YES), (math.inf, Answer.UNKNOWN)):
        figure = Figure("psnr_to_nearest", "", Estimate(math.inf), Estimate(real), "real", 100)
        found = cine_verdicts([figure], CLASSES, extractors=[], judge="j")[4]
        assert (found.name, found.answer) == ("memorisation", expected)


@pytest.mark.parametrize(
    ("whole", "one", "expected"),
    [
        ((1.0, 0.8, 1.2), (1.0, 0.6, 1.5), Answer.NO),
        ((0.9, 0.75, 1.05), (0.5, 0.4, 0.6), Answer.YES),
        ((1.0, 0.6, 1.5), (1.0, 0.6, 1.5), Answer.UNKNOWN),
        ((2.0, 1.5, 2.5), (2.0, 1.3, 2.7), Answer.YES),
    ],
)
def test_motion_is_judged_over_all_and_in_each(
    whole: tuple[float, ...], one: tuple[float, ...], expected: Answer
) -> None:
    """One modality that surely stands still is enough; to be well, all together must be surely."""
    figures = [
        Figure("motion_energy_ratio", scope, Estimate(*given), Estimate(1.0), "real", 20)
        for scope, given in (("", whole), ("mri", one))
    ]
    found = cine_verdicts(figures, CLASSES, extractors=["x"], judge="j")
    assert found[0].answer is expected
    well = Figure("motion_energy_ratio", "", Estimate(1.0, 0.8, 1.2), Estimate(1.0), "real", 20)
    beats = [figure._replace(name="motion_energy_4_harmonics_ratio") for figure in figures]
    found = cine_verdicts([well, *beats], CLASSES, extractors=["x"], judge="j")
    assert found[0].answer is expected
    assert {verdict.answer for verdict in found[1:]} == {Answer.UNKNOWN}


def test_without_weights_of_vgg16_the_rest_is_judged(
    sets: dict[str, LabelledSequences], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that is asked for and isn't there is a mistake."""

    def nowhere(*_: object) -> Path:
        raise CheckpointError("weights of vgg16 must be a file")

    few = {name: part.at_most(12)._replace(labels=torch.zeros(12, dtype=torch.int64))
           for name, part in sets.items()}  # fmt: skip
    asked = few["fresh"]._replace(ejection_fraction=torch.full((12,), torch.nan))
    with monkeypatch.context() as patch:
        patch.setattr("medaug.evaluation._motion.find_weights", nowhere)
        found = CineEvaluator(few["train"], few["held_out"], ("xray",))(asked)
    assert found.left_out["frame_distance_vgg16_relu3_3"] == "weights of vgg16 must be a file"
    assert "no ejection fraction was asked for" in found.left_out["ejection_fraction"]
    assert found.left_out["domain"] == "a classifier needs two classes at least"
    assert find(found.figures, "motion_energy_ratio") is not None
    assert found.hyperscore is None
    with pytest.raises(CheckpointError, match=r"no such file: .*gone\.pth"):
        CineEvaluator(few["train"], few["held_out"], ("xray",), vgg_weights=tmp_path / "gone.pth")


def test_ratings_are_a_part_of_the_hyperscore(evaluator: CineEvaluator, same: Evaluation) -> None:
    """Beside the distance, PSNR and SSIM, all of equal weight."""
    assert same.hyperscore is not None
    assert same.hyperscore.parts.keys() == {"fid", "psnr", "ssim"}
    assert same.hyperscore.parts["psnr"] == same.hyperscore.parts["ssim"] == 1
    evaluator.ratings = Ratings(synthetic=2.5, real=4.5, synthetic_count=8, real_count=8)
    try:
        found = evaluator(evaluator.held_out).hyperscore
    finally:
        evaluator.ratings = None
    assert found is not None
    assert found.parts == same.hyperscore.parts | {"realism": 0.5}
    assert found.value == pytest.approx(np.mean(list(found.parts.values())))


def test_every_figure_has_what_real_ones_give_beside_it(same: Evaluation) -> None:
    """No number stands alone, and intervals hold their values."""
    assert same.left_out == {}
    assert same.protocol["sequences"]["clips"].endswith("steps × 4")
    for figure in same.figures:
        assert figure.real is not None, figure.name
        for one in (figure.synthetic, figure.real):
            if one.low is not None and one.high is not None:
                assert one.low - 1e-9 <= one.value <= one.high + 1e-9, figure


def test_json_brings_back_what_was_written(same: Evaluation, tmp_path: Path) -> None:
    """Readings and shifts, too; what older versions wrote is read."""
    path = tmp_path / "evaluation.json"
    same.save(path)
    assert Evaluation.load(path) == same
    assert isinstance(same.readings[0], Reading)
    plain = json.loads(path.read_text())
    del plain["readings"]
    for one in plain["neighbours"]:
        del one["shift"]
    path.write_text(json.dumps(plain))
    assert Evaluation.load(path).readings == ()


def test_sequences_come_from_a_data_set() -> None:
    """By the name of the condition; per cent are made shares of one."""
    items = [
        {"image": torch.full((1, 3, 16, 16), k / 4), "label": k % 2,
         "conditions": torch.tensor([70.0, 10.0 * k])}
        for k in range(4)
    ]  # fmt: skip
    found = LabelledSequences.of(items, ("age", "ejection_fraction"), unit=100)
    assert found.sequences[:, 0, 0, 0, 0].tolist() == [0, 0.25, 0.5, 0.75]
    assert found.labels.tolist() == [0, 1, 0, 1]
    torch.testing.assert_close(found.ejection_fraction, torch.tensor([0, 0.1, 0.2, 0.3]))
    assert LabelledSequences.of(items, ("age",), at_most=3).ejection_fraction.isnan().all()
    with pytest.raises(UserError, match="sequences must be at least one, got none"):
        LabelledSequences.of([])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.only(np.arange(9)), "synthetic sequences must be at least 10 .* got 9"),
        (lambda s: s._replace(sequences=s.sequences * 3), "must lie in 0 to 1, got 0 to"),
        (lambda s: s._replace(sequences=s.sequences * torch.nan), "must lie in 0 to 1, got nan"),
        (lambda s: s._replace(labels=s.labels + 1), "labels must be 80 integers of 0 to 1, got 80"),
        (lambda s: s._replace(sequences=s.sequences[:, 0]), r"must be floats of \(N, 1, T, H, W\)"),
        (lambda s: s._replace(sequences=s.sequences[:, :, :1]), "at least 2 frames .* got 1 of 32"),
        (lambda s: s._replace(sequences=s.sequences[..., :8]), "at least 16 × 16 .* 8 of 32 × 8"),
        (lambda s: s._replace(sequences=s.sequences[:, :, :4]), "must have as many frames of one"),
        (
            lambda s: s._replace(ejection_fraction=s.ejection_fraction * 100),
            "must be 80 numbers of",
        ),
    ],
)
def test_what_cannot_be_judged_is_refused(change, message: str, evaluator: CineEvaluator) -> None:
    """In one line, with what was given."""
    with pytest.raises(UserError, match=message):
        evaluator(change(evaluator.held_out))
