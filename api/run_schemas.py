"""Shapes of the answers on runs."""

from typing import Self

from pydantic import BaseModel, Field

from api.schemas import Instant
from core.store import Run


class WeightsOut(BaseModel):
    """A file of weights that a run has kept, or the reason for which it could not be; then it has no bytes."""

    bytes: int
    sha256: str
    epoch: int | None = Field(description="of the best: the epochs after which they were; null elsewhere")
    error: str | None
    link: str

    @classmethod
    def all_of(cls, one: Run) -> dict[str, Self]:
        """Return those of a run, by which they are."""
        here = f"/runs/{one.id}/weights.safetensors?which="
        return {which: cls.model_validate(ref | {"link": here + which}) for which, ref in (one.weights or {}).items()}


class RunOut(BaseModel):
    """One run. `final` holds the last value of each metric, null where it is not finite.

    `weights` are those that the spec has it keep, once it has ended: initial, best, final.

    `repeat`: it is a second training, which differs from the first of its arm and seed by `varied` alone, `rounding` or
    a source of randomness, such as `init`; it tells what that does, and counts nowhere else.
    """

    id: int
    experiment_id: int
    arm: str
    seed: int
    repeat: bool
    varied: str | None
    status: str
    outcome: str | None
    attempt: int
    steps_done: int
    steps_total: int
    final: dict[str, float | None]
    energy_kwh: float | None
    co2e_g: float | None
    energy_source: str | None
    started_at: Instant | None
    finished_at: Instant | None
    error: str | None
    weights: dict[str, WeightsOut]

    @classmethod
    def of(cls, one: Run) -> Self:
        values = {name: getattr(one, name) for name in cls.model_fields}
        return cls.model_validate(values | {"final": one.final or {}, "weights": WeightsOut.all_of(one)})


class RunList(BaseModel):
    items: list[RunOut]
    next: int | None
    total: int
