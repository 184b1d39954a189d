"""Draw the picture of module 08's prose: ``python solutions/08_lenet_reads_digits/pictures.py``."""

from pathlib import Path
from typing import Any

import numpy as np

from convnets import data, plots
from convnets.models.lenet_1998 import as_input
from convnets.widgets.digit_reader import reader_of
from convnets.widgets.reading_demo import layer_maps

FOLDER = Path(__file__).parent / "pictures"
#: Maps beside each other, and rows of a vector.
ACROSS = {"C1": 2, "S2": 2, "C3": 4, "S4": 4}
COLUMNS = {"C5": 6, "F6": 6}


def tiled(layer: dict[str, Any]) -> np.ndarray:
    """Lay the maps of a layer side by side with a gap; a vector is folded."""
    values = (
        np.frombuffer(layer["bytes"], np.int8).astype(float).reshape(layer["maps"], layer["height"], layer["width"])
    )
    if layer["height"] == 1:
        return values.reshape(-1, COLUMNS[layer["name"]])
    gap, across = max(1, layer["width"] // 7), ACROSS[layer["name"]]
    framed = np.pad(values, ((0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    rows = [np.concatenate(list(framed[i : i + across]), axis=1) for i in range(0, len(framed), across)]
    return np.concatenate(rows)[:-gap, :-gap]


def lenet() -> None:
    """Draw a 4 of the test set and what each layer of a trained LeNet-5 makes of it."""
    reader = reader_of(None, None)
    digits = data.digits(1, 200)
    fours = as_input(digits.x_test[digits.y_test == 4])
    probability = reader.probabilities(fours)
    x = fours[[int(np.argsort(probability[:, 4])[len(fours) // 2])]]
    layers = layer_maps(reader.model, x)
    fig, axes = plots.figure(1, 8, width=11.0, height=2.7, width_ratios=[1.3, 1.5, 1.2, 1.7, 1.3, 0.55, 0.55, 1.0])
    axes[0].imshow(x[0, 0], cmap="gray_r")
    axes[0].set_title("32 × 32", fontsize=8, loc="center")
    for ax, layer in zip(axes[1:], layers, strict=False):
        tiles = tiled(layer)
        ax.imshow(np.ma.masked_invalid(tiles), cmap="Blues", vmin=0, vmax=127)
        ax.set_title(f"{layer['name']}  {layer['shape']}", fontsize=8, loc="center")
    for ax in axes[:-1]:
        ax.axis("off")
    bars = axes[-1]
    final = reader.probabilities(x)[0]
    bars.barh(
        range(10), final, color=[plots.PALETTE[1] if k == final.argmax() else plots.PALETTE[0] for k in range(10)]
    )
    bars.set(yticks=range(10), xticks=[], xlim=(0, 1.02))
    bars.invert_yaxis()
    bars.tick_params(labelsize=8)
    bars.grid(visible=False)
    bars.set_title("output  10", fontsize=8, loc="center")
    fig.savefig(FOLDER / "lenet.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    lenet()
