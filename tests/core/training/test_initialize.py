from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from core.datasets import DatasetInfo, Splits
from core.registry import Entry
from core.training import Lane, calibration_examples, initial_state


def state_of(lane: Lane, info: DatasetInfo, seed: int = 0, **replaced: Any) -> dict[str, torch.Tensor]:
    return initial_state(lane.treatment.model_copy(update=replaced), info, seed)


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.equal(a, b)


def test_an_added_layer_leaves_the_others_unchanged(make_lanes: Any, info: DatasetInfo) -> None:
    arms = [{"model.hidden": [16]}, {"model.hidden": [16, 16]}, {"model.hidden": [16, 16, 16], "model.dropout": 0.0}]
    short, long, longer = (
        state_of(lane, info) for lane in make_lanes(*arms, initializer={"name": "uniform", "low": -1.0, "high": 1.0})
    )
    assert list(long) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"]
    assert same(short["fc1.weight"], long["fc1.weight"])
    assert all(same(long[name], longer[name]) for name in ("fc1.weight", "fc1.bias", "fc2.weight"))


def test_seed_and_name_make_the_stream(make_lanes: Any, info: DatasetInfo) -> None:
    (lane,) = make_lanes({"initializer": "torch_default", "model.hidden": [16, 16, 16]})
    zero, one = state_of(lane, info, 0), state_of(lane, info, 1)
    assert all(same(values, state_of(lane, info, 0)[name]) for name, values in zero.items())
    assert not any(same(values, one[name]) for name, values in zero.items())
    assert not same(zero["fc2.weight"], zero["fc3.weight"])
    assert not same(zero["fc2.weight"][0], zero["fc2.bias"])


def test_arms_with_the_same_initializer_start_the_same(make_lanes: Any, info: DatasetInfo) -> None:
    arms = [{"initializer": "he_normal"}, {"initializer": "he_normal", "optimizer": "sgd", "batch_size": 7}]
    a, b = (state_of(lane, info) for lane in make_lanes(*arms))
    assert a.keys() == b.keys()
    assert all(same(a[name], b[name]) for name in a)


def test_values_belong_to_the_caller(make_lanes: Any, info: DatasetInfo) -> None:
    (lane,) = make_lanes({"initializer": "ones"})
    for model in (lane.treatment.model, Norms()):
        for values in state_of(lane, info, model=model).values():
            values.fill_(7)
        assert not any((values == 7).any() for values in state_of(lane, info, model=model).values())


def test_the_state_is_the_modules_own_in_the_dtype_asked_for(make_lanes: Any, info: DatasetInfo) -> None:
    (lane,) = make_lanes({"initializer": "he_normal"})
    state = initial_state(lane.treatment, info, 0, torch.float64)
    with torch.random.fork_rng():
        module = lane.treatment.model.build()(info.inputs, info.outputs).double()
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


def test_norm_layers_start_from_their_constants(make_lanes: Any, info: DatasetInfo) -> None:
    (lane,) = make_lanes({"initializer": {"name": "constant", "value": 5.0}})
    state = state_of(lane, info, model=Norms())
    with torch.random.fork_rng():
        expected = Norms().build()(info.inputs, info.outputs).state_dict()  # torch's constants
    norms = [name for name in state if name[0] in "124"]
    assert len(norms) == 9
    assert all(same(state[name], expected[name]) and state[name].dtype == expected[name].dtype for name in norms)
    assert same(state["0.weight"], torch.full((4, 1, 3, 3), 5.0))
    assert same(state["5.bias"], torch.zeros(10))


class Mixture(nn.Module):
    """Has all kinds of parameters and buffers; the constructor draws some."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, 8, 4, stride=4)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, 8))
        self.scale = nn.Parameter(torch.full((8,), 1e-6))
        self.table = nn.Embedding(4, 8)
        self.register_buffer("index", torch.arange(4))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.cross = nn.MultiheadAttention(8, 2, kdim=6, vdim=5, bias=False)
        self.slope = nn.PReLU(8)
        self.head = nn.Linear(8, outputs)


class Mixed(Entry):
    factory: ClassVar[Any] = staticmethod(lambda: lambda _inputs, outputs: Mixture(outputs))
    name: str = "mixed"


OWN = ("token", "scale", "table.weight", "index")


def test_what_has_no_rule_starts_as_the_constructor_says(make_lanes: Any, info: DatasetInfo) -> None:
    he, ones = make_lanes({"initializer": "he_normal"}, {"initializer": "ones"})
    zero, other, one = (state_of(*lane, model=Mixed()) for lane in ((he, info, 0), (ones, info, 0), (he, info, 1)))
    for name in OWN:
        assert same(zero[name], other[name])
        assert same(zero[name], state_of(he, info, 0, model=Mixed())[name])
    assert same(zero["index"], torch.arange(4))
    assert same(zero["scale"], torch.full((8,), 1e-6))
    for name in ("token", "table.weight"):
        assert not same(zero[name], one[name])
    assert zero["token"].std() == pytest.approx(0.02, rel=0.8)
    assert same(zero["slope.weight"], torch.full((8,), 0.25))
    with torch.device("meta"):
        assert list(zero) == list(Mixture(10).state_dict())


def test_an_attentions_projections_are_layers_of_their_own(make_lanes: Any, info: DatasetInfo) -> None:
    layers = {"attention.k_proj": "zeros", "cross.v_proj": "ones", "attention.out_proj": "ones"}
    given = {"name": "per_layer", "default": "orthogonal", "layers": layers}
    (lane,) = make_lanes({"initializer": given})
    state = state_of(lane, info, model=Mixed())
    q, k, v = state["attention.in_proj_weight"].split(8)
    for block in (q, v):  # orthogonal each by itself
        torch.testing.assert_close(block @ block.T, torch.eye(8))
    assert not same(q, v)
    assert not k.any()
    assert same(state["attention.in_proj_bias"], torch.zeros(24))
    assert same(state["attention.out_proj.weight"], torch.ones(8, 8))
    assert same(state["cross.v_proj_weight"], torch.ones(8, 5))
    torch.testing.assert_close(state["cross.k_proj_weight"].T @ state["cross.k_proj_weight"], torch.eye(6))
    biased = state_of(make_lanes({"initializer": "torch_default"})[0], info, model=Mixed())["attention.in_proj_bias"]
    assert 0 < biased.abs().max() <= 8**-0.5
    assert len(biased.unique()) == 24


def test_constructors_on_several_threads_do_not_meet(make_lanes: Any, info: DatasetInfo) -> None:
    (lane,) = make_lanes({})
    expected = [state_of(lane, info, seed, model=Mixed()) for seed in range(24)]
    wider = info._replace(outputs=11)  # what is kept of a model is not of another; the head is constructed last
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda seed: state_of(lane, wider, seed, model=Mixed()), range(24)))
    for ours, theirs in zip(found, expected, strict=True):
        assert all(same(ours[name], theirs[name]) for name in OWN)


def test_what_looks_at_data_is_given_the_seeds_examples(make_lanes: Any, info: DatasetInfo, splits: Splits) -> None:
    (lane,) = make_lanes({"initializer": {"name": "lsuv", "examples": 100, "tol": 0.001}})
    choose = calibration_examples(splits.x_train)
    state = initial_state(lane.treatment, info, 3, examples=choose)
    with torch.random.fork_rng():
        module = lane.treatment.model.build()(info.inputs, info.outputs).eval()
    module.load_state_dict(state)
    outputs = module(choose(3, 100)).detach()
    assert float(outputs.std()) == pytest.approx(1, rel=0.0011)
