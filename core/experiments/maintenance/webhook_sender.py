"""Sends what stands in the outbox to webhooks, and tries again for a day what no receiver took."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.experiments.maintenance.webhook_messages import Message, body_of, headers_of
from core.experiments.maintenance.webhook_targets import NotSent, post
from core.failpoints import reached
from core.settings import Settings
from core.store import Database, Delivery, StorageFull, Webhook, now

log = logging.getLogger(__name__)

PAUSES = (5, 60, 300, 1800, 3600, 7200, 14_400, 21_600, 36_000)
"""Seconds from each attempt that failed to the next: a day in all, after which the delivery is given up."""
CLAIMED = 60.0
"""Seconds after which an attempt whose process was killed is made again."""
AT_ONCE = 20
"""Deliveries that are sent side by side; one of them holds the others for as long as an attempt may take."""
KEPT = 30 * 86_400.0
"""Seconds for which the log has a delivery that is not to be tried again."""
CLEANUP_PERIOD = 3600.0


def send_due(database: Database, settings: Settings) -> int:
    """Send what is due, so much as is sent side by side, and return how many attempts were made.

    An attempt is claimed before it is made, by its number: of several processes one makes it. A process that is killed
    in between leaves it to be made again, so that a receiver may have a message twice, and has each one once at least.
    """
    claimed = _claimed(database)
    if claimed:
        reached("webhooks.claimed")
        asyncio.run(_send(database, settings, claimed))
    return len(claimed)


def forget(database: Database) -> None:
    """Remove from the log what is old and not to be tried again."""
    with database.transaction() as session:
        old = (Delivery.due_at.is_(None), Delivery.created_at < now() - KEPT)
        session.execute(delete(Delivery).where(*old).execution_options(synchronize_session=False))


def _claimed(database: Database) -> list[tuple[int, int, Message]]:
    """Return the deliveries that this process is to send, with the number of the attempt."""
    with database.reading() as session:
        due = session.execute(
            select(Delivery.id, Delivery.attempts)
            .where(Delivery.due_at <= now())
            .order_by(Delivery.attempts, Delivery.due_at, Delivery.id)  # one that nobody takes lets new ones pass
            .limit(AT_ONCE)
        ).all()
    if not due:
        return []
    with database.transaction() as session:
        mine: list[int] = []
        for row in due:
            mine += session.scalars(
                update(Delivery)
                .where(Delivery.id == row.id, Delivery.attempts == row.attempts, Delivery.due_at <= now())
                .values(attempts=Delivery.attempts + 1, due_at=now() + CLAIMED)
                .returning(Delivery.id)
                .execution_options(synchronize_session=False)
            )
        rows = session.execute(
            select(Delivery, Webhook).join(Webhook, Webhook.id == Delivery.webhook_id).where(Delivery.id.in_(mine))
        ).all()
        return [
            (
                one.id,
                one.attempts,
                Message(
                    id=one.message_id,
                    url=hook.url,
                    payload=hook.payload,
                    secret=hook.secret,
                    event=one.event,
                    at=one.created_at,
                    data=one.data,
                ),
            )
            for one, hook in rows
        ]


async def _send(database: Database, settings: Settings, claimed: Sequence[tuple[int, int, Message]]) -> None:
    results = await asyncio.gather(*(_attempt(message, settings) for *_, message in claimed))
    with database.transaction() as session:
        for (delivery, attempt, _), (status, error) in zip(claimed, results, strict=True):
            then: dict[str, Any]
            if error is None:
                then = {"due_at": None, "delivered_at": now()}
            else:
                then = {"due_at": now() + PAUSES[attempt - 1] if attempt <= len(PAUSES) else None}
            session.execute(
                update(Delivery)
                .where(Delivery.id == delivery, Delivery.attempts == attempt)
                .values(status_code=status, error=error, **then)
                .execution_options(synchronize_session=False)
            )


async def _attempt(message: Message, settings: Settings) -> tuple[int | None, str | None]:
    """Return the status of the answer, if any, and the reason for which the receiver has not taken the message."""
    body = body_of(message)
    headers = headers_of(message, body, int(time.time()))
    try:
        status = await post(message.url, body, headers, private=settings.webhook_private_targets)
    except NotSent as error:
        return None, str(error)
    return status, None if 200 <= status < 300 else f"the receiver answered {status}"


class WebhookSender:
    """Sends from a thread of its own, which looks into the outbox every `sweep_seconds`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        forget_at = 0.0
        sent = 0
        while not self._closed.wait(0 if sent else self._settings.sweep_seconds):
            try:
                sent = send_due(self._database, self._settings)
                if time.monotonic() > forget_at:
                    forget(self._database)
                    forget_at = time.monotonic() + CLEANUP_PERIOD
            except (SQLAlchemyError, StorageFull) as error:
                sent = 0
                log.warning("webhooks: the database could not be reached: %s", error)
