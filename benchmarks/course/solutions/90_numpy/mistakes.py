"""Wrong answers to the questions of the benchmark."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {}


@mistake("standardise", "The standard deviation was not divided by.")
def only_centred(x):
    return x - x.mean()


@mistake("standardise", "The variance was divided by.")
def by_the_variance(x):
    return (x - x.mean()) / x.var()


@mistake("softmax", "The powers overflow.")
def overflows(logits):
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


@mistake("softmax", "All rows were summed.")
def over_everything(logits):
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


@mistake("output_size", "The first window is missing.")
def forgets_the_first(size, kernel, stride=1):
    if (size - kernel) % stride:
        raise ValueError
    return (size - kernel) // stride


@mistake("output_size", "You round down where the last window does not fit.")
def rounds_down(size, kernel, stride=1):
    return (size - kernel) // stride + 1


@mistake("channel_means", "The images were kept apart.")
def each_image(images):
    return images.mean(axis=(2, 3))


@mistake("Momentum", "The velocity is not kept.")
class Forgetful:
    """Forgets the velocity."""

    def __init__(self, lr, momentum):
        self.lr = lr

    def step(self, weight, grad):
        """Return the weight after a step."""
        return weight - self.lr * grad
