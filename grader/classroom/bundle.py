"""What is handed out: a folder or a zip with student notebooks, toolkit, data and a start, and nothing to keep secret.

Everything in it is listed by name or pattern; what merely lies about in the course's folders stays at home.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from convnets.checks.record import file_name
from grader.classroom.data_sets import needed_data_sets
from grader.classroom.files import write_whole
from grader.course import Course, CourseError
from grader.engine.release import Release, make_release, same_text

#: The checkout that this grader belongs to: the toolkit, the data sets and the environment are its own.
HOME = Path(__file__).resolve().parents[2]
#: Stands at the top of every bundle and tells which files were handed out.
RECORD = "bundle.json"
FORMAT = 1
#: Folder that a zip unpacks to.
TOP = "convnets-by-hand"
#: A zip's members carry no time of their own: the same course makes the same bytes.
TIME = (1980, 1, 1, 0, 0, 0)

_PICTURES = (".png", ".svg", ".jpg")
#: Compressed as they are.
_PACKED = (".npz", ".gz", ".png", ".jpg")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Bundle:
    """What was handed out.

    Attributes
    ----------
    to : Path
        The folder or the zip.
    modules, data_sets : tuple of str
        What it holds.
    files, size : int
        Number of files, and their bytes before compression.
    written : int
        Files that were new or had changed.
    kept : tuple of str
        Files that somebody changed since they were handed out; they stayed as they are.
    removed : tuple of str
        Files of the earlier bundle that the course no longer has.
    """

    to: Path
    modules: tuple[str, ...]
    data_sets: tuple[str, ...]
    files: int
    size: int
    written: int
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """What ``bundle.json`` tells of a bundle.

    Attributes
    ----------
    modules : tuple of str
        Modules in it.
    files : dict of str to str
        SHA-256 of each file as it was handed out.
    replaces : dict of str to str
        SHA-256 of the files of the bundle before; only while an update is under way, so that one that was cut off can
        be made again.
    """

    modules: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    replaces: dict[str, str] = field(default_factory=dict)

    def made(self, name: str, digest: str) -> bool:
        """Tell whether a file is as we handed it out."""
        return digest in (self.files.get(name), self.replaces.get(name))

    def to_json(self) -> bytes:
        """Write the record, byte-stable."""
        told: dict[str, Any] = {"bundle": TOP, "format": FORMAT, "modules": self.modules, "files": self.files}
        if self.replaces:
            told["replaces"] = self.replaces
        return (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()

    @classmethod
    def from_json(cls, text: bytes, where: Path) -> Record:
        """Read a record.

        Raises
        ------
        CourseError
            When it is none, or of another format.
        """
        try:
            told = json.loads(text)
            if (told["bundle"], told["format"]) != (TOP, FORMAT):
                raise ValueError("of another format")
            return cls(tuple(told["modules"]), dict(told["files"]), dict(told.get("replaces", {})))
        except (ValueError, KeyError, TypeError) as error:
            raise CourseError(
                f"{where} holds no {RECORD} of this course ({error}): restore it, or release to another place"
            ) from error


def make_bundle(course: Course, modules: Iterable[str], to: Path, tell: Callable[[str], None]) -> Bundle:
    """Make a student bundle, or bring an earlier one up to date.

    Parameters
    ----------
    course : Course
        The course; each module's student notebook must be as its source makes it.
    modules : iterable of str
        Full names. An earlier bundle in a folder keeps the modules that it has.
    to : Path
        A zip by its suffix, otherwise a folder: a new or empty one (of git's own folder nothing is read or written), or
        an earlier bundle. Files of an earlier bundle that nobody changed are replaced; changed ones stay.
    tell : callable
        Is told in one line what comes next.

    Raises
    ------
    CourseError
        When the place holds something else, when a notebook is missing or not as its source makes it, or when a data
        file is not the one of the manifest.
    """
    project = _project()
    as_zip = to.suffix.lower() == ".zip"
    earlier = _earlier_zip(to) if as_zip else _earlier_folder(to)
    wanted = {*modules, *(() if as_zip else earlier.modules)}
    released = tuple(module for module in course.modules() if module in wanted)
    contents: dict[str, bytes] = {}
    for module in released:
        tell(module)
        contents |= dict(_notebook(course, module))
    tell("toolkit, data and environment")
    data_sets = needed_data_sets(_code(contents), HOME / "convnets", {name.split("/")[0] for name in _manifest()})
    contents |= dict(_toolkit(project)) | dict(_data(data_sets)) | dict(_environment(project))
    record = Record(released, {name: _digest(content) for name, content in sorted(contents.items())})
    tell(f"writing {to}")
    written, kept, removed = (
        _write_zip(to, contents, record) if as_zip else _write_folder(to, contents, record, earlier)
    )
    size = sum(map(len, contents.values()))
    return Bundle(to, released, data_sets, len(contents) + 1, size, written, tuple(kept), tuple(removed))


# --- What goes in ---------------------------------------------------------------------------------------------


def _notebook(course: Course, module: str) -> Iterator[tuple[str, bytes]]:
    """Yield a module's student notebook, its checks file and its pictures.

    Raises
    ------
    CourseError
        When the notebook is not what its source makes: an author changed the source, or somebody worked in it.
    """
    home = course.notebooks / module
    cure = f"run: grader build {module}"
    paths = [home / f"{module}.ipynb", home / file_name(module)]
    paths += sorted(path for path in (home / "pictures").glob("*") if path.suffix in _PICTURES)
    for path in paths:
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise CourseError(f"{path} is missing; {cure}") from error
        if path.suffix == ".ipynb":
            odd = _difference(content, make_release(course, module))
            if odd:
                raise CourseError(f"{path} is not what its source makes ({odd}); {cure}")
        yield f"notebooks/{module}/{path.relative_to(home).as_posix()}", content


def _difference(content: bytes, release: Release) -> str:
    """Return in what a student notebook differs from what learners are to see; empty where it does not."""
    try:
        cells = {cell["id"]: cell for cell in json.loads(content)["cells"]}
        official = release.by_id
        if cells.keys() != official.keys():
            return f"cell {min(cells.keys() ^ official.keys())}"
        for cell_id, cell in cells.items():
            if not same_text("".join(cell["source"]), official[cell_id].visible):
                return f"cell {cell_id}"
            if cell.get("execution_count") is not None:
                return f"cell {cell_id} was run"
    except (ValueError, KeyError, TypeError):
        return "it is damaged"
    return ""


def _toolkit(project: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of ``convnets`` that an installation has."""
    found = set((HOME / "convnets").rglob("*.py"))
    for package, patterns in _package_data(project).items():
        for pattern in patterns:
            found |= set((HOME / package.replace(".", "/")).glob(pattern))
    for path in sorted(found):
        yield path.relative_to(HOME).as_posix(), path.read_bytes()


def _data(data_sets: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of data sets, found whole, with their datasheets and licences.

    Raises
    ------
    CourseError
        When a file is missing or not the one of the manifest.
    """
    folder = HOME / "datasets"
    for name in (".gitattributes", "README.md", "manifest.json", *(f"{one}/README.md" for one in data_sets)):
        yield f"datasets/{name}", (folder / name).read_bytes()
    for name, entry in _manifest().items():
        if name.split("/")[0] in data_sets:
            content = (folder / name).read_bytes() if (folder / name).is_file() else b""
            if _digest(content) != entry["sha256"]:
                raise CourseError(f"datasets/{name} is missing or damaged: git checkout -- datasets/{name}")
            yield f"datasets/{name}", content


def _environment(project: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield what installs and starts the course at a learner's."""
    for path in sorted((HOME / "scripts" / "bundle").iterdir()):
        if path.is_file():
            yield path.name, path.read_bytes()
    for name in ("LICENSE", "constraints.txt"):
        yield name, (HOME / name).read_bytes()
    yield "pyproject.toml", _student_pyproject(project).encode()


def _student_pyproject(whole: dict[str, Any]) -> str:
    """Return the project file without grader, extras and tools."""
    wanted = ("name", "version", "description", "license", "license-files", "requires-python", "dependencies")
    tables = {
        "build-system": whole["build-system"],
        "project": {key: whole["project"][key] for key in wanted},
        "tool.setuptools.packages.find": {"include": ["convnets*"]},
        "tool.setuptools.package-data": _package_data(whole),
    }
    lines = []
    for table, entries in tables.items():
        lines.append(f"[{table}]")
        for key, value in entries.items():
            # A JSON string or array of strings is one of TOML's, too.
            quoted = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
            lines.append(f"{quoted} = {json.dumps(value, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)


def _package_data(project: dict[str, Any]) -> dict[str, list[str]]:
    """Return the patterns of the toolkit's files beside its modules, by package."""
    patterns: dict[str, list[str]] = project["tool"]["setuptools"]["package-data"]
    return {package: found for package, found in patterns.items() if package.split(".")[0] == "convnets"}


def _project() -> dict[str, Any]:
    """Return the project file of the checkout.

    Raises
    ------
    CourseError
        When this grader was installed without its checkout.
    """
    try:
        return tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CourseError(
            "the toolkit's checkout was not found beside the grader: install it with pip install --editable"
        ) from error


def _code(contents: dict[str, bytes]) -> str:
    """Return the code of all notebooks."""
    notebooks = (json.loads(content) for name, content in contents.items() if name.endswith(".ipynb"))
    return "\n".join(
        "".join(cell["source"]) for notebook in notebooks for cell in notebook["cells"] if cell["cell_type"] == "code"
    )


def _manifest() -> dict[str, dict[str, Any]]:
    manifest: dict[str, dict[str, Any]] = json.loads((HOME / "datasets" / "manifest.json").read_text(encoding="utf-8"))
    return manifest


# --- Where it goes ----------------------------------------------------------------------------------------------


def _earlier_folder(folder: Path) -> Record:
    """Return the record of the bundle in a folder, an empty one of a folder that is new or empty."""
    if folder.exists() and not folder.is_dir():
        raise CourseError(f"{folder} is a file: name a folder, or a file that ends in .zip")
    if not folder.exists() or all(path.name == ".git" for path in folder.iterdir()):
        return Record()
    if not (folder / RECORD).is_file():
        raise CourseError(f"{folder} is not empty and no earlier bundle: name a new folder")
    return Record.from_json((folder / RECORD).read_bytes(), folder)


def _earlier_zip(path: Path) -> Record:
    """Return the record of the bundle in a zip, an empty one where there is no file yet."""
    if not path.exists():
        return Record()
    try:
        with zipfile.ZipFile(path) as archive:
            return Record.from_json(archive.read(f"{TOP}/{RECORD}"), path)
    except (zipfile.BadZipFile, KeyError, IsADirectoryError) as error:
        raise CourseError(f"{path} is there and no earlier bundle: name a new file") from error


def _write_zip(path: Path, contents: dict[str, bytes], record: Record) -> tuple[int, list[str], list[str]]:
    """Write a zip whose bytes depend on the contents alone."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted({**contents, RECORD: record.to_json()}.items()):
            member = zipfile.ZipInfo(f"{TOP}/{name}", TIME)
            member.create_system = 3  # Unix, on Windows too
            member.external_attr = 0o100644 << 16
            member.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    write_whole(path, packed.getvalue())
    return len(contents) + 1, [], []


def _write_folder(
    folder: Path, contents: dict[str, bytes], record: Record, earlier: Record
) -> tuple[int, list[str], list[str]]:
    """Write what is new, replace what nobody changed, remove what is gone from the course."""
    before = {**earlier.replaces, **earlier.files}
    write_whole(folder / RECORD, Record(record.modules, record.files, before).to_json())
    written, kept, handed_out = 0, [], dict(record.files)
    for name, content in sorted(contents.items()):
        path = folder / name
        there = _digest(path.read_bytes()) if path.is_file() else ""
        if there == record.files[name]:
            continue
        if there and not earlier.made(name, there):
            kept.append(name)
            # Taken back by whoever changed it, it is ours again.
            handed_out[name] = before.get(name, record.files[name])
            continue
        write_whole(path, content)
        written += 1
    removed = []
    for name in sorted(before.keys() - contents.keys()):
        path = folder / name
        if path.is_file() and earlier.made(name, _digest(path.read_bytes())):
            path.unlink()
            removed.append(name)
            while path.parent != folder and not any(path.parent.iterdir()):
                path = path.parent
                path.rmdir()
    write_whole(folder / RECORD, Record(record.modules, handed_out).to_json())
    return written, kept, removed


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
