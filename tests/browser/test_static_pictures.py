"""The pictures that stand for widgets: found by scanning the text notebooks, small enough, one for each widget cell."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.harness import ROOT
from tests.browser.static_pictures import MOST_BYTES, small_png, widget_cells

NOTEBOOK = """# %% [markdown]
# # A lesson

# %% setup
import numpy as np

# %% exercise="double" difficulty=1 minutes=2
def double(x):
    return 2 * x

# %% tests="double" points=1
check(double, 2).gives(4)

# %% widget="dial"
# alt: A dial.
Dial(double)

# %% experiment seconds=3
slow()
"""


def test_widget_cells_are_found_with_the_setup_and_exercises_before_them() -> None:
    (cell,) = widget_cells(NOTEBOOK)
    assert cell.name == "dial"
    assert cell.source == "# alt: A dial.\nDial(double)"
    assert cell.before == ("import numpy as np", "def double(x):\n    return 2 * x")


def test_pictures_are_made_small_by_using_fewer_colours() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    small = small_png(stream.getvalue(), limit=17_000)
    assert len(small) <= 17_000 < stream.tell()
    assert Image.open(io.BytesIO(small)).size == (160, 120)
    with pytest.raises(ValueError, match="the limit is 100"):
        small_png(stream.getvalue(), limit=100)


@pytest.mark.parametrize("path", sorted(ROOT.glob("solutions/*/notebook.py")), ids=lambda path: path.parent.name)
def test_every_widget_cell_has_its_picture_and_alt_text(path) -> None:
    for cell in widget_cells(path.read_text(encoding="utf-8")):
        picture = path.parent / "pictures" / f"{cell.name}.png"
        assert picture.is_file(), f"run: python -m tests.browser.static_pictures {path.parent.name}"
        assert picture.stat().st_size <= MOST_BYTES
        assert cell.source.startswith("# alt: ")
