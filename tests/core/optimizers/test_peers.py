"""Optimizers under the class names and parameters of other libraries."""

from typing import Any

import pytest
import torch
from pydantic_core import PydanticCustomError

from core.optimizers import optimizers

SAME: list[tuple[Any, Any]] = [
    ("Adam", "adam"),
    ("LAMB", "lamb"),
    ("Lion", "lion"),
    ("Adan", "adan"),
    ("AdamWScheduleFree", "schedule_free_adamw"),
    ("Nadam", {"name": "nadam", "lr": 0.001, "eps": 1e-7}),  # Keras'
    ("Momentum", {"name": "sgd", "lr": 0.001, "momentum": 0.9}),  # Paddle's
    ({"name": "AdamW", "betas": [0.8, 0.95]}, {"name": "adamw", "beta1": 0.8, "beta2": 0.95}),
    ({"name": "adan", "betas": [0.9, 0.8, 0.7]}, {"name": "adan", "beta1": 0.9, "beta2": 0.8, "beta3": 0.7}),
    (
        {"name": "Adam", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-7},
        {"name": "adam", "lr": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-7},
    ),
    ({"name": "adam", "b1": 0.8, "b2": 0.9}, {"name": "adam", "beta1": 0.8, "beta2": 0.9}),
    ({"name": "RMSprop", "rho": 0.9}, {"name": "rmsprop", "alpha": 0.9}),
]


@pytest.mark.parametrize(("given", "own"), SAME, ids=str)
def test_other_names_are_known(given: Any, own: Any) -> None:
    assert optimizers.parse(given) == optimizers.parse(own)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Adagrad"])
def test_torchs_class_names_have_torchs_defaults(name: str) -> None:
    theirs = getattr(torch.optim, name)([torch.zeros(1, requires_grad=True)]).defaults
    ours = optimizers.parse(name).parameters()
    betas = dict(zip(("beta1", "beta2"), theirs.get("betas", ()), strict=False))
    assert ours == {key: (theirs | betas)[key] for key in ours}


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"name": "adam", "betas": [0.9]}, "betas", "should be a list of 2 numbers: beta1, beta2"),
        ({"name": "SGD", "betas": [0.9, 0.99]}, "betas", "leave it out"),
        ({"name": "adam", "lr": 0.1, "learning_rate": 0.1}, "learning_rate", "is the same as lr"),
        ({"name": "adam", "clipnorm": 1.0}, "clipnorm", 'gradient_clip, such as {"norm": 1.0}'),
        ({"name": "adam", "fused": True}, "fused", "leave it out"),
        ({"name": "Adam", "epsilon": -1.0}, "epsilon", "greater than 0"),
        ({"name": "AdamX"}, "name", "did you mean 'adam"),
        ({"name": "ADAMW"}, "name", "did you mean 'adamw'?"),
        ({"name": "Muon_"}, "name", "did you mean 'muon'?"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_way_out(given: Any, path: str, words: str) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        optimizers.parse(given)
    (problem,) = (refusal.value.context or {})["problems"]
    assert (problem.path, words in problem.message) == (path, True), problem
