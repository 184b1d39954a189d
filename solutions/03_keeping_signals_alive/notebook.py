# %% [markdown]
# # 03 Keeping signals alive
#
# ![Five curves between −4 and 4, each with its slope dashed. Sigmoid: from 0 to 1, slope at most 1/4. tanh: from −1 to
# 1, slope at most 1. ReLU: 0 on the left, the diagonal on the right, slope 0 or 1. Leaky ReLU: slope 0.1 or 1. Maxout
# of two pieces: two straight lines that meet at x = 1/3, slope −1/2 or 1.](pictures/activations.png)
#
# *What a layer does to a number, and (dashed) the share of a gradient that it lets back through.*
#
# A deep network is a chain of products. If every layer makes the signal a third smaller, then 20 layers make it 3,000
# times smaller, and the gradient on its way back suffers the same. This notebook is about the three things that decide
# by how much: the activation function, the size of the first weights, and the scale of the inputs. You write all
# three, and then train networks of 20 layers that differ in nothing but the size of their first weights.
#
# {{card:165}}
#
# A good place to pause is the end of Part 2.
#
# **Afterwards you can**
#
# - write ReLU, leaky ReLU and maxout with their gradients, and say what each does to a signal and to its gradient;
# - tell a unit that is off from a unit that is dead, and measure both;
# - derive the size of the first weights from one line about variances, and predict the signal after any depth;
# - standardise and whiten inputs, and say what each step changes in the data and what it cannot change.
#
# **You need** [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) (the chain rule, forward and backward) and
# the idea of a variance.
#
# **From the lectures** A (ReLU, "dying ReLU"), B (activations, initialisation, "whitening"), C and E (Glorot, He).
# Three of their statements are put to the test: *6 × faster than tanh*, *dead if the learning rate is too high*, and
# *Xavier/2 from He*.

# %% setup
from itertools import pairwise

import numpy as np
import torch

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("03_keeping_signals_alive")
check, hint = lesson.check, lesson.hint


def sigmoid(x):
    """Return 1 / (1 + exp(-x)), without overflow for any x."""
    return np.exp(-np.logaddexp(0, -x))


def torch_gradients(function, grad_output, *inputs):
    """Return PyTorch's gradients of a function of tensors with respect to all inputs: what the tests compare with."""
    tensors = [torch.tensor(value, requires_grad=True) for value in inputs]
    gradients = torch.autograd.grad(function(*tensors), tensors, torch.tensor(grad_output))
    return tuple(gradient.numpy() for gradient in gradients)


# %% [markdown]
# The setup gives you `sigmoid`, $\sigma(x) = 1/(1 + e^{-x})$ of module 02, written so that it does not overflow.
#
# ## Before you begin: a prediction
#
# A network has 20 layers with ReLU between them, 100 units each; it is trained for two passes over 10,000 images of
# clothing (ten classes, so guessing gets 10 % right). Its first weights are random, with a standard deviation of 0.01,
# or of $1/\sqrt{n}$, or of $\sqrt{2/n}$, where $n$ is the number of a layer's inputs.

# %% experiment seconds=5
lesson.predict(
    "which_trains",
    "Everything else is equal. Which of the three learns to tell most of the clothes apart?",
    [
        "All three, within 5 percentage points",
        "0.01 fails, the other two are within 5 points",
        "Only √(2/n)",
        "Only 1/√n: √(2/n) is too large",
    ],
)

# %% [markdown]
# # Part 1 · What a layer does to a number
#
# ## {{exercise:tanh_from_sigmoid}}
#
# Lecture B's first two activations are one. The **sigmoid** has values in $(0, 1)$, the **hyperbolic tangent** in
# $(-1, 1)$, and
#
# $$\tanh(x) = 2\,\sigma(2x) - 1$$
#
# so tanh is a sigmoid that is twice as steep and moved to be centred at 0. By the chain rule $\tanh'(x) =
# 4\,\sigma'(2x)$: with $\sigma' = \sigma(1 - \sigma) \le \tfrac14$, the slope of tanh is at most 1, that of the
# sigmoid at most 1/4. Remember the two numbers.


# %% exercise="tanh_from_sigmoid" difficulty=1 minutes=4 covers="26"
def tanh_from_sigmoid(x):
    """Compute the hyperbolic tangent with the setup's `sigmoid`.

    Parameters
    ----------
    x : ndarray, any shape, or float

    Returns
    -------
    ndarray of the same shape, or float
        tanh(x), between −1 and 1.
    """
    ### BEGIN SOLUTION
    return 2 * sigmoid(2 * x) - 1
    ### END SOLUTION


# %% tests="tanh_from_sigmoid" points=1
# The middle, both sides of it, and both ends, where it is flat.
check(tanh_from_sigmoid, np.array([-1.0, 0.0, 0.5])).gives(np.array([-0.76159416, 0.0, 0.46211716]), atol=1e-8)
check(tanh_from_sigmoid, np.array([[-1000.0], [1000.0]])).gives([[-1.0], [1.0]])
### BEGIN HIDDEN TESTS
x = np.random.default_rng(30).normal(scale=3, size=(3, 4, 2))
check(tanh_from_sigmoid, x).gives(np.tanh(x))
check(tanh_from_sigmoid, 0.25).gives(float(np.tanh(0.25)))
### END HIDDEN TESTS

# %% [markdown] covers="E9"
# ## {{exercise:relu}}
#
# The **rectified linear unit** of lectures A and B keeps what is positive and makes the rest zero:
#
# $$\text{relu}(x) = \max(0, x)$$
#
# for every entry of an array. It needs no exponential, and on its right side it does not flatten out. (Two slides call
# AlexNet, 2012, its first use; it had been used before, for images by Jarrett et al. in 2009 and Nair and Hinton in
# 2010.)


# %% exercise="relu" difficulty=1 minutes=5 covers="28"
def relu(x):
    """Set the negative entries to zero.

    Parameters
    ----------
    x : ndarray, any shape
        Stays as it is. Infinite entries are allowed.

    Returns
    -------
    ndarray of the shape and dtype of x
    """
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


# %% tests="relu" points=1
check(relu, np.array([-2.0, -0.5, 0.0, 0.5, 3.0])).gives([0.0, 0.0, 0.0, 0.5, 3.0])
# Any shape, and the precision that networks use stays what it is.
check(relu, np.array([[-1, 2], [3, -4]], np.float32)).gives(np.array([[0, 2], [3, 0]]), dtype=np.float32)
# A unit that is infinitely far on the negative side is off like any other.
check(relu, np.array([-np.inf, -1e300, 1e300])).gives([0.0, 0.0, 1e300])
### BEGIN HIDDEN TESTS
x = np.random.default_rng(31).normal(size=(2, 3, 4, 5)).astype(np.float32)
check(relu, x).gives(torch.relu(torch.tensor(x)).numpy(), dtype=np.float32)
check(relu, np.array([[-7], [7]])).gives([[0], [7]])
check(relu, np.zeros((0, 3))).gives(np.zeros((0, 3)))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:relu_backward}}
#
# The way back, as in module 02: local slope × what arrives from above. With $y = \text{relu}(x)$ and the loss $L$,
#
# $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} \cdot
# \begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}$$
#
# `grad_output` is $\partial L/\partial y$, of the shape of $x$, and any of its entries may be negative. At $x = 0$ the
# function has no slope; like PyTorch we take 0 there.


# %% exercise="relu_backward" difficulty=1 minutes=4 covers="28"
def relu_backward(grad_output, x):
    """Return ∂L/∂x of y = relu(x).

    Parameters
    ----------
    grad_output : ndarray, the shape of x
        ∂L/∂y.
    x : ndarray, any shape
        What went into relu.

    Returns
    -------
    ndarray, the shape and dtype of grad_output
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, grad_output, np.zeros_like(grad_output))
    ### END SOLUTION


# %% tests="relu_backward" points=1
# Off, off, on, on: with gradients of both signs.
check(relu_backward, np.array([5.0, -6.0, 7.0, -8.0]), np.array([-1.0, -2.0, 3.0, 0.5])).gives([0.0, 0.0, 7.0, -8.0])
# At exactly 0 the slope is 0. Single precision stays single precision.
check(relu_backward, np.array([2.0, 3.0]), np.array([0.0, 1.0])).gives([0.0, 3.0])
single = np.array([2.0, 3.0], np.float32)
check(relu_backward, single, np.array([-1.0, 1.0], np.float32)).gives([0.0, 3.0], dtype=np.float32)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(32)
x, grad_output = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
check(relu_backward, grad_output, x).gives_gradient(torch_gradients(torch.relu, grad_output, x)[0])
check(relu_backward, grad_output.astype(np.float32), x.astype(np.float32)).gives(
    np.where(x > 0, grad_output, 0), rtol=1e-6, dtype=np.float32
)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:leaky_relu}}
#
# Where ReLU is zero its gradient is zero too, and a unit that is always there learns nothing more. The **leaky ReLU**
# leaves a small slope $\alpha$ on the left. Lecture B writes it with indicator functions ($\mathbb{1}(c)$ is 1 where
# the condition $c$ holds and 0 elsewhere):
#
# $$f(x) = \mathbb{1}(x < 0)\,(\alpha x) + \mathbb{1}(x \ge 0)\,(x)$$
#
# Usually $\alpha = 0.01$; it may be any number, also one that is larger than 1.


# %% exercise="leaky_relu" difficulty=1 minutes=4 covers="29"
def leaky_relu(x, alpha=0.01):
    """Multiply the negative entries by alpha.

    Parameters
    ----------
    x : ndarray, any shape
        Finite. Stays as it is.
    alpha : float
        The slope on the left, any number.

    Returns
    -------
    ndarray of the shape of x
    """
    ### BEGIN SOLUTION
    return np.where(x < 0, alpha * x, x)
    ### END SOLUTION


# %% tests="leaky_relu" points=1
check(leaky_relu, np.array([-2.0, 0.0, 3.0])).gives([-0.02, 0.0, 3.0])
check(leaky_relu, np.array([[-2.0], [4.0]]), alpha=0.5).gives([[-1.0], [4.0]])
# Steeper on the left than on the right; and with -1 on the left it is the absolute value.
check(leaky_relu, np.array([-1.0, 3.0]), alpha=2).gives([-2.0, 3.0])
check(leaky_relu, np.array([-1.0, 3.0]), alpha=-1).gives([1.0, 3.0])
### BEGIN HIDDEN TESTS
x = np.random.default_rng(33).normal(size=(3, 2, 5))
for alpha in (0.0, 0.2, 1.0, 3.5, -0.4):
    check(leaky_relu, x, alpha).gives(torch.nn.functional.leaky_relu(torch.tensor(x), alpha).numpy())
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:leaky_relu_backward}}
#
# The slope is 1 on the right and $\alpha$ on the left. At $x = 0$ we take the left one again, as PyTorch does; for
# $\alpha = 0$ this is `relu_backward`.


# %% exercise="leaky_relu_backward" difficulty=1 minutes=4 covers="29"
def leaky_relu_backward(grad_output, x, alpha=0.01):
    """Return ∂L/∂x of y = leaky_relu(x, alpha).

    Parameters
    ----------
    grad_output : ndarray, the shape of x
        ∂L/∂y.
    x : ndarray, any shape
        What went into leaky_relu.
    alpha : float
        The slope on the left, any number.

    Returns
    -------
    ndarray, the shape of x
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, grad_output, alpha * grad_output)
    ### END SOLUTION


# %% tests="leaky_relu_backward" points=1
check(leaky_relu_backward, np.array([5.0, -6.0, 7.0]), np.array([-1.0, -2.0, 3.0]), alpha=0.1).gives([0.5, -0.6, 7.0])
# The usual slope, and the place without one.
check(leaky_relu_backward, np.array([100.0, 100.0]), np.array([-4.0, 4.0])).gives([1.0, 100.0])
check(leaky_relu_backward, np.array([1.0, 3.0]), np.array([0.0, 2.0]), alpha=0.5).gives([0.5, 3.0])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(34)
x, grad_output = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
for alpha in (0.0, 0.3, 2.0, -1.0):
    wanted = torch_gradients(lambda t, a=alpha: torch.nn.functional.leaky_relu(t, a), grad_output, x)[0]
    check(leaky_relu_backward, grad_output, x, alpha).gives_gradient(wanted)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:maxout}}
#
# **Maxout** goes one step further and learns the activation itself. A unit has several linear pieces, each with its own
# weights, and its output is the largest of them. Lecture B shows two pieces,
#
# $$y = \max(w_1^\top x + b_1,\; w_2^\top x + b_2)$$
#
# For $K$ pieces, $H$ units and a batch of $N$ examples with $D$ features,
#
# $$y_{nh} = \max_{k} \Big(\sum_{d=1}^{D} w_{khd}\, x_{nd} + b_{kh}\Big)$$
#
# `x` has the shape (N, D), `weight` (K, H, D), `bias` (K, H), and the output (N, H). One unit with $w_1 = (1, 0)$, $b_1
# = 0.5$, $w_2 = (-3, 2)$, $b_2 = 0$ makes of $x = (1, 2)$: $\max(1.5, 1) = 1.5$. With $w_2 = 0$ and $b_2 = 0$ a unit is
# a ReLU; with $w_2 = -w_1$ and $b_2 = -b_1$ it is an absolute value. Two pieces cost twice the weights.


# %% exercise="maxout" difficulty=2 minutes=12 covers="30"
def maxout(x, weight, bias):
    """Compute a layer of maxout units.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        One example a row.
    weight : ndarray, shape (K, H, D)
        K linear pieces for each of H units.
    bias : ndarray, shape (K, H)

    Returns
    -------
    ndarray, shape (N, H)
        The largest piece of every unit.
    """
    ### BEGIN SOLUTION
    pieces = np.einsum("nd,khd->nkh", x, weight) + bias
    return pieces.max(axis=1)
    ### END SOLUTION


# %% tests="maxout" points=1
# The unit worked out above; then two units, a ReLU of the first feature and the absolute value of the second.
worked_weight, worked_bias = np.array([[[1.0, 0.0]], [[-3.0, 2.0]]]), np.array([[0.5], [0.0]])
check(maxout, np.array([[1.0, 2.0]]), worked_weight, worked_bias).gives([[1.5]])
check(maxout, np.array([[1.0, 4.0], [-3.0, 0.0]]), worked_weight, worked_bias).gives([[5.0], [9.0]])
two_units = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, -1.0]]])
check(maxout, np.array([[2.0, -3.0], [-5.0, 4.0], [-1.0, -1.0]]), two_units, np.zeros((2, 2))).gives(
    [[2.0, 3.0], [0.0, 4.0], [0.0, 1.0]]
)
# All pieces may be negative, and then the output is.
check(maxout, np.array([[0.0, 0.0]]), two_units, np.array([[-1.0, -5.0], [-2.0, -3.0]])).gives([[-1.0, -3.0]])

# %% tests="maxout" points=1
# Three pieces, four units, five features, seven examples.
rng = np.random.default_rng(35)
x, weight, bias = rng.normal(size=(7, 5)), rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4))
expected = np.max([x @ weight[k].T + bias[k] for k in range(3)], axis=0)
check(maxout, x, weight, bias).gives(expected)
### BEGIN HIDDEN TESTS
for n, d, k, h in [(1, 1, 1, 1), (2, 3, 5, 2), (4, 6, 2, 1), (3, 2, 2, 2)]:
    x, weight, bias = rng.normal(size=(n, d)), rng.normal(size=(k, h, d)), rng.normal(size=(k, h))
    check(maxout, x, weight, bias).gives(np.max([x @ weight[i].T + bias[i] for i in range(k)], axis=0))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:maxout_backward}}
#
# Only the piece that won had a part in the output, so only it receives the gradient; the other pieces of that unit
# receive 0 for that example. Write $g_{nkh} = \partial L/\partial y_{nh}$ where piece $k$ won for example $n$ and unit
# $h$, and 0 elsewhere. Then every piece is an ordinary linear layer:
#
# $$\frac{\partial L}{\partial x_{nd}} = \sum_{k,h} g_{nkh}\, w_{khd} \qquad
# \frac{\partial L}{\partial w_{khd}} = \sum_{n} g_{nkh}\, x_{nd} \qquad
# \frac{\partial L}{\partial b_{kh}} = \sum_{n} g_{nkh}$$
#
# If several pieces are equally large, the first of them is the winner.
#
# *By hand:* in the worked example piece 1 won (1.5 against 1). With $\partial L/\partial y = 10$ the gradient is $10
# \cdot (1, 0)$ for $x$, $10 \cdot (1, 2)$ for $w_1$, 10 for $b_1$, and 0 for $w_2$ and $b_2$.


# %% exercise="maxout_backward" difficulty=3 minutes=22 covers="30"
def maxout_backward(grad_output, x, weight, bias):
    """Return the gradients of a layer of maxout units.

    Parameters
    ----------
    grad_output : ndarray, shape (N, H)
        ∂L/∂y.
    x : ndarray, shape (N, D)
    weight : ndarray, shape (K, H, D)
    bias : ndarray, shape (K, H)
        What went into `maxout`.

    Returns
    -------
    grad_x : ndarray, shape (N, D)
    grad_weight : ndarray, shape (K, H, D)
    grad_bias : ndarray, shape (K, H)
        Summed over the examples.
    """
    ### BEGIN SOLUTION
    pieces = np.einsum("nd,khd->nkh", x, weight) + bias
    winner = pieces.argmax(axis=1)
    won = winner[:, np.newaxis] == np.arange(len(weight))[:, np.newaxis]
    g = won * grad_output[:, np.newaxis]
    return np.einsum("nkh,khd->nd", g, weight), np.einsum("nkh,nd->khd", g, x), g.sum(axis=0)
    ### END SOLUTION


# %% tests="maxout_backward" points=1
# The example by hand; then two examples, each won by another piece; then a tie, which the first piece wins.
worked_weight, worked_bias = np.array([[[1.0, 0.0]], [[-3.0, 2.0]]]), np.array([[0.5], [0.0]])
check(maxout_backward, np.array([[10.0]]), np.array([[1.0, 2.0]]), worked_weight, worked_bias).gives(
    (np.array([[10.0, 0.0]]), np.array([[[10.0, 20.0]], [[0.0, 0.0]]]), np.array([[10.0], [0.0]]))
)
two_examples = np.array([[1.0, 2.0], [-2.0, 1.0]])
check(maxout_backward, np.array([[10.0], [3.0]]), two_examples, worked_weight, worked_bias).gives(
    (np.array([[10.0, 0.0], [-9.0, 6.0]]), np.array([[[10.0, 20.0]], [[-6.0, 3.0]]]), np.array([[10.0], [3.0]]))
)
check(maxout_backward, np.array([[1.0]]), np.array([[0.0, 0.25]]), worked_weight, worked_bias).gives(
    (np.array([[1.0, 0.0]]), np.array([[[0.0, 0.25]], [[0.0, 0.0]]]), np.array([[1.0], [0.0]]))
)


# %% tests="maxout_backward" points=1
# Three pieces, two units, four features, six examples, against PyTorch; every piece of every unit wins somewhere.
def torch_maxout(x, weight, bias):
    """Return a layer of maxout units with PyTorch."""
    return (torch.einsum("nd,khd->nkh", x, weight) + bias).max(dim=1).values


rng = np.random.default_rng(38)
x, weight, bias = rng.normal(size=(6, 4)), rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 2))
grad_output = rng.normal(size=(6, 2))
wanted = torch_gradients(torch_maxout, grad_output, x, weight, bias)
check(maxout_backward, grad_output, x, weight, bias).gives_gradient(wanted)
### BEGIN HIDDEN TESTS
for n, d, k, h in [(1, 1, 1, 1), (5, 3, 4, 2), (2, 2, 2, 2), (3, 6, 2, 1)]:
    x, weight, bias = rng.normal(size=(n, d)), rng.normal(size=(k, h, d)), rng.normal(size=(k, h))
    grad_output = rng.normal(size=(n, h))
    wanted = torch_gradients(torch_maxout, grad_output, x, weight, bias)
    check(maxout_backward, grad_output, x, weight, bias).gives_gradient(wanted)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: an activation and its slope
#
# Move the point along the curve and read the slope below it. *Layers* asks: if a gradient passes this slope in that
# many layers, which share of it arrives? Look for
#
# 1. the one place where the sigmoid lets most through, and what is left there after 10 layers;
# 2. the share that tanh lets through at $x = 2$ in 10 layers, and ReLU at the same place;
# 3. a maxout that is a ReLU, one that is an absolute value, and one that is a straight line.
#
# The curves of ReLU, leaky ReLU, maxout and tanh are **yours**.
#
# <details><summary>Answers, once you have tried</summary>
#
# 1\. At $x = 0$, with the slope 0.25; after 10 layers 9.5e−7 is left. 2\. tanh has the slope 0.0707 there and lets
# 3.1e−12 through, ReLU everything. 3\. $w_1 = 1$ and all else 0; $w_1 = 1$, $w_2 = -1$ and both biases 0; $w_1 = w_2$.
#
# </details>

# %% widget="activation_slopes" covers="27"
# alt: The sigmoid and its slope. The point is at x = 2, where the slope is 0.105; after 10 layers 1.6e−10 is left.
from convnets.widgets import ActivationSlopes

ActivationSlopes(tanh_from_sigmoid, relu, relu_backward, leaky_relu, leaky_relu_backward, maxout, maxout_backward)

# %% [markdown]
# # Part 2 · Signals through depth
#
# ## {{exercise:init_weights}}
#
# A layer with $n$ inputs computes $z = \sum_{i=1}^{n} w_i x_i$ for each of its units. Draw the weights independently
# with mean 0 and variance $\sigma_w^2$. Then every term has variance $\sigma_w^2\, x_i^2$, terms add up, and
#
# $$\operatorname{Var}(z) = n\, \sigma_w^2\; \overline{x^2}$$
#
# where $\overline{x^2}$ is the mean square of the inputs. This is lecture B's *"the variance of the outputs grows with
# the number of inputs"*, and the lecture's three choices of $\sigma_w$ are three answers to it:
#
# | scheme | $\sigma_w$ | $\operatorname{Var}(z)$ | made for |
# | --- | --- | --- | --- |
# | `"small"` | 0.01 | $0.0001\, n\, \overline{x^2}$ | no depth in particular |
# | `"xavier"` (Glorot) | $\sqrt{1/n}$ | $\overline{x^2}$ | activations of slope 1 around 0, as tanh |
# | `"he"` (MSR) | $\sqrt{2/n}$ | $2\, \overline{x^2}$ | ReLU, which throws half of the square away |
#
# Why twice as much for ReLU? It sets one half of a symmetric $z$ to zero, and so one half of its mean square; twice
# the variance makes up for it. (Glorot's paper balances both directions with the *variance* $2/(n_{in} + n_{out})$;
# for equal widths that is $1/n$, the square of the table's standard deviation.) Two lectures name He's choice
# "Xavier/2". Which of the two is larger? Part 5 audits the name.
#
# `weight` has the shape (fan_out, fan_in) as everywhere in the course, one unit a row; the slide's `randn(D, H)` is its
# transpose. $n$ is `fan_in`. All numbers come from the generator `rng` that you are handed.


# %% exercise="init_weights" difficulty=2 minutes=10 covers="32"
def init_weights(fan_in, fan_out, scheme, rng):
    """Draw the first weights of a layer from a normal distribution with mean 0.

    Parameters
    ----------
    fan_in, fan_out : int
        Inputs and units of the layer.
    scheme : {"small", "xavier", "he"}
        Standard deviation 0.01, √(1 / fan_in) or √(2 / fan_in).
    rng : numpy.random.Generator
        Where the numbers come from.

    Returns
    -------
    ndarray, shape (fan_out, fan_in), float64

    Raises
    ------
    ValueError
        If there is no such scheme.
    """
    ### BEGIN SOLUTION
    stds = {"small": 0.01, "xavier": np.sqrt(1 / fan_in), "he": np.sqrt(2 / fan_in)}
    if scheme not in stds:
        raise ValueError(f"scheme must be one of {', '.join(stds)}, not {scheme!r}")
    return stds[scheme] * rng.standard_normal((fan_out, fan_in))
    ### END SOLUTION


# %% tests="init_weights" points=1
def shape_of_weights(fan_in, fan_out, scheme):
    """Return the shape of init_weights(fan_in, fan_out, scheme, rng)."""
    return init_weights(fan_in, fan_out, scheme, np.random.default_rng(0)).shape


def std_of_weights(fan_in, fan_out, scheme):
    """Return the standard deviation of init_weights(fan_in, fan_out, scheme, rng)."""
    return float(np.std(init_weights(fan_in, fan_out, scheme, np.random.default_rng(1))))


# 3 inputs, 5 units. Then 400 inputs, for which the three schemes are 0.01, 0.05 and 0.0707, as far as chance allows.
check(shape_of_weights, 3, 5, "he").gives((5, 3))
check(std_of_weights, 400, 300, "small").gives(0.01, rtol=0.02)
check(std_of_weights, 400, 300, "xavier").gives(0.05, rtol=0.02)
check(std_of_weights, 400, 300, "he").gives(0.0707, rtol=0.02)
check(init_weights, 4, 4, "glorot", np.random.default_rng(2)).raises(ValueError)
### BEGIN HIDDEN TESTS
for fan_in, fan_out in [(100, 900), (1600, 100), (25, 4000)]:
    check(std_of_weights, fan_in, fan_out, "small").gives(0.01, rtol=0.02)
    check(std_of_weights, fan_in, fan_out, "xavier").gives(fan_in**-0.5, rtol=0.02)
    check(std_of_weights, fan_in, fan_out, "he").gives((2 / fan_in) ** 0.5, rtol=0.02)
check(shape_of_weights, 1, 1, "small").gives((1, 1))
### END HIDDEN TESTS


# %% tests="init_weights" points=1
def mean_in_stds():
    """Return |mean| / std of 400 × 300 weights: how far from 0 they are centred."""
    weight = init_weights(400, 300, "xavier", np.random.default_rng(3))
    return float(abs(np.mean(weight)) / np.std(weight))


def share_beyond_two_stds():
    """Return the share of weights further than two standard deviations from 0; 4.55 % of a normal distribution."""
    weight = init_weights(400, 300, "he", np.random.default_rng(4))
    return float(np.mean(np.abs(weight) > 2 * np.std(weight)))


def same_seed_same_weights():
    """Return whether one seed gives the same weights twice, and whether the next call with that rng gives others."""
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    one, again = init_weights(6, 4, "he", first), init_weights(6, 4, "he", second)
    return bool(np.array_equal(one, again)), not np.array_equal(one, init_weights(6, 4, "he", first))


check(mean_in_stds).satisfies(lambda ratio: ratio < 0.02, "the mean is 0, up to chance")
check(share_beyond_two_stds).gives(0.0455, rtol=0.1)
check(same_seed_same_weights).gives((True, True))

# %% [markdown]
# ## {{exercise:activation_stds}}
#
# Measure it. Send a batch through a stack of layers without biases, $h_l = f(h_{l-1} W_l^\top)$ with $h_0 = x$, and
# write down how widely the activations $h_l$ of every layer are spread: one standard deviation a layer, over all
# examples and all units of that layer. Which activation function $f$ it is, is handed to you as a function.
#
# *By hand:* $x = (1, 1, -1, -1)^\top$, four examples of one feature, and the weights 2 and 3. With ReLU, $h_1 = (2, 2,
# 0, 0)$ and $h_2 = (6, 6, 0, 0)$: standard deviations 1 and 3. Without an activation $h_1 = (2, 2, -2, -2)$ and $h_2 =
# (6, 6, -6, -6)$: 2 and 6. With ReLU and the weights 2 and −3, $h_2$ is 0 everywhere: 1 and 0.


# %% exercise="activation_stds" difficulty=2 minutes=8 covers="32"
def activation_stds(x, weights, activation):
    """Return the standard deviation of every layer's activations.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        The inputs, one example a row.
    weights : list of L ndarrays, shape (units, inputs) each
        The first has D inputs, each of the others as many as the layer before has units. No biases.
    activation : callable
        Maps an array to one of the same shape; follows on every layer, the last one too.

    Returns
    -------
    ndarray, shape (L,)
        Standard deviation over all examples and units of a layer.
    """
    ### BEGIN SOLUTION
    stds = []
    for weight in weights:
        x = activation(x @ weight.T)
        stds.append(np.std(x))
    return np.array(stds)
    ### END SOLUTION


# %% tests="activation_stds" points=1
def rectified(x):
    """Return x with its negative entries set to 0."""
    return np.where(x > 0, x, 0.0)


def unchanged(x):
    """Return x."""
    return x


# By hand; then two layers of 2 and 3 units in which the units differ.
one_feature = np.array([[1.0], [1.0], [-1.0], [-1.0]])
check(activation_stds, one_feature, [np.array([[2.0]]), np.array([[3.0]])], rectified).gives([1.0, 3.0])
check(activation_stds, one_feature, [np.array([[2.0]]), np.array([[3.0]])], unchanged).gives([2.0, 6.0])
check(activation_stds, one_feature, [np.array([[2.0]]), np.array([[-3.0]])], rectified).gives([1.0, 0.0])
two_layers = [np.array([[1.0, 0.0], [0.0, 10.0]]), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])]
# The first layer's four numbers are 1, 10, 3, 10; the second's six are 1, 10, 11, 3, 10, 13.
check(activation_stds, np.array([[1.0, 1.0], [3.0, 1.0]]), two_layers, unchanged).gives([16.5**0.5, (58 / 3) ** 0.5])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(37)
x, weights = rng.normal(size=(9, 4)), [rng.normal(size=shape) for shape in [(6, 4), (5, 6), (1, 5), (3, 1)]]
expected, h = [], torch.tensor(x)
for weight in weights:
    h = torch.tanh(torch.nn.functional.linear(h, torch.tensor(weight)))
    expected.append(h.std(correction=0).item())
check(activation_stds, x, weights, np.tanh).gives(expected)
check(activation_stds, x, weights[:1], np.tanh).gives(expected[:1])
### END HIDDEN TESTS

# %% [markdown]
# ### Signals in 20 layers
#
# What should come out? A linear layer multiplies the root mean square by $\sigma_w \sqrt n$. ReLU throws one half of a
# symmetric distribution away, and so half of the mean square: a factor $\sqrt{1/2}$. Together, per layer,
#
# $$\text{ReLU: } \sigma_w \sqrt{n/2}: \qquad 0.01 \to 0.01\sqrt{n/2}, \qquad \sqrt{1/n} \to 0.71, \qquad \sqrt{2/n}
# \to 1$$
#
# The cell draws your `activation_stds` for images of clothing, with the weights of your `init_weights` and your
# `relu`, and the line that this rule predicts from the inputs alone (dashed black). The rule gives the root mean
# square $r$, the figure shows standard deviations: what ReLU leaves of a normal distribution has the standard
# deviation $r\sqrt{1 - 1/\pi}$. (The next cell keeps your functions as they are now: if you change `relu` later, run
# it again.)


# %% experiment seconds=2 folded=true
def clothing(n_train, n_test):
    """Return Fashion-MNIST as rows of 784 numbers with mean 0 and std 1 over all pixels, float32, and its labels."""
    loaded = data.fashion_mnist(n_train, n_test)
    mean, std = loaded.x_train.mean(), loaded.x_train.std()
    rows = [((x - mean) / std).reshape(len(x), -1) for x in (loaded.x_train, loaded.x_test)]
    return rows[0], loaded.y_train, rows[1], loaded.y_test


def logistic(x):
    """Return the sigmoid, by the tanh of NumPy, which is faster than the setup's."""
    return 0.5 + 0.5 * np.tanh(0.5 * x)


#: Each activation with its way back, (grad_output, input) -> gradient; ReLU and leaky ReLU are yours.
ACTIVATIONS = {
    "ReLU": (relu, relu_backward),
    "leaky ReLU": (leaky_relu, leaky_relu_backward),
    "tanh": (np.tanh, lambda grad_output, x: grad_output * (1 - np.tanh(x) ** 2)),
    "sigmoid": (logistic, lambda grad_output, x: grad_output * logistic(x) * (1 - logistic(x))),
}
SCHEMES = {"small": "0.01", "xavier": "√(1/n)", "he": "√(2/n)"}


def random_layers(sizes, scheme, seed):
    """Return the weights of a stack of layers, drawn by your init_weights, float32; sizes are those of h_0, h_1, ..."""
    rng = np.random.default_rng(seed)
    return [init_weights(fan_in, fan_out, scheme, rng).astype(np.float32) for fan_in, fan_out in pairwise(sizes)]


def layers_of(x, weights, activation):
    """Return the activations of all layers, as activation_stds sees them."""
    layers = []
    for weight in weights:
        x = activation(x @ weight.T)
        layers.append(x)
    return layers


def draw_signals(measured, predicted, histograms):
    """Draw the spread by layer, and the distributions of some layers below each other for three schemes."""
    fig, axes = plots.figure(1, 4, width=10.5, height=4.2, width_ratios=[2.3, 1, 1, 1])
    layers = np.arange(1, 21)
    for at, (name, stds) in enumerate(measured.items()):
        axes[0].semilogy(layers, stds, label=name, marker=plots.MARKERS[at], markersize=4, linestyle="-")
        if name in predicted:
            axes[0].semilogy(layers, predicted[name], color="black", linestyle="--", linewidth=0.9, zorder=3)
    axes[0].set(
        title="Spread of the activations", xlabel="layer", ylabel="standard deviation", xticks=[1, 5, 10, 15, 20]
    )
    axes[0].legend(loc="lower left", fontsize=8)
    for ax, (name, (by_layer, colour)) in zip(axes[1:], histograms.items(), strict=True):
        for row, (layer, values) in enumerate(by_layer.items()):
            heights, edges = np.histogram(values, bins=45, range=(-1.5, 3))
            heights = 0.85 * (heights / heights.max()) ** 0.5
            middle = (edges[1:] + edges[:-1]) / 2
            ax.fill_between(middle, -row, heights - row, color=plots.PALETTE[colour], alpha=0.75, linewidth=0)
            ax.text(3, 0.55 - row, f"layer {layer}", fontsize=8, color="#555555", ha="right")
        ax.set(
            title=name,
            xlim=(-1.5, 3),
            ylim=(-len(by_layer) + 0.9, 1.05),
            yticks=[],
            xticks=[-1, 0, 1, 2, 3],
        )
        ax.set_xlabel("activation (height: √count)", fontsize=8)
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
    apart = max(np.abs(line / measured[name] - 1).max() for name, line in predicted.items())
    ends = "; ".join(f"{name} {stds[0]:.2g} and {stds[-1]:.2g}" for name, stds in measured.items())
    plots.show(
        fig,
        alt=f"Left: the standard deviation of the activations in layers 1 to 20, logarithmic. In layer 1 and in layer "
        f"20: {ends}. Dashed lines, the prediction, are at most {100 * apart:.0f} % off the measured ones. Right: "
        f"histograms of layers {', '.join(map(str, by_layer))} for three of them (square root of "
        "the counts, the same axis everywhere).",
    )


# %% experiment seconds=10 covers="32"
x_sample = clothing(500, 1)[0]
sizes = [784] + [400] * 20
measured, predicted, histograms = {}, {}, {}
for activation, scheme in [("ReLU", "small"), ("ReLU", "xavier"), ("ReLU", "he"), ("tanh", "xavier")]:
    weights = random_layers(sizes, scheme, seed=0)
    name = f"{activation}, {SCHEMES[scheme]}"
    measured[name] = activation_stds(x_sample, weights, ACTIVATIONS[activation][0])
    if activation == "ReLU":
        fan_in = np.array(sizes[:-1])
        std_w = {"small": 0.01 + 0 * fan_in, "xavier": fan_in**-0.5, "he": (2 / fan_in) ** 0.5}[scheme]
        rms = np.sqrt(np.mean(x_sample**2)) * np.cumprod(std_w * np.sqrt(fan_in / 2))
        # A rectified normal distribution of root mean square r has the standard deviation r √(1 − 1/π).
        predicted[name] = rms * np.sqrt(1 - 1 / np.pi)
    if scheme != "small":
        layers = layers_of(x_sample, weights, ACTIVATIONS[activation][0])
        histograms[name] = ({layer: layers[layer - 1] for layer in (1, 5, 10, 20)}, len(measured) - 1)

for name, stds in measured.items():
    foretold = f", predicted {predicted[name][-1]:.2g}" if name in predicted else ""
    print(f"{name:14} layer 1: {stds[0]:.3f}   layer 20: {stds[-1]:.2g}{foretold}")
draw_signals(measured, predicted, histograms)

print("\ninputs   Var(z), 0.01·randn    Var(z) with √(1/n)")
variance_of_z = {}
for fan_in in (10, 100, 1000):
    inputs = np.random.default_rng(1).standard_normal((2000, fan_in))
    drawn = [init_weights(fan_in, 200, scheme, np.random.default_rng(2)) for scheme in ("small", "xavier")]
    variance_of_z[fan_in] = [float(np.var(inputs @ weight.T)) for weight in drawn]
    print(f"{fan_in:6}   {variance_of_z[fan_in][0]:.4f}                {variance_of_z[fan_in][1]:.3f}")

# %% [markdown]
# **How to read this.** One line about variances predicts 20 layers. Random weights neither
# know the images nor need to: what decides is the factor per layer. tanh with $\sqrt{1/n}$ shrinks slowly, because its
# slope falls below 1 away from 0; the smaller the signal, the closer to 1 is the slope, so it shrinks ever more slowly.
#
# ### Play: the gain
#
# Ten layers; the weights are $\text{gain} \cdot \text{randn}/\sqrt{n}$. Find, for linear, ReLU and leaky ReLU, the
# gain at which layer 10 is spread like layer 1. Why does tanh have none, and only come closer? For which activations
# does a gain of 3 do no harm to the spread, and what has happened to their histograms? The numbers under the
# histograms are **your** `activation_stds`.
#
# <details><summary>Answers, once you have tried</summary>
#
# Linear about 1, ReLU and leaky ReLU about $\sqrt2$, which is 1.4 on the slider. The inputs have a standard deviation
# of 1, and what tanh can keep level is below 1, since its values are: the spread falls from layer to layer towards
# that level. More gain lifts the level: standard deviations 0.627 and 0.23 in layers 1 and 10 at gain 1, 0.796 and
# 0.73 at 2, 0.896 and 0.886 at 4. At a gain of 3 tanh (0.862 and 0.839) and the sigmoid (0.367 and 0.285) are spread
# nearly as before, because they are bounded; their values have piled up at both ends, where the slope is 0.
#
# </details>

# %% widget="signal_depth" covers="32"
# alt: Ten histograms, one a layer, of ReLU activations at gain 1; each is narrower than the one before.
from convnets.widgets import SignalDepth

SignalDepth(activation_stds, relu, leaky_relu, tanh_from_sigmoid)

# %% [markdown]
# ### The gradient on its way back
#
# *"Sigmoids saturate and kill gradients"* (B). On the way back the gradient is multiplied by the weights and by the
# slope of the activation, layer after layer. The cell measures both halves of the sentence in a network of 10 layers:
# the share of units that are *saturated*, with a slope below one tenth of the largest possible, and the root mean
# square of $\partial L/\partial z$ in every layer, when the gradient that arrives at the last layer has size 1. The
# weights are $\sqrt{1/n}$ ($\sqrt{2/n}$ for ReLU). Two things are tried that saturate: inputs that are 100 times as
# large, and weights that are 10 times as large.


# %% experiment seconds=2 folded=true
def gradients_by_layer(x, weights, activation, rng):
    """Return the rms of ∂L/∂z and the share of saturated units for each layer, with noise of rms 1 arriving on top."""
    function, way_back = ACTIVATIONS[activation]
    inputs, h = [], x
    for weight in weights:
        inputs.append(h @ weight.T)
        h = function(inputs[-1])
    grad, sizes, saturated = rng.standard_normal(h.shape).astype(np.float32), [], []
    steepest = 0.25 if activation == "sigmoid" else 1.0
    for weight, z in zip(reversed(weights), reversed(inputs), strict=True):
        saturated.append(float(np.mean(way_back(np.ones_like(z), z) < 0.1 * steepest)))
        grad = way_back(grad, z)
        sizes.append(float(np.sqrt(np.mean(grad**2, dtype=np.float64))))
        grad = grad @ weight
    return sizes[::-1], saturated[::-1]


def draw_gradients(found):
    """Draw the size of the gradient by layer for each network."""
    fig, ax = plots.figure(width=7.0, height=3.4)
    for at, (name, (sizes, _)) in enumerate(found.items()):
        ax.semilogy(range(1, 11), sizes, label=name, marker=plots.MARKERS[at], markersize=4)
    ax.set(
        title="Gradient in a network of 10 layers",
        xlabel="layer (the loss is to the right of 10)",
        ylabel="rms of ∂L/∂z",
    )
    ax.set_xticks(range(1, 11))
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    words = "; ".join(f"{name} {sizes[0]:.1e} of {sizes[-1]:.2f}" for name, (sizes, _) in found.items())
    plots.show(fig, alt=f"The gradient by layer, logarithmic. In layer 1, of what there is in layer 10: {words}.")


# %% experiment seconds=5 covers="27"
x_sample = clothing(500, 1)[0]
gradient_sizes = {}
for name, activation, scheme, weight_factor, input_factor in [
    ("sigmoid", "sigmoid", "xavier", 1, 1),
    ("sigmoid, inputs × 100", "sigmoid", "xavier", 1, 100),
    ("tanh", "tanh", "xavier", 1, 1),
    ("tanh, inputs × 100", "tanh", "xavier", 1, 100),
    ("tanh, weights × 10", "tanh", "xavier", 10, 1),
    ("ReLU", "ReLU", "he", 1, 1),
    ("ReLU, inputs × 100", "ReLU", "he", 1, 100),
]:
    weights = [weight_factor * weight for weight in random_layers([784] + [200] * 10, scheme, seed=0)]
    gradient_sizes[name] = gradients_by_layer(input_factor * x_sample, weights, activation, np.random.default_rng(0))
print("                      saturated in layer 1, in layer 5     gradient in layer 1, layer 2, layer 10")
for name, (rms_by_layer, saturated) in gradient_sizes.items():
    shares = "".join(f"{f'{100 * saturated[at]:.0f} %':>14}" for at in (0, 4))
    print(f"{name:21} {shares}          " + "".join(f"{rms_by_layer[at]:12.1e}" for at in (0, 1, 9)))
draw_gradients(gradient_sizes)

# %% [markdown]
# **How to read this.** The sigmoid kills the gradient although no unit is saturated: its slope is at most 1/4, in
# every layer. Saturation does kill as well: with inputs that are 100 times too large nearly all units of layer 1 are
# saturated, and of the gradient that came as far as layer 2 the sigmoid lets a fortieth through, tanh a fourteenth.
# Large weights are a different thing. They saturate every layer, and yet tanh's gradient *grows*, since the few units
# that are not saturated multiply it by weights that are ten times too large. For ReLU "saturated" counts the units
# that are off: about half of them, and the gradient arrives, because the other half lets all of it through, and
# $\sqrt{2/n}$ makes up for the loss. Large inputs change nothing about that.
#
# A smaller learning rate is no remedy for a gradient that is too small: it makes small steps smaller still. The step
# of a weight matrix is rate × signal that comes in × gradient that comes back, so where both shrink by 0.71 a layer,
# every matrix of a net of $L$ layers moves $0.71^{L-1}$ times as much as it should.
#
# ## {{exercise:dead_fraction}}
#
# A unit that is off for *this* image is no problem; that is what ReLU is for. Lecture A: *"Dying ReLU is only an issue
# if an activation is zero for all inputs."* Such a unit is **dead**: its gradient is zero for every image, so no step
# will ever change its weights. Count the dead units of a layer from its activations on a whole data set.
#
# *By hand:* four images (rows) and five units (columns). 11 of the 20 activations are zero; two units of five are dead.
#
# $$\begin{pmatrix} 0 & 2 & 0 & 1 & 6 \\ 0 & 0 & 0 & 2 & 7 \\ 0 & 3 & 0 & 0 & 8 \\ 0 & 1 & 0 & 5 & 0 \end{pmatrix} \to
# 0.4$$


# %% exercise="dead_fraction" difficulty=1 minutes=5 covers="28"
def dead_fraction(h):
    """Return the fraction of units whose activation is zero for all examples.

    Parameters
    ----------
    h : ndarray, shape (N, H)
        Activations of H units for N examples.

    Returns
    -------
    float
        Between 0 and 1.
    """
    ### BEGIN SOLUTION
    return float(np.mean(np.all(h == 0, axis=0)))
    ### END SOLUTION


# %% tests="dead_fraction" points=1
# The example by hand. Then a leaky ReLU: units that cancel, are negative, or negative and zero are not dead.
by_hand = [[0.0, 2.0, 0.0, 1.0, 6.0], [0.0, 0.0, 0.0, 2.0, 7.0], [0.0, 3.0, 0.0, 0.0, 8.0], [0.0, 1.0, 0.0, 5.0, 0.0]]
check(dead_fraction, np.array(by_hand)).gives(0.4)
leaky = np.array([[1.0, 0.0, 0.0, -2.0, -4.0, -1.0, -3.0], [-1.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0]])
check(dead_fraction, leaky).gives(2 / 7)
check(dead_fraction, np.ones((2, 3))).gives(0.0)
### BEGIN HIDDEN TESTS
h = np.maximum(np.random.default_rng(38).normal(size=(50, 8)), 0)
check(dead_fraction, h).gives(0.0)
h[:, [1, 6]] = 0
check(dead_fraction, h).gives(0.25)
check(dead_fraction, np.zeros((1, 5), np.float32)).gives(1.0)
### END HIDDEN TESTS

# %% [markdown]
# ### Who kills a ReLU?
#
# *"'Dead' neurons if learning rate set too high"* (B). Networks with one hidden layer of 200 units learn from 5,000
# images for one epoch, at five learning rates, from three seeds each. Before and after, `dead_fraction` looks at the
# hidden layer on all these images. Beside it: the share of zeros, and the share of images for which *no* unit is
# active, which are different things; and how the same network fares with leaky ReLU ($\alpha = 0.01$).


# %% experiment seconds=2 folded=true
def logits_of(x, weights, biases, function):
    """Return the inputs of all layers' activations; the last are the logits."""
    inputs, h = [], x
    for weight, bias in zip(weights, biases, strict=True):
        inputs.append(h @ weight.T + bias)
        h = function(inputs[-1])
    return inputs


def train(x, y, weights, activation, lr, epochs, seed, batch_size=32):
    """Train with softmax, cross-entropy and plain gradient descent; return weights and biases.

    Where numbers leave all bounds, training stops and returns what there is.
    """
    function, way_back = ACTIVATIONS[activation]
    weights, biases = [weight.copy() for weight in weights], [np.zeros(len(weight), np.float32) for weight in weights]
    rng = np.random.default_rng(1000 + seed)
    with timing.one_thread(), np.errstate(all="ignore"):
        for _ in range(epochs):
            for batch in np.array_split(rng.permutation(len(x)), -(-len(x) // batch_size)):
                inputs = logits_of(x[batch], weights, biases, function)
                logits = inputs[-1] - inputs[-1].max(axis=1, keepdims=True)
                grad = np.exp(logits)
                grad /= grad.sum(axis=1, keepdims=True)
                grad[np.arange(len(batch)), y[batch]] -= 1
                grad /= len(batch)
                if not np.isfinite(grad).all():
                    return weights, biases
                for layer in reversed(range(len(weights))):
                    h = function(inputs[layer - 1]) if layer else x[batch]
                    grad_weight, grad_bias = grad.T @ h, grad.sum(axis=0)
                    if layer:
                        grad = way_back(grad @ weights[layer], inputs[layer - 1])
                    weights[layer] -= lr * grad_weight
                    biases[layer] -= lr * grad_bias
    return weights, biases


def percent_right(x, y, weights, biases, activation):
    """Return the accuracy in %."""
    with timing.one_thread(), np.errstate(all="ignore"):
        logits = logits_of(x, weights, biases, ACTIVATIONS[activation][0])[-1]
    return float(100 * np.mean(logits.argmax(axis=1) == y))


# %% experiment seconds=20 covers="28"
x_train, y_train, x_test, y_test = clothing(*training.full_or_fast((5_000, 2_000), (300, 200)))
dead = {}
print("means of the seeds     ReLU: dead units       zeros   images with no active unit     right   leaky ReLU: right")
for lr in training.full_or_fast((0, 0.1, 0.3, 0.5, 1.0, 2.0), (0, 1.0)):
    found = []
    for seed in range(training.full_or_fast(3, 1)):
        start = random_layers([784, 200, 10], "he", seed)
        epochs = 1 if lr else 0
        weights, biases = train(x_train, y_train, start, "ReLU", lr, epochs, seed)
        hidden = relu(logits_of(x_train, weights, biases, relu)[0])
        leaky = train(x_train, y_train, start, "leaky ReLU", lr, epochs, seed)
        found.append(
            (
                100 * dead_fraction(hidden),
                100 * float(np.mean(hidden == 0)),
                100 * float(np.mean(np.all(hidden == 0, axis=1))),
                percent_right(x_test, y_test, weights, biases, "ReLU"),
                percent_right(x_test, y_test, *leaky, "leaky ReLU"),
            )
        )
    dead[lr] = np.mean(found, axis=0)
    label = "untrained" if lr == 0 else f"lr {lr:g}"
    print(
        f"{label:20}"
        + "".join(f"{value:>{width}.1f} %" for value, width in zip(dead[lr], (15, 12, 25, 10, 16), strict=True))
    )

# %% [markdown]
# **How to read this.** Before training about half of all activations are zero and no unit is dead; at 0.1 still more
# are zero, and the network is at its best: lecture A's point. Dead units come with high learning rates, lecture B's
# point: a large step moves a unit so far down that no image reaches it any more, and from there no gradient leads
# back. But the network collapses well before its units are dead. Look at the images for which no unit is active: the
# output layer sees zeros for all of them and gives all the same answer, and no gradient reaches the hidden layer. At a
# rate of 1 a third of the units are dead, and yet eight or nine images of ten find no active one: the rest of the units
# are alive for a few images only. `dead_fraction` alone misses this. The leaky ReLU has a way back: compare the last
# two columns. At low rates it makes little difference, at 0.5 and 1 it is far ahead, and at the highest it does not
# save the network either.
#
# # Part 3 · What it is worth
#
# ### Twenty layers
#
# The prediction's experiment. 19 hidden layers of 100 units, 10,000 images, two epochs, batches of 32, learning rate
# 0.005, plain gradient descent with **your** `init_weights`, `relu` and `relu_backward`. ReLU runs from three seeds
# (its targets were set from ten), tanh from two, the sigmoid from one. (About 20 seconds, up to a minute on a busy
# machine.)


# %% experiment seconds=2 folded=true
def draw_grid(accuracy):
    """Draw the accuracies as a table of colours: schemes by activations, mean and range of the runs."""
    fig, ax = plots.figure(width=6.4, height=3.2)
    activations = list(dict.fromkeys(activation for activation, _ in accuracy))
    means = np.array([[np.mean(accuracy[activation, scheme]) for activation in activations] for scheme in SCHEMES])
    picture = ax.imshow(means, cmap="cividis", vmin=10, vmax=80, aspect="auto")
    for i, scheme in enumerate(SCHEMES):
        for j, activation in enumerate(activations):
            runs = accuracy[activation, scheme]
            colour = "black" if means[i, j] > 50 else "white"
            ax.text(j, i - 0.12, f"{means[i, j]:.0f} %", ha="center", va="center", color=colour, fontsize=13)
            spread = f"{min(runs):.0f} to {max(runs):.0f}, {len(runs)} seeds" if len(runs) > 1 else "one seed"
            ax.text(j, i + 0.25, spread, ha="center", va="center", color=colour, fontsize=8)
    ax.set(xticks=range(len(activations)), xticklabels=activations, title="20 layers after two epochs: test accuracy")
    ax.set(yticks=range(len(SCHEMES)), yticklabels=SCHEMES.values(), ylabel="first weights, std")
    ax.grid(visible=False)
    fig.colorbar(picture, label="% right")
    words = "; ".join(
        f"{activation} with {SCHEMES[scheme]} {np.mean(runs):.0f} %" for (activation, scheme), runs in accuracy.items()
    )
    plots.show(fig, alt=f"A table of test accuracies, three sizes of weights by three activations: {words}.")


# %% experiment seconds=60 covers="32"
x_train, y_train, x_test, y_test = clothing(*training.full_or_fast((10_000, 5_000), (200, 100)))
accuracy = {}
for activation, seeds in {"ReLU": 3, "tanh": 2, "sigmoid": 1}.items():
    for scheme in training.progress(SCHEMES, f"{activation}: first weights"):
        runs = []
        for seed in range(training.full_or_fast(seeds, 1)):
            start = random_layers([784] + [100] * 19 + [10], scheme, seed)
            trained = train(x_train, y_train, start, activation, 0.005, 2, seed)
            runs.append(percent_right(x_test, y_test, *trained, activation))
        accuracy[activation, scheme] = runs

draw_grid(accuracy)
lesson.target("20 layers, ReLU, √(2/n): worst of three seeds", min(accuracy["ReLU", "he"]), at_least=60, unit="%")
lesson.target("20 layers, ReLU, √(1/n): best of three seeds", max(accuracy["ReLU", "xavier"]), at_most=30, unit="%")
lesson.target("20 layers, ReLU, 0.01: best of three seeds", max(accuracy["ReLU", "small"]), at_most=12, unit="%")
if not training.fast_mode():
    he, xavier, small = (float(np.mean(accuracy["ReLU", scheme])) for scheme in ("he", "xavier", "small"))
    lesson.reveal(
        "which_trains",
        answer=2 if he > xavier + 5 and small < 15 else 1,
        because=f"√(2/n) {he:.0f} %, √(1/n) {xavier:.0f} %, 0.01 {small:.0f} % (means). In 20 layers the missing "
        f"factor √2 a layer is 2¹⁰ = {2**10:,}: so much smaller is the signal, and once more the gradient.",
    )

# %% [markdown]
# **How to read this.** No size is right by itself: it fits an activation. tanh learns with both roots, ReLU with one
# of them. (That a root "is made for" tanh is not sharp: at $\sqrt{1/n}$ its signal still shrinks, and here a somewhat
# larger gain helps.) No scheme rescues the sigmoid at this depth, since its slope alone costs a factor of 4 a layer;
# and with 0.01 nothing learns.
#
# ### ReLU against tanh against sigmoid
#
# *"6 × improvement in convergence"*: Lecture B shows Krizhevsky's plot, in which a four-layer convolutional network on
# CIFAR-10 reaches 25 % training error six times sooner with ReLU than with tanh. The learning rate was chosen for each
# network separately, "to make training as fast as possible". We follow that rule (one seed chooses the rate, five are
# compared): a network with two convolutions and two linear layers, 4,000 images of clothing at 14 × 14, SGD with
# momentum 0.9 and batches of 64, and for each of three learning rates (a best one and its neighbours; which they are,
# wider trials have shown) the number of steps until 15 % of the training images are wrong (judged on 1,000 of them,
# every 15 steps). (The first weights are $\sqrt{2/n}$ for ReLU, $\sqrt{1/n}$ for the other two.) The network is
# PyTorch's: module 08 builds such nets by hand. (Half a minute, up to a minute on a busy machine.)


# %% experiment seconds=2 folded=true
def small_convnet(activation, seed):
    """Return an untrained net of four layers for images (N, 1, 14, 14)."""
    nn = torch.nn
    make, gain = {"ReLU": (nn.ReLU, 2.0), "tanh": (nn.Tanh, 1.0), "sigmoid": (nn.Sigmoid, 1.0)}[activation]
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), make(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 16, 3, padding=1), make(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(144, 64), make(), nn.Linear(64, 10)),
    ).to(memory_format=torch.channels_last)  # the order of numbers in memory in which a CPU convolves fastest
    generator = torch.Generator().manual_seed(seed)
    for layer in net:
        if hasattr(layer, "weight"):
            nn.init.normal_(layer.weight, 0.0, (gain / layer.weight[0].numel()) ** 0.5, generator=generator)
            nn.init.zeros_(layer.bias)
    return net


def steps_to(goal, x, y, activation, lr, seed, most):
    """Return after how many steps at most `goal` percent of the training images are wrong; infinity if never."""
    net = small_convnet(activation, seed)
    optimizer = torch.optim.SGD(net.parameters(), lr, momentum=0.9)
    generator, step = torch.Generator().manual_seed(seed), 0
    while True:
        for batch in torch.randperm(len(x), generator=generator).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
            step += 1
            if step % 15 == 0:
                with torch.no_grad():
                    wrong = 100 * float((net(x[:1000]).argmax(dim=1) != y[:1000]).float().mean())
                if wrong <= goal:
                    return step
                if step >= most:
                    return np.inf


def draw_race(steps, most):
    """Draw the steps needed against the learning rate, a line for each activation."""
    fig, ax = plots.figure(width=6.6, height=3.4)
    for at, (activation, by_lr) in enumerate(steps.items()):
        style = {"marker": plots.MARKERS[at], "color": plots.PALETTE[at]}
        reached = {lr: value for lr, value in by_lr.items() if np.isfinite(value)}
        ax.loglog(list(reached), list(reached.values()), label=activation, **style)
        # What never gets there stands in the band, all at one height and side by side.
        never = [1.1 ** (at - 1) * lr for lr in by_lr if lr not in reached]
        ax.loglog(never, [1.3 * most] * len(never), linestyle="none", **style)
    lrs = sorted({lr for by_lr in steps.values() for lr in by_lr})
    ax.axhspan(1.1 * most, 1.8 * most, color="#dddddd", linewidth=0)
    ax.text(1.05 * min(lrs), 1.58 * most, f"not within {most:,} steps", fontsize=8, color="#555555")
    ax.set(xlabel="learning rate", ylabel="steps to 15 % training error", title="A four-layer ConvNet")
    lowest = 0.8 * min(most, *(value for by_lr in steps.values() for value in by_lr.values()))
    ax.set(ylim=(lowest, 1.8 * most), xticks=lrs, xticklabels=[f"{lr:g}" for lr in lrs])
    ax.yaxis.set_major_formatter("{x:.0f}")
    ax.minorticks_off()
    ax.set_yticks([value for value in (10, 100, 150, 200, 300, 400) if lowest <= value <= most])
    ax.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    words = "; ".join(
        f"{activation}: " + ", ".join(f"{lr:g} {told(value)}" for lr, value in by_lr.items())
        for activation, by_lr in steps.items()
    )
    plots.show(fig, alt=f"Steps until 15 % training error against the learning rate, both logarithmic. {words}.")


def told(steps):
    """Write a number of steps."""
    return "never" if np.isinf(steps) else f"{steps:.0f}"


# %% experiment seconds=60 covers="31"
loaded = data.fashion_mnist(training.full_or_fast(4_000, 300), 1)
images = torch.nn.functional.avg_pool2d(torch.tensor((loaded.x_train - 0.286) / 0.353), 2)
labels = torch.tensor(loaded.y_train)
most = training.full_or_fast(450, 15)
# Three learning rates each: its best and its neighbours (the sigmoid's third is 1, below).
lrs = (0.01, 0.03, 0.1, 0.3)
rates_of = {"ReLU": lrs[:3], "tanh": lrs[1:], "sigmoid": lrs[2:]}
race, late = {}, {}
with timing.one_thread():
    for activation, rates in training.progress(rates_of.items(), "activation"):
        race[activation] = {}
        for lr in rates:
            # Where no rate was enough so far, the highest is given twice as long.
            allowed = 2 * most if lr == max(rates) and np.isinf(min(race[activation].values())) else most
            needed = steps_to(15, images, labels, activation, lr, 0, allowed)
            race[activation][lr] = needed if needed <= most else np.inf
            if allowed > most:
                late[activation] = needed
    # The best learning rate of each, from more seeds.
    best_lr, best_steps = {}, {}
    for activation, by_lr in race.items():
        best_lr[activation] = min(by_lr, key=by_lr.get)
        if np.isfinite(by_lr[best_lr[activation]]):
            seeds = range(1, training.full_or_fast(5, 1))
            again = [steps_to(15, images, labels, activation, best_lr[activation], seed, most) for seed in seeds]
            best_steps[activation] = [by_lr[best_lr[activation]], *again]
        else:
            # No rate was enough: one beyond the highest, twice as long too.
            longer = {max(by_lr): late[activation], 1.0: steps_to(15, images, labels, activation, 1.0, 0, 2 * most)}
            best_lr[activation] = min(longer, key=longer.get)
            best_steps[activation] = [longer[best_lr[activation]]]
            print(f"{activation}, up to {2 * most} steps:", ", ".join(f"lr {k:g} {told(v)}" for k, v in longer.items()))

print("steps to 15 % training error" + "".join(f"{f'lr {lr:g}':>10}" for lr in lrs) + "     at the best lr, more seeds")
for activation, by_lr in race.items():
    others = ", ".join(told(value) for value in best_steps[activation])
    print(
        f"{activation:28}"
        + "".join(f"{told(by_lr[lr]) if lr in by_lr else '':>10}" for lr in lrs)
        + f"     {best_lr[activation]:g}: {others}"
    )
draw_race(race, most)

# %% [markdown]
# **How to read this.** Read down the columns: at 0.03 tanh and ReLU are close, at 0.1 tanh is ahead. Only the best of
# each row may be compared with the best of another, over several seeds, and there **tanh won**: the opposite of what
# the slide says. (The steps are read every 15, and ReLU's best rate is that of one seed.) Two differences to
# Krizhevsky's experiment speak for caution: his images and nets were larger, and the rules for first weights that suit
# each activation were not yet in use. The sigmoid does not arrive in time at any rate; at 0.3, where tanh never
# arrives, it does so when it is given twice as long, and at 1 it does not.
#
# # Part 4 · Signals that come in
#
# The first layer's inputs are signals too, and here nobody has drawn them at random. Lecture B, after Görner: data come
# with *"large values, different scales, skewed, correlated"*. *"Modified data: centered around zero, rescaled. Subtract
# average, divide by std dev."*
#
# ## {{exercise:standardise}}
#
# For every feature (column) $d$, with mean $\mu_d$ and standard deviation $s_d$ **of the training set**,
#
# $$\hat{x}_{nd} = \frac{x_{nd} - \mu_d}{s_d}, \qquad s_d^2 = \frac1N \sum_n (x_{nd} - \mu_d)^2$$
#
# The test set gets the same $\mu_d$ and $s_d$: what a network meets in use was not there when they were computed.
# (Were the test set part of them, its result would no longer tell how unseen data fare. And in use a batch must not be
# scaled by its own numbers: a batch of dark images would then look like one of light images.) A feature that is
# constant in the training set has $s_d = 0$, exactly 0; divide it by 1 instead.
#
# *By hand:* four training examples $(1, 100)$, $(3, 300)$, $(1, 300)$ and $(3, 100)$ have $\mu = (2, 200)$ and $s = (1,
# 100)$, and become $(-1, -1)$, $(1, 1)$, $(-1, 1)$ and $(1, -1)$. The test example $(5, 100)$ becomes $(3, -1)$.


# %% exercise="standardise" difficulty=1 minutes=8 covers="33"
def standardise(x_train, x_test):
    """Give every feature mean 0 and standard deviation 1 on the training set.

    Parameters
    ----------
    x_train : ndarray, shape (N, D)
        One example a row.
    x_test : ndarray, shape (M, D)

    Returns
    -------
    ndarray, shape (N, D)
        The training examples.
    ndarray, shape (M, D)
        The test examples, moved and scaled as the training examples were.
    """
    ### BEGIN SOLUTION
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    std = np.where(std == 0, 1, std)
    return (x_train - mean) / std, (x_test - mean) / std
    ### END SOLUTION


# %% tests="standardise" points=1
# By hand; then an example of three features whose average is not the same.
by_hand = np.array([[1.0, 100.0], [3.0, 300.0], [1.0, 300.0], [3.0, 100.0]])
check(standardise, by_hand, np.array([[5.0, 100.0]])).gives(
    (np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]]), np.array([[3.0, -1.0]]))
)
rng = np.random.default_rng(39)
x_train, x_test = rng.normal(50, 20, size=(6, 3)), rng.normal(10, 5, size=(4, 3))
tensor = torch.tensor(x_train)
mean, std = tensor.mean(dim=0).numpy(), tensor.std(dim=0, correction=0).numpy()
check(standardise, x_train, x_test).gives(((x_train - mean) / std, (x_test - mean) / std))

# %% tests="standardise" points=1
# The second feature is constant while training; in the test it is not.
check(standardise, np.array([[1.0, 7.0], [5.0, 7.0]]), np.array([[3.0, 9.0], [5.0, 11.0]])).gives(
    (np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [1.0, 4.0]]))
)
### BEGIN HIDDEN TESTS
x_train = np.random.default_rng(42).normal(size=(20, 5)) * np.array([1e-4, 1.0, 1e4, 1.0, 3.0])
x_train[:, 3] = -2.0
scaled = torch.nn.functional.batch_norm(torch.tensor(x_train), None, None, training=True, eps=1e-30).numpy()
scaled[:, 3] = 0.0
check(standardise, x_train, np.zeros((0, 5))).gives((scaled, np.zeros((0, 5))))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:whiten}}
#
# Standardised features can still be correlated. **Whitening** removes that as well: afterwards the covariance is the
# identity. With the centred training examples $X$, shape (N, D),
#
# $$C = \tfrac1N X^\top X = U \Lambda U^\top$$
#
# where the columns of $U$ are the eigenvectors (the directions of the data's ellipse) and the diagonal of $\Lambda$ the
# variances $\lambda_d$ along them. `np.linalg.eigh` finds both, the **smallest** variance first. Then
#
# - **PCA whitening** expresses the data in these directions and divides: $\;X\, U\, (\Lambda + \varepsilon I)^{-1/2}$.
#   Column 0 belongs to the *largest* variance. The signs of the directions are free.
# - **ZCA whitening** does the same and turns back: $\;X\, U\, (\Lambda + \varepsilon I)^{-1/2}\, U^\top$. Of all ways
#   to whiten it changes the data least, so an image still looks like an image.
#
# A small $\varepsilon$ keeps directions in which there is hardly any variance, mostly noise, from being blown up; the
# covariance is the identity for $\varepsilon = 0$ only. Where even $\lambda_d + \varepsilon$ is at most $10^{-12}$ of
# the largest $\lambda$ there is nothing to divide by: raise a `ValueError`. Test examples are moved and turned as the
# training examples are.
#
# *By hand:* the points $(3, 3), (-3, -3), (1, -1), (-1, 1)$, moved to the middle $(10, 20)$, have the covariance
# $\begin{pmatrix} 5 & 4 \\ 4 & 5 \end{pmatrix}$: variance 9 along $(1, 1)/\sqrt2$, variance 1 along $(1, -1)/\sqrt2$.
# ZCA makes the long direction 3 times shorter: $(1, 1), (-1, -1), (1, -1), (-1, 1)$. PCA puts the first two points on
# the first axis, at $\pm\sqrt2$, the others on the second.


# %% exercise="whiten" difficulty=3 minutes=28 covers="33"
def whiten(x_train, x_test, kind, eps=0.0):
    """Give the features mean 0 and, for eps = 0, the identity as covariance, on the training set.

    Parameters
    ----------
    x_train : ndarray, shape (N, D)
        One example a row.
    x_test : ndarray, shape (M, D)
    kind : {"pca", "zca"}
        PCA: column 0 belongs to the direction of largest variance. ZCA: turned back to the original axes.
    eps : float
        Added to every variance before the square root, at least 0.

    Returns
    -------
    ndarray, shape (N, D)
        The training examples.
    ndarray, shape (M, D)
        The test examples, moved and turned as the training examples were.

    Raises
    ------
    ValueError
        If there is no such kind, or if a direction's variance plus eps is at most 1e-12 times the largest variance:
        then there is nothing to divide by.
    """
    ### BEGIN SOLUTION
    if kind not in ("pca", "zca"):
        raise ValueError(f"kind must be 'pca' or 'zca', not {kind!r}")
    mean = x_train.mean(axis=0)
    centred = x_train - mean
    variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    variances, directions = variances[::-1], directions[:, ::-1]
    if variances.min() + eps <= 1e-12 * variances.max():
        raise ValueError("a direction has no variance: choose eps > 0")
    matrix = directions / np.sqrt(variances + eps)
    if kind == "zca":
        matrix = matrix @ directions.T
    return centred @ matrix, (x_test - mean) @ matrix
    ### END SOLUTION


# %% tests="whiten" points=1
# The example by hand, and a test point at the old mean.
four_points = np.array([[3.0, 3.0], [-3.0, -3.0], [1.0, -1.0], [-1.0, 1.0]]) + np.array([10.0, 20.0])
check(whiten, four_points, np.array([[10.0, 20.0], [13.0, 23.0]]), "zca").gives(
    (np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]]), np.array([[0.0, 0.0], [1.0, 1.0]]))
)
# With ε = 7 the variances 9 and 1 become 16 and 8: the long direction is 4 times shorter, the other √8 times.
check(whiten, four_points, four_points[:1], "zca", eps=7.0).gives(
    (
        np.array([[0.75, 0.75], [-0.75, -0.75], [8**-0.5, -(8**-0.5)], [-(8**-0.5), 8**-0.5]]),
        np.array([[0.75, 0.75]]),
    )
)


# %% tests="whiten" points=1
def without_signs(x_train, x_test, kind):
    """Return the absolute values of both results of whiten(x_train, x_test, kind): the signs are free."""
    return tuple(np.abs(white) for white in whiten(x_train, x_test, kind))


def covariance_after(x_train, kind):
    """Return the covariance of the training examples after whiten(x_train, x_train, kind)."""
    white, _ = whiten(x_train, x_train, kind)
    return white.T @ white / len(white)


four_points = np.array([[3.0, 3.0], [-3.0, -3.0], [1.0, -1.0], [-1.0, 1.0]]) + np.array([10.0, 20.0])
check(without_signs, four_points, np.array([[10.0, 20.0], [13.0, 23.0]]), "pca").gives(
    (np.array([[2**0.5, 0.0], [2**0.5, 0.0], [0.0, 2**0.5], [0.0, 2**0.5]]), np.array([[0.0, 0.0], [2**0.5, 0.0]])),
    atol=1e-7,
)
rng = np.random.default_rng(40)
mixed = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + 5.0
check(covariance_after, mixed, "pca").gives(np.eye(4), atol=1e-7)
check(covariance_after, mixed, "zca").gives(np.eye(4), atol=1e-7)

# %% tests="whiten" points=1
# Two equal features: along (1, −1) there is no variance to divide by. And a kind that does not exist.
twins = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]])
check(whiten, twins, twins, "zca").raises(ValueError)
check(whiten, np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, -1.0]]), twins, "ica").raises(ValueError)
# With ε there is: along (1, 1) the variance is 28/9, and all points lie on that line.
whitened_twins = (twins - 7 / 3) / np.sqrt(28 / 9 + 0.1)
check(whiten, twins, twins, "zca", eps=0.1).gives((whitened_twins, whitened_twins))


### BEGIN HIDDEN TESTS
def without_signs(x_train, x_test, kind):
    """Return the absolute values of both results of whiten(x_train, x_test, kind): the signs are free."""
    return tuple(np.abs(white) for white in whiten(x_train, x_test, kind))


rng = np.random.default_rng(41)
for n, d, eps in [(30, 3, 0.0), (9, 5, 0.5), (4, 6, 0.1), (50, 1, 0.0)]:
    x_train, x_test = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3.0, rng.normal(size=(2, d))
    centred = torch.tensor(x_train) - torch.tensor(x_train).mean(dim=0)
    _, spread, directions = torch.linalg.svd(centred, full_matrices=True)
    variances = torch.zeros(d, dtype=torch.float64)
    variances[: len(spread)] = spread**2 / n
    pca = (directions.T / torch.sqrt(variances + eps)).numpy()
    zca = (torch.tensor(pca) @ directions).numpy()
    moved = x_test - x_train.mean(axis=0)
    check(whiten, x_train, x_test, "zca", eps).gives((centred.numpy() @ zca, moved @ zca), rtol=1e-6, atol=1e-7)
    if eps == 0:
        check(without_signs, x_train, x_test, "pca").gives(
            (np.abs(centred.numpy() @ pca), np.abs(moved @ pca)), rtol=1e-6, atol=1e-7
        )
### END HIDDEN TESTS

# %% [markdown]
# ### What each step changes
#
# Four columns of Seattle's weather: the day's highest and lowest temperature, rain and wind. The table follows the
# lecture's four words through the steps, your `standardise` and your `whiten`, for all four columns; the figure takes
# the two temperatures alone through the same steps.


# %% experiment seconds=2 folded=true
def skewness(x):
    """Return the third standardised moment of every column: 0 for a symmetric one."""
    centred = x - x.mean(axis=0)
    return np.mean(centred**3, axis=0) / np.mean(centred**2, axis=0) ** 1.5


def draw_clouds(clouds):
    """Draw a cloud of points for every step, with the same four marked points."""
    fig, axes = plots.figure(1, len(clouds), width=10.0, height=2.9)
    first = next(iter(clouds.values()))
    order = np.argsort(first @ np.ones(2))
    marked = order[[len(order) // 50, len(order) // 3, 2 * len(order) // 3, -len(order) // 50]]
    for at, (ax, (name, points)) in enumerate(zip(axes, clouds.items(), strict=True)):
        ax.scatter(points[:, 0], points[:, 1], s=4, alpha=0.35, color="#999999", linewidths=0)
        for which, place in enumerate(marked):
            ax.plot(*points[place], plots.MARKERS[which], color=plots.PALETTE[which], markersize=7)
        ax.axhline(0, color="#777777", linewidth=0.6, linestyle="-")
        ax.axvline(0, color="#777777", linewidth=0.6, linestyle="-")
        reach = 1.05 * np.abs(points).max() if at == 0 else 4.2
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach), title=name, aspect="equal")
    plots.show(
        fig,
        alt="The highest and lowest temperature of 1,461 days as clouds of points: a long diagonal ellipse far from "
        "the origin, then around it, then round. After PCA whitening four marked days are in other places, turned "
        "with the cloud; after ZCA whitening they are near their old places: the coldest at the bottom, the warmest on "
        "the right.",
    )


# %% experiment seconds=5 covers="33"
weather = data.seattle_weather()
columns = np.stack([weather.t_max, weather.t_min, weather.precipitation, weather.wind], axis=1)
steps = {"as they are": columns, "standardised": standardise(columns, columns)[0]}
steps |= {f"{kind.upper()} whitened": whiten(columns, columns, kind)[0] for kind in ("pca", "zca")}
print(f"{'':14}{'means':>19}{'stds':>20}{'skewness':>22}   largest correlation")
weather_facts = {}
for name, x in steps.items():
    correlation = np.abs(np.corrcoef(x.T) - np.eye(4)).max()
    weather_facts[name] = (np.abs(x.mean(axis=0)).max(), x.std(axis=0), skewness(x), correlation)
    # 0.0 added: no "−0.0" where a mean is 0 up to rounding.
    rows = [
        "".join(f"{np.round(value, 1) + 0.0:5.1f}" for value in row)
        for row in (x.mean(axis=0), x.std(axis=0), skewness(x))
    ]
    print(f"{name:14}" + "".join(rows) + f"{correlation:12.2f}")

two = columns[:, :2]
clouds = {"as they are, °C": two, "standardised": standardise(two, two)[0]}
clouds |= {f"{kind.upper()} whitened": whiten(two, two, kind)[0] for kind in ("pca", "zca")}
draw_clouds(clouds)

# %% [markdown]
# **How to read this.** Subtracting and dividing mends "large values" and "different scales". It moves and stretches
# each column by itself, so correlation and skewness are what they were. Whitening removes the correlation. The rain
# stays skewed, since all these steps are linear maps; a logarithm of the rain would not be one. (PCA's columns are
# directions, not measurements: one of them is nearly the rain, and its sign is free.)
#
# ### Whitening, seen on images
#
# Now the 784 pixels of the clothes, from 10,000 images. Each picture below is one row of 784 numbers before and after.
# The last row shows how the maps see: the numbers that are multiplied with an image to make *one* output number. For
# ZCA only the 9 × 9 pixels around that place are drawn; the others are nearly 0.


# %% experiment seconds=2 folded=true
def draw_whitened(rows, filters):
    """Draw images before and after, and filters of both kinds of whitening."""
    fig, axes = plots.figure(len(rows) + 1, 6, width=8.6, height=1.45 * (len(rows) + 1))
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
    for line, (name, pictures) in zip(axes, rows.items(), strict=False):
        line[0].set_ylabel(name, fontsize=9)
        for ax, picture in zip(line, pictures, strict=True):
            reach = np.quantile(np.abs(picture), 0.995)
            ax.imshow(picture.reshape(28, 28), cmap="gray", vmin=-reach, vmax=reach)
    axes[-1, 0].set_ylabel("filters", fontsize=9)
    for ax, (name, picture) in zip(axes[-1], filters.items(), strict=True):
        reach = np.abs(picture).max()
        ax.imshow(picture, cmap="RdBu_r", vmin=-reach, vmax=reach)
        ax.set_xlabel(name, fontsize=8)
    plots.show(
        fig,
        alt="Six articles of clothing. Standardised they have dark halos in the shape of the mean garment; after PCA "
        "whitening the pictures are noise to the eye; after ZCA whitening the clothes are there again as outlines. "
        "Filters: those of PCA spread over the whole picture, those of ZCA are a spot of one pixel with a faint cross "
        "of its four neighbours in the opposite sign.",
    )


# %% experiment seconds=20
loaded = data.fashion_mnist(training.full_or_fast(10_000, 400), 6)
pixels, six = (x.reshape(len(x), -1).astype(np.float64) for x in (loaded.x_train, loaded.x_test))
eps = 0.01
# The mean plus one pixel of size 1: what a whitening makes of it are the factors of that pixel.
one_pixel = pixels.mean(axis=0) + np.eye(784)
factors, rows = {}, {"as they are": six - pixels.mean(), "standardised": standardise(pixels, six)[1]}
for kind in ("pca", "zca"):
    rows[f"{kind.upper()} whitened"], factors[kind] = np.split(
        whiten(pixels, np.vstack([six, one_pixel]), kind, eps)[1], [6]
    )
filters = {f"PCA, number {k}": factors["pca"][:, k].reshape(28, 28) for k in (0, 3, 40)}
for i, j in ((8, 14), (14, 7), (20, 20)):
    zca_filter = factors["zca"][:, 28 * i + j].reshape(28, 28)
    filters[f"ZCA, around ({i}, {j})"] = zca_filter[i - 4 : i + 5, j - 4 : j + 5]
draw_whitened(rows, filters)

variances = np.linalg.eigvalsh(np.cov(pixels.T))[::-1]
kept = int(np.searchsorted(np.cumsum(variances), 0.9 * variances.sum())) + 1
likeness = {
    name: float(np.mean([np.corrcoef(before, after)[0, 1] for before, after in zip(six, rows[name], strict=True)]))
    for name in list(rows)[1:]
}
print(f"largest variance of a direction {variances[0]:.2f}, smallest {variances[-1]:.1e}; {kept} of 784 hold 90 %")
print(
    "correlation of an image with itself before:", ", ".join(f"{name} {value:.2f}" for name, value in likeness.items())
)

# %% [markdown]
# **How to read this.** Both hold the same information, and a dense layer could turn the one into the other. For a
# convolution only ZCA makes sense: neighbouring numbers are still neighbouring pixels. What is left is what cannot be
# foretold from the neighbours: outlines. Each ZCA filter compares a pixel with those around it, and the retina does
# something of the kind. $\varepsilon = 0.01$ was needed: the smallest variances are as good as zero (the corners are
# black in nearly all images).
#
# ### What it is worth for learning
#
# Does gradient descent care? The same small network (784-100-10, ReLU, $\sqrt{2/n}$) learns from 5,000 images for one
# epoch; the pixels come as bytes (0 to 255), between 0 and 1, standardised, and whitened. Each gets the best of six
# learning rates, and then three seeds.

# %% experiment seconds=40 covers="33"
loaded = data.fashion_mnist(*training.full_or_fast((5_000, 2_000), (400, 200)))
train_rows, test_rows = (x.reshape(len(x), -1).astype(np.float64) for x in (loaded.x_train, loaded.x_test))
inputs = {
    "0 to 255": (255 * train_rows, 255 * test_rows),
    "0 to 1": (train_rows, test_rows),
    "standardised": standardise(train_rows, test_rows),
    "PCA whitened": whiten(train_rows, test_rows, "pca", 0.01),
    "ZCA whitened": whiten(train_rows, test_rows, "zca", 0.01),
}
input_lrs = training.full_or_fast((3e-5, 1e-4, 3e-4, 0.03, 0.1, 0.3), (0.03,))
after_one_epoch = {}
print("test accuracy" + "".join(f"{lr:>8g}" for lr in input_lrs) + " = lr     best lr, three seeds")
for name, (x, x_new) in training.progress(inputs.items(), "kind of input"):
    x, x_new = x.astype(np.float32), x_new.astype(np.float32)

    def run(lr, seed, x=x, x_new=x_new):
        trained = train(x, loaded.y_train, random_layers([784, 100, 10], "he", seed), "ReLU", lr, 1, seed)
        return percent_right(x_new, loaded.y_test, *trained, "ReLU")

    by_lr = {lr: run(lr, 0) for lr in input_lrs}
    best = max(by_lr, key=by_lr.get)
    after_one_epoch[name] = [by_lr[best]] + [run(best, seed) for seed in training.full_or_fast((1, 2), ())]
    seeds = ", ".join(f"{value:.1f}" for value in after_one_epoch[name])
    print(f"{name:13}" + "".join(f"{value:8.1f}" for value in by_lr.values()) + f"          {best:g}: {seeds}")

# %% [markdown]
# **How to read this.** With bytes as they come the same network needs a learning rate a thousand times smaller, and at
# its best one it is still far behind. Standardising is a matter of two lines and mends that. Whether whitening brings
# more is in the last column; it also brings up the directions with little variance, and what is in them need not be of
# use. Networks on images mostly do without, and module 09 will centre and rescale *inside* the network instead.
#
# # Part 5 · What became of the claims
#
# One name first. Lectures C and E give "Xavier/2 initialisation from He et al." Taken literally it would be half of
# Xavier's variance, $1/(2n)$. He's rule is $2/n$: Xavier's $1/n$ with $n$ replaced by $n/2$, since only half of the
# inputs are on. The cell runs both through 20 layers.

# %% experiment seconds=2 covers="32"
random_inputs = np.random.default_rng(0).standard_normal((300, 256))
after_20 = {}
for name, factor in [("2/n, He", 1.0), ("1/(2n), Xavier/2 taken literally", 0.5)]:
    rng = np.random.default_rng(1)
    after_20[name] = activation_stds(
        random_inputs, [factor * init_weights(256, 256, "he", rng) for _ in range(20)], relu
    )
    print(f"variance {name:34} standard deviation in layer 20: {after_20[name][-1]:.1e}")

# %% experiment seconds=5 folded=true
identity_error = float(
    np.abs(tanh_from_sigmoid(np.linspace(-20, 20, 4001)) - np.tanh(np.linspace(-20, 20, 4001))).max()
)
sigmoid_sizes, sigmoid_saturated = gradient_sizes["sigmoid"]
tanh_sizes = gradient_sizes["tanh"][0]
flat_sizes, flat_saturated = gradient_sizes["sigmoid, inputs × 100"]
dead_lrs = [lr for lr in dead if lr]
he_runs, xavier_runs, small_runs = (accuracy["ReLU", scheme] for scheme in ("he", "xavier", "small"))
standard = weather_facts["standardised"]


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


def median_of(activation):
    """Return the median number of steps at the best learning rate."""
    return float(np.median(best_steps[activation]))


def times(one, other):
    """Write how many times more steps `one` needs than `other`."""
    if np.isfinite(median_of(one)):
        return f"{median_of(one) / median_of(other):.1f} ×"
    return f"more than {2 * most / median_of(other):.1f} ×"


def range_of(values):
    """Write the smallest and the largest of some values."""
    return f"{told(min(values))} to {told(max(values))}"


ratio = median_of("tanh") / median_of("ReLU")
both = [lr for lr in lrs if np.isfinite(race["ReLU"].get(lr, np.inf) + race["tanh"].get(lr, np.inf))]
one_rate = [race["tanh"][lr] / race["ReLU"][lr] for lr in both]
plots.claims(
    [
        plots.Claim(
            "tanh(x) = 2σ(2x) − 1 (B)",
            f"largest difference {identity_error:.0e}",
            "your tanh_from_sigmoid on 4,001 points from −20 to 20",
            "holds" if identity_error < 1e-9 else "does not hold",
        ),
        plots.Claim(
            "sigmoids saturate and kill gradients (B)",
            f"gradient in layer 1 of 10: sigmoid {sigmoid_sizes[0] / sigmoid_sizes[-1]:.0e}, "
            f"tanh {tanh_sizes[0] / tanh_sizes[-1]:.2g} of the one in layer 10, with "
            f"{100 * sigmoid_saturated[4]:.0f} % of the sigmoids saturated; from layer 2 to layer 1 it falls by a "
            f"factor of {sigmoid_sizes[1] / sigmoid_sizes[0]:.1f}, and of {flat_sizes[1] / flat_sizes[0]:.0f} where "
            f"inputs × 100 saturate {100 * flat_saturated[0]:.0f} % of layer 1",
            "200 units a layer, √(1/n). Deep sigmoids kill gradients unsaturated too: their slope is at most 1/4",
            "holds" if flat_sizes[0] / flat_sizes[1] < 0.2 * sigmoid_sizes[0] / sigmoid_sizes[1] else "partly",
        ),
        plots.Claim(
            "dead neurons if the learning rate is set too high (B)",
            ", ".join(f"lr {lr:g}: {dead[lr][0]:.0f} % dead" for lr in dead_lrs),
            f"one hidden layer of 200 ReLUs, 5,000 images, one epoch, three seeds; untrained {dead[0][0]:.0f} %",
            judged("holds" if dead[dead_lrs[-1]][0] > dead[dead_lrs[0]][0] + 10 else "does not hold"),
        ),
        plots.Claim(
            "dying ReLU is only an issue if an activation is zero for all inputs (A)",
            "; ".join(
                f"lr {lr:g}: {dead[lr][1]:.0f} % zeros, {dead[lr][0]:.0f} % dead, {dead[lr][2]:.0f} % of images with "
                f"no active unit, {dead[lr][3]:.0f} % right"
                for lr in dead_lrs[::2]
            ),
            "the same networks: zeros do no harm as long as every image finds active units; where many find none, the "
            "network is lost with few units dead, and dead_fraction alone misses it",
            judged("partly" if max(dead[lr][2] - dead[lr][0] for lr in dead_lrs) > 10 else "holds"),
        ),
        plots.Claim(
            "ReLU needs 6 times fewer steps than tanh (A, B, after Krizhevsky)",
            f"tanh needs {ratio:.1f} × the steps of ReLU (medians {told(median_of('tanh'))} and "
            f"{told(median_of('ReLU'))}; ranges {range_of(best_steps['tanh'])} and {range_of(best_steps['ReLU'])}); "
            f"sigmoid {times('sigmoid', 'ReLU')}; at one and the same rate tanh {min(one_rate, default=np.nan):.1f} to "
            f"{max(one_rate, default=np.nan):.1f} ×",
            "four-layer ConvNet, 4,000 images of clothing at 14 × 14, 15 % training error, each at its best of three "
            "learning rates (chosen by one seed), five seeds; the sigmoid one seed, up to twice as long",
            judged("holds" if ratio >= 5 else "partly" if ratio >= 1.5 else "does not hold"),
        ),
        plots.Claim(
            "the variance of the outputs grows with the number of inputs (B)",
            "0.01·randn: "
            + ", ".join(f"{small:.4f} for {n}" for n, (small, _) in variance_of_z.items())
            + "; √(1/n): "
            + ", ".join(f"{xavier:.2f}" for _, xavier in variance_of_z.values()),
            "standard normal inputs, 200 units",
            "holds" if variance_of_z[1000][0] > 50 * variance_of_z[10][0] else "does not hold",
        ),
        plots.Claim(
            "0.01·randn fails in very deep networks, Xavier and MSR mend it (B)",
            f"ReLU: 0.01 at most {max(small_runs):.0f} %, √(1/n) {min(xavier_runs):.0f} to {max(xavier_runs):.0f} %, "
            f"√(2/n) {min(he_runs):.0f} to {max(he_runs):.0f} %; tanh with √(1/n) "
            f"{np.mean(accuracy['tanh', 'xavier']):.0f} %",
            "20 layers of 100, two epochs of 10,000 images; ReLU from three seeds, tanh from two. Xavier mends it for "
            "tanh, He for ReLU",
            judged("partly" if max(xavier_runs) < 30 and min(he_runs) > 60 else "does not hold"),
        ),
        plots.Claim(
            "Xavier/2 initialisation from He et al. (C, E)",
            "layer 20: " + ", ".join(f"variance {name} {stds[-1]:.2g}" for name, stds in after_20.items()),
            "ReLU, 20 layers of 256; the rule is Xavier with n/2 inputs, not half of Xavier's variance",
            "partly",
        ),
        plots.Claim(
            "large, different scales, skewed, correlated → centred and rescaled (B)",
            f"largest mean {standard[0]:.0e}, all stds {standard[1].min():.0f}; skewness up to {standard[2].max():.1f} "
            f"and correlation up to {standard[3]:.2f} stay",
            "four columns of Seattle's weather; the other two words need whitening and a bent map",
            "partly",
        ),
        plots.Claim(
            "(course) standardised inputs learn better than bytes, whitened ones better still",
            "; ".join(f"{name} {min(runs):.1f} to {max(runs):.1f} %" for name, runs in after_one_epoch.items()),
            f"784-100-10, one epoch of 5,000 images, each at its best of {len(input_lrs)} learning rates, three seeds",
            judged(
                "does not hold"
                if min(after_one_epoch["standardised"]) <= max(after_one_epoch["0 to 255"])
                else "holds"
                if min(after_one_epoch["ZCA whitened"]) > max(after_one_epoch["standardised"])
                else "partly"
            ),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# This one is read by a person. Use figures from this notebook.
#
# **Three nets that do not learn (2 points).** Three colleagues ask you for help. (a) A 30-layer ReLU network with
# weights $\text{randn}(D, H)/\sqrt{n}$ stays at 10 %. By what factor has its signal changed after 30 layers, what
# would you change, and why does a smaller learning rate not help? (b) A five-layer ReLU network trained well until the
# learning rate was raised; now the loss is a flat line. You measure `dead_fraction` on all training images, layer by
# layer: what would 0, 0.3 and 1 tell you? (c) A sigmoid network of 12 layers does not learn although no unit is
# saturated. Why? (d) A network is excellent on the test set and useless in production. Its author standardised
# training and test images *together* and the images in production one batch at a time. What is wrong with each half?

# %% [markdown] answer="three_nets" points=2
# ### BEGIN SOLUTION (a) Each ReLU layer halves the mean square and $1/n$ does not make up for it: the root mean square
# falls by $\sqrt{1/2} = 0.71$ a layer, $0.71^{30} = 2^{-15} = 1/32{,}768$. With $\sqrt{2/n}$ the factor is 1. The
# gradient shrinks by 0.71 a layer too, and the gradient of a weight matrix is signal × gradient: far too small in
# every layer, and a smaller rate makes the steps smaller still.
#
# (b) 1 in some layer: all its units are dead, no gradient passes, and only a fresh start (with a lower rate, or leaky
# ReLU) helps. 0: no unit is dead; the share of zeros alone says nothing (about half is normal), and the cause lies
# elsewhere, or most images find no active unit although every unit has some image. 0.3: not enough to tell. In "Who
# kills a ReLU?" a rate of 1 left two thirds of the units alive, and eight or nine images of ten found no active one.
# Count those images.
#
# (c) The slope of a sigmoid is at most 1/4, at its best place: 12 layers let through at most $4^{-12} = 6 \cdot
# 10^{-8}$ of the gradient (times what the weights do). Not being saturated does not help.
#
# (d) Training and test together: the test set took part in what was learned, so its result no longer says how unseen
# images fare. One batch at a time: mean and standard deviation are now those of the batch, not those the weights were
# trained with; a batch of dark images looks like one of light images. Both should use the training set's numbers.
#
# **Rubric:** 0.5 for each of the four parts. (a) the factor, √(2/n), and small steps made smaller; (b) 1 and 0 read
# rightly, dead told apart from zeros, and that 0.3 does not settle it; (c) 1/4 per layer; (d) both halves. Half of it
# where the reason is missing.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. A deep net multiplies: the slope of the activation on the way back, $\sigma_w\sqrt n$ and the activation on the way
#    forward. Only factors near 1 survive 20 layers.
# 2. $\sqrt{1/n}$ keeps a linear signal (and nearly that of tanh), $\sqrt{2/n}$ a rectified one; a zero is no harm, a
#    unit that is zero for all inputs is dead, and an input that finds no active unit is lost.
# 3. Standardise with the training set's numbers. Whitening also decorrelates; ZCA keeps images images.
#
# **Can you explain …**
#
# - why the factor for ReLU is $\sqrt2$ and what it would be for an activation that keeps a quarter of the square?
# - why tanh never explodes, whatever the gain?
# - why "half of the activations are zero" is good news and "half of the units are dead" is not?
# - why a claim like "6 times faster" needs a learning rate for each side?
# - why PCA-whitened images are useless for a convolution, and ZCA-whitened ones are not?
#
# **Three readings**
#
# - X. Glorot, Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010: the
#   histograms by layer, and where $2/(n_{in} + n_{out})$ comes from.
# - K. He, X. Zhang, S. Ren, J. Sun, *Delving deep into rectifiers: surpassing human-level performance on ImageNet
#   classification*, ICCV 2015: section 2.2 is the $\sqrt{2/n}$, with the leaky slope in it.
# - I. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville, Y. Bengio, *Maxout networks*, ICML 2013.
#
# Next: [04 Optimizers](../04_optimizers/04_optimizers.ipynb): the signal arrives; what to do with it.
