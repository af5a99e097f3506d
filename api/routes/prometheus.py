"""The metrics of the service, for Prometheus."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from api.deps import ServiceDep
from api.prometheus import Metrics

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
def get_service_metrics(service: ServiceDep, request: Request) -> Response:
    """Return metrics in Prometheus' text format: counters of this process, and the state of the database now."""
    of_app: Metrics = request.app.state.metrics
    return Response(of_app.text(service), media_type=CONTENT_TYPE_PLAIN_0_0_4)
