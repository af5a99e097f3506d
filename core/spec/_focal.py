"""The weight of each class and of each example in the loss that is trained."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ClassWeight = Annotated[float, Field(gt=0, le=1e6)]
ClassWeights = Literal["balanced"] | Annotated[list[ClassWeight], Field(min_length=2, max_length=65_536)]
"""`balanced`: n / (classes · examples of the class), of the training split, as scikit-learn has it; or one number for
each class."""


class FocalLoss(BaseModel):
    """The cross-entropy times (1 - p)^gamma, p being the label's probability: what is learned counts less.

    Lin et al. 2017, arXiv:1708.02002; of classes in the form of Keras' `CategoricalFocalCrossentropy`, of a binary
    target in that of `torchvision.ops.sigmoid_focal_loss`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    gamma: Annotated[float, Field(ge=0, le=100)] = 2.0
    alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    """The weight of a binary target's label 1, that of 0 being 1 - alpha. None: all weigh 1. `class_weights` is the way
    to weigh classes."""
