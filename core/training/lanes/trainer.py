"""The fast trainer: the runs of a cohort train together. `reference.train_run` is its specification."""

import math
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from functools import partial

from core.datasets import DatasetInfo
from core.metrics import epoch_metrics
from core.metrics.gradient_noise import NOISE_METRICS
from core.metrics.skipped_updates import SKIPPED
from core.results import Outcome
from core.training.checkpoint import Checkpoint
from core.training.compatibility import compatibility_key
from core.training.device_settings import device_settings
from core.training.lanes.data import LaneData, TrainingData
from core.training.lanes.grid import Grid
from core.training.lanes.initial import initial_stacks
from core.training.lanes.kept_weights import RunWeights, TakeWeights, WeightsAtEnd
from core.training.lanes.metric_buffer import NOT_JUDGED, Judged, JudgedRun, MetricBuffer
from core.training.lanes.program import Program
from core.training.lanes.stopping import Stopping
from core.training.options import Resume, TrainOptions
from core.training.recorder import Lane, Recorder
from core.training.run_length import RunLength


class Stopped(Exception):
    """Training ended before its last update because `stopped()` said so; what was measured has been recorded.

    `checkpoint()` is where it would go on.
    """

    def __init__(self, checkpoint: Callable[[], Checkpoint]) -> None:
        super().__init__("training was stopped")
        self.checkpoint = checkpoint


def train_lanes(
    lanes: Sequence[Lane],
    data: TrainingData,
    info: DatasetInfo,
    recorder: Recorder,
    options: TrainOptions = TrainOptions(),  # noqa: B008 frozen
    resume: Resume = Resume(),  # noqa: B008 frozen, and nobody writes to its mapping
    *,
    stopped: Callable[[], bool] = lambda: False,
    keep: Callable[[Checkpoint], None] | None = None,
    weights: TakeWeights | None = None,
) -> Checkpoint | None:
    """Train all lanes to the end of their epochs, or for `options.updates`, each as if it were alone.

    The lanes share data set, model, batch size, epochs, augmentation, precision and the optimizer's rule, and are all
    first trainings or all second ones; initializer, schedule, seed and the optimizer's numbers are their own. Those of
    a seed have all but the initial weights from the same sources. With `SeedSplits` each seed has its own splits.
    Measurements go to `recorder` after the first update and then about every `block_seconds`, more seldom for many
    lanes; between blocks nothing waits for the device. A lane whose loss is not finite has diverged and harms no other;
    it leaves when its epoch ends, and so does one that early stopping ends. `stopped` is asked before every update.

    With `noise_every`, updates 0, `noise_every`, ... of each epoch also measure the gradient noise, and epochs have the
    means as two more metrics (see `core.training.noise`); training itself is bit for bit what it is without.

    Every `keep_seconds` all points so far are recorded and `keep` is given a checkpoint, a copy on the CPU. With
    `resume.start`, one of those, training goes on from there, bit for bit as if it had never stopped; `lanes` should
    have all runs of the checkpoint.

    With `diagnose_every` each layer is measured at update 0 and every so many updates (`diagnosis.Diagnosis`), as
    series `activation_std/fc1` whose points are numbered from 0. Nothing else is changed by it.

    With `resume.until` training stops after so many epochs, or where it is, if that is later, and returns where it
    would go on; None where no run is left to train.

    `weights` is given those of each run that `options.weights` asks for, just before the run's end is recorded.

    Raises ValueError for lanes that cannot share a program, `Stopped` when `stopped()` is true.
    """
    if len({(compatibility_key(lane.treatment), lane.repeat) for lane in lanes}) != 1:
        shared = "data set, model, optimizer, batch size, epochs and the order in a batch"
        raise ValueError(f"lanes should be one or more that share {shared}")
    with device_settings(lanes[0].treatment.precision, options.device):
        of_lanes = LaneData(data, options.device, options.dtype)
        training = _Training(lanes, of_lanes, info, recorder, options, resume, stopped, weights)
        with closing(training):
            return training.run(keep)


class _Training:
    """The training of a program, from an update to the last."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        data: LaneData,
        info: DatasetInfo,
        recorder: Recorder,
        options: TrainOptions,
        resume: Resume,
        stopped: Callable[[], bool],
        weights: TakeWeights | None,
    ) -> None:
        device = str(data.device)
        self._options, self._resume, self._stopped = options, resume, stopped
        self._length = RunLength.of(lanes[0].treatment, data.counts.train, options.updates)
        self._until = self._length.epochs if resume.until is None else resume.until
        start = resume.start
        if start is None:
            grid = Grid(lanes, device, math.prod(info.inputs))
            state = initial_stacks(grid.lanes, info, data.x_train, data.y_train, options.dtype)
            start = Checkpoint(0, 0, [lane.run for lane in grid.lanes], state)
        else:
            by_run = {lane.run: lane for lane in lanes}
            grid = Grid([by_run[run] for run in start.runs], device, math.prod(info.inputs))
        self._step, self._epoch = start.step, start.epochs
        self._program = Program(
            grid,
            data,
            info,
            self._length,
            options,
            state=start.state,
            plateaus=start.plateaus,
        )
        averaged = lanes[0].treatment.ema_decay is not None
        measured = epoch_metrics(info.task, info.outputs, averaged, options.plugins)
        noise = NOISE_METRICS if options.noise_every else ()
        skipped = (SKIPPED,) if lanes[0].treatment.precision == "fp16" else ()
        metrics = (*measured, *noise, *skipped)
        self._stopping = Stopping(grid.lanes, metrics, start.patience)
        self._initial = partial(
            initial_stacks, info=info, inputs=data.x_train, targets=data.y_train, dtype=options.dtype
        )
        self._buffer = MetricBuffer(
            grid.lanes,
            recorder if weights is None or not options.weights else WeightsAtEnd(recorder, self._weights, weights),
            metrics=metrics,
            steps_per_epoch=self._length.per_epoch,
            block=self._program.block,
            seconds=options.block_seconds,
            step=start.step,
            epochs=start.epochs,
            ended=start.ended,
            every=options.diagnose_every,
        )

    def run(self, keep: Callable[[Checkpoint], None] | None) -> Checkpoint | None:
        try:
            left = self._leave_early() and self._train(keep)
            if left and self._until <= self._epoch < self._length.epochs:
                self._buffer.flush()
                return self.checkpoint()
            if left:
                self._buffer.finish(self._judged_at_end() if self._epoch == self._length.epochs else NOT_JUDGED)
        except Stopped:
            self._buffer.flush()
            raise
        return None

    def close(self) -> None:
        self._program.close()

    def _train(self, keep: Callable[[Checkpoint], None] | None) -> bool:
        """Train to the requested epoch; returns whether any lane is left."""
        keep_at = time.monotonic() + self._options.keep_seconds
        while self._epoch < min(self._length.epochs, self._until):
            self._program.start(self._epoch)
            while self._step < self._length.end(self._epoch):
                self._buffer.poll()
                if not self._buffer.training:
                    return False
                self._check()
                if keep is not None and time.monotonic() >= keep_at:
                    self._buffer.flush()
                    keep(self.checkpoint())
                    keep_at = time.monotonic() + self._options.keep_seconds
                self._update()
                self._step += 1
            if not self._length.whole(self._epoch):
                break
            if not self._leave_diverged():
                return False
            measured = self._program.evaluate(self._epoch, self._check)
            self._buffer.epoch(measured)
            self._epoch += 1
            if self._epoch < self._length.epochs:
                self._stopping.react(self._program.grid.lanes, measured)
                if not self._leave_early():
                    return False
        return True

    def _judged_at_end(self) -> dict[int, JudgedRun]:
        """Return the metrics of the weights that the runs have now on the test split, and what they get right.

        It may be stopped, and is done anew then: who ends follows from the checkpoint.
        """
        tested, kept = self._program.judge(self._check)
        found = {name: values.tolist() for name, values in tested.items()}
        return {
            lane.run: JudgedRun({name: values[i] for name, values in found.items()}, *kept[i])
            for i, lane in enumerate(self._program.grid.lanes)
        }

    def _weights(self, run: int, outcome: Outcome) -> RunWeights:
        return self._program.weights(run, initial=self._initial, diverged=outcome == "diverged")

    def checkpoint(self) -> Checkpoint:
        """Return a checkpoint of the training, copied to the CPU."""
        state = {name: value.detach().to("cpu", copy=True) for name, value in self._program.state().items()}
        runs = [lane.run for lane in self._program.grid.lanes]
        ended = [run for run in runs if run not in self._buffer.training]
        return Checkpoint(
            step=self._step,
            epochs=self._epoch,
            runs=runs,
            state=state,
            plateaus=dict(self._program.plateaus),
            ended=ended,
            patience=self._stopping.states(runs),
        )

    def _update(self) -> None:
        every = self._options.diagnose_every
        look = bool(every) and self._step % every == 0
        found = self._program.update(self._step, self._buffer.row, look=look)
        if found is not None:
            self._buffer.diagnosed(self._program.diagnostics, found)
        self._buffer.step(self._program.rates(self._step))

    def _check(self) -> None:
        if self._stopped():
            raise Stopped(self.checkpoint)

    def _leave_diverged(self) -> bool:
        """Take diverged lanes out of the stack; returns whether any lane is left.

        At the end of an epoch, and not as soon as it is seen: when that is depends on the clock, and a narrower stack
        may round the others' sums in another way.
        """
        lanes = self._program.grid.lanes
        finite = zip(lanes, self._buffer.finite(), strict=True)
        left = [lane for lane, fine in finite if fine and lane.run in self._buffer.training]
        if len(left) < len(lanes):
            self._buffer.flush()
            if left:
                self._continue_with(left)
                self._program.start(self._epoch)
        return bool(left)

    def _leave_early(self) -> bool:
        """Take the lanes out of the stack that end before the last epoch; returns whether any is left."""
        if self._epoch < self._length.epochs:
            ending = self._stopping.ending(self._program.grid.lanes, self._epoch)
            if ending and not self._leave(ending, "stopped_early", self._judged_at_end()):
                return False
        return self._leave(self._pruned(), "pruned")

    def _pruned(self) -> set[int]:
        return {run for run, epochs in self._resume.pruned_at.items() if epochs <= self._epoch}

    def _leave(self, ending: Collection[int], outcome: Outcome, judged: Judged = NOT_JUDGED) -> bool:
        """Take runs that end out of the stack, if they are there; returns whether any lane is left.

        `judged` is what they have come to.
        """
        lanes = self._program.grid.lanes
        left = [lane for lane in lanes if lane.run not in ending]
        if len(left) == len(lanes):
            return True
        self._buffer.end(ending, outcome, judged)
        if left:
            self._continue_with(left)
        return bool(left)

    def _continue_with(self, left: Sequence[Lane]) -> None:
        self._program = self._program.of(left)
        self._buffer.keep(self._program.grid.lanes, self._program.block)
