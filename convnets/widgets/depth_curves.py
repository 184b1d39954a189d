"""Training curves of plain and residual networks at a chosen depth, from the stored runs.

The state and the pictures of it are plain Python (:class:`DepthCurvesState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from convnets.data import TrainingCurve, plain_and_residual
from convnets.widgets.base import CourseWidget, assets

MEASURES = {"train": "training error in %", "test": "test error in %"}


@cache
def stored() -> tuple[TrainingCurve, ...]:
    """Return the stored curves, read once."""
    return plain_and_residual()


def depths() -> list[int]:
    """Return the depths that there are curves of, in order."""
    return sorted({curve.depth for curve in stored()})


@dataclass(frozen=True)
class DepthCurvesState:
    """All there is to know of one picture.

    Attributes
    ----------
    depth : int
        Layers of both kinds of networks, one of the stored depths.
    measure : {"train", "test"}
        Which error is drawn.
    others : bool
        Whether the curves of the other depths stand faintly behind.
    """

    depth: int = 20
    measure: str = "train"
    others: bool = True

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f'measure is "train" or "test", not {self.measure!r}.')
        if self.depth not in depths():
            raise ValueError(f"depth is one of {', '.join(map(str, depths()))}, not {self.depth!r}.")


def errors_of(curve: TrainingCurve, measure: str) -> list[float]:
    """Return the errors of a curve, one an epoch."""
    return [float(error) for error in (curve.train_error if measure == "train" else curve.test_error)]


def view_of(state: DepthCurvesState) -> dict[str, Any]:
    """Describe the picture of a state for the browser."""
    lines: list[dict[str, Any]] = [
        {
            "kind": "residual" if curve.residual else "plain",
            "depth": curve.depth,
            "seed": curve.seed,
            "chosen": curve.depth == state.depth,
            "errors": errors_of(curve, state.measure),
        }
        for curve in stored()
        if state.others or curve.depth == state.depth
    ]
    chosen = sorted((line for line in lines if line["chosen"]), key=lambda line: (line["kind"], line["seed"]))
    last = {kind: [line["errors"][-1] for line in chosen if line["kind"] == kind] for kind in ("plain", "residual")}
    told = {kind: " and ".join(f"{error:.1f} %" for error in errors) for kind, errors in last.items()}
    return {
        "depth": state.depth,
        "depths": depths(),
        "measure": state.measure,
        "others": state.others,
        "title": MEASURES[state.measure],
        "lines": sorted(lines, key=lambda line: line["chosen"]),
        "last": [[kind, told[kind]] for kind in last],
        "status": f"{state.depth} layers, {MEASURES[state.measure].removesuffix(' in %')} after "
        f"{len(chosen[0]['errors'])} epochs, two seeds: plain {told['plain']}, residual {told['residual']}.",
    }


class DepthCurves(CourseWidget[DepthCurvesState]):
    """Plain against residual networks: move the depth and watch both kinds train.

    Parameters
    ----------
    depth, measure, others
        See :class:`DepthCurvesState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    convnets.data.DataError
        If the file of the curves is missing or damaged.

    Examples
    --------
    >>> DepthCurves(depth=56, measure="test").as_code()
    "DepthCurves(depth=56, measure='test')"
    """

    _esm, _css = assets("depth_curves")

    def __init__(
        self,
        *,
        depth: int = DepthCurvesState.depth,
        measure: str = DepthCurvesState.measure,
        others: bool = DepthCurvesState.others,
    ) -> None:
        super().__init__(DepthCurvesState(depth, measure, others))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state)
