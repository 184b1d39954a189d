"""``grader release``: what is handed out works by itself, holds no secret, and never costs a learner work."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from click.testing import CliRunner
from nbclient import NotebookClient

from grader.build import build_module
from grader.classroom import bundle
from grader.classroom.bundle import HOME, RECORD, TOP, make_bundle
from grader.classroom.data_sets import needed_data_sets
from grader.cli import main
from grader.course import Course, CourseError
from tests.grader.conftest import NOTEBOOK, ROOT, make_course

MODULE = "01_windows"
TOP_LEVEL = {
    *(".gitignore", "LICENSE", "README.md", "bundle.json", "constraints.txt", "environment.yml"),
    *("pyproject.toml", "start.py", "convnets", "datasets", "notebooks"),
}
SECRET = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.S)
MARKS = (b"BEGIN SOLUTION", b"END SOLUTION", b"BEGIN HIDDEN TESTS", b"END HIDDEN TESTS")
#: Toolkit files that share three lines or more with a solution: what a widget or a network needs is computed there.
TOLD_BY_THE_TOOLKIT = {
    "convnets/models/autoencoder.py",
    "convnets/models/specs.py",
    "convnets/models/unet.py",
    "convnets/widgets/code_explorer.py",
    "convnets/widgets/denoise_drawing.py",
    "convnets/widgets/digit_reader.py",
    "convnets/widgets/freeze_depth.py",
    "convnets/widgets/schedule_sketch.py",
    "convnets/widgets/search_picture.py",
}


def release(course, *arguments):
    return CliRunner().invoke(main, ["release", *map(str, arguments)], env={"GRADER_COURSE": str(course.root)})


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# --- No secret ------------------------------------------------------------------------------------------------


def secrets_of(course, modules):
    """Yield kind and lines of each solution and hidden test, without lines that some student notebook shows."""
    texts = {module: (course.solutions / module / "notebook.py").read_text(encoding="utf-8") for module in modules}
    shown = "\n".join(SECRET.sub("", text) for text in texts.values())
    for text in texts.values():
        for found in SECRET.finditer(text):
            lines = [line.strip().removeprefix("# ") for line in found[2].splitlines() if line.strip(" #")]
            yield found[1], [line for line in lines if line not in shown]


def text_of(path):
    """Return what is to be read in a file: of a notebook every text in its JSON, so that no escape hides a line."""
    if path.suffix not in (".ipynb", ".json"):
        return "\n".join(line.strip() for line in path.read_bytes().decode("utf-8", "replace").splitlines())

    def texts(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key != "image/png":
                    yield key
                    yield from texts(value)
        elif isinstance(node, list):
            if node and all(isinstance(item, str) for item in node):
                yield "".join(node)
            for item in node:
                yield from texts(item)
        elif isinstance(node, str):
            yield node

    return "\n".join(texts(json.loads(path.read_text(encoding="utf-8"))))


def leaks(folder, course, modules):
    """Return (file, what) for all that must not be in a bundle."""
    found = set()
    for name in names_in(folder):
        if name.split("/")[0] not in TOP_LEVEL or re.search(r"grader|solutions|tests?/|mistakes|make\.py|\.db$", name):
            found.add((name, "the file"))
        content = (folder / name).read_bytes()
        found |= {(name, mark.decode()) for mark in MARKS if mark in content}
    texts = {name: text_of(folder / name) for name in names_in(folder) if not name.endswith(bundle._PACKED)}
    toolkit = {name for name in texts if name.startswith("convnets/")}
    for kind, lines in secrets_of(course, modules):
        # The toolkit computes much of what learners write: there a line in common is idiom, three in a row are not.
        runs = ["\n".join(lines[i : i + 3]) for i in range(len(lines) - 2)]
        single = [line for line in lines if len(line) > 20]
        for name, text in texts.items():
            if kind == "SOLUTION" and name in TOLD_BY_THE_TOOLKIT:
                continue
            parts = runs if kind == "SOLUTION" and name in toolkit else single
            found |= {(name, part) for part in parts if part in text}
    return found


@pytest.fixture(scope="module")
def handed_out(built_course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "bundle"
    result = release(built_course, "01", "--to", folder)
    assert result.exit_code == 0, result.output
    return folder


def test_nothing_secret_is_in_a_bundle(built_course, handed_out):
    assert sum(len(lines) for _, lines in secrets_of(built_course, [MODULE])) >= 6
    assert leaks(handed_out, built_course, [MODULE]) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notebooks/01_windows/01_windows.ipynb", '{"source": ["x = 1\\n", "span_between_the_ends = size - kernel"]}'),
        ("notebooks/01_windows/01_windows.checks.json", '["check(windows, a_secret_size, 1, stride=3).gives(31)"]'),
        ("convnets/checks/call.py", "    check(windows, a_secret_size, 1, stride=3).gives(31)\n"),
        ("convnets/widgets/base.py", "    check(windows, a_secret_size, 1, stride=3).gives(31)\n"),
        (
            "convnets/widgets/base.py",
            "  span_between_the_ends = size - kernel\n  if span_between_the_ends % stride:\n"
            '    raise ValueError("cannot fit")\n',
        ),
        ("README.md", "### BEGIN SOLUTION"),
        ("README.md", "A model answer that nobody sees."),
        ("grader/__init__.py", ""),
        ("solutions/01_windows/notebook.py", ""),
        ("gradebook.db", ""),
        ("datasets/digits/make.py", ""),
    ],
)  # fmt: skip
def test_a_secret_would_be_found(built_course, handed_out, tmp_path, name, text):
    shutil.copytree(handed_out, tmp_path / "bundle")
    path = tmp_path / "bundle" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert {where for where, _ in leaks(tmp_path / "bundle", built_course, [MODULE])} == {name}


@pytest.mark.slow
def test_the_whole_course_without_its_secrets(tmp_path):
    """All modules that are committed; one that is being written is not handed out."""
    listed = subprocess.run(["git", "ls-files", "notebooks"], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = sorted({line.split("/")[1] for line in listed.stdout.splitlines()})
    made = make_bundle(Course(ROOT), modules, tmp_path / "bundle", lambda line: None)
    assert made.modules == tuple(modules)
    assert leaks(tmp_path / "bundle", Course(ROOT), modules) == set()
    manifest = json.loads((ROOT / "datasets" / "manifest.json").read_text())
    # The first notebook shows every set but those of one figure.
    assert {"digits", "fashion_mnist", "imagenet", "photographs", "stamps", "temperatures"} <= set(made.data_sets)
    assert set(made.data_sets) <= {name.split("/")[0] for name in manifest}
    for module in modules:
        shown = [path for path in (ROOT / "notebooks" / module).rglob("*") if path.is_file()]
        assert {path.name for path in shown if "checkpoint" not in str(path)} == {
            Path(name).name for name in names_in(tmp_path / "bundle" / "notebooks" / module)
        }


# --- It works -------------------------------------------------------------------------------------------------


def test_what_is_in_a_bundle(handed_out):
    names = names_in(handed_out)
    assert {name.split("/")[0] for name in names} == TOP_LEVEL
    assert {name for name in names if name.startswith("notebooks/")} == {
        "notebooks/01_windows/01_windows.ipynb",
        "notebooks/01_windows/01_windows.checks.json",
    }
    toolkit = {path.relative_to(ROOT).as_posix() for path in (ROOT / "convnets").rglob("*.[jcp][sy]*")}
    assert {name for name in names if name.startswith("convnets/")} == {n for n in toolkit if not n.endswith(".pyc")}
    # Its notebook reads no data.
    assert {name for name in names if name.startswith("datasets/")} == {
        *("datasets/.gitattributes", "datasets/README.md", "datasets/manifest.json")
    }
    record = json.loads((handed_out / RECORD).read_text())
    assert set(record["files"]) == names - {RECORD}
    assert record["modules"] == [MODULE]


def test_the_environment_is_the_projects_without_the_grader(handed_out):
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    made = tomllib.loads((handed_out / "pyproject.toml").read_text(encoding="utf-8"))
    for key in ("name", "version", "dependencies", "requires-python"):
        assert made["project"][key] == whole["project"][key]
    assert not made["project"].keys() & {"optional-dependencies", "scripts", "entry-points"}
    package_data = whole["tool"]["setuptools"]["package-data"]
    assert made["tool"]["setuptools"]["package-data"]["convnets.widgets"] == package_data["convnets.widgets"]
    conda = yaml.safe_load((handed_out / "environment.yml").read_text(encoding="utf-8"))
    assert f"python{whole['project']['requires-python']}" in conda["dependencies"]
    assert "grader" not in (handed_out / "pyproject.toml").read_text(encoding="utf-8")


def test_a_notebook_runs_from_an_unpacked_zip_with_its_toolkit_alone(built_course, tmp_path, monkeypatch):
    assert release(built_course, "--to", tmp_path / "bundle.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        archive.extractall(tmp_path)
    home = tmp_path / TOP
    monkeypatch.setenv("PYTHONPATH", str(home))
    monkeypatch.setenv("CONVNETS_PROGRESS", str(tmp_path / "progress"))
    path = home / "notebooks" / MODULE / f"{MODULE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in notebook.cells}
    cells["windows"].source = "def windows(size, kernel, stride=1):\n    return (size - kernel) // stride\n"
    shown = nbformat.v4.new_code_cell("import convnets, sys\nprint(convnets.__file__, 'grader' in sys.modules)")
    notebook.cells = [cells["setup-1"], cells["windows"], cells["windows-test-1"], shown]
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert shown.outputs[0].text == f"{home / 'convnets' / '__init__.py'} False\n"
    told = json.dumps(cells["windows-test-1"].outputs)
    assert "The first window is missing." in told  # the checks file was found, and the mistake with it


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("import numpy as np", ()),
        ("from convnets import data\nx = data.digits(10)", ("digits",)),
        ("from convnets.data import seattle_weather as weather\nprint(weather())", ("temperatures",)),
        ("from convnets.data import small_fashion_mnist as few\ndef f():\n    return few()", ("fashion_mnist",)),
        ("from convnets import data\ndef f(data):\n    return data", ()),
        ("from convnets.widgets import KernelPainter\nKernelPainter()", ("photographs",)),
        ("from convnets.widgets import ImagenetWinners\nImagenetWinners()", ("imagenet_history",)),
        ("from convnets.models.efficientnet_lite0 import efficientnet_lite0\nefficientnet_lite0()", ("imagenet",)),
    ],
)  # fmt: skip
def test_the_data_that_notebooks_need(code, needed):
    known = {name.split("/")[0] for name in json.loads((HOME / "datasets" / "manifest.json").read_text())}
    assert needed_data_sets(code, HOME / "convnets", known) == needed


def test_data_go_along_with_licences_and_are_found_whole(course, tmp_path, monkeypatch):
    source = course.solutions / MODULE / "notebook.py"
    source.write_text(
        NOTEBOOK.replace("import numpy as np", "from convnets import data\n\ntable = data.seattle_weather")
    )
    build_module(course, MODULE)
    result = release(course, "--to", tmp_path / "out", "--json")
    assert json.loads(result.output)["data_sets"] == ["temperatures"]
    assert {path.name for path in (tmp_path / "out" / "datasets" / "temperatures").iterdir()} == {
        *("LICENSE.txt", "README.md", "seattle-temps.csv", "seattle-weather.csv")
    }
    for name in ("convnets", "scripts", "LICENSE", "constraints.txt", "pyproject.toml"):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home" / name).symlink_to(HOME / name)
    heavy = shutil.ignore_patterns("*.npz", "*.gz", "*.png")
    shutil.copytree(HOME / "datasets", tmp_path / "home" / "datasets", ignore=heavy)
    (tmp_path / "home" / "datasets" / "temperatures" / "seattle-temps.csv").write_text("damaged")
    monkeypatch.setattr(bundle, "HOME", tmp_path / "home")
    result = release(course, "--to", tmp_path / "other")
    assert result.exit_code == 1
    assert "datasets/temperatures/seattle-temps.csv is missing or damaged: git checkout --" in result.output
    assert not (tmp_path / "other").exists()


# --- The same bytes, and updates ------------------------------------------------------------------------------


def test_the_same_course_makes_the_same_zip(built_course, tmp_path):
    assert release(built_course, "--to", tmp_path / "a.zip").exit_code == 0
    again = make_course(tmp_path / "again")
    build_module(again, MODULE)
    for path in again.notebooks.rglob("*.*"):
        os.utime(path, (1, 1))
    assert release(again, "--to", tmp_path / "b.zip").exit_code == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    # A zip of ours is made anew.
    assert release(again, "--to", tmp_path / "b.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {TOP}
        assert {info.date_time for info in archive.infolist()} == {bundle.TIME}


def mend_text(course, old, new):
    source = course.solutions / MODULE / "notebook.py"
    source.write_text(source.read_text().replace(old, new))
    build_module(course, MODULE)


def test_an_update_replaces_what_nobody_changed_and_keeps_what_a_learner_did(course, tmp_path):
    build_module(course, MODULE)
    out = tmp_path / "out"
    assert release(course, "--to", out).exit_code == 0
    result = release(course, "--to", out)
    assert " · 0 written, 0 kept, 0 removed" in result.output

    notebook, checks = (out / "notebooks" / MODULE / f"{MODULE}{end}" for end in (".ipynb", ".checks.json"))
    worked = notebook.read_text().replace("your code here", "my work")
    notebook.write_text(worked)
    (out / "notes.txt").write_text("mine")
    (out / "LICENSE").unlink()
    before = checks.read_bytes()
    mend_text(course, "card:10", "card:12")
    result = release(course, "--to", out, "--json")
    told = json.loads(result.output)
    assert told["kept"] == [f"notebooks/{MODULE}/{MODULE}.ipynb"]
    assert told["written"] == 2  # the checks file and the licence
    assert notebook.read_text() == worked
    assert (out / "notes.txt").read_text() == "mine"
    assert checks.read_bytes() != before
    assert (out / "LICENSE").is_file()

    # Taken back to what was handed out, it is ours again and gets the new version.
    notebook.write_text(worked.replace("my work", "your code here"))
    result = release(course, "--to", out)
    assert " · 1 written, 0 kept, 0 removed" in result.output
    assert "12 minutes" in notebook.read_text()


def test_an_update_adds_modules_and_removes_what_the_course_no_longer_has(course, tmp_path):
    shutil.copytree(course.solutions / MODULE, course.solutions / "02_doors")
    for path in (course.solutions / "02_doors").iterdir():
        path.write_text(path.read_text().replace(MODULE, "02_doors").replace("01 Windows", "02 Doors"))
    for module in (MODULE, "02_doors"):
        build_module(course, module)
    out = tmp_path / "out"
    assert release(course, "01", "--to", out).exit_code == 0
    assert release(course, "02_doors", "--to", out).exit_code == 0
    assert {path.name for path in (out / "notebooks").iterdir()} == {MODULE, "02_doors"}

    shutil.rmtree(course.solutions / "02_doors")
    (out / "notebooks" / "02_doors" / "02_doors.checks.json").write_text("changed")
    told = json.loads(release(course, "01", "--to", out, "--json").output)
    assert told["removed"] == ["notebooks/02_doors/02_doors.ipynb"]
    assert names_in(out / "notebooks" / "02_doors") == {"02_doors.checks.json"}


def test_an_update_that_was_cut_off_is_made_again(course, tmp_path, monkeypatch):
    build_module(course, MODULE)
    out = tmp_path / "out"
    real, left = bundle.write_whole, [30]

    def full_disk(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device", str(path))
        real(path, content)

    monkeypatch.setattr(bundle, "write_whole", full_disk)
    result = release(course, "--to", out)
    assert result.exit_code == 1
    assert "No space left on device; mend this and give the command again" in result.output
    left[0] = 10_000
    assert release(course, "--to", out).exit_code == 0
    assert "replaces" not in json.loads((out / RECORD).read_text())

    mend_text(course, "card:10", "card:12")
    left[0] = 2  # the record and the checks file
    assert release(course, "--to", out).exit_code == 1
    left[0] = 10_000
    mend_text(course, "card:12", "card:14")
    told = json.loads(release(course, "--to", out, "--json").output)
    assert (told["written"], told["kept"]) == (2, [])
    assert "14 minutes" in (out / "notebooks" / MODULE / f"{MODULE}.ipynb").read_text()


# --- Refusals -------------------------------------------------------------------------------------------------


def refused(result):
    assert result.exit_code in (1, 2)
    (line,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    return line.removeprefix("Error: ")


def test_a_place_that_holds_something_else_is_refused(built_course, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x")
    (tmp_path / "other.zip").write_text("x")
    line = refused(release(built_course, "--to", tmp_path / "full"))
    assert line == f"{tmp_path / 'full'} is not empty and no earlier bundle: name a new folder"
    line = refused(release(built_course, "--to", tmp_path / "full" / "thesis.tex"))
    assert line.endswith("thesis.tex is a file: name a folder, or a file that ends in .zip")
    line = refused(release(built_course, "--to", tmp_path / "other.zip"))
    assert line == f"{tmp_path / 'other.zip'} is there and no earlier bundle: name a new file"
    (tmp_path / "full" / RECORD).write_text("{}")
    assert "holds no bundle.json of this course" in refused(release(built_course, "--to", tmp_path / "full"))
    assert (tmp_path / "full" / "thesis.tex").read_text() == "x"
    assert names_in(tmp_path / "full") == {"thesis.tex", RECORD}
    assert "Missing option '--to'" in refused(release(built_course))
    assert "there is no module '7'" in refused(release(built_course, "7", "--to", tmp_path / "new"))


def test_a_clone_without_files_is_an_empty_folder(built_course, tmp_path):
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    assert release(built_course, "--to", tmp_path / "clone").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "odd"),
    [
        ('raise NotImplementedError(\\"your code here\\")', "return size - kernel", "cell windows"),
        ("Your answer here.", "Because.", "cell why"),
        ('"execution_count": null', '"execution_count": 3', "cell setup-1 was run"),
        ('"id": "why"', '"id": "because"', "cell because"),
        ('"cells"', '"sells"', "it is damaged"),
    ],
)
def test_a_notebook_that_somebody_worked_in_is_not_handed_out(course, tmp_path, old, new, odd):
    build_module(course, MODULE)
    path = course.notebooks / MODULE / f"{MODULE}.ipynb"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    line = refused(release(course, "--to", tmp_path / "out"))
    assert line == f"{path} is not what its source makes ({odd}); run: grader build {MODULE}"
    assert not (tmp_path / "out").exists()


def test_a_module_that_is_not_built_is_not_handed_out(course, tmp_path):
    line = refused(release(course, "--to", tmp_path / "out"))
    assert line.endswith(f"{MODULE}.ipynb is missing; run: grader build {MODULE}")


def test_a_grader_without_its_checkout_says_so(course, tmp_path, monkeypatch):
    build_module(course, MODULE)
    monkeypatch.setattr(bundle, "HOME", tmp_path / "site-packages")
    with pytest.raises(CourseError, match="the toolkit's checkout was not found beside the grader"):
        make_bundle(course, [MODULE], tmp_path / "out", lambda line: None)


# --- The start --------------------------------------------------------------------------------------------------

PIP = """\
import pathlib, sys
pathlib.Path("installed.txt").open("a").write(" ".join(sys.argv[1:]) + "\\n")
sys.exit(pathlib.Path("no-network").exists())
"""


@pytest.fixture
def learners_folder(handed_out, tmp_path):
    """A bundle whose .venv has a pip and a JupyterLab that note how they were called."""
    folder = tmp_path / "course with blanks"
    shutil.copytree(handed_out, folder)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")], check=True)
    (packages,) = (folder / ".venv").glob("lib/python*/site-packages")
    (packages / "pip.py").write_text(PIP)
    (packages / "jupyter.py").write_text(PIP.replace("installed", "started"))
    return folder


def start(folder, *arguments):
    command = [sys.executable, str(folder / "start.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_start_installs_once_and_opens_the_first_notebook(learners_folder):
    assert start(learners_folder).returncode == 0
    assert start(learners_folder, "--port=8890").returncode == 0
    installed = (learners_folder / "installed.txt").read_text().splitlines()
    assert installed == ["--quiet --disable-pip-version-check install --constraint constraints.txt --editable ."]
    first, second = (learners_folder / "started.txt").read_text().splitlines()
    assert f"--ServerApp.root_dir={learners_folder / 'notebooks'}" in first
    assert f"--LabApp.default_url=/lab/tree/{MODULE}/{MODULE}.ipynb" in first
    assert second.endswith("--port=8890")
    # An update that asks for other packages is installed.
    with (learners_folder / "constraints.txt").open("a") as constraints:
        constraints.write("# newer\n")
    start(learners_folder)
    assert len((learners_folder / "installed.txt").read_text().splitlines()) == 2


def test_start_says_when_the_installation_failed_and_tries_again(learners_folder):
    (learners_folder / "no-network").touch()
    run = start(learners_folder)
    assert run.returncode == 1
    assert run.stderr == "start: the installation failed: see the lines above, then give the same command again\n"
    (learners_folder / "no-network").unlink()
    assert start(learners_folder).returncode == 0


def test_start_looks_for_the_right_python(handed_out, monkeypatch, tmp_path):
    namespace = {"__name__": "start", "__file__": str(handed_out / "start.py")}
    exec(compile((handed_out / "start.py").read_text(), "start.py", "exec"), namespace)
    assert namespace["find_python"]() == [sys.executable]
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"start: Python 3.11 is needed .*, this is 3.13; install 3.11 beside it"):
        namespace["find_python"]()
    other = tmp_path / "python3.11"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert namespace["find_python"]() == ["python3.11"]
