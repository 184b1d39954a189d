# %% [markdown] covers="107"
# # 13 Training craft
#
# ![One handwritten digit and the ten probabilities that a network gives it, at three temperatures: at temperature 1 one
# bar is nearly everything, at 3 a second and a third class can be seen, at 10 all ten
# can.](pictures/temperatures.png)
#
# *What a network knows about one digit. The label is one word; the scores say which other digits it resembles.*
#
# The toolbox is full: convolution, pooling, batch normalization, ReLU, cross-entropy, He's initialization, Adam,
# dropout, augmentation. This notebook is about what happens around a training run. Which settings do you try, and how
# many? How far can you trust a score from 150 pictures? When do you stop? What do five networks know that one does
# not, and can a small one learn it from them? How many of its weights does a network need?
#
# {{card:205}}
#
# A good place to pause is the end of Part 3.
#
# **Afterwards you can**
#
# - find the range of usable learning rates with one short run;
# - search settings by a grid and at random, and draw what each of them tries along every axis;
# - estimate a score on few pictures by k-fold cross-validation, and stop a run in time;
# - average networks by their probabilities and by their weights, and say from the correlation of their errors what it
#   can bring;
# - train a small network on the softened scores of large ones, with the control that tells what the gain is due to;
# - predict most of a layer's weights from a tenth of them.
#
# **You need** training by mini-batches from [04 Optimizers](../04_optimizers/04_optimizers.ipynb) and early stopping
# from [10 Fighting overfit](../10_fighting_overfit/10_fighting_overfit.ipynb).
#
# **From the lectures** E: "Learning Rate (once again)", "Cross Validation for Parameter Tuning", "Random Search vs.
# Grid Search", "Build Ensembles" and the four slides after it. One of its lines describes a paper wrongly; you will
# find it in Part 6.

# %% setup
import copy
import math

import numpy as np
import torch
from torch import nn

from convnets import data, plots, timing, training
from convnets.checks import open_lesson

lesson = open_lesson("13_training_craft")
check, hint = lesson.check, lesson.hint

# What the experiments measure; the claim table reads it.
measured = {}


def mlp(hidden, seed):
    """Return an MLP 784-hidden-10 with ReLU, initialized by this seed."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def small_conv(seed, kernel=3, channels=8, activation=nn.ReLU):
    """Return a ConvNet with two strided convolutions and one linear layer, initialized by this seed."""
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, channels, kernel, 2, kernel // 2), activation()),
        *(nn.Conv2d(channels, 2 * channels, kernel, 2, kernel // 2), activation()),
        *(nn.Flatten(), nn.Linear(98 * channels, 10)),
    )


def optimizer_of(net, lr=3e-3, weight_decay=0.0, adam=True):
    """Return a new Adam or SGD (momentum 0.9) for a net."""
    if adam:
        return torch.optim.Adam(net.parameters(), lr=lr, weight_decay=weight_decay, fused=True)
    return torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)


def fit(net, x, y, steps, seed, *, optimizer=None, loss=None, batch=50, falling=False, **settings):
    """Train a net on random batches and return it.

    The optimizer goes on where an earlier call left it; without one, `optimizer_of(net, **settings)` makes a new one.
    The learning rate is constant, or `falling` in a straight line to a fiftieth.

    `loss(logits, chosen)` gets the logits of a batch and the numbers of its examples; without it the loss is the
    cross-entropy with the labels y.
    """
    rng = np.random.default_rng(seed)
    inputs, labels = torch.from_numpy(x), None if y is None else torch.from_numpy(y)
    optimizer = optimizer or optimizer_of(net, **settings)
    steps = training.full_or_fast(steps, max(steps // 20, 5))
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, steps) if falling else None
    for _ in range(steps):
        chosen = rng.integers(0, len(x), batch)
        logits = net(inputs[chosen])
        value = nn.functional.cross_entropy(logits, labels[chosen]) if loss is None else loss(logits, chosen)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if schedule:
            schedule.step()
    return net


def logits_of(net, x):
    """Return the logits of a net as an array (N, 10)."""
    with torch.no_grad():
        return net(torch.from_numpy(x)).numpy()


def percent_right(scores, y):
    """Return the percentage of rows whose largest score is at the label."""
    return 100 * float((scores.argmax(axis=1) == y).mean())


# %% [markdown]
# # Part 1 · One run that finds the learning rate
#
# Lecture E on the learning rate: *if the loss is NaN, it is too high; if it decreases too slowly, it is too low;
# monitor and visualize the loss curve.* One short run shows both ends at once.
#
# ## {{exercise:lr_range_test}}
#
# In a **learning-rate range test** the rate grows at every step by the same *factor*, from `low` at the first step to
# `high` at the last. With $S$ steps, counted $i = 0 \dots S-1$:
#
# $$\text{lr}_i = \text{low} \cdot \left(\frac{\text{high}}{\text{low}}\right)^{i / (S - 1)}$$
#
# `step(lr)` takes one step of training with this rate and returns the loss. The test ends early, **after** the first
# step whose loss is not finite (NaN or ∞) or larger than `stop` times the smallest loss so far; that step is still
# recorded. The rule of thumb for a good rate: **a tenth of the rate at which the smallest finite loss was recorded**.
# Losses are positive, and the first one is always finite.


# %% exercise="lr_range_test" difficulty=2 minutes=18
def lr_range_test(step, low, high, steps, stop=4.0):
    """Train with a growing learning rate until the loss explodes.

    Parameters
    ----------
    step : callable
        `step(lr)` takes one step with this learning rate, a float, and returns the loss, a float.
    low, high : float
        Learning rates of the first and of the last step, 0 < low < high.
    steps : int, at least 2
        Steps at most.
    stop : float, more than 1
        The test ends after a loss of more than this times the smallest one so far.

    Returns
    -------
    rates : list of float
        The learning rates that were used, the last one included.
    losses : list of float
        The loss at each of them.
    suggested : float
        A tenth of the rate with the smallest finite loss, the first of them where several are equal.

    Raises
    ------
    ValueError
        If low is not positive, high is not larger than low, or steps is less than 2.
    """
    ### BEGIN SOLUTION
    if not 0 < low < high or steps < 2:
        raise ValueError(f"0 < low < high and at least 2 steps are needed, not {low}, {high} and {steps}")
    rates, losses = [], []
    best, best_rate = math.inf, low
    for i in range(steps):
        rate = low * (high / low) ** (i / (steps - 1))
        loss = float(step(rate))
        rates.append(rate)
        losses.append(loss)
        if not math.isfinite(loss):
            break
        if loss < best:
            best, best_rate = loss, rate
        if loss > stop * best:
            break
    return rates, losses, best_rate / 10
    ### END SOLUTION


# %% tests="lr_range_test" points=1
def bowl(lr):
    """Return a loss that is smallest, 1, at a learning rate of 0.1."""
    return 1 + (np.log10(lr) + 1) ** 2


def with_losses(losses, stop):
    """Step i at rate 2**i has the loss losses[i]: rates, losses, suggestion, and how often step was called"""
    calls = []

    def step(lr):
        calls.append(lr)
        return losses[min(len(calls), len(losses)) - 1]

    rates, recorded, suggested = lr_range_test(step, 1.0, 2.0 ** (len(losses) - 1), len(losses), stop)
    return rates, recorded, suggested, len(calls)


# Rates 0.001, 0.01 ... 100 with losses 5, 2, 1, 2, 5, 10. With a large `stop` the test runs to its end.
six = ([0.001, 0.01, 0.1, 1.0, 10.0, 100.0], [5.0, 2.0, 1.0, 2.0, 5.0, 10.0], 0.01)
check(lr_range_test, bowl, 0.001, 100.0, 6, stop=20.0).gives(six)
# The smallest loss is 2: 8 is not yet larger than 4 * 2, and 9 is.
losses = [8.0, 2.0, 2.0, 8.0, 9.0, 20.0, 33.0, 170.0, 90.0]
check(with_losses, losses, 4.0).gives(([1.0, 2.0, 4.0, 8.0, 16.0], losses[:5], 0.2, 5), rtol=1e-6)
# The bowl again: without `stop` it is 4, and the 5 at rate 10 ends the test; a smaller one ends it at rate 1.
check(lr_range_test, bowl, 0.001, 100.0, 6).gives((six[0][:5], six[1][:5], 0.01))
check(lr_range_test, bowl, 0.001, 100.0, 6, stop=1.5).gives((six[0][:4], six[1][:4], 0.01))
check(lr_range_test, bowl, 0.0, 1.0, 6).raises(ValueError)
check(lr_range_test, bowl, 0.5, 0.5, 6).raises(ValueError)
check(lr_range_test, bowl, 0.1, 1.0, 1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(lr_range_test, bowl, 1.0, 0.1, 6).raises(ValueError)
check(with_losses, [3.0, 5.0, 1.0, 1.5, 1.0, 3.5, 0.1], 3.0).gives(
    ([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], [3.0, 5.0, 1.0, 1.5, 1.0, 3.5], 0.4, 6), rtol=1e-6
)
for low, high, steps in [(3e-4, 0.7, 9), (0.02, 40.0, 2)]:
    rates = np.geomspace(low, high, steps)
    losses = [bowl(rate) for rate in rates]
    check(lr_range_test, bowl, low, high, steps, 1e6).gives(
        (list(rates), losses, float(rates[np.argmin(losses)] / 10)), rtol=1e-9
    )
### END HIDDEN TESTS


# %% tests="lr_range_test" points=1
def after_nan(high):
    """The loss is 3 - lr up to lr = 0.5 and then NaN: rates, number of losses, suggestion, calls of step"""
    calls = []

    def step(lr):
        calls.append(lr)
        return float("nan") if lr > 0.5 else 3 - lr

    rates, losses, suggested = lr_range_test(step, 0.01, high, 7)
    return rates, len(losses), suggested, len(calls)


def infinite():
    """Losses 2, 1.5, infinity, 1, 0.5 at rates 1, 2, 4, 8, 16: rates and suggestion"""
    losses = iter([2.0, 1.5, math.inf, 1.0, 0.5])
    rates, _, suggested = lr_range_test(lambda lr: next(losses), 1.0, 16.0, 5)
    return rates, suggested


def descent(curvature, steps):
    """Gradient descent on curvature * w**2 / 2 from w = 1: the losses of a range test from 0.001 to 100"""
    w = [1.0]

    def step(lr):
        loss = curvature * w[0] ** 2 / 2
        w[0] -= lr * curvature * w[0]
        return loss

    return lr_range_test(step, 0.001, 100.0, steps)[1]


def expected_losses(curvature, steps):
    w, losses = 1.0, []
    for lr in np.geomspace(0.001, 100.0, steps):
        losses.append(curvature * w * w / 2)
        if losses[-1] > 4 * min(losses):
            return losses
        w -= lr * curvature * w
    return losses


# Rates 0.01, 0.0316, 0.1, 0.316, 1: the fifth gives NaN. After it step is not called again.
check(after_nan, 10.0).gives(([0.01, 0.01 * 10**0.5, 0.1, 0.1 * 10**0.5, 1.0], 5, 0.1**0.5 / 10, 5), rtol=1e-9)
check(infinite).gives(([1.0, 2.0, 4.0], 0.2), rtol=1e-9)
# A real descent: w changes at every step. Two test runs of different length.
check(descent, 20.0, 12).gives(expected_losses(20.0, 12), rtol=1e-6)
check(descent, 0.5, 30).gives(expected_losses(0.5, 30), rtol=1e-6)
### BEGIN HIDDEN TESTS
check(after_nan, 0.4).gives((np.geomspace(0.01, 0.4, 7).tolist(), 7, 0.04, 7), rtol=1e-9)
check(descent, 3.0, 12).gives(expected_losses(3.0, 12), rtol=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# ### Play back: a range test of a real network
#
# An MLP with 64 hidden units, 1,000 pictures of clothes, SGD with momentum 0.9, batches of 10, 50 and 500, five seeds
# each. The loss of a batch jumps about, so `step` returns a running mean of it. A running mean lags behind the loss:
# its smallest value comes a few steps late, at too large a rate. The left panel shows the first of the five runs. The
# right one trains fresh networks for 100 steps with batches of 50 at eight constant rates, and marks what the first
# range test had suggested for them. (Up to 20 seconds. This and the times below are limits on two processor cores.)

# %% experiment seconds=20
clothes = data.fashion_mnist(2000, 1000)
x, y = clothes.x_train[:1000], clothes.y_train[:1000]
held_x, held_y = clothes.x_train[1000:], clothes.y_train[1000:]


def range_test_of(batch, seed):
    """Return rates, losses and suggestion for a fresh network; the loss is a running mean over about ten steps."""
    net, rng, mean = mlp(64, seed), np.random.default_rng(seed), []
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9)

    def step(lr):
        optimizer.param_groups[0]["lr"] = lr
        chosen = rng.integers(0, len(x), batch)
        loss = nn.functional.cross_entropy(net(torch.from_numpy(x[chosen])), torch.from_numpy(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean[:] = [loss.item()] if not mean else [0.9 * mean[0] + 0.1 * loss.item()]
        return mean[0]

    return lr_range_test(step, 1e-4, 10.0, training.full_or_fast(150, 40), stop=2.0)


with timing.one_thread():
    seeds = training.full_or_fast(5, 1)
    tests = {batch: [range_test_of(batch, seed) for seed in range(seeds)] for batch in (10, 50, 500)}
    suggestion = tests[50][0][2]
    constant = np.geomspace(1e-4, 10, 8)
    reached = [
        percent_right(logits_of(fit(mlp(64, 0), x, y, 100, 0, lr=lr, adam=False), held_x), held_y) for lr in constant
    ]
    at_suggested = percent_right(logits_of(fit(mlp(64, 0), x, y, 100, 0, lr=suggestion, adam=False), held_x), held_y)
best_constant = max(reached)
middle = {batch: float(np.median([suggested for *_, suggested in runs])) for batch, runs in tests.items()}
measured["range test"] = at_suggested, best_constant, middle, seeds
for batch, runs in tests.items():
    each = ", ".join(f"{suggested:.3f}" for *_, suggested in runs)
    print(f"batches of {batch:3}: suggested {each}; the middle one is {middle[batch]:.3f}")
print(f"100 steps at {suggestion:.3f}, the first suggestion for 50: {at_suggested:.1f} % of held-out pictures right")
print(
    "100 steps at constant rates: " + ", ".join(f"{lr:.2g}: {p:.0f} %" for lr, p in zip(constant, reached, strict=True))
)
fig, axes = plots.figure(1, 2, width=8.6, height=3.2)
for k, (batch, ((rates, losses, _), *_)) in enumerate(tests.items()):
    axes[0].plot(rates, losses, color=plots.PALETTE[k], linestyle=plots.LINES[k], label=f"batches of {batch}")
axes[0].set(xscale="log", xlabel="learning rate, growing", ylabel="running mean of the loss", title="the range test")
axes[0].legend(fontsize=8)
axes[1].plot(constant, reached, "o-")
axes[1].plot([suggestion], [at_suggested], "*", markersize=14, color=plots.PALETTE[1], label="the suggestion")
axes[1].set(
    xscale="log", xlabel="constant learning rate", ylabel="held-out accuracy, %", title="what each rate reaches"
)
axes[1].legend(fontsize=8)
in_words = "; ".join(
    f"batches of {batch}: {losses[0]:.1f}, least {np.nanmin(losses):.1f}, at the end {losses[-1]:.1f}"
    for batch, ((_, losses, _), *_) in tests.items()
)
plots.show(
    fig,
    alt=f"Left: running mean of the loss in three range tests. {in_words}. Right: held-out accuracy after 100 steps at "
    f"eight constant learning rates, at best {best_constant:.0f} %; the suggested rate, {suggestion:.2g}, reaches "
    f"{at_suggested:.0f} %.",
)

# %% [markdown]
# Read the left panel from left to right: too low (nothing moves), usable (the loss falls), too high (it shoots up). One
# of its runs of at most 150 steps tells what eight runs of 100 tell in the right panel, up to a factor of a few.
# Lecture E adds *large batch, large learning rate*; compare the three middle suggestions, and how far the five of one
# batch size lie apart: one test is a starting point for a search, and no more.
#
# # Part 2 · Searching settings
#
# ### Before you begin: a prediction
#
# You may train 16 times. Two settings are open: the learning rate, somewhere from 0.0001 to 10, and the weight decay,
# from 0.0000001 to 0.1. A **grid** tries four values of each, evenly spread on a logarithmic scale, ends included, in
# all 16 combinations. **Random search** draws 16 pairs. Both keep the pair that is best on held-out pictures, and the
# two networks that were kept are compared on test pictures, for four random draws.

# %% experiment seconds=5 covers="110"
lesson.predict(
    "random_or_grid",
    "Mean test accuracy of what random search keeps, less the test accuracy of what the grid keeps?",
    [
        "Below −1 point: the grid covers the space evenly, chance leaves holes",
        "Within 1 point: 16 trials are 16 trials",
        "More than +1, at most +5 points",
        "More than +5 points",
    ],
)

# %% [markdown]
# ## {{exercise:grid}}
#
# A **space** is a dictionary: the name of each setting, and its lowest and highest value, both positive. With $P$
# points to an axis, a setting takes the values
#
# $$\text{low} \cdot \left(\frac{\text{high}}{\text{low}}\right)^{i / (P - 1)}, \quad i = 0 \dots P-1$$
#
# which is even on a logarithmic scale. With $D$ settings the grid has $P^D$ combinations: 16 trials are four values
# each for two settings, but only two values each for four. Order: the *last* name of the dictionary changes fastest, as
# the last digit of a counter does.


# %% exercise="grid" difficulty=1 minutes=10 covers="109"
def grid(space, points):
    """List all combinations of evenly spaced settings on logarithmic scales.

    Parameters
    ----------
    space : dict of str to (float, float)
        Lowest and highest value of each setting, 0 < low < high.
    points : int, at least 2
        Values of each setting.

    Returns
    -------
    list of dict
        points ** len(space) dictionaries of name to value; the last name changes fastest.

    Raises
    ------
    ValueError
        If points is less than 2, or a range is not 0 < low < high.
    """
    ### BEGIN SOLUTION
    if points < 2 or not all(0 < low < high for low, high in space.values()):
        raise ValueError(f"at least 2 points and ranges 0 < low < high are needed, not {points} and {space}")
    settings = [{}]
    for name, (low, high) in space.items():
        values = [low * (high / low) ** (i / (points - 1)) for i in range(points)]
        settings = [{**setting, name: value} for setting in settings for value in values]
    return settings
    ### END SOLUTION


# %% tests="grid" points=1
# One setting, then two: three rates with three decays.
check(grid, {"lr": (0.01, 1.0)}, 3).gives([{"lr": 0.01}, {"lr": 0.1}, {"lr": 1.0}])
space = {"lr": (0.01, 1.0), "decay": (1e-6, 1e-2)}
check(grid, space, 3).gives([{"lr": lr, "decay": decay} for lr in (0.01, 0.1, 1.0) for decay in (1e-6, 1e-4, 1e-2)])
# Three settings with two values each: a counter with three digits.
space = {"a": (1.0, 2.0), "b": (3.0, 5.0), "c": (7.0, 11.0)}
counted = [{"a": a, "b": b, "c": c} for a in (1.0, 2.0) for b in (3.0, 5.0) for c in (7.0, 11.0)]
check(grid, space, 2).gives(counted)
check(grid, space, 1).raises(ValueError)
check(grid, {"lr": (0.0, 1.0)}, 3).raises(ValueError)
check(grid, {"lr": (0.5, 0.5)}, 3).raises(ValueError)
check(grid, {"lr": (0.1, 1.0), "decay": (1.0, 0.1)}, 3).raises(ValueError)
check(grid, {"lr": (1.0, 0.1), "decay": (0.1, 1.0)}, 3).raises(ValueError)
### BEGIN HIDDEN TESTS
space = {"z": (0.3, 7.0), "a": (2.0, 900.0)}
z, a = (np.geomspace(low, high, 5) for low, high in space.values())
check(grid, space, 5).gives([{"z": float(first), "a": float(second)} for first in z for second in a], rtol=1e-9)
check(grid, {"x": (1.0, 16.0), "y": (1e-3, 1.0), "z": (2.0, 8.0), "t": (5.0, 6.0)}, 2).satisfies(
    lambda rows: len(rows) == 16 and len({tuple(row.values()) for row in rows}) == 16, "16 different settings"
)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:random_search}}
#
# Random search draws $u$ from $[0, 1)$ for each setting of each trial and takes $\text{low} \cdot (\text{high} /
# \text{low})^u$: every *factor* of the range is equally likely, 0.001 to 0.01 as likely as 1 to 10. Draw all of them in
# one call, `rng.random((trials, D))`: trial $t$ uses row $t$, setting $d$ of the dictionary uses column $d$.
#
# `score(setting)` trains and returns a number, the larger the better. A run that diverged returns NaN. It must not win:
# `np.argmax` takes NaN for the largest of all.


# %% exercise="random_search" difficulty=2 minutes=16 covers="110"
def random_search(score, space, trials, rng):
    """Try random settings and keep the best.

    Parameters
    ----------
    score : callable
        `score(setting)` returns a float for a dictionary of name to value; NaN for a run that failed.
    space : dict of str to (float, float)
        Lowest and highest value of each of D settings, both positive.
    trials : int, at least 1
    rng : numpy.random.Generator
        Asked once, for `rng.random((trials, D))`.

    Returns
    -------
    best : dict
        The setting with the largest score, the first of them where several are equal.
    settings : list of dict
        All settings, in the order in which they were tried.
    scores : list of float
        The score of each, NaN included.

    Raises
    ------
    ValueError
        If trials is less than 1, or every score is NaN.
    """
    ### BEGIN SOLUTION
    if trials < 1:
        raise ValueError(f"at least one trial is needed, not {trials}")
    settings, scores = [], []
    best, best_score = None, -math.inf
    for numbers in rng.random((trials, len(space))):
        pairs = zip(space.items(), numbers, strict=True)
        setting = {name: float(low * (high / low) ** u) for (name, (low, high)), u in pairs}
        settings.append(setting)
        scores.append(float(score(setting)))
        if not math.isnan(scores[-1]) and (best is None or scores[-1] > best_score):
            best, best_score = setting, scores[-1]
    if best is None:
        raise ValueError("every score is NaN: no trial can be kept")
    return best, settings, scores
    ### END SOLUTION


# %% tests="random_search" points=1
def product_of(setting):
    """Return the product of the learning rate and a thousand times the weight decay."""
    return 1000 * setting["lr"] * setting["decay"]


# Three trials of two settings. The numbers drawn, row by row, are 0.64 0.27, 0.04 0.02, 0.81 0.91.
space = {"lr": (0.001, 1.0), "decay": (1e-6, 1e-2)}
u = np.random.default_rng(0).random((3, 2))
settings = [{"lr": float(0.001 * 1000**a), "decay": float(1e-6 * 10000**b)} for a, b in u]
scores = [product_of(setting) for setting in settings]
check(random_search, product_of, space, 3, np.random.default_rng(0)).gives((settings[2], settings, scores), rtol=1e-6)
check(random_search, product_of, space, 0, np.random.default_rng(0)).raises(ValueError)
### BEGIN HIDDEN TESTS
check(random_search, product_of, space, -2, np.random.default_rng(0)).raises(ValueError)
space = {"one": (0.2, 0.9), "two": (3.0, 4000.0), "three": (1e-8, 1.0)}
for trials in (1, 11):
    u = np.random.default_rng(trials).random((trials, 3))
    low, high = np.array(list(space.values())).T
    rows = np.exp(np.log(low) + u * (np.log(high) - np.log(low)))
    settings = [dict(zip(space, row.tolist(), strict=True)) for row in rows]
    scores = [-abs(math.log(row[1] / 50)) for row in rows]
    expected = settings[int(np.argmax(scores))], settings, scores
    check(
        random_search, lambda setting: -abs(math.log(setting["two"] / 50)), space, trials, np.random.default_rng(trials)
    ).gives(expected, rtol=1e-6)
### END HIDDEN TESTS


# %% tests="random_search" points=1
def kept(scores):
    """Trials with these scores: which is kept, how often score was called, the scores returned, NaN among them"""
    calls = []

    def score(setting):
        calls.append(setting)
        return scores[(len(calls) - 1) % len(scores)]

    best, settings, returned = random_search(score, {"lr": (0.1, 10.0)}, len(scores), np.random.default_rng(1))
    place = None if best is None else [setting["lr"] for setting in settings].index(best["lr"])
    return place, len(calls), len(returned), int(np.isnan(returned).sum())


# A run that diverged must not win, wherever it stands; its NaN stays among the scores. Scores may all be negative. Of
# equals the first is kept.
nan = float("nan")
check(kept, [0.3, 0.7, nan, 0.5]).gives((1, 4, 4, 1))
check(kept, [nan, 3.0, 8.0, 2.0]).gives((2, 4, 4, 1))
check(kept, [-8.0, -3.0, -2.0, -5.0, -9.0]).gives((2, 5, 5, 0))
check(kept, [-3.0, nan, -8.0]).gives((0, 3, 3, 1))
check(kept, [0.2, 0.6, 0.6]).gives((1, 3, 3, 0))
check(kept, [nan, nan]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(kept, [5.0]).gives((0, 1, 1, 0))
check(kept, [nan, nan, -50.0, nan]).gives((2, 4, 4, 3))
### END HIDDEN TESTS

# %% [markdown]
# ### Play: the search picture, live
#
# Left **your** `grid`, right **your** `random_search`, on the same landscape of scores: bright is good. Above each
# square the points are projected on the horizontal axis, beside it on the vertical one, as in the figure of Bergstra
# and Bengio. The landscape is made up: move its ridge.
#
# 1. With 16 trials, how many different values of the horizontal setting does each of the two try?
# 2. Move the ridge along. When does the grid win, and does it know beforehand?
# 3. One place of the ridge says little; the last sentence averages over all of them. Turn up the weight of the vertical
#    setting until both matter alike: what happens to the advantage of chance? (The grid always has a trial where its
#    best column crosses its best row.)

# %% widget="search_picture" covers="110"
# alt: Twice 16 points in a square: the grid stands in 4 columns and tries 4 rates; the random ones try 16.
# picture: SearchPicture(grid, random_search)
from convnets.widgets import SearchPicture

SearchPicture(grid, random_search)

# %% [markdown]
# ### The headline: 16 trials for a real network
#
# The space of the prediction; an MLP with 64 hidden units, 100 steps of SGD with momentum 0.9 on 1,000 pictures of
# clothes; 1,000 more choose among the trials, and 2,000 test pictures judge what was chosen. The seed of the training
# is the same in all trials. (Up to 35 seconds.) In the lower panels a point is the brighter, the better its held-out
# accuracy.

# %% experiment seconds=35 covers="110"
SPACE = {"lr": (1e-4, 10.0), "weight decay": (1e-7, 0.1)}
clothes = data.fashion_mnist(2000, training.full_or_fast(2000, 200))
x, y = clothes.x_train[:1000], clothes.y_train[:1000]
held_x, held_y = clothes.x_train[1000:], clothes.y_train[1000:]


def train_with(setting):
    """Return a net trained with this learning rate and this weight decay."""
    lr, weight_decay = setting["lr"], setting["weight decay"]
    return fit(mlp(64, 0), x, y, 100, 0, lr=lr, weight_decay=weight_decay, adam=False)


def held_out_score(setting):
    """Return the held-out accuracy in %; NaN where the weights are not finite."""
    scores = logits_of(train_with(setting), held_x)
    return percent_right(scores, held_y) if np.isfinite(scores).all() else math.nan


def test_accuracy(setting):
    """Return the test accuracy in %."""
    return percent_right(logits_of(train_with(setting), clothes.x_test), clothes.y_test)


with timing.one_thread():
    grid_settings = grid(SPACE, training.full_or_fast(4, 2))
    grid_scores = [held_out_score(setting) for setting in training.progress(grid_settings, "point of the grid")]
    grid_best = grid_settings[int(np.nanargmax(grid_scores))]
    grid_accuracy = test_accuracy(grid_best)
    searches = [
        random_search(held_out_score, SPACE, len(grid_settings), np.random.default_rng(seed))
        for seed in training.progress(range(training.full_or_fast(4, 1)), "random search")
    ]
    random_accuracy = [test_accuracy(best) for best, *_ in searches]
wins = sum(accuracy > grid_accuracy for accuracy in random_accuracy)
advantage = float(np.mean(random_accuracy) - grid_accuracy)
optimism = float(np.mean([np.nanmax(scores) for *_, scores in searches]) - np.mean(random_accuracy))
measured["search"] = wins, len(grid_settings), grid_accuracy, random_accuracy
per_axis = round(len(grid_settings) ** 0.5)
print(
    f"grid: held-out {np.nanmax(grid_scores):.1f} %, test {grid_accuracy:.1f} %, "
    f"at a learning rate of {grid_best['lr']:.2g}"
)
for (best, _, scores), accuracy in zip(searches, random_accuracy, strict=True):
    print(f"random: held-out {np.nanmax(scores):.1f} %, test {accuracy:.1f} %, at a learning rate of {best['lr']:.2g}")
print(f"the held-out score of what random search kept is {optimism:+.1f} points above its test score, on average")
lesson.target(f"random searches that beat the grid on test pictures, of {len(searches)}", wins, at_least=3)

fig, axes = plots.figure(2, 2, width=8.2, height=4.6, sharex="col", gridspec_kw={"height_ratios": [1, 2.2]})
for column, (title, settings, scores) in enumerate(
    (("grid", grid_settings, grid_scores), ("random, first draw", searches[0][1], searches[0][2]))
):
    rates = [setting["lr"] for setting in settings]
    axes[0, column].vlines(rates, 0, scores, color=plots.PALETTE[column], linewidth=1)
    axes[0, column].plot(rates, scores, plots.MARKERS[column], color=plots.PALETTE[column])
    axes[0, column].set(title=f"{title}: {len({round(math.log10(r), 6) for r in rates})} learning rates", ylim=(0, 90))
    axes[1, column].scatter(
        rates,
        [s["weight decay"] for s in settings],
        c=scores,
        cmap="viridis",
        vmin=10,
        vmax=80,
        s=60,
        edgecolor="black",
    )
    axes[1, column].set(xscale="log", yscale="log", xlabel="learning rate", xlim=(5e-5, 20), ylim=(4e-8, 0.25))
axes[0, 0].set_ylabel("held-out, %")
axes[1, 0].set_ylabel("weight decay")
plots.show(
    fig,
    alt="The trials of the grid and of one random search in the plane of learning rate and weight decay, and their "
    f"scores projected on the learning rate. The grid tries {per_axis} learning rates, the "
    f"random search {len(grid_settings)}. Best held-out accuracy: grid {np.nanmax(grid_scores):.0f} %, random "
    f"{np.nanmax(searches[0][2]):.0f} %.",
)
lesson.reveal(
    "random_or_grid",
    answer=0 if advantage < -1 else 1 if advantage <= 1 else 2 if advantage <= 5 else 3,
    because=f"Mean over the draws ({len(searches)}): {advantage:+.1f} points. The learning rate decides nearly "
    f"everything here, and the grid tries only {per_axis} of them, each {per_axis} times.",
)

# %% [markdown]
# Look at the upper panels. All 16 trials of the grid fall on four learning rates, so that twelve of them repeat what is
# known already as far as the learning rate is concerned. Random search spends every trial on a new one. Nobody has to
# know beforehand which of the settings matters.
#
# ### Was the grid unlucky?
#
# A fair objection: had its points fallen elsewhere, the grid might have hit the best rate. The cell measures the scores
# on a table of 22 learning rates and 3 weight decays, and fills in between them. On this measured landscape it plays
# 300 rounds with a range that begins anywhere from 0.00001 to 0.001 and spans five powers of ten, for the grid and for
# random search alike. A last row spends all 16 trials on the learning rate alone. (Up to 35 seconds.)

# %% experiment seconds=35
clothes = data.fashion_mnist(2000, 100)
x, y = clothes.x_train[:1000], clothes.y_train[:1000]
held_x, held_y = clothes.x_train[1000:], clothes.y_train[1000:]
table_rates = np.geomspace(1e-5, 100, training.full_or_fast(22, 5))
table_decays = np.geomspace(1e-7, 0.1, training.full_or_fast(3, 2))


def held_out_score_at(lr, decay):
    """Return the held-out accuracy in % of a net trained with this learning rate and this weight decay."""
    net = fit(mlp(64, 0), x, y, 100, 0, lr=lr, weight_decay=decay, adam=False)
    return percent_right(logits_of(net, held_x), held_y)


with timing.one_thread():
    table = np.array(
        [
            [held_out_score_at(lr, decay) for decay in table_decays]
            for lr in training.progress(table_rates, "learning rate")
        ]
    )


def between(setting):
    """Return the score of a setting, filled in between the neighbours in the table."""
    columns = [np.interp(math.log(setting["lr"]), np.log(table_rates), column) for column in table.T]
    return float(np.interp(math.log(setting["weight decay"]), np.log(table_decays), columns))


rounds, only_rate = [], []
rng = np.random.default_rng(0)
for _ in range(training.full_or_fast(300, 5)):
    low = 10 ** rng.uniform(-5, -3)
    space = {"lr": (low, 1e5 * low), "weight decay": (1e-7, 0.1)}
    by_chance = max(random_search(between, space, 16, rng)[2])
    rounds.append((max(between(setting) for setting in grid(space, 4)), by_chance))
    line = grid({"lr": space["lr"]}, 16)
    only_rate.append((max(between({**setting, "weight decay": 1e-7}) for setting in line), by_chance))
by_grid, by_chance = np.array(rounds).T
share = float((by_chance > by_grid).mean())
along_line = np.array(only_rate)[:, 0]
measured["shifted grids"] = share, float((by_chance - by_grid).mean())
print(f"random search beats the 4 x 4 grid in {share:.0%} of {len(rounds)} rounds")
for name, found in {"grid": by_grid, "random": by_chance, "16 learning rates alone": along_line}.items():
    low, high = np.percentile(found, [10, 90])
    print(f"{name:23} mean {found.mean():.1f} %, a tenth of the rounds below {low:.1f} %, a tenth above {high:.1f} %")

# %% [markdown] covers="109 111 117"
# So part of the headline was luck: where a grid's points happen to fall well, it wins, and random search has bad rounds
# too. On average chance is ahead. And who *knows* that only the learning rate matters should search it alone: 16 evenly
# spread rates are the best of the three. Random search is for those who do not know.
#
# Two pieces of advice that no search replaces. On the architecture lecture E says: look at previous work on similar
# problems, count what you can compute, and go wider and deeper only *if you can tune it right*; do not begin from
# scratch. And lecture B reminds that collecting, cleaning and preprocessing data takes more than half of the time, and
# that to debug and to visualize deep networks are skills of their own.
#
# # Part 3 · Few pictures, and when to stop
#
# ## {{exercise:k_fold}}
#
# Lecture E: *just like any classifier you can also use cross-validation for deep learning*, and *costs for trying a
# parameter setting are high*. With few pictures a held-out part is so small that its score is mostly chance. **k-fold
# cross-validation** lets every picture be held out once: the pictures are shuffled and cut into $k$ **folds**; fold $j$
# is held out while the net trains on all others; the $k$ scores are averaged.
#
# Shuffle the numbers $0 \dots n-1$ by one call `rng.permutation(n)`. Cut the result into $k$ pieces in a row, as equal
# as possible: where $n$ is not divisible by $k$, the first $n \bmod k$ folds have one more. The training part is the
# shuffled order without the fold.


# %% exercise="k_fold" difficulty=2 minutes=10 covers="109"
def k_fold(n, k, rng):
    """Split the numbers 0 to n - 1 for k-fold cross-validation.

    Parameters
    ----------
    n : int
        Number of examples.
    k : int, 2 to n
        Number of folds.
    rng : numpy.random.Generator
        Asked once, for `rng.permutation(n)`.

    Returns
    -------
    list of (train, held_out)
        k pairs of ndarrays of int: the examples to train on, and those of the fold. Both in the shuffled order.

    Raises
    ------
    ValueError
        If k is less than 2 or more than n.
    """
    ### BEGIN SOLUTION
    if not 2 <= k <= n:
        raise ValueError(f"k must lie between 2 and {n}, not at {k}")
    folds = np.array_split(rng.permutation(n), k)
    return [(np.concatenate(folds[:j] + folds[j + 1 :]), fold) for j, fold in enumerate(folds)]
    ### END SOLUTION


# %% tests="k_fold" points=1
# Ten examples in four folds of 3, 3, 2 and 2.
order = np.random.default_rng(0).permutation(10)
parts = [slice(0, 3), slice(3, 6), slice(6, 8), slice(8, 10)]
folds = [(np.delete(order, part), order[part]) for part in parts]
check(k_fold, 10, 4, np.random.default_rng(0)).gives(folds)
# As many folds as examples: each is held out alone.
order = np.random.default_rng(1).permutation(4)
alone = [(order[[1, 2, 3]], order[:1]), (order[[0, 2, 3]], order[1:2]), (order[[0, 1, 3]], order[2:3])]
check(k_fold, 4, 4, np.random.default_rng(1)).gives([*alone, (order[:3], order[3:])])
### BEGIN HIDDEN TESTS
for n, k in [(12, 5), (10, 2), (7, 3), (23, 4)]:
    order = np.random.default_rng(n).permutation(n)
    starts = [j * (n // k) + min(j, n % k) for j in range(k)]
    sizes = [n // k + (j < n % k) for j in range(k)]
    slices = [slice(start, start + size) for start, size in zip(starts, sizes, strict=True)]
    expected = [(np.delete(order, part), order[part]) for part in slices]
    check(k_fold, n, k, np.random.default_rng(n)).gives(expected)
### END HIDDEN TESTS


# %% tests="k_fold" points=1
def seen(n, k):
    """How often each example is held out, and whether an example is ever trained on and held out at once"""
    folds = k_fold(n, k, np.random.default_rng(2))
    times = np.bincount(np.concatenate([held_out for _, held_out in folds]), minlength=n)
    return times, any(np.isin(held_out, train).any() for train, held_out in folds), len(folds)


# Every example is held out once, and never trained on then. One fold, and more folds than examples, are errors.
check(seen, 11, 4).gives(([1] * 11, False, 4))
check(seen, 5, 2).gives(([1] * 5, False, 2))
check(k_fold, 5, 1, np.random.default_rng(0)).raises(ValueError)
check(k_fold, 5, 6, np.random.default_rng(0)).raises(ValueError)
### BEGIN HIDDEN TESTS
check(seen, 10, 5).gives(([1] * 10, False, 5))
check(k_fold, 5, 0, np.random.default_rng(0)).raises(ValueError)
check(k_fold, 0, 2, np.random.default_rng(0)).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### What five folds are worth
#
# 150 pictures of clothes are all there is. This is done 40 times, with another 150 each. The classifier is linear,
# fitted to the labels by least squares with L2 (one formula, no steps), so that the cell can afford it. Its strength
# $\lambda$ is chosen from nine by the score on one held-out fifth, or by the mean over five folds. Then a model is
# fitted to all 150 with the chosen $\lambda$, and judged on 4,000 pictures. (Up to 20 seconds.)


# %% experiment seconds=20
def ridge_scores(x, y, held_x, strengths):
    """Return the scores (len(strengths), N, 10) of linear least squares with L2, fitted to one-hot labels."""
    mean = x.mean(axis=0)
    x, held_x = x - mean, held_x - mean
    values, vectors = np.linalg.eigh(x @ x.T)
    turned, features = vectors.T @ (np.eye(10)[y] - 0.1), held_x @ (x.T @ vectors)
    return [features @ (turned / (values + strength)[:, None]) for strength in strengths]


clothes = data.fashion_mnist(20_000, training.full_or_fast(4000, 500))
flat, flat_test = (part.reshape(len(part), -1).astype(float) for part in (clothes.x_train, clothes.x_test))
strengths = np.geomspace(0.1, 1e4, 9)
estimates, chosen_accuracy, best_possible = {}, {}, []
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(40, 3)), "draw of 150 pictures"):
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(len(flat))[:150]
        x, y = flat[drawn], clothes.y_train[drawn]
        scores = np.array(
            [
                [percent_right(s, y[held]) for s in ridge_scores(x[train], y[train], x[held], strengths)]
                for train, held in k_fold(150, 5, rng)
            ]
        )
        truth = [percent_right(s, clothes.y_test) for s in ridge_scores(x, y, flat_test, strengths)]
        best_possible.append(max(truth))
        for way, mean in {"one fifth": scores[0], "five folds": scores.mean(axis=0)}.items():
            middle = len(strengths) // 2
            estimates.setdefault(way, []).append(mean[middle] - truth[middle])
            chosen_accuracy.setdefault(way, []).append(truth[int(np.argmax(mean))])
for way, off in estimates.items():
    print(
        f"{way:10}: the score of one strength is off by {np.sqrt(np.mean(np.square(off))):.1f} points (rms), "
        f"on average {np.mean(off):+.1f}; the chosen one reaches {np.mean(chosen_accuracy[way]):.2f} %"
    )
print(f"best strength of each draw, known only from the test pictures: {np.mean(best_possible):.2f} %")
fold_gain = float(np.mean(chosen_accuracy["five folds"]) - np.mean(chosen_accuracy["one fifth"]))
spreads = {way: float(np.sqrt(np.mean(np.square(off)))) for way, off in estimates.items()}
measured["folds"] = spreads["one fifth"], spreads["five folds"], fold_gain, len(best_possible)
fig, ax = plots.figure(width=6.6, height=2.6)
for k, off in enumerate(estimates.values()):
    ax.plot(
        off,
        np.full(len(off), k) + np.linspace(-0.25, 0.25, len(off)),
        plots.MARKERS[k],
        color=plots.PALETTE[k],
        alpha=0.6,
    )
ax.axvline(0, color="black", linewidth=1)
ax.set_yticks([0, 1], list(estimates))
ax.set(xlabel="estimated less true accuracy, points (one dot for each draw)")
plots.show(
    fig,
    alt=f"Error of the estimated accuracy, a dot for each draw of 150 pictures. One held-out fifth is off by "
    f"{spreads['one fifth']:.1f} points (rms), five folds by {spreads['five folds']:.1f}.",
)

# %% [markdown] covers="108"
# Five folds cost five trainings, and the estimate scatters less. Its mean is a little too low: a fold's model has seen
# 120 pictures and not 150. For choosing the strength the gain is smaller than for the estimate; read both above.
#
# ### Early stopping as a check of convergence
#
# Lecture E lists early stopping in the toolbox as *convergence check*. You wrote its rule in module 10; here a short
# version counts what it saves. 500 digits, an MLP with 128 units, 60 epochs of 10 steps; 300 further digits are held
# out and looked at after each epoch; patience 5; the weights of the best epoch are kept. Six draws. (Up to 25 seconds.)


# %% experiment seconds=25 covers="108"
def stopping_epoch(losses, patience):
    """Return the best epoch and the number of epochs run, as module 10 defines them (min_delta 0)."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        elif epoch - best == patience:
            return best, epoch + 1
    return best, len(losses)


digits = data.digits(n_test=training.full_or_fast(2000, 200))
epochs = training.full_or_fast(60, 8)
stopped_at, at_stop, at_end = [], [], []
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(6, 1)), "draw of 500 digits"):
        order = np.random.default_rng(seed).permutation(len(digits.x_train))
        x, y = digits.x_train[order[:500]], digits.y_train[order[:500]]
        held_x, held_y = digits.x_train[order[500:800]], digits.y_train[order[500:800]]
        net, losses, accuracies = mlp(128, seed), [], {}
        adam = optimizer_of(net, 1e-3)
        for epoch in range(epochs):
            fit(net, x, y, training.full_or_fast(10, 200), 1000 * seed + epoch, optimizer=adam)
            scores = logits_of(net, held_x).astype(float)
            losses.append(float(nn.functional.cross_entropy(torch.from_numpy(scores), torch.from_numpy(held_y))))
            # Only the best epoch so far can be the one that is kept.
            if losses[-1] == min(losses) or epoch == epochs - 1:
                accuracies[epoch] = percent_right(logits_of(net, digits.x_test), digits.y_test)
        best, run = stopping_epoch(losses, 5)
        stopped_at.append(run)
        at_stop.append(accuracies[best])
        at_end.append(accuracies[epochs - 1])
saved = 1 - float(np.mean(stopped_at)) / epochs
cost = float(np.mean(at_stop) - np.mean(at_end))
measured["stopping"] = saved, cost
print(f"epochs run of {epochs}: {stopped_at}; {saved:.0%} saved")
print(f"test accuracy: best epoch {np.mean(at_stop):.1f} %, after all {epochs} epochs {np.mean(at_end):.1f} %")
print(f"difference {cost:+.1f} points ({np.round(np.array(at_stop) - np.array(at_end), 1)})")

# %% [markdown]
# Read the two lines together: the share of the epochs that was saved, and what it changed in accuracy. A search over
# settings can spend the saved epochs on further trials. Two traps: the held-out digits have now been used for a choice,
# so their score is too good, as the held-out score of the search was; and the test digits must not be the ones that
# stop the run.
#
# # Part 4 · Averages of networks
#
# ## {{exercise:average_probabilities}}
#
# Lecture E: *train multiple independent models; at test time average their results; enjoy 2% extra performance*.
# Averaged are the **probabilities**. For member $m$ with logits $z_{m,n,c}$ for example $n$ and class $c$:
#
# $$p_{n,c} = \frac{1}{M} \sum_{m=1}^{M} \frac{e^{z_{m,n,c}}}{\sum_{j} e^{z_{m,n,j}}}$$
#
# The mean of the *logits* is something else: a member that is very sure of itself outvotes all others there. Logits may
# be as large as 1000; subtracting each row's largest logit first changes nothing in the result and keeps the
# exponentials finite.


# %% exercise="average_probabilities" difficulty=1 minutes=8 covers="112"
def average_probabilities(logits):
    """Average the class probabilities of the members of an ensemble.

    Parameters
    ----------
    logits : ndarray of float, shape (M, N, C)
        Of M members for N examples and C classes; stays as it is.

    Returns
    -------
    ndarray, shape (N, C)
        Every row sums to 1; of the dtype of logits.

    Raises
    ------
    ValueError
        If logits has not three axes.
    """
    ### BEGIN SOLUTION
    if np.ndim(logits) != 3:
        raise ValueError(f"logits must have the shape (M, N, C), not {np.shape(logits)}")
    exponentials = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (exponentials / exponentials.sum(axis=2, keepdims=True)).mean(axis=0)
    ### END SOLUTION


# %% tests="average_probabilities" points=1
# Three members, two examples, three classes; the logits are logarithms of probabilities, moved by a constant.
members = np.array(
    [[[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], [[0.4, 0.4, 0.2], [0.2, 0.3, 0.5]], [[0.1, 0.3, 0.6], [0.3, 0.6, 0.1]]]
)
logits = np.log(members) + np.array([[[2.0], [-1.0]], [[0.0], [4.0]], [[-3.0], [1.0]]])
check(average_probabilities, logits).gives([[0.4, 0.3, 0.3], [0.2, 0.5, 0.3]])
check(average_probabilities, logits[1:2]).gives([[0.4, 0.4, 0.2], [0.2, 0.3, 0.5]])
check(average_probabilities, logits.astype(np.float32)).gives(
    [[0.4, 0.3, 0.3], [0.2, 0.5, 0.3]], rtol=1e-5, dtype=np.float32
)
### BEGIN HIDDEN TESTS
for shape in [(2, 5, 4), (7, 1, 10), (1, 3, 2)]:
    logits = 3 * np.random.default_rng(3).normal(size=shape)
    expected = torch.softmax(torch.tensor(logits), dim=2).mean(dim=0).numpy()
    check(average_probabilities, logits).gives(expected)
### END HIDDEN TESTS

# %% tests="average_probabilities" points=1
# One sure member against two others; then logits of a thousand; then the logits of a single member.
logits = np.array([[[9.0, 0.0]], [[-1.0, 0.0]], [[-1.0, 0.0]]])
sure, unsure = 1 / (1 + np.exp(-9.0)), 1 / (1 + np.exp(1.0))
mean = (sure + 2 * unsure) / 3
check(average_probabilities, logits).gives([[mean, 1 - mean]])
check(average_probabilities, np.array([[[1000.0, 0.0, 1000.0]], [[-1000.0, 0.0, 0.0]]])).gives([[0.25, 0.25, 0.5]])
check(average_probabilities, np.array([[1.0, 2.0, 0.5], [0.0, 3.0, 1.0]])).raises(ValueError)
### BEGIN HIDDEN TESTS
check(average_probabilities, np.zeros(4)).raises(ValueError)
check(average_probabilities, np.full((2, 2, 5), -1e4)).gives(np.full((2, 5), 0.2))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:error_correlation}}
#
# What members know in common, an average cannot improve. Suppose each of $M$ members makes an error with variance
# $\sigma^2$, and any two errors have the correlation $\rho$. Then the error of their mean has the variance
#
# $$\sigma^2 \left( \rho + \frac{1 - \rho}{M} \right)$$
#
# With $\rho = 0$ five members leave a fifth of it, with $\rho = 0.8$ they leave 0.84 of it, and infinitely many 0.8. So
# lecture E takes over from random forests: *we want to make the models as different as possible to minimize the
# correlations between their errors.*
#
# For a classifier the error of member $a$ on example $n$ is $e_{a,n} = 1$ if its class is not the label, and 0 if it
# is. With $\bar e_a$ the mean over the examples, the correlation of two members is
#
# $$\rho_{ab} = \frac{\sum_n (e_{a,n} - \bar e_a)(e_{b,n} - \bar e_b)}
# {\sqrt{\sum_n (e_{a,n} - \bar e_a)^2 \; \sum_n (e_{b,n} - \bar e_b)^2}}$$
#
# Two members are positively correlated if they fail on the same examples, *whatever they take them for*. A member that
# is never wrong, or always, has no correlation: $0/0$.


# %% exercise="error_correlation" difficulty=2 minutes=14 covers="113"
def error_correlation(predictions, labels):
    """Correlate the errors of the members of an ensemble.

    Parameters
    ----------
    predictions : ndarray of int, shape (M, N)
        Class that each of M members gives to each of N examples.
    labels : ndarray of int, shape (N,)
        The right classes.

    Returns
    -------
    ndarray of float64, shape (M, M)
        Entry (a, b) is the correlation of the errors of a and b; the diagonal is 1.

    Raises
    ------
    ValueError
        If labels has not the shape (N,), or a member is wrong on no example or on all.
    """
    ### BEGIN SOLUTION
    if np.ndim(predictions) != 2 or np.shape(labels) != (np.shape(predictions)[1],):
        raise ValueError(f"predictions (M, N) and labels (N,) do not fit: {np.shape(predictions)}, {np.shape(labels)}")
    errors = (predictions != labels).astype(np.float64)
    errors -= errors.mean(axis=1, keepdims=True)
    lengths = np.sqrt((errors**2).sum(axis=1))
    if np.any(lengths == 0):
        raise ValueError("a member is wrong on no example or on all: its errors have no correlation")
    return errors @ errors.T / np.outer(lengths, lengths)
    ### END SOLUTION


# %% tests="error_correlation" points=1
# Five examples. Member 0 fails on the first two, member 1 on the first and the last, member 2 on the last three.
labels = np.array([3, 1, 4, 1, 5])
predictions = np.array([[2, 0, 4, 1, 5], [7, 1, 4, 1, 3], [3, 1, 6, 2, 6]])
root = 1 / 6
check(error_correlation, predictions, labels).gives(
    [[1, root, -1], [root, 1, -root], [-1, -root, 1]], rtol=1e-9, atol=1e-12
)
# Failing on the same examples is a correlation of 1, whatever is said there.
check(error_correlation, np.array([[9, 9, 4, 1, 5], [2, 0, 4, 1, 5]]), labels).gives([[1, 1], [1, 1]], rtol=1e-9)
check(error_correlation, predictions[:1], labels).gives([[1]], rtol=1e-9)
### BEGIN HIDDEN TESTS
for m, n in [(4, 30), (2, 7), (6, 200)]:
    rng = np.random.default_rng(4)
    labels, predictions = rng.integers(0, 3, n), rng.integers(0, 3, (m, n))
    predictions[:, 0], predictions[:, 1] = labels[0], labels[1] + 1
    check(error_correlation, predictions, labels).gives(np.corrcoef(predictions != labels), rtol=1e-9, atol=1e-12)
### END HIDDEN TESTS

# %% tests="error_correlation" points=1
# A member that is never wrong; one that always is; labels of another number of examples, or as a column.
labels = np.array([0, 1, 2, 1])
some_wrong = [0, 2, 2, 1]
check(error_correlation, np.array([some_wrong, [0, 1, 2, 1]]), labels).raises(ValueError)
check(error_correlation, np.array([[1, 2, 0, 0], some_wrong]), labels).raises(ValueError)
check(error_correlation, np.array([some_wrong, [1, 0, 2, 1]]), labels[:1]).raises(ValueError)
check(error_correlation, np.array([some_wrong, [1, 0, 2, 1]]), labels[:, None]).raises(ValueError)
# Members that fail together as often as chance has it: on one of six, with two and three errors.
labels = np.zeros(6, int)
wrong = np.array([[1, 2, 0, 0, 0, 0], [3, 0, 1, 2, 0, 0]])
check(error_correlation, wrong, labels).gives([[1, 0], [0, 1]], rtol=1e-9)
# Members that fail half of the time, and together more often than apart.
labels = np.zeros(8, int)
wrong = np.array([[1, 2, 3, 1, 0, 0, 0, 0], [2, 1, 1, 0, 4, 0, 0, 0]])
check(error_correlation, wrong, labels).gives([[1, 0.5], [0.5, 1]], rtol=1e-9)
### BEGIN HIDDEN TESTS
check(error_correlation, np.array([0, 1, 2, 0]), np.array([0, 1, 2, 1])).raises(ValueError)
check(error_correlation, wrong, labels[:7]).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### What makes members different?
#
# Lecture E names three ways: *different initializations or different architectures or different subsets of the training
# data*. Each gives five networks here, trained on the same 1,000 pictures of clothes for 300 steps of Adam and tested
# on 5,000. A fourth row takes the last five checkpoints of *one* of these runs, 20 steps apart. A fifth takes the five
# initializations after 100 steps: the lecture says that *it is helpful to over-fit the individual models*, and the cell
# prints how well the members of both rows know their own training pictures. One draw of 1,000 pictures; in two others,
# measured beforehand, the gains lay up to 0.7 points away. (Up to 40 seconds.)


# %% experiment seconds=40 covers="112 113"
def mean_correlation(predictions, labels):
    """Return the mean correlation of the errors of two different members."""
    rho = error_correlation(predictions, labels)
    return float(rho[~np.eye(len(rho), dtype=bool)].mean())


clothes = data.fashion_mnist(1000, training.full_or_fast(5000, 300))
x, y = clothes.x_train, clothes.y_train
kinds = {"initialization": [], "subset of the data": [], "architecture": [], "five checkpoints of one run": []}
kinds["initialization, 100 steps"] = []
by_heart = {"100 steps": [], "300 steps": []}
with timing.one_thread():
    for k in training.progress(range(5), "member of each kind"):
        net = small_conv(k)
        adam = optimizer_of(net)
        fit(net, x, y, 100, k, optimizer=adam)
        kinds["initialization, 100 steps"].append(logits_of(net, clothes.x_test))
        by_heart["100 steps"].append(percent_right(logits_of(net, x), y))
        fit(net, x, y, 120, 10 + k, optimizer=adam)
        for checkpoint in range(5):
            if checkpoint:
                fit(net, x, y, 20, 20 + 5 * k + checkpoint, optimizer=adam)
            if k == 0:
                kinds["five checkpoints of one run"].append(logits_of(net, clothes.x_test))
        kinds["initialization"].append(logits_of(net, clothes.x_test))
        by_heart["300 steps"].append(percent_right(logits_of(net, x), y))
        part = np.random.default_rng(k).integers(0, 1000, 1000)
        net = fit(small_conv(0), x[part], y[part], 300, k)
        kinds["subset of the data"].append(logits_of(net, clothes.x_test))
    # The first of the five architectures is the one above, already trained.
    kinds["architecture"].append(kinds["initialization"][0])
    different = (
        small_conv(1, kernel=5, channels=6),
        small_conv(2, channels=12, activation=nn.Tanh),
        mlp(128, 3),
        nn.Sequential(nn.AvgPool2d(2), *small_conv(4, channels=12)[:4], nn.Flatten(), nn.Linear(384, 10)),
    )
    for k, net in enumerate(different, start=1):
        kinds["architecture"].append(logits_of(fit(net, x, y, 300, k), clothes.x_test))
summary = {}
for kind, members in kinds.items():
    logits = np.stack(members)
    single = float(np.mean([percent_right(z, clothes.y_test) for z in logits]))
    together = percent_right(average_probabilities(logits), clothes.y_test)
    rho = mean_correlation(logits.argmax(axis=2), clothes.y_test)
    summary[kind] = single, together, rho
    print(f"{kind:27} one {single:.1f} %, five {together:.1f} %, gain {together - single:+.1f}, correlation {rho:.2f}")
for steps, shares in by_heart.items():
    print(f"after {steps} a member labels {np.mean(shares):.1f} % of its training pictures right")
measured["ensembles"] = {kind: (b - a, rho, b) for kind, (a, b, rho) in summary.items()}
gain = measured["ensembles"]["initialization"][0]
lesson.target("gain by five initializations over one", gain, at_least=0.5, unit="points")
fig, ax = plots.figure(width=6.8, height=3.2)
for k, (kind, (single, together, rho)) in enumerate(summary.items()):
    ax.plot(
        [rho], [together - single], plots.MARKERS[k], color=plots.PALETTE[k], markersize=9, linestyle="none", label=kind
    )
ax.set(xlabel="mean correlation of the errors of two members", ylabel="five less one, points")
ax.set_ylim(0, 1.15 * max(together - single for single, together, _ in summary.values()))
ax.legend(fontsize=8)
in_words = "; ".join(f"{kind}: correlation {rho:.2f}, gain {b - a:.1f}" for kind, (a, b, rho) in summary.items())
plots.show(fig, alt=f"Gain of five networks over one against the correlation of their errors. {in_words}.")

# %% [markdown] covers="114"
# On the whole, the less the errors of the members are correlated, the more five of them gain over *one of them*. But
# look at the column "five" too: members that each saw only a part of the data are worse one by one, and the ensemble
# inherits that. What counts in the end is the accuracy of the five together, and there none of the first three kinds is
# far ahead: from draw to draw they change places. Lecture E's next slide has the bill: *a big ensemble is highly
# redundant*; five networks cost five times the time and memory at each use.
#
# Two doubts. 1,000 pictures are few. And the learning rate of these members never fell, so that part of what the
# average removes is the jitter of the last steps: even five checkpoints of one run gain. What is left of the gain with
# eight times as many pictures, at a constant rate and with one that falls over the last 200 of 500 steps? (Up to 40
# seconds.)

# %% experiment seconds=40 covers="114"
clothes = data.fashion_mnist(8000, training.full_or_fast(5000, 300))
more_pictures, members = {}, {"constant": [], "falling": []}
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(5, 2)), "member"):
        net = small_conv(seed)
        adam = optimizer_of(net)
        fit(net, clothes.x_train, clothes.y_train, 300, seed, optimizer=adam)
        for way, logits in members.items():
            # Both ways go on from the same weights and from the same state of Adam.
            goes_on, its_adam = copy.deepcopy((net, adam))
            falling = way == "falling"
            fit(goes_on, clothes.x_train, clothes.y_train, 200, 50 + seed, optimizer=its_adam, falling=falling)
            logits.append(logits_of(goes_on, clothes.x_test))
for way in members:
    logits = np.stack(members[way])
    single = float(np.mean([percent_right(z, clothes.y_test) for z in logits]))
    together = percent_right(average_probabilities(logits), clothes.y_test)
    more_pictures[way] = together - single
    rho = error_correlation(logits.argmax(axis=2), clothes.y_test)[~np.eye(len(logits), dtype=bool)].mean()
    print(
        f"8,000 pictures, {way:8} rate: one {single:.1f} %, five {together:.1f} %, gain {together - single:+.1f} "
        f"points, correlation {rho:.2f}"
    )
measured["more pictures"] = more_pictures

# %% [markdown]
# Compare the two gains with each other and with the first row above: the "2 %" of the slide is no constant. Members
# whose learning rate fell are more alike, as their correlation says, and there is less for the average to remove.
#
# ## {{exercise:average_checkpoints}}
#
# *Can also get a small boost from averaging multiple model checkpoints of a single model.* A **checkpoint** is a saved
# state of a network: a dictionary from names to arrays, PyTorch's `state_dict`. Here not the probabilities are averaged
# but the **weights**: for each name the mean over all checkpoints. The result is *one* network, at the cost of one.
#
# Arrays of floating-point numbers are averaged and keep their dtype. Arrays of integers are counters, as batch
# normalization's `num_batches_tracked`: of those, and of every other dtype, the last checkpoint's is taken.


# %% exercise="average_checkpoints" difficulty=2 minutes=14 covers="112"
def average_checkpoints(checkpoints):
    """Average the weights of several checkpoints of one network.

    Parameters
    ----------
    checkpoints : list of dict of str to ndarray
        Oldest first; all have the same names and shapes. They stay as they are.

    Returns
    -------
    dict of str to ndarray
        New arrays: the mean where the dtype is a floating-point one, of this dtype; else the last checkpoint's.

    Raises
    ------
    ValueError
        If there is no checkpoint, or names or shapes differ.
    """
    ### BEGIN SOLUTION
    if not checkpoints:
        raise ValueError("there is no checkpoint to average")
    shapes = [{name: array.shape for name, array in checkpoint.items()} for checkpoint in checkpoints]
    if any(other != shapes[0] for other in shapes):
        raise ValueError("the checkpoints differ in their names or shapes: they are not of one network")
    return {
        name: np.mean([checkpoint[name] for checkpoint in checkpoints], axis=0).astype(last.dtype)
        if np.issubdtype(last.dtype, np.floating)
        else last.copy()
        for name, last in checkpoints[-1].items()
    }
    ### END SOLUTION


# %% tests="average_checkpoints" points=1
# Three checkpoints with a weight of 2 x 3 and a bias; then only the last two of them.
first = {"weight": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "bias": np.array([0.5, -1.0])}
second = {"weight": np.array([[3.0, 2.0, 9.0], [4.0, 8.0, 0.0]]), "bias": np.array([1.5, 4.0])}
third = {"weight": np.array([[5.0, 8.0, 3.0], [1.0, 2.0, 9.0]]), "bias": np.array([4.0, -9.0])}
mean = {"weight": np.array([[3.0, 4.0, 5.0], [3.0, 5.0, 5.0]]), "bias": np.array([2.0, -2.0])}
check(average_checkpoints, [first, second, third]).gives(mean)
last_two = {"weight": np.array([[4.0, 5.0, 6.0], [2.5, 5.0, 4.5]]), "bias": np.array([2.75, -2.5])}
check(average_checkpoints, [second, third]).gives(last_two)
check(average_checkpoints, []).raises(ValueError)
# Not of one network: a name too few or too many, another name, other shapes, wherever the odd one stands.
check(average_checkpoints, [first, {"weight": second["weight"]}]).raises(ValueError)
check(average_checkpoints, [{"weight": second["weight"]}, first]).raises(ValueError)
check(average_checkpoints, [first, {"weight": second["weight"], "offset": second["bias"]}]).raises(ValueError)
check(average_checkpoints, [first, {"weight": np.ones((1, 3)), "bias": np.zeros(2)}]).raises(ValueError)
check(average_checkpoints, [first, {"weight": np.ones((3, 2)), "bias": np.zeros(2)}, third]).raises(ValueError)
check(average_checkpoints, [first, {"weight": np.ones((2, 1)), "bias": np.zeros(2)}, third]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(average_checkpoints, [first]).gives(first)
check(average_checkpoints, [first, {"weight": second["weight"]}, third]).raises(ValueError)
rng = np.random.default_rng(5)
many = [{"a.weight": rng.normal(size=(2, 3, 3)), "z": rng.normal(size=(1,))} for _ in range(7)]
check(average_checkpoints, many).gives({name: sum(m[name] for m in many) / 7 for name in many[0]})
### END HIDDEN TESTS


# %% tests="average_checkpoints" points=1
def average_of_two(dtype, names):
    """Weights of this dtype, counters 100 and [3, 5], then 350 and [4, 2], a mask: these entries and their dtypes"""
    old = {"weight": np.array([1.0, 4.0], dtype), "counter": np.array(100), "seen": np.array([3, 5])}
    new = {"weight": np.array([2.0, 7.0], dtype), "counter": np.array(350), "seen": np.array([4, 2])}
    masks = np.array([True, False]), np.array([False, True])
    average = average_checkpoints([{**old, "mask": masks[0]}, {**new, "mask": masks[1]}])
    return [(average[name].tolist(), str(average[name].dtype)) for name in names]


# float32 weights stay float32; counters and masks are not averaged: the last checkpoint's are taken.
check(average_of_two, np.float32, ["weight"]).gives([([1.5, 5.5], "float32")])
check(average_of_two, np.float64, ["counter", "seen"]).gives([(350, "int64"), ([4, 2], "int64")])
check(average_of_two, np.float64, ["mask"]).gives([([False, True], "bool")])
### BEGIN HIDDEN TESTS
check(average_of_two, np.float16, ["weight", "counter"]).gives([([1.5, 5.5], "float16"), (350, "int64")])
### END HIDDEN TESTS

# %% [markdown]
# ### Averaged weights: of one run, and of two
#
# The small ConvNet on 2,000 pictures of clothes, trained by SGD whose learning rate does not fall, so that the weights
# keep jumping about. After 400 steps its weights are saved every 20 steps, ten times. For comparison the same 200 steps
# with a tenth of the learning rate, and the mean of the weights of two networks from different initializations. Three
# seeds. (Up to 30 seconds.)

# %% experiment seconds=30 covers="112"
clothes = data.fashion_mnist(2000, training.full_or_fast(5000, 300))


def with_weights(weights):
    """Return the ConvNet with these weights."""
    net = small_conv(0)
    net.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    return net


def accuracy_with(weights):
    """Return the test accuracy in % of the ConvNet with these weights."""
    return percent_right(logits_of(with_weights(weights), clothes.x_test), clothes.y_test)


gains, annealed, last_ones, ends = [], [], [], []
with timing.one_thread():
    for seed in training.progress(range(training.full_or_fast(3, 2)), "run"):
        saved = []
        net, (x, y) = small_conv(seed), (clothes.x_train, clothes.y_train)
        sgd = optimizer_of(net, 0.05, adam=False)
        fit(net, x, y, 400, seed, optimizer=sgd, batch=25)
        start = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
        momentum = copy.deepcopy(sgd.state_dict())
        for k in range(10):
            fit(net, x, y, 20, 100 + 10 * seed + k, optimizer=sgd, batch=25)
            saved.append({name: tensor.numpy().copy() for name, tensor in net.state_dict().items()})
        last_ones.append(float(np.mean([accuracy_with(weights) for weights in saved[-3:]])))
        gains.append(accuracy_with(average_checkpoints(saved)) - last_ones[-1])
        slow = with_weights(start)
        sgd = optimizer_of(slow, adam=False)
        sgd.load_state_dict(momentum)
        sgd.param_groups[0]["lr"] = 0.005
        fit(slow, x, y, 200, 9 + seed, optimizer=sgd, batch=25)
        annealed.append(percent_right(logits_of(slow, clothes.x_test), clothes.y_test) - last_ones[-1])
        ends.append(saved[-1])
    # Each run with the one before it; the first with the last.
    two_runs = [accuracy_with(average_checkpoints([ends[k], ends[k - 1]])) for k in range(len(ends))]
measured["checkpoints"] = (
    float(np.mean(gains)),
    float(np.min(gains)),
    float(np.mean(two_runs)),
    float(np.mean(annealed)),
    len(gains),
)
print(f"one checkpoint (mean of the last three): {np.mean(last_ones):.1f} %")
print(f"weights averaged over ten checkpoints of one run: {np.mean(gains):+.1f} points ({np.round(gains, 1)})")
print(
    f"the same 200 steps with a tenth of the learning rate: {np.mean(annealed):+.1f} points ({np.round(annealed, 1)})"
)
print(f"weights averaged over two runs from different starts: {np.mean(two_runs):.1f} % ({np.round(two_runs, 1)})")

# %% [markdown]
# Checkpoints of one run lie around one valley of the loss, and their mean is nearer to its floor than each of them.
# Letting the learning rate fall does the same work: compare the two gains, and do not expect both to add up. Two
# runs end in different valleys: hidden unit 3 of one has nothing to do with unit 3 of the other, and the mean of their
# weights is a network that nobody trained. *Probabilities* of different networks can be averaged, weights cannot.
#
# # Part 5 · What a large network can tell a small one
#
# ## {{exercise:distillation_loss}}
#
# An ensemble is too slow and too large for use. **Distillation**: a small network, the **student**, *is trained on the
# scores of the teacher, not the hard classification* (lecture E; Hinton calls what the scores hold *dark knowledge*).
# A picture of a 4 that the teacher takes for a 9 with 5 % and for a 0 with 0.001 % says something about 4s. Urban and
# others asked in this way whether networks need to be deep: their teacher was an ensemble of 16 CNNs with 8
# convolutional and 2 dense layers each, their students shallow. Their answer was yes, and convolutional too: students
# without several layers of convolution stayed behind, with as many weights as well (*Do deep convolutional nets really
# need to be deep and convolutional?*, 2016, arXiv:1603.05691).
#
# A **temperature** $T$ makes small probabilities visible. With logits $v$ of the teacher and $z$ of the student, of
# shape $(N, C)$:
#
# $$p_{n,c} = \frac{e^{v_{n,c}/T}}{\sum_j e^{v_{n,j}/T}}, \qquad q_{n,c} = \frac{e^{z_{n,c}/T}}{\sum_j e^{z_{n,j}/T}}$$
#
# The loss mixes two terms with weights $\alpha$ and $1 - \alpha$. The first compares the softened probabilities (the
# Kullback-Leibler divergence of the student's from the teacher's), the second is the ordinary cross-entropy with the
# label $y_n$, at temperature 1; $q^{(1)}$ are the student's probabilities there. The divergence is never negative, and
# 0 only where both agree:
#
# $$L = \alpha\, T^2\, \frac{1}{N} \sum_{n,c} p_{n,c} \left( \log p_{n,c} - \log q_{n,c} \right)
# \;-\; (1 - \alpha)\, \frac{1}{N} \sum_n \log q^{(1)}_{n,y_n}$$
#
# Why $T^2$? The gradient of the divergence with respect to $z$ is $(q - p)/T$, and $q - p$ itself shrinks like $1/T$;
# the factor keeps the first term's gradient of about the same size at all high temperatures. Together, with the one-hot
# labels $\delta_{n,c}$, which are 1 at $c = y_n$ and 0 elsewhere:
#
# $$\frac{\partial L}{\partial z_{n,c}} = \frac{1}{N} \left[ \alpha\, T\, (q_{n,c} - p_{n,c}) + (1 - \alpha)
# \left( q^{(1)}_{n,c} - \delta_{n,c} \right) \right]$$
#
# Logits may be as large as 1000, where a probability is exactly 0 in the computer and its logarithm infinite. So
# compute the *logarithms* of the probabilities, $\log q = z/T - \log \sum_j e^{z_j/T}$, with the row's largest value
# subtracted first.


# %% exercise="distillation_loss" difficulty=3 minutes=30 covers="116"
def distillation_loss(student_logits, teacher_logits, labels, temperature, alpha):
    """Compare a student with its teacher and with the labels.

    Parameters
    ----------
    student_logits, teacher_logits : ndarray of float, shape (N, C)
        They stay as they are.
    labels : ndarray of int, shape (N,)
    temperature : float, more than 0
        Of both networks in the first term.
    alpha : float, 0 to 1
        Weight of the first term, the teacher's; the labels have 1 - alpha.

    Returns
    -------
    loss : float
    gradient : ndarray, shape (N, C)
        With respect to student_logits, of their dtype.

    Raises
    ------
    ValueError
        If temperature is not positive, or alpha not between 0 and 1.
    """
    ### BEGIN SOLUTION
    if temperature <= 0 or not 0 <= alpha <= 1:
        raise ValueError(f"temperature > 0 and 0 <= alpha <= 1 are needed, not {temperature} and {alpha}")

    def log_softmax(logits):
        shifted = logits - logits.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    n = len(student_logits)
    log_p, log_q = log_softmax(teacher_logits / temperature), log_softmax(student_logits / temperature)
    p, q = np.exp(log_p), np.exp(log_q)
    log_hard = log_softmax(student_logits)
    one_hot = np.eye(student_logits.shape[1])[labels]
    soft = temperature**2 * (p * (log_p - log_q)).sum() / n
    hard = -log_hard[np.arange(n), labels].mean()
    gradient = (alpha * temperature * (q - p) + (1 - alpha) * (np.exp(log_hard) - one_hot)) / n
    return float(alpha * soft + (1 - alpha) * hard), gradient.astype(student_logits.dtype)
    ### END SOLUTION


# %% tests="distillation_loss" points=1
def loss_of(student_logits, teacher_logits, labels, temperature, alpha):
    """loss, _ = distillation_loss(student_logits, teacher_logits, labels, temperature, alpha); loss"""
    return distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)[0]


# Two examples, three classes. At temperature 1: the labels alone, the teacher alone, a mixture. Then at temperature 4.
student = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]))
teacher = np.log(np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]))
labels = np.array([0, 1])
hard = -(math.log(0.5) + math.log(0.2)) / 2
first = 0.8 * math.log(0.8 / 0.5) + 0.1 * math.log(0.1 / 0.3) + 0.1 * math.log(0.1 / 0.2)
second = 0.2 * math.log(0.2 / 0.1) + 0.5 * math.log(0.5 / 0.2) + 0.3 * math.log(0.3 / 0.7)
check(loss_of, student, teacher, labels, 1.0, 0.0).gives(hard)
check(loss_of, student, teacher, labels, 1.0, 1.0).gives((first + second) / 2)
check(loss_of, student, teacher, labels, 1.0, 0.3).gives(0.3 * (first + second) / 2 + 0.7 * hard)
soft_student, soft_teacher = torch.tensor(student) / 4, torch.tensor(teacher) / 4
divergence = nn.functional.kl_div(soft_student.log_softmax(1), soft_teacher.softmax(1), reduction="batchmean").item()
check(loss_of, student, teacher, labels, 4.0, 1.0).gives(16 * divergence, rtol=1e-6)
check(loss_of, student, teacher, labels, 4.0, 0.3).gives(0.3 * 16 * divergence + 0.7 * hard, rtol=1e-6)
### BEGIN HIDDEN TESTS
for n, c, temperature, alpha in [(1, 2, 0.5, 0.6), (7, 10, 3.0, 0.9), (4, 5, 20.0, 0.25)]:
    rng = np.random.default_rng(6)
    student, teacher, labels = 3 * rng.normal(size=(n, c)), 5 * rng.normal(size=(n, c)), rng.integers(0, c, n)
    z, v = torch.tensor(student), torch.tensor(teacher)
    soft = nn.functional.kl_div(
        (z / temperature).log_softmax(1), (v / temperature).log_softmax(1), reduction="batchmean", log_target=True
    )
    hard = nn.functional.cross_entropy(z, torch.tensor(labels))
    expected = (alpha * temperature**2 * soft + (1 - alpha) * hard).item()
    check(loss_of, student, teacher, labels, temperature, alpha).gives(expected, rtol=1e-6)
### END HIDDEN TESTS


# %% tests="distillation_loss" points=1
def gradient_of(student_logits, teacher_logits, labels, temperature, alpha):
    """_, gradient = distillation_loss(student_logits, teacher_logits, labels, temperature, alpha); gradient"""
    return distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)[1]


def by_autograd(student, teacher, labels, temperature, alpha):
    z = torch.tensor(student, requires_grad=True)
    p = (torch.tensor(teacher) / temperature).softmax(1)
    soft = -(p * (z / temperature).log_softmax(1)).sum() / len(student)
    hard = nn.functional.cross_entropy(z, torch.tensor(labels))
    (alpha * temperature**2 * soft + (1 - alpha) * hard).backward()
    return z.grad.numpy()


# The same numbers. At temperature 1: the labels alone, the teacher alone, a mixture. Then at temperature 4.
student = np.log(np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]))
teacher = np.log(np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3]]))
labels = np.array([0, 1])
mixture = [[-0.22, 0.135, 0.085], [0.02, -0.325, 0.305]]
check(gradient_of, student, teacher, labels, 1.0, 0.0).gives_gradient([[-0.25, 0.15, 0.1], [0.05, -0.4, 0.35]])
check(gradient_of, student, teacher, labels, 1.0, 1.0).gives_gradient([[-0.15, 0.1, 0.05], [-0.05, -0.15, 0.2]])
check(gradient_of, student, teacher, labels, 1.0, 0.3).gives_gradient(mixture)
for temperature, alpha in [(4.0, 1.0), (4.0, 0.3)]:
    expected = by_autograd(student, teacher, labels, temperature, alpha)
    check(gradient_of, student, teacher, labels, temperature, alpha).gives_gradient(expected)
### BEGIN HIDDEN TESTS
for n, c, temperature, alpha in [(1, 2, 0.5, 0.6), (7, 10, 3.0, 0.9), (4, 5, 20.0, 0.25)]:
    rng = np.random.default_rng(7)
    student, teacher, labels = 3 * rng.normal(size=(n, c)), 5 * rng.normal(size=(n, c)), rng.integers(0, c, n)
    expected = by_autograd(student, teacher, labels, temperature, alpha)
    check(gradient_of, student, teacher, labels, temperature, alpha).gives_gradient(expected)
### END HIDDEN TESTS


# %% tests="distillation_loss" points=1
def gradient_for(student_logits, teacher_logits):
    """The gradient for these logits, labels 2 and 0, temperature 3, alpha 0.5"""
    return distillation_loss(student_logits, teacher_logits, np.array([2, 0]), 3.0, 0.5)[1]


# A student like its teacher: only the labels' term is left (a divergence is at least 0, and 0 where both agree). Then
# logits of a thousand: everything stays finite.
same = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
q = np.exp(same) / np.exp(same).sum(axis=1, keepdims=True)
labels_only = -0.2 * (math.log(q[0, 2]) + math.log(q[1, 0])) / 2
gradient = 0.2 * (q - np.array([[0, 0, 1], [1, 0, 0]])) / 2
check(distillation_loss, same, same + 7.0, np.array([2, 0]), 2.0, 0.8).gives((labels_only, gradient), rtol=1e-9)
large, far = np.array([[1000.0, 0.0, -1000.0]]), np.array([[0.0, 1000.0, 0.0]])
check(distillation_loss, large, far, np.array([1]), 2.0, 0.25).gives(
    (0.25 * 4 * 500 + 0.75 * 1000, np.array([[0.25 * 2 + 0.75, -0.25 * 2 - 0.75, 0.0]])), rtol=1e-9, atol=1e-12
)
# The student's logits in float32, the teacher's in float64: the gradient has the student's dtype.
check(gradient_for, same.astype(np.float32), same).gives(gradient * 0.5 / 0.2, rtol=1e-4, atol=1e-6, dtype=np.float32)
check(distillation_loss, same, same, np.array([2, 0]), 0.0, 0.5).raises(ValueError)
check(distillation_loss, same, same, np.array([2, 0]), 2.0, 1.5).raises(ValueError)
check(distillation_loss, same, same, np.array([2, 0]), 2.0, -0.5).raises(ValueError)
### BEGIN HIDDEN TESTS
check(distillation_loss, same, same, np.array([2, 0]), -1.0, 0.5).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### Play: the temperature
#
# The digit is of the test set; the bars are the probabilities of a teacher, an ensemble of three nets. The dots are a
# student's; it begins with equal logits. Each click takes steps of gradient descent along the gradient of **your**
# `distillation_loss`, with this one picture.
#
# 1. At temperature 1, what do the bars tell beyond the label? And at 5, at 20?
# 2. Take the 6. Train the student for five steps at temperature 1, then start again at 5. The line below the picture
#    ranks its classes: by how much does the second lead the third, in both cases?
# 3. Go to the digit whose label is 9: what does the teacher take it for? Train with α at 1, then with α at 0. Where do
#    the dots go?

# %% widget="soft_labels"
# alt: A handwritten 3 and a teacher's probabilities at temperature 3: 8, 5 and 2 show beside 3; a student's dots.
# picture: SoftLabels(distillation_loss, temperature=3, steps=5)
from convnets.widgets import SoftLabels

SoftLabels(distillation_loss)

# %% [markdown]
# ### A student, its teacher, and the control
#
# The teacher: three ConvNets, trained on 500 labelled digits that are moved by up to 3 pixels. The student: an MLP with
# 32 hidden units, about 25,000 weights. 5,000 further digits have no label; the teacher looks at them. Five ways to
# train the student, 800 steps each, two seeds (up to 50 seconds):
#
# | way | pictures | what it is told |
# | --- | --- | --- |
# | labels | 500 | the labels |
# | scores, 500 | 500 | the teacher's scores, T = 2 |
# | **distilled** | 5,500 | the teacher's scores, T = 2 |
# | distilled, T = 1 | 5,500 | the teacher's scores, T = 1 |
# | **pseudo-labels** (control) | 5,500 | the teacher's best class, as if it were the label |
#
# The control is what matters here: the distilled student gets two things at once, soft scores *and* 5,000 more
# pictures. Pseudo-labels come with the pictures only.


# %% experiment seconds=50 covers="116"
def moved(x, rng):
    """Move a batch by up to 3 pixels up or down and to the side; what leaves (it is empty) comes in opposite."""
    return np.roll(x, tuple(rng.integers(-3, 4, 2)), (2, 3))


def teacher_net(seed, x, y, steps):
    """Train a ConvNet on moved digits."""
    torch.manual_seed(seed)
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)),
    )
    rng, optimizer = np.random.default_rng(seed), torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(training.full_or_fast(steps, 10)):
        chosen = rng.integers(0, len(x), 50)
        logits = net(torch.from_numpy(moved(x[chosen], rng)))
        loss = nn.functional.cross_entropy(logits, torch.from_numpy(y[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net


def taught(teacher_logits, labels, temperature, alpha):
    """Return a loss for `fit` whose value and gradient are those of your distillation_loss."""

    def loss(logits, chosen):
        value, gradient = distillation_loss(
            logits.detach().numpy(), teacher_logits[chosen], labels[chosen], temperature, alpha
        )
        # A number whose gradient with respect to the logits is the one given.
        surrogate = (logits * torch.from_numpy(gradient)).sum()
        return surrogate - surrogate.detach() + value

    return loss


digits = data.digits(n_test=training.full_or_fast(2000, 200))
order = np.random.default_rng(0).permutation(len(digits.x_train))
x, y = digits.x_train[order[:500]], digits.y_train[order[:500]]
everything = digits.x_train[order[: training.full_or_fast(5500, 800)]]
results = {}
with timing.one_thread():
    teachers = [teacher_net(seed, x, y, 500) for seed in training.progress(range(3), "teacher")]
    teacher = np.mean([logits_of(net, everything) for net in teachers], axis=0)
    ensemble = np.stack([logits_of(net, digits.x_test) for net in teachers])
    teacher_accuracy = percent_right(average_probabilities(ensemble), digits.y_test)
    best_class = np.concatenate([y, teacher[500:].argmax(axis=1)])
    ways = {
        "labels": (500, best_class, 1.0, 0.0),
        "scores, 500": (500, best_class, 2.0, 1.0),
        "distilled": (len(everything), best_class, 2.0, 1.0),
        "distilled, T = 1": (len(everything), best_class, 1.0, 1.0),
        "pseudo-labels": (len(everything), best_class, 1.0, 0.0),
    }
    for seed in training.progress(range(training.full_or_fast(2, 1)), "student"):
        for way, (count, classes, temperature, alpha) in ways.items():
            loss = taught(teacher, classes, temperature, alpha)
            student = fit(mlp(32, seed), everything[:count], None, 800, seed, lr=1e-3, loss=loss)
            results.setdefault(way, []).append(percent_right(logits_of(student, digits.x_test), digits.y_test))
means = {way: float(np.mean(values)) for way, values in results.items()}
print(f"teacher: {teacher_accuracy:.1f} %")
for way, values in results.items():
    print(f"{way:18} {means[way]:.1f} % ({np.round(values, 1)}), {means[way] - means['labels']:+.1f} over labels alone")
measured["distilled"] = {way: mean - means["labels"] for way, mean in means.items()}
measured["further digits"] = len(everything) - 500
lesson.target(
    "distilled student over the same student with labels alone",
    measured["distilled"]["distilled"],
    at_least=0.7,
    unit="points",
)

# %% [markdown]
# So the student learns from its teacher, by several points. But look at the last row: the control does as well or
# better. What helped was that the teacher *labelled 5,000 more pictures*, and not that its labels were soft; on the
# same 500 pictures the scores change little. A report of distillation without this control would have praised the
# temperature.
#
# ### What only soft scores can tell: a digit that the student never sees
#
# Hinton, Vinyals and Dean left one digit out. From 6,000 digits all are taken away that are a 3, and all that the
# teacher *takes* for a 3. The student learns from the rest, once the teacher's scores at temperature 4, once its best
# class. No picture and no label ever says 3. What share of the test set's 3s will each student recognize? (Up to 20
# seconds.)

# %% experiment seconds=20
digits = data.digits(n_test=training.full_or_fast(2000, 200))
count = training.full_or_fast(6000, 1000)
x, y = digits.x_train[:count], digits.y_train[:count]
threes = digits.y_test == 3
with timing.one_thread():
    teachers = [fit(mlp(128, seed), x[:2000], y[:2000], 300, seed) for seed in range(3)]
    teacher = np.mean([logits_of(net, x) for net in teachers], axis=0)
    kept = (y != 3) & (teacher.argmax(axis=1) != 3)
    x, teacher = x[kept], teacher[kept]
    best_class = teacher.argmax(axis=1)
    never_seen = {}
    for way, temperature, alpha in (("scores, T = 4", 4.0, 1.0), ("best class", 1.0, 0.0)):

        def loss(logits, chosen, temperature=temperature, alpha=alpha):
            value, gradient = distillation_loss(
                logits.detach().numpy(), teacher[chosen], best_class[chosen], temperature, alpha
            )
            surrogate = (logits * torch.from_numpy(gradient)).sum()
            return surrogate - surrogate.detach() + value

        student = fit(mlp(64, 0), x, None, 800, 0, loss=loss)
        scores = logits_of(student, digits.x_test)
        never_seen[way] = percent_right(scores[threes], digits.y_test[threes])
        print(
            f"{way:14}: {never_seen[way]:.1f} % of the 3s, {percent_right(scores, digits.y_test):.1f} % of all digits"
        )
measured["never seen"] = never_seen["scores, T = 4"], never_seen["best class"], len(x)

# %% [markdown] covers="115 E11"
# From the best classes alone the student cannot know that there are 3s. From the scores it learned them out of 8s, 5s
# and 2s: "this 5 has much of a 3" was in them, every time. That is dark knowledge, and here nothing but the scores can
# be its source.
#
# # Part 6 · How many weights does a network need?
#
# ## {{exercise:predict_weights}}
#
# Lecture E, "Large Networks are Redundant", on work of Misha Denil and others: *only look at a fraction of activations
# and predict the rest*. **Audit:** the paper is called *Predicting Parameters in Deep Learning*. What is predicted are
# **parameters**, the weights; activations are different for every picture and are all computed.
#
# Each hidden unit of the first layer of an MLP has one weight for each pixel, and neighbouring pixels have
# similar weights: they show nearly the same. So let some pixels be **known**, numbers $k_1 \dots k_m$ out of $D$, and
# predict the weights at all $D$ from the weights there. This is regression with a **kernel**: a symmetric matrix $K$
# of shape $(D, D)$ whose entry $K_{ij}$ says how alike pixels $i$ and $j$ are; here it will be their covariance over
# the training pictures. With $K_{:,k}$ the known columns, shape $(D, m)$, $K_{k,k}$ the known rows of these, shape
# $(m, m)$, and $W_k$ the known weights, shape $(m, H)$ for $H$ hidden units:
#
# $$\hat W = K_{:,k} \left( K_{k,k} + r I \right)^{-1} W_k$$
#
# The **ridge** $r \geq 0$ on the diagonal keeps the system solvable. With $r = 0$ the known weights come out as they
# went in; with $r > 0$ they are changed a little, and stay as the formula gives them. `np.linalg.solve(A, B)` gives
# $A^{-1} B$. `K[np.ix_(rows, columns)]` takes a block: every row with every column. (`K[rows, columns]` pairs them, and
# picks single entries.)


# %% exercise="predict_weights" difficulty=2 minutes=16 covers="115"
def predict_weights(known_weights, known, kernel, ridge=0.0):
    """Predict all weights of a layer from those at a few inputs.

    Parameters
    ----------
    known_weights : ndarray of float, shape (m, H)
        Weights at the known inputs, in the order of `known`.
    known : ndarray of int, shape (m,)
        Numbers of the known inputs, 0 to D - 1, none twice, in any order.
    kernel : ndarray of float, shape (D, D)
        How alike two inputs are; symmetric.
    ridge : float, at least 0
        Added to the diagonal of the known part.

    Returns
    -------
    ndarray, shape (D, H)

    Raises
    ------
    ValueError
        If known_weights has not one row for each known input, or ridge is negative.
    """
    ### BEGIN SOLUTION
    if len(known_weights) != len(known) or ridge < 0:
        raise ValueError(
            f"{len(known)} rows of weights and ridge >= 0 are needed, not {len(known_weights)} and {ridge}"
        )
    columns = kernel[:, known]
    return columns @ np.linalg.solve(columns[known] + ridge * np.eye(len(known)), known_weights)
    ### END SOLUTION


# %% tests="predict_weights" points=1
# Three inputs in a row, two hidden units. The middle one is half like each neighbour: it gets their mean.
kernel = np.array([[10.0, 5.0, 0.0], [5.0, 10.0, 5.0], [0.0, 5.0, 10.0]])
known_weights = np.array([[4.0, -1.0], [8.0, 3.0]])
check(predict_weights, known_weights, np.array([0, 2]), kernel).gives([[4, -1], [6, 1], [8, 3]])
# The known inputs in another order. Then with a ridge of 10: every weight is halved, the known ones too.
check(predict_weights, known_weights, np.array([2, 0]), kernel).gives([[8, 3], [6, 1], [4, -1]])
check(predict_weights, known_weights, np.array([0, 2]), kernel, ridge=10.0).gives([[2, -0.5], [3, 0.5], [4, 1.5]])
# Neighbours that are known: their own likeness counts too.
check(predict_weights, known_weights, np.array([0, 1]), kernel).gives([[4, -1], [8, 3], [4, 7 / 3]])
### BEGIN HIDDEN TESTS
for d, m, h, ridge in [(9, 4, 3, 0.0), (6, 6, 1, 0.5), (12, 1, 5, 2.0)]:
    rng = np.random.default_rng(8)
    points = rng.normal(size=(d, d + 3))
    kernel, known, weights = points @ points.T, rng.permutation(d)[:m], rng.normal(size=(m, h))
    inverse = torch.linalg.inv(torch.tensor(kernel[np.ix_(known, known)]) + ridge * torch.eye(m, dtype=torch.float64))
    expected = (torch.tensor(kernel[:, known]) @ inverse @ torch.tensor(weights)).numpy()
    check(predict_weights, weights, known, kernel, ridge).gives(expected, rtol=1e-6, atol=1e-8)
### END HIDDEN TESTS

# %% tests="predict_weights" points=1
# Four inputs of which no two are alike: nothing can be predicted. One known input; then two errors.
apart = np.diag([1.0, 3.0, 5.0, 2.0])
check(predict_weights, np.array([[7.0, 2.0, 1.0], [6.0, 4.0, 9.0]]), np.array([3, 1]), apart).gives(
    [[0, 0, 0], [6, 4, 9], [0, 0, 0], [7, 2, 1]]
)
alike = np.array([[4.0, 2.0, 1.0], [2.0, 9.0, 3.0], [1.0, 3.0, 8.0]])
check(predict_weights, np.array([[16.0]]), np.array([0]), alike, 4.0).gives([[8], [4], [2]])
check(predict_weights, np.array([[1.0], [2.0], [3.0]]), np.array([0, 1]), alike).raises(ValueError)
check(predict_weights, np.array([[1.0], [2.0]]), np.array([0, 1]), alike, -0.5).raises(ValueError)
### BEGIN HIDDEN TESTS
check(predict_weights, np.array([[1.0]]), np.array([0, 1]), alike).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### A tenth of the weights
#
# An MLP with 64 hidden units learns 4,000 digits. Only the weights at $m$ random pixels are trained; the others are
# predicted from them by **your** function, at every step. The prediction is linear in the known weights, $\hat W = A
# W_k$, and the matrix $A$, of shape $(784, m)$, is what `predict_weights` makes of the unit matrix. The control
# trains the same number of weights and leaves the others at 0: the network sees $m$ pixels. A third curve trains all
# weights of the layer and then keeps its best approximation of low rank (singular value decomposition), without further
# training; a rank $R$ stores $R\,(784 + 64)$ numbers, and $R$ is chosen to store as many as the others. (Up to 45
# seconds.)

# %% experiment seconds=45 covers="115"
digits = data.digits(4000, training.full_or_fast(2000, 200))
flat = digits.x_train.reshape(4000, -1).astype(float)
centred = flat - flat.mean(axis=0)
kernel = centred.T @ centred / len(flat)
fractions = training.full_or_fast((0.01, 0.03, 0.1, 0.25), (0.03,))
curves = {"predicted": [], "the rest 0": [], "low rank": []}
with timing.one_thread():
    whole = fit(mlp(64, 0), digits.x_train, digits.y_train, 600, 0)
    all_weights = percent_right(logits_of(whole, digits.x_test), digits.y_test)
    left, values, right = np.linalg.svd(whole[1].weight.detach().numpy().T.astype(float), full_matrices=False)
    for fraction in training.progress(fractions, "fraction"):
        m = round(784 * fraction)
        found = {way: [] for way in ("predicted", "the rest 0")}
        for seed in range(2):
            known = np.random.default_rng(seed).permutation(784)[:m]
            basis = predict_weights(np.eye(m), known, kernel, 0.01 * np.trace(kernel) / 784)
            # Columns of one size: a learning rate that fits the MLP on pixels fits here too.
            basis = basis / np.sqrt((basis**2).sum(axis=0).mean())
            for way, matrix in {"predicted": basis, "the rest 0": np.eye(784)[:, known]}.items():
                x, x_test = (
                    (part.reshape(len(part), -1) @ matrix).astype(np.float32)
                    for part in (digits.x_train, digits.x_test)
                )
                torch.manual_seed(seed)
                net = nn.Sequential(nn.Linear(m, 64), nn.ReLU(), nn.Linear(64, 10))
                found[way].append(
                    percent_right(logits_of(fit(net, x, digits.y_train, 600, seed), x_test), digits.y_test)
                )
        for way, accuracies in found.items():
            curves[way].append(float(np.mean(accuracies)))
        rank = max(1, round(m * 64 / (784 + 64)))
        net = mlp(64, 0)
        net.load_state_dict(whole.state_dict())
        with torch.no_grad():
            net[1].weight.copy_(torch.from_numpy((left[:, :rank] * values[:rank] @ right[:rank]).T))
        curves["low rank"].append(percent_right(logits_of(net, digits.x_test), digits.y_test))
        print(
            f"{fraction:4.0%} of the weights: predicted {curves['predicted'][-1]:.1f} %, the rest 0 "
            f"{curves['the rest 0'][-1]:.1f} %, rank {rank} {curves['low rank'][-1]:.1f} %"
        )
print(f"all weights: {all_weights:.1f} %")
measured["fraction"] = dict(zip(fractions, curves["predicted"], strict=True)), all_weights, curves
fig, ax = plots.figure(width=6.4, height=3.2)
for k, (way, accuracies) in enumerate(curves.items()):
    ax.plot([100 * f for f in fractions], accuracies, marker=plots.MARKERS[k], label=way)
ax.axhline(all_weights, color="black", linewidth=1)
ax.set(xscale="log", xlabel="share of the first layer's weights, %", ylabel="test accuracy, %")
ax.legend(fontsize=8)
in_words = "; ".join(f"{way}: {', '.join(f'{a:.0f}' for a in accuracies)} %" for way, accuracies in curves.items())
shares = ", ".join(f"{fraction:.0%}" for fraction in fractions)
plots.show(
    fig,
    alt=f"Test accuracy against the share of the first layer's weights, at {shares}. {in_words}. All: "
    f"{all_weights:.0f} %.",
)

# %% [markdown]
# Compare the curve "predicted" with the line of all weights, and with the control. With few trained weights the
# prediction matters most: it lets each of them stand for a smooth patch of pixels. Low rank is the other way to say
# that weights are redundant; it was cut after training, and what training could have repaired is lost.
#
# ### What became of the claims


# %% experiment seconds=5 folded=true
def verdict(holds, partly=False):
    """Return the verdict in words; nothing is judged in fast mode."""
    if training.fast_mode():
        return "cannot be tested here"
    return "holds" if holds else "partly" if partly else "does not hold"


rows = []
if "range test" in measured:
    at_suggested, best_constant, middle, seeds = measured["range test"]
    tiny, small, large = middle.values()
    rows.append(
        plots.Claim(
            "look at the loss: NaN is too high, too slow is too low (E)",
            f"the rate that one short run suggests reaches {at_suggested:.1f} %, the best of eight "
            f"{best_constant:.1f} %",
            "an MLP, 1,000 pictures, 100 steps",
            verdict(at_suggested >= best_constant - 3, at_suggested >= best_constant - 10),
        )
    )
    rows.append(
        plots.Claim(
            "large batch: large learning rate (E)",
            f"suggested: {tiny:.3f} for batches of 10, {small:.3f} for 50, {large:.3f} for 500",
            f"the middle suggestion of each batch size; range tests: {seeds} each",
            verdict(small >= 1.2 * tiny and large >= 1.2 * small, large >= 1.2 * tiny),
        )
    )
if "search" in measured:
    wins, trials, by_grid, by_chance = measured["search"]
    repeats = len(by_chance)
    rows.append(
        plots.Claim(
            "coarse grids can be bad; random search (E; Bergstra and Bengio)",
            f"random {min(by_chance):.1f} to {max(by_chance):.1f} %, grid {by_grid:.1f} %: better in {wins} of "
            f"{repeats}",
            f"{trials} trials, learning rate and weight decay over 5 and 6 powers of ten",
            verdict(wins == repeats, 2 * wins > repeats),
        )
    )
if "shifted grids" in measured:
    share, mean_gain = measured["shifted grids"]
    rows.append(
        plots.Claim(
            "the same, with the range anywhere",
            f"better in {share:.0%} of the rounds, {mean_gain:+.1f} points on average",
            "on the measured landscape",
            verdict(share >= 0.95, share > 0.5),
        )
    )
if "folds" in measured:
    one, five, fold_gain, draws = measured["folds"]
    rows.append(
        plots.Claim(
            "cross-validation for the settings (E)",
            f"error of the estimate {one:.1f} points with one fifth held out, {five:.1f} with five folds; the chosen "
            f"strength is {fold_gain:+.2f} points better",
            f"150 pictures, a linear classifier; draws: {draws}",
            verdict(five < 0.8 * one and fold_gain > 0.5, five < one),
        )
    )
if "stopping" in measured:
    saved, cost = measured["stopping"]
    rows.append(
        plots.Claim(
            "early stopping as a check of convergence (E)",
            f"{saved:.0%} of the epochs saved, accuracy {cost:+.1f} points",
            "500 digits, patience 5",
            verdict(saved > 0.2 and cost > -0.5, saved > 0.2 and cost > -1.5),
        )
    )
if "ensembles" in measured:
    table = measured["ensembles"]
    gain, more = table["initialization"][0], measured.get("more pictures")
    rows.append(
        plots.Claim(
            "ensembles: enjoy 2 % extra performance (E)",
            f"{gain:+.1f} points with 1,000 pictures"
            + (f"; with 8,000 {more['constant']:+.1f}, at a falling rate {more['falling']:+.1f}" if more else ""),
            "five initializations, clothes",
            verdict(bool(more) and min(gain, *more.values()) >= 1.8, gain >= 0.5),
        )
    )
    least_name, least = min(table.items(), key=lambda entry: entry[1][1])
    most_name, most = max(table.items(), key=lambda entry: entry[1][1])
    rows.append(
        plots.Claim(
            "make the models as different as possible (E)",
            f"least correlated: {least_name} ({least[1]:.2f}), gain {least[0]:.1f}, together {least[2]:.1f} %; "
            f"most: {most_name} ({most[1]:.2f}), gain {most[0]:.1f}, together {most[2]:.1f} %; initialization alone: "
            f"together {table['initialization'][2]:.1f} %",
            "five kinds of members, one draw of 1,000 pictures",
            verdict(
                # From draw to draw these figures move by up to 0.7 points: less than one point is chance.
                least[0] >= most[0] + 1 and least[2] >= table["initialization"][2] + 1,
                least[0] >= most[0] + 1,
            ),
        )
    )
    short = table["initialization, 100 steps"]
    rows.append(
        plots.Claim(
            "it is helpful to over-fit the individual models (E)",
            f"100 steps: gain {short[0]:.1f}, together {short[2]:.1f} %; 300 steps: gain {gain:.1f}, together "
            f"{table['initialization'][2]:.1f} %",
            "the same initializations",
            verdict(
                gain >= short[0] + 1 and table["initialization"][2] >= short[2] + 1,
                gain >= short[0] + 1 or table["initialization"][2] >= short[2] + 1,
            ),
        )
    )
if "checkpoints" in measured:
    mean_gain, worst, two, annealed_gain, runs = measured["checkpoints"]
    rows.append(
        plots.Claim(
            "a small boost from averaging checkpoints of one model (E)",
            f"{mean_gain:+.1f} points (worst {worst:+.1f}); a falling rate instead {annealed_gain:+.1f}; the mean of "
            f"two runs reaches {two:.0f} %",
            f"SGD at a constant rate, ten checkpoints; runs: {runs}",
            verdict(worst > 0, mean_gain > 0),
        )
    )
if "distilled" in measured:
    gains, further = measured["distilled"], measured["further digits"]
    rows.append(
        plots.Claim(
            "train the student on the teacher's scores, not the hard classification (E)",
            f"scores {gains['distilled']:+.1f} points over labels alone, the teacher's hard classes "
            f"{gains['pseudo-labels']:+.1f}; on the same 500 pictures {gains['scores, 500']:+.1f}",
            f"500 labelled and {further:,} further digits, T = 2",
            verdict(
                gains["distilled"] >= gains["pseudo-labels"] + 0.3,
                gains["distilled"] >= 0.7,
            ),
        )
    )
if "never seen" in measured:
    soft, hard, seen = measured["never seen"]
    rows.append(
        plots.Claim(
            "dark knowledge (E; Hinton and others)",
            f"{soft:.0f} % of the 3s by a student that never saw one; {hard:.0f} % from hard classes",
            f"{seen:,} digits without 3s, T = 4",
            verdict(soft > 50 and soft > hard + 30, soft > hard + 10),
        )
    )
if "fraction" in measured:
    by_fraction, all_weights, _ = measured["fraction"]
    tenth = by_fraction.get(0.1, max(by_fraction.values()))
    rows.append(
        plots.Claim(
            "look at a fraction of activations and predict the rest (E, on Denil and others)",
            f"of the weights: with a tenth {tenth:.1f} %, with all {all_weights:.1f} %",
            "the paper predicts parameters, not activations; an MLP, 4,000 digits",
            verdict(False, tenth >= all_weights - 2),
        )
    )
rows.append(
    plots.Claim(
        "teacher of 16 CNNs: do nets need to be deep? (E, on Urban and others)",
        "not measured",
        "it would need deep and shallow students of one size on CIFAR-10",
        "cannot be tested here",
    )
)
rows.append(
    plots.Claim(
        "data collection and cleaning take more than half of the time (B)",
        "not measured",
        "a statement on projects, not on networks",
        "cannot be tested here",
    )
)
plots.claims(rows)

# %% [markdown]
# # In your own words
#
# These two are read by a person.
#
# **A plan for 30 trainings (1 point; 0.5 points for each part).** You have 600 labelled X-ray pictures, a network that
# worked on similar pictures, and time for 30 trainings in all, a last one of the winner included. There are no further
# pictures: what judges the result must come out of the 600. Open are the learning rate, the weight decay, the dropout
# rate and the strength of an augmentation; you suspect that one or two of them matter, but not which. (a) Say how you
# choose the settings to try, and why not a grid: how many values of each would it try? (b) Five-fold cross-validation
# of each setting, or one held-out part? Say what each costs of the 30 trainings and what it brings, which pictures the
# score is from that you report in the end, and what they were not used for.

# %% [markdown] answer="thirty_trainings" points=1
# ### BEGIN SOLUTION
# (a) First a learning-rate range test, which costs less than one training, to shorten the range of the learning rate.
# Then random settings on logarithmic scales: each of the n trials tries a new value of every setting, whichever turns
# out to matter. A grid of 2 values for each of four settings has 16 points, of 3 values already 81: within 30 trainings
# it tries only two values of the one that matters.
#
# (b) Five folds cost five trainings a setting: six settings instead of thirty. They make the estimate less noisy
# (measured above), the choice better by less. One held-out part with all trials searching, then five folds for
# the last two or three candidates, is a sensible mixture. The score of the winner on the pictures that chose it is too
# good; so a part of the 600 is put aside before anything else, and the score on it, never used for a choice, is
# reported.
#
# **Rubric:** (a) 0.5 for random search (or a sequence that narrows down) and the count of a grid's values, 2 each with
# 16 points; (b) 0.5 for the factor of five, what it brings, and a report on pictures that chose nothing.
# ### END SOLUTION

# %% [markdown]
# **The missing control (1 point; 0.5 points for each part).** A company reports: "Our phone model, trained on the
# softened scores of an ensemble for a million unlabelled photographs, is 4 points better than the same model trained on
# our 20,000 labelled ones. Temperature 5 was the key." (a) Two things may have been the key: the million photographs,
# or the softness of the scores. Which further model must they train to tell them apart, and what would each outcome
# mean? (b) The members of the ensemble differ only in the order of their batches, and their errors have a mean
# correlation of 0.9. By the formula of Part 4, what share of the variance of one member's error do five members leave,
# and what share do fifty? Name one way to do better.

# %% [markdown] answer="missing_control" points=1
# ### BEGIN SOLUTION
# (a) The same student on the same million photographs, with the teacher's best class as a hard label (pseudo-labels).
# If it gains the 4 points too, the pictures were the key; if it gains clearly less, the soft scores were part of it.
# The experiment of Part 5 is the first case. (The same with scores at temperature 1 would tell what the 5 added.)
#
# (b) ρ + (1 − ρ)/M = 0.9 + 0.1/5 = 0.92 for five, 0.9 + 0.1/50 = 0.902 for fifty. More of the same is of no use; make
# the members different: other initializations, other architectures, other subsets of the data.
#
# **Rubric:** (a) 0.5 for pseudo-labels on the same pictures and both outcomes; (b) 0.5 for 0.92 and 0.902 and a way to
# lower the correlation.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. One short run finds the range of the learning rate; random trials search every setting at once, because each of
#    them is new along every axis.
# 2. An ensemble gains what its members do not have in common; the weights of one run can be averaged, those of two
#    cannot.
# 3. A student learns from its teacher's scores; a control says whether from their softness or from the pictures that
#    came with them. A tenth of a layer's weights can predict the rest.
#
# **Can you explain …**
#
# - why a 4 × 4 grid tests only four learning rates with 16 trainings?
# - why the held-out score of the best of 16 trials is too good?
# - why the mean over five folds is slightly too low, and still better than one fifth?
# - what the correlation of errors has to do with the gain of an ensemble?
# - why there is a $T^2$ in the loss of distillation?
# - what the lecture's line on Denil's work gets wrong?
#
# **Three readings**
#
# - J. Bergstra, Y. Bengio, *Random search for hyper-parameter optimization*, Journal of Machine Learning Research 13
#   (2012): figure 1 is the picture you played with.
# - G. Hinton, O. Vinyals, J. Dean, *Distilling the knowledge in a neural network*, 2015 (arXiv:1503.02531): section 3
#   leaves the 3s out.
# - M. Denil, B. Shakibi, L. Dinh, M. Ranzato, N. de Freitas, *Predicting parameters in deep learning*, NIPS 2013
#   (arXiv:1306.0543).
#
# Next: 14 Fine-tuning.
