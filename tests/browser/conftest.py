"""Fixtures of the browser tests: one JupyterLab and one Chromium for the whole session."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser

from tests.browser.harness import BrowserError, Lab, NotebookPage, chromium, running_lab
from tests.browser.harness import open_notebook as open_in_lab

T = TypeVar("T")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


def entered(stack: ExitStack, context: AbstractContextManager[T]) -> T:
    """Enter a context; what the machine lacks for it becomes one line, without a traceback."""
    lacking = ""
    try:
        return stack.enter_context(context)
    except BrowserError as error:
        lacking = str(error)
    pytest.fail(lacking, pytrace=False)  # outside the except clause, or pytest prints the chain of exceptions


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with ExitStack() as stack:
        yield entered(stack, chromium())


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with ExitStack() as stack:
        yield entered(stack, running_lab(tmp_path_factory.mktemp("lab")))


_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def open_notebook(browser: Browser, lab: Lab) -> Iterator[Callable[..., NotebookPage]]:
    """A function: cells (and name=, width=) to a notebook open in JupyterLab, all cells run; closed with its module."""
    opened: list[NotebookPage] = []

    def opening(cells: list[str], *, name: str = "notebook", width: int = 1100) -> NotebookPage:
        opened.append(open_in_lab(lab, browser, cells, f"{name}_{next(_NUMBERS)}", width))
        return opened[-1]

    yield opening
    for notebook in opened:
        notebook.page.context.close()
