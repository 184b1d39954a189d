"""The reading demo's line, its two ways of finding digits, its maps and its sentences, without a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from convnets.models.lenet import LeNet5
from convnets.widgets.digit_reader import Reader, reader_of
from convnets.widgets.reading_demo import (
    HEIGHT,
    TYPED_WIDTH,
    WIDTH,
    ReadingDemo,
    ReadingState,
    by_boxes,
    by_scan,
    inked,
    layer_maps,
    percent,
    view_of,
    with_typed,
    written,
)


@pytest.fixture(scope="module")
def reader():
    """A network that reads: the toolkit's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CONVNETS_FAST", raising=False)
        reader_of.cache_clear()
        yield replace(reader_of(None, None), notes=())
        reader_of.cache_clear()


@pytest.fixture
def demo(reader, monkeypatch):
    """A widget with that network."""
    monkeypatch.setattr("convnets.widgets.reading_demo.reader_of", lambda *_: reader)
    return ReadingDemo


def line(digits, **fields):
    return with_typed(ReadingState(**fields), digits)


def answers(view):
    return "".join(found["answer"] for found in view["found"])


@pytest.mark.parametrize("mode", ["boxes", "scan"])
@pytest.mark.parametrize("digits", ["01234", "56789"])
def test_typed_digits_are_read(reader, mode, digits):
    view = view_of(line(digits, mode=mode), reader)
    read = answers(view)
    assert len(read) == 5
    assert sum(a == b for a, b in zip(read, digits, strict=True)) >= 4
    assert view["status"].startswith(f"It reads {' '.join(read)}. Digit 1 is read as {read[0]} (")
    lefts = [found["box"][1] for found in view["found"]]
    assert lefts == sorted(lefts)


def test_only_a_scan_reads_digits_that_touch(reader):
    pairs = ("30", "33", "39", "48", "54", "57", "60", "84", "87", "93")
    read = 0
    for first, second in pairs:
        strokes = (*written(first, 60), *written(second, 60 + TYPED_WIDTH))
        ink = inked(ReadingState(strokes=strokes))
        assert len(by_boxes(ink, reader)) == 1
        found, _ = by_scan(ink, reader)
        read += [digit.answer for digit in found] == [int(first), int(second)]
    assert read >= 7  # 3 at most where the neighbour that looks in does not fade


def test_what_was_drawn_is_where_it_was_drawn():
    ink = inked(ReadingState(strokes=[[[100, 20], [100, 120]]], pen=10))
    rows, columns = np.nonzero(ink)
    assert ink.shape == (HEIGHT, WIDTH)
    assert (columns.min(), columns.max()) == (95, 105)
    assert (rows.min(), rows.max()) == (15, 125)
    dot = inked(ReadingState(strokes=[[[50, 50]]], pen=8))
    assert 40 <= dot.sum() <= 80
    assert not inked(ReadingState()).any()


def test_a_scan_looks_at_every_place(reader):
    found, scan = by_scan(inked(line("4")), reader)
    assert len(found) == 1
    assert np.allclose(scan.probability.sum(axis=1), 1)
    assert np.all(np.diff(scan.columns) > 0)
    assert scan.columns[-1] > WIDTH - 80
    top, left, height, width = found[0].box
    middle = np.nonzero(inked(line("4")))[1].mean()
    assert abs(left + width / 2 - middle) < 20
    assert height > 90
    nothing, empty = by_scan(np.zeros((HEIGHT, WIDTH)), reader)
    assert nothing == []
    assert len(empty.columns) == 0
    assert top > 0


def test_maps_are_what_each_layer_of_the_net_gives():
    torch.manual_seed(0)
    net, x = LeNet5(modern=False), torch.randn(1, 1, 32, 32)
    described = layer_maps(net, x)
    assert [(layer["name"], layer["shape"]) for layer in described] == [
        ("C1", "6 × 28 × 28"),
        ("S2", "6 × 14 × 14"),
        ("C3", "16 × 10 × 10"),
        ("S4", "16 × 5 × 5"),
        ("C5", "120"),
        ("F6", "84"),
    ]
    pooled = nn.Sequential(*list(net)[:6])(x)[0].detach().numpy()
    drawn = np.frombuffer(described[3]["bytes"], np.int8).reshape(16, 5, 5)
    assert np.allclose(drawn / 127, pooled / np.abs(pooled).max(), atol=0.005)
    assert drawn.min() < 0 < drawn.max()


def test_a_net_of_another_form_shows_what_it_has():
    class Opaque(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(1024, 10)

        def forward(self, x):
            return self.last(x.flatten(1))

    view = view_of(line("1"), Reader(Opaque(), ()))
    assert [layer["name"] for layer in view["layers"]] == ["input"]
    shorter = nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU(), nn.Flatten(), nn.Linear(1568, 10))
    names = [layer["name"] for layer in view_of(line("1"), Reader(shorter, ()))["layers"]]
    assert names == ["input", "layer 1"]


def test_the_chosen_digit_has_its_maps_shown(reader):
    view = view_of(line("17", chosen=1), reader)
    other = view_of(line("17", chosen=0), reader)
    assert (view["chosen"], other["chosen"]) == (1, 0)
    assert view["layers"][0]["bytes"] != other["layers"][0]["bytes"]
    assert np.argmax(view["bars"]) == int(view["found"][1]["answer"])
    assert sum(view["bars"]) == pytest.approx(1)
    assert view_of(line("17", chosen=9), reader)["chosen"] == 1


def test_an_empty_line_and_a_speck_are_said(reader):
    assert view_of(ReadingState(), reader)["status"].startswith("The line is empty")
    assert view_of(ReadingState(mode="scan"), reader)["status"].startswith("The line is empty")
    speck = ReadingState(strokes=[[[9, 9]]], pen=4, mode="scan")
    assert view_of(speck, reader)["status"] == "Nothing is read: no place where the net is sure."
    assert view_of(speck, reader)["layers"] == []


def test_the_speed_stands_beside_that_of_1993(reader):
    assert view_of(line("12"), reader)["status"].endswith(" a second; in 1993 10 to 12.")
    assert view_of(line("12", mode="scan"), reader)["status"].endswith(" a second; in 1993 30.")


def test_notes_about_the_learners_net_are_shown():
    view = view_of(ReadingState(), Reader(LeNet5(), (("With your LeNet5: oh.", True),)))
    assert view["notes"] == [{"words": "With your LeNet5: oh.", "wrong": True}]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"strokes": [[[700, 3]]]}, "within 640"),
        ({"strokes": [[]]}, "at least one point"),
        ({"strokes": "31"}, "a list of strokes"),
        ({"strokes": [[[1, 2, 3]]]}, "a list of strokes"),
        ({"strokes": [[[1, 1]] * 7000]}, "too much ink"),
        ({"mode": "guess"}, "mode is"),
        ({"pen": 3}, "pen is"),
        ({"chosen": -1}, "chosen is"),
    ],
)
def test_states_without_meaning(fields, words):
    with pytest.raises(ValueError, match=words):
        ReadingState(**fields)


def test_a_typed_digit_goes_behind_what_is_there():
    first = line("3")
    both = with_typed(first, "7")
    assert both.strokes[: len(first.strokes)] == first.strokes
    right = max(x for stroke in first.strokes for x, _ in stroke)
    assert min(x for x, _ in both.strokes[-1]) > right + 10
    with pytest.raises(ValueError, match="line is full"):
        line("1" * (WIDTH // TYPED_WIDTH + 20))
    with pytest.raises(ValueError, match="digits from 0 to 9"):
        line("a")


def test_actions_and_the_line_of_python(demo):
    widget = demo(typed="1")
    widget._receive(None, {"do": "type", "digit": "4"}, None)
    assert len(widget.state.strokes) == 3
    widget._receive(None, {"do": "undo"}, None)
    assert len(widget.state.strokes) == 2
    widget._receive(None, {"do": "set", "mode": "scan", "pen": 12}, None)
    restored = eval(widget.as_code(), {"ReadingDemo": demo})
    assert restored.state == widget.state
    widget._receive(None, {"do": "set", "strokes": []}, None)
    assert widget.as_code() == "ReadingDemo(mode='scan', pen=12)"
    widget._receive(None, {"do": "type", "digit": "x"}, None)
    assert "digits from 0 to 9" in widget.view["problem"]


@pytest.mark.parametrize(("share", "words"), [(0.5, "50 %"), (0.004, "<1 %"), (0.996, ">99 %"), (1.0, ">99 %")])
def test_probabilities_claim_no_certainty(share, words):
    assert percent(share) == words
