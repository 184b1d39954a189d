"""The stock tools take the kernels with one setting: a JupyterLab server, and nbgrader with the same scores."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import closing, suppress
from pathlib import Path

import pytest
import websocket

from grader.demo import make_demo
from tests.browser.harness import running_lab
from tests.grader.engine.confined.conftest import descendants, eventually, living
from tests.grader.kernels.conftest import SETTING

pytestmark = [pytest.mark.server, pytest.mark.slow]
MODULE = "01_windows"


class Server:
    """A JupyterLab server, spoken to as its page does."""

    def __init__(self, lab):
        self.lab = lab
        self.session = uuid.uuid4().hex

    def ask(self, method, where, **body):
        request = urllib.request.Request(
            f"{self.lab.url}/api/{where}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"token {self.lab.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def connect(self, kernel):
        url = f"{self.lab.url.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id={self.session}"
        return websocket.create_connection(url, header=[f"Authorization: token {self.lab.token}"], timeout=60)

    def send(self, socket, code):
        number = uuid.uuid4().hex
        header = {
            "msg_id": number,
            "msg_type": "execute_request",
            "session": self.session,
            "username": "",
            "version": "5",
        }
        content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": False}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
        socket.send(json.dumps(message))
        return number

    def hear(self, socket, number, wanted, seconds=120):
        """Return the content of the next message of a kind, in answer to a cell."""
        end = time.monotonic() + seconds
        socket.settimeout(5)  # less than between two of the server's pings, which begin a socket's time-out anew
        while time.monotonic() < end:
            with suppress(websocket.WebSocketTimeoutException):
                message = json.loads(socket.recv())
                if message["parent_header"].get("msg_id") == number and message["msg_type"] in wanted:
                    return message["content"]
        raise TimeoutError(f"no {' or '.join(wanted)} in answer to a cell")

    def run(self, socket, code):
        return self.hear(socket, self.send(socket, code), ("stream", "error"))

    def run_anew(self, socket, code):
        """Run in a kernel just started again: the first request may be lost, in stock kernels too, so ask again."""
        for _ in range(10):
            with suppress(TimeoutError):
                return self.hear(socket, self.send(socket, code), ("stream", "error"), seconds=10)
        raise TimeoutError("the kernel does not come back")


def test_jupyterlab_starts_restarts_and_stops_them(tmp_path):
    config = tmp_path / "jupyter" / "config"
    config.mkdir(parents=True)
    (config / "jupyter_server_config.py").write_text(
        'c.KernelProvisionerFactory.default_provisioner_name = "warm"\nc.WarmProvisioner.profile = "numpy"\n'
    )
    warm = "import os, sys; print('matplotlib.pyplot' in sys.modules, os.getcwd())"
    (tmp_path / "notebooks" / "work").mkdir(parents=True)
    others = set(descendants(os.getpid()))  # of other tests
    with running_lab(tmp_path) as lab:
        server = Server(lab)
        first = server.ask("POST", "kernels", name="python3", path="work")["id"]
        second = server.ask("POST", "kernels", name="python3")["id"]
        with closing(server.connect(first)) as one, closing(server.connect(second)) as other:
            assert server.run(one, warm)["text"] == f"True {lab.folder / 'work'}\n"
            assert server.run(other, warm)["text"] == f"True {lab.folder}\n"
            number = server.send(one, "import time\nprint('runs', flush=True)\nwhile True: time.sleep(0.01)")
            server.hear(one, number, ("stream",))
            server.ask("POST", f"kernels/{first}/interrupt")
            assert server.hear(one, number, ("error",))["ename"] == "KeyboardInterrupt"
            server.run(one, "print(kept := 1)")
            server.ask("POST", f"kernels/{first}/restart")
            # Anew, since the server waits for a kernel's answers then; on the old line the first may be lost.
            with closing(server.connect(first)) as again:
                assert server.run_anew(again, "print('kept' in globals())")["text"] == "False\n"
            # A kernel that dies by itself is started again by the server.
            before = server.run(other, "import os; print(os.getpid())")["text"]
            server.send(other, "os._exit(1)")
            other.settimeout(25)
            while json.loads(other.recv())["content"].get("execution_state") != "restarting":
                pass
        with closing(server.connect(second)) as other:
            after = server.run_anew(other, "import os, sys; print('matplotlib.pyplot' in sys.modules, os.getpid())")[
                "text"
            ]
            assert after.startswith("True ")
            assert after.split()[1] != before.strip()
        for kernel in (first, second):
            server.ask("DELETE", f"kernels/{kernel}")
        assert eventually(lambda: not Path("/proc", after.split()[1]).exists())
        pids = set(descendants(os.getpid())) - others
    assert eventually(lambda: not living(pids)), living(pids)


@pytest.fixture(scope="module")
def submitted(built_course, tmp_path_factory):
    """A course with what two of its students handed in, one right, one wrong."""
    folder = tmp_path_factory.mktemp("class")
    demo = make_demo(built_course, 16, folder / "demo")
    course = folder / "course"
    shutil.copytree(built_course.root, course)
    students = json.loads(demo.expected.read_text())["modules"][MODULE]["students"]
    for kind in ("right", "mistake: rounds_down of windows"):
        name = next(name for name, told in students.items() if told["kind"] == kind)
        shutil.copytree(demo.folder / name, course / "submitted" / name)
    return course


def autograded(course, provisioner):
    """Grade with stock nbgrader; return what each cell earned and what nbgrader said."""
    with (course / "nbgrader_config.py").open("a") as file:
        file.write('c.WarmProvisioner.profile = "numpy"\n')
    program = Path(sys.executable).parent
    environment = {**os.environ, SETTING: provisioner, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    command = [program / "nbgrader", "autograde", MODULE]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        rows = gradebook.execute(
            "SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score FROM grade "
            "JOIN base_cell ON base_cell.id = grade.cell_id "
            "JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id "
            "JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        ).fetchall()
    return sorted(rows), done.stderr


def test_nbgrader_gives_the_same_scores(submitted, tmp_path):
    rows, said = {}, {}
    for name in ("local-provisioner", "warm", "warm-sandboxed"):
        course = tmp_path / name
        shutil.copytree(submitted, course)
        rows[name], said[name] = autograded(course, name)
    assert len(rows["warm"]) == 6
    assert {score for _, name, score in rows["warm"] if name == "windows-test-2"} == {0.0, 2.0}
    assert rows["warm"] == rows["local-provisioner"]
    assert rows["warm-sandboxed"] == rows["local-provisioner"]
    assert not any("starts cold" in text for text in said.values())
