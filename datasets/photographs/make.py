"""Make the photographs: pictures of scikit-image and scikit-learn, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import main, pypi

SCIKIT_IMAGE = {  # name in the package: name here
    "astronaut.png": "astronaut.png",
    "brick.png": "brick.png",
    "camera.png": "camera.png",
    "chelsea.png": "cat.png",
    "coffee.png": "coffee.png",
    "grass.png": "grass.png",
    "gravel.png": "gravel.png",
    "rocket.jpg": "rocket.jpg",
}
SCIKIT_LEARN = {"china.jpg": "palace.jpg", "flower.jpg": "flower.jpg", "README.txt": "CREDITS-palace-flower.txt"}


def make(folder: Path) -> None:
    """Copy ten photographs and the licences of the packages."""
    wheel = "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af"
    with pypi("scikit-image", "0.26.0", wheel) as root:
        for theirs, ours in SCIKIT_IMAGE.items():
            (folder / ours).write_bytes((root / "skimage/data" / theirs).read_bytes())
        licence = root / "scikit_image-0.26.0.dist-info/LICENSE.txt"
        (folder / "LICENSE-scikit-image.txt").write_bytes(licence.read_bytes())
    wheel = "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df"
    with pypi("scikit-learn", "1.9.1", wheel) as root:
        for theirs, ours in SCIKIT_LEARN.items():
            (folder / ours).write_bytes((root / "sklearn/datasets/images" / theirs).read_bytes())


if __name__ == "__main__":
    main(make)
