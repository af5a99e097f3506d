"""A viewer as small as one can be: it applies what a stream sends it, and has then what is stored."""

import math
from typing import Any

from core.experiments.queries import read
from core.experiments.queries.cursor import EVERYTHING, Choice
from core.experiments.queries.stream import Stream, StreamEvent
from core.store import Database

Points = dict[tuple[int, str], dict[int, float | None]]
SECRET = bytes(32)


class Viewer:
    """Its series, by run and metric. A point that it has already, or that leaves a gap, is an error of the stream."""

    def __init__(self) -> None:
        self.series: Points = {}
        self.units: dict[str, str] = {}
        self.state: dict[str, Any] = {}
        self.progress: dict[str, Any] = {}
        self.last_id: str | None = None
        self.received = 0
        self.rewound: list[dict[str, Any]] = []

    def apply(self, kind: str, data: dict[str, Any], event_id: str) -> None:
        self.last_id = event_id
        if kind == "metric":
            one = self.series.setdefault((data["run_id"], data["metric"]), {})
            self.units[data["metric"]] = data["unit"]
            assert data["first"] == len(one) * data["every"], "nothing twice, and nothing left out"
            one.update((data["first"] + i * data["every"], value) for i, value in enumerate(data["values"]))
            self.received += len(data["values"])
        elif kind == "rewind":
            self.rewound.append(data)
            for (run, metric), one in self.series.items():
                if run in data["runs"]:
                    first = data["epoch"] if self.units[metric] == "epoch" else data["step"]
                    for void in [step for step in one if step >= first]:
                        del one[void]
        elif kind == "state":
            self.state = data
        else:
            self.progress = data

    def whole(self) -> Points:
        """The series that have points."""
        return {key: one for key, one in self.series.items() if one}


def stored(database: Database, experiment: int, choice: Choice = EVERYTHING) -> Points:
    """What `GET /metrics` has."""
    asked: dict[str, Any] = {"metrics": choice.metrics or None, "diagnostics": choice.diagnostics}
    asked |= {"arm": choice.arm, "seed": choice.seed}
    with database.reading() as session:
        return {
            (one.run_id, one.metric): {
                int(step): float(value) if math.isfinite(value) else None
                for step, value in zip(one.steps, one.values, strict=True)
            }
            for one in read.series(session, experiment, **asked)
        }


class Watching:
    """A viewer on its connection, which may break after any event."""

    def __init__(self, database: Database, experiment: int, choice: Choice = EVERYTHING) -> None:
        self.viewer = Viewer()
        self.choice = choice
        self._database = database
        self._experiment = experiment
        self._stream = Stream(experiment, choice, secret=SECRET)

    def poll(self, most: int | None = None) -> list[StreamEvent]:
        """Apply what is new; after `most` events the connection breaks, and the next look is another process's."""
        with self._database.reading() as session:
            sent = self._stream.poll(session)
        for one in sent[:most]:
            self.viewer.apply(*one)
        if most is not None:
            self.reconnect()
        return sent[:most]

    def reconnect(self) -> None:
        self._stream = Stream(self._experiment, self.choice, self.viewer.last_id, secret=SECRET)

    def drain(self) -> list[StreamEvent]:
        """Everything that is new."""
        sent = self.poll()
        while self._stream.more:
            sent += self.poll()
        return sent

    def check(self) -> None:
        self.drain()
        assert self.viewer.whole() == stored(self._database, self._experiment, self.choice)

    @property
    def ended(self) -> bool:
        return self._stream.ended
