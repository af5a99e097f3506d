"""What a spec can ask for beside the curves: a look at every layer, now and then."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MOST_POINTS = 100_000_000
"""Of all runs together: as many as the losses and rates of the longest experiment."""


class Diagnostics(BaseModel):
    """How often each layer is looked at: at update 0, and then every `every` updates."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    every: Annotated[int, Field(ge=1, le=1_000_000)] = 50
