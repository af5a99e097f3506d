"""Summaries of classes against scikit-learn, and against plain counting."""

import numpy as np
import pytest
import torch
from sklearn.metrics import confusion_matrix

from core.classification import CONFIDENCE_BINS, MOST_CLASSES, SCORE_BINS, ClassSummary
from core.metrics import Evaluation, Task
from core.training.lanes.class_summaries import KeptSummaries
from core.training.plain_judging import _summary


def summarized(task: Task, outputs: torch.Tensor, y: torch.Tensor, chunk: int = 7) -> list[ClassSummary | None]:
    """Of outputs (lanes, n, outputs), taken in parts."""
    kept = KeptSummaries()
    counting = kept(Evaluation(task=task, lanes=len(outputs), y=y, outputs=outputs.shape[-1]))
    for first in range(0, len(y), chunk):
        part = y[first : first + chunk]
        counting.add(outputs[:, first : first + chunk], part.expand(len(outputs), *part.shape))
    return kept.summaries()


def drawn(classes: int, n: int = 200, lanes: int = 2, scale: float = 3.0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(classes)
    y = torch.randint(classes, (n,), generator=random)
    outputs = scale * torch.randn(lanes, n, classes, generator=random, dtype=torch.float64)
    outputs.scatter_add_(2, y.expand(lanes, n).unsqueeze(2), torch.full((lanes, n, 1), scale, dtype=torch.float64))
    return outputs, y


@pytest.mark.parametrize("scale", [1e-4, 3.0, 300.0])
@pytest.mark.parametrize("classes", [2, 10])
def test_it_counts_as_a_plain_loop_does(classes: int, scale: float) -> None:
    outputs, y = drawn(classes, scale=scale)
    for lane, found in enumerate(summarized("multiclass", outputs, y)):
        assert found is not None
        same(found, _summary(outputs[lane], y.tolist(), binary=False))
        expected = confusion_matrix(y, outputs[lane].argmax(1), labels=range(classes))
        assert found.confusion.tolist() == expected.tolist()
        assert (found.examples, found.confidence[:, 1].sum()) == (len(y), np.trace(expected))
        assert (found.scores.sum((1, 2)) == len(y)).all()


def test_a_binary_task_has_two_classes_and_the_scores_of_the_second() -> None:
    outputs, y = drawn(1, lanes=1)
    y = (outputs[0, :, 0] + torch.linspace(-6, 6, len(y)) > 3).double().unsqueeze(1)
    (found,) = summarized("binary", outputs, y)
    assert found is not None
    assert (found.confusion.shape, found.scores.shape) == ((2, 2), (1, 2, SCORE_BINS))
    two = torch.cat([torch.zeros_like(outputs[0]), outputs[0]], dim=1)
    same(found, _summary(two, [int(label) for label in y], binary=True))


def test_equal_outputs_are_tied_and_huge_ones_ranked() -> None:
    y = torch.arange(10)
    (even,) = summarized("multiclass", torch.full((1, 10, 10), 0.3), y)
    assert even is not None
    assert (even.scores.sum(1)[:, SCORE_BINS // 2] == 10).all(), "all in the middle bin"
    outputs = torch.zeros(1, 3, 2)
    outputs[0, :, 1] = torch.tensor([-9e3, 20.0, 9e3])
    (huge,) = summarized("multiclass", outputs, torch.tensor([0, 1, 1]))
    assert huge is not None
    below, above = np.flatnonzero(huge.scores[1, 0]), np.flatnonzero(huge.scores[1, 1])
    assert (len(below), len(above)) == (1, 2)
    assert 0 < below[0] < above[0] < above[1] < SCORE_BINS - 1
    assert huge.confidence[-1].tolist() == [3, 3, 3 << 20]


def test_what_is_no_number_is_not_summarized_and_many_classes_only_by_confidence() -> None:
    outputs, y = drawn(3)
    outputs[1, 5, 2] = torch.nan
    first, second = summarized("multiclass", outputs, y)
    assert first is not None
    assert second is None
    (many,) = summarized("multiclass", *drawn(MOST_CLASSES + 1, lanes=1))
    assert many is not None
    assert (many.confusion.size, many.scores.size, many.examples) == (0, 0, 200)


def test_it_comes_out_of_its_bytes_as_it_went_in() -> None:
    for classes in (2, 10, MOST_CLASSES + 1):
        (found,) = summarized("multiclass", *drawn(classes, lanes=1))
        assert found is not None
        packed = found.pack()
        same(ClassSummary.unpack(packed), found)
    with pytest.raises(ValueError, match="version 2"):
        ClassSummary.unpack(bytes([2]) + packed[1:])


def test_as_json_it_has_the_bins_that_have_examples() -> None:
    (found,) = summarized("multiclass", *drawn(3, lanes=1))
    assert found is not None
    told = found.as_dict()
    assert told["confusion"] == found.confusion.tolist()
    for k, scores in enumerate(told["scores"]):
        for of, name in enumerate(("others", "own")):
            assert dict(scores[name]) == {i: n for i, n in enumerate(found.scores[k, of]) if n}
    assert sum(level["examples"] for level in told["confidence"]) == 200
    assert told["confidence"][0] == {"examples": 0, "right": 0, "mean": None}
    assert told["confidence"][-1]["mean"] > 14 / 15


def test_ten_thousand_examples_take_few_kilobytes() -> None:
    (found,) = summarized("multiclass", *drawn(10, n=10_000, lanes=1), chunk=5_000)
    assert found is not None
    assert len(found.pack()) < 20_000


def same(ours: ClassSummary, theirs: ClassSummary) -> None:
    assert ours.confusion.tolist() == theirs.confusion.tolist()
    assert ours.scores.tolist() == theirs.scores.tolist()
    assert ours.confidence.tolist() == theirs.confidence.tolist()
    assert len(ours.confidence) == CONFIDENCE_BINS
