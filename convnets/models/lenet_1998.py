"""LeNet-5 as it was drawn in 1998: sparse connections, pooling with learnt numbers, a scaled tanh: 60,850 parameters.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998), section
II.B. One thing differs: the paper's last layer compares 84 numbers with a fixed bitmap of each digit, and nothing in it
is learnt, which leaves 60,000 parameters; here it is a linear layer of 850.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812  # the field's own name
from torch import Tensor, nn

#: For each of C3's 16 maps the maps of S2 that it sees: table I of the paper, 60 connections of 96.
C3_TABLE: tuple[tuple[int, ...], ...] = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def as_input(images: npt.NDArray[np.float32]) -> Tensor:
    """Make of digits what LeNet-5 reads: 32 × 32 pixels, paper −0.1 and ink 1.175, so that the mean is about 0.

    Parameters
    ----------
    images : ndarray of float32, shape (N, 1, H, W)
        0 (paper) to 1 (ink); H and W even, at most 32.

    Returns
    -------
    Tensor of float32, shape (N, 1, 32, 32)
        The digit in the middle.
    """
    top, left = ((32 - side) // 2 for side in images.shape[2:])
    padded = np.pad(images, ((0, 0), (0, 0), (top, top), (left, left)))
    return torch.from_numpy((padded * 1.275 - 0.1).astype(np.float32))


class SparseConv2d(nn.Module):
    """A convolution whose maps see some of the maps below only, as a table says; one kernel for each connection.

    Parameters
    ----------
    table : sequence of sequences of int
        For each output map the input maps that it sees.
    in_channels : int
        Number of input maps.
    kernel_size : int
    """

    connected: Tensor

    def __init__(self, table: Sequence[Sequence[int]], in_channels: int, kernel_size: int) -> None:
        super().__init__()
        connected = torch.zeros(len(table), in_channels, dtype=torch.bool)
        for k, seen in enumerate(table):
            connected[k, list(seen)] = True
        self.register_buffer("connected", connected)
        fan_in = connected.sum(1) * kernel_size**2
        bound = fan_in[connected.nonzero()[:, 0], None, None].rsqrt()  # each kernel by the inputs of its own map
        self.weight = nn.Parameter((2 * torch.rand(int(connected.sum()), kernel_size, kernel_size) - 1) * bound)
        self.bias = nn.Parameter(torch.zeros(len(table)))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, len(table), H', W'); what is not connected has the weight 0."""
        weight = self.weight.new_zeros(*self.connected.shape, *self.weight.shape[1:])
        weight[self.connected] = self.weight
        return F.conv2d(x, weight, self.bias)


class Subsample(nn.Module):
    """The sum of each 2 × 2 square times a learnt number, plus another: two parameters a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, 1, 1), 0.25))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, channels, H / 2, W / 2)."""
        return 4 * F.avg_pool2d(x, 2) * self.weight + self.bias


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3), which maps 1 to 1 and −1 to −1."""

    def forward(self, x: Tensor) -> Tensor:
        """Return an array of the shape of x."""
        return 1.7159 * torch.tanh(2 / 3 * x)


class OriginalLeNet5(nn.Sequential):
    """LeNet-5 with the connections, the subsampling and the activation of 1998: (N, 1, 32, 32) to (N, classes)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__(
            *(nn.Conv2d(1, 6, 5), ScaledTanh(), Subsample(6), ScaledTanh()),
            *(SparseConv2d(C3_TABLE, 6, 5), ScaledTanh(), Subsample(16), ScaledTanh()),
            *(nn.Conv2d(16, 120, 5), ScaledTanh(), nn.Flatten()),
            *(nn.Linear(120, 84), ScaledTanh(), nn.Linear(84, classes)),
        )
