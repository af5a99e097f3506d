"""Every model x every optimizer x three schedules: the lanes against the plain loop, in float64.

What is registered is tested by existing: a newcomer with its defaults, until it has smaller ones here. Torchvision's
cheapest model, still 1,000 times the others, meets one optimizer; test_models_in_lanes.py has more of them.
"""

from typing import Any

import pytest
import torch

from core.models import models
from core.optimizers import optimizers
from tests.core.entries import raw
from tests.core.training.trials import CHOICES, COLOURED, CUT, PICTURES, assert_near, made, referred, rule, trained

MODELS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    # smooth activations, and no batch norm behind a bias, whose gradient would be rounding alone: lion takes its sign
    "mlp": (PICTURES, {"hidden": [8, 6], "activation": "tanh", "dropout": 0.3, "norm": "layer_norm"}),
    "cnn": (PICTURES, {"channels": [3], "dense": [6], "activation": "elu", "batch_norm": False}),
    "lenet5": (COLOURED, {}),
    "resnet": (PICTURES, {"depth": 8}),
    "transformer": (PICTURES, {"d_model": 8, "heads": 2, "layers": 1, "dropout": 0.3}),
    "torchvision": ((1, 32, 32), {"model": "squeezenet1_1"}),
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {"schedule": "constant", "epochs": 2},
    "reduce_on_plateau": {"schedule": CUT, "epochs": 3},
    "onecycle": {"schedule": "onecycle", "epochs": 2},
}
PAIRS = [
    (model, optimizer) for model in models for optimizer in optimizers if model != "torchvision" or optimizer == "sgd"
]


def assert_lanes_are_the_plain_loop(
    make_lanes: Any, model: str, optimizer: dict[str, Any], schedule: str, layout: str = "vmap"
) -> None:
    """Epochs of three updates, the third of a smaller batch.

    Sums in another order differ by 1e-16 of their terms, and by more of what is left where terms cancel; nine updates
    at these rates make it 1e-12 at most.
    """
    inputs, parameters = MODELS.get(model, (PICTURES, raw("model", model)))
    data, info = made(inputs, train=22, valid=10)
    lanes = make_lanes(
        {"initializer": "torch_default"},
        {"initializer": "glorot_normal", "optimizer.lr": optimizer.get("lr", 0.001) / 2},
        seeds=(0, 3),
        model={"name": model, **parameters},
        optimizer=optimizer,
        batch_size=8,
        **SCHEDULES[schedule],
    )
    fast = trained(lanes, data, info, dtype=torch.float64, layout=layout)
    assert all(len(fast.series[lane.run, "train_loss"]) == 3 * lane.treatment.epochs for lane in lanes)
    assert_near(fast, referred(lanes, data, info), 1e-10, 1e-13)


@pytest.mark.thin(2)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("model", "optimizer"), PAIRS)
def test_lanes_are_the_plain_loop(make_lanes: Any, model: str, optimizer: str, schedule: str) -> None:
    assert_lanes_are_the_plain_loop(make_lanes, model, rule(optimizer), schedule)


@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_of_an_optimizer_is_the_plain_loops(make_lanes: Any, choice: str) -> None:
    assert_lanes_are_the_plain_loop(make_lanes, "mlp", rule(choice), "reduce_on_plateau")


@pytest.mark.parametrize("model", models)
def test_lanes_one_after_the_other_are_the_plain_loop(make_lanes: Any, model: str) -> None:
    optimizer = "sgd" if model == "torchvision" else "adam"
    assert_lanes_are_the_plain_loop(make_lanes, model, rule(optimizer), "reduce_on_plateau", layout="loop")
