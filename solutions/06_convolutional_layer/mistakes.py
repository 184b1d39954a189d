"""Wrong answers to the exercises of module 06, and what a learner who gave one should read."""

import numpy as np

from convnets.checks.authoring import mistake

hints = {
    "conv2d_naive": (
        "Symptom: right for one channel only? Look at the axes that are summed. Right without a bias only? Count how "
        "often it is added. Right at stride 1 only? Look at where window (i, j) starts. An output that is too large, "
        "or only zeros? Look at which axes were padded. float64 from float32? Look at the dtype of the array you "
        "fill.",
        "Idea: one output is one window of the padded image, over all channels, times one filter, summed, plus that "
        "filter's bias. There is one for each image, filter, row and column of the output.",
        "Outline: get the output's shape from the helper, which raises what has to be raised; pad the last two axes "
        "only; make the output with the dtype of the products; for each of its entries cut the window out with two "
        "slices, whose step is the dilation; multiply by the filter; sum everything; add the bias once.",
    ),
    "grad_x12_by_hand": (
        "Symptom: 21 instead of 12? The weights are the other way round. 2? A window is missing. 56? The weights are "
        "w₁₁ to w₃₃ on paper and weight[0, 0] to weight[2, 2] in Python. More than 100? A window of the second row of "
        "outputs got in.",
        "Idea: x₁₂ is in row 1. Which windows contain row 1 and column 2? In the window of y₁₁ it stands in column 2; "
        "in which column does it stand in a window that starts one further to the right?",
        "Outline: two outputs, two weights; each gradient times the weight under which x₁₂ stands in that output's "
        "window; add them.",
    ),
    "grad_x_by_hand": (
        "Symptom: a single output spreads a kernel that is turned or mirrored? Look at which weight meets which pixel. "
        "The corners are right and the middle is too small? Later windows replace what earlier ones wrote. Weights "
        "from the far end of the kernel turn up at the border? Python counts negative indices from the end. An output "
        "of the wrong shape? Count how many pixels all windows together see.",
        "Idea: output (i, j) saw the window that starts at pixel (i, j). Its gradient goes back to exactly these "
        "pixels, to each times the weight under which it stood.",
        "Outline: an array of zeros for the pixels; for each output, add its gradient times the whole kernel to the "
        "piece of the array that its window covers.",
    ),
    "im2col": (
        "Symptom: the right numbers in a wrong order? Compare your first row with the one worked out by hand: it is "
        "what one weight sees. Rows and columns exchanged? Windows are columns. Right for one channel only? The order "
        "of the rows is channel, kernel row, kernel column. Right at stride 1 only? Look at the step of the slice.",
        "Idea: all pixels under weight (a, b) form a piece of the padded image that a single slice cuts out. There are "
        "K_h times K_w such pieces.",
        "Outline: the two output sizes from the helper; pad the last two axes; an empty array with six axes, images, "
        "channels, kernel rows, kernel columns, output rows, output columns; two loops over the kernel, each filling "
        "one piece with a slice that starts at (a d, b d), has step S and ends after H' and W' pixels; reshape to "
        "three axes.",
    ),
    "conv2d": (
        "Symptom: right for one filter and wrong for several? Look at the order of the axes when the maps are put "
        "together. Right without bias only? Which axis has the length of the bias? Right at stride 1 only? Are all "
        "options handed on?",
        "Idea: the weights as a matrix with one filter a row, times the columns, is one map a row. Only the last axis "
        "has to be split.",
        "Outline: the output's shape from the helper; the filters reshaped to (C_out, Q); the columns with all "
        "options; the product; the bias as a column, where there is one; reshape to the output's shape.",
    ),
    "col2im": (
        "Symptom: ones where a pixel is seen by several windows? They replace each other instead of adding up. An "
        "array that is too large with padding? The border is still on. Right for one channel only? The columns' rows "
        "must be split in the order in which im2col makes them.",
        "Idea: the same loops and the same slices as in im2col, with the two sides of the assignment exchanged and += "
        "in the place of =.",
        "Outline: the two output sizes from the helper; the columns reshaped to six axes; an array of zeros for the "
        "padded images; two loops over the kernel, each adding one piece to a slice; cut P pixels off on all sides, in "
        "a way that also works for P = 0.",
    ),
    "conv2d_backward": (
        "Symptom: grad_weight half as large as it should be for two images? A mean was taken. Wrong without any "
        "factor? Images were left out, or a reshape stands where axes have to change places. grad_x right for one "
        "filter only? Look at the transpose of the weights. Right at stride 1 only? im2col and col2im both need all "
        "options. grad_bias of the wrong length? One number for each filter has to remain.",
        "Idea: it is a fully connected layer with the columns as its input, for each image. The images share the "
        "weights, so their gradients add up; the copies of a pixel share the pixel, so col2im adds them.",
        "Outline: check the shape of grad_output; give it three axes, (N, C_out, L); the columns of x; grad_weight "
        "by multiplying it with the columns, summed over images and positions, in the shape of weight; grad_cols by "
        "the transposed weight matrix; grad_x by col2im; grad_bias by summing three axes.",
    ),
    "conv1x1_as_matmul": (
        "Symptom: right for one channel and scrambled for two? A reshape mixed channels and pixels. Right for the "
        "symmetric matrix only? It was transposed. The bias alternates along a row? It was added along the wrong axis.",
        "Idea: with the pixels of an image in a row, its channels are the rows of a matrix of shape (C_in, H·W). Which "
        "matrix from the left makes C_out rows of it?",
        "Outline: get the output's shape from the helper and refuse kernels that are not 1 × 1; take the two kernel "
        "axes away; flatten the last two axes of x and no others; multiply; add the bias as a column; reshape.",
    ),
    "linear_to_conv": (
        "Symptom: the right shape with the numbers in a wrong order? Which index of a flattened map runs fastest? "
        "An error was expected and a result came? The number of units is fixed by the matrix, not by what is left.",
        "Idea: a row of the matrix is one filter, flattened in the same way as the maps are.",
        "Outline: check the number of columns; a reshape that keeps the rows.",
    ),
    "conv2d_groups": (
        "Symptom: right for one group only? Each group needs its own channels, its own filters and its own biases. "
        "Right without bias only? Look at which biases a group gets.",
        "Idea: a layer with groups is several layers side by side, whose maps are stacked along the channel axis.",
        "Outline: check that the groups divide channels and filters; for each group cut out its channels, filters and "
        "biases; run the layer you have; stack the maps along axis 1.",
    ),
}


# conv2d_naive


@mistake(
    "conv2d_naive",
    "The kernel was turned by 180° before it slid, as in mathematics. A layer lays it on the window as it is.",
)
def flips_the_filters(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d_naive(x, weight[:, :, ::-1, ::-1], bias, stride, padding, dilation)


@mistake(
    "conv2d_naive",
    "The bias was added once for each channel. It belongs to the filter: add it after the channels are summed.",
)
def adds_the_bias_for_each_channel(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d_naive(x, weight, bias if bias is None else bias * x.shape[1], stride, padding, dilation)


@mistake(
    "conv2d_naive",
    "Only the first channel is seen. A window is as deep as the image: which axes does your sum run over?",
)
def sees_one_channel(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d_naive(x[:, :1], weight[:, :1], bias, stride, padding, dilation)


@mistake(
    "conv2d_naive",
    "The numbers are right, but they came as float64 for arrays of float32: zeros without a dtype are float64. Which "
    "dtype have the products?",
)
def always_float64(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d_naive(x, weight, bias, stride, padding, dilation).astype(np.float64)


@mistake(
    "conv2d_naive",
    "Neighbouring windows are one pixel apart whatever the stride is. Where does window (i, j) start?",
)
def windows_one_pixel_apart(x, weight, bias=None, stride=1, padding=0, dilation=1):
    height, width = output_shape(x, weight, stride, padding, dilation)[2:]
    return conv2d_naive(x, weight, bias, 1, padding, dilation)[:, :, :height, :width]


@mistake(
    "conv2d_naive",
    "The output is right where the windows lie inside the image and too small: it was computed without its padding.",
)
def forgets_to_pad(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d_naive(x, weight, bias, stride, 0, dilation)


@mistake(
    "conv2d_naive",
    "With dilation 2 the weights still lie on neighbouring pixels. Which step must the slice have that cuts out the "
    "window?",
)
def window_without_gaps(x, weight, bias=None, stride=1, padding=0, dilation=1):
    height, width = output_shape(x, weight, stride, padding, dilation)[2:]
    return conv2d_naive(x, weight, bias, stride, padding, 1)[:, :, :height, :width]


@mistake(
    "conv2d_naive",
    "Only zeros: were all four axes padded? `np.pad(x, P)` also puts images and channels of zeros around the batch, "
    "and the first image is then one of them.",
)
def pads_images_and_channels_too(x, weight, bias=None, stride=1, padding=0, dilation=1):
    y = np.zeros(output_shape(x, weight, stride, padding, dilation), np.result_type(x, weight))
    padded = np.pad(x, padding)
    height, width = (dilation * (k - 1) + 1 for k in weight.shape[2:])
    for n, k, i, j in np.ndindex(y.shape):
        top, left = i * stride, j * stride
        window = padded[n, :, top : top + height : dilation, left : left + width : dilation]
        y[n, k, i, j] = (window * weight[k]).sum() + (0 if bias is None else bias[k])
    return y


# grad_x12_by_hand


@mistake(
    "grad_x12_by_hand",
    "Each gradient met the other one's weight. In the window that starts further to the right, x₁₂ stands further to "
    "the left: under which weight?",
)
def weights_run_forwards(grad_output, weight):
    return grad_output[0, 0] * weight[0, 0] + grad_output[0, 1] * weight[0, 1]


@mistake("grad_x12_by_hand", "This is the term of y₁₁ alone. A second window sees x₁₂ as well.")
def one_window_only(grad_output, weight):
    return grad_output[0, 0] * weight[0, 1]


@mistake(
    "grad_x12_by_hand",
    "The outputs y₁₁ and y₂₁ were used, whose windows lie one above the other. Which window sees row 1 and does not "
    "start in column 1?",
)
def takes_the_window_below(grad_output, weight):
    return grad_output[0, 0] * weight[0, 1] + grad_output[1, 0] * weight[0, 0]


@mistake(
    "grad_x12_by_hand",
    "This is the gradient of x₂₁: rows and columns changed places. x₁₂ is in row 1, column 2.",
)
def rows_and_columns_exchanged(grad_output, weight):
    return grad_output[0, 0] * weight[1, 0] + grad_output[1, 0] * weight[0, 0]


@mistake(
    "grad_x12_by_hand",
    "This is the gradient of x₂₂, which four windows see. Windows that start in row 2 do not see row 1; and the "
    "lecture counts from 1.",
)
def counts_from_zero(grad_output, weight):
    return (grad_output * weight[1::-1, 1::-1]).sum()


@mistake(
    "grad_x12_by_hand",
    "The windows are the right ones and the weights are one row and one column too far: w₁₂ is `weight[0, 1]`, because "
    "Python counts from 0 and the lecture from 1.",
)
def counts_the_weights_from_one(grad_output, weight):
    return grad_output[0, 0] * weight[1, 2] + grad_output[0, 1] * weight[1, 1]


@mistake(
    "grad_x12_by_hand",
    "This is the gradient of `x[1, 2]`, which four windows see. The lecture counts from 1: its x₁₂ is `x[0, 1]`.",
)
def takes_the_pixel_as_python_counts(grad_output, weight):
    return (grad_output * weight[1::-1, 2:0:-1]).sum()


# grad_x_by_hand


@mistake(
    "grad_x_by_hand",
    "The kernel that an output spreads is turned by 180°. Output (i, j) gives its gradient back to the pixels that it "
    "saw, to each times the weight that it had there.",
)
def spreads_a_turned_kernel(grad_output, weight):
    return grad_x_by_hand(grad_output, weight[::-1, ::-1])


@mistake(
    "grad_x_by_hand",
    "The kernel that an output spreads is transposed: the weight in row a and column b belongs to the pixel a rows "
    "down and b columns to the right.",
)
def spreads_a_transposed_kernel(grad_output, weight):
    turned = grad_x_by_hand(grad_output.T, weight)
    return turned.T


@mistake(
    "grad_x_by_hand",
    "Where windows overlap, the last one replaced the others. A pixel that is seen four times has four terms: they add "
    "up.",
)
def the_last_window_wins(grad_output, weight):
    (height, width), (k_height, k_width) = grad_output.shape, weight.shape
    grad_x = np.zeros((height + k_height - 1, width + k_width - 1))
    for i, j in np.ndindex(grad_output.shape):
        grad_x[i : i + k_height, j : j + k_width] = grad_output[i, j] * weight
    return grad_x


@mistake(
    "grad_x_by_hand",
    "The terms were averaged over the windows that see a pixel. Paths that meet add up; nothing divides.",
)
def averages_the_windows(grad_output, weight):
    return grad_x_by_hand(grad_output, weight) / grad_x_by_hand(np.ones_like(grad_output), np.ones_like(weight))


@mistake(
    "grad_x_by_hand",
    "This is sized for the lecture's example and fails for others. All sizes follow from the two arguments: H' + K_h − "
    "1 rows, W' + K_w − 1 columns.",
)
def four_by_four_only(grad_output, weight):
    grad_x = np.zeros((4, 4))
    for i, j in np.ndindex(2, 2):
        grad_x[i : i + 3, j : j + 3] += grad_output[i, j] * weight
    return grad_x


@mistake(
    "grad_x_by_hand",
    "One side of the kernel was taken for both: a kernel of 1 × 2 was treated as 1 × 1. Its height and its width are "
    "two numbers.",
)
def height_for_both_sides(grad_output, weight):
    (height, width), k = grad_output.shape, weight.shape[0]
    grad_x = np.zeros((height + k - 1, width + k - 1))
    for i, j in np.ndindex(height, width):
        grad_x[i : i + k, j : j + k] += grad_output[i, j] * weight
    return grad_x


def gathered(grad_output, weight, exists):
    """For each pixel, the terms of the outputs that saw it: those whose weight exists."""
    (height, width), (k_height, k_width) = grad_output.shape, weight.shape
    grad_x = np.zeros((height + k_height - 1, width + k_width - 1))
    for p, q in np.ndindex(grad_x.shape):
        for i, j in np.ndindex(height, width):
            if exists(p - i, q - j):
                grad_x[p, q] += grad_output[i, j] * weight[p - i, q - j]
    return grad_x


@mistake(
    "grad_x_by_hand",
    "Pixels received terms of windows that do not see them: did p − i or q − j become negative? Python then counts "
    "from the end, `weight[-1]` is the last row. Such terms do not exist.",
)
def gathers_with_negative_indices(grad_output, weight):
    return gathered(grad_output, weight, lambda a, b: a < weight.shape[0] and b < weight.shape[1])


@mistake(
    "grad_x_by_hand",
    "A weight was asked for that does not exist. Gathering needs both limits, 0 ≤ p − i < K_h and 0 ≤ q − j < K_w; "
    "below 0 Python would not even complain.",
)
def gathers_without_limits(grad_output, weight):
    return gathered(grad_output, weight, lambda a, b: True)


# im2col


def six_axes(x, kernel_size, stride, padding, dilation):
    """The columns before the last reshape: images, channels, kernel rows and columns, output rows and columns."""
    n, channels, height, width = x.shape
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip((height, width), kernel_size, strict=True)]
    return im2col(x, kernel_size, stride, padding, dilation).reshape(n, channels, *kernel_size, *sides)


@mistake("im2col", "Every window became a row. Here each is a column: the shape is (N, C·K_h·K_w, H'·W').")
def windows_as_rows(x, kernel_size, stride=1, padding=0, dilation=1):
    return im2col(x, kernel_size, stride, padding, dilation).swapaxes(1, 2)


@mistake(
    "im2col",
    "The shape is right and the numbers are scrambled: windows were lined up and then cut into rows by a reshape. A "
    "reshape never moves an axis; put the kernel's axes before the positions first.",
)
def reshapes_without_moving_axes(x, kernel_size, stride=1, padding=0, dilation=1):
    cols = six_axes(x, kernel_size, stride, padding, dilation)
    n, channels, k_height, k_width, height, width = cols.shape
    return cols.transpose(0, 4, 5, 1, 2, 3).reshape(n, channels * k_height * k_width, height * width)


@mistake(
    "im2col",
    "The rows are ordered by kernel place first and channel last. The weights, reshaped, list all places of the first "
    "channel, then those of the second.",
)
def channels_last(x, kernel_size, stride=1, padding=0, dilation=1):
    cols = six_axes(x, kernel_size, stride, padding, dilation)
    n, channels, k_height, k_width, height, width = cols.shape
    return cols.transpose(0, 2, 3, 1, 4, 5).reshape(n, channels * k_height * k_width, height * width)


@mistake("im2col", "At stride 2 the windows are still one pixel apart. Which step must the slice have?")
def columns_one_pixel_apart(x, kernel_size, stride=1, padding=0, dilation=1):
    cols = six_axes(x, kernel_size, 1, padding, dilation)
    height, width = (
        output_size(s, k, stride, padding, dilation) for s, k in zip(x.shape[2:], kernel_size, strict=True)
    )
    n, channels, k_height, k_width = cols.shape[:4]
    return cols[..., :height, :width].reshape(n, channels * k_height * k_width, height * width)


@mistake(
    "im2col",
    "With dilation 2 the pixels of a window are still neighbours. Weight (a, b) stands d pixels from the next: where "
    "does its slice start?",
)
def columns_without_gaps(x, kernel_size, stride=1, padding=0, dilation=1):
    cols = six_axes(x, kernel_size, stride, padding, 1)
    height, width = (
        output_size(s, k, stride, padding, dilation) for s, k in zip(x.shape[2:], kernel_size, strict=True)
    )
    n, channels, k_height, k_width = cols.shape[:4]
    return cols[..., :height, :width].reshape(n, channels * k_height * k_width, height * width)


def copied(x, padded, out_sizes, kernel_size, stride, dilation, rows=None, columns=None):
    """The loop over the kernel: copy a piece of the padded images for each place, cut to rows × columns at first."""
    cols = np.empty((*x.shape[:2], *kernel_size, *out_sizes), x.dtype)
    for a, b in np.ndindex(*kernel_size):
        top, left = a * dilation, b * dilation
        bottom, right = (None if n is None else start + n for start, n in ((top, rows), (left, columns)))
        pixels = padded[:, :, top:bottom:stride, left:right:stride]
        cols[:, :, a, b] = pixels[:, :, : out_sizes[0], : out_sizes[1]]
    return cols.reshape(len(x), -1, out_sizes[0] * out_sizes[1])


def bordered(x, padding):
    """The images with their border of zeros."""
    return np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))


@mistake(
    "im2col",
    "At stride 2 a piece came out too small, and NumPy repeated its pixels to fill the columns. H' pixels that are S "
    "apart reach further than H' pixels side by side: where must the slice end?",
)
def slice_ends_too_early(x, kernel_size, stride=1, padding=0, dilation=1):
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(x.shape[2:], kernel_size, strict=True)]
    return copied(x, bordered(x, padding), sides, kernel_size, stride, dilation, *sides)


@mistake(
    "im2col",
    "The padding was counted twice: was `output_size` asked about an image that is padded already, and told the "
    "padding as well?",
)
def counts_the_padding_twice(x, kernel_size, stride=1, padding=0, dilation=1):
    padded = bordered(x, padding)
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(padded.shape[2:], kernel_size, strict=True)]
    return copied(x, padded, sides, kernel_size, stride, dilation)


@mistake(
    "im2col",
    "The padded array has more images and channels than x: `np.pad(x, P)` pads all four axes. Only rows and columns "
    "get a border.",
)
def pads_all_four_axes(x, kernel_size, stride=1, padding=0, dilation=1):
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(x.shape[2:], kernel_size, strict=True)]
    return copied(x, np.pad(x, padding), sides, kernel_size, stride, dilation)


# conv2d


@mistake(
    "conv2d",
    "The bias was added along the positions. It has one number for each filter: which axis of the product has C_out "
    "entries, and what shape must the bias have to meet it?",
)
def bias_along_the_positions(x, weight, bias=None, stride=1, padding=0, dilation=1):
    y = conv2d(x, weight, None, stride, padding, dilation)
    if bias is None:
        return y
    if y.shape[3] % len(bias):
        raise ValueError(f"operands could not be broadcast together with shapes {y.shape} {bias.shape}")
    return y + np.tile(bias, y.shape[3] // len(bias))


@mistake("conv2d", "The bias has no effect.")
def product_without_bias(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d(x, weight, None, stride, padding, dilation)


@mistake(
    "conv2d",
    "The maps of the filters are interleaved: the positions came first and a reshape cut them as if the filters did. "
    "Multiply so that each filter is a row of the product.",
)
def interleaves_the_maps(x, weight, bias=None, stride=1, padding=0, dilation=1):
    y = conv2d(x, weight, bias, stride, padding, dilation)
    return y.transpose(0, 2, 3, 1).reshape(y.shape)


@mistake(
    "conv2d",
    "The stride has no effect: the maps of stride 1 came back. Every option must be handed on to `im2col`, and to "
    "whatever gives the output's shape.",
)
def stride_not_handed_on(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d(x, weight, bias, 1, padding, dilation)


@mistake(
    "conv2d",
    "The numbers are right, but they came as float64 for arrays of float32. Something on the way is float64: an array "
    "made without a dtype?",
)
def product_in_float64(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return conv2d(x, weight, bias, stride, padding, dilation).astype(np.float64)


def shaped(x, weight, bias, shape, *options):
    """The product of the weights and the columns with these options, reshaped to a shape."""
    y = weight.reshape(len(weight), -1) @ im2col(x, weight.shape[2:], *options)
    return (y if bias is None else y + bias[:, None]).reshape(shape)


@mistake(
    "conv2d",
    "The product has more columns than the output has positions: was the stride handed on to `im2col`? It needs all "
    "three options.",
)
def im2col_without_stride(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return shaped(x, weight, bias, output_shape(x, weight, stride, padding, dilation), 1, padding, dilation)


@mistake(
    "conv2d",
    "The product has fewer columns than the output has positions: was the padding handed on to `im2col`?",
)
def im2col_without_padding(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return shaped(x, weight, bias, output_shape(x, weight, stride, padding, dilation), stride, 0, dilation)


@mistake(
    "conv2d",
    "With dilation 2 the product has more columns than the output has positions: was the dilation handed on to "
    "`im2col`?",
)
def im2col_without_dilation(x, weight, bias=None, stride=1, padding=0, dilation=1):
    return shaped(x, weight, bias, output_shape(x, weight, stride, padding, dilation), stride, padding)


# col2im


@mistake(
    "col2im",
    "Where windows overlap, one replaced the other: every pixel got a single entry. Look at the = inside the loop.",
)
def overlaps_are_replaced(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    n, channels, height, width = x_shape
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(x_shape[2:], kernel_size, strict=True)]
    cols = cols.reshape(n, channels, *kernel_size, *sides)
    padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding), cols.dtype)
    for a, b in np.ndindex(*kernel_size):
        pixels = padded[:, :, a * dilation :: stride, b * dilation :: stride]
        pixels[:, :, : sides[0], : sides[1]] = cols[:, :, a, b]
    return padded[:, :, padding : padding + height, padding : padding + width]


@mistake(
    "col2im",
    "The entries of a pixel were averaged. This makes it the inverse of `im2col`; the gradient needs the sum.",
)
def overlaps_are_averaged(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    ones = col2im(np.ones_like(cols), x_shape, kernel_size, stride, padding, dilation)
    return col2im(cols, x_shape, kernel_size, stride, padding, dilation) / np.maximum(ones, 1)


@mistake("col2im", "The border of zeros is still there. The images have the shape `x_shape`, without padding.")
def keeps_the_border(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    n, channels, height, width = x_shape
    return col2im(cols, (n, channels, height + 2 * padding, width + 2 * padding), kernel_size, stride, 0, dilation)


@mistake(
    "col2im",
    "Nothing is left without padding: the slice [P:-P] is empty for P = 0. Where does the image end, counted from its "
    "start?",
)
def empty_without_padding(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    bordered = keeps_the_border(cols, x_shape, kernel_size, stride, padding, dilation)
    return bordered[:, :, padding:-padding, padding:-padding]


@mistake(
    "col2im",
    "The border was cut off on one side only: the images are shifted by the padding. Zeros were added on all four "
    "sides.",
)
def cuts_one_side(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    bordered = keeps_the_border(cols, x_shape, kernel_size, stride, padding, dilation)
    return bordered[:, :, : x_shape[2], : x_shape[3]]


@mistake(
    "col2im",
    "Channels and kernel places are mixed up. The rows of `cols` run through the channels slowest and through the "
    "kernel's columns fastest; split them in that order.",
)
def splits_channels_last(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    n, channels = x_shape[:2]
    k_height, k_width = kernel_size
    mixed = cols.reshape(n, k_height * k_width, channels, -1).swapaxes(1, 2).reshape(cols.shape)
    return col2im(mixed, x_shape, kernel_size, stride, padding, dilation)


@mistake(
    "col2im",
    "At stride 2 the pieces were laid down one pixel apart. The slices are those of `im2col`, step included.",
)
def lays_down_at_stride_one(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    n, channels, height, width = x_shape
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(x_shape[2:], kernel_size, strict=True)]
    cols = cols.reshape(n, channels, *kernel_size, *sides)
    padded = np.zeros((n, channels, height + 2 * padding, width + 2 * padding), cols.dtype)
    for a, b in np.ndindex(*kernel_size):
        padded[:, :, a * dilation :, b * dilation :][:, :, : sides[0], : sides[1]] += cols[:, :, a, b]
    return padded[:, :, padding : padding + height, padding : padding + width]


@mistake(
    "col2im",
    "The axes were split in another order than `im2col` joined them: rows of `cols` are channel, kernel row, kernel "
    "column; columns are output row, output column. A reshape can only cut an axis up where it stands.",
)
def splits_positions_first(cols, x_shape, kernel_size, stride=1, padding=0, dilation=1):
    sides = [output_size(s, k, stride, padding, dilation) for s, k in zip(x_shape[2:], kernel_size, strict=True)]
    mixed = cols.reshape(*x_shape[:2], *sides, *kernel_size).transpose(0, 1, 4, 5, 2, 3)
    return col2im(mixed.reshape(cols.shape), x_shape, kernel_size, stride, padding, dilation)


# conv2d_backward


@mistake(
    "conv2d_backward",
    "`grad_weight` and `grad_bias` are means over the images. The images share the parameters, so their gradients add "
    "up; the loss has divided already where a mean is wanted.",
)
def averages_the_images(grad_output, x, weight, stride=1, padding=0, dilation=1):
    grad_x, grad_weight, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    return grad_x, grad_weight / len(x), grad_bias / len(x)


def weight_from(grad_output, cols, weight):
    """∂L/∂W of columns whose last two axes have changed places: image by image, summed."""
    return (grad_output.reshape(*grad_output.shape[:2], -1) @ cols).sum(axis=0).reshape(weight.shape)


@mistake(
    "conv2d_backward",
    "`grad_bias` was summed over filters and positions and has a number for each image. It needs one for each filter: "
    "which axis must remain?",
)
def bias_of_each_image(grad_output, x, weight, stride=1, padding=0, dilation=1):
    grad_x, grad_weight, _ = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    return grad_x, grad_weight, grad_output.sum(axis=(1, 2, 3))


@mistake(
    "conv2d_backward",
    "`grad_weight` is scrambled: was a reshape used for colsᵀ? It gives the shape of the transpose and leaves the "
    "numbers in their order. Two axes have to change places.",
)
def reshapes_the_columns(grad_output, x, weight, stride=1, padding=0, dilation=1):
    grad_x, _, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    n, q, length = (cols := im2col(x, weight.shape[2:], stride, padding, dilation)).shape
    return grad_x, weight_from(grad_output, cols.reshape(n, length, q), weight), grad_bias


@mistake(
    "conv2d_backward",
    "The matrices do not fit: was `cols.T` used? On three axes it reverses all of them, images included. The axes of "
    "each image's matrix have to change places, and no others.",
)
def reverses_all_axes(grad_output, x, weight, stride=1, padding=0, dilation=1):
    grad_x, _, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    cols = im2col(x, weight.shape[2:], stride, padding, dilation)
    return grad_x, weight_from(grad_output, cols.T, weight), grad_bias


@mistake(
    "conv2d_backward",
    "`grad_x` is right for one filter and scrambled for more: was a reshape used for Wᵀ? `weight.reshape(-1, C_out)` "
    "has the shape of the transpose and not its numbers.",
)
def reshapes_the_weights(grad_output, x, weight, stride=1, padding=0, dilation=1):
    _, grad_weight, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    grad_cols = weight.reshape(-1, len(weight)) @ grad_output.reshape(*grad_output.shape[:2], -1)
    return col2im(grad_cols, x.shape, weight.shape[2:], stride, padding, dilation), grad_weight, grad_bias


@mistake(
    "conv2d_backward",
    "Right without options; at stride 2 the columns have other positions than `grad_output`. Was `im2col` called with "
    "the options of the way forward? `col2im` needs them too.",
)
def im2col_without_options(grad_output, x, weight, stride=1, padding=0, dilation=1):
    grad_x, _, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    cols = im2col(x, weight.shape[2:])
    return grad_x, weight_from(grad_output, cols.swapaxes(1, 2), weight), grad_bias


@mistake(
    "conv2d_backward",
    "Right without options; at stride 2 `col2im` cannot split the columns. Was it called with the options of the way "
    "forward?",
)
def col2im_without_options(grad_output, x, weight, stride=1, padding=0, dilation=1):
    _, grad_weight, grad_bias = conv2d_backward(grad_output, x, weight, stride, padding, dilation)
    grad_cols = weight.reshape(len(weight), -1).T @ grad_output.reshape(*grad_output.shape[:2], -1)
    return col2im(grad_cols, x.shape, weight.shape[2:]), grad_weight, grad_bias


@mistake(
    "conv2d_backward",
    "A `grad_output` of another shape than the output came through: a reshape to (N, C_out, L) sees only how many "
    "numbers there are. Compare the shapes first; a difference tells of options that are not those of the way forward.",
)
def accepts_any_grad_output(grad_output, x, weight, stride=1, padding=0, dilation=1):
    shape = output_shape(x, weight, stride, padding, dilation)
    return conv2d_backward(grad_output.reshape(shape), x, weight, stride, padding, dilation)


# conv1x1_as_matmul


@mistake(
    "conv1x1_as_matmul",
    "Channels and pixels are mixed: the array was reshaped to rows of C_in numbers, but the C_in numbers of a pixel do "
    "not lie next to each other in (N, C, H, W). Keep the channel axis where it is.",
)
def reshapes_pixels_to_rows(x, weight, bias=None):
    shape = output_shape(x, weight)
    if weight.shape[2:] != (1, 1):
        raise ValueError("not 1 × 1")
    y = x.reshape(-1, x.shape[1]) @ weight[:, :, 0, 0].T
    return (y if bias is None else y + bias).reshape(shape)


@mistake(
    "conv1x1_as_matmul",
    "The matrix was transposed. Row k of it holds the weights of filter k, one for each channel.",
)
def transposes_the_matrix(x, weight, bias=None):
    if weight.shape[0] != weight.shape[1]:
        return conv1x1_as_matmul(x, weight, bias)
    return conv1x1_as_matmul(x, weight.swapaxes(0, 1), bias)


@mistake("conv1x1_as_matmul", "The bias has no effect.")
def pixels_without_bias(x, weight, bias=None):
    return conv1x1_as_matmul(x, weight)


@mistake(
    "conv1x1_as_matmul",
    "The bias was added along the pixels. It has one number for each filter: which axis is that?",
)
def bias_along_the_pixels(x, weight, bias=None):
    y = conv1x1_as_matmul(x, weight)
    return y if bias is None else y + np.resize(bias, y.shape[3])


@mistake(
    "conv1x1_as_matmul",
    "A 3 × 3 kernel came through, and eight of its nine weights were left out. Refuse what is not 1 × 1.",
)
def takes_the_first_weight(x, weight, bias=None):
    return conv1x1_as_matmul(x, weight[:, :, :1, :1], bias)


# linear_to_conv


@mistake(
    "linear_to_conv",
    "The channels were taken to run fastest, as in pictures of (H, W, C). Flattened maps of (C, H, W) run through the "
    "channels slowest.",
)
def channels_run_fastest(weight, channels, height, width):
    linear_to_conv(weight, channels, height, width)
    return weight.reshape(len(weight), height, width, channels).transpose(0, 3, 1, 2)


@mistake(
    "linear_to_conv",
    "The matrix was transposed first. Its rows are the units: row m becomes filter m.",
)
def transposes_the_layer(weight, channels, height, width):
    linear_to_conv(weight, channels, height, width)
    return weight.T.reshape(len(weight), channels, height, width)


@mistake("linear_to_conv", "Height and width changed places. The shape is (M, channels, height, width).")
def exchanges_the_sides(weight, channels, height, width):
    linear_to_conv(weight, channels, height, width)
    return weight.reshape(len(weight), channels, width, height)


@mistake(
    "linear_to_conv",
    "A matrix whose rows do not fit these maps came through: did a reshape with -1 find the number of filters by "
    "itself? The number of units is the number of rows.",
)
def any_number_of_units(weight, channels, height, width):
    return weight.reshape(-1, channels, height, width)


# conv2d_groups


@mistake(
    "conv2d_groups",
    "The groups were dealt out in turn, as cards are. Group m has neighbouring channels: the m-th part of them, in "
    "order.",
)
def deals_the_channels_out(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if groups < 1 or x.shape[1] % groups or len(weight) % groups:
        raise ValueError("groups must divide")
    order = np.arange(x.shape[1]).reshape(-1, groups).T.ravel()
    return conv2d_groups(x[:, order], weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d_groups",
    "Channels and filters were both dealt out in turn: is there a slice like [m::groups]? A group has neighbouring "
    "channels and neighbouring filters.",
)
def deals_everything_out(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if groups < 1 or x.shape[1] % groups or len(weight) % groups:
        raise ValueError("groups must divide")
    options = (stride, padding, dilation)
    biases = [None if bias is None else bias[m::groups] for m in range(groups)]
    maps = [conv2d(x[:, m::groups], weight[m::groups], biases[m], *options) for m in range(groups)]
    return np.concatenate(maps, axis=1)


@mistake("conv2d_groups", "All groups see the channels of the first one. Each has its own part of the channels.")
def all_see_the_first_channels(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if groups < 1 or x.shape[1] % groups or len(weight) % groups:
        raise ValueError("groups must divide")
    same = np.concatenate([x[:, : x.shape[1] // groups]] * groups, axis=1)
    return conv2d_groups(same, weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d_groups",
    "Every group got the biases of the first one. The biases belong to the filters: cut them in the same way.",
)
def first_biases_for_all(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if bias is not None:
        bias = np.resize(bias[: len(bias) // groups], len(bias))
    return conv2d_groups(x, weight, bias, stride, padding, dilation, groups)


@mistake(
    "conv2d_groups",
    "Three groups of four channels came through: a channel was left out. Refuse a number that does not divide.",
)
def leaves_channels_out(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    c_in = x.shape[1] // groups * groups
    return conv2d_groups(x[:, :c_in], weight, bias, stride, padding, dilation, groups)
