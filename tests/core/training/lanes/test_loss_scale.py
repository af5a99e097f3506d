"""Loss scales of lanes against torch's own GradScaler, one for each lane."""

import math

import torch
from torch.amp import GradScaler

from core.streams import generator
from core.training.lanes.loss_scale import BACKOFF, GROWTH, INITIAL, INTERVAL, LEAST, LossScales

LANES, UPDATES = 5, 60
SCALES, STREAKS = [INITIAL, 3.0, 2.0**127, 2.0**-20, 1e-3], [0, INTERVAL - 4, INTERVAL - 2, INTERVAL - 30, INTERVAL - 1]
"""Of lanes that double soon, that cannot double any more, and whose reciprocals are rounded."""


def scaler(scale: float, streak: int) -> GradScaler:
    found = GradScaler("cpu")
    found.load_state_dict(found.state_dict() | {"scale": scale, "_growth_tracker": streak})
    return found


def test_numbers_are_torchs_defaults() -> None:
    theirs = GradScaler("cpu").state_dict()
    names = ("scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker")
    assert [theirs[name] for name in names] == [INITIAL, GROWTH, BACKOFF, INTERVAL, 0]
    ours = LossScales(2, "cpu", {}).state()
    assert ours["loss_scale/scale"].tolist() == [INITIAL] * 2
    assert ours["loss_scale/streak"].tolist() == ours["loss_scale/skipped"].tolist() == [0, 0]


def test_scales_gradients_and_skipped_updates_are_grad_scalers() -> None:
    """Of two parameters, either of which may be the one that is not finite; the scales go on from a state."""
    random = generator(0, "loss scale")
    scales = LossScales(LANES, "cpu", {"loss_scale/scale": torch.tensor(SCALES), "loss_scale/streak": _int(STREAKS)})
    theirs = [scaler(*given) for given in zip(SCALES, STREAKS, strict=True)]
    weights = [[torch.nn.Parameter(torch.zeros(4)), torch.nn.Parameter(torch.zeros(()))] for _ in range(LANES)]
    rules = [torch.optim.SGD(mine, lr=1.0) for mine in weights]
    skipped, broken = torch.zeros(LANES, dtype=torch.int64), 0
    for t in range(UPDATES):
        stacks = [torch.randn(LANES, 4, generator=random), torch.randn(LANES, generator=random)]
        for lane in torch.nonzero(torch.rand(LANES, generator=random) < 0.2).flatten().tolist():
            value = (math.inf, -math.inf, math.nan)[broken % 3]
            stacks[broken % 2][lane].flatten()[:1].fill_(value)
            broken += 1
        assert torch.equal(scales.numbers(t + 1), (t + 1 - skipped).double())
        torch.testing.assert_close(
            scales.scaled(torch.ones(LANES)), torch.stack([one.scale(torch.ones(())) for one in theirs]), rtol=0, atol=0
        )
        given = [stack.clone() for stack in stacks]
        scales.unscale(given)
        finite = scales.update(given)
        for lane, (one, mine, rule) in enumerate(zip(theirs, weights, rules, strict=True)):
            before = [weight.detach().clone() for weight in mine]
            for weight, stack in zip(mine, stacks, strict=True):
                weight.grad = stack[lane].clone()
            one.unscale_(rule)
            for weight, gradient in zip(mine, given, strict=True):
                torch.testing.assert_close(gradient[lane], weight.grad, rtol=0, atol=0, equal_nan=True)
            one.step(rule)
            one.update()
            stepped = any(not torch.equal(w, old) for w, old in zip(mine, before, strict=True))
            assert finite[lane].item() == stepped
            assert scales.of(lane).item() == one.get_scale()
        skipped += ~finite
        assert torch.equal(scales.skipped, skipped)
        tracked = [one.state_dict()["_growth_tracker"] for one in theirs]
        assert scales.state()["loss_scale/streak"].tolist() == tracked
    assert broken > 30
    assert scales.of(2).item() < SCALES[2]


def test_a_lane_without_a_finite_gradient_has_diverged_in_the_end() -> None:
    """65,536 / 2^30 is the first below 0.0001."""
    scales, losses = LossScales(2, "cpu", {}), torch.tensor([1.0, 2.0])
    for update in range(1, 31):
        scales.update([torch.tensor([[math.nan], [0.0]])])
        lost = scales.judged(losses).isnan().tolist()
        assert lost == [update == 30, False]
    assert scales.of(0).item() < LEAST < 2 * scales.of(0).item()


def _int(values: list[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int32)
