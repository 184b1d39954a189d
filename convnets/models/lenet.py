"""LeNet-5, the network that read digits on cheques: 61,706 parameters.

Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998). The
original connects the second convolution's 16 maps to some of the 6 maps below it only, scales and shifts its averages
with learnt numbers, and has a fixed output code in place of the last layer; this is the plain form in use today.
"""

from __future__ import annotations

from torch import nn


class LeNet5(nn.Sequential):
    """Two convolutions, each followed by pooling, and three fully connected layers: (N, 1, 32, 32) to (N, classes).

    Parameters
    ----------
    classes : int
        Number of logits.
    modern : bool
        ReLU and max pooling, as it is built now; otherwise tanh and average pooling as in 1998.
    """

    def __init__(self, classes: int = 10, *, modern: bool = True) -> None:
        activation, pool = (nn.ReLU, nn.MaxPool2d) if modern else (nn.Tanh, nn.AvgPool2d)
        super().__init__(
            *(nn.Conv2d(1, 6, 5), activation(), pool(2)),
            *(nn.Conv2d(6, 16, 5), activation(), pool(2)),
            nn.Flatten(),
            *(nn.Linear(400, 120), activation()),
            *(nn.Linear(120, 84), activation()),
            nn.Linear(84, classes),
        )
