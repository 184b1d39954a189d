"""Wrong answers to the exercises of module 16, and what a learner who gave one should read."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets.checks.authoring import mistake

hints = {
    "iou": (
        "Symptom: sums where a union is expected? Pixels in both sets count once. Right on one picture only? Count "
        "over all pictures together. 0 or an error where NaN is expected? A class that is nowhere has union 0.",
        "Idea: a mask of the pixels that count takes them out of both arrays first; then two conditions joined by & "
        "and by |.",
        "Outline: refuse different shapes; keep the pixels with labels != ignore; refuse numbers outside 0 to "
        "classes - 1; an array full of NaN; for each class the union, and where it is not 0, intersection / union.",
    ),
    "fcn_from_classifier": (
        "Symptom: shapes of weights differ? The first nn.Linear becomes filters of the last map's height and width, "
        "all others 1 × 1. Logits differ? Reshape to (D, C, h, w), in this order, and copy the biases. An error about "
        "Double and Float? A new nn.Conv2d is float32 unless it is told otherwise. The classifier itself changed? Its "
        "numbers were shared; copy them.",
        "Idea: send zeros of input_shape, with a batch axis, through nn.Sequential of what stands before the Flatten, "
        "and read the shape.",
        "Outline: find the one nn.Flatten, refuse otherwise; shape (C, h, w) of the map before it; for every layer "
        "behind: an nn.Linear becomes nn.Conv2d(C, D, (h, w)) of the same dtype, with its weight reshaped and its "
        "bias copied, and from then on the shape is (D, 1, 1); other layers stay; nn.Sequential of all.",
    ),
    "dilated_conv2d": (
        "Symptom: an output too large or too small? The filter spans d(K − 1) + 1. Right for dilation 1 only? Each "
        "slice starts at a · d; its step stays 1. Wrong dtype? np.zeros makes float64 unless told otherwise.",
        "Idea: for each place (a, b) of the kernel, one slice of the framed maps has the size of the output, and is "
        "multiplied by weight[:, :, a, b].",
        "Outline: refuse bad arguments; H' and W'; frame with np.pad; zeros of shape (N, C_out, H', W'); add "
        "np.einsum('nchw,oc->nohw', slice, weight[:, :, a, b]) for each place; add the bias.",
    ),
    "context_receptive_field": (
        "Symptom: only one number? The list has one for each layer. Too large? A layer adds d(K − 1), not d · K. Right "
        "for the first layer only? The additions add up.",
        "Idea: start at 1 pixel and add.",
        "Outline: refuse numbers below 1; field = 1; for each dilation add (kernel − 1) · dilation and append.",
    ),
    "conv_transpose2d": (
        "Symptom: numbers too small where filters overlap? Add, do not overwrite. The first number is 9 and not 1? The "
        "filter is not turned. Right without padding only? Cut P rows and columns off on each side, in the end. "
        "Shapes that do not match with a stride? Cut the slice to H × W.",
        "Idea: make the output whole first, with output_padding at its end, and cut off the padding last. For one "
        "place (a, b) of the kernel, all input pixels go to a slice with step stride.",
        "Outline: refuse bad arguments; rows = (H − 1) · S + D · (K_h − 1) + 1 + Q, columns likewise; zeros; for each "
        "(a, b) add np.einsum('nchw,co->nohw', x, weight[:, :, a, b]) to y[:, :, a·D :: S, b·D :: S] cut to H × W; "
        "cut off P on each side; add the bias.",
    ),
    "bilinear_kernel": (
        "Symptom: not symmetric? The middle is (K − 1) / 2. Values too small? Divide the distance by the factor, and "
        "nothing by the sum. Channels mix? Off the diagonal of the first two axes all is 0.",
        "Idea: one row of numbers t, then np.outer(t, t), then np.eye for the channels.",
        "Outline: refuse numbers below 1; K; t = 1 − |arange(K) − (K − 1)/2| / factor; np.eye(channels)[:, :, None, "
        "None] · np.outer(t, t).",
    ),
    "UNet": (
        "Symptom: names or shapes of weights differ? Compare with the table: L + 1 entries in down, L in enlarge and "
        "in up; up takes twice the channels. Logits differ? The maps of the way down stand first, the deepest one is "
        "used first, and they are taken before pooling.",
        "Idea: a list of kept maps; the way up takes them from its end.",
        "Outline: refuse sides that are not multiples; x = down[0](x); for each further entry of down: keep x, pool, "
        "convolve; for each pair of enlarge and up: take the last kept map (or zeros like it), torch.cat([kept, "
        "enlarge(x)], dim=1), convolve; classifier.",
    ),
}

# The solved notebook's answers; mistakes differ from them in one step.
official = {
    "iou": iou,
    "fcn_from_classifier": fcn_from_classifier,
    "dilated_conv2d": dilated_conv2d,
    "context_receptive_field": context_receptive_field,
    "conv_transpose2d": conv_transpose2d,
    "bilinear_kernel": bilinear_kernel,
    "UNet": UNet,
}


# iou


def _ratios(predicted, labels, classes, ignore, top, bottom):
    """Refuse what the official one refuses; top / bottom of the two masks for each class."""
    official["iou"](predicted, labels, classes, ignore)
    counts = labels != ignore
    p, t = predicted[counts], labels[counts]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([top(p == c, t == c) / np.float64(bottom(p == c, t == c)) for c in range(classes)])


@mistake("iou", "The union is taken for the sum of both sets: pixels that are in both are counted twice.")
def sum_for_union(predicted, labels, classes, ignore=255):
    return _ratios(predicted, labels, classes, ignore, lambda p, t: (p & t).sum(), lambda p, t: p.sum() + t.sum())


@mistake(
    "iou",
    "This is twice the intersection over the sum of both sets, the Dice coefficient: a relative of IoU, and larger. "
    "Which pixels belong to the union?",
)
def dice(predicted, labels, classes, ignore=255):
    return 2 * sum_for_union(predicted, labels, classes, ignore)


@mistake(
    "iou",
    "You divide by the pixels that truly have the class (recall): pixels that were given it by mistake cost nothing.",
)
def recall(predicted, labels, classes, ignore=255):
    return _ratios(predicted, labels, classes, ignore, lambda p, t: (p & t).sum(), lambda p, t: t.sum())


@mistake(
    "iou",
    "You divide by the pixels that were given the class (precision): pixels of it that were missed cost nothing.",
)
def precision(predicted, labels, classes, ignore=255):
    return _ratios(predicted, labels, classes, ignore, lambda p, t: (p & t).sum(), lambda p, t: p.sum())


@mistake(
    "iou",
    "Each picture is judged by itself, and the mean is taken. IoU counts over all pictures together.",
)
def mean_over_pictures(predicted, labels, classes, ignore=255):
    if predicted.ndim < 3:
        return official["iou"](predicted, labels, classes, ignore)
    each = [official["iou"](p, t, classes, ignore) for p, t in zip(predicted, labels, strict=True)]
    return np.array([np.nanmean([one[c] for one in each]) for c in range(classes)])


@mistake("iou", "A class that nobody predicted and nobody has gets 0. It is 0 / 0, no statement about the net: NaN.")
def zero_for_absent(predicted, labels, classes, ignore=255):
    return np.nan_to_num(official["iou"](predicted, labels, classes, ignore))


@mistake(
    "iou",
    "Pixels to ignore still count where they were given a class: they are in the union. Take them out of both arrays "
    "first.",
)
def ignored_in_the_union(predicted, labels, classes, ignore=255):
    official["iou"](predicted, labels, classes, ignore)
    result = np.full(classes, np.nan)
    for c in range(classes):
        if union := ((predicted == c) | (labels == c)).sum():
            result[c] = ((predicted == c) & (labels == c)).sum() / union
    return result


@mistake("iou", "The numbers are right, and they stand in a list. An array is asked for.")
def a_list(predicted, labels, classes, ignore=255):
    return list(official["iou"](predicted, labels, classes, ignore))


# fcn_from_classifier


def _before(layers):
    """Return the layers before the nn.Flatten; refuse what the official one refuses."""
    layers = list(layers)
    places = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Flatten)]
    if len(places) != 1:
        raise ValueError("one nn.Flatten")
    return nn.Sequential(*layers[: places[0]])


def _converted(layers, input_shape, convert):
    """Convert as the official one does, each nn.Linear by `convert(layer, sides)`."""
    layers, before = list(layers), _before(layers)
    dtype = next(p.dtype for layer in layers for p in layer.parameters())
    sides = tuple(before(torch.zeros(1, *input_shape, dtype=dtype)).shape[1:])
    out = []
    for layer in layers[len(before) + 1 :]:
        if isinstance(layer, nn.Linear):
            layer, sides = convert(layer, sides), (layer.out_features, 1, 1)
        out.append(layer)
    return nn.Sequential(*before, *out)


def _conv(layer, sides, weight):
    """One convolution with this weight and the layer's bias."""
    has_bias = layer.bias is not None
    conv = nn.Conv2d(sides[0], layer.out_features, sides[1:], bias=has_bias, dtype=layer.weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if has_bias:
            conv.bias.copy_(layer.bias)
    return conv


@mistake(
    "fcn_from_classifier",
    "The classifier shares its numbers with the new network: when those are changed, it changes too. Copy them.",
)
def shares_weights(layers, input_shape):
    def convert(layer, sides):
        conv = _conv(layer, sides, layer.weight.reshape(-1, *sides))
        conv.weight.data = layer.weight.data.reshape(-1, *sides)
        conv.bias = layer.bias
        return conv

    return _converted(layers, input_shape, convert)


@mistake(
    "fcn_from_classifier",
    "The flattened numbers are put into the filters in a wrong order: flattening runs over channels first, then rows, "
    "then columns.",
)
def channels_last(layers, input_shape):
    def convert(layer, sides):
        channels, height, width = sides
        weight = layer.weight.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        return _conv(layer, sides, weight)

    return _converted(layers, input_shape, convert)


@mistake("fcn_from_classifier", "The weights are copied, the biases are not.")
def without_the_biases(layers, input_shape):
    def convert(layer, sides):
        conv = _conv(layer, sides, layer.weight.reshape(-1, *sides))
        with torch.no_grad():
            if conv.bias is not None:
                conv.bias.zero_()
        return conv

    return _converted(layers, input_shape, convert)


@mistake("fcn_from_classifier", "The filters are turned by 180 degrees. PyTorch's convolution does not turn them.")
def turns_filters(layers, input_shape):
    def convert(layer, sides):
        return _conv(layer, sides, layer.weight.reshape(-1, *sides).flip(2, 3))

    return _converted(layers, input_shape, convert)


@mistake(
    "fcn_from_classifier",
    "The nn.Flatten is still in the network: the map is flattened before the filters see it. It has to go.",
)
def keeps_the_flatten(layers, input_shape):
    network, place = list(official["fcn_from_classifier"](layers, input_shape)), len(_before(layers))
    return nn.Sequential(*network[:place], nn.Flatten(), *network[place:])


@mistake(
    "fcn_from_classifier",
    "In a classifier in double precision, single precision meets its weights. Of what dtype are the zeros and "
    "the new convolutions?",
)
def always_single(layers, input_shape):
    _before(layers)(torch.zeros(1, *input_shape))
    return official["fcn_from_classifier"](layers, input_shape)


@mistake(
    "fcn_from_classifier",
    "In a classifier in single precision, double precision meets its weights. Of what dtype are the zeros and "
    "the new convolutions?",
)
def always_double_zeros(layers, input_shape):
    _before(layers)(torch.zeros(1, *input_shape, dtype=torch.float64))
    return official["fcn_from_classifier"](layers, input_shape)


# dilated_conv2d


@mistake(
    "dilated_conv2d",
    "The outputs are dilated, not the filter: you skip windows, as a stride does. Neighbouring outputs look at windows "
    "one pixel apart, whose weights stand d apart.",
)
def dilation_as_stride(x, weight, bias=None, padding=0, dilation=1):
    official["dilated_conv2d"](x, weight, bias, padding, dilation)
    return official["dilated_conv2d"](x, weight, bias, padding)[:, :, ::dilation, ::dilation]


@mistake("dilated_conv2d", "The dilation is not used: this is the answer for dilation 1.")
def ignores_dilation(x, weight, bias=None, padding=0, dilation=1):
    official["dilated_conv2d"](x, weight, bias, padding, dilation)
    return official["dilated_conv2d"](x, weight, bias, padding)


@mistake(
    "dilated_conv2d",
    "A dilation of d is taken for d pixels between two weights. It is their distance: d − 1 pixels are between them.",
)
def one_gap_too_many(x, weight, bias=None, padding=0, dilation=1):
    official["dilated_conv2d"](x, weight, bias, padding, dilation)
    return official["dilated_conv2d"](x, weight, bias, padding, dilation + 1)


@mistake("dilated_conv2d", "The filter is turned by 180 degrees. In networks convolution does not turn it.")
def flips(x, weight, bias=None, padding=0, dilation=1):
    return official["dilated_conv2d"](x, weight[:, :, ::-1, ::-1], bias, padding, dilation)


@mistake("dilated_conv2d", "The bias is not added.")
def without_bias(x, weight, bias=None, padding=0, dilation=1):
    return official["dilated_conv2d"](x, weight, None, padding, dilation)


@mistake("dilated_conv2d", "The dtype is not that of x: an array of zeros is float64 unless it is told otherwise.")
def always_double(x, weight, bias=None, padding=0, dilation=1):
    return official["dilated_conv2d"](x, weight, bias, padding, dilation).astype(np.float64)


@mistake(
    "dilated_conv2d",
    "Each slice takes every d-th pixel, as a stride does. Neighbouring outputs are one pixel apart: the dilation says "
    "where a slice begins.",
)
def dilation_as_step(x, weight, bias=None, padding=0, dilation=1):
    y = official["dilated_conv2d"](x, weight, None, padding, dilation)
    framed = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    room = [(0, 0), (0, 0), *((0, dilation * side) for side in x.shape[2:])]
    framed, (rows, columns) = np.pad(framed, room), y.shape[2:]
    y[...] = 0
    for a, b in np.ndindex(weight.shape[2:]):
        seen = framed[:, :, a : a + rows * dilation : dilation, b : b + columns * dilation : dilation]
        y += np.einsum("nchw,oc->nohw", seen[:, :, :rows, :columns], weight[:, :, a, b])
    return y if bias is None else (y + bias[:, None, None]).astype(x.dtype)


# context_receptive_field


@mistake("context_receptive_field", "Only the last receptive field is returned. The list has one for each layer.")
def only_the_last(dilations, kernel=3):
    fields = official["context_receptive_field"](dilations, kernel)
    return fields[-1] if fields else 1


@mistake(
    "context_receptive_field",
    "These are the spans of the single layers. A layer sees what the layers before it have seen: the additions add up.",
)
def spans(dilations, kernel=3):
    official["context_receptive_field"](dilations, kernel)
    return [(kernel - 1) * d + 1 for d in dilations]


@mistake("context_receptive_field", "A layer adds d(K − 1) pixels to the field. You add d · K.")
def adds_whole_kernels(dilations, kernel=3):
    official["context_receptive_field"](dilations, kernel)
    return [1 + kernel * int(sum(dilations[: k + 1])) for k in range(len(dilations))]


@mistake("context_receptive_field", "The list begins before the first layer: 1 pixel is not the field of any layer.")
def begins_with_one(dilations, kernel=3):
    return [1, *official["context_receptive_field"](dilations, kernel)]


@mistake("context_receptive_field", "Your fields begin at 0. Before the first layer a unit sees 1 pixel, its own.")
def begins_at_zero(dilations, kernel=3):
    return [field - 1 for field in official["context_receptive_field"](dilations, kernel)]


@mistake(
    "context_receptive_field",
    "Your numbers hold for 3 × 3 filters only: a layer adds 2d there, and d(K − 1) in general.",
)
def always_three(dilations, kernel=3):
    official["context_receptive_field"](dilations, kernel)
    return official["context_receptive_field"](dilations, 3)


@mistake("context_receptive_field", "The numbers are right, and they stand in an array. A list is asked for.")
def an_array(dilations, kernel=3):
    return np.array(official["context_receptive_field"](dilations, kernel))


# conv_transpose2d


@mistake("conv_transpose2d", "The filter is turned by 180 degrees. Each input pixel stamps it as it stands.")
def turned_filter(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    return official["conv_transpose2d"](x, weight[:, :, ::-1, ::-1], bias, stride, padding, output_padding, dilation)


@mistake(
    "conv_transpose2d",
    "Where filters overlap, the last one wins. Everything that arrives at a pixel adds up: write +=, not =.",
)
def overwrites(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    n, c_out, rows, columns = official["conv_transpose2d"](
        x, weight, None, stride, padding, output_padding, dilation
    ).shape
    y = np.zeros((n, c_out, rows + 2 * padding, columns + 2 * padding), x.dtype)
    for a, b in np.ndindex(weight.shape[2:]):
        part = y[:, :, a * dilation :: stride, b * dilation :: stride][:, :, : x.shape[2], : x.shape[3]]
        part[...] = np.einsum("nchw,co->nohw", x, weight[:, :, a, b])
    y = y[:, :, padding : padding + rows, padding : padding + columns]
    return y if bias is None else y + bias[:, None, None]


@mistake(
    "conv_transpose2d",
    "The bias is added with every stamp, so that pixels with more overlap get it several times. It is added once, in "
    "the end.",
)
def bias_with_every_stamp(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    options = (None, stride, padding, output_padding, dilation)
    y = official["conv_transpose2d"](x, weight, *options)
    if bias is None:
        return y
    ones, filters = np.ones((len(x), 1, *x.shape[2:]), x.dtype), np.ones((1, 1, *weight.shape[2:]), x.dtype)
    return y + official["conv_transpose2d"](ones, filters, *options) * bias[:, None, None]


@mistake("conv_transpose2d", "The bias is not added.")
def no_bias(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    return official["conv_transpose2d"](x, weight, None, stride, padding, output_padding, dilation)


@mistake(
    "conv_transpose2d",
    "With output_padding the rows and columns more come at the top and on the left. They belong at the bottom and on "
    "the right.",
)
def output_padding_in_front(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    official["conv_transpose2d"](x, weight, bias, stride, padding, output_padding, dilation)
    y = official["conv_transpose2d"](x, weight, bias, stride, padding, 0, dilation)
    return np.pad(y, ((0, 0), (0, 0), (output_padding, 0), (output_padding, 0)))


@mistake(
    "conv_transpose2d",
    "With output_padding, zeros are put behind a picture that was cut off already. The rows and columns more are real: "
    "stamps and the bias reach them. Cut off the padding last.",
)
def zeros_for_output_padding(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    official["conv_transpose2d"](x, weight, bias, stride, padding, output_padding, dilation)
    y = official["conv_transpose2d"](x, weight, bias, stride, padding, 0, dilation)
    return np.pad(y, ((0, 0), (0, 0), (0, output_padding), (0, output_padding)))


@mistake("conv_transpose2d", "The dilation is not used: neighbouring weights of the filter land next to each other.")
def without_dilation(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    official["conv_transpose2d"](x, weight, bias, stride, padding, output_padding, dilation)
    return official["conv_transpose2d"](x, weight, bias, stride, padding, min(output_padding, stride - 1))


@mistake(
    "conv_transpose2d",
    "Padding makes your output larger. In an upconvolution it is what is cut off: P rows and columns on each side.",
)
def padding_adds(x, weight, bias=None, stride=1, padding=0, output_padding=0, dilation=1):
    official["conv_transpose2d"](x, weight, bias, stride, padding, output_padding, dilation)
    y = official["conv_transpose2d"](x, weight, None, stride, 0, output_padding, dilation)
    y = np.pad(y, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    return y if bias is None else y + bias[:, None, None]


# bilinear_kernel


@mistake(
    "bilinear_kernel",
    "The tip is off the middle. The middle of K numbers that are counted from 0 is (K − 1) / 2, between two of them "
    "when K is even.",
)
def off_the_middle(factor, channels=1):
    side = official["bilinear_kernel"](factor, channels).shape[2]
    t = 1 - np.abs(np.arange(side) - side // 2) / factor
    return np.eye(channels)[:, :, None, None] * np.outer(t, t)


@mistake(
    "bilinear_kernel",
    "Every channel is enlarged into every other: the pyramid stands at all pairs of channels. It belongs only where "
    "both are the same.",
)
def mixes_channels(factor, channels=1):
    k = official["bilinear_kernel"](factor, channels)
    return np.ones_like(k) * k[:1, :1]


@mistake("bilinear_kernel", "The side is 2f also for an odd factor. There it is 2f − 1, so that the tip is a pixel.")
def always_even(factor, channels=1):
    official["bilinear_kernel"](factor, channels)
    t = 1 - np.abs(np.arange(2 * factor) - (2 * factor - 1) / 2) / factor
    return np.eye(channels)[:, :, None, None] * np.outer(t, t)


@mistake(
    "bilinear_kernel",
    "Your weights are divided by their sum. Stamps are f apart, so that a pixel gets only 1 / f² of all weights: their "
    "sum has to be f².",
)
def normalised(factor, channels=1):
    k = official["bilinear_kernel"](factor, channels)
    return k / k[0, 0].sum()


@mistake(
    "bilinear_kernel",
    "Rows and columns are joined by the smaller of the two numbers. A weight is the product of its row's and its "
    "column's number.",
)
def smaller_for_product(factor, channels=1):
    k = official["bilinear_kernel"](factor, channels)
    side = k.shape[2]
    t = 1 - np.abs(np.arange(side) - (side - 1) / 2) / factor
    return np.eye(channels)[:, :, None, None] * np.minimum.outer(t, t)


@mistake("bilinear_kernel", "The numbers are right, and they stand in a tensor. An array of NumPy is asked for.")
def a_tensor(factor, channels=1):
    return torch.from_numpy(official["bilinear_kernel"](factor, channels))


# UNet


class _Changed(official["UNet"]):
    """The official net with a way forward of its own."""

    def stacked(self, across, enlarged):
        """Join both."""
        return torch.cat([across, enlarged], dim=1)

    def pooled(self, x):
        """Halve the sides."""
        return F.max_pool2d(x, 2)

    def forward(self, x):
        multiple = 2 ** len(self.up)
        if x.shape[2] % multiple or x.shape[3] % multiple:
            raise ValueError("multiples")
        x = self.down[0](x)
        kept = []
        for convs in self.down[1:]:
            kept.append(x)
            x = convs(self.pooled(x))
        for enlarge, convs in zip(self.enlarge, self.up, strict=True):
            across = kept.pop()
            across = across if self.skips else torch.zeros_like(across)
            x = convs(self.stacked(across, enlarge(x)))
        return self.classifier(x)


@mistake(
    "UNet",
    "The maps are stacked in the wrong order: those of the way down stand first, the enlarged ones behind them.",
)
class EnlargedFirst(_Changed):
    def stacked(self, across, enlarged):
        return torch.cat([enlarged, across], dim=1)


@mistake("UNet", "The maps are halved by the mean of four pixels. The table asks for their maximum.")
class MeanPooling(_Changed):
    def pooled(self, x):
        return F.avg_pool2d(x, 2)


@mistake(
    "UNet",
    "Your net ends in a softmax and gives probabilities. It has to give logits: the loss takes the softmax itself.",
)
class EndsInASoftmax(_Changed):
    def forward(self, x):
        return super().forward(x).softmax(dim=1)


@mistake("UNet", "Maps come across although skips is False: then zeros take their place.")
class AlwaysSkips(_Changed):
    def __init__(self, c_in, classes, width=8, levels=3, skips=True):
        super().__init__(c_in, classes, width, levels, True)


@mistake(
    "UNet",
    "Without skips the way up has fewer channels, so the two nets have different numbers of weights. Keep the layers "
    "and stack zeros.",
)
class SmallerWithoutSkips(_Changed):
    def __init__(self, c_in, classes, width=8, levels=3, skips=True):
        super().__init__(c_in, classes, width, levels, skips)
        if not skips:
            self.up = nn.ModuleList([two_convs(width * 2**k, width * 2**k) for k in range(levels)][::-1])

    def stacked(self, across, enlarged):
        return torch.cat([across, enlarged], dim=1) if self.skips else enlarged


@mistake(
    "UNet",
    "A level is missing: `down` has L + 1 entries, one for full size and one for each halving.",
)
class OneLevelLess(official["UNet"]):
    def __init__(self, c_in, classes, width=8, levels=3, skips=True):
        super().__init__(c_in, classes, width, levels - 1, skips)


@mistake(
    "UNet",
    "The channels grow by the same number with every level. They double: width times 2 to the power of the level.",
)
class GrowsLinearly(official["UNet"]):
    def __init__(self, c_in, classes, width=8, levels=3, skips=True):
        super().__init__(c_in, classes, width, levels, skips)
        widths = [width * (level + 1) for level in range(levels + 1)]
        self.down = nn.ModuleList([two_convs(a, b) for a, b in zip([c_in, *widths], widths, strict=False)])
        order = list(range(levels))[::-1]
        self.enlarge = nn.ModuleList([nn.ConvTranspose2d(widths[k + 1], widths[k], 2, 2) for k in order])
        self.up = nn.ModuleList([two_convs(2 * widths[k], widths[k]) for k in order])


@mistake(
    "UNet",
    "Sides that cannot be halved so often are not refused with a ValueError: check them where `forward` begins.",
)
class NoCheckOfSides(_Changed):
    def forward(self, x):
        multiple = 2 ** len(self.up)
        rows, columns = (-(-side // multiple) * multiple for side in x.shape[2:])
        padded = F.pad(x, (0, columns - x.shape[3], 0, rows - x.shape[2]))
        return super().forward(padded)[:, :, : x.shape[2], : x.shape[3]]
