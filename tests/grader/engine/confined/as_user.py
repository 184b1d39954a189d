"""Run a command as a user who may read the checkout and its Python, wherever they lie; only as root.

Arguments: user id, working folder, command.

In mounts of its own, folders on the way that are shut to others (such as /root) are replaced by open ones that hold
the needed paths and nothing else.
"""

import os
import sys
from pathlib import Path

from grader.engine import linux

NEEDED = {Path(__file__).resolve().parents[4], Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}


def main() -> None:
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    kept = {path: os.open(path, os.O_PATH) for path in sorted(NEEDED)}
    for folder in {shut for path in kept if (shut := _first_shut(path))}:
        linux.mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        for path, descriptor in kept.items():
            if path.is_relative_to(folder):
                path.mkdir(parents=True)
                linux.mount(f"/proc/self/fd/{descriptor}", str(path), flags=linux.MS_BIND | linux.MS_REC)
    uid = int(sys.argv[1])
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.chdir(sys.argv[2])
    os.execv(sys.argv[3], sys.argv[3:])


def _first_shut(path: Path) -> Path | None:
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


main()
