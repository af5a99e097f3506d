from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from core.datasets import Facts
from core.registry import Entry
from core.training import Lane, initial_state


def state_of(lane: Lane, facts: Facts, seed: int = 0, **replaced: Any) -> dict[str, torch.Tensor]:
    return initial_state(lane.treatment.model_copy(update=replaced), facts, seed)


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(a, b)


def test_an_added_layer_leaves_the_others_unchanged(make_lanes: Any, facts: Facts) -> None:
    arms = [{"model.hidden": [16]}, {"model.hidden": [16, 16]}, {"model.hidden": [16, 16, 16], "model.dropout": 0.0}]
    short, long, longer = (
        state_of(lane, facts) for lane in make_lanes(*arms, initializer={"name": "uniform", "low": -1.0, "high": 1.0})
    )
    assert list(long) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]
    assert same(short["fc1.weight"], long["fc1.weight"])
    assert all(same(long[name], longer[name]) for name in ("fc1.weight", "fc1.bias", "fc2.weight"))


def test_seed_and_name_make_the_stream(make_lanes: Any, facts: Facts) -> None:
    (lane,) = make_lanes({"initializer": "torch_default", "model.hidden": [16, 16, 16]})
    zero, one = state_of(lane, facts, 0), state_of(lane, facts, 1)
    assert all(same(values, state_of(lane, facts, 0)[name]) for name, values in zero.items())
    assert not any(same(values, one[name]) for name, values in zero.items())
    assert not same(zero["fc2.weight"], zero["fc3.weight"])
    assert not same(zero["fc2.weight"][0], zero["fc2.bias"])


def test_arms_with_the_same_initializer_start_the_same(make_lanes: Any, facts: Facts) -> None:
    arms = [{"initializer": "he_normal"}, {"initializer": "he_normal", "optimizer": "sgd", "batch_size": 7}]
    a, b = (state_of(lane, facts) for lane in make_lanes(*arms))
    assert a.keys() == b.keys()
    assert all(same(a[name], b[name]) for name in a)


def test_values_belong_to_the_caller(make_lanes: Any, facts: Facts) -> None:
    (lane,) = make_lanes({"initializer": "ones"})
    for model in (lane.treatment.model, Norms()):
        for values in state_of(lane, facts, model=model).values():
            values.fill_(7)
        assert not any((values == 7).any() for values in state_of(lane, facts, model=model).values())


def test_the_state_is_the_modules_own_in_the_dtype_asked_for(make_lanes: Any, facts: Facts) -> None:
    (lane,) = make_lanes({"initializer": "he_normal"})
    state = initial_state(lane.treatment, facts, 0, torch.float64)
    with torch.random.fork_rng():
        module = lane.treatment.model.build()(facts.inputs, facts.outputs).double()
    module.load_state_dict(state)
    assert {values.dtype for values in state.values()} == {torch.float64}


class Norms(Entry):
    factory: ClassVar[Any] = staticmethod(
        lambda: (
            lambda inputs, outputs: nn.Sequential(
                nn.Conv2d(inputs[0], 4, 3, bias=False),
                nn.BatchNorm2d(4),
                nn.GroupNorm(2, 4),
                nn.Flatten(),
                nn.LayerNorm(144),
                nn.Linear(144, outputs),
            )
        )
    )
    name: str = "norms"


def test_norm_layers_start_from_their_constants(make_lanes: Any, facts: Facts) -> None:
    (lane,) = make_lanes({"initializer": {"name": "constant", "value": 5.0}})
    state = state_of(lane, facts, model=Norms())
    with torch.random.fork_rng():
        expected = Norms().build()(facts.inputs, facts.outputs).state_dict()  # torch's constants
    norms = [name for name in state if name[0] in "124"]
    assert len(norms) == 9
    assert all(same(state[name], expected[name]) and state[name].dtype == expected[name].dtype for name in norms)
    assert same(state["0.weight"], torch.full((4, 1, 3, 3), 5.0))
    assert same(state["5.bias"], torch.zeros(10))


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))


class Odd(Entry):
    factory: ClassVar[Any] = staticmethod(lambda: lambda _inputs, _outputs: nn.Sequential(nn.Flatten(), Scaled()))
    name: str = "odd"


def test_a_parameter_without_a_rule_is_refused_by_name(make_lanes: Any, facts: Facts) -> None:
    (lane,) = make_lanes({})
    with pytest.raises(TypeError, match=r"1\.scale"):
        state_of(lane, facts, model=Odd())
