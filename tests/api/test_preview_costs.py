"""Previews are estimated before they are begun, and refused above what a setting allows."""

from typing import Any

import pytest

from api.previews import PREVIEWS
from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.initializers import Layer, initializers, preview_seconds
from core.models import models
from core.settings import Settings
from core.spec import size
from core.training import signal_seconds

SECONDS = Settings.model_fields["preview_seconds"].default
LSUV = {"name": "lsuv", "max_iter": 1000, "tol": 1e-9, "examples": 65_536}
WORK = [
    f"api.previews.{work}"
    for work in (
        "schedules.rates", "initializers.preview", "optimizers.descend", "layers.effect", "datasets.look",
        "signals.signal",
    )
]  # fmt: skip
"""What takes the time of each preview."""
KERNEL = {"conv2d": {"filters": 1, "kernel_size": 200}}
NESTED = {"name": "chained", "parts": [{"name": "chained", "parts": ["cosine"] * 32}] * 32}


def answer(kind: str, body: dict[str, Any], seconds: float = SECONDS) -> dict[str, Any]:
    preview = PREVIEWS[kind]
    return preview.answer(preview.body.model_validate(body), DatasetPaths(), seconds)


@pytest.mark.parametrize(
    ("kind", "body", "path"),
    [
        ("schedule", {"schedule": NESTED, "steps": 100_000}, "steps"),
        ("initializer", {"initializer": LSUV, "shape": [1000, 1000]}, "shape"),
        ("optimizer", {"optimizer": "radam", "compare": ["adam"] * 11, "steps": 10_000}, "steps"),
        ("layer", {"layer": KERNEL, "compare": [KERNEL] * 2, "inputs": [1, 444, 444], "batch": 1}, "inputs"),
        ("signal", {"model": {"name": "resnet", "depth": 302}, "seeds": 20, "batch": 2}, "seeds"),
        ("signal", {"model": {"name": "mlp", "hidden": [64] * 64}, "initializer": LSUV}, "seeds"),
    ],
    ids=["rates", "corrections", "updates", "kernels", "deep networks", "corrections of a network"],
)
def test_too_much_is_refused_before_anything_is_drawn(
    monkeypatch: pytest.MonkeyPatch, kind: str, body: dict[str, Any], path: str
) -> None:
    for work in WORK:
        monkeypatch.setattr(work, None)
    with pytest.raises(InvalidSpec, match=r"5 s is the most of a preview here \(INITLAB_PREVIEW_SECONDS\)") as refusal:
        answer(kind, body)
    assert [problem.path for problem in refusal.value.problems] == [path]


def test_a_data_set_is_not_loaded_where_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.previews.datasets.look", None)
    large = {"name": "teacher_student", "inputs": 1000, "examples": 250_000}
    with pytest.raises(InvalidSpec, match="has 250,000,000 numbers to load; 200,000,000 is the most"):
        answer("dataset", {"dataset": large})


def test_the_setting_says_how_much() -> None:
    body = {"initializer": {"name": "lsuv", "max_iter": 2}, "shape": [20, 30]}
    with pytest.raises(InvalidSpec, match="INITLAB_PREVIEW_SECONDS"):
        answer("initializer", body, 1e-9)
    assert answer("initializer", body)["stats"]


def test_what_is_asked_for_by_default_is_far_from_the_bound() -> None:
    layer = Layer((1024, 1024))
    assert max(preview_seconds(initializers.parse(name), layer) for name in ("lsuv", "he_normal", "orthogonal")) < 2
    for model in ("mlp", "cnn", {"name": "resnet", "depth": 20}, "transformer"):
        network = size(models.parse(model), (3, 32, 32), 10)
        assert signal_seconds(initializers.parse("he_normal").build(), network, seeds=3, batch=16) < 4, model
