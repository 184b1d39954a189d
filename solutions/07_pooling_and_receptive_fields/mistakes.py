"""Wrong answers to the exercises of module 07, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "pool_output_size": (
        "Symptom: 3 instead of 4 for (4, 3, 1, padding 1)? Padding lies at both ends. Ceil mode gives one window too "
        "many for (3, 2, 2, padding 1)? Look at where it starts.",
        "Idea: n + 2P − K is how far the window can move. Divide by the stride, rounding down or up, and add the place "
        "where it starts. `-(-a // b)` rounds up.",
        "Outline: refuse what is out of range; the room; refuse a negative room; without ceil mode, round down and add "
        "1; with it, round up and add 1, then take one window away if the last start, counted in padded pixels, is at "
        "size + padding or beyond.",
    ),
    "max_pool2d": (
        "Symptom: zeros at the border of a negative map? Look at what the frame is filled with. The right size at the "
        "kernel's own stride only? Look at the step of the slices. float64 from float32? Look at the dtype of the "
        "array that collects the maxima.",
        "Idea: the pixels in place (a, b) of all windows are one slice of the framed maps. The answer is the largest "
        "of K² such slices, entry by entry; `np.maximum` compares two.",
        "Outline: the stride, where none is given; rows and columns from pool_output_size; frame the maps with cover, "
        "filled with minus infinity; start with minus infinity everywhere, in x's dtype; two loops over the places, "
        "each taking the maximum with one slice, cut off after H' rows and W' columns.",
    ),
    "max_pool2d_backward": (
        "Symptom: right on random numbers, too much gradient on zeros? Several pixels of a window won. A pixel that "
        "wins several windows keeps one gradient only? It was set and not added. Wrong with padding only? Compare "
        "framed pixels with y, and cut the frame off at the end.",
        "Idea: the same slices as on the way forward. In place (a, b), a pixel wins if it equals its window's output "
        "and no earlier place of that window has won.",
        "Outline: run the way forward and check the shape; frame x as there; zeros of the framed shape; an array of "
        "bools, one a window, that says who still has no winner; two loops over the places: find the wins, add wins "
        "times grad_output to the slice, cross the winners' windows off; cut P pixels off in front and keep H × W.",
    ),
    "avg_pool2d": (
        "Symptom: right without padding only? Look at the divisor. Right in the middle and wrong in the corners? Count "
        "the real pixels of a corner window. float64 from float32? Look at the dtype of the sums.",
        "Idea: max pooling with a sum in the place of the maximum and 0 in the frame. The number of real pixels of "
        "each window is the same sum over a map of ones.",
        "Outline: the stride, rows and columns; frame with zeros; add up the K² slices; divide by K², or by the sums "
        "that a framed map of ones gives.",
    ),
    "avg_pool2d_backward": (
        "Symptom: too large by K²? Every pixel got the whole gradient. 0.25 where 0.5 or 1 is expected? Shares of "
        "windows that overlap replace each other. An array that is too large with padding? The frame is still on.",
        "Idea: divide grad_output by the divisors of the way forward first; then add this share to each of the K² "
        "slices.",
        "Outline: check the shape; the divisors, K² or the real pixels of each window; the shares; zeros of the framed "
        "shape; two loops that add the shares to a slice; cut the frame off.",
    ),
    "global_avg_pool": (
        "Symptom: an array of the wrong shape? Two axes go, images and channels stay.",
        "Idea: a mean over the rows and columns of each map.",
        "Outline: refuse other than four axes; `mean` over the last two.",
    ),
    "strided_conv_as_pool": (
        "Symptom: the sum of all channels comes out? The filters see channels that are not theirs.",
        "Idea: channel k of filter k holds the kernel; all the rest is 0.",
        "Outline: check the arguments; zeros of the shape (C, C, K_h, K_w) in the kernel's dtype; put the kernel where "
        "filter and channel have the same number.",
    ),
    "receptive_field": (
        "Symptom: 7 instead of 5 for two layers? A kernel of k adds k − 1. Right without strides only? Look at the "
        "jump, and at when it is multiplied. 9 instead of 31? Look at dilation.",
        "Idea: a layer adds d (k − 1) steps, each as long as the distance between two units of the layer *below*.",
        "Outline: field 1, jump 1; for each layer refuse what is out of range, add d (k − 1) jumps to the field, then "
        "multiply the jump by the stride.",
    ),
    "jump_and_start": (
        "Symptom: 1 instead of −1? The padding lies to the left of pixel 0. −1 instead of −2? A padded pixel behind a "
        "stride of 2 is two pixels of the picture wide.",
        "Idea: padding moves the start by p units of the layer below, to the left.",
        "Outline: jump 1, start 0; for each layer refuse what is out of range, subtract padding times jump from the "
        "start, then multiply the jump by the stride.",
    ),
    "shift_consistency": (
        "Symptom: too high? Pairs of a shift with itself agree always. 0.75 where 1 is expected? Count the pairs that "
        "four shifts make. Wrong for noise only? Use `shifted`, and compare every shift with every other one.",
        "Idea: first all answers, one row a shift, one column a picture. Then compare rows.",
        "Outline: refuse fewer than two shifts; an array of T rows of answers; the indices of all pairs s < t "
        "(`np.triu_indices` gives them); the mean of the comparisons.",
    ),
}


# pool_output_size


@mistake("pool_output_size", "One window is missing: the place where it starts counts too.")
def forgets_the_first_place(size, kernel_size, stride, padding=0, ceil_mode=False):
    return pool_output_size(size, kernel_size, stride, padding, ceil_mode) - 1


@mistake("pool_output_size", "The padding was added once. It lies at both ends of the side.")
def pads_one_end(size, kernel_size, stride, padding=0, ceil_mode=False):
    right = pool_output_size(size, kernel_size, stride, padding, ceil_mode)
    return right if ceil_mode else (size + padding - kernel_size) // stride + 1


@mistake(
    "pool_output_size",
    "This rounds up, or to the nearest number. Without ceil mode, a window that does not fit is left out.",
)
def rounds_to_the_nearest(size, kernel_size, stride, padding=0, ceil_mode=False):
    pool_output_size(size, kernel_size, stride, padding)
    return int((size + 2 * padding - kernel_size) / stride + 0.5) + 1


@mistake(
    "pool_output_size",
    "A kernel larger than the padded side gave a number. No window fits: raise a ValueError.",
)
def lets_too_large_kernels_through(size, kernel_size, stride, padding=0, ceil_mode=False):
    if size + 2 * padding < kernel_size:
        return (size + 2 * padding - kernel_size) // stride + 1
    return pool_output_size(size, kernel_size, stride, padding, ceil_mode)


@mistake(
    "pool_output_size",
    "Ceil mode has no effect here. Pixels that are left over get a window of their own there; or is the place where "
    "the window starts missing in ceil mode?",
)
def ignores_ceil_mode(size, kernel_size, stride, padding=0, ceil_mode=False):
    return pool_output_size(size, kernel_size, stride, padding)


@mistake(
    "pool_output_size",
    "A window was added although the side divides: ceil mode rounds up, which adds nothing to a whole number.",
)
def always_one_more(size, kernel_size, stride, padding=0, ceil_mode=False):
    out = pool_output_size(size, kernel_size, stride, padding)
    return out + 1 if ceil_mode else out


@mistake(
    "pool_output_size",
    "The last window finds padding only: it starts behind the last real pixel. Ceil mode drops such a window.",
)
def keeps_windows_of_padding(size, kernel_size, stride, padding=0, ceil_mode=False):
    pool_output_size(size, kernel_size, stride, padding)
    room = size + 2 * padding - kernel_size
    return (-(-room // stride) if ceil_mode else room // stride) + 1


@mistake(
    "pool_output_size",
    "One window too few. The last one starts on a real pixel: its start is counted from the first padded pixel. Or was "
    "the padding added at one end only?",
)
def drops_windows_too_early(size, kernel_size, stride, padding=0, ceil_mode=False):
    out = pool_output_size(size, kernel_size, stride, padding, ceil_mode)
    return out - 1 if ceil_mode and (out - 1) * stride >= size else out


# max_pool2d


@mistake("max_pool2d", "These are the means of the windows. Max pooling keeps the largest number of each.")
def takes_the_mean(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return avg_pool2d(x, kernel_size, stride, padding)


@mistake(
    "max_pool2d",
    "The windows lie side by side whatever the stride is. They start `stride` pixels apart and may overlap.",
)
def ignores_the_stride(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return max_pool2d(x, kernel_size, None, padding, ceil_mode)


@mistake(
    "max_pool2d",
    "Without a stride the windows are one pixel apart. For pooling, no stride means the kernel's own size.",
)
def stride_of_one_by_default(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return max_pool2d(x, kernel_size, 1 if stride is None else stride, padding, ceil_mode)


@mistake(
    "max_pool2d",
    "The largest number was taken over all channels. Every channel is pooled by itself; their number stays.",
)
def pools_over_the_channels(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return max_pool2d(x.max(axis=1, keepdims=True), kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d",
    "The numbers are right, but they came as float64 for maps of float32: an array made without a dtype is float64.",
)
def always_float64(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return max_pool2d(x, kernel_size, stride, padding, ceil_mode).astype(np.float64)


@mistake(
    "max_pool2d",
    "A 0 came out of a map of negative numbers: it is the frame that won. What is smaller than every number?",
)
def pads_with_zeros(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return max_pool2d(np.pad(x, frame), kernel_size, stride, 0, ceil_mode)


@mistake("max_pool2d", "In ceil mode the windows that stick out are missing.")
def no_windows_that_stick_out(x, kernel_size, stride=None, padding=0, ceil_mode=False):
    return max_pool2d(x, kernel_size, stride, padding)


# max_pool2d_backward


@mistake(
    "max_pool2d_backward",
    "Every pixel of a window got its gradient. Only the pixel that won can change the maximum.",
)
def all_pixels_of_a_window(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    max_pool2d_backward(grad_output, x, kernel_size, stride, padding, ceil_mode)
    return avg_pool2d_backward(grad_output * kernel_size**2, x.shape, kernel_size, stride, padding)


@mistake(
    "max_pool2d_backward",
    "The gradient was shared among the pixels of a window, as for a mean. The derivative of a maximum is 1 for the "
    "winner and 0 for all others.",
)
def shares_as_a_mean_does(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    max_pool2d_backward(grad_output, x, kernel_size, stride, padding, ceil_mode)
    return avg_pool2d_backward(grad_output, x.shape, kernel_size, stride, padding)


def backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode):
    """The way back with another rule: `rule(window, grad)` returns what to add to the window."""
    y = max_pool2d(x, kernel_size, stride, padding, ceil_mode)
    if grad_output.shape != y.shape:
        raise ValueError("shapes")
    stride = kernel_size if stride is None else stride
    framed = cover(x, y.shape[2:], kernel_size, stride, padding, -np.inf)
    grad = np.zeros(framed.shape, grad_output.dtype)
    for n, c, i, j in np.ndindex(y.shape):
        window = (n, c, slice(i * stride, i * stride + kernel_size), slice(j * stride, j * stride + kernel_size))
        grad[window] = rule(framed[window], grad_output[n, c, i, j], grad[window])
    return grad[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]


def first_winner(window):
    """One 1, at the first of the largest in reading order."""
    wins = np.zeros(window.shape)
    wins[np.unravel_index(window.argmax(), window.shape)] = 1
    return wins


@mistake(
    "max_pool2d_backward",
    "Several pixels of a window tie and each got the whole gradient: 222 came back where 111 was sent. One of them has "
    "to be chosen.",
)
def all_winners_get_everything(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    def rule(window, grad, before):
        return before + (window == window.max()) * grad

    return backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d_backward",
    "Pixels that tie share the gradient. That would be a rule too, but here the first in reading order gets all of it.",
)
def winners_share(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    def rule(window, grad, before):
        wins = window == window.max()
        return before + wins / wins.sum() * grad

    return backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d_backward",
    "A later pixel of each tie got the gradient. The rule is: the first in reading order.",
)
def the_last_winner(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    def rule(window, grad, before):
        return before + first_winner(window[::-1, ::-1])[::-1, ::-1] * grad

    return backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d_backward",
    "Equal pixels were searched column by column. Reading order goes along the rows: smallest row first.",
)
def column_by_column(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    def rule(window, grad, before):
        return before + first_winner(window.T).T * grad

    return backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d_backward",
    "A pixel that wins several windows got the gradient of the last one. Where windows overlap, gradients add up.",
)
def the_last_window_wins(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    def rule(window, grad, before):
        wins = first_winner(window)
        return np.where(wins == 1, grad, before)

    return backward_with_rule(rule, grad_output, x, kernel_size, stride, padding, ceil_mode)


@mistake(
    "max_pool2d_backward",
    "The frame of the padding is still around the gradient. Its shape must be that of x.",
)
def keeps_the_frame(grad_output, x, kernel_size, stride=None, padding=0, ceil_mode=False):
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return np.pad(max_pool2d_backward(grad_output, x, kernel_size, stride, padding, ceil_mode), frame)


# avg_pool2d


@mistake("avg_pool2d", "These are the sums of the windows. What are they to be divided by?")
def sums_only(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, stride, padding) * kernel_size**2


@mistake("avg_pool2d", "The sums were divided by K. A window has K · K pixels.")
def divides_by_the_side(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, stride, padding) * kernel_size


@mistake(
    "avg_pool2d",
    "The windows lie side by side whatever the stride is. They start `stride` pixels apart and may overlap.",
)
def windows_side_by_side(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, None, padding, count_include_pad)


@mistake(
    "avg_pool2d",
    "The numbers are right, but they came as float64 for maps of float32: an array made without a dtype is float64.",
)
def means_in_float64(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, stride, padding, count_include_pad).astype(np.float64)


@mistake(
    "avg_pool2d",
    "The padded zeros were left out of the divisor although `count_include_pad` is True: then it is K · K everywhere.",
)
def never_counts_the_padding(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, stride, padding, count_include_pad=False)


@mistake(
    "avg_pool2d",
    "`count_include_pad=False` has no effect: windows at the border are still divided by K · K.",
)
def always_counts_the_padding(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d(x, kernel_size, stride, padding)


@mistake(
    "avg_pool2d",
    "The divisor counts the pixels of a window that are not 0. A real pixel may be 0: count places, not values.",
)
def counts_what_is_not_zero(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    if count_include_pad:
        return avg_pool2d(x, kernel_size, stride, padding)
    there = avg_pool2d((x != 0).astype(x.dtype), kernel_size, stride, padding)
    return avg_pool2d(x, kernel_size, stride, padding) / np.where(there == 0, 1, there)


@mistake(
    "avg_pool2d",
    "Minus infinity came out at the border: it is the frame of max pooling. What can stand in the frame without "
    "changing a sum?",
)
def framed_as_for_a_maximum(x, kernel_size, stride=None, padding=0, count_include_pad=True):
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return avg_pool2d(np.pad(x, frame, constant_values=-np.inf), kernel_size, stride)


# avg_pool2d_backward


@mistake(
    "avg_pool2d_backward",
    "Every pixel of a window got its whole gradient. The mean has the derivative 1/D with respect to each.",
)
def forgets_to_divide(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding) * kernel_size**2


@mistake("avg_pool2d_backward", "The gradient was divided by K. A window has K · K pixels.")
def shares_of_the_side(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding) * kernel_size


@mistake(
    "avg_pool2d_backward",
    "The gradient went to one pixel of each window. A mean depends on all its pixels alike.",
)
def one_pixel_of_each_window(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding)
    return max_pool2d_backward(grad_output, np.zeros(x_shape), kernel_size, stride, padding)


@mistake(
    "avg_pool2d_backward",
    "Where windows overlap, the share of the last one replaced the others. Shares of several windows add up.",
)
def the_last_share_wins(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    stride = kernel_size if stride is None else stride
    avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding, count_include_pad)
    real = avg_pool2d(np.ones((1, 1, *x_shape[2:])), kernel_size, stride, padding)
    share = grad_output / kernel_size**2 / (1 if count_include_pad else real)
    grad = np.zeros((*x_shape[:2], x_shape[2] + 2 * padding, x_shape[3] + 2 * padding))
    for i, j in np.ndindex(grad_output.shape[2:]):
        rows, columns = (slice(k * stride, k * stride + kernel_size) for k in (i, j))
        grad[:, :, rows, columns] = share[:, :, i, j, None, None]
    return grad[:, :, padding : padding + x_shape[2], padding : padding + x_shape[3]]


@mistake(
    "avg_pool2d_backward",
    "The frame of the padding is still around the gradient. Its shape must be x_shape.",
)
def shares_of_the_frame(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    return np.pad(avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding, count_include_pad), frame)


@mistake(
    "avg_pool2d_backward",
    "Without the padding counted, a border window has fewer pixels, and each gets a larger share. Here all shares are "
    "1/K².",
)
def shares_ignore_the_border(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    return avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding)


@mistake(
    "avg_pool2d_backward",
    "Everything lies too far down and to the right, by the padding. The frame has to go in front as well as behind.",
)
def frame_cut_behind_only(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    n, c, height, width = x_shape
    stride = kernel_size if stride is None else stride
    real = avg_pool2d(np.ones((1, 1, height, width)), kernel_size, stride, padding)
    avg_pool2d_backward(grad_output, x_shape, kernel_size, stride, padding)
    share = (grad_output if count_include_pad else grad_output / real).astype(grad_output.dtype)
    framed = (n, c, height + 2 * padding, width + 2 * padding)
    return avg_pool2d_backward(share, framed, kernel_size, stride)[:, :, :height, :width]


@mistake(
    "avg_pool2d_backward",
    "A gradient with one row of windows in the place of two came through: NumPy repeated it. Compare its shape first.",
)
def broadcasts_the_gradient(grad_output, x_shape, kernel_size, stride=None, padding=0, count_include_pad=True):
    sides = [pool_output_size(size, kernel_size, stride or kernel_size, padding) for size in x_shape[2:]]
    repeated = np.broadcast_to(grad_output, (*x_shape[:2], *sides))
    return avg_pool2d_backward(repeated, x_shape, kernel_size, stride, padding, count_include_pad)


# global_avg_pool


@mistake("global_avg_pool", "Rows and columns should be gone: the shape is (N, C).")
def keeps_axes_of_length_one(x):
    return global_avg_pool(x)[:, :, None, None]


@mistake("global_avg_pool", "The mean ran over the channels as well. Every channel has a mean of its own.")
def one_mean_for_each_image(x):
    global_avg_pool(x)
    return x.mean(axis=(1, 2, 3))


@mistake("global_avg_pool", "The mean ran over the images as well. Every image has means of its own.")
def one_mean_for_all_images(x):
    global_avg_pool(x)
    return x.mean(axis=(0, 2, 3))


@mistake("global_avg_pool", "This is the largest number of each map. The mean is asked for.")
def global_maximum(x):
    global_avg_pool(x)
    return x.max(axis=(2, 3))


@mistake("global_avg_pool", "A map without the axis of images came through. Refuse what has not four axes.")
def last_two_axes_of_anything(x):
    return x.mean(axis=(-2, -1))


@mistake("global_avg_pool", "Only a square part of the map was averaged, with as many columns as the map has rows.")
def square_part_only(x):
    global_avg_pool(x)
    return x[:, :, :, : x.shape[2]].mean(axis=(2, 3))


@mistake("global_avg_pool", "The numbers are right, but they came as float64 for maps of float32.")
def global_mean_in_float64(x):
    return global_avg_pool(x).astype(np.float64)


# strided_conv_as_pool


@mistake(
    "strided_conv_as_pool",
    "Every filter has the kernel in every channel: the channels get summed. Pooling keeps them apart.",
)
def kernel_in_every_channel(kernel, channels):
    strided_conv_as_pool(kernel, channels)
    return np.broadcast_to(kernel, (channels, channels, *kernel.shape)).copy()


@mistake(
    "strided_conv_as_pool",
    "This is one filter a channel with a single channel each, as grouped convolutions have it. A whole layer's "
    "weights have the shape (C_out, C_in, K_h, K_w).",
)
def one_channel_each(kernel, channels):
    strided_conv_as_pool(kernel, channels)
    return np.broadcast_to(kernel, (channels, 1, *kernel.shape)).copy()


@mistake("strided_conv_as_pool", "Only the first filter has its kernel. Filter k needs it in channel k.")
def first_filter_only(kernel, channels):
    weight = np.zeros_like(strided_conv_as_pool(kernel, channels))
    weight[0, 0] = kernel
    return weight


@mistake(
    "strided_conv_as_pool",
    "The kernel was scaled so that its entries sum to 1. It is to be used as it is: for a mean it holds 1/K² already.",
)
def scales_the_kernel(kernel, channels):
    return strided_conv_as_pool(kernel, channels) / kernel.sum()


@mistake("strided_conv_as_pool", "A layer of 0 channels came through. Refuse it.")
def any_number_of_channels(kernel, channels):
    if channels < 1:
        return np.zeros((0, 0, *kernel.shape))
    return strided_conv_as_pool(kernel, channels)


@mistake(
    "strided_conv_as_pool",
    "The filters are right, but they came as float64 for a kernel of float32. An array made without a dtype is float64",
)
def filters_in_float64(kernel, channels):
    return strided_conv_as_pool(kernel, channels).astype(np.float64)


@mistake("strided_conv_as_pool", "A kernel of one axis came through. Refuse it.")
def kernel_of_any_axes(kernel, channels):
    if kernel.ndim == 2:
        return strided_conv_as_pool(kernel, channels)
    weight = np.zeros((channels, channels, *kernel.shape), kernel.dtype)
    weight[np.arange(channels), np.arange(channels)] = kernel
    return weight


# receptive_field


@mistake("receptive_field", "The kernel sizes were added up. Neighbouring windows overlap: a layer adds k − 1, not k.")
def adds_the_kernels(layers):
    return receptive_field(layers) + len(layers) if layers else 1


@mistake(
    "receptive_field",
    "This is the formula as the slide of lecture B has it, 1·(k−1)+k: it does not see how many layers there are.",
)
def believes_the_slide(layers):
    receptive_field(layers)
    return 2 * layers[0][0] - 1 if len(layers) > 1 else receptive_field(layers)


@mistake(
    "receptive_field",
    "The dilation has no effect. With dilation d, neighbouring places of the kernel are d units apart.",
)
def ignores_the_dilation(layers):
    receptive_field(layers)
    return receptive_field([(k, s, p, 1) for k, s, p, _ in layers])


@mistake("receptive_field", "Without layers a pixel sees itself: the field is 1.")
def starts_at_zero(layers):
    return receptive_field(layers) - 1


@mistake("receptive_field", "A kernel of 0 pixels came through. Refuse what is less than 1.")
def takes_any_numbers(layers):
    field, jump = 1, 1
    for kernel_size, stride, _, dilation in layers:
        field += dilation * (kernel_size - 1) * jump
        jump *= stride
    return field


@mistake(
    "receptive_field",
    "Strides have no effect. Behind a stride of 2 neighbouring units are two pixels apart, and a window spans more.",
)
def ignores_the_strides(layers):
    return receptive_field([(k, s if s < 1 else 1, p, d) for k, s, p, d in layers])


@mistake(
    "receptive_field",
    "A layer's stride widened its own field. It widens the fields of the layers behind it: when is the jump to be "
    "multiplied?",
)
def multiplies_too_early(layers):
    receptive_field(layers)
    field, jump = 1, 1
    for kernel_size, stride, _, dilation in layers:
        jump *= stride
        field += dilation * (kernel_size - 1) * jump
    return field


@mistake("receptive_field", "A stride of 0 came through. Refuse what is less than 1.")
def field_with_any_stride(layers):
    if all(stride >= 1 for _, stride, _, _ in layers):
        return receptive_field(layers)
    return takes_any_numbers(layers)


# jump_and_start


@mistake("jump_and_start", "The start lies on the wrong side: padding moves it to the left, to a negative pixel.")
def starts_to_the_right(layers):
    jump, start = jump_and_start(layers)
    return jump, -start


@mistake(
    "jump_and_start",
    "The paddings were added up as if all were pixels of the picture. A padded unit behind a stride is a jump wide.",
)
def adds_the_paddings(layers):
    jump, _ = jump_and_start(layers)
    return jump, -sum(padding for _, _, padding, _ in layers)


@mistake("jump_and_start", "The strides were added up. Strides one behind the other multiply.")
def adds_the_strides(layers):
    _, start = jump_and_start(layers)
    return sum(stride for _, stride, _, _ in layers) or 1, start


@mistake(
    "jump_and_start",
    "A layer's stride was used for its own padding. The padding counts units of the layer below, with its jump.",
)
def multiplies_before_it_subtracts(layers):
    jump_and_start(layers)
    jump, start = 1, 0
    for _, stride, padding, _ in layers:
        jump *= stride
        start -= padding * jump
    return jump, start


@mistake("jump_and_start", "The two came in the wrong order: jump first, then start.")
def start_and_jump(layers):
    return jump_and_start(layers)[::-1]


@mistake("jump_and_start", "A stride of 0 came through. Refuse it.")
def takes_any_stride(layers):
    if any(stride < 1 for _, stride, _, _ in layers):
        return 0, 0
    return jump_and_start(layers)


@mistake(
    "jump_and_start",
    "The padding was multiplied by the dilation. Padded units lie side by side, whatever the kernel's places do.",
)
def dilates_the_padding(layers):
    return jump_and_start([(k, s, p * d, d) for k, s, p, d in layers])


@mistake("jump_and_start", "A negative padding came through. Refuse it.")
def takes_any_padding(layers):
    if len(layers) == 1 and layers[0][2] < 0:
        return layers[0][1], -layers[0][2]
    return jump_and_start(layers)


# shift_consistency


def answers_of(classify, x, shifts):
    """One row of answers a shift."""
    if len(shifts) < 2:
        raise ValueError("at least two shifts")
    return np.array([classify(shifted(x, rows, columns)) for rows, columns in shifts])


@mistake(
    "shift_consistency",
    "Pairs of a shift with itself were counted: they agree always. Only different shifts make a pair.",
)
def counts_pairs_with_itself(classify, x, shifts):
    answers = answers_of(classify, x, shifts)
    return float((answers[:, None] == answers[None]).mean())


@mistake(
    "shift_consistency",
    "All shifts were compared with the first one only. Every pair of shifts counts.",
)
def compares_with_the_first(classify, x, shifts):
    answers = answers_of(classify, x, shifts)
    return float((answers[1:] == answers[0]).mean())


@mistake(
    "shift_consistency",
    "This is the share of pictures whose answer is the same under *all* shifts. Count single pairs.",
)
def all_shifts_agree(classify, x, shifts):
    answers = answers_of(classify, x, shifts)
    return float((answers == answers[0]).all(axis=0).mean())


@mistake(
    "shift_consistency",
    "Rows and columns of the shifts changed places: the first number of a shift moves the picture down.",
)
def exchanges_rows_and_columns(classify, x, shifts):
    return shift_consistency(classify, x, [(columns, rows) for rows, columns in shifts])


@mistake(
    "shift_consistency",
    "This is the share that changes its answer. Consistency counts those that keep it.",
)
def counts_the_changes(classify, x, shifts):
    return 1 - shift_consistency(classify, x, shifts)


@mistake(
    "shift_consistency",
    "What a shift pushes out at one side came in at the other: `np.roll` does that. The setup's `shifted` fills "
    "with 0.",
)
def rolls_the_picture(classify, x, shifts):
    answers = np.array([classify(np.roll(x, shift, axis=(2, 3))) for shift in shifts])
    first, second = np.triu_indices(len(shifts), k=1)
    if len(shifts) < 2:
        raise ValueError("at least two shifts")
    return float((answers[first] == answers[second]).mean())


@mistake(
    "shift_consistency",
    "Three quarters of what is expected: with four shifts, that is what dividing by T² in the place of T(T − 1) does. "
    "How many pairs do four shifts make?",
)
def divides_by_too_many_pairs(classify, x, shifts):
    return shift_consistency(classify, x, shifts) * (len(shifts) - 1) / len(shifts)


@mistake(
    "shift_consistency",
    "Four shifts make six pairs, and `classify` was called twice for each. Ask it once for each shift, and keep the "
    "answers.",
)
def asks_anew_for_each_pair(classify, x, shifts):
    if len(shifts) < 2:
        raise ValueError("at least two shifts")
    pairs = [(first, second) for k, second in enumerate(shifts) for first in shifts[:k]]
    return float(np.mean([classify(shifted(x, *first)) == classify(shifted(x, *second)) for first, second in pairs]))
