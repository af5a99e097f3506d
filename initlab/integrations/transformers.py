"""Hugging Face's Trainer: `Trainer(..., callbacks=[RunCallback(run)])`."""

import math
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run


class RunCallback(TrainerCallback):  # type: ignore[misc]  # not looked at by the type checker: its import takes seconds
    """Logs what the trainer logs into a run: metrics of steps at the update's number, of epochs at the epoch's.

    `names` gives the experiment's metric of a name of the trainer's, `{"eval_accuracy": "valid_accuracy"}`; without it
    they are called alike. Of several processes the first one logs. Training stops where the server wants no more.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        self._selection = Selection(run, names)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:  # noqa: ARG002
        """Log what is logged."""
        if state.is_world_process_zero and logs:
            numbers = {name: value for name, value in logs.items() if isinstance(value, int | float)}
            self._selection.log(state.global_step, numbers, "step")
            if state.epoch is not None:
                self._selection.log(max(0, math.ceil(state.epoch) - 1), numbers, "epoch")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Look whether to stop."""
        if self._selection.run.stop_requested:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Raise `ClientError` where no metric of the experiment was logged."""
        if state.is_world_process_zero:
            self._selection.check()
