"""Wrong answers to the exercises of module 17, and what a learner who gave one should read."""

import numpy as np
import torch

from convnets.checks.authoring import mistake

hints = {
    "filter_grid": (
        "Symptom: white everywhere, or too dark? Each filter has its own smallest and largest weight. NaN? A filter "
        "whose weights are all equal has no range. One row or column too many? The gap lies between tiles only.",
        "Idea: a white picture first, then each tile is written into its place.",
        "Outline: rows = ceiling of N / columns; ones of (rows · (K_h + gap) − gap, …, C); for filter i the row is i "
        "// columns and the column i % columns; scale, move the channels last, write.",
    ),
    "top_patches": (
        "Symptom: one picture appears twice? One patch for each picture. Row and column wrong? A flat place is row · "
        "width + column. The order of equals turned round? A reversed ascending sort does that.",
        "Idea: first the best of each picture, then the best pictures.",
        "Outline: refuse k; the unit's maps as (N, H · W); maximum and its place along the last axis; a stable sort "
        "of the negative maxima; the first k as tuples, the place divided by the width with remainder.",
    ),
    "patch_box": (
        "Symptom: right for one layer and wrong for two with strides? Which jump counts, the one before the layer or "
        "the one after it? Off by one? `bottom` is the first row that is not seen. Negative numbers? The box ends at "
        "the rim.",
        "Idea: three numbers updated layer by layer; then the unit's row and column; then the rim.",
        "Outline: jump 1, field 1, start 0; for each layer the field, the start, and last the jump; top = start + row "
        "· jump; bottom = top + field; cut both at 0 and at the height; the same for columns.",
    ),
    "occlusion_map": (
        "Symptom: scores that fall from entry to entry and never recover? Each covered picture begins with the whole "
        "one. A row or column missing? The last place is the picture's side minus the square's. Other values where "
        "fill is given? It replaces the pixels.",
        "Idea: two loops over the upper left corner; inside, a copy with the square filled.",
        "Outline: refuse a square that is too large; without gradients, for every top in range(0, H − side + 1, step) "
        "collect the covered copies of that row, run them in one batch, keep column `target`; stack the rows.",
    ),
    "saliency": (
        "Symptom: negative entries? The size of a slope counts. A sum or a mean where the largest channel is asked "
        "for? The wrong shape? Channels go, rows and columns stay.",
        "Idea: one gradient of one score by the pixels.",
        "Outline: a detached copy that takes gradients; the score of the target; torch.autograd.grad by the copy; "
        "size; maximum over the channels.",
    ),
    "grad_cam": (
        "Symptom: negative entries? The ReLU comes last. Too large by the number of positions? The weight of a "
        "channel is a mean. Entries missing that should be there? Weights may be negative.",
        "Idea: the gradient by the feature maps, not by the pixels; one weight for each channel.",
        "Outline: the maps from `features`, detached, taking gradients; the score from `head`; its gradient by the "
        "maps; mean over rows and columns; weighted sum over the channels; ReLU; detach.",
    ),
    "gradient_ascent": (
        "Symptom: right without jitter, wrong with it? The gradient must be rolled back by the opposite shift, and "
        "the picture itself stays where it is. NaN on a flat objective? Nothing can be divided by 0. A history that "
        "is one too long? It is noted before each step only.",
        "Idea: the picture stays in its place; only a shifted copy is shown to the objective.",
        "Outline: loop: shifts (0, 0 without jitter); rolled copy that takes gradients; value; gradient; rolled back; "
        "its root mean square; if that is above 0 the step and the clip; note the value.",
    ),
    "total_variation": (
        "Symptom: right for one row and wrong for two? Both directions count. Half or twice? Each pair counts once, "
        "and a square has a slope of twice the difference. Values at the rim wrong? A rolled picture makes neighbours "
        "of opposite rims.",
        "Idea: the two differences, downwards and to the right, serve both the value and the gradient.",
        "Outline: down = lower minus upper rows, right likewise; sum of their squares; a gradient of zeros to which "
        "twice each difference is added at its later pixel and from which it is taken at its earlier one.",
    ),
    "deep_dream": (
        "Symptom: right for one octave and wrong for two? The detail is what was added to the photograph of *that* "
        "octave. Blurred results? Each octave begins with the original photograph. Values above 1 given to climb? "
        "Clip before it.",
        "Idea: carry the detail from octave to octave, never the picture.",
        "Outline: refuse an empty list; detail 0; for each size the photograph and the detail at that size; their "
        "sum, clipped, goes into climb; the new detail is the result minus the photograph; return the last result.",
    ),
}

# The solved notebook's functions; mistakes differ from them in one step.
official = {
    "filter_grid": filter_grid,
    "top_patches": top_patches,
    "patch_box": patch_box,
    "occlusion_map": occlusion_map,
    "saliency": saliency,
    "grad_cam": grad_cam,
    "gradient_ascent": gradient_ascent,
    "total_variation": total_variation,
    "deep_dream": deep_dream,
}


def laid_out(tiles, columns, gap, rim=1.0):
    """Lay tiles (K_h, K_w, C) out as filter_grid does."""
    height, width, c = tiles[0].shape
    if c not in (1, 3):
        raise ValueError
    rows = -(-len(tiles) // columns)
    grid = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, c), rim)
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        grid[top : top + height, left : left + width] = tile
    return grid


def scaled(one, low, high):
    """Return a filter scaled to 0 … 1, its channels last."""
    return ((one - low) / (high - low) if high > low else np.full(one.shape, 0.5)).transpose(1, 2, 0)


@mistake("filter_grid", "All filters share one scale here. Each of them has its own smallest and largest weight.")
def one_scale_for_all(weight, columns, gap=1):
    return laid_out([scaled(one, weight.min(), weight.max()) for one in weight], columns, gap)


@mistake(
    "filter_grid",
    "Each colour is scaled on its own, which changes the hue. The three channels of a filter share one scale.",
)
def a_scale_for_each_channel(weight, columns, gap=1):
    return laid_out(
        [
            np.concatenate([scaled(one[c : c + 1], one[c].min(), one[c].max()) for c in range(len(one))], 2)
            for one in weight
        ],
        columns,
        gap,
    )


@mistake(
    "filter_grid",
    "You divide by the largest size, which leaves negative weights. The smallest weight should become 0.",
)
def divides_by_the_largest(weight, columns, gap=1):
    return laid_out([(one / max(np.abs(one).max(), 1e-12)).transpose(1, 2, 0) for one in weight], columns, gap)


@mistake("filter_grid", "The tiles run down the columns. They should fill one row after the other.")
def column_by_column(weight, columns, gap=1):
    rows = -(-len(weight) // columns)
    tiles = [scaled(one, one.min(), one.max()) for one in weight]
    order = [tiles[c * rows + r] if c * rows + r < len(tiles) else None for r in range(rows) for c in range(columns)]
    white = np.ones_like(tiles[0])
    return laid_out([white if tile is None else tile for tile in order], columns, gap)


@mistake("filter_grid", "Gaps or empty places are black. They should be white, 1.")
def black_gaps(weight, columns, gap=1):
    return laid_out([scaled(one, one.min(), one.max()) for one in weight], columns, gap, rim=0.0)


@mistake("filter_grid", "A filter of equal weights divides by 0. It should be 0.5 everywhere.")
def divides_by_no_range(weight, columns, gap=1):
    with np.errstate(all="ignore"):
        return laid_out(
            [((one - one.min()) / (one.max() - one.min())).transpose(1, 2, 0) for one in weight], columns, gap
        )


@mistake("filter_grid", "There is a gap behind the last row and column, too. It lies between tiles only.")
def gap_at_the_rim(weight, columns, gap=1):
    grid = official["filter_grid"](weight, columns, gap)
    return np.pad(grid, ((0, gap), (0, gap), (0, 0)), constant_values=1.0)


@mistake("filter_grid", "A tile begins at the wrong column. Is it a tile's width, not its height, that counts there?")
def height_for_the_width(weight, columns, gap=1):
    n, _, height, width = weight.shape
    grid = laid_out([np.ones((height, width, weight.shape[1]))] * n, columns, gap)
    for i, one in enumerate(weight):
        top, left = i // columns * (height + gap), i % columns * (height + gap)
        grid[top : top + height, left : left + width] = scaled(one, one.min(), one.max())
    return grid


@mistake("top_patches", "The same picture appears several times. Take the best position of each picture first.")
def several_of_one_picture(features, unit, k):
    n, _, height, width = features.shape
    if not 1 <= k <= n:
        raise ValueError
    flat = features[:, unit].ravel()
    order = np.argsort(-flat, kind="stable")[:k]
    return [
        (int(i) // (height * width), int(i) % (height * width) // width, int(i) % width, float(flat[i])) for i in order
    ]


@mistake("top_patches", "The first k pictures are returned in their own order. Sort them by activation.")
def does_not_sort(features, unit, k):
    n, _, _, width = features.shape
    if not 1 <= k <= n:
        raise ValueError
    flat = features[:, unit].reshape(n, -1)
    return [(i, int(flat[i].argmax()) // width, int(flat[i].argmax()) % width, float(flat[i].max())) for i in range(k)]


@mistake("top_patches", "An ascending order: the weakest come first. The largest activation should.")
def weakest_first(features, unit, k):
    n, _, _, width = features.shape
    if not 1 <= k <= n:
        raise ValueError
    flat = features[:, unit].reshape(n, -1)
    order = np.argsort(flat.max(axis=1), kind="stable")[-k:]
    return [
        (int(i), int(flat[i].argmax()) // width, int(flat[i].argmax()) % width, float(flat[i].max())) for i in order
    ]


@mistake("top_patches", "Is a flat place divided by the height? It is row · width + column.")
def divides_by_the_height(features, unit, k):
    height, width = features.shape[2:]
    return [
        (n, (i * width + j) // height, (i * width + j) % height, v)
        for n, i, j, v in official["top_patches"](features, unit, k)
    ]


@mistake("top_patches", "You compare sizes. A strongly negative activation is no activity.")
def strongest_by_size(features, unit, k):
    n, _, _, width = features.shape
    if not 1 <= k <= n:
        raise ValueError
    flat = np.abs(features[:, unit].reshape(n, -1))
    order = np.argsort(-flat.max(axis=1), kind="stable")[:k]
    return [
        (int(i), int(flat[i].argmax()) // width, int(flat[i].argmax()) % width, float(flat[i].max())) for i in order
    ]


@mistake(
    "top_patches",
    "Among equal activations the later picture comes first. Turning an ascending sort round does that.",
)
def turns_equals_round(features, unit, k):
    n, _, _, width = features.shape
    if not 1 <= k <= n:
        raise ValueError
    flat = features[:, unit].reshape(n, -1)
    order = np.argsort(flat.max(axis=1), kind="stable")[::-1][:k]
    return [
        (int(i), int(flat[i].argmax()) // width, int(flat[i].argmax()) % width, float(flat[i].max())) for i in order
    ]


@mistake("top_patches", "The column stands before the row. The row comes first.")
def column_before_row(features, unit, k):
    return [(n, j, i, v) for n, i, j, v in official["top_patches"](features, unit, k)]


@mistake(
    "top_patches",
    "Picture, row and column have become floats, as in an array together with the activation. As places they are int.",
)
def one_array(features, unit, k):
    return np.array(official["top_patches"](features, unit, k))


def box_by(
    layers,
    row,
    column,
    height,
    width,
    *,
    order=("field", "start", "jump"),
    pixels=False,
    last=0,
    cut=True,
    from_the_cut=False,
):
    """patch_box with one step changed."""
    jump, field, start = 1, 1, 0
    for kernel, stride, padding, dilation in layers:
        for step in order:
            if step == "field":
                field += dilation * (kernel - 1) * jump
            elif step == "start":
                start -= padding * (1 if pixels else jump)
            else:
                jump *= stride
    top, left = start + row * jump, start + column * jump
    if not cut:
        return top, left, top + field, left + field
    first = max(top, 0), max(left, 0)
    bottom, right = ((first if from_the_cut else (top, left))[axis] + field - last for axis in (0, 1))
    return *first, min(bottom, height), min(right, width)


@mistake(
    "patch_box",
    "Field and start are computed with the jump after the layer. The one before it counts: update the jump last.",
)
def jump_first(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, order=("jump", "field", "start"))


@mistake(
    "patch_box",
    "The field grows by the jump after the layer. The jump before it counts: a layer's stride is not its own.",
)
def field_after_the_jump(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, order=("start", "jump", "field"))


@mistake("patch_box", "The start moves by the jump after the layer. The padding lies among this layer's inputs.")
def start_after_the_jump(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, order=("field", "jump", "start"))


@mistake(
    "patch_box",
    "Each padding moves the start by as many pixels as the units of its layer are apart, not by one each.",
)
def padding_in_pixels(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, pixels=True)


@mistake("patch_box", "The box ends one pixel too early: bottom and right are the first pixels that are not seen.")
def last_pixel_inside(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, last=1)


@mistake("patch_box", "The box reaches out of the picture. What lies there is padding.")
def does_not_cut(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, cut=False)


@mistake("patch_box", "At the rim the box is too large: the field is counted from where it begins, in the padding.")
def field_from_the_cut_top(layers, row, column, height, width):
    return box_by(layers, row, column, height, width, from_the_cut=True)


@mistake("patch_box", "The order is that of x and y: left, top, right, bottom. First rows, then columns.")
def columns_first(layers, row, column, height, width):
    top, left, bottom, right = official["patch_box"](layers, row, column, height, width)
    return left, top, right, bottom


def covered_scores(
    model, x, target, side, step, fill, *, last=1, keep=False, one_copy=False, channels=slice(None), move=None
):
    """occlusion_map with one step changed."""
    height, width = x.shape[-2:]
    if side > height or side > width:
        raise ValueError
    rows, one = [], x.clone()
    with torch.no_grad():
        for i in range((height - side + last - 1) // step + 1):
            line, one = [], one if keep else x.clone()
            for j in range((width - side + last - 1) // step + 1):
                one = one if keep or one_copy else x.clone()
                top, left = i * (move or step), j * (move or step)
                one[:, channels, top : top + side, left : left + side] = fill
                line.append(one if one_copy else one.clone())
            rows.append(model(torch.cat(line))[:, target] if line else torch.zeros(0, dtype=x.dtype))
    return torch.stack(rows) if rows else torch.zeros(0, 0, dtype=x.dtype)


@mistake("occlusion_map", "Squares that were covered before stay covered. Each entry begins with the whole picture.")
def squares_stay_covered(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, fill, keep=True)


@mistake("occlusion_map", "All entries of a row are equal: is it one and the same copy that goes into the batch?")
def the_same_copy_in_a_row(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, fill, one_copy=True)


@mistake(
    "occlusion_map",
    "The last row and column of places are missing: the square may touch the lower and the right rim.",
)
def misses_the_last_place(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, fill, last=0)


@mistake("occlusion_map", "Only the first channel is covered. The square covers all of them.")
def covers_one_channel(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, fill, channels=slice(1))


@mistake("occlusion_map", "The value of `fill` is ignored, or does not replace the pixels.")
def ignores_the_fill(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, 0.0)


@mistake(
    "occlusion_map",
    "Is this the fall of the score, or the score with all but the square covered? The score behind it is asked for.",
)
def returns_the_fall(model, x, target, side, step, fill=0.0):
    scores = official["occlusion_map"](model, x, target, side, step, fill)
    return model(x)[0, target].detach() - scores


@mistake("occlusion_map", "These are probabilities. The model's own score is asked for.")
def returns_probabilities(model, x, target, side, step, fill=0.0):
    return official["occlusion_map"](lambda covered: model(covered).softmax(dim=1), x, target, side, step, fill)


@mistake("occlusion_map", "From entry to entry the square moves by one pixel. It should move by `step`.")
def forgets_the_step(model, x, target, side, step, fill=0.0):
    return covered_scores(model, x, target, side, step, fill, move=1)


def slopes_of(model, x, target):
    """Return the gradient of a score by the pixels."""
    pixels = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(model(pixels)[0, target], pixels)[0]


@mistake("saliency", "Slopes have signs here. How strongly a score reacts is the size of the slope.")
def keeps_the_signs(model, x, target):
    return slopes_of(model, x, target)[0].amax(dim=0)


@mistake("saliency", "The channels are added up. The largest of them counts.")
def adds_the_channels(model, x, target):
    return slopes_of(model, x, target)[0].abs().sum(dim=0)


@mistake("saliency", "The channels are averaged. The largest of them counts.")
def averages_the_channels(model, x, target):
    return slopes_of(model, x, target)[0].abs().mean(dim=0)


@mistake("saliency", "The size is taken last, so a strongly negative channel is lost.")
def size_after_the_maximum(model, x, target):
    return slopes_of(model, x, target)[0].amax(dim=0).abs()


@mistake("saliency", "This is the slope of the probability or its logarithm. It also depends on the other classes.")
def slope_of_the_probability(model, x, target):
    pixels = x.detach().clone().requires_grad_(True)
    value = torch.softmax(model(pixels), dim=1)[0, target]
    return torch.autograd.grad(value, pixels)[0][0].abs().amax(dim=0)


@mistake(
    "saliency",
    "A maximum over a dimension returns the values and their places, in PyTorch with `max(dim=…)`. Take the values.",
)
def maximum_with_places(model, x, target):
    values, places = slopes_of(model, x, target)[0].abs().max(dim=0)
    return values, places


@mistake(
    "saliency", "The model's parameters now hold a .grad, as .backward() leaves it. torch.autograd.grad leaves none."
)
def leaves_gradients(model, x, target):
    pixels = x.detach().clone().requires_grad_(True)
    model(pixels)[0, target].backward()
    return pixels.grad[0].abs().amax(dim=0)


@mistake("saliency", "The scores of all classes are added up. Only that of `target` counts.")
def all_classes(model, x, target):
    pixels = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(model(pixels).sum(), pixels)[0][0].abs().amax(dim=0)


def cam(features, head, x, target, combine):
    """Return what `combine` makes of the slopes and the maps, each (K, h, w)."""
    maps = features(x).detach().requires_grad_(True)
    (slopes,) = torch.autograd.grad(head(maps)[0, target], maps)
    return combine(slopes[0], maps[0].detach())


def weighted(weights, maps):
    """Return the sum of the maps, weighted by channel."""
    return torch.einsum("k,khw->hw", weights, maps)


@mistake("grad_cam", "The ReLU is missing: what speaks against the class should be 0.")
def without_relu(features, head, x, target):
    return cam(features, head, x, target, lambda g, a: weighted(g.mean(dim=(1, 2)), a))


@mistake("grad_cam", "The weights are the sum of the slopes over the positions. They should be the mean.")
def sum_of_the_slopes(features, head, x, target):
    return cam(features, head, x, target, lambda g, a: weighted(g.sum(dim=(1, 2)), a).relu())


@mistake("grad_cam", "Negative weights are set to 0. They count; only the finished map is cut at 0.")
def relu_of_the_weights(features, head, x, target):
    return cam(features, head, x, target, lambda g, a: weighted(g.mean(dim=(1, 2)).relu(), a).relu())


@mistake(
    "grad_cam",
    "Slope and map are multiplied position by position. A channel has one weight for all its positions.",
)
def position_by_position(features, head, x, target):
    return cam(features, head, x, target, lambda g, a: (g * a).sum(dim=0).relu())


@mistake("grad_cam", "Each product of weight and map is cut at 0. Add them up first, only the finished map is cut.")
def relu_of_the_products(features, head, x, target):
    return cam(features, head, x, target, lambda g, a: (g.mean(dim=(1, 2))[:, None, None] * a).relu().sum(dim=0))


@mistake("grad_cam", "The map is scaled to 1. It should be as the formula gives it.")
def scaled_to_one(features, head, x, target):
    return cam(
        features, head, x, target, lambda g, a: (m := weighted(g.mean(dim=(1, 2)), a).relu()) / m.max().clamp(min=1e-12)
    )


@mistake(
    "grad_cam", "The head's parameters now hold a .grad, as .backward() leaves it. torch.autograd.grad leaves none."
)
def leaves_gradients_in_the_head(features, head, x, target):
    maps = features(x).detach().requires_grad_(True)
    head(maps)[0, target].backward()
    return weighted(maps.grad[0].mean(dim=(1, 2)), maps[0].detach()).relu()


@mistake(
    "grad_cam",
    "With frozen networks nothing asks for a gradient. The maps should, by .detach().requires_grad_(True).",
)
def relies_on_the_graph(features, head, x, target):
    maps = features(x)
    (slopes,) = torch.autograd.grad(head(maps)[0, target], maps)
    return weighted(slopes[0].mean(dim=(1, 2)), maps[0]).relu().detach()


def ascended(objective, x, lr, steps, jitter=0, rng=None, *, size="rms", clip="step", back=-1, stay=True):
    """gradient_ascent with one step changed."""
    x, history = x.detach().clone(), []
    for _ in range(steps):
        dy, dx = (int(shift) for shift in rng.integers(-jitter, jitter + 1, size=2)) if jitter else (0, 0)
        pixels = torch.roll(x, (dy, dx), (2, 3)).requires_grad_(True)
        value = objective(pixels)
        (slopes,) = torch.autograd.grad(value, pixels)
        if not stay:
            x = pixels.detach()
        elif back:
            slopes = torch.roll(slopes, (back * dy, back * dx), (2, 3))
        mean = slopes.square().mean()
        divisor = {"rms": mean.sqrt(), "square": mean, "norm": slopes.norm(), "nothing": torch.ones(())}[size]
        if divisor > 0:
            x = x + lr * slopes / divisor
            x = x.clamp(0, 1) if clip == "step" else x
        history.append(float(value.detach()))
    return x.clamp(0, 1) if clip == "end" else x, history


@mistake(
    "gradient_ascent",
    "The gradient is divided by its length. With the root of the *mean* of squares, lr is the change of a pixel.",
)
def divides_by_the_length(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, size="norm")


@mistake(
    "gradient_ascent",
    "The gradient is not divided by anything, so the step depends on how steep the objective is.",
)
def does_not_normalise(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, size="nothing")


@mistake("gradient_ascent", "The gradient is divided by the mean of its squares. The root is missing.")
def forgets_the_root(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, size="square")


@mistake(
    "gradient_ascent",
    "The picture is right, but not the history. Did the steps in between leave 0 to 1? Clip after each of them.",
)
def clips_at_the_end(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, clip="end")


@mistake(
    "gradient_ascent",
    "The objective's parameters now hold a .grad, as .backward() leaves it. torch.autograd.grad leaves none.",
)
def leaves_gradients_in_the_objective(objective, x, lr, steps, jitter=0, rng=None):
    objective(x.detach().clone().requires_grad_(True)).backward()
    return official["gradient_ascent"](objective, x, lr, steps, jitter, rng)


@mistake("gradient_ascent", "The gradient of the shifted picture is not rolled back.")
def does_not_roll_back(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, back=0)


@mistake(
    "gradient_ascent",
    "The gradient is rolled the same way as the picture, or not by the opposite of both shifts. Back is the other way.",
)
def rolls_the_same_way(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, back=1)


@mistake("gradient_ascent", "The picture itself wanders about: it stays shifted after the step.")
def stays_shifted(objective, x, lr, steps, jitter=0, rng=None):
    return ascended(objective, x, lr, steps, jitter, rng, stay=False)


def variation(x, *, ways="both", value=1.0, size=False, mean=False, sides="both"):
    """total_variation with one step changed."""
    down, right = x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]
    down, right = down * (ways != "right"), right * (ways != "down")
    parts, slopes = (down.square(), right.square()), (2 * down, 2 * right)
    if size:
        parts, slopes = (down.abs(), right.abs()), (down.sign(), right.sign())
    gradient = torch.zeros_like(x)
    if sides != "earlier":
        gradient[..., 1:, :] += slopes[0]
        gradient[..., 1:] += slopes[1]
    if sides != "later":
        gradient[..., :-1, :] -= slopes[0]
        gradient[..., :-1] -= slopes[1]
    count = x.numel() if mean else 1
    return float(value * (parts[0].sum() + parts[1].sum()) / count), gradient / count


@mistake("total_variation", "Only neighbours below each other are compared. Those side by side count, too.")
def downwards_only(x):
    return variation(x, ways="down")


@mistake("total_variation", "Only neighbours side by side are compared. Those below each other count, too.")
def sideways_only(x):
    return variation(x, ways="right")


@mistake("total_variation", "Sizes of differences are added up. Here it is their squares.")
def sizes_of_differences(x):
    return variation(x, size=True)


@mistake("total_variation", "The opposite rims are compared, as if the picture were rolled up. They are no neighbours.")
def rims_are_neighbours(x):
    down, right = x.roll(-1, 2) - x, x.roll(-1, 3) - x
    gradient = 2 * (down.roll(1, 2) - down + right.roll(1, 3) - right)
    return float(down.square().sum() + right.square().sum()), gradient


@mistake("total_variation", "This is a mean over the pixels. The sum is asked for.")
def mean_of_squares(x):
    return variation(x, mean=True)


@mistake(
    "total_variation",
    "The slopes at the lower and right pixel of a pair are missing: each difference moves both of its pixels.",
)
def earlier_pixel_only(x):
    return variation(x, sides="earlier")


@mistake(
    "total_variation",
    "The slopes at the upper and left pixel of a pair are missing: each difference moves both of its pixels.",
)
def later_pixel_only(x):
    return variation(x, sides="later")


def dreamt(
    climb,
    photo,
    sizes,
    *,
    chain=False,
    from_photo=True,
    clip=True,
    against_given=False,
    clip_detail=False,
    detail_kept=True,
):
    """deep_dream with one step changed."""
    if not sizes:
        raise ValueError
    detail, x = torch.zeros_like(photo), photo
    for size in sizes:
        base = resize(photo, size)
        if chain:
            x = climb(resize(x, size).clamp(0, 1))
            continue
        given = base + (resize(detail, size) if detail_kept else 0)
        given = given.clamp(0, 1) if clip else given
        x = climb(given.clone())
        detail = x - given if against_given else x - base if from_photo else x
        detail = detail.clamp(0, 1) if clip_detail else detail
    return x


@mistake(
    "deep_dream",
    "The dream itself is enlarged from octave to octave. Enlarge the detail only; the photograph is taken anew.",
)
def enlarges_the_picture(climb, photo, sizes):
    return dreamt(climb, photo, sizes, chain=True)


@mistake("deep_dream", "The detail is what this octave has added. It should be all that differs from the photograph.")
def detail_of_the_last_octave(climb, photo, sizes):
    return dreamt(climb, photo, sizes, against_given=True)


@mistake("deep_dream", "The detail still holds the photograph, so that counts twice in the next octave.")
def detail_with_the_photograph(climb, photo, sizes):
    return dreamt(climb, photo, sizes, from_photo=False)


@mistake("deep_dream", "climb is given values outside 0 to 1. Clip the sum first.")
def does_not_clip_the_sum(climb, photo, sizes):
    return dreamt(climb, photo, sizes, clip=False)


@mistake("deep_dream", "Only the detail came back. The dream is the photograph with it.")
def returns_the_detail(climb, photo, sizes):
    return official["deep_dream"](climb, photo, sizes) - resize(photo, sizes[-1])


@mistake("deep_dream", "The detail of earlier octaves is lost: each octave begins with the photograph alone.")
def forgets_the_detail(climb, photo, sizes):
    return dreamt(climb, photo, sizes, detail_kept=False)


@mistake(
    "deep_dream", "The detail lost its negative part: where the dream is darker than the photograph, it is below 0."
)
def keeps_what_is_brighter(climb, photo, sizes):
    return dreamt(climb, photo, sizes, clip_detail=True)


@mistake("deep_dream", "What climb returned was clipped. It should be taken as it is.")
def clips_the_dream(climb, photo, sizes):
    return dreamt(lambda x: climb(x).clamp(0, 1), photo, sizes)
