# %% [markdown]
# # 90 NumPy
#
# Five cheap questions for the benchmark of grading; nobody learns from them.
#
# {{card:10}}

# %% setup
# ruff: noqa: D100
import numpy as np

from convnets.checks import open_lesson

lesson = open_lesson("90_numpy")
check, hint = lesson.check, lesson.hint
rng = np.random.default_rng(90)
images = rng.normal(size=(8, 3, 16, 16))

# %% [markdown]
# ## {{exercise:standardise}}


# %% exercise="standardise" difficulty=1 minutes=1
def standardise(x):
    """Return x with mean 0 and standard deviation 1."""
    ### BEGIN SOLUTION
    return (x - x.mean()) / x.std()
    ### END SOLUTION


# %% tests="standardise" points=2
check(standardise, np.array([1.0, 3.0])).gives(np.array([-1.0, 1.0]))
check(standardise, images).gives((images - images.mean()) / images.std())
### BEGIN HIDDEN TESTS
check(standardise, images[0]).gives((images[0] - images[0].mean()) / images[0].std())
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:softmax}}


# %% exercise="softmax" difficulty=1 minutes=1
def softmax(logits):
    """Return the softmax of each row."""
    ### BEGIN SOLUTION
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
    ### END SOLUTION


# %% tests="softmax" points=2
check(softmax, np.zeros((2, 4))).gives(np.full((2, 4), 0.25))
check(softmax, np.array([[0.0, 1000.0]])).gives(np.array([[0.0, 1.0]]))
### BEGIN HIDDEN TESTS
for _ in range(3):
    logits = rng.normal(size=(5, 10))
    check(softmax, logits).gives(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:output_size}}


# %% exercise="output_size" difficulty=1 minutes=1
def output_size(size, kernel, stride=1):
    """Return how many windows fit."""
    ### BEGIN SOLUTION
    if (size - kernel) % stride:
        raise ValueError("the windows do not fit")
    return (size - kernel) // stride + 1
    ### END SOLUTION


# %% tests="output_size" points=2
check(output_size, 7, 3).gives(5)
check(output_size, 7, 3, stride=2).gives(3)
check(output_size, 7, 3, stride=3).raises(ValueError)
### BEGIN HIDDEN TESTS
check(output_size, 224, 11, stride=3).gives(72)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:channel_means}}


# %% exercise="channel_means" difficulty=1 minutes=1
def channel_means(images):
    """Return the mean of each channel of images (N, C, H, W)."""
    ### BEGIN SOLUTION
    return images.mean(axis=(0, 2, 3))
    ### END SOLUTION


# %% tests="channel_means" points=2
check(channel_means, images).gives(np.array([images[:, c].mean() for c in range(3)]))
check(channel_means, np.ones((1, 2, 3, 3))).gives(np.ones(2))
### BEGIN HIDDEN TESTS
check(channel_means, 2 * images[:4]).gives(np.array([2 * images[:4, c].mean() for c in range(3)]))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:Momentum}}


# %% exercise="Momentum" difficulty=1 minutes=1
class Momentum:
    """Gradient descent that remembers."""

    def __init__(self, lr, momentum):
        ### BEGIN SOLUTION
        self.lr, self.momentum, self.velocity = lr, momentum, 0.0
        ### END SOLUTION

    def step(self, weight, grad):
        """Return the weight after a step."""
        ### BEGIN SOLUTION
        self.velocity = self.momentum * self.velocity + grad
        return weight - self.lr * self.velocity
        ### END SOLUTION


# %% tests="Momentum" points=2
descent = Momentum(0.1, 0.5)
check(descent.step, np.ones(3), np.ones(3)).gives(np.full(3, 0.9))
check(descent.step, np.ones(3), np.ones(3)).gives(np.full(3, 0.85))
### BEGIN HIDDEN TESTS
descent = Momentum(0.5, 0.0)
check(descent.step, np.zeros(4), np.arange(4.0)).gives(-np.arange(4.0) / 2)
### END HIDDEN TESTS
