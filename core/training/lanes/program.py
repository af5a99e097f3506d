"""The program of a cohort: the lanes that train, and all that depends on them."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from core.datasets import DatasetInfo, as_numbers
from core.metrics import Metric, Split, measured_by_epoch, measured_on_test
from core.schedules import State
from core.spec import HALVES
from core.training.lanes.batches import BatchSource
from core.training.lanes.captured import Captured
from core.training.lanes.clock import Moment
from core.training.lanes.data import LaneData
from core.training.lanes.dropout import Masks
from core.training.lanes.evaluation import Judged, evaluate, judged_part
from core.training.lanes.forward import Tensors
from core.training.lanes.grid import Grid
from core.training.lanes.judged_examples import JudgedExamples, OfLane
from core.training.lanes.kept_weights import BestWeights, RunWeights, Weights
from core.training.lanes.losses import TrainedLoss
from core.training.lanes.metric_buffer import CAPACITY
from core.training.lanes.model import Batch, StackedModel
from core.training.lanes.network import network
from core.training.lanes.rates import Rates
from core.training.mixing import Mixing
from core.training.noise import Noise
from core.training.options import TrainOptions
from core.training.recorder import Lane
from core.training.run_length import RunLength
from core.training.scaling import factors


class Program:
    """Lanes of one model, data set, batch size and optimizer, at some update."""

    def __init__(
        self,
        grid: Grid,
        data: LaneData,
        info: DatasetInfo,
        length: RunLength,
        options: TrainOptions,
        *,
        state: Tensors,
        plateaus: Mapping[int, State],
    ) -> None:
        """`state` is as `state()` gives it, its lanes in the grid's order; `plateaus` the states of schedules that
        answer to a metric, by run."""
        treatment = grid.lanes[0].treatment
        device = str(data.device)
        self.grid = grid
        self._data, self._info, self._length, self._options = data, info, length, options
        orders, splits = ([getattr(one, of) for one in grid.sources] for of in ("order", "split"))
        self._judged: dict[Split, Judged] = {
            "train": self._judged_training(),
            "valid": Judged(*data.examples("valid"), data.rows("valid", splits)),
            "test": Judged(*data.examples("test"), data.rows("test", splits)),
        }
        values = {
            name.partition("/")[2]: stack[0].cpu()
            for name, stack in state.items()
            if name.startswith(("parameters/", "buffers/"))
        }
        net = network(
            treatment,
            info,
            values,
            stacked=options.layout == "vmap",
            mixed=treatment.precision in HALVES,
        )
        averaged = treatment.ema_decay is not None
        asked = info.task, info.outputs, averaged, options.plugins
        self._metrics = measured_by_epoch(*asked)
        self._test_metrics = measured_on_test(*asked) if data.counts.test else ()
        self._rates = Rates(grid.lanes, length, [metric.name for metric in self._metrics], plateaus)
        self._model = StackedModel(
            grid,
            net,
            TrainedLoss(info.task, info.outputs, [lane.treatment for lane in grid.lanes], self._labels, data.device),
            state=state,
            curves=self._rates.column,
            factors=[factors(lane.treatment, info) for lane in grid.lanes],
            device=device,
            precision=treatment.precision,
            layout=options.layout,
        )
        self._best = BestWeights.of(options.weights, info.task, self._metrics, state, self._model.weights)
        self._batches = BatchSource(
            *data.examples("train"),
            seeds=orders,
            batch_size=treatment.batch_size,
            dtype=options.dtype,
            how=treatment.augment,
            mixing=Mixing(treatment, info, orders, length.per_epoch, device)
            if treatment.mixup or treatment.cutmix
            else None,
            rows=data.rows("train", splits),
        )
        self._masks = Masks(net.dropout, [one.dropout for one in grid.sources], options.dtype, device)
        self._noise = (
            Noise(
                lanes=len(grid.lanes),
                examples=data.counts.train,
                every=options.noise_every,
                device=device,
                state=state,
            )
            if options.noise_every
            else None
        )
        self._table = np.empty((0, 0))
        self._on_device = torch.zeros(length.per_epoch, self._rates.curves, dtype=torch.float64, device=device)
        self.block = torch.empty(min(CAPACITY, length.updates), len(grid.lanes), dtype=options.dtype, device=device)
        """The memory of a block of losses, (updates, lanes)."""
        self._captured = Captured(device) if torch.device(device).type == "cuda" else None

    def start(self, epoch: int) -> None:
        """Shuffle for an epoch, and compute its learning rates."""
        self._batches.start(epoch)
        self._table = self._rates.table(epoch)
        self._on_device[: len(self._table)].copy_(torch.from_numpy(self._table))

    def update(self, step: int, row: int, *, look: bool = False) -> torch.Tensor | None:
        """Do update `step` of every lane, and write the losses before it to a row of `block`.

        With `look` return the diagnostics too, (metrics, lanes), named by `diagnostics`; they are valid until the next.
        """
        place = step % self._length.per_epoch
        size = self._batches.size(place)
        noise = self._noise is not None and self._noise.due(place, size)
        if self._captured is None:
            return self._update(Moment(step, place, row), size, noise=noise, look=look)
        work = partial(self._update, size=size, noise=noise, look=look)
        return self._captured.update((size, noise, look), work, step, place, row)

    def _update(self, moment: Moment, size: int, *, noise: bool, look: bool) -> torch.Tensor | None:
        """Do the update of a moment; on a GPU it is one function of tensors in fixed places, which may be captured."""
        batch = self._batch(moment, size, noise)
        losses, found = self._model.diagnosed(batch) if look else (self._model.update(batch), None)
        if isinstance(moment.row, int):
            self.block[moment.row] = losses
        else:
            self.block.index_copy_(0, moment.row.view(1), losses.unsqueeze(0))
        return found

    def close(self) -> None:
        """Give back what a GPU keeps for the program; no update follows."""
        if self._captured is not None:
            self._captured.close()

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
        measured = self._measured(self._metrics, check)
        self._rates.react(epoch, measured)
        if self._best is not None:
            self._best.update(epoch, measured)
        noise = () if self._noise is None else (self._noise.take(),)
        skipped = () if self._model.skipped is None else (self._model.skipped.unsqueeze(0),)
        return torch.cat((measured, *noise, *skipped))

    def judge(self, check: Callable[[], None]) -> tuple[dict[str, torch.Tensor], list[OfLane]]:
        """Return the metrics of the lanes' weights on the test split, (lanes,) each, and what is kept of each lane.

        That is of the examples of the judged split: the test split, or validation where there is none, and then no
        metrics.
        """
        kept = JudgedExamples(self._options, self._info.task, "test" if self._data.counts.test else "valid")
        metrics = [*self._test_metrics, *kept.metrics]
        found = self._measured(metrics, check)[: len(self._test_metrics)] if metrics else ()
        tested = {metric.name: row for metric, row in zip(self._test_metrics, found, strict=True)}
        return tested, kept.of_lanes(len(self.grid.lanes))

    def _measured(self, metrics: Sequence[Metric], check: Callable[[], None]) -> torch.Tensor:
        """Return metrics, (metrics, lanes), each measured on its split."""
        found: dict[str, torch.Tensor] = {}
        for split, averaged in dict.fromkeys((metric.split, metric.averaged) for metric in metrics):
            if split is None:
                continue
            mine = [metric for metric in metrics if (metric.split, metric.averaged) == (split, averaged)]
            judged = self._judged[split]
            predict = partial(self._predict, averaged, judged.rows is not None)
            values = evaluate(mine, judged, self._info, self.grid, predict, self._model.chunk, check)
            found |= {metric.name: row for metric, row in zip(mine, values, strict=True)}
        return torch.stack([found[metric.name] for metric in metrics])

    def _judged_training(self) -> Judged:
        """Return the training examples that lanes are judged on: all of them, or as many as validation has."""
        counts = self._data.counts
        rows = self._data.rows("train", [one.split for one in self.grid.sources])
        x, y = self._data.examples("train")
        if self._options.judge_all or counts.valid >= counts.train:
            return Judged(x, y, rows)
        part = judged_part(counts.train, counts.valid).to(x.device)
        if rows is not None:
            return Judged(x, y, rows.index_select(1, part))
        return Judged(x.index_select(0, part), y.index_select(0, part))

    def _labels(self, lane: int) -> torch.Tensor:
        """Return the training labels of a lane."""
        return self._data.y_train(self.grid.lanes[lane].sources.split)

    def _predict(self, averaged: bool, grouped: bool, x: torch.Tensor) -> torch.Tensor:
        """Return the lanes' outputs for some examples, by their averaged weights or by those in training."""

        def work(inputs: torch.Tensor) -> torch.Tensor:
            return self._model.predict(as_numbers(inputs, self._options.dtype), averaged, grouped)

        return work(x) if self._captured is None else self._captured.predict((averaged, grouped), x, work)

    def _batch(self, moment: Moment, size: int, noise: bool) -> Batch:
        x, y = self._batches.batch(moment, size)
        drawn = self._masks.draw(moment.step, size)
        if self.grid.lanes[0].repeat:  # the batch is whole: what is an example's own goes with it
            x, y, drawn = x.flip(1), y.flip(1), {name: mask.flip(1) for name, mask in drawn.items()}
        masks = {name: self.grid.per_group(mask) for name, mask in drawn.items()}
        if isinstance(moment.place, int):
            rates, on_device = self._table[moment.place], self._on_device[moment.place]
        else:
            rates, on_device = None, self._on_device.index_select(0, moment.place.view(1)).squeeze(0)
        return Batch(
            x=self.grid.per_group(x),
            y=self.grid.per_lane(y),
            masks=masks,
            number=moment.number,
            rates=rates,
            on_device=on_device,
            noise=self._noise if noise else None,
        )

    def state(self) -> dict[str, torch.Tensor]:
        """Return views of parameters, buffers, optimizer state and the epoch's noise so far, by the grid's lanes."""
        parts = (part.state() for part in (self._noise, self._best) if part is not None)
        return self._model.state() | {name: stack for part in parts for name, stack in part.items()}

    def weights(self, run: int, initial: Callable[[list[Lane]], Tensors], *, diverged: bool) -> RunWeights:
        """Return the weights of a run that ends, copied to the CPU, as `options.weights` asks; not the last of a run
        that diverged, which are no numbers."""
        lane, found = [lane.run for lane in self.grid.lanes].index(run), RunWeights()
        if "initial" in self._options.weights:
            drawn = {name.partition("/")[2]: stack[0] for name, stack in initial([self.grid.lanes[lane]]).items()}
            found["initial"] = Weights(self._model.scaled_lane(lane, drawn))
        if self._best is not None and (best := self._best.of_lane(lane)) is not None:
            found["best"] = best
        if "final" in self._options.weights and not diverged:
            found["final"] = Weights({name: stack[lane] for name, stack in self._model.weights().items()})
        return RunWeights({which: weights.to_cpu() for which, weights in found.items()})

    @property
    def plateaus(self) -> dict[int, State]:
        """The states of schedules that answer to a metric, by run."""
        return self._rates.states

    def of(self, lanes: Sequence[Lane]) -> "Program":
        """Close this program; return that of some of its lanes only, as they continue."""
        grid = Grid(lanes, str(self._data.device), math.prod(self._info.inputs))
        rows = torch.tensor([self.grid.lanes.index(lane) for lane in grid.lanes], device=self._data.device)
        state = {name: stack.index_select(0, rows) for name, stack in self.state().items()}
        self.close()
        return Program(
            grid,
            self._data,
            self._info,
            self._length,
            self._options,
            state=state,
            plateaus=self.plateaus,
        )
