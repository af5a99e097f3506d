"""The models of answers about projects, and about the one who asks."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel

from api.schemas import Instant
from core.experiments.projects import Amount, Quotas, RoleName
from core.store import Project


class QuotaOut(BaseModel):
    """The amount that is stored, and the most that may be; null: as much as there is room for."""

    used: int
    most: int | None


class QuotasOut(BaseModel):
    """Runs, points that these may have, and bytes of data sets and weights."""

    runs: QuotaOut
    points: QuotaOut
    bytes: QuotaOut

    @classmethod
    def of(cls, quotas: Quotas, used: Amount) -> Self:
        return cls.model_validate(
            {name: {"used": getattr(used, name), "most": getattr(quotas, name)} for name in Quotas.model_fields}
        )


class ProjectOut(BaseModel):
    """One project. `role` is that of the one who asks, `default_role` that of everybody who is no member."""

    name: str
    description: str
    created_at: Instant
    default_role: RoleName | None
    role: RoleName
    members: dict[str, RoleName]
    keep_days: float | None
    quotas: QuotasOut

    @classmethod
    def of(cls, one: Project, role: str, members: Mapping[str, str], used: Amount) -> Self:
        own = ("name", "description", "created_at", "default_role", "keep_days")
        quotas = Quotas.model_validate({name: getattr(one, name) for name in Quotas.model_fields})
        return cls.model_validate(
            {name: getattr(one, name) for name in own}
            | {"role": role, "members": dict(members), "quotas": QuotasOut.of(quotas, used)}
        )


class ProjectList(BaseModel):
    items: list[ProjectOut]
    next: None = None


class MyProjectOut(BaseModel):
    name: str
    role: RoleName


class MyLimitsOut(BaseModel):
    """The part that the one who asks may take of the service at a time; null: as much as there is."""

    unfinished_runs: int | None
    priority: int | None
    requests: str | None


class MeOut(BaseModel):
    """The one who asks: an API key, or `@user`; `id` is null where nobody needs a key."""

    id: str | None
    scope: Literal["read", "submit", "admin"]
    groups: list[str]
    projects: list[MyProjectOut]
    limits: MyLimitsOut
    quotas: QuotasOut
    session_expires_at: Instant | None
    """Of the browser's session, or the link, that it comes with."""
    link: int | None = None
    """The experiment that a link opens, for who comes with one: nothing else is told then, nor may be done."""
