"""Laws against samples that Paddle drew, recorded by record_paddle.py."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from core.initializers import Initializer, Layer, initializers
from core.streams import generator

RECORDED = json.loads(Path(__file__).with_name("paddle.json").read_text())


@pytest.mark.parametrize("peer", RECORDED["laws"], ids=lambda peer: f"{peer['spec']}-{peer['shape']}")
def test_the_law_is_that_of_paddle(peer: dict[str, Any]) -> None:
    initializer: Initializer = initializers.parse(peer["spec"]).build()
    shape = tuple(peer["shape"])
    law = initializer.weight(Layer(shape))
    count = math.prod(shape)
    assert law.std == pytest.approx(peer["std"], rel=6 / math.sqrt(2 * count), abs=1e-12)
    if law.bound is not None and law.distribution != "orthogonal":
        assert law.bound == pytest.approx(peer["most"], rel=40 / count)
    # a quantile of Paddle's sample has the same share of ours below it, up to the sampling error of both
    drawn = law.draw(shape, generator(0, "weight"), torch.float64).flatten()
    for at, value in zip(RECORDED["at"], peer["quantiles"], strict=True):
        below = float((drawn <= value).double().mean())
        assert abs(below - at) <= 6 * math.sqrt(2 * at * (1 - at) / count) or law.std == 0


@pytest.mark.parametrize("peer", RECORDED["dirac"], ids=str)
def test_diracs_ones_stand_where_paddle_puts_them(peer: dict[str, Any]) -> None:
    initializer: Initializer = initializers.parse({"name": "Dirac", "groups": peer["groups"]}).build()
    shape = tuple(peer["shape"])
    drawn = initializer.weight(Layer(shape)).draw(shape, generator(0))
    assert torch.argwhere(drawn == 1).tolist() == peer["ones"]
    assert drawn.sum() == peer["sum"]
