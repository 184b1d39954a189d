"""A unit of EfficientNet-Lite0 and the nine pictures of the album that excite it most, with the boxes that it sees.

The learner's `top_patches` finds them and the learner's `patch_box` draws the boxes; the toolkit checks both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from convnets import seeing
from convnets.training import full_or_fast
from convnets.widgets.base import CourseWidget, Learner, Trade, assets, counted, missing_words, number

#: Blocks to choose from, with the number of their units.
BLOCKS = {3: 24, 5: 40, 8: 80, 11: 112}
#: Side of the pictures that the network sees, side of those that are sent to the browser, how many are shown.
SIDE, SENT, SHOWN = 160, 96, 9

Place = tuple[int, int, int, float]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class UnitExplorerState:
    """All there is to know of one picture.

    Attributes
    ----------
    block : int
        One of `BLOCKS`.
    unit : int
        0 to the number of the block's units − 1; a larger one becomes the last.
    crop : bool
        Whether to show the patches alone, enlarged, or the whole pictures with their boxes.
    """

    block: int = 5
    unit: int = 8
    crop: bool = False

    def __post_init__(self) -> None:
        if self.block not in BLOCKS:
            raise ValueError(f"block is one of {', '.join(map(str, BLOCKS))}, not {self.block!r}.")
        if not isinstance(self.unit, int) or self.unit < 0:
            raise ValueError(f"unit is a whole number from 0 on, not {self.unit!r}.")
        object.__setattr__(self, "unit", min(self.unit, BLOCKS[self.block] - 1))


def maps_of(block: int) -> NDArray[np.float32]:
    """Return the feature maps of the album behind a block, (N, C, h, w); the first time this takes some seconds."""
    return seeing.album_maps(tuple(BLOCKS), SIDE, full_or_fast(None, 24))[block]


# The toolkit's own versions of the exercises: they check, and draw where the learner's are missing.


def top_patches(features: NDArray[np.float32], unit: int, k: int) -> list[Place]:
    """Find where a unit is most active, once in each picture."""
    flat = features[:, unit].reshape(len(features), -1)
    best = flat.max(axis=1)
    rows = []
    for picture in np.argsort(-best, kind="stable")[:k]:
        row, column = divmod(int(flat[picture].argmax()), features.shape[3])
        rows.append((int(picture), row, column, float(best[picture])))
    return rows


def patch_box(layers: list[tuple[int, int, int, int]], row: int, column: int, height: int, width: int) -> Box:
    """Return the pixels that a unit sees."""
    field, start, jump = 1, 0, 1
    for kernel, stride, padding, dilation in layers:
        field, start, jump = field + dilation * (kernel - 1) * jump, start - padding * jump, jump * stride
    top, left = start + row * jump, start + column * jump
    return max(top, 0), max(left, 0), min(top + field, height), min(left + field, width)


def same(given: Any, right: tuple[float, ...]) -> bool:
    """Tell whether something is these numbers."""
    try:
        return len(given) == len(right) and bool(np.allclose(np.asarray(given, dtype=float), right, rtol=1e-5))
    except (TypeError, ValueError):
        return False


def found_by(
    state: UnitExplorerState, top: Learner, box: Learner
) -> tuple[list[Place], list[Box], list[dict[str, Any]]]:
    """Return the places and boxes of a state, by the learner's functions where they are right, and notes."""
    features, layers = maps_of(state.block), seeing.layers_up_to(state.block, SIDE)
    places = top_patches(features, state.unit, SHOWN)
    tops, boxes = Trade("top_patches", top), Trade("patch_box", box)
    # Only this unit's maps are handed over: the arguments are copied, and those of all units are many.
    outcome = tops.ask(features[:, state.unit : state.unit + 1], 0, SHOWN)
    if outcome is not None:
        given = outcome.value
        wrong = not isinstance(given, list | tuple) or len(given) != len(places)
        if wrong:
            tops.refuse(f"did not return a list of {SHOWN} patches")
        elif (k := next((k for k, right in enumerate(places) if not same(given[k], right)), None)) is not None:
            tops.refuse(f"is wrong from place {k + 1} on")
    right_boxes = [patch_box(layers, row, column, SIDE, SIDE) for _, row, column, _ in places]
    for (_, row, column, _), right in zip(places, right_boxes, strict=True):
        outcome = boxes.ask(layers, row, column, SIDE, SIDE)
        if outcome is None:
            break
        if not same(outcome.value, right):
            boxes.refuse(f"gave {outcome.value} for row {row}, column {column}; the unit sees {right}")
            break
    missing = [trade.name for trade in (tops, boxes) if trade.missing]
    notes = [{"words": missing_words(missing), "wrong": False}] if missing else []
    notes += [{"words": trade.words, "wrong": True} for trade in (tops, boxes) if trade.words]
    return places, right_boxes, notes


def drawn(picture: int, box: Box, crop: bool) -> bytes:
    """Return a picture of the album, or the pixels of a box, as SENT × SENT × 3 bytes; beyond the rim it is white."""
    whole = Image.fromarray(seeing.album(SIDE)[picture])
    if not crop:
        return whole.resize((SENT, SENT), Image.Resampling.BICUBIC).tobytes()
    top, left, bottom, right = box
    length = max(bottom - top, right - left)
    page = Image.new("RGB", (length, length), "white")
    # A box is cut off at the rim: the other side of the patch stays where the unit sees it.
    page.paste(
        whole.crop((left, top, right, bottom)),
        (length - (right - left) if left == 0 else 0, length - (bottom - top) if top == 0 else 0),
    )
    return page.resize((SENT, SENT), Image.Resampling.NEAREST).tobytes()


def view_of(state: UnitExplorerState, top: Learner = None, box: Learner = None) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : UnitExplorerState
    top, box : callable or None
        The learner's `top_patches` and `patch_box`.
    """
    places, boxes, notes = found_by(state, top, box)
    layers = seeing.layers_up_to(state.block, SIDE)
    centre = patch_box([(k, s, 0, d) for k, s, _, d in layers], 0, 0, 10_000, 10_000)
    field = centre[2] - centre[0]
    return {
        "blocks": [[block, f"block {block}"] for block in BLOCKS],
        "block": state.block,
        "unit": [state.unit, 0, BLOCKS[state.block] - 1],
        "crop": "patches" if state.crop else "pictures",
        "size": SENT,
        "patches": [
            {
                "bytes": drawn(picture, one, state.crop),
                "box": [place / SIDE for place in one],
                "value": number(round(value, 1)),
                "name": f"picture {picture}, activation {number(round(value, 1))}, "
                f"rows {one[0]} to {one[2]}, columns {one[1]} to {one[3]}",
            }
            for (picture, _, _, value), one in zip(places, boxes, strict=True)
        ],
        "notes": notes,
        "status": f"Block {state.block}, unit {state.unit}: its field spans {counted(field, 'pixel')} of {SIDE}, its "
        f"largest activation is {places[0][3]:.1f}, in picture {places[0][0]}; the ninth {places[-1][3]:.1f}.",
    }


class UnitExplorer(CourseWidget[UnitExplorerState]):
    """Choose a layer and a unit, and see what excites it.

    Parameters
    ----------
    top_patches, patch_box : callable or None
        Yours, as the exercises define them. Without one, or where it is wrong, the toolkit takes over and says so.
    block, unit, crop
        See :class:`UnitExplorerState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> UnitExplorer(block=3, unit=11).as_code()
    'UnitExplorer(block=3, unit=11)'
    """

    _esm, _css = assets("unit_explorer")

    def __init__(
        self,
        top_patches: Learner = None,
        patch_box: Learner = None,
        *,
        block: int = UnitExplorerState.block,
        unit: int = UnitExplorerState.unit,
        crop: bool = UnitExplorerState.crop,
    ) -> None:
        self.top, self.box = top_patches, patch_box
        super().__init__(UnitExplorerState(block, unit, crop), (("top_patches", top_patches), ("patch_box", patch_box)))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.top, self.box)
