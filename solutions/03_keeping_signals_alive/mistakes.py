"""Wrong answers to the exercises of module 03, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "tanh_from_sigmoid": (
        "Symptom: all values positive? The middle of the sigmoid is at 1/2, that of tanh at 0. Right at 0 and too "
        "small beside it? The curve is not steep enough.",
        "Idea: the formula has two factors of 2. One stretches the values, the other makes the curve steeper.",
        "Outline: the sigmoid at twice x, times two, minus one.",
    ),
    "relu": (
        "Symptom: a single number came? The largest entry of all is something else than the larger of two. nan where "
        "−∞ went in? 0 · ∞ is nan. 'changed in place'? The array that you were given was written to.",
        "Idea: compare each entry with zero; do not multiply.",
        "Outline: NumPy has a function of two arrays (or an array and a number) that takes the larger one entry by "
        "entry.",
    ),
    "relu_backward": (
        "Symptom: only zeros and ones? The gradient from above is missing. Negative gradients vanish? The wrong array "
        "was compared with zero.",
        "Idea: whether the unit was on is decided by what went in; what passes is what comes from above.",
        "Outline: one condition on x, strictly greater; where it holds grad_output, elsewhere zero.",
    ),
    "leaky_relu": (
        "Symptom: right for small alpha and wrong for alpha = 2? The larger of x and alpha · x is not always the one "
        "that the formula chooses.",
        "Idea: the sign of x chooses the branch, nothing else.",
        "Outline: a condition on x; alpha times x where it is negative, x elsewhere.",
    ),
    "leaky_relu_backward": (
        "Symptom: the values on the left grow with x? A slope does not depend on where on the line you are. Only "
        "slopes, no gradients? Something from above is missing.",
        "Idea: the same two branches as forwards, each with its slope times grad_output.",
        "Outline: a condition on x, strictly greater than zero; grad_output there, alpha times grad_output elsewhere.",
    ),
    "maxout": (
        "Symptom: right for one unit and too few columns for two? The maximum ran over the units. Right with equal "
        "biases only? Each piece gets its bias before they are compared. Never negative? That is a ReLU on top.",
        "Idea: first all pieces, for every example and every unit; then the largest along one axis.",
        "Outline: an array of shape (N, K, H) from x and weight, by einsum or by one matrix product for each piece; "
        "add the bias; take the maximum along the axis of the pieces.",
    ),
    "maxout_backward": (
        "Symptom: both pieces have gradients in the example by hand? Only the winner gets one. Right for one example "
        "and wrong for two? Each example has its own winner, and the gradients of the examples add up. Wrong in the "
        "tie only? The first of equal pieces wins, no other.",
        "Idea: a mask of shape (N, K, H) with a one for the winner makes K linear layers of it.",
        "Outline: compute the pieces as forwards; argmax along the pieces; compare it with 0 … K − 1 to get the mask; "
        "times grad_output is g; the three formulas are two einsum and one sum.",
    ),
    "init_weights": (
        "Symptom: the shape is turned around? One unit a row. Far too small? A variance is not a standard deviation. "
        "Right for square layers only? n counts inputs. The same weights for all seeds? Draw from the rng you were "
        "given.",
        "Idea: standard normal numbers times the standard deviation that you want.",
        "Outline: find the standard deviation for the scheme, or raise; draw fan_out times fan_in standard normal "
        "numbers from rng; multiply.",
    ),
    "activation_stds": (
        "Symptom: the first number is right and the others are not? What goes into layer 2 is what came out of layer "
        "1. Only the last one is wrong? The activation follows on the last layer too. 2 instead of 1 in the first "
        "example? The activation is missing. Right for layers of one unit only? One "
        "standard deviation over everything is not the mean of one a unit.",
        "Idea: a loop over the weights in which h is replaced by the next layer's h.",
        "Outline: start with x; for each weight matrix multiply by its transpose, apply the activation, note the "
        "standard deviation of the whole array; return them as an array.",
    ),
    "dead_fraction": (
        "Symptom: 0.55 in the example? These are all zeros, not the dead units. 1? Units that are off for some image "
        "are not dead. Wrong for the leaky example only? Numbers can cancel, or be negative, without being zero.",
        "Idea: a column is dead when all of its entries are zero.",
        "Outline: compare with zero; ask for all along the axis of the examples; the mean of the answers.",
    ),
    "standardise": (
        "Symptom: one mean for everything? Each column has its own. The test set has mean 0? It must not: it gets the "
        "numbers of the training set. nan? A column was constant. Off by a factor of √(N/(N − 1))? Look at what the "
        "formula divides by.",
        "Idea: two arrays of shape (D,), both from x_train, used for both sets.",
        "Outline: mean and standard deviation along the axis of the examples; replace standard deviations of zero by "
        "one; subtract and divide in both sets.",
    ),
    "whiten": (
        "Symptom: long directions got longer? Divide by the root, not multiply. 1/9 in place of 1/3? λ is a variance. "
        "Columns in the wrong order? eigh begins with the smallest. Right without ε only? It goes under the root. "
        "Right for PCA only? ZCA turns back at the end.",
        "Idea: both kinds are a matrix that is multiplied to the centred data from the right; compute it once, use it "
        "twice.",
        "Outline: check the kind; mean of the training set; covariance, divided by N; eigh; reverse the order of "
        "values and of columns; check the smallest; divide each column of the directions by its root; for ZCA "
        "multiply by the transposed directions; apply to both sets, both minus the training mean.",
    ),
}


# tanh_from_sigmoid


@mistake(
    "tanh_from_sigmoid",
    "Centred and stretched, but as flat as a sigmoid: this is tanh(x / 2). The x needs a factor.",
)
def without_the_inner_two(x):
    return 2 * sigmoid(x) - 1


@mistake("tanh_from_sigmoid", "The values lie between −1 and 0: the sigmoid must be stretched before 1 is subtracted.")
def without_the_outer_two(x):
    return sigmoid(2 * x) - 1


@mistake("tanh_from_sigmoid", "The values lie between 0 and 2: the curve is not centred yet.")
def not_centred(x):
    return 2 * sigmoid(2 * x)


@mistake("tanh_from_sigmoid", "Left and right are exchanged: tanh rises. Look at what is subtracted from what.")
def falls(x):
    return 1 - 2 * sigmoid(2 * x)


# relu


@mistake("relu", "This is one number, the largest of all entries. ReLU compares each entry with 0 by itself.")
def largest_of_all(x):
    return max(0.0, float(np.max(x)))


@mistake("relu", "This is the absolute value: negative entries were turned around, and they should become 0.")
def turns_them_around(x):
    return np.abs(x)


@mistake("relu", "The negative part was kept and the positive part removed.")
def keeps_the_wrong_side(x):
    return np.minimum(x, 0)


@mistake("relu", "The array that was handed in was changed. Whoever called still needs it, the way back for one.")
def writes_into_x(x):
    x[x < 0] = 0
    return x


@mistake("relu", "0 times infinity is nan. Choose between x and 0; a product with a mask does more than choosing.")
def multiplies_by_a_mask(x):
    with np.errstate(invalid="ignore"):
        return x * (x > 0)


@mistake("relu", "The numbers are right, but float64 came for float32: the result is built from a new array of zeros.")
def always_float64(x):
    y = np.zeros(x.shape)
    y[x > 0] = x[x > 0]
    return y


# relu_backward


@mistake("relu_backward", "These are the slopes. The chain rule multiplies them with what arrives from above.")
def only_the_slope(grad_output, x):
    return (x > 0).astype(float)


@mistake(
    "relu_backward",
    "The gradient's own sign was asked. Whether the unit was on depends on x; the gradient may be negative.",
)
def asks_the_gradient(grad_output, x):
    return np.where(grad_output > 0, grad_output, 0.0)


@mistake("relu_backward", "Both signs were asked: negative gradients of units that were on vanish. They have to pass.")
def asks_both(grad_output, x):
    return np.where((x > 0) & (grad_output > 0), grad_output, 0.0)


@mistake("relu_backward", "This multiplies by relu(x), its value. The chain rule needs its slope there.")
def value_in_place_of_slope(grad_output, x):
    return grad_output * np.maximum(x, 0)


@mistake("relu_backward", "At x = 0 the whole gradient passes. The exercise takes the slope 0 there.")
def passes_at_zero(grad_output, x):
    return np.where(x >= 0, grad_output, 0.0)


@mistake("relu_backward", "The gradient passes where the unit was off and is stopped where it was on.")
def passes_where_off(grad_output, x):
    return np.where(x < 0, grad_output, 0.0)


# leaky_relu


@mistake(
    "leaky_relu",
    "The larger of x and αx is chosen. For α > 1 that is the wrong one; the formula asks for the sign of x.",
)
def takes_the_larger(x, alpha=0.01):
    return np.maximum(x, alpha * x)


@mistake("leaky_relu", "Only the left branch is there: positive entries became 0.")
def left_branch_only(x, alpha=0.01):
    return (x < 0) * (alpha * x)


@mistake("leaky_relu", "This is relu: nothing leaks. What does the formula give for negative entries?")
def does_not_leak(x, alpha=0.01):
    return np.maximum(x, 0)


@mistake("leaky_relu", "The left branch rises to the left: negative entries became positive. α multiplies x itself.")
def wrong_sign(x, alpha=0.01):
    return np.where(x < 0, -alpha * x, x)


@mistake("leaky_relu", "α stands in the place of αx: the left side is flat, a leak must have a slope.")
def constant_on_the_left(x, alpha=0.01):
    return np.where(x < 0, -alpha, x)


@mistake("leaky_relu", "Right for the default, but the argument alpha has no effect.")
def ignores_alpha(x, alpha=0.01):
    return np.where(x < 0, 0.01 * x, x)


# leaky_relu_backward


@mistake("leaky_relu_backward", "These are the slopes. The chain rule multiplies them with what arrives from above.")
def slopes_alone(grad_output, x, alpha=0.01):
    return np.where(x > 0, 1.0, alpha)


@mistake("leaky_relu_backward", "Nothing comes back on the left. That is relu_backward; here α of the gradient passes.")
def stops_on_the_left(grad_output, x, alpha=0.01):
    return np.where(x > 0, grad_output, 0.0)


@mistake("leaky_relu_backward", "On the left the value αx was used. The slope of a line does not depend on x.")
def value_on_the_left(grad_output, x, alpha=0.01):
    return np.where(x > 0, grad_output, alpha * x * grad_output)


@mistake(
    "leaky_relu_backward",
    "leaky_relu was applied to the gradient. Its branch is chosen by x, not by the gradient's sign.",
)
def branch_by_the_gradient(grad_output, x, alpha=0.01):
    return np.where(grad_output > 0, grad_output, alpha * grad_output)


@mistake("leaky_relu_backward", "At x = 0 the right slope was taken. The exercise takes the left one there.")
def right_slope_at_zero(grad_output, x, alpha=0.01):
    return np.where(x >= 0, grad_output, alpha * grad_output)


# maxout


@mistake("maxout", "The bias has no effect. Each piece has its own, added before the pieces are compared.")
def forgets_the_bias(x, weight, bias):
    return maxout(x, weight, np.zeros_like(bias))


@mistake("maxout", "The pieces were summed. A maxout unit keeps the largest of them.")
def sums_the_pieces(x, weight, bias):
    return (np.einsum("nd,khd->nkh", x, weight) + bias).sum(axis=1)


@mistake(
    "maxout",
    "The largest weights and biases were combined to one piece. Which piece is largest depends on the example.",
)
def maximum_of_the_weights(x, weight, bias):
    return x @ weight.max(axis=0).T + bias.max(axis=0)


@mistake(
    "maxout",
    "The pieces were compared without their biases, and the largest bias was added to the largest of them.",
)
def bias_after_the_maximum(x, weight, bias):
    return np.einsum("nd,khd->nkh", x, weight).max(axis=1) + bias.max(axis=0)


@mistake("maxout", "A ReLU sits on top: where all pieces are negative, so is the unit.")
def rectifies_as_well(x, weight, bias):
    return np.maximum(maxout(x, weight, bias), 0)


@mistake(
    "maxout",
    "The maximum ran over the units: what came has one column a piece. Along which axis do the pieces lie?",
)
def maximum_over_units(x, weight, bias):
    return (np.einsum("nd,khd->nkh", x, weight) + bias).max(axis=2)


# maxout_backward


def masked(grad_output, x, weight, mask):
    g = mask * grad_output[:, np.newaxis]
    return np.einsum("nkh,khd->nd", g, weight), np.einsum("nkh,nd->khd", g, x), g.sum(axis=0)


def pieces_of(x, weight, bias):
    return np.einsum("nd,khd->nkh", x, weight) + bias


@mistake("maxout_backward", "Every piece got the gradient. A piece that lost had no part in the output.")
def all_pieces_win(grad_output, x, weight, bias):
    return masked(grad_output, x, weight, np.ones((len(x), *bias.shape)))


@mistake("maxout_backward", "The smallest piece got the gradient. The output was the largest.")
def smallest_wins(grad_output, x, weight, bias):
    pieces = pieces_of(x, weight, bias)
    return masked(grad_output, x, weight, pieces == pieces.min(axis=1, keepdims=True))


@mistake(
    "maxout_backward",
    "In a tie several pieces got the whole gradient. The exercise gives it to the first of them alone.",
)
def ties_win_together(grad_output, x, weight, bias):
    pieces = pieces_of(x, weight, bias)
    return masked(grad_output, x, weight, pieces == pieces.max(axis=1, keepdims=True))


@mistake(
    "maxout_backward",
    "Gradients of weight and bias were averaged over the examples. They add up: grad_output knows of any mean.",
)
def averages_the_examples(grad_output, x, weight, bias):
    grad_x, grad_weight, grad_bias = maxout_backward(grad_output, x, weight, bias)
    return grad_x, grad_weight / len(x), grad_bias / len(x)


@mistake("maxout_backward", "The gradient from above has no effect: the mask alone went through the three sums.")
def forgets_grad_output(grad_output, x, weight, bias):
    return maxout_backward(np.ones_like(grad_output), x, weight, bias)


@mistake("maxout_backward", "One winner was chosen for the whole batch. Each example has its own.")
def one_winner_for_all(grad_output, x, weight, bias):
    best = pieces_of(x, weight, bias).sum(axis=0).argmax(axis=0)
    mask = best == np.arange(len(weight))[:, np.newaxis]
    return masked(grad_output, x, weight, np.broadcast_to(mask, (len(x), *bias.shape)))


@mistake("maxout_backward", "grad_bias got the gradient for every piece; only the winning piece's bias took part.")
def bias_of_all_pieces(grad_output, x, weight, bias):
    grad_x, grad_weight, _ = maxout_backward(grad_output, x, weight, bias)
    return grad_x, grad_weight, np.broadcast_to(grad_output.sum(axis=0), bias.shape).copy()


# init_weights


@mistake("init_weights", "The shape is transposed, (fan_in, fan_out). In this course a unit is a row.")
def slides_shape(fan_in, fan_out, scheme, rng):
    return init_weights(fan_in, fan_out, scheme, rng).T.copy()


@mistake(
    "init_weights",
    "The standard deviation is 1/n (or 2/n), which is the variance that was wanted. A root is missing.",
)
def variance_for_std(fan_in, fan_out, scheme, rng):
    std = {"small": 0.01, "xavier": 1 / fan_in, "he": 2 / fan_in}
    if scheme not in std:
        raise ValueError(scheme)
    return std[scheme] * rng.standard_normal((fan_out, fan_in))


@mistake("init_weights", "n is the number of units here. What grows with n is a sum over the inputs.")
def counts_the_units(fan_in, fan_out, scheme, rng):
    return init_weights(fan_out, fan_in, scheme, rng).T.copy()


@mistake(
    "init_weights",
    '"he" is a factor 2 above "xavier" in the standard deviation. The 2 belongs under the root.',
)
def two_outside_the_root(fan_in, fan_out, scheme, rng):
    return init_weights(fan_in, fan_out, scheme, rng) * (2**0.5 if scheme == "he" else 1)


@mistake(
    "init_weights",
    'Half the variance where it should be twice: "Xavier/2", taken literally. How does He\'s rule differ?',
)
def half_of_xavier(fan_in, fan_out, scheme, rng):
    return init_weights(fan_in, fan_out, scheme, rng) / (2 if scheme == "he" else 1)


@mistake("init_weights", '"small" has a variance of 0.01; its standard deviation should be 0.01.')
def small_variance(fan_in, fan_out, scheme, rng):
    return init_weights(fan_in, fan_out, scheme, rng) * (10 if scheme == "small" else 1)


@mistake("init_weights", "The weights lie evenly between two bounds. A normal distribution was asked for.")
def uniform_weights(fan_in, fan_out, scheme, rng):
    std = np.std(init_weights(1000, 1, scheme, np.random.default_rng(0))) * np.sqrt(1000 / fan_in)
    std = {"small": 0.01, "xavier": fan_in**-0.5, "he": (2 / fan_in) ** 0.5}.get(scheme, std)
    return rng.uniform(-(3**0.5) * std, 3**0.5 * std, (fan_out, fan_in))


@mistake(
    "init_weights",
    "Each call gives the same weights. All numbers come from the rng that you are given: draw from it, as it is.",
)
def own_generator(fan_in, fan_out, scheme, rng):
    return init_weights(fan_in, fan_out, scheme, np.random.default_rng(0))


# activation_stds


def stds_with(x, weights, measure, activation):
    found = []
    for weight in weights:
        z = x @ weight.T
        x = activation(z)
        found.append(measure(z, x))
    return np.array(found)


@mistake("activation_stds", "No activation was applied. It follows on every layer and changes what the next one gets.")
def forgets_the_activation(x, weights, activation):
    return stds_with(x, weights, lambda z, h: np.std(z), lambda z: z)


@mistake("activation_stds", "The spread was taken before the activation. What is asked for are the activations.")
def before_the_activation(x, weights, activation):
    return stds_with(x, weights, lambda z, h: np.std(z), activation)


@mistake("activation_stds", "Every layer got x. The second layer's input is what the first one put out.")
def every_layer_gets_x(x, weights, activation):
    return np.array([np.std(activation(x @ weight.T)) for weight in weights])


@mistake("activation_stds", "No activation on the last layer: it follows on every layer, the last one too.")
def last_layer_bare(x, weights, activation):
    stds = activation_stds(x, weights, activation)
    for weight in weights[:-1]:
        x = activation(x @ weight.T)
    stds[-1] = np.std(x @ weights[-1].T)
    return stds


@mistake("activation_stds", "These are variances: square roots are missing.")
def variances_instead(x, weights, activation):
    return stds_with(x, weights, lambda z, h: np.var(h), activation)


@mistake(
    "activation_stds",
    "One standard deviation a unit, averaged. Units also differ from each other: take one over the whole layer.",
)
def mean_over_units(x, weights, activation):
    return stds_with(x, weights, lambda z, h: np.std(h, axis=0).mean(), activation)


@mistake("activation_stds", "This is the root mean square: the mean of the activations was not subtracted.")
def root_mean_square(x, weights, activation):
    return stds_with(x, weights, lambda z, h: np.sqrt(np.mean(h**2)), activation)


@mistake("activation_stds", "The first number is that of the inputs, and the last layer's is missing. h₁ comes first.")
def begins_with_x(x, weights, activation):
    return np.concatenate([[np.std(x)], activation_stds(x, weights, activation)[:-1]])


# dead_fraction


@mistake("dead_fraction", "This is the share of zeros. A unit that is off for one image may be on for another.")
def share_of_zeros(h):
    return float(np.mean(h == 0))


@mistake("dead_fraction", "Units that are off for at least one example were counted. Dead means off for all of them.")
def off_at_least_once(h):
    return float(np.mean(np.any(h == 0, axis=0)))


@mistake("dead_fraction", "Examples (rows) for which all units are off were counted. A unit is a column.")
def asks_the_examples(h):
    return float(np.mean(np.all(h == 0, axis=1)))


@mistake("dead_fraction", "This is the number of dead units. The fraction of all units was asked for.")
def number_of_units(h):
    return float(np.sum(np.all(h == 0, axis=0)))


@mistake("dead_fraction", "The sum of a column can be zero although its entries are not: they cancel.")
def sums_to_zero(h):
    return float(np.mean(h.sum(axis=0) == 0))


@mistake("dead_fraction", "This is the fraction of units that are alive.")
def alive_units(h):
    return 1 - dead_fraction(h)


@mistake(
    "dead_fraction",
    "Units that are never positive were counted. A unit may be negative, as of a leaky ReLU: dead means exactly zero.",
)
def never_positive(h):
    return float(np.mean(np.all(h <= 0, axis=0)))


@mistake("dead_fraction", "The largest value of a unit can be 0 although others are negative: that unit is not dead.")
def largest_is_zero(h):
    return float(np.mean(h.max(axis=0) == 0))


# standardise


@mistake("standardise", "One mean and one standard deviation for all features. Each column has its own.")
def one_mean_for_all(x_train, x_test):
    return (x_train - x_train.mean()) / x_train.std(), (x_test - x_train.mean()) / x_train.std()


@mistake(
    "standardise",
    "The test examples were scaled by their own mean and standard deviation. They get those of the training set.",
)
def unseen_by_itself(x_train, x_test):
    return standardise(x_train, x_test)[0], standardise(x_test, x_test)[0]


@mistake("standardise", "Mean and standard deviation were computed over both sets. The test set must not take part.")
def both_sets_together(x_train, x_test):
    both = np.concatenate([x_train, x_test])
    return standardise(both, x_train)[1], standardise(both, x_test)[1]


@mistake("standardise", "The standard deviation divides by N − 1. The formula above divides by N.")
def divides_by_n_minus_one(x_train, x_test):
    factor = np.sqrt((len(x_train) - 1) / len(x_train))
    return tuple(part * factor for part in standardise(x_train, x_test))


@mistake("standardise", "Only the mean was subtracted. The scales are as different as before.")
def centres_only(x_train, x_test):
    return x_train - x_train.mean(axis=0), x_test - x_train.mean(axis=0)


@mistake("standardise", "Divided by the variance. The standard deviation is its root.")
def divides_by_the_variance(x_train, x_test):
    mean, variance = x_train.mean(axis=0), x_train.var(axis=0)
    return (x_train - mean) / variance, (x_test - mean) / variance


@mistake(
    "standardise",
    "A constant feature gave nan or infinity: its standard deviation is 0. What is to take its place?",
)
def divides_by_zero(x_train, x_test):
    with np.errstate(all="ignore"):
        mean, std = x_train.mean(axis=0), x_train.std(axis=0)
        return (x_train - mean) / std, (x_test - mean) / std


@mistake("standardise", "The constant feature became 0 in the test set too. There it varies: divide it by 1.")
def drops_constant_features(x_train, x_test):
    varies = x_train.std(axis=0) > 0
    return tuple(part * varies for part in standardise(x_train, x_test))


# whiten


def whitened(x_train, x_test, kind, eps, scale, mean=None):
    mean = x_train.mean(axis=0) if mean is None else mean
    variances, directions = np.linalg.eigh(np.cov(x_train.T, bias=True).reshape(x_train.shape[1], -1))
    variances, directions = variances[::-1], directions[:, ::-1]
    with np.errstate(all="ignore"):
        matrix = directions * scale(variances, eps)
    matrix = matrix @ directions.T if kind == "zca" else matrix
    return (x_train - mean) @ matrix, (x_test - mean) @ matrix


@mistake("whiten", "Divided by the variances. Standard deviations become 1 when you divide by their roots.")
def divides_by_variances(x_train, x_test, kind, eps=0.0):
    return whitened(x_train, x_test, kind, eps, lambda values, eps: 1 / (values + eps))


@mistake("whiten", "Multiplied by the roots: long directions became longer.")
def multiplies(x_train, x_test, kind, eps=0.0):
    return whitened(x_train, x_test, kind, eps, lambda values, eps: np.sqrt(values + eps))


@mistake("whiten", "The mean was not subtracted before the matrix was applied.")
def does_not_centre(x_train, x_test, kind, eps=0.0):
    return whitened(x_train, x_test, kind, eps, lambda values, eps: 1 / np.sqrt(values + eps), mean=0.0)


@mistake("whiten", "Turned and turned back without scaling: the points are where they were, around the origin.")
def only_turns(x_train, x_test, kind, eps=0.0):
    return whitened(x_train, x_test, kind, eps, lambda values, eps: np.ones_like(values))


@mistake("whiten", "ε was added after the root. It belongs to the variance, under the root.")
def eps_after_the_root(x_train, x_test, kind, eps=0.0):
    return whitened(x_train, x_test, kind, eps, lambda values, eps: 1 / (np.sqrt(values) + eps))


@mistake(
    "whiten", "The columns are in reverse order: eigh puts the smallest variance first, here the largest comes first."
)
def smallest_first(x_train, x_test, kind, eps=0.0):
    both = whiten(x_train, x_test, kind, eps)
    return both if kind == "zca" else tuple(part[:, ::-1].copy() for part in both)


@mistake("whiten", "Features were standardised one by one; they are still correlated.")
def standardises(x_train, x_test, kind, eps=0.0):
    mean, std = x_train.mean(axis=0), x_train.std(axis=0)
    return (x_train - mean) / std, (x_test - mean) / std


@mistake(
    "whiten",
    "The test examples lost their own mean. They get the mean of the training set, like everything else.",
)
def unseen_by_its_own_mean(x_train, x_test, kind, eps=0.0):
    white, _ = whiten(x_train, x_test, kind, eps)
    return white, whiten(x_train, x_test - x_test.mean(axis=0) + x_train.mean(axis=0), kind, eps)[1]
