"""The fast trainer: the runs of a cohort train together. `reference.train_run` is its specification."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch

from core.datasets import Facts, Splits, epoch_metrics
from core.training.dropout import PairedDropout, draw_masks
from core.training.factors import factors
from core.training.feed import Feed
from core.training.initialize import Examples, examples_of, initial_state
from core.training.ledger import CAPACITY, Ledger
from core.training.network import network
from core.training.objective import objective
from core.training.plan import program
from core.training.rates import Rates
from core.training.recorder import Lane, Recorder
from core.training.stack import Stack


class Stopped(Exception):
    """Training ended before its last update because `stopped()` said so; what was measured has been recorded."""


def train_lanes(
    lanes: Sequence[Lane],
    data: Splits,
    facts: Facts,
    recorder: Recorder,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    stopped: Callable[[], bool] = lambda: False,
    block_seconds: float = 0.5,
) -> None:
    """Train all lanes to the end of their epochs, each as if it were alone.

    The lanes share data set, model, batch size, epochs and the optimizer's rule; initializer, schedule, seed and the
    optimizer's numbers are their own. Measurements go to `recorder` after the first update and then about every
    `block_seconds`; between blocks nothing waits for the device. A lane whose loss is not finite has diverged and
    harms no other. `stopped` is asked before every update.

    Raises ValueError for lanes that cannot share a program, `Stopped` when `stopped()` is true.
    """
    if len({program(lane.treatment) for lane in lanes}) != 1:
        raise ValueError("lanes should be one or more that share data set, model, optimizer, batch size and epochs")
    treatment = lanes[0].treatment
    lanes = _alike_together(lanes)
    steps_per_epoch = math.ceil(len(data.x_train) / treatment.batch_size)
    x_train, y_train, x_valid, y_valid = (t.to(device, dtype if t.is_floating_point() else t.dtype) for t in data)
    states = _initial_states(lanes, facts, examples_of(data.x_train), dtype)
    net = network(treatment, facts, states[0])
    stack = Stack(lanes, net, objective(facts.task), states, [factors(lane.treatment, facts) for lane in lanes], device)
    feed = Feed(x_train, y_train, [lane.seed for lane in lanes], treatment.batch_size)
    metrics = epoch_metrics(facts.task)
    rates = Rates([lane.treatment for lane in lanes], steps_per_epoch, metrics)
    column = torch.tensor(rates.column, device=device)
    block = torch.empty(min(CAPACITY, steps_per_epoch * treatment.epochs), len(lanes), dtype=dtype, device=device)
    ledger = Ledger(lanes, recorder, metrics, steps_per_epoch, block, block_seconds)

    def check() -> None:
        if stopped():
            raise Stopped

    try:
        for epoch in range(treatment.epochs):
            feed.start(epoch)
            table = rates.table(epoch)
            device_table = torch.from_numpy(table).to(device)
            for i in range(steps_per_epoch):
                if ledger.due:
                    ledger.flush()
                    if not ledger.training:
                        return
                check()
                x, y = feed.batch(i)
                masks = _masks(net.dropout, feed, epoch * steps_per_epoch + i, x)
                losses = stack.update(x, y, masks, device_table[i].index_select(0, column))
                ledger.step(losses, table[i, rates.column])
            train = stack.evaluate(x_train, y_train, check)
            valid = stack.evaluate(x_valid, y_valid, check)
            measured = torch.stack((train[1], *valid))
            ledger.epoch(measured)
            rates.react(epoch, measured)
    except Stopped:
        ledger.flush()
        raise
    ledger.finish()


def _alike_together(lanes: Sequence[Lane]) -> list[Lane]:
    """Lanes with the same optimizer and schedule side by side: they can be updated with one rate."""
    curves = [(lane.treatment.optimizer, lane.treatment.schedule) for lane in lanes]
    order = list(dict.fromkeys(curves))
    return sorted(lanes, key=lambda lane: order.index((lane.treatment.optimizer, lane.treatment.schedule)))


def _initial_states(
    lanes: Sequence[Lane], facts: Facts, examples: Examples, dtype: torch.dtype
) -> list[dict[str, torch.Tensor]]:
    """Every lane's initial values, drawn once where arms have the same initializer."""
    keys = [(lane.treatment.initializer, lane.seed) for lane in lanes]
    some_lane = dict(zip(keys, lanes, strict=True))
    drawn = {key: initial_state(lane.treatment, facts, lane.seed, dtype, examples) for key, lane in some_lane.items()}
    return [drawn[key] for key in keys]


def _masks(layers: Mapping[str, PairedDropout], feed: Feed, step: int, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """The lanes' masks for the batch x: drawn once a seed."""
    drawn = [draw_masks(layers, seed, step, x.shape[1], x.dtype) for seed in feed.distinct_seeds]
    return {name: feed.per_lane(torch.stack([masks[name] for masks in drawn]).to(x.device)) for name in layers}
