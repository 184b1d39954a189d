"""``deploy/``: a hub in which a student and an instructor take one module all the way round, each in a browser."""

import grp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect
from traitlets.config import Config, PyFileConfigLoader

from grader.build import build_module
from tests.browser.harness import free_port
from tests.browser.test_formgrader import MATHJAX
from tests.grader.conftest import ROOT, make_course

MODULE = "01_windows"
STUDENT = "ada"
AS_USER = str(ROOT / "tests" / "grader" / "engine" / "confined" / "as_user.py")
PROGRAMS = Path(sys.prefix) / "bin"
#: What the student writes: the first test cell passes, the second meets a known mistake.
CODE = "return (size - kernel) // stride + 1"
expect.set_options(timeout=60_000)
WRITTEN = "A window begins at every stride."
#: Where the hub is started by root, other accounts of this machine are put in place of its own, for the hub alone.
WITH_ACCOUNTS = 'for f in passwd group shadow; do mount --bind "$0/$f" "/etc/$f" || exit; done; exec "$@"'

is_root = os.getuid() == 0
needs_hub = pytest.mark.skipif(
    not (
        (PROGRAMS / "jupyterhub").exists() and (PROGRAMS / "configurable-http-proxy").exists() and shutil.which("node")
    ),
    reason="JupyterHub or its proxy is missing: install Node.js and npm, then run scripts/setup.sh dev",
)


def may_mount() -> bool:
    tools = is_root and all(shutil.which(tool) for tool in ("openssl", "unshare"))
    return tools and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


# --- A hub and its people -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A running hub: its address, the course's folder, names and passwords of its two people."""

    url: str
    course: Path
    instructor: str
    passwords: dict[str, str]


def own(folder: Path, user: int) -> None:
    """Give a folder and all in it to a user."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user)


def hashed(password: str) -> str:
    """Return a password as the machine's shadow file holds it."""
    run = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def write_accounts(folder: Path, homes: Path, passwords: dict[str, str]) -> dict[str, int]:
    """Write this machine's accounts with ours added, and make their homes; return their numbers."""
    users = {STUDENT: 61001, "grace": 61002, "grader-convnets": 61003}
    groups = {"convnets": (61010, STUDENT), "convnets-instructors": (61011, "grace")}
    added: dict[str, list[str]] = {"passwd": [], "group": [], "shadow": []}
    for name, number in users.items():
        home = homes / name
        home.mkdir(parents=True, mode=0o700)
        own(home, number)
        added["passwd"].append(f"{name}:x:{number}:{number}::{home}:/bin/bash")
        added["group"].append(f"{name}:x:{number}:")
        secret = hashed(passwords[name]) if name in passwords else "!"
        added["shadow"].append(f"{name}:{secret}:20000:0:99999:7:::")
    added["group"] += [f"{name}:x:{number}:{member}" for name, (number, member) in groups.items()]
    folder.mkdir()
    for name, lines in added.items():
        ours = {line.split(":")[0] for line in lines}
        here = Path("/etc", name)
        kept = [line for line in here.read_text().splitlines() if line.split(":")[0] not in ours]
        (folder / name).write_text("\n".join([*kept, *lines]) + "\n")
        (folder / name).chmod(here.stat().st_mode)
    return users


@contextmanager
def running_hub(folder: Path, accounts: str):
    """Start the hub as README.md says, on free ports and with all its folders in `folder`."""
    course = make_course(folder / "course")
    build_module(course, MODULE)
    site, home = folder / "site", folder / "home"
    home.mkdir()
    course.root.chmod(0o700)
    prefix: list[str] = []
    passwords: dict[str, str] = {}
    if accounts == "machine":
        instructor = "grace"
        passwords = {STUDENT: "a password of Ada's", instructor: "a password of Grace's"}
        users = write_accounts(folder / "etc", folder / "homes", passwords)
        own(course.root, users["grader-convnets"])
        shell = ["/bin/sh", "-c", WITH_ACCOUNTS, str(folder / "etc")]
        prefix = [sys.executable, AS_USER, "0", str(home), *shell]
    else:
        instructor = "instructor"
        if is_root:
            own(folder, 65534)
            prefix = [sys.executable, AS_USER, "65534", str(home)]
    port, hub_port, proxy_port = free_port(), free_port(), free_port()
    command = [
        *prefix,
        str(PROGRAMS / "jupyterhub"),
        f"--config={ROOT / 'deploy' / 'jupyterhub_config.py'}",
        f"--port={port}",
        f"--JupyterHub.hub_port={hub_port}",
        f"--ConfigurableHTTPProxy.api_url=http://127.0.0.1:{proxy_port}",
    ]
    environment = {
        **os.environ,
        "HOME": str(home),
        "CONVNETS_HUB": str(site),
        "GRADER_COURSE": str(course.root),
        "PYTHONPATH": str(ROOT),
    }
    log = folder / "hub.log"
    with log.open("wb") as stream:
        hub = subprocess.Popen(command, env=environment, cwd=home, stdout=stream, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/hub/login", hub, log)
        if accounts == "one":
            passwords = {
                name: (site / "state" / f"password-of-{kind}").read_text()
                for name, kind in ((STUDENT, "students"), (instructor, "instructor"))
            }
        yield Site(f"http://127.0.0.1:{port}", course.root, instructor, passwords)
    finally:
        end(hub, site / "state" / "proxy.pid")


def wait_for(url: str, hub: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert hub.poll() is None, f"the hub ended: {log.read_text()[-1500:]}"
        assert time.monotonic() < deadline, f"the hub does not answer: {log.read_text()[-1500:]}"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


def end(hub: subprocess.Popen, proxy: Path) -> None:
    """End the hub and all that it started: each of them has a session of its own."""
    started = psutil.Process(hub.pid).children(recursive=True) if hub.poll() is None else []
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        started.append(psutil.Process(int(proxy.read_text())))  # outlives a hub that failed
    hub.kill()  # at once, or it would start its proxy again
    hub.wait()
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(started, timeout=5)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


# --- What people do in a browser -----------------------------------------------------------------------------------

#: Type a line into a new terminal of a server, and resolve with what it printed.
TERMINAL = r"""
async ([base, line]) => {
  const token = document.cookie.match(/_xsrf=([^;]*)/)[1];
  const made = await fetch(`${base}api/terminals`, { method: "POST", headers: { "X-XSRFToken": token } });
  const { name } = await made.json();
  const socket = new WebSocket(`${base.replace(/^http/, "ws")}terminals/websocket/${name}`);
  let text = "";
  await new Promise((resolve) => {
    socket.onmessage = (message) => {
      const [kind, data] = JSON.parse(message.data);
      text += kind === "stdout" ? data : "";
      if (kind === "setup") {
        socket.send(JSON.stringify(["set_size", 50, 1000]));
        socket.send(JSON.stringify(["stdin", `${line}; echo '<ended' $?'>'\r`]));
      }
      if (/<ended \d+>/.test(text)) resolve();
    };
  });
  socket.close();
  return text;
}
"""
ESCAPES = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
#: Read a notebook from a server, or write it there, as JupyterLab does.
CONTENTS = r"""
async ([address, content]) => {
  const token = document.cookie.match(/_xsrf=([^;]*)/)[1];
  const body = content && JSON.stringify({ type: "notebook", format: "json", content });
  const answer = await fetch(address, { method: body ? "PUT" : "GET", body, headers: { "X-XSRFToken": token } });
  return { status: answer.status, ...(await answer.json()) };
}
"""


class Person:
    """Somebody logged in to the hub, with JupyterLab open."""

    def __init__(self, site: Site, chromium: Browser, name: str, server: str) -> None:
        self.name, self.base = name, f"{site.url}{server}"
        context = chromium.new_context(viewport={"width": 1300, "height": 1000})
        context.set_default_timeout(120_000)
        self.page = context.new_page()
        self.page.goto(site.url)
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", site.passwords[name])
        self.page.click("#login_submit")
        self.page.wait_for_url(f"{self.base}lab**")

    def types(self, line: str, code: int = 0) -> str:
        """Type a command into a terminal and return what it printed; it ends with this exit code."""
        told = self.page.evaluate(TERMINAL, [self.base, line])
        assert f"<ended {code}>" in told, told
        return ESCAPES.sub("", told).replace("\r", "")

    def contents(self, path: str, content: object = None) -> dict:
        answer = self.page.evaluate(CONTENTS, [f"{self.base}api/contents/{path}", content])
        assert answer["status"] == 200, answer
        return dict(answer)

    def chooses(self, entry: str) -> None:
        """Choose an entry of JupyterLab's menu Nbgrader."""
        self.page.get_by_role("menuitem", name="Nbgrader").click()
        self.page.get_by_role("menuitem", name=entry).click()

    def waiting(self) -> dict[str, object]:
        """Return what ``grader status`` tells of the module."""
        (found,) = re.findall(r"^\[.*?^\]", self.types("grader status --json"), re.M | re.S)
        (row,) = json.loads(found)
        return {key: row[key] for key in ("submitted", "graded", "ungraded", "waiting")}


def solve(student: Person) -> None:
    path = f"{MODULE}/{MODULE}.ipynb"
    notebook = student.contents(path)["content"]
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    stub = 'raise NotImplementedError("your code here")'
    assert stub in cells["windows"]["source"]
    cells["windows"]["source"] = cells["windows"]["source"].replace(stub, CODE)
    cells["why"]["source"] = WRITTEN
    student.contents(path, notebook)


def give_points(instructor: Person) -> None:
    """Give 1.5 points and a comment to the written answer in formgrader."""
    page = instructor.page.context.new_page()
    page.route("**/*mathjax*/**", lambda route: route.fulfill(body=MATHJAX, content_type="text/javascript"))
    page.goto(f"{instructor.base}formgrader/gradebook/{MODULE}/{MODULE}")
    waiting = page.locator("#main-table tr", has=page.locator(".needs-manual-grade .glyphicon-ok"))
    expect(waiting).to_have_count(1)
    waiting.locator(".glyphicon-eye-open").click()
    waiting.locator("a.name-shown").click()
    answer = page.locator(".nbgrader_cell", has=page.locator("#why"))
    expect(answer).to_contain_text(WRITTEN)
    page.wait_for_load_state("networkidle")  # points and comments have come: what is typed from here on is saved
    page.locator("#why-comment").fill("Say which stride.")
    page.locator("#why").fill("1.5")
    page.locator("#why").press("Tab")
    expect(page.locator("#why:not(.needs_manual_grade)")).to_have_count(1)
    page.wait_for_load_state("networkidle")
    page.close()


# --- All the way round --------------------------------------------------------------------------------------------


@needs_hub
@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize(
    "accounts",
    [
        "one",
        pytest.param("machine", marks=pytest.mark.skipif(not may_mount(), reason="only root may have other accounts")),
    ],
)
def test_a_module_goes_from_instructor_to_student_and_back(accounts: str, browser: Browser) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with running_hub(Path(folder), accounts) as site:
            instructor = Person(site, browser, site.instructor, "/services/convnets/")
            instructor.types(f"nbgrader release_assignment {MODULE}")

            student = Person(site, browser, STUDENT, f"/user/{STUDENT}/")
            refused = student.page.context.new_page().goto(f"{site.url}/services/convnets/lab")
            assert refused is not None
            assert refused.status == 403
            if accounts == "machine":
                assert "Permission denied" in student.types(f"ls {site.course}", code=2)
            student.chooses("Assignment List")
            student.page.get_by_role("button", name="Fetch", exact=True).click()
            submit = student.page.get_by_role("button", name="Submit", exact=True)
            submit.wait_for()
            solve(student)
            submit.click()
            student.page.get_by_role("button", name="Fetch Feedback").wait_for()

            assert "cheating" not in instructor.types(f"nbgrader collect {MODULE}")
            assert instructor.waiting() == {"submitted": 1, "graded": 0, "ungraded": 1, "waiting": 0}
            instructor.types("grader grade submitted")
            assert instructor.waiting() == {"submitted": 1, "graded": 1, "ungraded": 0, "waiting": 1}
            give_points(instructor)
            assert instructor.waiting() == {"submitted": 1, "graded": 1, "ungraded": 0, "waiting": 0}
            instructor.types(f"grader feedback && nbgrader release_feedback {MODULE}")
            assert (site.course / "feedback" / STUDENT / MODULE / f"{MODULE}.html").is_file()

            student.page.get_by_role("button", name="Fetch Feedback").click()
            deadline = time.monotonic() + 60
            while not (times := student.contents(f"{MODULE}")["content"]) or "feedback" not in {
                entry["name"] for entry in times
            }:
                assert time.monotonic() < deadline, "no feedback came"
                time.sleep(0.5)
            (when,) = student.contents(f"{MODULE}/feedback")["content"]
            student.page.goto(f"{student.base}files/{when['path']}/{MODULE}.html")
            page = student.page.locator("body")
            for told in ("Where the last window does not fit you round down.", "1.5 of 2", "Say which stride."):
                expect(page).to_contain_text(told)


# --- What is missing is told in one line ---------------------------------------------------------------------------


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path, int], Config]:
    """A function: a course's folder and who starts the hub (0 is root) to the configuration."""

    def loading(course: Path, user: int = 1000) -> Config:
        monkeypatch.setenv("CONVNETS_HUB", str(tmp_path / "site"))
        monkeypatch.setenv("GRADER_COURSE", str(course))
        monkeypatch.setenv("PATH", os.environ["PATH"])
        monkeypatch.setattr(os, "getuid", lambda: user)
        return PyFileConfigLoader("jupyterhub_config.py", path=str(ROOT / "deploy")).load_config()

    return loading


@needs_hub
def test_the_trial_listens_here_only_and_keeps_its_passwords(load, tmp_path: Path, capsys) -> None:
    course = make_course(tmp_path / "course").root
    first, second = load(course), load(course)
    assert first.JupyterHub.ip == "127.0.0.1"
    assert first.SharedPasswordAuthenticator == second.SharedPasswordAuthenticator
    passwords = first.SharedPasswordAuthenticator.admin_password, first.SharedPasswordAuthenticator.user_password
    printed = capsys.readouterr().err
    assert all(password in printed for password in passwords)
    assert len(set(passwords)) == 2
    state = tmp_path / "site" / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.glob("password*")} == {0o600}
    assert (tmp_path / "site" / "exchange").stat().st_mode & 0o7777 == 0o1777


@needs_hub
@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("no course", "is no course: GRADER_COURSE must name the folder"),
        ("course of root", "belongs to root: to try the hub out, start it as an ordinary user"),
        ("open course", "which holds solutions and scores: chmod 700"),
        ("no groups", "this machine has no group convnets-instructors: deploy/README.md says"),
    ],
)
def test_what_is_missing_is_told_in_one_line(case: str, told: str, load, tmp_path: Path, monkeypatch) -> None:
    course = make_course(tmp_path / "course").root
    course.chmod(0o755 if case == "open course" else 0o700)
    if case == "no course":
        course = tmp_path
    monkeypatch.setattr(Path, "owner", lambda path: "root" if case == "course of root" else "grader-convnets")
    monkeypatch.setattr(grp, "getgrnam", {}.__getitem__)
    with pytest.raises(SystemExit) as stopped:
        load(course, 1000 if case == "no course" else 0)
    assert told in str(stopped.value)
    assert "\n" not in str(stopped.value)
