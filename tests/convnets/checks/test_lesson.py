"""A lesson's checks, hints, progress and recognised mistakes, in plain Python and in a real kernel."""

import json
from dataclasses import replace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from convnets.checks import CheckFailed, Lesson, LessonRecord, open_lesson, progress, signature
from convnets.checks.record import Exercise, KnownMistake, TestCell, fingerprint

SOURCE = "check(double, np.array([1.0, 2.0])).gives([2.0, 4.0])\ncheck(double, 3).gives(6)"
REASON = "You squared it. Twice a number is not its square."


@pytest.fixture
def record():
    return LessonRecord(
        lesson="77_double",
        title="77 Double",
        minutes=5,
        cells={"double-test-1": TestCell("double", 2, 2, fingerprint(SOURCE))},
        exercises={"double": Exercise(1, ("x",), ("a symptom", "an idea", "an outline"))},
        mistakes=(
            KnownMistake("squares", "double", "double-test-1", 0, signature.of_value(np.array([1.0, 4.0])), REASON),
        ),
    )


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVNETS_PROGRESS", str(tmp_path / "progress"))


def failure(call, *arguments, **options):
    with pytest.raises(CheckFailed) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_a_right_answer_passes(record):
    lesson = Lesson("77_double", record)
    lesson.check(lambda x: 2 * x, np.array([1.0, 2.0])).gives([2.0, 4.0])


def test_a_failure_says_what_was_called_expected_and_obtained(record):
    def double(x):
        return x + 1.5

    text = failure(Lesson("77_double", record).check(double, np.arange(30.0), scale=2).gives, np.arange(30.0))
    assert text.startswith("✗ double(x: float64 (30,), scale=2)")
    assert "TypeError: " in text
    text = failure(Lesson("77_double", record).check(double, np.arange(30.0)).gives, 2 * np.arange(30.0))
    lines = text.splitlines()
    assert lines[0] == "✗ double(x: float64 (30,))"
    assert lines[1].startswith("  expected (30,) [ 0.  2.")
    assert any(line.startswith("  got      (30,) [ 1.5  2.5") for line in lines)
    assert "30 of 30 entries are wrong" in text
    assert "First difference at [0]: expected 0, got 1.5" in text


def test_a_small_array_is_written_out_in_the_call(record):
    text = failure(Lesson("77_double", record).check(lambda x: x, np.array([1, 2])).gives, [2, 4])
    assert text.splitlines()[0] == "✗ <lambda>(x: [1, 2])"


def test_an_exception_is_told_with_the_line_that_raised_it(record):
    def double(x):
        return x.size * 2

    text = failure(Lesson("77_double", record).check(double, 3).gives, 6)
    assert "AttributeError: 'int' object has no attribute 'size'" in text
    assert "return x.size * 2" in text


def test_an_argument_changed_in_place_fails(record):
    def double(x):
        x *= 2
        return x

    given = np.array([1.0, 2.0])
    text = failure(Lesson("77_double", record).check(double, given).gives, [2.0, 4.0])
    assert "changed its argument x in place" in text
    assert given.tolist() == [1.0, 2.0]

    def halve(cache, factor):
        cache["h2"] *= factor
        return cache["h2"]

    text = failure(Lesson("x").check(halve, {"h1": np.ones(2), "h2": np.ones(2)}, 0.5).gives, [0.5, 0.5])
    assert "changed its argument cache['h2'] in place" in text
    assert text.startswith("✗ halve(cache: dict with 2 keys, 0.5)")


@pytest.mark.parametrize(("before", "after"), [(3, 4), (3.0, float("nan")), ("same", "valid"), (None, 0), (1, None)])
def test_a_number_or_a_word_changed_inside_an_argument_fails(before, after):
    def resize(layers):
        layers[0]["kernel"] = after
        return len(layers)

    text = failure(Lesson("x").check(resize, [{"kernel": before, "loss": float("nan")}]).gives, 1)
    assert "changed its argument layers[0]['kernel'] in place" in text
    Lesson("x").check(len, [{"kernel": before, "loss": float("nan")}]).gives(1)


def test_a_stub_is_told_as_not_written(record):
    def double(x):
        raise NotImplementedError("your code here")

    text = failure(Lesson("77_double", record).check(double, 3).gives, 6)
    assert text.splitlines()[0] == "✗ double is not written yet."


def test_what_a_library_does_not_support_is_no_stub(record):
    import torch

    def double(x):
        return torch.nn.functional.cross_entropy(x, torch.randn(2, 3))  # the arguments swapped

    text = failure(Lesson("77_double", record).check(double, torch.tensor([0, 1])).gives, 6)
    assert "not written" not in text
    assert "Error" in text


def test_raises(record):
    def root(x):
        if x < 0:
            raise ValueError("negative")
        return x**0.5

    check = Lesson("77_double", record).check
    check(root, -1).raises(ValueError)
    assert "A ValueError was expected" in failure(check(root, 4).raises, ValueError)
    assert "It was returned" in failure(check(lambda: ValueError("no")).raises, ValueError)
    assert "raised ValueError instead" in failure(check(root, -1).raises, KeyError)


def test_satisfies(record):
    check = Lesson("77_double", record).check
    check(np.cumsum, np.ones(3)).satisfies(lambda v: v[-1] == 3, "ends with the sum")
    text = failure(check(np.cumsum, np.ones(3)).satisfies, lambda v: v[-1] == 4, "ends with 4")
    assert "This does not hold: ends with 4." in text
    assert "cannot be judged" in failure(check(float, 3).satisfies, lambda v: v[0] > 1, "begins above 1")
    assert "returned None" in failure(check(print).satisfies, lambda v: True, "anything")


def test_a_known_mistake_is_told_its_reason_only_in_its_own_place(record):
    lesson = Lesson("77_double", record)
    squared = lesson.check(lambda x: x**2, np.array([1.0, 2.0]))
    lesson.begin_cell(SOURCE)
    text = failure(squared.gives, [2.0, 4.0])
    assert REASON in text
    assert "Stopped at check 1 of 2, worth 2 points" in text
    assert 'Hint 1 of 3: `hint("double")`' in text
    lesson.begin_cell("another cell")
    assert REASON not in failure(squared.gives, [2.0, 4.0])
    lesson.begin_cell(SOURCE)
    assert REASON not in failure(lesson.check(lambda x: x**3, np.array([1.0, 2.0])).gives, [2.0, 4.0])


def test_scenarios_show_their_docstring(record):
    def scenario():
        """Double 1, then double again."""
        return 3

    assert failure(Lesson("x").check(scenario).gives, 4).startswith("✗ Double 1, then double again.")


def test_hints_open_in_steps_and_are_kept(record, capsys):
    lesson = Lesson("77_double", record, keep_progress=True)

    def double(x): ...

    for exercise in ("double", double, "double", "double"):
        lesson.hint(exercise)
    shown = capsys.readouterr().out.splitlines()
    assert shown[:3] == ["Hint 1 of 3 a symptom", "Hint 1 of 3 a symptom", "Hint 2 of 3 an idea"]
    assert shown[-1] == "Hint 3 of 3 an outline"
    assert progress.load("77_double").hints == {"double": 3}
    with pytest.raises(ValueError, match="there is no exercise 'triple' here; the exercises are double"):
        lesson.hint("triple")


def test_where_no_points_can_be_earned_none_are_told(record, capsys):
    cells = {name: replace(cell, points=0.0) for name, cell in record.cells.items()}
    lesson = Lesson("77_double", replace(record, cells=cells))
    lesson.begin_cell(SOURCE)
    for _ in range(2):
        lesson.check(lambda x: 2 * x, 3).gives(6)
    lesson.end_cell(success=True)
    assert capsys.readouterr().out.strip() == "✓ 2 of 2 checks passed"


def test_progress_follows_the_last_run(record, capsys):
    lesson = Lesson("77_double", record, keep_progress=True)

    def run(function, times=2):
        lesson.begin_cell(SOURCE)
        for _ in range(times):
            lesson.check(function, 3).gives(6)
        lesson.end_cell(success=True)

    run(lambda x: 2 * x)
    assert "✓ 2 of 2 checks passed (2 of 2 points so far)" in capsys.readouterr().out
    assert progress.load("77_double").passed == {"double-test-1": 2}
    lesson.begin_cell(SOURCE)
    lesson.end_cell(success=False)
    assert progress.load("77_double").passed == {}
    run(lambda x: 2 * x, times=1)  # an edited cell with fewer checks earns nothing
    assert progress.load("77_double").passed == {}


def test_damaged_progress_is_an_empty_one(record):
    progress.save("77_double", progress.Progress(passed={"a": 1.0}))
    (progress.folder() / "77_double.json").write_text("{")
    assert progress.load("77_double") == progress.Progress()
    (progress.folder() / "77_double.json").write_text('{"colour": 1}')
    assert progress.load("77_double") == progress.Progress()


def test_targets(record, capsys, monkeypatch):
    monkeypatch.setenv("CONVNETS_FAST", "0")
    lesson = Lesson("77_double", record)
    lesson.target("RMSE", 1.95, at_most=2.0, unit="°C")
    lesson.target("accuracy", 80.0, at_least=95, unit="%")
    lesson.target("parameters", 760, exactly=760)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "✓ RMSE: 1.95 °C (target ≤ 2 °C, reached)"
    assert shown[1] == "✗ accuracy: 80% (target ≥ 95%, not reached)"
    assert shown[2] == "✓ parameters: 760 (target = 760, reached)"
    monkeypatch.setenv("CONVNETS_FAST", "1")
    lesson.target("RMSE", 9.0, at_most=2.0)
    assert "not judged in fast mode" in capsys.readouterr().out


def test_a_record_survives_json(record):
    assert LessonRecord.from_json(record.to_json()) == record
    with pytest.raises(ValueError, match="build the notebook again"):
        LessonRecord.from_json(json.dumps({"format": 0}))


def test_open_lesson_without_a_record_still_checks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVNETS_NOTEBOOKS", str(tmp_path))
    open_lesson("99_nothing").check(abs, -1).gives(1)


def run_in_kernel(folder, cells, monkeypatch):
    monkeypatch.chdir(folder)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, allow_errors=True, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return [cell.outputs for cell in notebook.cells]


def test_in_a_kernel(record, tmp_path, monkeypatch):
    (tmp_path / "77_double.checks.json").write_text(record.to_json())
    setup = (
        "import numpy as np\nfrom convnets.checks import open_lesson\n"
        'lesson = open_lesson("77_double")\ncheck = lesson.check'
    )
    outputs = run_in_kernel(
        tmp_path,
        [
            setup,
            'def double(x):\n    raise NotImplementedError("your code here")',
            SOURCE,
            "double(1)",
            "import torch\ntorch.nn.functional.cross_entropy(torch.ones(2, 3).long(), torch.randn(2, 3))",
            "def double(x):\n    return x**2",
            SOURCE,
            "def double(x):\n    return 2 * x",
            SOURCE,
        ],
        monkeypatch,
    )
    stub, direct, unsupported, wrong, right = (outputs[i] for i in (2, 3, 4, 6, 8))
    assert [output.output_type for output in stub] == ["error"]
    assert stub[0].traceback == ["✗ double is not written yet."]
    assert direct[0].traceback == ["✗ `double` is not written yet: do exercise 1 first."]
    assert unsupported[0].ename == "NotImplementedError"
    assert "not implemented for" in "".join(unsupported[0].traceback)
    assert [output.output_type for output in wrong] == ["display_data", "error"]
    assert REASON in wrong[0].data["text/html"]
    assert "<code>double(x: [1.0, 2.0])</code>" in wrong[0].data["text/html"]
    assert wrong[1].ename == "CheckFailed"
    assert wrong[1].traceback == ["✗ 1 of 2 entries is wrong."]
    assert "2 of 2 checks passed (2 of 2 points so far)" in right[0].data["text/plain"]
    assert progress.load("77_double").passed == {"double-test-1": 2}


def test_html_is_escaped(record):
    from convnets.checks.render import as_html

    with pytest.raises(CheckFailed) as caught:
        Lesson("x").check(lambda: "<script>alert(1)</script>").gives("<b>")
    page = as_html(caught.value.report)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
