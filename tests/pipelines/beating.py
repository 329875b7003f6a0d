"""A synthetic short-axis cine: two slices of a chest in which an ellipse beats."""

from pathlib import Path

import numpy as np

from ..data.cine_files import affine, nifti

SLICES, PHASES, ROWS, COLUMNS = 2, 12, 96, 80
FILE = "beating.nii.gz"
VERSION = 1
# centre (row, column) of the left ventricle, off the middle
CENTRE = (54.0, 47.0)


def contraction(phase: int) -> float:
    """0 at the end of diastole, 1 at the end of systole, which comes after a third of the beat."""
    third = PHASES / 3
    if phase <= third:
        return float(0.5 - 0.5 * np.cos(np.pi * phase / third))
    return float(0.5 + 0.5 * np.cos(np.pi * (phase - third) / (PHASES - third)))


def ellipse(radius: float, *, centre: tuple[float, float] = CENTRE) -> np.ndarray:
    """Where an ellipse of half-axes radius and 1.3 radius is."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    return (((rows - centre[0]) / (1.3 * radius)) ** 2 + ((columns - centre[1]) / radius) ** 2) <= 1


def pool(number: int, phase: int) -> np.ndarray:
    """Where the blood of the left ventricle is."""
    return ellipse((12.0 - 4.0 * contraction(phase)) * (0.8 + 0.2 * number))


def frame(number: int, phase: int) -> np.ndarray:
    """Levels of one frame, 10 bits: dark lungs, a wall in front, muscle, bright blood, noise."""
    wall = ellipse(16.5 * (0.8 + 0.2 * number))
    levels = np.full((ROWS, COLUMNS), 60)
    levels[:14] = 300
    levels[:40, :18] = 220
    levels[wall] = 210
    levels[ellipse(9.0, centre=(50.0, 24.0))] = 560  # right ventricle
    levels[wall] = 210
    levels[pool(number, phase)] = 640
    noise = np.random.default_rng([7, number, phase]).integers(-20, 21, levels.shape)
    made: np.ndarray = (levels + noise).astype(np.uint16)
    return made


def beating() -> np.ndarray:
    """(slices, phases, rows, columns)."""
    return np.array([[frame(number, phase) for phase in range(PHASES)] for number in range(SLICES)])


def write(folder: Path) -> Path:
    """As NIfTI, 30 ms a phase."""
    return nifti(folder / FILE, beating().transpose(3, 2, 0, 1), affine(), step=30.0)
