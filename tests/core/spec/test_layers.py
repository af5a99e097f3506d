"""A model's layers, and what a spec is told whose initializer does not fit them."""

from typing import Any

import pytest
import torch
from torch import nn

from core.datasets import DatasetPaths
from core.errors import InvalidSpec, Problem
from core.spec import check, layers_of, parse

MLP = {"name": "mlp", "hidden": [16, 12]}
CNN = {"name": "resnet"}


def problems(raw: Any) -> list[Problem]:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(raw), DatasetPaths())
    return list(refusal.value.problems)


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv1d(4, 8, 2, groups=2)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, kdim=6, vdim=5)
        self.head = nn.Linear(8, 3)
        self.head.ends_branch = True  # type: ignore[assignment]


def test_layers_are_told_in_the_models_order() -> None:
    with torch.device("meta"):
        layers = layers_of(Attentive())
    assert [(name, layer.shape, layer.role, layer.groups) for name, layer in layers.items()] == [
        ("embed", (8, 2, 2), "input", 2),
        ("attention.q_proj", (8, 8), "hidden", 1),
        ("attention.k_proj", (8, 6), "hidden", 1),
        ("attention.v_proj", (8, 5), "hidden", 1),
        ("attention.out_proj", (8, 8), "hidden", 1),
        ("head", (3, 8), "output", 1),
    ]
    assert all(layer.name == name and layer.branches == 1 for name, layer in layers.items())
    assert [name for name, layer in layers.items() if layer.ends_branch] == ["head"]
    assert layers_of(nn.Sequential(nn.Linear(2, 2, device="meta")))["0"].role == "only"


@pytest.mark.parametrize(
    ("model", "initializer"),
    [
        (MLP, "dirac"),
        (MLP, "delta_orthogonal"),
        (CNN, "identity"),
        (CNN, {"name": "sparse", "sparsity": 0.5}),
        (CNN, {"name": "per_layer", "default": "identity", "layers": {"fc": "zeros"}}),
    ],
    ids=str,
)
def test_a_layer_that_the_initializer_cannot_start_is_named(model: Any, initializer: Any) -> None:
    (problem,) = problems({"model": model, "initializer": initializer})
    first = "fc1" if model is MLP else "conv1"
    assert problem.path == "initializer"
    assert problem.message.startswith(f"cannot start layer '{first}': ")
    assert "per_layer" in problem.message


def test_the_problem_lies_in_the_arm_that_set_the_initializer() -> None:
    arms = [{"label": "a"}, {"label": "b", "initializer": "dirac"}]
    assert [problem.path for problem in problems({"model": MLP, "arms": arms})] == ["arms[1].initializer"]


@pytest.mark.parametrize(
    ("initializer", "path", "known"),
    [
        ({"name": "per_layer", "layers": {"fc4": "zeros"}}, "arms[0].initializer.layers.fc4", ("fc3", "fc2", "fc1")),
        (
            {"name": "mup", "base_width": 8, "of": {"name": "per_layer", "layers": {"fc9": "zeros"}}},
            "arms[0].initializer.of.layers.fc9",
            ("fc3", "fc2", "fc1"),
        ),
        ({"name": "depth_scaled", "n_layer": 4}, "arms[0].initializer.n_layer", ()),
    ],
)
def test_a_name_that_the_model_does_not_have_is_answered_with_its_own(
    initializer: Any, path: str, known: tuple[str, ...]
) -> None:
    (problem,) = problems({"model": MLP, "arms": [{"label": "a", "initializer": initializer}]})
    assert (problem.path, problem.known) == (path, known)


def test_mup_is_for_models_that_have_a_width() -> None:
    fixed = {"name": "torchvision", "model": "resnet18"}
    (problem,) = problems({"dataset": "digits", "model": fixed, "initializer": {"name": "mup", "base_width": 8}})
    assert (problem.path, "have a width" in problem.message) == ("initializer", True)


def test_heads_stay_as_many_under_mup() -> None:
    def arms(initializer: Any) -> dict[str, Any]:
        return {
            "model": "transformer",
            "initializer": initializer,
            "arms": [{"label": "a"}, {"label": "b", "model.heads": 8}],
        }

    (problem,) = problems(arms({"name": "mup", "base_width": 16}))
    assert (problem.path, "the same heads" in problem.message) == ("arms[1].model", True)
    check(parse(arms("he_normal")), DatasetPaths())


def test_what_fits_is_let_through() -> None:
    fitting = [
        *("orthogonal", "lsuv", "identity", "zero_init", {"name": "mup", "base_width": 8}),
        {"name": "per_layer", "default": "he_normal", "layers": {"fc3": "zeros"}},
    ]
    assert len(check(parse({"model": MLP, "grid": {"initializer": fitting}}), DatasetPaths())) == len(fitting)
    mixed = {"name": "per_layer", "default": "dirac", "layers": {"fc": "zeros"}}
    check(parse({"model": CNN, "initializer": mixed}), DatasetPaths())
