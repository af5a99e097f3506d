"""The runs of an experiment that are trained elsewhere: declared, and opened to be logged."""

import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

from initlab.errors import ApiError, ClientError
from initlab.external_parts import Arms, Metrics, said_arms, said_metrics
from initlab.transport import Transport

if TYPE_CHECKING:
    from initlab.tracking.run import Run
    from initlab.tracking.tracker import Tracker

POLL, LOOK_SECONDS = 0.2, 60.0
"""Seconds between questions for the runs after a look, and for which they are asked."""


class Logged:
    """The calls of an experiment of the kind `external` beside those of all others."""

    transport: Transport
    data: dict[str, Any]
    _etag: str
    _tracker: "Tracker | None" = None

    def declare(self, arms: Arms = (), seeds: Sequence[int] = (), metrics: Metrics = ()) -> Self:
        """Declare more arms, seeds and metrics, said as in `Client.external`: those that it has already change nothing.

        Every new arm gets a run of each seed, and every new seed one of each arm; an experiment that had ended is
        running again. Runs that have ended take the points of new metrics alone. Raises `ApiError` 409 where it is
        trained by initlab, was cancelled, or has what is said otherwise, and for new arms and seeds where seeds are
        adaptive, or where runs of an experiment of a study have begun.
        """
        body = {"arms": said_arms(arms), "seeds": list(seeds), "metrics": said_metrics(metrics)}
        response = self.transport.request("POST", f"{self.path}/declare", body=body)
        self.data, self._etag = self.transport.decoded(response), response.headers.get("ETag", "")
        if self._tracker is not None:
            self._tracker.declared(self.data)
        return self

    def run(self, arm: str, seed: int) -> "Run":
        """Open the run of an arm and a seed, for `log`; in a `with` block, whose end is the run's.

        What is logged is on disk when `log` returns, and sent in the background. A run that was interrupted is opened
        again, and goes on at `next_step`. Raises `ClientError` where the run has ended, or another process logs it.
        """
        return self._tracking().open(arm, seed)

    def wanted(self) -> "Iterator[Run]":
        """Yield the runs that are wanted, opened, until none is: `for run in experiment.wanted(): with run: ...`.

        Of adaptive seeds they are those that each look asks for too. Runs that another program logs are left to it,
        where it asked for them before; programs at the same time do well to share the seeds among them.
        """
        done: set[int] = set()
        deadline = time.monotonic() + LOOK_SECONDS
        while not self.refresh().finished:
            left = [one for one in self.runs() if one["status"] in ("queued", "running")]
            new = [one for one in left if one["id"] not in done and not one["repeat"]]
            begun, held = len(done), set()
            for one in sorted(new, key=lambda one: one["seed"]):
                if one["arm"] in held:
                    continue  # its later seeds come after this one
                if not self._is_wanted(one["id"]):
                    held.add(one["arm"])
                else:
                    done.add(one["id"])
                    with self.run(one["arm"], one["seed"]) as run:
                        yield run
            if len(done) > begun:
                deadline = time.monotonic() + LOOK_SECONDS
            elif (left and not new) or time.monotonic() > deadline:
                return  # what is left was asked for before: it is with somebody else
            else:
                time.sleep(POLL)

    def _is_wanted(self, run: int) -> bool:
        """Return whether a run takes points now: of adaptive seeds those of later looks do not, and may never.

        One that a look has left out since it was listed is gone.
        """
        if not isinstance(self.data["spec"]["seeds"], Mapping):
            return True
        try:
            self.transport.call("POST", f"/runs/{run}/heartbeat", body={})
        except ApiError as error:
            if error.status in (404, 409):
                return False
            raise
        return True

    @property
    def path(self) -> str:
        """Its path on the server."""
        raise NotImplementedError

    @property
    def finished(self) -> bool:
        """True at its end."""
        raise NotImplementedError

    def refresh(self) -> Self:
        """Ask the server again."""
        raise NotImplementedError

    def runs(self) -> list[dict[str, Any]]:
        """Return every run."""
        raise NotImplementedError

    def _tracking(self) -> "Tracker":
        if self.data["spec"].get("kind") != "external":
            raise ClientError("its runs are trained by initlab: only external experiments are logged from elsewhere")
        if self._tracker is None:
            self._tracker = import_module("initlab.tracking.tracker").Tracker(self.transport, self.data)
        return self._tracker
