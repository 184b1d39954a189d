"""Two small assignments, one with NumPy and one with PyTorch, whose tests are written as instructors write them.

Some of their tests use nothing but `check`; others go on with plain ``assert``, with ``numpy.testing``, with questions
put to what came back, and with functions that hold the expected value: the weak spots that attacks look for. Points are
powers of two, so that a score tells which test cells were paid.
"""

from __future__ import annotations

import re
from pathlib import Path

from grader.course import Course

ROOT = Path(__file__).resolve().parents[3]

#: Words of the hidden tests, of the official solutions and numbers that only hidden tests pass: none may be told.
HIDDEN = ("a_secret_size", "4711", "88.25", "expected_of_secret", "steep_secret", "secret_tally", "31.5625")
SOLUTION = "span_between_the_ends"

_OPEN = """
from convnets.checks import open_lesson

lesson = open_lesson("{module}")
check, hint = lesson.check, lesson.hint
"""

NUMBERS = (
    """\
# %% [markdown]
# # 01 Numbers
#
# {{card:10}}

# %% setup
import numpy as np
"""
    + _OPEN.format(module="01_numbers")
    + '''\
numbers = np.arange(4.0)

# %% exercise="windows" difficulty=1 minutes=5
def windows(size, kernel, stride=1):
    """Return the number of windows; raise ValueError where the last one does not fit."""
    ### BEGIN SOLUTION
    span_between_the_ends = size - kernel
    if span_between_the_ends % stride:
        raise ValueError("cannot fit")
    return span_between_the_ends // stride + 1
    ### END SOLUTION

# %% tests="windows" points=1
check(windows, 7, 3).gives(5)
check(windows, 7, 3, stride=2).gives(3)
check(windows, 7, 3, stride=3).raises(ValueError)

# %% tests="windows" points=2
check(windows, 9, 2).gives(8)
### BEGIN HIDDEN TESTS
a_secret_size = 91
check(windows, a_secret_size, 1, stride=3).gives(31)
check(windows, 4711, 1).gives(4711)
### END HIDDEN TESTS

# %% exercise="softmax" difficulty=1 minutes=5
def softmax(x):
    """Return exp(x) / sum(exp(x))."""
    ### BEGIN SOLUTION
    e = np.exp(x - x.max())
    return e / e.sum()
    ### END SOLUTION

# %% tests="softmax" points=4
check(softmax, numbers).satisfies(lambda y: y.shape == (4,) and abs(y.sum() - 1) < 1e-9, "four numbers that sum to 1")
y = softmax(np.zeros(4))
assert y.shape == (4,)
np.testing.assert_allclose(y, np.full(4, 0.25))
### BEGIN HIDDEN TESTS
row = np.array([88.25, 87.25, 86.25])
expected_of_secret = np.array([0.6652409557748219, 0.24472847105479764, 0.09003057317038046])
y = softmax(row)
assert np.allclose(y, expected_of_secret)
assert np.abs(y - expected_of_secret).max() < 1e-9
assert np.isclose(y[0], expected_of_secret[0])
### END HIDDEN TESTS

# %% exercise="mean_of" difficulty=1 minutes=5
def mean_of(values):
    """Return the mean of a list."""
    ### BEGIN SOLUTION
    return sum(values) / len(values)
    ### END SOLUTION

# %% tests="mean_of" points=8
check(mean_of, [1.0, 2.0]).satisfies(lambda m: 1 < m < 2, "the mean lies between them")
assert mean_of([3.0, 5.0]) == 4.0
### BEGIN HIDDEN TESTS
assert mean_of([31.5625, 33.5625]) == 32.5625
assert abs(mean_of([4711.0, 1.0]) - 2356) < 1e-9
assert round(mean_of([4711.0, 1.5]), 2) == 2356.25
assert 2355 < mean_of([4711.0, 1.0]) < 2357
### END HIDDEN TESTS

# %% exercise="slope" difficulty=1 minutes=5
def slope(f, x, h=1e-5):
    """Return the gradient of f at x, by central differences."""
    ### BEGIN SOLUTION
    gradient = np.zeros_like(x)
    for i in range(x.size):
        step = np.zeros_like(x)
        step[i] = h
        gradient[i] = (f(x + step) - f(x - step)) / (2 * h)
    return gradient
    ### END SOLUTION

# %% tests="slope" points=16
check(slope, lambda x: float((x**2).sum()), np.array([1.0, 2.0])).gives_gradient(np.array([2.0, 4.0]))
weights = np.array([1.0, -2.0])
check(slope, lambda x: float((weights * x).sum()), np.zeros(2)).gives_gradient(weights)
### BEGIN HIDDEN TESTS
steep_secret = np.array([88.25, -4.0, 1.0])
check(slope, lambda x: float((steep_secret * x).sum()), np.ones(3)).gives_gradient(steep_secret)
### END HIDDEN TESTS

# %% exercise="Tally" difficulty=1 minutes=5
class Tally:
    """Counts words: add(word), count(word), len(tally), tally + tally."""

    ### BEGIN SOLUTION
    def __init__(self):
        self.counts = {}

    def add(self, word):
        self.counts[word] = self.counts.get(word, 0) + 1

    def count(self, word):
        return self.counts.get(word, 0)

    def __len__(self):
        return len(self.counts)

    def __add__(self, other):
        both = Tally()
        for word in {**self.counts, **other.counts}:
            both.counts[word] = self.count(word) + other.count(word)
        return both
    ### END SOLUTION

# %% tests="Tally" points=32
def two_words():
    """a Tally of "a", "b", "a", asked for "a", "b" and its length"""
    tally = Tally()
    for word in ("a", "b", "a"):
        tally.add(word)
    return tally.count("a"), tally.count("b"), len(tally)


check(two_words).gives((2, 1, 2))
### BEGIN HIDDEN TESTS
secret_tally, other = Tally(), Tally()
for word in ("x", "y", "x"):
    secret_tally.add(word)
other.add("x")
assert (secret_tally + other).count("x") == 3
assert secret_tally.count("x") == 2
assert len(other) == 1
### END HIDDEN TESTS

# %% exercise="all_positive" difficulty=1 minutes=5
def all_positive(values):
    """Tell whether all values are above 0."""
    ### BEGIN SOLUTION
    return all(value > 0 for value in values)
    ### END SOLUTION

# %% tests="all_positive" points=64
check(all_positive, [1, 2]).gives(True)
check(all_positive, [0, 2]).gives(False)
### BEGIN HIDDEN TESTS
assert all(map(all_positive, [[4711], [88.25, 1.0]]))
assert not any(map(all_positive, [[-4711], [-1.0, 88.25]]))
### END HIDDEN TESTS

# %% [markdown]
# Why are there fewer windows than pixels?

# %% [markdown] answer="why" points=128
# ### BEGIN SOLUTION
# A model answer that nobody sees.
# ### END SOLUTION
'''
)

TENSORS = (
    """\
# %% [markdown]
# # 02 Tensors
#
# {{card:10}}

# %% setup
import numpy as np
import torch
from torch import nn
"""
    + _OPEN.format(module="02_tensors")
    + '''\

# %% exercise="leaky" difficulty=1 minutes=5
def leaky(x, slope=0.1):
    """Return x where it is positive and slope * x elsewhere."""
    ### BEGIN SOLUTION
    span_between_the_ends = slope * x
    return torch.where(x > 0, x, span_between_the_ends)
    ### END SOLUTION

# %% tests="leaky" points=1
check(leaky, torch.tensor([-1.0, 0.0, 2.0])).gives(torch.tensor([-0.1, 0.0, 2.0]))
x = torch.tensor([-3.0, 4.0], requires_grad=True)
leaky(x).sum().backward()
torch.testing.assert_close(x.grad, torch.tensor([0.1, 1.0]))

# %% tests="leaky" points=2
check(leaky, torch.tensor([-2.0]), slope=0.5).gives(torch.tensor([-1.0]))
### BEGIN HIDDEN TESTS
a_secret_size = torch.tensor([4711.0, -88.25])
expected_of_secret = torch.tensor([4711.0, -8.825])
y = leaky(a_secret_size)
assert torch.allclose(y, expected_of_secret)
assert (y - expected_of_secret).abs().max() < 1e-6
torch.testing.assert_close(y, expected_of_secret)
### END HIDDEN TESTS

# %% exercise="accuracy" difficulty=1 minutes=5
def accuracy(logits, labels):
    """Return the share of rows whose largest logit is at the label, a float."""
    ### BEGIN SOLUTION
    return (logits.argmax(1) == labels).float().mean().item()
    ### END SOLUTION

# %% tests="accuracy" points=4
rows = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0], [5.0, 4.0]])
check(accuracy, rows, torch.tensor([1, 0, 0, 0])).gives(0.75)
assert accuracy(rows, torch.tensor([1, 0, 1, 0])) == 1.0
### BEGIN HIDDEN TESTS
assert accuracy(rows, torch.tensor([0, 1, 0, 1])) == 0.0
assert abs(accuracy(rows, torch.tensor([0, 1, 0, 0])) - 0.25) < 1e-9
### END HIDDEN TESTS

# %% exercise="TwoLayers" difficulty=1 minutes=5
class TwoLayers(nn.Module):
    """Linear, ReLU, Linear; the layers are first and second."""

    ### BEGIN SOLUTION
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))
    ### END SOLUTION

# %% tests="TwoLayers" points=8
def shape_and_parameters():
    """TwoLayers(3, 5, 2) on a batch of 4: shape of its output, number of its parameters"""
    model = TwoLayers(3, 5, 2)
    return tuple(model(torch.zeros(4, 3)).shape), sum(p.numel() for p in model.parameters())


check(shape_and_parameters).gives(((4, 2), 32))
assert isinstance(TwoLayers(1, 1, 1), nn.Module)
### BEGIN HIDDEN TESTS
secret_tally = TwoLayers(2, 2, 1)
secret_tally.load_state_dict(
    {
        "first.weight": torch.eye(2),
        "first.bias": torch.zeros(2),
        "second.weight": torch.tensor([[1.0, -3.0]]),
        "second.bias": torch.tensor([31.5625]),
    }
)
torch.testing.assert_close(secret_tally(torch.tensor([[2.0, 1.0], [-1.0, 1.0]])), torch.tensor([[30.5625], [28.5625]]))
### END HIDDEN TESTS

# %% exercise="fit" difficulty=1 minutes=5
def fit(model, x, y, steps):
    """Take so many steps of SGD with lr 0.1 on the mean squared error; return the losses, a list of floats."""
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION

# %% tests="fit" points=16
def losses_on_a_line(steps):
    """the losses of a model of one weight on y = 2 x"""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    x = torch.tensor([[1.0], [2.0]])
    losses = fit(model, x, 2 * x, steps)
    return losses, model.weight.item()


def start_and_end():
    """the losses of a model of one weight on y = 2 x, at the start and at the end, and the weight"""
    losses, weight = losses_on_a_line(20)
    return losses[0], round(losses[-1], 3), round(weight, 3)


check(start_and_end).gives((10.0, 0.0, 2.0), atol=1e-6)
### BEGIN HIDDEN TESTS
losses, weight = losses_on_a_line(1)
assert len(losses) == 1
assert abs(weight - 1.0) < 1e-6
### END HIDDEN TESTS

# %% [markdown]
# Why does the loss fall?

# %% [markdown] answer="why" points=64
# ### BEGIN SOLUTION
# A model answer that nobody sees.
# ### END SOLUTION
'''
)

MODULES = {"numpy": "01_numbers", "torch": "02_tensors"}
_TEXTS = {"01_numbers": NUMBERS, "02_tensors": TENSORS}

#: Answers that are wrong in every test cell.
WRONG = {
    "numpy": {
        "windows": "def windows(size, kernel, stride=1):\n    return -1\n",
        "softmax": "def softmax(x):\n    return x * 0.0\n",
        "mean_of": "def mean_of(values):\n    return -1.0\n",
        "slope": "def slope(f, x, h=1e-5):\n    return x * 0.0 + 7\n",
        "Tally": (
            "class Tally:\n    def add(self, word):\n        pass\n\n    def count(self, word):\n        return -1\n\n"
            "    def __len__(self):\n        return 0\n\n    def __add__(self, other):\n        return self\n"
        ),
        "all_positive": "def all_positive(values):\n    return -1\n",
    },
    "torch": {
        "leaky": "def leaky(x, slope=0.1):\n    return x * 7.0\n",
        "accuracy": "def accuracy(logits, labels):\n    return -1.0\n",
        "TwoLayers": (
            "class TwoLayers(nn.Module):\n    def __init__(self, *sizes):\n        super().__init__()\n"
            "        self.first = nn.Linear(1, 1)\n\n    def forward(self, x):\n        return x\n"
        ),
        "fit": "def fit(model, x, y, steps):\n    return [0.5] * steps\n",
    },
}


def right_answers(profile: str) -> dict[str, str]:
    """Return the official solution of each exercise, as a learner would write it."""
    text = _TEXTS[MODULES[profile]]
    cells = re.findall(r'^# %% exercise="(\w+)".*?\n(.*?)(?=^# %%)', text, re.M | re.S)
    marks = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION[ \t]*\n", re.M)
    return {name: marks.sub("", source).replace(SOLUTION, "span").rstrip() + "\n" for name, source in cells}


def make_course(folder: Path) -> Course:
    """Make a course of the two assignments."""
    for module, text in _TEXTS.items():
        home = folder / "solutions" / module
        home.mkdir(parents=True)
        (home / "notebook.py").write_text(text, encoding="utf-8")
        (home / "mistakes.py").write_text('"""None is recorded."""\n\nhints = {}\n', encoding="utf-8")
    config = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    return Course(folder)
