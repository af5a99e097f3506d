"""Limits of an experiment, and the types of fields that have no more than that."""

from typing import Annotated

from pydantic import AfterValidator, Field

from core.letters import unfit_name


class LIMITS:
    """Limits of one experiment."""

    arms = 256
    fields = 32
    """Most fields of one arm, and of a grid."""
    seeds = 1_000
    runs = 10_000
    batch_size = 1_000_000
    epochs = 1_000_000
    parameters = 500_000_000
    """Most parameters of one run's model."""
    steps = 50_000_000
    """Most updates of all runs together: each stores two numbers, and a picture reads one of them for every update."""


def _printable(text: str) -> str:
    if why := unfit_name(text):
        raise ValueError(why)
    return text


Text = Annotated[str, Field(min_length=1, max_length=120), AfterValidator(_printable)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
MixingAlpha = Annotated[float, Field(ge=0, le=1_000)]
Margin = Annotated[float, Field(gt=0, le=1e12)]
"""A difference of an outcome, in its unit: 0.005 of an accuracy is half a percentage point."""
Alpha = Annotated[float, Field(gt=0, le=0.5)]
