"""The same spec, the same bits: whatever the plan, the company, the number of workers, and the interruptions."""

import itertools
import random
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.datasets import DatasetInfo, DatasetPaths, Splits
from core.optimizers import optimizers
from core.spec import ArmInfo, Spec, parse, size
from core.training import Checkpoint, Lane, MemoryRecorder, Profile, TrainOptions, make_plan, train, train_lanes
from core.training.lanes.clipping import total_lengths
from core.training.options import Resume
from core.training.planning.arrangement import arrange
from tests.core.training.trials import CHOICES, made, rule

MODELS: list[tuple[dict[str, Any], tuple[int, ...]]] = [
    ({"name": "mlp", "hidden": [16, 32], "dropout": 0.3}, (5,)),
    ({"name": "mlp", "hidden": [16]}, (3, 9, 7)),
    ({"name": "mlp", "hidden": [16, 48]}, (2,)),
    ({"name": "mlp", "hidden": [7, 3], "activation": "gelu", "norm": "layer_norm"}, (11,)),
    ({"name": "mlp", "hidden": [6, 6], "norm": "batch_norm", "dropout": 0.2}, (11,)),
    ({"name": "cnn", "channels": [3], "dense": [5]}, (1, 8, 8)),
    ({"name": "transformer", "d_model": 8, "layers": 1, "heads": 2}, (5,)),
    ({"name": "sequential", "layers": [{"dense": 16}, "silu", {"dense": 16}, "mish", {"dense": 3}]}, (5,)),
    ({"name": "sequential", "layers": [{"dense": 16}, "hardswish", {"dense": 16}, "softplus", {"dense": 3}]}, (5,)),
]
"""Models with the shape of their examples: of each kind of layer, of odd sizes and of whole ones."""
ARMS: list[dict[str, Any]] = [
    {"initializer": "he_normal"},
    {"initializer": "glorot_uniform", "optimizer.lr": 0.002},
    {"schedule": "cosine"},
]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"sam": {}},
    {"sam": {"rho": 0.5, "adaptive": True}},
    {"gradient_clip": {"norm": 0.1}},
    {"gradient_clip": {"adaptive": 0.01}},
    {"layer_lr_decay": 0.7, "ema_decay": 0.9},
    {"lr_per_layer": {"*.bias": 0.0}, "drop_last": True},
    {"lr_per_layer": {"*.0.weight": 0.5, "fc1.weight": 0.5}},
    {"mixup": 0.4, "label_smoothing": 0.1},
    {"class_weights": [1.0, 2.0, 0.3], "weight_decay_on": "weights"},
    {"class_weights": "balanced", "focal_loss": {}},
    {"micro_batch_size": 4},
]
OF_PICTURES: dict[str, Any] = {"augment": {"crop": 1, "flip": True}, "cutmix": 1.0}
SEEDS = [7, 0, 3]
Bits = dict[tuple[str, int, str], bytes]
"""Every point of every run, by arm, seed and metric."""

MUP = {"initializer": {"name": "mup", "base_width": 8}}


def made_spec(
    model: tuple[dict[str, Any], tuple[int, ...]],
    program: str,
    setting: dict[str, Any],
    batch: int,
    layout: str,
    more: bool,
) -> tuple[Spec, tuple[int, ...]]:
    """A spec with the shape of its examples; with `more` an arm by mup where it goes, and changed pictures."""
    body, inputs = model
    with_mup = more and body["name"] != "sequential" and not optimizers.parse(rule(program)).build().as_a_whole
    arms = [*ARMS[:2], ARMS[2] | MUP if with_mup else ARMS[2]]
    spec = {
        "model": body,
        "optimizer": rule(program),
        **setting,
        "batch_size": batch,
        "epochs": 2,
        "layout": layout,
        "arms": [{"label": f"{i}"} | arm for i, arm in enumerate(arms)],
        "seeds": SEEDS,
        **(OF_PICTURES if more and len(inputs) == 3 else {}),
    }
    return parse(spec), inputs


specs = st.builds(
    made_spec,
    st.sampled_from(MODELS),
    st.sampled_from([*optimizers, *CHOICES]),
    st.sampled_from(SETTINGS),
    st.sampled_from([7, 16, 20]),
    st.sampled_from(["auto", "loop", "vmap"]),
    st.booleans(),
)


def described(spec: Spec, inputs: tuple[int, ...]) -> tuple[Splits, list[ArmInfo]]:
    data, info = made(inputs, train=34, valid=12)
    steps = spec.updates_per_epoch(info.train)
    whole = size(spec.model, info.inputs, info.outputs)
    return data, [ArmInfo(info, whole, steps, steps * spec.epochs)] * len(spec.expanded)


def bits(spec: Spec, inputs: tuple[int, ...], profile: Profile, order: random.Random, stops: int = 0) -> Bits:
    """Train a spec as planned on some machine, its runs given in any order, interrupted after every epoch or never."""
    data, infos = described(spec, inputs)
    found: Bits = {}
    for cohort in make_plan(spec, infos, profile).cohorts:
        lanes = [Lane(3 * i + spec.seed_list.index(s), spec.expanded[i].treatment, s) for i, s in cohort.members]
        order.shuffle(lanes)
        recorder, options = MemoryRecorder(), TrainOptions.of(spec, "cpu", cohort.layout)
        start: Checkpoint | None = None
        for until in (*range(1, 1 + stops), None):
            start = train_lanes(lanes, data, infos[0].data, recorder, options, Resume(start=start, until=until))
        for (run, metric), values in recorder.series.items():
            found[spec.expanded[run // 3].label, spec.seed_list[run % 3], metric] = values.tobytes()
    return found


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(given=specs, cores=st.sampled_from([2, 3, 8]), stops=st.sampled_from([0, 1]), seed=st.integers(0, 99))
def test_a_spec_gives_the_same_bits_in_any_plan_and_company(
    given: tuple[Spec, tuple[int, ...]], cores: int, stops: int, seed: int
) -> None:
    """Trained on one core, and on several by another plan, in another order of the runs and from a checkpoint.

    Where the rule calls runs independent, three of them have these bits alone too.
    """
    spec, inputs = given
    whole = bits(spec, inputs, Profile.guess(1), random.Random(0))
    assert len(whole) >= 9 * 3
    assert bits(spec, inputs, Profile.guess(cores), random.Random(seed), stops) == whole
    _, infos = described(spec, inputs)
    if arrange(spec, spec.expanded[0].treatment, infos[0], "cpu").independent:
        arm = seed % 3
        label = spec.expanded[arm].label
        one = parse(spec.canonical() | {"arms": [(spec.arms or [])[arm]], "seeds": [SEEDS[seed % 2]]})
        alone = bits(one, inputs, Profile.guess(1), random.Random(0))
        assert alone == {key: whole[key] for key in alone}
        assert {key[0] for key in alone} == {label}


COMPANIES: list[dict[str, Any]] = [
    {"model": {"name": "mlp", "hidden": [32, 48, 16]}, "batch_size": 2000},
    {"model": {"name": "mlp", "hidden": [32, 48], "activation": "linear"}, "batch_size": 2000},
    {"model": {"name": "mlp", "hidden": [128, 64]}, "batch_size": 2000, "optimizer": "sgd"},
    {
        "model": {
            "name": "sequential",
            "layers": [{"dense": 32}, {"dense": {"units": 48, "bias": False}}, "relu", {"dense": "outputs"}],
        },
        "batch_size": 2000,
    },
    {"model": {"name": "mlp", "hidden": [64]}, "batch_size": 128, "optimizer": {"name": "lars", "lr": 0.1}},
    {"model": {"name": "mlp", "hidden": []}, "batch_size": 128, "optimizer": {"name": "lamb", "lr": 0.005}},
    {"model": {"name": "mlp", "hidden": []}, "batch_size": 64, "lr_per_layer": {"*.bias": 0.1}},
    {"model": {"name": "mlp", "hidden": []}, "batch_size": 64, "optimizer": {"name": "lars", "lr": 0.1}},
]
"""Networks on tables, of one output or several, in cohorts small and large enough for arms to share their batches."""


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("inputs", [5, 10, 15, 20])
@pytest.mark.parametrize("of", COMPANIES, ids=lambda of: f"{of['model']['name']}-{of['batch_size']}")
def test_a_run_called_independent_has_its_bits_alone_and_in_any_company(
    of: dict[str, Any], inputs: int, outputs: int
) -> None:
    rule = {"optimizer": {"name": "adamw", "lr": 0.005}, "epochs": 4, "layout": "vmap", "seeds": [3, 7]}
    spec = parse(rule | of | {"arms": [{"label": "a"}, {"label": "b", "optimizer.lr": 0.001}]})
    draws = torch.Generator().manual_seed(inputs)
    x, y = (torch.randn(442, n, generator=draws) for n in (inputs, outputs))
    data, info = Splits(x[:353], y[:353], x[353:], y[353:]), DatasetInfo((inputs,), outputs, 353, 89, "regression")
    steps = spec.updates_per_epoch(info.train)
    of_arm = ArmInfo(info, size(spec.model, info.inputs, outputs), steps, steps * spec.epochs)
    independent = arrange(spec, spec.expanded[0].treatment, of_arm, "cpu").independent
    assert independent == (outputs > 1 and (spec.model.name == "sequential" or bool(of["model"]["hidden"])))
    if not independent:
        return
    lanes = [Lane(2 * i + j, spec.expanded[i].treatment, s) for i in (0, 1) for j, s in enumerate([3, 7])]

    def series(some: list[Lane]) -> dict[tuple[int, str], bytes]:
        recorder = MemoryRecorder()
        train_lanes(some, data, info, recorder, TrainOptions.of(spec, "cpu", "vmap"))
        return {key: values.tobytes() for key, values in recorder.series.items()}

    whole = series(lanes)
    for company in ([0], [3], [0, 1], [0, 2], [0, 1, 3]):
        some = series([lanes[i] for i in company])
        assert some == {key: whole[key] for key in some}, company


def test_a_gradients_length_does_not_depend_on_its_company() -> None:
    """A CPU sums over an inner dimension alike for any number of lanes, over an outer one not for a single lane."""
    random = torch.Generator().manual_seed(0)
    stacks = [torch.randn(9, *shape, generator=random) for shape in [(16, 5), (16,), (), (3, 16), (3,), (2, 3, 3, 3)]]
    whole = total_lengths(stacks)
    for first, last in itertools.combinations(range(10), 2):
        assert torch.equal(total_lengths([stack[first:last].clone() for stack in stacks]), whole[first:last])


T16 = {
    "dataset": "digits",
    "model": {"name": "mlp", "hidden": [64, 64]},
    "optimizer": {"name": "sgd", "lr": 0.3, "momentum": 0.9},
    "batch_size": 64,
    "epochs": 3,
}


def test_the_library_gives_a_run_the_same_bits_in_any_experiment_and_with_any_threads() -> None:
    def series(seeds: list[int], threads: int) -> dict[tuple[int, str], bytes]:
        torch.set_num_threads(threads)
        results = train(parse(T16 | {"seeds": seeds}), DatasetPaths())
        assert torch.get_num_threads() == threads
        metrics = ("train_loss", "valid_loss", "valid_accuracy")
        return {(one.seed, m): one.values.tobytes() for m in metrics for one in results.series(m)}

    two, four = series([3, 7], 1), series([3, 7, 0, 5], 2)
    torch.set_num_threads(1)
    assert two == {key: four[key] for key in two}
    assert {key: four[key] for key in four if key[0] == 5} == series([5], 1)


def test_a_product_does_not_depend_on_where_in_memory_it_begins() -> None:
    """Without MKL's strict mode one in lanes of 84 bytes had other bits than the same alone, on a CPU with AVX-512."""
    draws = torch.Generator().manual_seed(0)
    weights = torch.randn(9, 752, generator=draws)[:, 592:688].unflatten(1, (3, 32))
    inputs = torch.randn(9, 32, 7, generator=draws)
    together = torch.bmm(weights, inputs)
    for lane in range(9):
        alone = torch.bmm(weights[lane : lane + 1].clone(), inputs[lane : lane + 1].clone())
        assert torch.equal(alone[0], together[lane])
