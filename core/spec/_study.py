"""The study that an experiment belongs to: a chain of decisions that share one error."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from core.errors import Problem

StudyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
"""The chain of experiments that share an error: it gives the alpha by which each is judged."""


def misplaced(study: str | None, kind: str | None, baseline: str | None, labels: Sequence[str]) -> list[Problem]:
    """Return why an experiment of this kind, baseline and arms is none for a study; nothing where it has no study."""
    if study is None:
        return []
    if kind is not None:
        return [Problem("study", f"is for comparisons: leave it out of a {kind}")]
    if baseline is None or len(labels) < 2:
        text = "a study judges changes against what there is: name the arm that has none, and give others beside it"
        return [Problem("baseline", text, tuple(labels))]
    return []
