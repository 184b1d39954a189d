"""The confusion browser's table, cells, refusals and sentences, without a browser."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from convnets.widgets.confusion_browser import ConfusionBrowser, ConfusionState, counts, trade, view_of
from convnets.widgets.digit_reader import Reader

#: Six digits: class, answer, probability of the answer.
CASES = [(3, 3, 0.9), (3, 8, 0.6), (3, 8, 0.8), (8, 8, 0.5), (1, 7, 0.55), (1, 1, 0.99)]
LABELS = np.array([actual for actual, _, _ in CASES])
PROBABILITY = np.full((len(CASES), 10), 0.0)
for k, (_, said, sure) in enumerate(CASES):
    PROBABILITY[k] = (1 - sure) / 9
    PROBABILITY[k, said] = sure
IMAGES = np.arange(len(CASES), dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)


def view(**fields):
    return view_of(ConfusionState(**fields), IMAGES, LABELS, PROBABILITY)


def test_the_table_counts_class_by_answer():
    table = np.array(view()["table"])
    assert table.sum() == 6
    assert (table[3, 3], table[3, 8], table[8, 8], table[1, 7], table[1, 1]) == (1, 2, 1, 1, 1)


def test_it_opens_at_the_most_frequent_error_with_the_surest_first():
    shown = view()
    assert shown["cell"] == [3, 8]
    assert [digit["number"] for digit in shown["digits"]] == [2, 1]
    assert shown["digits"][0]["said"].startswith("8 80 %, ")
    assert shown["digits"][0]["bytes"] == IMAGES[2].tobytes()
    assert shown["words"] == "2 digits of class 3 taken for 8."


def test_right_answers_begin_with_the_least_sure():
    probability = PROBABILITY[[0, 5, 5]].copy()
    probability[1] = np.eye(10)[3] * 0.6 + 0.04
    probability[2] = np.eye(10)[3] * 0.2 + 0.08
    shown = view_of(ConfusionState(3, 3), IMAGES[:3], np.array([3, 3, 3]), probability)
    assert [digit["number"] for digit in shown["digits"]] == [2, 1, 0]
    assert "3 are read right" in shown["words"]


def test_a_threshold_refuses_the_unsure():
    shown = view(threshold=60)
    assert shown["status"].startswith("Of 6 test digits 2 read right, 2 misread, 2 refused.")
    assert np.array(shown["table"])[8, 8] == 0
    assert view(threshold=99)["status"].startswith("Of 6 test digits 1 read right, 0 misread, 5 refused.")


def test_the_trade_counts_at_every_threshold():
    refused, misread = trade(LABELS, PROBABILITY)
    assert len(refused) == 100
    for percent in (0, 52, 57, 61, 85, 99):
        kept = PROBABILITY.max(axis=1) >= percent / 100
        assert refused[percent] == (~kept).sum()
        assert misread[percent] == (kept & (PROBABILITY.argmax(axis=1) != LABELS)).sum()
    assert misread[0] == 3


def test_only_twelve_are_shown_and_the_rest_is_counted():
    probability = np.tile(PROBABILITY[1], (15, 1))
    shown = view_of(ConfusionState(3, 8), np.zeros((15, 28, 28), np.uint8), np.full(15, 3), probability)
    assert len(shown["digits"]) == 12
    assert shown["more"] == 3


def test_counts_leave_out_what_is_not_kept():
    kept = np.array([True, False, True])
    table = counts(np.array([1, 1, 2]), np.array([1, 1, 3]), kept)
    assert table[1, 1] == 1
    assert table[2, 3] == 1
    assert table.sum() == 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"actual": 3}, "actual and answer"),
        ({"actual": 3, "answer": 10}, "actual and answer"),
        ({"threshold": 100}, "threshold"),
        ({"threshold": 0.5}, "threshold"),
    ],
)
def test_states_without_meaning(fields, words):
    with pytest.raises(ValueError, match=words):
        ConfusionState(**fields)


def test_the_widget_chooses_cells_and_writes_itself(monkeypatch):
    net = nn.Sequential(nn.Flatten(), nn.Linear(1024, 10))
    reader = Reader(net, (("Your LeNet5 is not written yet: the toolkit's is used.", False),))
    monkeypatch.setattr("convnets.widgets.confusion_browser.reader_of", lambda *_: reader)
    widget = ConfusionBrowser()
    assert widget.view["total"] == 1000
    assert widget.view["notes"][0]["words"].startswith("Your LeNet5")
    assert widget.as_code() == "ConfusionBrowser()"
    widget._receive(None, {"do": "choose", "actual": 4, "answer": 9}, None)
    widget._receive(None, {"do": "set", "threshold": 40}, None)
    assert widget.view["cell"] == [4, 9]
    assert widget.as_code() == "ConfusionBrowser(actual=4, answer=9, threshold=40)"
    assert widget.images.shape == (1000, 28, 28)
    assert widget.images.max() == 255
    assert widget.images[:, 0, 0].max() == 0
