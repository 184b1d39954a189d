"""Wrong answers to the exercises of 02 MLP and backpropagation, their reasons, and the hints."""

from convnets.checks.authoring import mistake

hints = {
    "sigmoid": (
        "Symptom: the values near 0 are right, but far out you get NaN, a warning about overflow, or a logarithm of "
        "−∞. Or a single number works and an array does not.",
        "Idea: the two forms of the formula fail on opposite sides. On each side use the one whose exponent is not "
        "positive. The absolute value of z gives an exponent that is safe on both.",
        "Outline: compute exp(−|z|) once. Write both forms in terms of it: for z ≥ 0 it is e^(−z), for z < 0 it is "
        "e^z. Choose between the two entry by entry, without an if (NumPy has a function for it). Mind integer input.",
    ),
    "forward": (
        "Symptom: the shape is (4, 4) or (N, 1) where another was expected; or every prediction lies between 0 and 1; "
        "or the prediction is right and the cache is not.",
        "Idea: write the shapes under the formula: (4, 3) times (3, N) is (4, N), plus (4, 1). z is a layer's value "
        "before σ, h the value after it. The output has no σ.",
        "Outline: first compare the shape of x with the columns of weight1 and raise ValueError if they do not fit. "
        "Then five lines, z1, h1, z2, h2, prediction, each using the line before. Return the prediction and the dict.",
    ),
    "l2_loss": (
        "Symptom: off by a factor N or 2, an array where a number was expected, or no error for shapes that do not "
        "fit.",
        "Idea: three operations in this order: difference, square, sum. Broadcasting makes two different shapes fit "
        "without asking.",
        "Outline: compare the shapes and raise ValueError if they differ. Square each difference; add all of them to "
        "one Python float.",
    ),
    "numerical_gradient": (
        "Symptom: right for one entry but not for several; 0 everywhere for integers; off by a factor 2; right only "
        "up to about h; or the check says that x was changed in place.",
        "Idea: a partial derivative moves one entry while all the others rest. So each nudge is undone before the "
        "next one begins, and it needs an array that can hold the nudged number.",
        "Outline: copy x as float64 and make an array of zeros for the answer. For every index (np.ndindex runs over "
        "any shape): remember the entry, evaluate f with it raised and with it lowered, put it back, store the "
        "difference divided by the distance between the two.",
    ),
    "relative_error": (
        "Symptom: NaN for two zero arrays, a value above 1, or a single wrong entry that hardly shows.",
        "Idea: numerator and denominator are each one number, and each takes its maximum before they are divided. "
        "Signs must not cancel anywhere.",
        "Outline: check the shapes. Find the largest absolute value of a, of b and of a − b. Add the first two; if "
        "that is 0 the answer is 0, otherwise divide.",
    ),
    "Value": (
        "Symptom: simple sums and products are right, but a + a gives 1, or a diamond gives too much or too little; "
        "or a plain number raises AttributeError.",
        "Idea: each operation only has to note its inputs with their local derivatives. `backward` does all the rest, "
        "and gets it right if every node has received all its contributions before it passes them on.",
        "Outline of `backward`: list all nodes so that each stands after its inputs (visit a node's inputs first, "
        "then append the node; never visit twice). Set all gradients to 0 and this node's to 1. Go through the list "
        "from the end; give each input its share, adding it to what is there.",
    ),
    "backward": (
        "Symptom: weight3 is right and the layers below are not; or the shapes are right and weight1 is not; or "
        "everything is off by one constant factor.",
        "Idea: go down one layer at a time with three moves: through the weights (the swapped indices are a "
        "transpose), through σ (times h (1 − h)), then collect the parameters' gradients. The shapes decide the order "
        "of every product, except in the square layer.",
        "Outline: derivative at the prediction, shape (1, N). For layers 3, 2, 1: weight gradient = derivative at z "
        "times the layer's input transposed; bias gradient = sum over the columns, still two-dimensional; then the "
        "derivative at the layer's input, and through its σ to the z below.",
    ),
    "gradient_step": (
        "Symptom: the loss grows; or one parameter moves and five stand still; or the check says that the old "
        "parameters were changed in place.",
        "Idea: the slide shows one parameter as an example. Every one is treated alike, and `-=` writes into the "
        "caller's array.",
        "Outline: compare the names, then the shapes under each name, and raise ValueError if they differ. Build a "
        "new dict: for every name, old value minus lr times gradient.",
    ),
}


# sigmoid


@mistake("sigmoid", "This is σ(−z): it falls where σ rises. Look at the sign of the exponent.")
def rises_to_the_left(z):
    return sigmoid(-np.asarray(z))


@mistake(
    "sigmoid",
    "An `if` asks one question of a whole array, and NumPy cannot answer it. The choice between two forms has to be "
    "made entry by entry.",
)
def asks_an_array(z):
    return 1 / (1 + np.exp(-z)) if z >= 0 else np.exp(z) / (1 + np.exp(z))


@mistake(
    "sigmoid",
    "For large positive z your exponential is infinite, and ∞/∞ is NaN. This form is safe only on the other side of 0.",
)
def overflows_to_the_right(z):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(z) / (1 + np.exp(z))


@mistake(
    "sigmoid",
    "For z far below 0 your exponential overflows to infinity, so σ(z) becomes exactly 0 although float64 could still"
    " hold it. Let no exponent be positive.",
)
def overflows_to_the_left(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(z)))


@mistake(
    "sigmoid",
    "The identity with tanh is exact on paper. On a computer 1 + tanh cancels for negative z: at −40 no digit is "
    "left. Use the exponential.",
)
def goes_through_tanh(z):
    return 0.5 * (1 + np.tanh(np.asarray(z) / 2))


@mistake(
    "sigmoid",
    "Clipping z hides the overflow, but from there on every z gets the same value. The function itself does not stop "
    "falling.",
)
def clips(z):
    return sigmoid(np.clip(z, -500, 500))


# forward


def _forward(parameters, x, activation=sigmoid, use_bias=True):
    p = {name: value if use_bias or name.startswith("weight") else 0 * value for name, value in parameters.items()}
    z1 = p["weight1"] @ x + p["bias1"]
    h1 = activation(z1)
    z2 = p["weight2"] @ h1 + p["bias2"]
    h2 = activation(z2)
    return p["weight3"] @ h2 + p["bias3"], {"x": x, "z1": z1, "h1": h1, "z2": z2, "h2": h2}


@mistake(
    "forward",
    "The output passed through σ, so no prediction can leave the interval from 0 to 1. Only the hidden layers have a "
    "σ.",
)
def squashes_the_output(parameters, x):
    prediction, cache = forward(parameters, x)
    return sigmoid(prediction), cache


@mistake(
    "forward",
    "The hidden layers have no σ. Without it three layers collapse into one linear map: W₃W₂W₁x plus a constant.",
)
def forgets_the_activation(parameters, x):
    return _forward(parameters, x, activation=lambda z: z)


@mistake("forward", "The biases are missing. Each of the three layers adds one.")
def forgets_the_biases(parameters, x):
    return _forward(parameters, x, use_bias=False)


@mistake(
    "forward",
    "The prediction stands as a column. Here one example is a column of x, so N predictions form a row of shape (1, "
    "N).",
)
def turns_the_prediction(parameters, x):
    prediction, cache = forward(parameters, x)
    return prediction.T, cache


@mistake(
    "forward",
    "A one-dimensional x was accepted. (4,) plus a bias of (4, 1) broadcasts to (4, 4), and the result has four "
    "predictions for one example. Look at x.ndim before you compute.",
)
def accepts_one_dimension(parameters, x):
    return _forward(parameters, x)


@mistake("forward", "In your cache h1 and h2 hold the values before σ. z is the value before, h the value after it.")
def caches_the_wrong_side(parameters, x):
    prediction, cache = forward(parameters, x)
    return prediction, cache | {"h1": cache["z1"], "h2": cache["z2"]}


# l2_loss


@mistake("l2_loss", "This is the mean over the examples. The lecture's loss adds them up.")
def averages_the_loss(prediction, target):
    return l2_loss(prediction, target) / prediction.size


@mistake(
    "l2_loss",
    "Half of the lecture's loss. The ½ of some textbooks makes the derivative shorter; it is not on this slide.",
)
def halves_the_loss(prediction, target):
    return l2_loss(prediction, target) / 2


@mistake(
    "l2_loss",
    "This is the length of the error vector: a square root was taken (np.linalg.norm does that). The loss is a sum of"
    " squares.",
)
def takes_the_root(prediction, target):
    return l2_loss(prediction, target) ** 0.5


@mistake(
    "l2_loss",
    "The errors were added before they were squared, so that errors of opposite sign cancel. Look at the order of the"
    " two operations.",
)
def squares_too_late(prediction, target):
    return float(np.sum(prediction - target) ** 2)


@mistake("l2_loss", "One number per example: these are the l(y, y′). The loss L is one number for all of them.")
def keeps_one_per_example(prediction, target):
    return (prediction - target) ** 2


@mistake(
    "l2_loss",
    "Two different shapes were accepted: (1, 3) minus (3, 1) broadcasts to all nine differences. Compare the shapes "
    "first.",
)
def broadcasts(prediction, target):
    return float(np.sum((prediction - target) ** 2))


# numerical_gradient


@mistake(
    "numerical_gradient",
    "This nudges up only. Its error is proportional to h; the central difference evaluates f on both sides of x.",
)
def nudges_up_only(f, x, step=1e-5):
    if step <= 0:
        raise ValueError("step must be positive")
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        nudged = x.copy()
        nudged[index] += step
        gradient[index] = (f(nudged) - f(x)) / step
    return gradient


@mistake("numerical_gradient", "Twice too large: how far apart are the two points at which f is evaluated?")
def divides_by_one_step(f, x, step=1e-5):
    return 2 * numerical_gradient(f, x, step)


@mistake(
    "numerical_gradient",
    "All entries were nudged together, which gives one number, the sum of all partial derivatives. Nudge one entry at"
    " a time, the others held fixed.",
)
def nudges_all_at_once(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    return np.full(x.shape, (f(x + step) - f(x - step)) / (2 * step))


@mistake(
    "numerical_gradient",
    "The first entry is right, the second is not: was the first one put back before the second was nudged?",
)
def forgets_to_put_back(f, x, step=1e-5):
    x = np.array(x, dtype=float)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        gradient[index] = (above - f(x)) / (2 * step)
    return gradient


@mistake(
    "numerical_gradient",
    "An integer array cut the nudged entry back to an integer. Convert x to float64 before you nudge.",
)
def keeps_integers(f, x, step=1e-5):
    x = x.copy()
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        here = x[index]
        x[index] = here + step
        above = f(x)
        x[index] = here - step
        gradient[index] = (above - f(x)) / (2 * step)
        x[index] = here
    return gradient


@mistake(
    "numerical_gradient",
    "The gradient is a flat list. It must have the shape of x: one partial derivative for each entry, in its place.",
)
def flattens(f, x, step=1e-5):
    return numerical_gradient(f, x, step).ravel()


# relative_error


@mistake("relative_error", "This is the absolute error. Divide by the size of the two gradients.")
def stays_absolute(a, b):
    return float(np.max(np.abs(a - b)))


@mistake(
    "relative_error",
    "The mean over the entries makes one wrong entry among many good ones look harmless. The formula takes the "
    "maximum.",
)
def averages_the_entries(a, b):
    scale = np.max(np.abs(a)) + np.max(np.abs(b))
    return float(np.mean(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake(
    "relative_error", "Only the size of a is in the denominator, so a and b cannot be exchanged. Add the size of b."
)
def divides_by_one_of_them(a, b):
    scale = np.max(np.abs(a))
    return float(np.max(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake("relative_error", "Without the absolute value around a − b only the entries where a is larger count.")
def keeps_the_sign(a, b):
    scale = np.max(np.abs(a)) + np.max(np.abs(b))
    return float(np.max(a - b) / scale) if scale > 0 else 0.0


@mistake("relative_error", "Two zero gradients agree, but 0/0 is NaN. This case needs an answer of its own.")
def divides_zero_by_zero(a, b):
    with np.errstate(invalid="ignore"):
        return float(np.max(np.abs(a - b)) / (np.max(np.abs(a)) + np.max(np.abs(b))))


@mistake(
    "relative_error",
    "You divided entry by entry and took the maximum last. Then one rounding error near 0 condemns a good gradient. "
    "Numerator and denominator each take their own maximum.",
)
def compares_entry_by_entry(a, b):
    scale = np.abs(a) + np.abs(b)
    return float(np.max(np.abs(a - b) / np.where(scale > 0, scale, 1)))


# Value


class _Node:
    """A complete Value whose operations return the class they are called on, so that a mistake changes one method."""

    def __init__(self, data, inputs=()):
        self.data, self.inputs, self.grad = float(data), tuple(inputs), 0.0

    def _lift(self, other):
        return other if isinstance(other, _Node) else type(self)(other)

    def __add__(self, other):
        other = self._lift(other)
        return type(self)(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        other = self._lift(other)
        return type(self)(self.data * other.data, [(self, other.data), (other, self.data)])

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def sigmoid(self):
        y = sigmoid(self.data)
        return type(self)(y, [(self, y * (1 - y))])

    def order(self, seen=None):
        seen = set() if seen is None else seen
        if self in seen:
            return []
        seen.add(self)
        return [node for source, _ in self.inputs for node in source.order(seen)] + [self]

    def backward(self):
        order = self.order()
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in reversed(order):
            for source, local_derivative in node.inputs:
                source.grad += local_derivative * node.grad


@mistake(
    "Value",
    "The gradient of a number that is used twice is overwritten by its second use. Every use contributes: what has to"
    " happen with the contributions?",
)
class OverwritesTheGradient(_Node):
    def backward(self):
        self.grad = 1.0
        for node in reversed(self.order()):
            for source, local_derivative in node.inputs:
                source.grad = local_derivative * node.grad


@mistake(
    "Value",
    "Node b passed its gradient on each time some arrived, so its first contribution reached a twice. A node may pass"
    " its gradient on once, when all contributions are in.",
)
class PassesOnTooOften(_Node):
    def backward(self, first=True):
        if first:
            for node in self.order():
                node.grad = 0.0
            self.grad = 1.0
        for source, local_derivative in self.inputs:
            source.grad += local_derivative * self.grad
            source.backward(first=False)


@mistake(
    "Value",
    "Node b passed its gradient on before the contribution by way of c had arrived. Going level by level from E is "
    "not enough: a short way and a long way may lead to the same node.",
)
class GoesLevelByLevel(_Node):
    def backward(self):
        for node in self.order():
            node.grad = 0.0
        self.grad = 1.0
        queue, seen = [self], {self}
        for node in queue:
            for source, local_derivative in node.inputs:
                source.grad += local_derivative * node.grad
                if source not in seen:
                    seen.add(source)
                    queue.append(source)


@mistake(
    "Value", "The two local derivatives of the product are exchanged: if a moves by 1, by how much does a · b move?"
)
class SwapsTheFactors(_Node):
    def __mul__(self, other):
        other = self._lift(other)
        return type(self)(self.data * other.data, [(self, self.data), (other, other.data)])


@mistake(
    "Value",
    "The derivative of σ was computed from z, the number before σ. The formula y (1 − y) is in terms of y, the number"
    " after it.",
)
class TakesTheSlopeOfZ(_Node):
    def sigmoid(self):
        return type(self)(sigmoid(self.data), [(self, self.data * (1 - self.data))])


@mistake(
    "Value",
    "The second call added to the gradients of the first. `backward` has to begin with gradients of 0 in the whole "
    "graph.",
)
class NeverStartsAfresh(_Node):
    def backward(self):
        self.grad = 1.0
        for node in reversed(self.order()):
            for source, local_derivative in node.inputs:
                source.grad += local_derivative * node.grad


# backward


def _backward(parameters, cache, prediction, target, slope=lambda z, h: h * (1 - h), transpose=np.transpose):
    grad_prediction = 2 * (prediction - target)
    grad_z2 = parameters["weight3"].T @ grad_prediction * slope(cache["z2"], cache["h2"])
    grad_z1 = transpose(parameters["weight2"]) @ grad_z2 * slope(cache["z1"], cache["h1"])
    return {
        "weight1": grad_z1 @ cache["x"].T,
        "bias1": grad_z1.sum(axis=1, keepdims=True),
        "weight2": grad_z2 @ cache["h1"].T,
        "bias2": grad_z2.sum(axis=1, keepdims=True),
        "weight3": grad_prediction @ cache["h2"].T,
        "bias3": grad_prediction.sum(axis=1, keepdims=True),
    }


@mistake("backward", "Half of the gradient: differentiate (y′ − y)² once more. This loss has no ½ in front.")
def drops_the_two(parameters, cache, prediction, target):
    return {name: g / 2 for name, g in backward(parameters, cache, prediction, target).items()}


@mistake(
    "backward",
    "This is the gradient of the mean loss. L is a sum over the examples, so its gradient is not divided by N.",
)
def averages_over_the_examples(parameters, cache, prediction, target):
    return {name: g / target.shape[1] for name, g in backward(parameters, cache, prediction, target).items()}


@mistake(
    "backward",
    "The bias gradients lost an axis. They need the shapes of the biases, (4, 1) or (1, 1): np.sum can keep the axis "
    "it sums over.",
)
def flattens_the_biases(parameters, cache, prediction, target):
    gradients = backward(parameters, cache, prediction, target)
    return {name: g[:, 0] if name.startswith("bias") else g for name, g in gradients.items()}


@mistake("backward", "The way through σ is missing: between ∂L/∂h and ∂L/∂z stands the derivative of the sigmoid.")
def skips_the_sigmoid(parameters, cache, prediction, target):
    return _backward(parameters, cache, prediction, target, slope=lambda z, h: 1.0)


@mistake(
    "backward",
    "The slope of σ was computed from z. The formula y (1 − y) is in terms of the output of σ, which the cache calls "
    "h.",
)
def takes_the_slope_of_z(parameters, cache, prediction, target):
    return _backward(parameters, cache, prediction, target, slope=lambda z, h: z * (1 - z))


@mistake(
    "backward",
    "weight2 was used without the swap of its indices. It is 4 × 4, so the shapes fit either way and NumPy does not "
    "complain. Compare the index order of w_jk in the figure with that of weight2.",
)
def forgets_the_transpose(parameters, cache, prediction, target):
    return _backward(parameters, cache, prediction, target, transpose=lambda weight: weight)


# gradient_step


@mistake("gradient_step", "This climbs: the gradient points to where the loss grows. Which way is down?")
def climbs(parameters, gradients, lr):
    return gradient_step(parameters, gradients, -lr)


@mistake("gradient_step", "The learning rate is not used: the step is the whole gradient.")
def ignores_the_learning_rate(parameters, gradients, lr):
    return gradient_step(parameters, gradients, 1.0)


@mistake("gradient_step", "Only weight3 moved, as in the slide's example. Every parameter takes its step.")
def moves_the_example_only(parameters, gradients, lr):
    return parameters | {"weight3": parameters["weight3"] - lr * gradients["weight3"]}


@mistake("gradient_step", "This is the step alone. The new parameters are the old ones plus the step.")
def returns_the_step(parameters, gradients, lr):
    return {name: -lr * gradients[name] for name in parameters}


@mistake(
    "gradient_step",
    "`-=` writes into the caller's own array, even where the dict is new. Compute a new array from the old one.",
)
def writes_into_the_old(parameters, gradients, lr):
    new = dict(parameters)
    for name in new:
        new[name] -= lr * gradients[name]
    return new


@mistake(
    "gradient_step",
    "A gradient of another shape was accepted, and broadcasting made a larger array of the two. Compare the shapes "
    "under each name.",
)
def broadcasts_the_step(parameters, gradients, lr):
    if parameters.keys() != gradients.keys():
        raise ValueError("the names differ")
    return {name: value - lr * gradients[name] for name, value in parameters.items()}
