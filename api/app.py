"""The application: puts the parts of the API together, from the settings that it is given."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute

from api import errors, job_process, manual, mlflow, page, routes
from api.answer_cache import AnswerCache
from api.auth import MAX_BODY, AuthMiddleware
from api.browsers import BrowserMiddleware
from api.compression import CompressionMiddleware
from api.deps import Service, seen, storable
from api.document import Document
from api.keys import KeyRing, read_keys
from api.listeners import Listeners
from api.methods import MethodsMiddleware
from api.openapi import documented
from api.pool import JobPool, processes_for
from api.prometheus import Metrics
from api.queries import refuse_unknown
from api.request_log import RequestLogMiddleware
from api.routes import health
from api.sessions import COOKIE, Sessions
from api.users import ForwardedMiddleware, ForwardedUsers
from api.versions import Versions
from core.errors import Unavailable
from core.experiments.maintenance import FilesWatch, Sweeper, WebhookSender
from core.files import file_store
from core.files.secret import shared_secret
from core.hardware import cores
from core.queue import Dispatcher, celery_app
from core.settings import Settings
from core.store import ChangeWatch, Database
from core.training.planning import machine

KEY = HTTPBearer(scheme_name="api_key", description="as `initlab keys create` shows it", auto_error=False)
SESSION = APIKeyCookie(
    name=COOKIE, scheme_name="session", description="of a browser that has signed in: `POST /session`", auto_error=False
)
"""Both for the document alone: `AuthMiddleware` looks at key and session."""

VERSION = version("initlab")
OF_ALL = [Depends(storable), Depends(seen)]
"""Dependencies of every call."""
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
        watch, secret = ChangeWatch(database), shared_secret(file_store(settings), settings.secret)
        dispatcher = Dispatcher(broker)
        sweeper, sender = Sweeper(database, dispatcher, settings), WebhookSender(database, settings)
        files = FilesWatch(database, settings)
        app.state.service = service = Service(
            settings=settings,
            database=database,
            broker=broker,
            dispatcher=dispatcher,
            sweeper=sweeper,
            files=files,
            profile=profile,
            keys=KeyRing(database, keys, users=settings.has_users),
            users=ForwardedUsers(settings),
            sessions=Sessions(
                secret,
                seconds=settings.session_hours * 3600,
                secure=settings.public_url.startswith("https:"),
            ),
            open_paths=frozenset() if oidc is None else frozenset({oidc.LOGIN, oidc.CALLBACK}),
            pool=JobPool(processes_for(cores()), job_process.begin, settings),
            readers=JobPool(UPLOADS_AT_ONCE, job_process.begin, settings),
            answers=AnswerCache(ANSWERS),
            listeners=Listeners(database, watch, lambda: app.state.leaving.is_set(), secret),
            versions=Versions(database, watch),
        )
        await service.keys.refresh()
        document.begin()
        try:
            yield
        finally:
            service.listeners.close()
            watch.close()
            await service.keys.close()
            service.pool.close()
            service.readers.close()
            sweeper.close()
            files.close()
            sender.close()
            dispatcher.close()
            broker.close()
            database.dispose()

    oidc = _oidc(settings)
    keys = read_keys(settings.api_keys_file) if settings.api_keys_file else None
    app = FastAPI(
        title="initlab",
        version=VERSION,
        summary="Compares how training begins: initial weights, schedules, batch sizes, on paired seeds.",
        lifespan=lifespan,
        openapi_url=None,  # by `Document`, which makes it off the event loop; and `page` shows it
        routes=_routes(),
        dependencies=OF_ALL,
    )
    app.openapi = partial(documented, app)  # type: ignore[method-assign]
    document = Document(app)
    app.state.leaving = threading.Event()  # set when the process is about to end: streams end then
    app.state.metrics = Metrics(app.version)
    errors.install(app)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(CompressionMiddleware)
    app.add_middleware(MethodsMiddleware, routers=[*ROUTERS, *([] if oidc is None else [oidc.router])])
    app.add_middleware(AuthMiddleware)
    app.add_middleware(BrowserMiddleware)
    app.add_middleware(mlflow.MlflowErrorsMiddleware, base=mlflow.BASE)
    app.add_middleware(RequestLogMiddleware, metrics=app.state.metrics)
    app.add_middleware(ForwardedMiddleware, settings=settings)  # outermost: the last one added
    if oidc is not None:
        app.state.provider = oidc.Provider(settings)
        # Providers add query parameters of their own; and what a browser is led through is no call of the API.
        app.include_router(oidc.router, include_in_schema=False)
    page.install(app)
    manual.install(app)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Return the routes of every application. FastAPI needs half a second for their parameters: once for a process."""
    every = APIRouter(dependencies=OF_ALL, generate_unique_id_function=lambda route: route.name)
    for router in ROUTERS:
        needed = [] if router is health.router else [Security(KEY), Security(SESSION)]
        every.include_router(router, dependencies=[Depends(refuse_unknown), *needed])
    for router in (mlflow.router, mlflow.models, mlflow.artifacts):
        # MLflow describes these calls, and its clients send more than it says.
        every.include_router(router, include_in_schema=False)
    return every.routes


def _oidc(settings: Settings) -> Any:
    """Return the module of the sign-in at a provider, if there is one. Raises `Unavailable` without Authlib."""
    if not settings.oidc_issuer:
        return None
    try:
        return import_module("api.oidc")
    except ModuleNotFoundError as error:
        raise Unavailable(f'INITLAB_OIDC_ISSUER needs {error.name}: pip install "initlab[oidc]"') from error
