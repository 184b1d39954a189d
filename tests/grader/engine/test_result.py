"""Results: closed outcomes, capped texts, nothing hidden shown, JSON there and back."""

import dataclasses
import json

import pytest

from grader.engine.result import ENTRIES, MESSAGE, CellResult, Outcome, Result, WrittenAnswer
from grader.engine.wording import exception_name, kind_of_error

PASSED = CellResult("a-test-1", "a", 2.0, 2.0, Outcome.Passed, seconds=0.25)
FAILED = CellResult(
    "b-test-1", "b", 0.0, 1.0, Outcome.Failed, "wrong", "b(1)", "2", "3", False, "off", "why", Outcome.Passed
)
RESULT = Result(
    "ann",
    "05",
    "k",
    (PASSED, FAILED),
    (WrittenAnswer("why", 3.0, "so", True),),
    ("e",),
    ("n",),
    ("f",),
    "none",
    1.5,
    0.5,
)


def test_json_there_and_back():
    text = RESULT.to_json()
    assert Result.from_json(text) == RESULT
    assert Result.from_json(text).to_json() == text
    assert Result.from_json(text).cells[1].outcome is Outcome.Failed


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"format": 99}', '{"format": 1}', RESULT.to_json().replace('"cells"', '"sells"'), "no json"],
)
def test_other_json_is_refused(text):
    with pytest.raises(ValueError, match=r"grade the submission again|Expecting"):
        Result.from_json(text)


def test_an_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="Splendid"):
        Result.from_json(RESULT.to_json().replace('"Failed"', '"Splendid"'))


def test_points():
    assert (RESULT.points, RESULT.max_points) == (2.0, 6.0)
    assert RESULT.needs_a_person
    assert not dataclasses.replace(RESULT, flags=(), written=()).needs_a_person


@pytest.mark.parametrize(
    ("points", "most", "outcome"),
    [
        (3.0, 2.0, Outcome.Passed),
        (-1.0, 2.0, Outcome.Passed),
        (1.0, 2.0, Outcome.Failed),
        (float("nan"), 2.0, "Passed"),
    ],
)
def test_points_that_cannot_be(points, most, outcome):
    with pytest.raises(ValueError, match="a-test-1"):
        CellResult("a-test-1", "a", points, most, outcome)


def test_a_hidden_test_is_not_shown():
    with pytest.raises(ValueError, match="hidden"):
        CellResult("a-test-1", "a", 0.0, 1.0, Outcome.Failed, called="a(4711)", hidden=True)


def test_texts_are_capped_and_clean():
    huge = CellResult("c", "c", 0.0, 1.0, Outcome.Raised, "x" * 10_000_000, got="\x1b[31mred\x00\ud800\n")
    assert len(huge.message) < MESSAGE + 100
    assert "9,998,000 more characters" in huge.message
    assert huge.got == "�[31mred��\n"
    many = dataclasses.replace(RESULT, edits=tuple(f"edit {i}" for i in range(5 * ENTRIES)), notes=("same", "same"))
    assert len(many.edits) == ENTRIES + 1
    assert many.edits[-1] == f"… and {4 * ENTRIES} more"
    assert many.notes == ("same",)
    assert len(json.loads(many.to_json())["edits"]) == ENTRIES + 1
    assert len(WrittenAnswer("w", 1.0, "y" * 10**6, True).text) < 60_000


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("The shape is (4711,), expected was (42,).", "The shape is wrong."),
        (
            "Off by the constant factor 4711: the right answer multiplied by it.",
            "The answer is off by a constant factor.",
        ),
        ("Every entry is off by the same amount, +4711.", "Every entry is off by the same amount."),
        ("This does not hold: every 4711th row sums to 1.", "The answer is wrong."),
        ("'4711' was expected, the answer is 'x'.", "The answer is wrong."),
    ],
)
def test_of_a_hidden_test_only_fixed_sentences_are_told(said, told):
    assert kind_of_error(said) == told


def test_an_exceptions_name_is_told_where_it_is_pythons_own():
    assert exception_name("ValueError") == "a ValueError"
    assert exception_name("IndexError") == "an IndexError"
    assert exception_name("argument_was_4711") == exception_name("print") == exception_name("__doc__") == "an exception"
