import math
from typing import Any

import pytest
import torch
from torch import nn

from core.datasets import DatasetInfo
from core.models import StochasticDepth
from core.streams import keys
from core.training import initial_state
from core.training.lanes.dropout import LEVELS, Masks, PairedDropout, pair_dropout
from core.training.lanes.network import network


def layer(p: float, *shape: int) -> PairedDropout:
    made = PairedDropout(p)
    made.learn(shape)
    return made


def test_masks_are_a_function_of_seed_step_and_layer(make_lanes: Any) -> None:
    two = {"a": layer(0.5, 40), "b": layer(0.5, 40)}
    masks = Masks(two, [3], torch.float32)
    first = masks.draw(7, 20)
    masks.draw(8, 20)
    again = Masks({"new": layer(0.1, 33), **two}, [5, 3], torch.float32).draw(7, 20)
    assert all(torch.equal(first[name][0], again[name][1]) for name in first)
    assert not torch.equal(first["a"], first["b"])
    for seed, step in ((4, 7), (3, 8)):
        assert not torch.equal(first["a"], Masks(two, [seed], torch.float32).draw(step, 20)["a"])


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.99])
def test_masks_drop_p_and_keep_the_mean(p: float) -> None:
    n = 1_000_000
    mask = layer(p, 1000).draw(keys([0], "test"), 0, n // 1000, torch.float64)[0]
    kept = mask[mask != 0]
    assert mask.shape == (1000, 1, 1000)
    assert abs((mask == 0).double().mean().item() - p) < 1 / LEVELS + 5 * (p * (1 - p) / n) ** 0.5
    assert kept.min() == kept.max()
    assert kept[0].item() == pytest.approx(1 / (1 - p), rel=1e-2 if p == 0.99 else 1e-4)
    # scaled by what is really kept: exact in expectation
    assert kept[0].item() * (1 - layer(p).dropped / LEVELS) == pytest.approx(1, rel=1e-15)


def test_neighbouring_draws_are_uncorrelated() -> None:
    """Four draws come out of one 64-bit word: each place of the word must be as random as the others."""
    mask = layer(0.5, 4).draw(keys([1], "test"), 0, 250_000, torch.float64)[0, :, 0] - 1
    correlation = (mask.T @ mask / len(mask)).numpy()
    assert abs(correlation - torch.eye(4).numpy()).max() < 5 / len(mask) ** 0.5
    assert abs(mask.mean(0)).max().item() < 5 / len(mask) ** 0.5


def test_evaluation_is_the_identity() -> None:
    dropout = layer(0.5, 3)
    dropout.mask = torch.zeros(2, 1, 3)
    x = torch.ones(2, 3)
    assert torch.equal(dropout(x), torch.zeros(2, 3))
    assert torch.equal(dropout.eval()(x), x)


@pytest.mark.parametrize("p", [1.0, -0.1, float("nan")])
def test_impossible_rates_are_refused(p: float) -> None:
    with pytest.raises(ValueError, match="leaves no unit"):
        PairedDropout(p)


@pytest.mark.parametrize(
    ("kind", "shape", "mask"),
    [
        (nn.Dropout(0.5), (4, 3, 5), (4, 3, 5)),
        (nn.Dropout1d(0.5), (4, 3), (4, 1)),
        (nn.Dropout2d(0.5), (4, 3, 5), (4, 1, 1)),
        (nn.Dropout3d(0.5), (4, 3, 5, 2), (4, 1, 1, 1)),
        (StochasticDepth(0.5), (4, 3, 5), (1, 1, 1)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_each_kind_drops_what_torch_drops(kind: nn.Module, shape: tuple[int, ...], mask: tuple[int, ...]) -> None:
    """What goes as one is `mask`'s one number, in torch's own layer and in ours, and as often."""
    module = nn.Sequential(kind)
    pair_dropout(module)
    (paired,) = module.children()
    assert isinstance(paired, PairedDropout)
    paired.learn(shape)
    paired.mask = paired.draw(keys([0], "test"), 0, 400, torch.float32)[0]
    x = torch.ones(400, *shape)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = kind(x)
    for dropped in (theirs, module(x)):
        drawn = dropped[(slice(None), *(slice(size) for size in mask))]
        assert torch.equal(dropped, drawn.expand_as(dropped))
        assert set(dropped.unique().tolist()) == {0.0, 2.0}
        assert abs((drawn == 0).float().mean().item() - 0.5) < 5 * 0.5 / math.sqrt(drawn.numel())
        assert mask == (1, 1, 1) or (drawn.flatten(1).amax(1) != drawn.flatten(1).amin(1)).any()


def test_a_layer_that_drops_nothing_draws_nothing() -> None:
    module = nn.Sequential(nn.Dropout(0.0), nn.Dropout2d(0.0))
    pair_dropout(module)
    assert [type(layer) for layer in module] == [nn.Identity, nn.Identity]


def test_dropout_that_is_not_a_mask_is_refused() -> None:
    with pytest.raises(TypeError, match="1: AlphaDropout"):
        pair_dropout(nn.Sequential(nn.ReLU(), nn.AlphaDropout(0.5)))


def test_a_layer_used_twice_has_a_mask_for_each_call() -> None:
    dropout = layer(0.5, 3)
    dropout.learn((3,))
    dropout.mask = dropout.draw(keys([0], "test"), 0, 2, torch.float32)[0]
    assert dropout.mask.shape == (2, 2, 3)
    x = torch.ones(2, 3)
    for _ in range(2):
        assert torch.equal(dropout(x), dropout.mask[:, 0])
        assert torch.equal(dropout.eval()(x), x)
        assert torch.equal(dropout.train()(x), dropout.mask[:, 1])


def test_a_layer_used_for_two_shapes_is_refused() -> None:
    dropout = layer(0.5, 3)
    with pytest.raises(ValueError, match=r"called with \(3,\) and \(4,\)"):
        dropout.learn((4,))


def test_a_network_knows_its_masks_and_its_widest_layer(make_lanes: Any, info: DatasetInfo) -> None:
    lanes = make_lanes({"model.hidden": [16, 12]}, {"model.hidden": [200]})
    nets = [network(lane.treatment, info, initial_state(lane.treatment, info, 0)) for lane in lanes]
    assert {name: paired.shape for name, paired in nets[0].dropout.items()} == {"dropout1": (16,), "dropout2": (12,)}
    assert [net.widest for net in nets] == [64, 200]
    assert all(net.module.training for net in nets)


@pytest.mark.parametrize(
    ("model", "inputs", "masks", "widest"),
    [
        (
            {"name": "cnn", "channels": [16, 8], "dense": [5]},
            (1, 8, 8),
            {"dropout1": (16, 4, 4), "dropout2": (8, 2, 2), "fc_dropout1": (5,)},
            16 * 8 * 8,
        ),
        (
            {"name": "transformer", "patch": 1, "d_model": 8, "heads": 4, "mlp_ratio": 1, "layers": 1},
            (1, 8, 8),
            {"dropout": (64, 8), "encoder.0.dropout1": (64, 8), "encoder.0.dropout2": (64, 8)},
            4 * 64 * 64,  # the attention of each head
        ),
        (
            {"name": "transformer", "d_model": 8, "heads": 1, "mlp_ratio": 2, "layers": 1},
            (5,),
            {"dropout": (5, 8), "encoder.0.dropout1": (5, 8), "encoder.0.dropout2": (5, 8)},
            5 * 2 * 8,
        ),
    ],
)
def test_pictures_and_tables_have_masks_and_widths_of_their_own(
    make_lanes: Any, model: dict[str, Any], inputs: tuple[int, ...], masks: dict[str, Any], widest: int
) -> None:
    (lane,) = make_lanes({}, model=model)
    info = DatasetInfo(inputs, 3, 10, 10)
    net = network(lane.treatment, info, initial_state(lane.treatment, info, 0))
    assert {name: paired.shape for name, paired in net.dropout.items()} == masks
    assert net.widest == widest
