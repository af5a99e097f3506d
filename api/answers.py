"""Shapes of the answers that are sent as they were made, and of problems, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import WarningOut
from core.analysis.shapes import Report


class PlotOut(BaseModel):
    """A picture that suits an experiment; `links` by format: png, svg, and the data as json."""

    name: str
    summary: str
    links: dict[str, str]


class PlotList(BaseModel):
    """The pictures that suit an experiment. One that is asked for with `?version=` may be kept without asking again."""

    items: list[PlotOut]
    version: str


class PlotDataOut(BaseModel):
    """The data behind a picture; what else there is depends on the plot."""

    model_config = ConfigDict(extra="allow")

    title: str
    caption: str


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


class ComparisonReport(Report):
    """The report of a comparison across experiments: whether its runs are paired, and why or why not."""

    paired: bool
    reason: str


class LivenessOut(BaseModel):
    """The process is alive."""

    status: Literal["alive"]


class ReadinessOut(BaseModel):
    """The readiness of the service; `checks` says of each part `ok` or what is wrong."""

    status: Literal["ready", "degraded", "down", "leaving"]
    workers: int = Field(description="alive")
    checks: Mapping[str, str]


class ProblemItem(BaseModel):
    path: str
    message: str
    known: list[str]


class ProblemOut(BaseModel):
    """A problem document of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemItem]
