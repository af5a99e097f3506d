"""The arrangement of runs: a function of the spec and the kind of device, in the layout that was measured quicker."""

import math
from typing import Any

import pytest

from core.datasets import DatasetInfo
from core.metrics import Task
from core.spec import ArmInfo, parse, size
from core.training.planning.arrangement import WIDEST, Arrangement, arrange
from core.training.planning.profile import Device

DENSE = {"name": "mlp", "hidden": [64, 64]}


def arranged(
    model: dict[str, Any],
    inputs: tuple[int, ...] = (1, 8, 8),
    batch: int = 64,
    device: Device = "cpu",
    task: Task = "multiclass",
    train: int = 1437,
    **given: Any,
) -> Arrangement:
    spec = parse({"model": model, "batch_size": batch} | given)
    data = DatasetInfo(inputs, 1 if task == "binary" else 10, train, 359, task)
    steps = math.ceil(data.train / batch)
    info = ArmInfo(data, size(spec.model, inputs, data.outputs), steps, steps)
    return arrange(spec, spec.expanded[0].treatment, info, device)


@pytest.mark.parametrize(
    ("model", "inputs", "batch", "layout"),
    [
        ({"name": "cnn", "channels": [32, 32, 64]}, (3, 32, 32), 128, "loop"),
        ({"name": "lenet5"}, (1, 28, 28), 16, "loop"),
        ({"name": "cnn", "channels": [8], "dense": []}, (1, 12, 12), 8, "vmap"),
        ({"name": "mlp", "hidden": [256, 128], "dropout": 0.2}, (1, 28, 28), 100, "vmap"),
        ({"name": "mlp", "hidden": [6, 6]}, (11,), 20, "vmap"),
    ],
    ids=["cnn", "lenet5", "cnn [8]", "mlp", "table"],
)
def test_the_layout_is_the_one_that_was_measured_quicker(
    model: dict[str, Any], inputs: tuple[int, ...], batch: int, layout: str
) -> None:
    """On one thread of a CPU, as docs/decisions/0021 and 0024 have it."""
    assert arranged(model, inputs, batch).layout == layout


@pytest.mark.parametrize(
    ("given", "independent"),
    [
        ({"model": DENSE}, True),
        ({"model": {**DENSE, "activation": "leaky_relu", "dropout": 0.2}}, True),
        ({"model": {**DENSE, "hidden": [64, 60]}}, False),
        ({"model": {**DENSE, "hidden": []}}, False),
        ({"model": {**DENSE, "activation": "tanh"}}, False),
        ({"model": {**DENSE, "norm": "batch_norm"}}, False),
        ({"model": {**DENSE, "norm": "layer_norm"}}, False),
        ({"model": {"name": "transformer", "d_model": 16, "layers": 1, "heads": 2}}, False),
        ({"model": DENSE, "task": "binary"}, False),
        ({"model": DENSE, "precision": "bf16"}, False),
        ({"model": DENSE, "precision": "fp16"}, False),
        ({"model": DENSE, "sam": {}, "gradient_clip": {"norm": 1.0}, "drop_last": True}, True),
        ({"model": DENSE, "lr_per_layer": {"fc1.weight": 0.5}, "ema_decay": 0.9, "optimizer": "muon"}, True),
        ({"model": DENSE, "inputs": (2,)}, False),
        ({"model": DENSE, "label_smoothing": 0.1}, False),
        ({"model": DENSE, "mixup": 0.2}, False),
        ({"model": DENSE, "cutmix": 0.2, "inputs": (1, 8, 8)}, False),
        ({"model": DENSE, "class_weights": "balanced"}, False),
        ({"model": DENSE, "focal_loss": {"gamma": 2.0}}, False),
        ({"model": DENSE, "micro_batch_size": 16}, False),
        ({"model": DENSE, "train": 64 * 20 + 1}, False),
        ({"model": DENSE, "threads": 2}, False),
        ({"model": DENSE, "device": "cuda"}, False),
    ],
    ids=str,
)
def test_by_vmap_a_run_is_independent_where_its_kernels_are_known_to_be(
    given: dict[str, Any], independent: bool
) -> None:
    """`test_bits.py` trains such runs in all companies; where the rule is unsure they are cut alike everywhere."""
    found = arranged(**given, layout="vmap")
    assert found.independent == independent
    assert independent or found.lanes <= WIDEST[given.get("device", "cpu")]


def test_a_loop_is_independent_and_threads_mean_a_loop() -> None:
    assert arranged(DENSE).layout == "vmap"
    assert arranged(DENSE, threads=2)[:2] == ("loop", True)
    assert arranged({**DENSE, "hidden": [7]}, layout="loop").independent


@pytest.mark.parametrize("layout", ["loop", "vmap"])
def test_the_width_that_is_asked_for_is_kept(layout: str) -> None:
    assert arranged({**DENSE, "hidden": [7]}, layout=layout, lanes=5).lanes == 5
