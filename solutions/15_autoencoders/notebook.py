# %% [markdown] covers="125"
# # 15 Autoencoders and pretraining
#
# ![A digit 3; the same with a third of its pixels black or white; 256 numbers as a grid of colours, its code; and the
# repaired digit, a little softer than the clean one. Arrows: noise, then the transposed weight W, then W. A dashed
# arrow goes from the repaired digit back to the clean one: the loss compares these two. Below, four rows of W, blobs of
# positive and negative weights.](pictures/repair.png)
#
# *A denoising autoencoder: spoil a picture, squeeze it through a hidden layer, and ask for the clean picture back.
# Nobody has to say what the picture shows.*
#
# "In 2006 deep learning had a breakthrough", says lecture E: *unsupervised pretraining*. Let a network learn to
# reproduce pictures that nobody labelled, layer after layer; then let the few labelled pictures do the rest. In this
# notebook you write the autoencoder, the noise, the gradient of a weight that is used twice, and the stack. At the end
# you measure what pretraining is worth at 100 to 5,000 labels, with the recipe of 2006 and with today's.
#
# {{card:155}}
#
# *The last exercise is optional and not in this time: 20 minutes more.*
#
# **Afterwards you can**
#
# - write an autoencoder with tied weights and both terms of its gradient;
# - say why a clean picture is the target for a spoilt one, and measure in decibels what comes back;
# - train a stack layer by layer, and turn it into a classifier that is fine-tuned;
# - say what pretraining was good for, and when it still is.
#
# **You need** backpropagation from [02 MLP backprop](../02_mlp_backprop/02_mlp_backprop.ipynb) and mini-batches from
# [04 Optimizers](../04_optimizers/04_optimizers.ipynb); initialisation from module 03 helps.
#
# **From the lecture** E (autoencoders, deep and denoising; stacking; Erhan et al. with and without pretraining).

# %% setup
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets import data, plots, timing, training
from convnets.checks import open_lesson
from convnets.models.autoencoder import TiedAutoencoder, fit_autoencoder

lesson = open_lesson("15_autoencoders")
check, hint = lesson.check, lesson.hint


def sigmoid(a):
    """Return 1 / (1 + exp(-a)) of an array, without overflow and in its dtype."""
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def first_weights(inputs, hidden, rng):
    """Return weight (hidden, inputs) with standard deviation 1/√inputs, and two biases of zeros; float32."""
    weight = rng.normal(0, inputs**-0.5, (hidden, inputs)).astype(np.float32)
    return weight, np.zeros(hidden, np.float32), np.zeros(inputs, np.float32)


def layer_trainer(rng, level=0.25, lr=0.1, epochs=4, batch_size=50):
    """Return train(x, hidden) -> (weight, bias_hidden): a denoising layer, by your functions."""

    def train(x, hidden):
        parameters = first_weights(x.shape[1], hidden, rng)
        noise = lambda batch, rng: corrupt(batch, level, rng)  # noqa: E731
        return train_layer(x, *parameters, autoencoder_gradients, noise, lr, epochs, batch_size, rng)[:2]

    return train


def flat_images(loader, n_train, n_test):
    """Return x_train, y_train, x_test, y_test as float32 (N, 784) and int64 (N,)."""
    images = loader(n_train, n_test)
    return images.x_train.reshape(n_train, -1), images.y_train, images.x_test.reshape(n_test, -1), images.y_test


def judged(verdict):
    """Return the verdict of a claim, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


# %% setup folded=true
# Numbers that several checks use: by hand, and two pictures and two units with all numbers different.
LN3 = np.log(3)
BY_HAND = (
    np.array([[1.0, 1.0, 0.0]]),
    np.ones((1, 3)),
    np.array([[2 * LN3, -2 * LN3, 4 * LN3]]),
    np.array([LN3]),
    np.array([-0.5 * LN3, 0.5 * LN3, -LN3]),
)
SPOILT, CLEAN = np.array([[0.2, 0.0, 0.4], [0.7, 0.1, 0.0]]), np.array([[0.2, 0.9, 0.4], [0.7, 0.1, 1.0]])
TWO_UNITS = np.array([[1.0, -2.0, 0.5], [0.3, 0.8, -1.2]]), np.array([0.1, -0.6]), np.array([0.4, -0.3, 0.2])
FIVE = np.array([[1.0, 6.0], [2.0, 8.0], [4.0, -7.0], [9.0, 0.5], [3.0, -2.0]])
TOY_START = np.array([[0.5, -1.0]]), np.array([0.25]), np.array([2.0, 3.0])
FOUR_ROWS = np.array([[0.2, 0.9, 0.4], [0.7, 0.1, 1.0], [0.0, 0.6, 0.8], [0.3, 0.5, 0.1]])
TWO_LAYERS = [
    (
        np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-0.4, 0.9, 1.1], [0.8, -0.2, 0.6]]),
        np.array([0.1, -0.3, 0.7, 0.2]),
    ),
    (np.array([[1.2, -0.5, 0.4, 2.0], [-0.9, 0.6, 1.3, -0.1]]), np.array([-0.6, 0.9])),
]


def torch_reference(x_corrupted, x, weight, bias_hidden, bias_visible):
    """Return PyTorch's loss and gradients; encoder and decoder have a weight each, so both terms are seen."""
    encoder, decoder, hidden, visible = (
        torch.tensor(value, requires_grad=True) for value in (weight, weight, bias_hidden, bias_visible)
    )
    logits = torch.sigmoid(torch.tensor(x_corrupted) @ encoder.T + hidden) @ decoder + visible
    loss = F.binary_cross_entropy_with_logits(logits, torch.tensor(x), reduction="sum") / len(x)
    gradients = [value.numpy() for value in torch.autograd.grad(loss, (encoder, decoder, hidden, visible))]
    names = ("encoder_term", "decoder_term", "bias_hidden", "bias_visible")
    reference = dict(zip(names, gradients, strict=True))
    return {"loss": loss.item(), "weight": gradients[0] + gradients[1], **reference}


def entries(answer, *keys):
    """Return those of these entries that a dict has, and anything that is no dict as it is."""
    return {key: answer[key] for key in keys if key in answer} if isinstance(answer, dict) else answer


def toy_gradients(spoilt, clean, weight, bias_hidden, bias_visible):
    """A toy whose gradients tell the spoilt batch, the clean one and the parameters apart."""
    return {
        "loss": float((clean**2).mean()) + float(weight.sum()),
        "weight": 0.5 * weight + spoilt.mean(axis=0)[None, :],
        "bias_hidden": bias_hidden + spoilt.mean(),
        "bias_visible": bias_visible - clean.mean(axis=0),
    }


def toy_training(x, lr, epochs, batch_size, seed):
    """What train_layer should return for the toy gradients and halved batches as noise"""
    draw = np.random.default_rng(seed)
    parameters = {
        "weight": np.array([[0.5, -1.0]]),
        "bias_hidden": np.array([0.25]),
        "bias_visible": np.array([2.0, 3.0]),
    }
    losses = []
    for _ in range(epochs):
        batches = np.split(x[draw.permutation(len(x))], range(batch_size, len(x), batch_size))
        seen = 0.0
        for batch in batches:
            grad = toy_gradients(batch / 2, batch, *parameters.values())
            seen += grad.pop("loss") * len(batch) / len(x)
            parameters = {name: value - lr * grad[name] for name, value in parameters.items()}
        losses.append(seen)
    return (*parameters.values(), losses)


def halved(batch, rng):
    """Noise without randomness: half of everything."""
    return batch / 2


def toy_train(h, size):
    """A layer whose numbers show what it was trained on: its columns' means, times 1, 2, ..."""
    return np.outer(np.arange(1, size + 1), h.mean(axis=0) - 0.5), h[0, 0] * np.arange(size)


def named_layers(layers):
    """Return the arrays of a list of (weight, bias) under names; anything but a list or tuple as it is."""
    if not isinstance(layers, list | tuple):
        return layers
    named = {}
    for k, layer in enumerate(layers, start=1):
        if isinstance(layer, list | tuple) and len(layer) == 2:
            named |= {f"weight {k}": layer[0], f"bias {k}": layer[1]}
        else:
            named[f"layer {k}, which is no pair"] = layer
    return named


def toy_stack(x, sizes):
    """What stack should return for the toy layers, named, with PyTorch's sigmoid"""
    layers = []
    for size in sizes:
        layers.append(toy_train(x, size))
        x = torch.sigmoid(F.linear(*(torch.from_numpy(value) for value in (x, *layers[-1])))).numpy()
    return named_layers(layers)


# %% [markdown]
# ## Before you begin: a prediction
#
# A net of three hidden layers with 200 sigmoid units each learns the ten classes of Fashion-MNIST as in 2006: 1,000
# steps of stochastic gradient descent with learning rate 0.1. It has 10,000 pictures; of most of them it does not know
# the class. *With pretraining* its hidden layers have learnt before to repair spoilt pictures, all 10,000, without
# labels.

# %% experiment seconds=5
lesson.predict(
    "what_it_gains",
    "What does pretraining gain on the test pictures, for 100, 300, 1,000 and 5,000 labels?",
    [
        "About nothing anywhere: repairing pictures is another task than naming them.",
        "Some points at 100 labels, less than a point from 1,000 on.",
        "One to three points at all four.",
        "Four points or more at all four.",
        "It loses points: the layers are no longer free to learn the classes.",
    ],
)

# %% [markdown]
# # Part 1 · An autoencoder
#
# ## {{exercise:corrupt}}
#
# An *autoencoder* is, in the words of lecture E, "basically just a MLP": its output size is its input size, and its
# target is its input. If it may copy, it learns nothing worth knowing. So the slide "can add noise to input image": a
# *denoising* autoencoder is given a spoilt picture $\tilde{x}$ and must return the clean $x$. To fill a hole it must
# know what usually stands beside what.
#
# `x` holds values from 0 (paper) to 1 (ink, drawn dark), shape $(N, D)$ or any other. Three ways to spoil it, with the
# strength `level`:
#
# - `"mask"`: each value becomes 0 with probability `level`, independently of the others;
# - `"salt_pepper"`: each value is hit with probability `level`; half of those hit become 0, the others 1;
# - `"gaussian"`: add `level` times a number from the standard normal distribution, then clip to 0 … 1.
#
# All randomness comes from the generator `rng`, and one draw for each value is enough. For the first two draw
# `u = rng.random(x.shape)`: a value is hit where `u < level`; in `"salt_pepper"` it becomes 0 where `u < level / 2` and
# 1 on the rest of the hits. For `"gaussian"` draw `rng.standard_normal(x.shape)`. Draw in float64 whatever the dtype of
# `x` (a generator's float32 numbers are others), and cast at the end.


# %% exercise="corrupt" difficulty=1 minutes=14 covers="128"
def corrupt(x, level, rng, kind="mask"):
    """Spoil pictures.

    Parameters
    ----------
    x : ndarray of float32 or float64
        Values from 0 to 1. Stays as it is.
    level : float
        For "mask" and "salt_pepper" a probability from 0 to 1; for "gaussian" a standard deviation, at least 0.
    rng : numpy.random.Generator
        Is asked once, for one number a value.
    kind : {"mask", "salt_pepper", "gaussian"}

    Returns
    -------
    ndarray, shape and dtype of x
        Values from 0 to 1.

    Raises
    ------
    ValueError
        For another kind, or a level that is not in its range.
    """
    ### BEGIN SOLUTION
    if kind not in ("mask", "salt_pepper", "gaussian"):
        raise ValueError(f'kind must be "mask", "salt_pepper" or "gaussian", not {kind!r}')
    if level < 0 or (kind != "gaussian" and level > 1):
        raise ValueError(f"a level of {level} has no meaning for {kind!r}")
    if kind == "gaussian":
        return np.clip(x + level * rng.standard_normal(x.shape), 0, 1).astype(x.dtype)
    u = rng.random(x.shape)
    spoilt = np.where(u < level, 0, x)
    if kind == "salt_pepper":
        spoilt = np.where((level / 2 <= u) & (u < level), 1, spoilt)
    return spoilt.astype(x.dtype)
    ### END SOLUTION


# %% tests="corrupt" points=1
# Two rows of five grey values; the generator's ten numbers say which are hit.
grey = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 0.95]])
u = np.random.default_rng(4).random(grey.shape)
check(corrupt, grey, 0.4, np.random.default_rng(4)).gives(grey * (u >= 0.4))
# A number that equals the level is not below it: that value stays.
check(corrupt, grey, float(u[1, 3]), np.random.default_rng(4)).gives(grey * (u >= u[1, 3]))
# Level 0 spoils nothing, level 1 everything. And the precision that networks use.
check(corrupt, grey, 0, np.random.default_rng(4)).gives(grey)
check(corrupt, grey, 1, np.random.default_rng(4)).gives(np.zeros((2, 5)))
check(corrupt, grey.astype(np.float32), 0.4, np.random.default_rng(4)).gives(
    (grey * (u >= 0.4)).astype(np.float32), rtol=1e-6, dtype=np.float32
)
# A kind that does not exist, and probabilities that are none.
check(corrupt, grey, 0.4, np.random.default_rng(4), "blur").raises(ValueError)
check(corrupt, grey, 1.5, np.random.default_rng(4)).raises(ValueError)
check(corrupt, grey, -0.5, np.random.default_rng(4)).raises(ValueError)
### BEGIN HIDDEN TESTS
for shape, level in [((3, 1, 4, 5), 0.5), ((7,), 0.25), ((1, 1), 0.9)]:
    x, u = np.random.default_rng(150).uniform(0.1, 1, shape), np.random.default_rng(151).random(shape)
    check(corrupt, x, level, np.random.default_rng(151)).gives(x * (u >= level))
### END HIDDEN TESTS

# %% tests="corrupt" points=1
# Salt and pepper, on the same numbers: 0 below 0.2, 1 from 0.2 to 0.4.
grey = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.6, 0.7, 0.8, 0.9, 0.95]])
u = np.random.default_rng(6).random(grey.shape)
check(corrupt, grey, 0.7, np.random.default_rng(6), "salt_pepper").gives(
    np.select([u < 0.35, u < 0.7], [np.zeros_like(grey), np.ones_like(grey)], grey)
)
# Normal noise; what leaves 0 to 1 is clipped. Its level may be larger than 1, not smaller than 0.
z = np.random.default_rng(6).standard_normal(grey.shape)
check(corrupt, grey, 0.3, np.random.default_rng(6), "gaussian").gives(np.clip(grey + 0.3 * z, 0, 1))
check(corrupt, grey, 1.5, np.random.default_rng(6), kind="gaussian").gives(np.clip(grey + 1.5 * z, 0, 1))
check(corrupt, grey.astype(np.float32), 0.3, np.random.default_rng(6), "gaussian").gives(
    np.clip(grey + 0.3 * z, 0, 1).astype(np.float32), rtol=1e-5, atol=1e-6, dtype=np.float32
)
check(corrupt, grey.astype(np.float32), 0.7, np.random.default_rng(6), "salt_pepper").gives(
    np.select([u < 0.35, u < 0.7], [np.zeros_like(grey), np.ones_like(grey)], grey),
    rtol=1e-6,
    dtype=np.float32,
)
check(corrupt, grey, -0.3, np.random.default_rng(6), "gaussian").raises(ValueError)
check(corrupt, grey, 1.2, np.random.default_rng(6), "salt_pepper").raises(ValueError)
### BEGIN HIDDEN TESTS
for shape in [(2, 1, 3, 4), (9,)]:
    x, u = np.random.default_rng(152).uniform(0.1, 1, shape), np.random.default_rng(153).random(shape)
    check(corrupt, x, 0.5, np.random.default_rng(153), "salt_pepper").gives(
        np.select([u < 0.25, u < 0.5], [np.zeros_like(x), np.ones_like(x)], x)
    )
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:autoencoder_forward}}
#
# One hidden layer of $H$ units. The *encoder* makes the *code* $h$ of a picture, the *decoder* a picture of the code:
#
# $$h = \sigma(x\,W^{\mathsf T} + b) \qquad a = h\,W + c \qquad \hat{x} = \sigma(a)$$
#
# | symbol | argument | shape | what |
# | --- | --- | --- | --- |
# | $x$ | `x` | (N, D) | pictures, a row each |
# | $W$ | `weight` | (H, D) | as in PyTorch's `nn.Linear`: a row for each hidden unit |
# | $b$ | `bias_hidden` | (H,) | |
# | $c$ | `bias_visible` | (D,) | |
# | $h$ | | (N, H) | codes |
# | $a$, $\hat{x}$ | | (N, D) | logits and reconstruction, 0 to 1 |
#
# $\sigma$ is the logistic sigmoid; `sigmoid` is in the setup. Look where $W$ stands: **twice**. "Weights are tied",
# says the slide. The decoder has no matrix of its own: it uses the encoder's, transposed. That halves the weights (for
# 784 pixels and 200 units 156,800 instead of 313,600). And row $k$ of $W$ is both the pattern that unit $k$ looks for
# and the pattern that it paints.
#
# **By hand.** One unit, three pixels, no biases, and $W = (2\ln 3,\, -2\ln 3,\, 4\ln 3)$. The picture $(1, 1, 0)$ gives
# the unit the logit 0, so $h = \frac12$. Back go $a = (\ln 3, -\ln 3, 2\ln 3)$ and
# $\hat{x} = (\frac34, \frac14, \frac9{10})$.


# %% exercise="autoencoder_forward" difficulty=1 minutes=7 covers="126 127"
def autoencoder_forward(x, weight, bias_hidden, bias_visible):
    """Encode and decode with tied weights.

    Parameters
    ----------
    x : ndarray, shape (N, D)
    weight : ndarray, shape (H, D)
    bias_hidden : ndarray, shape (H,)
    bias_visible : ndarray, shape (D,)
        All of one float dtype.

    Returns
    -------
    hidden : ndarray, shape (N, H)
        The codes, 0 to 1.
    reconstruction : ndarray, shape (N, D)
        0 to 1. Both in the dtype of x.
    """
    ### BEGIN SOLUTION
    hidden = sigmoid(x @ weight.T + bias_hidden)
    return hidden, sigmoid(hidden @ weight + bias_visible)
    ### END SOLUTION


# %% tests="autoencoder_forward" points=1
# The example worked out above: one unit, three pixels.
ln3 = np.log(3)
check(
    autoencoder_forward, np.array([[1.0, 1.0, 0.0]]), np.array([[2 * ln3, -2 * ln3, 4 * ln3]]), np.zeros(1), np.zeros(3)
).gives(([[0.5]], [[0.75, 0.25, 0.9]]))
# With biases: the unit gets 0 + ln 3, so h = 3/4, and the visible biases take the logits back to 0.
biases = np.array([ln3]), np.array([-1.5 * ln3, 1.5 * ln3, -2 * ln3])
check(autoencoder_forward, np.array([[1.0, 1.0, 0.0]]), np.array([[2 * ln3, -2 * ln3, 4 * ln3]]), *biases).gives(
    ([[0.75]], [[0.5, 0.5, 0.75]])
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(154)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    x, weight, b, c = rng.random((n, d)), rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=d)
    code = torch.sigmoid(F.linear(torch.tensor(x), torch.tensor(weight), torch.tensor(b)))
    back = torch.sigmoid(F.linear(code, torch.tensor(weight.T.copy()), torch.tensor(c)))
    check(autoencoder_forward, x, weight, b, c).gives((code.numpy(), back.numpy()), rtol=1e-10)
### END HIDDEN TESTS

# %% tests="autoencoder_forward" points=1
# Two pictures of three pixels, two units, all numbers different. And float32.
x = np.array([[0.2, 0.9, 0.4], [0.7, 0.1, 1.0]])
weight, bias_hidden, bias_visible = np.array([[1.0, -2.0, 0.5], [0.3, 0.8, -1.2]]), np.array([0.1, -0.6]), np.zeros(3)
bias_visible = np.array([0.4, -0.3, 0.2])
code = torch.sigmoid(F.linear(*(torch.tensor(value) for value in (x, weight, bias_hidden))))
back = torch.sigmoid(F.linear(code, torch.tensor(weight.T.copy()), torch.tensor(bias_visible)))
check(autoencoder_forward, x, weight, bias_hidden, bias_visible).gives((code.numpy(), back.numpy()))
in_float32 = [value.astype(np.float32) for value in (x, weight, bias_hidden, bias_visible)]
check(autoencoder_forward, *in_float32).gives(
    (code.numpy().astype(np.float32), back.numpy().astype(np.float32)), rtol=1e-5, dtype=np.float32
)

# %% [markdown]
# ## {{exercise:psnr}}
#
# How good is a reconstruction? The *peak signal-to-noise ratio* compares the mean squared error with the largest value
# a pixel can have, the *peak*, in decibels:
#
# $$\text{PSNR} = 10 \log_{10} \frac{\text{peak}^2}{\text{MSE}} \qquad
# \text{MSE} = \frac{1}{ND} \sum_{n,d} (\hat{x}_{nd} - x_{nd})^2$$
#
# **By hand:** every pixel off by 0.1 of a peak of 1 gives an MSE of 0.01, so 20 dB. Half the error is
# $20 \log_{10} 2 \approx 6$ dB more. No error at all is ∞ dB.


# %% exercise="psnr" difficulty=1 minutes=6
def psnr(x, reconstruction, peak=1.0):
    """Compute the peak signal-to-noise ratio in decibels.

    Parameters
    ----------
    x, reconstruction : ndarrays of one shape
        The mean runs over all their values.
    peak : float
        Largest value that a pixel can have: 1.0, or 255 for bytes.

    Returns
    -------
    float
        ``np.inf`` where both are equal.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    ### BEGIN SOLUTION
    if np.shape(x) != np.shape(reconstruction):
        raise ValueError(f"shapes {np.shape(x)} and {np.shape(reconstruction)} differ")
    difference = np.asarray(reconstruction, dtype=np.float64) - np.asarray(x, dtype=np.float64)
    mse = float((difference**2).mean())
    return float(10 * np.log10(peak**2 / mse)) if mse else np.inf
    ### END SOLUTION


# %% tests="psnr" points=1
# Every pixel off by 0.1; then one of four pixels off by 0.4 (MSE 0.16/4 = 0.04).
check(psnr, np.full((2, 3), 0.5), np.full((2, 3), 0.6)).gives(20.0)
check(psnr, np.array([[0.1, 0.2], [0.3, 0.9]]), np.array([[0.1, 0.2], [0.3, 0.5]])).gives(10 * np.log10(25))
# Bytes: the peak is 255, and differences of uint8 must not wrap around at 0.
check(psnr, np.array([[10, 200, 30]], np.uint8), np.array([[30, 170, 60]], np.uint8), peak=255).gives(
    10 * np.log10(255**2 * 3 / (400 + 900 + 900))
)
# Nothing is wrong: infinitely good. Shapes that NumPy would stretch.
check(psnr, np.array([0.2, 0.7]), np.array([0.2, 0.7])).gives(np.inf)
check(psnr, np.zeros((2, 3)), np.zeros((1, 3))).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(155)
for shape, peak in [((3, 4, 5), 1.0), ((7,), 2.0), ((1, 1), 255.0)]:
    x, y = peak * rng.random(shape), peak * rng.random(shape)
    mse = float(F.mse_loss(torch.tensor(x), torch.tensor(y)))
    check(psnr, x, y, peak).gives(20 * np.log10(peak) - 10 * np.log10(mse))
check(psnr, np.zeros((3, 2)), np.zeros((2, 3))).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# # Part 2 · The gradient of a weight that is used twice
#
# ## {{exercise:autoencoder_gradients}}
#
# The loss compares the reconstruction with the **clean** picture, pixel by pixel, by the cross-entropy of two classes
# (ink and paper), summed over the pixels and averaged over the pictures:
#
# $$L = \frac1N \sum_{n,d} \Big( -x_{nd} \ln \hat{x}_{nd} - (1 - x_{nd}) \ln (1 - \hat{x}_{nd}) \Big)
# = \frac1N \sum_{n,d} \Big( \ln(1 + e^{a_{nd}}) - x_{nd}\, a_{nd} \Big)$$
#
# Both forms are equal on paper. In floating-point numbers $\hat{x}$ becomes exactly 1 for a logit of 40 (in float32,
# which is trained here, of 18), and then the first form takes $\ln 0$. The second does not, if $\ln(1 + e^a)$ is
# computed as $\max(a, 0) + \ln(1 + e^{-|a|})$ with `np.log1p`, or by `np.logaddexp(0, a)`, which is slower: $e^a$
# itself is too large for a float from 710 on, in float32 from 89.
#
# With respect to the logits the gradient is as short as softmax's: write
# $\delta = (\hat{x} - x)/N$, shape $(N, D)$. One layer further back, $g$ with shape $(N, H)$ is the gradient for the
# encoder's logits:
#
# $$g = (\delta\, W^{\mathsf T}) \odot h \odot (1 - h)$$
#
# Now $W$. It stands in the graph twice, so its gradient is the **sum of two terms**, like that of the reused node in
# module 02. As part of the decoder it multiplied $h$, as part of the encoder $\tilde{x}$:
#
# $$\frac{\partial L}{\partial W} =
# \underbrace{h^{\mathsf T} \delta}_{\text{decoder}} + \underbrace{g^{\mathsf T} \tilde{x}}_{\text{encoder}} \qquad
# \frac{\partial L}{\partial b} = \sum_n g_n \qquad \frac{\partial L}{\partial c} = \sum_n \delta_n$$
#
# Both terms have the shape of $W$, $(H, D)$. **By hand**, the unit from before, now with biases $b = \ln 3$ and
# $c = (-\frac12 \ln 3, \frac12 \ln 3, -\ln 3)$. $\tilde{x} = (1, 1, 0)$ gives $h = \frac34$ and, as before,
# $\hat{x} = (\frac34, \frac14, \frac9{10})$. The clean picture is $x = (1, 1, 1)$, so
# $\delta = (-\frac14, -\frac34, -\frac1{10})$ and the decoder's term is $\frac34\delta$. Back to the unit goes
# $\delta W^{\mathsf T} = 2 \ln 3\,(-\frac14 + \frac34 - \frac2{10}) = 0.6 \ln 3$, so
# $g = \frac3{16} \cdot 0.6 \ln 3 = 0.1125 \ln 3$, and the encoder's term is $(0.1125 \ln 3,\ 0.1125 \ln 3,\ 0)$: the
# third pixel was spoilt, so nothing is learnt there by looking, only by painting.


# %% exercise="autoencoder_gradients" difficulty=3 minutes=27 covers="127"
def autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible):
    """Compute the loss of a denoising autoencoder with tied weights, and all gradients.

    Parameters
    ----------
    x_corrupted : ndarray, shape (N, D)
        What the encoder is given.
    x : ndarray, shape (N, D)
        What the decoder should return: the clean pictures, 0 to 1.
    weight : ndarray, shape (H, D)
    bias_hidden : ndarray, shape (H,)
    bias_visible : ndarray, shape (D,)
        All five of one float dtype.

    Returns
    -------
    dict
        "loss": float, finite for every finite argument.
        "encoder_term", "decoder_term", "weight": ndarrays, shape (H, D); the third is the sum of the first two.
        "bias_hidden": ndarray, shape (H,). "bias_visible": ndarray, shape (D,). All in the dtype of x.
    """
    ### BEGIN SOLUTION
    hidden = sigmoid(x_corrupted @ weight.T + bias_hidden)
    logits = hidden @ weight + bias_visible
    grad_logits = (sigmoid(logits) - x) / len(x)
    grad_hidden = (grad_logits @ weight.T) * hidden * (1 - hidden)
    encoder_term, decoder_term = grad_hidden.T @ x_corrupted, hidden.T @ grad_logits
    return {
        "loss": float((np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits))) - x * logits).sum() / len(x)),
        "encoder_term": encoder_term,
        "decoder_term": decoder_term,
        "weight": encoder_term + decoder_term,
        "bias_hidden": grad_hidden.sum(axis=0),
        "bias_visible": grad_logits.sum(axis=0),
    }
    ### END SOLUTION


# %% tests="autoencoder_gradients" points=1
def loss_of(x_corrupted, x, weight, bias_hidden, bias_visible):
    """the entry "loss" of autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)"""
    return entries(autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible), "loss")


# The example worked out above: −ln(3/4) − ln(1/4) − ln(9/10).
check(loss_of, *BY_HAND).gives({"loss": -np.log(0.75 * 0.25 * 0.9)})
# Two pictures, two units, all numbers different.
check(loss_of, SPOILT, CLEAN, *TWO_UNITS).gives(entries(torch_reference(SPOILT, CLEAN, *TWO_UNITS), "loss"))
# Logits of 800 and -800 for pixels that should be 0 and 1: a large loss, not an infinite one. e^800 is infinite.
sure = np.zeros((1, 2)), np.array([[0.0, 1.0]]), np.zeros((1, 2)), np.zeros(1), np.array([800.0, -800.0])
check(loss_of, *sure).gives({"loss": 1600.0})
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(156)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    args = rng.random((n, d)), rng.random((n, d)), rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=d)
    check(loss_of, *args).gives(entries(torch_reference(*args), "loss"))
check(loss_of, *sure[:4], np.array([1000.0, -2000.0])).gives({"loss": 3000.0})
### END HIDDEN TESTS


# %% tests="autoencoder_gradients" points=2
def both_terms(x_corrupted, x, weight, bias_hidden, bias_visible):
    """the entries "decoder_term" and "encoder_term" of autoencoder_gradients(...)"""
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    return entries(answer, "decoder_term", "encoder_term")


# The example worked out above.
check(both_terms, *BY_HAND).gives_gradient(
    {
        "decoder_term": np.array([[-0.1875, -0.5625, -0.075]]),
        "encoder_term": np.array([[0.1125 * LN3, 0.1125 * LN3, 0.0]]),
    }
)
# Two pictures, two units, all numbers different, against PyTorch.
check(both_terms, SPOILT, CLEAN, *TWO_UNITS).gives_gradient(
    entries(torch_reference(SPOILT, CLEAN, *TWO_UNITS), "decoder_term", "encoder_term")
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(157)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    args = rng.random((n, d)), rng.random((n, d)), rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=d)
    check(both_terms, *args).gives_gradient(entries(torch_reference(*args), "decoder_term", "encoder_term"))
### END HIDDEN TESTS


# %% tests="autoencoder_gradients" points=1
def bias_gradients(x_corrupted, x, weight, bias_hidden, bias_visible):
    """the entries "bias_hidden" and "bias_visible" of autoencoder_gradients(...)"""
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    return entries(answer, "bias_hidden", "bias_visible")


check(bias_gradients, *BY_HAND).gives_gradient(
    {"bias_hidden": np.array([0.1125 * LN3]), "bias_visible": np.array([-0.25, -0.75, -0.1])}
)
check(bias_gradients, SPOILT, CLEAN, *TWO_UNITS).gives_gradient(
    entries(torch_reference(SPOILT, CLEAN, *TWO_UNITS), "bias_hidden", "bias_visible")
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(158)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    args = rng.random((n, d)), rng.random((n, d)), rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=d)
    check(bias_gradients, *args).gives_gradient(entries(torch_reference(*args), "bias_hidden", "bias_visible"))
### END HIDDEN TESTS


# %% tests="autoencoder_gradients" points=1
def weight_gradient(x_corrupted, x, weight, bias_hidden, bias_visible):
    """the entry "weight" of autoencoder_gradients(...)"""
    return entries(autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible), "weight")


# By finite differences: each weight moved up and down by 0.00001, wherever it is used.
def by_differences(x_corrupted, x, weight, bias_hidden, bias_visible, step=1e-5):
    def loss(moved):
        hidden = 1 / (1 + np.exp(-(x_corrupted @ moved.T + bias_hidden)))
        logits = hidden @ moved + bias_visible
        return float((np.log1p(np.exp(logits)) - x * logits).sum()) / len(x)

    gradient = np.zeros_like(weight)
    for place in np.ndindex(weight.shape):
        shift = np.zeros_like(weight)
        shift[place] = step
        gradient[place] = (loss(weight + shift) - loss(weight - shift)) / (2 * step)
    return {"weight": gradient}


check(weight_gradient, SPOILT, CLEAN, *TWO_UNITS).gives_gradient(by_differences(SPOILT, CLEAN, *TWO_UNITS))
# What goes in as float32 comes out as float32.
in_float32 = [value.astype(np.float32) for value in (SPOILT, CLEAN, *TWO_UNITS)]
check(weight_gradient, *in_float32).gives(
    entries(torch_reference(*in_float32), "weight"), rtol=1e-4, atol=1e-6, dtype=np.float32
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(159)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    args = rng.random((n, d)), rng.random((n, d)), rng.normal(size=(h, d)), rng.normal(size=h), rng.normal(size=d)
    check(weight_gradient, *args).gives_gradient(entries(torch_reference(*args), "weight"))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:train_layer}}
#
# Train one such layer by mini-batch gradient descent. In each epoch:
#
# 1. draw one order of all pictures, `rng.permutation(N)`;
# 2. go through it in batches of `batch_size`; the last batch may be smaller, and takes part;
# 3. for each batch spoil it **anew**, `noise(batch, rng)`, ask `gradients(spoilt, batch, weight, bias_hidden,
#    bias_visible)` for a dict as yours, and take a step of `lr` against each of the three gradients;
# 4. note the epoch's mean loss over all pictures. Each batch's loss is a mean over *its* pictures, so a small last
#    batch counts less.
#
# The two functions are arguments, so that any loss and any noise will do.


# %% exercise="train_layer" difficulty=2 minutes=22 covers="128"
def train_layer(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    """Train a denoising autoencoder.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        Clean pictures, or codes of them.
    weight, bias_hidden, bias_visible : ndarrays, shapes (H, D), (H,), (D,)
        Where training begins. They stay as they are.
    gradients : callable
        ``gradients(x_corrupted, x, weight, bias_hidden, bias_visible)`` returns a dict with "loss" and the gradients
        "weight", "bias_hidden" and "bias_visible".
    noise : callable
        ``noise(batch, rng)`` returns a spoilt copy of a batch.
    lr : float
    epochs, batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    weight, bias_hidden, bias_visible : ndarrays
        Trained, in the shapes and dtypes of the arguments.
    losses : list of float
        Mean loss over the pictures of each epoch, as they came: before the step of their batch.
    """
    ### BEGIN SOLUTION
    weight, bias_hidden, bias_visible = weight.copy(), bias_hidden.copy(), bias_visible.copy()
    losses = []
    for _ in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for start in range(0, len(x), batch_size):
            batch = x[order[start : start + batch_size]]
            grad = gradients(noise(batch, rng), batch, weight, bias_hidden, bias_visible)
            weight -= lr * grad["weight"]
            bias_hidden -= lr * grad["bias_hidden"]
            bias_visible -= lr * grad["bias_visible"]
            total += grad["loss"] * len(batch)
        losses.append(total / len(x))
    return weight, bias_hidden, bias_visible, losses
    ### END SOLUTION


# %% tests="train_layer" points=1
# One epoch, one batch of all five: a single step; the order does not matter yet.
check(train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.1, 1, 5, np.random.default_rng(3)).gives(
    toy_training(FIVE, 0.1, 1, 5, 3)
)
# No epoch: nothing happens.
check(train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.1, 0, 5, np.random.default_rng(3)).gives((*TOY_START, []))
### BEGIN HIDDEN TESTS
check(train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.3, 1, 9, np.random.default_rng(13)).gives(
    toy_training(FIVE, 0.3, 1, 9, 13)
)
### END HIDDEN TESTS

# %% tests="train_layer" points=1
# Batches of two from five pictures: two, two and one. Two epochs with an order each.
check(train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.1, 1, 2, np.random.default_rng(5)).gives(
    toy_training(FIVE, 0.1, 1, 2, 5)
)
check(train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.2, 2, 2, np.random.default_rng(6)).gives(
    toy_training(FIVE, 0.2, 2, 2, 6)
)
### BEGIN HIDDEN TESTS
for epochs, batch_size, seed in [(3, 1, 7), (2, 3, 8), (4, 4, 9)]:
    check(
        train_layer, FIVE, *TOY_START, toy_gradients, halved, 0.1, epochs, batch_size, np.random.default_rng(seed)
    ).gives(toy_training(FIVE, 0.1, epochs, batch_size, seed))
### END HIDDEN TESTS


# %% tests="train_layer" points=1
def masked(batch, rng):
    """Noise from the generator: each value becomes 0 with probability 0.5."""
    return batch * (rng.random(batch.shape) >= 0.5)


def torch_training(x, weight, bias_hidden, bias_visible, lr, epochs, batch_size, seed):
    """The same training with PyTorch's gradients"""
    draw, parameters, losses = np.random.default_rng(seed), [weight, bias_hidden, bias_visible], []
    for _ in range(epochs):
        order = draw.permutation(len(x))
        seen = 0.0
        for first in range(0, len(x), batch_size):
            batch = x[order[first : first + batch_size]]
            grad = torch_reference(masked(batch, draw), batch, *parameters)
            seen += grad["loss"] * len(batch) / len(x)
            names = ("weight", "bias_hidden", "bias_visible")
            parameters = [value - lr * grad[name] for value, name in zip(parameters, names, strict=True)]
        losses.append(seen)
    return (*parameters, losses)


# A whole denoising autoencoder with PyTorch's gradients; the noise draws from the same generator as the order.
draw = np.random.default_rng(160)
seven, begin = draw.random((7, 4)), (draw.normal(size=(3, 4)), draw.normal(size=3), draw.normal(size=4))
check(train_layer, seven, *begin, torch_reference, masked, 0.5, 3, 3, np.random.default_rng(10)).gives(
    torch_training(seven, *begin, 0.5, 3, 3, 10)
)


def float32_gradients(*arrays):
    """PyTorch's gradients in float32, whatever the dtype of the arguments."""
    return torch_reference(*(value.astype(np.float32) for value in arrays))


def trained_in_float32(x, weight, bias_hidden, bias_visible):
    """The parameters that train_layer returns after two epochs on float32 pictures, from float32 parameters"""
    rng = np.random.default_rng(11)
    parameters = weight, bias_hidden, bias_visible
    return tuple(train_layer(x, *parameters, float32_gradients, masked, 0.5, 2, 3, rng)[:3])


# What began as float32 stays float32.
seven32, begin32 = seven.astype(np.float32), [value.astype(np.float32) for value in begin]
check(trained_in_float32, seven32, *begin32).gives(
    torch_training(seven32, *begin32, 0.5, 2, 3, 11)[:3], rtol=1e-4, atol=1e-5, dtype=np.float32
)
### BEGIN HIDDEN TESTS
check(train_layer, seven, *begin, torch_reference, masked, 0.1, 2, 5, np.random.default_rng(12)).gives(
    torch_training(seven, *begin, 0.1, 2, 5, 12)
)
### END HIDDEN TESTS

# %% [markdown]
# ### One term, the other, both
#
# What is each term of the gradient worth? 4,000 digits, 100 units, three epochs without noise, from the same start in
# the same order: once with both terms of your gradient, once with each alone.

# %% experiment seconds=15
x, *_ = flat_images(data.digits, training.full_or_fast(4000, 300), 1)
term_losses = {}
with timing.one_thread():
    for term in training.progress(("weight", "decoder_term", "encoder_term")):

        def one_term(*args, term=term):
            grad = autoencoder_gradients(*args)
            return {**grad, "weight": grad[term]}

        rng = np.random.default_rng(0)
        begin = first_weights(784, 100, rng)
        *_, losses = train_layer(x, *begin, one_term, lambda batch, rng: batch, 0.1, 3, 50, rng)
        term_losses["both terms" if term == "weight" else term] = losses
for name, losses in term_losses.items():
    print(f"{name:14} mean loss of the epochs: {', '.join(f'{loss:.1f}' for loss in losses)}")

# %% [markdown]
# Here each term alone lowers the loss as well: after three epochs it is at 138.6 with the decoder's alone and at 164.5
# with the encoder's alone, against 117.3 with both. Nothing guarantees that: a step against one part of a gradient may
# lead uphill. So a missing term need not announce itself. The loss falls, only less far; a comparison with finite
# differences shows the error at once.
#
# ### Repairing digits
#
# The slide's grid of examples, made by your functions: a layer of 256 units learns from 8,000 digits, a third of whose
# pixels are set to black or white in training. Then it is shown 1,000 digits it has never seen, spoilt in three ways,
# two of which it has never seen either. PSNR says how much comes back. Two rivals: the spoilt picture as it is, and the
# best *linear* repair, a 785 × 784 matrix by least squares on the same spoilt digits. The seed can be changed.


# %% experiment seconds=1 folded=true
def draw_repairs(clean, rows):
    """Draw the same digits clean, spoilt and repaired; rows maps a title to pictures (8, 784)."""
    fig, axes = plots.figure(len(rows) + 1, len(clean), width=8.4, height=1.05 * (len(rows) + 1))
    for row, (title, pictures) in enumerate({"clean": clean, **rows}.items()):
        for ax, picture in zip(axes[row], pictures, strict=True):
            ax.imshow(1 - picture.reshape(28, 28), cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.grid(visible=False)
        axes[row][0].set_ylabel(title, rotation=0, ha="right", va="center", fontsize=9)
    return fig


# %% experiment seconds=25 covers="128"
seed = 0
rng = np.random.default_rng(seed)
x_train, _, x_test, _ = flat_images(data.digits, *training.full_or_fast((8000, 1000), (300, 50)))
spoil = lambda batch, rng: corrupt(batch, 0.33, rng, "salt_pepper")  # noqa: E731
with timing.one_thread():
    repairer = train_layer(
        x_train, *first_weights(784, 256, rng), autoencoder_gradients, spoil, 0.1, training.full_or_fast(8, 1), 50, rng
    )
    seen = np.c_[spoil(x_train, rng), np.ones(len(x_train))]
    linear = np.linalg.solve(seen.T @ seen + 1e-3 * len(seen) * np.eye(785), seen.T @ x_train)
measured, grid = {}, {}
for kind, level in (("salt_pepper", 0.33), ("mask", 0.5), ("gaussian", 0.4)):
    spoilt = corrupt(x_test, level, rng, kind)
    back = autoencoder_forward(spoilt, *repairer[:3])[1]
    by_matrix = np.clip(np.c_[spoilt, np.ones(len(spoilt))] @ linear, 0, 1)
    measured[kind] = [psnr(x_test, pictures) for pictures in (spoilt, by_matrix, back)]
    start, rival, repair = measured[kind]
    print(f"{kind:12} spoilt {start:4.1f} dB   linear {rival:4.1f} dB   autoencoder {repair:4.1f} dB: ", end="")
    print(f"{repair - start:+.1f} dB, {repair - rival:+.1f} dB over linear")
    grid |= {f"{kind}\n{level:g}": spoilt[:8], f"{kind}\nrepaired": back[:8]}
repaired_db = measured
lesson.target(
    "decibels that the repair gains on salt and pepper",
    repaired_db["salt_pepper"][2] - repaired_db["salt_pepper"][0],
    at_least=5,
    unit="dB",
)
plots.show(
    draw_repairs(x_test[:8], grid),
    alt="Eight digits: clean, then spoilt and repaired for each of three kinds of noise. "
    + "; ".join(f"{kind}: {a:.1f} dB spoilt, {c:.1f} dB repaired" for kind, (a, _, c) in repaired_db.items())
    + (
        ". After one epoch on 300 digits, repaired ones are grey blobs."
        if training.fast_mode()
        else ". Most repaired digits are readable, their strokes smooth; some 2s come back as blots."
    ),
)

# %% [markdown]
# The net gains 9.3 dB on the noise that it knows. On the two kinds that it has never seen it gains 1.7 dB (half of all
# pixels erased) and 7.3 dB: specks are gone, broken strokes are joined. Where too little is left, as of some 2s under
# the mask, it paints what is usual there. Against the linear repair it is ahead by 0.5 (salt and pepper), 1.0 (mask)
# and 0.3 dB (gaussian) only: most of what can be undone here, a linear map undoes too.
#
# ### Play: repair your own drawing
#
# Draw a digit, or click the paper (or tab to it) and type one. Then turn up the noise. Your `corrupt` spoils it, your
# `autoencoder_forward` repairs it, with weights that the toolkit trained when the widget was made. What does the net
# make of a letter, or of an empty page?

# %% widget="denoise_drawing" covers="128"
# alt: A drawn 5, the same with a third of its pixels inked or erased, and the repaired 5, each with its decibels.
from convnets.widgets import DenoiseDrawing

DenoiseDrawing(corrupt, autoencoder_forward, typed="5")

# %% [markdown] covers="127"
# ### What the noise is for
#
# "Can add noise to input image to prevent overfitting." First experiment: a layer of 256 units learns from
# 50 digits, and one from 500, 1,000 steps each, with and without masking. The loss is measured without noise, on the
# digits it learnt from and on 1,000 others, at two starts.
#
# Second: 8,000 digits, three strengths of masking. What do the units look for, and are their codes good for telling
# the digits apart? A linear classifier, fitted to 300 labelled digits by regularised least squares, answers that, from
# pixels and from codes. 300 further labelled digits choose its penalty from six; 2,000 test digits judge.


# %% experiment seconds=1 folded=true
def draw_filters(groups, title):
    """Draw the strongest 36 filters of each group, (H, 784), each scaled to its own largest weight."""
    fig, axes = plots.figure(1, len(groups), width=8.8, height=3.4)
    for ax, (name, weight) in zip(np.atleast_1d(axes), groups.items(), strict=True):
        strongest = weight[np.argsort(-np.abs(weight).sum(axis=1))[:36]]
        scaled = strongest / np.abs(strongest).max(axis=1, keepdims=True)
        tiles = np.pad(scaled.reshape(6, 6, 28, 28), ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=np.nan)
        ax.imshow(tiles.swapaxes(1, 2).reshape(180, 180), cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set_title(name, fontsize=9)
        ax.axis("off")
    fig.suptitle(title, fontsize=11)
    return fig


def ridge_accuracy(features, labels, test_features, test_labels):
    """Return the test accuracy in % of a linear classifier by least squares.

    The first 300 rows fit it; the next 300 choose its penalty from six.
    """
    one_hot = np.eye(10)[labels[:300]]
    centre, share = features[:300].mean(axis=0), one_hot.mean(axis=0)
    fitted, choosing, test = features[:300] - centre, features[300:600] - centre, test_features - centre
    found = []
    for penalty in (0.01, 0.1, 1, 10, 100, 1000):
        ridge = penalty * np.eye(fitted.shape[1])
        weight = np.linalg.solve(fitted.T @ fitted + ridge, fitted.T @ (one_hot - share))
        right = [
            float(((x @ weight + share).argmax(axis=1) == y).mean())
            for x, y in ((choosing, labels[300:600]), (test, test_labels))
        ]
        found.append((right[0], 100 * right[1]))
    return max(found, key=lambda pair: pair[0])[1]


# %% experiment seconds=30
many, _, others, _ = flat_images(data.digits, *training.full_or_fast((500, 1000), (100, 50)))
starts, steps = training.full_or_fast((2, 1000), (1, 20))
measured = {}
with timing.one_thread():
    for n, level in training.progress([(n, level) for n in (50, 500) for level in (0.0, 0.25)]):
        few = many[:n]
        for start in range(starts):
            rng = np.random.default_rng(start)
            noise = lambda batch, rng, level=level: corrupt(batch, level, rng)  # noqa: E731
            first = first_weights(784, 256, rng)
            epochs = max(1, steps * 25 // n)
            *trained, _ = train_layer(few, *first, autoencoder_gradients, noise, 0.1, epochs, 25, rng)
            losses = [autoencoder_gradients(x, x, *trained)["loss"] for x in (few, others)]
            measured.setdefault((n, level), []).append(losses)
clean_loss = measured
for (n, level), losses in clean_loss.items():
    low, high = np.min(losses, axis=0), np.max(losses, axis=0)
    own, new = np.mean(losses, axis=0)
    print(f"{n:3} digits, masking {level:4.2f}: loss on them {low[0]:5.1f} - {high[0]:5.1f}", end="")
    print(f", on others {low[1]:5.1f} - {high[1]:5.1f} (mean {new:5.1f}, {new / own:.1f} times that on them)")

# %% experiment seconds=30
rng = np.random.default_rng(0)
x_train, y_train, x_test, y_test = flat_images(data.digits, *training.full_or_fast((8000, 2000), (600, 50)))
measured = {"pixels": ridge_accuracy(x_train[:600], y_train[:600], x_test, y_test)}
filters = {}
with timing.one_thread():
    for level in training.progress((0.0, 0.25, 0.5)):
        noise = lambda batch, rng, level=level: corrupt(batch, level, rng)  # noqa: E731
        *trained, _ = train_layer(
            x_train,
            *first_weights(784, 256, rng),
            autoencoder_gradients,
            noise,
            0.1,
            training.full_or_fast(8, 1),
            50,
            rng,
        )
        codes, test_codes = (autoencoder_forward(x, *trained)[0] for x in (x_train[:600], x_test))
        measured[f"codes, masking {level:g}"] = ridge_accuracy(codes, y_train[:600], test_codes, y_test)
        filters[f"masking {level:g}"] = trained[0]
linear_accuracy = measured
for name, accuracy in linear_accuracy.items():
    print(f"300 labels, linear classifier on {name:20} {accuracy:.1f} %")
chance = 100 * (linear_accuracy["pixels"] / 100 * (1 - linear_accuracy["pixels"] / 100) / len(y_test)) ** 0.5
print(f"standard error of such a figure, from {len(y_test):,} test digits: {chance:.1f} points")
plots.show(
    draw_filters(filters, "Rows of W, 36 strongest of 256"),
    alt="Three blocks of 36 filters, each a small picture of positive and negative weights, for masking 0, 0.25 and "
    "0.5. "
    "All are made of blobs within the middle of the picture, where digits are; with more masking the blobs are fewer "
    "and longer, like pieces of strokes.",
)

# %% [markdown]
# With 50 digits the layer overfits: the loss on others is 3.1 times that on its own digits. Masking takes a little from
# it, at both starts: 142.7 in the mean against 145.1. With 500 digits masking makes *both* losses larger, that on
# others from 80.7 to 85.4: a layer that must also repair returns clean digits less exactly, and there is less
# overfitting to prevent. So the slide is right where data are very few, and by two points of 145.
#
# What noise is good for shows in the second experiment. The linear classifier gets 80.0 % from pixels, 83.2 % from
# codes learnt without noise, 84.5 and 86.0 % with a quarter and a half of the pixels masked. Each figure has a standard
# error of 0.9 points: the steps from pixels to codes, and from no masking to a half, are findings; a quarter alone
# would be none. To repair, a unit must know more than to copy.
#
# # Part 3 · Layer upon layer
#
# ## {{exercise:stack}}
#
# "Stacking auto-encoders" (Bengio 2009): train an autoencoder on the pictures; keep its encoder, throw its decoder
# away; the codes of all pictures are the data of the next autoencoder; and so on. Each layer is trained alone,
# *greedily*, while those below stay as they are.
#
# $$h^{(0)} = x \qquad h^{(k)} = \sigma\big(h^{(k-1)}\, W_k^{\mathsf T} + b_k\big)$$
#
# Codes are computed from **clean** pictures and clean codes: each layer's training spoils its own input, what it passes
# on is not spoilt. `train(h, size)` trains one layer of `size` units on $h^{(k-1)}$ and returns $W_k$ with shape
# (size, inputs) and $b_k$ with shape (size,).


# %% exercise="stack" difficulty=2 minutes=8 covers="129"
def stack(x, sizes, train):
    """Train a stack of autoencoders, layer by layer.

    Parameters
    ----------
    x : ndarray, shape (N, D)
        Clean pictures.
    sizes : sequence of int
        Units of each hidden layer, from below.
    train : callable
        ``train(h, size)`` returns weight (size, inputs) and bias (size,) of a layer trained on h, shape (N, inputs). It
        is called once for each layer.

    Returns
    -------
    list of (weight, bias)
        One for each layer, from below.
    """
    ### BEGIN SOLUTION
    layers = []
    for size in sizes:
        weight, bias = train(x, size)
        layers.append((weight, bias))
        x = sigmoid(x @ weight.T + bias)
    return layers
    ### END SOLUTION


# %% tests="stack" points=1
def stacked(x, sizes, train):
    """the layers of stack(x, sizes, train), each array under its name"""
    return named_layers(stack(x, sizes, train))


# One layer, then two of different size.
check(stacked, FOUR_ROWS, [2], toy_train).gives(toy_stack(FOUR_ROWS, [2]))
check(stacked, FOUR_ROWS, [2, 5], toy_train).gives(toy_stack(FOUR_ROWS, [2, 5]))
### BEGIN HIDDEN TESTS
check(stacked, FOUR_ROWS[:1], (4, 1), toy_train).gives(toy_stack(FOUR_ROWS[:1], (4, 1)))
check(stacked, FOUR_ROWS, [], toy_train).gives({})
### END HIDDEN TESTS


# %% tests="stack" points=1
def stacked(x, sizes, train):
    """the layers of stack(x, sizes, train), each array under its name"""
    return named_layers(stack(x, sizes, train))


# Three layers, the middle one narrow; the third sees what both below made of x.
check(stacked, FOUR_ROWS, [4, 2, 3], toy_train).gives(toy_stack(FOUR_ROWS, [4, 2, 3]))


def asked(x, sizes):
    """What stack(x, sizes, train) asks train for: the shape of the data and the size, call by call"""
    calls = []

    def train(h, size):
        calls.append((*h.shape, size))
        return toy_train(h, size)

    stack(x, sizes, train)
    return calls


# Training is the dear part: each layer once.
check(asked, FOUR_ROWS, [4, 2, 3]).gives([(4, 3, 4), (4, 4, 2), (4, 2, 3)])
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(161)
x = rng.random((6, 7))
check(stacked, x, (5, 5, 2, 4), toy_train).gives(toy_stack(x, (5, 5, 2, 4)))
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:to_classifier}}
#
# The encoders of the stack are the hidden layers of a classifier: all it lacks is a last layer of ten logits. That one
# is new and random; then *all* layers are trained on the labelled pictures, from where the pretraining left them:
# *fine-tuning*. Build it as a PyTorch module:
#
# $$x \to \text{Linear}_1 \to \sigma \to \text{Linear}_2 \to \sigma \to \cdots \to \text{Linear}_\text{new}$$
#
# `nn.Linear(inputs, outputs)` holds its weight with shape (outputs, inputs), as ours. The module must hold **copies**:
# fine-tuning changes its parameters in place, and whoever owns the arrays needs them again, as Part 4 does for its
# second comparison. (No check can see this. Part 4 hands you copies, so that a slip does not spoil its figures.)
# `torch.tensor` copies. `torch.from_numpy` shares the array's memory, and so does `torch.as_tensor`; a `.float()` or
# `dtype=torch.float32` with them copies only what is *not* float32 already, and trained layers are. To write into an
# `nn.Linear`, use `copy_` on its parameters within `with torch.no_grad():`.


# %% exercise="to_classifier" difficulty=2 minutes=18 covers="129"
def to_classifier(layers, n_classes):
    """Build a classifier on pretrained layers.

    Parameters
    ----------
    layers : sequence of (weight, bias)
        Arrays of shape (H, inputs) and (H,), from below, one layer at least. They stay as they are whatever happens
        to the module.
    n_classes : int

    Returns
    -------
    nn.Module
        Maps float32 (N, D) to logits (N, n_classes). Parameters are float32, all trainable; in the order of
        ``parameters()`` weight and bias of each layer from below, the new one last, as PyTorch initialises it.

    Raises
    ------
    ValueError
        If there is no layer, or a layer's inputs are not the outputs of the one below.
    """
    ### BEGIN SOLUTION
    if not layers:
        raise ValueError("a classifier needs one pretrained layer at least")
    modules = []
    outputs = np.shape(layers[0][0])[1]
    for weight, bias in layers:
        if np.shape(weight)[1] != outputs:
            raise ValueError(f"a layer has {np.shape(weight)[1]} inputs, the one below {outputs} outputs")
        linear = nn.Linear(outputs, len(weight))
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight))
            linear.bias.copy_(torch.tensor(bias))
        modules += [linear, nn.Sigmoid()]
        outputs = len(weight)
    return nn.Sequential(*modules, nn.Linear(outputs, n_classes))
    ### END SOLUTION


# %% tests="to_classifier" points=1
def parameter_shapes(layers, n_classes):
    """The shapes of to_classifier(layers, n_classes).parameters(), as words"""
    return [" × ".join(str(n) for n in p.shape) for p in to_classifier(layers, n_classes).parameters()]


def taken_over(layers, n_classes):
    """torch.manual_seed(0); the parameters of to_classifier(layers, n_classes), without the last two, by their place"""
    torch.manual_seed(0)
    parameters = [p.detach().numpy() for p in to_classifier(layers, n_classes).parameters()]
    return {f"parameter {k}": value for k, value in enumerate(parameters[:-2])}


def trainable(layers, n_classes):
    """How many parameters of to_classifier(layers, n_classes) require gradients, and the dtypes of all"""
    parameters = list(to_classifier(layers, n_classes).parameters())
    dtypes = " and ".join(sorted({str(p.dtype) for p in parameters}))
    return {"trainable": sum(bool(p.requires_grad) for p in parameters), "dtypes": dtypes}


# 3 inputs, 4 and 2 units, 5 classes. Arrays of float64 become parameters of float32.
check(parameter_shapes, TWO_LAYERS, 5).gives(["4 × 3", "4", "2 × 4", "2", "5 × 2", "5"])
check(taken_over, TWO_LAYERS, 5).gives(
    {f"parameter {k}": value for k, value in enumerate([*TWO_LAYERS[0], *TWO_LAYERS[1]])}, rtol=1e-6
)
check(trainable, TWO_LAYERS, 5).gives({"trainable": 6, "dtypes": "torch.float32"})
# No layer; and two layers that do not fit on each other.
check(to_classifier, [], 5).raises(ValueError)
check(to_classifier, TWO_LAYERS[::-1], 5).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(162)
square = [(rng.normal(size=(3, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32))]
check(parameter_shapes, square, 10).gives(["3 × 3", "3", "10 × 3", "10"])
check(taken_over, square, 10).gives({"parameter 0": square[0][0], "parameter 1": square[0][1]}, rtol=1e-6)
### END HIDDEN TESTS


# %% tests="to_classifier" points=1
def logits_and_reference(layers, n_classes, x):
    """torch.manual_seed(0); to_classifier(layers, n_classes)(x) minus its own last layer of the codes of x"""
    torch.manual_seed(0)
    net = to_classifier(layers, n_classes)
    codes = torch.tensor(x, dtype=torch.float32)
    for weight, bias in layers:
        codes = torch.sigmoid(F.linear(codes, *(torch.tensor(value, dtype=torch.float32) for value in (weight, bias))))
    last = [p.detach() for p in net.parameters()][-2:]
    return net(torch.tensor(x, dtype=torch.float32)).detach().numpy() - F.linear(codes, *last).numpy()


# Logits, not probabilities; sigmoids after every layer but the last. So all ten differences are 0.
check(logits_and_reference, TWO_LAYERS, 5, FOUR_ROWS[:2]).gives(np.zeros((2, 5)), atol=1e-5)
### BEGIN HIDDEN TESTS
check(logits_and_reference, TWO_LAYERS[:1], 7, FOUR_ROWS).gives(np.zeros((4, 7)), atol=1e-5)
### END HIDDEN TESTS


# %% tests="to_classifier" points=1
def spread_of_the_new_layer(layers):
    """Whether the weight of the new layer of to_classifier(layers, 5) has a standard deviation above 0.05"""
    return bool([p.detach() for p in to_classifier(layers, 5).parameters()][-2].std() > 0.05)


# A new layer of zeros would pass no gradient back in the first step.
check(spread_of_the_new_layer, TWO_LAYERS).gives(True)


def reached_by_gradients(layers):
    """Which parameters of to_classifier(layers, 5) get a gradient that is not 0 from a loss of its logits"""
    net = to_classifier(layers, 5)
    parameters = list(net.parameters())
    F.cross_entropy(net(torch.tensor([[1.0, 1.0, 1.0], [0.2, 0.9, 0.4]])), torch.tensor([0, 3])).backward()
    return [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in parameters]


# Fine-tuning reaches every layer of the net.
check(reached_by_gradients, TWO_LAYERS).gives([True] * 6)

# %% [markdown]
# # Part 4 · With and without
#
# ### The recipe of 2006
#
# Everything together, on your functions. 784-200-200-200-10 with sigmoids and Xavier initialisation; 10,000 pictures of
# Fashion-MNIST, of which 100, 300, 1,000 or 5,000 have labels; 2,000 test pictures. *With pretraining*, `stack` trains
# the three hidden layers first, on all 10,000 without labels: four epochs each, a quarter of the values masked, batches
# of 50, learning rate 0.1. Then both nets are trained on the labelled pictures in the same way: 1,000 steps of
# stochastic gradient descent with momentum 0.9 and learning rate 0.1, batches of 25. Three starts, each with its own
# labelled pictures. Once it is done: what had the filters of the first layer become, with and without? That is the
# second figure of Erhan et al. on the slides.


# %% experiment seconds=1 folded=true
SIZES, COUNTS, STARTS = (200, 200, 200), (100, 300, 1000, 5000), 3
#: Pretrained layers by start and by your functions, so that the second comparison need not train them again. Nets are
#: made from copies: one that shared memory with its layers would spoil them for all that follow.
PRETRAINED = {}


def fine_tuned(net, x, y, optimizer, steps, seed, falling):
    """Train a net on labelled pictures, (N, 784) and (N,), in batches of 25; the learning rate may fall to 0."""
    rng, done, lr = np.random.default_rng(seed), 0, optimizer.param_groups[0]["lr"]
    while done < steps:
        for batch in torch.from_numpy(rng.permutation(len(x))).split(25)[: steps - done]:
            optimizer.param_groups[0]["lr"] = lr * (1 - done / steps) if falling else lr
            optimizer.zero_grad()
            F.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
            done += 1


def random_classifier(sizes, activation, initialise):
    """Make a classifier of ten classes that nobody has pretrained."""
    modules, inputs = [], 784
    for size in sizes:
        linear = nn.Linear(inputs, size)
        initialise(linear.weight)
        nn.init.zeros_(linear.bias)
        modules += [linear, activation()]
        inputs = size
    return nn.Sequential(*modules, nn.Linear(inputs, 10))


def accuracy_of(net, x, y):
    """Return the percentage of pictures that a net gets right."""
    with torch.no_grad():
        return 100 * float((net(x).argmax(dim=1) == y).float().mean())


def compare(variants, steps, falling=False):
    """Fine-tune nets on 100 to 5,000 labels.

    Parameters
    ----------
    variants : dict of str to (make, make_optimizer)
        make(layers) returns a net, make_optimizer(parameters) its optimiser.
    steps : int
    falling : bool
        Whether the learning rate falls to 0 on a straight line.

    Returns
    -------
    accuracy : dict of str to ndarray, shape (counts, starts)
        Test accuracy in %.
    first_weights : dict of str to ndarray, shape (200, 784)
        Of the first layer: "pretrained", and after fine-tuning with the most labels at the last start.
    """
    n, n_test = training.full_or_fast((10_000, 2000), (1000, 200))
    counts, starts = training.full_or_fast((COUNTS, STARTS), ((100, 300, 1000), 1))
    x, y, x_test, y_test = flat_images(data.fashion_mnist, n, n_test)
    pictures, labels, test_pictures, test_labels = (torch.from_numpy(value) for value in (x, y, x_test, y_test))
    accuracy = {name: np.zeros((len(counts), starts)) for name in variants}
    first = {}
    with timing.one_thread():
        for start in training.progress(range(starts), "start"):
            yours = start, corrupt, autoencoder_gradients, train_layer, stack
            if yours not in PRETRAINED:
                train = layer_trainer(np.random.default_rng(start), epochs=training.full_or_fast(4, 1))
                PRETRAINED[yours] = stack(x, SIZES, train)
            layers = PRETRAINED[yours]
            first["pretrained"] = np.asarray(layers[0][0])
            for row, count in enumerate(counts):
                chosen = torch.from_numpy(np.random.default_rng([start, count]).permutation(n)[:count])
                for name, (make, make_optimizer) in variants.items():
                    torch.manual_seed(start)
                    net = make([(weight.copy(), bias.copy()) for weight, bias in layers])
                    optimizer = make_optimizer(net.parameters())
                    fine_tuned(net, pictures[chosen], labels[chosen], optimizer, steps, start, falling)
                    accuracy[name][row, start] = accuracy_of(net, test_pictures, test_labels)
                    first[name] = next(iter(net.parameters())).detach().numpy()
    return accuracy, first


def told(values):
    """Return mean and, in brackets, smallest and largest of some percentages, as 71.2 (67.0 - 75.1)."""
    return f"{values.mean():.1f} ({values.min():.1f} - {values.max():.1f})"


def draw_accuracy(accuracy, title):
    """Draw test accuracy over the number of labels, with the spread over the starts."""
    fig, ax = plots.figure(width=7.0, height=3.5)
    counts = COUNTS[: len(next(iter(accuracy.values())))]
    for k, (name, values) in enumerate(accuracy.items()):
        style = {"color": plots.PALETTE[k], "linestyle": plots.LINES[k], "marker": plots.MARKERS[k]}
        ax.plot(counts, values.mean(axis=1), label=name, **style)
        ax.fill_between(counts, values.min(axis=1), values.max(axis=1), color=plots.PALETTE[k], alpha=0.15)
    ax.set_xscale("log")
    ax.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
    ax.set_xticks([], minor=True)
    ax.set(xlabel="labelled pictures", ylabel="test accuracy in %")
    ax.set_title(title)
    ax.legend(fontsize=8, loc="lower right")
    words = "; ".join(
        f"{name}: " + ", ".join(f"{row.mean():.1f} % at {count:,}" for count, row in zip(counts, values, strict=True))
        for name, values in accuracy.items()
    )
    plots.show(fig, alt=f"Test accuracy over the number of labels, mean of the starts with a band. {words}.")


def print_accuracy(accuracy):
    """Print the table behind the figure."""
    counts = COUNTS[: len(next(iter(accuracy.values())))]
    print("test accuracy in %: mean (worst - best start)")
    print("labels".ljust(26) + "".join(f"{count:>21,}" for count in counts))
    for name, values in accuracy.items():
        print(name.ljust(26) + "".join(f"{told(row):>21}" for row in values))


# %% experiment seconds=58 covers="130"
def plain_sgd(parameters):
    return torch.optim.SGD(parameters, 0.1, momentum=0.9, fused=True)


recipe_2006 = {
    "without pretraining": (lambda layers: random_classifier(SIZES, nn.Sigmoid, nn.init.xavier_uniform_), plain_sgd),
    "with pretraining": (lambda layers: to_classifier(layers, 10), plain_sgd),
}
accuracy_2006, first_layer = compare(recipe_2006, training.full_or_fast(1000, 20))
print_accuracy(accuracy_2006)
gains = accuracy_2006["with pretraining"] - accuracy_2006["without pretraining"]
for count, gain in zip(COUNTS, gains, strict=False):
    print(f"{count:5,} labels: pretraining gains {told(gain)} points")
fewer, more = COUNTS[len(gains) - 2], COUNTS[len(gains) - 1]
for name, values in accuracy_2006.items():
    print(f"from {fewer:,} to {more:,} labels, {name}: {values[-1].mean() - values[-2].mean():+.1f} points")
moved = np.linalg.norm(first_layer["with pretraining"] - first_layer["pretrained"])
length = np.linalg.norm(first_layer["pretrained"])
print(f"fine-tuning moved the first layer by {100 * moved / length:.0f} % of its length")
for count, gain in zip(COUNTS[:3], gains, strict=False):
    lesson.target(f"points that pretraining gains at {count:,} labels", gain.mean(), at_least=4)
draw_accuracy(accuracy_2006, "The recipe of 2006: with pretraining, and without")
plots.show(
    draw_filters(
        {
            "pretrained, no labels yet": first_layer["pretrained"],
            "then fine-tuned": first_layer["with pretraining"],
            "without pretraining": first_layer["without pretraining"],
        },
        "First layer, 36 strongest of 200 filters",
    ),
    alt="Three blocks of 36 first-layer filters. Pretrained: smooth outlines of clothes, sleeves, collars and shoes. "
    "After "
    "fine-tuning: hardly to be told from those. Without pretraining: mostly grain, with faint larger shapes in it.",
)
lesson.reveal(
    "what_it_gains",
    answer=3,
    because=f"pretraining gained {', '.join(f'{gain.mean():.1f}' for gain in gains)} points at "
    f"{', '.join(f'{count:,}' for count in COUNTS[: len(gains)])} labels. How much of that is knowledge of pictures, "
    "and how much a better start for 1,000 steps, comes next.",
)

# %% [markdown]
# Pretraining gains 10.1, 9.8, 6.8 and 8.3 points, and something at every start. With 300 labels the pretrained net is
# better (77.3 %) than the other one with 5,000 (73.3 %). The filters tell how. Pretrained, they are sleeves, collars
# and outlines, and fine-tuning moves them by 18 % of their length only: it begins at a good place and stays near it, as
# Erhan et al. found. Without pretraining there is mostly grain, the random start seen through.
#
# But look at the lower line again: from 1,000 to 5,000 labels the net without pretraining gains 0.4 points. That is no
# lack of labels. Gradient descent on three layers of sigmoids is slow (module 03), and 1,000 steps are not enough for
# it. How much of the gain is a better start for a poor optimiser?
#
# ### Today's recipe
#
# Was it the labels that were missing, or a good optimiser? The same nets, the same pictures, but Adam (module 04) in
# place of plain gradient descent, 500 steps with a learning rate that falls from 0.003 to 0; and a third net that
# nobody pretrained, with ReLU and He initialisation (module 03) in place of sigmoids.


# %% experiment seconds=58 covers="130"
def adam(parameters):
    return torch.optim.Adam(parameters, 3e-3, fused=True)


recipe_today = {
    "sigmoid, without": (lambda layers: random_classifier(SIZES, nn.Sigmoid, nn.init.xavier_uniform_), adam),
    "sigmoid, with pretraining": (lambda layers: to_classifier(layers, 10), adam),
    "ReLU, He, without": (lambda layers: random_classifier(SIZES, nn.ReLU, nn.init.kaiming_normal_), adam),
}
accuracy_today, _ = compare(recipe_today, training.full_or_fast(500, 20), falling=True)
print_accuracy(accuracy_today)
gains_today = accuracy_today["sigmoid, with pretraining"] - accuracy_today["sigmoid, without"]
gains_relu = accuracy_today["sigmoid, with pretraining"] - accuracy_today["ReLU, He, without"]
for count, gain, rest in zip(COUNTS, gains_today, gains_relu, strict=False):
    print(f"{count:5,} labels: pretraining gains {told(gain)} points with Adam; over the ReLU net {told(rest)}")
draw_accuracy(accuracy_today, "Today's recipe: Adam, and ReLU with He initialisation")

# %% [markdown]
# With few labels, the optimiser. With Adam, and half the steps, the net of sigmoids that nobody pretrained climbs to
# 67.4 % at 100 labels and 73.3 % at 300, and pretraining gains 3.2 and 3.9 points there, not 10.1 and 9.8: more than
# half of the gain of 2006 was a better start for a poor optimiser. At 1,000 and 5,000 labels most of the gain is left
# (5.7 and 7.5 points): Adam alone does not bring this net of sigmoids beyond about 76 %.
#
# ReLU and He initialisation do. The third net, without any pretraining, is level with the pretrained one at 100 and 300
# labels (within a point; which of them leads depends on the start), and ahead at every start from 1,000 on, by 1.7 and
# 1.2 points. It has seen none of the unlabelled pictures. So what pretraining gave here, an activation and an
# initialisation that suit each other give as well.
#
# Is it past and gone? Not the idea: to learn first where data are plenty, then to fine-tune where labels are few. What
# changed is from what one learns first (module 14: from labels of *other* pictures), and what one tries before it: more
# of each labelled picture by augmentation (module 10), and a ConvNet, which need not learn what a neighbour is.
#
# # Part 5 · Two numbers for a picture
#
# ### A deep autoencoder
#
# The other breakthrough of 2006 (Hinton and Salakhutdinov): "reconstruct image from learned low dimensional code". The
# whole stack, unrolled: encoder 784-200-50-2, decoder 2-50-200-784 with the same three matrices transposed. All layers
# are now trained together to reproduce digits, 15 epochs with Adam. All have sigmoids but the layer of the two numbers:
# the code is linear, so that it can lie anywhere in the plane. Training begins with Xavier's weights, or with those of
# your `stack`. The rival is *principal component analysis* (PCA), the best **linear** code of two numbers.


# %% experiment seconds=1 folded=true
def draw_codes(codes, labels):
    """Draw the codes of test pictures in the plane, each as the figure of its class."""
    fig, axes = plots.figure(1, len(codes), width=8.8, height=4.2)
    for ax, (name, points) in zip(axes, codes.items(), strict=True):
        for digit in range(10):
            own = points[labels == digit]
            colour = plots.PALETTE[digit % len(plots.PALETTE)]
            ax.scatter(*own.T, s=22, marker=f"${digit}$", color=colour, alpha=0.6, linewidths=0)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=10)
    return fig


# %% experiment seconds=40 covers="127"
x, _, x_test, y_test = flat_images(data.digits, *training.full_or_fast((8000, 2000), (500, 200)))
centre = x.mean(axis=0)
axes = np.linalg.svd(x - centre, full_matrices=False)[2][:2]
measured = {"PCA": psnr(x_test, np.clip((x_test - centre) @ axes.T @ axes + centre, 0, 1))}
codes = {"PCA": (x_test - centre) @ axes.T}
with timing.one_thread():
    layers = stack(x, (200, 50, 2), layer_trainer(np.random.default_rng(0), epochs=training.full_or_fast(4, 1)))
    for name, begin in training.progress((("Xavier", None), ("your stack", layers))):
        torch.manual_seed(0)
        deep = TiedAutoencoder((784, 200, 50, 2), begin)
        fit_autoencoder(deep, torch.from_numpy(x), training.full_or_fast(15, 1), seed=0)
        with torch.no_grad():
            codes[f"from {name}"] = deep.encode(torch.from_numpy(x_test)).numpy()
            measured[f"from {name}"] = psnr(x_test, deep.decode(torch.from_numpy(codes[f"from {name}"])).numpy())
code_db = measured
neighbours_right = {}
for name, points in codes.items():
    distance = ((points[:, None] - points[None]) ** 2).sum(axis=2) + np.diag(np.full(len(points), np.inf))
    neighbours_right[name] = 100 * float((y_test[distance.argmin(axis=1)] == y_test).mean())
    print(
        f"2 numbers, {name:16} {code_db[name]:5.2f} dB; nearest neighbour of the same class "
        f"{neighbours_right[name]:.0f} %"
    )
tied = sum(parameter.numel() for parameter in deep.parameters())
untied = tied + sum(weight.numel() for weight in deep.weights)
low, high = codes["from your stack"].min(), codes["from your stack"].max()
print(f"codes of the net from your stack: {low:.1f} to {high:.1f}")
print(f"parameters: {tied:,} tied, {untied:,} with matrices of its own for the decoder")
plots.show(
    draw_codes({name: codes[name] for name in ("PCA", "from your stack")}, y_test),
    alt=f"{len(y_test):,} test digits in a plane, by their two numbers, each drawn as the figure of its class. "
    f"Nearest neighbour of the same class: by PCA {neighbours_right['PCA']:.0f} %, by the deep autoencoder "
    f"{neighbours_right['from your stack']:.0f} %"
    + (
        " after one epoch."
        if training.fast_mode()
        else ": it pulls the classes further apart, in rays from a crowded middle."
    ),
)

# %% [markdown]
# With two numbers a digit PCA returns 12.56 dB, the deep autoencoder 13.12 dB from Xavier's weights and 13.46 dB from
# your stack. That is not much: the net of Part 2, with 256 numbers, repaired *spoilt* digits to 17.3 dB. The plane
# gains more order than the pictures gain decibels: the nearest neighbour of a digit is of the same class for 43 % by
# PCA, 45 % from Xavier's weights and 60 % from your stack, and nobody told the net a class. The codes, from −23.0 to
# 15.4, lie in rays from a crowded middle. Zeros and ones are nearly alone in theirs; 4 and 9 share one. It is one start
# each, so the lead over Xavier's weights is a hint.
#
# Tied weights halve the parameters here too: 168,186, where matrices of its own for the decoder would make it 335,086.
#
# ### Play: walk through the code
#
# The same net, made anew in a few seconds from your `stack`. Drag the cross, or click the plane (or tab to it) and use
# the arrow keys: the decoder paints what stands for that point. Walk from one digit to another. Where are pictures that
# are no digit?

# %% widget="code_explorer"
# alt: The plane of codes, 500 test digits in it as coloured figures; the cross is among the zeros, and a 0 is painted.
from convnets.widgets import CodeExplorer

# picture: CodeExplorer(stack, x=0.36, y=0.14)
CodeExplorer(stack)

# %% [markdown]
# ### What became of the claims


# %% experiment seconds=5 folded=true
def span(losses, column):
    """Return the smallest and the largest of one column of a list of pairs, as 60.1 - 63.2."""
    return f"{np.min(losses, axis=0)[column]:.1f} - {np.max(losses, axis=0)[column]:.1f}"


# Every exercise is used here once: where one is not written yet, that is said in the place of a table with holes.
code, painted = autoencoder_forward(np.zeros((1, 784), np.float32), *first_weights(784, 256, np.random.default_rng(0)))
to_classifier(stack(painted, (2,), layer_trainer(np.random.default_rng(0), epochs=1)), 10)
psnr(painted, painted)
on_others = {key: np.array(losses)[:, 1] for key, losses in clean_loss.items()}
gap = {key: float((np.array(losses)[:, 1] - np.array(losses)[:, 0]).mean()) for key, losses in clean_loss.items()}
less = [n for n in (50, 500) if on_others[n, 0.25].max() < on_others[n, 0.0].min()]
code_gain = max(value for name, value in linear_accuracy.items() if name != "pixels") - linear_accuracy["pixels"]
least = float(gains.mean(axis=1).min())
plots.claims(
    [
        plots.Claim(
            "Basically just a MLP; output size is equal to input size",
            f"784 numbers in, {painted.shape[1]} out, one hidden layer of {code.shape[1]}",
            "the repairing net; but its two layers share one matrix",
            "holds",
        ),
        plots.Claim(
            "Denoising autoencoder: examples",
            "; ".join(f"{kind} {a:.1f} → {c:.1f} dB (linear {b:.1f})" for kind, (a, b, c) in repaired_db.items()),
            "1,000 unseen digits; trained on salt and pepper only",
            judged("holds" if all(c > max(a, b) for a, b, c in repaired_db.values()) else "partly"),
        ),
        plots.Claim(
            "Can add noise to input image to prevent overfitting",
            "; ".join(
                f"{n} digits: loss on others {span(clean_loss[n, 0.25], 1)} with masking, "
                f"{span(clean_loss[n, 0.0], 1)} "
                f"without, gap to the training loss {gap[n, 0.25]:.0f} against {gap[n, 0.0]:.0f}"
                for n in (50, 500)
            ),
            "256 units, 1,000 steps, 2 starts; loss measured without noise",
            judged("holds" if len(less) == 2 else "partly" if less else "does not hold"),
        ),
        plots.Claim(
            "Learned features are often useful for classification",
            ", ".join(f"{name} {value:.1f} %" for name, value in linear_accuracy.items()),
            "linear classifier, 300 labelled digits (300 more for its penalty), one layer, one start",
            judged("holds" if code_gain >= 1 else "partly" if code_gain > 0 else "does not hold"),
        ),
        plots.Claim(
            "Reconstruct image from learned low dimensional code",
            ", ".join(f"{name} {value:.2f} dB" for name, value in code_db.items()),
            "two numbers a digit, 2,000 unseen digits",
            judged("holds" if min(code_db["from Xavier"], code_db["from your stack"]) > code_db["PCA"] else "partly"),
        ),
        plots.Claim(
            "Weights are tied",
            f"{tied:,} parameters for {untied:,}",
            "784-200-50-2 and back",
            "holds",
        ),
        plots.Claim(
            "With pretraining (Erhan et al. 2010): lower error",
            f"{', '.join(f'{gain.mean():+.1f}' for gain in gains)} points at "
            f"{', '.join(f'{count:,}' for count in COUNTS[: len(gains)])} labels",
            "three sigmoid layers, SGD, 1,000 steps, 3 starts",
            judged("holds" if gains.min() > 0 and least >= 2 else "partly"),
        ),
        plots.Claim(
            "In 2006 deep learning had a breakthrough: unsupervised pretraining",
            f"with Adam {', '.join(f'{gain.mean():+.1f}' for gain in gains_today)} points; against a ReLU net "
            f"without pretraining {', '.join(f'{gain.mean():+.1f}' for gain in gains_relu)}",
            "the same pictures and labels, Adam with a falling learning rate, 500 steps, 3 starts",
            judged("partly" if gains_relu.mean() < 2 else "holds"),
        ),
        plots.Claim(
            "This is what humans do all the time!",
            "nothing",
            "no experiment here has a human in it",
            "cannot be tested here",
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person.
#
# **A weight that is used twice (1 point).** A colleague ties the weights but returns only `hidden.T @ grad_logits` as
# the gradient of `weight`. (a) Which of the two uses of $W$ does it leave out, and does a small step against it still
# lower the loss for sure? (b) The training loss does go down all the same. Which check would have found the error in a
# minute, and what would it have shown? 0.5 points for each part.

# %% [markdown] answer="used_twice" points=1
# ### BEGIN SOLUTION
# (a) It leaves out the encoder's term, through which W decides what the code is. What is left is a part of the gradient
# and not the gradient: it need not point uphill, so a step against it may raise the loss even if it is tiny.
#
# (b) Finite differences: move one weight by ±0.00001, in both places, and compare the change of the loss with the entry
# of the gradient (or PyTorch's autograd). The two would differ clearly, by the encoder's term, not by 1e-7 but by a
# relative error near 1e-1 or more.
#
# **Rubric:** 0.5 for (a): encoder's term 0.25, not sure to lower the loss 0.25. 0.5 for (b): finite differences or
# autograd 0.25, a difference of the size of the missing term 0.25.
# ### END SOLUTION

# %% [markdown]
# **Is it worth it? (1 point).** You have 300 labelled and 100,000 unlabelled pictures of skin, and a week. (a) Name two
# findings of this notebook, with their figures, that speak for or against pretraining a stack of denoising autoencoders
# on them. (b) Name one thing that you would try before or beside it, with the reason. 0.5 points for each part.

# %% [markdown] answer="is_it_worth_it" points=1
# ### BEGIN SOLUTION
# (a) Two of: with SGD and sigmoids pretraining gained many points at 300 labels (own figure); with Adam fewer; a ReLU
# net with He initialisation, without any pretraining, was level with the pretrained one at 300 labels (own figures) and
# ahead from 1,000 on; a linear classifier read digits better from codes than from pixels (own figures).
#
# (b) One of: a ReLU network with good initialisation and Adam, because it took most of the gain at no cost; a ConvNet,
# which knows about pictures by its architecture; features of a network trained on ImageNet (module 14), because labels
# of other pictures are worth more than no labels; augmentation (module 10), because it makes more of 300 labels.
#
# **Rubric:** 0.25 for each finding with its figure; 0.25 for the proposal, 0.25 for its reason.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. An autoencoder learns to return its input through a code; spoil the input, and it must know how pictures look.
# 2. A tied weight is used twice, so its gradient has two terms: what the unit looks for, and what it paints.
# 3. Stacked and fine-tuned, it gave nets of sigmoids a start that gradient descent alone did not find; nets with ReLU
#    and He initialisation need no such start.
#
# **Can you explain …**
#
# - why the target of a denoising autoencoder is the clean picture?
# - why the layers of a stack are trained on clean codes although each spoils its own input?
# - why `to_classifier` must copy, and why `.float()` behind `torch.from_numpy` is no copy here?
# - what a code of two numbers keeps of a digit, and what it loses?
# - which part of the gain of 2006 was optimisation, and how the two accuracy figures of Part 4 tell?
#
# **Three readings**
#
# - P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol, *Stacked denoising autoencoders: learning useful
#   representations in a deep network with a local denoising criterion*, JMLR 11 (2010) 3371-3408.
# - D. Erhan, Y. Bengio, A. Courville, P.-A. Manzagol, P. Vincent, S. Bengio, *Why does unsupervised pre-training help
#   deep learning?*, JMLR 11 (2010) 625-660: the slides' figures.
# - G. E. Hinton, R. R. Salakhutdinov, *Reducing the dimensionality of data with neural networks*, Science 313 (2006)
#   504-507: the deep autoencoder, pretrained with the machines of the optional part.
#
# Next: [16 Every pixel](../16_every_pixel/16_every_pixel.ipynb).
#
# # Optional · The other way of 2006: a restricted Boltzmann machine
#
# *No points.* The slide says "using autoencoders **or RBMs**". A *restricted Boltzmann machine* has the parameters of a
# tied autoencoder, but its units are coins: visible $v$ and hidden $h$ are 0 or 1, with the joint probability
#
# $$P(v, h) \propto e^{-E(v, h)} \qquad E(v, h) = -\sum_{k,d} h_k W_{kd} v_d - \sum_k b_k h_k - \sum_d c_d v_d$$
#
# No unit is connected with one of its own layer ("restricted"), so each layer is easy to draw given the other:
# $P(h_k = 1 \mid v) = \sigma(v W^{\mathsf T} + b)_k$ and $P(v_d = 1 \mid h) = \sigma(h W + c)_d$: the encoder and the
# decoder. Learning raises the probability of the training pictures. Its gradient is a difference of two averages of
# $h_k v_d$: over the pictures, and over what the machine dreams up itself. The dream would need endless drawing back
# and forth. *Contrastive divergence* (Hinton 2002) goes forth and back **once**, starting at the picture.
#
# ## {{exercise:contrastive_divergence}}
#
# One step for a batch `v` of shape $(N, D)$, values 0 to 1:
#
# 1. $p = \sigma(v W^{\mathsf T} + b)$, shape $(N, H)$;
# 2. toss the coins: `h = rng.random(p.shape) < p`;
# 3. $v' = \sigma(h W + c)$, as probabilities, not tossed;
# 4. $p' = \sigma(v' W^{\mathsf T} + b)$, as probabilities too.
#
# $$\Delta W = \frac1N \big(p^{\mathsf T} v - p'^{\mathsf T} v'\big) \qquad
# \Delta b = \frac1N \sum_n (p_n - p'_n) \qquad \Delta c = \frac1N \sum_n (v_n - v'_n)$$
#
# These are directions to go **along**: the parameters become $W + \text{lr}\,\Delta W$ and so on.


# %% exercise="contrastive_divergence" difficulty=2 minutes=12 covers="125"
def contrastive_divergence(v, weight, bias_hidden, bias_visible, rng):
    """Compute one step of contrastive divergence, CD-1.

    Parameters
    ----------
    v : ndarray, shape (N, D)
        Pictures, 0 to 1.
    weight, bias_hidden, bias_visible : ndarrays, shapes (H, D), (H,), (D,)
    rng : numpy.random.Generator
        Is asked once, ``rng.random((N, H))``.

    Returns
    -------
    dict of ndarrays
        "weight", "bias_hidden" and "bias_visible": the directions to go along, in the shapes of the parameters.
    """
    ### BEGIN SOLUTION
    p = sigmoid(v @ weight.T + bias_hidden)
    h = rng.random(p.shape) < p
    v_back = sigmoid(h @ weight + bias_visible)
    p_back = sigmoid(v_back @ weight.T + bias_hidden)
    return {
        "weight": (p.T @ v - p_back.T @ v_back) / len(v),
        "bias_hidden": (p - p_back).mean(axis=0),
        "bias_visible": (v - v_back).mean(axis=0),
    }
    ### END SOLUTION


# %% tests="contrastive_divergence" points=0
def torch_step(v, weight, bias_hidden, bias_visible, rng):
    """The same step with PyTorch's layers"""
    v, weight, b, c = (torch.tensor(value) for value in (v, weight, bias_hidden, bias_visible))
    p = torch.sigmoid(F.linear(v, weight, b))
    h = (torch.tensor(rng.random(tuple(p.shape))) < p).double()
    v_back = torch.sigmoid(F.linear(h, weight.T, c))
    p_back = torch.sigmoid(F.linear(v_back, weight, b))
    step = {
        "weight": torch.einsum("nh,nd->hd", p, v) - torch.einsum("nh,nd->hd", p_back, v_back),
        "bias_hidden": (p - p_back).sum(dim=0),
        "bias_visible": (v - v_back).sum(dim=0),
    }
    return {name: (value / len(v)).numpy() for name, value in step.items()}


# Weights of 0: p = p' = 1/2 and v' = 1/2, whatever the coins say.
v = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
check(contrastive_divergence, v, np.zeros((2, 3)), np.zeros(2), np.zeros(3), np.random.default_rng(1)).gives(
    {"weight": [[0.25, 0.0, 0.25]] * 2, "bias_hidden": [0.0, 0.0], "bias_visible": [0.5, 0.0, 0.5]}
)
# Three pictures of three pixels, two units, all numbers different.
v = np.array([[0.2, 0.9, 0.4], [0.7, 0.1, 1.0], [0.0, 0.3, 0.6]])
weight, b, c = np.array([[1.0, -2.0, 0.5], [0.3, 0.8, -1.2]]), np.array([0.1, -0.6]), np.array([0.4, -0.3, 0.2])
check(contrastive_divergence, v, weight, b, c, np.random.default_rng(3)).gives(
    torch_step(v, weight, b, c, np.random.default_rng(3))
)
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(163)
for n, d, h in [(5, 4, 7), (1, 3, 3), (4, 6, 1)]:
    args = draw.random((n, d)), draw.normal(size=(h, d)), draw.normal(size=h), draw.normal(size=d)
    check(contrastive_divergence, *args, np.random.default_rng(n)).gives(torch_step(*args, np.random.default_rng(n)))
### END HIDDEN TESTS

# %% [markdown]
# ### Forth and back, and on
#
# A machine of 100 hidden units learns from 8,000 digits by your steps, ten epochs; its visible biases begin at the
# logits of the mean picture. Then it starts at eight test digits and goes forth and back, tossing the coins of both
# layers: once, ten times, a thousand times.

# %% experiment seconds=20
rng = np.random.default_rng(0)
x, _, x_test, _ = flat_images(data.digits, training.full_or_fast(8000, 300), 8)
mean = x.mean(axis=0, dtype=np.float64).clip(0.01, 0.99)
machine = [0.03 * rng.normal(size=(100, 784)), np.zeros(100), np.log(mean / (1 - mean))]
with timing.one_thread():
    for _ in training.progress(range(training.full_or_fast(10, 1)), "epoch"):
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 50):
            step = contrastive_divergence(x[batch], *machine, rng)
            names = ("weight", "bias_hidden", "bias_visible")
            machine = [value + 0.2 * step[name] for value, name in zip(machine, names, strict=True)]
    visible, rows = x_test.astype(np.float64), {}
    for round_ in range(1, training.full_or_fast(1000, 10) + 1):
        hidden = rng.random((8, 100)) < sigmoid(visible @ machine[0].T + machine[1])
        painted = sigmoid(hidden @ machine[0] + machine[2])
        visible = rng.random(painted.shape) < painted
        if round_ in (1, 10, 1000):
            rows[f"round {round_:,}"] = painted
once = psnr(x_test, rows["round 1"])
plots.show(
    draw_repairs(x_test, rows),
    alt=f"Eight digits, and what the machine paints after {', '.join(rows)}; after the first they are {once:.1f} dB "
    "from the digits. "
    + (
        "Too little training to paint any."
        if training.fast_mode()
        else "After one most are the same digits, after ten some change, after a thousand they are other digits, or "
        "blots that are none."
    ),
)

# %% [markdown]
# After one round nearly every digit is still itself, which is what contrastive divergence trains. After a thousand the
# machine has forgotten where it began and paints what it finds probable: some digits, and blots that are none. One
# round in training teaches little about places far away from the pictures.
