"""A real JupyterLab in a real Chromium, for tests, static pictures and the latency benchmark.

Example
-------
::

    with running_lab(folder) as lab, chromium() as browser:
        notebook = open_notebook(lab, browser, ["from convnets.widgets import SlidingKernel"])
        widget = notebook.run("SlidingKernel(stride=2)")     # a Playwright locator
        notebook.theme("dark")
        widget.screenshot(path="sliding_kernel.png")
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light", "adaptive-theme": False},
    "docmanager-extension/plugin": {"autosave": False},
}

NO_CHROMIUM = (
    "Chromium is missing: install it with 'apt-get install chromium' or 'playwright install chromium', "
    "or name its program in the environment variable CHROMIUM."
)


class BrowserError(RuntimeError):
    """Something the browser tests need is missing; the message says what to do."""


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab server: its address, its token and its own folder of notebooks."""

    url: str
    token: str
    folder: Path


def find_chromium() -> str:
    """Return the path of a Chromium; raise :class:`BrowserError` in one clear line where there is none."""
    if named := os.environ.get("CHROMIUM"):
        if found := shutil.which(named):
            return found
        raise BrowserError(f"CHROMIUM names {named!r}, which is no program: correct or unset it.")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    raise BrowserError(NO_CHROMIUM)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium with a fresh profile that is thrown away afterwards."""
    path = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def entered(stack: ExitStack, context: AbstractContextManager[T]) -> T:
    """Enter a context; what the machine lacks for it becomes one line, without a traceback."""
    lacking = ""
    try:
        return stack.enter_context(context)
    except BrowserError as error:
        lacking = str(error)
    pytest.fail(lacking, pytrace=False)  # outside the except clause, or pytest prints the chain of exceptions


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_lab(folder: Path, timeout: float = 90) -> Iterator[Lab]:
    """Start JupyterLab on a free port with a token, its settings and its notebooks all inside `folder`.

    The kernels see this repository's ``convnets``, run one thread, and know nothing of the user's own Jupyter
    or IPython configuration.
    """
    notebooks, home = folder / "notebooks", folder / "jupyter"
    notebooks.mkdir(parents=True, exist_ok=True)
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    port, token = free_port(), secrets.token_hex(16)
    places = {
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
    }
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {
        **os.environ,
        **{name: str(path) for name, path in places.items()},
        "PYTHONPATH": search,
        "OMP_NUM_THREADS": "1",
    }
    options = {
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.ip": "127.0.0.1",
        "IdentityProvider.token": token,
        "ServerApp.root_dir": notebooks,
        "ServerApp.allow_root": True,
        "LabApp.expose_app_in_browser": True,
        "LabApp.open_browser": False,
    }
    log = folder / "jupyterlab.log"
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    with log.open("w", encoding="utf-8") as stream:
        server = subprocess.Popen(command, env=environment, cwd=notebooks, stdout=stream, stderr=subprocess.STDOUT)
    lab = Lab(f"http://127.0.0.1:{port}", token, notebooks)
    try:
        deadline = time.monotonic() + timeout
        while not _answers(lab):
            if server.poll() is not None or time.monotonic() > deadline:
                raise BrowserError(f"JupyterLab did not start; its log ends: {log.read_text()[-600:]}")
            time.sleep(0.2)
        yield lab
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _answers(lab: Lab) -> bool:
    try:
        with urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


#: Adds a code cell at the end, runs it, resolves when the kernel has answered.
RUN_CODE = """
async (source) => {
  const panel = window.jupyterapp.shell.currentWidget;
  const notebook = panel.content;
  notebook.model.sharedModel.addCell({ cell_type: "code", source });
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await window.jupyterapp.commands.execute("notebook:run-cell");
  return notebook.widgets.length - 1;
}
"""

READY = """
() => {
  const panel = window.jupyterapp?.shell?.currentWidget;
  return panel?.sessionContext?.session?.kernel?.status === "idle";
}
"""


class NotebookPage:
    """A notebook open in JupyterLab, with its kernel running."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def command(self, name: str, arguments: dict[str, object] | None = None) -> None:
        """Execute one of JupyterLab's commands and wait for it."""
        self.page.evaluate(
            "([name, args]) => window.jupyterapp.commands.execute(name, args).then(() => null)",
            [name, arguments or {}],
        )

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(READY, timeout=timeout * 1000)

    def run_all(self) -> None:
        """Run all cells and wait for the last answer."""
        self.command("notebook:run-all-cells")
        self.wait_idle()

    def run(self, code: str) -> Locator:
        """Run `code` in a new last cell; return the cell's output, or the course's widget in it."""
        index = self.page.evaluate(RUN_CODE, code)
        self.wait_idle()
        output = self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea').first
        widget = output.locator(".cnn-widget")
        try:
            widget.wait_for(timeout=10_000)
        except Exception:  # no widget of the course: the caller looks at the plain output
            return output
        widget.scroll_into_view_if_needed()
        return widget

    def output_text(self, code: str) -> str:
        """Run `code` in a new last cell and return the text of its output."""
        index = self.page.evaluate(RUN_CODE, code)
        self.wait_idle()
        return self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"] .jp-OutputArea').inner_text()

    def theme(self, name: Literal["light", "dark"]) -> None:
        """Switch JupyterLab's theme."""
        title = f"JupyterLab {name.capitalize()}"
        self.command("apputils:change-theme", {"theme": title})
        self.page.wait_for_function(
            "(name) => document.body.dataset.jpThemeName === name && !document.getElementById('jupyterlab-splash')",
            arg=title,
        )

    def width(self, pixels: int, height: int = 1000) -> None:
        """Make the window `pixels` wide, as on a small screen."""
        self.page.set_viewport_size({"width": pixels, "height": height})


def write_notebook(folder: Path, cells: Sequence[str], name: str) -> Path:
    """Write a notebook of code cells with this Python's kernel named in it."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


def open_notebook(
    lab: Lab, browser: Browser, cells: Sequence[str], name: str = "notebook", width: int = 1100, height: int = 1000
) -> NotebookPage:
    """Write a small notebook, open it in JupyterLab with the side bar shut, and run all of its cells."""
    path = write_notebook(lab.folder, cells, name)
    context = browser.new_context(viewport={"width": width, "height": height})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(f"{lab.url}/doc/tree/{path.name}?token={lab.token}")
    notebook = NotebookPage(page)
    notebook.wait_idle(120)
    if page.locator("#jp-left-stack:visible").count():
        notebook.command("application:toggle-left-area")
    notebook.run_all()
    return notebook


def wait_turn(widget: Locator, turn: int) -> None:
    """Wait until the widget shows an answer later than `turn`."""
    widget.page.wait_for_function(
        "([node, turn]) => Number(node.dataset.turn) > turn", arg=[widget.element_handle(), turn]
    )


def turn_of(widget: Locator) -> int:
    """Return the number of the answer that the widget shows."""
    return int(widget.get_attribute("data-turn") or 0)
