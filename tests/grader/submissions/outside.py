"""What lies outside the process: the gradebook, files, the network, and pages in which staff or students read."""

from tests.grader.submissions.case import ALL, FIRST, Case, find, own

#: In the name of everything that an attack writes outside: none of it may exist afterwards.
CANARY = "canary-of-the-suite"


def on_wrong(group, name, why, code, **more):
    return Case(name, group, why, **({"loses": ALL, "base": "wrong", "first": code} | more))


# The gradebook.

_GRADES = """
import glob, sqlite3
for path in ("@COURSE@/gradebook.db", "gradebook.db", "../../gradebook.db", "../../../gradebook.db"):
    try:
        book = sqlite3.connect(path, timeout=1)
        book.execute("UPDATE grade SET manual_score = 999, needs_manual_grade = 0")
        book.execute("UPDATE grade_cells SET max_score = 999")
        book.commit()
    except Exception as error:
        print(error)
"""

BOOK = [
    on_wrong("gradebook", "writes-grades", "the gradebook cannot be opened from here", _GRADES),
    on_wrong(
        "gradebook",
        "writes-grades-while-called",
        "the gradebook cannot be opened from here, at no time",
        "",
        answers={FIRST: f"def @NAME@(*args, **kwargs):\n    exec({_GRADES!r})\n    return -1\n"},
    ),
    on_wrong(
        "gradebook",
        "uses-nbgrader",
        "nbgrader's own interface opens it as little",
        "from nbgrader.api import Gradebook\nwith Gradebook('sqlite:////@COURSE@/gradebook.db') as book:\n"
        "    for row in book.db.query(__import__('nbgrader').api.Grade):\n        row.manual_score = 999\n"
        "    book.db.commit()\n",
    ),
    on_wrong(
        "gradebook",
        "deletes-gradebook",
        "it cannot be deleted or put aside",
        "import os\nfor act in (os.remove, lambda p: os.rename(p, p + '.old'), lambda p: open(p, 'w').close()):\n"
        "    try:\n        act('@COURSE@/gradebook.db')\n    except OSError as error:\n        print(error)\n",
        harmful="deletes the gradebook of the class that is compared",
    ),
    Case("quoted-name", "gradebook", "a name is text", student="o'neill'); DROP TABLE grade; --"),
    Case("name-in-other-letters", "gradebook", "a name is text", student="Zoë 学生 \N{SLIGHTLY SMILING FACE}"),
    Case("name-of-an-option", "gradebook", "a name is text", student="-rf", harmful="nbgrader takes it for an option"),
    Case("renamed-file", "gradebook", "the file's name earns and costs nothing", file_name="@MODULE@ (2).ipynb"),
]

# Files.

_EVERYWHERE = """
import os
for folder in ({folders}):
    path = os.path.join(folder, "{canary}")
    for act in (
        lambda: open(path, "w").write("here"),
        lambda: os.mkdir(path + ".d"),
        lambda: os.symlink("/etc/passwd", path + ".link"),
        lambda: os.mkfifo(path + ".fifo"),
    ):
        try:
            act()
            print("written", path)
        except OSError as error:
            print(error)
"""


def _writes(name, why, *folders, **more):
    code = _EVERYWHERE.replace("{folders}", ", ".join(map(repr, folders)) + ",").replace("{canary}", CANARY)
    return Case(name, "file system", why, **({"first": code} | more))


FILES = [
    _writes("writes-to-the-course", "the course is not there", "@COURSE@", "@COURSE@/solutions", "@COURSE@/build"),
    _writes(
        "writes-to-classmates", "no submission is there", "@CLASS@", "@CLASS@/honest-1/@MODULE@", "@COURSE@/results"
    ),
    _writes(
        "writes-home", "no home is there", "@HOME@", "/root", "/home", harmful="writes into the home of whoever grades"
    ),
    _writes(
        "writes-to-the-system", "it is read-only", "/etc", "/usr/lib", "/", "/opt", harmful="writes into the system"
    ),
    _writes(
        "writes-to-temporary",
        "temporary folders are its own",
        "/tmp",
        "/var/tmp",
        "/dev/shm",
        "/run",
        harmful="litters",
    ),
    _writes(
        "writes-to-packages",
        "libraries are read-only",
        "@PACKAGES@",
        "@ENGINE@",
        "@CONVNETS@",
        harmful="changes the installation",
    ),
    on_wrong(
        "file system",
        "patches-the-engine-on-disk",
        "the engine's files cannot be written",
        "import grader.engine.messages as m, os\nfolder = os.path.dirname(m.__file__)\n"
        "for name in os.listdir(folder):\n    try:\n"
        "        open(os.path.join(folder, name), 'a').write('\\n# @CANARY@')\n"
        "    except OSError as error:\n        print(error)\n",
        harmful="changes the installation",
    ),
    on_wrong(
        "file system",
        "poisons-compiled-files",
        "no cached code can be replaced",
        "import convnets.checks, os, pathlib\ncache = pathlib.Path(convnets.checks.__file__).parent / '__pycache__'\n"
        "for path in list(cache.glob('*.pyc')) + [cache / 'x.pyc']:\n    try:\n        path.write_bytes(b'@CANARY@')\n"
        "    except OSError as error:\n        print(error)\n",
        harmful="changes the installation",
    ),
    on_wrong(
        "file system",
        "takes-the-submission-back",
        "no submission can be replaced, one's own neither",
        "import glob\nfor path in glob.glob('@CLASS@/*/*/*.ipynb') + glob.glob('*.ipynb'):\n    try:\n"
        "        text = open(path).read()\n        open(path, 'w').write(text.replace('-1', '5'))\n"
        "    except OSError as error:\n        print(error)\n",
        harmful="changes the class that is compared",
    ),
    on_wrong(
        "file system",
        "climbs-out",
        "neither links nor descriptors nor mounts lead out",
        "import os, ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "tries = [lambda: os.chroot('.'), lambda: os.chdir('../../..'), lambda: os.fchdir(os.open('/', os.O_RDONLY)),\n"
        "         lambda: libc.unshare(0x10000000), lambda: libc.mount(b'none', b'/scratch', b'tmpfs', 0, None),\n"
        "         lambda: libc.ptrace(16, 1, 0, 0), lambda: os.setuid(0), lambda: os.mknod('disk', 0o60600, "
        "os.makedev(8, 0))]\n"
        "for act in tries:\n    try:\n        act()\n    except Exception as error:\n        print(error)\n"
        "for number in range(3, 256):\n    try:\n        os.dup2(os.open('/dev/null', os.O_RDWR), 300)\n"
        "        path = os.readlink(f'/proc/self/fd/{number}')\n        print(number, path)\n    except OSError:\n"
        "        pass\n",
        harmful="changes root, user and mounts of whoever grades",
    ),
    Case(
        "fills-the-disk",
        "file system",
        "scratch is small, and right answers are right",
        first="import os\ntry:\n    for number in range(10_000):\n        with open(f'block-{number}', 'wb') as file:\n"
        "            file.write(os.urandom(1 << 20) * 8)\nexcept OSError as error:\n    print(error)\n"
        "for number in range(200):\n    try:\n        os.remove(f'block-{number}')\n    except OSError:\n"
        "        pass\n",
        harmful="fills the disk",
    ),
    Case(
        "scratch-is-there",
        "file system",
        "an honest file is written and read in the folder that one is in",
        first="import pathlib, tempfile\npathlib.Path('notes.txt').write_text('seven')\n"
        "with tempfile.NamedTemporaryFile('w+') as file:\n    file.write('x')\n"
        "assert pathlib.Path('notes.txt').read_text() == 'seven'\nworks = True\n",
        last="assert works\n",
    ),
]

# The network.

_CALLS = """
import ctypes, os, socket
tried = []


def tries(act):
    try:
        act()
        tried.append("through")
    except Exception as error:
        tried.append(type(error).__name__)


for host in ("127.0.0.1", "localhost", "0.0.0.0", "::1"):
    tries(lambda: socket.create_connection((host, @PORT@), timeout=2).sendall(b"points, please"))
tries(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"points", ("127.0.0.1", @PORT@)))
tries(lambda: socket.socket(socket.AF_UNIX).connect("@SOCKET@"))
tries(lambda: socket.socket(socket.AF_UNIX).connect("\\0@CANARY@"))
libc = ctypes.CDLL(None)
tries(lambda: [].pop() if libc.socket(2, 1, 0) < 0 else None)
print(tried)
"""

NETWORK = [
    on_wrong("network", "calls-out", "nobody can be reached, not even on this machine", _CALLS),
    on_wrong(
        "network",
        "calls-out-while-called",
        "nobody can be reached, at no time",
        "",
        answers={FIRST: f"def @NAME@(*args, **kwargs):\n    exec({_CALLS!r}, globals())\n    return -1\n"},
    ),
    on_wrong(
        "network",
        "calls-out-from-a-child",
        "a child has no more than its parent",
        "import subprocess, sys\n"
        f"print(subprocess.run([sys.executable, '-c', {_CALLS!r}], capture_output=True, timeout=15))\n",
    ),
    Case(
        "listens",
        "network",
        "a server of its own cannot be opened, and right answers are right",
        first="import socket\ntry:\n    server = socket.create_server(('127.0.0.1', 0))\nexcept OSError as error:\n"
        "    print(error)\n",
    ),
    Case(
        "downloads",
        "network",
        "a download that fails leaves the answers right",
        first="import urllib.request\ntry:\n    urllib.request.urlopen('http://127.0.0.1:@PORT@/data', timeout=2)\n"
        "except OSError as error:\n    print('no data today', error)\n",
    ),
]

# Pages.

SCRIPT = "<script>alert('@CANARY@')</script><img src=x onerror=alert(1)><a href='javascript:alert(2)'>points</a>"


def html_everywhere(notebook):
    find(notebook, "why")["source"] = SCRIPT
    notebook["cells"].append(
        own(SCRIPT + "\n\n[link](javascript:alert(3)) <iframe src=//x.example></iframe>", "markdown")
    )
    notebook["cells"].append(own("<style>body { display: none }</style>", "raw"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "data": {"text/html": SCRIPT}, "metadata": {}}]


HTML = [
    Case(
        "html-everywhere", "HTML", "what is written in markdown earns and costs no test's points", edit=html_everywhere
    ),
    Case(
        "html-in-an-exception",
        "HTML",
        "an exception is an exception, whatever its text",
        loses=(FIRST,),
        answers={FIRST: f"def @NAME@(*args, **kwargs):\n    raise ValueError({SCRIPT!r} + chr(27) + '[2J')\n"},
        profiles=("torch",),
        outcome="Raised",
    ),
    Case(
        "html-as-value",
        "HTML",
        "text is no number",
        loses=(FIRST,),
        answers={FIRST: f"def @NAME@(*args, **kwargs):\n    return {SCRIPT!r}\n"},
    ),
    Case(
        "html-in-a-name",
        "HTML",
        "the name of an exercise is the course's",
        loses=(FIRST,),
        answers={
            FIRST: f"def @NAME@(*args, **kwargs):\n    return -1\n\n@NAME@.__name__ = {SCRIPT!r}\n"
            f"@NAME@.__doc__ = {SCRIPT!r}\n"
        },
    ),
    Case(
        "html-displayed",
        "HTML",
        "what a cell displays is not kept",
        first=f"from IPython.display import HTML\ndisplay(HTML({SCRIPT!r}))\n",
    ),
]

CASES = BOOK + FILES + NETWORK + HTML
