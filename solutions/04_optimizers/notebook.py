# %% [markdown]
# # 04 Optimizers
#
# ![Level lines of a long ravine, steep across and flat along. From the same start, gradient descent zigzags between
# the walls and stops short of the minimum, momentum swings from wall to wall and past the minimum, and Adam swings
# across in two long waves, runs past the minimum and loops back.](pictures/race.png)
#
# Backpropagation says which way is down. It does not say how far to go. In this notebook you write the six rules
# that decide it, hold each against PyTorch's own step by step, find by experiment the largest learning rate that
# still works, and see why the last thing a good training run does is slow down.
#
# {{card:155}}
#
# Take it in two sittings: pause before part 4.
#
# **Afterwards you can**
# 1. write SGD, momentum, Nesterov, Adagrad, RMSProp and Adam so that they agree with `torch.optim` to 12 digits;
# 2. say why a learning rate above 2/κ diverges, κ being the curvature, and what momentum changes about that;
# 3. name what Adam's bias correction corrects, and by how much a slide without it is wrong;
# 4. choose and write a learning-rate schedule, and show what it does to a network;
# 5. read a loss curve: too high, too low, good.
#
# **You need** gradients and gradient descent as in [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb), and
# NumPy.
#
# **From the lectures:** CS468 (B), "Ideas in Deep Net Optimization": its slides of update rules and "Annealing
# the learning rate (the dark art...)"; CS109 (E), "Learning Rate (once again)". One of the slides is wrong; you will
# measure by how much.

# %% setup
import warnings

import numpy as np
from convnets import data, plots, training
from convnets.checks import open_lesson

lesson = open_lesson("04_optimizers")
check, hint = lesson.check, lesson.hint
# Some runs below diverge on purpose; NumPy's warning about it would cost the point of a graded cell.
warnings.filterwarnings("ignore", "(overflow|invalid value|divide by zero) encountered", RuntimeWarning)


def walk(rule, x, grads, lr, **settings):
    """Feed gradients to an update rule one by one; return where x was after each, shape (steps, *x.shape)."""
    places, state = [], {}
    for grad in grads:
        answer = rule(x.copy(), grad.copy(), dict(state), lr, **settings)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise TypeError("the rule must return two things: the new x and the new state")
        x, state = np.asarray(answer[0]), answer[1]
        places.append(x)
    return np.array(places)


def torch_walk(optimizer, x, grads, before_step=None, **settings):
    """Do the same with an optimizer class of `torch.optim`: what the tests compare with."""
    import torch

    parameter = torch.nn.Parameter(torch.tensor(x))
    stepper = optimizer([parameter], **settings)
    places = []
    for t, grad in enumerate(grads, start=1):
        parameter.grad = torch.tensor(grad)
        if before_step is not None:
            before_step(stepper.param_groups[0], t)
        stepper.step()
        places.append(parameter.detach().numpy().copy())
    return np.array(places)


def torch_schedule(name, lr, epochs, losses=None, **settings):
    """Return the learning rate of each epoch as the scheduler of this name in `torch.optim.lr_scheduler` sets it."""
    import torch

    stepper = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = getattr(torch.optim.lr_scheduler, name)(stepper, **settings)
    rates = []
    for epoch in range(epochs):
        rates.append(stepper.param_groups[0]["lr"])
        stepper.step()
        scheduler.step() if losses is None else scheduler.step(losses[epoch])
    return np.array(rates)


def random_walk_data(seed, shape, steps=20):
    """Return a random x of this shape, and as many random gradients as there are steps."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape), rng.standard_normal((steps, *shape))


# %% [markdown]
# ## The question
#
# A **ravine** is the landscape that every optimizer is judged by: steep across, flat along,
#
# $$f(x, y) = \tfrac12\left(x^2 + 50\,y^2\right), \qquad \nabla f = (x,\; 50\,y)$$
#
# Along x the slope changes slowly, with *curvature* 1; across, along y, it changes 50 times faster. The minimum is at
# (0, 0). Gradient descent goes from (10, 1), step by step against the gradient, with a constant learning rate `lr`.
# A large `lr` makes fast progress along x. How large may it be?

# %% experiment seconds=5
lesson.predict(
    "largest_lr",
    "Up to which learning rate does gradient descent on this ravine still reach the minimum?",
    [
        "About 1: the gradient points downhill, so a smaller step than x itself cannot go wrong",
        "About 0.04: the steep direction decides, however flat the other one is",
        "About 0.08: the two curvatures average out",
        "Any: with a larger learning rate it needs more steps",
    ],
)

# %% [markdown] covers="34"
# # Part 1 · One step
#
# ## How much data for one step?
#
# The loss of a network is a mean over N training examples, and so is its gradient. The lecture names three ways to
# take a step:
#
# | name | the gradient is the mean over | steps in one pass over the data (an **epoch**) |
# | --- | --- | --- |
# | batch gradient descent (GD) | all N examples | 1 |
# | stochastic gradient descent (SGD) | one example | N |
# | mini-batch SGD | a **minibatch** of B examples, "say 128" | N/B, rounded up |
#
# The three are one program: B = N, B = 1, and everything between. The examples are shuffled anew in each epoch, then
# dealt out like cards: every example exactly once, the last hand perhaps smaller.
#
# ## {{exercise:minibatches}}
#
# Deal out images and labels. Two things go wrong easily: images and labels must be shuffled *together*, and the last,
# smaller minibatch belongs to the epoch too. For N = 10 and B = 4 the sizes are 4, 4, 2.


# %% exercise="minibatches" difficulty=1 minutes=10 covers="34"
def minibatches(x, y, batch_size, rng):
    """Shuffle examples and split them into minibatches: every example exactly once.

    Parameters
    ----------
    x : ndarray, shape (N, ...)
        Examples along the first axis; stays as it is.
    y : ndarray, shape (N, ...)
        Their labels; stays as it is.
    batch_size : int, at least 1
        Examples a minibatch, B. The last one holds what is left; B larger than N gives one minibatch of N.
    rng : numpy.random.Generator
        What to draw the order from: a different order at each call.

    Returns
    -------
    list of (ndarray, ndarray)
        Pairs of shapes (B, ...) and (B, ...), belonging together row by row.

    Raises
    ------
    ValueError
        When x and y differ in length, or batch_size is less than 1.
    """
    ### BEGIN SOLUTION
    if len(x) != len(y):
        raise ValueError(f"x and y must be of the same length, not {len(x)} and {len(y)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    order = rng.permutation(len(x))
    parts = [order[start : start + batch_size] for start in range(0, len(x), batch_size)]
    return [(x[part], y[part]) for part in parts]
    ### END SOLUTION


# %% tests="minibatches" points=1
def sizes(n, batch_size):
    """Return the number of labels in each minibatch of n examples."""
    batches = minibatches(np.zeros((n, 2, 3)), np.zeros(n, dtype=int), batch_size, np.random.default_rng(0))
    return [len(y) for _, y in batches]


def labels_seen(n, batch_size):
    """Return the labels of all minibatches, sorted; the labels are 0, 1, ..., n - 1."""
    batches = minibatches(np.zeros((n, 2)), np.arange(n), batch_size, np.random.default_rng(1))
    return sorted(int(label) for _, y in batches for label in y)


# Ten examples in fours. The lecture's three ways for N = 5: GD, SGD and mini-batch.
check(sizes, 10, 4).gives([4, 4, 2])
check(sizes, 5, 5).gives([5])
check(sizes, 5, 1).gives([1, 1, 1, 1, 1])
check(sizes, 5, 128).gives([5])
# A list, which can be counted and taken from; x and y stay as they are.
x, y = np.arange(20.0).reshape(10, 2), np.arange(10)
check(minibatches, x, y, 4, np.random.default_rng(0)).satisfies(
    lambda batches: isinstance(batches, list) and len(batches) == 3, "it is a list of three pairs"
)
check(labels_seen, 10, 4).gives(list(range(10)))
check(minibatches, np.zeros((4, 2)), np.zeros(3), 2, np.random.default_rng(0)).raises(ValueError)
check(minibatches, np.zeros((4, 2)), np.zeros(4), 0, np.random.default_rng(0)).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(41)
for _ in range(4):
    n, size = int(rng.integers(2, 60)), int(rng.integers(1, 20))
    check(sizes, n, size).gives([min(size, n - start) for start in range(0, n, size)])
    check(labels_seen, n, size).gives(list(range(n)))
check(minibatches, np.zeros((4, 2)), np.zeros(4), -1, np.random.default_rng(0)).raises(ValueError)
### END HIDDEN TESTS


# %% tests="minibatches" points=1
def belong_together(n, batch_size):
    """Return whether image i, filled with the number 10 i, still stands beside label i."""
    images = 10 * np.arange(n)[:, None, None] * np.ones((1, 2, 3))
    batches = minibatches(images, np.arange(n), batch_size, np.random.default_rng(2))
    return all(bool(np.all(x == 10 * np.asarray(y)[:, None, None])) for x, y in batches)


def orders_differ(n):
    """Return whether (epoch 1 is not 0, ..., n - 1; old neighbours are parted; epoch 2 differs), one rng for both."""
    rng, orders = np.random.default_rng(3), []
    for _ in range(2):
        batches = minibatches(np.zeros((n, 1)), np.arange(n), n, rng)
        orders.append([int(label) for _, y in batches for label in y])
    still_together = sum(abs(a - b) == 1 for a, b in zip(orders[0], orders[0][1:], strict=False))
    return orders[0] != list(range(n)), still_together < n / 2, orders[0] != orders[1]


# Images and labels belong together, and each epoch has an order of its own.
check(belong_together, 10, 4).gives(True)
check(orders_differ, 100).gives((True, True, True))
### BEGIN HIDDEN TESTS
check(belong_together, 37, 8).gives(True)
check(belong_together, 6, 6).gives(True)
check(orders_differ, 200).gives((True, True, True))


def kinds_of_one_batch():
    """Return shape and dtype of the first minibatch of 3 float32 examples (1, 4) with int labels"""
    x, y = minibatches(np.zeros((3, 1, 4), np.float32), np.arange(3), 2, np.random.default_rng(0))[0]
    return list(np.shape(x)), str(x.dtype), list(np.shape(y))


check(kinds_of_one_batch).gives(([2, 1, 4], "float32", [2]))
### END HIDDEN TESTS

# %% [markdown]
# ### What a minibatch costs and buys
#
# A minibatch gives an *estimate* of the gradient: right on average, wrong by chance. The cell below takes one network
# and measures how far the estimates lie from the gradient of all 4,000 examples, for several B. The network is
# 784-32-10 with ReLU, on Fashion-MNIST; you wrote its forward and backward pass in 02, here they are given.


# %% experiment seconds=5
from convnets.timing import one_thread  # a small network is fastest on one thread

clothes = data.fashion_mnist(4000, 2000)
images = clothes.x_train.reshape(4000, 784) - clothes.x_train.mean()
labels = clothes.y_train


def random_network(rng):
    """Return the four parameter arrays of the 784-32-10 network, float32, He's initialisation."""
    return {
        "weight1": (rng.standard_normal((784, 32)) * np.sqrt(2 / 784)).astype(np.float32),
        "bias1": np.zeros(32, np.float32),
        "weight2": (rng.standard_normal((32, 10)) * np.sqrt(2 / 32)).astype(np.float32),
        "bias2": np.zeros(10, np.float32),
    }


def loss_and_gradients(network, x, y, with_gradients=True):
    """Return the mean cross-entropy of examples x (N, 784) with labels y (N,), and its gradients."""
    z = x @ network["weight1"] + network["bias1"]
    h = np.maximum(z, 0)
    logits = h @ network["weight2"] + network["bias2"]
    logits = logits - logits.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    loss = float(np.mean(log_sum[:, 0] - logits[rows, y]))
    if not with_gradients:
        return loss, {}
    grad_logits = np.exp(logits - log_sum)
    grad_logits[rows, y] -= 1
    grad_logits /= len(y)
    grad_z = (grad_logits @ network["weight2"].T) * (z > 0)
    return loss, {
        "weight1": x.T @ grad_z,
        "bias1": grad_z.sum(axis=0),
        "weight2": h.T @ grad_logits,
        "bias2": grad_logits.sum(axis=0),
    }


def train(rule, lr, batch_size=32, epochs=3, seed=0, **settings):
    """Train the network with an update rule; return its loss on all training examples, at the start and each epoch."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    states = {name: {} for name in network}
    losses = [loss_and_gradients(network, images, labels, False)[0]]
    with one_thread(), np.errstate(all="ignore"):
        for _ in range(epochs):
            for x, y in minibatches(images, labels, batch_size, rng):
                _, gradients = loss_and_gradients(network, x, y)
                for name, gradient in gradients.items():
                    network[name], states[name] = rule(network[name], gradient, states[name], lr, **settings)
            losses.append(loss_and_gradients(network, images, labels, False)[0])
    return losses


def judged(verdict):
    """Return the verdict on a claim, but none in fast mode: its training is too short to judge by."""
    return "cannot be tested here" if training.fast_mode() else verdict


# %% experiment seconds=10 covers="34"
rng = np.random.default_rng(0)
network = random_network(rng)
exact = loss_and_gradients(network, images, labels)[1]["weight1"]
batch_sizes = [1, 4, 16, 64, 256, 1024]
epochs_of = {size: training.full_or_fast(max(1, size // 32), 1) for size in batch_sizes}
errors = {}
for size in batch_sizes:
    dealt = [batch for _ in range(epochs_of[size]) for batch in minibatches(images, labels, size, rng)]
    with one_thread():
        estimates = [loss_and_gradients(network, x, y)[1]["weight1"] for x, y in dealt[:400] if len(y) == size]
    errors[size] = float(np.sqrt(np.mean([np.sum((g - exact) ** 2) for g in estimates])) / np.linalg.norm(exact))
for size, error in errors.items():
    print(f"B = {size:4}: off by {100 * error:5.0f} % of the gradient's length, which is {error * size**0.5:.1f}/√B")

# %% [markdown]
# The error falls like 1/√B: four times the work buys half the error. With B = 1 the error is five times as long as
# the gradient itself, with B = 16 still longer (133 %); and yet training works, because the errors of many small steps
# cancel. (For B = 1,024 the error is a little smaller than 1/√B: dealing without putting back leaves fewer surprises.)

# %% [markdown]
# ## {{exercise:sgd}}
#
# *Let x be the weights/parameters, dx the gradient of x*, says the lecture, and in a minibatch *dx is the average
# within the batch*. Its **vanilla update** is
#
# $$x \leftarrow x - \eta\,\mathrm{d}x$$
#
# η is the learning rate, `lr` in code; `dx` is called `grad`. All six rules of this notebook get the same first four
# arguments and return the same two things, so that a training loop can exchange one for another:
#
# `x, state = rule(x, grad, state, lr, ...)`
#
# `state` is a dict with what a rule remembers from step to step. Before the first step it is empty, `{}`. SGD
# remembers nothing and returns it as it is.
#
# **Weight decay.** With a penalty ½ λ‖x‖² on the loss (λ is `weight_decay`), the gradient becomes grad + λ x, and
# every step pulls x a little towards 0. That is how `torch.optim.SGD` understands `weight_decay`.
#
# **By hand.** x = (1, −2), grad = (10, 20), η = 0.1: the new x is (0, −4). With λ = 0.5 the gradient is (10.5, 19),
# and the new x is (−0.05, −3.9).
#
# All rules return *new* arrays: `x -= ...` would write into the caller's.


# %% exercise="sgd" difficulty=1 minutes=6 covers="35"
def sgd(x, grad, state, lr, weight_decay=0.0):
    """Take one step of (stochastic) gradient descent.

    Parameters
    ----------
    x : ndarray, any shape
        The parameters; stays as it is.
    grad : ndarray, shape of x
        Gradient of the loss; stays as it is.
    state : dict
        Nothing is remembered: returned as it is.
    lr : float
        Learning rate.
    weight_decay : float
        λ of the penalty ½ λ‖x‖², whose gradient is added to `grad`.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict

    Raises
    ------
    ValueError
        When x and grad differ in shape.
    """
    ### BEGIN SOLUTION
    if x.shape != grad.shape:
        raise ValueError(f"x has shape {x.shape}, its gradient {grad.shape}")
    return x - lr * (grad + weight_decay * x), state
    ### END SOLUTION


# %% tests="sgd" points=1
# The example by hand, without and with weight decay. A gradient of another shape is an error, not a broadcast.
x, grad = np.array([1.0, -2.0]), np.array([10.0, 20.0])
check(sgd, x, grad, {}, 0.1).gives((np.array([0.0, -4.0]), {}))
check(sgd, x, grad, {}, 0.1, weight_decay=0.5).gives((np.array([-0.05, -3.9]), {}))
check(sgd, x[:, None], grad, {}, 0.1).raises(ValueError)


def steps_of_sgd(x, grads, lr, **settings):
    """Return x after each step of sgd."""
    return walk(sgd, x, grads, lr, **settings)


# Five steps beside torch.optim.SGD. Graded also on twenty, and on other shapes.
import torch

x, grads = random_walk_data(42, (2,), steps=5)
for decay in (0.0, 0.1):
    expected = torch_walk(torch.optim.SGD, x, grads, lr=0.05, weight_decay=decay)
    check(steps_of_sgd, x, grads, 0.05, weight_decay=decay).gives(expected, rtol=1e-12, atol=1e-12)


def sgd_in_float32():
    """sgd(x, x, {}, 0.5)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return sgd(x, x, {}, 0.5)[0]


# float32 stays float32.
check(sgd_in_float32).gives(np.full((2, 2), 0.5), dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape in [(1,), (3, 1, 2), ()]:
    x, grads = random_walk_data(43, shape)
    expected = torch_walk(torch.optim.SGD, x, grads, lr=0.3, weight_decay=0.01)
    check(steps_of_sgd, x, grads, 0.3, weight_decay=0.01).gives(expected, rtol=1e-12, atol=1e-12)
check(sgd, np.ones((1, 2)), np.ones((2, 2)), {}, 0.1).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## How large may the learning rate be?
#
# Along one direction with curvature κ (kappa) the loss is ½ κ x², the gradient κ x, and the step
# x ← x − η κ x = (1 − η κ) x. Each step multiplies the distance to the minimum by the same factor, 1 − η κ:
#
# - 0 < η κ < 1: the factor lies between 0 and 1, and x shrinks;
# - 1 < η κ < 2: the factor is negative; x jumps to the other side each time, and still shrinks;
# - η κ > 2: the factor is below −1; every jump lands further out than the one before.
#
# So every direction has its own limit 2/κ, and the steepest direction sets the limit for all. For the ravine it
# should be 2/50 = 0.04. Do not believe it: the cell below knows nothing of curvatures. It only runs `sgd`, watches
# whether it ends nearer to the minimum than it began, along as well as across, and closes in on the border by halving
# (bisection).


# %% experiment seconds=5
def ravine_gradient(place):
    """Return the gradient (x, 50 y) of the ravine."""
    return np.array([1.0, 50.0]) * place


def ravine(place):
    """Return ½ (x² + 50 y²)."""
    return float(0.5 * np.sum(np.array([1.0, 50.0]) * np.asarray(place) ** 2))


def descend(rule, lr, steps, start=(10.0, 1.0), **settings):
    """Return the places that a rule visits on the ravine, the start included, shape (steps + 1, 2)."""
    place, state, places = np.array(start), {}, [np.array(start)]
    for _ in range(steps):
        place, state = rule(place, ravine_gradient(place), state, lr, **settings)
        places.append(place)
        if not np.all(np.abs(place) < 1e6):
            break
    return np.array(places)


def converges(rule, lr, **settings):
    """Tell whether 4,000 steps end closer to the minimum than they began, across as well as along the ravine."""
    last = np.abs(descend(rule, lr, training.full_or_fast(4_000, 1_000), **settings)[-1])
    return bool(last[0] < 10 and last[1] < 1)


def largest_lr(rule, low, high, **settings):
    """Close in on the largest learning rate that converges, by 12 halvings of the interval from low to high."""
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if converges(rule, middle, **settings) else (low, middle)
    return (low + high) / 2


# %% experiment seconds=1 folded=true
def draw_descent(lrs):
    """Draw the first steps of gradient descent on the ravine, and the loss, for several learning rates."""
    fig, (left, right) = plots.figure(1, 2, width=9.5, height=3.6, width_ratios=(1.2, 1))
    x, y = np.meshgrid(np.linspace(-2, 11, 130), np.linspace(-1.7, 1.7, 90))
    left.contour(x, y, 0.5 * (x**2 + 50 * y**2), levels=np.geomspace(1, 90, 9), colors="0.8", linewidths=0.8)
    for k, lr in enumerate(lrs):
        places = descend(sgd, lr, 60)
        style = {"color": plots.PALETTE[k], "marker": plots.MARKERS[k], "markersize": 3, "linewidth": 1.2}
        left.plot(*places[:25].T, label=f"lr = {lr:g}", linestyle=plots.LINES[k], **style)
        losses = [ravine(place) for place in places]
        right.semilogy(losses, label=f"lr = {lr:g}", linestyle=plots.LINES[k], color=plots.PALETTE[k])
    left.set(xlabel="x (curvature 1)", ylabel="y (curvature 50)", xlim=(-0.5, 10.8), ylim=(-1.7, 1.7))
    left.set_title("25 steps across and along the ravine")
    right.set(xlabel="step", ylabel="f(x, y)")
    right.set_title("Only 0.041 climbs")
    right.legend()
    ends = ", ".join(f"{lr:g}: {ravine(descend(sgd, lr, 60)[-1]):.3g}" for lr in lrs)
    plots.show(
        fig,
        alt="Left: gradient descent from (10, 1) on the ravine. A small learning rate creeps along the floor, 0.039 "
        "jumps from wall to wall and closes in, 0.041 jumps further out each time. Right: the loss over 60 steps on a "
        f"logarithmic axis; after 60 steps it is, by learning rate, {ends}; the start is at {ravine((10, 1)):.3g}.",
    )


# %% experiment seconds=20
limit = largest_lr(sgd, 0.01, 0.2)
below, above = (descend(sgd, lr, 2000)[-1] for lr in (0.039, 0.041))
print(f"largest learning rate that converges, by bisection: {limit:.5f}; 2/50 = {2 / 50}")
print(f"lr 0.039: f = {ravine(below):.1e} after 2,000 steps; lr 0.041: f = {ravine(above):.1e} where it was stopped")
draw_descent((0.005, 0.039, 0.041))
lesson.target("distance of the limit found from 2/50", abs(limit - 2 / 50), at_most=1e-4)
lesson.target("f with lr 0.039 after 2,000 steps", ravine(below), at_most=1e-6)
lesson.target("f with lr 0.041 where it was stopped", ravine(above), at_least=ravine((10.0, 1.0)))
lesson.reveal(
    "largest_lr",
    answer=1,
    because=f"The border found without any theory is {limit:.4f}, which is 2/50: the steep direction decides. Along x "
    "alone a learning rate up to 2 would do.",
)

# %% [markdown]
# With any learning rate below 0.04 the flat direction shrinks by a factor of at best 1 − 0.04 = 0.96 a step. That is
# the whole trouble with ravines: *the steep direction sets the speed limit, and the flat one pays for it*. How many
# steps it takes grows with the ratio of the curvatures, the **condition number**, here 50. Everything in parts 2 and
# 3 is a way around it.

# %% [markdown]
# # Part 2 · A particle that rolls
#
# ## {{exercise:momentum}}
#
# Across the ravine the gradient changes its sign at each jump; along it, it always points the same way. **Momentum**
# adds the gradients up, so that the first cancel and the second pile up:
#
# $$v \leftarrow \mu\,v - \eta\,\mathrm{d}x, \qquad x \leftarrow x + v$$
#
# v is the *velocity*, of the shape of x and 0 before the first step; μ (`mu`, usually 0.9) is how much of it survives a
# step. The lecture's picture: *the parameter vector is a particle rolling on the landscape*. Where the gradient stays
# the same, v grows until μ v − η dx = v, that is to v = −η dx/(1 − μ): with μ = 0.9 ten times the step of SGD.
#
# **By hand.** f(x) = ½x², so dx = x. From x = 1 with η = 0.1, μ = 0.9:
#
# | step | dx | v | x |
# | --- | --- | --- | --- |
# | 1 | 1 | 0.9 · 0 − 0.1 · 1 = −0.1 | 0.9 |
# | 2 | 0.9 | 0.9 · (−0.1) − 0.1 · 0.9 = −0.18 | 0.72 |
#
# The state is `{"v": v}`. `state.get("v", 0.0)` gives v, or 0 before the first step.


# %% exercise="momentum" difficulty=1 minutes=9 covers="36"
def momentum(x, grad, state, lr, mu=0.9):
    """Take one step of gradient descent with momentum, as on the lecture's slide.

    Parameters
    ----------
    x, grad : ndarray, the same shape
        Parameters and gradient; both stay as they are.
    state : dict
        {} before the first step, then {"v": velocity}, shape of x; stays as it is.
    lr : float
        Learning rate.
    mu : float, 0 <= mu < 1
        What is left of the velocity after one step.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict
        {"v": the new velocity}.
    """
    ### BEGIN SOLUTION
    v = mu * state.get("v", 0.0) - lr * grad
    return x + v, {"v": v}
    ### END SOLUTION


# %% tests="momentum" points=1
# The two steps by hand.
check(momentum, np.array([1.0]), np.array([1.0]), {}, 0.1).gives((np.array([0.9]), {"v": np.array([-0.1])}))
velocity = {"v": np.array([-0.1])}
check(momentum, np.array([0.9]), np.array([0.9]), velocity, 0.1).gives((np.array([0.72]), {"v": np.array([-0.18])}))
# No gradient: the particle rolls on. No mu: plain SGD.
check(momentum, np.array([2.0]), np.array([0.0]), velocity, 0.1).gives((np.array([1.91]), {"v": np.array([-0.09])}))
check(momentum, np.array([2.0]), np.array([5.0]), velocity, 0.1, mu=0.0).gives(
    (np.array([1.5]), {"v": np.array([-0.5])})
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(44)
x, grad, v = rng.standard_normal((3, 2, 1, 4))
expected = 0.7 * v - 0.3 * grad
check(momentum, x, grad, {"v": v}, 0.3, mu=0.7).gives((x + expected, {"v": expected}))
### END HIDDEN TESTS


# %% tests="momentum" points=1
def steps_of_momentum(x, grads, lr, **settings):
    """Return x after each step of momentum."""
    return walk(momentum, x, grads, lr, **settings)


# Five steps beside torch.optim.SGD(momentum=mu).
import torch

x, grads = random_walk_data(45, (2,), steps=5)
expected = torch_walk(torch.optim.SGD, x, grads, lr=0.05, momentum=0.9)
check(steps_of_momentum, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)


def momentum_in_float32():
    """momentum(x, x, {}, 0.5)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return momentum(x, x, {}, 0.5)[0]


# float32 stays float32.
check(momentum_in_float32).gives(np.full((2, 2), 0.5), dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, mu in [((1,), 0.5), ((3, 1, 2), 0.99), ((), 0.0)]:
    x, grads = random_walk_data(46, shape)
    expected = torch_walk(torch.optim.SGD, x, grads, lr=0.2, momentum=mu)
    check(steps_of_momentum, x, grads, 0.2, mu=mu).gives(expected, rtol=1e-12, atol=1e-12)
### END HIDDEN TESTS

# %% [markdown]
# **Two conventions.** PyTorch keeps the velocity without the learning rate: v ← μ v + dx, then x ← x − η v. For a
# constant η the places are the same, as the test has just shown. When a schedule lowers η, PyTorch slows the particle
# at once, while on the slide the old velocity runs on.

# %% [markdown]
# ## {{exercise:nesterov}}
#
# Momentum first measures the slope, then rolls on by μ v whatever it found. Nesterov's idea (1983) is to look ahead:
# roll on by μ v first, and measure the slope *there*. A particle that is about to overshoot feels it one step
# earlier.
#
# In a training loop it is awkward to measure the gradient at another place than x. So one lets `x` *be* the place
# ahead. In this variable the rule reads (Sutskever et al., 2013; the same in PyTorch with `nesterov=True`)
#
# $$v \leftarrow \mu\,v - \eta\,\mathrm{d}x, \qquad x \leftarrow x + \mu\,v - \eta\,\mathrm{d}x$$
#
# with the *new* v in the second formula. x takes the gradient step, and is already ahead of the particle by μ times
# the velocity just computed.
#
# **By hand.** f(x) = ½x² from x = 1 with η = 0.1, μ = 0.9, as before:
#
# | step | dx | v | x |
# | --- | --- | --- | --- |
# | 1 | 1 | −0.1 | 1 + 0.9 · (−0.1) − 0.1 · 1 = 0.81 |
# | 2 | 0.81 | 0.9 · (−0.1) − 0.1 · 0.81 = −0.171 | 0.81 + 0.9 · (−0.171) − 0.081 = 0.5751 |


# %% exercise="nesterov" difficulty=2 minutes=8
def nesterov(x, grad, state, lr, mu=0.9):
    """Take one step of Nesterov's accelerated gradient; x is the place ahead, where grad was measured.

    Parameters
    ----------
    x, grad : ndarray, the same shape
        Parameters and gradient; both stay as they are.
    state : dict
        {} before the first step, then {"v": velocity}, shape of x; stays as it is.
    lr : float
        Learning rate.
    mu : float, 0 <= mu < 1
        What is left of the velocity after one step.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict
        {"v": the new velocity}.
    """
    ### BEGIN SOLUTION
    v = mu * state.get("v", 0.0) - lr * grad
    return x + mu * v - lr * grad, {"v": v}
    ### END SOLUTION


# %% tests="nesterov" points=1
# The two steps by hand, then five beside torch.optim.SGD(momentum=mu, nesterov=True).
check(nesterov, np.array([1.0]), np.array([1.0]), {}, 0.1).gives((np.array([0.81]), {"v": np.array([-0.1])}))
check(nesterov, np.array([0.81]), np.array([0.81]), {"v": np.array([-0.1])}, 0.1).gives(
    (np.array([0.5751]), {"v": np.array([-0.171])})
)


def steps_of_nesterov(x, grads, lr, **settings):
    """Return x after each step of nesterov."""
    return walk(nesterov, x, grads, lr, **settings)


import torch

x, grads = random_walk_data(47, (2,), steps=5)
expected = torch_walk(torch.optim.SGD, x, grads, lr=0.05, momentum=0.9, nesterov=True)
check(steps_of_nesterov, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)


def nesterov_in_float32():
    """nesterov(x, x, {}, 0.5, mu=0.0)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return nesterov(x, x, {}, 0.5, mu=0.0)[0]


# float32 stays float32.
check(nesterov_in_float32).gives(np.full((2, 2), 0.5), dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, mu in [((1,), 0.5), ((3, 1, 2), 0.99)]:
    x, grads = random_walk_data(48, shape)
    expected = torch_walk(torch.optim.SGD, x, grads, lr=0.2, momentum=mu, nesterov=True)
    check(steps_of_nesterov, x, grads, 0.2, mu=mu).gives(expected, rtol=1e-12, atol=1e-12)


def looking_ahead_in_two_variables():
    """Nesterov's own form on f(x) = 2x²: roll on by mu v, measure the slope there; the places ahead, 10 steps"""
    place, state, ahead = np.array([1.5]), {}, []
    for _ in range(10):
        place, state = nesterov(place, 4 * place, state, 0.1, mu=0.8)
        ahead.append(float(place[0]))
    return ahead


particle, v, expected = 1.5, 0.0, []
for _ in range(10):
    v = 0.8 * v - 0.1 * 4 * (particle + 0.8 * v)
    particle += v
    expected.append(particle + 0.8 * v)
check(looking_ahead_in_two_variables).gives(expected)
### END HIDDEN TESTS

# %% [markdown]
# ### Who may take the longest steps?

# %% experiment seconds=5
lesson.predict(
    "momentum_limit",
    "On the same ravine, with mu = 0.9: who may use the largest learning rate before it diverges?",
    [
        "Plain gradient descent: the others are faster, so they fly off earlier",
        "Momentum",
        "Nesterov: it sees the overshoot coming",
        "All three have the same limit, 2/50",
    ],
)


# %% experiment seconds=1 folded=true
def steps_to_reach(rule, lr, goal=1e-3, most=2000, **settings):
    """Return after how many steps a rule has brought f below the goal for good, `most` if it does not."""
    losses = np.array([ravine(place) for place in descend(rule, lr, most, **settings)])
    above = np.flatnonzero(~(losses < goal))
    return int(above[-1] + 1) if len(losses) == most + 1 else most


def fastest(rule, limit):
    """Return the learning rate below a limit that reaches f < 1e-3 in the fewest steps, and their number."""
    lrs = np.linspace(0.02, 0.999, training.full_or_fast(60, 12)) * limit
    steps = [steps_to_reach(rule, lr, most=training.full_or_fast(2000, 400)) for lr in lrs]
    return float(lrs[np.argmin(steps)]), int(min(steps))


# %% experiment seconds=30
mu = 0.9
theory = {sgd: 2 / 50, momentum: (2 + 2 * mu) / 50, nesterov: (2 + 2 * mu) / (1 + 2 * mu) / 50}
limits = {rule: largest_lr(rule, 0.001, 0.2) for rule in theory}
best = {rule: fastest(rule, limits[rule]) for rule in theory}
print("rule        limit found   limit by theory   fewest steps to f < 0.001")
for rule, limit_found in limits.items():
    lr, steps = best[rule]
    print(f"{rule.__name__:10}{limit_found:12.4f}{theory[rule]:16.4f}{steps:14} (lr {lr:.4f})")
others = ", ".join(f"{steps_to_reach(momentum, lr)} at {lr}" for lr in (0.01, 0.02, 0.04))
print(f"momentum: limit / fastest lr = {limits[momentum] / best[momentum][0]:.0f}; steps at other lrs: {others}")
print(f"√μ = {mu**0.5:.3f}, (1 − √μ)² = {(1 - mu**0.5) ** 2:.4f}")
lesson.target(
    "largest distance of a limit found from theory, three rules",
    max(abs(limits[rule] - theory[rule]) for rule in theory),
    at_most=2e-4,
)
lesson.reveal(
    "momentum_limit",
    answer=[sgd, momentum, nesterov].index(max(limits, key=limits.get)),
    because=f"Found: gradient descent {limits[sgd]:.4f}, momentum {limits[momentum]:.4f}, Nesterov "
    f"{limits[nesterov]:.4f}. Speed does not need a large learning rate: the fewest steps are {best[sgd][1]}, "
    f"{best[momentum][1]} and {best[nesterov][1]}.",
)

# %% [markdown]
# Theory, for those who want it: with a curvature κ one step of momentum is a 2 × 2 matrix acting on (x, v), and it
# shrinks every pair as long as η κ < 2 + 2μ; for Nesterov as long as η κ < (2 + 2μ)/(1 + 2μ). Looking ahead makes the
# rule answer *more* strongly to the steep direction: it damps sooner and tips over sooner.
#
# Momentum is fastest at 0.0053, 14 times below its limit. From η κ = (1 − √μ)² until close to the limit a direction
# swings to and fro, and its swings shrink by √μ = 0.949 a step, *whatever the learning rate*. Along the ravine that
# begins at 0.0026; a larger one makes the swings quicker, not shorter: 96 steps at 0.0053, 103 at 0.04.

# %% [markdown]
# # Part 3 · A learning rate for each parameter
#
# The ravine's trouble is one learning rate for all directions. **Adaptive** rules give each parameter its own: they
# watch how large its gradients are, and divide by that. All operations are elementwise.
#
# ## {{exercise:adagrad}}
#
# Adagrad (Duchi et al., 2011) keeps the sum of all squared gradients of each parameter, the `cache`:
#
# $$c \leftarrow c + \mathrm{d}x^2, \qquad x \leftarrow x - \eta\,\frac{\mathrm{d}x}{\sqrt{c} + \varepsilon}$$
#
# c begins at 0; ε (`eps`) only keeps 0/0 away. *Weights with high gradients => effective learning rate reduced*, says
# the slide.
#
# **By hand.** dx = (3, −40): c = (9, 1600), and with η = 0.1 the step is −0.1 · (3/3, −40/40) = (−0.1, +0.1), the
# same length for both. A second equal gradient doubles c, and the step is shorter by √2. ε stands *outside* the root:
# with ε = 1, dx = 3 gives 3/(3 + 1) = 0.75 of η.


# %% exercise="adagrad" difficulty=1 minutes=6 covers="37"
def adagrad(x, grad, state, lr, eps=1e-10):
    """Take one step of Adagrad.

    Parameters
    ----------
    x, grad : ndarray, the same shape
        Parameters and gradient; both stay as they are.
    state : dict
        {} before the first step, then {"cache": sum of the squared gradients}, shape of x; stays as it is.
    lr : float
        Learning rate.
    eps : float
        Added to the root.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict
        {"cache": the new sum}.
    """
    ### BEGIN SOLUTION
    cache = state.get("cache", 0.0) + grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}
    ### END SOLUTION


# %% tests="adagrad" points=1
# The example by hand, its second step, and eps = 1.
x, grad = np.array([1.0, 2.0]), np.array([3.0, -40.0])
check(adagrad, x, grad, {}, 0.1).gives((np.array([0.9, 2.1]), {"cache": np.array([9.0, 1600.0])}))
shorter = 0.1 / np.sqrt(2)
check(adagrad, x, grad, {"cache": np.array([9.0, 1600.0])}, 0.1).gives(
    (np.array([1 - shorter, 2 + shorter]), {"cache": np.array([18.0, 3200.0])})
)
check(adagrad, x[:1], grad[:1], {}, 0.1, eps=1.0).gives((np.array([0.925]), {"cache": np.array([9.0])}))


def steps_of_adagrad(x, grads, lr, **settings):
    """Return x after each step of adagrad."""
    return walk(adagrad, x, grads, lr, **settings)


# Five steps beside torch.optim.Adagrad.
import torch

x, grads = random_walk_data(49, (2,), steps=5)
expected = torch_walk(torch.optim.Adagrad, x, grads, lr=0.05)
check(steps_of_adagrad, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)


def adagrad_in_float32():
    """adagrad(x, x, {}, 0.5)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return adagrad(x, x, {}, 0.5)[0]


# float32 stays float32.
check(adagrad_in_float32).gives(np.full((2, 2), 0.5), dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, eps in [((1,), 1e-3), ((3, 1, 2), 0.5)]:
    x, grads = random_walk_data(50, shape)
    expected = torch_walk(torch.optim.Adagrad, x, grads, lr=0.4, eps=eps)
    check(steps_of_adagrad, x, grads, 0.4, eps=eps).gives(expected, rtol=1e-12, atol=1e-12)
# A gradient that is 0 from the start must not become 0/0.
check(adagrad, np.ones(2), np.zeros(2), {}, 0.1).gives((np.ones(2), {"cache": np.zeros(2)}))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:rmsprop}}
#
# Adagrad's sum only grows, so its steps only shrink: *aggressive, monotonically decreasing learning rate*. RMSProp
# (Hinton's lecture, 2012) replaces the sum by a moving average, which forgets:
#
# $$c \leftarrow d\,c + (1 - d)\,\mathrm{d}x^2, \qquad
# x \leftarrow x - \eta\,\frac{\mathrm{d}x}{\sqrt{c} + \varepsilon}$$
#
# d is the `decay`, between 0 and 1; PyTorch calls it `alpha`.
#
# **By hand.** dx = 4, d = 0.75: c = 0.25 · 16 = 4, and the step is −η · 4/2 = −2η. After many equal gradients c is 16
# and the step −η.


# %% exercise="rmsprop" difficulty=1 minutes=4 covers="38"
def rmsprop(x, grad, state, lr, decay=0.99, eps=1e-8):
    """Take one step of RMSProp.

    Parameters
    ----------
    x, grad : ndarray, the same shape
        Parameters and gradient; both stay as they are.
    state : dict
        {} before the first step, then {"cache": moving average of the squared gradients}; stays as it is.
    lr : float
        Learning rate.
    decay : float, 0 <= decay < 1
        What is left of the cache after one step.
    eps : float
        Added to the root.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict
        {"cache": the new average}.
    """
    ### BEGIN SOLUTION
    cache = decay * state.get("cache", 0.0) + (1 - decay) * grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}
    ### END SOLUTION


# %% tests="rmsprop" points=1
# The example by hand: a cache that has settled at dx² = 16, then the first step. Then eps = 2.
x, grad = np.array([1.0]), np.array([4.0])
check(rmsprop, x, grad, {"cache": np.array([16.0])}, 0.1, decay=0.75).gives(
    (np.array([0.9]), {"cache": np.array([16.0])}), rtol=1e-6
)
check(rmsprop, x, grad, {}, 0.1, decay=0.75).gives((np.array([0.8]), {"cache": np.array([4.0])}), rtol=1e-6)
check(rmsprop, x, grad, {}, 0.1, decay=0.75, eps=2.0).gives((np.array([0.9]), {"cache": np.array([4.0])}))


def steps_of_rmsprop(x, grads, lr, **settings):
    """Return x after each step of rmsprop."""
    return walk(rmsprop, x, grads, lr, **settings)


# Five steps beside torch.optim.RMSprop.
import torch

x, grads = random_walk_data(51, (2,), steps=5)
expected = torch_walk(torch.optim.RMSprop, x, grads, lr=0.05)
check(steps_of_rmsprop, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)


def rmsprop_in_float32():
    """rmsprop(x, x, {}, 0.5, decay=0.0)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return rmsprop(x, x, {}, 0.5, decay=0.0)[0]


# float32 stays float32.
check(rmsprop_in_float32).gives(np.full((2, 2), 0.5), rtol=1e-6, dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, decay, eps in [((1,), 0.5, 1e-3), ((3, 1, 2), 0.999, 0.5)]:
    x, grads = random_walk_data(52, shape)
    expected = torch_walk(torch.optim.RMSprop, x, grads, lr=0.4, alpha=decay, eps=eps)
    check(steps_of_rmsprop, x, grads, 0.4, decay=decay, eps=eps).gives(expected, rtol=1e-12, atol=1e-12)
check(rmsprop, np.ones(2), np.zeros(2), {}, 0.1).gives((np.ones(2), {"cache": np.zeros(2)}))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:adam}}
#
# Adam (Kingma and Ba, 2015) puts momentum and RMSProp together: a moving average m of the gradients, divided by the
# root of a moving average v of their squares. As on the slide:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\,\mathrm{d}x, \qquad
# v \leftarrow \beta_2 v + (1 - \beta_2)\,\mathrm{d}x^2, \qquad
# x \leftarrow x - \eta\,\frac{m}{\sqrt{v} + \varepsilon}$$
#
# with β₁ = 0.9, β₂ = 0.999, and m = v = 0 at the start (v is no velocity here, although the letter is the same). Here
# the slide ends. The paper goes on.
#
# **Bias correction.** Averages that begin at 0 are too small at first: after t equal gradients g, m is (1 − β₁ᵗ) g
# instead of g, and v is (1 − β₂ᵗ) g² instead of g². The paper divides that out, with t = 1 at the first step:
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
# x \leftarrow x - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}$$
#
# The state keeps m and v themselves, not the corrected ones, and t: `{"m": m, "v": v, "t": t}`.
#
# **Weight decay, two ways.** *Coupled*: the penalty's gradient is added to grad, as in `sgd`, before anything else;
# so it is divided by √v̂ like everything else. *Decoupled* (AdamW; Loshchilov and Hutter, 2019): grad stays as it is,
# and x is first shrunk by the factor 1 − η λ, then Adam's step is taken.
#
# **By hand.** dx = 1 at the first step: m = 0.1, v = 0.001. Corrected, m̂ = 1 and v̂ = 1: the step is −η. As on the
# slide, without correction, it is −η · 0.1/√0.001. Work that out: how much too long is it?


# %% exercise="adam" difficulty=3 minutes=24 covers="39 E5"
def adam(
    x,
    grad,
    state,
    lr,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    bias_correction=True,
    weight_decay=0.0,
    decoupled=False,
):
    """Take one step of Adam, or of AdamW.

    Parameters
    ----------
    x, grad : ndarray, the same shape
        Parameters and gradient; both stay as they are.
    state : dict
        {} before the first step, then {"m": ..., "v": ..., "t": number of steps taken}; stays as it is.
    lr : float
        Learning rate.
    beta1, beta2 : float, 0 <= beta < 1
        Decay of the averages of the gradients and of their squares.
    eps : float
        Added to the root.
    bias_correction : bool
        Whether m and v are corrected for their start at 0 (the paper), or not (the slide).
    weight_decay : float
        λ, at least 0.
    decoupled : bool
        False: λ x is added to grad. True: x is first multiplied by 1 - lr * λ, and grad stays as it is.

    Returns
    -------
    x : ndarray
        A new array, same shape and dtype.
    state : dict
        The new m and v, not corrected, and t.
    """
    ### BEGIN SOLUTION
    if decoupled:
        x = x * (1 - lr * weight_decay)
    else:
        grad = grad + weight_decay * x
    t = state.get("t", 0) + 1
    m = beta1 * state.get("m", 0.0) + (1 - beta1) * grad
    v = beta2 * state.get("v", 0.0) + (1 - beta2) * grad**2
    m_hat, v_hat = (m / (1 - beta1**t), v / (1 - beta2**t)) if bias_correction else (m, v)
    return x - lr * m_hat / (np.sqrt(v_hat) + eps), {"m": m, "v": v, "t": t}
    ### END SOLUTION


# %% tests="adam" points=1
# One step by hand. β₁ = 0.5 and β₂ = 0.75 make round numbers: dx = 2 gives m = 1, v = 1; the slide's step is η · 1/1.
slide = {"beta1": 0.5, "beta2": 0.75, "eps": 0.0, "bias_correction": False}
x, grad = np.array([10.0]), np.array([2.0])
check(adam, x, grad, {}, 0.5, **slide).gives((np.array([9.5]), {"m": np.array([1.0]), "v": np.array([1.0]), "t": 1}))
# A second step: m = 0.5 · 1 + 0.5 · 4 = 2.5, v = 0.75 · 1 + 0.25 · 16 = 4.75.
first = {"m": np.array([1.0]), "v": np.array([1.0]), "t": 1}
check(adam, x, np.array([4.0]), first, 0.5, **slide).gives(
    (np.array([10 - 0.5 * 2.5 / np.sqrt(4.75)]), {"m": np.array([2.5]), "v": np.array([4.75]), "t": 2})
)
# eps stands outside the root.
check(adam, x, grad, {}, 0.5, **slide | {"eps": 1.0}).gives(
    (np.array([9.75]), {"m": np.array([1.0]), "v": np.array([1.0]), "t": 1})
)


def steps_as_on_the_slide(x, grads, lr, **settings):
    """Return x after each step of adam with bias_correction=False."""
    return walk(adam, x, grads, lr, bias_correction=False, **settings)


def undo_the_correction(lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """PyTorch always corrects: set the lr and eps of step t such that its corrections cancel."""

    def set_group(group, t):
        shrink = np.sqrt(1 - beta2**t)
        group["lr"], group["eps"] = lr * (1 - beta1**t) / shrink, eps / shrink

    return set_group


# Five steps beside torch.optim.Adam, whose correction is undone.
import torch

x, grads = random_walk_data(53, (2,), steps=5)
expected = torch_walk(torch.optim.Adam, x, grads, before_step=undo_the_correction(0.05))
check(steps_as_on_the_slide, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)
### BEGIN HIDDEN TESTS
for shape, betas, eps in [((1,), (0.5, 0.9), 1e-3), ((3, 1, 2), (0.0, 0.99), 0.1)]:
    x, grads = random_walk_data(54, shape)
    undo = undo_the_correction(0.3, *betas, eps)
    expected = torch_walk(torch.optim.Adam, x, grads, before_step=undo, betas=betas)
    settings = {"beta1": betas[0], "beta2": betas[1], "eps": eps}
    check(steps_as_on_the_slide, x, grads, 0.3, **settings).gives(expected, rtol=1e-12, atol=1e-12)
### END HIDDEN TESTS


# %% tests="adam" points=2
# With bias correction. The first step has the length of lr, for large and for tiny gradients.
x, grad = np.array([1.0, 2.0]), np.array([8.0, -1e-4])
expected = {"m": 0.1 * grad, "v": 0.001 * grad**2, "t": 1}
check(adam, x, grad, {}, 0.5, eps=0.0).gives((np.array([0.5, 2.5]), expected), atol=1e-15)
# The second step: m and v as before, divided by 1 − β₁² and 1 − β₂².
state = {"m": np.array([1.0]), "v": np.array([1.0]), "t": 1}
second = {"m": np.array([2.5]), "v": np.array([4.75]), "t": 2}
check(adam, np.array([10.0]), np.array([4.0]), state, 0.5, beta1=0.5, beta2=0.75, eps=0.0).gives(
    (np.array([10 - 0.5 * (2.5 / 0.75) / np.sqrt(4.75 / 0.4375)]), second)
)


def steps_of_adam(x, grads, lr, **settings):
    """Return x after each step of adam."""
    return walk(adam, x, grads, lr, **settings)


# Five steps beside torch.optim.Adam.
import torch

x, grads = random_walk_data(55, (2,), steps=5)
expected = torch_walk(torch.optim.Adam, x, grads, lr=0.05)
check(steps_of_adam, x, grads, 0.05).gives(expected, rtol=1e-12, atol=1e-12)


def adam_in_float32():
    """adam(x, x, {}, 0.5)[0] for x = np.ones((2, 2), np.float32)"""
    x = np.ones((2, 2), np.float32)
    return adam(x, x, {}, 0.5)[0]


# float32 stays float32.
check(adam_in_float32).gives(np.full((2, 2), 0.5), rtol=1e-5, dtype=np.float32)
### BEGIN HIDDEN TESTS
for shape, betas, eps in [((1,), (0.5, 0.9), 1e-3), ((3, 1, 2), (0.0, 0.99), 0.1), ((), (0.9, 0.999), 1e-8)]:
    x, grads = random_walk_data(56, shape)
    expected = torch_walk(torch.optim.Adam, x, grads, lr=0.3, betas=betas, eps=eps)
    settings = {"beta1": betas[0], "beta2": betas[1], "eps": eps}
    check(steps_of_adam, x, grads, 0.3, **settings).gives(expected, rtol=1e-12, atol=1e-12)
### END HIDDEN TESTS


# %% tests="adam" points=1
# Weight decay. Without a gradient: coupled, λ x takes its place and the step is lr whatever λ is;
# decoupled, x shrinks by the factor 1 − 0.1 · 0.5.
x, none = np.array([4.0, -2.0]), np.zeros(2)


def x_after_one_step(x, grad, lr, **settings):
    """Return adam(x, grad, {}, lr, ...)[0]."""
    return adam(x, grad, {}, lr, **settings)[0]


check(x_after_one_step, x, none, 0.1, weight_decay=0.5).gives(np.array([3.9, -1.9]))
check(x_after_one_step, x, none, 0.1, weight_decay=0.5, decoupled=True).gives(np.array([3.8, -1.9]))


def steps_with_weight_decay(x, grads, lr, **settings):
    """Return x after each step of adam."""
    return walk(adam, x, grads, lr, **settings)


# Five steps beside torch.optim.Adam and torch.optim.AdamW with the same weight_decay.
import torch

x, grads = random_walk_data(57, (2,), steps=5)
for optimizer, decoupled in [(torch.optim.Adam, False), (torch.optim.AdamW, True)]:
    expected = torch_walk(optimizer, x, grads, lr=0.05, weight_decay=0.3)
    check(steps_with_weight_decay, x, grads, 0.05, weight_decay=0.3, decoupled=decoupled).gives(
        expected, rtol=1e-12, atol=1e-12
    )
### BEGIN HIDDEN TESTS
for optimizer, decoupled in [(torch.optim.Adam, False), (torch.optim.AdamW, True)]:
    x, grads = random_walk_data(58, (3, 1, 2))
    expected = torch_walk(optimizer, x, grads, lr=0.2, weight_decay=0.05, betas=(0.8, 0.95))
    settings = {"weight_decay": 0.05, "decoupled": decoupled, "beta1": 0.8, "beta2": 0.95}
    check(steps_with_weight_decay, x, grads, 0.2, **settings).gives(expected, rtol=1e-12, atol=1e-12)
### END HIDDEN TESTS

# %% [markdown]
# ### Audit the slide
#
# How long are the first steps without bias correction, compared with those of the paper? For equal gradients the
# answer is (1 − β₁ᵗ)/√(1 − β₂ᵗ). The cell measures it with your `adam`.


# %% experiment seconds=1 folded=true
def draw_lengths(lengths, too_long):
    """Draw the length of each step in units of lr: the first 40, and all on a logarithmic axis."""
    fig, (left, right) = plots.figure(1, 2, width=9.5, height=3.5)
    for k, (name, values) in enumerate(lengths.items()):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "label": name}
        left.plot(np.arange(1, 41), values[:40], marker=plots.MARKERS[k], markevery=6, **style)
        right.semilogy(np.arange(1, len(values) + 1), values, marker=plots.MARKERS[k], markevery=97, **style)
    left.set(xlabel="step", ylabel="step length / lr")
    left.set_title(f"The slide's Adam begins {too_long[0]:.2f} times too long")
    right.set(xlabel="step", ylabel="step length / lr")
    right.axvspan(200, 400, color="0.5", alpha=0.12, linewidth=0)
    right.set_title("Gradient 10 times larger in the grey part")
    right.legend(fontsize=8)
    tail = ", ".join(f"{name} {values[-1]:.2f}" for name, values in lengths.items())
    plots.show(
        fig,
        alt="Length of each step in units of the learning rate. Left, 40 equal gradients: Adam takes steps of 1; as on "
        f"the slide the first is {too_long[0]:.2f} and the longest {too_long.max():.2f}; RMSProp begins at "
        f"{lengths['RMSProp'][0]:.1f}; Adagrad begins at 1 and falls. Right, 800 gradients, ten times larger from step "
        f"200 to 400: all jump, then forget at different speeds; Adagrad never does. At the end: {tail}.",
    )


# %% experiment seconds=5 covers="37 39 E5"
def step_lengths(rule, grads, **settings):
    """Return the length of each step in units of lr, for a single parameter and given gradients."""
    x, state, lengths = np.zeros(1), {}, []
    for grad in grads:
        new, state = rule(x, np.array([grad]), state, 0.01, **settings)
        lengths.append(abs(float(new[0] - x[0])) / 0.01)
        x = new
    return np.array(lengths)


# The gradient is 1 for 200 steps, then ten times larger for 200 steps, then 1 again.
grads = np.concatenate([np.full(200, 1.0), np.full(200, 10.0), np.full(400, 1.0)])
lengths = {
    "Adagrad": step_lengths(adagrad, grads),
    "RMSProp": step_lengths(rmsprop, grads),
    "Adam": step_lengths(adam, grads),
    "Adam as on the slide": step_lengths(adam, grads, bias_correction=False),
}
too_long = lengths["Adam as on the slide"][:200] / lengths["Adam"][:200]
print(f"first step of the slide's Adam: {too_long[0]:.4f} times too long; √10 = {np.sqrt(10):.4f}")
print(f"worst at step {np.argmax(too_long) + 1}: {too_long.max():.2f} times; still {too_long[-1]:.2f} at step 200")
print(f"first step of RMSProp, which has no correction either: {lengths['RMSProp'][0]:.2f} lr")

draw_lengths(lengths, too_long)
lesson.target("first step without correction is too long by", round(float(too_long[0]), 3), exactly=3.162)
plots.claims(
    [
        plots.Claim(
            "Adam: x += −lr · m/(√v + eps), no correction",
            f"first step {too_long[0]:.3f} times as long as the paper's, worst {too_long.max():.2f} times at step "
            f"{np.argmax(too_long) + 1}",
            "equal gradients, β₁ = 0.9, β₂ = 0.999",
            "does not hold",
        ),
        plots.Claim(
            "Adagrad: monotonically decreasing learning rate",
            f"800 gradients: step {lengths['Adagrad'][0]:.2f} lr at first, {lengths['Adagrad'][-1]:.3f} lr at last; "
            f"RMSProp {lengths['RMSProp'][-1]:.2f} lr",
            "gradient 1, 10, 1",
            "holds" if lengths["Adagrad"][-1] < 0.1 < lengths["RMSProp"][-1] else "does not hold",
        ),
    ]
)

# %% [markdown]
# The slide's rule is not a typo without consequence: its steps grow to 6.57 times lr at step 12, and at step 200 they
# are still 2.35 times too long. RMSProp, whose average begins at 0 too, takes a first step of 10 lr. Beginning with a
# smaller learning rate, a *warm-up*, treats the same symptom.
#
# ### Coupled or decoupled?
#
# For SGD the two are the same: x − η (g + λx) = (1 − ηλ) x − η g. For Adam they are not, and the difference is not
# small. Take parameters without any use: their gradients are pure noise, of standard deviation 10 for some and 0.1
# for others. All begin at 1, and weight decay should pull all of them to 0 alike.

# %% experiment seconds=5
rng = np.random.default_rng(0)
noise = np.repeat([10.0, 0.1], 200)
means = {}
for name, decoupled in [("coupled (Adam)", False), ("decoupled (AdamW)", True)]:
    x, state = np.ones(400), {}
    for _ in range(training.full_or_fast(1000, 100)):
        gradient = noise * rng.standard_normal(400)
        x, state = adam(x, gradient, state, 0.01, weight_decay=0.1, decoupled=decoupled)
    means[name] = x[:200].mean(), x[200:].mean()
    print(f"{name:18} noise 10: {means[name][0]:+.2f}   noise 0.1: {means[name][1]:+.2f}   (mean of 200, from 1)")
print(f"(1 − ηλ) to the power of 1,000: {(1 - 0.01 * 0.1) ** 1000:.2f}")

# %% [markdown]
# Decoupled, all parameters shrink by the factor that λ promises. Coupled, the pull is divided by the size of the
# gradients: those with noisy gradients hardly feel it, the quiet ones are pulled to 0 at full speed.
#
# ### The race
#
# Now let them run, with your own functions, on four surfaces. Click anywhere to start there (or move the start with
# the arrow keys); earlier paths stay as thin lines. Try this:
#
# 1. *Ravine*: set SGD's lr to 0.01, 0.03, 0.05. Give momentum SGD's lr. Who arrives first?
# 2. *Saddle*: show all six and start close to the line y = 0. Who leaves the saddle first, and what makes them so
#    indifferent to a small gradient? On the line itself nobody leaves: why?
# 3. *Beale*: gradients here range over many powers of ten. Start at the edge: what happens to SGD?
# 4. *Noisy*: nobody comes to rest. What does a smaller lr change?

# %% widget="optimizer_race"
# alt: Level lines of a surface with the paths of several optimizers from one start; a table with lr and loss of each.
# picture: OptimizerRace(sgd, momentum, nesterov, adagrad, rmsprop, adam, steps=60, shown=["sgd", "momentum", "adam"])
from convnets.widgets import OptimizerRace

OptimizerRace(sgd, momentum, nesterov, adagrad, rmsprop, adam)

# %% [markdown]
# ### "Default optimizer (along with Momentum)"
#
# So the slide calls Adam. What is a fair comparison? Each rule with *its own* best learning rate, and a look at how
# much depends on hitting it. The cell trains the 784-32-10 network with each rule and eight learning rates, factors
# of √10 apart.


# %% experiment seconds=1 folded=true
def draw_rates(rules, rates, final, epochs):
    """Draw the loss over the learning rate, a curve for each rule."""
    fig, ax = plots.figure(width=6.8, height=3.6)
    for k, (rule, losses) in enumerate(zip(rules, final, strict=True)):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k]}
        ax.semilogx(rates, np.minimum(losses, 2.6), label=rule.__name__, **style)
    ax.set(xlabel="learning rate", ylabel=f"training loss after {epochs} epochs (cut at 2.6)", ylim=(0.35, 2.65))
    ax.set_title("Each rule has its own scale of learning rates")
    ax.legend(ncols=2, fontsize=8)
    summary = "; ".join(
        f"{rule.__name__} {losses.min():.2f} at {rates[np.argmin(losses)]:.1e}"
        for rule, losses in zip(rules, final, strict=True)
    )
    plots.show(
        fig,
        alt="Training loss over the learning rate for six update rules, each a U-shaped curve at its own place, "
        f"cut at 2.6. Lowest points: {summary}.",
    )


# %% experiment seconds=45 covers="39"
rules = [sgd, momentum, nesterov, adagrad, rmsprop, adam]
rates = 10.0 ** np.arange(-3.5, 0.5, training.full_or_fast(0.5, 1.5))
seeds = range(training.full_or_fast(2, 1))
epochs = training.full_or_fast(2, 1)
final = np.array(
    [
        [np.mean([train(rule, float(lr), 64, epochs, seed)[-1] for seed in seeds]) for lr in rates]
        for rule in training.progress(rules, "rule")
    ]
)
final = np.nan_to_num(final, nan=np.inf)
best_loss = final.min(axis=1)
good_rates = np.sum(final <= 1.1 * best_loss[:, None], axis=1)
for rule, losses, good in zip(rules, final, good_rates, strict=True):
    k = int(np.argmin(losses))
    print(f"{rule.__name__:10} best loss {losses[k]:.3f} at lr {rates[k]:.1e}; {good} learning rates within 10 % of it")

draw_rates(rules, rates, final, epochs)
by_name = {rule.__name__: loss for rule, loss in zip(rules, best_loss, strict=True)}
plots.claims(
    [
        plots.Claim(
            "Adam is the default optimizer (along with momentum)",
            ", ".join(f"{name} {loss:.3f}" for name, loss in by_name.items()),
            f"best of {len(rates)} lrs each, batch 64, {epochs} epochs, mean of {len(seeds)} starts, 4,000 images",
            judged(
                "holds"
                if by_name["adam"] <= 1.05 * best_loss.min() and by_name["momentum"] < by_name["sgd"]
                else "partly"
            ),
        )
    ]
)

# %% [markdown]
# Each rule has its own scale: the best learning rates lie a factor of 100 apart, from 0.0032 (RMSProp) to 0.32 (SGD),
# so that a comparison at one learning rate compares nothing. At its best Adam ends lowest, at 0.450, and forgives most
# (3 of 8 learning rates within 10 %); Nesterov (0.468) and momentum (0.490) follow, plain SGD (0.607) is last.

# %% [markdown]
# # Part 4 · A learning rate that changes
#
# ## {{exercise:schedule}}
#
# Far from the minimum long steps are good; close to it they only jump back and forth. So the learning rate is lowered
# during training, is *annealed*: "the dark art", says the lecture. Four ways, with η₀ the first learning rate (`lr`)
# and t = 0, 1, 2, ... the epoch (or the step):
#
# | `kind` | learning rate at t | arguments |
# | --- | --- | --- |
# | `"step"` | η₀ · fⁿ, n = ⌊t/`every`⌋ stairs so far: "half the learning rate every 10 epochs" | `every`, `factor` f |
# | `"exponential"` | η₀ · exp(−k t) | `k` |
# | `"cosine"` | η_min + ½ (η₀ − η_min)(1 + cos(π t/T)); from t = T on it stays at η_min | `total` T, `lr_min` |
# | `"plateau"` | η₀ · fⁿ, n plateaus so far: "reduce when the error plateaus" | `losses`, `patience`, `factor` f |
#
# Lectures C and E say "divide by 10 when the validation error plateaus": that is `"plateau"` with `factor=0.1`.
#
# What is a **plateau**? Go through the losses of the epochs before t in order. Keep the best (smallest) loss so far
# and a count of *bad* epochs. A loss smaller than the best becomes the best and sets the count to 0; any other adds 1
# to it. When the count is *larger* than `patience`, the learning rate is multiplied by `factor` and the count is set
# to 0. The best is kept.
#
# **By hand.** `patience=1`, `factor=0.1`, losses 5, 4, 4, 4, 4, 4: the best is 4; epochs 2 and 3 (counted from 0) are
# bad, two are more than one, and from epoch 4 on the learning rate is η₀/10. Epochs 4 and 5 are bad again: from epoch
# 6 on, η₀/100. At epoch 4 only the losses of epochs 0 to 3 are known; use `losses[:t]`.


# %% exercise="schedule" difficulty=2 minutes=24 covers="41"
def schedule(kind, lr, t, every=10, factor=0.5, k=0.05, total=100, lr_min=0.0, losses=(), patience=10):
    """Return the learning rate at epoch (or step) t.

    Parameters
    ----------
    kind : {"step", "exponential", "cosine", "plateau"}
    lr : float
        The first learning rate.
    t : int, at least 0
    every, factor : int, float
        "step": multiply by factor after every so many epochs. "plateau" uses factor too.
    k : float
        "exponential": rate of decay.
    total, lr_min : int, float
        "cosine": lr_min is reached at t = total and kept.
    losses : sequence of float
        "plateau": the loss of each epoch; only the first t are looked at.
    patience : int
        "plateau": how many bad epochs in a row are tolerated.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When kind is none of the four, or fewer than t losses are given to "plateau".
    """
    ### BEGIN SOLUTION
    if kind == "step":
        return lr * factor ** (t // every)
    if kind == "exponential":
        return lr * float(np.exp(-k * t))
    if kind == "cosine":
        return lr_min + 0.5 * (lr - lr_min) * (1 + float(np.cos(np.pi * min(t / total, 1))))
    if kind == "plateau":
        if len(losses) < t:
            raise ValueError(f"the learning rate at epoch {t} needs {t} losses, not {len(losses)}")
        best, bad = np.inf, 0
        for loss in losses[:t]:
            best, bad = (loss, 0) if loss < best else (best, bad + 1)
            if bad > patience:
                lr, bad = lr * factor, 0
        return lr
    raise ValueError(f"kind is 'step', 'exponential', 'cosine' or 'plateau', not {kind!r}")
    ### END SOLUTION


# %% tests="schedule" points=1
def rates(kind, lr, epochs, **settings):
    """Return schedule(kind, lr, t, ...) for t = 0, 1, ..., epochs - 1."""
    return [float(schedule(kind, lr, t, **settings)) for t in range(epochs)]


# The lecture's example: half every 10 epochs. Then beside torch's StepLR.
check(rates, "step", 0.8, 31, every=10, factor=0.5).gives([0.8] * 10 + [0.4] * 10 + [0.2] * 10 + [0.1])

expected = torch_schedule("StepLR", 0.5, 40, step_size=7, gamma=0.3)
check(rates, "step", 0.5, 40, every=7, factor=0.3).gives(expected, rtol=1e-12, atol=1e-12)
check(schedule, "linear", 0.1, 3).raises(ValueError)
### BEGIN HIDDEN TESTS
expected = torch_schedule("StepLR", 2.0, 25, step_size=1, gamma=0.9)
check(rates, "step", 2.0, 25, every=1, factor=0.9).gives(expected, rtol=1e-12, atol=1e-12)
check(schedule, "", 0.1, 3).raises(ValueError)
### END HIDDEN TESTS


# %% tests="schedule" points=1
def rates_of_exponential(lr, epochs, **settings):
    """Return schedule("exponential", lr, t, ...) for t = 0, 1, ..., epochs - 1."""
    return [float(schedule("exponential", lr, t, **settings)) for t in range(epochs)]


# With k = ln 2 the learning rate halves at each step. Then beside torch's ExponentialLR, whose gamma is exp(−k).
check(rates_of_exponential, 0.8, 4, k=np.log(2)).gives([0.8, 0.4, 0.2, 0.1])

expected = torch_schedule("ExponentialLR", 0.003, 60, gamma=np.exp(-0.05))
check(rates_of_exponential, 0.003, 60, k=0.05).gives(expected, rtol=1e-12, atol=1e-12)
### BEGIN HIDDEN TESTS
# The lecture's curve: from 0.003 to 0.0001.
check(schedule, "exponential", 0.003, 700, k=np.log(30) / 700).gives(0.0001, rtol=1e-12)
check(rates_of_exponential, 1.0, 3, k=0.0).gives([1.0, 1.0, 1.0])
### END HIDDEN TESTS


# %% tests="schedule" points=1
def rates_of_cosine(lr, epochs, **settings):
    """Return schedule("cosine", lr, t, ...) for t = 0, 1, ..., epochs - 1."""
    return [float(schedule("cosine", lr, t, **settings)) for t in range(epochs)]


# cos 0 = 1, cos(π/3) = ½, cos(π/2) = 0, cos π = −1; afterwards it stays. Then beside torch's CosineAnnealingLR.
check(rates_of_cosine, 0.8, 7, total=6).gives([0.8 * (1 + np.cos(np.pi * t / 6)) / 2 for t in range(7)])
check(schedule, "cosine", 0.8, 2, total=6).gives(0.6)
check(schedule, "cosine", 0.8, 6, total=6, lr_min=0.1).gives(0.1)
check(schedule, "cosine", 0.8, 9, total=6, lr_min=0.1).gives(0.1)

expected = torch_schedule("CosineAnnealingLR", 0.3, 51, T_max=50, eta_min=0.01)
check(rates_of_cosine, 0.3, 51, total=50, lr_min=0.01).gives(expected, rtol=1e-12, atol=1e-12)
### BEGIN HIDDEN TESTS
expected = torch_schedule("CosineAnnealingLR", 2.0, 14, T_max=13)
check(rates_of_cosine, 2.0, 14, total=13).gives(expected, rtol=1e-12, atol=1e-12)
check(schedule, "cosine", 0.5, 1000, total=10).gives(0.0)
### END HIDDEN TESTS


# %% tests="schedule" points=1
def rates_on_plateaus(losses, lr=1.0, **settings):
    """Return schedule("plateau", lr, t, losses=losses, ...) for every t from 0 to len(losses)."""
    return [float(schedule("plateau", lr, t, losses=losses, **settings)) for t in range(len(losses) + 1)]


# The example by hand. A fall in between sets the count back. The best is kept after a reduction: 4.5 is still bad.
check(rates_on_plateaus, [5, 4, 4, 4, 4, 4], patience=1, factor=0.1).gives([1, 1, 1, 1, 0.1, 0.1, 0.01])
check(rates_on_plateaus, [5, 4, 6, 3, 6, 2], patience=1, factor=0.1).gives([1, 1, 1, 1, 1, 1, 1])
check(rates_on_plateaus, [4, 6, 5, 4.5], patience=0, factor=0.5).gives([1, 1, 0.5, 0.25, 0.125])
check(schedule, "plateau", 1.0, 3, losses=[2.0, 1.0]).raises(ValueError)
# Before the first epoch there is no loss yet.
check(schedule, "plateau", 0.5, 0).gives(0.5)
# Beside torch's ReduceLROnPlateau, on losses that fall and jump; any improvement counts, however small.
rng = np.random.default_rng(59)
losses = (2.0 * np.exp(-np.arange(60) / 12) + 0.2 * rng.random(60)).tolist()
settings = {"factor": 0.1, "patience": 3}
expected = torch_schedule("ReduceLROnPlateau", 0.5, 60, losses, threshold=0.0, eps=0.0, **settings)
check(rates_on_plateaus, losses[:-1], lr=0.5, **settings).gives(expected, rtol=1e-12, atol=1e-15)
### BEGIN HIDDEN TESTS
for patience in (0, 2, 10):
    losses = rng.random(40).tolist()
    settings = {"factor": 0.5, "patience": patience}
    expected = torch_schedule("ReduceLROnPlateau", 0.3, 40, losses, threshold=0.0, eps=0.0, **settings)
    check(rates_on_plateaus, losses[:-1], lr=0.3, **settings).gives(expected, rtol=1e-12, atol=1e-15)
check(schedule, "plateau", 0.7, 0, losses=[]).gives(0.7)
### END HIDDEN TESTS

# %% [markdown]
# ### Draw your own
#
# Paint the learning rate of each of twenty stretches of ten steps. Below, your `sgd` follows it on a noisy ravine:
# the gradients are right on average and off by chance, as those of minibatches are. The curve is the mean loss of 64
# runs. Try this:
#
# 1. The dotted line is where the best *constant* learning rate ends. What is wrong with a larger one, and with a
#    smaller one? (*constant* draws the first bar twenty times.)
# 2. Keep it high, then let it fall. How much lower than the best constant do you come?
# 3. Let it fall too early. Which direction of the ravine has not arrived?
# 4. The buttons draw what your `schedule` returns. Can you beat them?

# %% widget="schedule_sketch" covers="41"
# alt: Twenty bars of a learning-rate schedule on a logarithmic axis, and below the loss of sgd that follows it.
# picture: ScheduleSketch(sgd, schedule, lrs=[0.0316] * 8 + [0.0316 * 0.8 ** n for n in range(12)])
from convnets.widgets import ScheduleSketch

ScheduleSketch(sgd, schedule)

# %% [markdown]
# ## The headline: LeNet, annealed
#
# The lecture shows two curves by Martin Görner: the accuracy of a convolutional network on handwritten digits with
# learning rate 0.003, and with 0.003 "at start then dropping exponentially to 0.0001". We do it again: LeNet (61,706
# parameters; notebook 08 builds it), 8,000 digits for training and 2,000 for the test, 1,200 steps with minibatches
# of 32, your `minibatches`, your `adam`, your `schedule`.
#
# In the last quarter the accuracy is taken every 15 steps. Its **jitter** is the mean size of the change from one
# such figure to the next, in percentage points.

# %% experiment seconds=1
lesson.predict(
    "annealing",
    "What does annealing do to LeNet's accuracy in the last quarter of the training?",
    [
        "It is at least 1 point higher on average; the jitter is about the same",
        "It is within 1 point on average; the jitter is less than half",
        "It is at least 1 point lower on average, because the small steps learn too little; less than half the jitter",
        "Neither accuracy nor jitter changes much",
    ],
)


# %% experiment seconds=5
import torch
from torch import nn


def make_lenet(seed):
    """Return LeNet in its modern form: ReLU, max pooling, 28 × 28 inputs padded to 32 × 32; 61,706 parameters."""
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def accuracy(network, x, y):
    """Return the percentage of right answers; by hundreds, which is faster than all at once."""
    with torch.no_grad():
        right = sum(int((network(part).argmax(1) == truth).sum()) for part, truth in zip(x, y, strict=True))
    return 100 * right / sum(len(truth) for truth in y)


def train_lenet(digits, lr_at, steps, seed, measure_at, batch_size=32):
    """Train LeNet with your adam; return its test accuracy in percent after the steps named in measure_at."""
    network, rng = make_lenet(seed), np.random.default_rng(seed)
    x_test, y_test = (torch.tensor(part).split(100) for part in (digits.x_test, digits.y_test))
    parameters = list(network.parameters())
    states, waiting, accuracies = [{} for _ in parameters], [], []
    with one_thread():
        for t in range(steps):
            waiting = waiting or minibatches(digits.x_train, digits.y_train, batch_size, rng)
            x, y = waiting.pop()
            loss = nn.functional.cross_entropy(network(torch.tensor(x)), torch.tensor(y))
            gradients = torch.autograd.grad(loss, parameters)
            for k, (parameter, gradient) in enumerate(zip(parameters, gradients, strict=True)):
                new, states[k] = adam(parameter.detach().numpy(), gradient.numpy(), states[k], lr_at(t))
                parameter.data = torch.from_numpy(np.asarray(new, dtype=np.float32))
            if t + 1 in measure_at:
                accuracies.append(accuracy(network, x_test, y_test))
    return np.array(accuracies)


def jitter(accuracies):
    """Return the mean size of the change from one accuracy to the next."""
    return float(np.mean(np.abs(np.diff(accuracies))))


print(f"LeNet has {sum(parameter.numel() for parameter in make_lenet(0).parameters()):,} parameters")


# %% experiment seconds=1 folded=true
def draw_annealing(measured, curves, late, jitters):
    """Draw both accuracy curves of the first start, whole and in the last quarter."""
    fig, (left, right) = plots.figure(1, 2, width=9.5, height=3.6)
    for k, (name, (values, *_)) in enumerate(curves.items()):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k], "markersize": 3}
        left.plot(measured, values, label=f"lr {name}", **style)
        right.plot(measured[late], values[late], label=f"jitter {jitters[name][0]:.2f} points", **style)
    firsts = [values for values, *_ in curves.values()]
    left.set(xlabel="step", ylabel="test accuracy in %")
    left.set_ylim(min(float(values[measured >= measured[-1] / 4].min()) for values in firsts) - 1, 99)
    left.set_title("LeNet on 8,000 digits, first start")
    left.legend(loc="lower right")
    # Room for the legend below the curves.
    right.set(xlabel="step", ylim=(min(float(values[late].min()) for values in firsts) - 0.35, None))
    right.set_title("The last quarter, first start")
    right.legend(loc="lower right", ncols=2, fontsize=8)
    told = "; ".join(
        f"{name}: mean {values[late].mean():.2f} %, between {values[late].min():.2f} and {values[late].max():.2f} %, "
        f"jitter {jitters[name][0]:.2f} points"
        for name, (values, *_) in curves.items()
    )
    plots.show(
        fig,
        alt="Test accuracy of LeNet over the steps, first start, for a constant and an annealed learning rate: "
        f"both rise. In the last quarter: {told}.",
    )


# %% [markdown]
# First the constant learning rate, from two random starts, since one run proves little.

# %% experiment seconds=40
steps = training.full_or_fast(1200, 60)
digits = data.digits(training.full_or_fast(8000, 500), training.full_or_fast(2000, 200))
last_quarter = 3 * steps // 4
measured = np.array([*range(steps // 6, last_quarter, steps // 6), *range(last_quarter, steps + 1, 15)])
late = measured >= last_quarter
starts = range(training.full_or_fast(2, 1))


def lenet_curves(lr_at):
    """Return the accuracy curve of each start."""
    seeds = training.progress(starts, "start")
    return [train_lenet(digits, lr_at, steps, seed, set(measured.tolist())) for seed in seeds]


curves = {"0.003": lenet_curves(lambda t: 0.003)}

# %% [markdown]
# Then the annealed one, from the same starts.

# %% experiment seconds=40 covers="40"
constant, annealed = "0.003", "0.003 → 0.0001"
decay = np.log(0.003 / 0.0001) / steps
curves[annealed] = lenet_curves(lambda t: schedule("exponential", 0.003, t, k=decay))
jitters = {name: [jitter(values[late]) for values in runs] for name, runs in curves.items()}
averages = {name: [float(values[late].mean()) for values in runs] for name, runs in curves.items()}
draw_annealing(measured, curves, late, jitters)
print("last quarter, each start:")
for name, runs in curves.items():
    for values, shake, average in zip(runs, jitters[name], averages[name], strict=True):
        print(f"  lr {name:15} mean {average:.2f} %, worst {values[late].min():.2f} %, jitter {shake:.3f} points")
share = float(np.mean(jitters[annealed]) / max(np.mean(jitters[constant]), 1e-9))
gain = float(np.mean(averages[annealed]) - np.mean(averages[constant]))
lesson.target("jitter of LeNet's accuracy, annealed / constant", share, at_most=0.5)
plots.claims(
    [
        plots.Claim(
            "Annealing 0.003 → 0.0001 calms the accuracy",
            f"jitter {np.mean(jitters[constant]):.2f} → {np.mean(jitters[annealed]):.2f} points, mean accuracy "
            f"{np.mean(averages[constant]):.2f} → {np.mean(averages[annealed]):.2f} %",
            f"8,000 digits, {steps} steps of 32, last quarter, mean of {len(starts)} starts",
            judged("holds" if share <= 0.5 else "does not hold"),
        )
    ]
)
if not training.fast_mode():
    calmer, apart = share < 0.5, abs(gain) >= 1
    lesson.reveal(
        "annealing",
        answer=1 if calmer and not apart else 2 if calmer and gain < 0 else 0 if gain >= 1 else 3,
        because=f"On average {gain:+.2f} points, and {100 * share:.0f} % of the jitter.",
    )

# %% [markdown]
# **How to read this.** On average little is gained. What is gained is *trust in the last step*: with a constant
# learning rate the accuracy that you report depends on the step at which you happened to stop. Both directions of the
# ravine explain it. Across, the noise of the minibatches keeps the network hopping, and the learning rate sets the
# height of the hops: short steps at the end calm them. Along, the way is long: the long steps at the beginning have
# covered it by then, so the accuracy loses next to nothing (on average 0.1 points here).

# %% [markdown]
# # Part 5 · Reading a loss curve
#
# ## {{exercise:diagnose}}
#
# *If it is NaN => learning rate too high. If it decreases too slow => learning rate too low*, says lecture E, and a
# well-known figure of CS231n shows four curves, labelled *very high*, *high*, *low* and *good learning rate*. Write
# this eye as a function. It looks at the loss of each epoch, n of them, n ≥ 8. With q = ⌊n/4⌋:
#
# - `start` is the first loss;
# - `tail` is the mean of the last q losses, `before` the mean of the q losses before those;
# - `drop` = start − tail says how much was learned, `fall` = before − tail how much of it recently;
# - `climb` is the sum of all rises from one loss to the next in the second half, `losses[n // 2:]`. (Falls count 0.)
# - The loss is **falling** when fall > 0.05 · drop *and* climb ≤ 0.05 · drop: on its way down, and without jumps.
#
# The first rule that applies decides:
#
# | rule | diagnosis |
# | --- | --- |
# | 1. some loss is NaN or infinite, or drop ≤ 0 | `"very high"` |
# | 2. drop < 0.1 · start and not falling: almost nothing learned, and not on the way | `"very high"` |
# | 3. climb > 0.05 · drop: it goes up and down | `"high"` |
# | 4. falling | `"low"` |
# | 5. otherwise | `"good"` |
#
# **By hand.** Losses 8, 7, 6, 5, 4, 3, 2, 1: q = 2, tail = 1.5, before = 3.5, drop = 6.5, fall = 2, climb = 0. Rule
# 4: a straight line down means `"low"`.


# %% exercise="diagnose" difficulty=2 minutes=18 covers="42"
def diagnose(losses):
    """Judge a learning rate by the loss curve that it produced.

    Parameters
    ----------
    losses : sequence of float, at least 8
        The loss of each epoch, positive; NaN and infinity may occur.

    Returns
    -------
    str
        What the learning rate is: "very high", "high", "low" or "good".

    Raises
    ------
    ValueError
        When there are fewer than 8 losses.
    """
    ### BEGIN SOLUTION
    losses = np.asarray(losses, dtype=np.float64)
    n = len(losses)
    if n < 8:
        raise ValueError(f"a diagnosis needs at least 8 losses, not {n}")
    if not np.all(np.isfinite(losses)):
        return "very high"
    q = n // 4
    start, tail, before = losses[0], losses[-q:].mean(), losses[-2 * q : -q].mean()
    drop, fall = start - tail, before - tail
    climb = np.maximum(np.diff(losses[n // 2 :]), 0).sum()
    falling = fall > 0.05 * drop and climb <= 0.05 * drop
    if drop <= 0 or (drop < 0.1 * start and not falling):
        return "very high"
    if climb > 0.05 * drop:
        return "high"
    return "low" if falling else "good"
    ### END SOLUTION


# %% tests="diagnose" points=1
# The example by hand, and a curve that has arrived: drop 6.975, fall 0.125, climb 0.
check(diagnose, [8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]).gives("low")
check(diagnose, [8.0, 4.0, 2.0, 1.5, 1.2, 1.1, 1.05, 1.0]).gives("good")
# Explosions: NaN, infinity, and a loss that ends above its start (drop −1.05).
check(diagnose, [2.3, 2.9, 8.1, 77.0, 1e5, np.nan, np.nan, np.nan]).gives("very high")
check(diagnose, [2.3, 1.0, 0.9, np.inf, 0.9, 0.8, 0.8, 0.8]).gives("very high")
check(diagnose, [2.0, 2.5, 3.0, 3.1, 3.0, 3.2, 3.1, 3.0]).gives("very high")
check(diagnose, [2.0, 1.0, 0.5]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(diagnose, np.linspace(5, 1, 23)).gives("low")
check(diagnose, 3 * np.exp(-np.arange(30.0) / 3) + 0.5).gives("good")
check(diagnose, 3 * np.exp(-np.arange(30.0) / 40) + 0.5).gives("low")
check(diagnose, [3, 2, 1, 1, 1, 1, 1, 1]).gives("good")
check(diagnose, [2.0] * 8).gives("very high")
check(diagnose, [4.0] * 7).raises(ValueError)
### END HIDDEN TESTS


# %% tests="diagnose" points=1
# It falls, then jumps up and down: drop 6.5, fall 0, climb 2. Jumps in the first half are forgiven: fall 0, climb 0.
check(diagnose, [8.0, 3.0, 2.0, 2.0, 1.0, 2.0, 1.0, 2.0]).gives("high")
check(diagnose, [8.0, 3.0, 6.0, 2.0, 1.0, 1.0, 1.0, 1.0]).gives("good")
# A dead network stands at ln 10 = 2.303, the loss of guessing among ten classes: drop 0.097, fall 0, climb 0.
check(diagnose, [2.4, 2.31, 2.303, 2.303, 2.303, 2.303, 2.303, 2.303]).gives("very high")
# So does one that learns as little and jumps: drop 0.15, fall 0.1, climb 0.1.
check(diagnose, [2.4, 2.3, 2.3, 2.4, 2.3, 2.4, 2.25, 2.25]).gives("very high")
# It has all but arrived. tail 1.7, before 2, drop 8.3, fall 0.3; then tail 2, before 2.3, drop 8, fall 0.3.
check(diagnose, [10.0, 9.0, 4.0, 3.0, 2.0, 2.0, 2.0, 1.4]).gives("good")
check(diagnose, [10.0, 9.0, 4.0, 3.0, 2.6, 2.0, 2.0, 2.0]).gives("good")
# Eleven losses: q = 2, drop 8.25, fall 0.15, climb 0.
check(diagnose, [10.0, 9.0, 8.0, 6.0, 4.0, 3.0, 2.6, 2.0, 1.8, 1.8, 1.7]).gives("good")
# As little learned as by the dead, but on the way: drop 0.065, fall 0.02, climb 0.
check(diagnose, [2.4, 2.39, 2.38, 2.37, 2.36, 2.35, 2.34, 2.33]).gives("low")
# A jump on the way down: drop 5.5, fall 1, climb 1; a smaller one: drop 2, fall 0.15, climb 0.3.
check(diagnose, [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 5.0, 2.0]).gives("high")
check(diagnose, [10.0, 9.0, 8.5, 8.0, 8.0, 8.3, 8.0, 8.0]).gives("high")
# Thirteen losses: q = 3, and the second half begins with losses[6]. Nine: it begins with losses[4], and climb is 1.
check(diagnose, [9.0, 5.0, 3.0, 2.0, 2.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]).gives("good")
check(diagnose, [9.0, 5.0, 3.0, 2.0, 1.0, 2.0, 1.0, 1.0, 1.0]).gives("high")
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(60)
bouncing = 3 * np.exp(-np.arange(40.0) / 4) + 0.5 + 0.2 * rng.random(40)
check(diagnose, bouncing).gives("high")
check(diagnose, 100 * bouncing).gives("high")
check(diagnose, 5 + 0.01 * np.exp(-np.arange(20.0))).gives("very high")
check(diagnose, np.linspace(5, 4.9, 20)).gives("low")
# Means are not medians, nor single losses; a drop of 0; a drop just below, and one above, a tenth of the start.
check(diagnose, [10, 9, 8, 6, 4, 3, 2, 2, 2, 2, 2, 0.5]).gives("low")
check(diagnose, [10, 8, 6, 5, 4, 2, 2, 2]).gives("low")
check(diagnose, [1, 2, 2, 2, 2, 2, 1, 1]).gives("very high")
check(diagnose, [10, 9.5, 9.1, 9.05, 9.05, 9.05, 9.05, 9.05]).gives("very high")
check(diagnose, [10, 9, 8.5, 8.5, 8.5, 8.5, 8.5, 8.5]).gives("good")
### END HIDDEN TESTS

# %% [markdown]
# ### A loss-curve monitor
#
# The noisy ravine once more, with your `diagnose` at its side: it is given the loss at the start and after each
# stretch. Draw constant learning rates (set the first bar, then press *constant*) and find one for each of the four
# words; for *high* look just below the limit, 2/50. Then anneal: which word does a good schedule get, and could you
# have told from the word that it is three times better than the best constant?

# %% widget="loss_monitor" covers="43"
# alt: Bars of a learning-rate schedule, the loss of sgd that follows it, and the word that diagnose has for the curve.
# picture: ScheduleSketch(sgd, schedule, diagnose, lrs=[0.0398] * 20)
from convnets.widgets import ScheduleSketch

ScheduleSketch(sgd, schedule, diagnose)

# %% [markdown]
# ### The figure of the lecture, from data
#
# The same network, ten learning rates, 15 epochs each, labelled by your `diagnose`.


# %% experiment seconds=1 folded=true
def draw_diagnoses(curves):
    """Draw loss curves, one panel for each diagnosis."""
    order = ["very high", "high", "good", "low"]
    fig, axes = plots.figure(1, 4, width=10, height=3.2, sharey=True)
    for ax, diagnosis in zip(axes, order, strict=True):
        mine = {lr: losses for lr, losses in curves.items() if diagnose(losses) == diagnosis}
        for k, (lr, losses) in enumerate(mine.items()):
            style = {"color": plots.PALETTE[k % 7], "linestyle": plots.LINES[k % 7], "marker": plots.MARKERS[k % 7]}
            shown = np.where(np.isfinite(losses), np.minimum(losses, 3.4), np.nan)
            gone = np.flatnonzero(~np.isfinite(losses))
            label = f"lr {lr:g}" + (f": NaN from epoch {gone[0]}" if gone.size else "")
            ax.plot(shown, label=label, markersize=3, **style)
        ax.axhline(np.log(10), color="0.5", linewidth=0.8, linestyle=":")
        ax.set(xlabel="epoch", ylim=(0, 3.4))
        ax.set_title(diagnosis)
        if mine:
            ax.legend(fontsize=8, loc="lower left" if diagnosis == "very high" else "upper right")
    axes[0].set_ylabel("training loss (cut at 3.4)")
    told = "; ".join(
        f"{name}: {', '.join(f'{lr:g}' for lr, losses in curves.items() if diagnose(losses) == name) or 'none'}"
        for name in order
    )
    plots.show(
        fig,
        alt="Loss curves in four panels, sorted by diagnosis. Very high: near ln 10, the dotted line, or above, or "
        "gone to NaN. High: down, then up and down. Good: down and level. Low: still falling. Learning rates in each: "
        f"{told}.",
    )


# %% experiment seconds=30 covers="42 43"
epochs = training.full_or_fast(15, 8)
lrs = training.full_or_fast([30, 10, 3, 2, 1, 0.3, 0.1, 0.03, 0.01, 0.001], [30, 0.1, 0.001])
curves = {lr: np.array(train(sgd, lr, 32, epochs, seed=0)) for lr in training.progress(lrs, "learning rate")}
draw_diagnoses(curves)
for lr, losses in curves.items():
    print(f"lr {lr:<6g} {diagnose(losses):10} last loss {losses[-1]:8.3f}, largest {np.max(losses):9.3g}")
best_lr = min(curves, key=lambda lr: np.nan_to_num(curves[lr][-1], nan=np.inf))
too_high = {lr: losses for lr, losses in curves.items() if diagnose(losses) == "very high"}
with_nan = [lr for lr, losses in too_high.items() if np.any(np.isnan(losses))]
plots.claims(
    [
        plots.Claim(
            "If it is NaN => learning rate too high",
            f"NaN at lr {', '.join(f'{lr:g}' for lr in with_nan) or 'none'}; "
            f"{len(too_high) - len(with_nan)} more are as hopeless without a NaN",
            f"784-32-10, {epochs} epochs, {len(lrs)} learning rates",
            judged("partly" if len(too_high) > len(with_nan) else "holds"),
        ),
        plots.Claim(
            "(implied) the curve alone tells a good learning rate",
            f"lowest loss at lr {best_lr:g}, diagnosed {diagnose(curves[best_lr])}; "
            f"{sum(diagnose(losses) == 'good' for losses in curves.values())} called good",
            "the same runs",
            judged("partly"),
        ),
    ]
)

# %% [markdown]
# Two warnings for the lecture's rule. A learning rate of 2, 3 or 10 makes no NaN: its first steps are so long that
# the network does not recover, and after 15 epochs the loss is between 2.2 and 2.6, near ln 10 = 2.303, the loss of
# guessing. And `diagnose` sees the shape of one curve, not how low another could come: 0.01 has levelled off, looks
# *good*, and ends at 0.504, more than twice the loss of 0.1; 1 jumps up and down, is called *high*, and in its best
# epochs is no worse than the *good* 0.03 (0.371 at its end). Compare curves whenever you can.
#
# ### Batch size and learning rate together
#
# Lecture E: *Large batch – large learning rate – fewer updates. Small batch – smaller learning rate – more updates.*
# With four times as large a batch the gradient's noise is half (part 1), so one dares a longer step, and must: an
# epoch has only a quarter as many.


# %% experiment seconds=1 folded=true
def draw_batches(batch_sizes, lrs, losses):
    """Draw the loss for each batch size and learning rate as a table of colours, the best of each row framed."""
    from matplotlib.patches import Rectangle

    fig, ax = plots.figure(width=7.4, height=2.5)
    ax.imshow(np.minimum(losses, 2.4), cmap="cividis_r", vmin=0.35, vmax=2.4, aspect="auto")
    ax.grid(visible=False)
    for row, values in enumerate(losses):
        best = int(np.argmin(values))
        for column, value in enumerate(values):
            color = "white" if min(value, 2.4) > 1.2 else "black"
            weight = "bold" if column == best else "normal"
            text = f"{value:.2f}" if np.isfinite(value) else "NaN"
            ax.text(column, row, text, ha="center", va="center", color=color, fontsize=9, weight=weight)
        ax.add_patch(Rectangle((best - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=plots.PALETTE[1], linewidth=2.5))
    ax.set_xticks(range(len(lrs)), [f"{lr:g}" for lr in lrs])
    ax.set_yticks(range(len(batch_sizes)), [f"B = {size}" for size in batch_sizes])
    ax.set(xlabel="learning rate")
    ax.set_title("Training loss after 3 epochs; the best of each row is framed")
    best = ", ".join(
        f"B = {size}: {lrs[int(np.argmin(values))]:g} (loss {min(values):.2f})"
        for size, values in zip(batch_sizes, losses, strict=True)
    )
    plots.show(
        fig,
        alt=f"Table of the training loss by batch size and learning rate. The best learning rate of each row: {best}.",
    )


# %% experiment seconds=55 covers="42"
batch_sizes = [32, 128, 512]
lrs = training.full_or_fast([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28], [0.08, 0.64])
seeds = range(training.full_or_fast(2, 1))
epochs = training.full_or_fast(3, 1)
losses = np.array(
    [
        [np.mean([train(sgd, lr, size, epochs, seed)[-1] for seed in seeds]) for lr in lrs]
        for size in training.progress(batch_sizes, "batch size")
    ]
)
losses = np.nan_to_num(losses, nan=np.inf)
draw_batches(batch_sizes, lrs, losses)
best_lrs = [lrs[int(np.argmin(row))] for row in losses]
plots.claims(
    [
        plots.Claim(
            "Large batch – large learning rate – fewer updates",
            "best lr " + ", ".join(f"{lr:g} (B = {size})" for size, lr in zip(batch_sizes, best_lrs, strict=True)),
            f"784-32-10, {epochs} epochs, mean of {len(seeds)} starts",
            judged("holds" if best_lrs == sorted(best_lrs) and best_lrs[-1] > best_lrs[0] else "does not hold"),
        ),
        plots.Claim(
            "(implied) the larger batch gets as far in the same epochs",
            "loss " + ", ".join(f"{row.min():.2f} (B = {size})" for size, row in zip(batch_sizes, losses, strict=True)),
            "each with its best lr",
            judged("holds" if losses[-1].min() <= 1.1 * losses[0].min() else "does not hold"),
        ),
    ]
)

# %% [markdown]
# From row to row B is four times as large and the best learning rate twice: it grows like √B, from 0.16 to 0.64, as
# the noise falls like 1/√B. The loss rises all the same, from 0.44 to 0.67: steps twice as long do not make up for
# having a quarter of them.

# %% [markdown]
# ## Written questions
#
# **Question 1 (1 point).** A colleague trains a network with SGD at lr 0.08 and B = 32, finds the loss bouncing in
# the last epochs, and proposes B = 512 at the same learning rate and the same number of epochs. What will happen to
# the bouncing, what to the loss reached, and what two changes would you suggest instead or in addition? Use the
# figures of *What a minibatch costs and buys* (part 1) and of the table above.

# %% [markdown] answer="calmer_or_slower" points=1
# ### BEGIN SOLUTION
# **Model answer.** The gradient's noise falls by √16 = 4, so the bouncing becomes much smaller. But an epoch has 16
# times fewer steps of the same length, so the network gets less far: in the table the loss at lr 0.08 is 1.04 for
# B = 512 and 0.49 for B = 32. Either keep B = 32 and anneal the learning rate (it calms the end
# without costing steps at the beginning), or raise the learning rate with the batch (the table's best rises from 0.16
# to 0.64) and train for more epochs.
#
# **Rubric.** ½ point: less noise *and* fewer updates, hence a higher loss, with a figure. ½ point: two sensible
# changes (annealing; larger lr with the larger batch; more epochs).
# ### END SOLUTION

# %% [markdown]
# **Question 2 (1 point).** On the ravine SGD's largest learning rate is 2/50, yet Adam runs on it with lr 0.5 and
# arrives (try it in the race). Why has Adam no such limit, and what does its lr say instead? And why does not even
# Adam come to rest on the *noisy* surface with a constant lr? Four sentences are enough.

# %% [markdown] answer="no_limit" points=1
# ### BEGIN SOLUTION
# **Model answer.** SGD's step is proportional to the gradient: an overshoot that lands further out meets a steeper
# wall and brings a longer step, and so on. Adam divides by the root of the mean squared gradient, so however steep
# the wall is, a step is at most a few times lr long and cannot grow without bound; its lr is a step length in units
# of x, not a factor of the gradient. With noise the gradients do not vanish at the minimum: m keeps fluctuating and
# √v stays at the size of the noise, so hops of a fixed share of lr go on for ever. Only a smaller lr, an annealed
# one, makes them smaller.
#
# **Rubric.** ½ point: step length bounded by lr because of the division, in contrast to a step proportional to the
# gradient. ½ point: noise keeps the steps going at a size set by lr, so lr must be lowered.
# ### END SOLUTION

# %% [markdown]
# ## Recap
#
# 1. One learning rate for all directions is limited by the steepest, 2/κ; momentum adds up what points the same way,
#    Adam divides each parameter's step by the size of its gradients.
# 2. The learning rate has the last word on noise: annealing it keeps the accuracy's average and removes most of its
#    jitter; a larger batch asks for a larger learning rate and still makes fewer steps.
# 3. Rules are checked step by step against an independent one: that is how a slide without bias correction was found to
#    begin √10 times too long.
#
# **Can you explain …**
# - why the learning rate that is best along a ravine explodes across it?
# - why Nesterov's limit lies below that of plain gradient descent?
# - why Adam's first step is exactly lr long, whatever the gradient?
# - why a loss that stands at ln 10 is worse news than a slow one?
#
# **Read on**
# - D. Kingma, J. Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015: section 3 derives the bias correction.
# - G. Goh, *Why Momentum Really Works*, Distill (2017): the limits of part 2, with moving pictures.
# - G. Zhang et al., *Which Algorithmic Choices Matter at Which Batch Sizes? Insights From a Noisy Quadratic Model*,
#   NeurIPS 2019: the noisy ravine of the widget as a model of training.
