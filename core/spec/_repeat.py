"""Second trainings of runs, which tell how far rounding alone moves them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Repeat(BaseModel):
    """A second training of every run that differs from the first by rounding alone."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    rounding: Literal[True]
    """Every batch is turned round, last example first, with all that is an example's own: its label, its augmentation,
    what it is mixed with, its dropout masks. The sums over the batch are the same, in another order."""
