"""The queue: Celery wakes a worker when there may be work; the database says which."""

from core.queue.app import WAKE_UP, celery_app, queue_name
from core.queue.dispatcher import Dispatcher, broker_error

__all__ = ["WAKE_UP", "Dispatcher", "broker_error", "celery_app", "queue_name"]
