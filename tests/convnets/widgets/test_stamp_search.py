"""Search by example: who is found, what is forbidden, and what is said of a wrong function."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from convnets import data
from convnets.widgets import StampSearch, stamp_search
from convnets.widgets.stamp_search import SearchState, nearest, sheet_rule, stamp_vectors, view_of


@pytest.fixture(autouse=True)
def small_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels stand for the network's features: what is tested here does not depend on them."""
    pixels = stamp_vectors("pixels")
    monkeypatch.setattr(
        stamp_search, "stamp_vectors", lambda vectors: pixels if vectors == "pixels" else pixels[:, ::7]
    )


def numbers(view: dict[str, Any]) -> list[int]:
    return [one["number"] for one in view["found"]]


def test_eight_others_are_found_nearest_first() -> None:
    view = view_of(SearchState(asked=30))
    assert len(numbers(view)) == 8
    assert 30 not in numbers(view)
    similarity = [float(one["similarity"]) for one in view["found"]]
    assert similarity == sorted(similarity, reverse=True)
    labels = data.stamps().labels
    assert [one["right"] for one in view["found"]] == [labels[k] == labels[30] for k in numbers(view)]
    assert f"{sum(labels[numbers(view)] == labels[30])} of 8 neighbours have its class" in view["status"]


def test_relatives_are_found_only_when_they_may() -> None:
    subjects = data.stamps().subjects
    asked = next(k for k in range(206) if subjects.count(subjects[k]) > 1)
    forbidden = numbers(view_of(SearchState(asked=asked, relatives=False)))
    assert all(subjects[k] != subjects[asked] for k in forbidden)


def test_each_switch_changes_who_is_found() -> None:
    first = numbers(view_of(SearchState(asked=3)))
    assert numbers(view_of(SearchState(asked=3, vectors="pixels"))) != first
    assert numbers(view_of(SearchState(asked=3, cosine=False))) != first


def test_the_toolkits_nearest() -> None:
    gallery = np.array([[2.0, 0.5], [0.0, 1.0], [1.0, 1.2], [6.0, 9.0]])
    assert nearest(np.array([[1.0, 0.0]]), gallery, 3).tolist() == [[0, 2, 3]]
    assert nearest(np.array([[1.0, 0.0]]), gallery, 3, cosine=False).tolist() == [[3, 0, 2]]
    assert nearest(gallery[:1], gallery, 2, True, np.array([[True, False, True, False]])).tolist() == [[3, 1]]


def test_the_learners_function_is_used_and_a_right_one_is_not_spoken_of() -> None:
    calls = []

    def mine(queries: Any, gallery: Any, k: int, cosine: bool, forbidden: Any) -> Any:
        calls.append((queries.shape, gallery.shape, k, cosine, forbidden.sum()))
        return nearest(queries, gallery, k, cosine, forbidden)

    view = view_of(SearchState(vectors="pixels"), mine)
    assert calls == [((1, 3072), (206, 3072), 8, True, 1)]
    assert view["notes"] == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda q, g, k, cosine, forbidden: nearest(q, g, k, cosine), "found a stamp that is forbidden"),
        (lambda q, g, k, cosine, forbidden: nearest(q, g, k, False, forbidden), "other stamps than the most similar"),
        (lambda q, g, k, cosine, forbidden: nearest(q, g, 3, cosine, forbidden), "gave the shape (1, 3)"),
        (lambda *_: np.full((1, 8), 206), "no numbers of stamps, 0 to 205"),
        (lambda *_: [[1], [2, 3]], "gave no array"),
        (lambda *_: 1 // 0, "raised ZeroDivisionError"),
    ],
)
def test_a_wrong_function_is_told(wrong: Any, words: str) -> None:
    (note,) = view_of(SearchState(asked=12), wrong)["notes"]
    assert note["wrong"]
    assert words in note["words"]


def test_a_missing_function_is_told() -> None:
    (note,) = view_of(SearchState())["notes"]
    assert not note["wrong"]
    assert note["words"].startswith("Your nearest is not written yet")


@pytest.mark.parametrize("bad", [{"asked": 206}, {"asked": -1}, {"asked": 1.5}, {"vectors": "words"}])
def test_states_without_meaning_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"asked is the number of a stamp|vectors is one of"):
        SearchState(**bad)


def test_the_widget_restores_itself_and_carries_its_pictures_once() -> None:
    widget = StampSearch(nearest, asked=7, cosine=False)
    assert widget.as_code() == "StampSearch(nearest, asked=7, cosine=False)"
    assert sheet_rule() in widget._css
    assert "base64" not in str(widget.view)
    widget.update(asked=8, relatives=False)
    assert widget.as_code() == "StampSearch(nearest, asked=8, cosine=False, relatives=False)"
