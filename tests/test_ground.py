"""The ground the course stands on: declared packages, the toolkit's walls, what is shipped."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name]


def test_conda_and_pip_name_the_same_packages_and_ranges():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = (item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    conda = {item for item in pip if not item.startswith("--")}
    assert conda == {*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["grading"]}
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_constraints_hold_every_declared_package_in_its_range():
    from packaging.requirements import Requirement

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)
    extras = PROJECT["optional-dependencies"]
    for text in [*PROJECT["dependencies"], *extras["grading"], *extras["dev"]]:
        wanted = Requirement(text)
        if wanted.name in ("torch", PROJECT["name"]):
            continue
        assert pins[wanted.name.lower().replace("_", "-")] in wanted.specifier, text


def test_constraints_can_be_met_by_the_python_of_debian():
    """Debian 12 has Python 3.11.2; the later one that froze the versions may have packages that want more."""
    from importlib.metadata import PackageNotFoundError, metadata

    from packaging.specifiers import SpecifierSet

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    refused, met = [], 0
    for name in (line.split("==")[0] for line in lines if "==" in line):
        try:
            wanted = metadata(name).get("Requires-Python") or ""
        except PackageNotFoundError:  # of an extra that is not installed here
            continue
        met += 1
        if "3.11.2" not in SpecifierSet(wanted):
            refused.append(f"{name} wants Python {wanted}: install an older one, then run make constraints")
    assert refused == []
    assert met > 100


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", sorted((ROOT / "convnets").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_convnets_never_imports_grader(path):
    assert not [name for name in imports_of(path) if name.split(".")[0] == "grader"]


@pytest.mark.parametrize("path", sorted((ROOT / "grader").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_grader_imports_of_convnets_only_its_checks(path):
    found = [name for name in imports_of(path) if name.split(".")[0] == "convnets"]
    assert all(name.startswith("convnets.checks") for name in found)


@pytest.mark.parametrize("path", sorted((ROOT / "solutions").glob("*/notebook.py")), ids=lambda p: p.parent.name)
def test_notebooks_import_only_the_toolkit_numpy_torch_and_matplotlib(path):
    allowed = {"convnets", "numpy", "torch", "matplotlib", *sys.stdlib_module_names}
    assert {name.split(".")[0] for name in imports_of(path)} <= allowed


def test_the_repository_stays_under_80_megabytes():
    assert sum(path.stat().st_size for path in tracked_files() if path.exists()) < 80e6


def test_no_file_names_a_machine():
    """No absolute path of a machine and no registry's host name stands in a text of the project."""
    forbidden = re.compile(
        r"/root/|/work/|/opt/(?!conda)|pythonhosted\.org|pypi\.org|registry\.npmjs\.org|deb\.debian\.org"
    )
    for path in tracked_files():
        if path.suffix in (".py", ".md", ".yml", ".toml", ".txt", ".sh", ".js", ".css", ".json", ".ipynb", ""):
            if path == Path(__file__) or "COPYRIGHT" in path.name or not path.exists():
                continue
            found = forbidden.search(path.read_text(encoding="utf-8", errors="replace"))
            assert found is None, f"{path.relative_to(ROOT)}: {found.group(0)}"


@pytest.mark.parametrize(
    ("port", "message"),
    [("abc", "PORT=abc is not a port"), ("0", "PORT=0 is not a port"), ("taken", "is in use; choose another one")],
)
def test_start_refuses_a_bad_port_in_one_line(port, message):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        argument = str(taken.getsockname()[1]) if port == "taken" else port
        script = [sys.executable, str(ROOT / "scripts" / "start.py"), argument]
        run = subprocess.run(script, capture_output=True, text=True, timeout=60)
    assert run.returncode == 1
    assert message in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_a_missing_python_is_told_in_one_line(tmp_path):
    script = tmp_path / "scripts" / "setup.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "scripts" / "setup.sh").read_bytes())
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\necho 3.9\n")
    old.chmod(0o755)
    run = subprocess.run(
        ["bash", str(script), "learner"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(old)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert "setup: Python 3.11 is needed" in run.stderr
    assert "is 3.9; set PYTHON=python3.11" in run.stderr
