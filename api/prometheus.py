"""The text of `/metrics`, in Prometheus' format: counters of this process, and the state of the database now."""

import sqlite3
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Scope

from api.deps import Service
from core.experiments.cohorts.events import COUNTS
from core.experiments.queries.statistics import QueueStats, queue_stats
from core.store import revision

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the lines, to say when a counter began


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "initlab_http_requests", "requests answered", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "initlab_http_request_seconds",
            "seconds from a request to the end of its answer",
            ["method", "route"],
            registry=self._registry,
            buckets=BUCKETS,
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request: by its route's template, since paths have no end."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", "none")
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self, service: Service) -> bytes:
        """Return all metrics, as they are now."""
        return generate_latest(self._registry) + generate_latest(_CurrentMetrics(service, self._version))


class _CurrentMetrics(Collector):
    """The metrics that are looked up when they are asked for."""

    def __init__(self, service: Service, version: str) -> None:
        self._service = service
        self._version = version

    def collect(self) -> Iterator[Metric]:
        dispatcher, sweeper = self._service.dispatcher, self._service.sweeper
        yield CounterMetricFamily("initlab_rings", "wake-up tasks asked for", dispatcher.notifications)
        yield CounterMetricFamily(
            "initlab_ring_failures", "notifications that the broker did not take", dispatcher.failures
        )
        yield CounterMetricFamily("initlab_sweeps", "looks for what was lost", sweeper.sweeps)
        yield CounterMetricFamily("initlab_sweep_failures", "looks that the database refused", sweeper.failures)
        known = {"database": make_url(self._service.settings.database).get_backend_name()}
        stats = None
        try:
            with self._service.database.reading() as session:
                known |= _database_labels(session.connection())
                stats = queue_stats(session)
        except SQLAlchemyError:
            pass
        up = "whether the database answers; the metrics that come from it are missing when it does not"
        yield GaugeMetricFamily("initlab_database_up", up, int(stats is not None))
        labels = {"version": self._version, "database_version": "", "revision": ""} | known
        yield _gauge("initlab_build_info", "what runs here, and on what", {tuple(labels.values()): 1}, *labels)
        if stats is not None:
            yield from _queue_metrics(stats)


def _queue_metrics(stats: QueueStats) -> Iterator[Metric]:
    for name, text in COUNTS.items():
        yield CounterMetricFamily(f"initlab_{name}", text, stats.counts[name])
    yield _gauge("initlab_experiments", "experiments", stats.experiments, "status")
    yield _gauge("initlab_cohorts", "cohorts that have not ended", stats.cohorts, "status")
    yield _gauge(
        "initlab_runs", "runs of the cohorts that have not ended, by the cohort's status", stats.runs, "status"
    )
    waited = "seconds that the oldest cohort which may be taken has been queued"
    yield GaugeMetricFamily("initlab_oldest_queued_seconds", waited, stats.waited)
    yield _gauge("initlab_workers", "live training processes by the queue they answer to", stats.workers, "queue")


def _gauge(name: str, text: str, values: Mapping[str, float] | Mapping[tuple[str, ...], float], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for of, value in values.items():
        family.add_metric([of] if isinstance(of, str) else of, value)
    return family


def _database_labels(connection: Connection) -> dict[str, str]:
    """Return the version of the database (SQLite before 3.51.3 has a rare fault in WAL mode) and of its schema."""
    found, _ = revision(connection)
    if connection.dialect.name == "sqlite":
        version = sqlite3.sqlite_version
    else:
        version = ".".join(map(str, connection.dialect.server_version_info or ()))
    return {"database_version": version, "revision": found or ""}
