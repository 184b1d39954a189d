"""Make the stamps: photographs of the Debian package tuxpaint-stamps-default, cut out by their alpha channel."""

from __future__ import annotations

import csv
import hashlib
import math
import sys
from collections import defaultdict
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from sources import LICENCES, debian, main

SIDE = 128
"""Height and width of a stamp's cell in the sheet, in pixels; the stamp's longer side fills it."""
COLUMNS = 16
TEST_SHARE = 0.35
"""Of every class at least this share of the stamps goes to the test set."""
VISIBLE = 16
"""Alpha from which a pixel counts as part of the stamp when its margins are cut off."""


def stamp(path: Path) -> tuple[Image.Image, int]:
    """Return a stamp centred in its cell, RGBA, and its longer side in the package, in pixels."""
    picture = Image.open(path).convert("RGBA")
    picture = picture.crop(picture.getchannel("A").point(lambda a: 255 * (a >= VISIBLE)).getbbox())
    longest = max(picture.size)
    width, height = (max(1, round(n * SIDE / longest)) for n in picture.size)
    # Colours are weighted by alpha while they are mixed ("RGBa"), or hidden colours would bleed into the edge.
    picture = picture.convert("RGBa").resize((width, height), Image.Resampling.BICUBIC).convert("RGBA")
    cell = Image.new("RGBA", (SIDE, SIDE))
    # Pasting through the mask leaves colours 0 where nothing is seen.
    seen = picture.getchannel("A").point(lambda a: 255 * (a > 0))
    cell.paste(picture, ((SIDE - width) // 2, (SIDE - height) // 2), seen)
    return cell, longest


def choose_test_subjects(rows: list[dict[str, str]]) -> set[tuple[str, str]]:
    """Choose the test subjects, (class, subject): in order of the SHA-256 of their names, no hand and no seed."""
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        sizes[row["class"]][row["subject"]] += 1
    chosen = set()
    for kind, subjects in sizes.items():
        missing = TEST_SHARE * sum(subjects.values())
        for subject in sorted(subjects, key=lambda s: hashlib.sha256(s.encode()).hexdigest()):
            if missing <= 0:
                break
            chosen.add((kind, subject))
            missing -= subjects[subject]
    return chosen


def make(folder: Path) -> None:
    """Make stamps.png, stamps.csv and the licence files of the stamps."""
    with (Path(__file__).parent / "selection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    in_test = choose_test_subjects(rows)
    sheet = Image.new("RGBA", (COLUMNS * SIDE, math.ceil(len(rows) / COLUMNS) * SIDE))
    table = []
    with debian("tuxpaint-stamps-default") as root:
        for i, row in enumerate(rows):
            cell, longest = stamp(root / "usr/share/tuxpaint/stamps" / row["path"])
            sheet.paste(cell, (i % COLUMNS * SIDE, i // COLUMNS * SIDE))
            part = "test" if (row["class"], row["subject"]) in in_test else "train"
            table.append([Path(row["path"]).stem.lower(), row["class"], row["subject"], part, longest])
        copyright_ = root / "usr/share/doc/tuxpaint-stamps-default/copyright"
        (folder / "COPYRIGHT.txt").write_bytes(copyright_.read_bytes())
    sheet.save(folder / "stamps.png", optimize=True)
    with (folder / "stamps.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["name", "class", "subject", "split", "source_px"])
        writer.writerows(table)
    (folder / "COPYING.txt").write_bytes((LICENCES / "GPL-2").read_bytes())


if __name__ == "__main__":
    main(make)
