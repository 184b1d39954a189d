"""Draw the picture of module 12's prose: ``python solutions/12_architectures_2/pictures.py``."""

from pathlib import Path
from typing import Any

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
WIDTH, HEIGHT = 92.0, 30.0


def box(ax: Any, x: float, y: float, words: str, colour: int, width: float = WIDTH) -> None:
    """Draw a box with words, centred at (x, y)."""
    face = plots.PALETTE[colour] + "33"
    style = "round,pad=0,rounding_size=5"
    ax.add_patch(
        FancyBboxPatch((x - width / 2, y - HEIGHT / 2), width, HEIGHT, style, fc=face, ec=plots.PALETTE[colour], lw=1.3)
    )
    ax.text(x, y, words, ha="center", va="center", fontsize=9, color=INK)


def arrow(ax: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow from one point to another."""
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color=INK, lw=1.1))


def column(ax: Any, x: float, bottom: float, layers: list[tuple[str, int]], top: float) -> None:
    """Draw boxes above each other, with arrows from the bottom through them to the top."""
    y = bottom
    for place, (words, colour) in enumerate(layers):
        centre = bottom + 40 + 60 * place
        arrow(ax, (x, y), (x, centre - HEIGHT / 2))
        box(ax, x, centre, words, colour)
        y = centre + HEIGHT / 2
    arrow(ax, (x, y), (x, top))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    fig, ax = plots.figure(width=9.6, height=3.9)
    ax.axis("off")
    ax.set_aspect("equal")

    column(ax, 60, 0, [("conv K × K", 0), ("conv 1 × 1", 1), ("conv 1 × 1", 1)], 215)
    ax.text(60, -22, "mlpconv", ha="center", fontsize=11, color=INK)

    paths = [
        [("conv 1 × 1", 1)],
        [("conv 1 × 1", 1), ("conv 3 × 3", 0)],
        [("conv 1 × 1", 1), ("conv 5 × 5", 0)],
        [("max pool", 4), ("conv 1 × 1", 1)],
    ]
    centres = [210 + 104 * k for k in range(4)]
    ax.plot([centres[0], centres[-1]], [0, 0], color=INK, lw=1.1, ls="-")
    for x, layers in zip(centres, paths, strict=True):
        column(ax, x, 0, layers, 162)
    middle = sum(centres) / 4
    box(ax, middle, 177, "stack the maps along the channels", 2, centres[-1] - centres[0] + WIDTH)
    arrow(ax, (middle, 192), (middle, 215))
    ax.text(middle, -22, "Inception module", ha="center", fontsize=11, color=INK)

    column(ax, 690, 0, [("conv 3 × 3", 0), ("conv 3 × 3", 0)], 148)
    ax.text(690, 160, "+", ha="center", va="center", fontsize=17, color=plots.PALETTE[1], weight="bold")
    arrow(ax, (690, 172), (690, 215))
    ax.text(683, 190, "ReLU", ha="right", va="center", fontsize=9, color=INK)
    ax.plot([690, 765, 765], [4, 4, 160], color=INK, lw=1.1, ls="-")
    arrow(ax, (765, 160), (702, 160))
    ax.text(690, -22, "residual block", ha="center", fontsize=11, color=INK)

    ax.set_xlim(5, 815)
    ax.set_ylim(-36, 222)
    fig.savefig(FOLDER / "three_blocks.png", dpi=110, metadata={"Software": None})
