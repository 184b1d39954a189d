"""A new learner's way: start JupyterLab as the README says, solve, fail, understand, see progress."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.harness import ROOT, NotebookPage, free_port

WRONG_SIGMOID = "def sigmoid(z):\n    return 1 / (1 + np.exp(np.asarray(z)))"
RIGHT_SIGMOID = """def sigmoid(z):
    z = np.asarray(z)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e).astype(e.dtype) / (1 + e)"""
RIGHT_LOSS = """def l2_loss(prediction, target):
    if prediction.shape != target.shape:
        raise ValueError("the shapes differ")
    return float(((prediction - target) ** 2).sum())"""


@dataclass(frozen=True)
class Started:
    """JupyterLab, started by the script behind ``make start``."""

    url: str
    token: str


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Start a copy of the course as ``make start`` does where no browser can be opened."""
    home = tmp_path_factory.mktemp("learner")
    shutil.copytree(ROOT / "notebooks", home / "course" / "notebooks")
    shutil.copytree(ROOT / "scripts", home / "course" / "scripts")
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {
        "CONVNETS_PROGRESS": str(home / "progress"),
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "jupyter"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "PYTHONUNBUFFERED": "1",
    }
    log = home / "log.txt"
    with log.open("w") as stream:
        script = [sys.executable, str(home / "course" / "scripts" / "start.py"), str(port)]
        server = subprocess.Popen(script, env=environment, stdout=stream, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 90
        while not (found := re.search(r"(http://127\.0\.0\.1:\d+)\S*\?token=(\w+)", log.read_text())):
            assert server.poll() is None, log.read_text()[-800:]
            assert time.monotonic() < deadline, log.read_text()[-800:]
            time.sleep(0.2)
        assert "open the URL" in log.read_text()
        yield Started(found.group(1), found.group(2))
    finally:
        server.terminate()
        server.wait(20)


class Learner:
    """What a learner does in a notebook: find a cell, write into it, run it, read."""

    def __init__(self, browser: Browser, started: Started, module: str) -> None:
        self.page: Page = browser.new_context(viewport={"width": 1200, "height": 1000}).new_page()
        self.page.goto(f"{started.url}/lab/tree/{module}/{module}.ipynb?token={started.token}&reset")
        self.notebook = NotebookPage(self.page)
        # On a busy machine JupyterLab may ask which kernel to use, before it has read its list of them.
        question = self.page.locator(".jp-Dialog", has_text="Select Kernel")
        self.page.add_locator_handler(question, lambda dialog: dialog.locator(".jp-mod-accept").click())
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        # The kernel's name in the toolbar is there for people; its state is what counts.
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]', timeout=120_000)

    def cell(self, begins: str) -> Locator:
        """Scroll to the code cell whose text begins so."""
        pattern = re.compile(r"^\s*" + re.escape(begins))
        cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        wanted = cells.filter(has=self.page.locator(".cm-content", has_text=pattern)).first
        self.page.locator(".jp-Notebook .jp-Cell").first.click()
        for _ in range(200):  # cells far away are drawn only when they come near
            if wanted.count():
                wanted.scroll_into_view_if_needed()
                return wanted
            self.page.mouse.move(600, 500)
            self.page.mouse.wheel(0, 500)
            self.page.wait_for_timeout(30)
        raise AssertionError(f"no cell begins with {begins!r}")

    def write(self, cell: Locator, text: str) -> None:
        """Replace a cell's text by typing."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def run(self, cell: Locator) -> Locator:
        """Run a cell by Control + Enter and return its output."""
        prompt = cell.locator(".jp-InputPrompt")
        for _ in range(3):  # while a notebook is still being drawn, a click may hit what has moved away
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            with suppress(AssertionError):
                expect(prompt).not_to_have_text("[ ]:", timeout=10_000)
                break
        expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=60_000)
        return cell.locator(".jp-OutputArea").first


def test_start_page_then_two_exercises_then_progress(started: Started, browser: Browser) -> None:
    learner = Learner(browser, started, "02_mlp_backprop")
    learner.run(learner.cell("import warnings"))

    stub = learner.cell("def sigmoid(z):")
    learner.run(stub)
    told = learner.run(learner.cell("# By hand: e⁰ = 1"))
    expect(told).to_contain_text("sigmoid is not written yet")

    # A known mistake, and its reason.
    learner.write(learner.cell("def sigmoid(z):"), WRONG_SIGMOID)
    learner.run(learner.cell("def sigmoid(z):"))
    told = learner.run(learner.cell("# By hand: e⁰ = 1"))
    expect(told).to_contain_text("Look at the sign of the exponent")
    expect(told).to_contain_text("expected")

    # Two exercises solved.
    for begins, answer, tests in (
        ("def sigmoid(z):", RIGHT_SIGMOID, ("# By hand: e⁰ = 1", "# Far out.")),
        ("def l2_loss(", RIGHT_LOSS, ("# By hand: (1 − 0)²",)),
    ):
        learner.write(learner.cell(begins), answer)
        learner.run(learner.cell(begins))
        for test in tests:
            told = learner.run(learner.cell(test))
            expect(told).to_contain_text("checks passed")
    expect(told).to_contain_text("3 of ")

    # The start page tells where the learner stands.
    start = Learner(browser, started, "00_start_here")
    start.run(start.cell("import numpy as np"))
    table = start.run(start.cell("show_progress()"))
    expect(table).to_contain_text("Go on with: 02")
    row = table.locator("tr", has_text="MLP")
    expect(row).to_contain_text("3 of ")
    expect(row.locator("progress")).to_have_attribute("value", re.compile(r"0\.1\d+"))
    row.get_by_role("link").click()
    opened = start.page.locator(".lm-DockPanel-tabBar .lm-mod-current .lm-TabBar-tabLabel")
    expect(opened).to_have_text("02_mlp_backprop.ipynb", timeout=30_000)


def test_validate_button_lists_what_fails(started: Started, browser: Browser) -> None:
    learner = Learner(browser, started, "00_start_here")
    learner.page.get_by_role("button", name="Validate").first.click()
    dialog = learner.page.locator(".jp-Dialog")
    expect(dialog).to_be_visible(timeout=120_000)
    expect(dialog).to_contain_text("failed", timeout=120_000)
    expect(dialog).to_contain_text("is not written yet")
