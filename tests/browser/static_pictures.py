"""Make the static pictures that stand for the widgets where no kernel runs.

Usage, from the root of the repository::

    python -m tests.browser.static_pictures                              # every module with widget cells
    python -m tests.browser.static_pictures 05_convolution_arithmetic

Each cell ``# %% widget="sliding_kernel"`` of ``solutions/<module>/notebook.py`` is run in a real JupyterLab, after the
setup and exercise cells before it, and its widget is saved as ``solutions/<module>/pictures/sliding_kernel.png``: light
theme, at most 60 KB.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.browser.harness import ROOT, BrowserError, chromium, open_notebook, running_lab

MOST_BYTES = 60_000
WIDTH = 1100  # of the window: JupyterLab's margins leave the widget its full 920 pixels
HEAD = re.compile(r"^# %%(?P<head>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class WidgetCell:
    """A widget of a text notebook and the code cells that must run before it."""

    name: str
    source: str
    before: tuple[str, ...]


def widget_cells(text: str) -> list[WidgetCell]:
    """Find the widget cells of a text notebook in jupytext's percent format."""
    heads = list(HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    found, before = [], []
    for match, end in zip(heads, ends, strict=True):
        head, source = match["head"].strip(), text[match.end() : end].strip()
        if named := re.search(r'\bwidget="(\w+)"', head):
            # A line "# picture: Widget(...)" asks for a more telling state than the one the cell opens with.
            telling = re.search(r"^# picture: (.+)$", source, re.MULTILINE)
            shown = f"{source}\n{telling[1]}" if telling else source
            found.append(WidgetCell(named[1], shown, tuple(before)))
        elif head == "setup" or head.startswith("exercise="):
            before.append(source)
    return found


def small_png(png: bytes, limit: int = MOST_BYTES) -> bytes:
    """Return the picture with as many colours as fit into `limit` bytes."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 48, 32):
        stream = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() <= limit:
            return stream.getvalue()
    raise ValueError(f"a picture of {picture.size} takes {stream.tell()} bytes: the limit is {limit}")


def make_pictures(modules: list[Path]) -> list[Path]:
    """Make the pictures of all widgets of some modules; returns the files written."""
    written = []
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder)) as lab, chromium() as browser:
        for module in modules:
            cells = widget_cells((module / "notebook.py").read_text(encoding="utf-8"))
            for cell in cells:
                notebook = open_notebook(lab, browser, cell.before, f"{module.name}_{cell.name}", WIDTH, height=1600)
                widget = notebook.run(cell.source)
                if "cnn-widget" not in (widget.get_attribute("class") or ""):
                    raise BrowserError(f"{module.name}: the cell of {cell.name} shows no widget: {widget.inner_text()}")
                notebook.page.mouse.move(0, 0)
                path = module / "pictures" / f"{cell.name}.png"
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(small_png(widget.screenshot(animations="disabled")))
                written.append(path)
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the static pictures of widgets.")
    parser.add_argument("modules", nargs="*", help="names under solutions/; default: all with widget cells")
    names = parser.parse_args().modules or sorted(path.parent.name for path in ROOT.glob("solutions/*/notebook.py"))
    modules = [ROOT / "solutions" / name for name in names]
    for module in modules:
        if not (module / "notebook.py").is_file():
            print(f"There is no solutions/{module.name}/notebook.py: name a folder under solutions/.", file=sys.stderr)
            return 2
    try:
        for path in make_pictures(modules):
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} KB")
    except BrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
