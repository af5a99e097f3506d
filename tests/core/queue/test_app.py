"""Celery's settings are those that the faults of docs/decisions/0006 ask for."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.queue.app import celery_app, configuration
from core.settings import Settings
from tests.backends import RedisServer


def test_the_filesystem_broker_is_the_default(tmp_path: Path) -> None:
    options = configuration(Settings(data_dir=tmp_path))
    assert options["broker_url"].startswith("fsbroker:")
    assert options["broker_transport_options"]["data_folder_in"] == str(tmp_path / "spool")


def test_redis_never_delivers_a_long_task_again_and_never_blocks_a_publisher() -> None:
    options = configuration(Settings(broker_url="redis://localhost/0"))
    transport = options["broker_transport_options"]
    assert transport["visibility_timeout"] >= 86_400
    assert transport["socket_timeout"] <= 2
    assert transport["socket_connect_timeout"] <= 2


def test_a_worker_whose_broker_is_cut_off_hears_nothing_for_seconds_not_hours(broker: RedisServer) -> None:
    app = celery_app(Settings(broker_url=broker.url))
    with app.connection_for_read() as connection:
        pool = connection.default_channel.client.connection_pool
        listening = pool.get_connection()
        here = listening._sock
        assert here.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, interval, count = (
            here.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name}"))
            for name in ("KEEPIDLE", "KEEPINTVL", "KEEPCNT")
        )
        pool.release(listening)
    assert idle + interval * count <= 15


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept_content", ["json"]),
        ("task_acks_late", True),
        ("task_reject_on_worker_lost", False),
        ("worker_cancel_long_running_tasks_on_connection_loss", False),
        ("broker_connection_max_retries", None),
        ("task_ignore_result", True),
        ("worker_prefetch_multiplier", 1),
    ],
)
def test_celery_knows_each_setting(name: str, value: object) -> None:
    assert getattr(celery_app(Settings()).conf, name) == value


def test_what_a_worker_imports_before_it_forks_brings_no_torch() -> None:
    """A fork after torch has computed anything hangs the child (pytorch#17199)."""
    code = "import sys, worker.tasks, worker.__main__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
