"""The examples that runs are trained and judged on: how they are changed, and how many are looked at."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Augment(BaseModel):
    """Random changes of training pictures: the same for every run of a seed, different at every update."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    crop: Annotated[int, Field(ge=0, le=64)] = 0
    """The most pixels by which a picture is shifted in each direction; uncovered pixels are 0."""
    flip: bool = False
    """True: every second picture, at random, is mirrored left to right."""

    def __bool__(self) -> bool:
        return self.crop > 0 or self.flip


class Evaluate(BaseModel):
    """The examples that runs are judged on after every epoch, besides the validation split."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    train: Literal["sample", "all"] = "sample"
    """`sample`: a fixed part of the training split, the same for all runs and as large as the validation split; `all`:
    the whole training split, which takes up to four times as long."""
