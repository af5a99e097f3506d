"""skorch: `NeuralNetClassifier(..., callbacks=[RunCallback(run)])`."""

from collections.abc import Mapping
from typing import Any

from skorch.callbacks import Callback

from initlab.integrations.selection import Selection
from initlab.tracking.run import Run


class RunCallback(Callback):  # type: ignore[misc]  # skorch has no types
    """Logs a row of the history into a run at the end of each epoch: `train_loss`, `valid_loss`, `valid_acc`, `dur`.

    `names` gives the experiment's metric of a name of skorch's, `{"valid_acc": "valid_accuracy"}`; without it they are
    called alike. Training stops, as by Ctrl-C, where the server wants no more.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None = None) -> None:
        self.run, self.names = run, names  # as scikit-learn's `clone` wants them

    def initialize(self) -> "RunCallback":
        """Begin."""
        self._selection = Selection(self.run, self.names)
        return self

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        """Log the epoch."""
        last = net.history[-1]
        row = {name: value for name, value in last.items() if isinstance(value, int | float)}
        self._selection.log(last["epoch"] - 1, row, "epoch")
        self._selection.check()
        if self.run.stop_requested:
            raise KeyboardInterrupt  # how skorch's own EarlyStopping ends a fit
