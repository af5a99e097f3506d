"""Networks that are built to show what can be wrong, and healthy ones of which nothing is said."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.analysis import build_report, findings, markdown
from core.analysis.findings import Curves, rules
from core.analysis.shapes import FindingReport
from core.datasets import DatasetPaths
from core.results import Results, Series
from core.spec import parse
from core.training import train
from tests.core.analysis.reading import not_none

DEEP = {"name": "mlp", "hidden": [24] * 8}
NORMAL = {"name": "normal"}
FAST: dict[str, Any] = {"batch_size": 100, "epochs": 2, "diagnostics": {"every": 10}, "seeds": 3}


def trained(arm: dict[str, Any], **more: Any) -> Results:
    return train(parse(FAST | more | {"arms": [{"label": "a"} | arm]}), DatasetPaths())


def kinds(found: list[FindingReport]) -> dict[str, FindingReport]:
    assert len({(one["arm"], one["kind"]) for one in found}) == len(found)
    for one in found:
        assert one.keys() == {"arm", "kind", "layer", "step", "evidence", "explanation", "explained_by"}
        assert 2 * one["evidence"]["seeds"] > one["evidence"]["of"] > 0
        assert "{" not in one["explanation"]
    json.dumps(found, allow_nan=False)
    return {one["kind"]: one for one in found}


def deep(activation: str, std: float, **more: Any) -> dict[str, Any]:
    return {"model": DEEP | {"activation": activation}, "initializer": NORMAL | {"std": std}} | more


NEGATIVE = {"name": "he_normal", "bias": -10.0}
RATES = {"lr_too_small", "lr_too_large", "flat_loss"}
ILL: dict[str, tuple[dict[str, Any], dict[str, Any], set[str], set[str]]] = {
    "zeros": ({"initializer": "zeros"}, {}, {"symmetry"}, RATES | {"overfitting"}),
    "ones": ({"initializer": "ones"}, {}, {"symmetry"}, RATES | {"overfitting"}),
    "ones, a large rate": (
        {"initializer": "ones", "optimizer": {"name": "sgd", "lr": 1.0}}, {}, {"symmetry"}, RATES | {"overfitting"},
    ),
    "ones with dropout": (
        {"initializer": "ones", "model": {"name": "mlp", "hidden": [32, 16], "dropout": 0.2}},
        {},
        {"symmetry"},
        {"lr_too_small"},
    ),
    "deep sigmoid, small weights": (
        deep("sigmoid", 0.05),
        {},
        {"vanishing_gradients"},
        RATES | {"exploding_gradients", "symmetry", "dead_relu", "saturation"},
    ),
    "deep sigmoid, large weights": (deep("sigmoid", 5.0), {}, {"saturation"}, {"dead_relu", "vanishing_activations"}),
    "deep tanh, large weights": (deep("tanh", 5.0), {}, {"saturation"}, {"dead_relu", "vanishing_activations"}),
    "deep tanh, small weights": (
        deep("tanh", 0.02),
        {},
        {"vanishing_activations", "vanishing_gradients"},
        RATES | {"saturation", "exploding_activations"},
    ),
    "deep linear, large weights": (
        deep("linear", 1.0),
        {},
        {"exploding_activations", "exploding_gradients"},
        RATES | {"vanishing_activations", "vanishing_gradients", "saturation", "dead_relu"},
    ),
    "rectifiers far below zero": (
        {"initializer": NEGATIVE},
        {},
        {"dead_relu"},
        RATES | {"symmetry", "exploding_activations"},
    ),
    "rectifiers that a large rate kills": (
        {"initializer": "he_normal", "optimizer": {"name": "adam", "lr": 3.0}},
        {},
        {"lr_too_large", "dead_relu"},
        {"symmetry", "lr_too_small", "flat_loss"},
    ),
}  # fmt: skip
"""The arm, what else the spec says; what must be found, and what must not."""
FIRST = {
    "deep sigmoid, small weights": "vanishing_gradients",
    "deep tanh, small weights": "vanishing_activations",
    "deep linear, large weights": "exploding_activations",
    "rectifiers far below zero": "dead_relu",
    "rectifiers that a large rate kills": "lr_too_large",
}
"""What the others follow from, where it is not `symmetry` or `saturation`."""


@pytest.mark.parametrize("name", ILL)
def test_what_is_wrong_is_found(name: str) -> None:
    arm, more, wanted, unwanted = ILL[name]
    results = trained(arm, **more)
    found = kinds(findings(results))
    assert wanted <= found.keys()
    assert not unwanted & found.keys()
    first, *others = found.values()
    cause = FIRST.get(name, "saturation" if "saturation" in wanted else "symmetry")
    assert (first["kind"], first["explained_by"]) == (cause, None)
    assert {one["explained_by"] for one in others} <= {cause}
    for kind in wanted - {"lr_too_large"}:
        assert not_none(found[kind]["layer"]) in found[kind]["explanation"]
        assert found[kind]["layer"] in found[kind]["evidence"]["layers"]
        assert found[kind]["evidence"]["of"] == 3


@pytest.mark.parametrize("diagnostics", [None, {"every": 10}])
@pytest.mark.parametrize(
    ("lr", "kind"), [(100.0, "lr_too_large"), (1e-9, "lr_too_small")], ids=["too large", "too small"]
)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_rate_that_is_wrong_is_found(optimizer: str, lr: float, kind: str, diagnostics: Any) -> None:
    model = {"name": "mlp", "hidden": [32], "activation": "tanh"}
    results = trained(
        {"initializer": "glorot_normal", "optimizer": {"name": optimizer, "lr": lr}},
        model=model,
        diagnostics=diagnostics,
    )
    found = kinds(findings(results))
    assert kind in found
    assert {"lr_too_large", "lr_too_small"} & found.keys() == {kind}
    assert found[kind]["layer"] is None
    assert found[kind]["evidence"]["largest_lr"] == pytest.approx(lr)
    assert ("`diagnostics`" in found[kind]["explanation"]) == (kind == "lr_too_large" and diagnostics is None)
    text = markdown(build_report(results), results)
    assert f"a, {kind.replace('_', ' ')}, in 3 of 3 runs: " in text


def test_a_loss_that_is_no_number_any_more_is_a_rate_too_large() -> None:
    model = {"name": "mlp", "hidden": [8], "activation": "linear"}
    results = trained({"optimizer": {"name": "sgd", "lr": 1e12}}, model=model, diagnostics=None)
    assert {run.outcome for run in results.runs} == {"diverged"}
    (found,) = findings(results)
    assert (found["kind"], found["evidence"]["seeds"]) == ("lr_too_large", 3)
    assert f"no number after {found['evidence']['updates']:g} updates" in found["explanation"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param({"name": "two_spirals", "noise": 2.0, "examples": 200}, "accuracy", id="classes"),
        pytest.param({"name": "diabetes"}, "R²", id="a regression", marks=pytest.mark.slow),
    ],
)
def test_few_examples_many_times_over_fit(data: dict[str, Any], words: str) -> None:
    results = trained(
        {}, dataset=data, epochs=60, model={"name": "mlp", "hidden": [64, 64]}, batch_size=40,
        optimizer={"name": "adam", "lr": 0.01}, diagnostics=None,
    )  # fmt: skip
    (found,) = findings(results)
    assert found["kind"] == "overfitting"
    evidence = found["evidence"]
    assert evidence["last_valid_loss"] > 1.1 * evidence["best_valid_loss"]
    assert evidence["train"] > evidence["valid"]
    assert f"while the {words} was " in found["explanation"]


HEALTHY: dict[str, dict[str, Any]] = {
    "he, rectifiers": {"initializer": "he_normal", "model": {"name": "mlp", "hidden": [64, 32]}},
    "he, many layers": {"initializer": "he_normal", "model": {"name": "mlp", "hidden": [64] * 6}},
    "glorot, tanh": {
        "initializer": "glorot_normal", "model": {"name": "mlp", "hidden": [64, 32], "activation": "tanh"},
    },
    "PyTorch's default": {"initializer": "torch_default"},
    "batch norm": {"model": {"name": "cnn", "channels": [8, 16], "dense": [32]}, "initializer": "he_normal"},
    "orthogonal, dropout": {"initializer": "orthogonal", "model": {"name": "mlp", "hidden": [64, 32], "dropout": 0.3}},
    "residual branches that start at zero": {
        "initializer": {
            "name": "per_layer", "default": "glorot_uniform",
            "layers": {f"encoder.{i}.{name}": "zeros" for i in (0, 1) for name in ("out", "fc2")},
        },
        "epochs": 1, "model": {"name": "transformer", "d_model": 16, "layers": 2},
    },
    "a residual network": {"initializer": "he_normal", "model": {"name": "resnet", "depth": 8}, "epochs": 1},
    "an output layer that starts at zero": {
        "initializer": {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros"}},
        "model": {"name": "mlp", "hidden": [64, 32]},
    },
    "no hidden layer": {"initializer": "zeros", "model": {"name": "mlp", "hidden": []}, "optimizer.lr": 0.01},
}  # fmt: skip


SLOW = ("batch norm", "a residual network", "residual branches that start at zero")
"""What takes seconds: convolutions to train, and the first attention until torch has its compiler imported."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in HEALTHY]
)
@pytest.mark.parametrize("every", [10, 10_000], ids=["looked at often", "looked at once"])
def test_of_the_healthy_nothing_is_said(name: str, every: int) -> None:
    assert findings(trained(HEALTHY[name], diagnostics={"every": every}, seeds=2)) == []


def test_of_a_healthy_regression_nothing_is_said() -> None:
    data = {"name": "teacher_student", "examples": 3_000}
    results = trained({"initializer": "he_normal"}, dataset=data, epochs=3, optimizer={"name": "adam", "lr": 0.003})
    assert results.design.primary.name == "valid_loss"
    assert findings(results) == []


def of(results: Results, change: Callable[[Series], Series | None]) -> Results:
    """The same results with other series."""
    kept = {
        metric: [new for one in results.series(metric) if (new := change(one)) is not None]
        for metric in ("train_loss", "lr", "valid_loss", "valid_accuracy", "train_accuracy", *_diagnostics())
    }
    return replace(results, series=lambda m: kept.get(m, []))


def _diagnostics() -> tuple[str, ...]:
    return ("activation_std", "activation_dead", "gradient_norm", "weight_norm", "neuron_cosine", *REST)


REST = ("activation_mean", "activation_zeros", "activation_saturated", "update_ratio", "effective_rank")


@pytest.fixture(scope="module")
def healthy() -> Results:
    return trained(HEALTHY["he, rectifiers"], seeds=4)


@pytest.mark.parametrize(("ill", "said"), [(2, False), (3, True)])
def test_it_is_said_only_where_most_runs_have_it(healthy: Results, ill: int, said: bool) -> None:
    def dead(one: Series) -> Series:
        if one.metric == "activation_dead/fc2" and one.run_id < ill:
            return one._replace(values=np.full(len(one.values), 0.75))
        return one

    found = findings(of(healthy, dead))
    assert [(one["kind"], one["layer"], one["evidence"]["seeds"], one["evidence"]["of"]) for one in found] == (
        [("dead_relu", "fc2", 3, 4)] if said else []
    )
    if said:
        assert found[0]["evidence"]["activation_dead"] == 0.75
        assert found[0]["evidence"]["layers"] == ["fc2"]


def test_numbers_that_are_none_are_found_and_null(healthy: Results) -> None:
    def burst(one: Series) -> Series:
        if one.metric == "activation_std/fc2":
            return one._replace(values=np.append(one.values[:-1], math.inf))
        return one

    (found,) = findings(of(healthy, burst))
    assert (found["kind"], found["layer"], found["evidence"]["last_std"]) == ("exploding_activations", "fc2", None)
    assert "no finite number" in found["explanation"]


@pytest.mark.parametrize(("low", "said"), [(0.01, False), (0.2, True)])
def test_a_rise_that_is_nothing_is_no_overfitting(low: float, said: bool) -> None:
    """Of a validation loss near zero a half is hardly anything."""

    def rising(one: Series) -> Series:
        last = {"valid_loss": [2 * low, low, 1.5 * low], "train_accuracy": [0.8, 0.9, 1.0]}.get(one.metric)
        return one if last is None else one._replace(values=np.array(last))

    results = trained(HEALTHY["he, rectifiers"], seeds=1, epochs=3, diagnostics=None)
    assert ["overfitting"] * said == [one["kind"] for one in findings(of(results, rising))]


def test_what_is_measured_so_far_is_enough(healthy: Results) -> None:
    """A run that has just begun, and one of which nothing is there."""

    def begun(one: Series) -> Series | None:
        return one._replace(steps=one.steps[:1], values=one.values[:1]) if one.run_id else None

    assert findings(of(healthy, begun)) == []


def test_every_kind_is_explained_and_tried_here() -> None:
    tried = {kind for _, _, wanted, _ in ILL.values() for kind in wanted} - RATES
    of_curves = {name for name, rule in rules.items() if rule.looks_at is Curves}
    assert set(rules) - tried == of_curves, "train a network into what a rule about layers finds, in ILL"
    assert of_curves >= {"flat_loss", "lr_too_large", "lr_too_small", "overfitting"}
