"""Settings of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Small nets are fastest on one thread; and a process that has computed on several cannot be forked: OpenMP hangs in the
# child, and the tests of the grader fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try a test once more where a browser or a server may have been slower than it waits; the summary tells of it."""
    for item in items:
        if item.get_closest_marker("browser") or item.get_closest_marker("server"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: Playwright can be started only once in a process."""
    from tests.browser.harness import chromium, entered

    with ExitStack() as stack:
        yield entered(stack, chromium())
