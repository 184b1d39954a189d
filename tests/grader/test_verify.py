"""Verify passes a module that is in order and names everything that is off."""

import json

import pytest
from click.testing import CliRunner

from grader.build import build_module
from grader.cli import main
from grader.verify import report, verify_modules
from tests.grader.conftest import MISTAKES, NOTEBOOK, make_course

pytestmark = pytest.mark.slow


def verified(folder, notebook=NOTEBOOK, mistakes=MISTAKES, fast=False):
    course = make_course(folder, notebook, mistakes)
    build_module(course, "01_windows")
    (verdict,) = verify_modules(course, ["01_windows"], fast=fast, quiet=True)
    return verdict


# Computes until the process has used two seconds of a core, however fast the machine.
COMPUTE = "\n# %% experiment seconds=20\nimport time\nwhile time.process_time() < 2:\n    sum(range(1000))\n"


def test_a_module_in_order_is_proved(tmp_path, monkeypatch):
    course = make_course(tmp_path, NOTEBOOK + COMPUTE, MISTAKES)
    build_module(course, "01_windows")
    results = course.root / "results.md"
    head = "| module | a head |\n| --- | --- |\n"
    old = {
        "targets": "| 01_windows | old |\n| 00_before | kept |",
        "times": "| 01_windows | 9 s | 9 s |\n| 00_before | 100 s | 200 s |\n| all | 109 s | 209 s |",
    }
    parts = "".join(f"<!-- {name}: begin -->\n{head}{rows}\n<!-- {name}: end -->\n" for name, rows in old.items())
    results.write_text(f"# Results\n{parts}more\n")
    monkeypatch.chdir(course.root)
    run = CliRunner().invoke(main, ["verify", "--json", "--results", str(results)])
    assert run.exit_code == 0, run.output
    (verdict,) = json.loads(run.stdout)
    assert verdict["problems"] == []
    assert (verdict["points"], verdict["stub_points"]) == ("3 of 3", "0 of 3")
    assert (verdict["graded_points"], verdict["graded_stub_points"]) == ("3 of 3", "0 of 3")
    assert (verdict["nbgrader_points"], verdict["nbgrader_stub_points"]) == ("3 of 3", "0 of 3")
    assert verdict["mistakes"] == "3 of 3"
    target = {"module": "01_windows", "what": "windows", "measured": "5", "target": "= 5", "reached": True}
    assert verdict["targets"] == [target]
    text = results.read_text()
    assert "| 01_windows | windows | = 5 | 5 | ✓ reached |" in text
    assert "old" not in text
    assert report.read_part(results, "targets").splitlines()[2] == "| 00_before | kept |"
    assert text.endswith("more\n")
    *_, kept, fresh, total = report.read_part(results, "times").splitlines()
    assert kept == "| 00_before | 100 s | 200 s |"
    wall, cpu = (int(column.split()[0]) for column in fresh.split("|")[2:4])
    assert fresh.startswith("| 01_windows |")
    assert cpu >= 2
    assert total == f"| all | {100 + wall} s | {200 + cpu} s |"


def test_everything_off_is_named(tmp_path):
    notebook = NOTEBOOK.replace("exactly=5", "exactly=6") + (
        '\n# %% exercise="half" difficulty=1 minutes=2\ndef half(x):\n    """Return half of x."""\n'
        "    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION\n"
        '\n# %% tests="half" points=1\nimport sys\nprint("a warning", file=sys.stderr)\ncheck(abs, -3).gives(3)\n'
        "\n# %% experiment seconds=0.05\nimport time\ntime.sleep(0.5)\n"
        "\n# %% experiment seconds=61\n1 / 0\n"
    )
    verdict = verified(tmp_path, notebook)
    expected = [
        "windows: 5, the target is = 6",
        "writes to stderr: a warning",
        "its budget is 0.05 s",
        "its budget of 61 s is over 60 s",
        "ZeroDivisionError: division by zero",
        "half-test-1: the untouched stub passes this test",
        "exercise half: 0 known mistakes; at least three are expected",
        "exercise half: three hints are expected",
        "nbgrader gives the solution 3 of 4 points",
    ]
    for text in expected:
        assert any(text in problem for problem in verdict.problems), (text, verdict.problems)


def test_fast_mode_judges_no_target(tmp_path):
    verdict = verified(tmp_path, NOTEBOOK.replace("exactly=5", "at_least=6"), fast=True)
    assert verdict.problems == []
    assert verdict.targets == []


def test_an_outdated_notebook_is_off(course):
    (verdict,) = verify_modules(course, ["01_windows"], fast=True, quiet=True)
    assert verdict.problems == ["the student notebook is not up to date: run grader build 01_windows"]


def test_a_module_that_does_not_build_does_not_stop_the_others(tmp_path):
    course = make_course(tmp_path)
    broken = course.solutions / "02_broken"
    broken.mkdir()
    (broken / "notebook.py").write_text("# %% nonsense\n")
    build_module(course, "01_windows")
    first, second = verify_modules(course, ["02_broken", "01_windows"], fast=True, quiet=True)
    assert "the tag 'nonsense' is unknown" in first.problems[0]
    assert second.problems == []


def test_problems_give_exit_code_1(course, monkeypatch):
    monkeypatch.chdir(course.root)
    run = CliRunner().invoke(main, ["verify", "--fast"])
    assert run.exit_code == 1
    assert "✗ 01_windows: the student notebook is not up to date" in run.output
    assert "✗ off" in run.output


def test_results_need_the_full_run_and_a_marked_page(course, monkeypatch, tmp_path):
    monkeypatch.chdir(course.root)
    refused = CliRunner().invoke(main, ["verify", "--fast", "--results", "results.md"])
    assert refused.exit_code == 2
    assert "--results needs the full run" in refused.output
    unmarked = CliRunner().invoke(main, ["verify", "--results", str(tmp_path / "missing.md")])
    assert unmarked.exit_code == 1
    assert "needs the lines <!-- targets: begin --> and" in unmarked.output
