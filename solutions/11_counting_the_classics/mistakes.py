"""Wrong answers to the exercises of module 11, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "layer_table": (
        "Symptom: a fully connected layer with too few weights? It takes all values, not one a channel. MACs too large "
        "for a layer that makes its maps smaller? Count the positions of what comes out. Biases 0 where there should "
        "be some, or weights a little too large? The two are kept apart. No error for 224? Look at the remainder.",
        "Idea: carry the present shape along. Each kind of layer makes a new shape of it, and the row is written from "
        "both. `divmod(n + 2 * padding - kernel, stride)` gives steps and remainder at once.",
        "Outline: a small function for one side, which raises where the remainder is not 0 or the window is larger "
        "than the picture; a loop over the entries with one branch for each kind; in conv first the groups, then the "
        "two sides, weights, biases, MACs, and only then the new shape; in fc the product of the shape; a dict a row.",
    ),
    "alexnet_spec": (
        "Symptom: a shape differs behind CONV2? Its padding is 2. The kinds come in another order? The normalisation "
        "stands before pooling. Parameters wrong in both forms, or in one? Look at which three layers have groups.",
        "Idea: one line of the table becomes one entry; `groups` is 2 or 1 for three layers at once.",
        "Outline: choose the number of groups; return a list that begins with image(3, 227, 227); five conv with "
        "lrn and pool where the table has them, another pool, three fc.",
    ),
    "audit_alexnet": (
        "Symptom: a side is too large when a smaller one is nearer, or the other way round at a tie? Look in both "
        "directions, the larger first. Errors of `zip` or shifted places? Pooling and normalisation have no neurons. "
        "Only one error found of two? Go on after the first.",
        "Idea: sides ordered by how far they are from the claimed one; the first at which `layer_table` does not raise "
        "is the one.",
        "Outline: go through the distances from 0, for each side above and below; build the spec with a picture of "
        "that side and the other layers; a ValueError means the next side; otherwise take the values of conv and fc "
        "rows, compare them with the claims place by place, and return both results. After the loop, raise.",
    ),
    "activation_bytes": (
        "Symptom: too small by a picture's worth? The picture counts. Right for one picture only, or in float32 only? "
        "Both factors multiply the whole sum. Wrong rows left out? `leave_out` holds positions from 0.",
        "Idea: one sum over the rows that count, times two factors.",
        "Outline: check batch and positions; add up `values` over `enumerate(table)` where the position is not in "
        "`leave_out`; multiply.",
    ),
    "split_across_gpus": (
        "Symptom: twice too much received? A GPU's own share needs no sending. Something received in the first layer? "
        "Everyone has the picture. 0 for a convolution with two groups on four GPUs? Two groups are no multiple of "
        "four.",
        "Idea: what a row receives depends on the row *before* it: how many values that has, and whether this layer "
        "reads all of them.",
        "Outline: check gpus, and filters or units of each layer; begin the list with 0 for the picture; walk over "
        "layers and the rows below them together; 0 for pool, lrn, readers of the picture and convolutions with a "
        "fitting number of groups, otherwise (G − 1)/G of the values below; parameters are the sum over G.",
    ),
    "local_response_norm": (
        "Symptom: right in the middle channel only? Look at the window at both ends, whose last channel must be "
        "included. Nearly right with the paper's constants? α is not divided by n here. Values mix between positions? "
        "The sum runs over channels, axis 1.",
        "Idea: squares first; then for each channel the sum of a slice of the squares along axis 1.",
        "Outline: refuse even n; square; for channel i sum channels from max(0, i − n//2) up to and with i + n//2 (a "
        "slice may end beyond the last); stack along axis 1; divide x by (k + α · sums) to the power β.",
    ),
    "vgg_spec": (
        "Symptom: the toolkit says a window does not fit? Padding 1 keeps 3 × 3 layers' sizes. A 1 × 1 layer makes "
        "maps larger? It needs no padding. Too many weights in stage 5? Channels stop doubling at 512.",
        "Idea: a dict from configuration to five depths, and one loop over the stages.",
        "Outline: refuse unknown names; begin with the picture; for each stage that many conv(filters, 3, padding=1), "
        "the last one replaced by conv(filters, 1) in stages 3 to 5 of C; then pool(2, 2); three fc at the end.",
    ),
    "find_vgg_error": (
        "Symptom: right lines reported? Compare the difference with 2 % of the counted number, and weights without "
        "biases. An empty list for a wrong total? The counted total is the sum of *your* column, not of the slide's. "
        "Wrong order? Row by row, memory before params.",
        "Idea: first make a list of all claims with what you count, then keep those that are off.",
        "Outline: for each row two tuples (what, row, claimed, counted); two more for the totals, with sums over the "
        "table; keep those with |claimed − counted| > tolerance · counted.",
    ),
    "topk_accuracy": (
        "Symptom: numbers are 1 minus what they should be? Accuracy, not error. All scores equal goes wrong? A stable "
        "sort keeps the smaller number first. Nothing raised for k = 4 of 3 classes? A slice beyond the end is quiet.",
        "Idea: sort the classes of every picture once, best first; then k is a slice.",
        "Outline: check every k; `np.argsort(-scores, axis=1, kind='stable')`; compare with `labels[:, None]`; for "
        "each k: is there a hit among the first k columns? Mean over the pictures, as a float.",
    ),
}

# The solved notebook's functions; mistakes differ from them in one step.
official = {
    "layer_table": layer_table,
    "activation_bytes": activation_bytes,
    "local_response_norm": local_response_norm,
    "vgg_spec": vgg_spec,
}


def each_row(spec, change):
    """Return the official table with every row changed by change(row, layer, shape before it)."""
    rows, before = official["layer_table"](spec), None
    for row, layer in zip(rows, spec, strict=True):
        after = row["shape"]
        change(row, layer, before)
        before = after
    return rows


@mistake("layer_table", "A fully connected layer has a weight for every value that comes in, not for every channel.")
def one_weight_a_channel(spec):
    def change(row, layer, before):
        if layer["kind"] == "fc":
            row["weights"] = row["macs"] = before[0] * layer["units"]

    return each_row(spec, change)


@mistake("layer_table", "Groups are missing: with g groups a filter sees only C/g of the channels.")
def ignores_groups(spec):
    def change(row, layer, before):
        if layer["kind"] == "conv":
            row["weights"] *= layer["groups"]
            row["macs"] *= layer["groups"]

    return each_row(spec, change)


@mistake("layer_table", "Your weights hold the biases too. The table keeps the two apart.")
def biases_among_the_weights(spec):
    def change(row, layer, before):
        row["weights"] += row["biases"]

    return each_row(spec, change)


@mistake("layer_table", "You count MACs at the input's positions. Products are made where something comes out.")
def macs_at_the_input(spec):
    def change(row, layer, before):
        if layer["kind"] == "conv":
            row["macs"] = row["weights"] * before[1] * before[2]

    return each_row(spec, change)


@mistake("layer_table", "The padding stands on both sides of the picture: 2P, not P.")
def padding_on_one_side(spec):
    shape, rows = None, []
    for layer in spec:
        if layer["kind"] == "conv":
            one_side = [(n + layer["padding"] - layer["kernel"]) // layer["stride"] + 1 for n in shape[1:]]
            shape = (layer["filters"], *one_side)
        else:
            picture = {"kind": "image", "shape": shape}
            shape = official["layer_table"]([layer] if shape is None else [picture, layer])[-1]["shape"]
        rows.append({"kind": layer["kind"], "shape": shape})
    return rows


@mistake(
    "layer_table", "Where a window does not end at the border you go on, or round down. Here that is a ValueError."
)
def rounds_down(spec):
    try:
        return official["layer_table"](spec)
    except ValueError:
        if any(layer["kind"] == "conv" and layer["groups"] > 1 for layer in spec):
            raise
        return []


@mistake("layer_table", "With groups, too few maps come out. Each group makes F/g of them: F in all, whatever g is.")
def maps_of_one_group(spec):
    rows, alone = [], [dict(layer) for layer in spec]
    for layer in alone:
        groups = layer.get("groups", 1)
        if layer.get("filters", 0) % groups:
            raise ValueError("groups do not divide the filters")
    for place, layer in enumerate(alone):
        row = official["layer_table"](alone[: place + 1])[-1]
        groups = layer.get("groups", 1)
        if groups > 1:
            row["shape"] = (layer["filters"] // groups, *row["shape"][1:])
            row["values"] //= groups
            # What follows sees these maps only.
            alone[: place + 1] = [{"kind": "image", "shape": row["shape"]}] * (place + 1)
        rows.append(row)
    return [{**row, "kind": layer["kind"]} for row, layer in zip(rows, spec, strict=True)]


@mistake(
    "layer_table", "One window too few along each side. After the first, each step gives one more: is there a + 1?"
)
def counts_steps_only(spec):
    shape, rows = None, []
    for layer in spec:
        picture = {"kind": "image", "shape": shape}
        row = official["layer_table"]([layer] if shape is None else [picture, layer])[-1]
        shape = row["shape"]
        if layer["kind"] in ("conv", "pool"):
            shape = (shape[0], *(n - 1 for n in shape[1:]))
        rows.append({"kind": layer["kind"], "shape": shape})
    return rows


@mistake("alexnet_spec", "Pooling comes before the normalisation, as in the two lectures. The paper normalises first.")
def pools_first(two_gpus=True):
    spec = alexnet_official(two_gpus)
    spec[2], spec[3] = spec[3], spec[2]
    spec[5], spec[6] = spec[6], spec[5]
    return spec


def alexnet_official(two_gpus):
    groups = 2 if two_gpus else 1
    spec = [image(3, 227, 227), conv(96, 11, stride=4), lrn(), pool(3, 2)]
    spec += [conv(256, 5, padding=2, groups=groups), lrn(), pool(3, 2), conv(384, 3, padding=1)]
    spec += [conv(384, 3, padding=1, groups=groups), conv(256, 3, padding=1, groups=groups), pool(3, 2)]
    return [*spec, fc(4096), fc(4096), fc(1000)]


@mistake(
    "alexnet_spec",
    "Without the split (two_gpus=False) there is one group everywhere. Does your flag count, and the right way round?",
)
def always_two_gpus(two_gpus=True):
    return alexnet_official(True)


@mistake("alexnet_spec", "With two_gpus=True no layer of yours has two groups. Three of them need them.")
def never_two_gpus(two_gpus=True):
    return alexnet_official(False)


@mistake("alexnet_spec", "CONV3 sees the maps of both GPUs: it has one group.")
def splits_conv3_too(two_gpus=True):
    spec = alexnet_official(two_gpus)
    spec[7] = conv(384, 3, padding=1, groups=2 if two_gpus else 1)
    return spec


@mistake("alexnet_spec", "With 224 pixels the windows of CONV1 do not fit. Take the side that stands in the table.")
def takes_the_papers_size(two_gpus=True):
    return [image(3, 224, 224), *alexnet_official(two_gpus)[1:]]


def audit(spec, neurons, sides, kinds=("conv", "fc"), most=None):
    channels = spec[0]["shape"][0]
    for side in sides:
        try:
            table = official["layer_table"]([{"kind": "image", "shape": (channels, side, side)}, *spec[1:]])
        except ValueError:
            continue
        counts = [row["values"] for row in table if row["kind"] in kinds]
        wrong = {i: n for i, (n, said) in enumerate(zip(counts, neurons, strict=False)) if n != said}
        return side, dict(list(wrong.items())[:most])
    raise ValueError("no side fits")


def nearest(claimed, larger_first=True):
    sign = -1 if larger_first else 1
    return sorted(range(1, 2 * claimed + 1), key=lambda side: (abs(side - claimed), sign * side))


@mistake("audit_alexnet", "You only look upwards. A smaller side may be nearer.")
def only_larger_sides(spec, neurons):
    claimed = spec[0]["shape"][1]
    return audit(spec, neurons, range(claimed, 2 * claimed + 1))


@mistake("audit_alexnet", "You only look downwards. A larger side may be nearer.")
def only_smaller_sides(spec, neurons):
    return audit(spec, neurons, range(spec[0]["shape"][1], 0, -1))


@mistake("audit_alexnet", "Of two sides that are equally near, the larger one is asked for.")
def smaller_at_a_tie(spec, neurons):
    return audit(spec, neurons, nearest(spec[0]["shape"][1], larger_first=False))


@mistake("audit_alexnet", "Pooling and normalisation are counted as layers of neurons: only conv and fc rows are.")
def counts_pooling(spec, neurons):
    return audit(spec, neurons, nearest(spec[0]["shape"][1]), kinds=("conv", "fc", "pool", "lrn"))


@mistake("audit_alexnet", "You stop at the first wrong number. There may be more.")
def first_error_only(spec, neurons):
    return audit(spec, neurons, nearest(spec[0]["shape"][1]), most=1)


@mistake("audit_alexnet", "Wrong numbers of fully connected layers are not found. Their units are neurons as well.")
def without_fully_connected(spec, neurons):
    return audit(spec, neurons, nearest(spec[0]["shape"][1]), kinds=("conv",))


@mistake("audit_alexnet", "The dict holds what was claimed. What you counted is asked for.")
def returns_the_claims(spec, neurons):
    side, wrong = audit(spec, neurons, nearest(spec[0]["shape"][1]))
    return side, {place: neurons[place] for place in wrong}


@mistake("audit_alexnet", "Where no side fits, your function gives None. A ValueError is asked for.")
def falls_off_the_end(spec, neurons):
    try:
        return audit(spec, neurons, nearest(spec[0]["shape"][1]))
    except ValueError:
        return None


@mistake("activation_bytes", "The picture itself is missing in the sum: the first layer's gradient needs it.")
def without_the_picture(table, batch=1, bytes_per_value=4, leave_out=()):
    return official["activation_bytes"](table, batch, bytes_per_value, {0, *leave_out})


@mistake("activation_bytes", "The batch is not counted: every picture has its own activations.")
def one_picture(table, batch=1, bytes_per_value=4, leave_out=()):
    return official["activation_bytes"](table, 1, bytes_per_value, leave_out)


@mistake("activation_bytes", "You take 4 bytes a value whatever bytes_per_value says.")
def always_float32(table, batch=1, bytes_per_value=4, leave_out=()):
    return official["activation_bytes"](table, batch, 4, leave_out)


@mistake("activation_bytes", "The rows in leave_out are counted after all.")
def leaves_nothing_out(table, batch=1, bytes_per_value=4, leave_out=()):
    return official["activation_bytes"](table, batch, bytes_per_value)


@mistake("activation_bytes", "Your sum counts the positions in leave_out from 1. They begin at 0, with the picture.")
def counts_rows_from_one(table, batch=1, bytes_per_value=4, leave_out=()):
    kept = [row["values"] for place, row in enumerate(table, start=1) if place not in leave_out]
    return batch * bytes_per_value * sum(kept)


def split(spec, table, gpus, sent, share=True):
    official_check(spec, gpus)
    received = [0] + [
        sent(layer, below, row, gpus) for layer, below, row in zip(spec[1:], table, table[1:], strict=False)
    ]
    return sum(row["weights"] + row["biases"] for row in table) // (gpus if share else 1), received


def official_check(spec, gpus):
    if gpus < 1 or any(layer.get("filters", layer.get("units", 0)) % gpus for layer in spec):
        raise ValueError("gpus do not divide")


def reads_all(layer, below, gpus):
    return layer["kind"] in ("conv", "fc") and below["kind"] != "image" and layer.get("groups", 1) % gpus


def sent_officially(layer, below, row, gpus):
    return below["values"] * (gpus - 1) // gpus if reads_all(layer, below, gpus) else 0


@mistake("split_across_gpus", "You send the whole layer below. A GPU's own share lies there already.")
def sends_everything(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        return below["values"] if reads_all(layer, below, gpus) and gpus > 1 else 0

    return split(spec, table, gpus, sent)


@mistake("split_across_gpus", "The first layer receives part of the picture. Every GPU has the whole picture.")
def sends_the_picture(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        everything = layer["kind"] in ("conv", "fc") and layer.get("groups", 1) % gpus
        return below["values"] * (gpus - 1) // gpus if everything else 0

    return split(spec, table, gpus, sent)


@mistake("split_across_gpus", "Convolutions with groups receive too. With a group a GPU they read their own maps.")
def groups_receive_too(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        everything = layer["kind"] in ("conv", "fc") and below["kind"] != "image"
        return below["values"] * (gpus - 1) // gpus if everything else 0

    return split(spec, table, gpus, sent)


@mistake("split_across_gpus", "You count what the layer itself puts out. It receives values of the row before it.")
def sends_what_comes_out(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        return row["values"] * (gpus - 1) // gpus if reads_all(layer, below, gpus) else 0

    return split(spec, table, gpus, sent)


@mistake("split_across_gpus", "All parameters are stored on each GPU. Each stores those of its own filters and units.")
def every_gpu_stores_all(spec, table, gpus=2):
    return split(spec, table, gpus, sent_officially, share=False)


@mistake("split_across_gpus", "A share of one half whatever gpus says: with G of them, (G − 1)/G is received.")
def always_halves(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        return below["values"] // 2 if reads_all(layer, below, gpus) and gpus > 1 else 0

    return split(spec, table, gpus, sent)


@mistake(
    "split_across_gpus", "At least as many groups as GPUs is not enough: with 3 groups on 2 GPUs, one lies on both."
)
def enough_groups_will_do(spec, table, gpus=2):
    def sent(layer, below, row, gpus):
        everything = layer["kind"] in ("conv", "fc") and layer.get("groups", 1) < gpus and below["kind"] != "image"
        return below["values"] * (gpus - 1) // gpus if everything else 0

    return split(spec, table, gpus, sent)


@mistake(
    "split_across_gpus",
    "You count layers with groups whole. The table does not halve them: each GPU stores its own filters only.",
)
def stores_grouped_layers_whole(spec, table, gpus=2):
    received = split(spec, table, gpus, sent_officially)[1]
    shares = [1 if layer.get("groups", 1) > 1 else gpus for layer in spec]
    return sum((row["weights"] + row["biases"]) // n for row, n in zip(table, shares, strict=True)), received


@mistake("local_response_norm", "α is divided by n, as PyTorch does with its own. The paper's formula does not.")
def alpha_over_n(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    return official["local_response_norm"](x, n, k, alpha / n, beta)


@mistake("local_response_norm", "The window ends one channel too early: a slice does not include its end.")
def ends_too_early(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    half = n // 2
    sums = [(x[:, max(0, i - half) : i + half] ** 2).sum(axis=1) for i in range(x.shape[1])]
    return x / (k + alpha * np.stack(sums, axis=1)) ** beta


@mistake("local_response_norm", "At the first channels the slice begins below 0, which NumPy counts from the end.")
def negative_start(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    half = n // 2
    sums = [(x[:, i - half : i + half + 1] ** 2).sum(axis=1) for i in range(x.shape[1])]
    return x / (k + alpha * np.stack(sums, axis=1)) ** beta


@mistake("local_response_norm", "The values are summed, not their squares.")
def no_squares(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    half = n // 2
    sums = [x[:, max(0, i - half) : i + half + 1].sum(axis=1) for i in range(x.shape[1])]
    return x / (k + alpha * np.stack(sums, axis=1)) ** beta


@mistake("local_response_norm", "The power β is missing.")
def no_power(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    return official["local_response_norm"](x, n, k, alpha, 1.0)


@mistake("local_response_norm", "You sum over all channels. The window is n channels wide.")
def all_channels(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    return x / (k + alpha * (x**2).sum(axis=1, keepdims=True)) ** beta


@mistake("local_response_norm", "The window goes round at the ends: the first channel is no neighbour of the last.")
def wraps_around(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    sums = sum(np.roll(x**2, step, axis=1) for step in range(-(n // 2), n // 2 + 1))
    return x / (k + alpha * sums) ** beta


@mistake(
    "local_response_norm", "The window has n channels on each side. It is n wide in all, the own channel included."
)
def n_on_each_side(x, n=5, k=2.0, alpha=1e-4, beta=0.75):
    if n % 2 == 0:
        raise ValueError("n must be odd")
    return official["local_response_norm"](x, 2 * n + 1, k, alpha, beta)


@mistake("vgg_spec", "Without padding the maps shrink in every convolution and soon do not fit. VGG pads by 1.")
def no_padding(configuration):
    spec = official["vgg_spec"](configuration)
    return [{**layer, "padding": 0} if layer["kind"] == "conv" else layer for layer in spec]


@mistake("vgg_spec", "In C the last convolutions of stages 3 to 5 are 1 × 1; yours are 3 × 3, as in D.")
def no_1x1(configuration):
    return official["vgg_spec"]("D" if configuration == "C" else configuration)


@mistake("vgg_spec", "The channels stop doubling at 512: stage 5 has as many as stage 4.")
def doubles_to_1024(configuration):
    spec, stage = [], 1
    for layer in official["vgg_spec"](configuration):
        stage += layer["kind"] == "pool"
        spec.append({**layer, "filters": 1024} if stage == 5 and layer["kind"] == "conv" else layer)
    return spec


@mistake("vgg_spec", "The 1 × 1 convolutions have padding 1, which makes the maps larger. They need none.")
def pads_1x1(configuration):
    spec = official["vgg_spec"](configuration)
    return [{**layer, "padding": 1} if layer["kind"] == "conv" else layer for layer in spec]


@mistake("vgg_spec", "There is no pooling behind stage 5: the first fully connected layer then sees 14 × 14 maps.")
def no_last_pool(configuration):
    spec = official["vgg_spec"](configuration)
    return [*spec[:-4], *spec[-3:]]


@mistake("vgg_spec", "B has A's first two stages. It has one convolution more in each of them.")
def b_begins_like_a(configuration):
    spec = official["vgg_spec"](configuration)
    return [layer for place, layer in enumerate(spec) if configuration != "B" or place not in (2, 5)]


def slide_errors(table, memory, params, totals, tolerance, wrong=None):
    claims = [
        (what, place, said[place], row[key])
        for place, row in enumerate(table)
        for what, said, key in (("memory", memory, "values"), ("params", params, "weights"))
    ]
    claims += [("memory", "total", totals[0], sum(row["values"] for row in table))]
    claims += [("params", "total", totals[1], sum(row["weights"] for row in table))]
    wrong = wrong or (lambda said, count: abs(said - count) > tolerance * count)
    return [claim for claim in claims if wrong(claim[2], claim[3])]


@mistake("find_vgg_error", "Every rounded number is reported. Off by up to the tolerance is right.")
def no_tolerance(table, memory, params, total_memory, total_params, tolerance=0.02):
    return slide_errors(table, memory, params, (total_memory, total_params), 0.0)


@mistake("find_vgg_error", "Biases are counted among the parameters; the slide leaves them out.")
def counts_biases(table, memory, params, total_memory, total_params, tolerance=0.02):
    with_biases = [{**row, "weights": row["weights"] + row["biases"]} for row in table]
    return slide_errors(with_biases, memory, params, (total_memory, total_params), tolerance)


@mistake("find_vgg_error", "Only claims that are too large are found. They may be too small as well.")
def too_large_only(table, memory, params, total_memory, total_params, tolerance=0.02):
    totals = (total_memory, total_params)
    return slide_errors(table, memory, params, totals, tolerance, lambda said, n: said - n > tolerance * n)


@mistake("find_vgg_error", "The totals are not judged. A slide can add up its right lines wrongly.")
def lines_only(table, memory, params, total_memory, total_params, tolerance=0.02):
    found = slide_errors(table, memory, params, (total_memory, total_params), tolerance)
    return [claim for claim in found if claim[1] != "total"]


@mistake("find_vgg_error", "A tolerance of 0.02 is used whatever the argument says.")
def fixed_tolerance(table, memory, params, total_memory, total_params, tolerance=0.02):
    return slide_errors(table, memory, params, (total_memory, total_params), 0.02)


@mistake("find_vgg_error", "The tolerance is a share of the claim, or of the larger number. Take that of your count.")
def share_of_the_claim(table, memory, params, total_memory, total_params, tolerance=0.02):
    totals = (total_memory, total_params)
    return slide_errors(table, memory, params, totals, tolerance, lambda said, n: abs(said - n) > tolerance * said)


@mistake("find_vgg_error", "Claims without any error are reported: 0 against 0. Only what is off by *more* is wrong.")
def from_the_tolerance_on(table, memory, params, total_memory, total_params, tolerance=0.02):
    totals = (total_memory, total_params)
    return slide_errors(table, memory, params, totals, tolerance, lambda said, n: abs(said - n) >= tolerance * n)


@mistake("find_vgg_error", "The tuples end in the wrong order: what is claimed comes first, then what you count.")
def counted_before_claimed(table, memory, params, total_memory, total_params, tolerance=0.02):
    found = slide_errors(table, memory, params, (total_memory, total_params), tolerance)
    return [(what, place, count, said) for what, place, said, count in found]


def hits(scores, labels, ks, order):
    if any(not 1 <= k <= scores.shape[1] for k in ks):
        raise ValueError("k out of range")
    found = order == labels[:, None]
    return [float(found[:, :k].any(axis=1).mean()) for k in ks]


def best_first(scores):
    return np.argsort(-scores, axis=1, kind="stable")


@mistake("topk_accuracy", "This is the error. Accuracy is the share of pictures whose class *is* among the guesses.")
def the_error(scores, labels, ks=(1, 5)):
    return [1 - share for share in hits(scores, labels, ks, best_first(scores))]


@mistake("topk_accuracy", "The classes are sorted from the lowest score up, so your guesses are the worst ones.")
def worst_first(scores, labels, ks=(1, 5)):
    return hits(scores, labels, ks, np.argsort(scores, axis=1, kind="stable"))


@mistake("topk_accuracy", "Among equal scores the larger number comes first. Reversing a sort reverses the ties too.")
def reversed_ties(scores, labels, ks=(1, 5)):
    return hits(scores, labels, ks, np.argsort(scores, axis=1, kind="stable")[:, ::-1])


@mistake("topk_accuracy", "Your k-th number asks whether the k-th guess alone is right. Any of the first k will do.")
def kth_guess_only(scores, labels, ks=(1, 5)):
    hits(scores, labels, ks, best_first(scores))
    found = best_first(scores) == labels[:, None]
    return [float(found[:, k - 1].mean()) for k in ks]


@mistake("topk_accuracy", "The answers come in the order of rising k. The order of ks is asked for.")
def sorts_ks(scores, labels, ks=(1, 5)):
    return hits(scores, labels, sorted(ks), best_first(scores))


@mistake("topk_accuracy", "Nothing is raised for more guesses than there are classes.")
def any_k(scores, labels, ks=(1, 5)):
    found = best_first(scores) == labels[:, None]
    return [float(found[:, :k].any(axis=1).mean()) for k in ks]
