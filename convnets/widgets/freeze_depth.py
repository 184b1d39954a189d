"""How deep to freeze: a slider over the layers of EfficientNet-Lite0, with the learner's own two functions at work."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from convnets.widgets.base import CourseWidget, Learner, Trade, assets, counted, missing_words

if TYPE_CHECKING:
    from torch import nn

LAYERS = 21
#: Layers that hold weights: all but "pool" and "dropout". The last is the classifier.
MOST_FROZEN = LAYERS - 1
CLASSES = 12

#: Accuracy in % on unseen pictures (64 px) after training on from a linear probe, at each number of frozen layers in
#: DEPTHS; made by ``python solutions/14_fine_tuning/pictures.py --measure`` with the notebook's own cells.
DEPTHS = (0, 5, 9, 13, 17, 20)
MEASURED: dict[str, tuple[float, ...]] = {
    "60 stamps": (55.0, 55.0, 56.2, 53.8, 51.2, 50.0),
    "1,000 of clothing": (83.4, 83.6, 83.2, 82.8, 83.0, 82.8),
}
#: The same of the linear probes themselves, before anything is trained on.
PROBES: dict[str, float] = {"60 stamps": 52.5, "1,000 of clothing": 83.0}


@dataclass(frozen=True)
class FreezeState:
    """How many layers are frozen, and whether the others keep their statistics.

    Attributes
    ----------
    frozen : int
        The first so many of 21 layers, 0 to 20.
    fix_statistics : bool
        Whether batch normalisations that are trained keep their running statistics.
    """

    frozen: int = 13
    fix_statistics: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.frozen, int) or not 0 <= self.frozen <= MOST_FROZEN:
            raise ValueError(f"frozen is a number of layers, 0 to {MOST_FROZEN}, not {self.frozen!r}.")


@cache
def _network() -> nn.Sequential:
    """Return the layers for twelve classes without any numbers in them: only sizes and switches are looked at."""
    import torch

    from convnets.models.efficientnet_lite0 import EfficientNetLite0, as_sequence

    with torch.device("meta"):
        return as_sequence(EfficientNetLite0(CLASSES))


def freeze(layers: nn.Sequential, n: int, fix_statistics: bool = False) -> int:
    """Freeze the first n layers: the toolkit's version of the exercise. Returns how many numbers are trained."""
    from torch import nn

    for i, layer in enumerate(layers):
        layer.train(i >= n).requires_grad_(i >= n)
        for module in layer.modules():
            if fix_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
    return sum(p.numel() for p in layers.parameters() if p.requires_grad)


def parameter_groups(layers: nn.Sequential, n: int, lr: float) -> list[dict[str, Any]]:
    """Return the groups at lr/10 and lr/100: the toolkit's version of the exercise."""
    *between, top = (parameters for layer in list(layers)[n:] if (parameters := list(layer.parameters())))
    groups: list[dict[str, Any]] = [{"params": top, "lr": lr / 10}]
    if between:
        groups.append({"params": [p for parameters in between for p in parameters], "lr": lr / 100})
    return groups


def frozen_with(function: Any, n: int, fix_statistics: bool) -> list[tuple[bool, bool | None]]:
    """Return for each layer whether its weights are trained, and whether its running statistics move (None: has none).

    The function works on a copy of the network that has just been put into training mode.
    """
    from torch import nn

    layers = copy.deepcopy(_network()).train().requires_grad_(True)
    function(layers, n, fix_statistics)
    switches: list[tuple[bool, bool | None]] = []
    for layer in layers:
        norms = [module.training for module in layer.modules() if isinstance(module, nn.BatchNorm2d)]
        switches.append((any(p.requires_grad for p in layer.parameters()), any(norms) if norms else None))
    return switches


def rates_with(function: Any, n: int) -> list[float | None]:
    """Return the learning rate of each layer for an original rate of 1; None where it belongs to no group."""
    layers = copy.deepcopy(_network())
    groups = function(layers, n, 1.0)
    rate_of = {id(p): float(group["lr"]) for group in groups for p in group["params"]}
    return [next((rate_of[id(p)] for p in layer.parameters() if id(p) in rate_of), None) for layer in layers]


def words_of(rate: float | None) -> str:
    """Write a share of the original learning rate."""
    return "" if rate is None else "lr" if rate == 1 else f"lr/{1 / rate:g}" if 0 < rate < 1 else f"{rate:g} lr"


def view_of(state: FreezeState, learners_freeze: Learner = None, learners_groups: Learner = None) -> dict[str, Any]:
    """Describe the layers, what is trained of each, and the accuracy measured beforehand.

    Parameters
    ----------
    state : FreezeState
    learners_freeze, learners_groups : callable or None
        The learner's `freeze` and `parameter_groups`.
    """
    expected = frozen_with(freeze, state.frozen, state.fix_statistics), rates_with(parameter_groups, state.frozen)
    asked = (
        Trade("freeze", learners_freeze),
        Trade("parameter_groups", learners_groups),
    )
    results: list[Any] = []
    for trade, function, wanted in zip(
        asked,
        (
            lambda: frozen_with(learners_freeze, state.frozen, state.fix_statistics),
            lambda: rates_with(learners_groups, state.frozen),
        ),
        expected,
        strict=True,
    ):
        if trade.function is not None:
            trade.function = function
        outcome = trade.ask()
        results.append(wanted if outcome is None else outcome.value)
    switches, rates = results
    names = [name for name, _ in _network().named_children()]
    sizes = [sum(p.numel() for p in layer.parameters()) for layer in _network()]
    rows = []
    wrong = [0, 0]
    for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
        off = (switches[i] != expected[0][i], rates[i] != expected[1][i])
        wrong = [count + bad for count, bad in zip(wrong, off, strict=True)]
        trained, moving = switches[i]
        rows.append(
            {
                "name": name,
                "size": size,
                "trained": trained,
                "moving": moving,
                "rate": words_of(rates[i]),
                "wrong": any(off),
            }
        )
    notes = []
    if missing := [trade.name for trade in asked if trade.missing]:
        notes.append({"words": missing_words(missing), "wrong": False})
    for trade, count in zip(asked, wrong, strict=True):
        if trade.words:
            notes.append({"words": trade.words, "wrong": True})
        elif count:
            notes.append(
                {
                    "words": f"Your {trade.name} is not what the exercise asks for in {counted(count, 'layer')}.",
                    "wrong": True,
                }
            )
    trained = sum(row["size"] for row in rows if row["trained"])
    moving = sum(row["moving"] is True for row in rows)
    return {
        "frozen": [state.frozen, 0, MOST_FROZEN],
        "fixed": state.fix_statistics,
        "layers": rows,
        "depths": list(DEPTHS),
        "curves": [{"name": name, "values": list(values), "probe": PROBES[name]} for name, values in MEASURED.items()],
        "notes": notes,
        "status": f"{counted(state.frozen, 'layer')} frozen: {trained:,} of {sum(sizes):,} parameters are trained; "
        f"running statistics move in {counted(moving, 'layer')}.",
    }


class FreezeDepth(CourseWidget[FreezeState]):
    """Freeze the first layers of EfficientNet-Lite0 and see what is trained, how fast, and what it was worth.

    Parameters
    ----------
    freeze, parameter_groups : callable or None
        Yours.
    frozen : int
        How many of the 21 layers are frozen, 0 to 20.
    fix_statistics : bool
        Whether batch normalisations that are trained keep their running statistics.

    Raises
    ------
    ValueError
        For a number of layers that does not exist.
    """

    _esm, _css = assets("freeze_depth")

    def __init__(
        self,
        freeze: Learner = None,
        parameter_groups: Learner = None,
        *,
        frozen: int = 13,
        fix_statistics: bool = False,
    ) -> None:
        self.learners = freeze, parameter_groups
        super().__init__(
            FreezeState(frozen, fix_statistics), (("freeze", freeze), ("parameter_groups", parameter_groups))
        )

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, *self.learners)
