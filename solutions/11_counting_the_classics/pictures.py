"""Draw the picture of module 11's prose: ``python solutions/11_counting_the_classics/pictures.py``."""

from pathlib import Path
from typing import Any

from matplotlib.patches import Rectangle

from convnets import plots
from convnets.models import specs
from convnets.models.vgg import STAGES

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
NETS = {
    "LeNet-5, 1998": specs.lenet5(),
    "AlexNet, 2012": specs.alexnet(),
    "VGG-16, 2014": specs.vgg(STAGES["D"]),
}
CHANNELS_A_PIXEL, UNITS_A_PIXEL = 8.0, 20.0


def draw(ax: Any, spec: list[specs.Layer], bottom: float, title: str) -> None:
    """Draw the maps of a net: as high as their side, as wide as their channels; vectors as bars."""
    x = 0.0
    for row in specs.layer_table(spec):
        if row["kind"] == "lrn":
            continue
        vector = len(row["shape"]) == 1
        height = row["shape"][0] / UNITS_A_PIXEL if vector else row["shape"][1]
        width = 6.0 if vector else max(row["shape"][0] / CHANNELS_A_PIXEL, 4.0)
        kind = {"image": 6, "conv": 0, "pool": 4, "fc": 1}[row["kind"]]
        hatch = "//" if vector else ""
        box = Rectangle(
            (x, bottom), width, height, facecolor=plots.PALETTE[kind], edgecolor="white", hatch=hatch, lw=0.8
        )
        ax.add_patch(box)
        x += width + 5
    ax.text(0, bottom - 8, title, fontsize=10, color=INK, va="top")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    fig, ax = plots.figure(width=9.6, height=5.4)
    ax.axis("off")
    ax.set_aspect("equal")
    for (title, spec), bottom in zip(NETS.items(), (560, 280, 0), strict=True):
        draw(ax, spec, bottom, title)
    legend = (("picture", 6, ""), ("convolution", 0, ""), ("pooling", 4, ""), ("fully connected", 1, "//"))
    for place, (name, colour, hatch) in enumerate(legend):
        x = 330 + 135 * place
        box = Rectangle((x, 575), 12, 12, facecolor=plots.PALETTE[colour], edgecolor="white", hatch=hatch)
        ax.add_patch(box)
        ax.text(x + 18, 581, name, fontsize=9, color=INK, va="center")
    ax.text(330, 560, "height: side of the maps, or units / 20; width: channels", fontsize=9, color=INK, va="top")
    ax.set_xlim(-5, 865)
    ax.set_ylim(-30, 600)
    fig.savefig(FOLDER / "three_nets.png", dpi=120, metadata={"Software": None})
