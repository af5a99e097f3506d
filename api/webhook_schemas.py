"""The models of answers about webhooks, which clients rely on."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

from api.schemas import Instant
from core.experiments.cohorts.outbox import HookEvent


class WebhookOut(BaseModel):
    """One webhook; of which experiments it tells: all of its API key's, one, or those with a tag."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    url: str
    payload: Literal["json", "slack"]
    events: list[HookEvent]
    experiment_id: int | None
    tag: str | None
    created_at: Instant


class NewWebhookOut(WebhookOut):
    """A webhook as it was made, with the secret of its signatures, which no other answer has."""

    secret: str


class WebhookList(BaseModel):
    items: list[WebhookOut]


class DeliveryOut(BaseModel):
    """One event for one webhook. `due_at`: of the next attempt; null: there is none.

    `status_code` and `error` are of the last attempt; of an answer nothing but its status is kept.
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    message_id: str
    event: HookEvent
    data: dict[str, Any]
    created_at: Instant
    attempts: int
    due_at: Instant | None
    delivered_at: Instant | None
    status_code: int | None
    error: str | None

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def status(self) -> Literal["pending", "delivered", "failed"]:
        """Return how it stands."""
        if self.delivered_at is not None:
            return "delivered"
        return "failed" if self.due_at is None else "pending"


class DeliveryList(BaseModel):
    items: list[DeliveryOut]
    next: int | None
