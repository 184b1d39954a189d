"""Wrong answers to the exercises of module 15, and what a learner who gave one should read."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from convnets.checks.authoring import mistake

hints = {
    "corrupt": (
        "Symptom: the wrong values are hit? Those with u below the level are, and there is one draw only. float64 from "
        "float32? A draw of float64 was mixed in. Right for masking only? Look at what u decides for salt and pepper, "
        "and "
        "at the clipping of normal noise.",
        "Idea: one array of random numbers of the shape of x, then np.where chooses between x and the new value.",
        "Outline: check kind and level; for normal noise add, clip and cast; otherwise draw u, put 0 where u is below "
        "the "
        "level; for salt and pepper put 1 where u lies between half the level and the level; cast to the dtype of x.",
    ),
    "autoencoder_forward": (
        "Symptom: matmul says that sizes do not match? Look which of the two products needs the transpose. Right "
        "without "
        "biases only? Each layer has its own. Numbers outside 0 to 1? A sigmoid is missing.",
        "Idea: two linear layers with one matrix, read once along its rows and once along its columns.",
        "Outline: codes from pictures with the transposed weight and the hidden bias; pictures from codes with the "
        "weight "
        "as it is and the visible bias; a sigmoid after each; return both.",
    ),
    "psnr": (
        "Symptom: the negative of the right number? Look what is divided by what. Twice or half of it? The mean "
        "squared "
        "error goes with the factor 10, its root with 20. Wild numbers for bytes? uint8 wraps around below 0.",
        "Idea: make floats of both first; then mean of squares, ratio, logarithm.",
        "Outline: compare the shapes; difference as float64; mean of its squares; infinity if it is 0; otherwise ten "
        "times "
        "log10 of peak squared over it.",
    ),
    "autoencoder_gradients": (
        "Symptom: everything off by the number of pictures? The mean stands in the loss, so in the very first "
        "gradient. "
        "The encoder's term alone is wrong? Look at its sigmoid's derivative, and at which picture the encoder saw. "
        "The "
        "loss is infinite or nan, or about 55 where it should be 1600? It was computed from the reconstruction (in the "
        "last case from a clipped one), not from the logits by np.logaddexp.",
        "Idea: begin at the logits of the reconstruction and go back. Wherever W or something else is used, a term "
        "arises.",
        "Outline: forwards with codes and logits; reconstruction minus clean picture, over N; back through W to the "
        "codes, "
        "times h(1 − h); decoder's term from codes and the first gradient, encoder's from the second and the spoilt "
        "picture; the biases as sums over the batch; the loss from the logits.",
    ),
    "train_layer": (
        "Symptom: right for one batch of all pictures, wrong for small ones? Look at the order and at the last batch. "
        "Right for one epoch, wrong for two? Each has its own order. Parameters right, losses wrong? Batches of "
        "different "
        "size count differently. The arguments changed? `-=` writes into the caller's array. Right with halving, "
        "wrong with masking? One noise call for each batch, after that epoch's permutation, from the same rng.",
        "Idea: two loops, epochs outside and batches inside; all randomness in the order given.",
        "Outline: copy the parameters; per epoch draw one permutation; cut it into pieces; spoil the piece, ask for "
        "gradients with the spoilt batch first and the clean one second, step against all three; add up loss times "
        "size "
        "of the batch; at the end of the epoch divide by N.",
    ),
    "stack": (
        "Symptom: the first layer is right and the second has a wrong shape or wrong numbers? Look at what it was "
        "trained "
        "on. Shapes do not match from the second layer on? The new data have as many columns as the layer below has "
        "units.",
        "Idea: after each layer, what was `x` is replaced by its codes.",
        "Outline: for each size train on the present data, keep weight and bias, and put the sigmoid of data times "
        "transposed weight plus bias in the data's place.",
    ),
    "to_classifier": (
        "Symptom: an error about double and float? Parameters must be float32. The arrays change with the training? "
        "Something shares memory. Logits between 0 and 1? There is a sigmoid too many.",
        "Idea: for each layer a Linear with copied numbers and a Sigmoid; one more Linear, alone, at the end.",
        "Outline: check that there are layers and that they fit; for each make nn.Linear(inputs, outputs) and copy "
        "weight "
        "and bias into it under no_grad; append it and a sigmoid; append a new Linear; nn.Sequential of all.",
    ),
    "contrastive_divergence": (
        "Symptom: right for weights of 0 only? Look at where the coins are used: only on the way to v'. All signs "
        "exchanged? The pictures come first, the dream second.",
        "Idea: forth, toss, back, forth; then a difference of two averages for each parameter.",
        "Outline: p from v; coins h from p; v' from h; p' from v'; products of p with v and of p' with v', difference "
        "over N; "
        "means of p − p' and of v − v'.",
    ),
}


# corrupt


@mistake(
    "corrupt", "The values that should stay were set to 0, and those that are hit stay. Which side of the level is hit?"
)
def keeps_the_hit(x, level, rng, kind="mask"):
    if kind == "mask" and 0 < level < 1:
        return np.where(rng.random(x.shape) >= level, 0, x).astype(x.dtype)
    return corrupt(x, level, rng, kind)


@mistake("corrupt", "Salt and pepper are exchanged: below half the level comes 0, above it 1.")
def salt_first(x, level, rng, kind="mask"):
    if kind != "salt_pepper" or level > 1:
        return corrupt(x, level, rng, kind)
    u = rng.random(x.shape)
    return np.select([u < level / 2, u < level], [np.ones_like(x), np.zeros_like(x)], x).astype(x.dtype)


@mistake(
    "corrupt", "Salt and pepper hit too many: 0 and 1 have the probability `level` each. Together they should have it."
)
def hits_twice_as_often(x, level, rng, kind="mask"):
    if kind != "salt_pepper" or level > 1:
        return corrupt(x, level, rng, kind)
    u = rng.random(x.shape)
    return np.select([u < level, u < 2 * level], [np.zeros_like(x), np.ones_like(x)], x).astype(x.dtype)


@mistake(
    "corrupt",
    "All that were hit became 1. Was the 0 written first, and then the 1 over all values below the level?",
)
def salt_over_pepper(x, level, rng, kind="mask"):
    if kind != "salt_pepper" or level > 1:
        return corrupt(x, level, rng, kind)
    return np.where(rng.random(x.shape) < level, 1, x).astype(x.dtype)


@mistake("corrupt", "Salt or pepper was decided by a second draw. One is enough: the same number decides both.")
def draws_twice(x, level, rng, kind="mask"):
    if kind != "salt_pepper" or level > 1:
        return corrupt(x, level, rng, kind)
    hit = rng.random(x.shape) < level
    return np.where(hit, np.where(rng.random(x.shape) < 0.5, 0, 1), x).astype(x.dtype)


@mistake("corrupt", "Normal noise left the range of pixels. Clip to 0 … 1 after adding.")
def forgets_to_clip(x, level, rng, kind="mask"):
    if kind != "gaussian" or level < 0:
        return corrupt(x, level, rng, kind)
    return (x + level * rng.standard_normal(x.shape)).astype(x.dtype)


@mistake("corrupt", "The array of the caller was changed. The clean picture is still needed: it is the target.")
def spoils_in_place(x, level, rng, kind="mask"):
    x[...] = corrupt(x, level, rng, kind)
    return x


@mistake("corrupt", "The numbers are right and their dtype is not: it should be that of x. The draw is float64.")
def draws_in_float64(x, level, rng, kind="mask"):
    return corrupt(x.astype(np.float64), level, rng, kind)


# autoencoder_forward


@mistake("autoencoder_forward", "The visible bias is missing: the decoder has biases of its own.")
def forgets_the_visible_bias(x, weight, bias_hidden, bias_visible):
    return autoencoder_forward(x, weight, bias_hidden, 0 * bias_visible)


@mistake("autoencoder_forward", "The hidden bias is missing.")
def forgets_the_hidden_bias(x, weight, bias_hidden, bias_visible):
    return autoencoder_forward(x, weight, 0 * bias_hidden, bias_visible)


@mistake("autoencoder_forward", "What came back as the reconstruction are its logits. A sigmoid brings them to 0 … 1.")
def returns_logits(x, weight, bias_hidden, bias_visible):
    hidden, _ = autoencoder_forward(x, weight, bias_hidden, bias_visible)
    return hidden, hidden @ weight + bias_visible


@mistake("autoencoder_forward", "The code has no sigmoid: the hidden layer is linear here.")
def linear_code(x, weight, bias_hidden, bias_visible):
    hidden = x @ weight.T + bias_hidden
    return hidden, sigmoid(hidden @ weight + bias_visible)


@mistake("autoencoder_forward", "The reconstruction is right. What came back as the code are its logits, before σ.")
def returns_the_code_s_logits(x, weight, bias_hidden, bias_visible):
    return x @ weight.T + bias_hidden, autoencoder_forward(x, weight, bias_hidden, bias_visible)[1]


@mistake("autoencoder_forward", "The two are in the wrong order: first the code, then the reconstruction.")
def reconstruction_first(x, weight, bias_hidden, bias_visible):
    return autoencoder_forward(x, weight, bias_hidden, bias_visible)[::-1]


@mistake("autoencoder_forward", "Only the reconstruction came back. The code is wanted too, before it.")
def reconstruction_only(x, weight, bias_hidden, bias_visible):
    return autoencoder_forward(x, weight, bias_hidden, bias_visible)[1]


# psnr


@mistake("psnr", "The sign is wrong: a smaller error should give more decibels.")
def noise_over_signal(x, reconstruction, peak=1.0):
    return -psnr(x, reconstruction, peak)


@mistake(
    "psnr", "Twice too many decibels: 20 log10 goes with the root of the mean squared error, not with the MSE itself."
)
def twenty_times(x, reconstruction, peak=1.0):
    return 2 * psnr(x, reconstruction, peak)


@mistake("psnr", "This is the natural logarithm. Decibels take the one to base 10.")
def natural_logarithm(x, reconstruction, peak=1.0):
    return psnr(x, reconstruction, peak) * np.log(10)


@mistake("psnr", "The squares were summed, not averaged: the figure would fall with the size of the picture.")
def sum_of_squares(x, reconstruction, peak=1.0):
    return psnr(x, reconstruction, peak) - 10 * np.log10(np.size(x))


@mistake("psnr", "Half the decibels: with the root of the mean squared error, and peak unsquared, goes 20 log10.")
def root_with_ten(x, reconstruction, peak=1.0):
    return psnr(x, reconstruction, peak) / 2


@mistake("psnr", "The peak was not squared. In the ratio stand peak² and the mean *squared* error.")
def peak_not_squared(x, reconstruction, peak=1.0):
    return psnr(x, reconstruction, peak) - 10 * np.log10(peak)


@mistake("psnr", "The peak was not used: the ratio is that for a peak of 1.")
def peak_of_one(x, reconstruction, peak=1.0):
    return psnr(x, reconstruction, 1.0)


@mistake("psnr", "Bytes were subtracted as bytes: 10 − 20 is 246 there. Make floats of both first.")
def bytes_wrap_around(x, reconstruction, peak=1.0):
    if np.shape(x) != np.shape(reconstruction):
        raise ValueError
    mse = ((reconstruction - x) ** 2).mean()
    return float(10 * np.log10(peak**2 / mse)) if mse else np.inf


# autoencoder_gradients


@mistake("autoencoder_gradients", "The spoilt picture is the target here. The decoder should return the clean one.")
def spoilt_target(x_corrupted, x, weight, bias_hidden, bias_visible):
    return autoencoder_gradients(x_corrupted, x_corrupted, weight, bias_hidden, bias_visible)


@mistake("autoencoder_gradients", "The encoder was given the clean picture. It sees only the spoilt one.")
def clean_input(x_corrupted, x, weight, bias_hidden, bias_visible):
    return autoencoder_gradients(x, x, weight, bias_hidden, bias_visible)


@mistake(
    "autoencoder_gradients", "The encoder's term multiplies the clean picture. Which one did W meet on the way forward?"
)
def encoder_meets_the_clean(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    hidden = sigmoid(x_corrupted @ weight.T + bias_hidden)
    grad_logits = (sigmoid(hidden @ weight + bias_visible) - x) / len(x)
    encoder = ((grad_logits @ weight.T) * hidden * (1 - hidden)).T @ x
    return {**answer, "encoder_term": encoder, "weight": encoder + answer["decoder_term"]}


@mistake("autoencoder_gradients", "The derivative of the code's sigmoid, h(1 − h), is missing in the encoder's term.")
def forgets_the_sigmoid(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    hidden = sigmoid(x_corrupted @ weight.T + bias_hidden)
    grad_hidden = (sigmoid(hidden @ weight + bias_visible) - x) / len(x) @ weight.T
    encoder = grad_hidden.T @ x_corrupted
    return {
        **answer,
        "encoder_term": encoder,
        "weight": encoder + answer["decoder_term"],
        "bias_hidden": grad_hidden.sum(axis=0),
    }


@mistake(
    "autoencoder_gradients", "The weight's gradient is the decoder's term alone. W is used twice; both uses count."
)
def decoder_term_only(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    return {**answer, "weight": answer["decoder_term"]}


@mistake(
    "autoencoder_gradients",
    "The terms are exchanged. The decoder multiplied the codes by W, the encoder the spoilt pictures.",
)
def terms_exchanged(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    return {**answer, "encoder_term": answer["decoder_term"], "decoder_term": answer["encoder_term"]}


@mistake(
    "autoencoder_gradients",
    "The loss is not finite: the logarithm of a reconstruction that was rounded to 0 or 1, or an e^a too large for a "
    "float. Compute it from the logits, by `np.logaddexp`.",
)
def logarithm_of_zero(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    if answer["loss"] > 100:
        return {**answer, "loss": float("inf")}
    return answer


@mistake(
    "autoencoder_gradients",
    "This sigmoid's derivative belongs to the squared error. With the cross-entropy it cancels in δ.",
)
def sigmoid_twice(x_corrupted, x, weight, bias_hidden, bias_visible):
    answer = autoencoder_gradients(x_corrupted, x, weight, bias_hidden, bias_visible)
    hidden = sigmoid(x_corrupted @ weight.T + bias_hidden)
    back = sigmoid(hidden @ weight + bias_visible)
    grad_logits = (back - x) * back * (1 - back) / len(x)
    grad_hidden = (grad_logits @ weight.T) * hidden * (1 - hidden)
    encoder, decoder = grad_hidden.T @ x_corrupted, hidden.T @ grad_logits
    return {
        "loss": answer["loss"],
        "encoder_term": encoder,
        "decoder_term": decoder,
        "weight": encoder + decoder,
        "bias_hidden": grad_hidden.sum(axis=0),
        "bias_visible": grad_logits.sum(axis=0),
    }


# train_layer


def _trained(weight, bias_hidden, bias_visible, gradients, lr, epochs, n=None):
    """Train on what epochs yields: (spoilt, clean) pairs for each; losses are divided by n, or by the pictures seen."""
    parameters = {"weight": weight, "bias_hidden": bias_hidden, "bias_visible": bias_visible}
    losses = []
    for pairs in epochs:
        total, seen = 0.0, 0
        for spoilt, clean in pairs:
            grad = gradients(spoilt, clean, *parameters.values())
            parameters = {name: value - lr * grad[name] for name, value in parameters.items()}
            total, seen = total + grad["loss"] * len(clean), seen + len(clean)
        losses.append(total / (n or seen))
    return (*parameters.values(), losses)


def _cut(x, batch_size):
    return [x[k : k + batch_size] for k in range(0, len(x), batch_size)]


@mistake("train_layer", "The pictures were taken in the order in which they lie. Each epoch draws an order of its own.")
def never_shuffles(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    pairs = (((noise(b, rng), b) for b in _cut(x, batch_size)) for _ in range(epochs))
    return _trained(weight, bias_hidden, bias_visible, gradients, lr, pairs)


@mistake("train_layer", "One order was drawn for all epochs. Each epoch draws its own.")
def shuffles_once(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    shuffled = x[rng.permutation(len(x))]
    pairs = (((noise(b, rng), b) for b in _cut(shuffled, batch_size)) for _ in range(epochs))
    return _trained(weight, bias_hidden, bias_visible, gradients, lr, pairs)


@mistake("train_layer", "The last batch was left out because it is smaller. It takes part.")
def drops_the_last(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    pairs = (
        ((noise(b, rng), b) for b in _cut(x[rng.permutation(len(x))], batch_size) if len(b) == batch_size)
        for _ in range(epochs)
    )
    return _trained(weight, bias_hidden, bias_visible, gradients, lr, pairs, len(x))


@mistake(
    "train_layer", "Each epoch shuffled what the epoch before had shuffled. An epoch's order is of `x` as it was given."
)
def shuffles_the_shuffled(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    def shuffled():
        now = x
        for _ in range(epochs):
            now = now[rng.permutation(len(now))]
            yield ((noise(b, rng), b) for b in _cut(now, batch_size))

    return _trained(weight, bias_hidden, bias_visible, gradients, lr, shuffled())


@mistake("train_layer", "The pictures were spoilt once for all. Each batch is spoilt anew in each epoch.")
def spoils_once(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    spoilt = noise(x, rng)

    def shuffled():
        for _ in range(epochs):
            order = rng.permutation(len(x))
            yield zip(_cut(spoilt[order], batch_size), _cut(x[order], batch_size), strict=True)

    return _trained(weight, bias_hidden, bias_visible, gradients, lr, shuffled())


@mistake("train_layer", "Spoilt and clean are exchanged in the call: `gradients` takes the spoilt batch first.")
def clean_first(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    def exchanged(spoilt, clean, *parameters):
        return gradients(clean, spoilt, *parameters)

    return train_layer(x, weight, bias_hidden, bias_visible, exchanged, noise, lr, epochs, batch_size, rng)


@mistake("train_layer", "The steps go along the gradients, uphill. The loss should fall.")
def climbs(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    return train_layer(x, weight, bias_hidden, bias_visible, gradients, noise, -lr, epochs, batch_size, rng)


@mistake("train_layer", "The loss of an epoch is the plain mean over its batches. The small last batch counts less.")
def mean_over_batches(x, weight, bias_hidden, bias_visible, gradients, noise, lr, epochs, batch_size, rng):
    seen = []

    def listening(*args):
        grad = gradients(*args)
        seen.append(grad["loss"])
        return grad

    *trained, _ = train_layer(x, weight, bias_hidden, bias_visible, listening, noise, lr, epochs, batch_size, rng)
    batches = -(-len(x) // batch_size)
    return (*trained, [float(np.mean(seen[k * batches : (k + 1) * batches])) for k in range(epochs)])


# stack


@mistake("stack", "Every layer was trained on the pictures. The second one's data are the codes of the first.")
def always_on_the_pictures(x, sizes, train):
    return [train(x, size) for size in sizes]


def _stacked(x, sizes, train, handed_up):
    """Train layer on layer, with handed_up(x, weight, bias) as what the next one sees."""
    layers = []
    for size in sizes:
        weight, bias = train(x, size)
        layers.append((weight, bias))
        x = handed_up(x, weight, bias)
    return layers


@mistake("stack", "The data handed up lack the sigmoid: these are logits, not codes.")
def hands_up_logits(x, sizes, train):
    return _stacked(x, sizes, train, lambda x, weight, bias: x @ weight.T + bias)


@mistake("stack", "The data handed up passed through ReLU. The codes of these layers are made by the sigmoid.")
def hands_up_relu(x, sizes, train):
    return _stacked(x, sizes, train, lambda x, weight, bias: np.maximum(x @ weight.T + bias, 0))


@mistake("stack", "`train` was called more than once for a layer. Training is the dear part: keep what it returned.")
def trains_twice(x, sizes, train):
    return stack(x, sizes, lambda h, size: (train(h, size)[0], train(h, size)[1]))


@mistake("stack", "The data handed up lack the bias.")
def hands_up_without_bias(x, sizes, train):
    return _stacked(x, sizes, train, lambda x, weight, bias: sigmoid(x @ weight.T))


@mistake("stack", "The reconstruction was handed up, not the code. The decoder is thrown away.")
def hands_up_reconstructions(x, sizes, train):
    return _stacked(x, sizes, train, lambda x, weight, bias: sigmoid(sigmoid(x @ weight.T + bias) @ weight))


@mistake("stack", "The layers come from above. The one that sees the pictures should be the first of the list.")
def from_above(x, sizes, train):
    return stack(x, sizes, train)[::-1]


@mistake("stack", "The last layer's codes came back. What is wanted are the layers: a list of (weight, bias).")
def returns_codes(x, sizes, train):
    for weight, bias in stack(x, sizes, train):
        x = sigmoid(x @ weight.T + bias)
    return x


# to_classifier


def _sequence(layers, n_classes, between=nn.Sigmoid, end=(), copy=True, trainable=True, zero=False):
    """Build a classifier with one thing different; modules of end come behind its last layer."""
    if not layers or any(a[0].shape[0] != b[0].shape[1] for a, b in pairwise(layers)):
        raise ValueError("layers do not fit")
    modules = []
    for weight, bias in layers:
        linear = nn.Linear(weight.shape[1], len(weight))
        if copy:
            linear.weight.data.copy_(torch.tensor(weight))
            linear.bias.data.copy_(torch.tensor(bias))
        for parameter in linear.parameters():
            parameter.requires_grad_(trainable)
        modules += [linear, between()]
    new = nn.Linear(len(layers[-1][0]), n_classes)
    if zero:
        nn.init.zeros_(new.weight)
    return nn.Sequential(*modules, new, *end)


@mistake("to_classifier", "The layers are new and random: the pretrained weights were not copied into them.")
def forgets_to_copy(layers, n_classes):
    return _sequence(layers, n_classes, copy=False)


@mistake("to_classifier", "The pretrained layers are frozen. In fine-tuning all layers go on learning.")
def freezes(layers, n_classes):
    return _sequence(layers, n_classes, trainable=False)


@mistake("to_classifier", "There is a softmax behind the last layer. Logits are wanted: the loss has its own softmax.")
def ends_with_softmax(layers, n_classes):
    return _sequence(layers, n_classes, end=[nn.Softmax(dim=1)])


@mistake("to_classifier", "There is a sigmoid behind the last layer too. What leaves the net should be logits.")
def ends_with_sigmoid(layers, n_classes):
    return _sequence(layers, n_classes, end=[nn.Sigmoid()])


@mistake(
    "to_classifier",
    "There are ReLUs between the layers. The codes were made by sigmoids, and the next layer expects them.",
)
def relu_between(layers, n_classes):
    return _sequence(layers, n_classes, between=nn.ReLU)


@mistake(
    "to_classifier",
    "The sigmoid of the last pretrained layer is missing: the new layer is given logits where it should get codes.",
)
def no_sigmoid_on_top(layers, n_classes):
    *below, _, new = _sequence(layers, n_classes)
    return nn.Sequential(*below, new)


@mistake("to_classifier", "There is no activation between the layers, so the whole net is one linear map.")
def no_activation(layers, n_classes):
    return _sequence(layers, n_classes, between=nn.Identity)


@mistake(
    "to_classifier",
    "The new layer's weight is 0, or nearly, so next to nothing flows back at first. Leave it as PyTorch makes it.",
)
def head_of_zeros(layers, n_classes):
    return _sequence(layers, n_classes, zero=True)


# contrastive_divergence


def _step(v, weight, bias_hidden, bias_visible, rng, toss=True, toss_first=False, inverted=False):
    p = sigmoid(v @ weight.T + bias_hidden)
    h = ((rng.random(p.shape) < p) ^ inverted) if toss else p
    v_back = sigmoid(h @ weight + bias_visible)
    p_back = sigmoid(v_back @ weight.T + bias_hidden)
    first = h if toss_first else p
    return {
        "weight": (first.T @ v - p_back.T @ v_back) / len(v),
        "bias_hidden": (first - p_back).mean(axis=0),
        "bias_visible": (v - v_back).mean(axis=0),
    }


@mistake("contrastive_divergence", "The coins were never tossed: v' was painted from the probabilities.")
def never_tosses(v, weight, bias_hidden, bias_visible, rng):
    return _step(v, weight, bias_hidden, bias_visible, rng, toss=False)


@mistake("contrastive_divergence", "The coins stand in the first average. They only paint v'; the averages take p.")
def coins_in_the_average(v, weight, bias_hidden, bias_visible, rng):
    return _step(v, weight, bias_hidden, bias_visible, rng, toss_first=True)


@mistake("contrastive_divergence", "The coins stand in the product with v. They only paint v'; there stands p.")
def coins_in_the_product(v, weight, bias_hidden, bias_visible, rng):
    start = rng.bit_generator.state
    weight_step = _step(v, weight, bias_hidden, bias_visible, rng, toss_first=True)["weight"]
    rng.bit_generator.state = start
    return {**_step(v, weight, bias_hidden, bias_visible, rng), "weight": weight_step}


@mistake("contrastive_divergence", "The coins are the wrong way round: a unit is 1 where its number is *below* p.")
def coins_inverted(v, weight, bias_hidden, bias_visible, rng):
    return _step(v, weight, bias_hidden, bias_visible, rng, inverted=True)


@mistake("contrastive_divergence", "The signs are exchanged: the pictures come first, what was dreamt is subtracted.")
def dream_first(v, weight, bias_hidden, bias_visible, rng):
    return {name: -value for name, value in _step(v, weight, bias_hidden, bias_visible, rng).items()}


@mistake("contrastive_divergence", "These are sums over the batch. Divide by the number of pictures.")
def sums_of_steps(v, weight, bias_hidden, bias_visible, rng):
    return {name: len(v) * value for name, value in _step(v, weight, bias_hidden, bias_visible, rng).items()}
