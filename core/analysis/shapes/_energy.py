"""The shape of the energy that an experiment took."""

from typing import Literal

from typing_extensions import TypedDict

from core.analysis.shapes._numbers import Number


class ArmEnergy(TypedDict):
    """The energy of an arm's runs."""

    label: str
    n: int
    kwh: float
    co2e_g: float
    mean_kwh: Number
    ci_low: Number
    ci_high: Number
    kwh_per_point: Number


class Energy(TypedDict):
    """The energy of an experiment's runs, and each arm's."""

    source: Literal["measured", "estimated"]
    kwh: float
    co2e_g: float
    runs: int
    arms: list[ArmEnergy]
