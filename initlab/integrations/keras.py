"""Keras 3: `model.fit(..., callbacks=[RunCallback(run)])`, on any of its backends."""

from collections.abc import Mapping
from typing import Any

import keras

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run


class RunCallback(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Logs what `fit` measures into a run: metrics of epochs at the epoch's number, of steps at the update's.

    `names` gives the experiment's metric of a name of Keras, `{"val_accuracy": "valid_accuracy"}`; without it they are
    called alike. Of a batch Keras has means over the epoch so far. Training stops where the server wants no more.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._selection = Selection(run, names)
        self._step = run.next_step if "step" in run.per.values() else 0

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Log the metrics of steps."""
        self._selection.log(self._step, logs or {}, "step")
        self._step += 1

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the metrics of epochs."""
        self._selection.log(epoch, logs or {}, "epoch")
        self._selection.check()
        if self._selection.run.stop_requested:
            self.model.stop_training = True
