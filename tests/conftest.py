"""Settings of all tests."""

import os

# Small nets are fastest on one thread; and a process that has computed on several cannot be forked: OpenMP hangs in the
# child, and the tests of the grader fork.
os.environ.setdefault("OMP_NUM_THREADS", "1")
