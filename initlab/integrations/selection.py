"""The numbers of a framework that an experiment has as metrics, out of all that it measures."""

from collections.abc import Mapping
from typing import Any, Literal

from initlab.errors import ClientError
from initlab.tracking.run import Run


class Selection:
    """Logs into a run what its experiment has as metrics; `names` gives the metric of a name that is another here.

    Raises `ClientError` for a name that is given to no metric.
    """

    def __init__(self, run: Run, names: Mapping[str, str] | None) -> None:
        self.run = run
        given = dict(names or {})
        self._names = {name: name for name in run.metrics if name not in given.values()} | given
        self._seen: set[str] = set()
        self._logged = False
        wrong = [metric for metric in self._names.values() if metric not in run.metrics]
        if wrong:
            raise ClientError(f"the experiment has no metric {wrong[0]!r}; it has {', '.join(run.metrics)}")

    def log(self, step: int, values: Mapping[str, Any], per: Literal["epoch", "step"]) -> None:
        """Log the values of those metrics whose steps count `per`."""
        self._seen |= values.keys()
        found = {self._names[name]: value for name, value in values.items() if name in self._names}
        chosen = {name: value for name, value in found.items() if self.run.per[name] == per}
        if chosen:
            self._logged = True
            self.run.log(step, chosen)

    def check(self) -> None:
        """Raise `ClientError` where nothing was logged so far: a night would be trained for no number."""
        if not self._logged:
            raise ClientError(
                f"no metric of the experiment ({', '.join(self.run.metrics)}) is among what is measured "
                f"({', '.join(sorted(self._seen))}): give their names, as names={{'val_accuracy': 'valid_accuracy'}}"
            )
