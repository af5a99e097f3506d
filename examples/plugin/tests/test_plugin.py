"""What the catalogues cannot know of this plug-in: that its laws are those that it says.

Run `initlab plugins check` too.
"""

import math
import sys

import pytest

from initlab import server_path

sys.path.insert(0, server_path())  # where core lies

import torch

from core.initializers import Layer, initializers
from core.metrics import Evaluation, metrics
from core.plugins import available
from core.schedules import bind, rates, schedules
from core.spec import parse


def test_it_is_loaded() -> None:
    assert "initlab_example" in available()


def test_its_weights_have_the_variance_and_the_tails_of_a_triangle() -> None:
    law = initializers.parse({"name": "triangular", "scale": 2.0}).build().weight(Layer((100, 300)))
    weights = law.draw((100, 300), torch.Generator().manual_seed(0), torch.float64)
    assert weights.std().item() == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    beyond_half = (weights.abs() > law.bound / 2).double().mean().item()
    assert beyond_half == pytest.approx(1 / 4, abs=0.02)  # the two tips of the triangle


def test_its_rate_halves_where_the_power_says() -> None:
    entry = schedules.parse({"name": "inverse_power", "knee": 10, "power": 0.5})
    assert rates(bind(entry, 0.8, steps=100, steps_per_epoch=10), [0, 30]) == pytest.approx([0.8, 0.4])


def test_its_score_is_brier_s() -> None:
    y = torch.tensor([0, 1])
    score = metrics["valid_brier"].accumulator(Evaluation("multiclass", 1, y, 2))
    score.add(torch.tensor([[[0.0, 0.0], [100.0, 0.0]]]), y[None])  # one that does not know, one that is sure and wrong
    assert score.result().item() == pytest.approx((0.5 + 2.0) / 2)


def test_a_spec_that_uses_it_says_so() -> None:
    assert parse({"initializer": "triangular"}).plugins == {"initlab_example": available()["initlab_example"]}
