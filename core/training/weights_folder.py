"""The weights of runs that end, in a folder of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.datasets import DatasetInfo
from core.spec import WHICH, Which
from core.training.lanes.kept_weights import RunWeights
from core.training.recorder import Lane
from core.training.weights import about_weights, write_weights


def weights_file(folder: Path, run: int, which: Which) -> Path:
    """Return the file of a run's weights in a folder: the name that the service gives to it."""
    return folder / f"run-{run}-{which}.safetensors"


class WeightsFolder:
    """Writes the weights of each run that ends to a file of the folder, for a training without a database."""

    def __init__(self, path: Path, lanes: Sequence[Lane], labels: Mapping[int, str], info: DatasetInfo) -> None:
        """`labels` are those of the arms, by run; `info` is of the data that the lanes are trained on."""
        self._path, self._labels, self._info = path, labels, info
        self._lanes = {lane.run: lane for lane in lanes}

    def __call__(self, run: int, weights: RunWeights) -> None:
        """Write the weights of a run, and remove what another training has left by its names; raises OSError."""
        lane = self._lanes[run]
        about = about_weights(lane.treatment, self._info, run=run, arm=self._labels[run], seed=lane.seed)
        for which in WHICH:
            path = weights_file(self._path, run, which)
            if which in weights:
                one = weights[which]
                write_weights(path, one.values, about | {"which": which, "epoch": one.epoch})
            else:
                path.unlink(missing_ok=True)
