"""Wrong answers to the exercises of 02 MLP and backpropagation, their reasons, and the hints."""

from convnets.checks.authoring import mistake

hints = {
    "sigmoid": (
        "Symptom: the values near 0 are right, but far out you get NaN or a logarithm of −∞. Or a single number works "
        "and an array does not.",
        "Idea: the two forms of the formula fail on opposite sides. On each side use the one whose exponent is not "
        "positive. The absolute value of z gives an exponent that is safe on both.",
        "Outline: compute exp(−|z|) once. Write both forms in terms of it: for z ≥ 0 it is e^(−z), for z < 0 it is "
        "e^z. Choose between the two entry by entry with np.where instead of an if. Integer z: convert it to float64 "
        "first, for an array made with np.zeros_like(z) is integer too and cuts every σ to 0.",
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
        "Symptom: right for one entry but not for several; 0 everywhere, or for integers only; off by a factor 2; "
        "right only up to about h; or the check says that x was changed in place.",
        "Idea: a partial derivative moves one entry while all the others rest. So each nudge is undone before the "
        "next one begins, and it needs an array that can hold the nudged number.",
        "Outline: copy x as float64 and make an array of zeros for the answer. For every index (np.ndindex runs over "
        "any shape): remember the entry, evaluate f with it raised and with it lowered, put it back, store the "
        "difference divided by the distance between the two.",
    ),
    "relative_error": (
        "Symptom: NaN for two zero arrays, a value above 1, a single wrong entry that hardly shows, or an error for a "
        "matrix only.",
        "Idea: numerator and denominator are each one number, and each takes its maximum before they are divided. "
        "Signs must not cancel anywhere.",
        "Outline: check the shapes. Find the largest absolute value of a, of b and of a − b. Add the first two; if "
        "that is 0 the answer is 0, otherwise divide.",
    ),
    "Value": (
        "Symptom: simple sums and products are right, but a + a gives 1, or a diamond gives too much or too little; "
        "or a plain number raises AttributeError (wrap it: Value(other)); or a small graph takes for ever.",
        "Idea: each operation only has to note its inputs with their local derivatives. `backward` does all the rest, "
        "and gets it right if every node has received all its contributions before it passes them on.",
        "Outline of `backward`: list all nodes so that each stands after its inputs (visit a node's inputs first, "
        "then append the node; never visit twice). Set all gradients to 0 and this node's to 1. Go through the list "
        "from the end; give each input its share, adding it to what is there.",
    ),
    "backward": (
        "Symptom: weight3 is right and the layers below are not; or the shapes are right and weight1 is not; or "
        "everything is off by one constant factor (2 or N: look at the derivative at the prediction).",
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
    "Taking something close to 1 away from 1 loses the digits of a small result: at −40 none is left. It happens in "
    "1 − 1/(1 + e^z) and in the form with tanh alike, exact as both are on paper.",
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


def _same(z):
    return z


def _forward(parameters, x, activation1=sigmoid, activation2=sigmoid):
    z1 = parameters["weight1"] @ x + parameters["bias1"]
    h1 = activation1(z1)
    z2 = parameters["weight2"] @ h1 + parameters["bias2"]
    h2 = activation2(z2)
    prediction = parameters["weight3"] @ h2 + parameters["bias3"]
    return prediction, {"x": x, "z1": z1, "h1": h1, "z2": z2, "h2": h2}


@mistake("forward", "Only the prediction comes back. The way back needs the cache too: two values after `return`.")
def returns_the_prediction_alone(parameters, x):
    return forward(parameters, x)[0]


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
    return _forward(parameters, x, activation1=_same, activation2=_same)


@mistake("forward", "The second hidden layer has no σ. Both hidden layers apply one to their z.")
def forgets_the_second_activation(parameters, x):
    return _forward(parameters, x, activation2=_same)


@mistake("forward", "A bias is missing. Each of the three layers adds its own.")
def forgets_the_biases(parameters, x):
    return forward({name: value * name.startswith("weight") for name, value in parameters.items()}, x)


@mistake(
    "forward",
    "weight2 is transposed. It is 4 × 4, so its shape fits either way and NumPy does not complain. A weight has the "
    "shape (outputs, inputs).",
)
def transposes_weight2(parameters, x):
    return forward(parameters | {"weight2": parameters["weight2"].T}, x)


@mistake(
    "forward",
    "A one-dimensional x was accepted. (4,) plus a bias of (4, 1) broadcasts to (4, 4), and the result has four "
    "predictions for one example. Look at x.ndim before you compute.",
)
def accepts_one_dimension(parameters, x):
    return _forward(parameters, x)


@mistake(
    "forward",
    "In your cache z1 and z2 hold the values after σ. z is the value before, h the value after it: was z overwritten?",
)
def overwrites_z(parameters, x):
    prediction, cache = forward(parameters, x)
    return prediction, cache | {"z1": cache["h1"], "z2": cache["h2"]}


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


@mistake(
    "l2_loss",
    "The absolute values of the errors were added. An error of 2 counts 4 in this loss: each is squared.",
)
def adds_absolute_values(prediction, target):
    return float(np.sum(np.abs(prediction - target)))


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


@mistake(
    "numerical_gradient",
    "Python goes from left to right: in a / 2 * step the result is multiplied by step. The whole 2h stands below the "
    "line.",
)
def multiplies_by_the_step(f, x, step=1e-5):
    return numerical_gradient(f, x, step) * step**2


@mistake(
    "numerical_gradient",
    "The difference is 0: f was evaluated twice at the same place. `above = x` makes no copy; both names are one "
    "array, and the nudge down undoes the nudge up.",
)
def gives_one_array_two_names(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above = below = x
        above[index] += step
        below[index] -= step
        gradient[index] = (f(above) - f(below)) / (2 * step)
    return gradient


@mistake(
    "numerical_gradient",
    "Only the first entry was computed: `return` stands inside the loop and ends it after one turn.",
)
def returns_inside_the_loop(f, x, step=1e-5):
    gradient = np.zeros(x.shape)
    gradient.flat[0] = numerical_gradient(f, x, step).flat[0]
    return gradient


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
    "The result array is integer like x (np.zeros_like takes over the dtype), so every partial derivative lost its "
    "decimals. The answer is float64.",
)
def answers_in_integers(f, x, step=1e-5):
    return numerical_gradient(f, x, step).astype(x.dtype)


@mistake(
    "numerical_gradient",
    "range(len(x)) counts the rows of a matrix, and x[i] nudges a whole row at once. Every entry has its own nudge: "
    "the loop has to run over all indices.",
)
def nudges_rows(f, x, step=1e-5):
    nudged = np.array(x, dtype=float)
    gradient = np.zeros_like(nudged)
    for i in range(len(nudged)):
        here = nudged[i].copy()
        nudged[i] = here + step
        above = f(nudged)
        nudged[i] = here - step
        gradient[i] = (above - f(nudged)) / (2 * step)
        nudged[i] = here
    return gradient


# relative_error


@mistake(
    "relative_error",
    "Means make one wrong entry among many good ones look harmless. The formula takes maxima.",
)
def averages_the_entries(a, b):
    scale = np.mean(np.abs(a)) + np.mean(np.abs(b))
    return float(np.mean(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake(
    "relative_error",
    "The size of a gradient is its largest *absolute* value: your denominator overlooks large negative entries.",
)
def keeps_the_sign_below(a, b):
    scale = np.max(a) + np.max(b)
    return float(np.max(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake(
    "relative_error",
    "Python's own max goes through the rows of a matrix and cannot compare two of them. NumPy's looks at every entry.",
)
def takes_pythons_max(a, b):
    scale = max(np.abs(a)) + max(np.abs(b))
    return float(max(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake(
    "relative_error",
    "The two sizes were added before the maximum was taken. a and b may be largest in different places: each takes its "
    "own maximum, and the two are added.",
)
def adds_before_the_maximum(a, b):
    scale = np.max(np.abs(a) + np.abs(b))
    return float(np.max(np.abs(a - b)) / scale) if scale > 0 else 0.0


@mistake(
    "relative_error",
    "A small number in the denominator avoids 0/0 but outweighs tiny gradients, and hides their errors. Treat the case "
    "of two zero gradients by itself.",
)
def adds_a_small_number(a, b):
    return float(np.max(np.abs(a - b)) / (np.max(np.abs(a)) + np.max(np.abs(b)) + 1e-8))


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
    "All gradients are 0, also that of the number on which `backward` was called. The walk has to begin with ∂E/∂E.",
)
class ForgetsToBegin(_Node):
    def backward(self):
        for node in self.order():
            node.grad = 0.0


@mistake(
    "Value",
    "Nothing arrived at the inputs: the list was walked in the order of the computation, so every node but the last "
    "passed on a 0. From which end does the gradient come?",
)
class WalksForwards(_Node):
    def backward(self):
        order = self.order()
        for node in order:
            node.grad = 0.0
        self.grad = 1.0
        for node in order:
            for source, local_derivative in node.inputs:
                source.grad += local_derivative * node.grad


@mistake("Value", "The derivative of σ is missing: z received what arrived at y unchanged, as if σ were a sum.")
class ForgetsTheSlope(_Node):
    def sigmoid(self):
        return type(self)(sigmoid(self.data), [(self, 1.0)])


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
    "A node that is used twice passed its gradient on each time a contribution arrived, so the first one was passed on "
    "twice. A node may pass its gradient on once, when all contributions are in.",
)
class PassesOnTooOften(_Node):
    def backward(self, first=True):
        # By recursion; a queue that takes a node in at every arrival gives the same.
        if first:
            for node in self.order():
                node.grad = 0.0
            self.grad = 1.0
        for source, local_derivative in self.inputs:
            source.grad += local_derivative * self.grad
            source.backward(first=False)


@mistake(
    "Value",
    "A node passed its gradient on before the last contribution had arrived. Going level by level from E is not "
    "enough, nor is going down one way after the other: a short way and a long way may lead to the same node.",
)
class PassesOnTooEarly(_Node):
    def backward(self):
        # Level by level; a list in which each node stands before its inputs, depth first, gives the same.
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


@mistake(
    "Value",
    "The sums are right, but every way from E down is followed by itself, and each number that is used twice doubles "
    "their number: 2¹⁸ here. Visit each node once.",
)
class FollowsEveryWay(_Node):
    def backward(self):
        for node in self.order():
            node.grad = 0.0
        self.receive(1.0)

    def receive(self, share):
        self.grad += share
        for source, local_derivative in self.inputs:
            source.receive(local_derivative * share)


# backward


def _slope(z, h):
    return h * (1 - h)


def _sum(grad_z):
    return grad_z.sum(axis=1, keepdims=True)


def _backward(
    parameters, cache, prediction, target, slope1=_slope, slope2=_slope, transpose=np.transpose, grad_bias=_sum
):
    if prediction.shape != target.shape:
        raise ValueError("the shapes differ")
    grad_prediction = 2 * (prediction - target)
    grad_z2 = parameters["weight3"].T @ grad_prediction * slope2(cache["z2"], cache["h2"])
    grad_z1 = transpose(parameters["weight2"]) @ grad_z2 * slope1(cache["z1"], cache["h1"])
    return {
        "weight1": grad_z1 @ cache["x"].T,
        "bias1": grad_bias(grad_z1),
        "weight2": grad_z2 @ cache["h1"].T,
        "bias2": grad_bias(grad_z2),
        "weight3": grad_prediction @ cache["h2"].T,
        "bias3": grad_bias(grad_prediction),
    }


@mistake("backward", "Half of the gradient: differentiate (y′ − y)² once more. This loss has no ½ in front.")
def drops_the_two(parameters, cache, prediction, target):
    return {name: g / 2 for name, g in backward(parameters, cache, prediction, target).items()}


@mistake(
    "backward",
    "The walk began with the loss itself, (y′ − y)². It begins with the derivative of the loss with respect to y′.",
)
def begins_with_the_loss(parameters, cache, prediction, target):
    half_of_loss = (prediction - target) ** 2 / 2
    return backward(parameters, cache, half_of_loss, np.zeros_like(half_of_loss))


@mistake(
    "backward",
    "The gradient of weight3 is an elementwise product, with one column for each example. It needs the shape of "
    "weight3, and a sum over the examples: a matrix product does both.",
)
def multiplies_elementwise(parameters, cache, prediction, target):
    gradients = backward(parameters, cache, prediction, target)
    return gradients | {"weight3": 2 * (prediction - target) * cache["h2"]}


@mistake(
    "backward",
    "The bias gradients have one column for each example. A bias is added to every column, so its contributions add up "
    "over them.",
)
def leaves_the_biases_unsummed(parameters, cache, prediction, target):
    return _backward(parameters, cache, prediction, target, grad_bias=lambda grad_z: grad_z)


@mistake(
    "backward",
    "The way through a σ is missing: in every hidden layer, between ∂L/∂h and ∂L/∂z, stands the derivative of the "
    "sigmoid.",
)
def skips_a_sigmoid(parameters, cache, prediction, target):
    return _backward(parameters, cache, prediction, target, slope2=lambda z, h: 1.0)


@mistake("backward", "1 − h² is the derivative of tanh. The hidden units here are sigmoids.")
def takes_the_slope_of_tanh(parameters, cache, prediction, target):
    def slope(z, h):
        return 1 - h**2

    return _backward(parameters, cache, prediction, target, slope1=slope, slope2=slope)


@mistake(
    "backward",
    "The slope of σ was computed from z. The formula y (1 − y) is in terms of the output of σ, which the cache calls "
    "h.",
)
def takes_the_slope_of_z(parameters, cache, prediction, target):
    def slope(z, h):
        return z * (1 - z)

    return _backward(parameters, cache, prediction, target, slope1=slope, slope2=slope)


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
    "The caller's own parameters changed. A new value under a name of the caller's dict does that, and so does `-=`, "
    "which writes into the old array even where the dict is new. Both are to be new, the dict and its arrays.",
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
