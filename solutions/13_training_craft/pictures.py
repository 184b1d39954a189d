"""Draw the picture of module 13's prose: ``python solutions/13_training_craft/pictures.py``."""

from pathlib import Path

import numpy as np

from convnets import data, plots
from convnets.widgets.soft_labels import EXAMPLES

FOLDER = Path(__file__).parent / "pictures"


def temperatures() -> None:
    """Draw a digit and a teacher's probabilities for it at three temperatures."""
    index = 3
    logits = np.array(EXAMPLES[index])
    fig, axes = plots.figure(1, 4, width=9.0, height=2.3)
    axes[0].imshow(1 - data.digits(n_test=index + 1).x_test[index, 0], cmap="gray", vmin=0, vmax=1)
    axes[0].axis("off")
    for ax, temperature in zip(axes[1:], (1, 3, 10), strict=True):
        exponentials = np.exp(logits / temperature)
        ax.bar(range(10), exponentials / exponentials.sum(), color=plots.PALETTE[0])
        ax.set(title=f"temperature {temperature}", ylim=(0, 1), xticks=range(10), yticks=(0, 0.5, 1))
    fig.savefig(FOLDER / "temperatures.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    temperatures()
