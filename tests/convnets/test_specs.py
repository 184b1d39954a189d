"""Specs are counted as PyTorch counts the networks they describe."""

import pytest
import torch
from torch import nn

from convnets.models import specs
from convnets.models.alexnet import AlexNet
from convnets.models.lenet import LeNet5
from convnets.models.specs import conv, fc, image, layer_table, lrn, pool
from convnets.models.vgg import STAGES, VGG

NETWORKS = {
    "LeNet-5": (specs.lenet5(), LeNet5),
    "AlexNet": (specs.alexnet(), AlexNet),
    "AlexNet, one GPU": (specs.alexnet(two_gpus=False), lambda: AlexNet(two_gpus=False)),
    **{f"VGG {name}": (specs.vgg(stages), lambda name=name: VGG(name)) for name, stages in STAGES.items()},
}


def total(rows, *names):
    return sum(row[name] for row in rows for name in names)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_spec_has_the_parameters_and_shapes_of_its_network(name):
    spec, make = NETWORKS[name]
    rows = layer_table(spec)
    shapes = []

    def keep(layer, _, output):
        shapes.append((tuple(output.shape[1:]), sum(p.numel() for p in layer.parameters())))

    with torch.device("meta"):
        model = make()
        for layer in model.modules():
            if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.LocalResponseNorm | nn.Linear):
                layer.register_forward_hook(keep)
        model(torch.empty(1, *spec[0]["shape"]))
    assert [(row["shape"], row["weights"] + row["biases"]) for row in rows[1:]] == shapes


def test_multiply_accumulates_of_the_classics():
    assert total(layer_table(specs.lenet5()), "macs") == 416_520
    assert total(layer_table(specs.alexnet()), "macs") == 724_406_816
    assert total(layer_table(specs.alexnet(two_gpus=False)), "macs") == 1_135_256_096
    assert total(layer_table(specs.vgg(STAGES["D"])), "macs") == 15_470_264_320


def test_values_are_what_the_shape_holds():
    rows = layer_table([image(2, 4, 6), conv(3, 2, stride=2), lrn(), fc(5)])
    assert [row["values"] for row in rows] == [48, 18, 18, 5]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ([], "begins with image"),
        ([conv(3, 3)], "begins with image"),
        ([image(3, 224, 224), conv(96, 11, stride=4)], r"\(224 \+ 2 · 0 − 11\) / 4 is no whole number"),
        ([image(3, 4, 4), pool(5, 1)], "does not fit"),
        ([image(3, 4, 4), conv(4, 3, groups=2)], "2 groups do not divide 3 channels and 4 filters"),
        ([image(3, 4, 4), fc(5), pool(1, 1)], "pool needs maps"),
        ([image(3, 4, 4), {"kind": "dropout"}], "no layer is called 'dropout'"),
    ],
)
def test_specs_that_cannot_be_are_refused_in_one_line(spec, message):
    with pytest.raises(ValueError, match=message):
        layer_table(spec)
