"""FID, KID, precision and recall of real radiographs, beside torch-fidelity and torchmetrics.

    python -m tests.results.fid

500 chest X-rays with pneumonia against 500 without, 64 × 64, through the FID network with random
weights (its own aren't at hand): torch-fidelity's network and ours hold the same ones, and so does
torchmetrics', without the antialiasing that is its default and no other FID's. Prints relative
differences.
"""

import tempfile
from pathlib import Path

import torch
from monai.transforms import Compose, Resized, ToTensord
from torch import Tensor
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance

from medaug.data import CachedDataset, ImageCollection, LoadRadiographd
from medaug.evaluation import LabelledImages
from medaug.features import inception2015
from medaug.metrics import frechet, kid, prdc

from ..features.fidelity import random_fidelity
from ..shared import SHARED

COUNT = 500
NEIGHBOURS = 3


def radiographs() -> tuple[Tensor, Tensor]:
    """Two sets of so many grey images, uint8 (n, 3, 64, 64)."""
    collection = ImageCollection(SHARED / "data" / "cxr", seed=0, progress=False)
    load = Compose(
        [
            LoadRadiographd("image"),
            Resized("image", (64, 64), mode="area"),
            ToTensord("image", track_meta=False),
        ]
    )
    items = [*collection.train, *collection.validation, *collection.test]
    ill = collection.classes.index("pneumonia")
    sets = ([item for item in items if (item["label"] == ill) is side] for side in (True, False))
    first, second = (
        LabelledImages.of(CachedDataset(part, load, seed=0), COUNT).images for part in sets
    )
    levels = (torch.cat([first, second]) * 255).round().to(torch.uint8).expand(-1, 3, -1, -1)
    return levels[:COUNT], levels[COUNT:]


@torch.no_grad()
def main() -> None:
    """Print what differs, and by how much."""
    network, sets = random_fidelity(), radiographs()
    theirs = [torch.cat([network(part)[0] for part in one.split(20)]) for one in sets]
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.pt"
        torch.save(network.state_dict(), weights)
        extract = inception2015(weights)
        ours = [extract(one.float() / 255).vectors for one in sets]
        metric = FrechetInceptionDistance(
            feature_extractor_weights_path=str(weights), antialias=False
        ).set_dtype(torch.float64)
        for one, real in zip(sets, (True, False), strict=True):
            for part in one.split(20):
                metric.update(part, real=real)
    far = max(float((a - b).norm() / b.norm()) for a, b in zip(ours, theirs, strict=True))
    print(f"features: {far:.1e} (norm of the difference by the norm)")
    distance, spread = frechet(*ours), kid(*ours).value
    found = prdc(ours[1], ours[0], k=NEIGHBOURS)
    fid = fid_statistics_to_metric(*map(fid_features_to_statistics, theirs), verbose=False)
    unbiased = kid_features_to_metric(
        *theirs, kid_subsets=1, kid_subset_size=COUNT, rng_seed=0, verbose=False
    )
    prc = {"prc_neighborhood": NEIGHBOURS, "prc_batch_size": 1000}
    prc |= {"save_cpu_ram": False, "verbose": False}
    shares = prc_features_to_metric(*theirs, **prc)
    print(f"FID by our formula of torch-fidelity's features: {frechet(*theirs):.9g}")
    same = prc_features_to_metric(*ours, **prc)
    print(f"precision by torch-fidelity's formula of our features: {same['precision']:.9g}")
    for name, mine, peer in (
        ("FID, torch-fidelity", distance, fid["frechet_inception_distance"]),
        ("FID, torchmetrics", distance, float(metric.compute())),
        ("KID, torch-fidelity", spread, unbiased["kernel_inception_distance_mean"]),
        ("precision, torch-fidelity", found.precision, shares["precision"]),
        ("recall, torch-fidelity", found.recall, shares["recall"]),
    ):
        print(f"{name}: {mine:.9g}, {peer:.9g}, relative {abs(mine - peer) / abs(peer):.1e}")


if __name__ == "__main__":
    main()
