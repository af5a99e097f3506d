"""Backups: the database and the files that it names, copied while the service runs, and put back elsewhere."""

from core.experiments.maintenance.backup.make import back_up
from core.experiments.maintenance.backup.manifest import BrokenBackup, Manifest
from core.experiments.maintenance.backup.restore import NotEmpty, restore

__all__ = ["BrokenBackup", "Manifest", "NotEmpty", "back_up", "restore"]
