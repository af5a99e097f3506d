"""Every schedule that Keras has, update by update; where its conventions differ, said the way it has them."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported

from collections.abc import Callable, Iterator
from typing import Any

import jax
import keras
import numpy as np
import pytest
from keras.optimizers import schedules as ks

from tests.core.schedules.curves import STEPS, B, agree, by_step, ours

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
