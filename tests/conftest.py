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

#: Files whose cases are long: processes take turns at them, module by module of the course.
SPREAD = ("test_course.py", "test_split_agrees.py")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests one process runs: those of a file, for what they share, and all with a browser."""
    for item in items:
        case = item.name.partition("[")[2] if item.path.name in SPREAD else ""
        group = "browser" if "browser" in getattr(item, "fixturenames", ()) else f"{item.location[0]}[{case}"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests: Playwright can be started only once in a process."""
    from tests.browser.harness import chromium, entered

    with ExitStack() as stack:
        yield entered(stack, chromium())
