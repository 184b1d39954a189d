"""Scenes of stamps on photographs, and training on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from convnets import data, segmentation
from convnets.models import unet


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVNETS_CACHE", str(tmp_path))
    monkeypatch.delenv("CONVNETS_FAST", raising=False)


def test_scenes_have_the_stamps_of_their_split_and_a_mask_each():
    train, test = segmentation.scenes(130), segmentation.scenes(82, test=True, side=16)
    assert train.x.shape == (130, 3, 32, 32)
    assert test.y.shape == (82, 16, 16)
    assert (train.x.dtype, train.y.dtype) == (np.float32, np.int64)
    assert train.x.min() >= -1
    assert train.x.max() <= 1
    is_train = data.stamps().is_train
    assert is_train[train.stamps].all()
    assert not is_train[test.stamps].any()
    # Every stamp once before one comes twice.
    assert len(set(train.stamps[:126])) == 126
    shares = train.y.mean(axis=(1, 2))
    assert shares.min() > 0
    assert shares.max() < 1


def test_the_same_seed_gives_the_same_scenes():
    first, again, other = (segmentation.scenes(3, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.x, again.x)
    assert not np.array_equal(first.x, other.x)


def test_training_and_test_backgrounds_are_different_parts():
    photograph = np.arange(40).reshape(4, 10).astype(np.uint8)
    left, right = segmentation._half(photograph, False), segmentation._half(photograph, True)
    assert np.array_equal(np.concatenate([left, right], axis=1), photograph)


@pytest.mark.parametrize(("n", "side"), [(0, 32), (3, 4)])
def test_scenes_without_meaning_are_refused(n, side):
    with pytest.raises(ValueError, match="at least 1 scene of at least 8 pixels"):
        segmentation.scenes(n, side=side)


def small_net(skips=True):
    torch.manual_seed(3)
    return unet.UNet(3, 2, 2, 1, skips=skips, batch_norm=True)


def test_a_net_learns_and_its_weights_are_read_from_disk_the_second_time(tmp_path):
    train = segmentation.scenes(64, side=16)
    untrained = segmentation.predicted(small_net().eval(), train.x)
    net = segmentation.fitted(small_net(), train.x, train.y, 20)
    loss = [-np.log(np.take_along_axis(p, train.y[:, None], 1)).mean() for p in (untrained, learnt(net, train))]
    assert loss[1] < 0.9 * loss[0]
    assert not net.training
    assert len(list(tmp_path.iterdir())) == 1
    again = segmentation.fitted(small_net(), train.x, train.y, 20)
    np.testing.assert_allclose(learnt(again, train), learnt(net, train), atol=1e-5)


def learnt(net: nn.Module, train: segmentation.Scenes):
    return segmentation.predicted(net, train.x)


def test_nets_that_differ_in_a_setting_only_do_not_share_what_was_learnt(tmp_path):
    train = segmentation.scenes(32, side=16)
    for skips in (True, False):
        segmentation.fitted(small_net(skips), train.x, train.y, 1)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_class_without_a_text_as_in_a_notebook_is_kept_too(tmp_path):
    space = {"nn": nn}
    exec("class Net(nn.Conv2d):\n    pass", space)
    train = segmentation.scenes(32, side=16)
    segmentation.fitted(space["Net"](3, 2, 1), train.x, train.y, 1)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_callers_random_numbers_stay_as_they_are(monkeypatch):
    monkeypatch.setenv("CONVNETS_FAST", "1")

    def make(c_in, classes, skips):
        return unet.UNet(c_in, classes, 2, 1, skips=skips, batch_norm=True)

    torch.manual_seed(8)
    wanted = torch.rand(2)
    torch.manual_seed(8)
    segmentation.trained_unet(make, True)
    assert torch.equal(torch.rand(2), wanted)
    assert len(segmentation.unseen_scenes().x) == 20
