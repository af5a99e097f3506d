"""Shapes of the answers that are sent as they were made, and of problems, for the OpenAPI document."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
