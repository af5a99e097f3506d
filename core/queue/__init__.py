"""The doorbell: Celery tells a worker that there may be work; the database says what it is."""

from core.queue.app import DOORBELL, app, bell_of
from core.queue.bell import Bell, trouble

__all__ = ["DOORBELL", "Bell", "app", "bell_of", "trouble"]
