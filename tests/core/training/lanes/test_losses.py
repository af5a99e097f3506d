"""The loss that is trained, against torch, torchvision and scikit-learn in float64."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.metrics.loss import LabelLoss, shaped_loss
from core.spec import parse
from core.torchvision import load
from core.training.lanes.losses import TrainedLoss, balanced_weights

LANES, BATCH, CLASSES = 3, 8, 5
SMOOTHING = [0.1, 0.3, 0.6]
WEIGHTS = [[1.0, 2.0, 0.5, 3.0, 0.1], [1.0] * 5, [0.2, 0.3, 5.0, 1.0, 1.0]]


def of_classes() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Outputs, labels as numbers, and labels as shares."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(LANES, BATCH, CLASSES, generator=generator, dtype=torch.float64)
    shares = torch.rand(LANES, BATCH, CLASSES, generator=generator, dtype=torch.float64)
    return outputs, torch.randint(CLASSES, (LANES, BATCH), generator=generator), shares / shares.sum(2, keepdim=True)


def of_sigmoids() -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs, of which one is far off and one far on its way, and labels, of which some are shares."""
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(LANES, BATCH, 1, generator=generator, dtype=torch.float64)
    y = (torch.arange(LANES * BATCH).view(LANES, BATCH, 1) % 2).double()
    outputs[0, :2, 0] = torch.tensor([50.0, -50.0])
    y[1] = y[1] * 0.7 + 0.1
    return outputs, y


def loss(task: Any, y: torch.Tensor, *settings: dict[str, Any]) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return the loss of whole batches, (lanes,); `y` are the training labels."""
    arms = [{"label": str(i)} | one for i, one in enumerate(settings)]
    trained = TrainedLoss(
        task, CLASSES, [arm.treatment for arm in parse({"arms": arms}).expanded], lambda _: y, y.device
    )

    def of(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        weight = trained.weight(y)
        whole = trained(outputs, y, weight)
        for lane in range(len(outputs)):
            one = slice(lane, lane + 1)
            parts = [trained(outputs[one, part], y[one, part], weight, one) for part in (slice(3), slice(3, None))]
            torch.testing.assert_close(sum(parts), whole[one], rtol=1e-14, atol=0)
        return whole

    return of


@pytest.mark.parametrize("smoothed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_of_classes_has_torchs_loss(weighted: bool, smoothed: bool) -> None:
    outputs, y, _ = of_classes()
    settings = [
        ({"class_weights": WEIGHTS[lane]} if weighted else {})
        | ({"label_smoothing": SMOOTHING[lane]} if smoothed else {})
        for lane in range(LANES)
    ]
    ours = loss("multiclass", y[0], *settings)(outputs, y)
    for lane in range(LANES):
        weight = torch.tensor(WEIGHTS[lane], dtype=torch.float64) if weighted else None
        smoothing = SMOOTHING[lane] if smoothed else 0.0
        theirs = cross_entropy(outputs[lane], y[lane], weight, label_smoothing=smoothing)
        torch.testing.assert_close(ours[lane], theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_shares_of_classes_have_torchs_loss(smoothing: float) -> None:
    """By its mean over examples: of shares torch does not divide by the weights."""
    outputs, y, shares = of_classes()
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)
    ours = shaped_loss(
        "multiclass", outputs, shares, LabelLoss(torch.full((LANES, 1), smoothing, dtype=torch.float64), weights)
    )
    for lane in range(LANES):
        theirs = cross_entropy(outputs[lane], shares[lane], weights[lane], reduction="none", label_smoothing=smoothing)
        torch.testing.assert_close(ours[lane], theirs, rtol=1e-12, atol=0)
    settings = [{"class_weights": one, "label_smoothing": smoothing} for one in WEIGHTS]
    whole = loss("multiclass", y[0], *settings)
    one_hot = torch.nn.functional.one_hot(y, CLASSES).double()
    torch.testing.assert_close(whole(outputs, one_hot), whole(outputs, y), rtol=1e-12, atol=0)


@pytest.mark.parametrize("p", [0.25, 1.0, 4.0])
def test_the_weight_of_a_binary_label_is_torchs_pos_weight(p: float) -> None:
    outputs, y = of_sigmoids()
    ours = loss("binary", y[0], *[{"class_weights": [1.0, p]}] * LANES)(outputs, y)
    for lane in range(LANES):
        theirs = binary_cross_entropy_with_logits(outputs[lane], y[lane], pos_weight=torch.tensor([p]).double())
        torch.testing.assert_close(ours[lane], theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_a_focal_loss_of_a_sigmoid_is_torchvisions(alpha: float | None) -> None:
    focal = load().ops.sigmoid_focal_loss
    outputs, y = of_sigmoids()
    gammas = [2.0, 0.5, 1.0]
    settings = [{"focal_loss": {"gamma": gamma, "alpha": alpha}} for gamma in gammas]
    ours = loss("binary", y[0], *settings)(outputs, y)
    for lane, gamma in enumerate(gammas):
        theirs = focal(outputs[lane], y[lane], -1 if alpha is None else alpha, gamma, "mean")
        torch.testing.assert_close(ours[lane], theirs, rtol=1e-12, atol=0)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_a_focal_loss_has_a_gradient_where_nothing_is_left_to_learn(gamma: float) -> None:
    """An output of 1,000 gives its label the probability 1, at which the slope of a root is infinite."""
    focal = [{"focal_loss": {"gamma": gamma}}]
    classes = torch.tensor([[[1000.0, 0.0, 0.0, 0.0, 0.0]]], requires_grad=True)
    sigmoid = torch.tensor([[[1000.0]]], requires_grad=True)
    for task, outputs, y in (
        ("multiclass", classes, torch.zeros(1, 1).long()),
        ("binary", sigmoid, torch.ones(1, 1, 1)),
    ):
        (gradient,) = torch.autograd.grad(loss(task, y[0], *focal)(outputs, y), outputs)
        assert torch.equal(gradient, torch.zeros_like(gradient))


def test_a_focal_loss_without_focus_is_the_cross_entropy() -> None:
    outputs, y, _ = of_classes()
    ours = loss("multiclass", y[0], *[{"focal_loss": {"gamma": 0.0}}] * LANES)(outputs, y)
    torch.testing.assert_close(ours[0], cross_entropy(outputs[0], y[0]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 2, 2], [0, 2, 2, 2]], ids=["all", "one without examples"])
def test_balanced_weights_are_scikit_learns(labels: list[int]) -> None:
    found = balanced_weights(torch.tensor(labels), 3)
    there = np.unique(labels)
    peers = dict(zip(there.tolist(), compute_class_weight("balanced", classes=there, y=np.array(labels)), strict=True))
    assert found == pytest.approx([peers.get(label, 0.0) for label in range(3)], rel=1e-15)
    of_binary = torch.tensor([[0.0], [1.0], [1.0], [1.0]])
    assert balanced_weights(of_binary, 2) == pytest.approx([2.0, 2 / 3])
