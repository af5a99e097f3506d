"""Series as JSON, written one after another."""

from typing import IO, Any

from sqlalchemy.orm import Session

from api.responses import compact
from core.errors import InvalidSpec, Problem
from core.experiments.queries import read

MOST_POINTS = 5_000_000
"""Of one answer: about 100 MB of JSON."""


class TooManyPoints(Exception):
    """More points would be read than the caller wants to read."""


def write_series(
    out: IO[bytes],
    session: Session,
    experiment_id: int,
    most_read: int | None = None,
    *,
    max_points: int | None,
    **asked: Any,
) -> None:
    """Write `{"series": [...]}` of what was asked of `read.series`, each thinned to `max_points`.

    Raises `TooManyPoints` before more than `most_read` points are read, and `InvalidSpec` for an answer of too many.
    """
    seen = written = 0
    out.write(b'{"series":[')
    for i, one in enumerate(read.series(session, experiment_id, **asked)):
        seen += len(one.steps)
        if most_read is not None and seen > most_read:
            raise TooManyPoints
        found = read.as_json(one, max_points)
        written += len(found["steps"])
        if written > MOST_POINTS:
            advice = "thin the series with max_points, or ask for fewer by metric, arm, seed, first and last"
            raise InvalidSpec([Problem("max_points", f"the answer has more than {MOST_POINTS:,} points: {advice}")])
        out.write(b"," * (i > 0) + compact(found))
    out.write(b"]}")
