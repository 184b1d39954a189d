"""The author's guide, followed step by step: its files are written and its commands run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STEP = re.compile(
    r"<!-- file: (?P<file>\S+) -->\n```python\n(?P<content>.*?)```"
    r"|```sh\n(?P<command>.*?)```\n```text\n(?P<shown>.*?)```",
    re.S,
)


@pytest.mark.slow
def test_the_guide_leads_to_a_proved_exercise(tmp_path):
    shutil.copyfile(ROOT / "nbgrader_config.py", tmp_path / "nbgrader_config.py")
    environment = dict(os.environ)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment.pop("GRADER_COURSE", None)
    files, commands = 0, 0
    for step in STEP.finditer((ROOT / "docs" / "authors.md").read_text(encoding="utf-8")):
        if step["file"]:
            path = tmp_path / step["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step["content"], encoding="utf-8")
            files += 1
            continue
        run = subprocess.run(
            step["command"], shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        for line in step["shown"].splitlines():
            assert line in run.stdout, f"{line!r} is not in what {step['command']!r} printed:\n{run.stdout}"
        commands += 1
    assert (files, commands) == (2, 2)
