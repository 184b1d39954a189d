"""EfficientNet-Lite0: the published network, number for number, and right about a cat and a cup of coffee."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from convnets import data
from convnets.models.efficientnet_lite0 import (
    EfficientNetLite0,
    SameConv2d,
    as_sequence,
    classify,
    efficientnet_lite0,
    preprocess,
)


@pytest.fixture(scope="module")
def model():
    return efficientnet_lite0()


def test_parameter_count():
    assert sum(p.numel() for p in EfficientNetLite0().parameters()) == 4_652_008
    assert sum(p.numel() for p in EfficientNetLite0(classes=12).parameters()) == 4_652_008 - 988 * 1281


def test_it_computes_what_the_packaged_network_computes(model):
    # First logits of the package efficientnet-lite-pytorch 0.1.0 with the same weights; the full 10 × 1000 logits
    # of the ten photographs agreed with ours to the last bit in the same memory format.
    packaged = torch.tensor([[-0.8651, 1.2214, -2.5551, -0.9559, -0.6071], [0.9145, -0.311, -1.593, 0.0709, -0.8895]])
    with torch.inference_mode():
        ours = torch.cat([model(preprocess(data.photograph(name)))[:, :5] for name in ("cat", "palace")])
    torch.testing.assert_close(ours, packaged, rtol=0, atol=1e-3)


def test_it_knows_a_cat_and_a_cup_of_coffee(model):
    cats = dict(classify(model, data.photograph("cat"), k=3))
    assert max(cats, key=cats.get) in {"tabby", "Egyptian cat"}
    assert cats["tabby"] + cats["Egyptian cat"] > 0.5
    (name, probability), *_ = classify(model, data.photograph("coffee"))
    assert name == "espresso"
    assert probability > 0.9


def test_the_most_probable_classes_come_first_and_all_sum_to_one(model):
    answer = classify(model, data.photograph("palace"), k=1000)
    probabilities = [probability for _, probability in answer]
    assert answer[0][0] == "palace"
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    assert classify(model, data.photograph("palace")) == answer[:5]


@pytest.mark.parametrize("k", [0, 1001])
def test_an_impossible_number_of_classes_is_refused(model, k):
    with pytest.raises(ValueError, match=f"k must be between 1 and 1000, got {k}"):
        classify(model, data.photograph("cat"), k=k)


def test_it_comes_ready_to_predict_in_the_fast_memory_format(model):
    assert not model.training
    assert model.head[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert model.stem[0].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("height", "width", "rows", "columns"), [(224, 224, 7, 7), (97, 130, 4, 5), (32, 32, 1, 1)])
def test_feature_maps_are_a_32nd_of_the_picture_rounded_up(model, height, width, rows, columns):
    with torch.inference_mode():
        assert model.features(torch.zeros(2, 3, height, width)).shape == (2, 1280, rows, columns)


def test_same_padding_puts_the_odd_pixel_at_the_bottom_right():
    conv = SameConv2d(1, 1, 3, stride=2, bias=False)
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    expected = functional.conv2d(functional.pad(x, (0, 1, 0, 1)), conv.weight, stride=2)
    torch.testing.assert_close(conv(x), expected)
    odd = torch.arange(25.0).reshape(1, 1, 5, 5)
    torch.testing.assert_close(conv(odd), functional.conv2d(odd, conv.weight, stride=2, padding=1))


def test_preprocessing_maps_0_to_255_to_about_minus_one_to_one():
    picture = np.zeros((300, 500, 3), dtype=np.uint8)
    assert preprocess(picture).shape == (1, 3, 224, 224)
    assert preprocess(picture, size=96).shape == (1, 3, 96, 96)
    assert preprocess(picture).unique().tolist() == [-127 / 128]
    assert preprocess(picture + np.uint8(255)).unique().tolist() == [1]
    picture[..., 1] = 127
    assert preprocess(picture)[0, 1].unique().tolist() == [0]


def test_preprocessing_keeps_the_middle():
    picture = np.zeros((224, 512, 3), dtype=np.uint8)
    picture[:, 144:368] = 255  # the middle 224 × 224 pixels
    assert preprocess(picture).min() == 1


@pytest.mark.parametrize(
    "picture",
    [np.zeros((8, 8, 3)), np.zeros((8, 8), dtype=np.uint8), np.zeros((3, 8, 8), dtype=np.uint8)],
)
def test_preprocessing_refuses_what_is_no_rgb_picture(picture):
    with pytest.raises(ValueError, match=r"needs a uint8 picture of shape \(H, W, 3\), got"):
        preprocess(picture)


def test_as_a_sequence_it_computes_the_same_with_its_own_weights(model):
    layers = as_sequence(model)
    assert [name for name, _ in layers.named_children()] == [
        "stem", *(f"block{i}" for i in range(1, 17)), "head", "pool", "dropout", "classifier",
    ]  # fmt: skip
    x = preprocess(data.photograph("cat"), 64)
    with torch.inference_mode():
        torch.testing.assert_close(layers(x), model(x))
    assert {id(p) for p in layers.parameters()} == {id(p) for p in model.parameters()}
