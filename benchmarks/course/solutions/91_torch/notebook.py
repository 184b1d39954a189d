# %% [markdown]
# # 91 PyTorch
#
# Five cheap questions for the benchmark of grading; nobody learns from them.
#
# {{card:10}}

# %% setup
# ruff: noqa: D100, D400
import torch
from torch import nn

from convnets.checks import open_lesson

lesson = open_lesson("91_torch")
check, hint = lesson.check, lesson.hint
images = torch.randn(4, 3, 12, 12, generator=torch.Generator().manual_seed(91))


def number_of_weights(model):
    """Return how many numbers a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


# %% [markdown]
# ## {{exercise:linear}}


# %% exercise="linear" difficulty=1 minutes=1
def linear(x, weight, bias):
    """Return x times weight transposed, plus bias."""
    ### BEGIN SOLUTION
    return x @ weight.T + bias
    ### END SOLUTION


# %% tests="linear" points=2
check(linear, torch.eye(2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.ones(2)).gives(
    torch.tensor([[2.0, 4.0], [3.0, 5.0]])
)
### BEGIN HIDDEN TESTS
x, weight, bias = torch.randn(5, 4), torch.randn(3, 4), torch.randn(3)
check(linear, x, weight, bias).gives(nn.functional.linear(x, weight, bias))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:accuracy}}


# %% exercise="accuracy" difficulty=1 minutes=1
def accuracy(logits, labels):
    """Return the share of rows whose largest entry is the label's."""
    ### BEGIN SOLUTION
    return (logits.argmax(dim=1) == labels).double().mean().item()
    ### END SOLUTION


# %% tests="accuracy" points=2
check(accuracy, torch.eye(4), torch.arange(4)).gives(1.0)
check(accuracy, torch.eye(4), torch.zeros(4, dtype=torch.long)).gives(0.25)
### BEGIN HIDDEN TESTS
check(accuracy, -torch.eye(2), torch.arange(2)).gives(0.0)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:squared_error}}


# %% exercise="squared_error" difficulty=1 minutes=1
def squared_error(prediction, target):
    """Return the mean of the squared differences; gradients flow through it."""
    ### BEGIN SOLUTION
    return ((prediction - target) ** 2).mean()
    ### END SOLUTION


# %% tests="squared_error" points=2
check(squared_error, torch.tensor([1.0, 3.0]), torch.zeros(2)).gives(torch.tensor(5.0))
### BEGIN HIDDEN TESTS
prediction = torch.tensor([1.0, 3.0], requires_grad=True)


def gradient(prediction):
    """squared_error(prediction, 0).backward()"""
    squared_error(prediction, torch.zeros(2)).backward()
    return prediction.grad


check(gradient, prediction).gives(torch.tensor([1.0, 3.0]))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:channel_means}}


# %% exercise="channel_means" difficulty=1 minutes=1
def channel_means(images):
    """Return the mean of each channel of images (N, C, H, W)."""
    ### BEGIN SOLUTION
    return images.mean(dim=(0, 2, 3))
    ### END SOLUTION


# %% tests="channel_means" points=2
check(channel_means, torch.ones(1, 2, 3, 3)).gives(torch.ones(2))
### BEGIN HIDDEN TESTS
check(channel_means, images).gives(torch.stack([images[:, c].mean() for c in range(3)]))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:Net}}


# %% exercise="Net" difficulty=1 minutes=1
class Net(nn.Module):
    """A convolution of 4 filters 3 × 3, ReLU, global average, linear layer to the classes."""

    def __init__(self, classes):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv = nn.Conv2d(3, 4, 3)
        self.head = nn.Linear(4, classes)
        ### END SOLUTION

    def forward(self, images):
        """Return the logits, (N, classes)."""
        ### BEGIN SOLUTION
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))
        ### END SOLUTION


# %% tests="Net" points=2
net = Net(10)
check(number_of_weights, net).gives(162)
logits = net(images)
assert logits.shape == (4, 10)
### BEGIN HIDDEN TESTS
nn.functional.cross_entropy(logits, torch.arange(4)).backward()
assert all(parameter.grad is not None for parameter in net.parameters())
check(number_of_weights, Net(3)).gives(127)
### END HIDDEN TESTS
