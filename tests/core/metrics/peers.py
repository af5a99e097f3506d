"""What every metric of an epoch is by scikit-learn, as the metrics' own test files say it in `PEERS`."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Peer = Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], float]


def all_peers() -> dict[str, Peer]:
    """Return the functions of (outputs, labels or targets) by the metric's name."""
    peers: dict[str, Peer] = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        peers |= getattr(importlib.import_module(f"tests.core.metrics.{path.stem}"), "PEERS", {})
    return peers


def peer_of(name: str) -> Peer:
    """The peer of a metric; of one of averaged weights that of the metric itself, since only the weights differ."""
    peers, name = all_peers(), name.removesuffix("_ema")
    assert name in peers, f"write what {name} is by scikit-learn into PEERS of a test file in {Path(__file__).parent}"
    return peers[name]
