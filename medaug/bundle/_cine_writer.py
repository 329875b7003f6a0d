"""Generated sequences as files, and a manifest of what made them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine
from torch import Tensor
from tqdm import tqdm

from ..data import CINE_FORMATS, write_synthetic_cine
from ..errors import ConfigError
from ._cine_inference import CineRequest
from ._synthetic_writer import SyntheticWriter
from ._training_set import file_hash


class CineWriter(SyntheticWriter):
    """Write the sequences that an evaluator makes: ``<directory>/<modality>/<modality>_NNNNN.dcm``.

    As a PNG, a sequence is a folder of that name. Each file says of itself that it is synthetic,
    and is written while its frames are made (`medaug.data.write_synthetic_cine`). At the end
    ``<directory>/manifest.json`` holds the model once, and for each sequence its files, each with
    its SHA-256, and modality, conditions, frames, ms between them, seed and index;
    while sequences are being written there is none.

    Args:
        directory: made if it isn't there; files of the same name are replaced.
        classes: the modalities, in the order of their indices.
        request: how many frames, when, of which conditions, and in which format.
        model: what `describe_model` returns.
        seed: of the latents.

    Raises:
        ConfigError: the format is unknown; later, when the directory can't be written.
    """

    what = "sequences"

    def __init__(
        self,
        directory: str | Path,
        classes: Sequence[str],
        *,
        request: CineRequest,
        model: Mapping[str, Any],
        seed: int,
    ) -> None:
        if request.format not in CINE_FORMATS:
            raise ConfigError(f"--format must be one of {[*CINE_FORMATS]}, got {request.format!r}")
        super().__init__(directory, classes, model=model, seed=seed)
        self.request = request

    def _write(self, engine: Engine) -> None:
        output: Any = engine.state.output
        (label,) = output["label"].tolist()
        request = self.request
        wanted = [f"{name} {value:g}" for name, value in request.conditions.items()]
        provenance = self._provenance(", ".join([self.classes[label], *wanted]))
        written = write_synthetic_cine(
            _counted(output["pred"], request.num_frames),
            self._path(label, CINE_FORMATS[request.format]),
            provenance,
            format=request.format,
            frame_time=request.frame_time,
        )
        files = [
            {"file": path.relative_to(self.directory).as_posix(), "sha256": file_hash(path)}
            for path in written
        ]
        entry = {
            "files": files,
            "modality": self.classes[label],
            "conditions": request.conditions,
            "num_frames": request.num_frames,
            "frame_time_ms": request.frame_time,
            "seed": self.seed,
            "index": provenance.index,
        }
        self._entries.append(entry)


def _counted(frames: Iterator[Tensor], total: int) -> Iterator[Tensor]:
    """The same, with a bar where they take their time."""
    with tqdm(total=total, desc="Making a sequence", unit="frame", delay=5, leave=False) as bar:
        for chunk in frames:
            yield chunk
            bar.update(chunk.shape[2])
