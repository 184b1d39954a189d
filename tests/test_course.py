"""The course itself: every module is proved in fast mode, and nbgrader's validation works on what learners get."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.provisioning import KernelProvisionerFactory

from grader.course import Course
from grader.verify import verify_modules

ROOT = Path(__file__).resolve().parents[1]
COURSE = Course(ROOT)
MODULES = COURSE.modules()


@pytest.fixture(scope="module")
def warm_kernels():
    """Fork the kernels from a warm process: a third of the time. `grader verify` by hand starts them as learners do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "warm")
        KernelProvisionerFactory.clear_instance()
        yield
    KernelProvisionerFactory.clear_instance()


@pytest.mark.slow
@pytest.mark.usefixtures("warm_kernels")
@pytest.mark.parametrize("module", MODULES)
def test_module_is_proved(module):
    """The solution passes within its budgets, the stub scores zero, mistakes are told, nbgrader agrees, no drift."""
    (verdict,) = verify_modules(COURSE, [module], fast=True, quiet=True)
    assert verdict.problems == []


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_nbgrader_validate_says_what_is_missing(module, tmp_path):
    shutil.copytree(ROOT / "notebooks" / module, tmp_path / module)
    command = [sys.executable, "-m", "nbgrader", "validate", f"{module}.ipynb"]
    run = subprocess.run(command, cwd=tmp_path / module, capture_output=True, text=True, check=False)
    assert "VALIDATION FAILED" in run.stdout, run.stdout + run.stderr
    assert "is not written yet" in run.stdout
    assert "Traceback" not in run.stdout


def test_every_module_is_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for module in MODULES:
        assert f"(notebooks/{module}/{module}.ipynb)" in text


@pytest.mark.parametrize("module", MODULES)
def test_student_notebooks_have_no_outputs_but_the_pictures_of_widgets(module):
    import nbformat

    notebook = nbformat.read(ROOT / "notebooks" / module / f"{module}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert cell.execution_count is None
        for output in cell.outputs:
            assert cell.id.startswith("widget-")
            assert output.metadata["image/png"]["alt"]
