"""Short texts for values."""

import numpy as np

from convnets.checks.describe import call_text, short, written


def test_addresses_are_left_out():
    rng = np.random.default_rng(0)
    assert short(rng) == "Generator(PCG64)"
    assert call_text("shuffle", (), (3,), {"rng": rng}) == "shuffle(3, rng=Generator(PCG64))"
    assert " at 0x" not in written({"made by": [object(), rng]})


def test_arguments_are_abbreviated():
    assert short(np.arange(3)) == "[0, 1, 2]"
    assert short(np.zeros((5, 50))) == "float64 (5, 50)"
    assert short(max) == "max"
    layers = [(11, 4, 0, 1), (3, 2, 0, 1), (5, 1, 2, 1), (3, 2, 0, 1)]
    assert short(layers) == str(layers)
    assert short(10 * layers) == "list of 40"
