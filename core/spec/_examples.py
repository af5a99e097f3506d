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
    """The examples that runs are judged on, besides the validation split after every epoch."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    train: Literal["sample", "all"] = "sample"
    """`sample`: a fixed part of the training split, the same for all runs and as large as the validation split; `all`:
    the whole training split, which takes up to four times as long."""
    examples: bool = True
    """True: of a classification it is stored which examples of the judged split each run gets right when it has ended,
    a bit an example (1.3 kB of 10,000), for which the split is evaluated once more; a verdict on one split can then
    hold for other examples too."""
    classification: bool = True
    """True: of a classification it is stored, with each run when it has ended, which classes it takes for which (up to
    100 classes), how it ranks the examples for each class (in 1,001 bins) and how sure it is, for the pictures of
    confusions, ROC, precision and recall, and calibration; about 1 kB of 360 examples of ten classes and 8 kB of
    10,000, by the same evaluation as `examples`."""
