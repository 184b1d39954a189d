"""A square over a photograph: drag it, and see what the network still says, and the map of all places.

The network is EfficientNet-Lite0 with ImageNet's weights; pictures have 128 pixels a side, so that a map of 169 places
takes about a second. Maps that were computed once are kept. The learner's `occlusion_map` makes the map.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from convnets import seeing
from convnets.data import imagenet_classes
from convnets.timing import one_thread
from convnets.widgets.base import Array, CourseWidget, Learner, as_numbers, assets, call_learner, missing_words

#: Pictures to choose from, each with its scores: a name and the classes of which any counts.
SCORES: dict[str, dict[str, tuple[str, ...]]] = {
    "coffee": {"espresso or cup": ("espresso", "cup")},
    "cat": {"any cat": ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")},
    "tiger and zebra": {"zebra": ("zebra",), "tiger": ("tiger", "tiger cat")},
}
FILLS = {"black": 0.0, "grey": 0.5, "white": 1.0}
#: Side of the pictures, the square's sides (least, most, step), the map's step, how many classes are shown.
SIDE, SQUARES, STEP, SHOWN = 128, (16, 96, 16), 8, 5
MOST_KEPT = 60


@dataclass(frozen=True)
class OccluderState:
    """All there is to know of one picture.

    Attributes
    ----------
    picture : str
        One of `SCORES`.
    score : str
        One of the picture's scores; the first one where it has none of that name.
    row, column : int
        The square's upper left corner in pixels; a square that would leave the picture is moved back into it.
    side : int
        Of the square, 16 to 96 pixels.
    fill : str
        One of `FILLS`.
    """

    picture: str = "coffee"
    score: str = "espresso or cup"
    row: int = 0
    column: int = 0
    side: int = 48
    fill: str = "black"

    def __post_init__(self) -> None:
        for name, known in (("picture", tuple(SCORES)), ("fill", tuple(FILLS))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}.")
        if self.score not in SCORES[self.picture]:
            if not any(self.score in scores for scores in SCORES.values()):
                known = tuple(SCORES[self.picture])
                raise ValueError(f"score is one of {', '.join(known)} for {self.picture}, not {self.score!r}.")
            object.__setattr__(self, "score", next(iter(SCORES[self.picture])))
        least, most, step = SQUARES
        if self.side not in range(least, most + 1, step):
            raise ValueError(f"side is {least} to {most} in steps of {step}, not {self.side!r}.")
        for name in ("row", "column"):
            place = getattr(self, name)
            if not isinstance(place, int) or not 0 <= place < SIDE:
                raise ValueError(f"{name} is a whole number from 0 to {SIDE - 1}, not {place!r}.")
            object.__setattr__(self, name, min(place, SIDE - self.side))


@cache
def picture_of(name: str) -> Tensor:
    """Return a picture, (1, 3, SIDE, SIDE), 0 to 1."""
    if name == "tiger and zebra":
        return seeing.pair("tiger_sumatran", "zebra", SIDE)[0]
    return seeing.photograph(name, SIDE)


def covered(state: OccluderState) -> Tensor:
    """Return the picture with the square in its place."""
    x = picture_of(state.picture).clone()
    x[..., state.row : state.row + state.side, state.column : state.column + state.side] = FILLS[state.fill]
    return x


def occlusion_map(model: nn.Module, x: Tensor, target: int, side: int, step: int, fill: float = 0.0) -> Tensor:
    """Return the score for every place of the square: the toolkit's version of the exercise."""
    rows = []
    with torch.no_grad():
        for top in range(0, x.shape[-2] - side + 1, step):
            line = []
            for left in range(0, x.shape[-1] - side + 1, step):
                one = x.clone()
                one[..., top : top + side, left : left + side] = fill
                line.append(one)
            rows.append(model(torch.cat(line))[:, target])
    return torch.stack(rows)


def chance(state: OccluderState, x: Tensor) -> float:
    """Return the probability of the score's classes."""
    with torch.inference_mode():
        return float(seeing.AnyOf(SCORES[state.picture][state.score])(x)[0, 0])


def refusal(found: Array | None, state: OccluderState) -> str:
    """Say why a map cannot be right, empty where it can: its shape, and two of its entries, are computed anew."""
    count = (SIDE - state.side) // STEP + 1
    if found is None or found.shape != (count, count):
        got = "nothing that is a map" if found is None else f"the shape {found.shape}"
        return f"Your occlusion_map gave {got}, not {count} × {count} scores. The toolkit's map is shown."
    for i, j in ((0, count - 1), (count // 2, count // 3)):
        right = chance(state, covered(replace(state, row=i * STEP, column=j * STEP)))
        if not abs(found[i, j] - right) < 2e-3:
            return (
                f"Your occlusion_map gave {found[i, j]:.3f} for row {i * STEP}, column {j * STEP}; the score is "
                f"{right:.3f}. The toolkit's map is shown."
            )
    return ""


def map_of(state: OccluderState, learner: Learner) -> tuple[Array, list[dict[str, Any]]]:
    """Return the map of a state, by the learner's function or else the toolkit's, and notes."""
    model = seeing.AnyOf(SCORES[state.picture][state.score])

    def run(function: Callable[..., Any]) -> Any:
        with one_thread():
            return function(model, picture_of(state.picture).clone(), 0, state.side, STEP, FILLS[state.fill])

    outcome = call_learner("occlusion_map", None if learner is None else lambda: run(learner))
    if outcome.kind == "value":
        given = outcome.value.detach() if isinstance(outcome.value, Tensor) else outcome.value
        found = as_numbers(given)
        words = refusal(found, state)
        if found is not None and not words:
            return found, []
    else:
        words = outcome.words if outcome.kind == "error" else missing_words(["occlusion_map"])
        words += " The toolkit's map is shown." if outcome.kind == "error" else ""
    note = {"words": words, "wrong": outcome.kind != "missing"}
    return np.asarray(run(occlusion_map), dtype=np.float64), [note]


def view_of(state: OccluderState, found: Array, notes: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : OccluderState
    found : ndarray, shape (n, n)
        Its map, of `map_of`.
    notes : list of dict
    """
    before, now = chance(state, picture_of(state.picture)), chance(state, covered(state))
    with torch.inference_mode():
        best = seeing.network()(covered(state)).softmax(dim=1)[0].topk(SHOWN)
    names = imagenet_classes()
    counted = {names.index(name) for name in SCORES[state.picture][state.score]}
    pixels = picture_of(state.picture)[0].permute(1, 2, 0).numpy()
    worst = divmod(int(found.argmin()), found.shape[1])
    return {
        "pictures": [[name, name] for name in SCORES],
        "picture": state.picture,
        "scores": [[name, name] for name in SCORES[state.picture]],
        "score": state.score,
        "fills": [[name, name] for name in FILLS],
        "fill": state.fill,
        "size": SIDE,
        "side": [state.side, *SQUARES],
        "row": [state.row, 0, SIDE - state.side],
        "column": [state.column, 0, SIDE - state.side],
        "bytes": (255 * pixels).round().clip(0, 255).astype(np.uint8).tobytes(),
        "map": (255 * np.clip(found, 0, 1)).round().astype(np.uint8).tobytes(),
        "places": found.shape[0],
        "step": STEP,
        "before": before,
        "now": now,
        "classes": [
            [names[i], p, i in counted] for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ],
        "notes": notes,
        "status": f"{state.picture}, {state.fill} square of {state.side} pixels at row {state.row}, column "
        f"{state.column}: p({state.score}) {now:.3f}, without it {before:.3f}. Worst place: row {worst[0] * STEP}, "
        f"column {worst[1] * STEP}, {found.min():.3f}.",
    }


class Occluder(CourseWidget[OccluderState]):
    """A square over a photograph, and what the network still says.

    Parameters
    ----------
    occlusion_map : callable or None
        Yours, as the exercise defines it. Without it, or where it is wrong, the toolkit takes its place and says so.
    picture, score, row, column, side, fill
        See :class:`OccluderState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    """

    _esm, _css = assets("occluder")

    def __init__(
        self,
        occlusion_map: Learner = None,
        *,
        picture: str = OccluderState.picture,
        score: str = OccluderState.score,
        row: int = OccluderState.row,
        column: int = OccluderState.column,
        side: int = OccluderState.side,
        fill: str = OccluderState.fill,
    ) -> None:
        self.learner = occlusion_map
        self.kept: OrderedDict[tuple[str, str, int, str], tuple[Array, list[dict[str, Any]]]] = OrderedDict()
        super().__init__(OccluderState(picture, score, row, column, side, fill), (("occlusion_map", occlusion_map),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state; its map is computed once for each picture, score, side and fill."""
        key = (self.state.picture, self.state.score, self.state.side, self.state.fill)
        if key not in self.kept:
            self.kept[key] = map_of(self.state, self.learner)
            if len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        return view_of(self.state, *self.kept[key])
