"""The program of a cohort: the lanes that train, and all that depends on them."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets import DatasetInfo, Splits, as_numbers
from core.metrics import Split, measured_by_epoch
from core.schedules import State
from core.training.initialize import Examples, initial_state
from core.training.lanes.batches import BatchSource
from core.training.lanes.dropout import Masks
from core.training.lanes.forward import Tensors
from core.training.lanes.grid import Grid
from core.training.lanes.model import Batch, StackedModel
from core.training.lanes.network import network
from core.training.lanes.rates import Rates
from core.training.noise import Noise
from core.training.options import TrainOptions
from core.training.recorder import Lane
from core.training.run_length import RunLength
from core.training.scaling import factors


def initial_stacks(
    lanes: Sequence[Lane], info: DatasetInfo, examples: Examples, dtype: torch.dtype
) -> dict[str, torch.Tensor]:
    """Return every lane's initial parameters and buffers, stacked; drawn once where arms share an initializer."""
    keys = [(lane.treatment.initializer, lane.seed) for lane in lanes]
    some_lane = dict(zip(keys, lanes, strict=True))
    drawn = {key: initial_state(lane.treatment, info, lane.seed, dtype, examples) for key, lane in some_lane.items()}
    with torch.device("meta"):
        trained = {name for name, _ in lanes[0].treatment.model.build()(info.inputs, info.outputs).named_parameters()}
    return {
        f"{'parameters' if name in trained else 'buffers'}/{name}": torch.stack([drawn[key][name] for key in keys])
        for name in drawn[keys[0]]
    }


class Program:
    """Lanes of one model, data set, batch size and optimizer, at some update."""

    def __init__(
        self,
        grid: Grid,
        data: Splits,
        info: DatasetInfo,
        length: RunLength,
        options: TrainOptions,
        *,
        state: Tensors,
        plateaus: Mapping[int, State],
        step: int,
    ) -> None:
        """`state` is as `state()` gives it, its lanes in the grid's order; `plateaus` the states of schedules that
        answer to a metric, by run. `data` lies on the device."""
        treatment = grid.lanes[0].treatment
        device = str(data.x_train.device)
        self.grid = grid
        self._data, self._info, self._length, self._options = data, info, length, options
        values = {
            name.partition("/")[2]: stack[0].cpu()
            for name, stack in state.items()
            if name.startswith(("parameters/", "buffers/"))
        }
        net = network(treatment, info, values, stacked=len(grid.lanes) > 1, shared_inputs=grid.arms > 1)
        self._metrics = measured_by_epoch(info.task, info.outputs)
        self._rates = Rates(grid.lanes, length, [metric.name for metric in self._metrics], plateaus)
        self._model = StackedModel(
            grid,
            net,
            info.task,
            state=state,
            curves=self._rates.column,
            factors=[factors(lane.treatment, info) for lane in grid.lanes],
            device=device,
            precision=treatment.precision,
            updates=step,
        )
        self._batches = BatchSource(
            data.x_train,
            data.y_train,
            seeds=grid.seeds,
            batch_size=treatment.batch_size,
            dtype=options.dtype,
            how=treatment.augment,
        )
        self._masks = Masks(net.dropout, grid.seeds, options.dtype, device)
        self._noise = (
            Noise(
                lanes=len(grid.lanes),
                examples=len(data.x_train),
                every=options.noise_every,
                device=device,
                state=state,
            )
            if options.noise_every
            else None
        )
        self._table = np.empty((0, 0))
        self._on_device = torch.empty(0)

    def start(self, epoch: int) -> None:
        """Shuffle for an epoch, and compute its learning rates."""
        self._batches.start(epoch)
        self._table = self._rates.table(epoch)
        self._on_device = torch.from_numpy(self._table).to(self._data.x_train.device)

    def update(self, step: int) -> torch.Tensor:
        """Do update `step` of every lane; return the losses before it, (lanes,)."""
        return self._model.update(self._batch(step))

    def diagnosed(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Update as `update` does; return also the diagnostics, (metrics, lanes), named by `diagnostics`."""
        return self._model.diagnosed(self._batch(step))

    @property
    def diagnostics(self) -> list[str]:
        """The names of the values that the last `diagnosed` update measured."""
        return self._model.diagnosis.names

    def rates(self, step: int) -> NDArray[np.float64]:
        """Return the lanes' learning rates during update `step`, (lanes,)."""
        rates: NDArray[np.float64] = self._table[step % self._length.per_epoch, self._rates.column]
        return rates

    def evaluate(self, epoch: int, check: Callable[[], None]) -> torch.Tensor:
        """Return an epoch's metrics, (metrics, lanes) in the order of their names, after schedules reacted to them."""
        measured = self._evaluate_splits(check)
        self._rates.react(epoch, measured)
        return measured if self._noise is None else torch.cat((measured, self._noise.take()))

    def _evaluate_splits(self, check: Callable[[], None]) -> torch.Tensor:
        """Return all metrics, (metrics, lanes), each measured on its split."""
        found: dict[str, torch.Tensor] = {}
        splits: dict[Split, tuple[torch.Tensor, torch.Tensor]] = {"train": self._data[:2], "valid": self._data[2:]}
        for split, (x, y) in splits.items():
            mine = [metric for metric in self._metrics if metric.split == split]
            values = self._model.evaluate(mine, partial(self._inputs, x), y, self._info.outputs, check)
            found |= {metric.name: row for metric, row in zip(mine, values, strict=True)}
        return torch.stack([found[metric.name] for metric in self._metrics])

    def _inputs(self, x: torch.Tensor, part: slice) -> torch.Tensor:
        return as_numbers(x[part], self._options.dtype)

    def _batch(self, step: int) -> Batch:
        i = step % self._length.per_epoch
        x, y = self._batches.batch(i, step)
        masks = {name: self.grid.per_group(mask) for name, mask in self._masks.draw(step, y.shape[1]).items()}
        noise = self._noise if self._noise is not None and self._noise.due(i, y.shape[1]) else None
        return Batch(self.grid.per_group(x), self.grid.per_lane(y), masks, self._table[i], self._on_device[i], noise)

    def state(self) -> dict[str, torch.Tensor]:
        """Return views of parameters, buffers, optimizer state and the epoch's noise so far, by the grid's lanes."""
        return self._model.state() if self._noise is None else self._model.state() | self._noise.state()

    @property
    def plateaus(self) -> dict[int, State]:
        """The states of schedules that answer to a metric, by run."""
        return self._rates.states

    def of(self, lanes: Sequence[Lane], step: int) -> "Program":
        """Return the program of some of its lanes only, as it continues at update `step`."""
        grid = Grid(lanes, str(self._data.x_train.device), math.prod(self._info.inputs))
        rows = torch.tensor([self.grid.lanes.index(lane) for lane in grid.lanes], device=self._data.x_train.device)
        state = {name: stack.index_select(0, rows) for name, stack in self.state().items()}
        return Program(
            grid,
            self._data,
            self._info,
            self._length,
            self._options,
            state=state,
            plateaus=self.plateaus,
            step=step,
        )
