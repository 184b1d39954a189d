# %% [markdown]
# # 09 Batch normalization
#
# ![Left, a table of four examples and three features with very different columns. Batch normalization works down a
# column: each gets mean 0 and standard deviation 1 over the batch; layer normalization works along a row. Right,
# histograms of one feature: as it comes, wide and far from 0; standardised; then scaled and shifted by the learnt
# numbers.](pictures/columns_and_rows.png)
#
# *Batch normalization works down the columns: one feature, all examples of the batch. Afterwards two learnt numbers a
# feature give it back whatever scale and offset it needs.*
#
# Module 03 chose the first weights so that signals neither vanish nor explode. Training then moves the weights, and
# the choice is gone. Batch normalization standardises the signals again at every step, inside the net, and is
# differentiated like any other layer. You write it forwards and backwards, the backward pass in two ways. At the end
# you measure what it does to the range of learning rates, and what it costs.
#
# {{card:160}}
#
# Take it in two sittings: pause after Part 3.
#
# **Afterwards you can**
#
# - normalise a batch, and say what ε, the running statistics and the two modes are for;
# - derive the gradient through batch statistics node by node, and as one closed formula;
# - move a trained layer between conventions that differ in ε, momentum and variance;
# - fold batch normalization into the convolution before it;
# - say when batch normalization helps, what it costs, and where it fails: small batches, forgotten `eval()`.
#
# **You need** backpropagation from [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) and the layer of
# [06 The convolutional layer](../06_convolutional_layer/06_convolutional_layer.ipynb); initialisation from module 03
# helps.
#
# **From the lectures** B (normalising the logits, scale and offset, the claims) and C (running statistics).

# %% setup
import numpy as np
import torch

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("09_batch_normalization")
check, hint = lesson.check, lesson.hint


def torch_batchnorm(x, weight, bias, running_mean, running_var, training, momentum=0.1, eps=1e-5):
    """Return PyTorch's output and its running mean and variance afterwards: what the tests compare with."""
    mean, var = torch.tensor(running_mean), torch.tensor(running_var)
    tensors = torch.tensor(x), mean, var, torch.tensor(weight), torch.tensor(bias)
    y = torch.nn.functional.batch_norm(*tensors, training, momentum, eps)
    return y.numpy(), mean.numpy(), var.numpy()


def torch_gradients(grad_output, x, weight, eps=1e-5):
    """Return PyTorch's gradients with respect to x, weight and bias, in training mode."""
    inputs = [torch.tensor(value, requires_grad=True) for value in (x, weight, np.zeros_like(weight))]
    y = torch.nn.functional.batch_norm(inputs[0], None, None, *inputs[1:], training=True, eps=eps)
    return tuple(gradient.numpy() for gradient in torch.autograd.grad(y, inputs, torch.tensor(grad_output)))


def entries(answer, *keys):
    """Return those of these entries that a dict has, and anything that is no dict as it is."""
    return {key: answer[key] for key in keys if key in answer} if isinstance(answer, dict) else answer


def mean_and_ends(values):
    """Return the mean and, in brackets, the smallest and largest of some percentages, as 71 (67 - 75)."""
    return f"{values.mean():.0f} ({values.min():.0f} - {values.max():.0f})"


def judged(verdict):
    """Return the verdict of a claim, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


# %% [markdown]
# ## Before you begin: a prediction
#
# A net has five hidden layers of 100 sigmoid units, Xavier-initialised, and sees 10,000 pictures of Fashion-MNIST
# once, in batches of 64. It is trained at the learning rates 0.01, 0.1 and 1.0, without and with batch normalization.

# %% experiment seconds=5
lesson.predict(
    "which_rates",
    "At how many of the three learning rates does the net get more than 60 % of the test pictures right?",
    [
        "Without: one. With: one. The best learning rate is another one.",
        "Without: one. With: all three.",
        "Without: none. With: one.",
        "Without: none. With: all three.",
    ],
)

# %% [markdown]
# # Part 1 · A batch, standardised
#
# ## {{exercise:normalise}}
#
# A layer computes *logits*, weighted sums plus bias, for a batch: `x` of shape $(N, D)$, one row an example, one
# column a neuron (a *feature*). Lecture B centres and rescales each column "before the activation function":
#
# $$\mu_j = \frac{1}{N}\sum_{n=1}^{N} x_{nj} \qquad
# \sigma_j^2 = \frac{1}{N}\sum_{n=1}^{N} (x_{nj} - \mu_j)^2$$
#
# $$\hat{x}_{nj} = \frac{x_{nj} - \mu_j}{\sigma_j + \varepsilon}$$
#
# $\mu_j$ and $\sigma_j$ are mean and standard deviation of feature $j$ over the batch (divided by $N$, not by
# $N-1$), and the small $\varepsilon$ keeps a feature that never changes from dividing by 0. The paper and PyTorch
# put $\varepsilon$ **inside** the root:
#
# $$\hat{x}_{nj} = \frac{x_{nj} - \mu_j}{\sqrt{\sigma_j^2 + \varepsilon}}$$
#
# Write both; `eps_inside` chooses. **By hand:** the column (1, 3) has mean 2 and standard deviation 1. With
# ε = 3 inside the root it becomes ∓1/√4 = ∓0.5, with ε = 3 outside ∓1/(1 + 3) = ∓0.25.


# %% exercise="normalise" difficulty=1 minutes=8 covers="80 E15"
def normalise(x, eps=1e-5, eps_inside=True):
    """Standardise every feature over the batch.

    Parameters
    ----------
    x : ndarray, shape (N, D), of a float dtype
        N at least 1.
    eps : float, at least 0
    eps_inside : bool
        True: ε is added to the variance, inside the root (PyTorch). False: to the standard deviation (lecture B).

    Returns
    -------
    ndarray, shape (N, D), dtype of x

    Raises
    ------
    ValueError
        If x has not two axes.
    """
    ### BEGIN SOLUTION
    if x.ndim != 2:
        raise ValueError(f"x must have shape (N, D), not {x.shape}")
    centred = x - x.mean(axis=0)
    var = x.var(axis=0)
    return centred / (np.sqrt(var + eps) if eps_inside else np.sqrt(var) + eps)
    ### END SOLUTION


# %% tests="normalise" points=1
# Three examples of two features, without ε: means 3 and 20, variances (4 + 1 + 9)/3 and (400 + 100 + 100)/3.
three = np.array([[1.0, 0.0], [2.0, 30.0], [6.0, 30.0]])
check(normalise, three, eps=0).gives(np.array([[-2.0, -20.0], [-1.0, 10.0], [3.0, 10.0]]) / np.sqrt([14 / 3, 200]))
# Two examples of three features: the second feature is ten times the first, the third never changes.
batch = np.array([[1.0, 10.0, 5.0], [3.0, 30.0, 5.0]])
check(normalise, batch, eps=3.0).gives([[-0.5, -10 / np.sqrt(103), 0.0], [0.5, 10 / np.sqrt(103), 0.0]])
# Four examples: the mean is 3, the variance (4 + 1 + 0 + 9)/4 = 3.5. And the precision that networks use.
four = np.array([[1.0], [2.0], [3.0], [6.0]])
check(normalise, four, eps=0.5).gives([[-1.0], [-0.5], [0.0], [1.5]])
check(normalise, four.astype(np.float32), eps=0.5).gives([[-1.0], [-0.5], [0.0], [1.5]], rtol=1e-5, dtype=np.float32)
check(normalise, np.array([1.0, 2.0])).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(90)
for n, d, eps in [(7, 3, 1e-5), (2, 5, 1e-3), (64, 1, 0.1), (3, 3, 1e-5)]:
    x = 5 + 3 * rng.normal(size=(n, d))
    expected, _, _ = torch_batchnorm(x, np.ones(d), np.zeros(d), np.zeros(d), np.ones(d), True, eps=eps)
    check(normalise, x, eps).gives(expected, rtol=1e-10, atol=1e-10)
check(normalise, np.array([[4.0, -2.0]])).gives([[0.0, 0.0]])
check(normalise, np.ones((2, 3, 4))).raises(ValueError)
### END HIDDEN TESTS

# %% tests="normalise" points=1
# Both places of ε, one after the other; outside the root is the lecture's.
batch = np.array([[1.0, 10.0, 5.0], [3.0, 30.0, 5.0]])
check(normalise, batch[:, :1], eps=3.0, eps_inside=True).gives([[-0.5], [0.5]])
check(normalise, batch, eps=3.0, eps_inside=False).gives([[-0.25, -10 / 13, 0.0], [0.25, 10 / 13, 0.0]])
check(normalise, np.array([[1.0], [2.0], [3.0], [7.0]]), eps=0.75, eps_inside=False).gives(
    np.array([[-2.25], [-1.25], [-0.25], [3.75]]) / (np.sqrt(5.1875) + 0.75)
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(91)
for n, d, eps in [(6, 4, 1e-2), (2, 1, 2.0), (5, 5, 1e-5)]:
    x = (rng.normal(size=(n, d)) - 2).astype(np.float32)
    expected = (x - x.mean(axis=0)) / (np.std(x, axis=0) + eps)
    check(normalise, x, eps, eps_inside=False).gives(expected, rtol=1e-4, atol=1e-5, dtype=np.float32)
### END HIDDEN TESTS

# %% [markdown]
# ### Does the place of ε matter?
#
# Not for a feature whose standard deviation is near 1. For one that hardly changes it does: with $\varepsilon =
# 10^{-5}$ inside the root, the denominator never falls below $\sqrt{10^{-5}} = 0.0032$; outside, never below 0.00001.
# The next cell takes the 784 pixels of Fashion-MNIST as features, some of which are nearly always black, and lets your
# function compute both.


# %% experiment seconds=1 folded=true
def draw_eps(stds, inside, outside, pixels):
    """Draw the standard deviation after normalising over that before, for both places of ε."""
    fig, (left, right) = plots.figure(1, 2, width=8.6, height=3.1, width_ratios=[1.5, 1])
    left.semilogx(stds, outside, color=plots.PALETTE[1], linestyle="--", label="ε outside the root (lecture B)")
    left.semilogx(stds, inside, color=plots.PALETTE[0], linestyle="-", label="ε inside (PyTorch)")
    left.set(xlabel="standard deviation of the feature", ylabel="after normalising", ylim=(0, 1.1))
    left.set_title("ε = 0.00001 in both places")
    left.legend(loc="lower right", fontsize=8)
    right.hist(np.log10(pixels[pixels > 0]), bins=40, color=plots.PALETTE[0])
    ticks = (-4, -3, -2, -1, 0)
    right.set(xlabel="standard deviation", ylabel="pixels", xticks=ticks, xticklabels=[f"$10^{{{k}}}$" for k in ticks])
    right.set_title("784 pixels of Fashion-MNIST")
    at = {std: (np.interp(std, stds, inside), np.interp(std, stds, outside)) for std in (0.0001, 0.001, 0.01)}
    told = "; ".join(f"at {std:g} it is {a:.2f} inside and {b:.2f} outside" for std, (a, b) in at.items())
    plots.show(
        fig,
        alt="Left, the standard deviation after normalising over that before, on a logarithmic axis: both curves rise "
        f"from 0 to 1, the one with ε outside a factor of hundreds earlier; {told}. Right, a histogram of the pixels' "
        f"standard deviations, most of them near 0.3, a tail down to {pixels[pixels > 0].min():.4f}.",
    )


# %% experiment seconds=10
stds = np.logspace(-6, 0.5, 140)
two_rows = np.stack([-stds, stds])
spread = {where: normalise(two_rows, 1e-5, where).std(axis=0) for where in (True, False)}
pixels = data.fashion_mnist(training.full_or_fast(5000, 500), 1).x_train.reshape(-1, 784).astype(np.float64)
pixel_stds = pixels.std(axis=0)
two_ways = [np.asarray(normalise(pixels, 1e-5, where)).std(axis=0) for where in (True, False)]
differ = int((np.abs(two_ways[0] - two_ways[1]) > 0.01).sum())
never_change = int((pixels[:64].std(axis=0) == 0).sum())
print(f"{differ} of 784 pixels come out more than 1 % apart.")
print(f"In the first 64 pictures {never_change} of 784 pixels are the same in all: without ε they would give 0/0.")
draw_eps(stds, spread[True], spread[False], pixel_stds)

# %% [markdown]
# The formula of lecture C has no ε at all: $h = (h - \mu)/\sqrt{\sigma^2}$. The last printed line says how often it
# would give 0/0 in a single batch.
#
# ## {{exercise:identity_parameters}}
#
# Forcing every feature to mean 0 and standard deviation 1 takes something away: a sigmoid would only ever see its
# nearly straight middle. So lecture B adds a "learnable scale and offset for each logit so as to restore
# expressiveness", one pair per neuron:
#
# $$\text{BN}(x)_{nj} = \alpha_j\, \hat{x}_{nj} + \beta_j$$
#
# The paper calls them $\gamma$ and $\beta$, PyTorch `weight` and `bias`; we follow PyTorch. They start at 1 and 0.
# The slide says: "Try α = stdev(x) and β = avg(x) and you have BN(x) = x."
#
# **Audit the slide.** With ε that is not exact. Find the `weight` and `bias` for which it is, for both places of ε.


# %% exercise="identity_parameters" difficulty=1 minutes=6 covers="80"
def identity_parameters(x, eps=1e-5, eps_inside=True):
    """Return the scale and offset for which batch normalization of this batch changes nothing.

    Parameters
    ----------
    x : ndarray, shape (N, D)
    eps : float, at least 0
    eps_inside : bool
        As in `normalise`.

    Returns
    -------
    weight, bias : ndarrays, shape (D,)
        ``weight * normalise(x, eps, eps_inside) + bias`` is x.
    """
    ### BEGIN SOLUTION
    std = np.sqrt(x.var(axis=0) + eps) if eps_inside else x.std(axis=0) + eps
    return std, x.mean(axis=0)
    ### END SOLUTION


# %% tests="identity_parameters" points=1
# By hand: means 3 and 20, variances 4 and 100; ε = 12 inside the root. Then the slide's case, ε = 0.
batch = np.array([[1.0, 10.0], [5.0, 30.0]])
check(identity_parameters, batch, eps=12.0).gives(([4.0, np.sqrt(112)], [3.0, 20.0]))
check(identity_parameters, batch, eps=0).gives(([2.0, 10.0], [3.0, 20.0]))


def there_and_back(x, eps):
    """PyTorch's batch normalization of x with weight, bias = identity_parameters(x, eps)"""
    weight, bias = (np.asarray(value) for value in identity_parameters(x, eps))
    return torch_batchnorm(x, weight, bias, np.zeros_like(bias), np.ones_like(bias), True, eps=eps)[0]


# Three features of different size, and an ε that matters.
x = np.array([[1.0, 0.1, 50.0], [2.0, 0.2, 20.0], [6.0, 0.6, 20.0]])
check(there_and_back, x, 0.25).gives(x)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(92)
for n, d, eps in [(9, 4, 1e-5), (2, 1, 0.5), (30, 2, 1e-3)]:
    x = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-3, 2, d) + rng.normal(size=d)
    check(there_and_back, x, eps).gives(x)
### END HIDDEN TESTS

# %% tests="identity_parameters" points=1
# The lecture's own ε, outside the root.
batch = np.array([[1.0, 10.0], [5.0, 30.0]])
check(identity_parameters, batch, eps=12.0, eps_inside=False).gives(([14.0, 22.0], [3.0, 20.0]))
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(93)
x = rng.normal(size=(5, 3))
check(identity_parameters, x, 0.1, eps_inside=False).gives((x.std(axis=0) + 0.1, x.mean(axis=0)))
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · Training and using: two modes
#
# The output for one example now depends on its neighbours in the batch. In training that is accepted. In use it is
# not: the answer for a picture must not depend on which others are asked about at the same time. So the layer keeps
# *running statistics* while it trains and uses these, and no batch, when it is used.
#
# ## {{exercise:update_running}}
#
# Lecture C's rule is a moving average over the batches, one for each feature:
#
# $$\mu_i := \alpha \cdot \text{mean}_{batch} + (1-\alpha)\cdot\mu_i \qquad
# \sigma_i^2 := \alpha \cdot \text{variance}_{batch} + (1-\alpha)\cdot\sigma_i^2$$
#
# This α has nothing to do with lecture B's: it is the weight of the **new** batch, and PyTorch calls it `momentum`
# (0.1). Elsewhere *momentum* is the weight of the **old** value: Keras's 0.99 is PyTorch's 0.01.
#
# The second difference is the variance. The variance over a batch, divided by $N$, is on average too small by the
# factor $(N-1)/N$. PyTorch normalises with it, but it **keeps** $\frac{N}{N-1}$ times as much, the *unbiased* variance,
# which estimates that of the whole data. Lecture C's "variance_batch" we read as the one that normalises, without the
# factor.
#
# | `convention` | weight of the new batch | variance kept | needs |
# | --- | --- | --- | --- |
# | `"pytorch"` | `momentum` | unbiased, $\frac{1}{N-1}\sum (x-\mu)^2$ | $N \ge 2$ |
# | `"lecture"` | `momentum` | $\frac{1}{N}\sum (x-\mu)^2$ | $N \ge 1$ |
#
# Return new arrays. A function that changes its arguments in place would surprise whoever calls it.


# %% exercise="update_running" difficulty=1 minutes=10 covers="81 E15"
def update_running(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    """Return the running statistics after one more batch.

    Parameters
    ----------
    running_mean, running_var : ndarray, shape (D,)
        Before the batch; they stay as they are.
    x : ndarray, shape (N, D)
        The batch.
    momentum : float, 0 to 1
        Weight of the new batch.
    convention : {"pytorch", "lecture"}
        Which variance is kept; see the table.

    Returns
    -------
    running_mean, running_var : ndarrays, shape (D,)

    Raises
    ------
    ValueError
        If there is no such convention, or fewer than two examples with "pytorch".
    """
    ### BEGIN SOLUTION
    if convention not in ("pytorch", "lecture"):
        raise ValueError(f'convention must be "pytorch" or "lecture", not {convention!r}')
    if convention == "pytorch" and len(x) < 2:
        raise ValueError(f"an unbiased variance needs at least two examples, not {len(x)}")
    var = x.var(axis=0, ddof=1 if convention == "pytorch" else 0)
    return (
        momentum * x.mean(axis=0) + (1 - momentum) * running_mean,
        momentum * var + (1 - momentum) * running_var,
    )
    ### END SOLUTION


# %% tests="update_running" points=1
# The lecture's rule on the batch with means 2 and 20, variances 1 and 100, from the usual start of 0 and 1.
batch = np.array([[1.0, 10.0], [3.0, 30.0]])
start = (np.zeros(2), np.ones(2))
check(update_running, *start, batch, 0.1, "lecture").gives(([0.2, 2.0], [1.0, 10.9]))
# From another start, with more weight on the new batch.
check(update_running, np.array([8.0]), np.array([16.0]), batch[:, :1], 0.25, "lecture").gives(([6.5], [12.25]))
# One example is enough here: its variance, divided by N, is 0.
check(update_running, *start, batch[:1], 0.1, "lecture").gives(([0.1, 1.0], [0.9, 0.9]))
check(update_running, *start, batch, 0.1, "theirs").raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(94)
x, mean, var = rng.normal(size=(6, 3)), rng.normal(size=3), rng.uniform(1, 2, 3)
check(update_running, mean, var, x, 0.3, "lecture").gives(
    (0.3 * x.mean(axis=0) + 0.7 * mean, 0.3 * x.var(axis=0) + 0.7 * var)
)
check(update_running, mean, var, x[:1], 0.5, "lecture").gives(((x[0] + mean) / 2, var / 2))
### END HIDDEN TESTS

# %% tests="update_running" points=1
# PyTorch's convention: the same batch has unbiased variances 2 and 200.
batch = np.array([[1.0, 10.0], [3.0, 30.0]])
check(update_running, np.zeros(2), np.ones(2), batch).gives(([0.2, 2.0], [1.1, 20.9]))
rng = np.random.default_rng(95)
x, mean, var = rng.normal(size=(5, 2)), np.array([1.0, -1.0]), np.array([2.0, 3.0])
_, torch_mean, torch_var = torch_batchnorm(x, np.ones(2), np.zeros(2), mean, var, True, momentum=0.3)
check(update_running, mean, var, x, 0.3).gives((torch_mean, torch_var))
# One example has no unbiased variance.
check(update_running, np.zeros(2), np.ones(2), batch[:1]).raises(ValueError)
### BEGIN HIDDEN TESTS
for n, d, momentum in [(3, 4, 0.01), (64, 1, 0.9), (2, 3, 1.0)]:
    x, mean, var = 3 * rng.normal(size=(n, d)), rng.normal(size=d), rng.uniform(0.5, 2, d)
    expected = torch_batchnorm(x, np.ones(d), np.zeros(d), mean, var, True, momentum=momentum)[1:]
    check(update_running, mean, var, x, momentum).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ### Two conventions, reconciled
#
# A running variance that starts at $v_0$ and has seen $t$ batches of $N$ examples is a sum of two parts: what is left
# of the start, $(1-\alpha)^t v_0$, and what the batches brought. Only the second part differs between the conventions,
# by the factor $\frac{N}{N-1}$. So one can be computed from the other:
#
# $$v^{\text{PyTorch}}_t = (1-\alpha)^t v_0 + \frac{N}{N-1}\left(v^{\text{lecture}}_t - (1-\alpha)^t v_0\right)$$
#
# The next cell feeds the same 200 batches to your function in both conventions and converts. At $N = 2$ the two keep
# variances that differ by a factor of 2, at $N = 64$ by 1.6 %.

# %% experiment seconds=10 covers="E15"
rng = np.random.default_rng(0)
gaps, apart_by = [], {}
for n in (2, 8, 64):
    kept = {"pytorch": (np.zeros(3), np.ones(3)), "lecture": (np.zeros(3), np.ones(3))}
    batches = rng.normal([0, 1, -5], [1, 2, 0.5], (200, n, 3))
    for batch in batches:
        kept = {convention: update_running(*pair, batch, 0.1, convention) for convention, pair in kept.items()}
    left_of_start = 0.9 ** len(batches)
    converted = left_of_start + n / (n - 1) * (kept["lecture"][1] - left_of_start)
    gaps.append(float(np.abs(converted - kept["pytorch"][1]).max()))
    apart_by[n] = float((kept["pytorch"][1] / kept["lecture"][1]).mean())
    print(
        f"N = {n:2}: PyTorch's kept variances {np.round(kept['pytorch'][1], 3)}, the lecture's "
        f"{np.round(kept['lecture'][1], 3)}, ratio {apart_by[n]:.4f}; after conversion they differ by {gaps[-1]:.0e}"
    )
print("The features' true variances are 1, 4 and 0.25.")
lesson.target("the lecture's running variance converted to PyTorch's, largest difference", max(gaps), at_most=1e-10)

# %% [markdown]
# ## {{exercise:batchnorm_forward}}
#
# Now the whole layer, as PyTorch has it: ε inside the root, the unbiased variance kept.
#
# | mode | normalises with | running statistics afterwards |
# | --- | --- | --- |
# | `training=True` | mean and variance of the batch (divided by $N$) | updated by the batch |
# | `training=False` ("eval") | `running_mean` and `running_var` | as before |
#
# In both, $y_{nj} = \text{weight}_j\, \hat{x}_{nj} + \text{bias}_j$. In eval mode ε is added to `running_var` just the
# same. In training a batch of one example is refused, as PyTorch refuses it ("Expected more than 1 value per channel
# when training"): its mean is itself, and nothing but the bias would come out.


# %% exercise="batchnorm_forward" difficulty=2 minutes=12 covers="80 81"
def batchnorm_forward(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    """Compute batch normalization in PyTorch's convention.

    Parameters
    ----------
    x : ndarray, shape (N, D), of a float dtype
    weight, bias : ndarray, shape (D,)
        Scale and offset (the lecture's α and β).
    running_mean, running_var : ndarray, shape (D,)
        They stay as they are.
    training : bool
        Whether the batch's own statistics normalise it, or the running ones.
    momentum : float
        Weight of the new batch in the running statistics.
    eps : float
        Inside the root.

    Returns
    -------
    y : ndarray, shape (N, D)
    running_mean, running_var : ndarrays, shape (D,)
        After this batch. Where all arguments are float32, so are all three.

    Raises
    ------
    ValueError
        If x has not two axes, or fewer than two examples in training.
    """
    ### BEGIN SOLUTION
    if x.ndim != 2:
        raise ValueError(f"x must have shape (N, D), not {x.shape}")
    if training:
        x_hat = normalise(x, eps)
        running_mean, running_var = update_running(running_mean, running_var, x, momentum)
    else:
        x_hat = (x - running_mean) / np.sqrt(running_var + eps)
    return weight * x_hat + bias, running_mean, running_var
    ### END SOLUTION


# %% tests="batchnorm_forward" points=1
# Training, by hand: the column (1, 3) with ε = 3 is ∓0.5; scale 4 and offset 10; then the running statistics, from 0
# and 6.
column = np.array([[1.0], [3.0]])
check(batchnorm_forward, column, np.array([4.0]), np.array([10.0]), np.zeros(1), np.array([6.0]), eps=3.0).gives(
    ([[8.0], [12.0]], [0.2], [5.6])
)
# Three features of their own scale against PyTorch, also in float32; and a batch of one.
x = np.array([[1.0, 10.0, -1.0], [3.0, 30.0, 0.0], [8.0, 20.0, 4.0]])
weight, bias = np.array([1.0, 2.0, -3.0]), np.array([0.0, 5.0, 1.0])
kept = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
check(batchnorm_forward, x, weight, bias, *kept, momentum=0.25).gives(
    torch_batchnorm(x, weight, bias, *kept, True, momentum=0.25)
)
in_float32 = [value.astype(np.float32) for value in (x, weight, bias, *kept)]
check(batchnorm_forward, *in_float32).gives(torch_batchnorm(*in_float32, True), rtol=1e-4, atol=1e-5, dtype=np.float32)
check(batchnorm_forward, x[:1], weight, bias, *kept).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(96)
for n, d, momentum, eps in [(2, 1, 0.1, 1e-5), (5, 7, 0.5, 0.1), (33, 2, 0.01, 1e-3), (4, 4, 1.0, 1e-5)]:
    x = 4 * rng.normal(size=(n, d)) + 7
    weight, bias, mean, var = rng.normal(size=d), rng.normal(size=d), rng.normal(size=d), rng.uniform(0.1, 3, d)
    check(batchnorm_forward, x, weight, bias, mean, var, True, momentum, eps).gives(
        torch_batchnorm(x, weight, bias, mean, var, True, momentum, eps), rtol=1e-10, atol=1e-10
    )
check(batchnorm_forward, np.ones((2, 3, 4)), np.ones(4), np.zeros(4), np.zeros(4), np.ones(4)).raises(ValueError)
### END HIDDEN TESTS

# %% tests="batchnorm_forward" points=1
# Eval, by hand: running mean 1, running variance 13, ε = 3, so the denominator is 4. Nothing is updated.
column, one, offset = np.array([[1.0], [3.0]]), np.array([1.0]), np.array([10.0])
check(batchnorm_forward, column, np.array([4.0]), offset, one, 13 * one, training=False, eps=3.0).gives(
    ([[10.0], [12.0]], [1.0], [13.0])
)
# One example is allowed here, and its answer is the one it gets in company.
check(batchnorm_forward, column[1:], np.array([4.0]), offset, one, 13 * one, training=False, eps=3.0).gives(
    ([[12.0]], [1.0], [13.0])
)
# But as a table of one row: an array of one axis is refused in both modes.
check(batchnorm_forward, column[:, 0], np.ones(2), np.zeros(2), np.zeros(2), np.ones(2), training=False).raises(
    ValueError
)
check(batchnorm_forward, column[:, 0], np.ones(2), np.zeros(2), np.zeros(2), np.ones(2)).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(97)
for n, d in [(1, 4), (6, 1), (3, 3)]:
    x, mean, var = rng.normal(size=(n, d)), rng.normal(size=d), rng.uniform(0.1, 3, d)
    weight, bias = rng.normal(size=d), rng.normal(size=d)
    check(batchnorm_forward, x, weight, bias, mean, var, False).gives(
        torch_batchnorm(x, weight, bias, mean, var, False), rtol=1e-10, atol=1e-10
    )
# A feature that never changed: ε keeps the answer finite.
check(batchnorm_forward, np.ones((2, 1)), np.ones(1), np.zeros(1), np.zeros(1), np.zeros(1), False, eps=0.25).gives(
    ([[2.0], [2.0]], [0.0], [0.0])
)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: before and after
#
# 400 logits of one neuron, before and after **your** `batchnorm_forward`. Move the mean and the spread of what comes
# in: the picture below does not move. Move α and β: it follows them. Find the button that gives BN(x) = x. How many
# of the 400 logits lie in the flat parts of the sigmoid when the input has mean 6, without and with batch
# normalization?

# %% widget="batchnorm_histograms"
# alt: 400 logits as a histogram and the sigmoid they enter: 157 in its flat part before batch normalization, 1 after.
from convnets.widgets import BatchnormHistograms

BatchnormHistograms(batchnorm_forward)

# %% [markdown]
# ### Play: the same example in other company
#
# One feature of a small batch. The marked example stays, its company changes with the number of the draw. In train
# mode its output changes with it; switch to eval. Back in train mode, shrink the batch: what are the outputs of a
# batch of two, and what is left in a batch of one? Last, in eval mode, look at the running statistics after 0, 5 and
# 50 batches.

# %% widget="train_eval_switch"
# alt: Eight numbers and their outputs in train mode: the marked 3 becomes 0.665, in other company 0.1 to 2.06.
from convnets.widgets import TrainEvalSwitch

TrainEvalSwitch(batchnorm_forward)

# %% [markdown]
# # Part 3 · Backwards, twice
#
# "BN is differentiable relatively to weights, biases, α and β", says lecture B. Its reason: within a mini-batch there
# is only one set of weights and biases, so mean and deviation are functions of these and of the images, like all else
# in the graph. Given `grad_output`, $\partial L/\partial y$, we need the gradient for `x`, `weight` and `bias`. Those
# for `weight` and `bias` are short sums. That for $x$ is not: each $x_{nj}$ moves its own $\hat{x}_{nj}$ **and** the
# mean and the variance, and so every other $\hat{x}$ of its column. First node by node, as module 02 did it; then in
# one line.
#
# ## {{exercise:batchnorm_backward_graph}}
#
# The forward pass as a graph. All sums run over the batch, for each feature alone; node names are the keys of the dict
# to return.
#
# | node | forwards | shape | who uses it |
# | --- | --- | --- | --- |
# | `mean` | $\mu = \frac1N \sum_n x_n$ | (D,) | `centred` |
# | `centred` | $c_n = x_n - \mu$ | (N, D) | `var`, `x_hat` |
# | `var` | $v = \frac1N \sum_n c_n^2$ | (D,) | `std` |
# | `std` | $s = \sqrt{v + \varepsilon}$ | (D,) | `x_hat` |
# | `x_hat` | $\hat{x}_n = c_n / s$ | (N, D) | $y$ |
# | $y$ | $y_n = \text{weight}\cdot\hat{x}_n + \text{bias}$ | (N, D) | the loss |
#
# Two rules do everything. *Local derivative times what arrives, added up over all users* of a node: `centred` has two
# users, and $x$ has two, `mean` and `centred`. And *what is spread to all examples on the way forward is summed over
# all examples on the way back*: `std`, `mean`, `weight` and `bias` have shape (D,), so do their gradients.
#
# **By hand.** One feature, $x = (1, 1, 4)$, ε = 2, weight 4, and a gradient of 1 arrives at the first example only.
# Then $\mu = 2$, $c = (-1, -1, 2)$, $v = 2$, $s = 2$, $\hat{x} = (-\frac12, -\frac12, 1)$. Backwards:
# $\partial L/\partial\hat{x} = (4, 0, 0)$ and $\partial L/\partial s = -\frac{1}{s^2}\sum_n c_n\, \partial
# L/\partial\hat{x}_n = -\frac14 \cdot (-4) = 1$. Go on from there.


# %% exercise="batchnorm_backward_graph" difficulty=3 minutes=28
def batchnorm_backward_graph(grad_output, x, weight, eps=1e-5):
    """Run batch normalization backwards, node by node.

    Parameters
    ----------
    grad_output : ndarray, shape (N, D)
        ∂L/∂y.
    x : ndarray, shape (N, D)
        What the layer was given, in training mode.
    weight : ndarray, shape (D,)
    eps : float
        Inside the root.

    Returns
    -------
    dict of ndarrays
        The gradient of the loss for each node: "bias", "weight", "std", "var" and "mean" of shape (D,), "x_hat",
        "centred" and "x" of shape (N, D).
    """
    ### BEGIN SOLUTION
    n = len(x)
    centred = x - x.mean(axis=0)
    std = np.sqrt((centred**2).mean(axis=0) + eps)
    x_hat = centred / std

    grad = {"bias": grad_output.sum(axis=0), "weight": (grad_output * x_hat).sum(axis=0)}
    grad["x_hat"] = grad_output * weight
    grad["std"] = (grad["x_hat"] * -centred / std**2).sum(axis=0)
    grad["var"] = grad["std"] / (2 * std)
    grad["centred"] = grad["x_hat"] / std + grad["var"] * 2 * centred / n
    grad["mean"] = -grad["centred"].sum(axis=0)
    grad["x"] = grad["centred"] + grad["mean"] / n
    return grad
    ### END SOLUTION


# %% tests="batchnorm_backward_graph" points=1
def first_nodes(grad_output, x, weight, eps):
    """the entries "bias", "weight" and "x_hat" of batchnorm_backward_graph(grad_output, x, weight, eps)"""
    return entries(batchnorm_backward_graph(grad_output, x, weight, eps), "bias", "weight", "x_hat")


# The example worked out above. Then two features with their own weights, where a gradient arrives everywhere.
x, arriving = np.array([[1.0], [1.0], [4.0]]), np.array([[1.0], [0.0], [0.0]])
check(first_nodes, arriving, x, np.array([4.0]), 2.0).gives_gradient(
    {"bias": np.array([1.0]), "weight": np.array([-0.5]), "x_hat": np.array([[4.0], [0.0], [0.0]])}
)
x, arriving = np.array([[1.0, 0.0], [1.0, 3.0], [4.0, 3.0]]), np.array([[1.0, 2.0], [-2.0, 1.0], [3.0, 1.0]])
check(first_nodes, arriving, x, np.array([4.0, 5.0]), 2.0).gives_gradient(
    {
        "bias": np.array([2.0, 4.0]),
        "weight": np.array([3.5, -1.0]),
        "x_hat": np.array([[4.0, 10.0], [-8.0, 5.0], [12.0, 5.0]]),
    }
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(98)
for n, d in [(5, 4), (4, 1), (8, 8)]:
    grad_output, x, weight = rng.normal(size=(n, d)), 3 + rng.normal(size=(n, d)), rng.normal(size=d)
    _, grad_weight, grad_bias = torch_gradients(grad_output, x, weight, 1e-3)
    check(first_nodes, grad_output, x, weight, 1e-3).gives_gradient(
        {"bias": grad_bias, "weight": grad_weight, "x_hat": grad_output * weight}
    )
### END HIDDEN TESTS


# %% tests="batchnorm_backward_graph" points=1
def std_and_var(grad_output, x, weight, eps):
    """the entries "std" and "var" of batchnorm_backward_graph(grad_output, x, weight, eps)"""
    return entries(batchnorm_backward_graph(grad_output, x, weight, eps), "std", "var")


# The example worked out above; s = √(v + ε) has the derivative 1/(2s).
x, arriving = np.array([[1.0], [1.0], [4.0]]), np.array([[1.0], [0.0], [0.0]])
check(std_and_var, arriving, x, np.array([4.0]), 2.0).gives_gradient({"std": np.array([1.0]), "var": np.array([0.25])})
# The gradient arrives at the last example; then at all of them, for two features with variances 2 and 14.
check(std_and_var, arriving[::-1], x, np.array([4.0]), 2.0).gives_gradient(
    {"std": np.array([-2.0]), "var": np.array([-0.5])}
)
x, arriving = np.array([[1.0, 0.0], [1.0, 3.0], [4.0, 9.0]]), np.array([[1.0, 2.0], [-2.0, 1.0], [3.0, 1.0]])
check(std_and_var, arriving, x, np.array([4.0, 8.0]), 2.0).gives_gradient(
    {"std": np.array([-7.0, 2.0]), "var": np.array([-1.75, 0.25])}
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(99)
for n, d in [(5, 4), (4, 1), (8, 8)]:
    grad_output, x, weight = rng.normal(size=(n, d)), 3 + rng.normal(size=(n, d)), rng.normal(size=d)
    centred = torch.tensor(x - x.mean(axis=0))
    var = torch.tensor(x.var(axis=0), requires_grad=True)
    std = torch.sqrt(var + 0.5)
    loss = (torch.tensor(grad_output * weight) * centred / std).sum()
    grad_std, grad_var = torch.autograd.grad(loss, (std, var))
    check(std_and_var, grad_output, x, weight, 0.5).gives_gradient({"std": grad_std.numpy(), "var": grad_var.numpy()})
### END HIDDEN TESTS


# %% tests="batchnorm_backward_graph" points=1
def last_nodes(grad_output, x, weight, eps):
    """the entries "centred", "mean" and "x" of batchnorm_backward_graph(grad_output, x, weight, eps)"""
    return entries(batchnorm_backward_graph(grad_output, x, weight, eps), "centred", "mean", "x")


# The example worked out above, to its end.
x, arriving = np.array([[1.0], [1.0], [4.0]]), np.array([[1.0], [0.0], [0.0]])
check(last_nodes, arriving, x, np.array([4.0]), 2.0).gives_gradient(
    {
        "centred": np.array([[11 / 6], [-1 / 6], [1 / 3]]),
        "mean": np.array([-2.0]),
        "x": np.array([[7 / 6], [-5 / 6], [-1 / 3]]),
    }
)
# Two features, against PyTorch's own graph.
x, arriving = np.array([[1.0, 0.0], [1.0, 3.0], [4.0, 9.0]]), np.array([[1.0, 2.0], [-2.0, 1.0], [3.0, 1.0]])


def torch_last_nodes(grad_output, x, weight, eps):
    leaf = torch.tensor(x, requires_grad=True)
    mean = leaf.mean(dim=0)
    centred = leaf - mean
    y = centred / torch.sqrt((centred**2).mean(dim=0) + eps) * torch.tensor(weight)
    gradients = torch.autograd.grad(y, (centred, mean, leaf), torch.tensor(grad_output))
    return {node: value.numpy() for node, value in zip(("centred", "mean", "x"), gradients, strict=True)}


check(last_nodes, arriving, x, np.array([4.0, 8.0]), 2.0).gives_gradient(
    torch_last_nodes(arriving, x, np.array([4.0, 8.0]), 2.0)
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(100)
for n, d, eps in [(5, 4, 1e-5), (4, 1, 0.3), (8, 8, 1e-3)]:
    grad_output, x, weight = rng.normal(size=(n, d)), 3 + rng.normal(size=(n, d)), rng.normal(size=d)
    check(last_nodes, grad_output, x, weight, eps).gives_gradient(torch_last_nodes(grad_output, x, weight, eps))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:batchnorm_backward}}
#
# Now put the pieces together on paper. Write $g_n$ for `grad_output`, and insert `std`, `var`, `centred` and `mean`
# into the last line. The sums $\sum_n c_n = 0$ make terms vanish, and what remains is short:
#
# $$\frac{\partial L}{\partial \text{bias}} = \sum_n g_n \qquad
# \frac{\partial L}{\partial \text{weight}} = \sum_n g_n \hat{x}_n$$
#
# $$\frac{\partial L}{\partial x_n} = \frac{\text{weight}}{N\,s}
# \Big(N g_n - \sum_m g_m - \hat{x}_n \sum_m g_m \hat{x}_m\Big)$$
#
# Read the bracket: the gradient that arrives, minus its mean, minus its part along $\hat{x}$ (the whole of it for
# ε = 0; ε leaves a little of it). What batch normalization takes out of the signal on the way forward, shift and scale,
# it takes out of the gradient on the way back: adding a constant to a column of $x$ does not change $y$, so the
# gradients of a column sum to 0.
#
# Do derive it once. **By hand**, the example from before: $N g = (3, 0, 0)$, $\sum g = 1$, $\sum g\hat{x} =
# -\frac12$, so
#
# $$\tfrac{4}{3 \cdot 2}\,\big(3 - 1 - \tfrac14,\; -1 - \tfrac14,\; -1 + \tfrac12\big)
# = \big(\tfrac76, -\tfrac56, -\tfrac13\big)$$


# %% exercise="batchnorm_backward" difficulty=2 minutes=20
def batchnorm_backward(grad_output, x, weight, eps=1e-5):
    """Run batch normalization backwards in closed form.

    Parameters
    ----------
    grad_output : ndarray, shape (N, D)
        ∂L/∂y.
    x : ndarray, shape (N, D)
        What the layer was given, in training mode.
    weight : ndarray, shape (D,)
    eps : float
        Inside the root.

    Returns
    -------
    grad_x : ndarray, shape (N, D)
    grad_weight, grad_bias : ndarrays, shape (D,)
        Where all arguments are float32, so are all three.

    Raises
    ------
    ValueError
        If grad_output has not the shape of x.
    """
    ### BEGIN SOLUTION
    if grad_output.shape != x.shape:
        raise ValueError(f"grad_output must have the shape of x, {x.shape}, not {grad_output.shape}")
    x_hat = normalise(x, eps)
    grad_bias, grad_weight = grad_output.sum(axis=0), (grad_output * x_hat).sum(axis=0)
    scale = weight / np.sqrt(x.var(axis=0) + eps)
    return scale * (grad_output - grad_bias / len(x) - x_hat * grad_weight / len(x)), grad_weight, grad_bias
    ### END SOLUTION


# %% tests="batchnorm_backward" points=1
# The example worked out above.
x, arriving = np.array([[1.0], [1.0], [4.0]]), np.array([[1.0], [0.0], [0.0]])
check(batchnorm_backward, arriving, x, np.array([4.0]), 2.0).gives_gradient(
    (np.array([[7 / 6], [-5 / 6], [-1 / 3]]), np.array([-0.5]), np.array([1.0]))
)
# Two features against PyTorch. Then gradients that do not fit.
x, arriving = np.array([[1.0, 0.0], [1.0, 3.0], [4.0, 9.0]]), np.array([[1.0, 2.0], [-2.0, 1.0], [3.0, 1.0]])
weight = np.array([4.0, 8.0])
check(batchnorm_backward, arriving, x, weight, 2.0).gives_gradient(torch_gradients(arriving, x, weight, 2.0))
check(batchnorm_backward, arriving[:1], x, weight).raises(ValueError)
# What goes in as float32 comes out as float32.
in_float32 = [value.astype(np.float32) for value in (arriving, x, weight)]
check(batchnorm_backward, *in_float32, 2.0).gives(
    torch_gradients(*in_float32, 2.0), rtol=1e-4, atol=1e-5, dtype=np.float32
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(101)
for n, d, eps in [(5, 4, 1e-5), (4, 1, 0.3), (8, 8, 1e-3), (50, 3, 1e-5)]:
    grad_output, x, weight = rng.normal(size=(n, d)), 3 + rng.normal(size=(n, d)), rng.normal(size=d)
    expected = torch_gradients(grad_output, x, weight, eps)
    check(batchnorm_backward, grad_output, x, weight, eps).gives_gradient(expected)
    check(batchnorm_backward, grad_output, x, weight, eps).gives(expected, rtol=1e-10, atol=1e-10)
### END HIDDEN TESTS

# %% tests="batchnorm_backward" points=1
# Every example gets the same gradient: only the bias learns. The gradient follows x_hat: only the weight does (ε = 0).
column = np.array([[1.0], [2.0], [3.0], [6.0]])
check(batchnorm_backward, np.ones((4, 1)), column, np.array([2.0]), 0.5).gives(
    (np.zeros((4, 1)), [0.0], [4.0]), atol=1e-12
)
along = (column - 3) / np.sqrt(3.5)
check(batchnorm_backward, along, column, np.array([2.0]), 0.0).gives((np.zeros((4, 1)), [4.0], [0.0]), atol=1e-12)
# A batch of one: whatever arrives, nothing goes on to x.
check(batchnorm_backward, np.array([[5.0, -7.0]]), np.array([[1.0, 2.0]]), np.ones(2)).gives(
    (np.zeros((1, 2)), [0.0, 0.0], [5.0, -7.0])
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(102)
x, constant = rng.normal(size=(6, 3)), np.tile(rng.normal(size=3), (6, 1))
check(batchnorm_backward, constant, x, rng.normal(size=3)).gives(
    (np.zeros((6, 3)), np.zeros(3), 6 * constant[0]), atol=1e-12
)
### END HIDDEN TESTS

# %% [markdown]
# ### Three ways to the same numbers
#
# The headline of this part: your forward pass, your graph and your closed form against PyTorch, on a batch of 64 × 50
# in float64.

# %% experiment seconds=5 covers="82"
rng = np.random.default_rng(1)
x, arriving = 2 + 3 * rng.normal(size=(64, 50)), rng.normal(size=(64, 50))
weight, bias, kept = rng.normal(size=50), rng.normal(size=50), (rng.normal(size=50), rng.uniform(0.5, 2, 50))


def largest_gap(mine, theirs):
    """Return the largest absolute difference between pairs of arrays."""
    return max(float(np.abs(a - b).max()) for a, b in zip(mine, theirs, strict=True))


forward_gap = max(
    largest_gap(batchnorm_forward(x, weight, bias, *kept, mode), torch_batchnorm(x, weight, bias, *kept, mode))
    for mode in (True, False)
)
truth = torch_gradients(arriving, x, weight)
graph = batchnorm_backward_graph(arriving, x, weight)
closed = batchnorm_backward(arriving, x, weight)
graph_gap = largest_gap([graph[node] for node in ("x", "weight", "bias")], truth)
closed_gap = largest_gap(closed, truth)
lesson.target("your forward pass against PyTorch's, both modes, largest difference", forward_gap, at_most=1e-10)
lesson.target("your graph's gradients against PyTorch's, largest difference", graph_gap, at_most=1e-10)
lesson.target("your closed form's gradients against PyTorch's, largest difference", closed_gap, at_most=1e-10)
with timing.one_thread():
    way = {
        "graph": timing.cpu_ms(lambda: batchnorm_backward_graph(arriving, x, weight), 50),
        "closed form": timing.cpu_ms(lambda: batchnorm_backward(arriving, x, weight), 50),
    }
print(", ".join(f"{name}: {ms:.3f} ms" for name, ms in way.items()), "CPU a call")
before_bias = float(np.abs(closed[0].sum(axis=0)).max())
print(f"the gradient that a bias before the layer would get: at most {before_bias:.0e} in size")
lesson.target("gradient of a bias before batch normalization, largest", before_bias, at_most=1e-10)

# %% [markdown]
# The last line is worth a second look. A bias added before batch normalization shifts a whole column, which the mean
# takes away again: its gradient is the column sum of $\partial L/\partial x$, and that is 0 but for rounding. So the
# slide's "differentiable relatively to […] biases" is true and of no use: layers before batch normalization are built
# with `bias=False`, and the offset β takes the bias's place.
#
# # Part 4 · Convolutions
#
# ## {{exercise:batchnorm2d}}
#
# In a ConvNet a feature is a *map*: the same filter at all positions. All its values must be treated alike, or the
# layer would no longer be a convolution followed by one scale. So for `x` of shape $(N, C, H, W)$ the statistics of
# channel $c$ run over images **and** positions, $M = N \cdot H \cdot W$ values, and there is one `weight` and one
# `bias` for each channel:
#
# $$\mu_c = \frac{1}{NHW}\sum_{n,i,j} x_{ncij} \qquad \sigma^2_c = \frac{1}{NHW}\sum_{n,i,j}(x_{ncij} - \mu_c)^2$$
#
# It is the layer you have, if every pixel of every image counts as an example: a table of $NHW$ rows and $C$ columns.
# Mind the order of axes on the way there and back. The unbiased variance has $M - 1$ in the denominator, and one
# image alone is a batch, as long as it has more than one pixel.


# %% exercise="batchnorm2d" difficulty=2 minutes=12
def batchnorm2d(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    """Compute batch normalization of maps, one scale and offset for each channel.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
    weight, bias, running_mean, running_var : ndarray, shape (C,)
    training, momentum, eps
        As in `batchnorm_forward`.

    Returns
    -------
    y : ndarray, shape (N, C, H, W)
    running_mean, running_var : ndarrays, shape (C,)
        Where all arguments are float32, so are all three.

    Raises
    ------
    ValueError
        If x has not four axes, or a channel has fewer than two values in training.
    """
    ### BEGIN SOLUTION
    if x.ndim != 4:
        raise ValueError(f"x must have shape (N, C, H, W), not {x.shape}")
    n, channels, height, width = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(-1, channels)
    y, *running = batchnorm_forward(rows, weight, bias, running_mean, running_var, training, momentum, eps)
    return y.reshape(n, height, width, channels).transpose(0, 3, 1, 2), *running
    ### END SOLUTION


# %% tests="batchnorm2d" points=1
# Two images of two channels, 1 × 2 pixels. Channel 0 holds 1, 3 and 5, 7: mean 4, variance 5. ε = 4 makes the root 3.
maps = np.array([[[[1.0, 3.0]], [[10.0, 30.0]]], [[[5.0, 7.0]], [[80.0, 40.0]]]])
ones, zeros = np.ones(2), np.zeros(2)
root = np.sqrt(650 + 4)  # channel 1: mean 40, variance (900 + 100 + 1600 + 0)/4 = 650
check(batchnorm2d, maps, ones, zeros, zeros, ones, eps=4.0).gives(
    (
        [[[[-1.0, -1 / 3]], [[-30 / root, -10 / root]]], [[[1 / 3, 1.0]], [[40 / root, 0.0]]]],
        [0.4, 4.0],
        [0.9 + 0.1 * 20 / 3, 0.9 + 0.1 * 2600 / 3],
    )
)
# Three channels of 2 × 4 pixels with scales and offsets against PyTorch, also one image alone, and in float32; then
# three axes, and a single value.
rng = np.random.default_rng(103)
x, weight, bias = rng.normal(size=(2, 3, 2, 4)) + 2, np.array([1.0, 2.0, 3.0]), np.array([0.0, 10.0, 20.0])
kept = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
check(batchnorm2d, x, weight, bias, *kept).gives(torch_batchnorm(x, weight, bias, *kept, True))
check(batchnorm2d, x[:1], weight, bias, *kept).gives(torch_batchnorm(x[:1], weight, bias, *kept, True))
in_float32 = [value.astype(np.float32) for value in (x, weight, bias, *kept)]
check(batchnorm2d, *in_float32).gives(torch_batchnorm(*in_float32, True), rtol=1e-4, atol=1e-5, dtype=np.float32)
check(batchnorm2d, x[0], weight, bias, *kept).raises(ValueError)
check(batchnorm2d, x[:1, :, :1, :1], weight, bias, *kept).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, momentum, eps in [((3, 2, 5, 2), 0.1, 1e-5), ((1, 4, 4, 4), 0.5, 0.1), ((2, 1, 1, 3), 1.0, 1e-3)]:
    x, c = 3 * rng.normal(size=shape) - 1, shape[1]
    weight, bias, mean, var = rng.normal(size=c), rng.normal(size=c), rng.normal(size=c), rng.uniform(0.1, 3, c)
    check(batchnorm2d, x, weight, bias, mean, var, True, momentum, eps).gives(
        torch_batchnorm(x, weight, bias, mean, var, True, momentum, eps), rtol=1e-10, atol=1e-10
    )
### END HIDDEN TESTS

# %% tests="batchnorm2d" points=1
# Eval mode: two channels with denominators 2 and 4 (ε = 3), one image of one pixel is enough.
pixel = np.array([5.0, 9.0]).reshape(1, 2, 1, 1)
kept = np.array([1.0, 1.0]), np.array([1.0, 13.0])
check(batchnorm2d, pixel, np.array([1.0, 10.0]), np.array([0.0, 100.0]), *kept, training=False, eps=3.0).gives(
    (np.array([2.0, 120.0]).reshape(1, 2, 1, 1), *kept)
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(104)
for shape in [(3, 2, 5, 2), (1, 3, 3, 3), (2, 1, 1, 3)]:
    x, c = rng.normal(size=shape), shape[1]
    weight, bias, mean, var = rng.normal(size=c), rng.normal(size=c), rng.normal(size=c), rng.uniform(0.1, 3, c)
    check(batchnorm2d, x, weight, bias, mean, var, False).gives(torch_batchnorm(x, weight, bias, mean, var, False))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:fold_into_conv}}
#
# In eval mode the statistics are constants, so batch normalization is one multiplication and one addition for each
# channel. A convolution before it ends in an addition already. Put both into its weights and the layer is gone: with
# the convolution $z_k = W_k * x + b_k$ for filter $k$ (its output channel),
#
# $$y_k = \text{weight}_k\,\frac{z_k - \mu_k}{\sqrt{\sigma_k^2 + \varepsilon}} + \text{bias}_k
# = \underbrace{(\,?\,W_k)}_{W'_k} * x + \underbrace{(\,?\,)}_{b'_k}$$
#
# with the running mean $\mu_k$ and variance $\sigma_k^2$. Find the two question marks: the same factor stands in both.
# The convolution may have no bias, `conv_bias=None`; the folded one always has.


# %% exercise="fold_into_conv" difficulty=2 minutes=12
def fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    """Return the convolution that computes a convolution and batch normalization in eval mode.

    Parameters
    ----------
    conv_weight : ndarray, shape (C_out, C_in, K_h, K_w)
    conv_bias : ndarray, shape (C_out,), or None
        None: the convolution has no bias.
    weight, bias, running_mean, running_var : ndarray, shape (C_out,)
        Of the batch normalization that comes after it.
    eps : float
        Inside the root.

    Returns
    -------
    folded_weight : ndarray, shape (C_out, C_in, K_h, K_w)
    folded_bias : ndarray, shape (C_out,)

    Raises
    ------
    ValueError
        If the batch normalization has not one scale for each filter.
    """
    ### BEGIN SOLUTION
    if weight.shape != (len(conv_weight),):
        raise ValueError(f"{len(conv_weight)} filters need as many scales, not an array of shape {weight.shape}")
    factor = weight / np.sqrt(running_var + eps)
    before = 0 if conv_bias is None else conv_bias
    return conv_weight * factor[:, None, None, None], (before - running_mean) * factor + bias
    ### END SOLUTION


# %% tests="fold_into_conv" points=1
# Two filters of one pixel and one channel: factors 6/√(1 + 3) = 3 and 5/√(22 + 3) = 1.
filters = np.array([2.0, 7.0]).reshape(2, 1, 1, 1)
layer = np.array([6.0, 5.0]), np.array([10.0, 20.0]), np.array([1.0, 4.0]), np.array([1.0, 22.0])
check(fold_into_conv, filters, np.array([5.0, 6.0]), *layer, eps=3.0).gives(
    (np.array([6.0, 7.0]).reshape(2, 1, 1, 1), [22.0, 22.0])
)
# The same without a bias of the convolution; and one scale, then three, for two filters.
check(fold_into_conv, filters, None, *layer, eps=3.0).gives((np.array([6.0, 7.0]).reshape(2, 1, 1, 1), [7.0, 16.0]))
check(fold_into_conv, filters, None, *(np.ones(1) for _ in layer)).raises(ValueError)
check(fold_into_conv, filters, None, *(np.ones(3) for _ in layer)).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(105)
filters = rng.normal(size=(3, 2, 2, 3))
layer = rng.normal(size=3), rng.normal(size=3), rng.normal(size=3), rng.uniform(0.1, 3, 3)
factor = layer[0] / np.sqrt(layer[3] + 1e-5)
check(fold_into_conv, filters, np.ones(3), *layer).gives(
    (np.einsum("kcab,k->kcab", filters, factor), layer[1] + factor * (1 - layer[2]))
)
### END HIDDEN TESTS


# %% tests="fold_into_conv" points=1
def folded_layer(x, conv_weight, conv_bias, weight, bias, running_mean, running_var):
    """PyTorch's convolution of x (stride 2, padding 1) with the weight and bias of fold_into_conv"""
    folded = fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, running_var)
    tensors = (torch.tensor(np.asarray(value)) for value in (x, *folded))
    return torch.nn.functional.conv2d(*tensors, stride=2, padding=1).numpy()


def conv_then_batchnorm(x, conv_weight, conv_bias, *layer):
    conv_bias = None if conv_bias is None else torch.tensor(conv_bias)
    z = torch.nn.functional.conv2d(torch.tensor(x), torch.tensor(conv_weight), conv_bias, stride=2, padding=1)
    return torch_batchnorm(z.numpy(), *layer, False)[0]


# As many filters as channels, so that the wrong axis fits too; then fewer filters, and no bias.
rng = np.random.default_rng(106)
for c_in, c_out, with_bias in [(2, 2, True), (3, 2, False)]:
    x, conv_weight = rng.normal(size=(1, c_in, 4, 4)), rng.normal(size=(c_out, c_in, 3, 3))
    conv_bias = rng.normal(size=c_out) if with_bias else None
    layer = rng.normal(size=c_out), rng.normal(size=c_out), rng.normal(size=c_out), rng.uniform(0.1, 3, c_out)
    check(folded_layer, x, conv_weight, conv_bias, *layer).gives(conv_then_batchnorm(x, conv_weight, conv_bias, *layer))
### BEGIN HIDDEN TESTS
for c_in, c_out, k_h, k_w, with_bias in [(1, 4, 1, 3, True), (4, 1, 3, 2, True), (2, 3, 3, 3, False)]:
    x, conv_weight = rng.normal(size=(2, c_in, 6, 5)), rng.normal(size=(c_out, c_in, k_h, k_w))
    conv_bias = rng.normal(size=c_out) if with_bias else None
    layer = rng.normal(size=c_out), rng.normal(size=c_out), rng.normal(size=c_out), rng.uniform(0.1, 3, c_out)
    check(folded_layer, x, conv_weight, conv_bias, *layer).gives(
        conv_then_batchnorm(x, conv_weight, conv_bias, *layer), rtol=1e-10, atol=1e-10
    )
### END HIDDEN TESTS

# %% [markdown]
# ### Folding: the same numbers
#
# A layer of 16 channels, 32 filters of 3 × 3, on 32 images of 28 × 28: convolution, your `batchnorm2d` in eval mode,
# against one folded convolution. Then PyTorch's own two layers are timed against its one.

# %% experiment seconds=15
rng = np.random.default_rng(2)
images, filters = rng.normal(size=(32, 16, 28, 28)), rng.normal(size=(32, 16, 3, 3)) / 12
layer = rng.uniform(0.5, 2, 32), rng.normal(size=32), rng.normal(size=32), rng.uniform(0.5, 2, 32)
with torch.no_grad(), timing.one_thread():
    z = torch.nn.functional.conv2d(torch.tensor(images), torch.tensor(filters), padding=1)
    two_layers = batchnorm2d(z.numpy(), *layer, training=False)[0]
    folded = [torch.tensor(np.asarray(value)) for value in fold_into_conv(filters, None, *layer)]
    one_layer = torch.nn.functional.conv2d(torch.tensor(images), *folded, padding=1).numpy()
    fold_gap = float(np.abs(two_layers - one_layer).max())

    x32 = torch.tensor(images, dtype=torch.float32)
    conv, norm = torch.nn.Conv2d(16, 32, 3, padding=1, bias=False), torch.nn.BatchNorm2d(32).eval()
    conv_with_bias = torch.nn.Conv2d(16, 32, 3, padding=1)
    ms_two = timing.cpu_ms(lambda: norm(conv(x32)), 10)
    ms_one = timing.cpu_ms(lambda: conv_with_bias(x32), 10)
print(f"PyTorch, float32, one thread: two layers {ms_two:.1f} ms, folded {ms_one:.1f} ms, {ms_two / ms_one:.2f} times")
lesson.target("folded layer against convolution and batchnorm2d, largest difference", fold_gap, at_most=1e-10)

# %% [markdown]
# The numbers are the same; the time saved is small. For each value of its output this convolution multiplies 144 times
# (16 channels of 3 × 3), the normalization once: on a CPU the convolution dominates. What is certainly saved is a layer
# that someone could leave in train mode.
#
# So much for the normalization *after* the convolution. What changes if it stands *before*? Then it maps each input
# channel to $a x + c$, and the factors $a$ go to the input channels of the filters, the offsets $c$ to the bias. Ask
# what that takes for granted about every place under the kernel. Think of the padding.

# %% [markdown]
# # Part 5 · Small batches
#
# ## {{exercise:layer_norm}}
#
# All trouble with batches comes from statistics over other examples. *Layer normalization* takes them over the
# features of **one** example instead:
#
# $$\mu_n = \frac1D \sum_{j} x_{nj} \qquad \sigma_n^2 = \frac1D \sum_{j} (x_{nj} - \mu_n)^2$$
#
# $$y_{nj} = \text{weight}_j\,\frac{x_{nj} - \mu_n}{\sqrt{\sigma_n^2 + \varepsilon}} + \text{bias}_j$$
#
# No batch, no running statistics, no two modes. The price: all features of an example share one scale. Transformers
# use it. Take the last axis as the features, whatever axes stand before it.


# %% exercise="layer_norm" difficulty=1 minutes=6
def layer_norm(x, weight, bias, eps=1e-5):
    """Compute layer normalization over the last axis.

    Parameters
    ----------
    x : ndarray, shape (..., D)
        As (N, D).
    weight, bias : ndarray, shape (D,)
    eps : float
        Inside the root.

    Returns
    -------
    ndarray, shape of x
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(axis=-1, keepdims=True)
    return weight * centred / np.sqrt(x.var(axis=-1, keepdims=True) + eps) + bias
    ### END SOLUTION


# %% tests="layer_norm" points=1
# One example of two features, by hand: (1, 3) with ε = 3 is (−0.5, 0.5). Scales 4 and 8, offsets 10 and 20.
weight, bias = np.array([4.0, 8.0]), np.array([10.0, 20.0])
check(layer_norm, np.array([[1.0, 3.0]]), weight, bias, eps=3.0).gives([[8.0, 24.0]])
# In company it gets the same answer.
check(layer_norm, np.array([[1.0, 3.0], [70.0, 10.0]]), weight, bias, eps=3.0).gives(
    [[8.0, 24.0], [10 + 120 / np.sqrt(903), 20 - 240 / np.sqrt(903)]]
)
# Examples with one more axis before them; features without any.
stacked = np.array([[[1.0, 3.0], [70.0, 10.0], [3.0, 1.0]]])
check(layer_norm, stacked, weight, bias, eps=3.0).gives(
    [[[8.0, 24.0], [10 + 120 / np.sqrt(903), 20 - 240 / np.sqrt(903)], [12.0, 16.0]]]
)
check(layer_norm, np.array([1.0, 3.0]), weight, bias, eps=3.0).gives([8.0, 24.0])
# Three features, against PyTorch.
x, weight, bias = np.array([[1.0, 2.0, 6.0], [0.0, 5.0, 1.0]]), np.array([1.0, 2.0, 3.0]), np.array([0.0, 5.0, 1.0])
check(layer_norm, x, weight, bias).gives(
    torch.nn.functional.layer_norm(torch.tensor(x), (3,), torch.tensor(weight), torch.tensor(bias)).numpy()
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(107)
for shape, eps in [((5, 4), 1e-5), ((1, 7), 0.1), ((3, 3), 1e-3), ((2, 3, 5), 1e-5), ((6,), 1e-5)]:
    x, weight, bias = 2 + rng.normal(size=shape), rng.normal(size=shape[-1]), rng.normal(size=shape[-1])
    check(layer_norm, x, weight, bias, eps).gives(
        torch.nn.functional.layer_norm(
            torch.tensor(x), shape[-1:], torch.tensor(weight), torch.tensor(bias), eps
        ).numpy(),
        rtol=1e-10,
        atol=1e-10,
    )
### END HIDDEN TESTS

# %% [markdown]
# ### One example, other company
#
# The number 1.0 stands in a batch, the rest of which is drawn anew 2,000 times from a normal distribution with mean 0
# and standard deviation 1. With endless company its normalised value would be 1.0. What does your `normalise` make of
# it in batches of 1, 2, 4, …, and how much gradient does your `batchnorm_backward` send back?


# %% experiment seconds=1 folded=true
def draw_company(sizes, answers):
    """Draw the answers' middle 90 % and median over the batch size."""
    low, middle, high = np.percentile(answers, [5, 50, 95], axis=1)
    fig, ax = plots.figure(width=6.6, height=3.0)
    ax.fill_between(sizes, low, high, color=plots.PALETTE[0], alpha=0.2, label="middle 90 % of 2,000 draws")
    ax.plot(sizes, middle, color=plots.PALETTE[0], marker=plots.MARKERS[0], label="median")
    ax.axhline(1, color=plots.PALETTE[1], linestyle="--", label="with endless company")
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set(xlabel="batch size N", ylabel="normalised value of 1.0")
    ax.set_title("The smaller the batch, the more the company decides")
    ax.legend(loc="lower right", fontsize=8)
    told = ", ".join(f"N = {n}: {a:.2f} to {b:.2f}" for n, a, b in zip(sizes, low, high, strict=True))
    plots.show(fig, alt=f"The normalised value of 1.0 over the batch size; the middle 90 % of the draws are {told}.")


# %% experiment seconds=20
sizes, draws = (1, 2, 4, 8, 16, 64, 256), training.full_or_fast(2000, 100)
rng = np.random.default_rng(3)
answers, passed_on = np.zeros((len(sizes), draws)), []
for row, n in enumerate(sizes):
    # Each column of a batch is one draw: all draws at once.
    x = np.concatenate([np.ones((1, draws)), rng.normal(size=(n - 1, draws))])
    answers[row] = normalise(x)[0]
    grad_x, _, _ = batchnorm_backward(rng.normal(size=(n, draws)), x, np.ones(draws))
    passed_on.append(float(np.median(np.abs(grad_x).mean(axis=0))))
print(" N    middle 90 % of the answers    median size of the gradient for x")
for n, row, size in zip(sizes, answers, passed_on, strict=True):
    print(f"{n:3}    {np.percentile(row, 5):+.3f} to {np.percentile(row, 95):+.3f}             {size:.1e}")
draw_company(sizes, answers)

# %% [markdown]
# At $N = 2$ the answer is −1 or +1, whatever the numbers: two values, centred, are opposite, and dividing by their size
# leaves the sign. So changing a number changes nothing, and hardly any gradient comes back. At $N = 1$ the answer is 0:
# the layer gives out its `bias`, and no gradient gets through. That is why PyTorch refuses. Next: what does it mean for
# training?


# %% experiment seconds=1 folded=true
def draw_batch_sizes(sizes, accuracy):
    """Draw test accuracy over the batch size with its spread over the starts."""
    fig, ax = plots.figure(width=6.8, height=3.3)
    for k, (name, values) in enumerate(accuracy.items()):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k]}
        ax.plot(sizes, values.mean(axis=1), label=name, **style)
        ax.fill_between(sizes, values.min(axis=1), values.max(axis=1), color=plots.PALETTE[k], alpha=0.15)
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.set(xlabel="batch size in training", ylabel="test accuracy in %")
    ax.set_title("Small batches: mean of the starts; bands from the worst to the best")
    ax.legend(fontsize=8)
    told = "; ".join(
        f"{name}: " + ", ".join(f"{v:.0f} % at {n}" for n, v in zip(sizes, values.mean(axis=1), strict=True) if v > 0)
        for name, values in accuracy.items()
    )
    plots.show(fig, alt=f"Test accuracy over the training batch size, a line for each kind of net. {told}.")


# %% experiment seconds=45
def small_net(norm, seed):
    """Make 784-100-100-10 with ReLU; norm is None or PyTorch's class of the layer before each ReLU."""
    torch.manual_seed(seed)
    layers, size = [], 784
    for width in (100, 100):
        layers += [torch.nn.Linear(size, width), *([norm(width)] if norm else []), torch.nn.ReLU()]
        size = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(size, 10))


def accuracy_of(net, x, y):
    """Return the percentage of pictures that a net gets right."""
    with torch.no_grad():
        return 100 * float((net(x).argmax(dim=1) == y).float().mean())


def trained(net, x, y, lr, batch_size, seed):
    """Train for one pass with plain gradient descent, full batches only; return the net in eval mode."""
    optimizer = torch.optim.SGD(net.parameters(), lr)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(x)))
    for batch in order[: len(x) - len(x) % batch_size].split(batch_size):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()
    return net.eval()


pictures = data.fashion_mnist(*training.full_or_fast((2500, 2000), (128, 100)))
x, y, x_test, y_test = (torch.from_numpy(array.reshape(len(array), -1).squeeze()) for array in pictures[:4])
sizes = training.full_or_fast((1, 2, 4, 8, 32, 128), (1, 2, 32))
seeds = range(training.full_or_fast(3, 1))
kinds = {"batch normalization": torch.nn.BatchNorm1d, "layer normalization": torch.nn.LayerNorm, "neither": None}
by_size = {name: np.full((len(sizes), len(seeds)), np.nan) for name in kinds}
refused = ""
with timing.one_thread():
    for name, row, seed in training.progress(
        [(name, row, seed) for name in kinds for row in range(len(sizes)) for seed in seeds], "net"
    ):
        size = sizes[row]
        # One pass has fewer steps where batches are larger, so they are longer: with the root of the batch size.
        try:
            net = trained(small_net(kinds[name], seed), x, y, 0.1 * (size / 32) ** 0.5, size, seed)
        except ValueError as error:
            refused = str(error)
            continue
        by_size[name][row, seed] = accuracy_of(net, x_test, y_test)
print(f"batch normalization at batch size 1: {refused}\n")
print("test accuracy in %: mean (worst - best start)")
print("batch size".ljust(24) + "".join(f"{size:>14}" for size in sizes))
for name, values in by_size.items():
    cells = ("refused" if np.isnan(row).any() else mean_and_ends(row) for row in values)
    print(name.ljust(24) + "".join(f"{cell:>14}" for cell in cells))
draw_batch_sizes(sizes, by_size)

# %% [markdown]
# From batches of four on batch normalization is ahead here, and holds its 71 % at 128. At two it is far behind, for two
# reasons: −1 and +1 are all that its layers pass on in training; and the accuracy is measured in eval mode, where the
# running statistics let other numbers through, which the net has never seen. At one it is not defined. Layer
# normalization takes every size, but gains nothing over neither in batches of 1 to 4 (70, 68, 70 against 69, 70, 71 %),
# and is last at 128 (43 against 49 %). On the right all lines fall, because one pass in large batches has few steps:
# without normalization from batches of 4 on, with batch normalization only after 32.
#
# # Part 6 · Faster, at any learning rate?
#
# Lecture B's claim: "You can go faster: use higher learning rate." The net from the prediction, in NumPy, on **your**
# `batchnorm_forward` and `batchnorm_backward`: five hidden layers of 100 units, activation after normalization. There
# are two versions of it. The first has sigmoids, as lecture B's net has and as the paper's first experiment had. The
# second is its strongest rival without batch normalization: ReLU and He initialisation (module 03).


# %% experiment seconds=5
def make_net(activation, normalised, seed, hidden=5, width=100):
    """Draw a net: Xavier for sigmoid, He for ReLU; scale 1 and offset 0 before each activation."""
    rng = np.random.default_rng(seed)
    sizes = [784, *[width] * hidden, 10]
    gain = {"sigmoid": 1.0, "ReLU": 2.0}[activation]
    shapes = [(sizes[i], sizes[i + 1]) for i in range(hidden + 1)]
    return {
        "activation": activation,
        "matrices": [(rng.normal(size=shape) * np.sqrt(gain / shape[0])).astype(np.float32) for shape in shapes],
        "biases": [np.zeros(shape[1], np.float32) for shape in shapes],
        "scales": [np.ones(width, np.float32) for _ in range(hidden)] if normalised else [],
        "running": [(np.zeros(width, np.float32), np.ones(width, np.float32)) for _ in range(hidden)],
    }


def net_forward(net, x, training):
    """Return the scores, (N, 10), the last hidden layer, and for each layer what its way back needs."""
    cache = []
    for layer, (matrix, bias) in enumerate(zip(net["matrices"][:-1], net["biases"], strict=False)):
        z = x @ matrix
        if net["scales"]:
            # The offset takes the place of the bias.
            logits, *running = batchnorm_forward(z, net["scales"][layer], bias, *net["running"][layer], training)
            net["running"][layer] = running
        else:
            logits = z + bias
        out = 1 / (1 + np.exp(-logits)) if net["activation"] == "sigmoid" else np.maximum(logits, 0)
        cache.append((x, z, out))
        x = out
    return x @ net["matrices"][-1] + net["biases"][-1], x, cache


def train_step(net, x, labels, lr):
    """Take one step of gradient descent on the cross-entropy; return the loss."""
    scores, hidden, cache = net_forward(net, x, training=True)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    probability = powers / powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(probability[rows, labels] + 1e-12).mean()
    probability[rows, labels] -= 1
    grad = probability / len(x)
    back = grad @ net["matrices"][-1].T
    net["matrices"][-1] -= lr * (hidden.T @ grad)
    net["biases"][-1] -= lr * grad.sum(axis=0)
    for layer in reversed(range(len(cache))):
        x, z, out = cache[layer]
        back = back * (out * (1 - out) if net["activation"] == "sigmoid" else out > 0)
        if net["scales"]:
            back, grad_scale, grad_bias = batchnorm_backward(back, z, net["scales"][layer])
            net["scales"][layer] -= lr * grad_scale
        else:
            grad_bias = back.sum(axis=0)
        grad_matrix = x.T @ back
        back = back @ net["matrices"][layer].T
        net["matrices"][layer] -= lr * grad_matrix
        net["biases"][layer] -= lr * grad_bias
    return float(loss)


def train_net(net, pictures, lr, seed, batch_size=64):
    """Go through the pictures once; return the test accuracy in percent and the loss of every batch."""
    order = np.random.default_rng(seed).permutation(len(pictures[0]))
    starts = range(0, len(order) - batch_size + 1, batch_size)
    batches = [order[start : start + batch_size] for start in starts]
    # A net that diverges overflows; that is a result here, not a warning.
    with np.errstate(all="ignore"):
        losses = [train_step(net, pictures[0][batch], pictures[1][batch], lr) for batch in batches]
        scores = net_forward(net, pictures[2], training=False)[0]
    return 100 * float((scores.argmax(axis=1) == pictures[3]).mean()), losses


def clothing():
    """Return Fashion-MNIST as rows, standardised by one mean and one standard deviation."""
    images = data.fashion_mnist(*training.full_or_fast((10_000, 2000), (640, 200)))
    mean, std = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (((x - mean) / std).reshape(len(x), -1) for x in (images.x_train, images.x_test))
    return x_train, images.y_train, x_test, images.y_test


RATES = training.full_or_fast((0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), (0.01, 0.1, 1.0))
STARTS = range(training.full_or_fast(3, 1))


def sweep(activation, pictures):
    """Train both nets at all rates from all starts; return accuracies, (2, rates, starts), and all losses."""
    runs = [(bn, row, seed) for bn in (0, 1) for row in range(len(RATES)) for seed in STARTS]
    accuracy, losses = np.zeros((2, len(RATES), len(STARTS))), {}
    for bn, row, seed in training.progress(runs, f"{activation} net"):
        net = make_net(activation, bool(bn), seed)
        accuracy[bn, row, seed], losses[bn, row, seed] = train_net(net, pictures, RATES[row], seed)
    return accuracy, losses


# %% experiment seconds=1 folded=true
def draw_sweep(ax, accuracy, title):
    """Draw test accuracy over the learning rate, with and without batch normalization, and its spread."""
    for k, name in ((1, "with batch normalization"), (0, "without")):
        style = {"color": plots.PALETTE[1 - k], "linestyle": plots.LINES[1 - k], "marker": plots.MARKERS[1 - k]}
        ax.semilogx(RATES, accuracy[k].mean(axis=1), label=name, **style)
        ax.fill_between(RATES, accuracy[k].min(axis=1), accuracy[k].max(axis=1), color=plots.PALETTE[1 - k], alpha=0.2)
    ax.set(xlabel="learning rate", ylim=(0, 100))
    ax.set_title(title)


def told_sweep(accuracy):
    """Say the means of a sweep in words."""
    rows = zip(RATES, accuracy[1].mean(axis=1), accuracy[0].mean(axis=1), strict=True)
    return ", ".join(f"at {lr:g} {a:.0f} % with and {b:.0f} % without" for lr, a, b in rows)


# %% experiment seconds=40 covers="82"
with timing.one_thread():
    sigmoid_accuracy, _ = sweep("sigmoid", clothing())
three = [RATES.index(lr) for lr in (0.01, 0.1, 1.0)]
print("five hidden sigmoid layers, test accuracy in %: learning rate: mean (worst - best start)")
for name, values in (("without", sigmoid_accuracy[0]), ("with", sigmoid_accuracy[1])):
    spans = (f"{lr:g}: {mean_and_ends(row)}" for lr, row in zip(RATES, values, strict=True))
    print(f"{name:8}", "   ".join(spans))
worst_with = float(sigmoid_accuracy[1][three].min())
best_without = float(sigmoid_accuracy[0][three].max())
lesson.target("with batch normalization, worst of lr 0.01, 0.1, 1.0 and all starts", worst_with, at_least=60, unit="%")
lesson.target("without, best of lr 0.01, 0.1, 1.0 and all starts", best_without, at_most=50, unit="%")
fig, ax = plots.figure(width=6.4, height=3.2)
draw_sweep(ax, sigmoid_accuracy, "Sigmoid, Xavier: mean of the starts, bands from worst to best")
ax.set_ylabel("test accuracy in %")
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.25))
plots.show(
    fig,
    alt="Test accuracy of the sigmoid net over the learning rate, with bands for the spread over the starts: "
    f"{told_sweep(sigmoid_accuracy)}.",
)
lesson.reveal(
    "which_rates",
    answer=3,
    because=f"Without batch normalization the best of these runs reached {best_without:.0f} %, with it the worst one "
    f"{worst_with:.0f} %. Each sigmoid passes on at most a quarter of the gradient, five of them at most a thousandth, "
    "so the first layers hardly move and the last sees nearly the same numbers for every picture. Batch normalization "
    "divides by this small spread, forwards and backwards.",
)

# %% [markdown]
# A net that no learning rate from 0.003 to 3 trains here learns at every one of them. (Three starts here; over ten, the
# worst with batch normalization had 66 % at the three rates of the targets and the best without 10 %.) Is that batch
# normalization, or is a deep sigmoid net a weak opponent? The same sweep with ReLU and He initialisation answers. It
# also gives two more figures for "faster": how many batches each net needs, at *its own* best learning rate, until the
# mean loss of ten batches in a row is below 0.8; and what one step costs.


# %% experiment seconds=1 folded=true
def batches_until(losses, wanted):
    """Return after how many batches the mean loss of the last ten is below `wanted`; their number where it never is."""
    means = np.convolve(np.nan_to_num(losses, nan=9.0), np.full(10, 0.1), mode="valid")
    below = np.flatnonzero(means < wanted)
    return int(below[0]) + 10 if len(below) else len(losses)


# %% experiment seconds=45 covers="82"
clothes = clothing()
with timing.one_thread():
    relu_accuracy, relu_losses = sweep("ReLU", clothes)
    step_ms = []
    for normalised in (False, True):
        net = make_net("ReLU", normalised, 0)
        step_ms.append(timing.cpu_ms(lambda net=net: train_step(net, clothes[0][:64], clothes[1][:64], 0.01), 20))
print("five hidden ReLU layers, test accuracy in %: learning rate: mean (worst - best start)")
best_rate, needed = [], []
for bn, name in enumerate(("without", "with")):
    spans = (f"{lr:g}: {mean_and_ends(row)}" for lr, row in zip(RATES, relu_accuracy[bn], strict=True))
    print(f"{name:8}", "   ".join(spans))
    best = int(relu_accuracy[bn].mean(axis=1).argmax())
    best_rate.append(RATES[best])
    needed.append(float(np.mean([batches_until(relu_losses[bn, best, seed], 0.8) for seed in STARTS])))
for name, lr, count, ms in zip(("without", "with"), best_rate, needed, step_ms, strict=True):
    print(f"{name:8} best lr {lr:g}: {count:.0f} batches until the loss is below 0.8, {ms:.2f} ms CPU a step")
print(f"a step takes {step_ms[1] / step_ms[0]:.1f} times as long with batch normalization")
fig, ax = plots.figure(width=6.4, height=3.2)
draw_sweep(ax, relu_accuracy, "ReLU, He: mean of the starts, bands from worst to best")
ax.set_ylabel("test accuracy in %")
ax.legend(loc="lower left")
plots.show(
    fig,
    alt="Test accuracy of the ReLU net over the learning rate, with bands for the spread over the starts: "
    f"{told_sweep(relu_accuracy)}.",
)
relu_range = [[lr for lr, row in zip(RATES, relu_accuracy[bn], strict=True) if row.min() >= 60] for bn in (0, 1)]
print("learning rates at which every start gets 60 %: without", relu_range[0], "with", relu_range[1])

# %% [markdown]
# So the first picture alone would be advertising. Batch normalization rescues the sigmoid net, which no learning rate
# here does. A well-initialised ReLU net needs no rescue: at 0.003 it is 7 points better without (67 against 60 %), at
# 0.01 still a little. With batch normalization it is 4 points better at its best rate (82 against 78 %) and needs
# little more than half of the batches (25 against 44), each of which takes longer by the factor printed above. And
# there is the right-hand side of the picture: learning rates at which the plain net falls to the 10 % of guessing, and
# a choice of the learning rate that matters less.
#
# ### The forgotten `eval()`
#
# One trained net, one test set, four ways to use it. Only the statistics differ. What should a batch of a single class
# do to a layer that subtracts the batch's mean?

# %% experiment seconds=15
clothes = clothing()
with timing.one_thread():
    net = make_net("ReLU", True, seed=0)
    train_net(net, clothes, 0.1, seed=0)
x_test, y_test = clothes[2], clothes[3]


def right_in_batches(order, size):
    """Return the percentage that the net gets right in train mode, asked in batches of this order and size."""
    right = total = 0
    for start in range(0, len(order) - size + 1, size):
        batch = order[start : start + size]
        # A copy: in train mode the running statistics are updated.
        used = {**net, "running": list(net["running"])}
        scores = net_forward(used, x_test[batch], training=True)[0]
        right, total = right + int((scores.argmax(axis=1) == y_test[batch]).sum()), total + size
    return 100 * right / total


in_eval = 100 * float((net_forward(net, x_test, training=False)[0].argmax(axis=1) == y_test).mean())
shuffled = np.random.default_rng(4).permutation(len(y_test))
by_class = np.argsort(y_test, kind="stable")
modes = {
    "eval mode, whatever the batch": in_eval,
    "train mode, mixed batches of 100": right_in_batches(shuffled, 100),
    "train mode, mixed batches of 2": right_in_batches(shuffled, 2),
    "train mode, batches of 50 sorted by class": right_in_batches(by_class, 50),
}
for name, value in modes.items():
    print(f"{name:44}{value:6.1f} % right")

# %% [markdown]
# In large mixed batches nobody notices a forgotten `eval()`. In mixed batches of two 26 % are right: every normalised
# logit is −1 or +1. In batches of one class the mean that is taken away is what all these pictures have in common, and
# the net answers with what is left: about one picture in six is right.
#
# ### "It also regularises: lower or remove dropout"
#
# The noise that company brings to every example could work like dropout's noise. A test: 1,000 pictures, a net that can
# learn them by heart (784-200-200-10, ReLU), 40 passes; with neither, with dropout ½ after each activation, with batch
# normalization, with both. A regulariser in the strict sense fits the training pictures less and others better: look
# at both columns.


# %% experiment seconds=45 covers="82"
def memorising_net(norm, dropout, seed):
    """Make 784-200-200-10 with ReLU, batch normalization before and dropout after it where asked for."""
    torch.manual_seed(seed)
    layers, size = [], 784
    for _ in range(2):
        layers += [torch.nn.Linear(size, 200), *([torch.nn.BatchNorm1d(200)] if norm else []), torch.nn.ReLU()]
        layers += [torch.nn.Dropout(0.5)] if dropout else []
        size = 200
    return torch.nn.Sequential(*layers, torch.nn.Linear(size, 10))


images = data.fashion_mnist(*training.full_or_fast((1000, 5000), (128, 200)))
x, y, x_test, y_test = (torch.from_numpy(array.reshape(len(array), -1).squeeze()) for array in images[:4])
seeds, epochs = range(training.full_or_fast(4, 1)), training.full_or_fast(40, 1)
variants = {
    "neither": (False, False),
    "dropout": (False, True),
    "batch normalization": (True, False),
    "both": (True, True),
}
regularised = {name: [] for name in variants}
with timing.one_thread():
    for name, seed in training.progress([(name, seed) for name in variants for seed in seeds], "net"):
        net = memorising_net(*variants[name], seed)
        optimizer = torch.optim.SGD(net.parameters(), 0.02, momentum=0.9)
        order = np.random.default_rng(seed)
        for _ in range(epochs):
            for batch in torch.from_numpy(order.permutation(len(x))).split(50):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
                optimizer.step()
        net.eval()
        with torch.no_grad():
            right = [100 * float((net(a).argmax(dim=1) == b).float().mean()) for a, b in ((x, y), (x_test, y_test))]
        regularised[name].append(right)
train_of, test_of = ({name: np.array(values)[:, k] for name, values in regularised.items()} for k in (0, 1))
for name, test in test_of.items():
    fit = train_of[name].mean()
    print(f"{name:22} train {fit:5.1f} %   test {test.mean():.1f} % ({test.min():.1f} - {test.max():.1f})")
# A start draws the same matrices for all four nets, so they can be compared start by start.
ahead = test_of["batch normalization"] - test_of["neither"]
print(f"batch normalization against neither, start by start: {', '.join(f'{points:+.1f}' for points in ahead)} points")

# %% [markdown]
# Dropout does what a regulariser does to the training pictures: 92 instead of 97 % of them are right. But it gains
# nothing on the test pictures (79.1 against 79.3 %), so this experiment has no gain of dropout's that batch
# normalization could replace, and cannot show that it may be lowered or removed. Batch normalization is ahead by 1.2
# points on average, at three of the four starts, and fits the training pictures *better*, all of them: it helped the
# optimisation, which is not what a regulariser is for.

# %% [markdown]
# ### "Decorrelate? no, too complex"
#
# *Whitening* the data (module 03) centres, scales **and** decorrelates the features: afterwards their covariance matrix
# is the identity. Batch normalization leaves the decorrelation out. Two things can be measured. What happens to the
# correlations? And how complex would the rest be? It needs the $D \times D$ covariance of every batch and its inverse
# root, of the order of $N D^2 + D^3$ operations against $N D$.


# %% experiment seconds=20 covers="82 83"
def whiten(x, eps=1e-5):
    """Centre and decorrelate a batch with the inverse root of its covariance (ZCA)."""
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(x))
    return centred @ (vectors / np.sqrt(values + eps)) @ vectors.T


rng = np.random.default_rng(5)
mixed = rng.normal(size=(512, 6)) @ rng.normal(size=(6, 6))
off_diagonal = ~np.eye(6, dtype=bool)
correlations = {
    name: np.corrcoef(batch.T)[off_diagonal]
    for name, batch in (("before", mixed), ("normalised", normalise(mixed)), ("whitened", whiten(mixed)))
}
change = float(np.abs(correlations["normalised"] - correlations["before"]).max())
for name, values in correlations.items():
    print(f"{name:12} largest correlation between two features {np.abs(values).max():.3f}")
times_dearer = {}
with timing.one_thread():
    for d in training.full_or_fast((16, 64, 256), (16, 64)):
        wide = rng.normal(size=(512, d))
        ms = [timing.cpu_ms(lambda f=f, wide=wide: f(wide), 20) for f in (normalise, whiten)]
        times_dearer[d] = ms[1] / ms[0]
        print(f"{d:4} features, 512 examples: whitening takes {times_dearer[d]:.0f} times as long as normalising")

# %% [markdown]
# ### What became of the claims


# %% experiment seconds=5 folded=true
def share_gained(name):
    """Return by how many points a variant's test accuracy lies above that with neither."""
    return float(test_of[name].mean() - test_of["neither"].mean())


pixels = data.fashion_mnist(1000, 1).x_train.reshape(1000, 784).astype(np.float64)
x_hat = normalise(pixels)
slides_identity = float(np.abs(pixels.std(axis=0) * x_hat + pixels.mean(axis=0) - pixels).max())
exact_weight, exact_bias = identity_parameters(pixels)
exact_identity = float(np.abs(exact_weight * x_hat + exact_bias - pixels).max())
better_starts = int((ahead > 0).sum())
fits_less = bool(train_of["batch normalization"].mean() < train_of["neither"].mean())
dropout_gains = share_gained("dropout") >= 1
removable = share_gained("batch normalization") >= max(share_gained("dropout"), share_gained("both"))
wider = len(relu_range[1]) > len(relu_range[0])
plots.claims(
    [
        plots.Claim(
            "x̂ = (x − avg)/(stdev + ε) (B); no ε (C)",
            f"{differ} of 784 features differ by more than 1 % from PyTorch's, which has ε inside the root",
            f"pixels of Fashion-MNIST, ε = 1e-5; without ε {never_change} of 784 pixels give 0/0 in a batch of 64",
            judged("partly"),
        ),
        plots.Claim(
            "α = stdev(x), β = avg(x): BN(x) = x (B)",
            f"off by up to {slides_identity:.0e}; with ε in α {exact_identity:.0e}",
            "ε = 1e-5 inside the root, pixels of 1,000 pictures",
            "partly",
        ),
        plots.Claim(
            "μ := α · mean + (1 − α) · μ, σ² likewise (C)",
            f"PyTorch's rule with its variance N/(N − 1) larger: ratio {apart_by[2]:.2f} at N = 2, "
            f"{apart_by[64]:.3f} at N = 64; convertible to {max(gaps):.0e}",
            "200 batches, momentum 0.1",
            "holds",
        ),
        plots.Claim(
            "BN is differentiable relatively to weights, biases, α, β (B)",
            f"graph {graph_gap:.0e}, closed form {closed_gap:.0e} from PyTorch's; but the gradient of a bias before it "
            f"is 0 (at most {before_bias:.0e})",
            "64 × 50, float64",
            "holds",
        ),
        plots.Claim(
            "you can use a higher learning rate (B): sigmoid net",
            f"lr 0.01, 0.1, 1.0: with {worst_with:.0f} % or more, without {best_without:.0f} % or less",
            f"5 hidden layers, Xavier, one pass, {len(STARTS)} starts",
            judged("holds" if worst_with >= 60 and best_without <= 50 else "partly"),
        ),
        plots.Claim(
            "you can use a higher learning rate (B): ReLU net",
            f"every start ≥ 60 % from lr {min(relu_range[1], default=0):g} to {max(relu_range[1], default=0):g} with, "
            f"from {min(relu_range[0], default=0):g} to {max(relu_range[0], default=0):g} without; best mean "
            f"{relu_accuracy[1].mean(axis=1).max():.1f} against {relu_accuracy[0].mean(axis=1).max():.1f} %",
            f"5 hidden layers, He, one pass, {len(STARTS)} starts",
            judged("holds" if wider else "does not hold"),
        ),
        plots.Claim(
            "you can go faster (B)",
            f"{needed[1]:.0f} against {needed[0]:.0f} batches until the loss is below 0.8, but a step costs "
            f"{step_ms[1] / step_ms[0]:.1f} times as much: {needed[1] * step_ms[1]:.0f} against "
            f"{needed[0] * step_ms[0]:.0f} ms",
            f"ReLU nets at their own best lr, {best_rate[1]:g} and {best_rate[0]:g}; NumPy, one thread",
            judged(
                "does not hold"
                if needed[1] >= needed[0]
                else "holds"
                if needed[1] * step_ms[1] < 0.8 * needed[0] * step_ms[0]
                else "partly"
            ),
        ),
        plots.Claim(
            "BN also regularises (B)",
            f"{share_gained('batch normalization'):+.1f} points on the test pictures, better at {better_starts} of "
            f"{len(ahead)} starts; on the training pictures {train_of['batch normalization'].mean():.1f} % against "
            f"{train_of['neither'].mean():.1f} %: it fits them {'less' if fits_less else 'no less'}",
            f"1,000 pictures, 40 passes; neither {test_of['neither'].min():.1f} to {test_of['neither'].max():.1f} %, "
            f"BN {test_of['batch normalization'].min():.1f} to {test_of['batch normalization'].max():.1f} %",
            judged(
                "holds"
                if fits_less and better_starts == len(ahead)
                else "partly"
                if fits_less or better_starts == len(ahead)
                else "does not hold"
            ),
        ),
        plots.Claim(
            "lower or remove dropout (B)",
            f"dropout alone {share_gained('dropout'):+.1f} points on the test pictures, both "
            f"{share_gained('both'):+.1f}, BN alone {share_gained('batch normalization'):+.1f}"
            + ("" if dropout_gains else ": no gain of dropout's that BN could replace"),
            f"the same nets, {len(ahead)} starts, dropout ½",
            judged(("holds" if removable else "does not hold") if dropout_gains else "cannot be tested here"),
        ),
        plots.Claim(
            "decorrelate? no, too complex (B)",
            f"correlations change by {change:.0e}; whitening takes "
            f"{', '.join(f'{ratio:.0f}' for ratio in times_dearer.values())} times as long",
            f"512 examples, {', '.join(map(str, times_dearer))} features, forwards only",
            judged("holds" if times_dearer[max(times_dearer)] > 10 else "partly"),
        ),
        plots.Claim(
            "(course) without eval() the answers depend on the batch",
            f"eval {in_eval:.1f} %, train mode {modes['train mode, mixed batches of 100']:.1f} % in mixed batches, "
            f"{modes['train mode, batches of 50 sorted by class']:.1f} % in batches sorted by class",
            "one trained ReLU net, 2,000 test pictures",
            judged("holds"),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person.
#
# **Whitening and batch normalization (1 point).** (a) Name two things that whitening the data and batch normalization
# have in common (0.25), and (b) two in which they differ (0.25). (c) Why does a linear layer followed by batch
# normalization need no bias, and what would happen to the bias in training, without weight decay, if it had one (0.5)?

# %% [markdown] answer="whitening_and_bn" points=1 covers="83"
# ### BEGIN SOLUTION
# (a) In common: both subtract the mean of each feature, and both divide by its spread (standard deviation 1 after
# both). (b) Different, two of: whitening decorrelates, batch normalization leaves every correlation as it is;
# whitening is done once, to the input, with the statistics of the whole training set, batch normalization at every
# step and layer with those of the batch, and gradients flow through them; batch normalization has a learnt scale and
# offset afterwards; batch normalization needs two modes.
#
# (c) A bias shifts a whole column, and the batch's mean takes the shift away again. Its gradient is the column sum of
# ∂L/∂x, which is 0: it would stay at its first value for ever (under weight decay it would shrink). β does its work.
#
# **Rubric:** 0.25 for two things in common, 0.25 for two differences, 0.5 for the bias with its reason (mean removes
# it, or gradient 0).
# ### END SOLUTION

# %% [markdown]
# **A report from the field (1 point).** "Our ConvNet gets 92 % on the test set in batches of 256. In the shop it sees
# one picture at a time and is useless; our framework doesn't even complain. And after we folded the normalization
# that stands *before* a 3 × 3 convolution with padding 1 into this convolution, only pixels at the border came out
# wrong." Explain both, and say how each is repaired: 0.25 for each cause and 0.25 for each repair.

# %% [markdown] answer="report_from_the_field" points=1
# ### BEGIN SOLUTION
# One picture: the net runs in train mode. In batches of 256 the batch's statistics are close to the running ones, so
# nobody noticed. With one picture they are those of this picture alone, which takes its brightness and contrast out of
# every map. (No complaint, because a channel of a map has many values; a fully connected layer's batch normalization
# would be refused.) Repair: switch to eval mode, with running statistics that were updated long enough.
#
# Border: normalization before a convolution maps x to a x + c. Folding it as W' = a W, b' = b + Σ W c assumes that
# every pixel under the kernel was shifted by c, but padding adds zeros *after* the normalization, so at the border the
# padded places lack c. Repair: pad the un-normalised input with −c/a (the value that normalises to 0), or do not fold
# there; fold a normalization into the convolution before it.
#
# **Rubric:** 0.25 train mode, with the statistics of one picture; 0.25 eval mode; 0.25 padded zeros are not normalised;
# 0.25 a repair that works.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. Batch normalization standardises each feature over the batch and gives it a learnt scale and offset; for maps the
#    batch is all images and positions.
# 2. Its statistics are part of the graph: the gradient for $x$ loses its mean and its part along $\hat{x}$.
# 3. In use, running statistics take the batch's place; then the layer is one factor and one offset a channel, and
#    disappears into the convolution before it.
#
# **Can you explain …**
#
# - why ε inside and outside the root agree for most features, and for which they do not?
# - which of PyTorch's two variances normalises and which is kept?
# - why a batch of two gives only −1 and +1, and a batch of one passes no gradient back?
# - why the gradients of every column sum to 0?
# - what batch normalization gives to a ReLU net that was initialised well, and what it does not?
#
# **Three readings**
#
# - S. Ioffe, C. Szegedy, *Batch normalization: Accelerating deep network training by reducing internal covariate
#   shift*, ICML 2015, arXiv:1502.03167: algorithms 1 and 2, and the sigmoid experiments.
# - S. Santurkar, D. Tsipras, A. Ilyas, A. Mądry, *How does batch normalization help optimization?*, NeurIPS 2018,
#   arXiv:1805.11604: it is not the covariate shift.
# - Y. Wu, K. He, *Group normalization*, ECCV 2018, arXiv:1803.08494: what to do when batches must be small.
#
# Next: 10 Fighting overfit.
