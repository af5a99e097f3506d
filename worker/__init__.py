"""Celery workers that train, and the supervisor of the one-command service."""
