"""What widgets share that walk over the places of a grid, by steps, by keys or by the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from convnets.widgets.base import CourseWidget


class Walk:
    """Base class of a state that stands at one place of a grid.

    Attributes
    ----------
    position : (int, int)
        Row and column.
    playing : bool
        The clock moves it.
    """

    position: tuple[int, int]
    playing: bool

    @property
    def places(self) -> tuple[int, int] | None:
        """Rows and columns; None where there is no place to stand on."""
        raise NotImplementedError

    @property
    def at_end(self) -> bool:
        """Whether this is the last place in reading order."""
        return self.places is None or self.position == (self.places[0] - 1, self.places[1] - 1)


W = TypeVar("W", bound=Walk)


def stepped(state: W) -> W:
    """Return the state at the next place in reading order; at the last one, it stays there and stops playing."""
    if state.places is None or state.at_end:
        return _replaced(state, playing=False)
    row, column = state.position
    columns = state.places[1]
    following = _replaced(state, position=divmod(row * columns + column + 1, columns))
    return _replaced(following, playing=state.playing and not following.at_end)


def _replaced(state: W, **fields: Any) -> W:
    return replace(state, **fields)  # type: ignore[type-var]  # every state is a dataclass


class WalkingWidget(CourseWidget[W]):
    """A widget whose state walks."""

    passing = frozenset({"playing"})

    def act(self, state: W, action: str, values: dict[str, Any]) -> W:
        """Answer the buttons, the keys and the clock."""
        row, column = state.position
        match action:
            case "tick":
                return stepped(state) if state.playing else state
            case "play":
                start = _replaced(state, position=(0, 0)) if state.at_end else state
                return _replaced(start, playing=not start.at_end)
            case "step":
                return _replaced(stepped(state), playing=False)
            case "reset":
                return _replaced(state, position=(0, 0), playing=False)
            case "end":
                return _replaced(state, position=tuple(size - 1 for size in state.places or (1, 1)), playing=False)
            case "move":
                return _replaced(state, position=(row + values["rows"], column + values["columns"]), playing=False)
            case "show":
                return _replaced(state, position=(values["row"], values["column"]), playing=False)
        return super().act(state, action, values)
