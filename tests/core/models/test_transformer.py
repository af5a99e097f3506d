"""The encoder: equal to torch's layer, and what goes in and comes out by hand."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

SMALL = {"d_model": 8, "heads": 2, "mlp_ratio": 3}


def as_torch(layer: Any, activation: str, norm_first: bool) -> nn.TransformerEncoderLayer:
    """torch's own layer with the weights of ours."""
    theirs = nn.TransformerEncoderLayer(
        8, 2, 24, dropout=0.5, activation=activation, batch_first=True, norm_first=norm_first, dtype=torch.float64
    )
    named = {
        "self_attn.in_proj_weight": torch.cat([layer.query.weight, layer.key.weight, layer.value.weight]),
        "self_attn.in_proj_bias": torch.cat([layer.query.bias, layer.key.bias, layer.value.bias]),
        "self_attn.out_proj.weight": layer.out.weight,
        "self_attn.out_proj.bias": layer.out.bias,
    }
    for ours, name in (("fc1", "linear1"), ("fc2", "linear2"), ("norm1", "norm1"), ("norm2", "norm2")):
        named |= {f"{name}.weight": getattr(layer, ours).weight, f"{name}.bias": getattr(layer, ours).bias}
    theirs.load_state_dict(named)
    return theirs.eval()


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("norm_first", [True, False])
def test_a_layer_is_torchs(build_model: Any, activation: str, norm_first: bool) -> None:
    model = build_model("transformer", (1, 8, 8), 3, **SMALL, activation=activation, norm_first=norm_first, layers=1)
    model = model.double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    x = torch.randn(5, 7, 8, dtype=torch.float64)
    theirs = as_torch(model.encoder[0], activation, norm_first)
    torch.testing.assert_close(model.encoder[0](x), theirs(x), rtol=1e-10, atol=1e-10)


def test_a_picture_becomes_patches_at_positions(build_model: Any) -> None:
    model = build_model("transformer", (3, 8, 12), 4, **SMALL, patch=4).double().eval()
    x = torch.randn(2, 3, 8, 12, dtype=torch.float64)
    patches = functional.unfold(x, 4, stride=4).transpose(1, 2)
    assert model.embed.weight.shape == (8, 3 * 4 * 4)
    positions = torch.tensor(
        [
            [(math.sin, math.cos)[i % 2](t / 10_000 ** ((i - i % 2) / 8)) for i in range(8)]
            for t in range(2 * 3)  # 2 rows of 3 patches
        ],
        dtype=torch.float64,
    )
    tokens = patches @ model.embed.weight.T + model.embed.bias + positions
    for layer in model.encoder[:2]:
        tokens = layer(tokens)
    tokens = functional.layer_norm(tokens, (8,))
    torch.testing.assert_close(model(x), model.head(tokens.mean(1)))


def test_a_row_becomes_its_columns(build_model: Any) -> None:
    """A token is its value times one learned vector, and the learned vector of its column."""
    model = build_model("transformer", (5,), 4, **SMALL, norm_first=False).double().eval()
    x = torch.randn(2, 5, dtype=torch.float64)
    weight = model.embed.weight.T
    tokens = x[:, :, None] * weight[0] + weight[1:] + model.embed.bias
    for layer in model.encoder:
        tokens = layer(tokens)
    assert len(model.encoder) == 2
    torch.testing.assert_close(model(x), model.head(tokens.mean(1)))


def test_the_ends_of_the_branches_are_marked(build_model: Any) -> None:
    model = build_model("transformer", (5,), 4, **SMALL)
    marked = [name for name, layer in model.named_modules() if hasattr(layer, "ends_branch")]
    assert marked == ["encoder.0.out", "encoder.0.fc2", "encoder.1.out", "encoder.1.fc2"]


def test_dropout_is_on_the_embedding_and_on_both_branches(build_model: Any) -> None:
    model = build_model("transformer", (5,), 4, **SMALL, layers=1, dropout=0.4)
    dropped = [(name, layer.p) for name, layer in model.named_modules() if isinstance(layer, nn.Dropout)]
    assert dropped == [("dropout", 0.4), ("encoder.0.dropout1", 0.4), ("encoder.0.dropout2", 0.4)]
    for _, layer in list(model.named_modules()):
        if isinstance(layer, nn.Dropout):
            layer.p = 1.0  # all branches dropped, and the embedding: what is left is the head's bias
    torch.testing.assert_close(model(torch.randn(2, 5)), model.head.bias.expand(2, 4))


@pytest.mark.parametrize(
    ("inputs", "parameters", "message"),
    [
        ((1, 28, 28), {"patch": 5}, "patch 5 does not divide pictures of 28 x 28; these do: 1, 2, 4, 7, 14, 28"),
        ((3, 8, 12), {"patch": 8}, "patch 8 does not divide pictures of 8 x 12; these do: 1, 2, 4"),
        ((1, 100, 100), {"patch": 1}, "an example makes 10,000 tokens; 4,096 is the most"),
        ((5000,), {}, "an example makes 5,000 tokens"),
        ((4, 4), {}, "takes pictures"),
    ],
)
def test_inputs_that_make_no_tokens_are_refused(
    build_model: Any, inputs: tuple[int, ...], parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_model("transformer", inputs, 3, **parameters)


def test_heads_that_do_not_divide_the_width_are_refused(refusals: Any) -> None:
    (problem,) = refusals("transformer", d_model=64, heads=5)
    assert problem.message == "d_model 64 cannot be shared evenly by 5 heads"
    (problem,) = refusals("transformer", d_model=7, heads=7)
    assert problem.path == "d_model"
