"""The Celery application: the API makes one to send wake-up tasks, a worker one to receive them."""

import socket
from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

from core.settings import Settings

WAKE_UP = "initlab.wake_up"
"""The name of the one task: claim and train until nothing is queued."""


_IDLE = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", None))  # the latter: macOS
KEEPALIVE = {_IDLE: 5, socket.TCP_KEEPINTVL: 2, socket.TCP_KEEPCNT: 3} if _IDLE is not None else {}
"""TCP's, in seconds: a worker that listens to a broker which a network has cut off knows so after some ten seconds.

By the kernel's own it would listen for two hours, and hear no task.
"""


def queue_name(queue: str) -> str:
    """Return the broker's name of a queue: no dots in it, kombu#2646."""
    return f"wake-up-{queue}"


TRANSPORT_ALIASES["fsbroker"] = "core.queue.filesystem:Transport"
for _scheme in ("redis", "rediss"):  # of this process's applications, which are all ours
    TRANSPORT_ALIASES[_scheme] = "core.queue.redis:Transport"


def celery_app(settings: Settings) -> Celery:
    """Return a Celery application on the broker of these settings; several may live in one process."""
    app = Celery("initlab", set_as_current=False)
    app.config_from_object(configuration(settings))
    return app


def configuration(current: Settings) -> dict[str, Any]:
    """Return Celery's settings, each with the fault it prevents (measured in docs/decisions/0006)."""
    return {
        "broker_url": current.broker_url or "fsbroker://localhost/",
        "broker_transport_options": _transport_options(current),
        "task_default_queue": queue_name("cpu"),
        "task_serializer": "json",
        "accept_content": ["json"],  # a pickle is code
        "task_ignore_result": True,  # results are rows of the database
        "result_backend": None,
        "task_acks_late": True,  # a task survives its worker where the broker can do that
        "task_reject_on_worker_lost": False,  # a poison cohort would loop; attempts are counted in the database
        "worker_prefetch_multiplier": 1,  # no worker holds tasks that another could run
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # a broker's blip must not end a training
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # the default gives up for ever after 100
        "task_publish_retry": False,  # the sweeper notifies again; a request never waits for the broker
        "task_time_limit": None,
        "task_soft_time_limit": None,
        "worker_proc_alive_timeout": 60,  # a child imports torch before it says that it is up
        "worker_enable_remote_control": False,  # concurrent writers corrupt its exchange file (dvc-task#73)
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def _transport_options(current: Settings) -> dict[str, Any]:
    if current.broker_url:
        return {
            "visibility_timeout": 7 * 86_400,  # a shorter one delivers a running task again, without end
            "socket_timeout": 2,  # a frozen broker would block a publish for ever
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "socket_keepalive_options": KEEPALIVE,
            "health_check_interval": 25,
        }
    spool = current.data_dir.absolute() / "spool"
    return {
        "data_folder_in": str(spool),
        "data_folder_out": str(spool),
        "control_folder": str(current.data_dir.absolute() / "spool-control"),
        "polling_interval": 0.02,
    }
