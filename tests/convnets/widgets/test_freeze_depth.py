"""How deep to freeze: what is trained and how fast, and what is said of wrong functions."""

from __future__ import annotations

from typing import Any

import pytest

from convnets.widgets import FreezeDepth
from convnets.widgets.freeze_depth import DEPTHS, MEASURED, FreezeState, freeze, parameter_groups, view_of, words_of


def test_thirteen_layers_frozen() -> None:
    view = view_of(FreezeState(), freeze, parameter_groups)
    layers = {row["name"]: row for row in view["layers"]}
    assert list(layers)[:2] == ["stem", "block1"]
    assert list(layers)[-1] == "classifier"
    assert [row["trained"] for row in view["layers"]] == [False] * 13 + [True] * 5 + [False, False, True]
    assert [layers[name]["rate"] for name in ("block12", "block13", "head", "pool", "classifier")] == [
        "", "lr/100", "lr/100", "", "lr/10",
    ]  # fmt: skip
    assert [layers[name]["moving"] for name in ("stem", "block13", "pool")] == [False, True, None]
    assert view["notes"] == []
    assert view["status"].startswith("13 layers frozen: ")


def test_all_and_nothing_frozen() -> None:
    everything = view_of(FreezeState(0))
    assert everything["status"].startswith("0 layers frozen: 3,386,380 of 3,386,380 parameters are trained")
    probe = view_of(FreezeState(20))
    assert f"{1281 * 12:,} of 3,386,380" in probe["status"]
    assert "running statistics move in 0 layers" in probe["status"]


def test_fixed_statistics() -> None:
    view = view_of(FreezeState(5, fix_statistics=True))
    assert not any(row["moving"] for row in view["layers"])
    assert sum(row["trained"] for row in view["layers"]) == 14


def weights_only(layers: Any, n: int, fix_statistics: bool = False) -> int:
    for layer in list(layers)[:n]:
        layer.requires_grad_(False)
    return 0


@pytest.mark.parametrize(
    ("functions", "words"),
    [
        ((weights_only, parameter_groups), "Your freeze is not what the exercise asks for in 13 layers."),
        ((freeze, lambda layers, n, lr: parameter_groups(layers, 0, lr)), "Your parameter_groups is not"),
        ((freeze, lambda layers, n, lr: [{"params": [1]}]), "Your parameter_groups raised KeyError"),
        ((lambda layers, n, fix: 1 // 0, parameter_groups), "Your freeze raised ZeroDivisionError"),
    ],
)
def test_wrong_functions_are_told(functions: Any, words: str) -> None:
    (note,) = view_of(FreezeState(), *functions)["notes"]
    assert note["wrong"]
    assert note["words"].startswith(words)


def test_wrong_layers_are_marked() -> None:
    view = view_of(FreezeState(2), weights_only, parameter_groups)
    assert [row["name"] for row in view["layers"] if row["wrong"]] == ["stem", "block1"]
    assert all(row["moving"] for row in view["layers"][:2])


def test_missing_functions_are_told() -> None:
    (note,) = view_of(FreezeState())["notes"]
    assert note["words"].startswith("Your freeze and parameter_groups are not written yet")


def test_rates_in_words() -> None:
    assert [words_of(rate) for rate in (None, 1.0, 0.1, 0.01, 10.0)] == ["", "lr", "lr/10", "lr/100", "10 lr"]


def test_curves_are_whole() -> None:
    assert all(len(values) == len(DEPTHS) for values in MEASURED.values())
    assert all(0 <= value <= 100 for values in MEASURED.values() for value in values)
    assert [curve["name"] for curve in view_of(FreezeState())["curves"]] == list(MEASURED)


@pytest.mark.parametrize("bad", [-1, 21, 2.0])
def test_states_without_meaning_are_refused(bad: Any) -> None:
    with pytest.raises(ValueError, match="number of layers, 0 to 20"):
        FreezeState(bad)


def test_the_widget_restores_itself() -> None:
    widget = FreezeDepth(freeze, parameter_groups, frozen=4)
    widget.update(fix_statistics=True)
    assert widget.as_code() == "FreezeDepth(freeze, parameter_groups, frozen=4, fix_statistics=True)"
