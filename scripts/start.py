"""Open JupyterLab on the start page: ``python scripts/start.py [PORT]``."""

from __future__ import annotations

import os
import socket
import sys
import webbrowser
from pathlib import Path

START_PAGE = "00_start_here/00_start_here.ipynb"
DEFAULT_PORT = 8888


def port_is_free(port: int) -> bool:
    """Tell whether a server may listen on this port of the local machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_port(asked: str) -> int:
    """Return the port asked for, or the first free one from 8888 on.

    Raises
    ------
    SystemExit
        When the port is no port, or taken.
    """
    if not asked:
        return next(port for port in range(DEFAULT_PORT, DEFAULT_PORT + 100) if port_is_free(port))
    if not asked.isdecimal() or not 1 <= int(asked) <= 65535:
        raise SystemExit(f"start: PORT={asked} is not a port; write for example: make start PORT=8890")
    if not port_is_free(int(asked)):
        raise SystemExit(f"start: port {asked} is in use; choose another one, as in: make start PORT={int(asked) + 1}")
    return int(asked)


def has_browser() -> bool:
    """Tell whether a browser can be opened from here."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def main() -> None:
    """Replace this process by JupyterLab."""
    notebooks = Path(__file__).resolve().parents[1] / "notebooks"
    port = choose_port(sys.argv[1] if len(sys.argv) > 1 else "")
    arguments = [
        sys.executable,
        *("-m", "jupyter", "lab", f"--port={port}", "--ServerApp.port_retries=0"),
        f"--ServerApp.root_dir={notebooks}",
        f"--LabApp.default_url=/lab/tree/{START_PAGE}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if not has_browser():
        print("start: no browser here; open the URL with its token that JupyterLab prints below")
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    os.execv(sys.executable, arguments)


if __name__ == "__main__":
    main()
