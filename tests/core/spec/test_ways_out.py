"""Refusals of what other tools call otherwise: each says how to say it here."""

from typing import Any

import pytest

from core.errors import InvalidSpec
from core.spec import parse
from core.spec._elsewhere import CATALOGUES, ELSEWHERE
from core.spec._treatment import Treatment

LAYERS = [{"dense": 16}, "relu", {"dense": "outputs"}]


def listed(layer: Any) -> dict[str, Any]:
    return {"model": {"name": "sequential", "layers": [LAYERS[0], layer, *LAYERS[1:]]}}


WEIGHTS = 'should be "balanced", or a list of a number for each class'


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"gradient_accumulation": 4}, "gradient_accumulation", "is micro_batch_size here"),
        ({"amp": True}, "amp", 'is precision here: "precision": "bf16"'),
        ({"dropout": 0.1}, "dropout", "model.dropout"),
        ({"lr": 0.1}, "lr", "optimizer.lr"),
        ({"arms": [{"amp": True}]}, "arms[0].amp", "unknown setting 'amp': is precision here"),
        ({"grid": {"weight_decay": [0.1]}}, "grid.weight_decay[0]", "optimizer.weight_decay"),
        ({"batchsize": 4}, "batchsize", "did you mean 'batch_size'?"),
        ({"Epochs": 4}, "Epochs", "did you mean 'epochs'?"),
        ({"class_weights": "balance"}, "class_weights", WEIGHTS),
        ({"class_weights": {"0": 1}}, "class_weights", WEIGHTS),
        ({"class_weights": [1.0, -1.0]}, "class_weights", WEIGHTS),
        ({"class_weights": [True, False]}, "class_weights", WEIGHTS),
        ({"gradient_clip": 1.0}, "gradient_clip", 'should be an object, such as {"norm": 1.0}'),
        ({"gradient_clip": {"max_norm": 1.0}}, "gradient_clip.max_norm", "is norm here"),
        ({"gradient_clip": {"nom": 1.0}}, "gradient_clip.nom", "did you mean 'norm'?"),
        ({"sam": True}, "sam", 'such as {"rho": 0.05'),
        ({"sam": 0.05}, "sam", 'such as {"rho": 0.05'),
        ({"sam": {"roh": 0.05}}, "sam.roh", "did you mean 'rho'?"),
        ({"focal_loss": 2.0}, "focal_loss", 'such as {"gamma": 2.0}'),
        ({"early_stopping": 3}, "early_stopping", '"patience": 3'),
        ({"arms": [{"sam": True}]}, "arms[0].sam", 'such as {"rho": 0.05'),
        (listed({"BatchNorm2d": 16}), "model.layers[1].BatchNorm2d", 'write "BatchNorm2d" alone'),
        (listed({"LayerNorm": 64}), "model.layers[1].LayerNorm", 'write "LayerNorm" alone'),
        (
            listed({"GroupNorm": {"num_groups": 2, "num_channels": 16}}),
            "model.layers[1].GroupNorm.num_channels",
            "follows from the layers before: leave it out",
        ),
        ({"test_fraction": 0.2}, "test_fraction", "is of the dataset: dataset.test_fraction, where it has one"),
        ({"arms": [{"split_seed": 1}]}, "arms[0].split_seed", "is of the dataset: dataset.split_seed"),
        ({"end_lr": 0.0}, "end_lr", "is of the schedule: schedule.end_lr"),
        ({"initializer": "TruncatedNormal"}, "initializer.name", "in Keras, truncated_normal, and one cut at ±2"),
    ],
    ids=str,
)
def test_the_way_out_is_said(given: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        parse(given)
    (problem,) = refusal.value.problems
    assert (problem.path, words in problem.message) == (path, True), problem


def test_every_parameter_of_an_entry_is_told_where_it_belongs() -> None:
    names = {name for known in CATALOGUES.values() for one in known for name in known[one].model_fields}
    assert {*names} - {*Treatment.model_fields} - {"name"} <= {*Treatment.elsewhere}


def test_a_list_of_another_length_is_told_in_our_words() -> None:
    with pytest.raises(InvalidSpec, match=r"arms: should have 1 or more, and has 0"):
        parse({"arms": []})


def test_no_name_of_elsewhere_is_one_of_ours() -> None:
    assert not {*ELSEWHERE} & {*Treatment.model_fields}


def test_whole_class_weights_are_numbers() -> None:
    assert parse({"class_weights": [1, 2]}).class_weights == [1.0, 2.0]
    assert parse({"class_weights": "balanced"}).class_weights == "balanced"
