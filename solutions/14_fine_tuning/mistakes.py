"""Wrong answers to the exercises of module 14, and what a learner who gave one should read."""

import copy
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

from convnets.checks.authoring import mistake

hints = {
    "cut_at_layer": (
        'Symptom: one layer too few? The named one belongs to it. One too many for "block1"? A name that begins like '
        "another is not that other. A change of the old network does not reach the new one? The layers were copied. "
        "The old network is shorter afterwards? Layers were deleted from it.",
        "Idea: a network of some layers of another one is a new container around the same layers.",
        "Outline: go through the pairs of name and layer in order, keep each; when the name is the one that is asked "
        "for, return a new Sequential of what was kept; when the loop ends without it, raise.",
    ),
    "embed": (
        "Symptom: other numbers for the whole network than for the first four layers, or statistics that moved? Look "
        "at the mode. Rows missing? Look at the last batch. Too many columns, or the largest value instead of the "
        'mean? Look at what is done with the two last axes. "Can\'t call numpy() on Tensor that requires grad"? The '
        "gradients were not switched off.",
        "Idea: a loop over batches that collects one array each, and one concatenation at the end.",
        "Outline: refuse a batch size below 1; evaluation mode; without gradients, for each start 0, B, 2B … take a "
        "slice in the right memory format, run it, average the last two axes if there are four, turn it into an array; "
        "concatenate.",
    ),
    "linear_probe": (
        "Symptom: the first step is N times too large? A sum stands for a mean. Only weights wrong with a penalty? "
        "Look at its factor. Only the bias? It is not penalised. NaN? The logits were not shifted before exp. No "
        "error for class −1? NumPy counts −1 from the end.",
        "Idea: p − t is the gradient with respect to the logits; it times the features is the gradient of the weights.",
        "Outline: check the labels; zeros; the one-hot matrix; repeat: logits, probabilities (row maximum subtracted), "
        "error over N, gradients of W (with λW) and b, both steps.",
    ),
    "nearest": (
        "Symptom: the worst first? Look at the sign. Long vectors win although cosine is asked for? Both sides are "
        "divided by their lengths, each row by its own. Equals in the wrong order? Look for a stable sort. A vector of "
        "zeros comes last? 0/0 is not a number. Forbidden ones are found, or too few are? Take them out before "
        "the first k are taken.",
        "Idea: a matrix of similarities (Q, G); what is forbidden gets a value that no similarity can have.",
        "Outline: count for each query what it may find, and check k; unit vectors where cosine is asked for, with "
        "length 1 in the place of 0; products; sort −similarity stably with +∞ for what is forbidden; the first k.",
    ),
    "precision_at_k": (
        "Symptom: 1 in the first example? One right answer is counted as if all were. 0? Only the first neighbours "
        "were looked at. An array? The mean over queries is missing. No error for the last check? NumPy stretches one "
        "row over two queries.",
        "Idea: look up the classes of all neighbours at once; compare with a column of the queries' classes.",
        "Outline: compare the lengths; the labels of the gallery at the neighbours, (Q, k); equal to the query's "
        "label as a column; the mean of everything as a float.",
    ),
    "freeze": (
        "Symptom: statistics of frozen layers move? requires_grad does not stop them. Parameters of frozen layers "
        "are still listed? Modes do not stop gradients. Nothing is trained after a second call? Set both ways, also "
        "True. Dropout off with fix_statistics? Only batch normalisations are fixed. A batch normalisation inside a "
        "block, or a block in a block, is missed? Look at layer.modules().",
        "Idea: for every layer one question, is its number at least n? The answer is what train() and requires_grad_() "
        "take.",
        "Outline: check n; for each layer with its number set mode and gradients; with fix_statistics go through its "
        "modules and put batch normalisations into evaluation mode; count the numbers in trained parameters.",
    ),
    "parameter_groups": (
        "Symptom: rates exchanged? The top learns faster. Ten or a hundred times too much? The original rate is "
        "divided. A frozen array moves? Begin behind layer n. The ReLU at the end counts as the top? It has no "
        'parameters. "optimizer got an empty parameter list"? Leave out what is empty.',
        "Idea: the lists of parameters of the layers behind n, without the empty ones; the last is the top.",
        "Outline: make these lists; raise if there is none; one group for the last; one for all others together, if "
        "there are others.",
    ),
    "choose_strategy": (
        "Symptom: always the best mean? The rule looks for the cheapest within one standard error. Too cheap? The "
        "standard deviation was not divided by √R, or the spread of another strategy was used. 76.45 is refused in the "
        "second example? R − 1 stands under the root. NaN with one repeat? Its error is 0.",
        "Idea: one threshold, computed from the best strategy alone; then the first strategy that reaches it.",
        "Outline: check; the means; the first name with the highest; its standard error, 0 for one repeat; the first "
        "name whose mean is at least best − error.",
    ),
}


# cut_at_layer


@mistake("cut_at_layer", 'The named layer itself is missing: "up to and including".')
def stops_before_the_layer(layers, name):
    if name not in dict(layers.named_children()):
        raise ValueError(name)
    kept = OrderedDict()
    for own, layer in layers.named_children():
        if own == name:
            break
        kept[own] = layer
    return nn.Sequential(kept)


@mistake(
    "cut_at_layer",
    "The layers were copied: when the old network changes, yours does not. Put the layers themselves in.",
)
def copies_the_layers(layers, name):
    return copy.deepcopy(cut_at_layer(layers, name))


@mistake("cut_at_layer", "These are the layers behind the cut. Which half is fed with pictures?")
def returns_the_other_half(layers, name):
    kept = len(cut_at_layer(layers, name))
    return nn.Sequential(OrderedDict(list(layers.named_children())[kept:]))


@mistake(
    "cut_at_layer",
    "For a name that no layer has, the whole network came back. Say with a ValueError that there is none.",
)
def never_raises(layers, name):
    kept = OrderedDict()
    for own, layer in layers.named_children():
        kept[own] = layer
        if own == name:
            break
    return nn.Sequential(kept)


@mistake(
    "cut_at_layer",
    "The layers lost their names: give Sequential an OrderedDict of names and layers, not the layers alone.",
)
def loses_the_names(layers, name):
    return nn.Sequential(*cut_at_layer(layers, name))


@mistake("cut_at_layer", '"block" matched "block1": a part of a name is no name. Compare whole names with ==.')
def stops_at_the_first_beginning(layers, name):
    kept = OrderedDict()
    for own, layer in layers.named_children():
        kept[own] = layer
        if own.startswith(name):
            return nn.Sequential(kept)
    raise ValueError(name)


# embed


def _embedded(layers, x, batch_size, reduce):
    if batch_size < 1:
        raise ValueError("batch_size")
    layers.eval()
    with torch.inference_mode():
        return np.concatenate([reduce(layers(batch)).numpy() for batch in x.split(batch_size)])


@mistake(
    "embed",
    "The network stayed in training mode: batch statistics and dropout change what it says. Put it into "
    "evaluation mode.",
)
def stays_in_training_mode(layers, x, batch_size=32):
    torch.manual_seed(0)
    if batch_size < 1:
        raise ValueError("batch_size")
    layers.train()
    with torch.inference_mode():
        y = [layers(batch) for batch in x.split(batch_size)]
    return np.concatenate([(v.mean(dim=(2, 3)) if v.ndim == 4 else v).numpy() for v in y])


@mistake("embed", "Pictures are missing at the end: the last batch may be smaller, and it counts.")
def drops_the_last_batch(layers, x, batch_size=32):
    whole = len(x) // batch_size * batch_size if batch_size >= 1 and len(x) >= batch_size else len(x)
    return embed(layers, x[:whole], batch_size)


@mistake("embed", "Maps were laid out in a row. One number a channel remains: the mean over the positions.")
def flattens_the_maps(layers, x, batch_size=32):
    return _embedded(layers, x, batch_size, lambda y: y.flatten(1))


@mistake(
    "embed",
    "The numbers are right, and PyTorch kept everything for gradients: detach() afterwards is too late. Work inside "
    "torch.inference_mode() or no_grad().",
)
def keeps_what_gradients_need(layers, x, batch_size=32):
    if batch_size < 1:
        raise ValueError("batch_size")
    layers.eval()
    y = [layers(batch) for batch in x.split(batch_size)]
    return np.concatenate([(v.mean(dim=(2, 3)) if v.ndim == 4 else v).detach().numpy() for v in y])


@mistake("embed", "All pictures went through at once: a thousand need too much memory. Take batch_size at a time.")
def all_at_once(layers, x, batch_size=32):
    if batch_size < 1:
        raise ValueError("batch_size")
    return embed(layers, x, len(x))


@mistake(
    "embed",
    "The network is in training mode afterwards: the old mode was restored, or a copy was evaluated. Here it stays in "
    "evaluation mode.",
)
def restores_the_mode(layers, x, batch_size=32):
    before = layers.training
    vectors = embed(layers, x, batch_size)
    layers.train(before)
    return vectors


@mistake("embed", "The sum over the positions: the vector grows with the picture's size. Divide by their number.")
def sums_over_positions(layers, x, batch_size=32):
    return _embedded(layers, x, batch_size, lambda y: y.sum(dim=(2, 3)) if y.ndim == 4 else y)


# linear_probe


def _descent(features, labels, classes, lr, steps, penalty, *, bias_too=False, mean=True, factor=1.0, axis=1):
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError("labels")
    weight, bias = np.zeros((classes, features.shape[1])), np.zeros(classes)
    for _ in range(steps):
        logits = features @ weight.T + bias
        powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
        error = powers / powers.sum(axis=axis, keepdims=True) - np.eye(classes)[labels]
        error = error / len(features) if mean else error
        weight -= lr * (error.T @ features + factor * penalty * weight)
        bias -= lr * (error.sum(axis=0) + (penalty * bias if bias_too else 0))
    return weight, bias


@mistake(
    "linear_probe",
    "The gradient is summed over the pictures. The loss is their mean: divide by N, or the step depends on N.",
)
def sums_over_pictures(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return _descent(features, labels, classes, lr, steps, penalty, mean=False)


@mistake("linear_probe", "The bias is penalised as well. Only the weights are: the formula of L sums W alone.")
def penalises_the_bias(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return _descent(features, labels, classes, lr, steps, penalty, bias_too=True)


@mistake("linear_probe", "The penalty's gradient is half too small. L has λ/2: what is the derivative of ½W²?")
def half_the_penalty(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return _descent(features, labels, classes, lr, steps, penalty, factor=0.5)


@mistake("linear_probe", "The penalty has no effect. λW belongs to the gradient of the weights.")
def forgets_the_penalty(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return _descent(features, labels, classes, lr, steps, 0.0)


@mistake("linear_probe", "The softmax runs over the pictures. The probabilities of each picture, a row, sum to 1.")
def softmax_over_pictures(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return _descent(features, labels, classes, lr, steps, penalty, axis=0)


@mistake("linear_probe", "The steps go uphill: the gradient is subtracted.")
def climbs(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return linear_probe(features, labels, classes, -lr, steps, penalty)


@mistake(
    "linear_probe",
    "Large logits overflow in exp, and NaN spreads. Subtract each row's maximum first: the softmax stays the same.",
)
def overflows(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError("labels")
    weight, bias = np.zeros((classes, features.shape[1])), np.zeros(classes)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            powers = np.exp(features @ weight.T + bias)
            error = (powers / powers.sum(axis=1, keepdims=True) - np.eye(classes)[labels]) / len(features)
            weight -= lr * (error.T @ features + penalty * weight)
            bias -= lr * error.sum(axis=0)
    return weight, bias


@mistake(
    "linear_probe",
    "Class −1 was taken for the last one: NumPy counts negative indices from the end. Check the labels first.",
)
def believes_every_label(features, labels, classes, lr=1.0, steps=200, penalty=1e-3):
    return linear_probe(features, np.asarray(labels) % classes, classes, lr, steps, penalty)


# nearest


def _marked(queries, gallery, k, cosine, forbidden, mark):
    """Rank with a number in the place of the similarity of what is forbidden."""
    nearest(queries, gallery, k, cosine, forbidden)  # raises what has to be raised
    unit = lambda v: v / np.where((n := np.linalg.norm(v, axis=1, keepdims=True)) == 0, 1, n)  # noqa: E731
    similarity = unit(queries) @ unit(gallery).T if cosine else queries @ gallery.T
    blocked = np.zeros(similarity.shape, bool) if forbidden is None else forbidden
    return np.argsort(-np.where(blocked, mark, similarity), axis=1, kind="stable")[:, :k]


@mistake("nearest", "The least similar come first. Sorting goes upwards: which sign turns it round?")
def worst_first(queries, gallery, k, cosine=True, forbidden=None):
    return _marked(-queries, gallery, k, cosine, forbidden, -np.inf)


@mistake(
    "nearest",
    "A forbidden vector was found before two that point away, as if its similarity were 0. What is below all that "
    "similarities can be?",
)
def marks_with_zero(queries, gallery, k, cosine=True, forbidden=None):
    return _marked(queries, gallery, k, cosine, forbidden, 0.0)


@mistake(
    "nearest",
    "A forbidden vector was found before one that is allowed. By cosine no similarity is below −2; can a dot product "
    "be?",
)
def marks_with_minus_two(queries, gallery, k, cosine=True, forbidden=None):
    return _marked(queries, gallery, k, cosine, forbidden, -2.0)


@mistake("nearest", "The mask has no effect: a query found what it may not find.")
def ignores_forbidden(queries, gallery, k, cosine=True, forbidden=None):
    nearest(queries, gallery, k, cosine, forbidden)
    return nearest(queries, gallery, k, cosine)


@mistake(
    "nearest",
    "Vectors of the same direction are in the wrong order: an ε added to the lengths makes them unequal. Replace a "
    "length of 0 by 1, or take the maximum of length and ε.",
)
def adds_epsilon(queries, gallery, k, cosine=True, forbidden=None):
    nearest(queries, gallery, k, cosine, forbidden)  # raises what has to be raised
    if cosine:
        queries, gallery = (v / (np.linalg.norm(v, axis=1, keepdims=True) + 1e-12) for v in (queries, gallery))
    return nearest(queries, gallery, k, False, forbidden)


@mistake(
    "nearest",
    "Of equals the last one comes first: a sorted list that is reversed reverses them too. Sort −similarity, stably.",
)
def reverses_equals(queries, gallery, k, cosine=True, forbidden=None):
    nearest(queries, gallery, k, cosine, forbidden)
    turned = (
        len(gallery)
        - 1
        - nearest(queries, gallery[::-1], k, cosine, None if forbidden is None else np.asarray(forbidden)[:, ::-1])
    )
    return turned


@mistake("nearest", "A vector of zeros got 0/0, which sorts behind everything. Its similarity is 0: divide it by 1.")
def divides_by_zero(queries, gallery, k, cosine=True, forbidden=None):
    nearest(queries, gallery, k, cosine, forbidden)
    with np.errstate(all="ignore"):
        unit = lambda v: v / np.linalg.norm(v, axis=1, keepdims=True)  # noqa: E731
        similarity = unit(queries) @ unit(gallery).T if cosine else queries @ gallery.T
    blocked = np.zeros(similarity.shape, bool) if forbidden is None else forbidden
    return np.argsort(np.where(blocked, np.inf, -similarity), axis=1, kind="stable")[:, :k]


@mistake(
    "nearest",
    "Asked for more than there is to find, it returned forbidden or fewer vectors. Count what each query may "
    "find, and raise.",
)
def never_refuses(queries, gallery, k, cosine=True, forbidden=None):
    most = len(gallery) if forbidden is None else (~np.asarray(forbidden)).sum(axis=1).min()
    return nearest(queries, gallery, min(max(k, 1), most), cosine, forbidden)


# precision_at_k


@mistake(
    "precision_at_k",
    "One right answer among k counts as a full success here: that is top-k accuracy. Every answer counts.",
)
def any_right_answer(neighbours, query_labels, gallery_labels):
    precision_at_k(neighbours, query_labels, gallery_labels)
    return float((gallery_labels[neighbours] == query_labels[:, None]).any(axis=1).mean())


@mistake("precision_at_k", "Only the first neighbour of each query is looked at: that is P@1, whatever k is.")
def first_only(neighbours, query_labels, gallery_labels):
    return precision_at_k(neighbours[:, :1], query_labels, gallery_labels)


@mistake("precision_at_k", "In percent: the share goes from 0 to 1.")
def in_percent(neighbours, query_labels, gallery_labels):
    return 100 * precision_at_k(neighbours, query_labels, gallery_labels)


@mistake("precision_at_k", "The number of right answers over k: also divide by Q.")
def forgets_the_queries(neighbours, query_labels, gallery_labels):
    return precision_at_k(neighbours, query_labels, gallery_labels) * len(neighbours)


@mistake(
    "precision_at_k",
    "The neighbours' numbers were compared with classes. What class has each of them? Look it up in gallery_labels.",
)
def compares_numbers_with_classes(neighbours, query_labels, gallery_labels):
    precision_at_k(neighbours, query_labels, gallery_labels)
    return float((neighbours == query_labels[:, None]).mean())


@mistake("precision_at_k", "One number for each query. The mean over the queries is missing.")
def one_number_a_query(neighbours, query_labels, gallery_labels):
    return (gallery_labels[neighbours] == query_labels[:, None]).mean(axis=1)


@mistake("precision_at_k", "The number of right answers over Q: also divide by k.")
def forgets_k(neighbours, query_labels, gallery_labels):
    return precision_at_k(neighbours, query_labels, gallery_labels) * neighbours.shape[1]


@mistake(
    "precision_at_k",
    "NumPy compared one row of neighbours with two queries. Check first that there is one row for each.",
)
def stretches_rows(neighbours, query_labels, gallery_labels):
    return float((gallery_labels[neighbours] == query_labels[:, None]).mean())


# freeze


def _numbers(layers):
    return sum(p.numel() for p in layers.parameters() if p.requires_grad)


def _checked(layers, n):
    if not 0 <= n <= len(layers):
        raise ValueError("n")


@mistake(
    "freeze",
    "The weights are frozen, the running statistics are not: batch normalisations of frozen layers still move them in "
    "training mode. What switches the mode of a layer?",
)
def forgets_the_statistics(layers, n, fix_statistics=False):
    _checked(layers, n)
    layers.train()
    for i, layer in enumerate(layers):
        layer.requires_grad_(i >= n)
        for module in layer.modules():
            if fix_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
    return _numbers(layers)


@mistake(
    "freeze",
    "The layers to be trained are in evaluation mode, where an earlier test left them. They need train().",
)
def never_switches_on(layers, n, fix_statistics=False):
    _checked(layers, n)
    for i, layer in enumerate(layers):
        layer.requires_grad_(i >= n)
        if i < n:
            layer.eval()
        for module in layer.modules():
            if fix_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
    return _numbers(layers)


@mistake(
    "freeze",
    "The running statistics of the layers that are trained stand still, too. Without fix_statistics, they are in "
    "training mode.",
)
def freezes_all_statistics(layers, n, fix_statistics=False):
    return freeze(layers, n, True)


@mistake(
    "freeze",
    "What an earlier call froze stays frozen. The other layers are set to be trained, whatever they were before.",
)
def never_thaws(layers, n, fix_statistics=False):
    _checked(layers, n)
    before = [[p.requires_grad for p in layer.parameters()] for layer in layers]
    freeze(layers, n, fix_statistics)
    for layer, flags in zip(layers, before, strict=True):
        for p, flag in zip(layer.parameters(), flags, strict=True):
            p.requires_grad_(p.requires_grad and flag)
    return _numbers(layers)


@mistake("freeze", "Arrays of parameters were counted. Asked for are the numbers in them: numel().")
def counts_arrays(layers, n, fix_statistics=False):
    freeze(layers, n, fix_statistics)
    return sum(p.requires_grad for p in layers.parameters())


@mistake(
    "freeze",
    "With fix_statistics the dropout is off as well: everything is in evaluation mode. Only batch normalisations "
    "should be.",
)
def fixes_dropout_too(layers, n, fix_statistics=False):
    trained = freeze(layers, n, fix_statistics)
    if fix_statistics:
        layers.eval()
    return trained


@mistake(
    "freeze",
    "A batch normalisation of a trained layer is in training mode with fix_statistics: blocks were not looked into "
    "(layer.modules()), or train() came afterwards, or fix_statistics has no effect.",
)
def looks_at_layers_only(layers, n, fix_statistics=False):
    trained = freeze(layers, n)
    for layer in layers:
        if fix_statistics and isinstance(layer, nn.BatchNorm2d):
            layer.eval()
    return trained


@mistake(
    "freeze",
    "The batch normalisation of a block inside a block is missed: children() goes one level down, modules() all.",
)
def looks_one_level_down(layers, n, fix_statistics=False):
    trained = freeze(layers, n)
    for layer in layers:
        for module in layer.children():
            if fix_statistics and isinstance(module, nn.BatchNorm2d):
                module.eval()
    return trained


# parameter_groups


@mistake(
    "parameter_groups",
    "The rates are exchanged: the top layer learns at a tenth, what lies below at a hundredth.",
)
def exchanges_the_rates(layers, n, lr):
    groups = parameter_groups(layers, n, lr)
    return [{**group, "lr": rate} for group, rate in zip(groups, (lr / 100, lr / 10), strict=False)]


@mistake(
    "parameter_groups",
    "The top layer has the full original rate, the others a tenth: each is ten times too fast.",
)
def full_rate_on_top(layers, n, lr):
    return parameter_groups(layers, n, 10 * lr)


@mistake(
    "parameter_groups",
    "Frozen layers are in the groups: an optimiser with momentum or weight decay moves them. Begin behind layer n.",
)
def includes_frozen_layers(layers, n, lr):
    parameter_groups(layers, n, lr)
    return parameter_groups(layers, 0, lr)


@mistake(
    "parameter_groups",
    "Only the weights are there. Each layer's bias, and batch normalisation's two arrays, are trained as well.",
)
def weights_only_in_groups(layers, n, lr):
    groups = parameter_groups(layers, n, lr)
    return [{**group, "params": [p for p in group["params"] if p.ndim > 1]} for group in groups]


@mistake(
    "parameter_groups",
    "The very last layer was taken for the top, although it has no parameters. The top is the last one that has some.",
)
def top_without_parameters(layers, n, lr):
    *between, top = list(layers)[n:]
    groups = [{"params": list(top.parameters()), "lr": lr / 10}]
    rest = [p for layer in between for p in layer.parameters()]
    if rest:
        groups.append({"params": rest, "lr": lr / 100})
    return groups


@mistake(
    "parameter_groups",
    "All layers got a tenth. Only the top layer does; those between it and the frozen ones get a hundredth.",
)
def one_rate_for_all(layers, n, lr):
    groups = parameter_groups(layers, n, lr)
    return [{"params": [p for group in groups for p in group["params"]], "lr": lr / 10}]


@mistake("parameter_groups", "Each layer has a group of its own. Asked for is one group for all intermediate layers.")
def one_group_a_layer(layers, n, lr):
    parameter_groups(layers, n, lr)
    *between, top = (list(layer.parameters()) for layer in list(layers)[n:] if list(layer.parameters()))
    return [{"params": top, "lr": lr / 10}, *({"params": parameters, "lr": lr / 100} for parameters in between)]


@mistake("parameter_groups", "There is a group without parameters. Where nothing lies between, one group is enough.")
def empty_second_group(layers, n, lr):
    groups = parameter_groups(layers, n, lr)
    return groups if len(groups) == 2 else [*groups, {"params": [], "lr": lr / 100}]


# choose_strategy


def _error(values):
    return np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0


def _first_within(scores, best=None, error=_error):
    """Apply the rule with another best strategy, or with another error of the best."""
    if not scores or not all(len(values) for values in scores.values()):
        raise ValueError("scores")
    means = {name: np.mean(values) for name, values in scores.items()}
    best = max(means, key=means.get) if best is None else best(means)
    threshold = means[best] - error(scores[best])
    return next((name for name, mean in means.items() if mean >= threshold), None)


@mistake(
    "choose_strategy",
    "This is the best mean. The rule asks for the cheapest strategy that is within one standard error of it; or is the "
    "margin too small? √R, not R, stands below the deviation.",
)
def takes_the_best_mean(scores):
    return _first_within(scores, error=lambda values: 0.0)


@mistake(
    "choose_strategy",
    "The margin is too wide: the division by √R is missing, or the root over the variance.",
)
def standard_deviation(scores):
    return _first_within(scores, error=lambda values: np.std(values, ddof=1) if len(values) > 1 else 0.0)


@mistake("choose_strategy", "The variance is divided by R. With few repeats that is too small: R − 1.")
def divides_by_r(scores):
    return _first_within(scores, error=lambda values: np.std(values) / np.sqrt(len(values)))


@mistake(
    "choose_strategy",
    "The margin is a little too wide: does R − 1 stand in both places? It belongs below the squared deviations only; "
    "in front of the root it is √R.",
)
def divides_by_r_minus_one_twice(scores):
    return _first_within(scores, error=lambda values: _error(values) * np.sqrt(len(values) / max(len(values) - 1, 1)))


@mistake(
    "choose_strategy",
    "Each strategy was given its own error. The threshold is one for all: the best mean less the error of the best.",
)
def own_error_for_each(scores):
    choose_strategy(scores)  # raises what has to be raised
    means = {name: np.mean(values) for name, values in scores.items()}
    return next(name for name, mean in means.items() if mean >= max(means.values()) - _error(scores[name]))


@mistake(
    "choose_strategy",
    "With one repeat nothing was good enough, not even the best itself. Its error is 0, where the formula gives 0/0; "
    "or does > stand where ≥ is asked for?",
)
def nan_for_one_repeat(scores):
    return _first_within(scores, error=lambda values: _error(values) if len(values) > 1 else float("nan"))


@mistake(
    "choose_strategy",
    "The strategy with the best single score was taken for b. One repeat may be lucky: b has the best mean.",
)
def best_single_score(scores):
    return _first_within(scores, best=lambda means: max(means, key=lambda name: max(scores[name])))


@mistake("choose_strategy", "Of two equal means the last was taken for b, with an error of its own. The first is b.")
def last_of_equal_means(scores):
    return _first_within(scores, best=lambda means: max(reversed(means), key=means.get))
