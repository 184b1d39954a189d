"""Stock nbgrader gives a small class the same scores; ``python -m benchmarks.agreement`` compares a large one."""

import dataclasses

import pytest

from benchmarks.agreement import KNOWN, Compared, compare, table

ROW = Compared("01_windows", "ada", "right", "windows-test-1", 1.0, (1.0, False), (1.0, False))


@pytest.mark.slow
def test_stock_nbgrader_gives_the_same_scores(built_course, tmp_path):
    compared = compare(built_course, 8, tmp_path)
    kinds = {one.student: one.kind for one in compared}
    assert len(kinds) == 8
    assert len(compared) == 8 * 3
    assert [one for one in compared if one.counts] == []
    # It sees a difference where there is one, and none but these.
    assert {one.kind for one in compared if one.differs} == {"warned", "out of order", "damaged: truncated file"}
    assert {one.kind for one in compared if one.kind not in KNOWN} == {
        "right",
        "late",
        "blank",
        "partly done",
        "mistake: forgets_the_first of windows",
    }
    assert [one.ours for one in compared if (one.kind, one.cell) == ("right", "why")] == [(0.0, True)]
    assert "| 01_windows | all others | 5 | 15 | 0 | 0 |  |" in table(compared)


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, False),
        ({"nbgraders": (0.0, False)}, True),
        ({"nbgraders": (1.0, True)}, True),
        ({"kind": "warned", "nbgraders": (0.0, False)}, False),
        ({"kind": "warned", "ours": (0.0, False), "nbgraders": (0.0, False)}, True),
        ({"deserved": 0.0}, True),
        ({"deserved": None, "ours": (0.0, True), "nbgraders": (0.0, False)}, True),
    ],
)
def test_what_counts_as_a_difference(changed, counts):
    assert dataclasses.replace(ROW, **changed).counts is counts
