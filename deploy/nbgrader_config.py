"""nbgrader's settings for everybody on the hub; the course's own nbgrader_config.py adds the instructors'."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (given by whatever loads this file)

c.CourseDirectory.course_id = "convnets"
c.Exchange.root = str(Path(os.environ.get("CONVNETS_HUB", "/srv/convnets")) / "exchange")

if os.environ.get("CONVNETS_ONE_ACCOUNT"):
    # nbgrader takes a file's owner for its author; here only the hub knows.
    # The instructors' server has no user.
    c.ExchangeCollect.check_owner = False
    if user := os.environ.get("JUPYTERHUB_USER"):
        c.CourseDirectory.student_id = user
