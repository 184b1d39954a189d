"""Set up the course in this folder, then open it in JupyterLab: ``python3 start.py``, on Windows ``py start.py``."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
#: The version this course is tested with.
VERSION = (3, 11)
START_PAGE = "00_start_here/00_start_here.ipynb"


def find_python() -> list[str]:
    """Return the command of a Python of the right version: this one, or another one on this machine.

    Raises
    ------
    SystemExit
        When there is none.
    """
    if sys.version_info[:2] == VERSION:
        return [sys.executable]
    number = ".".join(map(str, VERSION))
    for command in ([f"python{number}"], ["py", f"-{number}"]):
        if shutil.which(command[0]) and subprocess.run([*command, "-c", ""], capture_output=True).returncode == 0:
            return command
    raise SystemExit(
        f"start: Python {number} is needed (the version this course is tested with), this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}; install {number} beside it, then give the same command again"
    )


def wanted_state() -> str:
    """Return a text that changes with what has to be installed, and with the place of this folder."""
    parts = [str(HERE).encode(), *((HERE / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def set_up() -> None:
    """Make ``.venv`` and install the course into it, unless that is done.

    Raises
    ------
    SystemExit
        When a step fails; what it printed stands above.
    """
    mark = VENV / ".ready"
    if mark.is_file() and mark.read_text() == wanted_state():
        return
    print("start: installing PyTorch, JupyterLab and the course into .venv (a few minutes the first time)", flush=True)
    if not PYTHON.exists() and subprocess.run([*find_python(), "-m", "venv", str(VENV)]).returncode:
        # A half-made one would be taken for a whole one the next time.
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit(
            "start: .venv could not be made: do what the lines above say, then give the same command again"
        )
    pip = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    if subprocess.run([*pip, "--constraint", "constraints.txt", "--editable", "."], cwd=HERE).returncode:
        raise SystemExit("start: the installation failed: see the lines above, then give the same command again")
    # JupyterLab asks at its first start whether it may fetch news; the course works offline.
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "overrides.json").write_text(json.dumps(quiet))
    mark.write_text(wanted_state())


def first_page() -> str:
    """Return the notebook to open, below ``notebooks/``: the start page where it was handed out."""
    notebooks = sorted((HERE / "notebooks").glob("*/*.ipynb"))
    names = [path.relative_to(HERE / "notebooks").as_posix() for path in notebooks]
    return START_PAGE if START_PAGE in names or not names else names[0]


def main() -> int:
    """Set up where needed and run JupyterLab until it is ended."""
    set_up()
    arguments = [
        *(str(PYTHON), "-m", "jupyter", "lab"),
        f"--ServerApp.root_dir={HERE / 'notebooks'}",
        f"--LabApp.default_url=/lab/tree/{first_page()}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    # A child and not a replacement of this process: on Windows the terminal would be given back at once.
    with subprocess.Popen([*arguments, *sys.argv[1:]]) as server:
        while True:
            try:
                return server.wait()
            except KeyboardInterrupt:
                pass  # Ctrl-C reached JupyterLab too, which asks whether it is meant


if __name__ == "__main__":
    sys.exit(main())
