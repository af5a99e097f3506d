"""One run as the plain loop: slow on purpose, and the specification of what `train_lanes` computes."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from core.datasets import Facts, Splits
from core.optimizers import Optimizer
from core.schedules import bind
from core.training.dropout import draw_masks
from core.training.feed import epoch_order
from core.training.initialize import initial_state
from core.training.network import network
from core.training.recorder import Lane, Recorder


def train_run(
    lane: Lane, data: Splits, facts: Facts, recorder: Recorder, *, dtype: torch.dtype = torch.float32
) -> None:
    """Train one run on the CPU and record every point as it is measured; the rules are those of `train_lanes`."""
    treatment = lane.treatment
    x_train, y_train, x_valid, y_valid = (t.to(dtype if t.is_floating_point() else t.dtype) for t in data)
    values = initial_state(treatment, facts, lane.seed, dtype)
    net = network(treatment, facts, values)
    model = net.module.to_empty(device="cpu").to(dtype)
    model.load_state_dict(values)
    rule: Optimizer = treatment.optimizer.build()
    optimizer = rule.reference(model.parameters())
    steps_per_epoch = math.ceil(len(x_train) / treatment.batch_size)
    rate = bind(treatment.schedule, rule.hyper["lr"], steps_per_epoch * treatment.epochs, steps_per_epoch)
    step = 0

    for epoch in range(treatment.epochs):
        for batch in torch.split(epoch_order(len(x_train), lane.seed, epoch), treatment.batch_size):
            for name, mask in draw_masks(net.dropout, lane.seed, step, len(batch), dtype).items():
                net.dropout[name].mask = mask
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            optimizer.zero_grad()
            loss = cross_entropy(model(x_train[batch]), y_train[batch])
            torch.autograd.backward(loss)
            optimizer.step()
            recorder.record(lane.run, "train_loss", step, loss.detach().numpy().reshape(1))
            recorder.record(lane.run, "lr", step, np.array([rate(step)]))
            step += 1
            if not math.isfinite(loss.item()):
                recorder.finish(lane.run, "diverged")
                return
        train, valid = _evaluate(model, x_train, y_train), _evaluate(model, x_valid, y_valid)
        for metric, value in (("train_accuracy", train[1]), ("valid_loss", valid[0]), ("valid_accuracy", valid[1])):
            recorder.record(lane.run, metric, epoch, np.array([value]))
        recorder.advance(step)
    recorder.finish(lane.run, "completed")


def _evaluate(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Mean loss and accuracy."""
    model.eval()
    with torch.no_grad():
        logits = model(x)
    model.train()
    return cross_entropy(logits, y).item(), (logits.argmax(1) == y).double().mean().item()
