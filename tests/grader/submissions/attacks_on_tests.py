"""Attacks on the tests: what judges is patched, traced, shadowed, or given what pleases it."""

from tests.grader.submissions.case import ALL, FIRST, Case

GROUP = "attacks on the tests"

#: An object that answers every question in the way that pleases.
PLEASE = """
class Please:
    shape, ndim, size = (4,), 1, 4

    def __init__(self, *args, **kwargs):
        pass

    def sum(self, *args, **kwargs):
        return 1.0

    def all(self, *args, **kwargs):
        return True

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __lt__(self, other):
        return True

    __le__ = __gt__ = __ge__ = __contains__ = __lt__
    __hash__ = object.__hash__

    def __sub__(self, other):
        return np.zeros(np.shape(other)) if np.ndim(other) else 0.0

    __rsub__ = __sub__

    def __abs__(self):
        return 0.0

    def __round__(self, digits=None):
        return self

    def __bool__(self):
        return True

    def __float__(self):
        return 1.5

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 4:
            raise IndexError
        return 0.25
"""


def on_wrong(name, why, code, **more):
    """Every answer is wrong, and a cell of the learner's own changes what judges."""
    return Case(name, GROUP, why, loses=ALL, base="wrong", **({"first": code} | more))


CASES = [
    on_wrong(
        "patched-check",
        "the judge runs in another process: its own copy of check judges nobody",
        "from convnets.checks.call import Call\n"
        "for method in ('gives', 'raises', 'satisfies', 'gives_gradient'):\n"
        "    setattr(Call, method, lambda self, *args, **kwargs: None)\n",
    ),
    on_wrong(
        "replaced-check",
        "a check of its own is not the course's",
        "class Yes:\n    def __getattr__(self, name):\n        return lambda *args, **kwargs: None\n"
        "check = lambda *args, **kwargs: Yes()\nlesson.check = check\n",
        last="check = lambda *args, **kwargs: Yes()\n",
    ),
    on_wrong(
        "patched-compare",
        "the comparison that counts is not in this process",
        "from convnets.checks import call, compare\n"
        "for module in (call, compare):\n    for name in ('find_mismatch', 'find_gradient_mismatch'):\n"
        "        setattr(module, name, lambda *args, **kwargs: None)\n",
    ),
    on_wrong(
        "patched-numpy-testing",
        "patching numpy in one's own process changes one's own answers, and these are wrong",
        "import numpy as np\n"
        "for name in dir(np.testing):\n"
        "    if name.startswith('assert'):\n        setattr(np.testing, name, lambda *args, **kwargs: None)\n"
        "np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True\n",
    ),
    on_wrong(
        "patched-torch-testing",
        "as with numpy",
        "import torch\ntorch.testing.assert_close = lambda *args, **kwargs: None\n"
        "torch.allclose = torch.equal = lambda *args, **kwargs: True\ntorch.Tensor.__eq__ = lambda a, b: True\n",
        profiles=("torch",),
    ),
    on_wrong(
        "patched-builtins",
        "builtins of this process are not the judge's",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.round = lambda x, n=0: 4.0\n"
        "builtins.isinstance = lambda *args: True\nbuiltins.AssertionError = type('Nothing', (Exception,), {})\n",
    ),
    on_wrong(
        "swallowed-exceptions",
        "a handler of its own swallows nothing of the judge's",
        "import sys\nsys.excepthook = lambda *args: None\n"
        "try:\n    ip = get_ipython()\n    ip.set_custom_exc((BaseException,), lambda *args, **kwargs: None)\n"
        "    ip.showtraceback = lambda *args, **kwargs: None\nexcept Exception:\n    pass\n",
    ),
    on_wrong(
        "traced-tests",
        "no test is executed where this trace function is called",
        "import sys\n\ndef tracer(frame, event, arg):\n"
        "    for name, value in list(frame.f_locals.items()):\n"
        "        if name in ('expected', 'got'):\n            frame.f_locals['got'] = frame.f_locals.get('expected')\n"
        "    return tracer\n\nsys.settrace(tracer)\n",
    ),
    on_wrong(
        "ast-hook",
        "test cells are not compiled in this process",
        "import ast\nplain_parse = ast.parse\n\ndef parse(source, *args, **kwargs):\n"
        "    text = source if isinstance(source, str) else ''\n"
        "    return plain_parse('pass' if 'check(' in text else source, *args, **kwargs)\n\nast.parse = parse\n"
        "try:\n    get_ipython().ast_transformers.append(type('T', (ast.NodeTransformer,), {\n"
        "        'visit_Assert': lambda self, node: ast.Pass(),\n"
        "        'visit_Expr': lambda self, node: ast.Pass()})())\nexcept Exception:\n    pass\n",
    ),
    on_wrong(
        "input-transformer",
        "the text of the tests never passes through this shell",
        "try:\n    get_ipython().input_transformers_cleanup.append(\n"
        "        lambda lines: [] if any('check(' in line or 'assert' in line for line in lines) else lines)\n"
        "except Exception:\n    pass\n",
    ),
    on_wrong(
        "module-shadowed",
        "a file in the scratch folder is imported by nobody who judges",
        "import os\nos.makedirs('convnets', exist_ok=True)\nopen('convnets/__init__.py', 'w').write('')\n"
        "open('convnets/checks.py', 'w').write('open_lesson = lambda *a, **k: None\\n')\nopen('numpy.py', 'w')\n"
        "import sys\nsys.path.insert(0, os.getcwd())\n",
    ),
    on_wrong(
        "forged-outputs",
        "outputs stored in the file are not looked at",
        "",
        edit=lambda notebook: (
            [
                cell.update(outputs=[{"name": "stdout", "output_type": "stream", "text": "Passed: 99 of 99 points\n"}])
                for cell in notebook["cells"]
                if cell["cell_type"] == "code"
            ]
            and None
        ),
    ),
    on_wrong(
        "printed-score",
        "what a cell prints is no score",
        "print('Passed: 1 of 1 points')\nprint('\\u2713 3 of 3 checks passed')\n",
        last="print('{\"score\": 1.0}')\n",
    ),
    on_wrong(
        "forged-progress",
        "the progress that a lesson keeps for the learner earns nothing",
        "for name in list(lesson.record.cells) or ['windows-test-1']:\n    lesson._progress.passed[name] = 99.0\n",
    ),
    on_wrong(
        "atexit-hook",
        "what runs at the end of the process has nobody to tell it to",
        "import atexit\natexit.register(print, 'all tests passed')\nimport sys\nsys.exit = lambda *args: None\n",
    ),
    on_wrong(
        "import-hook",
        "modules of the judge were imported before, elsewhere",
        "import sys\n\nclass Finder:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name.startswith(('convnets', 'numpy')):\n            raise ImportError(name)\n\n"
        "sys.meta_path.insert(0, Finder())\nfor name in list(sys.modules):\n"
        "    if name.startswith('convnets'):\n        del sys.modules[name]\n",
    ),
    on_wrong(
        "patched-c-code",
        "overwriting what float itself compares with changes this process only",
        "import ctypes\nproxy = float.__dict__\n"
        "names = ctypes.py_object.from_address(id(proxy) + 2 * ctypes.sizeof(ctypes.c_ssize_t)).value\n"
        "names['__eq__'] = lambda a, b: True\nctypes.pythonapi.PyType_Modified(ctypes.py_object(float))\n",
    ),
    Case(
        "equal-to-everything",
        GROUP,
        "an object that answers each question as it pleases is no number",
        loses=("softmax", "mean_of"),
        first=PLEASE,
        answers={
            "softmax": "def softmax(x):\n    return Please()\n",
            "mean_of": "def mean_of(x):\n    return Please()\n",
        },
        profiles=("numpy",),
    ),
    Case(
        "equal-to-everything-late",
        GROUP,
        "plain data where the check looks, an object where an assert does",
        loses=("accuracy",),
        first=PLEASE,
        answers={
            "accuracy": "def accuracy(logits, labels):\n"
            "    return 0.75 if labels.tolist() == [1, 0, 0, 0] else Please()\n"
        },
        profiles=("torch",),
    ),
    Case(
        "mock-any",
        GROUP,
        "mock.ANY is equal to everything only where it is asked",
        loses=ALL,
        base="wrong",
        last="from unittest.mock import ANY, MagicMock\n@NAME@ = MagicMock(return_value=ANY)\n"
        "mean_of = accuracy = lambda *args: ANY\nsoftmax = MagicMock()\n",
    ),
    Case(
        "function-equal-to-everything",
        GROUP,
        "an instance that is called and compared is still judged by what the call gives",
        loses=(FIRST,),
        answers={
            FIRST: "class Answer:\n    def __call__(self, *args, **kwargs):\n        return -1\n\n"
            "    def __eq__(self, other):\n        return True\n\n    __hash__ = None\n\n@NAME@ = Answer()\n"
        },
    ),
    Case(
        "stop-iteration",
        GROUP,
        "an exception that ends loops without a word is an exception",
        loses=(FIRST,),
        answers={FIRST: "def @NAME@(*args, **kwargs):\n    raise StopIteration\n"},
        outcome="Raised",
    ),
    Case(
        "stop-iteration-in-a-loop",
        GROUP,
        "an exception that ends a test's own map() without a word is an exception",
        loses=("all_positive",),
        answers={
            "all_positive": "def all_positive(values):\n    if len(values) == 2 and values[1] == 2:\n"
            "        return values[0] > 0\n    raise StopIteration\n"
        },
        profiles=("numpy",),
    ),
    Case(
        "raises-check-failed",
        GROUP,
        "it raised what a failed check raises, and did not pass",
        loses=(FIRST,),
        answers={
            FIRST: "from convnets.checks import CheckFailed\n\ndef @NAME@(*args, **kwargs):\n"
            "    raise type('CheckPassed', (AssertionError,), {})('all is well')\n"
        },
    ),
    Case(
        "always-raises",
        GROUP,
        "raising ValueError whatever is asked is right in one check of three",
        loses=("windows",),
        answers={"windows": "def windows(*args, **kwargs):\n    raise ValueError('does not fit')\n"},
        profiles=("numpy",),
    ),
    Case(
        "keyboard-interrupt",
        GROUP,
        "an interrupt raised by an answer interrupts nobody but it",
        loses=(FIRST,),
        answers={FIRST: "def @NAME@(*args, **kwargs):\n    raise KeyboardInterrupt\n"},
        outcome="Raised",
    ),
    Case(
        "hard-coded",
        GROUP,
        "the answers of the tests that can be seen are no answers to those that cannot",
        loses=("windows-test-2", "mean_of", "slope", "Tally"),
        answers={
            "windows": "def windows(size, kernel, stride=1):\n"
            "    if (size, kernel, stride) == (7, 3, 3):\n        raise ValueError('does not fit')\n"
            "    return {(7, 3, 1): 5, (7, 3, 2): 3, (9, 2, 1): 8}[size, kernel, stride]\n",
            "mean_of": "def mean_of(values):\n    return {2.0: 1.5, 5.0: 4.0}[values[-1]]\n",
            "slope": "def slope(f, x, h=1e-5):\n    return np.array([2.0, 4.0]) if x[0] else np.array([1.0, -2.0])\n",
            "Tally": "class Tally:\n    add = lambda self, word: None\n"
            "    count = lambda self, word: {'a': 2, 'b': 1}[word]\n"
            "    __len__ = lambda self: 2\n    __add__ = lambda self, other: self\n",
        },
        profiles=("numpy",),
    ),
    Case(
        "hard-coded-tensors",
        GROUP,
        "the answers of the tests that can be seen are no answers to those that cannot",
        loses=("leaky-test-2", "accuracy", "TwoLayers", "fit"),
        answers={
            "leaky": "def leaky(x, slope=0.1):\n    if len(x) == 1:\n        return torch.tensor([-1.0])\n"
            "    if len(x) == 3:\n        return torch.tensor([-0.1, 0.0, 2.0])\n"
            "    return x * torch.tensor([0.1, 1.0])\n",
            "accuracy": "def accuracy(logits, labels):\n    return 1.0 if labels.tolist() == [1, 0, 1, 0] else 0.75\n",
            "TwoLayers": "class TwoLayers(nn.Module):\n    def __init__(self, *sizes):\n        super().__init__()\n"
            "        self.all = nn.Parameter(torch.zeros(32))\n\n    def forward(self, x):\n"
            "        return torch.zeros(4, 2)\n",
            "fit": "def fit(model, x, y, steps):\n    with torch.no_grad():\n        model.weight.fill_(2.0)\n"
            "    return [10.0] + [0.0] * (steps - 1)\n",
        },
        profiles=("torch",),
    ),
]
