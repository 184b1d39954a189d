"""Make the temperatures: two tables of the package vega_datasets, byte for byte."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import main, pypi


def make(folder: Path) -> None:
    """Copy seattle-weather.csv, seattle-temps.csv and the licence of the package."""
    wheel = "3d7c63917be6ca9b154b565f4779a31fedce57b01b5b9d99d8a34a7608062a1d"
    with pypi("vega_datasets", "0.9.0", wheel) as root:
        for name in ("seattle-weather.csv", "seattle-temps.csv"):
            (folder / name).write_bytes((root / "vega_datasets/_data" / name).read_bytes())
        licence = root / "vega_datasets-0.9.0.dist-info/LICENSE"
        (folder / "LICENSE.txt").write_bytes(licence.read_bytes())


if __name__ == "__main__":
    main(make)
