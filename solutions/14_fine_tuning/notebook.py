# %% [markdown]
# # 14 Fine-tuning
#
# ![Four rows of blocks, each row one network from stem to classifier. Linear probe: all blocks are locked, only the
# new classifier is trained. A few layers: the first thirteen are locked, the last ones are trained. All layers: every
# block is trained, the classifier at a tenth of the learning rate, the others at a hundredth. From scratch: every
# block is trained and none has learned anything before.](pictures/four_ways.png)
#
# *Four ways to use a network on new pictures. Hatched blocks stay as ImageNet made them.*
#
# "You need a lot of data if you want to train or use ConvNets." Lecture E answers with one word: busted. In this
# notebook you take a network that was trained on 1.28 million photographs, cut it open, and use it for a task that
# has sixty pictures. Then you measure the lecture's table of when to train how much, and two ways to spoil it all.
#
# {{card:190}}
#
# Take it in two sittings: pause after Part 3.
#
# **Afterwards you can**
#
# - cut a network at any layer and use what comes out as a description of a picture;
# - train a linear probe, search by example, and judge both without fooling yourself;
# - freeze layers, running statistics included, and give layers learning rates of their own;
# - choose by measurement how much of a network to train.
#
# **You need** [01 From features to functions](../01_features_to_functions/01_features_to_functions.ipynb) for softmax
# and cross-entropy, and [09 Batch normalization](../09_batch_normalization/09_batch_normalization.ipynb) for running
# statistics.
#
# **From the lectures** E (fine-tuning, freezing, the two-by-two table, intermediate outputs), A and D (retrieval with
# AlexNet's features).

# %% setup
import copy
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from convnets import data, plots, timing, training
from convnets.cache import cached
from convnets.checks import open_lesson
from convnets.models.efficientnet_lite0 import EfficientNetLite0, as_sequence, efficientnet_lite0, preprocess

lesson = open_lesson("14_fine_tuning")
check, hint = lesson.check, lesson.hint


def small_network(dtype=torch.float64):
    """Return seven named layers for 2-channel pictures, with weights and running statistics that are not trivial."""
    rng = np.random.default_rng(140)
    layers = OrderedDict(
        stem=nn.Conv2d(2, 3, 3, padding=1),
        block1=nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()),
        block11=nn.Sequential(nn.Conv2d(3, 4, 2), nn.Sequential(nn.BatchNorm2d(4), nn.ReLU())),
        head=nn.Conv2d(4, 5, 1),
        pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        dropout=nn.Dropout(0.5),
        classifier=nn.Linear(5, 3),
    )
    network = nn.Sequential(layers).to(dtype)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                drawn = rng.uniform(0.2, 1.2, tuple(value.shape)) * rng.choice([-1, 1], tuple(value.shape))
                value.copy_(torch.tensor(np.abs(drawn) if name.endswith("running_var") else drawn))
    return network


def small_pictures(n, height=5, width=4, seed=0, dtype=torch.float64):
    """Return n pictures of two channels."""
    return torch.tensor(np.random.default_rng(seed).normal(size=(n, 2, height, width))).to(dtype)


# %% [markdown]
# The setup has two helpers that the tests use: `small_network()` is a network of seven named layers for pictures of
# two channels, `small_pictures(n)` makes such pictures. The real network, EfficientNet-Lite0, is 21 layers in a row:
# `stem`, `block1` to `block16`, `head`, `pool`, `dropout` and `classifier`.
#
# ## Before you begin: a prediction
#
# There are twelve classes of stamps (cut-out photographs of birds, fruit, tools …), and you have five labelled stamps
# of each. A network knows ImageNet.

# %% experiment seconds=5
lesson.predict(
    "five_a_class",
    "Which is right most often on stamps it has not seen? If some are equal within chance, take the cheapest.",
    [
        "The network stays as it is; only a new last layer is trained",
        "The last few layers are trained on, the others stay",
        "All layers are trained on, with the learning rate of the original training",
        "All layers are trained from scratch, so that nothing misleads them",
    ],
)

# %% [markdown]
# # Part 1 · A network cut open
#
# A network is a row of layers. What comes out of layer number 10 describes the picture too, only not yet in the words
# of the 1,000 classes. To get at it, lecture E defines "a new model that only has the first $n$ layers". In Keras
# that is `Model(inputs=model.input, outputs=model.get_layer(layer_name).output)`; here the network is an
# `nn.Sequential` whose layers have names, and you write it yourself.
#
# ## {{exercise:cut_at_layer}}
#
# `layers.named_children()` gives the pairs (name, layer) in their order, and `nn.Sequential(OrderedDict(pairs))`
# makes a network of some of them (`OrderedDict` stands in the setup). The new network must **share** its layers with
# the old one, so do not copy them: what is trained in one is then trained in both. The old network stays whole.


# %% exercise="cut_at_layer" difficulty=1 minutes=8
def cut_at_layer(layers, name):
    """Return the network up to and including a layer.

    Parameters
    ----------
    layers : nn.Sequential
        Named layers. Stays as it is.
    name : str
        Name of the last layer to keep.

    Returns
    -------
    nn.Sequential
        The same layers under the same names, sharing their weights.

    Raises
    ------
    ValueError
        If no layer has exactly this name.
    """
    ### BEGIN SOLUTION
    kept = OrderedDict()
    for own_name, layer in layers.named_children():
        kept[own_name] = layer
        if own_name == name:
            return nn.Sequential(kept)
    raise ValueError(f"there is no layer {name!r}; the layers are {', '.join(kept)}")
    ### END SOLUTION


# %% tests="cut_at_layer" points=1
def output_of_cut(name):
    """network = small_network().eval(); cut_at_layer(network, name)(two pictures)"""
    network = small_network().eval()
    return cut_at_layer(network, name)(small_pictures(2)).detach().numpy()


def names_of_cut(name):
    """[name of each layer of cut_at_layer(small_network(), name)]"""
    return [own for own, _ in cut_at_layer(small_network(), name).named_children()]


def stepwise(names):
    """Apply the layers one after the other."""
    network, x = small_network().eval(), small_pictures(2)
    with torch.no_grad():
        for name in names:
            x = getattr(network, name)(x)
    return x.numpy()


# The layer that is named belongs to it. "block1" is not "block11".
check(names_of_cut, "head").gives(["stem", "block1", "block11", "head"])
check(output_of_cut, "head").gives(stepwise(["stem", "block1", "block11", "head"]))
check(names_of_cut, "block1").gives(["stem", "block1"])
check(names_of_cut, "block11").gives(["stem", "block1", "block11"])
### BEGIN HIDDEN TESTS
check(output_of_cut, "block1").gives(stepwise(["stem", "block1"]))
check(names_of_cut, "stem").gives(["stem"])
check(names_of_cut, "classifier").gives(["stem", "block1", "block11", "head", "pool", "dropout", "classifier"])
### END HIDDEN TESTS


# %% tests="cut_at_layer" points=1
def names_of_the_old_network(name):
    """network = small_network(); cut_at_layer(network, name); the names of the layers of network"""
    network = small_network()
    cut_at_layer(network, name)
    return [own for own, _ in network.named_children()]


def after_a_change_of_the_old_network():
    """cut = cut_at_layer(network, "stem"); the weights of network.stem are set to 0, its bias to 1; cut(x).mean()"""
    network = small_network().eval()
    cut = cut_at_layer(network, "stem")
    with torch.no_grad():
        network.stem.weight.zero_()
        network.stem.bias.fill_(1.0)
    return float(cut(small_pictures(1)).detach().mean())


check(names_of_the_old_network, "block1").gives(["stem", "block1", "block11", "head", "pool", "dropout", "classifier"])
check(after_a_change_of_the_old_network).gives(1.0)
# No such layer; a beginning of a name is no name.
check(cut_at_layer, small_network(), "block2").raises(ValueError)
check(cut_at_layer, small_network(), "block").raises(ValueError)
### BEGIN HIDDEN TESTS
check(cut_at_layer, small_network(), "").raises(ValueError)
check(cut_at_layer, small_network(), "Stem").raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:embed}}
#
# What comes out of a cut network is a map of shape $(N, C, H', W')$, or, behind `pool`, a list of numbers $(N, C)$.
# An **embedding** is one vector a picture: of a map, take the mean over its positions,
#
# $$e_{nc} = \frac{1}{H' W'} \sum_{i} \sum_{j} y_{ncij}.$$
#
# Three things have to be right. The network must be in evaluation mode (`layers.eval()`), or batch normalisation uses
# the statistics of the batch, changes its running statistics, and dropout throws dice. PyTorch must not keep anything
# for gradients: `with torch.inference_mode():`. And a thousand pictures at once need too much memory, so they go
# through in batches; the last one may be smaller. A batch of four axes is put into the memory format in which a CPU
# runs this network several times faster by `batch.contiguous(memory_format=torch.channels_last)`.


# %% exercise="embed" difficulty=2 minutes=14
def embed(layers, x, batch_size=32):
    """Return what a network says about pictures, one vector each.

    Parameters
    ----------
    layers : nn.Module
        Gives (B, C, H', W') or (B, C). It is put into evaluation mode and stays in it; nothing else changes.
    x : Tensor, shape (N, C_in, H, W), N at least 1
    batch_size : int
        Pictures that go through at once, B, at least 1.

    Returns
    -------
    ndarray, shape (N, C)
        Of the dtype of what the network gives: maps averaged over their positions, vectors as they are.

    Raises
    ------
    ValueError
        If batch_size is less than 1.
    """
    ### BEGIN SOLUTION
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    layers.eval()
    vectors = []
    with torch.inference_mode():
        for start in range(0, len(x), batch_size):
            batch = x[start : start + batch_size].contiguous(memory_format=torch.channels_last)
            y = layers(batch)
            vectors.append((y.mean(dim=(2, 3)) if y.ndim == 4 else y).numpy())
    return np.concatenate(vectors)
    ### END SOLUTION


# %% tests="embed" points=1
def one_channel_maps():
    """Two pictures of 2 × 3 pixels through a 1 × 1 convolution with weight 10, in batches of one."""
    layer = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(layer.weight, 10.0)
    return embed(layer, torch.tensor([[[[0.0, 1, 2], [3, 4, 8]]], [[[1.0, 1, 1], [1, 1, 7]]]]), 1)


def embedding(upto, n, batch_size, dtype=torch.float64, height=5, width=4):
    """embed(first layers of small_network(), n pictures, batch_size)"""
    network = nn.Sequential(*list(small_network(dtype))[:upto])
    return embed(network, small_pictures(n, height, width, dtype=dtype), batch_size)


def expected_embedding(upto, n, dtype=torch.float64, height=5, width=4):
    """The same, all pictures at once."""
    network = nn.Sequential(*list(small_network(dtype))[:upto]).eval()
    with torch.no_grad():
        y = network(small_pictures(n, height, width, dtype=dtype)).numpy()
    return y.sum(axis=(2, 3)) / (y.shape[2] * y.shape[3]) if y.ndim == 4 else y


# Means of six pixels, times ten: 18/6 and 12/6.
check(one_channel_maps).gives(np.array([[30.0], [20.0]], np.float32), rtol=1e-5)
# Five pictures in batches of two: the last batch has one. Maps with more rows than columns.
check(embedding, upto=4, n=5, batch_size=2).gives(expected_embedding(4, 5), dtype=np.float64)
# Behind pool there is nothing to average.
check(embedding, upto=5, n=3, batch_size=2).gives(expected_embedding(5, 3))
### BEGIN HIDDEN TESTS
check(embedding, upto=4, n=3, batch_size=32, height=3, width=7).gives(expected_embedding(4, 3, height=3, width=7))
check(embedding, upto=1, n=4, batch_size=4).gives(expected_embedding(1, 4))
check(embedding, upto=7, n=1, batch_size=1).gives(expected_embedding(7, 1))
### END HIDDEN TESTS


# %% tests="embed" points=1
def embedding(upto, n, batch_size, dtype=torch.float64, height=5, width=4):
    """embed(first layers of small_network(), n pictures, batch_size)"""
    network = nn.Sequential(*list(small_network(dtype))[:upto])
    return embed(network, small_pictures(n, height, width, dtype=dtype), batch_size)


def expected_embedding(upto, n, dtype=torch.float64, height=5, width=4):
    """The same, all pictures at once."""
    network = nn.Sequential(*list(small_network(dtype))[:upto]).eval()
    with torch.no_grad():
        y = network(small_pictures(n, height, width, dtype=dtype)).numpy()
    return y.sum(axis=(2, 3)) / (y.shape[2] * y.shape[3]) if y.ndim == 4 else y


def is_an_array():
    """type(embed(...)).__name__"""
    value = embed(small_network(), small_pictures(2))
    return "ndarray" if isinstance(value, np.ndarray) else type(value).__name__


def statistics_afterwards():
    """network in training mode; embed(network, six pictures, 3); the running mean of its first batch normalisation"""
    network = small_network().train()
    embed(network, small_pictures(6), 3)
    return network.block1[0].running_mean.numpy().copy()


def mode_afterwards():
    """network in training mode; embed(network, ...); network.training"""
    network = small_network().train()
    embed(network, small_pictures(2))
    return network.training


class Witness(nn.Module):
    """Says of each picture how many were in its batch, and whether PyTorch keeps what gradients need (1) or not (0)."""

    def forward(self, x):
        return torch.tensor([[len(x), torch.is_grad_enabled()]] * len(x), dtype=torch.float64)


def batch_size_and_gradients(n, batch_size):
    """embed(a layer that gives [size of the batch, 1 if gradients are enabled else 0] for each picture)"""
    return embed(Witness(), small_pictures(n), batch_size)


# A network fresh from training (dropout and batch normalisation active) is put into evaluation mode.
check(statistics_afterwards).gives(small_network().block1[0].running_mean.numpy())
check(embedding, upto=7, n=4, batch_size=3, dtype=torch.float32).gives(
    expected_embedding(7, 4, torch.float32), rtol=1e-4, atol=1e-5, dtype=np.float32
)
check(is_an_array).gives("ndarray")
# Five pictures go through in batches of 2, 2 and 1, without gradients.
check(batch_size_and_gradients, n=5, batch_size=2).gives(np.array([[2.0, 0], [2, 0], [2, 0], [2, 0], [1, 0]]))
check(embed, small_network(), small_pictures(2), 0).raises(ValueError)
check(mode_afterwards).gives(False)
### BEGIN HIDDEN TESTS
check(embed, small_network(), small_pictures(2), -1).raises(ValueError)
check(embedding, upto=3, n=33, batch_size=16, dtype=torch.float32).gives(
    expected_embedding(3, 33, torch.float32), rtol=1e-4, atol=1e-5, dtype=np.float32
)
### END HIDDEN TESTS

# %% [markdown]
# ### The network, cut at some layers
#
# The photographed cat goes in at 224 × 224 pixels. Look at what becomes of it: fewer and fewer positions, more and
# more channels. The last column counts the parameters up to the cut.

# %% experiment seconds=10
layers = as_sequence(efficientnet_lite0())
cat = preprocess(data.photograph("cat"), training.full_or_fast(224, 64))
print(f"{len(layers)} layers")
print(f"{'cut at':12}{'output':>20}{'embedding':>12}{'parameters':>14}")
with timing.one_thread():
    for name in ("stem", "block3", "block5", "block11", "block16", "head", "pool", "classifier"):
        cut = cut_at_layer(layers, name)
        vector = embed(cut, cat)
        with torch.inference_mode():
            shape = " × ".join(map(str, cut(cat).shape[1:]))
        print(f"{name:12}{shape:>20}{vector.shape!s:>12}{sum(p.numel() for p in cut.parameters()):14,}")

# %% [markdown]
# The mean over the positions of `head` is exactly what `pool` gives: 1,280 numbers, on which ImageNet's classifier of
# 1,000 rows stood. That classifier is all we take away.
#
# # Part 2 · A linear classifier on top
#
# ## {{exercise:linear_probe}}
#
# "Small dataset: feature extractor. Freeze these, train this." A **linear probe** is softmax regression on embeddings
# that stay as they are. With embeddings $f_n$ of $D$ numbers, classes $y_n \in \{0 \dots K-1\}$, a weight matrix $W$
# of shape $(K, D)$ and a bias $b$ of shape $(K,)$:
#
# $$p_n = \operatorname{softmax}(W f_n + b), \qquad
# L = -\frac{1}{N} \sum_{n} \log p_{n, y_n} + \frac{\lambda}{2} \sum_{k,d} W_{kd}^2$$
#
# The penalty $\lambda$ keeps 1,280 weights a class from learning sixty pictures by heart; the bias is not penalised.
# With $t_n$ for the one-hot vector of $y_n$, the gradients are
#
# $$\frac{\partial L}{\partial W} = \frac{1}{N} \sum_n (p_n - t_n)\, f_n^{\top} + \lambda W, \qquad
# \frac{\partial L}{\partial b} = \frac{1}{N} \sum_n (p_n - t_n).$$
#
# Start from zeros and take `steps` steps of gradient descent with all pictures, $W \leftarrow W - \text{lr}\,
# \partial L/\partial W$ and the same for $b$, both gradients at the old values. Subtract each row's maximum before
# `exp`, as in module 01: embeddings can be large.


# %% exercise="linear_probe" difficulty=2 minutes=20
def linear_probe(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    """Train a linear classifier on embeddings.

    Parameters
    ----------
    features : ndarray, shape (N, D)
    labels : ndarray of int, shape (N,)
        Class numbers from 0 to classes − 1; some classes may be missing.
    classes : int
        K.
    lr : float
    steps : int, at least 0
    penalty : float
        λ, at least 0.

    Returns
    -------
    weight : ndarray, shape (K, D)
    bias : ndarray, shape (K,)

    Raises
    ------
    ValueError
        If a label is no class.
    """
    ### BEGIN SOLUTION
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be 0 to {classes - 1}, not {labels.min()} to {labels.max()}")
    weight, bias = np.zeros((classes, features.shape[1])), np.zeros(classes)
    one_hot = np.eye(classes)[labels]
    for _ in range(steps):
        logits = features @ weight.T + bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (powers / powers.sum(axis=1, keepdims=True) - one_hot) / len(features)
        weight -= lr * (error.T @ features + penalty * weight)
        bias -= lr * error.sum(axis=0)
    return weight, bias
    ### END SOLUTION


# %% tests="linear_probe" points=1
def torch_probe(features, labels, classes, lr, steps, penalty):
    """The same descent with gradients from PyTorch."""
    f, y = torch.tensor(features, dtype=torch.float64), torch.tensor(labels)
    weight = torch.zeros(classes, f.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        loss = F.cross_entropy(f @ weight.T + bias, y) + penalty / 2 * weight.square().sum()
        grads = torch.autograd.grad(loss, (weight, bias))
        with torch.no_grad():
            weight -= lr * grads[0]
            bias -= lr * grads[1]
    return weight.detach().numpy(), bias.detach().numpy()


# One step by hand, lr 1.5: from zero every class has p = 1/3. Pictures (1, 2), (4, 0), (5, 7) of classes 0, 1, 1.
by_hand = np.array([[1.0, 2.0], [4.0, 0.0], [5.0, 7.0]]), np.array([0, 1, 1])
one_step = np.array([[-7 / 6, -0.5], [17 / 6, 2.0], [-5 / 3, -1.5]]), np.array([0.0, 0.5, -0.5])
check(linear_probe, *by_hand, 3, lr=1.5, steps=1, penalty=0.0).gives(one_step)
# Seven pictures, four numbers, five classes of which one is missing: a few steps without penalty.
rng = np.random.default_rng(141)
features, labels = rng.normal(size=(7, 4)) + 0.5, np.array([0, 4, 1, 1, 4, 3, 3])
check(linear_probe, features, labels, 5, lr=0.7, steps=4, penalty=0.0).gives(
    torch_probe(features, labels, 5, 0.7, 4, 0.0), rtol=1e-6
)
check(linear_probe, features, labels, 5, steps=0).gives((np.zeros((5, 4)), np.zeros(5)))
### BEGIN HIDDEN TESTS
for n, d, k, lr, steps in [(1, 3, 2, 0.5, 3), (12, 1, 3, 0.2, 20), (5, 9, 4, 1.0, 8)]:
    features, labels = rng.normal(size=(n, d)), rng.integers(0, k, n)
    check(linear_probe, features, labels, k, lr=lr, steps=steps, penalty=0.0).gives(
        torch_probe(features, labels, k, lr, steps, 0.0), rtol=1e-6
    )
### END HIDDEN TESTS


# %% tests="linear_probe" points=1
def torch_probe(features, labels, classes, lr, steps, penalty):
    """The same descent with gradients from PyTorch."""
    f, y = torch.tensor(features, dtype=torch.float64), torch.tensor(labels)
    weight = torch.zeros(classes, f.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        loss = F.cross_entropy(f @ weight.T + bias, y) + penalty / 2 * weight.square().sum()
        grads = torch.autograd.grad(loss, (weight, bias))
        with torch.no_grad():
            weight -= lr * grads[0]
            bias -= lr * grads[1]
    return weight.detach().numpy(), bias.detach().numpy()


# With a penalty, which acts from the second step on, and not on the bias.
rng = np.random.default_rng(142)
features, labels = rng.normal(size=(6, 3)) + 1.0, np.array([2, 2, 0, 1, 2, 0])
check(linear_probe, features, labels, 3, lr=0.5, steps=2, penalty=0.4).gives(
    torch_probe(features, labels, 3, 0.5, 2, 0.4), rtol=1e-6
)
# The default learning rate, penalty and number of steps.
check(linear_probe, features, labels, 3).gives(torch_probe(features, labels, 3, 1.0, 200, 1e-3), rtol=1e-5)
### BEGIN HIDDEN TESTS
check(linear_probe, features, labels, 4, lr=0.1, steps=30, penalty=2.0).gives(
    torch_probe(features, labels, 4, 0.1, 30, 2.0), rtol=1e-6
)
check(linear_probe, features.astype(np.float32), labels, 3, steps=20).gives(
    torch_probe(features.astype(np.float32), labels, 3, 1.0, 20, 1e-3), rtol=1e-3, atol=1e-4
)
### END HIDDEN TESTS

# %% tests="linear_probe" points=1
# Large embeddings: the logits of the second step are in the thousands. Every number stays finite.
large = np.array([[90.0, -20.0], [-70.0, 10.0], [80.0, 60.0]])
check(linear_probe, large, np.array([0, 1, 0]), 2, steps=3).satisfies(
    lambda pair: np.isfinite(pair[0]).all() and np.isfinite(pair[1]).all(), "all weights and biases are finite"
)
# Class −1 and class 2 of two classes do not exist, whatever NumPy makes of an index of −1.
check(linear_probe, large, np.array([0, -1, 1]), 2).raises(ValueError)
check(linear_probe, large, np.array([0, 2, 1]), 2).raises(ValueError)
### BEGIN HIDDEN TESTS
check(linear_probe, large, np.array([5, 1, 0]), 5, steps=0).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### The headline: five pictures a class
#
# There are 206 stamps in twelve classes. Several show the same animal from two sides, so they were split by subject:
# 126 to train on, 80 that no training sees. From the 126 we draw five a class, sixty in all, five times over (some
# classes have no more than five, so these are in every draw). The same linear probe then stands on three kinds of
# vectors: the network's embeddings, the embeddings of the same network with random weights, and the pixels (32 × 32
# of them in colour). All vectors are divided by their length, times ten, so that one learning rate serves all.
#
# The features of 206 stamps at 160 × 160 pixels take some seconds. `cached(function, …)` of the toolkit keeps them on
# your disk, under a name made of the code of the function, the pictures, the weights and the versions of the
# libraries: change one of them and they are computed anew; run the cell again and they come from the disk.


# %% experiment seconds=2 folded=true
def stamps_on(backgrounds=None):
    """Return all stamps as (206, 3, 128, 128) network input, on white or on one background (128, 128, 3) each."""
    stamps = data.stamps()
    alpha = stamps.images[..., 3:] / 255
    below = 255.0 if backgrounds is None else backgrounds
    colours = np.round(stamps.images[..., :3] * alpha + below * (1 - alpha)).astype(np.float32)
    return torch.from_numpy((colours - 127) / 128).permute(0, 3, 1, 2)


def resized(x, size):
    """Return pictures at another size."""
    kind = {"mode": "bilinear", "antialias": size < x.shape[-1]}
    return F.interpolate(x, size=(size, size), **kind).contiguous(memory_format=torch.channels_last)


def features_of(network, x):
    """Return the 1,280 numbers of each picture, kept on disk. The learner's two functions do the work."""
    return cached(embed, cut_at_layer(as_sequence(network).eval(), "pool"), x)


def untrained_network():
    """Return the network with random weights, its running statistics set by one pass over some stamps."""
    torch.manual_seed(0)
    network = EfficientNetLite0().to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain mean of what passes, which is one batch
    with torch.inference_mode():
        network.train()(resized(stamps_on()[::4], training.full_or_fast(96, 32)))
    return network.eval()


def ten_long(vectors):
    """Return vectors of length ten in the same directions."""
    return 10 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def draw_some(labels, allowed, each, rng):
    """Return the indices of some pictures of every class, drawn from those that are allowed."""
    groups = [np.flatnonzero(allowed & (labels == k)) for k in np.unique(labels)]
    return np.concatenate([rng.choice(group, min(each, len(group)), replace=False) for group in groups])


def percent_right(weight, bias, features, labels):
    """Return how many pictures get their class, in percent."""
    return 100 * float(((features @ weight.T + bias).argmax(axis=1) == labels).mean())


def compare_bars(scores, ylabel, alt):
    """Draw the mean of some scores each, with every single one as a point."""
    fig, ax = plots.figure(width=7.2, height=2.6)
    for place, values in enumerate(scores.values()):
        ax.barh(place, np.mean(values), color=plots.PALETTE[place], height=0.55, alpha=0.8)
        ax.plot(values, [place] * len(values), linestyle="", marker=plots.MARKERS[place], color="black", markersize=4)
        ax.text(max(values) + 1.5, place, f"{np.mean(values):.1f}", va="center")
    ax.set_yticks(range(len(scores)), scores)
    ax.invert_yaxis()
    ax.set(xlabel=ylabel, xlim=(0, 100))
    ax.grid(visible=False, axis="y")
    plots.show(fig, alt=f"{alt} " + "; ".join(f"{name} {np.mean(values):.1f} %" for name, values in scores.items()))


# %% experiment seconds=45 covers="118"
stamps = data.stamps()
size = training.full_or_fast(160, 32)
pretrained, white = efficientnet_lite0(), stamps_on()
with timing.one_thread():
    kinds = {
        "ImageNet features": features_of(pretrained, resized(white, size)),
        "random weights": features_of(untrained_network(), resized(white, size)),
        "pixels": resized(white, 32).flatten(1).numpy(),
    }
    five_a_class = {name: [] for name in kinds}
    for draw in range(training.full_or_fast(5, 1)):
        chosen = draw_some(stamps.labels, stamps.is_train, 5, np.random.default_rng(draw))
        for name, vectors in kinds.items():
            f = ten_long(vectors)
            weight, bias = linear_probe(f[chosen], stamps.labels[chosen], 12, lr=0.1)
            right = percent_right(weight, bias, f[~stamps.is_train], stamps.labels[~stamps.is_train])
            five_a_class[name].append(right)
counts, unseen = np.bincount(stamps.labels[stamps.is_train]), np.bincount(stamps.labels[~stamps.is_train])
shared = set(np.array(stamps.subjects)[stamps.is_train]) & set(np.array(stamps.subjects)[~stamps.is_train])
print(f"{len(stamps.labels)} stamps in {len(counts)} classes; subjects in both parts: {len(shared)}")
print(f"to train on: {counts.sum()}, {counts.min()} to {counts.max()} a class, {(counts == 5).sum()} classes with five")
print(f"unseen: {unseen.sum()}, of which the largest class has {100 * unseen.max() / unseen.sum():.0f} %")
for name, values in five_a_class.items():
    print(f"{name:20} {np.mean(values):5.1f} % of 80 unseen stamps, {min(values):.1f} to {max(values):.1f}")
lesson.target(
    "five a class, ImageNet features", float(np.mean(five_a_class["ImageNet features"])), at_least=65, unit="%"
)
lesson.target("five a class, pixels", float(np.mean(five_a_class["pixels"])), at_most=35, unit="%")
compare_bars(
    five_a_class, "unseen stamps right, % (points: single draws of sixty)", "Five stamps a class, linear probe on:"
)

# %% [markdown]
# Guessing the largest class would be right on 15 % of the unseen stamps. Compare the middle bar with the upper one:
# it is the same architecture, so what helps is not that the network is convolutional but what it has learned. "You
# need a lot of data" is true of the 1.28 million pictures that somebody else has labelled.
#
# ### Where to cut?
#
# The deeper the layer, the closer to ImageNet's classes. Is the last one always best? We cut at several layers and
# put a probe on each, for two tasks: stamps, which are photographs, and Fashion-MNIST, small grey pictures of
# clothing, drawn up to 64 × 64 pixels. Both have up to ten training pictures a class.


# %% experiment seconds=2 folded=true
CUTS = ("stem", "block1", "block3", "block5", "block8", "block11", "block13", "block15", "block16", "head")


def embed_at_cuts(network, x):
    """Return the embeddings at all of CUTS side by side, in one pass: each piece continues where the last one ended."""
    named = dict(as_sequence(network).named_children())
    vectors, piece = [], []
    maps = x
    for name, layer in named.items():
        piece.append(layer)
        if name in CUTS:
            with torch.inference_mode():
                batches = [nn.Sequential(*piece).eval()(batch) for batch in maps.split(32)]
            maps, piece = torch.cat(batches), []
            vectors.append(maps.mean(dim=(2, 3)).numpy())
    return np.concatenate(vectors, axis=1)


def split_at_cuts(vectors, network):
    """Return the embeddings of each cut apart."""
    widths = {}
    for name, layer in as_sequence(network).named_children():
        convolutions = [m for m in layer.modules() if isinstance(m, nn.Conv2d)]
        if name in CUTS:
            widths[name] = convolutions[-1].out_channels
    ends = np.cumsum(list(widths.values()))
    return dict(zip(widths, np.split(vectors, ends[:-1], axis=1), strict=True))


def fashion_input(x, size):
    """Return Fashion-MNIST as network input: three equal channels, black background."""
    enlarged = F.interpolate(torch.from_numpy(x), size=(size, size), mode="bilinear")
    return ((enlarged * 255 - 127) / 128).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def draw_depths(curves):
    """Draw the accuracy of a probe at each cut."""
    fig, ax = plots.figure(width=7.2, height=3.1)
    for k, (name, values) in enumerate(curves.items()):
        ax.plot(range(len(CUTS)), values, marker=plots.MARKERS[k], linestyle=plots.LINES[k], label=name)
    ax.set_xticks(range(len(CUTS)), CUTS, rotation=30)
    ax.set(ylabel="unseen pictures right, %", ylim=(0, 100))
    ax.legend(loc="lower right")
    best = "; ".join(f"{name}: best at {CUTS[int(np.argmax(values))]}" for name, values in curves.items())
    plots.show(fig, alt=f"Accuracy of a linear probe at ten depths of the network, for two tasks. {best}.")


# %% experiment seconds=40
stamps = data.stamps()
pretrained = efficientnet_lite0()
fashion = data.fashion_mnist(1_000, training.full_or_fast(500, 50))
tasks = {
    "stamps": (resized(stamps_on(), training.full_or_fast(128, 32)), stamps.labels, stamps.is_train),
    "Fashion-MNIST": (
        fashion_input(np.concatenate([fashion.x_train[:300], fashion.x_test]), training.full_or_fast(64, 32)),
        np.concatenate([fashion.y_train[:300], fashion.y_test]),
        np.arange(300 + len(fashion.x_test)) < 300,
    ),
}
by_depth = {}
with timing.one_thread():
    for name, (x, labels, is_train) in tasks.items():
        at_cuts = split_at_cuts(cached(embed_at_cuts, pretrained, x), pretrained)
        by_depth[name] = []
        for vectors in at_cuts.values():
            f, rights = ten_long(vectors), []
            for draw in range(training.full_or_fast(3, 1)):
                chosen = draw_some(labels, is_train, 10, np.random.default_rng(draw))
                weight, bias = linear_probe(f[chosen], labels[chosen], labels.max() + 1, lr=0.1)
                rights.append(percent_right(weight, bias, f[~is_train], labels[~is_train]))
            by_depth[name].append(float(np.mean(rights)))
        print(f"{name:14}" + "  ".join(f"{cut} {value:.0f}" for cut, value in zip(CUTS, by_depth[name], strict=True)))
draw_depths(by_depth)

# %% [markdown] covers="124"
# Read both curves from left to right. For stamps nearly every block helps, up to the last: their classes are much
# like ImageNet's. For clothing the curve climbs early and is flat from the middle on, and the last blocks add
# little or take something away: what they know, dogs and mushrooms, is of no use there. That is the reason behind the
# lecture's table in Part 5.
#
# # Part 3 · Search by example
#
# Networks were soon used for more than their own classes: the outputs of AlexNet's last hidden layers served as
# features in other vision models, and retrieval with them became, in lecture A's words, the "foundation of many
# papers".
#
# ## {{exercise:nearest}}
#
# A picture as a question: which pictures are like this one? The lectures rank a collection, the **gallery**, "by dot
# product in the embedding layer". A long vector has large products with everything, so it is usual to divide both
# vectors by their lengths, which gives the **cosine similarity**
#
# $$s_{qg} = \frac{e_q \cdot e_g}{\lVert e_q \rVert\, \lVert e_g \rVert}.$$
#
# Queries have the shape $(Q, D)$, the gallery $(G, D)$; the answer has, for each query, the indices of its $k$
# nearest, best first. When the query itself lies in the gallery, it is its own nearest neighbour, and a search that
# finds it has found nothing: the mask `forbidden` of shape $(Q, G)$ takes such pairs out.


# %% exercise="nearest" difficulty=2 minutes=18
def nearest(queries, gallery, k, cosine=True, forbidden=None):
    """Find the k nearest vectors of a gallery.

    Parameters
    ----------
    queries : ndarray, shape (Q, D)
    gallery : ndarray, shape (G, D)
    k : int, at least 1
    cosine : bool
        Rank by cosine similarity; a vector of zeros has similarity 0 to all. Otherwise by the plain dot product.
    forbidden : ndarray of bool, shape (Q, G), or None
        True where a query may not find a vector.

    Returns
    -------
    ndarray of int, shape (Q, k)
        Indices into the gallery, the most similar first; of equals, the smaller index first.

    Raises
    ------
    ValueError
        If k is less than 1, or a query has fewer than k vectors that it may find.
    """
    ### BEGIN SOLUTION
    allowed = np.ones((len(queries), len(gallery)), bool) if forbidden is None else ~np.asarray(forbidden)
    if k < 1 or k > allowed.sum(axis=1).min():
        raise ValueError(f"k must be from 1 to {allowed.sum(axis=1).min()}, not {k}")

    def unit(vectors):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths == 0, 1, lengths)

    similarity = unit(queries) @ unit(gallery).T if cosine else queries @ gallery.T
    return np.argsort(np.where(allowed, -similarity, np.inf), axis=1, kind="stable")[:, :k]
    ### END SOLUTION


# %% tests="nearest" points=1
# Four vectors of the plane and two questions. Vector 3 is long and points elsewhere.
gallery = np.array([[2.0, 0.5], [0.0, 1.0], [1.0, 1.2], [6.0, 9.0]])
queries = np.array([[1.0, 0.0], [0.2, 2.0]])
check(nearest, queries, gallery, 3).gives([[0, 2, 3], [1, 3, 2]])
check(nearest, queries, gallery, 3, cosine=False).gives([[3, 0, 2], [3, 2, 1]])
check(nearest, queries, gallery, 1).gives([[0], [1]])
# Opposite directions are the least similar of all.
check(nearest, np.array([[1.0, 1.0, 0.0]]), np.array([[-3.0, -3.0, 0.0], [0.0, 0.0, 5.0], [0.5, 0.0, 0.0]]), 3).gives(
    [[2, 1, 0]]
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(143)
for q, g, d, k in [(1, 6, 3, 6), (5, 9, 2, 4), (7, 4, 11, 1)]:
    a, b = rng.normal(size=(q, d)) + 0.3, rng.normal(size=(g, d)) * rng.uniform(0.1, 5, (g, 1))
    cosines = torch.cosine_similarity(torch.tensor(a)[:, None], torch.tensor(b)[None], dim=2).numpy()
    check(nearest, a, b, k).gives([sorted(range(g), key=lambda i, row=row: -row[i])[:k] for row in cosines])
    check(nearest, a, b, k, cosine=False).gives(np.argsort(-(a @ b.T), axis=1)[:, :k])
### END HIDDEN TESTS

# %% tests="nearest" points=1
gallery = np.array([[2.0, 0.5], [0.0, 1.0], [1.0, 1.2], [6.0, 9.0]])
# The gallery asks itself: its own vector may not be found. Then also 0 and 2 may not find each other.
itself = np.eye(4, dtype=bool)
check(nearest, gallery, gallery, 2, forbidden=itself).gives([[2, 3], [3, 2], [3, 0], [2, 1]])
relatives = itself.copy()
relatives[0, 2] = relatives[2, 0] = True
check(nearest, gallery, gallery, 2, forbidden=relatives).gives([[3, 1], [3, 2], [3, 1], [2, 1]])
# What is forbidden is never found, also where all the others point away, however long they are.
away = np.array([[-1.0, 0.2], [3.0, 1.0], [-2.0, -3.0]])
check(nearest, np.array([[1.0, 0.0]]), away, 2, forbidden=np.array([[False, True, False]])).gives([[2, 0]])
opposite = np.array([[0.0, 1.0], [-3.0, 0.0]])
check(nearest, np.array([[1.0, 0.0]]), opposite, 1, forbidden=np.array([[True, False]])).gives([[1]])
long = np.array([[-3.0, 0.0], [2.0, 0.0], [-1.0, 0.0]])
second = np.array([[False, True, False]])
check(nearest, np.array([[1.0, 0.0]]), long, 2, cosine=False, forbidden=second).gives([[2, 0]])
# Equals: the smaller index first. A vector of zeros: similarity 0, so before one that points away.
check(nearest, np.array([[1.0, 0.0]]), np.array([[2.0, 1.0], [3.0, 0.0], [5.0, 0.0], [1.0, 0.0]]), 3).gives([[1, 2, 3]])
check(nearest, np.array([[0.0, 3.0]]), np.array([[1.0, -1.0], [0.0, 0.0], [0.0, 2.0]]), 3).gives([[2, 1, 0]])
# Forty vectors of four kinds: still the smaller index first.
ties = np.array([[2.0], [1.0], [3.0], [0.0]] * 10)
check(nearest, np.array([[1.0]]), ties, 12, cosine=False).gives([[2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 0, 4]])
# More than there are; more than are left, for all queries or for two of them; none.
check(nearest, gallery[:2], gallery, 5).raises(ValueError)
check(nearest, gallery, gallery, 4, forbidden=itself).raises(ValueError)
check(nearest, gallery, gallery, 3, forbidden=relatives).raises(ValueError)
check(nearest, gallery, gallery, 0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(nearest, np.zeros((1, 2)), gallery, 4).gives([[0, 1, 2, 3]])
check(nearest, gallery, gallery, 2, cosine=False, forbidden=itself).gives([[3, 2], [3, 2], [3, 0], [2, 0]])
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:precision_at_k}}
#
# A search is judged by the share of right answers among the first $k$: with $c(\cdot)$ for the class and $g_{q1},
# \dots, g_{qk}$ for the answers to query $q$,
#
# $$P@k = \frac{1}{Q\,k} \sum_{q} \sum_{r=1}^{k} \big[\, c(g_{qr}) = c(q) \,\big],$$
#
# where a bracket is 1 if it holds and 0 if not. This is not the top-$k$ accuracy of module 11: there one right answer
# among $k$ is enough, here each of them counts.


# %% exercise="precision_at_k" difficulty=1 minutes=6
def precision_at_k(neighbours, query_labels, gallery_labels):
    """Return the share of neighbours that have the class of their query.

    Parameters
    ----------
    neighbours : ndarray of int, shape (Q, k)
        Indices into the gallery, as `nearest` gives them.
    query_labels : ndarray of int, shape (Q,)
    gallery_labels : ndarray of int, shape (G,)

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If there is not one row of neighbours for each query.
    """
    ### BEGIN SOLUTION
    if len(neighbours) != len(query_labels):
        raise ValueError(f"{len(neighbours)} rows of neighbours for {len(query_labels)} queries")
    return float((gallery_labels[neighbours] == query_labels[:, None]).mean())
    ### END SOLUTION


# %% tests="precision_at_k" points=1
# Two queries of classes 2 and 0 with three answers each: none right, then two right. 2 of 6.
gallery_labels = np.array([0, 2, 0, 1, 1])
check(precision_at_k, np.array([[3, 0, 4], [1, 2, 0]]), np.array([2, 0]), gallery_labels).gives(1 / 3)
# Four queries, two answers each: 2, 0, 0 and 1 right of 8.
answers = np.array([[0, 2], [1, 0], [4, 1], [2, 3]])
check(precision_at_k, answers, np.array([0, 1, 0, 1]), gallery_labels).gives(0.375)
# One row for two queries: NumPy would compare it with both.
check(precision_at_k, np.array([[3, 1, 4]]), np.array([2, 0]), gallery_labels).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(144)
answers, asked, has = rng.integers(0, 30, (9, 4)), rng.integers(0, 3, 9), rng.integers(0, 3, 30)
counted = [has[g] == asked[q] for q in range(9) for g in answers[q]]
check(precision_at_k, answers, asked, has).gives(sum(counted) / 36)
check(precision_at_k, answers[:5, :1], asked[:5], has).gives(sum(counted[:20:4]) / 5)
### END HIDDEN TESTS

# %% [markdown]
# ### Searching the stamps
#
# Every stamp asks all others. There is a trap: some subjects have two stamps or more, and finding the same animal
# again is no feat. The third column forbids stamps of the same subject. The last row puts each stamp on a piece of one
# of five photographs instead of white; the line below it tells how many neighbours have the same *photograph* behind
# them.


# %% experiment seconds=2 folded=true
BACKGROUNDS = ("brick", "grass", "gravel", "coffee", "palace")


def mixed_backgrounds(rng):
    """Return a number of a photograph and a piece of it, (128, 128, 3), for every stamp."""
    which = rng.integers(0, len(BACKGROUNDS), len(data.stamps().labels))
    photographs = [data.photograph(name) for name in BACKGROUNDS]
    pieces = []
    for number in which:
        photograph = photographs[number]
        top, left = (rng.integers(0, side - 127) for side in photograph.shape[:2])
        pieces.append(photograph[top : top + 128, left : left + 128])
    return which, np.stack(pieces).astype(np.float64)


def draw_search(asked, found, right):
    """Draw some stamps, each with the stamps it found."""
    pictures = data.stamps().images
    rows, columns = len(asked), 1 + found.shape[1]
    fig, axes = plots.figure(rows, columns, width=7.6, height=1.18 * rows, squeeze=False)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(True)
    for r, query in enumerate(asked):
        for c, number in enumerate((query, *found[r])):
            ax = axes[r, c]
            ax.imshow(pictures[number])
            good = c == 0 or right[r, c - 1]
            ax.spines[:].set(
                color="#555555" if c == 0 else plots.PALETTE[2 if good else 1],
                linewidth=2.2,
                linestyle="-" if good else (0, (3, 2)),
            )
        axes[r, 0].set_ylabel("asked", fontsize=8)
    count = "; ".join(
        f"{data.stamps().names[query]}: {int(right[r].sum())} of {found.shape[1]}" for r, query in enumerate(asked)
    )
    plots.show(
        fig,
        alt=f"Rows of stamps: the one that asks, then the nearest ones. Neighbours of the right class: {count}. Dashed "
        "frames mark those of another class.",
    )


# %% experiment seconds=45
stamps = data.stamps()
size = training.full_or_fast(160, 32)
pretrained = efficientnet_lite0()
behind, pieces = mixed_backgrounds(np.random.default_rng(0))
white, itself = stamps_on(), np.eye(len(stamps.labels), dtype=bool)
subjects = np.array(stamps.subjects)
same_subject = subjects[:, None] == subjects[None]
with timing.one_thread():
    on_white = features_of(pretrained, resized(white, size))
    on_photographs = features_of(pretrained, resized(stamps_on(pieces), size))
collections = {
    "ImageNet features, cosine": (on_white, True),
    "ImageNet features, dot product": (on_white, False),
    "pixels, cosine": (resized(white, 32).flatten(1).numpy(), True),
    "features on mixed photographs, cosine": (on_photographs, True),
}
retrieval = {}
print(f"{'':38}{'P@1':>7}{'P@5':>7}{'P@5, other subjects only':>27}")
for name, (vectors, cosine) in collections.items():
    figures = []
    for k, forbidden in ((1, itself), (5, itself), (5, same_subject)):
        found = nearest(vectors, vectors, k, cosine, forbidden)
        figures.append(100 * precision_at_k(found, stamps.labels, stamps.labels))
    retrieval[name] = figures
    print(f"{name:38}{figures[0]:7.1f}{figures[1]:7.1f}{figures[2]:27.1f}")
same_photograph = 100 * precision_at_k(nearest(vectors, vectors, 5, True, itself), behind, behind)
by_chance = 100 * float((behind[:, None] == behind)[~itself].mean())
print(f"neighbours on the same photograph: {same_photograph:.1f} %; by chance {by_chance:.1f} %")
lesson.target("retrieval on white, P@5", retrieval["ImageNet features, cosine"][1], at_least=70, unit="%")

asked = np.array([stamps.names.index(name) for name in ("heron_greatblue_flying", "apple_fuji", "guitar_classical")])
found = nearest(on_white[asked], on_white, 6, True, itself[asked])
draw_search(asked, found, stamps.labels[found] == stamps.labels[asked][:, None])

# %% [markdown]
# The network was never told the twelve classes, and still most of a stamp's neighbours share its class. Compare the
# columns: what the forbidden relatives cost is what a careless split would have promised too much. The last line
# shows a weakness that no accuracy on white shows: an embedding describes the whole picture, and the background is a
# part of it.
#
# ### Play: ask with any stamp
#
# Click a stamp, or move with the arrow keys: it asks, and its neighbours appear, ranked by **your** `nearest`. Switch
# to pixels and see what colour alone finds. Switch to the dot product and watch which stamps turn up everywhere.

# %% widget="stamp_search" covers="123"
# alt: All 206 stamps in small; one is chosen, and its eight nearest are shown with class and similarity.
from convnets.widgets import StampSearch

StampSearch(nearest)

# %% [markdown]
# # Part 4 · Training on
#
# "Medium dataset: fine-tuning. More data = retrain more of the network." The first layers stay, the last ones are
# trained on, from where ImageNet left them.
#
# ## {{exercise:freeze}}
#
# In Keras: `for layer in model.layers[:25]: layer.trainable = False`. In PyTorch that line has two meanings, and both
# are needed:
#
# - **weights**: `parameter.requires_grad_(False)`; no gradient is computed and no optimiser moves it;
# - **mode**: `layer.eval()`. A batch normalisation in training mode normalises with the statistics of the batch and
#   moves its running statistics at every forward pass, *whatever `requires_grad` says*: they are no parameters.
#   Dropout is off in evaluation mode, too.
#
# The other layers are trained: `requires_grad_(True)`, also when an earlier call had frozen them, and
# `layer.train()`. With few pictures it pays to keep even their running statistics: with `fix_statistics=True` every
# `nn.BatchNorm2d` in them goes into evaluation mode, however deep it sits in a block (`layer.modules()` finds it);
# its weight and bias are still trained.
#
# Since `network.train()` undoes all modes, `freeze` is called after it, once an epoch.


# %% exercise="freeze" difficulty=2 minutes=20
def freeze(layers, n, fix_statistics=False):
    """Freeze the first n layers and set the others to be trained.

    Parameters
    ----------
    layers : nn.Sequential
        Changed in place.
    n : int, 0 to len(layers)
        How many layers to freeze.
    fix_statistics : bool
        Whether batch normalisations of the other layers keep their running statistics, too.

    Returns
    -------
    int
        How many numbers (not arrays) are trained.

    Raises
    ------
    ValueError
        If n is less than 0 or more than the number of layers.
    """
    ### BEGIN SOLUTION
    if not 0 <= n <= len(layers):
        raise ValueError(f"n must be from 0 to {len(layers)}, not {n}")
    for i, layer in enumerate(layers):
        layer.train(i >= n).requires_grad_(i >= n)
        for module in layer.modules():
            if fix_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
    return sum(p.numel() for p in layers.parameters() if p.requires_grad)
    ### END SOLUTION


# %% tests="freeze" points=1
def trained_parameters(n, first=(), fix_statistics=False):
    """network = small_network().eval(); freeze(network, n), after the calls in first; names of what is trained"""
    network = small_network().eval()
    for number in (*first, n):
        freeze(network, number, fix_statistics)
    return [name for name, p in network.named_parameters() if p.requires_grad]


def count_trained(n):
    """freeze(small_network(), n)"""
    return freeze(small_network(), n)


# The weights. Three layers of seven frozen; the last two with weights are trained. Then all but the classifier.
check(trained_parameters, n=3).gives(["head.weight", "head.bias", "classifier.weight", "classifier.bias"])
check(trained_parameters, n=4).gives(["classifier.weight", "classifier.bias"])
# What was frozen is trained again when fewer layers are to be frozen.
check(trained_parameters, n=6, first=[7]).gives(["classifier.weight", "classifier.bias"])
# head 4·5 + 5, classifier 5·3 + 3; the whole network.
check(count_trained, n=3).gives(43)
check(count_trained, n=0).gives(166)
### BEGIN HIDDEN TESTS
check(trained_parameters, n=7).gives([])
check(count_trained, n=7).gives(0)
check(trained_parameters, n=0).gives([name for name, _ in small_network().named_parameters()])
check(trained_parameters, n=3, first=[1, 4], fix_statistics=True).gives(
    ["head.weight", "head.bias", "classifier.weight", "classifier.bias"]
)
### END HIDDEN TESTS


# %% tests="freeze" points=1
def statistics_after_training_on(n, fix_statistics=False):
    """network.train(); freeze(network, n); network(four pictures): the running mean of each batch normalisation"""
    network = small_network().train()
    freeze(network, n, fix_statistics)
    network(small_pictures(4))
    first, second = network.block1[0], network.block11[1][0]
    return {"block1": first.running_mean.numpy().copy(), "block11": second.running_mean.numpy().copy()}


def expected_statistics(*moving):
    """The running means after one forward pass in which only some of the two batch normalisations are trained."""
    network = small_network().eval()
    parts = {"block1": network.block1[0], "block11": network.block11[1][0]}
    for name, part in parts.items():
        part.train(name in moving)
    with torch.no_grad():
        network(small_pictures(4))
    return {name: part.running_mean.numpy() for name, part in parts.items()}


# The running statistics of frozen layers stay, those of the others move: none, the second, both.
check(statistics_after_training_on, n=3).gives(expected_statistics())
check(statistics_after_training_on, n=2).gives(expected_statistics("block11"))
check(statistics_after_training_on, n=1).gives(expected_statistics("block1", "block11"))
### BEGIN HIDDEN TESTS
check(statistics_after_training_on, n=0).gives(expected_statistics("block1", "block11"))
check(statistics_after_training_on, n=7).gives(expected_statistics())
### END HIDDEN TESTS


# %% tests="freeze" points=1
def modes(n, fix_statistics=False):
    """network.eval(); freeze(network, n, fix_statistics); .training of some of its parts"""
    network = small_network().eval()
    freeze(network, n, fix_statistics)
    norm, relu = network.block11[1]
    parts = {"block1 norm": network.block1[0], "block11 norm": norm, "block11 ReLU": relu, "dropout": network.dropout}
    return {name: bool(part.training) for name, part in parts.items()}


def modes_of(norm1, norm11, relu, dropout):
    """The same dict with these values."""
    return {"block1 norm": norm1, "block11 norm": norm11, "block11 ReLU": relu, "dropout": dropout}


def count_with_fixed_statistics(n):
    """freeze(small_network(), n, True)"""
    return freeze(small_network(), n, True)


# A network comes from a test: what is trained must be in training mode. (True: in training mode.)
check(modes, n=2).gives(modes_of(False, True, True, True))
# Statistics fixed everywhere, also in block11, which has a block inside it; the dropout is not.
check(modes, n=0, fix_statistics=True).gives(modes_of(False, False, True, True))
check(modes, n=2, fix_statistics=True).gives(modes_of(False, False, True, True))
# A frozen dropout is off. With fixed statistics the weights of batch normalisations are trained all the same.
check(modes, n=6).gives(modes_of(False, False, False, False))
check(count_with_fixed_statistics, n=0).gives(166)
# More layers than there are; fewer than none.
check(freeze, small_network(), 8).raises(ValueError)
check(freeze, small_network(), -1).raises(ValueError)
### BEGIN HIDDEN TESTS
check(modes, n=0).gives(modes_of(True, True, True, True))
check(count_with_fixed_statistics, n=2).gives(166 - 63)
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:parameter_groups}}
#
# "Tip: use only ~ 1/10th of the original learning rate in fine-tuning top layer, and ~ 1/100th on intermediate
# layers." An optimiser takes a list of **parameter groups**, each a dict with its parameters and its own rate:
#
# `torch.optim.Adam([{"params": [...], "lr": 3e-4}, {"params": [...], "lr": 3e-5}])`
#
# The **top layer** is the last layer that has parameters; those between it and the frozen ones are intermediate. With
# $n$ frozen layers and the original rate lr, make two groups: the top layer's parameters at lr/10, the intermediate
# ones' at lr/100. Frozen parameters belong to no group. Where no intermediate layer has parameters, there is one
# group only.


# %% exercise="parameter_groups" difficulty=2 minutes=12
def parameter_groups(layers, n, lr):
    """Return the parameters that are trained, with their learning rates.

    Parameters
    ----------
    layers : nn.Sequential
        Stays as it is.
    n : int, at least 0
        How many of the first layers are frozen.
    lr : float
        The learning rate of the original training.

    Returns
    -------
    list of dict
        {"params": parameters, "lr": float}: the top layer first, then all intermediate ones in one group, if any.

    Raises
    ------
    ValueError
        If no layer behind the first n has parameters.
    """
    ### BEGIN SOLUTION
    trained = [list(layer.parameters()) for layer in list(layers)[n:]]
    trained = [parameters for parameters in trained if parameters]
    if not trained:
        raise ValueError(f"nothing is left to train behind layer {n}")
    *between, top = trained
    groups = [{"params": top, "lr": lr / 10}]
    if between:
        groups.append({"params": [p for parameters in between for p in parameters], "lr": lr / 100})
    return groups
    ### END SOLUTION


# %% tests="parameter_groups" points=1
def steps_of_gradient_one(layers, n, lr):
    """torch.optim.SGD(parameter_groups(layers, n, lr)); every gradient is 1; one step: by how much each array moves"""
    optimizer = torch.optim.SGD(parameter_groups(layers, n, lr), lr=1000.0)
    before = {name: p.detach().clone() for name, p in layers.named_parameters()}
    for p in layers.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    return {name: float((before[name] - p.detach()).mean()) for name, p in layers.named_parameters()}


def rates(layers, n, lr):
    """[group["lr"] for group in parameter_groups(layers, n, lr)]"""
    return [group["lr"] for group in parameter_groups(layers, n, lr)]


def trained_afterwards(n):
    """parameter_groups(network, n, 1.0) on small_network(); names of what requires a gradient: all, as before"""
    network = small_network()
    parameter_groups(network, n, 1.0)
    return [name for name, p in network.named_parameters() if p.requires_grad]


# Rate 3: the top moves by 0.3, what lies between by 0.03, what is frozen not at all.
check(steps_of_gradient_one, small_network(), 3, 3.0).gives(
    {
        name: 0.3 if "classifier" in name else 0.03 if "head" in name else 0.0
        for name, _ in small_network().named_parameters()
    },
    rtol=1e-6,
    atol=1e-9,
)
check(rates, small_network(), 0, 2.0).gives([0.2, 0.02])
check(trained_afterwards, 6).gives([name for name, _ in small_network().named_parameters()])
### BEGIN HIDDEN TESTS
check(steps_of_gradient_one, small_network(), 0, 0.5).gives(
    {name: 0.05 if "classifier" in name else 0.005 for name, _ in small_network().named_parameters()}, rtol=1e-6
)
check(steps_of_gradient_one, small_network(), 1, 0.5).gives(
    {
        name: 0.05 if "classifier" in name else 0.0 if "stem" in name else 0.005
        for name, _ in small_network().named_parameters()
    },
    rtol=1e-6,
    atol=1e-9,
)
### END HIDDEN TESTS


# %% tests="parameter_groups" points=1
def steps_of_gradient_one(layers, n, lr):
    """torch.optim.SGD(parameter_groups(layers, n, lr)); every gradient is 1; one step: by how much each array moves"""
    optimizer = torch.optim.SGD(parameter_groups(layers, n, lr), lr=1000.0)
    before = {name: p.detach().clone() for name, p in layers.named_parameters()}
    for p in layers.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    return {name: float((before[name] - p.detach()).mean()) for name, p in layers.named_parameters()}


def rates(layers, n, lr):
    """[group["lr"] for group in parameter_groups(layers, n, lr)]"""
    return [group["lr"] for group in parameter_groups(layers, n, lr)]


def ends_with_a_relu():
    """Two linear layers with a ReLU behind each: the top layer is the last one that has parameters."""
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4), nn.ReLU()).to(torch.float64)


check(steps_of_gradient_one, ends_with_a_relu(), 0, 4.0).gives(
    {"0.weight": 0.04, "0.bias": 0.04, "2.weight": 0.4, "2.bias": 0.4}, rtol=1e-6
)
# Only the top is left, whether its layer is the next one or a ReLU lies before it: one group.
check(steps_of_gradient_one, ends_with_a_relu(), 2, 4.0).gives(
    {"0.weight": 0.0, "0.bias": 0.0, "2.weight": 0.4, "2.bias": 0.4}, rtol=1e-6, atol=1e-9
)
check(rates, ends_with_a_relu(), 2, 4.0).gives([0.4])
check(rates, ends_with_a_relu(), 1, 4.0).gives([0.4])
# Nothing is left to train.
check(parameter_groups, ends_with_a_relu(), 3, 4.0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(parameter_groups, small_network(), 7, 1.0).raises(ValueError)
check(rates, small_network(), 6, 1.0).gives([0.1])
### END HIDDEN TESTS

# %% [markdown]
# ### Two ways to spoil it
#
# All 126 stamps there are to train on (5 to 22 a class), the first thirteen layers frozen, the classifier started from
# the probe. **Statistics**: once only `requires_grad` is switched off and everything runs in training
# mode, once `freeze` does its work, once it also fixes the statistics of the layers that are trained. **Learning
# rate**: the original rate for all, then a tenth, then a hundredth, then the lecture's two groups. The optimiser is
# Adam; its original rate is 0.003. The cell trains six networks for three epochs each, which takes up to 20 seconds.


# %% experiment seconds=2 folded=true
ORIGINAL_LR = 3e-3
FROZEN = 13  # stem and block1 to block12
BATCH = 16
from_imagenet = efficientnet_lite0()


def network_for(classes, probe=None, seed=None):
    """Return the layers for a new task: from ImageNet and a probe (weight, bias), or from scratch with a seed."""
    if seed is None:
        network = copy.deepcopy(from_imagenet)
        network.classifier = nn.Linear(1280, classes)
    else:
        torch.manual_seed(seed)
        network = EfficientNetLite0(classes).to(memory_format=torch.channels_last)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.1  # few steps: 0.01 would leave the statistics where they began
    network.dropout.p = 0.0
    if probe is not None:
        with torch.no_grad():
            network.classifier.weight.copy_(torch.from_numpy(probe[0]))
            network.classifier.bias.copy_(torch.from_numpy(probe[1]))
    return as_sequence(network)


def probe_for(layers, x, labels, classes):
    """Return a probe on the network's own features, its weights for vectors of any length."""
    f = embed(cut_at_layer(layers, "pool"), x)
    scale = 10 / np.linalg.norm(f, axis=1).mean()
    weight, bias = linear_probe(scale * f, labels, classes, lr=0.1)
    return weight * scale, bias


def train_on(layers, x, labels, epochs, groups, set_modes, seed=0):
    """Train with Adam on batches in random order; set_modes() is called before each epoch."""
    optimizer = torch.optim.Adam(groups, fused=True)  # one pass over all weights: the same, faster
    rng, y = np.random.default_rng(seed), torch.from_numpy(labels)
    for _ in range(epochs):
        layers.train()
        set_modes()
        for batch in torch.from_numpy(rng.permutation(len(x))).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(layers(x[batch]), y[batch]).backward()
            optimizer.step()


def behind(layers, n, x):
    """Return the layers from number n on, and what the first n give of x: they are frozen, so once is enough."""
    if n == 0:
        return layers, x
    front = layers[:n].eval()
    with torch.inference_mode():
        maps = torch.cat([front(batch) for batch in x.split(32)])
    return layers[n:], maps.clone()


def right_after(layers, x, labels):
    """Return how many pictures get their class, in percent."""
    return 100 * float((embed(layers, x).argmax(axis=1) == labels).mean())


# %% experiment seconds=60 covers="120 122"
stamps = data.stamps()
pixels = training.full_or_fast(64, 32)
x = resized(stamps_on(), pixels)
train, test = np.flatnonzero(stamps.is_train), np.flatnonzero(~stamps.is_train)
if training.fast_mode():
    train, test = train[::9], test[::9]
y_train, y_test = stamps.labels[train], stamps.labels[test]
epochs = training.full_or_fast(3, 1)


def weights_only(layers):
    """What is often taken for freezing: no gradients for the first layers, and nothing about modes."""
    for layer in list(layers)[:FROZEN]:
        layer.requires_grad_(False)


def after_training(factor=None, fix=True):
    """The accuracy after training on the layers behind the frozen ones, all at lr/factor or at the lecture's rates."""
    layers = network_for(12, probe)
    freeze(layers, FROZEN)
    groups = parameter_groups(layers, FROZEN, ORIGINAL_LR)
    if factor is not None:
        groups = [{**group, "lr": ORIGINAL_LR / factor} for group in groups]
    tail = layers[FROZEN:]
    train_on(tail, seen, y_train, epochs, groups, lambda: freeze(tail, 0, fix))
    return [right_after(tail, unseen, y_test)]


with timing.one_thread():
    tail, seen = behind(network_for(12), FROZEN, x[train])
    _, unseen = behind(network_for(12), FROZEN, x[test])
    probe = probe_for(tail, seen, y_train, 12)
    started_at = right_after(network_for(12, probe)[FROZEN:], unseen, y_test)
    spoiled = {"the probe, where all begin": [started_at]}

    layers = network_for(12, probe)
    groups = parameter_groups(layers, FROZEN, ORIGINAL_LR)
    train_on(layers, x[train], y_train, epochs, groups, lambda: weights_only(layers))
    spoiled["only requires_grad"] = [right_after(layers, x[test], y_test)]
    spoiled["freeze"] = after_training(fix=False)
    spoiled["freeze, fix_statistics=True"] = after_training()
    rated = {f"all at lr{text}": after_training(factor) for text, factor in (("", 1), ("/10", 10), ("/100", 100))}
rated["top lr/10, others lr/100"] = spoiled["freeze, fix_statistics=True"]  # the same run
print(f"{len(train)} stamps to train on, {len(test)} unseen: one of these is {100 / len(test):.2f} points")
momentum = from_imagenet.stem[1].momentum
print(f"Adam, original rate {ORIGINAL_LR}, {epochs} epochs; momentum of the running statistics {momentum}")
compare_bars(spoiled, f"{len(test)} unseen stamps right, %", "Three ways to freeze, and the probe before them:")
compare_bars(rated, f"{len(test)} unseen stamps right, %", "Four choices of learning rates, statistics fixed:")

# %% [markdown]
# Stamps are shown at 64 × 64 pixels here, where the probe is weaker than at 160; one picture more or less is 1.25
# points. In the first figure "only requires_grad" and "freeze" lie below the probe: these networks have been *trained*
# and got worse. With the network's momentum of 0.01 ($\alpha$ in module 09) the running statistics move slowly,
# training normalises with the batch, testing with what is left of ImageNet, and the two no longer fit: in all layers
# with the first, in the last ones with the second. In the second figure compare the rates: the weights of "all at lr"
# have forgotten what made them worth starting from.
#
# ### Play: how deep to freeze
#
# Move the slider: **your** `freeze` and `parameter_groups` say what is trained and at which rate; the toolkit checks
# them. The curves below were measured beforehand, one run each: 60 stamps for five epochs, and 1,000 pictures of
# clothing for two, with 500 unseen. For clothing the curve is flat, 82.8 to 83.6 %, and the probe alone has 83.0 %.
# For stamps it goes from 56.2 % with 9 layers frozen to 50.0 % with 20, and the probe has 52.5 %; but 6 points are
# five stamps of 80, and Part 5 shows by how much two draws of the sixty differ.

# %% widget="freeze_depth"
# alt: The network's 21 layers as bars, frozen ones hatched; a slider sets how many; below, accuracy against depth.
from convnets.widgets import FreezeDepth

FreezeDepth(freeze, parameter_groups)

# %% [markdown]
# # Part 5 · The two-by-two table
#
# Lecture E's advice, as it stands on the slide:
#
# | | very similar dataset | very different dataset |
# | --- | --- | --- |
# | **very little data** | use linear classifier on top layer | you're in trouble … |
# | **quite a lot of data** | fine-tune a few layers | fine-tune a larger number of layers |
#
# For "trouble" the slide has no advice. Begin with the cheapest, a probe, and measure whether more is better.
#
# ## {{exercise:choose_strategy}}
#
# You will measure it. To read a measurement you need a rule that is not taken in by luck: with few pictures, two
# draws of the training set differ by several points, and the best of five numbers is partly the luckiest. The
# **one-standard-error rule** takes the *cheapest* strategy that is not clearly worse than the best. With scores
# $a_{s1}, \dots, a_{sR}$ of strategy $s$ in $R$ repeats, their mean $m_s$, and the strategy $b$ with the highest
# mean,
#
# $$\mathrm{SE}_b = \frac{1}{\sqrt{R}} \sqrt{\frac{1}{R-1} \sum_{r} (a_{br} - m_b)^2}, \qquad
# \text{choose the first } s \text{ with } m_s \ge m_b - \mathrm{SE}_b.$$
#
# The strategies come in the order of their price, the cheapest first. With one repeat there is no spread to be had:
# $\mathrm{SE}_b = 0$. Of equal means, $b$ is the first.


# %% exercise="choose_strategy" difficulty=2 minutes=14
def choose_strategy(scores):
    """Choose the cheapest strategy within one standard error of the best.

    Parameters
    ----------
    scores : dict of str to list of float
        Accuracies in R repeats for each strategy, the cheapest first; R may differ.

    Returns
    -------
    str
        Name of the strategy.

    Raises
    ------
    ValueError
        If there is no strategy, or one without scores.
    """
    ### BEGIN SOLUTION
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError("every strategy needs at least one score")
    means = {name: np.mean(values) for name, values in scores.items()}
    best = max(means, key=means.get)
    repeats = len(scores[best])
    error = np.std(scores[best], ddof=1) / np.sqrt(repeats) if repeats > 1 else 0.0
    return next(name for name, mean in means.items() if mean >= means[best] - error)
    ### END SOLUTION


# %% tests="choose_strategy" points=1
# The best mean is 80; its squared deviations sum to 32, so SE = √(32/4) / √5 = 1.26: at least 78.74 is good enough.
many = {"nothing": [60.0, 61.0], "probe": [50.0, 90.0, 70.0], "noise": [30.0, 30.0], "two": [77.2, 77.4]}
many |= {"near": [78.65], "few": [79.0, 79.1], "all": [76.0, 80.0, 80.0, 80.0, 84.0], "lucky": [95.0, 55.0]}
check(choose_strategy, many).gives("few")
# R − 1, not R: with two repeats SE is 4, and 76.45 is within it.
check(choose_strategy, {"probe": [76.5, 76.4], "few": [77.5, 77.6], "all": [76.0, 84.0]}).gives("probe")
# Far apart: the best wins, although it is the most expensive.
check(choose_strategy, {"probe": [60.0, 62.0], "few": [70.0, 71.0], "all": [90.0, 91.0]}).gives("all")
# The best is the cheapest; dearer ones within its error do not matter.
check(choose_strategy, {"probe": [70.0, 76.0], "few": [71.0, 74.0], "all": [72.9, 72.9]}).gives("probe")
# The spread that counts is that of the best, not of the others; and it shrinks with the number of repeats.
check(choose_strategy, {"probe": [60.0, 98.0], "all": [80.0, 81.0]}).gives("all")
eight = [77.0, 83.0, 77.0, 83.0, 77.0, 83.0, 80.0, 80.0]
check(choose_strategy, {"probe": [78.7], "few": [79.2], "all": eight}).gives("few")
### BEGIN HIDDEN TESTS
check(choose_strategy, {"a": [8.0, 8.0], "b": [9.0, 11.0], "c": [3.0, 17.0]}).gives("b")
check(choose_strategy, {"a": [9.1, 9.1], "b": [9.0, 11.0]}).gives("a")
### END HIDDEN TESTS

# %% tests="choose_strategy" points=1
# One repeat: the best of them, the first of equals. Repeats may differ in number.
check(choose_strategy, {"probe": [64.0], "few": [65.0], "all": [64.9]}).gives("few")
check(choose_strategy, {"probe": [64.0], "few": [66.0], "all": [66.0]}).gives("few")
# The worst is not chosen for its price alone, and one lucky draw does not make a best mean.
check(choose_strategy, {"scratch": [10.0, 30.0], "probe": [50.0, 50.0, 50.0], "all": [95.0, 4.0]}).gives("probe")
check(choose_strategy, {"probe": [64.0, 66.0, 64.4], "few": [65.0]}).gives("few")
# Of equal means the first is b: its error is 0, that of the other 2.
check(choose_strategy, {"probe": [74.0], "few": [75.0], "all": [73.0, 77.0]}).gives("few")
# The mean counts, not the median.
check(choose_strategy, {"probe": [70.0, 70.0, 40.0], "all": [65.0, 65.0, 65.0]}).gives("all")
check(choose_strategy, {}).raises(ValueError)
check(choose_strategy, {"probe": [], "few": [65.0]}).raises(ValueError)
### BEGIN HIDDEN TESTS
check(choose_strategy, {"few": [65.0, 66.0], "probe": []}).raises(ValueError)
check(choose_strategy, {"only": [1.0]}).gives("only")
### END HIDDEN TESTS

# %% [markdown]
# ### Little data
#
# Four strategies, cheapest first: the probe; a few layers (13 frozen); all layers with the lecture's rates; all
# layers from scratch at the original rate. Similar data are stamps, different data Fashion-MNIST, five pictures a
# class of each, drawn anew for each repeat, shown at 64 × 64 pixels. All begin with the probe, except the last, which
# is trained once: its place is not in doubt. Running statistics are fixed, except from scratch. Stamps are trained for
# five epochs, clothing for two; 80 stamps and 300 pictures of clothing are unseen.
#
# The choice is made by the accuracy on the unseen pictures. That is good enough to look at the table; in earnest it
# needs a validation part of the training pictures, or the number that won promises too much. This cell and the next
# take up to half a minute each.


# %% experiment seconds=2 folded=true
def four_strategies(x_train, y_train, x_test, maps_test, y_test, classes, epochs, seed, scratch):
    """Return the accuracy of each strategy after the same number of epochs; maps_test: x_test behind frozen layers."""
    start, maps_train = behind(network_for(classes), FROZEN, x_train)
    probe = probe_for(start, maps_train, y_train, classes)
    found = {"linear probe": right_after(network_for(classes, probe)[FROZEN:], maps_test, y_test)}
    for name, n in (("a few layers", FROZEN), ("all layers", 0)):
        layers = network_for(classes, probe)
        freeze(layers, n)
        groups = parameter_groups(layers, n, ORIGINAL_LR)
        tail, seen, unseen = (layers[n:], maps_train, maps_test) if n else (layers, x_train, x_test)
        train_on(tail, seen, y_train, epochs, groups, lambda tail=tail: freeze(tail, 0, True), seed)
        found[name] = right_after(tail, unseen, y_test)
    if scratch:
        layers = network_for(classes, seed=seed)
        train_on(layers, x_train, y_train, epochs, [{"params": list(layers.parameters()), "lr": ORIGINAL_LR}],
                 lambda: None, seed)  # fmt: skip
        found["from scratch"] = right_after(layers, x_test, y_test)
    return found


def repeated(task, epochs, draws, each):
    """Return each strategy's accuracies for some draws of a training set; only the first is trained from scratch."""
    x, labels, is_train = task
    test, classes = np.flatnonzero(~is_train), int(labels.max()) + 1
    _, maps_test = behind(network_for(classes), FROZEN, x[test])
    scores = {}
    for draw in draws:
        chosen = draw_some(labels, is_train, each, np.random.default_rng(100 + draw))
        found = four_strategies(x[chosen], labels[chosen], x[test], maps_test, labels[test], classes,
                                epochs, draw, draw == 0)  # fmt: skip
        for name, right in found.items():
            scores.setdefault(name, []).append(right)
    return scores


def two_tasks(unseen):
    """Return stamps and Fashion-MNIST, with so many unseen pictures, as (pictures, labels, what may be trained on)."""
    stamps, pixels = data.stamps(), training.full_or_fast(64, 32)
    fashion = data.fashion_mnist(1_000, unseen)
    x = fashion_input(np.concatenate([fashion.x_train, fashion.x_test]), pixels)
    labels = np.concatenate([fashion.y_train, fashion.y_test])
    return {
        "similar": (resized(stamps_on(), pixels), stamps.labels, stamps.is_train),
        "different": (x, labels, np.arange(len(x)) < 1_000),
    }


def print_scores(title, scores):
    """Print means and single scores, and what the rule chooses."""
    print(title)
    for name, values in scores.items():
        print(f"   {name:14}{np.mean(values):6.1f} %   ({', '.join(f'{v:.1f}' for v in values)})")
    print(f"   chosen: {choose_strategy(scores)}")


# %% experiment seconds=60 covers="119"
little, both_tasks = {}, two_tasks(training.full_or_fast(300, 20))
for kind, task in both_tasks.items():
    draws, epochs = range(training.full_or_fast(3, 1)), training.full_or_fast({"similar": 5, "different": 2}[kind], 1)
    with timing.one_thread():
        little[kind] = repeated(task, epochs, draws, training.full_or_fast(5, 1))
    print_scores(f"five a class, {kind} data", little[kind])

# %% [markdown]
# ### Quite a lot of data
#
# All 126 stamps there are to train on, which is not a lot, and 300 pictures of clothing, thirty a class. One run
# each, of three epochs for stamps and two for clothing.

# %% experiment seconds=60 covers="119"
much = {}
for kind, task in both_tasks.items():
    each = training.full_or_fast({"similar": 22, "different": 30}[kind], 1)
    epochs = training.full_or_fast({"similar": 3, "different": 2}[kind], 1)
    with timing.one_thread():
        much[kind] = repeated(task, epochs, range(1), each)
    print_scores(f"quite a lot, {kind} data", much[kind])
share, tested = np.mean(much["different"]["linear probe"]) / 100, training.full_or_fast(300, 20)
two_errors = 200 * np.sqrt(share * (1 - share) / tested)
print(f"two standard errors of the probe on {tested} pictures: {two_errors:.1f} points")


# %% experiment seconds=2 folded=true
def draw_table(table):
    """Draw the four cells of the lecture's table, each with its strategies."""
    fig, axes = plots.figure(2, 2, width=7.8, height=4.6, sharex=True)
    told = []
    for ax, ((amount, kind), scores) in zip(axes.flat, table.items(), strict=True):
        for place, values in enumerate(scores.values()):
            ax.barh(place, np.mean(values), color=plots.PALETTE[place], height=0.6, alpha=0.8)
            ax.plot(values, [place] * len(values), linestyle="", marker=plots.MARKERS[place], color="black", ms=3.5)
            ax.text(max(values) + 2, place, f"{np.mean(values):.0f}", va="center", fontsize=9)
        ax.set_yticks(range(len(scores)), scores)
        ax.invert_yaxis()
        ax.grid(visible=False, axis="y")
        ax.set(xlim=(0, 108))
        ax.set_title(f"{amount}, {kind} · lecture: {LECTURE[amount, kind]}", fontsize=9)
        told.append(f"{amount}, {kind}: " + ", ".join(f"{name} {np.mean(v):.0f}" for name, v in scores.items()))
    for ax in axes[1]:
        ax.set_xlabel("unseen pictures right, %")
    plots.show(fig, alt="The lecture's table, measured, in percent. " + "; ".join(told) + ".")


LECTURE = {
    ("little data", "similar"): "linear probe",
    ("little data", "different"): "trouble",
    ("much data", "similar"): "a few layers",
    ("much data", "different"): "many layers",
}

# %% [markdown]
# ### The table, measured

# %% experiment seconds=10 covers="121"
choose_strategy({"the only one": [1.0]})  # where it is not written yet, that is told before anything else
table = {
    ("little data", "similar"): little["similar"],
    ("little data", "different"): little["different"],
    ("much data", "similar"): much["similar"],
    ("much data", "different"): much["different"],
}
draw_table(table)
mean_of = {place: {name: float(np.mean(v)) for name, v in scores.items()} for place, scores in table.items()}
chosen = {place: choose_strategy(scores) for place, scores in table.items()}
for (amount, kind), name in chosen.items():
    print(f"{amount}, {kind}: lecture {LECTURE[amount, kind]}, one-standard-error rule {name}")
probe_here, rest = mean_of["little data", "similar"]["linear probe"], mean_of["little data", "similar"]
gain = max(rest["a few layers"], rest["all layers"]) - probe_here
spread = max(little["similar"]["linear probe"]) - min(little["similar"]["linear probe"])
within_chance = gain <= spread
lesson.reveal(
    "five_a_class",
    answer=0 if within_chance else 1,
    because=f"The probe alone is right on {probe_here:.1f} %, with a few layers trained on it is "
    f"{rest['a few layers']:.1f} %, with all at a tenth and a hundredth of the rate {rest['all layers']:.1f} %, from "
    f"scratch {rest['from scratch']:.1f} %. Training on changes the mean by {gain:+.1f} points; another draw of "
    f"the sixty stamps changes the probe by up to {spread:.1f}: "
    + ("equal within chance, so the cheapest counts" if within_chance else "more than chance, so it counts")
    + f" (the one-standard-error rule takes: {chosen['little data', 'similar']}). The original learning rate was tried "
    f"in Part 4, with {FROZEN} layers frozen and {len(train)} stamps: {rated['all at lr'][0]:.1f} %, from a probe of "
    f"{started_at:.1f} %.",
)

# %% [markdown]
# Read the figure row by row, the single draws (points) before the means. With little data the three upper bars lie no
# further apart than two draws do, so the rule takes the cheapest: fifty or sixty pictures are not enough to say better
# what the features should be. With more data, compare the gain over the probe in the two columns with what chance
# allows: one stamp of 80 is 1.25 points, and for clothing the two standard errors are printed above. One run has no
# error to go by ($\mathrm{SE}_b = 0$), so there the rule takes the best mean, however little it is ahead. The slider's
# curve for 1,000 pictures says the same: freezing more or less is worth less than a point. From scratch is last
# everywhere, by far. "Trouble" is a matter of what one compares with: with fifty pictures of
# clothing the probe is far above chance and clearly below what three hundred give.
#
# ### What became of the claims


# %% experiment seconds=5 folded=true
def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


def told(place, *names):
    """Write the means of some strategies."""
    return ", ".join(f"{name} {mean_of[place][name]:.1f} %" for name in names)


choose_strategy({"the only one": [1.0]})  # as above
features, random_weights, raw = (float(np.mean(values)) for values in five_a_class.values())
spread = max(max(values) - min(values) for scores in little.values() for values in scores.values())
small, different = mean_of["little data", "similar"], mean_of["little data", "different"]
some, many = mean_of["much data", "similar"], mean_of["much data", "different"]
gain_little = max(different["a few layers"], different["all layers"]) - different["linear probe"]
cosine_scores, dot_scores = (retrieval[f"ImageNet features, {kind}"] for kind in ("cosine", "dot product"))
with_all, with_freeze, with_fixed = (spoiled[name][0] for name in list(spoiled)[1:])
full, tenth, hundredth, lecture_rates = (values[0] for values in rated.values())
others = max(full, tenth, hundredth)

plots.claims(
    [
        plots.Claim(
            "you need a lot of data to train or use ConvNets: busted (E)",
            f"five stamps a class: {features:.1f} % with ImageNet's features, {random_weights:.1f} % with random "
            f"weights, {raw:.1f} % from pixels",
            f"linear probe, {len(five_a_class['pixels'])} draws; ImageNet's own 1.28 million labels not counted",
            judged("partly" if features > max(raw, random_weights) + 10 else "does not hold"),
        ),
        plots.Claim(
            "very little data, similar: linear classifier on top (E)",
            told(("little data", "similar"), "linear probe", "a few layers", "all layers"),
            f"60 stamps, 64 px, {len(little['similar']['linear probe'])} draws; two draws differ by up to "
            f"{spread:.1f} points",
            judged(
                "holds"
                if chosen["little data", "similar"] == "linear probe"
                else "partly"
                if small[chosen["little data", "similar"]] - small["linear probe"] <= max(spread, 3.0)
                else "does not hold"
            ),
        ),
        plots.Claim(
            "very little data, different: you're in trouble (E)",
            told(("little data", "different"), "linear probe", "a few layers", "all layers")
            + f"; chance 10 %; 300 pictures: {max(many.values()):.1f} %",
            "50 pictures of clothing, 64 px",
            judged("partly" if different["linear probe"] > 30 and gain_little < 5 else "does not hold"),
        ),
        plots.Claim(
            "quite a lot of data, similar: fine-tune a few layers (E)",
            told(("much data", "similar"), "linear probe", "a few layers", "all layers"),
            "126 stamps are not a lot; one run",
            judged("partly" if some["a few layers"] > some["linear probe"] else "does not hold"),
        ),
        plots.Claim(
            "quite a lot of data, different: fine-tune a larger number of layers (E)",
            told(("much data", "different"), "linear probe", "a few layers", "all layers"),
            "300 pictures of clothing, 64 px; one run",
            judged(
                "holds"
                if many["all layers"] > many["a few layers"] + 2 > many["linear probe"] + 4
                else "partly"
                if max(many["all layers"], many["a few layers"]) > many["linear probe"] + 2
                else "does not hold"
            ),
        ),
        plots.Claim(
            "only 1/10 of the learning rate on top, 1/100 on intermediate layers (E)",
            f"at lr {full:.1f} %, lr/10 {tenth:.1f} %, lr/100 {hundredth:.1f} %, the two groups {lecture_rates:.1f} %",
            "126 stamps, 3 epochs of Adam, lr = 0.003 taken as the original rate; one run, 1.25 points a stamp",
            judged(
                "holds" if lecture_rates > others + 4 else "partly" if lecture_rates > full + 2 else "does not hold"
            ),
        ),
        plots.Claim(
            "to freeze, set layer.trainable = False (E)",
            f"only the weights {with_all:.1f} %, modes too {with_freeze:.1f} %, statistics fixed in all layers "
            f"{with_fixed:.1f} %; the probe before {started_at:.1f} %",
            "13 layers frozen, 126 stamps; in PyTorch: today's Keras also stops the statistics of a frozen layer",
            judged("partly" if with_fixed > with_all + 2 else "holds"),
        ),
        plots.Claim(
            "retrieval: rank by dot product in the embedding layer (A, D)",
            f"P@5 dot product {dot_scores[1]:.1f} %, cosine {cosine_scores[1]:.1f} %; without relatives "
            f"{cosine_scores[2]:.1f} %",
            "206 stamps on white, 160 px",
            judged(
                "holds"
                if dot_scores[1] >= cosine_scores[1] - 1
                else "partly"
                if dot_scores[1] > 50
                else "does not hold"
            ),
        ),
    ]
)

# %% [markdown]
# # In your own words
#
# These two are read by a person.
#
# **A clinic's X-rays (2 points, 0.5 for each part).** A clinic has 300 labelled X-ray pictures from 60 patients, in
# two classes, and asks you for a classifier. (a) Where does this task stand in the two-by-two table, and what do you
# try first? (b) How do you split the 300 pictures, and what would go wrong otherwise? Name the column of a table in
# this notebook that shows it, and by how many points. (c) At which layers would you also try to cut the network, and
# why? (d) How do you decide whether to train more layers, and what must not be used for the decision?

# %% [markdown] answer="clinic" points=2
# ### BEGIN SOLUTION
# (a) Little data and different from photographs: "trouble". First a linear probe on frozen features with a penalty:
# cheap, and in the measured table nothing was clearly better with little data, even for clothing.
#
# (b) By patient: all pictures of a patient on one side. Otherwise the network recognises patients and the accuracy
# promises too much. The stamps were split by subject for the same reason; the last column of the retrieval table
# shows how much P@5 falls when the same subject may not be found: 2.2 points for features on white.
#
# (c) In the middle blocks also, not only at the head: in "Where to cut?" the last blocks help for photographs and add
# little or harm for the different data, because they are made for ImageNet's classes.
#
# (d) By several repeats (draws, or cross-validation folds by patient) of each strategy on held-out pictures of the
# training side, and the one-standard-error rule. The test set must not be used: its best number would be partly luck.
#
# **Rubric:** 0.5 for each part. (a) little and different, probe (or another frozen-feature method) first; (b) by
# patient with the reason, and the retrieval column with its points; (c) earlier layers with the reason; (d) validation
# with repeats, not the test set.
# ### END SOLUTION

# %% [markdown]
# **Frozen and still moving (1 point, 0.5 for each part).** A colleague sets `requires_grad_(False)` for all
# parameters of the network but the classifier, calls `network.train()`, trains for an hour and finds that the
# *frozen* part gives other embeddings than before. (a) What has changed, and by what? (b) Why may accuracy on unseen
# pictures fall although no frozen weight has moved?

# %% [markdown] answer="still_moving" points=1
# ### BEGIN SOLUTION
# (a) The running means and variances of the batch normalisations. They are no parameters, so `requires_grad` does not
# concern them: every forward pass in training mode moves them by α towards the statistics of the batch.
#
# (b) In training the classifier saw features normalised with the statistics of each batch; in testing they are
# normalised with running statistics that lie somewhere between ImageNet's and the new ones. The classifier gets other
# inputs than it was trained on.
#
# **Rubric:** 0.5 for running statistics moved by forward passes in training mode; 0.5 for the difference between
# training and testing normalisation (or: weights behind were made for the old statistics).
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. A network cut in front of its classifier turns a picture into a vector; a linear probe on such vectors needs a
#    few pictures a class, and their nearest neighbours make a search engine.
# 2. Freezing has two parts, weights and running statistics; layers that are trained on get a tenth or a hundredth of
#    the learning rate, or they forget.
# 3. The lecture's rule: the more data, and the more different, the more layers are worth training. How many is
#    measured, with repeats, and the cheapest within one standard error is taken.
#
# **Can you explain …**
#
# - why an embedding from `pool` is a mean over positions, and what is lost by it?
# - why retrieval on the dot product prefers long vectors?
# - what `requires_grad_(False)` does not stop?
# - why the layers in front, which are the most general, get the smallest learning rate?
# - why the best of four accuracies on a test set promises too much?
#
# **Three readings**
#
# - J. Yosinski, J. Clune, Y. Bengio, H. Lipson, *How transferable are features in deep neural networks?*,
#   arXiv:1411.1792: layer by layer, general to specific, what you saw in "Where to cut?".
# - S. Kornblith, J. Shlens, Q. V. Le, *Do better ImageNet models transfer better?*, arXiv:1805.08974: sixteen
#   networks, twelve data sets; probe, fine-tuning and training from scratch.
# - A. Kumar, A. Raghunathan, R. Jones, T. Ma, P. Liang, *Fine-tuning can distort pretrained features and underperform
#   out-of-distribution*, arXiv:2202.10054: why it pays to train the probe first.
#
# Next: 15 Autoencoders and pretraining, where features are learned without labels.
