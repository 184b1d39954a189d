"""Autoencoders with tied weights: a denoising layer in NumPy, and a deep one as of Hinton and Salakhutdinov (2006)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name
from torch import Tensor, nn

from convnets import timing

#: A hidden layer as the pretraining leaves it: weight (H, D) and bias (H,).
Layer = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


#: Spoils a batch: ``noise(batch, rng)``.
Noise = Callable[[npt.NDArray[np.float32], np.random.Generator], npt.NDArray[np.float32]]


def sigmoid(a: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return 1 / (1 + exp(-a)), without overflow and in the dtype of a."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * a))


def denoising_layer(
    x: npt.NDArray[np.float32],
    hidden: int,
    noise: Noise,
    rng: np.random.Generator,
    epochs: int = 4,
    lr: float = 0.1,
    batch_size: int = 50,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Train one denoising layer with tied weights, as module 15 does: cross-entropy, plain gradient descent.

    Parameters
    ----------
    x : float32 array, shape (N, D)
        Clean pictures, 0 to 1.
    hidden : int
        Units.
    noise : callable
        ``noise(batch, rng)`` returns a spoilt copy.
    rng : numpy.random.Generator
        For the first weights, the order and the noise.
    epochs, lr, batch_size : int, float, int
        Of the training.

    Returns
    -------
    weight, bias_hidden, bias_visible : float32 arrays, shapes (hidden, D), (hidden,), (D,)
    """
    weight = rng.normal(0, x.shape[1] ** -0.5, (hidden, x.shape[1])).astype(np.float32)
    bias_hidden, bias_visible = np.zeros(hidden, np.float32), np.zeros(x.shape[1], np.float32)
    with timing.one_thread():
        for _ in range(epochs):
            order = rng.permutation(len(x))
            for start in range(0, len(x), batch_size):
                batch = x[order[start : start + batch_size]]
                spoilt = noise(batch, rng)
                code = sigmoid(spoilt @ weight.T + bias_hidden)
                delta = (sigmoid(code @ weight + bias_visible) - batch) / len(batch)
                delta_code = (delta @ weight.T) * code * (1 - code)
                weight -= lr * (code.T @ delta + delta_code.T @ spoilt)
                bias_hidden -= lr * delta_code.sum(axis=0)
                bias_visible -= lr * delta.sum(axis=0)
    return weight, bias_hidden, bias_visible


class TiedAutoencoder(nn.Module):
    """Encoder and decoder with one weight for each pair of mirrored layers.

    All layers have sigmoids, except for the code, which is linear, so that it can lie anywhere.

    Parameters
    ----------
    sizes : sequence of int
        Values of a picture, units of each hidden layer, and of the code: ``(784, 256, 64, 2)``.
    layers : sequence of (weight, bias), optional
        Where to begin, one for each layer of the encoder, as a stack of autoencoders leaves them; copied. Otherwise
        Xavier's weights and biases of zero, from PyTorch's generator.

    Raises
    ------
    ValueError
        If there are not two sizes at least, or the layers do not fit to the sizes.
    """

    def __init__(self, sizes: Sequence[int], layers: Sequence[Layer] | None = None) -> None:
        super().__init__()
        shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
        if not shapes:
            raise ValueError(f"sizes are those of a picture, of hidden layers and of the code, not {sizes!r}")
        if layers is None:
            self.weights = nn.ParameterList([nn.init.xavier_normal_(torch.empty(shape)) for shape in shapes])
            self.hidden_biases = nn.ParameterList([torch.zeros(units) for units, _ in shapes])
        else:
            given = [tuple(np.shape(weight)) for weight, _ in layers]
            if given != shapes or [np.shape(bias) for _, bias in layers] != [(units,) for units, _ in shapes]:
                raise ValueError(f"layers have weights of {given}, and the sizes ask for {shapes}")
            as_tensor = [[torch.tensor(np.asarray(value), dtype=torch.float32) for value in layer] for layer in layers]
            self.weights = nn.ParameterList([weight for weight, _ in as_tensor])
            self.hidden_biases = nn.ParameterList([bias for _, bias in as_tensor])
        self.visible_biases = nn.ParameterList([torch.zeros(inputs) for _, inputs in shapes])

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes, shape (N, sizes[-1]), of pictures (N, sizes[0])."""
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.hidden_biases, strict=True)):
            x = F.linear(x, weight, bias)
            if k < last:
                x = torch.sigmoid(x)
        return x

    def logits(self, code: Tensor) -> Tensor:
        """Return the logits of the pictures, shape (N, sizes[0]), that codes (N, sizes[-1]) stand for."""
        for k in reversed(range(len(self.weights))):
            code = code @ self.weights[k] + self.visible_biases[k]
            if k:
                code = torch.sigmoid(code)
        return code

    def decode(self, code: Tensor) -> Tensor:
        """Return the pictures, shape (N, sizes[0]), values 0 to 1, that codes (N, sizes[-1]) stand for."""
        return torch.sigmoid(self.logits(code))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of the reconstructions, shape of x."""
        return self.logits(self.encode(x))


def fit_autoencoder(
    model: TiedAutoencoder, x: Tensor, epochs: int, seed: int, lr: float = 5e-3, batch_size: int = 100
) -> float:
    """Train all layers together with Adam; the learning rate falls to 0 along half a cosine.

    Parameters
    ----------
    model : TiedAutoencoder
        Is changed.
    x : Tensor, shape (N, D)
        Pictures with values from 0 to 1; they are input and target.
    epochs, seed : int
        The seed decides about the order of the pictures.
    lr : float
        Learning rate of the first step.
    batch_size : int
        Of the last batch at most.

    Returns
    -------
    float
        Mean cross-entropy of a picture, summed over its values, in the last epoch.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, epochs * -(-len(x) // batch_size)))
    rng, loss = np.random.default_rng(seed), float("nan")
    with timing.one_thread():
        for _ in range(epochs):
            total, order = 0.0, torch.from_numpy(rng.permutation(len(x)))
            for start in range(0, len(x), batch_size):
                batch = order[start : start + batch_size]
                optimizer.zero_grad()
                error = F.binary_cross_entropy_with_logits(model(x[batch]), x[batch], reduction="sum")
                (error / len(batch)).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                total += error.item()
            loss = total / len(x)
    return loss
