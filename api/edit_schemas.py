"""The models of answers about many experiments that were changed at once, which clients rely on."""

from typing import Literal

from pydantic import BaseModel, Field


class RefusedOut(BaseModel):
    """An experiment that was left as it is: the status and the reason are those of the call that is about it alone."""

    id: int
    status: Literal[403, 409]
    reason: str


class BulkOut(BaseModel):
    """A page of what a call about many experiments did, the oldest first."""

    done: list[int] = Field(description="the ids of those that it was done to")
    refused: list[RefusedOut]
    next: int | None = Field(description="the cursor of the next page, where there are more to look at; null: none")
