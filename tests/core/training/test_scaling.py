"""Which parameters have a factor, by name; the factors themselves are mup's, and are tested where mup is."""

from typing import Any

import pytest

from core.datasets import DatasetInfo
from core.spec import parse
from core.training.scaling import ParameterScaling, factors

FACTS = DatasetInfo((3,), 2, 100, 20)
R = 8 / 4


def of(optimizer: Any, initializer: Any, **model: Any) -> dict[str, ParameterScaling]:
    spec = {"model": {"name": "mlp", "hidden": [8, 8], **model}, "initializer": initializer, "optimizer": optimizer}
    return factors(parse(spec), FACTS)


def test_a_plain_scheme_has_none() -> None:
    assert of("adamw", "he_normal", norm="batch_norm", activation="prelu") == {}


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "lion", "nadam", "radam", "schedule_free_adamw"])
def test_mup_slows_the_hidden_weights_of_adam_and_its_kind(optimizer: str) -> None:
    found = of(optimizer, {"name": "mup", "base_width": 4}, norm="layer_norm", activation="prelu")
    hidden = ParameterScaling(lr=1 / R, weight_decay=R)
    assert found == {"fc2.weight": hidden, "fc3.weight": ParameterScaling(forward=1 / R)}


def test_mup_quickens_the_vectors_and_the_outer_weights_of_sgd() -> None:
    found = of("sgd", {"name": "mup", "base_width": 4}, norm="batch_norm")
    vectors = [f"{layer}.bias" for layer in ("fc1", "fc2")]
    vectors += [f"{layer}.{name}" for layer in ("batch_norm1", "batch_norm2") for name in ("weight", "bias")]
    expected = dict.fromkeys(["fc1.weight", *vectors], ParameterScaling(lr=R, weight_decay=1 / R))
    assert found == expected | {"fc3.weight": ParameterScaling(1 / R, R, 1 / R)}


def test_mup_scales_an_attentions_queries_weight_and_bias() -> None:
    """Their sum is scaled, which is the attention's logits."""
    spec = {
        "model": {"name": "transformer", "d_model": 8, "heads": 2, "layers": 1},
        "initializer": {"name": "mup", "base_width": 4},
    }
    found = factors(parse(spec), FACTS)
    assert found["encoder.0.query.weight"] == pytest.approx(ParameterScaling(R**-0.5, 1 / R, R))
    assert found["encoder.0.query.bias"] == pytest.approx(ParameterScaling(forward=R**-0.5))
    assert {name for name, factor in found.items() if factor.forward != 1} == {
        "encoder.0.query.weight", "encoder.0.query.bias", "head.weight",
    }  # fmt: skip


def test_a_layer_without_a_bias_has_no_factor_of_one() -> None:
    spec = {"model": {"name": "resnet", "depth": 8, "width": 2}, "initializer": {"name": "mup", "base_width": 1}}
    found = factors(parse(spec | {"optimizer": "sgd"}), DatasetInfo((3, 8, 8), 2, 100, 20))
    assert "bn1.bias" in found
    assert [name for name in found if "conv" in name and name.endswith("bias")] == []
