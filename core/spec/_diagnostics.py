"""Diagnostics that a spec can ask for: measurements of every layer at intervals."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_POINTS = 100_000_000
"""Most points of all runs together: as many as the losses and rates of the longest experiment."""


class Diagnostics(BaseModel):
    """Settings of layer diagnostics: every layer is measured at update 0, and then every `every` updates."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    every: Annotated[int, Field(ge=1, le=1_000_000)] = 50
