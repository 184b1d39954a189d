"""Death and delay: what ends the process, never ends, or takes all there is."""

from tests.grader.submissions.case import ALL, FIRST, Case

GROUP = "death and delay"


def dies(name, why, body, **more):
    """The first exercise does it in each call; the others are right, and are paid."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    answers = {FIRST: f"import os, signal, sys, threading, time\n\ndef @NAME@(*args, **kwargs):\n{lines}\n"}
    return Case(name, GROUP, why, **({"loses": (FIRST,), "answers": answers, "deadly": True} | more))


_ONE = ("numpy",)

CASES = [
    dies("exit", "leaving is no answer", "sys.exit(0)", deadly=False),
    dies("hard-exit", "leaving is no answer", "os._exit(0)", outcome="Died", deadly=False),
    dies("abort", "a crash is no answer", "os.abort()", outcome="Died", deadly=False),
    dies(
        "segmentation-fault",
        "a crash is no answer",
        "import ctypes\nctypes.string_at(0)",
        outcome="Died",
        deadly=False,
    ),
    dies("endless-recursion", "an exception is no answer", "return @NAME@(*args)", outcome="Raised", deadly=False),
    dies(
        "kills-everybody",
        "a signal to all that can be seen reaches its own process alone",
        "try:\n    os.kill(-1, 9)\nfinally:\n    os.kill(os.getppid(), 9)\n    os.killpg(0, 9)",
        harmful="kills every process of the user",
        deadly=False,
    ),
    dies("endless-loop", "an answer that never comes is none", "while True:\n    pass", outcome="TimedOut"),
    dies("sleeps", "an answer that never comes is none", "time.sleep(10**6)", outcome="TimedOut", profiles=_ONE),
    dies(
        "signal-proof-loop",
        "no handler saves a loop",
        "for number in range(1, 65):\n    try:\n        signal.signal(number, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "while True:\n    try:\n        time.sleep(0.01)\n    except BaseException:\n        pass",
        outcome="TimedOut",
        harmful="cannot be stopped by what Jupyter sends",
    ),
    dies(
        "loop-in-c",
        "a loop that never looks at a signal is ended from outside",
        "return sum(range(10**12))",
        outcome="TimedOut",
        harmful="cannot be interrupted",
        profiles=_ONE,
    ),
    dies(
        "memory",
        "more memory than there is, is no answer",
        "blocks = []\nwhile True:\n    blocks.append(bytearray(1 << 24))\n"
        "    blocks[-1][::4096] = b'x' * len(blocks[-1][::4096])",
        harmful="takes the machine's memory",
    ),
    dies(
        "memory-at-once",
        "a request out of all proportion is an exception",
        "return bytearray(1 << 50)",
        outcome="Raised",
        deadly=False,
        harmful="asks for more memory than the machine has",
    ),
    dies(
        "fork-bomb",
        "a bomb stays in its own room",
        "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        harmful="takes the machine's processes",
        profiles=_ONE,
    ),
    dies(
        "thread-bomb",
        "threads are counted as processes are",
        "while True:\n    threading.Thread(target=time.sleep, args=(1000,)).start()",
        harmful="takes the machine's threads",
    ),
    dies("waits-for-input", "nobody answers a question", "return input('your answer? ')", deadly=False),
    dies("reads-stdin", "nobody answers a question", "return int(sys.stdin.read())", deadly=False),
    dies("breakpoint", "nobody answers a debugger", "breakpoint()\nreturn -1", profiles=_ONE),
    dies(
        "huge-output",
        "a hundred megabytes are not kept, and -1 is not right",
        "for _ in range(100):\n    print('x' * (1 << 20))\n    sys.stderr.write('y' * (1 << 20))\nreturn -1",
        harmful="fills 100 MB of feedback, several times",
    ),
    dies(
        "output-past-python",
        "what is written past sys.stdout goes nowhere",
        "for fd in (0, 1, 2):\n    try:\n        os.write(fd, b'z' * (1 << 20))\n    except OSError:\n"
        "        pass\nreturn -1",
        deadly=False,
        harmful="fills the terminal of whoever grades",
    ),
    Case(
        "output-in-a-cell",
        GROUP,
        "noise beside right answers costs nothing",
        first="for number in range(20_000):\n    print('line', number, 'x' * 200)\n",
    ),
    Case(
        "exit-in-a-cell",
        GROUP,
        "a cell that leaves takes no answer with it",
        first="import sys\nsys.exit('bye')\n",
        last="exit()\n",
    ),
    Case(
        "hard-exit-in-a-cell",
        GROUP,
        "a cell that ends the process is left out, the answers stay",
        first="import os\nos._exit(3)\n",
    ),
    Case(
        "loop-in-a-cell",
        GROUP,
        "a cell that never ends is left out, the answers stay",
        first="while True:\n    pass\n",
        deadly=True,
    ),
    Case(
        "dies-at-the-last",
        GROUP,
        "the cell at which it dies earns nothing, those before and after do",
        loses=("Tally",),
        answers={
            "Tally": "import os\n\nclass Tally:\n    def __init__(self):\n        os._exit(0)\n",
        },
        profiles=_ONE,
        outcome="Died",
    ),
    Case(
        "daemon-threads",
        GROUP,
        "threads that go on in the background change no right answer",
        first="import threading, time\n\ndef busy():\n    while True:\n        time.sleep(0.001)\n\n"
        "for _ in range(4):\n    threading.Thread(target=busy, daemon=True).start()\n",
    ),
    Case(
        "child-outlives",
        GROUP,
        "a child that wants to outlive its process dies with it; right answers are right",
        first="import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        time.sleep(10**6)\n    os._exit(0)\n",
        harmful="leaves a process behind",
    ),
    Case(
        "everything-at-once",
        GROUP,
        "every answer dies in its own way",
        loses=ALL,
        base="blank",
        answers={
            "windows": "import os\n\ndef windows(*a, **k):\n    os._exit(1)\n",
            "softmax": "def softmax(x):\n    while True:\n        pass\n",
            "mean_of": "def mean_of(x):\n    raise SystemExit\n",
            "slope": "def slope(f, x):\n    return [0] * 10**7\n",
            "Tally": "class Tally:\n    def __init__(self):\n        import ctypes\n        ctypes.string_at(0)\n",
        },
        profiles=_ONE,
        deadly=True,
        harmful="kills its kernel over and over",
    ),
]
