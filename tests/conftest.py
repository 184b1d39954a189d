"""Settings of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Small nets are fastest on one thread; and a process that has computed on several cannot be forked: OpenMP hangs in the
# child, and the tests of the grader fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that take long, so that no worker is left alone with one."""
    slow, browser = ({item.path for item in items if item.get_closest_marker(mark)} for mark in ("slow", "browser"))
    items.sort(key=lambda item: (item.path not in slow, item.path not in browser))


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Try a test once more where a browser or a server may have been slower than it waits; a warning tells of it.

    The plugins that do this let the workers of pytest-xdist speak over a socket about every test; one run hung in it.
    """
    if not (item.get_closest_marker("browser") or item.get_closest_marker("server")):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if failed := next((report for report in reports if report.failed), None):
        item.warn(pytest.PytestWarning(f"tried once more, since it failed: {failed.longreprtext}"))
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: Playwright can be started only once in a process."""
    from tests.browser.harness import chromium, entered

    with ExitStack() as stack:
        yield entered(stack, chromium())
