"""The reference trainer, one run as a plain loop: slow on purpose, and the specification of `train_lanes`."""

import math
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.amp import GradScaler
from torch.func import functional_call

from core.datasets import DatasetInfo, Splits, as_numbers
from core.metrics.gradient_noise import NOISE_METRICS
from core.metrics.skipped_updates import SKIPPED
from core.optimizers import Optimizer
from core.schedules import Reactive, bind
from core.spec import Patience, Treatment, hidden_weights
from core.streams import keys
from core.training.augment import augment
from core.training.initialize import calibration_examples, initial_state
from core.training.lanes.batches import epoch_order
from core.training.lanes.dropout import Masks
from core.training.lanes.loss_scale import LEAST
from core.training.lanes.network import Network, network
from core.training.mixing import PlainMixing
from core.training.plain_judging import PlainJudge, switch_mode
from core.training.plain_settings import Average, Together, TrainedLoss, autocast, clip, sharpen
from core.training.recorder import Lane, Recorder
from core.training.scaling import ParameterScaling, factors


def train_run(
    lane: Lane,
    data: Splits,
    info: DatasetInfo,
    recorder: Recorder,
    *,
    dtype: torch.dtype = torch.float32,
    updates: int | None = None,
    noise_every: int = 0,
    judge_all: bool = False,
    classification: bool = False,
) -> None:
    """Train one run on the CPU and record every point as it is measured; the rules are those of `train_lanes`.

    `data` are the splits of the seed of its split.

    All is computed in `dtype`, but for the products of a half precision, which are torch's autocast's.
    """
    treatment = lane.treatment
    x_train, x_valid, x_test = (as_numbers(x, dtype) for x in (data.x_train, data.x_valid, data.x_test))
    y_train, y_valid, y_test = (
        y.to(dtype) if y.is_floating_point() else y for y in (data.y_train, data.y_valid, data.y_test)
    )
    seeds = lane.sources
    values = initial_state(
        treatment, info, seeds.init, dtype, calibration_examples(data.x_train), targets=lambda: data.y_train
    )
    net = network(treatment, info, values)
    model = net.written.to_empty(device="cpu").to(dtype)
    model.load_state_dict(values)
    rule: Optimizer = treatment.optimizer.build()
    departures = factors(treatment, info)
    mine = {name: departures.get(name, ParameterScaling()) for name, _ in model.named_parameters()}
    decays = {name: treatment.weight_decay_on == "all" or p.ndim > 1 for name, p in model.named_parameters()}
    groups = {name: _group(rule, p, mine[name], decays[name]) for name, p in model.named_parameters()}
    optimizers = _optimizers(rule, groups, hidden_weights(model))
    scaled, scaler = Together(optimizers), _Scaler(treatment)
    average = Average(model, treatment.ema_decay)
    trained_loss = TrainedLoss(treatment, info, y_train, dtype)
    switch_mode(optimizers, training=True)
    steps_per_epoch = treatment.updates_per_epoch(len(x_train))
    steps = updates or steps_per_epoch * treatment.epochs
    curve = bind(treatment.schedule, rule.hyper["lr"], steps, steps_per_epoch)
    state = curve.start if isinstance(curve, Reactive) else ()
    masks, pictures = Masks(net.dropout, [seeds.dropout], dtype), keys([seeds.order], "augment")
    mixing = PlainMixing(treatment, info, seeds.order, steps_per_epoch)
    noise = _Noise(noise_every, len(x_train))
    step, patience = 0, Patience()
    waited: Patience | None = patience

    def outputs(x: torch.Tensor, model: nn.Module = model) -> torch.Tensor:
        weights = {name: p * mine[name].forward for name, p in model.named_parameters()}
        with autocast(treatment):
            given: torch.Tensor = functional_call(model, weights, (x,))
        return given.to(dtype)

    def loss_of(x: torch.Tensor, y: torch.Tensor, drawn: Mapping[str, torch.Tensor], first: int) -> torch.Tensor:
        _mask(net, drawn, first)
        return trained_loss(outputs(x[:first]), y[:first])

    judge = PlainJudge(
        info,
        Splits(x_train, y_train, x_valid, y_valid, x_test, y_test),
        model=model,
        average=average,
        optimizers=optimizers,
        outputs=outputs,
        judge_all=judge_all,
    )
    for epoch in range(math.ceil(steps / steps_per_epoch)):
        batches = torch.split(epoch_order(len(x_train), seeds.order, epoch), treatment.batch_size)
        batches = batches[: min(steps_per_epoch, steps - step)]
        for i, batch in enumerate(batches):
            drawn = masks.draw(step, len(batch))
            x, y = x_train[batch], y_train[batch]
            if treatment.augment:
                x = augment(x.unsqueeze(0), treatment.augment, pictures, step)[0]
            x, y = mixing(x, y, epoch, i)
            x, y, drawn = _ordered(lane, x, y, drawn)
            rate = curve.rate(state, step) if isinstance(curve, Reactive) else curve(step)
            noise.measure(i, len(batch), model, partial(loss_of, x, y, drawn))
            model.zero_grad()
            computed = partial(loss_of, x, y, drawn, len(batch))
            loss = computed()
            torch.autograd.backward(scaler.scale(loss))
            sharpen(treatment, model, partial(scaler.scaled, computed))
            scaler.unscale_(scaled)
            clip(treatment, list(model.parameters()))
            scaled.rate = rate
            scaler.step(scaled)
            scaler.update()
            average.update(model)
            loss = scaler.judged(loss)
            recorder.record(lane.run, "train_loss", step, loss.detach().numpy().reshape(1))
            recorder.record(lane.run, "lr", step, np.array([rate]))
            step += 1
            if not math.isfinite(loss.item()):
                recorder.finish(lane.run, "diverged")
                return
        if step % steps_per_epoch:
            recorder.advance(step)
            recorder.finish(lane.run, "completed")
            return
        measured = judge.epoch()
        _record(recorder, lane.run, epoch, measured | noise.take() | scaler.measured())
        if isinstance(curve, Reactive):
            state = curve.react(state, step, measured[curve.metric])
        recorder.advance(step)
        waited = _waited(treatment, patience, measured, epoch + 1, step == steps)
        if waited is None:
            break
        patience = waited
    _record(recorder, lane.run, epoch, judge.test())
    _finish(recorder, lane.run, judge if classification else None, early=waited is None)


def _ordered(
    lane: Lane, x: torch.Tensor, y: torch.Tensor, drawn: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Return a batch with its masks; in a second training the last example comes first."""
    if not lane.repeat:
        return x, y, drawn
    return x.flip(0), y.flip(0), {name: mask.flip(1) for name, mask in drawn.items()}


def _record(recorder: Recorder, run: int, epoch: int, measured: Mapping[str, float]) -> None:
    for metric, value in measured.items():
        recorder.record(run, metric, epoch, np.array([value]))


def _finish(recorder: Recorder, run: int, judge: PlainJudge | None, *, early: bool) -> None:
    """Record the end of a run, and before it the summary of its classes where a judge is given."""
    if judge is not None:
        recorder.classify(run, judge.summary())
    recorder.finish(run, "stopped_early" if early else "completed")


def _waited(
    treatment: Treatment, state: Patience, measured: Mapping[str, float], epochs: int, done: bool
) -> Patience | None:
    """Return the state of early stopping after so many epochs, the last with these metrics; None where the run ends.

    A run that is `done` ends anyway.
    """
    rule = treatment.early_stopping
    if rule is None:
        return state
    state = rule.after(state, measured[rule.metric])
    return None if rule.ends(state, epochs) and not done else state


class _Scaler(GradScaler):
    """torch's loss scaler, of a treatment in float16; of another it does nothing."""

    def __init__(self, treatment: Treatment) -> None:
        super().__init__("cpu", enabled=treatment.precision == "fp16")
        self._skipped = 0

    def update(self, new_scale: float | torch.Tensor | None = None) -> None:
        """Update the scale, and count the update if it was skipped."""
        before = self.get_scale()
        super().update(new_scale)
        self._skipped += self.get_scale() < before

    def scaled(self, loss: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Return what `loss` computes by the scale."""
        scaled: torch.Tensor = self.scale(loss())
        return scaled

    def judged(self, loss: torch.Tensor) -> torch.Tensor:
        """Return the loss, NaN where the scale is so small that the run has diverged."""
        return loss if self.get_scale() >= LEAST else torch.full_like(loss, math.nan)

    def measured(self) -> dict[str, float]:
        """Return the count of skipped updates."""
        return {SKIPPED: self._skipped} if self.is_enabled() else {}


class _Noise:
    """The estimates of `core.training.noise`, by separate gradients of the half batch and of the whole."""

    def __init__(self, every: int, examples: int) -> None:
        self._every, self._examples = every, examples
        self._found: list[tuple[float, float]] = []

    def measure(self, i: int, b: int, model: nn.Module, loss_of: Callable[[int], torch.Tensor]) -> None:
        """Measure batch i of the epoch, of b examples; `loss_of(m)` is the mean loss of its first m."""
        if self._every == 0 or i % self._every or b == 1:
            return
        n, m = self._examples, b // 2
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        h, g = (
            torch.cat([part.flatten() for part in torch.autograd.grad(loss_of(count), trained)]) for count in (m, b)
        )
        variance = (h - g).dot(h - g).item() * b * m / (b - m)
        self._found.append((g.dot(g).item() - variance * (1 / b - 1 / n), variance * (n - 1) / n))

    def take(self) -> dict[str, float]:
        """Return the epoch's means."""
        found, self._found = self._found, []
        means = np.mean(found, axis=0).tolist() if found else [math.nan, math.nan]
        return dict(zip(NOISE_METRICS, means, strict=True)) if self._every else {}


def _group(rule: Optimizer, parameter: nn.Parameter, factor: ParameterScaling, decays: bool) -> dict[str, Any]:
    """Return a parameter as a group of its own, so that it can have its own rate and weight decay, or be frozen."""
    parameter.requires_grad_(factor.lr != 0)
    own = rule.hyper.get("weight_decay", 0.0) * factor.weight_decay if decays else 0.0
    decay = {"weight_decay": own} if "weight_decay" in rule.hyper else {}
    return {"params": [parameter], "lr_scale": factor.lr, **decay}


def _optimizers(rule: Optimizer, groups: Mapping[str, dict[str, Any]], hidden: Container[str]) -> list[Any]:
    """Return the rule's optimizer, and that of the parameters that it leaves to another: all but hidden weights."""
    if rule.others is None:
        return [rule.reference(groups.values())]
    ratio = rule.others.hyper["lr"] / rule.hyper["lr"]
    mine = [group for name, group in groups.items() if name in hidden]
    rest = [{**group, "lr_scale": group["lr_scale"] * ratio} for name, group in groups.items() if name not in hidden]
    return [one.reference(part) for one, part in ((rule, mine), (rule.others, rest)) if part]


def _mask(net: Network, drawn: Mapping[str, torch.Tensor], first: int) -> None:
    """Give the dropout layers the masks of the first examples of a batch."""
    for name, mask in drawn.items():
        net.dropout[name].mask = mask[0, :first]
