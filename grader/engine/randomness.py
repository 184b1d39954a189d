"""Random numbers across the split: what a test seeds holds on both sides, and a generator that was passed moves on.

The trusted side never takes a state from the other one, which could choose it. Of the global generators it is told
only that they were drawn from: it then draws once itself, so that seeding them again is noticed. Of a generator that
was passed it is told how many steps to go ahead.
"""

from __future__ import annotations

import ctypes
import pickle
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

#: Steps that a generator may be moved ahead by one call.
MOST_STEPS = 1 << 48
_MASK = (1 << 128) - 1
#: The multiplier of PCG64, as NumPy has it.
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


class GlobalStates:
    """The states of the global generators of random, NumPy and PyTorch, as both sides last agreed on them."""

    def __init__(self) -> None:
        self._agreed: dict[str, Any] = {}

    def changed(self) -> dict[str, bytes]:
        """Return the states that are new since then, and agree on them."""
        new = {}
        for name, read in _READ.items():
            if name != "torch" or "torch" in sys.modules:
                state = read()
                if state != self._agreed.get(name):
                    self._agreed[name] = state
                    new[name] = pickle.dumps(np.random.get_state() if name == "numpy" else state)
        return new

    def take(self, states: dict[str, bytes]) -> None:
        """Set the generators to states of the trusted side; its pickles are read, so never use it there."""
        for name, state in states.items():
            if name == "torch" and "torch" not in sys.modules:
                continue  # the trusted side grades other modules too
            _WRITE[name](pickle.loads(state))
            self._agreed[name] = _READ[name]()

    def draw(self, names: list[str]) -> None:
        """Draw once from these generators, and agree on the states after it."""
        for name in names:
            if name == "random":
                random.random()
            elif name == "numpy":
                np.random.random_sample()
            elif name == "torch" and "torch" in sys.modules:
                sys.modules["torch"].rand(())
        if names:
            self.changed()


def _numpy_state() -> bytes:
    # As it stands in memory, 624 words and a position: NumPy's own way of telling takes 0.06 ms.
    address = np.random.get_bit_generator().ctypes.state_address  # type: ignore[attr-defined]
    return ctypes.string_at(address, 625 * 4)


def _torch_state() -> bytes:
    state: bytes = sys.modules["torch"].get_rng_state().numpy().tobytes()
    return state


def _set_torch_state(state: bytes) -> None:
    torch = sys.modules["torch"]
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


_READ: dict[str, Callable[[], Any]] = {"random": random.getstate, "numpy": _numpy_state, "torch": _torch_state}
_WRITE: dict[str, Callable[[Any], None]] = {
    "random": random.setstate,
    "numpy": np.random.set_state,
    "torch": _set_torch_state,
}


def steps_between(before: dict[str, Any], after: dict[str, Any]) -> int | None:
    """Return how many steps lead from one state of PCG64 to another; None for states of anything else.

    Source: M. O'Neill, PCG: a family of simple fast space-efficient statistically good algorithms for random number
    generation (2014), the distance between two states of a linear congruential generator, bit by bit.
    """
    if before.get("bit_generator") != "PCG64" or before["state"]["inc"] != after["state"]["inc"]:
        return None
    now, goal = before["state"]["state"], after["state"]["state"]
    multiplier, increment, bit, steps = _MULTIPLIER, before["state"]["inc"], 1, 0
    while now != goal:
        if (now ^ goal) & bit:
            now = (now * multiplier + increment) & _MASK
            steps |= bit
        bit <<= 1
        increment = (multiplier + 1) * increment & _MASK
        multiplier = multiplier * multiplier & _MASK
    return steps


def move_on(generator: np.random.Generator, steps: int, kept: int | None) -> None:
    """Move a generator ahead; `kept` are the 32 bits that it keeps of its last number, if any."""
    bits = generator.bit_generator
    if steps:
        bits.advance(steps)  # type: ignore[attr-defined]
    state: dict[str, Any] = dict(bits.state)
    state["has_uint32"], state["uinteger"] = int(kept is not None), kept or 0
    bits.state = state
