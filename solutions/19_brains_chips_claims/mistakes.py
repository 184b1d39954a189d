"""Wrong answers to the exercises of module 19, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "lif_neuron": (
        "Symptom: the potential falls towards 0, or runs beyond all bounds? Look at the leak. Right until the first "
        "spike? Look at what is noted in that step, and to which potential the neuron returns. One neuron's spike "
        "moves another? Choose for each neuron. Wrong only for another dt? Each step goes dt/tau of the way.",
        "Idea: one row of `current` is one step of all neurons; v has the shape (N,). `np.where` chooses for each "
        "neuron between v and the reset.",
        "Outline: check the arguments; v of shape (N,) at rest, as floats; for each step: slope, new v, who is at or "
        "above the threshold, reset those, then store v and who fired.",
    ),
    "gabor_kernel": (
        "Symptom: upright kernels are right and slanted ones mirrored? Look at the signs in x' and y'. Stripes turned "
        "by a quarter? Rows are y, columns are x. All entries too large by one factor, or moved by one number? There "
        "are two steps after the product. Every entry wrong in its own way? In the bell γ and σ are squared, in the "
        "cosine stands 2π.",
        "Idea: `np.mgrid` gives rows first, then columns; take half of the size away so that the middle is (0, 0).",
        "Outline: check; coordinates; x' and y' by the formulas, angles in radians; bell times cosine; subtract the "
        "mean of all entries; divide by the root of the sum of squares.",
    ),
    "hypercomplex": (
        "Symptom: a long line answers everywhere? The neighbours lie along the stripe, not across it. Right for "
        "upright and level stripes, wrong for slanted ones? Look at the sign of the sine and at what is rounded. Wrong "
        "at the border only? Nothing comes in from the opposite side: outside is 0. `slice indices must be integers`? "
        "`np.rint` gives a float; `int` makes an index of it.",
        "Idea: pad the energy with zeros; then the neighbour of every pixel at once is a slice of the padded array, "
        "moved by (dy, dx).",
        "Outline: check; energy; dx and dy rounded; pad by the larger of their sizes; cut out one slice moved by +(dy, "
        "dx) and one by the opposite; energy minus half their sum, not below 0; return both.",
    ),
    "audit_reuse": (
        "Symptom: division by zero? Some rows have no weights. Positions too small? They are those in the whole table. "
        "Right for one picture only? The batch multiplies what is computed, not what is read. `whole` is a little off? "
        "It is no mean of the layers' shares.",
        "Idea: for each row with weights two energies, reading and computing; everything else follows from them.",
        "Outline: pick the rows with weights, with their positions; check; lists of energies; re-use and share for "
        "each; positions with re-use strictly below the claim; sums for the whole.",
    ),
}


# lif_neuron


def _lif(
    current,
    dt=1.0,
    tau=20.0,
    resistance=10.0,
    v_rest=-70.0,
    v_threshold=-50.0,
    v_reset=-65.0,
    *,
    leak=1.0,
    towards=None,
    strict=False,
    note_before=False,
    everyone=False,
    start=None,
):
    """The neuron with one thing done in another way."""
    lif_neuron(current[:0], dt, tau, resistance, v_rest, v_threshold, v_reset)  # the same refusals
    potential, spikes = np.empty(current.shape), np.zeros(current.shape, dtype=bool)
    v = np.full(current.shape[1], v_rest if start is None else start, dtype=float)
    for t in range(len(current)):
        v = v + dt / tau * (-leak * (v - (v_rest if towards is None else towards)) + resistance * current[t])
        fired = v > v_threshold if strict else v >= v_threshold
        spikes[t] = fired
        if note_before:
            potential[t] = v
        v = np.where(fired.any() if everyone else fired, v_reset, v)
        if not note_before:
            potential[t] = v
    return potential, spikes


@mistake("lif_neuron", "The neuron only adds up what comes in. A leak pulls it back to rest: look at the first term.")
def has_no_leak(current, *args, **kwargs):
    return _lif(current, *args, leak=0.0, **kwargs)


@mistake("lif_neuron", "Your leak pulls the potential to 0 mV. What is leaking is the distance from another potential.")
def leaks_to_zero(current, *args, **kwargs):
    return _lif(current, *args, towards=0.0, **kwargs)


@mistake(
    "lif_neuron", "The leak has the wrong sign: it drives the potential away from rest. See where the minus stands."
)
def leaks_upwards(current, *args, **kwargs):
    return _lif(current, *args, leak=-1.0, **kwargs)


@mistake(
    "lif_neuron", "After a spike the potential goes on as if nothing had happened. A spike is followed by a reset."
)
def never_resets(current, *args, **kwargs):
    potential, spikes = np.empty(current.shape), np.zeros(current.shape, dtype=bool)
    constants = dict(zip(("dt", "tau", "resistance", "v_rest", "v_threshold", "v_reset"), args, strict=False)) | kwargs
    threshold = constants.pop("v_threshold", -50.0)
    potential, _ = _lif(current, **constants, v_threshold=np.inf)
    lif_neuron(current[:0], **constants, v_threshold=threshold)
    spikes = potential >= threshold
    return potential, spikes


@mistake("lif_neuron", "After a spike the neuron goes to v_reset, which need not be the potential at rest.")
def resets_to_rest(current, dt=1.0, tau=20.0, resistance=10.0, v_rest=-70.0, v_threshold=-50.0, v_reset=-65.0):
    lif_neuron(current[:0], dt, tau, resistance, v_rest, v_threshold, v_reset)
    return _lif(current, dt, tau, resistance, v_rest, v_threshold, v_rest)


@mistake("lif_neuron", "You note the potential before the reset. What is asked for is what the step leaves behind.")
def notes_before_the_reset(current, *args, **kwargs):
    return _lif(current, *args, note_before=True, **kwargs)


@mistake(
    "lif_neuron", "One neuron's spike resets its neighbours. They do not know of each other: decide for each by itself."
)
def resets_everyone(current, *args, **kwargs):
    return _lif(current, *args, everyone=True, **kwargs)


@mistake("lif_neuron", "A neuron that exactly reaches the threshold fires as well.")
def fires_only_beyond(current, *args, **kwargs):
    return _lif(current, *args, strict=True, **kwargs)


# gabor_kernel


def _gabor(
    size,
    wavelength,
    theta,
    sigma,
    gamma=1.0,
    phase=0.0,
    *,
    sign=1,
    squares=(2, 2),
    turn=2 * np.pi,
    mean=True,
    length=True,
):
    """The kernel with one thing done in another way."""
    gabor_kernel(size, wavelength, theta, sigma, gamma, phase)  # the same refusals
    y, x = np.mgrid[:size, :size] - size // 2
    across = x * np.cos(theta) + sign * y * np.sin(theta)
    along = -sign * x * np.sin(theta) + y * np.cos(theta)
    kernel = np.exp(-(across**2 + gamma ** squares[0] * along**2) / (2 * sigma ** squares[1]))
    kernel = kernel * np.cos(turn * across / wavelength + phase)
    if mean:
        kernel = kernel - kernel.mean()
    return kernel / np.sqrt((kernel**2).sum()) if length else kernel


@mistake("gabor_kernel", "The mean is still in it: this cell would answer to a wall of one grey. Subtract it first.")
def keeps_the_mean(*args, **kwargs):
    return _gabor(*args, mean=False, **kwargs)


@mistake("gabor_kernel", "Its length is not 1 yet: after the mean is gone, divide by the root of the sum of squares.")
def keeps_the_length(*args, **kwargs):
    return _gabor(*args, length=False, **kwargs)


@mistake(
    "gabor_kernel",
    "Your wave runs upwards where it should run downwards: y counts down, as rows do. Look at the signs.",
)
def turns_the_other_way(*args, **kwargs):
    return _gabor(*args, sign=-1, **kwargs)


@mistake("gabor_kernel", "Rows and columns are swapped: the first index is y, the second x.")
def swaps_rows_and_columns(*args, **kwargs):
    return gabor_kernel(*args, **kwargs).T


@mistake("gabor_kernel", "γ stretches y', and stands in the formula squared.")
def does_not_square_gamma(*args, **kwargs):
    return _gabor(*args, squares=(1, 2), **kwargs)


@mistake("gabor_kernel", "In the bell σ is not squared. For σ = 1 that makes no difference.")
def does_not_square_sigma(*args, **kwargs):
    return _gabor(*args, squares=(2, 1), **kwargs)


@mistake("gabor_kernel", "One wavelength is a full turn of the cosine, 2π. Yours turns by 1.")
def forgets_the_full_turn(*args, **kwargs):
    return _gabor(*args, turn=1.0, **kwargs)


@mistake("gabor_kernel", "The bell is too narrow. Compare what stands below its squares with the formula.")
def forgets_the_two(size, wavelength, theta, sigma, *args, **kwargs):
    return gabor_kernel(size, wavelength, theta, sigma / np.sqrt(2), *args, **kwargs)


# hypercomplex


def _cells(even, odd, theta, offset, *, dx=None, dy=None, weight=0.5, rectify=True, wrap=False):
    """The cells with one thing done in another way."""
    energy, _ = hypercomplex(even, odd, theta, offset)
    dx = int(np.rint(-offset * np.sin(theta))) if dx is None else int(np.rint(dx))
    dy = int(np.rint(offset * np.cos(theta))) if dy is None else int(np.rint(dy))
    height, width = energy.shape
    reach = max(abs(dx), abs(dy))
    padded = np.pad(energy, reach, mode="wrap" if wrap else "constant")
    ahead, behind = (
        padded[reach + s * dy : reach + s * dy + height, reach + s * dx : reach + s * dx + width] for s in (1, -1)
    )
    stopped = energy - weight * (ahead + behind)
    return energy, np.maximum(stopped, 0) if rectify else stopped


@mistake(
    "hypercomplex", "This inhibits across the stripe, in the direction of the wave. The two cells lie along the stripe."
)
def looks_across(even, odd, theta, offset):
    return _cells(even, odd, theta, offset, dx=offset * np.cos(theta), dy=offset * np.sin(theta))


@mistake(
    "hypercomplex",
    "Upright and level are right, but a slanted stripe runs the other way: y counts down. Look at a sign.",
)
def leans_the_other_way(even, odd, theta, offset):
    return _cells(even, odd, theta, offset, dx=offset * np.sin(theta))


@mistake("hypercomplex", "Each of the two inhibits with a weight of one half. On a long line they must just cancel E.")
def inhibits_twice(even, odd, theta, offset):
    return _cells(even, odd, theta, offset, weight=1.0)


@mistake("hypercomplex", "Some answers are negative. A cell cannot fire less than not at all: not below 0.")
def answers_negative(even, odd, theta, offset):
    return _cells(even, odd, theta, offset, rectify=False)


@mistake("hypercomplex", "What leaves the picture on one side comes in on the other, as `np.roll` does. Outside is 0.")
def wraps_around(even, odd, theta, offset):
    return _cells(even, odd, theta, offset, wrap=True)


@mistake(
    "hypercomplex", "`offset` need not be a whole number: turn it into two steps first, then round each of the two."
)
def rounds_the_offset_first(even, odd, theta, offset):
    hypercomplex(even, odd, theta, offset)
    return hypercomplex(even, odd, theta, np.rint(offset))


@mistake("hypercomplex", "The energy is the root of the sum of squares; the root is missing.")
def forgets_the_root(even, odd, theta, offset):
    energy, _ = hypercomplex(even, odd, theta, offset)
    return hypercomplex(energy**2, np.zeros(energy.shape), theta, offset)


@mistake(
    "hypercomplex", "This adds the two sizes. In the energy their squares are added under a root, as cos² + sin² is 1."
)
def adds_the_sizes(even, odd, theta, offset):
    hypercomplex(even, odd, theta, offset)
    return hypercomplex(np.abs(even) + np.abs(odd), np.zeros(even.shape), theta, offset)


# audit_reuse


def _audit(table, batch, read_pj, mac_pj, claimed=64, *, first=0, read_batch=1, extra=None):
    """The audit with one thing done in another way."""
    audit_reuse(table, batch, read_pj, mac_pj, claimed)
    rows = [(i, r["weights"] + (r["biases"] if extra else 0), r["macs"]) for i, r in enumerate(table) if r["weights"]]
    read = [w * read_pj * read_batch for _, w, _ in rows]
    computed = [m * batch * mac_pj for _, _, m in rows]
    return {
        "reuse": [m * batch / w for _, w, m in rows],
        "share": [r / (r + c) for r, c in zip(read, computed, strict=True)],
        "fails": [i for i, w, m in rows if m * batch / w < claimed],
        "whole": sum(read) / (sum(read) + sum(computed)),
    }


@mistake(
    "audit_reuse", "The batch is missing: one read of a weight serves all its pictures, and each needs its own MACs."
)
def forgets_the_batch(table, batch, read_pj, mac_pj, claimed=64):
    audit_reuse(table, batch, read_pj, mac_pj, claimed)
    return audit_reuse(table, 1, read_pj, mac_pj, claimed)


@mistake("audit_reuse", "You read the weights once for each picture. One read serves the whole batch.")
def reads_for_every_picture(table, batch, read_pj, mac_pj, claimed=64):
    return _audit(table, batch, read_pj, mac_pj, claimed, read_batch=batch)


@mistake("audit_reuse", "Biases are not counted here: look at the table's key.")
def counts_the_biases(table, batch, read_pj, mac_pj, claimed=64):
    return _audit(table, batch, read_pj, mac_pj, claimed, extra=True)


@mistake("audit_reuse", "`fails` are positions in the whole table, from 0; yours count the rows with weights only.")
def numbers_the_rows_with_weights(table, batch, read_pj, mac_pj, claimed=64):
    answer = audit_reuse(table, batch, read_pj, mac_pj, claimed)
    return {**answer, "fails": [i for i, reuse in enumerate(answer["reuse"]) if reuse < claimed]}


@mistake("audit_reuse", "A re-use that equals the claim fulfils it. Only what is below it fails.")
def fails_at_the_claim(table, batch, read_pj, mac_pj, claimed=64):
    return {
        **audit_reuse(table, batch, read_pj, mac_pj, claimed),
        "fails": audit_reuse(table, batch, read_pj, mac_pj, np.nextafter(claimed, np.inf))["fails"],
    }


@mistake(
    "audit_reuse", "`whole` is the mean of the layers' shares. Layers differ in energy: add up the energies first."
)
def averages_the_shares(table, batch, read_pj, mac_pj, claimed=64):
    answer = audit_reuse(table, batch, read_pj, mac_pj, claimed)
    return {**answer, "whole": sum(answer["share"]) / len(answer["share"])}


@mistake("audit_reuse", "A re-use need not be a whole number: yours is rounded down, as `//` does.")
def rounds_the_reuse_down(table, batch, read_pj, mac_pj, claimed=64):
    answer = audit_reuse(table, batch, read_pj, mac_pj, claimed)
    rows = [(place, r["macs"] * batch // r["weights"]) for place, r in enumerate(table) if r["weights"]]
    return {
        **answer,
        "reuse": [reuse for _, reuse in rows],
        "fails": [place for place, reuse in rows if reuse < claimed],
    }


@mistake("audit_reuse", "This is the share of computing. Asked for is the share of reading the weights.")
def gives_the_other_share(table, batch, read_pj, mac_pj, claimed=64):
    answer = audit_reuse(table, batch, read_pj, mac_pj, claimed)
    return {**answer, "share": [1 - s for s in answer["share"]], "whole": 1 - answer["whole"]}
