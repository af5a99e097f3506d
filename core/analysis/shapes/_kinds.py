"""The shapes of a report's parts on batch-size scans, learning-rate range tests and coordinate checks."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

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


CoordinateMove = Literal["still", "grows", "shrinks", "open"]
"""The direction in which a layer's size goes as its network gets wider."""


class CoordinateFit(TypedDict):
    """The slope of a layer's size over the width after an update, and the sizes, geometric means, by width."""

    update: int
    slope: Number
    ci_low: Number
    ci_high: Number
    n: int
    sizes: list[Number]


class CoordinateLayer(TypedDict):
    """One layer of a coordinate check."""

    name: str
    move: CoordinateMove
    updates: list[CoordinateFit]


class CoordinateEntry(TypedDict):
    """One arm of a coordinate check as the request has it."""

    label: str
    n: int
    runs: int
    widths: list[int]
    layers: list[CoordinateLayer]
