"""Webhooks: who is told over HTTP of what happens to experiments, what was sent, and what is sent again."""

from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Path, Query, Request, Response

from api.bodies import body_of, json_body, read_body
from api.deps import Owner, Reading, Service, ServiceDep, Writing
from api.responses import REVALIDATED, revalidated
from api.webhook_schemas import DeliveryList, DeliveryOut, NewWebhookOut, WebhookList, WebhookOut
from core.experiments.requests import webhooks
from core.experiments.requests.webhooks import WebhookSpec

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Id = Annotated[int, Path(ge=1, lt=2**63)]


@router.post("", status_code=201, openapi_extra=body_of(WebhookSpec))
async def create_webhook(
    request: Request,
    service: ServiceDep,
    owner: Owner,
    response: Response,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
) -> NewWebhookOut:
    """Have an address told of this API key's experiments; the answer alone has the secret of its signatures.

    Each event is a POST as Standard Webhooks has it: `webhook-id`, `webhook-timestamp` and `webhook-signature`, an
    HMAC-SHA-256 with the secret, and the body `{"type", "timestamp", "data"}`. It is sent at least once: a receiver may
    have one twice, and knows it by its `webhook-id`. What is not answered with 2xx within 5 s is tried again for a day.
    The same `Idempotency-Key` makes one only, for 24 hours. 409 where there are 50.
    """
    key = None if idempotency_key is None else f"{owner or ''}:{idempotency_key}"
    made = await run_sync(partial(_store, service, await json_body(request), owner, key))
    response.headers.update({"Location": f"/webhooks/{made.id}", "Cache-Control": "no-store"})  # it has a secret
    return made


def _store(service: Service, body: bytes, owner: str | None, key: str | None) -> NewWebhookOut:
    spec = read_body(body, WebhookSpec)
    private = service.settings.webhook_private_targets
    with service.database.transaction() as session:
        made = webhooks.create(session, spec, owner, private=private, idempotency_key=key)
        return NewWebhookOut.model_validate(made)


@router.get("", response_model=WebhookList, responses=REVALIDATED)
def list_webhooks(session: Reading, owner: Owner, request: Request) -> Response:
    """Return the webhooks of this API key, the oldest first."""
    found = WebhookList(items=[WebhookOut.model_validate(one) for one in webhooks.webhooks(session, owner)])
    return revalidated(request, found)


@router.get("/{webhook_id}", response_model=WebhookOut, responses=REVALIDATED)
def get_webhook(webhook_id: Id, session: Reading, owner: Owner, request: Request) -> Response:
    """Return one webhook."""
    return revalidated(request, WebhookOut.model_validate(webhooks.webhook(session, webhook_id, owner)))


@router.delete("/{webhook_id}", status_code=204)
def delete_webhook(webhook_id: Id, session: Writing, owner: Owner) -> None:
    """Remove it with its deliveries: what has not been sent is not sent any more."""
    session.delete(webhooks.webhook(session, webhook_id, owner))


@router.get("/{webhook_id}/deliveries", response_model=DeliveryList, responses=REVALIDATED)
def list_webhook_deliveries(
    webhook_id: Id,
    session: Reading,
    owner: Owner,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, lt=2**63, description="`next` of the page before")] = None,
) -> Response:
    """Return what was sent to it and what is to be, the newest first; a delivery that ended is kept for 30 days."""
    one = webhooks.webhook(session, webhook_id, owner)
    found, following = webhooks.deliveries(session, one, limit=limit, before=cursor)
    items = [DeliveryOut.model_validate(delivery) for delivery in found]
    return revalidated(request, DeliveryList(items=items, next=following))


@router.post("/{webhook_id}/deliveries/{delivery_id}/replay", status_code=202)
def replay_webhook_delivery(webhook_id: Id, delivery_id: Id, session: Writing, owner: Owner) -> DeliveryOut:
    """Send it again, under the `webhook-id` that it had; 409 while it is still tried."""
    return DeliveryOut.model_validate(
        webhooks.replay(session, webhooks.webhook(session, webhook_id, owner), delivery_id)
    )
