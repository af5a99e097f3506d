"""The outbox: what webhooks are to be told of is written in the transaction that it happens in, and sent later."""

import uuid
from typing import Any, Literal, get_args

from sqlalchemy import BindParameter, bindparam, insert, or_, select
from sqlalchemy.orm import Session

from core.store import Delivery, Experiment, Status, Tag, Webhook, now

HookEvent = Literal[
    "experiment.queued",
    "experiment.running",
    "experiment.succeeded",
    "experiment.failed",
    "experiment.cancelled",
    "experiment.paused",
    "experiment.resumed",
    "experiment.decided",  # its arms were compared at a rung, or at a look
]
HOOK_EVENTS: tuple[HookEvent, ...] = get_args(HookEvent)
OF_STATE: dict[Status, HookEvent] = {
    Status.QUEUED: "experiment.queued",
    Status.RUNNING: "experiment.running",
    Status.SUCCEEDED: "experiment.succeeded",
    Status.FAILED: "experiment.failed",
    Status.CANCELLED: "experiment.cancelled",
}
"""The event that says of an experiment that it has come to a status."""
OF_HISTORY: dict[str, HookEvent] = {
    "accepted": "experiment.queued",
    "paused": "experiment.paused",
    "resumed": "experiment.resumed",
    "rung": "experiment.decided",
    "look": "experiment.decided",
}
"""The events of an experiment's history that webhooks are told of."""


_THIS: BindParameter[int] = bindparam("experiment")
_TOLD = (
    select(Webhook.id, Webhook.events, Experiment.name, Experiment.status)
    .join(Experiment, Experiment.owner.is_not_distinct_from(Webhook.owner))
    .where(
        Experiment.id == _THIS,
        or_(Webhook.experiment_id.is_(None), Webhook.experiment_id == _THIS),
        or_(Webhook.tag.is_(None), Webhook.tag.in_(select(Tag.tag).where(Tag.experiment_id == _THIS))),
    )
    .with_for_update(read=True, key_share=True, of=Webhook)
)
"""The webhooks that are told of an experiment; made once, for every event asks."""


def enqueue(session: Session, experiment_id: int, event: HookEvent, **detail: Any) -> None:
    """Write a delivery for every webhook that wants this event of this experiment; it is sent once this is committed.

    The webhooks' rows are locked, on PostgreSQL, against their deletion until the transaction ends.
    """
    found = session.execute(_TOLD, {"experiment": experiment_id}).all()
    rows = [
        {
            "webhook_id": row.id,
            "message_id": f"msg_{uuid.uuid4().hex}",
            "event": event,
            "data": {"experiment_id": experiment_id, "name": row.name, "status": row.status, **detail},
        }
        for row in found
        if event in row.events
    ]
    if rows:
        session.execute(insert(Delivery).values(created_at=now(), due_at=now()), rows)
