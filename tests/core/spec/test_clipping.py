"""Settings of training scripts in a spec: the labels of arms that differ in an object, and what does not fit."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import check, parse


def test_an_arm_is_named_by_what_its_object_says() -> None:
    spec = parse({"grid": {"gradient_clip": [None, {"norm": 1.0}, {"value": 0.5}], "augment": [{}, {"crop": 2}]}})
    assert [arm.label for arm in spec.expanded][::2] == [
        "gradient_clip=None, augment=default",
        "gradient_clip=norm 1.0, augment=default",
        "gradient_clip=value 0.5, augment=default",
    ]
    assert spec.expanded[1].label == "gradient_clip=None, augment=crop 2"


@pytest.mark.parametrize(
    ("given", "path", "message"),
    [
        ({"dataset": "diabetes", "label_smoothing": 0.1}, "label_smoothing", "is for classes"),
        ({"model": "cnn", "micro_batch_size": 10}, "micro_batch_size", "statistics of its own: take a model without"),
        ({"dataset": "diabetes", "class_weights": "balanced"}, "class_weights", "is for classes"),
        ({"dataset": "diabetes", "focal_loss": {}}, "focal_loss", "is for classes"),
        ({"class_weights": [1.0, 2.0]}, "class_weights", "has 2 numbers; give 10, one for each class"),
        ({"dataset": "breast_cancer", "class_weights": [1.0, 2.0, 3.0]}, "class_weights", "has 3 numbers; give 2"),
        ({"focal_loss": {"alpha": 0.25}}, "focal_loss.alpha", "give class_weights, 10 numbers"),
        ({"dataset": "breast_cancer", "focal_loss": {"alpha": 0.25}, "class_weights": "balanced"},
         "focal_loss.alpha", "give one of the two"),
        ({"early_stopping": {"metric": "valid_loss_ema"}}, "early_stopping", "give ema_decay"),
        ({"dataset": "diabetes", "early_stopping": {"metric": "valid_accuracy_ema"}, "ema_decay": 0.9},
         "early_stopping", "this data set's task has"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_path(given: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message) as refused:
        check(parse(given), DatasetPaths())
    assert [problem.path for problem in refused.value.problems] == [path]


def test_averaged_weights_may_be_what_a_run_is_stopped_by() -> None:
    assert check(parse({"early_stopping": {"metric": "valid_loss_ema"}, "ema_decay": 0.9}), DatasetPaths())
