"""The threat model names tests that exist, and every group of attacks has its place in it."""

import ast
import re
from pathlib import Path

from tests.grader.submissions import suite

TESTS = Path(__file__).resolve().parents[1]
PAGE = (TESTS.parents[1] / "docs" / "threat-model.md").read_text(encoding="utf-8")


def guards():
    """Return what stands in backticks in the last column of each table of threats."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 2]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.rsplit(" | ", 1)[1]) if "`" in row]


def defined_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_guard_exists():
    submissions = {case.name for case in suite.CASES}
    named = guards()
    assert len(named) > 120
    missing = []
    for name in named:
        if "::" in name:
            file, test = name.split("::")
            exists = (TESTS / file).is_file() and test in defined_in(TESTS / file)
        else:
            exists = name in submissions
        missing += [] if exists else [name]
    assert missing == []


def test_every_threat_has_a_guard():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count(" | ") == 2]
    threats = [row for row in rows if not row.startswith(("| ---", "| threat", "| who"))]
    without = [row for row in threats if "`" not in row.rsplit(" | ", 1)[1]]
    trusted = PAGE.split("## Threats and guards")[0]
    assert [row for row in without if row not in trusted] == []


def test_every_dishonest_submission_is_named():
    honest = ("honest, but odd", "damage to the structure", "broken files")
    named = set(guards()) | set(re.findall(r"`([^`]+)`", PAGE.split("## What remains open")[1]))
    assert {case.name for case in suite.CASES if case.group not in honest} - named == set()
