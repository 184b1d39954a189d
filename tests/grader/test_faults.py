"""kill -9 at random moments: every submission is graded once, with the result of an undisturbed run.

The long campaign is ``python -m benchmarks.faults``.
"""

import random
import shutil

import pytest

from benchmarks.faults import VICTIMS, Faults
from grader.course import Course
from grader.engine import sandbox


@pytest.fixture(scope="module")
def faults(built_course, tmp_path_factory):
    if sandbox.probe().tier == "none":
        pytest.skip("this machine confines no learner's code")
    root = tmp_path_factory.mktemp("faults") / "course"
    shutil.copytree(built_course.root, root)
    return Faults(Course(root), 12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victims", "seed"), [*(([victim], 1) for victim in VICTIMS), (["learner"], 2), (VICTIMS, 1), (VICTIMS, 2)]
)
def test_what_is_killed_costs_no_submission(faults, victims, seed):
    chance = random.Random(seed)
    enough = (len(victims) + 1) // 2  # the last of several may find the class graded; on a fast machine all may
    for _ in range(5):
        count = faults.disturb(victims, chance)
        assert (count.once, count.again, count.lost, count.different) == (12, 0, 0, [])
        if count.kills.total() >= enough:
            break
    assert count.kills.total() >= enough
