"""The unit explorer: its patches, boxes and sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets import seeing, timing
from convnets.widgets import UnitExplorer, unit_explorer
from convnets.widgets.unit_explorer import (
    BLOCKS,
    SENT,
    SHOWN,
    SIDE,
    UnitExplorerState,
    drawn,
    found_by,
    patch_box,
    top_patches,
    view_of,
)


@pytest.fixture(autouse=True)
def on_a_small_album(monkeypatch):
    """The first 24 pictures are enough, and quick."""
    monkeypatch.setattr(unit_explorer, "full_or_fast", lambda full, fast: fast)
    with timing.one_thread():
        yield


def unwritten(*_, **__):
    raise NotImplementedError("your code here")


def words(view):
    return " ".join(note["words"] for note in view["notes"])


def test_blocks_have_as_many_units_as_their_maps_have_channels():
    assert {block: unit_explorer.maps_of(block).shape[1] for block in BLOCKS} == BLOCKS


def test_patches_are_the_largest_activations_each_of_another_picture():
    maps = unit_explorer.maps_of(5)
    places = top_patches(maps, 8, SHOWN)
    assert len({picture for picture, *_ in places}) == SHOWN
    values = [value for *_, value in places]
    assert values == sorted(values, reverse=True)
    assert values[0] == maps[:, 8].max()
    assert all(maps[picture, 8, row, column] == np.float32(value) for picture, row, column, value in places)


def test_equal_activations_come_in_the_album_s_order():
    maps = np.zeros((40, 1, 2, 2), np.float32)
    maps[[0, 20], 0, 1, 0] = 4
    places = top_patches(maps, 0, 40)
    assert places[:3] == [(0, 1, 0, 4.0), (20, 1, 0, 4.0), (1, 0, 0, 0.0)]
    assert [picture for picture, *_ in places[2:]] == [*range(1, 20), *range(21, 40)]


def test_boxes_are_the_pixels_below_a_unit():
    layers = seeing.layers_up_to(4, SIDE)
    for unit in (0, 6, 19):
        seen = {unit}
        for kernel, stride, padding, _ in reversed(layers):
            seen = {i * stride - padding + a for i in seen for a in range(kernel)}
        seen &= set(range(SIDE))
        top, left, bottom, _ = patch_box(layers, unit, 0, SIDE, SIDE)
        assert (top, bottom) == (min(seen), max(seen) + 1)
        assert left == 0


def test_right_functions_are_not_remarked_on():
    assert view_of(UnitExplorerState(), top_patches, patch_box)["notes"] == []


def test_missing_functions_are_named_and_replaced():
    expected = found_by(UnitExplorerState(), top_patches, patch_box)[:2]
    for learners in ((None, None), (unwritten, unwritten)):
        places, boxes, notes = found_by(UnitExplorerState(), *learners)
        assert (places, boxes) == expected
        assert "Your top_patches and patch_box are not written yet" in notes[0]["words"]
        assert not notes[0]["wrong"]


def shifted(layers, row, column, height, width):
    top, left, bottom, right = patch_box(layers, row, column, height, width)
    return top + 1, left, bottom, right


@pytest.mark.parametrize(
    ("top", "box", "said"),
    [
        (lambda *given: top_patches(*given)[::-1], patch_box, "Your top_patches is wrong from place 1 on"),
        (lambda *given: None, patch_box, "did not return a list of 9 patches"),
        (lambda *given: [3] * 9, patch_box, "is wrong from place 1 on"),
        (lambda *given: 1 / 0, patch_box, "Your top_patches raised ZeroDivisionError"),
        (top_patches, shifted, "Your patch_box gave ("),
        (top_patches, lambda *given: None, "Your patch_box gave None"),
        (top_patches, lambda *given: 1 / 0, "Your patch_box raised ZeroDivisionError"),
    ],
)
def test_what_is_wrong_is_said_and_replaced(top, box, said):
    places, boxes, notes = found_by(UnitExplorerState(), top, box)
    assert said in notes[0]["words"]
    assert notes[0]["wrong"]
    assert (places, boxes) == found_by(UnitExplorerState(), top_patches, patch_box)[:2]


def test_a_whole_picture_or_its_patch_is_sent():
    whole = np.frombuffer(drawn(3, (0, 0, 10, 10), False), np.uint8).reshape(SENT, SENT, 3)
    patch = np.frombuffer(drawn(3, (60, 70, 84, 94), True), np.uint8).reshape(SENT, SENT, 3)
    assert (whole[0, 0] == 127).all()
    album = seeing.album(SIDE)[3]
    np.testing.assert_array_equal(patch[::4, ::4], album[60:84, 70:94])


def test_what_lies_beyond_the_rim_is_white_on_its_own_side():
    patch = np.frombuffer(drawn(3, (0, 32, 24, 80), True), np.uint8).reshape(SENT, SENT, 3)
    assert (patch[: SENT // 2] == 255).all()
    assert not (patch[SENT // 2 :] == 255).all()
    lower = np.frombuffer(drawn(3, (136, 32, 160, 80), True), np.uint8).reshape(SENT, SENT, 3)
    assert (lower[SENT // 2 :] == 255).all()


def test_the_status_tells_the_field():
    assert "its field spans 67 pixels of 160" in view_of(UnitExplorerState())["status"]
    assert "its field spans 147 pixels" in view_of(UnitExplorerState(block=8, unit=16))["status"]


def test_a_unit_beyond_the_last_becomes_the_last():
    widget = UnitExplorer(block=11, unit=100)
    widget.update(block=3)
    assert widget.state.unit == 23


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": 4}, "block is one of 3, 5, 8, 11"),
        ({"unit": -1}, "unit is a whole number"),
        ({"unit": 1.5}, "unit is"),
    ],
)
def test_states_that_cannot_be_drawn_are_refused_in_one_line(options, message):
    with pytest.raises(ValueError, match=message) as caught:
        UnitExplorer(**options)
    assert "\n" not in str(caught.value)


def test_the_line_of_code_restores_the_state():
    own = UnitExplorer(top_patches, None, block=8, unit=16, crop=True)
    assert own.as_code() == "UnitExplorer(top_patches, block=8, unit=16, crop=True)"
    assert eval(own.as_code(), {"UnitExplorer": UnitExplorer, "top_patches": top_patches}).state == own.state
