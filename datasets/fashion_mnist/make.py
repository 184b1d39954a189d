"""Make Fashion-MNIST: the four files of the Debian package dataset-fashion-mnist, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import debian, main


def make(folder: Path) -> None:
    """Copy images, labels and licence of Fashion-MNIST."""
    with debian("dataset-fashion-mnist") as root:
        for part in ("train", "t10k"):
            for kind in ("images-idx3", "labels-idx1"):
                name = f"{part}-{kind}-ubyte.gz"
                content = (root / "usr/share/datasets/fashion-mnist" / name).read_bytes()
                (folder / name).write_bytes(content)
        copyright_ = root / "usr/share/doc/dataset-fashion-mnist/copyright"
        (folder / "COPYRIGHT.txt").write_bytes(copyright_.read_bytes())


if __name__ == "__main__":
    main(make)
