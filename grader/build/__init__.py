"""From one text notebook to what learners open: expand, record the known mistakes, release by nbgrader."""

from grader.build.release import build_module, drift
from grader.build.text import TextNotebook, read_text_notebook

__all__ = ["TextNotebook", "build_module", "drift", "read_text_notebook"]
