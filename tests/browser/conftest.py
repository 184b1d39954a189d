"""Fixtures of the browser tests: one JupyterLab for the whole session."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.harness import Lab, NotebookPage, entered, running_lab
from tests.browser.harness import open_notebook as open_in_lab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


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
