"""Paddle's, timm's and transformers' schedules, as `record_peers.py` wrote them down."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core.schedules import Reactive, bind, reported_rates, schedules
from tests.core.schedules.curves import B, agree, ours

RECORDED = json.loads(Path(__file__).with_name("peers.json").read_text())
CASES = [(f"{peer} {i}", case) for peer, part in RECORDED.items() for i, case in enumerate(part["cases"])]


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_the_rate_is_the_peers(case: dict[str, Any]) -> None:
    found = plateau(case) if "metrics" in case else ours(case["schedule"], steps=len(case["lr"]))
    agree(found, case["lr"])


def plateau(case: dict[str, Any]) -> list[float]:
    bound = bind(schedules.parse(case["schedule"]), B, len(case["lr"]), 1)
    assert isinstance(bound, Reactive)
    metrics = [math.nan if metric is None else metric for metric in case["metrics"]]
    return reported_rates(bound, len(case["lr"]), 1, metrics)


def test_every_peer_reduced_on_some_plateau() -> None:
    falls = [case["lr"][-1] < B for _, case in CASES if "metrics" in case]
    assert len(falls) == 12
    assert all(falls)
