"""Wrong answers to the exercises of module 10, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "flip": (
        "Symptom: rows in the wrong order, or channels exchanged? The wrong axis is reversed. All images mirrored or "
        "none? One number was drawn for the batch. The right images left and the wrong ones mirrored? Look at the "
        "direction of the comparison.",
        "Idea: a mask of shape (N,) chooses between the batch and the mirrored batch.",
        "Outline: check p; draw N numbers and compare them with p; reverse the last axis; choose for each image with "
        "`np.where`, the mask having three more axes of length 1.",
    ),
    "shift": (
        "Symptom: pixels come in again on the other side? A roll is no shift. An empty slice, or an error of shapes, "
        "where an offset is 0? Look at what `[:-0]` is. An error for shifts as large as the image or "
        "larger? Nothing of it is left to copy. Up for down? Look at which side the rows are taken from.",
        "Idea: what is visible is a rectangle of the old image and a rectangle of the same size in the new one. "
        "`max(d, 0)` and `min(d, 0)` say where each begins and ends, whatever the sign.",
        "Outline: check the shape; an array full of `fill`, of the dtype of x; for each image whose offsets are "
        "smaller than its sides copy rows max(−d, 0) to H + min(−d, 0) to rows max(d, 0) to H + min(d, 0), and "
        "columns alike.",
    ),
    "random_crop": (
        "Symptom: an error where the square is as large as the image? Count the places again: `integers` leaves the "
        "upper end out. Right for one image and wrong for several? Each has its own place. Right without a border "
        "only? Look at which height counts the places.",
        "Idea: the edges run from 0 to H + 2P − S, both included. Draw all upper edges, then all left edges.",
        "Outline: check size and padding; pad the last two axes; two calls of `integers`, each for N numbers; cut one "
        "square from each padded image and stack them.",
    ),
    "add_noise": (
        "Symptom: numbers below 0 or above 1? Something is to be cut off. float64 from float32? The noise brought it. "
        "The same noise on every image? Look at the shape that was drawn.",
        "Idea: one number for each number of x, times the standard deviation.",
        "Outline: check std; draw with the shape of x; multiply, add, clip to 0 and 1, and convert to the dtype of x.",
    ),
    "colour_axes": (
        "Symptom: the right numbers in the opposite order? Look up how `eigh` sorts. Too large a first value? Look "
        "whether the mean was subtracted. Wrong for several images only? A reshape alone mixes channels with pixels.",
        "Idea: a matrix with three rows, one for each channel, and one column for each pixel of all images.",
        "Outline: check the axes; bring the channel axis to the front, then reshape to (3, M); subtract the mean of "
        "each row; product with its transpose, divided by M; `eigh`; turn the order of the values and of the "
        "columns round.",
    ),
    "pca_colour_jitter": (
        "Symptom: red and green exchanged, or a wrong mixture? Look whether axes are rows or columns. All images "
        "changed alike? Each has its own row of alpha. Numbers above 1? Something is to be cut off.",
        "Idea: for each image three factors α·λ; together with the axes they make one colour of three numbers.",
        "Outline: check the shape of alpha; multiply it by the eigenvalues, then by the transposed eigenvectors: shape "
        "(N, 3); give it two more axes, add, clip, convert to the dtype of x.",
    ),
    "penalty": (
        "Symptom: the value is right and the gradient too small by 2? Differentiate w². A value too small for many "
        "weights? There is no mean and no root. One number where a list of arrays is expected? Each array has its own "
        "gradient.",
        "Idea: every weight pays by itself; layers only add up.",
        "Outline: check l1 and l2; sum l1·|w| + l2·w² over all arrays; for each array l1·sign(w) + 2·l2·w, in a list.",
    ),
    "dropout": (
        "Symptom: kept and dropped exchanged? Ask whether p is the probability to keep or to drop. The mask is right "
        "and the numbers are too small or too large? Look at the table: which way scales where, and by what. Different "
        "numbers in use? Nothing may be drawn there.",
        "Idea: four cases, training or use, inverted or classic. Only in training is there a mask, and in two of the "
        "four cases there is a factor.",
        "Outline: check p; in use return x or (1 − p)·x with a mask of True; in training compare random numbers of the "
        "shape of x with p, multiply, and in the inverted way divide by 1 − p.",
    ),
    "dropout_backward": (
        "Symptom: gradients where activations were dropped? The mask is missing. Too small by a factor? Compare with "
        "what `dropout` did on the way forward.",
        "Idea: y = m·x/(1 − p) or y = m·x. What is its derivative with respect to x?",
        "Outline: multiply by the mask; in the inverted way divide by 1 − p.",
    ),
    "early_stopping": (
        "Symptom: the best epoch of all instead of the best that was seen? Training must stop before. One epoch too "
        "many or too few? Write down the epochs of the example with a pencil. Stopped too early after an improvement? "
        "The count begins again there. Wrong with min_delta only? A small step changes neither the best nor the count.",
        "Idea: the epochs without improvement since the best one are epoch − best.",
        "Outline: check the arguments; go through the losses with the best epoch so far; an improvement replaces it; "
        "otherwise, when epoch − best equals patience, return; after the loop return the best and all epochs.",
    ),
}

# flip


@mistake("flip", "The rows are in the opposite order: that is top to bottom. Which axis runs from left to right?")
def mirrors_top_to_bottom(x, rng, p=0.5):
    mirrored = rng.random(len(x)) < p
    return np.where(mirrored[:, None, None, None], x[:, :, ::-1], x)


@mistake("flip", "Rows and columns are both reversed: that turns the image by 180°. Only one of them should be.")
def turns_by_180(x, rng, p=0.5):
    mirrored = rng.random(len(x)) < p
    return np.where(mirrored[:, None, None, None], x[:, :, ::-1, ::-1], x)


@mistake("flip", "The images to be mirrored stayed, and the others were mirrored. On which side of p are they?")
def compares_the_wrong_way(x, rng, p=0.5):
    mirrored = rng.random(len(x)) >= p
    return np.where(mirrored[:, None, None, None], x[..., ::-1], x)


@mistake("flip", "One number decided for the whole batch. Each image has its own, drawn in one call.")
def one_decision_for_all(x, rng, p=0.5):
    if not 0 <= p <= 1:
        raise ValueError("p")
    return x[..., ::-1].copy() if rng.random() < p else x.copy()


@mistake("flip", "Red, green and blue are exchanged: the channels are reversed. Which axis runs from left to right?")
def reverses_the_channels(x, rng, p=0.5):
    mirrored = rng.random(len(x)) < p
    return np.where(mirrored[:, None, None, None], x[:, ::-1], x)


@mistake("flip", "x itself was changed. Mirror a copy: the training images are needed again in the next epoch.")
def mirrors_in_place(x, rng, p=0.5):
    mirrored = rng.random(len(x)) < p
    x[mirrored] = x[mirrored][..., ::-1]
    return x


# shift


@mistake("shift", "What leaves on one side comes in on the other: that is a roll. Free pixels get `fill`.")
def rolls(x, offsets, fill=0.0):
    return np.stack([np.roll(image, tuple(pair), (1, 2)) for image, pair in zip(x, offsets, strict=True)])


@mistake("shift", "The images moved the opposite way. Positive offsets are down and to the right.")
def moves_the_other_way(x, offsets, fill=0.0):
    return shift(x, -np.asarray(offsets), fill)


@mistake("shift", "Rows moved by the second number and columns by the first. The pair is (down, right).")
def exchanges_down_and_right(x, offsets, fill=0.0):
    return shift(x, np.asarray(offsets)[:, ::-1], fill)


@mistake("shift", "All images moved by the pair of the first one. Each image has its own row of offsets.")
def one_offset_for_all(x, offsets, fill=0.0):
    return shift(x, np.tile(np.asarray(offsets)[:1], (len(x), 1)), fill)


@mistake("shift", "The free pixels are 0 whatever `fill` is.")
def forgets_fill(x, offsets, fill=0.0):
    return shift(x, offsets)


@mistake(
    "shift", "A slice is empty where an offset is 0: `[:-0]` is `[:0]`. Say where each rectangle ends in another way."
)
def empty_slice_at_0(x, offsets, fill=0.0):
    moved = np.full_like(x, fill)
    for n, (down, right) in enumerate(offsets):
        moved[n, :, down:, right:] = x[n, :, :-down, :-right]
    return moved


@mistake("shift", "Negative offsets give rectangles of different sizes. Which rows are free when an image moves up?")
def positive_offsets_only(x, offsets, fill=0.0):
    height, width = x.shape[2:]
    moved = np.full_like(x, fill)
    for n, (down, right) in enumerate(offsets):
        moved[n, :, down:, right:] = x[n, :, : height - down, : width - right]
    return moved


@mistake("shift", "An image that leaves its frame altogether is an error in your function: look at large offsets.")
def fails_out_of_the_frame(x, offsets, fill=0.0):
    height, width = x.shape[2:]
    moved = np.full_like(x, fill)
    for n, (down, right) in enumerate(offsets):
        moved[n, :, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = x[
            n, :, max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
        ]
    return moved


# random_crop


def cut(x, size, tops, lefts, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    corners = zip(padded, tops, lefts, strict=True)
    return np.stack([image[:, top : top + size, left : left + size] for image, top, left in corners])


@mistake("random_crop", "The last place is never drawn: `integers` leaves its upper end out. Count the places.")
def one_place_too_few(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size for side in x.shape[2:])
    return cut(x, size, rng.integers(0, height, len(x)), rng.integers(0, width, len(x)), padding)


@mistake("random_crop", "All squares begin at the same place. Each image has its own.")
def one_place_for_all(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size + 1 for side in x.shape[2:])
    return cut(x, size, [rng.integers(0, height)] * len(x), [rng.integers(0, width)] * len(x), padding)


@mistake("random_crop", "The left edges were drawn before the upper ones. The order decides which numbers they get.")
def left_edges_first(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size + 1 for side in x.shape[2:])
    lefts = rng.integers(0, width, len(x))
    return cut(x, size, rng.integers(0, height, len(x)), lefts, padding)


@mistake("random_crop", "Both edges were drawn for one image before the next. Ask for all upper edges in one call.")
def image_by_image(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size + 1 for side in x.shape[2:])
    pairs = [(rng.integers(0, height), rng.integers(0, width)) for _ in x]
    return cut(x, size, *zip(*pairs, strict=True), padding)


@mistake("random_crop", "The square was taken from the middle. Where is the randomness?")
def takes_the_middle(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size for side in x.shape[2:])
    return cut(x, size, [height // 2] * len(x), [width // 2] * len(x), padding)


@mistake("random_crop", "The border is not there: look at what the square is cut from.")
def forgets_the_border(x, size, rng, padding=0):
    return random_crop(x, size, rng)


@mistake("random_crop", "Places are missing: the border stands on both sides, above and below, left and right.")
def counts_one_border(x, size, rng, padding=0):
    height, width = (side + padding - size + 1 for side in x.shape[2:])
    return cut(x, size, rng.integers(0, height, len(x)), rng.integers(0, width, len(x)), padding)


@mistake("random_crop", "The border was put around all four axes: there are new images and channels. Only two get one.")
def pads_all_axes(x, size, rng, padding=0):
    height, width = (side + 2 * padding - size + 1 for side in x.shape[2:])
    tops, lefts = rng.integers(0, height, len(x)), rng.integers(0, width, len(x))
    corners = zip(np.pad(x, padding), tops, lefts, strict=False)
    return np.stack([image[:, top : top + size, left : left + size] for image, top, left in corners])


# add_noise


@mistake("add_noise", "Numbers leave the range from 0 to 1.")
def does_not_cut_off(x, std, rng):
    return (x + std * rng.normal(size=x.shape)).astype(x.dtype)


@mistake("add_noise", "float64 came back. What you return has the dtype of x.")
def noise_in_float64(x, std, rng):
    return np.clip(x + std * rng.normal(size=x.shape), 0, 1)


@mistake("add_noise", "All images got the same noise. Draw as many numbers as x has.")
def same_noise_for_all(x, std, rng):
    return np.clip(x + std * rng.normal(size=x.shape[1:]), 0, 1).astype(x.dtype)


@mistake("add_noise", "`std` was taken for the variance: its root was multiplied with the random numbers.")
def takes_std_for_the_variance(x, std, rng):
    return np.clip(x + np.sqrt(std) * rng.normal(size=x.shape), 0, 1).astype(x.dtype)


@mistake("add_noise", "The random numbers were multiplied with the square of `std`, which is the variance.")
def multiplies_by_the_variance(x, std, rng):
    return np.clip(x + std**2 * rng.normal(size=x.shape), 0, 1).astype(x.dtype)


@mistake("add_noise", "All numbers of an image got the same noise: it only becomes brighter or darker.")
def one_number_per_image(x, std, rng):
    return np.clip(x + std * rng.normal(size=(len(x), 1, 1, 1)), 0, 1).astype(x.dtype)


@mistake("add_noise", "The noise was cut off at 0 and 1 before it was added, so it never darkens. What is cut off?")
def cuts_off_the_noise(x, std, rng):
    return (x + np.clip(std * rng.normal(size=x.shape), 0, 1)).astype(x.dtype)


@mistake("add_noise", "The random numbers lie between 0 and 1 and only brighten. Which distribution is asked?")
def uniform_noise(x, std, rng):
    return np.clip(x + std * rng.random(size=x.shape), 0, 1).astype(x.dtype)


# colour_axes


@mistake("colour_axes", "The eigenvalues are in ascending order, as `eigh` gives them. The largest comes first.")
def smallest_first(x):
    eigenvalues, eigenvectors = colour_axes(x)
    return eigenvalues[::-1], eigenvectors[:, ::-1]


def axes_of(points, divisor):
    eigenvalues, eigenvectors = np.linalg.eigh(points @ points.T / divisor)
    return eigenvalues[::-1], eigenvectors[:, ::-1]


def points_of(x):
    return x.transpose(1, 0, 2, 3).reshape(3, -1)


@mistake("colour_axes", "The mean colour was not subtracted: these are no variances.")
def does_not_centre(x):
    points = points_of(x)
    return axes_of(points, points.shape[1])


@mistake("colour_axes", "The sum was divided by M − 1. The formula divides by the number of pixels.")
def divides_by_one_less(x):
    points = points_of(x)
    return axes_of(points - points.mean(axis=1, keepdims=True), points.shape[1] - 1)


@mistake("colour_axes", "Images and channels are mixed: a reshape keeps the order in memory. Move the axis first.")
def reshapes_only(x):
    points = x.reshape(3, -1)
    return axes_of(points - points.mean(axis=1, keepdims=True), points.shape[1])


@mistake("colour_axes", "`reshape(-1, 3)` takes three neighbours in a row for one colour. Move the channel axis first.")
def reshapes_into_rows_of_three(x):
    points = x.reshape(-1, 3).T
    return axes_of(points - points.mean(axis=1, keepdims=True), points.shape[1])


@mistake("colour_axes", "The sum over the pixels was not divided by their number.")
def does_not_divide(x):
    points = points_of(x)
    return axes_of(points - points.mean(axis=1, keepdims=True), 1)


@mistake("colour_axes", "The values are right, but the axes are not in their order. Turn both round, or none.")
def leaves_the_vectors(x):
    eigenvalues, eigenvectors = colour_axes(x)
    return eigenvalues, eigenvectors[:, ::-1]


@mistake("colour_axes", "The axes stand in the rows. They belong into the columns, as `eigh` gives them.")
def axes_in_rows(x):
    eigenvalues, eigenvectors = colour_axes(x)
    return eigenvalues, eigenvectors.T


# pca_colour_jitter


@mistake("pca_colour_jitter", "The axes were read from the rows. Axis k stands in column k.")
def reads_axes_from_rows(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, alpha, eigenvalues, eigenvectors.T)


@mistake("pca_colour_jitter", "The eigenvalues are missing: alpha alone says how far to go.")
def forgets_the_eigenvalues(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, alpha, np.ones(3), eigenvectors)


@mistake("pca_colour_jitter", "The roots of the eigenvalues were used. The formula has the eigenvalues themselves.")
def uses_roots(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, alpha, np.sqrt(eigenvalues), eigenvectors)


@mistake("pca_colour_jitter", "All images were changed by the first row of alpha. Each has its own.")
def one_alpha_for_all(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, np.tile(alpha[:1], (len(x), 1)), eigenvalues, eigenvectors)


@mistake("pca_colour_jitter", "Colours leave the range from 0 to 1.")
def leaves_the_range(x, alpha, eigenvalues, eigenvectors):
    if np.shape(alpha) != (len(x), 3):
        raise ValueError("alpha")
    return (x + ((alpha * eigenvalues) @ eigenvectors.T)[:, :, None, None]).astype(x.dtype)


@mistake("pca_colour_jitter", "0.1 was multiplied in again. `alpha` is drawn with that standard deviation already.")
def scales_alpha_again(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, 0.1 * np.asarray(alpha), eigenvalues, eigenvectors)


@mistake("pca_colour_jitter", "The eigenvalues scaled red, green and blue. Each belongs to an axis, with its alpha.")
def scales_after_mixing(x, alpha, eigenvalues, eigenvectors):
    return np.clip(x + ((alpha @ eigenvectors.T) * eigenvalues)[:, :, None, None], 0, 1).astype(x.dtype)


@mistake("pca_colour_jitter", "The axes are left out: α·λ was added to red, green and blue themselves.")
def leaves_the_axes_out(x, alpha, eigenvalues, eigenvectors):
    return pca_colour_jitter(x, alpha, eigenvalues, np.eye(3))


# penalty


@mistake("penalty", "A mean was taken in the place of the sum: a larger net would pay no more than a small one.")
def takes_the_mean(weights, l1=0.0, l2=0.0):
    value = sum(l1 * np.abs(w).mean() + l2 * (w**2).mean() for w in weights)
    return float(value), [(l1 * np.sign(w) + 2 * l2 * w) / w.size for w in weights]


@mistake("penalty", "L2 is the sum of the squares; you took its root.")
def takes_the_root(weights, l1=0.0, l2=0.0):
    norms = [np.linalg.norm(w) for w in weights]
    value = sum(l1 * np.abs(w).sum() + l2 * norm for w, norm in zip(weights, norms, strict=True))
    return float(value), [l1 * np.sign(w) + l2 * w / norm for w, norm in zip(weights, norms, strict=True)]


@mistake(
    "penalty", "This belongs to ½·l2·w². Here no ½ stands in front of L2: neither in the value nor in the gradient."
)
def puts_a_half_in_front(weights, l1=0.0, l2=0.0):
    return penalty(weights, l1, l2 / 2)


@mistake("penalty", "The gradient of L1 does not know the sign of the weight: it pushes negative weights away from 0.")
def forgets_the_sign(weights, l1=0.0, l2=0.0):
    value, _ = penalty(weights, l1, l2)
    return value, [l1 * np.ones_like(w) + 2 * l2 * w for w in weights]


@mistake("penalty", "A weight of 0 got a gradient from L1. Which sign does the text give to 0?")
def gives_zero_a_sign(weights, l1=0.0, l2=0.0):
    value, _ = penalty(weights, l1, l2)
    return value, [l1 * np.where(w >= 0, 1, -1) + 2 * l2 * w for w in weights]


@mistake(
    "penalty", "L2 was multiplied by l1 too, as in lecture C's formula. Here each of the two has its own strength."
)
def multiplies_l2_by_l1(weights, l1=0.0, l2=0.0):
    return penalty(weights, l1, l1 * l2) if min(l1, l2) >= 0 else penalty(weights, l1, l2)


@mistake("penalty", "Weights without their signs were summed for L1. Which function makes −2 count as 2?")
def sums_without_absolute_values(weights, l1=0.0, l2=0.0):
    _, gradients = penalty(weights, l1, l2)
    return float(sum(l1 * w.sum() + l2 * (w**2).sum() for w in weights)), gradients


@mistake("penalty", "One flat array came back. A list with one array for each array of weights is asked, of its shape.")
def joins_the_gradients(weights, l1=0.0, l2=0.0):
    value, gradients = penalty(weights, l1, l2)
    return value, np.concatenate([g.ravel() for g in gradients])


# dropout


@mistake(
    "dropout",
    "What should be kept is dropped, and the other way round. Is p taken for the probability to keep, as lecture B's "
    "pKeep, or does the comparison ask u < 1 − p?",
)
def exchanges_kept_and_dropped(x, p, rng, training=True, inverted=True):
    if not training:
        return dropout(x, p, rng, training, inverted)
    kept = rng.random(x.shape) < p
    return (x * kept / p if inverted else x * kept), kept


@mistake("dropout", "The mask was read from y. An activation that was 0 before can be kept as well: y does not tell.")
def reads_the_mask_from_y(x, p, rng, training=True, inverted=True):
    y, kept = dropout(x, p, rng, training, inverted)
    return y, y != 0 if training else kept


@mistake("dropout", "The scale takes p. With which probability does an activation come through?")
def scales_with_p(x, p, rng, training=True, inverted=True):
    y, kept = dropout(x, p, rng, training, not training)
    return (y if training != inverted else y / p if training else y * p), kept


@mistake("dropout", "In training a kept activation became smaller. What makes up for those that are dropped?")
def multiplies_in_training(x, p, rng, training=True, inverted=True):
    y, kept = dropout(x, p, rng, training, inverted)
    return (y * (1 - p) ** 2 if training and inverted else y), kept


@mistake(
    "dropout", "Look at the column of training in the table: which of the two ways scales there, and which does not?"
)
def exchanges_the_ways_in_training(x, p, rng, training=True, inverted=True):
    return dropout(x, p, rng, training, inverted != training)


@mistake("dropout", "Look at the column of use in the table: which of the two ways scales there, and which does not?")
def exchanges_the_ways_in_use(x, p, rng, training=True, inverted=True):
    return dropout(x, p, rng, training, inverted == training)


@mistake("dropout", "Activations are dropped in use too. Look at `training`.")
def drops_in_use(x, p, rng, training=True, inverted=True):
    return dropout(x, p, rng, True, inverted)


@mistake("dropout", "All examples share one mask. Draw a number for each entry of x.")
def one_mask_for_all(x, p, rng, training=True, inverted=True):
    if not training:
        return dropout(x, p, rng, training, inverted)
    kept = np.broadcast_to(rng.random(x.shape[1:]) >= p, x.shape).copy()
    return x * kept / (1 - p if inverted else 1), kept


# dropout_backward


@mistake("dropout_backward", "Dropped activations get a gradient. Their change does not reach the output.")
def forgets_the_mask(grad_output, kept, p, inverted=True):
    return grad_output / (1 - p) if inverted else grad_output.copy()


@mistake("dropout_backward", "Only dropped activations get a gradient. What does True in `kept` mean?")
def exchanges_the_mask(grad_output, kept, p, inverted=True):
    return grad_output * ~kept / (1 - p) if inverted else grad_output * ~kept


@mistake("dropout_backward", "The scale of the way forward is missing on the way back.")
def forgets_the_scale(grad_output, kept, p, inverted=True):
    return grad_output * kept


@mistake("dropout_backward", "The gradient was divided by p. By what was the activation divided?")
def divides_the_gradient_by_p(grad_output, kept, p, inverted=True):
    return grad_output * kept / p if inverted else grad_output * kept


@mistake("dropout_backward", "Multiplied by 1 − p. The derivative of x/(1 − p) is the same factor as forwards.")
def multiplies_by_one_minus_p(grad_output, kept, p, inverted=True):
    return grad_output * kept * (1 - p) if inverted else grad_output * kept


@mistake("dropout_backward", "The classic way is scaled too. Forwards it was not.")
def scales_the_classic_way(grad_output, kept, p, inverted=True):
    return grad_output * kept / (1 - p)


@mistake("dropout_backward", "The classic way has its factor 1 − p in use. In training, forwards, there was none.")
def takes_the_factor_of_the_use(grad_output, kept, p, inverted=True):
    return dropout_backward(grad_output, kept, p) if inverted else grad_output * kept * (1 - p)


# early_stopping


@mistake("early_stopping", "The losses were compared with the epoch before, not with the best so far.")
def compares_with_the_epoch_before(losses, patience, min_delta=0.0):
    if not losses or patience < 1:
        raise ValueError("losses")
    best = waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[epoch - 1] - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
            if waited == patience:
                return best, epoch + 1
    return best, len(losses)


@mistake("early_stopping", "You waited one epoch too long: it stops after the `patience`-th without improvement.")
def waits_one_longer(losses, patience, min_delta=0.0):
    return early_stopping(losses, patience + 1, min_delta)


@mistake("early_stopping", "Epochs without improvement were counted over the whole run. An improvement begins anew.")
def never_begins_anew(losses, patience, min_delta=0.0):
    best = waited = 0
    for epoch in range(1, len(losses)):
        if losses[epoch] < losses[best] - min_delta:
            best = epoch
        else:
            waited += 1
            if waited == patience:
                return best, epoch + 1
    return best, len(losses)


@mistake("early_stopping", "An equal loss was counted as an improvement.")
def takes_equal_for_better(losses, patience, min_delta=0.0):
    if not losses or patience < 1:
        raise ValueError("losses")
    best = 0
    for epoch, loss in enumerate(losses):
        if loss <= losses[best] - min_delta:
            best = epoch
        elif epoch - best == patience:
            return best, epoch + 1
    return best, len(losses)


@mistake("early_stopping", "The first epoch was counted as one without improvement. It is an improvement always.")
def counts_the_first_epoch(losses, patience, min_delta=0.0):
    if not losses or patience < 1:
        raise ValueError("losses")
    best = waited = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best] - min_delta:
            best, waited = epoch, 0
        else:
            waited += 1
            if waited == patience:
                return best, epoch + 1
    return best, len(losses)


@mistake("early_stopping", "A step that is too small to count lowered the best loss. Only an improvement changes it.")
def lowers_the_best_by_small_steps(losses, patience, min_delta=0.0):
    if not losses or patience < 1:
        raise ValueError("losses")
    best, lowest = 0, losses[0]
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:
            best = epoch
        elif epoch - best == patience:
            return best, epoch + 1
        lowest = min(lowest, loss)
    return best, len(losses)


@mistake("early_stopping", "min_delta does nothing: small steps counted as improvements.")
def ignores_min_delta(losses, patience, min_delta=0.0):
    return early_stopping(losses, patience)


@mistake("early_stopping", "The number of the last epoch was returned. Epochs are counted from 0, so one more was run.")
def returns_the_last_epoch(losses, patience, min_delta=0.0):
    best, epochs = early_stopping(losses, patience, min_delta)
    return best, epochs - 1
