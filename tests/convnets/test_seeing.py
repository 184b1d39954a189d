"""The network for pictures from 0 to 1, its fields, and the pictures of module 17."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from convnets import data, seeing, timing
from convnets.models.efficientnet_lite0 import preprocess


@pytest.fixture(autouse=True)
def on_one_thread():
    with timing.one_thread():
        yield


def field_of(layers):
    field, jump = 1, 1
    for kernel, stride, _, dilation in layers:
        field, jump = field + dilation * (kernel - 1) * jump, jump * stride
    return field, jump


def test_logits_are_those_of_the_packaged_network():
    x = seeing.photograph("cat", 64)
    expected = seeing.network().network(preprocess(data.photograph("cat"), 64))
    torch.testing.assert_close(seeing.network()(x), expected, rtol=1e-4, atol=1e-4)


def test_maps_behind_the_blocks_and_the_two_halves_make_the_whole():
    x = seeing.photograph("coffee", 64)
    shapes = {block: tuple(seeing.network().maps(x, block).shape) for block in (0, 3, 8, 16, 17)}
    assert shapes == {0: (1, 32, 32, 32), 3: (1, 24, 16, 16), 8: (1, 80, 4, 4), 16: (1, 320, 2, 2), 17: (1, 1280, 2, 2)}
    halves = seeing.network().classify(seeing.network().maps(x, 17))
    torch.testing.assert_close(halves, seeing.network()(x))


def test_no_weight_asks_for_a_gradient():
    assert not any(parameter.requires_grad for parameter in seeing.network().parameters())


def test_any_of_adds_probabilities_up():
    x = torch.cat([seeing.photograph("cat", 64), seeing.photograph("coffee", 64)])
    p = seeing.network()(x).softmax(dim=1)
    given = seeing.AnyOf(("tabby", "Egyptian cat"))(x)
    assert given.shape == (2, 1)
    torch.testing.assert_close(given[:, 0], p[:, 281] + p[:, 285])


def test_any_of_refuses_unknown_classes():
    with pytest.raises(ValueError, match="no class 'cat'"):
        seeing.AnyOf(("tabby", "cat"))


def test_fields_grow_as_the_published_layers_say():
    # Stem and blocks: 3×3/2; 3; 3/2, 3; 5/2, 5; 3/2, 3, 3; 5 …
    assert [field_of(seeing.layers_up_to(block, 224)) for block in (0, 1, 3, 5, 8, 16)] == [
        (3, 2),
        (7, 2),
        (19, 4),
        (67, 8),
        (147, 16),
        (851, 32),
    ]


@pytest.mark.parametrize("side", [64, 75])
def test_the_first_field_begins_where_the_gradient_does(side):
    """The paddings, also for odd sides: the gradient of one unit is 0 outside its box and not on the box's rim."""
    block, row, column = 4, 3, 4
    start, field, jump = 0, 1, 1
    for kernel, stride, padding, dilation in seeing.layers_up_to(block, side):
        start, field, jump = start - padding * jump, field + dilation * (kernel - 1) * jump, jump * stride
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    seeing.network().maps(x, block)[0, :, row, column].square().sum().backward()
    seen = x.grad[0].abs().sum(dim=0) > 0
    rows, columns = torch.nonzero(seen.any(dim=1)), torch.nonzero(seen.any(dim=0))
    assert (int(rows.min()), int(rows.max()) + 1) == (start + row * jump, start + row * jump + field)
    assert (int(columns.min()), int(columns.max()) + 1) == (start + column * jump, start + column * jump + field)


@pytest.mark.parametrize(("block", "side"), [(17, 64), (-1, 64), (3, 0)])
def test_blocks_that_are_not_there_are_refused(block, side):
    with pytest.raises(ValueError, match="block is 0 to 16"):
        seeing.layers_up_to(block, side)


def test_the_album_shows_stamps_on_grey_and_then_photographs():
    album = seeing.album(48)
    assert album.shape == (216, 48, 48, 3)
    assert album.dtype == np.uint8
    assert (album[0, 0, 0] == 127).all()
    np.testing.assert_allclose(
        album[206 + data.photograph_names().index("cat")] / 255,
        seeing.photograph("cat", 48)[0].permute(1, 2, 0).numpy(),
        atol=1 / 255,
    )


def test_maps_of_the_album_are_those_of_its_pictures():
    found = seeing.album_maps((0, 2), 32, 10)
    assert {block: maps.shape for block, maps in found.items()} == {0: (10, 32, 16, 16), 2: (10, 24, 8, 8)}
    x = torch.from_numpy(seeing.album(32)[9].copy()).permute(2, 0, 1)[None] / 255
    for block, maps in found.items():
        np.testing.assert_allclose(maps[9], seeing.network().maps(x, block)[0].numpy(), rtol=1e-4, atol=1e-4)


def test_a_pair_has_its_stamps_side_by_side():
    picture, left = seeing.pair("zebra", "rooster", 64)
    swapped, _ = seeing.pair("rooster", "zebra", 64)
    assert picture.shape == (1, 3, 64, 64)
    assert 0 <= float(picture.min()) < float(picture.max()) <= 1
    assert left[:, :32].all()
    assert not left[:, 32:].any()
    middle = (slice(None), slice(None), slice(16, 48))
    stamp = (picture - swapped)[middle].abs()
    assert float(stamp[..., :32].mean()) > 0.02
    assert float(stamp[..., 32:].mean()) > 0.02
    assert float((picture - swapped)[:, :, :16].abs().max()) == 0


def test_an_unknown_stamp_is_named():
    with pytest.raises(ValueError, match="no stamp is called 'unicorn'"):
        seeing.pair("unicorn", "zebra", 64)


def test_blur_keeps_what_is_even_and_the_mean_of_a_point():
    even = torch.full((1, 2, 9, 12), 0.3, dtype=torch.float64)
    torch.testing.assert_close(seeing.blur(even, 1.5), even)
    point = torch.zeros(1, 1, 15, 17, dtype=torch.float64)
    point[0, 0, 7, 8] = 1
    spread = seeing.blur(point, 1.2)
    assert float(spread.sum()) == pytest.approx(1)
    place = torch.arange(17, dtype=torch.float64) - 8
    assert float((spread.sum(dim=2)[0, 0] * place**2).sum()) == pytest.approx(1.2**2, rel=0.05)
