"""PyTorch Lightning: `Trainer(logger=RunLogger(run), callbacks=[StopCallback(run)])`."""

import sys
from argparse import Namespace
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run

_both = find_spec("pytorch_lightning") is not None and "lightning.pytorch" not in sys.modules
pl: Any = import_module("pytorch_lightning" if _both else "lightning.pytorch")
"""Lightning under the one of its two names that is in use: their classes are not each other's."""


class RunLogger(pl.loggers.Logger):  # type: ignore[misc]  # found at run time
    """Logs what modules log by `self.log` into a run: metrics of epochs at the epoch, of steps at the update.

    `names` gives the experiment's metric of a name of Lightning's, `{"val_acc": "valid_accuracy"}`; without it they are
    called alike. Of several processes the first one logs. How often steps are logged is `Trainer(log_every_n_steps=)`.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._selection = Selection(run, names)

    @property
    def name(self) -> str:
        """The arm's label."""
        return self._selection.run.arm

    @property
    def version(self) -> int:
        """The seed."""
        return self._selection.run.seed

    @pl.utilities.rank_zero_only  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log what a module has logged."""
        epoch = metrics.get("epoch")
        if epoch is not None:
            self._selection.log(int(epoch), metrics, "epoch")
        if step is not None:
            self._selection.log(step, metrics, "step")

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *args: Any, **named: Any) -> None:
        """Log nothing: the settings of an arm are what the experiment says of it."""

    @pl.utilities.rank_zero_only  # type: ignore[untyped-decorator]
    def finalize(self, status: str) -> None:
        """Raise `ClientError` where a training that has ended has logged no metric of the experiment."""
        if status == "success":
            self._selection.check()


class StopCallback(pl.Callback):  # type: ignore[misc]  # found at run time
    """Stops the training where the server wants no more of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Look whether to stop."""
        if self._run.stop_requested:
            trainer.should_stop = True
