"""Wrong answers to the exercises of 01 From features to functions, their reasons, and the hints."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "perceptron_predict": (
        "Symptom: right for most points, but 0 came back for one; or True and False, or 0 and 1, where labels "
        "were expected.",
        "Idea: one product gives the sums of all rows at once. What is left is a choice between two labels, and "
        "the sum 0 belongs to one of them.",
        "Outline: matrix of examples times weight vector, plus bias; compare with 0, the equal case included; "
        "np.where picks +1 or −1.",
    ),
    "perceptron_fit": (
        "Symptom: the first epoch is right and the second is not: what does the next example see, the old weights "
        "or the new ones? The list has an entry too many or too few: when is the count written down, and when "
        "does the loop stop?",
        "Idea: two loops, epochs outside and examples inside. Weights change in the inner loop, at once, and only "
        "where the label is wrong.",
        "Outline: check the targets; zero weights, zero bias, an empty list. For each epoch: count from 0, go "
        "through the pairs of example and label, update and count where they disagree; append the count; leave if "
        "it is 0.",
    ),
    "image_gradients": (
        "Symptom: 90 where 0 was expected: which of the two components comes first in arctan2? Half the "
        "magnitude, or values at the border: what does np.gradient do? 6 instead of 250: look at the dtype.",
        "Idea: the whole image shifted by one against the whole image shifted the other way; no loop. The border "
        "keeps the zeros of an array that was made with zeros.",
        "Outline: check the axes; convert integers to float64; two arrays of zeros; fill their inside with "
        "differences of two slices each; arctan2 of down and across, in degrees, modulo 180, and 180 itself put "
        "back to 0; the hypotenuse.",
    ),
    "orientation_histograms": (
        "Symptom: whole numbers or a length other than 1: which step is missing? The right numbers in another "
        "order: read 'slowest first' again. The wrong number of features: where does the next block begin?",
        "Idea: a pixel votes for one bin, with its magnitude. For each bin, an image that is the magnitude where "
        "the pixel belongs to it and 0 elsewhere; then sum it cell by cell.",
        "Outline: gradients; check the sizes; number of each pixel's bin; histograms (N, rows, columns, bins), "
        "bin by bin; for each place in a block the slice of the cells that stand there in all blocks; join the "
        "slices along the last axis; divide by the root of the sum of squares plus eps²; reshape.",
    ),
    "softmax": (
        "Symptom: NaN for large scores; or a row that does not sum to 1; or one row is right and the other is NaN.",
        "Idea: subtract something from every logit of a row before the exponential, so that no exponent is above "
        "0 and the largest is 0. Every row has its own.",
        "Outline: maximum along the last axis, kept as an axis; exponentials of the differences; divide by their "
        "sum along the last axis, kept as an axis.",
    ),
    "cross_entropy": (
        "Symptom: inf at ±10,000: is there a logarithm of a probability? Off by a factor of N: which of loss and "
        "gradient is a mean? A negative class that passes: NumPy counts it from the end.",
        "Idea: the last line of the formulas never forms a probability: the largest logit, the logit of the right "
        "class and the logarithm of a sum that is at least 1. The gradient may use the softmax.",
        "Outline: check target; logits less their row's maximum; the right class's entry of each row (index with "
        "arange and target); logarithm of the row's sum of exponentials, less that entry; mean. Gradient: "
        "softmax, minus 1 at the right classes, divided by N.",
    ),
    "hinge_loss": (
        "Symptom: too large by 1 for every image: is j = y counted? Right without reg and wrong with it: look at "
        "the square and at its derivative. A gradient that is right for image 0 and wrong for image 2: how many "
        "classes broke the margin there?",
        "Idea: a matrix of margins, (N, C), holds everything: the loss is its sum, the gradient of the scores is "
        "1 where it is positive, and the right class gets minus the number of those.",
        "Outline: scores (N, C); margins with the right class's own set to 0; loss. Ones where a margin is "
        "positive; minus their row sums at the right classes; transposed times x, divided by N; plus the "
        "derivative of the penalty.",
    ),
    "topk_error": (
        "Symptom: large where it should be small: error, not accuracy, and the highest scores, not the lowest. "
        "Half of the ties wrong: in which order does your sort leave equal scores?",
        "Idea: sort each row's classes by score, best first, keep k of them, look whether the right class is there.",
        "Outline: check k; argsort of the negated scores, stable, along the row; first k columns; compare with "
        "target as a column; a row without a match is an error; the mean of those.",
    ),
    "relu_interpolation": (
        "Symptom: the first piece is right and the others are not: a unit adds to the slope that is already "
        "there. Right for knots 1 apart only: what is a slope?",
        "Idea: the line has a slope on each piece. Left of the first knot it has none. Each weight is the change "
        "of slope at its knot.",
        "Outline: check shapes and order; rise divided by width for each piece; differences of neighbouring "
        "slopes, the first against 0; the height of the first point is the bias.",
    ),
}


# perceptron_predict


@mistake("perceptron_predict", "np.sign gives 0 for a sum of 0, which is no label. This notebook's sign(0) is +1.")
def leaves_zero_as_zero(x, weight, bias):
    return np.sign(x @ weight + bias)


@mistake("perceptron_predict", "These are 0 and 1. The two labels of a perceptron are −1 and +1.")
def answers_zero_and_one(x, weight, bias):
    return (x @ weight + bias >= 0).astype(int)


@mistake("perceptron_predict", "These are True and False. The two labels of a perceptron are −1 and +1.")
def answers_yes_and_no(x, weight, bias):
    return x @ weight + bias >= 0


@mistake("perceptron_predict", "weight @ x does not fit: every *row* of x is an example and meets all weights.")
def multiplies_the_other_way_round(x, weight, bias):
    return np.where(weight @ x + bias >= 0, 1, -1)


@mistake("perceptron_predict", "These are the sums. The label is their sign.")
def returns_the_sums(x, weight, bias):
    return x @ weight + bias


@mistake("perceptron_predict", "The sum 0 belongs to +1 here. Look at your comparison.")
def excludes_zero(x, weight, bias):
    return np.where(x @ weight + bias > 0, 1, -1)


@mistake("perceptron_predict", "The bias is missing: without it every decision line passes through the origin.")
def forgets_the_bias(x, weight, bias):
    return perceptron_predict(x, weight, 0.0)


# perceptron_fit


def _fit(
    x, target, epochs, sign=1, with_bias=True, always=False, early=False, whole_epochs=False, final_zero=True, zero_is=1
):
    if not np.all(np.abs(target) == 1):
        raise ValueError("labels")
    weight, bias, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        count, seen_weight, seen_bias = 0, weight, bias
        for example, label in zip(x, target, strict=True):
            now = (seen_weight, seen_bias) if whole_epochs else (weight, bias)
            wrong = (np.sign(example @ now[0] + now[1]) or zero_is) != label
            if wrong or always:
                weight = weight + sign * label * example
                bias = bias + sign * label * with_bias
            count += wrong
        if count == 0 and not final_zero:
            break
        mistakes.append(count)
        if count == 0 and not early:
            break
    return weight, bias, mistakes


@mistake("perceptron_fit", "The bias never changes. It learns as the weights do, as if its input were always 1.")
def never_moves_the_bias(x, target, epochs):
    return _fit(x, target, epochs, with_bias=False)


@mistake("perceptron_fit", "Every example moves the weights, right or wrong. The perceptron learns from mistakes only.")
def learns_from_every_example(x, target, epochs):
    return _fit(x, target, epochs, always=True)


@mistake(
    "perceptron_fit",
    "The weights move away from the example: after the update it is more wrong than before. Look at the sign.",
)
def moves_away(x, target, epochs):
    return _fit(x, target, epochs, sign=-1)


@mistake(
    "perceptron_fit",
    "All labels of an epoch are computed with the weights from its beginning. The next example must already "
    "see what the last mistake has taught.",
)
def predicts_a_whole_epoch_at_once(x, target, epochs):
    return _fit(x, target, epochs, whole_epochs=True)


@mistake("perceptron_fit", "It goes on after an epoch without a mistake, in which nothing can change any more.")
def never_stops_early(x, target, epochs):
    return _fit(x, target, epochs, early=True)


@mistake("perceptron_fit", "The list lacks the 0 of the last epoch: the loop is left before the count is written down.")
def leaves_before_writing_the_zero(x, target, epochs):
    return _fit(x, target, epochs, final_zero=False)


@mistake(
    "perceptron_fit",
    "An example with the sum 0 and the label +1 was counted as a mistake. Here sign(0) = +1, so it is right and "
    "moves nothing.",
)
def counts_zero_as_wrong(x, target, epochs):
    return _fit(x, target, epochs, zero_is=0)


@mistake(
    "perceptron_fit",
    "Labels 0 and 1 were accepted. With the label 0 an update adds nothing, and a wrong answer is never "
    "corrected: refuse it.",
)
def accepts_zero_and_one(x, target, epochs):
    return _fit_any(x, target, epochs)


def _fit_any(x, target, epochs):
    weight, bias, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(epochs):
        count = 0
        for example, label in zip(x, target, strict=True):
            if (1 if example @ weight + bias >= 0 else -1) != label:
                weight, bias, count = weight + label * example, bias + label, count + 1
        mistakes.append(count)
        if count == 0:
            break
    return weight, bias, mistakes


# image_gradients


def _components(images):
    if images.ndim != 3:
        raise ValueError("axes")
    images = images if images.dtype.kind == "f" else images.astype(float)
    across, down = np.zeros_like(images), np.zeros_like(images)
    across[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    return across, down


@mistake(
    "image_gradients",
    "Rows and columns are exchanged: an edge that stands has come out lying. Which component is arctan2's first?",
)
def exchanges_the_components(images):
    across, down = _components(images)
    return np.hypot(across, down), np.degrees(np.arctan2(across, down)) % 180


@mistake(
    "image_gradients",
    "The differences are halved, as np.gradient's are: the formula divides by nothing. (np.gradient also takes "
    "one-sided differences at the border, where 0 is asked for.)",
)
def uses_np_gradient(images):
    if images.ndim != 3:
        raise ValueError("axes")
    down, across = np.gradient(images.astype(float), axis=(1, 2))
    angle = np.degrees(np.arctan2(down, across)) % 180
    return np.hypot(across, down), np.where(angle >= 180, 0, angle)


@mistake(
    "image_gradients",
    "At the border a missing neighbour was replaced by a copy of the edge. Without a neighbour the component is 0.",
)
def pads_with_the_edge(images):
    padded = np.pad(images.astype(float), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across, down = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2], padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    return np.hypot(across, down), np.degrees(np.arctan2(down, across)) % 180


@mistake(
    "image_gradients",
    "All four borders are 0 in both components. g_x lacks a neighbour in the first and last column only, g_y in "
    "the first and last row only.",
)
def clears_all_borders_of_both(images):
    across, down = _components(images)
    for component in (across, down):
        component[:, [0, -1]] = 0
        component[:, :, [0, -1]] = 0
    return np.hypot(across, down), np.degrees(np.arctan2(down, across)) % 180


@mistake(
    "image_gradients",
    "np.roll brings the other side of the image to the border: a pixel there gets a neighbour that it does not have.",
)
def wraps_around_the_image(images):
    if images.ndim != 3:
        raise ValueError("axes")
    images = images.astype(float)
    across = np.roll(images, -1, axis=2) - np.roll(images, 1, axis=2)
    down = np.roll(images, -1, axis=1) - np.roll(images, 1, axis=1)
    return np.hypot(across, down), np.degrees(np.arctan2(down, across)) % 180


@mistake("image_gradients", "These angles are in radians. Degrees were asked for: 90, not 1.57.")
def answers_in_radians(images):
    magnitude, angle = image_gradients(images)
    return magnitude, np.radians(angle)


@mistake(
    "image_gradients",
    "Unsigned bytes cannot go below 0: 0 − 250 is 6. Convert integers before you subtract.",
)
def subtracts_bytes(images):
    if images.ndim != 3:
        raise ValueError("axes")
    across, down = np.zeros(images.shape), np.zeros(images.shape)
    across[:, :, 1:-1] = images[:, :, 2:] - images[:, :, :-2]
    down[:, 1:-1] = images[:, 2:] - images[:, :-2]
    angle = np.degrees(np.arctan2(down, across)) % 180
    return np.hypot(across, down), np.where(angle >= 180, 0, angle)


@mistake(
    "image_gradients",
    "A direction and its opposite are one here: an angle outside 0° to 180° is to be brought back by its remainder.",
)
def keeps_the_sign(images):
    across, down = _components(images)
    return np.hypot(across, down), np.degrees(np.arctan2(down, across))


# orientation_histograms


def _cells(images, cell, bins, weighted=True, nearest=False, in_order=True):
    magnitude, angle = image_gradients(images)
    n, height, width = images.shape
    if height % cell or width % cell:
        raise ValueError("cells")
    rows, columns = height // cell, width // cell
    place = angle * bins / 180
    which = np.minimum((np.round(place) if nearest else place).astype(int), bins - 1)
    histograms = np.zeros((n, rows, columns, bins), magnitude.dtype)
    for k in range(bins):
        votes = np.where(which == k, magnitude if weighted else (magnitude > 0).astype(magnitude.dtype), 0)
        if in_order:
            histograms[..., k] = votes.reshape(n, rows, cell, columns, cell).sum(axis=(2, 4))
        else:
            histograms[..., k] = votes.reshape(n, rows, columns, cell, cell).sum(axis=(3, 4))
    return histograms


def _blocks(histograms, block, by_columns=False, stride=1):
    rows, columns = histograms.shape[1:3]
    down, across = rows - block + 1, columns - block + 1
    if down < 1 or across < 1:
        raise ValueError("blocks")
    places = [(i, j) for i in range(block) for j in range(block)]
    places = [(j, i) for i, j in places] if by_columns else places
    cells = [histograms[:, i : i + down : stride, j : j + across : stride] for i, j in places]
    return np.concatenate(cells, axis=-1)


def _divided(blocks, eps):
    length = np.sqrt((blocks**2).sum(axis=-1, keepdims=True) + eps**2)
    return np.divide(blocks, length, out=np.zeros_like(blocks), where=length > 0).reshape(len(blocks), -1)


@mistake("orientation_histograms", "The blocks are not normalised: these are the votes themselves.")
def forgets_to_normalise(images, cell=4, bins=9, block=2, eps=0.01):
    return _blocks(_cells(images, cell, bins), block).reshape(len(images), -1)


@mistake(
    "orientation_histograms",
    "Every cell was divided by its own length. The block's cells share one: their strengths stay comparable.",
)
def normalises_each_cell(images, cell=4, bins=9, block=2, eps=0.01):
    histograms = _cells(images, cell, bins)
    divided = _divided(histograms.reshape(-1, bins), eps).reshape(histograms.shape)
    return _blocks(divided, block).reshape(len(images), -1)


@mistake("orientation_histograms", "eps was added to the length. It belongs under the root, squared.")
def adds_eps_outside(images, cell=4, bins=9, block=2, eps=0.01):
    blocks = _blocks(_cells(images, cell, bins), block)
    return (blocks / (np.sqrt((blocks**2).sum(axis=-1, keepdims=True)) + eps)).reshape(len(images), -1)


@mistake(
    "orientation_histograms",
    "Angles are rounded to the nearest bin. Bin k begins at k · 180/bins and holds what lies above, up to the next.",
)
def rounds_to_the_nearest_bin(images, cell=4, bins=9, block=2, eps=0.01):
    return _divided(_blocks(_cells(images, cell, bins, nearest=True), block), eps)


@mistake(
    "orientation_histograms",
    "The pixels of a cell are not neighbours in yours: reshape goes through the image row by row. In which order do "
    "the axes rows, cell, columns, cell follow each other?",
)
def cuts_cells_in_the_wrong_order(images, cell=4, bins=9, block=2, eps=0.01):
    return _divided(_blocks(_cells(images, cell, bins, in_order=False), block), eps)


@mistake(
    "orientation_histograms",
    "Every pixel with an edge counts 1 here. A pixel votes with its magnitude: a strong edge counts for more.",
)
def counts_pixels(images, cell=4, bins=9, block=2, eps=0.01):
    return _divided(_blocks(_cells(images, cell, bins, weighted=False), block), eps)


@mistake(
    "orientation_histograms",
    "Your blocks stand side by side. A block begins at every cell from which it fits, so that neighbours overlap.",
)
def blocks_side_by_side(images, cell=4, bins=9, block=2, eps=0.01):
    return _divided(_blocks(_cells(images, cell, bins), block, stride=block), eps)


@mistake("orientation_histograms", "The cells of a block are joined column by column. The order is row by row.")
def reads_blocks_by_columns(images, cell=4, bins=9, block=2, eps=0.01):
    return _divided(_blocks(_cells(images, cell, bins), block, by_columns=True), eps)


# softmax


@mistake(
    "softmax",
    "e to the 10,000 is infinite, and ∞/∞ is NaN. A shift of all logits of a row changes no probability: "
    "which shift is safe?",
)
def overflows(logits):
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        return e / e.sum(axis=-1, keepdims=True)


@mistake("softmax", "All entries together sum to 1. Every row is an example of its own.")
def normalises_over_all_rows(logits):
    e = np.exp(logits - logits.max())
    return e / e.sum()


@mistake("softmax", "The columns sum to 1, not the rows: the sum runs along the wrong axis.")
def normalises_columns(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=0)


@mistake(
    "softmax",
    "One row is right, the other NaN: the largest logit of the *whole* array was subtracted. Far below it a "
    "row becomes 0/0.",
)
def subtracts_the_largest_of_all(logits):
    with np.errstate(all="ignore"):
        e = np.exp(logits - logits.max())
        return e / e.sum(axis=-1, keepdims=True)


@mistake("softmax", "The maximum, or the sum, of the rows has lost its axis and no longer fits the logits.")
def drops_the_axis(logits):
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1)


@mistake("softmax", "These are logarithms of the probabilities (log-softmax).")
def returns_logarithms(logits):
    return np.log(softmax(logits))


@mistake(
    "softmax", "The logits were divided by their sum. The exponential is missing, which makes every score positive."
)
def forgets_the_exponential(logits):
    return logits / logits.sum(axis=-1, keepdims=True)


@mistake(
    "softmax",
    "Clipping hides the overflow and changes the answer: two different large logits become equal.",
)
def clips(logits):
    return softmax(np.clip(logits, -500, 500))


# cross_entropy


def _refuses(logits, target):
    if target.shape != (len(logits),) or target.min() < 0 or target.max() >= logits.shape[1]:
        raise ValueError("target")


@mistake(
    "cross_entropy",
    "The loss takes every row's logits at *all* the right classes, as [:, target] does. A row has one right class.",
)
def picks_all_classes_in_every_row(logits, target):
    _refuses(logits, target)
    shifted = logits - logits.max(axis=1, keepdims=True)
    loss = np.mean(np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted[:, target])
    return float(loss), cross_entropy(logits, target)[1]


@mistake(
    "cross_entropy",
    "Loss and gradient take in every row *all* the right classes, as [:, target] does. A row has one right class.",
)
def uses_all_classes_in_every_row(logits, target):
    loss, _ = picks_all_classes_in_every_row(logits, target)
    return loss, lowers_all_classes_in_every_row(logits, target)[1]


@mistake(
    "cross_entropy",
    "The gradient has its −1 in every row at *all* the right classes, as [:, target] does. A row has one right class.",
)
def lowers_all_classes_in_every_row(logits, target):
    loss, _ = cross_entropy(logits, target)
    grad_logits = softmax(logits)
    grad_logits[:, target] -= 1
    return loss, grad_logits / len(logits)


@mistake("cross_entropy", "The loss is a sum over the examples. Its mean was asked for.")
def sums_the_loss(logits, target):
    loss, grad_logits = cross_entropy(logits, target)
    return loss * len(logits), grad_logits


@mistake("cross_entropy", "The loss is a mean over N examples, so its gradient carries a factor 1/N too.")
def forgets_to_divide_the_gradient(logits, target):
    loss, grad_logits = cross_entropy(logits, target)
    return loss, grad_logits * len(logits)


@mistake(
    "cross_entropy",
    "A target of −1 was accepted: NumPy takes it for the last class. Check the range of the targets first.",
)
def accepts_negative_classes(logits, target):
    if target.shape != (len(logits),) or target.max() >= logits.shape[1]:
        raise ValueError("target")
    return cross_entropy(logits, target % logits.shape[1])


@mistake(
    "cross_entropy",
    "The probability of the right class has become 0, and the logarithm of 0 is −∞. Simplify the logarithm of "
    "the softmax before you compute.",
)
def takes_the_logarithm_of_zero(logits, target):
    _refuses(logits, target)
    rows = np.arange(len(logits))
    with np.errstate(divide="ignore"):
        loss = -np.mean(np.log(softmax(logits)[rows, target]))
    return float(loss), cross_entropy(logits, target)[1]


@mistake(
    "cross_entropy",
    "A small number inside the logarithm keeps it finite and gives a wrong loss: what should be 10,000 stays "
    "near 20 or 30. Simplify the formula instead.",
)
def adds_a_small_number(logits, target):
    _refuses(logits, target)
    rows = np.arange(len(logits))
    p = softmax(logits)[rows, target]
    loss = -np.mean(np.log(np.where(p < 1e-12, 1e-12, p)))
    return float(loss), cross_entropy(logits, target)[1]


# hinge_loss


def _hinge(weight, x, target, reg, margin=1.0, count_own=False, mean=True, root=False, slope=2.0, own="count"):
    if reg < 0:
        raise ValueError("reg")
    n, rows, scores = len(x), np.arange(len(x)), x @ weight.T
    margins = np.maximum(0, scores - scores[rows, target][:, np.newaxis] + margin)
    if not count_own:
        margins[rows, target] = 0
    size = np.sum(weight**2)
    size = np.sqrt(size) if root else size
    loss = margins.sum() / (n if mean else 1) + reg * size
    hits = (margins > 0).astype(float)
    hits[rows, target] = 0
    share = hits.sum(axis=1)
    hits[rows, target] = {"count": -share, "once": -1.0 * (share > 0), "never": 0.0}[own]
    return float(loss), hits.T @ x / (n if mean else 1) + slope * reg * weight


@mistake("hinge_loss", "The right class is compared with itself and adds 1 for every image. The sum leaves j = y out.")
def counts_the_right_class(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, count_own=True)


@mistake("hinge_loss", "The margin is missing: a lead of anything above 0 is enough for you, the formula asks for 1.")
def asks_for_no_margin(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, margin=0.0)


@mistake("hinge_loss", "The factor 1/N is missing: this is a sum over the images, not their mean.")
def sums_over_the_images(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, mean=False)


@mistake("hinge_loss", "R(W) is the sum of the squares. A square root was taken (np.linalg.norm does that).")
def takes_the_root_of_the_penalty(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, root=True)


@mistake(
    "hinge_loss",
    "The right class gets −1 however many classes break the margin. Each of them pushes it up once.",
)
def pushes_the_right_class_once(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, own="once")


@mistake("hinge_loss", "The row of the right class is missing in the gradient: each term contains its score as well.")
def never_pushes_the_right_class(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, own="never")


@mistake(
    "hinge_loss",
    "The gradient of λ‖W‖² is half of what it should be: w² has the derivative 2w, and λ is used as it is.",
)
def halves_the_gradient_of_the_penalty(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, reg, slope=1.0)


@mistake("hinge_loss", "λR(W) is missing here. It is a part of the loss, and its derivative is a part of the gradient.")
def leaves_the_penalty_out(weight, x, target, reg=0.0):
    return _hinge(weight, x, target, 0.0 if reg > 0 else reg)


# topk_error


@mistake("topk_error", "This is the share of right answers. An error counts the others.")
def returns_the_accuracy(logits, target, k=5):
    return 1 - topk_error(logits, target, k)


@mistake("topk_error", "These are the k *lowest* scores: argsort begins with the smallest.")
def takes_the_lowest(logits, target, k=5):
    return topk_error(-logits, target, k)


@mistake("topk_error", "This looks at the best guess only, whatever k is.")
def looks_at_the_first_guess(logits, target, k=5):
    topk_error(logits, target, k)
    return topk_error(logits, target, 1)


@mistake("topk_error", "A number in percent. A share from 0 to 1 was asked for.")
def answers_in_percent(logits, target, k=5):
    return 100 * topk_error(logits, target, k)


@mistake("topk_error", "This counts the examples. An error is their share: divide by how many there are.")
def counts_examples(logits, target, k=5):
    return topk_error(logits, target, k) * len(logits)


@mistake(
    "topk_error",
    "With equal scores every class is among your first k. The one with the smaller number comes first, so "
    "that k guesses are k guesses.",
)
def is_kind_to_ties(logits, target, k=5):
    topk_error(logits, target, k)
    own = logits[np.arange(len(logits)), target][:, np.newaxis]
    return float(np.mean((logits > own).sum(axis=1) >= k))


@mistake(
    "topk_error",
    "With equal scores the class with the larger number comes first in yours. A sort turned around turns ties around.",
)
def turns_ties_around(logits, target, k=5):
    topk_error(logits, target, k)
    guesses = np.argsort(logits, axis=1, kind="stable")[:, ::-1][:, :k]
    return float(np.mean(np.all(guesses != target[:, np.newaxis], axis=1)))


@mistake("topk_error", "More guesses than there are classes were accepted. Check k against the shape of the logits.")
def accepts_any_k(logits, target, k=5):
    guesses = np.argsort(-logits, axis=1, kind="stable")[:, :k]
    return float(np.mean(np.all(guesses != target[:, np.newaxis], axis=1)))


# relu_interpolation


def _orderly(knots, values):
    relu_interpolation(knots, values)


@mistake(
    "relu_interpolation",
    "Your weights are the slopes of the pieces. A unit that has switched on stays on: each weight is what it "
    "*adds* to the slope before.",
)
def takes_slopes_for_weights(knots, values):
    _orderly(knots, values)
    return np.diff(values) / np.diff(knots), float(values[0])


@mistake("relu_interpolation", "The heights' differences are not yet slopes: divide by the widths of the pieces.")
def forgets_the_widths(knots, values):
    _orderly(knots, values)
    return np.diff(np.diff(values), prepend=0.0), float(values[0])


@mistake("relu_interpolation", "The line starts at height 0 in yours. The bias lifts it to the first point.")
def starts_at_zero(knots, values):
    return relu_interpolation(knots, values)[0], 0.0


@mistake(
    "relu_interpolation",
    "Your bias is the height at x = 0. All units are 0 at the first knot, wherever it lies: what is left there?",
)
def takes_the_height_at_zero(knots, values):
    weight, bias = relu_interpolation(knots, values)
    return weight, bias - float(weight[0] * knots[0])


@mistake(
    "relu_interpolation",
    "The first weight is missing: the first unit takes the slope from 0 to that of the first piece.",
)
def leaves_the_first_unit_out(knots, values):
    weight, bias = relu_interpolation(knots, values)
    return weight[1:], bias


@mistake(
    "relu_interpolation",
    "Every weight but the first has the wrong sign: a change is what comes after less what was before.",
)
def bends_the_other_way(knots, values):
    weight, bias = relu_interpolation(knots, values)
    return np.append(weight[:1], -weight[1:]), bias


@mistake(
    "relu_interpolation",
    "Knots that do not rise were accepted: look at the widths of the pieces before you divide by them.",
)
def accepts_any_order(knots, values):
    if knots.shape != values.shape or len(knots) < 2:
        raise ValueError("shapes")
    with np.errstate(all="ignore"):
        slopes = np.diff(values) / np.diff(knots)
        return np.diff(slopes, prepend=0.0), float(values[0])
