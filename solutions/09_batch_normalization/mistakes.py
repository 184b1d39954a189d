"""Wrong answers to the exercises of module 09, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "normalise": (
        "Symptom: rows with mean 0 instead of columns? Look at the axis. Slightly too small numbers for few examples? "
        "Look at what the variance is divided by. Right for ε = 0 only? Look at what ε is added to. float64 from "
        "float32? Something of float64 was mixed in.",
        "Idea: one mean and one variance for each column, so arrays of shape (D,). They stretch over the rows by "
        "themselves.",
        "Outline: check the axes; subtract the column means; divide either by the root of variance plus ε, or by the "
        "root of the variance, plus ε. NumPy's var divides by N unless told otherwise.",
    ),
    "identity_parameters": (
        "Symptom: right for ε = 0 only? The slide's α does not know of ε. A tuple in the wrong order? weight comes "
        "first.",
        "Idea: batch normalization subtracts a number and divides by a number. What undoes a division, and what a "
        "subtraction?",
        "Outline: the weight is exactly what `normalise` divided by, with its ε; the bias is exactly what it "
        "subtracted.",
    ),
    "update_running": (
        "Symptom: the new value hardly differs from the batch's? The two weights are exchanged. The mean is right and "
        "the variance is not? Look at N and N − 1, in both conventions. An argument changed in place? `*=` and `+=` "
        "write into the caller's array.",
        "Idea: momentum times the batch's number plus (1 − momentum) times the old one, for mean and variance alike. "
        "The convention decides about the variance only.",
        "Outline: check convention and number of examples; the batch's mean; its variance, with `ddof=1` where it is "
        "to be unbiased; two weighted sums, returned as new arrays.",
    ),
    "batchnorm_forward": (
        "Symptom: right in training and wrong in eval mode? Look at which statistics normalise, and whether ε is "
        "there. The output is right and the statistics are not? Which variance is kept, and in which mode? No error "
        "for a batch of one? It needs one in training only; an array of one axis is refused in both. float64 from "
        "float32? Something of float64 was mixed in.",
        "Idea: you have both halves already. The mode chooses between them; scale and offset come last, in both modes.",
        "Outline: check the axes; in training normalise the batch and update the running statistics in PyTorch's "
        "convention, which refuses a single example; otherwise use the running statistics with ε inside the root, and "
        "leave them; return scale times x̂ plus offset, and the two statistics.",
    ),
    "batchnorm_backward_graph": (
        "Symptom: weight or bias of shape (N, D)? What was spread over the examples is summed on the way back. std has "
        "the wrong sign? Differentiate c/s with respect to s. centred wrong while std and var are right? It has two "
        "users. Every x of a column off by the same amount? The path through the mean is missing, or its 1/N.",
        "Idea: go through the table from below. For each node ask: who uses it, with which local derivative, and was "
        "it spread over the examples?",
        "Outline: forwards again down to x̂; bias and weight as sums over the batch; x_hat times the scale; std from "
        "x_hat with the derivative −c/s², summed; var from std with 1/(2s); centred from x_hat and from var, each c "
        "squared having the derivative 2c/N; mean as the negative sum of centred; x as centred plus mean/N.",
    ),
    "batchnorm_backward": (
        "Symptom: the gradient is right up to a factor? N, the weight, or the root. It does not sum to 0 over the "
        "batch? The mean's part is missing. Right when the gradient does not follow x̂ only? The variance's part is "
        "missing. float64 from float32? Something of float64 was mixed in.",
        "Idea: the bracket divided by N is g minus its mean minus x̂ times the mean of g x̂.",
        "Outline: check the shapes; x̂ and s from x; the two sums, which are the gradients of bias and weight; the "
        "bracket; times weight over s; return three arrays in the order of the docstring.",
    ),
    "batchnorm2d": (
        "Symptom: a statistic for each pixel or each image? Count the values that belong to one channel. Values in "
        "the wrong places? A reshape alone does not exchange axes. Running variance slightly off, or one image "
        "refused? The number of examples is N·H·W.",
        "Idea: make a table with one row for each pixel of each image and one column for each channel, and use the "
        "layer for tables.",
        "Outline: check the axes; move the channel axis to the end, then reshape to (N·H·W, C); run "
        "`batchnorm_forward`; reshape to (N, H, W, C) and move the channel axis back to its place.",
    ),
    "fold_into_conv": (
        "Symptom: the filters are right and the bias is not? The convolution's own bias is normalised too, and the "
        "running mean is subtracted before the factor acts. Outputs mixed up when there are as many filters as input "
        "channels? Look at which axis the factor multiplies. No error for one scale and two filters? NumPy "
        "stretches it.",
        "Idea: write y = f·(W*x + b − μ) + bias with f = weight/√(σ² + ε) and multiply out.",
        "Outline: check that there is one scale for each filter; the factor, shape (C_out,); the filters times the "
        "factor along their first axis; (convolution's bias or 0, minus the running mean) times the factor, plus the "
        "bias.",
    ),
    "layer_norm": (
        "Symptom: the answer depends on the company? The statistics run over the wrong axis. A broadcasting error? "
        "The means need an axis of length 1 where the features were. Right without scale and offset only? They belong "
        "to the features, not to the examples.",
        "Idea: the same formula as `normalise`, along the last axis.",
        "Outline: mean and variance over axis −1 with `keepdims=True`; centre, divide by the root of variance plus ε; "
        "times weight, plus bias.",
    ),
}


# normalise


@mistake("normalise", "These are the rows, standardised: each example over its features. Which axis is the batch?")
def normalises_rows(x, eps=1e-5, eps_inside=True):
    return normalise(x.T, eps, eps_inside).T


@mistake("normalise", "One mean and one variance were taken for the whole table. Each feature has its own.")
def one_statistic_for_all(x, eps=1e-5, eps_inside=True):
    return normalise(x.reshape(-1, 1), eps, eps_inside).reshape(x.shape)


@mistake(
    "normalise",
    "The variance was divided by N − 1. That is the unbiased one; normalising uses the variance divided by N.",
)
def unbiased_variance(x, eps=1e-5, eps_inside=True):
    centred = x - x.mean(axis=0)
    var = x.var(axis=0, ddof=1)
    return centred / (np.sqrt(var + eps) if eps_inside else np.sqrt(var) + eps)


@mistake("normalise", "You divided by the variance. What has the same unit as x?")
def divides_by_the_variance(x, eps=1e-5, eps_inside=True):
    return (x - x.mean(axis=0)) / (x.var(axis=0) + eps)


@mistake("normalise", "The two places of ε are exchanged: inside the root it is added to the variance.")
def eps_places_exchanged(x, eps=1e-5, eps_inside=True):
    return normalise(x, eps, not eps_inside)


@mistake("normalise", "ε stands inside the root whatever `eps_inside` says. The lecture adds it to the root itself.")
def eps_always_inside(x, eps=1e-5, eps_inside=True):
    return normalise(x, eps)


@mistake("normalise", "The mean was not subtracted. Centre the columns before you divide.")
def forgets_to_centre(x, eps=1e-5, eps_inside=True):
    return normalise(x, eps, eps_inside) + x.mean(axis=0) / np.sqrt(x.var(axis=0) + eps)


# identity_parameters


@mistake(
    "identity_parameters",
    "This is the slide's α, the plain standard deviation. But `normalise` divides by something slightly larger.",
)
def as_on_the_slide(x, eps=1e-5, eps_inside=True):
    return x.std(axis=0), x.mean(axis=0)


@mistake("identity_parameters", "That is the variance plus ε. What does `normalise` divide by?")
def forgets_the_root(x, eps=1e-5, eps_inside=True):
    return x.var(axis=0) + eps, x.mean(axis=0)


@mistake("identity_parameters", "The two are in the wrong order: the scale comes first, then the offset.")
def offset_first(x, eps=1e-5, eps_inside=True):
    return identity_parameters(x, eps, eps_inside)[::-1]


@mistake("identity_parameters", "There is one pair for the whole layer. Each feature has its own scale and offset.")
def one_pair_for_all(x, eps=1e-5, eps_inside=True):
    return np.sqrt(x.var() + eps), x.mean()


@mistake("identity_parameters", "Right for ε inside the root. Outside it, `normalise` divides by something else.")
def identity_with_eps_inside(x, eps=1e-5, eps_inside=True):
    return identity_parameters(x, eps)


@mistake("identity_parameters", "The variance was divided by N − 1; `normalise` divides by N.")
def identity_unbiased(x, eps=1e-5, eps_inside=True):
    return np.sqrt(x.var(axis=0, ddof=1) + eps), x.mean(axis=0)


# update_running


@mistake(
    "update_running",
    "The weights are exchanged: `momentum` is the weight of the new batch here. (In Keras it is the old value's.)",
)
def momentum_for_the_old(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    return update_running(running_mean, running_var, x, 1 - momentum, convention)


@mistake(
    "update_running",
    "PyTorch keeps the unbiased variance, divided by N − 1. Here the same one is kept in both conventions.",
)
def never_unbiased(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    if convention == "theirs":
        raise ValueError("no such convention")
    return update_running(running_mean, running_var, x, momentum, "lecture")


@mistake("update_running", "The lecture keeps the variance divided by N. Only PyTorch's convention divides by N − 1.")
def always_unbiased(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    return update_running(running_mean, running_var, x, momentum)


@mistake("update_running", "The two are in the wrong order: first the running mean, then the running variance.")
def variance_first(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    return update_running(running_mean, running_var, x, momentum, convention)[::-1]


@mistake("update_running", "The statistics of the last batch came back. The old ones should weigh 1 − momentum.")
def forgets_the_past(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    return update_running(running_mean, running_var, x, 1.0, convention)


@mistake("update_running", "The standard deviation is averaged here. Both conventions keep the variance.")
def keeps_the_standard_deviation(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    mean, _ = update_running(running_mean, running_var, x, momentum, convention)
    std = x.std(axis=0, ddof=1 if convention == "pytorch" else 0)
    return mean, momentum * std + (1 - momentum) * running_var


@mistake(
    "update_running",
    "One example is refused in the lecture's convention too. Which of the two variances needs a second one?",
)
def refuses_one_example(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    if len(x) < 2:
        raise ValueError("at least two examples")
    return update_running(running_mean, running_var, x, momentum, convention)


@mistake(
    "update_running",
    "The arrays of the caller were changed. Compute new arrays: `a = b * a` makes one, `a *= b` does not.",
)
def changes_its_arguments(running_mean, running_var, x, momentum=0.1, convention="pytorch"):
    mean, var = update_running(running_mean, running_var, x, momentum, convention)
    running_mean[...] = mean
    running_var[...] = var
    return running_mean, running_var


# batchnorm_forward


@mistake("batchnorm_forward", "Scale and offset are missing: this is x̂.")
def forgets_scale_and_offset(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batchnorm_forward(x, 1.0, 0.0, running_mean, running_var, training, momentum, eps)


@mistake(
    "batchnorm_forward",
    "In training the running statistics normalised. They are for eval mode; in training the batch has its own.",
)
def normalises_by_running(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    running = update_running(running_mean, running_var, x, momentum) if training else (running_mean, running_var)
    return batchnorm_forward(x, weight, bias, *running, False, momentum, eps)[0], *running


@mistake("batchnorm_forward", "The running statistics came back as they were. In training they are updated.")
def never_updates(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *_ = batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return y, running_mean, running_var


@mistake(
    "batchnorm_forward",
    "The batch was normalised with the variance divided by N − 1. That one is only kept; it does not normalise.",
)
def normalises_unbiased(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *running = batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps)
    if training:
        y = weight * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + eps) + bias
    return y, *running


@mistake(
    "batchnorm_forward", "The variance that is kept was divided by N. PyTorch's convention keeps the unbiased one."
)
def keeps_biased(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *running = batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return y, *(update_running(running_mean, running_var, x, momentum, "lecture") if training else running)


@mistake("batchnorm_forward", "In eval mode the batch still normalises itself. Which statistics belong there?")
def always_the_batch(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if training:
        return batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return weight * normalise(x, eps) + bias, running_mean, running_var


@mistake("batchnorm_forward", "The running statistics were updated in eval mode. Use must not change the layer.")
def updates_in_eval(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *_ = batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return y, *update_running(running_mean, running_var, x, momentum, "pytorch" if training else "lecture")


@mistake(
    "batchnorm_forward", "In eval mode there is no ε, as in lecture C. PyTorch adds it to the running variance too."
)
def no_eps_in_eval(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    return batchnorm_forward(x, weight, bias, running_mean, running_var, training, momentum, eps if training else 0.0)


# batchnorm_backward_graph


@mistake(
    "batchnorm_backward_graph",
    "The gradient of the weight is summed without x̂: that is the bias's. What does the weight multiply?",
)
def weight_without_x_hat(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "weight": grad["bias"]}


@mistake(
    "batchnorm_backward_graph",
    "The gradient for x_hat is grad_output itself. On the way forward x̂ was multiplied by something.",
)
def x_hat_without_weight(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, np.ones_like(weight), eps)
    return grad


@mistake(
    "batchnorm_backward_graph",
    "Means were taken over the batch. What was spread over N examples is summed on the way back; 1/N comes only from "
    "nodes that have it on the way forward.",
)
def means_for_sums(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "bias": grad["bias"] / len(x), "weight": grad["weight"] / len(x), "std": grad["std"] / len(x)}


@mistake("batchnorm_backward_graph", "The sign for std is wrong: what happens to c/s when s grows?")
def std_with_wrong_sign(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "std": -grad["std"], "var": -grad["var"]}


@mistake(
    "batchnorm_backward_graph",
    "std is right, var is not: the derivative of √u is 1/(2√u), and √(v + ε) is s.",
)
def half_is_missing(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "var": 2 * grad["var"]}


@mistake(
    "batchnorm_backward_graph",
    "`centred` has only the part that comes through x̂. The table names a second user.",
)
def centred_through_x_hat_only(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    centred = grad["x_hat"] / np.sqrt(x.var(axis=0) + eps)
    mean = -centred.sum(axis=0)
    return {**grad, "centred": centred, "mean": mean, "x": centred + mean / len(x)}


@mistake(
    "batchnorm_backward_graph",
    "The gradient for x is that of `centred` alone. x is also used by `mean`, with a local derivative of 1/N.",
)
def x_without_the_mean(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "x": grad["centred"]}


@mistake(
    "batchnorm_backward_graph",
    "Every x got the whole gradient of `mean`. In the mean each of them is divided by N.",
)
def x_with_the_whole_mean(grad_output, x, weight, eps=1e-5):
    grad = batchnorm_backward_graph(grad_output, x, weight, eps)
    return {**grad, "x": grad["centred"] + grad["mean"]}


# batchnorm_backward


@mistake(
    "batchnorm_backward",
    "Mean and variance are treated as constants: that is the way back of eval mode. In training they depend on x.",
)
def statistics_as_constants(grad_output, x, weight, eps=1e-5):
    _, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return grad_output * weight / np.sqrt(x.var(axis=0) + eps), grad_weight, grad_bias


@mistake("batchnorm_backward", "The part that goes through the variance is missing: the last term of the bracket.")
def forgets_the_variance(grad_output, x, weight, eps=1e-5):
    _, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return (grad_output - grad_output.mean(axis=0)) * weight / np.sqrt(x.var(axis=0) + eps), grad_weight, grad_bias


@mistake("batchnorm_backward", "The part that goes through the mean is missing: the second term of the bracket.")
def forgets_the_mean(grad_output, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return grad_x + weight / np.sqrt(x.var(axis=0) + eps) * grad_output.mean(axis=0), grad_weight, grad_bias


@mistake("batchnorm_backward", "The gradient for x lacks the factor `weight`: y is weight times x̂.")
def x_without_the_weight(grad_output, x, weight, eps=1e-5):
    return batchnorm_backward(grad_output, x, np.ones_like(weight), eps)


@mistake("batchnorm_backward", "The gradient for x is N times too large: the bracket has N·g in it, so divide by N.")
def forgets_to_divide_by_n(grad_output, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return grad_x * len(x), grad_weight, grad_bias


@mistake("batchnorm_backward", "Right numbers in the wrong order: x first, then weight, then bias.")
def bias_before_weight(grad_output, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return grad_x, grad_bias, grad_weight


@mistake(
    "batchnorm_backward",
    "The gradients of weight and bias are means over the batch. Both were used by every example: sum.",
)
def means_over_the_batch(grad_output, x, weight, eps=1e-5):
    grad_x, grad_weight, grad_bias = batchnorm_backward(grad_output, x, weight, eps)
    return grad_x, grad_weight / len(x), grad_bias / len(x)


@mistake(
    "batchnorm_backward",
    "grad_output was stretched to the shape of x. If the shapes differ something is wrong before: raise a ValueError.",
)
def stretches_the_gradient(grad_output, x, weight, eps=1e-5):
    return batchnorm_backward(np.broadcast_to(grad_output, x.shape), x, weight, eps)


# batchnorm2d


@mistake(
    "batchnorm2d",
    "Every pixel has its own statistics, taken over the images. All positions of a channel belong together.",
)
def statistics_for_each_pixel(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    _, *running = batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    scale, offset = weight[:, None, None], bias[:, None, None]
    return scale * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + offset, *running


@mistake(
    "batchnorm2d",
    "Every image is normalised by itself (that is instance normalization). The statistics run over the images too.",
)
def statistics_for_each_image(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *running = batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    if training:
        mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
        y = weight[:, None, None] * (x - mean) / np.sqrt(var + eps) + bias[:, None, None]
    return y, *running


@mistake("batchnorm2d", "The channels were mixed: one mean and one variance for all of them.")
def one_statistic_for_all_channels(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *running = batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    if training:
        y = weight[:, None, None] * (x - x.mean()) / np.sqrt(x.var() + eps) + bias[:, None, None]
    return y, *running


@mistake(
    "batchnorm2d",
    "A reshape to C columns without moving the channel axis first: the columns then hold pixels of all channels.",
)
def reshapes_without_moving(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if x.ndim != 4:
        raise ValueError("four axes")
    rows = x.reshape(-1, x.shape[1])
    y, *running = batchnorm_forward(rows, weight, bias, running_mean, running_var, training, momentum, eps)
    return y.reshape(x.shape), *running


@mistake(
    "batchnorm2d",
    "The values are right, their places are not: on the way back the rows were reshaped straight to (N, C, H, W).",
)
def does_not_move_back(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, *running = batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    return y.transpose(0, 2, 3, 1).reshape(x.shape), *running


@mistake(
    "batchnorm2d",
    "One image alone is refused. Count the values of a channel: when are there fewer than two?",
)
def refuses_one_image(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    if training and len(x) < 2:
        raise ValueError("at least two images")
    return batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)


@mistake(
    "batchnorm2d",
    "The kept variance counts N examples. A channel has N·H·W values, so the unbiased variance divides by N·H·W − 1.",
)
def counts_images_only(x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5):
    y, mean, var = batchnorm2d(x, weight, bias, running_mean, running_var, training, momentum, eps)
    if training:
        n = len(x)
        var = momentum * x.var(axis=(0, 2, 3)) * n / (n - 1) + (1 - momentum) * running_var
    return y, mean, var


# fold_into_conv


@mistake("fold_into_conv", "The running mean is missing. The convolution's output is centred before it is scaled.")
def forgets_the_running_mean(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return fold_into_conv(conv_weight, conv_bias, weight, bias, np.zeros_like(running_mean), running_var, eps)


@mistake(
    "fold_into_conv",
    "The bias of the convolution was added as it is. It goes through the normalization, so the factor acts on it too.",
)
def bias_not_scaled(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    folded, rest = fold_into_conv(conv_weight, None, weight, bias, running_mean, running_var, eps)
    return folded, rest if conv_bias is None else rest + conv_bias


@mistake("fold_into_conv", "The bias of the convolution is lost: it is normalised together with its output.")
def loses_the_bias(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return fold_into_conv(conv_weight, None, weight, bias, running_mean, running_var, eps)


@mistake("fold_into_conv", "You divided by the variance plus ε. The layer divides by its root.")
def folds_the_variance(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, (running_var + eps) ** 2 - eps, eps)


@mistake("fold_into_conv", "ε is missing: the layer divides by the root of running variance plus ε.")
def folds_without_eps(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, running_var, 0.0)


@mistake("fold_into_conv", "The filters are unchanged. The factor multiplies the whole output, so the filters too.")
def only_the_bias_changes(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return conv_weight, fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps)[1]


@mistake(
    "fold_into_conv",
    "The factor acts along the axis of the input channels. There is one for each filter: which axis counts filters?",
)
def scales_the_input_channels(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    _, folded_bias = fold_into_conv(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps)
    factor = weight / np.sqrt(running_var + eps)
    return conv_weight * factor[None, :, None, None], folded_bias


@mistake("fold_into_conv", "It fails where the convolution has no bias. `None` means: nothing is added.")
def needs_a_bias(conv_weight, conv_bias, weight, bias, running_mean, running_var, eps=1e-5):
    return fold_into_conv(conv_weight, conv_bias + 0, weight, bias, running_mean, running_var, eps)


# layer_norm


@mistake("layer_norm", "That is batch normalization: the statistics run over the examples. Here each has its own.")
def over_the_batch(x, weight, bias, eps=1e-5):
    return weight * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + bias


@mistake(
    "layer_norm",
    "The statistics run along axis 1. The features stand on the last axis, which is axis 1 only where there are two.",
)
def along_axis_one(x, weight, bias, eps=1e-5):
    return weight * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + eps) + bias


@mistake("layer_norm", "Scale and offset are missing.")
def layer_without_scale(x, weight, bias, eps=1e-5):
    return layer_norm(x, 1.0, 0.0, eps)


@mistake("layer_norm", "One mean and one variance for all examples together. Each example has its own.")
def over_everything(x, weight, bias, eps=1e-5):
    return weight * (x - x.mean()) / np.sqrt(x.var() + eps) + bias


@mistake("layer_norm", "The variance was divided by D − 1. Layer normalization divides by D.")
def layer_unbiased(x, weight, bias, eps=1e-5):
    return weight * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, ddof=1, keepdims=True) + eps) + bias


@mistake("layer_norm", "ε is added to the standard deviation, as on lecture B's slide. Here it stands inside the root.")
def layer_eps_outside(x, weight, bias, eps=1e-5):
    return weight * (x - x.mean(axis=-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + eps) + bias
