"""Every schedule that Keras has, update by update; where its conventions differ, said the way it has them."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import jax
import keras
import numpy as np
import pytest
from keras.optimizers import schedules as ks

from tests.core.schedules.curves import STEPS, B, agree, by_step, ours
from tests.core.schedules.test_plateau import after_each, plateau, sequences

Peer = Callable[[], Any]
SINGLE = 1e-7
"""Keras computes a cosine in single precision, whatever it is given."""


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    with jax.enable_x64(True):
        yield
    keras.config.set_floatx(before)


CASES: list[tuple[Any, Peer]] = [
    (
        {"name": "piecewise", "boundaries": [31, 102], "values": [B, 0.05, 0.2]},
        lambda: ks.PiecewiseConstantDecay([30, 101], [B, 0.05, 0.2]),  # the old value at its boundary
    ),
    ({"name": "exponential", "gamma": 0.5, "decay_steps": 70}, lambda: ks.ExponentialDecay(B, 70, 0.5)),
    (by_step("step", step_size=70, gamma=0.5), lambda: ks.ExponentialDecay(B, 70, 0.5, staircase=True)),
    ({"name": "inverse_time", "gamma": 1.5, "decay_steps": 7}, lambda: ks.InverseTimeDecay(B, 7, 1.5)),
    (
        {"name": "inverse_time", "gamma": 1.5, "decay_steps": 7, "staircase": True},
        lambda: ks.InverseTimeDecay(B, 7, 1.5, staircase=True),
    ),
    ({"name": "polynomial", "decay_steps": 300}, lambda: ks.PolynomialDecay(B, 300)),
    (
        {"name": "polynomial", "decay_steps": 70, "end_lr": 0.01, "power": 2.5, "cycle": True},
        lambda: ks.PolynomialDecay(B, 70, 0.01, 2.5, cycle=True),
    ),
    ({"name": "cosine", "T_max": 300, "eta_min": 0.02}, lambda: ks.CosineDecay(B, 300, 0.2)),  # a ratio of B
    ({"name": "cosine_restarts", "T_0": 130}, lambda: ks.CosineDecayRestarts(B, 130, 1.0)),
    (
        {"name": "cosine_restarts", "T_0": 37, "T_mult": 2, "m_mul": 0.5},
        lambda: ks.CosineDecayRestarts(B, 37, 2.0, 0.5),
    ),
]


@pytest.mark.parametrize(("raw", "peer"), CASES, ids=[str(raw) for raw, _ in CASES])
def test_the_rate_is_kerass(raw: Any, peer: Peer) -> None:
    within = SINGLE if raw["name"].startswith("cosine") else 1e-9
    agree(ours(raw), np.asarray(peer()(np.arange(STEPS, dtype=np.float64))).tolist(), within)


def test_a_warm_up_is_not_among_kerass_decay_steps() -> None:
    peer = ks.CosineDecay(0.01, 270, 0.2, warmup_target=B, warmup_steps=30)
    found = ours({"name": "cosine_warmup", "warmup_steps": 30, "total_steps": 300, "start_lr": 0.01, "eta_min": 0.02})
    some = [0, 1, 29, 30, 31, 165, 299, 300, 301, 499]
    agree([found[t] for t in some], [float(peer(t)) for t in some], SINGLE)


@pytest.mark.parametrize(
    ("raw", "peer"),
    [
        ({"name": "ExponentialDecay", "decay_steps": 70, "decay_rate": 0.5}, lambda: ks.ExponentialDecay(B, 70, 0.5)),
        ({"name": "InverseTimeDecay", "decay_steps": 7, "decay_rate": 1.5}, lambda: ks.InverseTimeDecay(B, 7, 1.5)),
        (
            {"name": "PolynomialDecay", "decay_steps": 300, "end_learning_rate": 0.02},
            lambda: ks.PolynomialDecay(B, 300, 0.02),
        ),
        ({"name": "CosineDecay", "decay_steps": 300}, lambda: ks.CosineDecay(B, 300)),
        ({"name": "CosineDecayRestarts", "first_decay_steps": 37}, lambda: ks.CosineDecayRestarts(B, 37)),
        (
            {"name": "CosineDecayRestarts", "first_decay_steps": 37, "t_mul": 3.0, "m_mul": 0.5},
            lambda: ks.CosineDecayRestarts(B, 37, 3.0, 0.5),
        ),
        (
            {"name": "PiecewiseConstantDecay", "boundaries": [30, 101], "values": [B, 0.05, 0.2]},
            lambda: ks.PiecewiseConstantDecay([30, 101], [B, 0.05, 0.2]),
        ),
    ],
    ids=lambda one: one["name"] if isinstance(one, dict) else "",
)
def test_kerass_names_have_kerass_parameters(raw: Any, peer: Peer) -> None:
    within = 2 * SINGLE if raw["name"].startswith("Cosine") else 1e-9
    agree(ours(raw), np.asarray(peer()(np.arange(STEPS, dtype=np.float64))).tolist(), within)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(
    "rest",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 1, "cooldown": 1},
        {"patience": 2, "cooldown": 3, "factor": 0.5},
        {"patience": 1, "min_lr": 0.02, "factor": 0.5},
        {"patience": 3, "min_delta": 0.05},
    ],
    ids=str,
)
def test_the_plateau_is_kerass(mode: str, rest: dict[str, Any]) -> None:
    for metrics in sequences(lowest=0.01):
        metrics = [one for one in metrics if math.isfinite(one)]  # Keras' first NaN stays the best for ever
        if not metrics:
            continue
        peer = keras.callbacks.ReduceLROnPlateau(monitor="m", mode=mode, **rest)
        model = SimpleNamespace(optimizer=SimpleNamespace(learning_rate=B))
        peer.set_model(model)
        peer.on_train_begin()
        expected = [B]
        for epoch, value in enumerate(metrics):
            peer.on_epoch_end(epoch, {"m": value})
            expected.append(float(model.optimizer.learning_rate))
        given = {{"min_delta": "threshold"}.get(key, key): value for key, value in rest.items()}
        assert after_each(plateau(flavour="keras", mode=mode, **given), metrics) == pytest.approx(expected, rel=1e-6)
