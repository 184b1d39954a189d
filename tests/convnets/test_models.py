"""The classics have their published numbers of parameters and map pictures to what they say."""

import pytest
import torch

from convnets.models.alexnet import AlexNet
from convnets.models.fcn import FCN32s
from convnets.models.googlenet import GoogLeNet
from convnets.models.lenet import LeNet5
from convnets.models.nin import NIN
from convnets.models.resnet import NarrowResNet, ResNet, TwoConvs, he_init
from convnets.models.unet import UNet
from convnets.models.vgg import VGG

#: Network, parameters, shape of a picture, shape of the answer. Counts of VGG as in table 2 of the paper (133, 133,
#: 134, 138, 144 million), of AlexNet, NIN and GoogLeNet as in the models that were published with the papers' code, of
#: ResNet as in those of its authors.
NETWORKS = {
    "LeNet-5": (LeNet5, 61_706, (1, 32, 32), (10,)),
    "AlexNet": (AlexNet, 60_965_224, (3, 227, 227), (1000,)),
    "AlexNet, one GPU": (lambda: AlexNet(two_gpus=False), 62_378_344, (3, 227, 227), (1000,)),
    "NIN": (NIN, 966_986, (3, 32, 32), (10,)),
    "VGG-11": (lambda: VGG("A"), 132_863_336, (3, 224, 224), (1000,)),
    "VGG-13": (lambda: VGG("B"), 133_047_848, (3, 224, 224), (1000,)),
    "VGG-16, 1×1": (lambda: VGG("C"), 133_638_952, (3, 224, 224), (1000,)),
    "VGG-16": (lambda: VGG("D"), 138_357_544, (3, 224, 224), (1000,)),
    "VGG-19": (lambda: VGG("E"), 143_667_240, (3, 224, 224), (1000,)),
    "GoogLeNet": (GoogLeNet, 6_998_552, (3, 224, 224), (1000,)),
    "ResNet-18": (lambda: ResNet(18), 11_689_512, (3, 224, 224), (1000,)),
    "ResNet-34": (lambda: ResNet(34), 21_797_672, (3, 224, 224), (1000,)),
    "ResNet-50": (lambda: ResNet(50), 25_557_032, (3, 224, 224), (1000,)),
    "ResNet-101": (lambda: ResNet(101), 44_549_160, (3, 224, 224), (1000,)),
    "ResNet-152": (lambda: ResNet(152), 60_192_808, (3, 224, 224), (1000,)),
    "FCN-32s": (FCN32s, 134_346_581, (3, 96, 64), (21, 96, 64)),
    "U-Net": (UNet, 31_030_658, (1, 64, 48), (2, 64, 48)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_parameters_and_shapes(name):
    make, parameters, picture, answer = NETWORKS[name]
    with torch.device("meta"):  # shapes only, nothing is computed
        model = make()
        assert sum(p.numel() for p in model.parameters()) == parameters
        assert model(torch.empty(2, *picture)).shape == (2, *answer)


def test_alexnet_does_not_take_the_size_that_its_paper_names():
    with torch.device("meta"), pytest.raises(RuntimeError, match="6400"):
        AlexNet()(torch.empty(1, 3, 224, 224))


def test_the_stages_of_googlenet_have_the_sizes_of_its_table():
    with torch.device("meta"):
        model = GoogLeNet()
        x = model.stem(torch.empty(1, 3, 224, 224))
        shapes = [tuple(x.shape[1:])]
        for module in model.modules_3_to_5:
            x = module(x)
            shapes.append(tuple(x.shape[1:]))
    assert shapes[0] == (192, 28, 28)
    assert shapes[1:3] == [(256, 28, 28), (480, 28, 28)]
    assert shapes[3:5] == [(480, 14, 14), (512, 14, 14)]
    assert shapes[-1] == (1024, 7, 7)


def test_the_lenet_of_1998_averages():
    kinds = [type(layer).__name__ for layer in LeNet5(modern=False)]
    assert kinds[:3] == ["Conv2d", "Tanh", "AvgPool2d"]


def test_what_there_is_not():
    with pytest.raises(ValueError, match="A, B, C, D, E"):
        VGG("F")
    with pytest.raises(ValueError, match="18, 34, 50, 101, 152"):
        ResNet(20)


def test_skips_change_what_a_unet_sees_and_not_its_size():
    torch.manual_seed(0)
    with_skips, without = UNet(1, 2, 4, 2), UNet(1, 2, 4, 2, skips=False)
    without.load_state_dict(with_skips.state_dict())
    x = torch.randn(1, 1, 8, 12)
    assert with_skips(x).shape == without(x).shape == (1, 2, 8, 12)
    assert not torch.allclose(with_skips(x), without(x))


def test_a_unet_with_batch_normalization_has_it_behind_each_3x3_convolution_and_no_bias_before():
    network = UNet(3, 2, 8, 3, batch_norm=True)
    kinds = [type(layer).__name__ for layer in network.up[0]]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU"] * 2
    assert network.down[0][0].bias is None
    assert sum(p.numel() for p in network.parameters()) == 121_186


def test_a_residual_block_with_a_silent_path_hands_its_input_on():
    from convnets.models.resnet import Residual

    block = Residual(4, 4).eval()
    torch.nn.init.zeros_(block.path[-1].weight)
    x = torch.rand(2, 4, 5, 5)
    torch.testing.assert_close(block(x), x)


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_narrow_nets_have_the_parameters_of_the_papers_table_6_with_and_without_skips(depth, millions):
    with torch.device("meta"):
        for residual in (True, False):
            parameters = sum(p.numel() for p in NarrowResNet(depth, residual=residual).parameters())
            assert round(parameters / 1e6, 1 if depth == 110 else 2) == millions


def test_a_narrow_net_maps_odd_pictures_and_refuses_other_depths():
    assert NarrowResNet(8, channels=1, width=2, classes=3)(torch.randn(2, 1, 9, 7)).shape == (2, 3)
    for depth in (2, 18, 57):
        with pytest.raises(ValueError, match=rf"depth 6n \+ 2, such as 8, 20 or 56, not {depth}"):
            NarrowResNet(depth)


def test_skips_without_weights_take_every_second_pixel_and_zeros():
    block, plain = TwoConvs(2, 3, 2), TwoConvs(2, 3, 2, residual=False)
    for one in (block, plain):
        torch.nn.init.zeros_(one.bn2.weight)
    x = torch.rand(2, 2, 5, 4)
    torch.testing.assert_close(block(x)[:, :2], x[:, :, ::2, ::2])
    assert not block(x)[:, 2].any()
    assert not plain(x).any()


def test_he_init_depends_on_its_seed_alone():
    nets = [NarrowResNet(8, width=32) for _ in range(3)]
    for net, seed in zip(nets, (0, 0, 1), strict=True):
        torch.rand(seed + 1)  # the global generator does not matter
        he_init(net, seed)
    first, same, other = (net.features[5].conv2.weight for net in nets)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert first.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.05)
    assert nets[0].classifier[-1].weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert not nets[0].classifier[-1].bias.any()
