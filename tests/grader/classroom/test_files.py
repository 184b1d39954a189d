"""``grader/classroom/files.py``: a file is there whole or as it was before."""

import errno
from pathlib import Path

import pytest

from grader.classroom.files import write_whole


def test_a_file_is_written_with_its_folders(tmp_path):
    write_whole(tmp_path / "a" / "b" / "file", b"whole")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"whole"


def test_on_a_full_disk_the_file_stays_and_is_named(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    write = Path.write_bytes

    def full(self, data):
        write(self, data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left on device") as told:
        write_whole(path, b"after")
    assert told.value.filename == str(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
