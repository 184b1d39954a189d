"""The gradient of every convolution in a plain and in a residual network, before any training.

The learner's ``plain_or_residual`` makes the networks. One batch of pictures goes forwards and backwards through each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from convnets.data import small_fashion_mnist
from convnets.widgets.activation_slopes import scientific
from convnets.widgets.base import CourseWidget, Learner, Trade, assets, missing_words

# PyTorch is imported where it is used: the other widgets need none.
if TYPE_CHECKING:
    from torch import Tensor, nn

DEPTHS = (8, 14, 20, 26, 32, 38, 44, 50, 56)
KINDS = ("plain", "residual")
BATCH, WIDTH, SEEDS = 16, 4, 10
#: Powers of ten that the picture shows; norms beyond are drawn at its edge.
LOWEST, HIGHEST = -6, 6


@dataclass(frozen=True)
class GradientByLayerState:
    """All there is to know of one picture.

    Attributes
    ----------
    depth : int
        Layers of both networks: 8, 14, …, 56.
    batchnorm : bool
        With batch normalization; otherwise it is taken out of both networks.
    seed : int
        Of the first weights, 0 to 9.
    """

    depth: int = 20
    batchnorm: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.depth not in DEPTHS:
            raise ValueError(f"depth is one of {', '.join(map(str, DEPTHS))}, not {self.depth!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < SEEDS:
            raise ValueError(f"seed is a whole number from 0 to {SEEDS - 1}, not {self.seed!r}.")


@cache
def batch() -> tuple[Tensor, Tensor]:
    """Return the pictures (BATCH, 1, 14, 14) and their classes."""
    import torch

    images = small_fashion_mnist(BATCH, 1)
    return torch.from_numpy(images.x_train), torch.from_numpy(images.y_train)


def toolkit(depth: int, residual: bool = True, width: int = 16, channels: int = 3) -> nn.Module:
    """Make the toolkit's network, called as the learner's is."""
    from convnets.models.resnet import NarrowResNet

    return NarrowResNet(depth, residual=residual, width=width, channels=channels)


def without_batchnorm(model: nn.Module) -> None:
    """Replace every batch normalization of a network by nothing, in place."""
    from torch import nn

    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())


def gradient_norms(model: Any, state: GradientByLayerState) -> list[float]:
    """Return the norm of the loss's gradient for the kernels of each convolution, from the first layer to the last.

    Parameters
    ----------
    model : nn.Module
        Changed in place: it gets the first weights of the state, and loses its batch normalizations if that says so.

    Raises
    ------
    ValueError
        If this is no network with depth − 1 convolutions that lets the pictures through.
    """
    import torch
    from torch import nn

    from convnets.models.resnet import he_init
    from convnets.timing import one_thread

    if not isinstance(model, nn.Module):
        raise ValueError("returns no network")
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    if len(layers) != state.depth - 1:
        raise ValueError(f"made {len(layers)} convolutions for depth {state.depth}, not {state.depth - 1}")
    if not state.batchnorm:
        without_batchnorm(model)
    he_init(model, state.seed)
    x, y = batch()
    with torch.enable_grad(), one_thread():
        try:
            nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        except Exception as error:  # whatever a learner's network raises is shown, not lost in the kernel's log
            first = next(iter(str(error).splitlines()), "")
            raise ValueError(f"made a network that raised {type(error).__name__}: {first}") from None
    return [0.0 if layer.weight.grad is None else float(layer.weight.grad.norm()) for layer in layers]


class Gradients:
    """Asks the learner's networks for their gradients, the toolkit's where those cannot be used.

    Parameters
    ----------
    plain_or_residual : callable or None
        The learner's ``plain_or_residual(depth, residual, width, channels)``.
    """

    #: The learner's networks are compared with the toolkit's here, where it costs little.
    probe = GradientByLayerState(depth=8)

    def __init__(self, plain_or_residual: Learner) -> None:
        self.make = plain_or_residual
        self.kept: dict[GradientByLayerState, tuple[dict[str, list[float]], Trade]] = {}

    def of(self, state: GradientByLayerState) -> tuple[dict[str, list[float]], Trade]:
        """Return the norms of both kinds, and what there is to say about the learner's function."""
        if state not in self.kept:
            trade = Trade("plain_or_residual", self.make)
            norms = {}
            for kind in KINDS:
                residual = kind == "residual"
                mine = self.mine(trade, residual, state)
                norms[kind] = mine or gradient_norms(toolkit(state.depth, residual, WIDTH, 1), state)
            self.kept[state] = norms, trade
            if trade.function is not None:
                trade.words = self.difference()
        return self.kept[state]

    def difference(self) -> str:
        """Say where the learner's networks differ from the toolkit's, empty where they do not."""
        mine, _ = self.of(self.probe) if self.probe not in self.kept else self.kept[self.probe]
        for kind in KINDS:
            expected = gradient_norms(toolkit(self.probe.depth, kind == "residual", WIDTH, 1), self.probe)
            if not np.allclose(mine[kind], expected, rtol=0.05, equal_nan=True):
                return (
                    f"Your plain_or_residual makes another {kind} network than the toolkit's: its gradients differ. "
                    "Yours is drawn."
                )
        return ""

    @staticmethod
    def mine(trade: Trade, residual: bool, state: GradientByLayerState) -> list[float] | None:
        """Return the norms of the learner's network, None where the toolkit has to take its place."""
        made = trade.ask(state.depth, residual, WIDTH, 1)
        if made is None:
            return None
        try:
            return gradient_norms(made.value, state)
        except ValueError as error:
            trade.refuse(str(error))
        return None


def power(norm: float) -> float:
    """Return the power of ten of a norm, within what the picture shows."""
    if not norm > 0:
        return float(HIGHEST) if np.isnan(norm) else float(LOWEST)
    return round(float(np.clip(np.log10(norm), LOWEST, HIGHEST)), 3)


def beyond(norms: dict[str, list[float]]) -> list[str]:
    """Say of each kind in how many layers the norm lies beyond the picture, whose edge would else look measured."""
    told = []
    for kind, values in norms.items():
        below = sum(norm < 10.0**LOWEST for norm in values)
        above = sum(norm > 10.0**HIGHEST for norm in values)
        if below:
            told.append(f"{kind}: {below} of {len(values)} norms are below 10⁻⁶ and drawn on the lower edge.")
        if above:
            told.append(f"{kind}: {above} of {len(values)} norms are above 10⁶ and drawn on the upper edge.")
    return told


def view_of(state: GradientByLayerState, gradients: Gradients) -> dict[str, Any]:
    """Describe the picture of a state for the browser."""
    norms, trade = gradients.of(state)
    ratios = {kind: values[0] / values[-1] if values[-1] > 0 else float("nan") for kind, values in norms.items()}
    notes = [{"text": trade.words, "wrong": True}] if trade.words else []
    if trade.missing:
        notes.append({"text": missing_words([trade.name]), "wrong": False})
    notes += [{"text": words, "wrong": False} for words in beyond(norms)]
    told = ", ".join(f"{kind} {scientific(ratio)}" for kind, ratio in ratios.items())
    return {
        "depth": state.depth,
        "depths": list(DEPTHS),
        "batchnorm": state.batchnorm,
        "seed": [state.seed, 0, SEEDS - 1],
        "range": [LOWEST, HIGHEST],
        "lines": [{"kind": kind, "powers": [power(norm) for norm in values]} for kind, values in norms.items()],
        "facts": [[kind, scientific(norms[kind][0]), scientific(norms[kind][-1])] for kind in norms],
        "notes": notes,
        "status": f"{state.depth} layers {'with' if state.batchnorm else 'without'} batch normalization: gradient of "
        f"the first convolution over that of the last: {told}.",
    }


class GradientByLayer(CourseWidget[GradientByLayerState]):
    """How large the gradient of each layer is before training, plain against residual.

    Parameters
    ----------
    plain_or_residual : callable, optional
        The learner's function. Where it is not written, the toolkit's networks are used, and the widget says so.
    depth, batchnorm, seed
        See :class:`GradientByLayerState`.

    Raises
    ------
    ValueError
        For a state that cannot be drawn; the message says what is possible.

    Examples
    --------
    >>> GradientByLayer(depth=56, batchnorm=False).as_code()
    'GradientByLayer(depth=56, batchnorm=False)'
    """

    _esm, _css = assets("gradient_by_layer")

    def __init__(
        self,
        plain_or_residual: Learner = None,
        *,
        depth: int = GradientByLayerState.depth,
        batchnorm: bool = GradientByLayerState.batchnorm,
        seed: int = GradientByLayerState.seed,
    ) -> None:
        self.gradients = Gradients(plain_or_residual)
        super().__init__(GradientByLayerState(depth, batchnorm, seed), (("plain_or_residual", plain_or_residual),))

    def picture(self) -> dict[str, Any]:
        """Return the view of the present state."""
        return view_of(self.state, self.gradients)
