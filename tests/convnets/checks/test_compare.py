"""Each kind of error is told apart, and right answers pass."""

import numpy as np
import pytest
import torch

from convnets.checks.compare import Tolerance, find_gradient_mismatch, find_mismatch, relative_error

TOLERANCE = Tolerance()
A = np.arange(1.0, 13.0).reshape(3, 4) ** 1.5
LARGE = np.random.default_rng(2).normal(size=(6, 6))
SQUARE = np.random.default_rng(0).normal(size=(4, 4))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (5, 5),
        (5, np.int64(5)),
        (5, 5.0),
        (0.5, np.float32(0.5)),
        ([[1, 2], [3, 4]], np.array([[1.0, 2.0], [3.0, 4.0]])),
        (A, torch.tensor(A)),
        ((1, A), [1, A.copy()]),
        ({"weight": A}, {"weight": A + 1e-10}),
        (True, np.True_),
        ("edge", "edge"),
        (None, None),
        ([], []),
        (["a", "b"], ["a", "b"]),
        (np.array([np.nan, 1.0]), np.array([np.nan, 1.0])),
        ([(0, 1, -2, 2)], [[0, 1, -2, 2.0]]),
    ],
)
def test_equal_values_agree(expected, got):
    assert find_mismatch(expected, got, TOLERANCE) is None


@pytest.mark.parametrize(
    ("expected", "got", "kind"),
    [
        (5, None, "returned None"),
        (5, "5", "A number was expected"),
        (A, 3.0, "single number"),
        (3.0, A, "A single number was expected"),
        (A, A.T, "axes are swapped, the values are right once transposed"),
        (A, np.ones((4, 3)), "axes are swapped."),
        (A, A.ravel(), "same number of entries"),
        (A, A[:, :3], "shape is (3, 3), expected was (3, 4)"),
        (A, np.where(A > 10, np.nan, A), "entries are NaN"),
        (A, np.where(A > 10, np.inf, A), "entries are infinite"),
        (A, -A, "sign is flipped"),
        (A, 3 * A, "3 times the expected"),
        (A, A + 2, "same amount, +2"),
        # Nearly right, or a number alone: a factor would tell nothing.
        (A, A * (1 + 3e-6), "Nearly right"),
        (np.array([0.0, 2.5, 0.0]), np.array([0.0, 6.0, 0.0]), "1 of 3 entries is wrong"),
        (np.full(3, 2.5), np.full(3, 6.0), "3 of 3 entries are wrong"),
        (1, 2, "The value is wrong"),
        (6, 12, "2 times the expected"),
        # One array for two: the shape of the first would mislead.
        ((A[0], 1.0), A[0], "tuple of 2 values was expected, one array of shape"),
        ((A[0, :2], A[1, :2]), A[0, :2], "tuple of 2 values was expected, one array of shape"),
        (np.sqrt([1.0, 4.0]), np.array([1.0, np.nan]), "root or logarithm of a negative number"),
        (A, A.astype(int), "decimals were cut off"),
        (A, np.round(A).astype(int), "decimals were rounded"),
        (SQUARE, SQUARE.T, "transpose"),
        (np.array([269722, 10]), np.array([269723, 10]), "1 of 2 entries is wrong"),
        (SQUARE, SQUARE[::-1, ::-1], "flipped along both"),
        (SQUARE, SQUARE[::-1], "flipped along the rows"),
        (SQUARE, SQUARE[:, ::-1], "flipped along the columns"),
        (LARGE, LARGE + np.pad(np.zeros((4, 4)), 1, constant_values=0.1), "Only the border is wrong (20 entries)"),
        (LARGE, LARGE + np.pad(np.ones((4, 4)), 1), "border is right, the inside is wrong"),
        (SQUARE, SQUARE + np.pad(np.zeros((2, 2)), 1, constant_values=0.1), "12 of 16 entries are wrong"),
        (A, np.roll(A.ravel(), 5).reshape(3, 4), "right numbers in the wrong order"),
        (np.array([1, 2]), np.array([2, 1]), "right numbers in the wrong order"),
        (np.array([1, 0, 0, 0]), np.array([0, 0, 1, 0]), "2 of 4 entries are wrong"),
        (A, A + 0.1 * (A > 20), "of 12 entries are wrong"),
        (2.0, 3.1, "value is wrong"),
        (1.0, -1.0, "sign is flipped"),
        (1.0, 2.0, "2 times the expected"),
        ((1, 2), 1, "tuple of 2 values was expected, the answer is an int"),
        (([(1,)],), ([1],), "In [0][0]: a tuple of 1 value was expected"),
        ((1, A), (1,), "tuple of 2 values was expected, 1 came back"),
        ({"w": 1, "b": 2}, {"w": 1, "bias": 2}, "missing: 'b'; not asked for: 'bias'"),
        ({"w": A}, {"w": -A}, "In ['w']: The sign"),
        ({"w": A}, [A], "A dict was expected"),
        (True, 1, "True or False was expected"),
        ("edge", "box", "'edge' was expected"),
    ],
)
def test_kinds_of_error(expected, got, kind):
    mismatch = find_mismatch(expected, got, TOLERANCE)
    assert mismatch is not None
    assert kind in mismatch.kind


def test_says_where_values_first_differ_and_by_how_much():
    wrong = A.copy()
    wrong[1, 2] += 0.5
    mismatch = find_mismatch(A, wrong, TOLERANCE)
    assert mismatch.kind == "1 of 12 entries is wrong."
    assert mismatch.where.startswith("First difference at [1, 2]: expected 18.520259, got 19.020259 (off by 0.5")


@pytest.mark.parametrize(("factor", "words"), [(8, "a sum where a mean over 8"), (1 / 8, "a mean over 8 where a sum")])
def test_sum_and_mean_are_told_by_the_sizes_of_the_arguments(factor, words):
    assert words in find_mismatch(A, factor * A, TOLERANCE, argument_sizes=(8, 3)).kind
    assert words in find_mismatch(2.5, factor * 2.5, TOLERANCE, argument_sizes=(8, 3)).kind


def test_dtype_is_demanded_only_when_asked():
    single = A.astype(np.float32)
    loose = Tolerance(rtol=1e-6)
    assert find_mismatch(A, single, loose) is None
    assert "dtype is float32 where float64" in find_mismatch(A, single, loose, dtype=np.float64).kind


def test_tolerance_is_the_stated_one():
    assert find_mismatch(1.0, 1.0 + 1.05e-7, TOLERANCE) is not None
    assert find_mismatch(1.0, 1.0 + 1.05e-7, Tolerance(rtol=2e-7)) is None


def test_relative_error():
    assert relative_error([1.0, 2.0], [1.0, 2.0]) == 0
    assert relative_error([0.0], [0.0]) == 0
    assert relative_error([], []) == 0
    assert relative_error([1.0, 4.0], [1.0, 5.0]) == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("scale", "verdict"), [(1 + 1e-8, None), (1 + 1e-5, "not exact"), (1 + 1e-3, "suspicious"), (2.0, "wrong")]
)
def test_gradients_are_judged_on_the_scale(scale, verdict):
    mismatch = find_gradient_mismatch({"w": A}, {"w": A * scale})
    if verdict is None:
        assert mismatch is None
    else:
        assert f": {verdict} (below 1e-07 right" in mismatch.where


def test_gradients_report_structure_first():
    assert "shape is (4, 3)" in find_gradient_mismatch({"w": A}, {"w": A.T}).kind
    assert "NaN" in find_gradient_mismatch(A, A * np.nan).kind
    assert "missing: 'w'" in find_gradient_mismatch({"w": A}, {}).kind
    assert "None" in find_gradient_mismatch((A, A), (A, None)).kind
