"""A photograph under attack: move ε and see the change, ten times as strong, and what the network says.

The network is EfficientNet-Lite0 with ImageNet's weights. Photographs have 128 pixels a side, so that an attack of ten
steps takes about a quarter of a second; what was computed once is kept. Tensors are (1, 3, 128, 128) from 0 to 1.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from convnets.data import imagenet_classes, photograph
from convnets.models.efficientnet_lite0 import efficientnet_lite0, preprocess
from convnets.widgets.base import CourseWidget, Learner, Trade, assets, missing_words, number

#: Photographs to choose from, and classes that an attack can aim at.
PHOTOGRAPHS = ("cat", "coffee", "rocket", "astronaut")
TARGETS = ("goldfish", "ostrich", "volcano", "teapot")
#: Kinds of change, with the name of the learner's function that makes each.
METHODS = {"random": "random_sign_control", "one step": "targeted_fgsm", "PGD": "pgd"}
#: Side of the photographs in pixels; the largest ε in steps of 255; steps of PGD; classes shown.
SIDE, MOST, STEPS, SHOWN = 128, 16.0, 10, 5
#: How much stronger the change is drawn.
GAIN = 10
MOST_KEPT = 400


@dataclass(frozen=True)
class EpsilonSliderState:
    """All there is to know of one picture.

    Attributes
    ----------
    photograph : str
        One of `PHOTOGRAPHS`.
    method : str
        One of `METHODS`.
    epsilon : float
        Largest change of a pixel, in steps of 255: 0 to 16.
    target : str
        One of `TARGETS`; random signs do not look at it.
    """

    photograph: str = "cat"
    method: str = "PGD"
    epsilon: float = 0.0
    target: str = "goldfish"

    def __post_init__(self) -> None:
        for name, known in (("photograph", PHOTOGRAPHS), ("method", tuple(METHODS)), ("target", TARGETS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}.")
        if not 0 <= self.epsilon <= MOST:
            raise ValueError(f"epsilon lies between 0 and {number(MOST)} (of 255), not at {self.epsilon!r}.")


class _FromPixels(nn.Module):
    """EfficientNet-Lite0 for pictures with values from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.network = efficientnet_lite0()
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, 3, H, W), 0 to 1, to logits (N, 1000)."""
        logits: Tensor = self.network(((255 * x - 127) / 128).contiguous(memory_format=torch.channels_last))
        return logits


@cache
def network() -> nn.Module:
    """Return the network in evaluation mode, loaded once."""
    return _FromPixels().eval()


@cache
def photo_of(name: str, side: int = SIDE) -> Tensor:
    """Return the middle of a photograph, (1, 3, side, side), 0 to 1."""
    return (preprocess(photograph(name), side) * 128 + 127) / 255


def target_number(name: str) -> Tensor:
    """Return the number of an ImageNet class, shape (1,)."""
    return torch.tensor([imagenet_classes().index(name)])


# The toolkit's own versions of the exercises: they draw where the learner's are missing.


def slopes(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of the cross-entropy by the pixels."""
    pixels = x.detach().clone().requires_grad_(True)
    loss = cross_entropy(model(pixels), labels, reduction="sum")
    return torch.autograd.grad(loss, pixels)[0]


def targeted_fgsm(model: nn.Module, x: Tensor, targets: Tensor, epsilon: float) -> Tensor:
    """Take one step along the signs of the gradient, towards the targets."""
    return (x - epsilon * slopes(model, x, targets).sign()).clamp(0, 1)


def pgd(
    model: nn.Module, x: Tensor, labels: Tensor, epsilon: float, step: float, steps: int, targeted: bool = False
) -> Tensor:
    """Take many small steps and stay within epsilon of x."""
    moved = x
    for _ in range(steps):
        change = step * slopes(model, moved, labels).sign()
        moved = moved - change if targeted else moved + change
        moved = torch.minimum(torch.maximum(moved, x - epsilon), x + epsilon).clamp(0, 1)
    return moved


def random_sign_control(x: Tensor, epsilon: float, rng: np.random.Generator) -> Tensor:
    """Move every value by epsilon, up or down by chance."""
    return (x + epsilon * torch.tensor(rng.choice([-1.0, 1.0], size=tuple(x.shape)), dtype=x.dtype)).clamp(0, 1)


def attack(state: EpsilonSliderState, function: Callable[..., Any]) -> Any:
    """Call a function of the exercises as the state asks; it gets copies of the photograph, not the one kept here."""
    x, epsilon = photo_of(state.photograph).clone(), state.epsilon / 255
    if state.method == "random":
        return function(x, epsilon, np.random.default_rng(18))
    if state.method == "one step":
        return function(network(), x, target_number(state.target), epsilon)
    return function(network(), x, target_number(state.target), epsilon, epsilon / 4, STEPS, targeted=True)


TOOLKIT: dict[str, Callable[..., Tensor]] = {
    "targeted_fgsm": targeted_fgsm,
    "pgd": pgd,
    "random_sign_control": random_sign_control,
}


def refusal(value: Any, state: EpsilonSliderState) -> str:
    """Say why a result cannot be shown, empty where it can."""
    x = photo_of(state.photograph)
    if not isinstance(value, Tensor) or value.shape != x.shape:
        got = "nothing" if value is None else f"shape {tuple(np.shape(value))}"
        return f"returned {got}, not a tensor of shape {tuple(x.shape)}"
    if not bool(torch.isfinite(value).all()):
        return "returned numbers that are not finite"
    if float(value.min()) < -1e-6 or float(value.max()) > 1 + 1e-6:
        return "returned values outside 0 to 1"
    largest = 255 * float((value - x).abs().max())
    if largest > state.epsilon + 0.01:
        return f"changed a value by {number(largest)} of 255, which is more than ε"
    return ""


def changed_picture(state: EpsilonSliderState, learner: Learner) -> tuple[Tensor, list[dict[str, Any]]]:
    """Return the changed picture and notes: by the learner's function, by the toolkit's where that cannot be used."""
    name = METHODS[state.method]
    trade = Trade(name, None if learner is None else lambda: attack(state, learner))
    outcome = trade.ask()
    x = None
    if outcome is not None:
        reason = refusal(outcome.value, state)
        if reason:
            trade.refuse(reason)
        else:
            x = outcome.value.detach().float()
    if x is None:
        x = attack(state, TOOLKIT[name])
    words = trade.words or (missing_words([name]) if trade.missing else "")
    return x, [{"words": words, "wrong": not trade.missing}] if words else []


def bytes_of(x: Tensor) -> bytes:
    """Return (1, 3, H, W), 0 to 1, as red, green and blue bytes, row by row."""
    pixels: NDArray[np.uint8] = (x[0].permute(1, 2, 0) * 255).round().clamp(0, 255).to(torch.uint8).numpy()
    return pixels.tobytes()


def best_classes(x: Tensor, target: str) -> list[list[Any]]:
    """Return the likeliest classes as [name, probability, whether it is the target], and the target itself."""
    with torch.inference_mode():
        p = network()(x).softmax(dim=1)[0]
    names = imagenet_classes()
    order = p.argsort(descending=True)[:SHOWN].tolist()
    aim = names.index(target)
    if aim not in order:
        order[-1] = aim
    return [[names[i], float(p[i]), i == aim] for i in order]


def view_of(state: EpsilonSliderState, learner: Learner) -> dict[str, Any]:
    """Describe the picture of a state for the browser.

    Parameters
    ----------
    state : EpsilonSliderState
    learner : callable or None
        The learner's function for `state.method`.
    """
    x, notes = changed_picture(state, learner)
    x = (x * 255).round() / 255
    before = photo_of(state.photograph)
    drawn_change = (0.5 + GAIN * (x - before)).clamp(0, 1)
    classes = best_classes(x, state.target)
    name, p, _ = classes[0]
    aimed = next(share for _, share, is_target in classes if is_target)
    how = {"random": "random signs", "one step": "one step", "PGD": f"{STEPS} steps of PGD"}[state.method]
    return {
        "photographs": list(PHOTOGRAPHS),
        "targets": list(TARGETS),
        "photograph": state.photograph,
        "target": state.target,
        "method": state.method,
        "epsilon": [state.epsilon, 0, MOST, 0.5],
        "pictures": [
            {"title": "the photograph", "side": SIDE, "bytes": bytes_of(before)},
            {"title": f"the change, × {GAIN}", "side": SIDE, "bytes": bytes_of(drawn_change)},
            {"title": "changed, in 8 bits", "side": SIDE, "bytes": bytes_of(x)},
        ],
        "classes": classes,
        "notes": notes,
        "status": f"{state.photograph}, ε = {number(state.epsilon)}/255, {how}: the network sees {name} with "
        f"{p:.3f}{'' if name == state.target else f'; {state.target} {aimed:.4f}'}.",
    }


class EpsilonSlider(CourseWidget[EpsilonSliderState]):
    """A photograph under your attacks: what changes, and what the network says.

    Parameters
    ----------
    targeted_fgsm, pgd, random_sign_control : callable or None
        Yours, as the exercises define them. Without one, or while it raises ``NotImplementedError``, the toolkit takes
        its place and says so as soon as it is used.
    photograph, method, epsilon, target
        See :class:`EpsilonSliderState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> EpsilonSlider(epsilon=2).as_code()
    'EpsilonSlider(epsilon=2)'
    """

    _esm, _css = assets("epsilon_slider")

    def __init__(
        self,
        targeted_fgsm: Learner = None,
        pgd: Learner = None,
        random_sign_control: Learner = None,
        *,
        photograph: str = EpsilonSliderState.photograph,
        method: str = EpsilonSliderState.method,
        epsilon: float = EpsilonSliderState.epsilon,
        target: str = EpsilonSliderState.target,
    ) -> None:
        self.learners = dict(zip(TOOLKIT, (targeted_fgsm, pgd, random_sign_control), strict=True))
        self.kept: OrderedDict[EpsilonSliderState, dict[str, Any]] = OrderedDict()
        super().__init__(EpsilonSliderState(photograph, method, epsilon, target), tuple(self.learners.items()))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state, from what is kept where it was shown before."""
        if self.state not in self.kept:
            self.kept[self.state] = view_of(self.state, self.learners[METHODS[self.state.method]])
            if len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        return self.kept[self.state]
