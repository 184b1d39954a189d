"""Wrong answers to the questions of the benchmark."""

import torch
from torch import nn

from convnets.checks.authoring import mistake

hints = {}


@mistake("linear", "The bias was left out.")
def forgets_the_bias(x, weight, bias):
    return x @ weight.T


@mistake("linear", "The weight was not transposed.")
def not_transposed(x, weight, bias):
    return x @ weight + bias


@mistake("accuracy", "The right ones were counted, not divided by their number.")
def counts(logits, labels):
    return float((logits.argmax(dim=1) == labels).sum())


@mistake("squared_error", "The squares were summed.")
def summed(prediction, target):
    return ((prediction - target) ** 2).sum()


@mistake("squared_error", "The differences were not squared.")
def absolute(prediction, target):
    return (prediction - target).abs().mean()


@mistake("channel_means", "The images were kept apart.")
def each_image(images):
    return images.mean(dim=(2, 3))


@mistake("Net", "The convolution has no bias.")
class WithoutBias(nn.Module):
    """Has no bias in its convolution."""

    def __init__(self, classes):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.head = nn.Linear(4, classes)

    def forward(self, images):
        """Return the logits."""
        return self.head(torch.relu(self.conv(images)).mean(dim=(2, 3)))
