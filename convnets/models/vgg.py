"""VGG: nothing but 3×3 convolutions and 2×2 pooling; VGG-16 has 138,357,544 parameters.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015), table 1.
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

#: Per configuration the output channels of each convolution, stage by stage; after each stage the maps are halved.
#: A negative number is a 1×1 convolution with that many channels.
STAGES = {
    "A": ((64,), (128,), (256, 256), (512, 512), (512, 512)),
    "B": ((64, 64), (128, 128), (256, 256), (512, 512), (512, 512)),
    "C": ((64, 64), (128, 128), (256, 256, -256), (512, 512, -512), (512, 512, -512)),
    "D": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "E": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}


class VGG(nn.Module):
    """The network in one of its configurations.

    Parameters
    ----------
    configuration : {"A", "B", "C", "D", "E"}
        VGG-11, VGG-13, VGG-16 with 1×1 convolutions, VGG-16, VGG-19.
    classes : int
        Number of logits.

    Raises
    ------
    ValueError
        If there is no such configuration.
    """

    def __init__(self, configuration: str = "D", classes: int = 1000) -> None:
        super().__init__()
        if configuration not in STAGES:
            raise ValueError(f"VGG has the configurations {', '.join(STAGES)}, not {configuration!r}.")
        layers: list[nn.Module] = []
        c_in = 3
        for stage in STAGES[configuration]:
            for channels in stage:
                c_out, kernel = abs(channels), 3 if channels > 0 else 1
                layers += [nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2), nn.ReLU()]
                c_in = c_out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5)),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, 224, 224) to logits (N, classes)."""
        return cast(Tensor, self.classifier(self.features(x)))
