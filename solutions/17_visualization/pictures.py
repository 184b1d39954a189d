"""Draw the picture of module 17's prose: ``python solutions/17_visualization/pictures.py``.

The cells of the solved notebook paint it, so the picture shows what the learner's own functions will make.
"""

import io
from pathlib import Path

from PIL import Image, ImageChops

from convnets import plots, timing
from grader.build import read_text_notebook

HERE = Path(__file__).parent
CLASSES = {"flamingo": 0, "monarch": 0, "daisy": 0}  # each with its seed
MOST_BYTES = 150_000

if __name__ == "__main__":
    painter: dict = {}
    for cell in read_text_notebook(HERE / "notebook.py").cells:
        # All that the pictures need: the setup, the exercises, the objectives and what paints with them.
        needed = any(name in cell.source for name in ("class Objective", "def painted", "def as_array"))
        if cell.role in ("setup", "exercise") or (cell.role == "experiment" and needed):
            exec(compile(cell.source, f"line {cell.line}", "exec"), painter)
    with timing.one_thread():
        pictures = [
            painter["as_array"](painter["painted"](painter["class_score"](name), seed=seed))
            for name, seed in CLASSES.items()
        ]
        torch = painter["torch"]
        palace = torch.from_numpy(painter["data"].photograph("palace").copy()).permute(2, 0, 1)[None] / 255
        photo = painter["resize"](palace, (224, 336)).clamp(0, 1)
        rng = painter["np"].random.default_rng(0)
        dream = painter["deep_dream"](
            lambda x: painter["gradient_ascent"](painter["layer_energy"](11), x, 0.015, 10, 16, rng)[0],
            photo,
            [(114, 171), (160, 240), (224, 336)],
        )[..., -224:]
    fig = plots.images([*pictures, painter["as_array"](dream)], ["flamingo", "monarch", "daisy", "a dream"], size=2.0)
    stream = io.BytesIO()
    fig.savefig(stream, dpi=100, metadata={"Software": None})
    picture = Image.open(stream).convert("RGB")
    picture = picture.crop(ImageChops.invert(picture).getbbox())
    for colours in (256, 128, 64):
        small = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
        if small.tell() <= MOST_BYTES:
            break
    (HERE / "pictures" / "painted.png").write_bytes(small.getvalue())
