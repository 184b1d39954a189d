"""Wrong answers to the exercises of module 13, and what a learner who gave one should read."""

import itertools
import math

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "lr_range_test": (
        "Symptom: rates that differ by the same amount? They should differ by the same factor. One rate too few, or "
        "the last one missing? Look at what comes first, recording or stopping. A step after NaN? A comparison with "
        "NaN is never true. A suggestion from the step with NaN? `np.argmin` takes NaN for the smallest.",
        "Idea: one loop over i with three things to keep: the lists, the smallest loss, and its rate.",
        "Outline: check the arguments; for each i compute the rate, call step once, record both; end if the loss is "
        "not finite; update the smallest loss; end if the loss is more than stop times it; return a tenth of its rate.",
    ),
    "grid": (
        "Symptom: the right rows in another order? The last name changes fastest. As many rows as points only? Every "
        "value of one setting meets every value of the others. The middle value far too large? Look at the scale.",
        "Idea: a list that begins with one empty setting and is multiplied by the values of each name in turn.",
        "Outline: check points and ranges; for each name compute its values; the new list has, for each old setting "
        "and each value, the old setting with this value added.",
    ),
    "random_search": (
        "Symptom: nearly all values near the upper end of the range? The scale is not logarithmic. Numbers that belong "
        "to another setting? Look at the shape that was drawn. A failed run wins? Any comparison with NaN is false, "
        "and argmax takes NaN for the largest.",
        "Idea: one row of random numbers for each trial, one column for each name; keep the best while you go.",
        "Outline: check trials; draw (trials, D); for each row make the dictionary, call score once, record; skip NaN; "
        "replace the best only where the score is larger; an error where nothing could be kept.",
    ),
    "k_fold": (
        "Symptom: the right sets in sorted order? They should be in the shuffled one. Numbers missing where n is not "
        "divisible by k? Nobody may be left out. Both parts exchanged? Train comes first.",
        "Idea: NumPy has a function that cuts an array into nearly equal pieces, the larger ones first.",
        "Outline: check k; shuffle once; cut into k pieces; for each piece join all others, in their order, and pair "
        "the two.",
    ),
    "average_probabilities": (
        "Symptom: close to the right numbers, but not these? Look what was averaged, logits or probabilities. Rows "
        "that do not sum to 1? Look at the axis of the sum. NaN? Exponentials of a thousand overflow.",
        "Idea: a softmax for each member and example, then a mean over the members.",
        "Outline: check the number of axes; subtract the largest logit over the last axis; exponentials, divided by "
        "their sum over the last axis; the mean over the first axis.",
    ),
    "error_correlation": (
        "Symptom: numbers between 0 and 1 only? The means were not subtracted. A small diagonal? The division by the "
        "lengths is missing. Members that fail alike are not at 1? Look what was correlated, classes or errors. A "
        "single number for one member? `np.corrcoef` does that; the answer is a matrix, (1, 1) there.",
        "Idea: first make errors, 0 or 1, of predictions; then each member is a vector, and a correlation is the "
        "cosine of the angle between two centred vectors.",
        "Outline: check the shapes; errors as floats; subtract each member's own mean; lengths; an error where a "
        "length is 0; the product with its transpose, divided by the product of the lengths.",
    ),
    "average_checkpoints": (
        "Symptom: float64 in the place of float32? Look at the dtype after the mean. A counter of 225? Integers are "
        "not averaged. An argument was changed? `+=` works in place.",
        "Idea: name by name; the dtype of the last checkpoint's array decides what to do.",
        "Outline: check that there is one, and that all have the same names and shapes; for each name the mean over "
        "the checkpoints in the array's dtype, or a copy of the last one's.",
    ),
    "distillation_loss": (
        "Symptom: right at temperature 1 only? Look for T in five places: both networks, the factor of the value, and "
        "the two terms, of which one has none. Value right and gradient not? Compare it with the formula, factor by "
        "factor. NaN for large logits? Never take the logarithm of a probability.",
        "Idea: one small function that gives the logarithms of a softmax; it is used three times.",
        "Outline: check temperature and alpha; log p and log q at T, log q at 1; the divergence times T², divided by "
        "N; the mean of minus log q at the labels; mix; the gradient by the formula, in the student's dtype.",
    ),
    "predict_weights": (
        "Symptom: the known weights come out changed without a ridge? The system was not solved. An error of shapes, "
        "or a singular matrix? Write down the shape of every factor; a block of a matrix is taken with `np.ix_`. "
        "Right without a ridge only? It belongs on the diagonal of the known part.",
        "Idea: first coefficients, shape (m, H), from the known part; then the columns times the coefficients.",
        "Outline: check the rows and the ridge; the known columns (D, m); of these the known rows (m, m), plus the "
        "ridge times the unit matrix; solve for the coefficients; multiply.",
    ),
}

# lr_range_test


def range_test(step, rates, stop, tenth=10.0, record_last=True, sees_nan=True):
    used, losses, best, best_rate = [], [], math.inf, rates[0]
    for rate in rates:
        loss = float(step(rate))
        explodes = (sees_nan and not math.isfinite(loss)) or loss > stop * min(best, loss)
        if explodes and not record_last:
            break
        used.append(rate)
        losses.append(loss)
        if loss < best:
            best, best_rate = loss, rate
        if explodes:
            break
    return used, losses, best_rate / tenth


def geometric(low, high, steps):
    if not 0 < low < high or steps < 2:
        raise ValueError("0 < low < high and at least 2 steps are needed")
    return [low * (high / low) ** (i / (steps - 1)) for i in range(steps)]


@mistake("lr_range_test", "The rates grow by the same amount at each step. They should grow by the same factor.")
def grows_by_an_amount(step, low, high, steps, stop=4.0):
    return range_test(step, np.linspace(low, high, steps).tolist(), stop)


@mistake("lr_range_test", "The last rate is not `high`: there are S − 1 factors between S rates, not S.")
def one_factor_too_many(step, low, high, steps, stop=4.0):
    return range_test(step, [low * (high / low) ** (i / steps) for i in range(steps)], stop)


@mistake("lr_range_test", "The step that ended the test is not in the lists. It is recorded before the test ends.")
def forgets_the_last_step(step, low, high, steps, stop=4.0):
    return range_test(step, geometric(low, high, steps), stop, record_last=False)


@mistake("lr_range_test", "Was the loss compared with the first one? The smallest so far is the measure.")
def compares_with_the_first(step, low, high, steps, stop=4.0):
    used, losses = [], []
    for rate in geometric(low, high, steps):
        used.append(rate)
        losses.append(float(step(rate)))
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
    return used, losses, used[int(np.nanargmin(losses))] / 10


@mistake("lr_range_test", "The suggestion is the rate with the smallest loss itself. The rule takes a tenth of it.")
def suggests_the_minimum(step, low, high, steps, stop=4.0):
    return range_test(step, geometric(low, high, steps), stop, tenth=1.0)


@mistake("lr_range_test", "The test goes on after NaN: no comparison with NaN is true. Ask whether the loss is finite.")
def does_not_see_nan(step, low, high, steps, stop=4.0):
    return range_test(step, geometric(low, high, steps), stop, sees_nan=False)


@mistake(
    "lr_range_test",
    "The suggestion belongs to the step whose loss is NaN. Was it found by `np.argmin`? It takes NaN for the smallest.",
)
def takes_nan_for_the_smallest(step, low, high, steps, stop=4.0):
    used, losses, _ = range_test(step, geometric(low, high, steps), stop)
    return used, losses, used[int(np.argmin(losses))] / 10


@mistake(
    "lr_range_test", "`step` was called twice for one rate. Each call takes a step: call it once and keep the loss."
)
def steps_twice(step, low, high, steps, stop=4.0):
    def twice(rate):
        step(rate)
        return step(rate)

    return lr_range_test(twice, low, high, steps, stop)


# grid


def all_of(values):
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


@mistake("grid", "The values are even on a linear scale: nearly all lie in the highest power of ten.")
def linear_grid(space, points):
    return all_of({name: np.linspace(low, high, points).tolist() for name, (low, high) in space.items()})


@mistake("grid", "The first name changes fastest. It should be the last, like the last digit of a counter.")
def first_fastest(space, points):
    return [{name: row[name] for name in space} for row in grid(dict(reversed(space.items())), points)]


@mistake("grid", "The settings were moved together along a diagonal. All combinations are asked for.")
def diagonal(space, points):
    lines = [[row[name] for row in grid({name: ends}, points)] for name, ends in space.items()]
    return [dict(zip(space, values, strict=True)) for values in zip(*lines, strict=True)]


@mistake("grid", "The upper end of the ranges is missing: P points have P − 1 gaps.")
def without_the_end(space, points):
    return all_of(
        {name: [low * (high / low) ** (i / points) for i in range(points)] for name, (low, high) in space.items()}
    )


@mistake("grid", "The values are far from the range. Was `np.logspace` used? It wants the exponents of ten.")
def logspace_of_values(space, points):
    return all_of({name: np.logspace(low, high, points).tolist() for name, (low, high) in space.items()})


@mistake(
    "grid",
    "Every row shows the last setting. Was one dictionary appended again and again? Make a new one for each row.",
)
def one_dictionary(space, points):
    rows = grid(space, points)
    return [rows[-1]] * len(rows)


@mistake("grid", "Only values came back. Every setting is a dictionary from name to value.")
def tuples_only(space, points):
    return [tuple(row.values()) for row in grid(space, points)]


# random_search


def search_of(score, settings):
    scores = [float(score(setting)) for setting in settings]
    best = max((i for i in range(len(scores)) if not math.isnan(scores[i])), key=lambda i: scores[i])
    return settings[best], settings, scores


def rows_of(space, numbers, value):
    pairs = [zip(space.items(), row, strict=True) for row in numbers]
    return [{name: float(value(low, high, u)) for (name, (low, high)), u in row} for row in pairs]


def log_value(low, high, u):
    return low * (high / low) ** u


@mistake("random_search", "The values are even on a linear scale. Every factor of the range should be equally likely.")
def linear_scale(score, space, trials, rng):
    return search_of(score, rows_of(space, rng.random((trials, len(space))), lambda a, b, u: a + (b - a) * u))


@mistake("random_search", "All numbers of one setting were drawn before the next. Draw (trials, D): a row for a trial.")
def setting_by_setting(score, space, trials, rng):
    return search_of(score, rows_of(space, rng.random((len(space), trials)).T, log_value))


@mistake("random_search", "The setting with the smallest score was kept. The larger the score, the better.")
def keeps_the_smallest(score, space, trials, rng):
    _, settings, scores = random_search(score, space, trials, rng)
    return settings[int(np.nanargmin(scores))], settings, scores


@mistake("random_search", "A failed run was kept: `np.argmax` and comparisons do not treat NaN as the worst.")
def nan_wins(score, space, trials, rng):
    if trials < 1:
        raise ValueError("at least one trial is needed")
    settings = rows_of(space, rng.random((trials, len(space))), log_value)
    scores = [float(score(setting)) for setting in settings]
    return settings[int(np.argmax(scores))], settings, scores


@mistake("random_search", "A failed run that came first stays the best: no score is larger than NaN.")
def nan_stays(score, space, trials, rng):
    if trials < 1:
        raise ValueError("at least one trial is needed")
    settings = rows_of(space, rng.random((trials, len(space))), log_value)
    scores = [float(score(setting)) for setting in settings]
    return settings[scores.index(max(scores))], settings, scores


@mistake("random_search", "Of equal scores the last was kept. Only a larger score replaces the best.")
def last_of_equals(score, space, trials, rng):
    _, settings, scores = random_search(score, space, trials, rng)
    best = max((i for i in range(trials) if not math.isnan(scores[i])), key=lambda i: (scores[i], i))
    return settings[best], settings, scores


@mistake("random_search", "Nothing was kept. Did the search begin with a best score of 0? Scores may be negative.")
def begins_at_zero(score, space, trials, rng):
    _, settings, scores = random_search(score, space, trials, rng)
    best, best_score = None, 0.0
    for setting, value in zip(settings, scores, strict=True):
        if value > best_score:
            best, best_score = setting, value
    return best, settings, scores


@mistake("random_search", "A failed run won over negative scores: its NaN counted as 0, or as more than they are.")
def nan_as_zero(score, space, trials, rng):
    _, settings, scores = random_search(score, space, trials, rng)
    return settings[int(np.argmax(np.nan_to_num(scores)))], settings, scores


# k_fold


@mistake("k_fold", "The two parts are exchanged: the fold is held out, all others are trained on.")
def exchanges_the_parts(n, k, rng):
    return [(held_out, train) for train, held_out in k_fold(n, k, rng)]


@mistake("k_fold", "The examples were not shuffled. Data are often sorted by class, and then a fold is one class.")
def does_not_shuffle(n, k, rng):
    folds = np.array_split(np.arange(n), k)
    return [(np.concatenate(folds[:j] + folds[j + 1 :]), fold) for j, fold in enumerate(folds)]


@mistake("k_fold", "The examples that are left over where n is not divisible by k are never held out.")
def leaves_the_rest(n, k, rng):
    order, size = rng.permutation(n), n // k
    return [(np.delete(order, slice(j * size, (j + 1) * size)), order[j * size : (j + 1) * size]) for j in range(k)]


@mistake("k_fold", "The last fold got all examples that are left over. The first folds have one more each.")
def last_gets_the_rest(n, k, rng):
    order, size = rng.permutation(n), n // k
    ends = [*range(0, k * size, size), n]
    return [(np.delete(order, slice(a, b)), order[a:b]) for a, b in itertools.pairwise(ends)]


@mistake(
    "k_fold", "The folds have n/k examples, rounded up, and the last one what is left. They may differ by one only."
)
def rounds_up(n, k, rng):
    order, size = rng.permutation(n), -(-n // k)
    return [(np.delete(order, slice(j * size, (j + 1) * size)), order[j * size : (j + 1) * size]) for j in range(k)]


@mistake("k_fold", "The held-out examples are among the training examples: the score would be that of training.")
def trains_on_everything(n, k, rng):
    order = rng.permutation(n)
    return [(order, fold) for fold in np.array_split(order, k)]


@mistake("k_fold", "Every k-th example was taken for a fold. A fold is a piece of the shuffled order, in a row.")
def every_kth(n, k, rng):
    order = rng.permutation(n)
    return [(np.delete(order, slice(j, None, k)), order[j::k]) for j in range(k)]


@mistake("k_fold", "The examples were shuffled anew for every fold: some are held out twice, others never.")
def shuffles_every_time(n, k, rng):
    return [k_fold(n, k, rng)[j] for j in range(k)]


# average_probabilities


def softmax(logits, axis):
    exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


@mistake("average_probabilities", "Logits, or logarithms of probabilities, were averaged. Average the probabilities.")
def averages_logits(logits):
    return softmax(logits.mean(axis=0), 1)


@mistake("average_probabilities", "The softmax runs over the examples. The classes are the last axis.")
def softmax_over_examples(logits):
    return softmax(logits, 1).mean(axis=0)


@mistake("average_probabilities", "The softmax runs over the members. The classes are the last axis.")
def softmax_over_members(logits):
    return softmax(logits, 0).mean(axis=0)


@mistake("average_probabilities", "The probabilities were added up and not divided by the number of members.")
def sums_probabilities(logits):
    return softmax(logits, 2).sum(axis=0)


@mistake("average_probabilities", "Members voted for one class each. Average what they say about all classes.")
def counts_votes(logits):
    return np.eye(logits.shape[2])[logits.argmax(axis=2)].mean(axis=0)


@mistake("average_probabilities", "Exponentials of large logits overflow: subtract each row's largest logit first.")
def overflows(logits):
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=2, keepdims=True)).mean(axis=0)


@mistake(
    "average_probabilities",
    "0/0: every exponential of a row is 0. Was one maximum subtracted from all logits? Each row has its own.",
)
def one_maximum_for_all(logits):
    exponentials = np.exp(logits - logits.max())
    with np.errstate(invalid="ignore"):
        return (exponentials / exponentials.sum(axis=2, keepdims=True)).mean(axis=0)


@mistake("average_probabilities", "The mean runs over the examples. Average over the members, the first axis.")
def averages_examples(logits):
    return softmax(logits, 2).mean(axis=1)


# error_correlation


def cosine(vectors):
    lengths = np.sqrt((vectors**2).sum(axis=1))
    with np.errstate(invalid="ignore"):
        return vectors @ vectors.T / np.outer(lengths, lengths)


@mistake("error_correlation", "The predicted classes were correlated. Only whether they are wrong counts.")
def correlates_classes(predictions, labels):
    return np.atleast_2d(np.corrcoef(predictions))


@mistake("error_correlation", "The means were not subtracted: members that fail on different examples are below 0.")
def does_not_centre(predictions, labels):
    error_correlation(predictions, labels)
    return cosine((predictions != labels).astype(float))


@mistake("error_correlation", "This is the share of examples on which both fail.")
def share_of_both(predictions, labels):
    errors = (predictions != labels).astype(float)
    return errors @ errors.T / len(labels)


@mistake("error_correlation", "This is the covariance: divide by the lengths of both, so that the diagonal is 1.")
def covariance_only(predictions, labels):
    return np.atleast_2d(np.cov((predictions != labels).astype(float), bias=True))


@mistake(
    "error_correlation", "The mean over the members was subtracted. Subtract each member's mean over the examples."
)
def centres_over_members(predictions, labels):
    errors = (predictions != labels).astype(float)
    return cosine(errors - errors.mean(axis=0))


@mistake("error_correlation", "This is the share of examples on which both are right or both wrong.")
def share_of_agreement(predictions, labels):
    errors = predictions != labels
    return np.array([[np.mean(a == b) for b in errors] for a in errors])


@mistake(
    "error_correlation",
    "One member came out as a single number, as `np.corrcoef` gives it; a matrix of shape (1, 1) is asked for. "
    "See `np.atleast_2d`.",
)
def number_for_one_member(predictions, labels):
    return np.squeeze(error_correlation(predictions, labels))


@mistake("error_correlation", "A member without an error, or with errors only, gives 0/0. That is a ValueError.")
def lets_nan_pass(predictions, labels):
    if np.shape(labels) != (np.shape(predictions)[1],):
        raise ValueError("shapes")
    with np.errstate(invalid="ignore"):
        return np.atleast_2d(np.corrcoef((predictions != labels).astype(float)))


# average_checkpoints


@mistake("average_checkpoints", "The weights were added up and not divided by the number of checkpoints.")
def adds_up(checkpoints):
    return {name: array * len(checkpoints) for name, array in average_checkpoints(checkpoints).items()}


@mistake("average_checkpoints", "These weights are the last checkpoint's. Average all, in each floating-point dtype.")
def takes_the_last(checkpoints):
    if not checkpoints:
        raise ValueError("none")
    return {name: array.copy() for name, array in checkpoints[-1].items()}


@mistake("average_checkpoints", "A running mean of two weighs the last checkpoint most. All count the same.")
def halves_each_time(checkpoints):
    average = dict(checkpoints[0])
    for checkpoint in checkpoints[1:]:
        average = {name: (average[name] + checkpoint[name]) / 2 for name in average}
    return average


@mistake("average_checkpoints", "Counters were averaged too. Of integers take the last checkpoint's.")
def averages_counters(checkpoints):
    average_checkpoints(checkpoints)
    return {
        name: np.mean([c[name] for c in checkpoints], axis=0).astype(last.dtype)
        for name, last in checkpoints[-1].items()
    }


@mistake("average_checkpoints", "float64 came back from float32 weights. Keep each array's dtype.")
def float64_weights(checkpoints):
    average = average_checkpoints(checkpoints)
    return {n: a.astype(np.float64) if np.issubdtype(a.dtype, np.floating) else a for n, a in average.items()}


@mistake(
    "average_checkpoints", "The first checkpoint was changed: adding with += works in place. Begin with new arrays."
)
def adds_in_place(checkpoints):
    average_checkpoints(checkpoints)
    total = checkpoints[0]
    for checkpoint in checkpoints[1:]:
        for name in total:
            total[name] += checkpoint[name]
    return {name: array / len(checkpoints) for name, array in total.items()}


@mistake("average_checkpoints", "The counters are missing from the result. Every name must be there.")
def leaves_out_counters(checkpoints):
    average = average_checkpoints(checkpoints)
    return {n: a for n, a in average.items() if np.issubdtype(a.dtype, np.floating)}


@mistake("average_checkpoints", "Checkpoints of different networks were averaged. Compare names and shapes first.")
def does_not_compare(checkpoints):
    if not checkpoints:
        raise ValueError("none")
    return {
        name: np.mean([c.get(name, last) for c in checkpoints], axis=0).astype(last.dtype)
        if np.issubdtype(last.dtype, np.floating)
        else last.copy()
        for name, last in checkpoints[-1].items()
    }


# distillation_loss


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def mixed(arguments, student_t=None, teacher_t=None, hard_t=1.0, factor=None, gradient_factor=None, reverse=False):
    """The loss and its gradient with other temperatures, other factors, or the divergence the other way round."""
    student, teacher, labels, temperature, alpha = arguments
    if temperature <= 0 or not 0 <= alpha <= 1:
        raise ValueError("temperature and alpha")
    student_t, teacher_t = student_t or temperature, teacher_t or temperature
    log_p, log_q, log_hard = (log_softmax(z) for z in (teacher / teacher_t, student / student_t, student / hard_t))
    p, q, n = np.exp(log_p), np.exp(log_q), len(labels)
    soft = (q * (log_q - log_p) if reverse else p * (log_p - log_q)).sum() / n
    hard = -log_hard[np.arange(n), labels].mean()
    factor = temperature**2 if factor is None else factor
    gradient_factor = factor / student_t if gradient_factor is None else gradient_factor
    of_labels = (np.exp(log_hard) - np.eye(student.shape[1])[labels]) / hard_t
    gradient = (alpha * gradient_factor * (q - p) + (1 - alpha) * of_labels) / n
    return float(alpha * factor * soft + (1 - alpha) * hard), gradient.astype(student.dtype)


@mistake(
    "distillation_loss",
    "The factor T² of the first term is missing, in the value, in its gradient, or in both of them.",
)
def forgets_t_squared(*arguments):
    return mixed(arguments, factor=1.0)


@mistake(
    "distillation_loss",
    "T is missing in the gradient of the first term: of T² in the value and 1/T from the logits' division, T is left.",
)
def forgets_t_in_the_gradient(*arguments):
    return mixed(arguments, gradient_factor=1.0)


@mistake("distillation_loss", "The student is not softened: both networks have the temperature T in the first term.")
def student_at_one(*arguments):
    return mixed(arguments, student_t=1.0)


@mistake("distillation_loss", "The teacher is not softened: both networks have the temperature T in the first term.")
def teacher_at_one(*arguments):
    return mixed(arguments, teacher_t=1.0)


@mistake("distillation_loss", "The divergence runs the wrong way: the teacher's probabilities are the weights.")
def wrong_way_round(*arguments):
    return mixed(arguments, reverse=True)


@mistake("distillation_loss", "The value is the cross-entropy with the teacher: the term p·log p is missing.")
def cross_entropy_only(student_logits, teacher_logits, labels, temperature, alpha):
    p = softmax(teacher_logits / temperature, 1)
    value, gradient = distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    logarithms = np.log(np.maximum(p, 1e-300))
    return float(value - alpha * temperature**2 * (p * logarithms).sum() / len(p)), gradient


@mistake("distillation_loss", "The cross-entropy with the labels is softened too. It is taken at temperature 1.")
def softens_the_labels(*arguments):
    return mixed(arguments, hard_t=arguments[3])


@mistake(
    "distillation_loss",
    "The labels of all examples were taken for each of them, as `[:, labels]` does. Row n belongs to label n alone.",
)
def labels_of_all(student_logits, teacher_logits, labels, temperature, alpha):
    value, gradient = distillation_loss(student_logits, teacher_logits, labels, temperature, alpha)
    log_hard, n = log_softmax(student_logits), len(labels)
    own, all_of_them = np.eye(student_logits.shape[1])[labels], np.zeros(student_logits.shape)
    all_of_them[:, labels] = 1
    value += (1 - alpha) * (log_hard[np.arange(n), labels].mean() - log_hard[:, labels].mean())
    return float(value), (gradient + (1 - alpha) * (own - all_of_them) / n).astype(student_logits.dtype)


# predict_weights


def checked(known_weights, known, ridge):
    if len(known_weights) != len(known) or ridge < 0:
        raise ValueError("rows and ridge")


@mistake("predict_weights", "The known columns were multiplied with the weights; the system was not solved.")
def does_not_solve(known_weights, known, kernel, ridge=0.0):
    return kernel[:, known] @ known_weights


@mistake("predict_weights", "The ridge has no effect. It is added to the diagonal of the known part.")
def ignores_the_ridge(known_weights, known, kernel, ridge=0.0):
    checked(known_weights, known, ridge)
    return predict_weights(known_weights, known, kernel)


@mistake("predict_weights", "The ridge was added to every entry. It belongs on the diagonal only.")
def ridge_everywhere(known_weights, known, kernel, ridge=0.0):
    part = kernel[np.ix_(known, known)] + ridge
    return kernel[:, known] @ np.linalg.solve(part, known_weights)


@mistake(
    "predict_weights", "The known rows come out as they went in, in spite of the ridge. It belongs to the solved part."
)
def puts_known_back(known_weights, known, kernel, ridge=0.0):
    weights = predict_weights(known_weights, known, kernel, ridge)
    weights[known] = known_weights
    return weights


@mistake("predict_weights", "The weights were taken in the order of the inputs. Row j belongs to input known[j].")
def sorts_the_inputs(known_weights, known, kernel, ridge=0.0):
    return predict_weights(known_weights, np.sort(known), kernel, ridge)


@mistake("predict_weights", "Multiplied by the block of the known inputs? Its inverse is asked for: solve the system.")
def multiplies_by_the_block(known_weights, known, kernel, ridge=0.0):
    checked(known_weights, known, ridge)
    return kernel[:, known] @ (kernel[np.ix_(known, known)] + ridge * np.eye(len(known))) @ known_weights


@mistake(
    "predict_weights",
    "The block of the known inputs is singular. Was it made by `kernel[known, known]`? It picks m entries, not m × m.",
)
def picks_the_diagonal(known_weights, known, kernel, ridge=0.0):
    checked(known_weights, known, ridge)
    return kernel[:, known] @ np.linalg.solve(kernel[known, known] + ridge * np.eye(len(known)), known_weights)


@mistake(
    "predict_weights",
    "After `kernel[known]` only m rows are left: a second `[known]` counts these rows again. The columns are meant.",
)
def rows_twice(known_weights, known, kernel, ridge=0.0):
    checked(known_weights, known, ridge)
    return kernel[:, known] @ np.linalg.solve(kernel[known][known], known_weights)
