"""The tied autoencoders: shapes, tied weights, a layer's step against PyTorch, and that both learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from convnets.models.autoencoder import TiedAutoencoder, denoising_layer, fit_autoencoder, sigmoid


def halved(batch, rng):
    return batch / 2


def test_encoder_and_decoder_share_their_weights():
    torch.manual_seed(0)
    model = TiedAutoencoder((6, 4, 2))
    x = torch.rand(3, 6)
    (first, second), (b1, b2), (c1, c2) = model.weights, model.hidden_biases, model.visible_biases
    code = torch.sigmoid(x @ first.T + b1) @ second.T + b2
    assert torch.allclose(model.encode(x), code)
    logits = torch.sigmoid(code @ second + c2) @ first + c1
    assert torch.allclose(model(x), logits)
    assert torch.allclose(model.decode(code), torch.sigmoid(logits))
    assert sum(p.numel() for p in model.parameters()) == 6 * 4 + 4 * 2 + 4 + 2 + 6 + 4


def test_it_begins_with_copies_of_given_layers():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(4, 6)), rng.normal(size=4)), (rng.normal(size=(2, 4)), rng.normal(size=2))]
    kept = [layer[0].copy() for layer in layers]
    model = TiedAutoencoder((6, 4, 2), layers)
    assert np.allclose(model.weights[1].detach().numpy(), kept[1])
    before = fit_autoencoder(model, torch.rand(50, 6), 1, seed=0, batch_size=20)
    assert before > 0
    assert all(np.array_equal(a, layer[0]) for a, layer in zip(kept, layers, strict=True))
    assert not np.allclose(model.weights[1].detach().numpy(), kept[1])


@pytest.mark.parametrize(
    ("sizes", "layers"),
    [
        ((6,), None),
        ((6, 4), [(np.zeros((6, 4)), np.zeros(4))]),
        ((6, 4), [(np.zeros((4, 6)), np.zeros(6))]),
        ((6, 4), []),
    ],
)
def test_layers_that_do_not_fit(sizes, layers):
    with pytest.raises(ValueError, match="sizes"):
        TiedAutoencoder(sizes, layers)


def test_training_lowers_the_error_and_is_repeatable():
    x = torch.from_numpy(np.random.default_rng(0).random((60, 8)).round().astype(np.float32))
    losses = []
    for epochs in (1, 40, 40):
        torch.manual_seed(0)
        losses.append(fit_autoencoder(TiedAutoencoder((8, 6, 3)), x, epochs, seed=0, lr=0.05, batch_size=25))
    assert losses[1] < 0.8 * losses[0]
    assert losses[1] == losses[2]


def test_a_layers_step_is_that_of_pytorch():
    x = np.random.default_rng(1).random((5, 4)).astype(np.float32)
    weight, bias_hidden, bias_visible = denoising_layer(x, 3, halved, np.random.default_rng(2), 1, 0.5, batch_size=5)
    start = np.random.default_rng(2).normal(0, 0.5, (3, 4)).astype(np.float32)
    parameters = [torch.tensor(value, requires_grad=True) for value in (start, np.zeros(3, "f4"), np.zeros(4, "f4"))]
    code = torch.sigmoid(F.linear(torch.tensor(x / 2), *parameters[:2]))
    logits = code @ parameters[0] + parameters[2]
    (F.binary_cross_entropy_with_logits(logits, torch.tensor(x), reduction="sum") / 5).backward()
    for mine, theirs in zip((weight, bias_hidden, bias_visible), parameters, strict=True):
        assert mine.dtype == np.float32
        assert np.allclose(mine, (theirs - 0.5 * theirs.grad).detach().numpy(), atol=1e-6)


def test_a_layer_learns_to_repair():
    pattern = np.tile(np.eye(4, dtype=np.float32), (10, 2))
    weight, b, c = denoising_layer(pattern, 6, halved, np.random.default_rng(0), epochs=400, lr=0.5, batch_size=10)
    assert np.abs(sigmoid(sigmoid(pattern / 2 @ weight.T + b) @ weight + c) - pattern).max() < 0.2


def test_sigmoid_is_safe_and_keeps_the_dtype():
    values = sigmoid(np.array([-1e4, 0.0, np.log(3), 1e4], dtype=np.float32))
    assert values.dtype == np.float32
    assert np.allclose(values, [0, 0.5, 0.75, 1])
