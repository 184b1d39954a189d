"""Networks written down as lists of layers, to be counted and not run: LeNet-5, AlexNet, VGG.

A *spec* is a list of dicts made by `image`, `conv`, `pool`, `lrn` and `fc`. ReLU, dropout and softmax do not stand in
it: they have no weights and can work in place. The networks that run are in the modules beside this one.
"""

from __future__ import annotations

from math import prod
from typing import Any

#: One layer, or the picture that goes in.
Layer = dict[str, Any]
#: What is counted of one layer.
Row = dict[str, Any]


def image(channels: int, height: int, width: int) -> Layer:
    """Return the first entry of every spec: the picture that goes in."""
    return {"kind": "image", "shape": (channels, height, width)}


def conv(filters: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1) -> Layer:
    """Return a convolution with square kernels and a bias for each filter."""
    return {
        "kind": "conv",
        "filters": filters,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "groups": groups,
    }


def pool(kernel: int, stride: int) -> Layer:
    """Return max or average pooling without padding."""
    return {"kind": "pool", "kernel": kernel, "stride": stride}


def lrn() -> Layer:
    """Return a local response normalisation: no weights, the same shape."""
    return {"kind": "lrn"}


def fc(units: int) -> Layer:
    """Return a fully connected layer with a bias for each unit; it takes maps as one long list of numbers."""
    return {"kind": "fc", "units": units}


def _side(side: int, kernel: int, stride: int, padding: int) -> int:
    """Return how many windows fit along one side, or say why the last one does not end at the border."""
    steps, left_over = divmod(side + 2 * padding - kernel, stride)
    if steps < 0 or left_over:
        ends = f"({side} + 2 · {padding} − {kernel}) / {stride}"
        raise ValueError(f"a window of {kernel} at stride {stride} does not fit: {ends} is no whole number")
    return steps + 1


def layer_table(spec: list[Layer]) -> list[Row]:
    """Count every layer of a spec.

    Parameters
    ----------
    spec : list of dict
        The picture, then the layers.

    Returns
    -------
    list of dict
        One row an entry, with its ``kind``, the ``shape`` of what comes out (one picture, no batch axis), ``values``
        (numbers in it), ``weights``, ``biases`` and ``macs`` (multiply-accumulates for one picture).

    Raises
    ------
    ValueError
        If the spec does not begin with a picture, a window does not fit exactly, groups do not divide channels and
        filters, a layer for maps follows a fully connected one, or a kind is unknown.
    """
    if not spec or spec[0]["kind"] != "image":
        raise ValueError("a spec begins with image(channels, height, width)")
    rows: list[Row] = []
    shape: tuple[int, ...] = ()
    for layer in spec:
        kind, weights, biases, macs = layer["kind"], 0, 0, 0
        if kind in ("conv", "pool", "lrn") and len(shape) != 3:
            raise ValueError(f"{kind} needs maps, and after a fully connected layer there are none")
        if kind == "image":
            shape = tuple(layer["shape"])
        elif kind == "conv":
            channels, *sides = shape
            filters, groups = layer["filters"], layer["groups"]
            if channels % groups or filters % groups:
                raise ValueError(f"{groups} groups do not divide {channels} channels and {filters} filters")
            height, width = (_side(n, layer["kernel"], layer["stride"], layer["padding"]) for n in sides)
            weights, biases = filters * channels // groups * layer["kernel"] ** 2, filters
            shape, macs = (filters, height, width), weights * height * width
        elif kind == "pool":
            channels, *sides = shape
            shape = (channels, *(_side(n, layer["kernel"], layer["stride"], 0) for n in sides))
        elif kind == "fc":
            weights, biases = prod(shape) * layer["units"], layer["units"]
            shape, macs = (layer["units"],), weights
        elif kind != "lrn":
            raise ValueError(f"no layer is called {kind!r}: there are image, conv, pool, lrn and fc")
        rows.append(
            {"kind": kind, "shape": shape, "values": prod(shape), "weights": weights, "biases": biases, "macs": macs}
        )
    return rows


def lenet5() -> list[Layer]:
    """Return LeNet-5 in the form of `convnets.models.lenet`."""
    return [image(1, 32, 32), conv(6, 5), pool(2, 2), conv(16, 5), pool(2, 2), fc(120), fc(84), fc(10)]


def alexnet(*, two_gpus: bool = True) -> list[Layer]:
    """Return AlexNet in the form of `convnets.models.alexnet`."""
    groups = 2 if two_gpus else 1
    return [
        image(3, 227, 227),
        *(conv(96, 11, stride=4), lrn(), pool(3, 2)),
        *(conv(256, 5, padding=2, groups=groups), lrn(), pool(3, 2)),
        conv(384, 3, padding=1),
        conv(384, 3, padding=1, groups=groups),
        *(conv(256, 3, padding=1, groups=groups), pool(3, 2)),
        *(fc(4096), fc(4096), fc(1000)),
    ]


def vgg(stages: tuple[tuple[int, ...], ...]) -> list[Layer]:
    """Return a VGG from its stages, as `convnets.models.vgg.STAGES` has them: 1×1 where a number is negative."""
    layers = [image(3, 224, 224)]
    for stage in stages:
        for channels in stage:
            layers.append(conv(channels, 3, padding=1) if channels > 0 else conv(-channels, 1))
        layers.append(pool(2, 2))
    return [*layers, fc(4096), fc(4096), fc(1000)]
