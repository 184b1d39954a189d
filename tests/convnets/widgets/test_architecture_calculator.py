"""The architecture calculator: state and pictures, without a kernel or a browser."""

from __future__ import annotations

import json

import numpy as np
import pytest

from convnets.models import specs
from convnets.widgets.architecture_calculator import (
    NETWORKS,
    ArchitectureCalculator,
    ArchitectureState,
    changed,
    layer_name,
    short,
    view_of,
)


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def total(view, name):
    return next(figure for what, figure, _ in view["totals"] if what == name)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        ("LeNet-5", "61,706"),
        ("AlexNet", "60,965,224"),
        ("AlexNet, one GPU", "62,378,344"),
        ("VGG-11", "132,863,336"),
        ("VGG-16", "138,357,544"),
        ("VGG-19", "143,667,240"),
    ],
)
def test_every_network_has_its_published_total(network, parameters):
    view = view_of(ArchitectureState(network), specs.layer_table)
    assert total(view, "parameters") == parameters
    assert not view["notes"]
    assert not any(row["wrong"] or row["changed"] for row in view["rows"])
    json.dumps(view)


def test_the_status_says_where_parameters_and_multiplications_are():
    status = view_of(ArchitectureState())["status"]
    assert "138,357,544 parameters and needs 15.5 G multiply-accumulates" in status
    assert "hold 89.4 % of the parameters and do 0.8 % of the multiplications" in status


def test_the_largest_row_of_a_column_has_the_longest_bar():
    view = view_of(ArchitectureState("AlexNet"))
    shares = [row["cells"][0]["share"] for row in view["rows"]]
    assert max(shares) == 1 == shares[11]
    assert view["rows"][11]["cells"][0] == {"text": "37.8 M", "full": "37,752,832", "share": 1.0}


def test_a_change_runs_through_all_layers_and_is_marked():
    state = changed(ArchitectureState("LeNet-5"), 1, "filters", 12)
    view = view_of(state)
    assert [row["shape"] for row in view["rows"]][:3] == ["1 × 32 × 32", "12 × 28 × 28", "12 × 14 × 14"]
    assert total(view, "parameters") == f"{61_706 + 6 * 26 + 6 * 16 * 25:,}"
    assert [row["changed"] for row in view["rows"]].count(True) == 1
    assert view["status"].startswith("LeNet-5, changed, has")
    # Back to what was published: nothing is changed any more.
    assert changed(state, 1, "filters", 6) == ArchitectureState("LeNet-5")


def test_what_does_not_fit_is_said_and_the_rest_left_open():
    state = ArchitectureState("AlexNet", changes=((0, "side", 224),))
    view = view_of(state, specs.layer_table)
    assert not view["fits"]
    assert not view["totals"]
    assert [row["wrong"] for row in view["rows"]].index(True) == 1
    assert [len(row["cells"]) for row in view["rows"]] == [3] + 13 * [0]
    assert "(224 + 2 · 0 − 11) / 4 is no whole number" in view["status"]
    assert words(view) == "Your layer_table refuses it too."


def test_activations_grow_with_the_batch():
    view = view_of(ArchitectureState("VGG-16", batch=16))
    assert view["totals"][2] == ["activations", "15,237,608", "for one picture; 975.2 MB for 16 pictures"]


def test_a_function_not_written_yet_is_filled_in_and_said():
    def stub(spec):
        raise NotImplementedError("your code here")

    view = view_of(ArchitectureState("LeNet-5"), stub)
    assert words(view) == "Your layer_table is not written yet: the toolkit computes this picture."
    assert total(view, "parameters") == "61,706"


def test_a_wrong_table_is_shown_and_its_first_wrong_row_named():
    def without_biases(spec):
        return [{**row, "biases": 0} for row in specs.layer_table(spec)]

    view = view_of(ArchitectureState("LeNet-5"), without_biases)
    assert words(view) == "Your row 1 (conv 6 · 5×5) has biases 0; expected was 6."
    assert total(view, "parameters") == "61,470"
    assert [row["wrong"] for row in view["rows"]] == [False, True, False, True, False, True, True, True]


def test_numpys_whole_numbers_and_shapes_as_lists_are_right():
    def from_numpy(spec):
        rows = specs.layer_table(spec)
        return [{**row, "shape": list(row["shape"]), "values": np.prod(row["shape"])} for row in rows]

    view = view_of(ArchitectureState("LeNet-5"), from_numpy)
    assert not view["notes"]
    json.dumps(view)


def test_a_wrong_number_is_named_where_the_shape_is_a_right_list():
    def one_more(spec):
        return [
            {**row, "shape": list(row["shape"]), "macs": np.int64(row["macs"] + 1)} for row in specs.layer_table(spec)
        ]

    view = view_of(ArchitectureState("LeNet-5"), one_more)
    assert words(view) == "Your row 0 (picture) has macs 1; expected was 0."
    json.dumps(view)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda spec: None, "returned no list of 8 dicts"),
        (lambda spec: [{}] * 8, "lack whole numbers under values, weights, biases, macs"),
        (lambda spec: [{**row, "macs": float(row["macs"])} for row in specs.layer_table(spec)], "numbers under macs."),
        (lambda spec: spec[99], "raised IndexError"),
    ],
)
def test_answers_that_are_no_table_are_said(function, said):
    view = view_of(ArchitectureState("LeNet-5"), function)
    assert said in words(view)
    assert total(view, "parameters") == "61,706"


def test_a_table_of_what_does_not_fit_is_wrong():
    state = ArchitectureState("AlexNet", changes=((0, "side", 224),))
    assert "it should raise a ValueError" in words(view_of(state, lambda spec: []))


def test_the_actions_of_controls_rows_and_keys():
    widget = ArchitectureCalculator(network="AlexNet", layer=1)
    state = widget.state
    assert widget.act(state, "change", {"field": "stride", "value": 2}).changes == ((1, "stride", 2),)
    assert widget.act(state, "scale", {"by": 2}).changes == ((1, "filters", 192),)
    assert widget.act(state, "move", {"by": 1}).layer == 2
    assert widget.act(state, "move", {"by": -5}).layer == 0
    assert widget.act(state, "move", {"by": 99}).layer == 13
    assert widget.act(state, "set", {"layer": 11}).layer == 11
    last = widget.act(widget.act(state, "set", {"layer": 13}), "scale", {"by": 0.5})
    assert last.changes == ((13, "units", 500),)
    assert widget.act(last, "reset", {}).changes == ()
    assert widget.act(last, "network", {"name": "VGG-11"}) == ArchitectureState("VGG-11")
    with pytest.raises(ValueError, match="knows no action 'fly'"):
        widget.act(state, "fly", {})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "VGG-17"}, "network is one of LeNet-5, AlexNet"),
        ({"changes": [(1, "units", 5)]}, "VGG-16 has nothing called 'units' in layer 1"),
        ({"changes": [(99, "filters", 5)]}, "VGG-16 has nothing called 'filters' in layer 99"),
        ({"changes": [(1, "stride", 9)]}, "stride is a whole number from 1 to 8, not 9"),
        ({"batch": 0}, "batch is a whole number from 1 to 1,024, not 0"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        ArchitectureCalculator(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    widget = ArchitectureCalculator(
        specs.layer_table, network="AlexNet", layer=4, changes=[(4, "groups", 1)], batch=128
    )
    expected = "ArchitectureCalculator(layer_table, network='AlexNet', layer=4, changes=[[4, 'groups', 1]], batch=128)"
    assert widget.as_code() == expected
    names = {"ArchitectureCalculator": ArchitectureCalculator, "layer_table": specs.layer_table}
    assert eval(expected, names).state == widget.state


def test_names_and_counts_are_written_in_short():
    assert [layer_name(layer) for layer in NETWORKS["AlexNet"]][:5] == [
        "picture",
        "conv 96 · 11×11 /4",
        "lrn",
        "pool 3×3 /2",
        "conv 256 · 5×5 p2 g2",
    ]
    assert layer_name(specs.fc(4096)) == "fc 4,096"
    assert [short(n) for n in (0, 1728, 36_864, 102_760_448, 15_470_264_320)] == [
        "0",
        "1,728",
        "36.9 k",
        "102.8 M",
        "15.5 G",
    ]
