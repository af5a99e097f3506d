"""The spec: what a request means, how it is written down, and where a problem lies."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import unfold

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import LIMITS, check, parse

WARMUP = {"name": "linear_warmup", "warmup_steps": 3, "after": {"name": "cosine", "eta_min": 0.1}}


def _paths(raw: Any) -> list[str]:
    with pytest.raises(InvalidSpec) as refusal:
        parse(raw)
    return [problem.path for problem in refusal.value.problems]


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"seeds": 3, "arms": [{"initializer": "kaiming_normal"}, {"label": "b", "optimizer.lr": 0.1}]},
        {"seeds": [5, 1], "grid": {"initializer": ["zeros", {"name": "uniform", "low": -1}], "optimizer.lr": [0.1, 1]}},
        {"arms": [{"schedule": WARMUP}, {"schedule": WARMUP, "schedule.after.eta_min": 0.2}], "baseline": None},
        {"grid": {"schedule.after.eta_min": [0.1, 0.3], "batch_size": [1, 2]}, "schedule": WARMUP},
    ],
    ids=["nothing", "arms", "grid", "nested", "nested grid"],
)
def test_the_canonical_form_is_plain_complete_and_means_the_same(raw: dict[str, Any]) -> None:
    spec = parse(raw)
    canonical = spec.canonical()
    assert json.loads(json.dumps(canonical)) == canonical
    again = parse(canonical)
    assert again.canonical() == canonical
    assert [(arm.label, arm.treatment) for arm in again.expanded] == [
        (arm.label, arm.treatment) for arm in spec.expanded
    ]


def test_defaults_are_written_out_and_aliases_are_gone() -> None:
    swish = {"name": "mlp", "activation": "swish"}
    canonical = parse({"initializer": "kaiming_uniform", "optimizer": "sgd", "seeds": 2, "model": swish}).canonical()
    assert canonical["model"]["activation"] == "silu"
    assert canonical["initializer"].items() >= {"name": "he_uniform", "mode": "fan_in", "a": 0.0, "bias": None}.items()
    assert canonical["optimizer"].items() >= {"name": "sgd", "lr": 0.01, "momentum": 0.0}.items()
    assert canonical["seeds"] == [0, 1]
    assert canonical["dataset"]["name"] == "digits"


def test_an_arm_replaces_what_it_names_and_keeps_the_rest() -> None:
    spec = parse(
        {
            "optimizer": {"name": "sgd", "lr": 0.5, "momentum": 0.9},
            "batch_size": 32,
            "arms": [{"label": "a", "optimizer.lr": 0.1}, {"label": "b", "optimizer": "adam", "optimizer.lr": 0.2}, {}],
        }
    )
    a, b, base = (arm.treatment for arm in spec.expanded)
    assert (a.optimizer.name, a.optimizer.lr, a.optimizer.momentum, a.batch_size) == ("sgd", 0.1, 0.9, 32)
    assert (b.optimizer.name, b.optimizer.lr, b.batch_size) == ("adam", 0.2, 32)
    assert base.optimizer.lr == 0.5


def test_a_dotted_path_reaches_into_a_nested_entry() -> None:
    spec = parse({"schedule": WARMUP, "arms": [{"schedule.after.eta_min": 0.7}, {"schedule.after": "constant"}]})
    first, second = (arm.treatment.schedule for arm in spec.expanded)
    assert (first.warmup_steps, first.after.name, first.after.eta_min) == (3, "cosine", 0.7)
    assert second.after.name == "constant"


def test_a_grid_is_the_product_in_order() -> None:
    spec = parse({"grid": {"initializer": ["zeros", "ones"], "batch_size": [8, 16, 32]}})
    cells = [(arm.treatment.initializer.name, arm.treatment.batch_size) for arm in spec.expanded]
    assert cells == [(name, size) for name in ("zeros", "ones") for size in (8, 16, 32)]
    assert len({arm.label for arm in spec.expanded}) == 6
    assert spec.expanded[1].label == "initializer=zeros, batch_size=16"


@pytest.mark.parametrize(
    ("arm", "label"),
    [
        ({"initializer": "he_normal"}, "he_normal"),
        ({"initializer": {"name": "uniform", "low": -0.5, "high": 0.5}}, "uniform(low=-0.5, high=0.5)"),
        (
            {
                "initializer": {
                    "name": "per_layer",
                    "default": "he_normal",
                    "layers": {"fc3": {"name": "he_normal", "a": 1.0}},
                }
            },
            "per_layer(default=he_normal, layers={fc3: he_normal(a=1.0)})",
        ),
        ({"model": {"name": "mlp", "hidden": [16, 8]}}, "mlp(hidden=[16, 8])"),
        ({"batch_size": 32}, "batch_size=32"),
        ({"optimizer.lr": 0.1}, "optimizer.lr=0.1"),
        ({"label": "mine", "epochs": 3}, "mine"),
    ],
)
def test_an_arm_without_a_label_is_called_by_what_it_sets(arm: dict[str, Any], label: str) -> None:
    assert parse({"arms": [arm]}).expanded[0].label == label


def test_long_labels_are_cut_or_begin_where_they_differ() -> None:
    def labels(*last: int) -> list[str]:
        grid = [{"name": "mlp", "hidden": [*[100] * 40, units]} for units in last]
        return [arm.label for arm in parse({"grid": {"model": grid}}).expanded]

    assert labels(5, 6) == ["... 5])", "... 6])"]
    assert labels(5) == [f"mlp(hidden=[{', '.join(['100'] * 40)}"[:120]]
    with pytest.raises(InvalidSpec, match="is the label of arm 0 already"):
        labels(5, 5)


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        # the fault lies in the arm that set it, and in the base where no arm did
        ({"arms": [{}, {"label": "b", "initializer": {"name": "he_normal", "a": -1}}]}, ["arms[1].initializer.a"]),
        ({"arms": [{"label": "a", "optimizer.lr": "x"}]}, ["arms[0].optimizer.lr"]),
        ({"arms": [{"optimizer": "adam", "optimizer.lr": -1}]}, ["arms[0].optimizer.lr"]),
        ({"arms": [{"schedule": WARMUP | {"after": "cosin"}}]}, ["arms[0].schedule.after.name"]),
        ({"grid": {"batch_size": [1, 0, "2"]}}, ["grid.batch_size[1]", "grid.batch_size[2]"]),
        ({"arms": [{"modle": "mlp"}, {"label": "b", "epoch": 1}]}, ["arms[0].modle", "arms[1].epoch"]),
        ({"optimizer": {"name": "adam", "lr": 0}, "arms": [{}, {"label": "b"}]}, ["optimizer.lr"]),
        ({"model": {"name": "mlp", "hidden": [4, 0]}}, ["model.hidden[1]"]),
        ({"tags": ["ok", "\n"]}, ["tags[1]"]),
    ],
)
def test_a_problem_has_the_path_where_the_request_has_it(raw: dict[str, Any], paths: list[str]) -> None:
    assert _paths(raw) == paths


def test_check_tells_each_arms_size() -> None:
    spec = parse({"model": {"name": "mlp", "hidden": [16]}, "epochs": 3, "grid": {"batch_size": [100, 1000]}})
    first, second = check(spec, DatasetPaths())
    assert first.size.parameters == 64 * 16 + 16 + 16 * 10 + 10
    assert (first.data.train, first.data.valid) == (1438, 359)  # of 1,797 a fifth, rounded, is held out
    assert (first.steps_per_epoch, first.steps) == (15, 45)
    assert (second.steps_per_epoch, second.steps) == (2, 6)


@pytest.mark.parametrize(
    "model",
    [
        {"name": "mlp", "hidden": [16, 9], "dropout": 0.1, "norm": "batch_norm"},
        {"name": "mlp", "hidden": []},
        {"name": "cnn", "channels": [4], "dense": [7], "dropout": 0.5},
    ],
    ids=str,
)
def test_a_forward_pass_is_counted_layer_by_layer(model: dict[str, Any]) -> None:
    (fact,) = check(parse({"model": model}), DatasetPaths())
    with torch.random.fork_rng():
        module = parse({"model": model}).model.build()((1, 8, 8), 10).eval()
    seen = [64]
    patches, dropped = [], []

    def look(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        seen.append(output[0].numel())
        if isinstance(layer, nn.Conv2d):
            assert not isinstance(layer.padding, str)
            patches.append(unfold(inputs[0][:1], layer.kernel_size, padding=layer.padding).numel())
        if isinstance(layer, nn.Dropout):
            dropped.append(output[0].numel())

    for layer in module.modules():
        if not list(layer.children()):
            layer.register_forward_hook(look)
    module(torch.zeros(3, 1, 8, 8))
    assert fact.size.activations == sum(seen)
    assert (fact.size.patches, fact.size.dropped) == (sum(patches), sum(dropped))
    named = [layer for layer in module.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    flops = [2 * layer.weight.numel() * (64 if isinstance(layer, nn.Conv2d) else 1) for layer in named]  # 8 x 8 pixels
    dense = sum(count for layer, count in zip(named, flops, strict=True) if isinstance(layer, nn.Linear))
    assert (fact.size.dense_flops, fact.size.conv_flops) == (dense, sum(flops) - dense)


@pytest.mark.parametrize(("model", "calls"), [("mlp", 5), ({"name": "mlp", "hidden": [4], "dropout": 0.1}, 4)], ids=str)
def test_layers_that_compute_are_counted(model: Any, calls: int) -> None:
    (fact,) = check(parse({"model": model}), DatasetPaths())
    assert fact.size.calls == calls


def test_an_attention_counts_its_products() -> None:
    """Four projections of 8 x 8, and scores and their use, for 4 tokens; an MLP of 8 x 32; embedding and head."""
    model = {"name": "transformer", "patch": 4, "d_model": 8, "heads": 2, "layers": 1, "mlp_ratio": 4}
    (fact,) = check(parse({"model": model}), DatasetPaths())
    tokens, width = 4, 8
    attention = 4 * width**2 * tokens + 2 * tokens**2 * width
    assert fact.size.dense_flops == 2 * (attention + 2 * 4 * width**2 * tokens + 16 * width * tokens + 10 * width)
    assert fact.size.conv_flops == 0


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ({"arms": [{}, {"label": "b", "model": {"name": "mlp", "hidden": [65_536] * 2}}]}, "arms[1].model"),
        ({"grid": {"model": [{"name": "mlp", "hidden": [65_536] * 2}]}}, "grid.model"),
        ({"dataset": "fashion_mnist"}, "dataset"),
        ({"epochs": LIMITS.epochs, "seeds": 4}, "epochs"),
        ({"arms": [{}, {"dataset": "diabetes"}]}, "arms[1].dataset"),
        ({"grid": {"dataset": ["digits", "breast_cancer"], "initializer": ["zeros", "he_normal"]}}, "grid.dataset"),
        ({"schedule": {"name": "reduce_on_plateau", "metric": "valid_r2"}}, "schedule"),
        (
            {
                "dataset": "diabetes",
                "arms": [
                    {"schedule": "reduce_on_plateau"},
                    {"schedule": WARMUP | {"after": {"name": "reduce_on_plateau", "metric": "valid_accuracy"}}},
                ],
            },
            "arms[1].schedule",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(raw: dict[str, Any], path: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths(tmp_path))
    assert [problem.path for problem in refusal.value.problems] == [path]


def test_a_target_is_stored_and_none_is_left_out() -> None:
    target = {"metric": "valid_accuracy", "value": 0.9}
    spec = parse({"target": target})

    assert check(spec, DatasetPaths())
    assert spec.canonical()["target"] == target
    assert parse(spec.canonical()) == spec
    assert "target" not in parse({}).canonical()


@pytest.mark.parametrize(
    ("target", "path", "words"),
    [
        ({"metric": "valid_accuracy", "value": 90}, "target.value", "0.9 is 90 %"),
        ({"metric": "valid_accuracy", "value": 0.0}, "target.value", "above 0"),
        ({"metric": "valid_r2", "value": 1.5}, "target.value", "at most 1"),
        ({"metric": "valid_loss", "value": -1.0}, "target.value", "above 0"),
        ({"metric": "valid_accuracy", "value": float("nan")}, "target.value", "finite"),
        ({"metric": "valid_accuracy"}, "target.value", "required"),
        ({"metric": "valid_acuracy", "value": 0.9}, "target.metric", "did you mean 'valid_accuracy'"),
        ({"metric": "valid_r2", "value": 0.9}, "target.metric", "unknown metric of a multiclass task"),
        ({"metric": "train_loss", "value": 0.1}, "target.metric", "unknown metric"),
    ],
)
def test_a_target_that_cannot_be_is_refused(target: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        check(parse({"target": target}), DatasetPaths())
    (problem,) = caught.value.problems
    assert problem.path == path
    assert words in problem.message
