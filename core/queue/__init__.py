"""The doorbell: Celery tells a worker that there may be work; the database says what it is."""

from core.queue.app import WAKE_UP, app, queue_name
from core.queue.dispatcher import Dispatcher, broker_error

__all__ = ["WAKE_UP", "Dispatcher", "app", "broker_error", "queue_name"]
