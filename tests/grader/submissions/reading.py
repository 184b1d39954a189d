"""Reading what is hidden: tests, solutions, classmates' work, results, the environment; and telling the student."""

from tests.grader.submissions.case import ALL, FIRST, Case

GROUP = "reading what is hidden"

#: Tells what was found in every way that reaches a student: a cell's exception, and that of an answer.
_TELL = """
def @NAME@(*args, **kwargs):
    raise RuntimeError(repr(loot)[-1500:])
"""


def reads(name, why, code, **more):
    """Look for something, and tell it by what the first exercise raises and by a cell's own exception."""
    tell = f"{code}\nprint(loot)\n"
    more = {"loses": (FIRST,), "answers": {FIRST: _TELL}, "last": "raise RuntimeError(repr(loot)[-200:])"} | more
    return Case(name, GROUP, why, first=tell, **more)


def _files(paths):
    return (
        "import glob, os\nloot, words = [], ('_secret', 'span_between', 'the-secret-')\n"
        f"for pattern in {paths!r}:\n"
        "    for path in glob.glob(pattern, recursive=True)[:50]:\n"
        "        try:\n            text = open(path, errors='replace').read()\n"
        "            told = [line for line in text.splitlines() if any(word in line for word in words)]\n"
        "            loot += [line[:200] for line in told[:5]] or [text[:50]]\n"
        "        except OSError as error:\n            loot.append(type(error).__name__)\n"
    )


CASES = [
    reads("solution-file", "the solutions do not open", _files(["@COURSE@/solutions/*/*.py", "@COURSE@/solutions/**"])),
    reads(
        "release-file", "the releases do not open", _files(["@COURSE@/build/**/*", "@COURSE@/build/releases/*.json"])
    ),
    reads("gradebook-file", "the gradebook does not open", _files(["@COURSE@/gradebook.db*", "**/gradebook.db"])),
    reads("results-file", "other students' results do not open", _files(["@COURSE@/results/**/*"])),
    reads("classmates-file", "other submissions do not open", _files(["@CLASS@/**/*.ipynb", "@CLASS@/honest*/*/*"])),
    reads("home-file", "the instructor's home does not open", _files(["@HOME@/**", "@HOME@/secret.txt", "~/*"])),
    reads(
        "relative-path",
        "there is nothing above the scratch folder",
        _files(["../*/*.ipynb", "../../*/*.json", "..", "../.."]),
    ),
    reads(
        "proc-memory",
        "there is no /proc",
        _files(["/proc/*/cmdline", "/proc/*/environ", "/proc/self/maps"]),
        harmful="reads what other processes of this user were given",
    ),
    reads(
        "environment",
        "the environment is made anew",
        "import os\nloot = dict(os.environ)\n"
        "import ctypes\nenviron = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\n"
        "loot = [loot, [environ[i] for i in range(min(200, len(os.environ)))]]\n",
        harmful="shows the environment of whoever grades",
    ),
    reads(
        "arguments-of-the-process",
        "the command line holds no path of a classmate",
        "import sys\nloot = [sys.argv, sys.orig_argv]\n",
    ),
    reads(
        "frames",
        "no frame below holds a test, a solution or a path of a classmate",
        "import sys\nloot, frame = [], sys._getframe()\nwhile frame:\n"
        "    loot += [repr(value)[:3000] for value in list(frame.f_locals.values())]\n"
        "    loot += [repr(value)[:3000] for value in list(frame.f_globals.values())]\n"
        "    loot += [vars(v) for v in list(frame.f_locals.values()) if hasattr(v, '_orders') or hasattr(v, "
        "'forbidden')]\n"
        "    frame = frame.f_back\n"
        "import re\n"
        "loot = re.findall(r'.{0,40}(?:a_secret|span_between|honest|forbidden=.[^)]).{0,60}', ' "
        "'.join(map(repr, loot)))\n",
    ),
    reads(
        "garbage-collector",
        "no object of this process holds a test or a solution",
        # Put together when it runs: the compiler would leave the words whole among this cell's own constants.
        "import gc\nwords = [''.join(w) for w in (('a_secret', '_size'), ('span_between', '_the_ends'))]\n"
        "held = [obj for obj in gc.get_objects() if isinstance(obj, (dict, list, tuple)) and obj is not words]\n"
        "loot = [text[:200] for obj in held for text in (obj.values() if isinstance(obj, dict) else obj)\n"
        "        if type(text) is str and any(word in text for word in words)]\n",
    ),
    reads(
        "lesson-record",
        "the lesson of this process knows no hidden test",
        "loot = [lesson.record.to_json(), repr(vars(lesson))]\n",
    ),
    reads(
        "source-of-arguments",
        "a callable of a hidden test has no source that could be told, and hidden messages are fixed",
        "loot = []\n",
        loses=("slope",),
        answers={
            "slope": "import dis, inspect, io, linecache\n\ndef slope(f, x, h=1e-5):\n"
            "    text = io.StringIO()\n    dis.dis(f, file=text)\n"
            "    loot.append((text.getvalue(), f.__code__.co_filename, linecache.getlines(f.__code__.co_filename)))\n"
            "    raise RuntimeError(repr((x, f.__globals__.keys(), f.__code__.co_names, loot))[:1500])\n"
        },
        last="",
        profiles=("numpy",),
    ),
    Case(
        "tells-hidden-arguments",
        GROUP,
        "right where everybody can see, and a hidden argument is told to nobody",
        loses=("windows-test-2", "softmax", "mean_of"),
        answers={
            "windows": "def windows(size, kernel, stride=1):\n    if size > 10:\n"
            "        print('hidden', size)\n        raise ValueError(f'hidden: {size} {kernel} {stride}')\n"
            "    if (size - kernel) % stride:\n        raise ValueError\n    return (size - kernel) // stride + 1\n",
            "softmax": "def softmax(x):\n    e = np.exp(x - x.max())\n    return e / e.sum() if x[0] < 10 else x\n",
            "mean_of": "def mean_of(values):\n    assert values[0] < 20, values\n"
            "    return sum(values) / len(values)\n",
        },
        profiles=("numpy",),
    ),
    Case(
        "tells-hidden-arguments-by-class",
        GROUP,
        "names of classes and of exceptions are not told of hidden tests either",
        loses=("leaky-test-2",),
        answers={
            "leaky": "def leaky(x, slope=0.1):\n    if x.abs().max() > 50:\n"
            "        raise type(f'Got_{x.tolist()}', (Exception,), {})(x.tolist())\n"
            "    return torch.where(x > 0, x, slope * x)\n"
        },
        profiles=("torch",),
    ),
    Case(
        "tells-hidden-arguments-later",
        GROUP,
        "what a cell raises counts the first time only, before any hidden test",
        loses=("windows-test-2",),
        first="import time\nif time.monotonic() % 1 < 2:\n    raise RuntimeError(f'the time is {time.time():.0f}')\n",
        answers={
            "windows": "def windows(size, kernel, stride=1):\n    if size > 10:\n        import os\n"
            "        os._exit(size % 7)\n"
            "    if (size - kernel) % stride:\n        raise ValueError\n    return (size - kernel) // stride + 1\n",
        },
        profiles=("numpy",),
    ),
    Case(
        "left-for-the-next",
        GROUP,
        "what one process leaves in files, shared memory or the environment, no later one finds",
        loses=ALL,
        base="wrong",
        first="import os, glob\n"
        "loot = [open(p).read() for f in ('/tmp', '/dev/shm', '/var/tmp', '.', os.path.expanduser('~'))\n"
        "        for p in glob.glob(f + '/left-for-the-next*')]\n"
        "for f in ('/tmp', '/dev/shm', '/var/tmp', '.', os.path.expanduser('~')):\n"
        "    try:\n        open(f + '/left-for-the-next-' + str(os.getpid()), 'w').write('@CANARY@')\n"
        "    except OSError:\n        pass\nif loot:\n    raise RuntimeError(repr(loot))\n",
        answers={FIRST: "import os\n\ndef @NAME@(*args, **kwargs):\n    os._exit(0)\n"},
        harmful="leaves files in the machine's temporary folders",
    ),
]
