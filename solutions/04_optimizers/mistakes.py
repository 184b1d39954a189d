"""Wrong answers to the exercises of 04 Optimizers, their reasons, and the hints."""

from convnets.checks.authoring import mistake

hints = {
    "minibatches": (
        "Symptom: the last, smaller minibatch is missing; or labels turn up twice and others never; or images stand "
        "beside the labels of others; or every epoch has the same order.",
        "Idea: shuffle numbers, not data. One random order of 0, 1, ..., N − 1 can pick rows from both arrays.",
        "Outline: check the two lengths and batch_size. Draw one permutation from rng. Cut it into pieces that begin "
        "at 0, batch_size, 2 · batch_size, ...; each piece picks the rows of x and of y. A slice that reaches beyond "
        "the end is cut off by itself.",
    ),
    "sgd": (
        "Symptom: x moves the wrong way; or the check says that x was changed in place; or only the case with "
        "weight_decay is wrong.",
        "Idea: weight decay changes the gradient, and the learning rate multiplies the changed gradient as a whole. "
        "`x -= ...` and `x += ...` write into the caller's array.",
        "Outline: compare the shapes and raise ValueError if they differ. Add weight_decay times x to the gradient. "
        "Return x minus lr times that, and the state as it came.",
    ),
    "momentum": (
        "Symptom: the first step is right and the second is not; or the place is right and the state is not; or the "
        "values fit for mu = 0 only.",
        "Idea: the velocity already contains the minus sign and the learning rate, so x moves by + v. It is the *new* "
        "velocity that moves x, and that goes into the state.",
        "Outline: take the old velocity from the state, 0 where there is none. Compute the new one from it and the "
        "gradient. Return x plus the new velocity, and a new dict with the new velocity.",
    ),
    "nesterov": (
        "Symptom: you get the numbers of plain momentum (0.9 instead of 0.81), or the first step is too long or too "
        "short by the factor mu.",
        "Idea: v is computed exactly as in momentum. What is new is how x moves: by mu times the new velocity, and by "
        "the gradient step besides.",
        "Outline: new v as before. Then three terms: x, plus mu times the new v, minus lr times grad. Keep the new v.",
    ),
    "adagrad": (
        "Symptom: the first step is right and the second one is not shorter; or all is right until eps = 1; or both "
        "entries get different steps.",
        "Idea: add the squares up first, divide afterwards, entry by entry. eps is added to the root, not under it.",
        "Outline: new cache = old cache (0 at first) + grad squared. Step = lr · grad/(root of the new cache + eps). "
        "Return x minus the step and a dict with the new cache.",
    ),
    "rmsprop": (
        "Symptom: the cache grows without end, or it is 12 where 4 is expected, or all is right until eps = 2.",
        "Idea: a moving average keeps the share `decay` of the old value and takes the rest from the new square. The "
        "two shares add up to 1.",
        "Outline: as Adagrad, with one line changed: new cache = decay · old cache + (1 − decay) · grad squared.",
    ),
    "adam": (
        "Symptom: the slide's version is right and the corrected one is not (or the other way round); or the first "
        "step is right and the second is not; or only weight decay fails.",
        "Idea: t counts steps and is part of the state: 1 at the first step. The state keeps m and v as on the slide; "
        "the correction makes new numbers that are used once. Coupled weight decay changes the gradient before "
        "anything else happens, decoupled weight decay changes x and leaves the gradient alone.",
        "Outline: 1. weight decay, one of the two ways. 2. t one larger. 3. new m and new v. 4. divide them by "
        "1 − beta1**t and 1 − beta2**t where bias_correction is True. 5. x minus lr · m/(√v + eps) with the corrected "
        "ones. 6. return x and the dict of the uncorrected m and v and of t.",
    ),
    "schedule": (
        "Symptom: the stairs come one epoch early or late; or the cosine rises again after `total`; or the plateau "
        "reduces too early, too late or at every epoch.",
        "Idea: the first three are one line each. Integer division t // every counts the stairs. For the plateau, "
        "replay the story: walk through losses[:t] and keep three things, the best loss, the count, the rate.",
        "Outline of the plateau: best is infinite at first. For each loss: smaller than best → it is the best, count "
        "0; otherwise count + 1. Then, if the count is larger than patience: multiply the rate by factor, count 0. "
        "Raise ValueError when fewer than t losses came, and for an unknown kind.",
    ),
    "diagnose": (
        "Symptom: one of the four words comes out where another is expected: look which rule applies first to the list "
        "in the check, by hand.",
        "Idea: compute the five numbers start, tail, before, drop and fall with slices; climb adds only the positive "
        "differences. Then ask the rules in the order of the table.",
        "Outline: array of floats; fewer than 8: ValueError; anything not finite: very high. q = n // 4; tail is the "
        "mean of losses[-q:], before of losses[-2*q:-q]. np.diff gives the differences of losses[n // 2:]; what is "
        "negative counts 0. Then four ifs.",
    ),
}


# minibatches


def _cut(x, y, order, batch_size):
    starts = range(0, len(x), batch_size)
    return [(x[order[i : i + batch_size]], y[order[i : i + batch_size]]) for i in starts]


@mistake("minibatches", "The last, smaller minibatch is missing: its examples belong to the epoch too.")
def drops_the_rest(x, y, batch_size, rng):
    return [pair for pair in minibatches(x, y, batch_size, rng) if len(pair[1]) == batch_size]


@mistake(
    "minibatches",
    "Images and labels were shuffled separately, so that an image stands beside another one's label. One order has to "
    "serve both.",
)
def shuffles_apart(x, y, batch_size, rng):
    labels_in_another_order = [pair[1] for pair in minibatches(x, y, batch_size, rng)]
    images_in_one_order = [pair[0] for pair in minibatches(x, y, batch_size, rng)]
    return list(zip(images_in_one_order, labels_in_another_order, strict=True))


@mistake(
    "minibatches",
    "Some examples come twice and others never: they were drawn with replacement. An epoch deals out each once.",
)
def draws_with_replacement(x, y, batch_size, rng):
    if len(x) != len(y) or batch_size < 1:
        raise ValueError("bad arguments")
    return _cut(x, y, rng.integers(0, len(x), len(x)), batch_size)


@mistake("minibatches", "The examples come in the order in which they lie in the file. Shuffle them first.")
def does_not_shuffle(x, y, batch_size, rng):
    if len(x) != len(y) or batch_size < 1:
        raise ValueError("bad arguments")
    return _cut(x, y, np.arange(len(x)), batch_size)


@mistake(
    "minibatches",
    "Epoch 2 has the order of epoch 1: a generator of your own begins afresh at each call. Draw from the `rng` that "
    "came in.",
)
def seeds_its_own(x, y, batch_size, rng):
    return minibatches(x, y, batch_size, np.random.default_rng(0))


@mistake(
    "minibatches",
    "This splits into batch_size minibatches (np.array_split does). batch_size is the number of examples in each.",
)
def counts_batches(x, y, batch_size, rng):
    return [(x[part], y[part]) for part in np.array_split(rng.permutation(len(x)), batch_size)]


@mistake(
    "minibatches",
    "The examples were shared out evenly, as 4, 3 and 3. Each minibatch holds batch_size examples, the last one "
    "what is left.",
)
def shares_out_evenly(x, y, batch_size, rng):
    if len(x) != len(y) or batch_size < 1:
        raise ValueError("bad arguments")
    return [(x[part], y[part]) for part in np.array_split(rng.permutation(len(x)), -(-len(x) // batch_size))]


# sgd


@mistake("sgd", "x moved along the gradient, uphill. The gradient points to where the loss grows.")
def climbs(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, -grad, state, lr, -weight_decay)


@mistake("sgd", "Only x came back. Every rule returns two things: the new x and the state.")
def returns_x_alone(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, grad, state, lr, weight_decay)[0]


@mistake("sgd", "The weight decay has the wrong sign: it pushes x away from 0. It is added to the gradient.")
def grows_the_weights(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, grad, state, lr, -weight_decay)


@mistake(
    "sgd",
    "The weight decay was not multiplied by the learning rate. It is part of the gradient, so lr multiplies it too.",
)
def decays_without_lr(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, grad, state, lr)[0] - weight_decay * x, state


@mistake("sgd", "weight_decay is not used. The penalty ½ λ‖x‖² has a gradient of its own, and it joins the other.")
def ignores_the_decay(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, grad, state, lr)


@mistake("sgd", "(2, 1) and (2,) broadcast to (2, 2): four numbers where two were meant. Compare the shapes first.")
def broadcasts_the_gradient(x, grad, state, lr, weight_decay=0.0):
    return x - lr * (grad + weight_decay * x), state


@mistake("sgd", "The caller's x was changed: `-=` writes into the array that came in. Compute a new one.")
def writes_into_x(x, grad, state, lr, weight_decay=0.0):
    x -= lr * (grad + weight_decay * x)
    return x, state


# momentum


@mistake("momentum", "The velocity has the wrong sign: x climbs. On the slide the gradient enters v with a minus.")
def rolls_uphill(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) + lr * grad
    return x + v, {"v": v}


@mistake("momentum", "The velocity is right, but x moved against it. The slide's v already holds the minus.")
def moves_against_the_velocity(x, grad, state, lr, mu=0.9):
    v = momentum(x, grad, state, lr, mu)[1]["v"]
    return x - v, {"v": v}


@mistake(
    "momentum",
    "This is PyTorch's velocity: without the learning rate and without the minus. The places agree at constant lr, but "
    "the state asked for is the slide's v.",
)
def keeps_torchs_buffer(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) + grad
    return x - lr * v, {"v": v}


@mistake("momentum", "x moved by the old velocity. The slide computes the new v first, and moves x by that.")
def moves_by_the_old_velocity(x, grad, state, lr, mu=0.9):
    old = state.get("v", np.zeros_like(x))
    return x + old, {"v": mu * old - lr * grad}


@mistake("momentum", "The gradient was weighted with 1 − mu, as in an average. Momentum adds it in full.")
def averages_the_gradient(x, grad, state, lr, mu=0.9):
    return momentum(x, (1 - mu) * grad, state, lr, mu)


@mistake("momentum", "The old velocity had no effect, or got lost: the state must be read at each step and handed on.")
def forgets_the_velocity(x, grad, state, lr, mu=0.9):
    return momentum(x, grad, {}, lr, mu)


@mistake("momentum", "The state came back as it was. It must hold the new velocity, or the next step starts from rest.")
def returns_the_old_state(x, grad, state, lr, mu=0.9):
    return momentum(x, grad, state, lr, mu)[0], state


@mistake(
    "momentum",
    'Before the first step the state is {}: it has no "v" yet. The sentence above the exercise tells how to ask.',
)
def asks_an_empty_state(x, grad, state, lr, mu=0.9):
    v = mu * state["v"] - lr * grad
    return x + v, {"v": v}


# nesterov


@mistake(
    "nesterov",
    "This is plain momentum, which is also what the second formula gives with the old velocity. Nesterov's x is ahead "
    "by mu times the new one.",
)
def is_plain_momentum(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) - lr * grad
    return x + v, {"v": v}


@mistake("nesterov", "x moved by v and by mu·v. The gradient step stands for itself here: x + mu·v − lr·grad.")
def rolls_twice(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) - lr * grad
    return x + v + mu * v, {"v": v}


@mistake("nesterov", "The gradient step is missing: mu·v alone is only the look ahead.")
def only_looks_ahead(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) - lr * grad
    return x + mu * v, {"v": v}


@mistake(
    "nesterov",
    "x moved by v and by the gradient step. It is mu·v that goes with the gradient step: v holds one already.",
)
def adds_the_whole_velocity(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) - lr * grad
    return x + v - lr * grad, {"v": v}


@mistake("nesterov", "The gradient step goes uphill: lr·grad is subtracted from x, as in plain SGD.")
def steps_uphill(x, grad, state, lr, mu=0.9):
    v = mu * state.get("v", 0.0) - lr * grad
    return x + mu * v + lr * grad, {"v": v}


@mistake("nesterov", "The state holds the step of x. What is handed on is the velocity v.")
def keeps_the_step(x, grad, state, lr, mu=0.9):
    new = nesterov(x, grad, state, lr, mu)[0]
    return new, {"v": new - x}


# adagrad


@mistake("adagrad", "The root is missing: the gradient was divided by the sum of its squares.")
def forgets_the_root(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + grad**2
    return x - lr * grad / (cache + eps), {"cache": cache}


@mistake("adagrad", "eps stands under the root here. On the slide it is added to the root.")
def puts_eps_under_the_root(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + grad**2
    return x - lr * grad / np.sqrt(cache + eps), {"cache": cache}


@mistake("adagrad", "eps was added to x, not to the root: `/` comes before `+`, so the sum needs brackets.")
def forgets_the_brackets(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + grad**2
    return x - lr * grad / np.sqrt(cache) + eps, {"cache": cache}


@mistake("adagrad", "The cache of the steps before is lost: it must be read from the state and added to.")
def begins_afresh(x, grad, state, lr, eps=1e-10):
    return adagrad(x, grad, {}, lr, eps)


@mistake(
    "adagrad", "The gradients themselves were added up, and a negative sum has no root. The cache holds their squares."
)
def adds_the_gradients(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + grad
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake(
    "adagrad",
    "All entries were divided by one common length. The cache has the shape of x: each parameter has its own.",
)
def shares_one_cache(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + np.sum(grad**2)
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake("adagrad", "The step was divided by the cache as it was before this gradient. Add first, then divide.")
def divides_too_early(x, grad, state, lr, eps=1e-10):
    old = state.get("cache", np.zeros_like(x))
    return x - lr * grad / (np.sqrt(old) + eps), {"cache": old + grad**2}


@mistake("adagrad", "The cache in the caller's state was changed in place: `+=` writes into that array.")
def adds_in_place(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", np.zeros_like(x))
    cache += grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


# rmsprop


@mistake("rmsprop", "The two shares are exchanged: `decay` is what is left of the old cache.")
def exchanges_the_shares(x, grad, state, lr, decay=0.99, eps=1e-8):
    return rmsprop(x, grad, state, lr, 1 - decay, eps)


@mistake("rmsprop", "The new square was added in full. In an average the shares of old and new add up to 1.")
def adds_in_full(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = decay * state.get("cache", 0.0) + grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake("rmsprop", "eps stands under the root here. It is added to the root.")
def puts_eps_inside(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = decay * state.get("cache", 0.0) + (1 - decay) * grad**2
    return x - lr * grad / np.sqrt(cache + eps), {"cache": cache}


@mistake("rmsprop", "The root is missing: the gradient was divided by the average of its squares.")
def divides_by_the_square(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = decay * state.get("cache", 0.0) + (1 - decay) * grad**2
    return x - lr * grad / (cache + eps), {"cache": cache}


@mistake("rmsprop", "The first cache is the square of the first gradient in full. The average begins at 0.")
def begins_full(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = decay * state["cache"] + (1 - decay) * grad**2 if "cache" in state else grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake("rmsprop", "The gradient itself went into the average. The cache is an average of squares.")
def averages_the_gradients(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = decay * state.get("cache", 0.0) + (1 - decay) * grad
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake("rmsprop", "This is Adagrad's sum, which never forgets. Here the old cache keeps the share `decay` only.")
def sums_like_adagrad(x, grad, state, lr, decay=0.99, eps=1e-8):
    cache = state.get("cache", 0.0) + grad**2
    return x - lr * grad / (np.sqrt(cache) + eps), {"cache": cache}


@mistake("rmsprop", "The step was divided by the cache as it was before this gradient. Average first, then divide.")
def divides_by_the_old_cache(x, grad, state, lr, decay=0.99, eps=1e-8):
    old = state.get("cache", np.zeros_like(x))
    return x - lr * grad / (np.sqrt(old) + eps), rmsprop(x, grad, state, lr, decay, eps)[1]


# adam


def _adam(
    x,
    grad,
    state,
    lr,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    bias_correction=True,
    weight_decay=0.0,
    decoupled=False,
    correct_v=True,
    keep_corrected=False,
    powers=True,
    coupled=None,
    shrink=None,
):
    if not decoupled if coupled is None else coupled:
        grad = grad + weight_decay * x
    if decoupled:
        x = x * (1 - (lr if shrink is None else shrink) * weight_decay)
    t = state.get("t", 0) + 1
    power = t if powers else 1
    m = beta1 * state.get("m", 0.0) + (1 - beta1) * grad
    v = beta2 * state.get("v", 0.0) + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**power) if bias_correction else m
    v_hat = v / (1 - beta2**power) if bias_correction and correct_v else v
    kept = {"m": m_hat, "v": v_hat, "t": t} if keep_corrected else {"m": m, "v": v, "t": t}
    return x - lr * m_hat / (np.sqrt(v_hat) + eps), kept


@mistake("adam", "The correction was made although bias_correction is False. The slide uses m and v as they are.")
def always_corrects(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, **settings | {"bias_correction": True})


@mistake(
    "adam",
    "There is no bias correction, although it is asked for: the first step has the slide's length, √10 times lr for "
    "the usual betas.",
)
def never_corrects(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, **settings | {"bias_correction": False})


@mistake(
    "adam",
    "Step 2 was corrected as step 1 is: the powers are missing, β in the place of βᵗ, or the t in them does not count.",
)
def forgets_the_powers(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, powers=False, **settings)


@mistake("adam", "Only m is corrected. v begins at 0 too, and needs its own correction, with beta2.")
def corrects_m_only(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, correct_v=False, **settings)


@mistake(
    "adam",
    "The corrected m and v were put into the state, so that they are corrected again at the next step. Keep the "
    "uncorrected ones.",
)
def keeps_the_corrected(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, keep_corrected=True, **settings)


@mistake(
    "adam",
    "Weight decay is coupled with decoupled=True as well. It must not pass through m and v then: it acts on x.",
)
def knows_coupled_only(x, grad, state, lr, decoupled=False, **settings):
    return _adam(x, grad, state, lr, **settings)


@mistake("adam", "x was shrunk by 1 − λ. The learning rate belongs into the factor too: 1 − η λ.")
def shrinks_without_lr(x, grad, state, lr, decoupled=False, **settings):
    return _adam(x, grad, state, lr, decoupled=decoupled, shrink=1, **settings)


@mistake("adam", "With decoupled=True both kinds of weight decay were made. The gradient must stay as it is then.")
def decays_twice(x, grad, state, lr, decoupled=False, **settings):
    return _adam(x, grad, state, lr, decoupled=decoupled, coupled=True, **settings)


# schedule


def _on_plateau(
    kind, lr, t, settings, early=False, counts_on=False, never_forgives=False, best=min, ties=False, known=None
):
    """Answer as the official solution does, but replay the plateau in another way."""
    losses = settings.get("losses", ())
    if kind != "plateau" or len(losses) < t:
        return schedule(kind, lr, t, **settings)
    patience, factor = settings.get("patience", 10), settings.get("factor", 0.5)
    mark, bad = np.inf, 0
    for loss in losses[: t if known is None else known]:
        improved = loss <= mark if ties else loss < mark
        bad = (bad if never_forgives else 0) if improved else bad + 1
        mark = best(loss, mark)
        if bad >= max(patience, 1) if early else bad > patience:
            lr, bad = lr * factor, bad if counts_on else 0
    return lr


@mistake("schedule", "The stairs became a slope: t / every is not a whole number. Stairs are flat in between.")
def slides_down_the_stairs(kind, lr, t, **settings):
    if kind == "step":
        return lr * settings.get("factor", 0.5) ** (t / settings.get("every", 10))
    return schedule(kind, lr, t, **settings)


@mistake("schedule", "After `total` the cosine rises again. The learning rate should stay at lr_min from there on.")
def rises_again(kind, lr, t, **settings):
    if kind == "cosine":
        total, low = settings.get("total", 100), settings.get("lr_min", 0.0)
        return low + 0.5 * (lr - low) * (1 + float(np.cos(np.pi * t / total)))
    return schedule(kind, lr, t, **settings)


@mistake("schedule", "The reduction comes one epoch early: `patience` bad epochs are tolerated, one more is not.")
def loses_patience_early(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, early=True)


@mistake("schedule", "After a reduction the count was not set back to 0, so every further bad epoch reduces again.")
def keeps_counting(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, counts_on=True)


@mistake("schedule", "Bad epochs were added up over good ones. A loss smaller than the best sets the count back to 0.")
def never_forgives(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, never_forgives=True)


@mistake("schedule", "A loss was compared with the one before it. What counts is the best so far.")
def compares_with_the_last(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, best=lambda loss, mark: loss)


@mistake("schedule", "A loss equal to the best was taken for an improvement (`<=`). Only a smaller one is.")
def takes_a_tie_for_better(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, ties=True)


@mistake("schedule", "The losses of later epochs were looked at too. At epoch t only those before it are known.")
def sees_the_future(kind, lr, t, **settings):
    return _on_plateau(kind, lr, t, settings, known=len(settings.get("losses", ())))


# diagnose


def _judge(losses, begin=None, steps_of=lambda steps: np.maximum(steps, 0), rule_2="", both=True, before_first=False):
    losses = np.asarray(losses, dtype=float)
    n = len(losses)
    if n < 8:
        raise ValueError("too few")
    if not np.all(np.isfinite(losses)):
        return "very high"
    q = n // 4
    tail, before = losses[-q:].mean(), losses[:q].mean() if before_first else losses[-2 * q : -q].mean()
    drop, fall = losses[0] - tail, before - tail
    climb = steps_of(np.diff(losses[n // 2 if begin is None else begin :])).sum()
    falling = fall > 0.05 * drop and (climb <= 0.05 * drop or not both)
    dead = drop < 0.1 * losses[0] and (not falling or rule_2 == "halved")
    if drop <= 0 or (dead and rule_2 != "missing"):
        return "very high"
    if climb > 0.05 * drop:
        return "high"
    return "low" if falling else "good"


@mistake(
    "diagnose", "Was NaN looked for before all else? Comparisons with NaN are False, and no later rule notices it."
)
def overlooks_nan(losses):
    return "good" if len(losses) >= 8 and np.isnan(losses).any() else diagnose(losses)


@mistake("diagnose", "Nothing rises in the second half of this list, so climb is 0. Were falls counted as rises?")
def counts_falls(losses):
    return _judge(losses, steps_of=np.abs)


@mistake(
    "diagnose",
    "Is climb the sum of the rises alone, and is it held against 0.05 · drop? Falls would cancel rises, and 0.05 · "
    "start is larger.",
)
def cancels_rises_with_falls(losses):
    return _judge(losses, steps_of=lambda steps: steps)


@mistake("diagnose", "Which losses does climb look at? Rises before losses[n // 2] are forgiven.")
def watches_the_whole_curve(losses):
    return _judge(losses, begin=0)


@mistake(
    "diagnose",
    "This loss stands still near its start: it has levelled off, but nothing was learned. Is rule 2 asked, and with "
    "*not* falling?",
)
def overlooks_the_dead(losses):
    return _judge(losses, rule_2="missing")


@mistake(
    "diagnose",
    "Here drop < 0.1 · start, and rule 2 comes before rule 3. Is the order that of the table, and does falling ask for "
    "two things, a fall and no climb?",
)
def asks_for_the_fall_alone(losses):
    return _judge(losses, both=False)


@mistake(
    "diagnose",
    "Is the second half of rule 2 asked, *and not falling*? And is falling judged by 0.05 · drop, not by start?",
)
def halves_rule_2(losses):
    return _judge(losses, rule_2="halved")


@mistake(
    "diagnose",
    "Compare your fall with that in the comment: is `before` the mean of the q losses just before the last q, and is "
    "fall held against 0.05 · drop?",
)
def takes_the_first_losses(losses):
    return _judge(losses, before_first=True)
