"""Honest work that looks odd: it deserves what its answers earn."""

from tests.grader.submissions.case import FIRST, Case, find, own

GROUP = "honest, but odd"
#: In the notebook of a student who shows it to nobody.
CLASSMATES_SECRET = "the-secret-of-a-classmate"


def odd(name, why, code="", **more):
    return Case(name, GROUP, why, first=code, **more)


def as_text_cells(notebook):
    """Every source a list of lines, as Jupyter saves it, with output of a run long ago."""
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["execution_count"] = 41
            cell["outputs"] = [{"output_type": "error", "ename": "NameError", "evalue": "old", "traceback": ["old"]}]


def helper_far_below(notebook):
    """The first exercise calls a helper whose cell stands at the end."""
    cell = find(notebook, "windows")
    cell["source"] = (
        cell["source"].replace("return (", "return same(").replace("return span //", "return same(span) //")
    )
    notebook["cells"].append(own("def same(value):\n    return value\n"))


def used_before_defined(notebook):
    """A cell above uses what a cell below defines, as after running them in another order."""
    notebook["cells"].insert(0, own("print(@NAME@)\nalready = factor * 2\n"))
    notebook["cells"].append(own("factor = 21\n"))


def many_cells(notebook):
    for number in range(1_500):
        notebook["cells"].append(own(f"x_{number} = {number}\n"))


CASES = [
    Case("honest-right", GROUP, "everything is right", last=f"mine = {CLASSMATES_SECRET!r}\n"),
    Case(
        "honest-wrong",
        GROUP,
        "two are wrong",
        loses=("windows", "mean_of", "leaky", "accuracy"),
        answers={
            "windows": "def windows(size, kernel, stride=1):\n    return size - kernel\n",
            "mean_of": "def mean_of(values):\n    return sum(values)\n",
            "leaky": "def leaky(x, slope=0.1):\n    return slope * x\n",
            "accuracy": "def accuracy(logits, labels):\n    return 0.5\n",
        },
    ),
    odd(
        "warnings",
        "a warning is no failure",
        "import warnings\nwarnings.warn('deprecated')\nimport numpy as np\nnp.float64(1) / np.float64(0)\n",
    ),
    odd(
        "warnings-as-errors",
        "the learner's own filter does not reach the judge",
        "import warnings\nwarnings.simplefilter('error')\n",
    ),
    odd("stderr", "stderr is not failure", "import sys\nprint('loading ...', file=sys.stderr)\n"),
    odd(
        "logging", "a log is no failure", "import logging\nlogging.basicConfig(level=0)\nlogging.error('all is well')\n"
    ),
    odd(
        "progress-bar",
        "a progress bar is no failure",
        "import time\nfrom tqdm import tqdm\nfor _ in tqdm(range(50)):\n    time.sleep(0.0005)\n"
        "from tqdm.notebook import tqdm as other\n",
    ),
    odd(
        "magics",
        "magics of a notebook are no errors",
        "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n!ls\nfiles = !ls\n%time total = sum(range(10))\n"
        "?print\n",
    ),
    odd("cell-magic", "a cell magic around Python is Python", "%%time\nlater = 3\n", last="assert later == 3\n"),
    odd("shell-magic", "a shell's cell is left out", "%%bash\necho hello\nexit 3\n"),
    odd(
        "plots",
        "a picture is no failure",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.savefig('a.png')\n",
    ),
    odd(
        "display",
        "display is there",
        "from IPython.display import Markdown, display as show\nshow(Markdown('**a**'))\ndisplay(1)\n",
    ),
    odd("raising-cell", "a cell of one's own that fails costs nothing", "1 / 0\n", last="undefined_name\n"),
    odd("asserts-of-ones-own", "a check of one's own that fails costs nothing", "assert 1 == 2, 'not yet'\n"),
    odd("await", "a cell may await, as in a notebook", "import asyncio\nawait asyncio.sleep(0)\n"),
    odd(
        "seeded",
        "a seed of one's own changes no test",
        "import random\nimport numpy as np\nnp.random.seed(7)\nrandom.seed(7)\n",
    ),
    odd(
        "print-options",
        "how numbers are shown changes none",
        "import numpy as np\nnp.set_printoptions(precision=1)\nnp.seterr(all='raise')\n",
    ),
    odd(
        "default-dtype",
        "a default of one's own is the learner's",
        "import torch\ntorch.set_num_threads(2)\n",
        profiles=("torch",),
    ),
    odd(
        "overwritten-names",
        "names of setup that were overwritten are the course's in its tests",
        "",
        last="numbers = rows = lesson = None\ncheck = 3\n",
    ),
    odd(
        "typed-and-cached",
        "decorators and annotations are Python",
        "",
        last="import functools\n@NAME@ = functools.wraps(@NAME@)(functools.partial(@NAME@))\n",
    ),
    odd(
        "lambda",
        "a lambda is a function",
        "",
        last="_old = @NAME@\n@NAME@ = lambda *args, **kwargs: _old(*args, **kwargs)\n",
    ),
    odd(
        "print-in-the-answer",
        "an answer that talks is right",
        "",
        last="_quiet = @NAME@\n\ndef @NAME@(*args, **kwargs):\n    print('called with', args)\n"
        "    return _quiet(*args, **kwargs)\n",
    ),
    odd(
        "numpy-scalars",
        "a NumPy number is a number",
        answers={
            "windows": "def windows(size, kernel, stride=1):\n    n = np.int64(size - kernel)\n"
            "    if n % stride:\n        raise ValueError\n    return n // stride + np.int64(1)\n",
            "mean_of": "def mean_of(values):\n    return np.mean(values)\n",
            "softmax": "def softmax(x):\n    return np.exp(x) / np.exp(x).sum(keepdims=True)\n",
        },
        profiles=("numpy",),
    ),
    odd(
        "zero-dimensional",
        "a tensor of one number is that number where the test takes it",
        answers={
            "accuracy": "def accuracy(logits, labels):\n"
            "    return np.float64((logits.argmax(1) == labels).numpy().mean())\n"
        },
        profiles=("torch",),
    ),
    odd(
        "sequential-model",
        "another way to build the same layers",
        answers={
            "TwoLayers": "class Base(nn.Module):\n    pass\n\n\nclass TwoLayers(Base):\n"
            "    def __init__(self, inputs, hidden, outputs):\n        super(TwoLayers, self).__init__()\n"
            "        self.second = nn.Linear(hidden, outputs)\n        self.first = nn.Linear(inputs, hidden)\n\n"
            "    def forward(self, x):\n        return nn.Sequential(self.first, nn.ReLU(), self.second)(x)\n"
        },
        profiles=("torch",),
    ),
    odd(
        "own-class-inside",
        "helper classes inside an answer are its own affair",
        answers={
            "mean_of": "from dataclasses import dataclass\n\n@dataclass\nclass Running:\n    total: float = 0.0\n"
            "    n: int = 0\n\n"
            "def mean_of(values):\n    running = Running()\n    for value in values:\n        running.total += value\n"
            "        running.n += 1\n    return running.total / running.n\n"
        },
        profiles=("numpy",),
    ),
    odd(
        "matrix",
        "numpy's old matrix holds the same numbers",
        answers={
            "slope": "def slope(f, x, h=1e-5):\n    steps = np.asmatrix(np.eye(x.size) * h)\n"
            "    return np.array([(f(x + s.A1) - f(x - s.A1)) / (2 * h) for s in steps])\n"
        },
        profiles=("numpy",),
    ),
    Case("as-jupyter-saves-it", GROUP, "old outputs say nothing", edit=as_text_cells),
    Case("helper-far-below", GROUP, "a helper may stand below", edit=helper_far_below, profiles=("numpy",)),
    Case("used-before-defined", GROUP, "cells were run in another order", edit=used_before_defined),
    Case("many-cells", GROUP, "1,500 cells of one's own are run", edit=many_cells, profiles=("numpy",)),
    Case(
        "not-callable",
        GROUP,
        "None is no function, and the other answers are right",
        loses=(FIRST,),
        answers={FIRST: "@NAME@ = None\n"},
    ),
]
