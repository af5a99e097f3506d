"""Fans by group, of transposed convolutions, and normals cut at values; against formulas, torch and scipy."""

import math
import re
from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError
from scipy import stats

from core.initializers import Layer, initializers
from core.spec import layers_of
from core.streams import generator


def bound(name: str, layer: Layer, **given: Any) -> float:
    found = initializers.parse({"name": name, **given}).build().weight(layer).bound
    assert found is not None
    return float(found)


def test_a_depthwise_convolution_is_as_wide_as_its_groups() -> None:
    """timm#84: nine inputs and nine outputs, sqrt(6 / 18)."""
    depthwise = Layer((64, 1, 3, 3), groups=64)
    assert bound("glorot_uniform", depthwise) == pytest.approx(math.sqrt(6 / (9 + 576)), rel=1e-14)
    assert bound("glorot_uniform", depthwise, groups_aware=True) == pytest.approx(math.sqrt(6 / 18), rel=1e-14)


@pytest.mark.parametrize(
    ("name", "given", "variance"),
    [
        ("glorot_uniform", {}, 2 / (72 + 144)),
        ("glorot_normal", {"gain": 2.0}, 4 * 2 / (72 + 144)),
        ("glorot_normal_truncated", {}, 2 / (72 + 144)),
        ("he_normal", {"mode": "fan_out"}, 2 / 144),
        ("variance_scaling", {"mode": "fan_out"}, 1 / 144),
        ("variance_scaling", {"mode": "fan_avg", "scale": 2.0}, 2 / (72 / 2 + 144 / 2)),
        ("variance_scaling", {"mode": "fan_geo_avg"}, 1 / math.sqrt(72 * 144)),
    ],
)
def test_every_rule_with_a_fan_out_may_take_that_of_a_group(name: str, given: Any, variance: float) -> None:
    law = (
        initializers.parse({"name": name, "groups_aware": True, **given}).build().weight(Layer((64, 8, 3, 3), groups=4))
    )
    assert law.std == pytest.approx(math.sqrt(variance), rel=1e-12)


BY_FANS = [name for name in initializers if re.search(r"\bfan\b|fan_", initializers.describe(name)["formula"])]
ELSEWHERE = {"orthogonal", "torch_default", "model_default"}
"""An orthogonal matrix has no law by fans, and the defaults of frameworks are theirs."""


@pytest.mark.parametrize("name", [name for name in BY_FANS if name not in ELSEWHERE])
def test_every_rule_by_fans_may_take_those_of_a_group(name: str) -> None:
    """Beside the outputs that is what one output reads, which fan_in is already, also of a transposed convolution."""
    parameters = initializers[name].model_fields
    assert parameters["groups_aware"].default is False
    for layer in (Layer((64, 8, 3, 3), groups=4), Layer((64, 8, 3, 3), groups=4, transposed=True)):
        alone = Layer((16, 8, 3, 3), transposed=layer.transposed)  # one group of it
        for mode in ("fan_in", "fan_out") if "mode" in parameters else (None,):
            given = {} if mode is None else {"mode": mode}
            aware, of_one = (
                initializers.parse({"name": name, "groups_aware": True, **given}).build().weight(one)
                for one in (layer, alone)
            )
            assert aware == of_one


def test_a_transposed_convolution_reads_its_first_axis() -> None:
    """Lasagne#858: one input channel, 256 outputs, so sqrt(6 / 1)."""
    shape = (1, 256, 1, 1)
    assert bound("he_uniform", Layer(shape)) == pytest.approx(math.sqrt(6 / 256), rel=1e-14)
    assert bound("he_uniform", Layer(shape, transposed=True)) == pytest.approx(math.sqrt(6), rel=1e-14)
    grouped = Layer((16, 4, 3, 3), groups=2, transposed=True)  # 16 inputs and 8 outputs in two groups
    assert (grouped.fans, grouped.group_fans, grouped.outputs) == ((8 * 9, 8 * 9), (8 * 9, 4 * 9), 8)
    for name in ("lecun_normal", "uniform_rule", "glorot_normal", "orthogonal"):
        assert initializers.parse(name).build().weight(Layer(shape, transposed=True)).draw(shape, generator(0)).any()


def test_torchs_default_of_a_transposed_convolution_is_torchs() -> None:
    module = torch.nn.ConvTranspose2d(16, 8, 3, groups=2)
    (layer,) = layers_of(module).values()
    law = initializers.parse("torch_default").build().weight(layer)
    assert layer.transposed
    assert (law.bound, layer.outputs) == (pytest.approx(1 / math.sqrt(4 * 9)), len(module.bias))  # type: ignore[arg-type]
    assert module.weight.abs().max() <= law.bound


@pytest.mark.parametrize(
    "given", [{"std": 0.02}, {}, {"std": 1.5, "mean": 1.0}, {"std": 0.5, "a": 0.0, "b": 0.25}], ids=str
)
def test_a_normal_cut_at_values_is_torchs_and_scipys(given: dict[str, float]) -> None:
    law = initializers.parse({"name": "trunc_normal_", **given}).build().weight(Layer((1000, 1000)))
    mean, std, a, b = (given.get(key, value) for key, value in (("mean", 0.0), ("std", 1.0), ("a", -2.0), ("b", 2.0)))
    peer = stats.truncnorm((a - mean) / std, (b - mean) / std, loc=mean, scale=std)
    assert (law.mean, law.std) == (pytest.approx(peer.mean(), abs=1e-12), pytest.approx(peer.std(), rel=1e-9))
    drawn = law.draw((1000, 1000), generator(1, "cut"), torch.float64)
    assert a <= float(drawn.min()) <= float(drawn.max()) <= b
    assert stats.kstest(drawn.flatten()[:20_000].numpy(), peer.cdf).pvalue > 0.01
    torchs = torch.nn.init.trunc_normal_(torch.empty(100_000), mean, std, a, b, generator=generator(2, "cut"))
    assert stats.ks_2samp(drawn.flatten()[:100_000].numpy(), torchs.numpy()).pvalue > 0.01


def test_a_small_normal_is_not_cut_by_it() -> None:
    """timm#1286: 0.02 stays 0.02, and is 0.0176 where Keras cuts."""
    stds = [
        initializers.parse({"name": name, "std": 0.02}).build().weight(Layer((2, 2))).std
        for name in ("trunc_normal_", "truncated_normal")
    ]
    assert stds == pytest.approx([0.02, 0.0175925], rel=1e-5)


def test_cuts_that_leave_nothing_are_refused() -> None:
    for given in ({"a": 1.0, "b": 1.0}, {"std": 0.01, "a": 1.0, "b": 2.0}):
        with pytest.raises(PydanticCustomError):
            initializers.parse({"name": "trunc_normal", **given})
