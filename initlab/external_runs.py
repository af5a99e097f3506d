"""The calls of whoever trains a run of an external experiment and logs it without `Experiment.run`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

from initlab.transport import Transport


class Points(TypedDict):
    """Points of one metric that follow on each other."""

    first: int
    """The place of the first among all points of the metric, from 0: places have no gaps."""
    values: Sequence[float | str | None]
    """Numbers; None, "NaN", "Infinity" or "-Infinity" where there is none."""
    steps: NotRequired[Sequence[int]]
    """The updates, or epochs, from 0, at which they were measured; without: the places themselves."""


class ExternalRuns:
    """The part of the client that sends points of runs. What is sent again is stored once."""

    _transport: Transport

    def log_points(self, run: int, points: Mapping[str, Points]) -> dict[str, Any]:
        """Send points of a run by metric; returns how many were `stored` and `known`, and whether to `stop`.

        Raises `ApiError` 409 for other values at a place that has one, and for a gap, with the place that comes next.
        """
        return self._transport.call("POST", f"/runs/{run}/points", body={"points": points}) or {}

    def heartbeat(self, run: int) -> dict[str, Any]:
        """Give a sign of life of a run; returns its state, with `next`, the place of each metric's next point."""
        return self._transport.call("POST", f"/runs/{run}/heartbeat", body={}) or {}

    def finish_run(
        self,
        run: int,
        outcome: Literal["completed", "diverged", "failed"],
        points: Mapping[str, Points] | None = None,
        error: str | None = None,
    ) -> dict[str, Any]:
        """End a run, with its last points; returns its state. `error` is the reason, of one that failed."""
        body = {"outcome": outcome, "points": points or {}} | ({"error": error} if error else {})
        return self._transport.call("POST", f"/runs/{run}/finish", body=body) or {}
