"""The application: puts the parts of the API together, from the settings that it is given."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from api import errors, jobs, page, routes
from api.answer_cache import AnswerCache
from api.auth import MAX_BODY, AuthMiddleware
from api.browsers import BrowserMiddleware
from api.deps import Service, storable
from api.keys import KeyRing, read_keys
from api.listeners import Listeners
from api.methods import MethodsMiddleware
from api.openapi import documented
from api.pool import JobPool, processes_for
from api.prometheus import Metrics
from api.queries import refuse_unknown
from api.request_log import RequestLogMiddleware
from api.routes import health
from core.experiments.maintenance import Sweeper, WebhookSender
from core.hardware import cores
from core.queue import Dispatcher, celery_app
from core.secret import shared_secret
from core.settings import Settings
from core.store import Database
from core.training.planning import machine

KEY = HTTPBearer(scheme_name="api_key", description="as `initlab keys create` shows it", auto_error=False)
"""For the document alone: `AuthMiddleware` looks at the key."""

ROUTERS = routes.discover(routes)
UPLOADS_AT_ONCE = 2
"""Files that are read at a time; others wait, and hold neither a thread nor memory."""
ANSWERS = 64 * 2**20
"""Bytes of pictures, reports and previews that are kept for who asks again."""


def create_app(settings: Settings) -> FastAPI:
    """Return the service on the database and the broker of these settings.

    Raises `InvalidKeys` for a keys file that cannot be used.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        profile = machine.known(settings.cache)
        database, broker = Database(settings.database), celery_app(settings)
        dispatcher = Dispatcher(broker)
        sweeper, sender = Sweeper(database, dispatcher, settings), WebhookSender(database, settings)
        app.state.service = service = Service(
            settings=settings,
            database=database,
            broker=broker,
            dispatcher=dispatcher,
            sweeper=sweeper,
            profile=profile,
            keys=KeyRing(database, keys),
            pool=JobPool(processes_for(cores()), "api.job_imports", jobs.begin, settings),
            readers=JobPool(UPLOADS_AT_ONCE, "api.job_imports", jobs.begin, settings),
            answers=AnswerCache(ANSWERS),
            listeners=Listeners(database, lambda: app.state.leaving.is_set(), shared_secret(settings.secret)),
        )
        await service.keys.refresh()
        try:
            yield
        finally:
            service.listeners.close()
            await service.keys.close()
            service.pool.close()
            service.readers.close()
            sweeper.close()
            sender.close()
            dispatcher.close()
            broker.close()
            database.dispose()

    keys = read_keys(settings.api_keys_file) if settings.api_keys_file else None
    app = FastAPI(
        title="initlab",
        version=version("initlab"),
        summary="Compares how training begins: initial weights, schedules, batch sizes, on paired seeds.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(storable)],
        generate_unique_id_function=lambda route: route.name,
    )
    app.openapi = partial(documented, app)  # type: ignore[method-assign]
    app.state.leaving = threading.Event()  # set when the process is about to end: streams end then
    app.state.metrics = Metrics(app.version)
    errors.install(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(MethodsMiddleware, routers=ROUTERS)
    app.add_middleware(AuthMiddleware)
    app.add_middleware(BrowserMiddleware)
    app.add_middleware(RequestLogMiddleware, metrics=app.state.metrics)  # outermost: the last one added
    for router in ROUTERS:
        needed = [] if router is health.router else [Security(KEY)]
        app.include_router(router, dependencies=[Depends(refuse_unknown), *needed])
    page.install(app)
    return app
