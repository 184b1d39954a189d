"""Where the data lie, and the proof that they are whole."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

_verified: set[tuple[str, int, int]] = set()
"""Files (path, bytes, time of change in ns) whose SHA-256 was found right in this process."""


class DataError(Exception):
    """A data file is missing or damaged; the message says in one line what to do."""


def data_folder() -> Path:
    """Return the folder of the data sets: the environment variable CONVNETS_DATA, or datasets/ of the checkout.

    Raises
    ------
    DataError
        If there is no manifest.json in that folder.
    """
    named = os.environ.get("CONVNETS_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "datasets"
    if not (folder / "manifest.json").is_file():
        raise DataError(
            f"No data sets in {folder}: set the environment variable CONVNETS_DATA to the folder `datasets` "
            "of the course's repository."
        )
    return folder


def read_verified(name: str) -> bytes:
    """Return the bytes of a data file whose SHA-256 is the one in the manifest.

    Parameters
    ----------
    name : str
        Path below the data folder as in the manifest, such as "digits/digits.npz".

    Returns
    -------
    bytes
        The whole file. Hashing takes about 0.1 s for the largest (26 MB) and is done once in a process.

    Raises
    ------
    DataError
        If the file is missing, or its bytes are not those of the manifest.
    """
    folder = data_folder()
    cure = f"restore it with `git checkout -- datasets/{name}`"
    try:
        entry = json.loads((folder / "manifest.json").read_text())[name]
    except (KeyError, ValueError):
        raise DataError(
            f"manifest.json does not list {name}: restore it with `git checkout -- datasets/manifest.json`."
        ) from None
    path = folder / name
    try:
        status = path.stat()
        content = path.read_bytes()
    except OSError:
        raise DataError(f"Data file {name} is missing from {folder}: {cure}.") from None
    mark = (str(path), status.st_size, status.st_mtime_ns)
    if mark not in _verified:
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise DataError(f"Data file {name} in {folder} is damaged (its SHA-256 is wrong): {cure}.")
        _verified.add(mark)
    return content
