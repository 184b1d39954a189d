# %% [markdown]
# # 19 Brains, chips and claims
#
# ![Three drawings. Left: a neuron's membrane potential climbs to a dashed line, drops, and climbs again. Middle: a
# small picture of a light stripe between two dark ones, fading towards the edges. Right: bars for the layers of
# AlexNet; five convolutions use each weight more than a hundred times, three fully connected layers use it
# once.](pictures/three_themes.png)
#
# *A spiking neuron, what a cell of the visual cortex looks for, and how often AlexNet's layers use a weight for one
# picture.*
#
# Lecture D asks "Should we mimic brain's behavior?" and answers with a debate: statements of researchers and of a
# chip's maker, against each other, hardly one with the conditions under which it is true. In this notebook you build
# the two things that the debate is about, a spiking neuron and the cells of the visual cortex, and audit one claim with
# numbers.
#
# {{card:100}}
#
# This module is optional. The exercises take 56 of these minutes, reading and the written answers 22 each.
#
# **Afterwards you can**
#
# - simulate a leaky integrate-and-fire neuron and say what a spike costs beside a multiplication;
# - build simple, complex and end-stopped cells from Gabor filters;
# - say when re-using a weight makes reading it cheap, and when not;
# - read a claim for what it leaves out: compared with what, measured how, at which price.
#
# **You need** [05 Convolution arithmetic](../05_convolution_arithmetic/05_convolution_arithmetic.ipynb) and
# [11 Counting the classics](../11_counting_the_classics/11_counting_the_classics.ipynb).
#
# **From the lectures** D (the visual pathway; deep against spiking networks), A (several GPUs), B and C (what is left
# out; what to read).

# %% setup
import numpy as np
import torch
from torch.nn import functional as F

from convnets import data, plots, timing, training
from convnets.checks import open_lesson
from convnets.models import specs
from convnets.models.vgg import STAGES

lesson = open_lesson("19_brains_chips_claims")
check, hint = lesson.check, lesson.hint

#: Energy in pJ of one step with 32-bit floating-point numbers, and of fetching 32 bits; 45 nm, Horowitz 2014.
ADD_PJ, MULTIPLY_PJ, SRAM_PJ, DRAM_PJ = 0.9, 3.7, 5.0, 640.0
#: What the experiments have measured so far; the table of claims at the end is made of it.
measured = {}


def filter_image(image, kernel):
    """Slide a kernel over a grey picture (H, W); the border's pixels are repeated, so that the shape stays."""
    edge = kernel.shape[0] // 2
    x = F.pad(torch.tensor(image)[None, None], (edge, edge, edge, edge), mode="replicate")
    return F.conv2d(x, torch.tensor(kernel)[None, None])[0, 0].numpy()


def bar_picture(length, side=81, width=2.0):
    """Return a white vertical bar of `length` pixels in the middle of a black picture, with soft sides."""
    y, x = np.mgrid[:side, :side] - side // 2
    return np.exp(-((x / width) ** 2)) * (np.abs(y) <= length / 2)


# %% [markdown]
# ## The question
#
# A common neuron multiplies each input by a weight and adds the product. A spiking neuron receives a *number of spikes*
# in place of a value, and for each spike adds the weight once: no multiplication. In M. Horowitz's table (ISSCC 2014),
# for a 45 nm process and 32-bit floating-point numbers, an addition takes 0.9 pJ and a multiplication 3.7 pJ.

# %% experiment seconds=1
lesson.predict(
    "break_even",
    "One input, one weight, arithmetic only: up to how many spikes does the spiking neuron need less energy?",
    ["None: a spike costs more than a multiplication", "About 5", "About 30", "Any number"],
)

# %% [markdown]
# # Part 1 · A neuron that fires
#
# ## {{exercise:lif_neuron}}
#
# The **leaky integrate-and-fire neuron** is a capacitor with a leak. Its *membrane potential* $v$ (in mV) falls back to
# the potential at rest, while the current $I$ (in nA) that flows in through the resistance $R$ (in MΩ; MΩ · nA = mV)
# lifts it:
#
# $$\tau \frac{dv}{dt} = -(v - v_\text{rest}) + R\,I$$
#
# $\tau$ is the time constant (in ms), $t$ the time. When $v$ **reaches or passes** the threshold the neuron fires: a
# *spike* is noted, and $v$ is put to $v_\text{reset}$ at once. On a computer time runs in steps of $\Delta t$ (`dt`),
# and each step goes along the slope at its beginning (Euler's method):
#
# $$v \leftarrow v + \frac{\Delta t}{\tau} \bigl(-(v - v_\text{rest}) + R\,I_t\bigr)$$
#
# `current` has the shape (T, N): T steps, N neurons that do not know of each other. All begin at $v_\text{rest}$.
# `potential[t]` is what step $t$ leaves behind, after a reset where there was one; `spikes[t]` says who fired.
#
# **By hand.** $\tau$ = 4 ms, $\Delta t$ = 1 ms, $R$ = 10 MΩ, $I$ = 4 nA, rest −70, threshold −50, reset −65 mV. $RI$ =
# 40 mV, so each step goes a quarter of the way to −30: −60, −52.5, then −46.875, which is past the threshold: a spike,
# and `potential` gets −65. Next −56.25, then −49.6875, past the threshold again: the second spike, and −65.


# %% exercise="lif_neuron" difficulty=2 minutes=15 covers="153"
def lif_neuron(current, dt=1.0, tau=20.0, resistance=10.0, v_rest=-70.0, v_threshold=-50.0, v_reset=-65.0):
    """Simulate leaky integrate-and-fire neurons with Euler's method.

    Parameters
    ----------
    current : ndarray, shape (T, N)
        Current in nA into each of N neurons at each of T steps. Stays as it is.
    dt, tau : float
        Step and time constant in ms, 0 < dt <= tau.
    resistance : float
        In MΩ.
    v_rest, v_threshold, v_reset : float
        Potentials in mV; v_rest and v_reset lie below v_threshold.

    Returns
    -------
    potential : ndarray of float64, shape (T, N)
        Membrane potential in mV after each step, and after the reset where the neuron fired.
    spikes : ndarray of bool, shape (T, N)
        Whether the neuron fired in this step.

    Raises
    ------
    ValueError
        When current has not two axes, dt is not in (0, tau], or v_rest or v_reset is not below v_threshold.
    """
    ### BEGIN SOLUTION
    if current.ndim != 2:
        raise ValueError(f"current must have shape (T, N), not {current.shape}")
    if not 0 < dt <= tau:
        raise ValueError(f"dt must be above 0 and at most tau = {tau}, not {dt}")
    if max(v_rest, v_reset) >= v_threshold:
        raise ValueError("v_rest and v_reset must lie below v_threshold")
    potential = np.empty(current.shape)
    spikes = np.zeros(current.shape, dtype=bool)
    v = np.full(current.shape[1], v_rest, dtype=float)
    for t in range(len(current)):
        v = v + dt / tau * (-(v - v_rest) + resistance * current[t])
        spikes[t] = v >= v_threshold
        v = np.where(spikes[t], v_reset, v)
        potential[t] = v
    return potential, spikes
    ### END SOLUTION


# %% tests="lif_neuron" points=2
def potential_of(current, **constants):
    """Return lif_neuron(current, ...)[0]."""
    return lif_neuron(current, **constants)[0]


# The example by hand; beside it a neuron with half of the current, which never fires, and one with none.
current = np.tile([4.0, 2.0, 0.0], (5, 1))
expected = [[-60, -65, -70], [-52.5, -61.25, -70], [-65, -58.4375, -70], [-56.25, -56.328125, -70]]
expected += [[-65, -54.74609375, -70]]
check(potential_of, current, tau=4.0).gives(np.array(expected), dtype=np.float64)
# Other constants: half a step, another resistance, other potentials, one neuron.
check(potential_of, np.array([[3.0], [1.0], [0.0]]), dt=0.5, tau=2.0, resistance=8.0, v_rest=-60.0).gives(
    np.array([[-54.0], [-53.5], [-55.125]])
)
# A step as long as tau goes all the way.
check(potential_of, np.array([[1.5]]), dt=2.0, tau=2.0).gives(np.array([[-55.0]]))
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(190)
for steps, neurons in [(1, 1), (40, 3), (0, 2), (7, 0)]:
    current = rng.integers(0, 9, size=(steps, neurons))
    expected = np.empty(current.shape)
    for n in range(neurons):
        v = -64.0
        for t in range(steps):
            v += 0.5 / 6.0 * (-64.0 - v + 7.0 * current[t, n])
            v = -71.0 if v >= -52.0 else v
            expected[t, n] = v
    constants = {"dt": 0.5, "tau": 6.0, "resistance": 7.0, "v_rest": -64.0, "v_threshold": -52.0, "v_reset": -71.0}
    check(potential_of, current, **constants).gives(expected, dtype=np.float64)
### END HIDDEN TESTS


# %% tests="lif_neuron" points=2
def spikes_of(current, **constants):
    """Return lif_neuron(current, ...)[1], as 0 and 1."""
    return np.asarray(lif_neuron(current, **constants)[1]).astype(int)


def dtype_of_the_spikes(current):
    """Return the name of the dtype of lif_neuron(current)[1]."""
    return str(np.asarray(lif_neuron(current)[1]).dtype)


def kinds_of_answers(current):
    """Return the names of the types of both answers of lif_neuron(current)."""
    return ["ndarray" if isinstance(answer, np.ndarray) else type(answer).__name__ for answer in lif_neuron(current)]


def spike_counts(current, **constants):
    """Return how often each neuron of lif_neuron(current, ...) fires."""
    return np.asarray(lif_neuron(current, **constants)[1]).sum(axis=0)


# By hand. 8 nA for one step lift the third neuron to exactly −50: the threshold is reached, so it fires.
current = np.array([[4.0, 2.0, 8.0], [4.0, 2.0, 0.0], [4.0, 2.0, 0.0], [4.0, 2.0, 0.0], [4.0, 2.0, 0.0]])
check(spikes_of, current, tau=4.0).gives(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0], [1, 0, 0]]))
check(dtype_of_the_spikes, current).gives("bool")
check(kinds_of_answers, current).gives(["ndarray", "ndarray"])
# The closed form: from the reset on, v − (v_rest + RI) shrinks by 1 − dt/tau a step, so the steps from one spike to the
# next are a logarithm.
strong = np.array([2.5, 3.1, 4.7])
goal = -70 + 10 * strong
first, later = (np.ceil(np.log((-50 - goal) / (v - goal)) / np.log(1 - 0.5 / 20)) for v in (-70, -65))
check(spike_counts, np.tile(strong, (400, 1)), dt=0.5).gives((1 + (400 - first) // later).astype(int))
### BEGIN HIDDEN TESTS
check(spike_counts, np.ones((5, 2)), dt=2.0, tau=2.0).gives(np.array([0, 0]))
strong = np.array([2.2, 3.3, 5.1, 9.7])
goal = -62 + 8 * strong
first, later = (np.ceil(np.log((-51 - goal) / (v - goal)) / np.log(1 - 0.25 / 12)) for v in (-62, -75))
constants = {"dt": 0.25, "tau": 12.0, "resistance": 8.0, "v_rest": -62.0, "v_threshold": -51.0, "v_reset": -75.0}
check(spike_counts, np.tile(strong, (900, 1)), **constants).gives((1 + (900 - first) // later).astype(int))
### END HIDDEN TESTS

# %% tests="lif_neuron" points=1
# What makes no sense is refused.
check(lif_neuron, np.ones(5)).raises(ValueError)
check(lif_neuron, np.ones((5, 2)), dt=0.0).raises(ValueError)
check(lif_neuron, np.ones((5, 2)), dt=3.0, tau=2.0).raises(ValueError)
check(lif_neuron, np.ones((5, 2)), v_reset=-50.0).raises(ValueError)
check(lif_neuron, np.ones((5, 2)), v_rest=-40.0).raises(ValueError)
### BEGIN HIDDEN TESTS
check(lif_neuron, np.ones((5, 2, 2))).raises(ValueError)
check(lif_neuron, np.ones((5, 2)), dt=-1.0).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### Watch it
#
# First the potential, then the rate. Under a steady current the equation can be solved exactly: where $RI$ is more than
# the way from rest to the threshold, the neuron fires $1000 / \bigl(\tau \ln\frac{RI + v_\text{rest} -
# v_\text{reset}}{RI + v_\text{rest} - v_\text{threshold}}\bigr)$ times a second, with $\tau$ in ms.

# %% experiment seconds=5
steps, dt = 2_000, 0.1
shown = np.array([1.5, 2.5, 4.0])
potential, spikes = lif_neuron(np.tile(shown, (steps, 1)), dt=dt)
fig, axes = plots.figure(3, 1, width=8, height=4.6, sharex=True, sharey=True)
for ax, amperes, v, fired in zip(axes, shown, potential.T, spikes.T, strict=True):
    ax.plot(dt * np.arange(steps), v, color=plots.PALETTE[0], linestyle="-")
    ax.vlines(dt * np.flatnonzero(fired), -50, -40, color=plots.PALETTE[1], linestyle="-")
    ax.axhline(-50, color="#777777", linestyle="--", linewidth=1)
    ax.set_title(f"{amperes} nA: {fired.sum()} spikes in {steps * dt:.0f} ms")
    ax.set_ylabel("v in mV")
axes[-1].set_xlabel("time in ms")
plots.show(
    fig,
    alt="Membrane potential over 200 ms at "
    + "; ".join(f"{a} nA with {n} spikes" for a, n in zip(shown, spikes.sum(axis=0), strict=True))
    + ". It climbs towards a limit; where the limit lies above the threshold of −50 mV, it is cut off by resets.",
)

# %% experiment seconds=10
# The rate over two seconds, beside the formula.
amperes = np.array([1.9, 2.1, 2.5, 3.0, 4.0, 6.0, 8.0])
seconds, dt = 2.0, training.full_or_fast(0.05, 0.5)
_, spikes = lif_neuron(np.tile(amperes, (round(1000 * seconds / dt), 1)), dt=dt)
rate = spikes.sum(axis=0) / seconds
lift, to_reset, to_threshold = 10 * amperes, 5, 20  # mV: RI, and from rest to v_reset and to v_threshold
reached = lift > to_threshold
formula = np.zeros(len(amperes))
formula[reached] = 1000 / (20 * np.log((lift[reached] - to_reset) / (lift[reached] - to_threshold)))
for a, r, f in zip(amperes, rate, formula, strict=True):
    print(f"{a} nA: {r:6.1f} spikes a second, formula {f:6.1f}")
farthest = 100 * np.abs(rate[reached] / formula[reached] - 1).max()
lesson.target("largest deviation from the formula", farthest, at_most=3.0, unit="%")

# %% [markdown] covers="153"
# Below 2 nA, $R I$ is less than the 20 mV between rest and threshold, and the neuron stays silent for ever. Above it,
# the stronger the current, the faster it fires: in this *rate code* a value is a number of spikes in a window of time.
#
# To train a network by backpropagation, each part needs a useful derivative. Whether a neuron fires is a step function
# of its potential: its derivative is 0 everywhere and does not exist at the threshold. *Surrogate gradients* (Neftci,
# Mostafa and Zenke, 2019) keep the step on the way forward and put the slope of a smooth function in its place on the
# way back.
#
# ### What does a value cost in spikes?
#
# The cell below counts, it measures no chip. A value of $b$ bits sent as a count takes up to $2^b - 1$ spikes; on $b$
# wires at most $b$ wires change. The energies are Horowitz's.

# %% experiment seconds=5 covers="152"
for bits in (1, 3, 4, 8):
    print(f"{bits} bits: on average {(2**bits - 1) / 2:6.1f} spikes; {bits / 2:.1f} wires of {bits} change")
break_even = (ADD_PJ + MULTIPLY_PJ) / ADD_PJ
print(
    f"one multiply-accumulate: {ADD_PJ + MULTIPLY_PJ:.1f} pJ; one spike: {ADD_PJ} pJ; equal at {break_even:.2f} spikes"
)
# How many values can be told apart, if current is the value and the reader counts the spikes of a window?
values = np.linspace(2.05, 8, 256)
for window in (20, 50, 100, 500):
    _, spikes = lif_neuron(np.tile(values, (window * 2, 1)), dt=0.5)
    counts = spikes.sum(axis=0)
    told_apart = len(np.unique(counts))
    print(f"window of {window:3} ms: {told_apart:3} counts, {np.log2(told_apart):.1f} bits, mean {counts.mean():.1f}")
measured["spikes"] = break_even
lesson.reveal(
    "break_even",
    answer=1,
    because=f"(0.9 + 3.7)/0.9 = {break_even:.1f}. With 8-bit integers, 0.2 and 0.03 pJ in his table, it "
    f"is {(0.2 + 0.03) / 0.03:.1f}; reading the weight, once a spike, is not yet counted.",
)

# %% [markdown]
# Spiking saves arithmetic where most inputs are silent, and loses where they carry values of several bits: by this
# count a random value of 3 bits takes 3.5 spikes, and one of 4 bits, 7.5, is beyond the break-even. That is the core of
# both sides' sentences. The wait is a price as well: the longer the window, the finer the value.
#
# # Part 2 · Cells that see
#
# Lecture D's picture of the visual pathway has three kinds of cells. *Simple cells* answer to light of one orientation.
# *Complex cells* answer to orientation and movement: they do not mind where exactly the stripe lies. *Hypercomplex
# cells* answer to a stripe with an end. D. Hubel and T. Wiesel found them in the cat.
#
# ## {{exercise:gabor_kernel}}
#
# A simple cell is well described by a **Gabor function**: a wave under a bell. At column $x$ and row $y$, both counted
# from the middle of the kernel ($x$ to the right, $y$ **down**, as in pictures),
#
# $$x' = x\cos\theta + y\sin\theta, \qquad y' = -x\sin\theta + y\cos\theta$$
#
# $$g(x, y) = \exp\Bigl(-\frac{x'^2 + \gamma^2 y'^2}{2\sigma^2}\Bigr)\cos\Bigl(\frac{2\pi x'}{\lambda} + \psi\Bigr)$$
#
# $\theta$ (`theta`, radians) is the direction in which the wave runs, so the stripes lie across it; $\lambda$
# (`wavelength`, pixels) the distance from stripe to stripe; $\sigma$ (`sigma`, pixels) the width of the bell. $\gamma$
# (`gamma`) above 1 makes the bell narrower along the stripes, below 1 longer. $\psi$ (`phase`) moves the wave: 0 gives
# an **even** kernel, $-\pi/2$ an **odd** one, as a sine.
#
# Two more steps, in this order. **Subtract the mean** of all entries, so that a picture of one grey gives exactly 0;
# then **divide by the length** $\sqrt{\sum g^2}$, so that kernels can be compared.


# %% exercise="gabor_kernel" difficulty=2 minutes=14 covers="145"
def gabor_kernel(size, wavelength, theta, sigma, gamma=1.0, phase=0.0):
    """Return a square Gabor kernel with mean 0 and length 1.

    Parameters
    ----------
    size : int
        Height and width, odd, at least 3.
    wavelength, sigma : float
        Wavelength and width of the bell in pixels, above 0.
    theta, phase : float
        Direction of the wave (from x to the right towards y down) and its phase, in radians.
    gamma : float
        Ratio of the bell's widths, across the stripes to along them; above 0.

    Returns
    -------
    ndarray of float64, shape (size, size)
        Row y, column x.

    Raises
    ------
    ValueError
        When size is even or below 3, or wavelength, sigma or gamma is not above 0.
    """
    ### BEGIN SOLUTION
    if size < 3 or size % 2 == 0:
        raise ValueError(f"size must be odd and at least 3, not {size}")
    if min(wavelength, sigma, gamma) <= 0:
        raise ValueError("wavelength, sigma and gamma must be above 0")
    y, x = np.mgrid[:size, :size] - size // 2
    across = x * np.cos(theta) + y * np.sin(theta)
    along = -x * np.sin(theta) + y * np.cos(theta)
    bell = np.exp(-(across**2 + gamma**2 * along**2) / (2 * sigma**2))
    kernel = bell * np.cos(2 * np.pi * across / wavelength + phase)
    kernel -= kernel.mean()
    return kernel / np.sqrt(np.sum(kernel**2))
    ### END SOLUTION


# %% tests="gabor_kernel" points=2
# By hand: for wavelength 4 the wave is 0, 1, 0 in three columns; the bell is e^(−1/2) one row up or down.
e = np.exp(-0.5)
wave = np.array([[0, e, 0], [0, 1, 0], [0, e, 0]])
wave = wave - (1 + 2 * e) / 9
check(gabor_kernel, 3, 4.0, 0.0, 1.0).gives(wave / np.sqrt((wave**2).sum()), dtype=np.float64)
# Odd: sin(2πx/4) = −1, 0, 1. Its mean is 0 already.
odd = np.array([[-e, 0, e], [-1, 0, 1], [-e, 0, e]]) * e
check(gabor_kernel, 3, 4.0, 0.0, 1.0, phase=-np.pi / 2).gives(odd / np.sqrt((odd**2).sum()))
# Odd, and the wave runs down to the right: sin(π(x + y)/2) is 0 in the middle and in the corners, −1 or 1 elsewhere.
# There the bell has one value: four entries of one size, so each is 1/2.
slanted = np.array([[0, -0.5, 0], [-0.5, 0, 0.5], [0, 0.5, 0]])
check(gabor_kernel, 3, np.sqrt(8), np.pi / 4, 1.0, phase=-np.pi / 2).gives(slanted)
### BEGIN HIDDEN TESTS
for size in (3, 9, 15):
    check(gabor_kernel, size, 5.0, 0.3, 2.5).satisfies(
        lambda k: abs(np.sum(k)) < 1e-9 and abs(np.sum(np.square(k)) - 1) < 1e-9, "mean 0 and length 1"
    )
check(gabor_kernel, 3, 4.0, np.pi, 1.0, phase=-np.pi / 2).gives(-odd / np.sqrt((odd**2).sum()))
check(gabor_kernel, 3, 4.0, np.pi / 2, 1.0, phase=-np.pi / 2).gives((odd / np.sqrt((odd**2).sum())).T)
### END HIDDEN TESTS

# %% tests="gabor_kernel" points=2
# A slanted kernel, entry by entry from complex numbers: (x + iy) turned back by theta has x' and y' as its parts.


def expected_kernel(size, wavelength, theta, sigma, gamma, phase):
    kernel = np.empty((size, size))
    for row in range(size):
        for column in range(size):
            turned = complex(column - size // 2, row - size // 2) * np.exp(-1j * theta)
            bell = np.exp(-0.5 * (turned.real / sigma) ** 2 - 0.5 * (gamma * turned.imag / sigma) ** 2)
            kernel[row, column] = bell * np.exp(1j * (2 * np.pi * turned.real / wavelength + phase)).real
    kernel -= np.sum(kernel) / size**2
    return kernel / np.linalg.norm(kernel)


check(gabor_kernel, 5, 3.0, 0.4, 1.5).gives(expected_kernel(5, 3.0, 0.4, 1.5, 1.0, 0.0))
check(gabor_kernel, 7, 5.0, 0.4, 1.5, gamma=0.5, phase=0.9).gives(expected_kernel(7, 5.0, 0.4, 1.5, 0.5, 0.9))
check(gabor_kernel, 4, 3.0, 0.4, 1.5).raises(ValueError)
check(gabor_kernel, 1, 3.0, 0.4, 1.5).raises(ValueError)
check(gabor_kernel, 5, 0.0, 0.4, 1.5).raises(ValueError)
check(gabor_kernel, 5, 3.0, 0.4, -1.5).raises(ValueError)
check(gabor_kernel, 5, 3.0, 0.4, 1.5, gamma=0.0).raises(ValueError)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(191)
for size in (3, 9, 21):
    wavelength, sigma, gamma = rng.uniform(0.7, 6, size=3)
    theta, phase = rng.uniform(-4, 4, size=2)
    check(gabor_kernel, size, wavelength, theta, sigma, gamma, phase).gives(
        expected_kernel(size, wavelength, theta, sigma, gamma, phase)
    )
check(gabor_kernel, 5, -3.0, 0.4, 1.5).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### A bank of simple cells
#
# A simple cell's answer is a weighted sum and a ReLU, as firing rates are not negative: a unit of a convolutional
# layer.

# %% experiment seconds=10 covers="145"
photo = data.photograph("camera")[::2, ::2].mean(axis=2) / 255
angles = np.pi * np.arange(4) / 4
kernels = [gabor_kernel(15, 6.0, theta, 2.5, gamma=0.6) for theta in angles]
answers = [np.maximum(filter_image(photo, kernel), 0) for kernel in kernels]
names = [f"wave at {np.degrees(theta):.0f}°" for theta in angles]
fig = plots.images([*kernels, *answers], [*names, *(f"its answer, mean {a.mean():.3f}" for a in answers)], columns=4)
plots.show(
    fig,
    alt="Four Gabor kernels, stripes turned in steps of 45 degrees, and their answers to the photograph of a man with "
    "a camera: each is bright along edges and lines of its own orientation, as at the legs of the tripod.",
)

# %% [markdown]
# ## {{exercise:hypercomplex}}
#
# Let `even` and `odd` be the answers (H, W) of an even and an odd kernel of the same $\theta$, without ReLU. A
# **complex cell** takes the *energy* of both, at every pixel
#
# $$E = \sqrt{\text{even}^2 + \text{odd}^2}$$
#
# Where the stripe moves by a quarter of a wavelength, the even answer passes on to the odd one, as cosine to sine, and
# $E$ hardly changes. An **end-stopped** (hypercomplex) cell is excited by the complex cell at its place, and inhibited
# by two others, `offset` pixels ahead and behind **along the stripe**:
#
# $$S = \max\Bigl(0,\; E_\text{here} - \tfrac{1}{2}\,(E_\text{ahead} + E_\text{behind})\Bigr)$$
#
# On a long line the three are equal and $S = 0$. At an end one of the two is silent, and half of $E$ is left.
#
# The wave runs in the direction $(\cos\theta, \sin\theta)$ of ($x$ right, $y$ down), so the stripe lies along
# $(-\sin\theta, \cos\theta)$. *Ahead* is at column + $d_x$, row + $d_y$ with $d_x$ = `offset` · $(-\sin\theta)$ and
# $d_y$ = `offset` · $\cos\theta$, each rounded to a whole number with `np.rint`, `offset` itself not; *behind* is at
# column − $d_x$, row − $d_y$. Outside the picture $E$ counts as 0, and `offset` may be larger than the picture.
#
# **By hand.** One column, $\theta = 0$, offset 1. even = (3, 6, 0, 9), odd = (4, 8, −5, 12): $E$ = (5, 10, 5, 15).
# $S_0 = 5 - \frac12(10 + 0) = 0$, $S_1 = 10 - \frac12(5 + 5) = 5$, $S_2 = \max(0, 5 - 12.5) = 0$, $S_3 = 15 - 2.5 =
# 12.5$.


# %% exercise="hypercomplex" difficulty=2 minutes=18 covers="145"
def hypercomplex(even, odd, theta, offset):
    """Return the answers of complex and of end-stopped cells at every pixel.

    Parameters
    ----------
    even, odd : ndarray of float, both of shape (H, W)
        Answers of an even and an odd Gabor kernel of the same orientation.
    theta : float
        Direction of the kernels' wave, in radians, from x to the right towards y down.
    offset : float
        Distance in pixels of the two inhibiting cells along the stripe, at least 1.

    Returns
    -------
    energy, stopped : ndarray, shape (H, W)
        What complex and end-stopped cells answer, both at least 0.

    Raises
    ------
    ValueError
        When even and odd have not the same two-dimensional shape, or offset is below 1.
    """
    ### BEGIN SOLUTION
    if even.ndim != 2 or even.shape != odd.shape:
        raise ValueError(f"even {even.shape} and odd {odd.shape} must have the same shape (H, W)")
    if offset < 1:
        raise ValueError(f"offset must be at least 1, not {offset}")
    energy = np.sqrt(even**2 + odd**2)
    dx, dy = int(np.rint(-offset * np.sin(theta))), int(np.rint(offset * np.cos(theta)))
    reach = max(abs(dx), abs(dy))
    height, width = energy.shape
    padded = np.pad(energy, reach)
    ahead, behind = (
        padded[reach + side * dy : reach + side * dy + height, reach + side * dx : reach + side * dx + width]
        for side in (1, -1)
    )
    return energy, np.maximum(energy - (ahead + behind) / 2, 0)
    ### END SOLUTION


# %% tests="hypercomplex" points=2
# By hand, with a second column, which knows nothing of the first: its E is 13, 0, 2, 1.
even = np.array([[3.0, 5.0], [6.0, 0.0], [0.0, 0.0], [9.0, -1.0]])
odd = np.array([[4.0, -12.0], [8.0, 0.0], [-5.0, 2.0], [12.0, 0.0]])
energy = np.array([[5.0, 13.0], [10.0, 0.0], [5.0, 2.0], [15.0, 1.0]])
check(hypercomplex, even, odd, 0.0, 1).gives((energy, np.array([[0.0, 13.0], [5.0, 0.0], [0.0, 1.5], [12.5, 0.0]])))
# Offset 2; and a wave that runs downwards, whose stripe runs along the row.
check(hypercomplex, even, odd, 0.0, 2).gives((energy, np.array([[2.5, 12.0], [2.5, 0.0], [2.5, 0.0], [10.0, 1.0]])))
check(hypercomplex, even, odd, np.pi / 2, 1).gives(
    (energy, np.array([[0.0, 10.5], [10.0, 0.0], [4.0, 0.0], [14.5, 0.0]]))
)
# Both neighbours of every pixel outside the picture.
check(hypercomplex, even, odd, 0.0, 9).gives((energy, energy))
### BEGIN HIDDEN TESTS
check(hypercomplex, even, odd, np.pi / 2, 3).gives((energy, energy))
check(hypercomplex, even.astype(np.float32), odd.astype(np.float32), np.pi / 2, 1).gives(
    (energy, np.array([[0.0, 10.5], [10.0, 0.0], [4.0, 0.0], [14.5, 0.0]])), rtol=1e-6
)
### END HIDDEN TESTS

# %% tests="hypercomplex" points=2
# A slanted stripe. For theta = 0.4 and offset 2.3 the neighbours lie one column left and two rows down, and opposite.


def expected_cells(even, odd, dx, dy):
    height, width = even.shape
    energy = np.hypot(even, odd)
    stopped = np.empty(even.shape)
    for i in range(height):
        for j in range(width):
            both = 0.0
            for row, column in ((i + dy, j + dx), (i - dy, j - dx)):
                if 0 <= row < height and 0 <= column < width:
                    both += energy[row, column]
            stopped[i, j] = max(0.0, energy[i, j] - both / 2)
    return energy, stopped


rng = np.random.default_rng(192)
even, odd = rng.normal(size=(2, 5, 7))
check(hypercomplex, even, odd, 0.4, 2.3).gives(expected_cells(even, odd, -1, 2))
check(hypercomplex, even, odd, np.pi / 4, 1.4).gives(expected_cells(even, odd, -1, 1))
check(hypercomplex, even, odd, 0.5, 2.9).gives(expected_cells(even, odd, -1, 3))
check(hypercomplex, even, odd, 0.4, 3.5).gives(expected_cells(even, odd, -1, 3))
check(hypercomplex, even, odd[:, :-1], 0.0, 1).raises(ValueError)
check(hypercomplex, even[:1], odd, 0.0, 1).raises(ValueError)
check(hypercomplex, even[0], odd[0], 0.0, 1).raises(ValueError)
check(hypercomplex, even, odd, 0.0, 0.5).raises(ValueError)
### BEGIN HIDDEN TESTS
even, odd = rng.normal(size=(2, 9, 6))
for theta, offset, dx, dy in [(-0.4, 2.3, 1, 2), (2.5, 3.2, -2, -3), (np.pi, 2.0, 0, -2), (1.2, 4.0, -4, 1)]:
    check(hypercomplex, even, odd, theta, offset).gives(expected_cells(even, odd, dx, dy))
check(hypercomplex, even[None], odd[None], 0.0, 1).raises(ValueError)
check(hypercomplex, even, odd, 0.0, 0).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### Longer, and moved
#
# A white bar in the middle grows longer; then a stripe pattern drifts by. What do the three cells at the middle answer?

# %% experiment seconds=15 covers="145"
even_kernel, odd_kernel = (gabor_kernel(21, 8.0, 0.0, 3.0, phase=phase) for phase in (0.0, -np.pi / 2))


def cells_at_the_middle(picture):
    """Return what a simple, a complex and an end-stopped cell answer in the middle of a picture."""
    even, odd = filter_image(picture, even_kernel), filter_image(picture, odd_kernel)
    energy, stopped = hypercomplex(even, odd, 0.0, 12)
    middle = picture.shape[0] // 2
    return [max(even[middle, middle], 0), energy[middle, middle], stopped[middle, middle]]


lengths = np.arange(2, 71, 2)
with timing.one_thread():
    by_length = np.array([cells_at_the_middle(bar_picture(length)) for length in lengths])
    columns = np.arange(81) - 40
    gratings = [
        np.tile(0.5 + 0.5 * np.cos(2 * np.pi * columns / 8 - moved), (81, 1)) for moved in np.linspace(0, 6.2, 32)
    ]
    by_phase = np.array([cells_at_the_middle(grating) for grating in gratings])
swing = 100 * by_phase.min(axis=0)[:2] / by_phase.max(axis=0)[:2]
fig, axes = plots.figure(1, 2, width=9, height=3.4)
for cell, name in enumerate(("simple", "complex", "end-stopped")):
    style = {"color": plots.PALETTE[cell], "linestyle": plots.LINES[cell], "label": name}
    axes[0].plot(lengths, by_length[:, cell], **style)
    axes[1].plot(np.linspace(0, 6.2, 32) / (2 * np.pi), by_phase[:, cell], **style)
axes[0].set_xlabel("length of the bar in pixels")
axes[1].set_xlabel("pattern moved, in wavelengths")
axes[0].set_title("a bar grows")
axes[1].set_title("a pattern drifts")
axes[0].set_ylabel("answer")
axes[0].legend()
best = lengths[by_length[:, 2].argmax()]
left_over = 100 * by_length[-1, 2] / by_length[:, 2].max()
measured["cells"] = {"swing": swing, "best": best, "left_over": left_over}
plots.show(
    fig,
    alt="Left: with the bar's length the answers of the simple and the complex cell, one and the same curve, grow and "
    f"stay; the end-stopped cell answers most at {best} pixels, and at {lengths[-1]} with {left_over:.1f} % of that. "
    f"Right: while a pattern drifts, the simple cell's answer swings between {swing[0]:.0f} and 100 %, the complex "
    f"cell's stays above {swing[1]:.0f} %, and the end-stopped cell's lies at {by_phase[:, 2].max():.2f}.",
)
print(f"bar grows: simple and complex cell differ by {np.abs(by_length[:, 0] - by_length[:, 1]).max():.2f} at most")
print(f"pattern drifts: smallest answer {swing[0]:.0f} % (simple), {swing[1]:.0f} % (complex) of the largest")
print(f"pattern drifts: the end-stopped cell answers {by_phase[:, 2].max():.2f} at most")
lesson.target("end-stopped cell: answer to the longest bar, of its best", left_over, at_most=1.0, unit="%")
lesson.target("complex cell: smallest answer to the moved pattern, of its best", swing[1], at_least=95, unit="%")

# %% experiment seconds=15 covers="145"
# Eight orientations on a rectangle and on a photograph. At every pixel: the complex cell that answers most, and the
# end-stopped cell of the same orientation.
y, x = np.mgrid[:128, :128]
rectangle = ((np.abs(x - 64) < 35) & (np.abs(y - 64) < 25)).astype(float)
small_photo = data.photograph("camera")[::4, ::4].mean(axis=2) / 255
found = []
for picture in (rectangle, small_photo):
    per_angle = []
    for theta in np.pi * np.arange(8) / 8:
        even, odd = (
            filter_image(picture, gabor_kernel(11, 5.0, theta, 2.0, phase=phase)) for phase in (0.0, -np.pi / 2)
        )
        per_angle.append(hypercomplex(even, odd, theta, 6))
    energy, stopped = np.array(per_angle).transpose(1, 0, 2, 3)
    strongest = energy.argmax(axis=0)[None]
    found += [picture, energy.max(axis=0), np.take_along_axis(stopped, strongest, axis=0)[0]]
side, corner = found[2][64, 20:40].max(), found[2][30:50, 20:40].max()
print(f"rectangle, end-stopped: at most {corner:.2f} near a corner, {side:.2f} in the middle of a side")
fig = plots.images(found, ["picture", "complex", "end-stopped"] * 2, columns=3, size=2.4)
plots.show(
    fig,
    alt="Top: a white rectangle; complex cells answer along its whole outline, end-stopped at the corners. "
    "Bottom: the same for the man with a camera; complex cells draw his outline and the tripod, end-stopped cells "
    "keep corners and ends of lines.",
)

# %% [markdown] covers="145"
# The simple cell wants the stripe at its place; the complex cell wants the orientation; the end-stopped cell wants an
# end as well. On the bar in the middle, simple and complex cell draw one curve: the odd kernel sees a picture that is
# the same on both sides, and answers 0. The drifting stripes run past both ends of the end-stopped cell, and it is
# silent. In a ConvNet's words: convolution and ReLU, then pooling over neighbouring positions (here over two
# phases), then another layer that sees several units of the one below, one of them with a positive weight and two with
# negative ones. These cells know nothing of time: the "movement" in lecture D's picture is in the stimulus, not in the
# model.
#
# # Part 3 · A claim audited
#
# ## {{exercise:audit_reuse}}
#
# Bill Dally, of a maker of GPUs, on processing inside memory, as lecture D quotes him: "**Easy to get 64x or more
# re-use, so no gain by saving memory read.**" *Re-use* is how many multiply-accumulates a weight takes part in each
# time it is read. Let one read of every weight serve a batch of $B$ pictures. For a layer with $W$ weights and $M$
# multiply-accumulates for one picture, at $e_r$ pJ for reading one weight and $e_m$ pJ for one multiply-accumulate,
#
# $$\text{re-use} = \frac{M B}{W}, \qquad \text{share} = \frac{W e_r}{W e_r + M B\, e_m}$$
#
# The share is the part of the layer's energy that reading weights takes, from 0 to 1; for the whole network, add up the
# energies of the layers before you divide. `table` is what module 11's `layer_table` returns: a list of rows with
# `"weights"`, `"macs"` and more. Rows without weights (picture, pooling) are left out everywhere; biases are not
# counted.
#
# **By hand.** A convolution with 10 weights and 90 MACs, a dense layer with 40 and 40; $B$ = 3, $e_r$ = 6, $e_m$ = 2.
# Re-use 27 and 3. Reading takes 60 and 240 pJ, computing 540 and 240: shares 0.1 and 0.5, and of the whole 300/1080.


# %% exercise="audit_reuse" difficulty=1 minutes=9 covers="152"
def audit_reuse(table, batch, read_pj, mac_pj, claimed=64):
    """Say how often weights are re-used, what part of the energy reading them takes, and where a claim fails.

    Parameters
    ----------
    table : list of dict
        Rows of a network with ``weights`` and ``macs`` (for one picture). Rows with 0 weights are left out.
    batch : int
        Pictures that one read of the weights serves, at least 1.
    read_pj, mac_pj : float
        Energy in pJ of reading one weight and of one multiply-accumulate.
    claimed : float
        The claimed least re-use.

    Returns
    -------
    dict
        ``reuse`` and ``share``: lists of float, one a row with weights; ``fails``: list of int, the positions in
        `table`, from 0, of rows whose re-use is below `claimed`; ``whole``: float, the whole network's share.

    Raises
    ------
    ValueError
        When batch is below 1 or no row has weights.
    """
    ### BEGIN SOLUTION
    rows = [(place, row["weights"], row["macs"] * batch) for place, row in enumerate(table) if row["weights"]]
    if batch < 1 or not rows:
        raise ValueError("audit_reuse needs a batch of at least 1 and a row with weights")
    read = [weights * read_pj for _, weights, _ in rows]
    computed = [macs * mac_pj for _, _, macs in rows]
    return {
        "reuse": [macs / weights for _, weights, macs in rows],
        "share": [r / (r + c) for r, c in zip(read, computed, strict=True)],
        "fails": [place for place, weights, macs in rows if macs / weights < claimed],
        "whole": sum(read) / (sum(read) + sum(computed)),
    }
    ### END SOLUTION


# %% tests="audit_reuse" points=2
# The example by hand: the dense layer is row 3 of the table. A re-use of exactly 27 keeps a claim of 27.
pencil = [
    {"kind": "image", "weights": 0, "biases": 0, "macs": 0},
    {"kind": "conv", "weights": 10, "biases": 5, "macs": 90},
    {"kind": "pool", "weights": 0, "biases": 0, "macs": 0},
    {"kind": "fc", "weights": 40, "biases": 8, "macs": 40},
]
expected = {"reuse": [27.0, 3.0], "share": [0.1, 0.5], "fails": [3], "whole": 300 / 1080}
check(audit_reuse, pencil, 3, 6.0, 2.0, claimed=27).gives(expected)
check(audit_reuse, pencil, 3, 6.0, 2.0).gives({**expected, "fails": [1, 3]})
# With 95 MACs in place of 90 the re-use is no whole number; reading takes 60 pJ, computing 570.
uneven = [{"kind": "conv", "weights": 10, "biases": 5, "macs": 95}]
check(audit_reuse, uneven, 3, 6.0, 2.0, claimed=28).gives(
    {"reuse": [28.5], "share": [60 / 630], "fails": [], "whole": 60 / 630}
)
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(193)
w, m = rng.integers(1, 99, size=(2, 6))
table = [{"kind": "fc", "weights": int(a), "biases": 1, "macs": int(b)} for a, b in zip(w, m, strict=True)]
expected = {"reuse": (7 * m / w).tolist(), "share": (w * 640.0 / (w * 640.0 + 7 * m * 4.6)).tolist()}
expected |= {"fails": np.flatnonzero(7 * m / w < 5.5).tolist(), "whole": w.sum() * 640 / (w * 640 + 7 * m * 4.6).sum()}
check(audit_reuse, table, 7, 640.0, 4.6, 5.5).gives(expected)
check(audit_reuse, pencil[1:], 1, 6.0, 2.0, 1).gives(
    {"reuse": [9.0, 1.0], "share": [0.25, 0.75], "fails": [], "whole": 300 / 560}
)
### END HIDDEN TESTS

# %% tests="audit_reuse" points=1
# AlexNet's FC6 has a multiply-accumulate for each of its weights; CONV5 has 13 · 13 positions.
alexnet = specs.layer_table(specs.alexnet())


def reuse_in_alexnet(table, batch):
    """Return audit_reuse(table, batch, 640.0, 4.6)["reuse"] and ["fails"]."""
    answer = audit_reuse(table, batch, 640.0, 4.6)
    return answer["reuse"], answer["fails"]


check(reuse_in_alexnet, alexnet, 1).gives(([3025.0, 729.0, 169.0, 169.0, 169.0, 1.0, 1.0, 1.0], [11, 12, 13]))
check(reuse_in_alexnet, alexnet, 63).gives(([63.0 * r for r in (3025, 729, 169, 169, 169, 1, 1, 1)], [11, 12, 13]))
check(reuse_in_alexnet, alexnet, 64).gives(([64.0 * r for r in (3025, 729, 169, 169, 169, 1, 1, 1)], []))
check(audit_reuse, alexnet, 0, 640.0, 4.6).raises(ValueError)
check(audit_reuse, alexnet[:1], 2, 640.0, 4.6).raises(ValueError)
### BEGIN HIDDEN TESTS
check(audit_reuse, [], 2, 640.0, 4.6).raises(ValueError)
### END HIDDEN TESTS

# %% [markdown]
# ### The claim under two conditions
#
# Which memory, and how many pictures? Horowitz's figures, in the table of S. Han and colleagues (EIE, 2016), for 32
# bits: 5 pJ from a small SRAM on the chip, 640 pJ from DRAM outside it; a multiply-accumulate is 3.7 + 0.9 = 4.6 pJ. It
# is an arithmetic of weights alone: activations are read and written as well, and newer chips have other figures.

# %% experiment seconds=5 covers="152"
nets = {"AlexNet": specs.layer_table(specs.alexnet()), "VGG-16": specs.layer_table(specs.vgg(STAGES["D"]))}
mac_pj = ADD_PJ + MULTIPLY_PJ
whole = {}
for name, table in nets.items():
    for batch in (1, 64, 128):
        audit = {memory: audit_reuse(table, batch, pj, mac_pj) for memory, pj in (("DRAM", DRAM_PJ), ("SRAM", SRAM_PJ))}
        whole[name, batch] = 100 * audit["DRAM"]["whole"]
        reuse, below = audit["DRAM"]["reuse"], len(audit["DRAM"]["fails"])
        print(
            f"{name}, batch {batch:3}: re-use {min(reuse):,.0f} to {max(reuse):,.0f}, {below} of {len(reuse)} "
            f"layers below 64; reading takes {whole[name, batch]:.1f} % from DRAM, "
            f"{100 * audit['SRAM']['whole']:.1f} % from SRAM"
        )
at_64 = {pj: 100 * pj / (pj + 64 * mac_pj) for pj in (DRAM_PJ, SRAM_PJ)}
needed = DRAM_PJ / mac_pj
print(f"a layer with a re-use of exactly 64: {at_64[DRAM_PJ]:.1f} % from DRAM, {at_64[SRAM_PJ]:.1f} % from SRAM")
print(f"from DRAM, reading takes half at a re-use of {needed:.0f}, a tenth at {9 * needed:.0f}")
first = audit_reuse(nets["AlexNet"], 1, DRAM_PJ, mac_pj)["reuse"]
measured["reuse"] = {"conv": min(first[:5]), "fc": min(first[5:]), "whole": whole["AlexNet", 64]}
measured["reuse"] |= {"dram": at_64[DRAM_PJ], "sram": at_64[SRAM_PJ]}
fig, ax = plots.figure(width=8, height=3)
ax.bar([f"CONV{i}" for i in range(1, 6)] + ["FC6", "FC7", "FC8"], first, color=plots.PALETTE[0], bottom=0)
ax.axhline(64, color=plots.PALETTE[1], linestyle="--", label="claimed: 64")
ax.set_yscale("log")
ax.set_ylim(0.5, 6000)
ax.set_ylabel("re-use, one picture")
ax.legend()
plots.show(
    fig,
    alt="AlexNet's layers for one picture: re-use "
    + ", ".join(f"{r:.0f}" for r in first)
    + "; a line at the claimed 64.",
)
lesson.target("AlexNet's least re-use for one picture", min(first), exactly=1)

# %% [markdown]
# "Easy to get": in convolutions it is, for a single picture; in fully connected layers only with a batch of 64, which
# has to be waited for. "So no gain": that depends on the memory. From SRAM reading is a trifle. From DRAM, by these
# figures, it takes 68.5 % of a layer's energy where the re-use is exactly 64, as in AlexNet's fully connected layers at
# that batch; of the whole AlexNet only 15.5 %, as its convolutions re-use their weights far more often. The next line
# of Dally's slide says as much: "Don't hold all parameters in fast, expensive memory at once."
#
# ### What was split, and why (lectures A and D)
#
# Memory decided AlexNet's form: "limited by GPU memory using Nvidia GTX 580 (3GB RAM)", "tuned splitting across GPUs to
# balance communication and computation" (A). Lecture D names the machines of its own time: NVIDIA's Tesla line in the
# server, Tegra with a GPU and an ARM processor on one chip in embedded systems.

# %% experiment seconds=5 covers="154"
whole_net, halves = (specs.layer_table(specs.alexnet(two_gpus=two)) for two in (False, True))
memory, sent = {}, {}
for name, table in (("one GPU", whole_net), ("two GPUs", halves)):
    gpus = 1 if table is whole_net else 2
    parameters = sum(row["weights"] + row["biases"] for row in table) / gpus
    # For each weight its gradient and momentum; for each value of 128 pictures its gradient.
    memory[name] = 4 * (3 * parameters + 2 * 128 * sum(row["values"] for row in table[1:]) / gpus) / 1e9
    print(f"{name}: {parameters / 1e6:.1f} M parameters and about {memory[name]:.2f} GB on each, of 3 GB")
# Rows of the table that read from both cards: with groups CONV3 and FC6 to FC8, without them every layer but CONV1.
# Such a row reads the values of the row before it; half of them lie on the other card.
for name, table, everyone in (("groups", halves, (7, 11, 12, 13)), ("no groups", whole_net, (4, 7, 8, 9, 11, 12, 13))):
    received = [table[place - 1]["values"] // 2 for place in everyone]
    sent[name] = sum(received)
    macs = sum(row["macs"] for row in table) / 2
    print(f"{name}: each GPU receives {' + '.join(f'{n:,}' for n in received)} = {sent[name]:,} numbers a picture,")
    print(f"{' ' * len(name)}  {macs / sent[name]:,.0f} MACs for each number")
measured["memory"] = memory
lesson.target("numbers each of two GPUs receives for a picture", sent["groups"], exactly=30_336)

# %% [markdown]
# This count has one copy of everything, in 32 bits: two thirds of a card are full. It leaves out what a program needs
# beside it: rearranged inputs of the convolutions, the next batch, other copies. So the count alone does not show that
# one card was too small. With groups four layers read from both cards, CONV3 and the three fully connected ones: half
# of the input of each comes from the other card. Without groups CONV2, CONV4 and CONV5 wait for numbers as well.
# Balance means enough arithmetic for each number that is sent.
#
# # Part 4 · Three bits, eight percent, forty times
#
# More from the same pages of lecture D. Dally: in analog computation "real precision achieved is about 3 bits (even if
# they use 7-bit ADCs)". The other side, on a learning system of its own: "**8 % accuracy improvement** vs deep
# autoencoder", "**40x more data efficient** learning vs backpropagation", "online learning (robust to catastrophic
# forgetting)". We have neither the chips nor their tasks. What can be done is to ask what the numbers would *mean*.

# %% experiment seconds=25 folded=true covers="152"
digits = data.digits()
n_most = training.full_or_fast(8_000, 1_000)
x_train = digits.x_train[:n_most].reshape(n_most, -1).astype(np.float64)
y_train = digits.y_train[:n_most]
n_test = training.full_or_fast(2_000, 200)
x_test, y_test = digits.x_test[:n_test].reshape(n_test, -1).astype(np.float64), digits.y_test[:n_test]


def with_one(x):
    """Append a column of ones, for the bias."""
    return np.hstack([x, np.ones((len(x), 1))])


def linear_fit(x, y):
    """Return weights (785, 10) of a linear classifier by ridge regression on one-hot labels."""
    a = with_one(x)
    return np.linalg.solve(a.T @ a + 10.0 * np.eye(a.shape[1]), a.T @ np.eye(10)[y])


def accuracy_of(labels):
    """Return the accuracy in % of these labels for the test pictures."""
    return 100 * np.mean(labels == y_test)


def rounded(values, bits):
    """Round to 2**bits levels, evenly spaced from the least to the largest value."""
    low, step = values.min(), (values.max() - values.min()) / (2**bits - 1)
    return low + step * np.rint((values - low) / step)


def first_to_reach(accuracies, goal):
    """Return how many pictures a learning curve needs for an accuracy, by straight lines over log n; None if never."""
    for i in range(1, len(sizes)):
        if accuracies[i - 1] < goal <= accuracies[i]:
            part = (goal - accuracies[i - 1]) / (accuracies[i] - accuracies[i - 1])
            return float(sizes[i - 1] * (sizes[i] / sizes[i - 1]) ** part)
    return None


with timing.one_thread():
    weights = linear_fit(x_train, y_train)
    full = accuracy_of((with_one(x_test) @ weights).argmax(axis=1))
    by_bits = {}
    for bits in (2, 3, 4, 7):
        few_weights = accuracy_of((with_one(x_test) @ rounded(weights, bits)).argmax(axis=1))
        few_sums = accuracy_of(rounded(with_one(x_test) @ weights, bits).argmax(axis=1))
        by_bits[bits] = (few_weights, few_sums)
        print(f"{bits} bits: {few_weights:.1f} % rounded weights, {few_sums:.1f} % rounded sums, exact {full:.1f} %")

    sizes = [n for n in (50, 100, 200, 400, 800, 1600, 3200, 8000) if n <= n_most]
    distance = (x_test**2).sum(axis=1)[:, None] - 2 * x_test @ x_train.T + (x_train**2).sum(axis=1)
    linear = [accuracy_of((with_one(x_test) @ linear_fit(x_train[:n], y_train[:n])).argmax(axis=1)) for n in sizes]
    nearest = [accuracy_of(y_train[distance[:, :n].argmin(axis=1)]) for n in sizes]
for n, a, b in zip(sizes, linear, nearest, strict=True):
    print(f"{n:5} pictures: linear {a:.1f} %, nearest neighbour {b:.1f} %")
factors = {}
for n, goal in zip(sizes[1:], linear[1:], strict=True):
    enough = first_to_reach(nearest, goal)
    if enough is not None:
        factors[n] = n / enough
        print(
            f"linear, {n} pictures: {goal:.1f} %; nearest neighbour needs about {enough:.0f}: factor {factors[n]:.1f}"
        )
measured["digits"] = {
    "weights": by_bits[3][0],
    "sums": by_bits[3][1],
    "exact": full,
    "factors": f"{min(factors.values()):.1f} to {max(factors.values()):.1f}",
}
lesson.target("accuracy with weights of 3 bits", by_bits[3][0], at_least=75, unit="%")
fig, ax = plots.figure(width=7.5, height=3.2)
for k, (name, curve) in enumerate((("linear, ridge regression", linear), ("nearest neighbour", nearest))):
    ax.plot(sizes, curve, color=plots.PALETTE[k], linestyle=plots.LINES[k], marker=plots.MARKERS[k], label=name)
ax.set_xscale("log")
ax.set_xlabel("training pictures")
ax.set_ylabel("accuracy in %")
ax.legend()
plots.show(
    fig,
    alt=f"Accuracy against training pictures. Linear from {linear[0]:.0f} to {linear[-1]:.0f} %, nearest neighbour "
    f"from {nearest[0]:.0f} to {nearest[-1]:.0f} %.",
)
for before in (60.0, 90.0, 97.0):
    points, ratio = before + 8, before * 1.08
    print(f"'8 % better' than {before:.0f} %: {points:.0f} % if points, {ratio:.1f} % if a ratio")

# %% [markdown]
# "40 times more data-efficient" is a horizontal distance between two learning curves. Here neither learner is new, and
# the distance between them, read at one accuracy, is large at one and small at another: the factor belongs to a pair of
# learners, a task and a height, not to a learner. And 8 % means one thing as points and another as a ratio; from a
# high start it is more than there is.
#
# ### What became of the claims


# %% experiment seconds=5 folded=true covers="152 145"
rows = []
if "reuse" in measured:
    reuse = measured["reuse"]
    rows += [
        plots.Claim(
            "easy to get 64x or more re-use (Dally, D)",
            f"one picture: convolutions {reuse['conv']:.0f} or more, fully connected {reuse['fc']:.0f}",
            "AlexNet; one read of the weights serves one picture",
            "holds" if min(reuse["conv"], reuse["fc"]) >= 64 else "partly" if reuse["conv"] >= 64 else "does not hold",
        ),
        plots.Claim(
            "so no gain by saving memory read (Dally, D)",
            f"a layer with a re-use of 64: reading takes {reuse['dram']:.1f} % from DRAM, {reuse['sram']:.1f} % from "
            f"SRAM; the whole AlexNet, batch 64: {reuse['whole']:.1f} % from DRAM",
            "weights only; 45 nm energies from the literature, nothing measured",
            "holds" if reuse["dram"] < 10 else "partly" if reuse["sram"] < 10 else "does not hold",
        ),
    ]
if "memory" in measured:
    memory = measured["memory"]
    rows.append(
        plots.Claim(
            "limited by GPU memory, GTX 580 with 3 GB (A)",
            f"about {memory['one GPU']:.2f} GB on one GPU, {memory['two GPUs']:.2f} GB on each of two",
            "128 pictures, 32 bits, momentum; no working space, which is not known",
            "cannot be tested here" if memory["one GPU"] < 3 else "holds",
        )
    )
if "spikes" in measured:
    rows.append(
        plots.Claim(
            "spiking: almost the worst power for a value (Dally, D)",
            f"by counting: 8 bits take {(2**8 - 1) / 2} spikes on average; up to {measured['spikes']:.1f} beat a MAC",
            "rate code, 32-bit arithmetic, no memory, no chip; other codes exist",
            "partly" if 1 < measured["spikes"] < (2**8 - 1) / 2 else "cannot be tested here",
        )
    )
if "digits" in measured:
    digits_say = measured["digits"]
    rows += [
        plots.Claim(
            "analog: about 3 bits are achieved (Dally, D)",
            f"no analog chip here; rounding to 3 bits leaves {digits_say['weights']:.1f} % (weights) and "
            f"{digits_say['sums']:.1f} % (sums) of {digits_say['exact']:.1f} %",
            "linear classifier of digits; says what 3 bits cost there, not what is achieved",
            "cannot be tested here",
        ),
        plots.Claim(
            "40x more data efficient than backpropagation (D)",
            f"between two old learners, neither spiking, the factor runs from {digits_say['factors']}",
            "digits, one draw; not the system that is meant",
            "cannot be tested here",
        ),
    ]
if "cells" in measured:
    cells = measured["cells"]
    rows += [
        plots.Claim(
            "complex cells: orientation and movement (D)",
            f"moved pattern: complex keeps {cells['swing'][1]:.0f} % of its best, simple {cells['swing'][0]:.0f} %",
            "two Gabor kernels; the model has no time, so it has no preferred movement",
            "partly" if cells["swing"][1] > 90 and cells["swing"][0] < 10 else "does not hold",
        ),
        plots.Claim(
            "hypercomplex cells: movement with an end point (D)",
            f"best at {cells['best']} pixels, {cells['left_over']:.1f} % of that on a long bar",
            "inhibition 12 pixels ahead and behind; an end point, but nothing moves",
            "partly" if cells["left_over"] < 10 else "does not hold",
        ),
    ]
rows += [
    plots.Claim(
        "no spike-based net comes close to the state of the art (LeCun, D)",
        "a statement of 2019 about all networks of that time",
        "nothing was run",
        "cannot be tested here",
    ),
    plots.Claim(
        "8 % better than a deep autoencoder (D)",
        "neither task nor spread is given: points or a ratio?",
        "arithmetic only",
        "cannot be tested here",
    ),
    plots.Claim(
        "online learning, robust to catastrophic forgetting (D)",
        "no system, no task is given",
        "nothing was run",
        "cannot be tested here",
    ),
]
plots.claims(rows)
if len(measured) < 5:
    print(
        f"{5 - len(measured)} of 5 measurements are missing: do the exercises, run their experiments, then this cell."
    )

# %% [markdown] covers="152 153"
# LeCun's other objections are about building: "conversion to and from digital kills us" (an exotic device computes, but
# its results have to be turned into numbers and back), and "no possibility of hardware multiplexing" (a physical neuron
# cannot serve as another one in the next microsecond, as a digital multiplier does). His question "Why build chips for
# algorithms that don't work?" is answered by Intel's Mike Davies with another: backpropagation is "an optimizations
# procedure, it's not actually learning". Neither is a number. A sentence that holds one leaves its conditions open:
# which task, at which accuracy, in which process; whether fetching the weights, converting and waiting are counted.
#
# ### The table
#
# Lecture D sums up the debate so:
#
# | | spiking networks (SNN) | deep networks (DNN) |
# | --- | --- | --- |
# | computation | event-driven (spike-based) | (not legible in the lecture's text) |
# | energy efficiency | high (sparse activation, low power) | low (high power consumption, always active) |
# | biological plausibility | high (mimics brain function) | low (uses artificial activation functions) |
# | information encoding | spike timing and frequency | continuous activations (ReLU, sigmoid, etc.) |
# | training | difficult (non-differentiable spikes) | easy (uses backpropagation) |
# | hardware | neuromorphic chips (Intel Loihi, IBM TrueNorth) | standard GPUs, TPUs |
# | speed | slower on traditional hardware | optimised for GPUs (fast training) |
# | memory | lower (spikes are sparse) | higher (large weight matrices) |
# | best uses | low-power, real-time edge AI, robotics | general-purpose AI, images, audio, language, large scale |
#
# ### What the lectures leave out, and where to read on
#
# Lecture B says what it does not cover: sequential models (RNN, LSTM, GRU: networks that read one item after the other
# and keep a state), deep reinforcement learning (learning from reward), 3D learning (multi-view and 3D CNNs, spectral
# CNNs, point sets), generative and unsupervised models (variational autoencoders, GANs: making new examples) and
# theory. The lectures' lists, sorted:
#
# | for | read |
# | --- | --- |
# | images | Stanford CS231n; its notes on convolutional networks and on understanding CNNs |
# | language, sequences | Stanford CS224n, *Natural Language Processing with Deep Learning* |
# | reward | Berkeley CS294, *Deep Reinforcement Learning* |
# | theory, generative models, all else | I. Goodfellow, Y. Bengio, A. Courville, *Deep Learning*, 2016 |
# | derivatives, backpropagation | CS231n's notes on vector and matrix derivatives and *optimization-2* |
# | activations, data, gradient methods | CS231n's notes *neural-networks-1*, *-2*, *-3* |
# | batch normalization | S. Ioffe, C. Szegedy, ICML 2015 |
#
# # In your own words
#
# These two are read by a person. Use figures that your cells printed.
#
# **Reading the table (3 points, 0.5 for each part).** (a) *Energy: high.* Under which condition on the number of spikes
# is it true of the arithmetic, and at what number does it turn? (b) *Training: difficult.* What is wrong with the
# derivative of a spike, and what is done instead? (c) *Memory: lower (spikes are sparse).* What is sparse, what is not,
# and what does your `lif_neuron` store for each neuron that a ReLU does not? (d) *Speed.* Name the price in time that a
# rate code has on any hardware, with two figures that a cell printed. (e) *Plausibility: low.* Which two parts of a
# ConvNet did you find again in the visual cortex's cells? (f) *Energy* again: name two things a fair comparison of a
# spiking chip with a GPU has to hold equal or report.
#
# **Reading a claim (1 point, 0.5 for each part).** (a) For "40x more data efficient", name two facts without which the
# number has no meaning, and say what the digits showed about one of them. (b) A friend wants to generate pictures,
# another to read sentences word by word: which topic that lecture B leaves out does each need, and which reading?

# %% [markdown] answer="snn_table" points=3 covers="152 153 145"
# ### BEGIN SOLUTION
# (a) Only while an input carries few spikes, best mostly none: a spike costs an addition (0.9 pJ), a value a
# multiplication and an addition (4.6 pJ); equal at 5.1 spikes an input. A random value of 8 bits takes 127.5.
#
# (b) It is a step function of the potential: slope 0 everywhere, none at the threshold, so no gradient passes.
# Surrogate gradients use a smooth slope on the way back and the step on the way forward.
#
# (c) The activity is sparse, in time. The weights are as many as in a DNN of the same shape. In addition each neuron
# keeps its potential from step to step.
#
# (d) The reader has to wait for the window: the number of bits grows with it, as printed for 20 and 500 ms, and a
# longer window takes more steps of simulation.
#
# (e) Simple cells: convolution with a ReLU. Complex cells: pooling. (Or end-stopped cells: a next layer with positive
# and negative weights.)
#
# (f) Two of: the same task, the same accuracy, the same batch size or latency, memory and conversion included, the same
# generation of process, energy for each solved case.
#
# **Rubric:** 0.5 for each part. (a) the condition with about 5; (b) the step's slope and surrogate gradients; (c)
# activity against weights, and the potential; (d) waiting, with two printed windows; (e) two right pairs; (f) two
# conditions.
# ### END SOLUTION

# %% [markdown] answer="reading_a_claim" points=1 covers="152 155 156"
# ### BEGIN SOLUTION
# (a) Two of: compared with which learner, on which task, at which accuracy, with what spread. The digits: with the same
# two learners the factor was several times larger at one accuracy than at another.
#
# (b) Pictures: generative models (VAE, GAN), in Goodfellow, Bengio and Courville. Sentences: sequential models (RNN,
# LSTM, GRU), in CS224n.
#
# **Rubric:** 0.5 for two missing facts and one finding; 0.5 for both topics with a fitting reading (0.25 each).
# ### END SOLUTION

# %% [markdown]
# # Recap
#
# 1. A spiking neuron adds instead of multiplying; it saves where spikes are few, and pays in time for precision.
# 2. Simple, complex and end-stopped cells are a small ConvNet: filters, pooling, another layer with inhibition.
# 3. A number in a claim means something only with its conditions: compared with what, at which accuracy, from which
#    memory.
#
# **Can you explain …**
#
# - why a leaky neuron with a weak current never fires?
# - why a complex cell needs an even *and* an odd kernel?
# - why a fully connected layer has a re-use of 1 for a single picture?
# - why "64 times re-use" can be right and "no gain" wrong?
#
# **Three readings**
#
# - D. H. Hubel, T. N. Wiesel, *Receptive fields, binocular interaction and functional architecture in the cat's visual
#   cortex*, Journal of Physiology 160, 1962.
# - M. Horowitz, *Computing's energy problem (and what we can do about it)*, ISSCC 2014: where a chip's energy goes.
# - E. O. Neftci, H. Mostafa, F. Zenke, *Surrogate gradient learning in spiking neural networks*, IEEE Signal Processing
#   Magazine 36(6), 2019, arXiv:1901.09948.
#
# This is the last module in the list. What you can do after all of them: compute by hand what a network computes, build
# it, train it, look inside it, fool it, and ask the right questions about what is said of it.
