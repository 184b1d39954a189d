"""Prove the course: solution full marks, stub zero, every mistake told its reason, nbgrader agrees."""

from grader.verify import report
from grader.verify.proofs import Target, Verdict, verify_modules

__all__ = ["Target", "Verdict", "report", "verify_modules"]
