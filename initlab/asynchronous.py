"""The client for programs that await: the same calls, each made by a thread, so that there is one implementation."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from initlab import events
from initlab.client import Client
from initlab.described import Described
from initlab.events import Event
from initlab.experiment import Experiment

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound="AsyncExperiment")


def _call(call: Callable[Concatenate[T, P], R]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    @wraps(call)
    async def awaited(self: Any, /, *args: P.args, **given: P.kwargs) -> R:
        return await asyncio.to_thread(call, self.sync, *args, **given)

    return awaited


def _changed(call: Callable[Concatenate[Experiment, P], Any]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, S]]:
    """Return a call that has the experiment described anew, and returns it."""

    @wraps(call)
    async def awaited(self: S, /, *args: P.args, **given: P.kwargs) -> S:
        await asyncio.to_thread(call, self.sync, *args, **given)
        return self

    return awaited


def _experiment(
    call: Callable[Concatenate[Client, P], Experiment],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, "AsyncExperiment"]]:
    @wraps(call)
    async def awaited(self: Any, /, *args: P.args, **given: P.kwargs) -> "AsyncExperiment":
        return AsyncExperiment(await asyncio.to_thread(call, self.sync, *args, **given))

    return awaited


def _items(call: Callable[Concatenate[T, P], Iterator[R]]) -> Callable[Concatenate[Any, P], AsyncIterator[R]]:
    @wraps(call)
    async def yielded(self: Any, /, *args: P.args, **given: P.kwargs) -> AsyncIterator[R]:
        items, end = call(self.sync, *args, **given), object()
        while (item := await asyncio.to_thread(next, items, end)) is not end:
            yield item  # type: ignore[misc]  # it is no `end`

    return yielded


def _experiments(
    call: Callable[Concatenate[Client, P], Iterator[Experiment]],
) -> Callable[Concatenate[Any, P], AsyncIterator["AsyncExperiment"]]:
    @wraps(call)
    async def yielded(self: Any, /, *args: P.args, **given: P.kwargs) -> AsyncIterator["AsyncExperiment"]:
        async for one in _items(call)(self, *args, **given):
            yield AsyncExperiment(one)

    return yielded


class AsyncExperiment(Described):
    """An experiment as the server last described it (`data`), with the calls that ask about it, to be awaited."""

    def __init__(self, sync: Experiment) -> None:
        self.sync = sync

    @property
    def data(self) -> dict[str, Any]:  # type: ignore[override]  # nobody sets it here
        return self.sync.data

    @property
    def url(self) -> str:
        """The address of its page, for a browser."""
        return self.sync.url

    refresh = _changed(Experiment.refresh)
    cancel = _changed(Experiment.cancel)
    link = _call(Experiment.link)
    pause = _changed(Experiment.pause)
    resume = _changed(Experiment.resume)
    retry = _changed(Experiment.retry)
    edit = _changed(Experiment.edit)
    declare = _changed(Experiment.declare)
    delete = _call(Experiment.delete)
    runs = _call(Experiment.runs)
    environments = _call(Experiment.environments)
    save = _call(Experiment.save)
    run = _call(Experiment.run)
    wanted = _items(Experiment.wanted)
    metrics = _call(Experiment.metrics)
    plots = _call(Experiment.plots)
    plot = _call(Experiment.plot)
    plots_zip = _call(Experiment.plots_zip)
    report = _call(Experiment.report)
    report_markdown = _call(Experiment.report_markdown)
    report_html = _call(Experiment.report_html)
    history = _items(Experiment.history)

    async def wait(self, progress: Callable[[Self], None] | None = None, timeout: float | None = None) -> Self:
        """Poll until the experiment has ended, and call `progress` after each look; raises `TimeoutError`.

        No thread waits meanwhile.
        """
        tell = progress or (lambda _: None)
        tell(await self.refresh())
        for pause in self.sync.pauses(timeout):
            await asyncio.sleep(pause)
            tell(await self.refresh())
        return self

    async def events(
        self,
        metric: str | Sequence[str] | None = None,
        arm: str | None = None,
        seed: int | None = None,
        last_event_id: str | None = None,
        diagnostics: bool = False,
    ) -> AsyncIterator[Event]:
        """Yield all that was measured, and then what happens from now on, until the experiment has ended.

        They are those of `Experiment.events`. A thread reads them, no further ahead than one event.
        """
        asked = {"metric": metric, "arm": arm, "seed": seed, "diagnostics": diagnostics or None}
        left = threading.Event()
        stream = events.follow(
            self.sync.transport, f"{self.path}/events", asked, last_event_id, lambda: not left.is_set()
        )
        async for event in _read(stream, left):
            yield event


async def _read(stream: Iterator[Event], left: threading.Event) -> AsyncIterator[Event]:
    """Yield what a thread of its own reads; `left` is set at the end, whoever makes it."""
    loop, read = asyncio.get_running_loop(), asyncio.Queue[Event | BaseException | None](1)

    def put(item: Event | BaseException | None) -> None:
        if not left.is_set():
            asyncio.run_coroutine_threadsafe(read.put(item), loop).result()

    def listen() -> None:
        try:
            for event in stream:
                put(event)
        except Exception as error:  # noqa: BLE001 raised again where the events are awaited
            put(error)
        else:
            put(None)

    threading.Thread(target=listen, name="initlab-events", daemon=True).start()
    try:
        while (item := await read.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        left.set()
        while not read.empty():  # or the thread would wait for its place for ever
            read.get_nowait()


class AsyncClient:
    """A server at `url`, asked as by `Client`, whose arguments it takes; `sync` is that client, whose calls block.

    A call that is cancelled goes on in its thread until it is answered.
    """

    def __init__(
        self, url: str | None = None, api_key: str | None = None, *, project: str | None = None, patience: float = 30.0
    ) -> None:
        self.sync = Client(url, api_key, project=project, patience=patience)

    @property
    def url(self) -> str:
        return self.sync.url

    submit = _experiment(Client.submit)
    external = _experiment(Client.external)
    experiment = _experiment(Client.experiment)
    experiments = _experiments(Client.experiments)
    preview = _call(Client.preview)
    cancel_experiments = _call(Client.cancel_experiments)
    delete_experiments = _call(Client.delete_experiments)
    compare = _call(Client.compare)
    compare_markdown = _call(Client.compare_markdown)
    studies = _call(Client.studies)
    study = _call(Client.study)
    catalog = _call(Client.catalog)
    preview_schedule = _call(Client.preview_schedule)
    preview_initializer = _call(Client.preview_initializer)
    preview_signal = _call(Client.preview_signal)
    preview_optimizer = _call(Client.preview_optimizer)
    preview_layer = _call(Client.preview_layer)
    look_at_dataset = _call(Client.look_at_dataset)
    draw_preview = _call(Client.draw_preview)
    upload_dataset = _call(Client.upload_dataset)
    datasets = _call(Client.datasets)
    dataset = _call(Client.dataset)
    preview_dataset = _call(Client.preview_dataset)
    delete_dataset = _call(Client.delete_dataset)
    workers = _call(Client.workers)
    plugins = _call(Client.plugins)
    weights = _call(Client.weights)
    log_points = _call(Client.log_points)
    heartbeat = _call(Client.heartbeat)
    finish_run = _call(Client.finish_run)
    drain_worker = _call(Client.drain_worker)
    create_webhook = _call(Client.create_webhook)
    webhooks = _call(Client.webhooks)
    deliveries = _items(Client.deliveries)
    replay = _call(Client.replay)
    delete_webhook = _call(Client.delete_webhook)
    me = _call(Client.me)
    projects = _call(Client.projects)
    project = _call(Client.project)
    create_project = _call(Client.create_project)
    change_project = _call(Client.change_project)
    delete_project = _call(Client.delete_project)
    close = _call(Client.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self.url!r})"
