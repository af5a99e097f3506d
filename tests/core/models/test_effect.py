"""What a layer does to examples, beside torch's own functions."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn import functional

from api.catalog_examples import example_of
from core.models import LayerField, NamedLayer, curve, effect, effect_size
from core.models.layers import layers

LAYER: TypeAdapter[NamedLayer] = TypeAdapter(LayerField)
FUNCTIONS: dict[str, Any] = {
    "relu": functional.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "prelu": lambda x: functional.prelu(x, torch.tensor([0.25])),
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "hardswish": functional.hardswish,
    "softplus": functional.softplus,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
    "input_layer": lambda x: x,
    "rescaling": lambda x: 2 * x - 1,
}


@pytest.mark.parametrize("name", list(layers))
def test_layers_that_make_a_number_of_a_number_have_a_curve_and_no_others(name: str) -> None:
    found = curve(layers.parse({"name": name, **example_of("layers", name)}), 0)
    assert (found is not None) == (name in FUNCTIONS)
    if found is None:
        return
    x = torch.linspace(-5, 5, len(found.x), dtype=torch.float64)
    torch.testing.assert_close(found.x.double(), x, rtol=0, atol=1e-6)
    torch.testing.assert_close(found.y.double(), FUNCTIONS[name](found.x).double(), rtol=1e-5, atol=1e-6)
    between = (found.y[2:] - found.y[:-2]) / (found.x[2:] - found.x[:-2])
    smooth = (between[1:] - between[:-1]).abs() < 0.02  # a corner has no slope
    torch.testing.assert_close(found.slope[2:-1][smooth], between[1:][smooth], rtol=0, atol=0.02)


@pytest.mark.parametrize("name", list(layers))
def test_a_size_is_known_before(name: str) -> None:
    entry = layers.parse({"name": name, **example_of("layers", name)})
    taken = 0
    for shape in ((4, 8, 8), (64,)):
        try:
            size = effect_size(entry, shape, 10, 3)
        except ValueError:
            continue
        done = effect(entry, torch.randn(3, *shape), 10, 0)
        assert (tuple(done.outputs.shape[1:]), done.parameters) == (size.shape, size.parameters)
        taken += 1
    assert taken


def test_weights_and_masks_are_those_of_the_seed() -> None:
    x = torch.randn(5, 64)
    for name in ({"name": "dense", "units": 7}, "dropout"):
        entry = layers.parse(name)
        first, again, other = (effect(entry, x, 10, seed).outputs for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
    torch.manual_seed(1)
    expected = nn.Linear(64, 7)(x).detach()
    assert torch.equal(effect(layers.parse({"name": "dense", "units": 7}), x, 10, 1).outputs, expected)


def test_it_is_as_in_training() -> None:
    x = 3 + 2 * torch.randn(50, 4, 8, 8)
    normed = effect(layers.parse("batch_norm"), x, 10, 0).outputs
    assert normed.mean((0, 2, 3)).abs().max() < 1e-5
    kept = effect(layers.parse({"name": "dropout", "rate": 0.25}), torch.ones(50, 400), 10, 0).outputs
    assert kept.unique().tolist() == pytest.approx([0.0, 4 / 3])


def test_torchs_own_stream_is_left_alone() -> None:
    before = torch.get_rng_state()
    effect(layers.parse("dropout"), torch.ones(2, 3), 10, 0)
    curve(layers.parse("dropout"), 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_labels_tell_borders_of_every_spelling() -> None:
    said = {str(LAYER.validate_python({"zero_padding": border})) for border in (1, 2, [1, 2], [[1, 2], [3, 3]])}
    assert said == {"zero_padding", "zero_padding(2)", "zero_padding([1, 2])", "zero_padding([1x2, 3])"}
