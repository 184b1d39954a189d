"""Draw the picture of module 14's prose: ``python solutions/14_fine_tuning/pictures.py``.

With ``--measure`` it prints the curves of the widget FreezeDepth instead, which takes some minutes.
"""

import sys
from pathlib import Path
from typing import Any

from matplotlib.patches import Rectangle

from convnets import plots, timing
from convnets.widgets.freeze_depth import DEPTHS
from grader.build.text import read_text_notebook

FOLDER = Path(__file__).parent / "pictures"
INK = "#333333"
#: Stem, 16 blocks, head and classifier, as high as their maps are wide (a little flattened), and how much is trained.
HEIGHTS = (112, 112, 56, 56, 28, 28, 14, 14, 14, 14, 14, 14, 7, 7, 7, 7, 7, 7, 7)
WAYS = (
    ("linear probe", 18, True),
    ("a few layers", 13, True),
    ("all layers", 0, True),
    ("from scratch", 0, False),
)


def rate_of(place: int, frozen: int, pretrained: bool) -> str:
    """Say how fast a layer is trained."""
    if place < frozen:
        return "frozen"
    if not pretrained:
        return "full"
    return "top" if place == len(HEIGHTS) - 1 else "between"


def measure() -> None:
    """Print the accuracy after training on from a probe, with the notebook's own functions, at each depth."""
    # The cells that define something: setup, exercises and the folded helpers of experiments.
    space: dict[str, Any] = {"__name__": "notebook"}
    for cell in read_text_notebook(Path(__file__).parent / "notebook.py").cells:
        helpers = cell.role == "experiment" and cell.tags.get("folded") and "plots.claims(" not in cell.source
        if cell.role in ("setup", "exercise") or helpers:
            exec(compile(cell.source, f"cell in line {cell.line}", "exec"), space)
    tasks = space["two_tasks"](500)
    rows = (("60 stamps", "similar", 5, 5), ("1,000 of clothing", "different", 1000, 2))
    for name, kind, each, epochs in rows:
        x, labels, is_train = tasks[kind]
        chosen = space["draw_some"](labels, is_train, each, space["np"].random.default_rng(100))
        classes = int(labels.max()) + 1
        found = []
        with timing.one_thread():
            probe = space["probe_for"](space["network_for"](classes), x[chosen], labels[chosen], classes)
            started = space["network_for"](classes, probe)
            before = space["right_after"](started, x[~is_train], labels[~is_train])
            for n in DEPTHS:
                layers = space["network_for"](classes, probe)
                groups = space["parameter_groups"](layers, n, space["ORIGINAL_LR"])
                tail, maps = space["behind"](layers, n, x[chosen])
                space["train_on"](
                    tail, maps, labels[chosen], epochs, groups, lambda tail=tail: space["freeze"](tail, 0, True)
                )
                found.append(round(space["right_after"](layers, x[~is_train], labels[~is_train]), 1))
        print(f'    "{name}": {tuple(found)},  # the probe: {before:.1f}', flush=True)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        measure()
        sys.exit()
    FOLDER.mkdir(exist_ok=True)
    colours = {"frozen": "#c9ced6", "between": plots.PALETTE[4], "top": plots.PALETTE[1], "full": plots.PALETTE[3]}
    fig, ax = plots.figure(width=9.0, height=4.2)
    ax.axis("off")
    for row, (name, frozen, pretrained) in enumerate(WAYS):
        middle = -row * 1.5
        ax.text(-0.4, middle, name, ha="right", va="center", fontsize=11, color=INK)
        x = 0.0
        for place, side in enumerate(HEIGHTS):
            height = 0.22 + side / 112
            kind = rate_of(place, frozen, pretrained)
            hatch = "////" if kind == "frozen" else ""
            corner = (x, middle - height / 2)
            ax.add_patch(Rectangle(corner, 0.36, height, facecolor=colours[kind], edgecolor="white", hatch=hatch))
            x += 0.46
    legend = (
        ("frozen, as ImageNet made it", "frozen", "////"),
        ("trained on at lr/100", "between", ""),
        ("new classifier, lr/10 or a probe", "top", ""),
        ("random, trained at lr", "full", ""),
    )
    for place, (words, kind, hatch) in enumerate(legend):
        left, low = 0.0 + 4.6 * (place % 2), -5.75 - 0.42 * (place // 2)
        ax.add_patch(Rectangle((left, low), 0.3, 0.26, facecolor=colours[kind], edgecolor="white", hatch=hatch))
        ax.text(left + 0.42, low + 0.13, words, va="center", fontsize=9, color=INK)
    ax.set_xlim(-2.2, 9.4)
    ax.set_ylim(-6.3, 0.75)
    fig.savefig(FOLDER / "four_ways.png", dpi=110, metadata={"Software": None})
