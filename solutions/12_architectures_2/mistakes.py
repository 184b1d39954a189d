"""Wrong answers to the exercises of module 12, and what a learner who gave one should read."""

import torch
import torch.nn.functional as F
from torch import nn

from convnets.checks.authoring import mistake

hints = {
    "mlpconv": (
        "Symptom: negative numbers come out, or the further layers change nothing but a factor? A ReLU is missing, "
        "behind "
        "the last layer or between. An error about sizes in the further layers? A matrix has a row for each channel "
        "that "
        "comes out. Maps shrink? Pad by K // 2.",
        "Idea: a matrix (C_out, C_in) becomes a filter bank (C_out, C_in, 1, 1) with two new axes, and F.conv2d does "
        "the "
        "rest.",
        "Outline: refuse an even K; convolution with padding, ReLU; for each (matrix, bias) a 1 × 1 convolution, ReLU; "
        "return.",
    ),
    "InceptionModule": (
        "Symptom: sizes of paths differ? (PyTorch's message counts the paths from 0: tensor 3 is the pooling path.) "
        "Padding is 0 for 1 × 1, 1 for 3 × 3 and for pooling, 2 for 5 × 5; pooling has "
        "stride 1. Numbers differ in some channels only? Compare the order of the paths, and whether each of the six "
        "convolutions has its ReLU. A shape in the first check? Read the table: reductions see c_in channels.",
        "Idea: six layers in __init__; four expressions and one torch.cat along the channels in forward.",
        "Outline: conv1 on x; conv3 on relu(reduce3(x)); conv5 on relu(reduce5(x)); conv_pool on F.max_pool2d(x, 3, "
        "stride=1, padding=1); concatenate along axis 1 in this order; ReLU over all of it.",
    ),
    "inception_macs": (
        "Symptom: path 2 or 3 too small? Both convolutions of a path count. Right on 1 × 1 maps only? Every position "
        "counts. The last number is not 0 in the naive form? Pooling multiplies nothing.",
        "Idea: first the weights of each path, then all of them times H · W.",
        "Outline: refuse numbers below 1; two lists of four weight counts, one for each form (25 weights for a pair of "
        "channels in 5 × 5, 9 in 3 × 3); multiply each by height · width.",
    ),
    "count_paths": (
        "Symptom: MACs too large for a layer that makes maps smaller? Count the positions of what comes out. Right for "
        "square filters only? The first number of kernel and padding is vertical. Channels of the last path only, or "
        "weights of it only? Add up over the paths. Channels wrong behind pooling? They stay. A legal window is "
        "refused? Compare it with the side and *both* paddings; equal is allowed.",
        "Idea: a list inside `paths` is counted by the function itself, from the shape that all paths share.",
        "Outline: start weights and macs at 0; for each layer: if it is paths, call count_paths(shape, path) for each, "
        "compare the sides, add up channels, weights and macs; otherwise make the two sides with //, refuse a window "
        "larger than the padded side; for a convolution count its weights with the *old* number of channels; set the "
        "new shape.",
    ),
    "ResidualBlock": (
        "Symptom: negative numbers come out, or too large ones? Look where the last ReLU stands: behind the sum. A "
        "plain "
        "block differs too? It adds nothing. Sizes differ with stride 2? Only the first convolution has it. The new "
        "channels hold something? They are zeros behind the old ones. Sizes differ with more channels? F.pad's numbers "
        "come in pairs: W, H, C. Nothing of x comes out where f is silent, or x comes out normalized? bn2 belongs to "
        "f, before the sum.",
        "Idea: slicing with a step is the stride of the skip: x[:, :, ::S, ::S]. F.pad can add channels: its list of "
        "numbers begins with the last axis.",
        "Outline: refuse c_out < c_in; conv1 with the stride, bn1, conv2, bn2; in forward y = bn2(conv2(relu(bn1(conv1"
        "(x))))); if residual, add the sliced x with zero channels behind; return relu(y).",
    ),
    "zero_init_residual": (
        "Symptom: scales of bn1 or of the stem are 0? Only bn2. A plain net changed? Ask for `residual`. No block "
        "found? The check's blocks are not of your class: hasattr(module, 'bn2'), for all of model.modules(). \"A leaf "
        'Variable that requires grad"? Change numbers inside torch.no_grad(), or by nn.init.zeros_. Cannot be trained '
        "any more? Change the numbers of the parameter, not the parameter.",
        "Idea: go through model.modules() and ask each with hasattr.",
        "Outline: for each module with a bn2 whose residual is true, nn.init.zeros_ of the weight of bn2, and count "
        "it; "
        "return the count.",
    ),
    "bottleneck_parameters": (
        "Symptom: too few by a small number? Scales and shifts, two a channel, behind each convolution. Far too "
        "many? The "
        "3 × 3 works at a quarter of c_out. Right without and wrong with stride? The skip has weights then, and a "
        "batch "
        "normalization.",
        "Idea: three products, a sum of channels times two, and sometimes the skip's.",
        "Outline: narrow = c_out / 4, refuse a remainder; c_in·narrow + 9·narrow² + narrow·c_out; 2·(narrow + narrow + "
        "c_out); where stride is not 1 or c_in is not c_out add c_in·c_out + 2·c_out.",
    ),
    "plain_or_residual": (
        "Symptom: more parameters than the paper? Count: n blocks a stage, n = (depth − 2) / 6. Right parameters and "
        "wrong logits? Only the first block of stages 2 and 3 has stride 2, and the stem has a ReLU. Plain and "
        "residual "
        "give the same? Hand `residual` on to each block.",
        "Idea: a list of layers that grows; c_in is carried along.",
        "Outline: n and remainder by divmod, refuse; three layers of the stem; for the widths of three stages and n "
        "blocks each append ResidualBlock(c_in, c_out, stride, residual) and set c_in; nn.Sequential of all, with "
        "mean, "
        "Flatten and Linear.",
    ),
}


# The solved notebook's answers; mistakes differ from them in one step.
official = {
    "InceptionModule": InceptionModule,
    "ResidualBlock": ResidualBlock,
    "count_paths": count_paths,
    "bottleneck_parameters": bottleneck_parameters,
    "inception_macs": inception_macs,
}


# mlpconv


def _first(x, weight, bias):
    if weight.shape[-1] % 2 == 0:
        raise ValueError("even")
    return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


def _one(h, matrix, bias):
    return F.conv2d(h, matrix[:, :, None, None], bias)


@mistake(
    "mlpconv",
    "Negative numbers come out: the last ReLU is missing. Every layer of an mlpconv has one, the last as well.",
)
def no_relu_behind_the_last_layer(x, weight, bias, mlp):
    h = _first(x, weight, bias)
    for matrix, shift in mlp:
        h = _one(F.relu(h), matrix, shift)
    return h


@mistake(
    "mlpconv",
    "There is a ReLU at the end and none between: layers without one between them are together one linear layer.",
)
def relu_at_the_end_only(x, weight, bias, mlp):
    h = _first(x, weight, bias)
    for matrix, shift in mlp:
        h = _one(h, matrix, shift)
    return F.relu(h)


@mistake(
    "mlpconv", "Negative numbers come out of the further layers: each of them has a ReLU, too, not the first alone."
)
def relu_behind_the_convolution_only(x, weight, bias, mlp):
    h = F.relu(_first(x, weight, bias))
    for matrix, shift in mlp:
        h = _one(h, matrix, shift)
    return h


@mistake("mlpconv", "The bias of the convolution is missing.")
def convolution_without_bias(x, weight, bias, mlp):
    h = F.relu(_first(x, weight, None))
    for matrix, shift in mlp:
        h = F.relu(_one(h, matrix, shift))
    return h


@mistake("mlpconv", "The further layers lack their biases.")
def further_layers_without_bias(x, weight, bias, mlp):
    h = F.relu(_first(x, weight, bias))
    for matrix, _ in mlp:
        h = F.relu(_one(h, matrix, None))
    return h


@mistake("mlpconv", "The maps shrink: the first convolution needs zeros around the maps, K // 2 on each side.")
def no_padding(x, weight, bias, mlp):
    _first(x, weight, bias)
    h = F.relu(F.conv2d(x, weight, bias))
    for matrix, shift in mlp:
        h = F.relu(_one(h, matrix, shift))
    return h


@mistake("mlpconv", "The further layers are not used: what comes out is the first convolution's.")
def ignores_the_perceptron(x, weight, bias, mlp):
    return F.relu(_first(x, weight, bias))


@mistake(
    "mlpconv", "An even kernel cannot keep the size with the same padding on each side: raise a ValueError for it."
)
def even_kernels_pass(x, weight, bias, mlp):
    h = F.relu(F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2))
    for matrix, shift in mlp:
        h = F.relu(_one(h, matrix, shift))
    return h


# InceptionModule


def _paths(self, x, middle=F.relu, pooled=None):
    pooled = F.max_pool2d(x, 3, stride=1, padding=1) if pooled is None else pooled
    return [
        self.conv1(x),
        self.conv3(middle(self.reduce3(x))),
        self.conv5(middle(self.reduce5(x))),
        self.conv_pool(pooled),
    ]


@mistake("InceptionModule", "The reductions have no ReLU behind them: 1 × 1 and 3 × 3 are then one linear layer.")
class NoReluBehindTheReductions(official["InceptionModule"]):
    def forward(self, x):
        return F.relu(torch.cat(_paths(self, x, middle=lambda h: h), dim=1))


@mistake("InceptionModule", "No ReLU is in the module: each of the six convolutions has one behind it.")
class NoReluAnywhere(official["InceptionModule"]):
    def forward(self, x):
        return torch.cat(_paths(self, x, middle=lambda h: h), dim=1)


@mistake("InceptionModule", "Negative numbers come out: the last convolution of each path has a ReLU, too.")
class NoReluAtTheEnd(official["InceptionModule"]):
    def forward(self, x):
        return torch.cat(_paths(self, x), dim=1)


@mistake("InceptionModule", "The fourth path takes averages. The module has max pooling.")
class AveragePooling(official["InceptionModule"]):
    def forward(self, x):
        return F.relu(torch.cat(_paths(self, x, pooled=F.avg_pool2d(x, 3, stride=1, padding=1)), dim=1))


@mistake("InceptionModule", "The fourth path lacks its pooling: the 1 × 1 convolution sees x itself.")
class NoPooling(official["InceptionModule"]):
    def forward(self, x):
        return F.relu(torch.cat(_paths(self, x, pooled=x), dim=1))


@mistake("InceptionModule", "On the fourth path the convolution comes before pooling. Pool first, then 1 × 1.")
class ConvolutionBeforePooling(official["InceptionModule"]):
    def forward(self, x):
        one, three, five, _ = _paths(self, x)
        last = F.max_pool2d(self.conv_pool(x), 3, stride=1, padding=1)
        return F.relu(torch.cat([one, three, five, last], dim=1))


@mistake("InceptionModule", "The paths are stacked in another order than 1 × 1, 3 × 3, 5 × 5, pooling.")
class PoolingFirst(official["InceptionModule"]):
    def forward(self, x):
        maps = _paths(self, x)
        return F.relu(torch.cat(maps[3:] + maps[:3], dim=1))


@mistake(
    "InceptionModule", "The 3 × 3 and 5 × 5 filters see all c_in channels: their reductions are not in front of them."
)
class WithoutReductions(official["InceptionModule"]):
    def __init__(self, c_in, one, three_reduce, three, five_reduce, five, pool):
        super().__init__(c_in, one, three_reduce, three, five_reduce, five, pool)
        self.conv3 = nn.Conv2d(c_in, three, 3, padding=1)
        self.conv5 = nn.Conv2d(c_in, five, 5, padding=2)

    def forward(self, x):
        pooled = F.max_pool2d(x, 3, stride=1, padding=1)
        return F.relu(torch.cat([self.conv1(x), self.conv3(x), self.conv5(x), self.conv_pool(pooled)], dim=1))


# inception_macs


def _macs(weights, height, width, numbers):
    if min(height, width, *numbers) < 1:
        raise ValueError("at least 1")
    return [height * width * n for n in weights]


@mistake("inception_macs", "On paths 2 and 3 the 1 × 1 reductions are not counted: each path has two convolutions.")
def reductions_are_free(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    if not reduced:
        return official["inception_macs"](h, w, c, one, r3, three, r5, five, pool, False)
    return _macs([c * one, 9 * r3 * three, 25 * r5 * five, c * pool], h, w, (c, one, r3, three, r5, five, pool))


@mistake("inception_macs", "A filter of K × K has K² weights for each channel it sees: 9 and 25, not 3 and 5.")
def sides_instead_of_squares(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    if reduced:
        weights = [c * one, c * r3 + 3 * r3 * three, c * r5 + 5 * r5 * five, c * pool]
    else:
        weights = [c * one, 3 * c * three, 5 * c * five, 0]
    return _macs(weights, h, w, (c, one, r3, three, r5, five, pool))


@mistake("inception_macs", "These are the weights. A MAC is counted for every position of the maps.")
def counts_weights(height, width, *numbers, reduced=True):
    macs = official["inception_macs"](height, width, *numbers, reduced=reduced)
    return [n // (height * width) for n in macs]


@mistake("inception_macs", "The naive module pools without a convolution behind it: its fourth path costs nothing.")
def naive_pooling_with_convolution(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    macs = official["inception_macs"](h, w, c, one, r3, three, r5, five, pool, reduced)
    return macs if reduced else [*macs[:3], h * w * c * pool]


@mistake("inception_macs", "`reduced=False` changes nothing: the naive filters work on all c_in channels.")
def always_reduced(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    return official["inception_macs"](h, w, c, one, r3, three, r5, five, pool)


@mistake(
    "inception_macs",
    "The fourth path costs nothing in the reduced module either. Behind its pooling stands a 1 × 1 convolution.",
)
def pooling_is_free(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    return [*official["inception_macs"](h, w, c, one, r3, three, r5, five, pool, reduced)[:3], 0]


@mistake(
    "inception_macs", "You count the whole module in one number. One number for each of the four paths is asked for."
)
def one_sum(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    return sum(official["inception_macs"](h, w, c, one, r3, three, r5, five, pool, reduced))


@mistake(
    "inception_macs", "Numbers below 1 mean no module: raise a ValueError for them, also where they are not needed."
)
def takes_any_number(h, w, c, one, r3, three, r5, five, pool, reduced=True):
    if reduced:
        weights = [c * one, c * r3 + 9 * r3 * three, c * r5 + 25 * r5 * five, c * pool]
    else:
        weights = [c * one, 9 * c * three, 25 * c * five, 0]
    return [h * w * n for n in weights]


# count_paths


def _walk(shape, layers, conv_macs=None, swap=False, raises=True, meet=True, channels_of=sum, times=2, up=False):
    weights = macs = 0
    for layer in layers:
        channels, *sides = shape
        if layer["kind"] == "paths":
            ends = [
                _walk(shape, path, conv_macs, swap, raises, meet, channels_of, times, up) for path in layer["paths"]
            ]
            if meet and len({end[0][1:] for end in ends}) > 1:
                raise ValueError("paths differ")
            shape = (channels_of(end[0][0] for end in ends), *ends[0][0][1:])
            weights += sum(end[1] for end in ends)
            macs += sum(end[2] for end in ends)
            continue
        kernel, padding = layer["kernel"], layer["padding"]
        if swap:
            kernel, padding = kernel[::-1], padding[::-1]
        rooms = [n + times * p - k for n, k, p in zip(sides, kernel, padding, strict=True)]
        if raises and min(rooms) < 0:
            raise ValueError("does not fit")
        new = [(-(-room // layer["stride"]) if up else room // layer["stride"]) + 1 for room in rooms]
        if layer["kind"] == "conv":
            own = layer["filters"] * channels * kernel[0] * kernel[1]
            weights += own
            macs += own * (sides[0] * sides[1] if conv_macs == "before" else new[0] * new[1])
            channels = layer["filters"]
        shape = (channels, *new)
    return shape, weights, macs


@mistake(
    "count_paths",
    "MACs are counted at the positions of what comes in. A product is made for each position that comes out.",
)
def macs_at_the_positions_before(shape, layers):
    return _walk(shape, layers, conv_macs="before")


@mistake(
    "count_paths", "Kernel and padding have changed places of axes: their first number is vertical and belongs to H."
)
def horizontal_first(shape, layers):
    return _walk(shape, layers, swap=True)


@mistake("count_paths", "Padding stands on both sides of the maps: it counts twice.")
def padding_on_one_side(shape, layers):
    return _walk(shape, layers, times=1)


@mistake("count_paths", "A window larger than its padded maps goes through. Raise a ValueError before you divide.")
def windows_always_fit(shape, layers):
    return _walk(shape, layers, raises=False)


@mistake("count_paths", "Paths whose maps differ in H or W are stacked. They cannot be: raise a ValueError.")
def paths_of_any_size_meet(shape, layers):
    return _walk(shape, layers, meet=False)


@mistake(
    "count_paths", "Behind paths the channels are those of one path. All outputs are stacked: their channels add up."
)
def channels_of_the_widest_path(shape, layers):
    return _walk(shape, layers, channels_of=max)


@mistake(
    "count_paths",
    "Sides are rounded up. A window that does not fit at the end is left out: round down, as PyTorch does.",
)
def rounds_up(shape, layers):
    return _walk(shape, layers, up=True)


@mistake(
    "count_paths",
    "Each path begins where the one before it ended. They stand side by side: all begin with the same shape.",
)
def one_path_after_the_other(shape, layers):
    flat = []
    for layer in layers:
        flat += [each for path in layer["paths"] for each in path] if layer["kind"] == "paths" else [layer]
    if any(layer["kind"] == "paths" for layer in flat):
        return one_path_after_the_other(shape, flat)
    return official["count_paths"](shape, flat)


# ResidualBlock


def _f(self, x):
    return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


def _skip(self, x, y):
    return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


@mistake(
    "ResidualBlock",
    "The input is added behind the last ReLU, so negative numbers come out. The ReLU stands behind the sum.",
)
class AddsBehindTheRelu(official["ResidualBlock"]):
    def forward(self, x):
        y = F.relu(_f(self, x))
        return y + _skip(self, x, y) if self.residual else y


@mistake("ResidualBlock", "The block ends with the sum. There is one more ReLU behind it.")
class NoReluAtTheEndOfTheBlock(official["ResidualBlock"]):
    def forward(self, x):
        y = _f(self, x)
        return y + _skip(self, x, y) if self.residual else y


@mistake("ResidualBlock", "A plain block adds its input as well: look at `residual`.")
class AlwaysResidual(official["ResidualBlock"]):
    def forward(self, x):
        y = _f(self, x)
        return F.relu(y + _skip(self, x, y))


@mistake(
    "ResidualBlock",
    "Nothing of the input comes out here. A residual block always adds it; where shapes differ, it is sliced and "
    "filled up with zeros first.",
)
class NeverResidual(official["ResidualBlock"]):
    def forward(self, x):
        return F.relu(_f(self, x))


@mistake("ResidualBlock", "Between the two convolutions the ReLU is missing.")
class NoReluInside(official["ResidualBlock"]):
    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x))))
        return F.relu(y + _skip(self, x, y)) if self.residual else F.relu(y)


@mistake(
    "ResidualBlock",
    "The zeros are added to each row, not as new channels. F.pad's numbers come in pairs from the last axis on: W, H, "
    "then C.",
)
class PadsTheRows(official["ResidualBlock"]):
    def forward(self, x):
        y = _f(self, x)
        if self.residual:
            y = y + F.pad(x[:, :, :: self.stride, :: self.stride], (0, y.shape[1] - x.shape[1]))
        return F.relu(y)


@mistake(
    "ResidualBlock",
    "The second batch normalization stands behind the sum. It belongs to f: normalize, then add the input.",
)
class NormalizesTheSum(official["ResidualBlock"]):
    def forward(self, x):
        y = self.conv2(F.relu(self.bn1(self.conv1(x))))
        return F.relu(self.bn2(y + _skip(self, x, y) if self.residual else y))


@mistake(
    "ResidualBlock",
    "The convolutions have biases. Batch normalization would take them away again: they are left out.",
)
class ConvolutionsWithBias(official["ResidualBlock"]):
    def __init__(self, c_in, c_out, stride=1, residual=True):
        super().__init__(c_in, c_out, stride, residual)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, padding=1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)


# zero_init_residual


def _blocks(model, plain=False):
    return [m for m in model.modules() if hasattr(m, "bn2") and (plain or m.residual)]


@mistake("zero_init_residual", "The scales of bn1 are 0 now. The *last* normalization of a block ends its path: bn2.")
def silences_bn1(model):
    for block in _blocks(model):
        nn.init.zeros_(block.bn1.weight)
    return len(_blocks(model))


@mistake(
    "zero_init_residual", "Plain blocks were changed as well: nothing would come through them. Look at `residual`."
)
def silences_plain_blocks(model):
    for block in _blocks(model, plain=True):
        nn.init.zeros_(block.bn2.weight)
    return len(_blocks(model, plain=True))


@mistake("zero_init_residual", "The shifts of bn2 were changed, the scales were not. PyTorch calls the scale `weight`.")
def silences_the_shift(model):
    for block in _blocks(model):
        nn.init.zeros_(block.bn2.bias)
    return len(_blocks(model))


@mistake("zero_init_residual", "Scales and shifts of bn2 are 0. Only the scales were to be changed.")
def silences_scale_and_shift(model):
    for block in _blocks(model):
        nn.init.zeros_(block.bn2.weight)
        nn.init.zeros_(block.bn2.bias)
    return len(_blocks(model))


@mistake(
    "zero_init_residual",
    "All normalizations were silenced, the stem's too: nothing comes through the network any more.",
)
def silences_every_normalization(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.weight)
    return len(_blocks(model))


@mistake(
    "zero_init_residual",
    "No block was found. Do you ask for your own class? The check brings the toolkit's network: ask every module of "
    "model.modules() whether it has a bn2, not only the model's children.",
)
def finds_no_block(model):
    blocks = [m for m in model.modules() if isinstance(m, official["ResidualBlock"])]
    return len(blocks)


@mistake(
    "zero_init_residual",
    "The scales that the model had before the call are what they were: did you give bn2 a new parameter? An optimizer "
    "made before would hold the old one. Change the numbers in place.",
)
def brings_new_parameters(model):
    for block in _blocks(model):
        block.bn2.weight = nn.Parameter(torch.zeros_like(block.bn2.weight))
    return len(_blocks(model))


@mistake(
    "zero_init_residual",
    "PyTorch follows changes of what requires a gradient, and refuses them in place. Do it inside torch.no_grad(), or "
    "with nn.init.zeros_.",
)
def changes_while_gradients_are_followed(model):
    for block in _blocks(model):
        block.bn2.weight.zero_()
    return len(_blocks(model))


# bottleneck_parameters


def _count(c_in, c_out, stride, norm=2, skip=True, skip_norm=2, narrow=None, kernel=9):
    if c_out % 4:
        raise ValueError("4 does not divide")
    narrow = narrow or c_out // 4
    total = c_in * narrow + kernel * narrow**2 + narrow * c_out + norm * (2 * narrow + c_out)
    if skip and (stride != 1 or c_in != c_out):
        total += c_in * c_out + skip_norm * c_out
    return total


@mistake("bottleneck_parameters", "Scales and shifts of the batch normalizations are not counted.")
def without_batch_normalization(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, norm=0, skip_norm=0)


@mistake(
    "bottleneck_parameters",
    "Only one parameter a channel is counted for batch normalization: it has a scale and a shift.",
)
def one_parameter_a_channel(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, norm=1, skip_norm=1)


@mistake(
    "bottleneck_parameters",
    "Where the shape changes, the skip has weights and a batch normalization. They are missing.",
)
def skip_without_weights(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, skip=False)


@mistake("bottleneck_parameters", "The skip's convolution is counted, its batch normalization is not.")
def skip_without_normalization(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, skip_norm=0)


@mistake("bottleneck_parameters", "The narrow part has a quarter of c_in. It is a quarter of c_out.")
def a_quarter_of_what_comes_in(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, narrow=c_in // 4)


@mistake("bottleneck_parameters", "A skip with weights is counted for new channels only. Stride 2 needs one, too.")
def skip_for_channels_only(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, skip=c_in != c_out)


@mistake("bottleneck_parameters", "The convolutions have no biases: batch normalization brings the shift.")
def with_biases(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, norm=3, skip_norm=3)


@mistake("bottleneck_parameters", "A filter of 3 × 3 has 9 weights for each channel it sees, not 3.")
def three_instead_of_nine(c_in, c_out, stride=1):
    return _count(c_in, c_out, stride, kernel=3)


# plain_or_residual


def _net(
    depth,
    residual,
    width,
    channels,
    classes,
    n=None,
    strides=(1, 2, 2),
    everywhere=False,
    relu=True,
    bias=False,
    times=(1, 2, 4),
):
    blocks, left_over = divmod(depth - 2, 6)
    if blocks < 1 or left_over:
        raise ValueError("6n + 2")
    layers = [nn.Conv2d(channels, width, 3, padding=1, bias=bias), nn.BatchNorm2d(width)]
    layers += [nn.ReLU()] if relu else []
    c_in = width
    count = n(blocks) if n else blocks
    for stage, stride in enumerate(strides):
        c_out = width * times[stage]
        for k in range(count):
            layers.append(ResidualBlock(c_in, c_out, stride if everywhere or k == 0 else 1, residual))
            c_in = c_out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, classes))


@mistake("plain_or_residual", "Stage 1 begins with stride 2 as well. Only stages 2 and 3 make the maps smaller.")
def stride_in_every_stage(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, strides=(2, 2, 2))


@mistake("plain_or_residual", "No block has stride 2: the maps keep their size to the end.")
def no_stride(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, strides=(1, 1, 1))


@mistake(
    "plain_or_residual", "Every block of stages 2 and 3 has stride 2. Only the first of each makes the maps smaller."
)
def stride_in_every_block(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, everywhere=True)


@mistake("plain_or_residual", "Each stage has one block too many: the depth counts the stem and the last layer.")
def one_block_too_many(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, n=lambda blocks: blocks + 1)


@mistake("plain_or_residual", "Stage 3 has 3 `width` channels. Channels double from stage to stage: 1, 2, 4.")
def widths_1_2_3(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, times=(1, 2, 3))


@mistake("plain_or_residual", "The parameter `residual` does not reach the blocks: plain nets have skips, too.")
def always_with_skips(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, True, width, channels, classes)


@mistake("plain_or_residual", "The stem lacks its ReLU.")
def stem_without_relu(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, relu=False)


@mistake("plain_or_residual", "The stem's convolution has a bias. Batch normalization would take it away: bias=False.")
def stem_with_bias(depth, residual=True, width=16, channels=3, classes=10):
    return _net(depth, residual, width, channels, classes, bias=True)
