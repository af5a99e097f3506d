"""The weight of each class and of each example in the loss that is trained."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

HEAVIEST = 1e6
MOST_CLASSES = 65_536


def _read(value: Any) -> Any:
    if value == "balanced":
        return value
    numbers = isinstance(value, list) and all(type(one) in (int, float) and 0 < one <= HEAVIEST for one in value)
    if numbers and 2 <= len(value) <= MOST_CLASSES:
        return [float(one) for one in value]
    raise ValueError(
        f'should be "balanced", or a list of a number for each class, such as [1.0, 2.0]: above 0, at most {HEAVIEST:g}'
    )


_Weight = Annotated[float, Field(gt=0, le=HEAVIEST)]
ClassWeights = Annotated[
    Literal["balanced"] | list[float],
    PlainValidator(
        _read,
        json_schema_input_type=Literal["balanced"]
        | Annotated[list[_Weight], Field(min_length=2, max_length=MOST_CLASSES)],
    ),
]
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
