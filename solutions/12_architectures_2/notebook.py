# %% [markdown]
# # 12 Architectures II: small filters, many paths
#
# ![Three building blocks as boxes joined by arrows from bottom to top. mlpconv: one column of a convolution and two 1 ×
# 1 convolutions. Inception: four columns side by side, which meet in one box that stacks their maps. Residual: a column
# of two convolutions with an arc that goes around them to a plus sign; a ReLU follows.](pictures/three_blocks.png)
#
# *The three blocks of this notebook: NIN's (2013), GoogLeNet's (2014) and ResNet's (2015).*
#
# AlexNet and VGG are one straight line of layers, and most of their weights sit in three of them (notebook 11). Within
# three years the line was bent: small networks took the place of filters, paths ran side by side and met again, and
# input was added to output. You build these blocks, count them, and train the network that asks the question of 2015:
# does it pay to go deeper?
#
# {{card:230}}
#
# Take it in two sittings: pause after Part 3.
#
# **Afterwards you can**
#
# - build an mlpconv layer, an Inception module and a residual block, and say what each is for;
# - say what a 1 × 1 convolution saves, in weights and in multiplications;
# - count a network whose paths split and meet, up to Inception-v4's stem;
# - start a deep network so that its blocks do nothing at first;
# - measure what depth does to training, and judge what a slide says about it.
#
# **You need** [11 Architectures I](../11_counting_the_classics/11_counting_the_classics.ipynb) for weights and
# multiply-accumulates (MACs), [09 Batch normalization](../09_batch_normalization/09_batch_normalization.ipynb), and
# classes of PyTorch as in [08](../08_lenet_reads_digits/08_lenet_reads_digits.ipynb).
#
# **From the lectures** A (Inception-v4 as reading), B (NIN, GoogLeNet, ResNet), C (1 × 1 convolutions, GoogLeNet,
# ResNet and why it works), D (trends), E (ResNet and its experiments on CIFAR-10).

# %% setup
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets import data, plots, timing, training
from convnets.checks import open_lesson
from convnets.models import googlenet, nin, resnet, vgg

lesson = open_lesson("12_architectures_2")
check, hint = lesson.check, lesson.hint


def drawn(seed, *shape):
    """Return numbers drawn from a normal distribution, a float64 tensor of this shape."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def count_parameters(model):
    """Return how many numbers a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def conv(filters, kernel, stride=1, padding="valid"):
    """One convolution of a list to be counted; kernel is K or (K_h, K_w), "same" keeps the size at stride 1."""
    sides = (kernel, kernel) if isinstance(kernel, int) else kernel
    around = tuple(side // 2 for side in sides) if padding == "same" else (0, 0)
    return {"kind": "conv", "filters": filters, "kernel": sides, "stride": stride, "padding": around}


def pool(kernel, stride, padding=0):
    """One pooling of a list to be counted."""
    return {"kind": "pool", "kernel": (kernel, kernel), "stride": stride, "padding": (padding, padding)}


def paths(*lists):
    """Paths side by side, each a list of layers; their maps are stacked."""
    return {"kind": "paths", "paths": list(lists)}


# %% [markdown]
# ## Before you begin: a prediction
#
# Take VGG's recipe and make it longer: 3 × 3 convolutions in a straight line, each with batch normalization and ReLU.
# One network has 20 layers, another has 56, otherwise they are alike. Both are trained on the same pictures for the
# same number of steps.

# %% experiment seconds=5
lesson.predict(
    "deeper",
    "Which of them makes fewer errors on the pictures it is trained on?",
    [
        "The one with 56 layers: it can compute whatever 20 layers can, and more",
        "Both about the same: batch normalization keeps the signals alive at any depth",
        "The one with 20 layers",
    ],
)

# %% [markdown]
# # Part 1 · A network in the network
#
# ## {{exercise:mlpconv}}
#
# A filter is a linear function of the patch it sees, with a ReLU behind it. *Network in network* (NIN) puts a
# multilayer perceptron in its place: at **every position**, the channels that come out go through further fully
# connected layers, with the same weights at every position. With $h_0 = x$ (the maps), for each picture and each
# position:
#
# $$h_1 = \mathrm{relu}(w * x + b), \qquad h_{i+1} = \mathrm{relu}(W_i\,h_i + b_i), \quad i = 1, 2, \dots$$
#
# $w$ is a filter bank of shape $(C_1, C, K, K)$ with $K$ odd, and $x$ gets $\lfloor K/2 \rfloor$ zeros on each side, so
# that maps keep their size $H \times W$. Each $W_i$ is a matrix of shape $(C_{i+1}, C_i)$ that multiplies the $C_i$
# channels of one position. That is a 1 × 1 convolution: "MLP in each pixel's channels" (lecture B).
#
# **By hand,** one position with channels $(3, 1)$, one 1 × 1 filter $(1, -1)$ with bias 0.5 and another $(2, 0.5)$ with
# bias −1: $h_1 = (2.5, 5.5)$. With $W_1 = (1, -2)$ and $b_1 = 9$: $h_2 = \mathrm{relu}(2.5 - 11 + 9) = 0.5$.
#
# The setup has `torch`, `F` (`torch.nn.functional`) and `nn`; `F.conv2d` is yours to use.


# %% exercise="mlpconv" difficulty=1 minutes=15 covers="100"
def mlpconv(x, weight, bias, mlp):
    """Slide a small perceptron over the maps.

    Parameters
    ----------
    x : Tensor, shape (N, C, H, W)
    weight : Tensor, shape (C_1, C, K, K), K odd
    bias : Tensor, shape (C_1,)
    mlp : list of (Tensor, Tensor)
        Matrix (C_out, C_in) and bias (C_out,) of each further layer, in order; may be empty.

    Returns
    -------
    Tensor, shape (N, C_last, H, W)
        After the last ReLU. The dtype is that of x.

    Raises
    ------
    ValueError
        If K is even: then the maps cannot keep their size with the same number of zeros on each side.
    """
    ### BEGIN SOLUTION
    kernel = weight.shape[-1]
    if kernel % 2 == 0:
        raise ValueError(f"the kernel must have an odd side, not {kernel}")
    h = F.relu(F.conv2d(x, weight, bias, padding=kernel // 2))
    for matrix, shift in mlp:
        h = F.relu(F.conv2d(h, matrix[:, :, None, None], shift))
    return h
    ### END SOLUTION


# %% tests="mlpconv" points=1
def dtype_of_the_answer(x, weight, bias, mlp):
    """mlpconv(x, weight, bias, mlp).dtype as text: that of a Tensor begins with torch"""
    return str(mlpconv(x, weight, bias, mlp).dtype)


# One position with channels (3, 1) and three filters: without a further layer, with one, with two.
x = torch.tensor([[[[3.0]], [[1.0]]]])
weight = torch.tensor([[1.0, -1.0], [2.0, 0.5], [-1.0, 1.0]])[:, :, None, None]
bias = torch.tensor([0.5, -1.0, 1.0])
first = (torch.tensor([[1.0, -2.0, 4.0], [-1.0, 1.0, 3.0]]), torch.tensor([0.25, -0.5]))
second = (torch.tensor([[5.0, 2.0]]), torch.tensor([-1.0]))
check(mlpconv, x, weight, bias, []).gives([[[[2.5]], [[5.5]], [[0.0]]]])
check(mlpconv, x, weight, bias, [first]).gives([[[[0.0]], [[2.5]]]], dtype=np.float32)
check(mlpconv, x, weight, bias, [first, second]).gives([[[[4.0]]]])
check(mlpconv, x, weight, bias, [first, (-second[0], second[1])]).gives([[[[0.0]]]])
check(dtype_of_the_answer, x, weight, bias, [first]).gives("torch.float32")
### BEGIN HIDDEN TESTS
check(mlpconv, x.double(), weight.double(), bias.double(), []).gives([[[[2.5]], [[5.5]], [[0.0]]]], dtype=np.float64)
### END HIDDEN TESTS


# %% tests="mlpconv" points=1
def perceptron_everywhere(x, weight, bias, mlp):
    """Compute mlpconv position by position in NumPy: cut out the patch and send it through a perceptron."""
    x, kernel = x.numpy(), weight.shape[-1]
    around = kernel // 2
    padded = np.pad(x, ((0, 0), (0, 0), (around, around), (around, around)))
    layers = [(weight.flatten(1).numpy(), bias.numpy()), *((w.numpy(), b.numpy()) for w, b in mlp)]
    n, _, height, width = x.shape
    out = np.zeros((n, len(layers[-1][1]), height, width))
    for place in np.ndindex(n, height, width):
        picture, i, j = place
        h = padded[picture, :, i : i + kernel, j : j + kernel].ravel()
        for w, b in layers:
            h = np.maximum(w @ h + b, 0)
        out[picture, :, i, j] = h
    return out


# Two pictures of 3 channels, 5 × 4; filters of 3 × 3, a perceptron 4-6-2. Then filters of 5 × 5, then an even kernel.
maps, filters, shifts = drawn(120, 2, 3, 5, 4), drawn(121, 4, 3, 3, 3), drawn(122, 4)
mlp = [(drawn(320, 6, 4), drawn(321, 6)), (drawn(322, 2, 6), drawn(323, 2))]
check(mlpconv, maps, filters, shifts, mlp).gives(perceptron_everywhere(maps, filters, shifts, mlp))
large = drawn(324, 4, 3, 5, 5)
check(mlpconv, maps, large, shifts, []).gives(perceptron_everywhere(maps, large, shifts, []))
check(mlpconv, maps, drawn(127, 4, 3, 2, 2), shifts, mlp).raises(ValueError)
### BEGIN HIDDEN TESTS
square = [(drawn(128, 4, 4), drawn(129, 4))]
check(mlpconv, maps, filters, shifts, square).gives(perceptron_everywhere(maps, filters, shifts, square))
narrow, wide = drawn(130, 1, 1, 2, 6), drawn(131, 4, 1, 5, 5)
check(mlpconv, narrow, wide, shifts, mlp).gives(perceptron_everywhere(narrow, wide, shifts, mlp))
check(mlpconv, narrow, wide, shifts, []).gives(perceptron_everywhere(narrow, wide, shifts, []))
check(mlpconv, drawn(132, 1, 3, 4, 4), drawn(133, 4, 3, 4, 4), shifts, []).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown] covers="100"
# ### What it costs, and a network of nothing else
#
# Lecture B's slide: on maps of 56 × 56 with 128 channels stands a convolution with 256 filters of 5 × 5. To make it
# more capable, put a second 5 × 5 convolution on top, or two 1 × 1 convolutions. The cell counts weights (no biases)
# and MACs.
#
# Then your `mlpconv` becomes the whole of NIN, the network of the paper: three mlpconv layers with pooling in between,
# and **no fully connected layer**. The third gives one map a class, and the mean of each map is its logit (global
# average pooling). The toolkit's `nin.NIN` lends its weights and is the witness.

# %% experiment seconds=10 covers="100"
positions = 56 * 56
costs = {
    "one 5 × 5 layer, 128 → 256": 5 * 5 * 128 * 256,
    "a second 5 × 5 layer, 256 → 256": 5 * 5 * 256 * 256,
    "one 1 × 1 layer, 256 → 256": 256 * 256,
}
for name, weights in costs.items():
    print(f"{name:34}{weights:10,} weights{weights * positions / 1e6:9,.0f} million MACs")
second_layer, one_by_one = list(costs.values())[1:]
saving = second_layer / (2 * one_by_one)
print(f"Two 1 × 1 layers: {2 * one_by_one:,} weights, {saving:.1f} times fewer than a second 5 × 5 layer.")

torch.manual_seed(0)
network = nin.NIN().eval()
pictures = torch.randn(4, 3, 32, 32)


def nin_by_mlpconv(x):
    """Return NIN's logits, computed by your mlpconv with the network's own weights."""
    convolutions = [layer for layer in network if isinstance(layer, nn.Conv2d)]
    pooling = [layer for layer in network if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d)]
    for k in range(3):
        slide, *ones = convolutions[3 * k : 3 * k + 3]
        x = mlpconv(x, slide.weight, slide.bias, [(one.weight[:, :, 0, 0], one.bias) for one in ones])
        x = pooling[k](x) if k < 2 else x
    return x.mean(dim=(2, 3))


with torch.no_grad():
    off = (nin_by_mlpconv(pictures) - network(pictures)).abs().max().item()
print(f"NIN has {count_parameters(network):,} parameters.")
lesson.target("NIN by your mlpconv against the toolkit's", off, at_most=1e-5)
lesson.target("weights of two 1 × 1 layers", 2 * one_by_one, exactly=131_072)

# %% [markdown]
# "Use very little parameters for large model capacity", says the slide about the two 1 × 1 layers. The first half is
# what the printed factor says. That NIN's million parameters are so few has a second reason: the mean over each map has
# none, where VGG-16's three fully connected layers have 124 million.
#
# # Part 2 · Paths side by side
#
# ## {{exercise:InceptionModule}}
#
# Which size should a filter have? GoogLeNet takes several at once and lets the next layer choose. Its **Inception
# module** sends the same maps through four paths and stacks what comes out along the channels:
#
# | path | layers | column of the paper's table |
# | --- | --- | --- |
# | 1 | 1 × 1 convolution | `one` |
# | 2 | 1 × 1 convolution, then 3 × 3 | `three_reduce`, `three` |
# | 3 | 1 × 1 convolution, then 5 × 5 | `five_reduce`, `five` |
# | 4 | max pooling 3 × 3 with stride 1, then 1 × 1 convolution | `pool` |
#
# The columns are numbers of filters. Padding keeps every path at $H \times W$ (for max pooling `padding=1`). Each of
# the **six** convolutions has a bias and a ReLU behind it; pooling has none. The output has
# `one + three + five + pool` channels, in this order.
#
# Your class makes six `nn.Conv2d` with the names `conv1`, `reduce3`, `conv3`, `reduce5`, `conv5` and `conv_pool` in
# `__init__`, and uses them in `forward`. The module that the paper calls 3a is
# `InceptionModule(192, 64, 96, 128, 16, 32, 32)`: 192 channels in, 64 + 128 + 32 + 32 = 256 out.


# %% exercise="InceptionModule" difficulty=2 minutes=22 covers="101"
class InceptionModule(nn.Module):
    """Four paths side by side: (N, c_in, H, W) to (N, one + three + five + pool, H, W).

    Parameters
    ----------
    c_in : int
        Channels that come in.
    one, three_reduce, three, five_reduce, five, pool : int
        Filters of the six convolutions, as in the table above.

    Attributes
    ----------
    conv1, reduce3, conv3, reduce5, conv5, conv_pool : nn.Conv2d
        With biases.
    """

    def __init__(self, c_in, one, three_reduce, three, five_reduce, five, pool):
        super().__init__()
        ### BEGIN SOLUTION
        self.conv1 = nn.Conv2d(c_in, one, 1)
        self.reduce3 = nn.Conv2d(c_in, three_reduce, 1)
        self.conv3 = nn.Conv2d(three_reduce, three, 3, padding=1)
        self.reduce5 = nn.Conv2d(c_in, five_reduce, 1)
        self.conv5 = nn.Conv2d(five_reduce, five, 5, padding=2)
        self.conv_pool = nn.Conv2d(c_in, pool, 1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        maps = [
            self.conv1(x),
            self.conv3(F.relu(self.reduce3(x))),
            self.conv5(F.relu(self.reduce5(x))),
            self.conv_pool(F.max_pool2d(x, 3, stride=1, padding=1)),
        ]
        return F.relu(torch.cat(maps, dim=1))
        ### END SOLUTION


# %% tests="InceptionModule" points=1
def shapes_of_parameters(*columns):
    """{name: shape} of the parameters of InceptionModule(*columns)"""
    return {name: tuple(parameter.shape) for name, parameter in InceptionModule(*columns).named_parameters()}


def shape_of_the_answer(shape, *columns):
    """Shape of InceptionModule(*columns)(x) for x of this shape"""
    return tuple(InceptionModule(*columns)(torch.zeros(shape)).shape)


def six(c_in, one, three_reduce, three, five_reduce, five, pool):
    """Write down the shapes that the table asks for."""
    weights = {
        "conv1": (one, c_in, 1, 1),
        "reduce3": (three_reduce, c_in, 1, 1),
        "conv3": (three, three_reduce, 3, 3),
        "reduce5": (five_reduce, c_in, 1, 1),
        "conv5": (five, five_reduce, 5, 5),
        "conv_pool": (pool, c_in, 1, 1),
    }
    return {f"{name}.weight": shape for name, shape in weights.items()} | {
        f"{name}.bias": shape[:1] for name, shape in weights.items()
    }


# Module 3a, on two pictures of 7 × 5.
check(shapes_of_parameters, 192, 64, 96, 128, 16, 32, 32).gives(six(192, 64, 96, 128, 16, 32, 32))
check(shape_of_the_answer, (2, 192, 7, 5), 192, 64, 96, 128, 16, 32, 32).gives((2, 256, 7, 5))
### BEGIN HIDDEN TESTS
check(shapes_of_parameters, 5, 1, 2, 3, 4, 6, 7).gives(six(5, 1, 2, 3, 4, 6, 7))
check(shape_of_the_answer, (1, 5, 1, 2), 5, 1, 2, 3, 4, 6, 7).gives((1, 17, 1, 2))
### END HIDDEN TESTS


# %% tests="InceptionModule" points=2
def six_parameters(seed, shapes):
    """Draw numbers for parameters of these shapes, by name."""
    return {name: drawn([seed, place], *shapes[name]) for place, name in enumerate(sorted(shapes))}


def answer(x, seed, *columns):
    """module = InceptionModule(*columns).double(); its parameters are set to fixed numbers; module(x)"""
    module = InceptionModule(*columns).double()
    own = dict(module.named_parameters())
    fixed = six_parameters(seed, {name: tuple(parameter.shape) for name, parameter in own.items()})
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(fixed[name])
        return module(x).numpy()


def expected_answer(x, seed, c_in, one, three_reduce, three, five_reduce, five, pool):
    """Compute the four paths with NumPy's shifts and sums alone."""
    weights = {
        "conv1": (one, c_in, 1, 1),
        "reduce3": (three_reduce, c_in, 1, 1),
        "conv3": (three, three_reduce, 3, 3),
        "reduce5": (five_reduce, c_in, 1, 1),
        "conv5": (five, five_reduce, 5, 5),
        "conv_pool": (pool, c_in, 1, 1),
    }
    shapes = {f"{name}.weight": shape for name, shape in weights.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in weights.items()}
    p = {name: tensor.numpy() for name, tensor in six_parameters(seed, shapes).items()}

    def windows(maps, kernel, empty):
        around = kernel // 2
        padded = np.pad(maps, ((0, 0), (0, 0), (around, around), (around, around)), constant_values=empty)
        return np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))

    def rectified(maps, name):
        seen = windows(maps, weights[name][-1], 0.0)
        sums = np.einsum("nchwij,fcij->nfhw", seen, p[f"{name}.weight"]) + p[f"{name}.bias"][:, None, None]
        return np.maximum(sums, 0)

    x = x.numpy()
    largest = windows(x, 3, -np.inf).max(axis=(-2, -1))
    three_path = rectified(rectified(x, "reduce3"), "conv3")
    five_path = rectified(rectified(x, "reduce5"), "conv5")
    return np.concatenate([rectified(x, "conv1"), three_path, five_path, rectified(largest, "conv_pool")], axis=1)


# Two pictures of noise, 6 × 4 with 3 channels; 2 + 5 + 3 + 4 maps come out.
noise = drawn(134, 2, 3, 6, 4)
check(answer, noise, 135, 3, 2, 4, 5, 3, 3, 4).gives(expected_answer(noise, 135, 3, 2, 4, 5, 3, 3, 4))
### BEGIN HIDDEN TESTS
dark = drawn(136, 1, 4, 3, 7) - 3
check(answer, dark, 137, 4, 1, 2, 3, 2, 2, 5).gives(expected_answer(dark, 137, 4, 1, 2, 3, 2, 2, 5))
### END HIDDEN TESTS

# %% [markdown] covers="E16"
# ### How many parameters has GoogLeNet?
#
# "4M, compared to AlexNet with 60M", says lecture B. Nine of your modules, with the columns of the paper's table, plus
# what stands before and after them: the stem (three convolutions) and one fully connected layer from 1,024 means to
# 1,000 logits, which holds the only fully connected weights. `torch.device("meta")` makes shapes without memory.

# %% experiment seconds=10 covers="101 E16"
columns_of = {}
c_in = 192
for name, (one, three, five, pooled) in googlenet.INCEPTION.items():
    columns_of[name] = (c_in, one, *three, *five, pooled)
    c_in = one + three[1] + five[1] + pooled
with torch.device("meta"):
    in_modules = {name: count_parameters(InceptionModule(*columns)) for name, columns in columns_of.items()}
stem = (3 * 64 * 49 + 64) + (64 * 64 + 64) + (64 * 192 * 9 + 192)
head = 1024 * 1000 + 1000
googlenet_parameters = stem + sum(in_modules.values()) + head
print("  ".join(f"{name} {n:,}" for name, n in in_modules.items()))
print(f"stem {stem:,} + nine modules {sum(in_modules.values()):,} + head {head:,} = {googlenet_parameters:,}")
print(
    f"without the head: {googlenet_parameters - head:,}; "
    f"AlexNet's 60,965,224 are {60_965_224 / googlenet_parameters:.1f} times as many as all"
)
lesson.target("parameters of GoogLeNet", googlenet_parameters, exactly=6_998_552)

# %% [markdown]
# Neither the whole network nor the network without its head has 4 million; what the slide counted, it does not say. The
# paper itself has "12× fewer parameters" than AlexNet, which the last printed factor does not confirm either. The claim
# that survives: far fewer than AlexNet, because the average of each map replaces two fully connected layers of 4,096.
#
# ## {{exercise:inception_macs}}
#
# Why the 1 × 1 convolutions before the 3 × 3 and the 5 × 5? Count what they save. A convolution with $F$ filters of
# $K \times K$ on $C$ channels that keeps the size costs $H \cdot W \cdot K^2 \cdot C \cdot F$ MACs; pooling none.
#
# Compare two modules that give the same numbers of maps on the paths with filters:
#
# - **reduced**, the module of the last exercise: 6 convolutions;
# - **naive**: `one` filters of 1 × 1, `three` of 3 × 3 and `five` of 5 × 5, all directly on the `c_in` channels, and
#   pooling *without* a convolution behind it. `three_reduce`, `five_reduce` and `pool` do not matter.
#
# **By hand,** on maps of 2 × 3 with 10 channels, path 2 with `three_reduce` 4 and `three` 5: reduced
# $6 \cdot (10 \cdot 4 + 9 \cdot 4 \cdot 5) = 1{,}320$, naive $6 \cdot 9 \cdot 10 \cdot 5 = 2{,}700$.


# %% exercise="inception_macs" difficulty=1 minutes=12 covers="101"
def inception_macs(height, width, c_in, one, three_reduce, three, five_reduce, five, pool, reduced=True):
    """Count the multiply-accumulates of an Inception module, path by path, for one picture.

    Parameters
    ----------
    height, width : int
        Of the maps.
    c_in, one, three_reduce, three, five_reduce, five, pool : int
        As for `InceptionModule`.
    reduced : bool
        With the 1 × 1 convolutions on paths 2, 3 and 4; otherwise the naive module.

    Returns
    -------
    list of int
        MACs of the four paths: 1 × 1, 3 × 3, 5 × 5, pooling.

    Raises
    ------
    ValueError
        If one of the nine numbers is less than 1.
    """
    ### BEGIN SOLUTION
    if min(height, width, c_in, one, three_reduce, three, five_reduce, five, pool) < 1:
        raise ValueError("sizes and numbers of filters are at least 1")
    if reduced:
        weights = [
            c_in * one,
            c_in * three_reduce + 9 * three_reduce * three,
            c_in * five_reduce + 25 * five_reduce * five,
            c_in * pool,
        ]
    else:
        weights = [c_in * one, 9 * c_in * three, 25 * c_in * five, 0]
    return [height * width * n for n in weights]
    ### END SOLUTION


# %% tests="inception_macs" points=1
# The example by hand with other paths around it, reduced.
check(inception_macs, 2, 3, 10, 7, 4, 5, 2, 3, 8).gives([420, 1320, 1020, 480])
check(inception_macs, 1, 1, 6, 1, 2, 3, 4, 5, 7).gives([6, 66, 524, 42])
check(inception_macs, 0, 3, 10, 7, 4, 5, 2, 3, 8).raises(ValueError)
check(inception_macs, 2, 3, 10, 7, 4, 5, 2, 3, -8).raises(ValueError)
### BEGIN HIDDEN TESTS
check(inception_macs, 2, 3, 10, 7, 0, 5, 2, 3, 8).raises(ValueError)
check(inception_macs, 28, 28, 192, 64, 96, 128, 16, 32, 32).gives(
    [784 * n for n in (192 * 64, 192 * 96 + 9 * 96 * 128, 192 * 16 + 25 * 16 * 32, 192 * 32)]
)
### END HIDDEN TESTS

# %% tests="inception_macs" points=1
# The same two, naive: the reductions change nothing any more.
check(inception_macs, 2, 3, 10, 7, 4, 5, 2, 3, 8, reduced=False).gives([420, 2700, 4500, 0])
check(inception_macs, 1, 1, 6, 1, 2, 3, 4, 5, 7, reduced=False).gives([6, 162, 750, 0])
check(inception_macs, 2, 3, 10, 7, 400, 5, 200, 3, 8, reduced=False).gives([420, 2700, 4500, 0])
check(inception_macs, 2, 3, 10, 7, 4, 5, 0, 3, 8, reduced=False).raises(ValueError)
### BEGIN HIDDEN TESTS
check(inception_macs, 28, 28, 192, 64, 96, 128, 16, 32, 32, False).gives(
    [784 * n for n in (192 * 64, 192 * 9 * 128, 192 * 25 * 32, 0)]
)
### END HIDDEN TESTS


# %% [markdown]
# ### What the reductions save


# %% experiment seconds=1 folded=true
def draw_macs(costs):
    """Draw the MACs of every module, naive beside reduced, split by path."""
    fig, ax = plots.figure(width=8.6, height=3.6)
    labels = ["1 × 1", "3 × 3", "5 × 5", "pooling"]
    hatches = ["", "//", "..", "xx"]
    for k, kind in enumerate(("naive", "reduced")):
        bottom = np.zeros(len(costs))
        for path in range(4):
            heights = np.array([cost[kind][path] for cost in costs.values()]) / 1e6
            x = np.arange(len(costs)) + 0.42 * (k - 0.5)
            ax.bar(
                x,
                heights,
                0.38,
                bottom,
                color=plots.PALETTE[path],
                hatch=hatches[path],
                edgecolor="white",
                label=labels[path] if k else None,
            )
            bottom += heights
    ax.set_xticks(range(len(costs)), costs)
    ax.set_ylabel("million MACs")
    ax.set_title("left bar: naive, right bar: with 1 × 1 reductions")
    ax.legend(title="path")
    ax.set_ylim(0, 1.06 * ax.get_ylim()[1])
    first = {kind: sum(costs["3a"][kind]) / 1e6 for kind in ("naive", "reduced")}
    five_to_three = [cost["naive"][2] / cost["naive"][1] for cost in costs.values()]
    plots.show(
        fig,
        alt="Nine Inception modules with two stacked bars each, naive and reduced. Every reduced bar is the lower one; "
        f"for 3a {first['reduced']:.1f} against {first['naive']:.1f} million MACs. The 3 × 3 path is the largest part "
        "of the reduced bars; in the naive ones the 5 × 5 path is "
        f"{min(five_to_three):.1f} to {max(five_to_three):.1f} times as large as it.",
    )


# %% experiment seconds=10
sides = {"3": 28, "4": 14, "5": 7}
module_macs = {}
for name, columns in columns_of.items():
    side = sides[name[0]]
    module_macs[name] = {
        "naive": inception_macs(side, side, *columns, reduced=False),
        "reduced": inception_macs(side, side, *columns),
    }
draw_macs(module_macs)
total_macs = {kind: sum(sum(costs[kind]) for costs in module_macs.values()) for kind in ("naive", "reduced")}
print(
    f"All nine: {total_macs['naive'] / 1e6:,.0f} million MACs naive, {total_macs['reduced'] / 1e6:,.0f} million reduced"
)
c_in, naive_channels = 192, {}
for name, (_, one, _, three, _, five, _) in columns_of.items():
    c_in = naive_channels[name] = one + three + five + c_in
print("Channels behind naive modules:", ", ".join(f"{name} {n:,}" for name, n in naive_channels.items()))
macs_3a = {kind: round(sum(module_macs["3a"][kind]) / 1e6, 1) for kind in ("naive", "reduced")}
lesson.target("module 3a, naive", macs_3a["naive"], exactly=303.5, unit="million MACs")
lesson.target("module 3a, reduced", macs_3a["reduced"], exactly=128.0, unit="million MACs")

# %% [markdown]
# The naive totals are still flattering: they take GoogLeNet's own channels between the modules. Pooling in a naive
# module hands on **all** its channels, so that their number can only grow from module to module, as the last printed
# line shows. The paper: "leading to a computational blow up
# within a few stages". The 1 × 1 convolution behind
# pooling is a reduction as well.
#
# ## {{exercise:count_paths}}
#
# Lecture A gives Inception-v4 (2016) as reading. Its **stem**, what stands before the first module, has paths that
# split and meet three times, and filters that are not square (7 × 1, then 1 × 7: together they see 7 × 7). To count
# such networks, write a function that walks through a list of layers with the present shape $(C, H, W)$ in hand. The
# setup makes three kinds of entries, plain dicts:
#
# | call | dict |
# | --- | --- |
# | `conv(8, (7, 1), 1, "same")` | `{"kind": "conv", "filters": 8, "kernel": (7, 1), "stride": 1, "padding": (3, 0)}` |
# | `pool(3, 2)` | `{"kind": "pool", "kernel": (3, 3), "stride": 2, "padding": (0, 0)}` |
# | `paths([…], […])` | `{"kind": "paths", "paths": [[…], […]]}` |
#
# Kernel and padding are (vertical, horizontal); the stride is the same in both. For a convolution with $F$ filters
#
# $$H' = \left\lfloor \frac{H + 2 P_h - K_h}{S} \right\rfloor + 1, \quad W' \text{ likewise}, \qquad
# \text{weights} = F\,C\,K_h K_w, \qquad \text{MACs} = \text{weights} \cdot H' W'$$
#
# with sides rounded **down**, as PyTorch does. Pooling changes the sides only. No biases are counted: these networks
# have batch normalization, whose parameters we leave out here. All lists of `paths` begin with the same shape; their
# outputs are stacked along the channels, so **they must agree in $H$ and $W$**; weights and MACs add up. An empty list
# is a path that hands its input on. A path may contain paths.
#
# **By hand,** (2, 9, 6) through `[conv(5, 3)]`: the sides become $9 - 3 + 1 = 7$ and $6 - 3 + 1 = 4$, the weights are
# $5 \cdot 2 \cdot 9 = 90$, the MACs $90 \cdot 28 = 2{,}520$. (2, 5, 4) through `[paths([conv(3, 1)], [])]`: the first
# path gives 3 maps for 6 weights and $6 \cdot 20 = 120$ MACs, the second hands on 2 maps; together (5, 5, 4).


# %% exercise="count_paths" difficulty=3 minutes=30
def count_paths(shape, layers):
    """Count a network whose paths may split and meet.

    Parameters
    ----------
    shape : tuple of int, (C, H, W)
        Of what comes in.
    layers : list of dict
        As `conv`, `pool` and `paths` make them. It stays as it is.

    Returns
    -------
    shape : tuple of int, (C, H, W)
        Of what comes out.
    weights : int
    macs : int
        For one picture.

    Raises
    ------
    ValueError
        If a window is larger than its padded maps, or paths that meet differ in H or W.
    """
    ### BEGIN SOLUTION
    weights = macs = 0
    for layer in layers:
        channels, *sides = shape
        if layer["kind"] == "paths":
            ends = [count_paths(shape, path) for path in layer["paths"]]
            if len({end[0][1:] for end in ends}) > 1:
                raise ValueError(f"paths that meet differ in size: {[end[0] for end in ends]}")
            shape = (sum(end[0][0] for end in ends), *ends[0][0][1:])
            weights += sum(end[1] for end in ends)
            macs += sum(end[2] for end in ends)
            continue
        rooms = [n + 2 * p - k for n, k, p in zip(sides, layer["kernel"], layer["padding"], strict=True)]
        if min(rooms) < 0:
            raise ValueError(f"a window of {layer['kernel']} does not fit on {sides} with padding {layer['padding']}")
        height, width = (room // layer["stride"] + 1 for room in rooms)
        if layer["kind"] == "conv":
            own = layer["filters"] * channels * layer["kernel"][0] * layer["kernel"][1]
            weights += own
            macs += own * height * width
            channels = layer["filters"]
        shape = (channels, height, width)
    return shape, weights, macs
    ### END SOLUTION


# %% tests="count_paths" points=1
# A straight line: two convolutions (the second not square), pooling, nothing at all.
check(count_paths, (2, 9, 6), [conv(5, 3)]).gives(((5, 7, 4), 90, 2520))
check(count_paths, (2, 9, 6), [conv(5, 3), conv(3, (3, 1), stride=2, padding="same")]).gives(((3, 4, 2), 135, 2880))
check(count_paths, (4, 8, 7), [pool(3, 2), conv(6, 1)]).gives(((6, 3, 3), 24, 216))
check(count_paths, (4, 8, 7), [pool(3, 1, padding=1)]).gives(((4, 8, 7), 0, 0))
check(count_paths, (4, 8, 7), []).gives(((4, 8, 7), 0, 0))
# A window as large as its padded maps, or larger than the maps without padding, fits; a larger one does not.
check(count_paths, (1, 3, 3), [conv(2, 3)]).gives(((2, 1, 1), 18, 18))
check(count_paths, (1, 2, 2), [conv(2, 3, padding="same")]).gives(((2, 2, 2), 18, 72))
check(count_paths, (1, 9, 4), [conv(2, (1, 7))]).raises(ValueError)
check(count_paths, (1, 4, 9), [conv(2, (7, 1))]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(count_paths, (3, 5, 4), [pool(5, 1)]).raises(ValueError)
check(count_paths, (3, 12, 10), [conv(4, (1, 7), padding="same"), pool(2, 3)]).gives(((4, 4, 3), 84, 10080))
### END HIDDEN TESTS

# %% tests="count_paths" points=1
# Two paths; two of which one is empty; paths within paths; paths that cannot meet.
small = [conv(3, 3, padding="same")], []
inner = paths([conv(5, (1, 3), padding="same")], [conv(6, (3, 1), padding="same")])
nested = [conv(4, 1), inner], [pool(3, 1, 1)]
check(count_paths, (2, 5, 4), [paths([conv(3, 3, padding="same")], [conv(5, 1)])]).gives(((8, 5, 4), 64, 1280))
check(count_paths, (2, 5, 4), [paths(*small)]).gives(((5, 5, 4), 54, 1080))
check(count_paths, (2, 5, 4), [paths(*small), conv(7, 1)]).gives(((7, 5, 4), 89, 1780))
check(count_paths, (2, 5, 4), [paths(*nested)]).gives(((13, 5, 4), 140, 2800))
check(count_paths, (2, 5, 4), [paths([conv(3, 3)], [])]).raises(ValueError)
check(count_paths, (2, 5, 4), [paths([conv(3, (1, 3))], [conv(3, 1)])]).raises(ValueError)
### BEGIN HIDDEN TESTS
check(count_paths, (2, 5, 4), [paths([conv(3, (3, 1))], [conv(3, 1)])]).raises(ValueError)
check(count_paths, (3, 6, 6), [paths([], [], [conv(1, 1)])]).gives(((7, 6, 6), 3, 108))
module_3a = [
    [conv(64, 1)],
    [conv(96, 1), conv(128, 3, padding="same")],
    [conv(16, 1), conv(32, 5, padding="same")],
    [pool(3, 1, 1), conv(32, 1)],
]
check(count_paths, (192, 28, 28), [paths(*module_3a)]).gives(((256, 28, 28), 163328, 128049152))
### END HIDDEN TESTS

# %% [markdown] covers="101"
# ### Inception-v4: the stem and one block
#
# Figures 3 and 4 of the paper, written down in the cell. In its figures "V" means no padding; all other layers keep
# the size at stride 1. The picture has 299 × 299 pixels. The figures give the shapes 160 × 73 × 73, 192 × 71 × 71 and
# 384 × 35 × 35 behind the three places where paths meet.

# %% experiment seconds=5
first_layers = [conv(32, 3, stride=2), conv(32, 3), conv(64, 3, padding="same")]
stem_parts = [
    [*first_layers, paths([pool(3, 2)], [conv(96, 3, stride=2)])],
    [
        paths(
            [conv(64, 1), conv(96, 3)],
            [conv(64, 1), conv(64, (7, 1), padding="same"), conv(64, (1, 7), padding="same"), conv(96, 3)],
        )
    ],
    [paths([conv(192, 3, stride=2)], [pool(3, 2)])],
]
inception_a = [
    paths(
        [pool(3, 1, 1), conv(96, 1)],
        [conv(96, 1)],
        [conv(64, 1), conv(96, 3, padding="same")],
        [conv(64, 1), conv(96, 3, padding="same"), conv(96, 3, padding="same")],
    )
]
shape, stem_weights, stem_macs, meets = (3, 299, 299), 0, 0, []
for part in stem_parts:
    shape, weights, macs = count_paths(shape, part)
    stem_weights, stem_macs = stem_weights + weights, stem_macs + macs
    meets.append(shape)
    print(f"paths meet at {' × '.join(map(str, shape))}: {weights:,} weights, {macs / 1e6:,.0f} million MACs")
print(f"the stem together: {stem_weights:,} weights, {stem_macs / 1e6:,.0f} million MACs")
block_shape, block_weights, block_macs = count_paths(shape, inception_a)
print(
    f"Inception-A: {' × '.join(map(str, block_shape))}, {block_weights:,} weights, {block_macs / 1e6:,.0f} million MACs"
)
_, square, _ = count_paths((64, 71, 71), [conv(64, 7, padding="same")])
_, crossed, _ = count_paths((64, 71, 71), [conv(64, (7, 1), padding="same"), conv(64, (1, 7), padding="same")])
print(f"7 × 7 on 64 channels: {square:,} weights; 7 × 1 and 1 × 7: {crossed:,}")
lesson.target(
    "meeting points as in the paper's figure",
    sum(
        got == drawn_there
        for got, drawn_there in zip(meets, [(160, 73, 73), (192, 71, 71), (384, 35, 35)], strict=True)
    ),
    exactly=3,
)
lesson.target("weights of the stem", stem_weights, exactly=604_000)
lesson.target("weights of Inception-A", block_weights, exactly=316_416)

# %% [markdown]
# Of the stem's 2,290 million MACs its first two parts take 911 and 972, where the maps are large; most of its weights
# sit in the last part.
# Inception-A hands on as many channels as it gets, so several of them can follow each other: the paper has four. Of the
# ideas in it you know three: 1 × 1 reductions, two 3 × 3 in place of one 5 × 5 (module 07), and one long filter in two
# directions, which the last printed line prices.
#
# # Part 3 · A way around
#
# ## {{exercise:ResidualBlock}}
#
# Lecture E draws two nets. *Plain*: "any two stacked layers". *Residual*: the same two layers, and their input is added
# to their output. With $f(x)$ for what two 3 × 3 convolutions with batch normalization compute:
#
# $$\text{plain: } y = \mathrm{relu}(f(x)), \qquad \text{residual: } y = \mathrm{relu}(f(x) + s(x)), \qquad
# f(x) = \mathrm{BN}_2(w_2 * \mathrm{relu}(\mathrm{BN}_1(w_1 * x)))$$
#
# The **skip** $s$ hands $x$ on as it is where shapes agree. Where a block has stride $S$ in its first convolution or
# more channels out than in, the shapes differ. Then (option A of the paper) $s$ takes every $S$-th row and column, from
# the first on, and fills the new channels, behind the old ones, with zeros: `torch.cat` with a tensor of zeros does it,
# or `F.pad`, whose numbers come in pairs that begin with the *last* axis. So a skip has **no weights**: a plain and a
# residual block have the same parameters. Fewer channels out than in are refused in both.
#
# The last ReLU stands behind the sum: in front of it, $f$ could add to $x$ and never subtract, and the signal would
# only grow from block to block.
#
# Attributes: `conv1` ($c_{in} \to c_{out}$, with the stride) and `conv2` ($c_{out} \to c_{out}$) are `nn.Conv2d` with
# 3 × 3 kernels, padding 1, no bias (batch normalization would take it away again); `bn1` and `bn2` are
# `nn.BatchNorm2d`.
#
# Lecture C writes the second layer as $x^{L+1} = \mathrm{relu}(W^{L+1} x^L + b^{L+1} + x^{L-1})$ (its letter for the
# ReLU is $f$); $x^{L-1}$ is the block's input. If $W$ and $b$ are near zero, $x^{L+1} = \mathrm{relu}(x^{L-1})$.


# %% exercise="ResidualBlock" difficulty=2 minutes=28 covers="102"
class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions, with or without a skip: (N, c_in, H, W) to (N, c_out, ⌈H / stride⌉, ⌈W / stride⌉).

    Parameters
    ----------
    c_in, c_out : int
        Channels in and out.
    stride : int
        Of the first convolution.
    residual : bool
        With the skip; otherwise plain.

    Attributes
    ----------
    conv1, conv2 : nn.Conv2d
        Without bias.
    bn1, bn2 : nn.BatchNorm2d
    residual : bool

    Raises
    ------
    ValueError
        If c_out is less than c_in, residual or plain: this skip can add channels, not drop them.
    """

    def __init__(self, c_in, c_out, stride=1, residual=True):
        super().__init__()
        ### BEGIN SOLUTION
        if c_out < c_in:
            raise ValueError(f"a block cannot go from {c_in} to {c_out} channels")
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.stride, self.residual = stride, residual
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.residual:
            skip = x[:, :, :: self.stride, :: self.stride]
            y = y + F.pad(skip, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(y)
        ### END SOLUTION


# %% tests="ResidualBlock" points=1
def shapes_of_parameters(*args, **options):
    """{name: shape} of the parameters of ResidualBlock(*args, **options)"""
    return {name: tuple(p.shape) for name, p in ResidualBlock(*args, **options).named_parameters()}


def with_silent_convolutions(x, **options):
    """block = ResidualBlock(3, 3, **options); all weights of both convolutions = 0; block(x)"""
    block = ResidualBlock(3, 3, **options)
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            if "conv" in name:
                parameter.zero_()
        return block(x).numpy()


def kinds():
    """ResidualBlock(3, 3).residual, ResidualBlock(3, 3, residual=False).residual"""
    return bool(ResidualBlock(3, 3).residual), bool(ResidualBlock(3, 3, residual=False).residual)


same = {f"{bn}.{what}": (5,) for bn in ("bn1", "bn2") for what in ("weight", "bias")}
shapes = {"conv1.weight": (5, 3, 3, 3), "conv2.weight": (5, 5, 3, 3), **same}
# Parameters, residual and plain, and the attribute that tells them apart. Then lecture C's "W and b near zero": relu(x)
# is left of it, and nothing of a plain one.
check(shapes_of_parameters, 3, 5).gives(shapes)
check(shapes_of_parameters, 3, 5, stride=2, residual=False).gives(shapes)
check(kinds).gives((True, False))
maps = drawn(140, 2, 3, 4, 3).float()
check(with_silent_convolutions, maps).gives(np.maximum(maps.numpy(), 0))
check(with_silent_convolutions, maps, residual=False).gives(np.zeros((2, 3, 4, 3)))
check(ResidualBlock, 4, 3).raises(ValueError)
### BEGIN HIDDEN TESTS
check(shapes_of_parameters, 5, 5, 2).gives({**shapes, "conv1.weight": (5, 5, 3, 3)})
check(ResidualBlock, 2, 1, residual=False).raises(ValueError)
### END HIDDEN TESTS


# %% tests="ResidualBlock" points=1
def block_parameters(seed, shapes):
    """Draw numbers for parameters of these shapes, by name."""
    return {name: drawn([seed, place], *shapes[name]) for place, name in enumerate(sorted(shapes))}


def answer(x, seed, *args, training=True, **options):
    """block = ResidualBlock(*args, **options).double(); its parameters are set to fixed numbers; block(x)"""
    block = ResidualBlock(*args, **options).double().train(training)
    own = dict(block.named_parameters())
    fixed = block_parameters(seed, {name: tuple(parameter.shape) for name, parameter in own.items()})
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(fixed[name])
        return block(x).numpy()


def expected_answer(x, seed, c_in, c_out, stride=1, residual=True, training=True):
    """Compute the block with PyTorch's functions, the skip by hand in NumPy."""
    shapes = {"conv1.weight": (c_out, c_in, 3, 3), "conv2.weight": (c_out, c_out, 3, 3)}
    shapes |= {f"bn{k}.{what}": (c_out,) for k in (1, 2) for what in ("weight", "bias")}
    p = block_parameters(seed, shapes)

    def normalised(maps, k):
        zeros, ones = torch.zeros(c_out, dtype=torch.float64), torch.ones(c_out, dtype=torch.float64)
        return F.batch_norm(maps, zeros, ones, p[f"bn{k}.weight"], p[f"bn{k}.bias"], training=training)

    inner = normalised(F.conv2d(x, p["conv1.weight"], stride=stride, padding=1), 1).clamp(min=0)
    out = normalised(F.conv2d(inner, p["conv2.weight"], padding=1), 2).numpy()
    if residual:
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :c_in, i, j] += x[:, :, stride * i, stride * j].numpy()
    return np.maximum(out, 0)


# The same shape in and out: residual, plain, with the running statistics of evaluation mode. Then stride 2.
maps = drawn(141, 3, 4, 5, 6)
check(answer, maps, 142, 4, 4).gives(expected_answer(maps, 142, 4, 4))
check(answer, maps, 142, 4, 4, residual=False).gives(expected_answer(maps, 142, 4, 4, residual=False))
check(answer, maps, 142, 4, 4, training=False).gives(expected_answer(maps, 142, 4, 4, training=False))
check(answer, maps, 143, 4, 6, stride=2).gives(expected_answer(maps, 143, 4, 6, stride=2))
### BEGIN HIDDEN TESTS
one = drawn(143, 1, 2, 3, 1)
check(answer, one, 144, 2, 2).gives(expected_answer(one, 144, 2, 2))
check(answer, -maps, 145, 4, 4).gives(expected_answer(-maps, 145, 4, 4))
### END HIDDEN TESTS


# %% tests="ResidualBlock" points=1
def path_is_silent(x, *args, **options):
    """block = ResidualBlock(*args, **options); all weights of its second convolution = 0; block(x)"""
    block = ResidualBlock(*args, **options).double()
    with torch.no_grad():
        own = dict(block.named_parameters())
        own["conv2.weight"].zero_()
        return block(x).numpy()


# Only the skip is heard: more channels; stride 2 on 5 × 4 maps; both; more channels with stride 3. Then a plain block.
maps = drawn(146, 2, 3, 5, 4)
rectified = np.maximum(maps.numpy(), 0)
more = np.concatenate([rectified, np.zeros((2, 2, 5, 4))], axis=1)
check(path_is_silent, maps, 3, 5).gives(more)
check(path_is_silent, maps, 3, 3, stride=2).gives(rectified[:, :, ::2, ::2])
check(path_is_silent, maps, 3, 5, stride=2).gives(more[:, :, ::2, ::2])
check(path_is_silent, maps, 3, 5, stride=3).gives(more[:, :, ::3, ::3])
check(path_is_silent, maps, 3, 5, stride=2, residual=False).gives(np.zeros((2, 5, 3, 2)))
### BEGIN HIDDEN TESTS
check(path_is_silent, maps, 3, 4, 3).gives(more[:, :4, ::3, ::3])
line = drawn(147, 1, 1, 7, 1)
check(path_is_silent, line, 1, 1, 2).gives(np.maximum(line.numpy(), 0)[:, :, ::2])
### END HIDDEN TESTS

# %% [markdown]
# ## {{exercise:zero_init_residual}}
#
# "The identity is easy for the residual block to learn" (lecture C). It can even be where learning starts. Batch
# normalization ends with a scale $\alpha$ and a shift $\beta$ for each channel (PyTorch calls them `weight` and `bias`;
# they start at 1 and 0). **Set the scale of the last one in each residual block to 0**: then $f(x) = \beta = 0$, the
# block computes $\mathrm{relu}(s(x))$, and a network of any depth begins as a shallow one. Training turns the blocks on
# (Goyal et al., 2017).
#
# The function gets a whole model. A residual block is any module in it that has a `bn2` **and** whose `residual` is
# true. A plain block must be left alone: it would hand on nothing at all. `model.modules()` goes through all modules
# within modules. Ask each with `hasattr`, not for your class: the checks bring the toolkit's network, whose blocks are
# of another class. Change the numbers in place, inside `torch.no_grad()` or with `nn.init.zeros_`: an optimizer that
# was made before holds this very parameter.


# %% exercise="zero_init_residual" difficulty=1 minutes=14 covers="102"
def zero_init_residual(model):
    """Let every residual block begin as its skip: set the scale of its bn2 to 0, in place.

    Parameters
    ----------
    model : nn.Module
        Blocks may stand anywhere in it. Nothing but the scales of `bn2` of residual blocks is changed, and these can
        still be trained.

    Returns
    -------
    int
        How many blocks were changed.
    """
    ### BEGIN SOLUTION
    blocks = [block for block in model.modules() if hasattr(block, "bn2") and getattr(block, "residual", False)]
    for block in blocks:
        nn.init.zeros_(block.bn2.weight)
    return len(blocks)
    ### END SOLUTION


# %% tests="zero_init_residual" points=1
def after(depth, residual):
    """model = the toolkit's network of this depth, its scales 0.7 and shifts 0.3; n = zero_init_residual(model)"""
    model = resnet.NarrowResNet(depth, residual=residual, width=2)
    resnet.he_init(model, seed=0)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.fill_(0.7)
                module.bias.fill_(0.3)
    own = dict(model.named_parameters())  # taken before the call, as an optimizer would
    count = zero_init_residual(model)
    return {
        "n": count,
        "scales of bn1": sorted({round(float(v), 3) for k, p in own.items() if "bn1.weight" in k for v in p.detach()}),
        "scales of bn2": [round(float(v), 3) for k, p in own.items() if "bn2.weight" in k for v in p.detach()],
        "shifts of bn1": sorted({round(float(v), 3) for k, p in own.items() if "bn1.bias" in k for v in p.detach()}),
        "shifts of bn2": [round(float(v), 3) for k, p in own.items() if "bn2.bias" in k for v in p.detach()],
        "scale of the stem": [round(float(v), 3) for v in own["features.1.weight"].detach()],
        "convolutions that are 0": sum(1 for k, p in own.items() if "conv" in k and not p.abs().sum() > 0),
        "can be trained": all(p.requires_grad for p in own.values()),
    }


untouched = {
    "scales of bn1": [0.7],
    "shifts of bn1": [0.3],
    "scale of the stem": [0.7, 0.7],
    "convolutions that are 0": 0,
    "can be trained": True,
}
# Six blocks of a residual net, with 2, 2, 4, 4, 8 and 8 channels; then a plain one, which stays as it is.
check(after, 14, True).gives({"n": 6, "scales of bn2": [0.0] * 28, "shifts of bn2": [0.3] * 28, **untouched})
check(after, 14, False).gives({"n": 0, "scales of bn2": [0.7] * 28, "shifts of bn2": [0.3] * 28, **untouched})
### BEGIN HIDDEN TESTS
check(after, 20, True).gives({"n": 9, "scales of bn2": [0.0] * 42, "shifts of bn2": [0.3] * 42, **untouched})
### END HIDDEN TESTS

# %% [markdown]
# ### Signals through 27 blocks
#
# Your blocks in a row, 54 convolutions, He initialisation, noise goes in. Three columns: plain blocks, residual blocks,
# and residual blocks after your `zero_init_residual`. Printed is the root of the mean square of what each block puts
# out.

# %% experiment seconds=15
noise = torch.from_numpy(np.random.default_rng(148).normal(size=(16, 8, 14, 14)).astype(np.float32))
sizes = {}
with torch.no_grad():
    for kind in ("plain", "residual", "zero init"):
        chain = nn.Sequential(*(ResidualBlock(8, 8, residual=kind != "plain") for _ in range(27)))
        resnet.he_init(chain, seed=0)
        if kind == "zero init":
            changed = zero_init_residual(chain)
        h, sizes[kind] = noise, []
        for block in chain:
            h = block(h)
            sizes[kind].append(h.square().mean().sqrt().item())
        if kind == "zero init":
            identical = bool((h == noise.clamp(min=0)).all())
print(f"{'block':>6}" + "".join(f"{kind:>12}" for kind in sizes))
for k in (0, 1, 4, 8, 17, 26):
    print(f"{k + 1:6}" + "".join(f"{values[k]:12.2f}" for values in sizes.values()))
print(f"zero init: what comes out is exactly relu(noise): {identical}")
lesson.target("blocks that zero_init_residual changed", changed, exactly=27)

# %% [markdown]
# Batch normalization keeps the plain signal at one size at every depth, so nothing vanishes forwards. The residual
# signal **grows**: each block adds something of fixed size to it, so that its *square* grows by about 1 a block. With
# zero init it stays what it was, to the last bit.
#
# ## {{exercise:bottleneck_parameters}}
#
# From 50 layers on, ResNet's blocks have three convolutions: 1 × 1 from $c_{in}$ down to a quarter of $c_{out}$, 3 × 3
# at this width, 1 × 1 up to $c_{out}$. This **bottleneck** is GoogLeNet's reduction again, with a skip. No convolution
# has a bias; behind each is a batch normalization, which learns a scale and a shift for every channel.
#
# For ImageNet the paper takes option B at skips that change shape: where **the stride is not 1 or $c_{in} \ne
# c_{out}$**, the skip is a 1 × 1 convolution from $c_{in}$ to $c_{out}$ with a batch normalization of its own.
#
# **By hand,** $c_{in} = c_{out} = 8$: $8 \cdot 2 + 9 \cdot 2 \cdot 2 + 2 \cdot 8 = 68$ weights and
# $2 \cdot (2 + 2 + 8) = 24$ scales and shifts, 92 parameters. With stride 2 the skip adds $8 \cdot 8 + 2 \cdot 8 = 80$.


# %% exercise="bottleneck_parameters" difficulty=1 minutes=12 covers="104"
def bottleneck_parameters(c_in, c_out, stride=1):
    """Count what a bottleneck block learns, batch normalization and skip included.

    Parameters
    ----------
    c_in, c_out : int
        Channels in and out; in between a quarter of c_out.
    stride : int
        Of the block.

    Returns
    -------
    int
        Weights, scales and shifts.

    Raises
    ------
    ValueError
        If 4 does not divide c_out.
    """
    ### BEGIN SOLUTION
    narrow, left_over = divmod(c_out, 4)
    if left_over:
        raise ValueError(f"4 does not divide {c_out} channels")
    parameters = c_in * narrow + 9 * narrow**2 + narrow * c_out + 2 * (2 * narrow + c_out)
    if stride != 1 or c_in != c_out:
        parameters += c_in * c_out + 2 * c_out
    return parameters
    ### END SOLUTION


# %% tests="bottleneck_parameters" points=1
# 20 channels; by hand; the paper's 256 (two 3 × 3 layers of this width would have 1,179,648 weights alone); an int.
check(bottleneck_parameters, 20, 20).gives(485)
check(bottleneck_parameters, 8, 8).gives(92)
check(bottleneck_parameters, 256, 256).gives(70400)
check(bottleneck_parameters, 8, 10).raises(ValueError)
check(bottleneck_parameters, 12, 12).satisfies(lambda n: isinstance(n, int | np.integer), "the answer is an int")
### BEGIN HIDDEN TESTS
check(bottleneck_parameters, 2048, 2048).gives(2048 * 512 * 2 + 9 * 512 * 512 + 2 * 3072)
check(bottleneck_parameters, 6, 6).raises(ValueError)
### END HIDDEN TESTS

# %% tests="bottleneck_parameters" points=1
# Skips with weights: more channels; stride 2; both; fewer channels. The first block of ResNet-50 is the last check.
check(bottleneck_parameters, 6, 8).gives(152)
check(bottleneck_parameters, 8, 8, stride=2).gives(172)
check(bottleneck_parameters, 6, 8, stride=2).gives(152)
check(bottleneck_parameters, 16, 8).gives(252)
check(bottleneck_parameters, 64, 256).gives(75008)
### BEGIN HIDDEN TESTS
for args in ((256, 512, 2), (12, 12, 3), (16, 4), (16, 4, 2)):
    block = resnet.Residual(*args, bottleneck=True)
    check(bottleneck_parameters, *args).gives(sum(p.numel() for p in block.parameters()))
### END HIDDEN TESTS

# %% [markdown] covers="104"
# ### ResNet-152: as many parameters as AlexNet
#
# The stem of ResNet is a 7 × 7 convolution with 64 filters and stride 2, its batch normalization, and max pooling with
# stride 2. Four stages of bottleneck blocks follow, with 256, 512, 1,024 and 2,048 channels; the first block of stages
# 2 to 4 has stride 2. At the end: the mean of each map and one fully connected layer.
#
# Lecture E: "at runtime: faster than a VGGNet! (even though it has 8× more layers)". The cell measures one picture
# forward on one thread, with weights that mean nothing, and counts MACs with the toolkit's networks.


# %% experiment seconds=1 folded=true
def macs_of(model, picture):
    """Count the MACs of a network's convolutions and fully connected layers for a picture of this shape."""
    macs = []

    def note(layer, inputs, output):
        each = layer.weight[0].numel()
        macs.append(each * output[0].numel())

    hooks = [layer.register_forward_hook(note) for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    with torch.device("meta"):
        model(torch.empty(2, *picture))
    for hook in hooks:
        hook.remove()
    return sum(macs)


def forward_seconds(model, side):
    """Return the CPU seconds of one picture forward on one thread; the weights are filled with one small number."""
    model = model.to_empty(device="cpu").eval()
    with torch.no_grad(), timing.one_thread():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.fill_(1e-3 if tensor.is_floating_point() else 1)
        x = torch.rand(1, 3, side, side)
        return timing.cpu_ms(lambda: model(x), repeats=2) / 1000


def told_seconds(seconds):
    """Write seconds, or that fast mode measures none."""
    return "no time measured" if np.isnan(seconds) else f"{seconds:.2f} s"


# %% experiment seconds=40
resnet_parameters = {}
for depth in (50, 101, 152):
    total, c_in = 3 * 64 * 49 + 2 * 64, 64
    for stage, blocks in enumerate(resnet.DEPTHS[depth][0]):
        c_out = 256 * 2**stage
        for k in range(blocks):
            total += bottleneck_parameters(c_in, c_out, 2 if stage and not k else 1)
            c_in = c_out
    resnet_parameters[depth] = total + 2048 * 1000 + 1000
    print(f"ResNet-{depth}: {resnet_parameters[depth]:,} parameters, {2049 * 1000:,} of them fully connected")
speed = {}
for name, make in (("VGG-19", lambda: vgg.VGG("E")), ("ResNet-152", lambda: resnet.ResNet(152))):
    with torch.device("meta"):
        model = make()
    speed[name] = macs_of(model, (3, 224, 224)), float("nan") if training.fast_mode() else forward_seconds(model, 224)
    print(f"{name}: {speed[name][0] / 1e9:.1f} · 10⁹ MACs for a picture; on one thread {told_seconds(speed[name][1])}")
with torch.device("meta"):
    behind_stem = tuple(resnet.ResNet(50).stem(torch.empty(1, 3, 224, 224)).shape[1:])
print(f"Behind ResNet's stem, after one convolution and one pooling: {' × '.join(map(str, behind_stem))}")
lesson.target("parameters of ResNet-50", resnet_parameters[50], exactly=25_557_032)
lesson.target("parameters of ResNet-152", resnet_parameters[152], exactly=60_192_808)

# %% [markdown] covers="103"
# Lecture C's "60M parameters" for 152 layers is right, and AlexNet has 61 million in eight. Eight times VGG's layers
# need fewer multiplications because the maps are small early ("spatial dimension only 56 × 56!", lecture C) and the
# layers narrow. Whether fewer multiplications also mean less *time* on this machine is what the two printed seconds
# say.
#
# # Part 4 · Deeper
#
# ## {{exercise:plain_or_residual}}
#
# The paper's experiment on small pictures, the figures that lecture E shows. A network of depth $6n + 2$:
#
# | part | what | channels |
# | --- | --- | --- |
# | stem | 3 × 3 convolution, padding 1, no bias; batch normalization; ReLU | `width` |
# | stage 1 | $n$ of your blocks | `width` |
# | stage 2 | $n$ blocks, the first with stride 2 | 2 `width` |
# | stage 3 | $n$ blocks, the first with stride 2 | 4 `width` |
# | head | mean of each map, one fully connected layer with bias | `classes` |
#
# Each block has two convolutions: $1 + 2 \cdot 3n + 1 = 6n + 2$ layers with weights. All blocks are residual, or all
# are plain. Return an `nn.Sequential` of the parts in order; blocks may stand in it one by one.
# `nn.AdaptiveAvgPool2d(1)` takes the means and `nn.Flatten()` makes (N, C) of (N, C, 1, 1).
#
# With 3 channels and width 16, the paper says 0.27 million parameters for depth 20, 0.46 for 32, 0.66 for 44 and 0.85
# for 56.


# %% exercise="plain_or_residual" difficulty=2 minutes=20 covers="103"
def plain_or_residual(depth, residual=True, width=16, channels=3, classes=10):
    """Make the network for small pictures, plain or residual.

    Parameters
    ----------
    depth : int
        6n + 2 with n at least 1.
    residual : bool
        Whether the blocks have skips.
    width, channels, classes : int
        Channels of the first stage and of the pictures, number of logits.

    Returns
    -------
    nn.Sequential
        Maps (N, channels, H, W) to logits (N, classes).

    Raises
    ------
    ValueError
        If depth is not 6n + 2 with n at least 1.
    """
    ### BEGIN SOLUTION
    blocks, left_over = divmod(depth - 2, 6)
    if blocks < 1 or left_over:
        raise ValueError(f"the depth is 6n + 2 with n at least 1, not {depth}")
    layers = [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    c_in = width
    for c_out in (width, 2 * width, 4 * width):
        for _ in range(blocks):
            layers.append(ResidualBlock(c_in, c_out, 1 if c_in == c_out else 2, residual))
            c_in = c_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes))
    ### END SOLUTION


# %% tests="plain_or_residual" points=1
def parameters(*args, **options):
    """How many numbers plain_or_residual(*args, **options) learns"""
    return sum(p.numel() for p in plain_or_residual(*args, **options).parameters())


# The paper's 0.27 and 0.85 million, plain and residual; other widths, channels and classes; depths that there are not.
check(parameters, 20).gives(269722)
check(parameters, 56).gives(853018)
check(parameters, 20, residual=False).gives(269722)
check(parameters, 8, width=3, channels=1, classes=7).gives(2800)
check(plain_or_residual, 18).raises(ValueError)
check(plain_or_residual, 2).raises(ValueError)
### BEGIN HIDDEN TESTS
check(parameters, 32).gives(464154)
check(parameters, 44, False).gives(658586)
check(plain_or_residual, -4).raises(ValueError)
check(plain_or_residual, 57).raises(ValueError)
### END HIDDEN TESTS


# %% tests="plain_or_residual" points=1
def fill(net):
    """Set all parameters to fixed numbers: the first conv1.weight, the second, …; the order within a block is free."""
    seen = {}
    for name, parameter in net.named_parameters():
        *_, layer, what = name.split(".")
        in_a_block = layer in ("conv1", "bn1", "conv2", "bn2") and name.count(".") > 1
        tail = f"{layer if in_a_block else 'layer'}.{what}"
        seen[tail] = seen.get(tail, 0) + 1
        parameter.copy_(0.4 * drawn([149, seen[tail], sum(map(ord, tail))], *parameter.shape))


def logits(x, *args, training=True, **options):
    """net = plain_or_residual(*args, **options).double(), with fixed numbers in all parameters; net(x)"""
    net = plain_or_residual(*args, **options).double().train(training)
    with torch.no_grad():
        fill(net)
        return net(x).numpy()


def expected_logits(x, depth, residual, width, channels, classes, training=True):
    """Compute the same with the toolkit's network."""
    net = resnet.NarrowResNet(depth, residual=residual, channels=channels, width=width, classes=classes)
    net = net.double().train(training)
    with torch.no_grad():
        fill(net)
        return net(x).numpy()


# Three pictures of 9 × 7 through 14 layers, residual and plain.
small = drawn(150, 3, 2, 9, 7)
check(logits, small, 14, True, 3, 2, 5).gives(expected_logits(small, 14, True, 3, 2, 5))
check(logits, small, 14, False, 3, 2, 5).gives(expected_logits(small, 14, False, 3, 2, 5))
### BEGIN HIDDEN TESTS
grey = drawn(151, 2, 1, 6, 11)
check(logits, grey, 8, True, 2, 1, 3).gives(expected_logits(grey, 8, True, 2, 1, 3))
check(logits, grey, 8, False, 2, 1, 3, training=False).gives(expected_logits(grey, 8, False, 2, 1, 3, training=False))
### END HIDDEN TESTS

# %% [markdown] covers="104 E10"
# ### The recipe
#
# | | paper, lectures C and E | here |
# | --- | --- | --- |
# | behind every convolution | batch normalization | the same |
# | first weights | He et al. ("Xavier/2") | the same; last layer 0.01 · randn (`resnet.he_init`) |
# | steps | SGD with momentum 0.9 | the same |
# | learning rate | 0.1, divided by 10 on a plateau | 0.02 throughout |
# | batch | 256 | 64 |
# | weight decay | paper $10^{-4}$; the lectures print $10^{-5}$ | $10^{-4}$ |
# | dropout | none | none |
# | pictures | ImageNet; CIFAR-10 for the figures | Fashion-MNIST, 2,000 of 14 × 14 in grey, 4 passes |
# | width | 64; 16 for CIFAR-10 | 8 |
#
# Training error is counted while the network learns: an epoch's pictures that were given a wrong class, each before
# the step on its batch.
#
# ### The run: 20 and 56 layers, plain and residual
#
# Four networks by your `plain_or_residual`, the same pictures in the same order.


# %% experiment seconds=1 folded=true
def draw_errors(runs, title):
    """Draw training error by epoch: plain dashed, residual solid; thick lines are the deeper nets."""
    fig, ax = plots.figure(width=7.4, height=3.6)
    for (depth, residual), errors in runs.items():
        ax.plot(
            range(1, len(errors) + 1),
            errors,
            color=plots.PALETTE[0 if residual else 1],
            linestyle="-" if residual else "--",
            linewidth=1.4 if depth == 20 else 3,
            marker="o" if residual else "s",
            label=f"{'residual' if residual else 'plain'}, {depth} layers",
        )
    ax.set_xticks(range(1, len(errors) + 1))
    ax.set_xlabel("epoch")
    ax.set_ylabel("training error, %")
    ax.set_ylim(0, 100)
    ax.set_title(title)
    ax.legend()
    last = ", ".join(
        f"{'residual' if residual else 'plain'} {depth}: {errors[-1]:.1f} %"
        for (depth, residual), errors in runs.items()
    )
    plots.show(fig, alt=f"Training error against epoch for four networks. In the last epoch: {last}.")


# %% experiment seconds=60 covers="103"
images = data.small_fashion_mnist(training.full_or_fast(2000, 64), 1)
x_train, y_train = torch.from_numpy(images.x_train), torch.from_numpy(images.y_train)
epochs = training.full_or_fast(4, 1)
runs = {}
with timing.one_thread():
    for depth in (20, 56):
        for residual in (False, True):
            network = plain_or_residual(depth, residual, width=8, channels=1).to(memory_format=torch.channels_last)
            resnet.he_init(network, seed=0)
            passes = training.sgd_epochs(network, x_train, y_train, epochs, lr=0.02, seed=0)
            name = f"{'residual' if residual else 'plain'}-{depth}"
            runs[depth, residual] = [100 - right for right in training.progress(passes, name, total=epochs)]
draw_errors(runs, "Fashion-MNIST at 14 × 14")
right_at_the_end = {key: 100 - errors[-1] for key, errors in runs.items()}
for (depth, residual), right in right_at_the_end.items():
    print(f"{'residual' if residual else 'plain':9}{depth:3} layers: {right:.1f} % of the training pictures right")
lesson.target(
    "56 layers: residual less plain",
    right_at_the_end[56, True] - right_at_the_end[56, False],
    at_least=30,
    unit="points",
)
lesson.target(
    "plain: 20 layers less 56 layers",
    right_at_the_end[20, False] - right_at_the_end[56, False],
    at_least=5,
    unit="points",
)
lesson.target(
    "residual: 20 layers less 56 layers",
    right_at_the_end[20, True] - right_at_the_end[56, True],
    at_most=4,
    unit="points",
)
lesson.reveal(
    "deeper",
    answer=2,
    because=f"plain, 20 layers had {right_at_the_end[20, False]:.1f} % of the training pictures right, 56 layers "
    f"{right_at_the_end[56, False]:.1f} %. It is not overfitting: these are the pictures it learned from.",
)

# %% [markdown]
# The prediction that more layers "can compute whatever fewer layers can" is true of what the network *can* represent:
# 36 layers more could hand on their input. Gradient descent does not find it in this time. With skips the same 56
# layers, with the same number of weights, learn about as fast as 20. (The limit of 4
# points has room for chance; the stored runs of eight epochs below are held to 2.)
#
# ### Five depths, two seeds, eight epochs
#
# What takes too long for a notebook is stored: `datasets/plain_and_residual` holds the curves of twenty networks, made
# by `python datasets/plain_and_residual/make.py` with the same recipe. Move the depth and watch both kinds.
#
# 1. From which depth on does the plain net train worse than the plain net with 8 layers?
# 2. Does the deepest residual net have the lowest training error? And the lowest test error?
# 3. The two seeds differ only in chance. How far apart are they, and which differences between depths are smaller?

# %% widget="depth_curves" covers="103"
# alt: Training error of plain and residual nets with 56 layers against epochs; the plain curves stay far above.
from convnets.widgets import DepthCurves

DepthCurves(depth=56)

# %% experiment seconds=10 folded=true
curves = data.plain_and_residual()
depths = sorted({curve.depth for curve in curves})
final = {
    (kind, what): np.array(
        [
            [
                getattr(curve, what)[-1]
                for curve in curves
                if curve.depth == depth and curve.residual == (kind != "plain")
            ]
            for depth in depths
        ]
    )
    for kind in ("plain", "residual")
    for what in ("train_error", "test_error")
}
fig, axes = plots.figure(1, 2, width=8.6, height=3.4, sharey=True)
for ax, what in zip(axes, ("train_error", "test_error"), strict=True):
    for kind, colour, line, marker in (("plain", 1, "--", "s"), ("residual", 0, "-", "o")):
        errors = final[kind, what]
        ax.plot(depths, errors.mean(axis=1), color=plots.PALETTE[colour], linestyle=line, label=kind)
        for seed in range(errors.shape[1]):
            ax.plot(depths, errors[:, seed], color=plots.PALETTE[colour], marker=marker, linestyle="none", markersize=4)
    ax.set_xticks(depths)
    ax.set_xlabel("layers")
    ax.set_title("training error, %" if what == "train_error" else "test error, %")
axes[0].legend()
axes[0].set_ylim(bottom=0)
means = {key: errors.mean(axis=1) for key, errors in final.items()}
plots.show(
    fig,
    alt="Error in the eighth epoch against depth, two seeds each. Training error of plain nets goes from "
    f"{means['plain', 'train_error'][0]:.1f} % at 8 layers to {means['plain', 'train_error'][-1]:.1f} % at 56, of "
    f"residual nets from {means['residual', 'train_error'][0]:.1f} % to {means['residual', 'train_error'][-1]:.1f} %; "
    f"test error of plain nets ends at {means['plain', 'test_error'][-1]:.1f} %, of residual nets at "
    f"{means['residual', 'test_error'][-1]:.1f} %.",
)
print(f"{'layers':>22}" + "".join(f"{depth:8}" for depth in depths) + "   seeds differ by up to")
for (kind, what), errors in final.items():
    row = "".join(f"{value:8.1f}" for value in errors.mean(axis=1))
    print(f"{kind + ', ' + what.replace('_', ' '):>22}{row}{np.ptp(errors, axis=1).max():10.1f} points")
at_20, at_56 = (final["residual", "train_error"][depths.index(depth)] for depth in (20, 56))
lesson.target(
    "stored, residual: 56 layers less 20 in training error, the worst of one against the best of the other",
    float(at_56.max() - at_20.min()),
    at_most=2,
    unit="points",
)

# %% [markdown]
# Each row has its own yardstick, the last number. Between plain nets with 20 and 32 layers the step is smaller than
# chance makes it: their dots overlap. From 8 to 20 and from 20 to 56 layers they do not: already with 20 layers each
# plain run trains worse than both with 8. Among residual nets 32 layers have the lowest training error and 44 the
# lowest test error, not 56; but from 20 layers on the steps are about as small as the differences between two seeds.
#
# ### Why? The gradient, layer by layer
#
# The explanation that is often heard is that gradients vanish on their way down. The widget lets one batch through
# **your** `plain_or_residual` before any training, backwards too, and draws the norm of $\partial L / \partial w$ of
# every convolution. From one horizontal line to the next is a factor of a hundred.
#
# 1. At depth 56 with batch normalization: do the plain net's gradients shrink or grow on the way to the first layers?
# 2. Switch batch normalization off. What now?
# 3. The residual net: why is its curve flat, and what happens to it without batch normalization?

# %% widget="gradient_by_layer" covers="103"
# alt: Gradient of each convolution at depth 56: the plain curve rises a thousandfold to layer 1, the residual is flat.
from convnets.widgets import GradientByLayer

GradientByLayer(plain_or_residual, depth=56)


# %% experiment seconds=10
def gradient_norms(model, x, y):
    """Return the norm of the loss's gradient for the kernels of every convolution, from the first to the last."""
    F.cross_entropy(model(x), y).backward()
    return [layer.weight.grad.norm().item() for layer in model.modules() if isinstance(layer, nn.Conv2d)]


batch = data.small_fashion_mnist(training.full_or_fast(64, 16), 1)
x_batch, y_batch = torch.from_numpy(batch.x_train), torch.from_numpy(batch.y_train)
first_to_last = {}
with timing.one_thread():
    for depth in (8, 20, 56):
        for residual in (False, True):
            ratios = []
            for seed in range(training.full_or_fast(3, 1)):
                network = plain_or_residual(depth, residual, width=8, channels=1)
                resnet.he_init(network, seed)
                norms = gradient_norms(network, x_batch, y_batch)
                ratios.append(norms[0] / norms[-1])
            first_to_last[depth, residual] = ratios
            kind = "residual" if residual else "plain"
            told = ", ".join(f"{ratio:,.2f}" for ratio in ratios)
            print(f"{kind:9}{depth:3} layers: gradient of the first convolution over that of the last: {told}")

# %% [markdown]
# The three numbers of a row are three seeds. With batch normalization the plain net's gradients do not vanish: on the
# way down they **grow**, from 20 layers on, the more the deeper the net. One learning rate for all layers then moves
# the first far more than the last. (The paper's authors looked, too: "neither forward nor backward signals vanish".)
# Skips keep all layers within a small factor: at every sum the gradient also goes on past $f$, unchanged.
#
# Without batch normalization the plain net's gradients are tiny in **all** layers: in layers this narrow the signal
# dies out on its way up, and what comes down is multiplied by next to nothing. The residual net's become large
# everywhere: a block then adds a part about as large as all that comes in, so that the signal multiplies from block to
# block, where normalized blocks added a part of fixed size.
#
# ### What became of the claims

# %% experiment seconds=10 folded=true covers="105 106 E12 E16"
history = data.imagenet_history()
of_2014 = {entry.role: entry for entry in history if entry.year == 2014 and entry.role in ("winner", "second")}
of_2015 = next(entry for entry in history if entry.year == 2015 and entry.role == "winner")
two_ones, second_five = 2 * 256 * 256, 5 * 5 * 256 * 256
with torch.device("meta"):
    modules_claimed = sum(
        count_parameters(InceptionModule(c, one, *three, *five, pooled))
        for c, (one, three, five, pooled) in zip(
            (192, 256, 480, 512, 512, 512, 528, 832, 832), googlenet.INCEPTION.values(), strict=True
        )
    )
    stem_of_resnet = tuple(resnet.ResNet(50).stem(torch.empty(1, 3, 224, 224)).shape[1:])
google = modules_claimed + 124_416 + 1_025_000
at_152 = 3 * 64 * 49 + 2 * 64 + 2_049_000
c_in = 64
for stage, blocks in enumerate(resnet.DEPTHS[152][0]):
    for k in range(blocks):
        at_152 += bottleneck_parameters(c_in, 256 * 2**stage, 2 if stage and not k else 1)
        c_in = 256 * 2**stage
stored = {
    (curve.depth, curve.residual, curve.seed): (curve.train_error[-1], curve.test_error[-1])
    for curve in data.plain_and_residual()
}


def apart(deeper, shallower, residual, k=0):
    """Return by how many points every run of one depth errs more than every run of another: least and most."""
    gaps = [stored[deeper, residual, a][k] - stored[shallower, residual, b][k] for a in (0, 1) for b in (0, 1)]
    return min(gaps), max(gaps)


plain_worse, residual_worse = apart(56, 20, False), apart(56, 20, True)
steps = [
    (deeper, shallower, what, apart(deeper, shallower, True, k)[0], k)
    for k, what in enumerate(("training", "test"))
    for shallower, deeper in ((8, 20), (20, 32), (32, 44), (44, 56), (8, 56), (20, 56))
]
hurt = max(steps, key=lambda step: step[3])
paper_110, paper_1202 = 6.43, 7.93  # He et al., table 6, CIFAR-10
seeds_apart = max(abs(np.subtract(stored[depth, True, 0], stored[depth, True, 1])[hurt[4]]) for depth in depths)
block = ResidualBlock(4, 4)
zero_init_residual(block)
some = drawn(152, 2, 4, 5, 5).float()
is_identity = bool((block(some) == some.clamp(min=0)).all())
plain_ratios, skip_ratios = first_to_last[56, False], first_to_last[56, True]
(vgg_macs, vgg_seconds), (resnet_macs, resnet_seconds) = speed["VGG-19"], speed["ResNet-152"]


def judged(verdict):
    """Return the verdict, or that a run on so little data gives none."""
    return "cannot be tested here" if training.fast_mode() else verdict


plots.claims(
    [
        plots.Claim(
            "mlpconv: very little parameters for large capacity (B)",
            f"two 1 × 1 layers {two_ones:,} weights, a second 5 × 5 layer {second_five:,}",
            "256 channels; capacity was not measured",
            "partly" if second_five > 5 * two_ones else "does not hold",
        ),
        plots.Claim(
            "GoogLeNet: 4M parameters (B)",
            f"{google / 1e6:.2f} M; {(google - 1_025_000) / 1e6:.2f} M without the fully connected layer",
            "weights and biases, without auxiliary classifiers",
            "holds" if round((google - 1_025_000) / 1e6) == 4 or round(google / 1e6) == 4 else "does not hold",
        ),
        plots.Claim(
            "average pooling instead of fully connected layers (B); ResNet has none (B)",
            f"one is left in both: {1_025_000 / google:.0%} of GoogLeNet, {2_049_000 / at_152:.1%} of ResNet-152",
            "the layer that makes 1,000 logits",
            "partly" if 2_049_000 / at_152 < 0.1 else "does not hold",
        ),
        plots.Claim(
            "GoogLeNet won ILSVRC-2014 with 6.7 % (C); VGG won (E)",
            f"{of_2014['winner'].name} {of_2014['winner'].top5_error:g} %, second {of_2014['second'].name} "
            f"{of_2014['second'].top5_error:g} %",
            "datasets/imagenet_history: C is right, E is not",
            "partly" if of_2014["winner"].name.startswith("GoogLeNet") else "does not hold",
        ),
        plots.Claim(
            "ResNet won ILSVRC-2015 with 3.6 % (C, E)",
            f"{of_2015.name}: {of_2015.top5_error:g} %",
            "top-5, an average of several networks; datasets/imagenet_history",
            "holds" if round(of_2015.top5_error, 1) == 3.6 else "does not hold",
        ),
        plots.Claim(
            "ResNet-152: 60M parameters (C)",
            f"{at_152:,}",
            "batch normalization and option-B skips included",
            "holds" if round(at_152 / 1e6) == 60 else "does not hold",
        ),
        plots.Claim(
            "spatial dimension only 56 × 56 (C)",
            f"{' × '.join(map(str, stem_of_resnet))} behind the stem",
            "picture of 224 × 224",
            "holds" if stem_of_resnet[1:] == (56, 56) else "does not hold",
        ),
        plots.Claim(
            "8 × more layers than VGG, yet faster at run time (E)",
            f"152 / 19 = {152 / 19:.0f}; {resnet_macs / 1e9:.1f} against {vgg_macs / 1e9:.1f} · 10⁹ MACs, "
            f"{told_seconds(resnet_seconds)} against {told_seconds(vgg_seconds)}",
            "one picture forward, one thread of this CPU, PyTorch",
            judged(
                "holds" if resnet_seconds < vgg_seconds else "partly" if resnet_macs < vgg_macs else "does not hold"
            ),
        ),
        plots.Claim(
            "weight decay of 1e-5 (C, E)",
            "the paper says 0.0001 (section 3.4)",
            "literature; this notebook took the paper's",
            "does not hold",
        ),
        plots.Claim(
            "2-3 weeks of training on 8 GPUs (E)",
            "nothing",
            "no such machine here",
            "cannot be tested here",
        ),
        plots.Claim(
            "plain nets: deeper trains worse (E, CIFAR-10)",
            f"56 layers less 20: {plain_worse[0]:+.1f} to {plain_worse[1]:+.1f} points of training error",
            "stored curves, each of two runs against each, epoch 8; Fashion-MNIST 14 × 14",
            "holds" if min(plain_worse) > 0 else "partly" if max(plain_worse) > 0 else "does not hold",
        ),
        plots.Claim(
            "ResNets: deeper trains better (E, CIFAR-10)",
            f"56 layers less 20: {residual_worse[0]:+.1f} to {residual_worse[1]:+.1f} points of training error",
            "the same; the sign is a matter of chance here",
            "holds" if max(residual_worse) < 0 else "partly" if min(residual_worse) < 0 else "does not hold",
        ),
        plots.Claim(
            "the identity is easy for a residual block (C)",
            f"scale 0: what comes out {'is' if is_identity else 'is not'} exactly relu(x)",
            "your block, your zero_init_residual",
            "holds" if is_identity else "does not hold",
        ),
        plots.Claim(
            "guaranteed not to hurt, can only improve (C)",
            f"{hurt[0]} layers after {hurt[1]}: {hurt[2]} error at least {hurt[3]:+.1f} points; the paper's "
            f"test error: {paper_110:g} % with 110 layers, {paper_1202:g} % with 1,202",
            f"largest step upwards that all stored runs agree on; seeds differ by up to {seeds_apart:.1f} there, so "
            "the verdict rests on the paper's table 6",
            "does not hold" if paper_1202 > paper_110 else "holds",
        ),
        plots.Claim(
            "plain nets fail because gradients vanish (often heard)",
            f"first over last layer: plain {min(plain_ratios):,.0f} to {max(plain_ratios):,.0f}, residual "
            f"{min(skip_ratios):.1f} to {max(skip_ratios):.1f}",
            "56 layers with batch normalization, before training, three seeds",
            "does not hold" if min(plain_ratios) > 1 else "holds",
        ),
        plots.Claim(
            "smaller filters, 1 × 1 useful, special connections allow depth (C, D, E)",
            f"3a: {sum(inception_macs(28, 28, 192, 64, 96, 128, 16, 32, 32)) / 1e6:.1f} million MACs with 1 × 1 "
            f"reductions, {sum(inception_macs(28, 28, 192, 64, 96, 128, 16, 32, 32, False)) / 1e6:.1f} without; "
            f"56 layers: {stored[56, True, 0][0]:.1f} % training error with skips, "
            f"{stored[56, False, 0][0]:.1f} % without",
            "counted; stored curves, seed 0",
            "holds" if stored[56, True, 0][0] < stored[56, False, 0][0] else "partly",
        ),
    ]
)

# %% [markdown]
# The counts of the lectures are right but for GoogLeNet's; the statements about *why* need more care than a slide has
# room for.
#
# # In your own words
#
# These two are read by a person. Use figures that your cells printed.
#
# **Guaranteed? (2 points, 0.5 for each part.)** Lecture C says of the residual block: "guaranteed it will not hurt
# performance, can only improve". (a) How must 36 added residual layers be set so that 56 layers compute exactly what 20
# compute? (b) Could added *plain* layers (convolution, batch normalization in evaluation mode, with its fixed running
# mean and variance, ReLU) be set so, too, on maps that are nowhere negative? Then what does the experiment with plain
# nets show about the argument? (c) Name two steps between "can represent" and "will not hurt", and what your figures
# say about one of them. (d) Why is "gradients vanish" no explanation for what you saw in the plain net with 56 layers,
# and what did you see instead?

# %% [markdown] answer="guaranteed" points=2 covers="105 E12"
# ### BEGIN SOLUTION
# (a) The function of each added block must be f(x) = 0, for example scale and shift of its last batch normalization 0
# (zero init). The block then computes relu(x), and x is not negative behind a ReLU, so it hands x on exactly.
#
# (b) Yes: two convolutions whose kernels have a 1 in the middle for their own channel and 0 elsewhere, batch
# normalization with scale = standard deviation (the root of variance + ε) and shift = mean (module 09), and relu of
# what is not negative changes nothing. So the guarantee "a deeper net can represent what a shallower one does" holds
# for plain nets just as well, and yet the plain net with 56 layers had far more training error than that with 20. The
# argument is about the class of functions, not about what optimisation finds.
#
# (c) Optimisation must find the good weights (training error), and the found function must be good on new pictures
# (test error: more layers can overfit). Figures: plain 20 against 56 in the run, or a step of the residual row in the
# stored curves where a deeper net has the larger error.
#
# (d) With batch normalization the gradients of the first layers were not smaller but far larger than those of the last
# (the ratio of first to last is in the hundreds or more at 56 layers, about 2 to 5 with skips). One learning rate
# cannot suit all layers.
#
# **Rubric:** 0.5 for each part. (a) f = 0 and one way to set it, with the ReLU; (b) yes with the identity kernel, and
# class of functions against optimisation; (c) optimisation and generalisation, with one figure; (d) growing, with a
# ratio.
# ### END SOLUTION

# %% [markdown]
# **What a 1 × 1 convolution buys (1 point, 0.5 for each part).** (a) Name the three places in this notebook where a 1 ×
# 1 convolution stands (NIN, Inception, bottleneck), and say for each whether it adds capacity or saves cost; give one
# figure. (b) ResNet-152 and AlexNet have nearly the same number of parameters. Where do they sit in each (AlexNet's
# figures are in notebook 11), and why does ResNet-152 multiply so much more often with them?

# %% [markdown] answer="one_by_one" points=1
# ### BEGIN SOLUTION
# (a) NIN: adds capacity (a perceptron at each position) at little cost, 131,072 weights against 1,638,400 of a second 5
# × 5 layer. Inception: saves; it reduces the channels before 3 × 3 and 5 × 5 and behind pooling: 128.0 against 303.5
# million MACs in 3a. Bottleneck: saves; 3 × 3 at a quarter of the width, 70,400 parameters against 1,179,648 weights of
# two full 3 × 3 layers with 256 channels.
#
# (b) AlexNet: more than nine tenths in the fully connected layers, each weight used once a picture. ResNet-152: nearly
# all in convolutions (the fully connected layer has 2.0 of 60.2 million), each weight used at every position of its
# maps, 7 × 7 to 56 × 56 of them (more in the stem): more than 11 thousand million MACs against 0.7.
#
# **Rubric:** 0.5 for three places with add or save and one figure; 0.5 for where, and for positions as the reason.
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. A 1 × 1 convolution is a fully connected layer at every position: NIN adds capacity with it, GoogLeNet and ResNet
#    save most of their multiplications with it.
# 2. Paths side by side let a network choose its filter size; counting them needs nothing but shapes.
# 3. Deeper plain networks train worse though they could represent more; a skip without weights mends it. What a network
#    can represent and what gradient descent finds are two things.
#
# **Can you explain …**
#
# - why NIN and GoogLeNet have no large fully connected layers?
# - why pooling in a naive Inception module makes the channels grow without end?
# - why the last ReLU of a residual block stands behind the sum?
# - why zero init must not be used on plain blocks?
# - why 56 plain layers have more *training* error than 20, and why that is not overfitting?
#
# **Three readings**
#
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep residual learning for image recognition*, CVPR 2016, arXiv:1512.03385:
#   figures 1 and 6, section 4.2, and table 6, whose parameters you have counted.
# - C. Szegedy et al., *Going deeper with convolutions*, CVPR 2015, arXiv:1409.4842: sections 3 to 5; then
#   *Inception-v4, Inception-ResNet and the impact of residual connections on learning*, AAAI 2017, arXiv:1602.07261:
#   figures 3 and 4.
# - M. Lin, Q. Chen, S. Yan, *Network in network*, ICLR 2014, arXiv:1312.4400: section 3.
#
# Next: 13 Training craft.
