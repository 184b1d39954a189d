"""Wrong answers to the exercise of the start page, and what one who gave them should read."""

from convnets.checks.authoring import mistake

hints = {
    "mean_brightness": (
        "Symptom: `the answer is 255 times too large` means that the mean is right and the scale is not.",
        "Idea: white is stored as 255 and should come out as 1. What has to happen to every number, or to their mean?",
        "Outline: take the mean over all entries of the array, then bring it from the scale 0…255 to 0…1.",
    ),
}


@mistake("mean_brightness", "The mean is right, but still on the scale from 0 to 255. White should come out as 1.")
def forgets_the_scale(image):
    return float(image.mean())


@mistake(
    "mean_brightness", "This is the mean of each column. The question asks for one number: the mean over both axes."
)
def one_mean_a_column(image):
    return image.mean(axis=0) / 255


@mistake(
    "mean_brightness",
    "`//` divides and cuts the decimals off, so that everything below white becomes 0. Which sign keeps them?",
)
def cuts_decimals_off(image):
    return image.mean() // 255


@mistake(
    "mean_brightness",
    "This is the sum over all pixels: it grows with the size of the image. A mean divides by how many there are.",
)
def sums_up(image):
    return float(image.sum(dtype=float) / 255)
