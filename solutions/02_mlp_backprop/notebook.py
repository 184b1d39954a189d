# %% [markdown]
# # 02 MLP and backpropagation
#
# ![The lecture's network: three inputs, the mean temperatures of three days; two hidden layers of four sigmoid
# units; one linear output, tomorrow's temperature. Its parameters: 16 + 20 + 5 = 41.](pictures/network.png)
#
# Three days of temperatures go in, tomorrow's temperature comes out, and 41 numbers in between decide how good the
# forecast is. In this notebook you write that network forwards, find the gradient of its error with respect to all
# 41 numbers at once, prove the gradient right, and train the network on three years of Seattle's weather to
# forecast a fourth.
#
# {{card:165}}
#
# Take it in two sittings: pause after *Step through the graph*, where part 3 ends.
#
# **Afterwards you can**
# 1. run the lecture's network on a whole batch and name the shape of every array in it;
# 2. find the gradient of any computation graph: local derivative × what arrives from above, added up where paths
#    meet;
# 3. write backpropagation with matrices, and prove it right against central differences;
# 4. train by gradient descent, and report the result honestly beside two baselines.
#
# **You need** the matrix product, partial derivatives, the chain rule for f(g(x)), and NumPy. *00 Start here* shows
# how checks work.
#
# **From the lectures:** CS468 *Introduction to Deep Learning*, "A Simple Neural Network" and "Back Propagation".

# %% setup
import warnings

import numpy as np
from convnets import data, plots, training
from convnets.checks import open_lesson

lesson = open_lesson("02_mlp_backprop")
check, hint = lesson.check, lesson.hint
# The checks look at the value that an overflow leaves. Its warning alone would cost the point of a graded cell.
warnings.filterwarnings("ignore", "(overflow|invalid value) encountered", RuntimeWarning)


def random_parameters(rng, widths=(3, 4, 4, 1)):
    """Draw weight1, bias1, weight2, ... of a net with these layer widths from the standard normal distribution."""
    parameters = {}
    for layer in range(1, len(widths)):
        parameters[f"weight{layer}"] = rng.standard_normal((widths[layer], widths[layer - 1]))
        parameters[f"bias{layer}"] = rng.standard_normal((widths[layer], 1))
    return parameters


def by_hand_example():
    """Return the parameters and the cache of the example that this notebook computes by hand, for x = (1, 2, 3)."""
    parameters = {
        "weight1": np.zeros((4, 3)),
        "bias1": np.zeros((4, 1)),
        "weight2": np.ones((4, 4)),
        "bias2": np.full((4, 1), -2.0),
        "weight3": np.array([[1.0, 2.0, 3.0, 4.0]]),
        "bias3": np.array([[-1.0]]),
    }
    zero, half = np.zeros((4, 1)), np.full((4, 1), 0.5)
    return parameters, {"x": np.array([[1.0], [2.0], [3.0]]), "z1": zero, "h1": half, "z2": zero, "h2": half}


def run_in_torch(parameters, x, target):
    """Return cache, prediction and gradients of the loss as PyTorch finds them: what the tests compare with."""
    import torch

    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in parameters.items()}
    z1 = tensors["weight1"] @ torch.tensor(x) + tensors["bias1"]
    h1 = torch.sigmoid(z1)
    z2 = tensors["weight2"] @ h1 + tensors["bias2"]
    h2 = torch.sigmoid(z2)
    prediction = tensors["weight3"] @ h2 + tensors["bias3"]
    torch.sum((prediction - torch.tensor(target)) ** 2).backward()
    layers = {"z1": z1, "h1": h1, "z2": z2, "h2": h2}
    cache = {"x": x} | {name: value.detach().numpy() for name, value in layers.items()}
    gradients = {name: tensor.grad.numpy() for name, tensor in tensors.items()}
    return cache, prediction.detach().numpy(), gradients


def is_a_pair(answer):
    """Tell whether a function returned two things."""
    return isinstance(answer, tuple | list) and len(answer) == 2


def part_of(gradients, names, parameters):
    """Return the gradients under these names and whatever has an unknown name; what is no dict stays as it is."""
    if not isinstance(gradients, dict):
        return gradients
    return {name: value for name, value in gradients.items() if name in names or name not in parameters}


# %% [markdown]
# ## The question
#
# The lecture's example: *use the recent three days' average temperature to predict tomorrow's average temperature.*
# We train on the years 2012 to 2014 and judge the forecasts for 2015 by the root mean square error (RMSE), in °C.
# Three forecasters compete:
#
# - **persistence**: tomorrow will be like today; nothing to learn;
# - **linear regression** on the three days: 4 parameters, solved exactly;
# - **the network** of the picture: 41 parameters, trained by gradient descent.

# %% experiment seconds=1
lesson.predict(
    "which_forecast",
    "Which forecast of the days of 2015 has the smallest RMSE?",
    [
        "The network, by 0.1 °C or more",
        "Linear regression, by 0.1 °C or more",
        "Persistence, by 0.1 °C or more",
        "None: the three lie within 0.1 °C of each other",
    ],
)

# %% [markdown] covers="18 24"
# ## 1 · Three decisions
#
# Whoever trains a network decides three things. The lecture's example decides them like this:
#
# | decision | here | you write |
# | --- | --- | --- |
# | **model** | multilayer perceptron (MLP): y′ = W₃ σ(W₂ σ(W₁ x + b₁) + b₂) + b₃ | `sigmoid`, `forward` |
# | **loss** | L2 loss of one example: l(y, y′) = (y − y′)² | `l2_loss` |
# | **optimiser** | gradient descent: W ← W − η ∂L/∂W, the same for every W and b | `backward`, `gradient_step` |
#
# y is the measured temperature, y′ the prediction, L the sum of l over all examples, η (eta) the *learning rate*,
# called `lr` in code. Between the loss and the optimiser stands the question that this notebook is about: where
# does ∂L/∂W come from?
#
# ### The shapes
#
# The examples stand side by side: column n of `x` is example n. N examples give N columns, and every layer treats
# all columns alike. The biases have one column, which NumPy's broadcasting adds to each of the N.
#
# | layer | formula | weight | bias | result | parameters |
# | --- | --- | --- | --- | --- | --- |
# | input | x | | | (3, N) | |
# | hidden 1 | z₁ = W₁ x + b₁, h₁ = σ(z₁) | (4, 3) | (4, 1) | (4, N) | 12 + 4 = 16 |
# | hidden 2 | z₂ = W₂ h₁ + b₂, h₂ = σ(z₂) | (4, 4) | (4, 1) | (4, N) | 16 + 4 = 20 |
# | output | y′ = W₃ h₂ + b₃ | (1, 4) | (1, 1) | (1, N) | 4 + 1 = 5 |
# | all | | | | | **41** |
#
# A weight always has the shape (outputs, inputs). The output layer has no σ: a temperature is not confined to the
# interval from 0 to 1.

# %% [markdown]
# ## {{exercise:sigmoid}}
#
# The hidden units apply the **sigmoid** to each entry of z:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}$$
#
# The two forms are equal on paper and differ on a computer. `np.exp(1000.0)` is infinite in float64, so the first
# form overflows for z = −1000 and the second gives ∞/∞ = NaN for z = +1000. Whichever form you choose for an entry,
# let the exponent never be positive.
#
# What counts is the value. If a form that is not chosen overflows on the way, NumPy's `RuntimeWarning` costs no
# points; this notebook silences it.
#
# Far to the left σ(z) ≈ eᶻ: small, but not 0. Losses such as the cross-entropy take the logarithm of σ(z), so
# digits lost there turn into log 0 = −∞. For this reason the checks also look at log σ(−40) and log σ(−720), which
# are −40 and −720.


# %% exercise="sigmoid" difficulty=1 minutes=13 covers="26"
def sigmoid(z):
    """Return 1 / (1 + exp(-z)), entry by entry, with the right value for any z, however large.

    Parameters
    ----------
    z : float or ndarray, any shape
        Floating-point input keeps its dtype; integers are computed as float64.

    Returns
    -------
    float or ndarray, shape of z
        Values in [0, 1], accurate relative to their size also where they are tiny.
    """
    ### BEGIN SOLUTION
    z = np.asarray(z)
    if z.dtype.kind != "f":
        z = z.astype(np.float64)
    small = np.exp(-np.abs(z))
    # With small = exp(-|z|): 1 / (1 + small) is right for z >= 0, small / (1 + small) for z < 0.
    return np.where(z >= 0, 1, small) / (1 + small)
    ### END SOLUTION


# %% tests="sigmoid" points=1
# By hand: e⁰ = 1, so σ(0) = 1/2; and e^(ln 3) = 3, so σ(ln 3) = 3/4 and σ(−ln 3) = 1/4.
# Graded also on other shapes and dtypes.
check(sigmoid, 0.0).gives(0.5)
check(sigmoid, np.array([0.0, np.log(3), -np.log(3)])).gives(np.array([0.5, 0.75, 0.25]))
### BEGIN HIDDEN TESTS
z = np.random.default_rng(20).normal(scale=5, size=(2, 3, 1, 5))
check(sigmoid, z).gives(1 / (1 + np.exp(-z)))
check(sigmoid, z.astype(np.float32)).gives(1 / (1 + np.exp(-z)), rtol=1e-5, dtype=np.float32)
check(sigmoid, np.array([[-2, 0, 2]])).gives(1 / (1 + np.exp([[2.0, 0.0, -2.0]])), dtype=np.float64)
check(sigmoid, np.zeros((0, 3))).gives(np.zeros((0, 3)))
### END HIDDEN TESTS

# %% tests="sigmoid" points=1
# Far out.
check(sigmoid, np.array([-1000.0, 0.0, 1000.0])).gives(np.array([0.0, 0.5, 1.0]))


def log_at_minus_40():
    """np.log(sigmoid(-40.0))"""
    with np.errstate(divide="ignore"):
        return float(np.log(sigmoid(-40.0)))


def log_at_minus_720():
    """np.log(sigmoid(-720.0))"""
    with np.errstate(divide="ignore"):
        return float(np.log(sigmoid(-720.0)))


check(log_at_minus_40).gives(-40.0)
check(log_at_minus_720).gives(-720.0)
### BEGIN HIDDEN TESTS
z = np.array([[-1e4, -36.0], [36.0, 1e4]])
check(sigmoid, z).gives(np.array([[0.0, np.exp(-36.0)], [1.0, 1.0]]), rtol=1e-12, atol=0.0)
check(sigmoid, z.astype(np.float32)).gives(np.array([[0.0, np.exp(-36.0)], [1.0, 1.0]]), rtol=1e-5, atol=0.0)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:forward}}
#
# The **forward pass** computes the prediction from the input. The lecture writes it in three lines of NumPy, one a
# layer; here they are for N examples at once:
#
# - z₁ = W₁ x + b₁ and h₁ = σ(z₁),
# - z₂ = W₂ h₁ + b₂ and h₂ = σ(z₂),
# - y′ = W₃ h₂ + b₃.
#
# The way back will need what the way forward found. So `forward` returns two things: the prediction, and
# a **cache**, a dict that keeps x, z₁, h₁, z₂ and h₂ under the names `"x"`, `"z1"`, `"h1"`, `"z2"`, `"h2"`.
#
# **By hand.** Let W₁ = 0 and b₁ = 0. Then h₁ = σ(0) = ½ for every unit, whatever x is. Let all entries of W₂ be 1
# and of b₂ be −2: then z₂ = 4 · ½ − 2 = 0 and h₂ = ½. With W₃ = (1, 2, 3, 4) and b₃ = −1 the prediction is y′ = ½
# (1 + 2 + 3 + 4) − 1 = 4.
#
# **A trap.** For an `x` of shape (3,), `weight1 @ x` has shape (4,), and adding a bias of shape (4, 1) gives (4,
# 4): sixteen numbers where four were meant, and no error. NumPy's broadcasting, so useful for the biases, hides
# such slips. Check the shape of `x` first.


# %% exercise="forward" difficulty=2 minutes=13 covers="17 18"
def forward(parameters, x):
    """Run the two-hidden-layer network with sigmoid hidden units and a linear output.

    Parameters
    ----------
    parameters : dict of ndarray
        weight1 (H1, D), bias1 (H1, 1), weight2 (H2, H1), bias2 (H2, 1), weight3 (1, H2), bias3 (1, 1).
        In the lecture D = 3 and H1 = H2 = 4; other widths work too.
    x : ndarray, shape (D, N)
        One example a column.

    Returns
    -------
    prediction : ndarray, shape (1, N)
    cache : dict of ndarray
        x (D, N), z1 and h1 (H1, N), z2 and h2 (H2, N).

    Raises
    ------
    ValueError
        When x is not two-dimensional or has not D rows.
    """
    ### BEGIN SOLUTION
    inputs = parameters["weight1"].shape[1]
    if x.ndim != 2 or x.shape[0] != inputs:
        raise ValueError(f"x must have shape ({inputs}, N), one example a column, not {x.shape}")
    z1 = parameters["weight1"] @ x + parameters["bias1"]
    h1 = sigmoid(z1)
    z2 = parameters["weight2"] @ h1 + parameters["bias2"]
    h2 = sigmoid(z2)
    prediction = parameters["weight3"] @ h2 + parameters["bias3"]
    return prediction, {"x": x, "z1": z1, "h1": h1, "z2": z2, "h2": h2}
    ### END SOLUTION


# %% tests="forward" points=1
def prediction_of_forward(parameters, x):
    """Return forward(parameters, x)[0]."""
    return forward(parameters, x)[0]


# The example by hand predicts 4, for one column as for two. x needs two axes and three rows.
parameters, cache = by_hand_example()
check(forward, parameters, cache["x"]).satisfies(is_a_pair, "it returns two things: the prediction and the cache")
check(prediction_of_forward, parameters, cache["x"]).gives(np.array([[4.0]]))
check(prediction_of_forward, parameters, np.eye(3)[:, :2]).gives(np.array([[4.0, 4.0]]))
check(forward, parameters, np.array([1.0, 2.0, 3.0])).raises(ValueError)
check(forward, parameters, np.eye(4)[:, :2]).raises(ValueError)
# The lecture's own line, y' = W3 f(W2 f(W1 x + b1) + b2) + b3. Graded also with other widths and dtypes.


def f(z):
    return 1.0 / (1.0 + np.exp(-z))


rng = np.random.default_rng(21)
p, x = random_parameters(rng), rng.standard_normal((3, 5))
expected = p["weight3"] @ f(p["weight2"] @ f(p["weight1"] @ x + p["bias1"]) + p["bias2"]) + p["bias3"]
check(prediction_of_forward, p, x).gives(expected)
### BEGIN HIDDEN TESTS
for widths, n in [((3, 4, 4, 1), 1), ((5, 6, 3, 1), 7), ((1, 2, 9, 1), 4)]:
    p, x = random_parameters(rng, widths), rng.standard_normal((widths[0], n))
    expected = p["weight3"] @ f(p["weight2"] @ f(p["weight1"] @ x + p["bias1"]) + p["bias2"]) + p["bias3"]
    check(prediction_of_forward, p, x).gives(expected)
    p32 = {name: value.astype(np.float32) for name, value in p.items()}
    check(prediction_of_forward, p32, x.astype(np.float32)).gives(expected, rtol=1e-4, atol=1e-5, dtype=np.float32)
check(forward, random_parameters(rng), rng.standard_normal((4, 3))).raises(ValueError)
check(forward, random_parameters(rng), rng.standard_normal((3, 4, 2))).raises(ValueError)
### END HIDDEN TESTS


# %% tests="forward" points=1
def cache_of_forward(parameters, x):
    """Return forward(parameters, x)[1]."""
    return forward(parameters, x)[1]


parameters, cache = by_hand_example()
check(forward, parameters, cache["x"]).satisfies(is_a_pair, "it returns two things: the prediction and the cache")
check(cache_of_forward, parameters, cache["x"]).gives(cache)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(22)
for widths, n in [((3, 4, 4, 1), 6), ((2, 5, 3, 1), 1)]:
    p, x = random_parameters(rng, widths), rng.standard_normal((widths[0], n))
    expected, _, _ = run_in_torch(p, x, np.zeros((1, n)))
    check(cache_of_forward, p, x).gives(expected)
### END HIDDEN TESTS

# %% [markdown] covers="E14"
# ## {{exercise:l2_loss}}
#
# Given N training pairs, the lecture minimises the **sum** of the squared errors:[¹](#the-missing-bracket)
#
# $$L = \sum_{n=1}^{N} \left(y'_n - y_n\right)^2$$
#
# Here y′ₙ is the prediction for example n, yₙ its target, and L a single number ≥ 0.
#
# Many programs take the mean, L/N, instead. The minimum lies at the same place, but every gradient is N times
# smaller, so the same learning rate makes steps N times shorter. Keep the sum, and remember N when you choose `lr`.
#
# Broadcasting has a trap here too: a prediction of shape (1, N) minus a target of shape (N, 1) is an (N, N) array
# of all differences, and its sum looks like a loss.
#
# <a id="the-missing-bracket"></a>¹ *Audit the slide.* It prints L(x, y; W, b) = Σᵢ (W₃ f(W₂ f(W₁xᵢ + b₁) + b₂) +
# b₃) − yᵢ)²: three brackets open, four close. One is missing at the front: Σᵢ **(**(W₃ f(W₂ f(W₁xᵢ + b₁) + b₂) +
# b₃) − yᵢ)². What is meant stands on the last slide of the example: l(y, y′) = (y − y′)².


# %% exercise="l2_loss" difficulty=1 minutes=4 covers="19"
def l2_loss(prediction, target):
    """Return the sum of squared errors over all examples.

    Parameters
    ----------
    prediction, target : ndarray, both of shape (1, N)

    Returns
    -------
    float
        The sum of (prediction - target)², at least 0.

    Raises
    ------
    ValueError
        When the two shapes differ.
    """
    ### BEGIN SOLUTION
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} must have the same shape")
    return float(np.sum((prediction - target) ** 2))
    ### END SOLUTION


# %% tests="l2_loss" points=1
# By hand: (1 − 0)² + (2 − 4)² + (3 − 3)² = 5, and (2.5 − 4)² = 2.25.
check(l2_loss, np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 4.0, 3.0]])).gives(5.0)
check(l2_loss, np.array([[2.5]]), np.array([[4.0]])).gives(2.25)
check(l2_loss, np.ones((1, 3)), np.ones((3, 1))).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(23)
prediction, target = rng.standard_normal((2, 1, 50))
squares = [(p - t) ** 2 for p, t in zip(prediction[0], target[0], strict=True)]
check(l2_loss, prediction, target).gives(sum(squares))
check(l2_loss, prediction.astype(np.float32), target.astype(np.float32)).gives(sum(squares), rtol=1e-4)
check(l2_loss, prediction, prediction).gives(0.0)
check(l2_loss, prediction, target[0]).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## 2 · The slope by nudging
#
# A gradient needs no calculus to be understood: nudge one parameter, watch the loss. For a function f of an array
# x, the **central difference** estimates each partial derivative by nudging entry i up and down by a small *step*
# h, all other entries held fixed:
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + h\,e_i) - f(x - h\,e_i)}{2h}$$
#
# eᵢ is the array of the shape of x that is 1 at entry i and 0 elsewhere. Nudging up only, (f(x + h eᵢ) − f(x))/h,
# would save half of the work, but its error shrinks only in proportion to h; the error of the central difference
# shrinks like h², because the largest parts of the two sides' errors cancel.
#
# **By hand.** For f(x) = x³ at x = 2 with h = ½: (2.5³ − 1.5³)/1 = 15.625 − 3.375 = 12.25. The derivative is 3 ·
# 2² = 12; the error 0.25 is h². Up only gives (15.625 − 8)/0.5 = 15.25.

# %% [markdown]
# ## {{exercise:numerical_gradient}}
#
# Write the central difference for a function of an array of any shape. `f` takes an array like `x` and returns one
# number; `np.ndindex(x.shape)` runs over the indices of all entries, whatever the shape. Two traps:
#
# - The caller's `x` must come out as it went in. Nudge a copy, and undo each nudge before the next.
# - An integer array cannot hold 2.00001: NumPy cuts it back to 2 and the nudge is gone. Compute in float64.


# %% exercise="numerical_gradient" difficulty=2 minutes=15
def numerical_gradient(f, x, step=1e-5):
    """Estimate the gradient of f at x by central differences.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of x, returns one number.
    x : ndarray, any shape
        Where to take the gradient; it is not changed. Integers and float32 are computed in float64.
    step : float
        How far each entry is nudged up and down, > 0.

    Returns
    -------
    ndarray, float64, shape of x

    Raises
    ------
    ValueError
        When step is not positive.
    """
    ### BEGIN SOLUTION
    if step <= 0:
        raise ValueError(f"step must be positive, not {step}")
    nudged = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(nudged)
    for index in np.ndindex(nudged.shape):
        here = nudged[index]
        nudged[index] = here + step
        above = f(nudged)
        nudged[index] = here - step
        below = f(nudged)
        nudged[index] = here
        gradient[index] = (above - below) / (2 * step)
    return gradient
    ### END SOLUTION


# %% tests="numerical_gradient" points=1
def cube(x):
    return float(np.sum(x**3))


def sum_of_squares(x):
    return float(np.sum(x**2))


# The example by hand; then Σ x², whose gradient is 2x.
check(numerical_gradient, cube, np.array([2.0]), step=0.5).gives(np.array([12.25]))
check(numerical_gradient, sum_of_squares, np.array([1.0, 2.0, 3.0])).gives_gradient(np.array([2.0, 4.0, 6.0]))
### BEGIN HIDDEN TESTS
x = np.random.default_rng(24).normal(size=(7,))
check(numerical_gradient, cube, x).gives_gradient(3 * x**2)
check(numerical_gradient, cube, x, step=0.25).gives(3 * x**2 + 0.0625)
### END HIDDEN TESTS


# %% tests="numerical_gradient" points=1
def product(x):
    return float(np.prod(x))


def sum_of_roots(x):
    return float(np.sum(np.sqrt(x)))


# Entries that depend on each other: the gradient of x₀·x₁ is (x₁, x₀).
# Integers, whose gradient 1/(2√x) is no integer; then a matrix.
quarters = np.array([0.5, 0.25])
check(numerical_gradient, product, np.array([3.0, 2.0]), step=0.5).gives(np.array([2.0, 3.0]))
check(numerical_gradient, sum_of_roots, np.array([1, 4])).gives(quarters, rtol=1e-6, dtype=np.float64)
check(numerical_gradient, product, np.array([[1.0, 2.0], [3.0, 4.0]])).gives_gradient(
    np.array([[24.0, 12.0], [8.0, 6.0]])
)
check(numerical_gradient, product, np.array([1.0]), step=0.0).raises(ValueError)
### BEGIN HIDDEN TESTS
x = np.random.default_rng(25).uniform(1, 2, size=(2, 1, 3, 1))
check(numerical_gradient, product, x).gives_gradient(np.prod(x) / x)
x32 = x.astype(np.float32)
check(numerical_gradient, product, x32).gives_gradient(np.prod(x32.astype(np.float64)) / x32.astype(np.float64))
check(numerical_gradient, product, np.array([[3], [2]])).gives_gradient(np.array([[2.0], [3.0]]))
check(numerical_gradient, product, x, step=-1e-5).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:relative_error}}
#
# Are 0.00012 and 0.00013 close? As forecasts in °C, yes; as gradients, no: they differ by 8 %. Two gradients a and
# b are therefore compared *relative to their size*:
#
# $$\text{relative error} = \frac{\max_i |a_i - b_i|}{\max_i |a_i| + \max_i |b_i|}$$
#
# It is 0 when a = b, and defined as 0 when all entries of both are zero. It never exceeds 1. Some values tell what
# happened: b = −a gives 1 (a flipped sign), b = 2a gives ⅓ (a lost or doubled factor 2), b = a/N gives (N − 1)/(N
# + 1) (a mean where a sum was meant).
#
# How to read it for an exact gradient against central differences in float64:
#
# | relative error | reading |
# | --- | --- |
# | below 10⁻⁷ | right |
# | around 10⁻⁴ | suspicious |
# | above 10⁻² | wrong |
#
# The checks of this course judge gradients by this formula and this scale.


# %% exercise="relative_error" difficulty=1 minutes=6
def relative_error(a, b):
    """Return max |a - b| / (max |a| + max |b|), and 0 when both are zero everywhere.

    Parameters
    ----------
    a, b : ndarray, the same shape, at least one entry

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        When the two shapes differ.
    """
    ### BEGIN SOLUTION
    if a.shape != b.shape:
        raise ValueError(f"gradients of the shapes {a.shape} and {b.shape} cannot be compared")
    scale = np.max(np.abs(a)) + np.max(np.abs(b))
    return float(np.max(np.abs(a - b)) / scale) if scale > 0 else 0.0
    ### END SOLUTION


# %% tests="relative_error" points=1
g = np.array([3.0, -5.0, 0.25])
check(relative_error, g, g).gives(0.0)
check(relative_error, g, 2 * g).gives(1 / 3)
check(relative_error, g, -g).gives(1.0)
# One wrong entry among good ones counts in full: 0.02 / (1 + 1.02).
# A tiny difference beside large entries counts little: 0.001 / 2000.
check(relative_error, np.array([1.0, 1.0, 1.0, 1.02]), np.ones(4)).gives(0.02 / 2.02)
check(relative_error, np.array([1000.0, 0.001]), np.array([1000.0, 0.002])).gives(5e-7, atol=0.0)
check(relative_error, np.zeros(2), np.zeros(2)).gives(0.0)
# Matrices whose largest entries stand in different places: 4 / (4 + 4).
# Tiny gradients are judged on the same scale as large ones.
check(relative_error, np.array([[4.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 4.0], [1.0, 0.0]])).gives(0.5)
check(relative_error, 1e-9 * g, 2e-9 * g).gives(1 / 3)
check(relative_error, np.zeros((2, 1)), np.zeros((1, 2))).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(26)
a = rng.standard_normal((4, 1, 3))
b = a.copy()
b[2, 0, 1] += 0.5
check(relative_error, a, b).gives(0.5 / (np.abs(a).max() + np.abs(b).max()))
check(relative_error, 1e-9 * b, 1e-9 * a).gives(0.5 / (np.abs(a).max() + np.abs(b).max()))
check(relative_error, np.zeros((1, 1)), np.array([[-2.0]])).gives(1.0)
### END HIDDEN TESTS

# %% [markdown]
# ## 3 · The slope by the chain rule
#
# Nudging is easy to trust and too slow to use. It runs the network twice for each parameter: 82 times for our 41
# and, for the 60 million of AlexNet, 120 million times for a single step. **Backpropagation**[²](#hinton) finds the
# whole gradient in one pass backwards, at about the cost of another pass or two forwards. The lecture calls
# it *gradient descent with chain rule rebranded*, and the rule is short.
#
# Write the computation as a graph: each node is a number computed from earlier ones, the last is the error E. Walk
# from E back to the inputs; at each node
#
# > **gradient of the input = local derivative × gradient of the output,
# > added up over all the nodes that use the input.**
#
# The *local derivative* looks at one operation only. Three are enough here:
#
# | operation | local derivatives |
# | --- | --- |
# | sum, c = a + b | ∂c/∂a = 1 and ∂c/∂b = 1 |
# | product, c = a · b | ∂c/∂a = b and ∂c/∂b = a |
# | sigmoid, y = σ(z) | ∂y/∂z = y (1 − y) |
#
# (The last one: σ′(z) = e⁻ᶻ/(1 + e⁻ᶻ)² = σ(z) · e⁻ᶻ/(1 + e⁻ᶻ) = σ(z)(1 − σ(z)). It needs y only, and y is already
# known.)
#
# **Added up.** When a number is used twice, nudging it moves E along both ways, and the two effects add. For E =
# a + a the gradient of a is 1 + 1 = 2; for E = a · a it is a + a = 2a.
#
# **In order.** Take b = 2a, c = 3b, E = b + c. So E = 8a, and the gradient of a must be 8. Going back from E, node
# b receives 1 from E at once, and 3 from c later. Were b to pass on its 1 before the 3 has arrived, a would be told
# 2 instead of 8. A node may pass its gradient on only when *every* node that uses it has done so: walk the graph in
# reverse **topological order**, an order in which each number stands after the numbers it was computed from.
#
# **The recipe.** To list the nodes in topological order, begin at E: visit a node's inputs first, then append the
# node; skip nodes already visited. Then walk the list from its end. Each node is visited once. Following every way
# from E down by itself gives the same sums and never comes to an end in larger graphs: where 40 numbers in a row are
# each used twice, there are 2⁴⁰ ways.
#
# <a id="hinton"></a>² The slide says "Hinton et al. 1985", which is the technical report by Rumelhart, Hinton and
# Williams; the paper appeared in *Nature* in 1986.

# %% [markdown]
# ## {{exercise:Value}}
#
# `Value` is a number that remembers how it was computed, a complete automatic differentiation in one small class.
# Each operation returns a new `Value` and notes, for each number it used, the local derivative. The constructor,
# given below, keeps these pairs in `inputs`. For c = a · b with a = 2 and b = −3:
#
# `c.data` is −6, `c.inputs` is `((a, -3.0), (b, 2.0))`, and after `c.backward()`: `c.grad` is 1, `a.grad` is −3,
# `b.grad` is 2.
#
# Write the four methods. Plain numbers take part as well: in `a * 3`, wrap the plain number, `Value(other)`, and go
# on as with any other; in `3 * a`, Python calls `a.__rmul__(3)`, which is given. Inside the method `sigmoid`, the
# plain name `sigmoid` still means your function of exercise 1. `backward` starts afresh: it sets the gradient of
# every number in the graph to 0 first, so that calling it twice gives the same answer. (PyTorch keeps adding instead,
# and leaves it to you to call `zero_grad`.)


# %% exercise="Value" difficulty=3 minutes=38 covers="22"
class Value:
    """A number that remembers how it was computed.

    Parameters
    ----------
    data : float
        The number.
    inputs : sequence of (Value, float)
        The numbers it was computed from, each with its local derivative ∂self/∂input; none for a number that was given.

    Attributes
    ----------
    data, inputs
        As above; inputs as a tuple.
    grad : float
        ∂E/∂self after E.backward(), 0 before.
    """

    def __init__(self, data, inputs=()):
        self.data = float(data)
        self.inputs = tuple(inputs)
        self.grad = 0.0

    def __add__(self, other):
        """Return self + other as a Value; other is a Value or a plain number."""
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, [(self, 1.0), (other, 1.0)])
        ### END SOLUTION

    def __mul__(self, other):
        """Return self * other as a Value; other is a Value or a plain number."""
        ### BEGIN SOLUTION
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, [(self, other.data), (other, self.data)])
        ### END SOLUTION

    def sigmoid(self):
        """Return sigmoid(self) as a Value."""
        ### BEGIN SOLUTION
        y = sigmoid(self.data)
        return Value(y, [(self, y * (1 - y))])
        ### END SOLUTION

    def backward(self):
        """Set grad of every number that self was computed from to ∂self/∂number, and self.grad to 1."""
        ### BEGIN SOLUTION
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for source, _ in node.inputs:
                    visit(source)
                order.append(node)

        visit(self)
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for source, local_derivative in node.inputs:
                source.grad += local_derivative * node.grad
        ### END SOLUTION

    def __radd__(self, other):
        """Return other + self for a plain number other."""
        return self + other

    def __rmul__(self, other):
        """Return other * self for a plain number other."""
        return self * other


# %% tests="Value" points=2
def numbers():
    """a = Value(2); b = Value(-3); c = 4 + 3 * (a * b + 10) + a; c.data"""
    a, b = Value(2), Value(-3)
    c = 4 + 3 * (a * b + 10) + a
    return c.data


def gradient_of_a_sum():
    """a = Value(2); b = Value(-3); c = a + b; c.backward(); (a.grad, b.grad, c.grad)"""
    a, b = Value(2), Value(-3)
    c = a + b
    c.backward()
    return a.grad, b.grad, c.grad


def gradient_of_a_product():
    """a = Value(2); b = Value(-3); c = a * b; c.backward(); (a.grad, b.grad, c.grad)"""
    a, b = Value(2), Value(-3)
    c = a * b
    c.backward()
    return a.grad, b.grad, c.grad


def gradient_of_a_sigmoid():
    """z = Value(np.log(3)); y = z.sigmoid(); y.backward(); (y.data, z.grad)"""
    z = Value(np.log(3))
    y = z.sigmoid()
    y.backward()
    return y.data, z.grad


def gradient_of_a_neuron():
    """x1, x2, w1, w2, b = 1, -2, 3, 2, 1; y = (w1 * x1 + w2 * x2 + b).sigmoid(); y.backward(); gradients of all five"""
    x1, x2, w1, w2, b = Value(1), Value(-2), Value(3), Value(2), Value(1)
    y = (w1 * x1 + w2 * x2 + b).sigmoid()
    y.backward()
    return x1.grad, x2.grad, w1.grad, w2.grad, b.grad


check(numbers).gives(18.0)
check(gradient_of_a_sum).gives((1.0, 1.0, 1.0))
check(gradient_of_a_product).gives((-3.0, 2.0, 1.0))
# σ(ln 3) = 3/4, and its derivative is 3/4 · 1/4. The neuron's z is 0, where the derivative of σ is 1/4.
check(gradient_of_a_sigmoid).gives((0.75, 0.1875))
check(gradient_of_a_neuron).gives((0.75, 0.5, 0.25, -0.5, 0.25))
### BEGIN HIDDEN TESTS


def gradient_with_plain_numbers():
    """a = Value(0.5); e = (a * -2 + 1.5) * 4; e.backward(); (e.data, a.grad)"""
    a = Value(0.5)
    e = (a * -2 + 1.5) * 4
    e.backward()
    return e.data, a.grad


check(gradient_with_plain_numbers).gives((2.0, -8.0))
### END HIDDEN TESTS


# %% tests="Value" points=2
import time


def a_plus_a():
    """a = Value(5); e = a + a; e.backward(); a.grad"""
    a = Value(5)
    e = a + a
    e.backward()
    return a.grad


def a_times_a():
    """a = Value(5); e = a * a; e.backward(); a.grad"""
    a = Value(5)
    e = a * a
    e.backward()
    return a.grad


def squared_error():
    """y, t = Value(4), 2; d = y + (-1) * t; e = d * d; e.backward(); (e.data, y.grad)"""
    y, t = Value(4), 2
    d = y + (-1) * t
    e = d * d
    e.backward()
    return e.data, y.grad


def diamond():
    """a = Value(1); b = 2 * a; c = 3 * b; d = 5 * b; e = c + d; e.backward(); (a.grad, b.grad)"""
    a = Value(1)
    b = 2 * a
    c = 3 * b
    d = 5 * b
    e = c + d
    e.backward()
    return a.grad, b.grad


def short_way_and_long_way():
    """a = Value(1); b = 2 * a; c = 3 * b; e = b + c; e.backward(); (a.grad, b.grad)"""
    a = Value(1)
    b = 2 * a
    c = 3 * b
    e = b + c
    e.backward()
    return a.grad, b.grad


def backward_twice():
    """a = Value(1); b = 2 * a; e = 3 * b; e.backward(); e.backward(); (a.grad, b.grad)"""
    a = Value(1)
    b = 2 * a
    e = 3 * b
    e.backward()
    e.backward()
    return a.grad, b.grad


def ladder(rungs):
    """a = Value(1); so many times: a = 0.5 * a + a; a.backward(); the gradient of the first a, and the time it took"""
    first = a = Value(1)
    for _ in range(rungs):
        a = 0.5 * a + a
    begin = time.perf_counter()
    a.backward()
    return first.grad, time.perf_counter() - begin


def gradient_down_a_ladder():
    """ladder(18)[0]"""
    return ladder(18)[0]


def twice_the_rungs_take_about_twice_the_time():
    """The fastest of three ladder(18) takes less than 30 times as long as the fastest of three ladder(9)"""
    short, long = (min(ladder(rungs)[1] for _ in range(3)) for rungs in (9, 18))
    return long < 30 * short


# Numbers that are used more than once.
check(a_plus_a).gives(2.0)
check(a_times_a).gives(10.0)
check(short_way_and_long_way).gives((8.0, 4.0))
check(squared_error).gives((4.0, 4.0))
check(diamond).gives((16.0, 8.0))
check(backward_twice).gives((6.0, 3.0))
check(gradient_down_a_ladder).gives(1.5**18)
check(twice_the_rungs_take_about_twice_the_time).gives(True)
### BEGIN HIDDEN TESTS


def gradients_of_a_small_net():
    """The squared error of a 2-2-2-1 net built from Values, and the gradients of its weights"""
    rng = np.random.default_rng(27)
    layers = [[[Value(w) for w in row] for row in rng.standard_normal(shape)] for shape in ((2, 2), (2, 2), (1, 2))]
    h = [Value(0.3), Value(-0.8)]
    for layer in layers:
        z = [row[0] * h[0] + row[1] * h[1] for row in layer]
        h = [unit.sigmoid() for unit in z]
    d = z[0] + -0.5
    e = d * d
    e.backward()
    return e.data, [[[w.grad for w in row] for row in layer] for layer in layers]


import torch

rng = np.random.default_rng(27)
weights = [torch.tensor(rng.standard_normal(shape), requires_grad=True) for shape in ((2, 2), (2, 2), (1, 2))]
h = torch.tensor([0.3, -0.8], dtype=torch.float64)
error = (weights[2] @ torch.sigmoid(weights[1] @ torch.sigmoid(weights[0] @ h)) - 0.5).square().sum()
error.backward()
check(gradients_of_a_small_net).gives((error.item(), [w.grad.tolist() for w in weights]))
### END HIDDEN TESTS

# %% [markdown]
# ### Step through the graph
#
# The figure in LeCun, Bengio and Hinton's article (*Nature*, 2015), which the lecture shows, writes the same rule
# for a network. Here it can be stepped: forwards each node shows its z and its y, backwards its ∂E/∂y and its
# ∂E/∂z. The numbers come from your `Value`. Try this:
#
# 1. Step to the end and find a unit of the first hidden layer: its ∂E/∂y is the sum over two ways. Multiply and add
#    it by hand.
# 2. Make a weight large, until a unit's y is close to 1. What happens to its ∂E/∂z, and to everything below it?

# %% widget="computation_graph" covers="23"
# alt: A 2-2-2-1 network as a graph. Each node shows z, y, ∂E/∂y and ∂E/∂z; each edge shows its weight.
# picture: ComputationGraph(Value, step=9)
from convnets.widgets import ComputationGraph

ComputationGraph(Value)

# %% [markdown] covers="22"
# ## 4 · Backpropagation, a layer at a time
#
# ![The network of the Nature figure, twice. Above, forwards: z and y of each layer from the layer before it. Below,
# backwards: the error derivatives of each layer from the layer after it.](pictures/backprop.png)
#
# The figure numbers the units of the input by i, of the first hidden layer by j, of the second by k, of the output
# by l; w_ij is the weight **from** unit i **to** unit j, and f is our σ. It leaves out the biases, and its output
# has an f, ours has none: y_l = z_l. Mind the letters: the figure's y are outputs of units, while the lecture's y
# is the target.
#
# **Forwards:** z_j = Σ_i w_ij x_i, y_j = f(z_j), then z_k = Σ_j w_jk y_j, y_k = f(z_k), and so on.
#
# **Backwards,** from the derivative at the output down:
# - ∂E/∂y_k = Σ_l w_kl ∂E/∂z_l: unit k acts on E through every unit l above it, and the ways add up;
# - ∂E/∂z_k = ∂E/∂y_k · ∂y_k/∂z_k, where ∂y_k/∂z_k = y_k (1 − y_k);
# - the same one layer further down: ∂E/∂y_j = Σ_k w_jk ∂E/∂z_k and ∂E/∂z_j = ∂E/∂y_j · ∂y_j/∂z_j.
#
# With ∂E/∂z of each layer in hand, the parameters follow, since z_k = Σ_j w_jk y_j + b_k: ∂E/∂w_jk = y_j ∂E/∂z_k
# and ∂E/∂b_k = ∂E/∂z_k.
#
# **From the figure to our arrays.** E is our L; y_j is `h1[j]`, y_k is `h2[k]`. Our rows are the units a weight
# goes *to*, so w_ij is `weight1[j, i]`: the indices are swapped. With N examples, each of these arrays has N
# columns, and ∂L/∂w and ∂L/∂b **sum** over the columns, since L does.
#
# The output layer, written out: ∂L/∂y′ₙ = 2 (y′ₙ − yₙ) has the shape (1, N) of the prediction. The gradient of
# `weight3` must have the shape (1, 4) of `weight3`, and its entry k is Σₙ ∂L/∂y′ₙ · `h2[k, n]`: that is the product
# of (1, N) with (N, 4). The gradient of `bias3`, Σₙ ∂L/∂y′ₙ, has the shape (1, 1).

# %% [markdown]
# ## {{exercise:backward}}
#
# Find the gradient of L with respect to all six arrays. It has the names and shapes of `parameters`; the values of
# z and h are in the cache, so nothing of the pass forwards is computed again.
#
# **By hand.** Go on with the example of `forward`: x = (1, 2, 3), prediction 4, and let the target be 2.
#
# | quantity | how | value |
# | --- | --- | --- |
# | ∂L/∂y′ | 2 · (4 − 2) | 4 |
# | `weight3`, `bias3` | 4 · h₂ = 4 · ½; 4 | (2, 2, 2, 2); 4 |
# | ∂L/∂h₂ | (1, 2, 3, 4) · 4 | (4, 8, 12, 16) |
# | ∂L/∂z₂ | times ½ (1 − ½) = ¼ | (1, 2, 3, 4) |
# | `weight2`, `bias2` | times h₁ = ½; as it is | row 1 all ½, row 2 all 1, row 3 all 1½, row 4 all 2; (1, 2, 3, 4) |
# | ∂L/∂h₁ | every entry of W₂ is 1: 1 + 2 + 3 + 4 | 10 for each unit |
# | ∂L/∂z₁ | times ¼ | 2.5 for each unit |
# | `weight1`, `bias1` | times x = (1, 2, 3); as it is | every row (2.5, 5, 7.5); 2.5 for each unit |
#
# Each row needs only rows above it, the parameters and the cache.


# %% exercise="backward" difficulty=3 minutes=30 covers="22"
def backward(parameters, cache, prediction, target):
    """Return the gradient of the sum of squared errors with respect to every parameter.

    Parameters
    ----------
    parameters : dict of ndarray
        As for `forward`.
    cache : dict of ndarray
        As `forward` returns it: x (D, N), z1 and h1 (H1, N), z2 and h2 (H2, N).
    prediction, target : ndarray, shape (1, N)

    Returns
    -------
    dict of ndarray
        The gradients, with the names and shapes of `parameters`.

    Raises
    ------
    ValueError
        When prediction and target differ in shape.
    """
    ### BEGIN SOLUTION
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {prediction.shape} and target {target.shape} must have the same shape")
    x, h1, h2 = cache["x"], cache["h1"], cache["h2"]
    grad_prediction = 2 * (prediction - target)
    grad_z2 = (parameters["weight3"].T @ grad_prediction) * h2 * (1 - h2)
    grad_z1 = (parameters["weight2"].T @ grad_z2) * h1 * (1 - h1)
    return {
        "weight1": grad_z1 @ x.T,
        "bias1": grad_z1.sum(axis=1, keepdims=True),
        "weight2": grad_z2 @ h1.T,
        "bias2": grad_z2.sum(axis=1, keepdims=True),
        "weight3": grad_prediction @ h2.T,
        "bias3": grad_prediction.sum(axis=1, keepdims=True),
    }
    ### END SOLUTION


# %% tests="backward" points=1
def output_layer_of_backward(parameters, cache, prediction, target):
    """Return the gradients of weight3 and bias3."""
    return part_of(backward(parameters, cache, prediction, target), ("weight3", "bias3"), parameters)


# The example by hand. The test brings its own cache, whatever your `forward` does.
parameters, cache = by_hand_example()
prediction, target = np.array([[4.0]]), np.array([[2.0]])
expected = {"weight3": np.full((1, 4), 2.0), "bias3": np.array([[4.0]])}
check(output_layer_of_backward, parameters, cache, prediction, target).gives(expected)
# Three examples, against PyTorch. Graded also with other widths and numbers of examples.
rng = np.random.default_rng(28)
p, x, target = random_parameters(rng), rng.standard_normal((3, 3)), rng.standard_normal((1, 3))
cache, prediction, gradients = run_in_torch(p, x, target)
expected = {name: gradients[name] for name in ("weight3", "bias3")}
check(output_layer_of_backward, p, cache, prediction, target).gives_gradient(expected)
# One target for three predictions.
check(backward, p, cache, prediction, target[:, :1]).raises(ValueError)
### BEGIN HIDDEN TESTS
for widths, n in [((3, 4, 4, 1), 1), ((5, 6, 3, 1), 8)]:
    p, x = random_parameters(rng, widths), rng.standard_normal((widths[0], n))
    target = rng.standard_normal((1, n))
    cache, prediction, gradients = run_in_torch(p, x, target)
    expected = {name: gradients[name] for name in ("weight3", "bias3")}
    check(output_layer_of_backward, p, cache, prediction, target).gives_gradient(expected)
check(backward, p, cache, prediction, target.T).raises(ValueError)
check(backward, p, cache, prediction, target[0]).raises(ValueError)
### END HIDDEN TESTS


# %% tests="backward" points=1
def second_layer_of_backward(parameters, cache, prediction, target):
    """Return the gradients of weight2 and bias2."""
    return part_of(backward(parameters, cache, prediction, target), ("weight2", "bias2"), parameters)


parameters, cache = by_hand_example()
prediction, target = np.array([[4.0]]), np.array([[2.0]])
rows = np.array([[1.0], [2.0], [3.0], [4.0]])
expected = {"weight2": rows @ np.full((1, 4), 0.5), "bias2": rows}
check(second_layer_of_backward, parameters, cache, prediction, target).gives(expected)
rng = np.random.default_rng(29)
p, x, target = random_parameters(rng), rng.standard_normal((3, 3)), rng.standard_normal((1, 3))
cache, prediction, gradients = run_in_torch(p, x, target)
expected = {name: gradients[name] for name in ("weight2", "bias2")}
check(second_layer_of_backward, p, cache, prediction, target).gives_gradient(expected)
### BEGIN HIDDEN TESTS
for widths, n in [((3, 4, 4, 1), 1), ((5, 6, 3, 1), 8)]:
    p, x = random_parameters(rng, widths), rng.standard_normal((widths[0], n))
    target = rng.standard_normal((1, n))
    cache, prediction, gradients = run_in_torch(p, x, target)
    expected = {name: gradients[name] for name in ("weight2", "bias2")}
    check(second_layer_of_backward, p, cache, prediction, target).gives_gradient(expected)
### END HIDDEN TESTS


# %% tests="backward" points=2
def first_layer_of_backward(parameters, cache, prediction, target):
    """Return the gradients of weight1 and bias1."""
    return part_of(backward(parameters, cache, prediction, target), ("weight1", "bias1"), parameters)


parameters, cache = by_hand_example()
prediction, target = np.array([[4.0]]), np.array([[2.0]])
expected = {"weight1": np.tile([2.5, 5.0, 7.5], (4, 1)), "bias1": np.full((4, 1), 2.5)}
check(first_layer_of_backward, parameters, cache, prediction, target).gives(expected)
rng = np.random.default_rng(30)
p, x, target = random_parameters(rng), rng.standard_normal((3, 3)), rng.standard_normal((1, 3))
cache, prediction, gradients = run_in_torch(p, x, target)
expected = {name: gradients[name] for name in ("weight1", "bias1")}
check(first_layer_of_backward, p, cache, prediction, target).gives_gradient(expected)
### BEGIN HIDDEN TESTS
for widths, n in [((3, 4, 4, 1), 1), ((5, 6, 3, 1), 8), ((2, 7, 7, 1), 30)]:
    p, x = random_parameters(rng, widths), rng.standard_normal((widths[0], n))
    target = rng.standard_normal((1, n))
    cache, prediction, gradients = run_in_torch(p, x, target)
    check(backward, p, cache, prediction, target).gives_gradient(gradients)
### END HIDDEN TESTS

# %% [markdown]
# ## 5 · Proof by nudging
#
# You now have the gradient twice, by nudging and by the chain rule, from code that has nothing in common. Where two
# independent ways agree to many digits, both are right. This is the **gradient check**, and every layer that you
# write in this course goes through it.
#
# Its one knob is the step h.

# %% experiment seconds=1
lesson.predict(
    "step_size",
    "The step h shrinks from 10⁻¹ to 10⁻¹³. What does the relative error between nudging and chain rule do?",
    [
        "It shrinks all the way",
        "It shrinks, then grows again",
        "It shrinks, then stays as it is",
        "It does not depend on h",
    ],
)


# %% experiment seconds=1
def loss_of(parameters, name, x, target):
    """Return the loss as a function of one parameter array, the others held fixed."""
    return lambda value: l2_loss(forward(parameters | {name: value}, x)[0], target)


def one_sided_gradient(f, value, step):
    """Nudge up only: half of the work, for comparison."""
    here, gradient = f(value), np.zeros_like(value)
    for index in np.ndindex(value.shape):
        nudged = value.copy()
        nudged[index] += step
        gradient[index] = (f(nudged) - here) / step
    return gradient


def check_gradient(seed, estimate, step):
    """Return the relative error of each parameter's gradient, for a random network on 20 random examples."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng)
    x, target = rng.standard_normal((3, 20)), rng.standard_normal((1, 20))
    prediction, cache = forward(parameters, x)
    exact = backward(parameters, cache, prediction, target)
    return {
        name: relative_error(exact[name], estimate(loss_of(parameters, name, x, target), value, step))
        for name, value in parameters.items()
    }


# %% experiment seconds=1 folded=true
def draw_errors(steps, central, one_sided):
    """Draw relative error against step size."""
    fig, ax = plots.figure(width=6.4, height=3.6)
    for k, (values, label) in enumerate([(central, "central difference"), (one_sided, "up only")]):
        style = {"marker": plots.MARKERS[k], "linestyle": plots.LINES[k], "color": plots.PALETTE[k]}
        ax.loglog(steps, values, label=label, **style)
    ax.axhspan(1e-2, 2, color="0.5", alpha=0.15, linewidth=0)
    ax.text(1.3e-1, 0.11, "wrong", color="0.3")
    ax.axhspan(1e-12, 1e-7, color=plots.PALETTE[2], alpha=0.1, linewidth=0)
    ax.text(1.3e-1, 2.2e-8, "right", color="0.3")
    ax.invert_xaxis()
    ax.set(xlabel="step h", ylabel="relative error", ylim=(1e-12, 2))
    ax.set_title("Too large a step is inexact, too small a step is noise")
    ax.legend(loc="upper center")
    plots.show(
        fig,
        alt="Relative error between nudging and chain rule against the step h from 1e-1 down to 1e-13, both axes "
        "logarithmic. Both curves are V-shaped. The central difference falls with slope 2 to "
        f"{min(central):.0e} at h = {steps[np.argmin(central)]:.0e}; nudging up only falls with slope 1 to "
        f"{min(one_sided):.0e} at h = {steps[np.argmin(one_sided)]:.0e}. From there on both rise, "
        f"to {central[-1]:.0e} and {one_sided[-1]:.0e} at h = {steps[-1]:.0e}.",
    )


# %% experiment seconds=1 folded=true
import timeit


def compare_prices():
    """Print how much longer nudging every parameter takes than one pass forwards and one backwards."""
    rng = np.random.default_rng(0)
    parameters, x, target = random_parameters(rng), rng.standard_normal((3, 20)), rng.standard_normal((1, 20))

    def by_nudging():
        return [numerical_gradient(loss_of(parameters, name, x, target), parameters[name]) for name in parameters]

    def by_chain_rule():
        prediction, cache = forward(parameters, x)
        return backward(parameters, cache, prediction, target)

    ratio = min(timeit.repeat(by_nudging, number=3)) / min(timeit.repeat(by_chain_rule, number=3))
    count = sum(value.size for value in parameters.values())
    print(f"{count} parameters: nudging runs the network {2 * count} times", end=" ")
    print(f"and takes {ratio:.0f} times as long as both passes")


# %% experiment seconds=10
errors = [check_gradient(seed, numerical_gradient, 1e-5) for seed in range(10)]
print("relative error, h = 1e-5:", ", ".join(f"{name} {error:.0e}" for name, error in errors[0].items()))
worst = {name: np.max([error[name] for error in errors]) for name in errors[0]}
disagree = [name for name, error in worst.items() if not error <= 1e-6]
if disagree:
    print(f"{' and '.join(disagree)} {'disagree' if len(disagree) > 1 else 'disagrees'}: mend backward first")
else:
    largest = [max(error.values()) for error in errors]
    print(f"largest of each of ten random networks: {min(largest):.0e} to {max(largest):.0e}")
    compare_prices()
    steps = 10.0 ** -np.arange(1, 14)
    central = [max(check_gradient(0, numerical_gradient, step).values()) for step in steps]
    one_sided = [max(check_gradient(0, one_sided_gradient, step).values()) for step in steps]
    draw_errors(steps, central, one_sided)
    lesson.target("largest relative error of the 41 gradients, ten networks", max(largest), at_most=1e-7)
    lesson.reveal(
        "step_size",
        answer=1,
        because=f"The error falls like h² down to {min(central):.0e} at h = {steps[np.argmin(central)]:.0e}; "
        "below, rounding takes over and it grows like 1/h. The curve is a V, and 10⁻⁵ lies near its bottom.",
    )

# %% [markdown]
# **Why a V.** From the left, the error of the formula itself shrinks: like h² for the central difference, like h
# for nudging up only. From the right, rounding grows: f(x + h) and f(x − h) are known to 16 digits, and the smaller
# h, the more of these digits are equal and cancel in the difference. What is left is an error proportional to
# 10⁻¹⁶/h. With the 7 digits of float32 the rounding would be 10⁻⁷/h: gradient checks are done in float64.

# %% [markdown]
# ## {{exercise:gradient_step}}
#
# The gradient points to where the loss grows fastest. **Gradient descent** takes a step against it. The slide's
# example, *parameter update*, is written for W₃:
#
# $$W_3 \leftarrow W_3 - \eta\,\frac{\partial L}{\partial W_3}$$
#
# and the same is done with every other parameter, all at once: each new value is computed from the old ones. η is
# the learning rate `lr`. The function works for any dict of arrays, with whatever names (the playground below
# brings its own), and returns new arrays: whoever holds the old parameters can still compare.


# %% exercise="gradient_step" difficulty=1 minutes=7 covers="21"
def gradient_step(parameters, gradients, lr):
    """Return the parameters after one step of gradient descent.

    Parameters
    ----------
    parameters : dict of ndarray
        Any names and shapes; neither the dict nor its arrays are changed.
    gradients : dict of ndarray
        The same names and shapes.
    lr : float
        Learning rate.

    Returns
    -------
    dict of ndarray
        New arrays under the same names.

    Raises
    ------
    ValueError
        When the names differ, or the shapes under a name.
    """
    ### BEGIN SOLUTION
    if parameters.keys() != gradients.keys():
        raise ValueError(f"gradients of {sorted(gradients)} do not fit the parameters {sorted(parameters)}")
    for name, value in parameters.items():
        if value.shape != gradients[name].shape:
            raise ValueError(f"{name} has shape {value.shape}, its gradient {gradients[name].shape}")
    return {name: value - lr * gradients[name] for name, value in parameters.items()}
    ### END SOLUTION


# %% tests="gradient_step" points=1
# By hand: 1 − 0.1 · 10 = 0, −2 − 0.1 · 20 = −4, 0.5 − 0.1 · (−5) = 1.
old = {"weight3": np.array([[1.0, -2.0]]), "bias3": np.array([[0.5]])}
slope = {"weight3": np.array([[10.0, 20.0]]), "bias3": np.array([[-5.0]])}
check(gradient_step, old, slope, 0.1).gives({"weight3": np.array([[0.0, -4.0]]), "bias3": np.array([[1.0]])})
check(gradient_step, old, slope, 0.0).gives(old)
check(gradient_step, old, {"weight3": slope["weight3"]}, 0.1).raises(ValueError)
check(gradient_step, old, {"weight3": slope["weight3"].T, "bias3": slope["bias3"]}, 0.1).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(31)
old = {"kernel": rng.standard_normal((2, 3, 1)), "shift": rng.standard_normal(5)}
slope = {name: rng.standard_normal(value.shape) for name, value in old.items()}
expected = {name: old[name] + (-0.3) * slope[name] for name in old}
check(gradient_step, old, slope, 0.3).gives(expected)
old32, slope32 = ({name: value.astype(np.float32) for name, value in d.items()} for d in (old, slope))
check(gradient_step, old32, slope32, 0.3).gives(expected, rtol=1e-4, atol=1e-6, dtype=np.float32)
check(gradient_step, old, slope | {"extra": np.zeros(1)}, 0.3).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### A playground
#
# The lecture points to playground.tensorflow.org for the multilayer perceptron. Here is one that runs your
# `sigmoid` and your `gradient_step`, on points in the plane: the surface in the background is the network's output,
# redrawn while it learns. Try this:
#
# 1. Choose a data set that no straight line divides, and no hidden layer. What does the surface look like, however
#    long it learns?
# 2. Add a hidden layer. How many units are needed until the classes come apart?
# 3. Raise the learning rate in steps. When does the loss begin to jump?

# %% widget="playground" covers="25"
# alt: Points of two classes over the network's output as a coloured surface, with controls and the loss curve.
# picture: Playground(sigmoid, gradient_step, steps=1500)
from convnets.widgets import Playground

Playground(sigmoid, gradient_step)

# %% [markdown]
# ## 6 · Tomorrow's temperature in Seattle
#
# The data are daily measurements of 2012 to 2015; the mean temperature of a day is taken as (maximum + minimum)/2.
# An example is three days in a row, oldest first, with the day after as target. The 1,093 targets up to the end of
# 2014 are for training, the 365 of 2015 for the test. The split is by time: a random one would put Tuesday into the
# training set and Wednesday, which resembles it, into the test set.
#
# **Audit the data.** The same source offers a second file, hourly temperatures of Seattle over one year, that looks
# like measurements. Its values are *normals*: what is usual at that hour of the year. The cell below forecasts each
# day by the day before, once from the measurements and once from the normals at noon. Trained on the normals, any
# network would look brilliant. An error that is too good to be true is a reason to look at the data.

# %% experiment seconds=5
windows = data.temperature_windows(days=3)
# The loader gives one example a row; our network wants one a column.
days_train, next_train = windows.x_train.T, windows.y_train[np.newaxis]
days_test, next_test = windows.x_test.T, windows.y_test[np.newaxis]
mean, std = days_train.mean(), days_train.std()


def rmse(error):
    """Return the root mean square of an array of errors."""
    return float(np.sqrt(np.mean(error**2)))


normals = data.seattle_normals()
noon = (normals.fahrenheit[normals.time.astype(int) % 24 == 12] - 32) / 1.8
print(f"training: {days_train.shape} and {next_train.shape}, mean {mean:.1f} °C, standard deviation {std:.1f} °C")
print(f"test:     {days_test.shape} and {next_test.shape}")
print(f"'like the day before': RMSE {rmse(days_test[-1] - next_test):.2f} °C on the measurements of 2015,")
print(f"                            {rmse(np.diff(noon)):.2f} °C on the normals")

# %% [markdown]
# ### Training
#
# Inputs of 20 or 30 would drive the sigmoids to their flat ends, where y (1 − y) is almost 0 and little is learned.
# So all temperatures, inputs and targets, are **standardised**: minus the mean of the training years, divided by
# their standard deviation. A forecast is turned back into °C before it is judged.
#
# `train` is all there is to training: model, gradient of the loss, optimiser, one line each in a loop. Every step
# uses all N examples (*full-batch* gradient descent). L is a sum over N examples, so its gradient grows with N, and
# the learning rate is divided by it: lr = 0.1/N.
#
# One run proves little, since the random start decides where gradient descent ends. So the network is trained from
# ten starts, and all ten results are reported.
#
# One figure for a whole year can hide a lot. So the forecasts for the day after a hot one are also judged by
# themselves: their RMSE, and their mean error, which is 0 when errors to the warm and to the cold side balance.


# %% experiment seconds=1
def train(seed, steps, lr, keep_every):
    """Train the 3-4-4-1 net; return its parameters at the start and after every `keep_every` steps."""
    x, target = (days_train - mean) / std, (next_train - mean) / std
    parameters = random_parameters(np.random.default_rng(seed))
    kept = [parameters]
    for step in range(1, steps + 1):
        prediction, cache = forward(parameters, x)
        gradients = backward(parameters, cache, prediction, target)
        parameters = gradient_step(parameters, gradients, lr)
        if step % keep_every == 0:
            kept.append(parameters)
    return kept


def network_error(parameters):
    """Return forecast minus measurement for the days of 2015, in °C."""
    prediction, _ = forward(parameters, (days_test - mean) / std)
    return mean + std * prediction - next_test


def baseline_errors():
    """Return forecast minus measurement for the days of 2015 of three forecasters that need no training."""
    with_ones = np.vstack([days_train, np.ones((1, next_train.size))])
    *weight, bias = np.linalg.lstsq(with_ones.T, next_train[0], rcond=None)[0]
    return {
        "mean of the training years": mean - next_test,
        "persistence": days_test[-1:] - next_test,
        "linear regression": np.array([weight]) @ days_test + bias - next_test,
    }


def gap_over_redrawn_years(error, other, draws=2000):
    """Return the middle 95 % of RMSE minus other RMSE when the 365 days are drawn anew, with replacement."""
    days = np.random.default_rng(0).integers(0, error.size, (draws, error.size))
    scores = [np.sqrt(np.mean(e[0][days] ** 2, axis=1)) for e in (error, other)]
    return np.percentile(scores[0] - scores[1], [2.5, 97.5])


hot = 24.0  # °C, mean temperature of a day
after_hot = days_test[-1] >= hot


def mean_after_hot(error):
    """Return the mean error, in °C, over the days of 2015 that follow a hot one."""
    return float(error[0, after_hot].mean())


def judged(verdict):
    """Return the verdict on a claim, but none in fast mode: its training is too short to judge by."""
    return "cannot be tested here" if training.fast_mode() else verdict


# %% experiment seconds=1 folded=true
def draw_training(curves, keep_every, errors):
    """Draw the RMSE over the training of each start, and the forecasts of thirty summer days."""
    scores = {name: rmse(error) for name, error in errors.items()}
    final = [curve[-1] for curve in curves]
    fig, (left, right) = plots.figure(1, 2, width=9.5, height=3.9, width_ratios=(1, 1.3))
    for k, curve in enumerate(curves):
        at = np.arange(len(curve)) * keep_every
        label = "network, each start" if k == 0 else None
        left.plot(at, curve, color=plots.PALETTE[0], linestyle="-", linewidth=1, alpha=0.6, label=label)
    for k, name in enumerate(("persistence", "linear regression"), start=1):
        left.axhline(scores[name], color=plots.PALETTE[k], linestyle=plots.LINES[k], label=name)
    left.set(xlabel="step of gradient descent", ylabel="RMSE of 2015 in °C", ylim=(1.8, max(3.0, 1.05 * max(final))))
    left.set_title(f"{len(curves)} starts end at {min(final):.2f} to {max(final):.2f} °C")
    left.legend()

    shown = slice(170, 200)
    day = np.arange(365)[shown]
    truth = next_test[0, shown]
    right.plot(day, truth, color="black", linestyle="-", marker="o", markersize=3, linewidth=1, label="measured")
    for k, name in enumerate(("network", "persistence", "linear regression")):
        width = 1.8 if name == "network" else 1.2
        right.plot(
            day,
            truth + errors[name][0, shown],
            color=plots.PALETTE[k],
            linestyle=plots.LINES[k],
            linewidth=width,
            label=name,
        )
    for k, at in enumerate(day[after_hot[shown]]):
        label = f"after {hot:.0f} °C or more" if k == 0 else None
        right.axvspan(at - 0.5, at + 0.5, color="0.5", alpha=0.15, linewidth=0, label=label)
    weeks = day[2::7]
    right.set_xticks(weeks, [f"{date:%d %b}" for date in (np.datetime64("2015-01-01") + weeks).astype(object)])
    # Room for the legend below the curves.
    right.set(xlabel="day of 2015", ylabel="mean temperature in °C", ylim=(15.5, 27))
    bias = f"{mean_after_hot(errors['network']):+.1f}".replace("-", "−")
    right.set_title(f"After hot days: network {bias} °C on average")
    right.legend(ncols=2, loc="lower center")
    apart = ", ".join(f"{name} {mean_after_hot(errors[name]):+.2f} °C" for name in list(errors)[1:])
    plots.show(
        fig,
        alt=f"Left: the RMSE for 2015 over the steps of gradient descent, from {len(curves)} random starts. They end "
        f"between {min(final):.2f} and {max(final):.2f} °C; persistence has {scores['persistence']:.2f}, linear "
        f"regression {scores['linear regression']:.2f}. Right: measured temperatures from 20 June to 19 July 2015 with "
        "three forecasts, which all run a day behind the measurements. The days after one of "
        f"{hot:.0f} °C or more are shaded. Mean error over all such days of the year: {apart}.",
    )


# %% experiment seconds=40 covers="17"
steps, keep_every = training.full_or_fast((6000, 100), (300, 50))
starts = range(training.full_or_fast(10, 2))
if training.fast_mode():
    print(f"Fast mode: {len(starts)} starts of {steps} steps. The figures of so short a run prove nothing.")
runs = [train(seed, steps, 0.1 / next_train.size, keep_every) for seed in training.progress(starts, "start")]
curves = [[rmse(network_error(parameters)) for parameters in run] for run in runs]
final = np.array([curve[-1] for curve in curves])
with_large_lr = np.array([rmse(network_error(train(seed, 500, 1 / next_train.size, 500)[-1])) for seed in starts])

network = network_error(runs[0][-1])
errors = baseline_errors() | {"network": network}
scores = {name: rmse(error) for name, error in errors.items()}
low, high = gap_over_redrawn_years(network, errors["persistence"])
cold = [mean_after_hot(network_error(run[-1])) for run in runs]
print(f"RMSE of 2015; mean error and RMSE of its {after_hot.sum()} days after one of {hot:.0f} °C or more; all in °C")
for name, error in errors.items():
    print(f"  {name:28}{scores[name]:6.3f};{mean_after_hot(error):+7.2f}{rmse(error[0, after_hot]):7.2f}")
print(
    f"  {f'network, all {len(final)} starts':28}{final.min():6.3f} to {final.max():.3f}, mean {final.mean():.3f}; ",
    end="",
)
print(f"{min(cold):+.2f} to {max(cold):+.2f}")
print(f"network minus persistence: {final[0] - scores['persistence']:+.3f} °C, ", end="")
print(f"in 95 % of the redrawn years {low:+.3f} to {high:+.3f} °C")
warm = np.array([20.0, 24.0, 28.0])
prediction, _ = forward(runs[0][-1], (np.tile(warm, (3, 1)) - mean) / std)
for t, forecast in zip(warm, mean + std * prediction[0], strict=True):
    print(f"after three days of {t:.0f} °C the network forecasts {forecast:.1f} °C")
print(f"{np.sum(days_train[-1] >= hot)} of {next_train.size} training examples end with a day of {hot:.0f} °C or more")
print(f"η = 1/N, 500 steps: RMSE {with_large_lr.min():.0f} to {with_large_lr.max():.0f} °C")
draw_training(curves, keep_every, errors)

lesson.target("RMSE of the 3-4-4-1 net, worst start", final.max(), at_most=2.00, unit="°C")
interval = f"{low:+.2f} to {high:+.2f}".replace("-", "−")
span = f"{final.min():.2f} to {final.max():.2f} °C"
conditions = f"{len(final)} starts, {steps} full-batch steps, lr 0.1/N, test year 2015"
plots.claims(
    [
        plots.Claim(
            "Three days' mean temperatures predict tomorrow's",
            f"RMSE {span}; always forecasting the mean: {scores['mean of the training years']:.2f} °C",
            conditions,
            judged("holds" if final.max() < scores["mean of the training years"] / 2 else "does not hold"),
        ),
        plots.Claim(
            "(implied) learning beats 'like today'",
            f"persistence {scores['persistence']:.3f} °C; network minus persistence {interval} °C",
            "first start, 95 % of 2,000 redrawn test years",
            judged("holds" if high < 0 else "does not hold"),
        ),
        plots.Claim(
            "(implied) the task needs hidden layers",
            f"linear regression, 4 parameters: {scores['linear regression']:.3f} °C; network {span}",
            conditions,
            judged("holds" if final.max() < scores["linear regression"] else "does not hold"),
        ),
        plots.Claim(
            "Use gradient descent! W = W − η ∂L/∂W",
            f"below 2 °C: {np.sum(final <= 2)} of {len(final)} starts with η = 0.1/N, "
            f"{np.sum(with_large_lr <= 2)} of {len(final)} with η = 1/N "
            f"(RMSE {with_large_lr.min():.0f} to {with_large_lr.max():.0f} °C)",
            f"{steps} steps; 500 steps for η = 1/N",
            judged("holds" if max(final.max(), with_large_lr.max()) <= 2 else "partly"),
        ),
    ]
)
if not training.fast_mode():
    # In the order of the options; the fourth is that no forecast leads by 0.1 °C.
    rivals = {"network": final.mean(), **{name: scores[name] for name in ("linear regression", "persistence")}}
    best, second = sorted(rivals.values())[:2]
    lesson.reveal(
        "which_forecast",
        answer=3 if second - best < 0.1 else list(rivals.values()).index(best),
        because=f"Network {span}, linear regression {scores['linear regression']:.2f} °C, persistence "
        f"{scores['persistence']:.2f} °C: the best leads by {second - best:.2f} °C.",
    )

# %% [markdown]
# **How to read this.** The network learns: it ends three times better than the mean of the training years. It does
# not *win*: the three lie within 0.03 °C of each other, and three days of temperature say little more about tomorrow
# than today does. Persistence has no parameters, linear regression has four, and neither needs a learning rate; a
# fair report names them first.
#
# **A tie over the year is not a tie on every day.** The right figure shows what the network has learned: "like
# today", except at the hot end, where its forecasts go flat. Three days of 28 °C give 23.2 °C. On the 12 days of 2015
# that follow a day of 24 °C or more, the network of the first start is 1.84 °C too cold on average (ten starts: 1.41
# to 2.05 °C), with an RMSE of 2.29 °C. The day after is indeed milder, so persistence is 0.83 °C too warm (RMSE 1.74
# °C); but linear regression follows it with a mean error of +0.11 °C (RMSE 1.40 °C). Of the 1,093 training examples
# only 14 end with such a day, so they weigh little in L, and there the sigmoids level off.
#
# Note also the last line of the table: the rule W − η ∂L/∂W is the same for every η and works for some of them. With
# η = 1/N, ten times larger, 500 steps lead to an RMSE of 43 to 168 °C. Notebook 04 is about that.

# %% [markdown] covers="20"
# ## 7 · The landscape
#
# The slide notes of this loss: *non-convex optimization :(*. A function is convex when, between any two points, its
# graph stays below the straight line that joins them (the chord): L((1 − t) A + t B) ≤ (1 − t) L(A) + t L(B) for 0
# ≤ t ≤ 1. The loss of linear regression is convex: gradient descent with a small enough η finds its minimum from
# anywhere.
#
# The network's loss cannot be convex. Number the four units of a hidden layer differently, and move the rows of its
# weight and bias and the columns of the next weight along: the network computes the same. That gives 4! · 4! = 576
# sets of parameters with the same loss. And since σ(−z) = 1 − σ(z), each hidden unit has a mirror image: change the
# sign of its incoming weights and bias and of its outgoing weights, and add the old outgoing weights to the bias
# they lead to. With 8 hidden units that makes 576 · 2⁸ = 147,456 twins of every network. Were L convex, it could
# nowhere on the way between two twins be higher than at the ends.
#
# The cell below walks from a trained network straight to a twin of itself, and to a network trained from another
# start. After 2,000 steps neither has reached a minimum; for the argument they need not have.


# %% experiment seconds=1
def twin(parameters):
    """Return other parameters that compute the same: hidden layer 1 renumbered, the first unit of layer 2 mirrored."""
    other = {name: value.copy() for name, value in parameters.items()}
    order = [1, 2, 3, 0]
    other["weight1"], other["bias1"] = other["weight1"][order], other["bias1"][order]
    other["weight2"] = other["weight2"][:, order]
    other["bias3"] += other["weight3"][:, :1]
    other["weight3"][:, 0] *= -1
    other["weight2"][0] *= -1
    other["bias2"][0] *= -1
    return other


def losses_between(a, b, ts):
    """Return L at (1 - t) a + t b for every t."""
    x, target = (days_train - mean) / std, (next_train - mean) / std
    ways = ({name: (1 - t) * a[name] + t * b[name] for name in a} for t in ts)
    return [l2_loss(forward(parameters, x)[0], target) for parameters in ways]


# %% experiment seconds=1 folded=true
def draw_ways(ts, ways):
    """Draw L along straight ways in parameter space, and the height that a convex L would not pass."""
    fig, ax = plots.figure(width=6.4, height=3.4)
    for k, (name, losses) in enumerate(ways.items()):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k]}
        ax.plot(ts, losses, markevery=5, label=name, **style)
    # The chords of the two ways would lie on top of each other: one line is drawn, at the highest end.
    bound = max(max(losses[0], losses[-1]) for losses in ways.values())
    ax.axhline(bound, color="0.3", linewidth=1, linestyle=":", label="a convex L stays below")
    ax.set(xlabel="t, from the trained network (0) to the other (1)", ylabel="L on the training data", ylim=(0, None))
    tops = [max(losses) for losses in ways.values()]
    ax.set_title(f"Between two trained networks L reaches {min(tops):.0f} and {max(tops):.0f}")
    ax.legend()
    heights = "; ".join(f"{name} it goes from {v[0]:.0f} over {max(v):.0f} to {v[-1]:.0f}" for name, v in ways.items())
    plots.show(
        fig,
        alt=f"L along two straight ways from a trained network: {heights}. A dotted line at {bound:.0f}, the highest "
        "of the ends, shows what a convex L would not pass.",
    )


# %% experiment seconds=15 covers="20"
steps = training.full_or_fast(2000, 200)
first, second = (train(seed, steps, 0.1 / next_train.size, steps)[-1] for seed in (0, 1))
ts = np.linspace(0, 1, 41)
ways = {
    "to its twin": losses_between(first, twin(first), ts),
    "to another start's result": losses_between(first, second, ts),
}
draw_ways(ts, ways)
ends, top = (ways["to its twin"][0], ways["to its twin"][-1]), max(ways["to its twin"])
print(f"L of the network {ends[0]:.9f}, of its twin {ends[1]:.9f}")
plots.claims(
    [
        plots.Claim(
            "Non-convex optimization",
            f"L = {ends[0]:.1f} at both ends and {top:.1f} between them; convex would be at most {max(ends):.1f}",
            f"a trained network and its twin, {steps} steps",
            # One point above the chord disproves convexity, however short the training was: fast mode may judge it.
            "holds" if top > max(ends) + 1e-6 else "does not hold",
        )
    ]
)

# %% [markdown]
# ## Written questions
#
# **Question 1 (1 point).** In the figure's rule ∂E/∂y_k = Σ_l w_kl ∂E/∂z_l, what does the sum run over, and why is
# it a sum? Which line of your `Value.backward` does the same work? Three sentences are enough.

# %% [markdown] answer="why_the_sum" points=1
# ### BEGIN SOLUTION
# **Model answer.** The sum runs over the units l of the layer above that use y_k as an input. Nudging y_k changes
# each z_l by w_kl times the nudge and each of these changes E, and to first order the changes of E add up (the
# chain rule for several variables). In `Value.backward` it is the `+=`, which adds what every node that uses a
# number sends back to it.
#
# **Rubric.** ½ point: over all units (or nodes) that use y_k, with the reason that every path to E contributes and
# the contributions add. ½ point: names the accumulation (`+=`) in `backward`. No credit for "because the formula
# says so" or for a sum over examples.
# ### END SOLUTION

# %% [markdown]
# **Question 2 (2 points).** A colleague writes: *"Our neural network with two hidden layers predicts tomorrow's
# temperature with an RMSE of 1.93 °C, better than persistence (1.94 °C)."* Use your figures to say (a) whether this
# sentence may stand, and how you would write it; (b) why more hidden units would hardly help here, and what might.

# %% [markdown] answer="honest_report" points=2
# ### BEGIN SOLUTION
# **Model answer.** (a) No. The difference of 0.01 °C is smaller than what another random start changes (1.93 to
# 1.95 °C over ten starts) and than what another year might: over redrawn years, network minus persistence runs from
# −0.08 to +0.06 °C. The sentence also leaves out linear regression, which reaches 1.92 °C with 4 parameters.
# Better: "From three days of mean temperature, the network (1.93 to 1.95 °C, ten starts), linear regression (1.92
# °C) and persistence (1.94 °C) forecast 2015 equally well; the differences are smaller than those between random
# starts and between redrawn years."
#
# (b) A linear function of the three days does as well as the network, so there is little bent structure for hidden
# units to find; what remains of tomorrow is not determined by these three numbers. Other *inputs* might help: the
# time of year, pressure, wind, rain, cloud, neighbouring stations. More years would make the comparison sharper,
# the forecast hardly better.
#
# **Rubric.** (a) 1 point: calls it a tie with at least one quantitative reason (spread over starts, redrawn years,
# linear regression); ½ if only "the difference is small". (b) 1 point: the limit lies in the information of the
# inputs or in the near-linear relation (½), and names a sensible change of inputs (½).
# ### END SOLUTION

# %% [markdown]
# ## Recap
#
# 1. A network is three decisions, model, loss and optimiser; backpropagation is the chain rule that joins them:
#    local derivative × what arrives, added up, in reverse topological order.
# 2. A gradient is believed after it was checked: central differences with h near 10⁻⁵ agree to better than 10⁻⁷, or
#    something is wrong.
# 3. A result is reported beside its baselines and with its spread: the 41 parameters tie with "like today".
#
# **Can you explain …**
# - why a missing transpose in the 4 × 4 layer raises no error, and how you would find it?
# - why a number that is used twice must wait before it passes its gradient on?
# - why the error against the step size has the shape of a V?
# - why the same learning rate means something else for a sum and for a mean?
#
# **Read on**
# - Y. LeCun, Y. Bengio, G. Hinton, *Deep learning*, Nature 521 (2015), 436-444: figure 1 is the one this notebook
#   follows.
# - D. Rumelhart, G. Hinton, R. Williams, *Learning representations by back-propagating errors*, Nature 323 (1986),
#   533-536: four pages, still clear.
# - A. Baydin, B. Pearlmutter, A. Radul, J. Siskind, *Automatic differentiation in machine learning: a survey*, JMLR
#   18 (2018): what `Value` grows into.
