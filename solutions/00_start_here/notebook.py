# %% [markdown]
# # 00 Start here
#
# {{card:10}}
#
# This course teaches convolutional networks by having you write them. Each notebook explains one idea, asks you for a
# function, and checks your answer on the spot. At its end, your own functions reproduce a published result.
#
# After these ten minutes you can
#
# - run a cell, and read what a check says when it fails and when it passes;
# - open a hint, and see what it costs (nothing);
# - find your progress, and hand in a notebook.
#
# You need some Python and NumPy: functions, arrays, shapes, slices. Nothing here is worth points.
#
# **How to run a cell.** Click on it and press Shift + Enter. Run the cells from top to bottom; the first one below
# loads the course's toolkit.

# %% setup
import numpy as np

from convnets import data
from convnets.checks import open_lesson, show_progress

lesson = open_lesson("00_start_here")
check, hint = lesson.check, lesson.hint

# %% [markdown]
# ## 1 · Is everything installed?
#
# This cell reads each data set that comes with the course and compares it with its recorded fingerprint. Nothing is
# downloaded, now or later.

# %% experiment seconds=20
import torch

from convnets import plots

print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
photograph = data.photograph("cat")
sizes = {
    "clothes (Fashion-MNIST)": len(data.fashion_mnist().x_train),
    "handwritten digits": len(data.digits().x_train),
    "stamps (photographs, cut out)": len(data.stamps().images),
    "days of weather in Seattle": len(data.seattle_weather().t_mean),
    "photographs": len(data.photograph_names()),
    "classes of ImageNet": len(data.imagenet_classes()),
}
for name, size in sizes.items():
    print(f"✓ {size:6,} {name}")
plots.show(
    plots.images([photograph], [f"a photograph, uint8 {photograph.shape}"], size=3.2),
    alt="A photograph of a tabby cat that looks into the camera: the picture used in this notebook.",
)

# %% [markdown]
# ## 2 · A check
#
# {{exercise:mean_brightness}}
#
# A grey image is an array of shape (H, W) with H rows and W columns. Its numbers have dtype `uint8`: 0 is black, 255
# is white. The **mean brightness** is the mean of all H × W numbers on a scale from 0 (black) to 1 (white):
#
# $$\text{brightness} = \frac{1}{255}\,\frac{1}{HW}\sum_{i=1}^{H}\sum_{j=1}^{W} x_{ij}$$
#
# The next cell is for your answer, the one after it holds the checks. Do this, in this order:
#
# 1. Run both cells as they are. The check says that nothing is written yet.
# 2. Replace the line `raise NotImplementedError("your code here")` by `return image.mean()`, which is **wrong**, and
#    run both cells again. The check says what was called, what was expected, what came back, what kind of error it
#    is, and, because many make this mistake, what to look at.
# 3. Open a hint with the cell after the checks, if you like. Then mend the function until the check passes.


# %% exercise="mean_brightness" difficulty=1 minutes=4
def mean_brightness(image):
    """Return the mean brightness of a grey image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W)
        0 is black, 255 is white.

    Returns
    -------
    float
        Between 0 (black) and 1 (white).
    """
    ### BEGIN SOLUTION
    return float(image.mean() / 255)
    ### END SOLUTION


# %% tests="mean_brightness" points=0
# Half of these four pixels are white. The mean brightness is 1/2.
check(mean_brightness, np.array([[0, 255], [255, 0]], dtype=np.uint8)).gives(0.5)

# %% tests="mean_brightness" points=0
# Black, white, and an image that is not square.
check(mean_brightness, np.zeros((3, 3), dtype=np.uint8)).gives(0.0)
check(mean_brightness, np.full((2, 5), 255, dtype=np.uint8)).gives(1.0)
check(mean_brightness, np.arange(200, dtype=np.uint8).reshape(10, 20)).gives(99.5 / 255)

# %% [markdown]
# A check never asks for a certain way to write a function: it calls the function and compares what comes back. Graded
# notebooks are also checked with other inputs (other shapes, other numbers), so that an answer that only fits the
# examples does not pass.
#
# A hint opens in three steps: a symptom, an idea, an outline. Opening hints costs no points. Run the next cell to
# open the first one, and again to open the second.

# %% experiment seconds=1
hint("mean_brightness")

# %% [markdown]
# ## 3 · A prediction
#
# Before an experiment the notebooks ask what you expect. A guess that turns out wrong is remembered better than a
# result that was only read. The photograph above shows a cat in a room.

# %% experiment seconds=1
lesson.predict(
    "brightness", "How bright is the photograph of the cat?", ["below 0.3", "between 0.3 and 0.6", "above 0.6"]
)

# %% experiment seconds=2
grey = photograph.mean(axis=2).astype(np.uint8)
measured = mean_brightness(grey)
answer = 0 if measured < 0.3 else 1 if measured <= 0.6 else 2
lesson.reveal("brightness", answer, f"Your own function measures {measured:.3f}.")

# %% [markdown]
# ## 4 · Your progress
#
# Checks that pass are kept in a small file in your home folder; no account and no network are involved. Run this cell
# whenever you come back: it says where to go on.

# %% experiment seconds=2
show_progress()

# %% [markdown]
# ## 5 · Handing in
#
# **You study alone.** There is nothing to hand in; the checks are the judge. A written question says what each part of
# its answer is worth; once yours is written, compare it with the model answer in the folder `solutions` of the course's
# repository.
#
# **You take part in a class.** Save the notebook (Ctrl + S, on a Mac ⌘ + S) and hand in the file the way your
# instructor says. Keep its name. Before that, choose *Kernel → Restart Kernel and Run All Cells…*: a notebook that
# works from top to bottom works for the grader, too. Where JupyterLab shows a *Validate* button, it does the same and
# lists what fails. Cells with checks are locked; if you change or delete one by accident, the grader puts the
# original back. Experiments are never run for grading (nor by `jupyter nbconvert --execute`: their cells carry the tag
# `skip-execution`); run them yourself.
#
# ## Recap
#
# - A failed check says what was called, what was expected, what came back, and often why.
# - `hint("name")` opens the next of three hints; hints are free.
# - `show_progress()` says where you are and where to go on.
#
# **Can you explain** what the difference is between a check that fails and a check that says "not written yet"?
#
# **Go on** with the first lesson that the table above names.
