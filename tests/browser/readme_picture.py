"""Make the README's picture: a notebook at work, in the real JupyterLab.

Usage, from the root of the repository::

    python -m tests.browser.readme_picture

Some cells of module 05 as learners have them, with an answer that forgets the stride.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tests.browser.harness import ROOT, NotebookPage, chromium, running_lab
from tests.browser.static_pictures import small_png

MODULE = "05_convolution_arithmetic"
PICTURE = ROOT / "docs" / "pictures" / "notebook.png"
SHOWN = ("setup-1", "setup-2", "cross_correlate2d", "cross_correlate2d-test-2", "widget-sliding_kernel")
ANSWER = """\
def cross_correlate2d(image, kernel, stride=1, padding=0):
    image = np.pad(image, padding)
    height, width = kernel.shape
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    out = np.zeros((rows, columns), dtype=int)
    for i, j in np.ndindex(rows, columns):
        out[i, j] = (image[i : i + height, j : j + width] * kernel).sum()
    return out"""
WIDGET = "from convnets.widgets import SlidingKernel\n\nSlidingKernel(cross_correlate2d, stride=2, position=(0, 1))"


def main() -> None:
    source = json.loads((ROOT / "notebooks" / MODULE / f"{MODULE}.ipynb").read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in source["cells"] if cell["id"] in SHOWN}
    cells["cross_correlate2d"]["source"] = ANSWER
    cells["widget-sliding_kernel"] |= {"source": WIDGET, "outputs": []}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CONVNETS_PROGRESS"] = str(Path(folder) / "progress")
        with running_lab(Path(folder) / "lab") as lab, chromium() as browser:
            notebook = source | {"cells": [cells[name] for name in SHOWN]}
            (lab.folder / f"{MODULE}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
            page = browser.new_context(viewport={"width": 1040, "height": 1900}).new_page()
            page.goto(f"{lab.url}/doc/tree/{MODULE}.ipynb?token={lab.token}")
            opened = NotebookPage(page)
            opened.wait_idle(120)
            for index in range(len(SHOWN)):
                page.evaluate(
                    "(i) => { const p = window.jupyterapp.shell.currentWidget; p.content.activeCellIndex = i;"
                    " return window.jupyterapp.commands.execute('notebook:run-cell').then(() => null); }",
                    index,
                )
            opened.wait_idle()
            page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 0; }")
            page.locator(".cnn-widget").wait_for()
            top = page.locator(".jp-Notebook .jp-Cell").nth(2).bounding_box()
            bottom = page.locator(".cnn-widget").bounding_box()
            assert top is not None
            assert bottom is not None
            height = bottom["y"] + bottom["height"] + 12 - top["y"]
            clip = {"x": 40, "y": top["y"] - 4, "width": 990, "height": height}
            PICTURE.parent.mkdir(exist_ok=True)
            PICTURE.write_bytes(small_png(page.screenshot(clip=clip, animations="disabled"), 200_000))


if __name__ == "__main__":
    main()
