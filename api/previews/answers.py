"""Shapes of the answers to `POST /previews/{kind}`, for the OpenAPI document."""

from typing import Any

from pydantic import BaseModel

from api.schemas import WarningOut
from core.datasets import Picture
from core.metrics import Split, Task


class ScheduleRates(BaseModel):
    """One schedule's rates."""

    schedule: dict[str, Any]
    lr: list[float]


class SchedulePreviewOut(BaseModel):
    """The rates of a schedule: `lr[t]` is in force during update t; and those of others `compared` with it."""

    schedule: dict[str, Any]
    steps_per_epoch: int
    lr: list[float]
    compared: list[ScheduleRates]
    warnings: list[WarningOut]


class WeightStats(BaseModel):
    """A drawn weight's numbers."""

    mean: float | None
    std: float | None
    min: float | None
    max: float | None
    fan_in: int
    fan_out: int


class WeightTheory(BaseModel):
    """The law that a weight is drawn from; null: theory has no number."""

    distribution: str | None
    mean: float | None
    std: float | None
    bound: float | None


class Histogram(BaseModel):
    """Counts of values between one edge and the next."""

    edges: list[float]
    counts: list[int]


class DrawnWeight(BaseModel):
    """One drawn weight beside the theory."""

    initializer: dict[str, Any]
    stats: WeightStats
    theory: WeightTheory
    histogram: Histogram


class InitializerPreviewOut(DrawnWeight):
    """One drawn weight beside the theory, and those of others `compared` with it."""

    shape: list[int]
    compared: list[DrawnWeight]


class VarianceOut(BaseModel):
    """A variance over the seeds, and where it is known its expected value."""

    mean: float | None
    low: float | None
    high: float | None
    theory: float | None = None


class SignalLayerOut(BaseModel):
    """One layer's variances at update 0."""

    name: str
    fan_in: int
    fan_out: int
    forward: VarianceOut
    activation: VarianceOut
    backward: VarianceOut


class SignalOut(BaseModel):
    """The signal that one initializer sends through the network."""

    label: str
    initializer: dict[str, Any]
    layers: list[SignalLayerOut]


class SignalPreviewOut(BaseModel):
    """The signal of each initializer, layer by layer."""

    model: dict[str, Any]
    dataset: dict[str, Any] | None
    data: str
    seeds: int
    batch: int
    initializers: list[SignalOut]


class WayOut(BaseModel):
    """Two weights and the loss after 0, 1, 2, ... updates; null: no finite number."""

    x: list[float | None]
    y: list[float | None]
    loss: list[float | None]


class OptimizerWay(WayOut):
    """One optimizer's way down the valley. Null: it does not overflow; it evaluates the weights that it trains."""

    optimizer: dict[str, Any]
    diverged_at: int | None
    evaluated: WayOut | None


class OptimizerPreviewOut(OptimizerWay):
    """An optimizer's way down a valley, and those of others `compared` with it."""

    steps: int
    curvature: list[float]
    angle: float
    start: list[float]
    minimum: list[float]
    noise: float
    seed: int
    compared: list[OptimizerWay]


class CurveOut(BaseModel):
    """The curve of a layer: what it makes of the numbers `x`, and the slope there; null: no finite number."""

    x: list[float | None]
    y: list[float | None]
    slope: list[float | None]


class LayerEffect(BaseModel):
    """The batch that one layer gives: `after`, (batch, *shape) as nested lists.

    `curve` is null where an output depends on more than one number.
    """

    layer: str | dict[str, Any]
    label: str
    shape: list[int]
    parameters: int
    curve: CurveOut | None
    after: list[Any]


class LayerPreviewOut(LayerEffect):
    """The examples that a layer is given, `before`, and what it and others `compared` with it make of them."""

    inputs: list[int]
    batch: int
    seed: int
    before: list[Any]
    compared: list[LayerEffect]


class ClassSplits(BaseModel):
    """The examples of one class in each split."""

    label: str
    train: int
    valid: int
    test: int


class TargetOut(BaseModel):
    """The values of one target in the training split; null: none is finite."""

    min: float | None
    mean: float | None
    max: float | None
    histogram: Histogram


class PlaneOut(BaseModel):
    """Training examples as points: of their two inputs, or where `explained` is there of the first two principal
    components of all, which have these shares of the variance. `target` is the number of a class, or the first target.
    """

    x: list[float | None]
    y: list[float | None]
    target: list[float | None]
    explained: list[float] | None


class DatasetLookOut(BaseModel):
    """A data set as it is split. Of a regression `targets` are told, of other tasks `classes`.

    `chance` is the accuracy of naming the most frequent class always. Where examples are pictures the first of each
    class are there; where they are none, `plane`.
    """

    dataset: dict[str, Any]
    task: Task
    inputs: list[int]
    outputs: int
    chance: float | None
    examples: dict[Split, int]
    classes: list[ClassSplits]
    targets: list[TargetOut]
    pictures: list[Picture]
    plane: PlaneOut | None
