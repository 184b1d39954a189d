"""Wrong answers to the exercises of module 18, and what a learner who gave one should read."""

import numpy as np
import torch
from torch.nn import functional as F

from convnets.checks.authoring import mistake

hints = {
    "logistic": (
        "Symptom: 0.9526 in the place of 0.0474? Look at the sign in the exponent. Right until a bias comes? It "
        "belongs "
        "to the score. One number for three inputs? The sum runs over the last axis only.",
        "Idea: first the score, for one input or many with the same expression; then the formula.",
        "Outline: `x @ weight` sums over the last axis of x whatever else there is; add the bias; 1 / (1 + "
        "exp(−score)).",
    ),
    "nudge": (
        "Symptom: right for the lecture's weights and wrong for others? Theirs all have the size 1. An input with "
        "weight 0 moved? The sign of 0 is 0.",
        "Idea: only the signs of the weights matter, and they do not depend on x.",
        "Outline: `np.sign` of the weights, times epsilon, added to x in a new array.",
    ),
    "linear_gap": (
        "Symptom: right for the lecture and wrong for 3, −4, 0.5? Compare the sum of sizes, the size of the sum and "
        "the "
        "Euclidean length. Nothing raised? A size is not negative.",
        "Idea: sizes first, then the sum over everything.",
        "Outline: refuse a negative epsilon; epsilon times the sum of the absolute weights; as a float.",
    ),
    "minimum_epsilon": (
        "Symptom: a negative number? A distance is not. 0.949 in the lecture's example? That is the Euclidean "
        "distance. "
        "NaN or infinity where an error is asked for? NumPy divides by 0 with a warning only. "
        "Right without a bias only? It belongs to the score, inside the absolute value.",
        "Idea: how much the score must change, divided by how much it changes for each unit of epsilon.",
        "Outline: the sum of the absolute weights; refuse 0; the absolute score, bias included, of each input divided "
        "by it.",
    ),
    "random_sign_control": (
        "Symptom: values between the two ends? Only two changes are possible. Some values untouched? 0 is no sign. "
        "Every picture moved alike? The signs need the whole shape of x. Above 1? Clip last.",
        "Idea: draw one of two numbers for each value of x, then it is one line.",
        "Outline: signs from the generator with `size=tuple(x.shape)`; a tensor of x's dtype; x plus epsilon times "
        "signs; clamp to 0 … 1.",
    ),
    "fgsm": (
        "Symptom: the loss falls? Look at the sign. Changes of many sizes? Every pixel with a slope moves by the same "
        "amount. Values outside 0 to 1? Clip last. A .grad of the net changed? Ask for the gradient by the "
        'pixels only. "Can\'t call numpy() on Tensor that requires grad"? Detach the result.',
        "Idea: three steps: a copy of x that takes gradients; the loss of the *given* labels; one step along the "
        "signs.",
        "Outline: `x.detach().clone().requires_grad_(True)`; cross-entropy of the model's logits; "
        "`torch.autograd.grad(loss, copy)[0]`; add epsilon times its sign to x; clamp; detach.",
    ),
    "targeted_fgsm": (
        "Symptom: the exact opposite comes out? The loss towards the target should fall. Pixels wrong with three "
        'classes only? The loss looks at all classes, not at the target\'s logit alone. RuntimeError, "requires grad"? '
        "Detach the result.",
        "Idea: what differs from `fgsm` is one sign and the meaning of the labels.",
        "Outline: as `fgsm`, with the cross-entropy of the targets, and minus in the step.",
    ),
    "pgd": (
        "Symptom: right for two steps and too far after four? Keep the distance from the *original*. Right on a "
        "linear net "
        "and wrong on one that bends? The gradient belongs to the present picture. Below 0? There are two limits. "
        'One step too few or too many? Count with steps = 1. RuntimeError, "requires grad"? Detach the result.',
        "Idea: the loop carries one picture; the original stays beside it for the limits.",
        "Outline: refuse steps below 1; keep x; in the loop a fresh copy with gradient, its loss and slopes, the move "
        "(minus where targeted), then the limits x − epsilon and x + epsilon, then 0 and 1; return the last picture.",
    ),
    "fooling_image": (
        "Symptom: the probability falls? Climb. Steps of the wrong size? Divide by the root of the mean of squares. "
        "The "
        "history is one too short? The start counts, and so does what comes after the last step. It is one too long? "
        '`confidence` itself is enough. RuntimeError, "requires grad"? Detach the image. Nothing raised for −1? '
        "Python counts from the end.",
        "Idea: look first, step afterwards: note the probability, decide whether to stop, then move.",
        "Outline: in a loop: log_softmax of the model's logits; check the target; append the probability; return if "
        "it is "
        "enough or the steps are used up; gradient of the target's entry; step, normalised; clamp.",
    ),
}

# The solved notebook's functions; mistakes differ from them in one step.
official = {
    "logistic": logistic,
    "nudge": nudge,
    "linear_gap": linear_gap,
    "minimum_epsilon": minimum_epsilon,
    "random_sign_control": random_sign_control,
    "fgsm": fgsm,
    "targeted_fgsm": targeted_fgsm,
    "pgd": pgd,
    "fooling_image": fooling_image,
}


def slopes_of(model, x, labels):
    """Return the gradient of the cross-entropy by the pixels."""
    pixels = x.detach().clone().requires_grad_(True)
    return torch.autograd.grad(F.cross_entropy(model(pixels), labels, reduction="sum"), pixels)[0]


@mistake("logistic", "This is the probability of the other class: look at the sign in the exponent.")
def wrong_sign_in_the_exponent(x, weight, bias=0.0):
    return 1 / (1 + np.exp(x @ weight + bias))


@mistake("logistic", "This is the score. The probability is a number from 0 to 1 made from it.")
def returns_the_score(x, weight, bias=0.0):
    return x @ weight + bias


@mistake("logistic", "The bias is missing in the score, or it does not count in full.")
def forgets_the_bias(x, weight, bias=0.0):
    return official["logistic"](x, weight)


@mistake("logistic", "The bias is added to the probability. It belongs to the score.")
def bias_outside(x, weight, bias=0.0):
    return official["logistic"](x, weight) + bias


@mistake("logistic", "All inputs are added up to one score. Each row of x has a score of its own.")
def one_score_for_all(x, weight, bias=0.0):
    return 1 / (1 + np.exp(-((x * weight).sum() + bias)))


@mistake(
    "logistic",
    "The bias counts with the wrong sign, or the minus in the exponent reaches the product only and not the bias.",
)
def bias_with_the_wrong_sign(x, weight, bias=0.0):
    return 1 / (1 + np.exp(-x @ weight + bias))


@mistake(
    "logistic", "`weight @ x` is right for one input only. With several, the sum has to run over the last axis of x."
)
def weight_first(x, weight, bias=0.0):
    return 1 / (1 + np.exp(-(weight @ x + bias)))


@mistake(
    "nudge", "You step along the weights themselves. Every input moves by the same epsilon, however large its weight."
)
def steps_along_the_weights(x, weight, epsilon):
    return x + epsilon * weight


@mistake("nudge", "This lowers the score. With a positive epsilon it should rise.")
def lowers_the_score(x, weight, epsilon):
    return official["nudge"](x, weight, -epsilon)


@mistake("nudge", "You take the signs of the inputs. What raises the score depends on the signs of the weights.")
def signs_of_the_inputs(x, weight, epsilon):
    return x + epsilon * np.sign(x)


@mistake("nudge", "An input with weight 0 has moved. It has no effect on the score and should stay.")
def moves_what_has_no_weight(x, weight, epsilon):
    return x + epsilon * np.where(weight >= 0, 1, -1)


@mistake("nudge", "An input with weight 0 has moved down. It has no effect on the score and should stay.")
def lowers_what_has_no_weight(x, weight, epsilon):
    return x + epsilon * np.where(weight > 0, 1, -1)


@mistake("nudge", "Only the change came back. The nudged input is asked for.")
def returns_the_change(x, weight, epsilon):
    return np.broadcast_to(epsilon * np.sign(weight), x.shape).copy()


@mistake("nudge", "The sign of epsilon got lost: a negative one should lower the score.")
def ignores_the_sign_of_epsilon(x, weight, epsilon):
    return x + abs(epsilon) * np.sign(weight)


@mistake("nudge", "Epsilon is missing: every input moves by 1.")
def nudges_by_one(x, weight, epsilon):
    return x + np.sign(weight)


@mistake(
    "linear_gap", "The weights are added up with their signs. Each input moves in the direction of its own weight."
)
def size_of_the_sum(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * abs(weight.sum()))


@mistake(
    "linear_gap", "The weights are added up with their signs, and negative ones take away from the gap. Sizes first."
)
def sum_with_signs(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * weight.sum())


@mistake(
    "linear_gap", "`np.linalg.norm(..., 1)` is meant for vectors. These weights form a picture: add up all of them."
)
def norm_of_a_vector(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * np.linalg.norm(weight, 1))


@mistake("linear_gap", "This is the Euclidean length of the weights. Every input may move by the full epsilon here.")
def euclidean_length(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * np.sqrt((weight**2).sum()))


@mistake("linear_gap", "The weights are squared. Their sizes count once.")
def sum_of_squares(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * (weight**2).sum())


@mistake("linear_gap", "This is the mean over the inputs. In many dimensions it is the sum that grows.")
def mean_of_the_sizes(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(epsilon * np.abs(weight).mean())


@mistake("linear_gap", "Epsilon is missing.")
def gap_without_epsilon(weight, epsilon):
    if epsilon < 0:
        raise ValueError
    return float(np.abs(weight).sum())


@mistake("linear_gap", "A negative epsilon is no size and should be refused.")
def accepts_negative_sizes(weight, epsilon):
    return float(epsilon * np.abs(weight).sum())


@mistake("minimum_epsilon", "This is the Euclidean distance. Here the largest change of an input is measured.")
def euclidean_distance(x, weight, bias=0.0):
    return np.abs(x @ weight + bias) / np.sqrt((weight**2).sum())


@mistake(
    "minimum_epsilon", "You divide by the largest weight alone. All inputs move at once, so all the weights count."
)
def divides_by_the_largest(x, weight, bias=0.0):
    if not weight.any():
        raise ValueError
    return np.abs(x @ weight + bias) / np.abs(weight).max()


@mistake("minimum_epsilon", "The weights below the line are added up with their signs, so that they cancel in part.")
def divides_by_the_signed_sum(x, weight, bias=0.0):
    if weight.sum() == 0:
        raise ValueError
    return np.abs(x @ weight + bias) / weight.sum()


@mistake("minimum_epsilon", "One weight of 0 is no reason to refuse: only if all of them are 0 can nothing be moved.")
def refuses_any_zero(x, weight, bias=0.0):
    if not np.all(weight):
        raise ValueError
    return official["minimum_epsilon"](x, weight, bias)


@mistake("minimum_epsilon", "A distance has no sign. Which one does the score have here?")
def keeps_the_sign(x, weight, bias=0.0):
    if not weight.any():
        raise ValueError
    return (x @ weight + bias) / np.abs(weight).sum()


@mistake("minimum_epsilon", "The bias is missing in the score.")
def distance_without_bias(x, weight, bias=0.0):
    return official["minimum_epsilon"](x, weight)


@mistake("minimum_epsilon", "Without any weight you divide by 0. NumPy only warns; here that should be a ValueError.")
def divides_by_zero(x, weight, bias=0.0):
    with np.errstate(all="ignore"):
        return np.abs(x @ weight + bias) / np.abs(weight).sum()


@mistake("minimum_epsilon", "All inputs are added up to one distance. Each row of x has its own.")
def one_distance_for_all(x, weight, bias=0.0):
    if not weight.any():
        raise ValueError
    return np.abs((x * weight).sum() + bias) / np.abs(weight).sum()


@mistake(
    "random_sign_control", "The changes are not all of size epsilon: only the two ends −epsilon and +epsilon are drawn."
)
def uniform_noise(x, epsilon, rng):
    return (x + torch.tensor(rng.uniform(-epsilon, epsilon, tuple(x.shape)), dtype=x.dtype)).clamp(0, 1)


@mistake("random_sign_control", "Some values do not move at all: 0 is among your signs.")
def three_signs(x, epsilon, rng):
    return (x + epsilon * torch.tensor(rng.integers(-1, 2, tuple(x.shape)), dtype=x.dtype)).clamp(0, 1)


@mistake("random_sign_control", "Some values do not move at all: your signs are 0 and 1, where −1 and 1 are meant.")
def zero_or_one(x, epsilon, rng):
    return (x + epsilon * torch.tensor(rng.integers(0, 2, tuple(x.shape)), dtype=x.dtype)).clamp(0, 1)


@mistake("random_sign_control", "Your signs are −1 and 0: `integers` leaves out its upper end.")
def minus_one_or_zero(x, epsilon, rng):
    return (x + epsilon * torch.tensor(rng.integers(-1, 1, tuple(x.shape)), dtype=x.dtype)).clamp(0, 1)


@mistake(
    "random_sign_control", "All values go up. Is what you take the sign of ever negative? `random` draws from 0 to 1."
)
def never_down(x, epsilon, rng):
    return (x + epsilon * torch.tensor(np.sign(rng.random(tuple(x.shape))), dtype=x.dtype)).clamp(0, 1)


@mistake("random_sign_control", "All pictures get the same signs. Draw for the whole shape of x.")
def same_signs_for_every_picture(x, epsilon, rng):
    return (x + epsilon * torch.tensor(rng.choice([-1.0, 1.0], tuple(x.shape[1:])), dtype=x.dtype)).clamp(0, 1)


@mistake("random_sign_control", "Values leave the range 0 to 1: the clip is missing.")
def does_not_clip_noise(x, epsilon, rng):
    return x + epsilon * torch.tensor(rng.choice([-1.0, 1.0], tuple(x.shape)), dtype=x.dtype)


@mistake(
    "random_sign_control", "The signs do not come from `rng`, or not from it alone: the same seed should repeat them."
)
def own_generator(x, epsilon, rng):
    return official["random_sign_control"](x, epsilon, np.random.default_rng())


@mistake("fgsm", "This lowers the loss. The attack should raise it.")
def lowers_the_loss(model, x, labels, epsilon):
    return official["targeted_fgsm"](model, x, labels, epsilon)


@mistake(
    "fgsm", "The step follows the gradient itself. Only its signs count, so that every pixel uses its full epsilon."
)
def gradient_without_sign(model, x, labels, epsilon):
    return (x + epsilon * slopes_of(model, x, labels)).clamp(0, 1)


@mistake("fgsm", "Values leave the range 0 to 1: the clip is missing, or it has other ends.")
def does_not_clip(model, x, labels, epsilon):
    return x + epsilon * slopes_of(model, x, labels).sign()


@mistake("fgsm", "You move away from what the model sees. The labels that are given count, also where it is wrong.")
def attacks_its_own_guess(model, x, labels, epsilon):
    return official["fgsm"](model, x, model(x).argmax(dim=1), epsilon)


@mistake(
    "fgsm",
    "The call adds to the gradients of the model's parameters, or wipes them; the next training step would use them. "
    "Ask for the gradient by the pixels only.",
)
def leaves_gradients_behind(model, x, labels, epsilon):
    pixels = x.detach().clone().requires_grad_(True)
    F.cross_entropy(model(pixels), labels).backward()
    return (x + epsilon * pixels.grad.sign()).clamp(0, 1)


@mistake("fgsm", "The result still carries the graph of its computation. Detach it.")
def result_needs_gradient(model, x, labels, epsilon):
    pixels = x.detach().clone().requires_grad_(True)
    (slopes,) = torch.autograd.grad(F.cross_entropy(model(pixels), labels), pixels)
    return (pixels + epsilon * slopes.sign()).clamp(0, 1)


@mistake("fgsm", "From now on x itself needs a gradient, wherever it is used. Work on `x.detach().clone()`.")
def marks_x_itself(model, x, labels, epsilon):
    x.requires_grad_(True)
    (slopes,) = torch.autograd.grad(F.cross_entropy(model(x), labels), x)
    return (x + epsilon * slopes.sign()).clamp(0, 1).detach()


@mistake("fgsm", "Does a softmax come before `F.cross_entropy`? That takes the logits and has a softmax of its own.")
def softmax_twice(model, x, labels, epsilon):
    return official["fgsm"](lambda pixels: model(pixels).softmax(dim=1), x, labels, epsilon)


@mistake("targeted_fgsm", "This moves away from the target: the loss towards it should fall.")
def moves_away(model, x, targets, epsilon):
    return official["fgsm"](model, x, targets, epsilon)


@mistake(
    "targeted_fgsm", "Only the target's own logit is raised. The loss also looks at the logits of the other classes."
)
def raises_the_logit_alone(model, x, targets, epsilon):
    pixels = x.detach().clone().requires_grad_(True)
    chosen = model(pixels).gather(1, targets[:, None]).sum()
    return (x + epsilon * torch.autograd.grad(chosen, pixels)[0].sign()).clamp(0, 1)


@mistake("targeted_fgsm", "The targets play no part: you move away from the class that the model sees.")
def away_from_the_guess(model, x, targets, epsilon):
    return official["fgsm"](model, x, model(x).argmax(dim=1), epsilon)


@mistake("targeted_fgsm", "Values leave the range 0 to 1: the clip is missing.")
def does_not_clip_target(model, x, targets, epsilon):
    return x - epsilon * slopes_of(model, x, targets).sign()


@mistake("targeted_fgsm", "The step follows the gradient itself. Only its signs count.")
def target_without_sign(model, x, targets, epsilon):
    return (x - epsilon * slopes_of(model, x, targets)).clamp(0, 1)


@mistake(
    "targeted_fgsm", "The gradients of the model's parameters have changed. Ask for the gradient by the pixels only."
)
def target_leaves_gradients(model, x, targets, epsilon):
    pixels = x.detach().clone().requires_grad_(True)
    F.cross_entropy(model(pixels), targets).backward()
    return (x - epsilon * pixels.grad.sign()).clamp(0, 1)


@mistake("targeted_fgsm", "You move towards the class that the model sees anyway. The targets that are given count.")
def towards_the_guess(model, x, targets, epsilon):
    return official["targeted_fgsm"](model, x, model(x).argmax(dim=1), epsilon)


@mistake("targeted_fgsm", "The result still carries the graph of its computation. Detach it.")
def target_needs_gradient(model, x, targets, epsilon):
    pixels = x.detach().clone().requires_grad_(True)
    (slopes,) = torch.autograd.grad(F.cross_entropy(model(pixels), targets), pixels)
    return (pixels - epsilon * slopes.sign()).clamp(0, 1)


def walk(model, x, labels, step, steps, limit, targeted=False):
    """Take signed steps; limit(moved, before) brings each picture back where it belongs."""
    if steps < 1:
        raise ValueError
    moved = x.detach()
    for _ in range(steps):
        slopes = slopes_of(model, moved, labels).sign()
        moved = limit(moved + (-step if targeted else step) * slopes, moved)
    return moved


def within(moved, x, epsilon):
    """Return the picture brought back within epsilon of x."""
    return torch.minimum(torch.maximum(moved, x - epsilon), x + epsilon)


@mistake(
    "pgd", "The total change grows beyond epsilon: after each step go back to within epsilon of the original picture."
)
def never_projects(model, x, labels, epsilon, step, steps, targeted=False):
    return walk(model, x, labels, step, steps, lambda moved, before: moved.clamp(0, 1), targeted)


@mistake(
    "pgd",
    "Each step is limited around the picture before it, so the changes add up. The limits belong to the original x.",
)
def projects_around_the_last(model, x, labels, epsilon, step, steps, targeted=False):
    return walk(
        model, x, labels, step, steps, lambda moved, before: within(moved, before, epsilon).clamp(0, 1), targeted
    )


@mistake("pgd", "Values leave the range 0 to 1: the second limit is missing.")
def projects_without_clip(model, x, labels, epsilon, step, steps, targeted=False):
    return walk(model, x, labels, step, steps, lambda moved, before: within(moved, x, epsilon), targeted)


@mistake(
    "pgd",
    "The slopes are those of the original picture, or those of earlier places are mixed in. Look where you are now.",
)
def old_slopes(model, x, labels, epsilon, step, steps, targeted=False):
    if steps < 1:
        raise ValueError
    change = (-step if targeted else step) * steps * slopes_of(model, x, labels).sign()
    return within(x + change, x, epsilon).clamp(0, 1)


@mistake("pgd", "`targeted` changes nothing: towards a target the loss should fall.")
def ignores_targeted(model, x, labels, epsilon, step, steps, targeted=False):
    return official["pgd"](model, x, labels, epsilon, step, steps)


@mistake("pgd", "The direction is the wrong way round: without a target the loss should rise.")
def directions_swapped(model, x, labels, epsilon, step, steps, targeted=False):
    return official["pgd"](model, x, labels, epsilon, step, steps, not targeted)


@mistake(
    "pgd",
    "Only one step shows. Does each step begin where the last one ended? Is `return` inside the loop?",
)
def one_step_shows(model, x, labels, epsilon, step, steps, targeted=False):
    if steps < 1:
        raise ValueError
    return official["pgd"](model, x, labels, epsilon, step, 1, targeted)


@mistake("pgd", "The result still carries the graph of its computation. Detach it.")
def path_needs_gradient(model, x, labels, epsilon, step, steps, targeted=False):
    if steps < 1:
        raise ValueError
    moved = x.detach().clone().requires_grad_(True)
    for _ in range(steps):
        (slopes,) = torch.autograd.grad(F.cross_entropy(model(moved), labels), moved)
        moved = within(moved + (-step if targeted else step) * slopes.sign(), x, epsilon).clamp(0, 1)
    return moved


def climb(model, target, start, lr, confidence, max_steps, move):
    """Climb as asked, with another step: move(image, gradient of log p)."""
    image, history = start.detach().clone(), []
    while True:
        pixels = image.clone().requires_grad_(True)
        log_p = F.log_softmax(model(pixels), dim=1)[0]
        if not 0 <= target < len(log_p):
            raise ValueError
        history.append(float(log_p[target].detach().exp()))
        if history[-1] >= confidence or len(history) > max_steps:
            return image, history
        image = move(image, torch.autograd.grad(log_p[target], pixels)[0])


@mistake("fooling_image", "The probability of the target falls: climb log p, do not descend it.")
def descends(model, target, start, lr, confidence=0.996, max_steps=100):
    return climb(
        model,
        target,
        start,
        lr,
        confidence,
        max_steps,
        lambda x, g: (x - lr * g / g.square().mean().sqrt()).clamp(0, 1),
    )


@mistake("fooling_image", "The gradient is not divided by its root mean square.")
def raw_gradient(model, target, start, lr, confidence=0.996, max_steps=100):
    return climb(model, target, start, lr, confidence, max_steps, lambda x, g: (x + lr * g).clamp(0, 1))


@mistake(
    "fooling_image", "The gradient is divided by its Euclidean length: a sum of squares where the mean is asked for."
)
def divided_by_the_length(model, target, start, lr, confidence=0.996, max_steps=100):
    return climb(model, target, start, lr, confidence, max_steps, lambda x, g: (x + lr * g / g.norm()).clamp(0, 1))


@mistake("fooling_image", "Values leave the range 0 to 1: the clip is missing.")
def climbs_without_clip(model, target, start, lr, confidence=0.996, max_steps=100):
    return climb(model, target, start, lr, confidence, max_steps, lambda x, g: x + lr * g / g.square().mean().sqrt())


@mistake("fooling_image", "The history begins after the first step. The probability at the start belongs to it.")
def forgets_the_start(model, target, start, lr, confidence=0.996, max_steps=100):
    image, history = official["fooling_image"](model, target, start, lr, confidence, max_steps)
    return image, history[1:]


@mistake(
    "fooling_image", "The probability after the last step is missing in the history: what belongs to the image itself?"
)
def forgets_the_end(model, target, start, lr, confidence=0.996, max_steps=100):
    image, history = official["fooling_image"](model, target, start, lr, confidence, max_steps)
    return image, history[:-1] if len(history) > max_steps else history


@mistake("fooling_image", "Only the target's logit is climbed. The log-probability also falls with the other logits.")
def climbs_the_logit(model, target, start, lr, confidence=0.996, max_steps=100):
    image, history = start.detach().clone(), []
    while True:
        pixels = image.clone().requires_grad_(True)
        logits = model(pixels)[0]
        if not 0 <= target < len(logits):
            raise ValueError
        history.append(float(logits.softmax(0)[target].detach()))
        if history[-1] >= confidence or len(history) > max_steps:
            return image, history
        (g,) = torch.autograd.grad(logits[target], pixels)
        image = (image + lr * g / g.square().mean().sqrt()).clamp(0, 1)


@mistake("fooling_image", "The model has no class −1: Python counts it from the end. Refuse it.")
def counts_from_the_end(model, target, start, lr, confidence=0.996, max_steps=100):
    with torch.no_grad():
        classes = model(start).shape[1]
    return official["fooling_image"](
        model, target % classes if target < 0 else target, start, lr, confidence, max_steps
    )
