"""Webhooks of a user: made, listed and removed; their deliveries, and one that is to be made again."""

import base64
import secrets
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidSpec, NotFound, Problem
from core.experiments.cohorts.idempotency import forget, is_known
from core.experiments.cohorts.outbox import HookEvent
from core.store import Delivery, Experiment, Webhook, now, serialise

MOST = 50
"""Webhooks of one API key, or of all users where there are none: each costs a row for every event."""
SECRET_BYTES = 32


class WebhookSpec(BaseModel):
    """The events to tell of, and the address to tell them to; of all experiments of this API key, or of fewer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(max_length=2000, description="https; where the service allows private targets, http too")
    events: list[HookEvent] = Field(
        ["experiment.succeeded", "experiment.failed", "experiment.cancelled", "experiment.decided"],
        min_length=1,
        max_length=20,
    )
    payload: Literal["json", "slack"] = Field("json", description="slack: a sentence, as its incoming webhooks take it")
    experiment_id: int | None = Field(None, ge=1, lt=2**63, description="of this experiment only")
    tag: str | None = Field(None, min_length=1, max_length=120, description="of experiments with this tag only")

    @model_validator(mode="after")
    def _one_filter(self) -> Self:
        if self.experiment_id is not None and self.tag is not None:
            raise ValueError("give an experiment_id or a tag, not both")
        return self


def create(
    session: Session, spec: WebhookSpec, owner: str | None, *, private: bool, idempotency_key: str | None = None
) -> Webhook:
    """Return a new webhook with its secret, or the one that was made under the key in the last day.

    Raises `InvalidSpec` for an address that will never be sent to, and for an experiment that is not the owner's;
    `Conflict` where the owner has too many.
    """
    _check_url(spec.url, private=private)
    serialise(session, f"webhooks:{owner or ''}")
    if idempotency_key is not None:
        known = session.scalar(select(Webhook).where(is_known(Webhook, idempotency_key)))
        if known is not None:
            return known
        forget(session, Webhook, idempotency_key)
    if (session.scalar(select(func.count()).where(Webhook.owner.is_not_distinct_from(owner))) or 0) >= MOST:
        raise Conflict(f"there are {MOST} webhooks already: delete one first")
    if spec.experiment_id is not None:
        mine = (Experiment.id == spec.experiment_id, Experiment.owner.is_not_distinct_from(owner))
        if session.scalar(select(Experiment.id).where(*mine)) is None:
            raise InvalidSpec([Problem("experiment_id", "is no experiment of this API key")])
    made = Webhook(
        **spec.model_dump(),
        owner=owner,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
        idempotency_key=idempotency_key,
        created_at=session.scalar(select(now())),
    )
    session.add(made)
    session.flush()
    return made


def webhooks(session: Session, owner: str | None) -> Sequence[Webhook]:
    """Return the owner's webhooks, the oldest first."""
    mine = Webhook.owner.is_not_distinct_from(owner)
    return session.scalars(select(Webhook).where(mine).order_by(Webhook.id)).all()


def webhook(session: Session, webhook_id: int, owner: str | None) -> Webhook:
    """Return one webhook. Raises `NotFound` for one of another owner too."""
    found = session.get(Webhook, webhook_id)
    if found is None or found.owner != owner:
        raise NotFound(f"there is no webhook {webhook_id}")
    return found


def deliveries(
    session: Session, one: Webhook, *, limit: int, before: int | None
) -> tuple[Sequence[Delivery], int | None]:
    """Return a page of a webhook's deliveries, the newest first, and the cursor of the next page."""
    query = select(Delivery).where(Delivery.webhook_id == one.id).order_by(Delivery.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Delivery.id < before)
    found = session.scalars(query).all()
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def replay(session: Session, one: Webhook, delivery_id: int) -> Delivery:
    """Have a delivery made again, with the id that it had. Raises `NotFound`; `Conflict` while it is still tried."""
    found = session.get(Delivery, delivery_id, with_for_update=True)
    if found is None or found.webhook_id != one.id:
        raise NotFound(f"webhook {one.id} has no delivery {delivery_id}")
    if found.due_at is not None:
        raise Conflict(f"delivery {delivery_id} has not ended: it is tried again by itself")
    found.attempts, found.delivered_at, found.status_code, found.error = 0, None, None, None
    found.due_at = session.scalar(select(now()))
    session.flush()
    return found


def _check_url(url: str, *, private: bool) -> None:
    """Raise `InvalidSpec` for what is no address to send to; the address itself is looked at when it is sent to."""
    problem = None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host, problem = urlsplit(""), "", "is no URL"
    if not (url.isascii() and url.isprintable()) or " " in url:
        problem = "should be ASCII without spaces: write other names as xn--... and other paths as %.."
    elif parts.scheme not in (("https", "http") if private else ("https",)) or not host:
        problem = "should begin with https:// and name a host"
    elif parts.username is not None or parts.password is not None or parts.fragment:
        problem = "should have neither a user nor a fragment"
    elif not private and (host == "localhost" or _is_private(host)):
        problem = "is an address inside of a network; INITLAB_WEBHOOK_PRIVATE_TARGETS=true allows those"
    if problem is not None:
        raise InvalidSpec([Problem("url", problem)])


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
