"""Figures: one style, a colour-blind safe palette with a second channel, and alt text that is demanded."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

# Importing Matplotlib takes longer than all else that a setup cell does, and grading draws nothing.
if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Okabe and Ito's palette, without its yellow: told apart with every common colour blindness, on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
#: The second channels that go with the palette's colours.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))

_STYLE: dict[str, Any] = {
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 10,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}

Verdict = Literal["holds", "partly", "does not hold", "cannot be tested here"]
_MARKS: dict[str, str] = {"holds": "✓", "partly": "~", "does not hold": "✗", "cannot be tested here": "–"}


def figure(rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.2, **kwargs: Any) -> Any:
    """Make a figure in the course's style.

    Parameters
    ----------
    rows, columns : int
        Grid of axes.
    width, height : float
        Size in inches.
    **kwargs
        Passed on to `matplotlib.figure.Figure.subplots`.

    Returns
    -------
    fig : matplotlib.figure.Figure
    axes : Axes or array of Axes
        As `matplotlib.pyplot.subplots` gives them. The figure belongs to no global state: nothing is
        left open, and nothing is shown until `show` is called.
    """
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    # For the session, not for this figure alone: titles and legends are styled when they are added.
    matplotlib.rcParams.update(_STYLE | {"axes.prop_cycle": cycler(color=PALETTE, linestyle=LINES)})
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **kwargs)


def show(fig: Figure, *, alt: str) -> None:
    """Show a figure with its alternative text.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        What to show.
    alt : str
        What a reader who does not see it should know: what is drawn and what it shows.

    Raises
    ------
    ValueError
        When the text is missing.
    """
    if not alt.strip():
        raise ValueError("plots.show needs alt text: say what the figure draws and what it shows")
    stream = io.BytesIO()
    fig.savefig(stream, format="png", metadata={"Software": None})
    _display({"image/png": stream.getvalue(), "text/plain": alt}, {"image/png": {"alt": alt}})


def images(
    pictures: Sequence[Any], titles: Sequence[str], *, columns: int = 4, size: float = 1.9, **kwargs: Any
) -> Figure:
    """Draw pictures side by side, without axes.

    Parameters
    ----------
    pictures : sequence of ndarray, (H, W) or (H, W, 3)
        What to draw.
    titles : sequence of str
        A title each.
    columns : int
        Pictures a row at most.
    size : float
        Width of one in inches.
    **kwargs
        Passed on to ``imshow``, as ``vmin``; pictures of one channel are grey unless ``cmap`` says otherwise.
    """
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    tallest = max(np.shape(picture)[0] / np.shape(picture)[1] for picture in pictures)
    height = (size * tallest + 0.3) * rows
    fig, axes = figure(rows, columns, width=size * columns, height=height, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, title in zip(axes.flat, pictures, titles, strict=False):
        ax.imshow(np.asarray(picture), **{"cmap": "gray", **kwargs})
        ax.set_title(title, loc="center", fontsize=9)
    return fig  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Claim:
    """One line of a claim table.

    Attributes
    ----------
    slide_says, we_measured, conditions : str
        The claim, the figure with its spread, and under which conditions it was measured.
    verdict : str
        "holds", "partly", "does not hold" or "cannot be tested here".
    """

    slide_says: str
    we_measured: str
    conditions: str
    verdict: Verdict


def claims(rows: Sequence[Claim]) -> None:
    """Show a claim table: what the slide says, what was measured, under which conditions."""
    head = ("the slide says", "we measured", "conditions", "verdict")
    table = [(row.slide_says, row.we_measured, row.conditions, f"{_MARKS[row.verdict]} {row.verdict}") for row in rows]
    cells = "".join(
        "<tr>" + "".join(f'<td style="text-align: left">{html.escape(cell)}</td>' for cell in line) + "</tr>"
        for line in table
    )
    header = "".join(f'<th scope="col" style="text-align: left">{name}</th>' for name in head)
    text = "\n".join(" | ".join(line) for line in (head, *table))
    _display(
        {
            "text/html": '<table class="convnets-claims">'
            f"<thead><tr>{header}</tr></thead><tbody>{cells}</tbody></table>",
            "text/plain": text,
        }
    )


def _display(bundle: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    from IPython.display import display

    display(bundle, raw=True, metadata=metadata or {})
