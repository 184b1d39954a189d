"""Wrong answers to the exercises of module 05, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "dilated_extent": (
        "Symptom: right for dilation 1 and too large for dilation 2? Then a gap is counted that lies "
        "outside the comb. "
        "One too small everywhere? Then the first pixel is missing.",
        "Idea: K teeth have K − 1 gaps between them. Each gap is a step of d pixels from one tooth to the next.",
        "Outline: refuse numbers below 1; walk from the first tooth to the last and note how many pixels "
        "you moved; "
        "the pixel you started on counts too.",
    ),
    "output_size": (
        "Symptom: right at stride 1, wrong at stride 2? Look at what is divided, and at what is added "
        "afterwards. "
        "A number came back where an error was expected? Look at what happens to the remainder. "
        "A float came back? / gives one even where nothing is left over.",
        "Idea: the first window needs E pixels, each further window S more. How many times does S go into "
        "what is left, "
        "and is anything left over?",
        "Outline: check the ranges; compute the extent (you have a function for it); the room is the "
        "padded size less the extent; "
        "raise when the room is negative or no multiple of the stride; otherwise divide, and count the "
        "first window too.",
    ),
    "same_padding": (
        "Symptom: right for 3, 5 and 7 but not with dilation? The kernel's span decides, not its number of weights.",
        "Idea: at stride 1 a window takes away E − 1 pixels. The zeros at both ends together give them back.",
        "Outline: compute the extent; find how many zeros are needed in total; raise when they cannot be "
        "dealt out equally "
        "to two ends; return one end's share.",
    ),
    "cross_correlate2d": (
        "Symptom: the right shape with wrong numbers at stride 1: is the kernel flipped, or was it "
        "multiplied as a matrix? Wrong for a kernel of two rows and three columns only: which of its axes is "
        "which? Right at stride 1, wrong at stride 2: where does window (i, j) start? Right without padding "
        "only: on which sides are the zeros?",
        "Idea: one output is one window of the padded image times the kernel, entry by entry, summed. "
        "Window (i, j) starts at row iS, "
        "column jS.",
        "Outline: check that both are two-dimensional; get the two output sizes from output_size, which "
        "raises what has to be raised; "
        "choose the dtype (np.result_type names that of the product; np.issubdtype tells whether it holds "
        "integers) and convert before anything is multiplied; pad; make an output of zeros; fill it entry by "
        "entry from its window; return it.",
    ),
    "audit_slide": (
        "Symptom: positions off by one? Rows and columns count from 0. An error about shapes? "
        "Compute the answer at the slide's stride and padding. An error about indices? `claimed` may be a "
        "nested list: make it an array first.",
        "Idea: the correct answer is one call away. What remains is a comparison of two arrays of the same shape.",
        "Outline: compute the correct output with the given stride and padding; compare the shapes and "
        "raise when they differ; go through the "
        "entries in reading order and note position, claimed and correct value wherever they differ.",
    ),
    "convolve2d": (
        "Symptom: the stride-1 answer of the practice example, unchanged? Then nothing was flipped. Some "
        "entries right? Then one axis was.",
        "Idea: turning by 180° reverses the rows and the columns, and leaves the image alone.",
        "Outline: make a kernel whose first row is the last one read backwards, and so on; hand it to the "
        "function you have.",
    ),
    "correlate_channels": (
        "Symptom: three axes came back instead of two? The channels were computed and not yet put together. "
        "Floats from integers? Look at what the maps are added to.",
        "Idea: each channel is a two-dimensional problem that you have solved. The maps of all channels are added.",
        "Outline: check that both have three axes and the same number of channels; cross-correlate "
        "channel by channel; add the maps; return the sum.",
    ),
    "conv_parameters": (
        "Symptom: right without the bias and too large or small with it? Count biases for one filter "
        "first. Too small by a factor of 3? "
        "Look at how deep a filter is.",
        "Idea: count one filter: its weights on one channel, times the channels, plus its bias. Then count filters.",
        "Outline: check the ranges; parameters of one filter, with or without its bias; times the number of filters.",
    ),
    "conv_macs": (
        "Symptom: right where height and width agree only? Both are used once. Too small? Look for the "
        "factor that is missing: "
        "the expected value divided by yours.",
        "Idea: one output entry costs as many products as its filter has weights. How many output entries are there?",
        "Outline: check the ranges; weights of one filter; outputs in all maps together; multiply.",
    ),
    "connection_counts": (
        "Symptom: only the convolutional pair is wrong? Ask who owns a weight and who makes a "
        "multiplication: they are not the same there.",
        "Idea: a unit multiplies once for each pixel it sees, in every wiring. Weights are counted once "
        "for each owner: a unit, or a whole map.",
        "Outline: count pixels, units and the pixels of a field; for each wiring write down how many "
        "pixels a unit sees and how many owners of weights there are.",
    ),
    "transposed_output_size": (
        "Symptom: too large with padding? What a convolution adds, its way back removes. Too large by one "
        "stride? The first stamp starts at 0. An error where a number was expected? An output_padding below "
        "the stride is in range, and so is one below the dilation.",
        "Idea: solve the formula of output_size for the size. Or count stamps: where does the last one "
        "start, and where does it end?",
        "Outline: check the ranges, that of output_padding against stride and dilation; start of the last "
        "stamp, plus its extent, less "
        "what is cut off at both ends, plus the extra pixels; raise when nothing is left.",
    ),
}


# dilated_extent


@mistake(
    "dilated_extent",
    "This counts a gap after the last weight as well. The extent ends on the last covered pixel: how many "
    "gaps lie between K weights?",
)
def kernel_times_dilation(kernel, dilation):
    if kernel < 1 or dilation < 1:
        raise ValueError("at least 1")
    return kernel * dilation


@mistake(
    "dilated_extent",
    "This is the distance from the first pixel to the last. Pixels are to be counted, both ends included, "
    "as posts of a fence and not its gaps.",
)
def distance_instead_of_count(kernel, dilation):
    if kernel < 1 or dilation < 1:
        raise ValueError("at least 1")
    return dilation * (kernel - 1)


@mistake(
    "dilated_extent",
    "This takes the dilation for the number of skipped pixels. It is the distance between neighbouring "
    "weights: at dilation 1 they touch, and none is skipped.",
)
def dilation_counts_skipped_pixels(kernel, dilation):
    if kernel < 1 or dilation < 1:
        raise ValueError("at least 1")
    return kernel + dilation * (kernel - 1)


@mistake(
    "dilated_extent", "This widens one gap. Every gap between neighbouring weights is widened: how many are there?"
)
def widens_one_gap(kernel, dilation):
    if kernel < 1 or dilation < 1:
        raise ValueError("at least 1")
    return kernel + dilation - 1


@mistake(
    "dilated_extent",
    "The values are right, but a dilation of 0 came through: all weights would lie on one pixel. Check "
    "the ranges first.",
)
def accepts_dilation_zero(kernel, dilation):
    return dilation * (kernel - 1) + 1


# output_size


def room_for_windows(size, kernel, stride, padding, dilation):
    """What the answers below do correctly: the ranges, and the room that is left after the first window."""
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError("out of range")
    room = size + 2 * padding - dilated_extent(kernel, dilation)
    if room < 0:
        raise ValueError("cannot fit")
    return room


@mistake(
    "output_size",
    "This rounds down, as PyTorch does: the pixels after the last whole window are never looked at, and "
    "nobody is told. "
    "What should happen here to a remainder?",
)
def rounds_down(size, kernel, stride=1, padding=0, dilation=1):
    return room_for_windows(size, kernel, stride, padding, dilation) // stride + 1


@mistake(
    "output_size",
    "A fraction of a window came back. The formula is right; what remains is to notice that its result is "
    "no whole number.",
)
def returns_a_fraction(size, kernel, stride=1, padding=0, dilation=1):
    return room_for_windows(size, kernel, stride, padding, dilation) / stride + 1


@mistake(
    "output_size",
    "One window is missing, the first: it needs no stride to get where it is. A kernel as large as the "
    "image still fits once.",
)
def forgets_the_first_window(size, kernel, stride=1, padding=0, dilation=1):
    room = room_for_windows(size, kernel, stride, padding, dilation)
    if room % stride:
        raise ValueError("cannot fit")
    return room // stride


@mistake("output_size", "The padding is counted once. It is added at both ends of the side.")
def pads_one_end(size, kernel, stride=1, padding=0, dilation=1):
    room = room_for_windows(size, kernel, stride, padding, dilation) - padding
    if room < 0 or room % stride:
        raise ValueError("cannot fit")
    return room // stride + 1


@mistake(
    "output_size",
    "The dilation has no effect. A dilated kernel spans more pixels than it has weights, and the span is "
    "what the first window uses up.",
)
def forgets_the_dilation(size, kernel, stride=1, padding=0, dilation=1):
    room = room_for_windows(size, kernel, stride, padding, 1)
    if room % stride:
        raise ValueError("cannot fit")
    return room // stride + 1


@mistake(
    "output_size",
    "The number is right, but it is a float: / gives one even where nothing is left over. Shapes and range() "
    "take ints only: which division gives a whole number?",
)
def returns_a_float(size, kernel, stride=1, padding=0, dilation=1):
    return output_size(size, kernel, stride, padding, dilation) / 1


@mistake(
    "output_size",
    "This rounds up: the last window sticks out over the end of the image. What should happen here to a remainder?",
)
def rounds_up(size, kernel, stride=1, padding=0, dilation=1):
    return -(-room_for_windows(size, kernel, stride, padding, dilation) // stride) + 1


@mistake(
    "output_size",
    "The kernel is larger than the padded image, so the room is negative and so is this number of windows. "
    "Nothing notices that no window fits at all.",
)
def counts_negative_windows(size, kernel, stride=1, padding=0, dilation=1):
    if min(size, stride) < 1 or padding < 0:
        raise ValueError("out of range")
    room = size + 2 * padding - dilated_extent(kernel, dilation)
    if room % stride:
        raise ValueError("cannot fit")
    return room // stride + 1


# same_padding


@mistake(
    "same_padding",
    "An even kernel got a padding, but with it the output is one pixel larger than the input. Does the "
    "total divide equally between two ends?",
)
def half_the_kernel(kernel, dilation=1):
    if kernel < 1 or dilation < 1:
        raise ValueError("at least 1")
    return kernel // 2


@mistake(
    "same_padding",
    "The dilation has no effect. The span of the kernel decides how much the side shrinks, not its number of weights.",
)
def padding_forgets_the_dilation(kernel, dilation=1):
    return same_padding(kernel)


@mistake("same_padding", "This is the padding of both ends together. One end gets its share of it.")
def total_padding(kernel, dilation=1):
    extent = dilated_extent(kernel, dilation)
    if extent % 2 == 0:
        raise ValueError("even")
    return extent - 1


@mistake(
    "same_padding",
    "This refuses every even number of weights. With dilation, an even number of weights can span an odd "
    "number of pixels: judge the span.",
)
def refuses_even_kernels(kernel, dilation=1):
    if kernel % 2 == 0:
        raise ValueError("the kernel is even")
    return same_padding(kernel, dilation)


@mistake(
    "same_padding",
    "A kernel of two weights got no padding at all: // rounded half a zero away, and the output is one pixel "
    "smaller than the input. Test before you divide whether the total can be halved.",
)
def halves_without_a_test(kernel, dilation=1):
    return (dilated_extent(kernel, dilation) - 1) // 2


@mistake(
    "same_padding",
    "Half a zero came back. The total is right; what remains is to notice that it cannot be dealt out equally "
    "to two ends.",
)
def half_a_zero(kernel, dilation=1):
    return (dilated_extent(kernel, dilation) - 1) / 2


@mistake(
    "same_padding",
    "The number is right, but it is a float: / gives one even where nothing is left over. No function that "
    "pads takes a float: which division gives a whole number?",
)
def padding_as_a_float(kernel, dilation=1):
    return same_padding(kernel, dilation) / 1


# cross_correlate2d


@mistake(
    "cross_correlate2d",
    "This is convolution as mathematics has it: the kernel was turned by 180° before it slid. Here it "
    "lies on the window as it is.",
)
def flips_the_kernel(image, kernel, stride=1, padding=0):
    return cross_correlate2d(image, np.asarray(kernel)[::-1, ::-1], stride, padding)


def prepared(image, kernel, stride, padding):
    """What the answers below do correctly: the checks, the dtype, the padding, and an output of zeros."""
    out = np.zeros_like(cross_correlate2d(image, kernel, stride, padding))
    return np.pad(np.asarray(image).astype(out.dtype), padding), np.asarray(kernel).astype(out.dtype), out


@mistake(
    "cross_correlate2d",
    "The kernel's height and width changed places. Its shape is (K_h, K_w), rows first: which of the two numbers "
    "belongs to the rows of a window, and to `image.shape[0]`?",
)
def swaps_the_kernel_axes(image, kernel, stride=1, padding=0):
    padded, kernel, _ = prepared(image, kernel, stride, padding)
    kernel_width, kernel_height = kernel.shape
    out_height = output_size(len(image), kernel_height, stride, padding)
    out = np.zeros((out_height, output_size(len(image[0]), kernel_width, stride, padding)), kernel.dtype)
    for i, j in np.ndindex(out.shape):
        window = padded[i * stride : i * stride + kernel_height, j * stride : j * stride + kernel_width]
        out[i, j] = (window * kernel).sum()
    return out


@mistake(
    "cross_correlate2d",
    "Each entry holds one product only, that of the kernel's last weight: every product replaced the one before. "
    "What should happen to the products of a window? Look at the = inside the loop.",
)
def keeps_the_last_product(image, kernel, stride=1, padding=0):
    padded, kernel, out = prepared(image, kernel, stride, padding)
    for i, j in np.ndindex(out.shape):
        for a, b in np.ndindex(kernel.shape):
            out[i, j] = kernel[a, b] * padded[i * stride + a, j * stride + b]
    return out


@mistake(
    "cross_correlate2d",
    "The first row is right and the others are still zero: the function returned while the loop over the rows had "
    "more to do. Look at how far the return is indented.",
)
def returns_inside_the_loop(image, kernel, stride=1, padding=0):
    _, _, out = prepared(image, kernel, stride, padding)
    out[0] = cross_correlate2d(image, kernel, stride, padding)[0]
    return out


@mistake(
    "cross_correlate2d",
    "This is the answer for stride 1: every window is computed. How far apart should two neighbouring windows start?",
)
def ignores_the_stride(image, kernel, stride=1, padding=0):
    cross_correlate2d(image, kernel, stride, padding)
    return cross_correlate2d(image, kernel, 1, padding)


@mistake(
    "cross_correlate2d",
    "The windows move by the stride in one direction and by one pixel in the other. Row and column of a window's "
    "corner both depend on the stride.",
)
def strides_down_only(image, kernel, stride=1, padding=0):
    width = cross_correlate2d(image, kernel, stride, padding).shape[1]
    return cross_correlate2d(image, kernel, 1, padding)[::stride, :width]


@mistake(
    "cross_correlate2d",
    "The windows were counted on the image without its zeros, so the last rows and columns are missing. "
    "What else must `output_size` be told?",
)
def size_forgets_the_padding(image, kernel, stride=1, padding=0):
    height, width = (output_size(n, k, stride) for n, k in zip(np.shape(image), np.shape(kernel), strict=True))
    return cross_correlate2d(image, kernel, stride, padding)[:height, :width]


@mistake(
    "cross_correlate2d",
    "The products were computed in uint8, which starts again from 0 after 255; that the sum is wider comes too late. "
    "Convert before you multiply.",
)
def products_wrap_at_256(image, kernel, stride=1, padding=0):
    _, _, out = prepared(image, kernel, stride, padding)
    image, kernel = np.asarray(image), np.asarray(kernel)
    padded = np.pad(image, padding)
    for i, j in np.ndindex(out.shape):
        window = padded[i * stride :, j * stride :][: kernel.shape[0], : kernel.shape[1]]
        out[i, j] = (window * kernel).sum()
    return out


# audit_slide


@mistake(
    "audit_slide", "The positions count from 1. In this course, as in NumPy, the upper left entry is row 0, column 0."
)
def counts_from_one(image, kernel, claimed, stride=1, padding=0):
    return [(i + 1, j + 1, *values) for i, j, *values in audit_slide(image, kernel, claimed, stride, padding)]


@mistake(
    "audit_slide",
    "Claimed and correct value changed places. First what the slide says, then what it should say.",
)
def swaps_claimed_and_correct(image, kernel, claimed, stride=1, padding=0):
    return [(i, j, right, said) for i, j, said, right in audit_slide(image, kernel, claimed, stride, padding)]


@mistake("audit_slide", "The audit stopped at the first error. Is there a return inside the loop?")
def stops_at_the_first_error(image, kernel, claimed, stride=1, padding=0):
    return audit_slide(image, kernel, claimed, stride, padding)[:1]


@mistake("audit_slide", "Only the positions came back. Each tuple also holds the claimed and the correct value.")
def reports_positions_only(image, kernel, claimed, stride=1, padding=0):
    return [(i, j) for i, j, *_ in audit_slide(image, kernel, claimed, stride, padding)]


@mistake(
    "audit_slide",
    "A slide whose output has the wrong shape was compared all the same. Compare the shapes first; "
    "entries of different shapes have no common position.",
)
def compares_what_overlaps(image, kernel, claimed, stride=1, padding=0):
    correct = cross_correlate2d(image, kernel, stride, padding)
    claimed = np.atleast_2d(claimed)
    rows, columns = np.minimum(claimed.shape, correct.shape)
    return [
        (i, j, claimed[i, j].item(), correct[i, j].item())
        for i in range(rows)
        for j in range(columns)
        if not np.isclose(claimed[i, j], correct[i, j])
    ]


def listed(claimed, correct):
    """The wrong entries in reading order, where the shapes agree; what the answers below do correctly."""
    claimed = np.asarray(claimed)
    if claimed.shape != correct.shape:
        raise ValueError("the shapes differ")
    wrong = np.argwhere(~np.isclose(claimed, correct))
    return [(int(i), int(j), claimed[i, j].item(), correct[i, j].item()) for i, j in wrong]


@mistake(
    "audit_slide",
    "A slide at stride 2 was compared with the answer at stride 1, so their shapes differ. Does `stride` reach the "
    "function that computes the correct answer?",
)
def audits_at_stride_one(image, kernel, claimed, stride=1, padding=0):
    return listed(claimed, cross_correlate2d(image, kernel, 1, padding))


@mistake(
    "audit_slide",
    "A slide with padding 1 was compared with the answer without padding, so their shapes differ. Does `padding` "
    "reach the function that computes the correct answer?",
)
def audits_without_padding(image, kernel, claimed, stride=1, padding=0):
    return listed(claimed, cross_correlate2d(image, kernel, stride))


@mistake(
    "audit_slide",
    "The entries are listed column by column. Reading order goes along a row, then to the next: which index belongs "
    "to the outer loop?",
)
def lists_column_by_column(image, kernel, claimed, stride=1, padding=0):
    return sorted(audit_slide(image, kernel, claimed, stride, padding), key=lambda entry: (entry[1], entry[0]))


# convolve2d


@mistake("convolve2d", "This is the cross-correlation: the kernel was not flipped.")
def does_not_flip(image, kernel):
    return cross_correlate2d(image, kernel)


@mistake("convolve2d", "The rows of the kernel were reversed and its columns were not. A turn by 180° reverses both.")
def flips_the_rows_only(image, kernel):
    return cross_correlate2d(image, np.asarray(kernel)[::-1])


@mistake("convolve2d", "The columns of the kernel were reversed and its rows were not. A turn by 180° reverses both.")
def flips_the_columns_only(image, kernel):
    return cross_correlate2d(image, np.asarray(kernel)[:, ::-1])


@mistake(
    "convolve2d",
    "The kernel was transposed. That mirrors it at its diagonal; a turn by 180° reverses both axes and swaps neither.",
)
def transposes_the_kernel(image, kernel):
    return cross_correlate2d(image, np.asarray(kernel).T)


@mistake(
    "convolve2d", "The image was turned instead of the kernel: the right numbers come out, turned by 180° themselves."
)
def flips_the_image(image, kernel):
    return cross_correlate2d(np.asarray(image)[::-1, ::-1], kernel)


# correlate_channels


def maps_of_channels(image, kernel):
    """The maps of the single channels, with the checks that every answer below does correctly."""
    correlate_channels(image, kernel)
    return np.stack([cross_correlate2d(channel, weight) for channel, weight in zip(image, kernel, strict=True)])


@mistake(
    "correlate_channels",
    "Every channel still has a map of its own. One filter gives one map, however many channels go in: put "
    "them together.",
)
def keeps_the_channels(image, kernel):
    return maps_of_channels(image, kernel)


@mistake("correlate_channels", "The maps were averaged. They are to be summed, as in the formula.")
def averages_the_channels(image, kernel):
    return maps_of_channels(image, kernel).mean(axis=0)


@mistake(
    "correlate_channels",
    "Of the maps the largest entry was taken at each position. They are to be summed, as in the formula.",
)
def takes_the_largest_channel(image, kernel):
    return maps_of_channels(image, kernel).max(axis=0)


@mistake(
    "correlate_channels",
    "The first channel's kernel was used for all channels. Each channel has its own: which index of the "
    "kernel counts channels?",
)
def one_kernel_for_all(image, kernel):
    correlate_channels(image, kernel)
    return correlate_channels(image, np.repeat(np.asarray(kernel)[:1], len(kernel), axis=0))


@mistake(
    "correlate_channels",
    "Three channels met two kernels, and the third channel was silently left out (zip stops at the "
    "shorter). Compare the numbers first.",
)
def leaves_out_channels(image, kernel):
    shared = min(len(image), len(kernel))
    return correlate_channels(image[:shared], kernel[:shared])


@mistake(
    "correlate_channels",
    "This is the last channel's map alone: each map replaced the one before. They are to be summed, as in the formula.",
)
def keeps_the_last_channel(image, kernel):
    return maps_of_channels(image, kernel)[-1]


@mistake(
    "correlate_channels",
    "The channels were taken along the last axis, as in a photograph (H, W, 3). Here the shapes are (C, H, W) and "
    "(C, K, K): which axis counts channels?",
)
def channels_last(image, kernel):
    correlate_channels(image, kernel)
    image, kernel = np.asarray(image), np.asarray(kernel)
    return sum(cross_correlate2d(image[:, :, c], kernel[:, :, c]) for c in range(len(image)))


@mistake(
    "correlate_channels",
    "The numbers are right, but integers became floats. np.zeros makes floats unless it is told otherwise: what "
    "dtype do the maps have that are added to it?",
)
def adds_to_float_zeros(image, kernel):
    return correlate_channels(image, kernel).astype(float)


# conv_parameters


@mistake(
    "conv_parameters", "A filter was counted as flat. It reaches through all channels of its input: how deep is it?"
)
def forgets_the_input_channels(in_channels, out_channels, kernel, bias=True):
    return conv_parameters(1, out_channels, kernel, bias)


@mistake(
    "conv_parameters",
    "One bias was counted for the whole layer. How many filters are there, and does each add its own?",
)
def one_bias_in_all(in_channels, out_channels, kernel, bias=True):
    return conv_parameters(in_channels, out_channels, kernel, bias=False) + int(bias)


@mistake("conv_parameters", "The biases are missing. They are parameters too, unless `bias` is False.")
def forgets_the_biases(in_channels, out_channels, kernel, bias=True):
    return conv_parameters(in_channels, out_channels, kernel, bias=False)


@mistake(
    "conv_parameters",
    "A bias was counted for each input channel of each filter. A filter sums over its channels first: how "
    "many biases does one sum need?",
)
def one_bias_a_channel(in_channels, out_channels, kernel, bias=True):
    return out_channels * in_channels * (kernel * kernel + int(bias))


@mistake("conv_parameters", "The kernel was counted along one side. It is square: how many weights lie in it?")
def kernel_not_squared(in_channels, out_channels, kernel, bias=True):
    return out_channels * (kernel * in_channels + int(bias))


@mistake(
    "conv_parameters",
    "The biases are counted although `bias` is False. Right by default; look at how the argument is used.",
)
def always_counts_biases(in_channels, out_channels, kernel, bias=True):
    return conv_parameters(in_channels, out_channels, kernel)


# conv_macs


@mistake("conv_macs", "This is the work of one filter. How many filters slide over the image?")
def one_filter_only(in_channels, out_channels, kernel, out_height, out_width):
    return conv_macs(in_channels, 1, kernel, out_height, out_width)


@mistake("conv_macs", "This is the work on one channel. A filter multiplies in every channel of its input.")
def one_channel_only(in_channels, out_channels, kernel, out_height, out_width):
    return conv_macs(1, out_channels, kernel, out_height, out_width)


@mistake("conv_macs", "The additions were counted separately. One MAC is a multiplication together with its addition.")
def counts_additions_too(in_channels, out_channels, kernel, out_height, out_width):
    return 2 * conv_macs(in_channels, out_channels, kernel, out_height, out_width)


@mistake("conv_macs", "The biases were counted as multiplications. A bias is added; nothing is multiplied by it.")
def counts_biases(in_channels, out_channels, kernel, out_height, out_width):
    weights = conv_macs(in_channels, out_channels, kernel, out_height, out_width)
    return weights + out_channels * out_height * out_width


@mistake("conv_macs", "The output was taken to be square: its height was used twice. Maps may be wider than high.")
def squares_the_height(in_channels, out_channels, kernel, out_height, out_width):
    return conv_macs(in_channels, out_channels, kernel, out_height, out_height)


@mistake("conv_macs", "These are the weights, counted once. Each is used again at every position of the output.")
def counts_each_weight_once(in_channels, out_channels, kernel, out_height, out_width):
    return conv_macs(in_channels, out_channels, kernel, 1, 1)


# connection_counts


def with_convolutional(counts, weights, multiplications):
    return {**counts, "convolutional": (weights, multiplications)}


@mistake(
    "connection_counts",
    "Sharing was taken to save multiplications. A shared weight is stored once, but how often is it used?",
)
def sharing_saves_work(height, width, maps, kernel):
    counts = connection_counts(height, width, maps, kernel)
    weights = counts["convolutional"][0]
    return with_convolutional(counts, weights, weights)


@mistake(
    "connection_counts", "The units of one map were counted. There are as many units as all maps together have pixels."
)
def units_of_one_map(height, width, maps, kernel):
    return connection_counts(height, width, 1, kernel)


@mistake("connection_counts", "One filter was counted for all maps. Units share within a map: how many maps are there?")
def one_filter_for_all_maps(height, width, maps, kernel):
    counts = connection_counts(height, width, maps, kernel)
    return with_convolutional(counts, kernel * kernel, counts["convolutional"][1])


@mistake("connection_counts", "Biases were counted among the weights. Here, as on the slide, they are left out.")
def counts_the_biases(height, width, maps, kernel):
    counts = connection_counts(height, width, maps, kernel)
    units = maps * height * width
    owners = {"fully connected": units, "locally connected": units, "convolutional": maps}
    return {name: (weights + owners[name], products) for name, (weights, products) in counts.items()}


@mistake(
    "connection_counts",
    "The field was counted along one side only. It is square: how many pixels does a unit see?",
)
def field_not_squared(height, width, maps, kernel):
    if kernel < 1:
        raise ValueError("at least 1")
    units = maps * height * width
    counts = connection_counts(height, width, maps, kernel)
    counts["locally connected"] = (units * kernel, units * kernel)
    return with_convolutional(counts, maps * kernel, units * kernel)


@mistake(
    "connection_counts",
    "The fully connected wiring counts one map's units only. How many hidden units are there in all, and how many "
    "pixels does each of them see?",
)
def fully_connects_one_map(height, width, maps, kernel):
    pairs = height * width * height * width
    return {**connection_counts(height, width, maps, kernel), "fully connected": (pairs, pairs)}


@mistake(
    "connection_counts",
    "The locally connected wiring counts one map's units only. The same hidden units are wired in all three ways: "
    "how many are there?",
)
def locally_connects_one_map(height, width, maps, kernel):
    local = connection_counts(height, width, 1, kernel)["locally connected"]
    return {**connection_counts(height, width, maps, kernel), "locally connected": local}


@mistake(
    "connection_counts",
    "The numbers are right, but one of them is a float: something was divided with /. Can the shared weights be "
    "counted by multiplying alone?",
)
def divides_by_the_positions(height, width, maps, kernel):
    counts = connection_counts(height, width, maps, kernel)
    multiplications = counts["convolutional"][1]
    return with_convolutional(counts, multiplications / (height * width), multiplications)


# transposed_output_size


@mistake(
    "transposed_output_size",
    "This is the forward formula once more: the map became smaller. Solve it for the size of the input.",
)
def goes_forward(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    transposed_output_size(size, kernel, stride, padding, output_padding, dilation)
    return (size + 2 * padding - dilated_extent(kernel, dilation)) // stride + 1


@mistake(
    "transposed_output_size",
    "One stride too many: the first stamp starts at pixel 0. How many steps lie between the first and the "
    "last of N' stamps?",
)
def one_stride_too_many(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    return transposed_output_size(size, kernel, stride, padding, output_padding, dilation) + stride


@mistake(
    "transposed_output_size", "The padding was added. What the convolution adds at both ends, its way back cuts off."
)
def adds_the_padding(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    transposed_output_size(size, kernel, stride, padding, output_padding, dilation)
    return transposed_output_size(size, kernel, stride, 0, output_padding, dilation) + 2 * padding


@mistake("transposed_output_size", "The dilation has no effect. A dilated stamp spans more pixels than it has weights.")
def stamp_forgets_the_dilation(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    transposed_output_size(size, kernel, stride, padding, output_padding, dilation)
    return transposed_output_size(size, kernel, stride, padding, min(output_padding, stride - 1))


@mistake(
    "transposed_output_size",
    "An `output_padding` as large as the stride came through. Rounding down by a stride of 2 loses one "
    "pixel at most, so there is no more to give back.",
)
def any_output_padding(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    return transposed_output_size(size, kernel, stride, padding, 0, dilation) + output_padding


@mistake(
    "transposed_output_size",
    "The padding is cut off once. It is cut off at both ends, as a convolution adds it at both.",
)
def cuts_one_end(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    return transposed_output_size(size, kernel, stride, padding, output_padding, dilation) + padding


@mistake(
    "transposed_output_size",
    "An `output_padding` of 1 at stride 2 was refused, because it is not less than the dilation. One of the two, "
    "stride or dilation, has to be larger, not both: look at the `or` in your condition.",
)
def demands_less_than_both(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    if output_padding >= stride or output_padding >= dilation:
        raise ValueError("output_padding is too large")
    return transposed_output_size(size, kernel, stride, padding, output_padding, dilation)


@mistake(
    "transposed_output_size",
    "An `output_padding` of 1 at dilation 2 was refused. It is out of range only where it is at least as large as "
    "the stride and as the dilation.",
)
def compares_with_the_stride_only(size, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    if output_padding >= stride:
        raise ValueError("output_padding is too large")
    return transposed_output_size(size, kernel, stride, padding, output_padding, dilation)
