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


@mistake("minibatches", "Two lengths that do not fit were accepted. Labels without images are a sign of an error.")
def accepts_two_lengths(x, y, batch_size, rng):
    n = min(len(x), len(y))
    return minibatches(x[:n], y[:n], batch_size, rng)


# sgd


@mistake("sgd", "x moved along the gradient, uphill. The gradient points to where the loss grows.")
def climbs(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, -grad, state, lr, -weight_decay)


@mistake("sgd", "Only x came back. Every rule returns two things: the new x and the state.")
def returns_x_alone(x, grad, state, lr, weight_decay=0.0):
    return sgd(x, grad, state, lr, weight_decay)[0]


@mistake("sgd", "The weight decay was added to x instead of to the gradient, so it pushes x away from 0. Mind signs.")
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


@mistake("momentum", "The learning rate multiplies the velocity once more when x moves. It is already inside v.")
def uses_lr_twice(x, grad, state, lr, mu=0.9):
    v = momentum(x, grad, state, lr, mu)[1]["v"]
    return x + lr * v, {"v": v}


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


@mistake("adagrad", "The cache of the steps before is lost: it must be read from the state and added to.")
def begins_afresh(x, grad, state, lr, eps=1e-10):
    return adagrad(x, grad, {}, lr, eps)


@mistake("adagrad", "The gradients themselves were added up. Their squares belong into the cache.")
def adds_the_gradients(x, grad, state, lr, eps=1e-10):
    cache = state.get("cache", 0.0) + np.abs(grad)
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
    first_t=1,
    eps_inside=False,
    correct_v=True,
    keep_corrected=False,
    forget_t=False,
):
    if decoupled:
        x = x * (1 - lr * weight_decay)
    else:
        grad = grad + weight_decay * x
    t = first_t if forget_t else state.get("t", first_t - 1) + 1
    m = beta1 * state.get("m", 0.0) + (1 - beta1) * grad
    v = beta2 * state.get("v", 0.0) + (1 - beta2) * grad**2
    m_hat = m / (1 - beta1**t) if bias_correction else m
    v_hat = v / (1 - beta2**t) if bias_correction and correct_v else v
    root = np.sqrt(v_hat + eps) if eps_inside else np.sqrt(v_hat) + eps
    kept = {"m": m_hat, "v": v_hat, "t": t} if keep_corrected else {"m": m, "v": v, "t": t}
    return x - lr * m_hat / root, kept


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


@mistake("adam", "eps stands under the root here. It is added to the root.")
def hides_eps_under_the_root(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, eps_inside=True, **settings)


@mistake("adam", "t does not count the steps: `state` says how many came before this one. The second has t = 2.")
def stays_at_step_one(x, grad, state, lr, **settings):
    return _adam(x, grad, state, lr, forget_t=True, **settings)


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


@mistake("adam", "The two kinds of weight decay are exchanged. Decoupled means: the gradient stays as it is.")
def exchanges_the_two_decays(x, grad, state, lr, decoupled=False, **settings):
    return _adam(x, grad, state, lr, decoupled=not decoupled, **settings)


@mistake(
    "adam",
    "Weight decay is coupled in both cases. With decoupled=True the penalty must not pass through m and v.",
)
def knows_coupled_only(x, grad, state, lr, decoupled=False, **settings):
    return _adam(x, grad, state, lr, **settings)


# schedule


def _replay(lr, losses, factor, patience, keeps_best=True, strictly=True, counts_on=False):
    best, bad = np.inf, 0
    for loss in losses:
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad > patience if strictly else bad >= patience and bad > 0:
            lr = lr * factor
            bad = bad if counts_on else 0
            best = best if keeps_best else np.inf
    return lr


@mistake("schedule", "The stairs became a slope: t / every is not a whole number. Stairs are flat in between.")
def slides_down_the_stairs(kind, lr, t, **settings):
    if kind == "step":
        return lr * settings.get("factor", 0.5) ** (t / settings.get("every", 10))
    return schedule(kind, lr, t, **settings)


@mistake("schedule", "The stairs come one epoch too early: epoch 9 is the tenth, and still belongs to the first stair.")
def steps_too_early(kind, lr, t, **settings):
    return schedule(kind, lr, t + (kind == "step"), **settings)


@mistake("schedule", "An unknown kind gave None or a number. Say with a ValueError which kinds there are.")
def knows_every_kind(kind, lr, t, **settings):
    return schedule(kind, lr, t, **settings) if kind in ("step", "exponential", "cosine", "plateau") else lr


@mistake("schedule", "The exponential grows: look at the sign of the exponent.")
def grows_exponentially(kind, lr, t, **settings):
    if kind == "exponential":
        settings["k"] = -settings.get("k", 0.05)
    return schedule(kind, lr, t, **settings)


@mistake("schedule", "After `total` the cosine rises again. The learning rate should stay at lr_min from there on.")
def rises_again(kind, lr, t, **settings):
    if kind == "cosine":
        total, low = settings.get("total", 100), settings.get("lr_min", 0.0)
        return low + 0.5 * (lr - low) * (1 + float(np.cos(np.pi * t / total)))
    return schedule(kind, lr, t, **settings)


@mistake("schedule", "The cosine ran through a whole wave, down and up again. Half a wave leads down to lr_min.")
def runs_a_whole_wave(kind, lr, t, **settings):
    return schedule(kind, lr, 2 * t if kind == "cosine" else t, **settings)


@mistake("schedule", "The reduction comes one epoch early: `patience` bad epochs are tolerated, one more is not.")
def loses_patience_early(kind, lr, t, losses=(), patience=10, factor=0.5, **settings):
    if kind == "plateau" and len(losses) >= t:
        return _replay(lr, losses[:t], factor, patience, strictly=False)
    return schedule(kind, lr, t, losses=losses, patience=patience, factor=factor, **settings)


@mistake("schedule", "After a reduction the count was not set back to 0, so every further bad epoch reduces again.")
def keeps_counting(kind, lr, t, losses=(), patience=10, factor=0.5, **settings):
    if kind == "plateau" and len(losses) >= t:
        return _replay(lr, losses[:t], factor, patience, counts_on=True)
    return schedule(kind, lr, t, losses=losses, patience=patience, factor=factor, **settings)


# diagnose


def _judge(losses, from_the_start=False, rises_only=True, standing=True, nan=True, both=True, before_first=False):
    losses = np.asarray(losses, dtype=float)
    n = len(losses)
    if n < 8:
        raise ValueError("too few")
    if nan and not np.all(np.isfinite(losses)):
        return "very high"
    q = n // 4
    tail, before = losses[-q:].mean(), losses[:q].mean() if before_first else losses[-2 * q : -q].mean()
    drop, fall = losses[0] - tail, before - tail
    steps = np.diff(losses if from_the_start else losses[n // 2 :])
    climb = np.maximum(steps, 0).sum() if rises_only else np.abs(steps).sum()
    falling = fall > 0.05 * drop and (climb <= 0.05 * drop or not both)
    if drop <= 0 or (standing and drop < 0.1 * losses[0] and not falling):
        return "very high"
    if climb > 0.05 * drop:
        return "high"
    return "low" if falling else "good"


@mistake("diagnose", "A curve with NaN got another diagnosis: comparisons with NaN are all False. Look for NaN first.")
def overlooks_nan(losses):
    return _judge(losses, nan=False) if len(losses) < 8 or np.isnan(losses).any() else diagnose(losses)


@mistake("diagnose", "Falls were counted as climbing too. Only rises from one loss to the next count.")
def counts_falls(losses):
    return _judge(losses, rises_only=False)


@mistake("diagnose", "Rises in the first half were counted. Only the second half, losses[n // 2:], tells of now.")
def watches_the_whole_curve(losses):
    return _judge(losses, from_the_start=True)


@mistake(
    "diagnose",
    "A loss that stands still where it began was called good. It has levelled off, but nothing was learned: rule 2.",
)
def overlooks_the_dead(losses):
    return _judge(losses, standing=False)


@mistake(
    "diagnose",
    "A curve that learned next to nothing and jumps was taken for one that is falling. That takes two things: a fall, "
    "and no climb.",
)
def asks_for_the_fall_alone(losses):
    return _judge(losses, both=False)


@mistake("diagnose", "`before` is the mean of the q losses just before the last q, not of the first q.")
def takes_the_first_losses(losses):
    return _judge(losses, before_first=True)


@mistake("diagnose", "Fewer than 8 losses were judged. That is too few to see a shape: raise ValueError.")
def judges_too_few(losses):
    return diagnose(losses) if len(losses) >= 8 else diagnose(np.interp(np.linspace(0, 1, 8), [0, 1], [2.0, 1.0]))
