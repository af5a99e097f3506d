"""Sizes of models: what a pass of shapes alone counts is what torch counts."""

from contextlib import nullcontext
from typing import Any

import pytest

from core.models import models
from core.spec import _size, size

PICTURE = (3, 32, 32)
CASES: list[Any] = [
    *(name for name in models if name not in ("mlp", "sequential", "torchvision")),
    {"name": "resnet", "depth": 14, "width": 2, "shortcut": "B"},
    {"name": "cnn", "channels": [4, 6], "activation": "gelu", "batch_norm": False},
    {
        "name": "sequential",
        "layers": [{"conv2d": {"filters": 4, "kernel": 3}}, "batch_norm", "tanh", "flatten", {"dense": 7}],
    },
]


@pytest.mark.parametrize("raw", CASES, ids=str)
def test_what_is_left_out_of_a_pass_is_counted_all_the_same(monkeypatch: pytest.MonkeyPatch, raw: Any) -> None:
    model = models.parse(raw)
    found = size.__wrapped__(model, PICTURE, 7)
    monkeypatch.setattr(_size, "shortened", lambda *_: nullcontext())
    assert size.__wrapped__(model, PICTURE, 7) == found


def test_a_convolution_that_does_not_fit_is_refused_in_torchs_words() -> None:
    narrow = {"name": "sequential", "layers": [{"conv2d": {"filters": 4, "kernel": 9, "padding": "valid"}}, "flatten"]}
    with pytest.raises((RuntimeError, ValueError)):
        size(models.parse(narrow), (3, 4, 4), 7)
