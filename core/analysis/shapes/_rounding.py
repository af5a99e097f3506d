"""The shapes of what a report says about rounding."""

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Number


class ArmRounding(TypedDict):
    """The distance of an arm's second trainings from its first, beside its spread over seeds."""

    label: str
    n: int
    mean: Number
    largest: Number
    sd: Number
    sd_rounding: Number
    unlike: int


class Rounding(TypedDict):
    """The distance of second trainings from the first: see `core.analysis.report.rounding`."""

    arms: list[ArmRounding]
    variance_share: Number
    text: str
