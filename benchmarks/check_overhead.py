"""What a check costs on top of the learner's own code, as the median of many calls.

Run with ``python -m benchmarks.check_overhead``.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from convnets.checks import CheckFailed, Lesson, LessonRecord

ROOT = Path(__file__).resolve().parents[1]


def seconds(action: Callable[[], object], repeats: int = 200) -> float:
    """Return the median wall time of an action."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    record = LessonRecord.from_json(
        (ROOT / "notebooks" / "05_convolution_arithmetic" / "05_convolution_arithmetic.checks.json").read_text()
    )
    lesson = Lesson("05_convolution_arithmetic", record)
    cell = next(iter(record.cells))
    images = np.random.default_rng(0).normal(size=(64, 3, 32, 32))

    def passing() -> None:
        lesson.begin_cell("", cell)
        lesson.check(np.negative, images).gives(-images)
        lesson.end_cell(success=False)

    def failing() -> None:
        lesson.begin_cell("", cell)
        with contextlib.suppress(CheckFailed), contextlib.redirect_stdout(io.StringIO()):
            lesson.check(np.negative, images).gives(images)

    bare = seconds(lambda: np.negative(images))
    print(f"an array of {images.size:,} numbers, {len(record.mistakes)} known mistakes; budget 50 ms")
    print(f"the call alone     {1000 * bare:7.2f} ms")
    print(f"a check that passes {1000 * (seconds(passing) - bare):6.2f} ms on top")
    print(f"a check that fails  {1000 * (seconds(failing) - bare):6.2f} ms on top")


if __name__ == "__main__":
    main()
