"""What is measured of an update, against a plain pass of one run with ordinary hooks, and against theory."""

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from core.datasets import DatasetInfo, Splits
from core.initializers import Law, Normal, initializers
from core.metrics.layers import DIAGNOSTICS
from core.models._activations import ACTIVATIONS
from core.spec import layers_of
from core.streams import generator
from core.training import Lane, MemoryRecorder, Resume, TrainOptions, train_lanes
from core.training.checkpoint import Checkpoint
from core.training.lanes import grid
from core.training.lanes.batches import epoch_order
from core.training.lanes.diagnosis import ROWS, Diagnosis
from core.training.lanes.dropout import Masks
from core.training.lanes.network import network
from core.training.probe import ACTIVATIONS as MEASURED
from core.training.probe import Probe, places
from tests.core.training.trials import COLOURED, PICTURES, TABLE, assert_same, made, rule, trained

EVERY = 2
SHAPE = {"batch_size": 8, "epochs": 2}
"""With 22 examples: three updates an epoch, the last of six examples."""
ARMS: list[dict[str, Any]] = [{"initializer": "he_normal"}, {"initializer": "ones"}, {"initializer": "zeros"}]
MODELS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "relu, dropout": ({"name": "mlp", "hidden": [6, 5], "dropout": 0.3}, PICTURES),
    "sigmoid, layer norm": ({"name": "mlp", "hidden": [6, 5], "activation": "sigmoid", "norm": "layer_norm"}, TABLE),
    "tanh, batch norm": ({"name": "mlp", "hidden": [6], "activation": "tanh", "norm": "batch_norm"}, TABLE),
    "convolutions": ({"name": "cnn", "channels": [3, 4], "dense": [5]}, COLOURED),
    "residual": ({"name": "resnet", "depth": 8, "width": 1}, (1, 8, 8)),
    "transformer": ({"name": "transformer", "d_model": 8, "heads": 2, "layers": 1}, PICTURES),
}


def recorded(lanes: list[Lane], data: Splits, info: DatasetInfo, **options: Any) -> MemoryRecorder:
    return trained(lanes, data, info, diagnose_every=EVERY, **options)


def by_hand(
    lane: Lane, step: int, before: dict[str, Any], after: dict[str, Any], data: Splits, info: DatasetInfo
) -> dict[str, float]:
    """All that is measured of one run's layers in one update."""
    net = network(lane.treatment, info, before)
    model = net.written.to_empty(device="cpu").double()
    model.load_state_dict(before)
    epoch, part = divmod(step, 3)
    batch = torch.split(epoch_order(len(data.x_train), lane.seed, epoch), lane.treatment.batch_size)[part]
    for name, mask in Masks(net.dropout, [lane.seed], torch.float64).draw(step, len(batch)).items():
        net.dropout[name].mask = mask[0]
    calls: list[tuple[str, nn.Module, Any]] = []
    for name, layer in model.named_modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda layer, _, y, name=name: calls.append((name, layer, y.detach().numpy())))
    cross_entropy(model(data.x_train[batch].double()), data.y_train[batch]).backward()
    layers = layers_of(model)
    found: dict[str, float] = {}
    for i, (name, layer, own) in enumerate(calls):
        if name in layers:
            y, activation = own, None
            for other, follower, given in calls[i + 1 :]:
                if other in layers or activation is not None:
                    break
                if isinstance(follower, nn.ReLU | nn.Sigmoid | nn.Tanh):
                    y, activation = given, follower
            units = np.moveaxis(y, 1 if isinstance(layer, nn.Conv2d) else -1, 0).reshape(layers[name].shape[0], -1)
            found |= {f"{kind}/{name}": value for kind, value in given_by_hand(units, activation).items()}
    parameters = dict(model.named_parameters())
    for name, (parameter, _) in places(model).items():
        gradient = parameters[parameter].grad
        assert gradient is not None
        found[f"gradient_norm/{name}"] = gradient.norm().item()
        of_weight = weight_by_hand(*(state[parameter].flatten(1).numpy() for state in (before, after)))
        found |= {f"{kind}/{name}": value for kind, value in of_weight.items()}
    return found


def test_every_activation_that_models_offer_is_looked_at() -> None:
    assert {module for name, module in ACTIVATIONS.items() if name != "linear"} <= set(MEASURED)


def given_by_hand(units: Any, activation: nn.Module | None) -> dict[str, float]:
    """Of (units, all that each gave)."""
    found = {"activation_mean": units.mean(), "activation_std": units.std(), "activation_zeros": (units == 0).mean()}
    if isinstance(activation, nn.ReLU):
        found["activation_dead"] = np.mean([not unit.any() for unit in units])
    if isinstance(activation, nn.Sigmoid):
        found["activation_saturated"] = np.mean((units < 0.025) | (units > 0.975))
    if isinstance(activation, nn.Tanh):
        found["activation_saturated"] = np.mean(np.abs(units) > 0.95)
    return found


def weight_by_hand(before: Any, after: Any) -> dict[str, float]:
    """Of matrices (outputs, inputs)."""
    norm, power = np.linalg.norm(before), np.linalg.svd(before, compute_uv=False) ** 2
    found = {"weight_norm": float(norm), "effective_rank": 0.0}
    with np.errstate(invalid="ignore", divide="ignore"):
        found["update_ratio"] = float(np.linalg.norm(after - before) / norm)
    if norm:
        found["effective_rank"] = power.sum() ** 2 / (power**2).sum()
    if min(before.shape) > 1:
        found["neuron_cosine"] = float(np.mean([cosine(a, b) for i, a in enumerate(before) for b in before[:i]]))
    return found


def cosine(a: Any, b: Any) -> float:
    if not (a.any() and b.any()):
        return float(not a.any() and not b.any())
    return float(abs(a @ b) / np.linalg.norm(a) / np.linalg.norm(b))


def lane_of(checkpoint: Checkpoint, run: int) -> dict[str, Any]:
    lane = checkpoint.runs.index(run)
    return {
        name.partition("/")[2]: values[lane]
        for name, values in checkpoint.state.items()
        if name.startswith(("parameters/", "buffers/"))
    }


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("company", ["one lane", "one seed", "copied batches", "shared batches"])
def test_lanes_measure_what_a_plain_pass_does(
    make_lanes: Any, name: str, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, inputs = MODELS[name]
    data, info = made(inputs, train=22, valid=8)
    if company == "shared batches":
        monkeypatch.setattr(grid, "COPIED", 0)
    arms, seeds = (ARMS[:1], (0,)) if company == "one lane" else (ARMS, (0,) if company == "one seed" else (0, 3))
    lanes = make_lanes(*arms, seeds=seeds, model=model, optimizer=rule("adam"), **SHAPE)
    kept: list[Checkpoint] = []
    fast = recorded(lanes, data, info, dtype=torch.float64, keep=kept.append, keep_seconds=0)
    for lane in lanes:
        for point, step in enumerate((0, 2, 4)):
            slow = by_hand(lane, step, lane_of(kept[step], lane.run), lane_of(kept[step + 1], lane.run), data, info)
            measured = {metric: values for (run, metric), values in fast.series.items() if run == lane.run}
            assert {metric for metric in measured if "/" in metric} == slow.keys()
            for metric, value in slow.items():
                assert len(measured[metric]) == 3
                np.testing.assert_allclose(
                    measured[metric][point], value, rtol=1e-7, atol=1e-13, err_msg=f"{metric} of {lane.run} at {step}"
                )


@pytest.mark.parametrize(
    ("name", "precision"),
    [("relu, dropout", "fp32"), ("convolutions", "fp32"), ("transformer", "fp32"), ("relu, dropout", "bf16")],
)
@pytest.mark.parametrize("seeds", [(0,), (0, 3)])
def test_the_training_is_the_same_bit_for_bit(
    make_lanes: Any, name: str, precision: str, seeds: tuple[int, ...]
) -> None:
    """With batch norms' statistics and dropout, in the precision that is trained in."""
    model, inputs = MODELS[name]
    data, info = made(inputs, train=22, valid=8)
    more = {"model": model, "optimizer": rule("adam"), "precision": precision}
    lanes = make_lanes(*ARMS[: len(seeds)], seeds=seeds, **more, **SHAPE)
    plain, looked = trained(lanes, data, info), recorded(lanes, data, info)
    assert {key for key in looked.series if "/" not in key[1]} == plain.series.keys()
    for key, values in plain.series.items():
        assert values.tobytes() == looked.series[key].tobytes(), key
    assert {metric.partition("/")[0] for _, metric in looked.series if "/" in metric} <= set(DIAGNOSTICS)


def test_it_goes_on_from_every_checkpoint(make_lanes: Any) -> None:
    """One arm diverges on the way and leaves."""
    late = {"name": "linear_warmup", "warmup_steps": 4, "end_lr": 0.0, "after": "constant"}
    data, info = made(TABLE, train=22, valid=8)
    lanes = make_lanes(
        {"initializer": "he_normal"}, {"initializer": "ones", "optimizer.lr": 1e12, "schedule": late},
        seeds=(0, 3), model={"name": "mlp", "hidden": [5], "activation": "linear"},
        optimizer={"name": "sgd", "lr": 0.01}, batch_size=8, epochs=4,
    )  # fmt: skip
    kept: list[tuple[Checkpoint, MemoryRecorder]] = []
    whole = MemoryRecorder()

    def keep(checkpoint: Checkpoint) -> None:
        kept.append((checkpoint, copy.deepcopy(whole)))

    train_lanes(
        lanes, data, info, whole, TrainOptions(keep_seconds=0, diagnose_every=EVERY, block_seconds=60), keep=keep
    )
    assert_same(whole, recorded(lanes, data, info, block_seconds=0))
    for lane in lanes:
        losses = len(whole.series[lane.run, "train_loss"])
        assert whole.outcomes[lane.run] == ("completed" if lane.run < 100 else "diverged")
        assert losses == 12 if lane.run < 100 else 4 < losses < 12
        assert len(whole.series[lane.run, "gradient_norm/fc1"]) == math.ceil(losses / EVERY)
    for checkpoint, recorder in kept:
        train_lanes(lanes, data, info, recorder, TrainOptions(diagnose_every=EVERY), Resume(start=checkpoint))
        assert_same(recorder, whole)


def test_a_unit_is_one_for_all_tokens_and_pixels() -> None:
    """The second of two units is dead; each token, and each pixel, has a unit that is not."""
    weight, bias, random = torch.ones(2, 3), torch.tensor([1.0, -9.0]), generator(0, "test")
    for module, own, x in (
        (nn.Linear(3, 2, device="meta"), weight, torch.rand(4, 5, 3, generator=random)),
        (nn.Conv2d(3, 2, 1, device="meta"), weight[..., None, None], torch.rand(4, 3, 5, 5, generator=random)),
    ):
        probe = Probe(nn.Sequential(module, nn.ReLU()))
        found = probe({"0.weight": own, "0.bias": bias}, {}, x)
        dead = dict(zip(probe.names, found.tolist(), strict=True))
        assert (dead["activation_dead/0"], dead["activation_zeros/0"]) == (0.5, 0.5)


def weights(law: Law | Callable[[Any], torch.Tensor], *shape: int, lanes: int = 3) -> dict[str, torch.Tensor]:
    """A linear layer's, stacked."""
    random = generator(0, "test", *shape)
    draw = law if callable(law) else lambda random: law.draw(shape, random)
    return {"weight": torch.stack([draw(random) for _ in range(lanes)])}


def measured(given: dict[str, torch.Tensor]) -> dict[str, Any]:
    """What is measured of a layer with these weights, which are its gradients too."""
    inputs, outputs = given["weight"].shape[:0:-1]
    diagnosis = Diagnosis(nn.Sequential(nn.Linear(inputs, outputs, device="meta")))
    named = {"0.weight": given["weight"]}
    values, copies = diagnosis.standing(named, named)
    moved = diagnosis.moved(copies, {"0.weight": given["weight"] * 1.5})
    names = [name.removesuffix("/0") for name in diagnosis.names]
    return dict(zip(names, torch.cat([values, moved]).numpy(), strict=True))


@pytest.mark.parametrize(("out", "inputs"), [(200, 400), (ROWS, 100), (3 * ROWS, 300)])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_independent_weights_measure_as_theory_says(out: int, inputs: int, scale: float) -> None:
    """E|cos| of independent normal directions is sqrt(2 / (pi n)) for large n; the squared singular values of an
    m x n matrix have the mean n and the mean square n (m + n) (Marchenko & Pastur 1967)."""
    found = measured(weights(Normal(0.0, scale), out, inputs))
    compared = min(out, ROWS)
    assert found["neuron_cosine"] == pytest.approx([math.sqrt(2 / (math.pi * inputs))] * 3, rel=0.02)
    assert found["effective_rank"] == pytest.approx([compared / (1 + compared / inputs)] * 3, rel=0.02)
    assert found["weight_norm"] == pytest.approx([scale * math.sqrt(out * inputs)] * 3, rel=0.02)
    assert found["gradient_norm"] == pytest.approx(found["weight_norm"])
    assert found["update_ratio"] == pytest.approx([0.5] * 3, rel=1e-5)


@pytest.mark.parametrize(
    ("name", "rank", "alike"), [("zeros", 0.0, 1.0), ("ones", 1.0, 1.0), ("orthogonal", 20.0, 0.0)]
)
def test_symmetry_shows(name: str, rank: float, alike: float) -> None:
    initializer = initializers.parse(name).build()
    layer = layers_of(nn.Linear(30, 20, device="meta"))[""]
    found = measured(weights(lambda random: initializer.weight(layer).draw((20, 30), random), 20, 30))
    assert found["effective_rank"] == pytest.approx([rank] * 3, rel=1e-5)
    assert found["neuron_cosine"] == pytest.approx([alike] * 3, abs=1e-5)
    assert np.isnan(found["update_ratio"]).all() == (name == "zeros")


def test_a_neuron_without_weights_is_like_another_without_and_no_other() -> None:
    """Of the six pairs of four neurons one is alike."""
    rows = torch.eye(4)
    rows[2:] = 0
    assert measured({"weight": rows.expand(3, 4, 4)})["neuron_cosine"] == pytest.approx([1 / 6] * 3)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_what_has_nothing_to_compare_is_not_compared(shape: tuple[int, int]) -> None:
    assert "neuron_cosine" not in measured(weights(Normal(0.0, 1.0), *shape))
