"""The models of answers about an experiment's history, which clients rely on."""

from typing import Any, Self

from pydantic import BaseModel

from api.schemas import Instant
from core.store import Event

ENVIRONMENT = "environment"
"""The detail of a claim that has an answer of its own: `GET /experiments/{id}/environments`."""


class EventOut(BaseModel):
    """An event of an experiment, or of one of its cohorts; its kind says what `detail` holds."""

    id: int
    at: Instant
    kind: str
    cohort: int | None
    attempt: int | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: Event) -> Self:
        here = {"id": one.id, "at": one.at, "kind": one.kind, "cohort": one.cohort_id, "attempt": one.attempt}
        detail = {key: value for key, value in one.detail.items() if key != ENVIRONMENT}
        return cls.model_validate(here | {"detail": detail})


class EventList(BaseModel):
    items: list[EventOut]
    next: int | None
