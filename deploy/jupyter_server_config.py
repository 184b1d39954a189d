"""Settings of every server on the hub, the learners' and the instructors'."""

import os

c = get_config()  # noqa: F821  (given by whatever loads this file)

# A login shell, which is what a server without a terminal would open, forgets where nbgrader and grader are.
c.ServerApp.terminado_settings = {"shell_command": [os.environ.get("SHELL", "/bin/bash")]}
