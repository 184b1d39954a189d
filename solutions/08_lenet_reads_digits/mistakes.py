"""Wrong answers to the exercises of module 08, and what a learner who gave one should read."""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from convnets.checks.authoring import mistake

hints = {
    "LeNet5": (
        "Symptom: an error about shapes of matrices, as 400 against 576, or 122,880 weights in C5? A convolution was "
        "padded. Numbers that sum to 1, or none below 0? Something was put behind the last layer. All 20 logits wrong? "
        "Count the activations: there are four. Right in one form only? Look at what modern=False must change. 840 "
        "where 588 is expected? The last layer needs the number of classes.",
        "Idea: twelve layers in a row: twice convolution, activation, pooling; then flatten; then three linear layers "
        "with activations between them.",
        "Outline: choose two classes, one for the activation and one for pooling, by modern; hand to "
        "super().__init__ the layers of the table in order, with a new activation after C1, C3, C5 and F6.",
    ),
    "layer_shapes": (
        "Symptom: shapes that begin with an extra 1? That is the batch axis. One shape too few? The picture itself is "
        "the first. Fewer still? Activations and pooling have a shape too.",
        "Idea: a batch of one picture of zeros, handed from layer to layer.",
        "Outline: make a tensor of zeros with a batch axis in front; begin the list with the given shape; for each "
        "layer, replace the tensor by what the layer returns, and append its shape without the first axis.",
    ),
    "count_parameters": (
        "Symptom: 10 for LeNet-5? That is how many tensors there are. Too many for batch normalisation? The running "
        "averages are buffers. Too many for a frozen layer, or 60,850 for 60,000? Ask each parameter.",
        "Idea: model.parameters() gives each parameter once, however often it is used.",
        "Outline: for each of the model's parameters that has requires_grad, add the number of its entries.",
    ),
    "count_macs": (
        "Symptom, for one 3 × 3 kernel with nine products at nine positions: 82 or 90? The bias was counted. 162? One "
        "MAC is a product and its addition together. 225? Those are positions of the input. 9? Every position counts. "
        "Four times too much for groups? Look at the shape of weight.",
        "Idea: each entry of weight is used once for every position of the output.",
        "Outline: hand a batch of one from layer to layer; for a convolution, multiply the entries of weight by "
        "height times width of the output; for a linear layer take the entries of weight; for all others 0.",
    ),
    "digits_per_second": (
        "Symptom: a third of the speed? Are gradients on? Slower by another factor? Was the mean or the median taken "
        "instead of the shortest? Twice too fast with one repeat? The first call is timed, or there is no warm-up. "
        "Right for one digit only? Count the digits of x.",
        "Idea: disturbances make a run longer and never shorter, so the shortest run is the nearest to the truth.",
        "Outline: check repeats; with gradients off, call the model once; then, repeats times, read the clock, call "
        "the model, read the clock again and keep the difference; divide the number of pictures by the smallest.",
    ),
    "train_epoch": (
        "Symptom: right with one batch, wrong with three? Are the gradients set to zero for each of them? Is the order "
        "drawn once, by rng? Does the last batch take part? Wrong weights with one batch already? Look at the order of "
        "zero_grad, backward and step; and are y and x picked by the same places? Weights right and loss wrong? "
        "Batches of different size count differently, and the loss of a batch is a mean already.",
        "Idea: cut the order into pieces of B places; each piece picks its pictures and its classes.",
        "Outline: training mode; draw the order; for each start 0, B, 2B, … take the next piece; zero the gradients; "
        "loss of the batch; backward; step; add loss times number of pictures; in the end divide by N.",
    ),
    "permute_pixels": (
        "Symptom: the picture moved the other way? Position i receives, it does not send. Rows moved as a whole? "
        "Positions count single pixels. An error was expected and a result came? It is not enough that the numbers "
        "differ, or that there are enough of them.",
        "Idea: with the last two axes as one, it is indexing with the permutation.",
        "Outline: compare the sorted permutation with 0 … H·W − 1 and raise if they differ; reshape to (N, C, H·W); "
        "index the last axis; reshape back.",
    ),
    "connection_table": (
        "Symptom: an index 6 out of bounds, or too few in the last rows of a block? The maps of S2 are in a ring. Row "
        "12 with neighbours only? It sees two pairs.",
        "Idea: (k + i) % 6 is the map i places after k in the ring.",
        "Outline: zeros of dtype bool; for k from 0 to 5 set three entries in row k and four in row 6 + k; for k from "
        "0 to 2 the offsets 0, 1, 3, 4 in row 12 + k; the last row whole.",
    ),
    "sparse_conv2d": (
        "Symptom: an error about sizes? The filters of F.conv2d are as deep as x. Numbers that belong to other maps? "
        "Compare the order of the kernels with the order of the connections. No gradient? The kernels must be copied "
        "into place, not made anew from numbers.",
        "Idea: a connection that is missing is a kernel of zeros.",
        "Outline: check the number of kernels; zeros of shape (C_out, C_in, K, K); assign the kernels to the places "
        "where the table is True; a convolution with bias.",
    ),
}


# LeNet5


def _layers(classes, activation, pool):
    """Return the twelve layers in order, to be changed by the mistakes."""
    return [
        *(nn.Conv2d(1, 6, 5), activation(), pool(2)),
        *(nn.Conv2d(6, 16, 5), activation(), pool(2)),
        nn.Flatten(),
        *(nn.Linear(400, 120), activation()),
        *(nn.Linear(120, 84), activation()),
        nn.Linear(84, classes),
    ]


def _kinds(modern):
    return (nn.ReLU, nn.MaxPool2d) if modern else (nn.Tanh, nn.AvgPool2d)


@mistake(
    "LeNet5",
    "The answers of a picture are positive and sum to 1: there is a softmax at the end. Logits are asked for; the loss "
    "function contains the softmax.",
)
class EndsWithSoftmax(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        super().__init__(*_layers(classes, *_kinds(modern)), nn.Softmax(dim=1))


@mistake(
    "LeNet5",
    "No answer is below 0: there is an activation behind the last layer. Logits may have any sign.",
)
class ActivationAtTheEnd(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        super().__init__(*_layers(classes, *_kinds(modern)), _kinds(modern)[0]())


@mistake(
    "LeNet5",
    "The convolutions are right, but C5, F6 and the output follow each other without activation: three linear layers "
    "in a row are one linear layer.",
)
class NoActivationBetweenLinearLayers(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        layers = _layers(classes, *_kinds(modern))
        super().__init__(*layers[:8], layers[9], layers[11])


@mistake(
    "LeNet5",
    "F6 and the output follow each other without activation: two linear layers in a row are one linear layer.",
)
class NoActivationAfterF6(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        layers = _layers(classes, *_kinds(modern))
        super().__init__(*layers[:10], layers[11])


@mistake(
    "LeNet5",
    "This is the modern net with average pooling in it. Which pooling belongs to which form?",
)
class AveragePoolingInBothForms(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        super().__init__(*_layers(classes, _kinds(modern)[0], nn.AvgPool2d))


@mistake(
    "LeNet5",
    "The two forms have changed places: modern=True gives the form of 1998. Which of them has ReLU?",
)
class FormsExchanged(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        super().__init__(*_layers(classes, *_kinds(not modern)))


@mistake(
    "LeNet5",
    "The modern form is right, and modern=False gives the modern form again. It must change activation and pooling.",
)
class ModernInBothForms(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        super().__init__(*_layers(classes, *_kinds(True)))


@mistake(
    "LeNet5",
    "In the form of 1998 it is pooled before the activation. ReLU and the maximum may change places, tanh and the mean "
    "may not: the activation comes first.",
)
class PoolsBeforeTheActivation(nn.Sequential):
    def __init__(self, classes=10, *, modern=True):
        layers = _layers(classes, *_kinds(modern))
        layers[1], layers[2], layers[4], layers[5] = layers[2], layers[1], layers[5], layers[4]
        super().__init__(*layers)


# layer_shapes


@mistake("layer_shapes", "Every shape begins with the batch axis. The shape of one picture is asked for.")
def keeps_the_batch_axis(model, shape):
    return [(1, *each) for each in layer_shapes(model, shape)]


@mistake(
    "layer_shapes",
    "The shapes of the layers begin with the batch axis, that of the picture does not. No batch axis is asked for.",
)
def keeps_the_batch_axis_of_the_layers(model, shape):
    return [tuple(shape), *keeps_the_batch_axis(model, shape)[1:]]


@mistake("layer_shapes", "The picture's own shape is missing: the list begins with it.")
def leaves_out_the_picture(model, shape):
    return layer_shapes(model, shape)[1:]


@mistake(
    "layer_shapes",
    "Only layers with parameters are listed. Pooling and flattening change the shape too, and activations have one.",
)
def layers_with_parameters_only(model, shape):
    shapes = layer_shapes(model, shape)
    return shapes[:1] + [own for layer, own in zip(model, shapes[1:], strict=True) if list(layer.parameters())]


@mistake("layer_shapes", "These are numbers of values, not shapes.")
def gives_sizes(model, shape):
    return [int(np.prod(own)) for own in layer_shapes(model, shape)]


@mistake(
    "layer_shapes",
    "Each layer was given the picture itself. It must be given what the layer before it returned.",
)
def gives_each_layer_the_picture(model, shape):
    return [tuple(shape)] + [tuple(layer(torch.zeros(1, *shape)).shape[1:]) for layer in model]


# count_parameters


@mistake("count_parameters", "This is the number of parameter tensors. How many numbers does each of them hold?")
def counts_tensors(model):
    return len(list(model.parameters()))


@mistake("count_parameters", "Only the weights are counted. Biases are parameters too.")
def forgets_the_biases(model):
    return sum(parameter.numel() for parameter in model.parameters() if parameter.dim() > 1)


@mistake("count_parameters", "Frozen parameters were counted: training cannot change them. What tells you?")
def counts_frozen_ones(model):
    return sum(parameter.numel() for parameter in model.parameters())


@mistake(
    "count_parameters",
    "The layer that is used twice counts twice. Its numbers exist once: do not go through the layers one by one.",
)
def counts_shared_ones_twice(model):
    layers = list(model) if isinstance(model, nn.Sequential) else [model]
    return sum(p.numel() for layer in layers for p in layer.parameters() if p.requires_grad)


@mistake(
    "count_parameters",
    "The state of the model was counted. It also holds buffers, such as a table or running averages, which are no "
    "parameters.",
)
def counts_the_state(model):
    return sum(value.numel() for value in model.state_dict().values())


@mistake(
    "count_parameters",
    "The numbers are right, but the answer is no int: was it summed as a tensor, or as floats?",
)
def gives_a_tensor(model):
    return torch.tensor(count_parameters(model))


# count_macs


@mistake("count_macs", "The bias was counted: it is added, not multiplied. Count the entries of the weights only.")
def counts_the_bias(model, shape):
    extra = [own[-2:] if isinstance(layer, nn.Conv2d) else () for layer, own in _with_shapes(model, shape)]
    return [
        products + (layer.bias.numel() * int(np.prod(places)) if products and layer.bias is not None else 0)
        for products, layer, places in zip(count_macs(model, shape), model, extra, strict=True)
    ]


def _with_shapes(model, shape):
    x = torch.zeros(1, *shape)
    pairs = []
    for layer in model:
        x = layer(x)
        pairs.append((layer, tuple(x.shape[1:])))
    return pairs


@mistake(
    "count_macs",
    "These are the numbers of weights. A weight of a convolution is used at every position of its output.",
)
def counts_weights(model, shape):
    return [layer.weight.numel() if isinstance(layer, nn.Conv2d | nn.Linear) else 0 for layer in model]


@mistake(
    "count_macs",
    "Positions of the input were counted. The kernel lies only where the output has a value.",
)
def counts_positions_of_the_input(model, shape):
    macs, before = [], tuple(shape)
    for (layer, after), products in zip(_with_shapes(model, shape), count_macs(model, shape), strict=True):
        conv = isinstance(layer, nn.Conv2d)
        macs.append(layer.weight.numel() * before[1] * before[2] if conv else products)
        before = after
    return macs


@mistake(
    "count_macs",
    "Twice too many: a multiplication and the addition that follows it are one multiply-accumulate.",
)
def counts_two_operations(model, shape):
    return [2 * products for products in count_macs(model, shape)]


@mistake(
    "count_macs",
    "Right without groups. With groups a map sees only its group's channels: which shape has weight then?",
)
def ignores_groups(model, shape):
    groups = [getattr(layer, "groups", 1) for layer in model]
    return [products * g for products, g in zip(count_macs(model, shape), groups, strict=True)]


@mistake(
    "count_macs",
    "Only convolutions were counted. A fully connected layer multiplies each input with each of its units' weights.",
)
def counts_convolutions_only(model, shape):
    macs = count_macs(model, shape)
    return [products if isinstance(layer, nn.Conv2d) else 0 for products, layer in zip(macs, model, strict=True)]


@mistake(
    "count_macs",
    "Layers without weights are left out. Every layer has its entry; those have 0.",
)
def leaves_out_layers(model, shape):
    return [products for products in count_macs(model, shape) if products]


# digits_per_second


def _durations(model, x, repeats, clock):
    seconds = []
    for _ in range(repeats):
        start = clock()
        model(x)
        seconds.append(clock() - start)
    return seconds


def _checked(repeats):
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, not {repeats}")


@mistake(
    "digits_per_second",
    "The warm-up is missing, or it is timed with the rest. The first call does not count.",
)
def without_warm_up(model, x, repeats=5, clock=time.process_time):
    _checked(repeats)
    with torch.no_grad():
        return len(x) / min(_durations(model, x, repeats, clock))


@mistake(
    "digits_per_second",
    "This is the mean of all runs. Other programs make runs longer, never shorter: which run was disturbed least?",
)
def takes_the_mean(model, x, repeats=5, clock=time.process_time):
    _checked(repeats)
    with torch.no_grad():
        model(x)
        return len(x) / float(np.mean(_durations(model, x, repeats, clock)))


@mistake(
    "digits_per_second",
    "This is the median of the runs. It hides one disturbed run, but the shortest run was disturbed least.",
)
def takes_the_median(model, x, repeats=5, clock=time.process_time):
    _checked(repeats)
    with torch.no_grad():
        model(x)
        return len(x) / float(np.median(_durations(model, x, repeats, clock)))


@mistake(
    "digits_per_second",
    "A third of the speed: gradients were on, and the fake model of this test needs three times as long then.",
)
def with_gradients_on(model, x, repeats=5, clock=time.process_time):
    _checked(repeats)
    model(x)
    return len(x) / min(_durations(model, x, repeats, clock))


@mistake(
    "digits_per_second",
    "These are calls a second. Each call reads all pictures of x.",
)
def counts_calls(model, x, repeats=5, clock=time.process_time):
    return digits_per_second(model, x, repeats, clock) / len(x)


@mistake(
    "digits_per_second",
    "This is the slowest run. The largest number of digits a second is that of the shortest time.",
)
def takes_the_slowest(model, x, repeats=5, clock=time.process_time):
    _checked(repeats)
    with torch.no_grad():
        model(x)
        return len(x) / max(_durations(model, x, repeats, clock))


@mistake("digits_per_second", "These are seconds for a digit, the reciprocal of what is asked for.")
def seconds_for_a_digit(model, x, repeats=5, clock=time.process_time):
    return 1 / digits_per_second(model, x, repeats, clock)


# train_epoch


def _epoch(
    model,
    optimizer,
    x,
    y,
    batch_size,
    rng,
    *,
    mode=True,
    zero=True,
    step_first=False,
    drop_last=False,
    shuffle=True,
    mean_of_batches=False,
    reduction="mean",
):
    """Train an epoch with one step left out or changed."""
    if mode:
        model.train()
    order = torch.from_numpy(rng.permutation(len(x))) if shuffle else torch.arange(len(x))
    losses, sizes = [], []
    for start in range(0, len(x), batch_size):
        batch = order[start : start + batch_size]
        if drop_last and len(batch) < batch_size and losses:
            continue
        if zero:
            optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch], reduction=reduction)
        if step_first:
            optimizer.step()
        loss.backward()
        if not step_first:
            optimizer.step()
        losses.append(loss.item())
        sizes.append(len(batch))
    return float(np.mean(losses) if mean_of_batches else np.average(losses, weights=sizes))


@mistake(
    "train_epoch",
    "From the second batch on the steps are wrong: the gradients of all batches so far are still there. PyTorch adds "
    "to them until they are set to zero.",
)
def never_zeroes(model, optimizer, x, y, batch_size, rng):
    optimizer.zero_grad()
    return _epoch(model, optimizer, x, y, batch_size, rng, zero=False)


@mistake(
    "train_epoch",
    "The step is taken before this batch's gradient is computed. Which comes first, backward or step?",
)
def steps_too_early(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, step_first=True)


@mistake(
    "train_epoch",
    "The weights are right and the loss is not: the last batch is smaller and counts as much as the others. The mean "
    "over pictures is asked for.",
)
def means_of_batches(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, mean_of_batches=True)


@mistake("train_epoch", "The pictures that were left for the last, smaller batch took no part.")
def drops_the_last_batch(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, drop_last=True)


@mistake(
    "train_epoch",
    "The batches hold the pictures in their old order. The order is drawn anew in every epoch.",
)
def keeps_the_order(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, shuffle=False)


@mistake("train_epoch", "The model stays in evaluation mode. An evaluation may have come before: switch it back.")
def stays_in_evaluation_mode(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, mode=False)


@mistake(
    "train_epoch",
    "The loss of a batch is a sum over its pictures here, so the steps are as many times too long as a batch has "
    "pictures. F.cross_entropy as it stands gives the mean.",
)
def sums_the_loss(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, reduction="sum")


@mistake(
    "train_epoch",
    "The weights are right and the loss is too small: the mean losses of the batches were added and then divided by "
    "N. Each is a mean over its pictures already: what does its sum over them need first?",
)
def divides_once_too_often(model, optimizer, x, y, batch_size, rng):
    return _epoch(model, optimizer, x, y, batch_size, rng, mean_of_batches=True) * -(-len(x) // batch_size) / len(x)


# permute_pixels


@mistake(
    "permute_pixels",
    "The pixels moved the other way: position i was sent to permutation[i]. It must receive from there.",
)
def sends_instead_of_receives(x, permutation):
    permute_pixels(x, permutation)  # the same complaints
    return permute_pixels(x, np.argsort(permutation))


@mistake("permute_pixels", "The result has lost its height and width.")
def stays_flat(x, permutation):
    return permute_pixels(x, permutation).reshape(*x.shape[:2], -1)


@mistake(
    "permute_pixels",
    "The right pixels, but what is no permutation is accepted: 1 twice and 2 never. Compare the sorted list.",
)
def checks_nothing(x, permutation):
    return x.reshape(*x.shape[:2], -1)[:, :, np.resize(permutation, x.shape[2] * x.shape[3])].reshape(x.shape)


@mistake(
    "permute_pixels",
    "As many different numbers as positions are accepted. −1 differs from 0, 1 and 2 and is no position: are all of "
    "0 … H·W − 1 there?",
)
def asks_only_whether_they_differ(x, permutation):
    if len(set(permutation.tolist())) != x.shape[2] * x.shape[3]:
        raise ValueError("a position twice")
    return x.reshape(*x.shape[:2], -1)[:, :, permutation].reshape(x.shape)


@mistake(
    "permute_pixels",
    "Each picture was flattened together with its channels, and only part of it was read. Positions run over one "
    "channel.",
)
def mixes_the_channels(x, permutation):
    permute_pixels(x, permutation)  # the same complaints
    first = x.reshape(len(x), -1)[:, permutation].reshape(len(x), 1, *x.shape[2:])
    return np.repeat(first, x.shape[1], axis=1)


@mistake("permute_pixels", "Positions were counted along the columns. They run along the rows, as reshape counts.")
def counts_along_columns(x, permutation):
    turned = permute_pixels(np.ascontiguousarray(x.swapaxes(2, 3)), permutation)
    return turned.swapaxes(2, 3)


# connection_table


@mistake("connection_table", "The ring is cut between map 5 and map 0: neighbours beyond the end are missing.")
def cuts_the_ring(*_):
    table = np.zeros((16, 6), bool)
    for k in range(6):
        table[k, k : k + 3] = True
        table[6 + k, k : k + 4] = True
    for k in range(3):
        table[12 + k, [k, k + 1, k + 3, min(k + 4, 5)]] = True
    table[15] = True
    return table


@mistake(
    "connection_table",
    "There is no map 6: after map 5 the ring begins again with map 0.",
)
def runs_past_the_end():
    table = np.zeros((16, 6), bool)
    for k in range(6):
        table[k, [k, k + 1, k + 2]] = True
    return table


@mistake("connection_table", "Rows and columns are exchanged: C3's maps are the rows.")
def exchanges_rows_and_columns():
    return connection_table().T


@mistake("connection_table", "The right entries, but they are numbers. Truth values are asked for.")
def gives_numbers():
    return connection_table().astype(int)


@mistake("connection_table", "Maps 12 to 14 see four neighbours. They see two pairs from opposite sides of the ring.")
def four_neighbours_again():
    table = connection_table()
    table[12:15] = table[6:9]
    return table


# sparse_conv2d


@mistake(
    "sparse_conv2d",
    "The kernels were taken in the order of the table's columns. They come row by row, all of the first map first.",
)
def takes_kernels_by_columns(x, weight, bias, table):
    if len(weight) != int(table.sum()):
        raise ValueError("one kernel a connection")
    dense = weight.new_zeros(*table.T.shape, *weight.shape[1:])
    dense[table.T] = weight
    return F.conv2d(x, dense.transpose(0, 1), bias)


@mistake("sparse_conv2d", "The bias is missing.")
def forgets_the_bias_of_the_maps(x, weight, bias, table):
    return sparse_conv2d(x, weight, torch.zeros_like(bias), table)


@mistake(
    "sparse_conv2d",
    "The bias was added once for each connection. A map has one bias, added once.",
)
def adds_the_bias_for_each_connection(x, weight, bias, table):
    return sparse_conv2d(x, weight, bias * table.sum(dim=1), table)


@mistake("sparse_conv2d", "Two kernels for three connections were accepted.")
def accepts_any_number(x, weight, bias, table):
    needed = int(table.sum())
    return sparse_conv2d(x, torch.cat([weight] * needed)[:needed], bias, table)


@mistake(
    "sparse_conv2d",
    "The values are right, and no gradient reaches the kernels: were they copied as numbers (detach, .data, "
    "torch.tensor), or made a new parameter? They must go in as they are.",
)
def detaches_the_kernels(x, weight, bias, table):
    return sparse_conv2d(x, weight.detach(), bias, table)
