"""The tables of webhooks, and of what is delivered to them."""

from typing import Any

from sqlalchemy import JSON, Double, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from core.store.tables import Base, Identity


class Webhook(Base):
    """A user's wish to be told of experiments over HTTP: of one, of those with a tag, or of all of its owner's."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    owner: Mapped[str | None] = mapped_column(String(40), index=True)
    """The id of the API key that made it, whose experiments it tells of; None where no keys are configured."""
    url: Mapped[str] = mapped_column(String(2000))
    payload: Mapped[str] = mapped_column(String(10))
    """The shape of what is sent: json or slack."""
    events: Mapped[list[str]] = mapped_column(JSON)
    experiment_id: Mapped[int | None] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    tag: Mapped[str | None] = mapped_column(String(120))
    secret: Mapped[str] = mapped_column(String(80))
    """As its receiver has it: a signature is made with the secret itself, so that a hash of it would not do."""
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    created_at: Mapped[float] = mapped_column(Double)


class Delivery(Base):
    """One event for one webhook, written in the transaction that it tells of and sent later, once or more often."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(Identity, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[str] = mapped_column(String(40))
    """The same in every attempt: a receiver knows by it what it has had."""
    event: Mapped[str] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Double)
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    due_at: Mapped[float | None] = mapped_column(Double, index=True)
    """Time of the next attempt, unless the one that is being made ends before; None: there is none."""
    delivered_at: Mapped[float | None] = mapped_column(Double)
    status_code: Mapped[int | None] = mapped_column(Integer)
    """The HTTP status of the last answer, if any."""
    error: Mapped[str | None] = mapped_column(String(200))
    """The reason for which the last attempt failed."""
