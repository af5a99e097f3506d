"""Writes the weights of runs that end, and has their rows say so."""

from collections.abc import Callable, Mapping

from core.datasets import DatasetInfo
from core.experiments.cohorts.claims import Claim
from core.experiments.cohorts.weights import WeightsRef, WeightsStore
from core.files import FileStore
from core.training import RunWeights
from core.training.weights import about_weights

Keep = Callable[[int, Mapping[str, WeightsRef]], None]


class WeightsWriter:
    """Takes the weights of each run of a claim that ends, in the trainer's thread."""

    def __init__(self, files: FileStore, held: Claim, info: DatasetInfo, keep: Keep) -> None:
        """`files` are all weights; `keep` is given the files of a run once all are whole on the disk."""
        self._store = WeightsStore(files, held.experiment_id, held.attempt)
        self._held, self._info, self._keep = held, info, keep
        self._lanes = {lane.run: lane for lane in held.lanes}

    def __call__(self, run: int, weights: RunWeights) -> None:
        """Write the weights of a run, unless it had ended before this attempt."""
        if run in self._held.ended:
            return
        lane = self._lanes[run]
        arm = self._held.arms.get(run)
        about = about_weights(lane.treatment, self._info, run=run, arm=arm, seed=lane.seed)
        about["experiment"] = self._held.experiment_id
        self._keep(
            run,
            {
                which: self._store.write(run, which, one.values, about | {"which": which, "epoch": one.epoch})
                for which, one in weights.items()
            },
        )
