"""Errors that carry their HTTP status; one handler at each edge renders them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from typing_extensions import TypedDict

MOST_PROBLEMS = 100
"""Problems that one answer names; of the others it has the number."""
LONGEST = 2_000
"""Characters of a problem's path, and of what it says."""


class Problem(NamedTuple):
    """One thing wrong with a request: where, what, and for a name the nearest known ones."""

    path: str
    message: str
    known: tuple[str, ...] = ()


class Warned(TypedDict):
    """One thing to beware of, as an answer has it; an empty path: it is about no field of the spec."""

    path: str
    message: str


def warned(problems: Iterable[Problem]) -> list[Warned]:
    """Return problems that refuse nothing, as an answer has them."""
    return [{"path": p.path, "message": p.message} for p in problems]


def first_problems(problems: Sequence[Problem]) -> Sequence[Problem]:
    """Return the first problems, so many as an answer has, and that there are more; none of them too long to read."""
    short = [p._replace(path=p.path[:LONGEST], message=p.message[:LONGEST]) for p in problems[: MOST_PROBLEMS + 1]]
    if len(problems) <= MOST_PROBLEMS + 1:  # the last may say that there are more
        return short
    return [*short[:MOST_PROBLEMS], Problem("", f"and {len(problems) - MOST_PROBLEMS:,} more")]


class InitlabError(Exception):
    """An error that the caller can act on; `status` is the HTTP status of its answer."""

    status = 500
    title = "Internal error"
    retry_after: int | None = None
    """Seconds after which the same call may succeed; None where that is unknown."""

    def __init__(self, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = tuple(problems)

    def __reduce__(self) -> Any:
        return _again, (type(self), self.__dict__)  # whatever arguments its class takes


class InvalidSpec(InitlabError):
    """The request does not describe an experiment; every problem names its field."""

    status = 422
    title = "Invalid request"

    def __init__(self, problems: Sequence[Problem]) -> None:
        problems = first_problems(problems)
        super().__init__("; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems), problems)


class Forbidden(InitlabError):
    """The caller may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(InitlabError):
    """The named object does not exist."""

    status = 404
    title = "Not found"


class Conflict(InitlabError):
    """The object is in a state that does not allow the call."""

    status = 409
    title = "Conflict"


class Unavailable(InitlabError):
    """A part of the service cannot be reached now; the same call may succeed later."""

    status = 503
    title = "Service unavailable"


class Misfit(ValueError):
    """Parts that do not fit together; `path` is the place inside what was to be built."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


def path_of(error: Exception) -> str:
    """Return the place inside what was to be built; empty where the error names none."""
    return error.path if isinstance(error, Misfit) else ""


def _again(error: type[InitlabError], state: dict[str, Any]) -> InitlabError:
    """Make an error anew, as it comes from another process."""
    made = error.__new__(error, state["detail"])
    made.__dict__.update(state)
    return made
