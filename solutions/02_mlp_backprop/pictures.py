"""Draw the pictures in the prose of 02 MLP and backpropagation: ``python solutions/02_mlp_backprop/pictures.py``."""

from itertools import pairwise
from pathlib import Path

from convnets import plots

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
BLUE, RED, GREEN = plots.PALETTE[:3]


def draw_layers(ax, sizes, xs, gap, edge_color, radius, fills, height=0.0):
    """Draw layers of units as columns of circles, centred at `height`, every unit joined to every unit of the next."""
    places = [
        [(x, height + gap * ((size - 1) / 2 - unit)) for unit in range(size)] for x, size in zip(xs, sizes, strict=True)
    ]
    for lower, upper in pairwise(places):
        for x0, y0 in lower:
            for x1, y1 in upper:
                ax.plot([x0, x1], [y0, y1], color=edge_color, linewidth=0.9, linestyle="-", alpha=0.55, zorder=1)
    for layer, fill in zip(places, fills, strict=True):
        for x, y in layer:
            ax.scatter([x], [y], s=radius, color=fill, edgecolor=INK, linewidth=1.2, zorder=2)
    return places


def blank(width, height, xlim, ylim):
    """Return a figure with empty axes of equal scale."""
    fig, ax = plots.figure(width=width, height=height)
    ax.set(xlim=xlim, ylim=ylim)
    ax.axis("off")
    return fig, ax


def save(fig, name):
    """Write a picture, byte for byte the same each time."""
    fig.savefig(FOLDER / name, dpi=150, metadata={"Software": None})


def network():
    """Draw the 3-4-4-1 network with the parameters of each layer."""
    fig, ax = blank(7.6, 3.7, (-1.3, 10.4), (-4.0, 2.75))
    xs = (0, 3, 6, 9)
    places = draw_layers(ax, (3, 4, 4, 1), xs, 1.05, INK, 620, ("#F2F2F2", "#CFE6F5", "#CFE6F5", "#FBE0CF"))
    text = {"ha": "center", "va": "center", "color": INK}
    for (x, y), day in zip(places[0], ("two days\nago", "yesterday", "today"), strict=True):
        ax.text(x - 0.45, y, day, fontsize=9, ha="right", va="center", color=INK)
    for layer in places[1:3]:
        for x, y in layer:
            ax.text(x, y, "σ", fontsize=12, **text)
    ax.text(places[3][0][0] + 0.45, 0, "tomorrow", fontsize=9, ha="left", va="center", color=INK)
    for x, name, shape in zip(xs, ("x", "h₁", "h₂", "y′"), ("3", "4", "4", "1"), strict=True):
        ax.text(x, 2.4, f"{name}  ({shape}, N)", fontsize=11, **text)
    counts = (("W₁ 4×3, b₁ 4×1", "16"), ("W₂ 4×4, b₂ 4×1", "20"), ("W₃ 1×4, b₃ 1×1", "5"))
    for x, (shapes, count) in zip((1.5, 4.5, 7.5), counts, strict=True):
        ax.text(x, -2.4, shapes, fontsize=9.5, **text)
        ax.text(x, -2.95, f"{count} parameters", fontsize=10.5, weight="bold", **text)
    ax.text(4.5, -3.7, "16 + 20 + 5 = 41", fontsize=12, weight="bold", color=BLUE, ha="center", va="center")
    save(fig, "network.png")


def backprop():
    """Draw the two passes of the Nature figure: z and y forwards, the error derivatives backwards."""
    xs = (0, 3, 6, 9)
    names = ("input: i", "hidden H1: j", "hidden H2: k", "output: l")
    forwards = (
        ("$x_i$", ""),
        (r"$z_j = \sum_i w_{ij}\,x_i$", "$y_j = f(z_j)$"),
        (r"$z_k = \sum_j w_{jk}\,y_j$", "$y_k = f(z_k)$"),
        (r"$z_l = \sum_k w_{kl}\,y_k$", "$y_l = f(z_l)$"),
    )

    def gradient(quantity):
        return rf"\dfrac{{\partial E}}{{\partial {quantity}}}"

    backwards = [("", "")]
    for unit, above in (("j", "k"), ("k", "l"), ("l", "")):
        arriving = rf"= \sum_{above} w_{{{unit}{above}}}\,{gradient(f'z_{above}')}$" if above else "$ from the loss"
        slope = rf"\dfrac{{\partial y_{unit}}}{{\partial z_{unit}}}"
        through = rf"${gradient(f'z_{unit}')} = {gradient(f'y_{unit}')}\,{slope}$"
        backwards.append((f"${gradient(f'y_{unit}')} {arriving}", through))
    # Each pass: title, formulas, colour, arrow, height of the drawing, distance of the two lines of formulas below it.
    passes = (
        ("Forwards", forwards, BLUE, "->", 0.0, (-1.85, -2.75)),
        ("Backwards", backwards, RED, "<-", -6.2, (-2.05, -3.55)),
    )
    fig, ax = blank(8.6, 6.4, (-1.4, 10.9), (-10.6, 2.5))
    fills = ("#F2F2F2", "#CFE6F5", "#CFE6F5", "#FBE0CF")
    for title, formulas, color, arrow, height, below in passes:
        draw_layers(ax, (2, 3, 2, 1), xs, 0.8, color, 260, fills, height)
        ax.text(-1.3, height + 2.1, title, fontsize=12, weight="bold", color=color, ha="left", va="center")
        ax.annotate(
            "", (9.4, height + 2.1), (1.4, height + 2.1), arrowprops={"arrowstyle": arrow, "color": color, "lw": 1.8}
        )
        for x, name, lines in zip(xs, names, formulas, strict=True):
            ax.text(x, height + 1.45, name, fontsize=9.5, color=INK, ha="center", va="center")
            for distance, line in zip(below, lines, strict=True):
                ax.text(x, height + distance, line, fontsize=11.5, color=INK, ha="center", va="center")
    save(fig, "backprop.png")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    network()
    backprop()
