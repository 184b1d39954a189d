"""The code explorer: its plane, what is painted there, its walks and its sentences, without a kernel or a browser."""

from __future__ import annotations

import numpy as np
import pytest

from convnets.widgets.code_explorer import (
    ATLAS,
    SHOWN,
    TILE,
    CodeExplorer,
    CodeExplorerState,
    atlas_of,
    plane_of,
    toolkit_stack,
    view_of,
)


@pytest.fixture(scope="module", autouse=True)
def quickly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONVNETS_FAST", "1")
        plane_of.cache_clear()
        yield
        plane_of.cache_clear()


def painted(view):
    return np.frombuffer(view["panels"][0]["bytes"], np.uint8)


def test_the_plane_holds_the_codes_of_the_test_digits():
    plane = plane_of(None)
    assert plane.places.shape == (SHOWN, 2)
    assert plane.places.min() >= 0
    assert plane.places.max() <= 1
    inside = ((plane.places > 0.01) & (plane.places < 0.99)).all(axis=1)
    assert inside.mean() > 0.85
    # A place is a code: decoding the place of a digit is decoding its code.
    place = plane.places[inside][:1]
    assert plane.painted(place).shape == (1, 28, 28)
    assert not np.allclose(plane.painted(place), plane.painted(1 - place))


def test_the_view_follows_the_cross():
    plane = plane_of(None)
    middle, corner = (view_of(CodeExplorerState(x, y), plane) for x, y in ((0.5, 0.5), (0.1, 0.9)))
    assert not np.array_equal(painted(middle), painted(corner))
    place = plane.places[7]
    at_a_digit = view_of(CodeExplorerState(*place), plane)
    assert at_a_digit["panels"][1]["words"] == f"a {plane.labels[7]}"
    dots = np.frombuffer(middle["dots"], np.float32).reshape(-1, 3)
    assert np.allclose(dots[:, :2], plane.places)
    assert middle["atlas"] is None
    assert middle["status"].startswith("The cross is at code (")


def test_the_atlas_has_its_upper_row_first():
    plane = plane_of(None)
    sheet = np.frombuffer(atlas_of(plane), np.uint8).reshape(ATLAS * TILE, ATLAS * TILE)
    tick = 0.5 / ATLAS
    upper_left = plane.painted(np.array([[tick, 1 - tick]]))[0].reshape(TILE, 2, TILE, 2).mean(axis=(1, 3))
    assert np.array_equal(sheet[:TILE, :TILE], np.round(255 * upper_left))
    assert view_of(CodeExplorerState(show="pictures"), plane)["atlas"]["side"] == ATLAS * TILE


def test_what_is_said_of_the_learners_stack():
    assert plane_of(toolkit_stack).notes == ()
    assert plane_of(None).notes == (("Your stack is not written yet: the toolkit computes this picture.", False),)

    def unwritten(*_):
        raise NotImplementedError("your code here")

    def broken(*_):
        raise KeyError("h")

    assert plane_of(unwritten).notes == plane_of(None).notes
    ((words, wrong),) = plane_of(broken).notes
    assert wrong
    assert words.startswith("Your stack raised KeyError")
    for bad in (lambda x, sizes, train: [train(x, size) for size in sizes], lambda *_: None, lambda *_: [1, 2, 3]):
        ((words, wrong),) = plane_of(bad).notes
        assert "did not return three layers (weight, bias) with weights of (200, 784), (50, 200), (2, 50)" in words


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"x": 1.2}, "between 0 and 1"), ({"y": -0.1}, "between 0 and 1"), ({"show": "map"}, "show is")],
)
def test_states_without_meaning(fields, message):
    with pytest.raises(ValueError, match=message):
        CodeExplorerState(**fields)


def test_actions_and_the_line_of_python():
    widget = CodeExplorer(x=0.99)
    assert widget.as_code() == "CodeExplorer(x=0.99)"
    widget._receive(None, {"do": "move", "dx": 0.02, "dy": -0.02}, None)
    assert (widget.state.x, widget.state.y) == (1, 0.48)
    widget._receive(None, {"do": "digit", "digit": 3}, None)
    own = widget.plane.places[widget.plane.labels == 3]
    assert (widget.state.x, widget.state.y) == pytest.approx(tuple(np.median(own, axis=0)), abs=0.001)
    widget._receive(None, {"do": "set", "show": "pictures"}, None)
    restored = eval(widget.as_code(), {"CodeExplorer": CodeExplorer})
    assert restored.state == widget.state
    widget._receive(None, {"do": "set", "x": 7}, None)
    assert "between 0 and 1" in widget.view["problem"]
