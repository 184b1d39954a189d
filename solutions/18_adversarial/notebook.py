# %% [markdown]
# # 18 Adversarial examples
#
# ![Three squares. Left a photograph of a cat. In the middle fine coloured noise on grey. Right the same
# photograph again, with no difference that could be seen.](pictures/cat_noise_cat.png)
#
# *Left a photograph that the network takes for a cat. Right the sum of the left picture and a tenth of the noise in the
# middle. What does the network see now? You will make the noise yourself.*
#
# Lecture E closes with pictures about which a network is wrong although no person would mistake them, and with a
# diagnosis: it has little to do with ConvNets. In this notebook you start with ten numbers that can be added up with a
# pencil, and end with photographs and a network of 50 layers.
#
# {{card:150}}
#
# The exercises take 90 of these minutes; the others are for reading, playing and the written answers. Take it in two
# sittings: pause after Part 2.
#
# **Afterwards you can**
#
# - say by how much a linear score can be moved when every input may change a little, and how little is enough;
# - write the fast gradient sign method, its targeted form and projected gradient descent;
# - judge an attack with a control, and a defence with an attack that is stronger than the one it has seen;
# - say what adversarial training buys and what it costs.
#
# **You need** [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) for gradients and
# [01 From features to functions](../01_features_to_functions/01_features_to_functions.ipynb) for cross-entropy.
#
# **From the lectures** E (fooling the box; the closing summary).

# %% setup
import time
from functools import cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from convnets import data, plots, timing, training
from convnets.checks import open_lesson
from convnets.models.efficientnet_lite0 import efficientnet_lite0, preprocess
from convnets.models.lenet import LeNet5

lesson = open_lesson("18_adversarial")
check, hint = lesson.check, lesson.hint


def small_net(inputs=6, classes=3, seed=0, dtype=torch.float64):
    """Return a network of 5 tanh units for pictures of `inputs` pixels; the first pixel has no influence."""
    rng = np.random.default_rng([18, seed])
    net = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 5), nn.Tanh(), nn.Linear(5, classes)).to(dtype).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.tensor(rng.normal(size=tuple(parameter.shape))))
        net[1].weight[:, 0] = 0
    return net


def small_pictures(n, height=2, width=3, seed=0, dtype=torch.float64):
    """Return n pictures of one channel, values from 0 to 1; some of them lie at or near an end."""
    x = np.random.default_rng([81, seed]).uniform(-0.2, 1.2, size=(n, 1, height, width))
    return torch.tensor(np.clip(x, 0, 1)).to(dtype)


def slopes_by_hand(net, x, labels):
    """Return the gradient of the cross-entropy by the pixels for a `small_net`, written out in NumPy."""
    a, b = net[1].weight.detach().numpy(), net[3].weight.detach().numpy()
    hidden = np.tanh(x.reshape(len(x), -1) @ a.T + net[1].bias.detach().numpy())
    scores = hidden @ b.T + net[3].bias.detach().numpy()
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(x)), labels] -= 1
    return ((p @ b) * (1 - hidden**2) @ a).reshape(x.shape)


def side_effects(attack):
    """Return what attack(net, x), whose result is a picture, does to a net in training, to x and to its result."""
    # A parameter: what happens to it is also seen where the call runs in another process.
    net, x = small_net().train(), nn.Parameter(small_pictures(1), requires_grad=False)
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    y = attack(net, x)
    gradients = [parameter.grad for parameter in net.parameters()]
    return {
        "a .grad of the net was changed": any(grad is None or bool((grad != 1).any()) for grad in gradients),
        "x needs a gradient now": bool(x.requires_grad),
        "the result needs a gradient": bool(y.requires_grad),
        "the net cannot be trained any more": not all(parameter.requires_grad for parameter in net.parameters()),
        "the net left its training mode": not net.training,
    }


# %% [markdown]
# The setup has four helpers that the tests use: `small_net()` is a network with 5 hidden units for pictures of six
# pixels, `small_pictures(n)` makes such pictures, `slopes_by_hand` has its gradient written out for comparison, and
# `side_effects` looks for what a call has changed and should have left alone.
#
# ## Before you begin: a prediction
#
# A small ConvNet is right about 85 of 100 pictures of clothing that it has not seen. A pixel lies between 0 (black) and
# 255 (white). Now every pixel of every picture goes up or down by 8, never more. Once the direction is drawn by lot for
# each pixel, once it is chosen by somebody who knows the network's weights.

# %% experiment seconds=5
lesson.predict(
    "aimed_or_random",
    "How many points of accuracy does the network lose?",
    [
        "By lot less than 1 point; chosen less than 10, because 8 of 255 can hardly be seen",
        "By lot 5 to 10 points; chosen about twice as many",
        "By lot less than 1 point; chosen 10 points or more",
        "Both about 15 points: the size of a change counts, not its direction",
    ],
)

# %% [markdown] covers="148"
# # Part 1 · Ten numbers
#
# Lecture E: "Lets fool a binary linear classifier". It has ten inputs $x$ and ten weights $w$:
#
# | | | | | | | | | | | |
# | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
# | $x$ | 2 | −1 | 3 | −2 | 2 | 2 | 1 | −4 | 5 | 1 |
# | $w$ | −1 | −1 | 1 | −1 | 1 | −1 | 1 | 1 | −1 | 1 |
#
# ## {{exercise:logistic}}
#
# With $D$ inputs $x$, weights $w$ and a bias $b$, the score is $s = w \cdot x + b = \sum_i w_i x_i + b$, and the
# probability of class 1
#
# $$p = \frac{1}{1 + e^{-s}}.$$
#
# For the ten numbers and $b = 0$, $s = -2 + 1 + 3 + 2 + 2 - 2 + 1 - 4 - 5 + 1 = -3$. Write it for one input of shape
# $(D,)$ and for several of shape $(N, D)$ at once.


# %% exercise="logistic" difficulty=1 minutes=5 covers="148"
def logistic(x, weight, bias=0.0):
    """Return the probability of class 1 of a linear classifier.

    Parameters
    ----------
    x : ndarray, shape (D,) or (N, D)
        One input or several.
    weight : ndarray, shape (D,)
    bias : float

    Returns
    -------
    float or ndarray, shape (N,)
        Probabilities, 0 to 1.
    """
    ### BEGIN SOLUTION
    return 1 / (1 + np.exp(-(x @ weight + bias)))
    ### END SOLUTION


# %% tests="logistic" points=1 covers="148"
# The lecture's numbers: 0.0474. Then a bias, and three inputs at once.
lecture_x = np.array([2.0, -1, 3, -2, 2, 2, 1, -4, 5, 1])
lecture_w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
check(logistic, lecture_x, lecture_w).gives(1 / (1 + np.exp(3.0)))
check(logistic, np.array([0.5, 2.0]), np.array([3.0, -1.0]), 1.25).gives(1 / (1 + np.exp(-0.75)))
check(logistic, np.array([[1.0, 0.0], [0.5, 2.0], [-1.0, 3.0]]), np.array([3.0, -1.0]), -0.5).gives(
    [1 / (1 + np.exp(-s)) for s in (2.5, -1.0, -6.5)]
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(180)
for n, d in [(1, 4), (7, 3), (4, 4)]:
    x, w, b = rng.normal(size=(n, d)), rng.normal(size=d), float(rng.normal())
    check(logistic, x, w, b).gives(torch.sigmoid(torch.tensor(x) @ torch.tensor(w) + b).numpy())
check(logistic, np.array([40.0, 1.0]), np.array([1.0, 1.0])).gives(1.0)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:nudge}}
#
# Which small change of $x$ raises the score most? If every input may move by at most $\varepsilon$ (epsilon), each of
# them decides for itself: its share of the score changes by $w_i (x'_i - x_i)$, which is largest at one end,
#
# $$x' = x + \varepsilon\, \mathrm{sign}(w), \qquad \mathrm{sign}(w) = \begin{cases} 1 & w > 0 \\ 0 & w = 0 \\
# -1 & w < 0. \end{cases}$$
#
# An input with weight 0 has no effect and stays as it is. A negative $\varepsilon$ lowers the score.


# %% exercise="nudge" difficulty=1 minutes=4 covers="148"
def nudge(x, weight, epsilon):
    """Move every input by epsilon so that the score rises most.

    Parameters
    ----------
    x : ndarray, shape (D,) or (N, D)
        Stays as it is.
    weight : ndarray, shape (D,)
    epsilon : float
        Size of the step; a negative one lowers the score.

    Returns
    -------
    ndarray, shape of x
    """
    ### BEGIN SOLUTION
    return x + epsilon * np.sign(weight)
    ### END SOLUTION


# %% tests="nudge" points=1 covers="148"
# The lecture's ten numbers and a step of 0.5. Then weights of different sizes, one of them 0.
lecture_x = np.array([2.0, -1, 3, -2, 2, 2, 1, -4, 5, 1])
lecture_w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
check(nudge, lecture_x, lecture_w, 0.5).gives([1.5, -1.5, 3.5, -2.5, 2.5, 1.5, 1.5, -3.5, 4.5, 1.5])
check(nudge, np.array([1.0, 2.0, -3.0]), np.array([0.25, 0.0, -7.0]), 0.1).gives([1.1, 2.0, -3.1])
check(nudge, np.array([[1.0, 2.0, -3.0], [-4.0, 0.0, 5.0]]), np.array([0.5, -2.0, 0.0]), -0.2).gives(
    [[0.8, 2.2, -3.0], [-4.2, 0.2, 5.0]]
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(181)
for shape in [(5,), (3, 5), (1, 2)]:
    x, w = rng.normal(size=shape), rng.normal(size=shape[-1])
    check(nudge, x, w, 0.3).gives(x + np.where(w > 0, 0.3, -0.3))
check(nudge, np.array([2, -1]), np.array([3, 3]), 0.5).gives([2.5, -0.5])
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:linear_gap}}
#
# How far does the score move? Put $x'$ into it: $w \cdot x' - w \cdot x = \varepsilon\, w \cdot \mathrm{sign}(w)$, so
#
# $$\text{gap} = \varepsilon\, \lVert w \rVert_1, \qquad \lVert w \rVert_1 = \sum_i |w_i| .$$
#
# No other change within $\varepsilon$ moves it further. Note what is *not* in the formula: $x$. And note what is: a sum
# over all inputs, which grows with their number, while $\varepsilon$ and each single change stay as small as they were.


# %% exercise="linear_gap" difficulty=1 minutes=5 covers="150"
def linear_gap(weight, epsilon):
    """Return by how much a linear score can rise when every input changes by at most epsilon.

    Parameters
    ----------
    weight : ndarray of any shape
    epsilon : float
        0 or more.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If epsilon is negative.
    """
    ### BEGIN SOLUTION
    if epsilon < 0:
        raise ValueError(f"epsilon is a size, 0 or more, not {epsilon}")
    return float(epsilon * np.abs(weight).sum())
    ### END SOLUTION


# %% tests="linear_gap" points=1 covers="150"
# Weights of different sizes: 0.2 · 7.5. The lecture: from −3 to 2, a gap of 5. Then weights that form a picture.
lecture_w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
check(linear_gap, np.array([3.0, -4.0, 0.5]), 0.2).gives(1.5)
check(linear_gap, lecture_w, 0.5).gives(5.0)
check(linear_gap, np.array([[[1.0, -2.0, 0.5], [0.0, 4.0, -0.25]]]), 2.0).gives(15.5)
check(linear_gap, np.array([3.0, -4.0, 0.5]), 0.0).gives(0.0)
check(linear_gap, np.array([3.0, -4.0, 0.5]), -0.1).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(182)
for shape in [(7,), (3, 5, 2), (1,)]:
    w = rng.normal(size=shape)
    check(linear_gap, w, 0.3).gives(0.3 * float(torch.tensor(w).norm(p=1)))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:minimum_epsilon}}
#
# The other way round: how small may $\varepsilon$ be? The classifier changes its mind where the score is 0. A score
# $s$ can be moved by $\varepsilon \lVert w \rVert_1$ in either direction, so
#
# $$\varepsilon_{\min} = \frac{|w \cdot x + b|}{\lVert w \rVert_1} .$$
#
# This is the distance of $x$ from the decision boundary, if distance means the largest change of any input (the
# $\ell_\infty$ norm). For a linear classifier it is exact; for a network there is no such formula.


# %% exercise="minimum_epsilon" difficulty=2 minutes=7 covers="150"
def minimum_epsilon(x, weight, bias=0.0):
    """Return the smallest epsilon with which a nudge brings the score to 0.

    Parameters
    ----------
    x : ndarray, shape (D,) or (N, D)
    weight : ndarray, shape (D,)
    bias : float

    Returns
    -------
    float or ndarray, shape (N,)
        0 or more.

    Raises
    ------
    ValueError
        If all weights are 0: no change of x moves the score then.
    """
    ### BEGIN SOLUTION
    norm = np.abs(weight).sum()
    if norm == 0:
        raise ValueError("all weights are 0: no change of x moves the score")
    return np.abs(x @ weight + bias) / norm
    ### END SOLUTION


# %% tests="minimum_epsilon" points=1 covers="150"
# Weights of different sizes: 3 / 4.5. The lecture's example: 3 / 10. Then with a bias: scores −4.25 and 3.25.
lecture_x = np.array([2.0, -1, 3, -2, 2, 2, 1, -4, 5, 1])
lecture_w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
check(minimum_epsilon, np.array([1.5, -0.25]), np.array([1.5, -3.0])).gives(3 / 4.5)
check(minimum_epsilon, lecture_x, lecture_w).gives(0.3)
check(minimum_epsilon, np.array([-1.5, 0.25]), np.array([1.5, -3.0]), -1.25).gives(4.25 / 4.5)
check(minimum_epsilon, np.array([1.5, 0.25]), np.array([1.5, 2.0]), 0.5).gives(3.25 / 3.5)


# %% tests="minimum_epsilon" points=1
# Several inputs at once: scores 2.5, −3 and −9.5. One weight of 0, then a classifier that cannot be moved.
check(minimum_epsilon, np.array([[1.0, 0.0], [0.5, 2.0], [-1.0, 3.0]]), np.array([3.0, -2.0]), -0.5).gives(
    [0.5, 0.6, 1.9]
)
check(minimum_epsilon, np.array([1.0, 5.0, 0.5]), np.array([3.0, 0.0, -2.0])).gives(0.4)
check(minimum_epsilon, np.array([1.0, 2.0]), np.array([0.0, 0.0]), 1.5).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(183)
for n, d in [(1, 4), (6, 3), (5, 5)]:
    x, w, b = rng.normal(size=(n, d)), rng.normal(size=d), float(rng.normal())
    expected = [abs(sum(a * c for a, c in zip(row, w, strict=True)) + b) / sum(abs(c) for c in w) for row in x]
    check(minimum_epsilon, x, w, b).gives(expected)
check(minimum_epsilon, np.ones((2, 3)), np.zeros(3)).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### From 5 % to 88 %
#
# The lecture's example with your functions.

# %% experiment seconds=1 covers="148"
x = np.array([2.0, -1, 3, -2, 2, 2, 1, -4, 5, 1])
w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
moved = nudge(x, w, 0.5)
print("x       ", "  ".join(f"{value:4}" for value in x))
print("nudged  ", "  ".join(f"{value:4}" for value in moved))
print(f"score {x @ w:g} → {moved @ w:g}; linear_gap {linear_gap(w, 0.5):g}; minimum_epsilon {minimum_epsilon(x, w):g}")
rows = {0.0: x, 0.3: nudge(x, w, 0.3), 0.5: moved}
for epsilon, values in rows.items():
    print(f"ε = {epsilon:g}: probability of class 1 {float(logistic(values, w)):.8f}")
lesson.target("probability before", round(float(logistic(x, w)), 8), exactly=0.04742587)
lesson.target("probability after a nudge of 0.5", round(float(logistic(moved, w)), 8), exactly=0.88079708)

# %% [markdown]
# "We improved the class 1 probability from 5 % to 88 %": both printed targets agree with the slide. With 0.3, the
# classifier is undecided.
#
# ### Play: the score against the number of inputs
#
# Ten inputs needed a step of 0.3, which is not small beside numbers like 2 or 5. A photograph has more inputs. The
# widget draws inputs $x_i$ from a normal distribution with standard deviation 1, and weights $w_i$ with standard
# deviation $1/\sqrt{D}$, so that the score of an untouched $x$ is about as large as 1 whatever $D$ is. **Your**
# `linear_gap` and `nudge` compute the aimed change; beside it stands the change by random signs.
#
# 1. With $\varepsilon = 0.05$, from about which number of inputs on is the aimed change larger than 1, a
#    typical score?
# 2. What happens to the *random* change when $D$ grows a hundredfold? What to the aimed one?
# 3. Set $D$ to 150,528, a photograph of 224 × 224 pixels in three colours. Which is the smallest $\varepsilon$ of the
#    slider that turns the score round? Try other draws.

# %% widget="score_by_dimension"
# alt: Change of a score against the number of inputs, on logarithmic axes: aimed rises in a line, random stays level.
# picture: ScoreByDimension(linear_gap, nudge, dimension=3000)
from convnets.widgets import ScoreByDimension

ScoreByDimension(linear_gap, nudge)

# %% [markdown]
# The aimed change grows like $\sqrt{D}$, because it adds up $D$ terms that all have the same sign and are each as large
# as $\varepsilon / \sqrt{D}$. On average it is $\varepsilon \sqrt{2D/\pi}$; with $\varepsilon = 0.05$ that passes 1 at
# about 630 inputs. Random terms cancel each other, and their sum stays near $\varepsilon$. That is all the difference
# there is between noise and an attack, and it needs no network. How small an $\varepsilon$ turns a photograph's score
# round depends on the draw: as a rule a few thousandths.
#
# # Part 2 · One step
#
# A network is not linear, but near one picture it is nearly so: its loss $L$ changes by about $g \cdot (x' - x)$, where
# $g = \partial L / \partial x$ is the gradient by the *pixels*. The weights stay as they are. "The primary cause of
# neural networks' vulnerability to adversarial perturbation is their linear nature", wrote Goodfellow, Shlens and
# Szegedy in 2014; if they are right, what worked for a line works here.
#
# From here on, pictures are PyTorch tensors $x$ of shape $(N, C, H, W)$ with values from 0 to 1, and $\varepsilon$ is
# written in steps of 8-bit pixels: $\varepsilon = 8/255$ moves a pixel by at most 8 of its 256 values.
#
# ## {{exercise:random_sign_control}}
#
# First the control. A change that is *not* aimed, of the same size, shows what the size alone does:
#
# $$x' = \mathrm{clip}(x + \varepsilon\, r,\ 0,\ 1), \qquad r \in \{-1, 1\},$$
#
# with an independent draw of $r$, both signs equally likely, for every pixel of every channel of every picture. Without
# clip, a white pixel could become whiter than white; then it would be no picture any more.
#
# Draw with the NumPy generator that you are given, for instance by `rng.choice([-1.0, 1.0], size=...)`, and turn the
# result into a tensor of the dtype of $x$: `torch.tensor(signs, dtype=x.dtype)`.


# %% exercise="random_sign_control" difficulty=1 minutes=9
def random_sign_control(x, epsilon, rng):
    """Move every value by epsilon, up or down by chance.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
        0 to 1; stays as it is.
    epsilon : float
        0 or more.
    rng : numpy.random.Generator

    Returns
    -------
    Tensor, shape and dtype of x
        0 to 1.
    """
    ### BEGIN SOLUTION
    signs = torch.tensor(rng.choice([-1.0, 1.0], size=tuple(x.shape)), dtype=x.dtype)
    return (x + epsilon * signs).clamp(0, 1)
    ### END SOLUTION


# %% tests="random_sign_control" points=1
def grey_moved(value=0.5, seed=0, dtype=torch.float64):
    """random_sign_control(3 pictures of 2 × 20 × 30 equal values, 0.125, np.random.default_rng(seed))"""
    x = torch.full((3, 2, 20, 30), value, dtype=dtype)
    return random_sign_control(x, 0.125, np.random.default_rng(seed)).numpy()


def shape_of_the_result():
    """random_sign_control(x, ...) with x of shape (3, 2, 20, 30): the shape of the result"""
    return grey_moved().shape


def changes():
    """random_sign_control(grey pictures, 0.125, ...) minus the grey pictures: which changes are there?"""
    found = np.unique(grey_moved() - 0.5)
    return {"different ones": len(found), "smallest": found.min(), "largest": found.max()}


def neighbours_that_differ():
    """random_sign_control(grey pictures, ...): the share of neighbours that differ, side by side and one below other"""
    y = grey_moved()
    return round((y[..., 1:] != y[..., :-1]).mean(), 3), round((y[..., 1:, :] != y[..., :-1, :]).mean(), 3)


def share_that_goes_up():
    """random_sign_control(3 grey pictures of 2 channels, ...): the share of values that go up, for each channel"""
    return (grey_moved() > 0.5).reshape(3, 2, -1).mean(axis=2).round(3)


def channels_alike():
    """random_sign_control(3 grey pictures of 2 channels, ...): the largest correlation between any two channels"""
    return round(float(abs(np.corrcoef(grey_moved().reshape(6, -1)) - np.eye(6)).max()), 3)


# Grey pictures: every value moves by exactly epsilon, about half of them up.
check(shape_of_the_result).gives((3, 2, 20, 30))
check(changes).gives({"different ones": 2, "smallest": -0.125, "largest": 0.125})
check(neighbours_that_differ).satisfies(lambda shares: min(shares) > 0.4, "neighbouring pixels have signs of their own")
check(share_that_goes_up).satisfies(
    lambda shares: shares.min() > 0.4 and shares.max() < 0.6,
    "in every channel of every picture between 40 and 60 % of the values go up",
)
check(channels_alike).satisfies(lambda r: r < 0.25, "every picture and every channel has signs of its own")


# %% tests="random_sign_control" points=1
def from_grey(value=0.5, seed=0, dtype=torch.float64):
    """random_sign_control(3 pictures of 2 × 20 × 30 equal values, 0.125, np.random.default_rng(seed))"""
    x = torch.full((3, 2, 20, 30), value, dtype=dtype)
    return random_sign_control(x, 0.125, np.random.default_rng(seed)).numpy()


def two_draws_differ():
    """rng makes the signs of a first call and then of a second one; do they differ?"""
    x, rng = torch.full((1, 1, 9, 8), 0.5), np.random.default_rng(3)
    first = random_sign_control(x, 0.25, rng).numpy()
    return bool((first != random_sign_control(x, 0.25, rng).numpy()).any())


def same_seed_twice():
    """Two generators with the same seed, one for each of two calls: are the results the same?"""
    return bool((from_grey(seed=5) == from_grey(seed=5)).all())


def values_of(grey):
    """The lowest and the highest value after random_sign_control(pictures of equal values `grey`, 0.125, ...)"""
    return {f"the lowest and the highest from {grey}": (from_grey(grey).min(), from_grey(grey).max())}


def dtype_of_the_result():
    """random_sign_control(x, ...) with x of dtype float32: the dtype of the result"""
    return str(from_grey(dtype=torch.float32).dtype)


# x itself stays. Nearly white and nearly black: what would leave 0 to 1 stops at the end.
check(random_sign_control, small_pictures(2), 0.125, np.random.default_rng(4)).satisfies(
    lambda y: y.shape == (2, 1, 2, 3), "the shape is that of x"
)
check(values_of, 0.9375).gives({"the lowest and the highest from 0.9375": (0.8125, 1.0)})
check(values_of, 0.0625).gives({"the lowest and the highest from 0.0625": (0.0, 0.1875)})
check(two_draws_differ).gives(True)
check(same_seed_twice).gives(True)
check(dtype_of_the_result).gives("float32")
### BEGIN HIDDEN TESTS
check(from_grey, 0.5, 2).satisfies(lambda y: 0.45 < (y > 0.5).mean() < 0.55, "about half of the values go up")
check(from_grey, 0.9375).satisfies(lambda y: np.isin(y, [0.8125, 1.0]).all(), "every value is 0.8125 or 1")
check(random_sign_control, small_pictures(2), 0.0, np.random.default_rng(0)).gives(small_pictures(2).numpy())
### END HIDDEN TESTS

# %% [markdown] covers="150"
# ## {{exercise:fgsm}}
#
# The **fast gradient sign method** (Goodfellow et al. 2014) takes one step along the signs of the gradient,
#
# $$x' = \mathrm{clip}\Big(x + \varepsilon\, \mathrm{sign}\Big(\frac{\partial L}{\partial x}\Big),\ 0,\ 1\Big), \qquad
# L = -\sum_n \log p_n(y_n),$$
#
# where $p_n(y_n)$ is the probability that the model gives to the true class $y_n$ of picture $n$. The loss should
# *rise*. (With the mean in place of the sum, the signs are the same.) Where the gradient is 0, the pixel stays.
#
# In PyTorch: `x.detach().clone().requires_grad_(True)` is a copy of $x$ by which a gradient can be taken,
# `F.cross_entropy` makes $L$ from logits and labels, and `torch.autograd.grad(loss, copy)` returns the gradient in a
# tuple of one. Unlike `loss.backward()` it leaves nothing in the `.grad` of the model's parameters, where the next
# training step would find it.


# %% exercise="fgsm" difficulty=2 minutes=16 covers="150"
def fgsm(model, x, labels, epsilon):
    """Take one step along the signs of the gradient, away from the true classes.

    Parameters
    ----------
    model : nn.Module
        Maps x to logits (N, classes). Neither it nor the gradients of its parameters are changed.
    x : Tensor, shape (N, C, H, W)
        0 to 1; stays as it is.
    labels : Tensor of int64, shape (N,)
        The true classes.
    epsilon : float
        Size of the step, 0 or more.

    Returns
    -------
    Tensor, shape and dtype of x
        0 to 1; needs no gradient.
    """
    ### BEGIN SOLUTION
    pixels = x.detach().clone().requires_grad_(True)
    loss = F.cross_entropy(model(pixels), labels, reduction="sum")
    (slopes,) = torch.autograd.grad(loss, pixels)
    return (x + epsilon * slopes.sign()).clamp(0, 1).detach()
    ### END SOLUTION


# %% tests="fgsm" points=1 covers="150"
def two_pixels(epsilon):
    """fgsm(a linear net with logits (3a, −b), one picture with the pixels a = 0.5, b = 0.25, class 0, epsilon)"""
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, -1.0]]))
    return fgsm(net, torch.tensor([[[[0.5, 0.25]]]]), torch.tensor([0]), epsilon).numpy()


def stepped(n, epsilon, seed):
    """fgsm(small_net(), n small pictures, n classes that need not be the model's own guess, epsilon)"""
    labels = torch.tensor(np.random.default_rng(seed).integers(0, 3, n))
    return fgsm(small_net(seed=seed), small_pictures(n, seed=seed), labels, epsilon).numpy()


def by_hand(n, epsilon, seed):
    """The same from the formula."""
    labels = np.random.default_rng(seed).integers(0, 3, n)
    x = small_pictures(n, seed=seed).numpy()
    return np.clip(x + epsilon * np.sign(slopes_by_hand(small_net(seed=seed), x, labels)), 0, 1)


# Two pixels. The first speaks for class 0, so it goes down; the second against class 1, so it goes down too.
check(two_pixels, epsilon=0.125).gives(np.array([[[[0.375, 0.125]]]], np.float32))
# Farther than the picture reaches.
check(two_pixels, epsilon=0.375).gives(np.array([[[[0.125, 0.0]]]], np.float32))
# Five pictures of six pixels; the first pixel has no influence.
check(stepped, n=5, epsilon=0.0625, seed=1).gives(by_hand(5, 0.0625, 1), dtype=np.float64)
### BEGIN HIDDEN TESTS
for n, epsilon, seed in [(1, 0.3, 2), (4, 0.02, 3), (9, 1.0, 4), (3, 0.0, 5)]:
    check(stepped, n, epsilon, seed).gives(by_hand(n, epsilon, seed))
### END HIDDEN TESTS


# %% tests="fgsm" points=1
def stepped(n, epsilon, seed):
    """fgsm(small_net(), n small pictures, n classes that need not be the model's own guess, epsilon)"""
    labels = torch.tensor(np.random.default_rng(seed).integers(0, 3, n))
    return fgsm(small_net(seed=seed), small_pictures(n, seed=seed), labels, epsilon).numpy()


def by_hand(n, epsilon, seed):
    """The same from the formula."""
    labels = np.random.default_rng(seed).integers(0, 3, n)
    x = small_pictures(n, seed=seed).numpy()
    return np.clip(x + epsilon * np.sign(slopes_by_hand(small_net(seed=seed), x, labels)), 0, 1)


def colour_pictures():
    """fgsm of two pictures of 3 × 2 × 4 values, float32, epsilon 0.1"""
    x = small_pictures(2, 6, 4, dtype=torch.float32).reshape(2, 3, 2, 4)
    return fgsm(small_net(24, dtype=torch.float32), x, torch.tensor([2, 0]), 0.1).numpy()


def colours_by_hand():
    """The same from the formula."""
    x = small_pictures(2, 6, 4, dtype=torch.float32).reshape(2, 3, 2, 4).numpy()
    slopes = slopes_by_hand(small_net(24, dtype=torch.float32), x, np.array([2, 0]))
    return np.clip(x + np.float32(0.1) * np.sign(slopes), 0, 1)


# Larger steps, other classes; three colours in float32.
check(stepped, n=7, epsilon=0.4, seed=6).gives(by_hand(7, 0.4, 6))
check(stepped, n=2, epsilon=0.01, seed=7).gives(by_hand(2, 0.01, 7))
check(colour_pictures).gives(colours_by_hand(), rtol=1e-5, atol=1e-6, dtype=np.float32)
### BEGIN HIDDEN TESTS
check(stepped, n=6, epsilon=0.15, seed=8).gives(by_hand(6, 0.15, 8))
### END HIDDEN TESTS


# %% tests="fgsm" points=1
def what_else_happens():
    """fgsm(net in training mode with a .grad in every parameter, x, ...): what else does the call change?"""
    return side_effects(lambda net, x: fgsm(net, x, torch.tensor([1]), 0.1))


# Nothing but the result is new: all the answers are those of an attack that does nothing.
check(what_else_happens).gives(side_effects(lambda net, x: x))
check(fgsm, small_net(), small_pictures(3), torch.tensor([1, 2, 0]), 0.1).satisfies(
    lambda y: y.shape == (3, 1, 2, 3), "the shape is that of x"
)
### BEGIN HIDDEN TESTS
check(fgsm, small_net(8), small_pictures(1, 4, 2), torch.tensor([1]), 0.1).satisfies(
    lambda y: y.shape == (1, 1, 4, 2) and y.min() >= 0 and y.max() <= 1, "a picture of 4 × 2 values from 0 to 1"
)
### END HIDDEN TESTS

# %% [markdown]
# ### Accuracy against ε, three models
#
# Three classifiers of clothing, each trained for a few seconds: a **linear** one (module 01), a fully connected
# network with one hidden layer (**MLP**) and the ConvNet of module 08 (**LeNet**). Each is attacked by your `fgsm` and,
# as a control, by random signs of the same size.


# %% experiment seconds=1 folded=true
SEEDED = {"linear": 0, "MLP": 0, "LeNet": 0}
TRAINING_PICTURES = training.full_or_fast(15_000, 600)
TEST_PICTURES = training.full_or_fast(1_000, 60)
LR = 0.04
TRAINING_SECONDS = {}
EPOCHS = training.full_or_fast(3, 1)


@cache
def clothing():
    """Return Fashion-MNIST as tensors: pictures and classes to train on, pictures and classes to test on."""
    pictures = data.fashion_mnist(TRAINING_PICTURES, TEST_PICTURES)
    return tuple(torch.from_numpy(part) for part in pictures[:4])


def fresh(kind, seed):
    """Return an untrained classifier of 28 × 28 pictures."""
    torch.manual_seed(seed)
    if kind == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    if kind == "MLP":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    # channels_last is the order of numbers in memory in which a CPU convolves fastest.
    return nn.Sequential(nn.ZeroPad2d(2), LeNet5()).to(memory_format=torch.channels_last)


@cache
def trained(kind, seed=0):
    """Return a trained classifier in evaluation mode; the second time it is ready at once."""
    x, y = clothing()[:2]
    model = fresh(kind, seed)
    start = time.process_time()
    with timing.one_thread():
        for _ in training.sgd_epochs(model, x, y, EPOCHS, lr=LR, seed=seed):
            pass
    TRAINING_SECONDS[kind, seed] = time.process_time() - start
    return model.eval()


def percent_right(model, x, y):
    """Return how many pictures are given their class, in percent."""
    with torch.no_grad():
        return 100 * float((model(x).argmax(dim=1) == y).double().mean())


def draw_curves(curves, title, xlabel, alt, level=None):
    """Draw accuracy against epsilon, one line for each name."""
    fig, ax = plots.figure(width=7.2, height=3.3)
    for k, (name, (epsilons, values)) in enumerate(curves.items()):
        ax.plot(epsilons, values, marker=plots.MARKERS[k], linestyle=plots.LINES[k], color=plots.PALETTE[k], label=name)
    if level is not None:
        ax.axhline(level, color="#777777", linewidth=1, linestyle=":")
        ax.text(0, level + 2, "chance", fontsize=8, color="#777777")
    ax.set(title=title, xlabel=xlabel, ylabel="right, %", ylim=(0, 100))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 0.18), fontsize=8)
    plots.show(fig, alt=alt)


# %% experiment seconds=30 covers="150"
steps_of_255 = [0, 2, 4, 8, 16, 32]
_, _, unseen, classes = clothing()
aimed, by_lot = {}, {}
for kind in training.progress(SEEDED, "model"):
    model = trained(kind)
    with timing.one_thread():
        aimed[kind] = [percent_right(model, fgsm(model, unseen, classes, n / 255), classes) for n in steps_of_255]
        rng = np.random.default_rng(0)
        by_lot[kind] = [percent_right(model, random_sign_control(unseen, n / 255, rng), classes) for n in steps_of_255]
    print(f"{kind:7} ε · 255      {'  '.join(f'{n:5}' for n in steps_of_255)}")
    print(f"        fgsm         {'  '.join(f'{value:5.1f}' for value in aimed[kind])}")
    print(f"        random signs {'  '.join(f'{value:5.1f}' for value in by_lot[kind])}")
lines = {f"{kind}, fgsm": (steps_of_255, aimed[kind]) for kind in aimed}
lines["LeNet, random signs"] = (steps_of_255, by_lot["LeNet"])
at_8 = ", ".join(f"{kind} {aimed[kind][3]:.0f} %" for kind in aimed)
draw_curves(
    lines,
    "Clothing, pictures not seen in training",
    "ε, in steps of 255",
    f"Accuracy of three models under fgsm against epsilon, and of LeNet under random signs. At 8 of 255: {at_8}, "
    f"LeNet under random signs {by_lot['LeNet'][3]:.0f} %. At 32 of 255: "
    f"{', '.join(f'{kind} {aimed[kind][5]:.0f} %' for kind in aimed)}, LeNet under random signs "
    f"{by_lot['LeNet'][5]:.0f} %. Chance is a dotted line at 10 %.",
    level=10,
)
lesson.target("points LeNet loses to fgsm at 8/255", aimed["LeNet"][0] - aimed["LeNet"][3], at_least=15)
lesson.target("points LeNet loses to random signs at 8/255", by_lot["LeNet"][0] - by_lot["LeNet"][3], at_most=1)
lesson.reveal(
    "aimed_or_random",
    answer=2,
    because="Random changes cancel in the sums that a network computes; aimed ones add up.",
)

# %% [markdown]
# The direction decides, not the size: under random signs LeNet hardly loses anything. And all three models fall, in
# much the same way, though the linear one has no hidden layer and no convolution. That is the lecture's point about the
# cause: "this is not a problem with Deep Learning, and has little to do with ConvNets specifically."
#
# ### Many tiny changes add up
#
# The lecture shows a linear classifier of ImageNet that takes a kit fox (1.0 %) for a goldfish (8.0 %) after a change
# that is hard to see. Here the same is done to the linear classifier of clothing, with no gradient at all: the score of
# class $t$ minus that of class $y$ is linear with the weights $w_t - w_y$, so `nudge` knows the way and
# `minimum_epsilon` the distance (if pixels may leave the range 0 to 1).

# %% experiment seconds=20 covers="149"
linear = trained("linear")
_, _, unseen, classes = clothing()
names = data.fashion_mnist(1, 1).classes
rows = linear[1].weight.detach().numpy().astype(np.float64)
offsets = linear[1].bias.detach().numpy().astype(np.float64)
boot, bag = names.index("ankle boot"), names.index("bag")
flat = unseen.reshape(len(unseen), -1).numpy().astype(np.float64)
chosen = next(i for i in range(len(flat)) if classes[i] == boot and (rows @ flat[i] + offsets).argmax() == boot)
w_bag, b_bag = rows[bag] - rows[boot], float(offsets[bag] - offsets[boot])
needed = float(minimum_epsilon(flat[chosen], w_bag, b_bag))
print(f"one ankle boot: {needed * 255:.1f} of 255 make it a bag, if pixels may leave 0 to 1")


def probability_of(picture, target):
    """Return the linear classifier's probability of a class."""
    scores = rows @ picture + offsets
    return float(np.exp(scores - scores.max())[target] / np.exp(scores - scores.max()).sum())


shown, titles = [], []
for n in (0, 8, 16, 32):
    picture = np.clip(nudge(flat[chosen], w_bag, n / 255), 0, 1)
    shown.append(picture.reshape(28, 28))
    titles.append(f"{n}/255: bag {100 * probability_of(picture, bag):.1f} %")
    print(
        f"ε = {n:2}/255: boot {100 * probability_of(picture, boot):5.1f} %, "
        f"bag {100 * probability_of(picture, bag):5.1f} %"
    )
plots.show(
    plots.images(shown, titles, vmin=0, vmax=1),
    alt=f"An ankle boot, nudged towards bag by 0, 8, 16 and 32 of 255. {'; '.join(titles)}.",
)
# The smallest distance to any other class, for every picture that is right.
margins = []
for i in range(training.full_or_fast(500, 20)):
    scores, own = rows @ flat[i] + offsets, int(classes[i])
    if scores.argmax() == own:
        others = [t for t in range(10) if t != own]
        margins.append(
            min(float(minimum_epsilon(flat[i], rows[t] - rows[own], offsets[t] - offsets[own])) for t in others)
        )
print(
    f"median distance to the nearest other class, over {len(margins)} pictures: {255 * np.median(margins):.1f} of 255"
)

# %% [markdown]
# "Lots of tiny variations add up": no single pixel decides anything, and yet together they make the boot a bag. The
# last line is the distance of a *typical* picture from the next class: half of those that it has right are closer. The
# bag needs more than the printed `minimum_epsilon`, because the black pixels around a boot can move in one direction
# only, and because a third class may come first.
#
# ## {{exercise:targeted_fgsm}}
#
# Away from the truth is one thing, towards a class of your choice another. Take a **target** class $t_n$ for each
# picture and *lower* the loss towards it:
#
# $$x' = \mathrm{clip}\Big(x - \varepsilon\, \mathrm{sign}\Big(\frac{\partial L_t}{\partial x}\Big),\ 0,\ 1\Big), \qquad
# L_t = -\sum_n \log p_n(t_n) .$$


# %% exercise="targeted_fgsm" difficulty=1 minutes=5
def targeted_fgsm(model, x, targets, epsilon):
    """Take one step along the signs of the gradient, towards the target classes.

    Parameters
    ----------
    model : nn.Module
        Maps x to logits (N, classes). Neither it nor the gradients of its parameters are changed.
    x : Tensor, shape (N, C, H, W)
        0 to 1; stays as it is.
    targets : Tensor of int64, shape (N,)
        The classes that the model should see.
    epsilon : float
        Size of the step, 0 or more.

    Returns
    -------
    Tensor, shape and dtype of x
        0 to 1; needs no gradient.
    """
    ### BEGIN SOLUTION
    pixels = x.detach().clone().requires_grad_(True)
    loss = F.cross_entropy(model(pixels), targets, reduction="sum")
    (slopes,) = torch.autograd.grad(loss, pixels)
    return (x - epsilon * slopes.sign()).clamp(0, 1).detach()
    ### END SOLUTION


# %% tests="targeted_fgsm" points=1
def towards(target, epsilon):
    """targeted_fgsm(a linear net with logits (3a, −b, 0), one picture with the pixels a = 0.5, b = 0.25, ...)"""
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 3, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, -1.0], [0.0, 0.0]]))
    return targeted_fgsm(net, torch.tensor([[[[0.5, 0.25]]]]), torch.tensor([target]), epsilon).numpy()


def stepped(n, epsilon, seed):
    """targeted_fgsm(small_net(), n small pictures, n target classes, epsilon)"""
    targets = torch.tensor(np.random.default_rng(seed).integers(0, 3, n))
    return targeted_fgsm(small_net(seed=seed), small_pictures(n, seed=seed), targets, epsilon).numpy()


def by_hand(n, epsilon, seed):
    """The same from the formula."""
    targets = np.random.default_rng(seed).integers(0, 3, n)
    x = small_pictures(n, seed=seed).numpy()
    return np.clip(x - epsilon * np.sign(slopes_by_hand(small_net(seed=seed), x, targets)), 0, 1)


# Towards class 2: a down, b up. Towards class 1: both down. Towards class 0: a up, b up (it speaks against class 1).
check(towards, target=2, epsilon=0.125).gives(np.array([[[[0.375, 0.375]]]], np.float32))
check(towards, target=1, epsilon=0.125).gives(np.array([[[[0.375, 0.125]]]], np.float32))
check(towards, target=0, epsilon=0.125).gives(np.array([[[[0.625, 0.375]]]], np.float32))
# Below 0 there is nothing.
check(towards, target=1, epsilon=0.375).gives(np.array([[[[0.125, 0.0]]]], np.float32))
check(stepped, n=5, epsilon=0.0625, seed=11).gives(by_hand(5, 0.0625, 11), dtype=np.float64)
### BEGIN HIDDEN TESTS
for n, epsilon, seed in [(1, 0.3, 12), (4, 0.02, 13), (9, 1.0, 14)]:
    check(stepped, n, epsilon, seed).gives(by_hand(n, epsilon, seed))
### END HIDDEN TESTS


# %% tests="targeted_fgsm" points=1
def what_else_happens():
    """targeted_fgsm(net in training mode with a .grad in every parameter, x, ...): what else does the call change?"""
    return side_effects(lambda net, x: targeted_fgsm(net, x, torch.tensor([1]), 0.1))


def stepped(n, epsilon, seed):
    """targeted_fgsm(small_net(), n small pictures, n target classes, epsilon)"""
    targets = torch.tensor(np.random.default_rng(seed).integers(0, 3, n))
    return targeted_fgsm(small_net(seed=seed), small_pictures(n, seed=seed), targets, epsilon).numpy()


def by_hand(n, epsilon, seed):
    """The same from the formula."""
    targets = np.random.default_rng(seed).integers(0, 3, n)
    x = small_pictures(n, seed=seed).numpy()
    return np.clip(x - epsilon * np.sign(slopes_by_hand(small_net(seed=seed), x, targets)), 0, 1)


check(stepped, n=7, epsilon=0.4, seed=16).gives(by_hand(7, 0.4, 16))
check(targeted_fgsm, small_net(), small_pictures(3), torch.tensor([1, 2, 0]), 0.1).satisfies(
    lambda y: y.shape == (3, 1, 2, 3), "the shape is that of x"
)
# Nothing but the result is new: all the answers are those of an attack that does nothing.
check(what_else_happens).gives(side_effects(lambda net, x: x))
### BEGIN HIDDEN TESTS
check(stepped, n=2, epsilon=0.01, seed=17).gives(by_hand(2, 0.01, 17))
### END HIDDEN TESTS

# %% [markdown]
# # Part 3 · Many steps
#
# One step follows the straight line that touches the loss at $x$. A network bends; after a few steps of 255 the line
# no longer tells where the loss goes. So take many small steps and look at the gradient anew each time.
#
# ## {{exercise:pgd}}
#
# **Projected gradient descent** (Madry et al. 2017) repeats two moves, `steps` times. Madry starts at a random place
# nearby; we start at $x^{(0)} = x$ itself, as the *basic iterative method* of Kurakin et al. (2016) does:
#
# $$\tilde{x} = x^{(k)} + \alpha\, \mathrm{sign}\Big(\frac{\partial L}{\partial x}\big(x^{(k)}\big)\Big), \qquad
# x^{(k+1)} = \mathrm{clip}\big(\min(\max(\tilde{x},\ x - \varepsilon),\ x + \varepsilon),\ 0,\ 1\big),$$
#
# with the step size $\alpha$ (`step`). The second move **projects**: no value may be farther than $\varepsilon$ from
# the *original* $x$, and none may leave 0 to 1. For an attack with a target the sign in the first move is $-$, and
# `labels` are the targets, as in the exercise before.
#
# `torch.minimum` and `torch.maximum` compare two tensors value by value.


# %% exercise="pgd" difficulty=3 minutes=19
def pgd(model, x, labels, epsilon, step, steps, targeted=False):
    """Take many small steps along the signs of the gradient and stay within epsilon of x.

    Parameters
    ----------
    model : nn.Module
        Maps x to logits (N, classes). Neither it nor the gradients of its parameters are changed.
    x : Tensor, shape (N, C, H, W)
        0 to 1; stays as it is.
    labels : Tensor of int64, shape (N,)
        The true classes, or the target classes.
    epsilon : float
        How far a value may be moved in all, 0 or more.
    step : float
        Size of one step.
    steps : int
        How many, at least 1.
    targeted : bool
        Towards `labels`, otherwise away from them.

    Returns
    -------
    Tensor, shape and dtype of x
        0 to 1; needs no gradient.

    Raises
    ------
    ValueError
        If steps is less than 1.
    """
    ### BEGIN SOLUTION
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    direction = -step if targeted else step
    x = x.detach()
    moved = x
    for _ in range(steps):
        pixels = moved.clone().requires_grad_(True)
        loss = F.cross_entropy(model(pixels), labels, reduction="sum")
        (slopes,) = torch.autograd.grad(loss, pixels)
        moved = moved + direction * slopes.sign()
        moved = torch.minimum(torch.maximum(moved, x - epsilon), x + epsilon).clamp(0, 1)
    return moved
    ### END SOLUTION


# %% tests="pgd" points=1
def two_pixels(epsilon, step, steps, targeted=False, target=0):
    """pgd(a linear net with logits (3a, −b), one picture with the pixels a = 0.5, b = 0.25, class 0, ...)"""
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor([[3.0, 0.0], [0.0, -1.0]]))
    x = torch.tensor([[[[0.5, 0.25]]]])
    return pgd(net, x, torch.tensor([target]), epsilon, step, steps, targeted).numpy()


# Three steps of 0.0625; then one that is larger than epsilon.
check(two_pixels, epsilon=0.5, step=0.0625, steps=3).gives(np.array([[[[0.3125, 0.0625]]]], np.float32))
check(two_pixels, epsilon=0.15625, step=0.25, steps=1).gives(np.array([[[[0.34375, 0.09375]]]], np.float32))
# Four steps, of which epsilon lets three through; then until the second pixel is black.
check(two_pixels, epsilon=0.1875, step=0.0625, steps=4).gives(np.array([[[[0.3125, 0.0625]]]], np.float32))
check(two_pixels, epsilon=0.375, step=0.125, steps=5).gives(np.array([[[[0.125, 0.0]]]], np.float32))
# Towards class 0.
check(two_pixels, epsilon=0.1875, step=0.0625, steps=2, targeted=True).gives(np.array([[[[0.625, 0.375]]]], np.float32))
### BEGIN HIDDEN TESTS
check(two_pixels, epsilon=1.0, step=0.25, steps=9, targeted=True).gives(np.array([[[[1.0, 1.0]]]], np.float32))
check(two_pixels, epsilon=0.1875, step=0.0625, steps=3, targeted=True, target=1).gives(
    np.array([[[[0.3125, 0.0625]]]], np.float32)
)
### END HIDDEN TESTS


# %% tests="pgd" points=1
def attacked(n, epsilon, step, steps, seed, targeted=False):
    """pgd(small_net(), n small pictures, n classes, epsilon, step, steps, targeted)"""
    labels = torch.tensor(np.random.default_rng(seed).integers(0, 3, n))
    x = small_pictures(n, seed=seed)
    return pgd(small_net(seed=seed), x, labels, epsilon, step, steps, targeted=targeted).numpy()


def by_hand(n, epsilon, step, steps, seed, targeted=False):
    """The same from the formula."""
    labels = np.random.default_rng(seed).integers(0, 3, n)
    x = small_pictures(n, seed=seed).numpy()
    moved = x
    for _ in range(steps):
        slopes = slopes_by_hand(small_net(seed=seed), moved, labels)
        moved = moved + (-1 if targeted else 1) * step * np.sign(slopes)
        moved = np.clip(np.clip(moved, x - epsilon, x + epsilon), 0, 1)
    return moved


# A net that bends: the signs change on the way.
check(attacked, n=5, epsilon=0.6, step=0.15, steps=6, seed=21).gives(by_hand(5, 0.6, 0.15, 6, 21), dtype=np.float64)
check(attacked, n=4, epsilon=0.45, step=0.2, steps=5, seed=22, targeted=True).gives(
    by_hand(4, 0.45, 0.2, 5, 22, targeted=True)
)
### BEGIN HIDDEN TESTS
for n, epsilon, step, steps, seed in [(1, 0.3, 0.1, 10, 23), (7, 0.9, 0.3, 4, 24), (3, 0.05, 0.02, 7, 25)]:
    for targeted in (False, True):
        check(attacked, n, epsilon, step, steps, seed, targeted=targeted).gives(
            by_hand(n, epsilon, step, steps, seed, targeted=targeted)
        )
### END HIDDEN TESTS


# %% tests="pgd" points=1
def what_else_happens():
    """pgd(net in training mode with a .grad in every parameter, x, ...): what else does the call change?"""
    return side_effects(lambda net, x: pgd(net, x, torch.tensor([1]), 0.1, 0.05, 3))


def in_float32():
    """pgd of two pictures in float32"""
    x = small_pictures(2, dtype=torch.float32)
    return pgd(small_net(dtype=torch.float32), x, torch.tensor([1, 0]), 0.25, 0.125, 3).numpy()


# Nothing but the result is new: all the answers are those of an attack that does nothing.
check(what_else_happens).gives(side_effects(lambda net, x: x))
check(pgd, small_net(), small_pictures(3), torch.tensor([1, 2, 0]), 0.1, 0.05, 3).satisfies(
    lambda y: y.shape == (3, 1, 2, 3), "the shape is that of x"
)
check(in_float32).satisfies(lambda y: y.dtype == np.float32 and y.shape == (2, 1, 2, 3), "float32, the shape of x")
check(pgd, small_net(), small_pictures(2), torch.tensor([1, 0]), 0.1, 0.05, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(pgd, small_net(), small_pictures(2), torch.tensor([1, 0]), 0.1, 0.05, -1).raises(ValueError)
check(pgd, small_net(), small_pictures(2), torch.tensor([1, 0]), 0.0, 0.05, 3).gives(small_pictures(2).numpy())
### END HIDDEN TESTS

# %% [markdown]
# ### A cat becomes a goldfish
#
# EfficientNet-Lite0 knows the 1,000 classes of ImageNet. `from_pixels` puts its preprocessing into the model, so that
# pictures are 0 to 1 as before. First one step towards "goldfish" with your `targeted_fgsm`, at several $\varepsilon$,
# and for comparison one step of `fgsm` away from "Egyptian cat"; then ten steps of `pgd`. A picture file stores whole
# numbers, so the result is **rounded to 8 bits** and must survive.


# %% experiment seconds=2 folded=true
SIDE = training.full_or_fast(224, 64)
PGD_STEPS = training.full_or_fast(10, 2)
PHOTOGRAPHS = ("cat", "coffee", "rocket", "astronaut")


class FromPixels(nn.Module):
    """EfficientNet-Lite0 for pictures with values from 0 to 1."""

    def __init__(self):
        super().__init__()
        self.network = efficientnet_lite0()
        self.requires_grad_(False)

    def forward(self, x):
        return self.network(((255 * x - 127) / 128).contiguous(memory_format=torch.channels_last))


@cache
def from_pixels():
    """Return the network, loaded once."""
    return FromPixels().eval()


def photo(name):
    """Return the middle of a photograph, (1, 3, 224, 224), 0 to 1."""
    return (preprocess(data.photograph(name), SIDE) * 128 + 127) / 255


def class_number(name):
    """Return the ImageNet class of a name as a tensor (1,)."""
    return torch.tensor([data.imagenet_classes().index(name)])


def seen_as(x, target):
    """Return the best class of a picture, its probability and that of the target class."""
    with torch.no_grad():
        p = from_pixels()(x).softmax(dim=1)[0]
    return data.imagenet_classes()[int(p.argmax())], float(p.max()), float(p[target])


def rounded(x):
    """Return a picture as a file of 8 bits would keep it."""
    return (x * 255).round() / 255


def as_array(x):
    """Return a picture (1, 3, H, W) as (H, W, 3)."""
    return x[0].permute(1, 2, 0).numpy()


# %% experiment seconds=40 covers="146"
cat, goldfish = photo("cat"), class_number("goldfish")
print(
    f"the photograph: {seen_as(cat, goldfish)[0]} {seen_as(cat, goldfish)[1]:.2f}, "
    f"goldfish {seen_as(cat, goldfish)[2]:.5f}"
)
own = torch.tensor([data.imagenet_classes().index(seen_as(cat, goldfish)[0])])
print(f"ε·255  {'one step towards':32}{'one step away':15}{'10 steps, 8 bits':19}random signs")
one_step, away, ten_steps, random_steps, kept = {}, {}, {}, {}, {}
start = time.process_time()
with timing.one_thread():
    for n in training.full_or_fast((1, 2, 4, 8), (2,)):
        one_step[n] = seen_as(targeted_fgsm(from_pixels(), cat, goldfish, n / 255), goldfish)
        away[n] = seen_as(fgsm(from_pixels(), cat, own, n / 255), own)
        kept[n] = rounded(pgd(from_pixels(), cat, goldfish, n / 255, n / 255 / 4, PGD_STEPS, targeted=True))
        ten_steps[n] = seen_as(kept[n], goldfish)
        random_steps[n] = seen_as(random_sign_control(cat, n / 255, np.random.default_rng(n)), goldfish)
        print(
            f"{n:5}  {one_step[n][0]:10.10} {one_step[n][1]:.2f}, goldfish {one_step[n][2]:.4f}  "
            f"{away[n][0]:15.14}{ten_steps[n][0]:10.10} {ten_steps[n][1]:.3f}    {random_steps[n][0]:14.14}"
        )
print(f"CPU time for all of it: {time.process_time() - start:.1f} s")
fooled = kept[2]
change = fooled - cat
plots.show(
    plots.images(
        [as_array(cat), np.clip(as_array(0.5 + 10 * change), 0, 1), as_array(fooled)],
        [
            f"{seen_as(cat, goldfish)[0]} {seen_as(cat, goldfish)[1]:.2f}",
            "the change, × 10",
            f"{seen_as(fooled, goldfish)[0]} {seen_as(fooled, goldfish)[1]:.2f}",
        ],
        size=2.4,
        columns=3,
    ),
    alt=f"A cat; the change, ten times as strong; the changed picture, a cat to the eye, which is taken for "
    f"{seen_as(fooled, goldfish)[0]} with {seen_as(fooled, goldfish)[1]:.2f}.",
)
lesson.target("probability of goldfish, 10 steps within 2/255, 8 bits", ten_steps[2][2], at_least=0.95)
lesson.target("largest change, in steps of 255", round(float(change.abs().max()) * 255), at_most=2)

# %% [markdown]
# One step to make a goldfish fails at every $\varepsilon$, and a larger one does not help: the line that touches the
# loss at the picture is no good description of a network of 50 layers farther out. Ten steps succeed from $2/255$ on.
# *Away* from the best class is easier: one step is enough at every $\varepsilon$ (but the next class is still a cat),
# and random signs are not. So the linear explanation is half of the truth: linear enough to be led astray, too bent to
# be led to a chosen place in one go.
#
# ### Any picture, any class
#
# Szegedy and colleagues, who found the effect in 2013, made everything an ostrich. Four photographs, and three
# targets of which none is like any of them.

# %% experiment seconds=40 covers="146"
TARGETS = training.full_or_fast(("ostrich", "goldfish", "volcano"), ("ostrich",))
table = {}
with timing.one_thread():
    for name in training.progress(training.full_or_fast(PHOTOGRAPHS, ("cat",)), "photograph"):
        for target in TARGETS:
            number = class_number(target)
            x = rounded(pgd(from_pixels(), photo(name), number, 4 / 255, 1 / 255, PGD_STEPS, targeted=True))
            table[name, target] = seen_as(x, number)
print(f"{'ε = 4/255, 10 steps':22}" + "".join(f"{target:>12}" for target in TARGETS))
for name in dict.fromkeys(name for name, _ in table):
    before = seen_as(photo(name), 0)[0]
    print(f"{name + ' (' + before + ')':30.30}" + "".join(f"{table[name, target][2]:12.3f}" for target in TARGETS))
fooled_all = sum(found[0] == target for (_, target), found in table.items())
print(f"{fooled_all} of {len(table)} pictures are taken for the target")

# %% [markdown]
# The columns are the probabilities of the target after the attack. What the picture shows hardly matters.
#
# ### Play: how much is enough?
#
# The widget attacks a photograph (here with 128 pixels a side, to be quick) with **your** functions, and draws the
# change ten times as strong.
#
# 1. Choose "PGD" and raise $\varepsilon$ from 0. At which value does the goldfish appear?
# 2. "one step": raise $\varepsilon$ as far as it goes. Does a goldfish ever appear? What does the noise look like
#    beside PGD's?
# 3. "random signs" at the same $\varepsilon$: what does the network say?
# 4. At which $\varepsilon$ do you see the noise in the picture on the right yourself?

# %% widget="epsilon_slider"
# alt: A cat, the change ten times as strong, the changed cat, and the network's five best classes, goldfish first.
# picture: EpsilonSlider(targeted_fgsm, pgd, random_sign_control, epsilon=2)
from convnets.widgets import EpsilonSlider

EpsilonSlider(targeted_fgsm, pgd, random_sign_control)

# %% [markdown]
# # Part 4 · Pictures without meaning
#
# Nguyen, Yosinski and Clune turned it round in 2014: no photograph at all, and a network that is more than 99.6 % sure.
# "We can pose an optimization over the input image to maximize any class score" (lecture E). There is no $\varepsilon$
# now: the picture may go wherever it wants.
#
# ## {{exercise:fooling_image}}
#
# Climb $\log p(t)$, the log-probability of the target class $t$ (`F.log_softmax` of the logits has it for every class),
# from a start $x^{(0)}$, one picture $(1, C, H, W)$. The gradient $g = \partial \log p(t) / \partial x$ is divided by
# its root mean square, so that the learning rate $\eta$ (`lr`) is the typical size of a pixel's change whatever the
# network:
#
# $$x^{(k+1)} = \mathrm{clip}\Big(x^{(k)} + \eta\, \frac{g}{\sqrt{\mathrm{mean}(g^2)}},\ 0,\ 1\Big),$$
#
# where the mean runs over all $C \cdot H \cdot W$ values. Note the probability of the target before the first and after
# every step (`.item()` makes a float of it). Stop as soon as it is at least `confidence`, perhaps before the first
# step, at the latest after `max_steps` steps. How many classes the model has, its logits tell.


# %% exercise="fooling_image" difficulty=3 minutes=20 covers="146 147"
def fooling_image(model, target, start, lr, confidence=0.996, max_steps=100):
    """Change a picture until the model is sure that it shows the target class.

    Parameters
    ----------
    model : nn.Module
        Maps (1, C, H, W) to logits (1, classes). Neither it nor the gradients of its parameters are changed.
    target : int
        The class, 0 to classes − 1.
    start : Tensor, shape (1, C, H, W)
        0 to 1; stays as it is.
    lr : float
        Root mean square of a step, before the clip. (The gradient is assumed not to be 0 everywhere.)
    confidence : float
        Probability that is enough.
    max_steps : int
        How many steps at most; 0 or more.

    Returns
    -------
    image : Tensor, shape and dtype of start
        0 to 1; needs no gradient.
    history : list of float
        Probability of the target at the start and after every step; the last one is that of `image`.

    Raises
    ------
    ValueError
        If the model has no class `target`.
    """
    ### BEGIN SOLUTION
    image, history = start.detach().clone(), []
    while True:
        pixels = image.clone().requires_grad_(True)
        log_p = F.log_softmax(model(pixels), dim=1)[0]
        if not 0 <= target < len(log_p):
            raise ValueError(f"the model has the classes 0 to {len(log_p) - 1}, not {target}")
        history.append(log_p[target].exp().item())
        if history[-1] >= confidence or len(history) > max_steps:
            return image, history
        (slopes,) = torch.autograd.grad(log_p[target], pixels)
        image = (image + lr * slopes / slopes.square().mean().sqrt()).clamp(0, 1)
    ### END SOLUTION


# %% tests="fooling_image" points=1 covers="146"
def climbed(target, lr, confidence, max_steps, seed=0):
    """fooling_image(small_net(), target, one small picture, lr, confidence, max_steps)"""
    image, history = fooling_image(
        small_net(seed=seed), target, small_pictures(1, seed=seed), lr, confidence, max_steps
    )
    return image.numpy(), [float(p) for p in history]


def by_hand(target, lr, confidence, max_steps, seed=0):
    """The same from the formula; the cross-entropy is −log p."""
    net, x, history = small_net(seed=seed), small_pictures(1, seed=seed).numpy(), []
    while True:
        with torch.no_grad():
            history.append(float(net(torch.tensor(x)).softmax(1)[0, target]))
        if history[-1] >= confidence or len(history) == max_steps + 1:
            return x, history
        slopes = -slopes_by_hand(net, x, np.array([target]))
        x = np.clip(x + lr * slopes / np.sqrt((slopes**2).sum() / slopes.size), 0, 1)


# One step: what becomes of the picture, then its history of two probabilities.
check(climbed, target=1, lr=0.0625, confidence=0.99, max_steps=1).gives(by_hand(1, 0.0625, 0.99, 1), rtol=1e-6)
check(climbed, target=2, lr=0.125, confidence=0.99, max_steps=1, seed=1).gives(
    by_hand(2, 0.125, 0.99, 1, seed=1), rtol=1e-6
)
# Six steps; pixels reach the ends.
check(climbed, target=0, lr=0.25, confidence=0.999, max_steps=6, seed=2).gives(
    by_hand(0, 0.25, 0.999, 6, seed=2), rtol=1e-6
)
### BEGIN HIDDEN TESTS
for target, seed in [(0, 3), (1, 4), (2, 5)]:
    check(climbed, target, 0.05, 0.9, 8, seed=seed).gives(by_hand(target, 0.05, 0.9, 8, seed=seed), rtol=1e-6)
### END HIDDEN TESTS


# %% tests="fooling_image" points=1 covers="147"
def four_lamps(confidence, max_steps, lr=0.125):
    """fooling_image(logits 8 · the sums of the upper and lower row of 2 × 2 pixels, class 0, all 0.5): its history"""
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False)).double()
    with torch.no_grad():
        net[1].weight.copy_(8 * torch.tensor([[1.0, 1, 0, 0], [0, 0, 1, 1]]))
    start = torch.full((1, 1, 2, 2), 0.5, dtype=torch.float64)
    return [float(p) for p in fooling_image(net, 0, start, lr, confidence, max_steps)[1]]


def what_else_happens():
    """fooling_image(net in training mode with a .grad in every parameter, x, ...): what else does the call change?"""
    return side_effects(lambda net, x: fooling_image(net, 1, x, 0.1, 0.99, 2)[0])


def kind_of_history():
    """image, history = fooling_image(...): is history a list, and is every entry a float?"""
    history = fooling_image(small_net(), 1, small_pictures(1), 0.1, 0.99, 2)[1]
    return isinstance(history, list), all(isinstance(p, float) for p in history)


# Each step moves the difference of the logits by 8 · 4 · 0.125 = 4: p = 0.5, 0.982, 0.99966. Enough is enough.
levels = [0.5, 1 / (1 + np.exp(-4.0)), 1 / (1 + np.exp(-8.0))]
check(four_lamps, confidence=0.996, max_steps=50).gives(levels)
check(four_lamps, confidence=0.9, max_steps=50).gives(levels[:2])
check(four_lamps, confidence=0.5, max_steps=50).gives(levels[:1])
check(four_lamps, confidence=1.1, max_steps=1).gives(levels[:2])
check(four_lamps, confidence=0.996, max_steps=0).gives(levels[:1])
# Nothing but the result is new: all the answers are those of an attack that does nothing.
check(what_else_happens).gives(side_effects(lambda net, x: x))
check(kind_of_history).gives((True, True))
check(fooling_image, small_net(), 1, small_pictures(1), 0.1, 0.99, 2).satisfies(
    lambda value: len(value) == 2 and value[0].shape == (1, 1, 2, 3),
    "the image, of the shape of start, and the history",
)
check(fooling_image, small_net(), 3, small_pictures(1), 0.1).raises(ValueError)
check(fooling_image, small_net(), -1, small_pictures(1), 0.1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(four_lamps, 0.99, 50, 0.0625).gives([1 / (1 + np.exp(-s)) for s in (0.0, 2.0, 4.0, 6.0)])
### END HIDDEN TESTS

# %% [markdown]
# ### 99.6 % of nothing
#
# From noise and from plain grey, towards classes of your choice.

# %% experiment seconds=45 covers="147"
WANTED = training.full_or_fast(("goldfish", "ostrich", "espresso", "school bus"), ("goldfish",))
pictures, titles, sure, needed_steps = [], [], [], []
noise = np.random.default_rng(18).uniform(0.3, 0.7, (1, 3, SIDE, SIDE))
starts = {"noise": torch.tensor(noise, dtype=torch.float32), "grey": torch.full((1, 3, SIDE, SIDE), 0.5)}
for k, name in enumerate(training.progress(WANTED, "picture")):
    how = ("noise", "grey")[k % 2]
    with timing.one_thread():
        image, history = fooling_image(
            from_pixels(), int(class_number(name)), starts[how], lr=0.01, max_steps=training.full_or_fast(80, 3)
        )
    pictures.append(as_array(image))
    titles.append(f"{name} {100 * history[-1]:.1f} %")
    sure.append(history[-1])
    needed_steps.append(len(history) - 1)
    print(f"{name:12} from {how:6} p = {history[0]:.6f} → {history[-1]:.4f} after {needed_steps[-1]} steps")
plots.show(
    plots.images(pictures, titles),
    alt=f"Pictures of fine coloured noise, at most with parts of a thing in it: {'; '.join(titles)}.",
)
lesson.target("least sure of the fooling pictures", 100 * min(sure), at_least=99.6, unit="%")

# %% [markdown]
# At a glance all of them are noise. Look closely at those from grey: you may find parts of the class, such as a head on
# a neck, but in no order that a person would accept. A softmax over 1,000 classes has no entry "none of these"; it only
# compares, and far from all photographs the comparison says nothing. (Module 17 adds regularisers to the same climb,
# and gets pictures that people recognise.)
#
# # Part 5 · Transfer and defence
#
# ### Do two networks fall for the same pictures?
#
# Your attacks need the network's gradient. Who does not have the weights can attack *another* network and hope. The
# pictures are made by `fgsm` on the model of the row, and shown to the model of the column.

# %% experiment seconds=20
EPSILON_TRANSFER = 16 / 255
crowd = {
    "linear": trained("linear"),
    "MLP": trained("MLP"),
    "LeNet": trained("LeNet"),
    "LeNet, seed 1": trained("LeNet", 1),
}
_, _, unseen, classes = clothing()
transfer = {}
with timing.one_thread():
    for source, maker in training.progress(crowd.items(), "model"):
        attacked = fgsm(maker, unseen, classes, EPSILON_TRANSFER)
        transfer[source] = {name: percent_right(model, attacked, classes) for name, model in crowd.items()}
    untouched = {name: percent_right(model, unseen, classes) for name, model in crowd.items()}
    noisy = random_sign_control(unseen, EPSILON_TRANSFER, np.random.default_rng(0))
    transfer["random signs"] = {name: percent_right(model, noisy, classes) for name, model in crowd.items()}
print(f"{'right, %, ε = 16/255':22}" + "".join(f"{name:>15}" for name in crowd))
print(f"{'untouched':22}" + "".join(f"{value:15.1f}" for value in untouched.values()))
for source, row in transfer.items():
    print(
        f"{'made on ' + source if source in crowd else source:22}" + "".join(f"{value:15.1f}" for value in row.values())
    )
moved_twin = untouched["LeNet, seed 1"] - transfer["LeNet"]["LeNet, seed 1"]
own_loss = untouched["LeNet"] - transfer["LeNet"]["LeNet"]
print(f"LeNet's pictures cost LeNet {own_loss:.1f} points, and another LeNet that never saw the first {moved_twin:.1f}")
lesson.target("points that another LeNet loses to pictures made on the first", moved_twin, at_least=10)

# %% [markdown]
# The diagonal is the attack with full knowledge. Off the diagonal the pictures do less harm, but far more than random
# signs, also where two networks have little in common: what the linear model or the MLP makes costs a LeNet about as
# much as what another LeNet makes. Were the slopes of two networks unrelated, the pictures of one would be no better
# than random signs for the other. So weights that are kept secret protect only in part.
#
# ### Adversarial training and its price
#
# The best-known defence is to put the attack into the training: each step attacks the batch with the network as it is
# now (`fgsm`, $\varepsilon = 16/255$) and takes the gradient step on the attacked pictures. Goodfellow and colleagues
# did it in 2014. Two questions must be put to every defence. What does it **cost** on untouched pictures, and in time?
# And does it hold against an attack that it has *not* been trained on? Here that is `pgd`, which is stronger than one
# step.


# %% experiment seconds=1 folded=true
def train_on_attacked(model, x, y, epochs, epsilon, lr, seed=0):
    """Train as `training.sgd_epochs` does, each batch attacked by fgsm with the model as it is at that moment."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        for batch in training.progress(torch.randperm(len(x), generator=generator).split(64), "batch"):
            attacked = fgsm(model, x[batch], y[batch], epsilon)
            optimizer.zero_grad()
            F.cross_entropy(model(attacked), y[batch]).backward()
            optimizer.step()
    return model.eval()


# %% experiment seconds=35
EPSILON_TRAINED = 16 / 255
x, y, unseen, classes = clothing()
plain, plain_seconds = trained("LeNet"), TRAINING_SECONDS["LeNet", 0]
with timing.one_thread():
    start = time.process_time()
    hardened = train_on_attacked(fresh("LeNet", 0), x, y, EPOCHS, EPSILON_TRAINED, LR, seed=0)
    hardened_seconds = time.process_time() - start
    few = training.full_or_fast(500, 30)
    against = {}
    for name, model in {"plain": plain, "hardened": hardened}.items():
        against[name] = {"untouched": percent_right(model, unseen, classes)}
        for n in (16, 32):
            one = fgsm(model, unseen[:few], classes[:few], n / 255)
            many = pgd(model, unseen[:few], classes[:few], n / 255, n / 255 / 4, training.full_or_fast(10, 2))
            against[name][f"fgsm {n}/255"] = percent_right(model, one, classes[:few])
            against[name][f"pgd {n}/255"] = percent_right(model, many, classes[:few])
    foreign = fgsm(plain, unseen[:few], classes[:few], EPSILON_TRAINED)
    by_foreign = percent_right(hardened, foreign, classes[:few])
print(f"{'right, %':12}" + "".join(f"{how:>13}" for how in against["plain"]))
for name, row in against.items():
    print(f"{name:12}" + "".join(f"{value:13.1f}" for value in row.values()))
print(f"untouched: {len(unseen)} pictures; attacked: the first {few} of them")
print(f"hardened, shown what fgsm at 16/255 makes of them on the plain network: {by_foreign:.1f}")
price = against["plain"]["untouched"] - against["hardened"]["untouched"]
gain = against["hardened"]["pgd 16/255"] - against["plain"]["pgd 16/255"]
print(
    f"price on untouched pictures: {price:.1f} points; CPU time {hardened_seconds:.0f} s against {plain_seconds:.0f} s"
)
lesson.target("points gained against pgd at 16/255", gain, at_least=25)

# %% [markdown]
# The hardened network (the LeNet from above, trained anew) is right far more often under attack, less often without
# one, and took longer to train. It also holds against `pgd`, which it has never seen, so it has not merely learned to
# withstand one kind of step. A network could also *hide* its gradient: then `fgsm` and `pgd`, which use it, would both
# fail, and pictures made on another network would do more harm than its own. The line below the table shows that they
# do less. It is not safe: at $32/255$, twice what it was trained on, it loses more again.
#
# ### The claims

# %% experiment seconds=5
# Every number comes from the cells above: run those first.
lecture_x = np.array([2.0, -1, 3, -2, 2, 2, 1, -4, 5, 1])
lecture_w = np.array([-1.0, -1, 1, -1, 1, -1, 1, 1, -1, 1])
lecture_before = float(logistic(lecture_x, lecture_w))
lecture_after = float(logistic(nudge(lecture_x, lecture_w, 0.5), lecture_w))
rng = np.random.default_rng(0)
unit_gap = {d: linear_gap(rng.normal(size=d) / np.sqrt(d), 0.05) for d in (100, 10_000)}
lost = {kind: aimed[kind][0] - aimed[kind][3] for kind in aimed}
lost_by_lot = by_lot["LeNet"][0] - by_lot["LeNet"][3]
sees_goldfish = [n for n, found in one_step.items() if found[0] == "goldfish"]


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


plots.claims(
    [
        plots.Claim(
            "class 1 from 5 % to 88 % by a step of 0.5 (E)",
            f"{lecture_before:.4f} → {lecture_after:.4f}; ε = {minimum_epsilon(lecture_x, lecture_w):g} would do",
            "the lecture's ten numbers",
            "holds" if (round(lecture_before, 4), round(lecture_after, 4)) == (0.0474, 0.8808) else "does not hold",
        ),
        plots.Claim(
            "any class score can be maximised over the input: an ostrich (E)",
            f"{fooled_all} of {len(table)} are taken for the target",
            "EfficientNet-Lite0, photographs × targets, PGD, ε = 4/255, 8 bits",
            judged("holds" if fooled_all == len(table) else "partly"),
        ),
        plots.Claim(
            "> 99.6 % confidence in unrecognisable images (E)",
            f"{', '.join(f'{100 * p:.2f} %' for p in sure)} after {', '.join(map(str, needed_steps))} steps",
            "EfficientNet-Lite0, gradient ascent from noise and grey",
            judged("holds" if min(sure) >= 0.996 else "partly"),
        ),
        plots.Claim(
            "a linear classifier: 1.0 % kit fox, then 8.0 % goldfish (E)",
            f"bag, of a boot: {100 * probability_of(flat[chosen], bag):.1f} % → "
            f"{100 * probability_of(np.clip(nudge(flat[chosen], w_bag, 16 / 255), 0, 1), bag):.1f} % at 16/255",
            "a linear classifier of clothing; that of ImageNet is not here",
            "cannot be tested here",
        ),
        plots.Claim(
            "lots of tiny variations add up (E)",
            f"half of the pictures are within {255 * np.median(margins):.1f} of 255 of another class",
            f"linear classifier, {len(margins)} pictures of clothing that it has right",
            judged("holds" if np.median(margins) < 16 / 255 else "does not hold"),
        ),
        plots.Claim(
            "the cause is the linear nature of networks (E)",
            f"points lost at 8/255: {', '.join(f'{kind} {points:.1f}' for kind, points in lost.items())}; but one step "
            f"towards a goldfish {'works at ' + str(sees_goldfish) if sees_goldfish else 'fails at every ε'}",
            "fgsm on clothing; targeted_fgsm on the cat, ε of 1 to 8/255",
            judged("does not hold" if lost["linear"] < 0.5 * lost["LeNet"] else "holds" if sees_goldfish else "partly"),
        ),
        plots.Claim(
            "and very high-dimensional inputs (E)",
            f"100 times as many inputs, {unit_gap[10_000] / unit_gap[100]:.1f} times the gap",
            "linear score of standard deviation 1, ε = 0.05",
            "holds" if unit_gap[10_000] > 5 * unit_gap[100] else "does not hold",
        ),
        plots.Claim(
            "little to do with ConvNets specifically (E)",
            f"without convolution {lost['linear']:.1f} and {lost['MLP']:.1f} points, LeNet {lost['LeNet']:.1f}",
            "fgsm, ε = 8/255",
            judged("holds" if min(lost["linear"], lost["MLP"]) > 0.5 * lost["LeNet"] else "partly"),
        ),
        plots.Claim(
            "size alone does nothing (course)",
            f"random signs cost LeNet {lost_by_lot:.1f} points, fgsm {lost['LeNet']:.1f}",
            f"ε = 8/255, {len(classes)} pictures",
            judged("holds" if lost_by_lot <= 1 else "partly"),
        ),
        plots.Claim(
            "the same pictures fool other networks (course)",
            f"another LeNet loses {moved_twin:.1f} points, the attacked one {own_loss:.1f}",
            "fgsm, ε = 16/255, same data, other start and order",
            judged("holds" if moved_twin > 0.5 * own_loss else "partly" if moved_twin > 3 else "does not hold"),
        ),
        plots.Claim(
            "adversarial training defends (course)",
            f"{gain:+.1f} points under pgd at 16/255; {price:.1f} lost on untouched pictures; "
            f"{hardened_seconds / plain_seconds:.1f} times the CPU time",
            f"LeNet, {len(x):,} pictures, trained with fgsm at 16/255",
            judged("partly" if gain > 0 and price > 0 else "holds" if gain > 0 else "does not hold"),
        ),
    ]
)

# %% [markdown] covers="151"
# The lecture's numbers hold to the last digit that the slide prints. Its diagnosis holds for what it was made for,
# small changes in many dimensions, and the linear and the deep models fall together; it does not say why a chosen class
# needs several steps. "Deep networks are (once again) not as clever as we think" is lecture E's last line. What it
# means is your question.
#
# # In your own words
#
# These two are read by a person. Use figures that your cells printed.
#
# **Not as clever (2 points, 0.5 for each part).** (a) Random signs and `fgsm` change every pixel by the same amount.
# Explain with $\lVert w \rVert_1$ and the number of inputs why one does next to nothing and the other so much. (b) One
# targeted step fails at every $\varepsilon$, ten steps within 2/255 succeed. What does that say about how linear the
# network is? (c) A network is 99.6 % sure of a goldfish in a picture of noise. What does this number compare, and what
# does it not say? (d) "Deep networks are not as clever as we think." Which of your measurements supports the sentence,
# and which one shows that depth is not what is to blame?

# %% [markdown] answer="not_as_clever" points=2 covers="151"
# ### BEGIN SOLUTION
# (a) An aimed change moves the score by ε‖w‖₁, a sum of D terms that all have the same sign; with weights of size 1/√D
# that is about 0.8 ε√D. With random signs the terms have both signs and cancel: their sum has the size ε‖w‖₂, about ε,
# whatever D is. At 8/255 LeNet lost less than a point to random signs and about 21 to fgsm.
#
# (b) Linear nearby: the slope at the picture shows a direction that does raise the loss (or changes the class). But the
# slopes change within 1 or 2 of 255, so a straight line does not lead to a chosen class, and a longer step along it
# does not help; looking at the slope anew after each half of 255 does.
#
# (c) The softmax compares the logit of goldfish with those of the other 999 classes; that it is much larger than all of
# them makes 0.996. It does not say that the picture looks like any training picture, and there is no entry "none of
# these".
#
# (d) For it: a cat that every person sees is a goldfish with 0.98 after a change of 2 of 255; noise is a goldfish with
# more than 99.6 %. Against depth as the cause: the linear classifier lost about 22 points at 8/255, LeNet about 21.
#
# **Rubric:** 0.5 for each part. (a) same signs against cancelling, with the growth in D; (b) locally linear, but bent
# within a few of 255; (c) relative to the other classes, nothing about being like the data; (d) one measurement for
# each half, with its figure.
# ### END SOLUTION

# %% [markdown]
# **Judge a defence (1 point, 0.5 for each part).** A paper says: "With our defence, accuracy under `fgsm` at 16/255
# rises from 33 % to 80 %." (a) Which two further measurements would you ask for before you believe that it helps, and
# what would each of them reveal? (Two attacks of different kinds count as two.) (b) What did adversarial training cost
# in your own run (two kinds of cost), and where did it still fail?

# %% [markdown] answer="judge_a_defence" points=1
# ### BEGIN SOLUTION
# (a) Accuracy on untouched pictures: a defence can pay for robustness with ordinary errors. Accuracy under a stronger
# attack that it was not made for (pgd with many steps, larger ε, pictures made on another network): if only fgsm fails,
# the gradient may merely be hidden, or the one step known. Random signs as a control, and the spread over seeds, are
# good answers too.
#
# (b) About ten points on untouched pictures and about twice the CPU time. At 32/255 it still fell below 50 % under
# pgd, and even at 16/255 about a third of the pictures were wrong.
#
# **Rubric:** (a) two measurements with what each reveals, 0.25 each; (b) accuracy and time, 0.25; one failure with its
# figure, 0.25.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. If every input may change by ε, a linear score moves by ε‖w‖₁, which grows with the number of inputs; random
#    changes of the same size cancel.
# 2. A network is linear enough nearby for one signed step to ruin its accuracy, and bent enough for a chosen class to
#    need several; rounding to 8 bits does not protect.
# 3. An attack needs a control, a defence a stronger attack; adversarial training helps and has its price.
#
# **Can you explain …**
#
# - why in `fooling_image` the gradient of $p$ in the place of $\log p$ would give the same steps?
# - why the *signs* of the gradient are the best direction when every pixel has the same bound?
# - why the label given to `fgsm` should be the true one, and what `targeted_fgsm` does with another?
# - why PGD projects around the original picture and not around the last one?
# - why pictures made on one network fool another?
# - what a confidence of 99.6 % is a share of?
#
# **Three readings**
#
# - C. Szegedy et al., *Intriguing properties of neural networks*, ICLR 2014, arXiv:1312.6199: section 4, and the
#   ostriches.
# - I. J. Goodfellow, J. Shlens, C. Szegedy, *Explaining and harnessing adversarial examples*, ICLR 2015,
#   arXiv:1412.6572: sections 3 to 5, which you have repeated here.
# - A. Madry et al., *Towards deep learning models resistant to adversarial attacks*, ICLR 2018, arXiv:1706.06083: PGD,
#   and what a network needs to withstand it.
#
# (The fooling images: A. Nguyen, J. Yosinski, J. Clune, *Deep neural networks are easily fooled*, CVPR 2015,
# arXiv:1412.1897.)
#
# Next: [19 Brains, chips and claims](../19_brains_chips_claims/19_brains_chips_claims.ipynb).
