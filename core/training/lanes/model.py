"""The lanes of a cohort as one program: every parameter stacked over lanes, one update for all."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from core.metrics import Evaluation, Metric, Task
from core.metrics.loss import loss_of_examples
from core.optimizers import Optimizer
from core.spec import Precision
from core.training.lanes.diagnosis import Diagnosis
from core.training.lanes.forward import Tensors, forward
from core.training.lanes.graphs import Graph
from core.training.lanes.grid import Grid
from core.training.lanes.network import Network
from core.training.lanes.optimizer import StackedOptimizer
from core.training.noise import Noise
from core.training.scaling import ParameterScaling

EVALUATION = {"cpu": 2**22, "cuda": 2**28}
"""Numbers of one layer's values in evaluation; a CPU's stay in its cache."""


class Batch(NamedTuple):
    """The inputs of an update."""

    x: torch.Tensor
    """Examples, (groups, batch, *shape)."""
    y: torch.Tensor
    """Labels or targets, (lanes, batch, ...)."""
    masks: Tensors
    """Dropout masks by layer, (groups, batch, calls, *units) each."""
    rates: NDArray[np.float64]
    """The learning rates of the curves, (curves,)."""
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
        task: Task,
        *,
        state: Tensors,
        curves: Sequence[int],
        factors: Sequence[Mapping[str, ParameterScaling]],
        device: str,
        precision: Precision = "fp32",
        updates: int = 0,
    ) -> None:
        """Restore `state`, as `state()` returns it; `curves` and `factors` are those of `StackedOptimizer`."""
        self._grid = grid
        self._network = network
        self._task = task
        self._losses = loss_of_examples(task)
        self._device = device
        self._kind = torch.device(device).type
        self._bf16 = precision == "bf16"
        optimizers: list[Optimizer] = [lane.treatment.optimizer.build() for lane in grid.lanes]
        orders = {name: self._order(name, p.ndim) for name, p in network.module.named_parameters()}
        self._optimizer = StackedOptimizer(
            state,
            orders=orders,
            optimizers=optimizers,
            curves=curves,
            factors=factors,
            device=device,
            updates=updates,
        )
        self._parameters = self._optimizer.parameters
        self._buffers = {
            name.removeprefix("buffers/"): value.to(device, copy=True)
            for name, value in state.items()
            if name.startswith("buffers/")
        }
        self._forward: dict[str, torch.Tensor] = {}
        for name, values in self._parameters.items():
            mine = [lane.get(name, ParameterScaling()).forward for lane in factors]
            if set(mine) != {1.0}:
                column = [-1, *[1] * (values.ndim - 1)]
                self._forward[name] = torch.tensor(mine, device=device, dtype=values.dtype).view(column)
        self.diagnosis = Diagnosis(network.module)
        graphed = device != "cpu"
        self._gradients = Graph(self._differentiate, list(self._buffers.values())) if graphed else self._differentiate
        self._measure_graph = Graph(self._measure, []) if graphed else self._measure

    def update(self, batch: Batch) -> torch.Tensor:
        """Update every lane; return the losses before the update, (lanes,)."""
        losses, gradients = self._differentiated(batch)
        self._optimizer.step(gradients, batch.rates, batch.on_device)
        return losses

    def diagnosed(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Update as `update` does; return also the diagnostics, (metrics, lanes), named by `diagnosis`."""
        (activations,) = self._measure_graph(batch.x, *batch.masks.values())
        losses, gradients = self._differentiated(batch)
        by_name = dict(zip(self._parameters, gradients, strict=True))
        standing, weights = self.diagnosis.standing(self._parameters, by_name)
        self._optimizer.step(gradients, batch.rates, batch.on_device)
        return losses, torch.cat([activations, standing, self.diagnosis.moved(weights, self._parameters)])

    def evaluate(
        self,
        metrics: Sequence[Metric],
        x: Callable[[slice], torch.Tensor],
        y: torch.Tensor,
        outputs: int,
        check: Callable[[], None],
    ) -> torch.Tensor:
        """Return metrics of every lane on a split, (metrics, lanes) in float64, dropout off and norms frozen.

        `x` gives a part of the inputs; `outputs` are the numbers that the model gives for an example; `check` is called
        before every part and may raise.
        """
        lanes = len(self._grid.lanes)
        chunk = max(1, EVALUATION[self._kind] // (lanes * self._network.widest))
        evaluation = Evaluation(task=self._task, lanes=lanes, y=y, outputs=outputs)
        accumulators = [metric.accumulator(evaluation) for metric in metrics if metric.accumulator is not None]
        own = {**self._scaled(self._optimizer.evaluated()), **self._buffers}
        module = self._network.module
        module.eval()
        try:
            for first in range(0, len(y), chunk):
                check()
                part = slice(first, first + chunk)
                with torch.no_grad(), self._autocast():
                    predicted = self._for_loss(forward(module, own, {}, x(part).unsqueeze(0), lanes))
                    each = y[part].expand(lanes, *y[part].shape)
                    for accumulator in accumulators:
                        accumulator.add(predicted, each)
        finally:
            module.train()
        return torch.stack([accumulator.result() for accumulator in accumulators])

    def state(self) -> dict[str, torch.Tensor]:
        """Return the state that the next update depends on, stacked over lanes: views, which that update changes."""
        return {**self._optimizer.state(), **{f"buffers/{name}": value for name, value in self._buffers.items()}}

    def _differentiated(self, batch: Batch) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
        """Return losses and gradients of an update, and measure their noise where it is due."""
        x, y, masks = batch.x, batch.y, batch.masks
        losses, *gradients = self._gradients(x, y, *masks.values())
        if batch.noise is not None:
            m, b = y.shape[1] // 2, y.shape[1]
            _, *half = self._differentiate(x[:, :m], y[:, :m], *(mask[:, :m] for mask in masks.values()))
            batch.noise.add(gradients, half, m, b)
        return losses, gradients

    def _differentiate(self, x: torch.Tensor, y: torch.Tensor, *masks: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return every lane's loss, (lanes,), and the gradients of the parameters' stacks."""
        shared = {f"{name}.mask": mask for name, mask in zip(self._network.dropout, masks, strict=True)}
        own = {**self._scaled(self._parameters), **self._buffers}
        with self._autocast():
            outputs = self._for_loss(forward(self._network.module, own, shared, x, self._grid.arms))
        losses = self._losses(outputs, y).mean(1)
        gradients = torch.autograd.grad(losses.sum(), list(self._parameters.values()))
        return losses.detach(), *gradients

    def _measure(self, x: torch.Tensor, *masks: torch.Tensor) -> tuple[torch.Tensor]:
        """Measure the layers' activations for a batch, (metrics, lanes)."""
        shared = {f"{name}.mask": mask for name, mask in zip(self._network.dropout, masks, strict=True)}
        with self._autocast():
            own = self._scaled(self._parameters)
            return (self.diagnosis.before(own, self._buffers, shared, x, self._grid.arms),)

    def _for_loss(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs in the precision of the loss: bfloat16 as float32."""
        return outputs.float() if self._bf16 else outputs

    def _autocast(self) -> torch.autocast:
        # the weights are cast anew in every pass: a captured graph must not keep a cast from before an update
        return torch.autocast(self._kind, torch.bfloat16, enabled=self._bf16, cache_enabled=False)

    def _scaled(self, weights: Tensors) -> Tensors:
        """Return the weights as the forward pass uses them, scaled by the initializer's factors."""
        return {**weights, **{name: weights[name] * factor for name, factor in self._forward.items()}}

    def _order(self, name: str, dimensions: int) -> tuple[int, ...]:
        """Return the memory order of a parameter's stack, that of its gradient, so that updates read both in order."""
        if len(self._grid.lanes) == 1:  # the plain path: pictures, and so kernels, with their channels last
            last = dimensions == 4 and self._device == "cpu"
            return (0, 1, 3, 4, 2) if last else tuple(range(dimensions + 1))
        batched = dimensions == 2 and name not in self._network.wide  # a batched product's gradient is input by input
        return (0, 2, 1) if batched else tuple(range(dimensions + 1))
