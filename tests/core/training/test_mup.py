"""Trainings under mup against those of the mup package: its optimizers, on the same weights and examples."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets import Splits
from core.spec import parse
from core.training import Lane, MemoryRecorder, TrainOptions, train_lanes, train_run
from tests.core.initializers.mup_cases import examples, facts, treatment

RECORDED = json.loads((Path(__file__).parents[1] / "initializers" / "mup.json").read_text())["networks"]


@pytest.mark.parametrize("peer", RECORDED, ids=lambda peer: " ".join(map(str, peer["model"].values())))
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_losses_are_those_of_the_mup_package(peer: dict[str, Any], optimizer: str) -> None:
    """By lanes in both layouts, beside one of another scheme, and by the plain loop."""
    asked = treatment(peer, optimizer)
    lanes = [Lane(run, parse(one), 0) for run, one in enumerate([asked, asked | {"initializer": "he_normal"}])]
    x, y = examples(peer)
    data, info = Splits(x, y, x, y), facts(peer)
    plain = MemoryRecorder()
    train_run(lanes[0], data, info, plain, dtype=torch.float64)
    found = [plain]
    for layout in ("vmap", "loop"):
        found.append(MemoryRecorder())
        train_lanes(lanes, data, info, found[-1], TrainOptions(dtype=torch.float64, layout=layout))
    for recorder in found:
        losses = recorder.series[0, "train_loss"]
        np.testing.assert_allclose(losses, peer["losses"][optimizer], rtol=1e-9)
