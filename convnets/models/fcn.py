"""FCN-32s: VGG-16, its fully connected layers slid over the picture; 134,346,581 parameters for 21 classes.

Source: Long, Shelhamer and Darrell, "Fully convolutional networks for semantic segmentation" (2015). The paper pads
the picture by 100 pixels and crops; here the 7×7 layer is padded instead. The way up is bilinear and learns nothing.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from convnets.models.vgg import VGG


class FCN32s(nn.Module):
    """VGG-16's convolutions, its hidden layers as convolutions, a score for each class, bilinear enlargement."""

    def __init__(self, classes: int = 21) -> None:
        super().__init__()
        self.features = VGG("D").features
        self.head = nn.Sequential(
            *(nn.Conv2d(512, 4096, 7, padding=3), nn.ReLU(), nn.Dropout2d(0.5)),
            *(nn.Conv2d(4096, 4096, 1), nn.ReLU(), nn.Dropout2d(0.5)),
            nn.Conv2d(4096, classes, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (N, 3, H, W) to logits (N, classes, H, W); H and W are multiples of 32."""
        scores = self.head(self.features(x))
        return functional.interpolate(scores, size=x.shape[-2:], mode="bilinear", align_corners=False)
