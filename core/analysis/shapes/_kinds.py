"""The shapes of a report's parts on batch-size scans and of learning-rate range tests."""

from typing import NotRequired, TypedDict

from core.analysis.shapes._numbers import Interval, Number


class NoiseScale(TypedDict):
    """A gradient noise scale with its interval, over `n` seeds."""

    estimate: Number
    ci_low: Number
    ci_high: Number
    n: int


class ScannedSize(TypedDict):
    """One batch size of a scan."""

    label: str
    batch_size: int
    lr: float
    n: int
    finished: int
    runs: int
    steps: Interval | None
    samples: Interval | None
    noise_scale: NoiseScale | None


class ScanEntry(TypedDict):
    """One arm of a batch-size scan as the request has it."""

    label: str
    batch_size: int
    lr: float
    sizes: list[ScannedSize]
    noise_scale: NoiseScale | None


class RatedAt(TypedDict):
    """A learning rate, the range of what single seeds say, and how many say something."""

    lr: float
    low: Number
    high: Number
    n: int
    loss: NotRequired[float]


class RangeEntry(TypedDict):
    """One arm of a learning-rate range test."""

    label: str
    n: int
    runs: int
    lr: float
    suggested: RatedAt | None
    least: RatedAt | None
    tenth: Number
    diverged: RatedAt | None
    falling: bool
