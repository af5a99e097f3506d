"""Mixup and cutmix against torchvision's, and what is drawn for them."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from core.datasets import DatasetInfo, DatasetPaths
from core.errors import InvalidSpec
from core.spec import Treatment, check, parse
from core.torchvision import load
from core.training.mixing import Mixing, box_ends, mixtures
from tests.core.training.trials import PICTURES, TABLE, assert_near, made, referred, trained

INFO = DatasetInfo(inputs=(3, 9, 6), outputs=4, train=0, valid=0)
SEEDS, UPDATES = [0, 7], 40


def treatment(**given: float) -> Treatment:
    found: Treatment = parse(given).expanded[0].treatment
    return found


def torchvision(name: str) -> Any:
    load()
    import torchvision.transforms.v2 as transforms  # noqa: PLC0415  behind `load`

    return getattr(transforms, name)(num_classes=INFO.outputs)


@pytest.mark.parametrize(
    "given", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}], ids=["mixup", "cutmix", "either"]
)
def test_a_batch_is_mixed_as_torchvision_does(given: dict[str, float]) -> None:
    how = treatment(**given)
    mixing = Mixing(how, INFO, SEEDS, UPDATES)
    mixing.start(epoch=2)
    drawn = mixtures(how, INFO.inputs, SEEDS, 2, UPDATES)
    mixup, cutmix = torchvision("MixUp"), torchvision("CutMix")
    generator = torch.Generator().manual_seed(0)
    kinds = set()
    for place in range(UPDATES):
        x = torch.randn(len(SEEDS), 5, *INFO.inputs, generator=generator, dtype=torch.float64)
        y = torch.randint(INFO.outputs, (len(SEEDS), 5), generator=generator)
        pictures, labels = mixing(x, y, torch.tensor(place))
        assert all(torch.equal(a, b) for a, b in zip(mixing(x, y, place), (pictures, labels), strict=True))
        for seed, (pixels, share, top, bottom, left, right) in enumerate(drawn[place].tolist()):
            whole, mine = x[seed], y[seed]
            box = tuple(int(end) for end in (left, top, right, bottom))
            peer, params = (mixup, {"lam": share}) if pixels < 1 else (cutmix, {"lam_adjusted": share, "box": box})
            kinds.add(type(peer).__name__)
            params |= {"labels": mine, "batch_size": 5}
            torch.testing.assert_close(pictures[seed], peer.transform(whole, params), rtol=1e-14, atol=1e-15)
            theirs = peer.transform(mine, params).double()  # torchvision's are float32
            torch.testing.assert_close(labels[seed], theirs, rtol=1e-6, atol=1e-7)
    assert kinds == {{"mixup": "MixUp", "cutmix": "CutMix"}[name] for name in given}


class Always(torch.distributions.Distribution):
    """Gives one number."""

    def __init__(self, value: float) -> None:
        super().__init__(validate_args=False)
        self._value = value

    def sample(self, _shape: Any = ()) -> torch.Tensor:
        return torch.tensor(self._value, dtype=torch.float64)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.77, 1.0])
def test_a_box_is_cut_as_torchvision_does(share: float) -> None:
    cutmix, (_, height, width) = torchvision("CutMix"), INFO.inputs
    cutmix._dist = Always(share)
    with torch.random.fork_rng():
        for seed in range(30):
            torch.manual_seed(seed)
            column, row = int(torch.randint(width, (1,))), int(torch.randint(height, (1,)))
            torch.manual_seed(seed)
            theirs = cutmix.make_params([torch.zeros(5, *INFO.inputs)])["box"]
            (top, bottom), (left, right) = (
                box_ends(np.array(share), np.array((at + 0.5) / side), side)
                for at, side in ((row, height), (column, width))
            )
            assert (left, top, right, bottom) == theirs


def test_shares_are_drawn_from_their_beta_distribution() -> None:
    """The same quantiles for every alpha, so that arms that differ in it stay paired."""
    found = {a: mixtures(treatment(mixup=a), TABLE, range(4), 0, 1000)[..., 0].flatten() for a in (0.2, 1, 8)}
    for alpha, shares in found.items():
        assert stats.kstest(shares, stats.beta(alpha, alpha).cdf).pvalue > 0.01
        quantiles = stats.beta(alpha, alpha).cdf(shares)
        np.testing.assert_allclose(quantiles, found[1], atol=1e-3)


def test_a_box_has_the_share_that_its_label_loses_and_either_comes_half_the_time() -> None:
    drawn = mixtures(treatment(mixup=0.4, cutmix=1.0), INFO.inputs, range(4), 0, 1000).flatten(0, 1)
    pixels, share, top, bottom, left, right = drawn.T
    boxed = pixels == 1
    assert stats.binomtest(int(boxed.sum()), len(boxed)).pvalue > 0.01
    torch.testing.assert_close(share[boxed], (1 - (bottom - top) * (right - left) / 54)[boxed])
    assert (bottom.max(), right.max()) == (9, 6)
    assert torch.equal(share[~boxed], pixels[~boxed])
    assert not drawn[~boxed, 2:].any()


def test_mixtures_are_those_of_seed_and_update_whatever_the_company() -> None:
    how = treatment(mixup=0.4, cutmix=1.0)
    together = mixtures(how, INFO.inputs, [5, 0, 7], 1, 20)
    for place, seed in enumerate([5, 0, 7]):
        assert torch.equal(mixtures(how, INFO.inputs, [seed], 1, 15)[:, 0], together[:15, place])
    assert not (together == mixtures(how, INFO.inputs, [5, 0, 7], 2, 20)).all(2).any()


def test_targets_of_a_regression_are_mixed(make_lanes: Any) -> None:
    data, info = made(TABLE, train=22, valid=10)
    data = data._replace(y_train=data.x_train[:, :2] + 1, y_valid=data.x_valid[:, :2] + 1)
    info = info._replace(outputs=2, task="regression")
    model = {"name": "mlp", "hidden": [6], "activation": "tanh"}
    arms: list[dict[str, Any]] = [{"mixup": 0.4}, {"mixup": 0.4, "optimizer.lr": 0.02}, {}]
    lanes = make_lanes(*arms, seeds=(0, 3), model=model, batch_size=8)
    mixed, plain = lanes[:4], lanes[4:]
    fast = trained(mixed, data, info, dtype=torch.float64)
    assert_near(fast, referred(mixed, data, info), 1e-10, 1e-13)
    unmixed = trained(plain, data, info, dtype=torch.float64)
    assert (fast.series[0, "train_loss"] != unmixed.series[200, "train_loss"]).all()


def test_a_batch_of_one_is_left_as_it_is(make_lanes: Any) -> None:
    """It has no neighbour but itself."""
    data, info = made(PICTURES, train=9, valid=10)
    model = {"name": "mlp", "hidden": [6], "activation": "tanh"}
    lanes = make_lanes({"mixup": 0.4}, {}, model=model, batch_size=1, epochs=1)
    mixed, plain = (trained([lane], data, info, dtype=torch.float64) for lane in lanes)
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(mixed.series[0, name], plain.series[100, name], rtol=1e-12)


def test_pictures_alone_have_boxes() -> None:
    with pytest.raises(InvalidSpec, match=r"is for pictures; .* take mixup, which mixes any") as refused:
        check(parse({"dataset": "breast_cancer", "arms": [{"cutmix": 1.0}]}), DatasetPaths())
    assert [problem.path for problem in refused.value.problems] == ["arms[0].cutmix"]
    check(parse({"dataset": "breast_cancer", "mixup": 0.2}), DatasetPaths())
