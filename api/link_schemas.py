"""Shapes of read-only links."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.links import MOST_HOURS
from api.schemas import Instant


class LinkSpec(BaseModel):
    """The time for which a link is to open its experiment."""

    model_config = ConfigDict(extra="forbid")

    hours: Annotated[int, Field(ge=1, le=MOST_HOURS)] = 24


class LinkOut(BaseModel):
    """A link: who has it may read its experiment, without a key, until it expires."""

    id: str
    experiment_id: int
    url: str = Field(description="of the page; its token is behind `#`, which browsers send to nobody")
    token: str = Field(description="for programs, in the place of a key: `Authorization: Bearer <token>`")
    expires_at: Instant
