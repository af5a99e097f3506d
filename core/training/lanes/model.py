"""The lanes of a cohort as one program: every parameter stacked over lanes, one update for all."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.optimizers import Optimizer, UpdateNumber
from core.spec import HALVES, Precision, hidden_weights
from core.training.lanes.ascent import Ascent
from core.training.lanes.averages import Averages
from core.training.lanes.clipping import Clip, column
from core.training.lanes.diagnosis import Diagnosis
from core.training.lanes.forward import Tensors, caller, forward
from core.training.lanes.grid import Grid
from core.training.lanes.loop import LoopedGradients
from core.training.lanes.loss_scale import LossScales
from core.training.lanes.losses import BatchWeight, TrainedLoss
from core.training.lanes.mixed_optimizer import MixedOptimizer
from core.training.lanes.network import Network
from core.training.noise import Noise
from core.training.options import Layout
from core.training.scaling import ParameterScaling, undecayed

EVALUATION = {"cpu": 2**22, "cuda": 2**28}
"""Numbers of one layer's values in evaluation; a CPU's stay in its cache."""
JUDGED = 32
"""Lanes of `vmap` that they are shared among, whatever the count there is: parts of a split decide how sums round."""


class Batch(NamedTuple):
    """The inputs of an update."""

    x: torch.Tensor
    """Examples, (groups, batch, *shape)."""
    y: torch.Tensor
    """Labels or targets, (lanes, batch, ...)."""
    masks: Tensors
    """Dropout masks by layer, (groups, batch, calls, *units) each."""
    number: UpdateNumber
    """The update's number, from 1."""
    rates: NDArray[np.float64] | None
    """The learning rates of the curves, (curves,); None where they are known on the device alone."""
    on_device: torch.Tensor
    """The same rates on the device."""
    noise: Noise | None
    """The measurement of the gradients' noise, where it is due."""


class StackedModel:
    """Parameters, buffers and optimizer state of all lanes, (lanes, *shape) each."""

    def __init__(
        self,
        grid: Grid,
        network: Network,
        loss: TrainedLoss,
        *,
        state: Tensors,
        curves: Sequence[int],
        factors: Sequence[Mapping[str, ParameterScaling]],
        device: str,
        precision: Precision = "fp32",
        layout: Layout = "vmap",
    ) -> None:
        """Restore `state`, as `state()` returns it; `curves` and `factors` are those of `MixedOptimizer`."""
        self._grid = grid
        self._network = network
        treatments = [lane.treatment for lane in grid.lanes]
        self._loss = loss
        self._micro = treatments[0].micro_batch_size
        clips = [one.gradient_clip.clipping for one in treatments if one.gradient_clip is not None]
        self._clip = Clip(clips, device) if clips else None
        ascents = [one.sam for one in treatments if one.sam is not None]
        self._ascent = Ascent(ascents, device) if ascents else None
        self._device = device
        self._kind = torch.device(device).type
        self._half = HALVES.get(precision)
        self._scales = LossScales(len(grid.lanes), device, state) if precision == "fp16" else None
        self._layout = layout
        optimizers: list[Optimizer] = [treatment.optimizer.build() for treatment in treatments]
        if treatments[0].weight_decay_on == "weights":
            vectors = [name for name, p in network.module.named_parameters() if p.ndim <= 1]
            factors = [{**lane, **{name: undecayed(lane.get(name)) for name in vectors}} for lane in factors]
        orders = {name: self._order(name, p.ndim) for name, p in network.module.named_parameters()}
        self._optimizer = MixedOptimizer(
            state,
            orders=orders,
            optimizers=optimizers,
            curves=curves,
            factors=factors,
            hidden=hidden_weights(network.written),
            device=device,
            skips=self._scales is not None,
        )
        self._parameters = self._optimizer.parameters
        self._frozen: dict[str, torch.Tensor] = {}
        """The lanes that do not train a parameter, by its name, ready to broadcast."""
        self._buffers = {
            name.removeprefix("buffers/"): value.to(device, copy=True)
            for name, value in state.items()
            if name.startswith("buffers/")
        }
        decays = [one.ema_decay for one in treatments if one.ema_decay is not None]
        self._averages = Averages(decays, self._parameters, self._buffers, state) if decays else None
        self._forward: dict[str, torch.Tensor] = {}
        for name, values in self._parameters.items():
            mine = [lane.get(name, ParameterScaling()).forward for lane in factors]
            if set(mine) != {1.0}:
                self._forward[name] = column(torch.tensor(mine, device=device, dtype=torch.float64), values)
            frozen = [lane.get(name, ParameterScaling()).lr == 0 for lane in factors]
            if any(frozen):
                self._frozen[name] = column(torch.tensor(frozen, device=device), values).bool()
        self.diagnosis = Diagnosis(network.written)
        self._call = caller(network.module)
        self._looped = LoopedGradients(self._parameters, self._forward) if layout == "loop" else None

    def update(self, batch: Batch) -> torch.Tensor:
        """Update every lane; return the losses before the update, (lanes,)."""
        losses, gradients = self._differentiated(batch)
        return self._step(losses, gradients, batch)

    def diagnosed(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Update as `update` does; return also the diagnostics, (metrics, lanes), named by `diagnosis`."""
        with self._autocast():
            own = self._scaled(self._parameters)
            activations = self.diagnosis.before(
                own, self._buffers, self._shared(batch.masks), batch.x, self._grid.arms, self._layout
            )
        losses, gradients = self._differentiated(batch)
        by_name = dict(zip(self._parameters, gradients, strict=True))
        standing, weights = self.diagnosis.standing(self._parameters, by_name)
        losses = self._step(losses, gradients, batch)
        return losses, torch.cat([activations, standing, self.diagnosis.moved(weights, self._parameters)])

    def _step(self, losses: torch.Tensor, gradients: Sequence[torch.Tensor], batch: Batch) -> torch.Tensor:
        """Update the weights by the gradients, and the running means by the weights; return the losses to record."""
        number, finite = batch.number, None
        if self._scales is not None:
            number, finite = self._scales.numbers(number), self._scales.update(gradients)
            losses = self._scales.judged(losses)
        if self._clip is not None:
            self._clip(list(self._parameters.values()), gradients)
        self._optimizer.step(gradients, number, batch.rates, batch.on_device, finite)
        if self._averages is not None:
            self._averages.update()
        return losses

    @property
    def skipped(self) -> torch.Tensor | None:
        """Count of the updates that each lane has skipped so far, (lanes,); None where no loss is scaled."""
        return None if self._scales is None else self._scales.skipped

    @property
    def chunk(self) -> int:
        """The most examples of one `predict`, by the memory of what some lanes compute at the same time."""
        at_once = JUDGED if self._layout == "vmap" else 1
        return max(1, EVALUATION[self._kind] // (at_once * self._network.widest))

    def predict(self, x: torch.Tensor, averaged: bool = False, grouped: bool = False) -> torch.Tensor:
        """Return the lanes' outputs, (lanes, examples, outputs), for examples (examples, *shape) as in evaluation.

        With `averaged` those of the running means of the weights; with `grouped` each group has its own examples,
        (groups, examples, *shape).
        """
        means = self._averages if averaged else None
        own = self.weights() if means is None else {**self._scaled(means.weights), **means.buffers}
        self._network.module.eval()
        try:
            with torch.no_grad(), self._autocast():
                x, arms = (x, self._grid.arms) if grouped else (x.unsqueeze(0), len(self._grid.lanes))
                return self._for_loss(forward(self._network.module, own, {}, x, arms, self._layout))
        finally:
            self._network.module.train()

    def weights(self) -> dict[str, torch.Tensor]:
        """Return parameters and buffers as evaluation uses them, (lanes, *shape) each, by the plain model's names."""
        return {**self._scaled(self._optimizer.evaluated()), **self._buffers}

    def scaled_lane(self, lane: int, weights: Tensors) -> dict[str, torch.Tensor]:
        """Return one lane's weights, (*shape) each, as evaluation would use them."""
        own = {name: factor[lane].to(weights[name].device) for name, factor in self._forward.items()}
        return {name: value * own[name] if name in own else value for name, value in weights.items()}

    def state(self) -> dict[str, torch.Tensor]:
        """Return the state that the next update depends on, stacked over lanes: views, which that update changes."""
        means = {} if self._averages is None else self._averages.state()
        buffers = {f"buffers/{name}": value for name, value in self._buffers.items()}
        scales = {} if self._scales is None else self._scales.state()
        return {**self._optimizer.state(), **buffers, **means, **scales}

    def _differentiated(self, batch: Batch) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Return losses and gradients of an update, and measure their noise where it is due."""
        x, y, masks = batch.x, batch.y, batch.masks
        losses, gradients = self._differentiate(x, y, masks)
        if batch.noise is not None:
            m, b = y.shape[1] // 2, y.shape[1]
            gradients = [gradient.clone() for gradient in gradients] if self._looped else gradients
            _, half = self._differentiate(x[:, :m], y[:, :m], _of(masks, slice(m)))
            batch.noise.add(gradients, half, m, b)
        if self._ascent is not None:
            statistics = {name: buffer.clone() for name, buffer in self._buffers.items()}
            with self._ascent([*self._parameters.values()], gradients):
                _, gradients = self._differentiate(x, y, masks, statistics)
        return losses, gradients

    def _differentiate(
        self, x: torch.Tensor, y: torch.Tensor, masks: Tensors, buffers: Tensors | None = None
    ) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Return every lane's loss, (lanes,), and the gradients of the parameters' stacks: sums over micro-batches.

        They are 0 where a parameter is frozen. `buffers` are changed as in training; None: the lanes' own.
        """
        weight, most = self._loss.weight(y), self._micro or y.shape[1]
        buffers = self._buffers if buffers is None else buffers
        losses, gradients = self._part(x[:, :most], y[:, :most], _of(masks, slice(most)), weight, buffers)
        for first in range(most, y.shape[1], most):
            part = slice(first, first + most)
            more, gradients = self._part(x[:, part], y[:, part], _of(masks, part), weight, buffers, gradients)
            losses = losses + more
        if self._scales is not None:
            self._scales.unscale(gradients)
        for name, gradient in zip(self._parameters, gradients, strict=True):
            if name in self._frozen:
                gradient.masked_fill_(self._frozen[name], 0.0)
        return losses, gradients

    def _part(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        masks: Tensors,
        weight: BatchWeight,
        buffers: Tensors,
        onto: list[torch.Tensor] | None = None,
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the share that a part has in the losses, and its gradients; `onto`: added to those of parts before."""
        shared = self._shared(masks)
        if self._looped is not None:
            loss_of = partial(self._loss_of_lane, weight)
            return self._looped(
                loss_of, buffers, shared, x, y, self._grid.arms, scales=self._scales, add=onto is not None
            )
        own = {**self._scaled(self._parameters), **buffers}
        with self._autocast():
            outputs = self._for_loss(forward(self._network.module, own, shared, x, self._grid.arms, "vmap"))
        losses = self._loss(outputs, y, weight)
        differentiated = losses if self._scales is None else self._scales.scaled(losses)
        gradients = list(torch.autograd.grad(differentiated.sum(), list(self._parameters.values())))
        if onto is not None:
            torch._foreach_add_(gradients, onto)
        return losses.detach(), gradients

    def _loss_of_lane(
        self, weight: BatchWeight, lane: int, own: Tensors, masks: Tensors, x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        with self._autocast():
            outputs = self._for_loss(self._call(own, masks, x))
        return self._loss(outputs.unsqueeze(0), y.unsqueeze(0), weight, slice(lane, lane + 1)).squeeze(0)

    def _shared(self, masks: Tensors) -> Tensors:
        """Return the dropout masks by the names of the layers' buffers."""
        return {f"{name}.mask": mask for name, mask in masks.items()}

    def _for_loss(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs in the precision of the loss: those of 16 bits as the weights are."""
        return outputs if self._half is None else outputs.to(next(iter(self._parameters.values())).dtype)

    def _autocast(self) -> torch.autocast:
        # the weights are cast anew in every pass: a captured graph must not keep a cast from before an update
        return torch.autocast(self._kind, self._half, enabled=self._half is not None, cache_enabled=False)

    def _scaled(self, weights: Tensors) -> Tensors:
        """Return the weights as the forward pass uses them, scaled by the initializer's factors."""
        return {**weights, **{name: weights[name] * factor for name, factor in self._forward.items()}}

    def _order(self, name: str, dimensions: int) -> tuple[int, ...]:
        """Return the memory order of a parameter's stack, that of its gradient, so that updates read both in order."""
        if self._layout == "loop":  # the plain path: pictures, and so kernels, with their channels last
            last = dimensions == 4 and self._device == "cpu"
            return (0, 1, 3, 4, 2) if last else tuple(range(dimensions + 1))
        batched = dimensions == 2 and name not in self._network.wide  # a batched product's gradient is input by input
        return (0, 2, 1) if batched else tuple(range(dimensions + 1))


def _of(masks: Tensors, part: slice) -> Tensors:
    """Return the masks of a part of a batch's examples."""
    return {name: mask[:, part] for name, mask in masks.items()}
