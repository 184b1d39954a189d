"""ImageNet's contest year by year: point at a bar and read what won, with which error, how deep.

The state and the pictures of it are plain Python (:class:`ImagenetWinnersState`, :func:`view_of`); the browser draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from convnets.data import ContestEntry, imagenet_history
from convnets.widgets.base import CourseWidget, assets

MEASURES = {"error": "top-5 error in %", "layers": "layers with weights"}


def bars_of(everything: bool) -> list[ContestEntry]:
    """Return the entries that get a bar: the winners, or everyone but the people, who get a line."""
    return [entry for entry in imagenet_history() if entry.role != "human" and (everything or entry.role == "winner")]


@dataclass(frozen=True)
class ImagenetWinnersState:
    """All there is to know of one picture.

    Attributes
    ----------
    measure : {"error", "layers"}
        What the bars show.
    everything : bool
        Runners-up and entries without extra data as well, and the second person.
    entry : int
        The bar that is described, from 0; moved to the last one where it lies beyond.
    """

    measure: str = "error"
    everything: bool = False
    entry: int = 2

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f'measure is "error" or "layers", not {self.measure!r}.')
        last = len(bars_of(self.everything)) - 1
        object.__setattr__(self, "entry", min(max(self.entry, 0), last))


def height_of(entry: ContestEntry, measure: str) -> float | None:
    """Return what the bar of an entry shows, None where there is nothing to show."""
    return entry.top5_error if measure == "error" else entry.layers


def view_of(state: ImagenetWinnersState) -> dict[str, Any]:
    """Describe the picture of a state for the browser."""
    entries = bars_of(state.everything)
    heights = [height_of(entry, state.measure) for entry in entries]
    top, step = (30, 5) if state.measure == "error" else (160, 40)
    people = [entry for entry in imagenet_history() if entry.role == "human"]
    shown = people if state.everything else people[:1]
    entry = entries[state.entry]
    return {
        "measure": state.measure,
        "title": MEASURES[state.measure],
        "everything": state.everything,
        "entry": state.entry,
        "bars": [
            {
                "year": one.year,
                "role": one.role,
                "height": height,
                "label": "–" if height is None else f"{height:g}",
                "words": told(one),
            }
            for one, height in zip(entries, heights, strict=True)
        ],
        "lines": [[one.top5_error, f"{one.name}: {one.top5_error:g} %"] for one in shown]
        if state.measure == "error"
        else [],
        "top": top,
        "ticks": list(range(0, top + 1, step)),
        "details": [
            ["year", str(entry.year)],
            ["entry", entry.name],
            ["by", entry.team],
            ["place", entry.role],
            ["layers with weights", "no network, or several kinds" if entry.layers is None else str(entry.layers)],
            ["top-5 error", f"{entry.top5_error:g} %"],
            ["against the winner before", fall(entry)],
            ["source", entry.source],
        ],
        "status": told(entry),
    }


def fall(entry: ContestEntry) -> str:
    """Say by which share the error is lower than that of the winner of the year before."""
    before = [one for one in imagenet_history() if one.role == "winner" and one.year == entry.year - 1]
    if not before:
        return "–"
    change = 100 * (1 - entry.top5_error / before[0].top5_error)
    return f"{abs(change):.0f} % {'lower' if change >= 0 else 'higher'}"


def told(entry: ContestEntry) -> str:
    """Say in one sentence what an entry was."""
    depth = "" if entry.layers is None else f", {entry.layers} layers"
    role = {"winner": "won with", "second": "came second with"}.get(entry.role, f"made, {entry.role},")
    return f"{entry.year}: {entry.name} by {entry.team} {role} {entry.top5_error:g} % top-5 error{depth}."


class ImagenetWinners(CourseWidget[ImagenetWinnersState]):
    """The winners of ImageNet's classification contest, 2010 to 2017, to point at.

    Parameters
    ----------
    measure, everything, entry
        See :class:`ImagenetWinnersState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.
    convnets.data.DataError
        If the file of the history is missing or damaged.

    Examples
    --------
    >>> ImagenetWinners(measure="layers", entry=5).as_code()
    "ImagenetWinners(measure='layers', entry=5)"
    """

    _esm, _css = assets("imagenet_winners")

    def __init__(
        self,
        *,
        measure: str = ImagenetWinnersState.measure,
        everything: bool = ImagenetWinnersState.everything,
        entry: int = ImagenetWinnersState.entry,
    ) -> None:
        super().__init__(ImagenetWinnersState(measure, everything, entry))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state)

    def act(self, state: ImagenetWinnersState, action: str, values: dict[str, Any]) -> ImagenetWinnersState:
        """Answer the controls, the pointer and the keys."""
        match action:
            case "move":
                return replace(state, entry=state.entry + values["by"])
            case "everything":
                # The same entry stays described where it is still there, otherwise the winner of its year.
                entry = bars_of(state.everything)[state.entry]
                entries = bars_of(values["on"])
                same = [place for place, one in enumerate(entries) if one == entry]
                year = [place for place, one in enumerate(entries) if one.year == entry.year]
                return replace(state, everything=values["on"], entry=(same or year)[0])
        return super().act(state, action, values)
