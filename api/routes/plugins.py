"""The plug-ins."""

from fastapi import APIRouter, Request, Response

from api.deps import Reading
from api.plugin_schemas import PluginList, PluginOut
from api.responses import REVALIDATED, revalidated
from core.experiments.cohorts.heartbeat import workers_alive
from core.experiments.queries.plugins import workers_with
from core.plugins import loaded

router = APIRouter(prefix="/plugins", tags=["catalog"])


@router.get("", response_model=PluginList, responses=REVALIDATED)
def list_plugins(session: Reading, request: Request) -> Response:
    """Return the plug-ins of this service, what each has entered, and how many workers have the same.

    They are installed by whoever runs the service: no code comes through the API.
    """
    having = workers_with(session)
    items = [PluginOut.of(plugin, having) for plugin in loaded()]
    return revalidated(request, PluginList(items=items, workers=workers_alive(session)))
