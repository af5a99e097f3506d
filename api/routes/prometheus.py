"""What can be seen of the service, for Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.deps import ServiceDep
from api.prometheus import Metrics

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(service: ServiceDep, request: Request) -> Response:
    """Prometheus' text format: of this process what it has seen, of the database what it says now."""
    of_app: Metrics = request.app.state.metrics
    return Response(of_app.text(service), media_type=CONTENT_TYPE_PLAIN_0_0_4)
