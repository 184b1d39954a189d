"""Signatures are small, hold no code, and tell outcomes apart."""

import json

import numpy as np
import pytest
import torch

from convnets.checks import signature


@pytest.mark.parametrize(
    "value",
    [
        3,
        2.5,
        float("nan"),
        float("inf"),
        True,
        None,
        "edge",
        np.arange(12.0).reshape(3, 4),
        np.random.default_rng(0).normal(size=(40, 50)),
        np.array([1 + 2j, 3.0]),
        np.zeros((0, 3)),
        torch.arange(4),
        (1, np.ones(3)),
        {"w": np.ones(2), "b": 1.0},
        object(),
    ],
)
def test_a_signature_survives_json_and_matches_itself(value):
    recorded = signature.of_value(value)
    assert len(json.dumps(recorded)) < 1500
    assert signature.matches(json.loads(json.dumps(recorded)), signature.of_value(value))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (3, 4),
        (3, (3,)),
        (1.0, 1.001),
        (True, 1),
        (None, 0),
        ("a", "b"),
        (float("nan"), float("inf")),
        (np.ones((2, 3)), np.ones((3, 2))),
        (np.arange(100.0), np.arange(100.0)[::-1]),
        ((1, 2), (1, 3)),
        ((1, 2), (1, 2, 3)),
        ({"w": 1}, {"w": 2}),
        ({"w": 1}, {"b": 1}),
    ],
)
def test_different_values_do_not_match(a, b):
    assert not signature.matches(signature.of_value(a), signature.of_value(b))


def test_rounding_noise_matches():
    a = np.random.default_rng(1).normal(size=30)
    assert signature.matches(signature.of_value(a), signature.of_value(a * (1 + 1e-9)))


def test_exceptions_match_by_type_and_message():
    recorded = signature.of_exception(ValueError("shapes (2,3) and (2,3)"))
    assert signature.matches(recorded, signature.of_exception(ValueError("shapes (2,3) and (2,3)")))
    assert not signature.matches(recorded, signature.of_exception(ValueError("other")))
    assert not signature.matches(recorded, signature.of_exception(TypeError("shapes (2,3) and (2,3)")))
    assert not signature.matches(recorded, signature.of_value("shapes (2,3) and (2,3)"))


def test_changed_arguments_match_by_name():
    assert signature.matches(signature.of_changed_arguments(["x"]), signature.of_changed_arguments(["x"]))
    assert not signature.matches(signature.of_changed_arguments(["x"]), signature.of_changed_arguments(["y"]))


def raised_by(source):
    names = {"np": np}
    exec(compile(source, "<cell>", "exec"), names)
    try:
        names["answer"]()
    except Exception as error:
        return signature.of_exception(error)
    raise AssertionError("nothing was raised")


def test_what_an_answer_raises_itself_matches_whatever_its_words():
    ours = raised_by("def answer():\n    raise ValueError('even kernels are not allowed')")
    theirs = raised_by("def answer():\n    if True:\n        raise ValueError(f'got {4}')")
    library = raised_by("def answer():\n    return np.ones(2) + np.ones(3)")
    assert ours == theirs == {"raised": "ValueError"}
    assert "broadcast" in library["message"]
    assert not signature.matches(ours, library)
